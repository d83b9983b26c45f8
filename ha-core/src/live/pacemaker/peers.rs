//! What the daemons remember of nodes that have left for good.
//!
//! Each daemon keeps a list of the nodes that it has met. A node that was taken out of the cluster stays
//! there, and with it what the attribute manager knows of it, until they are told to forget it.

use std::ffi::{CStr, CString};
use std::time::{Duration, Instant};

use super::attrd;
use crate::live::ffi::pacemaker::Here;
use crate::live::ffi::pacemaker::controld::{Controld, Reply};
use crate::live::ffi::pacemaker::ipc::Ipc;
use crate::live::pacemaker::exchange::{deadline, exchange};
use crate::live::pacemaker::{error, runtime};
use crate::name::NodeName;
use crate::xml::Document;
use crate::{Error, ErrorExt, Result};

/// What the daemons call it, in every version.
const TASK: &str = "rm_node_cache";

/// A daemon that takes the request as a plain message.
struct Server {
    name: &'static str,
    c_name: &'static CStr,
    daemon: &'static str,
}

const FENCER: Server = Server {
    name: "stonith-ng",
    c_name: c"stonith-ng",
    daemon: "pacemaker-fenced",
};

/// Makes the daemons of all nodes forget a node: the controllers, the attribute managers and the fencers.
///
/// Returns when the daemons of this node have read the request, which they pass on to all nodes, themselves
/// among them ([`controld::nodes`](super::controld::nodes) shows when it has arrived). The CIB is left as it is: see [`NodeHandle::remove`](crate::live::cluster::NodeHandle::remove) for all
/// of it. A node that still runs the cluster comes back by itself.
///
/// # Errors
/// [`ErrorKind::Disconnected`](crate::ErrorKind::Disconnected) when Pacemaker does not run on this node,
/// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when a daemon does not answer.
///
/// # Example
/// ```no_run
/// use ha_core::live::pacemaker::peers;
/// peers::forget("esclave", std::time::Duration::from_secs(10))?;
/// # Ok::<(), ha_core::Error>(())
/// ```
#[doc(alias = "pcmk_ipc_purge_node")]
#[doc(alias = "crm_node --remove")]
pub fn forget(node: &str, timeout: Duration) -> Result<()> {
    const WHAT: &str = "make the daemons forget a node";
    let node = NodeName::new(node).context(WHAT)?;
    let deadline = deadline(timeout);
    forget_in_controllers(node.as_str(), deadline).context(WHAT)?;
    forget_in_fencers(node.as_str(), deadline).context(WHAT)?;
    attrd::forget_node(node.as_str(), left(deadline)).context(WHAT)
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

fn forget_in_controllers(node: &str, deadline: Instant) -> Result<()> {
    let name = CString::new(node).map_err(|_| Error::invalid("a node name contains a NUL byte"))?;
    exchange::<Controld, _>(
        "make the controllers forget a node",
        deadline,
        move |here, connection| {
            connection.forget_node(here, &name)?;
            // It does not answer that request; when it has answered this one, it has read both.
            connection.list_nodes(here)
        },
        |reply| matches!(reply, Reply::Nodes(_)).then_some(Ok(())),
    )
}

fn forget_in_fencers(node: &str, deadline: Instant) -> Result<()> {
    const WHAT: &str = "make the fencers forget a node";
    runtime::reach(FENCER.name, FENCER.daemon, deadline).context(WHAT)?;
    let request = request(FENCER.name, node);
    runtime::call_server(WHAT, FENCER.name, deadline, move |here: &Here| {
        let mut ipc = Ipc::connect(here, FENCER.c_name, 0).map_err(error::legacy)?;
        let left = left(deadline);
        ipc.tell(here, &request, left)?.map_err(error::legacy)?;
        // As with the controller: the answer to this shows that it has read the other.
        ipc.ask(here, &registration(), left)?
            .map_err(error::legacy)?;
        Ok(())
    })
}

/// The words of the protocol, as Pacemaker's own tool has them.
fn request(server: &str, node: &str) -> Document {
    let mut request = Document::new("create_request_adv");
    let root = request.root().id();
    for (name, value) in [
        ("origin", "ha-core"),
        ("t", "crmd"),
        ("subt", "request"),
        ("reference", "rm_node_cache-ha-core"),
        ("crm_task", TASK),
        ("crm_sys_to", server),
        ("crm_sys_from", "ha-core"),
        ("uname", node),
    ] {
        request.set_attribute(root, name, value);
    }
    request
}

fn registration() -> Document {
    let mut request = Document::new("stonith_command");
    let root = request.root().id();
    for (name, value) in [
        ("t", "stonith-ng"),
        ("st_op", "register"),
        ("st_clientname", "ha-core"),
    ] {
        request.set_attribute(root, name, value);
    }
    request
}
