//! Requests to the fencer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_long};
use std::ptr::NonNull;
use std::time::Duration;

use pacemaker_sys as sys;

use super::Here;
use super::api::text;
use super::mainloop::guard;

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

/// Called on the Pacemaker thread with the result of a fencing action: 0, or a legacy return code.
type Done = Box<dyn FnOnce(c_int)>;

thread_local! {
    /// Who wants to know how an action ends, by a number that the library's callback gets: it tells
    /// nobody when it forgets a callback.
    static WAITING: RefCell<HashMap<usize, Done>> = RefCell::new(HashMap::new());
}

/// Forgets who wanted to know.
pub(crate) fn forget(_: &Here, number: usize) {
    drop(WAITING.with_borrow_mut(|waiting| waiting.remove(&number)));
}

unsafe extern "C" fn on_done(_: *mut sys::stonith_t, data: *mut sys::stonith_callback_data_t) {
    guard("a fencing callback", || {
        if data.is_null() {
            return;
        }
        // SAFETY: the library hands over a result that lives during the callback; its user data is the
        // number that `fence` gave, not an address.
        let (rc, number) = unsafe { ((*data).rc, (*data).userdata.addr()) };
        if let Some(done) = WAITING.with_borrow_mut(|waiting| waiting.remove(&number)) {
            done(rc);
        }
    });
}

impl Fencer {
    /// Asks the fencers of the cluster to do something to a node; `done` hears how it ends, unless
    /// `number`, which must be its own, is forgotten before.
    pub(crate) fn fence(
        &self,
        _: &Here,
        (target, action): (&CStr, &CStr),
        timeout: Duration,
        (number, done): (usize, Done),
    ) -> Result<(), c_int> {
        let methods = self.methods();
        let fence = methods.fence.ok_or(-libc::EOPNOTSUPP)?;
        let register = methods.register_callback.ok_or(-libc::EOPNOTSUPP)?;
        // SAFETY: the handle is alive; the strings are copied into the message. The library does not wait
        // for the action.
        let call = unsafe {
            fence(
                self.0.as_ptr(),
                sys::st_opt_none as c_int,
                target.as_ptr(),
                action.as_ptr(),
                seconds(timeout),
                0,
            )
        };
        if call <= 0 {
            return Err(if call < 0 { call } else { -libc::ECOMM });
        }
        WAITING.with_borrow_mut(|waiting| waiting.insert(number, done));
        // SAFETY: the handle is alive, the name is static, the callback is a static function; the user
        // data is a number that is never followed. Time-outs are the caller's.
        unsafe {
            register(
                self.0.as_ptr(),
                call,
                0,
                sys::st_opt_none as c_int,
                std::ptr::without_provenance_mut(number),
                c"ha-core fence".as_ptr(),
                Some(on_done),
            );
        }
        Ok(())
    }

    /// Says that a node is certain to be down.
    pub(crate) fn confirm(&self, _: &Here, target: &CStr) -> Result<(), c_int> {
        let confirm = self.methods().confirm.ok_or(-libc::EOPNOTSUPP)?;
        // SAFETY: the handle is alive; the name is copied into the message.
        let rc = unsafe {
            confirm(
                self.0.as_ptr(),
                sys::st_opt_sync_call as c_int,
                target.as_ptr(),
            )
        };
        if rc < 0 { Err(rc) } else { Ok(()) }
    }

    /// Forgets what was fenced, or tried; of one node or all.
    pub(crate) fn clear_history(
        &self,
        _: &Here,
        target: Option<&CStr>,
        timeout: Duration,
    ) -> Result<(), c_int> {
        let history = self.methods().history.ok_or(-libc::EOPNOTSUPP)?;
        let options = sys::st_opt_sync_call | sys::st_opt_cleanup;
        let mut found = std::ptr::null_mut();
        // SAFETY: as in `history`; no list is expected, and one that comes is freed.
        let rc = unsafe {
            let rc = history(
                self.0.as_ptr(),
                options as c_int,
                target.map_or(std::ptr::null(), CStr::as_ptr),
                &raw mut found,
                seconds(timeout),
            );
            if !found.is_null() {
                sys::stonith_history_free(found);
            }
            rc
        };
        if rc < 0 { Err(rc) } else { Ok(()) }
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
