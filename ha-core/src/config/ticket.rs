//! Ticket constraints: what runs only where a ticket is.

use super::checked;
use super::macros::{part, words};
use super::resource::Role;
use super::rest::Rest;
use super::set::ResourceSet;
use crate::name::Id;

words! {
    /// What happens when a ticket is lost.
    LossPolicy {
        /// The resource is stopped.
        Stop = "stop",
        /// The resource is demoted.
        Demote = "demote",
        /// The nodes where it runs are fenced.
        Fence = "fence",
        /// Nothing more is done with it.
        Freeze = "freeze",
    }
}

part! {
    /// That a resource runs only in the cluster that has a ticket.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::{LossPolicy, TicketConstraint};
    /// let here = TicketConstraint::new("sphynx_here", "paris", "sphynx").loss_policy(LossPolicy::Stop);
    /// # let _ = here;
    /// ```
    TicketConstraint {
        /// Its id.
        id: Id = required "id",
        /// The name of the ticket.
        ticket: String = required "ticket",
        /// The resource.
        resource: Option<Id> = optional "rsc",
        /// The role that needs the ticket.
        role: Option<Role> = optional "rsc-role",
        /// What happens when the ticket is lost.
        loss_policy: Option<LossPolicy> = optional "loss-policy",
        /// Sets of resources.
        sets: Vec<ResourceSet> = many "resource_set",
    }
}

impl TicketConstraint {
    fn make(id: &str, ticket: &str) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id, &mut rest),
            ticket: ticket.to_owned(),
            resource: None,
            role: None,
            loss_policy: None,
            sets: Vec::new(),
            rest,
        }
    }

    /// Makes a resource depend on a ticket.
    #[must_use]
    pub fn new(id: impl AsRef<str>, ticket: &str, resource: impl AsRef<str>) -> Self {
        let mut constraint = Self::make(id.as_ref(), ticket);
        constraint.resource = Some(checked(resource.as_ref(), &mut constraint.rest));
        constraint
    }

    /// Makes sets of resources depend on a ticket.
    #[must_use]
    pub fn sets(
        id: impl AsRef<str>,
        ticket: &str,
        sets: impl IntoIterator<Item = ResourceSet>,
    ) -> Self {
        let mut constraint = Self::make(id.as_ref(), ticket);
        constraint.sets.extend(sets);
        constraint
    }

    /// Sets what happens when the ticket is lost.
    #[must_use]
    pub fn loss_policy(mut self, policy: LossPolicy) -> Self {
        self.loss_policy = Some(policy);
        self
    }

    /// Makes it about one role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }
}
