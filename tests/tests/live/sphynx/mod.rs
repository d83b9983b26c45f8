//! The pair of Sphynx machines, with the services that such a pair really has.

use lab::harness::Harness;

mod ssh;

pub(crate) fn register(harness: &mut Harness) {
    ssh::register(harness);
}
