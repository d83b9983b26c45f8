//! Labs that outlive the process that started them: one small file each under `/run/ha-lab`.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::options::LabOptions;

const FOLDER: &str = "/run/ha-lab";

/// What is needed to find a running lab again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) keeper: u32,
    /// When the keeper started, in clock ticks since boot: tells it from a later process that got
    /// the same number.
    started: u64,
    pub(crate) base: PathBuf,
    pub(crate) options: LabOptions,
}

impl Entry {
    pub(crate) fn new(keeper: u32, base: &Path, options: &LabOptions) -> Result<Self> {
        let started = start_time(keeper)
            .ok_or_else(|| Error::new(ErrorKind::Disconnected, "the lab has ended"))?;
        Ok(Self {
            keeper,
            started,
            base: base.to_owned(),
            options: options.clone(),
        })
    }

    fn is_alive(&self) -> bool {
        start_time(self.keeper) == Some(self.started)
    }
}

/// When a process started; none for one that has ended, waited for or not.
fn start_time(pid: u32) -> Option<u64> {
    let fields = process_fields(pid)?;
    if fields.starts_with('Z') {
        return None;
    }
    fields.split(' ').nth(19)?.parse().ok()
}

/// The fields of `/proc/PID/stat` from the third on, which is the state.
pub(crate) fn process_fields(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the name, may hold spaces and parentheses.
    stat.rsplit_once(") ").map(|(_, fields)| fields.to_owned())
}

/// Returns the labs that run, by name; forgets those that have ended.
pub(crate) fn list() -> Result<Vec<(String, Entry)>> {
    let mut found = Vec::new();
    let files = match fs::read_dir(FOLDER) {
        Ok(files) => files,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(e) => return Err(Error::from(e).context(format!("read {FOLDER}"))),
    };
    for file in files {
        let path = file?.path();
        let Some(name) = path
            .file_name()
            .and_then(|n| n.to_str()?.strip_suffix(".json"))
        else {
            continue;
        };
        let entry = fs::read(&path)
            .ok()
            .and_then(|b| serde_json::from_slice::<Entry>(&b).ok());
        match entry {
            Some(entry) if entry.is_alive() => found.push((name.to_owned(), entry)),
            // Another process may do the same at the same time.
            Some(_) => drop(fs::remove_file(&path)),
            // Written by another build: its lab may well run, and only that build can end it.
            None => {}
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Enters a lab under a name that no running lab has.
pub(crate) fn add(name: &str, entry: &Entry) -> Result<()> {
    check_name(name)?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(FOLDER)
        .context("make /run/ha-lab")?;
    // Whole or not at all, and never over another's.
    let text = serde_json::to_vec(entry).map_err(|e| Error::invalid(e.to_string()))?;
    let new = Path::new(FOLDER).join(format!("{name}.{}", std::process::id()));
    fs::write(&new, text).with_context(|| format!("write {}", new.display()))?;
    let linked = fs::hard_link(&new, file_of(name));
    fs::remove_file(&new).context("remove the first name of the lab's file")?;
    linked.with_context(|| format!("enter the lab as '{name}'"))
}

/// Forgets a lab; the folder too when it was the last.
pub(crate) fn remove(name: &str) -> Result<()> {
    match fs::remove_file(file_of(name)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::from(e).context(format!("forget the lab '{name}'")));
        }
        _ => {}
    }
    // It stays when it is not empty.
    let _ = fs::remove_dir(FOLDER);
    Ok(())
}

/// Finds a lab by its name, or the only one.
pub(crate) fn find(name: Option<&str>) -> Result<(String, Entry)> {
    let mut labs = list()?;
    let names: Vec<&str> = labs.iter().map(|(n, _)| n.as_str()).collect();
    let at = match name {
        Some(name) => names.iter().position(|n| *n == name).ok_or_else(|| {
            let known = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            Error::new(ErrorKind::NotFound, format!("no lab '{name}' runs"))
                .with_hint(format!("labs that run: {known}"))
        })?,
        None if labs.len() == 1 => 0,
        None if labs.is_empty() => {
            return Err(
                Error::new(ErrorKind::NotFound, "no lab runs").with_hint("start one: lab up")
            );
        }
        None => {
            return Err(Error::invalid("several labs run")
                .with_hint(format!("say which with --name: {}", names.join(", "))));
        }
    };
    Ok(labs.swap_remove(at))
}

/// The name of a lab that was given none.
pub(crate) const DEFAULT: &str = "lab";

/// Returns a name that no running lab has.
pub(crate) fn free_name() -> Result<String> {
    let labs = list()?;
    let taken = |name: &str| labs.iter().any(|(n, _)| n == name);
    Ok((1..)
        .map(|n| {
            if n == 1 {
                DEFAULT.to_owned()
            } else {
                format!("{DEFAULT}{n}")
            }
        })
        .find(|name| !taken(name))
        .unwrap_or_default())
}

/// Refuses what cannot be a file's name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(good) {
        return Err(Error::invalid(format!("'{name}' cannot be a lab's name"))
            .with_hint("letters, digits, '-' and '_', at most 64"));
    }
    Ok(())
}

fn file_of(name: &str) -> PathBuf {
    Path::new(FOLDER).join(format!("{name}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_a_later_one_of_the_same_number() {
        let mut entry = Entry::new(
            std::process::id(),
            Path::new("/mnt"),
            &LabOptions::default(),
        )
        .unwrap();
        assert!(entry.is_alive());
        entry.started += 1;
        assert!(!entry.is_alive());
    }

    #[test]
    fn names_are_file_names() {
        for bad in ["", "a/b", "..", "a b", &"x".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_name("kept-12").is_ok());
    }
}
