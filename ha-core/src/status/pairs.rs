//! Values that are told when one pair of the whole CIB, wherever it stands, has the name.

use crate::model::Cib;
use crate::xml::Element;

/// What was found of one name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Found {
    #[default]
    Nothing,
    One(Option<String>),
    Several,
}

impl Found {
    fn add(&mut self, other: Self) {
        *self = match (std::mem::take(self), other) {
            (Self::Nothing, found) | (found, Self::Nothing) => found,
            _ => Self::Several,
        };
    }

    /// Returns the value, if there is but one.
    pub(super) fn into_only(self) -> Option<String> {
        match self {
            Self::One(value) => value,
            Self::Nothing | Self::Several => None,
        }
    }
}

/// The pairs with these names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pairs {
    pub(super) cluster_infrastructure: Found,
    pub(super) dc_version: Found,
}

impl Pairs {
    /// Finds those of a CIB; those of its configuration may be known.
    pub(super) fn of_cib(cib: &Cib<'_>, of_configuration: Option<&Self>) -> Self {
        let root = cib.root();
        let mut pairs = of_configuration.cloned().unwrap_or_default();
        let search = Search::new(root);
        for section in root.children() {
            if of_configuration.is_none() || section.name() != "configuration" {
                search.within(section, &mut pairs);
            }
        }
        pairs
    }

    /// Finds those of the configuration of a CIB.
    pub(super) fn of_configuration(cib: &Cib<'_>) -> Self {
        let mut pairs = Self::default();
        let search = Search::new(cib.root());
        for section in cib.configurations() {
            search.within(section, &mut pairs);
        }
        pairs
    }
}

/// The names of one document that are looked for.
struct Search {
    nvpair: Option<u32>,
    lrm: Option<u32>,
    name: Option<u32>,
}

impl Search {
    fn new(root: Element<'_>) -> Self {
        let number = |name| root.document().number_of(name);
        Self {
            nvpair: number("nvpair"),
            lrm: number("lrm"),
            name: number("name"),
        }
    }

    fn within(&self, section: Element<'_>, pairs: &mut Pairs) {
        let (Some(nvpair), Some(name)) = (self.nvpair, self.name) else {
            return;
        };
        let mut elements = section.descendants();
        while let Some(element) = elements.next() {
            let symbol = element.symbol();
            if symbol == nvpair {
                let found = match element.attribute_of(name) {
                    Some("cluster-infrastructure") => &mut pairs.cluster_infrastructure,
                    Some("dc-version") => &mut pairs.dc_version,
                    _ => continue,
                };
                found.add(Found::One(element.attribute("value").map(str::to_owned)));
            } else if Some(symbol) == self.lrm {
                // Histories are most of a CIB, and have no pairs.
                elements.leave_out(element);
            }
        }
    }
}
