//! Quorum and votes, against the real corosync.

use std::collections::BTreeSet;

use ha_core::live::corosync::quorum::{Event, Quorum};
use ha_core::live::corosync::votequorum::{self, MOST_VOTES, NodeState, VoteQuorum};
use ha_core::live::corosync::{NodeId, Options, Reconnect, Update};
use ha_core::{ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, Link, Transport, agent};
use serde::{Deserialize, Serialize};

use crate::corosync::{LONG, QuorumTool, machines, start_corosync, wait_members};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("quorum::state", state);
    harness.shared(
        "quorum::state_is_what_quorumtool_says",
        state_is_quorumtools,
    );
    harness.agent("quorum::follow", follow);
    harness.agent("quorum::follow_votes", follow_votes);
    harness.test(
        "quorum::events_follow_a_cut_and_a_heal",
        own(machines(3, Transport::Udp), events_follow),
    );
    harness.agent("quorum::set_votes", set_votes);
    harness.agent("quorum::set_expected", set_expected);
    harness.test(
        "quorum::votes_are_set_and_followed",
        own(machines(3, Transport::Knet), votes_are_set),
    );
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Seen {
    ring: String,
    quorate: bool,
    members: Vec<u32>,
    expected_votes: u32,
    highest_expected: u32,
    total_votes: u32,
    quorum: u32,
    votes: u32,
    two_node: bool,
    wait_for_all: bool,
}

fn state(node: u32) -> Result<Seen> {
    let options = Options::default();
    let state = Quorum::state(&options)?;
    let connection = Quorum::connect(&options)?;
    assert!(connection.has_provider()?);
    assert_eq!(connection.is_quorate()?, state.quorate);
    let votes = VoteQuorum::connect(&options)?;
    let info = votes.info(NodeId(node))?;
    assert_eq!((info.node, info.state), (NodeId(node), NodeState::Member));
    assert_eq!(info.flags.quorate, state.quorate);
    assert!(!info.flags.qdevice_registered && info.qdevice.is_none());
    let e = votes.info(NodeId(77)).expect_err("there is no such node");
    assert_eq!(e.kind(), ErrorKind::NotFound);
    assert!(e.to_string().contains("77"), "{e}");
    Ok(Seen {
        ring: state.ring.to_string(),
        quorate: state.quorate,
        members: state.members.iter().map(|n| n.0).collect(),
        expected_votes: info.expected_votes,
        highest_expected: info.highest_expected_votes,
        total_votes: info.total_votes,
        quorum: info.quorum,
        votes: info.votes,
        two_node: info.flags.two_node,
        wait_for_all: info.flags.wait_for_all,
    })
}

fn check_state(lab: &Lab, name: &str, number: u32) -> Result<Seen> {
    let node = lab.node(name)?;
    let seen: Seen = node.call("quorum::state", &number)?;
    let tool = QuorumTool::of(&node)?;
    assert_eq!(tool.node, number);
    let ours = (&seen.ring, seen.quorate, &seen.members, seen.expected_votes);
    assert_eq!(
        ours,
        (&tool.ring, tool.quorate, &tool.members, tool.expected_votes)
    );
    let ours = (seen.highest_expected, seen.total_votes, seen.quorum);
    assert_eq!(ours, (tool.highest_expected, tool.total_votes, tool.quorum));
    assert_eq!(
        seen.two_node,
        tool.flags.contains("2Node"),
        "{}",
        tool.flags
    );
    assert_eq!(
        seen.wait_for_all,
        tool.flags.contains("WaitForAll"),
        "{}",
        tool.flags
    );
    Ok(seen)
}

fn state_is_quorumtools(lab: &Lab) -> Result<()> {
    let maitre = check_state(lab, "maitre", 1)?;
    let esclave = check_state(lab, "esclave", 2)?;
    assert_eq!((maitre.members.as_slice(), maitre.votes), (&[1, 2][..], 1));
    assert_eq!(maitre, esclave);
    Ok(())
}

/// An event, as a test hears it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
enum Heard {
    Quorum {
        quorate: bool,
        members: Vec<u32>,
        ring: String,
    },
    Nodes {
        members: Vec<u32>,
        joined: Vec<u32>,
        left: Vec<u32>,
        ring: String,
    },
    Votes {
        quorate: bool,
        nodes: Vec<(u32, String)>,
    },
    VoteNodes {
        nodes: Vec<u32>,
        ring: String,
    },
    Expected(u32),
}

fn numbers(nodes: &[NodeId]) -> Vec<u32> {
    nodes.iter().map(|n| n.0).collect()
}

/// Tells every event, until nothing more is told to it.
fn follow(_: ()) -> Result<()> {
    until_hushed();
    for update in Quorum::watch(&Options::default(), Reconnect::Never)? {
        let Update::Event(event) = update else { break };
        agent::say(&match event {
            Event::Quorum {
                quorate,
                ring,
                members,
            } => Heard::Quorum {
                quorate,
                members: numbers(&members),
                ring: ring.to_string(),
            },
            Event::Nodes {
                ring,
                members,
                joined,
                left,
            } => Heard::Nodes {
                members: numbers(&members),
                joined: numbers(&joined),
                left: numbers(&left),
                ring: ring.to_string(),
            },
        })?;
    }
    Ok(())
}

fn follow_votes(_: ()) -> Result<()> {
    until_hushed();
    for update in VoteQuorum::watch(&Options::default(), Reconnect::Never)? {
        let Update::Event(event) = update else { break };
        agent::say(&match event {
            votequorum::Event::Quorum { quorate, nodes } => Heard::Votes {
                quorate,
                nodes: nodes
                    .iter()
                    .map(|(node, state)| (node.0, format!("{state:?}")))
                    .collect(),
            },
            votequorum::Event::Nodes { ring, nodes } => Heard::VoteNodes {
                nodes: numbers(&nodes),
                ring: ring.to_string(),
            },
            votequorum::Event::ExpectedVotes(votes) => Heard::Expected(votes),
        })?;
    }
    Ok(())
}

fn until_hushed() {
    std::thread::spawn(|| {
        let _ = agent::listen::<()>();
        std::process::exit(0);
    });
}

/// Waits for an event; those before it are returned too.
fn hear(agent: &mut agent::Running, wanted: impl Fn(&Heard) -> bool) -> Result<Vec<Heard>> {
    let mut all = Vec::new();
    loop {
        all.push(agent.heard::<Heard>()?.expect("the agent goes on"));
        if wanted(&all[all.len() - 1]) {
            return Ok(all);
        }
    }
}

/// Waits until a node's quorum and its nodes are these, by the changes alone, each of which must lead
/// to the members that it names. Corosync may get there in more than one step. Returns the ring.
fn hear_state(
    agent: &mut agent::Running,
    view: &mut BTreeSet<u32>,
    wanted: (bool, &[u32]),
) -> Result<String> {
    let mut all = Vec::new();
    let mut there = None;
    loop {
        let heard = agent.heard::<Heard>()?.expect("the agent goes on");
        match &heard {
            Heard::Quorum {
                quorate,
                members,
                ring,
            } => {
                there = ((*quorate, &members[..]) == wanted).then(|| ring.clone());
            }
            Heard::Nodes {
                members,
                joined,
                left,
                ..
            } => {
                view.retain(|node| !left.contains(node));
                view.extend(joined);
                all.push(heard.clone());
                assert!(view.iter().eq(members), "{view:?} after {all:?}");
            }
            _ => {}
        }
        if let Some(ring) = &there
            && view.iter().eq(wanted.1)
        {
            return Ok(ring.clone());
        }
    }
}

fn events_follow(lab: &Lab) -> Result<()> {
    start_corosync(lab)?;
    let names = ["maitre", "esclave", "noeud3"];
    let mut agents = Vec::new();
    for name in names {
        let mut agent = lab.node(name)?.start_agent("quorum::follow", &())?;
        // The present state comes first.
        let mut view = BTreeSet::from([1, 2, 3]);
        hear_state(&mut agent, &mut view, (true, &[1, 2, 3]))?;
        agents.push((agent, view));
    }
    let mut votes = lab
        .node("noeud3")?
        .start_agent("quorum::follow_votes", &())?;
    let member = |n: u32| (n, "Member".to_owned());
    hear(&mut votes, |h| {
        matches!(h, Heard::Votes { quorate: true, nodes }
            if nodes.iter().filter(|(n, _)| *n != 0).eq(&[member(1), member(2), member(3)]))
    })?;

    lab.cut("noeud3", Link::Ha1)?;
    for (agent, view) in &mut agents[..2] {
        hear_state(agent, view, (true, &[1, 2]))?;
    }
    let (alone, its_view) = &mut agents[2];
    hear_state(alone, its_view, (false, &[3]))?;
    let dead = |n: u32| (n, "Dead".to_owned());
    hear(&mut votes, |h| {
        matches!(h, Heard::Votes { quorate: false, nodes }
            if [dead(1), dead(2), member(3)].iter().all(|n| nodes.contains(n)))
    })?;
    wait_members(lab, "maitre", &[1, 2])?;
    check_state(lab, "maitre", 1)?;
    check_state(lab, "noeud3", 3)?;

    lab.heal("noeud3", Link::Ha1)?;
    let mut ring = String::new();
    for (agent, view) in &mut agents {
        ring = hear_state(agent, view, (true, &[1, 2, 3]))?;
    }
    wait_members(lab, "noeud3", &[1, 2, 3])?;
    // A later ring of the same nodes is told too.
    let tool = QuorumTool::of(&lab.node("noeud3")?)?.ring;
    let (follower, view) = &mut agents[2];
    while ring != tool {
        ring = hear_state(follower, view, (true, &[1, 2, 3]))?;
    }
    hear(
        &mut votes,
        |h| matches!(h, Heard::VoteNodes { nodes, .. } if nodes == &[1, 2, 3]),
    )?;
    Ok(())
}

fn set_votes((node, votes): (u32, u32)) -> Result<()> {
    VoteQuorum::connect(&Options::default())?.set_votes(NodeId(node), votes)
}

/// Returns the error as its kind's name and text.
fn set_expected(votes: u32) -> Result<Option<String>> {
    let result = VoteQuorum::connect(&Options::default())?.set_expected_votes(votes);
    Ok(result.err().map(|e| format!("{:?}: {e:#}", e.kind())))
}

fn votes_are_set(lab: &Lab) -> Result<()> {
    start_corosync(lab)?;
    let maitre = lab.node("maitre")?;
    let before = check_state(lab, "maitre", 1)?;
    assert_eq!(
        (before.expected_votes, before.total_votes, before.quorum),
        (3, 3, 2)
    );
    let mut votes = lab
        .node("noeud3")?
        .start_agent("quorum::follow_votes", &())?;
    hear(&mut votes, |h| matches!(h, Heard::Votes { .. }))?;

    // Another node's tracker hears of it, and each node agrees with its own quorumtool.
    assert_eq!(
        maitre.call::<Option<String>>("quorum::set_expected", &5)?,
        None
    );
    hear(&mut votes, |h| *h == Heard::Expected(5))?;
    for (name, number) in [("maitre", 1), ("esclave", 2), ("noeud3", 3)] {
        lab.wait_until(LONG, "5 votes are expected", || {
            let tool = QuorumTool::of(&lab.node(name)?)?;
            if tool.expected_votes == 5 {
                Ok(())
            } else {
                Err(lab::NotYet::because(format!("{tool:?}")))
            }
        })?;
        let seen = check_state(lab, name, number)?;
        assert_eq!(
            (seen.expected_votes, seen.quorum, seen.quorate),
            (5, 3, true)
        );
    }

    maitre.call::<()>("quorum::set_votes", &(2, 4))?;
    lab.wait_until(LONG, "esclave has 4 votes", || {
        let tool = QuorumTool::of(&maitre)?;
        if tool.total_votes == 6 {
            Ok(())
        } else {
            Err(lab::NotYet::because(format!("{tool:?}")))
        }
    })?;
    assert_eq!(check_state(lab, "esclave", 2)?.votes, 4);
    assert_eq!(check_state(lab, "maitre", 1)?.votes, 1);

    for votes in [0, MOST_VOTES + 1, u32::MAX] {
        let refused = maitre.call::<Option<String>>("quorum::set_expected", &votes)?;
        assert!(
            refused.as_deref().is_some_and(|e| e.starts_with("Invalid")),
            "{votes}: {refused:?}"
        );
    }
    // Up to the limit corosync computes the right quorum; beyond it would be 0.
    maitre.call::<()>("quorum::set_votes", &(2, MOST_VOTES - 2))?;
    lab.wait_until(LONG, "esclave has all but two votes", || {
        let tool = QuorumTool::of(&maitre)?;
        if (tool.total_votes, tool.quorum) == (MOST_VOTES, MOST_VOTES / 2 + 1) {
            Ok(())
        } else {
            Err(lab::NotYet::because(format!("{tool:?}")))
        }
    })?;
    for votes in [MOST_VOTES - 1, u32::MAX] {
        let e = maitre
            .call::<()>("quorum::set_votes", &(2, votes))
            .expect_err("too many votes");
        assert!(format!("{e:#}").contains("no right quorum"), "{e:#}");
    }
    let e = maitre
        .call::<()>("quorum::set_votes", &(9, 1))
        .expect_err("no such node");
    assert!(
        format!("{e:#}").contains("set the votes of node 9"),
        "{e:#}"
    );
    Ok(())
}
