//! What `appliquer_hautedispo` does: files, then corosync, then Pacemaker, each only where it is not as it is to be.
//!
//! Every step looks at what is there and goes on from it, so that a run that was killed is completed by the next one.

pub(crate) mod daemons;
mod file;
mod pacemaker;
pub mod report;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ha_core::corosync_conf::{Change, Effect, check};
use ha_core::{Error, ErrorExt, ErrorKind, Result};
use rustix::fs::{FlockOperation, flock};

use crate::settings::{Opened, Role, Settings, Severity, Transport};
use crate::{corosync, say};

use crate::eole::RSC_LIST;
pub(crate) use daemons::can_start;
use file::{Content, Wanted};

const COROSYNC_CONF: &str = "/etc/corosync/corosync.conf";
const AUTHKEY: &str = "/etc/corosync/authkey";
const LOCK: &str = "/run/lock/appliquer_hautedispo";

/// How long a new key is; corosync wants 128 bytes at least, and 4096 at most.
const KEY: std::ops::RangeInclusive<usize> = 128..=4096;
const NEW_KEY: usize = 256;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The file of settings.
    pub config: PathBuf,
    /// Only tell what is wrong with it.
    pub check: bool,
    /// Only tell what would be done.
    pub dry_run: bool,
    /// Start corosync and Pacemaker where they do not run.
    pub start: bool,
    /// Wait until the cluster has done what it is asked.
    pub wait: bool,
    /// How long that may take.
    pub timeout: Duration,
}

/// Does it.
///
/// # Errors
/// [`ErrorKind::Schema`] for settings that do not do; [`ErrorKind::PermissionDenied`] for a plain user;
/// [`ErrorKind::TryAgain`] while another run is under way; else those of files, corosync and Pacemaker, each with the next
/// step.
pub fn run(request: &Request) -> Result<()> {
    let opened = Opened::read(&request.config)?;
    let settings = &opened.settings;
    if settings.active || request.check {
        judge(&opened)?;
    }
    if request.check {
        return report::line(&say!(
            "{}: nothing is wrong",
            "{} : rien à signaler",
            request.config.display()
        ));
    }
    let _lock = (!request.dry_run).then(lock).transpose()?;
    if settings.active {
        switch_on(settings, request)
    } else {
        switch_off(settings, request)
    }
}

/// Tells what is doubtful, and ends with all that is wrong.
fn judge(opened: &Opened) -> Result<()> {
    let mut problems = opened.settings.check();
    opened.refuse(&problems)?;
    problems.extend(opened.settings.check_machine()?);
    for problem in problems
        .iter()
        .filter(|problem| problem.severity == Severity::Warning)
    {
        let text = opened.told(problem);
        report::aside(&say!("warning: {text}", "attention : {text}"));
    }
    opened.refuse(&problems)
}

/// Keeps two runs apart until it is dropped; a run that is killed leaves nothing to remove.
fn lock() -> Result<std::fs::File> {
    if !rustix::process::geteuid().is_root() {
        let message = say!(
            "only root changes the high availability",
            "seul root change la haute disponibilité"
        );
        return Err(
            Error::new(ErrorKind::PermissionDenied, message).with_hint(say!(
                "run it as root; --check and --dry-run change nothing",
                "lancer la commande en root ; --check et --dry-run ne changent rien"
            )),
        );
    }
    let file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(LOCK);
    let file = file.with_context(|| say!("take the lock {LOCK}", "prendre le verrou {LOCK}"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::new(
            ErrorKind::TryAgain,
            say!(
                "another appliquer_hautedispo is at work",
                "un autre appliquer_hautedispo est à l'œuvre"
            ),
        )
        .with_hint(say!("wait until it has ended", "attendre qu'il ait fini"))),
        Err(e) => Err(std::io::Error::from(e).into()),
    }
}

fn switch_on(settings: &Settings, request: &Request) -> Result<()> {
    let wanted = corosync::file(settings);
    let faults = check(&wanted);
    if let Some(fault) = faults.iter().find(|fault| fault.refused) {
        return Err(Error::new(ErrorKind::Schema, fault.to_string()).context("corosync.conf"));
    }
    let conf = Wanted::new(COROSYNC_CONF, Content::Text(wanted.to_string()), 0o644)?;
    let key = key(settings)?;
    let key_is_missing = settings.dialogue.transport == Transport::Knet
        && key.is_none()
        && !Path::new(AUTHKEY).exists();
    let list = Wanted::new(RSC_LIST, Content::Text(rsc_list(settings)), 0o644)?;
    // Corosync's own judgement needs its key; the first time on the esclave there is none.
    let files: Vec<&Wanted> = key.iter().chain([&conf, &list]).collect();
    let key_is_there =
        settings.dialogue.transport != Transport::Knet || Path::new(AUTHKEY).exists();
    if conf.differs() && key_is_there {
        judge_by_corosync(&wanted.to_string())?;
    }
    write_all(&files, request)?;
    if key.is_some() && !key_is_there && !request.dry_run {
        let peer = &settings.peer()?.ssh();
        report::line(&say!(
            "a new key was made; on a machine that was installed anew, take the one of the other instead:\n  scp -p root@{peer}:{AUTHKEY} {AUTHKEY}",
            "une nouvelle clé a été faite ; sur une machine réinstallée, reprendre plutôt celle de l'autre :\n  scp -p root@{peer}:{AUTHKEY} {AUTHKEY}"
        ))?;
    }
    if key_is_missing {
        let maitre = &settings.maitre.name;
        report::line(&say!(
            "{AUTHKEY} is missing: it comes from {maitre}, with synchro-nodes; until then corosync does not start here",
            "{AUTHKEY} manque : il vient de {maitre}, par synchro-nodes ; d'ici là corosync ne démarre pas ici"
        ))?;
    }
    load(&wanted, request)?;
    let start = request.start && !request.dry_run && !key_is_missing;
    if start {
        for name in ["corosync", "pacemaker"] {
            daemons::service(name, true)?;
            report::line(&say!(
                "{name} runs, and will at each boot",
                "{name} est lancé, et le sera à chaque démarrage"
            ))?;
        }
    }
    let config = crate::cluster::config(settings, mailer(settings).as_deref())?;
    match pacemaker::connect(request, start)? {
        Some(cluster) => pacemaker::apply(&cluster, &config, request).map(drop),
        None => not_running(request),
    }
}

fn switch_off(settings: &Settings, request: &Request) -> Result<()> {
    stop_timer(request)?;
    let list = Wanted::new(RSC_LIST, Content::Absent, 0)?;
    let config = crate::cluster::config(settings, None)?;
    let Some(cluster) = pacemaker::connect(request, false)? else {
        write_all(&[&list], request)?;
        return report::line(&say!(
            "Pacemaker does not run: what it is to manage stays stored, and is removed by a run while it does",
            "Pacemaker ne tourne pas : ce qu'il doit gérer reste enregistré, et sera retiré par un passage quand il tournera"
        ));
    };
    pacemaker::stop_group(&cluster, request)?;
    let others_stay = pacemaker::apply(&cluster, &config, request)?;
    write_all(&[&list], request)?;
    if others_stay {
        return report::line(&say!(
            "other resources are in the cluster: corosync and Pacemaker stay as they are",
            "d'autres ressources sont dans la grappe : corosync et Pacemaker restent tels quels"
        ));
    }
    let conf = Wanted::new(COROSYNC_CONF, Content::Absent, 0)?;
    if !conf
        .old_text()
        .is_some_and(|text| text.starts_with(corosync::MARK))
    {
        return Ok(());
    }
    let knet = conf
        .old_text()
        .is_some_and(|text| text.contains("transport: knet"));
    let key = knet
        .then(|| Wanted::new(AUTHKEY, Content::Absent, 0))
        .transpose()?;
    if request.dry_run {
        report::line(&say!(
            "pacemaker and corosync would be stopped, also at each boot",
            "pacemaker et corosync seraient arrêtés, y compris à chaque démarrage"
        ))?;
    } else {
        // What was started in another way is stopped in another way.
        pacemaker::wait_until_idle(&cluster, request)?;
        for name in ["pacemaker", "corosync"] {
            daemons::service(name, false)?;
            report::line(&say!(
                "{name} is stopped, and will be at each boot",
                "{name} est arrêté, et le restera à chaque démarrage"
            ))?;
        }
    }
    let files: Vec<&Wanted> = key.iter().chain([&conf]).collect();
    write_all(&files, request)
}

/// Without high availability, nothing is synchronised from time to time.
fn stop_timer(request: &Request) -> Result<()> {
    let timer = crate::eole::TIMER;
    if !daemons::is_enabled(timer) {
        return Ok(());
    }
    if request.dry_run {
        return report::line(&say!(
            "{timer} would be switched off",
            "{timer} serait désactivé"
        ));
    }
    daemons::disable(timer)?;
    report::line(&say!("{timer} is switched off", "{timer} est désactivé"))
}

fn rsc_list(settings: &Settings) -> String {
    settings
        .services
        .iter()
        .map(|service| format!("{}\n", service.name))
        .collect()
}

/// Returns the key as it is to be, where that can be said here: the maître makes it, the esclave gets it.
fn key(settings: &Settings) -> Result<Option<Wanted>> {
    if settings.dialogue.transport != Transport::Knet {
        return Ok(None);
    }
    let there = match std::fs::read(AUTHKEY) {
        Ok(bytes) => Some(bytes),
        Err(e)
            if matches!(
                e.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied
            ) =>
        {
            None
        }
        Err(e) => return Err(e).context(AUTHKEY),
    };
    let key = match there {
        Some(bytes) if KEY.contains(&bytes.len()) => bytes,
        _ if settings.role()? == Role::Maitre => file::random_key(NEW_KEY)?,
        _ => return Ok(None),
    };
    Wanted::new(AUTHKEY, Content::Secret(key), 0o400).map(Some)
}

/// Has corosync judge a text, in a file that goes at once.
fn judge_by_corosync(text: &str) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("appliquer_hautedispo.{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let file = folder.join("corosync.conf");
    let judged = std::fs::write(&file, text)
        .map_err(Error::from)
        .and_then(|()| daemons::judge(&file));
    std::fs::remove_dir_all(&folder)?;
    judged
}

/// Writes what differs, or shows how it does.
fn write_all(files: &[&Wanted], request: &Request) -> Result<()> {
    for wanted in files.iter().filter(|wanted| wanted.differs()) {
        if request.dry_run {
            report::text(&wanted.diff())?;
            continue;
        }
        wanted.write()?;
        let path = wanted.path().display();
        report::line(&if wanted.path().exists() {
            say!("{path}: written", "{path} : écrit")
        } else {
            say!("{path}: removed", "{path} : supprimé")
        })?;
    }
    if request.dry_run && !files.iter().any(|wanted| wanted.differs()) {
        report::line(&say!(
            "files: nothing to change",
            "fichiers : rien à changer"
        ))?;
    }
    Ok(())
}

/// Has a running corosync take over its file, as far as it does while it runs.
fn load(wanted: &ha_core::corosync_conf::File, request: &Request) -> Result<()> {
    let changes = daemons::not_in_force(wanted)?.unwrap_or_default();
    let with = |effect: Effect| {
        let of_it = changes.iter().filter(move |change| change.effect == effect);
        of_it
            .map(Change::to_string)
            .collect::<Vec<_>>()
            .join("\n  ")
    };
    let restart = with(Effect::Restart);
    if !restart.is_empty() {
        // A reload with such changes in the file would be half of them.
        report::line(&say!(
            "corosync has to be restarted on both machines, with an interruption, for:\n  {restart}\n  next step, when the other machine has the same file, on each: systemctl restart corosync pacemaker",
            "corosync doit être relancé sur les deux machines, avec une interruption, pour :\n  {restart}\n  à faire, quand l'autre machine a le même fichier, sur chacune : systemctl restart corosync pacemaker"
        ))?;
        return Ok(());
    }
    let reload = with(Effect::Reload);
    if reload.is_empty() {
        return Ok(());
    }
    if request.dry_run {
        return report::line(&say!(
            "corosync would read its file anew, without an interruption:\n  {reload}",
            "corosync relirait son fichier, sans interruption :\n  {reload}"
        ));
    }
    daemons::reload()?;
    let left = daemons::not_in_force(wanted)?.unwrap_or_default();
    if let Some(change) = left.first() {
        let message = say!(
            "corosync did not take over {change}",
            "corosync n'a pas repris {change}"
        );
        return Err(Error::new(ErrorKind::Unsatisfied, message).with_hint(say!(
            "restart it on both machines: systemctl restart corosync pacemaker",
            "le relancer sur les deux machines : systemctl restart corosync pacemaker"
        )));
    }
    report::line(&say!(
        "corosync has read its file anew (the other machine its own):\n  {reload}",
        "corosync a relu son fichier (l'autre machine le sien) :\n  {reload}"
    ))
}

/// Returns Pacemaker's agent for mails; Debian installs it as an example.
fn mailer(settings: &Settings) -> Option<String> {
    if settings.alert.mail.is_empty() {
        return None;
    }
    let places = [
        "/usr/share/pacemaker/alerts/alert_smtp.sh",
        "/usr/share/pacemaker/alerts/alert_smtp.sh.sample",
    ];
    let found = places.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        let path = places[0];
        report::aside(&say!(
            "warning: no mails: {path} is not here; it comes with the package pacemaker",
            "attention : pas de courriels : {path} n'est pas là ; il vient avec le paquet pacemaker"
        ));
    }
    found.map(str::to_owned)
}

fn not_running(request: &Request) -> Result<()> {
    let message = say!(
        "Pacemaker does not run on this machine: its part of the configuration is not applied",
        "Pacemaker ne tourne pas sur cette machine : sa part de la configuration n'est pas appliquée"
    );
    let hint = say!(
        "run appliquer_hautedispo --start, or start it and run appliquer_hautedispo again: systemctl start corosync pacemaker",
        "lancer appliquer_hautedispo --start, ou le démarrer et relancer appliquer_hautedispo : systemctl start corosync pacemaker"
    );
    if request.wait {
        return Err(Error::new(ErrorKind::Disconnected, message).with_hint(hint));
    }
    report::line(&message)?;
    report::line(&say!("  next step: {hint}", "  à faire : {hint}"))
}
