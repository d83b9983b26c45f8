//! Tests of values: the data types of XML Schema that Pacemaker's schemas use, and lists of words.

use regex_lite::Regex;

use super::pattern::Test;
use crate::name::{continues_xml_name, starts_xml_name};

#[derive(Debug)]
pub(super) enum Rule {
    /// Any text.
    Any,
    /// Only blanks.
    Blank,
    Never,
    /// These words, however they are set apart and surrounded by blanks.
    Token(String),
    /// Exactly this text.
    Exactly(String),
    Data {
        of: Type,
        /// What the whole text must match.
        patterns: Vec<Regex>,
        /// What the text must not pass.
        except: Option<Test>,
    },
    OneOf(Vec<Test>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    String,
    Boolean,
    Integer,
    NonNegativeInteger,
    PositiveInteger,
    /// A name that no other element has.
    Id,
    /// The name of another element.
    IdReference,
}

impl Type {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "nonNegativeInteger" => Self::NonNegativeInteger,
            "positiveInteger" => Self::PositiveInteger,
            "ID" => Self::Id,
            "IDREF" => Self::IdReference,
            _ => return None,
        })
    }

    /// Tells whether a text is of this type, as far as the text alone says.
    pub(super) fn takes(self, text: &str) -> bool {
        match self {
            Self::String => true,
            Self::Boolean => matches!(trimmed(text), "0" | "1" | "true" | "false"),
            Self::Integer => digits(text).is_some(),
            Self::NonNegativeInteger => {
                digits(text).is_some_and(|(is_negative, is_zero)| !is_negative || is_zero)
            }
            Self::PositiveInteger => {
                digits(text).is_some_and(|(is_negative, is_zero)| !is_negative && !is_zero)
            }
            Self::Id | Self::IdReference => is_name(trimmed(text)),
        }
    }
}

/// Digits beyond which Pacemaker's library takes nothing for a number.
const MOST_DIGITS: usize = 24;

/// Returns the sign of a whole number and whether it is zero.
fn digits(text: &str) -> Option<(bool, bool)> {
    let text = trimmed(text);
    let (is_negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() || !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = rest.trim_start_matches('0');
    (significant.len() <= MOST_DIGITS).then_some((is_negative, significant.is_empty()))
}

/// Tells whether a text is a name without a colon.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let starts = |c| c != ':' && starts_xml_name(c);
    if !text.starts_with(starts) {
        return false;
    }
    // Nearly all names are of plain characters.
    text.bytes().all(plain) || text.chars().all(|c| c != ':' && continues_xml_name(c))
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// Removes what XML calls white space from both ends.
pub(super) fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if !is_blank(*first) && !is_blank(*last) => text,
        _ => text.trim_matches([' ', '\t', '\n', '\r']),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split([' ', '\t', '\n', '\r']);
    words.filter(|word| !word.is_empty())
}

/// Sets words apart by single spaces.
pub(super) fn plain_words(text: &str) -> String {
    if !text.bytes().any(is_blank) {
        return text.to_owned();
    }
    words(text).collect::<Vec<_>>().join(" ")
}

/// Tells whether a text says these words, which are [plain](plain_words).
pub(super) fn says(plain: &str, text: &str) -> bool {
    let may_differ = text.len() > plain.len() && text.bytes().any(is_blank);
    plain == text || (may_differ && words(text).eq(words(plain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let takes = |of: Type, text| of.takes(text);
        for good in ["0", " 12 ", "-0", "+7", "000000000000000000000000000000001"] {
            assert!(takes(Type::NonNegativeInteger, good), "{good:?}");
        }
        for bad in [
            "",
            " ",
            "-1",
            "1.0",
            "0x1",
            "1 2",
            "+",
            "1234567890123456789012345",
        ] {
            assert!(!takes(Type::NonNegativeInteger, bad), "{bad:?}");
        }
        assert!(takes(Type::Integer, "-12") && !takes(Type::Integer, "twelve"));
        assert!(takes(Type::PositiveInteger, "1"));
        assert!(!takes(Type::PositiveInteger, "0") && !takes(Type::PositiveInteger, "-1"));
    }

    #[test]
    fn names_and_truths() {
        for good in ["a", " a ", "_1", "é-1.b"] {
            assert!(Type::Id.takes(good), "{good:?}");
        }
        for bad in ["", "1a", "a b", "a:b", "-a", "a/b"] {
            assert!(!Type::Id.takes(bad), "{bad:?}");
        }
        assert!(Type::Boolean.takes("true") && Type::Boolean.takes(" 1 "));
        assert!(!Type::Boolean.takes("True") && !Type::Boolean.takes("yes"));
        assert_eq!(plain_words(" a\n b "), "a b");
        assert!(says("a b", " a  b ") && says("a b", "a b") && says("a", "a\t"));
        assert!(!says("ab", "a b") && !says("a b", "a b c") && !says("", "a"));
    }
}
