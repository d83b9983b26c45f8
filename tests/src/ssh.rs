//! OpenSSH's server on the cluster nodes, as `root` of a Sphynx machine is reached by its peer.

use std::fs;
use std::time::Duration;

use ha_core::{ErrorExt as _, Result};

use crate::config::SeedFile;
use crate::{Lab, Node, NotYet};

/// The password of `root` on the machines of a lab with [`LabOptions::ssh`](crate::LabOptions::ssh).
pub const ROOT_PASSWORD: &str = "eole-lab";

/// The same, as `/etc/shadow` has it.
const HASH: &str = "$6$labsalt0$zyq72YCtB3Mpfl32QLkFEWs98aeVKbqw1n0wHDUyVaVdC8OdDjRXWd4q91FNfaWkftvG/s7FLsm6zoP09qDHM.";

/// The server alone is configured: clients ask about unknown hosts as on any machine. Without PAM,
/// whose modules of this machine may want what a namespace has not.
const CONFIGURATION: &str = "PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
";

/// What a node has on its disk for it.
pub(crate) fn files() -> Vec<SeedFile> {
    vec![SeedFile::new("/etc/ssh/sshd_config", CONFIGURATION)]
}

/// Waits until the SSH server of a machine answers.
///
/// # Errors
/// [`ha_core::ErrorKind::Timeout`].
pub fn wait_for_server(lab: &Lab, node: &Node<'_>, limit: Duration) -> Result<()> {
    let what = format!("the SSH server of {} answers", node.name());
    lab.wait_until(limit, &what, || {
        let keys = node
            .command("ssh-keyscan")
            .args(["-T", "5", "127.0.0.1"])
            .output()?;
        if keys.stdout.contains("ssh-ed25519") {
            Ok(())
        } else {
            Err(NotYet::because(keys.stderr))
        }
    })
}

/// Returns the fingerprint of a machine, as it tells itself.
///
/// # Errors
/// That of `ssh-keygen`.
pub fn fingerprint(node: &Node<'_>) -> Result<String> {
    let command = node.command("ssh-keygen");
    let listed = command.args(["-lf", "/etc/ssh/ssh_host_ed25519_key.pub"]);
    let listed = listed.stdout()?;
    let word = listed.split_whitespace().nth(1);
    Ok(word.unwrap_or_default().to_owned())
}

/// Forgets the keys of this machine's own server and of its `root`, and sets the password; in the
/// machine, on its own disk.
pub(crate) fn prepare() -> Result<()> {
    for entry in fs::read_dir("/etc/ssh").context("read /etc/ssh")? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("ssh_host_") {
            fs::remove_file(&path)?;
        }
    }
    match fs::remove_dir_all("/root/.ssh") {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    let shadow = fs::read_to_string("/etc/shadow").context("read /etc/shadow")?;
    fs::write("/etc/shadow", with_password(&shadow)).context("write /etc/shadow")
}

/// Makes the machine's keys, then serves. A program and its arguments.
pub(crate) const SERVER: (&str, [&str; 2]) =
    ("sh", ["-c", "ssh-keygen -A && exec /usr/sbin/sshd -D -e"]);

/// What the server says.
pub(crate) const LOG: &str = "/var/log/sshd.log";

/// Returns the table with the password of `root` set, never to be changed by force.
fn with_password(shadow: &str) -> String {
    let others = shadow.lines().filter(|line| !line.starts_with("root:"));
    let root = format!("root:{HASH}:19000:0:99999:7:::");
    std::iter::once(&*root)
        .chain(others)
        .map(|line| format!("{line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_root_alone_is_set() {
        let shadow = "daemon:*:1:0:99999:7:::\nroot:!:0:0:99999:7:::\nrooty:x:1::::::\n";
        let expected =
            format!("root:{HASH}:19000:0:99999:7:::\ndaemon:*:1:0:99999:7:::\nrooty:x:1::::::\n");
        assert_eq!(with_password(shadow), expected);
    }
}
