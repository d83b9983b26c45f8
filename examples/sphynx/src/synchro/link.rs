//! The source's end of the talk with the target.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ha_core::{Error, ErrorKind, Result};

use super::talk::{Answer, Request};
use crate::process;
use crate::ssh::{By, Failure, Peer};
use crate::{interrupt, say};

/// How often the target is told that we are still there.
const BEAT: Duration = Duration::from_secs(5);

/// What is run there; the package puts it where the shell of a command run by SSH may not look.
const PROGRAM: &str =
    "PATH=\"$PATH:/usr/local/sbin:/usr/sbin:/sbin\"; export PATH; exec synchro-nodes --pair --lang";

/// A talk with the target, over one ssh.
#[derive(Debug)]
pub(super) struct Link<'p> {
    peer: &'p Peer,
    child: Child,
    stdin: Arc<Mutex<Option<ChildStdin>>>,
    stdout: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
    /// Dropped, it ends the heartbeat.
    _beat: Sender<()>,
}

impl<'p> Link<'p> {
    pub(super) fn open(peer: &'p Peer, by: By) -> Result<Self> {
        // What is refused there is told here.
        let lang = say!("en", "fr");
        let mut command = peer.command(by, &format!("{PROGRAM} {lang}"));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = process::spawn(&mut command)?;
        let no_pipe = || Error::new(ErrorKind::Io, "no pipe to ssh");
        let stdout = child.stdout.take().ok_or_else(no_pipe)?;
        let stdin = Arc::new(Mutex::new(child.stdin.take()));
        let stderr = child.stderr.take().map(process::listen);
        let (sender, receiver) = channel::<()>();
        let beaten = Arc::clone(&stdin);
        std::thread::spawn(move || {
            while receiver.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                let mut stdin = beaten.lock().unwrap_or_else(PoisonError::into_inner);
                // That it is gone is noticed by who waits for an answer.
                let written = stdin.as_mut().map(|stdin| stdin.write_all(b"\n"));
                if !matches!(written, Some(Ok(()))) {
                    return;
                }
            }
        });
        Ok(Self {
            peer,
            child,
            stdin,
            stdout: BufReader::new(stdout),
            stderr,
            _beat: sender,
        })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// What the target refused; what ssh failed with.
    pub(super) fn ask(&mut self, request: &Request) -> Result<Answer> {
        let mut line = serde_json::to_string(request).map_err(std::io::Error::from)?;
        line.push('\n');
        let written = {
            let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
            stdin.as_mut().map(|stdin| stdin.write_all(line.as_bytes()))
        };
        // Why it cannot be written is known by what ssh says.
        if !matches!(written, Some(Ok(()))) {
            return Err(self.failed());
        }
        let mut answer = Vec::new();
        while !answer.ends_with(b"\n") {
            if self.stdout.buffer().is_empty() {
                interrupt::wait_readable(self.stdout.get_ref().as_fd(), None)?;
            }
            let bytes = self.stdout.fill_buf()?;
            if bytes.is_empty() {
                return Err(self.failed());
            }
            let end = bytes
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(bytes.len(), |at| at + 1);
            answer.extend(&bytes[..end]);
            self.stdout.consume(end);
        }
        match serde_json::from_slice(&answer) {
            Ok(Answer::Refused {
                kind,
                message,
                hint,
            }) => {
                let error = Error::new(kind.into(), message).context(self.peer.name().to_owned());
                Err(hint.into_iter().fold(error, Error::with_hint))
            }
            Ok(answer) => Ok(answer),
            Err(e) => Err(Error::new(
                ErrorKind::Protocol,
                format!(
                    "{}: {e}: {}",
                    self.peer.name(),
                    String::from_utf8_lossy(&answer)
                ),
            )),
        }
    }

    /// Finds out why the other end is gone.
    fn failed(&mut self) -> Error {
        self.close();
        let status = match process::wait(&mut self.child) {
            Ok(status) => status,
            Err(e) => return e,
        };
        let said = process::joined(self.stderr.take());
        let name = self.peer.name();
        match status.code() {
            Some(127) => Error::new(
                ErrorKind::NotFound,
                say!(
                    "synchro-nodes is not installed on {name}",
                    "synchro-nodes n'est pas installé sur {name}"
                ),
            )
            .with_hint(say!(
                "install the same package on {name}",
                "installer le même paquet sur {name}"
            )),
            Some(255) => Failure::of(&said).error(self.peer),
            _ => Failure::Closed(said.trim().to_owned()).error(self.peer),
        }
    }

    fn close(&self) {
        drop(
            self.stdin
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}

impl Drop for Link<'_> {
    fn drop(&mut self) {
        self.close();
        // Without its input it ends; where the link is cut, ssh would take its time to notice.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
