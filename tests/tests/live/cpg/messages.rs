//! Messages: their order, their size, their parts, and many of them.

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::time::{Duration, Instant};

use ha_core::live::corosync::NodeId;
use ha_core::live::corosync::cpg::{Event, Guarantee, MOST_PARTS, OwnedEvent};
use ha_core::{Error, ErrorKind, Result};
use lab::harness::Harness;
use lab::{Lab, agent};

use super::register_here;
use crate::corosync::{LONG, count_messages, joined};

pub(super) fn register(harness: &mut Harness) {
    harness.agent("cpg::exchange", exchange);
    harness.shared("cpg::two_senders_one_order", two_senders_one_order);
    harness.agent("cpg::send_large", send_large);
    harness.agent("cpg::receive_large", receive_large);
    harness.shared("cpg::a_message_of_3_mib", a_message_of_3_mib);
    register_here(
        harness,
        &[
            ("cpg::many_threads_send", many_threads_send),
            ("cpg::a_flood_does_not_hold_dispatch_up", a_flood),
            ("cpg::parts_become_one_message", parts_become_one),
        ],
    );
}

const EACH: u32 = 10_000;

/// Sends `EACH` numbered messages as fast as it can while it receives those of both nodes, and
/// returns what it received, in its order. After the first message it waits for that of the other
/// node, so that both send at the same time.
fn exchange(node: u32) -> Result<Vec<(u32, u32)>> {
    let mut cpg = joined("exchange", 2)?;
    assert_eq!(cpg.local_node()?, NodeId(node));
    let sender = cpg.sender();
    let (both, ready) = std::sync::mpsc::channel();
    let sending = std::thread::spawn(move || {
        sender.send(&0_u32.to_be_bytes())?;
        ready
            .recv()
            .map_err(|_| Error::invalid("the first messages did not come"))?;
        (1..EACH).try_for_each(|number| sender.send(&number.to_be_bytes()))
    });
    let mut both = Some(both);
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
        if received.len() >= 2
            && let Some(both) = both.take()
        {
            both.send(())
                .map_err(|_| Error::invalid("the sending thread ended"))?;
        }
    }
    sending
        .join()
        .map_err(|_| Error::invalid("the sending thread panicked"))??;
    // Nothing beyond what was sent, for a moment.
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
    // Neither went on before the other had begun.
    let mut first = maitre[..2].to_vec();
    first.sort_unstable();
    assert_eq!(first, [(1, 0), (2, 0)]);
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
