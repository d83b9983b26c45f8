//! Which operation made a temporary constraint, and whether its process still is.

use std::sync::atomic::{AtomicU32, Ordering};

use super::status_of;
use crate::change::edit::constraint::MOVE_PREFIX;
use crate::xml::Document;

/// The operation that made a constraint, as the constraint's id names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Maker {
    host: String,
    pid: i32,
    /// When the process started, in the kernel's ticks since boot: numbers of processes are used again.
    started: u64,
    /// Which operation of the process.
    number: u32,
}

impl Maker {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let pid = rustix::process::getpid().as_raw_pid();
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        Self {
            host,
            pid,
            started: started(pid).unwrap_or(0),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        }
    }

    pub(super) fn of(id: &str) -> Option<Self> {
        let (_, maker) = id.rsplit_once("-by-")?;
        let mut parts = maker.rsplitn(4, '-');
        let number = parts.next()?.parse().ok()?;
        let started = parts.next()?.parse().ok()?;
        let pid = parts.next()?.parse().ok()?;
        let host = parts.next()?.to_owned();
        Some(Self {
            host,
            pid,
            started,
            number,
        })
    }

    /// The id of a constraint about a resource; of several, each has its number.
    pub(super) fn id(&self, resource: &str, nth: usize) -> String {
        let Self {
            host,
            pid,
            started,
            number,
        } = self;
        format!("{MOVE_PREFIX}{resource}.{nth}-by-{host}-{pid}-{started}-{number}")
    }

    pub(super) fn is_of_same_process(&self, other: &Self) -> bool {
        (&self.host, self.pid, self.started) == (&other.host, other.pid, other.started)
    }

    /// Its process was one of a node that is known by its machine's name, and is not in the cluster now: what
    /// it has begun there ends nothing here.
    pub(super) fn is_of_lost_node(&self, cib: &Document) -> bool {
        let status = status_of(cib);
        let node = status.node_named(&self.host);
        node.is_some_and(|node| !node.online && !node.pending)
    }

    /// Its process was one of this machine, and is no more.
    pub(super) fn is_gone(&self) -> bool {
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        self.host == host && started(self.pid) != Some(self.started)
    }
}

/// When a process of this machine started, in the kernel's ticks since boot (field 22 of proc(5)'s stat).
fn started(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_maker() {
        let maker = Maker::new();
        assert_eq!(
            Maker::of(&maker.id("VIP-by-night", 3)).as_ref(),
            Some(&maker)
        );
        assert!(!maker.is_gone());
        assert!(maker.is_of_same_process(&Maker::new()));
        let other = Maker {
            started: maker.started + 1,
            ..maker.clone()
        };
        assert!(other.is_gone());
        let elsewhere = Maker {
            host: "elsewhere.example".to_owned(),
            ..other
        };
        assert!(!elsewhere.is_gone());
        assert_eq!(Maker::of("ha-move-VIP"), None);
    }
}
