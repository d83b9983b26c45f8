//! `hactl node`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use ha_core::live::cluster::Lifetime;
use ha_core::live::pacemaker::fencer::Fence;
use ha_core::status::Health;
use ha_core::{Error, ErrorKind, Result};
use serde_json::json;

use crate::act::Act;
use crate::arguments::Node;
use crate::look;
use crate::screen::Sense;

pub(crate) fn run(act: &Act<'_>, command: &Node) -> Result<ExitCode> {
    let of = |name: &str| act.cluster.node(name);
    match command {
        Node::List => look::nodes(act),
        Node::Standby { node, until_reboot } => {
            act.operation(&of(node).standby(lifetime(*until_reboot)))
        }
        Node::Online { node } => act.operation(&of(node).online()),
        Node::Maintenance { node, switch } => act.operation(&of(node).maintenance(switch.is_on())),
        Node::Fence { node, off } => {
            act.operation(&of(node).fence(if *off { Fence::Off } else { Fence::Reboot }))
        }
        Node::ConfirmOff { node } => act.operation(&of(node).confirm_off()),
        Node::Remove { node } => act.operation(&of(node).remove()),
        Node::Clear { node } => act.operation(&of(node).clear_state()),
        Node::Health { node } => health(act, node),
        Node::Get { node, name } => {
            let value = of(node).attribute(name)?.ok_or_else(|| {
                let message = format!(
                    "{node} {} {name}",
                    act.screen.words("has no attribute", "n'a pas d'attribut")
                );
                Error::new(ErrorKind::NotFound, message)
            })?;
            look::value(act, &value)
        }
        Node::Set {
            node,
            name,
            value,
            until_reboot,
            utilization,
        } => act.operation(&if *utilization {
            of(node).set_utilization(name, value)
        } else {
            of(node).set_attribute(name, value, lifetime(*until_reboot))
        }),
        Node::Unset {
            node,
            name,
            until_reboot,
            utilization,
        } => act.operation(&if *utilization {
            of(node).unset_utilization(name)
        } else {
            of(node).unset_attribute(name, lifetime(*until_reboot))
        }),
    }
}

fn health(act: &Act<'_>, node: &str) -> Result<ExitCode> {
    let health = act.cluster.node(node).health()?;
    let words = |english, french| act.screen.words(english, french);
    let (sense, colour, text) = match health.health {
        Health::Green => (Sense::Good, "green", words("green", "vert")),
        Health::Yellow => (Sense::Doubtful, "yellow", words("yellow", "jaune")),
        Health::Red => (Sense::Bad, "red", words("red", "rouge")),
    };
    if act.screen.json {
        let attributes: BTreeMap<_, _> = health.attributes.into_iter().collect();
        act.screen
            .value(&json!({ "health": colour, "attributes": attributes }))?;
        return Ok(ExitCode::SUCCESS);
    }
    act.screen.line(sense, text)?;
    for (name, value) in &health.attributes {
        act.screen
            .line(Sense::Plain, &format!("  {name} {value}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lifetime(until_reboot: bool) -> Lifetime {
    if until_reboot {
        Lifetime::Reboot
    } else {
        Lifetime::Forever
    }
}
