//! What the machine itself tells: packages, processes, interfaces, routes, files.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ha_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::command;
use crate::diagnose::facts::{Interface, Key, Look, Reason, Route, Unseen};
use crate::say;

/// Returns the SHA-256 of bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the versions of these packages, where they are installed.
pub(super) fn packages(names: &[&str], limit: Duration) -> Look<BTreeMap<String, String>> {
    let mut query = Command::new("dpkg-query");
    query.env("LC_ALL", "C");
    query.args([
        "--show",
        "--showformat",
        "${db:Status-Status} ${Package} ${Version}\\n",
    ]);
    // It fails when one of them is not known, and lists the others.
    let output = command::run(query.args(names), limit)?;
    Ok(versions(&String::from_utf8_lossy(&output.stdout)))
}

fn versions(list: &str) -> BTreeMap<String, String> {
    let lines = list.lines().filter_map(|line| {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("installed"), Some(name), Some(version)) => {
                Some((name.to_owned(), version.to_owned()))
            }
            _ => None,
        }
    });
    lines.collect()
}

/// Finds the processes of these programs, with their states.
pub(super) fn processes(names: &[&str]) -> BTreeMap<String, char> {
    let mut found = BTreeMap::new();
    let Ok(entries) = fs::read_dir("/proc") else {
        return found;
    };
    for entry in entries.flatten() {
        let folder = entry.path();
        // Processes come and go while we look.
        let Ok(line) = fs::read(folder.join("cmdline")) else {
            continue;
        };
        let program = line.split(|&byte| byte == 0).next().unwrap_or_default();
        let program = String::from_utf8_lossy(program);
        let program = program.rsplit('/').next().unwrap_or_default();
        if !names.contains(&program) {
            continue;
        }
        let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
        let state = state(&stat);
        // A child of a daemon has its name until it becomes another program: the daemon's state counts.
        let old = found.entry(program.to_owned()).or_insert(state);
        if *old != 'T' {
            *old = state;
        }
    }
    found
}

/// The state in a line of `/proc/PID/stat`, which follows the name in brackets.
fn state(stat: &str) -> char {
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.trim_start().chars().next().unwrap_or('?')
}

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    ifname: String,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    local: Option<IpAddr>,
}

/// Lists the interfaces.
pub(super) fn interfaces(limit: Duration) -> Look<Vec<Interface>> {
    let text = command::stdout(Command::new("ip").args(["-json", "address"]), limit)?;
    let shown: Vec<Shown> = json("ip -json address", &text)?;
    Ok(shown.into_iter().map(interface).collect())
}

fn interface(shown: Shown) -> Interface {
    let has = |flag: &str| shown.flags.iter().any(|it| it == flag);
    Interface {
        up: has("UP"),
        carrier: has("LOWER_UP"),
        multicast: has("MULTICAST"),
        addresses: shown.addr_info.iter().filter_map(|it| it.local).collect(),
        name: shown.ifname,
    }
}

/// Lists the default routes.
pub(super) fn routes(limit: Duration) -> Look<Vec<Route>> {
    let show = ["-json", "route", "show", "default"];
    let text = command::stdout(Command::new("ip").args(show), limit)?;
    // Older ones print nothing when there is none.
    if text.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    Ok(json("ip -json route", &text)?)
}

fn json<'a, T: Deserialize<'a>>(from: &str, text: &'a [u8]) -> Result<T> {
    serde_json::from_slice(text)
        .map_err(|e| Error::new(ErrorKind::Protocol, format!("{from}: {e}")))
}

/// Asks whether an address answers a ping.
pub(super) fn ping(address: IpAddr, limit: Duration) -> Look<bool> {
    let mut ping = Command::new("ping");
    ping.env("LC_ALL", "C")
        .args(["-n", "-q", "-c", "2", "-i", "0.3", "-W", "1"]);
    let output = command::run(ping.arg(address.to_string()), limit)?;
    match output.status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ if output.stderr.contains("unreachable") => Ok(false),
        _ => Err(Unseen {
            reason: Reason::Other,
            text: output.stderr.trim().to_owned(),
        }),
    }
}

/// Reads a text; none when it is not there.
pub(super) fn text(path: &str) -> Look<Option<String>> {
    let bytes = read(path)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn read(path: &str) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::from(e).context(say!("read {path}", "lire {path}"))),
    }
}

/// Looks at a secret file.
pub(super) fn key(path: &str) -> Look<Option<Key>> {
    let Some(bytes) = read(path)? else {
        return Ok(None);
    };
    let about = Path::new(path).metadata().map_err(Error::from)?;
    Ok(Some(Key {
        sha256: sha256(&bytes),
        mode: about.mode() & 0o7777,
        of_root: about.uid() == 0,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_what_is_installed() {
        let list = "installed corosync 3.1.7-1\nconfig-files crmsh 4.4\nnot-installed pcs \n";
        let expected = [("corosync".to_owned(), "3.1.7-1".to_owned())];
        assert_eq!(versions(list), expected.into());
    }

    #[test]
    fn the_state_follows_a_name_with_brackets() {
        assert_eq!(state("12 (a ) b) T 1 12"), 'T');
        assert_eq!(state(""), '?');
    }

    // What iproute2 6.1 prints, shortened.
    const ADDRESSES: &str = r#"[{"ifname":"eth2","flags":["NO-CARRIER","BROADCAST","MULTICAST","UP"],
        "addr_info":[{"family":"inet","local":"10.0.254.11","prefixlen":24}]},{}]"#;

    #[test]
    fn interfaces_as_ip_shows_them() {
        let shown: Vec<Shown> = json("ip", ADDRESSES.as_bytes()).unwrap();
        let eth2 = interface(shown.into_iter().next().unwrap());
        assert!(eth2.up && !eth2.carrier && eth2.multicast);
        assert_eq!(eth2.addresses, ["10.0.254.11".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn routes_as_ip_shows_them() {
        let text = r#"[{"dst":"default","gateway":"192.168.0.1","dev":"eth0","prefsrc":"192.168.0.23","flags":[]}]"#;
        let routes: Vec<Route> = json("ip", text.as_bytes()).unwrap();
        assert_eq!(routes[0].interface, "eth0");
        assert_eq!(routes[0].source, "192.168.0.23".parse().ok());
    }
}
