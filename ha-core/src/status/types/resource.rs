//! Resources.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::NodeIndex;
use crate::status::mapping::without_number;

/// A resource's place in [`ClusterStatus::resources`](crate::status::ClusterStatus::resources).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceIndex(pub(in crate::status) u32);

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
    pub(in crate::status) node: Option<NodeIndex>,
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
        /// How many replicas there are to be: fewer exist where what they contain cannot have as many
        /// instances.
        wanted: u32,
        /// The replicas, by number.
        replicas: Vec<BundleReplica>,
    },
}

/// What the configuration alone says of a resource. A [`Resource`] gives all of it as its own fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The id; an instance of a clone has its number after a colon.
    pub id: String,
    /// The id as configured, without an instance number.
    pub configured_id: String,
    /// What kind of resource it is.
    pub kind: ResourceKind,
    /// `target-role` as written.
    pub target_role_text: Option<String>,
    /// The description.
    pub description: Option<String>,
}

/// One resource or one instance of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Shared by the statuses of one configuration.
    pub(in crate::status) definition: Arc<Definition>,
    /// The group, clone or bundle it belongs to.
    pub parent: Option<ResourceIndex>,
    /// The members of a group, the instances of a clone.
    pub children: Vec<ResourceIndex>,
    /// What it is doing.
    pub role: Role,
    /// The role that it is held back to, when `target-role` restricts it.
    pub target_role: Option<Role>,
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
    pub(in crate::status) priority: i32,
    /// The name that the history uses, when it is not the id.
    pub(in crate::status) history_name: Option<String>,
    /// The role that the cluster would bring it to, as far as the history says.
    pub(in crate::status) next_role: Role,
    /// Of the nodes, the first so many may run it (when the cluster is symmetric).
    pub(in crate::status) allowed_before: u32,
    /// Nodes that may run it in an asymmetric cluster.
    pub(in crate::status) allowed_only: Vec<NodeIndex>,
}

impl Deref for Resource {
    type Target = Definition;

    fn deref(&self) -> &Definition {
        &self.definition
    }
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

    /// Tells whether this is meant by a name: its id, the id without an instance number, or the name
    /// under which the history knows it.
    #[must_use]
    pub fn answers_to(&self, name: &str) -> bool {
        self.id == name
            || self.configured_id == name
            || self.history_name.as_deref() == Some(name)
            || without_number(&self.id) == name
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

    /// Returns its parts: the members of a group, the instances of a clone, and of each replica of a
    /// bundle the primitive, or the container when it has none.
    #[must_use]
    pub fn parts(&self) -> Vec<ResourceIndex> {
        match &self.kind {
            ResourceKind::Bundle { replicas, .. } => replicas
                .iter()
                .map(|replica| replica.child.unwrap_or(replica.container))
                .collect(),
            _ => self.children.clone(),
        }
    }

    /// Tells whether this is a primitive that fences nodes.
    #[must_use]
    pub fn is_fence_device(&self) -> bool {
        self.agent().is_some_and(|agent| agent.class == "stonith")
    }
}
