//! Settings from a file.

use std::ops::Range;
use std::path::{Path, PathBuf};

use ha_core::{Error, ErrorExt, ErrorKind, Result};

use super::{Problem, Settings, Severity, eole, grammar, places};
use crate::say;

/// Settings with the text that they come from, so that what is wrong with them has its line.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What the file says.
    pub settings: Settings,
    path: PathBuf,
    text: String,
}

impl Settings {
    /// Reads settings from a file, and checks what can be checked without looking at this machine: EOLE's own
    /// variables when its name ends with `.eol`, else TOML.
    ///
    /// # Errors
    /// Those of reading a file; [`ErrorKind::Schema`] when it cannot be understood or does not make a pair: the message
    /// has file, line, value and what would do, for all that is wrong.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let opened = Opened::read(path)?;
        let problems = opened.settings.check();
        opened.refuse(&problems)?;
        Ok(opened.settings)
    }
}

/// Reads TOML. What is wrong begins with its place.
fn from_toml(text: &str) -> Result<Settings, String> {
    let at = |span: Option<Range<usize>>, message: String| match span {
        Some(span) => {
            let (number, line) = places::line(text, span.start);
            say!(
                ", line {number}: {line}: {message}",
                ", ligne {number} : {line} : {message}"
            )
        }
        None => say!(": {message}", " : {message}"),
    };
    toml::de::DeTable::parse(text).map_err(|error| {
        let message = error.message().trim_end();
        let told = grammar::told(message);
        let told = if told == message {
            say!(
                "this is no TOML: {message}",
                "ce n'est pas du TOML : {message}"
            )
        } else {
            told
        };
        at(error.span(), told)
    })?;
    toml::from_str(text)
        .map_err(|error: toml::de::Error| at(error.span(), grammar::told(error.message())))
}

impl Opened {
    /// Reads settings from a file, without checking more than that they can be understood.
    ///
    /// # Errors
    /// Those of reading a file; [`ErrorKind::Schema`] when it cannot be understood.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let shown = path.display();
        let text = std::fs::read(&path)
            .with_context(|| say!("read the settings {shown}", "lire le paramétrage {shown}"));
        let text = text.map_err(|error| match error.kind() {
            ErrorKind::NotFound => error.with_hint(say!(
                "write it (an annotated example comes with this program), or name another: --config",
                "l'écrire (un exemple commenté est fourni avec ce programme), ou en désigner un autre : --config"
            )),
            ErrorKind::PermissionDenied => error.with_hint(say!("run it as root", "lancer la commande en root")),
            _ => error,
        })?;
        let text = String::from_utf8(text).map_err(|e| {
            let line = 1 + e.as_bytes()[..e.utf8_error().valid_up_to()]
                .iter()
                .filter(|&&b| b == b'\n')
                .count();
            Error::new(
                ErrorKind::Schema,
                say!(
                    "{shown}, line {line}: this is not UTF-8",
                    "{shown}, ligne {line} : ce n'est pas de l'UTF-8"
                ),
            )
        })?;
        let read = if path.extension().is_some_and(|it| it == "eol") {
            eole::read(&text).map_err(|message| format!("{shown}{message}"))
        } else {
            from_toml(&text).map_err(|place| format!("{shown}{place}"))
        };
        let settings = read.map_err(|message| Error::new(ErrorKind::Schema, message))?;
        Ok(Self {
            settings,
            path,
            text,
        })
    }

    /// Says a problem with its file, its line, what stands there and what would do.
    #[must_use]
    pub fn told(&self, problem: &Problem) -> String {
        let (file, text) = (self.path.display(), problem.text());
        if self.path.extension().is_some_and(|it| it == "eol") {
            let variable = eole::variable(&problem.path);
            return say!(
                "{file}, variable {variable}: {text}",
                "{file}, variable {variable} : {text}"
            );
        }
        match places::find(&self.text, &problem.path) {
            Some(span) => {
                let (number, line) = places::line(&self.text, span.start);
                say!(
                    "{file}, line {number}: {line}: {text}",
                    "{file}, ligne {number} : {line} : {text}"
                )
            }
            None => {
                let path = &problem.path;
                say!("{file}, {path}: {text}", "{file}, {path} : {text}")
            }
        }
    }

    /// Makes one error of the problems that are errors.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] when one is.
    pub fn refuse(&self, problems: &[Problem]) -> Result<()> {
        let errors = problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error);
        let lines: Vec<String> = errors.map(|problem| self.told(problem)).collect();
        if lines.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Schema, lines.join("\n")))
    }
}
