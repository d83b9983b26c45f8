//! Waiting: the CIB followed change by change until something is so.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Cluster;
use super::unfinished::{self, Unfinished};
use crate::change;
use crate::live::pacemaker::controld;
use crate::live::pacemaker::watch::{Update, Watch};
use crate::status::{ClusterStatus, Failure};
use crate::value::CibVersion;
use crate::xml::Document;
use crate::{Error, ErrorKind, Result};

/// How long the DC may take to answer before it is asked again.
const ANSWER: Duration = Duration::from_secs(10);
/// The shortest and the longest time after which a DC that was at work is asked again although the CIB has not
/// changed. That it is idle changes nothing in the CIB, and no daemon announces it; most often it is so some
/// milliseconds after the last change.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// How long the CIB manager may take to show, after a wait has timed out, that it still answers.
pub(super) const LAST_LOOK: Duration = Duration::from_secs(2);

/// How long the DC must have been idle, without a change of the CIB, where the scheduler cannot be asked
/// what it wants: long enough for the DC to have seen the last change.
const CALM: Duration = Duration::from_secs(2);

/// Who wants to know what is not finished while something is waited for.
#[derive(Clone)]
pub(super) struct Teller(Arc<Tell>);

type Tell = dyn Fn(&[Unfinished]) + Send + Sync;

impl Teller {
    pub(super) fn new(tell: impl Fn(&[Unfinished]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}

/// A cluster that is followed while something is waited for.
#[derive(Debug)]
pub(super) struct Follow {
    cluster: Cluster,
    watch: Watch,
    /// Why the connection is gone, while it is.
    lost: Option<Arc<str>>,
    /// The failures that there were at the start.
    known: HashSet<(String, String, i32)>,
    /// What was not finished when it was last looked.
    unfinished: Vec<Unfinished>,
    /// What was told last.
    told: Vec<Unfinished>,
    /// Since when the DC has been idle and the CIB unchanged.
    calm_since: Option<Instant>,
}

/// How waiting until a cluster is settled has ended.
#[derive(Debug)]
pub(super) enum Reached {
    /// It is settled, and the condition holds.
    Settled(ClusterStatus),
    /// It is settled, and the condition does not hold: nothing will change that.
    Otherwise(ClusterStatus),
    /// The deadline has passed.
    Not,
}

/// What the daemons say of a cluster whose CIB shows nothing under way.
#[derive(Debug)]
enum Answer {
    /// Nothing remains to be done.
    Idle,
    /// Something is done that no change of the CIB announces the end of.
    Busy,
    /// Something is to be done, which begins with a change of the CIB. Should none come, the daemons are to be
    /// asked again after this time.
    After(Duration),
}

/// What a condition says of a cluster that has settled.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It holds.
    Reached,
    /// It does not hold, and may still without anybody's doing.
    Coming(Vec<Unfinished>),
    /// It does not hold, and nothing is about to change that.
    Missed,
}

fn failure_key(failure: &Failure) -> (String, String, i32) {
    (failure.node.clone(), failure.id.clone(), failure.call_id)
}

impl Follow {
    /// Begins to follow a cluster.
    ///
    /// # Errors
    /// Those of [`Watch::open`].
    pub(super) fn open(cluster: &Cluster, deadline: Instant) -> Result<Self> {
        let cib = cluster.cib();
        if cib.is_file() {
            let message = "a CIB file has no cluster to wait for";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let mut watch = Watch::open(&cib.with_timeout(left.min(cib.timeout())))?;
        let known = watch.status().failures;
        Ok(Self {
            cluster: cluster.clone(),
            watch,
            lost: None,
            known: known.iter().map(failure_key).collect(),
            unfinished: Vec::new(),
            told: Vec::new(),
            calm_since: None,
        })
    }

    /// Returns the CIB as it is known.
    pub(super) fn document(&self) -> &Document {
        self.watch.document()
    }

    /// Returns the status of the CIB as it is known.
    pub(super) fn status(&mut self) -> ClusterStatus {
        self.watch.status()
    }

    /// Waits until a condition holds; none when the deadline passes.
    ///
    /// # Errors
    /// When the system refuses to wait.
    pub(super) fn until(
        &mut self,
        deadline: Instant,
        mut condition: impl FnMut(&Document, &ClusterStatus) -> bool,
    ) -> Result<Option<ClusterStatus>> {
        loop {
            let status = self.watch.status();
            if condition(self.watch.document(), &status) {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                self.unfinished = Unfinished::in_status(&status);
                return Ok(None);
            }
            if self.cluster.teller.is_some() {
                self.unfinished = Unfinished::in_status(&status);
                self.tell();
            }
            // Also when none has come there is one more look: time alone may have made it true
            // (failures expire, rules have dates).
            self.changed_before(deadline)?;
        }
    }

    /// Waits until the cluster is settled, and tells whether a condition holds then.
    ///
    /// # Errors
    /// When the system refuses to wait, and those of the scheduler's simulation.
    pub(super) fn settled(
        &mut self,
        deadline: Instant,
        mut condition: impl FnMut(&Document, &ClusterStatus) -> Verdict,
    ) -> Result<Reached> {
        let mut pause = PAUSES.0;
        loop {
            let status = self.watch.status();
            let under_way = Unfinished::in_status(&status);
            // What comes next is a change of the CIB, unless the DC alone knows that it is at work.
            let mut until = deadline;
            // The daemons are asked only when the CIB leaves it open.
            let is_open = under_way.is_empty() && self.lost.is_none();
            self.unfinished = under_way;
            if is_open {
                match self.ask(deadline)? {
                    Answer::Idle => match condition(self.watch.document(), &status) {
                        Verdict::Reached => return Ok(Reached::Settled(status)),
                        Verdict::Missed => return Ok(Reached::Otherwise(status)),
                        Verdict::Coming(waiting) => self.unfinished = waiting,
                    },
                    Answer::Busy => {
                        until = Instant::now() + pause;
                        pause = (pause * 2).min(PAUSES.1);
                    }
                    Answer::After(time) => until = Instant::now() + time,
                }
            }
            self.tell();
            let has_changed = self.changed_before(until.min(deadline))?;
            // What was last found out is what is told of.
            if Instant::now() >= deadline {
                return Ok(Reached::Not);
            }
            if has_changed {
                pause = PAUSES.0;
            }
        }
    }

    /// Tells whether the cluster had settled, and something was still to come, when it was last looked.
    pub(super) fn is_waiting(&self) -> bool {
        let is_coming =
            |unfinished: &Unfinished| matches!(unfinished, Unfinished::NotRunning { .. });
        self.unfinished.iter().any(is_coming)
    }

    /// Tells what is not finished, when that is something else than before.
    fn tell(&mut self) {
        if let Some(Teller(tell)) = &self.cluster.teller
            && self.told != self.unfinished
        {
            tell(&self.unfinished);
            self.told.clone_from(&self.unfinished);
        }
    }

    /// Asks whether nothing remains to be done in a cluster whose CIB shows nothing under way; notes what does.
    fn ask(&mut self, deadline: Instant) -> Result<Answer> {
        let left = deadline.saturating_duration_since(Instant::now());
        match controld::ping(None, left.min(ANSWER)) {
            Ok(dc) if dc.is_idle() => {
                self.calm_since.get_or_insert_with(Instant::now);
            }
            Ok(dc) => {
                self.calm_since = None;
                self.unfinished.push(Unfinished::DcBusy {
                    node: dc.node,
                    state: dc.state,
                });
                return Ok(Answer::Busy);
            }
            Err(e) => {
                let cause = format!("{e:#}");
                self.unfinished.push(Unfinished::DcSilent { cause });
                return Ok(Answer::Busy);
            }
        }
        // The DC also looks idle when it has not seen the last change yet. What it will do then is
        // found from the CIB itself; from one that is as new as this node's.
        let newest = match self.newest(deadline) {
            Ok(version) => version,
            Err(e) => {
                let cause = format!("{e:#}");
                self.unfinished.push(Unfinished::Disconnected { cause });
                return Ok(Answer::Busy);
            }
        };
        let before = self.watch.document().version();
        self.take_news();
        let mirror = self.watch.document();
        if mirror.version() != before {
            return Ok(Answer::After(Duration::ZERO));
        }
        if mirror.version() < newest {
            return Ok(Answer::After(PAUSES.1));
        }
        match wanted(mirror)? {
            Some(wanted) => {
                if wanted.is_empty() {
                    return Ok(Answer::Idle);
                }
                self.unfinished.extend(wanted);
                Ok(Answer::After(PAUSES.1))
            }
            None => {
                let calm = self.calm_since.map_or(Duration::ZERO, |s| s.elapsed());
                Ok(match CALM.checked_sub(calm) {
                    None | Some(Duration::ZERO) => Answer::Idle,
                    Some(left) => Answer::After(left),
                })
            }
        }
    }

    /// The version that the CIB of this node has.
    fn newest(&self, deadline: Instant) -> Result<CibVersion> {
        let left = deadline.saturating_duration_since(Instant::now());
        let cib = self.cluster.cib();
        cib.with_timeout(left.min(cib.timeout())).version()
    }

    /// Waits for a change, and takes all that have come; false when none came by then.
    fn changed_before(&mut self, deadline: Instant) -> Result<bool> {
        let Some(update) = self.watch.next_before(deadline)? else {
            return Ok(false);
        };
        self.note(&update);
        self.take_news();
        Ok(true)
    }

    fn take_news(&mut self) {
        while let Some(update) = self.watch.try_next() {
            self.note(&update);
        }
    }

    fn note(&mut self, update: &Update) {
        self.calm_since = None;
        match update {
            Update::Lost { cause } => self.lost = Some(Arc::clone(cause)),
            Update::Reconnected { .. } => self.lost = None,
            _ => {}
        }
    }

    /// The error for a wait that has ended without what was waited for.
    pub(super) fn timed_out(&mut self, what: &str, timeout: Duration) -> Error {
        let message = format!("{what} after {:.1} s", timeout.as_secs_f64());
        let mut list = self.unfinished();
        // A CIB manager that hangs sends no changes either: what is known of the cluster is old then.
        if self.lost.is_none()
            && let Err(e) = self.newest(Instant::now() + LAST_LOOK)
        {
            let cause = format!("{e:#}");
            list.push(Unfinished::Disconnected { cause });
        }
        unfinished::timed_out(message, list)
    }

    /// Lists what was not finished when it was last looked, and what has failed since the start.
    pub(super) fn unfinished(&mut self) -> Vec<Unfinished> {
        let mut list = self.unfinished.clone();
        let lost = self.lost.as_deref();
        list.extend(lost.map(|cause| Unfinished::Disconnected {
            cause: cause.to_owned(),
        }));
        let status = self.watch.status();
        let failed = status.failures.iter();
        list.extend(
            failed
                .filter(|failure| !self.known.contains(&failure_key(failure)))
                .map(Unfinished::failed),
        );
        list
    }
}

/// Lists what Pacemaker's scheduler would do with this CIB; none when there is no scheduler to ask, or one
/// that cannot answer.
fn wanted(cib: &Document) -> Result<Option<Vec<Unfinished>>> {
    match change::outstanding(cib) {
        Ok(actions) => {
            let wanted = actions.into_iter();
            Ok(Some(
                wanted.map(|action| Unfinished::Wanted { action }).collect(),
            ))
        }
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {
            tracing::debug!("cannot ask the scheduler, watching the DC for longer: {e:#}");
            Ok(None)
        }
        Err(e) => Err(e),
    }
}
