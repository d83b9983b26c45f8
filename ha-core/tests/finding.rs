//! Each finding, from a cluster made for it.

mod sample;

use ha_core::finding::{self, Finding, Severity};
use ha_core::language::Language;
use sample::{Sample, address, ended, meta, monitor};

const MONITOR: &str = r#"<operations><op id="vip-monitor" name="monitor" interval="10s" timeout="20s"/></operations>"#;

/// A cluster without anything to find: fencing by a device, one watched address that runs.
fn fine() -> Sample {
    let mut sample = Sample {
        options: vec![("stonith-enabled", "true")],
        resources: address("vip", MONITOR)
            + r#"<primitive id="fence" class="stonith" type="fence_ipmilan"/>"#,
        ..Sample::default()
    };
    sample.history[0] = vec![
        ("vip", vec![ended("start", 3, 0), monitor(4, 0)]),
        ("fence", vec![ended("start", 5, 0)]),
    ];
    sample
}

fn found(sample: &Sample) -> Vec<Finding> {
    let epoch = jiff::Timestamp::UNIX_EPOCH;
    let found = finding::all(&sample.document(), epoch, &jiff::tz::TimeZone::UTC);
    for finding in &found {
        // Both languages know every finding.
        let words = |language| (finding.text(language), finding.fix(language));
        let (english, french) = (words(Language::English), words(Language::French));
        assert_ne!(english.0, french.0);
        assert!(!english.1.is_empty() && !french.1.is_empty());
    }
    assert!(found.is_sorted_by_key(Finding::severity));
    found
}

fn english(sample: &Sample) -> Vec<String> {
    found(sample)
        .iter()
        .map(|finding| finding.text(Language::English))
        .collect()
}

#[test]
fn a_healthy_cluster_has_none() {
    assert_eq!(found(&fine()), []);
}

#[test]
fn fencing() {
    let mut cluster = fine();
    cluster.options = vec![("stonith-enabled", "false")];
    assert_eq!(found(&cluster), [Finding::FencingOff { nodes: 2 }]);
    let mut cluster = fine();
    cluster.resources = address("vip", MONITOR);
    cluster.history[0].pop();
    assert_eq!(found(&cluster), [Finding::NoFenceDevice]);
    cluster.options.push(("have-watchdog", "true"));
    assert_eq!(found(&cluster), []);
}

#[test]
fn the_cluster_and_its_nodes() {
    let mut cluster = fine();
    cluster.dc = None;
    cluster.quorate = false;
    cluster.options.push(("maintenance-mode", "true"));
    cluster.attributes[1] = vec![("standby", "on")];
    assert_eq!(
        english(&cluster),
        [
            "the cluster has no DC: nobody decides anything",
            "this partition has no quorum",
            "the whole cluster is in maintenance mode: nothing is started, stopped or watched",
            "node esclave is in standby",
        ]
    );
    let mut cluster = fine();
    cluster.online[1] = false;
    assert_eq!(
        found(&cluster),
        [Finding::NodeOffline {
            node: "esclave".into()
        }]
    );
    // Lost, where lost nodes are fenced.
    let seen = |from: &str, to: &str| {
        let xml = fine().xml();
        let state = format!(r#"uname="esclave" {from}"#);
        assert!(xml.contains(&state), "{xml}");
        let xml = xml.replace(&state, &format!(r#"uname="esclave" {to}"#));
        let cib = ha_core::xml::Document::parse(&xml).expect("well-formed");
        finding::all(&cib, jiff::Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC)
    };
    let whole = r#"in_ccm="true" crmd="online" join="member""#;
    assert_eq!(
        seen(whole, r#"in_ccm="false" crmd="offline" join="member""#),
        [Finding::NodeUnclean {
            node: "esclave".into()
        }]
    );
    // Pacemaker was stopped there, Corosync was not.
    assert_eq!(
        seen(
            &format!("{whole}\n                     expected=\"member\""),
            r#"in_ccm="true" crmd="offline" join="down" expected="down""#
        ),
        [Finding::NodeHalfThere {
            node: "esclave".into(),
            corosync: true
        }]
    );
}

#[test]
fn resources() {
    let mut cluster = fine();
    cluster.history[0].remove(0);
    assert_eq!(
        found(&cluster),
        [Finding::NotActive {
            resource: "vip".into()
        }]
    );
    cluster.resources = cluster.resources.replace(
        MONITOR,
        &(MONITOR.to_owned() + &meta("vip", &[("target-role", "Stopped")])),
    );
    assert_eq!(found(&cluster), []);
    let mut cluster = fine();
    cluster.history[1] = vec![("vip", vec![ended("start", 7, 0)])];
    assert_eq!(
        english(&cluster)[0],
        "vip runs on several nodes: maitre, esclave"
    );
    let mut cluster = fine();
    cluster.resources = cluster.resources.replace(
        MONITOR,
        &(MONITOR.to_owned() + &meta("vip", &[("is-managed", "false")])),
    );
    assert_eq!(
        found(&cluster),
        [Finding::Unmanaged {
            resource: "vip".into()
        }]
    );
    let mut cluster = fine();
    cluster.resources = cluster.resources.replace(MONITOR, "");
    assert_eq!(
        found(&cluster),
        [Finding::NoMonitor {
            resources: vec!["vip".into()]
        }]
    );
    // One finding, however many there are.
    cluster.resources += &address("vip2", "");
    cluster.history[0].push(("vip2", vec![ended("start", 6, 0)]));
    let all = found(&cluster);
    assert_eq!(
        all,
        [Finding::NoMonitor {
            resources: vec!["vip".into(), "vip2".into()]
        }]
    );
    assert_eq!(all[0].resources(), ["vip", "vip2"]);
    assert_eq!(
        all[0].text(Language::English),
        "2 resources have no repeated monitor: when one dies, nobody sees it: vip, vip2"
    );
    let mut cluster = fine();
    cluster.history[1] = vec![("gone", vec![ended("start", 9, 0)])];
    assert!(
        found(&cluster).contains(&Finding::Orphan {
            resource: "gone".into()
        }),
        "{:?}",
        found(&cluster)
    );
}

#[test]
fn failures() {
    let mut cluster = fine();
    cluster.history[0][0].1 = vec![ended("start", 3, 0), monitor(4, 7)];
    cluster.transient[0] = vec![("fail-count-vip#monitor_10000", "1")];
    assert_eq!(
        found(&cluster),
        [Finding::FailedOperation {
            resource: "vip".into(),
            node: "maitre".into(),
            task: "monitor".into()
        }]
    );
    cluster.resources = cluster.resources.replace(
        MONITOR,
        &(MONITOR.to_owned() + &meta("vip", &[("migration-threshold", "1")])),
    );
    assert_eq!(
        found(&cluster),
        [Finding::FailedTooOften {
            resource: "vip".into(),
            node: "maitre".into()
        }]
    );
    let mut cluster = fine();
    cluster.options = vec![("stonith-enabled", "false")];
    cluster.history[0][0].1 = vec![ended("stop", 9, 1)];
    assert!(
        english(&cluster).contains(&"the cluster gave vip up after a failure (blocked)".to_owned()),
        "{:?}",
        english(&cluster)
    );
}

#[test]
fn constraints() {
    let mut cluster = fine();
    cluster.constraints = r#"
        <rsc_location id="cli-ban-vip-on-esclave" rsc="vip" node="esclave" score="-INFINITY"/>
        <rsc_location id="cli-prefer-vip" rsc="vip" node="maitre" score="INFINITY"/>
        <rsc_location id="typo" rsc="vpi" node="mattre" score="1"/>
        <rsc_order id="after" first="vip" then="nothing"/>
        <rsc_colocation id="with"><resource_set id="s"><resource_ref id="vip"/>
          <resource_ref id="none"/></resource_set></rsc_colocation>"#
        .to_owned();
    let left = |id: &str| Finding::LeftBehind {
        constraint: id.into(),
        resource: "vip".into(),
    };
    let dangling = |id: &str, name: &str| Finding::DanglingReference {
        constraint: id.into(),
        name: name.into(),
    };
    assert_eq!(
        found(&cluster),
        [
            left("cli-ban-vip-on-esclave"),
            left("cli-prefer-vip"),
            dangling("typo", "vpi"),
            dangling("typo", "mattre"),
            dangling("after", "nothing"),
            dangling("with", "none"),
        ]
    );
}

#[test]
fn pings() {
    let ping = |inside: &str| {
        let mut cluster = fine();
        cluster.resources += &format!(
            r#"<clone id="c"><primitive id="gw" class="ocf" provider="pacemaker" type="ping">
               <operations><op id="gw-m" name="monitor" interval="10s"/></operations>{inside}
               </primitive></clone>"#
        );
        cluster.history[0].push(("gw", vec![ended("start", 9, 0)]));
        cluster
    };
    let unread = |attribute: &str| {
        [Finding::PingUnread {
            resource: "gw".into(),
            attribute: attribute.into(),
        }]
    };
    assert_eq!(found(&ping("")), unread("pingd"));
    let named = r#"<instance_attributes id="i"><nvpair id="n" name="name" value="gate"/></instance_attributes>"#;
    assert_eq!(found(&ping(named)), unread("gate"));
    let rule = |attribute: &str| {
        format!(
            r#"<rsc_location id="l" rsc="vip"><rule id="r" score="-INFINITY">
               <expression id="e" attribute="{attribute}" operation="lte" value="0"/></rule></rsc_location>"#
        )
    };
    for (inside, attribute) in [("", "pingd"), (named, "gate")] {
        let mut cluster = ping(inside);
        cluster.constraints = rule(attribute);
        assert_eq!(found(&cluster), []);
    }
    let mut cluster = ping("");
    cluster.constraints = r#"<rsc_location id="l" rsc="vip"><rule id="r" score-attribute="pingd">
        <expression id="e" attribute="pingd" operation="defined"/></rule></rsc_location>"#
        .to_owned();
    assert_eq!(found(&cluster), []);
}

#[test]
fn links() {
    let links = [("esclave", 0, true), ("esclave", 1, false)];
    let found: Vec<Finding> = finding::of_links(links).collect();
    assert_eq!(
        found,
        [Finding::LinkDown {
            node: "esclave".into(),
            link: 1
        }]
    );
    assert_eq!(found[0].severity(), Severity::Error);
    assert_eq!(
        found[0].text(Language::French),
        "le lien 1 vers esclave est coupé"
    );
}
