//! The pair of Sphynx machines, with the services that such a pair really has.

use std::time::Duration;

use ha_core::{Error, ErrorKind, Result};
use lab::Lab;
use lab::harness::Harness;

mod apply;
mod diagnose;
mod dialogue;
mod machines;
mod net;
mod pair;
mod set_up;
mod ssh;
mod synchro;
mod systemd;
mod tunnel;

pub(crate) fn register(harness: &mut Harness) {
    apply::register(harness);
    dialogue::register(harness);
    net::register(harness);
    pair::register(harness);
    diagnose::register(harness);
    ssh::register(harness);
    systemd::register(harness);
    synchro::register(harness);
    tunnel::register(harness);
}

/// How long anything may take on a machine that is busy with other things.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// Waits until the cluster has nothing to do.
pub(crate) fn settle(lab: &Lab) -> Result<()> {
    let command = lab.node("maitre")?.command("crm_resource");
    command.arg("--wait").limit(LIMIT).stdout().map(drop)
}

/// Tells whether a resource has ever been started on a node, since that one joined.
pub(crate) fn has_started(lab: &Lab, resource: &str, node: &str) -> Result<bool> {
    let path = format!(
        "//node_state[@uname='{node}']//lrm_resource[@id='{resource}']/lrm_rsc_op[@operation='start']"
    );
    let query = lab.node(node)?.command("cibadmin");
    let output = query.args(["--query", "--xpath", &path]).output()?;
    match output.status.code() {
        Some(0) => Ok(true),
        // No such object.
        Some(105) => Ok(false),
        _ => Err(Error::new(ErrorKind::Daemon, output.stderr)),
    }
}

/// Forgets the failures of a resource.
pub(crate) fn cleanup(lab: &Lab, resource: &str) -> Result<()> {
    let command = lab.node("maitre")?.command("crm_resource");
    let command = command.args(["--cleanup", "--resource", resource]);
    command.limit(LIMIT).stdout().map(drop)
}
