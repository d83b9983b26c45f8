//! The connection to pacemaker-based that all handles of the process share.
//!
//! One, because libcib keeps tables for the whole process, and because its notifications do not say
//! which connection they came by. It lives on the Pacemaker thread.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crate::live::ffi::pacemaker::Here;
use crate::live::ffi::pacemaker::cib::{Connection, Handlers, Reply, Request};
use crate::live::pacemaker::{error, runtime};
use crate::xml::Document;
use crate::{ErrorExt, ErrorKind, Result};

use super::Section;

const SERVER: &str = "cib_rw";
const DAEMON: &str = "pacemaker-based";

/// How many handles want the connection.
static LEASES: AtomicUsize = AtomicUsize::new(0);
/// Whether there is a connection, as far as is known: spares connected callers the probe.
static CONNECTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static SESSION: RefCell<Option<Connection>> = const { RefCell::new(None) };
    /// Set by the library's callback, in which the connection cannot be closed.
    static LOST: Cell<bool> = const { Cell::new(false) };
}

/// One handle's share of the connection.
#[derive(Debug)]
pub(crate) struct Lease {
    name: CString,
}

impl Lease {
    /// Connects unless that is done already.
    pub(crate) fn open(name: CString, deadline: Instant) -> Result<Self> {
        LEASES.fetch_add(1, Ordering::AcqRel);
        let lease = Self { name };
        let name = lease.name.clone();
        with_connection("connect to pacemaker-based", &name, deadline, |_, _| Ok(()))?;
        Ok(lease)
    }

    pub(crate) fn name(&self) -> &CStr {
        &self.name
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if LEASES.fetch_sub(1, Ordering::AcqRel) == 1 {
            runtime::post(|_| {
                // A handle may have been made since.
                if LEASES.load(Ordering::Acquire) == 0 {
                    close();
                }
            });
        }
    }
}

/// A request that can travel to the Pacemaker thread.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) operation: &'static CStr,
    pub(crate) section: Option<CString>,
    pub(crate) data: Option<Document>,
    pub(crate) options: u32,
    pub(crate) user: Option<CString>,
    /// Looks at the section's text before it is sent.
    pub(crate) check: Option<fn(&Here, &CStr) -> Result<()>>,
    pub(crate) name: CString,
    pub(crate) deadline: Instant,
}

impl Ask {
    pub(crate) fn options(mut self, options: u32) -> Self {
        self.options = options;
        self
    }

    pub(crate) fn section(mut self, section: Section) -> Self {
        self.section = Some(section.as_c_str().to_owned());
        self
    }

    /// Sends the request and hands the answer to `read`, on the Pacemaker thread.
    pub(crate) fn run<T, F>(self, what: &'static str, read: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Reply) -> Result<T> + Send + 'static,
    {
        let (name, deadline) = (self.name.clone(), self.deadline);
        let job = move |here: &Here, connection: &mut Connection| {
            if let (Some(check), Some(text)) = (self.check, &self.section) {
                check(here, text)?;
            }
            let reply = connection.perform(
                here,
                &Request {
                    operation: self.operation,
                    section: self.section.as_deref(),
                    data: self.data.as_ref(),
                    options: self.options,
                    user: self.user.as_deref(),
                    timeout: deadline.saturating_duration_since(Instant::now()),
                },
            )?;
            read(reply)
        };
        with_connection(what, &name, deadline, job).context(what)
    }
}

/// Runs `job` with the connection, which is made first when there is none.
fn with_connection<T, F>(what: &'static str, name: &CStr, deadline: Instant, job: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Here, &mut Connection) -> Result<T> + Send + 'static,
{
    /// Either the result, or the job again because there is no connection.
    enum Outcome<T, F> {
        Done(T),
        NotConnected(F),
    }
    let mut job = job;
    let mut reached = false;
    loop {
        if !CONNECTED.load(Ordering::Acquire) && !reached {
            runtime::reach(SERVER, DAEMON, deadline)?;
            reached = true;
        }
        let name = name.to_owned();
        let outcome = runtime::call(what, deadline, move |here| {
            if LOST.take() {
                close();
            }
            let mut session = SESSION.take();
            if session.is_none() {
                if !reached {
                    return Ok(Outcome::NotConnected(job));
                }
                session = Some(sign_on(here, &name)?);
            }
            let Some(mut connection) = session else {
                return Ok(Outcome::NotConnected(job));
            };
            let result = job(here, &mut connection);
            let broken = result
                .as_ref()
                .is_err_and(|e| matches!(e.kind(), ErrorKind::Disconnected | ErrorKind::Timeout));
            if broken {
                // After a time-out the late answer would be taken for the next one's.
                drop(connection);
                CONNECTED.store(false, Ordering::Release);
            } else {
                SESSION.set(Some(connection));
            }
            result.map(Outcome::Done)
        })?;
        match outcome {
            Outcome::Done(value) => return Ok(value),
            Outcome::NotConnected(again) => {
                job = again;
                CONNECTED.store(false, Ordering::Release);
            }
        }
    }
}

fn sign_on(here: &Here, name: &CStr) -> Result<Connection> {
    let handlers = Handlers {
        changed: Box::new(|_, _| {}),
        lost: Box::new(|_| {
            LOST.set(true);
            CONNECTED.store(false, Ordering::Release);
        }),
    };
    let connection = Connection::sign_on(here, name, handlers)
        .map_err(|rc| error::legacy(rc).context("sign on to pacemaker-based"))?;
    LOST.set(false);
    CONNECTED.store(true, Ordering::Release);
    Ok(connection)
}

/// Closes the connection. Only from a job, never below a callback of the library.
fn close() {
    CONNECTED.store(false, Ordering::Release);
    drop(SESSION.take());
}
