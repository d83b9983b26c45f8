//! Puts what has arrived in its place: all of it, or nothing.
//!
//! First everything that needs room is done, beside what is there; a disk that is full is noticed then, and nothing has
//! been replaced. Then the names are changed, which needs no room, with a journal: what is cut short there is finished
//! by the next run, and what the file system refuses is taken back.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::entry::{BEFORE, Change, Content, Entry, NEW, checksum};
use super::owners::Owners;
use super::record::{Record, read, write};
use crate::process::{self, Errors};
use crate::say;

/// What `SQLite` keeps beside a data base: of the old one, it would spoil the new one.
pub(super) const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// What is being done, for whoever has to finish it.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    steps: Vec<Step>,
    record: Record,
    staging: PathBuf,
}

/// One change of a name.
#[derive(Debug, Serialize, Deserialize)]
enum Step {
    /// A folder is made, or gets other rights.
    Folder {
        path: PathBuf,
        wanted: Entry,
        found: Option<Entry>,
    },
    /// A file comes to its place; what was there is kept under another name until the end.
    Put {
        from: PathBuf,
        path: PathBuf,
        before: Option<PathBuf>,
    },
    /// A file goes.
    Remove { path: PathBuf, before: PathBuf },
    /// A folder goes, if nothing is in it.
    RemoveFolder { path: PathBuf, found: Entry },
}

/// Where things are while they arrive and are put in their place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'p> {
    pub(super) staging: &'p Path,
    pub(super) journal: &'p Path,
    /// In front of every path of the changes.
    pub(super) root: &'p Path,
}

/// Checks what has arrived, and puts it in its place.
///
/// # Errors
/// [`ErrorKind::Limit`] when the disk is full, [`ErrorKind::Protocol`] when something else arrived than was announced,
/// or another I/O error: what was there before is there again.
pub(super) fn place(
    places: Places<'_>,
    changes: &[Change],
    database: Option<&str>,
    record: &Record,
) -> Result<()> {
    let owners = Owners::read()?;
    let journal = prepare(places, changes, database, record).map_err(full)?;
    for (number, step) in journal.steps.iter().enumerate() {
        let Err(e) = step.go(&owners) else { continue };
        let e = e.context(say!(
            "nothing was replaced: it was taken back",
            "rien n'a été remplacé : tout a été remis"
        ));
        for step in journal.steps[..=number].iter().rev() {
            step.back(&owners);
        }
        clean(&journal);
        // Without it the next run does not go on with this.
        fs::remove_file(places.journal)?;
        return Err(full(e));
    }
    finish(places.journal, &journal)
}

/// Does all that needs room, and writes down what is left to do.
fn prepare(
    places: Places<'_>,
    changes: &[Change],
    database: Option<&str>,
    record: &Record,
) -> Result<Journal> {
    let mut prepared = Prepared::default();
    if let Err(e) = prepared.make(places, changes, database) {
        prepared.undo();
        return Err(e);
    }
    let journal = Journal {
        steps: prepared.steps,
        record: record.clone(),
        staging: places.staging.to_owned(),
    };
    match write(places.journal, &journal) {
        Ok(()) => Ok(journal),
        Err(e) => {
            clean(&journal);
            Err(e)
        }
    }
}

/// Finishes what an earlier run began and could not end. Returns whether there was something.
///
/// # Errors
/// An I/O error.
pub(super) fn recover(journal_path: &Path) -> Result<bool> {
    let Some(journal) = read::<Journal>(journal_path)? else {
        return Ok(false);
    };
    let owners = Owners::read()?;
    for step in &journal.steps {
        step.go(&owners)?;
    }
    finish(journal_path, &journal).map(|()| true)
}

fn finish(path: &Path, journal: &Journal) -> Result<()> {
    journal.record.save()?;
    fs::remove_file(path).with_context(|| path.display().to_string())?;
    clean(journal);
    // What arrived is in its place.
    let _ = fs::remove_dir_all(&journal.staging);
    if let Ok(root) = fs::File::open("/") {
        let _ = rustix::fs::syncfs(root);
    }
    Ok(())
}

/// Takes away what was kept beside.
fn clean(journal: &Journal) {
    for step in &journal.steps {
        match step {
            Step::Put { from, before, .. } => {
                if is_copy(from) {
                    let _ = fs::remove_file(from);
                }
                before
                    .iter()
                    .for_each(|before| drop(fs::remove_file(before)));
            }
            Step::Remove { before, .. } => drop(fs::remove_file(before)),
            Step::Folder { .. } | Step::RemoveFolder { .. } => {}
        }
    }
}

fn is_copy(path: &Path) -> bool {
    path.to_string_lossy().ends_with(NEW)
}

#[derive(Default)]
struct Prepared {
    steps: Vec<Step>,
    /// What was made beside, to be taken away when it comes to nothing.
    made: Vec<PathBuf>,
    /// The folders that go: nothing may be kept in them.
    going: HashSet<PathBuf>,
}

impl Prepared {
    fn undo(&self) {
        self.made
            .iter()
            .for_each(|path| drop(fs::remove_file(path)));
    }

    /// Does all that needs room.
    fn make(
        &mut self,
        places: Places<'_>,
        changes: &[Change],
        database: Option<&str>,
    ) -> Result<()> {
        let at = |path: &str| places.root.join(path.trim_start_matches('/'));
        let is_folder = |entry: &Option<Entry>| entry.as_ref().is_some_and(Entry::is_folder);
        self.going = changes
            .iter()
            .filter(|c| is_folder(&c.found) && !is_folder(&c.wanted))
            .map(|c| at(&c.path))
            .collect();
        // A folder in whose place a file comes is empty by then.
        let makes_way: Vec<String> = changes
            .iter()
            .filter(|c| is_folder(&c.found) && c.wanted.is_some() && !is_folder(&c.wanted))
            .map(|c| format!("{}/", c.path))
            .collect();
        let early = |c: &&Change| {
            c.wanted.is_none() && makes_way.iter().any(|folder| c.path.starts_with(folder))
        };
        let order = changes.iter().filter(early);
        let order = order.chain(changes.iter().filter(|c| !early(c)));
        for (number, change) in order.enumerate() {
            let path = at(&change.path);
            match (&change.wanted, &change.found) {
                (Some(wanted), found) if wanted.is_folder() => {
                    if found.as_ref().is_some_and(|found| !found.is_folder()) {
                        self.remove(&path, number)?;
                    }
                    self.steps.push(Step::Folder {
                        path,
                        wanted: wanted.clone(),
                        found: found.clone().filter(Entry::is_folder),
                    });
                }
                (Some(wanted), found) => {
                    if database == Some(change.path.as_str()) {
                        for (n, suffix) in BESIDE.iter().enumerate() {
                            let beside = at(&format!("{}{suffix}", change.path));
                            if beside.symlink_metadata().is_ok() {
                                self.remove(&beside, 1_000_000 + number * BESIDE.len() + n)?;
                            }
                        }
                    }
                    if let Some(found) = found.as_ref().filter(|found| found.is_folder()) {
                        self.steps.push(Step::RemoveFolder {
                            path: path.clone(),
                            found: found.clone(),
                        });
                    }
                    let staged = places.staging.join(change.path.trim_start_matches('/'));
                    self.put(&staged, &path, wanted, number)?;
                }
                (None, Some(found)) if found.is_folder() => self.steps.push(Step::RemoveFolder {
                    path,
                    found: found.clone(),
                }),
                (None, _) => self.remove(&path, number)?,
            }
        }
        Ok(())
    }

    fn remove(&mut self, path: &Path, number: usize) -> Result<()> {
        let Some(before) = self.keep(path, number)? else {
            return Ok(());
        };
        self.steps.push(Step::Remove {
            path: path.to_owned(),
            before,
        });
        Ok(())
    }

    /// Returns the nearest folder that is there already and stays: on the file system of the path.
    fn near(&self, path: &Path) -> PathBuf {
        let mut folders = path.ancestors().skip(1);
        let near = folders.find(|folder| folder.is_dir() && !self.going.contains(*folder));
        near.unwrap_or(Path::new("/")).to_owned()
    }

    /// Gives what is there a second name.
    fn keep(&mut self, path: &Path, number: usize) -> Result<Option<PathBuf>> {
        let about = path.symlink_metadata();
        if !about.is_ok_and(|about| !about.is_dir()) {
            return Ok(None);
        }
        let before = self.near(path).join(format!(".{number}{BEFORE}"));
        let _ = fs::remove_file(&before);
        fs::hard_link(path, &before).with_context(|| path.display().to_string())?;
        self.made.push(before.clone());
        Ok(Some(before))
    }

    fn put(&mut self, staged: &Path, path: &Path, wanted: &Entry, number: usize) -> Result<()> {
        let arrived = match &wanted.content {
            Content::File { sha256, .. } => checksum(staged).is_ok_and(|sum| sum == *sha256),
            Content::Link { target } => {
                fs::read_link(staged).is_ok_and(|found| found == Path::new(target))
            }
            Content::Folder => true,
        };
        if !arrived {
            let path = path.display();
            return Err(Error::new(
                ErrorKind::Protocol,
                say!(
                    "{path} did not arrive as it was sent",
                    "{path} n'est pas arrivé tel qu'il a été envoyé"
                ),
            )
            .with_hint(say!("run this again", "relancer")));
        }
        let before = self.keep(path, number)?;
        let near = self.near(path);
        let device = |path: &Path| path.symlink_metadata().map(|about| about.dev());
        let from = if device(staged)? == device(&near)? {
            staged.to_owned()
        } else {
            let copy = near.join(format!(".{number}{NEW}"));
            let _ = fs::remove_file(&copy);
            self.made.push(copy.clone());
            let mut command = Command::new("cp");
            command
                .env("LC_ALL", "C")
                .arg("-a")
                .arg("--")
                .arg(staged)
                .arg(&copy);
            let done = process::run(command, b"", Errors::Kept)?;
            if !done.status.success() {
                let said = done.stderr.trim().to_owned();
                let full = said.contains("No space left on device");
                let kind = if full {
                    ErrorKind::Limit
                } else {
                    ErrorKind::Io
                };
                return Err(Error::new(kind, said));
            }
            copy
        };
        if !from.is_symlink() {
            let file = fs::File::open(&from).with_context(|| from.display().to_string())?;
            file.sync_all()
                .with_context(|| from.display().to_string())?;
        }
        self.steps.push(Step::Put {
            from,
            path: path.to_owned(),
            before,
        });
        Ok(())
    }
}

impl Step {
    /// Does it; a second time it does nothing.
    fn go(&self, owners: &Owners) -> Result<()> {
        match self {
            Self::Folder { path, wanted, .. } => {
                if !path.is_dir() {
                    fs::create_dir_all(path).with_context(|| path.display().to_string())?;
                }
                rights(path, wanted, owners)
            }
            Self::Put { from, path, .. } => match fs::rename(from, path) {
                // It is there already.
                Err(e)
                    if e.kind() == std::io::ErrorKind::NotFound
                        && !from.is_symlink()
                        && !from.exists()
                        && path.symlink_metadata().is_ok() =>
                {
                    Ok(())
                }
                done => done.with_context(|| path.display().to_string()),
            },
            Self::Remove { path, .. } => match path.symlink_metadata() {
                Ok(about) if !about.is_dir() => {
                    fs::remove_file(path).with_context(|| path.display().to_string())
                }
                // It is gone, or something else came in its place, or in that of its folder.
                _ => Ok(()),
            },
            Self::RemoveFolder { path, .. } => {
                // What is left in it is none of ours: sockets, what others put there meanwhile.
                let _ = fs::remove_dir(path);
                Ok(())
            }
        }
    }

    /// Takes it back, as far as it was done.
    fn back(&self, owners: &Owners) {
        let done: Result<()> = match self {
            Self::Folder {
                path,
                found: Some(found),
                ..
            } => rights(path, found, owners),
            Self::Folder { path, .. } => fs::remove_dir(path).map_err(Error::from),
            Self::Put {
                path,
                before: Some(before),
                ..
            }
            | Self::Remove { path, before } => fs::rename(before, path).map_err(Error::from),
            Self::Put { from, path, .. } if !from.exists() => {
                fs::remove_file(path).map_err(Error::from)
            }
            Self::Put { .. } => Ok(()),
            Self::RemoveFolder { path, found } => {
                if path.is_dir() {
                    Ok(())
                } else {
                    fs::create_dir(path)
                        .map_err(Error::from)
                        .and_then(|()| rights(path, found, owners))
                }
            }
        };
        // The rest is taken back all the same.
        drop(done);
    }
}

fn rights(path: &Path, entry: &Entry, owners: &Owners) -> Result<()> {
    let set = || -> std::io::Result<()> {
        let (user, group) = (owners.user_id(&entry.owner), owners.group_id(&entry.group));
        chown(path, Some(user), Some(group))?;
        fs::set_permissions(path, fs::Permissions::from_mode(entry.mode))
    };
    set().with_context(|| path.display().to_string())
}

/// Adds what to do when the disk is full.
fn full(e: Error) -> Error {
    if e.kind() != ErrorKind::Limit || e.hint().is_some() {
        return e;
    }
    e.with_hint(say!(
        "make room there (df), and run this again; nothing was replaced",
        "y faire de la place (df), puis relancer ; rien n'a été remplacé"
    ))
}

#[cfg(test)]
mod tests;
