//! The test program: tests that use labs, agents that run in their machines, one executable.
//!
//! `cargo test -p ha-tests --test live -- cpg` runs the tests whose name contains `cpg`; every name
//! begins with `live::`, so that `--skip live::` leaves out what needs root.
//! With `HA_LAB_MEMCHECK=1` every agent runs under valgrind, and its first memory error fails the test.
//! With `HA_LAB_KEEP=1` the lab of a test that failed stays, and a line says how to look inside.

use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use ha_core::{Error, Result};
use libtest_mimic::{Arguments, Failed, Trial};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agent::{FLAG, Functions, memory_errors, panic_message, patience};
use crate::lab::{Lab, require_root};
use crate::options::LabOptions;

/// How long a test may take when it does not say.
const LIMIT: Duration = Duration::from_secs(600);

/// How many labs of their own run at the same time, besides the shared one.
const OWN_LABS: usize = 4;

/// How many of the tests that took longest are named at the end.
const NAMED: usize = 12;

type Body = Arc<dyn Fn(&Slot) -> Result<()> + Send + Sync>;

/// Where a test's own lab is while it runs: the watchdog reads its logs and ends it.
type Slot = Mutex<Option<Arc<Lab>>>;

/// The tests and agents of the program.
#[derive(Default)]
pub struct Harness {
    trials: Vec<(Duration, Trial)>,
    functions: Functions,
}

impl std::fmt::Debug for Harness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Harness")
            .field("tests", &self.trials.len())
            .finish_non_exhaustive()
    }
}

/// A test's body with what it needs, made by [`own`] or [`plain`].
pub struct Test {
    body: Body,
    limit: Duration,
    labs: usize,
}

impl std::fmt::Debug for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Test")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Test {
    /// Sets how long the test may take, its lab's start included (600 s: a test that hangs must end, a
    /// machine that is busy must not fail it).
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Sets how many labs it starts by other means, so that it waits for its turn.
    #[must_use]
    pub fn labs(mut self, labs: usize) -> Self {
        self.labs = labs.min(OWN_LABS);
        self
    }
}

/// A test with a lab of its own, which it may damage.
pub fn own(options: LabOptions, body: impl Fn(&Lab) -> Result<()> + Send + Sync + 'static) -> Test {
    let body = move |slot: &Slot| {
        let lab = Arc::new(started(&options)?);
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&lab));
        with_lab(&lab, &body)
    };
    Test {
        body: Arc::new(body),
        limit: LIMIT,
        labs: 1,
    }
}

/// A test that starts no lab, or starts its own by other means ([`Test::labs`]).
pub fn plain(body: impl Fn() -> Result<()> + Send + Sync + 'static) -> Test {
    Test {
        body: Arc::new(move |_: &Slot| body()),
        limit: LIMIT,
        labs: 0,
    }
}

impl Harness {
    /// Makes an empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function that tests can run inside a machine ([`Node::call`](crate::Node::call)).
    ///
    /// # Panics
    /// When two have the same name.
    pub fn agent<A, T>(
        &mut self,
        name: &'static str,
        function: impl Fn(A) -> Result<T> + Send + Sync + 'static,
    ) where
        A: DeserializeOwned,
        T: Serialize,
    {
        self.functions.add(name, function);
    }

    /// Adds a test.
    pub fn test(&mut self, name: &str, test: Test) {
        let (limit, full) = (test.limit, format!("live::{name}"));
        let timed = full.clone();
        let trial = Trial::test(full, move || {
            let took = run(test)?;
            let mut times = TIMES.lock().unwrap_or_else(PoisonError::into_inner);
            times.push((took, timed));
            Ok(())
        });
        self.trials.push((limit, trial));
    }

    /// Adds a test that uses the one lab that such tests share (two nodes, udp).
    ///
    /// It runs beside others: it may add what has a name of its own and changes nothing else, and
    /// neither harms a daemon nor a link.
    pub fn shared(
        &mut self,
        name: &str,
        body: impl Fn(&Lab) -> Result<()> + Send + Sync + 'static,
    ) {
        self.test(name, plain(move || with_lab(shared_lab()?, &body)));
    }

    /// Does the work of an executable that was started again inside a machine; none when it is the
    /// first one.
    #[must_use]
    pub fn inside(&self) -> Option<ExitCode> {
        if let Some(code) = crate::inner_role() {
            return Some(code);
        }
        let args: Vec<String> = std::env::args().collect();
        match &args[..] {
            [_, flag, name, json] if flag == FLAG => Some(self.functions.run(name, json)),
            _ => None,
        }
    }

    /// Runs what the command line asks for; the whole of `main`.
    #[must_use]
    pub fn main(mut self) -> ExitCode {
        if let Some(code) = self.inside() {
            return code;
        }
        let mut arguments = Arguments::from_args();
        if !arguments.list
            && let Err(e) = require_root()
        {
            eprintln!("{e:?}");
        }
        // A lab mostly waits; this many tests keep two processors busy.
        arguments.test_threads.get_or_insert(OWN_LABS + 2);
        // Those that may take longest begin first, so that none of them goes on alone at the end.
        self.trials.sort_by_key(|(limit, _)| Reverse(*limit));
        let trials = self.trials.into_iter().map(|(_, trial)| trial).collect();
        let conclusion = libtest_mimic::run(&arguments, trials);
        if !arguments.list {
            name_the_longest();
        }
        let errors = memory_errors();
        if !errors.is_empty() {
            eprintln!("valgrind reported errors in agents:\n{}", errors.join("\n"));
            return ExitCode::FAILURE;
        }
        conclusion.exit_code()
    }
}

/// How long each test took that succeeded.
static TIMES: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

/// Says where the time went.
fn name_the_longest() {
    let mut times = TIMES.lock().unwrap_or_else(PoisonError::into_inner);
    times.sort_unstable_by_key(|(took, _)| Reverse(*took));
    for (took, name) in times.iter().take(NAMED) {
        eprintln!("{:>7.1} s  {name}", took.as_secs_f64());
    }
}

/// Runs a test, but not for longer than its limit; returns how long it took, its turn not awaited.
fn run(test: Test) -> Result<Duration, Failed> {
    let Test { body, limit, labs } = test;
    let limit = patience(limit);
    require_root().map_err(|_| Failed::from("root is needed"))?;
    // The clock does not run while others have their turn.
    let _turn = Turn::take(labs);
    let slot = Arc::new(Slot::default());
    let (sender, receiver) = channel();
    let seen = Arc::clone(&slot);
    std::thread::spawn(move || {
        let done = catch_unwind(AssertUnwindSafe(|| body(&seen)));
        let _ = sender.send(done.unwrap_or_else(|payload| Err(panicked(payload.as_ref()))));
    });
    let began = Instant::now();
    let done = receiver.recv_timeout(limit);
    let lab = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    match done {
        Ok(Ok(())) => Ok(began.elapsed()),
        Ok(Err(e)) => Err(Failed::from(format!("{e:#}{}", hint(&e)))),
        Err(RecvTimeoutError::Timeout) => {
            let logs = lab.as_ref().map(|lab| lab.log_tails()).unwrap_or_default();
            // What the body waits for inside goes, and with it, most likely, the wait.
            if let Some(lab) = lab {
                lab.end();
            }
            Err(Failed::from(format!(
                "not finished after {limit:?}; left behind\n{logs}"
            )))
        }
        Err(RecvTimeoutError::Disconnected) => Err(Failed::from("the test's thread was lost")),
    }
}

fn panicked(payload: &(dyn std::any::Any + Send)) -> Error {
    Error::invalid(format!("panicked: {}", panic_message(payload)))
}

fn hint(e: &Error) -> String {
    e.hint()
        .map(|h| format!("\n  next step: {h}"))
        .unwrap_or_default()
}

/// Runs a body with a lab, and adds the nodes' logs to its failure.
fn with_lab(lab: &Lab, body: &(impl Fn(&Lab) -> Result<()> + ?Sized)) -> Result<()> {
    let done = catch_unwind(AssertUnwindSafe(|| body(lab)))
        .unwrap_or_else(|payload| Err(panicked(payload.as_ref())));
    done.map_err(|e| {
        let mut text = format!("{e:#}{}\n{}", hint(&e), lab.log_tails());
        if std::env::var_os("HA_LAB_KEEP").is_some() {
            text += &
match lab.keep(None) {
                Ok(name) => format!(
                    "the lab stays: lab exec --name {name} maitre crm_mon -1; lab down --name {name}"
                ),
                Err(e) => format!("the lab could not be kept: {e:#}"),
            };
        }
        Error::new(e.kind(), text)
    })
}

/// Starts a lab, and says so when that took long.
fn started(options: &LabOptions) -> Result<Lab> {
    let lab = Lab::start(options)?;
    if let Some(slow) = lab.slow_start() {
        eprintln!("lab: {slow}");
    }
    Ok(lab)
}

fn shared_lab() -> Result<&'static Lab> {
    static LAB: OnceLock<Result<Lab, String>> = OnceLock::new();
    LAB.get_or_init(|| started(&LabOptions::default()).map_err(|e| format!("{e:#}")))
        .as_ref()
        .map_err(|e| Error::invalid(format!("the shared lab did not start: {e}")))
}

/// Places for labs that a test holds while it runs.
struct Turn(usize);

static TAKEN: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

impl Turn {
    fn take(labs: usize) -> Self {
        let (count, freed) = &TAKEN;
        let mut taken = freed
            .wait_while(
                count.lock().unwrap_or_else(PoisonError::into_inner),
                |taken| *taken + labs > OWN_LABS,
            )
            .unwrap_or_else(PoisonError::into_inner);
        *taken += labs;
        Self(labs)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (count, freed) = &TAKEN;
        *count.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        freed.notify_all();
    }
}
