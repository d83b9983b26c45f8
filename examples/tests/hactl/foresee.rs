//! What a move would do, told beforehand. Without `crm_simulate` there is nobody to ask.

use crate::run::{File, PAIR, has_scheduler};

#[test]
fn a_move_that_cannot_be_says_why() {
    if !has_scheduler() {
        return;
    }
    let file = File::new(PAIR);
    let told = file.hactl(&["--dry-run", "resource", "move", "b", "esclave"]);
    assert_eq!(told.code, Some(113), "{told:?}");
    assert!(
        told.err.contains("constraint b_never forbids this node"),
        "{told:?}"
    );
    assert_eq!(file.cib(), PAIR);
    let told = file.hactl(&["-n", "--json", "resource", "move", "b", "esclave"]);
    assert_eq!(told.code, Some(113), "{told:?}");
    assert_eq!(told.json()[0]["would_do"], serde_json::json!([]));
    assert_eq!(told.json_errors()[0]["kind"], "Unsatisfied");
    // One that can be, one that is not needed.
    let told = file.hactl(&["-n", "resource", "move", "vpn", "esclave"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(
        told.out.contains("  move a from maitre to esclave\n"),
        "{told:?}"
    );
    let told = file.hactl(&["-n", "resource", "move", "vpn", "maitre"]);
    assert_eq!(
        (told.code, told.out.as_str()),
        (Some(0), "it is there already\n")
    );
}

#[test]
fn a_move_takes_back_no_ban() {
    if !has_scheduler() {
        return;
    }
    let file = File::new(PAIR);
    let banned = file.hactl(&["resource", "ban", "vpn", "esclave"]);
    assert_eq!(banned.code, Some(0), "{banned:?}");
    let told = file.hactl(&["-n", "resource", "move", "vpn", "esclave"]);
    assert_eq!(told.code, Some(113), "{told:?}");
    assert!(told.err.contains("cli-ban-vpn-on-esclave"), "{told:?}");
    // What would do is about the resource that is banned, not about its first member.
    assert!(
        told.err
            .contains("crm_resource --clear --resource vpn --node esclave"),
        "{told:?}"
    );
    // Wanted for good, it is: and that is told.
    let told = file.hactl(&["-n", "resource", "prefer", "vpn", "esclave"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(
        told.out.contains("- rsc_location cli-ban-vpn-on-esclave\n"),
        "{told:?}"
    );
}

#[test]
fn a_restart_of_what_is_stopped_is_refused_beforehand() {
    if !has_scheduler() {
        return;
    }
    let file = File::new(&PAIR.replace(
        "<primitive id=\"b\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\"",
        "<primitive id=\"c\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\"><meta_attributes id=\"c-m\">\
         <nvpair id=\"c-t\" name=\"target-role\" value=\"Stopped\"/></meta_attributes></primitive>\
         <primitive id=\"b\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\"",
    ));
    let told = file.hactl(&["-n", "resource", "restart", "c"]);
    assert_eq!(told.code, Some(113), "{told:?}");
    assert!(told.err.contains("target-role"), "{told:?}");
}

/// `PAIR` with a resource whose start has failed for good on maitre, and there is no room for it on esclave.
fn with_a_failure() -> String {
    let failed = "<lrm_resource id=\"bad\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\">\
        <lrm_rsc_op id=\"bad_last_failure_0\" operation_key=\"bad_start_0\" operation=\"start\" \
        transition-key=\"1:1:0:aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa\" \
        transition-magic=\"0:1;1:1:0:aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa\" call-id=\"90\" rc-code=\"1\" \
        op-status=\"0\" interval=\"0\" last-rc-change=\"1796000000\"/>\
        <lrm_rsc_op id=\"bad_last_0\" operation_key=\"bad_stop_0\" operation=\"stop\" \
        transition-key=\"2:1:0:aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa\" \
        transition-magic=\"0:0;2:1:0:aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa\" call-id=\"91\" rc-code=\"0\" \
        op-status=\"0\" interval=\"0\" last-rc-change=\"1796000001\"/></lrm_resource>";
    let bad = "<primitive id=\"bad\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\">\
        <utilization id=\"bad-u\"><nvpair id=\"bad-u-m\" name=\"memory\" value=\"64\"/></utilization></primitive>";
    let count = "<nvpair id=\"f-bad\" name=\"fail-count-bad#start_0\" value=\"INFINITY\"/>";
    let changes = [
        ("<group id=\"vpn\">", format!("{bad}<group id=\"vpn\">")),
        ("<lrm id=\"1\">\n        <lrm_resources>", format!("<lrm id=\"1\"><lrm_resources>{failed}")),
        (
            "<instance_attributes id=\"status-1\">",
            format!("<instance_attributes id=\"status-1\">{count}"),
        ),
        (
            "<node id=\"1\" uname=\"maitre\"/>",
            "<node id=\"1\" uname=\"maitre\"><utilization id=\"u1\"><nvpair id=\"u1-m\" name=\"memory\" \
             value=\"100\"/></utilization></node>"
                .to_owned(),
        ),
        (
            "name=\"stonith-enabled\" value=\"false\"/>",
            "name=\"stonith-enabled\" value=\"false\"/>\
             <nvpair id=\"o-p\" name=\"placement-strategy\" value=\"utilization\"/>"
                .to_owned(),
        ),
    ];
    changes.iter().fold(PAIR.to_owned(), |cib, (from, to)| {
        assert!(cib.contains(from), "{from}");
        cib.replace(from, to)
    })
}

#[test]
fn a_refused_move_says_what_why_says() {
    if !has_scheduler() {
        return;
    }
    let file = File::new(&with_a_failure());
    let reason = "on maitre: it failed there INFINITY times";
    let why = file.hactl(&["why", "bad"]);
    assert!(why.out.contains(reason), "{why:?}");
    for words in [
        &["-n", "resource", "move", "bad", "maitre"][..],
        &["-n", "resource", "move", "bad", "esclave"],
        &["-n", "resource", "move", "bad"],
    ] {
        let told = file.hactl(words);
        assert_eq!(told.code, Some(113), "{told:?}");
        assert!(told.err.contains(reason), "{told:?}");
        assert!(
            told.err
                .contains("crm_resource --cleanup --resource bad --node maitre"),
            "{told:?}"
        );
        assert!(!told.err.contains("RESOURCE"), "{told:?}");
    }
    // No reason is known: where to ask.
    let file = File::new(
        &with_a_failure()
            .replace("fail-count-bad#start_0", "other")
            .replace("rc-code=\"1\"", "rc-code=\"0\"")
            .replace("=\"0:1;1:1:0", "=\"0:0;1:1:0"),
    );
    let told = file.hactl(&["-n", "resource", "move", "bad", "esclave"]);
    assert_eq!(told.code, Some(113), "{told:?}");
    assert!(told.err.contains("hactl why bad"), "{told:?}");
}
