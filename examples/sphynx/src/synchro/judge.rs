//! Whether one machine may overwrite what the other has.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ha_core::live::cluster::{Cluster, ConnectOptions};
use ha_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::entry::Change;
use super::record::Record;
use crate::process::{self, Errors};
use crate::say;
use crate::settings::Role;

/// How long the cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a machine knows about who is active.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Situation {
    /// Which of the addresses that move are here.
    pub(crate) addresses: Vec<String>,
    /// The nodes on which the cluster runs the resources; none when it does not answer here.
    pub(crate) active_on: Option<Vec<String>>,
}

impl Situation {
    /// Looks at this machine.
    ///
    /// # Errors
    /// That `ip` cannot be run.
    pub(crate) fn here(addresses: &[String], resources: &[String]) -> Result<Self> {
        Ok(Self {
            addresses: own_addresses()?
                .into_iter()
                .filter(|own| addresses.contains(own))
                .collect(),
            active_on: active_on(resources),
        })
    }
}

/// The addresses of this machine.
fn own_addresses() -> Result<Vec<String>> {
    let mut command = Command::new("ip");
    command.args(["-json", "address", "show"]);
    let done = process::run(command, b"", Errors::Kept)?;
    let links: serde_json::Value = serde_json::from_slice(&done.stdout)
        .map_err(|e| Error::new(ErrorKind::Protocol, format!("ip -json address: {e}")))?;
    let links = links.as_array().cloned().unwrap_or_default();
    let addresses = links.iter().filter_map(|link| link["addr_info"].as_array());
    let addresses = addresses.flatten().filter_map(|a| a["local"].as_str());
    Ok(addresses.map(str::to_owned).collect())
}

/// Where the cluster runs these; none when it does not answer.
fn active_on(resources: &[String]) -> Option<Vec<String>> {
    // Without its socket there is nobody to wait for.
    if !Path::new("/run/crm").exists() || process_is_missing("pacemakerd") {
        return None;
    }
    let mut options = ConnectOptions::default();
    options.timeout = PATIENCE;
    let status = Cluster::connect(&options)
        .and_then(|cluster| cluster.status())
        .ok()?;
    let mut nodes: Vec<String> = Vec::new();
    for resource in resources {
        for node in status.active_on(resource) {
            if !nodes.iter().any(|known| known == node) {
                nodes.push(node.to_owned());
            }
        }
    }
    Some(nodes)
}

fn process_is_missing(name: &str) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return false;
    };
    !processes.flatten().any(|process| {
        let comm = std::fs::read_to_string(process.path().join("comm"));
        comm.is_ok_and(|comm| comm.trim() == name)
    })
}

/// What the two machines say about who is active, from the point of view of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Views<'v> {
    pub(crate) me: &'v str,
    pub(crate) peer: &'v str,
    pub(crate) role: Role,
    pub(crate) here: &'v Situation,
    pub(crate) there: &'v Situation,
}

/// Why a machine is not the one to copy from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Passive {
    /// The other one is active.
    PeerIsActive(String),
    /// Both are.
    Both,
    /// Neither is, and this one is not the maître.
    Nobody,
}

/// Tells whether this machine is the active one; where none is, the maître stands for it.
pub(crate) fn is_active(views: &Views<'_>) -> Result<(), Passive> {
    let runs_on = |name: &str| {
        let sides = [&views.here.active_on, &views.there.active_on];
        let mut nodes = sides.into_iter().flatten().flatten();
        nodes.any(|node| node == name)
    };
    let here = !views.here.addresses.is_empty() || runs_on(views.me);
    let there = !views.there.addresses.is_empty() || runs_on(views.peer);
    match (here, there) {
        (true, false) => Ok(()),
        (true, true) => Err(Passive::Both),
        (false, true) => {
            let what = match views.there.addresses.first() {
                Some(address) => say!("it has {address}", "elle a {address}"),
                None => say!(
                    "the cluster runs the resources there",
                    "la grappe y fait tourner les ressources"
                ),
            };
            Err(Passive::PeerIsActive(what))
        }
        (false, false) if views.role == Role::Maitre => Ok(()),
        (false, false) => Err(Passive::Nobody),
    }
}

/// The cause of an error: the other machine is active, or neither is. That both are is another matter.
#[derive(Debug)]
pub(super) struct IsPassive;

impl std::fmt::Display for IsPassive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&say!(
            "this machine is not the active one",
            "cette machine n'est pas active"
        ))
    }
}

impl std::error::Error for IsPassive {}

impl Passive {
    /// Says it, with what to do.
    pub(crate) fn error(&self, me: &str, peer: &str) -> Error {
        let error = self.plain_error(me, peer);
        if *self == Self::Both {
            error
        } else {
            error.with_source(IsPassive)
        }
    }

    fn plain_error(&self, me: &str, peer: &str) -> Error {
        match self {
            Self::PeerIsActive(what) => Error::new(
                ErrorKind::Conflict,
                say!(
                    "{peer} is the active machine ({what}); {me} must not overwrite what it has",
                    "{peer} est la machine active ({what}) ; {me} ne doit pas écraser ce qu'elle a"
                ),
            )
            .with_hint(say!("run synchro-nodes on {peer}", "lancer synchro-nodes sur {peer}")),
            Self::Both => Error::new(
                ErrorKind::Conflict,
                say!(
                    "{me} and {peer} are both active: which of them has the right data cannot be told",
                    "{me} et {peer} sont toutes deux actives : impossible de savoir laquelle a les bonnes données"
                ),
            )
            .with_hint(say!(
                "mend the link between them first: diagnose",
                "réparer d'abord le lien entre elles : diagnose"
            )),
            Self::Nobody => Error::new(
                ErrorKind::Conflict,
                say!(
                    "neither machine is active, and {me} is the esclave",
                    "aucune des machines n'est active, et {me} est l'esclave"
                ),
            )
            .with_hint(say!(
                "run synchro-nodes on {peer}; or, if {me} has the right data: synchro-nodes --force",
                "lancer synchro-nodes sur {peer} ; ou, si {me} a les bonnes données : synchro-nodes --forcer"
            )),
        }
    }
}

/// Refuses to overwrite what is newer at the target.
///
/// `first` is whether the administrator joins the two machines now: then what a machine had before counts for nothing.
///
/// # Errors
/// [`ErrorKind::Conflict`], with the files.
pub(crate) fn check_newer(
    changes: &[Change],
    (me, mine): (&str, Option<&Record>),
    (peer, theirs): (&str, Option<&Record>),
    first: bool,
) -> Result<()> {
    let force = say!(
        "if {me} has the right data: synchro-nodes --force; if {peer} has: run synchro-nodes there",
        "si {me} a les bonnes données : synchro-nodes --forcer ; si c'est {peer} : y lancer synchro-nodes"
    );
    let refuse = |what: String| Err(Error::new(ErrorKind::Conflict, what).with_hint(force.clone()));
    match (mine, theirs) {
        (None, Some(theirs)) => {
            let when = theirs.when();
            return refuse(say!(
                "{peer} was synchronised on {when}, and {me} knows nothing of it: was it installed anew?",
                "{peer} a été synchronisée le {when}, et {me} n'en sait rien : a-t-elle été réinstallée ?"
            ));
        }
        (Some(mine), Some(theirs)) if theirs.ended > mine.ended => {
            let (mine, theirs) = (mine.when(), theirs.when());
            return refuse(say!(
                "{peer} was synchronised on {theirs}, and {me} knows only of {mine}: was it restored from a back-up?",
                "{peer} a été synchronisée le {theirs}, et {me} ne connaît que celle du {mine} : a-t-elle été restaurée ?"
            ));
        }
        _ => {}
    }
    if first && theirs.is_none() {
        return Ok(());
    }
    let mut newer: Vec<String> = Vec::new();
    for change in changes {
        let Some(found) = change.found.as_ref().filter(|found| !found.is_folder()) else {
            continue;
        };
        let known = theirs.and_then(|record| record.prints.get(&change.path));
        // As it came with the last synchronisation.
        if known.is_some_and(|print| *print == found.print()) {
            continue;
        }
        let is_newer = match &change.wanted {
            Some(wanted) if wanted.print() == found.print() => false,
            // Both machines have changed it since, as each does that believes the other dead: the later time does not make
            // it the right one.
            Some(wanted) => {
                found.changed > wanted.changed
                    || known.is_some_and(|print| *print != wanted.print())
            }
            // Not from a synchronisation, or changed since.
            None => theirs.is_some(),
        };
        if is_newer {
            newer.push(change.path.clone());
        }
    }
    if newer.is_empty() {
        return Ok(());
    }
    let files = newer.join(", ");
    refuse(say!(
        "{peer} has newer, or both were changed since the last synchronisation: {files}",
        "{peer} a plus récent, ou les deux ont changé depuis la dernière synchronisation : {files}"
    ))
}

#[cfg(test)]
mod tests;
