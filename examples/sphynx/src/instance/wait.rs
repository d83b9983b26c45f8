//! Waiting for the other machine's synchronisation.

use std::time::{Duration, Instant};

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use indicatif::ProgressBar;
use rustix::fs::inotify;

use crate::ssh::Peer;
use crate::synchro::{Progress, Record, STATE};
use crate::{interrupt, program, say};

/// Says how far it is: a line that moves on a terminal, else a line for each change.
struct Shown {
    spinner: Option<ProgressBar>,
    last: String,
}

impl Shown {
    fn new() -> Self {
        // Hidden where there is no terminal, or one that cannot draw: there, lines are written.
        let spinner = Some(ProgressBar::new_spinner()).filter(|spinner| !spinner.is_hidden());
        if let Some(spinner) = &spinner {
            spinner.enable_steady_tick(Duration::from_millis(150));
        }
        Self {
            spinner,
            last: String::new(),
        }
    }

    fn say(&mut self, text: String) {
        if text == self.last {
            return;
        }
        match &self.spinner {
            Some(spinner) => spinner.set_message(text.clone()),
            None => program::line(&text),
        }
        self.last = text;
    }

    /// Says what stays on the screen.
    fn line(&self, text: &str) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| program::line(text)),
            None => program::line(text),
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}

/// Waits until a synchronisation has succeeded here that is not the one that was there before.
///
/// # Errors
/// [`ErrorKind::Timeout`] after `limit`; that of [`interrupt`] after Ctrl-C.
pub(super) fn for_synchronisation(
    peer: &Peer,
    before: Option<&Record>,
    limit: Option<Duration>,
) -> Result<()> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let name = peer.name();
    std::fs::create_dir_all(STATE).context(STATE)?;
    let events = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK);
    let events = events
        .map_err(std::io::Error::from)
        .context("watch a folder")?;
    inotify::add_watch(&events, STATE, inotify::WatchFlags::MOVED_TO)
        .map_err(std::io::Error::from)
        .context(STATE)?;
    let mut shown = Shown::new();
    let failed_before = Progress::open()?;
    if let Some(before) = before {
        let when = before.when();
        shown.line(&say!(
            "The last synchronisation was on {when}; a new one is waited for.",
            "La dernière synchronisation date du {when} ; une nouvelle est attendue."
        ));
    }
    let mut told = None;
    loop {
        // After the watch has begun: nothing is missed between the two.
        let record = Record::open()?;
        if let Some(record) = record.filter(|record| Some(record) != before) {
            let (from, count) = (&record.from, record.changes);
            shown.line(&say!(
                "synchro-nodes.sh has run on {from} ({count} changed).",
                "synchro-nodes.sh a été exécuté sur {from} ({count} changement(s))."
            ));
            return Ok(());
        }
        let progress = Progress::open()?;
        match &progress {
            Some(Progress::Running { de }) => shown.say(say!(
                "{de} is synchronising...",
                "Synchronisation en cours depuis {de}..."
            )),
            Some(Progress::Failed { de, raison }) if progress != failed_before => {
                if told != progress {
                    shown.line(&say!(
                        "The synchronisation from {de} failed: {raison}",
                        "La synchronisation depuis {de} a échoué : {raison}"
                    ));
                }
                shown.say(waiting(name));
            }
            _ => shown.say(waiting(name)),
        }
        told = progress;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            let seconds = limit.unwrap_or_default().as_secs();
            return Err(Error::new(
                ErrorKind::Timeout,
                say!(
                    "{name} has not run synchro-nodes.sh within {seconds} s",
                    "{name} n'a pas exécuté synchro-nodes.sh en {seconds} s"
                ),
            )
            .with_hint(say!(
                "on {name}: answer yes to the question of `instance`, or run synchro-nodes.sh",
                "sur {name} : répondre oui à la question d'`instance`, ou lancer synchro-nodes.sh"
            )));
        }
        if interrupt::wait_readable(&events, left)? {
            // Which file it was does not matter: both are read again.
            let mut bytes = [0; 4096];
            while matches!(rustix::io::read(&events, &mut bytes), Ok(read) if read > 0) {}
        }
    }
}

fn waiting(name: &str) -> String {
    say!(
        "Waiting until synchro-nodes.sh has run on {name} (Ctrl-C to leave)...",
        "En attente de l'exécution de synchro-nodes.sh sur {name} (Ctrl-C pour quitter)..."
    )
}
