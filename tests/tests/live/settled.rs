//! When a cluster counts as settled: with the scheduler to ask, and without.

use std::process::Stdio;
use std::time::Duration;

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet};

use crate::hactl::{HACTL, MOODY, cib, done, hold, install, let_go, located, moves};

pub(crate) fn register(harness: &mut Harness) {
    let limit = Duration::from_secs(900);
    let lab = LabOptions::default;
    harness.test("settled::probes", own(lab(), probes).limit(limit));
    harness.test(
        "settled::no_simulator",
        own(lab(), no_simulator).limit(limit),
    );
}

/// Sets an empty path, and runs the program.
const WITHOUT: [&str; 2] = ["PATH=/run/nothing-here", HACTL];

const LIMIT: Duration = Duration::from_secs(120);

/// The nodes that have looked at a resource.
fn looked_at(node: &Node<'_>, id: &str) -> Result<Vec<String>> {
    let cib = cib(node)?;
    let status = cib.root().child("status");
    let states = status
        .into_iter()
        .flat_map(|s| s.children_named("node_state"));
    let has_looked = |state: &ha_core::xml::Element<'_>| {
        let mut all = state.descendants();
        all.any(|e| {
            let of_resource = e.parent().and_then(|p| p.attribute("id")) == Some(id);
            e.name() == "lrm_rsc_op" && of_resource && e.attribute("op-status") == Some("0")
        })
    };
    let names = states
        .filter(has_looked)
        .filter_map(|s| s.attribute("uname"));
    Ok(names.map(str::to_owned).collect())
}

/// A resource that is not to run is looked at once on each node: nothing else happens, and it is waited for.
fn probes(lab: &Lab) -> Result<()> {
    install(lab)?;
    let node = lab.node("esclave")?;
    done(
        &node,
        &["option", "set", "stonith-enabled", "false", "--wait"],
    )?;
    for round in 0..10 {
        let id = format!("still{round}");
        let held = format!(
            "<cib><configuration><resources><primitive id='{id}' class='ocf' provider='pacemaker' type='Dummy'>\
             <meta_attributes id='{id}-m'><nvpair id='{id}-m-t' name='target-role' value='Stopped'/>\
             </meta_attributes></primitive></resources></configuration></cib>"
        );
        node.write("/run/still.xml", held)?;
        done(&node, &["apply", "/run/still.xml", "--wait", "--as-is"])?;
        assert_eq!(looked_at(&node, &id)?.len(), 2, "{id}");
    }
    Ok(())
}

/// Without `crm_simulate` in the path: what cannot be foretold is said, all else works.
fn no_simulator(lab: &Lab) -> Result<()> {
    install(lab)?;
    let node = lab.node("maitre")?;
    node.write("/run/moody.xml", MOODY)?;
    let run = |words: &[&str]| {
        let command = node.command("env").args(WITHOUT);
        let command = command
            .args(["--timeout", "180s"])
            .args(words.iter().copied());
        let output = command.output()?;
        println!(
            "hactl {}: {}\n{}{}",
            words.join(" "),
            output.status,
            output.stdout,
            output.stderr
        );
        Ok::<_, ha_core::Error>(output)
    };
    // What would be changed is told, what would follow is not, and why.
    let dry = run(&["apply", "/run/moody.xml", "--as-is", "--dry-run"])?;
    assert!(
        dry.status.success() && dry.stdout.contains("+ primitive slow"),
        "{}",
        dry.stderr
    );
    assert!(
        dry.stderr.contains("crm_simulate") && dry.stderr.contains("pacemaker-cli-utils"),
        "{}",
        dry.stderr
    );
    assert!(!cib(&node)?.to_xml().contains("moody"));
    // Waits end when it is done, not before.
    assert!(
        run(&["apply", "/run/moody.xml", "--as-is", "--wait"])?
            .status
            .success()
    );
    assert_eq!(located(&node, "slow")?, ["maitre"]);
    hold(lab, "stop")?;
    let command = node.command("env").args(WITHOUT);
    let command = command.args(["--timeout", "180s", "resource", "move", "slow", "esclave"]);
    let mut mover = command.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?;
    lab.wait_until(LIMIT, "the stop is under way", || {
        let xml = cib(&node)?.to_xml();
        let is_pending = xml
            .lines()
            .any(|l| l.contains("operation_key=\"slow_stop_0\"") && l.contains("op-status=\"-1\""));
        if is_pending {
            Ok(())
        } else {
            Err(NotYet::because("it is not"))
        }
    })?;
    assert!(mover.child().try_wait()?.is_none(), "the stop is under way");
    let_go(lab, "stop")?;
    assert!(mover.wait()?.success());
    assert_eq!(located(&node, "slow")?, ["esclave"]);
    assert_eq!(moves(&node)?, [""; 0]);
    // Where it cannot run: tried, for nobody could tell; not reached, and nothing left behind.
    let refused = run(&["resource", "move", "stubborn", "esclave"])?;
    assert_eq!(refused.status.code(), Some(113), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("stubborn_only"),
        "{}",
        refused.stderr
    );
    assert_eq!(moves(&node)?, [""; 0]);
    assert!(run(&["settle"])?.status.success());
    Ok(())
}
