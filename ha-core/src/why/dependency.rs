//! What a resource depends on: its group, colocations, orders, tickets.
//!
//! How sets relate was found by experiment with `crm_simulate` (Pacemaker 2.1.5). In an order, each
//! set starts after the set before it; in a colocation, each set is placed with the set after it;
//! inside a set that is sequential, each resource depends on the one before it, in both.

use crate::model::scalar::{self, HealthScores, INFINITY};
use crate::status::{Node, ResourceIndex, Role};
use crate::xml::Element;

use super::cause::{Cause, Link};
use super::{Reason, Subject, is_active};

/// What another resource must be for the subject to run.
struct Need<'s> {
    /// Any one of these.
    any_of: Vec<&'s str>,
    role: Role,
    constraint: &'s str,
}

/// A colocation that concerns the subject.
#[derive(Debug)]
pub(super) struct Colocation<'s> {
    pub(super) with: &'s str,
    pub(super) role: Role,
    constraint: &'s str,
    /// Kept apart, not together.
    pub(super) away: bool,
}

impl<'s> Subject<'s> {
    /// The resources that it waits for, and the tickets that it lacks.
    pub(super) fn dependencies(&self) -> Vec<Reason> {
        let mut causes = Vec::new();
        if !is_active(self.state, self.leaf, None, Role::Started, false) {
            causes.extend(self.group_before());
        }
        for need in self.orders() {
            if !need
                .any_of
                .iter()
                .any(|id| self.is_there_somewhere(id, need.role))
            {
                causes.extend(need.any_of.first().map(|id| Cause::Needs {
                    resource: (*id).to_owned(),
                    link: Link::Order,
                    constraint: Some(need.constraint.to_owned()),
                }));
            }
        }
        for colocation in self.all_colocations() {
            if !colocation.away && !self.is_there_somewhere(colocation.with, colocation.role) {
                causes.push(Cause::Needs {
                    resource: colocation.with.to_owned(),
                    link: Link::Colocation,
                    constraint: Some(colocation.constraint.to_owned()),
                });
            }
        }
        causes.extend(self.tickets());
        causes
            .into_iter()
            .map(|cause| self.reason(None, cause))
            .collect()
    }

    /// The member before it in its group, when that is not active.
    fn group_before(&self) -> Option<Cause> {
        let parent = self.state.resource(self.leaf().parent?);
        let at = parent
            .children
            .iter()
            .position(|&index| index == self.leaf)?;
        let before = *parent.children.get(at.checked_sub(1)?)?;
        let idle = parent.is_group() && !is_active(self.state, before, None, Role::Started, false);
        idle.then(|| Cause::Needs {
            resource: self.state.resource(before).configured_id.clone(),
            link: Link::Group,
            constraint: None,
        })
    }

    /// Tells whether the resources that a name in a constraint stands for are active somewhere.
    pub(super) fn is_there_somewhere(&self, name: &str, role: Role) -> bool {
        self.targets(name)
            .iter()
            .all(|&index| is_active(self.state, index, None, role, false))
    }

    /// The resources that a name in a constraint stands for; none when there is no such resource.
    pub(super) fn targets(&self, name: &str) -> Vec<ResourceIndex> {
        if let Some(index) = self.state.resource_index(name) {
            return vec![index];
        }
        let tag = self.state.tags.iter().find(|tag| tag.id == name);
        tag.into_iter()
            .flat_map(|tag| &tag.references)
            .filter_map(|id| self.state.resource_index(id))
            .collect()
    }

    /// Tells whether a name in a constraint stands for the subject, or what it is part of.
    fn is_meant(&self, name: &str) -> bool {
        let own = |id: &str| {
            self.chain
                .iter()
                .any(|&index| self.state.resource(index).configured_id == id)
        };
        let template = || {
            let primitive = self.cib.find("primitive", self.name());
            primitive.and_then(|e| e.attribute("template")) == Some(name)
        };
        own(name)
            || template()
            || self
                .state
                .tags
                .iter()
                .any(|tag| tag.id == name && tag.references.iter().any(|id| own(id)))
    }

    fn constraints(&self, tag: &'static str) -> impl Iterator<Item = Element<'s>> + use<'s> {
        self.cib.constraints().filter(move |e| e.name() == tag)
    }

    fn sets(&self, constraint: Element<'s>) -> Vec<Set<'s>> {
        constraint
            .children_named("resource_set")
            .map(|set| {
                let set = self.cib.resolve(set);
                let boolean = |name, default| {
                    let value = set.attribute(name).and_then(scalar::boolean);
                    value.unwrap_or(default)
                };
                Set {
                    members: set
                        .children_named("resource_ref")
                        .filter_map(|e| e.attribute("id"))
                        .collect(),
                    role: role(set.attribute("role")),
                    action: set.attribute("action"),
                    score: set.attribute("score"),
                    sequential: boolean("sequential", true),
                    require_all: boolean("require-all", true),
                }
            })
            .collect()
    }

    /// What must have started before it.
    fn orders(&self) -> Vec<Need<'s>> {
        let mut needs = Vec::new();
        for constraint in self.constraints("rsc_order") {
            let score = constraint.attribute("score").map_or(INFINITY, score);
            let mandatory = match constraint.attribute("kind") {
                Some(kind) => kind.eq_ignore_ascii_case("mandatory"),
                None => score != 0,
            };
            if !mandatory {
                continue;
            }
            let id = constraint.attribute("id").unwrap_or_default();
            let mut need = |any_of: Vec<&'s str>, action: Option<&str>| {
                let role = match action.unwrap_or("start") {
                    "start" => Role::Started,
                    "promote" => Role::Promoted,
                    _ => return,
                };
                needs.push(Need {
                    any_of,
                    role,
                    constraint: id,
                });
            };
            let names = (constraint.attribute("first"), constraint.attribute("then"));
            if let (Some(first), Some(then)) = names {
                let action = constraint.attribute("first-action");
                let then_action = constraint
                    .attribute("then-action")
                    .or(action)
                    .unwrap_or("start");
                if self.is_meant(then) && then_action == "start" {
                    need(vec![first], action);
                }
                continue;
            }
            let sets = self.sets(constraint);
            for (at, set) in sets.iter().enumerate() {
                for (place, member) in set.members.iter().enumerate() {
                    if !self.is_meant(member) || set.action.is_some_and(|a| a != "start") {
                        continue;
                    }
                    if set.sequential
                        && let Some(before) = place.checked_sub(1)
                    {
                        need(vec![set.members[before]], set.action);
                    }
                    let Some(earlier) = at.checked_sub(1).map(|before| &sets[before]) else {
                        continue;
                    };
                    if earlier.require_all || earlier.sequential {
                        for member in &earlier.members {
                            need(vec![member], earlier.action);
                        }
                    } else {
                        need(earlier.members.clone(), earlier.action);
                    }
                }
            }
        }
        needs
    }

    /// The colocations that bind it for sure: scores of plus or minus infinity.
    pub(super) fn all_colocations(&self) -> Vec<Colocation<'s>> {
        let mut found = Vec::new();
        for constraint in self.constraints("rsc_colocation") {
            let id = constraint.attribute("id").unwrap_or_default();
            let mut add = |with: &'s str, role: Role, text: Option<&str>| {
                let score = text.map_or(0, score);
                if score.abs() >= INFINITY {
                    found.push(Colocation {
                        with,
                        role,
                        constraint: id,
                        away: score < 0,
                    });
                }
            };
            let whole = constraint.attribute("score");
            let pair = (
                constraint.attribute("rsc"),
                constraint.attribute("with-rsc"),
            );
            if let (Some(rsc), Some(with)) = pair {
                let only_promoted = role(constraint.attribute("rsc-role")) == Role::Promoted;
                if self.is_meant(rsc) && !only_promoted {
                    add(with, role(constraint.attribute("with-rsc-role")), whole);
                }
                continue;
            }
            let sets = self.sets(constraint);
            for (at, set) in sets.iter().enumerate() {
                for (place, member) in set.members.iter().enumerate() {
                    if !self.is_meant(member) || set.role == Role::Promoted {
                        continue;
                    }
                    if set.sequential
                        && let Some(before) = place.checked_sub(1)
                    {
                        add(set.members[before], Role::Started, set.score.or(whole));
                    }
                    for other in sets.get(at + 1).into_iter().flat_map(|next| &next.members) {
                        add(other, sets[at + 1].role, whole);
                    }
                }
            }
        }
        found
    }

    /// The colocations that keep it off a node.
    pub(super) fn colocations(&self, node: &Node) -> Vec<Cause> {
        let all = self.places.colocations.iter();
        all.filter(|(colocation, nodes)| nodes.contains(node.id.as_str()) == colocation.away)
            .map(|(colocation, _)| Cause::Apart {
                resource: colocation.with.to_owned(),
                constraint: colocation.constraint.to_owned(),
                away: colocation.away,
            })
            .collect()
    }

    /// The tickets that it lacks.
    fn tickets(&self) -> Vec<Cause> {
        let mut causes = Vec::new();
        for constraint in self.constraints("rsc_ticket") {
            let Some(name) = constraint.attribute("ticket") else {
                continue;
            };
            let mut meant = constraint
                .attribute("rsc")
                .is_some_and(|id| self.is_meant(id))
                && role(constraint.attribute("rsc-role")) != Role::Promoted;
            for set in self.sets(constraint) {
                meant |= set.role != Role::Promoted
                    && set.members.iter().any(|member| self.is_meant(member));
            }
            let ticket = self.state.tickets.iter().find(|ticket| ticket.id == name);
            let granted = ticket.is_some_and(|ticket| ticket.granted);
            let standby = granted && ticket.is_some_and(|ticket| ticket.standby);
            if meant && (!granted || standby) {
                causes.push(Cause::Ticket {
                    ticket: name.to_owned(),
                    standby,
                    constraint: constraint.attribute("id").unwrap_or_default().to_owned(),
                });
            }
        }
        causes
    }
}

/// A set of resources in a constraint.
struct Set<'s> {
    members: Vec<&'s str>,
    role: Role,
    action: Option<&'s str>,
    score: Option<&'s str>,
    sequential: bool,
    require_all: bool,
}

fn role(text: Option<&str>) -> Role {
    text.and_then(Role::parse).unwrap_or(Role::Started)
}

fn score(text: &str) -> i32 {
    scalar::score(text, HealthScores::default())
}
