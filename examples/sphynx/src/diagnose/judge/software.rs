//! What is installed and runs.

use std::collections::BTreeSet;

use super::{Line, Pair};
use crate::diagnose::facts::{Facts, Look, Reason};
use crate::diagnose::gather::{COROSYNC, PACEMAKER};
use crate::diagnose::report::{Findings, Section};
use crate::settings::Machine;
use crate::{eole, say};

/// The state of a process that a signal stopped.
const STOPPED: char = 'T';

pub(super) fn judge(pair: &Pair<'_>, found: &mut Findings) {
    packages(pair, found);
    corosync(pair, found);
    pacemaker(pair, found);
}

fn packages(pair: &Pair<'_>, found: &mut Findings) {
    let mut line = Line::new("paquets", Section::Software, say!("Packages", "Paquets"));
    for (machine, facts) in pair.seen() {
        let Some(installed) = line.see(machine, &facts.packages) else {
            continue;
        };
        for package in eole::NEEDED_PACKAGES {
            if !installed.contains_key(*package) {
                let name = &machine.name;
                let text = say!(
                    "{name}: {package} is not installed",
                    "{name} : {package} n'est pas installé"
                );
                line.error(
                    text,
                    pair.on(machine, &format!("apt-get install {package}")),
                );
            }
        }
    }
    if let Some(there) = pair.there() {
        compare_packages(pair, there, &mut line);
    }
    line.end(found);
}

fn compare_packages(pair: &Pair<'_>, there: &Facts, line: &mut Line) {
    let [own, other] = [&pair.own().name, &pair.other().name];
    let (Ok(mine), Ok(theirs)) = (&pair.here.packages, &there.packages) else {
        return;
    };
    let all: BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
    for package in all {
        let (here, there, missing_at) = match (mine.get(package), theirs.get(package)) {
            (Some(mine), Some(theirs)) if mine != theirs => (mine, theirs, None),
            (Some(mine), None) => (mine, mine, Some(pair.other())),
            (None, Some(theirs)) => (theirs, theirs, Some(pair.own())),
            _ => continue,
        };
        if eole::NEEDED_PACKAGES.contains(&package.as_str()) && missing_at.is_some() {
            continue;
        }
        match missing_at {
            Some(machine) => {
                let name = &machine.name;
                let text = say!(
                    "{package} ({here}) is not installed on {name}",
                    "{package} ({here}) n'est pas installé sur {name}"
                );
                line.error(
                    text,
                    pair.on(machine, &format!("apt-get install {package}")),
                );
            }
            None => line.error(
                say!(
                    "{package}: {here} on {own}, {there} on {other}",
                    "{package} : {here} sur {own}, {there} sur {other}"
                ),
                say!(
                    "on the machine that is behind: apt-get update && apt-get install {package}",
                    "sur la machine en retard : apt-get update && apt-get install {package}"
                ),
            ),
        }
    }
    let (here, there) = (&pair.here.version, &there.version);
    if here != there {
        line.error(
            say!(
                "these programs: {here} on {own}, {there} on {other}",
                "ces programmes : {here} sur {own}, {there} sur {other}"
            ),
            say!(
                "install the same version on both",
                "installer la même version sur les deux"
            ),
        );
    }
}

/// Judges a service, and whether it answers.
fn service<T>(
    pair: &Pair<'_>,
    machine: &Machine,
    facts: &Facts,
    (unit, programs): (&str, &[&str]),
    look: &Look<T>,
    line: &mut Line,
) {
    let name = &machine.name;
    let restart = pair.on(machine, &format!("systemctl restart {unit}"));
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|it| !facts.processes.contains_key(*it))
        .collect();
    // The launcher comes first: without it and all the others there is no service.
    if missing.first() == programs.first() {
        line.error(
            say!(
                "{unit} does not run on {name}",
                "{unit} ne tourne pas sur {name}"
            ),
            pair.on(machine, &format!("systemctl start {unit}")),
        );
        return;
    }
    if !missing.is_empty() {
        let missing = missing.join(", ");
        line.error(
            say!(
                "{name}: {missing} does not run",
                "{name} : {missing} ne tourne pas"
            ),
            restart.clone(),
        );
        return;
    }
    let stopped = facts
        .processes
        .iter()
        .filter(|(program, state)| **state == STOPPED && programs.contains(&program.as_str()));
    let stopped: Vec<&str> = stopped.map(|(program, _)| program.as_str()).collect();
    if !stopped.is_empty() {
        let stopped = stopped.join(" ");
        line.error(
            say!(
                "{name}: {stopped} was stopped by a signal and answers nothing",
                "{name} : {stopped} a été suspendu par un signal et ne répond plus"
            ),
            pair.on(machine, &format!("kill -CONT $(pidof {stopped})")),
        );
        return;
    }
    match look {
        Ok(_) => {}
        Err(unseen) if unseen.reason == Reason::Silent => line.error(
            say!(
                "{unit} of {name} does not answer: {}",
                "{unit} de {name} ne répond pas : {}",
                unseen.text
            ),
            restart,
        ),
        Err(unseen) if unseen.reason == Reason::Absent => line.error(
            say!(
                "{unit} of {name} is not ready: {}",
                "{unit} de {name} n'est pas prêt : {}",
                unseen.text
            ),
            say!(
                "wait a moment, and look again; else: {restart}",
                "attendre un instant et recommencer ; sinon : {restart}"
            ),
        ),
        Err(unseen) => line.unseen(machine, unseen),
    }
}

fn corosync(pair: &Pair<'_>, found: &mut Findings) {
    let mut line = Line::new("corosync", Section::Software, "corosync".to_owned());
    for (machine, facts) in pair.seen() {
        service(
            pair,
            machine,
            facts,
            (COROSYNC, &[COROSYNC]),
            &facts.corosync,
            &mut line,
        );
    }
    line.end(found);
}

fn pacemaker(pair: &Pair<'_>, found: &mut Findings) {
    let mut line = Line::new("pacemaker", Section::Software, "pacemaker".to_owned());
    for (machine, facts) in pair.seen() {
        service(
            pair,
            machine,
            facts,
            ("pacemaker", &PACEMAKER),
            &facts.pacemaker,
            &mut line,
        );
    }
    line.end(found);
}
