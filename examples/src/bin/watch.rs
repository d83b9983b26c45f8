//! Prints what happens in the cluster as it happens: membership from libcpg, everything else from
//! the changes of the CIB that libcib announces. Nothing is polled and no tool is run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};

use clap::Parser;
use ha_core::event::{Event, Follower};
use ha_core::live::corosync::cpg::{self, Cpg, Group, Member, OwnedEvent};
use ha_core::live::corosync::{NodeId, Reconnect, Update as Membership, Watch as Events};
use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
use ha_core::live::pacemaker::watch::{Update, Watch};
use ha_core::xml::{Document, Element};
use ha_core::{Error, ErrorKind, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Prints what happens in the cluster as it happens.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Print one JSON object for each event.
    #[arg(long)]
    json: bool,
    /// The process group to join: watchers of the same group see each other come and go.
    #[arg(long, default_value = "ha-watch")]
    group: String,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprint!("watch: {e:?}");
            ExitCode::from(e.exit_code())
        }
    }
}

/// What is printed.
#[derive(Serialize)]
struct Line {
    /// The library that told it.
    source: &'static str,
    #[serde(skip)]
    at: Timestamp,
    #[serde(flatten)]
    what: What,
    /// For reading.
    text: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum What {
    Cluster(Event),
    Other { event: &'static str },
}

type Lines = Sender<Result<Line>>;

fn run(args: &Args) -> Result<()> {
    let (lines, printed) = channel();
    let cib = Cib::connect(&ConnectOptions::default())?;
    let watch = Watch::open(&cib)?;
    let names = node_names(watch.document());
    let group = Group::new(&args.group)?;
    let members = Cpg::watch(&cpg::Options::default(), &group, Reconnect::Always)?;
    let others = lines.clone();
    std::thread::spawn(move || follow_members(members, &names, &others));
    std::thread::spawn(move || follow_cib(watch, &lines));
    let mut out = std::io::stdout();
    for line in printed {
        let line = line?;
        let text = if args.json {
            serde_json::to_string(&line).expect("the keys of a line are text")
        } else {
            let at = line.at.to_zoned(TimeZone::system());
            let source = line.source;
            format!(
                "{}  {source:<6}  {}",
                at.strftime("%H:%M:%S%.3f"),
                line.text
            )
        };
        if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
            break; // The reader has gone.
        }
    }
    Ok(())
}

/// Sends a line; false when nobody prints any more.
fn say(lines: &Lines, source: &'static str, what: What, text: String) -> bool {
    let at = Timestamp::now();
    let line = Line {
        source,
        at,
        what,
        text,
    };
    lines.send(Ok(line)).is_ok()
}

fn other(event: &'static str) -> What {
    What::Other { event }
}

fn follow_cib(mut watch: Watch, lines: &Lines) {
    const SOURCE: &str = "libcib";
    let mut cluster = Follower::new(watch.status());
    let ready = format!(
        "following the CIB from version {}",
        watch.document().version()
    );
    let mut heard = say(lines, SOURCE, other("ready"), ready);
    while heard {
        let Some(update) = watch.next() else {
            let over = Error::new(ErrorKind::Disconnected, "the watch of the CIB is over");
            let _ = lines.send(Err(over)); // Nobody prints any more: as well.
            return;
        };
        match update {
            Update::Lost { cause } => {
                let text = format!("the connection to the CIB manager is lost: {cause}");
                heard = say(lines, SOURCE, other("cib_lost"), text);
                continue;
            }
            Update::Reconnected { missed, .. } => {
                let missed = if missed {
                    "changes were missed"
                } else {
                    "nothing was missed"
                };
                let text = format!("connected to the CIB manager again; {missed}");
                heard = say(lines, SOURCE, other("cib_regained"), text);
            }
            Update::Refetched { .. } => {
                let text = "read the whole CIB again: some steps are not known".to_owned();
                heard = say(lines, SOURCE, other("cib_refetched"), text);
            }
            _ => {}
        }
        for event in cluster.next(watch.status()) {
            if matches!(&event, Event::ResourcePending { task, .. } if task == "monitor") {
                continue; // Every start is followed by one: no news.
            }
            let text = event.to_string();
            heard &= say(lines, SOURCE, What::Cluster(event), text);
        }
    }
}

fn follow_members(members: Events<Cpg>, names: &BTreeMap<NodeId, String>, lines: &Lines) {
    const SOURCE: &str = "libcpg";
    let name = |node: NodeId| {
        names
            .get(&node)
            .cloned()
            .unwrap_or_else(|| format!("node {node}"))
    };
    for update in members {
        let (what, text) = match update {
            Membership::Event(OwnedEvent::Ring(ring)) => {
                let nodes: Vec<String> = ring.nodes.iter().map(|&node| name(node)).collect();
                (
                    other("ring_changed"),
                    format!("new ring {}: {}", ring.id, nodes.join(", ")),
                )
            }
            Membership::Event(OwnedEvent::Members(change)) => {
                let mut text = format!("group {}:", change.group);
                for (word, who) in [("joined", &change.joined), ("left", &change.left)] {
                    for member in who {
                        let _ = write!(text, " {word} {}", describe(member, name));
                    }
                }
                (other("members_changed"), text)
            }
            Membership::Event(OwnedEvent::Message(message)) => {
                let payload = message.payload.escape_ascii();
                (
                    other("message"),
                    format!("message of {}: {payload}", message.sender),
                )
            }
            Membership::Lost(e) => (other("corosync_lost"), format!("corosync is gone: {e:#}")),
            Membership::Regained => (other("corosync_regained"), "corosync is back".to_owned()),
        };
        if !say(lines, SOURCE, what, text) {
            return;
        }
    }
}

fn describe(member: &Member, name: impl Fn(NodeId) -> String) -> String {
    let process = member.process();
    let reason = member
        .reason()
        .map_or(String::new(), |reason| format!(" ({reason:?})"));
    format!("process {} of {}{reason}", process.pid, name(process.node))
}

/// Reads the nodes' names: Corosync only knows numbers.
fn node_names(cib: &Document) -> BTreeMap<NodeId, String> {
    let nodes = cib
        .root()
        .child("configuration")
        .and_then(|c| c.child("nodes"));
    let name = |node: Element<'_>| {
        let id = node.attribute("id")?.parse().ok()?;
        Some((NodeId(id), node.attribute("uname")?.to_owned()))
    };
    nodes
        .into_iter()
        .flat_map(|nodes| nodes.children().filter_map(name))
        .collect()
}
