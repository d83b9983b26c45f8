//! libquorum, model v1.

use std::collections::VecDeque;

use corosync_sys as sys;

use super::slot::Slot;
use super::{DispatchError, Events, Library, Requests, Status, collect, lent, note};
use crate::live::corosync::quorum::Event;
use crate::live::corosync::{NodeId, RingId};

/// The library.
#[derive(Debug)]
pub(in crate::live) struct Quorum;

impl Library for Quorum {
    fn finalize(handle: u64) -> sys::cs_error_t {
        // SAFETY: any number is accepted: the library checks handles.
        unsafe { sys::quorum_finalize(handle) }
    }
}

thread_local! {
    static SLOT: Slot<VecDeque<Event>> = const { Slot::new() };
}

pub(in crate::live) fn connect() -> Result<(Requests<Quorum>, Events<Quorum>), Status> {
    let mut model = sys::quorum_model_v1_data_t {
        model: sys::QUORUM_MODEL_V1,
        quorum_notify_fn: Some(on_quorum),
        nodelist_notify_fn: Some(on_nodes),
    };
    let mut handle = 0;
    let mut kind = 0;
    // SAFETY: the model data is of the type that its first field announces, and is copied by the
    // library; the other pointers are valid for one value each. No context is given.
    let code = unsafe {
        sys::quorum_model_initialize(
            &raw mut handle,
            sys::QUORUM_MODEL_V1,
            (&raw mut model).cast(),
            &raw mut kind,
            std::ptr::null_mut(),
        )
    };
    Status::check(code)?;
    // SAFETY: the handle was just made; the pointer is valid for one int.
    let (mut requests, events) =
        Requests::split(handle, |fd| unsafe { sys::quorum_fd_get(handle, fd) })?;
    requests.extra = kind;
    Ok((requests, events))
}

impl Requests<Quorum> {
    /// Tells whether corosync has a quorum provider at all.
    pub(in crate::live) fn has_provider(&self) -> bool {
        self.extra == sys::QUORUM_SET.cast_unsigned()
    }

    pub(in crate::live) fn is_quorate(&mut self) -> Result<bool, Status> {
        self.spend();
        let mut quorate = 0;
        // SAFETY: the pointer is valid for one int.
        Status::check(unsafe { sys::quorum_getquorate(self.handle, &raw mut quorate) })?;
        Ok(quorate != 0)
    }

    /// Asks for the present state as events, and with `changes` for each later change too.
    pub(in crate::live) fn track(&mut self, changes: bool) -> Result<(), Status> {
        self.spend();
        let flags = sys::CS_TRACK_CURRENT | if changes { sys::CS_TRACK_CHANGES } else { 0 };
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::quorum_trackstart(self.handle, flags.cast_unsigned()) })
    }

    pub(in crate::live) fn untrack(&mut self) -> Result<(), Status> {
        self.spend();
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::quorum_trackstop(self.handle) })
    }
}

pub(in crate::live) fn dispatch(
    events: &mut Events<Quorum>,
    into: &mut VecDeque<Event>,
) -> Result<(), DispatchError> {
    let handle = events.handle;
    // SAFETY: the token says that no other thread dispatches this handle; `collect` has checked
    // that the stack has room for the library's buffer.
    collect(&SLOT, into, |flags| unsafe {
        sys::quorum_dispatch(handle, flags)
    })
}

fn ring(id: sys::quorum_ring_id) -> RingId {
    RingId {
        node: NodeId(id.nodeid),
        sequence: id.seq,
    }
}

/// Copies a list of node numbers.
///
/// # Safety
/// As for [`lent`].
unsafe fn nodes(first: *const u32, count: u32) -> Vec<NodeId> {
    // SAFETY: as this function asks.
    unsafe { lent(first, count as usize) }
        .iter()
        .map(|&node| NodeId(node))
        .collect()
}

unsafe extern "C" fn on_quorum(
    _handle: sys::quorum_handle_t,
    quorate: u32,
    id: sys::quorum_ring_id,
    count: u32,
    members: *const u32,
) {
    // SAFETY: the library lends the list until this callback returns.
    let members = unsafe { nodes(members, count) };
    note(
        &SLOT,
        Event::Quorum {
            quorate: quorate != 0,
            ring: ring(id),
            members,
        },
    );
}

unsafe extern "C" fn on_nodes(
    _handle: sys::quorum_handle_t,
    id: sys::quorum_ring_id,
    members_count: u32,
    members: *const u32,
    joined_count: u32,
    joined: *const u32,
    left_count: u32,
    left: *const u32,
) {
    // SAFETY: the library lends the three lists until this callback returns.
    let event = unsafe {
        Event::Nodes {
            ring: ring(id),
            members: nodes(members, members_count),
            joined: nodes(joined, joined_count),
            left: nodes(left, left_count),
        }
    };
    note(&SLOT, event);
}
