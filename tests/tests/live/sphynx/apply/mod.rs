//! `appliquer_hautedispo` on a pair: from machines that know nothing of a cluster to one that is told its changes.

mod changes;
mod first;

use std::time::Duration;

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, Output};

use super::LIMIT;

pub(crate) fn register(harness: &mut Harness) {
    let limit = Duration::from_secs(900);
    let bare = || LabOptions {
        start_cluster: false,
        ..LabOptions::default()
    };
    let running = LabOptions::default;
    harness.test(
        "sphynx::apply::first",
        own(bare(), first::first).limit(limit),
    );
    harness.test("sphynx::apply::knet", own(bare(), first::knet).limit(limit));
    harness.test(
        "sphynx::apply::bad_machines",
        own(bare(), first::bad_machines),
    );
    harness.test(
        "sphynx::apply::changes",
        own(running(), changes::changes).limit(limit),
    );
    harness.test(
        "sphynx::apply::gateways",
        own(running(), changes::gateways).limit(limit),
    );
    harness.test(
        "sphynx::apply::killed",
        own(running(), changes::killed).limit(limit),
    );
    harness.test(
        "sphynx::apply::off",
        own(running(), changes::off).limit(limit),
    );
}

/// Where the program is inside the nodes.
const PROGRAM: &str = "/usr/local/sbin/appliquer_hautedispo";
const SETTINGS: &str = "/etc/eole/hautedispo.toml";
/// The annotated example is of the lab's addresses.
const EXAMPLE: &str = include_str!("../../../../../examples/sphynx/hautedispo.toml");
const CONF: &str = "/etc/corosync/corosync.conf";
const LIST: &str = "/etc/ha.d/.rsc_list";

/// Builds the program, and puts it and its settings on the nodes.
fn install(lab: &Lab) -> Result<()> {
    let program =
        std::fs::read(crate::crm_mon::build_beside("settings")?.join("appliquer_hautedispo"))?;
    for node in lab.nodes() {
        node.write(PROGRAM, &program)?;
        node.command("mkdir").args(["-p", "/etc/eole"]).stdout()?;
        node.command("chmod").args(["755", PROGRAM]).stdout()?;
    }
    settings(lab, EXAMPLE)
}

/// Gives both nodes these settings.
fn settings(lab: &Lab, text: &str) -> Result<()> {
    lab.nodes()
        .iter()
        .try_for_each(|node| node.write(SETTINGS, text))
}

/// The example with something in it replaced, which must be there.
fn with(old: &str, new: &str) -> String {
    assert!(EXAMPLE.contains(old), "{old}");
    EXAMPLE.replacen(old, new, 1)
}

/// Runs the program, and returns what it printed, whatever its exit status.
fn run(node: &Node<'_>, words: &[&str]) -> Result<Output> {
    let output = node
        .command(PROGRAM)
        .args(words.iter().copied())
        .limit(LIMIT)
        .output()?;
    let (name, status) = (node.name(), output.status);
    println!(
        "{name}: appliquer_hautedispo {}: {status}\n{}{}",
        words.join(" "),
        output.stdout,
        output.stderr
    );
    Ok(output)
}

/// Runs the program, which must succeed without a warning, and returns what it printed.
fn done(node: &Node<'_>, words: &[&str]) -> Result<String> {
    let output = run(node, words)?;
    assert!(output.status.success(), "{words:?}: {}", output.stderr);
    assert_eq!(output.stderr, "", "{words:?}");
    Ok(output.stdout)
}

/// Runs the program, which must end with this exit code, and returns the error that it printed.
fn refused(node: &Node<'_>, words: &[&str], code: i32) -> Result<String> {
    let output = run(node, words)?;
    assert_eq!(output.status.code(), Some(code), "{words:?}");
    Ok(output.stderr)
}

/// What a file is: its inode, when it was changed, its rights and owner.
fn state(node: &Node<'_>, path: &str) -> Result<String> {
    node.command("stat")
        .args(["-c", "%i %y %a %U:%G", path])
        .stdout()
}

/// Pacemaker's own checks find nothing.
fn verify(node: &Node<'_>) -> Result<()> {
    let verified = node
        .command("crm_verify")
        .args(["--live-check", "-V"])
        .output()?;
    assert!(verified.status.success(), "{}", verified.stderr);
    assert_eq!(verified.stderr, "");
    Ok(())
}
