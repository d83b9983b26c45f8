//! Ids for the parts of an object, made from the object's id as crmsh and pcs do.

use std::collections::HashSet;

use super::attribute::Attribute;
use super::attributes::AttributeSet;
use super::part::{Choice, Part};
use super::rest::Rest;
use crate::name::{Id, continues_xml_name, starts_xml_name};

/// Gives ids to the parts that have none: it goes over them twice, first to see which are taken.
#[derive(Default)]
pub(super) struct Namer {
    taken: HashSet<String>,
    giving: bool,
    /// The id of the nearest element above that has one.
    owner: String,
    tag: &'static str,
    suffix: String,
    /// Whether the part does without an id of its own.
    referring: bool,
}

impl Namer {
    /// Goes twice over some parts.
    pub(super) fn over(mut parts: impl FnMut(&mut Self)) {
        let mut namer = Self::default();
        for giving in [false, true] {
            namer.giving = giving;
            parts(&mut namer);
        }
    }

    /// Gives ids to a part and to all it holds.
    pub(super) fn name(tag: &'static str, part: &mut dyn Part) {
        Self::over(|namer| namer.part(tag, part));
    }

    /// As [`Namer::name`], for one of several kinds.
    pub(super) fn name_choice<T: Choice>(choice: &mut T) {
        let (tag, part) = choice.part_mut();
        Self::name(tag, part);
    }

    /// Gives ids to the sets of a section, which begin with the section's usual id, and to all they hold: to all
    /// sets at once, as the id of a value (`op-options-1`) may be one that another set would get.
    pub(super) fn name_sets(id: &str, sets: &mut [AttributeSet]) {
        Self::over(|namer| {
            for set in &mut *sets {
                if namer.giving && set.id.is_none() && set.id_ref.is_none() {
                    set.id = namer.numbered(id);
                }
                namer.owner.clear();
                namer.part("set", set);
            }
        });
    }

    fn part(&mut self, tag: &'static str, part: &mut dyn Part) {
        self.tag = tag;
        part.name_parts(self);
    }

    /// Begins with a part; returns what [`Namer::leave`] needs.
    pub(super) fn enter(&mut self, part: &dyn Part, rest: &Rest) -> String {
        self.suffix = part.suffix(self.tag);
        // An id that could not be read is kept.
        self.referring = rest
            .attributes()
            .any(|(name, _)| name == "id" || name == "id-ref");
        self.owner.clone()
    }

    pub(super) fn leave(&mut self, outer: String) {
        self.owner = outer;
    }

    pub(super) fn required<T: Attribute>(&mut self, name: &str, value: &mut T) {
        match (self.tag, name) {
            ("node", "uname") if self.owner.is_empty() => {
                self.owner = format!("nodes-{}", value.print());
            }
            (_, "id") => {
                self.owner = value.print().into_owned();
                self.taken.insert(self.owner.clone());
            }
            _ => {}
        }
    }

    pub(super) fn optional<T: Attribute>(&mut self, name: &str, value: &mut Option<T>) {
        if let ("node", "id", Some(id)) = (self.tag, name, value) {
            self.owner = format!("nodes-{}", id.print());
        }
    }

    pub(super) fn reference(&mut self, _: &str, value: &mut Option<Id>) {
        self.referring |= value.is_some();
    }

    pub(super) fn own(&mut self, _: &str, value: &mut Option<Id>) {
        if value.is_none() && self.giving && !self.referring {
            *value = self.free();
        }
        if let Some(id) = value {
            id.as_str().clone_into(&mut self.owner);
            self.taken.insert(self.owner.clone());
        }
    }

    /// Returns an id that no other part has.
    fn free(&self) -> Option<Id> {
        let joined = match &*self.owner {
            "" => self.suffix.clone(),
            owner => format!("{owner}-{}", self.suffix),
        };
        let allowed = |c: char| continues_xml_name(c) && c != ':';
        let mut id: String = joined
            .chars()
            .map(|c| if allowed(c) { c } else { '_' })
            .collect();
        if !id.starts_with(starts_xml_name) {
            id.insert(0, '_');
        }
        self.numbered(&id)
    }

    /// Returns an id, with a number behind it if another part has it.
    fn numbered(&self, id: &str) -> Option<Id> {
        let numbered = (1..).map(|n: u64| format!("{id}-{n}"));
        std::iter::once(id.to_owned())
            .chain(numbered)
            .find(|id| !self.taken.contains(id))
            .and_then(|id| Id::new(id).ok())
    }

    pub(super) fn many<T: Part>(&mut self, tag: &'static str, parts: &mut [T]) {
        for part in parts {
            self.part(tag, part);
        }
    }

    pub(super) fn one<T: Part>(&mut self, tag: &'static str, part: &mut Option<T>) {
        if let Some(part) = part {
            self.part(tag, part);
        }
    }

    pub(super) fn nested<T: Part>(&mut self, tag: &'static str, part: &mut T) {
        self.part(tag, part);
    }

    pub(super) fn any<T: Choice>(&mut self, parts: &mut [T]) {
        for part in parts {
            let (tag, part) = part.part_mut();
            self.part(tag, part);
        }
    }

    pub(super) fn exactly<T: Choice>(&mut self, part: &mut T) {
        self.any(std::slice::from_mut(part));
    }
}
