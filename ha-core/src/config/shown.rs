//! How the types are serialized.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::rest::Rest;
use crate::name::Id;

/// Serializes a part, secrets hidden and what is absent left out.
pub(super) struct Shown<M: SerializeMap> {
    map: M,
    outcome: Result<(), M::Error>,
}

impl<M: SerializeMap> Shown<M> {
    pub(super) fn new<S: Serializer<SerializeMap = M, Error = M::Error>>(
        serializer: S,
    ) -> Result<Self, M::Error> {
        Ok(Self {
            map: serializer.serialize_map(None)?,
            outcome: Ok(()),
        })
    }

    pub(super) fn required<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        if self.outcome.is_ok() {
            self.outcome = self.map.serialize_entry(name, value);
        }
    }

    pub(super) fn optional<T: Serialize>(&mut self, name: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.required(name, value);
        }
    }

    pub(super) fn own(&mut self, name: &str, value: &Option<Id>) {
        self.optional(name, value);
    }

    pub(super) fn reference(&mut self, name: &str, value: &Option<Id>) {
        self.optional(name, value);
    }

    pub(super) fn one<T: Serialize>(&mut self, name: &str, value: &Option<T>) {
        self.optional(name, value);
    }

    pub(super) fn many<T: Serialize>(&mut self, name: &str, values: &[T]) {
        if !values.is_empty() {
            self.required(name, values);
        }
    }

    pub(super) fn any<T: Serialize>(&mut self, name: &str, values: &[T]) {
        self.many(name, values);
    }

    pub(super) fn exactly<T: Serialize>(&mut self, name: &str, value: &T) {
        self.required(name, value);
    }

    pub(super) fn nested<T: Serialize + Default + PartialEq>(&mut self, name: &str, value: &T) {
        if *value != T::default() {
            self.required(name, value);
        }
    }

    pub(super) fn end(mut self, rest: &Rest) -> Result<M::Ok, M::Error> {
        if !rest.is_empty() {
            self.required("other", rest);
        }
        self.outcome?;
        self.map.end()
    }
}
