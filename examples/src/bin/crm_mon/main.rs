//! The cluster's status, as Pacemaker's `crm_mon` prints it.
//!
//! Reads the running cluster, the CIB in the file that `CIB_file` names (`-` for standard input), or
//! the shadow CIB that `CIB_shadow` names.
//!
//! Only the running cluster needs the C libraries, and to load them takes far longer than to print the
//! status of a file. So this program does without: it hands over to `crm_mon-live`, which lies beside
//! it, when it is asked about the running cluster.

mod arguments;
mod ask;
#[path = "cluster/other.rs"]
mod cluster;
mod failure;
mod program;
mod source;
mod stored;
mod zone;

fn main() -> std::process::ExitCode {
    program::main()
}
