//! The connection to pacemaker-based that all handles of the process share.
//!
//! One, because libcib keeps tables for the whole process, and because its notifications do not say
//! which connection they came by; and beside it the one that queries use (see `reader`). Both live on
//! the Pacemaker thread.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pacemaker_sys as sys;

use crate::live::ffi::pacemaker::Here;
use crate::live::ffi::pacemaker::cib::{Connection, Handlers, Notification, Request};
use crate::live::pacemaker::{error, runtime};
use crate::xml::{Document, PatchSet};
use crate::{Error, ErrorExt, ErrorKind, Result};

use super::feed::{Feed, News};
use super::file::CibFile;
use super::reader::{Output, Reader};
use super::{Section, pace, reconnect};

const SERVER: &str = "cib_rw";
const DAEMON: &str = "pacemaker-based";

/// How long the query for those who follow the CIB may take.
const QUERY: Duration = Duration::from_secs(30);

/// How many handles want the connection.
static LEASES: AtomicUsize = AtomicUsize::new(0);
/// Whether there is a connection, as far as is known: spares connected callers the probe.
static CONNECTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
    /// Set by the library's callback, in which the connection cannot be closed.
    static LOST: Cell<bool> = const { Cell::new(false) };
    /// Those that want to know about each change.
    static FEEDS: RefCell<Vec<Arc<Feed>>> = const { RefCell::new(Vec::new()) };
}

/// The connection, as the Pacemaker thread holds it.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    reader: Reader,
}

/// The answer to a request: a legacy return code, and what came with it (also with some errors).
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) rc: i32,
    pub(crate) output: Option<Output>,
}

/// Performs a request in the way that is there for all of them.
pub(super) fn perform(
    here: &Here,
    connection: &mut Connection,
    request: &Request<'_>,
) -> Result<Answer> {
    let reply = connection.perform(here, request)?;
    Ok(Answer {
        rc: reply.rc,
        output: reply.output.map(Output::Tree),
    })
}

impl Session {
    fn perform(&mut self, here: &Here, request: &Request<'_>) -> Result<Answer> {
        if request.operation == QUERY_OPERATION
            && let Some(answer) = self.reader.query(here, request)?
        {
            return Ok(answer);
        }
        perform(here, &mut self.connection, request)
    }

    /// Queries the whole CIB.
    fn query(&mut self, here: &Here) -> Result<Document> {
        whole(self.perform(here, &WHOLE)?)
    }
}

const QUERY_OPERATION: &CStr = c"cib_query";

/// The query of the whole CIB that nobody waits for.
pub(super) const WHOLE: Request<'static> = Request {
    operation: QUERY_OPERATION,
    section: None,
    data: None,
    options: sys::cib_scope_local,
    user: None,
    timeout: QUERY,
};

/// The same for its root alone, with nothing in it.
const ROOT: Request<'static> = Request {
    options: sys::cib_scope_local | sys::cib_no_children,
    ..WHOLE
};

/// Takes the CIB out of the answer to [`WHOLE`].
pub(super) fn whole(answer: Answer) -> Result<Document> {
    match answer.output {
        Some(output) if answer.rc == 0 => output.to_document(),
        _ => Err(super::no_output(answer.rc).context("query the CIB")),
    }
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
        with_session("connect to pacemaker-based", &name, deadline, |_, _| Ok(()))?;
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
    /// Whether it changes the CIB.
    pub(crate) write: bool,
    /// Looks at the section's text before it is sent.
    pub(crate) check: Option<fn(&Here, &CStr) -> Result<()>>,
    pub(crate) target: Target,
    pub(crate) deadline: Instant,
}

/// Whom a request is for.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// The CIB manager of this node.
    Daemon(Arc<Lease>),
    /// A file.
    File(Arc<CibFile>),
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
        F: FnOnce(&Here, Answer) -> Result<T> + Send + 'static,
    {
        let deadline = self.deadline;
        match self.target.clone() {
            Target::Daemon(lease) => {
                if self.write {
                    pace::wait(pace::message_about(self.data.as_ref()), deadline).context(what)?;
                }
                with_session(what, &lease.name, deadline, move |here, session| {
                    let answer = session.perform(here, &self.request(here)?)?;
                    read(here, answer)
                })
            }
            Target::File(file) => runtime::call(what, deadline, move |here| {
                let answer = file.perform(here, self)?;
                read(here, answer)
            }),
        }
        .context(what)
    }

    /// The request for the library, once it is found to be a good one.
    pub(super) fn request(&self, here: &Here) -> Result<Request<'_>> {
        if let (Some(check), Some(text)) = (self.check, &self.section) {
            check(here, text)?;
        }
        Ok(Request {
            operation: self.operation,
            section: self.section.as_deref(),
            data: self.data.as_ref(),
            options: self.options,
            user: self.user.as_deref(),
            timeout: self.deadline.saturating_duration_since(Instant::now()),
        })
    }
}

/// Runs `job` with the connection, which is made first when there is none.
fn with_session<T, F>(what: &'static str, name: &CStr, deadline: Instant, job: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Here, &mut Session) -> Result<T> + Send + 'static,
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
        let work = move |here: &Here| {
            check_lost(here);
            let mut session = SESSION.take();
            if session.is_none() {
                if !reached {
                    return Ok(Outcome::NotConnected(job));
                }
                session = Some(sign_on(here, &name)?);
            }
            let Some(mut session) = session else {
                return Ok(Outcome::NotConnected(job));
            };
            let result = job(here, &mut session);
            SESSION.set(Some(session));
            if let Err(e) = &result
                && matches!(e.kind(), ErrorKind::Disconnected | ErrorKind::Timeout)
            {
                // After a time-out the late answer would be taken for the next one's.
                lose(here, e);
            }
            result.map(Outcome::Done)
        };
        // Signing on has no limit in the library, the rest has; a slow answer is no reason to shut
        // the connection that others use too.
        let outcome = if reached {
            runtime::call_server(what, SERVER, deadline, work)
        } else {
            runtime::call(what, deadline, work)
        }?;
        match outcome {
            Outcome::Done(value) => return Ok(value),
            Outcome::NotConnected(again) => {
                job = again;
                CONNECTED.store(false, Ordering::Release);
            }
        }
    }
}

fn sign_on(here: &Here, name: &CStr) -> Result<Session> {
    let handlers = Handlers {
        changed,
        lost: |_| {
            LOST.set(true);
            CONNECTED.store(false, Ordering::Release);
            runtime::post(check_lost);
        },
    };
    let connection = Connection::sign_on(here, name, handlers)
        .map_err(|rc| error::legacy(rc).context("sign on to pacemaker-based"))?;
    let mut session = Session {
        connection,
        reader: Reader::connect(here),
    };
    LOST.set(false);
    if FEEDS.with_borrow(|feeds| !feeds.is_empty()) {
        subscribe(here, &mut session.connection)?;
        let document = Arc::new(session.query(here)?);
        tell(|| News::Snapshot(Arc::clone(&document)));
    }
    CONNECTED.store(true, Ordering::Release);
    Ok(session)
}

fn subscribe(here: &Here, connection: &mut Connection) -> Result<()> {
    connection
        .subscribe(here)
        .map_err(|rc| error::legacy(rc).context("subscribe to changes of the CIB"))
}

/// Closes the connection. Only from a job, never below a callback of the library.
fn close() {
    // In one order with what `reconnect` notes: it looks here after it has said that it ends.
    CONNECTED.store(false, Ordering::SeqCst);
    drop(SESSION.take());
}

/// Closes a connection that the library's callback said is lost.
fn check_lost(here: &Here) {
    if LOST.take() && SESSION.with_borrow(Option::is_some) {
        lose(
            here,
            &Error::new(
                ErrorKind::Disconnected,
                "pacemaker-based closed the connection",
            ),
        );
    }
}

/// Closes a connection that is of no use any more; those who follow the CIB are told, and a thread
/// begins to connect again for them.
fn lose(_: &Here, cause: &Error) {
    close();
    if FEEDS.with_borrow(|feeds| !feeds.is_empty()) {
        let cause: Arc<str> = format!("{cause:#}").into();
        tell(|| News::Lost(Arc::clone(&cause)));
        reconnect::begin();
    }
}

/// Gives the same news to all who follow the CIB.
fn tell(news: impl Fn() -> News) {
    FEEDS.with_borrow(|feeds| {
        for feed in feeds {
            feed.push(news());
        }
    });
}

/// The library's callback for a change.
fn changed(_: &Here, notification: &Notification) {
    let patch = notification
        .patch()
        .and_then(|diff| diff.map(PatchSet::from_document).transpose());
    match patch {
        Ok(None) => {}
        Ok(Some(patch)) => {
            let patch = Arc::new(patch);
            tell(|| News::Patch(Arc::clone(&patch)));
        }
        Err(e) => {
            tracing::warn!("a change of the CIB cannot be read, querying all of it: {e:#}");
            tell(|| News::Unreadable);
        }
    }
}

/// Adds a follower, and returns the CIB that its news starts from.
pub(in crate::live::pacemaker) fn follow(
    name: &CStr,
    feed: Arc<Feed>,
    deadline: Instant,
) -> Result<Document> {
    with_session("follow the CIB", name, deadline, move |here, session| {
        if FEEDS.with_borrow(Vec::is_empty) {
            subscribe(here, &mut session.connection)?;
        }
        // After subscribing: a change between the two is both in the answer and among the news.
        let document = session.query(here)?;
        FEEDS.with_borrow_mut(|feeds| feeds.push(feed));
        Ok(document)
    })
}

/// Removes a follower.
pub(in crate::live::pacemaker) fn unfollow(feed: Arc<Feed>) {
    runtime::post(move |here| {
        let last = FEEDS.with_borrow_mut(|feeds| {
            let before = feeds.len();
            feeds.retain(|other| !Arc::ptr_eq(other, &feed));
            feeds.len() < before && feeds.is_empty()
        });
        drop(feed);
        reconnect::wake();
        // With no handle left the connection is about to be closed as a whole.
        if last && LEASES.load(Ordering::Acquire) > 0 {
            SESSION.with_borrow_mut(|session| {
                if let Some(session) = session {
                    session.connection.unsubscribe(here);
                }
            });
        }
    });
}

/// Queries the whole CIB for a follower that lost track; the answer comes as news.
pub(in crate::live::pacemaker) fn refresh(feed: Arc<Feed>) {
    query_for(feed, &WHOLE, |document| News::Snapshot(Arc::new(document)));
}

/// Queries the root of the CIB alone for a follower; the answer comes as news.
pub(in crate::live::pacemaker) fn look_at_root(feed: Arc<Feed>) {
    query_for(feed, &ROOT, |root| News::Root(Box::new(root)));
}

fn query_for(feed: Arc<Feed>, request: &'static Request<'static>, news: fn(Document) -> News) {
    runtime::post_work("query the CIB", QUERY, move |here| {
        check_lost(here);
        // Without a connection the news will come with the next one.
        let Some(mut session) = SESSION.take() else {
            return;
        };
        let result = session.perform(here, request).and_then(whole);
        SESSION.set(Some(session));
        match result {
            Ok(document) => feed.push(news(document)),
            Err(e) => lose(here, &e),
        }
    });
}

/// Connects for those who follow the CIB, unless that is done already.
pub(super) fn connect_again(name: &CStr, deadline: Instant) -> Result<()> {
    // As a handle: when nobody wants the connection any more by the time it is made, it closes again.
    Lease::open(name.to_owned(), deadline).map(drop)
}

/// Tells whether there is a connection, as far as is known.
pub(super) fn is_connected() -> bool {
    CONNECTED.load(Ordering::SeqCst)
}
