//! What happened between two states of a cluster.
//!
//! [`between`] compares two [`ClusterStatus`](crate::status::ClusterStatus) by meaning: instances of an
//! anonymous clone have no identity of their own, so what counts is that the clone runs on a node, not
//! under which number. [`Follower`] does it for each next state of a cluster that is watched.

mod compare;

pub use compare::{Follower, between};

use std::fmt;

use serde::Serialize;

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
    /// An operation is under way.
    ResourcePending {
        /// The resource.
        resource: String,
        /// Where.
        node: String,
        /// The task: `start`, `stop`, `promote` ....
        task: String,
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
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
        match self {
            Self::NodeOnline { node } => write!(f, "node {node} is online"),
            Self::NodeOffline {
                node,
                unclean: false,
            } => write!(f, "node {node} is offline"),
            Self::NodeOffline {
                node,
                unclean: true,
            } => {
                write!(f, "node {node} is offline, its state is unknown (unclean)")
            }
            Self::NodeStandby {
                node,
                standby: true,
            } => write!(f, "node {node} is in standby"),
            Self::NodeStandby {
                node,
                standby: false,
            } => {
                write!(f, "node {node} is no longer in standby")
            }
            Self::NodeMaintenance {
                node,
                maintenance: true,
            } => {
                write!(f, "node {node} is in maintenance")
            }
            Self::NodeMaintenance {
                node,
                maintenance: false,
            } => {
                write!(f, "node {node} is no longer in maintenance")
            }
            Self::NodeUnclean {
                node,
                unclean: true,
            } => write!(f, "node {node} is unclean"),
            Self::NodeUnclean {
                node,
                unclean: false,
            } => {
                write!(f, "node {node} is clean again")
            }
            Self::NodeConfigured {
                node,
                present: true,
            } => {
                write!(f, "node {node} was added to the configuration")
            }
            Self::NodeConfigured {
                node,
                present: false,
            } => {
                write!(f, "node {node} was removed from the configuration")
            }
            Self::DcChanged { from, to } => {
                write!(f, "the DC changed from {} to {}", name(from), name(to))
            }
            Self::Quorum { quorate: true } => f.write_str("the partition has quorum"),
            Self::Quorum { quorate: false } => f.write_str("the partition lost quorum"),
            Self::ResourcePending {
                resource,
                node,
                task,
            } => {
                write!(f, "{resource}: {task} under way on {node}")
            }
            Self::ResourceStarted {
                resource,
                node,
                role: Role::Started,
            } => {
                write!(f, "{resource} started on {node}")
            }
            Self::ResourceStarted {
                resource,
                node,
                role,
            } => {
                write!(f, "{resource} started on {node} ({role})")
            }
            Self::ResourceStopped { resource, node } => {
                write!(f, "{resource} stopped on {node}")
            }
            Self::ResourceRole {
                resource,
                node,
                from,
                to,
            } => {
                write!(f, "{resource} on {node}: {from} -> {to}")
            }
            Self::OperationFailed {
                resource,
                node,
                task,
                exit_status,
                reason,
            } => {
                write!(
                    f,
                    "{resource}: {task} failed on {node} (exit status {exit_status}"
                )?;
                match reason {
                    Some(reason) => write!(f, ": {reason})"),
                    None => f.write_str(")"),
                }
            }
            Self::FailureCleared {
                resource,
                node,
                task,
            } => {
                write!(
                    f,
                    "{resource}: the failure of {task} on {node} is forgotten"
                )
            }
        }
    }
}
