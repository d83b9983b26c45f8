//! libcpg.

use std::any::Any;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::hint::black_box;
use std::io::IoSlice;
use std::mem::{offset_of, size_of};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::time::Instant;

use corosync_sys as sys;

use super::slot::Slot;
use super::{DispatchError, Events, Library, Requests, Status, lent, stack};
use crate::live::corosync::cpg::{
    Event, Group, Member, Members, Message, OwnedEvent, Process, Ring,
};
use crate::live::corosync::{NodeId, RingId};

/// The library.
#[derive(Debug)]
pub(in crate::live) struct Cpg;

impl Library for Cpg {
    fn finalize(handle: u64) -> sys::cs_error_t {
        // SAFETY: any number is accepted: the library checks handles.
        unsafe { sys::cpg_finalize(handle) }
    }
}

// `Group`, `Member` and `NodeId` are lent from C memory as they are.
const _: () = {
    assert!(size_of::<Group>() == size_of::<sys::cpg_name>());
    assert!(align_of::<Group>() == align_of::<sys::cpg_name>());
    assert!(Group::LENGTH_AT == offset_of!(sys::cpg_name, length));
    assert!(Group::VALUE_AT == offset_of!(sys::cpg_name, value));
    assert!(size_of::<Member>() == size_of::<sys::cpg_address>());
    assert!(align_of::<Member>() == align_of::<sys::cpg_address>());
    assert!(Member::NODE_AT == offset_of!(sys::cpg_address, nodeid));
    assert!(Member::PID_AT == offset_of!(sys::cpg_address, pid));
    assert!(Member::REASON_AT == offset_of!(sys::cpg_address, reason));
    assert!(size_of::<NodeId>() == size_of::<u32>());
};

fn as_c(group: &Group) -> *const sys::cpg_name {
    std::ptr::from_ref(group).cast()
}

/// Connects; `with_ring` asks for the present ring as the first event.
pub(in crate::live) fn connect(with_ring: bool) -> Result<(Requests<Cpg>, Events<Cpg>), Status> {
    let mut model = sys::cpg_model_v1_data_t {
        model: sys::CPG_MODEL_V1,
        cpg_deliver_fn: Some(on_deliver),
        cpg_confchg_fn: Some(on_members),
        cpg_totem_confchg_fn: Some(on_ring),
        flags: if with_ring {
            sys::CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF.cast_unsigned()
        } else {
            0
        },
    };
    let mut handle = 0;
    // SAFETY: the model data is of the type that its first field announces, and is copied by the
    // library. No context is given.
    let code = unsafe {
        sys::cpg_model_initialize(
            &raw mut handle,
            sys::CPG_MODEL_V1,
            (&raw mut model).cast(),
            std::ptr::null_mut(),
        )
    };
    Status::check(code)?;
    // SAFETY: the handle was just made; the pointer is valid for one int.
    Requests::split(handle, |fd| unsafe { sys::cpg_fd_get(handle, fd) })
}

impl Requests<Cpg> {
    /// Joins a group; gives the number of its members instead when there are too many of them.
    pub(in crate::live) fn join(&mut self, group: &Group) -> Result<Option<usize>, Status> {
        let present = self.members(group)?.len();
        if present >= MOST_MEMBERS {
            return Ok(Some(present));
        }
        self.spend();
        // SAFETY: `Group` is laid out as `cpg_name` and its length is at most 128.
        Status::check(unsafe { sys::cpg_join(self.handle, as_c(group)) })?;
        self.extra = JOINED;
        Ok(None)
    }

    pub(in crate::live) fn leave(&mut self, group: &Group) -> Result<(), Status> {
        self.spend();
        // SAFETY: as in `join`.
        Status::check(unsafe { sys::cpg_leave(self.handle, as_c(group)) })?;
        self.extra = 0;
        Ok(())
    }

    pub(in crate::live) fn local_node(&mut self) -> Result<NodeId, Status> {
        self.spend();
        let mut node = 0;
        // SAFETY: the pointer is valid for one unsigned int.
        Status::check(unsafe { sys::cpg_local_get(self.handle, &raw mut node) })?;
        Ok(NodeId(node))
    }

    pub(in crate::live) fn largest_atomic(&mut self) -> Result<usize, Status> {
        let mut size = 0;
        // SAFETY: the pointer is valid for one u32.
        Status::check(unsafe { sys::cpg_max_atomic_msgsize_get(self.handle, &raw mut size) })?;
        Ok(usize::try_from(size).unwrap_or(usize::MAX))
    }

    /// Walks over the members of a group.
    ///
    /// Not with `cpg_membership_get`: corosync (3.1.7) ends when it is asked that about a group of more
    /// than 384 members.
    pub(in crate::live) fn members(&mut self, group: &Group) -> Result<Vec<Process>, Status> {
        let found = self.iterate(sys::CPG_ITERATION_ONE_GROUP, Some(group))?;
        Ok(found.into_iter().map(|(_, process)| process).collect())
    }

    /// Walks over every group of the cluster; without `members`, each group comes once.
    pub(in crate::live) fn groups(
        &mut self,
        members: bool,
    ) -> Result<Vec<(Group, Process)>, Status> {
        let kind = if members {
            sys::CPG_ITERATION_ALL
        } else {
            sys::CPG_ITERATION_NAME_ONLY
        };
        self.iterate(kind, None)
    }

    fn iterate(
        &mut self,
        kind: sys::cpg_iteration_type_t,
        group: Option<&Group>,
    ) -> Result<Vec<(Group, Process)>, Status> {
        let group = group.map_or(std::ptr::null(), as_c);
        let mut cursor = 0;
        self.spend();
        // SAFETY: `Group` is laid out as `cpg_name`, and only read; none is needed for the kinds that
        // come without. The other pointer is valid for one handle.
        let code =
            unsafe { sys::cpg_iteration_initialize(self.handle, kind, group, &raw mut cursor) };
        Status::check(code)?;
        let mut found = Vec::new();
        let mut entry = sys::cpg_iteration_description_t {
            group: sys::cpg_name {
                length: 0,
                value: [0; Group::LONGEST],
            },
            nodeid: 0,
            pid: 0,
        };
        let end = loop {
            // SAFETY: the cursor is open; the pointer is valid for one description.
            match unsafe { sys::cpg_iteration_next(cursor, &raw mut entry) } {
                sys::CS_OK => {
                    // SAFETY: `Group` is laid out as `cpg_name`.
                    let group = unsafe { *(&raw const entry.group).cast::<Group>() };
                    let process = Process {
                        node: NodeId(entry.nodeid),
                        pid: entry.pid,
                    };
                    found.push((group, process));
                }
                sys::CS_ERR_NO_SECTIONS => break Ok(()),
                code => break Err(Status(code)),
            }
        };
        // SAFETY: the cursor is open, and not used again.
        let closed = unsafe { sys::cpg_iteration_finalize(cursor) };
        end?;
        Status::check(closed)?;
        Ok(found)
    }

    /// Writes one message of at most [`Requests::largest_atomic`] bytes; does not block.
    #[inline]
    pub(in crate::live) fn multicast(
        &mut self,
        guarantee: sys::cpg_guarantee_t,
        parts: &[IoSlice<'_>],
    ) -> Result<(), Status> {
        // Outside a group corosync would take the message without a word and drop it.
        if self.extra != JOINED {
            return Err(Status::NOT_EXIST);
        }
        // The library copies the parts into an array of 64 after one of its own.
        if parts.len() > MOST_PARTS {
            return Err(Status::INVALID_PARAM);
        }
        self.spend();
        // SAFETY: an `IoSlice` is an iovec on Unix; the library only reads the parts, whose number
        // is below its limit.
        Status::check(unsafe {
            sys::cpg_mcast_joined(
                self.handle,
                guarantee,
                parts.as_ptr().cast(),
                parts.len() as u32,
            )
        })
    }

    /// Sends a message of any size; blocks while corosync does not take it.
    pub(in crate::live) fn multicast_large(
        &mut self,
        guarantee: sys::cpg_guarantee_t,
        message: &[u8],
    ) -> Result<(), Status> {
        // When corosync ends in the middle of the pieces, the library returns anything at all.
        if self.is_hung_up() {
            return Err(Status::LIBRARY);
        }
        let result = self.multicast(guarantee, &[IoSlice::new(message)]);
        if self.is_hung_up() {
            return Err(Status::LIBRARY);
        }
        result
    }
}

/// Noted in [`Requests::extra`] while the connection is in a group.
const JOINED: u32 = 1;
/// The most members of a group that the library can tell of.
pub(in crate::live) const MOST_MEMBERS: usize = sys::CPG_MEMBERS_MAX.unsigned_abs() as usize;
/// How many parts one message may have.
pub(in crate::live) const MOST_PARTS: usize = 63;

/// What the callbacks of one dispatch work with.
struct Frame {
    /// What is done with an event: it is handed to the caller's closure, or kept.
    act: unsafe fn(&mut Frame, &Event<'_>),
    /// The caller's closure.
    handler: NonNull<()>,
    handled: usize,
    until: Option<Instant>,
    backlog: VecDeque<OwnedEvent>,
    panic: Option<Box<dyn Any + Send>>,
    /// How many members a group had that the library has no room for.
    crowd: Option<usize>,
}

thread_local! {
    static SLOT: Slot<Frame> = const { Slot::new() };
}

/// How often the clock is looked at, in events.
const CLOCK_EVERY: usize = 64;

/// Hands an event to the caller's closure.
///
/// # Safety
/// The frame's handler was made from an `F` that nobody else uses until the frame is gone.
unsafe fn handle<F: FnMut(Event<'_>)>(frame: &mut Frame, event: &Event<'_>) {
    let mut handler = frame.handler.cast::<F>();
    let call = || {
        // SAFETY: as this function asks.
        unsafe { handler.as_mut()(*event) }
    };
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(()) => {
            frame.handled += 1;
            if frame.handled.is_multiple_of(CLOCK_EVERY) {
                frame.look_at_clock();
            }
        }
        Err(panic) => {
            frame.panic = Some(panic);
            frame.act = keep;
        }
    }
}

/// Keeps an event for the next dispatch.
#[cold]
unsafe fn keep(frame: &mut Frame, event: &Event<'_>) {
    frame.backlog.push_back(event.into_owned());
}

impl Frame {
    #[cold]
    fn look_at_clock(&mut self) {
        if self.until.is_some_and(|at| at <= Instant::now()) {
            self.act = keep;
        }
    }
}

/// Hands every event that is there to `handler`; what it does not see is left in `backlog`.
///
/// The library gives no way to stop in the middle. So when the time is over, or the handler has
/// panicked, the events that are still there are kept for the next dispatch: none is lost.
pub(in crate::live) fn dispatch<F: FnMut(Event<'_>)>(
    events: &mut Events<Cpg>,
    backlog: &mut VecDeque<OwnedEvent>,
    until: Option<Instant>,
    handler: &mut F,
) -> (usize, Result<(), DispatchError>) {
    let frame = Frame {
        act: handle::<F>,
        handler: NonNull::from(handler).cast(),
        handled: 0,
        until,
        backlog: std::mem::take(backlog),
        panic: None,
        crowd: None,
    };
    dispatch_frame(events, frame, backlog)
}

/// Keeps every event that is there in `backlog`.
pub(in crate::live) fn collect(
    events: &mut Events<Cpg>,
    backlog: &mut VecDeque<OwnedEvent>,
) -> Result<(), DispatchError> {
    let frame = Frame {
        act: keep,
        handler: NonNull::dangling(),
        handled: 0,
        until: None,
        backlog: std::mem::take(backlog),
        panic: None,
        crowd: None,
    };
    dispatch_frame(events, frame, backlog).1
}

fn dispatch_frame(
    events: &mut Events<Cpg>,
    mut frame: Frame,
    backlog: &mut VecDeque<OwnedEvent>,
) -> (usize, Result<(), DispatchError>) {
    if !stack::is_large_enough() {
        *backlog = frame.backlog;
        return (0, Err(DispatchError::Stack));
    }
    let handle = events.handle;
    let call = || {
        // SAFETY: the token says that no other thread dispatches this handle, and the stack has
        // room for the library's buffer.
        unsafe { sys::cpg_dispatch(handle, sys::CS_DISPATCH_ALL) }
    };
    let code = SLOT.with(|slot| slot.with(&mut frame, call));
    *backlog = frame.backlog;
    if let Some(panic) = frame.panic {
        resume_unwind(panic);
    }
    let result = match frame.crowd {
        Some(members) => Err(DispatchError::Crowd(members)),
        None => Status::check(code).map_err(DispatchError::Status),
    };
    (frame.handled, result)
}

/// Does with an event what the dispatch that C was called from wants.
#[inline]
fn act(event: &Event<'_>) {
    SLOT.with(|slot| {
        slot.enter(|frame| {
            // SAFETY: the frame was made by `dispatch`, which borrows the handler mutably until C
            // returns, or by `collect`, which needs none.
            unsafe { (frame.act)(frame, event) }
        });
    });
}

unsafe extern "C" fn on_deliver(
    _handle: sys::cpg_handle_t,
    group: *const sys::cpg_name,
    node: u32,
    pid: u32,
    message: *mut c_void,
    length: usize,
) {
    // SAFETY: the library lends the group and the message until this callback returns; `Group` is
    // laid out as `cpg_name`. The message lies in the library's buffer also when it is empty.
    let (group, payload) = unsafe {
        (
            &*group.cast::<Group>(),
            std::slice::from_raw_parts(message.cast::<u8>(), length),
        )
    };
    let sender = Process {
        node: NodeId(node),
        pid,
    };
    // Put into memory before the slot is looked up: else each part is saved in a register over
    // that, which costs more than all the rest of this function.
    let event = Event::Message(Message {
        group,
        sender,
        payload,
    });
    act(black_box(&event));
}

unsafe extern "C" fn on_members(
    _handle: sys::cpg_handle_t,
    group: *const sys::cpg_name,
    members: *const sys::cpg_address,
    members_count: usize,
    left: *const sys::cpg_address,
    left_count: usize,
    joined: *const sys::cpg_address,
    joined_count: usize,
) {
    // The library has copied the three lists into arrays of that size, one behind the other.
    let largest = members_count.max(left_count).max(joined_count);
    if largest > MOST_MEMBERS {
        SLOT.with(|slot| slot.enter(|frame| frame.crowd = Some(largest)));
        return;
    }
    // SAFETY: the library lends the group and the three lists until this callback returns;
    // `Member` is laid out as `cpg_address`.
    let change = unsafe {
        Members {
            group: &*group.cast::<Group>(),
            members: lent(members.cast::<Member>(), members_count),
            left: lent(left.cast::<Member>(), left_count),
            joined: lent(joined.cast::<Member>(), joined_count),
        }
    };
    act(&Event::Members(change));
}

unsafe extern "C" fn on_ring(
    _handle: sys::cpg_handle_t,
    ring: sys::cpg_ring_id,
    count: u32,
    nodes: *const u32,
) {
    let id = RingId {
        node: NodeId(ring.nodeid),
        sequence: ring.seq,
    };
    // SAFETY: the library lends the list until this callback returns; a `NodeId` is a u32.
    let nodes = unsafe { lent(nodes.cast::<NodeId>(), count as usize) };
    act(&Event::Ring(Ring { id, nodes }));
}
