//! The controller, pacemaker-controld: which node is the Designated Controller (DC), which nodes the
//! cluster layer knows, and requests about a resource on a node.

use std::ffi::CString;
use std::time::Duration;

use crate::live::ffi::pacemaker::controld::{self as ffi, Controld, Reply};
use crate::live::pacemaker::exchange::{deadline, exchange};
use crate::{Error, ErrorKind, Result};

/// A controller's answer to [`ping`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ping {
    /// The node that answers: the DC when no node was named.
    pub node: String,
    /// The state of its controller's finite state machine: `S_IDLE` when nothing is left to do.
    pub state: String,
    /// The version of the feature set that it speaks.
    pub feature_set: String,
}

impl Ping {
    /// Tells whether the controller has nothing left to do: no transition, no election.
    ///
    /// This is a statement about the whole cluster only when the DC answered.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == "S_IDLE"
    }
}

/// A node as the cluster layer knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// Its number in Corosync.
    pub id: u32,
    /// Its name, once it has been told.
    pub name: Option<String>,
    /// Whether it is in the membership now.
    pub is_member: bool,
}

/// What the controller knows of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeInfo {
    /// Its number in Corosync; 0 for a remote node.
    pub id: u32,
    /// Its id in the CIB.
    pub uuid: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its state in the membership (`member`, `lost`).
    pub state: Option<String>,
    /// Whether the partition of the controller that answers has quorum.
    pub has_quorum: bool,
    /// Whether it runs pacemaker-remoted instead of the cluster layer.
    pub is_remote: bool,
}

/// A resource on a node, for [`fail`] and [`refresh`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Id of the primitive.
    pub id: String,
    /// Name of the instance in its history (`ping:0`), when that differs from the id.
    pub instance: Option<String>,
    /// Standard of its agent (`ocf`, `systemd`, `lsb`, ...).
    pub standard: String,
    /// Provider of its agent (`heartbeat`, `pacemaker`), for the standard `ocf`.
    pub provider: Option<String>,
    /// Name of its agent (`IPaddr2`).
    pub agent: String,
}

impl Resource {
    fn to_c(&self, node: &str) -> Result<ffi::Resource> {
        let optional = |text: &Option<String>| text.as_deref().map(c_string).transpose();
        Ok(ffi::Resource {
            node: c_string(node)?,
            router: None,
            id: c_string(&self.id)?,
            instance: optional(&self.instance)?,
            standard: c_string(&self.standard)?,
            provider: optional(&self.provider)?,
            agent: c_string(&self.agent)?,
        })
    }
}

fn c_string(text: &str) -> Result<CString> {
    if text.is_empty() {
        return Err(Error::invalid("a name is empty"));
    }
    CString::new(text).map_err(|_| Error::invalid(format!("the name {text:?} contains a NUL byte")))
}

/// Pings the controller of a node, or the DC when none is named.
///
/// # Errors
/// [`ErrorKind::Timeout`] when nobody answers: the node is not there, or the cluster has no DC.
/// [`ErrorKind::Disconnected`] when Pacemaker does not run on this node.
///
/// # Example
/// ```no_run
/// use ha_core::live::pacemaker::controld;
/// use std::time::Duration;
/// let dc = controld::ping(None, Duration::from_secs(5))?;
/// println!("the DC is {}, {}", dc.node, if dc.is_idle() { "idle" } else { "busy" });
/// # Ok::<(), ha_core::Error>(())
/// ```
#[doc(alias = "pcmk_controld_api_ping")]
pub fn ping(node: Option<&str>, timeout: Duration) -> Result<Ping> {
    let named = node.map(c_string).transpose()?;
    let what = match node {
        Some(_) => "ping a node's controller",
        None => "ping the DC",
    };
    let answer = exchange::<Controld, _>(
        what,
        deadline(timeout),
        move |here, connection| connection.ping(here, named.as_deref()),
        |reply| match reply {
            Reply::Ping {
                host,
                subsystem,
                state,
                result,
                feature_set,
            } => {
                if result != "ok" {
                    let message = format!("{subsystem} on {host} answers: {result}");
                    return Some(Err(Error::new(ErrorKind::Daemon, message)));
                }
                Some(Ok(Ping {
                    node: host,
                    state,
                    feature_set,
                }))
            }
            _ => None,
        },
    );
    answer.map_err(|e| match (e.kind(), node) {
        (ErrorKind::Timeout, None) => e.with_hint(
            "no DC answers: an election may be under way, or the partition has none; look at \
             `crm_mon -1` and try again",
        ),
        (ErrorKind::Timeout, Some(_)) => {
            e.with_hint("the name may be wrong, or that node is not in the cluster now")
        }
        _ => e,
    })
}

/// Lists the nodes that the cluster layer has met since it started.
///
/// # Errors
/// [`ErrorKind::Disconnected`] when Pacemaker does not run on this node, [`ErrorKind::Timeout`] when
/// the controller does not answer.
#[doc(alias = "pcmk_controld_api_list_nodes")]
pub fn nodes(timeout: Duration) -> Result<Vec<Member>> {
    exchange::<Controld, _>(
        "list the nodes",
        deadline(timeout),
        |here, connection| connection.list_nodes(here),
        |reply| match reply {
            Reply::Nodes(nodes) => Some(Ok(nodes
                .into_iter()
                .map(|node| Member {
                    id: node.id,
                    name: node.name,
                    is_member: node.state.as_deref() == Some("member"),
                })
                .collect())),
            _ => None,
        },
    )
}

/// Tells what the controller of this node knows of a node, given by its number in Corosync; of this
/// node itself when none is given.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such node, and as for [`nodes`].
#[doc(alias = "pcmk_controld_api_node_info")]
pub fn node_info(id: Option<u32>, timeout: Duration) -> Result<NodeInfo> {
    // The controller takes what is no number of a node for a question about its own.
    if let Some(id) = id
        && !i32::try_from(id).is_ok_and(|id| id > 0)
    {
        let message = format!("{id} is not the number of a node: they go from 1 to 2147483647");
        return Err(Error::new(ErrorKind::NotFound, message).context("ask about a node"));
    }
    exchange::<Controld, _>(
        "ask about a node",
        deadline(timeout),
        move |here, connection| connection.node_info(here, id.unwrap_or(0)),
        move |reply| match reply {
            Reply::Node { name: None, .. } if id.is_some() => Some(Err(Error::new(
                ErrorKind::NotFound,
                format!("the cluster has no node {}", id.unwrap_or(0)),
            ))),
            Reply::Node {
                id,
                uuid,
                name,
                state,
                has_quorum,
                is_remote,
            } => Some(Ok(NodeInfo {
                id,
                uuid,
                name,
                state,
                has_quorum,
                is_remote,
            })),
            _ => None,
        },
    )
}

/// Records a failure of a resource on a node, as if its monitor had failed: the cluster recovers it.
///
/// Returns when the controller has taken the request; the recovery follows.
///
/// # Errors
/// [`ErrorKind::Timeout`] also when no node of that name is known: the controller drops the request
/// without a word. Else as for [`nodes`].
#[doc(alias = "pcmk_controld_api_fail")]
pub fn fail(node: &str, resource: &Resource, timeout: Duration) -> Result<()> {
    let resource = resource.to_c(node)?;
    exchange::<Controld, _>(
        "fail a resource",
        deadline(timeout),
        move |here, connection| connection.fail(here, &resource),
        |reply| matches!(reply, Reply::Resource).then_some(Ok(())),
    )
}

/// Makes a node forget the history of a resource and look at it again.
///
/// Returns when the controller has taken the request; the probe follows. Fail counts are kept by the
/// attribute manager: clear those with [`super::attrd::clear_failures`].
///
/// # Errors
/// As for [`fail`].
#[doc(alias = "pcmk_controld_api_refresh")]
pub fn refresh(node: &str, resource: &Resource, timeout: Duration) -> Result<()> {
    let resource = resource.to_c(node)?;
    exchange::<Controld, _>(
        "refresh a resource",
        deadline(timeout),
        move |here, connection| connection.refresh(here, &resource),
        |reply| matches!(reply, Reply::Resource).then_some(Ok(())),
    )
}
