//! Preparing the C libraries once, and putting back what they change of the whole process.

use std::ffi::{CString, c_char};

use pacemaker_sys as sys;

use super::hooks::Hooks;
use super::{Here, log};

/// Initialises Pacemaker's library on its thread, quietly.
///
/// `crm_log_preinit` loads the list of schemas (without it, nothing with a CIB file works), and also
/// sets the umask to 026, the locale, the environment variable `PCMK_service` and a GLib log handler
/// that turns every critical message of the process into `abort()`. All of that is undone, and its
/// hooks for libxml2's nodes are kept to this thread.
pub(super) fn prepare(here: &Here) {
    let kept = Kept::take();
    let glib = log::GlibHandler::take();
    let hooks = Hooks::take();
    // SAFETY: called once, on the thread that owns the default context; the name is static and the
    // library copies it; no arguments are given.
    unsafe { sys::crm_log_preinit(c"ha-core".as_ptr(), 0, std::ptr::null_mut()) };
    hooks.put_back(here);
    glib.put_back();
    kept.put_back();
    log::redirect(here);
}

/// What the whole process shares and `crm_log_preinit` changes.
struct Kept {
    umask: libc::mode_t,
    locale: Option<CString>,
    service_was_set: bool,
}

impl Kept {
    fn take() -> Self {
        // SAFETY: `umask` cannot fail; there is no way to read it but to set it. `setlocale` with a
        // null locale only reads; its answer is copied before anything can change it.
        unsafe {
            let umask = libc::umask(0o022);
            libc::umask(umask);
            let locale: *const c_char = libc::setlocale(libc::LC_ALL, std::ptr::null());
            Self {
                umask,
                locale: (!locale.is_null()).then(|| std::ffi::CStr::from_ptr(locale).to_owned()),
                service_was_set: std::env::var_os("PCMK_service").is_some(),
            }
        }
    }

    fn put_back(self) {
        // SAFETY: as above for `umask` and `setlocale`. The environment: the library has just
        // written to it on this thread, under the same rule that the first call into the cluster
        // does not run beside other users of the environment; see `live::pacemaker`.
        unsafe {
            libc::umask(self.umask);
            if let Some(locale) = &self.locale {
                libc::setlocale(libc::LC_ALL, locale.as_ptr());
            }
            if !self.service_was_set {
                std::env::remove_var("PCMK_service");
            }
        }
    }
}
