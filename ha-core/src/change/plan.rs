//! A change before it is made.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::describe::{Change, add_states, differences};
use super::merge::owner::{TakenOver, taken_over};
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
    takes_over: Vec<TakenOver>,
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
        let mut changes = differences(&before, &after);
        add_states(&before, &after, &mut changes);
        let takes_over = taken_over(&before, &after);
        Ok(Self {
            before,
            after,
            patch,
            changes,
            takes_over,
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

    /// Returns what was there before, and becomes an owner's by this: it goes when the owner no longer wants it.
    #[must_use]
    pub fn takes_over(&self) -> &[TakenOver] {
        &self.takes_over
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
    /// Returns what changes as lines in a language: `+` what is added, `-` what is removed, `~` what is changed, `!`
    /// what an owner takes over. Secrets are hidden.
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
        let changes = self.changes.iter().map(|change| change.text(language));
        let taken = self.takes_over.iter().map(|taken| taken.text(language));
        changes.chain(taken).collect()
    }
}

/// As [`Plan::text`], in English.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut plan = serializer.serialize_struct("Plan", 3)?;
        plan.serialize_field("from", &self.before.version())?;
        plan.serialize_field("changes", &self.changes)?;
        plan.serialize_field("takes_over", &self.takes_over)?;
        plan.end()
    }
}
