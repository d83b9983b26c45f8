//! The typed result: everything is owned, so that a status outlives its document.

use std::collections::HashMap;
use std::fmt;

use super::options::ClusterOptions;

/// A node's place in [`ClusterStatus::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub(super) u32);

/// A resource's place in [`ClusterStatus::resources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceIndex(pub(super) u32);

/// What a resource is doing on a node. Ordered: a later role is more active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nothing is known.
    #[default]
    Unknown,
    /// Not running.
    Stopped,
    /// Running.
    Started,
    /// Running, as the unpromoted instance of a promotable clone.
    Unpromoted,
    /// Running and promoted.
    Promoted,
}

impl Role {
    /// Returns the word that Pacemaker prints.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Stopped => "Stopped",
            Self::Started => "Started",
            Self::Unpromoted => "Unpromoted",
            Self::Promoted => "Promoted",
        }
    }

    /// Reads a role, the words used before Pacemaker 2.1 (`Master`, `Slave`) included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        if is("Stopped") {
            Some(Self::Stopped)
        } else if is("Started") {
            Some(Self::Started)
        } else if is("Unpromoted") || is("Slave") {
            Some(Self::Unpromoted)
        } else if is("Promoted") || is("Master") {
            Some(Self::Promoted)
        } else {
            None
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What kind of node it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A node that runs Corosync and Pacemaker.
    Cluster,
    /// A node that runs Pacemaker Remote only: a remote node or, when its connection has a
    /// container, a guest node.
    Remote,
    /// An entry of old configurations that is never online.
    Ping,
}

/// What the health attributes of a node say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Health {
    /// Nothing is wrong, or health is not looked at.
    #[default]
    Green,
    /// At least one attribute is yellow and none is red.
    Yellow,
    /// At least one attribute is red.
    Red,
}

/// An attribute of a node, as resources and rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAttribute {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What a ping resource that runs on this node would set if every host answered.
    pub expected: Option<i32>,
}

/// One node.
#[derive(Debug, Clone)]
pub struct Node {
    /// The id: Corosync's number as text, or the name for remote and guest nodes.
    pub id: String,
    /// The name.
    pub name: String,
    /// What kind of node it is.
    pub kind: NodeKind,
    /// A full member that can run resources.
    pub online: bool,
    /// Asked not to run resources.
    pub standby: bool,
    /// In standby because of an operation's `on-fail`.
    pub standby_on_fail: bool,
    /// In maintenance: its resources are not managed.
    pub maintenance: bool,
    /// Joining: in the membership, but not ready yet.
    pub pending: bool,
    /// Its state is not known for sure: it needs fencing.
    pub unclean: bool,
    /// No state was ever seen.
    pub unseen: bool,
    /// Shutting down.
    pub shutdown: bool,
    /// Expected to be in the cluster.
    pub expected_up: bool,
    /// Is the Designated Controller.
    pub is_dc: bool,
    /// What the health attributes say.
    pub health: Health,
    /// Its attributes, permanent and transient, sorted by name bytewise.
    pub attributes: Vec<NodeAttribute>,
    /// The primitives that run here, in the order in which they were found.
    pub running: Vec<ResourceIndex>,
    /// The connection resource of a remote or guest node.
    pub connection: Option<ResourceIndex>,
    /// Is a guest node: the connection belongs to a container that the cluster runs.
    pub is_guest: bool,
    /// Belongs to a bundle.
    pub is_bundle: bool,
    /// Is known only because a bundle implies it: no resource outside the bundle may use it.
    pub(super) is_implied: bool,
    /// A remote node that must be reset before it can be used.
    pub(super) requires_reset: bool,
    /// A remote node that was fenced since its connection was lost.
    pub(super) remote_fenced: bool,
    /// The history was read.
    pub(super) unpacked: bool,
}

impl Node {
    /// Returns the value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .binary_search_by(|a| a.name.as_bytes().cmp(name.as_bytes()))
            .ok()
            .map(|at| self.attributes[at].value.as_str())
    }

    /// Returns the feature set of an online cluster node, when it announces one.
    #[must_use]
    pub fn feature_set(&self) -> Option<&str> {
        (self.online && self.kind == NodeKind::Cluster).then(|| self.attribute("#feature-set"))?
    }

    /// Tells whether the node is online and clean.
    #[must_use]
    pub fn is_healthy_member(&self) -> bool {
        self.online && !self.unclean
    }
}

/// Which agent runs a primitive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Agent {
    /// The standard: `ocf`, `stonith`, `systemd`, `lsb`, `service`.
    pub class: String,
    /// The provider, for the standards that have one.
    pub provider: Option<String>,
    /// The agent's name.
    pub kind: String,
}

impl Agent {
    /// Tells whether this is the agent of the connection to a remote node.
    #[must_use]
    pub fn is_remote_connection(&self) -> bool {
        self.class.eq_ignore_ascii_case("ocf")
            && self
                .provider
                .as_deref()
                .is_some_and(|p| p.eq_ignore_ascii_case("pacemaker"))
            && self.kind.eq_ignore_ascii_case("remote")
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.class)?;
        if let Some(provider) = &self.provider {
            write!(f, ":{provider}")?;
        }
        write!(f, ":{}", self.kind)
    }
}

/// What only clones have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CloneDetails {
    /// How many instances may run in all.
    pub max: u32,
    /// How many instances may run on one node.
    pub node_max: u32,
    /// The id of the thing that is cloned.
    pub child_id: String,
}

/// The container technology of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BundleKind {
    /// Docker.
    Docker,
    /// Rkt.
    Rkt,
    /// Podman.
    Podman,
}

impl BundleKind {
    /// Returns the word that the CIB uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Rkt => "rkt",
            Self::Podman => "podman",
        }
    }
}

/// One replica of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleReplica {
    /// Its number.
    pub number: u32,
    /// The address, when the bundle has a range of them.
    pub address: Option<String>,
    /// The address's resource.
    pub ip: Option<ResourceIndex>,
    /// The instance of the bundled primitive.
    pub child: Option<ResourceIndex>,
    /// The container.
    pub container: ResourceIndex,
    /// The connection to the guest node inside the container.
    pub remote: Option<ResourceIndex>,
    /// The guest node inside the container.
    pub(super) node: Option<NodeIndex>,
}

/// What kind of resource it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceKind {
    /// One service, run by an agent.
    Primitive(Agent),
    /// Primitives that run together, in order.
    Group,
    /// Instances of a primitive or a group.
    Clone(CloneDetails),
    /// Containers, with an address and a primitive in each when it has them.
    Bundle {
        /// The container technology.
        kind: BundleKind,
        /// The image.
        image: String,
        /// The replicas, by number.
        replicas: Vec<BundleReplica>,
    },
}

/// One resource or one instance of a resource.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The id; an instance of a clone has its number after a colon.
    pub id: String,
    /// The id as configured, without an instance number.
    pub configured_id: String,
    /// What kind of resource it is.
    pub kind: ResourceKind,
    /// The group, clone or bundle it belongs to.
    pub parent: Option<ResourceIndex>,
    /// The members of a group, the instances of a clone.
    pub children: Vec<ResourceIndex>,
    /// What it is doing.
    pub role: Role,
    /// The role that it is held back to, when `target-role` restricts it.
    pub target_role: Option<Role>,
    /// `target-role` as written.
    pub target_role_text: Option<String>,
    /// The cluster may start and stop it.
    pub managed: bool,
    /// The cluster gave up after a failure: nothing is done until a cleanup.
    pub blocked: bool,
    /// It failed and is to be recovered.
    pub failed: bool,
    /// It failed and the configuration says to ignore that.
    pub failure_ignored: bool,
    /// It has a history but no configuration (removed while active, or an extra instance).
    pub orphan: bool,
    /// It is in maintenance.
    pub maintenance: bool,
    /// Its instances are told apart (anything that is no clone counts as unique).
    pub unique: bool,
    /// It can be promoted.
    pub promotable: bool,
    /// It may only run where failed nodes can be fenced.
    pub needs_fencing: bool,
    /// Pacemaker made it (connections to guest nodes).
    pub internal: bool,
    /// The description.
    pub description: Option<String>,
    /// Where it runs.
    pub running_on: Vec<NodeIndex>,
    /// Where a history says anything about it.
    pub known_on: Vec<NodeIndex>,
    /// The first operation that is under way, other than a probe.
    pub pending_task: Option<String>,
    /// Where the pending operation is under way.
    pub pending_node: Option<NodeIndex>,
    /// The node that it is locked to while that node restarts.
    pub lock_node: Option<NodeIndex>,
    /// The source of a migration that has not finished.
    pub migration_source: Option<NodeIndex>,
    /// The target of a migration that has not finished.
    pub migration_target: Option<NodeIndex>,
    /// The container that a guest node's connection belongs to.
    pub container: Option<ResourceIndex>,
    /// The remote or guest node that this connection leads to.
    pub connects_to: Option<NodeIndex>,
    /// Failures on a node after which it leaves that node.
    pub migration_threshold: i32,
    /// Seconds after which a failure is forgotten; 0 for never.
    pub failure_timeout: i64,
    /// Its place among the top-level resources: higher first.
    pub(super) priority: i32,
    /// The name that the history uses, when it is not the id.
    pub(super) history_name: Option<String>,
    /// The role that the cluster would bring it to, as far as the history says.
    pub(super) next_role: Role,
    /// Of the nodes, the first so many may run it (when the cluster is symmetric).
    pub(super) allowed_before: u32,
    /// Nodes that may run it in an asymmetric cluster.
    pub(super) allowed_only: Vec<NodeIndex>,
}

impl Resource {
    /// Returns the id as people know it: without the instance number unless instances are told apart.
    #[must_use]
    pub fn printable_id(&self) -> &str {
        if self.unique {
            &self.id
        } else {
            &self.configured_id
        }
    }

    /// Returns the agent of a primitive.
    #[must_use]
    pub fn agent(&self) -> Option<&Agent> {
        match &self.kind {
            ResourceKind::Primitive(agent) => Some(agent),
            _ => None,
        }
    }

    /// Tells whether this is a primitive.
    #[must_use]
    pub fn is_primitive(&self) -> bool {
        matches!(self.kind, ResourceKind::Primitive(_))
    }

    /// Tells whether this is a group.
    #[must_use]
    pub fn is_group(&self) -> bool {
        matches!(self.kind, ResourceKind::Group)
    }

    /// Tells whether this is a clone.
    #[must_use]
    pub fn is_clone(&self) -> bool {
        matches!(self.kind, ResourceKind::Clone(_))
    }

    /// Tells whether this is a bundle.
    #[must_use]
    pub fn is_bundle(&self) -> bool {
        matches!(self.kind, ResourceKind::Bundle { .. })
    }

    /// Tells whether this is a primitive that fences nodes.
    #[must_use]
    pub fn is_fence_device(&self) -> bool {
        self.agent().is_some_and(|agent| agent.class == "stonith")
    }
}

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

/// A failed operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The node's name.
    pub node: String,
    /// The node that ran it, when the history entry says so.
    pub on_node: Option<String>,
    /// The history entry's id.
    pub id: String,
    /// The operation key, when written.
    pub key: Option<String>,
    /// The resource's id, as the operation key says.
    pub resource: Option<String>,
    /// The id that the history entry belongs to.
    pub history_id: String,
    /// The task, as the operation key says.
    pub task: Option<String>,
    /// The interval in milliseconds, as the operation key says.
    pub interval_ms: u64,
    /// The task as the history entry says.
    pub operation: String,
    /// The agent's exit status.
    pub rc: i32,
    /// How the execution ended.
    pub status: i32,
    /// The call id.
    pub call_id: i32,
    /// What the agent said.
    pub exit_reason: Option<String>,
    /// When it failed, in seconds since the epoch.
    pub last_rc_change: Option<i64>,
    /// How long the agent ran, in milliseconds.
    pub exec_ms: Option<u64>,
    /// How long the operation waited, in milliseconds.
    pub queue_ms: Option<u64>,
    /// A probe that only found the agent not installed.
    pub masked: bool,
}

/// One operation of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRecord {
    /// The history entry's id.
    pub id: String,
    /// The call id.
    pub call_id: i32,
    /// The task.
    pub task: String,
    /// The interval in milliseconds.
    pub interval_ms: u64,
    /// The agent's exit status.
    pub rc: i32,
    /// How the execution ended.
    pub status: i32,
    /// When the exit status last changed, in seconds since the epoch.
    pub last_rc_change: Option<i64>,
    /// How long the agent ran, as written (milliseconds).
    pub exec_time: Option<String>,
    /// How long the operation waited, as written (milliseconds).
    pub queue_time: Option<String>,
}

/// What a node remembers of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceHistory {
    /// The id in the history.
    pub id: String,
    /// The resource, unless the status knows none.
    pub resource: Option<ResourceIndex>,
    /// How often it failed on this node.
    pub fail_count: i32,
    /// When it failed last, in seconds since the epoch; 0 when it did not.
    pub last_failure: i64,
    /// The operations, oldest first.
    pub operations: Vec<OperationRecord>,
}

/// What a node remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeHistory {
    /// The node.
    pub node: NodeIndex,
    /// The resources, in document order.
    pub resources: Vec<ResourceHistory>,
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
#[derive(Debug, Clone)]
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
    pub(super) node_table: Vec<Node>,
    pub(super) node_order: Vec<NodeIndex>,
    pub(super) resource_table: Vec<Resource>,
    pub(super) top_level: Vec<ResourceIndex>,
    pub(super) resource_by_id: HashMap<String, ResourceIndex>,
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
