//! Small values that the CIB writes as text: versions and scores.
//!
//! These are strict, for what a program writes. How the daemons read whatever they find is in
//! [`crate::model::scalar`].

use std::fmt;
use std::ops::{Add, Neg};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, Result};

/// The version of a CIB: compared field by field, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct CibVersion {
    /// Raised by administrators only; outranks the others.
    pub admin_epoch: i64,
    /// Raised by each change of the configuration.
    pub epoch: i64,
    /// Raised by each change of the status; back to 0 when `epoch` rises.
    pub num_updates: i64,
}

impl fmt::Display for CibVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}",
            self.admin_epoch, self.epoch, self.num_updates
        )
    }
}

/// How much something is wanted (or not): from minus infinity (never) to infinity (always).
///
/// # Example
/// ```
/// use ha_core::value::Score;
/// let always: Score = "INFINITY".parse()?;
/// assert_eq!(always, Score::INFINITY);
/// assert_eq!(Score::new(-5_000_000).to_string(), "-INFINITY");
/// // Minus infinity wins over infinity, infinity over any number.
/// assert_eq!(always + -Score::INFINITY, -Score::INFINITY);
/// assert_eq!(always + Score::new(-100), Score::INFINITY);
/// assert!("12x".parse::<Score>().is_err());
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Score(i32);

impl Score {
    /// The score that means always; its negative means never.
    pub const INFINITY: Self = Self(1_000_000);

    /// Makes a score; what is beyond infinity is infinity.
    #[must_use]
    pub const fn new(value: i32) -> Self {
        if value >= Self::INFINITY.0 {
            Self::INFINITY
        } else if value <= -Self::INFINITY.0 {
            Self(-Self::INFINITY.0)
        } else {
            Self(value)
        }
    }

    /// Returns the score as a number from -1000000 to 1000000, which stand for infinity.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }

    /// Tells whether this is infinity or minus infinity.
    #[must_use]
    pub const fn is_infinite(self) -> bool {
        self.0.abs() == Self::INFINITY.0
    }
}

impl From<i32> for Score {
    fn from(value: i32) -> Self {
        Self::new(value)
    }
}

impl Neg for Score {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Add for Score {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if self == -Self::INFINITY || other == -Self::INFINITY {
            -Self::INFINITY
        } else if self == Self::INFINITY || other == Self::INFINITY {
            Self::INFINITY
        } else {
            Self::new(self.0 + other.0)
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::INFINITY => f.pad("INFINITY"),
            Self(value) if value == -Self::INFINITY.0 => f.pad("-INFINITY"),
            Self(value) => fmt::Display::fmt(&value, f),
        }
    }
}

impl FromStr for Score {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "INFINITY" | "+INFINITY" => Ok(Self::INFINITY),
            "-INFINITY" => Ok(-Self::INFINITY),
            _ => text.parse().map(Self::new).map_err(|_| {
                Error::invalid(format!("{text:?} is no score"))
                    .with_hint("a score is a whole number, INFINITY or -INFINITY")
            }),
        }
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A whole number, or a text as [`Score`] reads it.
impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Score;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, \"INFINITY\" or \"-INFINITY\"")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<Score, E> {
                let limit = i64::from(Score::INFINITY.0);
                let value = i32::try_from(value.clamp(-limit, limit)).unwrap_or_default();
                Ok(Score::new(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<Score, E> {
                self.visit_i64(i64::try_from(value).unwrap_or(i64::MAX))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Score, E> {
                let invalid = |_| E::invalid_value(de::Unexpected::Str(text), &self);
                text.parse().map_err(invalid)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_from_left_to_right() {
        let version = |admin_epoch, epoch, num_updates| CibVersion {
            admin_epoch,
            epoch,
            num_updates,
        };
        assert!(version(1, 0, 0) > version(0, 9, 9));
        assert!(version(0, 2, 0) > version(0, 1, 9));
        assert!(version(0, 1, 2) > version(0, 1, 1));
        assert_eq!(version(0, 1, 2).to_string(), "0.1.2");
    }

    #[test]
    fn scores_stay_in_range() {
        assert_eq!(Score::new(999_999) + Score::new(5), Score::INFINITY);
        assert_eq!(Score::new(-999_999) + Score::new(-5), -Score::INFINITY);
        assert_eq!(Score::new(i32::MIN), -Score::INFINITY);
        assert_eq!(Score::new(7) + Score::new(-9), Score::new(-2));
        for text in ["0", "-1", "999999", "INFINITY", "-INFINITY"] {
            assert_eq!(text.parse::<Score>().unwrap().to_string(), text);
        }
        assert_eq!("+INFINITY".parse::<Score>().unwrap().get(), 1_000_000);
        for bad in ["", "infinity", "1.5", " 1", "99999999999"] {
            assert!(bad.parse::<Score>().is_err(), "{bad}");
        }
    }
}
