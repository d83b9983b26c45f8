//! `synchro-nodes`: the passive machine gets what it needs to take over.
//!
//! The source lists what it has and compares it with what the target says that it has; what differs is sent to a folder
//! of the target's own, and put in its place when all of it has arrived. The target is the same program, `--pair`,
//! started by SSH; the files come by rsync.

mod entry;
mod export;
mod judge;
mod link;
mod lock;
mod owners;
mod pair;
mod place;
mod record;
mod rsync;
mod talk;

use std::path::Path;
use std::time::Instant;

use ha_core::{Error, ErrorKind, Result};
use jiff::Timestamp;

pub use pair::serve;
pub use record::jiff_text::Time;
pub use record::{PROGRESS, Progress, RECORD, Record, STATE};

use crate::say;
use crate::settings::{Role, Settings};
use crate::ssh::{By, Failure, Peer};
use entry::{Change, compare};
use export::Export;
use judge::{Passive, Situation, Views};
use link::Link;
use lock::Lock;
use rsync::Transfer;
use talk::{Answer, Request, VERSION};

/// How to synchronise.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only tell what would be done.
    pub dry_run: bool,
    /// Overwrite what is newer there, and do so from a passive machine.
    pub force: bool,
    /// The two machines are being joined: what the target had before counts for nothing.
    pub joining: bool,
    /// Whether ssh may ask for a passphrase or password on the terminal.
    pub may_ask: bool,
    /// Whether to draw a bar of progress, on a terminal.
    pub bar: bool,
    /// At most so many KiB a second.
    pub rate: Option<u32>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Both have the same.
    Done(Record),
    /// What would be done was told.
    DryRun,
    /// This machine is not the active one.
    Passive(String),
}

/// What is synchronised, between whom.
#[derive(Debug, Clone)]
struct What {
    me: String,
    role: Role,
    files: Vec<String>,
    database: Option<String>,
    settings: String,
    addresses: Vec<String>,
    resources: Vec<String>,
}

impl What {
    fn new(settings: &Settings, path: &str) -> Result<Self> {
        let role = settings.role()?;
        if Path::new(path).extension().is_some_and(|it| it == "eol") {
            return Err(Error::invalid(say!(
                "{path} is of one machine, and must not be copied to the other",
                "{path} est propre à une machine et ne doit pas être copié sur l'autre"
            ))
            .with_hint(say!(
                "give a file that is the same on both: --config /etc/eole/hautedispo.toml",
                "donner un fichier identique sur les deux : --config /etc/eole/hautedispo.toml"
            )));
        }
        let fixed = [path, "/etc/corosync/corosync.conf", "/etc/corosync/authkey"];
        let mut files: Vec<String> = settings.synchro.files.clone();
        files.extend(fixed.map(str::to_owned));
        for path in files.iter().chain([&settings.synchro.arv_database]) {
            let deep = path.trim_end_matches('/').matches('/').count() > 1;
            let plain = !path.split('/').any(|part| part == ".." || part == ".");
            let fits = path.starts_with('/') && deep && plain;
            if !fits && !path.is_empty() {
                return Err(Error::invalid(say!(
                    "'{path}' is not to be synchronised",
                    "« {path} » n'est pas à synchroniser"
                ))
                .with_hint(say!(
                    "in [synchro], give full paths below a top-level folder",
                    "dans [synchro], donner des chemins complets, sous un dossier de premier niveau"
                )));
            }
        }
        files.sort();
        files.dedup();
        let database = settings.synchro.arv_database.clone();
        Ok(Self {
            me: settings.here()?.name.clone(),
            role,
            files,
            database: Some(database).filter(|path| !path.is_empty()),
            settings: path.to_owned(),
            addresses: settings
                .vips
                .iter()
                .map(|vip| vip.address.to_string())
                .collect(),
            resources: settings
                .resources()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        })
    }

    /// All that is listed and compared.
    fn roots(&self) -> impl Iterator<Item = &str> {
        self.files.iter().chain(&self.database).map(String::as_str)
    }
}

/// Copies what a fail-over needs to the other machine. `path` is where the settings were read, `tell` is given what is
/// done, line by line.
///
/// # Errors
/// [`ErrorKind::Conflict`] when the other machine is active or has newer data, [`ErrorKind::TryAgain`] when another
/// synchronisation is under way, [`ErrorKind::Limit`] when the disk there is full: nothing was changed there then. What
/// ssh and rsync fail with.
pub fn run(
    settings: &Settings,
    path: &str,
    options: &Options,
    tell: &mut dyn FnMut(&str),
) -> Result<Outcome> {
    let start = Instant::now();
    let what = What::new(settings, path)?;
    let there = settings.peer()?;
    let peer = Peer::new(&there.name, &there.ssh());
    let _lock = Lock::take()?;
    // Who was the target of one that was cut short, and is the source now.
    place::recover(&pair::journal())?;
    let here = Situation::here(&what.addresses, &what.resources)?;
    let by = way_in(&peer, options.may_ask, tell)?;
    let mut link = Link::open(&peer, by)?;
    let run = Run {
        what: &what,
        peer: &peer,
        by,
        options,
        here,
    };
    let done = run.with(&mut link, start, tell);
    if let Err(e) = &done {
        let reason = format!("{e:#}");
        // Who waits there is told; that the link is cut it knows itself.
        if !options.dry_run {
            let _ = link.ask(&Request::GiveUp { reason });
        }
    }
    done
}

/// Tells whether an error is that this machine is not the one to copy from, because the other one is active or neither is.
#[must_use]
pub fn is_passive(error: &Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<judge::IsPassive>())
        .is_some()
}

/// Finds out by what ssh gets in.
fn way_in(peer: &Peer, may_ask: bool, tell: &mut dyn FnMut(&str)) -> Result<By> {
    match peer.try_in(By::AnyKey)? {
        Ok(()) => Ok(By::AnyKey),
        Err(Failure::Denied { .. }) if may_ask => {
            tell(&say!(
                "no key opens {}: ssh asks, twice; `instance` mends that",
                "aucune clé n'ouvre {} : ssh demande, deux fois ; `instance` y remédie",
                peer.name()
            ));
            Ok(By::Asking)
        }
        Err(failure @ (Failure::Denied { .. } | Failure::UnknownKey)) => {
            Err(failure.error(peer).with_hint(say!(
                "join the two machines first: run `instance` on both",
                "joindre d'abord les deux machines : lancer `instance` sur les deux"
            )))
        }
        Err(failure) => Err(failure.error(peer)),
    }
}

struct Run<'r> {
    what: &'r What,
    peer: &'r Peer,
    by: By,
    options: &'r Options,
    here: Situation,
}

impl Run<'_> {
    fn with(
        &self,
        link: &mut Link<'_>,
        start: Instant,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Outcome> {
        let (what, peer, options) = (self.what, self.peer, self.options);
        let seen = link.ask(&Request::Look {
            version: VERSION,
            from: what.me.clone(),
            roots: what.roots().map(str::to_owned).collect(),
            addresses: what.addresses.clone(),
            resources: what.resources.clone(),
            only_look: options.dry_run,
        })?;
        let Answer::Seen {
            name,
            situation,
            manifest,
            record,
        } = seen
        else {
            return Err(unexpected(peer, &seen));
        };
        if name == pair::host_name() {
            let host = peer.host();
            return Err(Error::invalid(say!(
                "{host} is this machine itself",
                "{host} est cette machine même"
            ))
            .with_hint(say!(
                "mend the addresses of the two machines in the settings",
                "corriger les adresses des deux machines dans le paramétrage"
            )));
        }
        let views = Views {
            me: &what.me,
            peer: peer.name(),
            role: what.role,
            here: &self.here,
            there: &situation,
        };
        match judge::is_active(&views) {
            Ok(()) => {}
            Err(Passive::Nobody) if options.force => {}
            Err(passive) => {
                let error = passive.error(&what.me, peer.name());
                if passive == Passive::Both || !options.dry_run {
                    return Err(error);
                }
                return Ok(Outcome::Passive(error.to_string()));
            }
        }
        let export = Export::make(what)?;
        let changes = compare(&export.manifest, &manifest);
        if !options.force {
            let mine = Record::open()?;
            judge::check_newer(
                &changes,
                (&what.me, mine.as_ref()),
                (peer.name(), record.as_ref()),
                options.joining,
            )?;
        }
        let (bytes, sizes) = self.list(&changes, tell);
        if options.dry_run {
            return Ok(Outcome::DryRun);
        }
        if !sizes.is_empty() {
            let ready = link.ask(&Request::Prepare {
                sizes: sizes.clone(),
            })?;
            let Answer::Ready { staging } = ready else {
                return Err(unexpected(peer, &ready));
            };
            let transfer = Transfer {
                peer,
                by: self.by,
                from: &export.folder,
                paths: sizes.iter().map(|(path, _)| path.as_str()).collect(),
                to: &staging,
                bytes,
                rate: options.rate,
            };
            transfer.run(options.bar)?;
        }
        let record = Record {
            ended: Time(Timestamp::now()),
            from: what.me.clone(),
            to: peer.name().to_owned(),
            changes: changes.len(),
            bytes,
            prints: Record::prints_of(&export.manifest),
        };
        let done = link.ask(&Request::Place {
            changes,
            database: what.database.clone(),
            record: record.clone(),
        })?;
        if !matches!(done, Answer::Done) {
            return Err(unexpected(peer, &done));
        }
        record.save()?;
        let seconds = start.elapsed().as_secs_f64();
        let (count, name) = (record.changes, peer.name());
        tell(&say!(
            "done in {seconds:.1} s: {name} has what {} has ({count} changed, {})",
            "fait en {seconds:.1} s : {name} a ce qu'a {} ({count} changement(s), {})",
            what.me,
            human(bytes)
        ));
        Ok(Outcome::Done(record))
    }

    /// Tells what differs; returns what is to be sent.
    fn list(&self, changes: &[Change], tell: &mut dyn FnMut(&str)) -> (u64, Vec<(String, u64)>) {
        let (me, name, host) = (&self.what.me, self.peer.name(), self.peer.host());
        if changes.is_empty() {
            tell(&say!(
                "{me} -> {name} ({host}): nothing differs",
                "{me} -> {name} ({host}) : aucune différence"
            ));
        } else {
            tell(&format!("{me} -> {name} ({host})"));
        }
        let mut sizes = Vec::new();
        for change in changes {
            let path = &change.path;
            match (&change.wanted, &change.found) {
                (Some(wanted), found) => {
                    let sign = if found.is_some() { '~' } else { '+' };
                    let same = found.as_ref().is_some_and(|f| f.content == wanted.content);
                    let size = match (wanted.is_folder(), same) {
                        (true, _) => String::new(),
                        (false, true) => say!("   rights only", "   droits seuls"),
                        (false, false) => format!("   {}", human(wanted.size())),
                    };
                    tell(&format!("  {sign} {path}{size}"));
                    if !wanted.is_folder() {
                        sizes.push((path.clone(), wanted.size()));
                    }
                }
                (None, _) => tell(&format!("  - {path}")),
            }
        }
        (sizes.iter().map(|(_, size)| size).sum(), sizes)
    }
}

fn unexpected(peer: &Peer, answer: &Answer) -> Error {
    Error::new(ErrorKind::Protocol, format!("{}: {answer:?}", peer.name()))
}

/// Writes a size for people.
fn human(bytes: u64) -> String {
    let units = [
        say!("B", "o"),
        say!("KiB", "Kio"),
        say!("MiB", "Mio"),
        say!("GiB", "Gio"),
    ];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} {}", units[0])
    } else {
        format!("{value:.1} {}", units[unit])
    }
}
