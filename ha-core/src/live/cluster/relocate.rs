//! Moves, and what restarts share with them: done by a constraint that is there only for as long as they take.
//!
//! The constraint is removed when the operation ends, however it ends. It carries an end of its own, after
//! which it means nothing, and the name of the process that made it: what a killed process left behind is
//! removed by the next move, restart or [`Cluster::end_abandoned`] on the same node, and by anybody once that
//! node is not in the cluster or its time is over.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::follow::{Follow, LAST_LOOK};
use super::goal::Goal;
use super::maker::Maker;
use super::operation::Done;
use super::resource::ResourceHandle;
use super::{Cluster, status_of};
use crate::change::edit::constraint::{self, MOVE_PREFIX, Reach, Temporary};
use crate::change::edit::{find_node, resource as edit};
use crate::change::{Action, Plan};
use crate::language::Language;
use crate::live::pacemaker::exchange;
use crate::status::ClusterStatus;
use crate::xml::Document;
use crate::{Error, ErrorExt, ErrorKind, Result};

/// How long a constraint outlives the time-out of its operation, should nobody remove it.
pub(super) const MARGIN: Duration = Duration::from_secs(60);

/// A move of a resource to another node.
#[derive(Debug, Clone)]
#[must_use = "a move does nothing until it is waited for"]
pub struct Move {
    resource: ResourceHandle,
    to: Option<String>,
    forced: bool,
}

/// How a move has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Moved {
    /// The resource was there already: nothing was done.
    AlreadyThere,
    /// It runs there now, and nothing is left of the move in the configuration.
    Done {
        /// Where it runs.
        to: Vec<String>,
        /// How the operation went.
        done: Box<Done>,
    },
}

/// What a move would do: see [`Move::foresee`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Foreseen {
    /// The resource is there: nothing would be done.
    pub already_there: bool,
    /// What would start, stop or move.
    pub actions: Vec<Action>,
    /// Why it would not be tried: the error that [`Move::wait`] would end with. A move that is
    /// [forced](Move::force) is tried all the same.
    pub refusal: Option<Error>,
}

impl Move {
    pub(super) fn new(resource: ResourceHandle, to: Option<String>) -> Self {
        Self {
            resource,
            to,
            forced: false,
        }
    }

    /// Tries it even when Pacemaker's scheduler says beforehand that it will not come about.
    pub fn force(mut self) -> Self {
        self.forced = true;
        self
    }

    /// Asks Pacemaker's scheduler what would start, stop or move, without changing anything.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the resource or node does not exist, those of
    /// [`Cib::query`](crate::live::pacemaker::cib::Cib::query) and of
    /// [`simulate`](crate::change::simulate).
    pub fn what_if(&self) -> Result<Vec<Action>> {
        let plan = self.plan(&self.resource.cluster.cib().query()?, MARGIN);
        plan.and_then(|plan| plan.what_if())
            .with_context(|| self.what())
    }

    /// Tells what [`wait`](Self::wait) would do now, or why it would not try, without changing anything.
    ///
    /// # Errors
    /// Those of [`what_if`](Self::what_if).
    ///
    /// # Example
    /// ```no_run
    /// # use ha_core::live::cluster::{Cluster, ConnectOptions};
    /// let cluster = Cluster::connect(&ConnectOptions::default())?;
    /// let foreseen = cluster.resource("VIP_externe").move_to("esclave").foresee()?;
    /// match foreseen.refusal {
    ///     Some(reason) => println!("it cannot run there: {reason:#}"),
    ///     None => foreseen.actions.iter().for_each(|action| println!("would {action}")),
    /// }
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn foresee(&self) -> Result<Foreseen> {
        let cib = self.resource.cluster.cib().query();
        cib.and_then(|cib| self.foresee_in(&cib))
            .map(|mut foreseen| {
                foreseen.refusal = foreseen.refusal.map(|e| e.context(self.what()));
                foreseen
            })
            .with_context(|| self.what())
    }

    /// Moves it and waits until the cluster has settled, with the resource where it was to go and without
    /// the constraint that brought it there. All other constraints stay, bans made on the command line too: one
    /// that is in the way is a reason not to move.
    ///
    /// # Errors
    /// [`ErrorKind::Unsatisfied`], with the reasons, when the scheduler says beforehand that it will not run
    /// there (nothing was changed then; see [`force`](Self::force)), when it does not run there in the end,
    /// or when it went back as soon as it was free to. It ends at most five seconds after the time-out: that is
    /// the time for a last look and for taking the constraint back; when a daemon hangs and it cannot be, the
    /// error says when it ends by itself, and as long as the program runs it goes on trying.
    /// [`ErrorKind::Timeout`] as for
    /// [`Operation::wait`](super::Operation::wait). [`ErrorKind::NotFound`], and those of
    /// [`Cluster::change`].
    pub fn wait(&self, timeout: Duration) -> Result<Moved> {
        self.run(timeout).with_context(|| self.what())
    }

    /// As [`foresee`](Self::foresee), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`foresee`](Self::foresee).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[cfg(feature = "tokio")]
    pub async fn foresee_async(&self) -> Result<Foreseen> {
        let this = self.clone();
        super::blocking(move || this.foresee()).await
    }

    /// As [`wait`](Self::wait), for programs that run tokio. A future that is dropped does not end the move.
    ///
    /// # Errors
    /// Those of [`wait`](Self::wait).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[cfg(feature = "tokio")]
    pub async fn wait_async(&self, timeout: Duration) -> Result<Moved> {
        let this = self.clone();
        super::blocking(move || this.wait(timeout)).await
    }

    fn what(&self) -> String {
        let id = self.resource.id();
        match &self.to {
            Some(to) => format!("move {id} to {to}"),
            None => format!("move {id} away"),
        }
    }

    fn plan(&self, cib: &Document, lasts: Duration) -> Result<Plan> {
        let here = self.nodes(&status_of(cib));
        Plan::new(cib.clone(), |cib| {
            self.constrain(cib, &Maker::new(), &here, lasts)
        })
    }

    fn constrain(
        &self,
        cib: &mut Document,
        maker: &Maker,
        here: &[String],
        lasts: Duration,
    ) -> Result<()> {
        let target = edit::movable(cib, self.resource.id())?.to_owned();
        let element = crate::change::edit::find_resource(cib, &target)?;
        if matches!(element.name(), "clone" | "master") {
            let message = format!("{} is cloned: it runs on each node", self.resource.id());
            return Err(Error::invalid(message)
                .with_hint("ban it from a node instead, or prefer a node for its promoted role"));
        }
        let reach = Reach::default().until(end_of(lasts));
        match &self.to {
            Some(node) => {
                find_node(cib, node)?;
                constraint::prefer_as(cib, &maker.id(&target, 0), &target, node, &reach)
            }
            None => here.iter().enumerate().try_for_each(|(n, node)| {
                constraint::ban_as(cib, &maker.id(&target, n), &target, node, &reach)
            }),
        }
    }

    /// Where the resource, or the group around it, runs.
    fn nodes(&self, status: &ClusterStatus) -> Vec<String> {
        let on = status.active_on(self.resource.id());
        on.into_iter().map(str::to_owned).collect()
    }

    fn run(&self, timeout: Duration) -> Result<Moved> {
        let began = Instant::now();
        let cluster = &self.resource.cluster;
        let deadline = exchange::deadline(timeout);
        cluster.until(deadline).end_abandoned()?;
        let mut follow = Follow::open(cluster, deadline)?;
        let before = self.nodes(&follow.status());
        if self.is_there(&before) {
            return Ok(Moved::AlreadyThere);
        }
        self.refuse_what_is_nowhere(&before, follow.document())?;
        if !self.forced {
            match self.foresee_in(follow.document()) {
                Ok(foreseen) => foreseen.refusal.map_or(Ok(()), Err)?,
                // Without a scheduler to ask, one has to try.
                Err(e) if is_without_scheduler(&e) => {}
                Err(e) => return Err(e),
            }
        }
        let maker = Maker::new();
        let guard = Guard::new(cluster, &maker, deadline);
        let lasts = left(deadline) + MARGIN;
        let changed = cluster
            .until(deadline)
            .change(|cib| self.constrain(cib, &maker, &before, lasts))?;
        let goal = self.goal(&before);
        guard.end_after(follow.reach(&goal, deadline, timeout))?;
        // Free again, it may go back: what is told is where it stays.
        let status = cluster.settle(left(deadline).max(LAST_LOOK))?;
        if let Some(missing) = goal.missing(&status) {
            let message = format!("it went there and came back: {missing}");
            return Err(Error::new(ErrorKind::Unsatisfied, message).with_hint(
                "another location constraint outweighs its resource-stickiness: change one of them, or \
                 use prefer or ban, which stay",
            ));
        }
        Ok(Moved::Done {
            to: self.nodes(&status),
            done: Box::new(Done {
                changed,
                status,
                elapsed: began.elapsed(),
            }),
        })
    }

    fn goal(&self, before: &[String]) -> Goal {
        let id = self.resource.id();
        match &self.to {
            Some(to) => Goal::resource(id, format!("started on {to}")),
            None => Goal::Left {
                resource: id.to_owned(),
                nodes: before.to_vec(),
            },
        }
    }

    fn is_there(&self, before: &[String]) -> bool {
        self.to.as_ref().is_some_and(|to| before == [to.clone()])
    }

    fn refuse_what_is_nowhere(&self, before: &[String], cib: &Document) -> Result<()> {
        if !before.is_empty() || self.to.is_some() {
            return Ok(());
        }
        let id = self.resource.id();
        let reasons = Goal::resource(id, "started").unsatisfied(cib, &status_of(cib));
        let message = format!("{id} does not run anywhere");
        Err(with_reasons(&message, &reasons))
    }

    /// Asks the scheduler what would happen, and whether the resource would arrive.
    fn foresee_in(&self, cib: &Document) -> Result<Foreseen> {
        let before = self.nodes(&status_of(cib));
        // First of all: whether there are such a resource and such a node.
        let plan = self.plan(cib, MARGIN)?;
        let mut foreseen = Foreseen {
            already_there: self.is_there(&before),
            actions: Vec::new(),
            refusal: None,
        };
        if foreseen.already_there {
            return Ok(foreseen);
        }
        if let Err(e) = self.refuse_what_is_nowhere(&before, cib) {
            foreseen.refusal = Some(e);
            return Ok(foreseen);
        }
        foreseen.actions = plan.what_if()?;
        foreseen.refusal = self.refusal(&plan, &foreseen.actions, &before)?;
        Ok(foreseen)
    }

    /// Why it would not arrive.
    fn refusal(&self, plan: &Plan, actions: &[Action], before: &[String]) -> Result<Option<Error>> {
        let cib = plan.after();
        let target = edit::movable(cib, self.resource.id())?;
        let parts: HashSet<&str> = crate::change::edit::find_resource(cib, target)?
            .descendants()
            .filter_map(|part| part.attribute("id"))
            .collect();
        let arrives = |action: &Action| {
            let to = action.to.as_ref();
            let moved = action.resource.as_deref().unwrap_or_default();
            let moved = moved.split(':').next().unwrap_or_default();
            !action.blocked
                && parts.contains(moved)
                && to.is_some_and(|to| match &self.to {
                    Some(wanted) => to == wanted,
                    None => !before.contains(to),
                })
        };
        if actions.iter().any(arrives) {
            return Ok(None);
        }
        let goal = self.goal(before);
        let reasons = goal.unsatisfied(plan.after(), &status_of(plan.after()));
        let mut message = "the cluster would not run it there".to_owned();
        let blocked: Vec<String> = actions.iter().map(Action::to_string).collect();
        if !blocked.is_empty() {
            message = format!("{message}, it would only: {}", blocked.join(", "));
        }
        Ok(Some(with_reasons(&message, &reasons)))
    }
}

/// A refusal with what is so instead, and why.
fn with_reasons(message: &str, reasons: &Error) -> Error {
    let (l, of) = (Language::French, Error::invalid(message.to_owned()));
    let french = format!("{} ; {}", of.text(l), reasons.text(l));
    let refusal = Error::new(ErrorKind::Unsatisfied, format!("{message}; {reasons}"))
        .in_french(french, reasons.hint_text(l));
    match reasons.hint() {
        Some(hint) => refusal.with_hint(hint.to_owned()),
        None => refusal,
    }
}

fn is_without_scheduler(e: &Error) -> bool {
    matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Unsupported)
}

impl Cluster {
    /// Removes the constraints of moves and restarts that did not end: those of processes of this node that
    /// are no more, those of nodes that are not in the cluster now, and those whose time is over. Returns their
    /// ids.
    ///
    /// Moves and restarts begin with it, and every other operation on a running cluster does it too.
    ///
    /// # Errors
    /// Those of [`Cluster::change`].
    pub fn end_abandoned(&self) -> Result<Vec<String>> {
        self.end_moves(is_abandoned)
    }

    /// Returns the ids of the constraints that [`end_abandoned`](Self::end_abandoned) would remove now.
    ///
    /// # Errors
    /// Those of [`Cib::query`](crate::live::pacemaker::cib::Cib::query).
    pub fn abandoned(&self) -> Result<Vec<String>> {
        Ok(of_moves(&self.cib().query()?, is_abandoned))
    }

    /// As [`end_abandoned`](Self::end_abandoned), beside an operation that does not depend on it.
    pub(super) fn tidy(&self, deadline: Instant) {
        if self.cib().is_file() {
            return;
        }
        if let Err(e) = self.until(deadline).end_abandoned() {
            tracing::warn!("what moves have left behind could not be removed: {e:#}");
        }
    }

    /// The same, when a CIB that was read shows that there is something to remove.
    pub(super) fn tidy_as_of(&self, cib: &Document) {
        if !of_moves(cib, is_abandoned).is_empty() {
            self.tidy(exchange::deadline(self.cib().timeout()));
        }
    }

    /// The session with a time limit for its calls that ends at a deadline at the latest.
    pub(super) fn until(&self, deadline: Instant) -> Self {
        self.with_timeout(self.cib().timeout().min(left(deadline)))
    }

    /// Removes the constraints of the moves and restarts that this process has under way, which then fail:
    /// for a program that is told to end.
    ///
    /// # Errors
    /// Those of [`Cluster::change`].
    pub fn end_own(&self) -> Result<Vec<String>> {
        let own = Maker::new();
        self.end_moves(|_, constraint| {
            Maker::of(&constraint.id).is_some_and(|maker| maker.is_of_same_process(&own))
        })
    }

    fn end_moves(&self, wanted: impl Fn(&Document, &Temporary) -> bool) -> Result<Vec<String>> {
        let plan = self.change(|cib| {
            for id in of_moves(cib, &wanted) {
                constraint::remove(cib, &id);
            }
            Ok(())
        })?;
        Ok(of_moves(plan.before(), &wanted))
    }
}

/// Lists the constraints of moves and restarts that are wanted.
fn of_moves(cib: &Document, wanted: impl Fn(&Document, &Temporary) -> bool) -> Vec<String> {
    let made = constraint::temporary(cib).into_iter();
    made.filter(|made| made.id.starts_with(MOVE_PREFIX) && wanted(cib, made))
        .map(|made| made.id)
        .collect()
}

pub(super) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Tells whether nobody will take back the constraint of a move.
fn is_abandoned(cib: &Document, constraint: &Temporary) -> bool {
    let is_gone = |maker: Maker| maker.is_gone() || maker.is_of_lost_node(cib);
    let now = Timestamp::now();
    constraint.until.is_some_and(|until| until <= now)
        || Maker::of(&constraint.id).is_some_and(is_gone)
}

/// How long the removal of an operation's constraints may take after the operation's time-out.
const TAKE_BACK: Duration = Duration::from_secs(3);

/// How long it may take when it is tried again beside other work.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before it is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// What is so when that does not succeed.
const LEFT: &str = "its temporary constraint could not be removed, and ends by itself";

/// Removes the constraints of an operation.
fn remove_constraints(maker: &Maker, cluster: &Cluster, limit: Duration) -> Result<()> {
    let limit = cluster.cib().timeout().min(limit);
    let is_of_this = |_: &Document, made: &Temporary| Maker::of(&made.id).as_ref() == Some(maker);
    let removed = cluster.with_timeout(limit).end_moves(is_of_this);
    removed.map(drop)
}

/// Removes the constraints of an operation when that ends, in whatever way.
pub(super) struct Guard<'c> {
    cluster: &'c Cluster,
    maker: Maker,
    /// When the operation is to end.
    deadline: Instant,
    /// When they mean nothing any more.
    end: Timestamp,
    armed: bool,
}

impl<'c> Guard<'c> {
    pub(super) fn new(cluster: &'c Cluster, maker: &Maker, deadline: Instant) -> Self {
        Self {
            cluster,
            maker: maker.clone(),
            deadline,
            end: end_of(left(deadline) + MARGIN),
            armed: true,
        }
    }

    /// Removes them after a wait, and returns how that has ended; when they could not be removed, that too.
    pub(super) fn end_after<T>(mut self, waited: Result<T>) -> Result<T> {
        self.armed = false;
        match (waited, self.remove()) {
            (waited, Ok(())) => waited,
            (Ok(_), Err(e)) => Err(e.context(self.left_behind())),
            (Err(e), Err(left)) => Err(e.context(format!("{} ({left:#})", self.left_behind()))),
        }
    }

    fn left_behind(&self) -> String {
        let end = self.end.strftime("%F %T UTC");
        format!("{LEFT} at {end}")
    }

    /// Removes them; when that fails, goes on trying while this process lives and the constraints mean anything.
    fn remove(&self) -> Result<()> {
        let limit = left(self.deadline).max(TAKE_BACK);
        let removed = remove_constraints(&self.maker, self.cluster, limit);
        if removed.is_err() {
            let (cluster, maker, until) = (self.cluster.clone(), self.maker.clone(), self.end);
            let again = std::thread::Builder::new().name("ha-end-of-move".to_owned());
            let spawned = again.spawn(move || {
                while Timestamp::now() < until {
                    std::thread::park_timeout(PAUSE);
                    match remove_constraints(&maker, &cluster, PATIENCE) {
                        Ok(()) => return,
                        Err(e) => tracing::debug!("{LEFT}: {e:#}"),
                    }
                }
            });
            if let Err(e) = spawned {
                tracing::warn!("{LEFT}, and no thread can try it again: {e}");
            }
        }
        removed
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.armed
            && let Err(e) = self.remove()
        {
            tracing::warn!("{LEFT}: {e:#}");
        }
    }
}

pub(super) fn end_of(lasts: Duration) -> Timestamp {
    let end = Timestamp::now().checked_add(lasts);
    end.unwrap_or(Timestamp::MAX)
}
