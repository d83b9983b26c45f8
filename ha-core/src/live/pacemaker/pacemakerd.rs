//! The launcher, pacemakerd: whether Pacemaker runs on this node, and how far it has come.

use std::time::Duration;

use jiff::Timestamp;

use crate::live::ffi::pacemaker::pacemakerd as ffi;
use crate::live::pacemaker::exchange::{deadline, exchange};
use crate::{Error, ErrorKind, Result};

/// How far Pacemaker has come on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// pacemakerd has just started.
    Init,
    /// It is starting the other daemons.
    StartingDaemons,
    /// All daemons are started; it waits to be told that they may work (by sbd).
    WaitForPing,
    /// All daemons run.
    Running,
    /// It is stopping the other daemons.
    ShuttingDown,
    /// All other daemons are stopped.
    ShutdownComplete,
    /// This is a remote node: there is no launcher here, its executor answers.
    Remote,
    /// A state that this library does not know.
    Unknown,
}

impl State {
    fn from_word(word: &str) -> Self {
        match word {
            "init" => Self::Init,
            "starting_daemons" => Self::StartingDaemons,
            "wait_for_ping" => Self::WaitForPing,
            "running" => Self::Running,
            "shutting_down" => Self::ShuttingDown,
            "shutdown_complete" => Self::ShutdownComplete,
            "remote" => Self::Remote,
            _ => Self::Unknown,
        }
    }

    /// Returns the word of Pacemaker's protocol and of `crmadmin --pacemakerd`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::StartingDaemons => "starting_daemons",
            Self::WaitForPing => "wait_for_ping",
            Self::Running => "running",
            Self::ShuttingDown => "shutting_down",
            Self::ShutdownComplete => "shutdown_complete",
            Self::Remote => "remote",
            Self::Unknown => "unknown",
        }
    }
}

/// What pacemakerd says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacemakerdStatus {
    /// How far Pacemaker has come on this node.
    pub state: State,
    /// When pacemakerd last knew its daemons to be well; to the second.
    pub last_updated: Option<Timestamp>,
}

/// Asks the launcher of this node for its state.
///
/// # Errors
/// [`ErrorKind::Disconnected`] when Pacemaker does not run on this node, [`ErrorKind::Timeout`] when
/// the launcher does not answer, [`ErrorKind::PermissionDenied`] when the user is neither root nor in
/// the group haclient.
///
/// # Example
/// ```no_run
/// use ha_core::live::pacemaker::pacemakerd::{self, State};
/// use std::time::Duration;
/// let status = pacemakerd::ping(Duration::from_secs(5))?;
/// if status.state == State::Running {
///     println!("Pacemaker is running (last updated {:?})", status.last_updated);
/// }
/// # Ok::<(), ha_core::Error>(())
/// ```
#[doc(alias = "pcmk_pacemakerd_api_ping")]
pub fn ping(timeout: Duration) -> Result<PacemakerdStatus> {
    let ping = exchange::<ffi::Pacemakerd, ffi::Ping>(
        "ping pacemakerd",
        deadline(timeout),
        |here, connection| connection.ping(here),
        |reply| reply.map(Ok),
    )?;
    status(&ping)
}

/// Reads what pacemakerd answered.
pub(super) fn status(ping: &ffi::Ping) -> Result<PacemakerdStatus> {
    if !ping.ok {
        return Err(Error::new(
            ErrorKind::Daemon,
            format!("{} says that not all is well", ping.from),
        )
        .with_hint("look at pacemaker.log on this node"));
    }
    let last_updated = ping.last_good.map(Timestamp::from_second).transpose();
    Ok(PacemakerdStatus {
        state: State::from_word(&ping.state),
        last_updated: last_updated.map_err(|e| {
            Error::new(ErrorKind::Protocol, "a time is out of range").with_source(e)
        })?,
    })
}
