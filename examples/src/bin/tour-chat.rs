//! A tour: talk between the nodes of a cluster, over Corosync's process groups. All members of a group see the
//! same messages in the same order, and who comes and goes between them.
//!
//! `tour-chat [GROUP]` on two nodes: what one reads on its standard input, all print.

use std::io::BufRead;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ha_core::live::corosync::cpg::{Cpg, Group, Options, OwnedEvent};
use ha_core::{Error, Result};

/// Sends each line to a group of processes, and prints what its members say.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The group
    #[arg(default_value = "chat")]
    group: String,
}

fn main() -> ExitCode {
    match chat(&Arguments::parse().group) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprint!("tour-chat: {e:?}");
            ExitCode::from(e.exit_code())
        }
    }
}

fn chat(group: &str) -> Result<()> {
    let mut cpg = Cpg::connect(&Options::default())?;
    cpg.join(&Group::new(group)?)?;
    // A sender goes to another thread; the connection itself receives.
    let sender = cpg.sender();
    let reader = std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            sender.send(line?.as_bytes())?;
        }
        // An empty message is our sign for the end of what one has to say.
        sender.send(b"")
    });
    let me = (cpg.local_node()?, std::process::id());
    loop {
        // While Corosync is quiet, nothing runs here.
        let Some(event) = cpg.next_event(Duration::from_secs(3600))? else {
            continue;
        };
        match event {
            OwnedEvent::Message(said) => {
                let from = (said.sender.node, said.sender.pid);
                if !said.payload.is_empty() {
                    println!(
                        "{}: {}",
                        said.sender,
                        String::from_utf8_lossy(&said.payload)
                    );
                } else if from == me {
                    // Our own last message has come back: all before it were delivered everywhere.
                    break;
                }
            }
            OwnedEvent::Members(change) => {
                println!("{} in the group", change.members.len());
            }
            OwnedEvent::Ring(ring) => println!("ring {}", ring.id),
        }
    }
    reader
        .join()
        .unwrap_or_else(|_| Err(Error::invalid("the thread that reads has panicked")))
}
