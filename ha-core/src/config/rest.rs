//! What the types do not know, and where it stood.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::name::is_secret;
use crate::xml::{Content, Document, Element, NodeId};

/// Stands for what no field holds, among the numbers of fields.
pub(super) const OTHER: u8 = u8::MAX;

/// What an element holds besides what is known of it: attributes, elements, texts and comments.
///
/// It is printed again where it stood. It also holds what a builder was given and could not take,
/// which printing reports.
///
/// Two are equal when they hold the same; where it stood does not matter.
#[derive(Clone, Default)]
pub struct Rest(Option<Box<Inner>>);

#[derive(Clone, Default)]
struct Inner {
    attributes: Vec<(Box<str>, Box<str>)>,
    contents: Vec<Kept>,
    /// The field of each content of the element; empty when they are in the order of the fields.
    order: Vec<u8>,
    mistakes: Vec<String>,
}

/// An element, a text or a comment that no field holds.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Kept {
    Element(Box<Document>),
    Text(Box<str>),
    Comment(Box<str>),
}

impl Kept {
    pub(super) fn new(content: Content<'_>) -> Self {
        match content {
            Content::Element(element) => Self::Element(Box::new(Document::copy_of(element))),
            Content::Text(text) => Self::Text(text.into()),
            Content::Comment(text) => Self::Comment(text.into()),
        }
    }

    pub(super) fn element_of(content: Content<'_>) -> Option<Element<'_>> {
        match content {
            Content::Element(element) => Some(element),
            Content::Text(_) | Content::Comment(_) => None,
        }
    }

    pub(super) fn write(&self, document: &mut Document, parent: NodeId) {
        match self {
            Self::Element(kept) => {
                document.import(parent, usize::MAX, kept.root());
            }
            Self::Text(text) => document.append_text(parent, text),
            Self::Comment(text) => document.append_comment(parent, text),
        }
    }
}

impl Rest {
    pub(super) fn new(
        attributes: Vec<(Box<str>, Box<str>)>,
        contents: Vec<Kept>,
        mut order: Vec<u8>,
    ) -> Self {
        if order.is_sorted() {
            order = Vec::new();
        }
        if attributes.is_empty() && contents.is_empty() && order.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Inner {
            attributes,
            contents,
            order,
            mistakes: Vec::new(),
        })))
    }

    fn contents(&self) -> &[Kept] {
        self.0.as_ref().map_or(&[], |inner| &inner.contents)
    }

    fn inner(&mut self) -> &mut Inner {
        self.0.get_or_insert_default()
    }

    /// Tells whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let empty = |inner: &Inner| inner.attributes.is_empty() && inner.contents.is_empty();
        self.0.as_deref().is_none_or(empty)
    }

    /// Returns the attributes, as (name, value).
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        let inner = self.0.as_ref();
        let attributes: &[(Box<str>, Box<str>)] = inner.map_or(&[], |inner| &inner.attributes);
        attributes.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Returns the elements.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        self.contents().iter().filter_map(|kept| match kept {
            Kept::Element(document) => Some(document.root()),
            Kept::Text(_) | Kept::Comment(_) => None,
        })
    }

    /// Sets an attribute that the type does not know; one that it knows stays as it is.
    pub fn set_attribute(&mut self, name: &str, value: &str) {
        let attributes = &mut self.inner().attributes;
        match attributes.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, old)) => *old = value.into(),
            None => attributes.push((name.into(), value.into())),
        }
    }

    /// Adds an element that the type does not know, at the end.
    pub fn push_element(&mut self, element: Element<'_>) {
        self.inner()
            .contents
            .push(Kept::new(Content::Element(element)));
    }

    /// Remembers what a builder could not take.
    pub(super) fn mistake(&mut self, mistake: String) {
        self.inner().mistakes.push(mistake);
    }

    pub(super) fn mistakes(&self) -> &[String] {
        self.0.as_ref().map_or(&[], |inner| &inner.mistakes)
    }

    /// Puts children, known by the numbers of their fields, and what is kept here in the order in
    /// which they stood: what was added since comes after its kind, or at the end.
    pub(super) fn arranged(&self, fields: &[u8]) -> Vec<Result<usize, &Kept>> {
        let mut out = Vec::with_capacity(fields.len() + self.contents().len());
        let mut kept = self.contents().iter();
        let order: &[u8] = self.0.as_ref().map_or(&[], |inner| &inner.order);
        let mut next = [0_usize; 256];
        let mut last = [usize::MAX; 256];
        for (i, &field) in fields.iter().enumerate().rev() {
            next[usize::from(field)] = i;
        }
        for (i, &field) in order.iter().enumerate() {
            last[usize::from(field)] = i;
        }
        for (i, &field) in order.iter().enumerate() {
            let known = usize::from(field);
            if field == OTHER {
                out.extend(kept.next().map(Err));
                continue;
            }
            while fields.get(next[known]) == Some(&field) {
                out.push(Ok(next[known]));
                next[known] += 1;
                if last[known] != i {
                    break;
                }
            }
        }
        let unplaced = |(_, field): &(usize, &u8)| last[usize::from(**field)] == usize::MAX;
        let unplaced = fields.iter().enumerate().filter(unplaced);
        out.extend(unplaced.map(|(i, _)| Ok(i)));
        out.extend(kept.map(Err));
        out
    }
}

impl PartialEq for Rest {
    fn eq(&self, other: &Self) -> bool {
        self.attributes().eq(other.attributes()) && self.contents() == other.contents()
    }
}

impl Eq for Rest {}

/// The value of an attribute, or that it is hidden.
fn shown<'a>(name: &str, value: &'a str) -> &'a str {
    if is_secret(name) { "(hidden)" } else { value }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entries(
            self.attributes()
                .map(|(name, value)| (name, shown(name, value))),
        );
        for kept in self.contents() {
            match kept {
                Kept::Element(document) => map.entry(&"element", &document.root()),
                Kept::Text(text) => map.entry(&"text", &format_args!("{} bytes", text.len())),
                Kept::Comment(text) => map.entry(&"comment", &format_args!("{} bytes", text.len())),
            };
        }
        map.finish()
    }
}

impl Serialize for Rest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Rest", 2)?;
        let attributes = self
            .attributes()
            .map(|(name, value)| (name, shown(name, value)));
        let attributes: std::collections::BTreeMap<_, _> = attributes.collect();
        out.serialize_field("attributes", &attributes)?;
        let elements: Vec<&str> = self.elements().map(Element::name).collect();
        out.serialize_field("elements", &elements)?;
        out.end()
    }
}
