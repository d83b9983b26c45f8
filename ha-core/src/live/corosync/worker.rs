//! Threads that make the calls which may never return.
//!
//! A thread that is stuck in C cannot be ended, so it is never waited for: it goes on as soon as
//! the daemon does, and cleans up behind itself. The number of threads is bounded; jobs beyond it
//! wait in a queue, and their callers' deadlines still hold.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::live::ffi::corosync::block_signals;
use crate::{Error, ErrorKind, Result};

/// Something to be run by a worker; it reports its result by itself.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// More than a program has connections that are stuck at the same time.
const THREADS: usize = 32;
/// C answers from buffers of 1 MiB on the stack.
const STACK: usize = 4 << 20;
/// An idle worker ends after this time.
const IDLE: Duration = Duration::from_secs(10);

struct Pool {
    threads: usize,
    idle: usize,
    queue: VecDeque<Job>,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    threads: 0,
    idle: 0,
    queue: VecDeque::new(),
});
static WORK: Condvar = Condvar::new();

fn pool() -> MutexGuard<'static, Pool> {
    // Nothing panics while the lock is held.
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a job to a worker. The job is dropped unrun when no thread can be made at all.
///
/// # Errors
/// [`ErrorKind::Limit`] when there is no worker and the system makes no thread.
pub(super) fn submit(job: Job) -> Result<()> {
    let mut pool = pool();
    pool.queue.push_back(job);
    if pool.idle >= pool.queue.len() {
        WORK.notify_one();
        return Ok(());
    }
    if pool.threads >= THREADS {
        return Ok(());
    }
    let spawned = thread::Builder::new()
        .name("corosync-call".to_owned())
        .stack_size(STACK)
        .spawn(work);
    match spawned {
        Ok(_detached) => pool.threads += 1,
        // Another worker will come to it.
        Err(_) if pool.threads > 0 => {}
        Err(e) => {
            let job = pool.queue.pop_back();
            drop(pool);
            drop(job);
            return Err(
                Error::new(ErrorKind::Limit, "make a thread for a call to corosync").with_source(e),
            );
        }
    }
    Ok(())
}

fn work() {
    block_signals();
    loop {
        let Some(job) = next() else { return };
        // A panic is reported to the caller by the end of the job's channel.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

fn next() -> Option<Job> {
    let mut pool = pool();
    loop {
        if let Some(job) = pool.queue.pop_front() {
            return Some(job);
        }
        pool.idle += 1;
        let (again, waited) = WORK
            .wait_timeout(pool, IDLE)
            .unwrap_or_else(PoisonError::into_inner);
        pool = again;
        pool.idle -= 1;
        if waited.timed_out() && pool.queue.is_empty() {
            pool.threads -= 1;
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn more_stuck_jobs_than_threads_leave_the_caller_free() {
        let (release, gate) = mpsc::channel::<()>();
        let gate = std::sync::Arc::new(Mutex::new(gate));
        let (done, results) = mpsc::channel();
        for number in 0..THREADS + 8 {
            let (gate, done) = (gate.clone(), done.clone());
            let job = move || {
                let _ = gate.lock().map(|gate| gate.recv());
                let _ = done.send(number);
            };
            submit(Box::new(job)).expect("accepted");
        }
        assert!(pool().threads <= THREADS);
        drop(release);
        let mut seen: Vec<_> = results.iter().take(THREADS + 8).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..THREADS + 8).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_does_not_cost_a_worker() {
        let (tell, told) = mpsc::channel();
        submit(Box::new(|| panic!("on purpose"))).expect("accepted");
        submit(Box::new(move || {
            let _ = tell.send(7);
        }))
        .expect("accepted");
        assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(7));
    }
}
