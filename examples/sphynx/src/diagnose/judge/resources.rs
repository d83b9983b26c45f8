//! The resources, and what they need.

use std::collections::BTreeSet;

use super::{Line, Pair};
use crate::diagnose::facts::{Facts, Pacemaker};
use crate::diagnose::report::{Findings, Section};
use crate::settings::Machine;
use crate::{eole, say};

pub(super) fn judge(pair: &Pair<'_>, found: &mut Findings) {
    let look = pair.here.pacemaker.as_ref().ok();
    with(
        look,
        ("cib", say!("Configuration (CIB)", "Configuration (CIB)")),
        found,
        configuration,
    );
    let label = match look.and_then(|it| active_machine(pair, it)) {
        Some(name) => say!("Resources, on {name}", "Ressources, sur {name}"),
        None => say!("Resources", "Ressources"),
    };
    with(look, ("ressources", label), found, |it, line| {
        group(pair, it, line);
    });
    with(
        look,
        ("gw_pingd", eole::PING_CLONE.to_owned()),
        found,
        |it, line| pings(pair, it, line),
    );
    gateways(pair, look, found);
    routes(pair, look, found);
    let label = say!("Failed actions", "Actions en échec");
    with(look, ("echecs", label), found, |it, line| {
        failures(it, line);
    });
    let label = say!("Leftovers of moves", "Restes de déplacements");
    with(look, ("restes", label), found, |it, line| {
        leftovers(it, line);
    });
    if let Some(pacemaker) = look {
        remarks(pair, pacemaker, found);
    }
}

/// Judges what Pacemaker says; when it says nothing, why is told of the service.
fn with(
    look: Option<&Pacemaker>,
    (id, label): (&'static str, String),
    found: &mut Findings,
    judge: impl FnOnce(&Pacemaker, &mut Line),
) {
    let mut line = Line::new(id, Section::Resources, label);
    match look {
        Some(pacemaker) => judge(pacemaker, &mut line),
        None => line.blind = true,
    }
    line.end(found);
}

fn apply() -> String {
    "appliquer_hautedispo".to_owned()
}

fn configuration(pacemaker: &Pacemaker, line: &mut Line) {
    if pacemaker.empty {
        line.error(
            say!(
                "the cluster has no resource",
                "la grappe n'a aucune ressource"
            ),
            apply(),
        );
    }
    for told in &pacemaker.invalid {
        line.error(told.text.clone(), told.fix.clone());
    }
}

/// The machine that runs all of them.
fn active_machine<'a>(pair: &Pair<'_>, pacemaker: &'a Pacemaker) -> Option<&'a str> {
    let mut machines = BTreeSet::new();
    for name in pair.settings.resources() {
        let [machine] = pacemaker.active_on(name) else {
            return None;
        };
        machines.insert(machine.as_str());
    }
    let first = machines.pop_first();
    first.filter(|_| machines.is_empty())
}

fn group(pair: &Pair<'_>, pacemaker: &Pacemaker, line: &mut Line) {
    let mut places: Vec<(&str, &str)> = Vec::new();
    for name in pair.settings.resources() {
        if !pacemaker.active.contains_key(name) {
            line.error(
                say!("{name} is not configured", "{name} n'est pas configurée"),
                apply(),
            );
            continue;
        }
        match pacemaker.active_on(name) {
            [] if pacemaker.held_back.iter().any(|it| it == name) => line.error(
                say!(
                    "{name} is stopped on purpose (target-role)",
                    "{name} est arrêtée volontairement (target-role)"
                ),
                format!("crm resource start {name}"),
            ),
            [] => line.error(
                say!("{name} runs nowhere", "{name} ne tourne nulle part"),
                say!(
                    "see why: crm_resource --why --resource {name}",
                    "voir pourquoi : crm_resource --why --resource {name}"
                ),
            ),
            [place] => places.push((name, place)),
            several => {
                let several = several.join(", ");
                line.error(
                    say!("{name} runs on several machines: {several}", "{name} tourne sur plusieurs machines : {several}"),
                    say!("stop it by hand where it shall not be, then: crm_resource --cleanup --resource {name}", "l'arrêter à la main là où elle ne doit pas être, puis : crm_resource --cleanup --resource {name}"),
                );
            }
        }
    }
    let machines: BTreeSet<&str> = places.iter().map(|(_, place)| *place).collect();
    if machines.len() > 1 {
        let places: Vec<String> = places
            .iter()
            .map(|(name, place)| format!("{name} ({place})"))
            .collect();
        let places = places.join(", ");
        line.error(
            say!("the resources are not on one machine: {places}", "les ressources ne sont pas sur une seule machine : {places}"),
            say!("wait a moment, and look again; else make the group again: appliquer_hautedispo", "attendre un instant et recommencer ; sinon refaire le groupe : appliquer_hautedispo"),
        );
    }
}

fn pings(pair: &Pair<'_>, pacemaker: &Pacemaker, line: &mut Line) {
    let ping = eole::PING;
    if !pacemaker.active.contains_key(ping) {
        line.error(
            say!("{ping} is not configured", "{ping} n'est pas configurée"),
            apply(),
        );
        return;
    }
    for name in pair.names() {
        let online = pacemaker.node(name).is_some_and(|node| node.online);
        // A node that is not there is told as such.
        if online && !pacemaker.active_on(ping).iter().any(|it| it == name) {
            line.error(
                say!("{ping} does not run on {name}", "{ping} ne tourne pas sur {name}"),
                say!("see why: crm_resource --why --resource {ping}; then: crm_resource --cleanup --resource {ping} --node {name}", "voir pourquoi : crm_resource --why --resource {ping} ; puis : crm_resource --cleanup --resource {ping} --node {name}"),
            );
        }
    }
}

fn gateways(pair: &Pair<'_>, look: Option<&Pacemaker>, found: &mut Findings) {
    let label = say!("Gateway", "Passerelle");
    let mut line = Line::new("passerelle", Section::Resources, label);
    for machine in [pair.own(), pair.other()] {
        let name = &machine.name;
        let facts = pair
            .seen()
            .find(|(it, _)| it.name == *name)
            .map(|(_, facts)| facts);
        let before = line.errors.len();
        for (address, look) in facts.iter().flat_map(|facts| &facts.gateways) {
            if line.see(machine, look) == Some(&false) {
                line.error(
                    say!(
                        "{name} gets no answer from the gateway {address}",
                        "{name} n'a pas de réponse de la passerelle {address}"
                    ),
                    say!(
                        "look at the cable, the interface and the gateway: {}",
                        "vérifier le câble, l'interface et la passerelle : {}",
                        pair.on(machine, &format!("ping -c 3 {address}"))
                    ),
                );
            }
        }
        let node = look.and_then(|it| it.node(name)).filter(|node| node.online);
        if let Some(node) = node
            && line.errors.len() == before
        {
            unknown_to_pacemaker(name, node.pingd.as_deref(), &mut line);
        }
    }
    line.end(found);
}

/// The gateway answers, as far as it was asked; does Pacemaker know?
fn unknown_to_pacemaker(name: &str, pingd: Option<&str>, line: &mut Line) {
    let ping = eole::PING;
    let fix = || {
        say!(
            "wait a moment, and look again; else: crm_resource --cleanup --resource {ping}",
            "attendre un instant et recommencer ; sinon : crm_resource --cleanup --resource {ping}"
        )
    };
    match pingd.map(str::parse::<i64>) {
        Some(Ok(value)) if value > 0 => {}
        None => line.error(
            say!("Pacemaker does not know whether the gateway answers {name}: it counts as a machine without one", "Pacemaker ne sait pas si la passerelle répond à {name}, qui compte comme sans passerelle"),
            fix(),
        ),
        Some(_) => line.error(
            say!("for Pacemaker, the gateway does not answer {name} (pingd = 0)", "pour Pacemaker, la passerelle ne répond pas à {name} (pingd = 0)"),
            fix(),
        ),
    }
}

fn routes(pair: &Pair<'_>, look: Option<&Pacemaker>, found: &mut Findings) {
    let label = say!("Default route", "Route par défaut");
    let mut line = Line::new("route", Section::Resources, label);
    for (machine, facts) in pair.seen() {
        let Some(routes) = line.see(machine, &facts.routes) else {
            continue;
        };
        if routes.is_empty() {
            let (name, gateway) = (&machine.name, pair.settings.gateways.addresses.first());
            let gateway = gateway.map(ToString::to_string).unwrap_or_default();
            line.error(
                say!(
                    "{name} has no default route",
                    "{name} n'a pas de route par défaut"
                ),
                pair.on(machine, &format!("ip route add default via {gateway}")),
            );
        } else if let Some(pacemaker) = look {
            source(pair, (machine, facts), pacemaker, &mut line);
        }
    }
    line.end(found);
}

/// On the active machine, packages leave with the address that moves.
fn source(
    pair: &Pair<'_>,
    (machine, facts): (&Machine, &Facts),
    pacemaker: &Pacemaker,
    line: &mut Line,
) {
    let Some(source) = &pair.settings.source else {
        return;
    };
    let vip = pair.settings.vips.iter().find(|vip| vip.name == source.vip);
    let active = pacemaker.active_on(&source.name).contains(&machine.name);
    let mut routes = facts.routes.iter().flatten();
    if let Some(vip) = vip
        && active
        && !routes.any(|route| route.source == Some(vip.address))
    {
        let (name, on, address) = (&source.name, &machine.name, vip.address);
        line.error(
            say!("{name} is active on {on}, and packets do not leave with {address}: the default route was changed", "{name} est active sur {on}, mais les paquets ne partent pas avec {address} : la route par défaut a été changée"),
            format!("crm resource restart {name}"),
        );
    }
}

fn failures(pacemaker: &Pacemaker, line: &mut Line) {
    for failure in &pacemaker.failures {
        let (resource, node, task, rc) =
            (&failure.resource, &failure.node, &failure.task, failure.rc);
        let reason = failure
            .reason
            .as_deref()
            .filter(|it| !it.is_empty() && *it != "none");
        let reason = reason.map_or_else(String::new, |it| format!(" ({it})"));
        line.error(
            say!("{task} of {resource} failed on {node}, code {rc}{reason}", "{task} de {resource} a échoué sur {node}, code {rc}{reason}"),
            say!("mend the cause, then: crm_resource --cleanup --resource {resource} --node {node}", "réparer la cause, puis : crm_resource --cleanup --resource {resource} --node {node}"),
        );
    }
}

fn leftovers(pacemaker: &Pacemaker, line: &mut Line) {
    for (constraint, resource) in &pacemaker.left_behind {
        line.error(
            say!("{constraint} still holds {resource}: a move or a ban by hand", "{constraint} contraint encore {resource} : un déplacement ou une interdiction à la main"),
            format!("crm_resource --clear --resource {resource}"),
        );
    }
}

fn remarks(pair: &Pair<'_>, pacemaker: &Pacemaker, found: &mut Findings) {
    if !pacemaker.fencing {
        found.remark(
            say!(
                "fencing is off: when the dialogue alone is cut, both machines become active",
                "la clôture (fencing) est désactivée : si seul le dialogue est coupé, les deux machines deviennent actives"
            ),
            Some(say!("[cloture] of the settings, with a device", "[cloture] du paramétrage, avec un équipement")),
        );
    }
    for constraint in &pacemaker.moving {
        found.remark(
            say!(
                "a move is under way, or was given up: {constraint}",
                "un déplacement est en cours, ou abandonné : {constraint}"
            ),
            Some(say!(
                "its constraint ends by itself",
                "sa contrainte prend fin d'elle-même"
            )),
        );
    }
    for told in &pacemaker.doubtful {
        found.remark(told.text.clone(), Some(told.fix.clone()));
    }
    let esclave = &pair.settings.esclave.name;
    if active_machine(pair, pacemaker) == Some(esclave) {
        found.remark(
            say!(
                "{esclave} is the active machine",
                "{esclave} est la machine active"
            ),
            None,
        );
    }
}
