//! The attribute manager, pacemaker-attrd: transient attributes of nodes, which last until the node
//! leaves the cluster, and the fail counts of resources, which are such attributes.
//!
//! The manager answers as soon as it has a request, and then agrees with its peers and writes to the
//! CIB. [`confirm`] waits for that.
//!
//! # Example
//! ```no_run
//! use ha_core::live::pacemaker::attrd::{self, Scope};
//! use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
//! use ha_core::live::pacemaker::watch::Watch;
//! use std::time::Duration;
//! let limit = Duration::from_secs(5);
//! let mut watch = Watch::open(&Cib::connect(&ConnectOptions::default())?)?;
//! attrd::set("maintenance-by", "alice", &Scope::on("maitre"), limit)?;
//! attrd::confirm(&mut watch, "maitre", "maintenance-by", Some("alice"), limit)?;
//! # Ok::<(), ha_core::Error>(())
//! ```

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::live::ffi::pacemaker::Here;
use crate::live::ffi::pacemaker::ipc::Ipc;
use crate::live::pacemaker::exchange::deadline;
use crate::live::pacemaker::watch::Watch;
use crate::live::pacemaker::{error, runtime};
use crate::name::NodeName;
use crate::xml::Document;
use crate::{Error, ErrorExt, ErrorKind, Result};

const SERVER: &str = "attrd";
const DAEMON: &str = "pacemaker-attrd";

/// Where an attribute is set, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The node; the local one when there is none.
    pub node: Option<String>,
    /// Whether the node is a remote one (it runs pacemaker-remoted).
    pub is_remote: bool,
    /// How long to wait for further changes before one write to the CIB (`attrd_updater --delay`).
    pub dampening: Option<Duration>,
    /// Id of the set of attributes in the CIB; the manager's own when there is none.
    pub set: Option<String>,
    /// Whether it is kept from the CIB: then only [`query`] shows it.
    pub is_private: bool,
}

impl Scope {
    /// An attribute of a node, with everything else as the manager has it.
    #[must_use]
    pub fn on(node: &str) -> Self {
        Self {
            node: Some(node.to_owned()),
            ..Self::default()
        }
    }
}

/// The value that an attribute has on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeValue {
    /// Name of the node.
    pub node: String,
    /// The value; none when it was deleted.
    pub value: Option<String>,
}

/// Sets a transient attribute.
///
/// # Errors
/// [`ErrorKind::Invalid`] for a name that is empty, a node that cannot be one ([`NodeName`]), and a text
/// with a control character: XML or Pacemaker 2 would put something else in its place, also for a tab
/// and the end of a line. [`ErrorKind::Disconnected`] when Pacemaker does not run on this node,
/// [`ErrorKind::Timeout`] when the manager does not answer.
pub fn set(name: &str, value: &str, scope: &Scope, timeout: Duration) -> Result<()> {
    let mut request = Request::new("update").attribute(name, scope)?;
    request.put("attr_value", plain("the value", value)?);
    request
        .send("set a node attribute", deadline(timeout))
        .map(drop)
}

/// Deletes a transient attribute. It is no error when there is none.
///
/// # Errors
/// As for [`set`].
pub fn delete(name: &str, scope: &Scope, timeout: Duration) -> Result<()> {
    // An update without a value deletes, in every version.
    let request = Request::new("update").attribute(name, scope)?;
    request
        .send("delete a node attribute", deadline(timeout))
        .map(drop)
}

/// Asks for the values of an attribute, on one node or on all that have it.
///
/// What was set a moment ago may not be there yet.
///
/// # Errors
/// [`ErrorKind::NotFound`] when no node ever had it, and as for [`set`].
pub fn query(name: &str, node: Option<&str>, timeout: Duration) -> Result<Vec<NodeValue>> {
    let mut request = Request::new("query");
    request.name(name)?;
    request.host(node)?;
    let what = "query a node attribute";
    let reply = request.send(what, deadline(timeout))?;
    let Some(reply) = reply.filter(|reply| reply.root().attribute("attr_name").is_some()) else {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("no node has the attribute {name}"),
        )
        .context(what));
    };
    let values = reply.root().children_named("node").filter_map(|element| {
        Some(NodeValue {
            node: element.attribute("attr_host")?.to_owned(),
            value: element.attribute("attr_value").map(str::to_owned),
        })
    });
    Ok(values.collect())
}

/// Forgets fail counts and times of the last failure: of one resource or all, on one node or all.
///
/// This is half of a clean-up; the other is [`super::controld::refresh`], which forgets the history.
///
/// # Errors
/// As for [`set`].
pub fn clear_failures(resource: Option<&str>, node: Option<&str>, timeout: Duration) -> Result<()> {
    let mut request = Request::new("clear-failure");
    if let Some(resource) = resource {
        request.put("attr_resource", plain("the resource", resource)?);
    }
    request.host(node)?;
    request.put("attr_is_remote", "0");
    request
        .send("clear fail counts", deadline(timeout))
        .map(drop)
}

/// Makes the managers of all nodes forget a node, and the attributes it had.
pub(super) fn forget_node(node: &str, timeout: Duration) -> Result<()> {
    let mut request = Request::new("peer-remove");
    request.host(Some(node))?;
    // Since 2.1.6 that it has also left their list of nodes has to be said; before, it was meant.
    request.put("reap", "true");
    request
        .send("forget a node's attributes", deadline(timeout))
        .map(drop)
}

/// Waits until the CIB has this value of a node's transient attribute; `None` waits until it has none.
///
/// # Errors
/// [`ErrorKind::NotFound`] when the CIB has no state of that node, [`ErrorKind::Timeout`] when the
/// value does not come.
pub fn confirm(
    watch: &mut Watch,
    node: &str,
    name: &str,
    value: Option<&str>,
    timeout: Duration,
) -> Result<()> {
    let deadline = deadline(timeout);
    loop {
        let found = in_cib(watch.document(), node, name)?;
        if found == value {
            return Ok(());
        }
        let found = found.map(str::to_owned);
        if watch.next_before(deadline)?.is_none() {
            return Err(Error::new(
                ErrorKind::Timeout,
                match found {
                    Some(other) => {
                        format!("attribute {name} of {node} is still {other:?} in the CIB")
                    }
                    None => format!("the CIB has no attribute {name} of {node}"),
                },
            )
            .with_hint("the attribute manager writes after its dampening, and only with a DC")
            .context("confirm a node attribute"));
        }
    }
}

/// The value of a transient attribute in a CIB.
fn in_cib<'d>(cib: &'d Document, node: &str, name: &str) -> Result<Option<&'d str>> {
    let state = cib.root().child("status").and_then(|status| {
        status
            .children_named("node_state")
            .find(|state| state.attribute("uname") == Some(node))
    });
    let Some(state) = state else {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("the CIB has no state of a node {node}"),
        ));
    };
    Ok(state
        .children_named("transient_attributes")
        .flat_map(|attributes| attributes.children_named("instance_attributes"))
        .flat_map(|set| set.children_named("nvpair"))
        .find(|pair| pair.attribute("name") == Some(name))
        .and_then(|pair| pair.attribute("value")))
}

/// A message to the manager. The words are those of its protocol since Pacemaker 2.0.
struct Request(Document);

impl Request {
    fn new(task: &str) -> Self {
        let mut request = Self(Document::new("attrd_request"));
        request.put("t", "attrd");
        request.put("src", "ha-core");
        request.put("task", task);
        request
    }

    fn put(&mut self, name: &str, value: &str) {
        let root = self.0.root().id();
        self.0.set_attribute(root, name, value);
    }

    fn name(&mut self, name: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Error::invalid("a node attribute needs a name"));
        }
        self.put("attr_name", plain("the name", name)?);
        Ok(())
    }

    /// The manager takes any name of a node, and keeps a value for it.
    fn host(&mut self, node: Option<&str>) -> Result<()> {
        if let Some(node) = node {
            let node = NodeName::new(node).context("a node attribute")?;
            self.put("attr_host", node.as_str());
        }
        Ok(())
    }

    fn attribute(mut self, name: &str, scope: &Scope) -> Result<Self> {
        self.name(name)?;
        self.put("attr_is_remote", if scope.is_remote { "1" } else { "0" });
        self.put("attr_is_private", if scope.is_private { "1" } else { "0" });
        self.host(scope.node.as_deref())?;
        if let Some(set) = &scope.set {
            self.put("attr_set", plain("the set", set)?);
        }
        if let Some(dampening) = scope.dampening {
            self.put("attr_dampening", &format!("{}ms", dampening.as_millis()));
        }
        Ok(self)
    }

    fn send(self, what: &'static str, deadline: Instant) -> Result<Option<Document>> {
        ask(what, deadline, self.0).context(what)
    }
}

/// Refuses what does not arrive as it was sent: XML 1.0 cannot hold most control characters, and
/// Pacemaker 2 writes a tab as blanks, and the end of a line as a backslash and a letter.
fn plain<'t>(what: &str, text: &'t str) -> Result<&'t str> {
    let bad = |c: char| c.is_ascii_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    match text.chars().find(|&c| bad(c)) {
        None => Ok(text),
        Some(c) => Err(Error::invalid(format!(
            "{what} of a node attribute, {text:?}, has the control character {c:?}"
        ))
        .with_hint("write it as printable text, for example in base 64")),
    }
}

thread_local! {
    /// The connection that all requests of the process share, on the Pacemaker thread.
    static IPC: RefCell<Option<Ipc>> = const { RefCell::new(None) };
}

/// Whether there is a connection, as far as is known: spares the probe.
static CONNECTED: AtomicBool = AtomicBool::new(false);

fn ask(what: &'static str, deadline: Instant, message: Document) -> Result<Option<Document>> {
    let mut reached = false;
    if !CONNECTED.load(Ordering::Acquire) {
        runtime::reach(SERVER, DAEMON, deadline)?;
        reached = true;
    }
    let answer = once(what, deadline, message.clone(), reached);
    match answer {
        // The manager was started again since the last request. A request may be repeated: all of
        // them say what shall be, not what to add.
        Err(e) if !reached && e.kind() == ErrorKind::Disconnected => {
            runtime::reach(SERVER, DAEMON, deadline)?;
            once(what, deadline, message, true)
        }
        answer => answer,
    }
}

fn once(
    what: &'static str,
    deadline: Instant,
    message: Document,
    may_connect: bool,
) -> Result<Option<Document>> {
    runtime::call_server(what, SERVER, deadline, move |here: &Here| {
        let kept = IPC.take().filter(|ipc| ipc.is_connected(here));
        CONNECTED.store(false, Ordering::Release);
        let mut ipc = match kept {
            Some(ipc) => ipc,
            // 0 is the library's own choice.
            None if may_connect => Ipc::connect(here, c"attrd", 0).map_err(error::legacy)?,
            None => return Err(error::legacy(-libc::ENOTCONN)),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let reply = ipc.ask(here, &message, left)?.map_err(error::legacy)?;
        // Not after an error: a late answer would be taken for the next one's.
        IPC.set(Some(ipc));
        CONNECTED.store(true, Ordering::Release);
        Ok(reply)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_transient_attributes_only() -> Result<()> {
        let cib = Document::parse(
            r#"<cib><configuration><nodes><node id="1" uname="maitre"><instance_attributes id="p">
            <nvpair id="p1" name="a" value="permanent"/></instance_attributes></node></nodes>
            </configuration><status><node_state id="1" uname="maitre"><transient_attributes id="1">
            <instance_attributes id="t"><nvpair id="t1" name="b" value="2"/></instance_attributes>
            </transient_attributes></node_state></status></cib>"#,
        )?;
        assert_eq!(in_cib(&cib, "maitre", "b")?, Some("2"));
        assert_eq!(in_cib(&cib, "maitre", "a")?, None);
        assert_eq!(
            in_cib(&cib, "esclave", "b").unwrap_err().kind(),
            ErrorKind::NotFound
        );
        Ok(())
    }

    #[test]
    fn refuses_what_would_not_arrive_as_it_is() {
        let limit = Duration::from_secs(1);
        let kind = |result: Result<()>| result.unwrap_err().kind();
        let local = Scope::default();
        for name in ["", "a\nb", "é\0"] {
            assert_eq!(kind(set(name, "1", &local, limit)), ErrorKind::Invalid);
            assert_eq!(kind(delete(name, &local, limit)), ErrorKind::Invalid);
            let query = query(name, None, limit).map(drop);
            assert_eq!(kind(query), ErrorKind::Invalid);
        }
        for value in ["\u{1}", "a\tb", "a\r\nb", "\u{7F}", "\u{FFFE}", "\0"] {
            let e = set("a", value, &local, limit).unwrap_err();
            assert_eq!(e.kind(), ErrorKind::Invalid, "{value:?}");
            assert!(e.to_string().contains("control character"), "{e}");
        }
        for node in ["", "a b", "x/y"] {
            let there = Scope::on(node);
            assert_eq!(kind(set("a", "1", &there, limit)), ErrorKind::Invalid);
            assert_eq!(kind(delete("a", &there, limit)), ErrorKind::Invalid);
            let query = query("a", Some(node), limit).map(drop);
            assert_eq!(kind(query), ErrorKind::Invalid);
            let clear = clear_failures(None, Some(node), limit);
            assert_eq!(kind(clear), ErrorKind::Invalid);
        }
        assert!(plain("it", "été: \u{85} \"<&>").is_ok());
    }
}
