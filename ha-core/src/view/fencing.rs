//! Failed and pending fencing actions, and the fencing history.
//!
//! Text has what failed after the failed operations and the rest at the very end; HTML and XML have
//! all of it in one place.

use crate::model::fencing::{FencingEvent, State};
use crate::model::time;

use super::out::{Lists, Xml};
use super::{FencingHistory, Part, Parts, Report, json};

/// Prints what failed and, in HTML, the rest.
pub(super) fn lists(report: &Report<'_>, out: &mut dyn Lists) {
    let rest = report.shows(Part::FencingSucceeded) || report.shows(Part::FencingPending);
    if let Some(FencingHistory::Unavailable { meaning, .. }) = &report.options.fencing {
        let failed = report.shows(Part::FencingFailed);
        // HTML says it for each list that it cannot make.
        let times = if out.is_html() {
            usize::from(failed) + usize::from(rest)
        } else {
            usize::from(failed || rest)
        };
        for _ in 0..times {
            out.begin("Failed Fencing Actions");
            out.line(&format!("Failed to get fencing history: {meaning}"));
            out.end();
        }
        return;
    }
    if report.shows(Part::FencingFailed) {
        let is_failed = |event: &FencingEvent| event.state == State::Failed;
        list(report, "Failed Fencing Actions", is_failed, out);
    }
    if out.is_html() {
        list_rest(report, out);
    }
}

/// Prints, in text, what did not fail.
pub(super) fn last_lists(report: &Report<'_>, out: &mut dyn Lists) {
    if !out.is_html() {
        list_rest(report, out);
    }
}

fn list_rest(report: &Report<'_>, out: &mut dyn Lists) {
    if report.shows(Part::FencingSucceeded) {
        let is_not_failed = |event: &FencingEvent| event.state != State::Failed;
        list(report, "Fencing History", is_not_failed, out);
    } else if report.shows(Part::FencingPending) {
        let is_pending = FencingEvent::is_pending;
        list(report, "Pending Fencing Actions", is_pending, out);
    }
}

fn list(
    report: &Report<'_>,
    title: &str,
    belongs: impl Fn(&FencingEvent) -> bool,
    out: &mut dyn Lists,
) {
    let events = events(report);
    let mut shown = events.iter().filter(|event| belongs(event)).peekable();
    if shown.peek().is_none() {
        return;
    }
    out.begin(title);
    for event in shown {
        let class = match event.state {
            State::Failed => "failed-stonith-event",
            State::Succeeded => "successful-stonith-event",
            _ => "pending-stonith-event",
        };
        let later = later_success(&events, event);
        let mut text = if report.options.detail {
            technical(report, event)
        } else {
            friendly(report, event)
        };
        if let Some(later) = later {
            let by = later.delegate.as_deref();
            let by = by.map_or_else(String::new, |delegate| format!(" from {delegate}"));
            text.push_str(&format!(" (a later attempt{by} succeeded)"));
        }
        out.styled_line(class, &text);
    }
    out.end();
}

/// Returns what is let through: what is under way first (the last of the fencer's list first), then
/// the latest first.
fn events<'a>(report: &Report<'a>) -> Vec<&'a FencingEvent> {
    let Some(FencingHistory::Events(events)) = &report.options.fencing else {
        return Vec::new();
    };
    let passes = |event: &&FencingEvent| report.node_passes(&event.target);
    let events = events.iter().filter(passes);
    let (mut events, mut ended): (Vec<_>, Vec<_>) = events.partition(|event| event.is_pending());
    events.reverse();
    ended.sort_by_key(|event| std::cmp::Reverse(event.completed));
    events.extend(ended);
    events
}

/// Returns the action that did what this one failed to do.
fn later_success<'a>(
    events: &[&'a FencingEvent],
    failed: &FencingEvent,
) -> Option<&'a FencingEvent> {
    let is_later = |event: &&&FencingEvent| {
        event.state == State::Succeeded
            && event.completed > failed.completed
            && event.target.eq_ignore_ascii_case(&failed.target)
            && event.action == failed.action
    };
    let later = events.iter().find(is_later);
    later.copied().filter(|_| failed.state == State::Failed)
}

/// Tells whether each action is shown as one of several, not as the last of its kind.
fn is_full(report: &Report<'_>) -> bool {
    Parts::FENCING.difference(report.options.parts) == Parts::NONE
}

fn action_words(event: &FencingEvent) -> &str {
    match event.action.as_str() {
        "on" => "unfencing",
        "off" => "turning off",
        other => other,
    }
}

fn state_word(event: &FencingEvent) -> &'static str {
    match event.state {
        State::Failed => "failed",
        State::Succeeded => "successful",
        _ => "pending",
    }
}

fn reason(event: &FencingEvent) -> String {
    let reason = event.exit_reason.as_deref();
    reason.map_or_else(String::new, |reason| format!(" ({reason})"))
}

fn friendly(report: &Report<'_>, event: &FencingEvent) -> String {
    let mut text = format!("{} of {}", action_words(event), event.target);
    if let Some(delegate) = &event.delegate {
        text.push_str(&format!(" by {delegate}"));
    }
    let client = event.client.as_deref().unwrap_or_default();
    let origin = event.origin.as_deref().unwrap_or_default();
    text.push_str(&format!(" for {client}@{origin}"));
    if !is_full(report) {
        text.push_str(" last");
    }
    text.push_str(&format!(" {}{}", state_word(event), reason(event)));
    if let Some(completed) = event.completed {
        let when = time::timestamp(completed, report.zone);
        text.push_str(&format!(" at {when}"));
    }
    text
}

fn technical(report: &Report<'_>, event: &FencingEvent) -> String {
    let state = state_word(event);
    let (action, target) = (action_words(event), &event.target);
    let mut facts = Vec::new();
    for (name, value) in [
        ("delegate", &event.delegate),
        ("client", &event.client),
        ("origin", &event.origin),
    ] {
        facts.extend(value.as_ref().map(|value| format!("{name}={value}")));
    }
    if let Some(completed) = event.completed {
        let when = time::timestamp(completed, report.zone);
        facts.push(if is_full(report) {
            format!("completed='{when}'")
        } else {
            format!("last-{state}='{when}'")
        });
    }
    let reason = reason(event);
    format!("{action} of {target} {state}{reason}: {}", facts.join(", "))
}

/// Returns the number that the fencer gives a state that is neither success nor failure.
fn state_number(state: State) -> Option<u8> {
    match state {
        State::Querying => Some(0),
        State::Pending => Some(1),
        State::Duplicate => Some(3),
        _ => None,
    }
}

/// Writes the history; XML has all of it or none.
pub(super) fn xml(report: &Report<'_>, out: &mut Xml) {
    if !is_full(report) {
        return;
    }
    if let Some(FencingHistory::Unavailable { code, .. }) = &report.options.fencing {
        out.open("fence_history");
        out.number("status", code);
        out.close();
        return;
    }
    let events = events(report);
    if events.is_empty() {
        return;
    }
    out.open("fence_history");
    for event in events {
        out.open("fence_event");
        out.attribute("action", &event.action);
        out.attribute("target", &event.target);
        for (name, value) in [("client", &event.client), ("origin", &event.origin)] {
            if let Some(value) = value {
                out.attribute(name, value);
            }
        }
        match event.state {
            State::Succeeded => out.attribute("status", "success"),
            State::Failed => out.attribute("status", "failed"),
            _ => out.attribute("status", "pending"),
        }
        if let Some(number) = state_number(event.state) {
            out.number("extended-status", number);
        }
        for (name, value) in [
            ("exit-reason", &event.exit_reason),
            ("delegate", &event.delegate),
        ] {
            if let Some(value) = value {
                out.attribute(name, value);
            }
        }
        if let Some(completed) = event.completed {
            out.attribute("completed", &time::timestamp(completed, report.zone));
        }
        out.close();
    }
    out.close();
}

pub(super) fn json(report: &Report<'_>, out: &mut json::Output) {
    let parts = report.options.parts;
    if Parts::FENCING.difference(parts) == Parts::FENCING {
        return;
    }
    let (status, error) = match &report.options.fencing {
        None => return,
        Some(FencingHistory::Events(_)) => (None, None),
        Some(FencingHistory::Unavailable { code, meaning }) => (Some(*code), Some(meaning.clone())),
    };
    let part = |event: &FencingEvent| match event.state {
        State::Succeeded | State::Duplicate => Part::FencingSucceeded,
        State::Failed => Part::FencingFailed,
        _ => Part::FencingPending,
    };
    let events = events(report).into_iter();
    let events = events.filter(|event| report.shows(part(event)));
    let events = events.map(|event| json::FenceEvent {
        action: event.action.clone(),
        target: event.target.clone(),
        client: event.client.clone(),
        origin: event.origin.clone(),
        status: match event.state {
            State::Succeeded => json::FenceStatus::Success,
            State::Failed => json::FenceStatus::Failed,
            _ => json::FenceStatus::Pending,
        },
        extended_status: state_number(event.state),
        exit_reason: event.exit_reason.clone(),
        delegate: event.delegate.clone(),
        completed: event.completed.map(|when| json::moment(when, report.zone)),
    });
    out.fence_history = Some(json::FenceHistory {
        status,
        error,
        events: events.collect(),
    });
}
