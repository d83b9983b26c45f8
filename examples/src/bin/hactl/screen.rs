//! What is said, and how: words of a language, colours on a terminal, JSON.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ha_core::change::{Action, Plan};
use ha_core::language::Language;
use ha_core::live::cluster::{Cluster, Unfinished};
use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use serde::Serialize;

use crate::arguments::Arguments;

/// Who waits for less than this may just not wait long enough.
const SHORT: Duration = Duration::from_secs(3);

/// Whether a line of progress is on the terminal, to be wiped before anything else is said.
static PROGRESS: AtomicBool = AtomicBool::new(false);

/// How to speak to the user.
#[derive(Debug, Clone)]
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
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            language: arguments.lang.unwrap_or_else(crate::usage::of_environment),
            json: arguments.json,
            colour: std::io::stdout().is_terminal() && !plain,
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

    /// Says something beside the result, which is JSON where the result is.
    pub(crate) fn note(&self, text: &str, as_json: impl FnOnce() -> serde_json::Value) {
        if self.json {
            self.aside(&as_json().to_string());
        } else {
            self.aside(text);
        }
    }

    /// Writes text as it is.
    pub(crate) fn write(&self, text: &str) -> Result<()> {
        wipe();
        match std::io::stdout().lock().write_all(text.as_bytes()) {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            Err(e) if e.kind() == std::io::ErrorKind::StorageFull => {
                let next = self.words("make room where it goes", "faire de la place là où il va");
                Err(Error::from(e).context(self.writing()).with_hint(next))
            }
            written => Ok(written.context(self.writing())?),
        }
    }

    fn writing(&self) -> &'static str {
        self.words("write the result", "écrire le résultat")
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
        for line in plan.text(self.language).lines() {
            let sense = match line.as_bytes().first() {
                Some(b'+') => Sense::Good,
                Some(b'-') => Sense::Bad,
                Some(b'~' | b'!') => Sense::Doubtful,
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
    pub(crate) fn failure(&self, error: &Error, timeout: Duration) {
        wipe();
        let (next, colon) = (self.words("next step", "à faire"), self.words(":", " :"));
        let mut hint = error.hint_text(self.language);
        if error.kind() == ErrorKind::Timeout && timeout < SHORT {
            // Before anything is looked for that hangs.
            let words = self.words(
                "allow more time: --timeout 30s",
                "laisser plus de temps : --timeout 30s",
            );
            hint = Some(words.to_owned());
        }
        let message = error.text(self.language);
        let unfinished: Vec<String> = Unfinished::of(error)
            .iter()
            .map(|unfinished| unfinished.text(self.language))
            .collect();
        let text = if self.json {
            let value = serde_json::json!({
                "error": message, "kind": format!("{:?}", error.kind()),
                "hint": hint, "unfinished": unfinished, "exit_code": error.exit_code(),
            });
            format!("{value}\n")
        } else {
            // What a daemon or the system says is in English; what kind of error it is says the language.
            let kind = match self.language {
                Language::French => format!("{} : ", in_french(error.kind())),
                _ => String::new(),
            };
            let next = hint.map(|hint| format!("  {next}{colon} {hint}\n"));
            format!("hactl: {kind}{message}\n{}", next.unwrap_or_default())
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
