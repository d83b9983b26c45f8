//! A question to a daemon and its replies, waited for outside the Pacemaker thread.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::live::ffi::pacemaker::Here;
use crate::live::ffi::pacemaker::api::{self, Connection, Daemon, Event};
use crate::live::pacemaker::{error, runtime};
use crate::{Error, ErrorExt, ErrorKind, Result};

thread_local! {
    /// The connections of the questions that are under way, on the Pacemaker thread.
    static OPEN: RefCell<HashMap<u64, Box<dyn Any>>> = RefCell::new(HashMap::new());
}

/// Closes a question's connection, outside the library's callbacks.
struct Close(u64);

impl Drop for Close {
    fn drop(&mut self) {
        let id = self.0;
        runtime::post(move |_| {
            // Dropped outside the borrow: closing runs code of the library.
            let closed = OPEN.with_borrow_mut(|open| open.remove(&id));
            drop(closed);
        });
    }
}

/// The moment at which a call that may take so long must have ended.
pub(crate) fn deadline(timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + timeout.min(YEAR)
}

/// Makes the error of a newer return code (`pcmk_rc_*`, or an `errno`).
pub(crate) fn refused(rc: i32) -> Error {
    error::legacy(api::to_legacy(rc))
}

/// Connects to a daemon, sends what `send` sends, and waits until `collect` makes a result of the
/// replies; both run on the Pacemaker thread, which is free between the replies.
///
/// `what` is an infinitive ("ping pacemakerd").
pub(crate) fn exchange<D, T>(
    what: &'static str,
    deadline: Instant,
    send: impl FnOnce(&Here, &Connection<D>) -> std::result::Result<(), i32> + Send + 'static,
    collect: impl FnMut(D::Reply) -> Option<Result<T>> + Send + 'static,
) -> Result<T>
where
    D: Daemon,
    T: Send + 'static,
{
    static NEXT: AtomicU64 = AtomicU64::new(0);

    runtime::reach(D::SERVER, D::NAME, deadline).context(what)?;
    let (sender, receiver) = sync_channel(1);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let _close = Close(id);
    runtime::call_server(what, D::SERVER, deadline, move |here| {
        let collect = RefCell::new(collect);
        let connection = Connection::<D>::open(
            here,
            Box::new(move |event| {
                let result = match event {
                    Event::Reply(reply) => collect.borrow_mut()(reply),
                    Event::Refused(status) => Some(Err(Error::new(
                        ErrorKind::Daemon,
                        format!("{} refused: {}", D::NAME, api::exit_text(status)),
                    ))),
                    Event::Lost => Some(Err(Error::new(
                        ErrorKind::Disconnected,
                        format!("{} closed the connection before it answered", D::NAME),
                    )
                    .with_hint("try again: a daemon that died is started again by pacemakerd"))),
                };
                if let Some(result) = result {
                    // Only the first result counts, and nobody may be waiting any more.
                    let _ = sender.try_send(result);
                }
            }),
        )
        .map_err(|rc| refused(rc).context(what))?;
        send(here, &connection).map_err(|rc| refused(rc).context(what))?;
        OPEN.with_borrow_mut(|open| open.insert(id, Box::new(connection)));
        Ok(())
    })?;
    let left = deadline.saturating_duration_since(Instant::now());
    match receiver.recv_timeout(left) {
        Ok(result) => result.context(what),
        Err(RecvTimeoutError::Timeout) => Err(Error::new(
            ErrorKind::Timeout,
            format!("{} did not answer in time", D::NAME),
        )
        .with_hint(format!(
            "{0} is stopped, hung or overloaded: look at its state (ps -C {0} -o pid,stat,cmd)",
            D::NAME
        ))
        .context(what)),
        Err(RecvTimeoutError::Disconnected) => Err(Error::new(
            ErrorKind::Protocol,
            "the Pacemaker thread dropped a question",
        )
        .context(what)),
    }
}
