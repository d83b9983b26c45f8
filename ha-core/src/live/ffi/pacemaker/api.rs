//! Connections to the daemons that libcrmcommon has a client interface for.
//!
//! Their replies arrive in callbacks of the main loop, so that a daemon which does not answer holds
//! nobody up but the one who asked.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::NonNull;

use pacemaker_sys as sys;

use super::Here;
use super::mainloop::{guard, on_this_thread};

/// One of those daemons: how it is named, and how its replies are read.
pub(crate) trait Daemon: 'static {
    /// Its number in the library, which differs between the families.
    const NUMBER: sys::pcmk_ipc_server;
    /// The name of its IPC server.
    const SERVER: &'static str;
    /// The name of its process.
    const NAME: &'static str;
    /// A reply, copied out of the library's memory.
    type Reply: Send + 'static;

    /// Copies a reply.
    ///
    /// # Safety
    /// `data` is what the library hands to the callback of a connection to this daemon, during that
    /// callback and with status 0.
    unsafe fn decode(data: *const c_void) -> Self::Reply;
}

/// What arrives on a connection.
#[derive(Debug)]
pub(crate) enum Event<R> {
    /// A reply.
    Reply(R),
    /// The daemon or the library refused, with this exit status.
    Refused(c_int),
    /// The connection is closed from the other side.
    Lost,
}

/// Called on the Pacemaker thread with each event.
type Handler<D> = Box<dyn Fn(Event<<D as Daemon>::Reply>)>;

/// A connection that the main loop reads. Closed by drop, never in a callback.
pub(crate) struct Connection<D: Daemon> {
    api: NonNull<sys::pcmk_ipc_api_t>,
    /// The address that the callback has; freed after the callback is taken back.
    handler: *mut Handler<D>,
}

impl<D: Daemon> Connection<D> {
    /// Connects. Blocks for ever when the daemon is stopped (see `runtime::reach`).
    ///
    /// The error is a return code of the library (`pcmk_rc_*` or an `errno`).
    pub(crate) fn open(_: &Here, handler: Handler<D>) -> Result<Self, c_int> {
        let mut api = std::ptr::null_mut();
        // SAFETY: writes a new handle to `api`, or an error.
        let rc = unsafe { sys::pcmk_new_ipc_api(&raw mut api, D::NUMBER) };
        let api = match NonNull::new(api) {
            Some(api) if rc == 0 => api,
            _ => return Err(if rc == 0 { libc::ENOMEM } else { rc }),
        };
        let connection = Self {
            api,
            handler: Box::into_raw(Box::new(handler)),
        };
        // SAFETY: the handle is new; the callback's data is freed only after the callback is taken
        // back (see drop).
        let rc = unsafe {
            sys::pcmk_register_ipc_callback(
                api.as_ptr(),
                Some(on_event::<D>),
                connection.handler.cast(),
            );
            sys::pcmk_connect_ipc(api.as_ptr(), sys::pcmk_ipc_dispatch_main)
        };
        if rc == 0 { Ok(connection) } else { Err(rc) }
    }

    /// The handle, for the requests of each daemon.
    pub(super) fn raw(&self) -> *mut sys::pcmk_ipc_api_t {
        self.api.as_ptr()
    }
}

impl<D: Daemon> Drop for Connection<D> {
    fn drop(&mut self) {
        // SAFETY: ours, and used by this thread alone. Freeing reports the end of the connection to the
        // callback, so that is taken back first; afterwards nothing has the handler's address.
        unsafe {
            sys::pcmk_register_ipc_callback(self.raw(), None, std::ptr::null_mut());
            sys::pcmk_free_ipc_api(self.raw());
            drop(Box::from_raw(self.handler));
        }
    }
}

unsafe extern "C" fn on_event<D: Daemon>(
    _: *mut sys::pcmk_ipc_api_t,
    kind: sys::pcmk_ipc_event,
    status: sys::crm_exit_t,
    data: *mut c_void,
    handler: *mut c_void,
) {
    guard("a daemon's callback", || {
        let event = match kind {
            sys::pcmk_ipc_event_reply if status != 0 => Event::Refused(status as c_int),
            sys::pcmk_ipc_event_reply if !data.is_null() => {
                // SAFETY: the library's data for this daemon, in its callback, with status 0.
                Event::Reply(unsafe { D::decode(data) })
            }
            sys::pcmk_ipc_event_disconnect => Event::Lost,
            _ => return,
        };
        // SAFETY: the box that `open` registered, alive until the callback is taken back; shared,
        // because a handler never closes its own connection.
        let handler = unsafe { &*handler.cast::<Handler<D>>() };
        on_this_thread(|_| handler(event));
    });
}

/// Returns a string of the library as our own; nothing for null.
///
/// # Safety
/// `text` is null or a NUL-terminated string.
pub(super) unsafe fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: by this function's own contract.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

/// Returns Pacemaker's text for an exit status.
pub(crate) fn exit_text(status: c_int) -> String {
    // SAFETY: returns a static string for any number; callable from any thread.
    unsafe { text(sys::crm_exit_str(status as sys::crm_exit_t)) }
        .unwrap_or_else(|| format!("exit status {status}"))
}

/// Returns the negative code that stands for a newer return code (`pcmk_rc_*` or an `errno`).
pub(crate) fn to_legacy(rc: c_int) -> c_int {
    // SAFETY: a table look-up for any number; callable from any thread.
    unsafe { sys::pcmk_rc2legacy(rc) }
}
