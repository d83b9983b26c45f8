//! The fencer, pacemaker-fenced: fence devices, and what was fenced.

use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
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

/// What a fence device does to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fence {
    /// Cut its power.
    Off,
    /// Cut its power, and give it again.
    Reboot,
    /// Give it power, or access to what it was cut off from (unfencing).
    On,
}

impl Fence {
    fn word(self) -> &'static CStr {
        match self {
            Self::Off => c"off",
            Self::Reboot => c"reboot",
            Self::On => c"on",
        }
    }
}

/// Has a node fenced, and waits until that is done. The cluster chooses the device and who uses it.
///
/// # Errors
/// [`ErrorKind::NotFound`] when no device can fence this node, [`ErrorKind::Daemon`] when the device failed
/// (the text says what it complained about). [`ErrorKind::Timeout`] when the result is not known in time:
/// the fencing may go on ([`history`] tells). [`ErrorKind::Disconnected`] when Pacemaker does not run here.
///
/// # Example
/// ```no_run
/// use ha_core::live::pacemaker::fencer::{self, Fence};
/// fencer::fence("esclave", Fence::Reboot, std::time::Duration::from_secs(120))?;
/// # Ok::<(), ha_core::Error>(())
/// ```
#[doc(alias = "stonith_admin --fence --reboot --unfence")]
pub fn fence(node: &str, what: Fence, timeout: Duration) -> Result<()> {
    const WHAT: &str = "fence a node";
    static NEXT: AtomicUsize = AtomicUsize::new(1);

    /// Also when the wait ends early.
    struct Forget(usize);
    impl Drop for Forget {
        fn drop(&mut self) {
            let number = self.0;
            runtime::post(move |here| ffi::forget(here, number));
        }
    }
    let target = name(node)?;
    let deadline = deadline(timeout);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let _forget = Forget(number);
    let (sender, receiver) = sync_channel(1);
    ask(WHAT, deadline, move |here, fencer, left| {
        let sender = sender.clone();
        let done = move |rc| {
            // Nobody may be waiting any more.
            let _ = sender.try_send(rc);
        };
        fencer.fence(here, (&target, what.word()), left, (number, Box::new(done)))
    })?;
    let left = deadline.saturating_duration_since(Instant::now());
    match receiver.recv_timeout(left) {
        Ok(0) => Ok(()),
        Ok(rc) => Err(failed(node, rc, deadline).context(WHAT)),
        Err(_) => Err(Error::new(
            ErrorKind::Timeout,
            format!("how the fencing of {node} ended is not known yet"),
        )
        .with_hint("it may go on: look at the fencing history (stonith_admin --history NODE)")
        .context(WHAT)),
    }
}

/// Why a node was not fenced.
fn failed(node: &str, rc: i32, deadline: Instant) -> Error {
    if rc == -libc::ENODEV {
        return Error::new(
            ErrorKind::NotFound,
            format!("no fence device can do this to {node}"),
        )
        .with_code(rc)
        .with_hint("configure one that lists this node (pcmk_host_list, pcmk_host_map)");
    }
    let left = deadline.saturating_duration_since(Instant::now());
    let told = history(Some(node), left.min(Duration::from_secs(5)));
    let newest = told.unwrap_or_default().into_iter();
    let newest = newest.max_by_key(|event| event.completed);
    let reason = newest.and_then(|event| event.exit_reason);
    let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
    let error = error::legacy(rc);
    Error::new(
        ErrorKind::Daemon,
        format!("{node} was not fenced: {error}{reason}"),
    )
    .with_code(rc)
    .with_hint("look at the device and at /var/log/pacemaker/pacemaker.log of the nodes")
}

/// Tells the cluster that a node is certain to be down, as if it had been fenced.
///
/// **If it is not, its resources may run twice and data may be lost**: cut its power first.
///
/// # Errors
/// As for [`devices`].
#[doc(alias = "stonith_admin --confirm")]
pub fn confirm(node: &str, timeout: Duration) -> Result<()> {
    let node = name(node)?;
    ask(
        "confirm that a node is down",
        deadline(timeout),
        move |here, fencer, _| fencer.confirm(here, &node),
    )
}

/// Forgets what was fenced, or tried, on all nodes; of one node or all.
///
/// # Errors
/// As for [`devices`].
#[doc(alias = "stonith_admin --history --cleanup")]
pub fn clear_history(node: Option<&str>, timeout: Duration) -> Result<()> {
    let node = node.map(name).transpose()?;
    ask(
        "forget the fencing history",
        deadline(timeout),
        move |here, fencer, left| fencer.clear_history(here, node.as_deref(), left),
    )
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
        // The fencer was started again since the last request, which it has not seen.
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
