//! The part of EOLE's `instance` that joins the two machines of a Sphynx: its questions, in its order.

mod wait;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ha_core::{Error, ErrorKind, Result};

use crate::dialogue::{Dialogue, Question};
use crate::eole::questions;
use crate::settings::{Role, Settings};
use crate::ssh::{self, Joined, OwnKey, Peer, Trust};
use crate::synchro::{self, Outcome, Record};
use crate::{apply, interrupt, process, program, say};

/// Where systemd runs, and nowhere else.
const SYSTEMD: &str = "/run/systemd/system";

/// How to go through the dialogue.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// By what the other machine's SSH key is taken for the right one.
    pub trust: Trust,
    /// How long the other machine's synchronisation is waited for at most.
    pub patience: Option<Duration>,
}

/// Returns the question whether to configure.
#[must_use]
pub fn configure(configured: bool) -> Question {
    question(
        questions::CONFIGURE,
        "Do you want to (re)configure the high availability?",
        !configured,
    )
}

/// Returns all the questions, for who gives answers beforehand.
#[must_use]
pub fn all_questions() -> [Question; 5] {
    [
        configure(false),
        question(
            questions::SYNCHRONISE,
            "Do you want to synchronise the nodes?",
            false,
        ),
        question(
            questions::WAIT,
            "Do you want to wait until the script synchro-nodes.sh has run on the master node?",
            false,
        ),
        question(
            questions::PERIODIC,
            "Do you want to switch the periodic synchronisation of the nodes on?",
            true,
        ),
        question(
            questions::DIAGNOSE,
            "Do you want to check the high availability now?",
            false,
        ),
    ]
}

fn question(french: &str, english: &str, default: bool) -> Question {
    Question {
        text: say!("{english}", "{french}"),
        french: french.to_owned(),
        default: Some(default),
        by_hand: None,
    }
}

/// Goes through the dialogue of this machine. `path` is where the settings were read.
///
/// # Errors
/// What a step fails with; the next run begins anew and finds done what was done.
pub fn run(
    settings: &Settings,
    path: &Path,
    options: &Options,
    dialogue: &mut Dialogue,
) -> Result<()> {
    // What counts is a synchronisation that ends after this.
    let before = Record::open()?;
    let [_, synchronise, wait, periodic, diagnose] = all_questions();
    let role = settings.role()?;
    let there = settings.peer()?;
    let peer = Peer::new(&there.name, &there.ssh());

    let configured = dialogue.ask(&configure(is_configured(settings)))?;
    if configured {
        apply(path)?;
    }
    if !settings.active {
        program::line(&say!(
            "The high availability is switched off (actif = false).",
            "La haute disponibilité est désactivée (actif = false)."
        ));
        return Ok(());
    }
    if !dialogue.ask(&synchronise)? {
        return Ok(());
    }
    join(settings, &peer, options, dialogue)?;
    if role == Role::Esclave {
        if dialogue.ask(&wait)? {
            wait::for_synchronisation(&peer, before.as_ref(), options.patience)?;
            if configured {
                // What had to wait for the maître's files, such as the key of an encrypted dialogue.
                apply(path)?;
            }
        }
        return Ok(());
    }
    program::line("synchro-nodes");
    let how = synchro::Options {
        joining: true,
        may_ask: dialogue.has_terminal(),
        bar: true,
        ..synchro::Options::default()
    };
    let done = synchro::run(settings, &path.to_string_lossy(), &how, &mut program::line)?;
    if let Outcome::Passive(why) = done {
        program::line(&why);
    }
    if dialogue.ask(&periodic)? {
        switch_timer_on(&peer)?;
    }
    if dialogue.ask(&diagnose)? {
        check()?;
    }
    Ok(())
}

/// Tells whether `appliquer_hautedispo` has been here.
fn is_configured(settings: &Settings) -> bool {
    let list = std::fs::read_to_string(crate::eole::RSC_LIST).unwrap_or_default();
    let corosync = std::fs::read_to_string("/etc/corosync/corosync.conf").unwrap_or_default();
    let addresses = settings
        .machines()
        .map(|machine| machine.dialogue.to_string());
    settings.active
        && !list.is_empty()
        && addresses.iter().all(|address| corosync.contains(address))
}

/// Writes the configuration, and starts the cluster where the system has something that does it.
fn apply(path: &Path) -> Result<()> {
    apply::run(&apply::Request {
        config: path.to_owned(),
        check: false,
        dry_run: false,
        start: apply::can_start(),
        wait: false,
        timeout: Duration::from_secs(120),
    })
}

fn check() -> Result<()> {
    match run_program("diagnose", &[]) {
        // It has said what is wrong.
        Err(e) if e.kind() == ErrorKind::Daemon => Ok(()),
        done => done,
    }
}

/// Runs another program of this package on the terminal.
fn run_program(name: &str, words: &[&str]) -> Result<()> {
    let mut command = Command::new(program::sibling(name));
    let mut child = process::spawn(command.args(words))?;
    let status = process::wait(&mut child)?;
    if status.success() {
        return Ok(());
    }
    let code = status.code().unwrap_or(-1);
    Err(Error::new(
        ErrorKind::Daemon,
        say!(
            "{name} failed (status {code})",
            "{name} a échoué (code {code})"
        ),
    )
    .with_hint(say!(
        "mend what it says above, and run `instance` again",
        "corriger ce qu'il dit ci-dessus, puis relancer `instance`"
    )))
}

/// Lets this machine get into the other one.
fn join(
    settings: &Settings,
    peer: &Peer,
    options: &Options,
    dialogue: &mut Dialogue,
) -> Result<()> {
    let me = &settings.here()?.name;
    let (name, host) = (peer.name(), peer.host());
    let key = match OwnKey::find() {
        Some(key) => key,
        None => {
            program::line(&say!(
                "No SSH key on this machine: making one (RSA, 4096 bits).",
                "Pas de clé SSH sur cette machine : création (RSA, 4096 bits)."
            ));
            OwnKey::make(me)?
        }
    };
    ssh::meet(peer, &options.trust, dialogue)?;
    let may_ask = dialogue.has_terminal();
    let joined = ssh::join(peer, &key, may_ask, &mut program::line)?;
    let path = key.public_path();
    let path = path.display();
    program::line(&match joined {
        Joined::Before => say!(
            "{me} gets into {name} ({host}) with its key already.",
            "{me} entre déjà sur {name} ({host}) avec sa clé."
        ),
        Joined::ByAgent => say!(
            "The key {path} was sent to {name} ({host}); the agent's key let us in.",
            "La clé {path} a été envoyée à {name} ({host}) ; la clé de l'agent a suffi pour entrer."
        ),
        Joined::ByPassword => say!(
            "The key {path} was sent to {name} ({host}).",
            "La clé {path} a été envoyée à {name} ({host})."
        ),
    });
    Ok(())
}

/// Has systemd synchronise from time to time, on both machines: whichever is active then does it.
fn switch_timer_on(peer: &Peer) -> Result<()> {
    let enable = format!("systemctl enable --now {}", crate::eole::TIMER);
    if !Path::new(SYSTEMD).exists() {
        program::line(&say!(
            "No systemd runs here: nothing is switched on; call `synchro-nodes --si-actif` from time to time.",
            "systemd ne tourne pas ici : rien n'est activé ; lancer `synchro-nodes --si-actif` régulièrement."
        ));
        return Ok(());
    }
    let mut command = Command::new("systemctl");
    command.args(enable.split(' ').skip(1));
    let here = process::run(command, b"", process::Errors::Kept)?;
    let there = peer.run(ssh::By::AnyKey, &enable, b"")?;
    for (where_, done) in [(say!("here", "ici"), here), (peer.name().to_owned(), there)] {
        if !done.status.success() {
            let said = done.stderr.trim();
            return Err(Error::new(
                ErrorKind::Daemon,
                say!(
                    "the timer was not switched on ({where_}): {said}",
                    "la minuterie n'a pas été activée ({where_}) : {said}"
                ),
            )
            .with_hint(say!(
                "on that machine: {enable}",
                "sur cette machine : {enable}"
            )));
        }
    }
    program::line(&say!(
        "The nodes are synchronised every 15 minutes (synchro-nodes.timer).",
        "Les noeuds seront synchronisés toutes les 15 minutes (synchro-nodes.timer)."
    ));
    interrupt::check()
}
