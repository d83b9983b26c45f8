//! `hactl resource`.

use std::process::ExitCode;

use ha_core::change::edit::constraint::Reach;
use ha_core::change::edit::resource::Values;
use ha_core::live::cluster::Forget;
use ha_core::status::Role;
use ha_core::{Error, ErrorKind, Result};
use jiff::Timestamp;

use crate::act::Act;
use crate::arguments::{self, Counted, FailCount, Property, Resource};
use crate::cluster;
use crate::look;
use crate::screen::Sense;

pub(crate) fn run(act: &Act<'_>, command: &Resource) -> Result<ExitCode> {
    let of = |id: &str| act.cluster.resource(id);
    match command {
        Resource::List => look::resources(act),
        Resource::Locate { resource } => {
            let nodes = of(resource).locate()?;
            if act.screen.json {
                act.screen.value(&nodes)?;
            } else {
                for node in &nodes {
                    act.screen.line(Sense::Plain, node)?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Resource::Start { resource } => act.operation(&of(resource).start()),
        Resource::Stop { resource } => act.operation(&of(resource).stop()),
        Resource::Restart { resource } => act.restart(&of(resource).restart()),
        Resource::Move {
            resource,
            node,
            force,
        } => {
            let order = match node {
                Some(node) => of(resource).move_to(node),
                None => of(resource).move_away(),
            };
            act.relocate(&if *force { order.force() } else { order })
        }
        Resource::Prefer(to) => act.operation(&of(&to.resource).prefer(&to.node, reach(to))),
        Resource::Ban(from) => act.operation(&of(&from.resource).ban(&from.node, reach(from))),
        Resource::Clear { resource, node, .. } => act.operation(&match resource {
            Some(resource) => of(resource).clear(node.as_deref()),
            None => act.cluster.clear_expired(),
        }),
        Resource::Failcount(FailCount::Get(what)) => fail_counts(act, what),
        Resource::Failcount(FailCount::Delete(what)) => {
            act.operation(&of(&what.resource).forget_fail_counts(what.node.as_deref()))
        }
        Resource::Promote { resource } => act.operation(&of(resource).promote()),
        Resource::Demote { resource } => act.operation(&of(resource).demote()),
        Resource::Manage { resource } => act.operation(&of(resource).manage()),
        Resource::Unmanage { resource } => act.operation(&of(resource).unmanage()),
        Resource::Maintenance { resource, switch } => {
            act.operation(&of(resource).maintenance(switch.is_on()))
        }
        Resource::Cleanup(what) => act.forget(&forget(act, what, Forgetting::Failures)),
        Resource::Refresh(what) => act.forget(&forget(act, what, Forgetting::Everything)),
        Resource::Get(property) => {
            let value = of(&property.resource).value(values(property), &property.name)?;
            let Some(value) = value else {
                let message = format!(
                    "{} {} {}",
                    property.resource,
                    act.screen.words("has no", "n'a pas de"),
                    property.name
                );
                return Err(Error::new(ErrorKind::NotFound, message));
            };
            look::value(act, &value)
        }
        Resource::Set {
            property,
            value,
            force,
        } => {
            let handle = of(&property.resource);
            let set = handle.set_value(values(property), &property.name, value);
            cluster::checked(act, &set, &property.name, *force)
        }
        Resource::Unset(property) => {
            let handle = of(&property.resource);
            act.operation(&handle.unset_value(values(property), &property.name))
        }
        Resource::Delete { resource } => act.operation(&of(resource).delete()),
        Resource::Rename {
            resource,
            to,
            force,
        } => rename(act, resource, to, *force),
    }
}

fn rename(act: &Act<'_>, resource: &str, to: &str, force: bool) -> Result<ExitCode> {
    let handle = act.cluster.resource(resource);
    let rename = handle.rename(to);
    if !force {
        return match act.operation(&rename) {
            Err(e) if e.kind() == ErrorKind::Unsatisfied && rename.plan().is_err() => {
                let hint = act.screen.words(
                    "stop it first, rename it, and start it again; or all the same: --force",
                    "l'arrêter d'abord, la renommer, et la redémarrer ; ou tout de même : --force",
                );
                Err(e.with_hint(hint.to_owned()))
            }
            done => done,
        };
    }
    if let Err(e) = rename.plan()
        && e.kind() == ErrorKind::Unsatisfied
    {
        let (text, warning) = (
            e.text(act.screen.language),
            act.screen.words("warning:", "attention :"),
        );
        act.screen.note(
            &format!("{warning} {text}"),
            || serde_json::json!({ "warning": text }),
        );
    }
    act.operation(&handle.rename_running(to))
}

fn fail_counts(act: &Act<'_>, what: &Counted) -> Result<ExitCode> {
    let mut counts = act.cluster.resource(&what.resource).fail_counts()?;
    let node = what.node.as_deref();
    if let Some(node) = node {
        ha_core::change::edit::find_node(&act.cluster.cib().query()?, node)?;
    }
    counts.retain(|count| node.is_none_or(|node| count.node == node));
    if act.screen.json {
        act.screen.value(&counts)?;
        return Ok(ExitCode::SUCCESS);
    }
    for count in &counts {
        let on = act.screen.words("on", "sur");
        let number = match count.count {
            INFINITY.. => "INFINITY".to_owned(),
            number => number.to_string(),
        };
        let text = format!("{} {on} {}: {number}", count.resource, count.node);
        act.screen.line(Sense::Bad, &text)?;
    }
    if counts.is_empty() {
        let words = act.screen.words("it has not failed", "aucun échec");
        act.screen.line(Sense::Good, words)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Pacemaker's number for as often as one likes.
const INFINITY: i32 = 1_000_000;

enum Forgetting {
    Failures,
    Everything,
}

fn forget(act: &Act<'_>, what: &arguments::Forget, how: Forgetting) -> Forget {
    let of = what.resource.as_deref().map(|id| act.cluster.resource(id));
    let forget = match (of, how) {
        (Some(resource), Forgetting::Failures) => resource.cleanup(),
        (Some(resource), Forgetting::Everything) => resource.refresh(),
        (None, Forgetting::Failures) => act.cluster.cleanup(),
        (None, Forgetting::Everything) => act.cluster.refresh(),
    };
    match &what.node {
        Some(node) => forget.on(node),
        None => forget,
    }
}

fn reach(asked: &arguments::Reach) -> Reach {
    let mut reach = Reach::default();
    if asked.promoted {
        reach = reach.role(Role::Promoted);
    }
    let end = asked.lasts.map(|lasts| {
        Timestamp::now()
            .checked_add(lasts)
            .unwrap_or(Timestamp::MAX)
    });
    match end {
        Some(end) => reach.until(end),
        None => reach,
    }
}

fn values(property: &Property) -> Values {
    match (property.meta, property.utilization) {
        (true, _) => Values::Meta,
        (_, true) => Values::Utilization,
        _ => Values::Parameters,
    }
}
