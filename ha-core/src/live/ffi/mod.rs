//! The only unsafe code of this crate: C structures and callbacks become Rust values here.
#![allow(unsafe_code)]

pub(super) mod corosync;
pub(super) mod pacemaker;
