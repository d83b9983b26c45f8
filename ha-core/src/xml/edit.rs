//! Editing a document, and undoing what was edited since a given moment.

use std::sync::Arc;

use super::document::{Attribute, Document, NONE, Node, NodeId, ROOT, is_blank};
use super::element::Element;
use super::names::{self, COMMENT, Symbol, TEXT};

/// How large the buffers were when it began, and what was overwritten since: the latest last.
#[derive(Clone)]
pub(super) struct Journal {
    nodes: usize,
    attributes: usize,
    text: usize,
    garbage: usize,
    undo: Vec<Undo>,
}

#[derive(Clone, Copy)]
enum Undo {
    Node(u32, Node),
    Attribute(u32, Attribute),
}

/// Returns a length or a place in a buffer as the document stores it.
fn small(n: usize) -> u32 {
    u32::try_from(n)
        .ok()
        .filter(|&n| n != NONE)
        .expect("a document holds at most 4 GiB")
}

impl Document {
    /// Sets an attribute, which keeps its place when the element has it already.
    ///
    /// What XML cannot hold is replaced, so that what is written can always be read again: a
    /// character of the name that XML does not allow becomes `_`, a control character of the
    /// value becomes U+FFFD.
    pub fn set_attribute(&mut self, id: NodeId, name: &str, value: &str) {
        let symbol = self.symbol(name);
        let (start, len) = self.push_text(value);
        let attribute = Attribute {
            name: symbol,
            start,
            len,
        };
        let node = self.nodes[id.0 as usize];
        let of_node = node.start as usize..(node.start + node.len) as usize;
        if let Some(i) = self.attributes[of_node.clone()]
            .iter()
            .position(|a| a.name == symbol)
        {
            self.mark(id.0);
            let at = of_node.start + i;
            let old = self.attributes[at];
            self.garbage += old.len as usize;
            if let Some(journal) = &mut self.journal {
                journal.undo.push(Undo::Attribute(small(at), old));
            }
            self.attributes[at] = attribute;
            return;
        }
        self.mark(id.0);
        self.touch(id.0);
        if of_node.end != self.attributes.len() {
            self.garbage += of_node.len() * size_of::<Attribute>();
            let start = small(self.attributes.len());
            self.attributes.extend_from_within(of_node);
            self.nodes[id.0 as usize].start = start;
        }
        self.attributes.push(attribute);
        self.nodes[id.0 as usize].len += 1;
    }

    /// Removes an attribute; tells whether the element had it.
    pub fn remove_attribute(&mut self, id: NodeId, name: &str) -> bool {
        let Some(symbol) = self.names.find(name) else {
            return false;
        };
        let node = self.nodes[id.0 as usize];
        let of_node = node.start as usize..(node.start + node.len) as usize;
        let Some(i) = self.attributes[of_node.clone()]
            .iter()
            .position(|a| a.name == symbol)
        else {
            return false;
        };
        self.mark(id.0);
        self.touch(id.0);
        self.garbage += self.attributes[of_node.start + i].len as usize + size_of::<Attribute>();
        let node = &mut self.nodes[id.0 as usize];
        node.len -= 1;
        if i == 0 {
            node.start += 1;
        } else if of_node.start + i + 1 < of_node.end {
            // The others are copied, not moved: a failed change only has to forget the copies.
            node.start = small(self.attributes.len());
            self.garbage += of_node.len() * size_of::<Attribute>();
            self.attributes
                .extend_from_within(of_node.start..of_node.start + i);
            self.attributes
                .extend_from_within(of_node.start + i + 1..of_node.end);
        }
        true
    }

    /// Gives an element the attributes of another document's element, and no others.
    pub(super) fn replace_attributes(&mut self, id: u32, from: Element<'_>) {
        self.mark(id);
        self.touch(id);
        let old = self.attributes_of(id);
        self.garbage += old
            .iter()
            .map(|a| a.len as usize + size_of::<Attribute>())
            .sum::<usize>();
        let (start, len) = self.copy_attributes(from);
        let node = &mut self.nodes[id as usize];
        (node.start, node.len) = (start, len);
    }

    /// Adds an empty element as the last child.
    ///
    /// A character that XML does not allow in a name becomes `_`.
    pub fn append_child(&mut self, parent: NodeId, name: &str) -> NodeId {
        let symbol = self.symbol(name);
        let id = self.push_node(Node::new(symbol, 0, 0, NONE));
        self.link(id, parent.0, NONE);
        NodeId(id)
    }

    /// Adds an empty element so that `position` elements stand before it; at the end when the
    /// parent has fewer.
    ///
    /// The same rule as for [`Document::append_child`] holds for the name.
    pub fn insert_child(&mut self, parent: NodeId, position: usize, name: &str) -> NodeId {
        let symbol = self.symbol(name);
        let id = self.push_node(Node::new(symbol, 0, 0, NONE));
        let before = self.nth_child(parent.0, position);
        self.link(id, parent.0, before);
        NodeId(id)
    }

    /// Adds text at the end of an element; blank text is not kept, as when parsing.
    ///
    /// A control character that XML cannot hold becomes U+FFFD.
    pub fn append_text(&mut self, parent: NodeId, text: &str) {
        let last = self.nodes[parent.0 as usize].last;
        if last != NONE && self.nodes[last as usize].is_text() {
            let (start, len) = self.push_text(text);
            let (old, added) = (self.nodes[last as usize], len);
            let head = self.text[old.start as usize..][..old.len as usize].to_owned();
            let tail = self.text[start as usize..][..added as usize].to_owned();
            self.set_text_of(last, &(head + &tail));
        } else if !is_blank(text) {
            let (start, len) = self.push_text(text);
            let id = self.push_node(Node::new(TEXT, start, len, NONE));
            self.link(id, parent.0, NONE);
        }
    }

    /// Adds a comment that was read from a document at the end of an element.
    pub(crate) fn append_comment(&mut self, parent: NodeId, comment: &str) {
        let (start, len) = self.push_text(comment);
        let id = self.push_node(Node::new(COMMENT, start, len, NONE));
        self.link(id, parent.0, NONE);
    }

    /// Copies an element of another document, with all it holds, so that `position` elements
    /// stand before it (at the end when the parent has fewer), and returns the copy.
    pub fn import(&mut self, parent: NodeId, position: usize, from: Element<'_>) -> NodeId {
        let copy = self.copy_tree(from.document(), from.id().0);
        let before = self.nth_child(parent.0, position);
        self.link(copy, parent.0, before);
        NodeId(copy)
    }

    /// Removes an element and all it holds. The root stays: removing it does nothing.
    pub fn remove(&mut self, id: NodeId) {
        if id.0 == ROOT || self.nodes[id.0 as usize].parent == NONE {
            return;
        }
        self.discard(id.0);
        self.unlink(id.0);
    }

    /// Moves an element among its siblings, so that `position` elements stand before it.
    pub fn move_child(&mut self, id: NodeId, position: usize) {
        let parent = self.nodes[id.0 as usize].parent;
        if parent == NONE {
            return;
        }
        self.unlink(id.0);
        let before = self.nth_child(parent, position);
        self.link(id.0, parent, before);
    }

    /// Gives back the memory of what was removed or replaced, and numbers the elements anew in
    /// document order.
    pub fn compact(&mut self) {
        let mut fresh = Self::empty(Arc::clone(&self.names));
        fresh
            .text
            .reserve(self.text.len().saturating_sub(self.garbage));
        fresh.copy_tree(self, ROOT);
        *self = fresh;
    }

    /// Starts to record, so that [`Document::roll_back`] can undo all that follows.
    pub(super) fn begin(&mut self) {
        self.journal = Some(Journal {
            nodes: self.nodes.len(),
            attributes: self.attributes.len(),
            text: self.text.len(),
            garbage: self.garbage,
            undo: Vec::new(),
        });
    }

    /// Keeps the changes made since [`Document::begin`].
    pub(super) fn commit(&mut self) {
        self.journal = None;
    }

    /// Undoes the changes made since [`Document::begin`].
    pub(super) fn roll_back(&mut self) {
        let Some(journal) = self.journal.take() else {
            return;
        };
        for undo in journal.undo.into_iter().rev() {
            match undo {
                Undo::Node(id, node) => self.nodes[id as usize] = node,
                Undo::Attribute(at, attribute) => self.attributes[at as usize] = attribute,
            }
        }
        self.nodes.truncate(journal.nodes);
        self.attributes.truncate(journal.attributes);
        self.text.truncate(journal.text);
        self.garbage = journal.garbage;
        // The numbers of what was added are free again, so that the next change must be told from this.
        self.stamps.renew();
    }

    fn touch(&mut self, id: u32) {
        if let Some(journal) = &mut self.journal {
            journal.undo.push(Undo::Node(id, self.nodes[id as usize]));
        }
    }

    pub(super) fn symbol(&mut self, name: &str) -> Symbol {
        if let Some(symbol) = self.names.find(name) {
            return symbol;
        }
        let names = Arc::make_mut(&mut self.names);
        names
            .intern(name, names::is_name)
            .or_else(|| names.intern(&names::made_valid(name), |_| true))
            .expect("a document holds at most 4 GiB")
    }

    fn push_text(&mut self, text: &str) -> (u32, u32) {
        let start = self.text.len();
        if names::find_non_xml(text).is_none() {
            self.text.push_str(text);
        } else {
            self.text.extend(text.chars().map(|c| {
                if names::is_xml_char(c) {
                    c
                } else {
                    char::REPLACEMENT_CHARACTER
                }
            }));
        }
        small(self.text.len());
        (small(start), small(self.text.len() - start))
    }

    fn push_node(&mut self, node: Node) -> u32 {
        let id = small(self.nodes.len());
        self.nodes.push(node);
        id
    }

    fn set_text_of(&mut self, id: u32, text: &str) {
        let (start, len) = self.push_text(text);
        self.mark(id);
        self.touch(id);
        let node = &mut self.nodes[id as usize];
        self.garbage += node.len as usize;
        (node.start, node.len) = (start, len);
    }

    /// Returns the child element that `position` others precede, or `NONE`.
    fn nth_child(&self, parent: u32, position: usize) -> u32 {
        let parent = Element::new(self, parent);
        parent.children().nth(position).map_or(NONE, |e| e.id().0)
    }

    /// Copies a tree as nodes that no parent holds yet; returns its top.
    pub(super) fn copy_tree(&mut self, source: &Document, top: u32) -> u32 {
        let mut copied_top = NONE;
        // The copy of the node whose children are being copied.
        let mut parent = NONE;
        let mut at = top;
        loop {
            let node = source.nodes[at as usize];
            let copy = if !node.is_element() {
                let (start, len) = self.push_text(source.node_text(&node));
                self.push_node(Node::new(node.name, start, len, NONE))
            } else {
                self.copy_element(Element::new(source, at))
            };
            if parent == NONE {
                copied_top = copy;
            } else {
                self.link(copy, parent, NONE);
            }
            if node.first != NONE {
                (parent, at) = (copy, node.first);
                continue;
            }
            loop {
                if at == top {
                    return copied_top;
                }
                let node = source.nodes[at as usize];
                if node.next != NONE {
                    at = node.next;
                    break;
                }
                at = node.parent;
                parent = self.nodes[parent as usize].parent;
            }
        }
    }

    fn copy_element(&mut self, from: Element<'_>) -> u32 {
        let same_names = Arc::ptr_eq(&self.names, &from.document().names);
        let name = if same_names {
            from.symbol()
        } else {
            self.symbol(from.name())
        };
        let (start, len) = self.copy_attributes(from);
        self.push_node(Node::new(name, start, len, NONE))
    }

    fn copy_attributes(&mut self, from: Element<'_>) -> (u32, u32) {
        let same_names = Arc::ptr_eq(&self.names, &from.document().names);
        let first = small(self.attributes.len());
        for a in from.raw_attributes() {
            let name = if same_names {
                a.name
            } else {
                self.symbol(from.document().names.name(a.name))
            };
            let (start, len) = self.push_text(from.document().value(a));
            self.attributes.push(Attribute { name, start, len });
        }
        (first, small(self.attributes.len()) - first)
    }

    /// Puts a node that no parent holds before a sibling, or at the end.
    pub(super) fn link(&mut self, id: u32, parent: u32, before: u32) {
        let prev = if before == NONE {
            self.nodes[parent as usize].last
        } else {
            self.nodes[before as usize].prev
        };
        self.touch(id);
        let node = &mut self.nodes[id as usize];
        (node.parent, node.prev, node.next) = (parent, prev, before);
        self.mark(id);
        self.mark(parent);
        self.touch(parent);
        if prev == NONE {
            self.nodes[parent as usize].first = id;
        } else {
            self.touch(prev);
            self.nodes[prev as usize].next = id;
        }
        if before == NONE {
            self.nodes[parent as usize].last = id;
        } else {
            self.touch(before);
            self.nodes[before as usize].prev = id;
        }
    }

    pub(super) fn unlink(&mut self, id: u32) {
        self.take_out(id);
        let Node { prev, next, .. } = self.nodes[id as usize];
        self.touch(id);
        let node = &mut self.nodes[id as usize];
        (node.parent, node.prev, node.next) = (NONE, NONE, NONE);
        let is_text = |at: u32| at != NONE && self.nodes[at as usize].is_text();
        if is_text(prev) && is_text(next) {
            // Two texts side by side would become one when written and read again.
            let joined = [prev, next]
                .map(|at| self.node_text(&self.nodes[at as usize]))
                .concat();
            self.set_text_of(prev, &joined);
            self.take_out(next);
        }
    }

    /// Makes the parent and the siblings forget a node.
    fn take_out(&mut self, id: u32) {
        let Node {
            parent, prev, next, ..
        } = self.nodes[id as usize];
        self.mark(parent);
        if prev == NONE {
            self.touch(parent);
            self.nodes[parent as usize].first = next;
        } else {
            self.touch(prev);
            self.nodes[prev as usize].next = next;
        }
        if next == NONE {
            self.touch(parent);
            self.nodes[parent as usize].last = prev;
        } else {
            self.touch(next);
            self.nodes[next as usize].prev = prev;
        }
    }

    /// Counts a tree as garbage.
    fn discard(&mut self, top: u32) {
        let mut at = top;
        while at != NONE {
            let node = &self.nodes[at as usize];
            self.garbage += size_of::<Node>();
            self.garbage += if !node.is_element() {
                node.len as usize
            } else {
                let of = self.attributes_of(at);
                of.iter()
                    .map(|a| a.len as usize + size_of::<Attribute>())
                    .sum()
            };
            at = self.following(at, top);
        }
    }
}
