//! Requests to the fencer.

use std::ffi::{CStr, c_char, c_int, c_long};
use std::ptr::NonNull;
use std::time::Duration;

use pacemaker_sys as sys;

use super::Here;
use super::api::text;

/// A connection to the fencer. Stays on the Pacemaker thread; closed by drop.
#[derive(Debug)]
pub(crate) struct Fencer(NonNull<sys::stonith_t>);

/// A fencing action that was asked for, copied.
#[derive(Debug)]
pub(crate) struct Fenced {
    pub(crate) target: String,
    pub(crate) action: String,
    pub(crate) origin: Option<String>,
    pub(crate) delegate: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) state: sys::op_state,
    /// Seconds and nanoseconds of Unix time.
    pub(crate) completed: (i64, i64),
    pub(crate) exit_reason: Option<String>,
}

/// What Pacemaker 2.1.3 appended to `stonith_history_t`, directly after its last field of 2.0.
#[repr(C)]
struct Appended {
    completed_nsec: c_long,
    exit_reason: *const c_char,
}

impl Fencer {
    /// Connects. Blocks for ever when the fencer is stopped (see `runtime::reach`).
    ///
    /// The errors of all functions here are legacy return codes.
    pub(crate) fn connect(_: &Here) -> Result<Self, c_int> {
        // SAFETY: makes a handle, or null.
        let handle = NonNull::new(unsafe { sys::stonith_api_new() });
        let fencer = Self(handle.ok_or(-libc::ENOMEM)?);
        let connect = fencer.methods().connect.ok_or(-libc::EOPNOTSUPP)?;
        // SAFETY: the handle is new; the name is static; without a place for a descriptor the main
        // loop reads the connection.
        let rc = unsafe { connect(fencer.0.as_ptr(), c"ha-core".as_ptr(), std::ptr::null_mut()) };
        if rc < 0 { Err(rc) } else { Ok(fencer) }
    }

    /// Tells whether the fencer is still there, as far as is known.
    pub(crate) fn is_connected(&self, _: &Here) -> bool {
        // SAFETY: the handle is alive.
        unsafe { (*self.0.as_ptr()).state != sys::stonith_disconnected }
    }

    fn methods(&self) -> &sys::stonith_api_operations_t {
        // SAFETY: a handle has its table of operations from birth to death.
        unsafe { &*(*self.0.as_ptr()).cmds }
    }

    /// The devices that are registered here, or those that can fence a node.
    pub(crate) fn devices(
        &self,
        _: &Here,
        target: Option<&CStr>,
        timeout: Duration,
    ) -> Result<Vec<String>, c_int> {
        let query = self.methods().query.ok_or(-libc::EOPNOTSUPP)?;
        let mut found = std::ptr::null_mut();
        let mut names = Vec::new();
        // SAFETY: the handle is alive; `found` receives a list that is ours, freed once after the last
        // look, with its strings.
        let rc = unsafe {
            let rc = query(
                self.0.as_ptr(),
                sys::st_opt_sync_call as c_int,
                target.map_or(std::ptr::null(), CStr::as_ptr),
                &raw mut found,
                seconds(timeout),
            );
            let mut item = found;
            while !item.is_null() {
                names.extend(text((*item).value));
                item = (*item).next;
            }
            if !found.is_null() {
                sys::stonith_key_value_freeall(found, 1, 1);
            }
            rc
        };
        if rc < 0 { Err(rc) } else { Ok(names) }
    }

    /// What was fenced, or tried; of one node or all.
    pub(crate) fn history(
        &self,
        _: &Here,
        target: Option<&CStr>,
        timeout: Duration,
    ) -> Result<Vec<Fenced>, c_int> {
        let history = self.methods().history.ok_or(-libc::EOPNOTSUPP)?;
        // A function that came with the appended fields.
        let has_appended = sys::ABI >= 3 || sys::optional::pcmk_result_get_strings().is_some();
        let mut found = std::ptr::null_mut();
        let mut events = Vec::new();
        // SAFETY: as in `devices`. The appended fields are read only where the library has them.
        let rc = unsafe {
            let rc = history(
                self.0.as_ptr(),
                sys::st_opt_sync_call as c_int,
                target.map_or(std::ptr::null(), CStr::as_ptr),
                &raw mut found,
                seconds(timeout),
            );
            let mut item = found;
            while !item.is_null() {
                let appended = (&raw const (*item).next).add(1).cast::<Appended>();
                let (nanoseconds, exit_reason) = if has_appended {
                    ((*appended).completed_nsec, text((*appended).exit_reason))
                } else {
                    (0, None)
                };
                events.push(Fenced {
                    target: text((*item).target).unwrap_or_default(),
                    action: text((*item).action).unwrap_or_default(),
                    origin: text((*item).origin),
                    delegate: text((*item).delegate),
                    client: text((*item).client),
                    state: (*item).state.cast_unsigned(),
                    completed: ((*item).completed, nanoseconds),
                    exit_reason,
                });
                item = (*item).next;
            }
            if !found.is_null() {
                sys::stonith_history_free(found);
            }
            rc
        };
        if rc < 0 { Err(rc) } else { Ok(events) }
    }
}

impl Drop for Fencer {
    fn drop(&mut self) {
        // SAFETY: ours, and nothing uses it afterwards; runs in a job, not in a callback.
        unsafe {
            if let Some(disconnect) = self.methods().disconnect {
                disconnect(self.0.as_ptr());
            }
            sys::stonith_api_delete(self.0.as_ptr());
        }
    }
}

/// The library counts in whole seconds.
fn seconds(timeout: Duration) -> c_int {
    timeout.as_secs_f64().ceil().clamp(1.0, 86_400.0) as c_int
}
