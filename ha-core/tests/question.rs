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
