//! The tests against the real daemons: one module for each topic.
//!
//! How to write one: the documentation of the crate `lab`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::needless_pass_by_value, reason = "agents own their arguments")]

mod cib;
mod daemons;
mod lab_faults;
mod lab_itself;
mod lab_program;
mod session;
mod watch;

fn main() -> std::process::ExitCode {
    let mut harness = lab::harness::Harness::new();
    cib::register(&mut harness);
    daemons::register(&mut harness);
    lab_faults::register(&mut harness);
    lab_itself::register(&mut harness);
    lab_program::register(&mut harness);
    session::register(&mut harness);
    watch::register(&mut harness);
    harness.main()
}
