//! Functions of the test program that run inside a machine.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{ChildStdin, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::command::Process;
use crate::machine::EXECUTABLE;
use crate::node::Node;

/// The first argument of an executable that runs one of its functions inside a machine.
pub(crate) const FLAG: &str = "--lab-agent";

/// Set before the panic message that is sent to the test; no output of an agent's own begins so.
const MARK: &str = "\u{1}agent ";

/// A line that an agent sends to its test.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    Said(Value),
    Done(Value),
    Failed {
        message: String,
        hint: Option<String>,
    },
    Panicked(String),
}

/// Where a machine finds what valgrind must not report.
const SUPPRESSIONS: &str = "/run/lab/valgrind.supp";

/// An agent ends at its first memory error, which fails its test and shows the error; what it has lost
/// track of at its end is one too.
const VALGRIND: [&str; 10] = [
    "--quiet",
    // No debugger is attached; the pipes for one could not be removed after a power cut.
    "--vgdb=no",
    "--error-exitcode=99",
    "--exit-on-first-error=yes",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
    "--suppressions=/run/lab/valgrind.supp",
    "--main-stacksize=8388608",
    "--num-callers=30",
];

/// The variable that asks for valgrind; agents have it too.
const MEMCHECK: &str = "HA_LAB_MEMCHECK";

/// Tells whether agents run under valgrind, which holds on to memory: when `HA_LAB_MEMCHECK` is set.
#[must_use]
pub fn memcheck() -> bool {
    std::env::var_os(MEMCHECK).is_some()
}

/// Lengthens a limit when agents are slow because valgrind runs them: ten times, and the one place
/// that says so.
#[must_use]
pub fn patience(limit: Duration) -> Duration {
    limit * if memcheck() { 10 } else { 1 }
}

/// What valgrind said of any agent, also of one whose test did not wait for its end.
static MEMORY_ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Returns what valgrind said so far of all agents.
pub(crate) fn memory_errors() -> Vec<String> {
    MEMORY_ERRORS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

type Function = Box<dyn Fn(Value) -> Result<Value> + Send + Sync>;

/// The functions that can be run in a machine, by name.
#[derive(Default)]
pub(crate) struct Functions(BTreeMap<&'static str, Function>);

impl Functions {
    pub(crate) fn add<A, T>(
        &mut self,
        name: &'static str,
        function: impl Fn(A) -> Result<T> + Send + Sync + 'static,
    ) where
        A: DeserializeOwned,
        T: Serialize,
    {
        let call = move |args: Value| {
            let args = serde_json::from_value(args)
                .map_err(|e| Error::invalid(format!("arguments of the agent: {e}")))?;
            let result = function(args)?;
            serde_json::to_value(result).map_err(|e| Error::invalid(format!("result: {e}")))
        };
        let known = self.0.insert(name, Box::new(call));
        assert!(known.is_none(), "two agents are called {name}");
    }

    /// Runs one, in the machine, and reports to the test through standard output.
    pub(crate) fn run(&self, name: &str, args: &str) -> ExitCode {
        let line = match (self.0.get(name), serde_json::from_str(args)) {
            (Some(function), Ok(args)) => {
                std::panic::set_hook(Box::new(|info| {
                    // The place is lost once the panic is caught; standard error goes to the test.
                    eprintln!("{info}");
                }));
                match catch_unwind(AssertUnwindSafe(|| function(args))) {
                    Ok(Ok(value)) => Line::Done(value),
                    Ok(Err(e)) => Line::Failed {
                        message: format!("{e:#}"),
                        hint: e.hint().map(str::to_owned),
                    },
                    Err(payload) => Line::Panicked(panic_message(payload.as_ref())),
                }
            }
            (None, _) => Line::Failed {
                message: format!("no agent {name}"),
                hint: None,
            },
            (_, Err(e)) => Line::Failed {
                message: format!("arguments: {e}"),
                hint: None,
            },
        };
        let code = if matches!(line, Line::Done(_)) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
        // Nobody listens any more: nothing is left to do but to end.
        let _ = send(&line);
        code
    }
}

/// Returns the text of a panic.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}

fn send(line: &Line) -> Result<()> {
    let text = serde_json::to_string(line).map_err(|e| Error::invalid(e.to_string()))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{text}")
        .and_then(|()| out.flush())
        .context("report to the test")
}

/// Sends a value from an agent to its test, which gets it with [`Running::heard`].
///
/// # Errors
/// An I/O error when the test no longer listens.
pub fn say(value: &impl Serialize) -> Result<()> {
    let value = serde_json::to_value(value).map_err(|e| Error::invalid(e.to_string()))?;
    send(&Line::Said(value))
}

/// Waits, in an agent, for the next value that the test sends with [`Running::tell`].
///
/// Returns `None` when the test sends no more.
///
/// # Errors
/// [`ErrorKind::Invalid`] when the value is of another shape.
pub fn listen<T: DeserializeOwned>() -> Result<Option<T>> {
    let mut line = String::new();
    if std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("listen to the test")?
        == 0
    {
        return Ok(None);
    }
    serde_json::from_str(&line)
        .map(Some)
        .map_err(|e| Error::invalid(format!("what the test told: {e}")))
}

/// A function that runs in a machine; it is killed there when this is dropped.
#[derive(Debug)]
pub struct Running {
    name: String,
    process: Process,
    stdin: Option<ChildStdin>,
    lines: Receiver<Line>,
    done: Option<Line>,
    /// What it printed besides; shown when it fails.
    noise: Arc<Mutex<String>>,
    limit: Duration,
}

impl Running {
    pub(crate) fn start(node: &Node<'_>, function: &str, args: &impl Serialize) -> Result<Self> {
        let args = serde_json::to_string(args).map_err(|e| Error::invalid(e.to_string()))?;
        let mut command = if memcheck() {
            node.write(SUPPRESSIONS, include_str!("valgrind.supp"))?;
            let guard = node.command("valgrind").args(VALGRIND);
            guard.args([EXECUTABLE, FLAG, function, &args])
        } else {
            node.command(EXECUTABLE).args([FLAG, function, &args])
        };
        for variable in ["RUST_BACKTRACE", "RUST_LOG", MEMCHECK] {
            if let Ok(value) = std::env::var(variable) {
                command = command.env(variable, value);
            }
        }
        let mut process = command.spawn(Stdio::piped(), Stdio::piped(), Stdio::piped())?;
        let child = process.child();
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (sender, lines) = channel();
        let noise = Arc::new(Mutex::new(String::new()));
        let keep = |noise: &Mutex<String>, line: &str| {
            let mut noise = noise.lock().unwrap_or_else(PoisonError::into_inner);
            noise.push_str(line);
            noise.push('\n');
        };
        if let Some(stdout) = stdout {
            let noise = Arc::clone(&noise);
            std::thread::spawn(move || {
                for line in BufReader::new(stdout)
                    .lines()
                    .map_while(std::result::Result::ok)
                {
                    match line.strip_prefix(MARK).map(serde_json::from_str) {
                        Some(Ok(line)) => {
                            if sender.send(line).is_err() {
                                return;
                            }
                        }
                        _ => keep(&noise, &line),
                    }
                }
            });
        }
        if let Some(stderr) = stderr {
            let noise = Arc::clone(&noise);
            std::thread::spawn(move || {
                for line in BufReader::new(stderr)
                    .lines()
                    .map_while(std::result::Result::ok)
                {
                    // Told to be quiet, valgrind says nothing but errors.
                    if memcheck() && line.starts_with("==") {
                        MEMORY_ERRORS
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(line.clone());
                    }
                    keep(&noise, &line);
                }
            });
        }
        Ok(Self {
            name: format!("{function} on {}", node.name()),
            process,
            stdin,
            lines,
            done: None,
            noise,
            limit: patience(Duration::from_secs(240)),
        })
    }

    /// Sets how long [`heard`](Self::heard) and [`result`](Self::result) wait for the next line
    /// (240 s).
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = patience(limit);
    }

    /// Returns the number of the process inside, as the host knows it, to send it signals.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when it has ended.
    pub fn pid(&mut self) -> Result<u32> {
        self.process.inner_pid()
    }

    /// Sends a value to the function, which gets it with [`listen`].
    ///
    /// # Errors
    /// An I/O error when it has ended.
    pub fn tell(&mut self, value: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(value).map_err(|e| Error::invalid(e.to_string()))?;
        line.push(b'\n');
        let Some(stdin) = &mut self.stdin else {
            return Err(Error::invalid("nothing more can be told"));
        };
        stdin
            .write_all(&line)
            .and_then(|()| stdin.flush())
            .with_context(|| format!("tell {}", self.name))
    }

    /// Tells the function that nothing more will be told: its [`listen`] returns `None`.
    pub fn hush(&mut self) {
        self.stdin = None;
    }

    /// Waits for the next value that the function says; `None` when it has ended.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] when it says nothing in time; [`ErrorKind::Invalid`] when the value is
    /// of another shape.
    pub fn heard<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        if self.done.is_some() {
            return Ok(None);
        }
        match self.next_line()? {
            Line::Said(value) => serde_json::from_value(value)
                .map(Some)
                .map_err(|e| Error::invalid(format!("what {} said: {e}", self.name))),
            last => {
                self.done = Some(last);
                Ok(None)
            }
        }
    }

    /// Waits for the function's end and returns its result; what it still says is dropped.
    ///
    /// # Errors
    /// The function's own error; its panic, or its loss with its machine, as
    /// [`ErrorKind::Protocol`]; [`ErrorKind::Timeout`] when nothing is heard in time.
    pub fn result<T: DeserializeOwned>(mut self) -> Result<T> {
        while self.done.is_none() {
            match self.next_line()? {
                Line::Said(_) => {}
                last => self.done = Some(last),
            }
        }
        let what = match self.done.take() {
            Some(Line::Done(value)) => {
                if memcheck() {
                    self.end_clean()?;
                }
                return serde_json::from_value(value)
                    .map_err(|e| Error::invalid(format!("result of {}: {e}", self.name)));
            }
            Some(Line::Failed { message, hint }) => {
                let hint = hint.map(|h| format!(" (hint: {h})")).unwrap_or_default();
                format!("failed: {message}{hint}")
            }
            Some(Line::Panicked(message)) => format!("panicked: {message}"),
            _ => "was lost".to_owned(),
        };
        Err(self.failure(ErrorKind::Protocol, &what))
    }

    /// Waits until valgrind has looked for lost memory.
    fn end_clean(&mut self) -> Result<()> {
        let status = self.process.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(self.failure(
            ErrorKind::Protocol,
            &format!("had a result, but ended badly ({status})"),
        ))
    }

    fn next_line(&mut self) -> Result<Line> {
        match self.lines.recv_timeout(self.limit) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => {
                let what = format!("said nothing for {:?}", self.limit);
                Err(self.failure(ErrorKind::Timeout, &what))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.process.wait()?;
                Err(self.failure(
                    ErrorKind::Protocol,
                    &format!("ended without a result ({status})"),
                ))
            }
        }
    }

    fn failure(&self, kind: ErrorKind, what: &str) -> Error {
        let noise = self.noise.lock().unwrap_or_else(PoisonError::into_inner);
        let noise = noise.trim();
        let printed = if noise.is_empty() {
            String::new()
        } else {
            format!("\n  it printed:\n{noise}")
        };
        Error::new(kind, format!("agent {} {what}{printed}", self.name))
    }
}
