//! What has changed in a document since somebody looked: so that what was worked out of a part of it
//! can be kept for as long as that part stays the same.
//!
//! Each part has a [`Stamp`], which becomes a new one when anything in the part changes. Stamps are never
//! used twice in a process: where a copy of a document has the same stamp for the same [`NodeId`], it has
//! the same content there.
//!
//! A change is noted only when somebody has looked at a stamp since the last one: documents that nobody
//! follows pay nothing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use foldhash::fast::RandomState;

use super::document::{Document, NONE};
use super::element::Element;

/// Names the content of an element with all it holds, together with its [`NodeId`](super::NodeId).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

/// The stamps of a document's elements.
#[derive(Debug)]
pub(super) struct Stamps {
    /// That of all elements that have not changed since the document was made.
    base: u64,
    /// That of what has changed since somebody looked last.
    now: u64,
    /// Somebody may have looked since `now` was drawn.
    seen: AtomicBool,
    /// The stamps of what has changed since the document was made.
    changed: HashMap<u32, u64, RandomState>,
}

/// Draws a stamp that nothing has.
fn draw() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Stamps {
    pub(super) fn new() -> Self {
        let base = draw();
        Self {
            base,
            now: base,
            seen: AtomicBool::new(false),
            changed: HashMap::default(),
        }
    }

    /// Makes the next change one of its own.
    pub(super) fn renew(&mut self) {
        self.now = draw();
        *self.seen.get_mut() = false;
    }
}

impl Clone for Stamps {
    fn clone(&self) -> Self {
        // From here on the two go different ways, which must not bear the same stamp.
        self.seen.store(true, Ordering::Relaxed);
        Self {
            base: self.base,
            now: self.now,
            seen: AtomicBool::new(true),
            changed: self.changed.clone(),
        }
    }
}

impl Document {
    /// Notes that a node, its attributes or the list of its children changes.
    pub(super) fn mark(&mut self, id: u32) {
        let stamps = &mut self.stamps;
        if *stamps.seen.get_mut() {
            stamps.renew();
        }
        if stamps.now == stamps.base {
            return;
        }
        let mut at = id;
        // Where one is marked already, so are those that hold it.
        while at != NONE && stamps.changed.insert(at, stamps.now) != Some(stamps.now) {
            at = self.nodes[at as usize].parent;
        }
    }
}

impl Element<'_> {
    /// Returns what names this element's content, with all it holds, for as long as it does not change.
    pub(crate) fn stamp(self) -> Stamp {
        let stamps = &self.document().stamps;
        if !stamps.seen.load(Ordering::Relaxed) {
            stamps.seen.store(true, Ordering::Relaxed);
        }
        Stamp(match stamps.changed.get(&self.id().0) {
            Some(&stamp) => stamp,
            None => stamps.base,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{NodeId, PatchSet};

    fn find(document: &Document, id: &str) -> NodeId {
        let mut elements = document.root().descendants();
        let found = elements.find(|e| e.attribute("id") == Some(id));
        found.map(Element::id).expect("the element")
    }

    fn stamps(document: &Document) -> Vec<(NodeId, Stamp)> {
        let elements = document.root().descendants();
        elements.map(|e| (e.id(), e.stamp())).collect()
    }

    fn sample() -> Document {
        Document::parse(
            "<cib><status id='s'><lrm id='1'><op id='a'/><op id='b' rc='0'/></lrm><lrm id='2'><op id='c'/></lrm>\
             </status></cib>",
        )
        .expect("a document")
    }

    /// The ids of the elements whose stamps an edit changes.
    fn changed(edit: impl Fn(&mut Document)) -> Vec<String> {
        let mut document = sample();
        let before = stamps(&document);
        edit(&mut document);
        let elements = document.root().descendants();
        elements
            .filter(|e| !before.contains(&(e.id(), e.stamp())))
            .map(|e| e.attribute("id").unwrap_or(e.name()).to_owned())
            .collect()
    }

    #[test]
    fn a_change_is_one_of_the_element_and_of_what_holds_it() {
        let above = ["cib", "s", "1"];
        let set = |document: &mut Document| {
            let id = find(document, "b");
            document.set_attribute(id, "rc", "7");
        };
        assert_eq!(changed(set), [&above[..], &["b"]].concat());
        let added = |document: &mut Document| {
            let id = find(document, "a");
            document.set_attribute(id, "rc", "7");
        };
        assert_eq!(changed(added), [&above[..], &["a"]].concat());
        let removed = |document: &mut Document| {
            let id = find(document, "b");
            assert!(document.remove_attribute(id, "rc"));
        };
        assert_eq!(changed(removed), [&above[..], &["b"]].concat());
        let text = |document: &mut Document| {
            let id = find(document, "a");
            document.append_text(id, "x");
        };
        assert_eq!(changed(text), [&above[..], &["a"]].concat());
        let gone = |document: &mut Document| document.remove(find(document, "a"));
        assert_eq!(changed(gone), above);
        let moved = |document: &mut Document| document.move_child(find(document, "a"), 1);
        assert!(changed(moved).contains(&"1".to_owned()));
        assert!(!changed(moved).contains(&"2".to_owned()));
        let new = |document: &mut Document| {
            let holder = find(document, "2");
            document.append_child(holder, "op");
        };
        assert_eq!(changed(new), ["cib", "s", "2", "op"]);
        assert_eq!(changed(|_| ()), [""; 0]);
    }

    #[test]
    fn copies_that_go_different_ways_have_no_stamp_in_common() {
        let mut one = sample();
        stamps(&one);
        let id = find(&one, "b");
        one.set_attribute(id, "rc", "1");
        // Nobody has looked at this change yet.
        let mut two = one.clone();
        let copied = two.element(id).stamp();
        one.set_attribute(id, "rc", "2");
        assert_ne!(one.element(id).stamp(), copied);
        two.set_attribute(id, "rc", "3");
        assert_ne!(two.element(id).stamp(), copied);
        assert_ne!(one.element(id).stamp(), two.element(id).stamp());
        let three = sample();
        assert_ne!(sample().root().stamp(), three.root().stamp());
    }

    #[test]
    fn what_takes_the_number_of_something_undone_is_another_thing() {
        let mut document = sample();
        stamps(&document);
        let patch = |holder: &str, id: &str, end: &str| {
            let text = format!(
                r#"<diff format="2"><change operation="create" path="/cib/status/lrm[@id='{holder}']"
                     position="0"><op id="{id}"/></change>{end}</diff>"#
            );
            PatchSet::parse(&text).expect("a patch set")
        };
        // Found to be impossible only when the new one is in its place.
        let fails = r#"<change operation="move" path="/cib/status/lrm[@id='1']/op[@id='a']" position="9"/>"#;
        assert!(document.apply(&patch("1", "x", fails)).is_err());
        let before = stamps(&document);
        assert!(document.apply(&patch("1", "x", fails)).is_err());
        document.apply(&patch("2", "y", "")).expect("it fits");
        for id in ["s", "2", "y"] {
            let element = document.element(find(&document, id));
            assert!(!before.contains(&(element.id(), element.stamp())), "{id}");
        }
    }
}
