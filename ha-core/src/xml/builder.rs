//! Building a document from start to end, without any XML text.

use std::sync::Arc;

use super::document::{Attribute, Document, NONE, Node, is_blank};
use super::names::{self, COMMENT, NO_SYMBOL, Names, Symbol, TEXT};
use crate::{Error, ErrorKind, Result};

/// Builds a [`Document`] from its parts in document order.
///
/// Mistakes (an element left open, two roots, the same attribute twice, ...) are reported once, by
/// [`Builder::finish`].
///
/// # Example
/// ```
/// use ha_core::xml::Builder;
/// let mut b = Builder::new();
/// b.start("cib");
/// b.attribute("epoch", "1");
/// b.start("status");
/// b.end();
/// b.end();
/// assert_eq!(b.finish()?.to_xml_compact(), r#"<cib epoch="1"><status/></cib>"#);
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Builder {
    names: Names,
    text: String,
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    /// The open element, or `NONE`.
    open: u32,
    /// Where the text that is being collected starts, or `NONE`.
    pending: u32,
    /// Whether attributes may still be added to the open element.
    in_tag: bool,
    /// For each name, the last element that got an attribute of that name.
    seen: Vec<u32>,
    mistake: Option<Mistake>,
}

/// A name that a [`Builder`] knows already: see [`Builder::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name(Symbol);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mistake {
    BadName(String),
    BadCharacter(char),
    TwoRoots,
    TextOutside,
    AttributeOutside,
    Duplicate(String),
    EndWithoutStart,
    TooLarge,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Makes a builder of an empty document.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// Makes a builder with room for a document of about this many bytes of XML.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        // Of a CIB, half is values; an element takes about 180 bytes and an attribute 35.
        Self {
            names: Names::new(),
            text: String::with_capacity(bytes / 2),
            nodes: Vec::with_capacity(bytes / 160 + 1),
            attributes: Vec::with_capacity(bytes / 32),
            open: NONE,
            pending: NONE,
            in_tag: false,
            seen: Vec::new(),
            mistake: None,
        }
    }

    /// Returns the number of a name for [`Builder::start_named`] and
    /// [`Builder::attribute_named`]: for a caller that meets the same names again and again and
    /// knows them by something cheaper to compare than their text.
    #[inline]
    pub fn name(&mut self, name: &str) -> Name {
        if let Some(symbol) = self.names.intern(name, names::is_name) {
            if self.seen.len() <= symbol as usize {
                self.seen.resize(symbol as usize + 16, NONE);
            }
            return Name(symbol);
        }
        self.fail(Mistake::BadName(name.to_owned()));
        Name(NO_SYMBOL)
    }

    /// Opens an element.
    #[inline]
    pub fn start(&mut self, name: &str) {
        let name = self.name(name);
        self.start_named(name);
    }

    /// Opens an element whose name is known already.
    #[inline]
    pub fn start_named(&mut self, name: Name) {
        self.flush_text();
        let id = self.nodes.len() as u32;
        if id == NONE {
            return self.fail(Mistake::TooLarge);
        }
        if self.open == NONE {
            if id != 0 {
                return self.fail(Mistake::TwoRoots);
            }
        } else {
            self.append(id);
        }
        let mut node = Node::new(name.0, self.attributes.len() as u32, 0, self.open);
        if self.open != NONE {
            node.prev = std::mem::replace(&mut self.nodes[self.open as usize].last, id);
        }
        self.nodes.push(node);
        self.open = id;
        self.in_tag = true;
    }

    /// Adds an attribute to the element just opened.
    #[inline]
    pub fn attribute(&mut self, name: &str, value: &str) {
        let name = self.name(name);
        self.attribute_named(name, value);
    }

    /// Adds an attribute, whose name is known already, to the element just opened.
    #[inline]
    pub fn attribute_named(&mut self, name: Name, value: &str) {
        if let Some(bad) = names::find_non_xml(value) {
            return self.bad_character(&value[bad..]);
        }
        self.claim(name);
        let start = self.text.len();
        self.push(value);
        self.add_attribute(name, start);
    }

    /// Checks that an attribute of this name may be added now.
    #[inline]
    pub(super) fn claim(&mut self, name: Name) {
        if !self.in_tag {
            return self.fail(Mistake::AttributeOutside);
        }
        if let Some(seen) = self.seen.get_mut(name.0 as usize)
            && std::mem::replace(seen, self.open) == self.open
        {
            self.fail(Mistake::Duplicate(self.names.name(name.0).to_owned()));
        }
    }

    /// Makes what was pushed from `start` on the value of an attribute.
    #[inline]
    pub(super) fn add_attribute(&mut self, name: Name, start: usize) {
        if self.in_tag {
            let len = (self.text.len() - start) as u32;
            self.attributes.push(Attribute {
                name: name.0,
                start: start as u32,
                len,
            });
            self.nodes[self.open as usize].len += 1;
        }
    }

    /// Adds text to the open element. Pieces without an element between them become one text;
    /// one that is blank as a whole is not kept.
    pub fn text(&mut self, text: &str) {
        if let Some(bad) = names::find_non_xml(text) {
            return self.bad_character(&text[bad..]);
        }
        if self.open == NONE {
            if !is_blank(text) {
                self.fail(Mistake::TextOutside);
            }
            return;
        }
        if self.pending == NONE {
            self.pending = self.text.len() as u32;
        }
        self.in_tag = false;
        self.push(text);
    }

    /// Tells whether text is being collected, which what comes next may continue.
    #[inline]
    pub(super) fn is_collecting(&self) -> bool {
        self.pending != NONE
    }

    /// Adds text that is known to be blank, which matters only beside other text.
    pub(super) fn blank(&mut self, text: &str) {
        if self.open != NONE {
            if self.pending == NONE {
                self.pending = self.text.len() as u32;
            }
            self.in_tag = false;
            self.push(text);
        }
    }

    /// Adds a comment to the open element; outside of the root, it is not kept.
    ///
    /// Comments say nothing, but patch sets count them among the children. What XML cannot hold
    /// in a comment (two hyphens side by side) is set apart by a blank.
    pub fn comment(&mut self, comment: &str) {
        if let Some(bad) = names::find_non_xml(comment) {
            return self.bad_character(&comment[bad..]);
        }
        if self.open == NONE {
            return;
        }
        self.flush_text();
        self.in_tag = false;
        let start = self.text.len() as u32;
        self.push(comment);
        if comment.contains("--") || comment.ends_with('-') {
            let apart = comment.replace("--", "- -").replace("--", "- -");
            self.text.truncate(start as usize);
            self.push(&apart);
            if apart.ends_with('-') {
                self.push(" ");
            }
        }
        self.push_leaf(COMMENT, start);
    }

    /// Closes the open element.
    #[inline]
    pub fn end(&mut self) {
        self.flush_text();
        if self.open == NONE {
            return self.fail(Mistake::EndWithoutStart);
        }
        self.in_tag = false;
        self.open = self.nodes[self.open as usize].parent;
    }

    /// Returns the document.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the calls did not make one well-formed document (the message
    /// says the first mistake), [`ErrorKind::Limit`] when it is larger than 4 GiB.
    pub fn finish(mut self) -> Result<Document> {
        if let Some(mistake) = self.mistake.take() {
            return Err(mistake.into_error());
        }
        if self.open != NONE {
            let name = self.open_name().unwrap_or_default();
            return Err(Error::invalid(format!("element <{name}> is not closed")));
        }
        if self.nodes.is_empty() {
            return Err(Error::invalid("there is no root element"));
        }
        let mut document = Document::empty(Arc::new(self.names));
        document.text = self.text;
        document.nodes = self.nodes;
        document.attributes = self.attributes;
        Ok(document)
    }

    pub(super) fn open_name(&self) -> Option<&str> {
        let open = self.nodes.get(self.open as usize)?;
        open.is_element().then(|| self.names.name(open.name))
    }

    pub(super) fn has_root(&self) -> bool {
        !self.nodes.is_empty()
    }

    pub(super) fn take_mistake(&mut self) -> Option<Mistake> {
        self.mistake.take()
    }

    pub(super) fn has_mistake(&self) -> bool {
        self.mistake.is_some()
    }

    /// Adds bytes to the buffer: the caller knows what they are for.
    #[inline]
    pub(super) fn push(&mut self, text: &str) {
        if self.text.len() + text.len() >= NONE as usize {
            return self.fail(Mistake::TooLarge);
        }
        self.text.push_str(text);
    }

    /// Returns the length of the buffer: where what is pushed next starts.
    #[inline]
    pub(super) fn pushed(&self) -> usize {
        self.text.len()
    }

    #[inline]
    fn flush_text(&mut self) {
        if self.pending != NONE {
            self.flush_pending();
        }
    }

    fn flush_pending(&mut self) {
        let start = std::mem::replace(&mut self.pending, NONE);
        if is_blank(&self.text[start as usize..]) {
            self.text.truncate(start as usize);
            return;
        }
        self.push_leaf(TEXT, start);
    }

    /// Adds a text or a comment: what was pushed from `start` on.
    fn push_leaf(&mut self, kind: Symbol, start: u32) {
        let id = self.nodes.len() as u32;
        if id == NONE {
            return self.fail(Mistake::TooLarge);
        }
        self.append(id);
        let len = self.text.len() as u32 - start;
        let mut node = Node::new(kind, start, len, self.open);
        node.prev = std::mem::replace(&mut self.nodes[self.open as usize].last, id);
        self.nodes.push(node);
    }

    /// Makes the last child of the open element, or the element itself, point to a new node.
    #[inline]
    fn append(&mut self, id: u32) {
        let parent = &mut self.nodes[self.open as usize];
        match parent.last {
            NONE => parent.first = id,
            last => self.nodes[last as usize].next = id,
        }
    }

    #[cold]
    pub(super) fn bad_character(&mut self, at: &str) {
        self.fail(Mistake::BadCharacter(at.chars().next().unwrap_or_default()));
    }

    #[cold]
    pub(super) fn fail(&mut self, mistake: Mistake) {
        self.mistake.get_or_insert(mistake);
    }
}

impl Mistake {
    pub(super) fn into_error(self) -> Error {
        Error::invalid(match self {
            Self::BadName(name) => format!("{name:?} is not an XML name"),
            Self::BadCharacter(c) => format!("XML cannot hold the character {c:?}"),
            Self::TwoRoots => "there is more than one root element".to_owned(),
            Self::TextOutside => "there is text outside of the root element".to_owned(),
            Self::AttributeOutside => "there is an attribute outside of a start tag".to_owned(),
            Self::Duplicate(name) => format!("the attribute {name} is there twice"),
            Self::EndWithoutStart => "there is an end tag without a start tag".to_owned(),
            Self::TooLarge => {
                return Error::new(ErrorKind::Limit, "the document is larger than 4 GiB");
            }
        })
    }
}
