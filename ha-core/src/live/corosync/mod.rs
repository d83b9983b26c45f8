//! Corosync: closed process groups, quorum, the configuration map, links.
//!
//! | module | what it gives |
//! |---|---|
//! | [`cpg`] | groups of processes: ordered messages, membership |
//! | [`quorum`] | is this partition quorate, which nodes are in it |
//! | [`votequorum`] | votes, expected votes, flags, the quorum device |
//! | [`cmap`] | the configuration and the statistics of the running corosync |
//! | [`mod@cfg`] | links, reload, kill a node, shut down |
//!
//! Corosync's C libraries wait for ever for a daemon that is stopped. Here every call has a
//! deadline, [`Options::timeout`]: a call that may block runs on a thread of its own, is left alone
//! when its time is over, and ends in an error of kind [`ErrorKind::Timeout`](crate::ErrorKind).
//! A connection whose last call was left alone refuses further calls at once until corosync
//! answers again. Such a request may still be carried out when corosync resumes.
//!
//! A connection is lost for good when corosync ends (kind
//! [`ErrorKind::Disconnected`](crate::ErrorKind)); a [`Watch`] reports that as an event and, when
//! asked to, connects anew.

pub mod cfg;
pub mod cmap;
mod connection;
pub mod cpg;
pub(in crate::live) mod deadline;
mod error;
mod listener;
pub mod quorum;
#[cfg(feature = "tokio")]
mod stream;
pub mod votequorum;
mod watch;
mod worker;

use std::fmt;
use std::time::Duration;

#[cfg(feature = "tokio")]
pub use stream::WatchStream;
pub use watch::{Reconnect, Source, Update, Watch};

/// How a connection to corosync behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The longest that connecting, and then any single call, may take; 5 s by default.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
        }
    }
}

/// The number of a node (`nodeid` in corosync.conf); never 0 for a real node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct NodeId(pub u32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of one membership of the cluster: each change of nodes makes a new ring.
///
/// # Example
/// ```
/// use ha_core::live::corosync::{NodeId, RingId};
/// // As corosync-quorumtool prints it: both numbers in base 16.
/// assert_eq!(RingId { node: NodeId(1), sequence: 26 }.to_string(), "1.1a");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RingId {
    /// The node that made the ring: the one with the smallest number in it.
    pub node: NodeId,
    /// Grows with each new ring.
    pub sequence: u64,
}

impl fmt::Display for RingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}", self.node.0, self.sequence)
    }
}
