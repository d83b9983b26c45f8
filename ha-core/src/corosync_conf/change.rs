//! What differs between two files.

use std::fmt;

use super::file::{File, NodesBy};

/// What has to be done for a change to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// `corosync-cfgtool -R` is enough.
    Reload,
    /// Corosync has to be restarted; also where its manual does not say that a reload is enough.
    Restart,
}

/// A value that differs between two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its full name; nodes are named by their number (`nodelist.node.2.ring0_addr`).
    pub path: String,
    /// The value before, if there was one.
    pub old: Option<String>,
    /// The value after, if there is one.
    pub new: Option<String>,
    /// What has to be done.
    pub effect: Effect,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "{}: {old} -> {new}", self.path),
            (None, Some(new)) => write!(f, "{}: {new} (new)", self.path),
            (Some(old), None) => write!(f, "{}: {old} (removed)", self.path),
            (None, None) => f.write_str(&self.path),
        }
    }
}

/// Returns the values that differ, as corosync reads the files: comments and the order of keys do not count, and of
/// several lines the last does. In the order of the old file, then of the new one.
#[must_use]
pub fn changes(from: &File, to: &File) -> Vec<Change> {
    let (before, after) = (counting(from), counting(to));
    let find = |list: &[(String, String)], path: &str| {
        let found = list.iter().find(|(at, _)| at == path);
        found.map(|(_, value)| value.clone())
    };
    let mut out = Vec::new();
    for (path, old) in &before {
        let new = find(&after, path);
        if new.as_ref() != Some(old) {
            out.push((path, Some(old.clone()), new));
        }
    }
    for (path, new) in &after {
        if find(&before, path).is_none() {
            out.push((path, None, Some(new.clone())));
        }
    }
    out.into_iter()
        .map(|(path, old, new)| Change {
            effect: if needs_restart(path, old.is_none(), to) {
                Effect::Restart
            } else {
                Effect::Reload
            },
            path: path.clone(),
            old,
            new,
        })
        .collect()
}

fn counting(file: &File) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for named in file.named(NodesBy::Id) {
        let value = named.value.value().to_owned();
        match out.iter_mut().find(|(path, _)| *path == named.path) {
            Some(entry) => entry.1 = value,
            None => out.push((named.path, value)),
        }
    }
    out
}

/// Tells what a running corosync 3.1 does not take over.
///
/// votequorum(5), at its end: only votes, `quorum_votes`, `expected_votes` and `two_node` change at run time. `cmap_keys(7)`:
/// `uidgid` is read again. Corosync's change log has the reload of logging, of crypto options (with knet 1.18), of
/// `knet_pmtud_interval`, of `token_coefficient` and of added links of knet. Nothing written says it of the other timers, which are
/// taken to go with `token_coefficient`; anything else is taken to need a restart.
fn needs_restart(path: &str, added: bool, new: &File) -> bool {
    let knet = matches!(new.get("totem.transport"), None | Some("knet"));
    let last = path.rsplit('.').next().unwrap_or(path);
    if path.starts_with("logging.") || path.starts_with("uidgid.") {
        return false;
    }
    if path.starts_with("quorum.") {
        return !["quorum.expected_votes", "quorum.two_node", "quorum.votes"].contains(&path);
    }
    if path.starts_with("nodelist.node.") {
        return last != "quorum_votes" && !(knet && added);
    }
    if let Some(key) = path.strip_prefix("totem.") {
        let timer = [
            "token",
            "token_warning",
            "token_coefficient",
            "token_retransmit",
            "token_retransmits_before_loss_const",
            "hold",
            "join",
            "send_join",
            "consensus",
            "merge",
            "downcheck",
            "fail_recv_const",
            "seqno_unchanged_const",
            "heartbeat_failures_allowed",
            "max_network_delay",
            "window_size",
            "max_messages",
            "miss_count_const",
        ];
        let of_knet = [
            "crypto_model",
            "crypto_cipher",
            "crypto_hash",
            "knet_pmtud_interval",
        ];
        return !(timer.contains(&key) || knet && of_knet.contains(&key));
    }
    true
}
