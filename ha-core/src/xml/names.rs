//! The table of element and attribute names of one document: each name is stored once and is a
//! small number everywhere else.

use std::fmt;
use std::hash::BuildHasher as _;

use foldhash::quality::RandomState;

use crate::name::{continues_xml_name, starts_xml_name};

/// A name of the document's table.
pub(crate) type Symbol = u32;

/// No name.
pub(super) const NO_SYMBOL: Symbol = u32::MAX;
/// Marks a node that is text.
pub(super) const TEXT: Symbol = NO_SYMBOL;
/// Marks a node that is a comment.
pub(super) const COMMENT: Symbol = NO_SYMBOL - 1;

const CACHE_SIZE: usize = 1024;

/// Names by number and numbers by name.
///
/// A direct-mapped cache with a cheap hash answers nearly always (a CIB has about a hundred
/// names); behind it is a table hashed with a random key, so that no document can make look-ups
/// slow on purpose.
#[derive(Clone)]
pub(crate) struct Names {
    text: String,
    /// Where each name ends in `text`; it starts where the one before ends.
    ends: Vec<u32>,
    /// Open addressing: symbols, or `NO_SYMBOL`. The length is a power of two.
    table: Vec<Symbol>,
    cache: Box<[Symbol; CACHE_SIZE]>,
    key: RandomState,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl Names {
    pub(crate) fn new() -> Self {
        Self {
            text: String::with_capacity(1024),
            ends: Vec::with_capacity(128),
            table: vec![NO_SYMBOL; 256],
            cache: Box::new([NO_SYMBOL; CACHE_SIZE]),
            key: RandomState::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(crate) fn name(&self, symbol: Symbol) -> &str {
        let i = symbol as usize;
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.text[start..self.ends[i] as usize]
    }

    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<Symbol> {
        let cached = self.cache[cache_slot(name)];
        if cached == NO_SYMBOL {
            // No name of this slot was ever added.
            return None;
        }
        if self.name(cached) == name {
            return Some(cached);
        }
        self.search(name).ok()
    }

    /// Returns the number of a name, which is added when it is new.
    ///
    /// `check` is called for a new name only: `false` refuses it.
    #[inline]
    pub(crate) fn intern(&mut self, name: &str, check: fn(&str) -> bool) -> Option<Symbol> {
        let slot = cache_slot(name);
        let cached = self.cache[slot];
        if cached != NO_SYMBOL && self.name(cached) == name {
            return Some(cached);
        }
        let symbol = match self.search(name) {
            Ok(symbol) => symbol,
            Err(place) => {
                if !check(name) {
                    return None;
                }
                self.add(name, place)?
            }
        };
        self.cache[slot] = symbol;
        Some(symbol)
    }

    /// Finds a name in the table, or the free place where it would be.
    fn search(&self, name: &str) -> Result<Symbol, usize> {
        let mask = self.table.len() - 1;
        let mut place = self.key.hash_one(name) as usize & mask;
        loop {
            match self.table[place] {
                NO_SYMBOL => return Err(place),
                symbol if self.name(symbol) == name => return Ok(symbol),
                _ => place = (place + 1) & mask,
            }
        }
    }

    #[cold]
    fn add(&mut self, name: &str, place: usize) -> Option<Symbol> {
        let symbol = Symbol::try_from(self.ends.len())
            .ok()
            .filter(|&s| s < COMMENT)?;
        let end = u32::try_from(self.text.len() + name.len()).ok()?;
        self.text.push_str(name);
        self.ends.push(end);
        self.table[place] = symbol;
        if self.ends.len() * 2 > self.table.len() {
            self.grow();
        }
        Some(symbol)
    }

    fn grow(&mut self) {
        let size = self.table.len() * 2;
        let mut table = vec![NO_SYMBOL; size];
        for symbol in 0..self.ends.len() as Symbol {
            let mut place = self.key.hash_one(self.name(symbol)) as usize & (size - 1);
            while table[place] != NO_SYMBOL {
                place = (place + 1) & (size - 1);
            }
            table[place] = symbol;
        }
        self.table = table;
    }
}

/// Mixes the length, the first and the last bytes: enough to tell apart the names of a CIB.
#[inline]
fn cache_slot(name: &str) -> usize {
    let bytes = name.as_bytes();
    let n = bytes.len();
    let word = |at: usize| {
        let mut w = [0; 8];
        w.copy_from_slice(&bytes[at..at + 8]);
        u64::from_le_bytes(w)
    };
    let half = |at: usize| {
        let mut w = [0; 4];
        w.copy_from_slice(&bytes[at..at + 4]);
        u64::from(u32::from_le_bytes(w))
    };
    let (head, tail) = match n {
        0 => (0, 0),
        1..=3 => (
            u64::from(bytes[0]) << 8 | u64::from(bytes[n / 2]),
            u64::from(bytes[n - 1]),
        ),
        4..=7 => (half(0), half(n - 4)),
        _ => (word(0), word(n - 8)),
    };
    let mixed = (head ^ tail.rotate_left(29) ^ n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (64 - CACHE_SIZE.trailing_zeros())) as usize
}

/// Tells whether a text is a name that XML allows for an element or an attribute.
///
/// # Example
/// ```
/// assert!(ha_core::xml::is_name("lrm_rsc_op"));
/// assert!(!ha_core::xml::is_name("two words") && !ha_core::xml::is_name("1st"));
/// ```
#[must_use]
pub fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(starts_xml_name) && chars.all(continues_xml_name)
}

/// Makes a name that XML allows: each character that it does not allow becomes `_`.
pub(super) fn made_valid(name: &str) -> String {
    let mut valid: String = name
        .chars()
        .map(|c| if continues_xml_name(c) { c } else { '_' })
        .collect();
    if !valid.starts_with(starts_xml_name) {
        valid.insert(0, '_');
    }
    valid
}

/// Tells whether XML 1.0 can hold this character.
#[inline]
pub(super) fn is_xml_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Returns where the first character is that XML 1.0 cannot hold.
#[inline]
pub(super) fn find_non_xml(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    // U+FFFE and U+FFFF are EF BF BE and EF BF BF; all other culprits are ASCII.
    let suspicious = |b: u8| (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || b == 0xEF;
    if !bytes.iter().any(|&b| suspicious(b)) {
        return None;
    }
    text.char_indices()
        .find(|&(_, c)| !is_xml_char(c))
        .map(|(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_keep_their_numbers() {
        let mut names = Names::new();
        let made: Vec<String> = (0..5000).map(|i| format!("name-{i}-{}", i % 7)).collect();
        for (i, name) in made.iter().enumerate() {
            assert_eq!(names.intern(name, is_name), Some(i as Symbol));
        }
        for (i, name) in made.iter().enumerate() {
            assert_eq!(names.find(name), Some(i as Symbol));
            assert_eq!(names.name(i as Symbol), name);
        }
        assert_eq!(names.len(), 5000);
        assert_eq!(names.find("name"), None);
        assert_eq!(names.intern("a b", is_name), None);
        assert_eq!(names.find("a b"), None);
    }

    #[test]
    fn names_as_xml_defines_them() {
        for good in ["a", "_", "xml:lang", "éàü", "a-b.c1", "名"] {
            assert!(is_name(good), "{good}");
            assert_eq!(made_valid(good), good);
        }
        for bad in ["", " ", "-a", "1", "a b", "a<", "a\u{d7}", "."] {
            assert!(!is_name(bad), "{bad}");
            assert!(is_name(&made_valid(bad)), "{bad} -> {}", made_valid(bad));
        }
    }

    #[test]
    fn characters_that_xml_cannot_hold() {
        assert_eq!(find_non_xml("a\tb\r\né\u{FFFD}\u{FEFF}"), None);
        assert_eq!(find_non_xml("ab\u{1}"), Some(2));
        assert_eq!(find_non_xml("é\u{FFFF}"), Some(2));
    }
}
