//! Nonsense costs no memory out of proportion to its text, and no legal cluster is cut.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;

use ha_core::status::{self, ClusterStatus};
use ha_core::xml::Document;
use jiff::tz::TimeZone;

/// The status of so many nodes with these resources.
fn status_of(nodes: usize, resources: &str) -> ClusterStatus {
    let mut text = String::from("<cib><configuration><crm_config/><nodes>");
    for n in 0..nodes {
        write!(text, "<node id=\"{n}\" uname=\"node{n}\"/>").unwrap();
    }
    write!(
        text,
        "</nodes><resources>{resources}</resources><constraints/></configuration><status/></cib>"
    )
    .unwrap();
    let document = Document::parse(&text).unwrap();
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    status::compute(&document, now, &TimeZone::UTC)
}

fn primitives(name: &str, count: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        write!(
            text,
            "<primitive id=\"{name}-{n}\" class=\"ocf\" provider=\"heartbeat\" type=\"Dummy\"/>"
        )
        .unwrap();
        text
    })
}

fn clone(id: &str, max: Option<u32>, content: &str) -> String {
    let meta = max.map_or_else(String::new, |max| {
        format!(
            "<meta_attributes id=\"{id}-meta\"><nvpair id=\"{id}-max\" name=\"clone-max\" value=\"{max}\"/></meta_attributes>"
        )
    });
    format!("<clone id=\"{id}\">{meta}{content}</clone>")
}

fn clone_of_group(id: &str, max: Option<u32>, members: usize) -> String {
    let group = format!(
        "<group id=\"{id}-g\">{}</group>",
        primitives(&format!("{id}-m"), members)
    );
    clone(id, max, &group)
}

fn count(status: &ClusterStatus) -> usize {
    status.resources().count()
}

#[test]
fn a_clone_of_a_group_has_no_instances_without_end() {
    for (members, most) in [(10, 20_012), (50, 20_052), (1000, 33_100)] {
        let status = status_of(3, &clone_of_group("c", Some(1_000_000), members));
        let found = count(&status);
        assert!(found <= most, "{members} members: {found} resources");
        // Many there are all the same.
        assert!(found > 10_000, "{members} members: {found} resources");
    }
}

#[test]
fn many_clones_share_what_a_document_may_have() {
    let clones: String = (0..50)
        .map(|n| {
            clone(
                &format!("c{n}"),
                Some(10_000),
                &primitives(&format!("p{n}"), 1),
            )
        })
        .collect();
    let found = count(&status_of(3, &clones));
    assert!(found <= 20_100, "{found} resources");
    // The last one is there too.
    assert!(found >= 10_000 + 49 * 2, "{found} resources");
}

#[test]
fn many_bundles_share_what_a_document_may_have() {
    let bundles: String = (0..300)
        .map(|n| {
            format!(
                "<bundle id=\"b{n}\"><docker image=\"i\" replicas=\"1000\"/><network ip-range-start=\"10.0.0.1\"/>{}</bundle>",
                primitives(&format!("in{n}"), 1)
            )
        })
        .collect();
    let status = status_of(3, &bundles);
    let found = count(&status);
    assert!(found <= 60_000, "{found} resources");
    assert!(status.resource_index("b299").is_some());
}

#[test]
fn orphans_of_a_cloned_group_are_no_way_around() {
    // Each entry of the history would make an instance with all members.
    let mut text = String::from("<cib><configuration><crm_config/><nodes>");
    for n in 0..20 {
        write!(text, "<node id=\"{n}\" uname=\"node{n}\"/>").unwrap();
    }
    write!(
        text,
        "</nodes><resources>{}</resources><constraints/></configuration><status>",
        clone_of_group("c", Some(1), 1000)
    )
    .unwrap();
    for n in 0..20 {
        write!(
            text,
            "<node_state id=\"{n}\" uname=\"node{n}\" in_ccm=\"true\" crmd=\"online\" join=\"member\" expected=\"member\"><lrm id=\"{n}\"><lrm_resources>"
        )
        .unwrap();
        for copy in 0..15 {
            write!(
                text,
                "<lrm_resource id=\"c-m-0:{copy}\" class=\"ocf\" provider=\"heartbeat\" type=\"Dummy\"><lrm_rsc_op id=\"c-m-0_last_0\" operation=\"start\" operation_key=\"c-m-0_start_0\" call-id=\"5\" rc-code=\"0\" op-status=\"0\" interval=\"0\" transition-magic=\"0:0;5:1:0:k\"/></lrm_resource>"
            )
            .unwrap();
        }
        text.push_str("</lrm_resources></lrm></node_state>");
    }
    text.push_str("</status></cib>");
    let document = Document::parse(&text).unwrap();
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    let found = count(&status::compute(&document, now, &TimeZone::UTC));
    assert!(found <= 33_400, "{found} resources");
}

#[test]
fn no_legal_cluster_is_cut() {
    // Clones of groups on all of 32 nodes, with as many members as a large cluster has resources.
    let clones: String = (0..200)
        .map(|n| clone_of_group(&format!("c{n}"), None, 5))
        .collect();
    assert_eq!(count(&status_of(32, &clones)), 200 * (1 + 32 * 6));
    // Few clones on many nodes.
    let clones: String = (0..40)
        .map(|n| clone(&format!("c{n}"), None, &primitives(&format!("p{n}"), 1)))
        .collect();
    assert_eq!(count(&status_of(1000, &clones)), 40 * 1001);
    // And nothing that is configured once.
    assert_eq!(count(&status_of(32, &primitives("p", 10_000))), 10_000);
}
