//! One look at the cluster, for programs that end soon: without Pacemaker's libraries.
//!
//! Loading those, and preparing them, takes longer than all that such a program asks. So this speaks to
//! the daemons over libqb alone, to all of them at the same time, in the messages that the libraries of
//! Pacemaker 2 send. Whatever is not as expected is an error, after which a program still can do the
//! same with the rest of [`pacemaker`](crate::live::pacemaker): nothing here changes anything.

mod wire;

use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use pacemaker_sys as sys;

use self::wire::{Channel, Conversation};
use crate::live::ffi::pacemaker::fencer::Fenced;
use crate::live::ffi::pacemaker::pacemakerd::Ping;
use crate::live::ffi::pacemaker::qb;
use crate::live::pacemaker::exchange;
use crate::live::pacemaker::fencer::{self, FencingEvent};
use crate::live::pacemaker::pacemakerd::{self, PacemakerdStatus};
use crate::xml::{Document, Element};
use crate::{Error, ErrorExt as _, ErrorKind, Result};

/// What to look at, and for how long.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How long all of it may take.
    pub timeout: Duration,
    /// Ask the fencer too.
    pub fencing: bool,
}

impl Default for Options {
    /// Ten seconds, with the fencer.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            fencing: true,
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Glance {
    /// What pacemakerd says of itself.
    pub daemon: PacemakerdStatus,
    /// The CIB.
    pub cib: Document,
    /// What was fenced, in the fencer's order; nothing when that was not asked for.
    pub fencing: Option<Vec<FencingEvent>>,
}

/// How many daemons that do not answer are waited for at most, by threads that nobody can end.
const MOST_WAITING: usize = 24;

/// The threads that are at work.
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// Asks pacemakerd, the CIB manager and, if that is wanted, the fencer.
///
/// A daemon that is stopped leaves a thread behind, until it goes on or dies.
///
/// # Errors
/// [`ErrorKind::Unsupported`] when this library was built for Pacemaker 3, or when libqb cannot be
/// loaded; [`ErrorKind::Disconnected`] when one of the daemons does not run,
/// [`ErrorKind::PermissionDenied`] when it refuses this user, [`ErrorKind::Timeout`] when it does not
/// answer, [`ErrorKind::Protocol`] when the answer is not as expected.
///
/// # Example
/// ```no_run
/// use ha_core::live::pacemaker::glance;
/// let seen = glance::take(&glance::Options::default())?;
/// println!("{}; CIB {}", seen.daemon.state.as_str(), seen.cib.version());
/// # Ok::<(), ha_core::Error>(())
/// ```
pub fn take(options: &Options) -> Result<Glance> {
    if sys::ABI != 2 {
        let message = "the messages of this Pacemaker are its own libraries' matter";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    let library = qb::library()?;
    let deadline = exchange::deadline(options.timeout);
    let (sender, answers) = channel();
    let mut missing = 0;
    let mut ask = |job: fn(&'static qb::Library, Instant) -> Result<Answer>| {
        missing += 1;
        spawn(sender.clone(), move || job(library, deadline))
    };
    ask(ask_cib)?;
    ask(ask_pacemakerd)?;
    if options.fencing {
        ask(ask_fencer)?;
    }
    let (mut daemon, mut cib, mut fencing) = (None, None, None);
    for _ in 0..missing {
        let left = deadline.saturating_duration_since(Instant::now());
        match answers.recv_timeout(left) {
            Ok(answer) => match answer? {
                Answer::Daemon(status) => daemon = Some(status),
                Answer::Cib(document) => cib = Some(document),
                Answer::Fencing(events) => fencing = Some(events),
            },
            Err(RecvTimeoutError::Timeout) => return Err(timeout()),
            // A thread that panicked has said so.
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    match (daemon, cib) {
        (Some(daemon), Some(cib)) => Ok(Glance {
            daemon,
            cib,
            fencing,
        }),
        _ => Err(wire::odd("a question was dropped")),
    }
}

enum Answer {
    Daemon(PacemakerdStatus),
    Cib(Document),
    Fencing(Vec<FencingEvent>),
}

/// Works on a thread that can be given up.
fn spawn(
    sender: Sender<Result<Answer>>,
    job: impl FnOnce() -> Result<Answer> + Send + 'static,
) -> Result<()> {
    struct AtWork;
    impl Drop for AtWork {
        fn drop(&mut self) {
            AT_WORK.fetch_sub(1, Ordering::AcqRel);
        }
    }
    let others = AT_WORK.fetch_add(1, Ordering::AcqRel);
    let at_work = AtWork;
    if others >= MOST_WAITING {
        let message = "too many questions to the daemons have no answer yet";
        return Err(Error::new(ErrorKind::Limit, message).with_hint(
            "a Pacemaker daemon is stopped or hung: look at the states of its processes",
        ));
    }
    let work = move || {
        // Nobody listens any more when the caller gave up.
        let _ = sender.send(job());
        drop(at_work);
    };
    let thread = std::thread::Builder::new().name("glance".to_owned());
    thread
        .spawn(work)
        .map(drop)
        .context("start a thread that asks a daemon")
}

fn timeout() -> Error {
    Error::new(ErrorKind::Timeout, "a daemon did not answer in time").with_hint(
        "look at the states of Pacemaker's processes: one is stopped, hung or overloaded",
    )
}

/// As much as the library asks for: an answer that is not larger travels as it is.
const CIB_ROOM: usize = 512 * 1024;
const ROOM: usize = 128 * 1024;

fn ask_cib(library: &'static qb::Library, deadline: Instant) -> Result<Answer> {
    let options = sys::cib_sync_call | sys::cib_scope_local;
    let message = message(
        "cib_command",
        &[
            ("t", "cib"),
            ("cib_op", "cib_query"),
            ("cib_callid", "1"),
            ("cib_callopt", &options.to_string()),
        ],
    );
    let answer = ask(library, c"cib_ro", CIB_ROOM, &message, deadline).context("query the CIB")?;
    cib_of(&answer).map(Answer::Cib)
}

fn cib_of(answer: &Document) -> Result<Document> {
    let root = answer.root();
    expect(root, "cib-reply", &[("cib_callid", "1"), ("cib_rc", "0")])?;
    let data = root.child("cib_calldata");
    let cib = data.and_then(|data| data.child("cib"));
    let cib = cib.ok_or_else(|| wire::odd("the answer has no CIB"))?;
    Ok(Document::copy_of(cib))
}

fn ask_fencer(library: &'static qb::Library, deadline: Instant) -> Result<Answer> {
    let left = deadline.saturating_duration_since(Instant::now());
    let message = message(
        "stonith_command",
        &[
            ("t", "stonith-ng"),
            ("st_op", "st_fence_history"),
            ("st_callid", "1"),
            ("st_callopt", &sys::st_opt_sync_call.to_string()),
            ("st_timeout", &(left.as_secs() + 1).to_string()),
        ],
    );
    let answer = ask(library, c"stonith-ng", ROOM, &message, deadline).context("ask the fencer")?;
    fencing_of(&answer).map(Answer::Fencing)
}

fn fencing_of(answer: &Document) -> Result<Vec<FencingEvent>> {
    let root = answer.root();
    expect(root, "st-reply", &[("st_callid", "1"), ("st_rc", "0")])?;
    let list = root.child("st_calldata");
    let list = list.and_then(|data| data.child("st_history"));
    let events = list.into_iter().flat_map(Element::children);
    events.map(fenced).collect()
}

fn fenced(event: Element<'_>) -> Result<FencingEvent> {
    let text = |name| event.attribute(name).map(str::to_owned);
    let number = |name| event.attribute(name).map_or(Ok(0), str::parse::<i64>);
    let odd = |_| wire::odd("a number of a fencing event is none");
    let state = number("st_state").map_err(odd)?;
    Ok(fencer::event(Fenced {
        target: text("st_target").unwrap_or_default(),
        action: text("st_device_action").unwrap_or_default(),
        origin: text("st_origin"),
        delegate: text("st_delegate"),
        client: text("st_clientname"),
        state: u32::try_from(state).unwrap_or(u32::MAX),
        completed: (
            number("st_date").map_err(odd)?,
            number("st_date_nsec").map_err(odd)?,
        ),
        exit_reason: text("exit-reason"),
    }))
}

fn ask_pacemakerd(library: &'static qb::Library, deadline: Instant) -> Result<Answer> {
    // The answer names who asked: the number of the process tells its questions from others'.
    let own = format!("{}_ha-core", std::process::id());
    let reference = format!("ping-{own}");
    let message = message(
        "create_request_adv",
        &[
            ("origin", "ha-core"),
            ("t", "crmd"),
            ("version", "3.0.14"),
            ("subt", "request"),
            ("reference", &reference),
            ("crm_task", "ping"),
            ("crm_sys_to", "pacemakerd"),
            ("crm_sys_from", &own),
        ],
    );
    let conversation = Conversation::open(library, c"pacemakerd", ROOM);
    let answer = conversation
        .and_then(|conversation| conversation.ask(&message, Channel::Event, deadline))
        .context("ping pacemakerd")?;
    status_of(&answer, &reference).map(Answer::Daemon)
}

fn status_of(answer: &Document, reference: &str) -> Result<PacemakerdStatus> {
    let root = answer.root();
    expect(
        root,
        root.name(),
        &[("crm_task", "ping"), ("reference", reference)],
    )?;
    let data = root.child("crm_xml");
    let ping = data.and_then(|data| data.child("ping_response"));
    let ping = ping.ok_or_else(|| wire::odd("the answer tells no state"))?;
    let text = |name| ping.attribute(name).unwrap_or_default().to_owned();
    let last_good = ping.attribute("crm-timestamp");
    let last_good = last_good.and_then(|seconds| seconds.parse().ok());
    // On a remote node another daemon answers, and the libraries know what it means.
    let from = text("crm_subsystem");
    if from != "pacemakerd" {
        return Err(wire::odd("it is not pacemakerd that answers"));
    }
    pacemakerd::status(&Ping {
        from,
        state: text("pacemakerd_state"),
        last_good: last_good.filter(|&seconds| seconds > 0),
        ok: ping.attribute("result") == Some("ok"),
    })
}

/// Connects, sends a message, and returns the answer.
fn ask(
    library: &'static qb::Library,
    server: &CStr,
    room: usize,
    message: &Document,
    deadline: Instant,
) -> Result<Document> {
    Conversation::open(library, server, room)?.ask(message, Channel::Answer, deadline)
}

fn message(name: &str, attributes: &[(&str, &str)]) -> Document {
    let mut message = Document::new(name);
    let root = message.root().id();
    for (name, value) in attributes {
        message.set_attribute(root, name, value);
    }
    message
}

/// Makes sure that an answer is one to the question.
fn expect(root: Element<'_>, name: &str, attributes: &[(&str, &str)]) -> Result<()> {
    let mut attributes = attributes.iter();
    if root.name() == name && attributes.all(|&(name, value)| root.attribute(name) == Some(value)) {
        Ok(())
    } else {
        Err(wire::odd("the answer is to another question, or a refusal"))
    }
}

#[cfg(test)]
mod tests;
