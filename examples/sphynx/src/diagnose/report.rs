//! The reports, and how they are shown.

use std::fmt::Write as _;

use ha_core::language::Language;
use serde::Serialize;

use crate::{language, say};

/// What a report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is well.
    Ok,
    /// It is not.
    #[serde(rename = "erreur")]
    Error,
    /// It could not be looked at.
    #[serde(rename = "inconnu")]
    Unknown,
}

/// Why a report is not `Ok`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// What is so.
    #[serde(rename = "texte")]
    pub text: String,
    /// What mends it: mostly a command.
    #[serde(rename = "remede", skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its name for programs.
    pub id: &'static str,
    /// The heading that it is shown under.
    #[serde(rename = "rubrique")]
    pub section: Section,
    /// Its name for people.
    #[serde(rename = "libelle")]
    pub label: String,
    /// What it says.
    #[serde(rename = "resultat")]
    pub outcome: Outcome,
    /// Why it is not `Ok`.
    pub causes: Vec<Cause>,
}

/// The headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// The settings.
    #[serde(rename = "parametrage")]
    Settings,
    /// What is installed and runs.
    #[serde(rename = "logiciels")]
    Software,
    /// The way between the machines.
    Dialogue,
    /// The files that both have.
    #[serde(rename = "fichiers")]
    Files,
    /// The machines as a pair.
    #[serde(rename = "paire")]
    Pair,
    /// The resources.
    #[serde(rename = "ressources")]
    Resources,
}

impl Section {
    fn title(self) -> String {
        match self {
            Self::Settings => say!("Settings", "Paramétrage"),
            Self::Software => say!("Software", "Logiciels"),
            Self::Dialogue => say!("Dialogue of the two machines", "Dialogue des deux machines"),
            Self::Files => say!("Files", "Fichiers"),
            Self::Pair => say!("The two machines", "Les deux machines"),
            Self::Resources => say!("Resources", "Ressources"),
        }
    }
}

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// The version of this layout.
    pub version: u32,
    /// This machine.
    pub machine: String,
    /// The other one.
    #[serde(rename = "pair")]
    pub peer: String,
    /// The worst of the reports.
    #[serde(rename = "resultat")]
    pub outcome: Outcome,
    /// What was looked at, in order.
    #[serde(rename = "rapports")]
    pub reports: Vec<Report>,
    /// What one should know, and which is no error.
    #[serde(rename = "remarques")]
    pub remarks: Vec<Cause>,
}

impl Findings {
    /// Begins with nothing.
    #[must_use]
    pub fn new(machine: &str, peer: &str) -> Self {
        Self {
            version: 1,
            machine: machine.to_owned(),
            peer: peer.to_owned(),
            outcome: Outcome::Ok,
            reports: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Tells whether this report is an error.
    pub(super) fn says_wrong(&self, id: &str) -> bool {
        let mut reports = self.reports.iter();
        reports.any(|report| report.id == id && report.outcome == Outcome::Error)
    }

    pub(super) fn report(&mut self, report: Report) {
        let worse = |outcome| match outcome {
            Outcome::Ok => 0,
            Outcome::Unknown => 1,
            Outcome::Error => 2,
        };
        if worse(report.outcome) > worse(self.outcome) {
            self.outcome = report.outcome;
        }
        self.reports.push(report);
    }

    /// Adds those of another look, whose machines count.
    pub(super) fn followed_by(self, other: Self) -> Self {
        let mut all = Self::new(&other.machine, &other.peer);
        for report in self.reports.into_iter().chain(other.reports) {
            all.report(report);
        }
        for remark in self.remarks.into_iter().chain(other.remarks) {
            all.remark(remark.text, remark.fix);
        }
        all
    }

    pub(super) fn remark(&mut self, text: String, fix: Option<String>) {
        let remark = Cause { text, fix };
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// Returns the exit status: 0 when all is well, 1 when something is not, 2 when nothing was found that is not, but not
    /// everything could be looked at.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.outcome {
            Outcome::Ok => 0,
            Outcome::Error => 1,
            Outcome::Unknown => 2,
        }
    }

    /// Returns the text for people, in EOLE's manner.
    #[must_use]
    pub fn text(&self, colours: bool) -> String {
        let mut out = String::new();
        let colon = match language::current() {
            Language::English => ":",
            _ => " :",
        };
        let paint = |code: &str, text: String| match colours {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text,
        };
        let length = |report: &Report| report.label.chars().count();
        let width = self.reports.iter().map(length).max().unwrap_or(0);
        let mut section = None;
        for report in &self.reports {
            if section != Some(report.section) {
                section = Some(report.section);
                // Writing to a text does not fail.
                let _ = writeln!(out, "*** {}", report.section.title());
            }
            let outcome = match report.outcome {
                Outcome::Ok => paint("32", "Ok".to_owned()),
                Outcome::Error => paint("31", say!("Error", "Erreur")),
                Outcome::Unknown => paint("33", say!("Unknown", "Inconnu")),
            };
            let _ = writeln!(out, ".  {:>width$} => {outcome}", report.label);
            for cause in &report.causes {
                tell(&mut out, cause, colon);
            }
        }
        if !self.remarks.is_empty() {
            let _ = writeln!(out, "*** {}", say!("Remarks", "Remarques"));
            for remark in &self.remarks {
                tell(&mut out, remark, colon);
            }
        }
        out
    }
}

fn tell(out: &mut String, cause: &Cause, colon: &str) {
    let mut lines = cause.text.lines();
    let _ = writeln!(out, "     - {}", lines.next().unwrap_or_default());
    for line in lines {
        let _ = writeln!(out, "       {line}");
    }
    if let Some(fix) = &cause.fix {
        let word = say!("to mend", "remède");
        let _ = writeln!(out, "       {word}{colon} {fix}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(label: &str, outcome: Outcome, causes: Vec<Cause>) -> Report {
        Report {
            id: "x",
            section: Section::Files,
            label: label.to_owned(),
            outcome,
            causes,
        }
    }

    fn findings() -> Findings {
        let mut findings = Findings::new("maitre", "esclave");
        findings.report(report("clé", Outcome::Ok, Vec::new()));
        let cause = Cause {
            text: "il manque".to_owned(),
            fix: Some("touch x".to_owned()),
        };
        findings.report(report("x long", Outcome::Error, vec![cause]));
        findings.remark("à savoir".to_owned(), None);
        findings
    }

    #[test]
    fn lines_are_aligned_and_errors_have_cause_and_fix() {
        let expected = "\
*** Fichiers
.     clé => Ok
.  x long => Erreur
     - il manque
       remède : touch x
*** Remarques
     - à savoir
";
        assert_eq!(findings().text(false), expected);
    }

    #[test]
    fn the_worst_decides() {
        assert_eq!(Findings::new("a", "b").exit_code(), 0);
        assert_eq!(findings().exit_code(), 1);
        let mut unknown = Findings::new("a", "b");
        unknown.report(report("y", Outcome::Unknown, Vec::new()));
        unknown.report(report("y", Outcome::Ok, Vec::new()));
        assert_eq!(unknown.exit_code(), 2);
    }

    #[test]
    fn the_layout_for_programs() {
        let value = serde_json::to_value(findings()).unwrap();
        assert_eq!(value["version"], 1);
        assert_eq!(value["resultat"], "erreur");
        assert_eq!(value["rapports"][0]["resultat"], "ok");
        assert_eq!(value["rapports"][1]["causes"][0]["remede"], "touch x");
        assert_eq!(value["rapports"][1]["rubrique"], "fichiers");
        assert_eq!(value["remarques"][0]["texte"], "à savoir");
    }
}
