//! Judges the facts of both machines: pure, so that each judgement has its test.

mod dialogue;
mod files;
mod machines;
mod resources;
mod software;
#[cfg(test)]
mod tests;

use super::facts::{Facts, Look, Reason, Unseen};
use super::peer::Asked;
use super::report::{Cause, Findings, Outcome, Report, Section};
use crate::say;
use crate::settings::{Machine, Role, Settings};

/// The line that tells of two active machines.
pub(super) const ONE_ACTIVE: &str = "une_seule_active";

/// What is judged.
pub(super) struct Pair<'a> {
    pub(super) settings: &'a Settings,
    /// The role of this machine.
    pub(super) role: Role,
    pub(super) here: &'a Facts,
    /// The other machine's facts; none when it was not to be asked.
    pub(super) peer: Option<&'a Look<Asked>>,
    /// What the time is, in seconds since 1970.
    pub(super) now: i64,
}

impl<'a> Pair<'a> {
    pub(super) fn own(&self) -> &'a Machine {
        self.machine(self.role)
    }

    pub(super) fn other(&self) -> &'a Machine {
        self.machine(self.role.other())
    }

    fn machine(&self, role: Role) -> &'a Machine {
        match role {
            Role::Maitre => &self.settings.maitre,
            Role::Esclave => &self.settings.esclave,
        }
    }

    /// The other machine's facts, when there are any.
    pub(super) fn there(&self) -> Option<&'a Facts> {
        let asked = self.peer?.as_ref().ok()?;
        Some(&asked.facts)
    }

    /// The machines that there are facts of, this one first.
    pub(super) fn seen(&self) -> impl Iterator<Item = (&'a Machine, &'a Facts)> + use<'a> {
        let here = std::iter::once((self.own(), self.here));
        here.chain(self.there().map(|facts| (self.other(), facts)))
    }

    /// The names of both, the maître first.
    pub(super) fn names(&self) -> [&'a str; 2] {
        [&self.settings.maitre.name, &self.settings.esclave.name]
    }

    /// Says that a command is for a machine, unless it is this one.
    pub(super) fn on(&self, machine: &Machine, command: &str) -> String {
        if machine.name == self.own().name {
            return command.to_owned();
        }
        let name = &machine.name;
        say!("on {name}: {command}", "sur {name} : {command}")
    }
}

/// Judges everything.
pub(super) fn all(pair: &Pair<'_>) -> Findings {
    let mut found = Findings::new(&pair.own().name, &pair.other().name);
    software::judge(pair, &mut found);
    dialogue::judge(pair, &mut found);
    files::judge(pair, &mut found);
    machines::judge(pair, &mut found);
    resources::judge(pair, &mut found);
    if !pair.here.root {
        found.remark(
            say!(
                "this was not run as root: what root alone may see was left out",
                "lancé sans être root : ce que seul root peut voir n'a pas été contrôlé"
            ),
            Some("sudo diagnose".to_owned()),
        );
    }
    found
}

/// A report that is being made.
struct Line {
    id: &'static str,
    section: Section,
    label: String,
    errors: Vec<Cause>,
    unknown: Vec<Cause>,
    /// Something could not be looked at, and why is told elsewhere.
    blind: bool,
}

impl Line {
    fn new(id: &'static str, section: Section, label: String) -> Self {
        Self {
            id,
            section,
            label,
            errors: Vec::new(),
            unknown: Vec::new(),
            blind: false,
        }
    }

    fn error(&mut self, text: String, fix: impl Into<Option<String>>) {
        let fix = fix.into();
        self.errors.push(Cause { text, fix });
    }

    fn unknown(&mut self, text: String, fix: impl Into<Option<String>>) {
        let fix = fix.into();
        self.unknown.push(Cause { text, fix });
    }

    /// Notes that something of a machine could not be seen.
    fn unseen(&mut self, machine: &Machine, unseen: &Unseen) {
        // That is told once for all.
        if unseen.reason == Reason::Forbidden {
            self.blind = true;
            return;
        }
        let (name, text) = (&machine.name, &unseen.text);
        self.unknown(say!("{name}: {text}", "{name} : {text}"), None);
    }

    /// Returns what was seen, and notes when it was not.
    fn see<'f, T>(&mut self, machine: &Machine, look: &'f Look<T>) -> Option<&'f T> {
        match look {
            Ok(seen) => Some(seen),
            Err(unseen) => {
                self.unseen(machine, unseen);
                None
            }
        }
    }

    fn end(self, found: &mut Findings) {
        let outcome = if !self.errors.is_empty() {
            Outcome::Error
        } else if !self.unknown.is_empty() || self.blind {
            Outcome::Unknown
        } else {
            Outcome::Ok
        };
        let mut causes = self.errors;
        causes.extend(self.unknown);
        found.report(Report {
            id: self.id,
            section: self.section,
            label: self.label,
            outcome,
            causes,
        });
    }
}
