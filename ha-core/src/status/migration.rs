//! Live migrations that did not finish, failed, or finished without their last step.

use crate::model::Operation;

use super::engine::Engine;
use super::operation::{Reading, execution, rc};
use super::types::{NodeIndex, ResourceIndex, Role};

/// The agent's exit status of an operation that has not run yet.
const NOT_RUN: &str = "193";

/// The two ends of a migration.
#[derive(Debug, Clone, Copy)]
struct Ends<'d> {
    source: &'d str,
    target: &'d str,
}

impl<'d> Engine<'d> {
    /// Returns the ends that an operation on this node names, unless they make no sense.
    fn ends(&self, node: NodeIndex, operation: &Operation<'d>) -> Option<Ends<'d>> {
        let ends = Ends {
            source: operation.migrate_source?,
            target: operation.migrate_target?,
        };
        let own = if operation.task == "migrate_to" {
            ends.source
        } else {
            ends.target
        };
        own.eq_ignore_ascii_case(&self.node(node).name)
            .then_some(ends)
    }

    /// Finds the operation with this task in a node's history of the resource. Where there are several,
    /// Pacemaker takes none: it cannot tell which is meant.
    fn find_operation(
        &self,
        resource: ResourceIndex,
        task: &str,
        node: &str,
        accept: impl Fn(&Operation<'d>) -> bool,
    ) -> Option<Operation<'d>> {
        let entries = self.history_entries(node, &self.resource(resource).id);
        let mut found = entries
            .iter()
            .flat_map(|&entry| self.operations(entry))
            .filter(|op| op.task == task && accept(op));
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }

    /// Tells whether a node's history says nothing that has run.
    fn is_unknown_on(&self, resource: ResourceIndex, node: &str) -> bool {
        self.history_entries(node, &self.resource(resource).id)
            .iter()
            .flat_map(|entry| entry.children_named("lrm_rsc_op"))
            .all(|op| op.attribute("rc-code") == Some(NOT_RUN))
    }

    fn changed_after(
        &self,
        resource: ResourceIndex,
        node: &str,
        event: &Operation<'d>,
        same_node: bool,
    ) -> bool {
        // Of a resource that is there more than once, Pacemaker looks at no entry.
        let &[entry] = self.history_entries(node, &self.resource(resource).id) else {
            return false;
        };
        self.operations(entry).any(|op| {
            matches!(op.task, "start" | "stop" | "migrate_to" | "migrate_from")
                && op.age_order(event, same_node).is_gt()
        })
    }

    fn found_stopped_after(
        &self,
        resource: ResourceIndex,
        node: &str,
        event: &Operation<'d>,
        same_node: bool,
    ) -> bool {
        self.find_operation(resource, "monitor", node, |_| true)
            .is_some_and(|monitor| {
                monitor.rc == rc::NOT_RUNNING
                    && monitor.status == Some(execution::DONE)
                    && monitor.age_order(event, same_node).is_gt()
            })
    }

    /// Tells whether a node's history has something newer than the migration, whose last known event
    /// names the ends.
    fn has_newer_state(
        &self,
        resource: ResourceIndex,
        node: &str,
        to: Option<&Operation<'d>>,
        from: Option<&Operation<'d>>,
    ) -> bool {
        let Some(last) = from.or(to) else {
            return false;
        };
        let is_node = |name: Option<&str>| name.is_some_and(|name| name.eq_ignore_ascii_case(node));
        let (event, same_node) = if is_node(last.migrate_target) {
            (last, from.is_some())
        } else if is_node(last.migrate_source) {
            (to.unwrap_or(last), to.is_some())
        } else {
            (last, false)
        };
        self.changed_after(resource, node, event, same_node)
            || self.found_stopped_after(resource, node, event, same_node)
    }

    fn online_node(&self, name: &str) -> Option<NodeIndex> {
        self.find_node(None, Some(name))
            .filter(|&node| self.node(node).online)
    }

    pub(super) fn migrate_to_succeeded(
        &mut self,
        reading: &Reading<'d>,
        operation: &Operation<'d>,
    ) {
        let resource = reading.resource;
        let Some(ends) = self.ends(reading.node, operation) else {
            return;
        };
        let changed_on_source = self.changed_after(resource, ends.source, operation, true);
        let from = self.find_operation(resource, "migrate_from", ends.target, |op| {
            op.migrate_source == Some(ends.source)
        });
        if from.is_some() && changed_on_source {
            return;
        }
        let newer_on_target =
            self.has_newer_state(resource, ends.target, Some(operation), from.as_ref());
        if changed_on_source && newer_on_target {
            return;
        }
        let from_status = from.and_then(|op| op.status).unwrap_or(execution::PENDING);
        if from.is_some_and(|op| op.rc == rc::OK) && from_status == execution::DONE {
            // Only the stop on the source is missing.
            self.resource_mut(resource).role = Role::Stopped;
            return;
        }
        self.resource_mut(resource).role = Role::Started;
        let online_target = self.online_node(ends.target);
        let active_on_target = online_target.filter(|_| !newer_on_target);
        if from_status != execution::PENDING {
            match active_on_target {
                Some(target) => self.add_running(resource, target),
                None => self.resource_mut(resource).failed = true,
            }
            return;
        }
        if online_target.is_some() && self.is_unknown_on(resource, ends.target) {
            // Probably cleaned up: a probe will tell.
            return;
        }
        match active_on_target {
            Some(target) => {
                self.add_running(resource, target);
                if let Some(source) = self.online_node(ends.source) {
                    let entry = self.resource_mut(resource);
                    entry.migration_source = Some(source);
                    entry.migration_target = Some(target);
                }
            }
            None if !changed_on_source => self.resource_mut(resource).failed = true,
            None => {}
        }
    }

    pub(super) fn migrate_to_failed(&mut self, reading: &Reading<'d>, operation: &Operation<'d>) {
        let resource = reading.resource;
        let Some(ends) = self.ends(reading.node, operation) else {
            return;
        };
        self.resource_mut(resource).role = Role::Started;
        let from = self
            .find_operation(resource, "migrate_from", ends.target, |op| {
                op.migrate_source == Some(ends.source)
            })
            .filter(|op| op.rc == rc::OK && op.status == Some(execution::DONE));
        if !self.is_unknown_on(resource, ends.target)
            && !self.has_newer_state(resource, ends.target, Some(operation), from.as_ref())
            && let Some(target) = self.online_node(ends.target)
        {
            self.add_running(resource, target);
        }
    }

    pub(super) fn migrate_from_failed(&mut self, reading: &Reading<'d>, operation: &Operation<'d>) {
        let resource = reading.resource;
        let Some(ends) = self.ends(reading.node, operation) else {
            return;
        };
        self.resource_mut(resource).role = Role::Started;
        let to = self
            .find_operation(resource, "migrate_to", ends.source, |op| {
                op.migrate_target == Some(ends.target)
            })
            .filter(|op| op.rc == rc::OK && op.status == Some(execution::DONE));
        if !self.is_unknown_on(resource, ends.source)
            && !self.has_newer_state(resource, ends.source, to.as_ref(), Some(operation))
            && let Some(source) = self.online_node(ends.source)
        {
            self.add_running(resource, source);
        }
    }
}
