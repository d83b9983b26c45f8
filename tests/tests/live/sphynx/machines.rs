//! What the tests of `instance` and `synchro-nodes` have in common: the programs on two machines, with what such
//! machines have.

use std::path::PathBuf;
use std::time::Duration;

use ha_core::{Error, Result};
use lab::ssh::wait_for_server;
use lab::{Lab, LabOptions, Node, Output};

/// How long a step may take on a busy machine; a key of 4096 bits takes its time.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// Where the programs are inside the nodes.
pub(crate) const FOLDER: &str = "/usr/local/sbin";

/// The settings, as the example has them.
pub(crate) const SETTINGS: &str = include_str!("../../../../examples/sphynx/hautedispo.toml");
pub(crate) const SETTINGS_PATH: &str = "/etc/eole/hautedispo.toml";

/// The data base of ARV.
pub(crate) const BASE: &str = "/var/lib/arv/db/sphynxdb.sqlite";

/// Two machines that serve SSH, without a cluster.
pub(crate) fn machines() -> LabOptions {
    LabOptions {
        ssh: true,
        start_cluster: false,
        ..LabOptions::default()
    }
}

fn programs() -> Result<PathBuf> {
    let mut folder = crate::crm_mon::build()?;
    folder.pop();
    Ok(folder)
}

/// Builds the programs, and puts them on both machines with their settings; the files are the maître's alone.
pub(crate) fn install(lab: &Lab) -> Result<()> {
    let programs = programs()?;
    let wrapper = include_str!("../../../../examples/sphynx/systemd/synchro-nodes.sh");
    for node in lab.nodes() {
        let beside = programs.display();
        // The build folder is seen in the machines.
        sh(
            &node,
            &format!(
                "mkdir -p /etc/eole /var/lib/arv/db /etc/ipsec.d {FOLDER}
                 for name in instance synchro-nodes; do ln -sf {beside}/$name {FOLDER}/; done
                 rm -rf /etc/ipsec.conf /etc/ipsec.secrets /etc/ipsec.d/* /etc/swanctl"
            ),
        )?;
        node.write(&format!("{FOLDER}/synchro-nodes.sh"), wrapper)?;
        sh(&node, &format!("chmod 755 {FOLDER}/synchro-nodes.sh"))?;
        node.write(SETTINGS_PATH, SETTINGS)?;
    }
    Ok(())
}

/// Gives the maître what a Sphynx has: secrets, certificates, a link, a data base.
pub(crate) fn fill(maitre: &Node<'_>) -> Result<()> {
    sh(
        maitre,
        &format!(
            "umask 022
             echo 'conn Sphynx-Amon_1-t1' >/etc/ipsec.conf
             (umask 077; echo ': PSK \"secret\"' >/etc/ipsec.secrets)
             mkdir -p /etc/ipsec.d/certs /etc/ipsec.d/private
             chmod 700 /etc/ipsec.d/private
             echo certificate >/etc/ipsec.d/certs/amon.pem
             echo 'the key' >/etc/ipsec.d/private/sphynx.pem
             chown daemon:adm /etc/ipsec.d/private/sphynx.pem
             chmod 640 /etc/ipsec.d/private/sphynx.pem
             ln -s certs/amon.pem /etc/ipsec.d/current
             touch -d '2026-01-02 03:04:05' /etc/ipsec.conf
             sqlite3 {BASE} 'create table t(x); create table u(x); insert into t values(1); insert into u values(1)'
             chown daemon:daemon {BASE}; chmod 660 {BASE}"
        ),
    )
    .map(drop)
}

/// Has each machine know and open the other, as `instance` leaves them.
pub(crate) fn join(lab: &Lab) -> Result<()> {
    let nodes = [lab.node("maitre")?, lab.node("esclave")?];
    for (node, peer) in nodes.iter().zip(["10.0.254.12", "10.0.254.11"]) {
        wait_for_server(lab, node, LIMIT)?;
        sh(
            node,
            &format!(
                "umask 077; mkdir -p /root/.ssh
                 ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
                 ssh-keyscan {peer} >/root/.ssh/known_hosts 2>/dev/null"
            ),
        )?;
    }
    for (node, other) in [(0, 1), (1, 0)] {
        let key = nodes[node].read("/root/.ssh/id_ed25519.pub")?;
        sh(&nodes[other], "umask 077; mkdir -p /root/.ssh")?;
        nodes[other].write("/root/.ssh/authorized_keys", key)?;
        sh(&nodes[other], "chmod 600 /root/.ssh/authorized_keys")?;
    }
    Ok(())
}

/// Runs a script of the shell, which must succeed; returns what it printed.
pub(crate) fn sh(node: &Node<'_>, script: &str) -> Result<String> {
    let command = node.command("sh").args(["-e", "-c", script]);
    command.limit(LIMIT).stdout()
}

/// Runs a program of ours without a terminal.
pub(crate) fn program(node: &Node<'_>, name: &str, words: &[&str]) -> Result<Output> {
    let command = node.command(name).args(words.iter().copied());
    let output = command.limit(LIMIT).output()?;
    println!(
        "{}: {name} {}: {}\n{}{}",
        node.name(),
        words.join(" "),
        output.status,
        output.stdout,
        output.stderr
    );
    Ok(output)
}

/// Runs a program that must end with this exit status, and say all of these on its two outputs.
pub(crate) fn ends(
    node: &Node<'_>,
    name: &str,
    words: &[&str],
    code: i32,
    parts: &[&str],
) -> Result<String> {
    let output = program(node, name, words)?;
    let said = output.stdout + &output.stderr;
    if output.status.code() != Some(code) {
        return Err(Error::invalid(format!(
            "status {:?}, not {code}: {said}",
            output.status.code()
        )));
    }
    for part in parts {
        if !said.contains(part) {
            return Err(Error::invalid(format!("no {part:?} in: {said}")));
        }
    }
    Ok(said)
}
