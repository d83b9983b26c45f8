//! The thread that follows the cluster, and the one that asks whether its daemons are still there.

use std::sync::mpsc::Sender;
use std::thread::Thread;
use std::time::Duration;

use ha_core::language::Language;
use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
use ha_core::live::pacemaker::pacemakerd;
use ha_core::live::pacemaker::watch::{Update, Watch};
use ha_core::{Error, ErrorKind, Result};

use super::News;

/// How long the daemons may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often to ask whether the daemons are there.
const PULSE: Duration = Duration::from_secs(5);
/// How long to wait before the next try to connect, where nothing announces that one would succeed.
const PAUSE: Duration = Duration::from_secs(1);

/// Asks the launcher and the CIB manager every few seconds whether they are there, until nobody listens:
/// that they are not is no event. Whoever wants to know sooner unparks this thread.
pub(super) fn ask(teller: &Sender<News>) {
    let mut cib = None;
    loop {
        if teller.send(News::Daemon(daemon())).is_err() {
            return;
        }
        let answer = match &cib {
            Some(cib) => Cib::version(cib).map(drop),
            None => Cib::connect(&options()).map(|new| cib = Some(new)),
        };
        let news = match answer {
            Ok(()) => News::Answers(true),
            Err(e) if e.kind() == ErrorKind::Timeout => News::Answers(false),
            // Who follows the CIB tells that the connection is lost, and why.
            Err(_) => News::Redraw,
        };
        if teller.send(news).is_err() {
            return;
        }
        std::thread::park_timeout(PULSE);
    }
}

/// Follows the cluster until nobody listens.
pub(super) fn follow(teller: &Sender<News>, asker: &Thread, language: Language) {
    loop {
        let Err(end) = connection(teller, asker, language);
        let gone = match end {
            End::Cluster(e) => teller.send(News::Lost(e.text(language))).is_err(),
            End::Listener => true,
        };
        if gone {
            return;
        }
        std::thread::park_timeout(PAUSE);
    }
}

/// Why a connection is given up.
enum End {
    Cluster(Error),
    /// Nobody listens any more.
    Listener,
}

impl From<Error> for End {
    fn from(e: Error) -> Self {
        Self::Cluster(e)
    }
}

/// Follows the CIB over one watch, which connects again by itself when it had a connection.
fn connection(
    teller: &Sender<News>,
    asker: &Thread,
    language: Language,
) -> Result<std::convert::Infallible, End> {
    let say = |news| teller.send(news).map_err(|_| End::Listener);
    let cib = Cib::connect(&options())?;
    let mut watch = Watch::open(&cib)?;
    asker.unpark();
    say(News::Cib(Box::new(watch.document().clone())))?;
    say(News::Fencing(fencing()))?;
    while let Some(update) = watch.next() {
        let mut last = update;
        // Changes that came together are shown once.
        loop {
            match &last {
                Update::Lost { cause } => {
                    let cause = Error::new(ErrorKind::Disconnected, cause.to_string());
                    say(News::Lost(cause.text(language)))?;
                }
                Update::Reconnected { .. } => asker.unpark(),
                _ => {}
            }
            match watch.try_next() {
                Some(next) => last = next,
                None => break,
            }
        }
        if watch.is_connected() {
            say(News::Cib(Box::new(watch.document().clone())))?;
            // What is fenced changes the state of a node too.
            say(News::Fencing(fencing()))?;
        }
    }
    let end = Error::new(ErrorKind::Disconnected, "the changes of the CIB ended");
    let french = "les changements de la CIB ont pris fin".to_owned();
    Err(end.in_french(french, None).into())
}

fn options() -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.timeout = PATIENCE;
    options
}

fn fencing() -> ha_core::view::FencingHistory {
    crate::cluster::fencing_within(PATIENCE)
}

/// What the launcher says of itself; nothing when it does not answer, as on a remote node.
fn daemon() -> Option<ha_core::view::DaemonState> {
    pacemakerd::ping(PATIENCE)
        .ok()
        .map(|answer| crate::source::daemon_state(&answer))
}
