//! Running an agent's own program, with a deadline.

use std::io::{ErrorKind as IoKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::{Error, ErrorExt, ErrorKind, Result};

/// What a program printed, and how it ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) output: String,
    pub(super) errors: String,
}

/// More than any agent prints; a runaway one is stopped there.
const MOST: usize = 4 << 20;

/// How often a process is looked at where the system cannot tell of its end.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Kills the program and what it started, unless it has ended.
struct Guard {
    child: Child,
    group: Pid,
    is_over: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.is_over {
            // Its own group: agents are scripts, which start other programs.
            let _ = kill_process_group(self.group, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Runs a program to its end, with nothing to read.
pub(super) fn run(mut command: Command, deadline: Instant) -> Result<Ended> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("start {}", command.get_program().display()))?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let group =
        group.ok_or_else(|| Error::new(ErrorKind::Protocol, "a process without a number"))?;
    let mut running = Guard {
        child,
        group,
        is_over: false,
    };
    let ended = match pidfd_open(group, PidfdFlags::empty()) {
        Ok(descriptor) => Some(descriptor),
        // Kernels before 5.3, and valgrind: looked after now and then instead.
        Err(rustix::io::Errno::NOSYS) => None,
        Err(e) => return Err(std::io::Error::from(e)).context("watch a process"),
    };
    let mut output = Collected::new(running.child.stdout.take())?;
    let mut errors = Collected::new(running.child.stderr.take())?;
    loop {
        output.read()?;
        errors.read()?;
        if let Some(status) = running.child.try_wait()? {
            // What it wrote before it ended is in the pipes already.
            output.read()?;
            errors.read()?;
            running.is_over = true;
            return Ok(Ended {
                status,
                output: output.text(),
                errors: errors.text(),
            });
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "{} did not end in time, and was killed",
                    command.get_program().display()
                ),
            ));
        }
        let descriptors = [
            ended.as_ref().map(AsFd::as_fd),
            output.descriptor(),
            errors.descriptor(),
        ];
        let mut waited: Vec<PollFd<'_>> = descriptors
            .iter()
            .flatten()
            .map(|descriptor| PollFd::from_borrowed_fd(*descriptor, PollFlags::IN))
            .collect();
        let left = if ended.is_some() {
            left
        } else {
            left.min(LOOK_AGAIN)
        };
        let left = Timespec::try_from(left).unwrap_or(Timespec {
            tv_sec: 3600,
            tv_nsec: 0,
        });
        match poll(&mut waited, Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => {
                return Err(Error::from(std::io::Error::from(e)).context("wait for a process"));
            }
        }
    }
}

/// One of its outputs.
struct Collected<R> {
    /// None after its end.
    pipe: Option<R>,
    bytes: Vec<u8>,
}

impl<R: Read + AsFd> Collected<R> {
    fn new(pipe: Option<R>) -> Result<Self> {
        if let Some(pipe) = &pipe {
            rustix::io::ioctl_fionbio(pipe, true)
                .map_err(std::io::Error::from)
                .context("prepare a pipe")?;
        }
        Ok(Self {
            pipe,
            bytes: Vec::new(),
        })
    }

    /// Reads what is there now.
    fn read(&mut self) -> Result<()> {
        let mut part = [0; 8192];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut part) {
                Ok(0) => self.pipe = None,
                Ok(length) if self.bytes.len() + length > MOST => {
                    return Err(Error::new(ErrorKind::Limit, "a program prints without end"));
                }
                Ok(length) => self.bytes.extend_from_slice(&part[..length]),
                Err(e) if e.kind() == IoKind::WouldBlock => break,
                Err(e) if e.kind() == IoKind::Interrupted => {}
                Err(e) => return Err(Error::from(e).context("read what a program prints")),
            }
        }
        Ok(())
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    fn text(self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<Ended> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, Instant::now() + limit)
    }

    #[test]
    fn collects_both_outputs_and_the_status() -> Result<()> {
        // More than a pipe holds, so that a reader is needed.
        let script = "yes | head -c 200000; echo bad >&2; exit 3";
        let ended = shell(script, Duration::from_secs(20))?;
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(
            (ended.output.len(), ended.errors.as_str()),
            (200_000, "bad\n")
        );
        Ok(())
    }

    #[test]
    fn kills_what_does_not_end() {
        let began = Instant::now();
        for script in ["sleep 60 & sleep 60", "exec >&- 2>&-; sleep 60"] {
            let e = shell(script, Duration::from_millis(200))
                .map(|ended| ended.status)
                .unwrap_err();
            assert_eq!(e.kind(), ErrorKind::Timeout);
        }
        let e = shell("yes", Duration::from_secs(60))
            .map(|ended| ended.status)
            .unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Limit);
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{:?}",
            began.elapsed()
        );
    }

    #[test]
    fn ends_with_the_program_and_not_with_its_children() -> Result<()> {
        let began = Instant::now();
        // The child in the background keeps the pipe open.
        let ended = shell("sleep 30 & echo done; exit 0", Duration::from_secs(20))?;
        assert_eq!(ended.output, "done\n");
        assert!(began.elapsed() < Duration::from_secs(10));
        Ok(())
    }
}
