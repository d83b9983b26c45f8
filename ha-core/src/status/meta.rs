//! The meta-attributes of resources: their own, those of what they are in, the defaults.

use crate::xml::Element;

use super::attributes::{BlockOptions, apply_blocks};
use super::engine::Engine;
use super::rule::RuleResource;
use super::table::{Table, Values};
use super::types::{ResourceIndex, ResourceKind};

/// The meta-attributes that mean something here; those of other names are kept for no resource.
pub(super) const META: &[&str] = &[
    "clone-max",
    "clone-node-max",
    "container",
    "failure-timeout",
    "globally-unique",
    "internal_rsc",
    "is-managed",
    "maintenance",
    "migration-threshold",
    "multiple-active",
    "priority",
    "promotable",
    "requires",
    "target-role",
];

impl<'d> Engine<'d> {
    /// Returns the meta-attributes of a resource that the computation asks for, [`META`].
    pub(super) fn meta(&self, index: ResourceIndex) -> &Table<'d> {
        let (work, resource) = (self.work(index), self.resource(index));
        let read = || self.meta_attributes(work.xml, resource.parent, &resource.kind, Some(META));
        work.meta.get_or_init(read)
    }

    /// Returns all meta-attributes of a resource.
    pub(super) fn meta_in_full(&self, index: ResourceIndex) -> Table<'d> {
        let (work, resource) = (self.work(index), self.resource(index));
        self.meta_attributes(work.xml, resource.parent, &resource.kind, None)
    }

    pub(super) fn meta_attributes(
        &self,
        xml: Element<'d>,
        parent: Option<ResourceIndex>,
        kind: &ResourceKind,
        wanted: Option<&'static [&'static str]>,
    ) -> Table<'d> {
        let mut meta = Table::of(wanted);
        for (name, value) in xml.attributes() {
            meta.set_default(name, value);
        }
        let mut input: super::rule::RuleInput<'_, 'd> = self.rule_input();
        if let ResourceKind::Primitive(agent) = kind {
            input.resource = Some(RuleResource {
                class: Some(&agent.class),
                provider: agent.provider.as_deref(),
                kind: Some(&agent.kind),
            });
        }
        let options = BlockOptions::default();
        let name = "meta_attributes";
        let blocks = self.implicit.blocks(&self.cib, xml, name);
        apply_blocks(
            &self.cib,
            blocks,
            &self.long_blocks,
            options,
            &input,
            &mut meta,
        );
        let mut ancestor = parent;
        while let Some(index) = ancestor {
            let mut ignored_ids = Table::of(wanted);
            apply_blocks(
                &self.cib,
                self.implicit.blocks(&self.cib, self.work(index).xml, name),
                &self.long_blocks,
                options,
                &input,
                &mut ignored_ids,
            );
            for (name, value) in ignored_ids.iter() {
                meta.set_default(name, value);
            }
            ancestor = self.resource(index).parent;
        }
        if let Some(defaults) = self.cib.rsc_defaults() {
            let mut values = Table::of(wanted);
            let blocks = defaults.children_named(name);
            apply_blocks(
                &self.cib,
                blocks,
                &self.long_blocks,
                options,
                &input,
                &mut values,
            );
            for (name, value) in values.iter() {
                meta.set_default(name, value);
            }
        }
        if let Some(parent) = parent {
            let full;
            let inherited = if wanted.is_some() {
                self.meta(parent)
            } else {
                full = self.meta_in_full(parent);
                &full
            };
            for (name, value) in inherited.iter() {
                meta.set_default(name, value);
            }
        }
        meta
    }
}
