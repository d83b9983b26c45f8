//! What a configuration consists of, so that a change of it can be told.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::is_resource;
use crate::xml::{Document, Element};

/// One thing of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Item {
    pub(super) element: String,
    pub(super) id: String,
    pub(super) name: Option<String>,
}

/// Lists what a CIB's configuration consists of, each with a number that another content would change.
///
/// Resources, constraints, nodes, tags and the like are one thing each, options one for each value.
pub(super) fn items(cib: &Document) -> BTreeMap<Item, u64> {
    let mut items = BTreeMap::new();
    let root = cib.root();
    if let Some(schema) = root.attribute("validate-with") {
        let mut hasher = DefaultHasher::new();
        schema.hash(&mut hasher);
        let item = Item {
            element: "cib".to_owned(),
            id: String::new(),
            name: Some("validate-with".to_owned()),
        };
        items.insert(item, hasher.finish());
    }
    let configuration = root.child("configuration");
    for section in configuration.into_iter().flat_map(Element::children) {
        let is_own: fn(Element<'_>) -> bool = match section.name() {
            "crm_config" | "rsc_defaults" | "op_defaults" => |child| child.name() == "nvpair",
            "resources" => |child| is_resource(child.name()),
            _ => |_| false,
        };
        for child in section.children() {
            add(child, is_own, &mut items);
        }
    }
    items
}

fn add(element: Element<'_>, is_own: fn(Element<'_>) -> bool, items: &mut BTreeMap<Item, u64>) {
    let mut hasher = DefaultHasher::new();
    digest(element, is_own, &mut hasher, items);
    let text = |name| element.attribute(name).map(str::to_owned);
    let item = Item {
        element: element.name().to_owned(),
        id: text("id").unwrap_or_default(),
        name: text("name").filter(|_| element.name() == "nvpair"),
    };
    // Without an id, several look the same: they count together.
    let before = items.get(&item).copied();
    before.hash(&mut hasher);
    items.insert(item, hasher.finish());
}

/// Takes in an element with all in it; of what is a thing of its own, only that it is there.
fn digest(
    element: Element<'_>,
    is_own: fn(Element<'_>) -> bool,
    hasher: &mut DefaultHasher,
    items: &mut BTreeMap<Item, u64>,
) {
    element.name().hash(hasher);
    // Their order means nothing.
    let mut attributes: Vec<_> = element.attributes().collect();
    attributes.sort_unstable();
    attributes.hash(hasher);
    element.text().hash(hasher);
    for child in element.children() {
        if is_own(child) {
            // The members of a group start in their order; that of options means nothing.
            if child.name() != "nvpair" {
                (child.name(), child.attribute("id")).hash(hasher);
            }
            add(child, is_own, items);
        } else {
            digest(child, is_own, hasher, items);
        }
    }
    0_u8.hash(hasher);
}
