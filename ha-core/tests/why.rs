//! Each reason why a resource does not run, from a cluster made for it.

mod sample;

use ha_core::ErrorKind;
use ha_core::language::Language;
use ha_core::why::{self, Explanation};
use sample::{Operation, Sample, address, ended, meta, monitor};

fn explain(sample: &Sample, resource: &str) -> Explanation {
    let epoch = jiff::Timestamp::UNIX_EPOCH;
    why::explain(
        &sample.document(),
        epoch,
        &jiff::tz::TimeZone::UTC,
        resource,
    )
    .expect(resource)
}

/// What is said in English, each reason with its next step.
fn said(sample: &Sample, resource: &str) -> Vec<String> {
    let reasons = explain(sample, resource).reasons;
    reasons
        .iter()
        .map(|reason| {
            // Both languages know every cause.
            let french = reason.text(Language::French);
            assert!(
                !french.is_empty() && french != reason.text(Language::English),
                "{french}"
            );
            let text = reason.text(Language::English);
            match reason.next_step(Language::English) {
                Some(step) => format!("{text} -> {step}"),
                None => text,
            }
        })
        .collect()
}

fn one(inside: &str) -> Sample {
    Sample {
        resources: address("vip", inside),
        ..Sample::default()
    }
}

#[test]
fn what_runs_has_no_reason_against_it() {
    let mut cluster = one("");
    cluster.history[0] = vec![("vip", vec![ended("start", 3, 0), monitor(4, 0)])];
    let why = explain(&cluster, "vip");
    assert!(why.active);
    assert_eq!(why.active_on, ["maitre"]);
    assert_eq!(
        said(&cluster, "vip"),
        ["on esclave: nothing keeps it off; it runs on maitre"]
    );
}

#[test]
fn nothing_known_is_nothing_said() {
    let why = explain(&one(""), "vip");
    assert!(!why.active && why.active_on.is_empty() && why.reasons.is_empty());
}

#[test]
fn the_whole_cluster() {
    let mut cluster = one("");
    cluster.dc = None;
    cluster.quorate = false;
    cluster
        .options
        .extend([("maintenance-mode", "true"), ("stop-all-resources", "true")]);
    assert_eq!(
        said(&cluster, "vip"),
        [
            "the cluster has no DC: nobody decides anything -> look at the daemons: \
             systemctl status corosync pacemaker",
            "this partition has no quorum, so nothing is started -> see who is missing: \
             corosync-quorumtool -s",
            "the whole cluster is in maintenance mode -> crm_attribute --name maintenance-mode --delete",
            "all resources are to be stopped (stop-all-resources) -> \
             crm_attribute --name stop-all-resources --delete",
        ]
    );
    cluster.options.push(("no-quorum-policy", "ignore"));
    assert!(!said(&cluster, "vip").join("\n").contains("quorum,"));
}

#[test]
fn roles_and_management_name_the_element_that_sets_them() {
    let cluster = one(&meta("vip", &[("target-role", "Stopped")]));
    assert_eq!(
        said(&cluster, "vip"),
        ["its target role is Stopped (set on vip) -> \
          crm_resource --resource vip --meta --delete-parameter target-role"]
    );
    let group = |pairs: &[(&str, &str)]| Sample {
        resources: format!(
            r#"<group id="pair">{}{}{}</group>"#,
            meta("pair", pairs),
            address("vip", ""),
            address("other", "")
        ),
        ..Sample::default()
    };
    assert_eq!(
        said(&group(&[("is-managed", "false")]), "vip"),
        [
            "the cluster may not start or stop it: it is unmanaged (set on pair) -> \
          crm_resource --resource pair --meta --delete-parameter is-managed"
        ]
    );
    assert_eq!(
        said(&group(&[("maintenance", "true")]), "pair"),
        ["it is in maintenance (set on pair) -> \
          crm_resource --resource pair --meta --delete-parameter maintenance"]
    );
}

#[test]
fn nodes() {
    let mut cluster = one("");
    cluster.online[0] = false;
    cluster.attributes[1] = vec![("standby", "on"), ("maintenance", "true")];
    assert_eq!(
        said(&cluster, "vip"),
        [
            "on maitre: the node is offline -> start the cluster on maitre: \
             systemctl start corosync pacemaker",
            "on esclave: the node is in standby -> \
             crm_attribute --node esclave --name standby --delete",
            "on esclave: the node is in maintenance -> \
             crm_attribute --node esclave --name maintenance --delete",
        ]
    );
    let mut cluster = one("");
    cluster
        .options
        .push(("node-health-strategy", "migrate-on-red"));
    cluster.transient[0] = vec![("#health-disk", "red")];
    assert_eq!(
        said(&cluster, "vip"),
        ["on maitre: the node's health keeps resources off -> \
          look at the attributes whose names begin with #health: crm_mon -1A"]
    );
    // The DC lost a node whose last state it does not know, and it can fence it.
    let mut cluster = one("");
    cluster.options = vec![("stonith-enabled", "true")];
    cluster.resources += r#"<primitive id="fence" class="stonith" type="fence_ipmilan"/>"#;
    let xml = cluster.xml().replace(
        r#"uname="maitre" in_ccm="true" crmd="online""#,
        r#"uname="maitre" in_ccm="false" crmd="offline""#,
    );
    let document = ha_core::xml::Document::parse(&xml).expect("well-formed");
    let epoch = jiff::Timestamp::UNIX_EPOCH;
    let why = why::explain(&document, epoch, &jiff::tz::TimeZone::UTC, "vip").expect("known");
    assert_eq!(
        why.reasons[0].text(Language::English),
        "on maitre: the node is lost and must be fenced first (unclean)"
    );
    assert_eq!(
        why.reasons[0].next_step(Language::French).as_deref(),
        Some("s'assurer que maitre est éteint, puis : stonith_admin --confirm maitre")
    );
}

#[test]
fn failures() {
    let failed = Operation {
        reason: "no such interface",
        ..ended("start", 3, 1)
    };
    let mut cluster = one("");
    cluster.history[0] = vec![("vip", vec![failed])];
    cluster.transient[0] = vec![("fail-count-vip#start_0", "INFINITY")];
    assert_eq!(
        said(&cluster, "vip"),
        [
            "on maitre: it failed there INFINITY times of at most INFINITY; \
          start failed (error: no such interface) -> mend the cause, then: \
          crm_resource --cleanup --resource vip --node maitre"
        ]
    );
    let mut cluster = one(&meta("vip", &[("migration-threshold", "3")]));
    cluster.transient[0] = vec![("fail-count-vip#monitor_10000", "3")];
    cluster.history[0] = vec![("vip", vec![ended("stop", 9, 0)])];
    assert_eq!(
        said(&cluster, "vip")[0],
        "on maitre: it failed there 3 times of at most 3 -> mend the cause, then: \
         crm_resource --cleanup --resource vip --node maitre"
    );
    // Fewer failures than allowed: it may try again there.
    cluster.transient[0] = vec![("fail-count-vip#monitor_10000", "2")];
    cluster.history[0] = vec![("vip", vec![ended("start", 3, 0), monitor(4, 7)])];
    assert_eq!(
        said(&cluster, "vip"),
        [
            "on maitre: monitor failed there (not running) -> mend the cause, then: \
          crm_resource --cleanup --resource vip --node maitre"
        ]
    );
    let missing = Operation {
        reason: "Setup problem: couldn't find command: ip",
        ..ended("monitor", 2, 5)
    };
    let mut cluster = one("");
    cluster.history[1] = vec![("vip", vec![missing])];
    assert_eq!(
        said(&cluster, "vip"),
        [
            "on esclave: ocf:heartbeat:IPaddr2, or what it runs, is not installed: \
          Setup problem: couldn't find command: ip -> install it on esclave, then: \
          crm_resource --cleanup --resource vip --node esclave"
        ]
    );
}

#[test]
fn a_failed_stop_blocks() {
    let mut cluster = one("");
    cluster.history[0] = vec![("vip", vec![ended("stop", 4, 1)])];
    let said = said(&cluster, "vip");
    assert!(
        said[0].starts_with("the cluster gave it up after a failure (blocked) -> stop it by hand"),
        "{said:?}"
    );
}

#[test]
fn locations() {
    let mut cluster = one("");
    cluster.constraints =
        r#"<rsc_location id="cli-ban-vip-on-maitre" rsc="vip" node="maitre" score="-INFINITY"/>
        <rsc_location id="rather" rsc="vip" node="esclave" score="-100"/>"#
            .to_owned();
    assert_eq!(
        said(&cluster, "vip"),
        [
            "on maitre: constraint cli-ban-vip-on-maitre forbids this node -> \
             crm_resource --clear --resource vip --node maitre",
            "on esclave: constraint rather makes it a worse place (score -100) -> \
             read it: cibadmin --query --xpath \"//*[@id='rather']\"",
        ]
    );
    // As at EOLE: no gateway answers the ping of this node.
    cluster.constraints =
        r#"<rsc_location id="near-gateway" rsc="vip"><rule id="no-gateway" score="-INFINITY"
        boolean-op="or"><expression id="e1" attribute="pingd" operation="not_defined"/>
        <expression id="e2" attribute="pingd" operation="lte" value="0"/></rule></rsc_location>"#
            .to_owned();
    cluster.transient[0] = vec![("pingd", "100")];
    assert_eq!(
        said(&cluster, "vip"),
        ["on esclave: constraint no-gateway forbids this node -> \
          read it: cibadmin --query --xpath \"//*[@id='no-gateway']\""]
    );
    cluster.options.push(("symmetric-cluster", "false"));
    cluster.constraints =
        r#"<rsc_location id="allowed" rsc="vip" node="maitre" score="0"/>"#.to_owned();
    assert_eq!(
        said(&cluster, "vip"),
        [
            "on esclave: no constraint allows this node, and the cluster is not symmetric -> \
          add a location constraint with a score of 0 or more for esclave"
        ]
    );
}

#[test]
fn members_of_a_group_wait_for_the_one_before() {
    let mut cluster = Sample {
        resources: format!(
            r#"<group id="pair">{}{}</group>"#,
            address("first", &meta("first", &[("target-role", "Stopped")])),
            address("second", "")
        ),
        ..Sample::default()
    };
    // Of the group, the first member that is not active counts.
    assert_eq!(
        said(&cluster, "pair"),
        ["its target role is Stopped (set on first) -> \
          crm_resource --resource first --meta --delete-parameter target-role"]
    );
    let needs = "it comes after first in its group, which is not active -> \
                 see why first is not active: crm_mon --why first";
    assert_eq!(said(&cluster, "second"), [needs]);
    cluster.history[0] = vec![("first", vec![ended("start", 3, 0)])];
    assert!(!said(&cluster, "second").contains(&needs.to_owned()));
}

/// Four addresses of which the named ones run on maitre.
fn four(constraint: &str, running: &[&'static str]) -> Sample {
    let mut sample = Sample {
        resources: ["a", "b", "c", "d"].map(|id| address(id, "")).concat(),
        constraints: constraint.to_owned(),
        ..Sample::default()
    };
    sample.history[0] = running
        .iter()
        .map(|&id| (id, vec![ended("start", 3, 0)]))
        .collect();
    sample
}

fn set(id: u32, members: &str, attributes: &str) -> String {
    let references: String = members
        .chars()
        .map(|c| format!(r#"<resource_ref id="{c}"/>"#))
        .collect();
    format!(r#"<resource_set id="s{id}" {attributes}>{references}</resource_set>"#)
}

/// The resources that one waits for.
fn waits_for(sample: &Sample, resource: &str) -> Vec<String> {
    explain(sample, resource)
        .reasons
        .into_iter()
        .filter_map(|reason| match reason.cause {
            why::Cause::Needs { resource, .. } => Some(resource),
            _ => None,
        })
        .collect()
}

#[test]
fn orders() {
    let order = |attributes: &str| {
        four(
            &format!(r#"<rsc_order id="o" first="a" then="b" {attributes}/>"#),
            &[],
        )
    };
    for mandatory in [
        "",
        "kind='Mandatory'",
        "score='INFINITY'",
        "score='10'",
        "score='-10'",
    ] {
        assert_eq!(waits_for(&order(mandatory), "b"), ["a"], "{mandatory}");
        assert!(waits_for(&order(mandatory), "a").is_empty());
    }
    for optional in ["kind='Optional'", "kind='Serialize'", "score='0'"] {
        assert!(waits_for(&order(optional), "b").is_empty(), "{optional}");
    }
    assert!(waits_for(&order("first-action='stop'"), "b").is_empty());
    let sets = |first: &str, running: &[&'static str]| {
        let sets = set(1, "ab", first) + &set(2, "cd", "");
        four(&format!(r#"<rsc_order id="o">{sets}</rsc_order>"#), running)
    };
    assert_eq!(waits_for(&sets("", &[]), "d"), ["c", "a", "b"]);
    assert_eq!(waits_for(&sets("", &["a"]), "b"), Vec::<String>::new());
    let any = r#"sequential="false" require-all="false""#;
    assert!(waits_for(&sets(any, &["b"]), "c").is_empty());
    assert_eq!(waits_for(&sets(any, &[]), "c"), ["a"]);
    assert!(waits_for(&sets(any, &[]), "b").is_empty());
}

#[test]
fn colocations() {
    let pair = |score: &str, running: &[&'static str]| {
        four(
            &format!(r#"<rsc_colocation id="c" rsc="a" with-rsc="b" score="{score}"/>"#),
            running,
        )
    };
    assert_eq!(
        said(&pair("INFINITY", &[]), "a"),
        ["it must be where b is, which is not active -> \
          see why b is not active: crm_mon --why b"]
    );
    assert_eq!(
        said(&pair("INFINITY", &["b"]), "a"),
        [
            "on esclave: b is not there, and constraint c keeps both together -> \
          see what keeps b where it is: crm_mon --why b"
        ]
    );
    assert!(said(&pair("500", &["b"]), "a").is_empty());
    assert_eq!(
        said(&pair("-INFINITY", &["b"]), "a"),
        [
            "on maitre: b is there, and constraint c keeps both apart -> \
          see what keeps b where it is: crm_mon --why b"
        ]
    );
    // As crm_simulate has it: in a set each with the one before; each set with the set after it.
    let sets = set(1, "ab", "") + &set(2, "cd", "");
    let sets = four(
        &format!(r#"<rsc_colocation id="c" score="INFINITY">{sets}</rsc_colocation>"#),
        &[],
    );
    assert_eq!(waits_for(&sets, "a"), ["c", "d"]);
    assert_eq!(waits_for(&sets, "b"), ["a", "c", "d"]);
    assert_eq!(waits_for(&sets, "d"), ["c"]);
    assert!(waits_for(&sets, "c").is_empty());
}

#[test]
fn tickets() {
    let mut cluster = one("");
    cluster.constraints = r#"<rsc_ticket id="t" rsc="vip" ticket="site"/>"#.to_owned();
    assert_eq!(
        said(&cluster, "vip"),
        ["this site does not have ticket site (constraint t) -> \
          when no other site has it: crm_ticket --ticket site --grant"]
    );
    cluster.tickets = r#"<ticket_state id="site" granted="true" standby="true"/>"#.to_owned();
    assert_eq!(
        said(&cluster, "vip"),
        ["ticket site is in standby (constraint t) -> crm_ticket --ticket site --activate"]
    );
    cluster.tickets = r#"<ticket_state id="site" granted="true"/>"#.to_owned();
    assert!(said(&cluster, "vip").is_empty());
}

#[test]
fn clones_are_looked_at_node_by_node() {
    let mut cluster = Sample {
        resources: format!(
            r#"<clone id="ping-clone">{}{}</clone>"#,
            meta("ping-clone", &[("clone-max", "2")]),
            address("ping", "")
        ),
        ..Sample::default()
    };
    cluster.history[0] = vec![("ping", vec![ended("start", 3, 0)])];
    cluster.attributes[1] = vec![("standby", "on")];
    let why = explain(&cluster, "ping-clone");
    assert_eq!(why.active_on, ["maitre"]);
    assert_eq!(why.reasons.len(), 1, "{:?}", why.reasons);
    assert_eq!(
        why.reasons[0].text(Language::English),
        "on esclave: the node is in standby"
    );
    cluster.attributes[1].clear();
    cluster.resources = cluster.resources.replace(r#"value="2""#, r#"value="1""#);
    assert_eq!(
        said(&cluster, "ping-clone"),
        ["on esclave: all 1 instances that may run are running elsewhere"]
    );
}

#[test]
fn what_is_under_way_comes_first() {
    let mut cluster = one("");
    cluster.history[0] = vec![("vip", vec![ended("start", 3, 193)])];
    cluster.attributes[1] = vec![("standby", "on")];
    assert_eq!(said(&cluster, "vip")[0], "on maitre: start is under way");
}

#[test]
fn what_is_not_configured() {
    let epoch = jiff::Timestamp::UNIX_EPOCH;
    let cluster = one("");
    let error = why::explain(
        &cluster.document(),
        epoch,
        &jiff::tz::TimeZone::UTC,
        "nothing",
    )
    .expect_err("unknown");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let mut cluster = Sample::default();
    cluster.history[0] = vec![("gone", vec![ended("start", 3, 0)])];
    assert!(
        said(&cluster, "gone")
            .iter()
            .any(|text| text.starts_with("it is not configured any more")),
        "{:?}",
        said(&cluster, "gone")
    );
}

/// A clone with an instance on maitre.
fn cloned(unique: &str) -> Sample {
    let mut sample = Sample {
        resources: format!(
            r#"<clone id="c">{}{}</clone>"#,
            meta("c", &[("globally-unique", unique)]),
            address("p", "")
        ),
        ..Sample::default()
    };
    let instance = if unique == "true" { "p:0" } else { "p" };
    sample.history[0] = vec![(instance, vec![ended("start", 3, 0), monitor(4, 0)])];
    sample
}

#[test]
fn what_is_cloned_is_known_by_its_id_in_the_configuration() {
    for unique in ["false", "true"] {
        let mut cluster = cloned(unique);
        for name in ["c", "p", "p:0"] {
            let why = explain(&cluster, name);
            assert!(why.active, "{unique}: {name}");
            assert_eq!(why.active_on, ["maitre"], "{unique}: {name}");
        }
        let why = explain(&cluster, "p:1");
        assert!(!why.active && why.active_on.is_empty(), "{unique}: {why:?}");
        cluster.history = Default::default();
        cluster.attributes[0] = vec![("standby", "on")];
        for name in ["c", "p", "p:0", "p:1"] {
            let why = explain(&cluster, name);
            assert!(!why.active, "{unique}: {name}");
            assert_eq!(
                said(&cluster, name),
                ["on maitre: the node is in standby -> \
                  crm_attribute --node maitre --name standby --delete"],
                "{unique}: {name}"
            );
        }
    }
}

#[test]
fn a_node_without_an_instance_is_never_passed_over() {
    for name in ["c", "p"] {
        assert_eq!(
            said(&cloned("false"), name),
            [
                "on esclave: no instance is there, and nothing in the CIB tells why -> \
              look at the scores: crm_simulate --live-check --show-scores"
            ]
        );
    }
}

#[test]
fn without_a_fence_device_nothing_starts() {
    const NOTHING: &str = "fencing is on, but no device is configured: no resource is started -> \
        configure a fence device, or accept the risk: \
        crm_attribute --name stonith-enabled --update false";
    // Fencing is on unless it is turned off.
    for options in [vec![], vec![("stonith-enabled", "true")]] {
        let mut cluster = one("");
        cluster.options = options;
        assert_eq!(said(&cluster, "vip"), [NOTHING]);
        // What runs is left running.
        cluster.history[0] = vec![("vip", vec![ended("start", 3, 0), monitor(4, 0)])];
        assert!(!said(&cluster, "vip").contains(&NOTHING.to_owned()));
        let mut cluster = cloned("false");
        cluster.options.clear();
        assert_eq!(said(&cluster, "c"), [NOTHING]);
        cluster.options.push(("have-watchdog", "true"));
        assert!(!said(&cluster, "c").contains(&NOTHING.to_owned()));
    }
    let mut cluster = one("");
    cluster.options.clear();
    cluster.resources += r#"<primitive id="fence" class="stonith" type="fence_ipmilan"/>"#;
    assert!(said(&cluster, "vip").is_empty());
}
