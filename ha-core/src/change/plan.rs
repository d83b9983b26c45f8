//! A change before it is made.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::describe::{Change, differences};
use super::simulate::{Action, simulate};
use crate::Result;
use crate::language::Language;
use crate::xml::{Document, PatchSet};

/// A change before it is made: the CIB it starts from, the CIB it leads to, and the patch between them.
#[derive(Debug, Clone)]
pub struct Plan {
    before: Document,
    after: Document,
    patch: Option<PatchSet>,
    changes: Vec<Change>,
}

impl Plan {
    /// Plans an edit of a CIB.
    ///
    /// # Errors
    /// Those of the edit, and those of [`PatchSet::between`].
    pub fn new(before: Document, edit: impl FnOnce(&mut Document) -> Result<()>) -> Result<Self> {
        let mut after = before.clone();
        edit(&mut after)?;
        Self::between(before, after)
    }

    /// Plans what leads from one CIB to another.
    ///
    /// # Errors
    /// Those of [`PatchSet::between`].
    pub fn between(before: Document, after: Document) -> Result<Self> {
        let patch = if before == after {
            None
        } else {
            Some(PatchSet::between(&before, &after)?)
        };
        let changes = differences(&before, &after);
        Ok(Self {
            before,
            after,
            patch,
            changes,
        })
    }

    /// Returns the CIB that the plan starts from.
    #[must_use]
    pub fn before(&self) -> &Document {
        &self.before
    }

    /// Returns the CIB that the plan leads to. Its version is still the first one's: who applies the
    /// patch raises it.
    #[must_use]
    pub fn after(&self) -> &Document {
        &self.after
    }

    /// Tells whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patch.is_none()
    }

    /// Returns the patch set, unless there is nothing to do.
    #[must_use]
    pub fn patch(&self) -> Option<&PatchSet> {
        self.patch.as_ref()
    }

    /// Returns what changes, object by object.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Asks Pacemaker's scheduler what the cluster would do after this change and not without it.
    ///
    /// # Errors
    /// Those of [`simulate`].
    pub fn what_if(&self) -> Result<Vec<Action>> {
        let already = simulate(&self.before)?;
        let mut actions = simulate(&self.after)?;
        actions.retain(|action| !already.contains(action));
        Ok(actions)
    }
}

impl Plan {
    /// Returns what changes as lines in a language: `+` what is added, `-` what is removed, `~` what is changed.
    /// Secrets are hidden.
    ///
    /// # Example
    /// ```
    /// use ha_core::change::{Plan, edit};
    /// use ha_core::language::Language;
    /// use ha_core::xml::Document;
    /// let cib = Document::parse(
    ///     "<cib><configuration><resources><primitive id='VIP' class='ocf' provider='heartbeat' \
    ///      type='IPaddr2'/></resources></configuration><status/></cib>",
    /// )?;
    /// let plan = Plan::new(cib, |cib| edit::resource::stop(cib, "VIP"))?;
    /// assert_eq!(plan.text(Language::French), "~ primitive VIP\n    méta target-role : Stopped\n");
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        self.changes
            .iter()
            .map(|change| change.text(language))
            .collect()
    }
}

/// What changes, in lines: `+` what is added, `-` what is removed, `~` what is changed. Secrets are
/// hidden.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| change.fmt(f))
    }
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut plan = serializer.serialize_struct("Plan", 2)?;
        plan.serialize_field("from", &self.before.version())?;
        plan.serialize_field("changes", &self.changes)?;
        plan.end()
    }
}
