//! The engine's state, and the order of work.
//!
//! Several effects depend on the order in which things are read, so this is one sequence of steps
//! over arenas of nodes and resources, not a set of independent computations.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::model::{Cib, Operation, operation};
use crate::xml::{Document, Element};

use super::ComputeOptions;
use super::attributes::{BlockOptions, LongBlocks, apply_blocks};
use super::copies::Copies;
use super::entries::{Brief, Desk, Entries};
use super::expand::Implicit;
use super::options::ClusterOptions;
use super::pairs::Pairs;
use super::rule::{self, Clock, RuleInput};
use super::table::{Map, Set, Table, Values};
use super::types::{
    ClusterStatus, Counts, Dc, Definition, LastChange, Node, NodeIndex, Resource, ResourceIndex,
    Tag,
};

/// What the engine knows of a node beyond what it tells.
#[derive(Debug, Default)]
pub(super) struct NodeWork<'d> {
    pub(super) attributes: Map<&'d str, &'d str>,
    /// The fail counts among the attributes, indexed when first needed.
    pub(super) failures: Option<super::history::FailureAttributes<'d>>,
}

/// What the engine knows of a resource beyond what it tells.
#[derive(Debug)]
pub(super) struct ResourceWork<'d> {
    pub(super) xml: Element<'d>,
    /// The meta-attributes, read when first needed.
    pub(super) meta: OnceCell<Table<'d>>,
    /// The multiple-active recovery blocks the resource.
    pub(super) block_if_multiple: bool,
    /// Seconds between attempts to reconnect to a remote node.
    pub(super) reconnect_ms: u64,
    /// A clone whose agent cannot tell instances apart, whatever the configuration says.
    pub(super) forced_anonymous: bool,
}

/// The `lrm_resource` elements by the name of their node and their own id.
pub(super) type Histories<'d> = Map<&'d str, Map<&'d str, Vec<Element<'d>>>>;

/// The state of the computation.
pub(super) struct Engine<'d> {
    pub(super) cib: Cib<'d>,
    pub(super) implicit: &'d Implicit,
    pub(super) copies: Copies,
    pub(super) long_blocks: LongBlocks<'d>,
    pub(super) clock: &'d Clock<'d>,
    pub(super) status: ClusterStatus,
    pub(super) nodes: Vec<NodeWork<'d>>,
    pub(super) resources: Vec<ResourceWork<'d>>,
    pub(super) node_by_name: Map<String, NodeIndex>,
    pub(super) node_by_id: Map<String, NodeIndex>,
    pub(super) resource_by_history: Map<String, ResourceIndex>,
    pub(super) located: super::instances::Located,
    pub(super) dc_uuid: Option<&'d str>,
    pub(super) dc_node: Option<NodeIndex>,
    pub(super) have_fence_device: bool,
    pub(super) have_unfencing: bool,
    /// Old feature sets have no operation in the names of fail counts.
    pub(super) plain_fail_counts: bool,
    pub(super) recorded_failures: Set<(Option<&'d str>, NodeIndex)>,
    /// The node states with their id and name; some nodes are only found while histories are read.
    pub(super) node_states: Vec<(&'d str, &'d str, Element<'d>)>,
    /// Each resource's history by node and resource, indexed when first needed.
    pub(super) histories: OnceCell<Histories<'d>>,
    /// What each node state holds of history.
    pub(super) entries: Vec<Entries>,
    pub(super) reader: operation::Reader,
    pub(super) ticket_order: super::tickets::TicketTable,
}

impl<'d> Engine<'d> {
    pub(super) fn new(
        document: &'d Document,
        implicit: &'d Implicit,
        clock: &'d Clock<'d>,
    ) -> Self {
        let cib = Cib::new(document);
        let quorate = crate::model::scalar::is_true(cib.attribute("have-quorum"));
        let had_quorum = cib.attribute("no-quorum-panic").is_some_and(|text| {
            crate::model::scalar::is_true(Some(text))
                || crate::model::scalar::integer(text).is_some_and(|n| n != 0)
        });
        let long = LongBlocks::default();
        let mut table = Table::default();
        let input = RuleInput::new(clock, crate::model::scalar::HealthScores::default());
        if let Some(config) = cib.crm_config() {
            let first = BlockOptions {
                first: Some("cib-bootstrap-options"),
                ..BlockOptions::default()
            };
            apply_blocks(
                &cib,
                config.children_named("cluster_property_set"),
                &long,
                first,
                &input,
                &mut table,
            );
        }
        let options = ClusterOptions::read(&table, quorate, had_quorum);
        let plain_fail_counts = cib
            .attribute("crm_feature_set")
            .is_none_or(|version| rule::version_order(version, "3.0.13").is_lt());
        Self {
            dc_uuid: cib.attribute("dc-uuid"),
            plain_fail_counts,
            have_fence_device: options.have_watchdog,
            have_unfencing: false,
            dc_node: None,
            status: ClusterStatus {
                options,
                stack: None,
                dc: None,
                quorate,
                last_change: last_change(&cib),
                counts: Counts::default(),
                failures: Vec::new(),
                history: Vec::new(),
                tickets: Vec::new(),
                bans: Vec::new(),
                preferences: Vec::new(),
                tags: Vec::new(),
                node_table: Vec::new(),
                node_order: Vec::new(),
                resource_table: Vec::new(),
                top_level: Vec::new(),
                resource_by_id: Arc::default(),
            },
            cib,
            implicit,
            copies: implicit.copies,
            long_blocks: long,
            clock,
            nodes: Vec::new(),
            resources: Vec::new(),
            node_by_name: Map::default(),
            node_by_id: Map::default(),
            resource_by_history: Map::default(),
            located: super::instances::Located::default(),
            recorded_failures: Set::default(),
            node_states: Vec::new(),
            histories: OnceCell::new(),
            entries: Vec::new(),
            reader: operation::Reader::of(document),
            ticket_order: super::tickets::TicketTable::default(),
        }
    }

    /// Reads the configuration; [`Engine::read_state`] follows, and there is no other order of work that gives
    /// Pacemaker's answers.
    pub(super) fn read_configuration(&mut self) {
        self.read_nodes();
        self.read_resources();
        self.read_tags();
    }

    /// Reads the rest. The histories of the computation before are replaced by those of this one.
    pub(super) fn read_state(
        mut self,
        options: ComputeOptions,
        pairs: Option<&Pairs>,
        histories: &mut Option<Vec<Entries>>,
    ) -> ClusterStatus {
        self.read_tickets();
        self.read_node_states();
        self.read_entries(options, histories);
        self.read_histories();
        self.count();
        if options.constraints {
            self.read_constraints();
        }
        self.status.tickets = self.ticket_order.in_order();
        self.finish_nodes();
        if !options.without_history {
            self.record_histories();
        }
        self.finish(pairs);
        if histories.is_some() {
            *histories = Some(std::mem::take(&mut self.entries));
        }
        self.status
    }

    fn read_entries(&mut self, options: ComputeOptions, before: &mut Option<Vec<Entries>>) {
        let mut desk = Desk::default();
        for &(id, _, state) in &self.node_states {
            // The histories of the others are not told, or perhaps later.
            let node = self.find_node(Some(id), None);
            let online = node.is_some_and(|node| self.node(node).online);
            let tell = !options.without_history && online;
            let read = Entries::read(state, before, &self.reader, tell, &mut desk);
            self.entries.push(read);
        }
    }

    fn read_tags(&mut self) {
        for tag in self.cib.tags() {
            let Some(id) = tag.attribute("id") else {
                continue;
            };
            let references = tag
                .children_named("obj_ref")
                .filter_map(|reference| reference.attribute("id"))
                .map(str::to_owned)
                .collect();
            self.status.tags.push(Tag {
                id: id.to_owned(),
                references,
            });
        }
    }

    fn finish(&mut self, pairs: Option<&Pairs>) {
        let pairs = Pairs::of_cib(&self.cib, pairs);
        self.status.stack = pairs.cluster_infrastructure.into_only();
        let version = pairs.dc_version.into_only();
        let mixed_versions = self.mixed_versions();
        self.status.dc = self.dc_node.map(|node| Dc {
            node,
            version,
            mixed_versions,
        });
    }

    fn mixed_versions(&self) -> bool {
        let mut seen = self
            .status
            .nodes()
            .filter(|node| node.online && node.kind == super::types::NodeKind::Cluster)
            .map(|node| node.attribute("#feature-set"));
        let first = seen.next();
        seen.any(|other| Some(other) != first)
    }

    /// Returns what a rule sees when it is about no node and no resource.
    pub(super) fn rule_input(&self) -> RuleInput<'d, 'd> {
        RuleInput::new(self.clock, self.status.options.health_scores)
    }

    pub(super) fn node(&self, index: NodeIndex) -> &Node {
        &self.status.node_table[index.0 as usize]
    }

    pub(super) fn node_mut(&mut self, index: NodeIndex) -> &mut Node {
        &mut self.status.node_table[index.0 as usize]
    }

    pub(super) fn node_work(&self, index: NodeIndex) -> &NodeWork<'d> {
        &self.nodes[index.0 as usize]
    }

    pub(super) fn node_value(&self, index: NodeIndex, name: &str) -> Option<&'d str> {
        self.node_work(index).attributes.value(name)
    }

    pub(super) fn resource(&self, index: ResourceIndex) -> &Resource {
        &self.status.resource_table[index.0 as usize]
    }

    pub(super) fn resource_mut(&mut self, index: ResourceIndex) -> &mut Resource {
        &mut self.status.resource_table[index.0 as usize]
    }

    /// What the configuration says of a resource; a copy of its own while a computer keeps it too.
    pub(super) fn definition_mut(&mut self, index: ResourceIndex) -> &mut Definition {
        Arc::make_mut(&mut self.resource_mut(index).definition)
    }

    pub(super) fn resource_by_id_mut(&mut self) -> &mut Map<String, ResourceIndex> {
        Arc::make_mut(&mut self.status.resource_by_id)
    }

    pub(super) fn work(&self, index: ResourceIndex) -> &ResourceWork<'d> {
        &self.resources[index.0 as usize]
    }

    pub(super) fn work_mut(&mut self, index: ResourceIndex) -> &mut ResourceWork<'d> {
        &mut self.resources[index.0 as usize]
    }

    /// Returns the topmost ancestor below a bundle.
    pub(super) fn top_of(&self, mut index: ResourceIndex) -> ResourceIndex {
        while let Some(parent) = self.resource(index).parent {
            if self.resource(parent).is_bundle() {
                break;
            }
            index = parent;
        }
        index
    }

    /// Tells whether a resource runs inside a bundle's container.
    pub(super) fn is_bundled(&self, index: ResourceIndex) -> bool {
        self.resource(self.top_of(index)).parent.is_some()
    }

    /// Finds a node by its id, or else by its name; neither minds the case.
    pub(super) fn find_node(&self, id: Option<&str>, name: Option<&str>) -> Option<NodeIndex> {
        let by = |table: &Map<String, NodeIndex>, key: &str| {
            table
                .get(key)
                .copied()
                .or_else(|| table.get(&key.to_ascii_lowercase()).copied())
        };
        id.and_then(|id| by(&self.node_by_id, id))
            .or_else(|| name.and_then(|name| by(&self.node_by_name, name)))
    }

    /// Reads the operations of one `lrm_resource`.
    pub(super) fn operations(&self, resource: Element<'d>) -> impl Iterator<Item = Operation<'d>> {
        resource
            .children_named("lrm_rsc_op")
            .map(|entry| self.reader.read(entry))
    }

    /// Reads an operation in full.
    pub(super) fn operation(&self, brief: &Brief) -> Operation<'d> {
        self.reader.read(self.cib.element(brief.element))
    }
}

/// Says who changed a CIB last.
pub(super) fn last_change(cib: &Cib<'_>) -> LastChange {
    let text = |name| cib.attribute(name).unwrap_or_default().to_owned();
    LastChange {
        time: text("cib-last-written"),
        user: text("update-user"),
        client: text("update-client"),
        origin: text("update-origin"),
    }
}
