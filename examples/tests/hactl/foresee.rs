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
