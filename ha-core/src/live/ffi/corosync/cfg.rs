//! libcfg.

use std::collections::VecDeque;
use std::ffi::{CStr, c_char};
use std::net::IpAddr;

use corosync_sys as sys;

use super::slot::Slot;
use super::{DispatchError, Events, Library, Requests, Status, collect, note, text};
use crate::live::corosync::NodeId;
use crate::live::corosync::cfg::{Interface, Link, NodeStatus, Shutdown, ShutdownRequest};

/// The library.
#[derive(Debug)]
pub(in crate::live) struct Cfg;

impl Library for Cfg {
    fn finalize(handle: u64) -> sys::cs_error_t {
        // SAFETY: any number is accepted: the library checks handles.
        unsafe { sys::corosync_cfg_finalize(handle) }
    }
}

thread_local! {
    static SLOT: Slot<VecDeque<ShutdownRequest>> = const { Slot::new() };
}

pub(in crate::live) fn connect() -> Result<(Requests<Cfg>, Events<Cfg>), Status> {
    let callbacks = sys::corosync_cfg_callbacks_t {
        corosync_cfg_shutdown_callback: Some(on_shutdown),
    };
    let mut handle = 0;
    // SAFETY: the library copies the callbacks; the other pointer is valid for one handle.
    let code = unsafe { sys::corosync_cfg_initialize(&raw mut handle, &raw const callbacks) };
    Status::check(code)?;
    // SAFETY: the handle was just made; the pointer is valid for one int.
    Requests::split(handle, |fd| unsafe { sys::corosync_cfg_fd_get(handle, fd) })
}

impl Requests<Cfg> {
    pub(in crate::live) fn local_node(&mut self) -> Result<NodeId, Status> {
        self.spend();
        let mut node = 0;
        // SAFETY: the pointer is valid for one unsigned int.
        Status::check(unsafe { sys::corosync_cfg_local_get(self.handle, &raw mut node) })?;
        Ok(NodeId(node))
    }

    pub(in crate::live) fn interfaces(&mut self) -> Result<Vec<Interface>, Status> {
        self.spend();
        let (mut names, mut states) = (std::ptr::null_mut(), std::ptr::null_mut());
        let mut count = 0;
        // SAFETY: the pointers are valid for one value each.
        let code = unsafe {
            sys::corosync_cfg_ring_status_get(
                self.handle,
                &raw mut names,
                &raw mut states,
                &raw mut count,
            )
        };
        Status::check(code)?;
        let count = usize::try_from(count).unwrap_or(0);
        // SAFETY: on success the library gives two arrays of `count` strings each, all made with
        // malloc, to be freed by the caller.
        let (names, states) = unsafe { (taken(names, count), taken(states, count)) };
        Ok(names
            .into_iter()
            .zip(states)
            .map(|(name, state)| Interface::new(&name, state))
            .collect())
    }

    pub(in crate::live) fn node_status(&mut self, node: NodeId) -> Result<NodeStatus, Status> {
        self.spend();
        let link = sys::corosync_knet_link_status_v1 {
            enabled: 0,
            connected: 0,
            dynconnected: 0,
            mtu: 0,
            src_ipaddr: [0; 256],
            dst_ipaddr: [0; 256],
        };
        let mut status = sys::corosync_cfg_node_status_v1 {
            version: sys::CFG_NODE_STATUS_V1,
            nodeid: 0,
            reachable: 0,
            remote: 0,
            external: 0,
            onwire_min: 0,
            onwire_max: 0,
            onwire_ver: 0,
            link_status: [link; 8],
        };
        // SAFETY: the pointer is valid for one structure of the version asked for.
        let code = unsafe {
            sys::corosync_cfg_node_status_get(
                self.handle,
                node.0,
                sys::CFG_NODE_STATUS_V1,
                (&raw mut status).cast(),
            )
        };
        Status::check(code)?;
        let links = status
            .link_status
            .iter()
            .enumerate()
            .map(|(number, link)| Link {
                number,
                enabled: link.enabled != 0,
                connected: link.connected != 0,
                dynamically_connected: link.dynconnected != 0,
                mtu: link.mtu,
                source: text(&link.src_ipaddr),
                destination: text(&link.dst_ipaddr),
            });
        Ok(NodeStatus {
            node: NodeId(status.nodeid),
            reachable: status.reachable != 0,
            remote: status.remote != 0,
            external: status.external != 0,
            onwire_min: status.onwire_min,
            onwire_max: status.onwire_max,
            onwire: status.onwire_ver,
            links: links
                .filter(|link| link.enabled || !link.source.is_empty())
                .collect(),
        })
    }

    pub(in crate::live) fn addresses(&mut self, node: NodeId) -> Result<Vec<IpAddr>, Status> {
        self.spend();
        let none = sys::corosync_cfg_node_address_t {
            address_length: 0,
            address: [0; 28],
        };
        let mut list = [none; MOST_ADDRESSES];
        let mut count = 0;
        // SAFETY: the library writes at most as many addresses as told, the array's length.
        let code = unsafe {
            sys::corosync_cfg_get_node_addrs(
                self.handle,
                node.0,
                MOST_ADDRESSES,
                &raw mut count,
                list.as_mut_ptr(),
            )
        };
        Status::check(code)?;
        let count = usize::try_from(count).unwrap_or(0);
        Ok(list
            .iter()
            .take(count)
            .filter_map(|entry| address(&entry.address))
            .collect())
    }

    /// Makes all nodes read corosync.conf anew.
    pub(in crate::live) fn reload(&mut self) -> Result<(), Status> {
        self.spend();
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::corosync_cfg_reload_config(self.handle) })
    }

    pub(in crate::live) fn reopen_logs(&mut self) -> Result<(), Status> {
        self.spend();
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::corosync_cfg_reopen_log_files(self.handle) })
    }

    pub(in crate::live) fn kill(&mut self, node: NodeId, reason: &CStr) -> Result<(), Status> {
        self.spend();
        // SAFETY: the reason is NUL-terminated.
        Status::check(unsafe { sys::corosync_cfg_kill_node(self.handle, node.0, reason.as_ptr()) })
    }

    pub(in crate::live) fn shut_down(&mut self, how: Shutdown) -> Result<(), Status> {
        self.spend();
        let flags = match how {
            Shutdown::Ask => sys::COROSYNC_CFG_SHUTDOWN_FLAG_REQUEST,
            Shutdown::Announce => sys::COROSYNC_CFG_SHUTDOWN_FLAG_REGARDLESS,
            Shutdown::Now => sys::COROSYNC_CFG_SHUTDOWN_FLAG_IMMEDIATE,
        };
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::corosync_cfg_try_shutdown(self.handle, flags) })
    }

    /// Asks for an event whenever a program asks corosync to shut down.
    pub(in crate::live) fn track(&mut self) -> Result<(), Status> {
        self.spend();
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::corosync_cfg_trackstart(self.handle, 0) })
    }

    pub(in crate::live) fn untrack(&mut self) -> Result<(), Status> {
        self.spend();
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::corosync_cfg_trackstop(self.handle) })
    }

    pub(in crate::live) fn answer_shutdown(&mut self, allow: bool) -> Result<(), Status> {
        self.spend();
        let answer = if allow {
            sys::COROSYNC_CFG_SHUTDOWN_FLAG_YES
        } else {
            sys::COROSYNC_CFG_SHUTDOWN_FLAG_NO
        };
        // SAFETY: no pointer is passed.
        Status::check(unsafe { sys::corosync_cfg_replyto_shutdown(self.handle, answer) })
    }
}

/// One address for each link.
const MOST_ADDRESSES: usize = 8;

/// Reads a `sockaddr_in` or `sockaddr_in6`; an unused entry has family 0.
fn address(raw: &[c_char; 28]) -> Option<IpAddr> {
    let raw = raw.map(c_char::cast_unsigned);
    let family = i32::from(u16::from_ne_bytes([raw[0], raw[1]]));
    match family {
        libc::AF_INET => <[u8; 4]>::try_from(&raw[4..8]).ok().map(IpAddr::from),
        libc::AF_INET6 => <[u8; 16]>::try_from(&raw[8..24]).ok().map(IpAddr::from),
        _ => None,
    }
}

/// Copies an array of strings and frees it.
///
/// # Safety
/// `array` and the `count` strings in it were made with malloc and are used by nobody else.
unsafe fn taken(array: *mut *mut c_char, count: usize) -> Vec<String> {
    if array.is_null() {
        return Vec::new();
    }
    let take = |index| {
        // SAFETY: as this function asks; each string is read before it is freed, once.
        unsafe {
            let string: *mut c_char = *array.add(index);
            let text = CStr::from_ptr(string).to_string_lossy().into_owned();
            libc::free(string.cast());
            text
        }
    };
    let strings = (0..count).map(take).collect();
    // SAFETY: as this function asks; the array is not used again.
    unsafe { libc::free(array.cast()) };
    strings
}

pub(in crate::live) fn dispatch(
    events: &mut Events<Cfg>,
    into: &mut VecDeque<ShutdownRequest>,
) -> Result<(), DispatchError> {
    let handle = events.handle;
    collect(&SLOT, into, |flags| {
        // SAFETY: the token says that no other thread dispatches this handle; `collect` has
        // checked that the stack has room for the library's buffer.
        unsafe { sys::corosync_cfg_dispatch(handle, flags) }
    })
}

unsafe extern "C" fn on_shutdown(
    _handle: sys::corosync_cfg_handle_t,
    flags: sys::corosync_cfg_shutdown_flags_t,
) {
    let how = match flags {
        sys::COROSYNC_CFG_SHUTDOWN_FLAG_REQUEST => Shutdown::Ask,
        sys::COROSYNC_CFG_SHUTDOWN_FLAG_IMMEDIATE => Shutdown::Now,
        _ => Shutdown::Announce,
    };
    note(&SLOT, ShutdownRequest { how });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_are_read() {
        let mut raw = [0; 28];
        assert_eq!(address(&raw), None);
        let family = (libc::AF_INET as u16).to_ne_bytes();
        (raw[0], raw[1]) = (
            family[0].cast_signed() as c_char,
            family[1].cast_signed() as c_char,
        );
        (raw[4], raw[7]) = (10, 11);
        assert_eq!(address(&raw), Some(IpAddr::from([10, 0, 0, 11])));
        let family = (libc::AF_INET6 as u16).to_ne_bytes();
        (raw[0], raw[1]) = (
            family[0].cast_signed() as c_char,
            family[1].cast_signed() as c_char,
        );
        (raw[4], raw[7], raw[23]) = (0, 0, 1);
        assert_eq!(address(&raw).map(|a| a.to_string()).as_deref(), Some("::1"));
    }
}
