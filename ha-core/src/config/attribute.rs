//! The values of attributes, as XML has them.

use std::borrow::Cow;

use crate::model::scalar;
use crate::name::{Id, NodeName};
use crate::value::Score;

/// What one attribute says.
pub(super) trait Attribute: Sized {
    /// What the text may be, for who wrote another.
    const WOULD_DO: &'static str;
    fn read(text: &str) -> Option<Self>;
    fn print(&self) -> Cow<'_, str>;
}

impl Attribute for String {
    const WOULD_DO: &'static str = "it is a text";

    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn print(&self) -> Cow<'_, str> {
        self.into()
    }
}

impl Attribute for Id {
    const WOULD_DO: &'static str =
        "an id starts with a letter or `_` and goes on with letters, digits, `-`, `_` and `.`";

    fn read(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }

    fn print(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Attribute for NodeName {
    const WOULD_DO: &'static str =
        "a node's name has 1 to 255 bytes, no blank, no quote and no slash";

    fn read(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }

    fn print(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Attribute for Score {
    const WOULD_DO: &'static str = "a score is a whole number, INFINITY or -INFINITY";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn print(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

impl Attribute for bool {
    const WOULD_DO: &'static str = "it is true or false";

    fn read(text: &str) -> Option<Self> {
        scalar::boolean(text)
    }

    fn print(&self) -> Cow<'_, str> {
        if *self { "true" } else { "false" }.into()
    }
}

impl Attribute for u32 {
    const WOULD_DO: &'static str = "it is a whole number, 0 or more";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn print(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

/// Reads a text of a file as what an attribute of that text says.
pub(super) fn from_text<'de, T: Attribute, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    use serde::de::Error as _;
    let text = <Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
    T::read(&text).ok_or_else(|| D::Error::custom(format!("not {text:?}; {}", T::WOULD_DO)))
}
