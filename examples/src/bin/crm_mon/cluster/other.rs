//! The running cluster: one look at it, or else in the hands of the program that has the C libraries.

use std::convert::Infallible;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use ha_core::finding::Finding;
use ha_core::language::Language;
use ha_core::live::pacemaker::glance;
use ha_core::view::FencingHistory;
use ha_core::xml::Document;
use ha_core::{Error, Result};

use crate::arguments::{Follow, Request};
use crate::ask::Asked;
use crate::failure::Failure;
use crate::source::{self, Source};
use crate::{program, words};

/// The name of that program, in the folder of this one.
const OTHER: &str = "crm_mon-live";

/// How long the daemons may take to answer here. The other program has more patience.
const PATIENCE: Duration = Duration::from_secs(2);

/// Becomes that program; returns only when this fails.
fn hand_over() -> Result<Infallible> {
    let mut words = std::env::args_os();
    let own = std::env::current_exe().map_err(|e| {
        words::during(
            e,
            "find the folder of this program",
            "trouver le dossier de ce programme",
        )
    })?;
    let other = own.with_file_name(OTHER);
    let mut command = Command::new(&other);
    if let Some(name) = words.next() {
        command.arg0(name);
    }
    let error = Error::from(command.args(words).exec());
    let (other, said) = (other.display(), error.text(Language::French));
    Err(error
        .with_hint("both programs belong in one folder; `cargo build --bins` builds both")
        .context(format!("the running cluster needs {other}"))
        .in_french(
            format!("la grappe en marche demande {other} : {said}"),
            Some("les deux programmes vont dans un même dossier ; `cargo build --bins` fait les deux".to_owned()),
        ))
}

/// Shows the cluster on the terminal.
pub(crate) fn show(_: &Request) -> Result<()> {
    match hand_over()? {}
}

/// Follows the cluster without a terminal.
pub(crate) fn follow(request: &Request, _: &Follow) -> Result<u8, Failure> {
    match hand_over().map_err(|e| Failure::of(&e, request.language()))? {}
}

/// Looks at the running cluster. When one look does not do, as when a daemon is not there or does not
/// answer, the other program finds out why and says so.
pub(crate) fn read(request: &Request) -> Result<Source, Failure> {
    let mut options = glance::Options::default();
    options.timeout = PATIENCE;
    options.fencing = program::wants_fencing(request);
    let seen = match request.asked {
        // Those are about the network too.
        Some(Asked::Findings) => None,
        _ => glance::take(&options).ok(),
    };
    match seen {
        Some(seen) => Ok(Source {
            document: seen.cib,
            daemon: Some(source::daemon_state(&seen.daemon)),
            fencing: seen.fencing.map(FencingHistory::Events),
        }),
        None => match hand_over().map_err(|e| Failure::of(&e, request.language()))? {},
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
