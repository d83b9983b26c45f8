//! When a wait ends, and how to wait without spinning.

use std::time::{Duration, Instant};

use rustix::event::Timespec;

/// The moment when a call must have ended; may be never.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// A time so long that the clock cannot hold it means never.
    pub(super) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    pub(super) fn never() -> Self {
        Self(None)
    }

    /// Returns what is left, zero when the deadline has passed, nothing when there is none.
    pub(super) fn remaining(self) -> Option<Duration> {
        self.0
            .map(|at| at.saturating_duration_since(Instant::now()))
    }

    pub(super) fn passed(self) -> bool {
        self.0.is_some_and(|at| at <= Instant::now())
    }

    pub(super) fn instant(self) -> Option<Instant> {
        self.0
    }
}

/// Growing waits between the attempts of something that will soon be possible.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// For the queues of the local daemon: empty again in less than a millisecond.
    pub(super) fn queue() -> Self {
        Self {
            next: Duration::from_micros(50),
            longest: Duration::from_millis(1),
        }
    }

    /// For a membership change or a daemon that starts: some hundred milliseconds.
    pub(super) fn daemon() -> Self {
        Self {
            next: Duration::from_millis(1),
            longest: Duration::from_millis(50),
        }
    }

    /// For a daemon that is gone: until somebody starts it again.
    pub(super) fn absent() -> Self {
        Self {
            next: Duration::from_millis(20),
            longest: Duration::from_secs(2),
        }
    }

    /// Returns how long to wait before the next attempt.
    pub(super) fn step(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(self.longest);
        now
    }

    /// Waits before the next attempt, at most until the deadline; false when that has passed.
    pub(super) fn wait(&mut self, deadline: Deadline) -> bool {
        self.wait_by(deadline, pause)
    }

    /// The same with another way to wait, which may end earlier.
    pub(super) fn wait_by(&mut self, deadline: Deadline, wait: impl FnOnce(Duration)) -> bool {
        let left = deadline.remaining();
        if left.is_some_and(|left| left.is_zero()) {
            return false;
        }
        let step = self.step();
        wait(left.map_or(step, |left| left.min(step)));
        true
    }
}

/// Waits for a time, for lack of anything to wait on.
pub(super) fn pause(time: Duration) {
    // A signal may end it early: every caller looks at its deadline again.
    let _ = rustix::event::poll(&mut [], Some(&timespec(time)));
}

/// Converts for `poll`; times that do not fit become the longest that does.
pub(in crate::live) fn timespec(time: Duration) -> Timespec {
    Timespec::try_from(time).unwrap_or(Timespec {
        tv_sec: i64::MAX,
        tv_nsec: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_never_and_now_is_now() {
        let never = Deadline::after(Duration::MAX);
        let now = Deadline::after(Duration::ZERO);
        assert!(!never.passed() && never.remaining().is_none());
        assert!(now.passed() && now.remaining() == Some(Duration::ZERO));
    }

    #[test]
    fn waits_grow_to_the_longest_and_stop_at_the_deadline() {
        let mut backoff = Backoff::queue();
        let steps: Vec<_> = (0..7).map(|_| backoff.step().as_micros()).collect();
        assert_eq!(steps, [50, 100, 200, 400, 800, 1000, 1000]);
        let start = Instant::now();
        let deadline = Deadline::after(Duration::from_millis(30));
        let mut attempts = 0;
        let mut backoff = Backoff::daemon();
        while backoff.wait(deadline) {
            attempts += 1;
        }
        assert!(start.elapsed() >= Duration::from_millis(30));
        assert!(attempts < 20, "{attempts}");
    }
}
