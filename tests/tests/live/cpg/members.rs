//! Who is in a group, and why it changed.

use std::collections::BTreeSet;

use ha_core::Result;
use ha_core::live::corosync::cpg::{Cpg, Group, Member, Options, OwnedEvent, Process};
use lab::harness::{Harness, own};
use lab::{Lab, Link, Transport, agent};
use serde::{Deserialize, Serialize};

use crate::corosync::{
    LONG, QuorumTool, cpgtool, machines, pairs, start_corosync, wait_members, within,
};

pub(super) fn register(harness: &mut Harness) {
    harness.agent("cpg::member", member);
    harness.agent("cpg::look", look);
    harness.shared(
        "cpg::members_and_groups_agree_with_cpgtool",
        members_and_groups,
    );
    harness.test(
        "cpg::each_survivors_view_is_corosyncs",
        own(machines(2, Transport::Udp), each_survivors_view),
    );
}

/// A change of members, as a test hears it.
#[derive(Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
struct Heard {
    members: Vec<(u32, u32)>,
    joined: Vec<(u32, String)>,
    left: Vec<(u32, String)>,
    /// The ring that came last.
    ring: String,
    ring_nodes: Vec<u32>,
}

/// Joins a group and tells every change of its members and of the ring, until nothing more is told
/// to it.
fn member(group: String) -> Result<()> {
    let options = Options {
        present_ring: true,
        ..Options::default()
    };
    let mut cpg = Cpg::connect(&options)?;
    cpg.join(&Group::new(group)?)?;
    std::thread::spawn(|| {
        let _ = agent::listen::<()>();
        std::process::exit(0);
    });
    let why = |list: &[Member]| {
        list.iter()
            .map(|m| (m.process().node.0, format!("{:?}", m.reason())))
            .collect()
    };
    let mut heard = Heard::default();
    for event in cpg.events() {
        match event? {
            OwnedEvent::Ring(r) => {
                heard.ring = r.id.to_string();
                heard.ring_nodes = r.nodes.iter().map(|n| n.0).collect();
                (heard.joined, heard.left) = Default::default();
            }
            OwnedEvent::Members(m) => {
                heard.members = pairs(&m.members);
                (heard.joined, heard.left) = (why(&m.joined), why(&m.left));
            }
            OwnedEvent::Message(_) => continue,
        }
        if !heard.members.is_empty() {
            agent::say(&heard)?;
        }
    }
    Ok(())
}

#[derive(Debug, Serialize, Deserialize)]
struct Looked {
    members: Vec<(u32, u32)>,
    groups: Vec<String>,
    processes: Vec<(String, u32, u32)>,
}

/// Looks at a group from outside of it.
fn look(group: String) -> Result<Looked> {
    let group = Group::new(group)?;
    let cpg = Cpg::connect(&Options {
        common: within(LONG),
        ..Options::default()
    })?;
    let pair = |p: &Process| (p.node.0, p.pid);
    Ok(Looked {
        members: cpg.members(&group)?.iter().map(pair).collect(),
        groups: cpg.groups()?.iter().map(ToString::to_string).collect(),
        processes: cpg
            .processes()?
            .iter()
            .map(|(group, p)| (group.to_string(), p.node.0, p.pid))
            .collect(),
    })
}

fn members_and_groups(lab: &Lab) -> Result<()> {
    let group = "members";
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    let nobody: Looked = maitre.call("cpg::look", &group)?;
    assert!(nobody.members.is_empty());
    let mut first = maitre.start_agent("cpg::member", &group)?;
    assert_eq!(
        hear_nodes(&mut first, &[1])?.joined,
        [(1, "Some(Join)".to_owned())]
    );
    let mut second = esclave.start_agent("cpg::member", &group)?;
    let heard = hear_nodes(&mut first, &[1, 2])?;
    assert_eq!(heard.joined, [(2, "Some(Join)".to_owned())]);
    assert_eq!(hear_nodes(&mut second, &[1, 2])?.members, heard.members);
    for node in [&maitre, &esclave] {
        let seen: Looked = node.call("cpg::look", &group)?;
        let members: BTreeSet<_> = seen.members.into_iter().collect();
        assert_eq!(members, cpgtool(node, group)?);
        assert_eq!(members, heard.members.iter().copied().collect());
        assert_eq!(seen.groups.iter().filter(|g| *g == group).count(), 1);
        // Pacemaker's daemons are in groups of their own.
        assert!(seen.groups.iter().any(|g| g == "cib"), "{:?}", seen.groups);
        let ours = seen.processes.iter().filter(|(g, ..)| g == group);
        assert_eq!(
            ours.map(|(_, n, p)| (*n, *p)).collect::<BTreeSet<_>>(),
            members
        );
    }
    // A name with an accent, as EOLE's users may well give.
    let accented = "groupe fermé";
    let mut third = esclave.start_agent("cpg::member", &accented)?;
    hear_nodes(&mut third, &[2])?;
    let seen: Looked = maitre.call("cpg::look", &accented)?;
    assert_eq!(seen.members.len(), 1);
    assert!(
        seen.groups.iter().any(|g| g == accented),
        "{:?}",
        seen.groups
    );
    second.hush();
    let heard = hear_nodes(&mut first, &[1])?;
    assert_eq!(heard.left, [(2, "Some(ProcessDown)".to_owned())]);
    Ok(())
}

/// Waits for a change that has these nodes in it.
fn hear_nodes(agent: &mut agent::Running, nodes: &[u32]) -> Result<Heard> {
    loop {
        let heard = agent.heard::<Heard>()?.expect("the member goes on");
        let present: Vec<u32> = heard.members.iter().map(|(node, _)| *node).collect();
        if present == nodes {
            return Ok(heard);
        }
    }
}

/// The members, the ring and its nodes are those that corosync itself prints.
fn check_view(lab: &Lab, node: &str, agent: &mut agent::Running, mut heard: Heard) -> Result<()> {
    let node = lab.node(node)?;
    let tool = QuorumTool::of(&node)?;
    // The ring comes after the members.
    while heard.ring != tool.ring {
        heard = agent.heard::<Heard>()?.expect("the member goes on");
    }
    assert_eq!(heard.ring_nodes, tool.members, "{}", node.name());
    let members: BTreeSet<_> = heard.members.iter().copied().collect();
    assert_eq!(members, cpgtool(&node, "views")?, "{}", node.name());
    Ok(())
}

fn each_survivors_view(lab: &Lab) -> Result<()> {
    start_corosync(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    let mut on_maitre = maitre.start_agent("cpg::member", &"views")?;
    hear_nodes(&mut on_maitre, &[1])?;
    let mut victim = esclave.start_agent("cpg::member", &"views")?;
    hear_nodes(&mut on_maitre, &[1, 2])?;
    let mut on_esclave = esclave.start_agent("cpg::member", &"views")?;
    hear_nodes(&mut on_esclave, &[1, 2, 2])?;
    let heard = hear_nodes(&mut on_maitre, &[1, 2, 2])?;
    check_view(lab, "maitre", &mut on_maitre, heard)?;

    // A member is killed.
    let pid = rustix::process::Pid::from_raw(victim.pid()?.cast_signed()).expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL)
        .map_err(std::io::Error::from)?;
    let heard = hear_nodes(&mut on_maitre, &[1, 2])?;
    assert_eq!(heard.left, [(2, "Some(ProcessDown)".to_owned())]);
    check_view(lab, "maitre", &mut on_maitre, heard)?;
    let heard = hear_nodes(&mut on_esclave, &[1, 2])?;
    check_view(lab, "esclave", &mut on_esclave, heard)?;

    // A node is cut off: each side goes on alone.
    lab.cut("esclave", Link::Ha1)?;
    let heard = hear_nodes(&mut on_maitre, &[1])?;
    assert_eq!(heard.left, [(2, "Some(NodeDown)".to_owned())]);
    wait_members(lab, "maitre", &[1])?;
    check_view(lab, "maitre", &mut on_maitre, heard)?;
    let heard = hear_nodes(&mut on_esclave, &[2])?;
    assert_eq!(heard.left, [(1, "Some(NodeDown)".to_owned())]);
    wait_members(lab, "esclave", &[2])?;
    check_view(lab, "esclave", &mut on_esclave, heard)?;

    // It comes back.
    lab.heal("esclave", Link::Ha1)?;
    let heard = hear_nodes(&mut on_maitre, &[1, 2])?;
    assert_eq!(heard.joined, [(2, "Some(NodeUp)".to_owned())]);
    wait_members(lab, "maitre", &[1, 2])?;
    check_view(lab, "maitre", &mut on_maitre, heard)?;
    let heard = hear_nodes(&mut on_esclave, &[1, 2])?;
    assert_eq!(heard.joined, [(1, "Some(NodeUp)".to_owned())]);
    check_view(lab, "esclave", &mut on_esclave, heard)?;

    // A node is gone with its corosync.
    esclave.kill("corosync")?;
    let heard = hear_nodes(&mut on_maitre, &[1])?;
    assert_eq!(heard.left, [(2, "Some(NodeDown)".to_owned())]);
    wait_members(lab, "maitre", &[1])?;
    check_view(lab, "maitre", &mut on_maitre, heard)
}
