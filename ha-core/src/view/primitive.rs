//! One primitive, on one line.

use crate::model::operation::rc_text;
use crate::status::{Agent, NodeIndex, Resource, ResourceIndex, Role};

use super::out::{Lists, Span, Xml};
use super::{Report, json};

/// How a primitive is printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'n> {
    /// The name to print.
    pub(super) name: &'n str,
    /// The node to name, when there is one to name.
    pub(super) node: Option<NodeIndex>,
    /// The node is named elsewhere.
    pub(super) on_node: bool,
}

/// Prints a primitive. Returns whether it was printed.
pub(super) fn print(
    report: &Report<'_>,
    index: ResourceIndex,
    on_node: bool,
    out: &mut dyn Lists,
) -> bool {
    if report.status.resource(index).internal && !report.options.detail {
        return false;
    }
    print_on(report, index, on_node, out);
    true
}

/// Prints a primitive, also one that Pacemaker made.
pub(super) fn print_always(report: &Report<'_>, index: ResourceIndex, out: &mut dyn Lists) {
    print_on(report, index, false, out);
}

fn print_on(report: &Report<'_>, index: ResourceIndex, on_node: bool, out: &mut dyn Lists) {
    let resource = report.status.resource(index);
    let line = Line {
        name: resource.printable_id(),
        node: report
            .status
            .current_node(resource)
            .or(resource.pending_node),
        on_node,
    };
    print_line(report, index, line, out);
}

/// Prints the line of a primitive.
pub(super) fn print_line(
    report: &Report<'_>,
    index: ResourceIndex,
    line: Line<'_>,
    out: &mut dyn Lists,
) {
    let resource = report.status.resource(index);
    let text = text(report, index, line);
    let class = if !resource.managed {
        "rsc-managed"
    } else if resource.failed || resource.running_on.is_empty() {
        "rsc-failed"
    } else if resource.running_on.len() > 1 {
        "rsc-multiple"
    } else if resource.failure_ignored {
        "rsc-failure-ignored"
    } else {
        "rsc-ok"
    };
    out.item(&[Span::styled(class, &text)]);
}

/// Returns the agent the way lists print it: the provider only for OCF agents. A CIB that is held
/// against no schema may not say what a resource is; there is a word for that.
pub(super) fn agent_words(resource: &Resource, missing: &str) -> String {
    let words = |agent: &Agent| spelled(agent, agent.class == "ocf", missing);
    resource.agent().map(words).unwrap_or_default()
}

fn spelled(agent: &Agent, with_provider: bool, missing: &str) -> String {
    let missing_or = |text: &str| {
        if text.is_empty() {
            missing.to_owned()
        } else {
            text.to_owned()
        }
    };
    let mut text = missing_or(&agent.class);
    if let Some(provider) = agent.provider.as_deref().filter(|_| with_provider) {
        text.push(':');
        text.push_str(provider);
    }
    text.push(':');
    text.push_str(&missing_or(&agent.kind));
    text
}

fn text(report: &Report<'_>, index: ResourceIndex, line: Line<'_>) -> String {
    let status = report.status;
    let resource = status.resource(index);
    let several = resource.running_on.len() > 1;
    let node = line
        .node
        .or(resource.lock_node)
        .filter(|_| !line.on_node && !several);
    let mut text = format!("{}\t({}):\t", line.name, agent_words(resource, "unknown"));
    if resource.orphan {
        text.push_str(" ORPHANED");
    }
    let promotable = status.is_in_promotable(index);
    let role = if resource.role == Role::Started && promotable {
        Role::Unpromoted
    } else {
        resource.role
    };
    if resource.failed {
        text.push_str(" FAILED");
        if role > Role::Unpromoted {
            text.push_str(" Promoted");
        }
    } else {
        text.push(' ');
        text.push_str(pending_word(report, resource).unwrap_or(role.as_str()));
    }
    if let Some(node) = node {
        text.push(' ');
        text.push_str(&status.node(node).name);
    }
    if role == Role::Stopped
        && let Some(failure) = status.masked_failure(index, node)
    {
        text.push_str(&format!(" ({}) ", rc_text(failure.rc)));
    }
    flags(report, resource, node, promotable, &mut text);
    if let Some(description) = &resource.description
        && (line.on_node || several)
    {
        text.push(' ');
        text.push_str(description);
    }
    if several && !line.on_node {
        text.push_str(" [");
        for &node in &resource.running_on {
            text.push(' ');
            text.push_str(&status.node(node).name);
        }
        text.push_str(" ]");
    }
    text
}

fn flags(
    report: &Report<'_>,
    resource: &Resource,
    node: Option<NodeIndex>,
    promotable: bool,
    text: &mut String,
) {
    let mut flags: Vec<String> = Vec::new();
    if let Some(node) = node {
        let state = report.status.node(node);
        if !state.online && state.unclean {
            flags.push("UNCLEAN".to_owned());
        }
        if resource.lock_node == Some(node) {
            flags.push("LOCKED".to_owned());
        }
    }
    if pending_task(report, resource) == Some("monitor") {
        flags.push("Monitoring".to_owned());
    }
    match resource.target_role {
        Some(Role::Stopped) => flags.push("disabled".to_owned()),
        Some(role) if promotable => {
            let written = resource.target_role_text.as_deref();
            flags.push(format!("target-role:{}", written.unwrap_or(role.as_str())));
        }
        _ => {}
    }
    if resource.blocked {
        flags.push("blocked".to_owned());
    } else if !resource.managed {
        flags.push("unmanaged".to_owned());
    }
    if resource.failure_ignored {
        flags.push("failure ignored".to_owned());
    }
    if !flags.is_empty() {
        text.push_str(&format!(" ({})", flags.join(", ")));
    }
}

/// Returns what is being done to a resource, when that is shown.
fn pending_task<'a>(report: &Report<'_>, resource: &'a Resource) -> Option<&'a str> {
    let task = resource.pending_task.as_deref();
    task.filter(|_| report.options.pending)
}

fn pending_word(report: &Report<'_>, resource: &Resource) -> Option<&'static str> {
    match pending_task(report, resource)? {
        "start" => Some("Starting"),
        "stop" => Some("Stopping"),
        "migrate_to" | "migrate_from" => Some("Migrating"),
        "promote" => Some("Promoting"),
        "demote" => Some("Demoting"),
        _ => None,
    }
}

/// Returns the role, or what is being done.
fn role_word(report: &Report<'_>, index: ResourceIndex) -> &'static str {
    let resource = report.status.resource(index);
    let role = if resource.role == Role::Started && report.status.is_in_promotable(index) {
        Role::Unpromoted
    } else {
        resource.role
    };
    pending_word(report, resource).unwrap_or(role.as_str())
}

/// Writes a primitive.
pub(super) fn xml(report: &Report<'_>, index: ResourceIndex, out: &mut Xml) {
    let status = report.status;
    let resource = status.resource(index);
    out.open("resource");
    out.attribute("id", resource.printable_id());
    let agent = resource.agent().map(|agent| spelled(agent, true, "(null)"));
    out.attribute("resource_agent", agent.as_deref().unwrap_or_default());
    out.attribute("role", role_word(report, index));
    if let Some(target) = &resource.target_role_text {
        out.attribute("target_role", target);
    }
    out.flag("active", status.is_active(index, true));
    out.flag("orphaned", resource.orphan);
    out.flag("blocked", resource.blocked);
    out.flag("managed", resource.managed);
    out.flag("failed", resource.failed);
    out.flag("failure_ignored", resource.failure_ignored);
    out.number("nodes_running_on", resource.running_on.len());
    if pending_task(report, resource) == Some("monitor") {
        out.attribute("pending", "Monitoring");
    }
    if let Some(lock) = resource.lock_node {
        out.attribute("locked_to", &status.node(lock).name);
    }
    for &node in &resource.running_on {
        let node = status.node(node);
        out.open("node");
        out.attribute("name", &node.name);
        out.attribute("id", &node.id);
        out.flag("cached", node.online);
        out.close();
    }
    out.close();
}

/// Returns a primitive as programs read it.
pub(super) fn json(report: &Report<'_>, index: ResourceIndex) -> json::Primitive {
    let status = report.status;
    let resource = status.resource(index);
    let location = |&node| {
        let node = status.node(node);
        json::Location {
            name: node.name.clone(),
            id: node.id.clone(),
            cached: node.online,
        }
    };
    let is_monitored = pending_task(report, resource) == Some("monitor");
    json::Primitive {
        id: resource.printable_id().to_owned(),
        resource_agent: resource
            .agent()
            .map(ToString::to_string)
            .unwrap_or_default(),
        role: role_word(report, index).to_owned(),
        target_role: resource.target_role_text.clone(),
        active: status.is_active(index, true),
        orphaned: resource.orphan,
        blocked: resource.blocked,
        managed: resource.managed,
        failed: resource.failed,
        failure_ignored: resource.failure_ignored,
        nodes_running_on: resource.running_on.len(),
        pending: is_monitored.then(|| "Monitoring".to_owned()),
        locked_to: resource
            .lock_node
            .map(|lock| status.node(lock).name.clone()),
        nodes: resource.running_on.iter().map(location).collect(),
    }
}
