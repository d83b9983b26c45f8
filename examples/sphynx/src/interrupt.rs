//! Ctrl-C and its like: what waits ends at once, what must not stay half done is finished or taken back, and the exit
//! status says so.

use std::fmt;
use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::say;

/// The signals that ask for the end.
const SIGNALS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// What stands for the end of a shell command that Ctrl-C ended.
const BY_CTRL_C: u8 = 130;

struct Watch {
    /// Readable once a signal came.
    pipe: UnixStream,
    signal: Arc<AtomicUsize>,
}

static WATCH: OnceLock<Watch> = OnceLock::new();

/// The cause of an error: somebody asked for the end.
#[derive(Debug)]
struct Interrupted(u8);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit status {}", self.0)
    }
}

impl std::error::Error for Interrupted {}

/// Begins to take note of the signals that ask for the end, instead of ending at once. Only the first call counts.
///
/// # Errors
/// An I/O error.
pub fn watch() -> Result<()> {
    if WATCH.get().is_some() {
        return Ok(());
    }
    let (pipe, writer) = UnixStream::pair().context("make a pipe for signals")?;
    pipe.set_nonblocking(true)?;
    let signal = Arc::new(AtomicUsize::new(0));
    for number in SIGNALS {
        let value = usize::try_from(number).unwrap_or_default();
        signal_hook::flag::register_usize(number, Arc::clone(&signal), value)
            .context("watch for signals")?;
        signal_hook::low_level::pipe::register(number, writer.try_clone()?)
            .context("watch for signals")?;
    }
    // When two threads come here at once, either watch is as good as the other.
    let _ = WATCH.set(Watch { pipe, signal });
    Ok(())
}

/// Returns the error of a user who left: by Ctrl-D, or because the terminal is gone.
#[must_use]
pub fn left() -> Error {
    interrupted(BY_CTRL_C)
}

/// Fails when the end was asked for.
///
/// # Errors
/// The error that [`exit_code`] knows.
pub fn check() -> Result<()> {
    let Some(watch) = WATCH.get() else {
        return Ok(());
    };
    match watch.signal.load(Ordering::SeqCst) {
        0 => Ok(()),
        number => Err(interrupted(128 + u8::try_from(number).unwrap_or_default())),
    }
}

/// Forgets a signal that was meant for one step alone.
pub fn forget() {
    let Some(watch) = WATCH.get() else { return };
    watch.signal.store(0, Ordering::SeqCst);
    let mut rest = [0; 64];
    while matches!((&watch.pipe).read(&mut rest), Ok(read) if read > 0) {}
}

fn interrupted(code: u8) -> Error {
    Error::new(ErrorKind::TryAgain, say!("interrupted", "interrompu"))
        .with_source(Interrupted(code))
}

/// Tells whether an error is that of a user who left.
#[must_use]
pub fn is_interruption(error: &Error) -> bool {
    code_of(error).is_some()
}

/// Returns the exit status of an error: 130 after Ctrl-C, and else that of its kind.
#[must_use]
pub fn exit_code(error: &Error) -> u8 {
    code_of(error).unwrap_or_else(|| error.exit_code())
}

fn code_of(error: &Error) -> Option<u8> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<Interrupted>().map(|by| by.0)
}

/// Waits until something can be read there; `false` when the time is over before.
///
/// # Errors
/// That of [`check`] when the end is asked for meanwhile; an I/O error.
pub fn wait_readable(fd: impl AsFd, limit: Option<Duration>) -> Result<bool> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    loop {
        check()?;
        let left = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        let mut fds = vec![PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)];
        let pipe: Option<BorrowedFd<'_>> = WATCH.get().map(|watch| watch.pipe.as_fd());
        fds.extend(pipe.map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
        match poll(&mut fds, left.as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) if !fds[0].revents().is_empty() => {
                check()?;
                return Ok(true);
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(std::io::Error::from(e).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_who_left_is_no_failure_of_ours() {
        let error = left().context("ask");
        assert!(is_interruption(&error));
        assert_eq!(exit_code(&error), 130);
        let other = Error::new(ErrorKind::Timeout, "late");
        assert!(!is_interruption(&other));
        assert_eq!(exit_code(&other), 124);
    }
}
