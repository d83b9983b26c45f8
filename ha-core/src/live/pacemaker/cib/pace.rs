//! Spacing changes so that no daemon falls too far behind.
//!
//! pacemaker-based tells each client about each change, and closes the connection of a client whose
//! backlog of messages passes 500 and grows. The victim is in practice pacemaker-controld, which
//! then restarts: a few hundred quick changes of the status are enough, and nothing warns the writer.
//!
//! So changes go through a bucket that holds fewer of them than such a backlog, and fills no faster
//! than a controller on a small machine reads. A change of the configuration takes the CIB manager
//! longer than that, so it never waits; only status changes in a tight loop do. Each process has its
//! own bucket: it cannot know about others.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{Error, ErrorKind, Result};

/// How many changes may follow each other without a pause.
const BURST: f64 = 200.0;
/// How many changes a second go on for ever.
const PER_SECOND: f64 = 200.0;

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

/// Waits for the turn of one change.
///
/// # Errors
/// [`ErrorKind::TryAgain`] when it would come after the deadline.
pub(super) fn wait(deadline: Instant) -> Result<()> {
    let mut bucket = BUCKET.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    let turn = now + bucket.take(now);
    if turn > deadline {
        bucket.left += 1.0;
        return Err(
            Error::new(ErrorKind::TryAgain, "too many changes in a short time")
                .with_hint("make several changes in one, or allow the call more time"),
        );
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
}
