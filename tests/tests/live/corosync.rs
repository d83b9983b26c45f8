//! What the tests of the Corosync half share, and what concerns all its services: a corosync that
//! stops, ends, comes back, or lets nobody in.

use std::collections::BTreeSet;
use std::fs;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures_core::Stream;
use ha_core::live::corosync::cfg::Cfg;
use ha_core::live::corosync::cmap::{Cmap, Map, Track};
use ha_core::live::corosync::cpg::{self, Cpg, Event, Group, Member, OwnedEvent};
use ha_core::live::corosync::quorum::{self, Quorum};
use ha_core::live::corosync::votequorum::VoteQuorum;
use ha_core::live::corosync::{NodeId, Options, Reconnect, Source, Update, Watch};
use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet, Transport, agent, wait_until};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("corosync::meet_a_stop", meet_a_stop);
    harness.test(
        "corosync::a_stopped_corosync_holds_nobody_up",
        own(machines(2, Transport::Udp), a_stopped_corosync),
    );
    harness.agent("corosync::watch_all", watch_all);
    harness.agent("corosync::stream", stream);
    harness.agent("corosync::meet_an_end", meet_an_end);
    harness.test(
        "corosync::a_killed_corosync_is_reported_and_found_again",
        own(machines(2, Transport::Udp), a_killed_corosync),
    );
    for (name, function) in [
        (
            "corosync::an_ordinary_user_is_refused",
            an_ordinary_user as fn(()) -> Result<()>,
        ),
        (
            "corosync::connections_leave_nothing",
            connections_leave_nothing,
        ),
    ] {
        harness.agent(name, function);
        harness.shared(name, move |lab| lab.node("esclave")?.call(name, &()));
    }
}

/// Long enough for anything that happens in the lab at all.
pub(crate) const LONG: Duration = Duration::from_secs(30);

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

/// What `corosync-quorumtool -s` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QuorumTool {
    pub(crate) node: u32,
    pub(crate) ring: String,
    pub(crate) quorate: bool,
    pub(crate) expected_votes: u32,
    pub(crate) highest_expected: u32,
    pub(crate) total_votes: u32,
    pub(crate) quorum: u32,
    pub(crate) flags: String,
    pub(crate) members: Vec<u32>,
}

impl QuorumTool {
    pub(crate) fn of(node: &Node<'_>) -> Result<Self> {
        // It exits with 2 when the partition has no quorum.
        let text = node
            .command("corosync-quorumtool")
            .args(["-s", "-p"])
            .output()?
            .stdout;
        let field = |name: &str| {
            let line = text
                .lines()
                .find_map(|l| l.strip_prefix(name)?.trim_start().strip_prefix(':'));
            line.map(str::trim).ok_or_else(|| {
                Error::new(
                    ErrorKind::Protocol,
                    format!("no '{name}' in the output: {text}"),
                )
            })
        };
        let number = |name: &str| {
            let word = field(name)?.split_whitespace().next().unwrap_or_default();
            word.parse::<u32>()
                .map_err(|e| Error::invalid(format!("{name}: {e}")))
        };
        let members = text.lines().skip_while(|l| !l.contains("Nodeid")).skip(1);
        let members = members
            .filter_map(|l| l.split_whitespace().next()?.parse().ok())
            .collect();
        Ok(Self {
            node: number("Node ID")?,
            ring: field("Ring ID")?.to_owned(),
            quorate: field("Quorate")? == "Yes",
            expected_votes: number("Expected votes")?,
            highest_expected: number("Highest expected")?,
            total_votes: number("Total votes")?,
            quorum: number("Quorum")?,
            flags: field("Flags")?.to_owned(),
            members,
        })
    }
}

/// The members of a group as `(node, process id)`, as `corosync-cpgtool` prints them.
pub(crate) fn cpgtool(node: &Node<'_>, group: &str) -> Result<BTreeSet<(u32, u32)>> {
    let text = node.command("corosync-cpgtool").stdout()?;
    let mut members = BTreeSet::new();
    let mut inside = false;
    for line in text.lines().skip(1) {
        if !line.starts_with([' ', '\t']) {
            inside = line.trim() == group;
        } else if inside {
            let mut words = line.split_whitespace();
            let mut next = || words.next().and_then(|w| w.parse::<u32>().ok());
            if let (Some(pid), Some(node)) = (next(), next()) {
                members.insert((node, pid));
            }
        }
    }
    Ok(members)
}

/// A connection that is in a group, with this many members, itself included.
pub(crate) fn joined(group: &str, members: usize) -> Result<Cpg> {
    let mut cpg = Cpg::connect(&cpg::Options::default())?;
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

/// Counts the messages that are there within a time.
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

/// How many descriptors this process has open.
pub(crate) fn descriptors() -> Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")
        .context("list descriptors")?
        .count())
}

/// The memory of this process in kB: a field of /proc/self/status.
pub(crate) fn memory(field: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix(field)?.strip_prefix(':'));
    let number = line.and_then(|l| l.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| Error::new(ErrorKind::Protocol, format!("no {field}")))
}

/// The processor time of this process so far, in steps of 10 ms.
pub(crate) fn processor_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("read /proc/self/stat")?;
    // The name, in parentheses, may have spaces in it; the 12th and 13th word behind it count.
    let words = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks = words
        .skip(11)
        .take(2)
        .filter_map(|w| w.parse::<u64>().ok())
        .sum::<u64>();
    Ok(Duration::from_millis(10 * ticks))
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
    let attempts = Instant::now();
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
    // A few wait, the others are told at once that it is of no use.
    assert!(attempts.elapsed() < 20 * SHORT, "{:?}", attempts.elapsed());
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
    let quiet = Duration::from_millis(500);
    assert_eq!(count_messages(&mut filler, quiet)?, queued);
    assert_eq!(count_messages(&mut all.cpg, quiet)?, 0);
    sender.send(b"again")?;
    assert_eq!(count_messages(&mut all.cpg, quiet)?, 1);
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
    // While it is away, the watches wait; nothing of the dead connections is left.
    costs(&mut watches)?;
    wait_members(lab, "esclave", &[2])?;
    let (spent, without) = costs(&mut watches)?;
    assert!(
        spent < 200,
        "{spent} ms of processor time while corosync was away"
    );
    assert!(without <= open - 6, "{open} descriptors, then {without}");

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
    let (_, after) = costs(&mut watches)?;
    // The one that does not connect again is gone.
    assert_eq!(after, open - 1);
    // And they stand a second time.
    node.kill("corosync")?;
    hear_all(
        &mut watches,
        &["cpg", "quorum", "votes", "map", "cfg"].map(|s| (s, "lost")),
    )?;
    restart_corosync(&node)?;
    hear_all(&mut watches, &back)?;
    assert_eq!(costs(&mut watches)?.1, open - 1);
    Ok(())
}

/// A user that corosync does not know may not connect, and is told what to do.
fn an_ordinary_user(_: ()) -> Result<()> {
    // Only this thread, and those it makes, become another user.
    let group = rustix::process::Gid::from_raw(65_534);
    rustix::thread::set_thread_res_gid(Some(group), Some(group), Some(group))
        .map_err(std::io::Error::from)?;
    let user = rustix::process::Uid::from_raw(65_534);
    rustix::thread::set_thread_res_uid(Some(user), Some(user), Some(user))
        .map_err(std::io::Error::from)?;
    let options = Options::default();
    for e in [
        Cpg::connect(&cpg::Options::default()).err(),
        Quorum::connect(&options).err(),
        VoteQuorum::connect(&options).err(),
        Cmap::connect(Map::Statistics, &options).err(),
        Cfg::connect(&options).err(),
    ] {
        let e = e.expect("an ordinary user is refused");
        assert_eq!(e.kind(), ErrorKind::PermissionDenied, "{e:#}");
        assert!(
            e.hint().is_some_and(|hint| hint.contains("uidgid")),
            "{e:?}"
        );
    }
    Ok(())
}

fn connections_leave_nothing(_: ()) -> Result<()> {
    let options = Options::default();
    let cycle = || {
        let mut quorum = Quorum::connect(&options)?;
        quorum.track()?;
        let event = quorum.next_event(LONG)?;
        assert!(matches!(
            event,
            Some(quorum::Event::Quorum { .. } | quorum::Event::Nodes { .. })
        ));
        VoteQuorum::connect(&options)?.info(NodeId(1))?;
        let map = Cmap::connect(Map::Configuration, &options)?;
        let track = map.track(&Track::prefix("leaves."))?;
        map.keys("totem.")?;
        drop(track);
        Cfg::connect(&options)?.interfaces().map(drop)
    };
    no_growth(150, 500, cycle)
}

/// Runs something many times, and checks that neither descriptors nor memory nor threads grow.
pub(crate) fn no_growth(
    before: usize,
    times: usize,
    mut cycle: impl FnMut() -> Result<()>,
) -> Result<()> {
    let look = || Ok::<_, Error>((descriptors()?, memory("VmRSS")?, memory("Threads")?));
    (0..before).try_for_each(|_| cycle())?;
    let first = look()?;
    (0..times).try_for_each(|_| cycle())?;
    let last = look()?;
    assert_eq!(last.0, first.0, "descriptors");
    assert!(last.2 <= first.2 + 2, "threads: {first:?}, then {last:?}");
    // A thread that had not yet made a call has 1 MiB of its stack in memory afterwards, and the
    // library's buffer of 1 MiB in its part of the heap.
    let threads = last.2 * 2_200;
    assert!(
        last.1 <= first.1 + threads,
        "kB of memory: {first:?}, then {last:?}"
    );
    Ok(())
}
