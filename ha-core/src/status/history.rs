//! The passes over the operation history, and what is kept of it.

use crate::model::{Operation, scalar};
use crate::xml::Element;

use super::engine::{Engine, Histories};
use super::entries::Brief;
use super::mapping::without_number;
use super::operation::Reading;
use super::table::Map;
use super::types::{
    NodeHistory, NodeIndex, NodeKind, OperationRecord, ResourceHistory, ResourceIndex, Role,
    Written,
};

/// A fail count or the time of a last failure, as a node attribute holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct FailureAttribute<'d> {
    /// The resource's name, with its number if there is one.
    name: &'d str,
    is_count: bool,
    value: &'d str,
}

/// The failure attributes of a node, by resource name without a number.
pub(super) type FailureAttributes<'d> = Map<&'d str, Vec<FailureAttribute<'d>>>;

/// How often a resource failed on a node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FailCount {
    pub(super) count: i32,
    /// The last failure, in seconds since the epoch.
    pub(super) last: i64,
}

impl<'d> Engine<'d> {
    /// Reads all histories: those of nodes whose state depends on a connection wait until the
    /// connection's own history was read.
    pub(super) fn read_histories(&mut self) {
        while self.history_pass(false) {}
        self.history_pass(self.status.options.fencing);
        for position in 0..self.nodes.len() {
            let index = NodeIndex(u32::try_from(position).unwrap_or(u32::MAX));
            if self.node(index).kind != NodeKind::Remote || self.node(index).unpacked {
                continue;
            }
            self.decide_remote_online(index);
        }
    }

    /// Reads what can be read now. Returns whether anything was.
    fn history_pass(&mut self, all: bool) -> bool {
        let mut progress = false;
        for position in 0..self.node_states.len() {
            let (id, name, state) = self.node_states[position];
            let Some(index) = self.find_node(Some(id), Some(name)) else {
                continue;
            };
            if self.node(index).unpacked || !(all || self.may_read_history(index)) {
                continue;
            }
            if self.node(index).kind == NodeKind::Remote {
                self.decide_remote_online(index);
                self.read_remote_attributes(index, state);
            }
            self.read_node_history(index, position);
            self.node_mut(index).unpacked = true;
            progress = true;
        }
        progress
    }

    fn may_read_history(&self, index: NodeIndex) -> bool {
        let node = self.node(index);
        let options = &self.status.options;
        let started = |resource: Option<ResourceIndex>| {
            resource.is_some_and(|r| self.resource(r).role == Role::Started)
        };
        if node.is_guest {
            let container = node.connection.and_then(|c| self.resource(c).container);
            started(node.connection) && started(container)
        } else if node.kind == NodeKind::Remote {
            options.shutdown_lock || started(node.connection)
        } else {
            options.fencing || options.shutdown_lock || node.online
        }
    }

    fn read_node_history(&mut self, index: NodeIndex, position: usize) {
        if !self.entries[position].is_there() {
            return;
        }
        self.node_mut(index).has_history = true;
        let mut fillers = Vec::new();
        let entries = std::mem::take(&mut self.entries[position].list);
        for entry in &entries {
            let element = self.cib.element(entry.element);
            let read = self.read_resource_history(index, element, &entry.briefs);
            if read.is_some() && element.attribute("container").is_some() {
                fillers.push(element);
            }
        }
        self.entries[position].list = entries;
        self.link_orphan_fillers(&fillers);
    }

    fn read_resource_history(
        &mut self,
        node: NodeIndex,
        entry: Element<'d>,
        operations: &[Brief],
    ) -> Option<ResourceIndex> {
        let lock = self.status.options.shutdown_lock;
        if operations.is_empty() && !lock {
            return None;
        }
        let id = entry.attribute("id")?;
        let resource = match self.resource_of_history(node, id) {
            Some(resource) => resource,
            None if operations.is_empty() => return None,
            None => self.orphan(entry)?,
        };
        if lock {
            self.read_lock(node, resource, entry);
        }
        let before = self.resource(resource).role;
        self.resource_mut(resource).role = Role::Unknown;
        let mut reading = Reading::new(resource, node);
        for operation in operations {
            self.read_operation(&mut reading, operation);
        }
        self.apply_result(&reading);
        let entry = self.resource_mut(resource);
        if let Some(wanted) = entry.target_role
            && (entry.next_role == Role::Unknown || wanted < entry.next_role)
        {
            entry.next_role = wanted;
        }
        if self.resource(resource).role < before {
            self.resource_mut(resource).role = before;
        }
        Some(resource)
    }

    fn read_lock(&mut self, node: NodeIndex, resource: ResourceIndex, entry: Element<'d>) {
        let since = entry
            .attribute("shutdown-lock")
            .and_then(scalar::integer)
            .unwrap_or(0);
        let limit = self.status.options.shutdown_lock_limit_s;
        let expired = limit > 0 && self.clock.seconds() > since.saturating_add(limit);
        if since != 0 && !expired {
            self.resource_mut(resource).lock_node = Some(node);
        }
    }

    fn failure_attributes(&mut self, node: NodeIndex) -> &FailureAttributes<'d> {
        let plain = self.plain_fail_counts;
        let work = &mut self.nodes[node.0 as usize];
        let attributes = &work.attributes;
        work.failures.get_or_insert_with(|| {
            let mut table: FailureAttributes<'d> = Map::default();
            for (attribute, value) in attributes {
                let (is_count, rest) = if let Some(rest) = attribute.strip_prefix("fail-count-") {
                    (true, rest)
                } else if let Some(rest) = attribute.strip_prefix("last-failure-") {
                    (false, rest)
                } else {
                    continue;
                };
                let name = if plain {
                    rest
                } else {
                    match rest.rsplit_once('#') {
                        Some((name, operation)) if is_operation_suffix(operation) => name,
                        _ => continue,
                    }
                };
                let entry = FailureAttribute {
                    name,
                    is_count,
                    value,
                };
                table.entry(without_number(name)).or_default().push(entry);
            }
            table
        })
    }

    /// Returns the fail count of a resource on a node, without regard to its expiry.
    pub(super) fn fail_count(&mut self, resource: ResourceIndex, node: NodeIndex) -> FailCount {
        if self.failure_attributes(node).is_empty() {
            return FailCount::default();
        }
        let entry = self.resource(resource);
        let unique = entry.unique;
        let name = entry.history_name.as_deref().unwrap_or(&entry.id);
        let name = if unique {
            name.to_owned()
        } else {
            without_number(name).to_owned()
        };
        let health = self.status.options.health_scores;
        let mut found = FailCount::default();
        let Some(attributes) = self.failure_attributes(node).get(without_number(&name)) else {
            return found;
        };
        for attribute in attributes {
            if unique && attribute.name != name {
                continue;
            }
            if attribute.is_count {
                found.count =
                    scalar::add_scores(found.count, scalar::score(attribute.value, health));
            } else {
                found.last = found
                    .last
                    .max(scalar::integer(attribute.value).unwrap_or(0));
            }
        }
        found
    }

    /// Returns the fail count, 0 when all failures have expired.
    pub(super) fn effective_fail_count(
        &mut self,
        resource: ResourceIndex,
        node: NodeIndex,
        operation: Option<&Brief>,
    ) -> i32 {
        let found = self.fail_count(resource, node);
        if found.count > 0
            && self.resource(resource).failure_timeout > 0
            && self.failure_blocks(resource, node, operation)
        {
            // A failure that blocks has to be cleaned up by a person.
            self.resource_mut(resource).failure_timeout = 0;
        }
        let timeout = self.resource(resource).failure_timeout;
        let over = found.last > 0
            && timeout > 0
            && self.clock.seconds() > found.last.saturating_add(timeout);
        if over { 0 } else { found.count }
    }

    fn failure_blocks(
        &self,
        resource: ResourceIndex,
        node: NodeIndex,
        operation: Option<&Brief>,
    ) -> bool {
        let id = &self.resource(resource).id;
        let operation = operation.map(|brief| self.operation(brief));
        let blocking = self
            .implicit
            .all_operations(&self.cib, self.work(resource).xml)
            .filter(|op| op.attribute("on-fail") == Some("block"));
        for configured in blocking {
            let name = configured.attribute("name").unwrap_or_default();
            let interval = configured
                .attribute("interval")
                .and_then(scalar::interval_ms)
                .unwrap_or(0);
            let matches = |op: &Operation<'d>| {
                op.task == name
                    && op.interval_ms == interval
                    && op.id.is_some_and(|entry| {
                        entry == format!("{id}_last_failure_0")
                            || (entry == format!("{id}_{name}_{interval}")
                                && op.rc != op.target_rc())
                    })
            };
            let hit = match &operation {
                Some(operation) => matches(operation),
                None => self
                    .history_entry(&self.node(node).name, id)
                    .is_some_and(|entry| self.operations(entry).any(|op| matches(&op))),
            };
            if hit {
                return true;
            }
        }
        false
    }

    /// Finds what a node's history says of a resource: the first entry.
    fn history_entry(&self, node: &str, resource: &str) -> Option<Element<'d>> {
        self.history_entries(node, resource).first().copied()
    }

    /// Finds all that a node's history says of a resource: one entry, unless the CIB is odd.
    pub(super) fn history_entries(&self, node: &str, resource: &str) -> &[Element<'d>] {
        let histories = self.histories.get_or_init(|| {
            let mut histories = Histories::default();
            for &(_, name, state) in &self.node_states {
                let of_node = histories.entry(name).or_default();
                let entries = state
                    .children_named("lrm")
                    .flat_map(|lrm| lrm.children_named("lrm_resources"))
                    .flat_map(|holder| holder.children_named("lrm_resource"));
                for entry in entries {
                    if let Some(id) = entry.attribute("id") {
                        of_node.entry(id).or_default().push(entry);
                    }
                }
            }
            histories
        });
        let of_node = histories.get(node);
        of_node
            .and_then(|entries| entries.get(resource))
            .map_or(&[], Vec::as_slice)
    }

    /// Keeps the history for the views: online nodes, in the order of the CIB.
    pub(super) fn record_histories(&mut self) {
        for position in 0..self.node_states.len() {
            let (id, ..) = self.node_states[position];
            let Some(node) = self.find_node(Some(id), None) else {
                continue;
            };
            if !self.node(node).online {
                continue;
            }
            let entries = std::mem::take(&mut self.entries[position].list);
            let mut resources = Vec::with_capacity(entries.len());
            for entry in &entries {
                let element = self.cib.element(entry.element);
                let Some(id) = element.attribute("id") else {
                    continue;
                };
                let resource = self.status.resource_by_id.get(id).copied().or_else(|| {
                    self.resource_by_history.get(id).copied().or_else(|| {
                        let first = format!("{}:0", without_number(id));
                        self.status.resource_by_id.get(&first).copied()
                    })
                });
                let failures = resource
                    .map(|r| self.fail_count(r, node))
                    .unwrap_or_default();
                resources.push(ResourceHistory {
                    entry: entry.told(element, &self.reader),
                    resource,
                    fail_count: failures.count,
                    last_failure: if failures.count > 0 { failures.last } else { 0 },
                });
            }
            self.entries[position].list = entries;
            self.status.history.push(NodeHistory { node, resources });
        }
    }
}

pub(super) fn record(operation: &Operation<'_>) -> OperationRecord {
    OperationRecord {
        id: operation.id.unwrap_or_default().to_owned(),
        call_id: operation.call_id,
        call_text: written(operation.call_text, operation.call_id),
        task: operation.task.to_owned(),
        is_named: operation.is_named,
        interval_ms: operation.interval_ms,
        interval_text: i64::try_from(operation.interval_ms)
            .ok()
            .and_then(|interval| unless_number(operation.interval_text, interval)),
        rc: operation.rc,
        status: operation.status.unwrap_or(0),
        last_rc_change: operation.last_rc_change,
        exec_time: operation.exec_time.map(str::to_owned),
        queue_time: operation.queue_time.map(str::to_owned),
    }
}

pub(super) fn written(text: Option<&str>, number: i32) -> Written {
    let Some(text) = text else {
        return Written::Absent;
    };
    unless_number(text, number.into()).map_or(Written::Plain, Written::Otherwise)
}

/// Returns a text when it is another one than the number in digits.
fn unless_number(text: &str, number: i64) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = (digits == "0" || !digits.starts_with('0'))
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse() == Ok(number);
    (!is_plain).then(|| text.to_owned())
}

fn is_operation_suffix(text: &str) -> bool {
    text.rsplit_once('_').is_some_and(|(task, interval)| {
        !task.is_empty() && !interval.is_empty() && interval.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Sorts operations, oldest first, keeping the order of those that cannot be told apart.
///
/// The comparison is not a total order (it ignores what it cannot compare), so the standard sort,
/// which may refuse such comparisons, does not serve: this is a plain merge sort.
pub(super) fn sort_by_age(operations: &mut Vec<Operation<'_>>) {
    match operations.as_mut_slice() {
        [] | [_] => return,
        [a, b] => {
            if a.age_order(b, true).is_gt() {
                std::mem::swap(a, b);
            }
            return;
        }
        _ => {}
    }
    let mut right = operations.split_off(operations.len().div_ceil(2));
    sort_by_age(operations);
    sort_by_age(&mut right);
    let mut merged = Vec::with_capacity(operations.len() + right.len());
    let (mut left, mut right) = (
        operations.drain(..).peekable(),
        right.into_iter().peekable(),
    );
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let newer = a.age_order(b, true).is_gt();
        merged.extend(if newer { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    *operations = merged;
}
