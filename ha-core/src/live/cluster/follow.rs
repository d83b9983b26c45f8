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
/// The shortest and the longest time between two questions to the DC when the CIB does not change.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// How long the CIB manager may take to show, after a wait has timed out, that it still answers.
const LAST_LOOK: Duration = Duration::from_secs(2);

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
        mut condition: impl FnMut(&Document, &ClusterStatus) -> bool,
    ) -> Result<Reached> {
        let mut pause = PAUSES.0;
        let mut seen = self.watch.document().version();
        loop {
            let status = self.watch.status();
            self.unfinished = Unfinished::in_status(&status);
            // The daemons are asked only when the CIB leaves it open.
            let asked = self.unfinished.is_empty() && self.lost.is_none();
            if asked && self.is_idle(deadline)? {
                return Ok(if condition(self.watch.document(), &status) {
                    Reached::Settled(status)
                } else {
                    Reached::Otherwise(status)
                });
            }
            self.tell();
            let now = Instant::now();
            if now >= deadline {
                return Ok(Reached::Not);
            }
            // That the DC becomes idle changes nothing in the CIB, so no event tells it: it is asked
            // again after the next change, or after a pause that grows while nothing changes.
            let until = if asked { now + pause } else { deadline };
            self.changed_before(until.min(deadline))?;
            let version = self.watch.document().version();
            pause = if version == seen {
                (pause * 2).min(PAUSES.1)
            } else {
                PAUSES.0
            };
            seen = version;
        }
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

    /// Tells whether nothing remains to be done in a cluster whose CIB shows nothing under way; notes
    /// what does.
    fn is_idle(&mut self, deadline: Instant) -> Result<bool> {
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
                return Ok(false);
            }
            Err(e) => {
                let cause = format!("{e:#}");
                self.unfinished.push(Unfinished::DcSilent { cause });
                return Ok(false);
            }
        }
        // The DC also looks idle when it has not seen the last change yet. What it will do then is
        // found from the CIB itself; from one that is as new as this node's.
        let newest = match self.newest(deadline) {
            Ok(version) => version,
            Err(e) => {
                let cause = format!("{e:#}");
                self.unfinished.push(Unfinished::Disconnected { cause });
                return Ok(false);
            }
        };
        let before = self.watch.document().version();
        self.take_news();
        let mirror = self.watch.document();
        if mirror.version() != before || mirror.version() < newest {
            return Ok(false);
        }
        match wanted(mirror)? {
            Some(wanted) => {
                let nothing = wanted.is_empty();
                self.unfinished.extend(wanted);
                Ok(nothing)
            }
            None => Ok(self.calm_since.is_some_and(|since| since.elapsed() >= CALM)),
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
