//! Sets of resources in constraints.

use super::checked;
use super::macros::{part, words};
use super::resource::Role;
use super::rest::Rest;
use crate::name::Id;
use crate::value::Score;

words! {
    /// What is done with a resource.
    Action {
        /// It is started.
        Start = "start",
        /// It is promoted.
        Promote = "promote",
        /// It is demoted.
        Demote = "demote",
        /// It is stopped.
        Stop = "stop",
    }
}

words! {
    /// How strict an order is.
    OrderKind {
        /// It holds when both are started or stopped at the same time.
        Optional = "Optional",
        /// The second needs the first.
        Mandatory = "Mandatory",
        /// Never both at once.
        Serialize = "Serialize",
    }
}

words! {
    /// What the members of a set mean to each other in a colocation.
    Ordering {
        /// As in a group.
        Group = "group",
        /// As they are listed.
        Listed = "listed",
    }
}

part! {
    /// Resources that a constraint takes together.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::ResourceSet;
    /// let both = ResourceSet::new(["VIP_externe", "VIP_interne"]).sequential(false);
    /// # let _ = both;
    /// ```
    ResourceSet {
        /// The id of another set that this one stands for; then it has nothing of its own.
        id_ref: Option<Id> = reference "id-ref",
        /// Its id.
        id: Option<Id> = own "id",
        /// Whether its members come one after the other.
        sequential: Option<bool> = optional "sequential",
        /// Whether all are needed, or one is enough.
        require_all: Option<bool> = optional "require-all",
        /// What its members mean to each other.
        ordering: Option<Ordering> = optional "ordering",
        /// What is done with its members.
        action: Option<Action> = optional "action",
        /// The role of its members.
        role: Option<Role> = optional "role",
        /// How much its members want to be together.
        score: Option<Score> = optional "score",
        /// How strict the order of its members is.
        kind: Option<OrderKind> = optional "kind",
        /// Its members, in order.
        resources: Vec<Reference> = many "resource_ref",
    }
}

part! {
    /// The name of something that is elsewhere in the configuration.
    Reference {
        /// Its id.
        id: Id = required "id",
    }
}

impl Reference {
    /// Makes a reference.
    #[must_use]
    pub fn new(id: impl AsRef<str>) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id.as_ref(), &mut rest),
            rest,
        }
    }

    pub(super) fn list<I: AsRef<str>>(ids: impl IntoIterator<Item = I>) -> Vec<Self> {
        ids.into_iter().map(Self::new).collect()
    }
}

impl ResourceSet {
    /// Makes a set of resources, by their ids.
    #[must_use]
    pub fn new<I: AsRef<str>>(resources: impl IntoIterator<Item = I>) -> Self {
        Self {
            id_ref: None,
            id: None,
            sequential: None,
            require_all: None,
            ordering: None,
            action: None,
            role: None,
            score: None,
            kind: None,
            resources: Reference::list(resources),
            rest: Rest::default(),
        }
    }

    /// Sets whether its members come one after the other.
    #[must_use]
    pub fn sequential(mut self, sequential: bool) -> Self {
        self.sequential = Some(sequential);
        self
    }

    /// Sets whether all are needed, or one is enough.
    #[must_use]
    pub fn require_all(mut self, require_all: bool) -> Self {
        self.require_all = Some(require_all);
        self
    }

    /// Sets what is done with its members.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.action = Some(action);
        self
    }

    /// Sets the role of its members.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }
}
