//! Location constraints: on which nodes a resource runs.

use super::macros::{part, words};
use super::resource::Role;
use super::rest::Rest;
use super::rule::{Expression, Rule};
use super::set::ResourceSet;
use super::{checked, checked_node};
use crate::name::{Id, NodeName};
use crate::value::Score;

words! {
    /// Where the cluster looks whether a resource runs already.
    Discovery {
        /// Everywhere.
        Always = "always",
        /// Not on the nodes of this constraint.
        Never = "never",
        /// Only on the nodes of constraints such as this one.
        Exclusive = "exclusive",
    }
}

part! {
    /// On which nodes a resource runs, and how much that is wanted.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::{Expression, Location};
    /// use ha_core::value::Score;
    /// let at_home = Location::prefer("sphynx_on_maitre", "sphynx", "maitre", 50);
    /// let cut_off = Location::rule(
    ///     "sphynx_needs_gateway",
    ///     "sphynx",
    ///     -Score::INFINITY,
    ///     Expression::not_defined("pingd").or(Expression::at_most("pingd", 0)),
    /// );
    /// # let _ = (at_home, cut_off);
    /// ```
    Location {
        /// Its id.
        id: Id = required "id",
        /// The resource, or a tag of some.
        resource: Option<Id> = optional "rsc",
        /// A regular expression for the ids of the resources; with `!` in front, for the others.
        resource_pattern: Option<String> = optional "rsc-pattern",
        /// The role that it is about.
        role: Option<Role> = optional "role",
        /// The node.
        node: Option<NodeName> = optional "node",
        /// How much it is wanted on the node.
        score: Option<Score> = optional "score",
        /// Where the cluster looks whether the resource runs already.
        discovery: Option<Discovery> = optional "resource-discovery",
        /// Sets of resources.
        sets: Vec<ResourceSet> = many "resource_set",
        /// Rules, each with a score for the nodes where it holds.
        rules: Vec<Rule> = many "rule",
    }
}

impl Location {
    fn make(id: &str) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id, &mut rest),
            resource: None,
            resource_pattern: None,
            role: None,
            node: None,
            score: None,
            discovery: None,
            sets: Vec::new(),
            rules: Vec::new(),
            rest,
        }
    }

    fn on(mut self, node: &str, score: Score) -> Self {
        self.node = Some(checked_node(node, &mut self.rest));
        self.score = Some(score);
        self
    }

    fn of(mut self, resource: &str) -> Self {
        self.resource = Some(checked(resource, &mut self.rest));
        self
    }

    /// Says how much a resource is wanted on a node (below zero: how much it is not).
    #[must_use]
    pub fn prefer(
        id: impl AsRef<str>,
        resource: impl AsRef<str>,
        node: impl AsRef<str>,
        score: impl Into<Score>,
    ) -> Self {
        let location = Self::make(id.as_ref()).of(resource.as_ref());
        location.on(node.as_ref(), score.into())
    }

    /// Keeps a resource off a node.
    #[must_use]
    pub fn ban(id: impl AsRef<str>, resource: impl AsRef<str>, node: impl AsRef<str>) -> Self {
        Self::prefer(id, resource, node, -Score::INFINITY)
    }

    /// Says how much the resources of a pattern are wanted on a node.
    #[must_use]
    pub fn pattern(
        id: impl AsRef<str>,
        pattern: &str,
        node: impl AsRef<str>,
        score: impl Into<Score>,
    ) -> Self {
        let mut location = Self::make(id.as_ref()).on(node.as_ref(), score.into());
        location.resource_pattern = Some(pattern.to_owned());
        location
    }

    /// Says how much sets of resources are wanted on a node.
    #[must_use]
    pub fn sets(
        id: impl AsRef<str>,
        sets: impl IntoIterator<Item = ResourceSet>,
        node: impl AsRef<str>,
        score: impl Into<Score>,
    ) -> Self {
        let mut location = Self::make(id.as_ref()).on(node.as_ref(), score.into());
        location.sets.extend(sets);
        location
    }

    /// Says how much a resource is wanted on the nodes where an expression holds.
    #[must_use]
    pub fn rule(
        id: impl AsRef<str>,
        resource: impl AsRef<str>,
        score: impl Into<Score>,
        expression: Expression,
    ) -> Self {
        let location = Self::make(id.as_ref()).of(resource.as_ref());
        location.and_rule(score, expression)
    }

    /// Adds a rule: how much the resource is wanted on the nodes where an expression holds.
    #[must_use]
    pub fn and_rule(mut self, score: impl Into<Score>, expression: Expression) -> Self {
        let mut rule = expression.into_rule();
        rule.score = Some(score.into());
        self.rules.push(rule);
        self
    }

    /// Makes it about one role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Sets where the cluster looks whether the resource runs already.
    #[must_use]
    pub fn discovery(mut self, discovery: Discovery) -> Self {
        self.discovery = Some(discovery);
        self
    }
}
