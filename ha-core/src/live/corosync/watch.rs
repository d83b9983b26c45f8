//! Events of corosync without end: reports the loss of the connection and makes a new one.

use std::collections::VecDeque;
use std::fmt;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::deadline::{Backoff, Deadline, pause};
use crate::{Error, ErrorKind, Result};

/// What a watch does after corosync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reconnect {
    /// It ends.
    #[default]
    Never,
    /// It connects again as soon as corosync is back; it looks after 20 ms at first, later every
    /// 2 s. It ends only when a new connection could not help: when the loss it reports is of kind
    /// [`ErrorKind::Limit`], because the thread that reads it has too small a stack, or the group too
    /// many members ([`MOST_MEMBERS`](super::cpg::MOST_MEMBERS)).
    Always,
}

/// What a watch reports.
#[derive(Debug)]
pub enum Update<E> {
    /// Something happened.
    Event(E),
    /// The connection is lost, and why. Events may be missed from now on.
    Lost(Error),
    /// The connection is there again. What was known before is stale; the events that follow tell
    /// the present state.
    Regained,
}

/// A connection that gives events, as [`Watch`] needs it.
///
/// Implemented by the connections of this library only.
pub trait Source: AsFd + Sized + Send {
    /// What it gives.
    type Event: Send;
    /// What it takes to make the connection, also for another time.
    type Setup: Clone + Send + 'static;

    #[doc(hidden)]
    fn open(setup: &Self::Setup) -> Result<Self>;

    #[doc(hidden)]
    fn collect(&mut self, into: &mut VecDeque<Self::Event>, timeout: Duration) -> Result<()>;
}

/// A connection whose events are read one after the other.
///
/// As an [`Iterator`] it waits for each next update, and ends only when the connection is lost and
/// it was told not to connect again.
pub struct Watch<S: Source> {
    setup: S::Setup,
    reconnect: Reconnect,
    source: Option<S>,
    queue: VecDeque<S::Event>,
    /// Kept until the events before it are read.
    loss: Option<Error>,
    absence: Backoff,
    retry_at: Instant,
    connected_at: Instant,
}

/// A connection that is lost sooner than this was none: the next attempt waits longer.
const SHORT_LIVED: Duration = Duration::from_secs(2);

impl<S: Source> Watch<S> {
    pub(super) fn start(setup: S::Setup, reconnect: Reconnect) -> Result<Self> {
        let source = S::open(&setup)?;
        Ok(Self {
            setup,
            reconnect,
            source: Some(source),
            queue: VecDeque::new(),
            loss: None,
            absence: Backoff::absent(),
            retry_at: Instant::now(),
            connected_at: Instant::now(),
        })
    }

    /// Returns the connection, while there is one: for requests beside the events.
    #[must_use]
    pub fn connection(&self) -> Option<&S> {
        self.source.as_ref()
    }

    /// Returns the next update, waiting for it up to `timeout`; nothing when none came. An attempt to
    /// connect again that is under way then is waited for: each call of it ends by the connection's
    /// own timeout.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when the watch is over: the connection was lost, that was
    /// reported, and the watch does not connect again.
    pub fn next_within(&mut self, timeout: Duration) -> Result<Option<Update<S::Event>>> {
        let deadline = Deadline::after(timeout);
        loop {
            if let Some(update) = self.ready() {
                return Ok(Some(update));
            }
            if self.source.is_some() {
                let left = deadline.remaining().unwrap_or(Duration::MAX);
                if !self.read(left) {
                    return Ok(None);
                }
                continue;
            }
            let Some((retry_at, _)) = self.next_attempt() else {
                return Err(over());
            };
            let wait = retry_at.saturating_duration_since(Instant::now());
            match deadline.remaining() {
                Some(left) if left < wait => {
                    pause(left);
                    if deadline.passed() {
                        return Ok(None);
                    }
                    continue;
                }
                _ => pause(wait),
            }
            if retry_at <= Instant::now() {
                let attempt = S::open(&self.setup);
                if let Some(update) = self.attempted(attempt) {
                    return Ok(Some(update));
                }
            }
        }
    }

    /// Returns what is known already.
    pub(super) fn ready(&mut self) -> Option<Update<S::Event>> {
        let event = self.queue.pop_front().map(Update::Event);
        event.or_else(|| self.loss.take().map(Update::Lost))
    }

    /// Reads the events that are there or come in time; false when there were none.
    pub(super) fn read(&mut self, timeout: Duration) -> bool {
        let Some(source) = &mut self.source else {
            return false;
        };
        if let Err(e) = source.collect(&mut self.queue, timeout) {
            self.lose(e);
        }
        self.loss.is_some() || !self.queue.is_empty()
    }

    /// Closes the connection: a dead descriptor is always ready, and would keep a poll from waiting.
    pub(super) fn lose(&mut self, why: Error) {
        self.source = None;
        if why.kind() == ErrorKind::Limit {
            self.reconnect = Reconnect::Never;
        }
        self.loss = Some(why);
        if self.connected_at.elapsed() > SHORT_LIVED {
            self.absence = Backoff::absent();
        }
        self.retry_at = Instant::now() + self.absence.step();
    }

    /// Returns when to connect again and how; nothing when the watch is over.
    pub(super) fn next_attempt(&self) -> Option<(Instant, &S::Setup)> {
        (self.reconnect == Reconnect::Always).then_some((self.retry_at, &self.setup))
    }

    /// Takes the result of an attempt to connect again.
    pub(super) fn attempted(&mut self, attempt: Result<S>) -> Option<Update<S::Event>> {
        match attempt {
            Ok(source) => {
                self.source = Some(source);
                self.connected_at = Instant::now();
                Some(Update::Regained)
            }
            Err(e) => {
                tracing::debug!("corosync is still away: {e:#}");
                self.retry_at = Instant::now() + self.absence.step();
                None
            }
        }
    }
}

impl<S: Source> fmt::Debug for Watch<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("connected", &self.source.is_some())
            .field("waiting", &self.queue.len())
            .field("reconnect", &self.reconnect)
            .finish_non_exhaustive()
    }
}

impl<S: Source> Iterator for Watch<S> {
    type Item = Update<S::Event>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.next_within(Duration::MAX) {
                Ok(Some(update)) => return Some(update),
                Ok(None) => {}
                Err(_) => return None,
            }
        }
    }
}

fn over() -> Error {
    Error::new(
        ErrorKind::Disconnected,
        "the watch is over: its connection to corosync was lost",
    )
}
