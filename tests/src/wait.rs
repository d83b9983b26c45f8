//! Waiting for a condition, with a deadline and a reason when it is given up.

use std::time::{Duration, Instant};

use ha_core::{Error, ErrorKind, Result};

/// Why a condition does not hold (yet).
#[derive(Debug)]
pub enum NotYet {
    /// It may hold later; the text says what is missing.
    Because(String),
    /// It never will: waiting ends at once.
    Fatal(Error),
}

impl NotYet {
    /// Says what is missing.
    pub fn because(text: impl Into<String>) -> Self {
        Self::Because(text.into())
    }

    /// Says why waiting longer is pointless.
    pub fn fatal(text: impl Into<String>) -> Self {
        Self::Fatal(Error::new(ErrorKind::Protocol, text.into()))
    }
}

/// A failure to look is not an answer: the condition is looked at again.
impl From<Error> for NotYet {
    fn from(e: Error) -> Self {
        Self::Because(format!("{e:#}"))
    }
}

impl From<std::io::Error> for NotYet {
    fn from(e: std::io::Error) -> Self {
        Self::Because(e.to_string())
    }
}

/// Calls `look` until it gives a value, at most for `limit`.
///
/// # Errors
/// [`ErrorKind::Timeout`], with what was missing at the last look, after `limit`;
/// the error of [`NotYet::Fatal`] at once.
pub fn wait_until<T>(
    limit: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<T, NotYet>,
) -> Result<T> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        let missing = match look() {
            Ok(value) => return Ok(value),
            Err(NotYet::Fatal(e)) => return Err(e.context(format!("wait until {what}"))),
            Err(NotYet::Because(text)) => text,
        };
        if start.elapsed() >= limit {
            return Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "gave up after {limit:?} waiting until {what}: {}",
                    missing.trim()
                ),
            ));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that pauses between two looks"
        )]
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_up_with_the_last_reason() {
        let mut looks = 0;
        let e = wait_until(Duration::from_millis(20), "the cows come home", || {
            looks += 1;
            Err::<(), _>(NotYet::because(format!("look {looks}")))
        })
        .unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Timeout);
        assert!(
            e.to_string()
                .ends_with(&format!("the cows come home: look {looks}")),
            "{e}"
        );
        assert!(looks > 1);
    }

    #[test]
    fn a_fatal_answer_ends_at_once() {
        let start = Instant::now();
        let e = wait_until(Duration::from_secs(60), "x", || {
            Err::<(), _>(NotYet::fatal("split"))
        })
        .unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(format!("{e:#}"), "wait until x: split");
    }
}
