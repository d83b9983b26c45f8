//! Moves, and what restarts share with them: done by a constraint that is there only for as long as they take.
//!
//! The constraint is removed when the operation ends, however it ends. It carries an end of its own, after
//! which it means nothing, and the name of the process that made it: what a killed process left behind is
//! removed by the next move, restart or [`Cluster::end_abandoned`] on the same node, and by anybody once that
//! node is not in the cluster or its time is over.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::follow::Follow;
use super::goal::Goal;
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
    /// or when it went back as soon as it was free to. [`ErrorKind::Timeout`] as for
    /// [`Operation::wait`](super::Operation::wait). [`ErrorKind::NotFound`], and those of
    /// [`Cluster::change`].
    pub fn wait(&self, timeout: Duration) -> Result<Moved> {
        self.run(timeout).with_context(|| self.what())
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
        cluster.end_abandoned()?;
        let deadline = exchange::deadline(timeout);
        let mut follow = Follow::open(cluster, deadline)?;
        let before = self.nodes(&follow.status());
        if self.is_there(&before) {
            return Ok(Moved::AlreadyThere);
        }
        self.refuse_what_is_nowhere(&before)?;
        if !self.forced {
            match self.foresee_in(follow.document()) {
                Ok(foreseen) => foreseen.refusal.map_or(Ok(()), Err)?,
                // Without a scheduler to ask, one has to try.
                Err(e) if is_without_scheduler(&e) => {}
                Err(e) => return Err(e),
            }
        }
        let maker = Maker::new();
        let guard = Guard::new(cluster, &maker, timeout + MARGIN);
        let changed =
            cluster.change(|cib| self.constrain(cib, &maker, &before, timeout + MARGIN))?;
        let goal = self.goal(&before);
        guard.end_after(follow.reach(&goal, deadline, timeout))?;
        // Free again, it may go back: what is told is where it stays.
        let left = deadline
            .saturating_duration_since(Instant::now())
            .max(MARGIN / 6);
        let status = cluster.settle(left)?;
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

    fn refuse_what_is_nowhere(&self, before: &[String]) -> Result<()> {
        if !before.is_empty() || self.to.is_some() {
            return Ok(());
        }
        let id = self.resource.id();
        let message = format!("{id} does not run anywhere");
        let hint = format!("start it, or ask why: crm_mon --why {id}");
        Err(Error::new(ErrorKind::Unsatisfied, message).with_hint(hint))
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
        if let Err(e) = self.refuse_what_is_nowhere(&before) {
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
        let (l, of) = (Language::French, Error::invalid(message.clone()));
        let french = format!("{} ; {}", of.text(l), reasons.text(l));
        let refusal = Error::new(ErrorKind::Unsatisfied, format!("{message}; {reasons}"))
            .in_french(french, reasons.hint_text(l));
        Ok(Some(match reasons.hint() {
            Some(hint) => refusal.with_hint(hint.to_owned()),
            None => refusal,
        }))
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
    /// Moves and restarts begin with it.
    ///
    /// # Errors
    /// Those of [`Cluster::change`].
    pub fn end_abandoned(&self) -> Result<Vec<String>> {
        let now = Timestamp::now();
        self.end_moves(|cib, constraint| {
            let is_gone = |maker: Maker| maker.is_gone() || maker.is_of_lost_node(cib);
            constraint.until.is_some_and(|until| until <= now)
                || Maker::of(&constraint.id).is_some_and(is_gone)
        })
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
        let of_moves = |cib: &Document| -> Vec<String> {
            let made = constraint::temporary(cib).into_iter();
            made.filter(|made| made.id.starts_with(MOVE_PREFIX) && wanted(cib, made))
                .map(|made| made.id)
                .collect()
        };
        let plan = self.change(|cib| {
            for id in of_moves(cib) {
                constraint::remove(cib, &id);
            }
            Ok(())
        })?;
        Ok(of_moves(plan.before()))
    }
}

/// How long the removal of an operation's constraints may take.
const TAKE_BACK: Duration = Duration::from_secs(30);

/// How long to wait before it is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// What is so when that does not succeed.
const LEFT: &str = "its temporary constraint could not be removed, and ends by itself";

/// Removes the constraints of an operation when that ends, in whatever way.
pub(super) struct Guard<'c> {
    cluster: &'c Cluster,
    maker: Maker,
    /// When they mean nothing any more.
    until: Instant,
    armed: bool,
}

impl<'c> Guard<'c> {
    pub(super) fn new(cluster: &'c Cluster, maker: &Maker, lasts: Duration) -> Self {
        Self {
            cluster,
            maker: maker.clone(),
            until: exchange::deadline(lasts),
            armed: true,
        }
    }

    /// Removes them after a wait, and returns how that has ended; when they could not be removed, that too.
    pub(super) fn end_after<T>(mut self, waited: Result<T>) -> Result<T> {
        self.armed = false;
        match (waited, self.remove()) {
            (waited, Ok(())) => waited,
            (Ok(_), Err(left)) => Err(left.context(LEFT)),
            (Err(e), Err(left)) => Err(e.context(format!("{LEFT} ({left:#})"))),
        }
    }

    /// Removes them; when that fails, goes on trying while this process lives and the constraints mean anything.
    fn remove(&self) -> Result<()> {
        let removed = self.maker.remove_constraints(self.cluster);
        if removed.is_err() {
            let (cluster, maker, until) = (self.cluster.clone(), self.maker.clone(), self.until);
            let again = std::thread::Builder::new().name("ha-end-of-move".to_owned());
            let spawned = again.spawn(move || {
                while Instant::now() < until {
                    std::thread::park_timeout(PAUSE);
                    match maker.remove_constraints(&cluster) {
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

/// The operation that made a constraint, as the constraint's id names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Maker {
    host: String,
    pid: i32,
    /// When the process started, in the kernel's ticks since boot: numbers of processes are used again.
    started: u64,
    /// Which operation of the process.
    number: u32,
}

impl Maker {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let pid = rustix::process::getpid().as_raw_pid();
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        Self {
            host,
            pid,
            started: started(pid).unwrap_or(0),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn of(id: &str) -> Option<Self> {
        let (_, maker) = id.rsplit_once("-by-")?;
        let mut parts = maker.rsplitn(4, '-');
        let number = parts.next()?.parse().ok()?;
        let started = parts.next()?.parse().ok()?;
        let pid = parts.next()?.parse().ok()?;
        let host = parts.next()?.to_owned();
        Some(Self {
            host,
            pid,
            started,
            number,
        })
    }

    /// The id of a constraint about a resource; of several, each has its number.
    pub(super) fn id(&self, resource: &str, nth: usize) -> String {
        let Self {
            host,
            pid,
            started,
            number,
        } = self;
        format!("{MOVE_PREFIX}{resource}.{nth}-by-{host}-{pid}-{started}-{number}")
    }

    fn remove_constraints(&self, cluster: &Cluster) -> Result<()> {
        let limit = cluster.cib().timeout().min(TAKE_BACK);
        let is_of_this = |_: &Document, made: &Temporary| Self::of(&made.id).as_ref() == Some(self);
        let removed = cluster.with_timeout(limit).end_moves(is_of_this);
        removed.map(drop)
    }

    fn is_of_same_process(&self, other: &Self) -> bool {
        (&self.host, self.pid, self.started) == (&other.host, other.pid, other.started)
    }

    /// Its process was one of a node that is known by its machine's name, and is not in the cluster now: what
    /// it has begun there ends nothing here.
    fn is_of_lost_node(&self, cib: &Document) -> bool {
        let status = status_of(cib);
        let node = status.node_named(&self.host);
        node.is_some_and(|node| !node.online && !node.pending)
    }

    /// Its process was one of this machine, and is no more.
    fn is_gone(&self) -> bool {
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        self.host == host && started(self.pid) != Some(self.started)
    }
}

/// When a process of this machine started, in the kernel's ticks since boot (field 22 of proc(5)'s stat).
fn started(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_maker() {
        let maker = Maker::new();
        assert_eq!(
            Maker::of(&maker.id("VIP-by-night", 3)).as_ref(),
            Some(&maker)
        );
        assert!(!maker.is_gone());
        assert!(maker.is_of_same_process(&Maker::new()));
        let other = Maker {
            started: maker.started + 1,
            ..maker.clone()
        };
        assert!(other.is_gone());
        let elsewhere = Maker {
            host: "elsewhere.example".to_owned(),
            ..other
        };
        assert!(!elsewhere.is_gone());
        assert_eq!(Maker::of("ha-move-VIP"), None);
    }
}
