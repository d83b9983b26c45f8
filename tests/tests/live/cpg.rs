//! Process groups, against the real corosync.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IoSlice;
use std::os::fd::AsFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use ha_core::live::corosync::cmap::{Cmap, Map};
use ha_core::live::corosync::cpg::{
    Cpg, Event, Group, Guarantee, MOST_PARTS, Member, Options, OwnedEvent, Process, Reason,
};
use ha_core::live::corosync::{NodeId, Reconnect, Update};
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, Link, Transport, agent};
use rustix::event::{PollFd, PollFlags, poll};
use serde::{Deserialize, Serialize};

use crate::corosync::{
    LONG, QuorumTool, count_messages, cpgtool, joined, machines, no_growth, pairs, start_corosync,
    wait_members, within,
};

/// A test that is one function inside a node.
type Here = fn(()) -> Result<()>;

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("cpg::exchange", exchange);
    harness.shared("cpg::two_senders_one_order", two_senders_one_order);
    harness.agent("cpg::send_large", send_large);
    harness.agent("cpg::receive_large", receive_large);
    harness.shared("cpg::a_message_of_3_mib", a_message_of_3_mib);
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
    let here: [(&str, Here); 10] = [
        (
            "cpg::a_panic_reaches_the_caller_of_dispatch",
            a_panic_reaches_the_caller,
        ),
        (
            "cpg::handlers_use_other_connections",
            handlers_use_other_connections,
        ),
        ("cpg::many_threads_send", many_threads_send),
        ("cpg::refusals_say_what_is_wrong", refusals),
        ("cpg::a_flood_does_not_hold_dispatch_up", a_flood),
        (
            "cpg::the_descriptor_tells_when_to_dispatch",
            the_descriptor_tells,
        ),
        ("cpg::events_can_be_iterated", events_can_be_iterated),
        ("cpg::a_small_stack_is_refused", a_small_stack),
        ("cpg::parts_become_one_message", parts_become_one),
        (
            "cpg::a_thousand_connections_leave_nothing",
            a_thousand_connections,
        ),
    ];
    for (name, function) in here {
        harness.agent(name, function);
        harness.shared(name, move |lab| lab.node("maitre")?.call(name, &()));
    }
}

const EACH: u32 = 10_000;

/// Sends `EACH` numbered messages as fast as it can while it receives those of both nodes, and
/// returns what it received, in its order.
fn exchange(node: u32) -> Result<Vec<(u32, u32)>> {
    let mut cpg = joined("exchange", 2)?;
    assert_eq!(cpg.local_node()?, NodeId(node));
    let sender = cpg.sender();
    let sending = std::thread::spawn(move || {
        (0..EACH).try_for_each(|number| sender.send(&number.to_be_bytes()))
    });
    let mut received = Vec::new();
    while received.len() < 2 * EACH as usize {
        let count = cpg.dispatch(LONG, |event| {
            if let Event::Message(m) = event {
                let number = m.payload.try_into().map(u32::from_be_bytes);
                received.push((m.sender.node.0, number.unwrap_or(u32::MAX)));
            }
        })?;
        if count == 0 {
            let text = format!("only {} messages came", received.len());
            return Err(Error::new(ErrorKind::Timeout, text));
        }
    }
    sending
        .join()
        .map_err(|_| Error::invalid("the sending thread panicked"))??;
    // Nothing beyond what was sent.
    assert_eq!(count_messages(&mut cpg, Duration::from_millis(200))?, 0);
    Ok(received)
}

fn two_senders_one_order(lab: &Lab) -> Result<()> {
    let on_maitre = lab.node("maitre")?.start_agent("cpg::exchange", &1)?;
    let on_esclave = lab.node("esclave")?.start_agent("cpg::exchange", &2)?;
    let maitre: Vec<(u32, u32)> = on_maitre.result()?;
    let esclave: Vec<(u32, u32)> = on_esclave.result()?;
    assert!(maitre == esclave, "the order differs");
    for node in [1, 2] {
        let numbers = maitre
            .iter()
            .filter(|(from, _)| *from == node)
            .map(|(_, number)| *number);
        assert!(
            numbers.eq(0..EACH),
            "node {node}: a message is lost, double or out of order"
        );
    }
    // The two really sent at the same time.
    let first_half = &maitre[..EACH as usize];
    assert!(first_half.iter().any(|(n, _)| *n == 1) && first_half.iter().any(|(n, _)| *n == 2));
    Ok(())
}

const LARGE: usize = 3 << 20;

/// Content that shows any piece that is missing, double or in the wrong place.
fn large_content() -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    };
    (0..LARGE / 4).flat_map(next).collect()
}

fn send_large(_: ()) -> Result<()> {
    let cpg = joined("large", 2)?;
    assert!(LARGE > cpg.largest_atomic());
    let sender = cpg.sender();
    sender.send(b"before")?;
    sender.send(&large_content())?;
    sender.send(b"after")?;
    // Until the receiver has it: the messages of a member that leaves are delivered all the same.
    agent::say(&"sent")?;
    agent::listen::<()>().map(drop)
}

fn receive_large(_: ()) -> Result<Vec<usize>> {
    let mut cpg = joined("large", 2)?;
    agent::say(&"ready")?;
    let mut sizes = Vec::new();
    while sizes.len() < 3 {
        let Some(event) = cpg.next_event(LONG)? else {
            break;
        };
        if let OwnedEvent::Message(m) = event {
            if m.payload.len() == LARGE {
                assert!(m.payload == large_content(), "the content differs");
            }
            sizes.push(m.payload.len());
        }
    }
    Ok(sizes)
}

fn a_message_of_3_mib(lab: &Lab) -> Result<()> {
    let mut receiver = lab
        .node("esclave")?
        .start_agent("cpg::receive_large", &())?;
    let mut sender = lab.node("maitre")?.start_agent("cpg::send_large", &())?;
    assert_eq!(receiver.heard::<String>()?.as_deref(), Some("ready"));
    assert_eq!(sender.heard::<String>()?.as_deref(), Some("sent"));
    assert_eq!(receiver.result::<Vec<usize>>()?, [6, LARGE, 5]);
    sender.hush();
    sender.result()
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
    let cpg = Cpg::connect(&Options::default())?;
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
    agent.set_limit(LONG);
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

fn a_panic_reaches_the_caller(_: ()) -> Result<()> {
    let mut cpg = joined("panic", 1)?;
    let sender = cpg.sender();
    (0..20_u8).try_for_each(|number| sender.send(&[number]))?;
    let mut seen = Vec::new();
    let mut panics = 0;
    while seen.len() < 20 {
        let mut handler = |event: Event<'_>| {
            if let Event::Message(m) = event {
                seen.push(m.payload[0]);
                assert!(m.payload[0] % 7 != 3, "number {}", m.payload[0]);
            }
        };
        match catch_unwind(AssertUnwindSafe(|| cpg.dispatch(LONG, &mut handler))) {
            Ok(count) => assert!(count? > 0),
            Err(panic) => {
                panics += 1;
                let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                assert!(text.starts_with("number "), "{text}");
            }
        }
    }
    // What came behind a panic was neither lost nor handled twice.
    assert_eq!(seen, (0..20).collect::<Vec<u8>>());
    assert_eq!(panics, 3);
    Ok(())
}

fn handlers_use_other_connections(_: ()) -> Result<()> {
    let mut outer = joined("outer", 1)?;
    let sender = outer.sender();
    (0..3_u8).try_for_each(|number| sender.send(&[number]))?;
    let mut kept: Option<Cpg> = None;
    let mut answers = Vec::new();
    let mut from_inner = Vec::new();
    let mut failure = None;
    while from_inner.len() < 3 && failure.is_none() {
        let mut handler = |event: Event<'_>| {
            let Event::Message(m) = event else { return };
            let Some(&number) = m.payload.first().filter(|&&n| n < 3) else {
                return;
            };
            // Closes the one that the handler before this left, opens another, sends, and
            // dispatches it, all inside this handler; and sends through the outer one.
            let mut work = || {
                kept = None;
                let mut inner = joined("inner", 1)?;
                inner.sender().send(&[number + 100])?;
                while from_inner.len() <= usize::from(number) {
                    inner.dispatch(LONG, |event| {
                        if let Event::Message(m) = event {
                            from_inner.push(m.payload[0]);
                        }
                    })?;
                }
                let map = Cmap::connect(Map::Configuration, &within(LONG))?;
                answers.push(map.get_as::<u32>("totem.version")?);
                kept = Some(inner);
                sender.send(&[number + 50])
            };
            failure = work().err();
        };
        outer.dispatch(LONG, &mut handler)?;
    }
    if let Some(e) = failure {
        return Err(e);
    }
    assert_eq!(from_inner, [100, 101, 102]);
    assert_eq!(answers, [Some(2), Some(2), Some(2)]);
    Ok(())
}

fn many_threads_send(_: ()) -> Result<()> {
    const THREADS: u8 = 4;
    const MESSAGES: u32 = 5_000;
    let mut cpg = joined("threads", 1)?;
    let mut next = BTreeMap::new();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..THREADS)
            .map(|thread| {
                let sender = cpg.sender();
                scope.spawn(move || {
                    (0..MESSAGES).try_for_each(|number| {
                        // Of changing size, so that any mixture of two would show.
                        let mut message = vec![thread; 5 + number as usize % 90];
                        message[1..5].copy_from_slice(&number.to_be_bytes());
                        sender.send(&message)
                    })
                })
            })
            .collect();
        let mut count = 0;
        while count < u32::from(THREADS) * MESSAGES {
            let handled = cpg.dispatch(LONG, |event| {
                let Event::Message(m) = event else { return };
                let thread = m.payload[0];
                let number =
                    u32::from_be_bytes([m.payload[1], m.payload[2], m.payload[3], m.payload[4]]);
                assert_eq!(m.payload.len(), 5 + number as usize % 90);
                assert!(m.payload[5..].iter().all(|&b| b == thread));
                let expected = next.entry(thread).or_insert(0);
                assert_eq!(number, *expected, "thread {thread}");
                *expected += 1;
                count += 1;
            })?;
            assert!(handled > 0, "only {count} messages came");
        }
        senders
            .into_iter()
            .try_for_each(|s| s.join().expect("no panic"))
    })
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.expect_err("an error was expected").kind()
}

fn refusals(_: ()) -> Result<()> {
    let mut cpg = Cpg::connect(&Options::default())?;
    let (group, other) = (Group::new("refusals")?, Group::new("other")?);
    let sender = cpg.sender();
    assert_eq!(kind(sender.send(b"nowhere to go")), ErrorKind::NotFound);
    assert_eq!(kind(cpg.leave(&group)), ErrorKind::NotFound);
    cpg.join(&group)?;
    assert_eq!(kind(cpg.join(&group)), ErrorKind::AlreadyExists);
    assert_eq!(kind(cpg.join(&other)), ErrorKind::AlreadyExists);
    let large = vec![0; cpg.largest_atomic() + 1];
    assert_eq!(kind(sender.try_send(&large)), ErrorKind::Limit);
    sender.try_send(&large[1..])?;
    let parts = vec![IoSlice::new(b"x"); MOST_PARTS + 1];
    let too_many = sender.send_with(Guarantee::Fifo, LONG, &parts);
    assert_eq!(kind(too_many), ErrorKind::Invalid);
    cpg.leave(&group)?;
    assert_eq!(kind(sender.send(b"too late")), ErrorKind::NotFound);
    let mut reasons = Vec::new();
    while !reasons.contains(&Some(Reason::Leave)) {
        match cpg.next_event(LONG)? {
            Some(OwnedEvent::Members(m)) => reasons.extend(m.left.iter().map(Member::reason)),
            Some(_) => {}
            None => {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    "the own leave does not come",
                ));
            }
        }
    }
    drop(cpg);
    assert_eq!(kind(sender.send(b"closed")), ErrorKind::Disconnected);
    Ok(())
}

fn a_flood(_: ()) -> Result<()> {
    const MESSAGES: usize = 4_000;
    const SLOW: usize = 1_500;
    let mut cpg = joined("flood", 1)?;
    let sender = cpg.sender();
    let sending = std::thread::spawn(move || {
        (0..MESSAGES).try_for_each(|number| sender.send(&number.to_be_bytes()))
    });
    // A handler that is slower than the messages come: 64 events of 0.5 ms are looked at between
    // two looks at the clock.
    let limit = Duration::from_millis(200);
    let mut seen = Vec::new();
    while seen.len() < MESSAGES {
        let handled = cpg.dispatch(limit, |event| {
            let Event::Message(m) = event else { return };
            if seen.len() < SLOW {
                let begin = Instant::now();
                while begin.elapsed() < Duration::from_micros(500) {}
            }
            seen.push(m.payload.to_vec());
        })?;
        // On a slower machine fewer of them fit into the limit, never more.
        let fast = seen.len() > SLOW;
        assert!(
            fast || handled <= 400 + 64,
            "{handled} events in one dispatch"
        );
        assert!(handled > 0, "only {} messages came", seen.len());
    }
    sending.join().expect("no panic")?;
    assert!(
        seen.iter()
            .enumerate()
            .all(|(number, m)| *m == number.to_be_bytes())
    );
    Ok(())
}

fn the_descriptor_tells(_: ()) -> Result<()> {
    const MANY: usize = 1_000;
    let mut cpg = joined("descriptor", 1)?;
    let sender = cpg.sender();
    let ready = |cpg: &Cpg, wait: i64| {
        let fd = cpg.as_fd();
        let timeout = rustix::event::Timespec {
            tv_sec: wait,
            tv_nsec: 0,
        };
        poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&timeout))
            .map(|n| n == 1)
            .map_err(std::io::Error::from)
    };
    count_messages(&mut cpg, Duration::from_millis(100))?;
    assert!(!ready(&cpg, 0)?);
    sender.send(b"wake up")?;
    assert!(ready(&cpg, 10)?);
    let mut got = Vec::new();
    let handled = cpg.dispatch(Duration::ZERO, |event| {
        if let Event::Message(m) = event {
            got.extend_from_slice(m.payload);
        }
    })?;
    assert_eq!((handled, got.as_slice()), (1, &b"wake up"[..]));
    assert!(!ready(&cpg, 0)?);
    assert_eq!(cpg.dispatch(Duration::ZERO, |_| ())?, 0);

    // Of many that came together, none stays behind without the descriptor telling of it.
    (0..MANY).try_for_each(|_| sender.send(b"one of many"))?;
    let half_a_second = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 500_000_000,
    };
    poll(&mut [], Some(&half_a_second)).map_err(std::io::Error::from)?;
    let mut count = 0;
    while count < MANY {
        assert!(ready(&cpg, 10)?, "{count} of {MANY}, and nothing is told");
        count += cpg.dispatch(Duration::ZERO, |_| ())?;
    }
    assert_eq!(count, MANY);
    Ok(())
}

fn events_can_be_iterated(_: ()) -> Result<()> {
    let group = Group::new("iterate")?;
    let mut watch = Cpg::watch(&Options::default(), &group, Reconnect::Never)?;
    let sender = watch.connection().expect("connected").sender();
    for number in 0..5_u8 {
        sender.send_with(Guarantee::Fifo, LONG, &[IoSlice::new(&[number])])?;
    }
    let messages = watch.by_ref().filter_map(|update| match update {
        Update::Event(OwnedEvent::Message(m)) => Some(m.payload[0]),
        _ => None,
    });
    assert_eq!(messages.take(5).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(watch.next_within(Duration::from_millis(50))?.is_none());
    drop(watch);
    let mut cpg = joined("iterate", 1)?;
    cpg.sender().send(b"once more")?;
    let next = cpg.events().find_map(|event| match event {
        Ok(OwnedEvent::Message(m)) => Some(m.payload),
        _ => None,
    });
    assert_eq!(next.as_deref(), Some(&b"once more"[..]));
    Ok(())
}

fn a_small_stack(_: ()) -> Result<()> {
    let mut cpg = joined("stack", 1)?;
    cpg.sender().send(b"still there")?;
    let thread = std::thread::Builder::new().stack_size(512 << 10);
    let (mut cpg, result) = thread
        .spawn(move || {
            let result = cpg.dispatch(LONG, |_| ());
            (cpg, result)
        })?
        .join()
        .expect("no panic");
    let e = result.expect_err("the stack is too small");
    assert_eq!(e.kind(), ErrorKind::Limit);
    assert!(e.hint().is_some_and(|hint| hint.contains("2 MiB")), "{e:?}");
    // Nothing was lost.
    assert_eq!(count_messages(&mut cpg, Duration::from_millis(500))?, 1);
    Ok(())
}

fn parts_become_one(_: ()) -> Result<()> {
    let mut cpg = joined("parts", 1)?;
    let words: Vec<String> = (0..MOST_PARTS).map(|n| format!("part {n};")).collect();
    let parts: Vec<IoSlice<'_>> = words.iter().map(|w| IoSlice::new(w.as_bytes())).collect();
    cpg.sender().send_with(Guarantee::Agreed, LONG, &parts)?;
    // Also when they are too large together for one piece.
    let block = vec![7_u8; 600_000];
    cpg.sender().send_with(
        Guarantee::Agreed,
        LONG,
        &[IoSlice::new(&block), IoSlice::new(&block)],
    )?;
    cpg.sender().send(b"")?;
    let mut sizes = Vec::new();
    let mut first = Vec::new();
    while sizes.len() < 3 {
        cpg.dispatch(LONG, |event| {
            if let Event::Message(m) = event {
                sizes.push(m.payload.len());
                if first.is_empty() {
                    first = m.payload.to_vec();
                }
            }
        })?;
    }
    assert_eq!(first, words.concat().as_bytes());
    assert_eq!(sizes, [first.len(), 1_200_000, 0]);
    Ok(())
}

fn a_thousand_connections(_: ()) -> Result<()> {
    let group = Group::new("thousand")?;
    let cycle = || {
        let mut cpg = Cpg::connect(&Options::default())?;
        cpg.join(&group)?;
        cpg.sender().send(b"x")?;
        cpg.next_event(Duration::ZERO).map(drop)
    };
    no_growth(200, 1_000, cycle)
}
