//! What one operation of the history says about its resource.

use crate::model::Operation;

use super::engine::Engine;
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
    pub(super) fn read_operation(&mut self, reading: &mut Reading<'d>, operation: &Operation<'d>) {
        let Some(status) = operation.status else {
            return;
        };
        if !(execution::PENDING..=execution::LAST).contains(&status)
            || matches!(operation.task, "notify" | "meta-data" | "")
        {
            return;
        }
        let (resource, node) = (reading.resource, reading.node);
        let target_rc = operation.target_rc();
        let expired =
            status != execution::NOT_INSTALLED && self.has_expired(resource, node, operation);
        let masked = operation.is_masked_probe_failure() && !self.is_bundled(resource);
        let outcome = self.remap(reading, operation, target_rc, masked);
        if expired {
            if masked {
                if self.resource(resource).role <= Role::Stopped {
                    self.resource_mut(resource).role = Role::Unknown;
                }
                return;
            }
            if outcome.rc != target_rc {
                if operation.interval_ms == 0 {
                    return;
                }
                let state = self.node(node);
                if state.online && !state.unclean {
                    return;
                }
            }
        }
        if masked {
            self.update_on_success(reading, operation, target_rc, true);
            self.record_failure(node, operation);
            return;
        }
        match outcome.status {
            execution::PENDING => self.read_pending(reading, operation),
            execution::DONE => self.update_on_success(reading, operation, outcome.rc, false),
            execution::CANCELLED => {}
            execution::NOT_INSTALLED => {
                let mut policy = self.failure_policy(resource, operation);
                if policy.reaction == Reaction::Ignore {
                    // Shown as failed although the failure is ignored: it cannot run here.
                    policy.reaction = Reaction::Migrate;
                }
                self.read_failure(reading, operation, outcome.rc, policy);
            }
            _ => {
                if outcome.status == execution::NOT_CONNECTED
                    && self.node(node).kind == NodeKind::Remote
                    && let Some(connection) = self.node(node).connection
                    && self.resource(connection).managed
                {
                    self.resource_mut(connection).failed = true;
                }
                let policy = self.failure_policy(resource, operation);
                let ignored = policy.reaction == Reaction::Ignore
                    || (policy.reaction == Reaction::RestartContainer && operation.task == "stop");
                if ignored {
                    self.update_on_success(reading, operation, target_rc, false);
                    self.record_failure(node, operation);
                    self.resource_mut(resource).failure_ignored = true;
                    if policy.reaction == Reaction::RestartContainer
                        && reading.reaction <= Reaction::Recover
                    {
                        reading.reaction = Reaction::RestartContainer;
                    }
                } else {
                    self.read_failure(reading, operation, outcome.rc, policy);
                    self.keep_off(resource, node, outcome.status);
                }
            }
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

    fn read_pending(&mut self, reading: &Reading<'d>, operation: &Operation<'d>) {
        let resource = reading.resource;
        match operation.task {
            "start" => self.set_active(resource),
            "promote" => self.resource_mut(resource).role = Role::Promoted,
            _ => {}
        }
        let probe = operation.is_probe();
        let entry = self.resource_mut(resource);
        if entry.pending_task.is_none() && !probe {
            entry.pending_task = Some(operation.task.to_owned());
            entry.pending_node = Some(reading.node);
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
    fn remap(
        &mut self,
        reading: &mut Reading<'d>,
        operation: &Operation<'d>,
        target_rc: i32,
        masked: bool,
    ) -> Outcome {
        let (resource, node) = (reading.resource, reading.node);
        let mut outcome = Outcome {
            rc: operation.rc,
            status: operation.status.unwrap_or(execution::DONE),
        };
        let is_probe = operation.is_probe();
        if operation.task == "monitor" {
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
            return Outcome {
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
    fn hard_error(&mut self, reading: &Reading<'d>, operation: &Operation<'d>) -> i32 {
        if operation.task == "stop" && !self.can_fence(reading.node) {
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
        operation: &Operation<'d>,
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
                "monitor" => {
                    clear = reading
                        .last_failure
                        .is_some_and(|last| last.key() == operation.key());
                    self.activate(resource);
                }
                "start" | "migrate_from" => {
                    self.resource_mut(resource).role = Role::Started;
                    clear = true;
                }
                "stop" => {
                    self.resource_mut(resource).role = Role::Stopped;
                    clear = true;
                }
                "promote" => {
                    self.resource_mut(resource).role = Role::Promoted;
                    clear = true;
                }
                "demote" => {
                    clear = reading.reaction == Reaction::Demote;
                    self.resource_mut(resource).role = Role::Unpromoted;
                }
                "migrate_to" => self.migrate_to_succeeded(reading, operation),
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
