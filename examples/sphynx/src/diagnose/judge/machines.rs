//! The two machines as a pair.

use super::{Line, ONE_ACTIVE, Pair};
use crate::diagnose::facts::{Facts, Look, Reason, Unseen};
use crate::diagnose::gather::PACEMAKER;
use crate::diagnose::peer::Asked;
use crate::diagnose::report::{Findings, Section};
use crate::settings::Machine;
use crate::{eole, say};

pub(super) fn judge(pair: &Pair<'_>, found: &mut Findings) {
    ssh_to(pair, found);
    ssh_from(pair, found);
    clocks(pair, found);
    synchro(pair, found);
    nodes(pair, found);
    one_active(pair, found);
}

fn ssh_to(pair: &Pair<'_>, found: &mut Findings) {
    let Some(asked) = pair.peer else { return };
    let other = pair.other();
    let (name, host) = (&other.name, other.ssh());
    let label = say!("SSH to {name}", "SSH vers {name}");
    let mut line = Line::new("ssh_vers", Section::Pair, label);
    match asked {
        Ok(Asked { by, .. }) if *by != host => line.error(
            say!(
                "{name} does not answer at {host}; it was reached at {by}",
                "{name} ne répond pas à {host} ; il a été joint par {by}"
            ),
            say!(
                "look at the link of the dialogue: ping -c 3 {host}",
                "vérifier le lien du dialogue : ping -c 3 {host}"
            ),
        ),
        Ok(_) => {}
        Err(unseen) if !pair.here.root => line.unseen(
            pair.own(),
            &Unseen {
                reason: Reason::Forbidden,
                text: unseen.text.clone(),
            },
        ),
        Err(unseen) => {
            let text = &unseen.text;
            line.error(
                say!(
                    "{name} ({host}) does not answer: {text}",
                    "{name} ({host}) ne répond pas : {text}"
                ),
                ssh_fix(text, &host, name),
            );
        }
    }
    line.end(found);
}

/// The next step for what ssh said.
fn ssh_fix(said: &str, host: &str, name: &str) -> String {
    let said = said.to_lowercase();
    if said.contains("host key verification failed") || said.contains("permission denied") {
        return say!(
            "join the two machines: instance, on both",
            "relier les deux machines : instance, sur les deux"
        );
    }
    if said.contains("connection refused") {
        return say!(
            "on {name}: systemctl start ssh",
            "sur {name} : systemctl start ssh"
        );
    }
    if said.contains("diagnose") {
        return say!("on {name}: diagnose", "sur {name} : diagnose");
    }
    say!(
        "see to it that {name} is on and the link is up: ping -c 3 {host}; ssh -v root@{host} true",
        "vérifier que {name} est allumé et le lien actif : ping -c 3 {host} ; ssh -v root@{host} true"
    )
}

fn ssh_from(pair: &Pair<'_>, found: &mut Findings) {
    let (Some(there), own) = (pair.there(), pair.own()) else {
        return;
    };
    let (name, host) = (&pair.other().name, own.ssh());
    let label = say!("SSH from {name}", "SSH depuis {name}");
    let mut line = Line::new("ssh_depuis", Section::Pair, label);
    if let Some(Err(unseen)) = &there.ssh {
        let text = &unseen.text;
        let fix = ssh_fix(text, &host, &own.name);
        line.error(
            say!(
                "{name} does not get in here ({host}): {text}",
                "{name} n'entre pas ici ({host}) : {text}"
            ),
            fix,
        );
    }
    line.end(found);
}

/// How far the clock of the other machine is ahead, and how sure that is: both in milliseconds.
fn apart(asked: &Asked) -> (i64, i64) {
    let ((before, after), (began, ended)) = (asked.clock, asked.facts.clock);
    let ahead = ((began - before) + (ended - after)) / 2;
    let unsure = ((after - before) - (ended - began)).abs() / 2;
    (ahead, unsure)
}

fn clocks(pair: &Pair<'_>, found: &mut Findings) {
    let Some(Ok(asked)) = pair.peer else { return };
    let mut line = Line::new("horloges", Section::Pair, say!("Clocks", "Horloges"));
    let (ahead, unsure) = apart(asked);
    if ahead.abs() - unsure > eole::CLOCKS_MS {
        let (name, seconds) = (&pair.other().name, ahead.abs() / 1000);
        let text = if ahead > 0 {
            say!(
                "the clock of {name} is {seconds} s ahead",
                "l'horloge de {name} avance de {seconds} s"
            )
        } else {
            say!(
                "the clock of {name} is {seconds} s behind",
                "l'horloge de {name} retarde de {seconds} s"
            )
        };
        line.error(
            text,
            say!(
                "on both: timedatectl; systemctl restart systemd-timesyncd (or ntp, chrony)",
                "sur les deux : timedatectl ; systemctl restart systemd-timesyncd (ou ntp, chrony)"
            ),
        );
    }
    line.end(found);
}

fn synchro(pair: &Pair<'_>, found: &mut Findings) {
    let mut line = Line::new("synchro", Section::Pair, "synchro-nodes".to_owned());
    let again = || {
        say!(
            "on the active machine: synchro-nodes",
            "sur la machine active : synchro-nodes"
        )
    };
    // Both remember the same one.
    if let Some(seen) = line.see(pair.own(), &pair.here.synchro) {
        match &seen.last {
            None => line.error(
                say!(
                    "nothing was ever copied from one machine to the other",
                    "rien n'a jamais été copié d'une machine à l'autre"
                ),
                again(),
            ),
            Some((at, from, to)) => {
                let age = pair.now - at;
                if age > eole::SYNCHRO_AGE_S {
                    let hours = age / 3600;
                    line.error(
                        say!(
                            "the last copy, from {from} to {to}, is {hours} h old",
                            "la dernière copie, de {from} vers {to}, date de {hours} h"
                        ),
                        say!(
                            "{}; its timer: systemctl status synchro-nodes.timer",
                            "{} ; sa minuterie : systemctl status synchro-nodes.timer",
                            again()
                        ),
                    );
                }
            }
        }
    }
    for (machine, facts) in pair.seen() {
        if let Ok(seen) = &facts.synchro
            && let Some(reason) = &seen.failed
        {
            let name = &machine.name;
            line.error(
                say!(
                    "the last copy to {name} failed: {reason}",
                    "la dernière copie vers {name} a échoué : {reason}"
                ),
                again(),
            );
        }
    }
    line.end(found);
}

/// What brings a machine back into the cluster.
fn start(pair: &Pair<'_>, machine: &Machine) -> String {
    let mut seen = pair.seen();
    let runs = |facts: &Facts| facts.processes.contains_key(PACEMAKER[0]);
    if seen.any(|(it, facts)| it.name == machine.name && runs(facts)) {
        return say!(
            "it runs there: mend the dialogue (the lines above)",
            "il y tourne : réparer le dialogue (lignes ci-dessus)"
        );
    }
    pair.on(machine, "systemctl start corosync pacemaker")
}

fn nodes(pair: &Pair<'_>, found: &mut Findings) {
    let label = say!("Nodes of Pacemaker", "Nœuds de Pacemaker");
    let mut line = Line::new("noeuds", Section::Pair, label);
    let Ok(pacemaker) = &pair.here.pacemaker else {
        line.blind = true;
        line.end(found);
        return;
    };
    if pacemaker.maintenance {
        line.error(
            say!(
                "the cluster is in maintenance: it starts, stops and watches nothing",
                "la grappe est en maintenance : elle ne démarre, n'arrête et ne surveille rien"
            ),
            "crm_attribute --name maintenance-mode --delete".to_owned(),
        );
    }
    if pacemaker.dc.is_none() {
        line.error(
            say!(
                "no machine leads the cluster (no DC): nothing is decided",
                "aucune machine ne dirige la grappe (pas de DC) : rien n'est décidé"
            ),
            say!(
                "wait until both have joined; else: systemctl restart pacemaker",
                "attendre que les deux se soient jointes ; sinon : systemctl restart pacemaker"
            ),
        );
    }
    for machine in [&pair.settings.maitre, &pair.settings.esclave] {
        let name = &machine.name;
        let Some(node) = pacemaker.node(name) else {
            line.error(
                say!(
                    "the cluster has no node {name}",
                    "la grappe n'a pas de nœud {name}"
                ),
                pair.on(machine, "systemctl start corosync pacemaker"),
            );
            continue;
        };
        if node.unclean {
            line.error(
                say!(
                    "{name} is lost and was not fenced: what it runs is not known",
                    "{name} est perdu et n'a pas été clôturé : on ne sait pas ce qu'il fait tourner"
                ),
                say!(
                    "make sure that it is off, then: stonith_admin --confirm {name}",
                    "s'assurer qu'il est éteint, puis : stonith_admin --confirm {name}"
                ),
            );
        } else if node.pending {
            line.error(
                say!(
                    "{name} is joining",
                    "{name} est en train de rejoindre la grappe"
                ),
                say!(
                    "wait a moment, and look again",
                    "attendre un instant et recommencer"
                ),
            );
        } else if !node.online {
            line.error(
                say!(
                    "{name} is offline: it cannot take over",
                    "{name} est hors ligne : il ne peut prendre le relais"
                ),
                start(pair, machine),
            );
        }
        if node.standby {
            line.error(
                say!(
                    "{name} is in standby: it takes nothing over",
                    "{name} est en veille (standby) : il ne prend rien en charge"
                ),
                format!("crm node online {name}"),
            );
        }
        if node.maintenance && !pacemaker.maintenance {
            line.error(
                say!("{name} is in maintenance", "{name} est en maintenance"),
                format!("crm node ready {name}"),
            );
        }
    }
    line.end(found);
}

/// What a machine runs itself, by its own Pacemaker or by the addresses that it has.
fn own_work(pair: &Pair<'_>, machine: &Machine, facts: &Facts) -> Vec<String> {
    let pacemaker = facts.pacemaker.as_ref().ok();
    let runs = |name: &&str| {
        let vip = pair.settings.vips.iter().find(|vip| vip.name == **name);
        vip.is_some_and(|vip| facts.has_address(vip.address))
            || pacemaker.is_some_and(|it| it.active_on(name).contains(&machine.name))
    };
    let all = pair.settings.resources();
    all.into_iter().filter(runs).map(str::to_owned).collect()
}

fn one_active(pair: &Pair<'_>, found: &mut Findings) {
    let label = say!("One machine is active", "Une seule machine active");
    let mut line = Line::new(ONE_ACTIVE, Section::Pair, label);
    let (own, other) = (pair.own(), pair.other());
    let mine = own_work(pair, own, pair.here);
    if let Some(there) = pair.there() {
        let theirs = own_work(pair, other, there);
        let joined = pair.here.sees(&other.name) && there.sees(&own.name);
        let twice = mine.iter().any(|name| theirs.contains(name));
        // In a pair that is joined, resources may be on their way.
        if !mine.is_empty() && !theirs.is_empty() && (twice || !joined) {
            let (a, b) = (&own.name, &other.name);
            let (mine, theirs) = (mine.join(", "), theirs.join(", "));
            line.error(
                say!("both machines are active: {a} runs {mine}; {b} runs {theirs}", "les deux machines sont actives : {a} fait tourner {mine} ; {b} fait tourner {theirs}"),
                say!(
                    "mend the dialogue (the lines above): the cluster then stops one; until then, on the one that shall be passive: systemctl stop pacemaker",
                    "réparer le dialogue (lignes ci-dessus) : la grappe arrête alors l'une des deux ; d'ici là, sur celle qui doit être passive : systemctl stop pacemaker"
                ),
            );
        }
        line.end(found);
        return;
    }
    let name = &other.name;
    let forbidden = |look: &Look<_>| matches!(look, Err(it) if it.reason == Reason::Forbidden);
    if forbidden(&pair.here.corosync) {
        line.blind = true;
    } else if !pair.here.sees(name) {
        if mine.is_empty() {
            // Whoever is active, it is not this one.
            line.blind = true;
        } else {
            line.unknown(
                say!(
                    "this machine is active and neither hears nor reaches {name}: if that one runs, it is active too",
                    "cette machine est active et n'entend ni ne joint {name} : s'il tourne, il est actif lui aussi"
                ),
                say!("on {name}, by its console: diagnose", "sur {name}, par sa console : diagnose"),
            );
        }
    }
    line.end(found);
}
