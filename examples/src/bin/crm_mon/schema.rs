//! Does a CIB in a file conform to the schema that it names?
//!
//! Pacemaker's schemas are checked by its own library, which takes far longer than all the rest. So
//! it is given an extract: no schema says anything of the inside of the status, and of elements
//! that are alike in all that a schema looks at, one stands for all.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher};

use ha_core::live::pacemaker::cib;
use ha_core::xml::{Document, Element, NodeId};
use ha_core::{Error, Result};

use crate::source::PATIENCE;

/// Attributes of which a schema asks at most that they could be an identifier.
const IDENTIFIERS: [&str; 7] = ["id", "uname", "rsc", "with-rsc", "first", "then", "node"];

/// Attributes that name another element by its identifier.
const REFERENCES: [&str; 6] = ["rsc", "with-rsc", "first", "then", "template", "id-ref"];

/// Checks a CIB; one that names no schema is taken as it is.
pub(crate) fn conforming(document: Document) -> Result<Document> {
    let root = document.root();
    if root.name() != "cib" {
        return Err(Error::invalid(format!(
            "the root element is {}, not cib",
            root.name()
        )));
    }
    if root
        .attribute("validate-with")
        .is_some_and(|name| name != "none")
    {
        cib::validate(&extract(&document), PATIENCE)?;
    }
    Ok(document)
}

fn extract(document: &Document) -> Document {
    let root = document.root();
    let mut copy = Document::new(root.name());
    let top = copy.root().id();
    copy_attributes(root, &mut copy, top);
    let whole = must_be_whole(root);
    for (at, child) in root.children().enumerate() {
        match child.name() {
            "status" => {
                copy.append_child(top, "status");
            }
            "configuration" if !whole => {
                let to = copy.append_child(top, "configuration");
                copy_attributes(child, &mut copy, to);
                copy_different(child, &mut copy, to);
            }
            _ => {
                copy.import(top, at, child);
            }
        }
    }
    copy
}

fn copy_attributes(from: Element<'_>, copy: &mut Document, to: NodeId) {
    for (name, value) in from.attributes() {
        copy.set_attribute(to, name, value);
    }
}

/// Copies the sections of a configuration with what is different in each, and what that refers to.
fn copy_different(configuration: Element<'_>, copy: &mut Document, to: NodeId) {
    let sections: Vec<Element<'_>> = configuration.children().collect();
    let mut kept: Vec<Vec<(Element<'_>, bool)>> = Vec::new();
    let mut references = HashSet::new();
    for section in &sections {
        let mut seen = HashSet::new();
        let mut children = Vec::new();
        for child in section.children() {
            let mut shape = DefaultHasher::new();
            describe(child, &mut shape);
            let is_new = seen.insert(shape.finish());
            if is_new {
                references.extend(child.descendants().flat_map(referred));
            }
            children.push((child, is_new));
        }
        kept.push(children);
    }
    loop {
        let missing = |child: Element<'_>| {
            let mut ids = child.descendants().filter_map(|e| e.attribute("id"));
            ids.any(|id| references.contains(id))
        };
        let found: Vec<(usize, usize)> = kept
            .iter()
            .enumerate()
            .flat_map(|(x, section)| section.iter().enumerate().map(move |(y, at)| (x, y, at)))
            .filter(|(_, _, (child, is_kept))| !is_kept && missing(*child))
            .map(|(x, y, _)| (x, y))
            .collect();
        if found.is_empty() {
            break;
        }
        for (x, y) in found {
            let (child, is_kept) = &mut kept[x][y];
            *is_kept = true;
            references.extend(child.descendants().flat_map(referred));
        }
    }
    for (section, children) in sections.into_iter().zip(kept) {
        let to = copy.append_child(to, section.name());
        copy_attributes(section, copy, to);
        let children = children.into_iter().filter(|(_, is_kept)| *is_kept);
        for (position, (child, _)) in children.enumerate() {
            copy.import(to, position, child);
        }
    }
}

/// Returns what an element refers to by its identifier.
fn referred(element: Element<'_>) -> impl Iterator<Item = &str> {
    let is_reference = element.name().ends_with("_ref");
    element
        .attributes()
        .filter(move |(name, _)| REFERENCES.contains(name) || (is_reference && *name == "id"))
        .map(|(_, value)| value)
}

/// Describes all that a schema looks at in an element and what is inside it.
fn describe(top: Element<'_>, shape: &mut DefaultHasher) {
    for element in top.descendants() {
        element.name().hash(shape);
        element.children().count().hash(shape);
        for (name, value) in element.attributes() {
            name.hash(shape);
            if IDENTIFIERS.contains(&name) && is_identifier(value) {
                continue;
            }
            if element.name() != "nvpair" || !matches!(name, "name" | "value") {
                value.hash(shape);
            }
        }
    }
}

/// Tells whether a text is plainly an identifier: all of these are alike.
fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// Tells whether an extract could hide what is wrong: an identifier that occurs twice, or a
/// reference to nothing.
fn must_be_whole(root: Element<'_>) -> bool {
    let mut ids = HashSet::new();
    let mut references = HashSet::new();
    let configuration = root.child("configuration");
    for element in configuration.into_iter().flat_map(Element::descendants) {
        references.extend(referred(element));
        let id = element.attribute("id");
        let id = id.filter(|_| !element.name().ends_with("_ref"));
        if id.is_some_and(|id| !ids.insert(id)) {
            return true;
        }
    }
    !references.is_subset(&ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cib(resources: &str) -> Document {
        let text = format!(
            "<cib validate-with='pacemaker-3.0' epoch='1' num_updates='0' admin_epoch='0'>\
             <configuration><crm_config/><nodes/><resources>{resources}</resources><constraints/>\
             </configuration><status><node_state id='1'/></status></cib>"
        );
        Document::parse(&text).expect("well-formed")
    }

    fn primitive(id: &str, more: &str) -> String {
        format!("<primitive id='{id}' class='ocf' provider='pacemaker' type='Dummy' {more}/>")
    }

    fn kept(document: &Document) -> usize {
        let extract = extract(document);
        let found = extract.root().descendants();
        found
            .filter(|element| element.name() == "primitive")
            .count()
    }

    #[test]
    fn one_stands_for_all_that_are_alike() {
        let alike = [primitive("a", ""), primitive("b", ""), primitive("c", "")].concat();
        assert_eq!(kept(&cib(&alike)), 1);
        assert!(conforming(cib(&alike)).is_ok());
    }

    #[test]
    fn what_is_referred_to_is_kept() {
        let resources = [primitive("a", ""), primitive("b", ""), primitive("c", "")].concat();
        let mut document = cib(&resources);
        let constraints = document
            .root()
            .descendants()
            .find(|e| e.name() == "constraints");
        let constraints = constraints.map(Element::id).expect("there");
        for (id, rsc) in [("l1", "b"), ("l2", "c")] {
            let location = document.append_child(constraints, "rsc_location");
            for (name, value) in [("id", id), ("rsc", rsc), ("node", "n"), ("score", "1")] {
                document.set_attribute(location, name, value);
            }
        }
        assert_eq!(kept(&document), 2);
        assert!(conforming(document).is_ok());
    }

    #[test]
    fn what_is_wrong_is_kept() {
        let wrong = [
            primitive("a", "") + &primitive("b", "unheard-of='1'"),
            primitive("a", "") + &primitive("a b", ""),
            primitive("\u{e9}", "") + &primitive("1\u{e9}", ""),
            primitive("a", "") + &primitive("a", ""),
            primitive("a", "") + "<primitive id='b' class='ocf'/>",
            primitive("a", "") + "<unheard-of/>",
        ];
        for resources in wrong {
            assert!(conforming(cib(&resources)).is_err(), "{resources}");
        }
    }
}
