//! The cluster's status, as Pacemaker's `crm_mon` prints it.
//!
//! Reads the running cluster, the CIB in the file that `CIB_file` names (`-` for standard input), or
//! the shadow CIB that `CIB_shadow` names.
//!
//! To load Pacemaker's libraries takes far longer than to print the status. So this program does
//! without: it reads a file by itself, and takes one look at the running cluster over libqb. For all
//! else, as to follow the cluster or to say why it cannot be reached, it hands over to `crm_mon-live`,
//! which lies beside it and has those libraries.
#![cfg_attr(not(test), no_main)]

mod arguments;
mod ask;
#[path = "cluster/other.rs"]
mod cluster;
mod failure;
mod program;
mod source;
mod stored;
mod words;
mod zone;

/// Called by the C library. What the standard library does before a `main` of its own is to look for
/// the end of the stack in `/proc/self/maps`, which is a twentyfifth of the instructions and a twelfth
/// of the memory that a small CIB takes. And it ignores `SIGPIPE`, which ends Pacemaker's `crm_mon`.
#[allow(unsafe_code, reason = "the only symbol of this name in the program")]
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, allow(dead_code, reason = "the tests have a main of their own"))]
extern "C" fn main() -> std::ffi::c_int {
    /// What a panic ends a Rust program with; it has been printed.
    const PANIC: u8 = 101;
    let code = std::panic::catch_unwind(program::main).unwrap_or(PANIC);
    std::process::exit(code.into())
}
