//! Explaining why a CIB does not conform to its schema.

use std::ffi::CString;
use std::path::PathBuf;
use std::time::Duration;

use crate::live::ffi::pacemaker::{Here, schema};
use crate::live::pacemaker::{exchange, runtime};
use crate::xml::Document;
use crate::{Error, ErrorKind, Result};

/// Where Debian and the other distributions put Pacemaker's schemas.
const DIRECTORY: &str = "/usr/share/pacemaker";

/// How many faults a message lists.
const SHOWN: usize = 3;

/// Checks a whole CIB against the schema that its `validate-with` names, as installed on this
/// machine.
///
/// # Errors
/// [`ErrorKind::Schema`] when it does not conform: the message names the element and what is wrong
/// with it. [`ErrorKind::Unsupported`] when the schema is not installed, [`ErrorKind::Timeout`].
pub fn validate(cib: &Document, timeout: Duration) -> Result<()> {
    let cib = cib.clone();
    runtime::call("validate a CIB", exchange::deadline(timeout), move |here| {
        validate_here(here, &cib)
    })
}

pub(super) fn validate_here(here: &Here, cib: &Document) -> Result<()> {
    let name = cib.root().attribute("validate-with").unwrap_or_default();
    if name == "none" {
        return Ok(());
    }
    let faults = schema::faults(here, cib, &file_of(name)?)?;
    if faults.is_empty() {
        return Ok(());
    }
    let mut message = format!("the CIB would not conform to schema {name}");
    for fault in faults.iter().take(SHOWN) {
        message.push_str(&format!("; {}: {}", fault.element, fault.message));
    }
    Err(Error::new(ErrorKind::Schema, message)
        .with_hint("correct the named element; crm_verify(8) checks a whole CIB"))
}

/// The file of a schema, when it is installed.
pub(super) fn file_of(name: &str) -> Result<CString> {
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
    CString::new(path.into_os_string().into_encoded_bytes())
        .map_err(|_| Error::invalid("the schema directory contains a NUL byte"))
}

/// The error for a change that the CIB manager refused; `refused` is the CIB that it would have made.
pub(super) fn explain(here: &Here, refused: Option<&Document>) -> Error {
    let plain = || {
        Error::new(
            ErrorKind::Schema,
            "the change does not conform to the CIB's schema",
        )
    };
    match refused.map(|cib| validate_here(here, cib)) {
        Some(Err(e)) if e.kind() == ErrorKind::Schema => e,
        // The daemon may have another version of the schema than this machine's files.
        Some(Err(e)) => plain().with_source(e),
        Some(Ok(())) | None => plain(),
    }
}
