//! `diagnose`: whether the high availability of this Sphynx is well; in EOLE's manner, for people and for programs.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ha_core::language::Language;
use ha_core::{Error, ErrorExt as _, Result};
use sphynx::diagnose::{self, Options};
use sphynx::{eole, language};

/// Contrôle la haute disponibilité de ce Sphynx / Checks the high availability of this Sphynx.
///
/// Code de retour / exit status: 0 tout est Ok / all is Ok; 1 une erreur / an error; 2 tout n'a pu être contrôlé / not
/// everything could be looked at; 64 mauvais arguments / wrong arguments.
#[derive(Debug, Parser)]
#[command(name = "diagnose", version)]
struct Arguments {
    /// Le paramétrage / the settings.
    #[arg(long, value_name = "FICHIER", default_value = eole::SETTINGS)]
    config: PathBuf,
    /// Pour les programmes : JSON / for programs: JSON.
    #[arg(long)]
    json: bool,
    /// Ne pas interroger l'autre machine / do not ask the other machine.
    #[arg(long, visible_alias = "no-peer")]
    sans_pair: bool,
    /// La durée permise à chaque contrôle / how long each look may take.
    #[arg(long, value_name = "DUREE", default_value = "5s", value_parser = duration)]
    timeout: Duration,
    /// La langue / the language: fr, en.
    #[arg(long, value_name = "LANGUE", value_parser = str::parse::<Language>)]
    lang: Option<Language>,
    /// En français / in French.
    #[arg(long, conflicts_with_all = ["en", "lang"])]
    fr: bool,
    /// En anglais / in English.
    #[arg(long, conflicts_with = "lang")]
    en: bool,
    /// Les faits de cette machine, pour le diagnose de l'autre / the facts of this machine, for the other's.
    #[arg(long, hide = true)]
    facts: bool,
}

/// The exit status for a command line that makes no sense, as Pacemaker's tools have it.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(e) => {
            // Nowhere to say that it cannot be said.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { USAGE } else { 0 });
        }
    };
    language::choose(match arguments {
        Arguments { fr: true, .. } => Some(Language::French),
        Arguments { en: true, .. } => Some(Language::English),
        _ => arguments.lang,
    });
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            eprintln!("diagnose: {e:#}");
            ExitCode::from(e.exit_code())
        }
    }
}

fn run(arguments: &Arguments) -> Result<u8> {
    let options = Options {
        config: &arguments.config,
        limit: arguments.timeout,
        peer: !arguments.sans_pair,
    };
    if arguments.facts {
        print(&diagnose::facts(&options)?)?;
        return Ok(0);
    }
    let found = diagnose::run(&options);
    if arguments.json {
        let text = serde_json::to_string_pretty(&found).map_err(std::io::Error::from)?;
        print(&format!("{text}\n"))?;
    } else {
        print(&found.text(std::io::stdout().is_terminal()))?;
    }
    Ok(found.exit_code())
}

fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("write the output")
}

fn duration(text: &str) -> Result<Duration> {
    let number = text.strip_suffix('s').unwrap_or(text);
    let seconds = number.parse::<f64>().ok().filter(|it| (0.1..=600.0).contains(it));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| {
        Error::invalid("une durée de 0.1s à 600s / a duration from 0.1s to 600s")
    })
}
