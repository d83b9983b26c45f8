//! What is remembered of synchronisations, on both machines: the last that succeeded, and what is under way.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ha_core::{Error, ErrorExt as _, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::entry::Manifest;
use crate::say;

/// Where the programs of this package keep what they remember.
pub const STATE: &str = "/var/lib/sphynx";
/// The last synchronisation that succeeded.
pub const RECORD: &str = "/var/lib/sphynx/synchro.json";
/// The one that is under way, or failed, as the target of it knows.
pub const PROGRESS: &str = "/var/lib/sphynx/synchro-etat.json";

/// A synchronisation that succeeded. The same on both machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When it ended, by the source's clock (RFC 3339).
    #[serde(rename = "fin")]
    pub ended: jiff_text::Time,
    /// The source.
    #[serde(rename = "de")]
    pub from: String,
    /// The target.
    #[serde(rename = "vers")]
    pub to: String,
    /// How many files, folders and links were changed at the target.
    #[serde(rename = "changements")]
    pub changes: usize,
    /// How much was to be sent, in bytes.
    #[serde(rename = "octets")]
    pub bytes: u64,
    /// What both have had since, by path: SHA-256 of files, targets of links.
    #[serde(rename = "empreintes")]
    pub prints: BTreeMap<String, String>,
}

/// A time in a file.
pub(super) mod jiff_text {
    use jiff::Timestamp;
    use serde::{Deserialize, Serialize};

    /// A time, written as RFC 3339.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(try_from = "String", into = "String")]
    pub struct Time(pub Timestamp);

    impl From<Time> for String {
        fn from(time: Time) -> Self {
            time.0.to_string()
        }
    }

    impl TryFrom<String> for Time {
        type Error = jiff::Error;

        fn try_from(text: String) -> Result<Self, Self::Error> {
            text.parse().map(Self)
        }
    }
}

impl Record {
    /// Reads the one of this machine; none when there has been no synchronisation.
    ///
    /// # Errors
    /// [`Invalid`](ha_core::ErrorKind::Invalid) when the file is not one; an I/O error.
    pub fn open() -> Result<Option<Self>> {
        read(Path::new(RECORD))
    }

    /// Returns when it ended, for people, by the clock of this machine.
    #[must_use]
    pub fn when(&self) -> String {
        let time = self.ended.0.to_zoned(jiff::tz::TimeZone::system());
        let format = say!("%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S");
        time.strftime(&format).to_string()
    }

    pub(crate) fn prints_of(manifest: &Manifest) -> BTreeMap<String, String> {
        let prints = manifest.iter();
        prints
            .map(|(path, entry)| (path.clone(), entry.print()))
            .collect()
    }

    pub(crate) fn save(&self) -> Result<()> {
        write(Path::new(RECORD), self)
    }
}

/// How far a synchronisation is, at its target: what who waits there is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// It has begun.
    #[serde(rename = "en_cours")]
    Running {
        /// From which machine.
        de: String,
    },
    /// It failed.
    #[serde(rename = "echec")]
    Failed {
        /// From which machine.
        de: String,
        /// Why.
        raison: String,
    },
    /// It succeeded.
    #[serde(rename = "reussie")]
    Done {
        /// From which machine.
        de: String,
    },
}

impl Progress {
    /// Reads the one of this machine.
    ///
    /// # Errors
    /// As [`Record::open`].
    pub fn open() -> Result<Option<Self>> {
        read(Path::new(PROGRESS))
    }

    pub(crate) fn save(&self) -> Result<()> {
        write(Path::new(PROGRESS), self)
    }
}

pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::from(e).context(path.display().to_string())),
    };
    let value = serde_json::from_slice(&text);
    value.map(Some).map_err(|e| {
        let path = path.display();
        Error::invalid(format!("{path}: {e}")).with_hint(say!(
            "it is made anew by the next synchronisation: rm {path}",
            "il est refait par la prochaine synchronisation : rm {path}"
        ))
    })
}

/// Writes a file whole, or not at all.
pub(super) fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).map_err(std::io::Error::from)?;
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = path.with_extension("nouveau");
        let mut file = fs::File::options()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&text)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().with_context(|| path.display().to_string())
}
