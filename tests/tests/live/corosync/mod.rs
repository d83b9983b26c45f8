//! What the tests of the Corosync half share, and what concerns all its services: a corosync that
//! stops, ends, comes back, or lets nobody in.

mod connect;
mod end;
mod leave;
mod stop;
mod tools;

use std::time::{Duration, Instant};

use ha_core::live::corosync::cfg::Cfg;
use ha_core::live::corosync::cmap::{Cmap, Map};
use ha_core::live::corosync::cpg::{self, Cpg, Event, Group, Member, OwnedEvent};
use ha_core::live::corosync::quorum::Quorum;
use ha_core::live::corosync::votequorum::VoteQuorum;
use ha_core::live::corosync::{NodeId, Options};
use ha_core::{Error, ErrorKind, Result};
use lab::harness::Harness;
use lab::{Lab, LabOptions, Node, NotYet, Transport};

pub(crate) use tools::{QuorumTool, cpgtool};

pub(crate) fn register(harness: &mut Harness) {
    stop::register(harness);
    end::register(harness);
    leave::register(harness);
    connect::register(harness);
}

/// Long enough for anything that happens in the lab at all, also on a machine with other work.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Options for a lab of its own with machines only; see [`start_corosync`].
pub(crate) fn machines(nodes: u8, transport: Transport) -> LabOptions {
    LabOptions {
        nodes,
        transport,
        start_cluster: false,
        ..LabOptions::default()
    }
}

/// Starts corosync on all nodes of a lab, and waits until they are in one membership.
pub(crate) fn start_corosync(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        node.command("corosync").stdout()?;
    }
    let all: Vec<u32> = (1..=u32::from(lab.options().nodes)).collect();
    for node in lab.nodes() {
        wait_members(lab, node.name(), &all)?;
    }
    Ok(())
}

/// Starts the corosync of a node again.
pub(crate) fn restart_corosync(node: &Node<'_>) -> Result<()> {
    node.command("corosync").stdout().map(drop)
}

/// Waits until a node's corosync has exactly these members.
pub(crate) fn wait_members(lab: &Lab, node: &str, members: &[u32]) -> Result<()> {
    lab.wait_until(LONG, &format!("{node} has the members {members:?}"), || {
        let view = QuorumTool::of(&lab.node(node)?)?;
        if view.members == members {
            Ok(())
        } else {
            Err(NotYet::because(format!("it has {:?}", view.members)))
        }
    })
}

/// A connection that is in a group, with this many members, itself included.
pub(crate) fn joined(group: &str, members: usize) -> Result<Cpg> {
    // Sends wait that long too: other tests flood the same corosync.
    let mut cpg = Cpg::connect(&cpg::Options {
        common: within(LONG),
        ..Default::default()
    })?;
    cpg.join(&Group::new(group)?)?;
    let deadline = Instant::now() + LONG;
    let mut present = 0;
    while present != members {
        if Instant::now() > deadline {
            let text = format!("group {group} has {present} members, not {members}");
            return Err(Error::new(ErrorKind::Timeout, text));
        }
        if let Some(OwnedEvent::Members(change)) = cpg.next_event(Duration::from_secs(1))? {
            present = change.members.len();
        }
    }
    Ok(cpg)
}

/// The members of a change as `(node, process id)`.
pub(crate) fn pairs(members: &[Member]) -> Vec<(u32, u32)> {
    members
        .iter()
        .map(|m| (m.process().node.0, m.process().pid))
        .collect()
}

/// Waits until a message with this content has come; returns how many others came before.
pub(crate) fn messages_before(cpg: &mut Cpg, last: &[u8]) -> Result<usize> {
    let deadline = Instant::now() + LONG;
    let mut others = 0;
    while let Some(event) = cpg.next_event(deadline.saturating_duration_since(Instant::now()))? {
        match event {
            OwnedEvent::Message(m) if m.payload == last => return Ok(others),
            OwnedEvent::Message(_) => others += 1,
            _ => {}
        }
    }
    let text = format!("{others} messages came, none of them the last");
    Err(Error::new(ErrorKind::Timeout, text))
}

/// Counts the messages that come until nothing has come for a time.
pub(crate) fn count_messages(cpg: &mut Cpg, quiet: Duration) -> Result<usize> {
    let mut count = 0;
    let mut note = |event: Event<'_>| count += usize::from(matches!(event, Event::Message(_)));
    while cpg.dispatch(quiet, &mut note)? > 0 {}
    Ok(count)
}

/// Options with another timeout.
pub(crate) fn within(timeout: Duration) -> Options {
    Options { timeout }
}

/// One connection of each kind.
struct All {
    cpg: Cpg,
    quorum: Quorum,
    votes: VoteQuorum,
    map: Cmap,
    cfg: Cfg,
}

impl All {
    fn connect(timeout: Duration) -> Result<Self> {
        let common = within(timeout);
        Ok(Self {
            cpg: Cpg::connect(&cpg::Options {
                common: common.clone(),
                ..Default::default()
            })?,
            quorum: Quorum::connect(&common)?,
            votes: VoteQuorum::connect(&common)?,
            map: Cmap::connect(Map::Configuration, &common)?,
            cfg: Cfg::connect(&common)?,
        })
    }

    /// Asks something of each.
    fn ask(&self) -> Result<()> {
        self.cpg.local_node()?;
        self.quorum.is_quorate()?;
        self.votes.info(NodeId(1))?;
        self.map.get("totem.version")?;
        self.cfg.interfaces().map(drop)
    }
}
