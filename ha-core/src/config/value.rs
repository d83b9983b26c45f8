//! The values of attributes: text that may be a secret, and lengths of time.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::attribute::Attribute;
use crate::model::scalar;
use crate::name::is_secret;
use crate::value::Score;
use crate::{Error, Result};

/// What is shown instead of a secret.
const HIDDEN: &str = "(hidden)";

/// A text that nothing shows: not `Debug`, not `Display`, not JSON; only the XML of the CIB has it.
///
/// # Example
/// ```
/// use ha_core::config::Secret;
/// let password = Secret::new("sésame");
/// assert_eq!(format!("{password} {password:?}"), "(hidden) (hidden)");
/// assert_eq!(password.reveal(), "sésame");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes a text as a secret.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

/// The value of a parameter, a meta-attribute, an option ....
///
/// Two are equal when their texts are, hidden or not.
///
/// # Example
/// ```
/// use ha_core::config::{Secret, Value};
/// use ha_core::value::Score;
/// assert_eq!(Value::from(false).reveal(), "false");
/// assert_eq!(Value::from(-Score::INFINITY).to_string(), "-INFINITY");
/// assert_eq!(Value::from(Secret::new("x")).to_string(), "(hidden)");
/// ```
#[derive(Clone)]
pub enum Value {
    /// A text that may be shown.
    Plain(String),
    /// A text that may not.
    Secret(Secret),
}

impl Value {
    /// Makes the value of what has this name: [`is_secret`] decides whether it is hidden.
    #[must_use]
    pub fn of(name: &str, value: impl Into<Self>) -> Self {
        match value.into() {
            Self::Plain(text) if is_secret(name) => Self::Secret(Secret::new(text)),
            value => value,
        }
    }

    /// Returns the text, also of a secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.reveal(),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => fmt::Debug::fmt(text, f),
            Self::Secret(secret) => fmt::Debug::fmt(secret, f),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.pad(text),
            Self::Secret(secret) => fmt::Display::fmt(secret, f),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => serializer.serialize_str(text),
            Self::Secret(secret) => secret.serialize(serializer),
        }
    }
}

impl From<Secret> for Value {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

macro_rules! plain {
    ($($type:ty),*) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::Plain(value.to_string())
            }
        })*
    };
}
plain!(
    String, &String, bool, i32, u32, i64, u64, usize, f64, Score, Interval
);

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Interval::from(time).into()
    }
}

/// A text, a number or a truth value of a file.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        macro_rules! take {
            ($($visit:ident($type:ty)),*) => {
                $(fn $visit<E: de::Error>(self, value: $type) -> Result<Value, E> {
                    Ok(value.into())
                })*
            };
        }

        impl de::Visitor<'_> for Visitor {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true or false")
            }

            take!(
                visit_bool(bool),
                visit_i64(i64),
                visit_u64(u64),
                visit_f64(f64),
                visit_str(&str)
            );
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// A length of time as Pacemaker reads and writes it: an interval, a time-out, a delay.
///
/// It keeps its spelling: `60` and `1min` are the same time, and not equal.
///
/// # Example
/// ```
/// use std::time::Duration;
/// use ha_core::config::Interval;
/// let minute: Interval = "1min".parse()?;
/// assert_eq!(minute.duration(), Duration::from_secs(60));
/// assert_eq!(minute.to_string(), "1min");
/// assert_eq!(Interval::from(Duration::from_millis(1500)).to_string(), "1500ms");
/// assert!("soon".parse::<Interval>().is_err());
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Interval {
    text: Box<str>,
    milliseconds: u64,
}

impl Interval {
    /// Returns how long it is.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_millis(self.milliseconds)
    }

    /// Returns the text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Duration> for Interval {
    /// Takes a time in milliseconds; what is finer is left out.
    fn from(time: Duration) -> Self {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let text = if milliseconds.is_multiple_of(1000) {
            format!("{}s", milliseconds / 1000)
        } else {
            format!("{milliseconds}ms")
        };
        Self {
            text: text.into(),
            milliseconds,
        }
    }
}

impl FromStr for Interval {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::read(text).ok_or_else(|| {
            Error::invalid(format!("{text:?} is no length of time")).with_hint(Self::WOULD_DO)
        })
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Attribute for Interval {
    const WOULD_DO: &'static str = "a length of time is a number with a unit (ms, s, min, h; \
        seconds without one), or an ISO 8601 duration as in PT1M";

    fn read(text: &str) -> Option<Self> {
        Some(Self {
            text: text.into(),
            milliseconds: scalar::interval_ms(text)?,
        })
    }

    fn print(&self) -> Cow<'_, str> {
        (&*self.text).into()
    }
}

/// A text, or a whole number of seconds.
impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = value.reveal();
        // Pacemaker would take 1.5s for 1s.
        let whole = Some(text).filter(|text| !text.contains('.'));
        whole
            .and_then(Self::read)
            .ok_or_else(|| de::Error::custom(format!("not {text:?}; {}", Self::WOULD_DO)))
    }
}
