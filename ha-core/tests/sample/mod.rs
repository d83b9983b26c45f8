//! CIBs of two nodes, maitre (1) and esclave (2), put together from what a test is about.

#![allow(
    dead_code,
    reason = "each test program uses what it needs of the sample"
)]

use std::fmt::Write as _;

use ha_core::status::{self, ClusterStatus, ComputeOptions};
use ha_core::xml::Document;

/// What a test varies; the default is a cluster at rest with no resource.
pub(crate) struct Sample {
    /// Of the element `cib`.
    pub(crate) quorate: bool,
    /// The DC's id, when there is one.
    pub(crate) dc: Option<u8>,
    /// Cluster options.
    pub(crate) options: Vec<(&'static str, &'static str)>,
    /// Permanent attributes of each node.
    pub(crate) attributes: [Vec<(&'static str, &'static str)>; 2],
    /// Transient attributes of each node.
    pub(crate) transient: [Vec<(&'static str, &'static str)>; 2],
    /// Each node is a member.
    pub(crate) online: [bool; 2],
    /// The content of `resources`.
    pub(crate) resources: String,
    /// The content of `constraints`.
    pub(crate) constraints: String,
    /// Each node's history: resource, agent (`IPaddr2`), operations.
    pub(crate) history: [Vec<(&'static str, Vec<Operation>)>; 2],
    /// The content of `tickets`.
    pub(crate) tickets: String,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            quorate: true,
            dc: Some(1),
            options: vec![("stonith-enabled", "false")],
            attributes: Default::default(),
            transient: Default::default(),
            online: [true, true],
            resources: String::new(),
            constraints: String::new(),
            history: Default::default(),
            tickets: String::new(),
        }
    }
}

/// One entry of a history.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) task: &'static str,
    /// Seconds; 0 for once.
    pub(crate) interval: u32,
    pub(crate) call: u32,
    /// The agent's exit status; 193 while the operation is under way.
    pub(crate) rc: u32,
    pub(crate) reason: &'static str,
}

/// An operation that ended with this exit status.
pub(crate) fn ended(task: &'static str, call: u32, rc: u32) -> Operation {
    Operation {
        task,
        interval: 0,
        call,
        rc,
        reason: "",
    }
}

/// A monitor that repeats every ten seconds.
pub(crate) fn monitor(call: u32, rc: u32) -> Operation {
    Operation {
        interval: 10,
        ..ended("monitor", call, rc)
    }
}

/// The element of an address.
pub(crate) fn address(id: &str, inside: &str) -> String {
    format!(
        r#"<primitive id="{id}" class="ocf" provider="heartbeat" type="IPaddr2">{inside}</primitive>"#
    )
}

/// Meta attributes of the element with this id.
pub(crate) fn meta(of: &str, pairs: &[(&str, &str)]) -> String {
    block("meta_attributes", &format!("{of}-meta"), pairs)
}

fn block(tag: &str, id: &str, pairs: &[(&str, &str)]) -> String {
    let mut text = format!(r#"<{tag} id="{id}">"#);
    for (name, value) in pairs {
        let _ = write!(
            text,
            r#"<nvpair id="{id}-{name}" name="{name}" value="{value}"/>"#
        );
    }
    let _ = write!(text, "</{tag}>");
    text
}

impl Sample {
    pub(crate) fn xml(&self) -> String {
        let dc = self
            .dc
            .map(|id| format!(r#" dc-uuid="{id}""#))
            .unwrap_or_default();
        let mut nodes = String::new();
        let mut states = String::new();
        for (at, name) in ["maitre", "esclave"].iter().enumerate() {
            let id = at + 1;
            let _ = write!(
                nodes,
                r#"<node id="{id}" uname="{name}">{}</node>"#,
                block(
                    "instance_attributes",
                    &format!("nodes-{id}"),
                    &self.attributes[at]
                )
            );
            let (member, peer, join) = if self.online[at] {
                ("true", "online", "member")
            } else {
                ("false", "offline", "down")
            };
            let mut history = String::new();
            for (resource, operations) in &self.history[at] {
                let _ = write!(
                    history,
                    r#"<lrm_resource id="{resource}" class="ocf" provider="heartbeat" type="IPaddr2">"#
                );
                for operation in operations {
                    history.push_str(&operation.xml(resource, id));
                }
                history.push_str("</lrm_resource>");
            }
            let _ = write!(
                states,
                r#"<node_state id="{id}" uname="{name}" in_ccm="{member}" crmd="{peer}" join="{join}"
                     expected="{join}"><transient_attributes id="{id}">{}</transient_attributes>
                   <lrm id="{id}"><lrm_resources>{history}</lrm_resources></lrm></node_state>"#,
                block(
                    "instance_attributes",
                    &format!("status-{id}"),
                    &self.transient[at]
                )
            );
        }
        format!(
            r#"<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"
                 have-quorum="{}"{dc}><configuration><crm_config>{}</crm_config><nodes>{nodes}</nodes>
               <resources>{}</resources><constraints>{}</constraints></configuration>
               <status>{states}<tickets>{}</tickets></status></cib>"#,
            u8::from(self.quorate),
            block("cluster_property_set", "options", &self.options),
            self.resources,
            self.constraints,
            self.tickets,
        )
    }

    pub(crate) fn document(&self) -> Document {
        Document::parse(&self.xml()).expect("a well-formed sample")
    }

    pub(crate) fn state(&self) -> ClusterStatus {
        status::compute_with(
            &self.document(),
            jiff::Timestamp::UNIX_EPOCH,
            &jiff::tz::TimeZone::UTC,
            ComputeOptions {
                constraints: true,
                ..ComputeOptions::default()
            },
        )
    }
}

impl Operation {
    fn xml(self, resource: &str, node: usize) -> String {
        let Self {
            task,
            interval,
            call,
            rc,
            reason,
        } = self;
        let (status, expected) = match rc {
            193 => (-1, 0),
            0 => (0, 0),
            // A probe that finds nothing, and one that finds the resource promoted.
            7 | 8 if interval == 0 && task == "monitor" => (0, 7),
            5 => (5, 0),
            _ => (4, 0),
        };
        let interval = interval * 1000;
        let last = if task == "monitor" { "monitor" } else { "last" };
        let magic = format!("{status}:{rc};1:1:{expected}:11111111-2222-3333-4444-555555555555");
        let key = magic.split_once(';').map_or("", |(_, key)| key);
        format!(
            r#"<lrm_rsc_op id="{resource}_{last}_{interval}" operation="{task}"
                 operation_key="{resource}_{task}_{interval}" crm_feature_set="3.16.2" interval="{interval}"
                 call-id="{call}" rc-code="{rc}" op-status="{status}" on_node="node{node}" exit-reason="{reason}"
                 last-rc-change="1" exec-time="1" queue-time="0" transition-key="{key}"
                 transition-magic="{magic}"/>"#
        )
    }
}
