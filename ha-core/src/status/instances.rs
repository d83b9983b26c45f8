//! Where the instances of anonymous clones are, so that an entry of the history finds its own without a
//! look at each: a history may have as many orphaned instances as it likes.

use std::collections::BTreeSet;

use super::engine::Engine;
use super::table::Map;
use super::types::{NodeIndex, ResourceIndex};

/// The instances of one clone. Later ones have higher indexes, so that sets keep their order.
#[derive(Debug, Default)]
struct Instances {
    /// How many of the clone's instances were seen.
    seen: usize,
    places: Map<u32, NodeIndex>,
    /// Those that are nowhere.
    free: BTreeSet<u32>,
    /// Those on a node that have a part which does not run.
    open: Map<NodeIndex, BTreeSet<u32>>,
    /// The first one on a node of which each part runs; the others are no different.
    full: Map<NodeIndex, ResourceIndex>,
}

/// The instances of all clones that were asked for.
#[derive(Debug, Default)]
pub(super) struct Located {
    clones: Map<u32, Instances>,
    /// Primitives whose place may be another one than was noted.
    moved: Vec<ResourceIndex>,
    /// How many instances were looked at.
    #[cfg(test)]
    looked_at: std::rc::Rc<std::cell::Cell<usize>>,
}

impl Located {
    /// Counts an instance that is looked at.
    fn look(&self) {
        #[cfg(test)]
        self.looked_at.set(self.looked_at.get() + 1);
    }
}

/// What an instance of an anonymous clone has for an entry of a node's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// It is on the node, and its part does not run yet.
    Here(ResourceIndex),
    /// It is nowhere.
    Free(ResourceIndex),
    None,
}

impl Engine<'_> {
    /// Notes that a primitive runs on another node, or has something under way there.
    pub(super) fn note_move(&mut self, primitive: ResourceIndex) {
        if self.resource(primitive).parent.is_some() {
            self.located.moved.push(primitive);
        }
    }

    /// Finds the part with this name of an instance that an entry of a node's history can be about.
    pub(super) fn slot(&mut self, node: NodeIndex, clone: ResourceIndex, name: &str) -> Slot {
        let mut located = std::mem::take(&mut self.located);
        self.catch_up(&mut located, clone);
        let slot = self.slot_of(&located, node, clone, name);
        self.located = located;
        slot
    }

    fn slot_of(
        &self,
        located: &Located,
        node: NodeIndex,
        clone: ResourceIndex,
        name: &str,
    ) -> Slot {
        let Some(instances) = located.clones.get(&clone.0) else {
            return Slot::None;
        };
        let full = instances.full.get(&node);
        let mut runs_here = full.is_some_and(|&one| self.member_named(one, name).is_some());
        for &instance in instances.open.get(&node).into_iter().flatten() {
            located.look();
            match self.member_named(ResourceIndex(instance), name) {
                Some(member) if self.resource(member).running_on.is_empty() => {
                    return Slot::Here(member);
                }
                Some(_) => runs_here = true,
                None => {}
            }
        }
        if runs_here {
            return Slot::None;
        }
        for &instance in &instances.free {
            located.look();
            let instance = ResourceIndex(instance);
            if !self.resource(instance).blocked
                && let Some(member) = self.member_named(instance, name)
            {
                return Slot::Free(member);
            }
        }
        Slot::None
    }

    /// Notes what has changed since the last question.
    fn catch_up(&self, located: &mut Located, clone: ResourceIndex) {
        for moved in std::mem::take(&mut located.moved) {
            let mut instance = moved;
            while let Some(parent) = self.resource(instance).parent {
                if self.resource(parent).is_clone() {
                    if let Some(instances) = located.clones.get_mut(&parent.0) {
                        self.note_place(instances, instance);
                    }
                    break;
                }
                instance = parent;
            }
        }
        let instances = located.clones.entry(clone.0).or_default();
        let children = &self.resource(clone).children;
        for &instance in &children[instances.seen..] {
            self.note_place(instances, instance);
        }
        instances.seen = children.len();
    }

    /// Notes where an instance is.
    fn note_place(&self, instances: &mut Instances, instance: ResourceIndex) {
        let place = self.located_on(instance);
        if let Some(before) = instances.places.remove(&instance.0)
            && let Some(open) = instances.open.get_mut(&before)
        {
            open.remove(&instance.0);
        }
        let Some(node) = place else {
            instances.free.insert(instance.0);
            return;
        };
        instances.free.remove(&instance.0);
        if self.each_part_runs(instance) {
            instances.full.entry(node).or_insert(instance);
        } else {
            instances.places.insert(instance.0, node);
            instances.open.entry(node).or_default().insert(instance.0);
        }
    }

    fn each_part_runs(&self, instance: ResourceIndex) -> bool {
        let resource = self.resource(instance);
        if resource.is_primitive() {
            return !resource.running_on.is_empty();
        }
        let mut members = resource.children.iter();
        members.all(|&member| self.each_part_runs(member))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use jiff::tz::TimeZone;

    use super::super::ComputeOptions;
    use super::super::engine::Engine;
    use super::super::expand::implicit_elements;
    use super::super::rule::Clock;
    use crate::xml::Document;

    /// A clone with so many orphaned instances on each of so many nodes.
    fn orphaned(nodes: usize, each: usize) -> Document {
        let (mut names, mut states) = (String::new(), String::new());
        for n in 1..=nodes {
            write!(names, r#"<node id="{n}" uname="n{n}"/>"#).unwrap();
            write!(
                states,
                r#"<node_state id="{n}" uname="n{n}" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="{n}"><lrm_resources>"#
            )
            .unwrap();
            for copy in 0..each {
                write!(
                    states,
                    r#"<lrm_resource id="p:{copy}" class="ocf" provider="heartbeat" type="Dummy"><lrm_rsc_op id="p_last_0" operation="start" operation_key="p:{copy}_start_0" call-id="5" rc-code="0" op-status="0" interval="0" transition-key="5:1:0:k" transition-magic="0:0;5:1:0:k"/></lrm_resource>"#
                )
                .unwrap();
            }
            states.push_str("</lrm_resources></lrm></node_state>");
        }
        Document::parse(&format!(
            r#"<cib have-quorum="1"><configuration><crm_config/><nodes>{names}</nodes><resources><clone id="c"><primitive id="p" class="ocf" provider="heartbeat" type="Dummy"/></clone></resources></configuration><status>{states}</status></cib>"#
        ))
        .unwrap()
    }

    #[test]
    fn an_entry_is_not_held_against_each_instance() {
        for (nodes, each) in [(100, 20), (1, 2000)] {
            let document = orphaned(nodes, each);
            let implicit = implicit_elements(&document);
            let zone = TimeZone::UTC;
            let clock = Clock::new(jiff::Timestamp::UNIX_EPOCH, &zone);
            let mut engine = Engine::new(&document, &implicit, &clock);
            engine.read_configuration();
            let looked_at = std::rc::Rc::clone(&engine.located.looked_at);
            let status = engine.read_state(ComputeOptions::default(), None, &mut None);
            let clone = status.resource_named("c").unwrap();
            // The first on each node is an instance that is configured.
            assert_eq!(clone.children.len(), nodes * each);
            let here = status.nodes().map(|node| node.running.len());
            assert!(here.eq(std::iter::repeat_n(each, nodes)));
            let most = 3 * nodes * each;
            assert!(looked_at.get() <= most, "{} > {most}", looked_at.get());
        }
    }
}
