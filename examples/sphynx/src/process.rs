//! Other programs, run so that Ctrl-C ends them too and that what they say is at hand.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::{interrupt, say};

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Where a program's standard error goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errors {
    /// It is kept.
    Kept,
    /// To our own: who types on a terminal sees it in its place.
    Shown,
}

/// Runs a program to its end.
///
/// # Errors
/// [`ErrorKind::NotFound`] when it is not installed; an I/O error; that of [`interrupt`] after Ctrl-C, with the program
/// ended.
pub(crate) fn run(mut command: Command, input: &[u8], errors: Errors) -> Result<Done> {
    command.stdout(Stdio::piped());
    command.stderr(match errors {
        Errors::Kept => Stdio::piped(),
        Errors::Shown => Stdio::inherit(),
    });
    command.stdin(if input.is_empty() {
        Stdio::null()
    } else {
        Stdio::piped()
    });
    let mut child = spawn(&mut command)?;
    let feeder = child.stdin.take().map(|mut stdin| {
        let input = input.to_owned();
        // A program that does not read its input is no error of ours.
        std::thread::spawn(move || drop(stdin.write_all(&input)))
    });
    let stdout = child.stdout.take().map(|mut stdout| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            drop(stdout.read_to_end(&mut bytes));
            bytes
        })
    });
    let stderr = child.stderr.take().map(listen);
    let status = wait(&mut child)?;
    drop(feeder.map(JoinHandle::join));
    Ok(Done {
        status,
        stdout: joined(stdout),
        stderr: joined(stderr),
    })
}

/// Starts a program.
///
/// # Errors
/// [`ErrorKind::NotFound`] with the package that has it.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.spawn().map_err(|e| {
        let error = Error::from(e).context(say!("run {name}", "lancer {name}"));
        if error.kind() != ErrorKind::NotFound {
            return error;
        }
        let package = match name.as_str() {
            "ssh" | "ssh-keygen" => "openssh-client",
            other => other,
        };
        error.with_hint(say!(
            "install it: apt-get install {package}",
            "l'installer : apt-get install {package}"
        ))
    })
}

/// Waits for the end of a program, and ends it when the end is asked for.
///
/// # Errors
/// That of [`interrupt::check`].
pub(crate) fn wait(child: &mut Child) -> Result<ExitStatus> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Error::invalid("not a process number"))?;
    let ended = rustix::process::pidfd_open(pid, PidfdFlags::empty())
        .map_err(std::io::Error::from)
        .context("watch a process")?;
    if let Err(e) = interrupt::wait_readable(&ended, None) {
        // It may have ended by itself: Ctrl-C goes to all programs of the terminal.
        let _ = rustix::process::pidfd_send_signal(&ended, Signal::TERM);
        child.wait()?;
        return Err(e);
    }
    let status = child.wait()?;
    // A program that Ctrl-C ended may be gone before our own signal is noticed.
    interrupt::check()?;
    Ok(status)
}

/// Reads what a program says.
pub(crate) fn listen(mut stderr: ChildStderr) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut said = Vec::new();
        // What was said before an error counts.
        drop(stderr.read_to_end(&mut said));
        String::from_utf8_lossy(&said).into_owned()
    })
}

/// Returns what a thread gathered.
pub(crate) fn joined<T: Default>(thread: Option<JoinHandle<T>>) -> T {
    thread.and_then(|t| t.join().ok()).unwrap_or_default()
}

/// Writes a word so that a shell takes it as it is.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_and_how_it_ends() {
        let mut command = Command::new("sh");
        command.args(["-c", "cat; echo no >&2; exit 3"]);
        let done = run(command, b"yes", Errors::Kept).unwrap();
        assert_eq!(done.status.code(), Some(3));
        assert_eq!(done.stdout, b"yes");
        assert_eq!(done.stderr, "no\n");
    }

    #[test]
    fn a_missing_program_is_told_with_its_package() {
        let error = run(Command::new("no-such-program"), b"", Errors::Kept).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(
            error
                .hint()
                .unwrap()
                .contains("apt-get install no-such-program")
        );
    }

    #[test]
    fn a_shell_takes_words_as_they_are() {
        for word in ["a b", "it's", "$HOME", "", "plain/path-1.x", "é\n*"] {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("printf %s {}", quoted(word))]);
            let done = run(command, b"", Errors::Kept).unwrap();
            assert_eq!(String::from_utf8(done.stdout).unwrap(), word);
        }
    }
}
