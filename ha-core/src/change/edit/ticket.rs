//! Edits of tickets: what `booth`, or an administrator, decides between clusters.

use jiff::Timestamp;

use super::{not_found, section};
use crate::Result;
use crate::xml::{Document, Element, NodeId};

/// Grants a ticket to this cluster. Make sure that no other has it.
pub fn grant(cib: &mut Document, ticket: &str, now: Timestamp) {
    let state = state(cib, ticket);
    if cib.element(state).attribute("granted") != Some("true") {
        cib.set_attribute(state, "granted", "true");
        cib.set_attribute(state, "last-granted", &now.as_second().to_string());
    }
}

/// Takes a ticket from this cluster: what depends on it does as its constraint says.
pub fn revoke(cib: &mut Document, ticket: &str) {
    let state = state(cib, ticket);
    cib.set_attribute(state, "granted", "false");
}

/// Sets a ticket on standby (what depends on it leaves gently), or active again.
pub fn standby(cib: &mut Document, ticket: &str, on: bool) {
    let state = state(cib, ticket);
    cib.set_attribute(state, "standby", if on { "true" } else { "false" });
}

/// Returns an attribute of a ticket.
#[must_use]
pub fn attribute<'d>(cib: &'d Document, ticket: &str, name: &str) -> Option<&'d str> {
    find(cib, ticket)?.attribute(name)
}

/// Sets an attribute of a ticket, which means something to those who set it.
pub fn set_attribute(cib: &mut Document, ticket: &str, name: &str, value: &str) {
    let state = state(cib, ticket);
    cib.set_attribute(state, name, value);
}

/// Removes an attribute of a ticket.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the cluster does not know the ticket.
pub fn unset_attribute(cib: &mut Document, ticket: &str, name: &str) -> Result<()> {
    let state = known(cib, ticket)?;
    cib.remove_attribute(state, name);
    Ok(())
}

/// Makes the cluster forget a ticket.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the cluster does not know the ticket.
pub fn forget(cib: &mut Document, ticket: &str) -> Result<()> {
    let state = known(cib, ticket)?;
    cib.remove(state);
    Ok(())
}

fn states(cib: &Document) -> impl Iterator<Item = Element<'_>> {
    let status = cib.root().child("status");
    let tickets = status.and_then(|status| status.child("tickets"));
    tickets
        .into_iter()
        .flat_map(|tickets| tickets.children_named("ticket_state"))
}

fn find<'d>(cib: &'d Document, ticket: &str) -> Option<Element<'d>> {
    states(cib).find(|state| state.attribute("id") == Some(ticket))
}

fn known(cib: &Document, ticket: &str) -> Result<NodeId> {
    let state = find(cib, ticket).map(Element::id);
    state.ok_or_else(|| {
        let constraints = section(cib, "constraints")
            .into_iter()
            .flat_map(Element::children);
        let named = constraints.filter_map(|constraint| constraint.attribute("ticket"));
        let known = states(cib).filter_map(|state| state.attribute("id"));
        not_found("ticket", ticket, known.chain(named))
    })
}

fn state(cib: &mut Document, ticket: &str) -> NodeId {
    if let Some(state) = find(cib, ticket) {
        return state.id();
    }
    let child = |cib: &mut Document, parent: NodeId, name: &str| {
        let found = cib.element(parent).child(name).map(Element::id);
        found.unwrap_or_else(|| cib.append_child(parent, name))
    };
    let root = cib.root().id();
    let status = child(cib, root, "status");
    let tickets = child(cib, status, "tickets");
    let state = cib.append_child(tickets, "ticket_state");
    cib.set_attribute(state, "id", ticket);
    state
}
