//! Nodes in namespaces that run the real Corosync and Pacemaker.
//!
//! A [`Lab`] is a small network of machines on this one: two cluster nodes (`maitre` and `esclave`)
//! and a gateway host, each in its own network, mount, pid, UTS and IPC namespaces over an overlay
//! of the host's root (or of a Debian tree). Nothing is written outside the lab's own memory file
//! system, and all of it goes away with the process that started it, even when that one is killed.
//!
//! ```no_run
//! use lab::{Lab, LabOptions, NotYet};
//! use std::time::Duration;
//!
//! let lab = Lab::start(&LabOptions::default())?; // both nodes are Online
//! let maitre = lab.node("maitre")?;
//! println!("{}", maitre.command("crm_mon").arg("-1").stdout()?);
//! let cut_at = lab.power_cut("esclave")?;
//! lab.wait_until(Duration::from_secs(20), "maitre sees that esclave is lost", || {
//!     let text = maitre.command("crm_mon").arg("-1").stdout()?;
//!     if text.contains("OFFLINE: [ esclave ]") { Ok(()) } else { Err(NotYet::because(text)) }
//! })?;
//! println!("seen after {:?}", cut_at.elapsed());
//! # Ok::<(), ha_core::Error>(())
//! ```
//!
//! # Code that runs inside a node: agents
//! Whatever talks to the daemons must run in the node's namespaces, in a process of its own. A test
//! registers such functions under a name, and asks a node to run one; the same executable is
//! started again inside the node and calls it. Arguments and result travel as JSON.
//!
//! ```no_run
//! use lab::harness::{Harness, own};
//! use lab::{Lab, LabOptions, agent};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Count { upto: u32 }
//!
//! // Runs inside the node. `agent::say` sends a line to the test while it works.
//! fn count(args: Count) -> ha_core::Result<u32> {
//!     for n in 0..args.upto {
//!         agent::say(&n)?;
//!     }
//!     Ok(args.upto)
//! }
//!
//! // Runs in the test process.
//! fn counts(lab: &Lab) -> ha_core::Result<()> {
//!     let node = lab.node("maitre")?;
//!     let total: u32 = node.call("topic::count", &Count { upto: 3 })?; // start, wait, result
//!     assert_eq!(total, 3);
//!     let mut running = node.start_agent("topic::count", &Count { upto: 3 })?; // or step by step
//!     while let Some(n) = running.heard::<u32>()? {
//!         println!("heard {n}");
//!     }
//!     let total: u32 = running.result()?;
//!     assert_eq!(total, 3);
//!     Ok(())
//! }
//!
//! fn register(harness: &mut Harness) {
//!     harness.agent("topic::count", count);
//!     harness.shared("topic::counts", counts);                       // the lab that tests share
//!     harness.test("topic::alone", own(LabOptions::default(), counts)); // a lab of its own
//! }
//! ```
//!
//! An agent's panic is reported to the test with its message. An agent dies with its node, with the
//! [`agent::Running`] that stands for it, and with the test process.

pub mod agent;
pub mod bench;
mod cib;
mod command;
mod config;
pub mod demo;
mod faults;
pub mod harness;
mod keeper;
mod lab;
mod machine;
mod network;
mod node;
mod options;
mod pings;
mod registry;
pub mod scene;
pub mod sphynx;
pub mod ssh;
mod stopwatch;
mod systemd;
mod terminal;
pub mod tunnel;
mod wait;

pub use command::{NodeCommand, Output, Process};
pub use config::Transport;
pub use lab::{Lab, require_root};
pub use network::{Link, WORLD};
pub use node::Node;
pub use options::LabOptions;
pub use pings::Pings;
pub use terminal::Terminal;
pub use wait::{NotYet, wait_until};

/// The first argument of an executable of ours that is started again in another role.
const ROLE: &str = "--lab-role";

/// Does the work of an inner role of the lab when this process was started for one.
///
/// Every program that starts labs calls this first in `main` and ends with the returned code:
/// the lab starts the same executable again to hold its namespaces and to be PID 1 of its nodes.
#[must_use]
pub fn inner_role() -> Option<std::process::ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != ROLE {
        return None;
    }
    let role = args.next().unwrap_or_default();
    let rest: Vec<String> = args.map(|a| a.to_string_lossy().into_owned()).collect();
    let done = match role.to_str() {
        Some("keeper") => keeper::run(&rest),
        Some("machine") => machine::run(&rest),
        _ => Err(ha_core::Error::invalid(format!("unknown role {role:?}"))),
    };
    Some(match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("lab {}: {e:#}", role.to_string_lossy());
            std::process::ExitCode::FAILURE
        }
    })
}
