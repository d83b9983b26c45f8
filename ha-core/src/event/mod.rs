//! What happened between two states of a cluster.
//!
//! [`between`] compares two [`ClusterStatus`](crate::status::ClusterStatus) by meaning: instances of an
//! anonymous clone have no identity of their own, so what counts is that the clone runs on a node, not
//! under which number. [`Follower`] does it for each next state of a cluster that is watched, and a
//! [`Picture`] is what the events lead from and to.

mod configuration;
mod follower;
mod picture;
#[cfg(test)]
mod tests;
mod text;

pub use follower::{Follower, between};
pub use picture::Picture;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::status::Role;

/// One thing that happened. Names are those of the cluster: node names and resource ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A node became a full member that can run resources.
    NodeOnline {
        /// The node.
        node: String,
    },
    /// A node is no longer a full member.
    NodeOffline {
        /// The node.
        node: String,
        /// What it was doing is not known for sure: it needs fencing.
        unclean: bool,
    },
    /// A node entered or left standby.
    NodeStandby {
        /// The node.
        node: String,
        /// It is in standby now.
        standby: bool,
    },
    /// A node entered or left maintenance.
    NodeMaintenance {
        /// The node.
        node: String,
        /// It is in maintenance now.
        maintenance: bool,
    },
    /// A node entered the membership and is not ready yet, or no longer so: see [`Event::NodeOnline`].
    NodeJoining {
        /// The node.
        node: String,
        /// It is joining now.
        joining: bool,
    },
    /// A node that was lost in an uncertain state is certain to be down now: it was fenced, or somebody
    /// confirmed that it is. Only a [`Follower`] knows.
    NodeFenced {
        /// The node.
        node: String,
    },
    /// An attribute of a node, permanent or transient, has another value. What the cluster keeps its own
    /// books with (fail counts, `#...`) is not told, and `standby` and `maintenance` are events of
    /// their own.
    NodeAttribute {
        /// The node.
        node: String,
        /// The attribute's name.
        name: String,
        /// Its value now; none when it is gone.
        value: Option<String>,
    },
    /// The state of a node became uncertain, or certain again, without any other change.
    NodeUnclean {
        /// The node.
        node: String,
        /// It needs fencing now.
        unclean: bool,
    },
    /// A node entered or left the configuration.
    NodeConfigured {
        /// The node.
        node: String,
        /// It is in the configuration now.
        present: bool,
    },
    /// Another node became the Designated Controller.
    DcChanged {
        /// The one before.
        from: Option<String>,
        /// The one now.
        to: Option<String>,
    },
    /// The partition gained or lost quorum.
    Quorum {
        /// It has quorum now.
        quorate: bool,
    },
    /// The configuration is another one.
    ConfigurationChanged {
        /// What was removed, added and changed.
        changes: Vec<ItemChange>,
    },
    /// This site was given a ticket.
    TicketGranted {
        /// The ticket.
        ticket: String,
    },
    /// A ticket was taken from this site.
    TicketRevoked {
        /// The ticket.
        ticket: String,
    },
    /// A ticket entered or left standby.
    TicketStandby {
        /// The ticket.
        ticket: String,
        /// It is in standby now.
        standby: bool,
    },
    /// An operation is under way. It ends with the resource's next event on this node that is about
    /// what it does there (started, stopped, another role, a failure).
    ResourcePending {
        /// The resource.
        resource: String,
        /// Where.
        node: String,
        /// The task: `start`, `stop`, `promote` ....
        task: String,
    },
    /// An operation is no longer under way, and has changed nothing.
    OperationEnded {
        /// The resource.
        resource: String,
        /// Where.
        node: String,
        /// The task: `monitor` ....
        task: String,
    },
    /// A resource became active on a node that is not the one where it was active before. Its end there
    /// was told by [`Event::ResourceStopped`], or is told by this: it has migrated. Only a [`Follower`]
    /// knows.
    ResourceMoved {
        /// The resource.
        resource: String,
        /// Where it was active before.
        from: String,
        /// Where it is active now.
        to: String,
        /// In which role.
        role: Role,
    },
    /// A resource that had failed is active again on the same node. Only a [`Follower`] knows.
    ResourceRecovered {
        /// The resource.
        resource: String,
        /// Where.
        node: String,
        /// In which role.
        role: Role,
    },
    /// A resource became active on a node.
    ResourceStarted {
        /// The resource.
        resource: String,
        /// Where.
        node: String,
        /// In which role.
        role: Role,
    },
    /// A resource is no longer active on a node.
    ResourceStopped {
        /// The resource.
        resource: String,
        /// Where it was active.
        node: String,
    },
    /// A resource changed its role on a node (promoted, demoted).
    ResourceRole {
        /// The resource.
        resource: String,
        /// Where.
        node: String,
        /// The role before.
        from: Role,
        /// The role now.
        to: Role,
    },
    /// An operation failed.
    OperationFailed {
        /// The resource.
        resource: String,
        /// Where.
        node: String,
        /// The task that failed.
        task: String,
        /// Every how many milliseconds it runs; 0 for once.
        interval_ms: u64,
        /// Its number on that node, which tells one failure from the next.
        call_id: i32,
        /// The agent's exit status (an OCF code).
        exit_status: i32,
        /// What the agent said.
        reason: Option<String>,
    },
    /// A failure was forgotten: cleaned up, expired, or followed by a success.
    FailureCleared {
        /// The resource.
        resource: String,
        /// Where it had failed.
        node: String,
        /// The task that had failed.
        task: String,
        /// Every how many milliseconds it runs; 0 for once.
        interval_ms: u64,
        /// Its number on that node.
        call_id: i32,
    },
    /// Several changes were read as one, and what came and went between them is not known: the reader was
    /// slower than the cluster, or a step could not be followed. The events that come next lead to what
    /// is so.
    Merged {
        /// How many changes there were, when that is known.
        missed: Option<usize>,
    },
    /// The daemon that events come from is lost. What happens now is told when it is back.
    DaemonLost {
        /// The daemon.
        daemon: String,
        /// When that was noticed.
        #[serde(serialize_with = "as_text")]
        since: Timestamp,
        /// Why, for reading.
        cause: String,
    },
    /// The daemon is back. The events that come next lead to what is so.
    DaemonBack {
        /// The daemon.
        daemon: String,
        /// Since when it had been lost.
        #[serde(serialize_with = "as_text")]
        since: Timestamp,
        /// Whether anything has changed meanwhile.
        missed: bool,
    },
}

fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// What happened to a thing of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another content.
    Changed,
}

/// A thing of the configuration that was added, removed or changed: a resource without those in it, a
/// constraint, a node, the value of an option ....
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct ItemChange {
    /// What happened to it.
    pub kind: ChangeKind,
    /// The name of its element: `primitive`, `rsc_location`, `nvpair` ....
    pub element: String,
    /// Its id; empty for the few elements without one.
    pub id: String,
    /// For an option, its name (`stonith-enabled`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What tells its content from another.
    #[serde(skip)]
    digest: u64,
}
