//! The languages that explanations come in.

use std::str::FromStr;

use crate::{Error, Result};

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// Returns the language of a locale's name as the variable `LANG` has it (`fr_FR.UTF-8`):
    /// English when it is another one.
    ///
    /// # Example
    /// ```
    /// use ha_core::language::Language;
    /// assert_eq!(Language::of_locale("fr_BE.UTF-8"), Language::French);
    /// assert_eq!(Language::of_locale("C.UTF-8"), Language::English);
    /// ```
    #[must_use]
    pub fn of_locale(name: &str) -> Self {
        let end = name.find(['_', '.', '@']).unwrap_or(name.len());
        name[..end].parse().unwrap_or_default()
    }
}

impl FromStr for Language {
    type Err = Error;

    /// Reads a language: `en` or `fr`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for another one.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "en" => Ok(Self::English),
            "fr" => Ok(Self::French),
            _ => Err(Error::invalid(format!("'{text}' is neither 'en' nor 'fr'"))),
        }
    }
}

/// Formats the text of a language: `say!(language, "in English {name}", "en français {name}")`.
macro_rules! say {
    ($language:expr, $english:literal, $french:literal) => {
        match $language {
            $crate::language::Language::English => format!($english),
            $crate::language::Language::French => format!($french),
        }
    };
}
pub(crate) use say;
