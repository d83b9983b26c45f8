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

/// A program's command line in English: what it is for, and each option by its name in the program. Its own texts are
/// French.
#[derive(Debug, Clone, Copy)]
pub struct English<'t> {
    /// What the program is for.
    pub about: &'t str,
    /// What each option is for.
    pub options: &'t [(&'t str, &'t str)],
}

/// Reads the command line, runs the program, and says what failed with the next step.
pub fn main<A: Parser>(english: English<'_>, run: impl Fn(&A) -> Result<ExitCode>) -> ExitCode {
    language::choose(language_option(std::env::args()));
    let parsed = command::<A>(english)
        .try_get_matches()
        .and_then(|matches| A::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(e) => {
            // Nowhere to say that it cannot be said.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { USAGE } else { 0 });
        }
    };
    let done = interrupt::watch().and_then(|()| run(&arguments));
    done.unwrap_or_else(|e| {
        failure(A::command().get_name(), &e);
        ExitCode::from(interrupt::exit_code(&e))
    })
}

/// The command with its help in the user's language.
fn command<A: Parser>(english: English<'_>) -> clap::Command {
    let command = A::command();
    if language::current() != Language::English {
        return command;
    }
    let command = command.about(english.about.to_owned()).long_about(None);
    let options = english.options.iter();
    options.fold(command, |command, &(id, help)| {
        command.mut_arg(id, |arg| arg.help(help.to_owned()))
    })
}

/// Finds `--lang` wherever it stands: help and mistakes of the command line have that language too.
fn language_option(words: impl Iterator<Item = String>) -> Option<Language> {
    let words: Vec<String> = words.collect();
    let after = words.iter().position(|word| word == "--lang");
    let after = after.and_then(|at| words.get(at + 1)).map(String::as_str);
    let joined = words.iter().find_map(|word| word.strip_prefix("--lang="));
    joined.or(after)?.parse().ok()
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
