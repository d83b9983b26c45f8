//! What the programs of this package have in common: options, languages, how they end.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use ha_core::language::Language;
use ha_core::{Error, ErrorKind, Result};

use crate::apply::report;
use crate::{interrupt, language, say};

/// The exit status that Pacemaker's tools have for a command line that makes no sense.
const USAGE: u8 = 64;

/// Reads the command line, runs the program, and says what failed with the next step.
pub fn main<A: Parser>(
    lang: impl Fn(&A) -> Option<Language>,
    run: impl Fn(&A) -> Result<ExitCode>,
) -> ExitCode {
    let arguments = match A::try_parse() {
        Ok(arguments) => arguments,
        Err(e) => {
            // Nowhere to say that it cannot be said.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { USAGE } else { 0 });
        }
    };
    language::choose(lang(&arguments));
    let done = interrupt::watch().and_then(|()| run(&arguments));
    done.unwrap_or_else(|e| {
        failure(A::command().get_name(), &e);
        ExitCode::from(interrupt::exit_code(&e))
    })
}

/// Writes a line on standard output; that nobody reads any more ends the program.
pub fn line(text: &str) {
    let written = writeln!(std::io::stdout().lock(), "{text}");
    if written.is_err_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
        std::process::exit(0);
    }
}

/// Says what failed and what to do next, on standard error.
pub fn failure(program: &str, error: &Error) {
    if interrupt::is_interruption(error) {
        eprintln!("{}", say!("Interrupted.", "Interrompu."));
    } else {
        report::failure(program, error);
    }
}

/// Refuses to go on without root.
///
/// # Errors
/// [`ErrorKind::PermissionDenied`].
pub fn require_root() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::PermissionDenied,
        say!(
            "only root can do this; nothing was changed",
            "réservé à root ; rien n'a été changé"
        ),
    )
    .with_hint(say!(
        "run it as root (sudo)",
        "lancer en tant que root (sudo)"
    )))
}

/// Finds another program of this package: beside this one, else by `PATH`.
#[must_use]
pub fn sibling(name: &str) -> PathBuf {
    let here = std::env::current_exe().ok();
    let beside = here
        .as_deref()
        .and_then(Path::parent)
        .map(|folder| folder.join(name));
    beside
        .filter(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(OsStr::new(name)))
}
