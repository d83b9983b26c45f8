//! Raw bindings to Pacemaker's client libraries: the CIB, IPC with each daemon, fencing, the executor,
//! result codes; and what a caller needs of libxml2, GLib and libqb.
//!
//! Names are those of the C headers. Two families of libraries exist, and their structures differ:
//!
//! | family | Pacemaker | CIB library | bindings from |
//! |---|---|---|---|
//! | 2 | 2.0.3 to 2.1.x | `libcib.so.27` | 2.0.5 |
//! | 3 | 3.x | `libcib.so.54` | 3.0.0 |
//!
//! The build script takes the family from pkg-config; `cfg(pacemaker_3)` says it to this crate and
//! `DEP_PACEMAKER_ABI` to the build scripts of dependent crates. Within family 2 every structure here is the
//! beginning of what a later library has, so one program runs with all of them; functions that only later
//! libraries have are in [`optional`]. Feature `bindgen` makes the bindings from the installed
//! headers instead.
//!
//! A query's answer is released with [`free_xml`], never with `xmlFreeDoc`, which leaks in family 3.

#[allow(missing_docs, missing_debug_implementations, unsafe_code)]
#[allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]
#[allow(clippy::all, clippy::pedantic, rustdoc::all)]
mod bindings {
    #[cfg(feature = "bindgen")]
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
    #[cfg(all(not(feature = "bindgen"), not(pacemaker_3)))]
    include!("bindings/v2.rs");
    #[cfg(all(not(feature = "bindgen"), pacemaker_3))]
    include!("bindings/v3.rs");
}

pub mod optional;

pub use bindings::*;

/// The family these bindings are for: 2 or 3.
pub const ABI: u8 = if cfg!(pacemaker_3) { 3 } else { 2 };

/// The library that [`cib_native_new`] is in. (`CIB_LIBRARY` of the headers is wrong in family 3.)
pub const CIB_SONAME: &str = if cfg!(pacemaker_3) {
    "libcib.so.54"
} else {
    "libcib.so.27"
};

/// Version that pkg-config told when this crate was built; empty when nothing was probed.
pub const BUILT_WITH: &str = env!("PACEMAKER_SYS_VERSION");

/// Receives libxml2's messages (see [`xmlSetStructuredErrorFunc`]).
#[allow(non_camel_case_types)]
pub type xmlStructuredErrorFunc =
    Option<unsafe extern "C" fn(user_data: *mut core::ffi::c_void, error: *const xmlError)>;

// Declared by hand: libxml2 2.12 made the error `const`, which no caller needs to know.
#[allow(unsafe_code)]
unsafe extern "C" {
    /// Sets the function that receives this thread's libxml2 messages; `None` goes back to stderr.
    pub fn xmlSetStructuredErrorFunc(
        user_data: *mut core::ffi::c_void,
        handler: xmlStructuredErrorFunc,
    );
    /// The last message of libxml2 on this thread, or null.
    pub fn xmlGetLastError() -> *const xmlError;
}
