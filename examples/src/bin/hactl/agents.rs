//! `hactl agents`.

use std::process::ExitCode;
use std::time::Duration;

use ha_core::live::pacemaker::executor::{self, Metadata, ParameterKind};
use ha_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::act::Act;
use crate::screen::Sense;

pub(crate) fn run(act: &Act<'_>, what: Option<&str>) -> Result<ExitCode> {
    let Some(what) = what else {
        return list(act, &executor::standards(act.timeout)?);
    };
    let parts: Vec<&str> = what.split(':').collect();
    if let [standard, ..] = *parts.as_slice() {
        is_there(act, standard, &executor::standards(act.timeout)?)?;
    }
    if let ["ocf", provider, ..] = *parts.as_slice() {
        is_there(act, provider, &executor::providers(act.timeout)?)?;
    }
    match *parts.as_slice() {
        ["ocf"] => {
            let providers = executor::providers(act.timeout)?;
            let full = providers.iter().map(|provider| format!("ocf:{provider}"));
            list(act, &full.collect::<Vec<_>>())
        }
        ["ocf", provider] => list(act, &executor::agents("ocf", Some(provider), act.timeout)?),
        [standard] => list(act, &executor::agents(standard, None, act.timeout)?),
        [standard, agent] => explain(act, standard, None, agent),
        [standard, provider, agent] => explain(act, standard, Some(provider), agent),
        _ => Err(Error::invalid(format!(
            "{what} {}",
            act.screen.words("is no agent", "n'est pas un agent")
        ))
        .with_hint(
            act.screen
                .words(
                    "an agent is written as ocf:heartbeat:IPaddr2 or systemd:cron",
                    "un agent s'écrit ocf:heartbeat:IPaddr2 ou systemd:cron",
                )
                .to_owned(),
        )),
    }
}

fn list(act: &Act<'_>, entries: &[String]) -> Result<ExitCode> {
    if act.screen.json {
        act.screen.value(&entries)?;
    } else {
        for entry in entries {
            act.screen.line(Sense::Plain, entry)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses a standard or provider that this node does not have. The name of an agent alone may be what was meant.
fn is_there(act: &Act<'_>, name: &str, known: &[String]) -> Result<()> {
    if known.iter().any(|known| known == name) {
        return Ok(());
    }
    let error = Error::new(
        ErrorKind::NotFound,
        format!(
            "{} {name}",
            act.screen
                .words("this node has no agents of", "ce nœud n'a pas d'agents")
        ),
    );
    let providers = executor::providers_of(name, act.timeout).unwrap_or_default();
    if !providers.is_empty() {
        let full: Vec<String> = providers
            .iter()
            .map(|provider| format!("ocf:{provider}:{name}"))
            .collect();
        return Err(error.with_hint(format!("did you mean {}?", full.join(", "))));
    }
    Err(match similar(name, known) {
        Some(similar) => error.with_hint(format!("did you mean {similar}?")),
        None => error.with_hint(format!(
            "{} {}",
            act.screen.words("this node has:", "ce nœud a :"),
            known.join(", ")
        )),
    })
}

/// The name that is most like another, if one is like it at all.
fn similar<'k>(name: &str, known: &'k [String]) -> Option<&'k str> {
    ha_core::name::similar(name, known.iter().map(String::as_str))
}

fn explain(act: &Act<'_>, standard: &str, provider: Option<&str>, name: &str) -> Result<ExitCode> {
    let read = executor::metadata(standard, provider, name, act.timeout);
    let agent = read.map_err(|e| {
        if e.kind() != ErrorKind::NotFound {
            return e;
        }
        let known = executor::agents(standard, provider, act.timeout).unwrap_or_default();
        match similar(name, &known) {
            Some(similar) => e.with_hint(format!("did you mean {similar}?")),
            None => e,
        }
    })?;
    if act.screen.json {
        act.screen.value(&as_json(&agent))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(act, &agent)
}

fn seconds(time: Option<Duration>) -> Option<f64> {
    time.map(|time| time.as_secs_f64())
}

fn as_json(agent: &Metadata) -> Value {
    let parameters = agent.parameters.iter().map(|parameter| {
        let (kind, values) = match &parameter.kind {
            ParameterKind::String => ("string", None),
            ParameterKind::Integer => ("integer", None),
            ParameterKind::Boolean => ("boolean", None),
            ParameterKind::Select(values) => ("select", Some(values)),
            ParameterKind::Other(kind) => (kind.as_str(), None),
            _ => ("unknown", None),
        };
        json!({
            "name": parameter.name, "type": kind, "values": values, "default": parameter.default,
            "required": parameter.is_required, "unique": parameter.is_unique,
            "reloadable": parameter.is_reloadable, "deprecated": parameter.is_deprecated,
            "short_description": parameter.short_description.trim(),
            "description": parameter.long_description.trim(),
        })
    });
    let operations = agent.actions.iter().map(|action| {
        json!({
            "name": action.name, "timeout": seconds(action.timeout),
            "interval": seconds(action.interval), "role": action.role,
        })
    });
    json!({
        "name": agent.name, "version": agent.version,
        "short_description": agent.short_description.trim(),
        "description": agent.long_description.trim(),
        "parameters": parameters.collect::<Vec<_>>(), "operations": operations.collect::<Vec<_>>(),
    })
}

fn print(act: &Act<'_>, agent: &Metadata) -> Result<ExitCode> {
    let words = |english, french| act.screen.words(english, french);
    act.screen
        .line(Sense::Good, &format!("{} {}", agent.name, agent.version))?;
    act.screen
        .line(Sense::Plain, agent.short_description.trim())?;
    act.screen
        .line(Sense::Plain, words("parameters:", "paramètres :"))?;
    for parameter in &agent.parameters {
        let required = if parameter.is_required {
            words(" (required)", " (obligatoire)")
        } else {
            ""
        };
        let default = parameter.default.as_deref().map(|d| format!(" [{d}]"));
        let text = format!(
            "  {}{}{required}",
            parameter.name,
            default.unwrap_or_default()
        );
        act.screen.line(Sense::Plain, &text)?;
        let description = parameter.short_description.trim();
        if !description.is_empty() {
            act.screen
                .line(Sense::Plain, &format!("      {description}"))?;
        }
    }
    act.screen
        .line(Sense::Plain, words("operations:", "opérations :"))?;
    for action in &agent.actions {
        let shown = |time| seconds(time).map_or_else(String::new, |time| format!("{time}s"));
        let (timeout, interval) = (shown(action.timeout), shown(action.interval));
        let text = format!(
            "  {:<14} timeout={timeout} interval={interval}",
            action.name
        );
        let text = text.trim_end_matches(" interval=").to_owned();
        act.screen.line(Sense::Plain, &text)?;
    }
    Ok(ExitCode::SUCCESS)
}
