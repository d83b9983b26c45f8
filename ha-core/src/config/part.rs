//! How the types of the configuration are read from elements and printed as elements.
//!
//! A type lists its fields once, with [`part!`](super::macros): each with how it stands in XML. What is in the
//! element besides is kept in its [`Rest`], and so is where it stood.

use super::attribute::Attribute;
use super::naming::Namer;
use super::rest::{Kept, OTHER, Rest};
use super::unreadable::Unreadable;
use crate::name::Id;
use crate::xml::{Document, Element, NodeId};

/// Rules in rules beyond this depth are kept as they are.
const DEEPEST: usize = 64;

/// What one element says.
pub(super) trait Part {
    fn read(reader: &mut Reader<'_, '_>) -> Result<Self, Unreadable>
    where
        Self: Sized;

    fn write<'a>(&'a self, writer: &mut Writer<'_, 'a>);

    /// Gives an id to the parts that need one.
    fn name_parts(&mut self, namer: &mut Namer);

    /// What its id ends with when it is made from that of its owner.
    fn suffix(&self, tag: &str) -> String {
        tag.to_owned()
    }
}

impl<T: Part> Part for Box<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Result<Self, Unreadable> {
        T::read(reader).map(Self::new)
    }

    fn write<'a>(&'a self, writer: &mut Writer<'_, 'a>) {
        (**self).write(writer);
    }

    fn name_parts(&mut self, namer: &mut Namer) {
        (**self).name_parts(namer);
    }

    fn suffix(&self, tag: &str) -> String {
        (**self).suffix(tag)
    }
}

/// One of several kinds of elements.
pub(super) trait Choice: Sized {
    const TAGS: &'static [&'static str];
    fn read(reader: &mut Reader<'_, '_>) -> Result<Self, Unreadable>;
    fn part(&self) -> (&'static str, &dyn Part);
    fn part_mut(&mut self) -> (&'static str, &mut dyn Part);
}

/// Reads one element; what nothing asked for is left for [`Reader::rest`].
pub(super) struct Reader<'d, 'f> {
    element: Element<'d>,
    depth: usize,
    unreadable: &'f mut Vec<Unreadable>,
    attributes: Vec<&'static str>,
    /// The child elements that were read, each with the number of its field.
    children: Vec<(u32, u8)>,
    field: u8,
}

impl<'d, 'f> Reader<'d, 'f> {
    pub(super) fn new(element: Element<'d>, unreadable: &'f mut Vec<Unreadable>) -> Self {
        Self {
            element,
            depth: 0,
            unreadable,
            attributes: Vec::new(),
            children: Vec::new(),
            field: 0,
        }
    }

    pub(super) fn element(&self) -> Element<'d> {
        self.element
    }

    fn problem(&self, problem: String, would_do: Option<&'static str>) -> Unreadable {
        Unreadable::new(self.element.path(), problem, would_do)
    }

    pub(super) fn required<T: Attribute>(&mut self, name: &'static str) -> Result<T, Unreadable> {
        let Some(text) = self.element.attribute(name) else {
            return Err(self.problem(
                format!("the attribute {name} is missing"),
                Some(T::WOULD_DO),
            ));
        };
        self.attributes.push(name);
        T::read(text).ok_or_else(|| self.problem(format!("{name}={text:?}"), Some(T::WOULD_DO)))
    }

    pub(super) fn optional<T: Attribute>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Unreadable> {
        let Some(text) = self.element.attribute(name) else {
            return Ok(None);
        };
        let value = T::read(text);
        if value.is_some() {
            self.attributes.push(name);
        } else {
            let problem = self.problem(format!("{name}={text:?}"), Some(T::WOULD_DO));
            self.unreadable.push(problem);
        }
        Ok(value)
    }

    pub(super) fn own(&mut self, name: &'static str) -> Result<Option<Id>, Unreadable> {
        self.optional(name)
    }

    pub(super) fn reference(&mut self, name: &'static str) -> Result<Option<Id>, Unreadable> {
        self.optional(name)
    }

    pub(super) fn many<T: Part>(&mut self, tag: &'static str) -> Result<Vec<T>, Unreadable> {
        self.field += 1;
        let children = self.element.children_named(tag);
        Ok(children
            .filter_map(|child| self.child(child, T::read))
            .collect())
    }

    pub(super) fn one<T: Part>(&mut self, tag: &'static str) -> Result<Option<T>, Unreadable> {
        self.field += 1;
        let child = self.element.child(tag);
        Ok(child.and_then(|child| self.child(child, T::read)))
    }

    /// As [`Reader::one`], for what is as good as absent when it is empty.
    pub(super) fn nested<T: Part + Default>(&mut self, tag: &'static str) -> Result<T, Unreadable> {
        Ok(self.one(tag)?.unwrap_or_default())
    }

    pub(super) fn any<T: Choice>(&mut self) -> Result<Vec<T>, Unreadable> {
        self.field += 1;
        let children = self.element.children();
        Ok(children
            .filter(|child| T::TAGS.contains(&child.name()))
            .filter_map(|child| self.child(child, T::read))
            .collect())
    }

    pub(super) fn exactly<T: Choice>(&mut self) -> Result<T, Unreadable> {
        self.field += 1;
        let mut children = self.element.children();
        let child = children.find(|child| T::TAGS.contains(&child.name()));
        child
            .and_then(|child| self.child(child, T::read))
            .ok_or_else(|| {
                self.problem(
                    format!("it holds no {} that can be read", T::TAGS.join(" and no ")),
                    None,
                )
            })
    }

    fn child<T>(
        &mut self,
        child: Element<'d>,
        read: impl FnOnce(&mut Reader<'_, '_>) -> Result<T, Unreadable>,
    ) -> Option<T> {
        let mut reader = Reader::new(child, self.unreadable);
        reader.depth = self.depth + 1;
        let part = if reader.depth > DEEPEST {
            Err(reader.problem("it is nested too deep".to_owned(), None))
        } else {
            read(&mut reader)
        };
        match part {
            Ok(part) => {
                self.children.push((child.id().number(), self.field));
                Some(part)
            }
            Err(problem) => {
                self.unreadable.push(problem);
                None
            }
        }
    }

    /// Counts a child element that another reader took as a field.
    pub(super) fn claim(&mut self, child: Option<Element<'d>>) {
        self.field += 1;
        let child = child.map(|child| (child.id().number(), self.field));
        self.children.extend(child);
    }

    /// Returns what was not asked for.
    pub(super) fn rest(&mut self) -> Rest {
        let attributes = self.element.attributes();
        let attributes = attributes.filter(|(name, _)| !self.attributes.contains(name));
        let attributes = attributes.map(|(name, value)| (name.into(), value.into()));
        let attributes = attributes.collect();
        self.children.sort_unstable();
        let mut contents = Vec::new();
        let mut order = Vec::new();
        for content in self.element.contents() {
            let field = Kept::element_of(content).and_then(|element| {
                let number = element.id().number();
                let at = self.children.binary_search_by_key(&number, |child| child.0);
                at.ok().map(|at| self.children[at].1)
            });
            order.push(field.unwrap_or(OTHER));
            if field.is_none() {
                contents.push(Kept::new(content));
            }
        }
        Rest::new(attributes, contents, order)
    }
}

/// Prints one element.
pub(super) struct Writer<'w, 'a> {
    document: &'w mut Document,
    at: NodeId,
    mistakes: &'w mut Vec<Unreadable>,
    field: u8,
    /// The children by field, which are printed when all are known.
    children: Vec<(u8, &'static str, &'a dyn Part)>,
    rest: Option<&'a Rest>,
}

/// Prints a part as the last child of an element.
fn write(
    document: &mut Document,
    parent: NodeId,
    tag: &str,
    part: &dyn Part,
    mistakes: &mut Vec<Unreadable>,
) {
    let at = document.append_child(parent, tag);
    let mut writer = Writer::new(document, at, mistakes);
    part.write(&mut writer);
    writer.finish();
}

impl<'w, 'a> Writer<'w, 'a> {
    pub(super) fn new(
        document: &'w mut Document,
        at: NodeId,
        mistakes: &'w mut Vec<Unreadable>,
    ) -> Self {
        Self {
            document,
            at,
            mistakes,
            field: 0,
            children: Vec::new(),
            rest: None,
        }
    }

    pub(super) fn required<T: Attribute>(&mut self, name: &str, value: &T) {
        self.document.set_attribute(self.at, name, &value.print());
    }

    pub(super) fn optional<T: Attribute>(&mut self, name: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.required(name, value);
        }
    }

    pub(super) fn own(&mut self, name: &str, value: &Option<Id>) {
        self.optional(name, value);
    }

    pub(super) fn reference(&mut self, name: &str, value: &Option<Id>) {
        self.optional(name, value);
    }

    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.document.set_attribute(self.at, name, value);
        }
    }

    pub(super) fn many<T: Part>(&mut self, tag: &'static str, parts: &'a [T]) {
        self.field += 1;
        let parts = parts
            .iter()
            .map(|part| (self.field, tag, part as &dyn Part));
        self.children.extend(parts);
    }

    pub(super) fn one<T: Part>(&mut self, tag: &'static str, part: &'a Option<T>) {
        self.field += 1;
        let part = part.iter().map(|part| (self.field, tag, part as &dyn Part));
        self.children.extend(part);
    }

    pub(super) fn nested<T: Part + Default + PartialEq>(&mut self, tag: &'static str, part: &'a T) {
        self.field += 1;
        if *part != T::default() {
            self.children.push((self.field, tag, part));
        }
    }

    pub(super) fn any<T: Choice>(&mut self, parts: &'a [T]) {
        self.field += 1;
        for part in parts {
            let (tag, part) = part.part();
            self.children.push((self.field, tag, part));
        }
    }

    pub(super) fn exactly<T: Choice>(&mut self, part: &'a T) {
        self.any(std::slice::from_ref(part));
    }

    pub(super) fn rest(&mut self, rest: &'a Rest) {
        self.rest = Some(rest);
    }

    /// Prints the children and the rest.
    pub(super) fn finish(self) {
        let Self {
            document,
            at,
            mistakes,
            children,
            rest,
            ..
        } = self;
        let nothing = Rest::default();
        let rest = rest.unwrap_or(&nothing);
        for (name, value) in rest.attributes() {
            // One that could not be read has been replaced when it is there now.
            if document.element(at).attribute(name).is_none() {
                document.set_attribute(at, name, value);
            }
        }
        for mistake in rest.mistakes() {
            let path = document.element(at).path();
            mistakes.push(Unreadable::new(path, mistake.clone(), None));
        }
        let fields: Vec<u8> = children.iter().map(|child| child.0).collect();
        for content in rest.arranged(&fields) {
            match content {
                Ok(child) => {
                    let (_, tag, part) = children[child];
                    write(document, at, tag, part, mistakes);
                }
                Err(kept) => kept.write(document, at),
            }
        }
    }
}
