//! Looking: the status, explanations, events, agents.

use std::process::ExitCode;

use ha_core::finding;
use ha_core::live::pacemaker::executor::{self, Metadata};
use ha_core::status::{self, ClusterStatus, Node, Resource, Role};
use ha_core::view::{Options, Report};
use ha_core::why;
use ha_core::{Error, ErrorKind, Result};
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
        let primitives = status.resources().filter(|r| r.is_primitive());
        let all: Vec<_> = primitives
            .map(|r| json!({ "id": r.id, "role": r.role.as_str(), "nodes": places(&status, r), "managed": r.managed }))
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

fn places(status: &ClusterStatus, resource: &Resource) -> Vec<String> {
    let nodes = resource.running_on.iter();
    nodes.map(|&node| status.node(node).name.clone()).collect()
}

fn print_resources(act: &Act<'_>, status: &ClusterStatus) -> Result<()> {
    for resource in status.resources().filter(|r| r.is_primitive()) {
        if resource.orphan && resource.running_on.is_empty() {
            continue;
        }
        let words = |english, french| act.screen.words(english, french);
        let (sense, what) = match resource.role {
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

pub(crate) fn settle(act: &Act<'_>) -> Result<ExitCode> {
    act.cluster.settle(act.timeout)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn agents(act: &Act<'_>, what: Option<&str>) -> Result<ExitCode> {
    let list = match what {
        None => executor::standards(act.timeout)?,
        Some(what) => match *what.split(':').collect::<Vec<_>>().as_slice() {
            ["ocf"] => executor::providers(act.timeout)?
                .iter()
                .map(|provider| format!("ocf:{provider}"))
                .collect(),
            ["ocf", provider] => executor::agents("ocf", Some(provider), act.timeout)?,
            [standard] => executor::agents(standard, None, act.timeout)?,
            [standard, agent] => {
                return agent_(
                    act,
                    &executor::metadata(standard, None, agent, act.timeout)?,
                );
            }
            [standard, provider, agent] => {
                let metadata = executor::metadata(standard, Some(provider), agent, act.timeout)?;
                return agent_(act, &metadata);
            }
            _ => {
                let message = format!("{what} is no agent");
                return Err(Error::new(ErrorKind::Invalid, message)
                    .with_hint("an agent is written as ocf:heartbeat:IPaddr2 or systemd:cron"));
            }
        },
    };
    if act.screen.json {
        act.screen.value(&list)?;
    } else {
        for entry in &list {
            act.screen.line(Sense::Plain, entry)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn agent_(act: &Act<'_>, agent: &Metadata) -> Result<ExitCode> {
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
        let seconds = |time: Option<std::time::Duration>| {
            time.map_or_else(String::new, |time| format!("{}s", time.as_secs_f64()))
        };
        let (timeout, interval) = (seconds(action.timeout), seconds(action.interval));
        let text = format!(
            "  {:<14} timeout={timeout} interval={interval}",
            action.name
        );
        let text = text.trim_end_matches(" interval=").to_owned();
        act.screen.line(Sense::Plain, &text)?;
    }
    Ok(ExitCode::SUCCESS)
}
