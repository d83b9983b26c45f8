//! A corosync that is stopped: it takes what is sent and answers nothing.

use std::time::{Duration, Instant};

use ha_core::live::corosync::NodeId;
use ha_core::live::corosync::cmap::{Cmap, Map};
use ha_core::live::corosync::cpg::{self, Cpg, Group};
use ha_core::live::corosync::quorum::Quorum;
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, NotYet, Transport, agent, wait_until};

use super::{All, LONG, count_messages, machines, messages_before, start_corosync, within};
use crate::process::{descriptors, memory, processor_time};

pub(super) fn register(harness: &mut Harness) {
    harness.agent("corosync::meet_a_stop", meet_a_stop);
    harness.test(
        "corosync::a_stopped_corosync_holds_nobody_up",
        own(machines(2, Transport::Udp), a_stopped_corosync),
    );
}

/// The limit of the calls to a stopped corosync, and what a loaded machine may add to it: without the
/// limit they would wait for good.
const SHORT: Duration = Duration::from_secs(2);
const SLACK: Duration = Duration::from_secs(20);

/// Makes a call that cannot succeed, and checks that it ends in time with the right error.
fn times_out<T>(what: &str, call: impl FnOnce() -> Result<T>) {
    let start = Instant::now();
    let e = call().err().unwrap_or_else(|| panic!("{what}: no error"));
    let took = start.elapsed();
    assert!(took < SHORT + SLACK, "{what} took {took:?}");
    assert_eq!(e.kind(), ErrorKind::Timeout, "{what}: {e:#}");
    assert!(format!("{e:#}").contains("corosync"), "{what}: {e:#}");
    assert!(
        e.hint().is_some() || e.to_string().contains("queue"),
        "{what}: {e:?}"
    );
}

/// Tells when it is ready to meet the stop, when it has met it, and when it is well again.
fn meet_a_stop(_: ()) -> Result<()> {
    // Workers and their stacks are there before anything is counted.
    All::connect(LONG)?.ask()?;
    let before = descriptors()?;
    let mut all = All::connect(SHORT)?;
    let spare = Quorum::connect(&within(SHORT))?;
    let mut filler = Cpg::connect(&cpg::Options {
        common: within(SHORT),
        ..Default::default()
    })?;
    filler.join(&Group::new("filled")?)?;
    count_messages(&mut filler, Duration::from_millis(100))?;
    let group = Group::new("stopped")?;
    all.cpg.join(&group)?;
    let sender = all.cpg.sender();
    count_messages(&mut all.cpg, Duration::from_millis(100))?;
    agent::say(&"ready")?;
    agent::listen::<()>()?;

    let (start, processor) = (Instant::now(), processor_time()?);
    times_out("local_node", || all.cpg.local_node());
    // The next calls of a connection do not wait for the one before.
    let again = Instant::now();
    for _ in 0..50 {
        times_out("members", || all.cpg.members(&group));
    }
    // Fifty limits one after the other would be twice that.
    assert!(again.elapsed() < 25 * SHORT, "{:?}", again.elapsed());
    times_out("join", || all.cpg.join(&group));
    times_out("send", || sender.send(b"x"));
    times_out("send large", || sender.send(&vec![0; 3 << 20]));
    // Messages are queued for it, until the queue is full: then `send` waits, and ends.
    let mut queued = 0;
    while filler.sender().try_send(b"for later").is_ok() {
        queued += 1;
        assert!(queued < 100_000, "the queue has no end");
    }
    assert!(queued > 10, "{queued}");
    times_out("send", || filler.sender().send(b"one too many"));
    times_out("send large", || filler.sender().send(&vec![0; 3 << 20]));
    assert_eq!(all.cpg.dispatch(Duration::from_millis(100), |_| ())?, 0);
    times_out("is_quorate", || all.quorum.is_quorate());
    times_out("track", || all.quorum.track());
    times_out("state", || Quorum::state(&within(SHORT)));
    times_out("info", || all.votes.info(NodeId(1)));
    times_out("get", || all.map.get("totem.version"));
    times_out("entries", || all.map.entries(""));
    times_out("set", || all.map.set("stopped.key", 1_u8));
    times_out("interfaces", || all.cfg.interfaces());
    times_out("reload", || all.cfg.reload());
    assert!(all.quorum.next_event(Duration::from_millis(50))?.is_none());
    for _ in 0..20 {
        times_out("connect", || {
            Cmap::connect(Map::Configuration, &within(SHORT))
        });
        times_out("connect", || {
            Cpg::connect(&cpg::Options {
                common: within(SHORT),
                ..Default::default()
            })
        });
    }
    // A few make threads wait, the others only wait themselves.
    assert!(memory("Threads")? < 16, "{} threads", memory("Threads")?);
    // Nobody waits for the good-bye of a connection for long either.
    let drop_at = Instant::now();
    drop(spare);
    assert!(drop_at.elapsed() < SHORT + SLACK);
    let (wall, processor) = (start.elapsed(), processor_time()? - processor);
    assert!(
        processor < wall / 5,
        "{processor:?} of processor time in {wall:?}"
    );
    agent::say(&"met")?;
    agent::listen::<()>()?;

    wait_until(LONG, "all connections work again", || {
        all.ask().map_err(|e| NotYet::because(format!("{e:#}")))
    })?;
    // What was queued is delivered, what was refused is not.
    filler.sender().send(b"again")?;
    assert_eq!(messages_before(&mut filler, b"again")?, queued);
    sender.send(b"again")?;
    assert_eq!(messages_before(&mut all.cpg, b"again")?, 0);
    drop((all, filler));
    wait_until(
        LONG,
        "the connections that came too late are closed",
        || {
            let now = descriptors()?;
            if now == before {
                Ok(())
            } else {
                Err(NotYet::because(format!("{now}, not {before}")))
            }
        },
    )?;
    agent::say(&"well")
}

fn a_stopped_corosync(lab: &Lab) -> Result<()> {
    start_corosync(lab)?;
    let node = lab.node("maitre")?;
    let mut agent = node.start_agent("corosync::meet_a_stop", &())?;
    let hear = |agent: &mut agent::Running, word: &str| -> Result<()> {
        match agent.heard::<String>()? {
            Some(heard) if heard == word => Ok(()),
            heard => Err(Error::new(
                ErrorKind::Protocol,
                format!("{heard:?}, not {word}"),
            )),
        }
    };
    let result = hear(&mut agent, "ready").and_then(|()| {
        node.stop("corosync")?;
        agent.tell(&())?;
        let met = hear(&mut agent, "met");
        node.cont("corosync")?;
        met?;
        agent.tell(&())?;
        hear(&mut agent, "well")
    });
    // Its own error says more than its silence.
    agent.result::<()>()?;
    result
}
