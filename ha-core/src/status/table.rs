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

    /// Returns the names that are kept, unless all are.
    fn wanted(&self) -> Option<&'static [&'static str]> {
        None
    }

    /// Sets a value unless there is one.
    fn set_default(&mut self, name: &'d str, value: &'d str) {
        if self.value(name).is_none() {
            self.set(name, value);
        }
    }
}

/// How many values are searched; of more, a hash is made.
const SEARCHED: usize = 32;

/// A small table: a resource has a handful of meta-attributes, so a search beats a hash.
#[derive(Debug, Clone, Default)]
pub(super) struct Table<'d> {
    few: Vec<(&'d str, &'d str)>,
    /// All of them, once they are many.
    many: Map<&'d str, &'d str>,
    /// The names that somebody will ask for; all without.
    wanted: Option<&'static [&'static str]>,
}

impl<'d> Table<'d> {
    /// Makes a table that keeps the values of these names only.
    pub(super) fn of(wanted: Option<&'static [&'static str]>) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'d str, &'d str)> + '_ {
        let many = self.many.iter().map(|(name, value)| (*name, *value));
        self.few.iter().copied().chain(many)
    }

    fn wants(&self, name: &str) -> bool {
        self.wanted.is_none_or(|wanted| wanted.contains(&name))
    }
}

impl<'d> Values<'d> for Table<'d> {
    fn value(&self, name: &str) -> Option<&'d str> {
        debug_assert!(self.wants(name), "{name} was not kept");
        if self.many.is_empty() {
            self.few.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
        } else {
            self.many.get(name).copied()
        }
    }

    fn set(&mut self, name: &'d str, value: &'d str) {
        if !self.wants(name) {
            return;
        }
        if !self.many.is_empty() {
            self.many.insert(name, value);
            return;
        }
        if let Some(entry) = self.few.iter_mut().find(|(n, _)| *n == name) {
            entry.1 = value;
        } else if self.few.len() < SEARCHED {
            self.few.push((name, value));
        } else {
            self.many.extend(self.few.drain(..));
            self.many.insert(name, value);
        }
    }

    fn wanted(&self) -> Option<&'static [&'static str]> {
        self.wanted
    }

    fn set_default(&mut self, name: &'d str, value: &'d str) {
        if self.wants(name) && self.value(name).is_none() {
            self.set(name, value);
        }
    }

    fn remove(&mut self, name: &str) {
        self.few.retain(|(n, _)| *n != name);
        self.many.remove(name);
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
