//! The checks, each of one thing.

use std::collections::HashSet;

use crate::model::{Cib, RESOURCES, scalar};
use crate::status::{ClusterStatus, NodeKind, Resource, Role};
use crate::xml::Element;

use super::Finding;

pub(super) fn all(cib: &Cib<'_>, state: &ClusterStatus) -> Vec<Finding> {
    let mut found = Vec::new();
    cluster(state, &mut found);
    nodes(cib, state, &mut found);
    resources(state, &mut found);
    failures(state, &mut found);
    fencing(state, &mut found);
    left_behind(cib, &mut found);
    for (primitive, attribute) in unread_pings(cib) {
        found.push(Finding::PingUnread {
            resource: primitive.attribute("id").unwrap_or_default().to_owned(),
            attribute: attribute.to_owned(),
        });
    }
    references(cib, state, &mut found);
    let id = |primitive: Element<'_>| primitive.attribute("id").unwrap_or_default().to_owned();
    let resources: Vec<String> = unwatched(cib).map(id).collect();
    if !resources.is_empty() {
        found.push(Finding::NoMonitor { resources });
    }
    found
}

fn cluster(state: &ClusterStatus, found: &mut Vec<Finding>) {
    match &state.dc {
        None => found.push(Finding::NoDc),
        Some(dc) if dc.mixed_versions => found.push(Finding::MixedVersions),
        Some(_) => {}
    }
    if !state.quorate {
        found.push(Finding::NoQuorum);
    }
    if state.options.maintenance {
        found.push(Finding::MaintenanceMode);
    }
}

fn nodes(cib: &Cib<'_>, state: &ClusterStatus, found: &mut Vec<Finding>) {
    for node in state.nodes().filter(|node| !node.is_bundle) {
        let name = node.name.clone();
        if node.unclean {
            found.push(Finding::NodeUnclean { node: name });
            continue;
        }
        // A node without its controller may still count as one that is joining.
        let half = cib
            .node_states()
            .find(|e| e.attribute("uname") == Some(&node.name))
            .filter(|_| node.kind == NodeKind::Cluster)
            .and_then(half_there);
        if let Some(corosync) = half {
            found.push(Finding::NodeHalfThere {
                node: name,
                corosync,
            });
            continue;
        }
        if !node.online {
            found.push(Finding::NodeOffline { node: name });
            continue;
        }
        let maintenance = node.maintenance && !state.options.maintenance;
        if maintenance || node.standby || node.standby_on_fail {
            found.push(Finding::NodeOut {
                node: name,
                maintenance,
            });
        }
    }
}

/// Tells which layer alone has a node: true for Corosync.
///
/// Newer controllers write the time since when instead of a flag; 0 is never.
fn half_there(state: Element<'_>) -> Option<bool> {
    let member = state.attribute("in_ccm")?;
    let member =
        scalar::boolean(member).unwrap_or_else(|| scalar::integer(member).unwrap_or(0) > 0);
    let peer = state.attribute("crmd")?;
    let peer = peer == "online" || scalar::integer(peer).unwrap_or(0) > 0;
    (member != peer).then_some(member)
}

/// Tells whether something holds a resource back on purpose.
fn is_disabled(resource: &Resource) -> bool {
    resource.target_role == Some(Role::Stopped)
}

fn resources(state: &ClusterStatus, found: &mut Vec<Finding>) {
    // Of a clone, one instance is enough here: an explanation looks node by node.
    let active: HashSet<&str> = state
        .resources()
        .filter(|resource| !resource.running_on.is_empty())
        .map(|resource| resource.configured_id.as_str())
        .collect();
    // Nothing else finds these: a set beats a look at all that was found, of many instances.
    let mut told = HashSet::new();
    let mut tell = |found: &mut Vec<Finding>, finding: Finding, id: &str| {
        if told.insert((std::mem::discriminant(&finding), id.to_owned())) {
            found.push(finding);
        }
    };
    for resource in state.resources().filter(|r| !r.internal) {
        let printed = resource.printable_id();
        let id = || printed.to_owned();
        if resource.orphan {
            tell(found, Finding::Orphan { resource: id() }, printed);
            continue;
        }
        if !resource.is_primitive() {
            continue;
        }
        if resource.blocked {
            tell(found, Finding::Blocked { resource: id() }, printed);
        } else if !resource.managed && !state.options.maintenance && !resource.maintenance {
            tell(found, Finding::Unmanaged { resource: id() }, printed);
        }
        let migrating = resource.migration_source.is_some() || resource.migration_target.is_some();
        if resource.running_on.len() > 1 && !migrating {
            let name = |node| state.node(node).name.clone();
            found.push(Finding::MultiplyActive {
                resource: id(),
                nodes: resource.running_on.iter().copied().map(name).collect(),
            });
        }
        let idle = !active.contains(resource.configured_id.as_str());
        let under_way = resource.pending_task.is_some();
        if idle && !is_disabled(resource) && !under_way && !state.options.stop_all {
            tell(
                found,
                Finding::NotActive {
                    resource: resource.configured_id.clone(),
                },
                &resource.configured_id,
            );
        }
    }
}

fn failures(state: &ClusterStatus, found: &mut Vec<Finding>) {
    for history in &state.history {
        for entry in &history.resources {
            let Some(resource) = entry.resource.map(|index| state.resource(index)) else {
                continue;
            };
            let threshold = resource.migration_threshold;
            if entry.fail_count > 0 && threshold > 0 && entry.fail_count >= threshold {
                push_once(
                    found,
                    Finding::FailedTooOften {
                        resource: resource.printable_id().to_owned(),
                        node: state.node(history.node).name.clone(),
                    },
                );
            }
        }
    }
    for failure in &state.failures {
        let resource = failure.resource.as_ref().unwrap_or(&failure.history_id);
        let told = found.iter().any(|finding| {
            matches!(finding, Finding::FailedTooOften { resource: r, node } if r == resource && *node == failure.node)
        });
        if !told {
            push_once(
                found,
                Finding::FailedOperation {
                    resource: resource.clone(),
                    node: failure.node.clone(),
                    task: failure.operation.clone(),
                },
            );
        }
    }
}

fn fencing(state: &ClusterStatus, found: &mut Vec<Finding>) {
    let nodes = state
        .nodes()
        .filter(|node| node.kind == NodeKind::Cluster && !node.is_bundle)
        .count();
    if !state.options.fencing {
        if nodes > 1 {
            found.push(Finding::FencingOff { nodes });
        }
    } else if state.lacks_fence_device() {
        found.push(Finding::NoFenceDevice);
    }
}

fn left_behind(cib: &Cib<'_>, found: &mut Vec<Finding>) {
    for constraint in cib.constraints() {
        let Some(id) = constraint.attribute("id") else {
            continue;
        };
        if id.starts_with("cli-ban-")
            || id.starts_with("cli-prefer-")
            || id.starts_with("cli-standby-")
        {
            found.push(Finding::LeftBehind {
                constraint: id.to_owned(),
                resource: constraint.attribute("rsc").unwrap_or_default().to_owned(),
            });
        }
    }
}

/// The primitives, those in groups, clones and bundles included; templates are left out.
fn primitives<'d>(cib: &Cib<'d>) -> impl Iterator<Item = Element<'d>> + use<'d> {
    cib.resources()
        .flat_map(Element::descendants)
        .filter(|e| e.name() == "primitive")
}

fn template_of<'d>(cib: &Cib<'d>, primitive: Element<'d>) -> Option<Element<'d>> {
    cib.find("template", primitive.attribute("template")?)
}

/// The resources that ping, each with the attribute that it sets.
pub(crate) fn pings<'d>(cib: &Cib<'d>) -> impl Iterator<Item = (Element<'d>, &'d str)> {
    primitives(cib).filter_map(|primitive| {
        let template = template_of(cib, primitive);
        let agent = template.unwrap_or(primitive);
        let is = |name, value| agent.attribute(name) == Some(value);
        if !is("provider", "pacemaker") || !(is("type", "ping") || is("type", "pingd")) {
            return None;
        }
        let attribute = [Some(primitive), template]
            .into_iter()
            .flatten()
            .flat_map(|e| e.children_named("instance_attributes"))
            .map(|e| cib.resolve(e))
            .flat_map(Element::children)
            .find(|e| e.attribute("name") == Some("name"))
            .and_then(|e| e.attribute("value"))
            .unwrap_or("pingd");
        Some((primitive, attribute))
    })
}

/// The resources that ping and whose attribute no constraint reads.
pub(crate) fn unread_pings<'d>(cib: &Cib<'d>) -> Vec<(Element<'d>, &'d str)> {
    let rules = cib.constraints().flat_map(Element::descendants);
    let read: Vec<&str> = rules
        .filter(|e| matches!(e.name(), "expression" | "rule"))
        .filter_map(|e| e.attribute("attribute").or(e.attribute("score-attribute")))
        .collect();
    pings(cib)
        .filter(|(_, attribute)| !read.contains(attribute))
        .collect()
}

fn references(cib: &Cib<'_>, state: &ClusterStatus, found: &mut Vec<Finding>) {
    let known = |name: &str| {
        state.resource_index(name).is_some()
            || state.tags.iter().any(|tag| tag.id == name)
            || RESOURCES.iter().any(|tag| cib.find(tag, name).is_some())
    };
    for constraint in cib.constraints() {
        let id = constraint.attribute("id").unwrap_or_default();
        let resources = ["rsc", "with-rsc", "first", "then"]
            .into_iter()
            .filter_map(|name| constraint.attribute(name))
            .chain(
                constraint
                    .descendants()
                    .filter(|e| e.name() == "resource_ref")
                    .filter_map(|e| e.attribute("id")),
            );
        let missing = resources.filter(|name| !known(name));
        let node = constraint
            .attribute("node")
            .filter(|name| state.node_named(name).is_none());
        for name in missing.chain(node) {
            push_once(
                found,
                Finding::DanglingReference {
                    constraint: id.to_owned(),
                    name: name.to_owned(),
                },
            );
        }
    }
}

/// The resources that nobody looks at once they are started; fence devices need not be.
pub(crate) fn unwatched<'d>(cib: &Cib<'d>) -> impl Iterator<Item = Element<'d>> {
    primitives(cib).filter(|primitive| {
        let template = template_of(cib, *primitive);
        let class = template.unwrap_or(*primitive).attribute("class");
        let mut operations = [Some(*primitive), template]
            .into_iter()
            .flatten()
            .flat_map(|e| e.children_named("operations"))
            .map(|e| cib.resolve(e))
            .flat_map(|e| e.children_named("op"))
            .map(|e| cib.resolve(e));
        let watched = operations.any(|e| {
            let interval = e.attribute("interval").and_then(scalar::interval_ms);
            e.attribute("name") == Some("monitor") && interval.unwrap_or(0) > 0
        });
        class != Some("stonith") && !watched
    })
}

fn push_once(found: &mut Vec<Finding>, finding: Finding) {
    if !found.contains(&finding) {
        found.push(finding);
    }
}
