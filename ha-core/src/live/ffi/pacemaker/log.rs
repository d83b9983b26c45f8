//! Messages of libqb (with Pacemaker's), GLib and libxml2 become `tracing` events.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::{AtomicI32, Ordering};

use pacemaker_sys as sys;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use super::Here;
use super::mainloop::{guard, is_here};

unsafe extern "C" {
    fn qb_log_filter_fn_set(filter: sys::qb_log_filter_fn);
}

/// libqb's number of our log target; -1 before there is one.
static TARGET: AtomicI32 = AtomicI32::new(-1);

thread_local! {
    /// The level that the places in the C code were looked at with.
    static LEVEL: Cell<LevelFilter> = const { Cell::new(LevelFilter::OFF) };
}

/// Sends what the C libraries log from now on to `tracing`, and nothing to stderr or syslog.
pub(super) fn redirect(_: &Here) {
    // SAFETY: libqb's log was initialised by `crm_log_preinit`. The callbacks are static functions
    // that take no user data.
    unsafe {
        let target = sys::qb_log_custom_open(Some(on_qb), None, None, std::ptr::null_mut());
        if target >= 0 {
            TARGET.store(target, Ordering::Relaxed);
            // Pacemaker's own filter obeys PCMK_trace_* variables, and with a trace message enabled
            // a failed check inside the library calls abort(): ours knows no trace level.
            LEVEL.set(LevelFilter::current());
            qb_log_filter_fn_set(Some(choose));
            sys::qb_log_ctl(target, sys::QB_LOG_CONF_ENABLED, 1);
        }
        sys::xmlSetStructuredErrorFunc(std::ptr::null_mut(), Some(on_libxml2));
    }
}

/// Has each place in the C code looked at again if `tracing` wants other levels than it did before.
pub(super) fn follow_level(_: &Here) {
    let level = LevelFilter::current();
    if LEVEL.replace(level) != level && TARGET.load(Ordering::Relaxed) >= 0 {
        // SAFETY: a static function; libqb calls it for each place that it knows, and for each new one.
        unsafe { qb_log_filter_fn_set(Some(choose)) };
    }
}

/// Decides whether what a place in the C code logs reaches us. libqb asks once for each place.
unsafe extern "C" fn choose(site: *mut sys::qb_log_callsite) {
    let target = TARGET.load(Ordering::Relaxed);
    // SAFETY: libqb passes one of its call sites, under its own lock.
    let site = unsafe { &mut *site };
    let wanted = level_of(site.priority).is_some_and(|level| level <= LevelFilter::current());
    site.targets = if wanted && (0..32).contains(&target) {
        1 << target
    } else {
        0
    };
}

/// Maps syslog's priorities; trace (8 and more) is never wanted.
fn level_of(priority: u8) -> Option<Level> {
    match i32::from(priority) {
        ..=sys::LOG_ERR => Some(Level::ERROR),
        sys::LOG_WARNING => Some(Level::WARN),
        sys::LOG_NOTICE | sys::LOG_INFO => Some(Level::INFO),
        sys::LOG_DEBUG => Some(Level::DEBUG),
        _ => None,
    }
}

unsafe extern "C" fn on_qb(
    _: i32,
    site: *mut sys::qb_log_callsite,
    _: *mut libc::timespec,
    message: *const c_char,
) {
    guard("the log callback", || {
        if site.is_null() || message.is_null() {
            return;
        }
        // SAFETY: libqb lends both for the time of this call; the message is NUL-terminated.
        let (priority, function, message) =
            unsafe { ((*site).priority, text((*site).function), text(message)) };
        emit(
            level_of(priority).unwrap_or(Level::TRACE),
            &function,
            message.trim_end(),
        );
    });
}

fn emit(level: Level, function: &str, message: &str) {
    match level {
        Level::ERROR => tracing::error!(target: "pacemaker", function, "{message}"),
        Level::WARN => tracing::warn!(target: "pacemaker", function, "{message}"),
        Level::INFO => tracing::info!(target: "pacemaker", function, "{message}"),
        Level::DEBUG => tracing::debug!(target: "pacemaker", function, "{message}"),
        Level::TRACE => tracing::trace!(target: "pacemaker", function, "{message}"),
    }
}

/// # Safety
/// `text` is null or a NUL-terminated string that outlives the result.
unsafe fn text<'a>(text: *const c_char) -> std::borrow::Cow<'a, str> {
    if text.is_null() {
        return "".into();
    }
    // SAFETY: by this function's own contract.
    unsafe { CStr::from_ptr(text) }.to_string_lossy()
}

/// The default log handler that the process had before Pacemaker's library took its place.
///
/// GLib tells the function and not the data that it was registered with, so a handler of the
/// application cannot be called as it expects; GLib's own takes no data.
pub(super) struct GlibHandler(sys::GLogFunc);

impl GlibHandler {
    pub(super) fn take() -> Self {
        // SAFETY: installs GLib's own handler and returns the one there was.
        Self(unsafe {
            sys::g_log_set_default_handler(Some(sys::g_log_default_handler), std::ptr::null_mut())
        })
    }

    /// On the Pacemaker thread GLib's messages go to `tracing`; on every other one, to GLib's own
    /// handler.
    pub(super) fn put_back(self) {
        let own: unsafe extern "C" fn(_, _, _, _) = sys::g_log_default_handler;
        if self
            .0
            .is_some_and(|handler| handler as usize != own as usize)
        {
            tracing::warn!(
                "the program's default log handler of GLib is out of use; set it again after the \
                 first call into the cluster"
            );
        }
        // SAFETY: a static function without user data.
        unsafe { sys::g_log_set_default_handler(Some(on_glib), std::ptr::null_mut()) };
    }
}

unsafe extern "C" fn on_glib(
    domain: *const c_char,
    level: sys::GLogLevelFlags,
    message: *const c_char,
    data: *mut c_void,
) {
    if !is_here() {
        // SAFETY: with GLib's own arguments; the handler ignores the data.
        return unsafe { sys::g_log_default_handler(domain, level, message, data) };
    }
    guard("the GLib log callback", || {
        let flags = level as u32;
        let level = match () {
            () if flags & (1 << 2 | 1 << 3) != 0 => Level::ERROR,
            () if flags & (1 << 4) != 0 => Level::WARN,
            () if flags & (1 << 5 | 1 << 6) != 0 => Level::INFO,
            () => Level::DEBUG,
        };
        // SAFETY: GLib lends NUL-terminated strings, or null.
        let (domain, message) = unsafe { (text(domain), text(message)) };
        emit(level, &domain, &message);
    });
}

thread_local! {
    /// Where libxml2's messages go while something collects them.
    static COLLECTED: RefCell<Option<Vec<XmlMessage>>> = const { RefCell::new(None) };
}

/// A message of libxml2 and the place in the document that it is about.
#[derive(Debug, Clone)]
pub(super) struct XmlMessage {
    pub(super) text: String,
    /// The node it is about; valid only as long as the document is.
    pub(super) node: *const sys::xmlNode,
}

/// Runs `f` and returns the messages that libxml2 gave meanwhile on this thread.
pub(super) fn collect_xml_messages<T>(_: &Here, f: impl FnOnce() -> T) -> (T, Vec<XmlMessage>) {
    COLLECTED.set(Some(Vec::new()));
    let value = f();
    (value, COLLECTED.take().unwrap_or_default())
}

unsafe extern "C" fn on_libxml2(_: *mut c_void, error: *const sys::xmlError) {
    guard("the libxml2 message callback", || {
        if error.is_null() {
            return;
        }
        // SAFETY: libxml2 lends the error for the time of this call.
        let (message, node) = unsafe { (text((*error).message), (*error).node) };
        let message = message.trim_end();
        let kept = COLLECTED.with_borrow_mut(|kept| {
            kept.as_mut().is_some_and(|kept| {
                kept.push(XmlMessage {
                    text: message.to_owned(),
                    node: node.cast(),
                });
                true
            })
        });
        if !kept {
            emit(Level::DEBUG, "libxml2", message);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use pacemaker_sys as sys;

    use crate::live::pacemaker::runtime;

    /// Pacemaker's handler would turn the first such message of any thread into `abort()`.
    #[test]
    fn critical_messages_of_glib_are_not_fatal() {
        let complain = || {
            // SAFETY: GLib checks for null, complains and returns.
            unsafe { sys::g_main_context_unref(std::ptr::null_mut()) };
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        runtime::call("complain", deadline, move |_| {
            complain();
            Ok(())
        })
        .unwrap();
        complain();
    }

    #[test]
    fn a_job_that_panics_does_so_in_its_caller() {
        let deadline = Instant::now() + Duration::from_secs(20);
        let panic = std::panic::catch_unwind(|| {
            runtime::call("panic", deadline, |_| -> crate::Result<()> {
                panic!("on purpose")
            })
        });
        let text = *panic.unwrap_err().downcast::<&str>().unwrap();
        assert_eq!(text, "on purpose");
        assert_eq!(runtime::call("go on", deadline, |_| Ok(1)).unwrap(), 1);
    }
}
