//! `hactl fencing`.

use std::process::ExitCode;

use ha_core::Result;
use ha_core::config::FencingLevel;
use ha_core::live::cluster::FenceDevice;
use ha_core::live::pacemaker::fencer::{FencingEvent, State};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::act::{Act, Interrupted};
use crate::arguments::Fencing;
use crate::screen::Sense;

pub(crate) fn run(act: &Act<'_>, command: &Fencing) -> Result<ExitCode> {
    if !matches!(command, Fencing::Levels { .. }) {
        act.needs_cluster()?;
    }
    match command {
        Fencing::Devices { node } => devices(act, node.as_deref()),
        Fencing::Levels { node } => levels(act, node.as_deref()),
        Fencing::History { node } => history(act, node.as_deref()),
        Fencing::Cleanup { node } => cleanup(act, node.as_deref()),
    }
}

/// Says that a list is empty.
fn nothing(act: &Act<'_>, english: &str, french: &str) -> Result<()> {
    act.screen
        .line(Sense::Plain, act.screen.words(english, french))
}

fn devices(act: &Act<'_>, node: Option<&str>) -> Result<ExitCode> {
    if let Some(node) = node {
        ha_core::change::edit::find_node(&act.cluster.cib().query()?, node)?;
    }
    let mut devices = act.cluster.fencing().devices()?;
    let can = |device: &FenceDevice, node: &str| device.targets.iter().any(|at| at == node);
    devices.retain(|device| !device.registered || node.is_none_or(|node| can(device, node)));
    if act.screen.json {
        act.screen.value(&devices)?;
        return Ok(ExitCode::SUCCESS);
    }
    if devices.is_empty() {
        let words = match node {
            // What is configured is listed, wherever it may run.
            None => ("there is no fence device", "aucun dispositif d'isolement"),
            Some(_) => (
                "no fence device that this node's fencer knows can fence it",
                "aucun dispositif connu du démon d'isolement de ce nœud ne peut l'isoler",
            ),
        };
        nothing(act, words.0, words.1)?;
        return Ok(ExitCode::SUCCESS);
    }
    for device in &devices {
        let agent = device.agent.as_deref().unwrap_or("?");
        let (sense, can) = if !device.registered {
            let words = act.screen.words(
                "not known to this node's fencer: stopped, or for other nodes to use",
                "inconnu du démon d'isolement de ce nœud : arrêté, ou réservé à d'autres nœuds",
            );
            (Sense::Doubtful, words)
        } else if device.targets.is_empty() {
            (
                Sense::Bad,
                act.screen
                    .words("can fence no node", "ne peut isoler aucun nœud"),
            )
        } else {
            (Sense::Good, act.screen.words("can fence", "peut isoler"))
        };
        let text = format!(
            "{:<20} {agent}: {can} {}",
            device.id,
            device.targets.join(", ")
        );
        act.screen.line(sense, text.trim_end())?;
    }
    let whose = act.screen.words(
        "(as this node's fencer knows them: on another node the answer may differ)",
        "(tels que les connaît le démon d'isolement de ce nœud : un autre nœud peut répondre autrement)",
    );
    act.screen.line(Sense::Plain, whose)?;
    Ok(ExitCode::SUCCESS)
}

/// Forgets what was fenced, and says how much that was.
fn cleanup(act: &Act<'_>, node: Option<&str>) -> Result<ExitCode> {
    let fencing = act.cluster.fencing();
    let events = history_of(act, node)?;
    if !act.is_dry_run() {
        let forget = fencing.forget_history(node);
        if act.waits() {
            act.tell_when_interrupted(Interrupted::Forgetting)?;
            forget.wait(act.timeout)?;
        } else {
            forget.send()?;
        }
    }
    if act.screen.json {
        let all: Vec<Value> = events.iter().map(event_as_json).collect();
        let name = if act.is_dry_run() {
            "would_forget"
        } else {
            "forgotten"
        };
        act.screen.value(&json!({ name: all }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if events.is_empty() {
        nothing(act, "nothing to forget", "rien à oublier")?;
    } else {
        let words = if act.is_dry_run() {
            act.screen.words("would be forgotten:", "serait oublié :")
        } else {
            act.screen.words("forgotten:", "oublié :")
        };
        act.screen.line(Sense::Plain, words)?;
    }
    for event in &events {
        print(act, event)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The history of a node, which there has to be, or to have been, or of all.
fn history_of(act: &Act<'_>, node: Option<&str>) -> Result<Vec<FencingEvent>> {
    let events = act.cluster.fencing().history(node)?;
    if let Some(node) = node.filter(|_| events.is_empty()) {
        ha_core::change::edit::find_node(&act.cluster.cib().query()?, node)?;
    }
    Ok(events)
}

fn levels(act: &Act<'_>, node: Option<&str>) -> Result<ExitCode> {
    let fencing = act.cluster.fencing();
    let levels = match node {
        Some(node) => fencing.levels_of(node)?,
        None => fencing.levels()?,
    };
    if act.screen.json {
        let all: Vec<Value> = levels.iter().map(as_json).collect();
        act.screen.value(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    if levels.is_empty() {
        let (english, french) = (
            "no levels: any device that can will do",
            "aucun niveau : tout dispositif capable convient",
        );
        nothing(act, english, french)?;
    }
    for level in &levels {
        let devices: Vec<&str> = level.devices().collect();
        let word = act.screen.words("level", "niveau");
        let text = format!(
            "{:<20} {word} {}: {}",
            target(level),
            level.index,
            devices.join(" + ")
        );
        act.screen.line(Sense::Plain, &text)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whom a level is for: a node, `~` and a pattern, or an attribute and its value.
fn target(level: &FencingLevel) -> String {
    let value = level.target_value.as_deref().unwrap_or_default();
    let by_attribute = || Some(format!("{}={value}", level.target_attribute.as_deref()?));
    let by_pattern = || Some(format!("~{}", level.target_pattern.as_deref()?));
    let by_name = level.target.clone();
    by_name
        .or_else(by_pattern)
        .or_else(by_attribute)
        .unwrap_or_default()
}

fn as_json(level: &FencingLevel) -> Value {
    json!({
        "target": level.target, "pattern": level.target_pattern, "attribute": level.target_attribute,
        "value": level.target_value, "level": level.index,
        "devices": level.devices().collect::<Vec<_>>(),
    })
}

fn history(act: &Act<'_>, node: Option<&str>) -> Result<ExitCode> {
    let events = history_of(act, node)?;
    if act.screen.json {
        let all: Vec<Value> = events.iter().map(event_as_json).collect();
        act.screen.value(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    if events.is_empty() {
        nothing(act, "nothing was fenced", "rien n'a été isolé")?;
    }
    for event in &events {
        print(act, event)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn state(state: State) -> &'static str {
    match state {
        State::Querying | State::Pending => "pending",
        State::Succeeded => "succeeded",
        State::Failed => "failed",
        State::Duplicate => "duplicate",
        _ => "unknown",
    }
}

fn event_as_json(event: &FencingEvent) -> Value {
    json!({
        "target": event.target, "action": event.action, "origin": event.origin,
        "client": event.client, "delegate": event.delegate, "state": state(event.state),
        "completed": event.completed.map(|at| at.to_string()), "exit_reason": event.exit_reason,
    })
}

fn print(act: &Act<'_>, event: &FencingEvent) -> Result<()> {
    let words = |english, french| act.screen.words(english, french);
    let (sense, state) = match event.state {
        State::Succeeded => (Sense::Good, words("succeeded", "réussi")),
        State::Failed => (Sense::Bad, words("failed", "échoué")),
        State::Querying | State::Pending => (Sense::Doubtful, words("under way", "en cours")),
        State::Duplicate => (Sense::Plain, words("done by another", "fait par un autre")),
        _ => (Sense::Doubtful, words("unknown", "inconnu")),
    };
    let when = event.completed.map(|at| {
        let at = at.to_zoned(TimeZone::system());
        at.strftime("%Y-%m-%d %H:%M:%S ").to_string()
    });
    let mut text = format!(
        "{}{} {}: {state}",
        when.unwrap_or_default(),
        event.action,
        event.target
    );
    for (word, who) in [
        (words("asked by", "demandé par"), &event.client),
        (words("on", "sur"), &event.origin),
        (words("done by", "fait par"), &event.delegate),
    ] {
        if let Some(who) = who {
            text.push_str(&format!(", {word} {who}"));
        }
    }
    if let Some(reason) = &event.exit_reason {
        text.push_str(&format!(" ({reason})"));
    }
    act.screen.line(sense, &text)
}
