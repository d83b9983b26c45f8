//! What one operation of the history says about its resource.

use crate::model::Operation;

use super::engine::Engine;
use super::entries::{Brief, Task};
use super::failure::Reaction;
use super::types::{NodeIndex, NodeKind, ResourceIndex, Role};

/// Exit statuses of agents.
pub(super) mod rc {
    pub(crate) const OK: i32 = 0;
    pub(crate) const INVALID_PARAMETER: i32 = 2;
    pub(crate) const UNIMPLEMENTED: i32 = 3;
    pub(crate) const INSUFFICIENT_PRIVILEGES: i32 = 4;
    pub(crate) const NOT_INSTALLED: i32 = 5;
    pub(crate) const NOT_CONFIGURED: i32 = 6;
    pub(crate) const NOT_RUNNING: i32 = 7;
    pub(crate) const PROMOTED: i32 = 8;
    pub(crate) const FAILED_PROMOTED: i32 = 9;
    pub(crate) const DEGRADED: i32 = 190;
    pub(crate) const DEGRADED_PROMOTED: i32 = 191;
}

/// How an execution ended.
pub(super) mod execution {
    pub(crate) const PENDING: i32 = -1;
    pub(crate) const DONE: i32 = 0;
    pub(crate) const CANCELLED: i32 = 1;
    pub(crate) const NOT_SUPPORTED: i32 = 3;
    pub(crate) const ERROR: i32 = 4;
    pub(crate) const HARD_ERROR: i32 = 5;
    pub(crate) const FATAL_ERROR: i32 = 6;
    pub(crate) const NOT_INSTALLED: i32 = 7;
    pub(crate) const NOT_CONNECTED: i32 = 8;
    pub(crate) const LAST: i32 = 11;
}

/// What has been found while one resource's history on one node is read.
#[derive(Debug)]
pub(super) struct Reading<'d> {
    pub(super) resource: ResourceIndex,
    pub(super) node: NodeIndex,
    pub(super) reaction: Reaction,
    pub(super) last_failure: Option<Operation<'d>>,
}

impl<'d> Reading<'d> {
    pub(super) fn new(resource: ResourceIndex, node: NodeIndex) -> Self {
        Self {
            resource,
            node,
            reaction: Reaction::Ignore,
            last_failure: None,
        }
    }
}

/// An operation's result after what it means was worked out.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    rc: i32,
    status: i32,
}

impl<'d> Engine<'d> {
    pub(super) fn read_operation(&mut self, reading: &mut Reading<'d>, brief: &Brief) {
        let Some(status) = brief.status else {
            return;
        };
        if !(execution::PENDING..=execution::LAST).contains(&status) || brief.task == Task::Silent {
            return;
        }
        let (resource, node) = (reading.resource, reading.node);
        let expired = status != execution::NOT_INSTALLED && self.has_expired(resource, node, brief);
        let masked = brief.masked && !self.is_bundled(resource);
        let outcome = self.remap(reading, brief, masked);
        if expired {
            if masked {
                if self.resource(resource).role <= Role::Stopped {
                    self.resource_mut(resource).role = Role::Unknown;
                }
                return;
            }
            if outcome.rc != brief.target_rc {
                if brief.interval_ms == 0 {
                    return;
                }
                let state = self.node(node);
                if state.online && !state.unclean {
                    return;
                }
            }
        }
        if masked {
            self.update_on_success(reading, brief, brief.target_rc, true);
            self.record_failure(node, brief);
            self.keep_off_one(resource, node);
            return;
        }
        match outcome.status {
            execution::PENDING => self.read_pending(reading, brief),
            execution::DONE => self.update_on_success(reading, brief, outcome.rc, false),
            execution::CANCELLED => {}
            _ => self.read_other(reading, brief, outcome),
        }
    }

    /// Reads an operation that did not end well.
    fn read_other(&mut self, reading: &mut Reading<'d>, brief: &Brief, outcome: Outcome) {
        let (resource, node) = (reading.resource, reading.node);
        let operation = &self.operation(brief);
        if outcome.status == execution::NOT_INSTALLED {
            let mut policy = self.failure_policy(resource, operation);
            if policy.reaction == Reaction::Ignore {
                // Shown as failed although the failure is ignored: it cannot run here.
                policy.reaction = Reaction::Migrate;
            }
            self.read_failure(reading, brief, operation, outcome.rc, policy);
            self.keep_off_one(resource, node);
            return;
        }
        if outcome.status == execution::NOT_CONNECTED
            && self.node(node).kind == NodeKind::Remote
            && let Some(connection) = self.node(node).connection
            && self.resource(connection).managed
        {
            self.resource_mut(connection).failed = true;
        }
        let policy = self.failure_policy(resource, operation);
        let ignored = policy.reaction == Reaction::Ignore
            || (policy.reaction == Reaction::RestartContainer && brief.task == Task::Stop);
        if ignored {
            self.update_on_success(reading, brief, brief.target_rc, false);
            self.record_failure(node, brief);
            self.resource_mut(resource).failure_ignored = true;
            if policy.reaction == Reaction::RestartContainer
                && reading.reaction <= Reaction::Recover
            {
                reading.reaction = Reaction::RestartContainer;
            }
        } else {
            self.read_failure(reading, brief, operation, outcome.rc, policy);
            self.keep_off(resource, node, outcome.status);
        }
    }

    /// After some failures a resource is kept off the node, or off all of them. That makes those nodes
    /// ones that something is known of, also where nodes must be allowed one by one.
    fn keep_off(&mut self, resource: ResourceIndex, node: NodeIndex, status: i32) {
        match status {
            execution::HARD_ERROR => self.keep_off_one(resource, node),
            execution::FATAL_ERROR => self.keep_off_all(resource),
            _ => {}
        }
    }

    pub(super) fn keep_off_all(&mut self, resource: ResourceIndex) {
        for node in self.status.node_indexes().collect::<Vec<_>>() {
            self.keep_off_one(resource, node);
        }
    }

    fn keep_off_one(&mut self, resource: ResourceIndex, node: NodeIndex) {
        let top = self.top_of(resource);
        if !self.status.is_allowed(self.resource(top), node) {
            self.resource_mut(top).allowed_only.push(node);
        }
    }

    fn read_pending(&mut self, reading: &Reading<'d>, brief: &Brief) {
        let resource = reading.resource;
        match brief.task {
            Task::Start => self.set_active(resource),
            Task::Promote => self.resource_mut(resource).role = Role::Promoted,
            _ => {}
        }
        if self.resource(resource).pending_task.is_none() && !brief.is_probe() {
            let task = self.operation(brief).task.to_owned();
            let entry = self.resource_mut(resource);
            entry.pending_task = Some(task);
            entry.pending_node = Some(reading.node);
            self.note_move(resource);
        }
    }

    /// Gives a resource its active role.
    pub(super) fn set_active(&mut self, resource: ResourceIndex) {
        let promotable = self.resource(self.top_of(resource)).promotable;
        self.resource_mut(resource).role = if promotable {
            Role::Unpromoted
        } else {
            Role::Started
        };
    }

    /// Works out what an exit status means for this task on this node.
    fn remap(&mut self, reading: &mut Reading<'d>, operation: &Brief, masked: bool) -> Outcome {
        let (resource, node) = (reading.resource, reading.node);
        let mut outcome = Outcome {
            rc: operation.rc,
            status: operation.status.unwrap_or(execution::DONE),
        };
        let (is_probe, target_rc) = (operation.is_probe(), operation.target_rc);
        if operation.task == Task::Monitor {
            let plain = match outcome.rc {
                rc::DEGRADED => rc::OK,
                rc::DEGRADED_PROMOTED => rc::PROMOTED,
                other => other,
            };
            if plain != outcome.rc {
                outcome.rc = plain;
                let state = self.node(node);
                if !state.shutdown || state.online {
                    self.record_failure(node, operation);
                }
            }
        }
        if masked {
            outcome = Outcome {
                rc: rc::NOT_RUNNING,
                status: execution::DONE,
            };
        }
        if !matches!(outcome.status, execution::DONE | execution::ERROR) {
            return outcome;
        }
        outcome.status = execution::DONE;
        if target_rc < 0 || outcome.rc != target_rc {
            outcome.status = execution::ERROR;
        }
        match outcome.rc {
            rc::OK => {
                if is_probe && target_rc == rc::NOT_RUNNING {
                    outcome.status = execution::DONE;
                }
            }
            rc::NOT_RUNNING => {
                if is_probe || target_rc == outcome.rc || !self.resource(resource).managed {
                    outcome.status = execution::DONE;
                    self.resource_mut(resource).role = Role::Stopped;
                    reading.reaction = Reaction::Ignore;
                    self.resource_mut(resource).next_role = Role::Unknown;
                }
            }
            rc::PROMOTED => {
                if is_probe {
                    outcome.status = execution::DONE;
                }
                self.resource_mut(resource).role = Role::Promoted;
            }
            rc::FAILED_PROMOTED | rc::DEGRADED_PROMOTED => {
                self.resource_mut(resource).role = Role::Promoted;
                outcome.status = execution::ERROR;
            }
            rc::NOT_CONFIGURED => outcome.status = execution::FATAL_ERROR,
            rc::UNIMPLEMENTED => {
                if operation.interval_ms > 0 {
                    outcome.status = execution::NOT_SUPPORTED;
                } else {
                    outcome.status = self.hard_error(reading, operation);
                }
            }
            rc::NOT_INSTALLED | rc::INVALID_PARAMETER | rc::INSUFFICIENT_PRIVILEGES => {
                outcome.status = self.hard_error(reading, operation);
            }
            _ => {
                if outcome.status == execution::DONE {
                    outcome.status = execution::ERROR;
                }
            }
        }
        outcome
    }

    /// A stop that failed on a node that cannot be fenced is beyond what the cluster can repair.
    fn hard_error(&mut self, reading: &Reading<'d>, operation: &Brief) -> i32 {
        if operation.task == Task::Stop && !self.can_fence(reading.node) {
            let entry = self.resource_mut(reading.resource);
            entry.managed = false;
            entry.blocked = true;
        }
        execution::HARD_ERROR
    }

    fn can_fence(&self, node: NodeIndex) -> bool {
        let state = self.node(node);
        if state.is_guest {
            let container = state.connection.and_then(|c| self.resource(c).container);
            return container.is_none_or(|container| {
                self.resource(container)
                    .running_on
                    .iter()
                    .all(|&host| self.node(host).online || self.can_fence_directly(host))
            });
        }
        self.can_fence_directly(node)
    }

    fn can_fence_directly(&self, node: NodeIndex) -> bool {
        let options = &self.status.options;
        options.fencing
            && self.have_fence_device
            && (self.status.quorate
                || options.no_quorum_policy == super::options::NoQuorumPolicy::Ignore
                || self.node(node).online)
    }

    /// Applies a result that is what was asked for.
    fn update_on_success(
        &mut self,
        reading: &mut Reading<'d>,
        operation: &Brief,
        result: i32,
        masked: bool,
    ) {
        let resource = reading.resource;
        let mut clear = false;
        if result == rc::NOT_INSTALLED || masked {
            self.resource_mut(resource).role = Role::Stopped;
        } else if result == rc::NOT_RUNNING {
            clear = true;
        } else {
            match operation.task {
                Task::Monitor => {
                    clear = reading
                        .last_failure
                        .is_some_and(|last| last.key() == self.operation(operation).key());
                    self.activate(resource);
                }
                Task::Start | Task::MigrateFrom => {
                    self.resource_mut(resource).role = Role::Started;
                    clear = true;
                }
                Task::Stop => {
                    self.resource_mut(resource).role = Role::Stopped;
                    clear = true;
                }
                Task::Promote => {
                    self.resource_mut(resource).role = Role::Promoted;
                    clear = true;
                }
                Task::Demote => {
                    clear = reading.reaction == Reaction::Demote;
                    self.resource_mut(resource).role = Role::Unpromoted;
                }
                Task::MigrateTo => {
                    self.migrate_to_succeeded(reading, &self.operation(operation));
                }
                _ => self.activate(resource),
            }
        }
        if clear {
            self.clear_reaction(reading);
        }
    }

    pub(super) fn activate(&mut self, resource: ResourceIndex) {
        if self.resource(resource).role < Role::Started {
            self.set_active(resource);
        }
    }

    fn clear_reaction(&mut self, reading: &mut Reading<'d>) {
        match reading.reaction {
            Reaction::Stop | Reaction::Fence | Reaction::Migrate | Reaction::Standby => return,
            Reaction::ResetRemote if self.work(reading.resource).reconnect_ms != 0 => {}
            _ => reading.reaction = Reaction::Ignore,
        }
        self.resource_mut(reading.resource).next_role = Role::Unknown;
    }
}
