//! What the configuration implies without writing it: template contents, connections to guest
//! nodes, the parts of bundles.
//!
//! They are made as elements of a second document, so that the rest of the engine reads them like
//! anything else of the CIB. Most CIBs have none, and then nothing is copied.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use crate::model::{Cib, scalar};
use crate::xml::{Document, Element, NodeId};

use super::copies::Copies;
use super::types::BundleKind;

/// How many replicas a bundle may have: more is nonsense, and must not cost memory.
const MAX_REPLICAS: i64 = 10_000;

/// The implicit elements of a CIB.
#[derive(Debug)]
pub(super) struct Implicit {
    pub(super) document: Document,
    /// A primitive with a template, to its expanded form; `None` drops the resource.
    expanded: HashMap<NodeId, Option<NodeId>>,
    /// An expanded form, to the template and the primitive that it consists of. Many resources share a
    /// template: nothing in it is copied.
    sources: HashMap<NodeId, Sources>,
    /// The connection primitives of guest nodes, in order.
    pub(super) connections: Vec<NodeId>,
    /// A bundle element, to its parts.
    bundles: HashMap<NodeId, BundleParts>,
    /// How many copies of resources may still be made.
    pub(super) copies: Copies,
}

/// What the content of an expanded primitive is read from, in the CIB.
#[derive(Debug, Clone, Copy)]
struct Sources {
    template: NodeId,
    own: NodeId,
}

/// The implicit resources of a bundle.
#[derive(Debug)]
pub(super) struct BundleParts {
    pub(super) kind: BundleKind,
    pub(super) image: String,
    pub(super) unique: bool,
    pub(super) clone: Option<NodeId>,
    pub(super) replicas: Vec<ReplicaParts>,
}

/// The implicit resources of a replica.
#[derive(Debug)]
pub(super) struct ReplicaParts {
    pub(super) address: Option<String>,
    pub(super) container: NodeId,
    pub(super) ip: Option<NodeId>,
    pub(super) remote: Option<NodeId>,
}

impl Implicit {
    /// Returns the element to read a primitive from: itself, or its expanded form.
    pub(super) fn primitive<'d>(&'d self, element: Element<'d>) -> Option<Element<'d>> {
        if element.attribute("template").is_none() {
            return Some(element);
        }
        match self.expanded.get(&element.id()) {
            Some(found) => found.map(|id| self.document.element(id)),
            None => Some(element),
        }
    }

    /// Returns the template and the primitive that an expanded one consists of.
    fn sources<'d>(
        &self,
        cib: &Cib<'d>,
        element: Element<'d>,
    ) -> Option<(Element<'d>, Element<'d>)> {
        if !std::ptr::eq(element.document(), &self.document) {
            return None;
        }
        let sources = self.sources.get(&element.id())?;
        Some((cib.element(sources.template), cib.element(sources.own)))
    }

    /// Returns the blocks of attributes of a resource; those of its template come first.
    pub(super) fn blocks<'d>(
        &self,
        cib: &Cib<'d>,
        element: Element<'d>,
        name: &str,
    ) -> impl Iterator<Item = Element<'d>> {
        let sources = self.sources(cib, element);
        let (first, second) = sources.map_or((element, None), |(first, own)| (first, Some(own)));
        let second = second.into_iter();
        first
            .children_named(name)
            .chain(second.flat_map(move |own| own.children_named(name)))
    }

    /// Returns the operations of a resource; those of its template give way to its own.
    pub(super) fn operations<'d>(
        &self,
        cib: &Cib<'d>,
        element: Element<'d>,
    ) -> impl Iterator<Item = Element<'d>> + use<'d> {
        let operations = |e: Element<'d>| e.child("operations");
        let (first, second) = match self.sources(cib, element) {
            None => (operations(element), None),
            Some((template, own)) => match (operations(own), operations(template)) {
                (None, from_template) => (from_template, None),
                // What it refers to is all there is.
                (Some(own), from_template) if cib.resolve(own).id() == own.id() => {
                    (Some(own), from_template)
                }
                (own, _) => (own, None),
            },
        };
        let first = first.map(|e| cib.resolve(e));
        let keys = keys(second.and(first));
        let others = second.into_iter().flat_map(Element::children);
        first
            .into_iter()
            .flat_map(Element::children)
            .chain(others.filter(move |op| !keys.contains(&key(*op))))
    }

    /// Returns every operation that stands in a resource, wherever it does.
    pub(super) fn all_operations<'d>(
        &self,
        cib: &Cib<'d>,
        element: Element<'d>,
    ) -> impl Iterator<Item = Element<'d>> + use<'d> {
        let sources = self.sources(cib, element);
        let (own, template) =
            sources.map_or((element, None), |(template, own)| (own, Some(template)));
        let own_operations = own.child("operations");
        let keys = keys(template.and(own_operations));
        let hidden = move |op: Element<'d>| own_operations.is_some() && keys.contains(&key(op));
        let others = template.into_iter().flat_map(Element::descendants);
        own.descendants()
            .chain(others.filter(move |op| !hidden(*op)))
            .filter(|e| e.name() == "op")
    }

    /// Returns the parts of a bundle.
    pub(super) fn bundle(&self, element: Element<'_>) -> Option<&BundleParts> {
        self.bundles.get(&element.id())
    }
}

/// Makes the implicit elements of a CIB.
pub(super) fn implicit_elements(document: &Document) -> Implicit {
    let cib = Cib::new(document);
    let mut maker = Maker {
        implicit: Implicit {
            document: Document::new("implicit"),
            expanded: HashMap::new(),
            sources: HashMap::new(),
            connections: Vec::new(),
            bundles: HashMap::new(),
            copies: Copies::of(&cib),
        },
        templates: HashMap::new(),
    };
    for element in cib.resources().filter(|e| e.name() == "template") {
        if let Some(id) = element.attribute("id") {
            maker.templates.entry(id).or_insert(element);
        }
    }
    for element in cib.resources() {
        match element.name() {
            "primitive" => maker.expand_template(element),
            "group" => element
                .children_named("primitive")
                .for_each(|e| maker.expand_template(e)),
            "clone" | "master" => {
                for child in element.children() {
                    match child.name() {
                        "primitive" => maker.expand_template(child),
                        "group" => {
                            child
                                .children_named("primitive")
                                .for_each(|e| maker.expand_template(e));
                        }
                        _ => {}
                    }
                }
            }
            "bundle" => maker.bundle(element),
            _ => {}
        }
    }
    maker.guest_connections(&cib);
    maker.implicit
}

struct Maker<'d> {
    implicit: Implicit,
    templates: HashMap<&'d str, Element<'d>>,
}

impl<'d> Maker<'d> {
    fn root(&self) -> NodeId {
        self.implicit.document.root().id()
    }

    fn add(&mut self, parent: NodeId, name: &str, attributes: &[(&str, &str)]) -> NodeId {
        let id = self.implicit.document.append_child(parent, name);
        for (name, value) in attributes {
            self.implicit.document.set_attribute(id, name, value);
        }
        id
    }

    fn import(&mut self, parent: NodeId, element: Element<'_>) -> NodeId {
        let position = self.implicit.document.element(parent).children().count();
        self.implicit.document.import(parent, position, element)
    }

    fn expand_template(&mut self, primitive: Element<'d>) {
        let Some(name) = primitive.attribute("template") else {
            return;
        };
        let own_id = primitive.attribute("id");
        let template = self
            .templates
            .get(name)
            .copied()
            .filter(|_| own_id != Some(name));
        let expanded = match (template, own_id) {
            (Some(template), Some(own_id)) => {
                let root = self.root();
                let merged = self.implicit.document.append_child(root, template.name());
                for (name, value) in template.attributes() {
                    self.implicit.document.set_attribute(merged, name, value);
                }
                self.implicit.document.set_attribute(merged, "id", own_id);
                let sources = Sources {
                    template: template.id(),
                    own: primitive.id(),
                };
                self.implicit.sources.insert(merged, sources);
                Some(merged)
            }
            _ => None,
        };
        self.implicit.expanded.insert(primitive.id(), expanded);
    }

    fn guest_connections(&mut self, cib: &Cib<'d>) {
        for element in cib.resources() {
            match element.name() {
                "primitive" if super::resources::is_remote(element) => {}
                "primitive" => self.guest_connection(cib, element),
                "group" => {
                    for member in element.children_named("primitive") {
                        self.guest_connection(cib, member);
                    }
                }
                _ => {}
            }
        }
    }

    fn guest_connection(&mut self, cib: &Cib<'d>, primitive: Element<'d>) {
        let (mut node, mut allow_migrate, mut managed) = (None, None, None);
        for block in primitive
            .children_named("meta_attributes")
            .map(|e| cib.resolve(e))
        {
            for pair in block.children_named("nvpair") {
                let slot = match pair.attribute("name") {
                    Some("remote-node") => &mut node,
                    Some("remote-allow-migrate") => &mut allow_migrate,
                    Some("is-managed") => &mut managed,
                    _ => continue,
                };
                *slot = pair.attribute("value");
            }
        }
        let (Some(node), Some(container)) = (node, primitive.attribute("id")) else {
            return;
        };
        let id = self.connection(node, container, allow_migrate, managed);
        self.implicit.connections.push(id);
    }

    fn connection(
        &mut self,
        id: &str,
        container: &str,
        allow_migrate: Option<&str>,
        managed: Option<&str>,
    ) -> NodeId {
        let root = self.root();
        let element = self.add(
            root,
            "primitive",
            &[
                ("id", id),
                ("class", "ocf"),
                ("provider", "pacemaker"),
                ("type", "remote"),
            ],
        );
        let meta = self.add(element, "meta_attributes", &[]);
        let pairs = [
            ("internal_rsc", Some("true")),
            ("container", Some(container)),
            ("allow-migrate", allow_migrate),
            ("is-managed", managed),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                self.add(meta, "nvpair", &[("name", name), ("value", value)]);
            }
        }
        element
    }

    fn bundle(&mut self, bundle: Element<'d>) {
        let kinds = [BundleKind::Docker, BundleKind::Rkt, BundleKind::Podman];
        let found = kinds
            .iter()
            .find_map(|&k| bundle.child(k.as_str()).map(|e| (k, e)));
        let (Some((kind, technology)), Some(id)) = (found, bundle.attribute("id")) else {
            return;
        };
        let number = |name| technology.attribute(name).and_then(scalar::integer);
        let promoted_max = number("promoted-max")
            .or_else(|| number("masters"))
            .unwrap_or(0)
            .max(0);
        let count = number("replicas")
            .unwrap_or(if promoted_max > 0 { promoted_max } else { 1 })
            .clamp(1, MAX_REPLICAS);
        let per_host = number("replicas-per-host").unwrap_or(1).max(1);
        let network = bundle.child("network");
        let range = network.and_then(|n| n.attribute("ip-range-start"));
        let has_port = network.is_some_and(|n| n.attribute("control-port").is_some());
        let primitive = bundle.child("primitive");
        // A container and perhaps an address; a connection, and what runs inside.
        let parts = if primitive.is_some() { 4 } else { 2 };
        let count = self.implicit.copies.take(count, parts);
        if primitive.is_some() && range.is_none() && !has_port {
            return;
        }
        let clone = primitive.map(|primitive| {
            self.expand_template(primitive);
            // Without addresses of their own, the instances cannot be told apart.
            let per_host = if range.is_some() { per_host } else { 1 };
            self.bundle_clone(id, primitive, count, per_host, promoted_max)
        });
        let mut replicas = Vec::new();
        let mut last_address: Option<String> = None;
        for n in 0..count {
            let address = range.map(|first| match &last_address {
                None => first.to_owned(),
                Some(last) => next_address(last),
            });
            last_address.clone_from(&address);
            replicas.push(self.replica(id, kind, n, address, primitive.is_some()));
        }
        let parts = BundleParts {
            kind,
            image: technology.attribute("image").unwrap_or_default().to_owned(),
            unique: per_host > 1,
            clone,
            replicas,
        };
        self.implicit.bundles.insert(bundle.id(), parts);
    }

    fn bundle_clone(
        &mut self,
        id: &str,
        primitive: Element<'d>,
        count: i64,
        per_host: i64,
        promoted_max: i64,
    ) -> NodeId {
        let promotable = promoted_max > 0;
        let suffix = if promotable { "master" } else { "clone" };
        let root = self.root();
        let clone = self.add(root, "clone", &[("id", &xml_id(&format!("{id}-{suffix}")))]);
        let meta = self.add(clone, "meta_attributes", &[]);
        let text = |b: bool| if b { "true" } else { "false" };
        let (count, per_host_text) = (count.to_string(), per_host.to_string());
        let mut pairs = vec![
            ("clone-max", count.as_str()),
            ("clone-node-max", per_host_text.as_str()),
            ("globally-unique", text(per_host > 1)),
        ];
        if promotable {
            pairs.push(("promotable", "true"));
        }
        for (name, value) in pairs {
            self.add(meta, "nvpair", &[("name", name), ("value", value)]);
        }
        let source = self.implicit.expanded.get(&primitive.id()).copied();
        match source {
            None => {
                self.import(clone, primitive);
            }
            Some(None) => {}
            Some(Some(expanded)) => {
                let copy = Document::copy_of(self.implicit.document.element(expanded));
                let imported = self.import(clone, copy.root());
                self.implicit
                    .document
                    .remove_attribute(imported, "template");
                if let Some(sources) = self.implicit.sources.get(&expanded).copied() {
                    self.implicit.sources.insert(imported, sources);
                }
            }
        }
        clone
    }

    fn replica(
        &mut self,
        bundle: &str,
        kind: BundleKind,
        number: i64,
        address: Option<String>,
        with_primitive: bool,
    ) -> ReplicaParts {
        let root = self.root();
        let container_id = xml_id(&format!("{bundle}-{}-{number}", kind.as_str()));
        let heartbeat = [("class", "ocf"), ("provider", "heartbeat")];
        let mut attributes = vec![("id", container_id.as_str()), ("type", kind.as_str())];
        attributes.extend(heartbeat);
        let container = self.add(root, "primitive", &attributes);
        let ip = address.as_deref().map(|address| {
            let id = xml_id(&format!("{bundle}-ip-{address}"));
            let mut attributes = vec![("id", id.as_str()), ("type", "IPaddr2")];
            attributes.extend(heartbeat);
            self.add(root, "primitive", &attributes)
        });
        let remote = with_primitive.then(|| {
            let id = format!("{bundle}-{number}");
            self.connection(&id, &container_id, None, None)
        });
        ReplicaParts {
            address,
            container,
            ip,
            remote,
        }
    }
}

/// What tells an operation of a primitive from its others.
type Key<'d> = (Option<&'d str>, Option<&'d str>);

fn key(op: Element<'_>) -> Key<'_> {
    (op.attribute("name"), op.attribute("role"))
}

fn keys(operations: Option<Element<'_>>) -> HashSet<Key<'_>> {
    let operations = operations.into_iter();
    operations.flat_map(Element::children).map(key).collect()
}

/// Returns the address after this one; the last byte rolls over at 253 into the third.
fn next_address(text: &str) -> String {
    let Ok(address) = text.parse::<Ipv4Addr>() else {
        return text.to_owned();
    };
    let [a, b, c, d] = address.octets();
    let next = if d > 253 {
        [a, b, c.wrapping_add(1), 1]
    } else {
        [a, b, c, d + 1]
    };
    Ipv4Addr::from(next).to_string()
}

/// Replaces what Pacemaker does not leave in the ids that it makes.
fn xml_id(text: &str) -> String {
    text.replace([':', '#'], ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_count_up_and_roll_over() {
        assert_eq!(next_address("192.168.122.131"), "192.168.122.132");
        assert_eq!(next_address("192.168.122.254"), "192.168.123.1");
        assert_eq!(next_address("not an address"), "not an address");
    }

    #[test]
    fn template_operations_give_way_to_the_primitives_own() {
        let document = Document::parse(
            r#"<cib><configuration><resources>
              <template id="t" class="ocf" type="Dummy"><operations>
                <op id="a" name="monitor" interval="10s"/><op id="b" name="start" interval="0"/>
              </operations></template>
              <primitive id="p" template="t"><operations><op id="c" name="monitor" interval="5s"/></operations></primitive>
              <primitive id="q" template="missing"/>
            </resources></configuration></cib>"#,
        )
        .unwrap();
        let implicit = implicit_elements(&document);
        let cib = Cib::new(&document);
        let named = |id| cib.find("primitive", id).unwrap();
        let p = implicit.primitive(named("p")).unwrap();
        assert_eq!(p.attribute("type"), Some("Dummy"));
        assert_eq!(p.attribute("id"), Some("p"));
        let ops: Vec<_> = implicit
            .operations(&cib, p)
            .filter_map(|op| op.attribute("id"))
            .collect();
        assert_eq!(ops, ["c", "b"]);
        assert!(implicit.primitive(named("q")).is_none());
    }
}
