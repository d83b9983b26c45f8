//! Fencing as `hactl` tells and orders it, beside `stonith_admin`.

use std::time::Duration;

use ha_core::{Error, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet};
use serde_json::{Value, json};

use crate::daemons::fencers::add_switch;
use crate::hactl::{done, install, refused};

pub(crate) fn register(harness: &mut Harness) {
    let limit = Duration::from_secs(600);
    harness.test(
        "fencing::told",
        own(LabOptions::default(), told).limit(limit),
    );
}

const LIMIT: Duration = Duration::from_secs(120);

/// Two levels of one node, and one by a pattern that the node's own levels hide.
const TOPOLOGY: &str = "<cib><configuration><fencing-topology>\
    <fencing-level id='l2' target='esclave' index='2' devices='switch'/>\
    <fencing-level id='l1' target='esclave' index='1' devices='switch'/>\
    <fencing-level id='l3' target-pattern='^e' index='3' devices='switch'/>\
    </fencing-topology></configuration></cib>";

fn parsed(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|e| Error::invalid(format!("{e}: {text}")))
}

fn told(lab: &Lab) -> Result<()> {
    install(lab)?;
    let node = lab.node("maitre")?;
    let tool = |words: &[&str]| {
        let command = node.command("stonith_admin").args(words.iter().copied());
        command.output().map(|output| output.stdout)
    };
    assert_eq!(
        done(&node, &["fencing", "devices"])?,
        "there is no fence device\n"
    );
    assert_eq!(
        done(&node, &["fencing", "history"])?,
        "nothing was fenced\n"
    );
    add_switch(lab, "esclave")?;
    // Devices, and what they can do.
    let devices = parsed(&done(&node, &["--json", "fencing", "devices"])?)?;
    assert_eq!(devices[0]["id"], "switch");
    assert_eq!(devices[0]["agent"], "fence_lab");
    assert_eq!(devices[0]["targets"], json!(["esclave"]));
    assert!(tool(&["--list", "esclave"])?.contains("switch"));
    assert!(!tool(&["--list", "maitre"])?.contains("switch"));
    let devices = done(&node, &["fencing", "devices", "esclave"])?;
    assert!(
        devices.contains("switch")
            && devices.contains("can fence esclave")
            && devices.contains("as this node's fencer knows them"),
        "{devices}"
    );
    assert_eq!(
        done(&node, &["fencing", "devices", "maitre"])?,
        "no fence device that this node's fencer knows can fence it\n"
    );
    refused(&node, &["fencing", "devices", "maitr"], 105)?;
    // Levels.
    assert!(done(&node, &["fencing", "levels"])?.starts_with("no levels"));
    node.write("/run/topology.xml", TOPOLOGY)?;
    done(&node, &["apply", "/run/topology.xml", "--wait"])?;
    let levels = done(&node, &["fencing", "levels", "esclave"])?;
    let levels: Vec<&str> = levels
        .lines()
        .map(|line| line.split("level ").nth(1).unwrap())
        .collect();
    assert_eq!(levels, ["1: switch", "2: switch"]);
    assert!(done(&node, &["fencing", "levels", "maitre"])?.starts_with("no levels"));
    assert!(done(&node, &["fencing", "levels"])?.contains("~^e"));
    // What was fenced, or tried. There is no other device: without levels, any will do.
    let without = node
        .command("cibadmin")
        .args(["--delete", "--xml-text", "<fencing-topology/>"]);
    without.args(["--scope", "configuration"]).stdout()?;
    let failed = node
        .command("stonith_admin")
        .args(["-F", "esclave", "-t", "60"])
        .status()?;
    assert!(!failed.success(), "the switch still gives power");
    let history = parsed(&done(&node, &["--json", "fencing", "history"])?)?;
    assert_eq!(history[0]["target"], "esclave");
    assert_eq!(history[0]["state"], "failed");
    assert!(tool(&["--history", "*", "--verbose"])?.contains("esclave"));
    lab.power_cut("esclave")?;
    node.write("/run/no-power", "")?;
    done(&node, &["node", "fence", "esclave", "--off"])?;
    let history = done(&node, &["fencing", "history", "esclave"])?;
    let newest = history.lines().next().unwrap_or_default();
    assert!(
        newest.contains("off esclave: succeeded") || newest.contains("reboot esclave: succeeded"),
        "{history}"
    );
    assert!(history.lines().count() >= 2, "{history}");
    assert_eq!(
        done(&node, &["fencing", "history", "maitre"])?,
        "nothing was fenced\n"
    );
    // Forgotten, as the tool sees it.
    let would = done(&node, &["--dry-run", "fencing", "cleanup", "esclave"])?;
    assert!(would.starts_with("would be forgotten:\n"), "{would}");
    assert!(done(&node, &["fencing", "history"])?.contains("esclave"));
    let forgotten = done(&node, &["fencing", "cleanup", "esclave"])?;
    assert!(forgotten.starts_with("forgotten:\n"), "{forgotten}");
    assert!(forgotten.contains("esclave: succeeded"), "{forgotten}");
    lab.wait_until(LIMIT, "the history is forgotten", || {
        let left = tool(&["--history", "*"])?;
        if left.contains("of esclave") {
            Err(NotYet::because(left))
        } else {
            Ok(())
        }
    })?;
    assert_eq!(
        done(&node, &["fencing", "history"])?,
        "nothing was fenced\n"
    );
    Ok(())
}
