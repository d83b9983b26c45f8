//! How a program gets events: handlers, iterators, the descriptor; and what it may not do.

use std::io::IoSlice;
use std::os::fd::AsFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use ha_core::live::corosync::cmap::{Cmap, Map};
use ha_core::live::corosync::cpg::{
    Cpg, Event, Group, Guarantee, MOST_PARTS, Member, Options, OwnedEvent, Reason,
};
use ha_core::live::corosync::{Reconnect, Update};
use ha_core::{Error, ErrorKind, Result};
use lab::harness::Harness;
use lab::{NotYet, wait_until};
use rustix::event::{PollFd, PollFlags, poll};

use super::register_here;
use crate::corosync::{LONG, count_messages, joined, messages_before, within};
use crate::process::no_growth;

pub(super) fn register(harness: &mut Harness) {
    register_here(
        harness,
        &[
            (
                "cpg::a_panic_reaches_the_caller_of_dispatch",
                a_panic_reaches_the_caller,
            ),
            (
                "cpg::handlers_use_other_connections",
                handlers_use_other_connections,
            ),
            ("cpg::refusals_say_what_is_wrong", refusals),
            (
                "cpg::the_descriptor_tells_when_to_dispatch",
                the_descriptor_tells,
            ),
            ("cpg::events_can_be_iterated", events_can_be_iterated),
            ("cpg::a_small_stack_is_refused", a_small_stack),
            (
                "cpg::a_thousand_connections_leave_nothing",
                a_thousand_connections,
            ),
        ],
    );
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

/// Other tests flood the same corosync.
fn patient() -> Options {
    Options {
        common: within(LONG),
        ..Options::default()
    }
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.expect_err("an error was expected").kind()
}

fn refusals(_: ()) -> Result<()> {
    let mut cpg = Cpg::connect(&patient())?;
    let (group, other) = (Group::new("refusals")?, Group::new("other")?);
    let sender = cpg.sender();
    assert_eq!(kind(sender.send(b"nowhere to go")), ErrorKind::NotFound);
    assert_eq!(kind(cpg.leave(&group)), ErrorKind::NotFound);
    cpg.join(&group)?;
    assert_eq!(kind(cpg.join(&group)), ErrorKind::AlreadyExists);
    assert_eq!(kind(cpg.join(&other)), ErrorKind::AlreadyExists);
    let large = vec![0; cpg.largest_atomic() + 1];
    assert_eq!(kind(sender.try_send(&large)), ErrorKind::Limit);
    // The queue may be full of what other tests send.
    wait_until(LONG, "there is room for 1 MB", || {
        match sender.try_send(&large[1..]) {
            Err(e) if e.kind() != ErrorKind::TryAgain => Err(NotYet::Fatal(e)),
            done => Ok(done?),
        }
    })?;
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
    let mut watch = Cpg::watch(&patient(), &group, Reconnect::Never)?;
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
    // A watch in such a thread ends too, instead of connecting again and again.
    let watch = Cpg::watch(&patient(), &Group::new("stack watched")?, Reconnect::Always)?;
    let thread = std::thread::Builder::new().stack_size(512 << 10);
    let updates = thread.spawn(move || watch.collect::<Vec<_>>())?;
    let updates = updates.join().expect("no panic");
    let [Update::Lost(e)] = &updates[..] else {
        panic!("{updates:?}")
    };
    assert_eq!(e.kind(), ErrorKind::Limit);
    // Nothing was lost.
    cpg.sender().send(b"and the next")?;
    assert_eq!(messages_before(&mut cpg, b"and the next")?, 1);
    Ok(())
}

fn a_thousand_connections(_: ()) -> Result<()> {
    let group = Group::new("thousand")?;
    let cycle = || {
        let mut cpg = Cpg::connect(&patient())?;
        cpg.join(&group)?;
        cpg.sender().send(b"x")?;
        cpg.next_event(Duration::ZERO).map(drop)
    };
    no_growth(200, 125, cycle)
}
