//! Doing things: on trial, at once, or waiting for the end.

use std::process::ExitCode;
use std::time::Duration;

use ha_core::change::{Action, Plan};
use ha_core::live::cluster::{Cluster, Forget, Move, Moved, Operation, Restart};
use ha_core::{Error, ErrorKind, Result};
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::arguments::Arguments;
use crate::screen::{Screen, Sense};

/// What every command needs.
#[derive(Debug)]
pub(crate) struct Act<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) screen: &'a Screen,
    pub(crate) timeout: Duration,
    dry_run: bool,
    wait: bool,
    /// It is a cluster, not a file.
    is_live: bool,
}

impl<'a> Act<'a> {
    pub(crate) fn new(
        arguments: &Arguments,
        screen: &'a Screen,
        cluster: &'a Cluster,
    ) -> Result<Self> {
        Ok(Self {
            cluster,
            screen,
            timeout: arguments.timeout(),
            dry_run: arguments.dry_run,
            wait: arguments.wait,
            is_live: arguments.cib_file.is_none(),
        })
    }

    /// Does what was asked, or tells what would be done.
    pub(crate) fn operation(&self, operation: &Operation) -> Result<ExitCode> {
        if self.dry_run {
            let plan = operation.plan()?;
            return match plan.what_if() {
                Ok(actions) => self.told(Some(&plan), &actions),
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {
                    self.told_half(&plan, &e)
                }
                Err(e) => Err(e),
            };
        }
        self.tidy();
        if !self.wait {
            let plan = operation.send()?;
            if self.screen.json {
                self.screen.value(&json!({ "changed": plan }))?;
            } else {
                self.changed(operation, &plan)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let done = operation.wait(self.timeout)?;
        if self.screen.json {
            let seconds = done.elapsed.as_secs_f64();
            self.screen
                .value(&json!({ "changed": done.changed, "seconds": seconds }))?;
        } else {
            self.changed(operation, &done.changed)?;
            self.done(done.elapsed)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Takes back what a move left that was killed. When that fails, so will what is asked.
    fn tidy(&self) {
        if self.is_live {
            let _ = self.cluster.end_abandoned();
        }
    }

    /// Tells what would be changed, where nobody can say what would follow.
    fn told_half(&self, plan: &Plan, why: &Error) -> Result<ExitCode> {
        if self.screen.json {
            self.screen
                .value(&json!({ "would_change": plan, "would_do": null }))?;
        } else {
            self.screen.plan(plan)?;
        }
        let words = self.screen.words(
            "what the cluster would do then is not known",
            "ce que ferait alors la grappe n'est pas connu",
        );
        let hint = why.hint().unwrap_or_default();
        self.screen.aside(&format!("{words}: {why:#}\n    {hint}"));
        Ok(ExitCode::SUCCESS)
    }

    /// Prints what was changed, where that can be told.
    fn changed(&self, operation: &Operation, plan: &Plan) -> Result<()> {
        if operation.is_foretold() {
            self.screen.plan(plan)?;
        }
        Ok(())
    }

    /// Moves a resource, which is always waited for.
    pub(crate) fn relocate(&self, order: &Move) -> Result<ExitCode> {
        if self.dry_run {
            return self.told(None, &order.what_if()?);
        }
        self.undo_when_interrupted()?;
        match order.wait(self.timeout)? {
            Moved::Done { to, done } => {
                let seconds = done.elapsed.as_secs_f64();
                if self.screen.json {
                    self.screen
                        .value(&json!({ "to": to, "seconds": seconds }))?;
                } else {
                    let on = self.screen.words("now on", "maintenant sur");
                    let text = format!("{on} {}", to.join(", "));
                    self.screen.line(Sense::Good, &text)?;
                    self.done(done.elapsed)?;
                }
            }
            _ if self.screen.json => self.screen.value(&json!({ "already_there": true }))?,
            _ => {
                let words = self.screen.words("it is there already", "elle y est déjà");
                self.screen.line(Sense::Plain, words)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Restarts a resource, which is always waited for.
    pub(crate) fn restart(&self, order: &Restart) -> Result<ExitCode> {
        if self.dry_run {
            return self.told(None, &order.what_if()?);
        }
        self.undo_when_interrupted()?;
        let done = order.wait(self.timeout)?;
        if self.screen.json {
            let seconds = done.elapsed.as_secs_f64();
            self.screen.value(&json!({ "seconds": seconds }))?;
        } else {
            self.done(done.elapsed)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Forgets failures or histories, which is always waited for.
    pub(crate) fn forget(&self, order: &Forget) -> Result<ExitCode> {
        let forgotten = if self.dry_run {
            order.what_if()?
        } else {
            order.wait(self.timeout)?
        };
        if self.screen.json {
            self.screen.value(&json!({ "forgotten": forgotten }))?;
            return Ok(ExitCode::SUCCESS);
        }
        for it in &forgotten {
            let on = self.screen.words("on", "sur");
            let mut text = format!("{} {on} {}", it.resource, it.node);
            if !it.failed.is_empty() {
                let failed = self.screen.words("had failed", "avait échoué");
                text = format!("{text}: {} {failed}", it.failed.join(", "));
            }
            self.screen.line(Sense::Plain, &text)?;
        }
        if forgotten.is_empty() {
            let nothing = self.screen.words("nothing to forget", "rien à oublier");
            self.screen.line(Sense::Plain, nothing)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn told(&self, plan: Option<&Plan>, actions: &[Action]) -> Result<ExitCode> {
        if self.screen.json {
            self.screen
                .value(&json!({ "would_change": plan, "would_do": actions }))?;
        } else {
            if let Some(plan) = plan {
                self.screen.plan(plan)?;
            }
            self.screen.actions(actions)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn done(&self, elapsed: Duration) -> Result<()> {
        let words = self.screen.words("done in", "fait en");
        let text = format!("{words} {:.1} s", elapsed.as_secs_f64());
        self.screen.line(Sense::Good, &text)
    }

    /// Has a signal that ends the program first take back what is there only while it runs.
    fn undo_when_interrupted(&self) -> Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let cluster = self.cluster.clone();
        std::thread::spawn(move || {
            let Some(signal) = signals.forever().next() else {
                return;
            };
            if let Err(e) = cluster.end_own() {
                eprintln!("hactl: {e:#}");
            }
            std::process::exit(128 + signal);
        });
        Ok(())
    }
}
