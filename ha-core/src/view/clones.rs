//! A clone: its instances one by one, or only where they run.

use std::collections::BTreeMap;

use crate::model::operation::rc_text;
use crate::model::scalar::name_order;
use crate::status::{NodeIndex, Resource, ResourceIndex, ResourceKind, Role};

use super::out::{Lists, Xml};
use super::{Report, groups, json, resources};

/// What is said of an instance.
enum Instance {
    Full,
    Promoted(NodeIndex),
    Started(NodeIndex),
    Stopped,
    Hidden,
}

/// Prints a clone.
pub(super) fn print(report: &Report<'_>, index: ResourceIndex, out: &mut dyn Lists) -> bool {
    let status = report.status;
    let clone = status.resource(index);
    out.begin(&title(clone));
    let (mut promoted, mut started) = (Vec::new(), Vec::new());
    let mut stopped: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for instance in instances(report, clone) {
        match judge(report, clone, instance) {
            Instance::Full => {
                resources::print(report, instance, out);
            }
            Instance::Promoted(node) => promoted.push(node),
            Instance::Started(node) => started.push(node),
            Instance::Stopped => stopped
                .entry("Stopped".to_owned())
                .or_default()
                .push(status.resource(instance).id.clone()),
            Instance::Hidden => {}
        }
    }
    let active = promoted.len() + started.len();
    nodes_item(report, "Promoted", &promoted, out);
    let label = if !clone.promotable {
        "Started"
    } else if configured_role(report, clone) == Some(Role::Unpromoted) {
        "Unpromoted (target-role)"
    } else {
        "Unpromoted"
    };
    nodes_item(report, label, &started, out);
    if report.options.inactive && !report.options.detail {
        let max = match &clone.kind {
            ResourceKind::Clone(details) => details.max as usize,
            _ => 0,
        };
        if !clone.unique && max > active {
            stopped = stopped_nodes(report, index, clone);
        }
        for (state, mut names) in stopped {
            names.sort_by(|a, b| name_order(a, b));
            out.line(&format!("{state}: [ {} ]", names.join(" ")));
        }
    }
    let detail = report.options.detail;
    let lists_stopped = report.options.inactive && !detail;
    if report.filter.is_on() && !lists_stopped {
        return out.end_unless_empty() || detail;
    }
    out.end();
    true
}

/// Returns the instances that the filter lets through.
fn instances(report: &Report<'_>, clone: &Resource) -> Vec<ResourceIndex> {
    let all = report.filter.selects(clone);
    let instances = clone.children.iter().copied();
    instances
        .filter(|&instance| all || report.filter.touches(report.status, instance))
        .filter(|&instance| report.filter.is_near(report.status, instance))
        .collect()
}

fn configured_role(report: &Report<'_>, clone: &Resource) -> Option<Role> {
    report
        .status
        .configured_target_role(clone)
        .and_then(Role::parse)
}

fn title(clone: &Resource) -> String {
    let child = match &clone.kind {
        ResourceKind::Clone(details) => details.child_id.as_str(),
        _ => "",
    };
    let notes: Vec<&str> = [
        (clone.promotable, "promotable"),
        (clone.unique, "unique"),
        (!clone.managed, "unmanaged"),
        (clone.target_role.is_some(), "disabled"),
    ]
    .iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, note)| *note)
    .collect();
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!(" ({})", notes.join(", "))
    };
    format!("Clone Set: {} [{child}]{notes}", clone.id)
}

fn judge(report: &Report<'_>, clone: &Resource, index: ResourceIndex) -> Instance {
    let status = report.status;
    let instance = status.resource(index);
    let partly = status.is_active(index, false);
    let detail = report.options.detail;
    if clone.unique {
        return if partly || !clone.orphan || detail {
            Instance::Full
        } else {
            Instance::Hidden
        };
    }
    let pending = report.options.pending && instance.pending_task.is_some();
    let shows_inactive = report.options.inactive || report.options.brief;
    if detail && !partly && instance.is_group() && !shows_inactive {
        return Instance::Hidden;
    }
    if detail || pending {
        return Instance::Full;
    }
    if !partly {
        let listed = !instance.orphan && report.options.inactive;
        return if listed {
            Instance::Stopped
        } else {
            Instance::Hidden
        };
    }
    let any = |test: &dyn Fn(&Resource) -> bool| {
        test(instance)
            || instance
                .children
                .iter()
                .any(|&child| test(status.resource(child)))
    };
    if any(&|r| r.orphan) || any(&|r| !r.managed) || any(&|r| r.failed) {
        return Instance::Full;
    }
    if !status.is_active(index, true) {
        return Instance::Full;
    }
    let Some(location) = single_location(report, instance) else {
        return Instance::Full;
    };
    let node = status.node(location);
    if !node.online && node.unclean {
        return Instance::Full;
    }
    let role = instance
        .children
        .iter()
        .map(|&child| status.resource(child).role)
        .max()
        .unwrap_or(instance.role);
    if role > Role::Unpromoted {
        Instance::Promoted(location)
    } else {
        Instance::Started(location)
    }
}

fn single_location(report: &Report<'_>, instance: &Resource) -> Option<NodeIndex> {
    let members = instance
        .children
        .iter()
        .map(|&child| report.status.resource(child));
    let mut nodes: Vec<NodeIndex> = if instance.is_primitive() {
        instance.running_on.clone()
    } else {
        members
            .flat_map(|member| member.running_on.iter().copied())
            .collect()
    };
    nodes.sort_unstable();
    nodes.dedup();
    match nodes.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

fn nodes_item(report: &Report<'_>, label: &str, nodes: &[NodeIndex], out: &mut dyn Lists) {
    if nodes.is_empty() {
        return;
    }
    let mut names: Vec<&str> = nodes
        .iter()
        .map(|&node| report.status.node(node).name.as_str())
        .filter(|name| report.node_passes(name))
        .collect();
    if names.is_empty() {
        return;
    }
    names.sort_by(|a, b| name_order(a, b));
    out.line(&format!("{label}: [ {} ]", names.join(" ")));
}

/// Returns the nodes where no instance runs, by what is said of them.
fn stopped_nodes(
    report: &Report<'_>,
    index: ResourceIndex,
    clone: &Resource,
) -> BTreeMap<String, Vec<String>> {
    let status = report.status;
    let mut candidates: Vec<NodeIndex> = status
        .node_indexes()
        .filter(|&node| status.is_allowed(clone, node))
        .collect();
    if candidates.is_empty() {
        candidates.clone_from(&clone.known_on);
    }
    // Of nodes with the same name the last one counts.
    let mut states: BTreeMap<&str, String> = BTreeMap::new();
    for node in candidates {
        // Nodes with the same id are one.
        let id = &status.node(node).id;
        let runs = clone.running_on.iter().any(|&on| status.node(on).id == *id);
        if runs || !report.node_passes(&status.node(node).name) {
            continue;
        }
        let state = if let Some(failure) = status.masked_failure(index, Some(node)) {
            format!("Stopped ({})", rc_text(failure.rc))
        } else if configured_role(report, clone) == Some(Role::Stopped) {
            "Stopped (disabled)".to_owned()
        } else {
            "Stopped".to_owned()
        };
        states.insert(&status.node(node).name, state);
    }
    let mut stopped: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, state) in states {
        stopped.entry(state).or_default().push(name.to_owned());
    }
    stopped
}

/// Tells whether programs are told nothing of a clone, because nothing of it was asked for.
pub(super) fn is_left_out(report: &Report<'_>, clone: &Resource) -> bool {
    report.filter.is_on() && instances(report, clone).is_empty()
}

/// Writes a clone.
pub(super) fn xml(report: &Report<'_>, index: ResourceIndex, out: &mut Xml) {
    let clone = report.status.resource(index);
    if is_left_out(report, clone) {
        return;
    }
    out.open("clone");
    out.attribute("id", &clone.id);
    out.flag("multi_state", clone.promotable);
    out.flag("unique", clone.unique);
    out.flag("managed", clone.managed);
    out.flag("disabled", clone.target_role.is_some());
    out.flag("failed", clone.failed);
    out.flag("failure_ignored", clone.failure_ignored);
    if let Some(target) = report.status.configured_target_role(clone) {
        out.attribute("target_role", target);
    }
    for instance in instances(report, clone) {
        resources::xml_one(report, instance, out);
    }
    out.close();
}

/// Returns a clone as programs read it.
pub(super) fn json(report: &Report<'_>, index: ResourceIndex) -> json::CloneSet {
    let clone = report.status.resource(index);
    let target = report.status.configured_target_role(clone);
    let instances = instances(report, clone).into_iter();
    json::CloneSet {
        id: clone.id.clone(),
        multi_state: clone.promotable,
        unique: clone.unique,
        managed: clone.managed,
        disabled: clone.target_role.is_some(),
        failed: clone.failed,
        failure_ignored: clone.failure_ignored,
        target_role: target.map(str::to_owned),
        instances: instances
            .filter(|&instance| !groups::is_left_out(report, instance))
            .map(|instance| resources::json_one(report, instance))
            .collect(),
    }
}
