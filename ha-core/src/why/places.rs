//! Where things are, found once for all nodes: a clone may have as many instances as there are nodes.

use std::collections::{HashMap, HashSet};

use crate::status::{Ban, ClusterStatus, Failure, NodeIndex, Resource, ResourceIndex, Role};

use super::Subject;
use super::dependency::Colocation;

/// The ids of nodes.
pub(super) type NodeIds<'s> = HashSet<&'s str>;

/// What is known of the subject, by node.
#[derive(Debug, Default)]
pub(super) struct Places<'s> {
    /// Where the primitive, or another instance of its clone, is.
    pub(super) is_on: NodeIds<'s>,
    /// How many instances of the clone are active.
    pub(super) running: usize,
    /// The highest fail count in each node's history.
    pub(super) fail_counts: HashMap<NodeIndex, i32>,
    /// The last failure, by the name of the node.
    pub(super) failures: HashMap<&'s str, &'s Failure>,
    /// The constraints that keep it off.
    pub(super) bans: HashMap<NodeIndex, Vec<&'s Ban>>,
    /// Where a constraint allows it.
    pub(super) drawn_to: HashSet<NodeIndex>,
    /// The colocations that are about nodes, each with where the other one is.
    pub(super) colocations: Vec<(Colocation<'s>, NodeIds<'s>)>,
}

/// Adds the nodes where a resource, or any part of it, is active.
pub(super) fn add_active<'s>(
    state: &'s ClusterStatus,
    index: ResourceIndex,
    role: Role,
    to: &mut NodeIds<'s>,
) {
    let resource = state.resource(index);
    if !resource.is_primitive() {
        for part in resource.parts() {
            add_active(state, part, role, to);
        }
    } else if state.serves(index, role, None) {
        to.extend(ids(state, resource));
    }
}

/// The ids of the nodes that a resource runs on.
fn ids<'s>(state: &'s ClusterStatus, resource: &'s Resource) -> impl Iterator<Item = &'s str> {
    let nodes = resource.running_on.iter();
    nodes.map(|&at| state.node(at).id.as_str())
}

impl<'s> Subject<'s> {
    pub(super) fn find_places(&mut self) {
        self.places = Places {
            is_on: self.is_on(),
            running: self.running(),
            fail_counts: self.fail_counts(),
            failures: self.last_failures(),
            bans: self.all_bans(),
            drawn_to: self.drawn_to(),
            colocations: self.placed_colocations(),
        };
    }

    fn is_on(&self) -> NodeIds<'s> {
        let state = self.state;
        let here = |resource: &Resource| resource.is_primitive() && resource.role > Role::Stopped;
        let leaf = self.leaf();
        let Some(clone) = self.clone_of() else {
            let found = Some(leaf).filter(|leaf| here(leaf));
            return found.into_iter().flat_map(|it| ids(state, it)).collect();
        };
        let instances = state.resources().filter(|resource| {
            resource.configured_id == leaf.configured_id
                && here(resource)
                && self.top_of(resource).configured_id == clone.configured_id
        });
        instances.flat_map(|it| ids(state, it)).collect()
    }

    fn running(&self) -> usize {
        let children = self.clone_of().map(|clone| clone.children.as_slice());
        let active = |&&child: &&ResourceIndex| {
            super::is_active(self.state, child, None, Role::Started, true)
        };
        children.unwrap_or_default().iter().filter(active).count()
    }

    /// Tells whether an entry of a history is about the primitive, or an instance of it.
    fn is_ours(&self, id: &str) -> bool {
        let own = &self.leaf().configured_id;
        id == own
            || id.split_once(':').is_some_and(|(base, number)| {
                base == own && number.bytes().all(|b| b.is_ascii_digit())
            })
    }

    fn fail_counts(&self) -> HashMap<NodeIndex, i32> {
        let mut counts = HashMap::new();
        for history in &self.state.history {
            let ours = history.resources.iter().filter(|it| self.is_ours(&it.id));
            if let Some(count) = ours.map(|it| it.fail_count).max() {
                let highest = counts.entry(history.node).or_insert(count);
                *highest = count.max(*highest);
            }
        }
        counts
    }

    fn last_failures(&self) -> HashMap<&'s str, &'s Failure> {
        let all = self.state.failures.iter();
        all.filter(|failure| self.is_ours(&failure.history_id))
            .map(|failure| (failure.node.as_str(), failure))
            .collect()
    }

    fn all_bans(&self) -> HashMap<NodeIndex, Vec<&'s Ban>> {
        let mut bans: HashMap<NodeIndex, Vec<&Ban>> = HashMap::new();
        for ban in &self.state.bans {
            if !ban.promoted_only && self.concerns(ban.resource) {
                bans.entry(ban.node).or_default().push(ban);
            }
        }
        bans
    }

    fn drawn_to(&self) -> HashSet<NodeIndex> {
        let drawn = self.state.preferences.iter();
        drawn
            .filter(|preference| self.concerns(preference.resource))
            .map(|preference| preference.node)
            .collect()
    }

    fn placed_colocations(&self) -> Vec<(Colocation<'s>, NodeIds<'s>)> {
        let mut placed = Vec::new();
        for colocation in self.all_colocations() {
            // Where the other one is nowhere, that is said once and not for each node.
            if !colocation.away && !self.is_there_somewhere(colocation.with, colocation.role) {
                continue;
            }
            let mut nodes = NodeIds::new();
            for index in self.targets(colocation.with) {
                add_active(self.state, index, colocation.role, &mut nodes);
            }
            placed.push((colocation, nodes));
        }
        placed
    }
}
