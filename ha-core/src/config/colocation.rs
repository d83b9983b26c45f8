//! Colocation constraints: what runs with what.

use super::checked;
use super::macros::part;
use super::resource::Role;
use super::rest::Rest;
use super::set::ResourceSet;
use crate::name::Id;
use crate::value::Score;

part! {
    /// That a resource runs where another one does, or elsewhere (score below zero).
    ///
    /// # Example
    /// ```
    /// use ha_core::config::{Colocation, Role};
    /// use ha_core::value::Score;
    /// let together = Colocation::with("vip_with_db", "VIP_externe", "db", Score::INFINITY)
    ///     .with_role(Role::Promoted);
    /// # let _ = together;
    /// ```
    Colocation {
        /// Its id.
        id: Id = required "id",
        /// The dependent resource.
        resource: Option<Id> = optional "rsc",
        /// The resource it goes with.
        with_resource: Option<Id> = optional "with-rsc",
        /// How much that is wanted.
        score: Option<Score> = optional "score",
        /// The role of the dependent resource.
        role: Option<Role> = optional "rsc-role",
        /// The role of the other one.
        with_role: Option<Role> = optional "with-rsc-role",
        /// The node attribute that has to be the same: without it, the node's name.
        node_attribute: Option<String> = optional "node-attribute",
        /// Whether where the dependent resource runs has a say in where the other one does.
        influence: Option<bool> = optional "influence",
        /// Sets of resources.
        sets: Vec<ResourceSet> = many "resource_set",
    }
}

impl Colocation {
    fn make(id: &str, score: Score) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id, &mut rest),
            resource: None,
            with_resource: None,
            score: Some(score),
            role: None,
            with_role: None,
            node_attribute: None,
            influence: None,
            sets: Vec::new(),
            rest,
        }
    }

    /// Says how much a resource is wanted where another one is.
    #[must_use]
    pub fn with(
        id: impl AsRef<str>,
        resource: impl AsRef<str>,
        with: impl AsRef<str>,
        score: impl Into<Score>,
    ) -> Self {
        let mut colocation = Self::make(id.as_ref(), score.into());
        colocation.resource = Some(checked(resource.as_ref(), &mut colocation.rest));
        colocation.with_resource = Some(checked(with.as_ref(), &mut colocation.rest));
        colocation
    }

    /// Says how much sets of resources are wanted together.
    #[must_use]
    pub fn sets(
        id: impl AsRef<str>,
        score: impl Into<Score>,
        sets: impl IntoIterator<Item = ResourceSet>,
    ) -> Self {
        let mut colocation = Self::make(id.as_ref(), score.into());
        colocation.sets.extend(sets);
        colocation
    }

    /// Makes it about one role of the dependent resource.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Makes it about one role of the resource it goes with.
    #[must_use]
    pub fn with_role(mut self, role: Role) -> Self {
        self.with_role = Some(role);
        self
    }
}
