//! The other machine by SSH: OpenSSH's own programs, told what they must not decide alone.
//!
//! The host's key is always checked. Nothing is asked that is not needed: when the machine's key is already there, or an
//! agent has one that is, no password is.

mod failure;
mod host;
mod key;

use std::path::Path;
use std::process::Command;

use ha_core::{Error, ErrorKind, Result};

pub(crate) use failure::Failure;
pub use host::{Trust, meet};
pub use key::OwnKey;

use crate::process::{self, Done, Errors};
use crate::say;

/// The exit status of ssh when ssh itself failed, and not the command that it ran.
const SSH_FAILED: i32 = 255;

/// What is said to ssh each time: the host's key must be the known one; a link that is cut is noticed.
const OPTIONS: &[&str] = &[
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ForwardAgent=no",
    "ForwardX11=no",
    "GSSAPIAuthentication=no",
    "CheckHostIP=no",
    "UpdateHostKeys=no",
    "ControlPath=none",
    "LogLevel=ERROR",
];

/// The other machine, as `root` there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    name: String,
    host: String,
}

/// What ssh may show to get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The machine's own keys, and nobody is asked.
    OwnKeys,
    /// Whatever there is, an agent's keys too, and nobody is asked.
    AnyKey,
    /// Whatever there is; ssh asks on the terminal.
    Asking,
}

impl Peer {
    /// Names the other machine, and by which name or address it is reached.
    #[must_use]
    pub fn new(name: &str, host: &str) -> Self {
        Self {
            name: name.to_owned(),
            host: host.to_owned(),
        }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name or address by which it is reached.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Prepares an ssh without its target.
    fn options(by: By) -> Vec<String> {
        let mut words = Vec::new();
        let mut add = |option: &str| words.extend(["-o".to_owned(), option.to_owned()]);
        OPTIONS.iter().for_each(|option| add(option));
        match by {
            By::OwnKeys => {
                add("BatchMode=yes");
                add("IdentityAgent=none");
            }
            By::AnyKey => add("BatchMode=yes"),
            By::Asking => {}
        }
        words
    }

    /// Prepares ssh to run a command there, given as one word for its shell.
    pub(crate) fn command(&self, by: By, script: &str) -> Command {
        let mut command = Command::new("ssh");
        command.env("LC_ALL", "C").args(Self::options(by)).arg("-T");
        command.args(["-l", "root", "--", &self.host, script]);
        command
    }

    /// Returns the program that rsync reaches the machine with, as one word of its options.
    pub(crate) fn remote_shell(by: By) -> String {
        let words: Vec<String> = Self::options(by)
            .iter()
            .map(|word| process::quoted(word))
            .collect();
        format!("ssh -T {}", words.join(" "))
    }

    /// Runs a command there.
    ///
    /// # Errors
    /// That of ssh, with its cause and the next step; not that of the command.
    pub(crate) fn run(&self, by: By, script: &str, input: &[u8]) -> Result<Done> {
        let asking = by == By::Asking;
        let errors = if asking { Errors::Shown } else { Errors::Kept };
        let done = process::run(self.command(by, script), input, errors)?;
        if done.status.code() != Some(SSH_FAILED) {
            return Ok(done);
        }
        // What ssh said is on the terminal; why it fails it says again.
        let failure = match asking {
            true => self.try_in(By::AnyKey)?.err(),
            false => None,
        };
        Err(failure
            .unwrap_or_else(|| Failure::of(&done.stderr))
            .error(self))
    }

    /// Tells whether one gets in this way, or why not.
    ///
    /// # Errors
    /// Only that ssh cannot be run, or Ctrl-C.
    pub(crate) fn try_in(&self, by: By) -> Result<Result<(), Failure>> {
        let done = process::run(self.command(by, "true"), b"", Errors::Kept)?;
        Ok(if done.status.code() == Some(SSH_FAILED) {
            Err(Failure::of(&done.stderr))
        } else {
            Ok(())
        })
    }
}

/// How the two machines were joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// The key was there already.
    Before,
    /// The key was sent; an agent's key let us in, nothing was asked.
    ByAgent,
    /// The key was sent; ssh asked for what it needed.
    ByPassword,
}

/// Adds a line to root's list of keys, once.
const ADD_KEY: &str = r#"umask 077; f="$HOME/.ssh/authorized_keys"; read -r k && mkdir -p "$HOME/.ssh" && touch "$f" &&
{ grep -qxF -e "$k" "$f" || { { [ -z "$(tail -c 1 "$f")" ] || echo >>"$f"; } && printf '%s\n' "$k" >>"$f"; }; }"#;

/// Sees to it that this machine gets into the other one with its own key. The host's key must be known: see [`meet`].
///
/// `tell` is given what is about to be asked for, before ssh asks on the terminal. `may_ask` is whether there is one.
///
/// # Errors
/// What ssh fails with, with its cause and the next step.
pub fn join(
    peer: &Peer,
    key: &OwnKey,
    may_ask: bool,
    tell: &mut dyn FnMut(&str),
) -> Result<Joined> {
    let refused = match peer.try_in(By::OwnKeys)? {
        Ok(()) => return Ok(Joined::Before),
        Err(failure @ (Failure::Denied { .. } | Failure::TooManyKeys)) => failure,
        Err(failure) => return Err(failure.error(peer)),
    };
    let line = format!("{}\n", key.public_line()?);
    let send = |by: By| -> Result<()> {
        let done = peer.run(by, ADD_KEY, line.as_bytes())?;
        if done.status.success() {
            return Ok(());
        }
        let said = done.stderr.trim();
        let name = peer.name();
        Err(Error::new(
            ErrorKind::Io,
            say!(
                "the key could not be entered on {name}: {said}",
                "la clé n'a pas pu être inscrite sur {name} : {said}"
            ),
        )
        .with_hint(say!(
            "see on {name} why /root/.ssh/authorized_keys cannot be written (df, mount)",
            "voir sur {name} pourquoi /root/.ssh/authorized_keys ne peut être écrit (df, mount)"
        )))
    };
    let how = if peer.try_in(By::AnyKey)?.is_ok() {
        send(By::AnyKey)?;
        Joined::ByAgent
    } else if may_ask {
        let (name, host) = (peer.name(), peer.host());
        if key.is_locked()? {
            tell(&say!(
                "ssh now asks for the passphrase of this machine's key, or for root's password on {name} ({host}).",
                "ssh demande maintenant la phrase secrète de la clé de cette machine, ou le mot de passe de root sur {name} ({host})."
            ));
        } else {
            tell(&say!(
                "ssh now asks for root's password on {name} ({host}).",
                "ssh demande maintenant le mot de passe de root sur {name} ({host})."
            ));
        }
        send(By::Asking)?;
        Joined::ByPassword
    } else {
        let public = key.public_path();
        let (host, public) = (peer.host(), public.display());
        let what = if refused == Failure::TooManyKeys {
            refused.error(peer).to_string()
        } else {
            say!(
                "no key of this machine opens {host}",
                "aucune clé de cette machine n'ouvre {host}"
            )
        };
        return Err(Error::new(ErrorKind::PermissionDenied, what).with_hint(say!(
            "no terminal to ask for the password: run this on a terminal, or send the key first: ssh-copy-id -i {public} root@{host}",
            "pas de terminal pour demander le mot de passe : lancer sur un terminal, ou envoyer la clé d'abord : ssh-copy-id -i {public} root@{host}"
        )));
    };
    if key.is_locked()? {
        // Only with an agent; who runs without one is told when it matters.
        let path = key.path();
        let path = path.display();
        tell(&say!(
            "Note: the key {path} has a passphrase: without an agent the machines do not reach each other, and the periodic synchronisation does not work.",
            "Remarque : la clé {path} a une phrase secrète : sans agent les machines ne se joignent pas, et la synchronisation périodique ne fonctionne pas."
        ));
        return Ok(how);
    }
    match peer.try_in(By::OwnKeys)? {
        Ok(()) => Ok(how),
        Err(_) => {
            let name = peer.name();
            Err(Error::new(
                ErrorKind::PermissionDenied,
                say!(
                    "the key is on {name}, and its SSH server does not take it",
                    "la clé est sur {name}, mais son serveur SSH ne l'accepte pas"
                ),
            )
            .with_hint(say!(
                "on {name}: /root and /root/.ssh must belong to root and be writable by root alone; `sshd -T | grep -Ei 'pubkey|authorizedkeys|permitroot'`; journalctl -u ssh",
                "sur {name} : /root et /root/.ssh doivent appartenir à root et n'être modifiables que par lui ; `sshd -T | grep -Ei 'pubkey|authorizedkeys|permitroot'` ; journalctl -u ssh"
            )))
        }
    }
}

/// Where root's files of ssh are.
fn folder() -> std::path::PathBuf {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    Path::new(&home.unwrap_or_else(|| "/root".into())).join(".ssh")
}

/// Makes that folder as ssh wants it.
fn make_folder() -> Result<std::path::PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    let folder = folder();
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(&folder)?;
    Ok(folder)
}
