//! The cluster's options, with Pacemaker's defaults.

use crate::model::scalar::{self, HealthScores, INFINITY};

use super::table::{Table, Values};

/// What the cluster does without quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NoQuorumPolicy {
    /// Stop all resources.
    #[default]
    Stop,
    /// Keep what runs, start nothing.
    Freeze,
    /// Go on as with quorum.
    Ignore,
    /// Demote what is promoted and stop the rest.
    Demote,
    /// Fence the nodes of the own partition.
    FenceOwn,
}

/// The cluster options that the status depends on, or that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterOptions {
    /// Failed nodes are fenced.
    pub fencing: bool,
    /// Nodes that were never seen are fenced.
    pub startup_fencing: bool,
    /// What happens without quorum.
    pub no_quorum_policy: NoQuorumPolicy,
    /// Resources may run on any node unless told otherwise.
    pub symmetric: bool,
    /// No resource is managed.
    pub maintenance: bool,
    /// Resources that do not say are managed (`is-managed-default`, of old configurations).
    pub managed_by_default: bool,
    /// All resources are to be stopped.
    pub stop_all: bool,
    /// Resources that are no longer configured are stopped.
    pub stop_orphans: bool,
    /// Resources stay locked to a node that shuts down cleanly.
    pub shutdown_lock: bool,
    /// How long such a lock lasts, in seconds; 0 for ever.
    pub shutdown_lock_limit_s: i64,
    /// How long a fencing action may take, in milliseconds.
    pub fencing_timeout_ms: u64,
    /// How long fencing waits in favour of the more important side, in milliseconds.
    pub priority_fencing_delay_ms: u64,
    /// A watchdog can serve as the fence device.
    pub have_watchdog: bool,
    /// The cluster's name.
    pub cluster_name: Option<String>,
    /// Health attributes are looked at.
    pub health_enabled: bool,
    /// What the health words are worth.
    pub health_scores: HealthScores,
}

impl ClusterOptions {
    /// Reads the options from the table of properties.
    pub(super) fn read(table: &Table<'_>, quorate: bool, had_quorum: bool) -> Self {
        let boolean = |name: &str, default: bool| {
            table
                .value(name)
                .and_then(scalar::boolean)
                .unwrap_or(default)
        };
        let milliseconds = |name: &str, default: u64| {
            let text = table.value(name).filter(|text| is_in_range(text));
            text.and_then(scalar::interval_ms).unwrap_or(default)
        };
        let fencing = boolean("stonith-enabled", true);
        let (health_enabled, health_scores) = health(table);
        Self {
            fencing,
            startup_fencing: fencing && boolean("startup-fencing", true),
            no_quorum_policy: quorum_policy(table, fencing, quorate || had_quorum),
            symmetric: boolean("symmetric-cluster", true),
            maintenance: boolean("maintenance-mode", false),
            managed_by_default: boolean("is-managed-default", true),
            stop_all: boolean("stop-all-resources", false),
            stop_orphans: boolean("stop-orphan-resources", true),
            shutdown_lock: boolean("shutdown-lock", false),
            shutdown_lock_limit_s: i64::try_from(milliseconds("shutdown-lock-limit", 0) / 1000)
                .unwrap_or(i64::MAX),
            fencing_timeout_ms: milliseconds("stonith-timeout", 60_000),
            priority_fencing_delay_ms: milliseconds("priority-fencing-delay", 0),
            have_watchdog: boolean("have-watchdog", false),
            cluster_name: table.value("cluster-name").map(str::to_owned),
            health_enabled,
            health_scores,
        }
    }
}

/// Tells whether a number is of 63 bits at most: an option with a larger one counts as not set, as `crm_mon` shows. The
/// time-outs of resources are then the largest there are instead.
fn is_in_range(text: &str) -> bool {
    let text = text.trim_start();
    let behind = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - behind.len()];
    digits.is_empty() || digits.parse::<i64>().is_ok()
}

fn quorum_policy(table: &Table<'_>, fencing: bool, ever_quorate: bool) -> NoQuorumPolicy {
    let text = table.value("no-quorum-policy").unwrap_or("stop");
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("ignore") {
        NoQuorumPolicy::Ignore
    } else if is("freeze") {
        NoQuorumPolicy::Freeze
    } else if is("demote") {
        NoQuorumPolicy::Demote
    } else if is("suicide") && fencing && ever_quorate {
        NoQuorumPolicy::FenceOwn
    } else {
        NoQuorumPolicy::Stop
    }
}

fn health(table: &Table<'_>) -> (bool, HealthScores) {
    let own = |name: &str, default: i32| {
        table
            .value(name)
            .map_or(default, |text| scalar::score(text, HealthScores::default()))
    };
    match table.value("node-health-strategy").unwrap_or("none") {
        "migrate-on-red" => (
            true,
            HealthScores {
                red: -INFINITY,
                yellow: 0,
                green: 0,
            },
        ),
        "only-green" => (
            true,
            HealthScores {
                red: -INFINITY,
                yellow: -INFINITY,
                green: 0,
            },
        ),
        "progressive" | "custom" => (
            true,
            HealthScores {
                red: own("node-health-red", -INFINITY),
                yellow: own("node-health-yellow", 0),
                green: own("node-health-green", 0),
            },
        ),
        _ => (false, HealthScores::default()),
    }
}
