//! How often resources have failed, node by node.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::forget::is_within;
use super::goal::Goal;
use super::operation::Operation;
use super::resource::ResourceHandle;
use super::{Cluster, status_of};
use crate::change::edit::{node as edit, not_found};
use crate::live::pacemaker::watch::Watch;
use crate::live::pacemaker::{attrd, exchange};
use crate::status::ClusterStatus;
use crate::xml::Document;
use crate::{Error, ErrorKind};

/// How often a resource has failed on a node, as far as that was not forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FailCount {
    /// The primitive.
    pub resource: String,
    /// The node.
    pub node: String,
    /// How often; 1 000 000 stands for as often as is needed to keep it away (INFINITY).
    pub count: i32,
    /// When it failed last.
    #[serde(serialize_with = "as_text")]
    pub last: Option<Timestamp>,
}

fn as_text<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}

impl ResourceHandle {
    /// Lists how often it, or a part of it, has failed, node by node; only where it has.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such resource, and those of [`Cluster::status`].
    #[doc(alias = "crm_failcount --query")]
    pub fn fail_counts(&self) -> crate::Result<Vec<FailCount>> {
        counts(&self.cluster.status()?, &self.id)
    }

    /// Forgets how often it has failed, on one node or all: it may run again where it had failed too often. Its
    /// failed operations stay in the history; [`cleanup`](Self::cleanup) forgets both.
    #[doc(alias = "crm_failcount --delete")]
    pub fn forget_fail_counts(&self, node: Option<&str>) -> Operation {
        let what = format!("forget the fail counts of {}", self.id);
        let (id, at) = (self.id.clone(), node.map(str::to_owned));
        let (same_id, same_at) = (id.clone(), at.clone());
        Operation::call(
            &self.cluster,
            what,
            Goal::Settled,
            move |cluster, timeout| forget(cluster, &id, at.as_deref(), timeout),
        )
        .that_means(move |cib| {
            for count in wanted(cib, &same_id, same_at.as_deref())? {
                forget_in(cib, &count)?;
            }
            Ok(())
        })
    }
}

fn counts(status: &ClusterStatus, id: &str) -> crate::Result<Vec<FailCount>> {
    if !status.resources().any(|resource| resource.answers_to(id)) {
        let known = status.resources().map(|resource| resource.id.as_str());
        return Err(not_found("resource", id, known));
    }
    let mut counts = Vec::new();
    for history in &status.history {
        for entry in history
            .resources
            .iter()
            .filter(|entry| entry.fail_count > 0)
        {
            let Some(index) = entry.resource.filter(|&at| is_within(status, at, id)) else {
                continue;
            };
            counts.push(FailCount {
                resource: status.resource(index).printable_id().to_owned(),
                node: status.node(history.node).name.clone(),
                count: entry.fail_count,
                last: (entry.last_failure > 0)
                    .then(|| Timestamp::from_second(entry.last_failure).ok())
                    .flatten(),
            });
        }
    }
    Ok(counts)
}

fn wanted(cib: &Document, id: &str, node: Option<&str>) -> crate::Result<Vec<FailCount>> {
    if let Some(node) = node {
        crate::change::edit::find_node(cib, node)?;
    }
    let mut counts = counts(&status_of(cib), id)?;
    counts.retain(|count| node.is_none_or(|node| count.node == node));
    Ok(counts)
}

/// The attributes that count the failures of a resource: `fail-count-VIP#monitor_10000`.
fn forget_in(cib: &mut Document, count: &FailCount) -> crate::Result<()> {
    let status = cib.root().child("status");
    let state = status
        .into_iter()
        .flat_map(|status| status.children_named("node_state"))
        .find(|state| state.attribute("uname") == Some(&count.node));
    let counted = ["fail-count-", "last-failure-"].map(|kind| format!("{kind}{}", count.resource));
    let is_counter = |name: &&str| {
        let rest = counted
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix.as_str()));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
    };
    let names: Vec<String> = state
        .into_iter()
        .flat_map(|state| state.children_named("transient_attributes"))
        .flat_map(crate::xml::Element::descendants)
        .filter_map(|pair| pair.attribute("name"))
        .filter(is_counter)
        .map(str::to_owned)
        .collect();
    let mut forgotten = names.iter();
    forgotten.try_for_each(|name| edit::set_transient(cib, &count.node, name, None))
}

fn forget(
    cluster: &Cluster,
    id: &str,
    node: Option<&str>,
    timeout: std::time::Duration,
) -> crate::Result<()> {
    let deadline = exchange::deadline(timeout);
    let left = || deadline.saturating_duration_since(std::time::Instant::now());
    let mut watch = Watch::open(cluster.cib())?;
    for count in wanted(watch.document(), id, node)? {
        attrd::clear_failures(Some(&count.resource), Some(&count.node), left())?;
    }
    while !wanted(watch.document(), id, node)?.is_empty() {
        if watch.next_before(deadline)?.is_none() {
            let message = format!("the fail counts of {id} are still in the CIB");
            return Err(Error::new(ErrorKind::Timeout, message)
                .with_hint("the attribute manager writes only with a DC: look at crm_mon -1"));
        }
    }
    Ok(())
}
