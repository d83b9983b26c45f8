//! Explaining why a CIB does not conform to its schema.

use std::ffi::CString;
use std::time::Duration;

use crate::live::ffi::pacemaker::{Here, schema};
use crate::live::pacemaker::{exchange, runtime};
use crate::xml::Document;
use crate::{Error, ErrorKind, Result};

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
fn file_of(name: &str) -> Result<CString> {
    let path = crate::schema::installed(name)?;
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
