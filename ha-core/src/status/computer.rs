//! One status after the other of a CIB that changes.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Cib;
use crate::xml::{Document, NodeId, Stamp};

use super::ComputeOptions;
use super::copies::Copies;
use super::engine::{Engine, NodeWork, ResourceWork, last_change};
use super::entries::Entries;
use super::expand::{Implicit, implicit_elements};
use super::pairs::Pairs;
use super::rule::Clock;
use super::table::{Map, Values};
use super::types::{ClusterStatus, NodeIndex};

/// Computes one status after the other of a CIB that changes, and remembers what has not changed.
///
/// The result is always that of [`compute_with`](super::compute_with) for the same document, time and zone; it
/// takes a fraction of the time when little has changed since the last one. Two things are remembered:
/// what the configuration says, unless it depends on the time, and the entries of the histories. Where
/// resources run, what has failed and what has expired is worked out anew each time.
///
/// What has changed is known from the [`Document`] itself, so that it does not matter how it was changed: by
/// patch sets, by hand, or on a copy. For another document everything is computed; a mirror that is kept up to
/// date by [`Document::apply`] is what this is for.
///
/// # Example
/// ```
/// use ha_core::{status::Computer, xml::Document};
/// let mut cib = Document::parse(
///     r#"<cib have-quorum="1"><configuration/><status/></cib>"#,
/// )?;
/// let (now, zone) = (jiff::Timestamp::UNIX_EPOCH, jiff::tz::TimeZone::UTC);
/// let mut computer = Computer::new();
/// assert!(computer.compute(&cib, now, &zone).quorate);
/// cib.set_attribute(cib.root().id(), "have-quorum", "0");
/// assert!(!computer.compute(&cib, now, &zone).quorate);
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Computer {
    configuration: Option<Configuration>,
    histories: Vec<Entries>,
}

impl Computer {
    /// Makes one that remembers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Computes the status of a CIB at a time, as [`compute`](super::compute) does.
    pub fn compute(
        &mut self,
        document: &Document,
        now: Timestamp,
        zone: &TimeZone,
    ) -> ClusterStatus {
        self.compute_with(document, now, zone, ComputeOptions::default())
    }

    /// Computes the status of a CIB as [`Computer::compute`] does, with options, which may be others each time.
    pub fn compute_with(
        &mut self,
        document: &Document,
        now: Timestamp,
        zone: &TimeZone,
        options: ComputeOptions,
    ) -> ClusterStatus {
        let clock = Clock::new(now, zone);
        let basis = Basis::of(document);
        let known = self.configuration.take().filter(|c| c.basis == basis);
        let mut histories = Some(std::mem::take(&mut self.histories));
        let status;
        (self.configuration, status) = match known {
            Some(known) => {
                let engine = known.engine(document, &clock);
                let status = engine.read_state(options, Some(&known.pairs), &mut histories);
                (Some(known), status)
            }
            None => {
                let implicit = Arc::new(implicit_elements(document));
                let mut engine = Engine::new(document, &implicit, &clock);
                engine.read_configuration();
                let read = Configuration::of(basis, &engine, &implicit);
                let pairs = read.as_ref().map(|read| &read.pairs);
                let status = engine.read_state(options, pairs, &mut histories);
                (read, status)
            }
        };
        self.histories = histories.unwrap_or_default();
        status
    }
}

/// All that the configuration is read from.
#[derive(Debug, PartialEq, Eq)]
struct Basis {
    sections: Vec<(NodeId, Stamp)>,
    attributes: [Option<String>; 4],
}

impl Basis {
    fn of(document: &Document) -> Self {
        let root = document.root();
        let names = [
            "have-quorum",
            "no-quorum-panic",
            "dc-uuid",
            "crm_feature_set",
        ];
        Self {
            sections: Cib::new(document)
                .configurations()
                .map(|section| (section.id(), section.stamp()))
                .collect(),
            attributes: names.map(|name| root.attribute(name).map(str::to_owned)),
        }
    }
}

/// What was read of a configuration.
#[derive(Debug)]
struct Configuration {
    basis: Basis,
    implicit: Arc<Implicit>,
    copies: Copies,
    /// With nodes, resources and tags as configured, before anything was read of their state.
    status: ClusterStatus,
    /// The attributes of each node.
    nodes: Vec<Vec<(String, String)>>,
    resources: Vec<Source>,
    node_by_name: Map<String, NodeIndex>,
    node_by_id: Map<String, NodeIndex>,
    dc_node: Option<NodeIndex>,
    have_fence_device: bool,
    have_unfencing: bool,
    pairs: Pairs,
}

/// Where a resource is configured, and what the engine knows of it.
#[derive(Debug)]
struct Source {
    element: NodeId,
    is_implicit: bool,
    block_if_multiple: bool,
    reconnect_ms: u64,
    forced_anonymous: bool,
}

impl Configuration {
    /// Keeps what an engine has read of the configuration; none when that may be another thing next time
    /// although the configuration is the same.
    fn of(basis: Basis, engine: &Engine<'_>, implicit: &Arc<Implicit>) -> Option<Self> {
        if engine.clock.was_read.get() || engine.cib.has_looked_beyond_configuration() {
            return None;
        }
        let attributes = |work: &NodeWork<'_>| {
            let attributes = work.attributes.iter();
            let owned = attributes.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            owned.collect()
        };
        let source = |work: &ResourceWork<'_>| Source {
            element: work.xml.id(),
            is_implicit: std::ptr::eq(work.xml.document(), &implicit.document),
            block_if_multiple: work.block_if_multiple,
            reconnect_ms: work.reconnect_ms,
            forced_anonymous: work.forced_anonymous,
        };
        Some(Self {
            basis,
            implicit: Arc::clone(implicit),
            copies: engine.copies,
            status: engine.status.clone(),
            nodes: engine.nodes.iter().map(attributes).collect(),
            resources: engine.resources.iter().map(source).collect(),
            node_by_name: engine.node_by_name.clone(),
            node_by_id: engine.node_by_id.clone(),
            dc_node: engine.dc_node,
            have_fence_device: engine.have_fence_device,
            have_unfencing: engine.have_unfencing,
            pairs: Pairs::of_configuration(&engine.cib),
        })
    }

    /// Makes an engine that has read this configuration.
    fn engine<'d>(&'d self, document: &'d Document, clock: &'d Clock<'d>) -> Engine<'d> {
        let mut engine = Engine::new(document, &self.implicit, clock);
        engine.copies = self.copies;
        engine.status.clone_from(&self.status);
        engine.status.last_change = last_change(&engine.cib);
        engine.nodes = self
            .nodes
            .iter()
            .map(|attributes| node_work(attributes))
            .collect();
        engine.resources = self
            .resources
            .iter()
            .map(|source| self.resource_work(source, document))
            .collect();
        engine.node_by_name.clone_from(&self.node_by_name);
        engine.node_by_id.clone_from(&self.node_by_id);
        engine.dc_node = self.dc_node;
        engine.have_fence_device = self.have_fence_device;
        engine.have_unfencing = self.have_unfencing;
        engine
    }

    fn resource_work<'d>(&'d self, source: &Source, document: &'d Document) -> ResourceWork<'d> {
        let document = if source.is_implicit {
            &self.implicit.document
        } else {
            document
        };
        ResourceWork {
            xml: document.element(source.element),
            meta: Default::default(),
            block_if_multiple: source.block_if_multiple,
            reconnect_ms: source.reconnect_ms,
            forced_anonymous: source.forced_anonymous,
        }
    }
}

fn node_work(attributes: &[(String, String)]) -> NodeWork<'_> {
    let mut work = NodeWork::default();
    for (name, value) in attributes {
        work.attributes.set(name, value);
    }
    work
}
