//! Links, and orders to corosync itself: reload, kill a node, shut down.
//!
//! # Example
//! ```no_run
//! use ha_core::live::corosync::Options;
//! use ha_core::live::corosync::cfg::Cfg;
//!
//! let cfg = Cfg::connect(&Options::default())?;
//! println!("node {} listens on {:?}", cfg.local_node()?, cfg.interfaces()?);
//! # Ok::<(), ha_core::Error>(())
//! ```

use std::collections::VecDeque;
use std::ffi::CString;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::connection::Connection;
use super::listener::{Listener, library};
use super::watch::{Reconnect, Source, Watch};
use super::{NodeId, Options};
use crate::live::ffi::corosync::{Requests, cfg as ffi};
use crate::{Error, ErrorKind, Result};

library!(ffi::Cfg, "control", ShutdownRequest, ffi::dispatch);

/// A network interface that corosync uses on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The number of the link.
    pub link: Option<u32>,
    /// The address of this node on it.
    pub address: String,
    /// The state, as the transport writes it. For `udp` it is `OK` or says what is wrong. For `knet`
    /// it is one digit for each node: bit 0 enabled, bit 1 connected, and `n` for this node itself.
    pub state: String,
}

impl Interface {
    pub(in crate::live) fn new(name: &str, state: String) -> Self {
        // corosync gives "NUMBER ADDRESS".
        let (number, address) = name.split_once(' ').unwrap_or(("", name));
        Self {
            link: number.parse().ok(),
            address: address.to_owned(),
            state,
        }
    }
}

/// What this node's corosync knows about the way to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// The node.
    pub node: NodeId,
    /// At least one link to it works.
    pub reachable: bool,
    /// It is reached over another node.
    pub remote: bool,
    /// It is outside of the cluster's own networks.
    pub external: bool,
    /// The oldest version of knet's protocol that it speaks.
    pub onwire_min: u8,
    /// The newest version of knet's protocol that it speaks.
    pub onwire_max: u8,
    /// The version of knet's protocol in use.
    pub onwire: u8,
    /// The links to it that are configured.
    pub links: Vec<Link>,
}

/// A link between this node and another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The number of the link, 0 to 7.
    pub number: usize,
    /// It is configured and may be used.
    pub enabled: bool,
    /// It works.
    pub connected: bool,
    /// It was brought up by the other side's changing address.
    pub dynamically_connected: bool,
    /// The largest packet that gets through, in bytes.
    pub mtu: u32,
    /// The address on this side.
    pub source: String,
    /// The address on the other side.
    pub destination: String,
}

/// How to shut corosync down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// Every program that follows shut-downs is asked, and may refuse.
    Ask,
    /// The programs are told, and cannot refuse.
    Announce,
    /// At once.
    Now,
}

/// A program asks corosync to shut down. With [`Shutdown::Ask`] corosync waits for
/// [`Cfg::answer_shutdown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownRequest {
    /// How.
    pub how: Shutdown,
}

/// What fits into corosync's message, in bytes.
const LONGEST_REASON: usize = 254;

/// A connection to corosync's control.
#[derive(Debug)]
#[doc(alias = "corosync_cfg_handle_t")]
pub struct Cfg {
    connection: Listener<ffi::Cfg>,
}

impl Cfg {
    /// Connects to the corosync of this node.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when corosync does not run, [`ErrorKind::PermissionDenied`] when
    /// it does not let this user in, [`ErrorKind::Timeout`] when it does not answer in time.
    #[doc(alias = "corosync_cfg_initialize")]
    pub fn connect(options: &Options) -> Result<Self> {
        let connection = Connection::<ffi::Cfg>::open(options, ffi::connect)?;
        Ok(Self {
            connection: Listener::new(connection),
        })
    }

    /// Connects and returns requests to shut down as events; see [`Watch`]. Each with
    /// [`Shutdown::Ask`] waits for an answer, given with [`Watch::connection`].
    ///
    /// # Errors
    /// Those of [`Cfg::connect`].
    pub fn watch(options: &Options, reconnect: Reconnect) -> Result<Watch<Self>> {
        Watch::start(options.clone(), reconnect)
    }

    /// Returns the number of this node.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "corosync_cfg_local_get")]
    pub fn local_node(&self) -> Result<NodeId> {
        self.connection.call(
            "ask for the number of this node",
            Requests::<ffi::Cfg>::local_node,
        )
    }

    /// Returns the interfaces that corosync uses on this node.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "corosync_cfg_ring_status_get")]
    pub fn interfaces(&self) -> Result<Vec<Interface>> {
        self.connection
            .call("ask for the interfaces", Requests::interfaces)
    }

    /// Returns the state of the links to a node. One that corosync does not know is not reachable
    /// and has no link, unless the transport is knet.
    ///
    /// # Errors
    /// Those of any call; [`crate::ErrorKind::Daemon`] for a node that is not in the configuration of knet.
    #[doc(alias = "corosync_cfg_node_status_get")]
    pub fn node_status(&self, node: NodeId) -> Result<NodeStatus> {
        self.connection
            .call_about("ask for the links to node", node, move |requests| {
                requests.node_status(node)
            })
    }

    /// Returns the addresses of a node, one for each link.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such node, else those of any call.
    #[doc(alias = "corosync_cfg_get_node_addrs")]
    pub fn addresses(&self, node: NodeId) -> Result<Vec<IpAddr>> {
        self.connection
            .call_about("ask for the addresses of node", node, move |requests| {
                requests.addresses(node)
            })
    }

    /// Makes every node read its corosync.conf anew. Returns when this node has done so.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when corosync refuses the file (its log says why), else those of any
    /// call.
    #[doc(alias = "corosync_cfg_reload_config")]
    pub fn reload(&self) -> Result<()> {
        let doing = "reload corosync.conf";
        self.connection
            .call(doing, Requests::reload)
            .map_err(|e| match (e.kind(), e.code()) {
                (ErrorKind::Invalid, Some(code)) => Error::invalid(
                    "corosync refused the file and goes on with its old configuration",
                )
                .with_code(code)
                .with_hint(
                    "its log says what is wrong with the new one: journalctl -u corosync, or \
                         the file of logging.logfile",
                )
                .context(doing),
                _ => e,
            })
    }

    /// Makes the corosync of this node close and open its log files, after they were rotated.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "corosync_cfg_reopen_log_files")]
    pub fn reopen_logs(&self) -> Result<()> {
        self.connection
            .call("reopen the log files", Requests::reopen_logs)
    }

    /// Makes the corosync of a node end at once. Its log gives the reason.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the node is not in the membership, [`ErrorKind::Invalid`] when
    /// the reason has a NUL in it or is longer than 254 bytes, else those of any call.
    #[doc(alias = "corosync_cfg_kill_node")]
    pub fn kill_node(&self, node: NodeId, reason: &str) -> Result<()> {
        if reason.len() > LONGEST_REASON {
            return Err(Error::invalid(format!(
                "a reason to kill a node has at most {LONGEST_REASON} bytes, not {}",
                reason.len()
            )));
        }
        let reason = CString::new(reason)
            .map_err(|_| Error::invalid("the reason to kill a node has no NUL in it"))?;
        self.connection
            .call_about("kill node", node, move |requests| {
                requests.kill(node, &reason)
            })
    }

    /// Shuts the corosync of this node down. With [`Shutdown::Ask`] it waits for the answers of the
    /// other programs, for which corosync allows 5 s by itself: give a longer timeout.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when a program refused, [`ErrorKind::AlreadyExists`] when another
    /// request is under way, [`ErrorKind::Timeout`] when a program did not answer, else those of
    /// any call.
    #[doc(alias = "corosync_cfg_try_shutdown")]
    pub fn shut_down(&self, how: Shutdown, timeout: Duration) -> Result<()> {
        let doing = "shut corosync down";
        let result = self
            .connection
            .link()
            .call(doing, timeout, move |requests| requests.shut_down(how));
        result.map_err(|e| match (e.kind(), e.code()) {
            (ErrorKind::TryAgain, Some(code)) => {
                Error::new(ErrorKind::Conflict, "a program refused")
                    .with_code(code)
                    .with_hint("stop the programs that use corosync first (pacemaker, dlm)")
                    .context(doing)
            }
            _ => e,
        })
    }

    /// Starts to give requests to shut down as events, and to be counted among those who must agree.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "corosync_cfg_trackstart")]
    pub fn track(&self) -> Result<()> {
        self.connection
            .call("follow requests to shut down", Requests::<ffi::Cfg>::track)
    }

    /// Stops giving requests to shut down.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "corosync_cfg_trackstop")]
    pub fn untrack(&self) -> Result<()> {
        self.connection.call(
            "stop following requests to shut down",
            Requests::<ffi::Cfg>::untrack,
        )
    }

    /// Answers a request to shut down.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "corosync_cfg_replyto_shutdown")]
    pub fn answer_shutdown(&self, allow: bool) -> Result<()> {
        self.connection
            .call("answer the request to shut down", move |requests| {
                requests.answer_shutdown(allow)
            })
    }

    /// Returns the next request to shut down, waiting for it up to `timeout`; nothing when none
    /// came.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when corosync ended.
    #[doc(alias = "corosync_cfg_dispatch")]
    pub fn next_request(&mut self, timeout: Duration) -> Result<Option<ShutdownRequest>> {
        self.connection.next(timeout)
    }
}

impl AsFd for Cfg {
    /// The descriptor is readable when [`Cfg::next_request`] has something to read.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl Source for Cfg {
    type Event = ShutdownRequest;
    type Setup = Options;

    fn open(options: &Options) -> Result<Self> {
        let cfg = Self::connect(options)?;
        cfg.track()?;
        Ok(cfg)
    }

    fn collect(&mut self, into: &mut VecDeque<ShutdownRequest>, timeout: Duration) -> Result<()> {
        self.connection.collect(into, timeout)
    }
}
