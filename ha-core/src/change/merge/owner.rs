//! Who configured what: a tag in the CIB names what an owner desired the last time.

use std::collections::HashSet;

use serde::Serialize;

use crate::change::edit::{constraint, reference, resource, section_made, values};
use crate::language::{Language, say};
use crate::model::is_resource;
use crate::name::Id;
use crate::xml::{Document, Element, NodeId};
use crate::{ErrorKind, Result};

const PREFIX: &str = "owned-by-";

/// Returns the id of the tag that remembers what an owner has.
#[must_use]
pub fn tag_of(owner: &Id) -> String {
    format!("{PREFIX}{}", owner.as_str())
}

/// What becomes an owner's that was there before and was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TakenOver {
    /// What it is, as its element is called.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Who has it now.
    pub owner: String,
    /// Who else has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

impl TakenOver {
    /// Returns it as a line in a language.
    #[must_use]
    pub fn text(&self, l: Language) -> String {
        let Self {
            kind,
            id,
            owner,
            of,
        } = self;
        let mut text = match of {
            Some(of) => say!(
                l,
                "! takes over {kind} {id}, which is also of {of}",
                "! prend {kind} {id}, qui est aussi à {of}"
            ),
            None => say!(
                l,
                "! takes over {kind} {id}, which was not of {owner}",
                "! prend {kind} {id}, qui n'était pas à {owner}"
            ),
        };
        text.push('\n');
        text
    }
}

/// Finds what a change takes over. Single values are not told: whoever sets them sees both values.
pub(in crate::change) fn taken_over(before: &Document, after: &Document) -> Vec<TakenOver> {
    let tags = crate::change::edit::section(after, "tags");
    let tags = tags.into_iter().flat_map(Element::children);
    let mut taken = Vec::new();
    for tag in tags.filter_map(|tag| tag.attribute("id")) {
        let Some(owner) = tag.strip_prefix(PREFIX) else {
            continue;
        };
        let had: HashSet<String> = members(before, tag).into_iter().collect();
        let new: HashSet<String> = members(after, tag)
            .into_iter()
            .filter(|id| !had.contains(id))
            .collect();
        if new.is_empty() {
            continue;
        }
        let configuration = before.root().child("configuration");
        let all = configuration.into_iter().flat_map(Element::descendants);
        let is_object = |name: &str| !super::meaning::is_reference(name) && name != "nvpair";
        for element in all.filter(|element| is_object(element.name())) {
            let Some(id) = element.attribute("id").filter(|id| new.contains(*id)) else {
                continue;
            };
            let mut of = owners(before, id).filter_map(|tag| tag.strip_prefix(PREFIX));
            taken.push(TakenOver {
                kind: element.name().to_owned(),
                id: id.to_owned(),
                owner: owner.to_owned(),
                of: of.next().map(str::to_owned),
            });
        }
    }
    taken
}

/// The owner of all that is owned; none when there are several, or none.
#[cfg(feature = "toml")]
pub(in crate::change) fn only(cib: &Document) -> Option<Id> {
    let tags = crate::change::edit::section(cib, "tags");
    let tags = tags.into_iter().flat_map(Element::children);
    let mut owners = tags.filter_map(|tag| tag.attribute("id")?.strip_prefix(PREFIX));
    let owner = owners.next().filter(|_| owners.next().is_none())?;
    Id::new(owner).ok()
}

/// Tells whether an owner has an element.
pub(super) fn is_owned(cib: &Document, id: &str) -> bool {
    owners(cib, id).next().is_some()
}

/// The tags of the owners that have an element.
fn owners<'d>(cib: &'d Document, id: &str) -> impl Iterator<Item = &'d str> {
    let tags = crate::change::edit::section(cib, "tags");
    let tags = tags.into_iter().flat_map(Element::children);
    tags.filter(move |tag| {
        tag.children()
            .any(|entry| entry.attribute("id") == Some(id))
    })
    .filter_map(|tag| tag.attribute("id"))
    .filter(|tag| tag.starts_with(PREFIX))
}

/// Removes what the owner had and does not want any more, and writes down what it has now.
pub(super) fn settle(cib: &mut Document, owner: &Id, owned: Vec<String>) -> Result<()> {
    let tag_id = tag_of(owner);
    let mut seen = HashSet::new();
    let owned: Vec<String> = owned
        .into_iter()
        .filter(|id| seen.insert(id.clone()))
        .collect();
    let gone: Vec<String> = members(cib, &tag_id)
        .into_iter()
        .filter(|id| !seen.contains(id))
        .collect();
    for id in gone {
        if !owners(cib, &id).any(|tag| tag != tag_id) {
            remove(cib, &id)?;
        }
    }
    // Taking things away may have taken the tag with it.
    let tag = find(cib, &tag_id);
    if owned.is_empty() {
        if let Some(tag) = tag {
            cib.remove(tag);
            reference::drop_all(cib, &tag_id);
        }
        return Ok(());
    }
    let tag = tag.unwrap_or_else(|| {
        let tags = section_made(cib, "tags");
        let tag = cib.append_child(tags, "tag");
        cib.set_attribute(tag, "id", &tag_id);
        tag
    });
    if members(cib, &tag_id) != owned {
        let old: Vec<NodeId> = cib.element(tag).children().map(Element::id).collect();
        let known: HashSet<String> = members(cib, &tag_id).into_iter().collect();
        for entry in old {
            let id = cib.element(entry).attribute("id").unwrap_or_default();
            if !seen.contains(id) {
                cib.remove(entry);
            }
        }
        for id in owned.iter().filter(|id| !known.contains(*id)) {
            let entry = cib.append_child(tag, "obj_ref");
            cib.set_attribute(entry, "id", id);
        }
    }
    Ok(())
}

fn find(cib: &Document, tag: &str) -> Option<NodeId> {
    let tags = crate::change::edit::section(cib, "tags")?;
    let mut tags = tags.children();
    tags.find(|e| e.attribute("id") == Some(tag))
        .map(Element::id)
}

fn members(cib: &Document, tag: &str) -> Vec<String> {
    let tag = find(cib, tag).map(|tag| cib.element(tag));
    let entries = tag.into_iter().flat_map(Element::children);
    entries
        .filter_map(|entry| entry.attribute("id"))
        .map(str::to_owned)
        .collect()
}

/// Removes an element of the configuration, whatever it is, and the references to it.
fn remove(cib: &mut Document, id: &str) -> Result<()> {
    let configuration = cib.root().child("configuration");
    let mut all = configuration.into_iter().flat_map(Element::descendants);
    let found =
        all.find(|e| e.attribute("id") == Some(id) && !super::meaning::is_reference(e.name()));
    let Some(element) = found else {
        return Ok(());
    };
    let name = element.name();
    if is_resource(name) {
        return match resource::delete(cib, id) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        };
    }
    if name.starts_with("rsc_") {
        constraint::remove(cib, id);
        return Ok(());
    }
    let set = element
        .parent()
        .filter(|_| name == "nvpair")
        .map(Element::id);
    let element = element.id();
    cib.remove(element);
    if let Some(set) = set {
        values::tidy(cib, set);
    }
    reference::drop_all(cib, id);
    Ok(())
}
