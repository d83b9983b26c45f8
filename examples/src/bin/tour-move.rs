//! A tour: move a resource. See beforehand what that does, do it, wait, and be told why not.
//!
//! `tour-move RESOURCE [NODE]`, on a node of the cluster.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ha_core::Result;
use ha_core::live::cluster::{Cluster, ConnectOptions, Moved, Unfinished};

/// Moves a resource to a node, or away from where it is.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The resource
    resource: String,
    /// The node
    node: Option<String>,
}

fn main() -> ExitCode {
    match relocate(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprint!("tour-move: {e:?}");
            // When the time was over: what was still going on then.
            for unfinished in Unfinished::of(&e) {
                eprintln!("  {unfinished}");
            }
            ExitCode::from(e.exit_code())
        }
    }
}

fn relocate(arguments: &Arguments) -> Result<()> {
    let cluster = Cluster::connect(&ConnectOptions::default())?;
    let resource = cluster.resource(&arguments.resource);
    let order = match &arguments.node {
        Some(node) => resource.move_to(node),
        None => resource.move_away(),
    };
    // Pacemaker's own scheduler says what would happen; nothing does yet.
    for action in order.what_if()? {
        println!("it would {action}");
    }
    // Done, and waited for. The constraint that brings it there is gone when this returns, in any case.
    match order.wait(Duration::from_secs(120))? {
        Moved::Done { to, done } => {
            println!(
                "now on {}, after {:.1} s",
                to.join(", "),
                done.elapsed.as_secs_f64()
            );
        }
        _ => println!("it is there already"),
    }
    Ok(())
}
