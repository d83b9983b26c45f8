//! Failed Resource Actions.

use crate::model::operation::{rc_text, status_text};
use crate::model::time;
use crate::status::Failure;

use super::out::{Lists, Xml};
use super::{Part, Report, json};

pub(super) fn lists(report: &Report<'_>, out: &mut dyn Lists) {
    if !report.shows(Part::Failures) {
        return;
    }
    let mut failures = shown(report).peekable();
    if failures.peek().is_none() {
        return;
    }
    out.begin("Failed Resource Actions");
    for failure in failures {
        let text = if report.options.detail {
            technical(report, failure)
        } else {
            friendly(report, failure)
        };
        out.line(&text);
    }
    out.end();
}

fn shown<'r>(report: &'r Report<'_>) -> impl Iterator<Item = &'r Failure> {
    report.status.failures.iter().filter(|failure| {
        let resource = failure.resource.as_deref().unwrap_or_default();
        // What has a key of another shape is counted and never listed.
        let key = failure.key.as_deref().unwrap_or(&failure.id);
        !failure.masked
            && key.matches('_').count() > 1
            && report.node_passes(&failure.node)
            && report.filter.names(resource)
    })
}

fn friendly(report: &Report<'_>, failure: &Failure) -> String {
    let mut text = match (&failure.resource, &failure.task) {
        (Some(resource), Some(task)) if failure.interval_ms > 0 => {
            format!(
                "{resource} {}-interval {task}",
                readable(failure.interval_ms)
            )
        }
        (Some(resource), Some(task)) if task == "monitor" => format!("{resource} probe"),
        (Some(resource), Some(task)) => format!("{resource} {task}"),
        _ => "unknown resource unknown action".to_owned(),
    };
    text.push_str(&format!(" on {}", failure.node));
    let status = failure.status.max(0);
    let reason = failure
        .exit_reason
        .as_deref()
        .filter(|reason| !reason.is_empty());
    if status == 0 {
        text.push_str(&format!(" returned '{}'", rc_text(failure.rc.max(0))));
        if let Some(reason) = reason {
            text.push_str(&format!(" ({reason})"));
        }
    } else {
        text.push_str(&format!(" could not be executed ({}", status_text(status)));
        if let Some(reason) = reason {
            text.push_str(&format!(": {reason}"));
        }
        text.push(')');
    }
    if let Some(changed) = failure.last_rc_change {
        text.push_str(&format!(
            " at {}",
            time::ctime_of_epoch(changed, report.zone)
        ));
    }
    if let Some(exec) = failure.exec_ms.filter(|&ms| ms > 0) {
        text.push_str(&format!(" after {}", readable(exec)));
    }
    text
}

fn technical(report: &Report<'_>, failure: &Failure) -> String {
    let key = failure.key.as_deref().unwrap_or(&failure.id);
    let call = failure.call_text.text(failure.call_id);
    let mut text = format!(
        "{key} on {} '{}' ({}): call={}, status='{}'",
        failure.node,
        rc_text(failure.rc.max(0)),
        failure.rc.max(0),
        call.as_deref().unwrap_or("unknown"),
        status_text(failure.status.max(0))
    );
    if let Some(reason) = failure
        .exit_reason
        .as_deref()
        .filter(|reason| !reason.is_empty())
    {
        text.push_str(&format!(", exitreason='{reason}'"));
    }
    if let Some(changed) = failure.last_rc_change {
        let when = time::ctime_of_epoch(changed, report.zone);
        text.push_str(&format!(", last-rc-change='{when}'"));
    }
    if let Some(queue) = failure.queue_ms {
        text.push_str(&format!(", queued={queue}ms"));
    }
    if let Some(exec) = failure.exec_ms {
        text.push_str(&format!(", exec={exec}ms"));
    }
    text
}

/// Returns a duration for people; a unit is used only when the duration is longer than it.
pub(super) fn readable(ms: u64) -> String {
    const SECOND: u64 = 1000;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let mut text = String::new();
    let mut rest = ms;
    for (unit, letter) in [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm')] {
        if rest > unit {
            text.push_str(&format!("{}{letter}", rest / unit));
            rest %= unit;
        }
    }
    if rest > SECOND {
        text.push_str(&(rest / SECOND).to_string());
        rest %= SECOND;
        if rest > 0 {
            text.push_str(&format!(".{rest:03}"));
        }
        text.push('s');
    } else if rest > 0 || text.is_empty() {
        text.push_str(&format!("{rest}ms"));
    }
    text
}

/// Escapes a reason the way Pacemaker does before it writes it into XML: from the first byte that
/// is not ASCII on, it escapes nothing.
fn escaped_reason(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("    "),
            c if c.is_ascii() => escaped.push(c),
            _ => {
                escaped.push_str(&text[at..]);
                break;
            }
        }
    }
    escaped
}

pub(super) fn xml(report: &Report<'_>, out: &mut Xml) {
    if !report.shows(Part::Failures) {
        return;
    }
    let mut failures = shown(report).peekable();
    if failures.peek().is_none() {
        return;
    }
    out.open("failures");
    for failure in failures {
        out.open("failure");
        match &failure.key {
            Some(key) => out.attribute("op_key", key),
            None => out.attribute("id", &failure.id),
        }
        out.attribute("node", &failure.node);
        out.attribute("exitstatus", rc_text(failure.rc.max(0)));
        let reason = failure.exit_reason.as_deref().map(escaped_reason);
        out.attribute("exitreason", reason.as_deref().unwrap_or("none"));
        out.number("exitcode", failure.rc.max(0));
        out.optional("call", failure.call_text.text(failure.call_id).as_deref());
        out.attribute("status", status_text(failure.status.max(0)));
        if let Some(changed) = failure.last_rc_change.filter(|&changed| changed > 0) {
            out.attribute(
                "last-rc-change",
                &time::timestamp_of_epoch(changed, report.zone),
            );
            if let Some(queue) = failure.queue_ms {
                out.number("queued", queue);
            }
            if let Some(exec) = failure.exec_ms {
                out.number("exec", exec);
            }
            out.number("interval", failure.entry_interval_ms);
            out.attribute("task", &failure.operation);
        }
        out.close();
    }
    out.close();
}

pub(super) fn json(report: &Report<'_>, out: &mut json::Output) {
    let of = |failure: &Failure| json::Failure {
        op_key: failure.key.clone(),
        id: failure.id.clone(),
        resource: failure.resource.clone(),
        node: failure.node.clone(),
        exitstatus: rc_text(failure.rc.max(0)).to_owned(),
        exitreason: failure.exit_reason.clone(),
        exitcode: failure.rc.max(0),
        call: failure.call_id,
        status: status_text(failure.status.max(0)).to_owned(),
        last_rc_change: failure
            .last_rc_change
            .filter(|&changed| changed > 0)
            .map(|changed| json::moment(time::from_epoch(changed), report.zone)),
        queued_ms: failure.queue_ms,
        exec_ms: failure.exec_ms,
        interval_ms: failure.entry_interval_ms,
        task: failure.operation.clone(),
    };
    out.failures = report
        .shows(Part::Failures)
        .then(|| shown(report).map(of).collect());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_used_only_above_one_of_them() {
        let cases = [
            (0, "0ms"),
            (1000, "1000ms"),
            (60_000, "60s"),
            (61_000, "1m1000ms"),
            (61_500, "1m1.500s"),
            (3_600_000, "60m"),
            (86_400_000, "24h"),
        ];
        for (ms, text) in cases {
            assert_eq!(readable(ms), text);
        }
    }
}
