//! One machine of a lab.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use rustix::process::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agent::Running;
use crate::command::NodeCommand;
use crate::lab::{LOOK, Lab, kill};
use crate::network::Link;
use crate::registry::process_fields;

/// A machine: one of the cluster's nodes, or the gateway.
#[derive(Debug, Clone)]
pub struct Node<'lab> {
    lab: &'lab Lab,
    name: String,
}

impl<'lab> Node<'lab> {
    pub(crate) fn new(lab: &'lab Lab, name: String) -> Self {
        Self { lab, name }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the process number of its PID 1, as the host knows it.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the machine is off.
    pub fn pid(&self) -> Result<u32> {
        let pid = fs::read_to_string(self.lab.folder(&self.name).join("pid"))
            .ok()
            .and_then(|text| text.parse::<u32>().ok());
        // The number is taken anew with every start, and its namespaces go with the process.
        pid.filter(|pid| {
            let link = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
            link(*pid).is_some() && link(*pid) != link(std::process::id())
        })
        .ok_or_else(|| {
            Error::invalid(format!("{} is off", self.name))
                .with_hint(format!("power it on: lab power-on {}", self.name))
        })
    }

    /// Returns its own address in a network.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the lab has no such machine.
    pub fn address(&self, link: Link) -> Result<String> {
        Ok(link.address(self.lab.host(&self.name)?))
    }

    /// Tells whether the machine has power.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.pid().is_ok()
    }

    /// Prepares a command to run in the machine.
    ///
    /// A machine that is off is reported when the command is run.
    #[must_use]
    pub fn command(&self, program: &str) -> NodeCommand {
        NodeCommand::new(&self.name, self.pid().unwrap_or(0), program)
    }

    /// Starts a registered function in the machine. See the [crate's documentation](crate).
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the machine is off or the arguments cannot be written as JSON.
    pub fn start_agent(&self, function: &str, args: &impl Serialize) -> Result<Running> {
        self.pid()?;
        Running::start(self, function, args)
    }

    /// Runs a registered function in the machine to its end and returns its result.
    ///
    /// # Errors
    /// The function's own error; its panic as [`ErrorKind::Protocol`].
    pub fn call<T: DeserializeOwned>(&self, function: &str, args: &impl Serialize) -> Result<T> {
        self.start_agent(function, args)?.result()
    }

    /// Returns the machine's processes with this name, by the numbers that the host knows.
    ///
    /// The name is that of the executable; Pacemaker's daemons are found by their short names too
    /// (`based`, `controld`, ...).
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the machine is off; an I/O error.
    pub fn processes(&self, name: &str) -> Result<Vec<u32>> {
        let long = format!("pacemaker-{name}");
        let mut found = self.programs()?;
        found.retain(|(_, program)| program == name || *program == long);
        Ok(found.into_iter().map(|(pid, _)| pid).collect())
    }

    /// Returns the names of the machine's processes that are [stopped](Self::stop).
    ///
    /// # Errors
    /// As [`processes`](Self::processes).
    pub fn stopped(&self) -> Result<Vec<String>> {
        let mut found = self.programs()?;
        found.retain(|(pid, _)| process_fields(*pid).is_some_and(|f| f.starts_with('T')));
        Ok(found.into_iter().map(|(_, program)| program).collect())
    }

    /// The machine's processes, with the name of what each runs.
    fn programs(&self) -> Result<Vec<(u32, String)>> {
        let namespace = fs::read_link(format!("/proc/{}/ns/pid", self.pid()?))?;
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").context("read /proc")? {
            let file = entry?.file_name();
            let Some(pid) = file.to_str().and_then(|f| f.parse::<u32>().ok()) else {
                continue;
            };
            // Processes come and go while we look.
            let proc = Path::new("/proc").join(&file);
            if fs::read_link(proc.join("ns/pid")).ok().as_ref() != Some(&namespace) {
                continue;
            }
            let Ok(line) = fs::read(proc.join("cmdline")) else {
                continue;
            };
            let program = line.split(|b| *b == 0).next().unwrap_or_default();
            let program = String::from_utf8_lossy(program);
            let program = program.rsplit('/').next().unwrap_or_default();
            found.push((pid, program.to_owned()));
        }
        Ok(found)
    }

    /// Sends a signal to every process of the machine with this name; see [`processes`](Self::processes).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        let processes = self.processes(name)?;
        if processes.is_empty() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("no process '{name}' on {}", self.name),
            )
            .with_hint(format!("what runs there: lab exec {} ps -e", self.name)));
        }
        // pacemaker-based has a child of its own name while it writes the CIB: that one may be gone
        // before the signal, and the daemon is still there.
        let mut sent = false;
        let mut gone = None;
        for pid in processes {
            match kill(pid, signal) {
                Ok(()) => sent = true,
                Err(e) if !Path::new("/proc").join(pid.to_string()).exists() => gone = Some(e),
                Err(e) => return Err(e),
            }
        }
        match gone {
            Some(e) if !sent => Err(e),
            _ => Ok(()),
        }
    }

    /// Kills a daemon with signal 9.
    ///
    /// # Errors
    /// As [`signal`](Self::signal).
    pub fn kill(&self, daemon: &str) -> Result<()> {
        self.signal(daemon, Signal::KILL)
    }

    /// Stops a daemon without ending it: it no longer answers.
    ///
    /// # Errors
    /// As [`signal`](Self::signal).
    pub fn stop(&self, daemon: &str) -> Result<()> {
        self.signal(daemon, Signal::STOP)
    }

    /// Lets a stopped daemon go on.
    ///
    /// # Errors
    /// As [`signal`](Self::signal).
    pub fn cont(&self, daemon: &str) -> Result<()> {
        self.signal(daemon, Signal::CONT)
    }

    /// Reads a file of the machine, even when it is off (what it has written to its disk, then).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], or another I/O error.
    pub fn read(&self, path: &str) -> Result<String> {
        let bytes = fs::read(self.path(path)).with_context(|| format!("read {path}"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a file of the machine, which must be on.
    ///
    /// # Errors
    /// An I/O error.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.pid()?;
        fs::write(self.path(path), bytes).with_context(|| format!("write {path}"))
    }

    /// Tells whether the machine has a folder.
    #[must_use]
    pub fn has_folder(&self, path: &str) -> bool {
        self.path(path).is_dir()
    }

    /// Returns which cluster nodes it sees Online, in one line.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it is off or no cluster node; an error of `crm_mon`.
    pub fn cluster_view(&self) -> Result<String> {
        self.pid()?;
        let seen = self.crm_mon_xml(Duration::from_secs(5))?;
        let nodes = self.lab.nodes();
        let online: Vec<&str> = nodes
            .iter()
            .map(Node::name)
            .filter(|name| online(&seen, name))
            .collect();
        Ok(format!(
            "{} Online",
            if online.is_empty() {
                "none".into()
            } else {
                online.join(", ")
            }
        ))
    }

    pub(crate) fn crm_mon_xml(&self, limit: Duration) -> Result<String> {
        let command = self.command("crm_mon").args(["-1", "--output-as=xml"]);
        command.limit(limit).stdout()
    }

    fn path(&self, path: &str) -> PathBuf {
        let path = path.trim_start_matches('/');
        match self.pid() {
            Ok(pid) => Path::new("/proc")
                .join(pid.to_string())
                .join("root")
                .join(path),
            Err(_) => self.lab.folder(&self.name).join("up").join(path),
        }
    }

    /// Returns the last lines of its logs.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        let mut text = String::new();
        let console = fs::read_to_string(self.lab.folder(&self.name).join("console.log"));
        for (name, content) in [
            ("console", console.map_err(Error::from)),
            ("corosync output", self.read("/var/log/corosync/output.log")),
            ("corosync.log", self.read("/var/log/corosync/corosync.log")),
            (
                "pacemaker output",
                self.read("/var/log/pacemaker/output.log"),
            ),
            (
                "pacemaker.log",
                self.read("/var/log/pacemaker/pacemaker.log"),
            ),
        ] {
            let Ok(content) = content else { continue };
            let end = tail(&content, lines);
            if !end.is_empty() {
                text += &format!("--- {}: {name}\n{end}", self.name);
            }
        }
        text
    }
}

/// What every start says, in namespaces without a watchdog, and what `unshare` says of a power cut.
const HARMLESS: [&str; 4] = [
    "Could not increase RLIMIT_MEMLOCK",
    "Watchdog not enabled by configuration",
    "missing a recovery key",
    "unshare: sigprocmask",
];

/// Returns the last lines of a log, and before them the last ones that tell of trouble.
fn tail(log: &str, count: usize) -> String {
    let harmless = |line: &&str| HARMLESS.iter().any(|words| line.contains(words));
    let lines: Vec<&str> = log.lines().filter(|line| !harmless(line)).collect();
    let (early, last) = lines.split_at(lines.len().saturating_sub(count));
    let trouble = |line: &&str| {
        [" error", " crit", " warning", " alert", " emerg"]
            .iter()
            .any(|word| line.contains(word))
    };
    let mut shown: Vec<&str> = early
        .iter()
        .rev()
        .copied()
        .filter(trouble)
        .take(count / 2)
        .collect();
    shown.reverse();
    if shown.len() < early.len() {
        shown.insert(0, "...");
    }
    shown.extend(last);
    shown.iter().map(|line| format!("{line}\n")).collect()
}

/// Says what a node still misses of being Online with all of these, and with a DC.
pub(crate) fn missing(node: &Node<'_>, names: &[String]) -> Option<String> {
    let seen = match node.crm_mon_xml(LOOK) {
        Ok(seen) => seen,
        Err(e) => return Some(format!("{e:#}")),
    };
    let name = node.name();
    if let Some(missing) = names.iter().find(|name| !online(&seen, name)) {
        return Some(format!("{name} does not see {missing} Online"));
    }
    (!seen.contains("<current_dc present=\"true\"")).then(|| format!("{name} sees no DC"))
}

/// Tells whether `crm_mon`'s XML shows a node Online.
pub(crate) fn online(crm_mon_xml: &str, name: &str) -> bool {
    let start = format!("<node name=\"{name}\" ");
    crm_mon_xml
        .lines()
        .any(|line| line.trim().starts_with(&start) && line.contains(" online=\"true\""))
}

#[cfg(test)]
mod tests {
    use super::tail;

    #[test]
    fn trouble_is_shown_before_the_last_lines() {
        let log = "info: a\nx error: b\ninfo: c\ninfo: d\ninfo: e\n";
        assert_eq!(tail(log, 2), "...\nx error: b\ninfo: d\ninfo: e\n");
        assert_eq!(tail("one\n", 2), "one\n");
    }
}
