//! A terminal with a program on it that runs in a machine: what a person would type, and what they would see.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::command::{NodeCommand, Process};
use crate::wait::{NotYet, wait_until};

/// A program on a terminal of its own, which is its controlling terminal: `ssh` finds it as `/dev/tty`.
#[derive(Debug)]
pub struct Terminal {
    process: Process,
    keyboard: OwnedFd,
    screen: Arc<Mutex<Vec<u8>>>,
    /// Ends when no program has the terminal open any more.
    reader: JoinHandle<()>,
    /// How much of the screen has been waited for.
    seen: usize,
}

impl Terminal {
    /// Starts a command on a new terminal.
    ///
    /// # Errors
    /// An I/O error when there is no terminal to be had, or the command cannot be run.
    pub fn start(command: NodeCommand) -> Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let open = || -> std::io::Result<(OwnedFd, OwnedFd)> {
            let keyboard = openpt(flags)?;
            grantpt(&keyboard)?;
            unlockpt(&keyboard)?;
            let terminal = ioctl_tiocgptpeer(&keyboard, flags)?;
            let size = Winsize {
                ws_row: 50,
                ws_col: 200,
                ws_xpixel: 0,
                ws_ypixel: 0,
            };
            tcsetwinsize(&terminal, size)?;
            Ok((keyboard, terminal))
        };
        let (keyboard, terminal) = open().context("open a terminal")?;
        let screen = Arc::new(Mutex::new(Vec::new()));
        let mut reader = std::fs::File::from(keyboard.try_clone()?);
        let seen = Arc::clone(&screen);
        let reader_thread = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error is the end: the last program that had the terminal open has ended.
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.extend_from_slice(&bytes[..read]);
            }
        });
        let stdio = || terminal.try_clone().map(Stdio::from);
        let process =
            command
                .under(["setsid", "--ctty", "--wait"])
                .spawn(stdio()?, stdio()?, stdio()?)?;
        Ok(Self {
            process,
            keyboard,
            screen,
            reader: reader_thread,
            seen: 0,
        })
    }

    /// Returns all that has been on the screen, without what only moves or colours.
    #[must_use]
    pub fn screen(&self) -> String {
        let bytes = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        plain(&String::from_utf8_lossy(&bytes))
    }

    /// Waits until a text is on the screen, after what was waited for before; returns what came up to its end.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] with the screen; at once when the program has ended without it.
    pub fn wait_for(&mut self, limit: Duration, text: &str) -> Result<String> {
        let what = format!("{text:?} is on the terminal");
        let found = wait_until(limit, &what, || {
            // Looked at first: what it says before its end is on the screen then.
            let ended = self.reader.is_finished();
            let screen = self.screen();
            let new = screen.get(self.seen..).unwrap_or_default();
            match new.find(text) {
                Some(at) => Ok((
                    self.seen + at + text.len(),
                    new[..at + text.len()].to_owned(),
                )),
                None if ended => Err(NotYet::fatal(format!(
                    "the program ended; screen:\n{screen}"
                ))),
                None => Err(NotYet::because(format!("screen:\n{screen}"))),
            }
        })?;
        self.seen = found.0;
        Ok(found.1)
    }

    /// Types a text; `"\n"` is Enter, `"\x03"` Ctrl-C, `"\x04"` Ctrl-D.
    ///
    /// # Errors
    /// An I/O error when the terminal is gone.
    pub fn send(&self, text: &str) -> Result<()> {
        let mut bytes = text.as_bytes();
        while !bytes.is_empty() {
            let written = rustix::io::write(&self.keyboard, bytes);
            let written = written.map_err(std::io::Error::from).context("type")?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Waits for the program's end; returns its exit status and all that was on the screen.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] with the screen when it does not end.
    pub fn end(mut self, limit: Duration) -> Result<(ExitStatus, String)> {
        let ended = wait_until(limit, "the program on the terminal ends", || {
            // All that it said has been read then.
            let status = match self.reader.is_finished() {
                true => self.process.child().try_wait()?,
                false => None,
            };
            status.ok_or_else(|| NotYet::because(format!("screen:\n{}", self.screen())))
        });
        let status = ended.map_err(|e| Error::new(ErrorKind::Timeout, format!("{e:#}")))?;
        Ok((status, self.screen()))
    }

    /// Tells whether the program has ended.
    ///
    /// # Errors
    /// An I/O error.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.child().try_wait()?.is_some())
    }
}

/// Leaves out the sequences that move the cursor or colour text, and carriage returns.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' if chars.peek() == Some(&'[') => {
                chars.next();
                while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            }
            '\x1b' => {
                chars.next();
            }
            '\r' => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_moves_and_colours_is_left_out() {
        assert_eq!(plain("a\x1b[1;32mb\x1b[0m\r\nc\x1b[2K\x1b7d"), "ab\ncd");
    }
}
