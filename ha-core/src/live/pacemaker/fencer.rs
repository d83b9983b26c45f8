//! The fencer, pacemaker-fenced: fence devices, and what was fenced.

use std::cell::RefCell;
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pacemaker_sys as sys;

pub use crate::model::fencing::{FencingEvent, State};

use crate::live::ffi::pacemaker::Here;
use crate::live::ffi::pacemaker::fencer::{self as ffi, Fencer};
use crate::live::pacemaker::exchange::deadline;
use crate::live::pacemaker::{error, runtime};
use crate::{Error, ErrorExt, ErrorKind, Result};

const SERVER: &str = "stonith-ng";
const DAEMON: &str = "pacemaker-fenced";

/// Lists the fence devices that are registered on this node.
///
/// # Errors
/// [`ErrorKind::Disconnected`] when Pacemaker does not run on this
/// node, [`ErrorKind::Timeout`] when the fencer does not answer.
///
/// # Example
/// ```no_run
/// use ha_core::live::pacemaker::fencer;
/// use std::time::Duration;
/// let limit = Duration::from_secs(10);
/// println!("devices: {}", fencer::devices(limit)?.join(" "));
/// for event in fencer::history(None, limit)? {
///     println!("{} of {}: {:?}", event.action, event.target, event.state);
/// }
/// # Ok::<(), ha_core::Error>(())
/// ```
pub fn devices(timeout: Duration) -> Result<Vec<String>> {
    ask(
        "list the fence devices",
        deadline(timeout),
        |here, fencer, left| fencer.devices(here, None, left),
    )
}

/// Lists the fence devices that can fence a node, as far as this node knows. The devices are asked,
/// which takes as long as they need.
///
/// # Errors
/// As for [`devices`].
pub fn devices_for(node: &str, timeout: Duration) -> Result<Vec<String>> {
    let node = name(node)?;
    ask(
        "list the fence devices for a node",
        deadline(timeout),
        move |here, fencer, left| fencer.devices(here, Some(&node), left),
    )
}

/// Lists what was fenced, or tried, since the cluster started; of one node or all. The order is the
/// fencer's.
///
/// # Errors
/// As for [`devices`].
pub fn history(node: Option<&str>, timeout: Duration) -> Result<Vec<FencingEvent>> {
    let node = node.map(name).transpose()?;
    let events = ask(
        "read the fencing history",
        deadline(timeout),
        move |here, fencer, left| fencer.history(here, node.as_deref(), left),
    )?;
    Ok(events.into_iter().map(event).collect())
}

pub(super) fn event(fenced: ffi::Fenced) -> FencingEvent {
    let state = match fenced.state {
        sys::st_query => State::Querying,
        sys::st_exec => State::Pending,
        sys::st_done => State::Succeeded,
        sys::st_failed => State::Failed,
        sys::st_duplicate => State::Duplicate,
        _ => State::Unknown,
    };
    let (seconds, nanoseconds) = fenced.completed;
    let completed = (seconds > 0 && !matches!(state, State::Querying | State::Pending))
        .then(|| Timestamp::new(seconds, i32::try_from(nanoseconds).unwrap_or(0)).ok())
        .flatten();
    FencingEvent {
        target: fenced.target,
        action: fenced.action,
        origin: fenced.origin,
        client: fenced.client,
        delegate: fenced.delegate,
        state,
        completed,
        exit_reason: fenced.exit_reason.filter(|reason| !reason.is_empty()),
    }
}

fn name(node: &str) -> Result<CString> {
    if node.is_empty() {
        return Err(Error::invalid("a node name is empty"));
    }
    CString::new(node).map_err(|_| Error::invalid("a node name contains a NUL byte"))
}

thread_local! {
    /// The connection that all requests of the process share, on the Pacemaker thread: its first
    /// answer is the one that the library waits for without any limit.
    static FENCER: RefCell<Option<Fencer>> = const { RefCell::new(None) };
}

/// Whether there is a connection, as far as is known: spares the probe.
static CONNECTED: AtomicBool = AtomicBool::new(false);

fn ask<T: Send + 'static>(
    what: &'static str,
    deadline: Instant,
    request: impl Fn(&Here, &Fencer, Duration) -> std::result::Result<T, i32> + Clone + Send + 'static,
) -> Result<T> {
    let mut reached = false;
    if !CONNECTED.load(Ordering::Acquire) {
        runtime::reach(SERVER, DAEMON, deadline).context(what)?;
        reached = true;
    }
    match once(what, deadline, request.clone(), reached) {
        // The fencer was started again since the last request, and none of them changes anything.
        Err(e) if !reached && e.kind() == ErrorKind::Disconnected => {
            runtime::reach(SERVER, DAEMON, deadline).context(what)?;
            once(what, deadline, request, true)
        }
        answer => answer,
    }
    .context(what)
}

fn once<T: Send + 'static>(
    what: &'static str,
    deadline: Instant,
    request: impl Fn(&Here, &Fencer, Duration) -> std::result::Result<T, i32> + Send + 'static,
    may_connect: bool,
) -> Result<T> {
    runtime::call_server(what, SERVER, deadline, move |here: &Here| {
        let kept = FENCER.take().filter(|fencer| fencer.is_connected(here));
        CONNECTED.store(false, Ordering::Release);
        let fencer = match kept {
            Some(fencer) => fencer,
            None if may_connect => Fencer::connect(here).map_err(error::legacy)?,
            None => return Err(error::legacy(-libc::ENOTCONN)),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        match request(here, &fencer, left) {
            Ok(answer) => {
                FENCER.set(Some(fencer));
                CONNECTED.store(true, Ordering::Release);
                Ok(answer)
            }
            // The connection is given up: a late answer would be taken for the next one's.
            Err(_) if !fencer.is_connected(here) => Err(error::legacy(-libc::ENOTCONN)),
            Err(rc) => Err(error::legacy(rc)),
        }
    })
}
