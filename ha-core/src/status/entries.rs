//! The entries of the nodes' histories, read once: in short what decides, and in full what is told.
//!
//! Both depend on nothing but the entry itself, so that a [`Computer`](super::Computer) keeps them for as
//! long as the CIB says the same.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::model::{Operation, operation::Reader};
use crate::xml::{Element, NodeId, Stamp};

use super::history::{record, sort_by_age};
use super::table::Map;
use super::types::HistoryEntry;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Start,
    Stop,
    Monitor,
    Promote,
    Demote,
    MigrateTo,
    MigrateFrom,
    /// Says nothing about the resource.
    Silent,
    Other,
}

impl Task {
    fn of(text: &str) -> Self {
        match text {
            "start" => Self::Start,
            "stop" => Self::Stop,
            "monitor" => Self::Monitor,
            "promote" => Self::Promote,
            "demote" => Self::Demote,
            "migrate_to" => Self::MigrateTo,
            "migrate_from" => Self::MigrateFrom,
            "notify" | "meta-data" => Self::Silent,
            _ => Self::Other,
        }
    }
}

/// What nearly always suffices to know of an operation; the rest is in its element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brief {
    pub(super) element: NodeId,
    pub(super) task: Task,
    pub(super) interval_ms: u64,
    pub(super) rc: i32,
    pub(super) status: Option<i32>,
    pub(super) target_rc: i32,
    pub(super) last_rc_change: Option<i64>,
    /// As [`Operation::is_masked_probe_failure`].
    pub(super) masked: bool,
}

impl Brief {
    fn of(operation: &Operation<'_>) -> Self {
        Self {
            element: operation.element.id(),
            task: if operation.is_named {
                Task::of(operation.task)
            } else {
                Task::Silent
            },
            interval_ms: operation.interval_ms,
            rc: operation.rc,
            status: operation.status,
            target_rc: operation.target_rc(),
            last_rc_change: operation.last_rc_change,
            masked: operation.is_masked_probe_failure(),
        }
    }

    /// As [`Operation::is_probe`].
    pub(super) fn is_probe(&self) -> bool {
        self.task == Task::Monitor && self.interval_ms == 0
    }
}

/// One `lrm_resource`.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) element: NodeId,
    /// What it said when it was read; none when nothing is kept.
    stamp: Option<Stamp>,
    /// Its operations in the order in which they are applied.
    pub(super) briefs: Box<[Brief]>,
    told: OnceCell<Arc<HistoryEntry>>,
}

/// Where operations are put while an entry is read.
#[derive(Debug, Default)]
pub(super) struct Desk<'d> {
    written: Vec<Operation<'d>>,
    sorted: Vec<Operation<'d>>,
}

impl<'d> Desk<'d> {
    fn read(&mut self, element: Element<'d>, reader: &Reader) {
        let operations = element.children_named("lrm_rsc_op");
        self.written.clear();
        self.written.extend(operations.map(|op| reader.read(op)));
    }

    /// Sorts them oldest first, as they are told.
    fn sort(&mut self) -> &[Operation<'d>] {
        self.sorted.clone_from(&self.written);
        sort_by_age(&mut self.sorted);
        &self.sorted
    }

    /// Sorts them oldest first, as they are applied: of those that cannot be told apart, the last first.
    fn sort_from_last(&mut self) -> &[Operation<'d>] {
        self.written.reverse();
        sort_by_age(&mut self.written);
        &self.written
    }
}

fn told(element: Element<'_>, operations: &[Operation<'_>]) -> Arc<HistoryEntry> {
    Arc::new(HistoryEntry {
        id: element.attribute("id").unwrap_or_default().to_owned(),
        operations: operations.iter().map(record).collect(),
    })
}

impl Entry {
    fn read<'d>(
        element: Element<'d>,
        stamp: Option<Stamp>,
        reader: &Reader,
        tell: bool,
        desk: &mut Desk<'d>,
    ) -> Self {
        desk.read(element, reader);
        let entry = OnceCell::new();
        if tell {
            entry.get_or_init(|| told(element, desk.sort()));
        }
        Self {
            element: element.id(),
            stamp,
            briefs: desk.sort_from_last().iter().map(Brief::of).collect(),
            told: entry,
        }
    }

    /// Returns what a status tells of it.
    pub(super) fn told(&self, element: Element<'_>, reader: &Reader) -> Arc<HistoryEntry> {
        let entry = self.told.get_or_init(|| {
            let mut desk = Desk::default();
            desk.read(element, reader);
            told(element, desk.sort())
        });
        Arc::clone(entry)
    }
}

/// The history of one node.
#[derive(Debug)]
pub(super) struct Entries {
    /// The element that holds them, and what it said.
    of: Option<(NodeId, Option<Stamp>)>,
    pub(super) list: Vec<Entry>,
}

impl Entries {
    /// Tells whether the CIB has a history of the node, maybe an empty one.
    pub(super) fn is_there(&self) -> bool {
        self.of.is_some()
    }

    /// Reads the history of a node, as far as it is not what it was.
    pub(super) fn read<'d>(
        state: Element<'d>,
        before: &mut Option<Vec<Self>>,
        reader: &Reader,
        tell: bool,
        desk: &mut Desk<'d>,
    ) -> Self {
        let Some(holder) = holder(state) else {
            let (of, list) = (None, Vec::new());
            return Self { of, list };
        };
        let stamp = before.is_some().then(|| holder.stamp());
        let same = |entries: &Self| entries.of.is_some_and(|(id, _)| id == holder.id());
        let known = before.as_mut().and_then(|before| {
            let place = before.iter().position(same)?;
            Some(before.swap_remove(place))
        });
        let of = Some((holder.id(), stamp));
        match known {
            Some(known) if known.of == of => known,
            known => {
                let mut known = Known::new(known.map_or_else(Vec::new, |known| known.list));
                let entry = |element: Element<'d>| {
                    let stamp = stamp.map(|_| element.stamp());
                    let kept = known.take(element.id());
                    match kept.filter(|kept| kept.stamp == stamp) {
                        Some(kept) => kept,
                        None => Entry::read(element, stamp, reader, tell, desk),
                    }
                };
                let list = holder.children_named("lrm_resource").map(entry).collect();
                Self { of, list }
            }
        }
    }
}

/// Entries of before, that are probably asked for in the same order.
struct Known {
    list: Vec<Option<Entry>>,
    next: usize,
    places: Option<Map<NodeId, usize>>,
}

impl Known {
    fn new(list: Vec<Entry>) -> Self {
        Self {
            list: list.into_iter().map(Some).collect(),
            next: 0,
            places: None,
        }
    }

    fn take(&mut self, id: NodeId) -> Option<Entry> {
        let is = |entry: &Option<Entry>| entry.as_ref().is_some_and(|entry| entry.element == id);
        let place = if self.list.get(self.next).is_some_and(is) {
            self.next
        } else {
            let list = &self.list;
            let places = self.places.get_or_insert_with(|| {
                let entries = list.iter().enumerate();
                let places = entries.filter_map(|(at, entry)| Some((entry.as_ref()?.element, at)));
                places.collect()
            });
            *places.get(&id)?
        };
        self.next = place + 1;
        self.list[place].take()
    }
}

/// Finds the element that holds the history of a node.
pub(super) fn holder(state: Element<'_>) -> Option<Element<'_>> {
    state.child("lrm")?.child("lrm_resources")
}
