//! Edits of constraints: bans, preferences, and taking them back.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::resource::score_text;
use super::{find_node, find_resource, fresh_id, reference, section, section_made};
use crate::Result;
use crate::model::time::date;
use crate::status::Role;
use crate::xml::{Document, Element, NodeId};

/// How far a ban or a preference reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reach {
    /// Only this role, as [`Role::Promoted`]; without, the resource as a whole.
    pub role: Option<Role>,
    /// Until then; without, until it is cleared.
    pub until: Option<Timestamp>,
}

impl Reach {
    /// Limits it to a role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Limits it in time.
    #[must_use]
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }
}

/// Keeps a resource off a node, as `crm_resource --ban` does.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such resource or node.
pub fn ban(cib: &mut Document, resource: &str, node: &str, reach: &Reach) -> Result<()> {
    let id = format!("cli-ban-{}-on-{node}", resource_id(cib, resource)?);
    ban_as(cib, &id, resource, node, reach)
}

/// As [`ban`], with a constraint of this id.
///
/// # Errors
/// As for [`ban`].
pub fn ban_as(
    cib: &mut Document,
    id: &str,
    resource: &str,
    node: &str,
    reach: &Reach,
) -> Result<()> {
    let resource = resource_id(cib, resource)?;
    find_node(cib, node)?;
    place(cib, id, &resource, Some(node), false, reach);
    Ok(())
}

/// Keeps a resource off all nodes until a moment, with a constraint of this id.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such resource.
pub fn hold_as(cib: &mut Document, id: &str, resource: &str, until: Timestamp) -> Result<()> {
    let resource = resource_id(cib, resource)?;
    place(
        cib,
        id,
        &resource,
        None,
        false,
        &Reach::default().until(until),
    );
    Ok(())
}

/// Wants a resource on a node above all else, as `crm_resource --move` does: what kept it off this node
/// by a ban, and another such wish, is taken back.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such resource or node.
pub fn prefer(cib: &mut Document, resource: &str, node: &str, reach: &Reach) -> Result<()> {
    let resource = resource_id(cib, resource)?;
    find_node(cib, node)?;
    remove(cib, &format!("cli-ban-{resource}-on-{node}"));
    prefer_as(
        cib,
        &format!("cli-prefer-{resource}"),
        &resource,
        node,
        reach,
    )
}

/// As [`prefer`], with a constraint of this id, and without taking back a ban.
///
/// # Errors
/// As for [`prefer`].
pub fn prefer_as(
    cib: &mut Document,
    id: &str,
    resource: &str,
    node: &str,
    reach: &Reach,
) -> Result<()> {
    let resource = resource_id(cib, resource)?;
    find_node(cib, node)?;
    place(cib, id, &resource, Some(node), true, reach);
    Ok(())
}

/// Takes back what [`ban`] and [`prefer`] (or `crm_resource --ban`, `--move`) asked for a resource, for
/// one node or all. Returns the ids of the constraints removed.
///
/// # Errors
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such resource or node.
pub fn clear(cib: &mut Document, resource: &str, node: Option<&str>) -> Result<Vec<String>> {
    let resource = resource_id(cib, resource)?;
    if let Some(node) = node {
        find_node(cib, node)?;
    }
    let bans = format!("cli-ban-{resource}-on-");
    let preference = format!("cli-prefer-{resource}");
    let found = temporary(cib).into_iter().filter(|constraint| {
        let id = constraint.id.as_str();
        let of_resource = id == preference || id.starts_with(&bans);
        of_resource && node.is_none_or(|node| constraint.node.as_deref() == Some(node))
    });
    let ids: Vec<String> = found.map(|constraint| constraint.id).collect();
    ids.iter().for_each(|id| remove(cib, id));
    Ok(ids)
}

/// Removes all bans and preferences made by commands whose time is over. Returns their ids.
pub fn clear_expired(cib: &mut Document, now: Timestamp) -> Vec<String> {
    let over = temporary(cib)
        .into_iter()
        .filter(|constraint| constraint.until.is_some_and(|until| until <= now));
    let ids: Vec<String> = over.map(|constraint| constraint.id).collect();
    ids.iter().for_each(|id| remove(cib, id));
    ids
}

/// A constraint that a command made: a ban or a preference.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Temporary {
    /// The constraint's id.
    pub id: String,
    /// The resource.
    pub resource: String,
    /// The node it is about.
    pub node: Option<String>,
    /// When it ends, if it does by itself.
    pub until: Option<Timestamp>,
}

/// Lists the constraints that commands made, by their ids: `cli-ban-...`, `cli-prefer-...`, and those of
/// moves of this library that did not end ([`MOVE_PREFIX`]).
#[must_use]
pub fn temporary(cib: &Document) -> Vec<Temporary> {
    let constraints = section(cib, "constraints")
        .into_iter()
        .flat_map(Element::children);
    let made = constraints.filter_map(|constraint| {
        let id = constraint.attribute("id")?;
        let is = ["cli-ban-", "cli-prefer-", MOVE_PREFIX]
            .iter()
            .any(|prefix| id.starts_with(prefix));
        if !is {
            return None;
        }
        let expression = |name| {
            let mut all = constraint.descendants();
            all.find(|element| element.name() == name)
        };
        let by_rule = || expression("expression")?.attribute("value");
        let until = expression("date_expression").and_then(|date| date.attribute("end"));
        Some(Temporary {
            id: id.to_owned(),
            resource: constraint.attribute("rsc").unwrap_or_default().to_owned(),
            node: constraint
                .attribute("node")
                .or_else(by_rule)
                .map(str::to_owned),
            until: until.and_then(|end| date(end, Timestamp::UNIX_EPOCH, &TimeZone::UTC)),
        })
    });
    made.collect()
}

/// What the ids of the constraints begin with that a move of this library makes and removes.
pub const MOVE_PREFIX: &str = "ha-move-";

/// Removes a constraint, if it is there, and what refers to it.
pub fn remove(cib: &mut Document, id: &str) {
    let constraints = section(cib, "constraints")
        .into_iter()
        .flat_map(Element::children);
    let found: Vec<NodeId> = constraints
        .filter(|constraint| constraint.attribute("id") == Some(id))
        .map(Element::id)
        .collect();
    for constraint in found {
        cib.remove(constraint);
        reference::drop_all(cib, id);
    }
}

fn resource_id(cib: &Document, resource: &str) -> Result<String> {
    let element = find_resource(cib, resource)?;
    Ok(element.attribute("id").unwrap_or(resource).to_owned())
}

/// Adds a location constraint about a node, or, with an end, about all.
fn place(
    cib: &mut Document,
    id: &str,
    resource: &str,
    node: Option<&str>,
    wanted: bool,
    reach: &Reach,
) {
    remove(cib, id);
    let id = fresh_id(cib, id);
    let constraints = section_made(cib, "constraints");
    let constraint = cib.append_child(constraints, "rsc_location");
    cib.set_attribute(constraint, "id", &id);
    cib.set_attribute(constraint, "rsc", resource);
    let role = reach.role.map_or("Started", Role::as_str);
    cib.set_attribute(constraint, "role", role);
    let score = score_text(wanted);
    let Some(until) = reach.until else {
        cib.set_attribute(constraint, "node", node.unwrap_or_default());
        cib.set_attribute(constraint, "score", &score);
        return;
    };
    let mut part = |parent, name: &str, attributes: &[(&str, &str)]| {
        let element = cib.append_child(parent, name);
        for (name, value) in attributes {
            cib.set_attribute(element, name, value);
        }
        element
    };
    let rule = part(
        constraint,
        "rule",
        &[
            ("id", &format!("{id}-rule")),
            ("score", &score),
            ("boolean-op", "and"),
        ],
    );
    let id_of_node = format!("{id}-expr");
    let mut about = vec![("id", id_of_node.as_str()), ("attribute", "#uname")];
    match node {
        Some(node) => about.extend([("operation", "eq"), ("value", node), ("type", "string")]),
        None => about.push(("operation", "defined")),
    }
    part(rule, "expression", &about);
    // Seconds in UTC: what all versions read.
    let end = until.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    part(
        rule,
        "date_expression",
        &[
            ("id", &format!("{id}-lifetime")),
            ("operation", "lt"),
            ("end", &end),
        ],
    );
}
