//! Failures: what the configuration says to do about one, when it is forgotten, how it is kept.

use crate::model::operation::OperationKey;
use crate::model::{Operation, scalar};
use crate::xml::Element;

use super::attributes::{BlockOptions, apply_blocks};
use super::engine::Engine;
use super::entries::{Brief, Task};
use super::history::written;
use super::operation::{Reading, rc};
use super::rule::{RuleInput, RuleResource};
use super::table::{Table, Values};
use super::types::{Agent, Failure, NodeIndex, NodeKind, ResourceIndex, Role};

/// What a failure leads to. Ordered by severity: the most severe one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reaction {
    Ignore,
    Demote,
    Recover,
    ResetRemote,
    RestartContainer,
    Migrate,
    Block,
    Stop,
    Standby,
    Fence,
}

/// What the configuration says about failures of one operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct FailurePolicy {
    pub(super) reaction: Reaction,
    /// The role that the resource is brought to.
    pub(super) role: Role,
}

impl<'d> Engine<'d> {
    /// Tells whether an entry is older than the resource's failure timeout.
    pub(super) fn has_expired(
        &mut self,
        resource: ResourceIndex,
        node: NodeIndex,
        operation: &Brief,
    ) -> bool {
        let timeout = self.resource(resource).failure_timeout;
        let Some(changed) = operation.last_rc_change.filter(|_| timeout > 0) else {
            return false;
        };
        let old = self.clock.seconds() >= changed.saturating_add(timeout)
            && !self.timeout_is_suspended(resource, operation);
        // Looking at the fail count can cancel the timeout for good, even when this entry is recent.
        let remaining = self.effective_fail_count(resource, node, Some(operation));
        if !old {
            return false;
        }
        if self.fail_count(resource, node).count > 0 && remaining > 0 {
            return false;
        }
        let is_probe_result = operation.is_probe()
            && matches!(
                operation.rc,
                rc::OK | rc::NOT_RUNNING | rc::PROMOTED | rc::DEGRADED | rc::DEGRADED_PROMOTED
            );
        !is_probe_result
    }

    /// A connection that waits before it reconnects keeps its failures until the node was fenced.
    fn timeout_is_suspended(&self, resource: ResourceIndex, operation: &Brief) -> bool {
        self.work(resource).reconnect_ms > 0
            && self.status.options.fencing
            && operation.interval_ms != 0
            && operation.task == Task::Monitor
            && self
                .find_node(None, Some(&self.resource(resource).id))
                .is_some_and(|node| !self.node(node).remote_fenced)
    }

    /// Keeps a failure, unless the same operation of that node was kept already.
    pub(super) fn record_failure(&mut self, node: NodeIndex, operation: &Brief) {
        if !self.node(node).online {
            return;
        }
        let operation = self.operation(operation);
        // Entries without a key (of very old versions) count as one.
        if !self
            .recorded_failures
            .insert((operation.operation_key, node))
        {
            return;
        }
        let key = operation.key();
        let parts = OperationKey::parse(key);
        let history_id = operation
            .element
            .parent()
            .and_then(|e| e.attribute("id"))
            .unwrap_or_default()
            .to_owned();
        let milliseconds = |text: Option<&str>| {
            text.and_then(scalar::integer)
                .and_then(|n| u64::try_from(n).ok())
        };
        self.status.failures.push(Failure {
            node: self.node(node).name.clone(),
            on_node: operation.on_node.map(str::to_owned),
            id: operation.id.unwrap_or_default().to_owned(),
            key: operation.operation_key.map(str::to_owned),
            resource: parts.map(|p| p.resource.to_owned()),
            history_id,
            task: parts.map(|p| p.task.to_owned()),
            interval_ms: parts.map_or(0, |p| p.interval_ms),
            entry_interval_ms: operation.interval_ms,
            operation: operation.task.to_owned(),
            rc: operation.rc,
            status: operation.status.unwrap_or(0),
            call_id: operation.call_id,
            call_text: written(operation.call_text, operation.call_id),
            exit_reason: operation.exit_reason.map(str::to_owned),
            last_rc_change: operation.last_rc_change,
            exec_ms: milliseconds(operation.exec_time),
            queue_ms: milliseconds(operation.queue_time),
            // Inside a bundle it is a failure; it is listed nowhere all the same.
            masked: operation.is_masked_probe_failure(),
        });
    }

    /// Handles a failure that the configuration does not ignore.
    pub(super) fn read_failure(
        &mut self,
        reading: &mut Reading<'d>,
        brief: &Brief,
        operation: &Operation<'d>,
        result: i32,
        policy: FailurePolicy,
    ) {
        let (resource, node) = (reading.resource, reading.node);
        reading.last_failure = Some(*operation);
        if self.status.options.symmetric || result != rc::NOT_INSTALLED {
            self.record_failure(node, brief);
        }
        reading.reaction = reading.reaction.max(policy.reaction);
        match operation.task {
            "migrate_to" => self.migrate_to_failed(reading, operation),
            "migrate_from" => self.migrate_from_failed(reading, operation),
            "promote" => self.resource_mut(resource).role = Role::Promoted,
            "demote" => {
                let entry = self.resource_mut(resource);
                if policy.reaction == Reaction::Block {
                    entry.role = Role::Promoted;
                    entry.next_role = Role::Stopped;
                } else if result == rc::NOT_RUNNING {
                    entry.role = Role::Stopped;
                } else {
                    entry.role = Role::Unpromoted;
                }
            }
            _ => {}
        }
        if operation.is_probe() && result == rc::NOT_INSTALLED {
            self.resource_mut(resource).role = Role::Stopped;
        } else {
            self.activate(resource);
        }
        let entry = self.resource_mut(resource);
        if policy.role != Role::Started && entry.next_role < policy.role {
            entry.next_role = policy.role;
        }
        if policy.role == Role::Stopped {
            self.keep_off_all(resource);
        }
    }

    /// Returns what the configuration says about failures of an operation.
    pub(super) fn failure_policy(
        &self,
        resource: ResourceIndex,
        operation: &Operation<'d>,
    ) -> FailurePolicy {
        let key = operation.key();
        let entry = self.configured_operation(resource, key);
        let task = operation.task;
        let interval =
            OperationKey::parse(key).map_or(operation.interval_ms, |parts| parts.interval_ms);
        let meta = self.operation_meta(resource, task, interval, entry);
        let on_fail = meta
            .value("on-fail")
            .filter(|word| allowed(word, task, entry));
        let on_fail = on_fail.or_else(|| {
            let unset = meta.value("on-fail").is_none();
            if task == "demote" && unset {
                self.promoted_monitor_policy(resource)
            } else {
                None
            }
        });
        let mut policy = self
            .explicit_policy(resource, on_fail)
            .unwrap_or_else(|| self.default_policy(resource, task, interval));
        let connection = self.leads_to_remote_node(resource);
        let unmanaged = !self.resource(resource).managed;
        if connection && unmanaged && !operation.is_probe() && task != "start" {
            policy = FailurePolicy {
                reaction: Reaction::Stop,
                role: Role::Stopped,
            };
        }
        if policy.role == Role::Unknown {
            policy.role = meta
                .value("role_after_failure")
                .and_then(Role::parse)
                .unwrap_or(if task == "promote" {
                    Role::Unpromoted
                } else {
                    Role::Started
                });
        }
        policy
    }

    fn explicit_policy(
        &self,
        resource: ResourceIndex,
        word: Option<&str>,
    ) -> Option<FailurePolicy> {
        let word = word?;
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        let mut role = Role::Unknown;
        let reaction = if is("block") {
            Reaction::Block
        } else if is("fence") {
            if self.status.options.fencing {
                Reaction::Fence
            } else {
                role = Role::Stopped;
                Reaction::Stop
            }
        } else if is("standby") {
            Reaction::Standby
        } else if is("ignore") || is("nothing") {
            Reaction::Ignore
        } else if is("migrate") {
            Reaction::Migrate
        } else if is("stop") {
            role = Role::Stopped;
            Reaction::Stop
        } else if is("restart") {
            Reaction::Recover
        } else if is("restart-container") && self.resource(resource).container.is_some() {
            Reaction::RestartContainer
        } else if is("demote") {
            Reaction::Demote
        } else {
            return None;
        };
        Some(FailurePolicy { reaction, role })
    }

    fn default_policy(
        &self,
        resource: ResourceIndex,
        task: &str,
        interval_ms: u64,
    ) -> FailurePolicy {
        let entry = self.resource(resource);
        let probe = task == "monitor" && interval_ms == 0;
        let connection = self.leads_to_remote_node(resource);
        let mut role = Role::Unknown;
        let reaction = if entry.container.is_some() {
            Reaction::RestartContainer
        } else if connection && !probe && task != "start" {
            if self.work(resource).reconnect_ms > 0 {
                role = Role::Stopped;
            }
            Reaction::ResetRemote
        } else if task == "stop" {
            if self.status.options.fencing {
                Reaction::Fence
            } else {
                Reaction::Block
            }
        } else {
            Reaction::Recover
        };
        FailurePolicy { reaction, role }
    }

    /// Tells whether a resource is the connection of a remote node, as only one at the top level is.
    fn leads_to_remote_node(&self, resource: ResourceIndex) -> bool {
        let entry = self.resource(resource);
        entry.agent().is_some_and(Agent::is_remote_connection)
            && self.find_node(None, Some(&entry.id)).is_some_and(|node| {
                let node = self.node(node);
                node.kind == NodeKind::Remote && !node.is_guest
            })
    }

    /// A demote without a policy follows the recurring monitor of the promoted role.
    fn promoted_monitor_policy(&self, resource: ResourceIndex) -> Option<&'d str> {
        self.configured_operations(resource)
            .filter(|op| op.attribute("name") == Some("monitor"))
            .filter(|op| op.attribute("role").and_then(Role::parse) == Some(Role::Promoted))
            .filter(|op| op.attribute("enabled").and_then(scalar::boolean) != Some(false))
            .filter(|op| {
                op.attribute("interval")
                    .and_then(scalar::interval_ms)
                    .unwrap_or(0)
                    > 0
            })
            .filter_map(|op| op.attribute("on-fail"))
            .find(|on_fail| !on_fail.eq_ignore_ascii_case("demote"))
    }

    fn operation_meta(
        &self,
        resource: ResourceIndex,
        task: &str,
        interval_ms: u64,
        entry: Option<Element<'d>>,
    ) -> Table<'d> {
        let mut input: RuleInput<'_, 'd> = self.rule_input();
        input.operation = Some((task, interval_ms));
        if let Some(agent) = self.resource(resource).agent() {
            input.resource = Some(RuleResource {
                class: Some(&agent.class),
                provider: agent.provider.as_deref(),
                kind: Some(&agent.kind),
            });
        }
        let mut meta = Table::of(Some(&["on-fail", "role_after_failure"]));
        let name = "meta_attributes";
        if let Some(defaults) = self.cib.op_defaults() {
            apply_blocks(
                &self.cib,
                defaults.children_named(name),
                &self.long_blocks,
                BlockOptions::default(),
                &input,
                &mut meta,
            );
        }
        if let Some(entry) = entry {
            let overwrite = BlockOptions {
                overwrite: true,
                ..BlockOptions::default()
            };
            let blocks = entry.children_named(name);
            apply_blocks(
                &self.cib,
                blocks,
                &self.long_blocks,
                overwrite,
                &input,
                &mut meta,
            );
            for (name, value) in entry.attributes() {
                meta.set(name, value);
            }
        }
        meta
    }

    fn configured_operations(
        &self,
        resource: ResourceIndex,
    ) -> impl Iterator<Item = Element<'d>> + '_ {
        self.implicit
            .operations(&self.cib, self.work(resource).xml)
            .filter(|element| element.name() == "op")
    }

    /// Finds the configured operation that a key belongs to.
    fn configured_operation(&self, resource: ResourceIndex, key: &str) -> Option<Element<'d>> {
        let entry = self.resource(resource);
        let find = |wanted: &str| {
            self.configured_operations(resource).find(|op| {
                let name = op.attribute("name").unwrap_or_default();
                let interval = op
                    .attribute("interval")
                    .and_then(scalar::interval_ms)
                    .unwrap_or(0);
                let matches = |id: &str| key_is(wanted, id, name, interval);
                matches(&entry.id) || entry.history_name.as_deref().is_some_and(matches)
            })
        };
        find(key).or_else(|| {
            let fallback = if key.contains("migrate_to") || key.contains("migrate_from") {
                "migrate"
            } else if key.contains("_notify_") {
                "notify"
            } else {
                return None;
            };
            find(&format!("{}_{fallback}_0", entry.id))
        })
    }
}

/// Tells whether a key is `id_name_interval`, without regard to case.
fn key_is(key: &str, id: &str, name: &str, interval_ms: u64) -> bool {
    let rest = |text: &'_ str, prefix: &str| -> Option<usize> {
        let head = text.get(..prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some(prefix.len())
    };
    let Some(at) = rest(key, id) else {
        return false;
    };
    let Some(tail) = key[at..].strip_prefix('_') else {
        return false;
    };
    let Some(at) = rest(tail, name) else {
        return false;
    };
    tail[at..]
        .strip_prefix('_')
        .is_some_and(|text| text == interval_ms.to_string())
}

/// Tells whether Pacemaker accepts this `on-fail` for this operation.
fn allowed(word: &str, task: &str, entry: Option<Element<'_>>) -> bool {
    let is = |other: &str| word.eq_ignore_ascii_case(other);
    if task == "stop" && (is("standby") || is("demote") || is("stop")) {
        return false;
    }
    if is("demote") {
        let Some(entry) = entry else { return false };
        let promoted_monitor = entry.attribute("name") == Some("monitor")
            && entry.attribute("role").and_then(Role::parse) == Some(Role::Promoted)
            && entry
                .attribute("interval")
                .and_then(scalar::interval_ms)
                .unwrap_or(0)
                > 0;
        return entry.attribute("name") == Some("promote") || promoted_monitor;
    }
    true
}
