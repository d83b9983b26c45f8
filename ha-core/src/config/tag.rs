//! Tags: names for several things at once.

use super::checked;
use super::macros::part;
use super::rest::Rest;
use super::set::Reference;
use crate::name::Id;

part! {
    /// A name for several resources, which constraints can use in place of each.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::Tag;
    /// let addresses = Tag::new("addresses", ["VIP_externe", "VIP_interne"]);
    /// # let _ = addresses;
    /// ```
    Tag {
        /// Its id.
        id: Id = required "id",
        /// What it names.
        members: Vec<Reference> = many "obj_ref",
    }
}

impl Tag {
    /// Makes a tag of the things with these ids.
    #[must_use]
    pub fn new<I: AsRef<str>>(id: impl AsRef<str>, members: impl IntoIterator<Item = I>) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id.as_ref(), &mut rest),
            members: Reference::list(members),
            rest,
        }
    }
}
