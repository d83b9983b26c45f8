//! Queries over a connection of their own, whose answers are read as text.
//!
//! libcib parses each answer and copies the tree, and we would copy that into a [`Document`]. Here
//! the text becomes a document at once, with a fifth of the instructions. The messages are those
//! that libcib sends, in all of its versions so far; whatever is not as expected, also a value that
//! Pacemaker 2 wrote ill-formed (see `ffi::pacemaker::escape`) or an answer that came in parts, ends
//! the use of this connection, and queries go through libcib again.

use std::ffi::CStr;
use std::time::Duration;

use pacemaker_sys as sys;

use super::session::Answer;
use crate::live::ffi::pacemaker::Here;
use crate::live::ffi::pacemaker::cib::{Request, Tied};
use crate::live::ffi::pacemaker::ipc::Ipc;
use crate::live::pacemaker::error;
use crate::xml::{Document, Element, NodeId};
use crate::{Error, ErrorExt, ErrorKind, Result};

const SERVER: &CStr = c"cib_rw";

/// As much as libcib asks for.
const ROOM: usize = 512 * 1024;

/// What came with an answer.
#[derive(Debug)]
pub(crate) enum Output {
    /// A tree of libcib.
    Tree(Tied),
    /// An element of the answer's text.
    Part(Document, NodeId),
}

impl Output {
    /// Returns it as a document of its own.
    pub(crate) fn to_document(&self) -> Result<Document> {
        match self {
            Self::Tree(tree) => tree.to_document(),
            Self::Part(answer, id) => Ok(Document::copy_of(answer.element(*id))),
        }
    }

    /// Returns the elements that an `XPath` query found: the daemon gives one as it is, and several
    /// inside an element of its own.
    pub(crate) fn to_matches(&self) -> Result<Vec<Document>> {
        match self {
            Self::Tree(tree) => tree.to_matches(),
            Self::Part(answer, id) => {
                let found = answer.element(*id);
                Ok(if found.name() == "xpath-query" {
                    found.children().map(Document::copy_of).collect()
                } else {
                    vec![Document::copy_of(found)]
                })
            }
        }
    }
}

/// The connection; stays on the Pacemaker thread.
#[derive(Debug)]
pub(super) struct Reader {
    /// None once it is of no use.
    ipc: Option<Ipc>,
    calls: i32,
}

impl Reader {
    /// Connects. The daemon must have accepted another connection a moment ago.
    pub(super) fn connect(here: &Here) -> Self {
        let ipc = Ipc::connect(here, SERVER, ROOM)
            .map_err(|rc| given_up(&error::legacy(rc)))
            .ok();
        Self { ipc, calls: 0 }
    }

    /// Performs a query; nothing when that is to be done in the other way.
    pub(super) fn query(&mut self, here: &Here, request: &Request<'_>) -> Result<Option<Answer>> {
        let Some(ipc) = &mut self.ipc else {
            return Ok(None);
        };
        self.calls = self.calls.checked_add(1).unwrap_or(1);
        // The library counts in whole seconds too.
        let seconds = request.timeout.as_secs_f64().ceil().clamp(1.0, 86_400.0);
        let timeout = Duration::from_secs_f64(seconds);
        let asked = ipc.ask_for_text(here, &message(request, self.calls), timeout)?;
        match asked.map(|text| answer(text, self.calls)) {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(e)) => {
                given_up(&e);
                self.ipc = None;
                Ok(None)
            }
            Err(_) => {
                // What libcib says when no answer came in time, or when there is nobody to answer.
                let connected = ipc.is_connected(here);
                let rc = if connected {
                    libc::ECOMM
                } else {
                    libc::ENOTCONN
                };
                self.ipc = None;
                Err(error::legacy(-rc))
            }
        }
    }
}

fn given_up(e: &Error) {
    tracing::info!("queries of the CIB go through libcib from now on: {e:#}");
}

/// The message of a query.
fn message(request: &Request<'_>, call: i32) -> Document {
    let mut message = Document::new("cib_command");
    let root = message.root().id();
    let mut put = |name: &str, value: &str| message.set_attribute(root, name, value);
    put("t", "cib");
    put("cib_op", &request.operation.to_string_lossy());
    put("cib_callid", &call.to_string());
    let options = request.options | sys::cib_sync_call;
    put("cib_callopt", &options.to_string());
    if let Some(section) = request.section {
        put("cib_section", &section.to_string_lossy());
    }
    if let Some(user) = request.user {
        put("cib_user", &user.to_string_lossy());
    }
    message
}

/// Reads the text of an answer.
fn answer(text: &[u8], call: i32) -> Result<Answer> {
    let odd = || Error::new(ErrorKind::Protocol, "an answer of an unknown kind");
    let answer = Document::parse_bytes(text).context("read an answer of the CIB manager")?;
    let root = answer.root();
    let number = |name: &str| root.attribute(name).and_then(|v| v.parse::<i32>().ok());
    if root.name() != "cib-reply" || number("cib_callid") != Some(call) {
        return Err(odd());
    }
    let rc = number("cib_rc").ok_or_else(odd)?;
    let data = root
        .child("cib_calldata")
        .and_then(|data| data.children().next())
        .map(Element::id);
    Ok(Answer {
        rc,
        output: data.map(|id| Output::Part(answer, id)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = "<cib-reply t='cib' cib_op='cib_query' cib_callid='7' cib_rc='0'>\
        <cib_calldata>DATA</cib_calldata></cib-reply>";

    fn output(data: &str) -> Option<Output> {
        let answer = answer(REPLY.replace("DATA", data).as_bytes(), 7).unwrap();
        assert_eq!(answer.rc, 0);
        answer.output
    }

    #[test]
    fn an_answer_holds_one_element_or_several_or_none() {
        let one = output("<cib epoch='2'><status/></cib>").unwrap();
        let cib = Document::parse("<cib epoch='2'><status/></cib>").unwrap();
        assert_eq!(one.to_document().unwrap(), cib);
        assert_eq!(one.to_matches().unwrap(), [cib]);
        let two = output("<xpath-query><a/><b c='1'/></xpath-query>").unwrap();
        let names: Vec<_> = two.to_matches().unwrap();
        let names: Vec<_> = names.iter().map(|d| d.root().name()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(output("").is_none());
    }

    #[test]
    fn what_is_not_as_expected_is_refused() {
        for (text, call) in [
            (REPLY, 8),
            (&REPLY.replace("cib_rc='0'", ""), 7),
            (&REPLY.replace("cib-reply", "nack"), 7),
            (&REPLY.replace("</cib-reply>", ""), 7),
            ("", 7),
        ] {
            assert!(answer(text.as_bytes(), call).is_err(), "{text}");
        }
        let refused = REPLY.replace("cib_rc='0'", "cib_rc='-6'");
        assert_eq!(answer(refused.as_bytes(), 7).unwrap().rc, -6);
    }

    #[test]
    fn a_message_names_all_that_was_asked_for() {
        let request = Request {
            operation: c"cib_query",
            section: Some(c"//node[@id=\"1\"]"),
            data: None,
            options: sys::cib_xpath,
            user: Some(c"alice"),
            timeout: Duration::from_secs(1),
        };
        let message = message(&request, 3);
        let value = |name| message.root().attribute(name);
        let options = (sys::cib_xpath | sys::cib_sync_call).to_string();
        assert_eq!(value("cib_callopt"), Some(&*options));
        assert_eq!(value("cib_section"), Some("//node[@id=\"1\"]"));
        assert_eq!(value("cib_user"), Some("alice"));
    }
}
