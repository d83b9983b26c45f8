//! What is in files and folders: listed with checksums, compared.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use ha_core::{Error, ErrorExt as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::owners::Owners;

/// What a synchronisation makes beside the files that it replaces, until all of them are there.
pub(super) const NEW: &str = ".sphynx-nouveau";
/// What it keeps of the files that it replaces, until all of them are there.
pub(super) const BEFORE: &str = ".sphynx-avant";

/// A file, folder or symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) content: Content,
    pub(crate) mode: u32,
    /// By name: the numbers may differ between the machines.
    pub(crate) owner: String,
    pub(crate) group: String,
    /// When it was changed, in seconds.
    pub(crate) changed: i64,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Content {
    File { size: u64, sha256: String },
    Link { target: String },
    Folder,
}

/// Entries by their full path; a folder comes before what is in it.
pub(crate) type Manifest = BTreeMap<String, Entry>;

impl Entry {
    /// Tells whether two are the same but for the time.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let rights = |e: &Self| match e.content {
            // A link's own mode means nothing.
            Content::Link { .. } => 0,
            _ => e.mode,
        };
        self.content == other.content
            && rights(self) == rights(other)
            && self.owner == other.owner
            && self.group == other.group
    }

    /// What tells its content, for the record of a synchronisation.
    pub(crate) fn print(&self) -> String {
        match &self.content {
            Content::File { sha256, .. } => sha256.clone(),
            Content::Link { target } => format!("-> {target}"),
            Content::Folder => "/".to_owned(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        match self.content {
            Content::File { size, .. } => size,
            _ => 0,
        }
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.content == Content::Folder
    }
}

/// Lists what is at these paths, and below; those that are not there are left out. `under` is put in front of the paths
/// to find them, and is no part of the result.
///
/// # Errors
/// An I/O error, with the path.
pub(crate) fn list<'p>(under: &Path, roots: impl IntoIterator<Item = &'p str>) -> Result<Manifest> {
    let owners = Owners::read()?;
    let mut manifest = Manifest::new();
    for root in roots {
        add(under, root, &owners, &mut manifest)?;
    }
    Ok(manifest)
}

fn add(under: &Path, path: &str, owners: &Owners, manifest: &mut Manifest) -> Result<()> {
    let place = under.join(path.trim_start_matches('/'));
    let about = match fs::symlink_metadata(&place) {
        Ok(about) => about,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::from(e).context(place.display().to_string())),
    };
    if about.is_dir() {
        manifest.insert(path.to_owned(), entry(&about, Content::Folder, owners));
        let mut names: Vec<String> = Vec::new();
        for file in fs::read_dir(&place).with_context(|| place.display().to_string())? {
            names.push(file?.file_name().to_string_lossy().into_owned());
        }
        for name in names.iter().filter(|name| !is_ours(name)) {
            add(
                under,
                &format!("{}/{name}", path.trim_end_matches('/')),
                owners,
                manifest,
            )?;
        }
        return Ok(());
    }
    let content = if about.is_symlink() {
        let target = fs::read_link(&place).with_context(|| place.display().to_string())?;
        Content::Link {
            target: target.to_string_lossy().into_owned(),
        }
    } else if about.is_file() {
        Content::File {
            size: about.len(),
            sha256: checksum(&place)?,
        }
    } else {
        // Sockets, pipes and devices are of a running machine.
        return Ok(());
    };
    manifest.insert(path.to_owned(), entry(&about, content, owners));
    Ok(())
}

fn is_ours(name: &str) -> bool {
    name.ends_with(NEW) || name.ends_with(BEFORE)
}

fn entry(about: &Metadata, content: Content, owners: &Owners) -> Entry {
    Entry {
        content,
        mode: about.mode() & 0o7777,
        owner: owners.user(about.uid()),
        group: owners.group(about.gid()),
        changed: about.mtime(),
    }
}

/// Returns the SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// An I/O error, with the path.
pub(crate) fn checksum(path: &Path) -> Result<String> {
    let read = || -> std::io::Result<String> {
        let mut file = fs::File::open(path)?;
        let mut hash = Sha256::new();
        let mut bytes = vec![0; 1 << 16];
        loop {
            match file.read(&mut bytes)? {
                0 => break,
                read => hash.update(&bytes[..read]),
            }
        }
        Ok(hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect())
    };
    read().with_context(|| path.display().to_string())
}

/// What is to be done at the target for it to have what the source has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) path: String,
    /// What it is to be; none when it is to go.
    pub(crate) wanted: Option<Entry>,
    /// What it is.
    pub(crate) found: Option<Entry>,
}

/// Compares what the source has with what the target has: folders before what comes into them, and what goes from a
/// folder before the folder.
pub(crate) fn compare(source: &Manifest, target: &Manifest) -> Vec<Change> {
    let new = source.iter().filter_map(|(path, wanted)| {
        let found = target.get(path);
        (!found.is_some_and(|found| found.same(wanted))).then(|| Change {
            path: path.clone(),
            wanted: Some(wanted.clone()),
            found: found.cloned(),
        })
    });
    let gone = target
        .iter()
        .rev()
        .filter(|(path, _)| !source.contains_key(*path));
    let gone = gone.map(|(path, found)| Change {
        path: path.clone(),
        wanted: None,
        found: Some(found.clone()),
    });
    new.chain(gone).collect()
}

#[cfg(test)]
pub(super) fn file(text: &str, changed: i64) -> Entry {
    Entry {
        content: Content::File {
            size: text.len() as u64,
            sha256: text.to_owned(),
        },
        mode: 0o600,
        owner: "root".to_owned(),
        group: "root".to_owned(),
        changed,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn scratch(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("sphynx-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn files_folders_and_links_are_listed() {
        let base = scratch("list");
        fs::create_dir_all(base.join("etc/ipsec.d/certs")).unwrap();
        fs::write(base.join("etc/ipsec.d/certs/a.pem"), "abc").unwrap();
        fs::write(base.join(format!("etc/ipsec.d/x{NEW}")), "abc").unwrap();
        fs::set_permissions(
            base.join("etc/ipsec.d/certs"),
            fs::Permissions::from_mode(0o750),
        )
        .unwrap();
        symlink("certs/a.pem", base.join("etc/ipsec.d/b")).unwrap();
        let manifest = list(&base, ["/etc/ipsec.d", "/etc/none"]).unwrap();
        let paths: Vec<&str> = manifest.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "/etc/ipsec.d",
                "/etc/ipsec.d/b",
                "/etc/ipsec.d/certs",
                "/etc/ipsec.d/certs/a.pem"
            ]
        );
        assert_eq!(manifest["/etc/ipsec.d/certs"].mode, 0o750);
        // echo -n abc | sha256sum
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(manifest["/etc/ipsec.d/certs/a.pem"].print(), sum);
        assert_eq!(manifest["/etc/ipsec.d/b"].print(), "-> certs/a.pem");
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn what_differs_and_what_is_gone() {
        let folder = Entry {
            content: Content::Folder,
            ..file("", 0)
        };
        let mut other_mode = file("same", 9);
        other_mode.mode = 0o644;
        let source = Manifest::from([
            ("/d".to_owned(), folder.clone()),
            ("/d/new".to_owned(), file("1", 1)),
            ("/same".to_owned(), file("same", 1)),
            ("/mode".to_owned(), other_mode),
        ]);
        let target = Manifest::from([
            ("/same".to_owned(), file("same", 5)),
            ("/mode".to_owned(), file("same", 9)),
            ("/old".to_owned(), folder),
            ("/old/x".to_owned(), file("x", 1)),
        ]);
        let changes = compare(&source, &target);
        let told: Vec<(&str, bool)> = changes
            .iter()
            .map(|c| (c.path.as_str(), c.wanted.is_some()))
            .collect();
        assert_eq!(
            told,
            [
                ("/d", true),
                ("/d/new", true),
                ("/mode", true),
                ("/old/x", false),
                ("/old", false)
            ]
        );
    }
}
