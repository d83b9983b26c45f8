//! The CIB: reading and changing the cluster's configuration and status.

mod change;
pub(crate) mod feed;
mod file;
mod pace;
mod reader;
pub(crate) mod reconnect;
mod schema;
mod section;
pub(crate) mod session;

pub use schema::validate;
pub use section::Section;

use std::ffi::{CStr, CString};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pacemaker_sys as sys;

use crate::live::ffi::pacemaker::xpath;
use crate::live::pacemaker::exchange;
use crate::value::CibVersion;
use crate::xml::Document;
use crate::{Error, ErrorExt, ErrorKind, Result};

use file::CibFile;
use session::{Lease, Target};

/// How to connect to the CIB manager.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The name of this program, as the cluster records it in the CIB (`update-client`). All
    /// connections of a process are one, which keeps the name that it was opened with.
    pub name: String,
    /// How long each call may take, the connecting included.
    pub timeout: Duration,
}

impl Default for ConnectOptions {
    /// The name of the running program, and 30 seconds.
    fn default() -> Self {
        let program = std::env::current_exe().ok();
        let name = program.as_deref().and_then(|path| path.file_name());
        Self {
            name: name.map_or_else(
                || "ha-core".to_owned(),
                |n| n.to_string_lossy().into_owned(),
            ),
            timeout: Duration::from_secs(30),
        }
    }
}

/// A connection to the CIB manager (pacemaker-based) of this node, or a CIB file.
///
/// Cheap to clone and usable from any thread. All handles of a process share one connection, which
/// closes with the last of them. When the daemon dies, the call in flight fails with
/// [`ErrorKind::Disconnected`], and a later one connects again.
///
/// # Example
/// ```no_run
/// use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
/// let cib = Cib::connect(&ConnectOptions::default())?;
/// println!("CIB version {:?}", cib.query()?.version());
/// for found in cib.query_xpath("//nvpair[@name='stonith-enabled']")? {
///     println!("{:?}", found.root().attribute("value"));
/// }
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cib {
    target: Target,
    timeout: Duration,
    user: Option<CString>,
}

impl Cib {
    /// Connects to the CIB manager of this node.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when it does not run, [`ErrorKind::PermissionDenied`] when the
    /// user is neither root nor in the group haclient, [`ErrorKind::Timeout`] when it does not answer.
    pub fn connect(options: &ConnectOptions) -> Result<Self> {
        let name = c_string("the client's name", &options.name)?;
        let lease =
            Lease::open(name, exchange::deadline(options.timeout)).context("connect to the CIB")?;
        Ok(Self {
            target: Target::Daemon(Arc::new(lease)),
            timeout: options.timeout,
            user: None,
        })
    }

    /// Opens a CIB file, to read and change it as if it were a cluster's: with Pacemaker's own rules,
    /// and without any daemon.
    ///
    /// Each call reads the file. A change is checked against the schema and written to a new file,
    /// which then takes the place of the old one, with the same owner and mode: whoever reads it sees
    /// all of a change or nothing. What another program changed meanwhile is not overwritten
    /// ([`ErrorKind::Conflict`]).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] and other I/O errors; [`ErrorKind::Invalid`] when the file is not
    /// well-formed, its root is not `cib` or it names no schema; [`ErrorKind::Unsupported`] when that
    /// schema is not installed; [`ErrorKind::PermissionDenied`] for the CIB manager's own file, under
    /// whatever name: the running cluster would not notice the change, or undo it.
    ///
    /// # Example
    /// ```no_run
    /// use ha_core::live::pacemaker::cib::{Cib, Section};
    /// use ha_core::xml::Document;
    /// let cib = Cib::open_file("/tmp/what-if.xml")?;
    /// let node = Document::parse("<node id='3' uname='third'/>")?;
    /// cib.create(Section::Nodes, &node)?;
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    #[doc(alias = "cib_file_new")]
    pub fn open_file(path: impl AsRef<Path>) -> Result<Self> {
        let file = CibFile::open(path.as_ref())?;
        Ok(Self {
            target: Target::File(Arc::new(file)),
            timeout: ConnectOptions::default().timeout,
            user: None,
        })
    }

    /// Returns a handle whose calls may take so long.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            timeout,
            ..self.clone()
        }
    }

    /// Tells whether this is a file.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.target, Target::File(_))
    }

    /// Returns a handle that acts as another user, within what the ACLs allow that one.
    ///
    /// The CIB manager accepts this from root and from the cluster's own user; for anybody else it
    /// goes on using the caller's own name.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the name is empty or contains a NUL.
    pub fn as_user(&self, user: &str) -> Result<Self> {
        if user.is_empty() {
            return Err(Error::invalid("a user name is empty"));
        }
        Ok(Self {
            user: Some(c_string("a user name", user)?),
            ..self.clone()
        })
    }

    /// Reads the whole CIB.
    ///
    /// # Errors
    /// As for every call: [`ErrorKind::Disconnected`], [`ErrorKind::Timeout`] or
    /// [`ErrorKind::PermissionDenied`].
    #[doc(alias = "cib_query")]
    pub fn query(&self) -> Result<Document> {
        let ask = self.ask(c"cib_query").options(sys::cib_scope_local);
        ask.run("query the CIB", |_, reply| match reply.output {
            Some(output) if reply.rc == 0 => output.to_document(),
            _ => Err(no_output(reply.rc)),
        })
    }

    /// Reads the version that the CIB has now, and nothing else.
    ///
    /// # Errors
    /// As for [`Cib::query`].
    pub fn version(&self) -> Result<CibVersion> {
        let options = sys::cib_scope_local | sys::cib_no_children;
        let ask = self.ask(c"cib_query").options(options);
        ask.run("query the CIB's version", |_, reply| match reply.output {
            Some(output) if reply.rc == 0 => Ok(output.to_document()?.version()),
            _ => Err(no_output(reply.rc)),
        })
    }

    /// Reads one section of the CIB.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when this CIB does not have the section (some are optional), and as
    /// for [`Cib::query`].
    pub fn query_section(&self, section: Section) -> Result<Document> {
        let ask = self
            .ask(c"cib_query")
            .options(sys::cib_scope_local)
            .section(section);
        ask.run("query a section of the CIB", move |_, reply| {
            match reply.output {
                Some(output) if reply.rc == 0 => output.to_document(),
                _ if reply.rc == -libc::ENXIO => Err(Error::new(
                    ErrorKind::NotFound,
                    format!("the CIB has no section {section}"),
                )),
                _ => Err(no_output(reply.rc)),
            }
        })
    }

    /// Reads the elements that an `XPath` expression matches, in document order; none is an empty
    /// list. A match that is an attribute gives the element it belongs to.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the expression is not one for elements, and as for
    /// [`Cib::query`].
    pub fn query_xpath(&self, expression: &str) -> Result<Vec<Document>> {
        let expression = xpath_string(expression)?;
        let options = sys::cib_scope_local | sys::cib_xpath;
        let mut ask = self.ask(c"cib_query").options(options);
        ask.section = Some(expression);
        ask.check = Some(xpath::check);
        ask.run("query the CIB by XPath", |_, reply| match reply.output {
            Some(output) if reply.rc == 0 => output.to_matches(),
            _ if reply.rc == -libc::ENXIO => Ok(Vec::new()),
            _ => Err(no_output(reply.rc)),
        })
    }

    /// The share of the connection, when there is one.
    pub(super) fn lease(&self) -> Result<&Arc<Lease>> {
        match &self.target {
            Target::Daemon(lease) => Ok(lease),
            Target::File(_) => Err(
                Error::new(ErrorKind::Unsupported, "a file cannot be followed")
                    .with_hint("connect to the cluster's CIB"),
            ),
        }
    }

    /// How long its calls may take.
    pub(in crate::live) fn timeout(&self) -> Duration {
        self.timeout
    }

    fn ask(&self, operation: &'static CStr) -> session::Ask {
        session::Ask {
            operation,
            section: None,
            data: None,
            options: 0,
            user: self.user.clone(),
            write: false,
            check: None,
            target: self.target.clone(),
            deadline: exchange::deadline(self.timeout),
        }
    }
}

fn no_output(rc: i32) -> Error {
    if rc < 0 {
        super::error::legacy(rc)
    } else {
        Error::new(
            ErrorKind::Protocol,
            "pacemaker-based answered without the data asked for",
        )
    }
}

/// An `XPath` expression in one line, which is all that the CIB manager understands. White space means
/// the same everywhere but in quotes.
fn xpath_string(expression: &str) -> Result<CString> {
    let mut quote = None;
    let line: String = expression
        .chars()
        .map(|c| match (quote, c) {
            (None, '\t' | '\n' | '\r') => ' ',
            (None, '"' | '\'') => {
                quote = Some(c);
                c
            }
            (Some(open), _) if open == c => {
                quote = None;
                c
            }
            _ => c,
        })
        .collect();
    c_string("an XPath expression", line.trim())
}

fn c_string(what: &str, text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::invalid(format!("{what} contains a NUL byte")))
}
