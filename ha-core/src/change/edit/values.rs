//! Values in sets of name-value pairs: meta-attributes, parameters, options, attributes of nodes.

use super::fresh_id;
use crate::model::Cib;
use crate::xml::{Document, Element, NodeId};

/// Tells whether a set applies always and is written where it stands.
pub(in crate::change) fn is_plain(set: Element<'_>) -> bool {
    set.attribute("id-ref").is_none() && set.child("rule").is_none()
}

fn plain_sets(owner: Element<'_>, tag: &str) -> Vec<NodeId> {
    let sets = owner.children().filter(|set| set.name() == tag);
    sets.filter(|set| is_plain(*set)).map(Element::id).collect()
}

fn pair<'d>(set: Element<'d>, name: &str) -> Option<Element<'d>> {
    set.children_named("nvpair")
        .find(|pair| pair.attribute("name") == Some(name))
}

/// Returns a value that an object has, of the first of its sets that applies always.
pub(in crate::change) fn get<'d>(
    cib: &'d Document,
    owner: Element<'d>,
    tag: &str,
    name: &str,
) -> Option<&'d str> {
    let index = Cib::new(cib);
    owner
        .children()
        .filter(|set| set.name() == tag && set.child("rule").is_none())
        .find_map(|set| pair(index.resolve(set), name))
        .and_then(|pair| index.resolve(pair).attribute("value"))
}

/// Returns a value that an object has in a set of its own that applies always.
pub(in crate::change) fn get_plain<'d>(
    owner: Element<'d>,
    tag: &str,
    name: &str,
) -> Option<&'d str> {
    let sets = owner
        .children()
        .filter(|set| set.name() == tag && is_plain(*set));
    let mut pairs = sets.filter_map(|set| pair(set, name));
    pairs.find_map(|pair| pair.attribute("value"))
}

/// Returns the id of the pair that holds a value of an object.
pub(in crate::change) fn pair_id(
    cib: &Document,
    owner: NodeId,
    tag: &str,
    name: &str,
) -> Option<String> {
    let index = Cib::new(cib);
    let owner = cib.element(owner);
    let sets = owner
        .children()
        .filter(|set| set.name() == tag && set.child("rule").is_none());
    let mut pairs = sets.filter_map(|set| pair(index.resolve(set), name));
    pairs
        .find_map(|pair| pair.attribute("id"))
        .map(str::to_owned)
}

/// Removes a set that has become empty.
pub(in crate::change) fn tidy(cib: &mut Document, set: NodeId) {
    let element = cib.element(set);
    // The set of the cluster's options stays: everybody expects it.
    if element.name() != "cluster_property_set" && element.children().next().is_none() {
        cib.remove(set);
    }
}

/// Sets a value of an object, in the set that has it already, else in the first, else in a new one of
/// this id.
pub(in crate::change) fn set(
    cib: &mut Document,
    owner: NodeId,
    tag: &str,
    id: &str,
    name: &str,
    value: &str,
) {
    let sets = plain_sets(cib.element(owner), tag);
    let found = |cib: &Document| -> Vec<NodeId> {
        let pairs = sets.iter().filter_map(|set| pair(cib.element(*set), name));
        pairs.map(Element::id).collect()
    };
    let pairs = found(cib);
    if !pairs.is_empty() {
        for pair in pairs {
            if cib.element(pair).attribute("value") != Some(value) {
                cib.set_attribute(pair, "value", value);
            }
        }
        return;
    }
    let set = sets.first().copied().unwrap_or_else(|| {
        // In front of the others of its kind: the first one's values win.
        let children = cib.element(owner).children();
        let position = children.take_while(|child| child.name() != tag).count();
        let id = fresh_id(cib, id);
        let set = cib.insert_child(owner, position, tag);
        cib.set_attribute(set, "id", &id);
        set
    });
    let prefix = cib.element(set).attribute("id").unwrap_or(id).to_owned();
    let id = fresh_id(cib, &format!("{prefix}-{name}"));
    let pair = cib.append_child(set, "nvpair");
    cib.set_attribute(pair, "id", &id);
    cib.set_attribute(pair, "name", name);
    cib.set_attribute(pair, "value", value);
}

/// Removes a value of an object, and with it the set that it leaves empty. Tells whether there was one.
pub(in crate::change) fn unset(cib: &mut Document, owner: NodeId, tag: &str, name: &str) -> bool {
    let mut removed = false;
    for set in plain_sets(cib.element(owner), tag) {
        if let Some(pair) = pair(cib.element(set), name).map(Element::id) {
            cib.remove(pair);
            removed = true;
            tidy(cib, set);
        }
    }
    removed
}
