//! `instance`: the dialogue that joins the two machines of a Sphynx.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ha_core::Result;
use ha_core::language::Language;
use sphynx::dialogue::{Answers, Dialogue};
use sphynx::instance::{self, Options};
use sphynx::program::English;
use sphynx::settings::Settings;
use sphynx::ssh::Trust;
use sphynx::{eole, program};

/// Pose les questions de la haute disponibilité et joint les deux machines d'un Sphynx, comme l'`instance` d'EOLE.
///
/// À lancer sur le maître, puis sur l'esclave. Sans terminal, les réponses données d'avance, sinon les réponses par
/// défaut, sont prises.
#[derive(Debug, Parser)]
#[command(name = "instance", version)]
struct Arguments {
    /// Fichier de paramétrage
    #[arg(long, value_name = "FICHIER", default_value = eole::SETTINGS)]
    config: PathBuf,
    /// Répondre oui à toutes les questions
    #[arg(long, visible_alias = "yes", conflicts_with = "non")]
    oui: bool,
    /// Répondre non à toutes les questions
    #[arg(long, visible_alias = "no")]
    non: bool,
    /// Réponses dans un fichier, une par ligne : partie de la question = oui
    #[arg(long, visible_alias = "answers", value_name = "FICHIER")]
    reponses: Vec<PathBuf>,
    /// Une réponse : "partie de la question = oui"
    #[arg(long, visible_alias = "answer", value_name = "REPONSE")]
    reponse: Vec<String>,
    /// Empreinte de la clé SSH de l'autre machine : SHA256:...
    #[arg(long, visible_alias = "fingerprint", value_name = "EMPREINTE")]
    empreinte: Option<String>,
    /// N'attendre l'autre machine que tant de secondes
    #[arg(long, visible_alias = "wait", value_name = "SECONDES")]
    attente: Option<u64>,
    /// Langue : fr ou en
    #[arg(long, value_name = "LANGUE")]
    lang: Option<Language>,
}

const ENGLISH: English<'_> = English {
    about: "Asks the questions of the high availability and joins the two machines of a Sphynx, as EOLE's `instance` does",
    options: &[
        ("config", "The settings"),
        ("oui", "Answer yes to all questions"),
        ("non", "Answer no to all questions"),
        (
            "reponses",
            "Answers in a file, one a line: part of the question = yes",
        ),
        ("reponse", "An answer: \"part of the question = yes\""),
        (
            "empreinte",
            "The fingerprint of the other machine's SSH key: SHA256:...",
        ),
        (
            "attente",
            "Wait for the other machine so many seconds at most",
        ),
        ("lang", "Language: fr or en"),
    ],
};

fn main() -> ExitCode {
    program::main(ENGLISH, run)
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    program::require_root()?;
    let mut answers = Answers::default();
    answers.all = match (arguments.oui, arguments.non) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    for file in arguments.reponses.iter().rev() {
        answers.extend(Answers::open(file)?);
    }
    for answer in arguments.reponse.iter().rev() {
        answers.extend(Answers::parse(answer)?);
    }
    answers.check(&instance::all_questions())?;
    let settings = Settings::open(&arguments.config)?;
    let options = Options {
        trust: Trust {
            fingerprint: arguments.empreinte.clone(),
        },
        patience: arguments.attente.map(Duration::from_secs),
    };
    let config = std::path::absolute(&arguments.config)?;
    let mut dialogue = Dialogue::new(answers)?;
    instance::run(&settings, &config, &options, &mut dialogue)?;
    Ok(ExitCode::SUCCESS)
}
