//! What happened: operations, failures and fencing, as programs read them.

use serde::{Deserialize, Serialize};

output! {
/// What a node remembers.
pub struct NodeHistory {
    /// The node's name.
    pub name: String,
    /// The resources that it remembers anything of.
    pub resources: Vec<ResourceHistory>,
}

/// What a node remembers of a resource.
pub struct ResourceHistory {
    /// The resource's id.
    pub id: String,
    /// The resource is not in the configuration.
    pub orphan: bool,
    /// After so many failures it leaves the node; 1000000 is infinity.
    pub migration_threshold: i32,
    /// How often it failed; 1000000 is infinity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_count: Option<i32>,
    /// When it failed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub last_failure: Option<String>,
    /// The operations, oldest first.
    pub operations: Vec<Operation>,
}

/// An operation.
pub struct Operation {
    /// The call id.
    pub call: i32,
    /// The task, such as `start`; a monitor without an interval is a `probe`.
    pub task: String,
    /// The exit status of the agent.
    pub rc: i32,
    /// What the exit status means.
    pub rc_text: String,
    /// The interval, of recurring operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_ms: Option<u64>,
    /// When the exit status last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub last_rc_change: Option<String>,
    /// How long the agent ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_time_ms: Option<u64>,
    /// How long the operation waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_time_ms: Option<u64>,
}

/// A failed operation.
pub struct Failure {
    /// The operation key, such as `vip_monitor_10000`, when the history has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_key: Option<String>,
    /// The id of the entry in the history.
    pub id: String,
    /// The resource, as the operation key says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The node's name.
    pub node: String,
    /// What the exit status means.
    pub exitstatus: String,
    /// What the agent said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exitreason: Option<String>,
    /// The exit status of the agent.
    pub exitcode: i32,
    /// The call id.
    pub call: i32,
    /// How the execution ended, such as `complete` or `Timed Out`.
    pub status: String,
    /// When it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub last_rc_change: Option<String>,
    /// How long the operation waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_ms: Option<u64>,
    /// How long the agent ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_ms: Option<u64>,
    /// The interval; 0 for an operation that does not recur.
    pub interval_ms: u64,
    /// The task.
    pub task: String,
}

/// What was fenced, or tried: what is under way first, then the latest first.
pub struct FenceHistory {
    /// Why the fencer could not be asked, as an exit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u8>,
    /// Why the fencer could not be asked, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The actions.
    pub events: Vec<FenceEvent>,
}

/// A fencing action.
pub struct FenceEvent {
    /// What is done: `reboot`, `off` or `on`.
    pub action: String,
    /// The node that it is done to.
    pub target: String,
    /// The program that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The node where that program ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// How far it has come.
    pub status: FenceStatus,
    /// The fencer's number for a state that is neither success nor failure: 0 while devices are looked
    /// for, 1 while one of them acts, 3 when another action did the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_status: Option<u8>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_reason: Option<String>,
    /// The node that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegate: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub completed: Option<String>,
}

/// How far a fencing action has come.
#[derive(Copy)]
#[serde(rename_all = "snake_case")]
pub enum FenceStatus {
    /// It has not ended.
    Pending,
    /// The target is fenced.
    Success,
    /// The target was not fenced by it.
    Failed,
}
}
