//! Questions to be answered with oui or non, as EOLE's `instance` asks them: on the terminal, beforehand by options or a
//! file, or by their defaults where nobody is there to ask.

use std::io::{IsTerminal as _, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use ha_core::{Error, ErrorExt as _, Result};

use crate::{interrupt, say};

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its text, without the choice that follows it.
    pub text: String,
    /// Its text in French when it is asked in English: the files of answers that EOLE's users have know that one.
    pub french: String,
    /// The answer of who only presses Enter, and where nobody can be asked; none where a person must decide.
    pub default: Option<bool>,
    /// How it is answered without a terminal, when not by `--oui`, `--non` and files of answers: they do not answer a
    /// question of trust.
    pub by_hand: Option<String>,
}

/// Answers that are given beforehand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// To every question.
    pub all: Option<bool>,
    /// To those that contain the text, folded.
    given: Vec<(String, bool)>,
}

impl Answers {
    /// Reads a file of answers: see [`parse`](Self::parse).
    ///
    /// # Errors
    /// An I/O error, or that of `parse` with the file's name.
    pub fn open(path: &Path) -> Result<Self> {
        let read = std::fs::read_to_string(path).map_err(Error::from);
        read.and_then(|text| Self::parse(&text))
            .with_context(|| path.display().to_string())
    }

    /// Reads answers, one a line: a part of the question's text, `=`, `oui` or `non`. Text in quotes is TOML.
    ///
    /// # Errors
    /// [`Invalid`](ha_core::ErrorKind::Invalid) with the line and what would do.
    ///
    /// # Example
    /// ```
    /// use sphynx::dialogue::Answers;
    /// let answers = Answers::parse("synchroniser les noeuds = oui\n\"(re)configurer\" = false # not now\n")?;
    /// assert_eq!(answers.to("Voulez-vous synchroniser les nœuds ?"), Some(true));
    /// assert_eq!(answers.to("Voulez-vous (re)configurer la haute disponibilité ?"), Some(false));
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        let mut answers = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim().trim_start_matches('\u{feff}');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what: String| {
                let number = number + 1;
                Error::invalid(say!("line {number}: {what}", "ligne {number} : {what}")).with_hint(
                    say!(
                        "write: part of the question = oui",
                        "écrire : partie de la question = oui"
                    ),
                )
            };
            let Some((question, answer)) = line.rsplit_once('=') else {
                return Err(wrong(say!(
                    "'{line}' has no '='",
                    "« {line} » n'a pas de « = »"
                )));
            };
            let bare = |text: &str| text.trim().trim_matches(['"', '\'']).trim().to_owned();
            let question = bare(question);
            let answer = bare(answer.split('#').next().unwrap_or_default());
            if question.is_empty() {
                return Err(wrong(say!(
                    "no question before '='",
                    "pas de question avant « = »"
                )));
            }
            let Some(answer) = yes_or_no(&answer) else {
                return Err(wrong(say!(
                    "'{answer}' is neither oui nor non",
                    "« {answer} » n'est ni oui ni non"
                )));
            };
            answers.given.push((fold(&question), answer));
        }
        Ok(answers)
    }

    /// Adds the answers that another has; to the same question, they come before those that are there.
    pub fn extend(&mut self, other: Self) {
        self.given.splice(0..0, other.given);
        self.all = other.all.or(self.all);
    }

    /// Returns the answer to a question with this text.
    #[must_use]
    pub fn to(&self, question: &str) -> Option<bool> {
        let question = fold(question);
        let given = self.given.iter();
        given
            .filter(|(part, _)| question.contains(part.as_str()))
            // The most precise; of two that are as precise, the first.
            .rev()
            .max_by_key(|(part, _)| part.len())
            .map(|(_, answer)| *answer)
            .or(self.all)
    }

    /// Refuses answers to questions that nobody asks.
    ///
    /// # Errors
    /// [`Invalid`](ha_core::ErrorKind::Invalid) with the questions that there are.
    pub fn check(&self, questions: &[Question]) -> Result<()> {
        let asked = |part: &str| {
            let mut texts = questions.iter().flat_map(|q| [&q.text, &q.french]);
            texts.any(|text| fold(text).contains(part))
        };
        let Some((part, _)) = self.given.iter().find(|(part, _)| !asked(part)) else {
            return Ok(());
        };
        let all: Vec<String> = questions
            .iter()
            .map(|q| format!("\n    {}", q.text))
            .collect();
        let all = all.concat();
        Err(Error::invalid(say!(
            "an answer for '{part}', which is part of no question",
            "une réponse pour « {part} », qui n'est dans aucune question"
        ))
        .with_hint(say!("the questions are:{all}", "les questions sont :{all}")))
    }
}

/// Who asks.
pub struct Dialogue {
    answers: Answers,
    /// The terminal, where there is one that this process may read.
    terminal: Option<OwnedFd>,
    output: Box<dyn Write>,
}

impl std::fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialogue")
            .field("answers", &self.answers)
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}

impl Dialogue {
    /// Asks on standard input and output.
    ///
    /// # Errors
    /// An I/O error.
    pub fn new(answers: Answers) -> Result<Self> {
        let stdin = std::io::stdin();
        let terminal = may_read(stdin.as_fd())
            .then(|| stdin.as_fd().try_clone_to_owned())
            .transpose()
            .context("open the terminal")?;
        Ok(Self {
            answers,
            terminal,
            output: Box::new(std::io::stdout()),
        })
    }

    /// Tells whether a person can be asked.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.terminal.is_some()
    }

    /// Asks, or takes the answer that was given beforehand, or the default where nobody can be asked.
    ///
    /// # Errors
    /// [`Invalid`](ha_core::ErrorKind::Invalid) when there is no terminal and no default, with what to give instead; the error of
    /// [`interrupt`] after Ctrl-C, Ctrl-D, or when the terminal is gone.
    pub fn ask(&mut self, question: &Question) -> Result<bool> {
        let text = &question.text;
        let given = match &question.by_hand {
            Some(_) => None,
            None => self
                .answers
                .to(text)
                .or_else(|| self.answers.to(&question.french)),
        };
        let choice = say!("[yes/no]", "[oui/non]");
        let default = question
            .default
            .map_or(String::new(), |d| format!("[{}]", word(d)));
        let prompt = format!(
            "{text} {choice}\n{default}{}: ",
            if default.is_empty() { "" } else { " " }
        );
        if let Some(answer) = given {
            self.say(&format!("{prompt}{}\n", word(answer)))?;
            return Ok(answer);
        }
        if self.terminal.is_some() {
            return self.ask_terminal(question, &prompt);
        }
        let Some(answer) = question.default else {
            let hint = match &question.by_hand {
                Some(how) => how.clone(),
                None => say!(
                    "give the answer beforehand: --yes, --no or --answers FILE",
                    "donner la réponse d'avance : --oui, --non ou --reponses FICHIER"
                ),
            };
            return Err(Error::invalid(say!(
                "no terminal to ask: {text}",
                "pas de terminal pour demander : {text}"
            ))
            .with_hint(hint));
        };
        let note = say!(
            "no terminal: the default",
            "pas de terminal : réponse par défaut"
        );
        self.say(&format!("{prompt}{}   ({note})\n", word(answer)))?;
        Ok(answer)
    }

    fn ask_terminal(&mut self, question: &Question, prompt: &str) -> Result<bool> {
        loop {
            self.say(prompt)?;
            let line = match self.line() {
                Ok(line) => line,
                Err(e) => {
                    // The shell's prompt begins on a line of its own.
                    self.say("\n").ok();
                    return Err(e);
                }
            };
            let line = line.trim();
            match (line.is_empty(), question.default, yes_or_no(line)) {
                (true, Some(default), _) => return Ok(default),
                (_, _, Some(answer)) => return Ok(answer),
                _ => self.say(&say!("Answer yes or no.\n", "Répondre oui ou non.\n"))?,
            }
        }
    }

    /// Reads a line of the terminal.
    fn line(&self) -> Result<String> {
        let terminal = self.terminal.as_ref().ok_or_else(interrupt::left)?;
        let mut line = Vec::new();
        loop {
            interrupt::wait_readable(terminal, None)?;
            let mut bytes = [0; 1024];
            match rustix::io::read(terminal, &mut bytes) {
                // Ctrl-D, or the terminal is gone.
                Ok(0) | Err(rustix::io::Errno::IO) => return Err(interrupt::left()),
                Ok(read) => line.extend(&bytes[..read]),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(e) => return Err(std::io::Error::from(e).into()),
            }
            // The terminal gives what was typed line by line.
            if line.ends_with(b"\n") {
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
        }
    }

    fn say(&mut self, text: &str) -> Result<()> {
        self.output.write_all(text.as_bytes())?;
        Ok(self.output.flush()?)
    }
}

/// Tells whether a person can be asked on standard input.
#[must_use]
pub fn has_terminal() -> bool {
    may_read(std::io::stdin().as_fd())
}

/// Tells whether this is a terminal that this process may read: another's job in the background would be stopped for it.
fn may_read(fd: BorrowedFd<'_>) -> bool {
    let foreground = || rustix::termios::tcgetpgrp(fd).ok();
    fd.is_terminal() && foreground() == Some(rustix::process::getpgrp())
}

/// The word for an answer.
fn word(answer: bool) -> String {
    if answer {
        say!("yes", "oui")
    } else {
        say!("no", "non")
    }
}

/// Reads an answer: oui, non, yes, no, their first letters, true and false as TOML has them; in capitals or not.
#[must_use]
pub fn yes_or_no(text: &str) -> Option<bool> {
    match fold(text.trim()).as_str() {
        "o" | "oui" | "y" | "yes" | "true" => Some(true),
        "n" | "non" | "no" | "false" => Some(false),
        _ => None,
    }
}

/// Takes away what two writings of the same French text differ in: capitals, accents, ligatures, kinds of spaces and
/// apostrophes.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'à' | 'â' | 'ä' | 'á' | 'ã' => folded.push('a'),
            'é' | 'è' | 'ê' | 'ë' => folded.push('e'),
            'î' | 'ï' | 'í' => folded.push('i'),
            'ô' | 'ö' | 'ó' | 'õ' => folded.push('o'),
            'ù' | 'û' | 'ü' | 'ú' => folded.push('u'),
            'ÿ' => folded.push('y'),
            'ç' => folded.push('c'),
            'ñ' => folded.push('n'),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            '’' => folded.push('\''),
            // Accents that stand alone.
            '\u{300}'..='\u{36f}' => {}
            c if c.is_whitespace() => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            c => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests;
