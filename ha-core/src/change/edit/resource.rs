//! Edits of resources.

use super::reference;
use super::values;
use super::{find_resource, section};
use crate::model::is_resource;
use crate::name::{Id, check_value};
use crate::value::Score;
use crate::xml::{Document, Element, NodeId};
use crate::{Error, ErrorKind, Result};

/// What kind of value of a resource is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Values {
    /// Parameters of the agent (`instance_attributes`).
    Parameters,
    /// Meta-attributes, which Pacemaker itself reads.
    Meta,
    /// What it needs of a node's capacity.
    Utilization,
}

impl Values {
    fn tag(self) -> &'static str {
        match self {
            Self::Parameters => "instance_attributes",
            Self::Meta => "meta_attributes",
            Self::Utilization => "utilization",
        }
    }
}

/// Returns a value of a resource, as it is written there: neither defaults nor templates are looked at.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource.
pub fn value<'d>(
    cib: &'d Document,
    resource: &str,
    values: Values,
    name: &str,
) -> Result<Option<&'d str>> {
    let element = find_resource(cib, resource)?;
    Ok(values::get(cib, element, values.tag(), name))
}

/// Sets a value of a resource.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource, [`ErrorKind::Invalid`] when the name is no
/// [`ValueName`](crate::name::ValueName), or the value has control characters.
pub fn set_value(
    cib: &mut Document,
    resource: &str,
    values: Values,
    name: &str,
    value: &str,
) -> Result<()> {
    let element = find_resource(cib, resource)?;
    check_value(name, value)?;
    let id = element.attribute("id").unwrap_or(resource);
    let id = format!("{id}-{}", values.tag());
    let element = element.id();
    values::set(cib, element, values.tag(), &id, name, value);
    Ok(())
}

/// Removes a value of a resource, if it has it.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource.
pub fn unset_value(cib: &mut Document, resource: &str, values: Values, name: &str) -> Result<()> {
    let element = find_resource(cib, resource)?.id();
    values::unset(cib, element, values.tag(), name);
    Ok(())
}

/// Lets a resource run: takes back [`stop`] of it, of what it contains and of the clone or bundle around
/// it. Where the resources' defaults stop everything, its target role is set.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource.
pub fn start(cib: &mut Document, resource: &str) -> Result<()> {
    free(cib, resource, "target-role", "Started")
}

/// Stops a resource and keeps it stopped. What is cloned is stopped with its clone.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource.
pub fn stop(cib: &mut Document, resource: &str) -> Result<()> {
    let id = around(find_resource(cib, resource)?);
    set_meta(cib, id, "target-role", "Stopped");
    Ok(())
}

/// Asks for the promoted role of an instance of a promotable clone.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource, [`ErrorKind::Invalid`] when it is not
/// promotable.
pub fn promote(cib: &mut Document, resource: &str) -> Result<()> {
    let id = promotable(cib, resource)?;
    set_meta(cib, id, "target-role", "Promoted");
    Ok(())
}

/// Keeps all instances of a promotable clone unpromoted.
///
/// # Errors
/// As for [`promote`].
pub fn demote(cib: &mut Document, resource: &str) -> Result<()> {
    let id = promotable(cib, resource)?;
    set_meta(cib, id, "target-role", "Unpromoted");
    Ok(())
}

/// Lets the cluster manage a resource again: takes back [`unmanage`].
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource.
pub fn manage(cib: &mut Document, resource: &str) -> Result<()> {
    free(cib, resource, "is-managed", "true")
}

/// Makes the cluster neither start nor stop a resource; it goes on monitoring it.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource.
pub fn unmanage(cib: &mut Document, resource: &str) -> Result<()> {
    let id = find_resource(cib, resource)?.id();
    set_meta(cib, id, "is-managed", "false");
    Ok(())
}

/// Takes a resource into maintenance (neither managed nor monitored) or out of it.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource.
pub fn maintenance(cib: &mut Document, resource: &str, on: bool) -> Result<()> {
    if !on {
        return free(cib, resource, "maintenance", "false");
    }
    let id = find_resource(cib, resource)?.id();
    set_meta(cib, id, "maintenance", "true");
    Ok(())
}

/// Removes a resource and every reference to it: constraints (or its part of them), tags, permissions,
/// fencing levels; a group or clone that it leaves empty goes with it.
///
/// The cluster takes a resource that still runs for an orphan and stops it: stop it first, to see that it
/// can be stopped.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource; [`ErrorKind::Conflict`] when it is a template
/// in use, or when another one uses its values (`id-ref`).
pub fn delete(cib: &mut Document, resource: &str) -> Result<()> {
    let element = find_resource(cib, resource)?;
    if element.name() == "template" {
        let id = element.attribute("id");
        let mut users = super::resources(cib).filter(|user| user.attribute("template") == id);
        if let Some(user) = users.next().and_then(|user| user.attribute("id")) {
            let message = format!("the template {resource} is used by {user}");
            return Err(Error::new(ErrorKind::Conflict, message)
                .with_hint("delete the resources made from it first"));
        }
    }
    let mut top = element;
    while let Some(parent) = top.parent().filter(|parent| is_resource(parent.name())) {
        if parent.children().filter(|c| is_resource(c.name())).count() > 1 {
            break;
        }
        // A bundle is a resource without what it contains, too.
        if parent.name() == "bundle" {
            break;
        }
        top = parent;
    }
    let gone: Vec<String> = top
        .descendants()
        .filter_map(|element| element.attribute("id"))
        .map(str::to_owned)
        .collect();
    let top = top.id();
    cib.remove(top);
    for id in gone {
        if let Some(borrower) = reference::borrower(cib, &id) {
            let message = format!("{borrower} uses {id}, which would go with {resource}");
            return Err(Error::new(ErrorKind::Conflict, message)
                .with_hint(format!("give {borrower} values of its own first")));
        }
        reference::drop_all(cib, &id);
    }
    Ok(())
}

/// Gives a resource another id, and all that refers to it.
///
/// To the cluster it is another resource afterwards: one that runs is stopped and started, or, where it
/// is active without the cluster's doing, found by a probe.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource, [`ErrorKind::AlreadyExists`] when the new id is
/// taken, [`ErrorKind::Invalid`] when it is not an id.
pub fn rename(cib: &mut Document, resource: &str, to: &str) -> Result<()> {
    let to = Id::new(to)?;
    let element = find_resource(cib, resource)?;
    let from = element.attribute("id").unwrap_or(resource).to_owned();
    if from == to.as_str() {
        return Ok(());
    }
    let mut all = cib.root().descendants();
    if all.any(|element| element.attribute("id") == Some(to.as_str())) {
        let message = format!("the id {} is taken", to.as_str());
        return Err(Error::new(ErrorKind::AlreadyExists, message));
    }
    reference::rename(cib, element_id(cib, &from)?, &from, to.as_str());
    Ok(())
}

fn element_id(cib: &Document, resource: &str) -> Result<NodeId> {
    find_resource(cib, resource).map(Element::id)
}

/// What a resource's state is said of: the clone or bundle around it, else itself.
fn around(element: Element<'_>) -> NodeId {
    let mut outer = element;
    while let Some(parent) = outer.parent().filter(|parent| is_resource(parent.name())) {
        outer = parent;
    }
    match outer.name() {
        "clone" | "master" | "bundle" => outer.id(),
        _ => element.id(),
    }
}

fn promotable(cib: &Document, resource: &str) -> Result<NodeId> {
    let around = cib.element(around(find_resource(cib, resource)?));
    let meta = values::get(cib, around, "meta_attributes", "promotable");
    let is = around.name() == "master"
        || around.name() == "bundle"
        || crate::model::scalar::is_true(meta);
    if is {
        return Ok(around.id());
    }
    Err(
        Error::invalid(format!("{resource} is not a promotable clone")).with_hint(format!(
            "clones of agents that can be promoted are, with the meta-attribute promotable=true \
             (crm_resource --resource {resource} --meta --set-parameter promotable --parameter-value true)"
        )),
    )
}

/// Sets a meta-attribute of an element that is a resource.
fn set_meta(cib: &mut Document, element: NodeId, name: &str, value: &str) {
    let id = cib.element(element).attribute("id").unwrap_or_default();
    let id = format!("{id}-meta_attributes");
    values::set(cib, element, "meta_attributes", &id, name, value);
}

/// Takes back what holds a resource: a meta-attribute of it, of its parts and of what is cloned with it.
/// Where the defaults hold it, the free value is set.
fn free(cib: &mut Document, resource: &str, name: &str, value: &str) -> Result<()> {
    let element = find_resource(cib, resource)?;
    let mut held: Vec<NodeId> = element
        .descendants()
        .filter(|part| is_resource(part.name()))
        .map(Element::id)
        .collect();
    held.push(around(element));
    let element = element.id();
    for part in held {
        values::unset(cib, part, "meta_attributes", name);
        // What a shared set says stays there for the others.
        let shared = values::get(cib, cib.element(part), "meta_attributes", name);
        if shared.is_some_and(|shared| !shared.eq_ignore_ascii_case(value)) {
            set_meta(cib, part, name, value);
        }
    }
    let defaults = section(cib, "rsc_defaults");
    let by_default = defaults.and_then(|d| values::get(cib, d, "meta_attributes", name));
    if by_default.is_some_and(|default| !default.eq_ignore_ascii_case(value)) {
        set_meta(cib, element, name, value);
    }
    Ok(())
}

/// Returns the resource that a location constraint has to name for this one to move: the outermost group
/// or bundle around it, or itself.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such resource.
pub fn movable<'d>(cib: &'d Document, resource: &str) -> Result<&'d str> {
    let mut element = find_resource(cib, resource)?;
    while let Some(parent) = element.parent().filter(|parent| is_resource(parent.name())) {
        element = parent;
    }
    Ok(element.attribute("id").unwrap_or_default())
}

/// The score that forbids and the one that forces.
pub(super) fn score_text(always: bool) -> String {
    if always {
        Score::INFINITY.to_string()
    } else {
        (-Score::INFINITY).to_string()
    }
}
