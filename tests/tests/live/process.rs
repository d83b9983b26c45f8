//! What an agent's own process holds and spends.

use std::fs;
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use lab::{NotYet, agent, wait_until};

use crate::corosync::LONG;

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

/// In how many rounds a growth is looked for.
const ROUNDS: usize = 8;

/// Runs something often, and checks that neither descriptors nor threads nor memory grow.
///
/// What is made once and kept, such as a thread's stack or its part of the heap, shows in one round or
/// another; what leaks shows in each. So the round with the least growth tells: 32 KiB are allowed there,
/// some hundred bytes for each turn. Under valgrind, which keeps freed memory for a while, it is
/// valgrind itself that looks for lost memory.
pub(crate) fn no_growth(
    warm_up: usize,
    turns_per_round: usize,
    mut turn: impl FnMut() -> Result<()>,
) -> Result<()> {
    (0..warm_up).try_for_each(|_| turn())?;
    let (open, threads) = (descriptors()?, memory("Threads")?);
    let mut held = vec![memory("RssAnon")?];
    for _ in 0..ROUNDS {
        (0..turns_per_round).try_for_each(|_| turn())?;
        held.push(memory("RssAnon")?);
    }
    // The last connection is closed by another thread.
    wait_until(
        LONG,
        "as many descriptors are open as before",
        || match descriptors()? {
            now if now == open => Ok(()),
            now => Err(NotYet::because(format!("{now}, not {open}"))),
        },
    )?;
    // On a busy machine several threads close connections at the same time; each ends when it was idle.
    wait_until(LONG, "no more threads run than before", || {
        match memory("Threads")? {
            now if now <= threads => Ok(()),
            now => Err(NotYet::because(format!("{now}, not {threads}"))),
        }
    })?;
    let growth = held.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
    assert!(
        agent::memcheck() || growth.min().is_some_and(|least| least <= 32),
        "it grows in every round (kB): {held:?}"
    );
    Ok(())
}
