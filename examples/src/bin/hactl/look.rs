//! Looking: the status, explanations, events.

use std::process::ExitCode;

use ha_core::Result;
use ha_core::finding;
use ha_core::status::{self, ClusterStatus, Node, Resource, ResourceIndex, Role};
use ha_core::view::{Options, Report};
use ha_core::why;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::act::Act;
use crate::screen::Sense;

/// Prints one value.
pub(crate) fn value(act: &Act<'_>, value: &str) -> Result<ExitCode> {
    if act.screen.json {
        act.screen.value(&value)?;
    } else {
        act.screen.line(Sense::Plain, value)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn status(act: &Act<'_>) -> Result<ExitCode> {
    let (now, zone) = (Timestamp::now(), TimeZone::system());
    let cib = act.cluster.cib().query()?;
    let status = status::compute(&cib, now, &zone);
    if act.screen.json {
        let options = Options::default();
        let report = Report::new(&status, &options, now, &zone);
        act.screen.value(&report.json())?;
        return Ok(ExitCode::SUCCESS);
    }
    print_nodes(act, &status)?;
    print_resources(act, &status)?;
    for failure in &status.failures {
        let reason = failure.exit_reason.as_deref().unwrap_or_default();
        let text = format!(
            "{} {} {} : {reason}",
            failure.history_id,
            failure.operation,
            act.screen.words("failed on", "a échoué sur"),
        );
        let text = text.replace(" : ", &format!(" {}: ", failure.node));
        act.screen
            .line(Sense::Bad, text.trim_end_matches([':', ' ']))?;
    }
    for left in act.cluster.abandoned()? {
        let what = act.screen.words(
            "left behind by a move that was killed; the next change takes it back, or: hactl settle",
            "laissée par un déplacement tué ; la prochaine modification la retire, ou : hactl settle",
        );
        act.screen
            .line(Sense::Doubtful, &format!("{left}: {what}"))?;
    }
    for finding in finding::all(&cib, now, &zone) {
        let sense = match finding.severity() {
            finding::Severity::Error => Sense::Bad,
            finding::Severity::Warning => Sense::Doubtful,
            finding::Severity::Notice => Sense::Plain,
        };
        act.screen.line(sense, &finding.text(act.screen.language))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn nodes(act: &Act<'_>) -> Result<ExitCode> {
    let status = act.cluster.status()?;
    if act.screen.json {
        let all: Vec<_> = status
            .nodes()
            .map(|node| json!({ "name": node.name, "id": node.id, "state": state(act, node).1, "dc": node.is_dc }))
            .collect();
        act.screen.value(&all)?;
    } else {
        print_nodes(act, &status)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn resources(act: &Act<'_>) -> Result<ExitCode> {
    let status = act.cluster.status()?;
    if act.screen.json {
        let all: Vec<_> = primitives(&status)
            .map(|(index, r)| json!({ "id": r.id, "role": role(&status, index).as_str(), "nodes": places(&status, r), "managed": r.managed }))
            .collect();
        act.screen.value(&all)?;
    } else {
        print_resources(act, &status)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_nodes(act: &Act<'_>, status: &ClusterStatus) -> Result<()> {
    for node in status.nodes() {
        let (sense, state) = state(act, node);
        let dc = if node.is_dc { ", DC" } else { "" };
        act.screen
            .line(sense, &format!("{:<20} {state}{dc}", node.name))?;
    }
    Ok(())
}

fn state<'t>(act: &Act<'t>, node: &Node) -> (Sense, &'t str) {
    let words = |english, french| act.screen.words(english, french);
    if node.unclean {
        (Sense::Bad, words("unclean", "incertain"))
    } else if node.pending {
        (Sense::Doubtful, words("joining", "en cours d'entrée"))
    } else if !node.online {
        (Sense::Bad, words("offline", "absent"))
    } else if node.maintenance {
        (Sense::Doubtful, words("maintenance", "en maintenance"))
    } else if node.standby {
        (Sense::Doubtful, words("standby", "en veille"))
    } else {
        (Sense::Good, words("online", "en ligne"))
    }
}

/// What it does, as people say it: an instance that can be promoted and only runs is unpromoted.
fn role(status: &ClusterStatus, index: ResourceIndex) -> Role {
    match status.resource(index).role {
        Role::Started if status.is_in_promotable(index) => Role::Unpromoted,
        role => role,
    }
}

fn primitives(status: &ClusterStatus) -> impl Iterator<Item = (ResourceIndex, &Resource)> {
    let all = status.resource_indexes();
    all.map(|index| (index, status.resource(index)))
        .filter(|(_, resource)| resource.is_primitive())
}

fn places(status: &ClusterStatus, resource: &Resource) -> Vec<String> {
    let nodes = resource.running_on.iter();
    nodes.map(|&node| status.node(node).name.clone()).collect()
}

fn print_resources(act: &Act<'_>, status: &ClusterStatus) -> Result<()> {
    for (index, resource) in primitives(status) {
        if resource.orphan && resource.running_on.is_empty() {
            continue;
        }
        let words = |english, french| act.screen.words(english, french);
        let (sense, what) = match role(status, index) {
            _ if resource.failed => (Sense::Bad, words("failed", "en échec")),
            Role::Promoted => (Sense::Good, words("promoted", "promue")),
            Role::Unpromoted => (Sense::Good, words("unpromoted", "non promue")),
            Role::Started => (Sense::Good, words("started", "démarrée")),
            _ => (Sense::Doubtful, words("stopped", "arrêtée")),
        };
        let mut text = format!("{:<20} {what}", resource.id);
        let nodes = places(status, resource);
        if !nodes.is_empty() {
            text.push_str(&format!(" {} {}", words("on", "sur"), nodes.join(", ")));
        }
        if let Some(task) = &resource.pending_task {
            text.push_str(&format!(" ({task})"));
        }
        if !resource.managed {
            text.push_str(words(" (unmanaged)", " (non gérée)"));
        }
        if resource.orphan {
            text.push_str(words(" (no longer configured)", " (plus configurée)"));
        }
        act.screen.line(sense, &text)?;
    }
    Ok(())
}

pub(crate) fn why(act: &Act<'_>, resource: &str) -> Result<ExitCode> {
    let cib = act.cluster.cib().query()?;
    let why = why::explain(&cib, Timestamp::now(), &TimeZone::system(), resource)?;
    if act.screen.json {
        act.screen.value(&why)?;
        return Ok(ExitCode::SUCCESS);
    }
    let on = why.active_on.join(", ");
    let (sense, text) = if why.active {
        let words = act.screen.words("runs on", "tourne sur");
        (Sense::Good, format!("{resource} {words} {on}"))
    } else {
        let words = act.screen.words("does not run", "ne tourne pas");
        (Sense::Bad, format!("{resource} {words}"))
    };
    act.screen.line(sense, &text)?;
    let language = act.screen.language;
    for reason in &why.reasons {
        let text = format!("  {}", reason.text(language));
        act.screen.line(Sense::Doubtful, &text)?;
        if let Some(step) = reason.next_step(language) {
            act.screen.line(Sense::Plain, &format!("      {step}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn events(act: &Act<'_>) -> Result<ExitCode> {
    for event in act.cluster.events()? {
        let event = event?;
        if act.screen.json {
            act.screen.value(&event)?;
        } else {
            act.screen
                .line(Sense::Plain, &event.text(act.screen.language))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
