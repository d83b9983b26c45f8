//! Which resource an entry of the history belongs to.

use crate::xml::Element;

use super::engine::Engine;
use super::instances::Slot;
use super::resources::{Place, members};
use super::types::{Agent, NodeIndex, NodeKind, ResourceIndex, ResourceKind};

/// What the search among the instances of an anonymous clone found.
enum Instance {
    Use(ResourceIndex),
    Orphan,
}

impl<'d> Engine<'d> {
    /// Finds the resource that a node's history entry is about; `None` makes it an orphan.
    pub(super) fn resource_of_history(
        &mut self,
        node: NodeIndex,
        id: &'d str,
    ) -> Option<ResourceIndex> {
        let exact = self.status.resource_by_id.get(id).copied().or_else(|| {
            let found = self.resource_by_history.get(id).copied()?;
            (self.resource(found).history_name.as_deref() == Some(id)).then_some(found)
        });
        let found = match exact {
            Some(found) if !self.resource(found).is_primitive() => return None,
            Some(found) => found,
            None => {
                let first = format!("{}:0", without_number(id));
                let found = *self.status.resource_by_id.get(&first)?;
                if self.resource(found).unique {
                    return None;
                }
                found
            }
        };
        let parent = self.top_of(found);
        let anonymous = self.resource(parent).is_clone() && !self.resource(parent).unique;
        let resource = if !anonymous {
            found
        } else if let Some(bundle) = self.resource(parent).parent {
            self.replica_child(bundle, node)?
        } else {
            match self.anonymous_instance(node, parent, without_number(id)) {
                Instance::Use(found) => found,
                Instance::Orphan => self.orphan_instance(parent, without_number(id))?,
            }
        };
        let entry = self.resource(resource);
        if !entry.id.eq_ignore_ascii_case(id)
            && !entry
                .history_name
                .as_deref()
                .is_some_and(|name| name.eq_ignore_ascii_case(id))
        {
            self.resource_mut(resource).history_name = Some(id.to_owned());
            self.resource_by_history
                .entry(id.to_owned())
                .or_insert(resource);
        }
        Some(resource)
    }

    fn replica_child(&self, bundle: ResourceIndex, node: NodeIndex) -> Option<ResourceIndex> {
        let ResourceKind::Bundle { replicas, .. } = &self.resource(bundle).kind else {
            return None;
        };
        replicas
            .iter()
            .find(|replica| replica.node == Some(node))?
            .child
    }

    fn anonymous_instance(
        &mut self,
        node: NodeIndex,
        clone: ResourceIndex,
        name: &str,
    ) -> Instance {
        let (Slot::Here(found) | Slot::Free(found)) = self.slot(node, clone, name) else {
            return Instance::Orphan;
        };
        let state = self.node(node);
        let universal = match &self.resource(clone).kind {
            ResourceKind::Clone(details) => details.max as usize == self.nodes.len(),
            _ => false,
        };
        if !self.resource(found).needs_fencing
            && (!state.online || state.unclean)
            && !state.is_guest
            && !universal
        {
            return Instance::Orphan;
        }
        Instance::Use(found)
    }

    /// Returns the first node where an instance runs or has an operation under way.
    pub(super) fn located_on(&self, instance: ResourceIndex) -> Option<NodeIndex> {
        let resource = self.resource(instance);
        if resource.is_primitive() {
            return resource
                .running_on
                .first()
                .copied()
                .or(resource.pending_node);
        }
        resource
            .children
            .iter()
            .find_map(|&member| self.located_on(member))
    }

    /// Finds the primitive with this configured id: the instance itself, or a member of it.
    pub(super) fn member_named(
        &self,
        instance: ResourceIndex,
        name: &str,
    ) -> Option<ResourceIndex> {
        let resource = self.resource(instance);
        if resource.is_primitive() {
            return (resource.configured_id == name || resource.id == name).then_some(instance);
        }
        resource.children.iter().copied().find(|&member| {
            let member = self.resource(member);
            member.configured_id == name || member.id == name
        })
    }

    fn orphan_instance(&mut self, clone: ResourceIndex, name: &str) -> Option<ResourceIndex> {
        let number = u32::try_from(self.resource(clone).children.len()).ok()?;
        // The history has an entry for the instance; not for each member of a group.
        let mut children = self.work(clone).xml.children();
        let size = children.find_map(|e| match e.name() {
            "primitive" => Some(0),
            "group" => Some(members(e)),
            _ => None,
        })?;
        if !self.copies.take_one(size) {
            return None;
        }
        let instance = self.add_instance(clone, number, true)?;
        self.member_named(instance, name)
    }

    /// Makes an orphan of a history entry that belongs to no resource.
    pub(super) fn orphan(&mut self, entry: Element<'d>) -> Option<ResourceIndex> {
        entry.attribute("id")?;
        let place = Place {
            orphan: true,
            ..Place::default()
        };
        let index = self.add_primitive(entry, place)?;
        if !self.status.options.stop_orphans {
            self.resource_mut(index).managed = false;
        }
        self.status.top_level.push(index);
        if self
            .resource(index)
            .agent()
            .is_some_and(Agent::is_remote_connection)
        {
            let id = entry.attribute("id")?;
            let node = match self.find_node(Some(id), Some(id)) {
                Some(node) => node,
                None => self.add_node(id, id, NodeKind::Remote),
            };
            self.link_remote_node(index);
            self.node_mut(node).shutdown = true;
        }
        Some(index)
    }

    /// Tells whether an orphan is what a guest node's connection left behind.
    pub(super) fn is_orphan_filler(&self, index: ResourceIndex) -> bool {
        self.work(index).xml.attribute("container").is_some()
    }

    /// Links orphans of one node's history to the container that the history names.
    pub(super) fn link_orphan_fillers(&mut self, entries: &[Element<'d>]) {
        for entry in entries {
            let (Some(id), Some(container)) = (entry.attribute("id"), entry.attribute("container"))
            else {
                continue;
            };
            let (Some(&index), Some(&container)) = (
                self.status.resource_by_id.get(id),
                self.status.resource_by_id.get(container),
            ) else {
                continue;
            };
            if self.resource(index).orphan && self.resource(index).container.is_none() {
                self.resource_mut(index).container = Some(container);
                if let Some(node) = self.resource(index).connects_to {
                    self.node_mut(node).is_guest = true;
                }
            }
        }
    }
}

/// Cuts the instance number off an id.
pub(super) fn without_number(id: &str) -> &str {
    match id.rsplit_once(':') {
        Some((name, number))
            if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            name
        }
        _ => id,
    }
}
