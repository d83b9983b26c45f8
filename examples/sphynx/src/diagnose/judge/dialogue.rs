//! The way between the two machines.

use super::{Line, Pair};
use crate::diagnose::facts::{Corosync, Facts};
use crate::diagnose::gather::COROSYNC;
use crate::diagnose::report::{Findings, Section};
use crate::say;
use crate::settings::{Machine, Transport};

pub(super) fn judge(pair: &Pair<'_>, found: &mut Findings) {
    interface(pair, found);
    shared(pair, found);
    link(pair, found);
    members(pair, found);
    quorum(pair, found);
    token(pair, found);
}

fn interface(pair: &Pair<'_>, found: &mut Findings) {
    let name = &pair.settings.dialogue.interface;
    let label = say!("Interface {name}", "Interface {name}");
    let mut line = Line::new("interface", Section::Dialogue, label);
    for (machine, facts) in pair.seen() {
        let Some(all) = line.see(machine, &facts.interfaces) else {
            continue;
        };
        let on = &machine.name;
        let Some(interface) = facts.interface(name) else {
            let others: Vec<&str> = all
                .iter()
                .map(|it| it.name.as_str())
                .filter(|it| *it != "lo")
                .collect();
            let others = others.join(", ");
            line.error(
                say!("{on} has no interface {name}", "{on} n'a pas d'interface {name}"),
                say!(
                    "mend interface in [dialogue] of the settings (there are {others}), or its driver",
                    "corriger interface dans [dialogue] du paramétrage (il y a {others}), ou son pilote"
                ),
            );
            continue;
        };
        let up = pair.on(machine, &format!("ip link set {name} up"));
        if !interface.up {
            line.error(
                say!(
                    "{name} of {on} is switched off",
                    "{name} de {on} est désactivée"
                ),
                up,
            );
        } else if !interface.carrier {
            line.error(
                say!(
                    "{name} of {on} has no link",
                    "{name} de {on} n'a pas de lien"
                ),
                say!(
                    "look at its cable and at what is at the other end",
                    "vérifier son câble et ce qui est à l'autre bout"
                ),
            );
        }
        if !interface.multicast && pair.settings.dialogue.transport == Transport::Multicast {
            line.error(
                say!(
                    "{name} of {on} does not carry multicast",
                    "{name} de {on} ne transporte pas le multicast"
                ),
                pair.on(machine, &format!("ip link set {name} multicast on")),
            );
        }
        let address = machine.dialogue;
        if !interface.addresses.contains(&address) {
            let elsewhere = all.iter().find(|it| it.addresses.contains(&address));
            let text = match elsewhere.map(|it| &it.name) {
                Some(other) => say!(
                    "{address} is on {other} of {on}, not on {name}",
                    "{address} est sur {other} de {on}, non sur {name}"
                ),
                None => say!(
                    "{name} of {on} does not have {address}",
                    "{name} de {on} n'a pas {address}"
                ),
            };
            line.error(
                text,
                say!(
                    "give it the address, or mend [dialogue] and dialogue of the machine in the settings",
                    "lui donner l'adresse, ou corriger [dialogue] et dialogue de la machine dans le paramétrage"
                ),
            );
        }
    }
    line.end(found);
}

/// What is told and is no error: the interface of the dialogue does other work too.
fn shared(pair: &Pair<'_>, found: &mut Findings) {
    let name = &pair.settings.dialogue.interface;
    let clear = pair.settings.dialogue.transport == Transport::Multicast;
    let advice = |clear: bool| {
        Some(if clear {
            say!(
                "a network of its own, on a direct link; there, multicast goes in clear; else transport = \"knet\"",
                "un réseau à part, sur un lien direct ; le multicast y passe en clair ; sinon transport = \"knet\""
            )
        } else {
            say!(
                "a network of its own, on a direct link",
                "un réseau à part, sur un lien direct"
            )
        })
    };
    for vip in pair
        .settings
        .vips
        .iter()
        .filter(|vip| vip.interface == *name)
    {
        let vip = &vip.name;
        found.remark(
            say!(
                "the dialogue shares {name} with {vip}",
                "le dialogue partage {name} avec {vip}"
            ),
            advice(clear),
        );
    }
    for (machine, facts) in pair.seen() {
        let mut routes = facts.routes.iter().flatten();
        if routes.any(|route| route.interface == *name) {
            let on = &machine.name;
            found.remark(
                say!(
                    "the default route of {on} goes over {name}, the interface of the dialogue",
                    "la route par défaut de {on} passe par {name}, l'interface du dialogue"
                ),
                advice(clear),
            );
        }
    }
}

/// Whether what corosync sends arrives.
fn link(pair: &Pair<'_>, found: &mut Findings) {
    let label = match pair.settings.dialogue.transport {
        Transport::Multicast => say!("Link and multicast", "Lien et multicast"),
        Transport::Knet => say!("Links (knet)", "Liens (knet)"),
    };
    let mut line = Line::new("lien", Section::Dialogue, label);
    for (machine, facts) in pair.seen() {
        let from = &machine.name;
        let to = if *from == pair.own().name {
            pair.other()
        } else {
            pair.own()
        };
        let Ok(corosync) = &facts.corosync else {
            line.blind = true;
            continue;
        };
        for faulty in &corosync.faulty {
            line.error(
                say!(
                    "{from}: corosync has trouble with its interface: {faulty}",
                    "{from} : corosync a un problème d'interface : {faulty}"
                ),
                pair.on(machine, "corosync-cfgtool -s"),
            );
        }
        for link in corosync.links.iter().filter(|link| !link.connected) {
            let (number, address) = (link.number, &link.to);
            line.error(
                say!(
                    "link {number} from {from} to {address} is down",
                    "le lien {number} de {from} vers {address} est coupé"
                ),
                say!(
                    "look at the cable and the interface; {}",
                    "vérifier le câble et l'interface ; {}",
                    pair.on(machine, &format!("ping -c 3 {address}"))
                ),
            );
        }
        if !corosync.members.contains(&to.name) {
            unheard(pair, (machine, facts), to, &mut line);
        }
    }
    line.end(found);
}

/// Says why a machine's corosync does not hear the other one's, as far as it can be known.
fn unheard(pair: &Pair<'_>, (machine, facts): (&Machine, &Facts), to: &Machine, line: &mut Line) {
    let (from, other, address) = (&machine.name, &to.name, to.dialogue);
    let there = pair
        .seen()
        .find(|(it, _)| it.name == *other)
        .map(|(_, facts)| facts);
    if there.is_some_and(|facts| !facts.processes.contains_key(COROSYNC) || facts.corosync.is_err())
    {
        // That is told of the service.
        line.blind = true;
        return;
    }
    let interface = &pair.settings.dialogue.interface;
    let pings = matches!(facts.dialogue, Some(Ok(true)));
    if pings {
        let port = pair.settings.dialogue.port;
        let group = pair.settings.dialogue.group;
        let (text, fix) = match pair.settings.dialogue.transport {
            Transport::Multicast => (
                say!(
                    "{from} does not hear corosync of {other}, which answers pings: multicast does not pass, or corosync does not run there",
                    "{from} n'entend pas le corosync de {other}, qui répond pourtant au ping : le multicast ne passe pas, ou corosync n'y tourne pas"
                ),
                say!(
                    "let UDP {port} and {group} pass in the firewalls and the switch (IGMP snooping); to see: tcpdump -ni {interface} udp port {port}",
                    "laisser passer UDP {port} et {group} dans les pare-feu et le commutateur (IGMP snooping) ; pour voir : tcpdump -ni {interface} udp port {port}"
                ),
            ),
            Transport::Knet => (
                say!(
                    "{from} does not hear corosync of {other}, which answers pings: UDP does not pass, the keys differ, or corosync does not run there",
                    "{from} n'entend pas le corosync de {other}, qui répond pourtant au ping : UDP ne passe pas, les clés diffèrent, ou corosync n'y tourne pas"
                ),
                say!(
                    "let UDP {port} pass in the firewalls; to see: tcpdump -ni {interface} udp port {port}",
                    "laisser passer UDP {port} dans les pare-feu ; pour voir : tcpdump -ni {interface} udp port {port}"
                ),
            ),
        };
        line.error(text, fix);
        return;
    }
    line.error(
        say!(
            "{from} does not hear {other} at all ({address}): it is off, or the link is cut",
            "{from} n'entend pas du tout {other} ({address}) : il est éteint, ou le lien est coupé"
        ),
        pair.on(
            machine,
            &format!("ip -brief link show {interface} && ping -c 3 -I {interface} {address}"),
        ),
    );
}

/// Judges what each corosync says, with what is said when it says nothing.
fn each(
    pair: &Pair<'_>,
    (id, label): (&'static str, String),
    found: &mut Findings,
    judge: impl Fn(&Machine, &Corosync, &mut Line),
) {
    let mut line = Line::new(id, Section::Dialogue, label);
    for (machine, facts) in pair.seen() {
        match &facts.corosync {
            Ok(corosync) => judge(machine, corosync, &mut line),
            // Why is told of the service.
            Err(_) => line.blind = true,
        }
    }
    line.end(found);
}

fn members(pair: &Pair<'_>, found: &mut Findings) {
    let label = say!("Members of corosync", "Membres de corosync");
    each(
        pair,
        ("membres", label),
        found,
        |machine, corosync, line| {
            let on = &machine.name;
            for name in pair.names() {
                if corosync.members.iter().any(|it| it == name) {
                    continue;
                }
                if corosync.configured.iter().any(|it| it == name) {
                    let mut seen = pair.seen();
                    let runs = seen.any(|(it, facts)| {
                        it.name == name && facts.processes.contains_key(COROSYNC)
                    });
                    let fix = if runs {
                        say!(
                            "mend the link of the dialogue: ping -c 3 between the two, corosync-cfgtool -s",
                            "réparer le lien du dialogue : ping -c 3 entre les deux, corosync-cfgtool -s"
                        )
                    } else {
                        say!(
                            "on {name}: systemctl start corosync pacemaker",
                            "sur {name} : systemctl start corosync pacemaker"
                        )
                    };
                    line.error(
                        say!(
                            "{on}: {name} is no member",
                            "{on} : {name} n'est pas membre"
                        ),
                        fix,
                    );
                } else {
                    let configured = corosync.configured.join(", ");
                    line.error(
                    say!("{on}: corosync runs with a configuration that does not know {name} (it has {configured})", "{on} : corosync tourne avec une configuration qui ne connaît pas {name} (elle a {configured})"),
                    pair.on(machine, "appliquer_hautedispo"),
                );
                }
            }
        },
    );
}

fn quorum(pair: &Pair<'_>, found: &mut Findings) {
    let label = say!("Quorum", "Quorum");
    each(pair, ("quorum", label), found, |machine, corosync, line| {
        if !corosync.quorate {
            let on = &machine.name;
            line.error(
                if pair.settings.fencing.active {
                    say!("{on} has no quorum: it starts nothing", "{on} n'a pas le quorum : il ne démarre rien")
                } else {
                    say!(
                        "{on} has no quorum: it serves alone, without knowing whether the other one does too",
                        "{on} n'a pas le quorum : il sert seul, sans savoir si l'autre en fait autant"
                    )
                },
                say!(
                    "bring the other machine up (after a start, both are waited for once); {}",
                    "démarrer l'autre machine (après un démarrage, les deux sont attendues une fois) ; {}",
                    pair.on(machine, "corosync-quorumtool -s")
                ),
            );
        }
    });
}

/// A node whose own interface is down goes on as if nothing were: only the age of the token tells.
fn token(pair: &Pair<'_>, found: &mut Findings) {
    let label = say!("Token", "Jeton");
    each(pair, ("jeton", label), found, |machine, corosync, line| {
        let (Some(age), Some(limit)) = (corosync.since_token_ms, corosync.token_ms) else {
            return;
        };
        if age <= limit {
            return;
        }
        let (on, interface) = (&machine.name, &pair.settings.dialogue.interface);
        let seconds = format!("{}.{}", age / 1000, age % 1000 / 100);
        line.error(
            say!(
                "{on} has not seen the token for {seconds} s: it is cut off, and still takes itself for a member",
                "{on} n'a pas vu le jeton depuis {seconds} s : il est isolé, et se croit encore membre"
            ),
            pair.on(machine, &format!("ip link set {interface} up ; systemctl restart corosync")),
        );
    });
}
