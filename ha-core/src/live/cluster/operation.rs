//! Operations: what an administrator asks of a cluster, seen beforehand, sent, and waited for.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::follow::{Follow, Reached};
use super::goal::Goal;
use super::{Cluster, status_of};
use crate::change::{Action, Plan};
use crate::live::pacemaker::exchange;
use crate::status::ClusterStatus;
use crate::xml::Document;
use crate::{Error, ErrorExt, ErrorKind, Result};

type Edit = Arc<dyn Fn(&mut Document) -> Result<()> + Send + Sync>;
type Call = Arc<dyn Fn(&Cluster, Duration) -> Result<()> + Send + Sync>;

/// How an operation is done.
#[derive(Clone)]
enum Deed {
    /// By a change of the CIB.
    Edit(Edit),
    /// By a request to a daemon; what that will make of the CIB is told for [`Operation::what_if`].
    Call { call: Call, means: Option<Edit> },
}

/// Something asked of the cluster, which has not been sent yet.
///
/// [`what_if`](Self::what_if) and [`plan`](Self::plan) tell beforehand, [`send`](Self::send) asks the cluster
/// and returns, [`wait`](Self::wait) asks and returns when it is done.
#[derive(Clone)]
#[must_use = "an operation does nothing until it is sent or waited for"]
pub struct Operation {
    cluster: Cluster,
    what: String,
    deed: Deed,
    goal: Goal,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("what", &self.what)
            .field("goal", &self.goal)
            .finish_non_exhaustive()
    }
}

/// How an operation has ended that was waited for.
#[derive(Clone)]
#[non_exhaustive]
pub struct Done {
    /// What was changed in the CIB; empty when everything was so already. Where a daemon was asked, what
    /// that makes of it.
    pub changed: Plan,
    /// What is so now.
    pub status: ClusterStatus,
    /// How long it took.
    pub elapsed: Duration,
}

impl fmt::Debug for Done {
    /// Without the status, which is that of a whole cluster.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Done")
            .field("changed", &self.changed.to_string())
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

impl Operation {
    /// An operation that changes the CIB.
    pub(super) fn edit(
        cluster: &Cluster,
        what: String,
        goal: Goal,
        edit: impl Fn(&mut Document) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            cluster: cluster.clone(),
            what,
            deed: Deed::Edit(Arc::new(edit)),
            goal,
        }
    }

    /// An operation that changes what the CIB says of something that has a name.
    pub(super) fn edit_of(
        cluster: &Cluster,
        verb: &str,
        name: &str,
        goal: Goal,
        edit: impl Fn(&mut Document, &str) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let (what, name) = (format!("{verb} {name}"), name.to_owned());
        Self::edit(cluster, what, goal, move |cib| edit(cib, &name))
    }

    /// An operation that a daemon does.
    pub(super) fn call(
        cluster: &Cluster,
        what: String,
        goal: Goal,
        call: impl Fn(&Cluster, Duration) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            cluster: cluster.clone(),
            what,
            deed: Deed::Call {
                call: Arc::new(call),
                means: None,
            },
            goal,
        }
    }

    /// Tells what the daemon will make of the CIB.
    pub(super) fn that_means(
        mut self,
        edit: impl Fn(&mut Document) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        if let Deed::Call { means, .. } = &mut self.deed {
            *means = Some(Arc::new(edit));
        }
        self
    }

    /// Returns what this is, in words: `stop VIP_externe`.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    fn foretold(&self) -> Option<&Edit> {
        match &self.deed {
            Deed::Edit(edit) => Some(edit),
            Deed::Call { means, .. } => means.as_ref(),
        }
    }

    /// Tells whether it can be said beforehand what this changes. Not of what is done to a machine: fencing it,
    /// confirming that it is off.
    #[must_use]
    pub fn is_foretold(&self) -> bool {
        self.foretold().is_some()
    }

    /// Returns what would be changed in the CIB now, without changing anything.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for what is not
    /// [foretold](Self::is_foretold);
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the resource or node does not exist, and
    /// those of [`Cib::query`](crate::live::pacemaker::cib::Cib::query).
    pub fn plan(&self) -> Result<Plan> {
        let Some(edit) = self.foretold() else {
            let message = "nobody can tell beforehand what a daemon will do";
            return Err(Error::new(ErrorKind::Unsupported, message).context(self.what.clone()));
        };
        let cib = self.cluster.cib().query();
        cib.and_then(|cib| Plan::new(cib, |cib| edit(cib)))
            .with_context(|| self.what.clone())
    }

    /// Asks Pacemaker's scheduler what would start, stop or move, without changing anything.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan) and of [`simulate`](crate::change::simulate).
    pub fn what_if(&self) -> Result<Vec<Action>> {
        let plan = self.plan()?;
        plan.what_if().with_context(|| self.what.clone())
    }

    /// Asks the cluster to do it, and does not wait. Returns what was changed in the CIB.
    ///
    /// What moves and restarts have left behind that did not end is removed too: see
    /// [`Cluster::end_abandoned`].
    ///
    /// # Errors
    /// Those of [`Cluster::change`]; those of the daemon that is asked.
    pub fn send(&self) -> Result<Plan> {
        let sent = match &self.deed {
            Deed::Edit(edit) => self.cluster.change(|cib| edit(cib)),
            // A file has no daemon that would do it.
            Deed::Call { means, .. } if self.cluster.cib().is_file() => {
                let means = means.as_ref().ok_or_else(|| {
                    Error::new(ErrorKind::Unsupported, "this takes a running cluster")
                });
                means.and_then(|edit| self.cluster.change(|cib| edit(cib)))
            }
            Deed::Call { call, means } => {
                let timeout = self.cluster.cib().timeout();
                let cib = self.cluster.cib().query();
                cib.and_then(|cib| {
                    call(&self.cluster, timeout)?;
                    let means = means.as_ref();
                    Plan::new(cib, |cib| means.map_or(Ok(()), |edit| edit(cib)))
                })
            }
        };
        let plan = sent.with_context(|| self.what.clone())?;
        self.cluster.tidy_as_of(plan.before());
        Ok(plan)
    }

    /// Asks the cluster to do it, and waits until it is done: what was asked is so, no operation is
    /// under way, and the cluster wants nothing more.
    ///
    /// # Errors
    /// Those of [`send`](Self::send). [`ErrorKind::Unsatisfied`](crate::ErrorKind::Unsatisfied) when the
    /// cluster has settled and what was asked is not so: the text says why. [`ErrorKind::Timeout`](
    /// crate::ErrorKind::Timeout) when it was not done in time: the text lists what is missing or under
    /// way. In both cases what was asked stays asked.
    pub fn wait(&self, timeout: Duration) -> Result<Done> {
        let began = Instant::now();
        if self.cluster.cib().is_file() {
            let changed = self.send()?;
            return Ok(Done {
                status: status_of(changed.after()),
                changed,
                elapsed: began.elapsed(),
            });
        }
        let deadline = exchange::deadline(timeout);
        // Followed from before: what happens at once is seen too.
        let mut follow =
            Follow::open(&self.cluster, deadline).with_context(|| self.what.clone())?;
        let changed = self.send()?;
        let done = follow.reach(&self.goal, deadline, timeout);
        let status = done.with_context(|| self.what.clone())?;
        Ok(Done {
            changed,
            status,
            elapsed: began.elapsed(),
        })
    }

    /// As [`wait`](Self::wait), for programs that run tokio. The work is done on a thread for blocking
    /// calls; a future that is dropped does not take back what was sent.
    ///
    /// # Errors
    /// Those of [`wait`](Self::wait).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[cfg(feature = "tokio")]
    pub async fn wait_async(&self, timeout: Duration) -> Result<Done> {
        let operation = self.clone();
        super::blocking(move || operation.wait(timeout)).await
    }

    /// As [`send`](Self::send), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[cfg(feature = "tokio")]
    pub async fn send_async(&self) -> Result<Plan> {
        let operation = self.clone();
        super::blocking(move || operation.send()).await
    }
}

impl Follow {
    /// Waits until the cluster is settled and a goal reached.
    ///
    /// # Errors
    /// As for [`Operation::wait`].
    pub(super) fn reach(
        &mut self,
        goal: &Goal,
        deadline: Instant,
        timeout: Duration,
    ) -> Result<ClusterStatus> {
        let reached = self.settled(deadline, |cib, status| goal.verdict(cib, status))?;
        match reached {
            Reached::Settled(status) => Ok(status),
            Reached::Otherwise(status) => Err(goal.unsatisfied(self.document(), &status)),
            Reached::Not => {
                let status = self.status();
                let what = match goal.missing(&status) {
                    Some(missing) => missing,
                    None if self.is_waiting() => "not all resources run".to_owned(),
                    None => "the cluster has not settled".to_owned(),
                };
                Err(self.timed_out(&what, timeout))
            }
        }
    }
}
