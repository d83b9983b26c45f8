//! What corosync says. Each question has a deadline: one that is stopped answers nothing.

use ha_core::Result;
use ha_core::live::corosync::cfg::Cfg;
use ha_core::live::corosync::cmap::{Cmap, Map};
use ha_core::live::corosync::quorum::Quorum;
use ha_core::live::corosync::{NodeId, Options};

use crate::apply::daemons;
use crate::corosync;
use crate::diagnose::facts::{Corosync, Link};
use crate::settings::Settings;

pub(super) fn look(settings: &Settings, options: &Options) -> Result<Corosync> {
    let state = Quorum::state(options)?;
    let map = Cmap::connect(Map::Configuration, options)?;
    let nodes = nodes(&map)?;
    let transport = map.get_as::<String>("totem.transport")?;
    let transport = transport.unwrap_or_else(|| "knet".to_owned());
    let name = |id: NodeId| match nodes.iter().find(|(node, _)| *node == id) {
        Some((_, name)) => name.clone(),
        None => id.to_string(),
    };
    let since = Cmap::connect(Map::Statistics, options)?
        .get_as::<u64>("stats.srp.time_since_token_last_received")?;
    let cfg = Cfg::connect(options)?;
    let own = cfg.local_node()?;
    let mut links = Vec::new();
    let mut faulty = Vec::new();
    if transport == "knet" {
        for (id, _) in nodes.iter().filter(|(id, _)| *id != own) {
            let status = cfg.node_status(*id)?;
            links.extend(
                status
                    .links
                    .into_iter()
                    .filter(|link| link.enabled)
                    .map(|link| Link {
                        number: link.number,
                        connected: link.connected,
                        to: link.destination,
                    }),
            );
        }
    } else {
        let interfaces = cfg.interfaces()?.into_iter();
        let bad = interfaces.filter(|it| it.state != "OK");
        faulty.extend(bad.map(|it| format!("{} {}", it.address, it.state)));
    }
    let pending = daemons::not_in_force(&corosync::file(settings))?;
    Ok(Corosync {
        quorate: state.quorate,
        members: state.members.iter().copied().map(name).collect(),
        configured: nodes.iter().map(|(_, name)| name.clone()).collect(),
        transport,
        token_ms: map.get_as::<u64>("runtime.config.totem.token")?,
        since_token_ms: since,
        links,
        faulty,
        not_in_force: pending.iter().flatten().map(ToString::to_string).collect(),
    })
}

/// The nodes of the configuration, by number.
fn nodes(map: &Cmap) -> Result<Vec<(NodeId, String)>> {
    let mut nodes = Vec::new();
    for place in 0.. {
        let key = |name: &str| format!("nodelist.node.{place}.{name}");
        let Some(id) = map.get_as::<u32>(&key("nodeid"))? else {
            break;
        };
        let name = map.get_as::<String>(&key("name"))?;
        nodes.push((NodeId(id), name.unwrap_or_else(|| id.to_string())));
    }
    Ok(nodes)
}
