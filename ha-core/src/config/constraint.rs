//! Constraints: what they have in common.

use super::colocation::Colocation;
use super::location::Location;
use super::macros::{choice, from_each};
use super::order::Order;
use super::ticket::TicketConstraint;
use crate::name::Id;

choice! {
    /// Where, with what, after what, by which ticket resources run.
    Constraint {
        /// On which nodes.
        Location(Location) = "rsc_location",
        /// With what.
        Colocation(Colocation) = "rsc_colocation",
        /// After what.
        Order(Order) = "rsc_order",
        /// By which ticket.
        Ticket(TicketConstraint) = "rsc_ticket",
    }
}

from_each! {
    Constraint: Location(Location), Colocation(Colocation), Order(Order), Ticket(TicketConstraint)
}

impl Constraint {
    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &Id {
        match self {
            Self::Location(location) => &location.id,
            Self::Colocation(colocation) => &colocation.id,
            Self::Order(order) => &order.id,
            Self::Ticket(ticket) => &ticket.id,
        }
    }
}
