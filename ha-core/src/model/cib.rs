//! The CIB's sections.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;

use crate::xml::{Document, Element, NodeId};

/// A CIB with its sections found once.
///
/// A section that is missing reads as empty: half of a CIB is still worth a status.
#[derive(Debug)]
pub struct Cib<'d> {
    root: Element<'d>,
    crm_config: Option<Element<'d>>,
    nodes: Option<Element<'d>>,
    resources: Option<Element<'d>>,
    constraints: Option<Element<'d>>,
    tags: Option<Element<'d>>,
    rsc_defaults: Option<Element<'d>>,
    op_defaults: Option<Element<'d>>,
    status: Option<Element<'d>>,
    by_id: OnceCell<HashMap<(&'d str, &'d str), Element<'d>>>,
    /// A reference led, or may lead, out of the configuration.
    led_out: Cell<bool>,
}

fn only<'d>(mut all: impl Iterator<Item = Element<'d>>) -> Option<Element<'d>> {
    let first = all.next();
    first.filter(|_| all.next().is_none())
}

impl<'d> Cib<'d> {
    /// Finds the sections of a document.
    #[must_use]
    pub fn new(document: &'d Document) -> Self {
        let root = document.root();
        // Of a section that is there more than once, Pacemaker takes none.
        let section = |name| {
            let configurations = root.children_named("configuration");
            only(configurations.flat_map(|e| e.children_named(name)))
        };
        Self {
            root,
            crm_config: section("crm_config"),
            nodes: section("nodes"),
            resources: section("resources"),
            constraints: section("constraints"),
            tags: section("tags"),
            rsc_defaults: section("rsc_defaults"),
            op_defaults: section("op_defaults"),
            status: only(root.children_named("status")),
            by_id: OnceCell::new(),
            led_out: Cell::new(false),
        }
    }

    /// Returns the `cib` element.
    #[must_use]
    pub fn root(&self) -> Element<'d> {
        self.root
    }

    /// Returns an attribute of the `cib` element.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'d str> {
        self.root.attribute(name)
    }

    /// Returns the `crm_config` section.
    #[must_use]
    pub fn crm_config(&self) -> Option<Element<'d>> {
        self.crm_config
    }

    /// Returns the `rsc_defaults` section.
    #[must_use]
    pub fn rsc_defaults(&self) -> Option<Element<'d>> {
        self.rsc_defaults
    }

    /// Returns the `op_defaults` section.
    #[must_use]
    pub fn op_defaults(&self) -> Option<Element<'d>> {
        self.op_defaults
    }

    /// Iterates over the configured nodes.
    pub fn nodes(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        self.nodes
            .into_iter()
            .flat_map(|e| e.children_named("node"))
    }

    /// Iterates over the top-level resources and templates, in document order.
    pub fn resources(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        self.resources.into_iter().flat_map(Element::children)
    }

    /// Iterates over the constraints, in document order.
    pub fn constraints(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        self.constraints.into_iter().flat_map(Element::children)
    }

    /// Iterates over the tags.
    pub fn tags(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        self.tags.into_iter().flat_map(|e| e.children_named("tag"))
    }

    /// Iterates over the `node_state` elements of the status.
    pub fn node_states(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        self.status
            .into_iter()
            .flat_map(|e| e.children_named("node_state"))
    }

    /// Iterates over the `ticket_state` elements of the status.
    pub fn ticket_states(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        self.status
            .into_iter()
            .flat_map(|e| e.children_named("tickets"))
            .flat_map(|e| e.children_named("ticket_state"))
    }

    /// Finds the first element with this tag and id, anywhere in the document.
    #[must_use]
    pub fn find(&self, tag: &str, id: &str) -> Option<Element<'d>> {
        let index = self.by_id.get_or_init(|| {
            let mut index = HashMap::new();
            for element in self.root.descendants() {
                if let Some(id) = element.attribute("id") {
                    index.entry((element.name(), id)).or_insert(element);
                }
            }
            index
        });
        let found = index.get(&(tag, id)).copied();
        // What stands first in a document is found whatever follows.
        let first = self.root.children().next();
        let first = first.filter(|e| e.name() == "configuration");
        let is_within = |e: Element<'d>| {
            let mut ancestors = std::iter::successors(Some(e), |e| e.parent());
            ancestors.any(|e| first.is_some_and(|first| e.id() == first.id()))
        };
        if tag == self.root.name() || !found.is_some_and(is_within) {
            self.led_out.set(true);
        }
        found
    }

    /// Tells whether any answer of [`Cib::find`] so far may be another one when nothing but the rest of the
    /// document changes.
    pub(crate) fn has_looked_beyond_configuration(&self) -> bool {
        self.led_out.get()
    }

    /// Returns an element of the document.
    pub(crate) fn element(&self, id: NodeId) -> Element<'d> {
        self.root.document().element(id)
    }

    /// Iterates over the elements that hold the configuration: one, unless the CIB is odd.
    pub(crate) fn configurations(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        self.root.children_named("configuration")
    }

    /// Follows an `id-ref` (to the first element of the same tag with that id); without one, or
    /// when it leads nowhere, returns the element itself.
    #[must_use]
    pub fn resolve(&self, element: Element<'d>) -> Element<'d> {
        element
            .attribute("id-ref")
            .and_then(|id| self.find(element.name(), id))
            .unwrap_or(element)
    }
}
