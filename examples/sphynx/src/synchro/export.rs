//! What is sent: a copy of the files as they are at one moment, the data base of ARV as after a finished transaction.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};

use super::What;
use super::entry::{self, BEFORE, Manifest, NEW};
use super::record::STATE;
use crate::process::{self, Errors};
use crate::say;

/// A copy of what is sent, gone with this.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) folder: PathBuf,
    pub(super) manifest: Manifest,
}

impl Export {
    /// Copies what is to be sent.
    ///
    /// # Errors
    /// An I/O error; what rsync or sqlite3 failed with.
    pub(super) fn make(what: &What) -> Result<Self> {
        let folder = Path::new(STATE).join("synchro-envoi");
        remove(&folder)?;
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        // There are secrets in it.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        let mut export = Self {
            folder,
            manifest: Manifest::new(),
        };
        export.copy_files(what)?;
        export.copy_database(what)?;
        export.swap_role(what)?;
        export.manifest = entry::list(&export.folder, what.roots())?;
        Ok(export)
    }

    fn place(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_start_matches('/'))
    }

    fn copy_files(&self, what: &What) -> Result<()> {
        let there: Vec<&String> = what
            .files
            .iter()
            .filter(|path| Path::new(path).symlink_metadata().is_ok())
            .collect();
        if there.is_empty() {
            return Ok(());
        }
        let mut command = Command::new("rsync");
        command.env("LC_ALL", "C");
        command.args(["-aAR", "--no-devices", "--no-specials"]);
        command.args([NEW, BEFORE].map(|suffix| format!("--exclude=*{suffix}")));
        command.arg("--").args(there).arg(&self.folder);
        let done = process::run(command, b"", Errors::Kept)?;
        if done.status.success() {
            return Ok(());
        }
        Err(no_room_or(
            &done.stderr,
            &say!("copy the files", "copier les fichiers"),
        ))
    }

    /// Copies the data base inside one transaction that reads: who writes meanwhile neither waits for long nor is seen.
    fn copy_database(&self, what: &What) -> Result<()> {
        let Some(database) = &what.database else {
            return Ok(());
        };
        let source = Path::new(database);
        let Ok(about) = source.metadata() else {
            return Ok(());
        };
        let copy = self.place(database);
        if let Some(parent) = copy.parent() {
            fs::create_dir_all(parent)?;
        }
        let script = format!(
            ".bail on\n.timeout 20000\nBEGIN;\nSELECT count(*) FROM sqlite_schema;\n.backup main '{}'\nCOMMIT;\n",
            copy.display()
        );
        let mut command = Command::new("sqlite3");
        command.arg("-batch").arg(source);
        let done = process::run(command, script.as_bytes(), Errors::Kept)?;
        let failed = |said: &str| {
            no_room_or(
                said,
                &say!(
                    "copy the data base {database} while it is in use",
                    "copier la base {database} pendant qu'elle sert"
                ),
            )
        };
        if !done.status.success() {
            return Err(failed(&done.stderr));
        }
        let mut command = Command::new("sqlite3");
        command.arg("-batch").arg(&copy).arg("PRAGMA quick_check");
        let done = process::run(command, b"", Errors::Kept)?;
        let said = String::from_utf8_lossy(&done.stdout);
        if said.trim() != "ok" {
            return Err(Error::new(
                ErrorKind::Io,
                say!(
                    "the data base {database} is damaged: {}",
                    "la base {database} est abîmée : {}",
                    said.lines().next().unwrap_or_default()
                ),
            )
            .with_hint(say!(
                "restore it from a back-up; what the other machine has was left alone",
                "la restaurer d'une sauvegarde ; celle de l'autre machine n'a pas été touchée"
            )));
        }
        chown(&copy, Some(about.uid()), Some(about.gid()))?;
        fs::set_permissions(&copy, about.permissions())?;
        // What was written last may be in the log beside the file only.
        let log = fs::metadata(format!("{database}-wal")).and_then(|log| log.modified());
        let changed = about.modified()?.max(log.unwrap_or(SystemTime::UNIX_EPOCH));
        fs::File::options()
            .write(true)
            .open(&copy)?
            .set_modified(changed)?;
        Ok(())
    }

    /// The settings are the same on both machines, but for the key `role` of those who write it.
    fn swap_role(&self, what: &What) -> Result<()> {
        let copy = self.place(&what.settings);
        let Ok(text) = fs::read_to_string(&copy) else {
            return Ok(());
        };
        let other = with_role(&text, what.role.other().as_str());
        if other == text {
            return Ok(());
        }
        let changed = copy.metadata()?.modified()?;
        fs::write(&copy, other)?;
        fs::File::options()
            .write(true)
            .open(&copy)?
            .set_modified(changed)?;
        Ok(())
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        // What is left is taken away the next time.
        let _ = remove(&self.folder);
    }
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::from(e).context(folder.display().to_string()))
        }
        _ => Ok(()),
    }
}

fn no_room_or(said: &str, what: &str) -> Error {
    let said = said.trim();
    let full = said.contains("No space left on device") || said.contains("disk is full");
    let kind = if full {
        ErrorKind::Limit
    } else {
        ErrorKind::Io
    };
    Error::new(kind, said.to_owned())
        .context(what.to_owned())
        .with_hint(if full {
            say!(
                "make room on this machine: df {STATE}",
                "faire de la place sur cette machine : df {STATE}"
            )
        } else {
            say!(
                "nothing was changed on the other machine; mend that and run this again",
                "rien n'a été changé sur l'autre machine ; corriger puis relancer"
            )
        })
}

/// Returns the settings with another role, where they have one.
fn with_role(text: &str, role: &str) -> String {
    let mut in_table = false;
    let lines = text.split_inclusive('\n').map(|line| {
        in_table |= line.trim_start().starts_with('[');
        let value = line
            .split_once('=')
            .filter(|(key, _)| !in_table && key.trim() == "role")
            .and_then(|(key, rest)| {
                let quote = rest.find(['"', '\''])?;
                let mark = &rest[quote..=quote];
                let end = rest[quote + 1..].find(mark)? + quote + 1;
                Some(format!("{key}={}{role}{}", &rest[..=quote], &rest[end..]))
            });
        value.unwrap_or_else(|| line.to_owned())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_alone_is_another() {
        let text = "actif = true\n# role = \"maitre\"\nrole = \"maitre\"  # ici\nnom_cluster = \"role\"\n[maitre]\nrole = \"maitre\"\n";
        let other = with_role(text, "esclave");
        assert_eq!(
            other,
            "actif = true\n# role = \"maitre\"\nrole = \"esclave\"  # ici\nnom_cluster = \"role\"\n[maitre]\nrole = \"maitre\"\n"
        );
        assert_eq!(with_role("role='esclave'", "maitre"), "role='maitre'");
        assert_eq!(with_role("actif = true\n", "maitre"), "actif = true\n");
    }
}
