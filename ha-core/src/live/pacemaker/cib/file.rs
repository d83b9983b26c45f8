//! CIB files.
//!
//! The rules of each operation are those of Pacemaker's library, but it only ever sees a private copy
//! of the file. Left alone it accepts a truncated document or any root element, keeps one copy for all
//! open files, rewrites the file in place, cuts some text as it writes it, and writes the cluster's
//! own file under the running daemon, and prints the whole CIB when a change does not conform to the
//! schema. So the checks before and after, the reading of the result and the writing are done here.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::change::{APPLY_PATCH, UPGRADE};
use super::schema;
use super::session::{self, Answer, Ask};
use crate::live::ffi::pacemaker::Here;
use crate::live::ffi::pacemaker::cib::Connection;
use crate::live::pacemaker::error;
use crate::xml::{Document, PatchSet};
use crate::{Error, ErrorExt, ErrorKind, Result};

/// The directory of the CIB manager's own files.
const LIVE: &str = "/var/lib/pacemaker/cib";

/// The attribute of the root element that names the schema.
const SCHEMA: &str = "validate-with";

/// A file that holds a CIB.
#[derive(Debug)]
pub(crate) struct CibFile {
    /// Without symbolic links, so that replacing the file does not replace a link.
    path: PathBuf,
}

impl CibFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let what = || format!("open the CIB file {}", path.display());
        let real = fs::canonicalize(path).with_context(what)?;
        refuse_live(&real).with_context(what)?;
        let file = Self { path: real };
        file.read().with_context(what)?;
        Ok(file)
    }

    /// Reads and checks the file.
    fn read(&self) -> Result<(Vec<u8>, Document)> {
        // A pipe or a device would never end.
        let kind = fs::metadata(&self.path).context("look at the CIB file")?;
        if !kind.is_file() {
            return Err(Error::invalid("it is no regular file"));
        }
        let bytes = fs::read(&self.path).context("read the CIB file")?;
        let document = Document::parse_bytes(&bytes)?;
        let root = document.root();
        if root.name() != "cib" {
            let message = format!("the root element is <{}>, not <cib>", root.name());
            return Err(Error::invalid(message));
        }
        match root.attribute("validate-with") {
            None | Some("") => {
                return Err(Error::invalid("the CIB names no schema (validate-with)")
                    .with_hint("set validate-with of the root element, as in pacemaker-3.9"));
            }
            Some("none") => {}
            Some(name) => drop(crate::schema::installed(name)?),
        }
        Ok((bytes, document))
    }

    /// Performs a request on the file's CIB, and writes what that became.
    pub(super) fn perform(&self, here: &Here, mut ask: Ask) -> Result<Answer> {
        let (before, document) = self.read()?;
        if ask.operation == APPLY_PATCH {
            let mut after = document;
            let patch = ask
                .data
                .ok_or_else(|| Error::invalid("there is no patch set"))?;
            apply(&mut after, &PatchSet::from_document(patch)?)?;
            schema::validate_here(here, &after)?;
            self.replace(&before, &after)?;
            return Ok(Answer {
                rc: 0,
                output: None,
            });
        }
        // When a change does not conform, the library prints the whole CIB. It is not told the schema,
        // except to upgrade it, which begins with a valid CIB; the result is validated here.
        let mut schema = document
            .root()
            .attribute(SCHEMA)
            .unwrap_or("none")
            .to_owned();
        let mut working = document.clone();
        if ask.write && ask.operation != UPGRADE {
            working.set_attribute(working.root().id(), SCHEMA, "none");
            if let Some(data) = ask.data.as_mut().filter(|data| data.root().name() == "cib") {
                if let Some(its) = data.root().attribute(SCHEMA) {
                    schema = its.to_owned();
                }
                data.set_attribute(data.root().id(), SCHEMA, "none");
            }
        } else if ask.operation == UPGRADE {
            schema::validate_here(here, &document)?;
        }
        let copy = Copy::make(&working)?;
        let mut connection = Connection::open_file(here, &copy.c_path()?)
            .map_err(|rc| error::legacy(rc).context("read the copy of the CIB file"))?;
        let answer = session::perform(here, &mut connection, &ask.request(here)?)?;
        if ask.write && answer.rc >= 0 {
            let mut after =
                session::whole(session::perform(here, &mut connection, &session::WHOLE)?)?;
            if ask.operation != UPGRADE {
                after.set_attribute(after.root().id(), SCHEMA, &schema);
            }
            schema::validate_here(here, &after)?;
            if after != document {
                self.replace(&before, &after)?;
            }
        }
        Ok(answer)
    }

    /// Puts a new file in the place of the old one.
    fn replace(&self, before: &[u8], cib: &Document) -> Result<()> {
        let old = fs::metadata(&self.path).context("look at the CIB file")?;
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        let new = Private::make(directory, cib.to_xml().as_bytes())?;
        let file = &new.file;
        rustix::fs::fchown(
            file,
            Some(rustix::fs::Uid::from_raw(old.uid())),
            Some(rustix::fs::Gid::from_raw(old.gid())),
        )
        .map_err(std::io::Error::from)
        .context("give the new CIB file to the owner of the old one")?;
        file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))
            .context("set the mode of the new CIB file")?;
        file.sync_all().context("write the new CIB file to disk")?;
        if fs::read(&self.path).context("read the CIB file")? != before {
            return Err(Error::new(
                ErrorKind::Conflict,
                "another program changed the CIB file",
            ));
        }
        fs::rename(&new.path, &self.path).context("replace the CIB file")?;
        // The directory's entry, too, should outlast a power cut.
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .context("write the directory of the CIB file to disk")
    }
}

/// Applies a patch set, and gives the document the version that it states.
fn apply(cib: &mut Document, patch: &PatchSet) -> Result<()> {
    cib.apply(patch)?;
    if let Some(version) = patch.target() {
        let root = cib.root().id();
        for (name, number) in [
            ("admin_epoch", version.admin_epoch),
            ("epoch", version.epoch),
            ("num_updates", version.num_updates),
        ] {
            cib.set_attribute(root, name, &number.to_string());
        }
    }
    Ok(())
}

/// Refuses what belongs to the CIB manager, also by a link to it.
fn refuse_live(real: &Path) -> Result<()> {
    let inside = fs::canonicalize(LIVE).is_ok_and(|live| real.starts_with(live));
    let same = fs::metadata(Path::new(LIVE).join("cib.xml")).is_ok_and(|live| {
        fs::metadata(real).is_ok_and(|it| (it.dev(), it.ino()) == (live.dev(), live.ino()))
    });
    if inside || same {
        return Err(Error::new(
            ErrorKind::PermissionDenied,
            format!("{} belongs to the CIB manager", real.display()),
        )
        .with_hint("change the running cluster's CIB through Cib::connect, or work on a copy"));
    }
    Ok(())
}

/// A file that only we can read, removed by drop unless it was renamed.
struct Private {
    path: PathBuf,
    file: File,
}

impl Private {
    fn make(directory: &Path, bytes: &[u8]) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let what = || format!("write a file in {}", directory.display());
        // Another process of this number may have left its files behind.
        let (path, file) = loop {
            let n = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = directory.join(format!(".cib.{}.{n}", std::process::id()));
            let file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path);
            match file {
                Ok(file) => break (path, file),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e).with_context(what),
            }
        };
        let mut private = Self { path, file };
        private.file.write_all(bytes).with_context(what)?;
        Ok(private)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // Gone already when it became the CIB file.
        let _ = fs::remove_file(&self.path);
    }
}

/// The copy that the library works on, in a directory of its own.
struct Copy {
    directory: PathBuf,
    path: PathBuf,
}

impl Copy {
    fn make(cib: &Document) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700);
        let directory = loop {
            let n = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("ha-core-{}-{n}", std::process::id());
            let directory = std::env::temp_dir().join(name);
            match builder.create(&directory) {
                Ok(()) => break directory,
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => {
                    return Err(e)
                        .with_context(|| format!("make the directory {}", directory.display()));
                }
            }
        };
        let path = directory.join("cib.xml");
        let copy = Self { directory, path };
        fs::write(&copy.path, cib.to_xml()).context("copy the CIB file")?;
        Ok(copy)
    }

    fn c_path(&self) -> Result<CString> {
        super::c_string("the path of temporary files", &self.path.to_string_lossy())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // The library may have written a digest beside it. Nothing depends on the removal.
        let _ = fs::remove_dir_all(&self.directory);
    }
}
