//! Whether an address answers, seen from a machine without a pause.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ha_core::{Error, Result};

use crate::command::Process;
use crate::node::Node;
use crate::wait::{NotYet, wait_until};

/// Answers that were on their way when something was cut have arrived after this time, and nothing
/// that a cluster does about it is done before it.
const ON_THEIR_WAY: Duration = Duration::from_millis(500);

/// A `ping` that goes on, 100 times a second, until this is dropped.
#[derive(Debug)]
pub struct Pings {
    what: String,
    /// When each answer came.
    answers: Arc<Mutex<Vec<Instant>>>,
    _process: Process,
}

impl Pings {
    /// Asks an address, from a machine, and waits for its first answer.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::Timeout`] when none comes; an I/O error.
    pub fn start(from: &Node<'_>, to: &str, limit: Duration) -> Result<Self> {
        let command = from
            .command("ping")
            .args(["-n", "-i", "0.01", "-W", "1", to]);
        let mut process = command.spawn(Stdio::null(), Stdio::piped(), Stdio::null())?;
        let output = process.child().stdout.take();
        let output = output.ok_or_else(|| Error::invalid("ping has no output"))?;
        let answers = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&answers);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if line.contains("bytes from") {
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.push(Instant::now());
                }
            }
        });
        let pings = Self {
            what: format!("{to} answers {}", from.name()),
            answers,
            _process: process,
        };
        let began = Instant::now();
        pings.first_after(began, limit)?;
        Ok(pings)
    }

    /// Waits for the first answer after something was cut, and returns when it came.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::Timeout`] when none comes.
    pub fn back_after(&self, cut: Instant, limit: Duration) -> Result<Duration> {
        let at = self.first_after(cut + ON_THEIR_WAY, limit)?;
        Ok(at.duration_since(cut))
    }

    /// Returns the longest time without an answer since then, up to now.
    #[must_use]
    pub fn longest_silence(&self, since: Instant) -> Duration {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let later = answers.iter().copied().filter(|at| *at > since);
        let ends = later.chain([Instant::now()]);
        let mut last = since;
        ends.map(|at| at - std::mem::replace(&mut last, at))
            .max()
            .unwrap_or_default()
    }

    /// Waits for an answer that comes after a time.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::Timeout`] when none comes.
    pub fn answers_after(&self, at: Instant, limit: Duration) -> Result<()> {
        self.first_after(at, limit).map(drop)
    }

    fn first_after(&self, after: Instant, limit: Duration) -> Result<Instant> {
        wait_until(limit, &self.what, || {
            let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            let at = answers.partition_point(|at| *at <= after);
            let first = answers.get(at).copied();
            first.ok_or_else(|| NotYet::because(format!("{} answers before", answers.len())))
        })
    }
}
