//! The history of operations, or only the fail counts.

use std::borrow::Cow;

use crate::model::operation::rc_text;
use crate::model::scalar::INFINITY;
use crate::model::time;
use crate::status::{NodeHistory, OperationRecord, ResourceHistory, ResourceIndex};

use super::attributes::node_title;
use super::out::{Lists, Xml};
use super::{Part, Report, filter, json};

/// What people read where an entry says nothing.
const NOTHING: &str = "(null)";

fn shown(history: &ResourceHistory, all: bool) -> Vec<&OperationRecord> {
    if !all {
        return Vec::new();
    }
    history
        .operations
        .iter()
        .filter(|op| op.task != "notify" && !(is_probe(op) && op.rc == 7))
        .collect()
}

/// Tells whether the filter lets a history through: a member of a group by its own name or that of
/// the group, what is inside a clone or a bundle when anything inside was asked for.
fn passes(report: &Report<'_>, index: ResourceIndex) -> bool {
    let status = report.status;
    if report.filter.selects(status.resource(index)) {
        return true;
    }
    let top = filter::top(status, index);
    if status.resource(top).is_group() {
        report.filter.selects(status.resource(top))
    } else {
        report.filter.touches(status, top)
    }
}

fn histories<'a>(report: &Report<'a>) -> Vec<&'a NodeHistory> {
    let histories = report.status.history.iter();
    histories
        .filter(|history| report.node_passes(&report.status.node(history.node).name))
        .collect()
}

/// Returns what to show of a node's history.
fn relevant<'a>(
    report: &Report<'_>,
    history: &'a NodeHistory,
) -> Vec<(&'a ResourceHistory, Vec<&'a OperationRecord>)> {
    let all = report.shows(Part::Operations);
    let resources = history.resources.iter();
    resources
        .map(|resource| (resource, shown(resource, all)))
        .filter(|(resource, operations)| {
            resource.resource.is_some_and(|index| passes(report, index))
                && (!operations.is_empty() || (!all && resource.fail_count > 0))
        })
        .collect()
}

fn is_probe(operation: &OperationRecord) -> bool {
    operation.task == "monitor" && interval(operation).is_none()
}

/// Returns the interval as written, unless it is 0.
fn interval(operation: &OperationRecord) -> Option<String> {
    let plain = || (operation.interval_ms > 0).then(|| operation.interval_ms.to_string());
    operation.interval_text.clone().or_else(plain)
}

/// Returns the call id as written.
fn call(operation: &OperationRecord) -> Option<Cow<'_, str>> {
    operation.call_text.text(operation.call_id)
}

/// Returns the name to print: with operations that of the resource, else that of the history.
fn shown_name<'a>(report: &Report<'a>, history: &'a ResourceHistory) -> &'a str {
    match history.resource {
        Some(index) if report.shows(Part::Operations) => {
            report.status.resource(index).printable_id()
        }
        _ => &history.id,
    }
}

/// A pending operation has no exit status yet, which reads as a success.
fn exit_status(operation: &OperationRecord) -> i32 {
    operation.rc.max(0)
}

/// Returns what was done, unless the entry does not say.
fn task(operation: &OperationRecord) -> Option<&str> {
    let task = if is_probe(operation) {
        "probe"
    } else {
        &operation.task
    };
    operation.is_named.then_some(task)
}

pub(super) fn lists(report: &Report<'_>, out: &mut dyn Lists) {
    let all = report.shows(Part::Operations);
    if !all && !report.shows(Part::FailCounts) {
        return;
    }
    let histories = histories(report);
    if histories.is_empty() {
        return;
    }
    out.begin(if all {
        "Operations"
    } else {
        "Migration Summary"
    });
    for history in histories {
        let relevant = relevant(report, history);
        if relevant.is_empty() {
            continue;
        }
        let node = report.status.node(history.node);
        out.begin(&node_title(report, node, out));
        for (resource, operations) in relevant {
            let title = title(report, resource);
            if !all {
                out.line(&title);
                continue;
            }
            out.begin(&title);
            for operation in operations {
                out.line(&line(report, operation));
            }
            out.end();
        }
        out.end();
    }
    out.end();
}

fn title(report: &Report<'_>, history: &ResourceHistory) -> String {
    let resource = history.resource.map(|index| report.status.resource(index));
    let name = shown_name(report, history);
    let threshold = resource.map_or(INFINITY, |resource| resource.migration_threshold);
    let mut title = format!("{name}: migration-threshold={threshold}");
    if history.fail_count > 0 {
        title.push_str(&format!(" fail-count={}", history.fail_count));
        if history.last_failure > 0 {
            let when = time::ctime_of_epoch(history.last_failure, report.zone);
            title.push_str(&format!(" last-failure='{when}'"));
        }
    }
    title
}

fn line(report: &Report<'_>, operation: &OperationRecord) -> String {
    let mut text = format!(
        "({}) {}",
        call(operation).as_deref().unwrap_or(NOTHING),
        task(operation).unwrap_or(NOTHING)
    );
    let mut details = String::new();
    if let Some(interval) = interval(operation) {
        details.push_str(&format!(" interval=\"{interval}ms\""));
    }
    if report.options.timing {
        if let Some(changed) = operation.last_rc_change.filter(|&changed| changed > 0) {
            let when = time::ctime_of_epoch(changed, report.zone);
            details.push_str(&format!(" last-rc-change=\"{when}\""));
        }
        if let Some(exec) = &operation.exec_time {
            details.push_str(&format!(" exec-time=\"{exec}ms\""));
        }
        if let Some(queue) = &operation.queue_time {
            details.push_str(&format!(" queue-time=\"{queue}ms\""));
        }
        details.push_str(&format!(
            " rc={} ({})",
            exit_status(operation),
            rc_text(exit_status(operation))
        ));
    }
    if !details.is_empty() {
        text.push(':');
        text.push_str(&details);
    }
    text
}

pub(super) fn xml(report: &Report<'_>, out: &mut Xml) {
    let all = report.shows(Part::Operations);
    if !all && !report.shows(Part::FailCounts) {
        return;
    }
    let histories = histories(report);
    if histories.is_empty() {
        return;
    }
    out.open("node_history");
    for history in histories {
        let relevant = relevant(report, history);
        if relevant.is_empty() {
            continue;
        }
        out.open("node");
        out.attribute("name", &report.status.node(history.node).name);
        for (resource, operations) in relevant {
            xml_resource(report, resource, &operations, out);
        }
        out.close();
    }
    out.close();
}

fn xml_resource(
    report: &Report<'_>,
    history: &ResourceHistory,
    operations: &[&OperationRecord],
    out: &mut Xml,
) {
    let resource = history.resource.map(|index| report.status.resource(index));
    out.open("resource_history");
    out.attribute("id", shown_name(report, history));
    out.flag("orphan", false);
    out.number(
        "migration-threshold",
        resource.map_or(INFINITY, |resource| resource.migration_threshold),
    );
    if history.fail_count > 0 {
        out.number("fail-count", history.fail_count);
        if history.last_failure > 0 {
            let when = time::ctime_of_epoch(history.last_failure, report.zone);
            out.attribute("last-failure", &when);
        }
    }
    for operation in operations {
        out.open("operation_history");
        out.optional("call", call(operation).as_deref());
        out.optional("task", task(operation));
        out.number("rc", exit_status(operation));
        out.attribute("rc_text", rc_text(exit_status(operation)));
        if let Some(interval) = interval(operation) {
            out.attribute("interval", &format!("{interval}ms"));
        }
        if let Some(changed) = operation.last_rc_change.filter(|&changed| changed > 0) {
            let when = time::ctime_of_epoch(changed, report.zone);
            out.attribute("last-rc-change", &when);
        }
        if let Some(exec) = &operation.exec_time {
            out.attribute("exec-time", &format!("{exec}ms"));
        }
        if let Some(queue) = &operation.queue_time {
            out.attribute("queue-time", &format!("{queue}ms"));
        }
        out.close();
    }
    out.close();
}

pub(super) fn json(report: &Report<'_>, out: &mut json::Output) {
    if !report.shows(Part::Operations) && !report.shows(Part::FailCounts) {
        return;
    }
    let nodes = histories(report).into_iter().filter_map(|history| {
        let relevant = relevant(report, history);
        (!relevant.is_empty()).then(|| json::NodeHistory {
            name: report.status.node(history.node).name.clone(),
            resources: relevant
                .into_iter()
                .map(|(resource, operations)| json_resource(report, resource, &operations))
                .collect(),
        })
    });
    out.node_history = Some(nodes.collect());
}

fn json_resource(
    report: &Report<'_>,
    history: &ResourceHistory,
    operations: &[&OperationRecord],
) -> json::ResourceHistory {
    let resource = history.resource.map(|index| report.status.resource(index));
    let moment = |seconds| json::moment(time::from_epoch(seconds), report.zone);
    let failed = history.fail_count > 0;
    let operations = operations.iter().map(|operation| json::Operation {
        call: operation.call_id,
        task: task(operation).unwrap_or_default().to_owned(),
        rc: exit_status(operation),
        rc_text: rc_text(exit_status(operation)).to_owned(),
        interval_ms: Some(operation.interval_ms).filter(|&interval| interval > 0),
        last_rc_change: operation
            .last_rc_change
            .filter(|&changed| changed > 0)
            .map(moment),
        exec_time_ms: milliseconds(operation.exec_time.as_deref()),
        queue_time_ms: milliseconds(operation.queue_time.as_deref()),
    });
    json::ResourceHistory {
        id: shown_name(report, history).to_owned(),
        orphan: false,
        migration_threshold: resource.map_or(INFINITY, |resource| resource.migration_threshold),
        fail_count: failed.then_some(history.fail_count),
        last_failure: (failed && history.last_failure > 0).then(|| moment(history.last_failure)),
        operations: operations.collect(),
    }
}

fn milliseconds(text: Option<&str>) -> Option<u64> {
    text.and_then(|text| text.trim().parse().ok())
}
