//! The votes behind the quorum: who has how many, how many are expected, the quorum device.
//!
//! # Example
//! ```no_run
//! use ha_core::live::corosync::votequorum::VoteQuorum;
//! use ha_core::live::corosync::{NodeId, Options};
//!
//! let votes = VoteQuorum::connect(&Options::default())?;
//! let info = votes.info(NodeId(1))?;
//! println!("{} of {} votes, {} needed", info.total_votes, info.expected_votes, info.quorum);
//! # Ok::<(), ha_core::Error>(())
//! ```

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use corosync_sys as sys;

use super::connection::{Connect, Connection, NotSync};
use super::deadline::Deadline;
use super::watch::{Reconnect, Source, Watch};
use super::{NodeId, Options, RingId};
use crate::Result;
use crate::live::ffi::corosync::{Requests, votequorum as ffi};

impl Connect for ffi::VoteQuorum {
    const NAME: &'static str = "votes";

    fn stuck_connects() -> &'static AtomicUsize {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        &COUNT
    }
}

/// What a node is for the count of the votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeState {
    /// In the membership.
    Member,
    /// Configured, not in the membership.
    Dead,
    /// On its way out, as it said itself.
    Leaving,
    /// Something that this library does not know: corosync's number for it.
    Other(u32),
}

impl NodeState {
    pub(in crate::live) fn from_c(state: u32) -> Self {
        match state.cast_signed() {
            sys::VOTEQUORUM_NODESTATE_MEMBER => Self::Member,
            sys::VOTEQUORUM_NODESTATE_DEAD => Self::Dead,
            sys::VOTEQUORUM_NODESTATE_LEAVING => Self::Leaving,
            _ => Self::Other(state),
        }
    }
}

/// How the votes are counted, and the state of the quorum device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags {
    /// Two nodes, of which one alone keeps quorum (`two_node` in corosync.conf).
    pub two_node: bool,
    /// This partition has quorum.
    pub quorate: bool,
    /// Quorum only once all nodes were seen at the same time (`wait_for_all`).
    pub wait_for_all: bool,
    /// The expected votes follow the nodes that are lost (`last_man_standing`).
    pub last_man_standing: bool,
    /// Half of the votes suffices for one of two halves (`auto_tie_breaker`).
    pub auto_tie_breaker: bool,
    /// The expected votes may go down when a node leaves in order (`allow_downscale`).
    pub allow_downscale: bool,
    /// A quorum device is known.
    pub qdevice_registered: bool,
    /// The quorum device answers.
    pub qdevice_alive: bool,
    /// The quorum device gives its vote to this partition.
    pub qdevice_casts_vote: bool,
    /// The quorum device alone decides (`master_wins`).
    pub qdevice_master_wins: bool,
    /// All flags as corosync gave them, with those that this library does not know.
    pub bits: u32,
}

impl Flags {
    pub(in crate::live) fn from_bits(bits: u32) -> Self {
        let has = |flag: i32| bits & flag.cast_unsigned() != 0;
        Self {
            two_node: has(sys::VOTEQUORUM_INFO_TWONODE),
            quorate: has(sys::VOTEQUORUM_INFO_QUORATE),
            wait_for_all: has(sys::VOTEQUORUM_INFO_WAIT_FOR_ALL),
            last_man_standing: has(sys::VOTEQUORUM_INFO_LAST_MAN_STANDING),
            auto_tie_breaker: has(sys::VOTEQUORUM_INFO_AUTO_TIE_BREAKER),
            allow_downscale: has(sys::VOTEQUORUM_INFO_ALLOW_DOWNSCALE),
            qdevice_registered: has(sys::VOTEQUORUM_INFO_QDEVICE_REGISTERED),
            qdevice_alive: has(sys::VOTEQUORUM_INFO_QDEVICE_ALIVE),
            qdevice_casts_vote: has(sys::VOTEQUORUM_INFO_QDEVICE_CAST_VOTE),
            qdevice_master_wins: has(sys::VOTEQUORUM_INFO_QDEVICE_MASTER_WINS),
            bits,
        }
    }
}

/// A quorum device that is registered on the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qdevice {
    /// Its name.
    pub name: String,
    /// The votes it can give.
    pub votes: u32,
}

/// What one node knows about the votes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The node.
    pub node: NodeId,
    /// What the node is.
    pub state: NodeState,
    /// The votes of the node.
    pub votes: u32,
    /// The votes that the node expects in the whole cluster.
    pub expected_votes: u32,
    /// The largest number of votes that any node expects.
    pub highest_expected_votes: u32,
    /// The votes in this partition.
    pub total_votes: u32,
    /// How many votes make quorum.
    pub quorum: u32,
    /// How the votes are counted.
    pub flags: Flags,
    /// The quorum device, when the node has one.
    pub qdevice: Option<Qdevice>,
}

/// A change of the votes or of the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Quorum was gained, lost or looked at again.
    Quorum {
        /// Whether this partition has quorum.
        quorate: bool,
        /// All known nodes and what they are. The quorum device is number 0.
        nodes: Vec<(NodeId, NodeState)>,
    },
    /// The nodes of the partition changed.
    Nodes {
        /// The new membership.
        ring: RingId,
        /// The nodes in it.
        nodes: Vec<NodeId>,
    },
    /// The number of expected votes changed to this.
    ExpectedVotes(u32),
}

/// A connection to corosync's vote counting.
#[derive(Debug)]
#[doc(alias = "votequorum_handle_t")]
pub struct VoteQuorum {
    connection: Connection<ffi::VoteQuorum>,
    queue: VecDeque<Event>,
    _not_sync: NotSync,
}

impl VoteQuorum {
    /// Connects to the corosync of this node.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`](crate::ErrorKind::Disconnected) when corosync does not run or
    /// has another quorum provider,
    /// [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied) when it does not let this
    /// user in, [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when it does not answer in time.
    #[doc(alias = "votequorum_initialize")]
    pub fn connect(options: &Options) -> Result<Self> {
        let connection = Connection::<ffi::VoteQuorum>::open(options, ffi::connect)?;
        Ok(Self {
            connection,
            queue: VecDeque::new(),
            _not_sync: NotSync::default(),
        })
    }

    /// Connects and returns the present state and each change of it, as events; see [`Watch`].
    ///
    /// # Errors
    /// Those of [`VoteQuorum::connect`].
    pub fn watch(options: &Options, reconnect: Reconnect) -> Result<Watch<Self>> {
        Watch::start(options.clone(), reconnect)
    }

    /// Returns what is known about a node's votes.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node, else those of
    /// any call.
    #[doc(alias = "votequorum_getinfo")]
    pub fn info(&self, node: NodeId) -> Result<Info> {
        self.connection
            .call_about("ask for the votes of node", node, move |requests| {
                requests.info(node)
            })
    }

    /// Sets how many votes the whole cluster expects, on all nodes, until corosync restarts.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it would make quorum impossible or is
    /// below the votes that are present, else those of any call.
    #[doc(alias = "votequorum_setexpected")]
    pub fn set_expected_votes(&self, votes: u32) -> Result<()> {
        self.connection
            .call_about("set the expected votes to", votes, move |requests| {
                requests.set_expected_votes(votes)
            })
    }

    /// Sets the votes of a node, on all nodes, until its corosync restarts.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node, else those of
    /// any call.
    #[doc(alias = "votequorum_setvotes")]
    pub fn set_votes(&self, node: NodeId, votes: u32) -> Result<()> {
        self.connection
            .call_about("set the votes of node", node, move |requests| {
                requests.set_votes(node, votes)
            })
    }

    /// Starts to give events: the present state at once, then each change.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "votequorum_trackstart")]
    pub fn track(&self) -> Result<()> {
        self.connection
            .call("follow the votes", Requests::<ffi::VoteQuorum>::track)
    }

    /// Stops giving events.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when it gives none, else those of any call.
    #[doc(alias = "votequorum_trackstop")]
    pub fn untrack(&self) -> Result<()> {
        self.connection.call(
            "stop following the votes",
            Requests::<ffi::VoteQuorum>::untrack,
        )
    }

    /// Returns the next event, waiting for it up to `timeout`; nothing when none came.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`](crate::ErrorKind::Disconnected) when corosync ended.
    #[doc(alias = "votequorum_dispatch")]
    pub fn next_event(&mut self, timeout: Duration) -> Result<Option<Event>> {
        self.connection
            .collect(&mut self.queue, Deadline::after(timeout), ffi::dispatch)?;
        Ok(self.queue.pop_front())
    }
}

impl AsFd for VoteQuorum {
    /// The descriptor is readable when [`VoteQuorum::next_event`] has something to read.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl Source for VoteQuorum {
    type Event = Event;
    type Setup = Options;

    fn open(options: &Options) -> Result<Self> {
        let votes = Self::connect(options)?;
        votes.track()?;
        Ok(votes)
    }

    fn collect(&mut self, into: &mut VecDeque<Event>, timeout: Duration) -> Result<()> {
        self.connection
            .collect(&mut self.queue, Deadline::after(timeout), ffi::dispatch)?;
        into.append(&mut self.queue);
        Ok(())
    }
}
