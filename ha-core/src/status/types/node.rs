//! Nodes.

use super::ResourceIndex;

/// A node's place in [`ClusterStatus::nodes`](crate::status::ClusterStatus::nodes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub(in crate::status) u32);

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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub(in crate::status) is_implied: bool,
    /// A remote node that must be reset before it can be used.
    pub(in crate::status) requires_reset: bool,
    /// A remote node that was fenced since its connection was lost.
    pub(in crate::status) remote_fenced: bool,
    /// The history was read.
    pub(in crate::status) unpacked: bool,
    /// The CIB had a history of it, maybe an empty one, when it was read.
    pub(crate) has_history: bool,
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
