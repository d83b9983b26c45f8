//! Programs that are run to see something, and ended when they take too long.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags};

use crate::say;

/// How a program ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Runs a program, at most so long; then it is killed.
///
/// # Errors
/// [`ErrorKind::NotFound`] when it is not installed, [`ErrorKind::Timeout`] when it took too long.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| say!("run {name}", "lancer {name}"))?;
    let stdout = child.stdout.take().map(read);
    let stderr = child.stderr.take().map(read);
    let Some(status) = wait(&mut child, limit)? else {
        // It may have ended meanwhile.
        let _ = child.kill();
        child.wait()?;
        let seconds = limit.as_secs_f64();
        return Err(Error::new(
            ErrorKind::Timeout,
            say!(
                "{name} did not end within {seconds} s",
                "{name} n'a pas fini en {seconds} s"
            ),
        ));
    };
    // Programs that it started may hold its output open: what is there by the end of the limit counts.
    let text = |from: Option<std::sync::mpsc::Receiver<Vec<u8>>>| {
        from.and_then(|from| from.recv_timeout(limit).ok())
            .unwrap_or_default()
    };
    Ok(Output {
        status,
        stdout: text(stdout),
        stderr: String::from_utf8_lossy(&text(stderr)).into_owned(),
    })
}

/// Runs a program that must succeed, and returns what it printed.
pub(crate) fn stdout(command: &mut Command, limit: Duration) -> Result<Vec<u8>> {
    let output = run(command, limit)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let name = command.get_program().to_string_lossy().into_owned();
    let said = output.stderr.trim().to_owned();
    Err(Error::new(ErrorKind::Io, format!("{name}: {said}")))
}

fn read(mut from: impl Read + Send + 'static) -> std::sync::mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before the error is what there is.
        let _ = from.read_to_end(&mut bytes);
        // Nobody listens any more when the limit has passed.
        let _ = sender.send(bytes);
    });
    receiver
}

/// Waits for the end; none when it has not come in time.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Error::invalid("not a process number"))?;
    let ended = rustix::process::pidfd_open(pid, PidfdFlags::empty())
        .map_err(std::io::Error::from)
        .context("watch a process")?;
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(&ended, PollFlags::IN)];
        match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(child.wait()?)),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(std::io::Error::from(e).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let mut sleep = Command::new("sleep");
        let error = run(sleep.arg("1000"), Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }

    #[test]
    fn what_a_program_left_running_does_not_hold_us() {
        let mut sh = Command::new("sh");
        let output = run(
            sh.args(["-c", "sleep 5 & echo $!"]),
            Duration::from_millis(300),
        )
        .unwrap();
        assert!(output.status.success());
    }

    #[test]
    fn the_output_of_a_program() {
        let mut sh = Command::new("sh");
        let output = run(
            sh.args(["-c", "echo a; echo b >&2; exit 3"]),
            Duration::from_secs(60),
        );
        let output = output.unwrap();
        assert_eq!(
            (output.status.code(), &*output.stdout),
            (Some(3), &b"a\n"[..])
        );
        assert_eq!(output.stderr, "b\n");
        let missing = run(
            &mut Command::new("no-such-program"),
            Duration::from_secs(60),
        );
        assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
