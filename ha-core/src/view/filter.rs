//! What `--node` and `--resource` let through.

use crate::status::{ClusterStatus, Resource, ResourceIndex, ResourceKind};

/// The names that may be shown; without a list, all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Filter {
    nodes: Option<Vec<String>>,
    resources: Option<Vec<String>>,
}

impl Filter {
    /// Looks up a node and a resource, or the members of tags.
    pub(super) fn new(status: &ClusterStatus, node: Option<&str>, resource: Option<&str>) -> Self {
        let given = |name: Option<&str>| name.filter(|&name| name != "*").map(str::to_owned);
        Self {
            nodes: given(node).map(|name| nodes(status, &name)),
            resources: given(resource).map(|name| resources(status, &name)),
        }
    }

    /// Tells whether a node is let through.
    pub(super) fn node(&self, name: &str) -> bool {
        self.nodes
            .as_ref()
            .is_none_or(|nodes| nodes.iter().any(|node| node.eq_ignore_ascii_case(name)))
    }

    /// Tells whether a name is one of the resources asked for.
    pub(super) fn names(&self, name: &str) -> bool {
        self.resources
            .as_ref()
            .is_none_or(|names| names.iter().any(|wanted| wanted == name))
    }

    /// Tells whether a resource itself was asked for.
    pub(super) fn selects(&self, resource: &Resource) -> bool {
        self.names(&resource.id) || self.names(resource.printable_id())
    }

    /// Tells whether a resource or anything inside it was asked for.
    pub(super) fn touches(&self, status: &ClusterStatus, index: ResourceIndex) -> bool {
        if self.resources.is_none() {
            return true;
        }
        let resource = status.resource(index);
        self.selects(resource) || parts(resource).any(|part| self.touches(status, part))
    }

    /// Tells whether a resource is on a node that is let through, or is not active. A clone of which
    /// only instances are left that run on offline nodes and are not managed is nowhere.
    pub(super) fn is_near(&self, status: &ClusterStatus, index: ResourceIndex) -> bool {
        if !status.is_active(index, false) {
            return true;
        }
        let nodes = &status.resource(index).running_on;
        nodes.iter().any(|&node| self.node(&status.node(node).name))
    }

    /// Tells whether anything could be left out.
    pub(super) fn is_on(&self) -> bool {
        self.nodes.is_some() || self.resources.is_some()
    }
}

/// Returns the resources that a resource is made of.
fn parts(resource: &Resource) -> impl Iterator<Item = ResourceIndex> + '_ {
    let replicas = match &resource.kind {
        ResourceKind::Bundle { replicas, .. } => replicas.as_slice(),
        _ => &[],
    };
    let inside = replicas
        .iter()
        .flat_map(|r| [r.ip, r.child, Some(r.container), r.remote]);
    resource.children.iter().copied().chain(inside.flatten())
}

/// Returns the topmost resource that a resource is part of, a bundle included.
pub(super) fn top(status: &ClusterStatus, mut index: ResourceIndex) -> ResourceIndex {
    while let Some(parent) = status.resource(index).parent {
        index = parent;
    }
    index
}

fn nodes(status: &ClusterStatus, name: &str) -> Vec<String> {
    if let Some(node) = status.node_named(name) {
        return vec![node.name.clone()];
    }
    let tags = status.tags.iter().filter(|tag| tag.id == name);
    let ids: Vec<&str> = tags
        .flat_map(|tag| tag.references.iter().map(String::as_str))
        .collect();
    status
        .nodes()
        .filter(|node| ids.contains(&node.id.as_str()))
        .map(|node| node.name.clone())
        .collect()
}

fn resources(status: &ClusterStatus, name: &str) -> Vec<String> {
    if let Some(found) = resource(status, name) {
        return vec![found];
    }
    let tags = status.tags.iter().filter(|tag| tag.id == name);
    tags.flat_map(|tag| tag.references.iter())
        .filter_map(|reference| resource(status, reference))
        .collect()
}

/// Returns the name to look for: that of an instance when a number was given, else the one that
/// people know.
fn resource(status: &ClusterStatus, name: &str) -> Option<String> {
    let found = status
        .top_level()
        .find_map(|top| search(status, top, name))?;
    let found = status.resource(found);
    Some(if name.contains(':') {
        found.id.clone()
    } else {
        found.printable_id().to_owned()
    })
}

/// Finds what a name means, first among what is around it.
fn search(status: &ClusterStatus, index: ResourceIndex, name: &str) -> Option<ResourceIndex> {
    let resource = status.resource(index);
    if resource.answers_to(name) {
        return Some(index);
    }
    parts(resource).find_map(|part| search(status, part, name))
}
