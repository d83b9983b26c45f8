//! Nodes that leave for good, or that are off: removal, and forgetting what they were doing.

use std::time::{Duration, Instant};

use super::goal::Goal;
use super::node::NodeHandle;
use super::operation::Operation;
use super::{Cluster, status_of};
use crate::change::edit::node as edit;
use crate::live::pacemaker::watch::Watch;
use crate::live::pacemaker::{controld, exchange, peers};
use crate::status::NodeKind;
use crate::{Error, ErrorKind, Result};

/// How long to wait for a change of the CIB before the controller is asked again.
const PAUSE: Duration = Duration::from_millis(50);

impl NodeHandle {
    /// Removes a node that has left the cluster for good from all that Pacemaker knows: the lists of the
    /// controllers, the attribute managers and the fencers, and the CIB (its entry and state, the location
    /// constraints and fencing levels that name it).
    ///
    /// Stop the cluster software there first, and take it out of `corosync.conf` on the others: one that
    /// is still listed there comes back when the cluster software is started again.
    ///
    /// # Errors
    /// When planned or sent, [`ErrorKind::Unsatisfied`] for a node that is in the cluster now, and
    /// [`ErrorKind::NotFound`] when neither the CIB nor the controller knows it.
    #[doc(alias = "crm_node --remove")]
    pub fn remove(&self) -> Operation {
        let name = self.name.clone();
        let what = format!("remove the node {name}");
        let goal = Goal::NoNode { node: name.clone() };
        let (cluster, node) = (self.cluster.clone(), name.clone());
        Operation::call(&self.cluster, what, goal, move |cluster, timeout| {
            remove(cluster, &name, timeout)
        })
        .that_means(move |cib| {
            refuse_members_if_live(&cluster, &node)?;
            match edit::remove(cib, &node) {
                Err(e) if e.kind() == ErrorKind::NotFound && is_remembered(&cluster, &node)? => {
                    Ok(())
                }
                removed => removed,
            }
        })
    }

    /// Forgets what a node that is off was doing: its resources count as stopped there, its transient
    /// attributes are gone, and it counts as cleanly stopped.
    ///
    /// **If it is not off, its resources may run twice and data may be lost.** This is for clusters that
    /// cannot fence; where fencing is configured, [`confirm_off`](Self::confirm_off) also tells the fencer.
    ///
    /// # Errors
    /// When planned or sent, [`ErrorKind::Unsatisfied`] for a node that is in the cluster now, and
    /// [`ErrorKind::NotFound`] when the CIB has no state of it.
    #[doc(alias = "crm node clearstate")]
    pub fn clear_state(&self) -> Operation {
        let name = self.name.clone();
        let what = format!("clear the state of {name}");
        let goal = Goal::node(&name, "not unclean");
        let (session, node) = (self.cluster.clone(), name.clone());
        Operation::call(&self.cluster, what, goal, move |cluster, timeout| {
            refuse_members(cluster, &name, timeout)?;
            cluster
                .change(|cib| edit::clear_state(cib, &name))
                .map(drop)
        })
        .that_means(move |cib| {
            refuse_members_if_live(&session, &node)?;
            edit::clear_state(cib, &node)
        })
    }
}

/// Tells whether the controller knows a node that the CIB does not have.
fn is_remembered(cluster: &Cluster, node: &str) -> Result<bool> {
    if cluster.cib().is_file() {
        return Ok(false);
    }
    let known = controld::nodes(cluster.cib().timeout())?;
    Ok(known
        .iter()
        .any(|known| known.name.as_deref() == Some(node)))
}

/// Refuses a node that is in the cluster now.
pub(super) fn refuse_members(cluster: &Cluster, node: &str, timeout: Duration) -> Result<()> {
    let members = controld::nodes(timeout)?;
    let is_member =
        |known: &controld::Member| known.is_member && known.name.as_deref() == Some(node);
    // A remote node is no member: what counts is its connection.
    let status = cluster.status()?;
    let is_connected = status
        .node_named(node)
        .is_some_and(|node| node.kind == NodeKind::Remote && node.online);
    if !members.iter().any(is_member) && !is_connected {
        return Ok(());
    }
    let message = format!("{node} is in the cluster now");
    Err(
        Error::new(ErrorKind::Unsatisfied, message).with_hint(if is_connected {
            "stop the resource that connects it first, and remove that"
        } else {
            "stop the cluster software there first: systemctl stop pacemaker corosync"
        }),
    )
}

/// The same on trial. What a file says of its nodes' state is as old as the file.
fn refuse_members_if_live(cluster: &Cluster, node: &str) -> Result<()> {
    if cluster.cib().is_file() {
        return Ok(());
    }
    refuse_members(cluster, node, cluster.cib().timeout())
}

fn remove(cluster: &Cluster, node: &str, timeout: Duration) -> Result<()> {
    let deadline = exchange::deadline(timeout);
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut watch = Watch::open(&cluster.cib().with_timeout(left()))?;
    let is_known = crate::change::edit::find_node(watch.document(), node);
    if let Err(e) = is_known
        && status_of(watch.document()).node_named(node).is_none()
        && !is_remembered(cluster, node)?
    {
        return Err(e);
    }
    refuse_members(cluster, node, left())?;
    // First, so that no daemon writes it to the CIB again.
    peers::forget(node, left())?;
    while is_remembered(cluster, node)? {
        if Instant::now() >= deadline {
            let message = format!("the controller still knows {node}");
            return Err(Error::new(ErrorKind::Timeout, message)
                .with_hint("look at crm_node -l, and at pacemaker.log of this node"));
        }
        // It tells nobody that it has forgotten: it is asked again.
        watch.next_before((Instant::now() + PAUSE).min(deadline))?;
    }
    let removed = cluster.change(|cib| match edit::remove(cib, node) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    });
    removed.map(drop)
}
