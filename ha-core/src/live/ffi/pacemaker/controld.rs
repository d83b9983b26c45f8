//! Requests to the controller.

use std::ffi::{CStr, CString, c_int, c_void};

use pacemaker_sys as sys;

use super::Here;
use super::api::{Connection, Daemon, text};

/// The daemon that runs the cluster from the DC, and this node's resources.
#[derive(Debug)]
pub(crate) struct Controld;

/// A reply of the controller, copied.
#[derive(Debug)]
pub(crate) enum Reply {
    Ping {
        host: String,
        subsystem: String,
        state: String,
        result: String,
        feature_set: String,
    },
    Node {
        id: u32,
        uuid: Option<String>,
        name: Option<String>,
        state: Option<String>,
        has_quorum: bool,
        is_remote: bool,
    },
    Nodes(Vec<Member>),
    /// A request about a resource was carried out.
    Resource,
    Other,
}

/// A node that the cluster layer has met.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: u32,
    pub(crate) name: Option<String>,
    pub(crate) state: Option<String>,
}

/// A resource as the controller's requests describe it.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) node: CString,
    /// The node of the cluster that reaches `node`, when that one is remote.
    pub(crate) router: Option<CString>,
    pub(crate) id: CString,
    /// The name of the instance in its history, when that is another one.
    pub(crate) instance: Option<CString>,
    pub(crate) standard: CString,
    pub(crate) provider: Option<CString>,
    pub(crate) agent: CString,
}

impl Daemon for Controld {
    const NUMBER: sys::pcmk_ipc_server = sys::pcmk_ipc_controld;
    const SERVER: &'static str = "crmd";
    const NAME: &'static str = "pacemaker-controld";
    type Reply = Reply;

    unsafe fn decode(data: *const c_void) -> Reply {
        // SAFETY: by the trait's contract a reply of the controller, whose type tells the variant;
        // strings and lists live during the callback.
        unsafe {
            let reply = &*data.cast::<sys::pcmk_controld_api_reply_t>();
            match reply.reply_type {
                sys::pcmk_controld_reply_ping => {
                    let ping = &reply.data.ping;
                    Reply::Ping {
                        host: text(reply.host_from).unwrap_or_default(),
                        subsystem: text(ping.sys_from).unwrap_or_default(),
                        state: text(ping.fsa_state).unwrap_or_default(),
                        result: text(ping.result).unwrap_or_default(),
                        feature_set: text(reply.feature_set).unwrap_or_default(),
                    }
                }
                sys::pcmk_controld_reply_info => {
                    let node = &reply.data.node_info;
                    Reply::Node {
                        id: node.id.cast_unsigned(),
                        uuid: text(node.uuid),
                        name: text(node.uname),
                        state: text(node.state),
                        has_quorum: node.have_quorum,
                        is_remote: node.is_remote,
                    }
                }
                sys::pcmk_controld_reply_nodes => {
                    let mut nodes = Vec::new();
                    let mut item = reply.data.nodes;
                    while !item.is_null() {
                        let node = &*(*item).data.cast::<sys::pcmk_controld_api_node_t>();
                        nodes.push(Member {
                            id: node.id,
                            name: text(node.uname),
                            state: text(node.state),
                        });
                        item = (*item).next;
                    }
                    Reply::Nodes(nodes)
                }
                sys::pcmk_controld_reply_resource => Reply::Resource,
                _ => Reply::Other,
            }
        }
    }
}

fn pointer(text: Option<&CString>) -> *const std::ffi::c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

fn check(rc: c_int) -> Result<(), c_int> {
    if rc == 0 { Ok(()) } else { Err(rc) }
}

impl Connection<Controld> {
    /// Pings the controller of a node, or the DC.
    pub(crate) fn ping(&self, _: &Here, node: Option<&CStr>) -> Result<(), c_int> {
        let node = node.map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: the handle is alive; the name is copied into the message.
        check(unsafe { sys::pcmk_controld_api_ping(self.raw(), node) })
    }

    /// Asks about the node with this number of the cluster layer; 0 is the local node.
    pub(crate) fn node_info(&self, _: &Here, id: u32) -> Result<(), c_int> {
        // SAFETY: the handle is alive.
        check(unsafe { sys::pcmk_controld_api_node_info(self.raw(), id) })
    }

    /// Asks for all nodes that the cluster layer has met.
    pub(crate) fn list_nodes(&self, _: &Here) -> Result<(), c_int> {
        // SAFETY: the handle is alive.
        check(unsafe { sys::pcmk_controld_api_list_nodes(self.raw()) })
    }

    /// Makes the controllers of all nodes forget a node. It is not answered.
    pub(crate) fn forget_node(&self, _: &Here, node: &CStr) -> Result<(), c_int> {
        // SAFETY: the handle is alive; the name is copied into the message.
        check(unsafe { sys::pcmk_ipc_purge_node(self.raw(), node.as_ptr(), 0) })
    }

    /// Makes the controller of a node record a failure of a resource.
    pub(crate) fn fail(&self, _: &Here, resource: &Resource) -> Result<(), c_int> {
        // SAFETY: the handle is alive; all strings are copied into the message.
        check(unsafe {
            sys::pcmk_controld_api_fail(
                self.raw(),
                resource.node.as_ptr(),
                pointer(resource.router.as_ref()),
                resource.id.as_ptr(),
                pointer(resource.instance.as_ref()),
                resource.standard.as_ptr(),
                pointer(resource.provider.as_ref()),
                resource.agent.as_ptr(),
            )
        })
    }

    /// Makes the controller of a node forget a resource's history there, and look at it again.
    pub(crate) fn refresh(&self, _: &Here, resource: &Resource) -> Result<(), c_int> {
        // SAFETY: as in `fail`.
        check(unsafe {
            sys::pcmk_controld_api_refresh(
                self.raw(),
                resource.node.as_ptr(),
                pointer(resource.router.as_ref()),
                resource.id.as_ptr(),
                pointer(resource.instance.as_ref()),
                resource.standard.as_ptr(),
                pointer(resource.provider.as_ref()),
                resource.agent.as_ptr(),
                false,
            )
        })
    }
}
