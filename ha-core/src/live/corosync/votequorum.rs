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
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use corosync_sys as sys;

use super::connection::Connection;
use super::listener::{Listener, library};
use super::watch::{Reconnect, Source, Watch};
use super::{NodeId, Options, RingId};
use crate::live::ffi::corosync::{Requests, votequorum as ffi};
use crate::{Error, ErrorExt, ErrorKind, Result};

library!(ffi::VoteQuorum, "votes", Event, ffi::dispatch);

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
    connection: Listener<ffi::VoteQuorum>,
}

impl VoteQuorum {
    /// Connects to the corosync of this node.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when corosync does not run or
    /// has another quorum provider,
    /// [`ErrorKind::PermissionDenied`] when it does not let this
    /// user in, [`ErrorKind::Timeout`] when it does not answer in time.
    #[doc(alias = "votequorum_initialize")]
    pub fn connect(options: &Options) -> Result<Self> {
        let connection = Connection::<ffi::VoteQuorum>::open(options, ffi::connect)?;
        Ok(Self {
            connection: Listener::new(connection),
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
    /// [`ErrorKind::NotFound`] when there is no such node, else those of
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
    /// [`ErrorKind::Invalid`] when it is more than [`MOST_VOTES`], when the present votes would be no
    /// quorum of it, or when it is below them, else those of any call.
    #[doc(alias = "votequorum_setexpected")]
    pub fn set_expected_votes(&self, votes: u32) -> Result<()> {
        let doing = "set the expected votes to";
        if votes > MOST_VOTES {
            return Err(too_many_votes(votes).context(format!("{doing} {votes}")));
        }
        self.connection.call_about(doing, votes, move |requests| {
            requests.set_expected_votes(votes)
        })
    }

    /// Sets the votes of a node, on all nodes, until its corosync restarts.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such node, [`ErrorKind::Invalid`] when the cluster
    /// would come to expect more than [`MOST_VOTES`], else those of any call.
    #[doc(alias = "votequorum_setvotes")]
    pub fn set_votes(&self, node: NodeId, votes: u32) -> Result<()> {
        let doing = "set the votes of node";
        let present = self.info(node).with_context(|| format!("{doing} {node}"))?;
        let others = present.highest_expected_votes.saturating_sub(present.votes);
        let expected = others.saturating_add(votes);
        if votes > present.votes && expected > MOST_VOTES {
            return Err(too_many_votes(expected).context(format!("{doing} {node}")));
        }
        self.connection
            .call_about(doing, node, move |requests| requests.set_votes(node, votes))
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
    /// [`ErrorKind::NotFound`] when it gives none, else those of any call.
    #[doc(alias = "votequorum_trackstop")]
    pub fn untrack(&self) -> Result<()> {
        self.connection.call(
            "stop following the votes",
            Requests::<ffi::VoteQuorum>::untrack,
        )
    }

    /// Registers a quorum device of this name on this node: the program that does so is the device,
    /// and says with [`poll_qdevice`](Self::poll_qdevice) that it lives. The device stays registered
    /// when the connection ends, until it is taken away or corosync ends.
    ///
    /// Its votes are those of corosync.conf (`quorum.device.votes`), none when that has no section
    /// `device`. Corosync refuses a device with `auto_tie_breaker` or `last_man_standing`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a name that is empty, has a NUL in it or is longer than 254 bytes;
    /// [`ErrorKind::AlreadyExists`] when a device of another name is registered, else those of any call.
    #[doc(alias = "votequorum_qdevice_register")]
    pub fn register_qdevice(&self, name: &str) -> Result<()> {
        let c_name = device_name(name)?;
        self.connection
            .call_about("register the quorum device", name, move |requests| {
                requests.register_qdevice(&c_name)
            })
    }

    /// Takes the quorum device away again.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when no device is registered, [`ErrorKind::Invalid`] when it has another
    /// name, else those of any call.
    #[doc(alias = "votequorum_qdevice_unregister")]
    pub fn unregister_qdevice(&self, name: &str) -> Result<()> {
        let c_name = device_name(name)?;
        self.connection
            .call_about("take away the quorum device", name, move |requests| {
                requests.unregister_qdevice(&c_name)
            })
    }

    /// Gives the registered quorum device another name.
    ///
    /// # Errors
    /// Those of [`unregister_qdevice`](Self::unregister_qdevice).
    #[doc(alias = "votequorum_qdevice_update")]
    pub fn rename_qdevice(&self, old: &str, new: &str) -> Result<()> {
        let (c_old, c_new) = (device_name(old)?, device_name(new)?);
        self.connection
            .call_about("rename the quorum device", old, move |requests| {
                requests.rename_qdevice(&c_old, &c_new)
            })
    }

    /// Says that the quorum device lives, and whether it gives its vote to this partition. Without
    /// another poll within `quorum.device.timeout` (10 s by default) its votes are gone.
    ///
    /// `ring` is that of the last [`Event::Nodes`]. After a change of the nodes corosync waits for a
    /// poll with the new one before it says who has quorum (`quorum.device.sync_timeout`, 30 s).
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when the ring is not the present one, else those of
    /// [`unregister_qdevice`](Self::unregister_qdevice).
    #[doc(alias = "votequorum_qdevice_poll")]
    pub fn poll_qdevice(&self, name: &str, casts_vote: bool, ring: RingId) -> Result<()> {
        const OLD_RING: i32 = sys::CS_ERR_MESSAGE_ERROR.cast_signed();
        let doing = "poll the quorum device";
        let c_name = device_name(name)?;
        self.connection
            .call_about(doing, name, move |requests| {
                requests.poll_qdevice(&c_name, casts_vote, ring)
            })
            .map_err(|e| match e.code() {
                Some(OLD_RING) => {
                    let text = format!("ring {ring} is not the present one");
                    Error::new(ErrorKind::Conflict, text)
                        .with_code(OLD_RING)
                        .with_hint("decide anew for the ring of the last Event::Nodes")
                        .context(format!("{doing} {name}"))
                }
                _ => e,
            })
    }

    /// Sets whether the partition with the quorum device's vote has quorum by that alone.
    ///
    /// # Errors
    /// As for [`unregister_qdevice`](Self::unregister_qdevice).
    #[doc(alias = "votequorum_qdevice_master_wins")]
    pub fn set_qdevice_master_wins(&self, name: &str, allow: bool) -> Result<()> {
        let c_name = device_name(name)?;
        self.connection.call_about(
            "let the quorum device decide alone:",
            name,
            move |requests| requests.qdevice_master_wins(&c_name, allow),
        )
    }

    /// Returns the next event, waiting for it up to `timeout`; nothing when none came.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when corosync ended.
    #[doc(alias = "votequorum_dispatch")]
    pub fn next_event(&mut self, timeout: Duration) -> Result<Option<Event>> {
        self.connection.next(timeout)
    }
}

/// The most votes that a cluster may expect. Corosync (3.1.7, measured) counts the quorum in 8 bits: of 510
/// expected votes it takes 0 for the quorum, and every partition is quorate.
pub const MOST_VOTES: u32 = 509;

#[cold]
fn too_many_votes(votes: u32) -> Error {
    Error::invalid(format!(
        "corosync computes no right quorum of more than {MOST_VOTES} expected votes, these are {votes}"
    ))
    .with_hint("give the nodes fewer votes each: only their proportion counts")
}

fn device_name(name: &str) -> Result<CString> {
    let longest = sys::VOTEQUORUM_QDEVICE_MAX_NAME_LEN.unsigned_abs() as usize - 1;
    if name.is_empty() || name.len() > longest {
        return Err(Error::invalid(format!(
            "the name of a quorum device has 1 to {longest} bytes, this one has {}",
            name.len()
        )));
    }
    CString::new(name).map_err(|_| Error::invalid("the name of a quorum device has no NUL in it"))
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
        self.connection.collect(into, timeout)
    }
}
