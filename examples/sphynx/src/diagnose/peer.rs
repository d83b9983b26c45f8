//! The other machine, by SSH.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ha_core::language::Language;
use ha_core::{Error, ErrorKind, Result};
use jiff::Timestamp;

use super::facts::{FORMAT, Facts, Look, Reason, Unseen};
use super::gather::command;
use crate::settings::{Machine, Settings};
use crate::{language, say};

/// Where the addresses of the other machine are kept, to find it when the link of the dialogue is cut.
const KNOWN: &str = "/var/lib/sphynx/pair.json";

/// What ssh ends with when it failed itself.
const SSH_FAILED: i32 = 255;

/// The other machine's facts, with the clock of this one before and after.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) facts: Facts,
    /// Milliseconds since 1970.
    pub(super) clock: (i64, i64),
    /// By which address.
    pub(super) by: String,
}

/// Asks the other machine for its facts.
pub(super) fn ask(settings: &Settings, config: &Path, limit: Duration) -> Look<Asked> {
    let machine = settings.peer()?;
    let name = &machine.name;
    let seconds = limit.as_secs_f64();
    let lang = match language::current() {
        Language::English => "en",
        _ => "fr",
    };
    let own = std::env::current_exe().unwrap_or_default();
    let (own, config) = (
        quoted(&own.to_string_lossy()),
        quoted(&config.to_string_lossy()),
    );
    // EOLE has a program of the same name: ours is where it is here.
    let script = format!(
        "p={own}; [ -x \"$p\" ] || p=diagnose; exec \"$p\" --facts --lang {lang} --timeout {seconds}s --config {config}"
    );
    // It looks for as long as this machine does, and needs some time beside.
    let patience = limit * 3;
    let before = Timestamp::now().as_millisecond();
    let (by, output) = run(settings, machine, &script, limit, patience)?;
    let after = Timestamp::now().as_millisecond();
    if !output.status.success() {
        let said = output.stderr.trim();
        return Err(Unseen {
            reason: Reason::Other,
            text: say!(
                "diagnose cannot look there: {said}",
                "diagnose ne peut y regarder : {said}"
            ),
        });
    }
    let other = || Unseen {
        reason: Reason::Other,
        text: say!(
            "its diagnose is of another version than this one",
            "son diagnose est d'une autre version que celui-ci"
        ),
    };
    let facts: Facts = serde_json::from_slice(&output.stdout).map_err(|_| other())?;
    if facts.format != FORMAT {
        return Err(other());
    }
    if facts.host != *name {
        let host = &facts.host;
        return Err(Unseen {
            reason: Reason::Other,
            text: say!(
                "the machine at {by} is {host}, not {name}",
                "la machine à {by} est {host}, non {name}"
            ),
        });
    }
    Ok(Asked {
        facts,
        clock: (before, after),
        by,
    })
}

/// Tells whether the other machine lets this one in.
pub(super) fn reach(settings: &Settings, limit: Duration) -> Look<()> {
    let machine = settings.peer()?;
    run(settings, machine, "true", limit, limit * 2)?;
    Ok(())
}

/// Runs a command there, by the first of its addresses that answers.
fn run(
    settings: &Settings,
    machine: &Machine,
    script: &str,
    connect: Duration,
    limit: Duration,
) -> Result<(String, command::Output)> {
    let usual = machine.ssh();
    let by = answering(
        &candidates(settings, machine),
        connect.min(Duration::from_secs(3)),
    );
    let by = by.unwrap_or_else(|| usual.clone());
    let mut ssh = Command::new("ssh");
    ssh.env("LC_ALL", "C").arg("-T");
    for option in [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "CheckHostIP=no",
        "UpdateHostKeys=no",
        "ForwardAgent=no",
        "ForwardX11=no",
        "ControlPath=none",
        "LogLevel=ERROR",
    ] {
        ssh.args(["-o", option]);
    }
    ssh.args([
        "-o",
        &format!("ConnectTimeout={}", connect.as_secs().max(1)),
    ]);
    if by != usual {
        // Another address of the same machine: its key is the known one.
        ssh.args(["-o", &format!("HostKeyAlias={usual}")]);
    }
    let output = command::run(ssh.args(["-l", "root", "--", &by, script]), limit)?;
    if output.status.code() == Some(SSH_FAILED) {
        let said = output.stderr.lines().rfind(|line| !line.trim().is_empty());
        let said = said.unwrap_or_default().trim().to_owned();
        return Err(Error::new(ErrorKind::Disconnected, said));
    }
    Ok((by, output))
}

/// The names and addresses by which the machine may be reached, the usual one first.
fn candidates(settings: &Settings, machine: &Machine) -> Vec<String> {
    let mut all = vec![machine.ssh(), machine.dialogue.to_string()];
    all.extend(machine.spare.map(|it| it.to_string()));
    let known = std::fs::read(KNOWN).ok();
    let known: Option<Vec<IpAddr>> = known.and_then(|text| serde_json::from_slice(&text).ok());
    // The addresses that move may be this machine's own.
    let moves = |address: &IpAddr| settings.vips.iter().any(|vip| vip.address == *address);
    let known = known.unwrap_or_default().into_iter();
    all.extend(known.filter(|it| !moves(it)).map(|it| it.to_string()));
    let mut seen = BTreeSet::new();
    all.retain(|it| seen.insert(it.clone()));
    all
}

/// Keeps the addresses of the other machine.
pub(super) fn remember(settings: &Settings, facts: &Facts) {
    let interfaces = facts.interfaces.iter().flatten();
    let all = interfaces.flat_map(|it| &it.addresses);
    let moves = |address: &IpAddr| settings.vips.iter().any(|vip| vip.address == *address);
    // Those of a link alone need its name.
    let of_link = |address: &IpAddr| match address {
        IpAddr::V4(it) => it.is_link_local(),
        IpAddr::V6(it) => it.is_unicast_link_local(),
    };
    let lasting = all.filter(|it| !it.is_loopback() && !moves(it) && !of_link(it));
    let lasting: Vec<&IpAddr> = lasting.collect();
    if let Ok(text) = serde_json::to_vec(&lasting)
        && std::fs::read(KNOWN).ok().as_deref() != Some(&*text)
    {
        // It is a help for later, and no part of what was asked for.
        let _ = std::fs::create_dir_all("/var/lib/sphynx");
        let _ = std::fs::write(KNOWN, text);
    }
}

/// Returns the first in the order whose port of SSH answers; all are tried at once.
fn answering(candidates: &[String], limit: Duration) -> Option<String> {
    let until = Instant::now() + limit;
    let (sender, answers) = std::sync::mpsc::channel();
    for (at, candidate) in candidates.iter().enumerate() {
        let (sender, candidate) = (sender.clone(), candidate.clone());
        // A name may take long to resolve: such a thread is left alone.
        std::thread::spawn(move || {
            let addresses = (candidate.as_str(), 22).to_socket_addrs();
            let mut addresses = addresses.into_iter().flatten();
            let answers = |address: SocketAddr| TcpStream::connect_timeout(&address, limit).is_ok();
            // Nobody listens any more when the limit has passed.
            let _ = sender.send((at, addresses.any(answers)));
        });
    }
    drop(sender);
    let mut found: Vec<Option<bool>> = vec![None; candidates.len()];
    loop {
        let first = found.iter().position(|it| *it != Some(false));
        match first {
            None => return None,
            Some(first) if found[first] == Some(true) => return candidates.get(first).cloned(),
            Some(_) => {}
        }
        match answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok((at, answer)) => found[at] = Some(answer),
            Err(_) => {
                let first = found.iter().position(|it| *it == Some(true));
                return first.and_then(|first| candidates.get(first).cloned());
            }
        }
    }
}

/// Writes a word so that a shell takes it as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_in_the_order_that_answers() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        drop(listener);
        // Nothing listens on port 22 of these.
        let none = ["127.77.0.1".to_owned(), "127.77.0.2".to_owned()];
        assert_eq!(answering(&none, Duration::from_secs(30)), None);
    }

    #[test]
    fn a_shell_takes_words_as_they_are() {
        assert_eq!(quoted("a'b c"), r"'a'\''b c'");
    }
}
