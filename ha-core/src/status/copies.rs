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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use jiff::tz::TimeZone;

    use super::super::engine::Engine;
    use super::super::expand::implicit_elements;
    use super::super::rule::Clock;
    use super::*;
    use crate::xml::Document;

    fn many(count: usize, one: impl Fn(usize) -> String) -> String {
        (0..count).map(one).collect()
    }

    fn parsed(resources: &str) -> Document {
        let text = format!(
            "<cib><configuration><crm_config/><nodes/><resources>{resources}</resources></configuration><status/></cib>"
        );
        Document::parse(&text).unwrap()
    }

    #[test]
    fn nothing_of_a_template_is_copied_for_each_of_its_primitives() {
        let operations = many(200, |n| {
            format!("<op id=\"o{n}\" name=\"monitor\" interval=\"{n}s\"/>")
        });
        let primitives = many(300, |n| {
            let own = match n % 3 {
                0 => "<operations><op id=\"own\" name=\"start\" interval=\"0\"/></operations>",
                1 => {
                    "<meta_attributes id=\"m\"><nvpair id=\"v\" name=\"priority\" value=\"7\"/></meta_attributes>"
                }
                _ => "",
            };
            format!("<primitive id=\"p{n}\" template=\"t\">{own}</primitive>")
        });
        let document = parsed(&format!(
            "<template id=\"t\" class=\"ocf\" provider=\"heartbeat\" type=\"Dummy\"><operations>{operations}</operations></template>{primitives}"
        ));
        let implicit = implicit_elements(&document);
        assert_eq!(implicit.document.root().descendants().count(), 1 + 300);
        // Each has them all the same.
        let cib = Cib::new(&document);
        for (id, expected) in [("p0", 201), ("p1", 200), ("p2", 200)] {
            let primitive = cib.find("primitive", id).unwrap();
            let expanded = implicit.primitive(primitive).unwrap();
            assert_eq!(
                implicit.operations(&cib, expanded).count(),
                expected,
                "{id}"
            );
            assert_eq!(
                implicit.all_operations(&cib, expanded).count(),
                expected,
                "{id}"
            );
        }
    }

    #[test]
    fn no_resource_keeps_what_nobody_asks_for() {
        let mut pairs = many(3000, |n| {
            format!("<nvpair id=\"v{n}\" name=\"n{n}\" value=\"x\"/>")
        });
        pairs.push_str("<nvpair id=\"last\" name=\"priority\" value=\"7\"/>");
        let mut resources = format!(
            "<primitive id=\"first\" class=\"ocf\" provider=\"heartbeat\" type=\"Dummy\"><meta_attributes id=\"all\">{pairs}</meta_attributes></primitive>"
        );
        for n in 0..20 {
            write!(
                resources,
                "<primitive id=\"p{n}\" class=\"ocf\" provider=\"heartbeat\" type=\"Dummy\"><meta_attributes id-ref=\"all\"/></primitive>"
            )
            .unwrap();
        }
        let document = parsed(&resources);
        let implicit = implicit_elements(&document);
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let zone = TimeZone::UTC;
        let clock = Clock::new(now, &zone);
        let mut engine = Engine::new(&document, &implicit, &clock);
        engine.read_configuration();
        for index in engine.status.resource_indexes() {
            assert_eq!(engine.resource(index).priority, 7);
            assert_eq!(engine.meta(index).iter().count(), 1);
            // A rule may look at any of them.
            assert!(engine.meta_in_full(index).iter().count() > 3000);
        }
    }
}
