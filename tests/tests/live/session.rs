//! The connection to the CIB manager: deadlines, loss, what it leaves behind, what it prints.

use std::time::{Duration, Instant};

use ha_core::live::pacemaker::cib::{Cib, ConnectOptions, Section};
use ha_core::live::pacemaker::watch::{Update, Watch};
use ha_core::xml::Document;
use ha_core::{Error, ErrorExt, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet, agent, wait_until};
use serde::{Deserialize, Serialize};

use crate::watch::no_client_was_evicted;

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("session::stopped", stopped);
    harness.agent("session::cycles", cycles);
    harness.agent("session::quiet", quiet);
    harness.agent("session::late_log", late_log);
    harness.shared("session::late_log", messages_follow_a_level_set_later);
    harness.agent("session::hammer", hammer);
    let lab = LabOptions::default;
    harness.test(
        "session::stopped_daemon",
        own(lab(), calls_end_while_the_daemon_is_stopped),
    );
    harness.shared("session::cycles", connecting_leaves_nothing_behind);
    harness.shared("session::quiet", nothing_is_printed_or_left_changed);
    harness.test("session::paced", own(lab(), quick_changes_evict_nobody));
}

fn connect(timeout: Duration) -> Result<Cib> {
    let mut options = ConnectOptions::default();
    options.timeout = timeout;
    Cib::connect(&options)
}

/// What a call said, and how long it took.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    what: String,
    answer: String,
    took: Duration,
}

fn timed<T>(what: &str, call: impl FnOnce() -> Result<T>) -> Said {
    let start = Instant::now();
    let answer = match call() {
        Ok(_) => "done".to_owned(),
        Err(e) => format!("{:?}: {e:#}", e.kind()),
    };
    Said {
        what: what.to_owned(),
        answer,
        took: start.elapsed(),
    }
}

/// Makes calls before, while and after the test stops the daemon.
fn stopped((): ()) -> Result<Vec<Said>> {
    let second = Duration::from_secs(1);
    let cib = connect(10 * second)?;
    let mut watch = Watch::open(&cib)?;
    let quick = cib.with_timeout(second);
    quick.query()?;
    agent::say(&"stop it")?;
    agent::listen::<()>()?;

    let set = Document::parse("<cluster_property_set id='stopped'/>")?;
    let mut said = vec![
        timed("query", || quick.query()),
        timed("query again", || quick.query()),
        timed("change", || quick.create(Section::CrmConfig, &set)),
        timed("xpath", || quick.query_xpath("//node")),
        timed("connect", || connect(second)),
        timed("watch", || Watch::open(&quick)),
    ];
    // Nothing hangs later either, when the library has given up its own waiting.
    let patience = Instant::now() + 4 * second;
    while Instant::now() < patience {
        said.push(timed("query later", || quick.query()));
    }
    agent::say(&"let it go on")?;
    agent::listen::<()>()?;
    wait_until(10 * second, "a query succeeds again", || {
        Ok(quick.query().map(drop)?)
    })?;
    said.push(timed("after", || quick.query()));
    // The watch noticed, and came back by itself.
    let mut updates = Vec::new();
    let back = wait_until(10 * second, "the watch is connected", || {
        while let Some(update) = watch.try_next() {
            updates.push(update);
        }
        match updates.last() {
            Some(Update::Lost { .. }) | None => Err(NotYet::because(format!("{updates:?}"))),
            Some(_) => Ok(()),
        }
    });
    said.push(timed("watch came back", || back));
    Ok(said)
}

fn calls_end_while_the_daemon_is_stopped(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let mut running = node.start_agent("session::stopped", &())?;
    assert_eq!(running.heard::<String>()?.as_deref(), Some("stop it"));
    node.stop("pacemaker-based")?;
    running.tell(&())?;
    let heard = running.heard::<String>();
    node.cont("pacemaker-based")?;
    assert_eq!(heard?.as_deref(), Some("let it go on"));
    running.tell(&())?;
    let said: Vec<Said> = running.result()?;
    for Said { what, answer, took } in &said {
        match what.as_str() {
            "after" | "watch came back" => assert_eq!(answer, "done", "{what}"),
            _ => {
                assert!(answer.starts_with("Timeout: "), "{what}: {answer}");
                let names = ["stuck", "has not accepted a connection"];
                assert!(names.iter().any(|n| answer.contains(n)), "{what}: {answer}");
                // Without the limit, two minutes or for good.
                assert!(*took < Duration::from_secs(20), "{what}: {took:?}");
            }
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Held {
    descriptors: usize,
    threads: usize,
    resident_kib: usize,
}

impl Held {
    fn now() -> Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status").context("read the status")?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|l| l.split_whitespace().next()?.parse().ok());
            number.ok_or_else(|| Error::invalid(format!("no {name}")))
        };
        let descriptors = std::fs::read_dir("/proc/self/fd")
            .context("list descriptors")?
            .count();
        Ok(Self {
            descriptors,
            threads: number("Threads:")?,
            resident_kib: number("VmRSS:")?,
        })
    }
}

/// Connects, reads, watches and disconnects so many times; says what the process holds after the
/// first hundred and after all.
fn cycles(times: usize) -> Result<(Held, Held)> {
    let settled = || {
        // The last disconnection happens on another thread.
        let mut held = Held::now()?;
        wait_until(Duration::from_secs(10), "the connection is closed", || {
            let before = std::mem::replace(&mut held, Held::now()?);
            let same = before.descriptors == held.descriptors && before.threads == held.threads;
            if same {
                Ok(())
            } else {
                Err(NotYet::because(format!("{held:?}")))
            }
        })?;
        Ok::<_, Error>(held)
    };
    let mut early = None;
    let mut idle = usize::MAX;
    for n in 0..times {
        let cib = connect(Duration::from_secs(10))?;
        if n % 10 == 0 {
            let watch = Watch::open(&cib)?;
            assert!(watch.document().version().epoch > 0);
        }
        assert_eq!(cib.query_section(Section::Nodes)?.root().name(), "nodes");
        let connected = Held::now()?.descriptors;
        drop(cib);
        // Closed by another thread; a handle made before that would take the connection over.
        wait_until(Duration::from_secs(10), "the connection is closed", || {
            let now = Held::now()?.descriptors;
            idle = idle.min(now);
            let closed = now < connected && now == idle;
            if closed {
                Ok(())
            } else {
                Err(NotYet::because(format!("{now} of {connected}")))
            }
        })?;
        if n == times / 10 {
            early = Some(settled()?);
        }
    }
    let early = early.ok_or_else(|| Error::invalid("no cycles"))?;
    // What is on its way to be closed is no leak; what leaks stays.
    let late = wait_until(Duration::from_secs(10), "as much is held as early", || {
        let now = Held::now()?;
        if now.descriptors <= early.descriptors && now.threads <= early.threads {
            Ok(now)
        } else {
            Err(NotYet::because(format!("{now:?}, early {early:?}")))
        }
    })?;
    Ok((early, late))
}

fn connecting_leaves_nothing_behind(lab: &Lab) -> Result<()> {
    let (early, late): (Held, Held) = lab.node("maitre")?.call("session::cycles", &1000)?;
    // 900 connections; one page lost by each would be 3600 KiB.
    let grown = late.resident_kib.saturating_sub(early.resident_kib);
    assert!(agent::memcheck() || grown < 1024, "{early:?} {late:?}");
    Ok(())
}

/// Does what makes the C libraries complain. Asked for the outer part, runs itself again, plainly and
/// with Pacemaker's own debugging asked for, and returns how those runs ended and what they printed.
fn quiet(outer: bool) -> Result<Vec<String>> {
    if !outer {
        let umask = || -> Result<String> {
            let status = std::fs::read_to_string("/proc/self/status").context("read the status")?;
            let line = status.lines().find(|line| line.starts_with("Umask:"));
            line.map(str::to_owned)
                .ok_or_else(|| Error::invalid("no umask"))
        };
        let before = umask()?;
        provoke()?;
        assert_eq!(before, umask()?);
        assert!(
            std::env::var_os("PCMK_service").is_none(),
            "left in the environment"
        );
        return Ok(Vec::new());
    }
    let args: Vec<_> = std::env::args().collect();
    let [exe, flag, name, _] = &args[..] else {
        return Err(Error::invalid("started in an unknown way"));
    };
    let debugging = [
        (
            "PCMK_trace_functions",
            "crm_ipc_send,cib_native_perform_op_delegate",
        ),
        (
            "PCMK_trace_files",
            "xml.c,cib_native.c,ipc_client.c,cib_utils.c",
        ),
        ("PCMK_stderr", "yes"),
        ("PCMK_debug", "yes"),
    ];
    let mut said = Vec::new();
    for variables in [&[][..], &debugging[..]] {
        let output = std::process::Command::new(exe)
            .args([flag, name, "false"])
            .envs(variables.iter().copied())
            .output()
            .context("run again")?;
        said.push(format!(
            "{}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ));
        if !output.status.success() {
            // Its result is a line of its standard output.
            said.push(String::from_utf8_lossy(&output.stdout).into_owned());
        }
    }
    Ok(said)
}

fn provoke() -> Result<()> {
    let cib = connect(Duration::from_secs(10))?;
    let bad = Document::parse("<primitive id='quiet' colour='red'/>")?;
    let expect = |what: &str, kind: ErrorKind, result: Result<()>| match result {
        Err(e) if e.kind() == kind => Ok(()),
        other => Err(Error::invalid(format!("{what}: {other:?}"))),
    };
    let xpath = |text: &str| cib.query_xpath(text).map(drop);
    expect(
        "schema",
        ErrorKind::Schema,
        cib.create(Section::Resources, &bad),
    )?;
    expect("XPath", ErrorKind::Invalid, xpath("//a[[["))?;
    expect("function", ErrorKind::Invalid, xpath("nonsense()"))?;
    expect("prefix", ErrorKind::Invalid, xpath("//no:prefix"))?;
    expect("NUL", ErrorKind::Invalid, xpath("//a\0"))?;
    xpath("//nothing")?;
    expect(
        "absent",
        ErrorKind::NotFound,
        cib.modify(Section::Nodes, &Document::parse("<node id='9'/>")?),
    )
}

fn nothing_is_printed_or_left_changed(lab: &Lab) -> Result<()> {
    let said: Vec<String> = lab.node("maitre")?.call("session::quiet", &true)?;
    // With tracing on, failed checks of the C library would abort the process.
    assert_eq!(said, ["exit status: 0: ", "exit status: 0: "]);
    Ok(())
}

/// Counts the messages of the C libraries.
struct Counter(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl tracing::Subscriber for Counter {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "pacemaker"
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::DEBUG)
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// Has the C library go over the same places before and after somebody listens; returns how many
/// messages there were then.
fn late_log((): ()) -> Result<usize> {
    let bad = Document::parse("<primitive id='late' colour='red'/>")?;
    let complain = || -> Result<()> {
        let cib = connect(Duration::from_secs(10))?;
        assert!(cib.create(Section::Resources, &bad).is_err());
        Ok(())
    };
    complain()?;
    let count = std::sync::Arc::default();
    tracing::subscriber::set_global_default(Counter(std::sync::Arc::clone(&count)))
        .map_err(|e| Error::invalid(e.to_string()))?;
    complain()?;
    Ok(count.load(std::sync::atomic::Ordering::Acquire))
}

fn messages_follow_a_level_set_later(lab: &Lab) -> Result<()> {
    let messages: usize = lab.node("maitre")?.call("session::late_log", &())?;
    assert!(messages > 0);
    Ok(())
}

/// Changes the status as fast as it is let; returns how many changes a second were made.
fn hammer(times: usize) -> Result<f64> {
    let cib = connect(Duration::from_secs(30))?;
    let start = Instant::now();
    for n in 0..times {
        let state = Document::parse(&format!("<node_state id='1' hammer='{n}'/>"))?;
        cib.modify(Section::Status, &state)?;
    }
    Ok(times as f64 / start.elapsed().as_secs_f64())
}

fn quick_changes_evict_nobody(lab: &Lab) -> Result<()> {
    let rate: f64 = lab.node("maitre")?.call("session::hammer", &2500)?;
    println!("{rate:.0} changes of the status a second");
    // A client is told about each change and read its messages all the while, or not.
    no_client_was_evicted(lab)?;
    for node in lab.nodes() {
        let log = node.read("/var/log/pacemaker/pacemaker.log")?;
        assert!(
            !log.contains("Respawning"),
            "a daemon of {} died",
            node.name()
        );
    }
    Ok(())
}
