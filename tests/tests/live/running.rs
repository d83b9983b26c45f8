//! When what was applied counts as done: when it runs, or when it cannot, with the reason.

use std::process::Stdio;
use std::time::Duration;

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet};

use crate::hactl::{HACTL, done, hactl, install, knob, let_go, located, refused};

pub(crate) fn register(harness: &mut Harness) {
    let limit = Duration::from_secs(900);
    let lab = LabOptions::default;
    harness.test(
        "running::late_attribute",
        own(lab(), late_attribute).limit(limit),
    );
    harness.test("running::failing", own(lab(), failing).limit(limit));
    harness.test(
        "running::held_back",
        own(lab(), what_is_held_back).limit(limit),
    );
}

const LIMIT: Duration = Duration::from_secs(120);
const FILE: &str = "/run/running.xml";

const DUMMY: &str = "class='ocf' provider='pacemaker' type='Dummy'";

/// A configuration of these resources and constraints, without fencing.
fn configuration(resources: &str, constraints: &str) -> String {
    format!(
        "<cib><configuration><crm_config><cluster_property_set id='o'>\
         <nvpair id='o-s' name='stonith-enabled' value='false'/></cluster_property_set></crm_config>\
         <resources>{resources}</resources><constraints>{constraints}</constraints></configuration></cib>"
    )
}

fn apply(node: &Node<'_>, resources: &str, constraints: &str) -> Result<()> {
    node.write(FILE, configuration(resources, constraints))?;
    done(node, &["apply", FILE, "--wait", "--as-is"]).map(drop)
}

fn does_not_come(node: &Node<'_>, resources: &str, constraints: &str) -> Result<String> {
    node.write(FILE, configuration(resources, constraints))?;
    refused(node, &["apply", FILE, "--wait", "--as-is"], 113)
}

/// A constraint with a rule: where an attribute has no value, a resource does not run.
fn needs(resource: &str, attribute: &str) -> String {
    format!(
        "<rsc_location id='{resource}-l' rsc='{resource}'><rule id='{resource}-r' score='-INFINITY'>\
         <expression id='{resource}-e' attribute='{attribute}' operation='not_defined'/></rule></rsc_location>"
    )
}

/// `pingd` comes seconds after `ping` has started, and lets the group start then: that is waited for.
fn late_attribute(lab: &Lab) -> Result<()> {
    install(lab)?;
    let node = lab.node("maitre")?;
    let group = format!(
        "<group id='grappe'><primitive id='un' {DUMMY}/><primitive id='deux' {DUMMY}/></group>\
         <primitive id='aussi' {DUMMY}/>\
         <clone id='pings'><primitive id='ping' class='ocf' provider='pacemaker' type='ping'>\
         <instance_attributes id='p'><nvpair id='p-h' name='host_list' value='127.0.0.1'/>\
         <nvpair id='p-d' name='dampen' value='6s'/></instance_attributes></primitive></clone>"
    );
    // The second waits for the first.
    let after = "<rsc_colocation id='with' rsc='aussi' with-rsc='grappe' score='INFINITY'/>";
    apply(
        &node,
        &group,
        &format!("{}{after}", needs("grappe", "pingd")),
    )?;
    assert_eq!(located(&node, "deux")?.len(), 1);
    assert_eq!(located(&node, "aussi")?, located(&node, "un")?);
    assert_eq!(located(&node, "pings")?.len(), 2);
    // Started again by another parameter, it may be without an attribute for a while.
    done(&node, &["resource", "restart", "pings"])?;
    done(
        &node,
        &["resource", "set", "deux", "fake", "other", "--wait"],
    )?;
    assert_eq!(located(&node, "deux")?.len(), 1);
    // An attribute that does not come: until the time is over, and why.
    let lonely = format!("<primitive id='seul' {DUMMY}/>");
    node.write(FILE, configuration(&lonely, &needs("seul", "site")))?;
    let soon = ["--timeout", "30s", "apply", FILE, "--wait", "--as-is"];
    let output = node.command(HACTL).args(soon).output()?;
    println!("{}", output.stderr);
    assert_eq!(output.status.code(), Some(124), "{}", output.stderr);
    assert!(
        output.stderr.contains("seul does not run") && output.stderr.contains("seul-r"),
        "{}",
        output.stderr
    );
    // One that comes while it is waited for.
    let command = node.command(HACTL).args(["--timeout", "180s"]);
    let command = command.args(["apply", FILE, "--wait", "--as-is"]);
    let mut apply = command.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?;
    done(&node, &["settle"])?;
    assert!(
        apply.child().try_wait()?.is_none(),
        "it waits for the attribute"
    );
    done(&node, &["node", "set", "esclave", "site", "annexe"])?;
    assert!(apply.wait()?.success());
    assert_eq!(located(&node, "seul")?, ["esclave"]);
    Ok(())
}

fn moody(id: &str) -> String {
    format!(
        "<primitive id='{id}' class='ocf' provider='test' type='moody'><operations>\
         <op id='{id}-start' name='start' interval='0' timeout='60s'/>\
         <op id='{id}-stop' name='stop' interval='0' timeout='60s'/></operations></primitive>"
    )
}

/// Starts that fail are told at once, with the exit status, wherever else something runs.
fn failing(lab: &Lab) -> Result<()> {
    install(lab)?;
    let node = lab.node("maitre")?;
    knob(lab, "start", "5")?;
    let said = does_not_come(&node, &moody("slow"), "")?;
    assert!(
        said.contains("slow does not run") && said.contains("not installed"),
        "{said}"
    );
    // Again, nothing changes, and it does not run all the same.
    let said = refused(&node, &["apply", FILE, "--wait", "--as-is"], 113)?;
    assert!(said.contains("slow does not run"), "{said}");
    let said = refused(
        &node,
        &["resource", "set", "slow", "mood", "grim", "--wait"],
        113,
    )?;
    assert!(said.contains("slow does not run"), "{said}");
    let_go(lab, "start")?;
    done(&node, &["resource", "cleanup", "slow"])?;
    done(&node, &["apply", FILE, "--wait", "--as-is"])?;
    // Failed on one node, it runs on the other: that is done.
    done(&node, &["resource", "delete", "slow", "--wait"])?;
    node.write("/run/moody/slow.start", "1")?;
    let here = "<rsc_location id='here' rsc='slow' node='maitre' score='50'/>";
    apply(&node, &moody("slow"), here)?;
    assert_eq!(located(&node, "slow")?, ["esclave"]);
    // An instance of a clone that fails on one node is not all of the clone.
    done(&node, &["resource", "delete", "slow", "--wait"])?;
    let clone = format!("<clone id='all'>{}</clone>", moody("slow"));
    let said = does_not_come(&node, &clone, "")?;
    assert!(
        said.contains("all does not run") && said.contains("on maitre"),
        "{said}"
    );
    assert!(!said.contains("on esclave"), "{said}");
    // A stop that fails, where it is to be stopped.
    let_go(lab, "start")?;
    done(&node, &["resource", "cleanup", "all"])?;
    done(&node, &["settle"])?;
    assert_eq!(located(&node, "all")?.len(), 2);
    node.write("/run/moody/slow.stop", "1")?;
    let stopped = "<meta_attributes id='m'><nvpair id='m-t' name='target-role' value='Stopped'/></meta_attributes>";
    let clone = format!("<clone id='all'>{stopped}{}</clone>", moody("slow"));
    let said = does_not_come(&node, &clone, "")?;
    assert!(said.contains("stop failed"), "{said}");
    Ok(())
}

/// What is not to run is not waited for; what has no node is told with the reason.
fn what_is_held_back(lab: &Lab) -> Result<()> {
    install(lab)?;
    let node = lab.node("maitre")?;
    let meta = |id: &str, name: &str, value: &str| {
        format!(
            "<meta_attributes id='{id}-m'><nvpair id='{id}-m-n' name='{name}' value='{value}'/></meta_attributes>"
        )
    };
    let primitive =
        |id: &str, inside: &str| format!("<primitive id='{id}' {DUMMY}>{inside}</primitive>");
    let resources = [
        primitive("still", &meta("still", "target-role", "Stopped")),
        primitive("alone", &meta("alone", "is-managed", "false")),
        primitive("apart", &meta("apart", "maintenance", "true")),
        // What depends on them is held back with them.
        primitive("with", ""),
        format!(
            "<group id='half'>{}{}{}</group>",
            primitive("first", ""),
            primitive("second", &meta("second", "target-role", "Stopped")),
            primitive("third", "")
        ),
        format!("<clone id='each'>{}</clone>", primitive("one", "")),
    ]
    .concat();
    let constraints = "<rsc_colocation id='with-still' rsc='with' with-rsc='still' score='INFINITY'/>\
        <rsc_order id='after-still' first='still' then='with'/>";
    apply(&node, &resources, constraints)?;
    for id in ["still", "alone", "apart", "with", "second", "third"] {
        assert_eq!(located(&node, id)?, [""; 0], "{id}");
    }
    assert_eq!(located(&node, "first")?.len(), 1);
    assert_eq!(located(&node, "each")?.len(), 2);
    // Stopped by an administrator, it is not started by another value, nor waited for.
    done(&node, &["resource", "stop", "each", "--wait"])?;
    done(&node, &["resource", "set", "one", "fake", "2", "--wait"])?;
    done(&node, &["resource", "start", "each", "--wait"])?;
    done(
        &node,
        &[
            "resource",
            "set",
            "first",
            "target-role",
            "Stopped",
            "--meta",
            "--wait",
        ],
    )?;
    assert_eq!(located(&node, "first")?, [""; 0]);
    // A clone runs where it can.
    done(&node, &["node", "standby", "esclave", "--wait"])?;
    done(&node, &["resource", "set", "one", "fake", "3", "--wait"])?;
    assert_eq!(located(&node, "each")?, ["maitre"]);
    // Nothing runs without a node.
    done(&node, &["node", "standby", "maitre", "--wait"])?;
    let said = does_not_come(&node, &primitive("late", ""), "")?;
    assert!(
        said.contains("late does not run") && said.contains("standby"),
        "{said}"
    );
    done(&node, &["node", "online", "maitre", "--wait"])?;
    done(&node, &["node", "online", "esclave", "--wait"])?;
    let nowhere = "<rsc_location id='not-1' rsc='nowhere' node='maitre' score='-INFINITY'/>\
        <rsc_location id='not-2' rsc='nowhere' node='esclave' score='-INFINITY'/>";
    let both = [primitive("nowhere", ""), primitive("late", "")].concat();
    let said = does_not_come(&node, &both, nowhere)?;
    assert!(
        said.contains("nowhere does not run") && said.contains("not-1") && said.contains("not-2"),
        "{said}"
    );
    assert!(!said.contains("late does not run"), "{said}");
    // A node that is in the cluster again is a place.
    lab.power_cut("esclave")?;
    let output = hactl(&node, &["apply", FILE, "--wait", "--as-is"])?;
    assert_eq!(output.status.code(), Some(113));
    lab.wait_until(
        LIMIT,
        "it runs on the node that is left",
        || match located(&node, "late")?.as_slice() {
            [on] if on == "maitre" => Ok(()),
            other => Err(NotYet::because(other.join(" "))),
        },
    )
}
