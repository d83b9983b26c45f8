//! Resources, as programs read them.

use serde::{Deserialize, Serialize};

output! {
/// A resource of any kind; `kind` says which.
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Resource {
    /// One service.
    Primitive(Primitive),
    /// Primitives that run together, in order.
    Group(Group),
    /// Instances of a primitive or a group.
    Clone(CloneSet),
    /// Containers, with what runs inside them.
    Bundle(Bundle),
}

/// One service.
pub struct Primitive {
    /// Its id. Instances of an anonymous clone have the same one.
    pub id: String,
    /// The agent, such as `ocf:heartbeat:IPaddr2`.
    pub resource_agent: String,
    /// Its role (`Started`, `Stopped`, `Promoted`, `Unpromoted`, `Unknown`) or what is being done to it
    /// (`Starting`, `Stopping`, `Promoting`, `Demoting`, `Migrating`).
    pub role: String,
    /// The role that the configuration wants, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_role: Option<String>,
    /// It runs.
    pub active: bool,
    /// It has a history but no configuration.
    pub orphaned: bool,
    /// Nothing is done until a cleanup, after a failure.
    pub blocked: bool,
    /// The cluster may start and stop it.
    pub managed: bool,
    /// It failed and is to be recovered.
    pub failed: bool,
    /// It failed and the configuration says to ignore that.
    pub failure_ignored: bool,
    /// On how many nodes it runs.
    pub nodes_running_on: usize,
    /// `Monitoring` while its first monitor is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
    /// The node that it is locked to while that node restarts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_to: Option<String>,
    /// Where it runs.
    pub nodes: Vec<Location>,
}

/// A node where a resource runs.
pub struct Location {
    /// The node's name.
    pub name: String,
    /// The node's id.
    pub id: String,
    /// The node is online.
    pub cached: bool,
}

/// Primitives that run together, in order.
pub struct Group {
    /// Its id; an instance of a clone has its number after a colon.
    pub id: String,
    /// How many members it has.
    pub number_resources: usize,
    /// The cluster may start and stop it.
    pub managed: bool,
    /// Its target role holds it back.
    pub disabled: bool,
    /// The members.
    pub members: Vec<Resource>,
}

/// Instances of a primitive or a group.
pub struct CloneSet {
    /// Its id.
    pub id: String,
    /// Its instances can be promoted.
    pub multi_state: bool,
    /// Its instances are told apart.
    pub unique: bool,
    /// The cluster may start and stop it.
    pub managed: bool,
    /// Its target role holds it back.
    pub disabled: bool,
    /// It failed and is to be recovered.
    pub failed: bool,
    /// It failed and the configuration says to ignore that.
    pub failure_ignored: bool,
    /// The role that the configuration wants, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_role: Option<String>,
    /// The instances.
    pub instances: Vec<Resource>,
}

/// Containers, with what runs inside them.
pub struct Bundle {
    /// Its id.
    pub id: String,
    /// The container technology: `docker`, `podman` or `rkt`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The image.
    pub image: String,
    /// Its replicas are told apart.
    pub unique: bool,
    /// The cluster may start and stop it.
    pub managed: bool,
    /// It failed and is to be recovered.
    pub failed: bool,
    /// The replicas.
    pub replicas: Vec<Replica>,
}

/// One replica of a bundle.
pub struct Replica {
    /// Its number.
    pub id: u32,
    /// Its address, what runs inside, its container, and the connection to it: those that it has.
    pub members: Vec<Resource>,
}
}
