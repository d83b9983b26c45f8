//! Patch sets of format 2: how Pacemaker says what changed in a CIB.
//!
//! ```xml
//! <diff format="2">
//!   <version>
//!     <source admin_epoch="0" epoch="1" num_updates="0"/>
//!     <target admin_epoch="0" epoch="2" num_updates="0"/>
//!   </version>
//!   <change operation="delete" path="/cib/configuration/resources/primitive[@id='old']"/>
//!   <change operation="modify" path="/cib"> ... </change>
//!   <change operation="create" path="/cib/configuration/resources" position="0"> ... </change>
//!   <change operation="move" path="/cib/configuration/resources/group[@id='g']" position="1"/>
//! </diff>
//! ```
//!
//! How such a set is applied, as `crm_diff --patch` does: deletions and modifications in the order
//! given; then the elements to be moved are taken out, and these and the created ones are put in
//! place by rising position. A position counts the elements and comments before it in the result.

use super::document::{Document, NONE, NodeId, ROOT};
use super::element::{Children, Element};
use super::names::{self, COMMENT};
use crate::value::CibVersion;
use crate::{Error, ErrorKind, Result};

/// A patch set of format 2: what to change in a document, and from which version to which.
///
/// # Example
/// ```
/// use ha_core::xml::{Document, PatchSet};
///
/// let old = Document::parse("<cib epoch='1'><status><node_state id='1' crmd='offline'/></status></cib>")?;
/// let new = Document::parse("<cib epoch='2'><status><node_state id='1' crmd='online'/></status></cib>")?;
/// let patch = PatchSet::between(&old, &new)?;
/// assert_eq!(patch.source().map(|v| v.to_string()).as_deref(), Some("0.1.0"));
///
/// let mut mirror = old.clone();
/// mirror.apply(&patch)?;
/// assert_eq!(mirror, new);
/// // The version is no longer the one that the patch set starts from.
/// assert_eq!(mirror.apply(&patch).unwrap_err().kind(), ha_core::ErrorKind::Conflict);
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchSet {
    /// The `diff` element, checked by [`PatchSet::from_document`].
    document: Document,
}

/// One change of a [`PatchSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change<'p> {
    /// A new element, with all it holds.
    Create {
        /// Path of the element that receives it.
        parent: &'p str,
        /// Number of children (elements and comments) before it in the result.
        position: usize,
        /// The new element; none when it is a comment.
        element: Option<Element<'p>>,
    },
    /// An element, or a comment when there is a position, disappears.
    Delete {
        /// Path of the element; its last step is `comment` for a comment.
        path: &'p str,
        /// Number of children before the comment.
        position: Option<usize>,
    },
    /// The attributes of an element change.
    Modify {
        /// Path of the element.
        path: &'p str,
        /// The attributes that change, with their new values; none for those that disappear.
        attributes: ChangedAttributes<'p>,
        /// An element that has the attributes of the result and no children.
        result: Option<Element<'p>>,
    },
    /// An element changes its place among its siblings.
    Move {
        /// Path of the element.
        path: &'p str,
        /// Number of children (elements and comments) before it in the result.
        position: usize,
    },
}

/// The attributes that a [`Change::Modify`] changes: (name, new value or none).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChangedAttributes<'p>(Option<Element<'p>>);

impl<'p> ChangedAttributes<'p> {
    /// Returns the changed attributes as (name, new value or none when it disappears).
    pub fn iter(self) -> impl Iterator<Item = (&'p str, Option<&'p str>)> {
        let list = self
            .0
            .into_iter()
            .flat_map(|list| list.children_named("change-attr"));
        list.filter_map(|e| {
            let value = match e.attribute("operation") {
                Some("unset") => None,
                _ => Some(e.attribute("value").unwrap_or_default()),
            };
            Some((e.attribute("name")?, value))
        })
    }
}

impl std::fmt::Debug for ChangedAttributes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

impl PatchSet {
    /// Reads a patch set from XML text whose root is `diff`.
    ///
    /// # Errors
    /// Those of [`Document::parse`] and of [`PatchSet::from_document`].
    pub fn parse(text: &str) -> Result<Self> {
        Self::from_document(Document::parse(text)?)
    }

    /// Takes a patch set from an element (as from a notification), by copying it.
    ///
    /// # Errors
    /// Those of [`PatchSet::from_document`].
    pub fn from_element(diff: Element<'_>) -> Result<Self> {
        Self::from_document(Document::copy_of(diff))
    }

    /// Takes a patch set from a document whose root is `diff`.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the format is not 2; [`ErrorKind::Invalid`] when the
    /// document is no patch set: another root, a change without a path or with an operation that
    /// format 2 does not have, an element to create or a modification that is not given.
    pub fn from_document(document: Document) -> Result<Self> {
        let root = document.root();
        if root.name() != "diff" {
            return Err(Error::invalid(format!(
                "<{}> is not a patch set (<diff>)",
                root.name()
            )));
        }
        match root.attribute("format") {
            Some("2") => {}
            other => {
                let other = other.unwrap_or("1");
                let message = format!("patch sets of format {other} are not supported");
                return Err(Error::new(ErrorKind::Unsupported, message)
                    .with_hint("all Pacemaker versions since 1.1.12 use format 2"));
            }
        }
        for (i, change) in root.children_named("change").enumerate() {
            if let Err(wrong) = read_change(change) {
                return Err(Error::invalid(format!(
                    "change {} of the patch set {wrong}",
                    i + 1
                )));
            }
        }
        Ok(Self { document })
    }

    /// Returns the version that a document must have for this patch set, when one is stated.
    #[must_use]
    pub fn source(&self) -> Option<CibVersion> {
        Some(
            self.document
                .root()
                .child("version")?
                .child("source")?
                .version(),
        )
    }

    /// Returns the version that the result has, when one is stated.
    #[must_use]
    pub fn target(&self) -> Option<CibVersion> {
        Some(
            self.document
                .root()
                .child("version")?
                .child("target")?
                .version(),
        )
    }

    /// Returns the changes, in order.
    #[must_use]
    pub fn changes(&self) -> Changes<'_> {
        Changes(self.document.root().children())
    }

    /// Returns the `diff` element.
    #[must_use]
    pub fn root(&self) -> Element<'_> {
        self.document.root()
    }

    /// Writes the patch set as XML, as `crm_diff --patch` and `cibadmin --patch` read it.
    #[must_use]
    pub fn to_xml(&self) -> String {
        self.document.to_xml()
    }
}

/// The changes of a patch set: see [`PatchSet::changes`].
#[derive(Debug, Clone)]
pub struct Changes<'p>(Children<'p>);

impl<'p> Iterator for Changes<'p> {
    type Item = Change<'p>;

    fn next(&mut self) -> Option<Change<'p>> {
        self.0
            .by_ref()
            .filter(|e| e.name() == "change")
            .find_map(|e| read_change(e).ok())
    }
}

fn read_change(change: Element<'_>) -> std::result::Result<Change<'_>, String> {
    let path = change.attribute("path").ok_or("has no path")?;
    let position = match change.attribute("position") {
        None => None,
        Some(text) => {
            let number = text.parse::<usize>();
            Some(number.map_err(|_| format!("has a position that is no number: {text:?}"))?)
        }
    };
    match change.attribute("operation") {
        Some("create") => {
            let element = change.children().next();
            if first_child(change) == NONE {
                return Err(format!("creates nothing in {path}"));
            }
            // One child is created; when it is a comment, an element after it is none of this.
            let element = element.filter(|e| e.id().0 == first_child(change));
            Ok(Change::Create {
                parent: path,
                position: position.unwrap_or(0),
                element,
            })
        }
        Some("delete") => Ok(Change::Delete { path, position }),
        Some("move") => Ok(Change::Move {
            path,
            position: position.unwrap_or(0),
        }),
        Some("modify") => {
            let list = change.child("change-list");
            let result = change
                .child("change-result")
                .and_then(|r| r.children().next());
            if result.is_none() && list.is_none() {
                return Err(format!("does not say how to modify {path}"));
            }
            let attributes = ChangedAttributes(list);
            if let Some((bad, _)) = attributes.iter().find(|(name, _)| !names::is_name(name)) {
                return Err(format!("changes an attribute of a bad name: {bad:?}"));
            }
            Ok(Change::Modify {
                path,
                attributes,
                result,
            })
        }
        Some(other) => Err(format!("has an unknown operation: {other:?}")),
        None => Err("has no operation".to_owned()),
    }
}

/// Something to be put among the children of an element.
struct Placement {
    parent: u32,
    node: u32,
    position: usize,
    /// Whether the node comes from another place among the same children.
    moved: bool,
}

impl Document {
    /// Applies a patch set: all of it, or nothing when it fails.
    ///
    /// It may number the elements anew: no [`NodeId`] of before is valid after it.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when the document's version is not the one that the patch set
    /// starts from, or when an element that it names is not there: the document is not the one
    /// that the patch set was made from.
    pub fn apply(&mut self, patch: &PatchSet) -> Result<()> {
        if let Some(source) = patch.source() {
            let version = self.version();
            if source != version {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("the patch set starts from version {source}, the CIB has {version}"),
                )
                .with_hint("query the whole CIB again"));
            }
        }
        self.begin();
        match self.apply_changes(patch) {
            Ok(()) => self.commit(),
            Err(e) => {
                self.roll_back();
                return Err(e);
            }
        }
        if self.garbage > self.size() / 2 {
            self.compact();
        }
        Ok(())
    }

    fn apply_changes(&mut self, patch: &PatchSet) -> Result<()> {
        let mut placements = Vec::new();
        for change in patch.root().children_named("change") {
            let Ok(kind) = read_change(change) else {
                continue;
            };
            match kind {
                Change::Create {
                    parent, position, ..
                } => {
                    let parent = self.must_find(parent, "create an element in")?;
                    let node = self.copy_tree(change.document(), first_child(change));
                    placements.push(Placement {
                        parent,
                        node,
                        position,
                        moved: false,
                    });
                }
                Change::Move { path, position } => {
                    let node = self.must_find(path, "move")?;
                    if node == ROOT {
                        return Err(Error::new(ErrorKind::Conflict, "the root cannot be moved"));
                    }
                    let parent = self.nodes[node as usize].parent;
                    placements.push(Placement {
                        parent,
                        node,
                        position,
                        moved: true,
                    });
                }
                Change::Delete { path, position } => {
                    // Pacemaker, too, takes what is not there as deleted already.
                    let node = match (path.strip_suffix("/comment"), position) {
                        (Some(parent), Some(position)) => self.find_comment(parent, position),
                        _ => self.find_path(path),
                    };
                    match node {
                        Some(ROOT) => {
                            let message = "the root cannot be deleted";
                            return Err(Error::new(ErrorKind::Conflict, message));
                        }
                        Some(node) => self.remove(NodeId(node)),
                        None => {}
                    }
                }
                Change::Modify {
                    path,
                    attributes,
                    result,
                } => {
                    let node = self.must_find(path, "modify")?;
                    match result {
                        Some(result) => self.replace_attributes(node, result),
                        None => {
                            for (name, value) in attributes.iter() {
                                match value {
                                    Some(value) => self.set_attribute(NodeId(node), name, value),
                                    None => {
                                        self.remove_attribute(NodeId(node), name);
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        self.place(placements)?;
        if let Some(target) = patch.target() {
            self.set_version(target);
        }
        Ok(())
    }

    /// Puts created and moved nodes in their places.
    fn place(&mut self, mut placements: Vec<Placement>) -> Result<()> {
        for placement in placements.iter().filter(|p| p.moved) {
            if self.nodes[placement.node as usize].parent == NONE {
                let message = "the patch set moves an element that it also deletes, or moves twice";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            self.unlink(placement.node);
        }
        placements.sort_by_key(|p| (p.parent, p.position));
        let (mut parent, mut at, mut before) = (NONE, 0, NONE);
        for p in &placements {
            if p.parent != parent || p.position < at {
                (parent, at, before) = (
                    p.parent,
                    0,
                    self.counted(self.nodes[p.parent as usize].first),
                );
            }
            while at < p.position && before != NONE {
                before = self.counted(self.nodes[before as usize].next);
                at += 1;
            }
            if p.moved && at < p.position {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "the patch set moves an element to position {} of {at}",
                        p.position
                    ),
                ));
            }
            self.link(p.node, p.parent, before);
            at += 1;
        }
        Ok(())
    }

    fn set_version(&mut self, target: CibVersion) {
        let now = self.version();
        for (name, now, target) in [
            ("admin_epoch", now.admin_epoch, target.admin_epoch),
            ("epoch", now.epoch, target.epoch),
            ("num_updates", now.num_updates, target.num_updates),
        ] {
            if now != target {
                self.set_attribute(NodeId(ROOT), name, &target.to_string());
            }
        }
    }

    fn must_find(&self, path: &str, what: &str) -> Result<u32> {
        self.find_path(path).ok_or_else(|| {
            Error::new(
                ErrorKind::Conflict,
                format!("cannot {what} {path}: it is not there"),
            )
            .with_hint("query the whole CIB again")
        })
    }

    /// Finds the element that a path of a patch set names: the first one at each step.
    fn find_path(&self, path: &str) -> Option<u32> {
        let mut steps = Steps(path);
        let (name, id) = steps.next()??;
        if self.root().name() != name
            || id.is_some_and(|id| self.root().attribute("id") != Some(id))
        {
            return None;
        }
        let id_symbol = self.names.find("id");
        let mut at = self.root();
        for step in steps {
            let (name, id) = step?;
            let mut children = at.children_named(name);
            at = match id {
                None => children.next()?,
                Some(id) => {
                    let id_symbol = id_symbol?;
                    children.find(|e| e.attribute_of(id_symbol) == Some(id))?
                }
            };
        }
        Some(at.id().0)
    }

    /// Finds a comment by its parent's path and its position among the elements and comments.
    fn find_comment(&self, parent: &str, position: usize) -> Option<u32> {
        let parent = self.find_path(parent)?;
        let mut at = self.counted(self.nodes[parent as usize].first);
        for _ in 0..position {
            if at == NONE {
                return None;
            }
            at = self.counted(self.nodes[at as usize].next);
        }
        (at != NONE && self.nodes[at as usize].name == COMMENT).then_some(at)
    }

    /// Returns this node, or the next one that positions count (all but text).
    pub(super) fn counted(&self, mut at: u32) -> u32 {
        while at != NONE && self.nodes[at as usize].is_text() {
            at = self.nodes[at as usize].next;
        }
        at
    }
}

/// Returns what a change creates: its first child, text aside.
fn first_child(change: Element<'_>) -> u32 {
    let document = change.document();
    document.counted(document.nodes[change.id().0 as usize].first)
}

/// The steps of a path such as `/cib/status/node_state[@id='1']`: a name and perhaps an id, or
/// `None` for what is no step.
struct Steps<'p>(&'p str);

impl<'p> Iterator for Steps<'p> {
    type Item = Option<(&'p str, Option<&'p str>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some(rest) = self.0.strip_prefix('/') else {
            self.0 = "";
            return Some(None);
        };
        let end = rest.find(['/', '[']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let Some(predicate) = rest.strip_prefix('[') else {
            self.0 = rest;
            return Some(Some((name, None)));
        };
        // Pacemaker does not escape quotes in an id: it ends where the step does.
        let quoted = ["@id='", "@id=\""].iter().find_map(|start| {
            let value = predicate.strip_prefix(start)?;
            let close = if start.ends_with('"') { "\"]" } else { "']" };
            let end = value
                .match_indices(close)
                .map(|(i, _)| i)
                .find(|i| matches!(value.as_bytes().get(i + 2), None | Some(b'/')))?;
            Some((&value[..end], &value[end + 2..]))
        });
        let Some((id, rest)) = quoted else {
            self.0 = "";
            return Some(None);
        };
        self.0 = rest;
        Some(Some((name, Some(id))))
    }
}
