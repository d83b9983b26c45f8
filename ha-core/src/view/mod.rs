//! What a person or a script reads: the sections of `crm_mon`, in several formats.
//!
//! A section is a file of this module and a line of the table `SECTIONS`. Text and HTML share one
//! description of what to print (nested lists, see [`out`]); XML has its own elements, and [`json`] the
//! types that programs read.
//!
//! # Example
//! ```
//! use ha_core::{status, view, xml::Document};
//! let cib = Document::parse("<cib><configuration><nodes/><resources/></configuration></cib>")?;
//! let zone = jiff::tz::TimeZone::UTC;
//! let now = jiff::Timestamp::UNIX_EPOCH;
//! let status = status::compute(&cib, now, &zone);
//! let options = view::Options::default();
//! let text = view::Report::new(&status, &options, now, &zone).text();
//! assert!(text.starts_with("Cluster Summary:\n  * Stack: unknown\n"), "{text}");
//! # Ok::<(), ha_core::Error>(())
//! ```

mod attributes;
mod bans;
mod brief;
mod bundle;
mod clones;
mod failure;
mod failures;
mod fencing;
mod filter;
mod groups;
pub mod json;
mod nodes;
mod operations;
pub mod out;
mod primitive;
mod resources;
mod simple;
mod summary;
mod tickets;
mod version;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::fencing::FencingEvent;
use crate::status::{ClusterStatus, ComputeOptions};

pub use failure::Failure;
use filter::Filter;
use out::{Html, Line, Lists, Page, Styled, Text, Xml};
pub use version::Version;

/// A part of the output that can be asked for or left out by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Part {
    /// Node attributes.
    Attributes,
    /// Negative location constraints.
    Bans,
    /// How many nodes and resources there are.
    Counts,
    /// The Designated Controller.
    Dc,
    /// Fail counts.
    FailCounts,
    /// Failed operations.
    Failures,
    /// Failed fencing actions.
    FencingFailed,
    /// Pending fencing actions.
    FencingPending,
    /// Successful fencing actions.
    FencingSucceeded,
    /// The banner of maintenance mode.
    MaintenanceMode,
    /// Nodes.
    Nodes,
    /// The history of operations.
    Operations,
    /// Cluster options.
    Options,
    /// Resources.
    Resources,
    /// The cluster layer.
    Stack,
    /// Tickets.
    Tickets,
    /// When the status was taken, and when the CIB changed last.
    Times,
}

/// A set of [`Part`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts(u32);

impl Parts {
    /// No part.
    pub const NONE: Self = Self(0);
    /// Every part.
    pub const ALL: Self = Self((1 << (Part::Times as u32 + 1)) - 1);
    /// The parts of the summary.
    pub const SUMMARY: Self = Self::NONE
        .with(Part::Stack)
        .with(Part::Dc)
        .with(Part::Times)
        .with(Part::Counts)
        .with(Part::MaintenanceMode);
    /// The parts about fencing.
    pub const FENCING: Self = Self::NONE
        .with(Part::FencingFailed)
        .with(Part::FencingPending)
        .with(Part::FencingSucceeded);
    /// What is printed as text or HTML unless something else is asked for, beside fencing actions.
    pub const DEFAULT: Self = Self::SUMMARY
        .with(Part::Nodes)
        .with(Part::Resources)
        .with(Part::Failures);

    /// Returns the parts about fencing of a level of `crm_mon --fence-history`: 0 none, 1 what failed and
    /// what is under way, and from 2 on all.
    #[must_use]
    pub const fn of_fence_history(level: u8) -> Self {
        match level {
            0 => Self::NONE,
            1 => Self::FENCING.without(Part::FencingSucceeded),
            _ => Self::FENCING,
        }
    }

    /// Returns the set with a part.
    #[must_use]
    pub const fn with(self, part: Part) -> Self {
        Self(self.0 | 1 << part as u32)
    }

    /// Returns the set without a part.
    #[must_use]
    pub const fn without(self, part: Part) -> Self {
        Self(self.0 & !(1 << part as u32))
    }

    /// Returns what is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns what is in this set and not in the other.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Tells whether a part is in the set.
    #[must_use]
    pub const fn has(self, part: Part) -> bool {
        self.0 & (1 << part as u32) != 0
    }
}

/// What to show, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The parts to show.
    pub parts: Parts,
    /// Group resources by node.
    pub by_node: bool,
    /// Show inactive resources too.
    pub inactive: bool,
    /// Count resources instead of listing them.
    pub brief: bool,
    /// Show more: instances of clones, node ids, implicit resources, feature sets.
    pub detail: bool,
    /// Show times of operations.
    pub timing: bool,
    /// Show what is being done to a resource (`Starting`) rather than its role.
    pub pending: bool,
    /// Show bans only when their id starts like this.
    pub bans_prefix: String,
    /// Show only this node, or the nodes of this tag.
    pub only_node: Option<String>,
    /// Show only this resource, or the resources of this tag.
    pub only_resource: Option<String>,
    /// The command line, for the root element of XML.
    pub request: String,
    /// What the cluster's daemons say beyond the CIB.
    pub daemon: Option<DaemonState>,
    /// What the fencer says was fenced; none when it was not asked.
    pub fencing: Option<FencingHistory>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parts: Parts::DEFAULT,
            by_node: false,
            inactive: false,
            brief: false,
            detail: false,
            timing: false,
            pending: true,
            bans_prefix: String::new(),
            only_node: None,
            only_resource: None,
            request: "crm_mon".to_owned(),
            daemon: None,
            fencing: None,
        }
    }
}

impl Options {
    /// Returns what the status must be computed with to show this: no more than what is shown.
    #[must_use]
    pub fn compute_options(&self) -> ComputeOptions {
        let shows = |part| self.parts.has(part);
        ComputeOptions {
            constraints: shows(Part::Bans) || shows(Part::Tickets),
            without_history: !shows(Part::Operations) && !shows(Part::FailCounts),
        }
    }
}

/// What the fencer says was fenced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FencingHistory {
    /// The actions that it remembers.
    Events(Vec<FencingEvent>),
    /// It could not be asked.
    Unavailable {
        /// Why, as an exit status.
        code: u8,
        /// Why, in words.
        meaning: String,
    },
}

/// What pacemakerd says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonState {
    /// The word of the protocol, such as `running`.
    pub state: String,
    /// The words for people, such as `Pacemaker is running`.
    pub description: String,
    /// The subsystem that answered.
    pub source: String,
    /// When it said so.
    pub last_updated: Option<Timestamp>,
}

/// A section: what prints it as nested lists (text, HTML), as XML, and for programs.
struct Section {
    lists: fn(&Report<'_>, &mut dyn Lists),
    xml: fn(&Report<'_>, &mut Xml),
    json: fn(&Report<'_>, &mut json::Output),
}

/// The sections, in the order of the output.
const SECTIONS: [Section; 10] = [
    Section {
        lists: summary::lists,
        xml: summary::xml,
        json: summary::json,
    },
    Section {
        lists: nodes::lists,
        xml: nodes::xml,
        json: nodes::json,
    },
    Section {
        lists: resources::lists,
        xml: resources::xml,
        json: resources::json,
    },
    Section {
        lists: attributes::lists,
        xml: attributes::xml,
        json: attributes::json,
    },
    Section {
        lists: operations::lists,
        xml: operations::xml,
        json: operations::json,
    },
    Section {
        lists: failures::lists,
        xml: failures::xml,
        json: failures::json,
    },
    Section {
        lists: fencing::lists,
        xml: fencing::xml,
        json: fencing::json,
    },
    Section {
        lists: tickets::lists,
        xml: tickets::xml,
        json: tickets::json,
    },
    Section {
        lists: bans::lists,
        xml: bans::xml,
        json: bans::json,
    },
    Section {
        lists: fencing::last_lists,
        xml: |_, _| {},
        json: |_, _| {},
    },
];

/// A status, ready to be printed.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    status: &'a ClusterStatus,
    options: &'a Options,
    filter: Filter,
    now: Timestamp,
    zone: &'a TimeZone,
}

impl<'a> Report<'a> {
    /// Makes a report of a status; `now` is the time that it says it was taken.
    #[must_use]
    pub fn new(
        status: &'a ClusterStatus,
        options: &'a Options,
        now: Timestamp,
        zone: &'a TimeZone,
    ) -> Self {
        let (node, resource) = (&options.only_node, &options.only_resource);
        Self {
            status,
            options,
            filter: Filter::new(status, node.as_deref(), resource.as_deref()),
            now,
            zone,
        }
    }

    /// Returns the report as `crm_mon -1` prints it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = Text::default();
        self.print(&mut out);
        out.finish()
    }

    /// Returns the lines of [`Report::text`], in styled pieces.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let mut out = Styled::default();
        self.print(&mut out);
        out.finish()
    }

    /// Returns the report as `crm_mon --output-as=html` prints it.
    #[must_use]
    pub fn html(&self, page: Page) -> String {
        let mut out = Html::new(page);
        self.print(&mut out);
        out.finish()
    }

    /// Returns the report as `crm_mon --output-as=xml` prints it.
    #[must_use]
    pub fn xml(&self) -> String {
        let mut out = result(&self.options.request);
        self.print_xml(&mut out);
        result_status(&mut out, 0, "OK", &[]);
        out.finish()
    }

    /// Returns the report as `crm_mon --as-xml` prints it.
    #[must_use]
    pub fn legacy_xml(&self) -> String {
        let mut out = legacy_result();
        self.print_xml(&mut out);
        out.finish()
    }

    /// Returns the report as `crm_mon --output-as=json` prints it.
    #[must_use]
    pub fn json(&self) -> json::Output {
        let mut out = json::Output::new(&self.options.request, 0, "OK", &[]);
        for section in &SECTIONS {
            (section.json)(self, &mut out);
        }
        out
    }

    /// Returns the report as `crm_mon --simple-status` prints it.
    #[must_use]
    pub fn simple(&self) -> String {
        simple::line(self)
    }

    fn print(&self, out: &mut dyn Lists) {
        for section in &SECTIONS {
            (section.lists)(self, out);
        }
    }

    fn print_xml(&self, out: &mut Xml) {
        for section in &SECTIONS {
            (section.xml)(self, out);
        }
    }

    fn shows(&self, part: Part) -> bool {
        self.options.parts.has(part)
    }

    /// Tells whether the filter lets a node through.
    fn node_passes(&self, name: &str) -> bool {
        self.filter.node(name)
    }
}

fn result(request: &str) -> Xml {
    let mut out = Xml::default();
    out.open("pacemaker-result");
    out.attribute("api-version", "2.25");
    out.attribute("request", request);
    out
}

fn result_status(out: &mut Xml, code: u8, meaning: &str, errors: &[&str]) {
    out.open("status");
    out.number("code", code);
    out.attribute("message", meaning);
    if !errors.is_empty() {
        out.open("errors");
        for error in errors {
            out.element("error", error);
        }
        out.close();
    }
    out.close();
}

fn legacy_result() -> Xml {
    let mut out = Xml::default();
    out.open("crm_mon");
    out.attribute("version", "2.1.5");
    out
}

/// Returns "s" unless there is exactly one.
fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
