//! The running cluster, in the hands of the program that has the C libraries.

use std::convert::Infallible;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use ha_core::finding::Finding;
use ha_core::view::{self, FencingHistory};
use ha_core::xml::Document;
use ha_core::{Error, ErrorExt as _, Result};
use jiff::tz::TimeZone;

use crate::arguments::{Follow, Request};
use crate::failure::Failure;
use crate::source::Source;

/// The name of that program, in the folder of this one.
const OTHER: &str = "crm_mon-live";

/// Becomes that program; returns only when this fails.
fn hand_over() -> Result<Infallible> {
    let mut words = std::env::args_os();
    let own = std::env::current_exe().context("find the folder of this program")?;
    let other = own.with_file_name(OTHER);
    let mut command = Command::new(&other);
    if let Some(name) = words.next() {
        command.arg0(name);
    }
    let error = Error::from(command.args(words).exec());
    Err(error
        .with_hint("both programs belong in one folder; `cargo build --bins` builds both")
        .context(format!("the running cluster needs {}", other.display())))
}

/// Shows the cluster on the terminal.
pub(crate) fn show(_: view::Options, _: TimeZone) -> Result<()> {
    match hand_over()? {}
}

/// Follows the cluster without a terminal.
pub(crate) fn follow(_: &Request, _: &Follow) -> Result<ExitCode, Failure> {
    match hand_over().map_err(|e| Failure::of(&e))? {}
}

/// Reads the CIB of the running cluster.
pub(crate) fn read(_: &Request) -> Result<Source, Failure> {
    match hand_over().map_err(|e| Failure::of(&e))? {}
}

/// Asks the fencer of the running cluster: who asks has read that cluster, in the other program.
pub(crate) fn fencing() -> FencingHistory {
    FencingHistory::Unavailable {
        code: ha_core::ErrorKind::Disconnected.exit_code(),
        meaning: "Not connected".to_owned(),
    }
}

/// Checks a CIB with Pacemaker's own library: the other program starts again from its file.
pub(crate) fn validate(_: &Document) -> Result<()> {
    match hand_over()? {}
}

/// Looks at the links of the running cluster. Who asks has read that cluster, in the other program.
pub(crate) fn links(_: &Document) -> Result<Vec<Finding>> {
    match hand_over()? {}
}
