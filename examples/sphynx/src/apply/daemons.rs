//! Corosync and Pacemaker on this machine: whether they run, with which configuration, starting and stopping them.

use std::path::Path;
use std::process::{Command, Stdio};

use ha_core::corosync_conf::{Change, Entry, File, Section, changes};
use ha_core::live::corosync::Options;
use ha_core::live::corosync::cfg::Cfg;
use ha_core::live::corosync::cmap::{Cmap, Map};
use ha_core::{Error, ErrorExt, ErrorKind, Result};

use crate::say;

/// Returns what of a file the running corosync does not have in force; nothing when corosync does not run.
///
/// It is the running configuration that is asked, not an older file: so a run that was killed between writing the file
/// and having it loaded is completed by the next one.
///
/// # Errors
/// Those of asking corosync.
pub(crate) fn not_in_force(wanted: &File) -> Result<Option<Vec<Change>>> {
    let cmap = match Cmap::connect(Map::Configuration, &Options::default()) {
        Ok(cmap) => cmap,
        Err(e) if e.kind() == ErrorKind::Disconnected => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut entries = Vec::new();
    for prefix in ["totem.", "nodelist.node.", "quorum.", "logging."] {
        entries.extend(cmap.entries(prefix)?);
    }
    let in_force: Vec<(String, String)> = entries
        .into_iter()
        .map(|(path, value)| (path, value.to_string()))
        .collect();
    Ok(Some(changes(&as_in_force(wanted, &in_force), wanted)))
}

/// Returns a file with the values that are in force, and with the nodes' addresses that it has no more.
fn as_in_force(wanted: &File, in_force: &[(String, String)]) -> File {
    let mut file = wanted.clone();
    let mut section = Walk { in_force, nodes: 0 };
    section.values(&mut file.root, "");
    file
}

struct Walk<'a> {
    in_force: &'a [(String, String)],
    nodes: usize,
}

impl Walk<'_> {
    fn get(&self, path: &str) -> Option<&str> {
        let found = self.in_force.iter().find(|(at, _)| at == path);
        found.map(|(_, value)| value.as_str())
    }

    fn values(&mut self, section: &mut Section, path: &str) {
        let link = section.get("linknumber").map(str::to_owned);
        let mut kept = Vec::new();
        for mut entry in std::mem::take(&mut section.entries) {
            match &mut entry {
                // Corosync keeps it as part of other names.
                Entry::Value(value) if value.key() == "linknumber" => {}
                Entry::Value(value) => {
                    let key = format!("{path}{}", value.key());
                    match self.get(&key) {
                        Some(now) if same(now, value.value()) => {}
                        Some(now) => value.set(now),
                        None => continue,
                    }
                }
                Entry::Section(inner) => {
                    let step = match inner.name() {
                        "node" => {
                            self.nodes += 1;
                            format!("{path}node.{}.", self.nodes - 1)
                        }
                        "interface" => {
                            let number = inner.get("linknumber").or(link.as_deref()).unwrap_or("0");
                            format!("{path}interface.{number}.")
                        }
                        name => format!("{path}{name}."),
                    };
                    self.values(inner, &step);
                    if inner.name() == "node" {
                        self.gone(inner, &step);
                    }
                }
                Entry::Comment(_) => {}
            }
            kept.push(entry);
        }
        section.entries = kept;
    }

    /// Addresses of a node that are in force and no more wanted.
    fn gone(&self, node: &mut Section, path: &str) {
        for (at, value) in self.in_force {
            if let Some(key) = at.strip_prefix(path)
                && key.starts_with("ring")
                && node.get(key).is_none()
            {
                node.push(key, value.as_str());
            }
        }
    }
}

/// Corosync's map has numbers where the file may have words.
fn same(in_force: &str, wanted: &str) -> bool {
    in_force == wanted || matches!((in_force, wanted), ("1", "yes") | ("0", "no"))
}

/// Has the running corosyncs read their files anew.
///
/// # Errors
/// Those of [`Cfg::reload`].
pub(crate) fn reload() -> Result<()> {
    Cfg::connect(&Options::default())?.reload()
}

/// Has corosync itself judge a file, where it is installed: as `corosync -t`.
///
/// # Errors
/// [`ErrorKind::Invalid`] with what it says when it refuses.
pub(crate) fn judge(file: &Path) -> Result<()> {
    let output = Command::new("corosync")
        .arg("-t")
        .arg("-c")
        .arg(file)
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e).context("corosync -t"),
    };
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = if said.trim().is_empty() {
        String::from_utf8_lossy(&output.stdout)
    } else {
        said
    };
    let said = said.trim().to_owned();
    Err(Error::invalid(say!(
        "corosync refuses it: {said}",
        "corosync le refuse : {said}"
    ))
    .context("corosync -t"))
}

/// Where systemd runs, and nowhere else.
const SYSTEMD: &str = "/run/systemd/system";

/// Tells whether the system has something that starts the cluster: systemd, or the scripts of both services.
pub(crate) fn can_start() -> bool {
    let script = |name: &str| Path::new("/etc/init.d").join(name).exists();
    Path::new(SYSTEMD).exists() || (script("corosync") && script("pacemaker"))
}

/// Has the system start or stop a service, now and at each boot.
///
/// # Errors
/// [`ErrorKind::Daemon`] with what the system says, [`ErrorKind::Unsupported`] when there is nothing to ask.
pub(crate) fn service(name: &str, wanted: bool) -> Result<()> {
    let (verb, enable) = if wanted {
        ("start", "enable")
    } else {
        ("stop", "disable")
    };
    if Path::new(SYSTEMD).exists() {
        return run("systemctl", &[enable, "--now", name]);
    }
    if Path::new("/etc/init.d").join(name).exists() {
        run("service", &[name, verb])?;
        // At each boot: where that program is.
        return match run("update-rc.d", &[name, enable]) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            done => done,
        };
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        say!(
            "neither systemd nor /etc/init.d/{name} is here to {verb} {name}",
            "ni systemd ni /etc/init.d/{name} ne sont là pour lancer ou arrêter {name}"
        ),
    )
    .with_hint(say!(
        "install the package {name}",
        "installer le paquet {name}"
    )))
}

/// Tells whether systemd has this unit started at each boot.
pub(crate) fn is_enabled(unit: &str) -> bool {
    let asked = Command::new("systemctl")
        .args(["is-enabled", "--quiet", unit])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    Path::new(SYSTEMD).exists() && asked.is_ok_and(|status| status.success())
}

/// Stops a unit of systemd, now and at each boot.
///
/// # Errors
/// [`ErrorKind::Daemon`] with what systemd says.
pub(crate) fn disable(unit: &str) -> Result<()> {
    run("systemctl", &["disable", "--now", unit])
}

fn run(program: &str, words: &[&str]) -> Result<()> {
    let line = format!("{program} {}", words.join(" "));
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output();
    let output = output.with_context(|| line.clone())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let hint = match words {
        [name, ..] if program == "service" => say!(
            "look at its log: /var/log ({name})",
            "voir son journal : /var/log ({name})"
        ),
        [.., name] => format!("journalctl -u {name}"),
        [] => String::new(),
    };
    Err(Error::new(ErrorKind::Daemon, said)
        .with_hint(hint)
        .context(line))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use ha_core::corosync_conf::Effect;

    use super::*;

    const FILE: &str = "totem {\n version: 2\n token: 1000\n transport: knet\n interface {\n  linknumber: 0\n  mcastport: 5405\n }\n}\n\
        nodelist {\n node {\n  nodeid: 1\n  ring0_addr: 10.0.0.1\n }\n node {\n  nodeid: 2\n  ring0_addr: 10.0.0.2\n }\n}\n\
        quorum {\n wait_for_all: 0\n}\nlogging {\n to_syslog: yes\n}\n";

    /// As `corosync-cmapctl` shows them.
    fn in_force() -> Vec<(String, String)> {
        [
            ("totem.version", "2"),
            ("totem.token", "1000"),
            ("totem.transport", "knet"),
            ("totem.interface.0.mcastport", "5405"),
            ("totem.interface.0.bindnetaddr", "10.0.0.1"),
            ("nodelist.node.0.nodeid", "1"),
            ("nodelist.node.0.ring0_addr", "10.0.0.1"),
            ("nodelist.node.1.nodeid", "2"),
            ("nodelist.node.1.ring0_addr", "10.0.0.2"),
            ("quorum.wait_for_all", "0"),
            ("logging.to_syslog", "yes"),
        ]
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .to_vec()
    }

    fn differing(in_force: &[(String, String)]) -> Vec<(String, Effect)> {
        let wanted = File::parse(FILE).unwrap();
        let found = changes(&as_in_force(&wanted, in_force), &wanted);
        found
            .into_iter()
            .map(|change| (change.to_string(), change.effect))
            .collect()
    }

    #[test]
    fn what_is_in_force_differs_in_nothing() {
        assert_eq!(differing(&in_force()), []);
    }

    #[test]
    fn a_timer_is_reloaded_an_address_is_not() {
        let mut other = in_force();
        other[1].1 = "3000".to_owned();
        assert_eq!(
            differing(&other),
            [("totem.token: 3000 -> 1000".to_owned(), Effect::Reload)]
        );
        let mut other = in_force();
        other[8].1 = "10.0.0.9".to_owned();
        let wanted = (
            "nodelist.node.2.ring0_addr: 10.0.0.9 -> 10.0.0.2".to_owned(),
            Effect::Restart,
        );
        assert_eq!(differing(&other), [wanted]);
    }

    #[test]
    fn a_link_that_is_no_more_wanted_is_seen() {
        let mut other = in_force();
        other.push((
            "nodelist.node.0.ring1_addr".to_owned(),
            "10.1.0.1".to_owned(),
        ));
        let found = differing(&other);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].0.ends_with("ring1_addr: 10.1.0.1 (removed)"),
            "{found:?}"
        );
    }
}
