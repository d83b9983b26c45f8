//! `diagnose`: whether all is well with the pair, and what mends what is not.
//!
//! Facts are gathered on both machines, on the other one by this program itself over SSH; then each thing is judged by what
//! both say. Nothing is changed, and nothing waits for ever: each look has its time.

mod facts;
mod gather;
mod judge;
mod peer;
mod report;

use std::path::Path;
use std::time::{Duration, Instant};

use ha_core::Result;
use jiff::Timestamp;

pub use report::{Cause, Findings, Outcome, Report, Section};

use crate::say;
use crate::settings::{Opened, Role, Settings, Severity};

/// How long resources that move are looked at again before they are told to be on both machines.
const AGAIN: Duration = Duration::from_secs(3);

/// What to look at.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// The file of settings.
    pub config: &'a Path,
    /// How long each look may take.
    pub limit: Duration,
    /// Ask the other machine too.
    pub peer: bool,
}

/// Looks at everything.
#[must_use]
pub fn run(options: &Options<'_>) -> Findings {
    let (settings, early) = settings(options.config);
    let Some(settings) = settings else {
        return early;
    };
    let (role, own, other) = match (settings.role(), settings.here(), settings.peer()) {
        (Ok(role), Ok(own), Ok(other)) => (role, own, other),
        (Err(e), ..) | (_, Err(e), _) | (.., Err(e)) => {
            return ended(early, &format!("{e:#}"), e.hint());
        }
    };
    if !settings.active {
        let mut found = early;
        found.machine.clone_from(&own.name);
        found.peer.clone_from(&other.name);
        found.remark(
            say!(
                "the high availability is switched off in the settings (actif = false): nothing else is looked at",
                "la haute disponibilité est désactivée dans le paramétrage (actif = false) : rien d'autre n'est contrôlé"
            ),
            None,
        );
        return found;
    }
    let mut judged = look(&settings, role, options);
    // The two machines are not seen at the same moment: resources that move may be seen on both.
    let until = Instant::now() + AGAIN;
    while judged.says_wrong(judge::ONE_ACTIVE) && Instant::now() < until {
        judged = look(&settings, role, options);
    }
    early.followed_by(judged)
}

/// Gathers the facts of both machines, and judges them.
fn look(settings: &Settings, role: Role, options: &Options<'_>) -> Findings {
    let (here, peer) = std::thread::scope(|scope| {
        let peer = options
            .peer
            .then(|| scope.spawn(|| peer::ask(settings, options.config, options.limit)));
        let here = gather::facts(settings, options.limit, false);
        (here, peer.map(|peer| gather::joined(peer.join())))
    });
    if let Some(Ok(asked)) = &peer {
        peer::remember(settings, &asked.facts);
    }
    judge::all(&judge::Pair {
        settings,
        role,
        here: &here,
        peer: peer.as_ref(),
        now: Timestamp::now().as_second(),
    })
}

/// Returns the facts of this machine as JSON, for the other one.
///
/// # Errors
/// Those of reading the settings.
pub fn facts(options: &Options<'_>) -> Result<String> {
    let settings = Settings::open(options.config)?;
    let facts = gather::facts(&settings, options.limit, true);
    serde_json::to_string(&facts).map_err(|e| std::io::Error::from(e).into())
}

/// Reads the settings, with the report of that.
fn settings(config: &Path) -> (Option<Settings>, Findings) {
    let mut found = Findings::new("", "");
    let read = Opened::read(config).and_then(|opened| {
        let problems = opened.settings.check();
        opened.refuse(&problems)?;
        for problem in problems
            .iter()
            .filter(|it| it.severity == Severity::Warning)
        {
            found.remark(problem.message.clone(), Some(problem.fix.clone()));
        }
        Ok(opened.settings)
    });
    match read {
        Ok(settings) => {
            found.report(settings_report(Vec::new()));
            (Some(settings), found)
        }
        Err(e) => {
            let found = ended(Findings::new("", ""), &format!("{e:#}"), e.hint());
            (None, found)
        }
    }
}

fn settings_report(causes: Vec<Cause>) -> Report {
    Report {
        id: "parametrage",
        section: Section::Settings,
        label: say!("Settings", "Paramétrage"),
        outcome: if causes.is_empty() {
            Outcome::Ok
        } else {
            Outcome::Error
        },
        causes,
    }
}

/// Without settings nothing can be looked at.
fn ended(mut found: Findings, text: &str, fix: Option<&str>) -> Findings {
    let cause = Cause {
        text: text.to_owned(),
        fix: fix.map(str::to_owned),
    };
    found.reports.clear();
    found.report(settings_report(vec![cause]));
    found
}
