//! Quorum: whether this partition may act, and which nodes are in it.
//!
//! # Example
//! ```no_run
//! use ha_core::live::corosync::quorum::{Event, Quorum};
//! use ha_core::live::corosync::{Options, Reconnect, Update};
//!
//! // The present state comes first, then every change of it.
//! for update in Quorum::watch(&Options::default(), Reconnect::Always)? {
//!     match update {
//!         Update::Event(Event::Quorum { quorate, .. }) => println!("quorate: {quorate}"),
//!         Update::Event(Event::Nodes { joined, left, .. }) => println!("+{joined:?} -{left:?}"),
//!         Update::Lost(why) => println!("corosync is away: {why:#}"),
//!         Update::Regained => println!("corosync is back"),
//!     }
//! }
//! # Ok::<(), ha_core::Error>(())
//! ```

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::connection::Connection;
use super::deadline::Deadline;
use super::listener::{Listener, library};
use super::watch::{Reconnect, Source, Watch};
use super::{NodeId, Options, RingId, error};
use crate::live::ffi::corosync::{Requests, quorum as ffi};
use crate::{ErrorExt, Result};

library!(ffi::Quorum, "quorum", Event, ffi::dispatch);

/// A change of the quorum or of the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Quorum was gained, lost or looked at again.
    Quorum {
        /// Whether this partition has quorum.
        quorate: bool,
        /// The membership it was computed for.
        ring: RingId,
        /// The nodes in it.
        members: Vec<NodeId>,
    },
    /// The nodes of the partition changed.
    Nodes {
        /// The new membership.
        ring: RingId,
        /// The nodes in it.
        members: Vec<NodeId>,
        /// Those that are new in it. A node that left and came back at once is here and in `left`.
        joined: Vec<NodeId>,
        /// Those that are no longer in it.
        left: Vec<NodeId>,
    },
}

/// The quorum at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Whether this partition has quorum.
    pub quorate: bool,
    /// The membership.
    pub ring: RingId,
    /// The nodes in it.
    pub members: Vec<NodeId>,
}

/// A connection to corosync's quorum service.
#[derive(Debug)]
#[doc(alias = "quorum_handle_t")]
pub struct Quorum {
    connection: Listener<ffi::Quorum>,
}

impl Quorum {
    /// Connects to the corosync of this node.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`](crate::ErrorKind::Disconnected) when corosync does not run,
    /// [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied) when it does not let this
    /// user in, [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when it does not answer in time.
    #[doc(alias = "quorum_model_initialize")]
    pub fn connect(options: &Options) -> Result<Self> {
        let connection = Connection::<ffi::Quorum>::open(options, ffi::connect)?;
        Ok(Self {
            connection: Listener::new(connection),
        })
    }

    /// Connects and returns the present state and each change of it, as events; see [`Watch`].
    ///
    /// # Errors
    /// Those of [`Quorum::connect`].
    pub fn watch(options: &Options, reconnect: Reconnect) -> Result<Watch<Self>> {
        Watch::start(options.clone(), reconnect)
    }

    /// Connects, asks for the present state, and closes the connection.
    ///
    /// # Errors
    /// Those of [`Quorum::connect`].
    pub fn state(options: &Options) -> Result<State> {
        let mut quorum = Self::connect(options)?;
        quorum
            .connection
            .call("ask for the quorum", |requests| requests.track(false))?;
        let deadline = Deadline::after(options.timeout);
        while let Some(left) = deadline.remaining().or(Some(Duration::MAX))
            && let Some(event) = quorum.next_event(left)?
        {
            if let Event::Quorum {
                quorate,
                ring,
                members,
            } = event
            {
                return Ok(State {
                    quorate,
                    ring,
                    members,
                });
            }
        }
        Err(error::no_answer(options.timeout)).context("ask for the quorum")
    }

    /// Tells whether corosync.conf names a quorum provider. Without one, every partition is quorate.
    ///
    /// # Errors
    /// Those of any call.
    pub fn has_provider(&self) -> Result<bool> {
        self.connection
            .call("ask for the quorum provider", |requests| {
                Ok(requests.has_provider())
            })
    }

    /// Tells whether this partition has quorum.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "quorum_getquorate")]
    pub fn is_quorate(&self) -> Result<bool> {
        self.connection
            .call("ask for the quorum", Requests::is_quorate)
    }

    /// Starts to give events: the present state at once, then each change.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "quorum_trackstart")]
    pub fn track(&self) -> Result<()> {
        self.connection
            .call("follow the quorum", |requests| requests.track(true))
    }

    /// Stops giving events.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when it gives none, else those of any call.
    #[doc(alias = "quorum_trackstop")]
    pub fn untrack(&self) -> Result<()> {
        self.connection.call(
            "stop following the quorum",
            Requests::<ffi::Quorum>::untrack,
        )
    }

    /// Returns the next event, waiting for it up to `timeout`; nothing when none came.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`](crate::ErrorKind::Disconnected) when corosync ended.
    #[doc(alias = "quorum_dispatch")]
    pub fn next_event(&mut self, timeout: Duration) -> Result<Option<Event>> {
        self.connection.next(timeout)
    }
}

impl AsFd for Quorum {
    /// The descriptor is readable when [`Quorum::next_event`] has something to read.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl Source for Quorum {
    type Event = Event;
    type Setup = Options;

    fn open(options: &Options) -> Result<Self> {
        let quorum = Self::connect(options)?;
        quorum.track()?;
        Ok(quorum)
    }

    fn collect(&mut self, into: &mut VecDeque<Event>, timeout: Duration) -> Result<()> {
        self.connection.collect(into, timeout)
    }
}
