//! When two elements of a configuration mean the same.

use std::collections::BTreeMap;

use crate::model::is_resource;
use crate::model::scalar::{boolean, interval_ms};
use crate::status::Role;
use crate::value::Score;
use crate::xml::Element;

/// Tells whether two elements mean the same: whatever the ids of their parts, the order of their values
/// and operations, and the spelling of scores, times, roles and truth values.
///
/// # Example
/// ```
/// use ha_core::change::same;
/// use ha_core::xml::Document;
/// let crmsh = Document::parse("<op name='monitor' interval='10' timeout='20s' id='p-monitor-10'/>")?;
/// let pcs = Document::parse("<op id='p-monitor-interval-10s' name='monitor' interval='10s' timeout='20'/>")?;
/// assert!(same(crmsh.root(), pcs.root()));
/// # Ok::<(), ha_core::Error>(())
/// ```
#[must_use]
pub fn same(a: Element<'_>, b: Element<'_>) -> bool {
    a.name() == b.name()
        && same_attributes(a, b)
        && same_sets(a, b)
        && same_operations(a, b)
        && same_others(a, b)
}

/// Elements whose id is a reference to another one.
pub(super) fn is_reference(name: &str) -> bool {
    matches!(name, "resource_ref" | "obj_ref" | "role")
}

/// Tells whether the id of such an element is its name, which others use, and not just the name of a part.
fn has_name(element: Element<'_>) -> bool {
    let parent = element.parent().map_or("", Element::name);
    is_reference(element.name())
        || is_resource(element.name())
        || matches!(
            parent,
            "constraints" | "tags" | "alerts" | "acls" | "fencing-topology"
        )
}

fn same_attributes(a: Element<'_>, b: Element<'_>) -> bool {
    let meaningful = |element: Element<'_>, name: &str| name != "id" || has_name(element);
    let counted = |element| move |(name, _): &(&str, &str)| meaningful(element, name);
    a.attributes().filter(counted(a)).count() == b.attributes().filter(counted(b)).count()
        && a.attributes().filter(counted(a)).all(|(name, value)| {
            let other = b.attribute(name);
            other.is_some_and(|other| same_attribute(name, value, other))
        })
}

/// Tells whether two values of an attribute mean the same.
pub(super) fn same_attribute(name: &str, a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match name {
        "interval" | "timeout" | "start-delay" => same_time(a, b),
        "score" => same_score(a, b),
        "sequential" | "require-all" | "symmetrical" | "enabled" | "record-pending"
        | "run-as-user" => same_truth(a, b),
        "role" | "rsc-role" | "with-rsc-role" => {
            Role::parse(a).is_some() && Role::parse(a) == Role::parse(b)
        }
        "operation" | "action" | "boolean-op" | "first-action" | "then-action" => {
            a.eq_ignore_ascii_case(b)
        }
        _ => false,
    }
}

/// Tells whether two values of a set mean the same. Those of agents are theirs: only the text counts.
pub(super) fn same_value(set: &str, name: &str, a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    if !matches!(set, "meta_attributes" | "cluster_property_set") {
        return false;
    }
    let is_time = ["timeout", "interval", "delay", "limit", "window"]
        .iter()
        .any(|word| name.contains(word));
    same_truth(a, b)
        || (is_time && same_time(a, b))
        || (name == "target-role" && Role::parse(a).is_some() && Role::parse(a) == Role::parse(b))
        || same_score(a, b)
}

fn same_time(a: &str, b: &str) -> bool {
    interval_ms(a).is_some() && interval_ms(a) == interval_ms(b)
}

fn same_truth(a: &str, b: &str) -> bool {
    boolean(a).is_some() && boolean(a) == boolean(b)
}

fn same_score(a: &str, b: &str) -> bool {
    let score = |text: &str| text.parse::<Score>().ok();
    score(a).is_some() && score(a) == score(b)
}

fn is_set(name: &str) -> bool {
    matches!(
        name,
        "instance_attributes" | "meta_attributes" | "utilization" | "cluster_property_set"
    )
}

fn same_sets(a: Element<'_>, b: Element<'_>) -> bool {
    let tags = ["instance_attributes", "meta_attributes", "utilization"];
    tags.iter().all(|tag| {
        let of = |element: Element<'_>| {
            let sets = element.children().filter(|set| set.name() == *tag);
            sets.filter(|set| super::values::is_plain(*set))
                .flat_map(super::object::pairs)
                // The first of several is the one that counts.
                .fold(BTreeMap::new(), |mut all, (name, value)| {
                    all.entry(name.to_owned()).or_insert(value.to_owned());
                    all
                })
        };
        let (values, others) = (of(a), of(b));
        values.len() == others.len()
            && values.iter().all(|(name, value)| {
                let other = others.get(name);
                other.is_some_and(|other| same_value(tag, name, value, other))
            })
    })
}

/// Operations are told apart by what they do, when, and for which role.
pub(super) fn operation_key(op: Element<'_>) -> (&str, u64, Option<Role>) {
    let interval = op.attribute("interval").and_then(interval_ms);
    let role = op.attribute("role").and_then(Role::parse);
    (
        op.attribute("name").unwrap_or_default(),
        interval.unwrap_or(0),
        role,
    )
}

fn same_operations(a: Element<'_>, b: Element<'_>) -> bool {
    fn list(element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
        let lists = element.children_named("operations");
        lists.flat_map(Element::children)
    }
    // The list of another resource, by reference.
    fn shared(element: Element<'_>) -> Option<&str> {
        element.child("operations")?.attribute("id-ref")
    }
    shared(a) == shared(b)
        && list(a).count() == list(b).count()
        && list(a).all(|op| {
            let mut others = list(b).filter(|other| operation_key(*other) == operation_key(op));
            others.any(|other| same(op, other))
        })
}

/// All other children, in order: members, sets of resources, rules, sets that apply sometimes.
fn same_others(a: Element<'_>, b: Element<'_>) -> bool {
    fn others(element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
        element
            .children()
            .filter(|child| !is_compared_elsewhere(*child))
    }
    others(a).count() == others(b).count()
        && others(a).zip(others(b)).all(|(a, b)| same(a, b))
        && a.text().trim() == b.text().trim()
}

fn is_compared_elsewhere(child: Element<'_>) -> bool {
    (is_set(child.name()) && super::values::is_plain(child)) || child.name() == "operations"
}
