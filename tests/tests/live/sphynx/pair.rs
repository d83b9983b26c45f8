//! What happens to the pair when its networks are cut, and when its nodes start: together, or one alone.

use std::collections::BTreeSet;
use std::time::Duration;

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Link, NotYet, sphynx};

use super::set_up::{set_up, settings};
use super::{LIMIT, has_started, settle};
use crate::lab_itself::wait_line;

pub(crate) fn register(harness: &mut Harness) {
    let lab = LabOptions::default;
    let limit = Duration::from_secs(900);
    harness.test(
        "sphynx::pair::dialogue_cut",
        own(lab(), dialogue).limit(limit),
    );
    harness.test("sphynx::pair::starts", own(lab(), starts).limit(limit));
}

fn dialogue(lab: &Lab) -> Result<()> {
    set_up(lab, &settings(&[]), &[])?;
    dialogue_cut(lab)
}

/// Waits until all of the group runs on one node, whichever; returns its name.
fn wait_on_one(lab: &Lab) -> Result<String> {
    settle(lab)?;
    let on = runs_on(lab, "maitre", "VIP_externe")?;
    assert_eq!(on.len(), 1, "{on:?}");
    let on = on.into_iter().next().unwrap_or_default();
    lab.wait_sphynx(&on, LIMIT)?;
    Ok(on)
}

/// The nodes on which a node says that a resource runs.
fn runs_on(lab: &Lab, asked: &str, resource: &str) -> Result<BTreeSet<String>> {
    let command = lab.node(asked)?.command("crm_resource");
    let text = command
        .args(["--locate", "--resource", resource])
        .stdout()?;
    let lines = text
        .lines()
        .filter_map(|line| line.split_once("running on: "));
    Ok(lines.map(|(_, node)| node.trim().to_owned()).collect())
}

/// The hardware addresses that answer for `VIP_externe`, as the gateway hears them.
fn answer_for_the_vip(lab: &Lab) -> Result<BTreeSet<String>> {
    let arping = lab.node("gateway")?.command("arping");
    let arping = arping.args([
        "-b",
        "-c",
        "3",
        "-w",
        "3",
        "-I",
        "eth0",
        sphynx::VIP_EXTERNE,
    ]);
    let text = arping.output()?.stdout;
    let found = text.lines().filter_map(|line| line.split_once('['));
    let found = found.filter_map(|(_, rest)| rest.split_once(']'));
    Ok(found.map(|(address, _)| address.to_owned()).collect())
}

/// One link of the dialogue, no fencing: each node believes that the other is lost, and both run the
/// group, addresses and all. When they meet again one of them gives it up.
fn dialogue_cut(lab: &Lab) -> Result<()> {
    assert_eq!(answer_for_the_vip(lab)?.len(), 1);
    lab.cut("maitre", Link::Ha1)?;
    for (node, other) in [("maitre", "esclave"), ("esclave", "maitre")] {
        wait_line(lab, node, &format!("Online: [ {node} ]"))?;
        wait_line(lab, node, &format!("OFFLINE: [ {other} ]"))?;
        // A node of two without its peer is quorate all the same.
        let quorum = lab.node(node)?.command("corosync-quorumtool").arg("-s");
        let quorum = quorum.stdout()?;
        assert!(quorum.contains("Quorate:          Yes"), "{quorum}");
        lab.wait_until(LIMIT, &format!("{node} runs the group alone"), || {
            for resource in sphynx::GROUP {
                let on = runs_on(lab, node, resource)?;
                if !on.iter().eq([node]) {
                    return Err(NotYet::because(format!("{resource}: {on:?}")));
                }
            }
            Ok(())
        })?;
    }
    let both = answer_for_the_vip(lab)?;
    assert_eq!(both.len(), 2, "{both:?}");

    lab.heal("maitre", Link::Ha1)?;
    lab.wait_online(LIMIT)?;
    wait_on_one(lab)?;
    let one = answer_for_the_vip(lab)?;
    assert_eq!(one.len(), 1, "{one:?}");
    Ok(())
}

fn starts(lab: &Lab) -> Result<()> {
    set_up(lab, &settings(&[]), &[])?;
    let off = || -> Result<()> {
        for name in ["esclave", "maitre"] {
            lab.power_cut(name)?;
        }
        Ok(())
    };
    // Both at once: the group goes where it is preferred.
    off()?;
    lab.power_on_together(&["maitre", "esclave"])?;
    settle(lab)?;
    lab.wait_sphynx("maitre", LIMIT)?;
    assert!(!has_started(lab, "VIP_externe", "esclave")?);

    // One alone has no quorum: with `two_node`, corosync waits for all at the start. The policy of the
    // cluster decides what that means.
    let quorum = |word: &str| -> Result<()> {
        let asked = lab.node("maitre")?.command("corosync-quorumtool");
        let said = asked.arg("-s").output()?.stdout;
        assert!(
            said.contains(&format!("Quorate:          {word}")),
            "{said}"
        );
        assert!(said.contains("WaitForAll"), "{said}");
        Ok(())
    };
    off()?;
    lab.power_on("maitre")?;
    quorum("No")?;
    // `ignore`: the group starts. The other node might well run it too, were only the dialogue cut.
    lab.wait_sphynx("maitre", LIMIT)?;
    quorum("No")?;

    let policy = lab.node("maitre")?.command("crm_attribute");
    policy
        .args(["-n", "no-quorum-policy", "-v", "stop"])
        .stdout()?;
    settle(lab)?;
    assert!(runs_on(lab, "maitre", "VIP_externe")?.is_empty());
    lab.power_cut("maitre")?;
    lab.power_on("maitre")?;
    settle(lab)?;
    quorum("No")?;
    assert!(!has_started(lab, "VIP_externe", "maitre")?);
    // Until somebody says that the other is really off, or it comes.
    let cmap = lab.node("maitre")?.command("corosync-cmapctl");
    cmap.args(["-s", "quorum.cancel_wait_for_all", "u8", "1"])
        .stdout()?;
    lab.wait_sphynx("maitre", LIMIT)?;
    quorum("Yes")
}
