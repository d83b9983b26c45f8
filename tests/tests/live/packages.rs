//! `scripts/install-packages` leaves no daemon started or enabled, whatever happens in the middle.

use std::time::Duration;

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, Output};

pub(crate) fn register(harness: &mut Harness) {
    let options = LabOptions {
        nodes: 1,
        start_cluster: false,
        ..LabOptions::default()
    };
    harness.test(
        "packages::no_daemon_is_enabled",
        own(options, no_daemon_is_enabled).limit(Duration::from_secs(600)),
    );
}

const SCRIPT: &str = "/srv/install-packages";

/// What enables a unit or an init script, and what keeps services from starting.
fn switches(node: &Node<'_>) -> Result<String> {
    node.command("sh")
        .args([
            "-c",
            "find /etc/systemd -type l; ls -d /etc/rc?.d/S*; ls -l /usr/sbin/policy-rc.d*",
        ])
        .stdout()
}

/// Makes packages missing, and installs them with a fate for the second of three.
fn install(node: &Node<'_>, fate: &str) -> Result<Output> {
    node.command("sh").arg("/srv/missing.sh").stdout()?;
    node.write("/fate", fate)?;
    run(node)
}

/// Runs it in a group of processes of its own, as a shell does: what Ctrl-C reaches.
///
/// Of an exit status that stands for a signal, the signal is returned.
fn run(node: &Node<'_>) -> Result<Output> {
    let start = format!("echo $$ >/run/installer; exec sh {SCRIPT} lab");
    node.command("sh")
        .args(["-c", "setsid -w sh -c \"$1\"; exit $(($? % 128))", "sh"])
        .arg(start)
        .limit(Duration::from_secs(300))
        .output()
}

fn no_daemon_is_enabled(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    node.write(
        SCRIPT,
        include_str!("../../../scripts/install-packages").as_bytes(),
    )?;
    node.write("/srv/missing.sh", include_str!("packages.sh").as_bytes())?;
    node.command("sh").arg("/srv/missing.sh").stdout()?;
    let before = switches(&node)?;
    assert!(before.contains("own.service"), "{before}");
    let started = || node.read("/run/started").unwrap_or_default();

    for (fate, code) in [("none", Some(0)), ("fail", Some(1)), ("interrupt", Some(2))] {
        let ran = install(&node, fate)?;
        let said = format!("{fate}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.status.code(), code, "{said}");
        assert!(
            said.contains("to install: corosync resource-agents iputils-arping"),
            "{said}"
        );
        assert!(
            said.contains("unit corosync.service left disabled"),
            "{said}"
        );
        assert!(
            said.contains("init script corosync left disabled"),
            "{said}"
        );
        assert_eq!(said.contains("no luck today"), fate == "fail", "{said}");
        assert_eq!(switches(&node)?, before, "{said}");
        assert_eq!(started(), "", "{said}");
        // What was left unpacked is configured later, by whoever; it stays disabled.
        node.write("/fate", "none")?;
        let later = node.command("dpkg").args(["--configure", "-a"]).stdout()?;
        assert_eq!(switches(&node)?, before, "{said}{later}");
        assert_eq!(started(), "", "{said}{later}");
    }

    // Killed: the next run ends what this one began.
    let ran = install(&node, "kill")?;
    assert_eq!(ran.status.code(), Some(9), "{}{}", ran.stdout, ran.stderr);
    let again = run(&node)?;
    let said = format!("{}{}", again.stdout, again.stderr);
    assert!(again.status.success(), "{said}");
    assert!(said.contains("finishing an earlier run"), "{said}");
    assert_eq!(switches(&node)?, before, "{said}");
    assert_eq!(started(), "", "{said}");
    let again = run(&node)?;
    assert_eq!(again.stdout, "packages: nothing to install\n");
    Ok(())
}
