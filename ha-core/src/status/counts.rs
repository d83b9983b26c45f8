//! How much there is.

use super::engine::Engine;
use super::types::{Counts, ResourceIndex, Role};

impl Engine<'_> {
    /// Counts the instances of primitives.
    pub(super) fn count(&mut self) {
        let mut counts = Counts::default();
        for index in &self.status.top_level {
            self.count_one(*index, &mut counts);
        }
        self.status.counts = counts;
    }

    fn count_one(&self, index: ResourceIndex, counts: &mut Counts) {
        let resource = self.resource(index);
        // A group that lost all its members counts for one.
        if !resource.children.is_empty() {
            for &child in &resource.children {
                self.count_one(child, counts);
            }
            return;
        }
        if resource.orphan && resource.role <= Role::Stopped {
            return;
        }
        counts.instances += 1;
        counts.disabled += u32::from(resource.target_role.is_some());
        counts.blocked += u32::from(resource.blocked);
    }
}
