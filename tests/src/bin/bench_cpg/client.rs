//! Our client: what runs inside a node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Subcommand;
use ha_core::live::corosync::cpg::{Cpg, Event, Group, Options};
use ha_core::{Error, Result};
use rustix::time::{ClockId, clock_gettime};

/// The group of the C client too.
const GROUP: &str = "pfbn";
const LONG: Duration = Duration::from_secs(60);

#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    /// Sends as fast as it can for a time.
    Flood { size: usize, seconds: u64 },
    /// Sends one message after the other, each when the one before came back.
    Rtt { size: usize, count: usize },
    /// The same, but waits for the answer of `echo` on the other node.
    Pingpong { size: usize, count: usize },
    /// Answers each message of another node with the same.
    Echo,
    /// Receives.
    Listen,
    /// Sends and receives a number of messages in rounds of 64.
    Count { size: usize, messages: u64 },
}

fn is_message(event: Event<'_>) -> bool {
    matches!(event, Event::Message(_))
}

pub(crate) fn run(client: &Client) -> Result<()> {
    let mut cpg = Cpg::connect(&Options::default())?;
    let own_group = matches!(client, Client::Count { .. });
    cpg.join(&Group::new(if own_group { "count" } else { GROUP })?)?;
    let sender = cpg.sender();
    match *client {
        Client::Flood { size, seconds } => flood(cpg, size, Duration::from_secs(seconds)),
        Client::Rtt { size, count } => round_trips(cpg, "rtt", size, count, true),
        Client::Pingpong { size, count } => round_trips(cpg, "pingpong", size, count, false),
        Client::Echo => {
            let here = cpg.local_node()?;
            let mut result = Ok(());
            while result.is_ok() {
                cpg.dispatch(LONG, |event| {
                    if let Event::Message(m) = event
                        && m.sender.node != here
                        && result.is_ok()
                    {
                        result = sender.send(m.payload);
                    }
                })?;
            }
            result
        }
        Client::Listen => loop {
            cpg.dispatch(LONG, |_| ())?;
        },
        Client::Count { size, messages } => {
            let message = vec![0; size];
            let mut received = 0;
            for sent in 1..=messages {
                sender.send(&message)?;
                while sent % 64 == 0 && sent > 64 && received < sent - 64 {
                    cpg.dispatch(LONG, |event| received += u64::from(is_message(event)))?;
                }
            }
            while received < messages {
                cpg.dispatch(LONG, |event| received += u64::from(is_message(event)))?;
            }
            Ok(())
        }
    }
}

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

/// Prints `MESSAGES_PER_SECOND PERCENT_OF_A_PROCESSOR`.
fn flood(mut cpg: Cpg, size: usize, time: Duration) -> Result<()> {
    let sender = cpg.sender();
    let received = Arc::new(AtomicU64::new(0));
    let counter = received.clone();
    let receiving = std::thread::spawn(move || -> Result<()> {
        loop {
            cpg.dispatch(LONG, |event| {
                if is_message(event) {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })?;
        }
    });
    let message = vec![0; size];
    let (start, before, processor) = (
        Instant::now(),
        received.load(Ordering::Relaxed),
        processor_time(),
    );
    while start.elapsed() < time {
        sender.send(&message)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let messages = received.load(Ordering::Relaxed) - before;
    let processor = (processor_time() - processor).as_secs_f64();
    if receiving.is_finished() {
        return Err(Error::invalid("the receiving thread has ended"));
    }
    println!(
        "{:.1} {:.1}",
        messages as f64 / seconds,
        100.0 * processor / seconds
    );
    // The receiving thread never ends by itself.
    std::process::exit(0);
}

/// Prints a line as the C client does.
fn round_trips(mut cpg: Cpg, name: &str, size: usize, count: usize, own: bool) -> Result<()> {
    let here = cpg.local_node()?;
    let sender = cpg.sender();
    let message = vec![0; size];
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        sender.send(&message)?;
        let (mut mine, mut other) = (false, false);
        let mut took = None;
        // The own message is waited for in any case, so that the next round does not meet it.
        while !mine || took.is_none() {
            cpg.dispatch(LONG, |event| {
                if let Event::Message(m) = event {
                    if m.sender.node == here {
                        mine = true;
                    } else {
                        other = true;
                    }
                }
            })?;
            if took.is_none() && (if own { mine } else { other }) {
                took = Some(start.elapsed());
            }
        }
        times.extend(took);
    }
    times.sort_unstable();
    let at = |share: f64| times[(times.len() as f64 * share) as usize].as_micros();
    println!(
        "{name} {size} bytes: median {} us p10 {} p90 {} p99 {} max {}",
        at(0.5),
        at(0.1),
        at(0.9),
        at(0.99),
        times[times.len() - 1].as_micros()
    );
    Ok(())
}
