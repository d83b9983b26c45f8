//! Restarts: a constraint keeps the resource off all nodes until it is stopped.

use std::time::{Duration, Instant};

use super::follow::Follow;
use super::goal::Goal;
use super::maker::Maker;
use super::operation::Done;
use super::relocate::{Guard, MARGIN, end_of, left};
use super::resource::ResourceHandle;
use super::status_of;
use crate::change::edit::constraint;
use crate::change::{Action, Plan};
use crate::live::pacemaker::exchange;
use crate::status::ClusterStatus;
use crate::xml::Document;
use crate::{ErrorExt, Result};

/// A stop and a start of a resource.
#[derive(Debug, Clone)]
#[must_use = "a restart does nothing until it is waited for"]
pub struct Restart {
    resource: ResourceHandle,
}

impl Restart {
    pub(super) fn new(resource: ResourceHandle) -> Self {
        Self { resource }
    }

    /// Asks Pacemaker's scheduler what would stop, without changing anything. All of it is started again.
    ///
    /// # Errors
    /// As for [`Move::what_if`](super::Move::what_if), and [`ErrorKind::Unsatisfied`](crate::ErrorKind::Unsatisfied) when it does not run.
    pub fn what_if(&self) -> Result<Vec<Action>> {
        let cib = self.resource.cluster.cib().query()?;
        self.refuse_what_is_stopped(&cib, &status_of(&cib))
            .with_context(|| self.what())?;
        let plan = Plan::new(cib, |cib| self.hold(cib, &Maker::new(), MARGIN));
        plan.and_then(|plan| plan.what_if())
            .with_context(|| self.what())
    }

    /// Stops it (and what depends on it) everywhere, waits until all is stopped, lets it run again and
    /// waits until it does.
    ///
    /// Its target role is not touched. A program that is killed meanwhile leaves a constraint that ends by
    /// itself.
    ///
    /// # Errors
    /// [`ErrorKind::Unsatisfied`](crate::ErrorKind::Unsatisfied) when it does not run, or does not stop or start;
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) as for [`Operation::wait`](super::Operation::wait);
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound), and those of [`Cluster::change`](super::Cluster::change).
    pub fn wait(&self, timeout: Duration) -> Result<Done> {
        self.run(timeout).with_context(|| self.what())
    }

    /// As [`wait`](Self::wait), for programs that run tokio. A future that is dropped does not end the restart.
    ///
    /// # Errors
    /// Those of [`wait`](Self::wait).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[cfg(feature = "tokio")]
    pub async fn wait_async(&self, timeout: Duration) -> Result<Done> {
        let this = self.clone();
        super::blocking(move || this.wait(timeout)).await
    }

    fn what(&self) -> String {
        format!("restart {}", self.resource.id())
    }

    fn is(&self, words: &str) -> Goal {
        Goal::resource(self.resource.id(), words)
    }

    fn refuse_what_is_stopped(&self, cib: &Document, status: &ClusterStatus) -> Result<()> {
        match self.is("stopped").missing(status) {
            None => Err(self.is("started").unsatisfied(cib, status)),
            Some(_) => Ok(()),
        }
    }

    fn hold(&self, cib: &mut Document, maker: &Maker, lasts: Duration) -> Result<()> {
        let id = self.resource.id();
        constraint::hold_as(cib, &maker.id(id, 0), id, end_of(lasts))
    }

    fn run(&self, timeout: Duration) -> Result<Done> {
        let began = Instant::now();
        let cluster = &self.resource.cluster;
        let deadline = exchange::deadline(timeout);
        cluster.until(deadline).end_abandoned()?;
        let mut follow = Follow::open(cluster, deadline)?;
        let (stopped, started) = (self.is("stopped"), self.is("started"));
        let status = follow.status();
        self.refuse_what_is_stopped(follow.document(), &status)?;
        let maker = Maker::new();
        let guard = Guard::new(cluster, &maker, deadline);
        let lasts = left(deadline) + MARGIN;
        let changed = cluster
            .until(deadline)
            .change(|cib| self.hold(cib, &maker, lasts))?;
        guard.end_after(follow.reach(&stopped, deadline, timeout))?;
        let status = follow.reach(&started, deadline, timeout)?;
        Ok(Done {
            changed,
            status,
            elapsed: began.elapsed(),
        })
    }
}
