//! The cluster's status, as Pacemaker's `crm_mon` prints it.
//!
//! Reads the running cluster, the CIB in the file that `CIB_file` names (`-` for standard input), or
//! the shadow CIB that `CIB_shadow` names.
//!
//! To load Pacemaker's libraries takes far longer than to print the status. So this program does
//! without: it reads a file by itself, and takes one look at the running cluster over libqb. For all
//! else, as to follow the cluster or to say why it cannot be reached, it hands over to `crm_mon-live`,
//! which lies beside it and has those libraries.

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
