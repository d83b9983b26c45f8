//! Process groups, against the real corosync.

mod crowd;
mod handling;
mod members;
mod messages;

use ha_core::Result;
use lab::harness::Harness;

pub(crate) fn register(harness: &mut Harness) {
    crowd::register(harness);
    messages::register(harness);
    members::register(harness);
    handling::register(harness);
}

/// A test that is one function inside a node.
type Here = fn(()) -> Result<()>;

fn register_here(harness: &mut Harness, tests: &[(&'static str, Here)]) {
    for &(name, function) in tests {
        harness.agent(name, function);
        harness.shared(name, move |lab| lab.node("maitre")?.call(name, &()));
    }
}
