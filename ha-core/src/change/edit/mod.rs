//! Edits of a CIB: what the operations of administrators change in its configuration.
//!
//! Each is a function on a [`Document`]: of a live cluster ([`Plan`](super::Plan) makes a patch of it), of a
//! file, of a copy in memory. One that fails has changed nothing that counts: the document is thrown away
//! with the plan. One that finds everything as it should be changes nothing at all.
//!
//! The ids that edits make are those of Pacemaker's own tools, so that these find what was made here.

pub mod constraint;
pub mod node;
pub mod option;
pub(super) mod reference;
pub mod resource;
pub mod ticket;
pub(super) mod values;

use crate::model::is_resource;
use crate::xml::{Document, Element, NodeId};
use crate::{Error, ErrorKind, Result};

/// The sections of a configuration in the order in which the schema wants them.
const SECTIONS: [&str; 9] = [
    "crm_config",
    "nodes",
    "resources",
    "constraints",
    "fencing-topology",
    "op_defaults",
    "rsc_defaults",
    "alerts",
    "acls",
];

/// Returns a section of the configuration, if it is there.
pub(in crate::change) fn section<'d>(cib: &'d Document, name: &str) -> Option<Element<'d>> {
    cib.root().child("configuration")?.child(name)
}

/// Returns a section of the configuration, made where it is missing.
pub(in crate::change) fn section_made(cib: &mut Document, name: &str) -> NodeId {
    let root = cib.root();
    let found = root.child("configuration").map(Element::id);
    let configuration = found.unwrap_or_else(|| {
        let root = cib.root().id();
        cib.insert_child(root, 0, "configuration")
    });
    if let Some(section) = cib.element(configuration).child(name) {
        return section.id();
    }
    let rank = |name: &str| SECTIONS.iter().position(|s| *s == name);
    let rank_of_new = rank(name).unwrap_or(SECTIONS.len());
    let siblings = cib.element(configuration).children();
    let position = siblings
        .take_while(|sibling| rank(sibling.name()).is_some_and(|rank| rank < rank_of_new))
        .count();
    cib.insert_child(configuration, position, name)
}

/// Iterates over all resources and templates of the configuration.
pub(in crate::change) fn resources(cib: &Document) -> impl Iterator<Item = Element<'_>> {
    let section = section(cib, "resources");
    section
        .into_iter()
        .flat_map(Element::descendants)
        .filter(|element| is_resource(element.name()))
}

/// Finds a resource or a template. An instance of a clone (`gw_pingd:0`) stands for what is cloned.
///
/// # Errors
/// [`ErrorKind::NotFound`], naming one whose name is similar.
pub fn find_resource<'d>(cib: &'d Document, id: &str) -> Result<Element<'d>> {
    let named = |id: &str| resources(cib).find(|element| element.attribute("id") == Some(id));
    let instance = || {
        let (id, number) = id.rsplit_once(':')?;
        number.parse::<u32>().ok()?;
        named(id)
    };
    named(id).or_else(instance).ok_or_else(|| {
        let ids = resources(cib).filter_map(|element| element.attribute("id"));
        not_found("resource", id, ids)
    })
}

/// Finds a node of the configuration by its name.
///
/// # Errors
/// [`ErrorKind::NotFound`], naming one whose name is similar.
pub fn find_node<'d>(cib: &'d Document, name: &str) -> Result<Element<'d>> {
    let nodes = || {
        let section = section(cib, "nodes");
        section.into_iter().flat_map(Element::children)
    };
    nodes()
        .find(|node| node.attribute("uname") == Some(name))
        .ok_or_else(|| not_found("node", name, nodes().filter_map(|n| n.attribute("uname"))))
}

/// The error about a name that nothing has.
pub(crate) fn not_found<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let known: Vec<&str> = known.collect();
    let error = Error::new(ErrorKind::NotFound, format!("there is no {what} {name}"));
    match similar(name, known.iter().copied()) {
        Some(similar) => error.with_hint(format!("did you mean {similar}?")),
        None if known.is_empty() => {
            error.with_hint(format!("the configuration has no {what} at all"))
        }
        None => error.with_hint(format!("the configuration has: {}", known.join(", "))),
    }
}

pub(in crate::change) use crate::name::similar;

/// Makes an id of a text: one that XML allows and that no element has yet.
pub(in crate::change) fn fresh_id(cib: &Document, wanted: &str) -> String {
    let mut id: String = wanted
        .chars()
        .map(|c| match c {
            ':' => '.',
            c if crate::name::continues_xml_name(c) => c,
            _ => '_',
        })
        .collect();
    if !id.chars().next().is_some_and(crate::name::starts_xml_name) {
        id.insert(0, '_');
    }
    let taken = |id: &str| {
        let mut all = cib.root().descendants();
        all.any(|element| element.attribute("id") == Some(id))
    };
    if !taken(&id) {
        return id;
    }
    (1..)
        .map(|n| format!("{id}-{n}"))
        .find(|id| !taken(id))
        .unwrap_or(id)
}
