//! Does a CIB conform to its schema?
//!
//! Pacemaker installs its schemas as files of RELAX NG. A [`Schema`] reads those that a CIB names in
//! `validate-with`, and says of each element that does not conform where it is and why. It knows what
//! Pacemaker's schemas use of RELAX NG, and says so when a file uses more ([`ErrorKind::Unsupported`]).
//!
//! # Example
//! ```no_run
//! use ha_core::{schema::Schema, xml::Document};
//! let cib = Document::parse(&std::fs::read_to_string("cib.xml")?)?;
//! for fault in Schema::of(&cib)?.check(&cib)? {
//!     println!("{fault}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod grammar;
mod pattern;
mod source;
mod value;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::xml::Document;
use crate::{Error, ErrorKind, Result};

/// Where Debian and the other distributions put Pacemaker's schemas.
const DIRECTORY: &str = "/usr/share/pacemaker";

/// One schema of the CIB. Files are read, and patterns made of them, when a document needs them: a
/// mistake in a part of the schema that no document needed goes unnoticed.
#[derive(Debug)]
pub struct Schema {
    grammar: grammar::Grammar,
    start: pattern::P,
}

/// What does not conform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: the elements from the root on, with the `id` of those that have one.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl Schema {
    /// Opens the schema that a CIB names, as installed on this machine.
    ///
    /// # Errors
    /// Those of [`installed`] and [`Schema::open`].
    pub fn of(cib: &Document) -> Result<Self> {
        let name = cib.root().attribute("validate-with").unwrap_or_default();
        Self::open(&installed(name)?)
    }

    /// Opens a schema from its file; files that it refers to are beside it.
    ///
    /// # Errors
    /// Reading and parsing the files, and [`ErrorKind::Unsupported`] when they use what Pacemaker's
    /// schemas do not.
    pub fn open(file: &Path) -> Result<Self> {
        let name = file.file_name().and_then(|name| name.to_str());
        let (Some(name), Some(directory)) = (name, file.parent()) else {
            return Err(Error::invalid(format!("{} is no file", file.display())));
        };
        let mut grammar = grammar::Grammar::new(directory);
        let start = grammar.file(name)?;
        Ok(Self { grammar, start })
    }

    /// Checks a whole document, and returns what does not conform: nothing when it does. At most 20
    /// faults are looked for.
    ///
    /// What was learnt about the schema is kept for the next document.
    ///
    /// # Errors
    /// As for [`Schema::open`]: parts of the schema are only read when a document needs them.
    pub fn check(&mut self, document: &Document) -> Result<Vec<Fault>> {
        check::Check::new(&mut self.grammar).run(self.start, document)
    }
}

/// Returns the file of a schema (`pacemaker-3.9`), in the directory that `PCMK_schema_directory` names
/// or where distributions put them.
///
/// # Errors
/// [`ErrorKind::Unsupported`] when it is not installed, or is no name of a schema.
pub fn installed(name: &str) -> Result<PathBuf> {
    // A name becomes part of a path.
    let plain = name.starts_with("pacemaker-")
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    if !plain {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("validate-with is {name:?}, which is no schema of Pacemaker"),
        )
        .with_hint("set validate-with of the root element, as in pacemaker-3.9"));
    }
    let directory = std::env::var_os("PCMK_schema_directory")
        .filter(|directory| !directory.is_empty())
        .map_or_else(|| PathBuf::from(DIRECTORY), PathBuf::from);
    let path = directory.join(format!("{name}.rng"));
    if !path.is_file() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "schema {name} is not installed: there is no {}",
                path.display()
            ),
        )
        .with_hint("the CIB is of a newer Pacemaker than this machine's"));
    }
    Ok(path)
}
