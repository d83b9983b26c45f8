//! The other half of `crm_mon`: it can all that `crm_mon` can, through Pacemaker's libraries, and
//! follows the running cluster.

mod arguments;
mod ask;
#[path = "cluster/here.rs"]
mod cluster;
mod failure;
mod follow;
mod live;
mod program;
mod source;
mod stored;
mod words;
mod zone;

fn main() -> std::process::ExitCode {
    program::main().into()
}
