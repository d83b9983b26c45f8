//! Order constraints: what starts after what.

use super::checked;
use super::macros::part;
use super::rest::Rest;
use super::set::{Action, OrderKind, ResourceSet};
use crate::name::Id;
use crate::value::Score;

part! {
    /// That something is done with a resource before something is done with another one.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::{Action, Order};
    /// let address_first = Order::then("vip_then_web", "VIP_externe", "web");
    /// let promoted_first = Order::then("db_then_web", "db", "web")
    ///     .actions(Action::Promote, Action::Start);
    /// # let _ = (address_first, promoted_first);
    /// ```
    Order {
        /// Its id.
        id: Id = required "id",
        /// The resource that comes first.
        first: Option<Id> = optional "first",
        /// The resource that comes after it.
        then: Option<Id> = optional "then",
        /// What is done with the first.
        first_action: Option<Action> = optional "first-action",
        /// What is done with the other one.
        then_action: Option<Action> = optional "then-action",
        /// How strict it is.
        kind: Option<OrderKind> = optional "kind",
        /// How strict it is, as older configurations say it: optional when 0.
        score: Option<Score> = optional "score",
        /// Whether the reverse holds for the reverse actions.
        symmetrical: Option<bool> = optional "symmetrical",
        /// Whether all members of a set are needed, or one is enough.
        require_all: Option<bool> = optional "require-all",
        /// Sets of resources.
        sets: Vec<ResourceSet> = many "resource_set",
    }
}

impl Order {
    fn make(id: &str) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id, &mut rest),
            first: None,
            then: None,
            first_action: None,
            then_action: None,
            kind: None,
            score: None,
            symmetrical: None,
            require_all: None,
            sets: Vec::new(),
            rest,
        }
    }

    /// Starts a resource, then another one; stops them in reverse.
    #[must_use]
    pub fn then(id: impl AsRef<str>, first: impl AsRef<str>, then: impl AsRef<str>) -> Self {
        let mut order = Self::make(id.as_ref());
        order.first = Some(checked(first.as_ref(), &mut order.rest));
        order.then = Some(checked(then.as_ref(), &mut order.rest));
        order
    }

    /// Starts sets of resources one after the other.
    #[must_use]
    pub fn sets(id: impl AsRef<str>, sets: impl IntoIterator<Item = ResourceSet>) -> Self {
        let mut order = Self::make(id.as_ref());
        order.sets.extend(sets);
        order
    }

    /// Sets what is done with the first and then with the other one.
    #[must_use]
    pub fn actions(mut self, first: Action, then: Action) -> Self {
        self.first_action = Some(first);
        self.then_action = Some(then);
        self
    }

    /// Sets how strict it is.
    #[must_use]
    pub fn kind(mut self, kind: OrderKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Sets whether the reverse holds for the reverse actions.
    #[must_use]
    pub fn symmetrical(mut self, symmetrical: bool) -> Self {
        self.symmetrical = Some(symmetrical);
        self
    }
}
