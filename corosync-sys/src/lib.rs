//! Raw bindings to Corosync's client libraries: cpg, quorum, votequorum, cmap, cfg.
//!
//! Names are those of the C headers. The bindings are checked in; feature `bindgen` makes them from
//! the installed headers. Corosync 3.1.2 and later have the same interface.

#[allow(missing_docs, missing_debug_implementations, unsafe_code)]
#[allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]
#[allow(clippy::all, clippy::pedantic, rustdoc::all)]
mod bindings {
    #[cfg(feature = "bindgen")]
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
    #[cfg(not(feature = "bindgen"))]
    include!("bindings/corosync.rs");
}

pub use bindings::*;

/// True in Corosync's integer flags. C: `!CS_FALSE`.
pub const CS_TRUE: i32 = 1;
