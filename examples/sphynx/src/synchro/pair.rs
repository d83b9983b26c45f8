//! The target of a synchronisation: `synchro-nodes --pair`, started by the source over SSH.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};

use super::entry;
use super::judge::Situation;
use super::lock::Lock;
use super::place::{self, Places};
use super::record::{Progress, Record, STATE};
use super::talk::{Answer, Request, VERSION};
use crate::{interrupt, say};

/// The source says something at least every 5 s: after this it is gone, and another may come.
const SILENCE: Duration = Duration::from_secs(20);
/// How long the end of one that was cut off is waited for.
const BUSY: Duration = Duration::from_secs(25);

/// What must be free beyond what arrives: names take room too.
const MARGIN: u64 = 1 << 20;

fn staging() -> PathBuf {
    Path::new(STATE).join("synchro-recu")
}

/// Where it is written down what is left to do.
pub(super) fn journal() -> PathBuf {
    Path::new(STATE).join("synchro-pose.json")
}

/// Answers the source on standard input and output, until it has ended.
///
/// # Errors
/// An I/O error.
pub fn serve() -> Result<()> {
    let mut target = Target {
        unread: Vec::new(),
        lock: None,
        from: None,
        ended: false,
    };
    loop {
        let request = match target.line() {
            Ok(Some(line)) => line,
            end => {
                target.cut_off();
                return end.map(drop);
            }
        };
        let request: Result<Request> = serde_json::from_str(&request).map_err(|e| {
            Error::new(
                ErrorKind::Unsupported,
                say!(
                    "this version does not understand the other machine's: {e}",
                    "cette version ne comprend pas celle de l'autre machine : {e}"
                ),
            )
        });
        let answer = request.and_then(|request| target.answer(request));
        let answer = answer.unwrap_or_else(|e| Answer::refused(&e));
        let mut line = serde_json::to_string(&answer).map_err(std::io::Error::from)?;
        line.push('\n');
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(line.as_bytes())?;
        stdout.flush()?;
    }
}

struct Target {
    unread: Vec<u8>,
    lock: Option<Lock>,
    /// The source that may change something here.
    from: Option<String>,
    ended: bool,
}

impl Target {
    /// Reads a line; none at the end.
    fn line(&mut self) -> Result<Option<String>> {
        let stdin = std::io::stdin();
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                // An empty one says that the source is still there.
                if !line.is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            if !interrupt::wait_readable(stdin.as_fd(), Some(SILENCE))? {
                return Ok(None);
            }
            let mut bytes = [0; 1 << 16];
            match rustix::io::read(stdin.as_fd(), &mut bytes) {
                Ok(0) => return Ok(None),
                Ok(read) => self.unread.extend(&bytes[..read]),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(e) => return Err(std::io::Error::from(e).into()),
            }
        }
    }

    fn answer(&mut self, request: Request) -> Result<Answer> {
        match request {
            Request::Look {
                version,
                from,
                roots,
                addresses,
                resources,
                only_look,
            } => {
                if version != VERSION {
                    return Err(Error::new(
                        ErrorKind::Unsupported,
                        say!(
                            "the machines have different versions of synchro-nodes ({version} and {VERSION})",
                            "les machines ont des versions différentes de synchro-nodes ({version} et {VERSION})"
                        ),
                    )
                    .with_hint(say!(
                        "install the same package on both",
                        "installer le même paquet sur les deux"
                    )));
                }
                if self.lock.is_none() {
                    self.lock = Some(take_lock()?);
                    // What was cut short is finished first: what is here is told as it is then.
                    place::recover(&journal())?;
                }
                let answer = Answer::Seen {
                    name: host_name(),
                    situation: Situation::here(&addresses, &resources)?,
                    manifest: entry::list(Path::new("/"), roots.iter().map(String::as_str))?,
                    record: Record::open()?,
                };
                if !only_look {
                    Progress::Running { de: from.clone() }.save()?;
                    self.from = Some(from);
                }
                Ok(answer)
            }
            Request::Prepare { sizes } => {
                room_for(&sizes)?;
                let staging = staging();
                fs::create_dir_all(&staging).with_context(|| staging.display().to_string())?;
                fs::set_permissions(&staging, fs::Permissions::from_mode(0o700))?;
                Ok(Answer::Ready {
                    staging: staging.display().to_string(),
                })
            }
            Request::Place {
                changes,
                database,
                record,
            } => {
                let from = record.from.clone();
                let staging = staging();
                let places = Places {
                    staging: &staging,
                    journal: &journal(),
                    root: Path::new("/"),
                };
                place::place(places, &changes, database.as_deref(), &record)?;
                self.ended = true;
                Progress::Done { de: from }.save()?;
                Ok(Answer::Done)
            }
            Request::GiveUp { reason } => {
                self.ended = true;
                if let Some(de) = self.from.clone() {
                    Progress::Failed { de, raison: reason }.save()?;
                }
                Ok(Answer::Done)
            }
        }
    }

    /// The source is gone.
    fn cut_off(&self) {
        if let (Some(from), false) = (&self.from, self.ended) {
            let raison = say!("the link was cut", "le lien a été coupé");
            let de = from.clone();
            // Nobody is there to be told that it cannot be told.
            let _ = Progress::Failed { de, raison }.save();
        }
    }
}

/// Takes the lock; one that was cut off frees it soon.
fn take_lock() -> Result<Lock> {
    let (_keep, nothing) = std::os::unix::net::UnixStream::pair()?;
    let start = Instant::now();
    loop {
        match Lock::take() {
            Err(e) if e.kind() == ErrorKind::TryAgain && start.elapsed() < BUSY => {
                interrupt::wait_readable(&nothing, Some(Duration::from_millis(200)))?;
            }
            taken => return taken,
        }
    }
}

pub(super) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Refuses what there is no room for, before anything is sent.
fn room_for(sizes: &[(String, u64)]) -> Result<()> {
    // By file system: what arrives first, then what does not come to its place by a mere change of name.
    let mut needed: BTreeMap<u64, (PathBuf, u64)> = BTreeMap::new();
    let state = existing(Path::new(STATE));
    let arrives = state.metadata()?.dev();
    let total: u64 = sizes.iter().map(|(_, size)| size).sum();
    needed.insert(arrives, (state, total));
    for (path, size) in sizes {
        let near = existing(Path::new(path).parent().unwrap_or(Path::new("/")));
        let device = near.metadata()?.dev();
        if device != arrives {
            needed.entry(device).or_insert((near, 0)).1 += size;
        }
    }
    for (path, bytes) in needed.values().filter(|(_, bytes)| *bytes > 0) {
        let about = rustix::fs::statvfs(path).map_err(std::io::Error::from)?;
        let free = about.f_bavail.saturating_mul(about.f_frsize);
        if free < bytes.saturating_add(MARGIN) {
            let (path, free, bytes) = (path.display(), free / 1024, bytes / 1024);
            let name = host_name();
            return Err(Error::new(
                ErrorKind::Limit,
                say!(
                    "the disk of {name} is full: {bytes} KiB are to come to {path}, {free} KiB are free",
                    "le disque de {name} est plein : {bytes} Kio doivent arriver dans {path}, {free} Kio sont libres"
                ),
            )
            .with_hint(say!(
                "make room on {name}: df -h {path}; nothing was replaced there",
                "faire de la place sur {name} : df -h {path} ; rien n'y a été remplacé"
            )));
        }
    }
    Ok(())
}

/// The nearest folder that is there.
fn existing(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|path| path.is_dir());
    there.unwrap_or(Path::new("/")).to_owned()
}
