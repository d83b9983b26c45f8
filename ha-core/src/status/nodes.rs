//! Nodes: who is configured, who is online, who is unclean.

use crate::model::scalar;
use crate::xml::Element;

use super::attributes::{BlockOptions, apply_blocks};
use super::engine::{Engine, NodeWork};
use super::options::NoQuorumPolicy;
use super::rule::RuleInput;
use super::table::{Table, Values};
use super::types::{Health, Node, NodeAttribute, NodeIndex, NodeKind, ResourceIndex, Role};

/// The parameters of a ping resource that say what it would set.
const PING: &[&str] = &["name", "host_list", "multiplier"];

impl<'d> Engine<'d> {
    pub(super) fn read_nodes(&mut self) {
        for element in self.cib.nodes() {
            let (Some(id), Some(name)) = (element.attribute("id"), element.attribute("uname"))
            else {
                continue;
            };
            let kind = match element.attribute("type") {
                None | Some("member") => NodeKind::Cluster,
                Some("remote") => NodeKind::Remote,
                Some(_) => NodeKind::Ping,
            };
            let node = self.add_node(id, name, kind);
            if kind != NodeKind::Remote {
                self.expect_fencing_at_startup(node);
            }
            self.add_attributes(node, element, false);
        }
    }

    /// Makes a node and puts it in its place in the sorted list.
    pub(super) fn add_node(&mut self, id: &'d str, name: &'d str, kind: NodeKind) -> NodeIndex {
        let index = NodeIndex(u32::try_from(self.status.node_table.len()).unwrap_or(u32::MAX));
        self.status.node_table.push(Node {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            online: false,
            standby: false,
            standby_on_fail: false,
            maintenance: false,
            pending: false,
            unclean: false,
            unseen: false,
            shutdown: false,
            expected_up: false,
            is_dc: false,
            health: Health::Green,
            attributes: Vec::new(),
            running: Vec::new(),
            connection: None,
            is_guest: false,
            is_bundle: false,
            is_implied: false,
            requires_reset: false,
            remote_fenced: false,
            unpacked: false,
            has_history: false,
        });
        let mut work = NodeWork::default();
        work.attributes.set(
            "#kind",
            if kind == NodeKind::Remote {
                "remote"
            } else {
                "cluster"
            },
        );
        self.nodes.push(work);
        // Of several with one name or id, the first in the list is found.
        let table = &self.status.node_table;
        let is_first =
            |other: NodeIndex| scalar::name_order(name, &table[other.0 as usize].name).is_le();
        let tables = [(&mut self.node_by_id, id), (&mut self.node_by_name, name)];
        for (by, key) in tables {
            let known = by.entry(key.to_ascii_lowercase()).or_insert(index);
            if is_first(*known) {
                *known = index;
            }
        }
        let place = self.status.node_order.partition_point(|&other| {
            scalar::name_order(&table[other.0 as usize].name, name).is_lt()
        });
        self.status.node_order.insert(place, index);
        index
    }

    pub(super) fn expect_fencing_at_startup(&mut self, node: NodeIndex) {
        let unclean = self.status.options.startup_fencing;
        let node = self.node_mut(node);
        node.unclean = unclean;
        node.unseen = true;
    }

    fn add_attributes(&mut self, index: NodeIndex, parent: Element<'d>, overwrite: bool) {
        let (id, name) = match self.element_names(index, parent) {
            Some(names) => names,
            None => return,
        };
        let is_dc = self.dc_uuid == Some(id);
        let mut attributes = std::mem::take(&mut self.nodes[index.0 as usize].attributes);
        attributes.set("#uname", name);
        attributes.set("#id", id);
        if is_dc {
            self.dc_node = Some(index);
            self.node_mut(index).is_dc = true;
        }
        attributes.set("#is_dc", if is_dc { "true" } else { "false" });
        let cluster_name = self.cluster_name();
        if let Some(cluster) = cluster_name {
            attributes.set("#cluster-name", cluster);
        }
        let block = if overwrite {
            "transient_attributes"
        } else {
            "instance_attributes"
        };
        let options = BlockOptions {
            overwrite,
            ..BlockOptions::default()
        };
        let input = self.rule_input();
        let holder = if overwrite {
            parent.child(block)
        } else {
            Some(parent)
        };
        if let Some(holder) = holder {
            apply_blocks(
                &self.cib,
                holder.children_named("instance_attributes"),
                &self.long_blocks,
                options,
                &input,
                &mut attributes,
            );
        }
        if attributes.value("#site-name").is_none()
            && let Some(site) = attributes.value("site-name").or(cluster_name)
        {
            attributes.set("#site-name", site);
        }
        let work = &mut self.nodes[index.0 as usize];
        work.attributes = attributes;
        work.failures = None;
    }

    /// The names as the document holds them, so that tables can borrow them.
    fn element_names(&self, index: NodeIndex, parent: Element<'d>) -> Option<(&'d str, &'d str)> {
        let known = &self.node_work(index).attributes;
        let id = known.value("#id").or_else(|| parent.attribute("id"))?;
        let name = known
            .value("#uname")
            .or_else(|| parent.attribute("uname"))
            .unwrap_or(id);
        Some((id, name))
    }

    fn cluster_name(&self) -> Option<&'d str> {
        self.status.options.cluster_name.as_ref()?;
        self.cib
            .crm_config()?
            .descendants()
            .find(|e| {
                e.name() == "nvpair"
                    && e.attribute("name") == Some("cluster-name")
                    && e.attribute("value") == self.status.options.cluster_name.as_deref()
            })
            .and_then(|e| e.attribute("value"))
    }

    /// First pass over the status: cluster nodes. Remote and guest nodes wait for their connection.
    pub(super) fn read_node_states(&mut self) {
        for state in self.cib.node_states() {
            let (Some(id), Some(name)) = (state.attribute("id"), state.attribute("uname")) else {
                continue;
            };
            self.node_states.push((id, name, state));
            let Some(index) = self.find_node(Some(id), Some(name)) else {
                continue;
            };
            if self.node(index).kind == NodeKind::Remote {
                self.node_mut(index).remote_fenced =
                    state.attribute("node_fenced").is_some_and(|text| {
                        scalar::integer(text).is_some_and(|n| n != 0) || scalar::is_true(Some(text))
                    });
                continue;
            }
            self.node_mut(index).unclean = false;
            self.node_mut(index).unseen = false;
            self.add_attributes(index, state, true);
            self.apply_standby_and_maintenance(index);
            self.decide_online(index, state);
            if self.status.options.no_quorum_policy == NoQuorumPolicy::FenceOwn
                && !self.status.quorate
                && self.node(index).online
            {
                self.fence(index);
            }
        }
    }

    fn apply_standby_and_maintenance(&mut self, index: NodeIndex) {
        let standby = scalar::is_true(self.node_value(index, "standby"));
        let maintenance = scalar::is_true(self.node_value(index, "maintenance"));
        let node = self.node_mut(index);
        node.standby |= standby;
        node.maintenance |= maintenance;
    }

    fn shutdown_requested(&self, index: NodeIndex) -> bool {
        self.node_value(index, "shutdown")
            .is_some_and(|text| text != "0")
    }

    fn decide_online(&mut self, index: NodeIndex, state: Element<'d>) {
        if self.shutdown_requested(index) {
            self.node_mut(index).shutdown = true;
        } else if state.attribute("expected") == Some("member") {
            self.node_mut(index).expected_up = true;
        }
        if self.node(index).kind == NodeKind::Ping {
            let node = self.node_mut(index);
            node.unclean = false;
            node.online = false;
            return;
        }
        let online = if self.status.options.fencing {
            self.online_with_fencing(index, state)
        } else {
            self.online_without_fencing(index, state)
        };
        self.node_mut(index).online = online;
    }

    fn online_without_fencing(&mut self, index: NodeIndex, state: Element<'d>) -> bool {
        if !scalar::is_true(state.attribute("in_ccm")) {
            return false;
        }
        if state.attribute("crmd") == Some("online") {
            return state.attribute("join") == Some("member");
        }
        if self.node(index).expected_up {
            self.fence(index);
        }
        false
    }

    fn online_with_fencing(&mut self, index: NodeIndex, state: Element<'d>) -> bool {
        let in_cluster = state.attribute("in_ccm");
        let member = scalar::is_true(in_cluster);
        let controller_online = state.attribute("crmd") == Some("online");
        let join = state.attribute("join").unwrap_or_default();
        let terminate = self.node_value(index, "terminate").is_some_and(|text| {
            scalar::is_true(Some(text)) || matches!(text.as_bytes().first(), Some(b'1'..=b'9'))
        });
        if self.node(index).shutdown {
            return controller_online;
        }
        if in_cluster.is_none() {
            self.fence(index);
            return false;
        }
        if join == "banned" {
            self.fence(index);
            return member;
        }
        if !terminate && matches!(state.attribute("expected"), None | Some("down")) {
            if member || controller_online {
                let node = self.node_mut(index);
                node.standby = true;
                node.pending = true;
                return member;
            }
            return false;
        }
        if terminate && join == "down" && !member && !controller_online {
            return false;
        }
        if !member {
            self.fence(index);
            return false;
        }
        if !controller_online || terminate {
            self.fence(index);
            return true;
        }
        match join {
            "member" => {}
            "pending" | "down" => {
                let node = self.node_mut(index);
                node.standby = true;
                node.pending = true;
            }
            _ => self.fence(index),
        }
        true
    }

    /// Notes that a node needs fencing, in the way that suits its kind.
    pub(super) fn fence(&mut self, index: NodeIndex) {
        let connection = self.node(index).connection;
        if self.node(index).is_guest {
            let Some(container) = connection.and_then(|c| self.resource(c).container) else {
                return;
            };
            if !self.resource(container).failed && self.resource(container).managed {
                self.node_mut(index).requires_reset = true;
                self.resource_mut(container).failed = true;
            }
            return;
        }
        if self.node(index).kind == NodeKind::Remote {
            if let Some(connection) = connection {
                if self.is_dangling_guest(connection) {
                    self.resource_mut(connection).failed = true;
                    return;
                }
                if self.resource(connection).managed {
                    self.node_mut(index).requires_reset = true;
                }
            } else {
                self.node_mut(index).requires_reset = true;
            }
        }
        self.node_mut(index).unclean = true;
    }

    /// Tells whether a connection is what a removed guest node left behind.
    fn is_dangling_guest(&self, connection: ResourceIndex) -> bool {
        let resource = self.resource(connection);
        resource.container.is_none() && resource.orphan && self.is_orphan_filler(connection)
    }

    /// Decides whether a remote or guest node is online, from its connection.
    pub(super) fn decide_remote_online(&mut self, index: NodeIndex) {
        let Some(connection) = self.node(index).connection else {
            self.node_mut(index).online = false;
            return;
        };
        let connection = self.resource(connection);
        let (role, next_role, failed) = (connection.role, connection.next_role, connection.failed);
        let container = connection.container.map(|c| self.resource(c));
        let container_failed = container.is_some_and(|c| c.failed);
        let container_stopped = container.is_some_and(|c| c.role == Role::Stopped);
        // The connection's host, which should be the container's.
        let host_lost = container.is_some()
            && match connection.running_on.as_slice() {
                [host] => !self.node(*host).online && self.node(*host).unclean,
                _ => false,
            };
        let node = self.node_mut(index);
        if role == Role::Started {
            node.online = true;
            if next_role == Role::Stopped {
                node.shutdown = true;
            }
        }
        if container_failed {
            node.online = false;
            node.requires_reset = true;
        } else if failed {
            node.online = false;
        } else if role == Role::Stopped || container_stopped {
            node.online = false;
            node.requires_reset = false;
        } else if host_lost {
            node.online = false;
            node.requires_reset = true;
        }
    }

    /// Reads the attributes of a remote or guest node whose connection is known.
    pub(super) fn read_remote_attributes(&mut self, index: NodeIndex, state: Element<'d>) {
        if self.node(index).kind != NodeKind::Remote {
            return;
        }
        let node = self.node_mut(index);
        if !node.requires_reset {
            node.unclean = false;
            node.unseen = false;
        }
        self.add_attributes(index, state, true);
        if self.shutdown_requested(index) {
            self.node_mut(index).shutdown = true;
        }
        self.apply_standby_and_maintenance(index);
        if self
            .node(index)
            .connection
            .is_some_and(|c| !self.resource(c).managed)
        {
            self.node_mut(index).maintenance = true;
        }
    }

    /// Turns the tables of attributes into what the status tells.
    pub(super) fn finish_nodes(&mut self) {
        for position in 0..self.nodes.len() {
            let index = NodeIndex(u32::try_from(position).unwrap_or(u32::MAX));
            let health = self.health(index);
            let expected = self.ping_expectations(index);
            let mut attributes: Vec<NodeAttribute> = self
                .node_work(index)
                .attributes
                .iter()
                .map(|(name, value)| NodeAttribute {
                    name: (*name).to_owned(),
                    value: (*value).to_owned(),
                    expected: expected.iter().find(|(n, _)| n == name).map(|(_, e)| *e),
                })
                .collect();
            attributes.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
            let node = self.node_mut(index);
            node.attributes = attributes;
            node.health = health;
        }
    }

    fn health(&self, index: NodeIndex) -> Health {
        let options = &self.status.options;
        if !options.health_enabled {
            return Health::Green;
        }
        let scores = options.health_scores;
        let mut worst = Health::Green;
        for (name, value) in &self.node_work(index).attributes {
            if !name.starts_with("#health") {
                continue;
            }
            let score = scalar::integer(value);
            let at_most = |limit: i32| score.is_some_and(|score| score <= i64::from(limit));
            if *value == "red" || at_most(scores.red) {
                return Health::Red;
            }
            if *value == "yellow" || (at_most(scores.yellow) && scores.yellow != scores.green) {
                worst = Health::Yellow;
            }
        }
        worst
    }

    /// What the ping resources running on a node would set if every host answered.
    fn ping_expectations(&self, index: NodeIndex) -> Vec<(String, i32)> {
        let mut found: Vec<(String, i32)> = Vec::new();
        for &resource in &self.node(index).running {
            let is_ping = self
                .resource(resource)
                .agent()
                .is_some_and(|agent| agent.kind == "ping" || agent.kind == "pingd");
            if !is_ping {
                continue;
            }
            let parameters = self.parameters(resource, Some(index), Some(PING));
            let name = parameters.value("name").unwrap_or("pingd").to_owned();
            if found.iter().any(|(n, _)| *n == name) {
                continue;
            }
            let hosts = parameters
                .value("host_list")
                .map_or(0, |list| list.split(' ').count());
            let multiplier = parameters
                .value("multiplier")
                .and_then(scalar::integer32)
                .unwrap_or(1);
            let expected = i32::try_from(hosts)
                .unwrap_or(i32::MAX)
                .saturating_mul(multiplier);
            found.push((name, expected));
        }
        found
    }

    /// Returns the instance attributes of a resource, as they are on a node: those wanted, or all.
    pub(super) fn parameters(
        &self,
        resource: ResourceIndex,
        node: Option<NodeIndex>,
        wanted: Option<&'static [&'static str]>,
    ) -> Table<'d> {
        let mut table = Table::of(wanted);
        let mut current = Some(resource);
        while let Some(index) = current {
            let mut input: RuleInput<'_, 'd> = self.rule_input();
            input.node = node.map(|node| &self.node_work(node).attributes);
            apply_blocks(
                &self.cib,
                self.implicit
                    .blocks(&self.cib, self.work(index).xml, "instance_attributes"),
                &self.long_blocks,
                BlockOptions::default(),
                &input,
                &mut table,
            );
            current = self.resource(index).parent;
        }
        table
    }
}
