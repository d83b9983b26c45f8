//! Two sides that do the same in turns, in a lab's machine.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ha_core::live::pacemaker::controld;
use ha_core::{Error, ErrorExt as _, Result};

use super::middle;
use crate::agent;

/// Ours and the other side's medians of each round.
#[derive(Debug, Default)]
pub struct Duel {
    /// Ours.
    pub ours: Vec<f64>,
    /// The other side's.
    pub theirs: Vec<f64>,
}

impl Duel {
    /// One turn of each side, now this one first and now that one.
    ///
    /// # Errors
    /// Those of the sides.
    pub fn round(
        &mut self,
        ours: impl FnOnce() -> Result<f64>,
        theirs: impl FnOnce() -> Result<f64>,
    ) -> Result<()> {
        if self.ours.len().is_multiple_of(2) {
            self.ours.push(ours()?);
            self.theirs.push(theirs()?);
        } else {
            self.theirs.push(theirs()?);
            self.ours.push(ours()?);
        }
        Ok(())
    }

    /// Our median over the rounds.
    #[must_use]
    pub fn ours(&self) -> f64 {
        middle(&self.ours)
    }

    /// The other side's.
    #[must_use]
    pub fn theirs(&self) -> f64 {
        middle(&self.theirs)
    }

    /// Prints the medians over the rounds and their ratio, in microseconds.
    ///
    /// # Errors
    /// Those of [`agent::say`].
    pub fn print(&self, what: &str, other: &str) -> Result<()> {
        let (ours, theirs) = (self.ours(), self.theirs());
        let ratio = ours / theirs;
        agent::say(&format!(
            "{what:<34} {ours:>9.0} us   {other} {theirs:>9.0} us   ratio {ratio:.2}"
        ))
    }
}

/// Takes so many times, in seconds.
///
/// # Errors
/// Those of what is timed.
pub fn time(times: usize, mut f: impl FnMut(usize) -> Result<()>) -> Result<Vec<f64>> {
    (0..times)
        .map(|n| {
            let start = Instant::now();
            f(n)?;
            Ok(start.elapsed().as_secs_f64())
        })
        .collect()
}

/// The median that a program prints, in microseconds.
///
/// # Errors
/// Running it, and [`ErrorKind::Invalid`](ha_core::ErrorKind::Invalid) when it prints none.
pub fn median_of(program: &Path, args: &[&str]) -> Result<f64> {
    let output = Command::new(program)
        .args(args)
        .output()
        .with_context(|| format!("run {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text
        .split_whitespace()
        .skip_while(|word| *word != "median")
        .skip(1);
    words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| {
            let errors = String::from_utf8_lossy(&output.stderr);
            Error::invalid(format!(
                "{} {args:?} printed {text:?} {errors:?}",
                program.display()
            ))
        })
}

/// Lets the controllers read what the turn before has left them: they do before they answer. What
/// then is still on its way to them is sent after one to one and a half seconds. The C program does
/// not care, and several turns in a row would have one of them evicted.
///
/// # Errors
/// Those of asking them.
pub fn rest() -> Result<()> {
    for pause in [1600, 0] {
        controld::ping(None, Duration::from_secs(60))?;
        std::thread::park_timeout(Duration::from_millis(pause));
    }
    Ok(())
}
