//! Resources: what is configured.

use std::sync::Arc;

use crate::model::scalar::{self, INFINITY};
use crate::xml::Element;

use super::engine::{Engine, ResourceWork};
use super::meta::META;
use super::table::{Table, Values};
use super::types::{
    Agent, BundleReplica, CloneDetails, Definition, NodeIndex, NodeKind, Resource, ResourceIndex,
    ResourceKind, Role,
};

/// How many instances a clone may have: more is nonsense, and must not cost memory.
const MAX_INSTANCES: i64 = 10_000;

/// What is asked of a new resource.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) parent: Option<ResourceIndex>,
    pub(super) number: Option<u32>,
    pub(super) orphan: bool,
}

impl<'d> Engine<'d> {
    pub(super) fn read_resources(&mut self) {
        self.find_fencing();
        for element in self.cib.resources() {
            if is_remote(element)
                && let Some(id) = element.attribute("id")
            {
                self.add_remote_node(id);
            }
        }
        let implicit = self.implicit;
        let connections: Vec<Element<'d>> = implicit
            .connections
            .iter()
            .map(|&id| implicit.document.element(id))
            .collect();
        for connection in &connections {
            if let Some(id) = connection.attribute("id") {
                self.add_remote_node(id);
            }
        }
        for element in self.cib.resources() {
            if let Some(index) = self.add_resource(element, Place::default()) {
                self.status.top_level.push(index);
            }
        }
        // A node without a name has no connection.
        let is_named = |e: &Element<'d>| e.attribute("id").is_some_and(|id| !id.is_empty());
        for connection in connections.into_iter().filter(is_named) {
            if let Some(index) = self.add_resource(connection, Place::default()) {
                self.status.top_level.push(index);
            }
        }
        for position in 0..self.status.top_level.len() {
            let index = self.status.top_level[position];
            self.link_container(index);
            self.link_remote_node(index);
        }
        let table = &self.status.resource_table;
        self.status
            .top_level
            .sort_by_key(|index| std::cmp::Reverse(table[index.0 as usize].priority));
    }

    /// Looks for fence devices, and whether one of them unfences.
    fn find_fencing(&mut self) {
        for element in self.cib.resources().flat_map(Element::descendants) {
            match element.name() {
                "primitive" if element.attribute("class") == Some("stonith") => {
                    self.have_fence_device = true;
                }
                "nvpair"
                    if element.attribute("name") == Some("provides")
                        && element.attribute("value") == Some("unfencing") =>
                {
                    self.have_unfencing = true;
                }
                _ => {}
            }
        }
    }

    fn add_remote_node(&mut self, id: &'d str) {
        if self.find_node(Some(id), Some(id)).is_none() {
            self.add_node(id, id, NodeKind::Remote);
        }
    }

    /// Makes a resource of its element. `None` when it cannot be one.
    fn add_resource(&mut self, element: Element<'d>, place: Place) -> Option<ResourceIndex> {
        match element.name() {
            "primitive" => {
                let expanded = self.implicit.primitive(element)?;
                self.add_primitive(expanded, place)
            }
            "group" => {
                let index = self.add_common(element, place, ResourceKind::Group)?;
                for child in element.children_named("primitive") {
                    let member = Place {
                        parent: Some(index),
                        ..place
                    };
                    if let Some(member) = self.add_resource(child, member) {
                        self.resource_mut(index).children.push(member);
                    }
                }
                self.allow_nodes(index);
                Some(index)
            }
            "clone" | "master" if place.parent.is_none() => self.add_clone(element, place),
            "bundle" if place.parent.is_none() => self.add_bundle(element),
            _ => None,
        }
    }

    pub(super) fn add_primitive(
        &mut self,
        element: Element<'d>,
        place: Place,
    ) -> Option<ResourceIndex> {
        let text = |name| element.attribute(name).unwrap_or_default().to_owned();
        let agent = Agent {
            class: text("class"),
            provider: element.attribute("provider").map(str::to_owned),
            kind: text("type"),
        };
        let promotes = agent.class == "ocf";
        let index = self.add_common(element, place, ResourceKind::Primitive(agent))?;
        if self.resource(index).promotable && !promotes {
            // Pacemaker drops what cannot be promoted where that is asked for.
            let id = self.resource(index).id.clone();
            self.resource_by_id_mut().remove(&id);
            return None;
        }
        self.allow_nodes(index);
        Some(index)
    }

    /// Makes a resource with everything that all kinds share.
    fn add_common(
        &mut self,
        xml: Element<'d>,
        place: Place,
        kind: ResourceKind,
    ) -> Option<ResourceIndex> {
        let configured_id = xml.attribute("id")?;
        let id = match place.number {
            Some(number) => format!("{configured_id}:{number}"),
            None => configured_id.to_owned(),
        };
        let index = ResourceIndex(u32::try_from(self.status.resource_table.len()).ok()?);
        let meta = self.meta_attributes(xml, place.parent, &kind, Some(META));
        let is_clone = matches!(kind, ResourceKind::Clone(_));
        let top = place.parent.map(|parent| self.top_of(parent));
        let in_clone = match top {
            Some(top) => {
                let bundle_child = self.resource(top).is_bundle();
                !bundle_child && self.resource(top).is_clone()
            }
            None => is_clone,
        };
        let is_clone_of_bundle =
            is_clone && place.parent.is_some_and(|p| self.resource(p).is_bundle());
        let in_clone = in_clone || is_clone_of_bundle;
        let single =
            matches!(&kind, ResourceKind::Primitive(agent) if has_single_instances(&agent.class));
        let unique = !in_clone || (scalar::is_true(meta.value("globally-unique")) && !single);
        let promotable = in_clone
            && (top.map_or_else(
                || xml.name() == "master" || scalar::is_true(meta.value("promotable")),
                |top| match self.resource(top).kind {
                    ResourceKind::Clone(_) => self.resource(top).promotable,
                    _ => scalar::is_true(meta.value("promotable")),
                },
            ));
        let maintenance = self.status.options.maintenance;
        let managed = meta
            .value("is-managed")
            .filter(|text| !text.eq_ignore_ascii_case("default"))
            .map_or(self.status.options.managed_by_default, |text| {
                scalar::is_true(Some(text))
            });
        let own_maintenance = scalar::is_true(meta.value("maintenance"));
        let fence_device =
            matches!(&kind, ResourceKind::Primitive(agent) if agent.class == "stonith");
        let connection =
            matches!(&kind, ResourceKind::Primitive(agent) if agent.is_remote_connection());
        let needs_fencing = self.needs_fencing(&meta, fence_device || connection);
        let seconds = |name| {
            meta.value(name)
                .and_then(scalar::interval_ms)
                // Kept in 32 bits: more than 49 days are 49 days.
                .map_or(0, |ms| {
                    i64::from(u32::try_from(ms).unwrap_or(u32::MAX)) / 1000
                })
        };
        let threshold = meta.value("migration-threshold").map_or(INFINITY, |text| {
            scalar::score(text, self.status.options.health_scores)
        });
        let target_role_text = meta.value("target-role").map(str::to_owned);
        let target_role = restricting_role(target_role_text.as_deref(), promotable);
        let definition = Definition {
            id: id.clone(),
            configured_id: configured_id.to_owned(),
            kind,
            target_role_text,
            description: xml.attribute("description").map(str::to_owned),
        };
        let resource = Resource {
            definition: Arc::new(definition),
            parent: place.parent,
            children: Vec::new(),
            role: Role::Stopped,
            target_role,
            managed: managed && !own_maintenance && !maintenance,
            blocked: false,
            failed: false,
            failure_ignored: false,
            orphan: place.orphan,
            maintenance: own_maintenance || maintenance,
            unique,
            promotable,
            needs_fencing,
            internal: scalar::is_true(meta.value("internal_rsc")),
            running_on: Vec::new(),
            known_on: Vec::new(),
            pending_task: None,
            pending_node: None,
            lock_node: None,
            migration_source: None,
            migration_target: None,
            container: None,
            connects_to: None,
            migration_threshold: if threshold < 0 { 1 } else { threshold },
            failure_timeout: seconds("failure-timeout"),
            priority: meta.value("priority").map_or(0, |text| {
                scalar::score(text, self.status.options.health_scores)
            }),
            history_name: None,
            next_role: target_role.unwrap_or(Role::Unknown),
            allowed_before: 0,
            allowed_only: Vec::new(),
        };
        let block_if_multiple = meta
            .value("multiple-active")
            .is_some_and(|text| text.eq_ignore_ascii_case("block"));
        self.status.resource_table.push(resource);
        self.resources.push(ResourceWork {
            xml,
            meta: meta.into(),
            block_if_multiple,
            reconnect_ms: 0,
            forced_anonymous: false,
        });
        self.resource_by_id_mut().entry(id).or_insert(index);
        if connection && !self.resource(index).internal {
            let reconnect = self
                .parameters(index, None, Some(&["reconnect_interval"]))
                .value("reconnect_interval");
            let reconnect_ms = reconnect.and_then(scalar::interval_ms).unwrap_or(0);
            if reconnect_ms > 0 {
                self.work_mut(index).reconnect_ms = reconnect_ms;
                self.resource_mut(index).failure_timeout =
                    i64::from(u32::try_from(reconnect_ms).unwrap_or(u32::MAX)) / 1000;
            }
        }
        Some(index)
    }

    fn needs_fencing(&self, meta: &Table<'d>, quorum_by_default: bool) -> bool {
        let options = &self.status.options;
        let explicit = meta.value("requires").unwrap_or_default();
        let is = |word: &str| explicit.eq_ignore_ascii_case(word);
        if is("nothing") || is("quorum") {
            false
        } else if is("fencing") {
            true
        } else if is("unfencing") {
            options.fencing && !quorum_by_default
        } else if quorum_by_default {
            false
        } else {
            self.have_unfencing || options.fencing
        }
    }

    /// Lets every node known at this moment run the resource, when the cluster is symmetric.
    fn allow_nodes(&mut self, index: ResourceIndex) {
        if self.status.options.symmetric {
            self.resource_mut(index).allowed_before =
                u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        }
    }

    fn add_clone(&mut self, xml: Element<'d>, place: Place) -> Option<ResourceIndex> {
        let child = xml
            .children()
            .find(|e| matches!(e.name(), "primitive" | "group"))?;
        let details = CloneDetails {
            child_id: child.attribute("id").unwrap_or_default().to_owned(),
            ..CloneDetails::default()
        };
        let index = self.add_common(xml, place, ResourceKind::Clone(details))?;
        let known = i64::try_from(self.nodes.len()).unwrap_or(i64::MAX);
        let number = |engine: &Self, name| {
            engine
                .meta(index)
                .value(name)
                .map(|text| scalar::integer(text).unwrap_or(0).max(0))
        };
        let wanted = number(self, "clone-max").unwrap_or(known.max(1));
        let mut max = wanted;
        let mut node_max = number(self, "clone-node-max").unwrap_or(1);
        if self.resource(index).unique && self.has_agent(child, has_single_instances) {
            self.work_mut(index).forced_anonymous = true;
            self.resource_mut(index).unique = false;
            max = max.min(known);
        }
        if !self.resource(index).unique {
            node_max = 1;
        }
        let mut max = max.min(MAX_INSTANCES);
        // A bundle has taken those of its replicas.
        if place.parent.is_none() && max > 1 {
            max = self.copies.take(max, 1 + members(child));
        }
        if let ResourceKind::Clone(details) = &mut self.definition_mut(index).kind {
            details.max = u32::try_from(max).unwrap_or(0);
            details.node_max = u32::try_from(node_max).unwrap_or(u32::MAX);
        }
        for number in 0..max.max(1) {
            let number = u32::try_from(number).ok()?;
            if self.add_instance(index, number, wanted == 0).is_none() {
                let id = self.resource(index).id.clone();
                self.resource_by_id_mut().remove(&id);
                return None;
            }
        }
        self.allow_nodes(index);
        Some(index)
    }

    /// Tells whether a primitive, or a member of a group, has an agent of such a standard.
    fn has_agent(&self, child: Element<'d>, is_such: impl Fn(&str) -> bool) -> bool {
        let own = (child.name() == "primitive").then_some(child);
        own.into_iter()
            .chain(child.children_named("primitive"))
            .filter_map(|primitive| self.implicit.primitive(primitive))
            // One without a class is of none that is known.
            .map(|primitive| primitive.attribute("class").unwrap_or_default())
            .any(is_such)
    }

    /// Makes one more instance of a clone.
    pub(super) fn add_instance(
        &mut self,
        clone: ResourceIndex,
        number: u32,
        orphan: bool,
    ) -> Option<ResourceIndex> {
        let xml = self.work(clone).xml;
        let child = xml
            .children()
            .find(|e| matches!(e.name(), "primitive" | "group"))?;
        let place = Place {
            parent: Some(clone),
            number: Some(number),
            orphan,
        };
        let instance = self.add_resource(child, place)?;
        if self.work(clone).forced_anonymous {
            // The earlier instances lose their numbers now; the last one keeps those of its members
            // that could have some.
            for earlier in self.resource(clone).children.clone() {
                self.make_anonymous(earlier);
            }
        }
        self.resource_mut(clone).children.push(instance);
        Some(instance)
    }

    fn make_anonymous(&mut self, index: ResourceIndex) {
        self.resource_mut(index).unique = false;
        for child in self.resource(index).children.clone() {
            self.make_anonymous(child);
        }
    }

    fn add_bundle(&mut self, xml: Element<'d>) -> Option<ResourceIndex> {
        let implicit = self.implicit;
        let parts = implicit.bundle(xml)?;
        let kind = ResourceKind::Bundle {
            kind: parts.kind,
            image: parts.image.clone(),
            wanted: u32::try_from(parts.replicas.len()).unwrap_or(u32::MAX),
            replicas: Vec::new(),
        };
        let index = self.add_common(xml, Place::default(), kind)?;
        self.resource_mut(index).unique = parts.unique;
        let place = Place {
            parent: Some(index),
            ..Place::default()
        };
        let clone = parts.clone.and_then(|id| {
            let element = implicit.document.element(id);
            self.add_clone(element, place)
        });
        let instances = clone.map_or_else(Vec::new, |clone| self.resource(clone).children.clone());
        // There are as many replicas as instances of what they contain.
        let count = if clone.is_some() {
            instances.len()
        } else {
            parts.replicas.len()
        };
        let mut replicas = Vec::new();
        for (number, replica) in parts.replicas.iter().take(count).enumerate() {
            let element = |id| implicit.document.element(id);
            let container = self.add_primitive(element(replica.container), place)?;
            let ip = replica
                .ip
                .and_then(|id| self.add_primitive(element(id), place));
            let remote = replica
                .remote
                .and_then(|id| self.add_primitive(element(id), place));
            let node = remote.and_then(|remote| self.add_bundle_node(remote, container));
            let parts_in_order = [Some(container), ip, remote];
            self.resource_mut(index)
                .children
                .extend(parts_in_order.into_iter().flatten());
            replicas.push(BundleReplica {
                number: u32::try_from(number).unwrap_or(u32::MAX),
                address: replica.address.clone(),
                ip,
                child: instances.get(number).copied(),
                container,
                remote,
                node,
            });
        }
        self.resource_mut(index).children.extend(clone);
        if let ResourceKind::Bundle { replicas: slot, .. } = &mut self.definition_mut(index).kind {
            *slot = replicas;
        }
        self.allow_nodes(index);
        Some(index)
    }

    fn add_bundle_node(
        &mut self,
        remote: ResourceIndex,
        container: ResourceIndex,
    ) -> Option<NodeIndex> {
        let id = self.work(remote).xml.attribute("id")?;
        let node = match self.find_node(Some(id), Some(id)) {
            Some(node) => node,
            None => {
                let node = self.add_node(id, id, NodeKind::Remote);
                self.node_mut(node).is_implied = true;
                node
            }
        };
        self.resource_mut(remote).container = Some(container);
        self.resource_mut(remote).connects_to = Some(node);
        self.nodes[node.0 as usize]
            .attributes
            .set("#kind", "container");
        let entry = self.node_mut(node);
        entry.connection = Some(remote);
        entry.is_guest = true;
        entry.is_bundle = true;
        Some(node)
    }

    /// Links a resource that names a container to it.
    pub(super) fn link_container(&mut self, index: ResourceIndex) {
        for position in 0..self.resource(index).children.len() {
            self.link_container(self.resource(index).children[position]);
        }
        if self.resource(index).is_bundle() || self.resource(index).container.is_some() {
            return;
        }
        let Some(id) = self.meta(index).value("container") else {
            return;
        };
        if id.eq_ignore_ascii_case(&self.resource(index).id) {
            return;
        }
        if let Some(&container) = self.status.resource_by_id.get(id) {
            self.resource_mut(index).container = Some(container);
        }
    }

    /// Links a connection to the node that it leads to.
    pub(super) fn link_remote_node(&mut self, index: ResourceIndex) {
        let is_connection = self
            .resource(index)
            .agent()
            .is_some_and(Agent::is_remote_connection);
        if !is_connection {
            return;
        }
        let id = self.resource(index).id.clone();
        // A member of the cluster is nobody's guest, even where `remote-node` says so.
        let node = self.find_node(Some(&id), Some(&id));
        let Some(node) = node.filter(|&node| self.node(node).kind == NodeKind::Remote) else {
            return;
        };
        self.resource_mut(index).connects_to = Some(node);
        self.node_mut(node).connection = Some(index);
        if self.resource(index).container.is_none() {
            self.expect_fencing_at_startup(node);
        } else {
            self.node_mut(node).is_guest = true;
            self.nodes[node.0 as usize]
                .attributes
                .set("#kind", "container");
        }
    }
}

/// Returns how many members a group has; anything else has none.
pub(super) fn members(element: Element<'_>) -> usize {
    match element.name() {
        "group" => element.children_named("primitive").count(),
        _ => 0,
    }
}

/// Tells whether agents of a standard cannot tell instances of a service apart.
fn has_single_instances(class: &str) -> bool {
    !matches!(class, "ocf" | "stonith")
}

/// Returns the role that `target-role` holds a resource back to, when it does.
fn restricting_role(text: Option<&str>, promotable: bool) -> Option<Role> {
    match text.and_then(Role::parse)? {
        Role::Stopped => Some(Role::Stopped),
        Role::Unpromoted if promotable => Some(Role::Unpromoted),
        _ => None,
    }
}

pub(super) fn is_remote(element: Element<'_>) -> bool {
    let is = |name, word: &str| {
        element
            .attribute(name)
            .is_some_and(|text: &str| text.eq_ignore_ascii_case(word))
    };
    // A template counts: Pacemaker takes it for a node of its name.
    is("class", "ocf") && is("provider", "pacemaker") && is("type", "remote")
}
