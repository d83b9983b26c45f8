//! The history of operations, or only the fail counts.

use crate::model::operation::rc_text;
use crate::model::scalar::INFINITY;
use crate::model::time;
use crate::status::{OperationRecord, ResourceHistory};

use super::out::{Lists, Span, Xml};
use super::summary::node_name;
use super::{Part, Report};

fn shown<'a>(history: &'a ResourceHistory, all: bool) -> Vec<&'a OperationRecord> {
    if !all {
        return Vec::new();
    }
    history
        .operations
        .iter()
        .filter(|op| op.task != "notify" && !(is_probe(op) && op.rc == 7))
        .collect()
}

fn is_probe(operation: &OperationRecord) -> bool {
    operation.task == "monitor" && operation.interval_ms == 0
}

fn task(operation: &OperationRecord) -> &str {
    if is_probe(operation) {
        "probe"
    } else {
        &operation.task
    }
}

pub(super) fn lists(report: &Report<'_>, out: &mut dyn Lists) {
    let all = report.shows(Part::Operations);
    if !all && !report.shows(Part::FailCounts) {
        return;
    }
    let histories: Vec<_> = report
        .status
        .history
        .iter()
        .filter(|history| report.node_passes(&report.status.node(history.node).name))
        .collect();
    if histories.is_empty() {
        return;
    }
    out.begin(if all {
        "Operations"
    } else {
        "Migration Summary"
    });
    for history in histories {
        let relevant: Vec<_> = history
            .resources
            .iter()
            .map(|resource| (resource, shown(resource, all)))
            .filter(|(resource, operations)| {
                resource.resource.is_some()
                    && (!operations.is_empty() || (!all && resource.fail_count > 0))
            })
            .collect();
        if relevant.is_empty() {
            continue;
        }
        let node = report.status.node(history.node);
        out.begin(&format!("Node: {}", node_name(report, node)));
        for (resource, operations) in relevant {
            let title = title(report, resource);
            if !all {
                out.item(&[Span::plain(&title)]);
                continue;
            }
            out.begin(&title);
            for operation in operations {
                out.item(&[Span::plain(&line(report, operation))]);
            }
            out.end();
        }
        out.end();
    }
    out.end();
}

fn title(report: &Report<'_>, history: &ResourceHistory) -> String {
    let resource = history.resource.map(|index| report.status.resource(index));
    let name = resource.map_or(history.id.as_str(), |resource| resource.printable_id());
    let threshold = resource.map_or(INFINITY, |resource| resource.migration_threshold);
    let mut title = format!("{name}: migration-threshold={threshold}");
    if history.fail_count > 0 {
        let count = if history.fail_count >= INFINITY {
            "INFINITY".to_owned()
        } else {
            history.fail_count.to_string()
        };
        title.push_str(&format!(" fail-count={count}"));
        if history.last_failure > 0 {
            let when = time::ctime(time::from_epoch(history.last_failure), report.zone);
            title.push_str(&format!(" last-failure='{when}'"));
        }
    }
    title
}

fn line(report: &Report<'_>, operation: &OperationRecord) -> String {
    let mut text = format!("({}) {}", operation.call_id, task(operation));
    let mut details = String::new();
    if operation.interval_ms > 0 {
        details.push_str(&format!(" interval=\"{}ms\"", operation.interval_ms));
    }
    if report.options.timing {
        if let Some(changed) = operation.last_rc_change.filter(|&changed| changed > 0) {
            let when = time::ctime(time::from_epoch(changed), report.zone);
            details.push_str(&format!(" last-rc-change=\"{when}\""));
        }
        if let Some(exec) = &operation.exec_time {
            details.push_str(&format!(" exec-time=\"{exec}ms\""));
        }
        if let Some(queue) = &operation.queue_time {
            details.push_str(&format!(" queue-time=\"{queue}ms\""));
        }
        details.push_str(&format!(" rc={} ({})", operation.rc, rc_text(operation.rc)));
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
    let histories: Vec<_> = report
        .status
        .history
        .iter()
        .filter(|history| report.node_passes(&report.status.node(history.node).name))
        .collect();
    if histories.is_empty() {
        return;
    }
    out.open("node_history");
    for history in histories {
        let relevant: Vec<_> = history
            .resources
            .iter()
            .map(|resource| (resource, shown(resource, all)))
            .filter(|(resource, operations)| {
                resource.resource.is_some()
                    && (!operations.is_empty() || (!all && resource.fail_count > 0))
            })
            .collect();
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
    out.attribute(
        "id",
        resource.map_or(history.id.as_str(), |resource| resource.printable_id()),
    );
    out.flag("orphan", false);
    out.number(
        "migration-threshold",
        resource.map_or(INFINITY, |resource| resource.migration_threshold),
    );
    if history.fail_count > 0 {
        if history.fail_count >= INFINITY {
            out.attribute("fail-count", "INFINITY");
        } else {
            out.number("fail-count", history.fail_count);
        }
        if history.last_failure > 0 {
            let when = time::ctime(time::from_epoch(history.last_failure), report.zone);
            out.attribute("last-failure", &when);
        }
    }
    for operation in operations {
        out.open("operation_history");
        out.number("call", operation.call_id);
        out.attribute("task", task(operation));
        out.number("rc", operation.rc);
        out.attribute("rc_text", rc_text(operation.rc));
        if operation.interval_ms > 0 {
            out.attribute("interval", &format!("{}ms", operation.interval_ms));
        }
        if let Some(changed) = operation.last_rc_change.filter(|&changed| changed > 0) {
            let when = time::ctime(time::from_epoch(changed), report.zone);
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
