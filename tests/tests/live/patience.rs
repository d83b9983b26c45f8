//! Calls that have time, beside others that have none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ha_core::Result;
use ha_core::live::corosync::cpg::{self, Cpg};
use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
use lab::Lab;
use lab::harness::Harness;

/// More than a daemon that is well needs on any machine.
const PATIENT: Duration = Duration::from_secs(60);
const TIMES: usize = 50;

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("patience::calls", calls);
    harness.shared(
        "patience::short_deadlines_of_others_do_no_harm",
        short_deadlines_of_others_do_no_harm,
    );
}

fn join(timeout: Duration) -> Result<Cpg> {
    let mut options = cpg::Options::default();
    options.common.timeout = timeout;
    Cpg::connect(&options)
}

/// Makes patient calls while a second thread makes hasty ones without end.
fn calls((): ()) -> Result<()> {
    let mut options = ConnectOptions::default();
    options.timeout = PATIENT;
    let cib = Cib::connect(&options)?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // What comes of them is not the point.
                for hasty in [0, 1, 1_000_000].map(Duration::from_nanos) {
                    drop(join(hasty));
                    drop(cib.with_timeout(hasty).query());
                }
            }
        });
        let patient = (0..TIMES).try_for_each(|_| {
            cib.query()?;
            join(PATIENT).map(drop)
        });
        done.store(true, Ordering::Relaxed);
        patient
    })
}

fn short_deadlines_of_others_do_no_harm(lab: &Lab) -> Result<()> {
    lab.node("maitre")?.call("patience::calls", &())
}
