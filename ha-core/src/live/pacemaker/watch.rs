//! Following the CIB: a document kept equal to the cluster's, change by change.
//!
//! Nothing is polled. The CIB manager sends each change as a patch set, which is applied here to the
//! watch's own [`Document`]. When that document is not what the patch set starts from, when the
//! reader was too slow, or after the connection was lost, the whole CIB is queried again and the
//! watch says so.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::cib::feed::{Feed, News};
use super::cib::session::Lease;
use super::cib::{Cib, reconnect, session};
use super::exchange;
use crate::status::{ClusterStatus, Computer};
use crate::value::CibVersion;
use crate::xml::{Document, PatchSet};
use crate::{ErrorExt, Result};

/// What happened to the CIB; [`Watch::document`] is already what it says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Update {
    /// One change.
    Changed {
        /// What changed.
        patch: Arc<PatchSet>,
        /// The version before.
        since: CibVersion,
        /// The version now: the same in rare cases, as when a node joins.
        version: CibVersion,
    },
    /// It is known now who made the last change and when, which the root of the document says. Patch sets
    /// do not tell it: the CIB manager notes it after it has made them, so that it is asked for.
    Signed {
        /// The version, as before.
        version: CibVersion,
    },
    /// The whole CIB was queried again: there were changes whose steps are not known.
    Refetched {
        /// Why that was necessary.
        reason: Reason,
        /// The version before.
        since: CibVersion,
        /// The version now.
        version: CibVersion,
    },
    /// The connection is gone. The document is what was known last; the watch connects again by
    /// itself.
    Lost {
        /// Why, for reading.
        cause: Arc<str>,
    },
    /// There is a connection again, and the whole CIB was queried.
    Reconnected {
        /// Whether the CIB differs from what was known: changes were missed.
        missed: bool,
        /// The version known before.
        since: CibVersion,
        /// The version now.
        version: CibVersion,
    },
}

/// Why a watch queried the whole CIB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A patch set did not start from the document's version, or did not fit it.
    Mismatch,
    /// The reader was slower than the cluster.
    Behind {
        /// How many changes were merged into one update.
        merged: usize,
    },
}

/// Follows the CIB of the cluster.
///
/// Each watch has its own [`Document`]; all watches and [`Cib`] handles share one connection. Read it
/// as an iterator (which waits), with [`Watch::next_before`], or from an event loop: the descriptor is
/// readable when [`Watch::try_next`] may have something. With feature `tokio`, `Watch::into_stream`.
///
/// A reader may take its time: changes are queued, and merged into one
/// [`Update::Refetched`] when they become too many; connections lost and made again meanwhile are told
/// as one [`Update::Lost`] and one [`Update::Reconnected`].
///
/// # Example
/// ```no_run
/// use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
/// use ha_core::live::pacemaker::watch::{Update, Watch};
/// let cib = Cib::connect(&ConnectOptions::default())?;
/// let mut watch = Watch::open(&cib)?;
/// println!("{}", watch.document().version());
/// while let Some(update) = watch.next() {
///     match update {
///         Update::Changed { patch, version, .. } => {
///             println!("{version}: {} changes", patch.changes().count());
///         }
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Watch {
    document: Document,
    computer: Computer,
    feed: Arc<Feed>,
    state: State,
    /// The root's notes of who made the last change may be those of an earlier one.
    unsigned: bool,
    /// The root was asked for, and has not come yet.
    root_asked: bool,
    /// Keeps the connection open.
    _lease: Arc<Lease>,
}

/// What the root says about who made the last change, and when.
const NOTES: [&str; 4] = [
    "cib-last-written",
    "update-origin",
    "update-client",
    "update-user",
];

/// How the document relates to the news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next patch set starts from the document.
    Following,
    /// The document was just queried: patch sets that lead up to it may still come.
    Fresh,
    /// The whole CIB was asked for; patch sets until it comes are of no use.
    Asked(Reason),
    /// The connection is gone; a snapshot will come with the next one.
    Lost,
}

impl Watch {
    /// Begins to follow the CIB, and queries it as it is now.
    ///
    /// # Errors
    /// Those of [`Cib::query`], and [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a
    /// file.
    pub fn open(cib: &Cib) -> Result<Self> {
        let lease = Arc::clone(cib.lease()?);
        let feed = Arc::new(Feed::new()?);
        reconnect::set_name(lease.name().to_owned());
        let deadline = exchange::deadline(cib.timeout());
        let followed = session::follow(lease.name(), Arc::clone(&feed), deadline);
        let document = match followed {
            Ok(document) => document,
            Err(e) => {
                // After a time-out the request may still be carried out, with nobody to read.
                session::unfollow(feed);
                return Err(e.context("follow the CIB"));
            }
        };
        Ok(Self {
            document,
            computer: Computer::new(),
            feed,
            state: State::Fresh,
            unsigned: false,
            root_asked: false,
            _lease: lease,
        })
    }

    /// Returns the CIB as of the last update that was read.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Computes the status that the CIB has now, as of the last update that was read, in the system's time zone.
    ///
    /// What has not changed since the last time is not worked out again.
    pub fn status(&mut self) -> ClusterStatus {
        self.computer
            .compute(&self.document, Timestamp::now(), &TimeZone::system())
    }

    /// Tells whether the connection is up, as of the last update that was read.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state != State::Lost
    }

    /// Returns the next update if there is one now. Never waits.
    pub fn try_next(&mut self) -> Option<Update> {
        while let Some(news) = self.feed.pop() {
            if let Some(update) = self.digest(news) {
                return Some(update);
            }
        }
        None
    }

    /// Waits for the next update until `deadline`; none when it passes.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when the system refuses to wait on the descriptor.
    pub fn next_before(&mut self, deadline: Instant) -> Result<Option<Update>> {
        loop {
            if let Some(update) = self.try_next() {
                return Ok(Some(update));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.wait(Some(left))
                .context("wait for a change of the CIB")?;
        }
    }

    fn wait(&self, limit: Option<Duration>) -> std::io::Result<()> {
        // A limit beyond what the system can express is no limit.
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        match poll(
            &mut [PollFd::new(&self.feed, PollFlags::IN)],
            limit.as_ref(),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Brings the document up to date with one piece of news.
    fn digest(&mut self, news: News) -> Option<Update> {
        match news {
            News::Patch(patch) => self.apply(patch),
            News::Unreadable => {
                self.ask(Reason::Mismatch);
                None
            }
            News::Behind(merged) => {
                self.ask(Reason::Behind { merged });
                None
            }
            News::Snapshot(document) => Some(self.take(document)),
            News::Root(root) => self.sign(&root),
            // Known already: what lay between was left out, because nobody had read it.
            News::Lost(_) if self.state == State::Lost => None,
            News::Lost(cause) => {
                self.state = State::Lost;
                self.root_asked = false;
                Some(Update::Lost { cause })
            }
        }
    }

    fn apply(&mut self, patch: Arc<PatchSet>) -> Option<Update> {
        if matches!(self.state, State::Asked(_) | State::Lost) {
            return None;
        }
        let since = self.document.version();
        if self.state == State::Fresh && !leads_on(&patch, since) {
            // Sent before the query was answered, and part of the answer; unless it leads further
            // than the answer, which then is no step on its way. When nodes join, the CIB also
            // changes without a new version: such a one may be in the answer or not.
            let target = patch.target();
            if target.is_none_or(|t| t > since || (t == since && patch.source() == target)) {
                self.ask(Reason::Mismatch);
            }
            return None;
        }
        if let Err(e) = self.document.apply(&patch) {
            tracing::info!("querying the whole CIB: {e:#}");
            self.ask(Reason::Mismatch);
            return None;
        }
        self.state = State::Following;
        let version = self.document.version();
        // Only changes of the configuration are noted.
        self.unsigned |= (since.admin_epoch, since.epoch) != (version.admin_epoch, version.epoch);
        self.ask_root();
        Some(Update::Changed {
            patch,
            since,
            version,
        })
    }

    /// Asks who made the last change, unless that is known or on its way.
    fn ask_root(&mut self) {
        if self.unsigned && !self.root_asked {
            self.root_asked = true;
            session::look_at_root(Arc::clone(&self.feed));
        }
    }

    /// Takes over who made the last change, if the answer is about the document's version.
    fn sign(&mut self, root: &Document) -> Option<Update> {
        self.root_asked = false;
        if matches!(self.state, State::Asked(_) | State::Lost) || !self.unsigned {
            return None;
        }
        let version = self.document.version();
        if root.version() != version {
            // A newer one is asked for again when the changes that lead to it have come.
            if root.version() < version {
                self.ask_root();
            }
            return None;
        }
        self.unsigned = false;
        let (id, root) = (self.document.root().id(), root.root());
        let mut changed = false;
        for name in NOTES {
            let (old, new) = (self.document.root().attribute(name), root.attribute(name));
            if old == new {
                continue;
            }
            changed = true;
            match new {
                Some(value) => self.document.set_attribute(id, name, value),
                None => drop(self.document.remove_attribute(id, name)),
            }
        }
        changed.then_some(Update::Signed { version })
    }

    /// Asks for the whole CIB, unless it is on its way.
    fn ask(&mut self, reason: Reason) {
        match self.state {
            State::Following | State::Fresh => {
                self.state = State::Asked(reason);
                session::refresh(Arc::clone(&self.feed));
            }
            State::Asked(_) | State::Lost => {}
        }
    }

    fn take(&mut self, document: Arc<Document>) -> Update {
        let document = Arc::unwrap_or_clone(document);
        let old = std::mem::replace(&mut self.document, document);
        let (since, version) = (old.version(), self.document.version());
        self.unsigned = false;
        // An answer from before was dropped with the other news, or does no harm.
        self.root_asked = false;
        match std::mem::replace(&mut self.state, State::Fresh) {
            State::Asked(reason) => Update::Refetched {
                reason,
                since,
                version,
            },
            State::Lost => Update::Reconnected {
                missed: old != self.document,
                since,
                version,
            },
            State::Following | State::Fresh => Update::Refetched {
                reason: Reason::Mismatch,
                since,
                version,
            },
        }
    }
}

/// Tells whether a patch set is certainly the next step from a version.
fn leads_on(patch: &PatchSet, version: CibVersion) -> bool {
    patch.source() == Some(version) && patch.target() != Some(version)
}

impl Iterator for Watch {
    type Item = Update;

    /// Waits for the next update. Never ends, unless the system refuses to wait.
    fn next(&mut self) -> Option<Update> {
        loop {
            if let Some(update) = self.try_next() {
                return Some(update);
            }
            if let Err(e) = self.wait(None) {
                tracing::error!("cannot wait for changes of the CIB: {e}");
                return None;
            }
        }
    }
}

impl AsFd for Watch {
    /// A descriptor that is readable when [`Watch::try_next`] may have something. Only to be polled.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.feed.as_fd()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        session::unfollow(Arc::clone(&self.feed));
    }
}

#[cfg(feature = "tokio")]
mod stream {
    use std::os::fd::{AsFd as _, OwnedFd};
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use futures_core::Stream;
    use tokio::io::unix::AsyncFd;

    use super::{Update, Watch};
    use crate::live::ffi::corosync::readable;
    use crate::status::ClusterStatus;
    use crate::xml::Document;
    use crate::{ErrorExt, Result};

    /// The updates of a [`Watch`] as a stream, made by [`Watch::into_stream`]. It never ends, unless
    /// after an error of the runtime.
    #[derive(Debug)]
    pub struct WatchStream {
        watch: Watch,
        /// A descriptor of its own for the queue's.
        reactor: AsyncFd<OwnedFd>,
    }

    impl WatchStream {
        /// Returns the CIB as of the last update that was read.
        #[must_use]
        pub fn document(&self) -> &Document {
            self.watch.document()
        }

        /// As [`Watch::status`].
        pub fn status(&mut self) -> ClusterStatus {
            self.watch.status()
        }
    }

    impl Watch {
        /// Turns the watch into a stream.
        ///
        /// # Errors
        /// [`ErrorKind::Io`](crate::ErrorKind::Io) when the descriptor cannot be registered.
        ///
        /// # Panics
        /// When no tokio runtime with I/O enabled is running.
        pub fn into_stream(self) -> Result<WatchStream> {
            let reactor = self
                .as_fd()
                .try_clone_to_owned()
                .and_then(readable)
                .context("watch the CIB's events in tokio")?;
            Ok(WatchStream {
                watch: self,
                reactor,
            })
        }
    }

    impl Stream for WatchStream {
        type Item = Result<Update>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            loop {
                let this = &mut *self;
                if let Some(update) = this.watch.try_next() {
                    return Poll::Ready(Some(Ok(update)));
                }
                match ready!(this.reactor.poll_read_ready(cx)) {
                    // News that comes after the clearing makes it ready again.
                    Ok(mut guard) => guard.clear_ready(),
                    Err(e) => return Poll::Ready(Some(Err(e.into()))),
                }
            }
        }
    }
}

#[cfg(feature = "tokio")]
pub use stream::WatchStream;
