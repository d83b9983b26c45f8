//! The report as JSON: typed, for programs.
//!
//! These types say what [`Report::xml`](super::Report::xml) says, by the same filters: flags are
//! booleans, durations are numbers of milliseconds (names in `_ms`), and moments are RFC 3339 with the offset
//! of the report's zone. They serialise to JSON with any serde format, and read it back; with the
//! feature `schema` they describe themselves as a JSON Schema, which `docs/crm_mon.schema.json` is.
//!
//! A section that was not asked for is absent; one that was asked for and has nothing to say is empty.
//! [`SCHEMA_VERSION`] is `MAJOR.MINOR`: a new member raises the second number, so readers ignore what
//! they do not know; a change of what is there already raises the first.
//!
//! # Example
//! ```
//! use ha_core::{status, view, xml::Document};
//! let cib = Document::parse(
//!     "<cib><configuration><nodes><node id='1' uname='n1'/></nodes></configuration></cib>",
//! )?;
//! let zone = jiff::tz::TimeZone::UTC;
//! let now = jiff::Timestamp::UNIX_EPOCH;
//! let status = status::compute(&cib, now, &zone);
//! let options = view::Options::default();
//! let output = view::Report::new(&status, &options, now, &zone).json();
//! let nodes = output.nodes.expect("nodes are shown by default");
//! assert_eq!((nodes[0].name.as_str(), nodes[0].online), ("n1", false));
//! # Ok::<(), ha_core::Error>(())
//! ```

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The version of what is described here.
pub const SCHEMA_VERSION: &str = "1.2";

/// Defines types of the output: all of them can be read, written, compared and described.
macro_rules! output {
    ($($(#[$meta:meta])* pub $kind:ident $name:ident $body:tt)+) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        $(#[$meta])*
        pub $kind $name $body
    )+};
}

mod answer;
mod history;
mod resource;

pub use answer::{Answer, Explanation, Finding, Reason};
pub use history::{
    Failure, FenceEvent, FenceHistory, FenceStatus, NodeHistory, Operation, ResourceHistory,
};
pub use resource::{Bundle, CloneSet, Group, Location, Primitive, Replica, Resource};

output! {
/// What `crm_mon --output-as=json` prints.
pub struct Output {
    /// The version of this format, `MAJOR.MINOR`.
    pub schema_version: String,
    /// The command line.
    pub request: String,
    /// How the program ended.
    pub status: ExitStatus,
    /// What the cluster's launcher says of itself; only from a running cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pacemakerd: Option<Pacemakerd>,
    /// The cluster as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// The nodes, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Vec<Node>>,
    /// The resources; when they are grouped by node, those that are not fully active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<Resource>>,
    /// The attributes of nodes that are online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_attributes: Option<Vec<NodeAttributes>>,
    /// What nodes remember of operations, or only of failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_history: Option<Vec<NodeHistory>>,
    /// Failed operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Vec<Failure>>,
    /// What was fenced, or tried; only from a running cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence_history: Option<FenceHistory>,
    /// Tickets of a multi-site cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tickets: Option<Vec<Ticket>>,
    /// Location constraints that keep resources off nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bans: Option<Vec<Ban>>,
    /// The answer to `--is`, instead of the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The answer to `--why`, instead of the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// The answer to `--why` of a tag, instead of the status: one for each of its resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanations: Option<Vec<Explanation>>,
    /// The answer to `--findings`, instead of the status: the worst first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<Finding>>,
    /// The answer to `--version`, instead of the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<ProgramVersion>,
}

/// The program whose output this is like.
pub struct ProgramVersion {
    /// Its name.
    pub program: String,
    /// Its version, such as `2.1.5`.
    pub version: String,
    /// Who wrote it.
    pub author: String,
    /// The commit that it was built from.
    pub build: String,
    /// What it was built with.
    pub features: Vec<String>,
}

/// How the program ended.
pub struct ExitStatus {
    /// The exit status.
    pub code: u8,
    /// What it means.
    pub message: String,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// What the cluster's launcher says of itself.
pub struct Pacemakerd {
    /// The subsystem that answered.
    pub sys_from: String,
    /// Its state, such as `running`.
    pub state: String,
    /// When it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub last_updated: Option<String>,
}

/// The cluster as a whole. What was not asked for is absent.
pub struct Summary {
    /// The cluster layer, such as `corosync`; `unknown` when the CIB does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// The Designated Controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_dc: Option<CurrentDc>,
    /// The moment of this report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub last_update: Option<String>,
    /// Who changed the CIB last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change: Option<LastChange>,
    /// How many nodes there are, of all kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes_configured: Option<usize>,
    /// How many instances of resources there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources_configured: Option<ResourceCounts>,
    /// The options of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_options: Option<ClusterOptions>,
}

/// The Designated Controller.
pub struct CurrentDc {
    /// There is one. Without it nothing else is said.
    pub present: bool,
    /// The Pacemaker version that it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The node's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The node's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its partition has quorum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_quorum: Option<bool>,
    /// Online nodes run different versions: an upgrade is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixed_version: Option<bool>,
}

/// Who changed the CIB last, as the CIB has it.
pub struct LastChange {
    /// When, as written in the CIB (`Sun Nov 22 12:00:00 2026`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// How many instances of resources there are.
pub struct ResourceCounts {
    /// In all.
    pub number: u32,
    /// Of these, held back by their target role.
    pub disabled: u32,
    /// Of these, blocked by a failure.
    pub blocked: u32,
}

/// The options of the cluster.
pub struct ClusterOptions {
    /// Failed nodes are fenced.
    pub stonith_enabled: bool,
    /// Resources may run anywhere unless forbidden.
    pub symmetric_cluster: bool,
    /// What a partition without quorum does: `stop`, `freeze`, `demote`, `ignore` or `suicide`.
    pub no_quorum_policy: String,
    /// Nothing is managed.
    pub maintenance_mode: bool,
    /// All resources are kept stopped.
    pub stop_all_resources: bool,
    /// How long fencing may take.
    pub stonith_timeout_ms: u64,
    /// How long the fencing of the more important node waits.
    pub priority_fencing_delay_ms: u64,
}

/// One node.
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// A full member that can run resources.
    pub online: bool,
    /// Asked not to run resources.
    pub standby: bool,
    /// In standby because of a failed operation.
    pub standby_onfail: bool,
    /// Its resources are not managed.
    pub maintenance: bool,
    /// Joining the cluster.
    pub pending: bool,
    /// Its state is not known for sure: it needs fencing.
    pub unclean: bool,
    /// What its health attributes say.
    pub health: Health,
    /// The feature set, of cluster nodes that are online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_set: Option<String>,
    /// Shutting down.
    pub shutdown: bool,
    /// Expected to be in the cluster.
    pub expected_up: bool,
    /// Is the Designated Controller.
    pub is_dc: bool,
    /// How many primitives run on it.
    pub resources_running: usize,
    /// What kind of node it is.
    #[serde(rename = "type")]
    pub kind: NodeKind,
    /// The resource that a guest node runs as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_as_resource: Option<String>,
    /// What runs on it, when resources are grouped by node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<Primitive>>,
}

/// What the health attributes of a node say.
#[derive(Copy)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing is wrong.
    Green,
    /// At least one attribute is yellow.
    Yellow,
    /// At least one attribute is red.
    Red,
}

/// What kind of node it is.
#[derive(Copy)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A node that runs Corosync and Pacemaker.
    Member,
    /// A remote or guest node.
    Remote,
    /// An entry of old configurations that is never online.
    Ping,
}

/// The attributes of a node.
pub struct NodeAttributes {
    /// The node's name.
    pub name: String,
    /// The attributes, by name.
    pub attributes: Vec<Attribute>,
}

/// An attribute of a node.
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What a ping resource would set if every host answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<i32>,
}

/// A ticket.
pub struct Ticket {
    /// Its name.
    pub id: String,
    /// Whether the site has it.
    pub status: TicketStatus,
    /// It is about to be given up.
    pub standby: bool,
    /// When it was granted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub last_granted: Option<String>,
}

/// Whether a site has a ticket.
#[derive(Copy)]
#[serde(rename_all = "snake_case")]
pub enum TicketStatus {
    /// It has it.
    Granted,
    /// It does not have it.
    Revoked,
}

/// A location constraint that keeps a resource off a node.
pub struct Ban {
    /// The constraint's id, or its rule's.
    pub id: String,
    /// The resource's id.
    pub resource: String,
    /// The node's name.
    pub node: String,
    /// The score, negative; -1000000 is minus infinity.
    pub weight: i32,
    /// Only the promoted role is forbidden.
    pub promoted_only: bool,
}
}

impl Output {
    /// Starts an output without any section.
    pub(super) fn new(request: &str, code: u8, meaning: &str, errors: &[&str]) -> Self {
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            request: request.to_owned(),
            status: ExitStatus {
                code,
                message: meaning.to_owned(),
                errors: errors.iter().map(|&error| error.to_owned()).collect(),
            },
            pacemakerd: None,
            summary: None,
            nodes: None,
            resources: None,
            node_attributes: None,
            node_history: None,
            failures: None,
            fence_history: None,
            tickets: None,
            bans: None,
            answer: None,
            explanation: None,
            explanations: None,
            findings: None,
            version: None,
        }
    }
}

/// Describes [`Output`] as a JSON Schema, which `docs/crm_mon.schema.json` is.
///
/// # Example
/// ```
/// let schema = ha_core::view::json::schema();
/// assert!(schema.pointer("/properties/schema_version").is_some());
/// ```
#[cfg(feature = "schema")]
#[must_use]
pub fn schema() -> schemars::Schema {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let generator = settings.with_transform(without_null).into_generator();
    let mut schema = generator.into_root_schema_for::<Output>();
    let title = format!("crm_mon --output-as=json, version {SCHEMA_VERSION}");
    schema.insert("title".to_owned(), title.into());
    schema
}

/// What there is nothing to say of is absent, never null.
#[cfg(feature = "schema")]
fn without_null(schema: &mut schemars::Schema) {
    use serde_json::Value;
    schemars::transform::transform_subschemas(&mut without_null, schema);
    schema.remove("default");
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (name, rule) in only {
                schema.insert(name, rule);
            }
        }
    }
}

/// Returns a moment as RFC 3339.
pub(super) fn moment(when: Timestamp, zone: &TimeZone) -> String {
    when.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}
