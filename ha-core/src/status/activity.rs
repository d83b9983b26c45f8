//! What counts as active, and on which node a resource is said to run.

use crate::model::operation::OperationKey;

use super::mapping::without_number;
use super::types::{
    BundleReplica, ClusterStatus, Failure, Node, NodeIndex, Reference, Resource, ResourceIndex,
    ResourceKind, Role,
};

impl ClusterStatus {
    /// Tells whether a resource is active: all of it, or any part of it.
    #[must_use]
    pub fn is_active(&self, index: ResourceIndex, all: bool) -> bool {
        let resource = self.resource(index);
        match &resource.kind {
            ResourceKind::Primitive(_) => resource.running_on.iter().any(|&node| {
                let node = self.node(node);
                node.unclean || node.online || !resource.managed
            }),
            ResourceKind::Group => {
                let mut states = resource
                    .children
                    .iter()
                    .map(|&child| self.is_active(child, all));
                if all {
                    !resource.children.is_empty() && states.all(|active| active)
                } else {
                    states.any(|active| active)
                }
            }
            ResourceKind::Clone(_) => {
                let mut states = resource
                    .children
                    .iter()
                    .map(|&child| self.is_active(child, all));
                if all {
                    states.all(|active| active)
                } else {
                    states.any(|active| active)
                }
            }
            ResourceKind::Bundle { replicas, .. } => self.is_bundle_active(replicas, all),
        }
    }

    /// A bundle is judged by the parts of each replica in turn, and the first one decides.
    fn is_bundle_active(&self, replicas: &[BundleReplica], all: bool) -> bool {
        let parts = |replica: &BundleReplica| {
            [
                replica.ip,
                replica.child,
                Some(replica.container),
                replica.remote,
            ]
        };
        let mut states = replicas
            .iter()
            .flat_map(parts)
            .flatten()
            .map(|part| self.is_active(part, all));
        if all {
            states.all(|active| active)
        } else {
            states.any(|active| active)
        }
    }

    /// Tells whether a primitive does its work, on a node or anywhere, in this role or a higher one: it
    /// runs there, no start of it is under way (and for [`Role::Promoted`] no promotion), and it has
    /// not failed.
    ///
    /// This is what a person means by "it runs", and what questions and explanations go by.
    /// [`is_active`](Self::is_active) is what `crm_mon` lists as active: there, one that starts or has
    /// failed counts too. Neither is the opposite of "stopped": a failed one may still hold an address.
    #[must_use]
    pub fn serves(&self, index: ResourceIndex, role: Role, on: Option<&Node>) -> bool {
        let resource = self.resource(index);
        let under_way = match resource.pending_task.as_deref() {
            Some("start") => true,
            Some("promote") => role == Role::Promoted,
            _ => false,
        };
        !under_way && !resource.failed && resource.role >= role && self.runs(resource, on)
    }

    /// Tells whether a primitive is somewhere, in whatever condition, on a node or anywhere.
    pub(crate) fn runs(&self, resource: &Resource, on: Option<&Node>) -> bool {
        let mut nodes = resource.running_on.iter();
        nodes.any(|&at| on.is_none_or(|node| self.node(at).id == node.id))
    }

    /// Returns the node that a primitive is said to run on: the source of a migration under way,
    /// else the first clean online one where that matters, else the first.
    #[must_use]
    pub fn current_node(&self, resource: &Resource) -> Option<NodeIndex> {
        if let Some(source) = resource.migration_source
            && resource.running_on.contains(&source)
        {
            return Some(source);
        }
        if resource.migration_source.is_none() && !resource.needs_fencing {
            let healthy = resource
                .running_on
                .iter()
                .copied()
                .find(|&node| self.node(node).is_healthy_member());
            if healthy.is_some() {
                return healthy;
            }
        }
        resource.running_on.first().copied()
    }

    /// Returns `target-role` as written for a resource, or else for the first thing inside it.
    #[must_use]
    pub fn configured_target_role<'a>(&'a self, resource: &'a Resource) -> Option<&'a str> {
        resource.target_role_text.as_deref().or_else(|| {
            let first = self.resource(*resource.children.first()?);
            first.target_role_text.as_deref()
        })
    }

    /// Returns the topmost ancestor below a bundle.
    #[must_use]
    pub fn top_of(&self, mut index: ResourceIndex) -> ResourceIndex {
        while let Some(parent) = self.resource(index).parent {
            if self.resource(parent).is_bundle() {
                break;
            }
            index = parent;
        }
        index
    }

    /// Tells whether a resource is, or belongs to, a promotable clone.
    #[must_use]
    pub fn is_in_promotable(&self, index: ResourceIndex) -> bool {
        let top = self.resource(self.top_of(index));
        top.is_clone() && top.promotable
    }

    /// Returns the probe that found the agent of a resource not installed: on this node, or on any.
    #[must_use]
    pub fn masked_failure(
        &self,
        index: ResourceIndex,
        node: Option<NodeIndex>,
    ) -> Option<&Failure> {
        // Instances of an anonymous clone share what is known of the thing that is cloned.
        let top = self.resource(self.top_of(index));
        let name = match &top.kind {
            ResourceKind::Clone(details) if !top.unique => details.child_id.as_str(),
            _ => self.resource(index).id.as_str(),
        };
        let node = node.map(|node| self.node(node).name.as_str());
        self.failures.iter().find(|failure| {
            let key = failure.key.as_deref().and_then(OperationKey::parse);
            failure.masked
                && failure
                    .on_node
                    .as_deref()
                    .is_some_and(|on| node.is_none_or(|node| on == node))
                && key.is_some_and(|key| without_number(key.resource) == without_number(name))
        })
    }

    /// Tells whether a resource may run on a node, as far as the list of allowed nodes goes.
    #[must_use]
    pub fn is_allowed(&self, resource: &Resource, node: NodeIndex) -> bool {
        let known = node.0 < resource.allowed_before && !self.node(node).is_implied;
        known || resource.allowed_only.contains(&node)
    }

    /// Returns the host that runs a guest node's container.
    #[must_use]
    pub fn host_of(&self, node: &Node) -> Option<NodeIndex> {
        let container = self.resource(node.connection?).container?;
        self.resource(container).running_on.first().copied()
    }

    /// Returns what a name stands for: a node, a resource, or the members of a tag.
    #[must_use]
    pub fn references(&self, name: &str) -> Vec<Reference> {
        let direct = |name: &str| {
            let node = self
                .node_indexes()
                .find(|&n| self.node(n).name.eq_ignore_ascii_case(name));
            let resource = self.resource_index(name);
            node.map(Reference::Node)
                .into_iter()
                .chain(resource.map(Reference::Resource))
                .collect::<Vec<_>>()
        };
        let found = direct(name);
        if !found.is_empty() {
            return found;
        }
        self.tags
            .iter()
            .filter(|tag| tag.id == name)
            .flat_map(|tag| tag.references.iter().flat_map(|id| direct(id)))
            .collect()
    }
}
