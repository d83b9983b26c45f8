//! Pacemaker's configuration from the settings.
//!
//! The rule of the gateway gives points to a machine that reaches one, instead of forbidding those that do not: so the
//! group moves when only its own machine has lost the gateway, stays where it is when both have, and starts at once on
//! machines that have not asked yet.

use std::time::Duration;

use ha_core::config::{Alert, CloneSet, Config, Expression, Group, Location, Operation, Primitive};
use ha_core::name::Id;
use ha_core::value::Score;
use ha_core::{ErrorExt, Result};

use crate::settings::{Agent, Device, Role, Service, Settings, Vip};
use crate::{eole, say};

/// What a machine that reaches a gateway is worth to the group: more than the stickiness of all members and the preference
/// together may be, and so little that not even once for each member does it come near Pacemaker's infinity, 1 000 000,
/// where all scores are the same.
pub const GATEWAY_POINTS: u32 = 100_000;

/// The attribute that the ping resource keeps.
const ATTRIBUTE: &str = "pingd";

/// How often the gateways are asked. One question is three pings, of which one has to be answered: a ping that gets lost
/// changes nothing.
const ASK: Duration = Duration::from_secs(2);
/// How long a change waits for others: longer than the two machines can be apart in seeing that the gateway itself is
/// gone, which is one question and one pause. Else the group would move for nothing.
const DAMPEN: &str = "6s";

/// How long services may take when nobody says.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an answer about a service may take.
const MONITOR_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns Pacemaker's configuration; an empty one, that removes what an earlier one made, when the settings are off.
///
/// # Errors
/// [`ErrorKind::Invalid`](ha_core::ErrorKind::Invalid) for a name that cannot be one.
pub fn config(settings: &Settings, mailer: Option<&str>) -> Result<Config> {
    let owned = Config::new().owned_by(Id::new(eole::OWNER)?);
    if !settings.active {
        return Ok(owned);
    }
    let mut config = owned.option("stonith-enabled", settings.fencing.active);
    if !settings.fencing.active {
        // A machine that is switched on while the other is away serves alone, as at EOLE, though it has no quorum until
        // both have met. With fencing it waits: else each of two that do not see each other would switch the other off.
        config = config.option("no-quorum-policy", "ignore");
    }
    config = config
        .group(group(settings))
        .clone_set(ping(settings))
        .location(Location::rule(
            "sphynx_avec_passerelle",
            eole::GROUP,
            points(GATEWAY_POINTS),
            Expression::defined(ATTRIBUTE).and(Expression::more_than(ATTRIBUTE, 0)),
        ))
        .location(Location::prefer(
            "sphynx_sur_maitre",
            eole::GROUP,
            &settings.maitre.name,
            points(settings.pacemaker.preference),
        ));
    if settings.fencing.active {
        for device in &settings.fencing.devices {
            config = fence(config, settings, device);
        }
    }
    if let Some(path) = mailer
        && !settings.alert.mail.is_empty()
    {
        config = config.alert(mail(settings, path));
    }
    config.to_document().with_context(|| {
        say!(
            "make Pacemaker's configuration",
            "produire la configuration de Pacemaker"
        )
    })?;
    Ok(config)
}

fn points(points: u32) -> Score {
    Score::from(i32::try_from(points).unwrap_or(i32::MAX))
}

fn group(settings: &Settings) -> Group {
    let vips = settings.vips.iter().map(vip);
    let source = settings.source.iter().filter_map(|source| {
        let vip = settings.vips.iter().find(|vip| vip.name == source.vip)?;
        // It looks for its address among those of the machine: the group starts it after them, and stops it before.
        // With the mask it finds the address's own interface also where another address of that network is.
        Some(
            Primitive::ocf("heartbeat", "IPsrcaddr", &source.name)
                .parameter("ipaddress", vip.address.to_string())
                .parameter("cidr_netmask", u32::from(vip.prefix))
                .monitor(Duration::from_secs(10), Duration::from_secs(20)),
        )
    });
    let services = settings.services.iter().map(service);
    let members: Vec<Primitive> = vips.chain(source).chain(services).collect();
    let pacemaker = &settings.pacemaker;
    Group::new(eole::GROUP, members)
        .meta("resource-stickiness", pacemaker.stickiness)
        .meta("migration-threshold", pacemaker.failures)
        .meta("failure-timeout", pacemaker.forget.duration())
}

fn vip(vip: &Vip) -> Primitive {
    Primitive::ocf("heartbeat", "IPaddr2", &vip.name)
        .parameter("ip", vip.address.to_string())
        .parameter("cidr_netmask", u32::from(vip.prefix))
        .parameter("nic", vip.interface.as_str())
        .monitor(Duration::from_secs(10), Duration::from_secs(20))
}

fn service(service: &Service) -> Primitive {
    let mut primitive = match &service.agent {
        Agent::Lsb(script) => Primitive::lsb(script, &service.name),
        Agent::Systemd(unit) => Primitive::systemd(unit, &service.name),
        Agent::Ocf(provider, name) => Primitive::ocf(provider, name, &service.name),
    };
    for (name, value) in service.parameters.iter() {
        primitive = primitive.parameter(name, value.clone());
    }
    let or_default = |given: Option<crate::settings::Length>| {
        given.map_or(SERVICE_TIMEOUT, crate::settings::Length::duration)
    };
    primitive
        .start_timeout(or_default(service.start))
        .stop_timeout(or_default(service.stop))
        .monitor(service.monitor.duration(), MONITOR_TIMEOUT)
}

fn ping(settings: &Settings) -> CloneSet {
    let gateways: Vec<String> = settings
        .gateways
        .addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    let ping = Primitive::ocf("pacemaker", "ping", eole::PING)
        .parameter("host_list", gateways.join(" "))
        .parameter("name", ATTRIBUTE)
        .parameter("attempts", 3_u32)
        .parameter("timeout", 1_u32)
        .parameter("dampen", DAMPEN)
        .operation(Operation::new("monitor", ASK).timeout(Duration::from_secs(60)));
    CloneSet::new(eole::PING_CLONE, ping)
}

fn fence(config: Config, settings: &Settings, device: &Device) -> Config {
    let mut primitive = Primitive::stonith(&device.agent, &device.name);
    for (name, value) in device.parameters.iter() {
        primitive = primitive.parameter(name, value.clone());
    }
    let Some(target) = device.target else {
        return config.primitive(primitive);
    };
    let name = &settings.machine(target).name;
    primitive = primitive.parameter("pcmk_host_list", name.as_str());
    if target == Role::Maitre {
        // When each wants to switch the other off, the maître wins.
        primitive = primitive.parameter("pcmk_delay_base", "5s");
    }
    let id = format!("{}_ailleurs", device.name);
    config
        .primitive(primitive)
        .location(Location::ban(id, &device.name, name))
}

fn mail(settings: &Settings, path: &str) -> Alert {
    let mut alert = Alert::new("sphynx_courriel", path)
        .on_fencing()
        .on_nodes()
        .on_resources();
    if !settings.alert.sender.is_empty() {
        alert = alert.parameter("email_sender", settings.alert.sender.as_str());
    }
    alert.recipient(&settings.alert.mail)
}
