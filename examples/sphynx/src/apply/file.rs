//! Files that are as they are to be: compared, shown, replaced in one step.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use ha_core::{ErrorExt, Result};
use rustix::fs::OFlags;
use similar::TextDiff;

use crate::say;

/// What a file is to be.
#[derive(Clone)]
pub(crate) enum Content {
    /// This text.
    Text(String),
    /// These bytes, which are shown nowhere.
    Secret(Vec<u8>),
    /// Not there.
    Absent,
}

/// A file as it is to be, and as it is.
pub(crate) struct Wanted {
    path: PathBuf,
    content: Content,
    /// The rights of a new file; those of one that is there stay, unless its content is secret.
    mode: u32,
    old: Option<Vec<u8>>,
    old_mode: Option<u32>,
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wanted")
            .field("path", &self.path)
            .field("differs", &self.differs())
            .finish_non_exhaustive()
    }
}

impl Wanted {
    /// Looks at a file that is to have a content. A link is followed: what it leads to is replaced.
    ///
    /// # Errors
    /// Those of reading the file.
    pub(crate) fn new(path: impl AsRef<Path>, content: Content, mode: u32) -> Result<Self> {
        let path = path.as_ref();
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let shown = path.display();
        let what = || say!("read {shown}", "lire {shown}");
        let (old, old_mode) = match fs::read(&path) {
            Ok(bytes) => {
                let metadata = fs::metadata(&path).with_context(what)?;
                (Some(bytes), Some(metadata.mode() & 0o7777))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => (None, None),
            Err(e) => return Err(e).with_context(what),
        };
        Ok(Self {
            path,
            content,
            mode,
            old,
            old_mode,
        })
    }

    /// Returns where it is.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what is there now, as text.
    #[must_use]
    pub(crate) fn old_text(&self) -> Option<&str> {
        self.old
            .as_deref()
            .and_then(|bytes| str::from_utf8(bytes).ok())
    }

    /// Tells whether it is not as it is to be.
    #[must_use]
    pub(crate) fn differs(&self) -> bool {
        match &self.content {
            Content::Absent => self.old.is_some(),
            Content::Text(text) => self.old.as_deref() != Some(text.as_bytes()),
            Content::Secret(bytes) => {
                self.old.as_deref() != Some(bytes) || self.old_mode != Some(self.mode)
            }
        }
    }

    /// Returns what would be changed, as `diff -u` shows it; of a secret, only that something would.
    #[must_use]
    pub(crate) fn diff(&self) -> String {
        let path = self.path.display();
        let new = match &self.content {
            Content::Secret(bytes) => {
                let (length, mode) = (bytes.len(), self.mode);
                return if self.old.as_deref() == Some(bytes) {
                    say!("{path}: mode {mode:04o}\n", "{path} : droits {mode:04o}\n")
                } else {
                    say!(
                        "{path}: a new key of {length} bytes, mode {mode:04o} (not shown)\n",
                        "{path} : une nouvelle clé de {length} octets, droits {mode:04o} (non montrée)\n"
                    )
                };
            }
            Content::Text(text) => text.as_str(),
            Content::Absent if self.old_text().is_none() => {
                return say!("{path}: removed\n", "{path} : supprimé\n");
            }
            Content::Absent => "",
        };
        let old = self.old_text().unwrap_or_default();
        let name = |there: bool| {
            if there {
                path.to_string()
            } else {
                "/dev/null".to_owned()
            }
        };
        let after = name(!matches!(self.content, Content::Absent));
        TextDiff::from_lines(old, new)
            .unified_diff()
            .header(&name(self.old.is_some()), &after)
            .to_string()
    }

    /// Makes it so, in one step: whoever reads it, or switches the machine off, finds the old or the new one. Owner and
    /// rights of what was there stay. Does nothing when it is so already.
    ///
    /// # Errors
    /// Those of writing; what was there is there still.
    pub(crate) fn write(&self) -> Result<()> {
        if !self.differs() {
            return Ok(());
        }
        let shown = self.path.display();
        let what = || say!("write {shown}", "écrire {shown}");
        let (bytes, mode) = match &self.content {
            Content::Absent => {
                fs::remove_file(&self.path)
                    .and_then(|()| self.sync_folder())
                    .with_context(|| say!("remove {shown}", "supprimer {shown}"))?;
                return Ok(());
            }
            Content::Text(text) => (text.as_bytes(), self.old_mode.unwrap_or(self.mode)),
            Content::Secret(bytes) => (bytes.as_slice(), self.mode),
        };
        let folder = self.folder();
        fs::create_dir_all(folder).with_context(what)?;
        // Always the same name: what a killed run leaves is taken by the next one. Two at once are kept apart by a lock.
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = folder.join(format!(".{name}.appliquer_hautedispo"));
        let written = self.write_to(&temporary, bytes, mode);
        if let Err(e) = written {
            // The first error is the one to tell.
            let _ = fs::remove_file(&temporary);
            return Err(e).with_context(what);
        }
        Ok(())
    }

    fn write_to(&self, temporary: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
        match fs::remove_file(temporary) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(temporary)?;
        file.write_all(bytes)?;
        if let Ok(old) = fs::metadata(&self.path) {
            chown(temporary, Some(old.uid()), Some(old.gid()))?;
        }
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(temporary, &self.path)?;
        self.sync_folder()
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new("/"))
    }

    fn sync_folder(&self) -> std::io::Result<()> {
        fs::File::open(self.folder())?.sync_all()
    }
}

/// Returns a key from the system's generator.
///
/// # Errors
/// Those of reading it.
pub(crate) fn random_key(length: usize) -> Result<Vec<u8>> {
    let mut key = vec![0; length];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut key))
        .with_context(|| {
            say!(
                "make a key: /dev/urandom",
                "produire une clé : /dev/urandom"
            )
        })?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn text(text: &str) -> Content {
        Content::Text(text.to_owned())
    }

    #[test]
    fn a_file_that_is_so_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        Wanted::new(&path, text("x\n"), 0o644)
            .unwrap()
            .write()
            .unwrap();
        let before = fs::metadata(&path).unwrap();
        let again = Wanted::new(&path, text("x\n"), 0o644).unwrap();
        assert!(!again.differs());
        again.write().unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!(
            (before.ino(), before.mtime_nsec()),
            (after.ino(), after.mtime_nsec())
        );
    }

    #[test]
    fn rights_stay_and_leftovers_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "old\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        let leftover = folder.path().join(".f.appliquer_hautedispo");
        fs::write(&leftover, "half").unwrap();
        let wanted = Wanted::new(&path, text("new\n"), 0o644).unwrap();
        let diff = wanted.diff();
        assert!(diff.contains("\n-old\n+new\n"), "{diff}");
        wanted.write().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o604);
        assert!(!leftover.exists());
        Wanted::new(&path, Content::Absent, 0)
            .unwrap()
            .write()
            .unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_secret_is_shown_nowhere_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let secret = Content::Secret(b"sesame-sesame".to_vec());
        let wanted = Wanted::new(&path, secret.clone(), 0o400).unwrap();
        assert!(!format!("{}{wanted:?}", wanted.diff()).contains("sesame"));
        wanted.write().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o400);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let wanted = Wanted::new(&path, secret, 0o400).unwrap();
        assert!(wanted.differs() && !wanted.diff().contains("sesame"));
        wanted.write().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o400);
        assert_ne!(random_key(256).unwrap(), random_key(256).unwrap());
    }
}
