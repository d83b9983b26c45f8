//! How many copies of its resources a CIB may ask for.
//!
//! A few characters can ask for any number of instances or replicas, and many clones for many each:
//! that must not cost memory out of proportion to the document.

use crate::model::Cib;
use crate::xml::Element;

/// How many copies any CIB may have.
const ALWAYS: usize = 20_000;
/// How many each of its resources may have at the average, whatever the number of nodes.
const EACH: usize = 32;
/// How many are enough for as many of each as there are nodes.
const ON_ALL_NODES: usize = 400_000;

/// What is left of the copies that a CIB may have.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Copies {
    left: usize,
}

impl Copies {
    /// Counts what a CIB may have.
    pub(super) fn of(cib: &Cib<'_>) -> Self {
        let (mut resources, mut nodes) = (0_usize, cib.nodes().count());
        for element in cib.resources().flat_map(Element::descendants) {
            match element.name() {
                "primitive" if super::resources::is_remote(element) => {
                    resources += 1;
                    nodes += 1;
                }
                "primitive" | "group" | "clone" | "master" => resources += 1,
                // Each of its replicas has as many parts.
                "bundle" => resources += 4,
                "nvpair" if element.attribute("name") == Some("remote-node") => nodes += 1,
                _ => {}
            }
        }
        let on_all = resources.saturating_mul(nodes).min(ON_ALL_NODES);
        let each = resources.saturating_mul(EACH);
        Self {
            left: each.max(on_all).max(ALWAYS),
        }
    }

    /// Takes so many copies of so many resources each, or as many as are left; one is always to be had.
    pub(super) fn take(&mut self, count: i64, size: usize) -> i64 {
        let size = size.max(1);
        let most = i64::try_from(self.left / size).unwrap_or(i64::MAX);
        let taken = count.min(most.max(1));
        let cost = usize::try_from(taken).unwrap_or(0).saturating_mul(size);
        self.left = self.left.saturating_sub(cost);
        taken
    }

    /// Takes one copy, if there is one left.
    pub(super) fn take_one(&mut self, size: usize) -> bool {
        let is_left = size <= self.left;
        self.left -= if is_left { size } else { 0 };
        is_left
    }
}
