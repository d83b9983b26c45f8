//! One connection to corosync: who may use it when, and until when.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use super::deadline::{Backoff, Deadline, pause, timespec};
use super::{Options, error, worker};
use crate::live::ffi::corosync::gate::Gate;
use crate::live::ffi::corosync::{DispatchError, Events, Library, Requests, Status, finalize};
use crate::{Error, ErrorExt, ErrorKind, Result};

/// The longest that dropping a connection waits for corosync's good-bye.
const GOODBYE: Duration = Duration::from_secs(2);
/// How many connects of one kind may be stuck before further ones wait for one of them to end.
const STUCK_CONNECTS: usize = 2;

/// The dispatching side of a connection; closes it when dropped.
#[derive(Debug)]
pub(super) struct Connection<L: Connect> {
    link: Arc<Link<L>>,
    /// There until the drop.
    events: Option<Events<L>>,
}

/// The requesting side of a connection, shared by all who send.
#[derive(Debug)]
pub(super) struct Link<L: Connect> {
    /// Empty while a worker has the requests, and after the close.
    requests: Gate<Requests<L>>,
    state: Mutex<State<L>>,
    freed: Condvar,
    timeout: Duration,
}

#[derive(Debug)]
struct State<L: Connect> {
    /// A worker has the requests.
    leased: bool,
    /// What it does with them.
    doing: &'static str,
    /// Counts the calls, to tell the present one from an earlier one.
    calls: u64,
    /// The one who asked for it has given up.
    abandoned: bool,
    closed: bool,
    /// Left by the close for the worker that still has the requests.
    closing: Option<Events<L>>,
}

/// Why a direct call was not made, as far as that is seen at once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hindrance {
    /// Corosync said so.
    Status(Status),
    /// There is no room in the queue to corosync.
    Full,
    /// The requests are not there.
    Busy,
}

/// Why a request cannot be written at this moment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    /// Corosync said so.
    Status(Status),
    /// There is no room in the queue to corosync.
    Full,
    /// Another call is under way on this connection.
    Busy,
    /// An earlier call on this connection is without an answer beyond its deadline.
    Stuck(&'static str),
    /// The connection was closed.
    Closed,
}

impl Refusal {
    /// Tells whether waiting a little may help.
    pub(super) fn passes(self) -> bool {
        matches!(
            self,
            Self::Status(Status::TRY_AGAIN) | Self::Full | Self::Busy
        )
    }

    #[cold]
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Status(status) => error::failed(status),
            Self::Full | Self::Busy => error::failed(Status::TRY_AGAIN),
            Self::Stuck(earlier) => error::still_no_answer(earlier),
            Self::Closed => error::closed(),
        }
    }
}

/// A library that can be connected to.
pub(super) trait Connect: Library {
    /// The name for messages.
    const NAME: &'static str;
    /// Connects that are still without an answer though nobody waits for it any more.
    fn stuck_connects() -> &'static AtomicUsize;
}

/// A new connection on its way to the one who asked for it.
struct Fresh<L: Library>(Option<(Requests<L>, Events<L>)>);

impl<L: Library> Drop for Fresh<L> {
    fn drop(&mut self) {
        // Nobody took it: the caller's time was over. This runs on the worker.
        if let Some((requests, events)) = self.0.take() {
            finalize(requests, events);
        }
    }
}

impl<L: Connect> Connection<L> {
    /// Connects, waiting while corosync starts or changes its membership.
    pub(super) fn open(
        options: &Options,
        connect: impl Fn() -> Result<(Requests<L>, Events<L>), Status> + Send + 'static,
    ) -> Result<Self> {
        Self::open_within(options, connect)
            .with_context(|| format!("connect to corosync ({})", L::NAME))
    }

    fn open_within(
        options: &Options,
        connect: impl Fn() -> Result<(Requests<L>, Events<L>), Status> + Send + 'static,
    ) -> Result<Self> {
        let stuck = L::stuck_connects();
        let deadline = Deadline::after(options.timeout);
        let mut backoff = Backoff::daemon();
        while stuck.load(Ordering::Acquire) >= STUCK_CONNECTS {
            // Their callers may only have been less patient than this one.
            if !backoff.wait(deadline) {
                return Err(error::still_no_connection());
            }
        }
        // Whoever comes second, the caller giving up or the worker ending, settles the count.
        let (tell, told) = mpsc::sync_channel(1);
        let pending = Arc::new(Mutex::new(Pending::Waited));
        let at_worker = pending.clone();
        worker::submit(Box::new(move || {
            let mut backoff = Backoff::daemon();
            let result = loop {
                match connect() {
                    Err(Status::TRY_AGAIN) if backoff.wait(deadline) => {}
                    result => break result.map(|tokens| Fresh(Some(tokens))),
                }
            };
            let before = std::mem::replace(&mut *lock(&at_worker), Pending::Ended);
            if matches!(before, Pending::Abandoned) {
                stuck.fetch_sub(1, Ordering::AcqRel);
            }
            // Dropped here, on the worker, when nobody waits any more.
            drop(tell.send(result));
        }))?;
        let result = match receive(&told, deadline) {
            Ok(result) => result,
            Err(RecvTimeoutError::Disconnected) => return Err(worker_died()),
            Err(RecvTimeoutError::Timeout) => {
                let mut pending = lock(&pending);
                if matches!(*pending, Pending::Waited) {
                    *pending = Pending::Abandoned;
                    stuck.fetch_add(1, Ordering::AcqRel);
                }
                return Err(error::no_answer(options.timeout));
            }
        };
        let mut fresh = result.map_err(error::connect_failed)?;
        let (requests, events) = fresh.0.take().ok_or_else(worker_died)?;
        let state = State {
            leased: false,
            doing: "",
            calls: 0,
            abandoned: false,
            closed: false,
            closing: None,
        };
        let link = Link {
            requests: Gate::new(requests),
            state: Mutex::new(state),
            freed: Condvar::new(),
            timeout: options.timeout,
        };
        Ok(Self {
            link: Arc::new(link),
            events: Some(events),
        })
    }

    pub(super) fn link(&self) -> &Arc<Link<L>> {
        &self.link
    }

    /// Makes a call that may block, within the connection's timeout.
    pub(super) fn call<T: Send + 'static>(
        &self,
        doing: &'static str,
        call: impl FnMut(&mut Requests<L>) -> Result<T, Status> + Send + 'static,
    ) -> Result<T> {
        self.link.call(doing, self.link.timeout, call)
    }

    /// Like [`call`](Self::call), for errors that name what the call was about.
    pub(super) fn call_about<T: Send + 'static>(
        &self,
        doing: &'static str,
        about: impl fmt::Display,
        call: impl FnMut(&mut Requests<L>) -> Result<T, Status> + Send + 'static,
    ) -> Result<T> {
        self.link
            .call_within(doing, self.link.timeout, call)
            .with_context(|| format!("{doing} {about}"))
    }

    /// Waits until there is something to dispatch; false when there was nothing by the deadline.
    pub(super) fn wait(&self, deadline: Deadline) -> Result<bool> {
        loop {
            let descriptor = self.as_fd();
            let mut fds = [PollFd::new(&descriptor, PollFlags::IN)];
            let timeout = deadline.remaining().map(timespec);
            match poll(&mut fds, timeout.as_ref()) {
                Ok(0) if deadline.passed() => return Ok(false),
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(e) => {
                    return Err(Error::from(std::io::Error::from(e)).context("wait for corosync"));
                }
            }
        }
    }

    /// Borrows the dispatching side.
    pub(super) fn events(&mut self) -> Result<&mut Events<L>> {
        self.events.as_mut().ok_or_else(error::closed)
    }

    /// Waits for events and gets what has come, in its order.
    pub(super) fn collect<E>(
        &mut self,
        into: &mut VecDeque<E>,
        deadline: Deadline,
        dispatch: impl Fn(&mut Events<L>, &mut VecDeque<E>) -> Result<(), DispatchError>,
    ) -> Result<()> {
        while into.is_empty() && self.wait(deadline)? {
            match dispatch(self.events()?, into) {
                Ok(()) => {}
                // What came before the loss counts; the loss is found again by the next call.
                Err(DispatchError::Status(_)) if !into.is_empty() => {}
                Err(e) => return Err(error::dispatch_failed(e)),
            }
        }
        Ok(())
    }
}

impl<L: Connect> AsFd for Connection<L> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.events {
            Some(events) => events.descriptor(),
            None => unreachable!("events are there until the drop"),
        }
    }
}

impl<L: Connect> Drop for Connection<L> {
    fn drop(&mut self) {
        let Some(events) = self.events.take() else {
            return;
        };
        let mut state = self.link.state();
        state.closed = true;
        if state.leased {
            // The worker that has the requests closes the connection when it comes back.
            state.closing = Some(events);
            drop(state);
            // Those who wait for their turn learn that none will come.
            self.link.freed.notify_all();
            return;
        }
        drop(state);
        self.link.freed.notify_all();
        // A worker says good-bye, for it may block; a stopped daemon gets it when it resumes.
        let (tell, told) = mpsc::sync_channel::<()>(1);
        let link = self.link.clone();
        let submitted = worker::submit(Box::new(move || {
            // Another thread may be about to write a message, which takes a microsecond, or be
            // waiting for room to do so, which ends with its own deadline.
            let mut backoff = Backoff::queue();
            let requests = loop {
                match link.requests.take() {
                    Some(requests) => break requests,
                    None => backoff.wait(Deadline::never()),
                };
            };
            finalize(requests, events);
            drop(tell);
        }));
        if submitted.is_ok() {
            let _ = told.recv_timeout(self.link.timeout.min(GOODBYE));
        }
    }
}

impl<L: Connect> Link<L> {
    fn state(&self) -> MutexGuard<'_, State<L>> {
        lock(&self.state)
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Makes a call that does not block, on this thread.
    #[inline]
    pub(super) fn direct(
        &self,
        call: impl FnOnce(&mut Requests<L>) -> Result<(), Status>,
    ) -> Result<(), Hindrance> {
        let result = self.requests.lend(|requests| {
            if requests.has_room() {
                call(requests).map_err(Hindrance::Status)
            } else {
                Err(Hindrance::Full)
            }
        });
        result.unwrap_or(Err(Hindrance::Busy))
    }

    /// Waits for what a direct call needs, but not for longer than a time.
    #[cold]
    pub(super) fn wait_for(&self, refusal: Refusal, time: Duration) {
        // Only the room in the queue can be waited for; the rest passes unseen.
        let waited = matches!(refusal, Refusal::Full)
            && self
                .requests
                .lend(|requests| requests.wait_for_room(time))
                .is_some();
        if !waited {
            pause(time);
        }
    }

    /// Finds out why a direct call was not made.
    #[cold]
    pub(super) fn refusal(&self, hindrance: Hindrance) -> Refusal {
        match hindrance {
            Hindrance::Status(status) => Refusal::Status(status),
            Hindrance::Full => Refusal::Full,
            Hindrance::Busy => self.state().absence(),
        }
    }

    /// Makes a call that may block, on a worker; repeats it while corosync says to try again.
    pub(super) fn call<T: Send + 'static>(
        self: &Arc<Self>,
        doing: &'static str,
        timeout: Duration,
        call: impl FnMut(&mut Requests<L>) -> Result<T, Status> + Send + 'static,
    ) -> Result<T> {
        self.call_within(doing, timeout, call).context(doing)
    }

    fn call_within<T: Send + 'static>(
        self: &Arc<Self>,
        doing: &'static str,
        timeout: Duration,
        mut call: impl FnMut(&mut Requests<L>) -> Result<T, Status> + Send + 'static,
    ) -> Result<T> {
        let deadline = Deadline::after(timeout);
        let (mut lease, number) = self
            .lease(doing, deadline)
            .map_err(|refusal| match refusal {
                Refusal::Busy => error::no_answer(timeout),
                other => other.into_error(),
            })?;
        let (tell, told) = mpsc::sync_channel(1);
        worker::submit(Box::new(move || {
            let result = lease.run(deadline, &mut call);
            // The connection is free again before its user hears of the result.
            drop(lease);
            drop(tell.send(result));
        }))?;
        match receive(&told, deadline) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(refusal @ (Refusal::Full | Refusal::Status(Status::TRY_AGAIN)))) => {
                Err(error::no_answer(timeout).with_source(refusal.into_error()))
            }
            Ok(Err(refusal)) => Err(refusal.into_error()),
            Err(RecvTimeoutError::Disconnected) => Err(worker_died()),
            Err(RecvTimeoutError::Timeout) => {
                let mut state = self.state();
                if state.calls == number && state.leased {
                    state.abandoned = true;
                }
                drop(state);
                self.freed.notify_all();
                Err(error::no_answer(timeout))
            }
        }
    }

    /// Takes the requests out, waiting while another call has them; counts the call.
    fn lease(
        self: &Arc<Self>,
        doing: &'static str,
        deadline: Deadline,
    ) -> Result<(Lease<L>, u64), Refusal> {
        let mut backoff = Backoff::queue();
        let mut state = self.state();
        loop {
            match state.absence() {
                Refusal::Busy if state.leased => {
                    let left = deadline.remaining().unwrap_or(Duration::from_secs(3600));
                    if left.is_zero() {
                        return Err(Refusal::Busy);
                    }
                    let waited = self.freed.wait_timeout(state, left);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                Refusal::Busy => {
                    if let Some(requests) = self.requests.take() {
                        state.leased = true;
                        state.doing = doing;
                        state.calls += 1;
                        let lease = Lease {
                            link: self.clone(),
                            requests: Some(requests),
                        };
                        return Ok((lease, state.calls));
                    }
                    // Another thread writes a message at this moment.
                    drop(state);
                    if !backoff.wait(deadline) {
                        return Err(Refusal::Busy);
                    }
                    state = self.state();
                }
                refusal => return Err(refusal),
            }
        }
    }
}

impl<L: Connect> State<L> {
    #[cold]
    fn absence(&self) -> Refusal {
        if self.closed {
            Refusal::Closed
        } else if self.abandoned {
            Refusal::Stuck(self.doing)
        } else {
            Refusal::Busy
        }
    }
}

/// The requests of a connection while a worker uses them; goes back by itself.
struct Lease<L: Connect> {
    link: Arc<Link<L>>,
    requests: Option<Requests<L>>,
}

impl<L: Connect> Lease<L> {
    fn run<T>(
        &mut self,
        deadline: Deadline,
        call: &mut impl FnMut(&mut Requests<L>) -> Result<T, Status>,
    ) -> Result<T, Refusal> {
        let mut backoff = Backoff::daemon();
        let Some(requests) = &mut self.requests else {
            return Err(Refusal::Closed);
        };
        // Nobody wants the effect of a call that did not start in time.
        if self.link.state().abandoned {
            return Err(Refusal::Full);
        }
        loop {
            let refusal = if requests.has_room() {
                match call(requests) {
                    Ok(value) => return Ok(value),
                    Err(status) => Refusal::Status(status),
                }
            } else {
                Refusal::Full
            };
            if !refusal.passes() || !backoff.wait(deadline) {
                return Err(refusal);
            }
        }
    }
}

impl<L: Connect> Drop for Lease<L> {
    fn drop(&mut self) {
        let Some(requests) = self.requests.take() else {
            return;
        };
        let mut state = self.link.state();
        if let Some(events) = state.closing.take() {
            drop(state);
            finalize(requests, events);
            return;
        }
        self.link.requests.put(requests);
        state.leased = false;
        state.abandoned = false;
        drop(state);
        self.link.freed.notify_all();
    }
}

#[derive(Debug)]
enum Pending {
    Waited,
    Abandoned,
    Ended,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code that can panic runs under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn receive<T>(from: &mpsc::Receiver<T>, deadline: Deadline) -> Result<T, RecvTimeoutError> {
    match deadline.remaining() {
        Some(left) => from.recv_timeout(left),
        None => from.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

#[cold]
fn worker_died() -> Error {
    Error::new(
        ErrorKind::Daemon,
        "the thread that made the call ended early",
    )
}

/// Takes away `Sync`: one thread at a time dispatches.
pub(super) type NotSync = PhantomData<std::cell::Cell<()>>;
