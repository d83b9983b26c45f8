//! A corosync that ends, and comes back.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_core::Stream;
use ha_core::live::corosync::cfg::Cfg;
use ha_core::live::corosync::cmap::{Cmap, Map, Track};
use ha_core::live::corosync::cpg::{self, Cpg, Group, OwnedEvent};
use ha_core::live::corosync::quorum::Quorum;
use ha_core::live::corosync::votequorum::VoteQuorum;
use ha_core::live::corosync::{NodeId, Options, Reconnect, Source, Update, Watch};
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, NotYet, Transport, agent, wait_until};

use super::within;
use super::{All, LONG, count_messages, machines, restart_corosync, start_corosync, wait_members};
use crate::process::{descriptors, processor_time};

pub(super) fn register(harness: &mut Harness) {
    harness.agent("corosync::watch_all", watch_all);
    harness.agent("corosync::stream", stream);
    harness.agent("corosync::meet_an_end", meet_an_end);
    harness.agent("corosync::drop_while_reconnecting", drop_while_reconnecting);
    harness.test(
        "corosync::what_is_dropped_while_it_reconnects_is_closed",
        own(machines(1, Transport::Udp), dropped_while_reconnecting),
    );
    harness.test(
        "corosync::a_killed_corosync_is_reported_and_found_again",
        own(machines(2, Transport::Udp), a_killed_corosync),
    );
}

/// What a watch tells, as the test hears it: the service, and `event`, `lost` or `regained`.
type Told = (String, String);

fn tell(service: &str, what: impl Into<String>) -> Result<()> {
    let told: Told = (service.to_owned(), what.into());
    agent::say(&told)
}

/// Tells what a watch reports, until it ends.
fn report<S: Source>(service: &str, watch: Watch<S>) -> Result<()>
where
    S::Event: std::fmt::Debug,
{
    for update in watch {
        match update {
            Update::Event(event) => tell(service, format!("{event:?}"))?,
            Update::Lost(e) => {
                assert_eq!(e.kind(), ErrorKind::Disconnected, "{e:#}");
                assert!(
                    e.hint()
                        .is_some_and(|h| h.contains("systemctl status corosync")),
                    "{e:?}"
                );
                tell(service, "lost")?;
            }
            Update::Regained => tell(service, "regained")?,
        }
    }
    tell(service, "over")
}

/// Watches with every service, and says on each word it is told what it costs.
fn watch_all(_: ()) -> Result<()> {
    let options = Options::default();
    let group = Group::new("watched")?;
    // Small: this one is only to have all threads and tables there before anything is counted.
    All::connect(LONG)?.ask()?;
    let always = Reconnect::Always;
    let track = [Track::prefix("watched.")];
    let cpg = Cpg::watch(&cpg::Options::default(), &group, always)?;
    let quorum = Quorum::watch(&options, always)?;
    let votes = VoteQuorum::watch(&options, always)?;
    let map = Cmap::watch(Map::Configuration, &options, &track, always)?;
    let cfg = Cfg::watch(&options, always)?;
    let never = Quorum::watch(&options, Reconnect::Never)?;
    std::thread::spawn(move || report("cpg", cpg));
    std::thread::spawn(move || report("quorum", quorum));
    std::thread::spawn(move || report("votes", votes));
    std::thread::spawn(move || report("map", map));
    std::thread::spawn(move || report("cfg", cfg));
    std::thread::spawn(move || report("never", never));
    let mut processor = processor_time()?;
    while agent::listen::<()>()?.is_some() {
        let spent = processor_time()? - processor;
        processor += spent;
        tell("costs", format!("{} {}", spent.as_millis(), descriptors()?))?;
    }
    std::process::exit(0);
}

/// The same with streams, in one thread that has other work too.
fn stream(_: ()) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let always = Reconnect::Always;
    let group = Group::new("streamed")?;
    let cpg = Cpg::watch(&cpg::Options::default(), &group, always)?;
    let sender = cpg.connection().expect("connected").sender();
    let never = Quorum::watch(&Options::default(), Reconnect::Never)?;
    runtime.block_on(async move {
        let mut cpg = pin!(cpg.into_stream());
        let mut never = pin!(never.into_stream());
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let mut last_tick = Instant::now();
        let mut longest = Duration::ZERO;
        let mut over = false;
        sender.send(b"a first message")?;
        loop {
            tokio::select! {
                update = next(cpg.as_mut()) => match update {
                    Some(Update::Event(OwnedEvent::Message(m))) => {
                        tell("stream", String::from_utf8_lossy(&m.payload))?;
                    }
                    Some(Update::Event(OwnedEvent::Members(m))) => {
                        tell("stream", format!("{} members", m.members.len()))?;
                    }
                    Some(Update::Event(OwnedEvent::Ring(_))) => {}
                    Some(Update::Lost(e)) => tell("stream", format!("lost: {:?}", e.kind()))?,
                    Some(Update::Regained) => {
                        tell("stream", "regained")?;
                        let cpg = cpg.connection().expect("connected");
                        cpg.sender().send(b"a second message")?;
                    }
                    None => return Err(Error::invalid("a stream that reconnects has ended")),
                },
                update = next(never.as_mut()), if !over => {
                    if update.is_none() {
                        over = true;
                        tell("never", "over")?;
                    }
                },
                _ = ticks.tick() => {
                    // The others never kept this thread.
                    longest = longest.max(last_tick.elapsed());
                    last_tick = Instant::now();
                    assert!(longest < Duration::from_secs(10), "{longest:?} without a tick");
                },
            }
        }
    })
}

async fn next<S: Stream>(mut stream: Pin<&mut S>) -> Option<S::Item> {
    std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
}

/// How often corosync ends and comes back.
const ROUNDS: u32 = 24;

/// Drops streams and watches at many moments of connecting again, while corosync comes and goes, until
/// nothing more is told; then says how many were connected again before they were dropped.
fn drop_while_reconnecting(_: ()) -> Result<usize> {
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    std::thread::spawn(move || {
        let _ = agent::listen::<()>();
        told.store(true, Ordering::Release);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let patient = Duration::from_secs(10);
    let slice = Duration::from_millis(50);
    let group = Group::new("dropped")?;
    let options = cpg::Options {
        common: within(patient),
        ..Default::default()
    };
    All::connect(patient)?.ask()?;
    let before = descriptors()?;
    let mut regained = 0;
    for round in 0_u32.. {
        if over.load(Ordering::Acquire) {
            break;
        }
        // Corosync may be away, or on its way up or down.
        let Ok(watch) = Cpg::watch(&options, &group, Reconnect::Always) else {
            wait_until(LONG, "corosync is there", || {
                Ok(Quorum::connect(&within(patient)).map(drop)?)
            })?;
            continue;
        };
        agent::say(&"connected")?;
        // Corosync takes a moment to be there again.
        let longer = Duration::from_millis(15) * (round % ROUNDS);
        let mut came_back = |update: &Update<OwnedEvent>| {
            regained += usize::from(matches!(update, Update::Regained));
        };
        if round % 2 == 0 {
            runtime.block_on(async {
                let mut stream = pin!(watch.into_stream());
                loop {
                    let update = tokio::time::timeout(slice, next(stream.as_mut())).await;
                    if over.load(Ordering::Acquire) || matches!(update, Ok(Some(Update::Lost(_)))) {
                        break;
                    }
                }
                let rest = async {
                    while let Some(update) = next(stream.as_mut()).await {
                        came_back(&update);
                    }
                };
                let _ = tokio::time::timeout(longer, rest).await;
            });
        } else {
            let mut watch = watch;
            while !over.load(Ordering::Acquire)
                && !matches!(watch.next_within(slice)?, Some(Update::Lost(_)))
            {}
            let until = Instant::now() + longer;
            while let Some(left) = until.checked_duration_since(Instant::now()) {
                if let Some(update) = watch.next_within(left)? {
                    came_back(&update);
                }
            }
        }
    }
    // The thread that made an attempt closes what came of it.
    drop(runtime);
    wait_until(
        LONG,
        "all that was opened is closed",
        || match descriptors()? {
            now if now <= before => Ok(()),
            now => Err(NotYet::because(format!("{now}, not {before}"))),
        },
    )?;
    Ok(regained)
}

fn dropped_while_reconnecting(lab: &Lab) -> Result<()> {
    start_corosync(lab)?;
    let node = lab.node("maitre")?;
    let mut agent = node.start_agent("corosync::drop_while_reconnecting", &())?;
    for _ in 0..ROUNDS {
        assert_eq!(agent.heard::<String>()?.as_deref(), Some("connected"));
        node.kill("corosync")?;
        lab.wait_until(LONG, "corosync can be started again", || {
            restart_corosync(&node).map_err(NotYet::from)
        })?;
    }
    agent.hush();
    let regained: usize = agent.result()?;
    println!("{regained} of {ROUNDS} were connected again before they were dropped");
    Ok(())
}

/// Every call on a connection whose corosync has ended says so at once.
fn meet_an_end(_: ()) -> Result<()> {
    let mut all = All::connect(LONG)?;
    all.cpg.join(&Group::new("ended")?)?;
    let sender = all.cpg.sender();
    count_messages(&mut all.cpg, Duration::from_millis(100))?;
    agent::say(&"ready")?;
    agent::listen::<()>()?;
    let start = Instant::now();
    let ended = |what: &str, result: Result<()>| {
        let e = result.expect_err(what);
        assert_eq!(e.kind(), ErrorKind::Disconnected, "{what}: {e:#}");
        assert!(
            e.hint().is_some_and(|hint| hint.contains("systemctl")),
            "{what}: {e:?}"
        );
        assert!(e.is_retryable());
    };
    ended("dispatch", all.cpg.dispatch(LONG, |_| ()).map(drop));
    ended("next_event", all.cpg.next_event(LONG).map(drop));
    ended("send", sender.send(b"x"));
    ended("large", sender.send(&vec![0; 3 << 20]));
    ended("members", all.cpg.members(&Group::new("ended")?).map(drop));
    ended("quorate", all.quorum.is_quorate().map(drop));
    ended("event", all.quorum.next_event(LONG).map(drop));
    ended("info", all.votes.info(NodeId(1)).map(drop));
    ended("get", all.map.get("totem.version").map(drop));
    ended("cfg", all.cfg.local_node().map(drop));
    ended("connect", Quorum::connect(&Options::default()).map(drop));
    let before = descriptors()?;
    drop(all);
    wait_until(LONG, "the dead connections are closed", || {
        let now = descriptors()?;
        if now == before - 5 {
            Ok(())
        } else {
            Err(NotYet::because(format!("{now}, not {}", before - 5)))
        }
    })?;
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    Ok(())
}

/// Hears of one service until it tells this.
fn hear(agent: &mut agent::Running, service: &str, wanted: &str) -> Result<String> {
    loop {
        let (from, what) = agent.heard::<Told>()?.ok_or_else(|| {
            Error::new(
                ErrorKind::Protocol,
                format!("the agent ended before {service} {wanted}"),
            )
        })?;
        if from == service && what.contains(wanted) {
            return Ok(what);
        }
    }
}

/// Waits until each service, in any order, has told its word.
fn hear_all(agent: &mut agent::Running, wanted: &[(&str, &str)]) -> Result<()> {
    let mut missing = wanted.to_vec();
    while !missing.is_empty() {
        let (from, what) = agent.heard::<Told>()?.ok_or_else(|| {
            Error::new(
                ErrorKind::Protocol,
                format!("the agent ended before {missing:?}"),
            )
        })?;
        missing.retain(|(service, word)| *service != from || !what.contains(word));
    }
    Ok(())
}

/// The milliseconds of processor time since the last question, and the open descriptors.
fn costs(agent: &mut agent::Running) -> Result<(u64, usize)> {
    agent.tell(&())?;
    let text = hear(agent, "costs", " ")?;
    let (spent, open) = text.split_once(' ').unwrap_or_default();
    Ok((spent.parse().unwrap_or(u64::MAX), open.parse().unwrap_or(0)))
}

/// Waits until as many descriptors are open as wanted: connections are closed by other threads.
fn wait_open(agent: &mut agent::Running, wanted: impl Fn(usize) -> bool) -> Result<()> {
    wait_until(
        LONG,
        "as many descriptors are open as wanted",
        || match costs(agent).map_err(NotYet::Fatal)? {
            (_, now) if wanted(now) => Ok(()),
            (_, now) => Err(NotYet::because(format!("{now} are"))),
        },
    )
}

fn a_killed_corosync(lab: &Lab) -> Result<()> {
    start_corosync(lab)?;
    let node = lab.node("maitre")?;
    let mut watches = node.start_agent("corosync::watch_all", &())?;
    let mut streams = node.start_agent("corosync::stream", &())?;
    let mut ends = node.start_agent("corosync::meet_an_end", &())?;
    hear_all(
        &mut watches,
        &[
            ("cpg", "Members"),
            ("quorum", "quorate: true"),
            ("votes", "Quorum"),
            ("never", "quorate: true"),
        ],
    )?;
    hear(&mut streams, "stream", "a first message")?;
    assert_eq!(ends.heard::<String>()?.as_deref(), Some("ready"));
    let (_, open) = costs(&mut watches)?;

    node.kill("corosync")?;
    let all = ["cpg", "quorum", "votes", "map", "cfg", "never"];
    hear_all(
        &mut watches,
        &[all.map(|s| (s, "lost")).as_slice(), &[("never", "over")]].concat(),
    )?;
    let lost = [("stream", "lost: Disconnected"), ("never", "over")];
    hear_all(&mut streams, &lost)?;
    ends.tell(&())?;
    ends.result::<()>()?;
    // While it is away, the watches wait; nothing of the dead connections is left. An attempt to
    // connect again holds a descriptor for a moment.
    let since = Instant::now();
    costs(&mut watches)?;
    wait_members(lab, "esclave", &[2])?;
    let (spent, _) = costs(&mut watches)?;
    let away = since.elapsed();
    assert!(
        Duration::from_millis(spent) < Duration::from_millis(300) + away / 10,
        "{spent} ms of processor time while corosync was away for {away:?}"
    );
    wait_open(&mut watches, |now| now <= open - 6)?;

    restart_corosync(&node)?;
    let back = ["cpg", "quorum", "votes", "map", "cfg"].map(|s| (s, "regained"));
    hear_all(&mut watches, &back)?;
    hear(&mut streams, "stream", "regained")?;
    hear(&mut streams, "stream", "1 members")?;
    hear(&mut streams, "stream", "a second message")?;
    wait_members(lab, "maitre", &[1, 2])?;
    // They follow again: the group, the map, the nodes.
    node.command("corosync-cmapctl")
        .args(["-s", "watched.key", "str", "seen"])
        .stdout()?;
    hear_all(&mut watches, &[("map", "seen")])?;
    // The one that does not connect again is gone.
    wait_open(&mut watches, |now| now == open - 1)?;
    // And they stand a second time.
    node.kill("corosync")?;
    hear_all(
        &mut watches,
        &["cpg", "quorum", "votes", "map", "cfg"].map(|s| (s, "lost")),
    )?;
    restart_corosync(&node)?;
    hear_all(&mut watches, &back)?;
    wait_open(&mut watches, |now| now == open - 1)
}
