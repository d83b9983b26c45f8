//! Name/value tables, filled by blocks of `nvpair`s.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// A table by name. Its hash is quick, and keyed at random: no document can make look-ups slow on
/// purpose.
pub(super) type Map<K, V> = HashMap<K, V, RandomState>;

/// A set with the same hash.
pub(super) type Set<K> = HashSet<K, RandomState>;

/// A table that attribute blocks can fill.
pub(super) trait Values<'d> {
    /// Returns a value.
    fn value(&self, name: &str) -> Option<&'d str>;
    /// Sets a value, or replaces it.
    fn set(&mut self, name: &'d str, value: &'d str);
    /// Removes a value.
    fn remove(&mut self, name: &str);

    /// Sets a value unless there is one.
    fn set_default(&mut self, name: &'d str, value: &'d str) {
        if self.value(name).is_none() {
            self.set(name, value);
        }
    }
}

/// A small table: a resource has a handful of meta-attributes, so a search beats a hash.
#[derive(Debug, Clone, Default)]
pub(super) struct Table<'d>(Vec<(&'d str, &'d str)>);

impl<'d> Table<'d> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'d str, &'d str)> + '_ {
        self.0.iter().copied()
    }
}

impl<'d> Values<'d> for Table<'d> {
    fn value(&self, name: &str) -> Option<&'d str> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
    }

    fn set(&mut self, name: &'d str, value: &'d str) {
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name, value)),
        }
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| *n != name);
    }
}

impl<'d> Values<'d> for Map<&'d str, &'d str> {
    fn value(&self, name: &str) -> Option<&'d str> {
        self.get(name).copied()
    }

    fn set(&mut self, name: &'d str, value: &'d str) {
        self.insert(name, value);
    }

    fn remove(&mut self, name: &str) {
        Map::remove(self, name);
    }
}
