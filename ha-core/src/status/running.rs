//! Where resources run, and what the result of a history does to resource and node.

use super::engine::Engine;
use super::failure::Reaction;
use super::operation::Reading;
use super::types::{NodeIndex, NodeKind, ResourceIndex, Role};

impl<'d> Engine<'d> {
    /// Applies what was found in the history of one resource on one node.
    pub(super) fn apply_result(&mut self, reading: &Reading<'d>) {
        let (resource, node) = (reading.resource, reading.node);
        if self.resource(resource).role != Role::Unknown {
            self.note_known(resource, node);
        }
        self.fence_if_lost(resource, node);
        let reaction = if self.node(node).unclean {
            Reaction::Ignore
        } else {
            reading.reaction
        };
        self.react(resource, node, reaction);
        if self
            .resource(resource)
            .agent()
            .is_some_and(super::types::Agent::is_remote_connection)
            && self.resource(resource).failed
            && let Some(remote) = self.find_node(None, Some(&self.resource(resource).id))
        {
            self.node_mut(remote).unseen = false;
        }
        if matches!(self.resource(resource).role, Role::Stopped | Role::Unknown) {
            let entry = self.resource_mut(resource);
            if entry
                .history_name
                .as_deref()
                .is_some_and(|name| name.contains(':'))
            {
                entry.history_name = None;
            }
            let moved_away = entry.role == Role::Stopped
                && entry.migration_source == Some(node)
                && entry.migration_target.is_some();
            if moved_away {
                // It stopped here because it runs on the target by now.
                entry.role = Role::Started;
            }
            return;
        }
        self.add_running(resource, node);
        if reaction != Reaction::Ignore {
            self.resource_mut(resource).failed = true;
        }
    }

    fn note_known(&mut self, resource: ResourceIndex, node: NodeIndex) {
        let mut current = Some(resource);
        while let Some(index) = current {
            let entry = self.resource_mut(index);
            if !entry.known_on.contains(&node) {
                entry.known_on.push(node);
            }
            current = if entry.unique { None } else { entry.parent };
        }
    }

    /// A managed resource that seems to run on a node that is down needs that node fenced.
    fn fence_if_lost(&mut self, resource: ResourceIndex, node: NodeIndex) {
        let entry = self.resource(resource);
        let state = self.node(node);
        if entry.role <= Role::Stopped || state.online || state.maintenance || !entry.managed {
            return;
        }
        if state.is_guest {
            self.resource_mut(resource).failed = true;
            self.fence(node);
        } else if self.status.options.fencing {
            if state.kind == NodeKind::Remote {
                let connection_ok = state
                    .connection
                    .is_some_and(|connection| !self.resource(connection).failed);
                if connection_ok {
                    self.node_mut(node).unseen = true;
                }
            }
            self.fence(node);
        }
    }

    fn react(&mut self, resource: ResourceIndex, node: NodeIndex, reaction: Reaction) {
        let active = !matches!(self.resource(resource).role, Role::Stopped | Role::Unknown);
        match reaction {
            Reaction::Ignore | Reaction::Migrate => {}
            Reaction::Demote => self.resource_mut(resource).failed = true,
            Reaction::Fence => self.fence(node),
            Reaction::Standby => {
                let state = self.node_mut(node);
                state.standby = true;
                state.standby_on_fail = true;
            }
            Reaction::Block => {
                let entry = self.resource_mut(resource);
                entry.managed = false;
                entry.blocked = true;
            }
            Reaction::Stop => self.resource_mut(resource).next_role = Role::Stopped,
            Reaction::Recover => {
                if active {
                    self.resource_mut(resource).failed = true;
                    self.stop_needed(resource, node);
                }
            }
            Reaction::RestartContainer => {
                self.resource_mut(resource).failed = true;
                match self.resource(resource).container {
                    Some(_) if self.is_bundled(resource) => {}
                    Some(container) => self.stop_needed(container, node),
                    None if active => self.stop_needed(resource, node),
                    None => {}
                }
            }
            Reaction::ResetRemote => {
                self.resource_mut(resource).failed = true;
                let remote = self.find_node(None, Some(&self.resource(resource).id));
                if self.status.options.fencing
                    && let Some(remote) = remote
                    && self.node(remote).kind == NodeKind::Remote
                    && !self.node(remote).remote_fenced
                {
                    self.fence(remote);
                }
                if self.resource(resource).role > Role::Stopped {
                    self.stop_needed(resource, node);
                }
                if self.work(resource).reconnect_ms > 0 {
                    self.resource_mut(resource).next_role = Role::Stopped;
                }
            }
        }
    }

    /// A stop that cannot run because its node is offline needs that node fenced.
    fn stop_needed(&mut self, resource: ResourceIndex, node: NodeIndex) {
        let state = self.node(node);
        if !state.online
            && (!state.is_guest || state.requires_reset)
            && self.resource(resource).managed
            && !state.unclean
        {
            self.fence(node);
        }
    }

    /// Notes that a resource runs on a node, and what follows from it.
    pub(super) fn add_running(&mut self, resource: ResourceIndex, node: NodeIndex) {
        let mut current = Some(resource);
        while let Some(index) = current {
            if self.resource(index).running_on.contains(&node) {
                return;
            }
            self.resource_mut(index).running_on.push(node);
            let primitive = self.resource(index).is_primitive();
            if primitive {
                self.note_move(index);
                self.node_mut(node).running.push(index);
                if self.node(node).maintenance {
                    let entry = self.resource_mut(index);
                    entry.managed = false;
                    entry.maintenance = true;
                }
            }
            if !self.resource(index).managed {
                self.add_to_ancestors(index, node);
                return;
            }
            if primitive && self.is_multiply_active(index) && self.work(index).block_if_multiple {
                self.block_multiply_active(index);
            }
            current = self.resource(index).parent;
        }
    }

    fn add_to_ancestors(&mut self, resource: ResourceIndex, node: NodeIndex) {
        if !self.node(node).online {
            return;
        }
        let mut parent = self.resource(resource).parent;
        while let Some(index) = parent {
            self.resource_mut(index).running_on.push(node);
            parent = self.resource(index).parent;
        }
    }

    fn is_multiply_active(&self, resource: ResourceIndex) -> bool {
        let entry = self.resource(resource);
        let counted = entry
            .running_on
            .iter()
            .filter(|&&node| entry.needs_fencing || self.node(node).is_healthy_member())
            .count();
        counted > 1
    }

    fn block_multiply_active(&mut self, resource: ResourceIndex) {
        let mut blocked = vec![resource];
        if let Some(parent) = self.resource(resource).parent {
            let entry = self.resource(parent);
            if (entry.is_group() || entry.is_bundle()) && self.work(parent).block_if_multiple {
                blocked.extend(entry.children.iter().copied());
            }
        }
        for index in blocked {
            let entry = self.resource_mut(index);
            entry.managed = false;
            entry.blocked = true;
        }
    }
}
