//! Connecting again for those who follow the CIB.

use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{feed, session};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long one try may take; a stopped daemon uses all of it.
const TRY: Duration = Duration::from_secs(10);

static RUNNING: AtomicBool = AtomicBool::new(false);
/// The name to sign on with.
static NAME: Mutex<Option<CString>> = Mutex::new(None);
static WAKE: Condvar = Condvar::new();

/// Sets the name that connections made again have.
pub(in crate::live::pacemaker) fn set_name(name: CString) {
    *NAME.lock().unwrap_or_else(PoisonError::into_inner) = Some(name);
}

/// Ends the pause between two tries: the last follower is gone.
pub(super) fn wake() {
    WAKE.notify_all();
}

/// Starts a thread that tries until there is a connection or nobody wants one; one at a time.
pub(super) fn begin() {
    if RUNNING.swap(true, Ordering::SeqCst) {
        return;
    }
    let started = std::thread::Builder::new()
        .name("cib reconnect".to_owned())
        .stack_size(512 * 1024)
        .spawn(run);
    if let Err(e) = started {
        RUNNING.store(false, Ordering::Release);
        tracing::error!("cannot start the thread that connects to the CIB again: {e}");
    }
}

fn run() {
    loop {
        attempts();
        // In one order with the loss that is looked for next: else each of the two threads could miss
        // what the other has just noted, and nobody would connect again.
        RUNNING.store(false, Ordering::SeqCst);
        // The connection may have been lost again before the line above.
        let needed = !session::is_connected() && feed::any();
        if !needed || RUNNING.swap(true, Ordering::SeqCst) {
            return;
        }
    }
}

fn attempts() {
    let mut pause = FIRST_PAUSE;
    let mut name = NAME.lock().unwrap_or_else(PoisonError::into_inner);
    while feed::any() && !session::is_connected() {
        name = WAKE
            .wait_timeout(name, pause)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        pause = (pause * 2).min(LONGEST_PAUSE);
        let Some(own) = name.clone() else { return };
        drop(name);
        if let Err(e) = session::connect_again(&own, Instant::now() + TRY) {
            tracing::debug!("cannot connect to the CIB again yet: {e:#}");
        }
        name = NAME.lock().unwrap_or_else(PoisonError::into_inner);
    }
}
