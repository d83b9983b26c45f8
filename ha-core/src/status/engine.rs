//! The engine's state, and the order of work.
//!
//! Several effects depend on the order in which things are read, so this is one sequence of steps
//! over arenas of nodes and resources, not a set of independent computations.

use std::cell::OnceCell;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{Cib, Operation, operation};
use crate::xml::{Document, Element};

use super::ComputeOptions;
use super::attributes::{BlockOptions, apply_blocks};
use super::expand::Implicit;
use super::options::ClusterOptions;
use super::rule::{self, RuleInput};
use super::table::{Map, Set, Table, Values};
use super::types::{
    ClusterStatus, Counts, Dc, LastChange, Node, NodeIndex, Resource, ResourceIndex, Tag,
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
    pub(super) meta: Table<'d>,
    /// The multiple-active recovery blocks the resource.
    pub(super) block_if_multiple: bool,
    /// Seconds between attempts to reconnect to a remote node.
    pub(super) reconnect_ms: u64,
    /// A clone whose agent cannot tell instances apart, whatever the configuration says.
    pub(super) forced_anonymous: bool,
}

/// The `lrm_resource` elements by the name of their node and their own id.
pub(super) type Histories<'d> = Map<&'d str, Map<&'d str, Element<'d>>>;

/// The state of the computation.
pub(super) struct Engine<'d> {
    pub(super) cib: Cib<'d>,
    pub(super) implicit: &'d Implicit,
    pub(super) now: Timestamp,
    pub(super) zone: &'d TimeZone,
    pub(super) status: ClusterStatus,
    pub(super) nodes: Vec<NodeWork<'d>>,
    pub(super) resources: Vec<ResourceWork<'d>>,
    pub(super) node_by_name: Map<String, NodeIndex>,
    pub(super) node_by_id: Map<String, NodeIndex>,
    pub(super) resource_by_history: Map<String, ResourceIndex>,
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
    pub(super) reader: operation::Reader,
    pub(super) ticket_order: super::tickets::TicketTable,
}

impl<'d> Engine<'d> {
    pub(super) fn new(
        document: &'d Document,
        implicit: &'d Implicit,
        now: Timestamp,
        zone: &'d TimeZone,
    ) -> Self {
        let cib = Cib::new(document);
        let quorate = crate::model::scalar::is_true(cib.attribute("have-quorum"));
        let had_quorum = cib.attribute("no-quorum-panic").is_some_and(|text| {
            crate::model::scalar::is_true(Some(text))
                || crate::model::scalar::integer(text).is_some_and(|n| n != 0)
        });
        let mut table = Table::default();
        let input = RuleInput::new(now, zone, crate::model::scalar::HealthScores::default());
        if let Some(config) = cib.crm_config() {
            let first = BlockOptions {
                first: Some("cib-bootstrap-options"),
                ..BlockOptions::default()
            };
            apply_blocks(
                &cib,
                config,
                "cluster_property_set",
                first,
                &input,
                &mut table,
            );
        }
        let options = ClusterOptions::read(&table, quorate, had_quorum);
        let text = |name| cib.attribute(name).unwrap_or_default().to_owned();
        let last_change = LastChange {
            time: text("cib-last-written"),
            user: text("update-user"),
            client: text("update-client"),
            origin: text("update-origin"),
        };
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
                last_change,
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
                resource_by_id: Map::default(),
            },
            cib,
            implicit,
            now,
            zone,
            nodes: Vec::new(),
            resources: Vec::new(),
            node_by_name: Map::default(),
            node_by_id: Map::default(),
            resource_by_history: Map::default(),
            recorded_failures: Set::default(),
            node_states: Vec::new(),
            histories: OnceCell::new(),
            reader: operation::Reader::of(document),
            ticket_order: super::tickets::TicketTable::default(),
        }
    }

    /// Does everything, in the only order that gives Pacemaker's answers.
    pub(super) fn run(mut self, options: ComputeOptions) -> ClusterStatus {
        self.read_nodes();
        self.read_resources();
        self.read_tags();
        self.read_tickets();
        self.read_node_states();
        self.read_histories();
        self.count();
        if options.constraints {
            self.read_constraints();
        }
        self.status.tickets = self.ticket_order.in_order();
        self.finish(options)
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

    fn finish(mut self, options: ComputeOptions) -> ClusterStatus {
        self.finish_nodes();
        if !options.without_history {
            self.record_histories();
        }
        self.status.stack = self.only_pair("cluster-infrastructure");
        let version = self.only_pair("dc-version");
        let mixed_versions = self.mixed_versions();
        self.status.dc = self.dc_node.map(|node| Dc {
            node,
            version,
            mixed_versions,
        });
        self.status
    }

    /// Returns the value of the pair with this name, wherever it stands; of several, none.
    fn only_pair(&self, name: &str) -> Option<String> {
        fn search<'e>(element: Element<'e>, name: &str, found: &mut Vec<Element<'e>>) {
            for child in element.children() {
                if child.name() == "nvpair" && child.attribute("name") == Some(name) {
                    found.push(child);
                } else if child.name() != "lrm" {
                    // Histories are most of a CIB, and have no pairs.
                    search(child, name, found);
                }
            }
        }
        let mut found = Vec::new();
        search(self.cib.root(), name, &mut found);
        match found[..] {
            [only] => only.attribute("value").map(str::to_owned),
            _ => None,
        }
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
        RuleInput::new(self.now, self.zone, self.status.options.health_scores)
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

    /// Reads the entries of one `lrm_resource`.
    pub(super) fn operations(&self, resource: Element<'d>) -> impl Iterator<Item = Operation<'d>> {
        resource
            .children_named("lrm_rsc_op")
            .map(|entry| self.reader.read(entry))
    }
}
