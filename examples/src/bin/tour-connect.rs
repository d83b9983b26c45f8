//! A tour: connect to the cluster of this node, and look. Who leads, which nodes are there, what runs where.
//!
//! Run it on a node, as root or in the group haclient: `tour-connect`.

use std::process::ExitCode;
use std::time::Duration;

use ha_core::Result;
use ha_core::live::cluster::{Cluster, ConnectOptions};

fn main() -> ExitCode {
    match look() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // With its causes, and what to do next.
            eprint!("tour-connect: {e:?}");
            ExitCode::from(e.exit_code())
        }
    }
}

fn look() -> Result<()> {
    // One session, for any thread; made again by itself when a daemon was restarted.
    let cluster = Cluster::connect(&ConnectOptions::default())?;
    let dc = cluster.dc(Duration::from_secs(10))?;
    println!("{} leads the cluster ({})", dc.node, dc.state);

    // What is so now, as values: no text of a tool to take apart.
    let status = cluster.status()?;
    println!("quorum: {}", if status.quorate { "yes" } else { "no" });
    for node in status.nodes() {
        let state = match (node.online, node.standby) {
            (true, false) => "online",
            (true, true) => "standby",
            (false, _) => "offline",
        };
        println!("node {}: {state}", node.name);
    }
    for resource in status.resources().filter(|r| r.is_primitive()) {
        let nodes = status.active_on(&resource.id).join(", ");
        println!(
            "resource {}: {} {nodes}",
            resource.id,
            resource.role.as_str()
        );
    }
    Ok(())
}
