//! `diagnose`: whether the high availability of this Sphynx is well; in EOLE's manner, for people and for programs.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ha_core::language::Language;
use ha_core::{Error, Result};
use sphynx::diagnose::{self, Options};
use sphynx::{eole, language, program};

/// Contrôle la haute disponibilité de ce Sphynx : les deux machines, leur dialogue, leurs fichiers, leurs ressources.
///
/// Chaque Erreur est suivie de sa cause et de ce qui la répare. Rien n'est changé.
/// Code de retour : 0 tout est Ok ; 1 une Erreur au moins ; 2 pas d'erreur vue, mais tout n'a pu être contrôlé.
#[derive(Debug, Parser)]
#[command(name = "diagnose", version)]
struct Arguments {
    /// Fichier de paramétrage
    #[arg(long, value_name = "FICHIER", default_value = eole::SETTINGS)]
    config: PathBuf,
    /// Écrire en JSON, pour les programmes
    #[arg(long)]
    json: bool,
    /// Ne pas interroger l'autre machine
    #[arg(long, visible_alias = "no-peer")]
    sans_pair: bool,
    /// Durée permise à chaque contrôle
    #[arg(long, value_name = "DUREE", default_value = "5s", value_parser = duration)]
    timeout: Duration,
    /// Langue : fr ou en
    #[arg(long, value_name = "LANGUE")]
    lang: Option<Language>,
    /// En français
    #[arg(long, conflicts_with_all = ["en", "lang"])]
    fr: bool,
    /// En anglais
    #[arg(long, conflicts_with = "lang")]
    en: bool,
    /// Les faits de cette machine, pour le diagnose de l'autre
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
            program::failure("diagnose", &e);
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
        program::line(&diagnose::facts(&options)?);
        return Ok(0);
    }
    let found = diagnose::run(&options);
    if arguments.json {
        let text = serde_json::to_string_pretty(&found).map_err(std::io::Error::from)?;
        program::line(&text);
    } else {
        program::line(found.text(std::io::stdout().is_terminal()).trim_end());
    }
    Ok(found.exit_code())
}

fn duration(text: &str) -> Result<Duration> {
    let number = text.strip_suffix('s').unwrap_or(text);
    let seconds = number
        .parse::<f64>()
        .ok()
        .filter(|it| (0.1..=600.0).contains(it));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| Error::invalid("une durée de 0.1s à 600s / a duration from 0.1s to 600s"))
}
