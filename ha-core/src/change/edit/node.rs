//! Edits of nodes.

use super::reference;
use super::values;
use super::{find_node, section};
use crate::Result;
use crate::name::check_value;
use crate::xml::{Document, Element, NodeId};

const ATTRIBUTES: &str = "instance_attributes";

/// Returns a permanent attribute of a node.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node.
pub fn attribute<'d>(cib: &'d Document, node: &str, name: &str) -> Result<Option<&'d str>> {
    Ok(values::get(cib, find_node(cib, node)?, ATTRIBUTES, name))
}

/// Sets a permanent attribute of a node.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node,
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when the name is no
/// [`ValueName`](crate::name::ValueName), or the value has control characters.
pub fn set_attribute(cib: &mut Document, node: &str, name: &str, value: &str) -> Result<()> {
    set(cib, node, ATTRIBUTES, "", name, value)
}

/// Removes a permanent attribute of a node, if it has it.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node.
pub fn unset_attribute(cib: &mut Document, node: &str, name: &str) -> Result<()> {
    let node = find_node(cib, node)?.id();
    values::unset(cib, node, ATTRIBUTES, name);
    Ok(())
}

/// Sets or removes a transient attribute of a node, as the attribute manager will write it: to see what
/// would follow. In a cluster it is that daemon that has to be asked.
///
/// # Errors
/// As for [`set_attribute`]; also when there is no state of the node.
pub fn set_transient(
    cib: &mut Document,
    node: &str,
    name: &str,
    value: Option<&str>,
) -> Result<()> {
    find_node(cib, node)?;
    if let Some(value) = value {
        check_value(name, value)?;
    }
    let state = find_state(cib, node)?;
    let id = format!("status-{}", state.attribute("id").unwrap_or_default());
    let (state, attributes) = (
        state.id(),
        state.child("transient_attributes").map(Element::id),
    );
    let Some(value) = value else {
        if let Some(attributes) = attributes {
            values::unset(cib, attributes, ATTRIBUTES, name);
        }
        return Ok(());
    };
    let attributes = attributes.unwrap_or_else(|| cib.append_child(state, "transient_attributes"));
    values::set(cib, attributes, ATTRIBUTES, &id, name, value);
    Ok(())
}

/// Returns how much of something a node has for its resources.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node.
pub fn utilization<'d>(cib: &'d Document, node: &str, name: &str) -> Result<Option<&'d str>> {
    Ok(values::get(cib, find_node(cib, node)?, "utilization", name))
}

/// Sets how much of something a node has for its resources.
///
/// # Errors
/// As for [`set_attribute`].
pub fn set_utilization(cib: &mut Document, node: &str, name: &str, value: &str) -> Result<()> {
    set(cib, node, "utilization", "-utilization", name, value)
}

/// Removes what a node is said to have of something.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node.
pub fn unset_utilization(cib: &mut Document, node: &str, name: &str) -> Result<()> {
    let node = find_node(cib, node)?.id();
    values::unset(cib, node, "utilization", name);
    Ok(())
}

/// Takes a node into standby (its resources leave it) for good, or out of it.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node.
pub fn standby(cib: &mut Document, node: &str, on: bool) -> Result<()> {
    if on {
        set_attribute(cib, node, "standby", "on")
    } else {
        unset_attribute(cib, node, "standby")
    }
}

/// Takes a node into maintenance (its resources are left alone), or out of it.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node.
pub fn maintenance(cib: &mut Document, node: &str, on: bool) -> Result<()> {
    if on {
        set_attribute(cib, node, "maintenance", "true")
    } else {
        unset_attribute(cib, node, "maintenance")
    }
}

/// Forgets what a node that is off was doing: its resources' histories and its transient attributes. It
/// counts as cleanly stopped then.
///
/// It must be off for sure, or its resources may run twice.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no state of such a node.
pub fn clear_state(cib: &mut Document, node: &str) -> Result<()> {
    let state = find_state(cib, node)?;
    let gone: Vec<NodeId> = state
        .children()
        .filter(|part| matches!(part.name(), "lrm" | "transient_attributes"))
        .map(Element::id)
        .collect();
    // Since Pacemaker 2.1.7 these two are times, 0 for never.
    let is_time = |name: &str| {
        let value = state.attribute(name).unwrap_or_default();
        !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())
    };
    let never = |name: &str, word: &'static str| if is_time(name) { "0" } else { word };
    let off = [
        ("in_ccm", never("in_ccm", "false")),
        ("crmd", never("crmd", "offline")),
        ("join", "down"),
        ("expected", "down"),
    ];
    let state = state.id();
    for part in gone {
        cib.remove(part);
    }
    for (name, value) in off {
        if cib.element(state).attribute(name) != Some(value) {
            cib.set_attribute(state, name, value);
        }
    }
    Ok(())
}

fn find_state<'d>(cib: &'d Document, node: &str) -> Result<Element<'d>> {
    let mut found = states(cib).filter(|state| state.attribute("uname") == Some(node));
    found.next().ok_or_else(|| {
        let known = states(cib).filter_map(|state| state.attribute("uname"));
        super::not_found("state of the node", node, known)
    })
}

fn states(cib: &Document) -> impl Iterator<Item = Element<'_>> {
    let status = cib.root().child("status");
    status
        .into_iter()
        .flat_map(|status| status.children_named("node_state"))
}

/// Removes a node: its entry, its state, the location constraints and fencing levels that name it.
///
/// The node must not run the cluster any more, or it comes back by itself.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node, nor a state of one.
pub fn remove(cib: &mut Document, node: &str) -> Result<()> {
    let of_node = |state: &Element<'_>| state.attribute("uname") == Some(node);
    match find_node(cib, node).map(Element::id) {
        Ok(entry) => cib.remove(entry),
        // What somebody has removed half is removed whole.
        Err(e) if !states(cib).any(|state| of_node(&state)) => return Err(e),
        Err(_) => {}
    }
    let state = states(cib).find(of_node);
    let constraints = section(cib, "constraints")
        .into_iter()
        .flat_map(Element::children);
    let of_node = constraints.filter(|constraint| constraint.attribute("node") == Some(node));
    let levels = section(cib, "fencing-topology")
        .into_iter()
        .flat_map(Element::children);
    let of_target = levels.filter(|level| level.attribute("target") == Some(node));
    let gone: Vec<(NodeId, Option<String>)> = of_node
        .chain(of_target)
        .chain(state)
        .map(|gone| (gone.id(), gone.attribute("id").map(str::to_owned)))
        .collect();
    for (element, _) in &gone {
        cib.remove(*element);
    }
    for id in gone.into_iter().filter_map(|gone| gone.1) {
        reference::drop_all(cib, &id);
    }
    Ok(())
}

fn set(
    cib: &mut Document,
    node: &str,
    tag: &str,
    suffix: &str,
    name: &str,
    value: &str,
) -> Result<()> {
    let node = find_node(cib, node)?;
    check_value(name, value)?;
    // As crm_attribute names it.
    let id = format!("nodes-{}{suffix}", node.attribute("id").unwrap_or_default());
    let node = node.id();
    values::set(cib, node, tag, &id, name, value);
    Ok(())
}
