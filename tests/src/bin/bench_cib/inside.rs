//! What runs in the machine: sign-on, queries and changes, ours and C's in turns.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ha_core::live::pacemaker::cib::{Cib, ConnectOptions, Section};
use ha_core::xml::Document;
use ha_core::{ErrorExt as _, Result};
use lab::bench::{CALLGRIND, Duel, Goals, best, collected, figures, median_of, middle, rest, time};
use lab::{NotYet, agent};

use crate::events::events;

/// Where the C program is in the machine.
pub(crate) const C_PROGRAM: &str = "/run/bench-cib-c";

const MOST_INSTRUCTIONS: f64 = 1.15;
const LEAST_SPAWN: f64 = 15.0;
const LEAST_CHANGES: f64 = 0.9;
const LEAST_BATCH: f64 = 30.0;

/// How many changes are made in a row, and how many such bursts for each round of the rest. So few do
/// not fill anybody's backlog, neither ours nor C's: a controller with a backlog costs the CIB manager
/// less, and whoever comes second would seem faster.
const BURST: usize = 25;
const BURSTS: usize = 2;
/// How many values one change of several has.
const BATCH: usize = 100;

/// The median of so many times, in microseconds.
fn median(times: usize, mut f: impl FnMut() -> Result<()>) -> Result<f64> {
    time(times, |_| f()).map(|times| figures(times).median)
}

fn c_median(args: &[&str]) -> Result<f64> {
    median_of(Path::new(C_PROGRAM), args)
}

/// A turn in which each side makes some changes of a kind, in a process of its own: all is alike
/// then, also how long the cluster was left alone before the first one.
fn make_changes(duel: &mut Duel, kind: Kind, times: usize) -> Result<()> {
    let (name, values) = match kind {
        Kind::Modify => ("modify", 1),
        Kind::Status => ("status", 1),
        Kind::Batch => ("batch", BATCH),
    };
    let (times, values) = (times.to_string(), values.to_string());
    let args = [name, times.as_str(), values.as_str()];
    let program = std::env::current_exe().context("find this program")?;
    let ours = [&["changes"], &args[..]].concat();
    duel.round(
        || rest().and_then(|()| median_of(&program, &ours)),
        || rest().and_then(|()| c_median(&args)),
    )
}

/// What is changed; the C program knows them by the same names.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Values of the configuration, one at a time.
    Modify,
    /// The same, several in one change.
    Batch,
    /// An attribute of the status.
    Status,
}

/// Makes so many changes of a kind, and prints the median of their times.
pub(crate) fn changes(kind: Kind, times: usize, count: usize) -> Result<()> {
    let cib = connect()?;
    // No value is the one of an earlier run.
    let serial = jiff::Timestamp::now().as_microsecond();
    let times = time(times, |n| match kind {
        Kind::Modify | Kind::Batch => {
            let set = values(count, &format!("{serial}-{n}"))?;
            cib.modify(Section::CrmConfig, &set)
        }
        Kind::Status => {
            let state = format!("<node_state id='1' pf-bench='{serial}-{n}'/>");
            cib.modify(Section::Status, &Document::parse(&state)?)
        }
    })?;
    println!("median {:.1} us", figures(times).median);
    Ok(())
}

pub(crate) fn connect() -> Result<Cib> {
    Cib::connect(&ConnectOptions::default())
}

/// A property set of so many values, as the C program writes it.
fn values(count: usize, value: &str) -> Result<Document> {
    let mut set = Document::new("cluster_property_set");
    let root = set.root().id();
    set.set_attribute(root, "id", "pf-bench");
    for n in 0..count {
        let pair = set.append_child(root, "nvpair");
        let name = format!("pf-v-{n}");
        set.set_attribute(pair, "id", &name);
        set.set_attribute(pair, "name", &name);
        set.set_attribute(pair, "value", value);
    }
    Ok(set)
}

/// Runs in the machine: all figures but the writer's.
pub(crate) fn inside(rounds: usize) -> Result<Vec<String>> {
    let mut goals = Goals::new(|line| agent::say(&line));
    sign_on(rounds)?;
    let cib = connect()?;
    queries(&cib, rounds, &mut goals)?;
    writes(&cib, rounds, &mut goals)?;
    let filler = values(400, "1")?;
    cib.modify(Section::CrmConfig, &filler)?;
    queries(&cib, rounds, &mut goals)?;
    cib.delete(Section::CrmConfig, &filler)?;
    events(&cib, &mut goals)?;
    sustained(&cib)?;
    Ok(goals.missed)
}

fn sign_on(rounds: usize) -> Result<()> {
    let mut duel = Duel::default();
    let open = || {
        std::fs::read_dir("/proc/self/fd")
            .map(Iterator::count)
            .context("list descriptors")
    };
    drop(connect()?);
    let mut idle = open()?;
    for _ in 0..rounds {
        let mut times = Vec::new();
        for _ in 0..50 {
            // The connection is closed by another thread; a new one made before that would be it.
            lab::wait_until(Duration::from_secs(5), "the connection is closed", || {
                let now = open()?;
                let settled = now <= idle;
                idle = idle.min(now);
                if settled {
                    Ok(())
                } else {
                    Err(NotYet::because(format!("{now} descriptors")))
                }
            })?;
            let start = Instant::now();
            let cib = connect()?;
            times.push(start.elapsed().as_secs_f64());
            drop(cib);
        }
        duel.ours.push(figures(times).median);
        duel.theirs.push(c_median(&["signon", "50"])?);
    }
    duel.print("sign on (ours also probes)", "C")
}

fn queries(cib: &Cib, rounds: usize, goals: &mut Goals) -> Result<()> {
    let size = cib.query()?.to_xml().len();
    agent::say(&format!("-- CIB of {size} bytes"))?;
    let (mut whole, mut one, mut spawn) = (Duel::default(), Duel::default(), Vec::new());
    for _ in 0..rounds {
        whole.round(
            || median(200, || cib.query().map(drop)),
            || c_median(&["query", "200"]),
        )?;
        let xpath = "//nvpair[@name='stonith-enabled']";
        one.round(
            || median(400, || cib.query_xpath(xpath).map(drop)),
            || c_median(&["xquery", "400"]),
        )?;
        spawn.push(figures(time(5, |_| {
            let mut tool = Command::new("cibadmin");
            tool.arg("-Q")
                .stdout(Stdio::null())
                .status()
                .context("run cibadmin")
                .map(drop)
        })?));
    }
    whole.print("query all into a Document", "C")?;
    one.print("query one value by XPath", "C")?;
    let spawn: Vec<_> = spawn.iter().map(|f| f.median).collect();
    agent::say(&format!("{:<34} {:>9.0} us", "cibadmin -Q", middle(&spawn)))?;
    // The best rounds: what else the machine does only adds time.
    let times = best(&spawn) / best(&whole.ours);
    goals.at_least("cibadmin -Q beside a query", times, LEAST_SPAWN)?;
    // Times move with the machine; the instructions of the client do not.
    let program = std::env::current_exe().context("find this program")?;
    let ours = instructions(&program, "count-queries")?;
    let theirs = instructions(Path::new(C_PROGRAM), "query")?;
    agent::say(&format!(
        "{:<34} {ours:>9.0}      C {theirs:>9.0}",
        "instructions of the client, query"
    ))?;
    goals.at_most("instructions of a query", ours / theirs, MOST_INSTRUCTIONS)
}

/// The instructions that a program executes for one query: the difference of two runs.
fn instructions(program: &Path, mode: &str) -> Result<f64> {
    let run = |times: u32| -> Result<f64> {
        let output = Command::new("valgrind")
            .args(CALLGRIND)
            .arg(program)
            .args([mode, &times.to_string()])
            .output()
            .context("run valgrind")?;
        collected(&String::from_utf8_lossy(&output.stderr))
    };
    Ok((run(150)? - run(50)?) / 100.0)
}

/// What is counted: so many queries.
pub(crate) fn count_queries(times: u32) -> Result<()> {
    let cib = connect()?;
    for _ in 0..times {
        cib.query()?;
    }
    Ok(())
}

fn writes(cib: &Cib, rounds: usize, goals: &mut Goals) -> Result<()> {
    let (mut single, mut batch, mut status) = (Duel::default(), Duel::default(), Duel::default());
    cib.modify_or_create(Section::CrmConfig, &values(1, "0")?)?;
    for _ in 0..rounds * BURSTS {
        make_changes(&mut single, Kind::Modify, BURST)?;
        make_changes(&mut status, Kind::Status, BURST)?;
    }
    for _ in 0..rounds {
        make_changes(&mut batch, Kind::Batch, 10)?;
    }
    single.print("change one value", "C")?;
    status.print("change the status", "C")?;
    batch.print("change 100 values at once", "C")?;
    let rate = single.theirs() / single.ours();
    goals.at_least("changes a second beside C", rate, LEAST_CHANGES)?;
    let times = BATCH as f64 * single.ours() / batch.ours();
    goals.at_least(
        "values a second, 100 at once beside single ones",
        times,
        LEAST_BATCH,
    )
}

/// Changes the status without a pause of our own, for longer than the library lets a burst pass. What
/// counts is what the daemons log: nobody may be evicted.
fn sustained(cib: &Cib) -> Result<()> {
    const TIMES: u32 = 1500;
    rest()?;
    let start = Instant::now();
    for n in 0..TIMES {
        let state = format!("<node_state id='1' pf-bench='long{n}'/>");
        cib.modify(Section::Status, &Document::parse(&state)?)?;
    }
    let rate = f64::from(TIMES) / start.elapsed().as_secs_f64();
    agent::say(&format!(
        "{TIMES} changes of the status in a row: {rate:.0} a second"
    ))
}
