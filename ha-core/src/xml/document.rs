//! The arena that holds a tree, and its editing functions.

use std::fmt;
use std::sync::Arc;

use super::edit::Journal;
use super::element::Element;
use super::names::{COMMENT, Names, Symbol, TEXT};
use super::stamp::Stamps;
use crate::value::CibVersion;

/// No node.
pub(super) const NONE: u32 = u32::MAX;
/// The root is always the first node.
pub(super) const ROOT: u32 = 0;

/// Names one element of one [`Document`] for editing.
///
/// It stays valid while the element is in that document, until [`Document::apply`] or
/// [`Document::compact`], which may number the elements anew. Using it with another document
/// names another element there, or panics when that document has fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// Returns the number, which is small.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

/// An element, or a text or a comment (then `name` is `TEXT` or `COMMENT`, and `start` and `len`
/// are its span).
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) name: Symbol,
    /// First attribute in the document's list of attributes.
    pub(super) start: u32,
    /// Number of attributes.
    pub(super) len: u32,
    pub(super) parent: u32,
    pub(super) prev: u32,
    pub(super) next: u32,
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Node {
    pub(super) fn new(name: Symbol, start: u32, len: u32, parent: u32) -> Self {
        Self {
            name,
            start,
            len,
            parent,
            prev: NONE,
            next: NONE,
            first: NONE,
            last: NONE,
        }
    }

    #[inline]
    pub(super) fn is_element(&self) -> bool {
        self.name < COMMENT
    }

    #[inline]
    pub(super) fn is_text(&self) -> bool {
        self.name == TEXT
    }
}

/// One attribute; the value is a span of the document's text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute {
    pub(super) name: Symbol,
    pub(super) start: u32,
    pub(super) len: u32,
}

/// A tree of elements, held in flat buffers: cheap to copy, to read and to drop at any depth.
///
/// Two documents are equal when their roots are: see [`Element`].
///
/// A document holds at most 4 GiB of text and 4 billion elements; editing one beyond that panics,
/// parsing more is an error.
#[derive(Clone)]
pub struct Document {
    pub(super) names: Arc<Names>,
    /// All attribute values and texts; edits append.
    pub(super) text: String,
    pub(super) nodes: Vec<Node>,
    /// Those of one element are contiguous.
    pub(super) attributes: Vec<Attribute>,
    /// Bytes in the buffers that no element uses any more.
    pub(super) garbage: usize,
    /// What must be put back if the change under way fails.
    pub(super) journal: Option<Journal>,
    /// What has changed since somebody looked.
    pub(super) stamps: Box<Stamps>,
}

impl Document {
    /// Makes a document with an empty root element.
    ///
    /// The same rule as for [`Document::append_child`] holds for the name.
    #[must_use]
    pub fn new(root: &str) -> Self {
        let mut document = Self::empty(Arc::new(Names::new()));
        let name = document.symbol(root);
        document.nodes.push(Node::new(name, 0, 0, NONE));
        document
    }

    /// A document without its root: the maker adds it first.
    pub(super) fn empty(names: Arc<Names>) -> Self {
        Self {
            names,
            text: String::new(),
            nodes: Vec::new(),
            attributes: Vec::new(),
            garbage: 0,
            journal: None,
            stamps: Box::new(Stamps::new()),
        }
    }

    /// Makes a document of its own from an element of another one.
    #[must_use]
    pub fn copy_of(element: Element<'_>) -> Self {
        let mut document = Self::empty(Arc::clone(&element.document().names));
        document.copy_tree(element.document(), element.id().0);
        document
    }

    /// Returns the root element.
    #[inline]
    #[must_use]
    pub fn root(&self) -> Element<'_> {
        Element::new(self, ROOT)
    }

    /// Returns the element that a number names.
    ///
    /// # Panics
    /// When the number is of another, larger document.
    #[inline]
    #[must_use]
    pub fn element(&self, id: NodeId) -> Element<'_> {
        let node = &self.nodes[id.0 as usize];
        debug_assert!(node.is_element(), "{id:?} is not an element");
        Element::new(self, id.0)
    }

    /// Returns the version that the root's attributes state; what is absent or no number is 0.
    #[must_use]
    pub fn version(&self) -> CibVersion {
        self.root().version()
    }

    /// Writes the document as XML, indented by two spaces, with a final newline.
    #[must_use]
    pub fn to_xml(&self) -> String {
        self.root().to_xml()
    }

    /// Writes the document as XML with no blanks between tags.
    #[must_use]
    pub fn to_xml_compact(&self) -> String {
        self.root().to_xml_compact()
    }

    /// Returns the number that stands for a name in this document, if it has any such.
    pub(crate) fn number_of(&self, name: &str) -> Option<u32> {
        self.names.find(name)
    }

    /// Returns the size of the buffers, garbage included, in bytes.
    pub(super) fn size(&self) -> usize {
        self.text.len()
            + self.nodes.len() * size_of::<Node>()
            + self.attributes.len() * size_of::<Attribute>()
    }

    #[inline]
    pub(super) fn value(&self, a: &Attribute) -> &str {
        &self.text[a.start as usize..a.start as usize + a.len as usize]
    }

    #[inline]
    pub(super) fn node_text(&self, node: &Node) -> &str {
        &self.text[node.start as usize..node.start as usize + node.len as usize]
    }

    #[inline]
    pub(super) fn attributes_of(&self, id: u32) -> &[Attribute] {
        let node = &self.nodes[id as usize];
        &self.attributes[node.start as usize..node.start as usize + node.len as usize]
    }

    /// Returns the node after this one in document order, within the tree of `top`.
    #[inline]
    pub(super) fn following(&self, id: u32, top: u32) -> u32 {
        let node = &self.nodes[id as usize];
        if node.first != NONE {
            return node.first;
        }
        self.beyond(id, top)
    }

    /// Returns the first node in document order that is not in the tree of this one, within that of `top`.
    #[inline]
    pub(super) fn beyond(&self, id: u32, top: u32) -> u32 {
        let mut at = id;
        while at != top {
            let node = &self.nodes[at as usize];
            if node.next != NONE {
                return node.next;
            }
            at = node.parent;
        }
        NONE
    }
}

/// Tells whether a text is only what XML calls white space.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes()
        .all(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.root() == other.root()
    }
}

impl Eq for Document {}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("root", &self.root())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_xml())
    }
}

impl std::str::FromStr for Document {
    type Err = crate::Error;

    fn from_str(text: &str) -> crate::Result<Self> {
        Self::parse(text)
    }
}
