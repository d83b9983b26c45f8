//! `synchro-nodes`: copies from the active node to the passive one what it needs to take over.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ha_core::language::Language;
use ha_core::{Error, Result};
use sphynx::program::English;
use sphynx::settings::Settings;
use sphynx::synchro::{self, Options, Outcome};
use sphynx::{eole, interrupt, program, say};

/// Copie du nœud actif vers l'autre ce qu'il faut pour prendre le relais : strongSwan et ses secrets, base ARV,
/// configuration de corosync, paramétrage.
///
/// Ce qui diffère est listé et comparé par sommes de contrôle, envoyé par rsync sur SSH, puis mis en place d'un coup :
/// tout, ou rien. Une copie coupée reprend où elle en était.
#[derive(Debug, Parser)]
#[command(name = "synchro-nodes", version)]
struct Arguments {
    /// Fichier de paramétrage
    #[arg(long, value_name = "FICHIER", default_value = eole::SETTINGS)]
    config: PathBuf,
    /// Ne rien changer : dire ce qui le serait
    #[arg(long, visible_alias = "simuler", short = 'n')]
    dry_run: bool,
    /// Écraser ce qui est plus récent sur l'autre nœud ; copier même si aucun nœud n'est actif
    #[arg(long, visible_alias = "force")]
    forcer: bool,
    /// Ne rien faire, sans erreur, si ce nœud n'est pas le nœud actif
    #[arg(long, visible_alias = "if-active")]
    si_actif: bool,
    /// Débit à ne pas dépasser, en Kio par seconde
    #[arg(long, visible_alias = "rate", value_name = "KIO")]
    debit: Option<u32>,
    /// Ne dire que les erreurs
    #[arg(long, short = 'q', visible_alias = "quiet")]
    silencieux: bool,
    /// Langue : fr ou en
    #[arg(long, value_name = "LANGUE")]
    lang: Option<Language>,
    /// L'autre bout, lancé par SSH
    #[arg(long, hide = true, conflicts_with_all = ["dry_run", "forcer", "si_actif"])]
    pair: bool,
}

const ENGLISH: English<'_> = English {
    about: "Copies from the active node to the other what it needs to take over: strongSwan and its secrets, the data base \
            of ARV, corosync's configuration, the settings",
    options: &[
        ("config", "The settings"),
        ("dry_run", "Change nothing: tell what would be changed"),
        (
            "forcer",
            "Overwrite what is newer on the other node; copy even if no node is active",
        ),
        (
            "si_actif",
            "Do nothing, without an error, where this node is not the active one",
        ),
        ("debit", "At most so many KiB a second"),
        ("silencieux", "Tell errors only"),
        ("lang", "Language: fr or en"),
    ],
};

fn main() -> ExitCode {
    program::main(ENGLISH, run)
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    program::require_root()?;
    if arguments.pair {
        return synchro::serve().map(|()| ExitCode::SUCCESS);
    }
    let settings = Settings::open(&arguments.config)?;
    if !settings.active {
        let off = say!(
            "the high availability is switched off (actif = false): nothing to synchronise",
            "la haute disponibilité est désactivée (actif = false) : rien à synchroniser"
        );
        if arguments.si_actif {
            return Ok(ExitCode::SUCCESS);
        }
        return Err(Error::invalid(off));
    }
    let options = Options {
        dry_run: arguments.dry_run,
        force: arguments.forcer,
        joining: false,
        may_ask: sphynx::dialogue::has_terminal(),
        bar: !arguments.silencieux,
        rate: arguments.debit,
    };
    let config = std::path::absolute(&arguments.config)?;
    let done = synchro::run(
        &settings,
        &config.to_string_lossy(),
        &options,
        &mut |line| {
            if !arguments.silencieux {
                program::line(line);
            }
        },
    );
    match done {
        Ok(Outcome::Done(_) | Outcome::DryRun) => Ok(ExitCode::SUCCESS),
        Ok(Outcome::Passive(why)) => {
            if !arguments.silencieux {
                program::line(&why);
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(e)
            if arguments.si_actif && synchro::is_passive(&e) && !interrupt::is_interruption(&e) =>
        {
            Ok(ExitCode::SUCCESS)
        }
        Err(e) => Err(e),
    }
}
