//! One entry of a resource's operation history (`lrm_rsc_op`).

use std::cmp::Ordering;

use crate::xml::{Document, Element, Places};

use super::scalar;

/// What the cluster asked for, as a transition key writes it: `action:transition:target-rc:uuid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransitionKey<'d> {
    /// The number of the transition; -1 for a change the cluster did not ask for.
    pub transition: i32,
    /// The exit status that would have been a success.
    pub target_rc: i32,
    /// Which Designated Controller wrote it.
    pub uuid: &'d str,
}

impl<'d> TransitionKey<'d> {
    /// Reads `action:transition:target-rc:uuid`.
    #[must_use]
    pub fn parse(text: &'d str) -> Option<Self> {
        let mut parts = text.splitn(4, ':');
        // Read as C does it, which keeps the lower half of what is too large.
        let mut number = || {
            let number = parts.next()?.parse::<i128>().ok()?;
            let number = number.clamp(i64::MIN.into(), i64::MAX.into());
            Some(number as i32)
        };
        number()?;
        let (transition, target_rc) = (number()?, number()?);
        let uuid = parts.next().filter(|uuid| !uuid.is_empty())?;
        Some(Self {
            transition,
            target_rc,
            uuid,
        })
    }
}

/// The operation key's parts: `resource_task_interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationKey<'d> {
    /// The resource's id.
    pub resource: &'d str,
    /// The task, such as `monitor` or `migrate_to`.
    pub task: &'d str,
    /// The interval in milliseconds.
    pub interval_ms: u64,
}

impl<'d> OperationKey<'d> {
    /// Takes a key apart, from the right: a resource's id may hold underscores, and so do
    /// `migrate_to`, `migrate_from` and the keys of notifications.
    ///
    /// As lenient as Pacemaker: any part may be empty, and what follows the interval's digits is ignored.
    #[must_use]
    pub fn parse(key: &'d str) -> Option<Self> {
        let (front, interval) = key.rsplit_once('_')?;
        let interval_ms = interval_of_key(interval)?;
        let (mut resource, mut task) = front.rsplit_once('_')?;
        for whole in ["migrate_to", "migrate_from"] {
            let id = front.strip_suffix(whole);
            if let Some(id) = id.and_then(|id| id.strip_suffix('_')) {
                (resource, task) = (id, whole);
            }
        }
        for notification in ["_pre_notify", "_post_notify"] {
            if let Some(id) = resource.strip_suffix(notification) {
                (resource, task) = (id, &front[id.len() + 1..]);
            }
        }
        Some(Self {
            resource,
            task,
            interval_ms,
        })
    }
}

/// Reads the interval as C's `strtoull` does, into 32 bits.
fn interval_of_key(text: &str) -> Option<u64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let digits = &digits[..end.unwrap_or(digits.len())];
    let number = if digits.is_empty() {
        0
    } else {
        digits.parse::<u64>().ok()?
    };
    let number = if text.starts_with('-') {
        number.wrapping_neg()
    } else {
        number
    };
    Some(number & u64::from(u32::MAX))
}

/// A borrowed view of one `lrm_rsc_op`, its attributes read once.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'d> {
    /// The element itself.
    pub element: Element<'d>,
    /// The entry's id.
    pub id: Option<&'d str>,
    /// The task, such as `start`.
    pub task: &'d str,
    /// The entry says which task, be it an empty one.
    pub is_named: bool,
    /// The interval in milliseconds, 0 for a one-off operation.
    pub interval_ms: u64,
    /// The interval as written, 0 when the entry does not say.
    pub interval_text: &'d str,
    /// The call id: the order on one node; -1 while pending, and when the entry does not say.
    pub call_id: i32,
    /// The call id as written.
    pub call_text: Option<&'d str>,
    /// The agent's exit status.
    pub rc: i32,
    /// How the execution ended; `None` when the entry does not say.
    pub status: Option<i32>,
    /// When the exit status last changed, in seconds since the epoch.
    pub last_rc_change: Option<i64>,
    /// The operation key when written down.
    pub operation_key: Option<&'d str>,
    /// The node that ran it.
    pub on_node: Option<&'d str>,
    /// What the cluster asked for.
    pub transition_key: Option<&'d str>,
    /// The result and what the cluster asked for.
    pub transition_magic: Option<&'d str>,
    /// What the agent said about the failure.
    pub exit_reason: Option<&'d str>,
    /// How long the agent ran, as written.
    pub exec_time: Option<&'d str>,
    /// How long the operation waited, as written.
    pub queue_time: Option<&'d str>,
    /// Source of a migration.
    pub migrate_source: Option<&'d str>,
    /// Target of a migration.
    pub migrate_target: Option<&'d str>,
}

/// The attributes that are read, in the order of [`Operation::set`].
const NAMES: [&str; 16] = [
    "id",
    "operation",
    "interval",
    "call-id",
    "rc-code",
    "op-status",
    "last-rc-change",
    "operation_key",
    "on_node",
    "transition-key",
    "transition-magic",
    "exit-reason",
    "exec-time",
    "queue-time",
    "migrate_source",
    "migrate_target",
];

/// Reads a number of 32 bits; what is none is -1.
fn number(text: &str) -> i32 {
    scalar::integer32(text).unwrap_or(-1)
}

/// Tells whether the digits in front are a number of 64 bits.
fn is_64_bits(text: &str) -> bool {
    let text = text.trim_start();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits[..end.unwrap_or(digits.len())].parse::<i64>().is_ok()
}

/// Reads the entries of one document, whose names it looked up once.
#[derive(Debug)]
pub(crate) struct Reader(Places);

impl Reader {
    pub(crate) fn of(document: &Document) -> Self {
        Self(Places::of(document, &NAMES))
    }

    /// Reads an entry of that document.
    pub(crate) fn read<'d>(&self, element: Element<'d>) -> Operation<'d> {
        let mut op = Operation::empty(element);
        for (place, value) in element.attributes_at(&self.0) {
            op.set(place, value);
        }
        op
    }
}

impl<'d> Operation<'d> {
    /// Reads an entry.
    #[must_use]
    pub fn new(element: Element<'d>) -> Self {
        let mut op = Self::empty(element);
        for (name, value) in element.attributes() {
            if let Some(place) = NAMES.iter().position(|&known| known == name) {
                op.set(place, value);
            }
        }
        op
    }

    fn empty(element: Element<'d>) -> Self {
        Self {
            element,
            id: None,
            task: "",
            is_named: false,
            interval_ms: 0,
            interval_text: "0",
            call_id: -1,
            call_text: None,
            rc: 0,
            status: None,
            last_rc_change: None,
            operation_key: None,
            on_node: None,
            transition_key: None,
            transition_magic: None,
            exit_reason: None,
            exec_time: None,
            queue_time: None,
            migrate_source: None,
            migrate_target: None,
        }
    }

    /// Takes the value of an attribute, named by its place among [`NAMES`].
    #[inline]
    fn set(&mut self, place: usize, value: &'d str) {
        match place {
            0 => self.id = Some(value),
            1 => {
                self.task = value;
                self.is_named = true;
            }
            2 => {
                self.interval_text = value;
                self.interval_ms = scalar::integer(value)
                    .and_then(|v| u64::try_from(v).ok())
                    .unwrap_or(0);
            }
            3 => {
                // One that 32 bits cannot hold is none.
                let call = scalar::integer(value).and_then(|call| call.try_into().ok());
                self.call_id = call.unwrap_or(-1);
                self.call_text = Some(value);
            }
            4 => {
                // One that 64 bits cannot hold is none.
                let is_huge = scalar::integer(value) == Some(i64::MAX) && !is_64_bits(value);
                self.rc = if is_huge { -1 } else { number(value) };
            }
            5 => {
                // One that is too large is none, where others are taken for the largest.
                let status = scalar::integer(value).and_then(|status| status.try_into().ok());
                self.status = Some(status.unwrap_or(-1));
            }
            6 => {
                let is_time = |&time: &i64| time != i64::MIN && time != i64::MAX;
                self.last_rc_change = scalar::integer(value).filter(is_time);
            }
            7 => self.operation_key = Some(value),
            8 => self.on_node = Some(value),
            9 => self.transition_key = Some(value),
            10 => self.transition_magic = Some(value),
            11 => self.exit_reason = Some(value),
            12 => self.exec_time = Some(value),
            13 => self.queue_time = Some(value),
            14 => self.migrate_source = Some(value),
            _ => self.migrate_target = Some(value),
        }
    }

    /// Returns the operation key, or the id for entries of old versions that lack it.
    #[must_use]
    pub fn key(&self) -> &'d str {
        self.operation_key.or(self.id).unwrap_or_default()
    }

    /// Returns the exit status that would have been a success; -1 when the entry does not say.
    #[must_use]
    pub fn target_rc(&self) -> i32 {
        self.transition_key
            .and_then(TransitionKey::parse)
            .map_or(-1, |key| key.target_rc)
    }

    /// Tells whether this is a probe: a one-off monitor.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.task == "monitor" && self.interval_ms == 0
    }

    /// Tells whether this probe only says that the agent or its program is not installed, which
    /// is no failure where the resource does not run.
    #[must_use]
    pub fn is_masked_probe_failure(&self) -> bool {
        self.is_probe() && (self.rc == 5 || self.rc == 2 || self.status == Some(7))
    }

    fn magic(&self) -> Option<TransitionKey<'d>> {
        TransitionKey::parse(self.transition_magic?.split_once(';')?.1)
    }

    /// Compares the ages of two entries: `Greater` means newer than `other`.
    ///
    /// `same_node` tells whether both ran on one node, so that call ids can be compared, when the operations
    /// do not say it themselves.
    #[must_use]
    pub fn age_order(&self, other: &Self, same_node: bool) -> Ordering {
        let same_id = matches!((self.id, other.id), (Some(a), Some(b)) if a == b);
        let nodes = self.on_node.zip(other.on_node);
        let one_node = nodes.map(|(a, b)| a == b);
        if same_id && one_node.unwrap_or(true) {
            return Ordering::Equal;
        }
        // What the operations say of their nodes decides.
        let same_node = one_node.unwrap_or(same_node);
        let (a, b) = (self.call_id, other.call_id);
        if a == -1 && b == -1 {
            return Ordering::Equal;
        }
        if same_node && a >= 0 && b >= 0 && a != b {
            return a.cmp(&b);
        }
        if a >= 0 && b >= 0 {
            // Without times, ages cannot be told.
            return match (self.last_rc_change, other.last_rc_change) {
                (Some(mine), Some(theirs)) => mine.cmp(&theirs),
                _ => Ordering::Equal,
            };
        }
        let (Some(mine), Some(theirs)) = (self.magic(), other.magic()) else {
            return Ordering::Equal;
        };
        if mine.uuid != theirs.uuid || mine.transition == theirs.transition {
            // Written by another controller, or by the same transition: pending is newer.
            return match (a, b) {
                (_, -1) => Ordering::Less,
                (-1, _) => Ordering::Greater,
                // Below -1: neither an order nor pending.
                _ => Ordering::Equal,
            };
        }
        match (mine.transition, theirs.transition) {
            (-1, _) => Ordering::Greater,
            (_, -1) => Ordering::Less,
            (mine, theirs) => mine.cmp(&theirs),
        }
    }
}

/// Returns the words for an agent's exit status.
#[must_use]
pub fn rc_text(rc: i32) -> &'static str {
    match rc {
        0 => "ok",
        1 => "error",
        2 => "invalid parameter",
        3 => "unimplemented feature",
        4 => "insufficient privileges",
        5 => "not installed",
        6 => "not configured",
        7 => "not running",
        8 => "promoted",
        9 => "promoted (failed)",
        190 => "OCF_DEGRADED",
        191 => "promoted (degraded)",
        _ => "unknown",
    }
}

/// Returns the words for how an execution ended.
#[must_use]
pub fn status_text(status: i32) -> &'static str {
    match status {
        -1 => "pending",
        0 => "complete",
        1 => "Cancelled",
        2 => "Timed Out",
        3 => "NOT SUPPORTED",
        4 => "Error",
        5 => "Hard error",
        6 => "Fatal error",
        7 => "Not installed",
        8 => "Internal communication failure",
        9 => "Cannot execute now",
        10 => "No fence device",
        11 => "CIB secrets unavailable",
        _ => "UNKNOWN!",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_apart_from_the_right() {
        let parse = |key| OperationKey::parse(key).map(|k| (k.resource, k.task, k.interval_ms));
        assert_eq!(parse("a_start_0"), Some(("a", "start", 0)));
        assert_eq!(
            parse("my_db_monitor_10000"),
            Some(("my_db", "monitor", 10_000))
        );
        assert_eq!(
            parse("my_db_migrate_from_0"),
            Some(("my_db", "migrate_from", 0))
        );
        assert_eq!(
            parse("db_pre_notify_start_0"),
            Some(("db", "pre_notify_start", 0))
        );
        assert_eq!(parse("db_start"), None);
        assert_eq!(parse("start_0"), None);
        assert_eq!(parse("\u{e9}_\u{e9}_\u{e9}"), Some(("\u{e9}", "\u{e9}", 0)));
        // What Pacemaker 2.1.5 makes of them.
        assert_eq!(parse("migrate_to_0"), Some(("migrate", "to", 0)));
        assert_eq!(parse("x_pre_notify_0"), Some(("x_pre", "notify", 0)));
        assert_eq!(
            parse("q_pre_notify_x_post_notify_start_0"),
            Some(("q_pre_notify_x", "post_notify_start", 0))
        );
        assert_eq!(parse("a__0"), Some(("a", "", 0)));
        assert_eq!(parse("a_b_-5"), Some(("a", "b", 4_294_967_291)));
        assert_eq!(parse("a_b_ 7x"), Some(("a", "b", 7)));
        assert_eq!(parse("a_b_99999999999"), Some(("a", "b", 1_215_752_191)));
        assert_eq!(parse("a_b_18446744073709551616"), None);
    }

    #[test]
    fn a_reader_reads_what_is_read_one_by_one() {
        let all: String = NAMES
            .iter()
            .map(|name| format!("{name}='1{name}' "))
            .collect();
        let text = format!(
            "<lrm><lrm_rsc_op {all} other='2'/><lrm_rsc_op rc-code='7' more='3' op-status='x'/>\
            <lrm_rsc_op/></lrm>"
        );
        let document = Document::parse(&text).unwrap();
        let reader = Reader::of(&document);
        let mut entries = 0;
        for entry in document.root().children() {
            let (one, other) = (reader.read(entry), Operation::new(entry));
            assert_eq!(format!("{one:?}"), format!("{other:?}"));
            entries += 1;
        }
        assert_eq!(entries, 3);
        let first = reader.read(document.root().children().next().unwrap());
        assert_eq!(first.migrate_target, Some("1migrate_target"));
        assert_eq!((first.call_id, first.task), (1, "1operation"));
    }

    #[test]
    fn transition_keys() {
        let key = TransitionKey::parse("4:12:7:0b9e").unwrap();
        assert_eq!((key.transition, key.target_rc, key.uuid), (12, 7, "0b9e"));
        let key = TransitionKey::parse("4:12:4294967303:0b9e").unwrap();
        assert_eq!(key.target_rc, 7);
        assert_eq!(TransitionKey::parse("4:12:7"), None);
        assert_eq!(TransitionKey::parse("x:12:7:u"), None);
    }
}
