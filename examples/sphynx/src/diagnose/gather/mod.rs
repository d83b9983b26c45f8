//! Gathers the facts of this machine: each look on a thread of its own, each with a deadline.

pub(super) mod command;
mod corosync;
mod machine;
pub(super) mod pacemaker;

use std::time::Duration;

use ha_core::live::corosync::Options;
use jiff::Timestamp;

pub(super) use machine::sha256;

use super::facts::{FORMAT, Facts, Look, Reason, Synchro, Unseen};
use super::peer;
use crate::settings::Settings;
use crate::synchro::{Progress, Record};
use crate::{eole, say};

/// What runs on a machine of the cluster, by its program.
pub(super) const COROSYNC: &str = "corosync";
/// The launcher first; all must run.
pub(super) const PACEMAKER: [&str; 7] = [
    "pacemakerd",
    "pacemaker-based",
    "pacemaker-fenced",
    "pacemaker-execd",
    "pacemaker-attrd",
    "pacemaker-schedulerd",
    "pacemaker-controld",
];

pub(super) const AUTHKEY: &str = "/etc/corosync/authkey";
pub(super) const COROSYNC_CONF: &str = "/etc/corosync/corosync.conf";

/// Gathers the facts. With `back`, whether the other machine is reached with SSH, too.
pub(super) fn facts(settings: &Settings, limit: Duration, back: bool) -> Facts {
    let began = now();
    let mut programs = vec![COROSYNC];
    programs.extend(PACEMAKER);
    std::thread::scope(|scope| {
        let packages = scope.spawn(move || machine::packages(eole::PACKAGES, limit));
        let interfaces = scope.spawn(move || machine::interfaces(limit));
        let routes = scope.spawn(move || machine::routes(limit));
        let pings: Vec<_> = settings
            .gateways
            .addresses
            .iter()
            .map(|&address| (address, scope.spawn(move || machine::ping(address, limit))))
            .collect();
        let corosync = scope.spawn(move || corosync::look(settings, &Options { timeout: limit }));
        let pacemaker = scope.spawn(move || pacemaker::look(limit));
        let dialogue = settings.peer().ok().map(|peer| {
            let address = peer.dialogue;
            scope.spawn(move || machine::ping(address, limit))
        });
        let ssh = back.then(|| scope.spawn(move || peer::reach(settings, limit)));
        let processes = machine::processes(&programs);
        let mut facts = Facts {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: host(),
            root: rustix::process::geteuid().is_root(),
            clock: (began, began),
            settings: print_of(settings),
            packages: joined(packages.join()),
            processes,
            interfaces: joined(interfaces.join()),
            routes: joined(routes.join()),
            gateways: pings
                .into_iter()
                .map(|(address, ping)| (address, joined(ping.join())))
                .collect(),
            dialogue: dialogue.map(|ping| joined(ping.join())),
            authkey: machine::key(AUTHKEY),
            corosync_conf: machine::text(COROSYNC_CONF),
            rsc_list: machine::text(eole::RSC_LIST),
            corosync: joined(corosync.join().map(|it| it.map_err(Unseen::from))),
            pacemaker: joined(pacemaker.join().map(|it| it.map_err(Unseen::from))),
            synchro: synchro(),
            ssh: ssh.map(|ssh| joined(ssh.join())),
        };
        facts.clock.1 = now();
        facts
    })
}

/// Returns the result of a thread; one that panicked has said so.
pub(super) fn joined<T>(result: std::thread::Result<Look<T>>) -> Look<T> {
    result.unwrap_or_else(|_| {
        Err(Unseen {
            reason: Reason::Other,
            text: say!("this look failed", "ce contrôle a échoué"),
        })
    })
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// What tells settings from others. Both machines have the same ones, but for the role.
fn print_of(settings: &Settings) -> Look<String> {
    let value = serde_json::to_value(settings);
    let mut value = value.map_err(|e| Unseen {
        reason: Reason::Other,
        text: e.to_string(),
    })?;
    if let Some(object) = value.as_object_mut() {
        object.remove("role");
    }
    Ok(sha256(value.to_string().as_bytes()))
}

/// What synchro-nodes remembers: the last copy that succeeded, and the last try.
fn synchro() -> Look<Synchro> {
    let last = Record::open()?.map(|it| (it.ended.0.as_second(), it.from, it.to));
    let failed = match Progress::open()? {
        Some(Progress::Failed { raison, .. }) => Some(raison),
        _ => None,
    };
    Ok(Synchro { last, failed })
}
