//! What is wrong or risky in a cluster, each with a fix.
//!
//! [`all`] reads the CIB; [`of_links`] adds what Corosync knows of the links between the nodes.

mod checks;
mod text;

pub(crate) use checks::{pings, unread_pings, unwatched};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::model::Cib;
use crate::status::{self, ComputeOptions};
use crate::xml::Document;

/// How bad it is. Ordered: the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something will not work, or not as meant, when it is needed.
    Warning,
    /// Someone chose this; it should be known.
    Notice,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// No node decides what the cluster does.
    NoDc,
    /// The partition has no quorum.
    NoQuorum,
    /// A node is lost and was not fenced.
    NodeUnclean {
        /// The node.
        node: String,
    },
    /// Corosync and Pacemaker disagree on whether a node is there.
    NodeHalfThere {
        /// The node.
        node: String,
        /// Corosync has it as a member.
        corosync: bool,
    },
    /// A link between two nodes is down.
    LinkDown {
        /// The node at the other end.
        node: String,
        /// The link's number.
        link: u8,
    },
    /// A resource runs on more than one node.
    MultiplyActive {
        /// The resource.
        resource: String,
        /// Where.
        nodes: Vec<String>,
    },
    /// The cluster gave a resource up after a failure.
    Blocked {
        /// The resource.
        resource: String,
    },
    /// A resource failed on a node as often as it may.
    FailedTooOften {
        /// The resource.
        resource: String,
        /// The node.
        node: String,
    },
    /// Fencing is on, but nothing can fence.
    NoFenceDevice,
    /// A resource that should run is active nowhere.
    NotActive {
        /// The resource.
        resource: String,
    },
    /// An operation failed; the resource recovered or may try again.
    FailedOperation {
        /// The resource.
        resource: String,
        /// The node.
        node: String,
        /// The task.
        task: String,
    },
    /// Lost nodes are not fenced, in a cluster of several nodes.
    FencingOff {
        /// How many nodes there are.
        nodes: usize,
    },
    /// A move or ban made on the command line is still in force.
    LeftBehind {
        /// The constraint.
        constraint: String,
        /// The resource.
        resource: String,
    },
    /// A ping resource whose attribute no rule reads.
    PingUnread {
        /// The resource.
        resource: String,
        /// The attribute that it sets.
        attribute: String,
    },
    /// A constraint names something that does not exist.
    DanglingReference {
        /// The constraint.
        constraint: String,
        /// The name.
        name: String,
    },
    /// Resources that nobody looks at once they are started.
    NoMonitor {
        /// The resources.
        resources: Vec<String>,
    },
    /// A resource that is not configured any more still has a history.
    Orphan {
        /// The resource.
        resource: String,
    },
    /// The whole cluster is in maintenance.
    MaintenanceMode,
    /// A node is in standby or in maintenance.
    NodeOut {
        /// The node.
        node: String,
        /// In maintenance, not in standby.
        maintenance: bool,
    },
    /// A node is not there.
    NodeOffline {
        /// The node.
        node: String,
    },
    /// The cluster may not start or stop a resource.
    Unmanaged {
        /// The resource.
        resource: String,
    },
    /// Nodes run different versions of Pacemaker.
    MixedVersions,
}

impl Finding {
    /// The resources that it is about; none when it is about nodes or the cluster.
    #[must_use]
    pub fn resources(&self) -> &[String] {
        match self {
            Self::NoMonitor { resources } => resources,
            Self::MultiplyActive { resource, .. }
            | Self::Blocked { resource }
            | Self::FailedTooOften { resource, .. }
            | Self::NotActive { resource }
            | Self::FailedOperation { resource, .. }
            | Self::LeftBehind { resource, .. }
            | Self::PingUnread { resource, .. }
            | Self::Orphan { resource }
            | Self::Unmanaged { resource } => std::slice::from_ref(resource),
            Self::NoDc
            | Self::NoQuorum
            | Self::NodeUnclean { .. }
            | Self::NodeHalfThere { .. }
            | Self::LinkDown { .. }
            | Self::NoFenceDevice
            | Self::FencingOff { .. }
            | Self::DanglingReference { .. }
            | Self::MaintenanceMode
            | Self::NodeOut { .. }
            | Self::NodeOffline { .. }
            | Self::MixedVersions => &[],
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::NoDc
            | Self::NoQuorum
            | Self::NodeUnclean { .. }
            | Self::NodeHalfThere { .. }
            | Self::LinkDown { .. }
            | Self::MultiplyActive { .. }
            | Self::Blocked { .. }
            | Self::FailedTooOften { .. }
            | Self::NoFenceDevice
            | Self::NotActive { .. } => Severity::Error,
            Self::FailedOperation { .. }
            | Self::FencingOff { .. }
            | Self::LeftBehind { .. }
            | Self::PingUnread { .. }
            | Self::DanglingReference { .. }
            | Self::NoMonitor { .. }
            | Self::Orphan { .. }
            | Self::NodeOffline { .. } => Severity::Warning,
            Self::MaintenanceMode
            | Self::NodeOut { .. }
            | Self::Unmanaged { .. }
            | Self::MixedVersions => Severity::Notice,
        }
    }
}

/// Returns what a CIB tells that is wrong or risky, the worst first.
///
/// # Example
/// ```
/// use ha_core::{finding::{self, Finding}, language::Language, xml::Document};
/// let cib = Document::parse(
///     r#"<cib have-quorum="1" dc-uuid="1"><configuration>
///          <crm_config><cluster_property_set id="o">
///            <nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
///          <nodes><node id="1" uname="maitre"/><node id="2" uname="esclave"/></nodes>
///        </configuration><status/></cib>"#,
/// )?;
/// let found = finding::all(&cib, jiff::Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC);
/// assert!(found.contains(&Finding::FencingOff { nodes: 2 }));
/// assert!(found[0].text(Language::French).starts_with("le nœud"));
/// # Ok::<(), ha_core::Error>(())
/// ```
#[must_use]
pub fn all(document: &Document, now: Timestamp, zone: &TimeZone) -> Vec<Finding> {
    let options = ComputeOptions {
        constraints: true,
        ..ComputeOptions::default()
    };
    let state = status::compute_with(document, now, zone, options);
    let mut found = checks::all(&Cib::new(document), &state);
    found.sort_by_key(Finding::severity);
    found
}

/// Returns a finding for each link that is down: (name of the node at the other end, number of the
/// link, connected).
pub fn of_links<'a>(
    links: impl IntoIterator<Item = (&'a str, u8, bool)>,
) -> impl Iterator<Item = Finding> {
    links
        .into_iter()
        .filter(|(_, _, connected)| !connected)
        .map(|(node, link, _)| Finding::LinkDown {
            node: node.to_owned(),
            link,
        })
}
