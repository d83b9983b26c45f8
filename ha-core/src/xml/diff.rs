//! Making the patch set that leads from one document to another.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::document::{Document, NONE, NodeId, ROOT};
use super::element::{Element, same_attributes};
use super::patch::PatchSet;
use crate::{Error, ErrorKind, Result};

/// Elements deeper than this are replaced as a whole: paths stay short, and so does the patch
/// set of a tree of a million levels. A CIB has about ten levels.
const MAX_DEPTH: usize = 64;

impl PatchSet {
    /// Makes the patch set that leads from one document to another: `old` with it applied equals
    /// `new`.
    ///
    /// Elements are the same when their parents are the same and they have the same name and id.
    /// Those that Pacemaker's paths cannot tell apart (several of one name without ids, ids with
    /// a quote, a slash or a blank, elements with text) are replaced as a whole when they differ. As few
    /// elements as possible are moved.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the roots have different names, or when they must be
    /// replaced as a whole: a patch set cannot do that.
    pub fn between(old: &Document, new: &Document) -> Result<Self> {
        if old.root().name() != new.root().name() {
            let (old, new) = (old.root().name(), new.root().name());
            let message = format!("no patch set leads from a root <{old}> to a root <{new}>");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let mut diff = Diff::new(old, new);
        if is_opaque(old.root()) || new.root().holds_text() {
            if old != new {
                let name = old.root().name();
                let message = format!("a patch set cannot change what the root <{name}> holds");
                return Err(Error::new(ErrorKind::Unsupported, message).with_hint(
                    "it holds text, or elements whose ids have a quote, a slash or a blank",
                ));
            }
        } else {
            let mut pairs = vec![Pair {
                old: ROOT,
                new: ROOT,
                depth: 1,
            }];
            while let Some(pair) = pairs.pop() {
                diff.attributes(pair);
                let first = pairs.len();
                diff.children(pair, &mut pairs);
                // The last one is the next one: keep the order of the document.
                pairs[first..].reverse();
            }
        }
        Self::from_document(diff.finish())
    }
}

/// An element of the old document and the one that it becomes.
#[derive(Clone, Copy)]
struct Pair {
    old: u32,
    new: u32,
    depth: usize,
}

struct Diff<'d> {
    old: &'d Document,
    new: &'d Document,
    /// The deletions, in order, become the first changes.
    deletions: Document,
    changes: Document,
}

impl<'d> Diff<'d> {
    fn new(old: &'d Document, new: &'d Document) -> Self {
        Self {
            old,
            new,
            deletions: Document::new("diff"),
            changes: Document::new("diff"),
        }
    }

    fn finish(self) -> Document {
        let mut diff = self.deletions;
        let root = NodeId(ROOT);
        diff.set_attribute(root, "format", "2");
        let version = diff.insert_child(root, 0, "version");
        for (name, v) in [
            ("source", self.old.version()),
            ("target", self.new.version()),
        ] {
            let element = diff.append_child(version, name);
            diff.set_attribute(element, "admin_epoch", &v.admin_epoch.to_string());
            diff.set_attribute(element, "epoch", &v.epoch.to_string());
            diff.set_attribute(element, "num_updates", &v.num_updates.to_string());
        }
        for change in self.changes.root().children() {
            let copy = diff.copy_tree(&self.changes, change.id().0);
            diff.link(copy, ROOT, NONE);
        }
        diff
    }

    /// Adds the change of an element's attributes.
    fn attributes(&mut self, pair: Pair) {
        let old = Element::new(self.old, pair.old);
        let new = Element::new(self.new, pair.new);
        if same_attributes(old, new) {
            return;
        }
        let path = path_of(self.old, pair.old);
        let change = self.change("modify", &path);
        let list = self.changes.append_child(change, "change-list");
        for (name, value) in new.attributes() {
            if old.attribute(name) != Some(value) {
                let set = self.changes.append_child(list, "change-attr");
                self.changes.set_attribute(set, "name", name);
                self.changes.set_attribute(set, "operation", "set");
                self.changes.set_attribute(set, "value", value);
            }
        }
        for (name, _) in old.attributes() {
            if new.attribute(name).is_none() {
                let unset = self.changes.append_child(list, "change-attr");
                self.changes.set_attribute(unset, "name", name);
                self.changes.set_attribute(unset, "operation", "unset");
            }
        }
        let result = self.changes.append_child(change, "change-result");
        let element = self.changes.append_child(result, new.name());
        self.changes.replace_attributes(element.0, new);
    }

    /// Adds the changes of an element's children, and the pairs to be compared further.
    fn children(&mut self, pair: Pair, pairs: &mut Vec<Pair>) {
        let old = counted_children(self.old, pair.old);
        let new = counted_children(self.new, pair.new);
        if old.is_empty() && new.is_empty() {
            return;
        }
        let mut matches = self.matches(&old, &new, pair.depth);
        let unmoved = settle(&mut matches);

        let mut kept = 0;
        // For each new child, the old one that becomes it.
        let mut origin = vec![None; new.len()];
        for (i, (&child, matched)) in old.iter().zip(&matches).enumerate() {
            let Some(matched) = matched else {
                self.delete(pair.old, child, kept);
                continue;
            };
            kept += 1;
            origin[matched.to] = Some(i);
            if matched.compare {
                pairs.push(Pair {
                    old: child,
                    new: new[matched.to],
                    depth: pair.depth + 1,
                });
            }
        }
        for (position, (&node, origin)) in new.iter().zip(origin).enumerate() {
            let change = match origin {
                Some(i) if unmoved[i] => continue,
                Some(i) => self.change("move", &path_of(self.old, old[i])),
                None => {
                    let change = self.change("create", &path_of(self.old, pair.old));
                    let copy = self.changes.copy_tree(self.new, node);
                    self.changes.link(copy, change.0, NONE);
                    change
                }
            };
            self.changes
                .set_attribute(change, "position", &position.to_string());
        }
    }

    /// Finds for each old child the new child that it becomes; none when it disappears.
    fn matches(&self, old: &[u32], new: &[u32], depth: usize) -> Vec<Option<Match>> {
        let groups = Groups::of(self.old, old);
        // The new children of each key and of each group, the first one last.
        let mut places: HashMap<Key<'d>, Vec<usize>> = HashMap::with_capacity(new.len());
        let mut of_group: HashMap<usize, Vec<usize>> = HashMap::new();
        for (i, &node) in new.iter().enumerate().rev() {
            let key = Key::of(self.new, node);
            match groups.group(&key) {
                Some(group) => of_group.entry(group).or_default().push(i),
                None => places.entry(key).or_default().push(i),
            }
        }
        let element = |o: usize, n: usize| {
            (
                Element::new(self.old, old[o]),
                Element::new(self.new, new[n]),
            )
        };
        let mut matches = vec![None; old.len()];
        for (i, &node) in old.iter().enumerate() {
            let key = Key::of(self.old, node);
            if groups.group(&key).is_some() {
                continue;
            }
            let Some(to) = places.get_mut(&key).and_then(Vec::pop) else {
                continue;
            };
            matches[i] = if let Key::Comment(_) = key {
                Some(Match {
                    to,
                    compare: false,
                    fixed: Some(i),
                })
            } else {
                let (o, n) = element(i, to);
                let compare = depth < MAX_DEPTH && !is_opaque(o) && !n.holds_text();
                (compare || o == n).then_some(Match {
                    to,
                    compare,
                    fixed: None,
                })
            };
        }
        for (group, from) in groups.members(self.old, old) {
            let mut to = of_group.remove(&group).unwrap_or_default();
            to.reverse();
            let same = from.len() == to.len()
                && from.iter().zip(&to).all(|(&o, &n)| {
                    let (o, n) = element(o, n);
                    o == n
                });
            if same {
                for (o, to) in from.into_iter().zip(to) {
                    matches[o] = Some(Match {
                        to,
                        compare: false,
                        fixed: Some(group),
                    });
                }
            }
        }
        matches
    }

    /// Adds a deletion; `kept` children before this one stay.
    fn delete(&mut self, parent: u32, child: u32, kept: usize) {
        let change = self.deletions.append_child(NodeId(ROOT), "change");
        self.deletions.set_attribute(change, "operation", "delete");
        if self.old.nodes[child as usize].is_element() {
            self.deletions
                .set_attribute(change, "path", &path_of(self.old, child));
        } else {
            let path = path_of(self.old, parent) + "/comment";
            self.deletions.set_attribute(change, "path", &path);
            self.deletions
                .set_attribute(change, "position", &kept.to_string());
        }
    }

    fn change(&mut self, operation: &str, path: &str) -> NodeId {
        let change = self.changes.append_child(NodeId(ROOT), "change");
        self.changes.set_attribute(change, "operation", operation);
        self.changes.set_attribute(change, "path", path);
        change
    }
}

/// What an old child becomes.
#[derive(Clone, Copy)]
struct Match {
    /// The number of the new child.
    to: usize,
    /// Whether the two may differ, and are to be compared.
    compare: bool,
    /// Set when it cannot be moved: it and all others with this number stay, or all are replaced.
    fixed: Option<usize>,
}

/// Chooses which children stay in place, as many as possible, and tells which.
///
/// A child that would have to move but cannot is no longer matched, nor is its group.
fn settle(matches: &mut [Option<Match>]) -> Vec<bool> {
    let mut unmoved = vec![false; matches.len()];
    for i in longest_rising(matches) {
        unmoved[i] = true;
    }
    let mut given_up: HashSet<usize> = HashSet::new();
    for (matched, unmoved) in matches.iter().zip(&unmoved) {
        if let (
            Some(Match {
                fixed: Some(group), ..
            }),
            false,
        ) = (matched, unmoved)
        {
            given_up.insert(*group);
        }
    }
    if !given_up.is_empty() {
        for matched in matches {
            if matched.is_some_and(|m| m.fixed.is_some_and(|g| given_up.contains(&g))) {
                *matched = None;
            }
        }
    }
    unmoved
}

/// Returns a longest series of old children whose new places rise.
fn longest_rising(matches: &[Option<Match>]) -> Vec<usize> {
    let place = |i: usize| matches[i].map_or(0, |m| m.to);
    // The child that ends the best series of each length, and for each child the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![usize::MAX; matches.len()];
    for i in (0..matches.len()).filter(|&i| matches[i].is_some()) {
        let length = ends.partition_point(|&end| place(end) < place(i));
        if length > 0 {
            before[i] = ends[length - 1];
        }
        if length == ends.len() {
            ends.push(i);
        } else {
            ends[length] = i;
        }
    }
    let mut at = ends.last().copied().unwrap_or(usize::MAX);
    let mut series = Vec::with_capacity(ends.len());
    while at != usize::MAX {
        series.push(at);
        at = before[at];
    }
    series
}

/// What makes a child the same child in another document.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'d> {
    Element { name: &'d str, id: Option<&'d str> },
    Comment(&'d str),
}

impl<'d> Key<'d> {
    fn of(document: &'d Document, node: u32) -> Self {
        let raw = &document.nodes[node as usize];
        if !raw.is_element() {
            return Self::Comment(document.node_text(raw));
        }
        let element = Element::new(document, node);
        Self::Element {
            name: element.name(),
            id: id_of(element),
        }
    }
}

/// Returns an element's id; an empty one is none, as for Pacemaker's paths.
fn id_of(element: Element<'_>) -> Option<&str> {
    element.attribute("id").filter(|id| !id.is_empty())
}

/// The children that a path cannot tell apart, as numbered groups.
struct Groups<'d> {
    /// Elements of one name, of which at least one has no id: a path without an id names the
    /// first of all of them.
    names: HashMap<&'d str, usize>,
    /// Elements with the same name and id.
    ids: HashMap<Key<'d>, usize>,
}

impl<'d> Groups<'d> {
    fn of(document: &'d Document, children: &[u32]) -> Self {
        let mut names: HashMap<&str, (usize, usize, bool)> = HashMap::new();
        let mut ids: HashMap<Key<'d>, (usize, usize)> = HashMap::with_capacity(children.len());
        for (i, &node) in children.iter().enumerate() {
            let key = Key::of(document, node);
            if let Key::Element { name, id } = key {
                let entry = names.entry(name).or_insert((i, 0, false));
                entry.1 += 1;
                entry.2 |= id.is_none();
                ids.entry(key).or_insert((i, 0)).1 += 1;
            }
        }
        let mixed = |&(_, (_, count, without)): &(_, (_, usize, bool))| count > 1 && without;
        Self {
            names: names
                .into_iter()
                .filter(mixed)
                .map(|(name, (i, ..))| (name, i))
                .collect(),
            ids: ids
                .into_iter()
                .filter(|(_, (_, n))| *n > 1)
                .map(|(k, (i, _))| (k, i))
                .collect(),
        }
    }

    /// Returns the number of the group of a child: that of its first old child.
    fn group(&self, key: &Key<'d>) -> Option<usize> {
        if self.names.is_empty() && self.ids.is_empty() {
            return None;
        }
        match key {
            Key::Element { name, .. } => {
                self.names.get(name).or_else(|| self.ids.get(key)).copied()
            }
            Key::Comment(_) => None,
        }
    }

    /// Returns the old children of each group.
    fn members(&self, document: &'d Document, children: &[u32]) -> HashMap<usize, Vec<usize>> {
        let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
        if !self.names.is_empty() || !self.ids.is_empty() {
            for (i, &node) in children.iter().enumerate() {
                if let Some(group) = self.group(&Key::of(document, node)) {
                    members.entry(group).or_default().push(i);
                }
            }
        }
        members
    }
}

/// Returns the children that positions count: elements and comments.
fn counted_children(document: &Document, parent: u32) -> Vec<u32> {
    let mut children = Vec::new();
    let mut at = document.counted(document.nodes[parent as usize].first);
    while at != NONE {
        children.push(at);
        at = document.counted(document.nodes[at as usize].next);
    }
    children
}

/// Tells whether a patch set cannot change what an element holds: text, or a child with an id
/// that cannot be part of a path: Pacemaker reads one up to the first blank.
fn is_opaque(element: Element<'_>) -> bool {
    element.holds_text()
        || element
            .children()
            .filter_map(|e| e.attribute("id"))
            .any(|id| id.contains(|c: char| matches!(c, '\'' | '/') || c.is_whitespace()))
}

/// Returns the path that names an element in a patch set.
fn path_of(document: &Document, id: u32) -> String {
    let mut steps = Vec::new();
    let mut at = Some(Element::new(document, id));
    while let Some(element) = at {
        steps.push(element);
        at = element.parent();
    }
    let mut path = String::new();
    for element in steps.into_iter().rev() {
        let root = element.id().0 == ROOT;
        path.push('/');
        path.push_str(element.name());
        if let (Some(id), false) = (id_of(element), root) {
            // Writing to a String does not fail.
            let _ = write!(path, "[@id='{id}']");
        }
    }
    path
}
