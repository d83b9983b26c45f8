//! Bringing one object of a CIB to what is desired of it.

use super::meaning::{self, operation_key, same, same_attribute, same_value};
use super::values;
use crate::change::edit::fresh_id;
use crate::model::is_resource;
use crate::xml::{Document, Element, NodeId};

/// Meta-attributes that administrators set while a cluster runs.
const OF_ADMINISTRATORS: [&str; 3] = ["target-role", "is-managed", "maintenance"];

const SETS: [&str; 3] = ["instance_attributes", "meta_attributes", "utilization"];

/// Returns the name-value pairs of a set.
pub(super) fn pairs(set: Element<'_>) -> impl Iterator<Item = (&str, &str)> {
    set.children_named("nvpair")
        .filter_map(|pair| Some((pair.attribute("name")?, pair.attribute("value")?)))
}

/// Tells whether an element can be edited, or replaced at its place, to become what is desired.
pub(super) fn can_become(current: Element<'_>, desired: Element<'_>) -> bool {
    let kind = |element: Element<'_>| {
        let is_constraint = element.name().starts_with("rsc_");
        (is_resource(element.name()), is_constraint)
    };
    current.name() == desired.name()
        || (kind(current) == kind(desired) && kind(desired) != (false, false))
}

/// Makes an element of the CIB, or a new one below `parent`, what is desired; returns it.
pub(super) fn bring(
    cib: &mut Document,
    parent: NodeId,
    current: Option<NodeId>,
    desired: Element<'_>,
) -> NodeId {
    let Some(current) = current else {
        return add(cib, parent, desired);
    };
    let is_moved = cib.element(current).parent().map(Element::id) != Some(parent);
    let is_other = cib.element(current).name() != desired.name();
    if is_moved || is_other {
        // Under the same id it stays what administrators made of it.
        let kept: Vec<(&str, String)> = OF_ADMINISTRATORS
            .iter()
            .filter_map(|name| {
                let value = values::get(cib, cib.element(current), "meta_attributes", name)?;
                Some((*name, value.to_owned()))
            })
            .collect();
        detach(cib, current);
        let new = add(cib, parent, desired);
        if is_resource(desired.name()) {
            let id = desired.attribute("id").unwrap_or_default();
            let id = format!("{id}-meta_attributes");
            for (name, value) in kept {
                if values::get(cib, cib.element(new), "meta_attributes", name).is_none() {
                    values::set(cib, new, "meta_attributes", &id, name, &value);
                }
            }
        }
        return new;
    }
    if !same(cib.element(current), desired) {
        attributes(cib, current, desired);
        for tag in SETS {
            sets(cib, current, desired, tag);
        }
        operations(cib, current, desired);
        others(cib, current, desired);
    }
    current
}

/// Adds what is desired, the members that exist elsewhere included: these move here.
fn add(cib: &mut Document, parent: NodeId, desired: Element<'_>) -> NodeId {
    let members: Vec<NodeId> = desired
        .descendants()
        .filter(|part| is_resource(part.name()))
        .filter_map(|part| resource(cib, part.attribute("id")?))
        .collect();
    for member in members {
        detach(cib, member);
    }
    let end = cib.element(parent).children().count();
    cib.import(parent, end, desired)
}

/// Takes a resource from its place, and the group or clone with it that has nothing else.
fn detach(cib: &mut Document, element: NodeId) {
    let mut top = element;
    while let Some(parent) = cib.element(top).parent() {
        let members = parent
            .children()
            .filter(|child| is_resource(child.name()))
            .count();
        if !matches!(parent.name(), "group" | "clone" | "master") || members > 1 {
            break;
        }
        top = parent.id();
    }
    cib.remove(top);
}

fn resource(cib: &Document, id: &str) -> Option<NodeId> {
    let mut all = crate::change::edit::resources(cib);
    all.find(|e| e.attribute("id") == Some(id)).map(Element::id)
}

fn attributes(cib: &mut Document, current: NodeId, desired: Element<'_>) {
    for (name, value) in desired.attributes() {
        let now = cib.element(current).attribute(name);
        // The ids of parts stay as they are.
        let is_part = name == "id" && now.is_some() && !meaning::is_reference(desired.name());
        if !is_part && !now.is_some_and(|now| same_attribute(name, now, value)) {
            cib.set_attribute(current, name, value);
        }
    }
    let gone: Vec<String> = cib
        .element(current)
        .attributes()
        .filter(|(name, _)| *name != "id" && desired.attribute(name).is_none())
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in gone {
        cib.remove_attribute(current, &name);
    }
}

/// The values of sets that apply always are one table, whatever set each is in.
fn sets(cib: &mut Document, current: NodeId, desired: Element<'_>, tag: &str) {
    let wanted: Vec<Element<'_>> = desired
        .children()
        .filter(|set| set.name() == tag && values::is_plain(*set))
        .collect();
    let value_wanted = |name: &str| {
        let mut all = wanted.iter().flat_map(|set| pairs(*set));
        all.find(|(n, _)| *n == name).map(|(_, value)| value)
    };
    let gone: Vec<String> = cib
        .element(current)
        .children()
        .filter(|set| set.name() == tag && values::is_plain(*set))
        .flat_map(pairs)
        .map(|(name, _)| name.to_owned())
        .filter(|name| value_wanted(name).is_none())
        .filter(|name| tag != "meta_attributes" || !OF_ADMINISTRATORS.contains(&name.as_str()))
        .collect();
    for set in &wanted {
        let id = set.attribute("id").unwrap_or(tag).to_owned();
        for (name, _) in pairs(*set) {
            let Some(value) = value_wanted(name) else {
                continue;
            };
            let now = values::get_plain(cib.element(current), tag, name);
            if !now.is_some_and(|now| same_value(tag, name, now, value)) {
                values::set(cib, current, tag, &id, name, value);
            }
        }
    }
    for name in gone {
        values::unset(cib, current, tag, &name);
    }
}

fn operations(cib: &mut Document, current: NodeId, desired: Element<'_>) {
    let wanted = desired.child("operations");
    let now = cib.element(current).child("operations").map(Element::id);
    let shares = |list: Element<'_>| list.attribute("id-ref").is_some();
    let now = match (now, wanted) {
        (None, None) => return,
        (Some(now), None) => {
            cib.remove(now);
            return;
        }
        (Some(now), Some(wanted)) if shares(cib.element(now)) || shares(wanted) => {
            if cib.element(now).attribute("id-ref") != wanted.attribute("id-ref") {
                let at = position(cib, now);
                cib.remove(now);
                cib.import(current, at, wanted);
            }
            return;
        }
        (None, Some(wanted)) => {
            let end = cib.element(current).children().count();
            cib.import(current, end, wanted);
            return;
        }
        (Some(now), Some(_)) => now,
    };
    let list = |list: Element<'_>| -> Vec<NodeId> { list.children().map(Element::id).collect() };
    let mut left = list(cib.element(now));
    for op in wanted.into_iter().flat_map(Element::children) {
        let is_it = |id: &NodeId| operation_key(cib.element(*id)) == operation_key(op);
        match left.iter().position(is_it) {
            Some(at) => {
                bring(cib, now, Some(left.remove(at)), op);
            }
            None => {
                let new = add(cib, now, op);
                unique(cib, new);
            }
        }
    }
    left.into_iter().for_each(|op| cib.remove(op));
}

/// Gives a new part another id when its own is taken.
fn unique(cib: &mut Document, part: NodeId) {
    let Some(id) = cib.element(part).attribute("id").map(str::to_owned) else {
        return;
    };
    let holders = cib
        .root()
        .descendants()
        .filter(|e| e.attribute("id") == Some(&id))
        .count();
    if holders > 1 {
        let id = fresh_id(cib, &id);
        cib.set_attribute(part, "id", &id);
    }
}

fn is_other(element: Element<'_>) -> bool {
    let is_table = SETS.contains(&element.name()) && values::is_plain(element);
    !is_table && element.name() != "operations"
}

/// Members, sets of resources, rules, sets that apply sometimes: in the order desired.
fn others(cib: &mut Document, current: NodeId, desired: Element<'_>) {
    let now = cib
        .element(current)
        .children()
        .filter(|child| is_other(*child));
    let mut left: Vec<NodeId> = now.map(Element::id).collect();
    let mut placed = Vec::new();
    for child in desired.children().filter(|child| is_other(*child)) {
        let id = child.attribute("id");
        let by_id = |at: &NodeId| {
            let now = cib.element(*at);
            now.name() == child.name() && now.attribute("id") == id
        };
        let found = left.iter().position(by_id).or_else(|| {
            // Parts that mean the same under another id; the only one of its kind.
            let alike = |at: &NodeId| {
                let now = cib.element(*at);
                now.name() == child.name() && same(now, child)
            };
            let of_kind = |at: &NodeId| cib.element(*at).name() == child.name();
            let only = || {
                let wanted = desired
                    .children()
                    .filter(|c| c.name() == child.name())
                    .count();
                let there = left.iter().filter(|at| of_kind(at)).count();
                let is_part = !is_resource(child.name()) && !meaning::is_reference(child.name());
                (is_part && wanted == 1 && there == 1).then(|| left.iter().position(of_kind))?
            };
            left.iter().position(alike).or_else(only)
        });
        let elsewhere = |cib: &Document| {
            let id = id.filter(|_| is_resource(child.name()))?;
            resource(cib, id)
        };
        let it = match found {
            Some(at) => Some(left.remove(at)),
            None => elsewhere(cib),
        };
        let is_new = it.is_none();
        let it = bring(cib, current, it, child);
        if is_new && !is_resource(child.name()) && !meaning::is_reference(child.name()) {
            unique(cib, it);
        }
        placed.push(it);
    }
    // A group keeps the members that others gave it; a clone has but one.
    let keeps = cib.element(current).name() == "group";
    for gone in left {
        if !(keeps && is_resource(cib.element(gone).name())) {
            cib.remove(gone);
        }
    }
    let order: Vec<NodeId> = cib
        .element(current)
        .children()
        .map(Element::id)
        .filter(|child| placed.contains(child))
        .collect();
    if order != placed {
        let end = cib.element(current).children().count();
        for child in placed {
            cib.move_child(child, end.saturating_sub(1));
        }
    }
}

fn position(cib: &Document, element: NodeId) -> usize {
    let parent = cib.element(element).parent();
    let mut siblings = parent.into_iter().flat_map(Element::children);
    siblings
        .position(|child| child.id() == element)
        .unwrap_or(0)
}
