//! The C side of Pacemaker's libraries.
//!
//! Everything here runs on the one Pacemaker thread: its functions take a [`Here`], which only the
//! main loop of that thread makes. What may be called from elsewhere says so ([`qb`] all may).

pub(crate) mod api;
pub(crate) mod cib;
pub(crate) mod controld;
mod escape;
pub(crate) mod executor;
pub(crate) mod fencer;
mod hooks;
pub(crate) mod ipc;
mod log;
pub(crate) mod mainloop;
pub(crate) mod pacemakerd;
pub(crate) mod qb;
pub(crate) mod schema;
mod setup;
pub(crate) mod socket;
pub(crate) mod xml;
pub(crate) mod xpath;

pub(crate) use mainloop::Here;

use std::ffi::CStr;

use pacemaker_sys as sys;

/// Returns Pacemaker's text for one of its legacy return codes (negative `errno` or `pcmk_err_*`).
pub(crate) fn legacy_text(rc: i32) -> String {
    // SAFETY: returns a static string for any number; callable from any thread.
    let text = unsafe { sys::pcmk_strerror(rc) };
    if text.is_null() {
        return format!("error {rc}");
    }
    // SAFETY: a NUL-terminated string that lives as long as the library.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
