//! What agents this node has, as the executor's library finds them.

use std::ffi::{CStr, c_char, c_int};
use std::ptr::NonNull;

use pacemaker_sys as sys;

use super::Here;
use super::api::text;

/// A handle of the library that is not connected: listing reads folders, and asks systemd.
#[derive(Debug)]
pub(crate) struct Executor(NonNull<sys::lrmd_t>);

impl Executor {
    pub(crate) fn new(_: &Here) -> Result<Self, c_int> {
        // SAFETY: makes a handle, or null.
        let handle = NonNull::new(unsafe { sys::lrmd_api_new() });
        handle.map(Self).ok_or(-libc::ENOMEM)
    }

    fn methods(&self) -> &sys::lrmd_api_operations_t {
        // SAFETY: a handle has its table of operations from birth to death.
        unsafe { &*(*self.0.as_ptr()).cmds }
    }

    /// The standards that this node supports.
    pub(crate) fn standards(&self, _: &Here) -> Result<Vec<String>, c_int> {
        let Some(list) = self.methods().list_standards else {
            return Err(-libc::EOPNOTSUPP);
        };
        let mut found = std::ptr::null_mut();
        // SAFETY: the handle is alive; `found` receives a list that is ours.
        unsafe { take(list(self.0.as_ptr(), &raw mut found), found) }
    }

    /// The providers of OCF agents.
    pub(crate) fn providers(&self, _: &Here, agent: Option<&CStr>) -> Result<Vec<String>, c_int> {
        let Some(list) = self.methods().list_ocf_providers else {
            return Err(-libc::EOPNOTSUPP);
        };
        let mut found = std::ptr::null_mut();
        // SAFETY: as above; the name is read during the call only.
        unsafe { take(list(self.0.as_ptr(), pointer(agent), &raw mut found), found) }
    }

    /// The agents of a standard, and of a provider when one is named.
    pub(crate) fn agents(
        &self,
        _: &Here,
        standard: &CStr,
        provider: Option<&CStr>,
    ) -> Result<Vec<String>, c_int> {
        let Some(list) = self.methods().list_agents else {
            return Err(-libc::EOPNOTSUPP);
        };
        let mut found = std::ptr::null_mut();
        // SAFETY: as above.
        unsafe {
            let rc = list(
                self.0.as_ptr(),
                &raw mut found,
                standard.as_ptr(),
                pointer(provider),
            );
            take(rc, found)
        }
    }

    /// The metadata that the library makes up for an agent that has none of its own to run (`lsb`,
    /// `systemd`, `service`).
    pub(crate) fn metadata(
        &self,
        _: &Here,
        standard: &CStr,
        agent: &CStr,
    ) -> Result<Option<String>, c_int> {
        let Some(get) = self.methods().get_metadata else {
            return Err(-libc::EOPNOTSUPP);
        };
        let mut output: *mut c_char = std::ptr::null_mut();
        // SAFETY: the handle is alive; `output` receives a string that is ours to free.
        unsafe {
            let rc = get(
                self.0.as_ptr(),
                standard.as_ptr(),
                std::ptr::null(),
                agent.as_ptr(),
                &raw mut output,
                0,
            );
            let metadata = text(output);
            libc::free(output.cast());
            if rc < 0 { Err(rc) } else { Ok(metadata) }
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // SAFETY: ours, and nothing uses it afterwards.
        unsafe { sys::lrmd_api_delete(self.0.as_ptr()) };
    }
}

fn pointer(text: Option<&CStr>) -> *const c_char {
    text.map_or(std::ptr::null(), CStr::as_ptr)
}

/// Copies a list that the library gave away, and frees it. A count below zero is an error.
///
/// # Safety
/// `list` is null or such a list, whose strings are NUL-terminated.
unsafe fn take(count: c_int, list: *mut sys::lrmd_list_t) -> Result<Vec<String>, c_int> {
    let mut names = Vec::new();
    let mut item = list;
    // SAFETY: by this function's own contract; freed once, after the last look.
    unsafe {
        while !item.is_null() {
            names.extend(text((*item).val));
            item = (*item).next;
        }
        if !list.is_null() {
            sys::lrmd_list_freeall(list);
        }
    }
    if count < 0 { Err(count) } else { Ok(names) }
}
