//! Borrowed views of a document's elements.

use std::borrow::Cow;
use std::fmt;

use super::document::{Attribute, Document, NONE, NodeId};
use super::names::{NO_SYMBOL, Symbol};
use crate::name::is_secret;
use crate::value::CibVersion;

/// One element of a [`Document`]: a borrowed view that is cheap to copy.
///
/// Two elements are equal when they mean the same: same name, same attributes in any order, equal
/// children, text and comments in the same order. Where they stand in their documents does not matter.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document,
    id: u32,
}

impl<'d> Element<'d> {
    #[inline]
    pub(super) fn new(document: &'d Document, id: u32) -> Self {
        Self { document, id }
    }

    /// Returns the number that names this element in its document's editing functions.
    #[inline]
    #[must_use]
    pub fn id(self) -> NodeId {
        NodeId(self.id)
    }

    /// Returns the document that holds this element.
    #[inline]
    #[must_use]
    pub fn document(self) -> &'d Document {
        self.document
    }

    /// Returns the element's name.
    #[inline]
    #[must_use]
    pub fn name(self) -> &'d str {
        self.document.names.name(self.symbol())
    }

    /// Returns the number that stands for the name in this document.
    #[inline]
    pub(crate) fn symbol(self) -> Symbol {
        self.document.nodes[self.id as usize].name
    }

    /// Returns the value of an attribute.
    #[inline]
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<&'d str> {
        self.attribute_of(self.document.names.find(name)?)
    }

    /// Returns the value of the attribute whose name has this number in the document.
    #[inline]
    pub(crate) fn attribute_of(self, symbol: Symbol) -> Option<&'d str> {
        let found = self.raw_attributes().iter().find(|a| a.name == symbol)?;
        Some(self.document.value(found))
    }

    #[inline]
    pub(super) fn raw_attributes(self) -> &'d [Attribute] {
        self.document.attributes_of(self.id)
    }

    /// Returns the attributes as (name, value), in the order of the document.
    #[inline]
    #[must_use]
    pub fn attributes(self) -> Attributes<'d> {
        Attributes {
            document: self.document,
            rest: self.raw_attributes().iter(),
        }
    }

    /// Returns the attributes that were asked for as (place in that list, value), in the order of the
    /// document, which must be the one that the places are of.
    #[inline]
    pub(crate) fn attributes_at(
        self,
        places: &Places,
    ) -> impl Iterator<Item = (usize, &'d str)> + use<'d, '_> {
        let document = self.document;
        self.raw_attributes().iter().filter_map(move |a| {
            let place = *places.0.get(a.name as usize)?;
            (place != Places::NONE).then(|| (usize::from(place), document.value(a)))
        })
    }

    /// Returns the attributes as (number of the name in this document, name, value).
    pub(crate) fn attributes_with_symbols(
        self,
    ) -> impl Iterator<Item = (u32, &'d str, &'d str)> + use<'d> {
        let document = self.document;
        let attributes = self.raw_attributes().iter();
        attributes.map(|a| (a.name, document.names.name(a.name), document.value(a)))
    }

    /// Returns the child elements, the texts and the comments, in order.
    pub(crate) fn contents(self) -> Contents<'d> {
        Contents {
            document: self.document,
            next: self.document.nodes[self.id as usize].first,
        }
    }

    /// Returns the CIB version that the attributes state (of a root, or of the `source` and
    /// `target` of a patch set); what is absent or no number is 0.
    #[must_use]
    pub fn version(self) -> CibVersion {
        let field = |name| {
            self.attribute(name)
                .and_then(|v| v.parse().ok())
                .unwrap_or(0)
        };
        CibVersion {
            admin_epoch: field("admin_epoch"),
            epoch: field("epoch"),
            num_updates: field("num_updates"),
        }
    }

    /// Returns the child elements, in order.
    #[inline]
    #[must_use]
    pub fn children(self) -> Children<'d> {
        Children {
            document: self.document,
            next: self.document.nodes[self.id as usize].first,
        }
    }

    /// Returns the child elements of this name, in order.
    #[inline]
    #[must_use]
    pub fn children_named(self, name: &str) -> ChildrenNamed<'d> {
        let (symbol, children) = match self.document.names.find(name) {
            Some(symbol) => (symbol, self.children()),
            None => (
                NO_SYMBOL,
                Children {
                    document: self.document,
                    next: NONE,
                },
            ),
        };
        ChildrenNamed { symbol, children }
    }

    /// Returns the first child element of this name.
    #[inline]
    #[must_use]
    pub fn child(self, name: &str) -> Option<Element<'d>> {
        self.children_named(name).next()
    }

    /// Returns the element that holds this one; none for the root.
    #[inline]
    #[must_use]
    pub fn parent(self) -> Option<Element<'d>> {
        let parent = self.document.nodes[self.id as usize].parent;
        (parent != NONE).then(|| Self::new(self.document, parent))
    }

    /// Returns this element, then all elements below it, in document order.
    #[inline]
    #[must_use]
    pub fn descendants(self) -> Descendants<'d> {
        Descendants {
            document: self.document,
            top: self.id,
            next: self.id,
        }
    }

    /// Returns the text directly inside this element (not that of its children): empty when there
    /// is none, borrowed unless child elements interrupt it.
    #[must_use]
    pub fn text(self) -> Cow<'d, str> {
        let mut text = Cow::Borrowed("");
        let mut next = self.document.nodes[self.id as usize].first;
        while next != NONE {
            let node = &self.document.nodes[next as usize];
            if node.is_text() {
                let piece = self.document.node_text(node);
                if text.is_empty() {
                    text = Cow::Borrowed(piece);
                } else {
                    text.to_mut().push_str(piece);
                }
            }
            next = node.next;
        }
        text
    }

    /// Tells whether text is directly inside this element.
    pub(super) fn holds_text(self) -> bool {
        let nodes = &self.document.nodes;
        let mut at = nodes[self.id as usize].first;
        while at != NONE {
            if nodes[at as usize].is_text() {
                return true;
            }
            at = nodes[at as usize].next;
        }
        false
    }

    /// Says where this element is, as a path from the root with the ids on the way.
    pub(crate) fn path(self) -> String {
        let mut steps = Vec::new();
        let mut next = Some(self);
        while let Some(element) = next {
            steps.push(match element.attribute("id") {
                Some(id) => format!("/{}[@id={id:?}]", element.name()),
                None => format!("/{}", element.name()),
            });
            next = element.parent();
        }
        steps.reverse();
        steps.concat()
    }

    /// Writes this element and what it holds as XML, indented, with a final newline.
    #[must_use]
    pub fn to_xml(self) -> String {
        super::write::indented(self)
    }

    /// Writes this element and what it holds as XML with no blanks between tags.
    #[must_use]
    pub fn to_xml_compact(self) -> String {
        super::write::compact(self)
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Element<'_>) -> bool {
        let (mut a, mut b) = (self.id, other.id);
        // Both trees are walked in step; nothing recurses, so depth is no danger.
        loop {
            if !same_node(self.document, a, other.document, b) {
                return false;
            }
            let (na, nb) = (
                &self.document.nodes[a as usize],
                &other.document.nodes[b as usize],
            );
            if (na.first == NONE) != (nb.first == NONE) {
                return false;
            }
            if na.first != NONE {
                (a, b) = (na.first, nb.first);
                continue;
            }
            loop {
                match (a == self.id, b == other.id) {
                    (true, true) => return true,
                    (false, false) => {}
                    _ => return false,
                }
                let (na, nb) = (
                    &self.document.nodes[a as usize],
                    &other.document.nodes[b as usize],
                );
                match (na.next == NONE, nb.next == NONE) {
                    (true, true) => (a, b) = (na.parent, nb.parent),
                    (false, false) => {
                        (a, b) = (na.next, nb.next);
                        break;
                    }
                    _ => return false,
                }
            }
        }
    }
}

impl Eq for Element<'_> {}

/// Compares two nodes without their children.
pub(super) fn same_node(da: &Document, a: u32, db: &Document, b: u32) -> bool {
    let (na, nb) = (&da.nodes[a as usize], &db.nodes[b as usize]);
    if !na.is_element() || !nb.is_element() {
        return na.name == nb.name && da.node_text(na) == db.node_text(nb);
    }
    let (ea, eb) = (Element::new(da, a), Element::new(db, b));
    ea.name() == eb.name() && same_attributes(ea, eb)
}

/// Compares two elements' attributes, in any order.
pub(super) fn same_attributes(a: Element<'_>, b: Element<'_>) -> bool {
    fn sorted(e: Element<'_>) -> Vec<(&str, &str)> {
        let mut list: Vec<_> = e.attributes().collect();
        list.sort_unstable();
        list
    }
    a.raw_attributes().len() == b.raw_attributes().len()
        && (a.attributes().eq(b.attributes()) || sorted(a) == sorted(b))
}

/// Shows the start tag; the value of what [`is_secret`] is hidden.
impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.name())?;
        let names_a_secret = self.attribute("name").is_some_and(is_secret);
        for (name, value) in self.attributes() {
            if is_secret(name) || (names_a_secret && name == "value") {
                write!(f, " {name}=(hidden)")?;
            } else {
                write!(f, " {name}={value:?}")?;
            }
        }
        f.write_str(">")
    }
}

/// The place that each attribute name of a document has in a list of names.
#[derive(Debug)]
pub(crate) struct Places(Box<[u8]>);

impl Places {
    const NONE: u8 = u8::MAX;

    /// Finds them; only the first 255 names of the list count.
    pub(crate) fn of(document: &Document, names: &[&str]) -> Self {
        let mut places = vec![Self::NONE; document.names.len()].into_boxed_slice();
        for (place, name) in (0..Self::NONE).zip(names) {
            if let Some(symbol) = document.names.find(name) {
                places[symbol as usize] = place;
            }
        }
        Self(places)
    }
}

/// The attributes of an element: see [`Element::attributes`].
#[derive(Debug, Clone)]
pub struct Attributes<'d> {
    document: &'d Document,
    rest: std::slice::Iter<'d, Attribute>,
}

impl<'d> Iterator for Attributes<'d> {
    type Item = (&'d str, &'d str);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let a = self.rest.next()?;
        Some((self.document.names.name(a.name), self.document.value(a)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl ExactSizeIterator for Attributes<'_> {}

/// The child elements of an element: see [`Element::children`].
#[derive(Debug, Clone)]
pub struct Children<'d> {
    document: &'d Document,
    next: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Element<'d>;

    #[inline]
    fn next(&mut self) -> Option<Element<'d>> {
        while self.next != NONE {
            let id = self.next;
            let node = &self.document.nodes[id as usize];
            self.next = node.next;
            if node.is_element() {
                return Some(Element::new(self.document, id));
            }
        }
        None
    }
}

/// What is directly inside of an element.
#[derive(Clone, Copy)]
pub(crate) enum Content<'d> {
    Element(Element<'d>),
    Text(&'d str),
    Comment(&'d str),
}

/// See [`Element::contents`].
pub(crate) struct Contents<'d> {
    document: &'d Document,
    next: u32,
}

impl<'d> Contents<'d> {
    /// Nothing of what is inside.
    pub(crate) fn none(element: Element<'d>) -> Self {
        Self {
            document: element.document,
            next: NONE,
        }
    }
}

impl<'d> Iterator for Contents<'d> {
    type Item = Content<'d>;

    #[inline]
    fn next(&mut self) -> Option<Content<'d>> {
        if self.next == NONE {
            return None;
        }
        let id = self.next;
        let node = &self.document.nodes[id as usize];
        self.next = node.next;
        Some(if node.is_element() {
            Content::Element(Element::new(self.document, id))
        } else if node.is_text() {
            Content::Text(self.document.node_text(node))
        } else {
            Content::Comment(self.document.node_text(node))
        })
    }
}

/// The child elements of one name: see [`Element::children_named`].
#[derive(Debug, Clone)]
pub struct ChildrenNamed<'d> {
    symbol: Symbol,
    children: Children<'d>,
}

impl<'d> Iterator for ChildrenNamed<'d> {
    type Item = Element<'d>;

    #[inline]
    fn next(&mut self) -> Option<Element<'d>> {
        self.children.find(|e| e.symbol() == self.symbol)
    }
}

/// An element and all elements below it: see [`Element::descendants`].
#[derive(Debug, Clone)]
pub struct Descendants<'d> {
    document: &'d Document,
    top: u32,
    next: u32,
}

impl Descendants<'_> {
    /// Goes on behind an element, which must be the one that was returned last.
    pub(crate) fn leave_out(&mut self, element: Element<'_>) {
        self.next = self.document.beyond(element.id, self.top);
    }
}

impl<'d> Iterator for Descendants<'d> {
    type Item = Element<'d>;

    #[inline]
    fn next(&mut self) -> Option<Element<'d>> {
        while self.next != NONE {
            let id = self.next;
            self.next = self.document.following(id, self.top);
            if self.document.nodes[id as usize].is_element() {
                return Some(Element::new(self.document, id));
            }
        }
        None
    }
}
