//! What happens in the cluster, as it happens.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Cluster;
use crate::event::{Event, Follower, Picture};
use crate::live::pacemaker::watch::{Reason, Update, Watch};
use crate::status::{ClusterStatus, Computer};
use crate::xml::Document;
use crate::{Error, ErrorExt, ErrorKind, Result};

const DAEMON: &str = "pacemaker-based";

/// What happens in the cluster from now on, made by [`Cluster::events`].
///
/// An iterator that waits, and with feature `tokio` a stream (`Events::into_stream`). It ends only after
/// an error, when the system refuses to wait.
///
/// Events are derived from successive states of the CIB, none of which is left out unless
/// [`Event::Merged`] says so: a reader who is slower than the cluster gets what lies between the last
/// state it has read and the newest one. Nothing is lost either way: the events since the start, folded
/// over the first [`Picture`], give the newest one.
#[derive(Debug)]
pub struct Events {
    watch: Watch,
    teller: Teller,
}

impl Cluster {
    /// Begins to follow what happens.
    ///
    /// # Errors
    /// Those of [`Watch::open`].
    ///
    /// # Example
    /// ```no_run
    /// # use ha_core::live::cluster::{Cluster, ConnectOptions};
    /// use ha_core::event::Event;
    /// let cluster = Cluster::connect(&ConnectOptions::default())?;
    /// for event in cluster.events()? {
    ///     match event? {
    ///         Event::ResourceMoved { resource, to, .. } => println!("{resource} is on {to} now"),
    ///         other => println!("{other}"),
    ///     }
    /// }
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn events(&self) -> Result<Events> {
        let watch = Watch::open(&self.cib).context("follow the cluster's events")?;
        let teller = Teller::new(watch.document());
        Ok(Events { watch, teller })
    }
}

impl Events {
    /// Returns the state that the events so far have led to; those that are still to be returned of the
    /// same change included.
    #[must_use]
    pub fn status(&self) -> &ClusterStatus {
        self.teller.follower.state()
    }

    /// Returns what the events so far add up to; as [`Events::status`].
    #[must_use]
    pub fn picture(&self) -> &Picture {
        self.teller.follower.picture()
    }

    /// Returns the next event if there is one now. Never waits.
    pub fn try_next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.teller.queue.pop_front() {
                return Some(event);
            }
            let update = self.watch.try_next()?;
            self.teller.take(&update, self.watch.document());
        }
    }

    /// Waits for the next event until `deadline`; none when it passes.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the system refuses to wait.
    pub fn next_before(&mut self, deadline: Instant) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.try_next() {
                return Ok(Some(event));
            }
            let Some(update) = self.watch.next_before(deadline)? else {
                return Ok(None);
            };
            self.teller.take(&update, self.watch.document());
        }
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.teller.is_over {
                return None;
            }
            if let Some(event) = self.try_next() {
                return Some(Ok(event));
            }
            let Some(update) = self.watch.next() else {
                self.teller.is_over = true;
                let message = "the system refuses to wait for changes of the CIB";
                return Some(Err(Error::new(ErrorKind::Io, message)));
            };
            self.teller.take(&update, self.watch.document());
        }
    }
}

impl AsFd for Events {
    /// A descriptor that is readable when [`Events::try_next`] may have something, once that has
    /// returned nothing. Only to be polled.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }
}

/// Turns updates of the CIB into events.
#[derive(Debug)]
struct Teller {
    computer: Computer,
    follower: Follower,
    /// Those of the last update that are still to be returned.
    queue: VecDeque<Event>,
    /// When the connection was lost, while it is.
    lost: Option<Timestamp>,
    is_over: bool,
}

impl Teller {
    fn new(cib: &Document) -> Self {
        let mut computer = Computer::new();
        let state = computer.compute(cib, Timestamp::now(), &TimeZone::system());
        Self {
            computer,
            follower: Follower::with_configuration(cib, state),
            queue: VecDeque::new(),
            lost: None,
            is_over: false,
        }
    }

    fn take(&mut self, update: &Update, cib: &Document) {
        match update {
            Update::Lost { cause } => {
                let since = *self.lost.get_or_insert_with(Timestamp::now);
                self.queue.push_back(Event::DaemonLost {
                    daemon: DAEMON.to_owned(),
                    since,
                    cause: cause.to_string(),
                });
                return;
            }
            Update::Reconnected { missed, .. } => self.queue.push_back(Event::DaemonBack {
                daemon: DAEMON.to_owned(),
                since: self.lost.take().unwrap_or_else(Timestamp::now),
                missed: *missed,
            }),
            Update::Refetched { reason, .. } => {
                let missed = match reason {
                    Reason::Behind { merged } => Some(*merged),
                    Reason::Mismatch => None,
                };
                self.queue.push_back(Event::Merged { missed });
            }
            Update::Changed { .. } => {}
            // Only who made the last change, which no event tells.
            Update::Signed { .. } => return,
        }
        if !matches!(update, Update::Changed { .. }) {
            self.follower.skip();
        }
        let now = Timestamp::now();
        let state = self.computer.compute(cib, now, &TimeZone::system());
        let events = self.follower.next_with_configuration(cib, state);
        self.queue.extend(events);
    }
}

#[cfg(feature = "tokio")]
mod stream {
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use futures_core::Stream;

    use super::{Events, Teller};
    use crate::Result;
    use crate::event::{Event, Picture};
    use crate::live::pacemaker::watch::WatchStream;
    use crate::status::ClusterStatus;

    /// [`Events`] as a stream, made by [`Events::into_stream`]. It never ends, unless after an error of
    /// the runtime.
    #[derive(Debug)]
    pub struct EventStream {
        updates: WatchStream,
        teller: Teller,
    }

    impl Events {
        /// Turns the events into a stream.
        ///
        /// # Errors
        /// [`ErrorKind::Io`](crate::ErrorKind::Io) when the descriptor cannot be registered.
        ///
        /// # Panics
        /// When no tokio runtime with I/O enabled is running.
        pub fn into_stream(self) -> Result<EventStream> {
            Ok(EventStream {
                updates: self.watch.into_stream()?,
                teller: self.teller,
            })
        }
    }

    impl EventStream {
        /// Returns the state that the events so far have led to.
        #[must_use]
        pub fn status(&self) -> &ClusterStatus {
            self.teller.follower.state()
        }

        /// Returns what the events so far add up to.
        #[must_use]
        pub fn picture(&self) -> &Picture {
            self.teller.follower.picture()
        }
    }

    impl Stream for EventStream {
        type Item = Result<Event>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let this = &mut *self;
            loop {
                if let Some(event) = this.teller.queue.pop_front() {
                    return Poll::Ready(Some(Ok(event)));
                }
                if this.teller.is_over {
                    return Poll::Ready(None);
                }
                match ready!(Pin::new(&mut this.updates).poll_next(cx)) {
                    Some(Ok(update)) => this.teller.take(&update, this.updates.document()),
                    Some(Err(e)) => {
                        this.teller.is_over = true;
                        return Poll::Ready(Some(Err(e)));
                    }
                    None => return Poll::Ready(None),
                }
            }
        }
    }
}

#[cfg(feature = "tokio")]
pub use stream::EventStream;
