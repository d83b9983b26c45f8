//! A connection whose events wait in a queue until they are asked for: what the votes, the quorum,
//! the maps and the control have in common.

use std::collections::VecDeque;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::connection::{Connect, Connection, NotSync};
use super::deadline::Deadline;
use crate::Result;
use crate::live::ffi::corosync::{DispatchError, Events};

/// A library that only notes what happened when it is dispatched.
pub(super) trait Notes: Connect {
    /// What it notes.
    type Event;

    fn dispatch(
        events: &mut Events<Self>,
        into: &mut VecDeque<Self::Event>,
    ) -> Result<(), DispatchError>;
}

/// A connection with the events that it has given and nobody has read.
#[derive(Debug)]
pub(super) struct Listener<L: Notes> {
    connection: Connection<L>,
    queue: VecDeque<L::Event>,
    _not_sync: NotSync,
}

impl<L: Notes> Listener<L> {
    pub(super) fn new(connection: Connection<L>) -> Self {
        Self {
            connection,
            queue: VecDeque::new(),
            _not_sync: NotSync::default(),
        }
    }

    /// Returns the next event, waiting for it up to `timeout`; nothing when none came.
    pub(super) fn next(&mut self, timeout: Duration) -> Result<Option<L::Event>> {
        self.fill(timeout)?;
        Ok(self.queue.pop_front())
    }

    /// Appends the events that are there, waiting for the first of them up to `timeout`.
    pub(super) fn collect(
        &mut self,
        into: &mut VecDeque<L::Event>,
        timeout: Duration,
    ) -> Result<()> {
        self.fill(timeout)?;
        into.append(&mut self.queue);
        Ok(())
    }

    fn fill(&mut self, timeout: Duration) -> Result<()> {
        let deadline = Deadline::after(timeout);
        self.connection
            .collect(&mut self.queue, deadline, L::dispatch)
    }
}

/// Requests are made on the connection as it is.
impl<L: Notes> Deref for Listener<L> {
    type Target = Connection<L>;

    fn deref(&self) -> &Connection<L> {
        &self.connection
    }
}

impl<L: Notes> AsFd for Listener<L> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

/// Makes one of the libraries known to [`Connection`], by its name for messages; with an event and a
/// `dispatch` also to [`Listener`].
macro_rules! library {
    ($library:ty, $name:literal) => {
        impl $crate::live::corosync::connection::Connect for $library {
            const NAME: &'static str = $name;

            fn stuck_connects() -> &'static std::sync::atomic::AtomicUsize {
                static COUNT: std::sync::atomic::AtomicUsize =
                    std::sync::atomic::AtomicUsize::new(0);
                &COUNT
            }
        }
    };
    ($library:ty, $name:literal, $event:ty, $dispatch:path) => {
        $crate::live::corosync::listener::library!($library, $name);

        impl $crate::live::corosync::listener::Notes for $library {
            type Event = $event;

            fn dispatch(
                events: &mut $crate::live::ffi::corosync::Events<Self>,
                into: &mut std::collections::VecDeque<$event>,
            ) -> std::result::Result<(), $crate::live::ffi::corosync::DispatchError> {
                $dispatch(events, into)
            }
        }
    };
}
pub(super) use library;
