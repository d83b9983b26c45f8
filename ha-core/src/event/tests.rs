//! The events between made-up states.

use super::*;
use crate::status::ClusterStatus;
use crate::xml::Document;

/// A cluster of two nodes with one address, as the CIB has it.
fn state(dc: &str, maitre: &str, esclave: &str, status: [&str; 2]) -> ClusterStatus {
    computed(&state_text(dc, maitre, esclave, status))
}

fn state_text(dc: &str, maitre: &str, esclave: &str, status: [&str; 2]) -> String {
    let node_state = |id: &str, name: &str, online: &str, operations: &str| {
        let (member, peer, join) = match online {
            "online" => ("true", "online", "member"),
            _ => ("false", "offline", "down"),
        };
        format!(
            r#"<node_state id="{id}" uname="{name}" in_ccm="{member}" crmd="{peer}"
                 join="{join}" expected="{join}"><lrm id="{id}"><lrm_resources>
                 <lrm_resource id="vip" class="ocf" provider="heartbeat" type="IPaddr2">
                 {operations}</lrm_resource></lrm_resources></lrm></node_state>"#
        )
    };
    format!(
        r#"<cib have-quorum="1" dc-uuid="{dc}" validate-with="pacemaker-3.9"><configuration>
           <crm_config><cluster_property_set id="o">
             <nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set>
           </crm_config>
           <nodes><node id="1" uname="maitre"/><node id="2" uname="esclave"/></nodes>
           <resources><primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/>
           </resources><constraints/></configuration><status>{}{}</status></cib>"#,
        node_state("1", "maitre", maitre, status[0]),
        node_state("2", "esclave", esclave, status[1]),
    )
}

/// The same with esclave online alone, and no history of it.
fn without_history() -> ClusterStatus {
    let text = state_text("2", "offline", "online", ["", ""]);
    let at = text.rfind("<lrm ").expect("a history");
    let end = at + text[at..].find("</lrm>").expect("its end") + "</lrm>".len();
    computed(&format!("{}{}", &text[..at], &text[end..]))
}

fn computed(text: &str) -> ClusterStatus {
    let cib = Document::parse(text).expect("well-formed");
    let epoch = jiff::Timestamp::UNIX_EPOCH;
    crate::status::compute(&cib, epoch, &jiff::tz::TimeZone::UTC)
}

fn operation(task: &str, call: u32, rc: u32) -> String {
    format!(
        r#"<lrm_rsc_op id="vip_last_0" operation="{task}" operation_key="vip_{task}_0"
             interval="0" call-id="{call}" rc-code="{rc}" op-status="{}"
             exit-reason="no such interface" transition-key="1:1:0:11111111-2222-3333-4444-555555555555"
             transition-magic="0:{rc};1:1:0:11111111-2222-3333-4444-555555555555"/>"#,
        if rc == 0 { 0 } else { 4 },
    )
}

#[test]
fn equal_states_say_nothing() {
    let one = state("1", "online", "online", [&operation("start", 5, 0), ""]);
    assert_eq!(between(&one, &one.clone()), []);
}

#[test]
fn a_power_cut_moves_the_address() {
    let before = state("1", "online", "online", [&operation("start", 5, 0), ""]);
    let lost = state("2", "offline", "online", [&operation("start", 5, 0), ""]);
    let after = state("2", "offline", "online", ["", &operation("start", 9, 0)]);
    assert_eq!(
        said(&between(&before, &lost)),
        [
            "the DC changed from maitre to esclave",
            "node maitre is offline",
            "vip stopped on maitre"
        ]
    );
    assert_eq!(said(&between(&lost, &after)), ["vip started on esclave"]);
}

#[test]
fn a_start_under_way_is_not_a_start() {
    let pending = operation("start", 9, 0)
        .replace(r#"rc-code="0""#, r#"rc-code="193""#)
        .replace(r#"op-status="0""#, r#"op-status="-1""#)
        .replace("magic=\"0:0;", "magic=\"-1:193;");
    let nowhere = state("2", "offline", "online", ["", ""]);
    let starting = state("2", "offline", "online", ["", &pending]);
    let started = state("2", "offline", "online", ["", &operation("start", 9, 0)]);
    assert_eq!(
        said(&between(&nowhere, &starting)),
        ["vip: start under way on esclave"]
    );
    assert_eq!(
        said(&between(&starting, &started)),
        ["vip started on esclave"]
    );
}

fn said(events: &[Event]) -> Vec<String> {
    events.iter().map(ToString::to_string).collect()
}

/// A start that fails, a stop, a start elsewhere, a stop, a start elsewhere, a failure, a recovery.
#[test]
fn a_follower_tells_moves_and_recoveries_from_starts() {
    let steps = [
        (
            [("start", 8, 1), ("", 0, 0)],
            "vip: start failed on maitre (exit status 1: no such interface)",
        ),
        (
            [("stop", 9, 0), ("", 0, 0)],
            "vip: the failure of start on maitre is forgotten",
        ),
        ([("stop", 9, 0), ("start", 7, 0)], "vip started on esclave"),
        ([("stop", 9, 0), ("stop", 8, 0)], "vip stopped on esclave"),
        (
            [("start", 10, 0), ("stop", 8, 0)],
            "vip moved from esclave to maitre",
        ),
        ([("stop", 11, 0), ("stop", 8, 0)], "vip stopped on maitre"),
        // Stopped and started by somebody: no failure, no recovery.
        ([("start", 12, 0), ("stop", 8, 0)], "vip started on maitre"),
        (
            [("monitor", 13, 1), ("stop", 8, 0)],
            "vip: monitor failed on maitre (exit status 1: no such interface)",
        ),
    ];
    let at = |[maitre, esclave]: [(&str, u32, u32); 2]| {
        let text = |(task, call, rc): (&str, u32, u32)| match task {
            "" => String::new(),
            task => operation(task, call, rc),
        };
        state("1", "online", "online", [&text(maitre), &text(esclave)])
    };
    let mut follower = Follower::new(at([("", 0, 0), ("", 0, 0)]));
    for (operations, expected) in steps {
        assert_eq!(said(&follower.next(at(operations))), [expected]);
    }
    // The failure is on record while the resource stops and starts again.
    let failure = operation("monitor", 13, 1).replace("vip_last_0", "vip_last_failure_0");
    for (task, call, expected) in [
        ("stop", 14, "vip stopped on maitre"),
        ("start", 15, "vip recovered on maitre"),
        ("stop", 16, "vip stopped on maitre"),
        ("start", 17, "vip started on maitre"),
    ] {
        let history = format!("{}{failure}", operation(task, call, 0));
        let next = state(
            "1",
            "online",
            "online",
            [&history, &operation("stop", 8, 0)],
        );
        assert_eq!(said(&follower.next(next)), [expected], "{task}");
    }
}

/// What a new DC does with the history of a node that joins it.
#[test]
fn a_history_that_is_written_anew_is_no_event() {
    let started = operation("start", 9, 0);
    let failed = operation("start", 8, 1);
    let has = |operations: [&str; 2]| state("2", "offline", "online", operations);
    for history in [&started, &failed] {
        let whole = has(["", history]);
        let mut follower = Follower::new(whole.clone());
        let gone = without_history();
        // The two states alone would tell of an end.
        assert_ne!(between(&whole, &gone), []);
        for _ in 0..2 {
            assert_eq!(follower.next(gone.clone()), []);
        }
        assert_eq!(follower.next(whole.clone()), []);
        // What has changed meanwhile is told when it is known.
        assert_eq!(follower.next(gone), []);
        let stopped = follower.next(has(["", &operation("stop", 10, 0)]));
        let expected = if history == &started {
            "vip stopped on esclave"
        } else {
            // It was not active: its start had failed.
            "vip: the failure of start on esclave is forgotten"
        };
        assert_eq!(said(&stopped), [expected]);
    }
    // A node that is lost meanwhile runs nothing any more.
    let mut follower = Follower::new(has(["", &started]));
    assert_eq!(follower.next(without_history()), []);
    let lost = state("1", "online", "offline", ["", ""]);
    let said: Vec<String> = follower
        .next(lost)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        said.contains(&"vip stopped on esclave".to_owned()),
        "{said:?}"
    );
}

#[test]
fn failures_are_told_once_and_their_end_too() {
    let fine = state("1", "online", "online", [&operation("start", 5, 0), ""]);
    let failed = state("1", "online", "online", [&operation("start", 6, 1), ""]);
    let again = state("1", "online", "online", [&operation("start", 7, 1), ""]);
    let is_failure = |e: &&Event| matches!(e, Event::OperationFailed { .. });
    let first = between(&fine, &failed);
    assert_eq!(first.iter().filter(is_failure).count(), 1, "{first:?}");
    assert!(
        first
            .iter()
            .any(|e| e.to_string().contains("exit status 1: no such interface")),
        "{first:?}"
    );
    assert_eq!(
        between(&failed, &again).iter().filter(is_failure).count(),
        1
    );
    let cleared = between(&again, &fine);
    assert!(
        cleared
            .iter()
            .any(|e| matches!(e, Event::FailureCleared { .. })),
        "{cleared:?}"
    );
}

/// Two nodes with a clone of which each runs an instance as far as its history says.
fn cloned(unique: bool, maitre: (&str, &str), esclave: (&str, &str)) -> ClusterStatus {
    let node_state = |id: &str, name: &str, online: &str, history: &str| {
        let (member, peer, join) = match online {
            "online" => ("true", "online", "member"),
            _ => ("false", "offline", "down"),
        };
        format!(
            r#"<node_state id="{id}" uname="{name}" in_ccm="{member}" crmd="{peer}"
                 join="{join}" expected="{join}"><lrm id="{id}"><lrm_resources>{history}
                 </lrm_resources></lrm></node_state>"#
        )
    };
    let text = format!(
        r#"<cib have-quorum="1" dc-uuid="2" validate-with="pacemaker-3.9"><configuration>
           <crm_config><cluster_property_set id="o">
             <nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set>
           </crm_config>
           <nodes><node id="1" uname="maitre"/><node id="2" uname="esclave"/></nodes>
           <resources><clone id="ping-clone"><meta_attributes id="m">
             <nvpair id="m1" name="globally-unique" value="{unique}"/></meta_attributes>
             <primitive id="ping" class="ocf" provider="pacemaker" type="ping"/></clone>
           </resources><constraints/></configuration><status>{}{}</status></cib>"#,
        node_state("1", "maitre", maitre.0, maitre.1),
        node_state("2", "esclave", esclave.0, esclave.1),
    );
    computed(&text)
}

fn ping(id: &str, operations: &[String]) -> String {
    let operations = operations.concat().replace("vip_", &format!("{id}_"));
    format!(
        r#"<lrm_resource id="{id}" class="ocf" provider="pacemaker" type="ping">{operations}
           </lrm_resource>"#
    )
}

#[test]
fn instances_of_an_anonymous_clone_are_known_by_their_node() {
    let mut numbered = Vec::new();
    let runs = |id: &str| ping(id, &[operation("start", 5, 0)]);
    let probed = |id: &str| ping(id, &[operation("monitor", 3, 7)]);
    let mut esclaves = Vec::new();
    for id in ["ping", "ping:0", "ping:1", "ping:7"] {
        esclaves.push(runs(id));
        numbered.push(id);
    }
    let mut maitres = vec![("online", String::new()), ("offline", String::new())];
    for id in numbered {
        maitres.push(("online", runs(id)));
        maitres.push(("offline", runs(id)));
        maitres.push(("online", probed(id)));
    }
    let mut states = Vec::new();
    for esclave in &esclaves {
        for (online, maitre) in &maitres {
            states.push(cloned(false, (online, maitre), ("online", esclave)));
        }
    }
    for old in &states {
        for new in &states {
            for event in between(old, new) {
                let text = event.to_string();
                assert!(!text.contains("esclave"), "{text}");
            }
        }
    }
}

#[test]
fn serializes_with_its_kind() {
    let event = Event::ResourceStopped {
        resource: "vip".into(),
        node: "maitre".into(),
    };
    let json = serde_json::to_string(&event).expect("serializable");
    assert_eq!(
        json,
        r#"{"event":"resource_stopped","resource":"vip","node":"maitre"}"#
    );
}

/// A cluster that fences, with a node in this state.
fn with_fencing(node_state: &str) -> ClusterStatus {
    computed(&format!(
        r#"<cib have-quorum="1" dc-uuid="1" validate-with="pacemaker-3.9"><configuration>
           <crm_config><cluster_property_set id="o">
             <nvpair id="o1" name="stonith-enabled" value="true"/></cluster_property_set>
           </crm_config>
           <nodes><node id="1" uname="maitre"/><node id="2" uname="esclave"/></nodes>
           <resources><primitive id="switch" class="stonith" type="fence_lab"/></resources>
           <constraints/></configuration><status>
           <node_state id="1" uname="maitre" in_ccm="true" crmd="online" join="member" expected="member"/>
           <node_state id="2" uname="esclave" {node_state}/></status></cib>"#
    ))
}

#[test]
fn fencing_is_told_in_whatever_order_the_controller_writes() {
    // As Pacemaker 2.1.5 writes it after a power cut, and after a request to fence a member.
    let online = r#"in_ccm="true" crmd="online" join="member" expected="member""#;
    let lost = r#"in_ccm="false" crmd="offline" join="down" expected="member""#;
    let fenced = r#"in_ccm="false" crmd="offline" join="down" expected="down""#;
    let told = |states: &[&str]| -> Vec<String> {
        let mut follower = Follower::new(with_fencing(states[0]));
        let mut folded = follower.picture().clone();
        let mut told = Vec::new();
        for state in &states[1..] {
            for event in follower.next(with_fencing(state)) {
                let before = folded.clone();
                folded.fold(&event);
                assert_ne!(folded, before, "{event}");
                told.push(event.to_string());
            }
            assert_eq!(&folded, follower.picture());
        }
        told
    };
    let unclean = "node esclave is offline, its state is unknown (unclean)";
    assert_eq!(
        told(&[online, lost, fenced]),
        [unclean, "node esclave was fenced"]
    );
    // Both at once, as when a reader is slow.
    assert_eq!(
        told(&[online, fenced]),
        [unclean, "node esclave was fenced"]
    );
    // One that comes back joins first: as such it is not in standby, which nobody has asked for.
    let joining = r#"in_ccm="true" crmd="online" join="down" expected="down""#;
    let back = told(&[fenced, joining, online]);
    assert!(
        back.contains(&"node esclave is online".to_owned()),
        "{back:?}"
    );
    assert!(
        !back.iter().any(|text| text.contains("standby")),
        "{back:?}"
    );
    // While its state is written anew, nothing is known of what is expected of it.
    let unknown = r#"crmd="offline""#;
    assert_eq!(
        told(&[online, lost, unknown, fenced]),
        [unclean, "node esclave was fenced"]
    );
    // Who has left in order was not fenced.
    let leaves = |state: &str| {
        format!(
            r#"{state}><transient_attributes id="2"><instance_attributes id="t">
               <nvpair id="t-s" name="shutdown" value="1796067504"/></instance_attributes>
               </transient_attributes></node_state><node_state id="3" uname="tiers" {fenced}"#
        )
    };
    let (leaving, left) = (leaves(online), leaves(lost));
    let told = told(&[online, &leaving, &left, fenced]);
    assert!(
        told.contains(&"node esclave is offline".to_owned()),
        "{told:?}"
    );
    assert!(!told.iter().any(|text| text.contains("fenced")), "{told:?}");
}
