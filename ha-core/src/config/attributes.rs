//! Sets of attributes: options, parameters, meta-attributes, utilization, defaults.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::macros::part;
use super::naming::Namer;
use super::part::{Part, Reader, Writer};
use super::rest::Rest;
use super::rule::{Expression, Rule};
use super::value::Value;
use super::{Unreadable, checked};
use crate::name::Id;
use crate::value::Score;

part! {
    /// A set of names with values: parameters, meta-attributes, utilization, cluster options ....
    ///
    /// An object may have several of one kind. Those whose rule holds count, the one of the
    /// highest score first.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::AttributeSet;
    /// let set = AttributeSet::new().with("ip", "192.168.0.100").with("cidr_netmask", 24);
    /// assert_eq!(set.get("cidr_netmask"), Some("24"));
    /// ```
    AttributeSet {
        /// The id of another set that this one stands for; then it has nothing of its own.
        id_ref: Option<Id> = reference "id-ref",
        /// Its id.
        id: Option<Id> = own "id",
        /// Which set counts first when several have the same name: that of the highest score.
        score: Option<Score> = optional "score",
        /// When this set counts.
        rule: Option<Rule> = one "rule",
        /// The names and values.
        pairs: Vec<Pair> = many "nvpair",
    }
}

impl Default for AttributeSet {
    fn default() -> Self {
        Self::new()
    }
}

impl AttributeSet {
    /// Makes an empty set; it gets an id from what it is put into.
    #[must_use]
    pub fn new() -> Self {
        Self {
            id_ref: None,
            id: None,
            score: None,
            rule: None,
            pairs: Vec::new(),
            rest: Rest::default(),
        }
    }

    /// Makes an empty set with an id of its own.
    #[must_use]
    pub fn named(id: impl AsRef<str>) -> Self {
        let mut set = Self::new();
        set.id = Some(checked(id.as_ref(), &mut set.rest));
        set
    }

    /// Makes a set that stands for another one.
    #[must_use]
    pub fn same_as(id: impl AsRef<str>) -> Self {
        let mut set = Self::new();
        set.id_ref = Some(checked(id.as_ref(), &mut set.rest));
        set
    }

    /// Sets a value, in place of one of the same name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Makes the set count only when an expression holds.
    #[must_use]
    pub fn when(mut self, expression: Expression) -> Self {
        self.rule = Some(expression.into_rule());
        self
    }

    /// Sets the score: of sets with the same name, the one of the highest score counts.
    #[must_use]
    pub fn score(mut self, score: impl Into<Score>) -> Self {
        self.score = Some(score.into());
        self
    }

    /// Sets a value, in place of one of the same name.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = Value::of(name, value);
        match self.pairs.iter_mut().find(|pair| pair.is(name)) {
            Some(pair) => pair.value = Some(value),
            None => self.pairs.push(Pair::new(name, value)),
        }
    }

    /// Returns the text of a value, also of a secret one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|pair| pair.is(name))?;
        pair.value.as_ref().map(Value::reveal)
    }

    /// Removes a value; tells whether it was there.
    pub fn unset(&mut self, name: &str) -> bool {
        let before = self.pairs.len();
        self.pairs.retain(|pair| !pair.is(name));
        self.pairs.len() != before
    }
}

/// Tells whether a set counts always, as any other.
pub(super) fn is_plain(set: &AttributeSet) -> bool {
    set.id_ref.is_none() && set.rule.is_none() && set.score.is_none()
}

/// Returns the set that builders add to: the first that always counts, made when there is none.
pub(super) fn plain(sets: &mut Vec<AttributeSet>) -> &mut AttributeSet {
    let at = sets.iter().position(is_plain).unwrap_or_else(|| {
        sets.push(AttributeSet::new());
        sets.len() - 1
    });
    &mut sets[at]
}

/// A name with a value.
///
/// The value of what [`is_secret`](crate::name::is_secret) is hidden in all that shows it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pair {
    /// The id of another pair that this one stands for.
    pub id_ref: Option<Id>,
    /// Its id.
    pub id: Option<Id>,
    /// The name; a pair that stands for another may do without.
    pub name: Option<String>,
    /// The value; without one, the name counts as not set.
    pub value: Option<Value>,
    /// What is in the element besides.
    pub rest: Rest,
}

impl Pair {
    /// Makes a pair; it gets an id from the set it is put into.
    #[must_use]
    pub fn new(name: &str, value: impl Into<Value>) -> Self {
        Self {
            id_ref: None,
            id: None,
            name: Some(name.to_owned()),
            value: Some(Value::of(name, value)),
            rest: Rest::default(),
        }
    }

    /// Makes a pair that stands for another one.
    #[must_use]
    pub fn same_as(id: impl AsRef<str>) -> Self {
        let mut rest = Rest::default();
        Self {
            id_ref: Some(checked(id.as_ref(), &mut rest)),
            id: None,
            name: None,
            value: None,
            rest,
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }
}

impl Part for Pair {
    fn read(reader: &mut Reader<'_, '_>) -> Result<Self, Unreadable> {
        let name: Option<String> = reader.optional("name")?;
        let value: Option<String> = reader.optional("value")?;
        Ok(Self {
            id_ref: reader.reference("id-ref")?,
            id: reader.own("id")?,
            value: value.map(|value| Value::of(name.as_deref().unwrap_or_default(), value)),
            name,
            rest: reader.rest(),
        })
    }

    fn write<'a>(&'a self, writer: &mut Writer<'_, 'a>) {
        writer.reference("id-ref", &self.id_ref);
        writer.own("id", &self.id);
        writer.text("name", self.name.as_deref());
        writer.text("value", self.value.as_ref().map(Value::reveal));
        writer.rest(&self.rest);
    }

    fn name_parts(&mut self, namer: &mut Namer) {
        let outer = namer.enter(self, &self.rest);
        namer.reference("id-ref", &mut self.id_ref);
        namer.own("id", &mut self.id);
        namer.leave(outer);
    }

    fn suffix(&self, tag: &str) -> String {
        self.name.as_deref().unwrap_or(tag).to_owned()
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("id_ref", &self.id_ref)
            .field("id", &self.id)
            .field("name", &self.name)
            .field("value", &self.value)
            .field("rest", &self.rest)
            .finish()
    }
}

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(id) = &self.id_ref {
            map.serialize_entry("id_ref", id)?;
        }
        if let Some(id) = &self.id {
            map.serialize_entry("id", id)?;
        }
        if let Some(name) = &self.name {
            map.serialize_entry("name", name)?;
        }
        if let Some(value) = &self.value {
            map.serialize_entry("value", value)?;
        }
        if !self.rest.is_empty() {
            map.serialize_entry("other", &self.rest)?;
        }
        map.end()
    }
}
