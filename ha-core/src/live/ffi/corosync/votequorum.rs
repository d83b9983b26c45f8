//! libvotequorum.

use std::collections::VecDeque;
use std::ffi::CStr;

use corosync_sys as sys;

use super::slot::Slot;
use super::{DispatchError, Events, Library, Requests, Status, collect, lent, note, text};
use crate::live::corosync::votequorum::{Event, Flags, Info, NodeState, Qdevice};
use crate::live::corosync::{NodeId, RingId};

/// The library.
#[derive(Debug)]
pub(in crate::live) struct VoteQuorum;

impl Library for VoteQuorum {
    fn finalize(handle: u64) -> sys::cs_error_t {
        // SAFETY: any number is accepted: the library checks handles.
        unsafe { sys::votequorum_finalize(handle) }
    }
}

thread_local! {
    static SLOT: Slot<VecDeque<Event>> = const { Slot::new() };
}

pub(in crate::live) fn connect() -> Result<(Requests<VoteQuorum>, Events<VoteQuorum>), Status> {
    let mut callbacks = sys::votequorum_callbacks_t {
        votequorum_quorum_notify_fn: Some(on_quorum),
        votequorum_expectedvotes_notify_fn: Some(on_expected_votes),
        votequorum_nodelist_notify_fn: Some(on_nodes),
    };
    let mut handle = 0;
    // SAFETY: the library copies the callbacks; the other pointer is valid for one handle.
    let code = unsafe { sys::votequorum_initialize(&raw mut handle, &raw mut callbacks) };
    Status::check(code)?;
    // SAFETY: the handle was just made; the pointer is valid for one int.
    Requests::split(handle, |fd| unsafe { sys::votequorum_fd_get(handle, fd) })
}

impl Requests<VoteQuorum> {
    pub(in crate::live) fn info(&mut self, node: NodeId) -> Result<Info, Status> {
        self.spend();
        let mut info = sys::votequorum_info {
            node_id: 0,
            node_state: 0,
            node_votes: 0,
            node_expected_votes: 0,
            highest_expected: 0,
            total_votes: 0,
            quorum: 0,
            flags: 0,
            qdevice_votes: 0,
            qdevice_name: [0; 255],
        };
        // SAFETY: the pointer is valid for one such structure.
        let code = unsafe { sys::votequorum_getinfo(self.handle, node.0, &raw mut info) };
        Status::check(code)?;
        let flags = Flags::from_bits(info.flags);
        Ok(Info {
            node: NodeId(info.node_id),
            state: NodeState::from_c(info.node_state),
            votes: info.node_votes,
            expected_votes: info.node_expected_votes,
            highest_expected_votes: info.highest_expected,
            total_votes: info.total_votes,
            quorum: info.quorum,
            flags,
            qdevice: flags.qdevice_registered.then(|| Qdevice {
                name: text(&info.qdevice_name),
                votes: info.qdevice_votes,
            }),
        })
    }

    pub(in crate::live) fn set_expected_votes(&mut self, votes: u32) -> Result<(), Status> {
        self.spend();
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::votequorum_setexpected(self.handle, votes) })
    }

    pub(in crate::live) fn set_votes(&mut self, node: NodeId, votes: u32) -> Result<(), Status> {
        self.spend();
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::votequorum_setvotes(self.handle, node.0, votes) })
    }

    /// Asks for the present state and each later change as events.
    pub(in crate::live) fn track(&mut self) -> Result<(), Status> {
        self.spend();
        let flags = (sys::CS_TRACK_CURRENT | sys::CS_TRACK_CHANGES).cast_unsigned();
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::votequorum_trackstart(self.handle, 0, flags) })
    }

    pub(in crate::live) fn untrack(&mut self) -> Result<(), Status> {
        self.spend();
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::votequorum_trackstop(self.handle) })
    }

    pub(in crate::live) fn register_qdevice(&mut self, name: &CStr) -> Result<(), Status> {
        self.spend();
        // SAFETY: the library only reads the name, up to its NUL.
        Status::check(unsafe { sys::votequorum_qdevice_register(self.handle, name.as_ptr()) })
    }

    pub(in crate::live) fn unregister_qdevice(&mut self, name: &CStr) -> Result<(), Status> {
        self.spend();
        // SAFETY: as in `register_qdevice`.
        Status::check(unsafe { sys::votequorum_qdevice_unregister(self.handle, name.as_ptr()) })
    }

    pub(in crate::live) fn rename_qdevice(&mut self, old: &CStr, new: &CStr) -> Result<(), Status> {
        self.spend();
        // SAFETY: as in `register_qdevice`, for two names.
        Status::check(unsafe {
            sys::votequorum_qdevice_update(self.handle, old.as_ptr(), new.as_ptr())
        })
    }

    pub(in crate::live) fn poll_qdevice(
        &mut self,
        name: &CStr,
        casts_vote: bool,
        ring: RingId,
    ) -> Result<(), Status> {
        self.spend();
        let ring = sys::votequorum_ring_id_t {
            nodeid: ring.node.0,
            seq: ring.sequence,
        };
        // SAFETY: as in `register_qdevice`; the ring is passed by value.
        Status::check(unsafe {
            sys::votequorum_qdevice_poll(self.handle, name.as_ptr(), casts_vote.into(), ring)
        })
    }

    pub(in crate::live) fn qdevice_master_wins(
        &mut self,
        name: &CStr,
        allow: bool,
    ) -> Result<(), Status> {
        self.spend();
        // SAFETY: as in `register_qdevice`.
        Status::check(unsafe {
            sys::votequorum_qdevice_master_wins(self.handle, name.as_ptr(), allow.into())
        })
    }
}

pub(in crate::live) fn dispatch(
    events: &mut Events<VoteQuorum>,
    into: &mut VecDeque<Event>,
) -> Result<(), DispatchError> {
    let handle = events.handle;
    // SAFETY: the token says that no other thread dispatches this handle; `collect` has checked
    // that the stack has room for the library's buffer.
    collect(&SLOT, into, |flags| unsafe {
        sys::votequorum_dispatch(handle, flags)
    })
}

unsafe extern "C" fn on_quorum(
    _handle: sys::votequorum_handle_t,
    _context: u64,
    quorate: u32,
    count: u32,
    nodes: *mut sys::votequorum_node_t,
) {
    // SAFETY: the library lends the list until this callback returns.
    let nodes = unsafe { lent(nodes.cast_const(), count as usize) };
    let nodes = nodes
        .iter()
        .map(|n| (NodeId(n.nodeid), NodeState::from_c(n.state)))
        .collect();
    note(
        &SLOT,
        Event::Quorum {
            quorate: quorate != 0,
            nodes,
        },
    );
}

unsafe extern "C" fn on_nodes(
    _handle: sys::votequorum_handle_t,
    _context: u64,
    ring: sys::votequorum_ring_id_t,
    count: u32,
    nodes: *mut u32,
) {
    // SAFETY: the library lends the list until this callback returns.
    let nodes = unsafe { lent(nodes.cast_const(), count as usize) };
    let ring = RingId {
        node: NodeId(ring.nodeid),
        sequence: ring.seq,
    };
    note(
        &SLOT,
        Event::Nodes {
            ring,
            nodes: nodes.iter().map(|&node| NodeId(node)).collect(),
        },
    );
}

unsafe extern "C" fn on_expected_votes(
    _handle: sys::votequorum_handle_t,
    _context: u64,
    votes: u32,
) {
    note(&SLOT, Event::ExpectedVotes(votes));
}
