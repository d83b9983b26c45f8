//! Checked names: what XML, Corosync and Pacemaker accept as an id or a name.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Error, Result};

/// Defines a checked name: a text that is one of its kind for sure.
macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks a text and takes it as a name.
            ///
            /// # Errors
            /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it is not acceptable; the
            /// message says why.
            pub fn new(name: impl Into<Box<str>>) -> Result<Self> {
                let name = name.into();
                match $check(&name) {
                    Ok(()) => Ok(Self(name)),
                    Err(why) => {
                        let what = concat!(stringify!($name), " ");
                        Err(Error::invalid(format!("{what}{name:?} {why}")))
                    }
                }
            }

            /// Returns the name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;

            fn try_from(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                *self.0 == *other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                *self.0 == **other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

checked_name! {
    /// An id of the CIB's configuration: of a resource, a constraint, a set of attributes ....
    ///
    /// The schema wants a letter or `_`, then letters, digits, `-`, `_` and `.`.
    ///
    /// # Example
    /// ```
    /// use ha_core::name::Id;
    /// let id: Id = "VIP_externe".parse()?;
    /// assert_eq!(id, "VIP_externe");
    /// assert!(Id::new("IPaddr2_été-1.0").is_ok());
    /// for bad in ["", "1st", "two words", "a:b", "a/b", "it's"] {
    ///     assert!(Id::new(bad).is_err(), "{bad}");
    /// }
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    Id, check_id
}

checked_name! {
    /// The name of a node, as Corosync's configuration gives it and Pacemaker uses it (`uname`).
    ///
    /// The schema takes any text; here, it has 1 to 255 bytes, no blanks or control characters,
    /// and nothing that would need escaping in paths and shells (quotes, `/`, `<`, `>`, `&`).
    ///
    /// # Example
    /// ```
    /// use ha_core::name::NodeName;
    /// assert_eq!(NodeName::new("maitre")?.as_str(), "maitre");
    /// assert!(NodeName::new("10.0.254.11").is_ok() && NodeName::new("esclave.ac-dijon.fr").is_ok());
    /// assert!(NodeName::new("").is_err() && NodeName::new("le maître").is_err());
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    NodeName, check_node_name
}

checked_name! {
    /// The name of a ticket, which several clusters and `booth` know it by.
    ///
    /// Pacemaker takes any text; here, as for [`NodeName`], 1 to 255 bytes without blanks, control characters,
    /// quotes and slashes.
    ///
    /// # Example
    /// ```
    /// use ha_core::name::TicketName;
    /// assert!(TicketName::new("ticket-A").is_ok());
    /// assert!(TicketName::new("").is_err() && TicketName::new("a b").is_err());
    /// ```
    TicketName, check_node_name
}

checked_name! {
    /// The name of a value in the CIB: of an option, a parameter, a meta-attribute, an attribute of a node.
    ///
    /// Pacemaker takes any text; here, it is not empty and has no blanks or control characters.
    ///
    /// # Example
    /// ```
    /// use ha_core::name::ValueName;
    /// assert!(ValueName::new("stonith-enabled").is_ok() && ValueName::new("#health-disk").is_ok());
    /// assert!(ValueName::new("").is_err() && ValueName::new("a b").is_err());
    /// ```
    ValueName, check_value_name
}

/// Checks the name of a value, and the value.
///
/// # Errors
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when the name is none, or when the value has a character
/// that XML cannot hold.
pub(crate) fn check_value(name: &str, value: &str) -> Result<()> {
    ValueName::new(name)?;
    let bad = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}')
    };
    if value.contains(bad) {
        return Err(Error::invalid(format!(
            "the value of {name} has a control character"
        )));
    }
    Ok(())
}

fn check_value_name(name: &str) -> std::result::Result<(), &'static str> {
    match name {
        "" => Err("is empty"),
        _ if name.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            Err("has a blank or a control character")
        }
        _ => Ok(()),
    }
}

fn check_id(id: &str) -> std::result::Result<(), &'static str> {
    let mut chars = id.chars();
    match chars.next() {
        None => Err("is empty"),
        Some(first) if !starts_xml_name(first) || first == ':' => {
            Err("does not start with a letter or `_`")
        }
        Some(_) if chars.any(|c| !continues_xml_name(c) || c == ':') => {
            Err("has a character that is no letter, no digit and none of `-`, `_`, `.`")
        }
        Some(_) => Ok(()),
    }
}

fn check_node_name(name: &str) -> std::result::Result<(), &'static str> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || "\"'/<>&\\".contains(c);
    match name.len() {
        0 => Err("is empty"),
        256.. => Err("is longer than 255 bytes"),
        _ if name.contains(bad) => Err("has a blank, a control character, a quote or a slash"),
        _ => Ok(()),
    }
}

/// Tells whether an attribute or parameter of this name holds a secret, which belongs in no log.
///
/// # Example
/// ```
/// use ha_core::name::is_secret;
/// assert!(is_secret("passwd") && is_secret("admin_Password") && is_secret("community_secret"));
/// assert!(!is_secret("ip"));
/// ```
#[must_use]
pub fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 4] = ["passw", "passphrase", "secret", "private_key"];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Tells whether XML allows this character at the start of a name.
pub(crate) fn starts_xml_name(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '_' | ':'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// Tells whether XML allows this character in a name, after its start.
pub(crate) fn continues_xml_name(c: char) -> bool {
    starts_xml_name(c)
        || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}'
            | '\u{203F}'..='\u{2040}')
}

/// Returns which of these names somebody may have meant who wrote another; none when no one is like it.
///
/// # Example
/// ```
/// use ha_core::name::similar;
/// let known = ["VIP_externe", "VIP_interne"];
/// assert_eq!(similar("VIP_extern", known.into_iter()), Some("VIP_externe"));
/// assert_eq!(similar("gateway", known.into_iter()), None);
/// ```
#[must_use]
pub fn similar<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        // Of several, the first by name: whatever order they come in.
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_and_why() {
        let error = Id::new("1st").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Id \"1st\" does not start with a letter or `_`"
        );
        let error = NodeName::new("x".repeat(256)).unwrap_err();
        assert!(error.to_string().ends_with("is longer than 255 bytes"));
        assert!(NodeName::new("x".repeat(255)).is_ok());
    }

    #[test]
    fn names_are_found_by_text_and_print_as_text() {
        let set: std::collections::BTreeSet<Id> =
            ["b", "a"].iter().map(|id| Id::new(*id).unwrap()).collect();
        assert!(set.contains("a") && !set.contains("c"));
        let id = Id::new("a").unwrap();
        assert_eq!(format!("{id:>3}|{id:?}"), "  a|\"a\"");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"a\"");
    }
}
