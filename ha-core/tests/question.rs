//! Yes/no questions, asked of made-up clusters.

mod sample;

use ha_core::question::{Answer, Question};
use ha_core::{ErrorKind, Result};
use sample::{Sample, address, ended, meta, monitor};

/// An address on maitre, a group of which one member runs, a clone on both nodes.
fn cluster() -> Sample {
    let mut sample = Sample {
        resources: address("vip", "")
            + &format!(
                r#"<group id="pair">{}{}</group><clone id="ping-clone">{}</clone>"#,
                address("first", ""),
                address("second", ""),
                address("ping", "")
            ),
        ..Sample::default()
    };
    sample.history[0] = vec![
        ("vip", vec![ended("start", 3, 0), monitor(4, 0)]),
        ("first", vec![ended("start", 5, 0)]),
        ("ping", vec![ended("start", 6, 0)]),
    ];
    sample.history[1] = vec![("ping", vec![ended("start", 7, 0)])];
    sample
}

fn ask(sample: &Sample, question: &str) -> Result<Answer> {
    question.parse::<Question>()?.ask(&sample.state())
}

fn is(sample: &Sample, question: &str) -> bool {
    ask(sample, question).expect(question).yes
}

#[test]
fn resources() {
    let cluster = cluster();
    for yes in [
        "vip started",
        "vip started on maitre",
        "VIP is NOT started on esclave"
            .replace("VIP", "vip")
            .as_str(),
        "resource vip is started on MAITRE",
        "vip stopped on esclave",
        "vip not stopped",
        "vip managed",
        "vip not failed",
        "vip not pending",
        "pair not started",
        "pair not stopped",
        "first started on maitre",
        "second stopped",
        "ping-clone started on maitre,esclave",
        "ping-clone started on maitre, esclave",
        "ping-clone not promoted",
    ] {
        assert!(is(&cluster, yes), "{yes}");
    }
    for no in ["vip started on esclave", "vip stopped", "vip unpromoted"] {
        assert!(!is(&cluster, no), "{no}");
    }
    let answer = ask(&cluster, "vip started on esclave").expect("understood");
    assert_eq!(answer.because, "vip is Started on maitre");
    let answer = ask(&cluster, "pair started").expect("understood");
    assert_eq!(
        answer.because,
        "pair is first: Started on maitre, second: Stopped"
    );
}

#[test]
fn a_start_under_way_is_not_started() {
    let mut cluster = cluster();
    cluster.history[0][0].1 = vec![ended("start", 3, 193)];
    assert!(is(&cluster, "vip not started and vip pending on maitre"));
    assert!(is(&cluster, "vip not pending on esclave"));
    let answer = ask(&cluster, "cluster idle").expect("understood");
    assert_eq!(answer.because, "start of vip is under way");
    assert!(!answer.yes);
}

#[test]
fn failures_and_management() {
    let mut cluster = cluster();
    assert!(is(&cluster, "cluster clean and cluster idle"));
    cluster.resources = cluster.resources.replace(
        &address("vip", ""),
        &address("vip", &meta("vip", &[("is-managed", "false")])),
    );
    cluster.history[0][0].1[1] = monitor(4, 1);
    assert!(is(&cluster, "vip not managed and vip failed on maitre"));
    assert!(is(&cluster, "vip not failed on esclave"));
    // It failed, so it does not serve; but it is there, with whatever it still holds.
    assert!(is(&cluster, "vip not started and vip not stopped"));
    assert!(is(&cluster, "vip stopped on esclave"));
    let answer = ask(&cluster, "cluster is clean").expect("understood");
    assert_eq!(answer.because, "monitor of vip failed on maitre");
}

#[test]
fn nodes_and_the_cluster() {
    let mut cluster = cluster();
    cluster.attributes[1] = vec![("standby", "on")];
    for yes in [
        "maitre online",
        "node maitre is online",
        "esclave standby and maitre not standby",
        "maitre is dc",
        "esclave not dc",
        "cluster quorate",
        "cluster is not maintenance",
        "node esclave is not unclean and node esclave not pending",
    ] {
        assert!(is(&cluster, yes), "{yes}");
    }
    cluster.online[1] = false;
    cluster.quorate = false;
    cluster.options.push(("maintenance-mode", "true"));
    assert!(is(
        &cluster,
        "esclave not online and cluster not quorate and cluster maintenance"
    ));
}

#[test]
fn a_name_of_both_is_the_resource_unless_told() {
    let mut cluster = cluster();
    cluster.resources = address("esclave", "");
    assert!(is(&cluster, "esclave stopped and esclave online"));
    assert!(is(
        &cluster,
        "esclave not pending and node esclave not pending"
    ));
    // Words of the grammar can be names.
    cluster.resources = address("node", "") + &address("is", "");
    assert!(is(&cluster, "node stopped and is stopped"));
}

#[test]
fn what_is_not_known_is_an_error() {
    let cluster = cluster();
    for (question, kind, text) in [
        (
            "nothing started",
            ErrorKind::NotFound,
            "no resource 'nothing'",
        ),
        (
            "vip started on ailleurs",
            ErrorKind::NotFound,
            "no node 'ailleurs'",
        ),
        ("ailleurs online", ErrorKind::NotFound, "no node 'ailleurs'"),
        ("", ErrorKind::Invalid, "a name is missing"),
        ("vip", ErrorKind::Invalid, "a state is missing"),
        ("vip started and", ErrorKind::Invalid, "a name is missing"),
        ("vip running", ErrorKind::Invalid, "'running' is no state"),
        (
            "vip started maitre",
            ErrorKind::Invalid,
            "'maitre' is not expected",
        ),
        ("vip started on", ErrorKind::Invalid, "a node is missing"),
        ("vip started on ,", ErrorKind::Invalid, "a node is missing"),
        (
            "cluster started",
            ErrorKind::Invalid,
            "a cluster cannot be started",
        ),
        (
            "cluster idle on maitre",
            ErrorKind::Invalid,
            "cannot be idle on a node",
        ),
        (
            "node maitre failed",
            ErrorKind::Invalid,
            "a node cannot be failed",
        ),
        (
            "resource vip online",
            ErrorKind::Invalid,
            "a resource cannot be online",
        ),
    ] {
        let error = ask(&cluster, question).expect_err(question);
        assert_eq!(error.kind(), kind, "{question}: {error:#}");
        assert!(format!("{error:#}").contains(text), "{question}: {error:#}");
        assert!(error.hint().is_some(), "{question}");
    }
}

/// A clone whose only instance is on maitre, anonymous or unique, and a clone of a group.
fn clones(unique: &str) -> Sample {
    let mut sample = Sample {
        resources: format!(
            r#"<clone id="c">{}{}</clone><clone id="gs"><group id="g">{}{}</group></clone>"#,
            meta("c", &[("globally-unique", unique)]),
            address("p", ""),
            address("x", ""),
            address("y", ""),
        ),
        ..Sample::default()
    };
    let instance = if unique == "true" { "p:0" } else { "p" };
    sample.history[0] = vec![(instance, vec![ended("start", 3, 0)])];
    sample.history[1] = vec![
        ("x", vec![ended("start", 4, 0)]),
        ("y", vec![ended("start", 5, 0)]),
    ];
    sample
}

#[test]
fn the_id_of_what_is_cloned_means_any_instance() {
    for unique in ["false", "true"] {
        let cluster = clones(unique);
        for yes in [
            "p started",
            "p started on maitre",
            "p not started on esclave",
            "p stopped on esclave",
            "p not stopped",
            "p managed",
            "resource p is not failed",
            "p:0 started on maitre",
            "p:1 stopped",
            "g started on esclave and g not started on maitre",
            "x started on esclave and y not started on maitre",
        ] {
            assert!(is(&cluster, yes), "{unique}: {yes}");
        }
        let none = Sample {
            history: Default::default(),
            ..clones(unique)
        };
        assert!(is(&none, "p stopped and p not started and g stopped"));
        assert!(ask(&none, "p:7 started").is_err());
    }
}

#[test]
fn the_instances_of_a_clone_are_told_together() {
    let because = |cluster: &Sample, question| ask(cluster, question).expect(question).because;
    let one = clones("false");
    for (question, told) in [
        (
            "c started on esclave",
            "c is Started on maitre, Stopped (1 instance)",
        ),
        (
            "p started on esclave",
            "p is Started on maitre, Stopped (1 instance)",
        ),
    ] {
        assert_eq!(because(&one, question), told);
    }
    let unique = clones("true");
    assert_eq!(
        because(&unique, "c started on esclave"),
        "c is p:0: Started on maitre, p:1: Stopped"
    );
    let mut all = cluster();
    assert_eq!(
        because(&all, "ping-clone stopped"),
        "ping-clone is Started on maitre and esclave"
    );
    all.history = Default::default();
    assert_eq!(
        because(&all, "ping-clone started"),
        "ping-clone is Stopped (2 instances)"
    );
}
