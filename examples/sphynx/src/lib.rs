//! The high availability of a Sphynx, EOLE's VPN concentrator: two machines, maître and esclave, of which one
//! carries the addresses and the services.
//!
//! What the programs of this package share. Each of them is named after the step of EOLE's procedure that it does:
//! `appliquer_hautedispo` writes the configuration, `instance` has the dialogue that joins the two machines,
//! `synchro-nodes` copies to the passive machine what it needs to take over, `diagnose` says whether all is well.

pub mod apply;
pub mod cluster;
pub mod corosync;
pub mod diagnose;
pub mod dialogue;
pub mod eole;
pub mod instance;
pub mod interrupt;
pub mod language;
mod process;
pub mod program;
pub mod settings;
pub mod ssh;
pub mod synchro;
