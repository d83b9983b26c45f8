//! Constraints, as far as a status shows them: what lost tickets do, and where to find bans.

use crate::model::scalar;
use crate::xml::Element;

use super::engine::Engine;
use super::rule;
use super::types::{ResourceIndex, Role};

/// What happens to a resource whose ticket is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LossPolicy {
    /// Shown nowhere in a status.
    StopOrDemote,
    Fence,
    Freeze,
}

impl<'d> Engine<'d> {
    pub(super) fn read_constraints(&mut self) {
        for constraint in self.cib.constraints() {
            if let Some(lifetime) = constraint.child("lifetime")
                && !rule::passes(&self.cib, lifetime, &self.rule_input())
            {
                continue;
            }
            match constraint.name() {
                "rsc_location" => self.read_location(constraint),
                "rsc_ticket" => self.read_ticket_constraint(constraint),
                _ => {}
            }
        }
        // Locations are listed last first.
        let mut bans = std::mem::take(&mut self.status.bans);
        bans.reverse();
        self.status.bans = bans;
    }

    /// Finds the resource that a constraint names; an instance stands for its whole clone.
    pub(super) fn constraint_resource(&self, id: &str) -> Option<ResourceIndex> {
        let exact = self.status.resource_by_id.get(id).copied();
        let renamed = self.resource_by_history.get(id).copied();
        let renamed = renamed
            .filter(|&found| self.resource(found).history_name.as_deref() == Some(id))
            // The first instance that answers to the name, in whichever way.
            .filter(|&found| exact.is_none_or(|exact| found < exact));
        renamed.map(|found| self.top_of(found)).or(exact)
    }

    /// Finds the resources that a name in a constraint stands for: one resource, or those of a
    /// template or a tag.
    pub(super) fn constraint_resources(&self, id: &str) -> Vec<ResourceIndex> {
        let is_template = self
            .cib
            .resources()
            .any(|e| e.name() == "template" && e.attribute("id") == Some(id));
        if is_template {
            return self
                .cib
                .resources()
                .flat_map(Element::descendants)
                .filter(|e| e.name() == "primitive" && e.attribute("template") == Some(id))
                .filter_map(|e| self.constraint_resource(e.attribute("id")?))
                .collect();
        }
        if let Some(tag) = self.status.tags.iter().find(|tag| tag.id == id) {
            return tag
                .references
                .iter()
                .filter_map(|id| self.constraint_resource(id))
                .collect();
        }
        self.constraint_resource(id).into_iter().collect()
    }

    fn read_ticket_constraint(&mut self, constraint: Element<'d>) {
        let Some(name) = constraint.attribute("ticket") else {
            return;
        };
        let granted = self.ticket_order.entry(name).granted;
        let mut targets: Vec<(ResourceIndex, Option<&str>)> = Vec::new();
        if let Some(id) = constraint.attribute("rsc") {
            let role = constraint.attribute("rsc-role");
            targets.extend(self.constraint_resources(id).into_iter().map(|r| (r, role)));
        }
        for set in constraint
            .children_named("resource_set")
            .map(|e| self.cib.resolve(e))
        {
            for reference in set.children_named("resource_ref") {
                let Some(id) = reference.attribute("id") else {
                    continue;
                };
                let role = set.attribute("role");
                targets.extend(self.constraint_resources(id).into_iter().map(|r| (r, role)));
            }
        }
        if granted {
            return;
        }
        let policy = match constraint.attribute("loss-policy") {
            Some("fence") if self.status.options.fencing => LossPolicy::Fence,
            Some("freeze") => LossPolicy::Freeze,
            _ => LossPolicy::StopOrDemote,
        };
        for (resource, role) in targets {
            let role = role
                .and_then(Role::parse)
                .filter(|&role| role != Role::Started);
            self.lose_ticket(resource, policy, role);
        }
    }

    fn lose_ticket(&mut self, index: ResourceIndex, policy: LossPolicy, role: Option<Role>) {
        let resource = self.resource(index);
        if !resource.is_primitive() {
            for position in 0..resource.children.len() {
                self.lose_ticket(self.resource(index).children[position], policy, role);
            }
            return;
        }
        if resource.running_on.is_empty() || role.is_some_and(|role| role != resource.role) {
            return;
        }
        match policy {
            LossPolicy::StopOrDemote => {}
            LossPolicy::Fence => {
                for node in resource.running_on.clone() {
                    self.fence(node);
                }
            }
            LossPolicy::Freeze => {
                let resource = self.resource_mut(index);
                resource.managed = false;
                resource.blocked = true;
            }
        }
    }

    /// Reads a score of the CIB.
    pub(super) fn score(&self, text: &str) -> i32 {
        scalar::score(text, self.status.options.health_scores)
    }
}
