//! Forgetting failures, and looking at resources again.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::follow::Follow;
use super::{Cluster, status_of};
use crate::change::edit::not_found;
use crate::live::pacemaker::{attrd, controld, exchange};
use crate::status::{ClusterStatus, OperationRecord, Resource, ResourceHistory, ResourceIndex};
use crate::{Error, ErrorExt, ErrorKind, Result};

/// What was forgotten about a resource on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Forgotten {
    /// The primitive.
    pub resource: String,
    /// The node.
    pub node: String,
    /// How often it had failed there.
    pub fail_count: i32,
    /// The operations that had failed there.
    pub failed: Vec<String>,
}

/// What is forgotten on one node, and how its end is known.
#[derive(Debug)]
struct Target {
    forgotten: Forgotten,
    /// The name in the history.
    history: String,
    request: controld::Resource,
    orphan: bool,
    /// The newest operation that is forgotten.
    newest: i32,
}

const PENDING: i32 = -1;

/// A clean-up (failures are forgotten) or a refresh (all that nodes remember is), of a resource or of all, on
/// a node or on all. The names are those of Pacemaker's tools from 1.1.18 on; before, they meant the opposite.
#[derive(Debug, Clone)]
#[must_use = "nothing is forgotten until it is waited for"]
pub struct Forget {
    cluster: Cluster,
    resource: Option<String>,
    node: Option<String>,
    all: bool,
}

impl Forget {
    pub(super) fn new(cluster: &Cluster, resource: Option<&str>, all: bool) -> Self {
        Self {
            cluster: cluster.clone(),
            resource: resource.map(str::to_owned),
            node: None,
            all,
        }
    }

    /// Limits it to a node.
    pub fn on(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }

    /// Lists what would be forgotten now, without changing anything.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such resource or node, and those of [`Cluster::status`].
    pub fn what_if(&self) -> Result<Vec<Forgotten>> {
        let targets = self.targets()?;
        Ok(targets.into_iter().map(|target| target.forgotten).collect())
    }

    /// Forgets it, and waits until the nodes have looked again. Returns what was forgotten; nothing when there
    /// was nothing. When the cause of a failure is still there, it comes back.
    ///
    /// # Errors
    /// Those of [`what_if`](Self::what_if), [`ErrorKind::Timeout`] when it is not
    /// looked at again in time, and those of the attribute manager and the controller.
    ///
    /// # Example
    /// ```no_run
    /// # use ha_core::live::cluster::{Cluster, ConnectOptions};
    /// let cluster = Cluster::connect(&ConnectOptions::default())?;
    /// let limit = std::time::Duration::from_secs(60);
    /// for gone in cluster.resource("VIP_externe").cleanup().wait(limit)? {
    ///     println!("{} on {}: {} failures", gone.resource, gone.node, gone.fail_count);
    /// }
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn wait(&self, timeout: Duration) -> Result<Vec<Forgotten>> {
        let what = if self.all {
            "look at resources again"
        } else {
            "forget failures"
        };
        self.run(timeout).context(what)
    }

    /// As [`wait`](Self::wait), for programs that run tokio. A future that is dropped does not take back what was
    /// sent.
    ///
    /// # Errors
    /// Those of [`wait`](Self::wait).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[cfg(feature = "tokio")]
    pub async fn wait_async(&self, timeout: Duration) -> Result<Vec<Forgotten>> {
        let this = self.clone();
        super::blocking(move || this.wait(timeout)).await
    }

    fn run(&self, timeout: Duration) -> Result<Vec<Forgotten>> {
        if self.cluster.cib().is_file() {
            let message = "the nodes of a running cluster forget; a CIB file has none";
            return Err(Error::new(ErrorKind::Unsupported, message).with_hint(
                "ask the cluster itself; what would be forgotten is told by --dry-run",
            ));
        }
        let deadline = exchange::deadline(timeout);
        self.cluster.tidy(deadline);
        // Before the first request, so that no answer is missed.
        let mut follow = Follow::open(&self.cluster, deadline)?;
        let targets = self.targets()?;
        for target in &targets {
            let left = || deadline.saturating_duration_since(Instant::now());
            let Forgotten { resource, node, .. } = &target.forgotten;
            attrd::clear_failures(Some(resource), Some(node), left())?;
            controld::refresh(node, &target.request, left())?;
        }
        let done = follow.until(deadline, |_, status| {
            targets.iter().all(|t| t.is_done(status))
        })?;
        if done.is_none() {
            return Err(follow.timed_out("not all resources were looked at again", timeout));
        }
        Ok(targets.into_iter().map(|target| target.forgotten).collect())
    }

    fn targets(&self) -> Result<Vec<Target>> {
        let status = status_of(&self.cluster.cib().query()?);
        let (resource, node) = (self.resource.as_deref(), self.node.as_deref());
        targets(&status, resource, node, self.all)
    }
}

impl Cluster {
    /// Forgets the failures of all resources: what has failed is looked at again, and may run there again.
    #[doc(alias = "crm_resource --cleanup")]
    pub fn cleanup(&self) -> Forget {
        Forget::new(self, None, false)
    }

    /// Has all that nodes remember of resources forgotten, and looked at again: for when somebody has started
    /// or stopped something behind the cluster's back.
    #[doc(alias = "crm_resource --refresh")]
    pub fn refresh(&self) -> Forget {
        Forget::new(self, None, true)
    }
}

fn targets(
    status: &ClusterStatus,
    resource: Option<&str>,
    node: Option<&str>,
    all: bool,
) -> Result<Vec<Target>> {
    if let Some(name) = node.filter(|name| status.node_named(name).is_none()) {
        let known = status.nodes().map(|node| node.name.as_str());
        return Err(not_found("node", name, known));
    }
    if let Some(id) = resource
        && !status.resources().any(|r| r.answers_to(id))
    {
        let known = status.resources().map(|resource| resource.id.as_str());
        return Err(not_found("resource", id, known));
    }
    let mut targets = Vec::new();
    for history in &status.history {
        let place = status.node(history.node);
        if !place.online || node.is_some_and(|node| !place.name.eq_ignore_ascii_case(node)) {
            continue;
        }
        for entry in &history.resources {
            let Some(index) = entry.resource else {
                continue;
            };
            if resource.is_none_or(|id| is_within(status, index, id)) {
                let target = Target::new(status, &place.name, entry, status.resource(index));
                targets.extend(target.filter(|t| all || t.has_failed()));
            }
        }
    }
    Ok(targets)
}

/// Tells whether a resource, or one that it is in, has this name.
pub(super) fn is_within(status: &ClusterStatus, index: ResourceIndex, id: &str) -> bool {
    let mut next = Some(index);
    while let Some(index) = next {
        let resource = status.resource(index);
        if resource.answers_to(id) {
            return true;
        }
        next = resource.parent;
    }
    false
}

fn newest(operations: &[OperationRecord]) -> i32 {
    let over = operations.iter().filter(|o| o.status != PENDING);
    over.map(|o| o.call_id).max().unwrap_or(-1)
}

impl Target {
    fn new(
        status: &ClusterStatus,
        node: &str,
        entry: &ResourceHistory,
        resource: &Resource,
    ) -> Option<Self> {
        let agent = resource.agent()?;
        let failures = status.failures.iter();
        let failed: HashSet<String> = failures
            .filter(|f| f.node == node && f.history_id == entry.id)
            .map(|f| f.task.clone().unwrap_or_else(|| f.operation.clone()))
            .collect();
        let mut failed: Vec<String> = failed.into_iter().collect();
        failed.sort();
        let id = resource.printable_id().to_owned();
        Some(Self {
            request: controld::Resource {
                instance: (entry.id != id).then(|| entry.id.clone()),
                id: id.clone(),
                standard: agent.class.clone(),
                provider: agent.provider.clone(),
                agent: agent.kind.clone(),
            },
            forgotten: Forgotten {
                resource: id,
                node: node.to_owned(),
                fail_count: entry.fail_count,
                failed,
            },
            history: entry.id.clone(),
            orphan: resource.orphan,
            newest: newest(&entry.operations),
        })
    }

    fn has_failed(&self) -> bool {
        self.forgotten.fail_count > 0 || !self.forgotten.failed.is_empty()
    }

    /// Tells whether the node has looked at the resource again, or has left the cluster.
    fn is_done(&self, status: &ClusterStatus) -> bool {
        let Some(node) = status.node_named(&self.forgotten.node).filter(|n| n.online) else {
            return true;
        };
        let histories = status.history.iter();
        let entry = histories
            .filter(|history| status.node(history.node).id == node.id)
            .flat_map(|history| &history.resources)
            .find(|entry| entry.id == self.history);
        match entry {
            Some(entry) => entry.fail_count == 0 && newest(&entry.operations) > self.newest,
            // Of what is not configured any more, nothing is left.
            None => self.orphan || status.resource_named(&self.forgotten.resource).is_none(),
        }
    }
}
