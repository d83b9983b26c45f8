//! A command run inside a machine.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};

use crate::machine::ENVIRONMENT;

/// A command to run in a machine's namespaces, much like [`std::process::Command`].
///
/// Its environment is the machine's own (a plain `PATH`, `LC_ALL=C`), not the caller's.
#[derive(Debug)]
pub struct NodeCommand {
    node: String,
    pid: u32,
    program: String,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    folder: String,
    input: Option<Vec<u8>>,
    limit: Duration,
}

/// What a command printed, and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Its standard error, likewise.
    pub stderr: String,
}

impl NodeCommand {
    pub(crate) fn new(node: &str, pid: u32, program: &str) -> Self {
        Self {
            node: node.to_owned(),
            pid,
            program: program.to_owned(),
            args: Vec::new(),
            environment: Vec::new(),
            folder: "/".to_owned(),
            input: None,
            limit: Duration::from_secs(60),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets the working folder, in the machine (default: `/`).
    #[must_use]
    pub fn current_dir(mut self, folder: impl Into<String>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Gives the standard input.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Sets how long [`output`](Self::output) and [`stdout`](Self::stdout) let it run before it is
    /// killed (default: 60 s).
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Has other programs start it: these words come before it.
    #[must_use]
    pub(crate) fn under<'w>(mut self, words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        words.push(std::mem::take(&mut self.program));
        self.program = words.remove(0);
        self.args.splice(0..0, words);
        self
    }

    /// Runs it to its end and returns what it printed, whatever its exit status.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] when it did not end in time; [`ErrorKind::NotFound`] when there is no
    /// such program in the machine; an I/O error when it cannot be run.
    pub fn output(self) -> Result<Output> {
        let shown = self.shown();
        // The limit is kept inside, where the whole group of processes can be killed.
        let limit = format!("{:.3}", self.limit.as_secs_f64());
        let guard = ["timeout", "-s", "KILL", &limit];
        let mut command = self.command(&guard);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let mut child = command.spawn().with_context(|| format!("run {shown}"))?;
        let feeder = self
            .input
            .zip(child.stdin.take())
            .map(|(bytes, mut stdin)| {
                // A program that does not read its input is no error of ours.
                std::thread::spawn(move || drop(stdin.write_all(&bytes)))
            });
        let output = child
            .wait_with_output()
            .with_context(|| format!("run {shown}"))?;
        if let Some(feeder) = feeder {
            drop(feeder.join());
        }
        let output = Output {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let code = output
            .status
            .code()
            .or(output.status.signal().map(|s| 128 + s));
        match code {
            Some(137) => Err(Error::new(
                ErrorKind::Timeout,
                format!("{shown} was killed, or did not end within {:?}", self.limit),
            )),
            Some(127) => Err(Error::new(
                ErrorKind::NotFound,
                format!("{shown}: {}", output.stderr.trim()),
            )),
            _ => Ok(output),
        }
    }

    /// Runs it to its end and returns its standard output.
    ///
    /// # Errors
    /// As [`output`](Self::output), and [`ErrorKind::Daemon`] with what it printed when its exit
    /// status is not 0.
    pub fn stdout(self) -> Result<String> {
        let shown = self.shown();
        let output = self.output()?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let code = output.status.code().unwrap_or(-1);
        let said = if output.stderr.trim().is_empty() {
            &output.stdout
        } else {
            &output.stderr
        };
        Err(Error::new(
            ErrorKind::Daemon,
            format!("{shown} ended with status {code}: {}", said.trim()),
        )
        .with_code(code))
    }

    /// Runs it with the caller's own standard input and outputs, and no limit.
    ///
    /// # Errors
    /// An I/O error when it cannot be run.
    pub fn status(self) -> Result<ExitStatus> {
        let shown = self.shown();
        let mut command = self.command(&[]);
        command.status().with_context(|| format!("run {shown}"))
    }

    /// Starts it and lets it run until it ends, it is killed, or its machine loses power.
    ///
    /// The pipes are as the [`Stdio`]s say: input, output, errors.
    ///
    /// # Errors
    /// An I/O error when it cannot be run.
    pub fn spawn(self, input: Stdio, output: Stdio, errors: Stdio) -> Result<Process> {
        let shown = self.shown();
        let mut command = self.command(&[]);
        command.stdin(input).stdout(output).stderr(errors);
        let child = command.spawn().with_context(|| format!("run {shown}"))?;
        Ok(Process { child, shown })
    }

    fn shown(&self) -> String {
        let mut words = vec![self.program.as_str()];
        words.extend(self.args.iter().map(String::as_str));
        format!("'{}' on {}", words.join(" "), self.node)
    }

    fn command(&self, guard: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        let target = self.pid.to_string();
        command.args(["-t", &target, "-m", "-u", "-i", "-n", "-p", "--"]);
        command
            .args(["env", "-C", &self.folder, "--"])
            .args(guard)
            .arg(&self.program);
        command.args(self.args.iter().map(OsStr::new));
        command.env_clear().envs(ENVIRONMENT);
        command.envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }
}

/// A command that runs in a machine; killed there when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    shown: String,
}

impl Process {
    /// Returns the pipes and the entering process, to read and write.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Returns the number of the command's process, as the host knows it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when it has not started, or has ended.
    pub fn inner_pid(&self) -> Result<u32> {
        // nsenter waits for the one child that it made in the machine's PID namespace.
        let pid = self.child.id();
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            .ok()
            .and_then(|text| text.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{} does not run", self.shown)))
    }

    /// Kills the command inside the machine, and waits for its end.
    ///
    /// # Errors
    /// An I/O error when its end cannot be waited for.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        if let Ok(inside) = self.inner_pid() {
            // It may have ended meanwhile.
            let _ = crate::lab::kill(inside, rustix::process::Signal::KILL);
        }
        // Before it made that child, or after the child's end.
        let _ = self.child.kill();
        self.wait()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// An I/O error.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        self.child
            .wait()
            .with_context(|| format!("wait for {}", self.shown))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.kill();
        }
    }
}
