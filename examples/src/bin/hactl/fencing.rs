//! `hactl fencing`.

use std::process::ExitCode;

use ha_core::Result;
use ha_core::config::FencingLevel;
use ha_core::live::pacemaker::fencer::{FencingEvent, State};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::act::Act;
use crate::arguments::Fencing;
use crate::screen::Sense;

pub(crate) fn run(act: &Act<'_>, command: &Fencing) -> Result<ExitCode> {
    match command {
        Fencing::Devices { node } => devices(act, node.as_deref()),
        Fencing::Levels { node } => levels(act, node.as_deref()),
        Fencing::History { node } => history(act, node.as_deref()),
        Fencing::Cleanup { node } => {
            act.operation(&act.cluster.fencing().forget_history(node.as_deref()))
        }
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
    devices.retain(|device| node.is_none_or(|node| device.targets.iter().any(|at| at == node)));
    if act.screen.json {
        act.screen.value(&devices)?;
        return Ok(ExitCode::SUCCESS);
    }
    if devices.is_empty() {
        nothing(
            act,
            "there is no fence device",
            "aucun dispositif d'isolement",
        )?;
    }
    for device in &devices {
        let agent = device.agent.as_deref().unwrap_or("?");
        let (sense, can) = if device.targets.is_empty() {
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
    Ok(ExitCode::SUCCESS)
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
    let events = act.cluster.fencing().history(node)?;
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
