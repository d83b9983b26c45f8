//! Who refers to an element of the configuration, when that goes or gets another id.

use crate::xml::{Document, Element, NodeId};

/// The attributes that name a resource, a tag or an id, and the elements that have them.
fn names_an_id(element: &str, attribute: &str) -> bool {
    match attribute {
        "id-ref" => true,
        "rsc" | "with-rsc" | "first" | "then" => element.starts_with("rsc_"),
        "template" => element == "primitive",
        "reference" => element == "acl_permission",
        "id" => matches!(element, "resource_ref" | "obj_ref"),
        _ => false,
    }
}

fn configuration(cib: &Document) -> impl Iterator<Item = Element<'_>> {
    let configuration = cib.root().child("configuration");
    configuration.into_iter().flat_map(Element::descendants)
}

fn references<'d>(cib: &'d Document, id: &str) -> Vec<(NodeId, &'d str, &'d str)> {
    let of_element = |element: Element<'d>| {
        element
            .attributes()
            .filter(|(name, value)| *value == id && names_an_id(element.name(), name))
            .map(move |(name, _)| (element.id(), element.name(), name))
            .collect::<Vec<_>>()
    };
    configuration(cib).flat_map(of_element).collect()
}

fn levels(cib: &Document) -> Vec<(NodeId, Vec<String>)> {
    let levels = configuration(cib).filter(|element| element.name() == "fencing-level");
    levels
        .map(|level| {
            let devices = level.attribute("devices").unwrap_or_default().split(',');
            (level.id(), devices.map(str::to_owned).collect())
        })
        .collect()
}

/// Finds one who refers to an id by `id-ref`: its values would change with what goes.
pub(in crate::change) fn borrower(cib: &Document, id: &str) -> Option<String> {
    references(cib, id)
        .into_iter()
        .find(|(_, _, attribute)| *attribute == "id-ref")
        .and_then(|(borrower, ..)| {
            let mut around = Some(cib.element(borrower));
            while let Some(element) = around {
                if let Some(id) = element.attribute("id") {
                    return Some(id.to_owned());
                }
                around = element.parent();
            }
            None
        })
}

/// Removes what refers to an id that is gone: a constraint, an entry of a set, a tag or a fencing level,
/// a permission; and what is empty without it.
pub(in crate::change) fn drop_all(cib: &mut Document, id: &str) {
    let mut ids = vec![id.to_owned()];
    while let Some(id) = ids.pop() {
        let users: Vec<NodeId> = references(cib, &id)
            .into_iter()
            .map(|user| user.0)
            .collect();
        for mut user in users {
            // A list whose last entry goes is removed, and so is a constraint whose last set goes.
            while let Some(list) = cib.element(user).parent().filter(|parent| {
                let is_list = matches!(parent.name(), "resource_set" | "tag")
                    || parent.name().starts_with("rsc_");
                let entries = parent.children().filter(|c| c.name() != "rule").count();
                is_list && entries == 1
            }) {
                user = list.id();
            }
            ids.extend(cib.element(user).attribute("id").map(str::to_owned));
            cib.remove(user);
        }
        for (level, mut devices) in levels(cib) {
            let before = devices.len();
            devices.retain(|device| *device != id);
            if devices.is_empty() {
                cib.remove(level);
            } else if devices.len() < before {
                cib.set_attribute(level, "devices", &devices.join(","));
            }
        }
    }
}

/// Gives an element another id, also where others refer to it, and the same to the ids of its parts that
/// were made from its own.
pub(in crate::change) fn rename(cib: &mut Document, element: NodeId, from: &str, to: &str) {
    let prefix = format!("{from}-");
    let parts = cib.element(element).descendants().filter_map(|part| {
        let id = part.attribute("id")?;
        let rest = id.strip_prefix(&prefix)?;
        (!crate::model::is_resource(part.name()))
            .then(|| (part.id(), id.to_owned(), format!("{to}-{rest}")))
    });
    let mut renamed: Vec<(NodeId, String, String)> = parts.collect();
    // What crm_resource makes for a resource is found by its name.
    let temporary = configuration(cib).filter_map(|constraint| {
        let id = constraint.attribute("id")?;
        let new = if id == format!("cli-prefer-{from}") {
            format!("cli-prefer-{to}")
        } else {
            let node = id.strip_prefix(&format!("cli-ban-{from}-on-"))?;
            format!("cli-ban-{to}-on-{node}")
        };
        Some((constraint.id(), id.to_owned(), new))
    });
    renamed.extend(temporary);
    renamed.push((element, from.to_owned(), to.to_owned()));
    for (part, old, new) in renamed {
        let users: Vec<(NodeId, String)> = references(cib, &old)
            .into_iter()
            .map(|(user, _, attribute)| (user, attribute.to_owned()))
            .collect();
        for (user, attribute) in users {
            cib.set_attribute(user, &attribute, &new);
        }
        cib.set_attribute(part, "id", &new);
    }
    for (level, mut devices) in levels(cib) {
        if devices.iter().any(|device| device == from) {
            for device in devices.iter_mut().filter(|device| *device == from) {
                to.clone_into(device);
            }
            cib.set_attribute(level, "devices", &devices.join(","));
        }
    }
}
