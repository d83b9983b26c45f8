//! The running daemons: Corosync and Pacemaker through their C libraries.

pub mod cluster;
pub mod corosync;
mod ffi;
pub mod pacemaker;
