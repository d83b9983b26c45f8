//! Closed process groups: processes of the cluster that see the same messages in the same order.
//!
//! [`Cpg`] is a connection: it joins a group and receives. [`Sender`]s made from it multicast from
//! any thread. What comes in is an [`Event`]: a message, a change of the group's members with the
//! reason, or a change of the ring.
//!
//! A successful send means that the message is queued, no more. Only its own delivery, which every
//! member gets in the same place of the common order, says that the group has it.
//!
//! # Example
//! ```no_run
//! use std::time::Duration;
//! use ha_core::live::corosync::cpg::{Cpg, Event, Group, Options};
//!
//! let mut cpg = Cpg::connect(&Options::default())?;
//! cpg.join(&Group::new("sphynx")?)?;
//! let sender = cpg.sender();
//! sender.send(b"hello")?;
//! let mut greetings = 0;
//! while greetings == 0 {
//!     cpg.dispatch(Duration::from_secs(10), |event| match event {
//!         Event::Message(m) => {
//!             println!("{} says {}", m.sender, m.payload.escape_ascii());
//!             greetings += 1;
//!         }
//!         Event::Members(m) => println!("{}: {:?}, left {:?}", m.group, m.members, m.left),
//!         Event::Ring(r) => println!("ring {}", r.id),
//!     })?;
//! }
//! # Ok::<(), ha_core::Error>(())
//! ```

mod types;

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use corosync_sys as sys;

use super::connection::{Connection, Hindrance, Link, NotSync, Refusal};
use super::deadline::{Backoff, Deadline};
use super::listener::library;
use super::watch::{Reconnect, Source, Watch};
use super::{NodeId, error};
use crate::live::ffi::corosync::{DispatchError, Requests, Status, cpg as ffi};
use crate::{Error, ErrorKind, Result};

pub use types::{
    Event, Group, Member, Members, Message, OwnedEvent, OwnedMembers, OwnedMessage, OwnedRing,
    Process, Reason, Ring,
};

/// The most members that a group can have.
///
/// Corosync itself lets more processes join, but libcpg, in every one of them, has no room to tell who
/// they are. Here a join beyond the limit is refused. When a program that does not care makes it one
/// too many, the members get an error of kind [`ErrorKind::Limit`] in place of each such change, and a
/// [`Watch`] ends with it; messages go on, and [`Cpg::members`] has all of them.
#[doc(alias = "CPG_MEMBERS_MAX")]
pub const MOST_MEMBERS: usize = ffi::MOST_MEMBERS;

/// The most parts that one message can be sent from.
pub const MOST_PARTS: usize = ffi::MOST_PARTS;

library!(ffi::Cpg, "process groups");

/// How a connection to the process groups behaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// What all connections have.
    pub common: super::Options,
    /// Report the present ring at once, as a first [`Event::Ring`], not only the next change of it.
    pub present_ring: bool,
}

/// The order in which the members of a group get messages.
///
/// Corosync does both in the same way, by one order for all. The other two guarantees that its C
/// interface names are not implemented by it, and are therefore not offered here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Guarantee {
    /// The messages of one sender stay in order.
    Fifo,
    /// All members get all messages in the same order.
    #[default]
    Agreed,
}

impl Guarantee {
    fn as_c(self) -> sys::cpg_guarantee_t {
        match self {
            Self::Fifo => sys::CPG_TYPE_FIFO,
            Self::Agreed => sys::CPG_TYPE_AGREED,
        }
    }
}

/// A connection to the process groups: the receiving side.
///
/// It may move between threads, but one thread at a time uses it; [`Sender`]s are free of that. It
/// is in one group at most. Dropping it leaves the group and closes the connection, also for its
/// senders.
///
/// ```compile_fail
/// fn shared_between_threads<T: Sync>() {}
/// shared_between_threads::<ha_core::live::corosync::cpg::Cpg>();
/// ```
#[derive(Debug)]
#[doc(alias = "cpg_handle_t")]
pub struct Cpg {
    connection: Connection<ffi::Cpg>,
    /// Events that C handed out but that no handler has seen yet.
    backlog: VecDeque<OwnedEvent>,
    largest: usize,
    _not_sync: NotSync,
}

impl Cpg {
    /// Connects to the corosync of this node.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when corosync does not run, [`ErrorKind::PermissionDenied`] when
    /// it does not let this user in, [`ErrorKind::Timeout`] when it does not answer in time.
    #[doc(alias = "cpg_model_initialize")]
    pub fn connect(options: &Options) -> Result<Self> {
        let present_ring = options.present_ring;
        let connection =
            Connection::<ffi::Cpg>::open(&options.common, move || ffi::connect(present_ring))?;
        let largest = connection.call("ask for the largest message", Requests::largest_atomic)?;
        Ok(Self {
            connection,
            backlog: VecDeque::new(),
            largest,
            _not_sync: NotSync::default(),
        })
    }

    /// Connects, joins a group and returns its events; see [`Watch`].
    ///
    /// # Errors
    /// Those of [`Cpg::connect`] and [`Cpg::join`].
    pub fn watch(options: &Options, group: &Group, reconnect: Reconnect) -> Result<Watch<Self>> {
        Watch::start((options.clone(), *group), reconnect)
    }

    /// Joins a group. That it is done is told by an [`Event::Members`] with this process in it.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when this connection is in a group already, or this process is in
    /// this group over another connection, [`ErrorKind::Limit`] when the group has [`MOST_MEMBERS`]
    /// members, else those of any call.
    #[doc(alias = "cpg_join")]
    pub fn join(&self, group: &Group) -> Result<()> {
        let group = *group;
        let doing = "join group";
        let joined = self
            .connection
            .call_about(doing, group, move |requests| requests.join(&group))?;
        match joined {
            None => Ok(()),
            Some(members) => Err(error::crowd(members).context(format!("{doing} {group}"))),
        }
    }

    /// Leaves the group. An [`Event::Members`] with this process among those who left is the end.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when this connection is not in that group, else those of any call.
    #[doc(alias = "cpg_leave")]
    pub fn leave(&self, group: &Group) -> Result<()> {
        let group = *group;
        self.connection
            .call_about("leave group", group, move |requests| requests.leave(&group))
    }

    /// Returns a sender for the group that this connection is in.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender {
            link: self.connection.link().clone(),
            largest: self.largest,
        }
    }

    /// Returns the number of this node.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "cpg_local_get")]
    pub fn local_node(&self) -> Result<NodeId> {
        self.connection.call(
            "ask for the number of this node",
            Requests::<ffi::Cpg>::local_node,
        )
    }

    /// Returns the members of any group, joined or not, however many; none when nobody is in it.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "cpg_membership_get")]
    pub fn members(&self, group: &Group) -> Result<Vec<Process>> {
        let group = *group;
        self.connection
            .call_about("ask for the members of group", group, move |requests| {
                requests.members(&group)
            })
    }

    /// Returns every group of the cluster that has members.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "cpg_iteration_initialize")]
    pub fn groups(&self) -> Result<Vec<Group>> {
        let found = self
            .connection
            .call("list the groups", |requests| requests.groups(false))?;
        Ok(found.into_iter().map(|(group, _)| group).collect())
    }

    /// Returns every member of every group of the cluster.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "cpg_iteration_next")]
    pub fn processes(&self) -> Result<Vec<(Group, Process)>> {
        self.connection
            .call("list the members of all groups", |requests| {
                requests.groups(true)
            })
    }

    /// Returns the size in bytes up to which a message is sent in one piece, about 1 MB.
    ///
    /// Larger ones are sent too, see [`Sender::send`].
    #[must_use]
    #[doc(alias = "cpg_max_atomic_msgsize_get")]
    pub fn largest_atomic(&self) -> usize {
        self.largest
    }

    /// Waits up to `timeout` for something to happen, then hands everything that is there to
    /// `handler`, in order. Returns how many events that were, 0 when nothing happened.
    ///
    /// Messages are lent from the C library's own buffer: a copy is made only by a handler that
    /// wants one. `Duration::ZERO` does not wait, and hands over all that is there however long that
    /// takes: for programs that poll the descriptor ([`AsFd`]) themselves. With any other timeout it
    /// returns at the deadline also under a stream of events without end; the rest is kept for the
    /// next call, and the descriptor does not tell of it.
    ///
    /// The handler may use any other connection, also open and close them, and senders of this
    /// one. When it panics, the panic continues here, and no further event is lost: the next call
    /// hands over the rest.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when corosync ended; [`ErrorKind::Limit`] when the thread's stack
    /// is below 2 MiB, and instead of an event that would tell of more than [`MOST_MEMBERS`] members.
    #[doc(alias = "cpg_dispatch")]
    pub fn dispatch(
        &mut self,
        timeout: Duration,
        mut handler: impl FnMut(Event<'_>),
    ) -> Result<usize> {
        let deadline = Deadline::after(timeout);
        // What is left for the next call is no longer in the descriptor: who polls that gets all.
        let limit = if timeout.is_zero() {
            Deadline::never()
        } else {
            deadline
        };
        let mut handled = 0;
        while let Some(event) = self.backlog.pop_front() {
            handler(event.as_event());
            handled += 1;
            if limit.passed() {
                return Ok(handled);
            }
        }
        // Only the first event is waited for.
        while self.connection.wait(if handled > 0 {
            Deadline::after(Duration::ZERO)
        } else {
            deadline
        })? {
            let events = self.connection.events()?;
            let (more, result) =
                ffi::dispatch(events, &mut self.backlog, limit.instant(), &mut handler);
            handled += more;
            match result {
                Ok(()) if handled > 0 => break,
                Ok(()) => {}
                // It takes the place of an event, and is told once.
                Err(e @ DispatchError::Crowd(_)) => return Err(error::dispatch_failed(e)),
                // What came before the loss counts; the loss is found again by the next call.
                Err(_) if handled > 0 => break,
                Err(e) => return Err(error::dispatch_failed(e)),
            }
        }
        Ok(handled)
    }

    /// Returns the next event, waiting for it up to `timeout`; nothing when none came.
    ///
    /// # Errors
    /// Those of [`Cpg::dispatch`].
    pub fn next_event(&mut self, timeout: Duration) -> Result<Option<OwnedEvent>> {
        self.connection
            .collect(&mut self.backlog, Deadline::after(timeout), ffi::collect)?;
        Ok(self.backlog.pop_front())
    }

    /// Returns an iterator that waits for each next event, and ends with the first error.
    pub fn events(&mut self) -> Events<'_> {
        Events { cpg: Some(self) }
    }
}

impl AsFd for Cpg {
    /// The descriptor is readable when there is something to [`dispatch`](Cpg::dispatch).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl Source for Cpg {
    type Event = OwnedEvent;
    type Setup = (Options, Group);

    fn open((options, group): &Self::Setup) -> Result<Self> {
        let cpg = Self::connect(options)?;
        cpg.join(group)?;
        Ok(cpg)
    }

    fn collect(&mut self, into: &mut VecDeque<OwnedEvent>, timeout: Duration) -> Result<()> {
        self.connection
            .collect(&mut self.backlog, Deadline::after(timeout), ffi::collect)?;
        into.append(&mut self.backlog);
        Ok(())
    }
}

/// The events of a [`Cpg`], one by one.
#[derive(Debug)]
pub struct Events<'a> {
    cpg: Option<&'a mut Cpg>,
}

impl Iterator for Events<'_> {
    type Item = Result<OwnedEvent>;

    fn next(&mut self) -> Option<Self::Item> {
        let cpg = self.cpg.as_mut()?;
        let next = cpg.next_event(Duration::MAX).transpose();
        if matches!(next, Some(Err(_))) {
            self.cpg = None;
        }
        next
    }
}

/// Sends to the group of a [`Cpg`], from any thread.
#[derive(Debug, Clone)]
pub struct Sender {
    link: Arc<Link<ffi::Cpg>>,
    largest: usize,
}

impl Sender {
    /// Queues a message, waiting while corosync's queue is full, up to the connection's timeout.
    ///
    /// What is sent also comes back to the members on this node, and corosync keeps all that they do
    /// not dispatch: a program that only sends dispatches too.
    ///
    /// A message beyond [`Cpg::largest_atomic`] is copied once and sent in pieces, which the
    /// receivers put together; other messages of this connection wait meanwhile.
    ///
    /// While corosync's queue is too full for a piece, because other programs or nodes send much too,
    /// libcpg waits 10 ms and writes a line `sleep. counter=0` (counting up) to the standard error of
    /// the program. Nothing in its interface tells of that queue before, and messages up to that size
    /// never do it: keep to them where each line of standard error counts.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] when the queue stayed full, [`ErrorKind::NotFound`] when the
    /// connection is in no group, [`ErrorKind::Disconnected`] when corosync ended or the [`Cpg`]
    /// was dropped.
    #[doc(alias = "cpg_mcast_joined")]
    #[inline]
    pub fn send(&self, message: &[u8]) -> Result<()> {
        let guarantee = Guarantee::default();
        let part = IoSlice::new(message);
        if message.len() > self.largest {
            return self.send_large(guarantee, self.link.timeout(), &[part]);
        }
        match self.attempt(guarantee, &[part]) {
            Ok(()) => Ok(()),
            Err(why) => self.send_later(why, guarantee, self.link.timeout(), &[part]),
        }
    }

    /// Like [`send`](Sender::send), for a message made of up to [`MOST_PARTS`] parts, with another
    /// guarantee and timeout.
    ///
    /// # Errors
    /// Those of [`send`](Sender::send), and [`ErrorKind::Invalid`] for too many parts.
    pub fn send_with(
        &self,
        guarantee: Guarantee,
        timeout: Duration,
        parts: &[IoSlice<'_>],
    ) -> Result<()> {
        let size = parts.iter().map(|part| part.len()).sum::<usize>();
        if size > self.largest {
            return self.send_large(guarantee, timeout, parts);
        }
        match self.attempt(guarantee, parts) {
            Ok(()) => Ok(()),
            Err(why) => self.send_later(why, guarantee, timeout, parts),
        }
    }

    /// Queues a message if that is possible without waiting.
    ///
    /// # Errors
    /// [`ErrorKind::TryAgain`] when the queue is full; [`ErrorKind::Limit`] for a message that is
    /// larger than [`Cpg::largest_atomic`]; else those of [`send`](Sender::send).
    #[inline]
    pub fn try_send(&self, message: &[u8]) -> Result<()> {
        if message.len() > self.largest {
            return Err(Error::new(
                ErrorKind::Limit,
                format!(
                    "a message of {} bytes needs `send`: it is sent in pieces",
                    message.len()
                ),
            ));
        }
        self.attempt(Guarantee::default(), &[IoSlice::new(message)])
            .map_err(|why| send_refused(self.link.refusal(why)))
    }

    #[inline]
    fn attempt(&self, guarantee: Guarantee, parts: &[IoSlice<'_>]) -> Result<(), Hindrance> {
        self.link
            .direct(|requests| requests.multicast(guarantee.as_c(), parts))
    }

    #[cold]
    fn send_later(
        &self,
        mut why: Hindrance,
        guarantee: Guarantee,
        timeout: Duration,
        parts: &[IoSlice<'_>],
    ) -> Result<()> {
        let deadline = Deadline::after(timeout);
        let mut backoff = Backoff::queue();
        loop {
            let refusal = self.link.refusal(why);
            if !refusal.passes() {
                return Err(send_refused(refusal));
            }
            if !backoff.wait_by(deadline, |step| self.link.wait_for(refusal, step)) {
                let cause = refusal.into_error();
                return Err(error::no_answer(timeout)
                    .with_source(cause)
                    .context("send to the group: the queue stayed full"));
            }
            match self.attempt(guarantee, parts) {
                Ok(()) => return Ok(()),
                Err(again) => why = again,
            }
        }
    }

    fn send_large(
        &self,
        guarantee: Guarantee,
        timeout: Duration,
        parts: &[IoSlice<'_>],
    ) -> Result<()> {
        // The worker may outlive this call, so it needs a message of its own.
        let message = parts
            .iter()
            .flat_map(|part| part.iter().copied())
            .collect::<Vec<u8>>();
        self.link.call(
            "send a large message to the group",
            timeout,
            move |requests| requests.multicast_large(guarantee.as_c(), &message),
        )
    }
}

#[cold]
fn send_refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Status(status @ Status::NOT_EXIST) => error::failed_as(
            status,
            ErrorKind::NotFound,
            "this connection is in no group",
        )
        .with_hint("join a group before sending"),
        Refusal::Status(status @ Status::INVALID_PARAM) => error::failed_as(
            status,
            ErrorKind::Invalid,
            format_args!("a message has at most {MOST_PARTS} parts"),
        ),
        other => other.into_error(),
    }
    .context("send to the group")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_may_do_what_the_documentation_says() {
        fn moves<T: Send + 'static>() {}
        fn is_shared<T: Send + Sync + Clone + 'static>() {}
        moves::<Cpg>();
        moves::<Watch<Cpg>>();
        is_shared::<Sender>();
    }
}
