//! The one thread that all calls of Pacemaker's libraries run on.
//!
//! Those libraries attach to GLib's default main context and keep tables for the whole process, so
//! one thread owns that context and makes every call. Everything else posts jobs to it:
//!
//! ```text
//! let nodes = runtime::call("list the nodes", deadline, move |here| {
//!     // On the Pacemaker thread: `here` proves it to the functions of `live::ffi::pacemaker`.
//!     controld.nodes(here)
//! })?;
//! ```
//!
//! * [`call`] waits for the answer until the deadline and not longer. A job that has not begun by
//!   then never will; one that has begun may still take effect, and the error says so.
//! * While a job is past its deadline the thread is stuck inside the C library (a stopped daemon). It
//!   cannot be killed; but a job that says which server it talks to ([`call_server`]) has its
//!   connections to that one shut, upon which the library returns within about a second. If it does
//!   not, further calls fail at once.
//! * The libraries wait without any limit for a daemon to accept a connection. Call [`reach`] before
//!   connecting: it tries on a thread that can be given up, so that the Pacemaker thread is free.
//!   A daemon that is stopped between the two is a matter of the point above, with one gap: for the
//!   first answer on a connection to the CIB manager or the fencer the libraries wait on a semaphore
//!   that only the daemon raises. One that is stopped in this moment, less than a millisecond, and
//!   then killed leaves the thread stuck for good.
//! * Handles of the C library live in thread-local state of that thread; what users hold only names
//!   them. On drop, [`post`] a job that closes, and wait for nothing.
//! * A panic in a job of [`call`] goes on in the caller.

use std::collections::HashMap;
use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::live::ffi::pacemaker::{Here, mainloop, socket};
use crate::{Error, ErrorKind, Result};

/// Room for the library's own use (some of its functions put whole messages on the stack).
const STACK: usize = 8 * 1024 * 1024;

/// How long the libraries may take to initialise, which reads a directory of schemas.
const START: Duration = Duration::from_secs(30);

/// How long the libraries take to notice that a connection was shut: they look once a second.
const NOTICE: Duration = Duration::from_millis(2500);

/// How long a job has to run before new calls are told at once that it is of no use to wait. The
/// deadline of another caller may have been too short for a daemon that is well.
const PATIENCE: Duration = Duration::from_secs(5);

/// The job that the thread works on.
#[derive(Debug, Clone, Copy)]
struct Running {
    what: &'static str,
    /// Whom it talks to.
    server: Option<&'static str>,
    since: Instant,
    deadline: Instant,
    /// When its connections were shut.
    shut: Option<Instant>,
}

#[derive(Debug)]
struct Runtime {
    process: u32,
    running: Mutex<Option<Running>>,
}

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// A start that has not ended well: a later call looks whether it has since. One that never began, for
/// lack of a thread or of GLib's context, is not noted, and tried again.
static STARTING: Mutex<Option<Starting>> = Mutex::new(None);

struct Starting {
    process: u32,
    answer: Receiver<Result<()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code that can panic runs under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread if there is none yet.
fn runtime() -> Result<&'static Runtime> {
    let runtime = match RUNTIME.get() {
        Some(runtime) => runtime,
        None => start()?,
    };
    if runtime.process == std::process::id() {
        Ok(runtime)
    } else {
        Err(forked())
    }
}

#[cold]
fn forked() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the process was forked after its first call to Pacemaker",
    )
    .with_hint("make the calls in the parent, or start a program instead of forking")
}

fn start() -> Result<&'static Runtime> {
    let mut pending = lock(&STARTING);
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let process = std::process::id();
    let starting = match pending.take() {
        Some(starting) => starting,
        None => spawn(process)?,
    };
    if starting.process != process {
        *pending = Some(starting);
        return Err(forked());
    }
    match starting.answer.recv_timeout(START) {
        Ok(Ok(())) => Ok(RUNTIME.get_or_init(|| Runtime {
            process,
            running: Mutex::new(None),
        })),
        // The thread has ended, and has left nothing behind.
        Ok(Err(e)) => Err(e),
        Err(why) => {
            *pending = Some(starting);
            let (kind, message) = match why {
                RecvTimeoutError::Timeout => (
                    ErrorKind::Timeout,
                    "Pacemaker's library has not initialised in time",
                ),
                RecvTimeoutError::Disconnected => (
                    ErrorKind::Daemon,
                    "Pacemaker's library failed to initialise",
                ),
            };
            Err(Error::new(kind, message).with_hint(
                "it reads the schemas when it starts: look at the disk of /usr/share/pacemaker",
            ))
        }
    }
}

fn spawn(process: u32) -> Result<Starting> {
    let (ready, answer) = sync_channel(1);
    std::thread::Builder::new()
        .name("pacemaker".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            mainloop::run(|result| {
                // The receiver has given up only if the start took absurdly long.
                let _ = ready.send(result);
            });
        })
        .map_err(no_thread)?;
    Ok(Starting { process, answer })
}

#[cold]
fn no_thread(e: std::io::Error) -> Error {
    Error::new(ErrorKind::Limit, "the system makes no further thread")
        .with_source(e)
        .with_hint("look at the limits of processes and memory (ulimit -u -v), and try again")
        .context("start a thread for Pacemaker's library")
}

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const GIVEN_UP: u8 = 2;

/// Runs a job on the Pacemaker thread and waits for its result until `deadline`.
///
/// `what` completes the sentence "... did not ... in time" and is shown to users: an infinitive
/// ("query the CIB").
///
/// # Errors
/// The job's own, and [`ErrorKind::Timeout`] when the deadline passes or the thread is stuck.
pub(crate) fn call<T, F>(what: &'static str, deadline: Instant, job: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Here) -> Result<T> + Send + 'static,
{
    run(what, None, deadline, job)
}

/// As [`call`], for a job that talks to one IPC server. When the deadline passes, the connections to
/// that server are shut, so that the thread is free for other jobs soon.
pub(crate) fn call_server<T, F>(
    what: &'static str,
    server: &'static str,
    deadline: Instant,
    job: F,
) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Here) -> Result<T> + Send + 'static,
{
    run(what, Some(server), deadline, job)
}

fn run<T, F>(
    what: &'static str,
    server: Option<&'static str>,
    deadline: Instant,
    job: F,
) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Here) -> Result<T> + Send + 'static,
{
    let runtime = runtime()?;
    if mainloop::is_here() {
        return Err(
            Error::invalid("a call that waits was made on the Pacemaker thread itself")
                .with_hint("make it from another thread than the one that delivers log messages"),
        );
    }
    if let Some(stuck) = runtime.stuck() {
        return Err(stuck.context(what));
    }
    let asked = Instant::now();
    let state = Arc::new(AtomicU8::new(WAITING));
    let (sender, receiver) = sync_channel(1);
    let begun = Arc::clone(&state);
    mainloop::post(Box::new(move |here| {
        if begun
            .compare_exchange(WAITING, BEGUN, Ordering::AcqRel, Ordering::Acquire)
            .is_err()
        {
            return;
        }
        let result = runtime.work(what, server, deadline, || {
            catch_unwind(AssertUnwindSafe(|| job(here)))
        });
        // Nobody listens any more when the caller gave up.
        let _ = sender.send(result);
    }));
    match receiver.recv_timeout(deadline.saturating_duration_since(asked)) {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(RecvTimeoutError::Disconnected) => {
            Err(Error::new(ErrorKind::Protocol, "the Pacemaker thread dropped a job").context(what))
        }
        Err(RecvTimeoutError::Timeout) => {
            let waited = asked.elapsed();
            let given_up = state
                .compare_exchange(WAITING, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire)
                .is_ok();
            runtime.shut_overdue();
            Err(if given_up {
                runtime.busy(waited)
            } else {
                no_answer(waited)
            }
            .context(what))
        }
    }
}

/// How long closing something may take before the thread counts as stuck.
const CLOSE: Duration = Duration::from_secs(15);

/// Runs a job on the Pacemaker thread some time, without waiting: for closing what a dropped handle
/// named. Does nothing when no call was ever made.
pub(crate) fn post(job: impl FnOnce(&Here) + Send + 'static) {
    post_work("close a connection", CLOSE, job);
}

/// As [`post`], for work that takes longer or has a better name.
pub(crate) fn post_work(
    what: &'static str,
    limit: Duration,
    job: impl FnOnce(&Here) + Send + 'static,
) {
    if let Some(runtime) = RUNTIME.get()
        && runtime.process == std::process::id()
    {
        mainloop::post(Box::new(move |here| {
            let since = Instant::now();
            runtime.work(what, None, since + limit, || job(here));
        }));
    }
}

impl Runtime {
    /// Runs a job's body on the Pacemaker thread, and lets the others know.
    fn work<T>(
        &self,
        what: &'static str,
        server: Option<&'static str>,
        deadline: Instant,
        body: impl FnOnce() -> T,
    ) -> T {
        /// Also when the body panics.
        struct Done<'a>(&'a Runtime);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                *lock(&self.0.running) = None;
            }
        }
        let since = Instant::now();
        *lock(&self.running) = Some(Running {
            what,
            server,
            since,
            deadline,
            shut: None,
        });
        let _done = Done(self);
        body()
    }

    /// Shuts the connections of a job that is past its deadline.
    fn shut_overdue(&self) {
        let now = Instant::now();
        let mut running = lock(&self.running);
        let Some(job) = running.as_mut() else { return };
        let Some(server) = job.server.filter(|_| now >= job.deadline) else {
            return;
        };
        if job.shut.is_some() {
            return;
        }
        job.shut = Some(now);
        // Under the lock, so that the job at hand is still the one that is meant. Tries that wait for
        // the same server are shut as well: they must not take that for its end.
        if let Some(probe) = lock(&PROBES).as_ref().and_then(|probes| probes.get(server)) {
            probe.shut.store(true, Ordering::Release);
        }
        let shut = socket::shut_all_to(server);
        tracing::debug!(
            "\"{}\" is overdue: shut {shut} connections to {server}",
            job.what
        );
    }

    /// The error for a new call while a job is past its deadline and will not end.
    fn stuck(&self) -> Option<Error> {
        let running = (*lock(&self.running))?;
        let end = match running.server {
            Some(_) => running.shut.unwrap_or(running.deadline) + NOTICE,
            None => running.deadline,
        };
        let end = end.max(running.since + PATIENCE);
        (Instant::now() > end).then(|| {
            Error::new(
                ErrorKind::Timeout,
                format!(
                    "the Pacemaker backend is stuck: \"{}\" has not returned for {:.1} s",
                    running.what,
                    running.since.elapsed().as_secs_f64()
                ),
            )
            .with_hint(HINT)
        })
    }

    /// The error for a call whose job never began; the job is given up.
    fn busy(&self, waited: Duration) -> Error {
        let running = *lock(&self.running);
        let seconds = waited.as_secs_f64();
        let message = match running {
            Some(Running { what, .. }) => format!(
                "the Pacemaker backend is stuck in \"{what}\"; gave up after {seconds:.1} s, \
                 nothing was sent"
            ),
            None => format!(
                "the Pacemaker backend is busy; gave up after {seconds:.1} s, nothing was sent"
            ),
        };
        Error::new(ErrorKind::Timeout, message).with_hint(HINT)
    }
}

/// The error for a call whose job began and has not returned.
fn no_answer(waited: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "the Pacemaker backend is stuck: no answer within {:.1} s; if it was a change, it may \
             still take effect",
            waited.as_secs_f64()
        ),
    )
    .with_hint(HINT)
}

const HINT: &str = "another call takes long, or a Pacemaker daemon is stopped, hung or overloaded: look at the state of the \
                    processes (ps -C pacemaker-based,pacemaker-controld -o pid,stat,cmd) and at \
                    pacemaker.log; calls work again as soon as it answers";

/// The tries to reach a server that have not ended, one for each server at most.
static PROBES: Mutex<Option<HashMap<&'static str, Arc<Probe>>>> = Mutex::new(None);

#[derive(Debug)]
struct Probe {
    since: Instant,
    outcome: Mutex<Option<std::result::Result<(), i32>>>,
    ended: Condvar,
    /// It ends, or ended, because we shut its connection.
    shut: AtomicBool,
}

/// Makes sure that an IPC server (`cib_rw`, `attrd`, `crmd`, ...) accepts connections now.
///
/// The C libraries' own connecting waits for ever when the server is stopped. This tries first, on a
/// thread of its own that is left behind if it must be: at most one for each server.
///
/// # Errors
/// [`ErrorKind::Disconnected`] when there is no such server, [`ErrorKind::PermissionDenied`] when it
/// refuses us, [`ErrorKind::Timeout`] when it does not answer by the deadline.
pub(crate) fn reach(server: &'static str, daemon: &'static str, deadline: Instant) -> Result<()> {
    runtime()?;
    let probe = {
        let mut probes = lock(&PROBES);
        let probes = probes.get_or_insert_default();
        if let Some(probe) = probes.get(server) {
            Arc::clone(probe)
        } else {
            let probe = begin_probe(server)?;
            probes.insert(server, Arc::clone(&probe));
            probe
        }
    };
    let mut outcome = lock(&probe.outcome);
    loop {
        match *outcome {
            Some(Ok(())) => return Ok(()),
            Some(Err(errno)) if !probe.shut.load(Ordering::Acquire) => {
                return Err(refused(daemon, errno));
            }
            Some(Err(_)) | None => {}
        }
        let left = deadline.saturating_duration_since(Instant::now());
        // A try that we ended ourselves is not repeated: it had waited for a deadline already.
        if left.is_zero() || outcome.is_some() {
            return Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "{daemon} has not accepted a connection for {:.1} s",
                    probe.since.elapsed().as_secs_f64()
                ),
            )
            .with_hint(format!(
                "{daemon} is stopped or hung: look at its state (ps -C {daemon} -o pid,stat,cmd)"
            )));
        }
        outcome = probe
            .ended
            .wait_timeout(outcome, left)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
}

fn begin_probe(server: &'static str) -> Result<Arc<Probe>> {
    let name = CString::new(server).map_err(|_| Error::invalid("a server name contains NUL"))?;
    let probe = Arc::new(Probe {
        since: Instant::now(),
        outcome: Mutex::new(None),
        ended: Condvar::new(),
        shut: AtomicBool::new(false),
    });
    let result = Arc::clone(&probe);
    std::thread::Builder::new()
        .name(format!("reach {server}"))
        .stack_size(256 * 1024)
        .spawn(move || {
            let outcome =
                mainloop::touch_server(&name).map_err(|e| e.raw_os_error().map_or(0, i32::abs));
            if let Some(probes) = lock(&PROBES).as_mut() {
                probes.remove(server);
            }
            *lock(&result.outcome) = Some(outcome);
            result.ended.notify_all();
        })
        .map_err(no_thread)?;
    Ok(probe)
}

/// The error for a daemon that a connection could not be made to.
fn refused(daemon: &'static str, errno: i32) -> Error {
    let cause = std::io::Error::from_raw_os_error(errno);
    match errno {
        libc::EACCES | libc::EPERM => Error::new(
            ErrorKind::PermissionDenied,
            format!("{daemon} refuses this user"),
        )
        .with_hint("run as root or as a member of the group haclient"),
        libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOSPC => Error::new(
            ErrorKind::Limit,
            format!("cannot connect to {daemon}: {cause}"),
        ),
        _ => Error::new(
            ErrorKind::Disconnected,
            format!("{daemon} is not running: {cause}"),
        )
        .with_hint("start the cluster on this node (systemctl start pacemaker)"),
    }
    .with_code(errno)
}

#[cfg(test)]
mod tests {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixListener};

    use super::*;
    use crate::live::ffi::pacemaker::ipc::Ipc;
    use crate::live::pacemaker::error;

    /// A server that is stopped after the probe: it has a queue for connections, and never answers.
    #[test]
    fn a_connection_that_is_never_answered_does_not_hold_others_up() {
        const SERVER: &str = "ha-core-test-mute";
        let address = SocketAddr::from_abstract_name([SERVER.as_bytes(), &[0; 90]].concat());
        // libqb's names fill the whole address.
        let _mute = UnixListener::bind_addr(&address.unwrap()).unwrap();
        let deadline = |millis| Instant::now() + Duration::from_millis(millis);
        let asked = Instant::now();
        let result = call_server("connect", SERVER, deadline(300), |here| {
            let name = CString::new(SERVER).unwrap();
            Ipc::connect(here, &name, 0)
                .map(drop)
                .map_err(error::legacy)
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
        assert!(asked.elapsed() >= Duration::from_millis(300));
        // The thread is free again, without any end of the server.
        assert_eq!(call("go on", deadline(20_000), |_| Ok(1)).unwrap(), 1);
        let refused = reach(SERVER, "the mute one", deadline(100)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Timeout, "{refused:#}");
        assert!(socket::shut_all_to(SERVER) > 0, "the probe goes on");
    }
}
