//! `appliquer_hautedispo`: makes the configuration of a Sphynx pair what its settings say.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use ha_core::language::Language;
use sphynx::apply::{self, Request, report};
use sphynx::settings::Length;
use sphynx::{eole, language, say};

/// The exit status that Pacemaker's tools have for a command line that makes no sense.
const USAGE: u8 = 64;

#[derive(Debug, Parser)]
#[command(name = "appliquer_hautedispo", version)]
struct Arguments {
    #[arg(long, value_name = "FILE", default_value = eole::SETTINGS)]
    config: PathBuf,
    #[arg(long, conflicts_with_all = ["dry_run", "start", "wait"])]
    check: bool,
    #[arg(long, short = 'n')]
    dry_run: bool,
    #[arg(long)]
    start: bool,
    #[arg(long)]
    wait: bool,
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = str::parse::<Length>)]
    timeout: Length,
    #[arg(long, value_name = "fr|en")]
    lang: Option<Language>,
}

/// The command with its help in the user's language.
fn command() -> clap::Command {
    let helps = [
        (
            "config",
            say!(
                "the settings: TOML, or EOLE's config.eol",
                "le paramétrage : TOML, ou le config.eol d'EOLE"
            ),
        ),
        (
            "check",
            say!(
                "only tell what is wrong with the settings, in themselves and on this machine",
                "dire seulement ce qui ne va pas dans le paramétrage, en lui-même et sur cette machine"
            ),
        ),
        (
            "dry_run",
            say!(
                "change nothing: show the differences of files, the change of the CIB and what Pacemaker would do",
                "ne rien changer : montrer les différences des fichiers, la modification du CIB et ce que ferait Pacemaker"
            ),
        ),
        (
            "start",
            say!(
                "start corosync and Pacemaker, now and at each boot",
                "lancer corosync et Pacemaker, maintenant et à chaque démarrage"
            ),
        ),
        (
            "wait",
            say!(
                "wait until the cluster has done it",
                "attendre que la grappe l'ait fait"
            ),
        ),
        (
            "timeout",
            say!(
                "how long that may take",
                "combien de temps cela peut prendre"
            ),
        ),
        (
            "lang",
            say!(
                "the language, instead of that of LANG",
                "la langue, au lieu de celle de LANG"
            ),
        ),
    ];
    let about = say!(
        "Makes the configuration of a Sphynx pair what its settings say",
        "Rend la configuration d'une paire Sphynx conforme à son paramétrage"
    );
    let command = Arguments::command().about(about);
    helps.into_iter().fold(command, |command, (id, help)| {
        command.mut_arg(id, |arg| arg.help(help))
    })
}

/// The language is that of the option wherever it stands: help and mistakes of the command line have it too.
fn choose_language() {
    let words: Vec<String> = std::env::args().collect();
    let after = words
        .iter()
        .position(|word| word == "--lang")
        .and_then(|at| words.get(at + 1));
    let joined = words.iter().find_map(|word| word.strip_prefix("--lang="));
    let chosen = joined
        .or(after.map(String::as_str))
        .and_then(|word| word.parse().ok());
    language::choose(chosen);
}

fn main() -> ExitCode {
    choose_language();
    let parsed = command()
        .try_get_matches()
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(e) => {
            // Nowhere to say that it cannot be said.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { USAGE } else { 0 });
        }
    };
    match apply::run(&request(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => ExitCode::from(report::failure("appliquer_hautedispo", &e)),
    }
}

fn request(arguments: &Arguments) -> Request {
    Request {
        config: arguments.config.clone(),
        check: arguments.check,
        dry_run: arguments.dry_run,
        start: arguments.start,
        wait: arguments.wait,
        timeout: Duration::max(arguments.timeout.duration(), Duration::from_secs(1)),
    }
}
