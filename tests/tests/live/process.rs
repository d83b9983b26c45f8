//! What an agent's own process holds and spends.

use std::fs;
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};

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
