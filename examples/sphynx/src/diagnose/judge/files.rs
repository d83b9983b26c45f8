//! The files that both machines have.

use ha_core::corosync_conf::{File, changes};

use super::{Line, Pair};
use crate::diagnose::facts::{Facts, Key};
use crate::diagnose::gather::{AUTHKEY, COROSYNC_CONF};
use crate::diagnose::report::{Findings, Section};
use crate::eole::RSC_LIST;
use crate::settings::{Machine, Transport};
use crate::{corosync, say};

/// How many differences are told.
const MOST: usize = 4;

pub(super) fn judge(pair: &Pair<'_>, found: &mut Findings) {
    settings(pair, found);
    authkey(pair, found);
    corosync_conf(pair, found);
    as_settings(pair, found);
    rsc_list(pair, found);
}

/// What brings the files of the two machines together again.
fn synchronise() -> String {
    say!(
        "from the machine that has the right one: synchro-nodes; then there: appliquer_hautedispo",
        "depuis la machine qui a le bon : synchro-nodes ; puis sur l'autre : appliquer_hautedispo"
    )
}

fn settings(pair: &Pair<'_>, found: &mut Findings) {
    let Some(there) = pair.there() else { return };
    let label = say!("Settings equal", "Paramétrages identiques");
    let mut line = Line::new("parametrage_identique", Section::Files, label);
    let mine = line.see(pair.own(), &pair.here.settings);
    let theirs = line.see(pair.other(), &there.settings);
    if let (Some(mine), Some(theirs)) = (mine, theirs)
        && mine != theirs
    {
        let [own, other] = [&pair.own().name, &pair.other().name];
        line.error(
            say!(
                "the settings of {own} and {other} differ",
                "les paramétrages de {own} et {other} diffèrent"
            ),
            synchronise(),
        );
    }
    line.end(found);
}

fn authkey(pair: &Pair<'_>, found: &mut Findings) {
    let label = say!("Key of the dialogue (authkey)", "Clé du dialogue (authkey)");
    let mut line = Line::new("authkey", Section::Files, label);
    let needed = pair.settings.dialogue.transport == Transport::Knet;
    for (machine, facts) in pair.seen() {
        let name = &machine.name;
        match line.see(machine, &facts.authkey) {
            None => {}
            Some(None) if needed => line.error(
                say!("{name} has no {AUTHKEY}", "{name} n'a pas {AUTHKEY}"),
                say!(
                    "copy the other machine's: synchro-nodes there",
                    "copier celle de l'autre machine : synchro-nodes sur celle-ci"
                ),
            ),
            Some(None) => {}
            Some(Some(key)) => access(pair, machine, key, &mut line),
        }
    }
    let hash = |facts: &Facts| facts.authkey.clone().ok().flatten().map(|key| key.sha256);
    if let Some(there) = pair.there()
        && let (Some(mine), Some(theirs)) = (hash(pair.here), hash(there))
        && mine != theirs
    {
        let [own, other] = [&pair.own().name, &pair.other().name];
        line.error(
            say!("{AUTHKEY} of {own} and of {other} differ", "{AUTHKEY} de {own} et de {other} diffèrent"),
            say!(
                "from the machine that has the right one: synchro-nodes; then on the other: systemctl restart corosync pacemaker",
                "depuis la machine qui a la bonne : synchro-nodes ; puis sur l'autre : systemctl restart corosync pacemaker"
            ),
        );
    }
    line.end(found);
}

fn access(pair: &Pair<'_>, machine: &Machine, key: &Key, line: &mut Line) {
    let (name, mode) = (&machine.name, key.mode);
    if mode & 0o077 != 0 || !key.of_root {
        line.error(
            say!(
                "others than root of {name} may read {AUTHKEY} (mode {mode:o})",
                "{AUTHKEY} de {name} est lisible par d'autres que root (droits {mode:o})"
            ),
            pair.on(
                machine,
                &format!("chown root: {AUTHKEY} && chmod 400 {AUTHKEY}"),
            ),
        );
    }
}

fn corosync_conf(pair: &Pair<'_>, found: &mut Findings) {
    let label = say!("corosync.conf equal", "corosync.conf identiques");
    let mut line = Line::new("corosync_conf", Section::Files, label);
    let mut texts = Vec::new();
    for (machine, facts) in pair.seen() {
        let name = &machine.name;
        match line.see(machine, &facts.corosync_conf) {
            None => {}
            Some(None) => line.error(
                say!(
                    "{name} has no {COROSYNC_CONF}",
                    "{name} n'a pas {COROSYNC_CONF}"
                ),
                pair.on(machine, "appliquer_hautedispo"),
            ),
            Some(Some(text)) => texts.push(text),
        }
    }
    if let [mine, theirs] = texts[..]
        && mine != theirs
    {
        let [own, other] = [&pair.own().name, &pair.other().name];
        for text in differences(mine, theirs) {
            line.error(
                say!(
                    "from {own} to {other}: {text}",
                    "de {own} à {other} : {text}"
                ),
                None,
            );
        }
        if let Some(last) = line.errors.last_mut() {
            last.fix = Some(synchronise());
        }
    }
    line.end(found);
}

/// What differs between two files of corosync, in words.
pub(super) fn differences(from: &str, to: &str) -> Vec<String> {
    let (from, to) = match (File::parse(from), File::parse(to)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(e), _) | (_, Err(e)) => return vec![format!("{e:#}")],
    };
    let all = changes(&from, &to);
    let mut told: Vec<String> = all.iter().take(MOST).map(ToString::to_string).collect();
    if let Some(more) = all.len().checked_sub(MOST)
        && more > 0
    {
        told.push(say!("and {more} more", "et {more} de plus"));
    }
    told
}

/// Whether each file is what the settings say, and whether the running corosync has it in force.
fn as_settings(pair: &Pair<'_>, found: &mut Findings) {
    let label = say!(
        "corosync.conf as the settings",
        "corosync.conf conforme au paramétrage"
    );
    let mut line = Line::new("corosync_conf_conforme", Section::Files, label);
    let wanted = corosync::file(pair.settings).to_string();
    for (machine, facts) in pair.seen() {
        let name = &machine.name;
        let again = pair.on(machine, "appliquer_hautedispo");
        // A file that is not there is told above.
        let Ok(Some(text)) = &facts.corosync_conf else {
            line.blind |= facts.corosync_conf.is_err();
            continue;
        };
        let told = differences(text, &wanted);
        let differs = !told.is_empty();
        for text in told {
            line.error(
                say!(
                    "{name}: to become what the settings say: {text}",
                    "{name} : pour suivre le paramétrage : {text}"
                ),
                again.clone(),
            );
        }
        if let Ok(corosync) = &facts.corosync
            && !differs
        {
            for text in &corosync.not_in_force {
                line.error(
                    say!(
                        "the running corosync of {name} does not have its file in force: {text}",
                        "le corosync de {name} n'a pas pris en compte son fichier : {text}"
                    ),
                    again.clone(),
                );
            }
        }
    }
    line.end(found);
}

/// What the list of services is to be.
pub(super) fn wanted_list(pair: &Pair<'_>) -> String {
    let services = pair.settings.services.iter();
    services
        .map(|service| format!("{}\n", service.name))
        .collect()
}

fn rsc_list(pair: &Pair<'_>, found: &mut Findings) {
    let mut line = Line::new("rsc_list", Section::Files, ".rsc_list".to_owned());
    let wanted = wanted_list(pair);
    for (machine, facts) in pair.seen() {
        let name = &machine.name;
        let again = pair.on(machine, "appliquer_hautedispo");
        match line.see(machine, &facts.rsc_list) {
            None => {}
            Some(None) => line.error(
                say!("{name} has no {RSC_LIST}", "{name} n'a pas {RSC_LIST}"),
                again,
            ),
            Some(Some(text)) if *text != wanted => {
                let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                let (is, wanted) = (words(text), words(&wanted));
                line.error(
                    say!(
                        "{RSC_LIST} of {name} has: {is}; the settings have: {wanted}",
                        "{RSC_LIST} de {name} a : {is} ; le paramétrage a : {wanted}"
                    ),
                    again,
                );
            }
            Some(Some(_)) => {}
        }
    }
    line.end(found);
}
