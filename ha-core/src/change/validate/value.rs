//! Values: those that Pacemaker itself reads, by name and by kind.

use super::{Check, Expected, Problem};
use crate::change::edit::{option, similar};
use crate::config::Interval;
use crate::model::is_resource;
use crate::model::scalar::{self, HealthScores};
use crate::model::time;
use crate::xml::Element;

/// What a value of Pacemaker's is.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    Boolean,
    Interval,
    Score,
    OneOf(&'static [&'static str]),
}

use Kind::{Boolean, Integer, OneOf, Score, Text};

/// The meta-attributes of resources: of all kinds of them.
const RESOURCE: &[(&str, Kind)] = &[
    ("allow-migrate", Boolean),
    ("allow-unhealthy-nodes", Boolean),
    ("clone-max", Integer),
    ("clone-min", Integer),
    ("clone-node-max", Integer),
    ("collocated", Boolean),
    ("container-attribute-target", OneOf(&["host"])),
    ("critical", Boolean),
    ("failure-timeout", Kind::Interval),
    ("globally-unique", Boolean),
    ("interleave", Boolean),
    ("is-managed", Boolean),
    ("maintenance", Boolean),
    ("master-max", Integer),
    ("master-node-max", Integer),
    ("migration-threshold", Score),
    (
        "multiple-active",
        OneOf(&["block", "stop_only", "stop_start", "stop_unexpected"]),
    ),
    ("notify", Boolean),
    ("ordered", Boolean),
    ("priority", Score),
    ("promotable", Boolean),
    ("promoted-max", Integer),
    ("promoted-node-max", Integer),
    ("provides", Text),
    ("remote-addr", Text),
    ("remote-allow-migrate", Boolean),
    ("remote-connect-timeout", Kind::Interval),
    ("remote-node", Text),
    ("remote-port", Integer),
    (
        "requires",
        OneOf(&["nothing", "quorum", "fencing", "unfencing"]),
    ),
    ("resource-stickiness", Score),
    ("restart-type", OneOf(&["ignore", "restart"])),
    (
        "target-role",
        OneOf(&[
            "Started",
            "Stopped",
            "Promoted",
            "Unpromoted",
            "Master",
            "Slave",
        ]),
    ),
];

/// What can be said of an operation: in its attributes, its meta-attributes, and the defaults.
const OPERATION: &[(&str, Kind)] = &[
    ("description", Text),
    ("enabled", Boolean),
    ("id", Text),
    ("interval", Kind::Interval),
    ("interval-origin", Text),
    ("name", Text),
    (
        "on-fail",
        OneOf(&[
            "ignore",
            "block",
            "demote",
            "stop",
            "restart",
            "standby",
            "fence",
            "restart-container",
        ]),
    ),
    ("record-pending", Boolean),
    ("role", Text),
    ("start-delay", Kind::Interval),
    ("timeout", Kind::Interval),
];

/// The options of the cluster.
const OPTIONS: &[(&str, Kind)] = &[
    ("batch-limit", Integer),
    ("cluster-delay", Kind::Interval),
    ("cluster-infrastructure", Text),
    ("cluster-ipc-limit", Integer),
    ("cluster-name", Text),
    ("cluster-recheck-interval", Kind::Interval),
    ("concurrent-fencing", Boolean),
    ("dc-deadtime", Kind::Interval),
    ("dc-version", Text),
    ("election-timeout", Kind::Interval),
    ("enable-acl", Boolean),
    ("enable-startup-probes", Boolean),
    ("fence-reaction", OneOf(&["stop", "panic"])),
    ("fence-remote-without-quorum", Boolean),
    ("have-watchdog", Boolean),
    ("join-finalization-timeout", Kind::Interval),
    ("join-integration-timeout", Kind::Interval),
    ("last-lrm-refresh", Text),
    ("load-threshold", Text),
    ("maintenance-mode", Boolean),
    ("migration-limit", Integer),
    (
        "no-quorum-policy",
        OneOf(&["stop", "freeze", "ignore", "demote", "fence", "suicide"]),
    ),
    ("node-action-limit", Integer),
    ("node-health-base", Score),
    ("node-health-green", Score),
    ("node-health-red", Score),
    (
        "node-health-strategy",
        OneOf(&[
            "none",
            "migrate-on-red",
            "only-green",
            "progressive",
            "custom",
        ]),
    ),
    ("node-health-yellow", Score),
    ("node-pending-timeout", Kind::Interval),
    ("pe-error-series-max", Integer),
    ("pe-input-series-max", Integer),
    ("pe-warn-series-max", Integer),
    (
        "placement-strategy",
        OneOf(&["default", "utilization", "minimal", "balanced"]),
    ),
    ("priority-fencing-delay", Kind::Interval),
    ("remove-after-stop", Boolean),
    ("shutdown-escalation", Kind::Interval),
    ("shutdown-lock", Boolean),
    ("shutdown-lock-limit", Kind::Interval),
    ("start-failure-is-fatal", Boolean),
    ("startup-fencing", Boolean),
    ("stonith-action", OneOf(&["reboot", "off", "poweroff"])),
    ("stonith-enabled", Boolean),
    ("stonith-max-attempts", Text),
    ("stonith-timeout", Kind::Interval),
    // A time, or -1.
    ("stonith-watchdog-timeout", Text),
    ("stop-all-resources", Boolean),
    ("stop-orphan-actions", Boolean),
    ("stop-orphan-resources", Boolean),
    ("symmetric-cluster", Boolean),
    ("transition-delay", Kind::Interval),
];

/// What is special about one table: who complains about a name that is not in it.
#[derive(Clone, Copy, PartialEq)]
enum Table {
    Meta,
    Options,
}

pub(super) fn values(check: &mut Check<'_>) {
    for element in check.configuration() {
        match element.name() {
            "rsc_defaults" => named(check, element, "meta_attributes", RESOURCE, Table::Meta),
            "op_defaults" => named(check, element, "meta_attributes", OPERATION, Table::Meta),
            "crm_config" => named(
                check,
                element,
                "cluster_property_set",
                OPTIONS,
                Table::Options,
            ),
            "op" => {
                named(check, element, "meta_attributes", OPERATION, Table::Meta);
                for (name, value) in element.attributes() {
                    let known = OPERATION.iter().find(|(known, _)| *known == name);
                    if let Some((_, kind)) = known {
                        one(check, element, name, value, *kind);
                    }
                }
            }
            "rsc_location" | "rsc_colocation" | "rule" => {
                if let Some(score) = element.attribute("score") {
                    one(check, element, "score", score, Score);
                }
            }
            name if is_resource(name) => {
                named(check, element, "meta_attributes", RESOURCE, Table::Meta);
            }
            _ => {}
        }
    }
}

fn named<'d>(
    check: &mut Check<'d>,
    owner: Element<'d>,
    tag: &str,
    known: &[(&'static str, Kind)],
    table: Table,
) {
    for pair in check.pairs(owner, tag) {
        if let Some((_, kind)) = known.iter().find(|(name, _)| *name == pair.name) {
            one(check, pair.element, pair.name, pair.value, *kind);
            continue;
        }
        let name = pair.name.to_owned();
        let similar = similar(&name, known.iter().map(|(known, _)| *known)).map(str::to_owned);
        match (table, similar) {
            (Table::Meta, similar) => {
                check.found(pair.element, Problem::UnknownMeta { name, similar });
            }
            (Table::Options, similar) => {
                // Agents and programs keep things of their own beside the options, in sets of their own.
                let set = pair.element.parent();
                let is_of_others = set.is_some_and(|set| set.attribute("id") != Some(option::SET));
                if similar.is_some() || !is_of_others {
                    check.found(pair.element, Problem::UnknownOption { name, similar });
                }
            }
        }
    }
}

fn one(check: &mut Check<'_>, element: Element<'_>, name: &str, value: &str, kind: Kind) {
    let expected = match kind {
        Text => return,
        Integer => Expected::Integer,
        Boolean => Expected::Boolean,
        Kind::Interval => Expected::Interval,
        Score => Expected::Score,
        OneOf(words) => Expected::OneOf(words.iter().map(|&word| word.to_owned()).collect()),
    };
    if let Some(Mistake { read_as }) = mistake(value, &expected) {
        let problem = Problem::WrongValue {
            name: name.to_owned(),
            value: value.to_owned(),
            expected,
            read_as,
        };
        check.found(element, problem);
    }
}

/// A value that is not what it should be.
pub(super) struct Mistake {
    /// What Pacemaker takes it for, when it takes it for something.
    read_as: Option<String>,
}

/// Tells whether a value is something else than it should be.
pub(super) fn mistake(value: &str, expected: &Expected) -> Option<Mistake> {
    let read_as = match expected {
        Expected::Boolean if scalar::boolean(value).is_some() => return None,
        Expected::OneOf(words) if words.iter().any(|word| word.eq_ignore_ascii_case(value)) => {
            return None;
        }
        Expected::Integer | Expected::Score if value.parse::<i64>().is_ok() => return None,
        Expected::Score if is_score_word(value) => return None,
        Expected::Interval if is_plain_time(value) => return None,
        Expected::Boolean | Expected::OneOf(_) => None,
        Expected::Integer => scalar::integer(value).map(|number| number.to_string()),
        Expected::Score => Some(scalar::score(value, HealthScores::default()).to_string()),
        Expected::Interval => scalar::interval_ms(value).map(|milliseconds| {
            Interval::from(std::time::Duration::from_millis(milliseconds)).to_string()
        }),
    };
    Some(Mistake { read_as })
}

fn is_score_word(value: &str) -> bool {
    matches!(
        value,
        "INFINITY" | "+INFINITY" | "-INFINITY" | "red" | "yellow" | "green"
    )
}

/// Whether a time is read as it is written: a whole number with a unit that is written out rightly.
fn is_plain_time(value: &str) -> bool {
    if value.starts_with('P') {
        let meant = time::duration_seconds(value).and_then(|seconds| u64::try_from(seconds).ok());
        return meant
            .is_some_and(|seconds| scalar::interval_ms(value) == seconds.checked_mul(1000));
    }
    let text = value.trim();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let unit = unit.trim_start();
    let known = [
        "", "ms", "msec", "us", "usec", "s", "sec", "m", "min", "h", "hr",
    ];
    text.starts_with(|c: char| c.is_ascii_digit())
        && known.iter().any(|known| known.eq_ignore_ascii_case(unit))
}
