//! The key by which this machine gets into the other one.

use std::path::PathBuf;
use std::process::Command;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};

use super::{folder, make_folder};
use crate::process::{self, Errors};
use crate::say;

/// The keys that ssh shows by itself, the one that is made when there is none first.
const NAMES: [&str; 3] = ["id_rsa", "id_ed25519", "id_ecdsa"];

/// How many bits a new key has.
const BITS: &str = "4096";

/// A key of this machine's `root`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnKey {
    path: PathBuf,
}

impl OwnKey {
    /// Returns the key that is there.
    #[must_use]
    pub fn find() -> Option<Self> {
        let folder = folder();
        let mut paths = NAMES.iter().map(|name| folder.join(name));
        paths.find(|path| path.is_file()).map(|path| Self { path })
    }

    /// Makes an RSA key; `host` is the name of this machine.
    ///
    /// # Errors
    /// An I/O error, with what `ssh-keygen` said.
    pub fn make(host: &str) -> Result<Self> {
        let path = make_folder()?.join(NAMES[0]);
        let mut command = keygen();
        command.args(["-q", "-t", "rsa", "-b", BITS, "-N", ""]);
        command
            .args(["-C", &format!("root@{host}"), "-f"])
            .arg(&path);
        let done = process::run(command, b"", Errors::Kept)?;
        if !done.status.success() {
            let (path, said) = (path.display(), done.stderr.trim());
            return Err(Error::new(
                ErrorKind::Io,
                say!(
                    "ssh-keygen cannot make {path}: {said}",
                    "ssh-keygen ne peut faire {path} : {said}"
                ),
            )
            .with_hint(say!(
                "see to it that the disk has room and can be written: df /root",
                "vérifier que le disque a de la place et peut être écrit : df /root"
            )));
        }
        Ok(Self { path })
    }

    /// Returns the file of the secret half.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Returns the file of the public half.
    #[must_use]
    pub fn public_path(&self) -> PathBuf {
        self.path.with_extension("pub")
    }

    /// Returns the public half as one line; made anew from the secret one where its file is missing.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when neither can be read.
    pub fn public_line(&self) -> Result<String> {
        if let Ok(text) = std::fs::read_to_string(self.public_path()) {
            let line = text.lines().map(str::trim).find(|line| !line.is_empty());
            if let Some(line) = line.filter(|line| line.contains(' ')) {
                return Ok(line.to_owned());
            }
        }
        let done = self.derive()?;
        let path = self.path.display();
        if !done.status.success() {
            return Err(Error::invalid(say!(
                "{path} has no readable public half: {}",
                "{path} n'a pas de partie publique lisible : {}",
                done.stderr.trim()
            ))
            .with_hint(say!(
                "make it anew: ssh-keygen -y -f {path} > {path}.pub",
                "la refaire : ssh-keygen -y -f {path} > {path}.pub"
            )));
        }
        let line = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        std::fs::write(self.public_path(), format!("{line}\n"))
            .with_context(|| self.public_path().display().to_string())?;
        Ok(line)
    }

    /// Tells whether the key has a passphrase.
    ///
    /// # Errors
    /// That `ssh-keygen` cannot be run.
    pub fn is_locked(&self) -> Result<bool> {
        Ok(!self.derive()?.status.success())
    }

    /// Makes the public half from the secret one, without a passphrase.
    fn derive(&self) -> Result<process::Done> {
        let mut command = keygen();
        command.args(["-y", "-P", "", "-f"]).arg(&self.path);
        process::run(command, b"", Errors::Kept)
    }
}

fn keygen() -> Command {
    let mut command = Command::new("ssh-keygen");
    command.env("LC_ALL", "C");
    command
}
