//! The tests against the real daemons: one module for each topic.
//!
//! How to write one: the documentation of the crate `lab`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::needless_pass_by_value, reason = "agents own their arguments")]

mod advice;
mod cfg;
mod cib;
mod cluster;
mod cmap;
mod corosync;
mod cpg;
mod crm_mon;
mod daemons;
mod departures;
mod details;
mod events;
mod faults_of_changes;
mod fencing;
mod glance;
mod hactl;
mod lab_faults;
mod lab_itself;
mod lab_program;
mod operations;
mod packages;
mod patience;
mod process;
mod qdevice;
mod quorum;
mod respawn;
mod running;
mod screen;
mod session;
mod settled;
mod sphynx;
mod states;
mod tours;
mod validate;
mod watch;
mod written_by_tools;

fn main() -> std::process::ExitCode {
    let mut harness = lab::harness::Harness::new();
    advice::register(&mut harness);
    cfg::register(&mut harness);
    cib::register(&mut harness);
    cluster::register(&mut harness);
    cmap::register(&mut harness);
    corosync::register(&mut harness);
    cpg::register(&mut harness);
    crm_mon::register(&mut harness);
    daemons::register(&mut harness);
    departures::register(&mut harness);
    details::register(&mut harness);
    events::register(&mut harness);
    faults_of_changes::register(&mut harness);
    fencing::register(&mut harness);
    glance::register(&mut harness);
    hactl::register(&mut harness);
    lab_faults::register(&mut harness);
    lab_itself::register(&mut harness);
    lab_program::register(&mut harness);
    operations::register(&mut harness);
    packages::register(&mut harness);
    patience::register(&mut harness);
    qdevice::register(&mut harness);
    quorum::register(&mut harness);
    running::register(&mut harness);
    screen::register(&mut harness);
    session::register(&mut harness);
    settled::register(&mut harness);
    sphynx::register(&mut harness);
    states::register(&mut harness);
    tours::register(&mut harness);
    validate::register(&mut harness);
    watch::register(&mut harness);
    written_by_tools::register(&mut harness);
    harness.main()
}
