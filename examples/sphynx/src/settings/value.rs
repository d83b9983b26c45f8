//! Values that are more than text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ha_core::config::Value;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::say;

/// Reads and prints a type as a text, with a pattern for editors.
macro_rules! as_text {
    ($name:ident, $pattern:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

/// A length of time: `10s`, `10min`, `500ms`, `2h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(Duration);

as_text!(Length, "^[0-9]+(ms|s|min|h)$");

impl Length {
    /// Makes a length of so many seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Returns the length.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            say!(
                "{text:?} is no length of time; write a number and its unit: \"10s\", \"10min\", \"500ms\"",
                "{text:?} n'est pas une durée ; écrire un nombre et son unité : \"10s\", \"10min\", \"500ms\""
            )
        };
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let number: u64 = text[..end].parse().map_err(|_| bad())?;
        let milliseconds = match &text[end..] {
            "ms" => 1,
            "s" => 1_000,
            "min" => 60_000,
            "h" => 3_600_000,
            _ => return Err(bad()),
        };
        let milliseconds = number.checked_mul(milliseconds).ok_or_else(bad)?;
        Ok(Self(Duration::from_millis(milliseconds)))
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_millis();
        for (unit, name) in [(3_600_000, "h"), (60_000, "min"), (1_000, "s")] {
            if milliseconds >= unit && milliseconds.is_multiple_of(unit) {
                return write!(f, "{}{name}", milliseconds / unit);
            }
        }
        write!(f, "{milliseconds}ms")
    }
}

/// What runs a service: `lsb:ipsec`, `systemd:strongswan-starter`, `ocf:heartbeat:IPaddr2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent {
    /// A script of `/etc/init.d`.
    Lsb(String),
    /// A unit of systemd.
    Systemd(String),
    /// An OCF agent: its provider and its name.
    Ocf(String, String),
}

as_text!(Agent, "^(lsb:[^:/ ]+|systemd:[^:/ ]+|ocf:[^:/ ]+:[^:/ ]+)$");

impl FromStr for Agent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = |word: &str| {
            !word.is_empty() && !word.contains(|c: char| c == '/' || c.is_whitespace())
        };
        let words: Vec<&str> = text.split(':').collect();
        match words[..] {
            ["lsb", script] if whole(script) => Ok(Self::Lsb(script.to_owned())),
            ["systemd", unit] if whole(unit) => Ok(Self::Systemd(unit.to_owned())),
            ["ocf", provider, name] if whole(provider) && whole(name) => {
                Ok(Self::Ocf(provider.to_owned(), name.to_owned()))
            }
            _ => Err(say!(
                "{text:?} is no agent; write \"systemd:UNIT\", \"lsb:SCRIPT\" or \"ocf:PROVIDER:NAME\"",
                "{text:?} n'est pas un agent ; écrire \"systemd:UNITÉ\", \"lsb:SCRIPT\" ou \"ocf:FOURNISSEUR:NOM\""
            )),
        }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lsb(script) => write!(f, "lsb:{script}"),
            Self::Systemd(unit) => write!(f, "systemd:{unit}"),
            Self::Ocf(provider, name) => write!(f, "ocf:{provider}:{name}"),
        }
    }
}

/// Parameters of an agent: names with values, of which passwords are shown nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Parameters(#[schemars(with = "BTreeMap<String, String>")] BTreeMap<String, Value>);

impl Parameters {
    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over the names and the values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = BTreeMap::<String, Value>::deserialize(deserializer)?;
        let hidden = read.into_iter().map(|(name, value)| {
            let value = Value::of(&name, value);
            (name, value)
        });
        Ok(Self(hidden.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_and_printed_alike() {
        for text in ["10s", "10min", "500ms", "2h", "90s", "1500ms", "0ms"] {
            assert_eq!(
                text.parse::<Length>().map(|it| it.to_string()),
                Ok(text.to_owned())
            );
        }
        assert_eq!("120s".parse(), Ok(Length::seconds(120)));
        for bad in ["", "10", "s", "10 s", "-1s", "1d", "99999999999999999999s"] {
            assert!(bad.parse::<Length>().is_err(), "{bad}");
        }
    }

    #[test]
    fn agents_are_read_and_printed_alike() {
        for text in [
            "lsb:ipsec",
            "systemd:strongswan-starter",
            "ocf:heartbeat:IPaddr2",
        ] {
            assert_eq!(
                text.parse::<Agent>().map(|it| it.to_string()),
                Ok(text.to_owned())
            );
        }
        for bad in [
            "ipsec",
            "lsb:",
            "lsb:/etc/init.d/ipsec",
            "ocf:heartbeat",
            "systemd:a b",
            "upstart:x",
        ] {
            assert!(bad.parse::<Agent>().is_err(), "{bad}");
        }
    }
}
