//! Edits of tickets: what `booth`, or an administrator, decides between clusters.

use jiff::Timestamp;

use super::{not_found, section};
use crate::name::{Id, TicketName, check_value};
use crate::xml::{Document, Element, NodeId};
use crate::{Error, Result};

/// Grants a ticket to this cluster. Make sure that no other has it.
///
/// # Errors
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when the cluster does not know it and it is no
/// [`TicketName`].
pub fn grant(cib: &mut Document, ticket: &str, now: Timestamp) -> Result<()> {
    let state = state(cib, ticket)?;
    if cib.element(state).attribute("granted") != Some("true") {
        cib.set_attribute(state, "granted", "true");
        cib.set_attribute(state, "last-granted", &now.as_second().to_string());
    }
    Ok(())
}

/// Takes a ticket from this cluster: what depends on it does as its constraint says.
///
/// # Errors
/// As for [`grant`].
pub fn revoke(cib: &mut Document, ticket: &str) -> Result<()> {
    let state = state(cib, ticket)?;
    cib.set_attribute(state, "granted", "false");
    Ok(())
}

/// Sets a ticket on standby (what depends on it leaves gently), or active again.
///
/// # Errors
/// As for [`grant`].
pub fn standby(cib: &mut Document, ticket: &str, on: bool) -> Result<()> {
    let state = state(cib, ticket)?;
    cib.set_attribute(state, "standby", if on { "true" } else { "false" });
    Ok(())
}

/// Returns an attribute of a ticket.
#[must_use]
pub fn attribute<'d>(cib: &'d Document, ticket: &str, name: &str) -> Option<&'d str> {
    find(cib, ticket)?.attribute(name)
}

/// Sets an attribute of a ticket, which means something to those who set it.
///
/// # Errors
/// As for [`grant`]; also when the attribute is one that Pacemaker itself reads, when its name is none, or when
/// the value has control characters.
pub fn set_attribute(cib: &mut Document, ticket: &str, name: &str, value: &str) -> Result<()> {
    own(name)?;
    check_value(name, value)?;
    let state = state(cib, ticket)?;
    cib.set_attribute(state, name, value);
    Ok(())
}

/// Removes an attribute of a ticket.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the cluster does not know the ticket,
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when the attribute is one that Pacemaker itself reads.
pub fn unset_attribute(cib: &mut Document, ticket: &str, name: &str) -> Result<()> {
    own(name)?;
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

/// Refuses the attributes that Pacemaker itself reads, and what is no name of an XML attribute.
fn own(name: &str) -> Result<()> {
    let hint = match name {
        "id" => "grant the other name, and forget this one",
        "granted" | "last-granted" => "grant or revoke the ticket instead",
        "standby" => "set the ticket on standby, or make it active, instead",
        _ => return Id::new(name).map(drop),
    };
    let message = format!("Pacemaker itself keeps {name} of a ticket");
    Err(Error::invalid(message).with_hint(hint))
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

/// The state of a ticket, made where it is missing. One that others made has any name.
fn state(cib: &mut Document, ticket: &str) -> Result<NodeId> {
    if let Some(state) = find(cib, ticket) {
        return Ok(state.id());
    }
    TicketName::new(ticket)?;
    let child = |cib: &mut Document, parent: NodeId, name: &str| {
        let found = cib.element(parent).child(name).map(Element::id);
        found.unwrap_or_else(|| cib.append_child(parent, name))
    };
    let root = cib.root().id();
    let status = child(cib, root, "status");
    let tickets = child(cib, status, "tickets");
    let state = cib.append_child(tickets, "ticket_state");
    cib.set_attribute(state, "id", ticket);
    Ok(state)
}
