//! What is so in the cluster: computed from a CIB, a time and a zone, and nothing else.
//!
//! [`compute`] reads a CIB the way Pacemaker's own tools do and returns a [`ClusterStatus`]: nodes,
//! resources with where each runs and in what role, failures, history, tickets, bans and counts.
//! It is pure: no clock, no environment, no connection. Bad input never panics; what makes no sense
//! is left out, as the daemons do.
//!
//! # Example
//! ```
//! use ha_core::{status, xml::Document};
//! let cib = Document::parse(
//!     r#"<cib have-quorum="1"><configuration><crm_config/><nodes><node id="1" uname="maitre"/></nodes>
//!        <resources/><constraints/></configuration><status/></cib>"#,
//! )?;
//! let now = jiff::Timestamp::UNIX_EPOCH;
//! let state = status::compute(&cib, now, &jiff::tz::TimeZone::UTC);
//! assert!(state.quorate);
//! assert_eq!(state.node_named("MAITRE").map(|node| node.name.as_str()), Some("maitre"));
//! # Ok::<(), ha_core::Error>(())
//! ```

mod activity;
mod attributes;
mod computer;
mod constraints;
mod copies;
mod counts;
mod engine;
mod entries;
mod expand;
mod failure;
mod history;
mod instances;
mod location;
mod mapping;
mod meta;
mod migration;
mod nodes;
mod operation;
mod options;
mod pairs;
mod resources;
mod rule;
mod running;
mod table;
mod tickets;
mod types;

pub use computer::Computer;
pub use options::{ClusterOptions, NoQuorumPolicy};
pub use types::{
    Agent, Ban, BundleKind, BundleReplica, CloneDetails, ClusterStatus, Counts, Dc, Definition,
    Failure, Health, HistoryEntry, LastChange, Node, NodeAttribute, NodeHistory, NodeIndex,
    NodeKind, OperationRecord, Preference, Reference, Resource, ResourceHistory, ResourceIndex,
    ResourceKind, Role, Tag, Ticket, Written,
};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::xml::Document;

use engine::Engine;
use rule::Clock;

/// What [`compute_with`] is asked for beyond the status itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ComputeOptions {
    /// Read the constraints too: bans, and what the loss of a ticket does to resources.
    ///
    /// `crm_mon` does so only when it shows tickets or bans, and then says more about resources
    /// whose ticket is lost (blocked, or their node unclean).
    pub constraints: bool,
    /// Leave [`ClusterStatus::history`] empty, which takes a third of the time: for who looks at no
    /// single operation, and at no fail count.
    pub without_history: bool,
}

/// Computes the status of a CIB at a time; the zone says what local time is, for date rules.
#[must_use]
pub fn compute(document: &Document, now: Timestamp, zone: &TimeZone) -> ClusterStatus {
    compute_with(document, now, zone, ComputeOptions::default())
}

/// Computes the status of a CIB as [`compute`] does, with options.
#[must_use]
pub fn compute_with(
    document: &Document,
    now: Timestamp,
    zone: &TimeZone,
    options: ComputeOptions,
) -> ClusterStatus {
    let implicit = expand::implicit_elements(document);
    let clock = Clock::new(now, zone);
    let mut engine = Engine::new(document, &implicit, &clock);
    engine.read_configuration();
    engine.read_state(options, None, &mut None)
}
