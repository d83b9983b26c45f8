//! The thread that owns GLib's default main context, and how others hand it work.

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pacemaker_sys as sys;

use super::{log, setup};
use crate::live::ffi::corosync::block_signals;
use crate::{Error, ErrorKind, Result};

/// Proof that the code runs on the Pacemaker thread: neither `Send` nor `Sync`, and only lent.
#[derive(Debug)]
pub(crate) struct Here(PhantomData<*mut ()>);

/// Work for the Pacemaker thread.
pub(crate) type Job = Box<dyn FnOnce(&Here) + Send>;

thread_local! {
    static IS_PACEMAKER_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Tells whether the caller is the Pacemaker thread itself.
pub(crate) fn is_here() -> bool {
    IS_PACEMAKER_THREAD.get()
}

/// Takes GLib's default main context for this thread, prepares the C libraries, reports through
/// `ready`, and runs the context for ever.
///
/// Must be called by a thread made for it.
pub(crate) fn run(ready: impl FnOnce(Result<()>)) {
    block_signals();
    // SAFETY: a null context is the default one; acquiring has no other precondition.
    if unsafe { sys::g_main_context_acquire(std::ptr::null_mut()) } == 0 {
        ready(Err(Error::new(
            ErrorKind::Unsupported,
            "another thread runs GLib's default main context, which Pacemaker's library needs",
        )
        .with_hint(
            "make the first call into the cluster before starting a GLib main loop",
        )));
        return;
    }
    IS_PACEMAKER_THREAD.set(true);
    setup::prepare(&Here(PhantomData));
    // SAFETY: a loop over the default context, which this thread owns. It is never quit, so it is
    // never freed either.
    let main_loop = unsafe { sys::g_main_loop_new(std::ptr::null_mut(), 0) };
    ready(Ok(()));
    // SAFETY: made above.
    unsafe { sys::g_main_loop_run(main_loop) };
}

/// Hands a job to the Pacemaker thread; jobs run in the order in which they were posted.
///
/// Callable from any thread. `g_main_context_invoke` would run the job on the caller's thread
/// whenever that one can take the context.
pub(crate) fn post(job: Job) {
    attach(
        // SAFETY: makes a source that no context has yet.
        unsafe { sys::g_idle_source_new() },
        job,
    );
}

fn attach(source: *mut sys::GSource, job: Job) {
    let data = Box::into_raw(Box::new(Some(job))).cast::<c_void>();
    // SAFETY: `source` is ours until it is attached, and GLib's functions on a source are
    // thread-safe. `data` is a `Box<Option<Job>>` that `drop_job` frees once, when the source is
    // destroyed; the job is `Send`.
    unsafe {
        sys::g_source_set_priority(source, 0);
        sys::g_source_set_callback(source, Some(run_job), data, Some(drop_job));
        sys::g_source_set_name(source, c"ha-core job".as_ptr());
        sys::g_source_attach(source, std::ptr::null_mut());
        sys::g_source_unref(source);
    }
}

unsafe extern "C" fn run_job(data: *mut c_void) -> i32 {
    // SAFETY: `data` is the box that `attach` gave to this source; only this thread runs it.
    let job = unsafe { &mut *data.cast::<Option<Job>>() };
    if let Some(job) = job.take() {
        guard("a job", || {
            let here = Here(PhantomData);
            log::follow_level(&here);
            job(&here);
        });
    }
    sys::G_SOURCE_REMOVE
}

unsafe extern "C" fn drop_job(data: *mut c_void) {
    // SAFETY: GLib calls this once, when it lets the source go.
    let job = unsafe { Box::from_raw(data.cast::<Option<Job>>()) };
    guard("a job", move || drop(job));
}

/// Runs Rust code that C called: a panic is logged and goes no further.
///
/// Calls that a user waits for carry their own panics back (see `runtime::call`); this is the net
/// under everything else.
pub(super) fn guard(what: &str, f: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(f)) {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let _ = catch_unwind(|| tracing::error!("panic in {what} on the Pacemaker thread: {text}"));
    }
}

/// Gives C callbacks the proof that they run on the Pacemaker thread, when they do.
pub(super) fn on_this_thread(f: impl FnOnce(&Here)) {
    if is_here() {
        f(&Here(PhantomData));
    }
}

unsafe extern "C" {
    fn qb_ipcc_connect(name: *const std::ffi::c_char, max_msg_size: usize) -> *mut c_void;
    fn qb_ipcc_disconnect(connection: *mut c_void);
}

/// Opens and closes a connection to an IPC server, to learn whether it answers.
///
/// Blocks for ever when the server is stopped, so it is for a thread that can be given up (which
/// takes no signals from here on).
/// Callable from any thread once the library is set up.
pub(crate) fn touch_server(server: &CStr) -> std::io::Result<()> {
    block_signals();
    // SAFETY: libqb's client side keeps no state outside the connection it returns, which is used
    // and freed here alone.
    unsafe {
        let connection = qb_ipcc_connect(server.as_ptr(), 16 * 1024);
        if connection.is_null() {
            return Err(std::io::Error::last_os_error());
        }
        qb_ipcc_disconnect(connection);
    }
    Ok(())
}
