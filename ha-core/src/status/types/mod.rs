//! The typed result: everything is owned, so that a status outlives its document.

mod cluster;
mod history;
mod node;
mod resource;

pub use cluster::{Ban, ClusterStatus, Counts, Dc, LastChange, Preference, Reference, Tag, Ticket};
pub use history::{Failure, HistoryEntry, NodeHistory, OperationRecord, ResourceHistory, Written};
pub use node::{Health, Node, NodeAttribute, NodeIndex, NodeKind};
pub use resource::{
    Agent, BundleKind, BundleReplica, CloneDetails, Definition, Resource, ResourceIndex,
    ResourceKind, Role,
};
