//! The pair of Sphynx machines, with the services that such a pair really has.

use lab::harness::Harness;

mod net;
mod ssh;
mod tunnel;

pub(crate) fn register(harness: &mut Harness) {
    net::register(harness);
    ssh::register(harness);
    tunnel::register(harness);
}
