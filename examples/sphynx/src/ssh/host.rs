//! The key of the other machine's SSH server: shown and asked about at the first contact, then the known one only.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};

use super::{By, Failure, OPTIONS, Peer, make_folder};
use crate::dialogue::{Dialogue, Question};
use crate::process::{self, Errors};
use crate::say;

/// The kinds of host keys, in the order in which they are asked for when a fingerprint was given.
const KINDS: [&str; 4] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "rsa-sha2-512",
    "ecdsa-sha2-nistp521,ecdsa-sha2-nistp384",
];

/// By what a host's key is taken for the right one at the first contact.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The fingerprint that it must have, as `ssh-keygen -l` prints it (`SHA256:...`).
    pub fingerprint: Option<String>,
}

/// A key that a host has shown, and proved to have.
#[derive(Debug, PartialEq, Eq)]
struct HostKey {
    /// Its lines for `known_hosts`.
    lines: String,
    /// Its fingerprint.
    fingerprint: String,
    /// Its kind as `ssh-keygen -l` prints it.
    kind: String,
}

/// Sees to it that the host's key is known. Returns whether it was new.
///
/// # Errors
/// [`ErrorKind::Conflict`] when it is another than the known one; [`ErrorKind::PermissionDenied`] when it is not the one
/// that is trusted; what ssh fails with.
pub fn meet(peer: &Peer, trust: &Trust, dialogue: &mut Dialogue) -> Result<bool> {
    match peer.try_in(By::AnyKey)? {
        Ok(()) | Err(Failure::Denied { .. } | Failure::TooManyKeys) => return Ok(false),
        Err(Failure::UnknownKey) => {}
        Err(failure) => return Err(failure.error(peer)),
    }
    let (name, host) = (peer.name(), peer.host());
    let key = match &trust.fingerprint {
        None => {
            let key = ask_for(peer, None)?;
            let (kind, fingerprint) = (&key.kind, &key.fingerprint);
            let text = say!(
                "First contact with {name} ({host}). Its {kind} key has the fingerprint\n    {fingerprint}\nIs this the right one?",
                "Premier contact avec {name} ({host}). Sa clé {kind} a pour empreinte\n    {fingerprint}\nEst-ce la bonne ?"
            );
            let question = Question {
                french: text.clone(),
                text,
                default: None,
                by_hand: Some(say!(
                    "compare {fingerprint} with `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` on {name} and give it: --fingerprint {fingerprint}",
                    "comparer {fingerprint} avec `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` sur {name} et la donner : --empreinte {fingerprint}"
                )),
            };
            if !dialogue.ask(&question)? {
                return Err(Error::new(
                    ErrorKind::PermissionDenied,
                    say!(
                        "the key of {name} was not accepted; nothing was sent there",
                        "la clé de {name} n'a pas été acceptée ; rien n'y a été envoyé"
                    ),
                )
                .with_hint(say!(
                    "on {name} itself, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` (or ecdsa, rsa) tells its fingerprint",
                    "sur {name} même, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` (ou ecdsa, rsa) donne son empreinte"
                )));
            }
            key
        }
        Some(wanted) => find(peer, wanted)?,
    };
    remember(&key)?;
    Ok(true)
}

/// Finds the host's key that has this fingerprint.
fn find(peer: &Peer, wanted: &str) -> Result<HostKey> {
    let wanted = wanted.trim();
    let mut shown = Vec::new();
    for kind in KINDS {
        match ask_for(peer, Some(kind)) {
            Ok(key) if same(&key.fingerprint, wanted) => return Ok(key),
            Ok(key) => shown.push(format!("{} ({})", key.fingerprint, key.kind)),
            // The host has no key of this kind.
            Err(e) if e.kind() == ErrorKind::Daemon => {}
            Err(e) => return Err(e),
        }
    }
    let (host, shown) = (peer.host(), shown.join(", "));
    let name = peer.name();
    Err(Error::new(
        ErrorKind::PermissionDenied,
        say!(
            "no SSH key of {host} has the fingerprint {wanted}; it has {shown}",
            "aucune clé SSH de {host} n'a l'empreinte {wanted} ; il a {shown}"
        ),
    )
    .with_hint(say!(
        "take the fingerprint from {name} itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        "prendre l'empreinte sur {name} même : ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
    )))
}

/// Compares two fingerprints; the words before them may be missing.
fn same(one: &str, other: &str) -> bool {
    let bare = |text: &str| {
        text.trim_start_matches("SHA256:")
            .trim_end_matches('=')
            .to_owned()
    };
    !bare(one).is_empty() && bare(one) == bare(other)
}

/// Has the host show a key and prove that it has it; logs in nowhere.
fn ask_for(peer: &Peer, kind: Option<&str>) -> Result<HostKey> {
    let file = Scratch::new()?;
    let mut command = Command::new("ssh");
    command.env("LC_ALL", "C");
    // The first value of an option counts.
    let mut add = |option: &str| {
        command.args(["-o", option]);
    };
    add("StrictHostKeyChecking=accept-new");
    add(&format!("UserKnownHostsFile={}", file.0.display()));
    add("GlobalKnownHostsFile=/dev/null");
    add("HashKnownHosts=no");
    add("BatchMode=yes");
    add("PreferredAuthentications=none");
    if let Some(kind) = kind {
        add(&format!("HostKeyAlgorithms={kind}"));
    }
    OPTIONS.iter().for_each(|option| add(option));
    command.args(["-T", "-l", "root", "--", peer.host(), "true"]);
    let done = process::run(command, b"", Errors::Kept)?;
    let lines = fs::read_to_string(&file.0).unwrap_or_default();
    if lines.trim().is_empty() {
        return Err(Failure::of(&done.stderr).error(peer));
    }
    let mut command = Command::new("ssh-keygen");
    command.env("LC_ALL", "C").arg("-lf").arg(&file.0);
    let listed = process::run(command, b"", Errors::Kept)?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let (fingerprint, kind) = fingerprint(&listed).ok_or_else(|| {
        Error::new(
            ErrorKind::Protocol,
            format!("ssh-keygen -l: {}", listed.trim()),
        )
    })?;
    Ok(HostKey {
        lines,
        fingerprint,
        kind,
    })
}

/// Reads a line of `ssh-keygen -l`: `256 SHA256:... host (ED25519)`.
fn fingerprint(listed: &str) -> Option<(String, String)> {
    let mut words = listed.lines().next()?.split_whitespace();
    let fingerprint = words.nth(1)?;
    let kind = words.last()?.trim_matches(['(', ')']);
    Some((fingerprint.to_owned(), kind.to_owned()))
}

/// Enters a key among the known ones.
fn remember(key: &HostKey) -> Result<()> {
    let path = make_folder()?.join("known_hosts");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let between = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let mut file = fs::File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| path.display().to_string())?;
    file.write_all(format!("{between}{}", key.lines).as_bytes())
        .with_context(|| path.display().to_string())
}

/// A file for ssh to write to, in a folder that only root sees; gone with this.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let name = format!("known_hosts.nouveau.{}", std::process::id());
        let path = make_folder()?.join(name);
        let scratch = Self(path);
        scratch.remove();
        Ok(scratch)
    }

    fn remove(&self) {
        for path in [self.0.clone(), with_suffix(&self.0, ".old")] {
            // It may not be there.
            let _ = fs::remove_file(path);
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_and_compared() {
        let line = "256 SHA256:0cmyIcNc8s95fbbPPvIVFsrs4wYbVm8xKoBD2FxLzN0 10.0.254.11 (ED25519)\n";
        let (print, kind) = fingerprint(line).unwrap();
        assert_eq!(kind, "ED25519");
        assert!(same(
            &print,
            "SHA256:0cmyIcNc8s95fbbPPvIVFsrs4wYbVm8xKoBD2FxLzN0"
        ));
        assert!(same(&print, "0cmyIcNc8s95fbbPPvIVFsrs4wYbVm8xKoBD2FxLzN0"));
        assert!(!same(&print, "SHA256:other"));
        assert!(!same("", ""));
        assert_eq!(fingerprint("no"), None);
    }
}
