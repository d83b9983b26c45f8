//! What of a status makes a picture.

use std::collections::{BTreeMap, BTreeSet};

use super::{FailureKey, NodePicture, Picture, Place};
use crate::model::scalar;
use crate::status::{
    ClusterStatus, Failure, Node, NodeIndex, OperationRecord, Resource, ResourceIndex, Role,
};

/// The status of an operation that is under way.
const PENDING: i32 = -1;

impl Picture {
    /// Takes what events tell out of a status. The configuration is not part of that.
    #[must_use]
    pub fn of(status: &ClusterStatus) -> Self {
        let mut picture = Self {
            quorate: status.quorate,
            dc: status
                .dc
                .as_ref()
                .map(|dc| status.node(dc.node).name.clone()),
            nodes: status
                .nodes()
                .map(|node| (node.name.clone(), NodePicture::of(node)))
                .collect(),
            places: active(status),
            failures: status
                .failures
                .iter()
                .map(|failure| {
                    let reason = failure.exit_reason.clone().filter(|r| !r.is_empty());
                    (FailureKey::of(failure), (failure.rc, reason))
                })
                .collect(),
            ..Self::default()
        };
        for resource in status.resources() {
            if let (Some(node), Some(task)) = (resource.pending_node, &resource.pending_task) {
                let place = Place::new(resource.printable_id(), &status.node(node).name);
                picture.pending.insert((place, task.clone()));
            }
        }
        for ticket in &status.tickets {
            picture.set_ticket(&ticket.id, ticket.granted, ticket.standby);
        }
        picture
    }

    /// Takes over from an earlier picture what a status does not tell for a moment: the history of a
    /// resource on an online node is erased before the resource is looked at again, and a new Designated
    /// Controller erases all history of a node that joins before it writes it anew.
    pub(in crate::event) fn keep(&mut self, before: &Self, status: &ClusterStatus) {
        let silent = status.nodes().filter(|n| n.online && !n.has_history);
        for node in silent {
            let failures = before
                .failures
                .iter()
                .filter(|(key, _)| key.place.node == node.name);
            self.failures
                .extend(failures.map(|(key, failure)| (key.clone(), failure.clone())));
        }
        // While the end of something is under way, the CIB has no record of what it was.
        for (place, task) in &self.pending {
            if let Some(&role) = before.places.get(place)
                && matches!(task.as_str(), "stop" | "demote")
            {
                self.places.insert(place.clone(), role);
            }
        }
        let gone = before
            .places
            .iter()
            .filter(|(place, _)| !self.places.contains_key(place));
        let gone: Vec<_> = gone.collect();
        if gone.is_empty() {
            return;
        }
        let told = told(status);
        let configured = |id: &str| {
            let mut resources = status.resources();
            resources.any(|r| r.printable_id() == id && !r.orphan)
        };
        for (place, &role) in gone {
            let online = status
                .node_named(&place.node)
                .is_some_and(|node| node.online);
            if online && !told.contains(place) && configured(&place.resource) {
                self.places.insert(place.clone(), role);
            }
        }
    }
}

impl FailureKey {
    fn of(failure: &Failure) -> Self {
        let resource = failure.resource.as_ref().unwrap_or(&failure.history_id);
        Self {
            place: Place::new(resource, &failure.node),
            task: failure
                .task
                .clone()
                .unwrap_or_else(|| failure.operation.clone()),
            interval_ms: failure.interval_ms,
            call_id: failure.call_id,
        }
    }
}

impl NodePicture {
    fn of(node: &Node) -> Self {
        Self {
            online: node.online,
            unclean: node.unclean,
            // One that joins counts as such, whether or not somebody has asked for it.
            standby: node.standby && (!node.pending || scalar::is_true(node.attribute("standby"))),
            maintenance: node.maintenance,
            joining: node.pending,
            attributes: node
                .attributes
                .iter()
                .filter(|attribute| is_told(&attribute.name))
                .map(|attribute| (attribute.name.clone(), attribute.value.clone()))
                .collect(),
        }
    }
}

/// Tells whether changes of this attribute are told: not of those that the cluster keeps its books with,
/// nor of those that have events of their own.
fn is_told(attribute: &str) -> bool {
    let books = ["#", "fail-count-", "last-failure-"];
    !books.iter().any(|prefix| attribute.starts_with(prefix))
        && ![
            "shutdown",
            "terminate",
            "probe_complete",
            "standby",
            "maintenance",
        ]
        .contains(&attribute)
}

/// Lists where primitives are active.
///
/// A start that is under way or has failed is not an activity, a promotion that is under way or has failed
/// not a promoted role, although all of them count as such where the cluster's load is planned. A resource
/// that migrates is active where it comes from until it has arrived.
fn active(status: &ClusterStatus) -> BTreeMap<Place, Role> {
    let mut places = BTreeMap::new();
    let migrating = migrating(status);
    for index in status.resource_indexes() {
        let resource = status.resource(index);
        if !resource.is_primitive() || resource.internal {
            continue;
        }
        let id = resource.printable_id();
        if let Some(&node) = migrating.get(&index) {
            places.insert(Place::new(id, &status.node(node).name), resource.role);
            continue;
        }
        let promotable = is_promotable(status, resource);
        for &node in &resource.running_on {
            let here = resource.pending_node == Some(node);
            let failed = |task| resource.failed && last_failed(status, index, node, task);
            let has_left =
                resource.running_on.len() > 1 && last_done(status, index, node, "migrate_to");
            let role = match resource.pending_task.as_deref().filter(|_| here) {
                Some("start") => continue,
                _ if failed("start") || has_left => continue,
                Some("promote") => Role::Unpromoted,
                _ if failed("promote") => Role::Unpromoted,
                _ if promotable && resource.role == Role::Started => Role::Unpromoted,
                _ => resource.role,
            };
            places.insert(Place::new(id, &status.node(node).name), role);
        }
    }
    places
}

/// Lists the resources that migrate, with the node that they come from.
fn migrating(status: &ClusterStatus) -> BTreeMap<ResourceIndex, NodeIndex> {
    let mut found = BTreeMap::new();
    for history in status.history.iter().filter(|h| status.node(h.node).online) {
        for entry in &history.resources {
            let Some(resource) = entry.resource else {
                continue;
            };
            let left =
                last(&entry.operations).is_some_and(|o| o.task == "migrate_to" && is_success(o));
            // Where it goes, it is active when the history there says so.
            let arrived = || {
                let nodes = status.resource(resource).running_on.iter();
                nodes.filter(|&&node| node != history.node).any(|&node| {
                    let operations = operations(status, resource, node);
                    last(operations).is_some_and(|o| o.task != "stop" && is_success(o))
                })
            };
            if left && !arrived() {
                found.insert(resource, history.node);
            }
        }
    }
    found
}

fn is_promotable(status: &ClusterStatus, resource: &Resource) -> bool {
    let mut next = Some(resource);
    while let Some(resource) = next {
        if resource.promotable {
            return true;
        }
        next = resource.parent.map(|parent| status.resource(parent));
    }
    false
}

/// The history of a resource on a node, oldest first.
fn operations(
    status: &ClusterStatus,
    resource: ResourceIndex,
    node: NodeIndex,
) -> &[OperationRecord] {
    let histories = status.history.iter().filter(|history| history.node == node);
    let mut entries = histories.flat_map(|history| &history.resources);
    entries
        .find(|entry| entry.resource == Some(resource))
        .map_or(&[], |entry| &entry.operations)
}

/// The newest operation that is over.
fn last(operations: &[OperationRecord]) -> Option<&OperationRecord> {
    operations.iter().rev().find(|o| o.status != PENDING)
}

/// Done, and with a result that says that the resource is active (or promoted, or that it was left).
fn is_success(operation: &OperationRecord) -> bool {
    operation.status == 0 && matches!(operation.rc, 0 | 8)
}

fn last_done(status: &ClusterStatus, resource: ResourceIndex, node: NodeIndex, task: &str) -> bool {
    last(operations(status, resource, node)).is_some_and(|o| o.task == task && is_success(o))
}

/// Tells whether the last thing that a node did with a resource is this, and that it failed.
fn last_failed(
    status: &ClusterStatus,
    resource: ResourceIndex,
    node: NodeIndex,
    task: &str,
) -> bool {
    last(operations(status, resource, node)).is_some_and(|o| o.task == task && !is_success(o))
}

/// Lists where the histories tell what became of a resource: more than that it is being looked at.
fn told(status: &ClusterStatus) -> BTreeSet<Place> {
    let mut told = BTreeSet::new();
    for history in &status.history {
        let node = &status.node(history.node).name;
        for entry in &history.resources {
            let mut operations = entry.operations.iter();
            let known = operations.any(|o| o.status != PENDING || o.task != "monitor");
            if let Some(resource) = entry.resource.filter(|_| known) {
                let resource = status.resource(resource).printable_id();
                told.insert(Place::new(resource, node));
            }
        }
    }
    told
}
