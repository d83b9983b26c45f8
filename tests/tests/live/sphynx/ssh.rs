//! OpenSSH between the nodes of a lab.

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::ssh::ROOT_PASSWORD;
use lab::{Lab, LabOptions, Node};

pub(crate) fn register(harness: &mut Harness) {
    let options = LabOptions {
        ssh: true,
        start_cluster: false,
        ..LabOptions::default()
    };
    harness.test("sphynx::ssh::nodes_serve", own(options, nodes_serve));
}

/// Prints the password where ssh asks for one without a terminal.
const ASKPASS: &str = "/usr/local/sbin/askpass";

/// Runs ssh with a password: its exit status and all that it printed.
fn ssh(from: &Node<'_>, password: &str, to: &str) -> Result<(Option<i32>, String)> {
    from.write(ASKPASS, format!("#!/bin/sh\necho '{password}'\n"))?;
    from.command("chmod").args(["755", ASKPASS]).stdout()?;
    let ssh = from.command("ssh");
    let ssh = ssh.args(["-o", "StrictHostKeyChecking=accept-new"]);
    let ssh = ssh.args(["-o", "NumberOfPasswordPrompts=1"]);
    let ssh = ssh.args([to, "hostname; cat /etc/ssh/ssh_host_ed25519_key.pub"]);
    let ssh = ssh.env("SSH_ASKPASS", ASKPASS);
    let output = ssh.env("SSH_ASKPASS_REQUIRE", "force").output()?;
    Ok((output.status.code(), output.stdout + &output.stderr))
}

fn nodes_serve(lab: &Lab) -> Result<()> {
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    let (status, said) = ssh(&maitre, ROOT_PASSWORD, "esclave")?;
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("esclave\n"), "{said}");
    let (status, said) = ssh(&esclave, ROOT_PASSWORD, "maitre")?;
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("maitre\n"), "{said}");

    let (status, said) = ssh(&maitre, "no such password", "esclave")?;
    assert_eq!(status, Some(255), "{said}");
    assert!(said.contains("Permission denied"), "{said}");

    // Keys of their own: neither the other's, nor this machine's.
    let key = "/etc/ssh/ssh_host_ed25519_key.pub";
    let own = std::fs::read_to_string(key).unwrap_or_default();
    let keys = [maitre.read(key)?, esclave.read(key)?];
    assert_ne!(keys[0], keys[1]);
    assert!(!keys.contains(&own));
    // They stay over a power cut.
    lab.power_cut("esclave")?;
    lab.power_on("esclave")?;
    assert_eq!(esclave.read(key)?, keys[1]);
    let (status, said) = ssh(&maitre, ROOT_PASSWORD, "esclave")?;
    assert_eq!(status, Some(0), "{said}");
    Ok(())
}
