//! How long each step of a lab's start took, and which one to look at when it took too long.

use std::time::{Duration, Instant};

/// A start that takes longer than this is explained. Both nodes are usually Online after 5 s.
const USUAL: Duration = Duration::from_secs(10);

/// Times the steps of something that began when it was made.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    start: Instant,
    last: Instant,
    steps: Vec<(String, Duration)>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        let start = Instant::now();
        Self {
            start,
            last: start,
            steps: Vec::new(),
        }
    }

    /// Counts the time since the last step for this one. What comes again is one step.
    pub(crate) fn step(&mut self, what: &str) {
        let now = Instant::now();
        let took = now - self.last;
        self.last = now;
        let what = what.lines().next().unwrap_or_default();
        match self.steps.iter_mut().find(|(known, _)| known == what) {
            Some((_, time)) => *time += took,
            None => self.steps.push((what.to_owned(), took)),
        }
    }

    /// Returns the time from the start to the last step.
    pub(crate) fn total(&self) -> Duration {
        self.last - self.start
    }

    /// Says which step took longest, when all of them took longer than usual.
    pub(crate) fn slow(&self) -> Option<String> {
        slow(self.total(), &self.steps)
    }
}

fn slow(total: Duration, steps: &[(String, Duration)]) -> Option<String> {
    if total <= USUAL {
        return None;
    }
    let (what, time) = steps.iter().max_by_key(|(_, time)| *time)?;
    Some(format!(
        "the start took {:.1} s, over {} s; most of it, {:.1} s: {what}",
        total.as_secs_f64(),
        USUAL.as_secs(),
        time.as_secs_f64()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(seconds: &[(&str, u64)]) -> (Duration, Vec<(String, Duration)>) {
        let steps: Vec<_> = seconds
            .iter()
            .map(|(what, s)| ((*what).to_owned(), Duration::from_secs(*s)))
            .collect();
        (steps.iter().map(|(_, time)| *time).sum(), steps)
    }

    #[test]
    fn only_a_slow_start_is_explained() {
        let (total, fast) = steps(&[("maitre has started", 2), ("maitre sees no DC", 8)]);
        assert_eq!(slow(total, &fast), None);
        let (total, late) = steps(&[
            ("maitre has started", 2),
            ("maitre sees no DC", 9),
            ("the last look", 1),
        ]);
        assert_eq!(
            slow(total, &late).as_deref(),
            Some("the start took 12.0 s, over 10 s; most of it, 9.0 s: maitre sees no DC")
        );
    }

    #[test]
    fn what_comes_again_adds_up() {
        let mut watch = Stopwatch::start();
        for what in ["a", "b\nand why", "a", "b\nand another why"] {
            watch.step(what);
        }
        let names: Vec<&str> = watch.steps.iter().map(|(what, _)| &**what).collect();
        assert_eq!(names, ["a", "b"]);
        let sum: Duration = watch.steps.iter().map(|(_, time)| *time).sum();
        assert_eq!(sum, watch.total());
    }
}
