//! Doing things: on trial, at once, or waiting for the end.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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

    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    pub(crate) fn waits(&self) -> bool {
        self.wait
    }

    /// Refuses what only a running cluster can tell.
    pub(crate) fn needs_cluster(&self) -> Result<()> {
        if self.is_live {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Unsupported,
            "this takes a running cluster",
        ))
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
        self.tell_when_interrupted(Interrupted::Waiting)?;
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
                .value(&json!({ "would_change": plan, "would_do": null, "why_not_known": why.text(self.screen.language) }))?;
            return Ok(ExitCode::SUCCESS);
        }
        self.screen.plan(plan)?;
        let words = self.screen.words(
            "what the cluster would do then is not known",
            "ce que ferait alors la grappe n'est pas connu",
        );
        let l = self.screen.language;
        let hint = why.hint_text(l).unwrap_or_default();
        self.screen
            .aside(&format!("{words}: {}\n    {hint}", why.text(l)));
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
            return self.foresee(order);
        }
        self.tell_when_interrupted(Interrupted::Moving)?;
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
            _ => self.already_there()?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn already_there(&self) -> Result<()> {
        if self.screen.json {
            return self.screen.value(&json!({ "already_there": true }));
        }
        let words = self.screen.words("it is there already", "elle y est déjà");
        self.screen.line(Sense::Plain, words)
    }

    /// Tells what a move would do; ends as the move would that is refused beforehand.
    fn foresee(&self, order: &Move) -> Result<ExitCode> {
        let foreseen = order.foresee()?;
        if foreseen.already_there {
            self.already_there()?;
            return Ok(ExitCode::SUCCESS);
        }
        let told = self.told(None, &foreseen.actions)?;
        foreseen.refusal.map_or(Ok(told), Err)
    }

    /// Restarts a resource, which is always waited for.
    pub(crate) fn restart(&self, order: &Restart) -> Result<ExitCode> {
        if self.dry_run {
            return self.told(None, &order.what_if()?);
        }
        self.tell_when_interrupted(Interrupted::Restarting)?;
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
            self.tell_when_interrupted(Interrupted::Forgetting)?;
            order.wait(self.timeout)?
        };
        if self.screen.json {
            let name = if self.dry_run {
                "would_forget"
            } else {
                "forgotten"
            };
            self.screen.value(&json!({ name: forgotten }))?;
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

    /// Waits until the cluster has done all that it is asked for.
    pub(crate) fn settle(&self) -> Result<ExitCode> {
        self.tell_when_interrupted(Interrupted::Settling)?;
        let began = Instant::now();
        // It would end by itself, much later.
        self.cluster.end_abandoned()?;
        self.cluster.settle(self.timeout)?;
        if self.screen.json {
            let seconds = began.elapsed().as_secs_f64();
            self.screen.value(&json!({ "seconds": seconds }))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Has a signal that ends the program first take back what is there only while it runs, and tell what was done.
    pub(crate) fn tell_when_interrupted(&self, what: Interrupted) -> Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let (cluster, screen) = (self.cluster.clone(), self.screen.clone());
        std::thread::spawn(move || {
            let Some(signal) = signals.forever().next() else {
                return;
            };
            IS_INTERRUPTED.store(true, Ordering::Relaxed);
            let removed = match what {
                Interrupted::Moving | Interrupted::Restarting => cluster.end_own(),
                Interrupted::Waiting | Interrupted::Forgetting | Interrupted::Settling => {
                    Ok(Vec::new())
                }
            };
            let code = 128 + signal;
            let (text, removed) = match removed {
                Ok(removed) => (what.text(&screen, !removed.is_empty()).to_owned(), removed),
                Err(e) => (
                    format!(
                        "{}: {}",
                        screen.words(
                            "interrupted, and its constraint stays until its time is over, or the next hactl",
                            "interrompu, et sa contrainte reste jusqu'à son terme, ou au prochain hactl",
                        ),
                        e.text(screen.language)
                    ),
                    Vec::new(),
                ),
            };
            screen.note(
                &format!("hactl: {text}"),
                || json!({ "interrupted": text, "removed": removed, "exit_code": code }),
            );
            std::process::exit(code);
        });
        Ok(())
    }
}

/// A signal is ending the program.
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Leaves it to the signal that ends the program, if there was one, to say how it ends.
pub(crate) fn leave_to_signal() {
    while IS_INTERRUPTED.load(Ordering::Relaxed) {
        std::thread::park();
    }
}

/// What a signal interrupts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Interrupted {
    Moving,
    Restarting,
    Waiting,
    Forgetting,
    Settling,
}

impl Interrupted {
    /// What was taken back, and what stays.
    fn text(self, screen: &Screen, is_taken_back: bool) -> &str {
        match self {
            Self::Moving | Self::Restarting if !is_taken_back => screen.words(
                "interrupted: nothing was changed",
                "interrompu : rien n'a été changé",
            ),
            Self::Moving => screen.words(
                "interrupted: the move is given up and its constraint removed; the cluster places the resource as before",
                "interrompu : le déplacement est abandonné et sa contrainte enlevée ; la grappe place la ressource comme avant",
            ),
            Self::Restarting => screen.words(
                "interrupted: the constraint that stopped it is removed; the cluster starts it again",
                "interrompu : la contrainte qui l'arrêtait est enlevée ; la grappe la redémarre",
            ),
            Self::Waiting => screen.words(
                "interrupted: only the waiting ends; what was asked stays asked",
                "interrompu : seule l'attente prend fin ; ce qui a été demandé le reste",
            ),
            Self::Forgetting => screen.words(
                "interrupted: what was forgotten until now stays so",
                "interrompu : ce qui a été oublié jusqu'ici le reste",
            ),
            Self::Settling => screen.words(
                "interrupted: only the waiting ends, the cluster goes on",
                "interrompu : seule l'attente prend fin, la grappe continue",
            ),
        }
    }
}
