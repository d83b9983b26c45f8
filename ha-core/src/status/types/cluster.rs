//! The cluster as a whole.

use std::sync::Arc;

use super::{Failure, Node, NodeHistory, NodeIndex, Resource, ResourceIndex};
use crate::status::options::ClusterOptions;
use crate::status::table::Map;

/// The Designated Controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dc {
    /// Its node.
    pub node: NodeIndex,
    /// The Pacemaker version that it runs.
    pub version: Option<String>,
    /// Online nodes announce different feature sets: an upgrade is under way.
    pub mixed_versions: bool,
}

/// Who changed the CIB last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastChange {
    /// When, as written in the CIB.
    pub time: String,
    /// The user.
    pub user: String,
    /// The program.
    pub client: String,
    /// The node.
    pub origin: String,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Instances of primitives, implicit ones included.
    pub instances: u32,
    /// Of these, held back by their target role.
    pub disabled: u32,
    /// Of these, blocked by a failure.
    pub blocked: u32,
}

/// A ticket: what a site of a multi-site cluster may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its name.
    pub id: String,
    /// The site has it.
    pub granted: bool,
    /// It is about to be given up.
    pub standby: bool,
    /// When it was granted last, in seconds since the epoch.
    pub last_granted: Option<i64>,
}

/// A location constraint that keeps a resource off a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// The constraint's id, or its rule's.
    pub id: String,
    /// The resource.
    pub resource: ResourceIndex,
    /// The node.
    pub node: NodeIndex,
    /// The score: negative.
    pub score: i32,
    /// It only forbids the promoted role.
    pub promoted_only: bool,
}

/// A location constraint that draws a resource to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// The constraint's id, or its rule's.
    pub id: String,
    /// The resource.
    pub resource: ResourceIndex,
    /// The node.
    pub node: NodeIndex,
    /// The score: zero (which allows a node in a cluster that is not symmetric) or more.
    pub score: i32,
}

/// A name for several nodes or resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its name.
    pub id: String,
    /// The ids that it stands for.
    pub references: Vec<String>,
}

/// A node or a resource that a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// A node.
    Node(NodeIndex),
    /// A resource.
    Resource(ResourceIndex),
}

/// Everything that a CIB says about the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterStatus {
    /// The cluster's options.
    pub options: ClusterOptions,
    /// The cluster layer (`corosync`).
    pub stack: Option<String>,
    /// The Designated Controller, when there is one.
    pub dc: Option<Dc>,
    /// The partition has quorum.
    pub quorate: bool,
    /// Who changed the CIB last.
    pub last_change: LastChange,
    /// How much there is.
    pub counts: Counts,
    /// The failed operations, in the order in which they were found.
    pub failures: Vec<Failure>,
    /// What each node remembers, in the order of the CIB.
    pub history: Vec<NodeHistory>,
    /// The tickets.
    pub tickets: Vec<Ticket>,
    /// The bans; only when constraints were asked for.
    pub bans: Vec<Ban>,
    /// The preferences; only when constraints were asked for.
    pub preferences: Vec<Preference>,
    /// The tags.
    pub tags: Vec<Tag>,
    /// The nodes in the order in which they were found; [`ClusterStatus::nodes`] sorts them.
    pub(in crate::status) node_table: Vec<Node>,
    pub(in crate::status) node_order: Vec<NodeIndex>,
    pub(in crate::status) resource_table: Vec<Resource>,
    pub(in crate::status) top_level: Vec<ResourceIndex>,
    pub(in crate::status) resource_by_id: Arc<Map<String, ResourceIndex>>,
}

impl ClusterStatus {
    /// Iterates over the nodes, sorted by name.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.node_order.iter().map(|&index| self.node(index))
    }

    /// Iterates over the nodes with their indexes, sorted by name.
    pub fn node_indexes(&self) -> impl Iterator<Item = NodeIndex> + '_ {
        self.node_order.iter().copied()
    }

    /// Returns a node of this status.
    ///
    /// # Panics
    /// When the index is from another status that had more nodes.
    #[must_use]
    pub fn node(&self, index: NodeIndex) -> &Node {
        &self.node_table[index.0 as usize]
    }

    /// Finds a node by name, without regard to case.
    #[must_use]
    pub fn node_named(&self, name: &str) -> Option<&Node> {
        self.node_table
            .iter()
            .find(|node| node.name.eq_ignore_ascii_case(name))
    }

    /// Iterates over the top-level resources, in the order of `crm_mon`.
    pub fn top_level(&self) -> impl Iterator<Item = ResourceIndex> + '_ {
        self.top_level.iter().copied()
    }

    /// Iterates over all resources: groups, clones and bundles with their members and instances.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resource_table.iter()
    }

    /// Iterates over the indexes of all resources.
    pub fn resource_indexes(&self) -> impl Iterator<Item = ResourceIndex> + '_ {
        (0_u32..).map(ResourceIndex).take(self.resource_table.len())
    }

    /// Returns a resource of this status.
    ///
    /// # Panics
    /// When the index is from another status that had more resources.
    #[must_use]
    pub fn resource(&self, index: ResourceIndex) -> &Resource {
        &self.resource_table[index.0 as usize]
    }

    /// Finds a resource by id; an instance's id ends in its number.
    #[must_use]
    pub fn resource_named(&self, id: &str) -> Option<&Resource> {
        self.resource_by_id
            .get(id)
            .map(|&index| self.resource(index))
    }

    /// Finds a resource's index by id.
    #[must_use]
    pub fn resource_index(&self, id: &str) -> Option<ResourceIndex> {
        self.resource_by_id.get(id).copied()
    }

    /// Finds what a person means by a name: the resource of that id; the instance, when the name ends
    /// in its number; every instance of what is cloned, when it is the id in the configuration.
    ///
    /// Empty when the cluster has no such resource.
    ///
    /// # Example
    /// ```
    /// use ha_core::{status, xml::Document};
    /// let cib = Document::parse(
    ///     r#"<cib><configuration><nodes><node id="1" uname="maitre"/><node id="2" uname="esclave"/></nodes>
    ///          <resources><clone id="c"><primitive id="p" class="ocf" provider="pacemaker" type="ping"/>
    ///          </clone></resources></configuration></cib>"#,
    /// )?;
    /// let state = status::compute(&cib, jiff::Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC);
    /// assert_eq!(state.resources_meant("p").len(), 2);
    /// assert_eq!(state.resources_meant("p:1").len(), 1);
    /// assert_eq!(state.resources_meant("c").len(), 1);
    /// assert!(state.resources_meant("q").is_empty());
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    #[must_use]
    pub fn resources_meant(&self, name: &str) -> Vec<ResourceIndex> {
        let of = |id: &str| -> Vec<ResourceIndex> {
            self.resource_indexes()
                .filter(|&index| self.resource(index).configured_id == id)
                .collect()
        };
        let exact = self.resource_index(name);
        if let Some(index) = exact.filter(|&index| self.resource(index).configured_id != name) {
            return vec![index];
        }
        let instances = of(name);
        if !instances.is_empty() {
            return instances;
        }
        // An instance that is known under another name: by its place.
        let numbered = name.rsplit_once(':').and_then(|(base, number)| {
            let at: usize = number.parse().ok()?;
            of(base).get(at).copied()
        });
        exact.or(numbered).into_iter().collect()
    }

    /// Tells whether nothing can fence although fencing is on. Pacemaker starts no resource then.
    pub(crate) fn lacks_fence_device(&self) -> bool {
        self.options.fencing
            && !self.options.have_watchdog
            && !self.resources().any(Resource::is_fence_device)
    }

    /// Returns the names of the nodes where a resource runs (any of its instances).
    ///
    /// # Example
    /// ```
    /// # use ha_core::{status, xml::Document};
    /// # let cib = Document::parse("<cib/>")?;
    /// # let state = status::compute(&cib, jiff::Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC);
    /// assert!(state.active_on("VIP_externe").is_empty());
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    #[must_use]
    pub fn active_on(&self, id: &str) -> Vec<&str> {
        self.resource_named(id).map_or_else(Vec::new, |resource| {
            resource
                .running_on
                .iter()
                .map(|&node| self.node(node).name.as_str())
                .collect()
        })
    }
}
