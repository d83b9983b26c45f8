//! The C side of Pacemaker's libraries.

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

pub use bindings::*;

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
