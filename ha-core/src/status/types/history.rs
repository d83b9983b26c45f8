//! What the history of operations says.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use super::{NodeIndex, ResourceIndex};

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
    /// The interval in milliseconds, as the history entry says.
    pub entry_interval_ms: u64,
    /// The task as the history entry says.
    pub operation: String,
    /// The agent's exit status.
    pub rc: i32,
    /// How the execution ended.
    pub status: i32,
    /// The call id, -1 when the entry does not say.
    pub call_id: i32,
    /// How the call id is written.
    pub call_text: Written,
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

/// How the attribute of a history entry that holds a number is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Written {
    /// As the number in digits.
    #[default]
    Plain,
    /// As another text.
    Otherwise(String),
    /// The entry lacks it.
    Absent,
}

impl Written {
    /// Returns the text of an attribute that was read as this number, if there is one.
    #[must_use]
    pub fn text(&self, number: i32) -> Option<Cow<'_, str>> {
        match self {
            Self::Plain => Some(number.to_string().into()),
            Self::Otherwise(text) => Some(text.as_str().into()),
            Self::Absent => None,
        }
    }
}

/// One operation of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRecord {
    /// The history entry's id.
    pub id: String,
    /// The call id, -1 when the entry does not say.
    pub call_id: i32,
    /// How the call id is written.
    pub call_text: Written,
    /// The task.
    pub task: String,
    /// The entry says which task, be it an empty one.
    pub is_named: bool,
    /// The interval in milliseconds.
    pub interval_ms: u64,
    /// The interval as written, where that is another text than the number.
    pub interval_text: Option<String>,
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

/// What one entry of a node's history says. A [`ResourceHistory`] gives all of it as its own fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The id in the history.
    pub id: String,
    /// The operations, oldest first.
    pub operations: Vec<OperationRecord>,
}

/// What a node remembers of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceHistory {
    /// Shared by the statuses for as long as the CIB says the same.
    pub(in crate::status) entry: Arc<HistoryEntry>,
    /// The resource, unless the status knows none.
    pub resource: Option<ResourceIndex>,
    /// How often it failed on this node.
    pub fail_count: i32,
    /// When it failed last, in seconds since the epoch; 0 when it did not.
    pub last_failure: i64,
}

impl Deref for ResourceHistory {
    type Target = HistoryEntry;

    fn deref(&self) -> &HistoryEntry {
        &self.entry
    }
}

/// What a node remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeHistory {
    /// The node.
    pub node: NodeIndex,
    /// The resources, in document order.
    pub resources: Vec<ResourceHistory>,
}
