//! What is said, and how: words of a language, colours on a terminal, JSON.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use ha_core::change::{Action, Plan};
use ha_core::language::Language;
use ha_core::live::cluster::{Cluster, Unfinished};
use ha_core::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::arguments::Arguments;

/// Whether a line of progress is on the terminal, to be wiped before anything else is said.
static PROGRESS: AtomicBool = AtomicBool::new(false);

/// How to speak to the user.
#[derive(Debug)]
pub(crate) struct Screen {
    pub(crate) language: Language,
    pub(crate) json: bool,
    colour: bool,
}

/// What a piece of text means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sense {
    Good,
    Bad,
    Doubtful,
    Plain,
}

impl Screen {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = of("LC_ALL")
            .or_else(|| of("LC_MESSAGES"))
            .or_else(|| of("LANG"))
            .unwrap_or_default();
        Self {
            language: arguments
                .lang
                .unwrap_or_else(|| Language::of_locale(&locale)),
            json: arguments.json,
            colour: std::io::stdout().is_terminal() && of("NO_COLOR").is_none(),
        }
    }

    /// Has a cluster tell, while something is waited for, what is not finished: on one line of the terminal, which
    /// goes away; nothing where no terminal is.
    pub(crate) fn follow(&self, cluster: Cluster) -> Cluster {
        if self.json || !std::io::stderr().is_terminal() {
            return cluster;
        }
        let language = self.language;
        cluster.telling(move |unfinished| progress(unfinished, language))
    }

    /// Chooses between two languages.
    pub(crate) fn words<'t>(&self, english: &'t str, french: &'t str) -> &'t str {
        match self.language {
            Language::French => french,
            _ => english,
        }
    }

    /// Writes a line; one that nobody reads any more is no error of ours.
    pub(crate) fn line(&self, sense: Sense, text: &str) -> Result<()> {
        let colour = match sense {
            Sense::Good => "\x1b[32m",
            Sense::Bad => "\x1b[31m",
            Sense::Doubtful => "\x1b[33m",
            Sense::Plain => "",
        };
        let line = if self.colour && !colour.is_empty() {
            format!("{colour}{text}\x1b[0m\n")
        } else {
            format!("{text}\n")
        };
        self.write(&line)
    }

    /// Says something beside the result.
    #[allow(
        clippy::unused_self,
        reason = "all that is said goes through the screen"
    )]
    pub(crate) fn aside(&self, text: &str) {
        wipe();
        // Nowhere to say that it cannot be said.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Writes text as it is.
    pub(crate) fn write(&self, text: &str) -> Result<()> {
        wipe();
        match std::io::stdout().lock().write_all(text.as_bytes()) {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            written => Ok(written?),
        }
    }

    /// Writes a value as one line of JSON.
    pub(crate) fn value(&self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value).map_err(std::io::Error::from)?;
        self.write(&format!("{text}\n"))
    }

    /// Prints what a plan changes.
    pub(crate) fn plan(&self, plan: &Plan) -> Result<()> {
        if plan.is_empty() {
            let nothing = self.words(
                "nothing to change: everything is so already",
                "rien à changer : tout est déjà ainsi",
            );
            return self.line(Sense::Plain, nothing);
        }
        for line in plan.to_string().lines() {
            let sense = match line.as_bytes().first() {
                Some(b'+') => Sense::Good,
                Some(b'-') => Sense::Bad,
                Some(b'~') => Sense::Doubtful,
                _ => Sense::Plain,
            };
            self.line(sense, line)?;
        }
        Ok(())
    }

    /// Prints what the cluster would do.
    pub(crate) fn actions(&self, actions: &[Action]) -> Result<()> {
        if actions.is_empty() {
            let nothing = self.words(
                "no resource would be started, stopped or moved",
                "aucune ressource ne serait démarrée, arrêtée ou déplacée",
            );
            return self.line(Sense::Plain, nothing);
        }
        self.line(
            Sense::Plain,
            self.words("the cluster would then:", "la grappe ferait alors :"),
        )?;
        for action in actions {
            let sense = match (action.interrupts(), action.blocked) {
                (_, true) => Sense::Bad,
                (true, _) => Sense::Doubtful,
                _ => Sense::Good,
            };
            self.line(sense, &format!("  {}", action.text(self.language)))?;
        }
        Ok(())
    }

    /// Says what failed, what was not finished, and what to do next.
    pub(crate) fn failure(&self, error: &Error) {
        wipe();
        let next = self.words("next step", "à faire");
        let hint = error.hint().unwrap_or_default();
        let unfinished: Vec<String> = Unfinished::of(error)
            .iter()
            .map(|unfinished| unfinished.text(self.language))
            .collect();
        let text = if self.json {
            let value = serde_json::json!({
                "error": format!("{error:#}"), "kind": format!("{:?}", error.kind()),
                "hint": error.hint(), "unfinished": unfinished, "exit_code": error.exit_code(),
            });
            format!("{value}\n")
        } else {
            // The library's errors are in English; what kind of error it is says the language.
            let kind = match self.language {
                Language::French => format!("{} : ", in_french(error.kind())),
                _ => String::new(),
            };
            let next = if hint.is_empty() {
                String::new()
            } else {
                format!("  {next}: {hint}\n")
            };
            format!("hactl: {kind}{error:#}\n{next}")
        };
        // Nowhere to say that it cannot be said.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

/// Shows what is waited for.
fn progress(unfinished: &[Unfinished], language: Language) {
    let mut stderr = std::io::stderr().lock();
    let width = rustix::termios::tcgetwinsize(&stderr).map_or(0, |size| usize::from(size.ws_col));
    let list: Vec<String> = unfinished.iter().map(|it| it.text(language)).collect();
    let text = format!("… {}", list.join("; "));
    // A line that wraps could not be wiped.
    let room = if width > 1 { width - 1 } else { 79 };
    let shown: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(room)
        .collect();
    PROGRESS.store(true, Ordering::Relaxed);
    // Nowhere to say that it cannot be said.
    let _ = write!(stderr, "\r\x1b[2K{shown}").and_then(|()| stderr.flush());
}

/// Takes the line of progress away.
fn wipe() {
    if PROGRESS.swap(false, Ordering::Relaxed) {
        let _ = write!(std::io::stderr().lock(), "\r\x1b[2K");
    }
}

/// What went wrong, in a word.
fn in_french(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "incorrect",
        ErrorKind::NotFound => "introuvable",
        ErrorKind::AlreadyExists => "existe déjà",
        ErrorKind::Disconnected => "service injoignable",
        ErrorKind::Timeout => "délai dépassé",
        ErrorKind::TryAgain => "à réessayer",
        ErrorKind::PermissionDenied => "accès refusé",
        ErrorKind::Schema => "configuration non conforme",
        ErrorKind::Conflict => "changé entre-temps",
        ErrorKind::Unsupported => "impossible ici",
        ErrorKind::NoQuorum => "pas de quorum",
        ErrorKind::Unsatisfied => "la grappe fait autrement",
        ErrorKind::Limit => "limite atteinte",
        ErrorKind::Io => "lecture ou écriture impossible",
        ErrorKind::Protocol => "réponse incompréhensible",
        _ => "échec",
    }
}
