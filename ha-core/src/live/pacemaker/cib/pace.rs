//! Spacing changes so that no daemon falls too far behind.
//!
//! pacemaker-based tells each client about each change, and closes the connection of a client whose
//! backlog of messages passes 500 and grows. The victim is in practice pacemaker-controld, which
//! then restarts: a few hundred quick changes of the status are enough, and nothing warns the writer.
//!
//! So changes go through a bucket that holds fewer of them than such a backlog, and fills no faster
//! than a controller on a small machine reads. A change of the configuration takes the CIB manager
//! longer than that, so it never waits; only status changes in a tight loop do.
//!
//! How fast controllers read is not known, though, and one that waits for the scheduler reads nothing
//! for seconds. What has no room in the shared memory between the two is backlog, and the CIB manager
//! sends no more than about 70 messages of that a second, however fast it is read. So after a number of
//! quick changes, or fewer large ones, far from filling that memory, the DC's controller is pinged
//! through this node's: both read what is there before they answer.
//!
//! Each process has its own bucket: it cannot know about others.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::live::pacemaker::controld;
use crate::xml::Document;
use crate::{Error, ErrorKind, Result};

/// How many changes may follow each other without a pause.
const BURST: f64 = 200.0;
/// How many changes a second go on for ever.
const PER_SECOND: f64 = 200.0;

/// How many changes may follow each other before the controllers are known to have read them.
const UNREAD: u32 = 150;
/// How many bytes of messages about them, of the 512 KiB that there is room for.
const UNREAD_BYTES: usize = 192 * 1024;
/// The message about a change is about so long, and so many times longer than what is sent: it holds
/// that, and the path, the attributes and the new state of each element that it changes.
const MESSAGE: usize = 2048;
const TIMES: usize = 8;
/// A change whose size cannot be told from what is sent: a deletion by `XPath`, an upgrade.
const UNKNOWN: usize = 64 * 1024;
/// Changes that took so long together need no such proof.
const SLOW: Duration = Duration::from_secs(3);
/// How long to wait for the proof; a cluster without a DC gives none.
const PROOF: Duration = Duration::from_secs(3);
/// How long it is not asked for after there was none.
const NO_PROOF: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Option<Instant>,
}

static BUCKET: Mutex<Bucket> = Mutex::new(Bucket {
    left: BURST,
    at: None,
});
static NEVER: Condvar = Condvar::new();

impl Bucket {
    /// Takes one change out, and returns how long to wait before making it.
    fn take(&mut self, now: Instant) -> Duration {
        let since = self
            .at
            .map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.at = Some(now);
        self.left = (self.left + since.as_secs_f64() * PER_SECOND).min(BURST) - 1.0;
        Duration::from_secs_f64((-self.left / PER_SECOND).max(0.0))
    }
}

/// The changes since the controllers were last known to have read all.
#[derive(Debug)]
struct Unread {
    changes: u32,
    bytes: usize,
    since: Option<Instant>,
    /// A thread is asking the controllers.
    asking: bool,
    /// When they were last asked and did not answer.
    silent: Option<Instant>,
}

static CHANGES: Mutex<Unread> = Mutex::new(Unread {
    changes: 0,
    bytes: 0,
    since: None,
    asking: false,
    silent: None,
});
static ASKED: Condvar = Condvar::new();

impl Unread {
    /// Counts one change, and tells whether the controllers are to be asked first.
    fn count(&mut self, now: Instant, bytes: usize) -> bool {
        let began = *self.since.get_or_insert(now);
        self.changes += 1;
        self.bytes += bytes;
        if self.changes <= UNREAD && self.bytes <= UNREAD_BYTES {
            return false;
        }
        let within = |since: Instant, time| now.saturating_duration_since(since) < time;
        let silent = self.silent.filter(|since| within(*since, NO_PROOF));
        *self = Self {
            changes: 1,
            bytes,
            since: Some(now),
            asking: within(began, SLOW) && silent.is_none(),
            silent,
        };
        self.asking
    }
}

/// About how long the message about a change is.
pub(super) fn message_about(data: Option<&Document>) -> usize {
    let Some(data) = data else { return UNKNOWN };
    let elements = data.root().descendants().map(|element| {
        let attributes = element
            .attributes()
            .map(|(name, value)| name.len() + value.len() + 4);
        element.name().len() + attributes.sum::<usize>()
    });
    MESSAGE + TIMES * elements.sum::<usize>()
}

/// Waits for the turn of one change, the message about which is so long.
///
/// # Errors
/// [`ErrorKind::TryAgain`] when it would come after the deadline.
pub(super) fn wait(bytes: usize, deadline: Instant) -> Result<()> {
    wait_for_readers(bytes, deadline)?;
    let mut bucket = lock(&BUCKET);
    let now = Instant::now();
    let turn = now + bucket.take(now);
    if turn > deadline {
        bucket.left += 1.0;
        return Err(too_many());
    }
    // Waiting on a condition that nobody signals lets the others take their turns meanwhile.
    loop {
        let left = turn.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        bucket = NEVER
            .wait_timeout(bucket, left)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
}

fn wait_for_readers(bytes: usize, deadline: Instant) -> Result<()> {
    /// Also when the question panics.
    struct Asked;
    impl Drop for Asked {
        fn drop(&mut self) {
            lock(&CHANGES).asking = false;
            ASKED.notify_all();
        }
    }
    let mut unread = lock(&CHANGES);
    while unread.asking {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(too_many());
        }
        unread = ASKED
            .wait_timeout(unread, left)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
    let now = Instant::now();
    if unread.count(now, bytes) {
        drop(unread);
        let _asked = Asked;
        // The change itself needs time too.
        let limit = (deadline.saturating_duration_since(now) / 2).min(PROOF);
        if let Err(e) = controld::ping(None, limit) {
            // Without controllers there is nobody to be cut off.
            lock(&CHANGES).silent = Some(Instant::now());
            tracing::debug!("the controllers do not say that they follow the changes: {e:#}");
        }
    }
    Ok(())
}

fn too_many() -> Error {
    Error::new(ErrorKind::TryAgain, "too many changes in a short time")
        .with_hint("make several changes in one, or allow the call more time")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_changes_are_spaced() {
        let start = Instant::now();
        let mut bucket = Bucket {
            left: BURST,
            at: None,
        };
        for _ in 0..BURST as usize {
            assert_eq!(bucket.take(start), Duration::ZERO);
        }
        let gap = Duration::from_secs_f64(1.0 / PER_SECOND);
        assert_eq!(bucket.take(start), gap);
        assert_eq!(bucket.take(start), 2 * gap);
        // Two turns were given away; after two seconds the bucket is full again, not fuller.
        let later = start + Duration::from_secs(10);
        assert_eq!(bucket.take(later), Duration::ZERO);
        assert!((bucket.left - (BURST - 1.0)).abs() < 1e-9);
    }

    #[test]
    fn quick_changes_are_proven_read_and_slow_ones_are_not_asked_about() {
        let start = Instant::now();
        for (gap, bytes, changes, asked) in [
            (10, 0, 2 * UNREAD + 1, 2),
            (100, 0, 2 * UNREAD + 1, 0),
            (10, UNREAD_BYTES / 4, 9, 2),
            (10, 2 * UNREAD_BYTES, 3, 3),
        ] {
            let mut unread = Unread {
                changes: 0,
                bytes: 0,
                since: None,
                asking: false,
                silent: None,
            };
            let questions = (0..changes)
                .filter(|n| unread.count(start + Duration::from_millis(gap) * *n, bytes))
                .count();
            assert_eq!(questions, asked, "{gap} ms, {bytes} bytes");
        }
    }

    #[test]
    fn who_does_not_answer_is_left_alone_for_a_time() {
        let start = Instant::now();
        let mut unread = Unread {
            changes: 0,
            bytes: 0,
            since: None,
            asking: false,
            silent: Some(start),
        };
        let moment = Duration::from_millis(1);
        for (later, asked) in [(NO_PROOF / 2, false), (NO_PROOF, true)] {
            let mut counts = |now| unread.count(now, 2 * UNREAD_BYTES);
            counts(start + later - moment);
            assert_eq!(counts(start + later), asked, "{later:?}");
        }
    }

    #[test]
    fn a_larger_change_makes_a_longer_message() {
        let one = Document::parse("<nvpair id='a' name='a' value='1'/>").unwrap();
        let many = format!("<set id='s'>{}</set>", one.to_xml_compact().repeat(100));
        let many = Document::parse(&many).unwrap();
        assert!(message_about(Some(&one)) < 3000);
        let message = message_about(Some(&many));
        assert!((20_000..40_000).contains(&message), "{message}");
        assert_eq!(message_about(None), UNKNOWN);
    }
}
