//! A quorum device: this library is one, and sees one.

use std::time::Duration;

use ha_core::live::corosync::votequorum::{Event, Info, VoteQuorum};
use ha_core::live::corosync::{NodeId, RingId};
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, NotYet, Transport, agent, wait_until};
use serde::{Deserialize, Serialize};

use crate::corosync::{LONG, QuorumTool, machines, start_corosync, within};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("qdevice::device", device);
    harness.agent("qdevice::seen", seen);
    harness.test(
        "qdevice::its_vote_counts_while_it_lives",
        own(machines(2, Transport::Udp), its_vote_counts),
    );
}

const DEVICE: &str = "test device";

/// A device, with the newest ring that it has heard of.
struct Device {
    votes: VoteQuorum,
    ring: Option<RingId>,
}

impl Device {
    fn hear(&mut self) -> Result<()> {
        while let Some(event) = self.votes.next_event(Duration::from_millis(20))? {
            if let Event::Nodes { ring, .. } = event {
                self.ring = Some(ring);
            }
        }
        Ok(())
    }

    /// Polls until what the node knows is as wanted.
    fn poll_until(&mut self, what: &str, wanted: impl Fn(&Info) -> bool) -> Result<Info> {
        wait_until(LONG, what, || {
            self.hear()?;
            let ring = self.ring.ok_or_else(|| NotYet::because("no ring"))?;
            self.votes.poll_qdevice(DEVICE, true, ring)?;
            let info = self.votes.info(NodeId(1))?;
            if wanted(&info) {
                Ok(info)
            } else {
                Err(NotYet::because(format!("{info:?}")))
            }
        })
    }

    /// Polls on until the test says a word.
    fn poll_until_told(&mut self) -> Result<()> {
        let told = std::thread::spawn(agent::listen::<()>);
        while !told.is_finished() {
            self.hear()?;
            if let Some(ring) = self.ring {
                match self.votes.poll_qdevice(DEVICE, true, ring) {
                    Err(e) if e.kind() == ErrorKind::Conflict => {}
                    result => result?,
                }
            }
        }
        told.join()
            .map_err(|_| Error::invalid("the listener panicked"))?
            .map(drop)
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind) {
    let e = result.expect_err("it is refused");
    assert_eq!(e.kind(), kind, "{e:?}");
}

/// Is a quorum device, from its registration to its end.
fn device(_: ()) -> Result<()> {
    let votes = VoteQuorum::connect(&within(LONG))?;
    votes.track()?;
    let mut device = Device { votes, ring: None };
    let votes = &device.votes;
    let nowhere = RingId {
        node: NodeId(1),
        sequence: 1,
    };
    refused(votes.unregister_qdevice(DEVICE), ErrorKind::NotFound);
    refused(votes.rename_qdevice(DEVICE, "x"), ErrorKind::NotFound);
    refused(
        votes.poll_qdevice(DEVICE, true, nowhere),
        ErrorKind::NotFound,
    );
    for name in ["", "with\0NUL", &"x".repeat(255)] {
        refused(votes.register_qdevice(name), ErrorKind::Invalid);
    }
    assert_eq!(votes.info(NodeId(1))?.qdevice, None);

    votes.register_qdevice(DEVICE)?;
    votes.register_qdevice(DEVICE)?;
    refused(votes.register_qdevice("another"), ErrorKind::AlreadyExists);
    refused(votes.unregister_qdevice("another"), ErrorKind::Invalid);
    refused(
        votes.poll_qdevice(DEVICE, true, nowhere),
        ErrorKind::Conflict,
    );
    let info = votes.info(NodeId(1))?;
    let known = info.qdevice.as_ref().map(|d| (d.name.as_str(), d.votes));
    assert_eq!(known, Some((DEVICE, 1)));
    assert!(info.flags.qdevice_registered && !info.flags.qdevice_alive);
    assert_eq!((info.expected_votes, info.total_votes), (3, 2));

    let alive = device.poll_until("its vote counts", |info| info.total_votes == 3)?;
    assert!(alive.flags.qdevice_alive && alive.flags.qdevice_casts_vote);
    assert!(!alive.flags.qdevice_master_wins);
    agent::say(&"counted")?;
    device.poll_until_told()?;

    // With the device, one of two nodes is enough.
    device.poll_until("one node is left", |info| {
        info.total_votes == 2 && info.flags.qdevice_alive && info.flags.quorate
    })?;
    agent::say(&"alone")?;
    device.poll_until_told()?;

    // Nobody polls any more: the vote is lost, and with it the quorum.
    wait_until(LONG, "the device is given up", || {
        let info = device.votes.info(NodeId(1))?;
        let flags = info.flags;
        if info.total_votes == 1 && !flags.qdevice_alive && !flags.quorate {
            assert!(flags.qdevice_registered, "{info:?}");
            Ok(())
        } else {
            Err(NotYet::because(format!("{info:?}")))
        }
    })?;
    let votes = &device.votes;
    votes.set_qdevice_master_wins(DEVICE, true)?;
    assert!(votes.info(NodeId(1))?.flags.qdevice_master_wins);
    votes.rename_qdevice(DEVICE, "renamed")?;
    refused(votes.rename_qdevice(DEVICE, "renamed"), ErrorKind::Invalid);
    let name = votes.info(NodeId(1))?.qdevice.map(|device| device.name);
    assert_eq!(name.as_deref(), Some("renamed"));
    votes.unregister_qdevice("renamed")?;
    let info = votes.info(NodeId(1))?;
    assert!(info.qdevice.is_none() && !info.flags.qdevice_registered);
    Ok(())
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Seen {
    total_votes: u32,
    quorate: bool,
    registered: bool,
    alive: bool,
    casts_vote: bool,
}

/// What any other program sees of node 1.
fn seen(_: ()) -> Result<Seen> {
    let info = VoteQuorum::connect(&within(LONG))?.info(NodeId(1))?;
    Ok(Seen {
        total_votes: info.total_votes,
        quorate: info.flags.quorate,
        registered: info.flags.qdevice_registered,
        alive: info.flags.qdevice_alive,
        casts_vote: info.flags.qdevice_casts_vote,
    })
}

fn its_vote_counts(lab: &Lab) -> Result<()> {
    const CONF: &str = "/etc/corosync/corosync.conf";
    for node in lab.nodes() {
        let conf = node.read(CONF)?.replace("    two_node: 1\n", "").replace(
            "provider: corosync_votequorum\n",
            "provider: corosync_votequorum\n    device {\n        model: test\n        \
             votes: 1\n        timeout: 5000\n    }\n",
        );
        assert!(conf.contains("device {"), "{conf}");
        node.write(CONF, conf)?;
    }
    start_corosync(lab)?;
    let maitre = lab.node("maitre")?;
    let mut device = maitre.start_agent("qdevice::device", &())?;
    assert_eq!(device.heard::<String>()?.as_deref(), Some("counted"));
    let wanted = Seen {
        total_votes: 3,
        quorate: true,
        registered: true,
        alive: true,
        casts_vote: true,
    };
    // A device that was not polled in time, on a busy machine, is dead for a moment.
    lab.wait_until(LONG, "another program sees it", || {
        let seen: Seen = maitre.call("qdevice::seen", &())?;
        let tool = QuorumTool::of(&maitre)?;
        if seen == wanted && tool.total_votes == 3 && tool.flags.contains("Qdevice") {
            Ok(())
        } else {
            Err(NotYet::because(format!("{seen:?} {tool:?}")))
        }
    })?;
    device.tell(&())?;
    lab.node("esclave")?.kill("corosync")?;
    assert_eq!(device.heard::<String>()?.as_deref(), Some("alone"));
    lab.wait_until(LONG, "the tool says so too", || {
        let tool = QuorumTool::of(&maitre)?;
        if (tool.quorate, tool.total_votes) == (true, 2) {
            Ok(())
        } else {
            Err(NotYet::because(format!("{tool:?}")))
        }
    })?;
    device.tell(&())?;
    device.result()
}
