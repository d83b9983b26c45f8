//! What runs in the machine: sign-on, queries and changes, ours and C's in turns.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ha_core::live::pacemaker::cib::{Cib, ConnectOptions, Section};
use ha_core::live::pacemaker::controld;
use ha_core::xml::Document;
use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use lab::{NotYet, agent};
use serde::{Deserialize, Serialize};

use crate::events::events;
use crate::figures::{Goals, best, figures, middle};

/// Where the C program is in the machine.
pub(crate) const C_PROGRAM: &str = "/run/bench-cib-c";

const MOST_INSTRUCTIONS: f64 = 1.15;
const LEAST_SPAWN: f64 = 15.0;
const LEAST_CHANGES: f64 = 0.9;
const LEAST_BATCH: f64 = 30.0;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Args {
    pub(crate) rounds: usize,
    /// Whether there is a C program.
    pub(crate) c: bool,
}

fn time(times: usize, mut f: impl FnMut(usize) -> Result<()>) -> Result<Vec<f64>> {
    (0..times)
        .map(|n| {
            let start = Instant::now();
            f(n)?;
            Ok(start.elapsed().as_secs_f64())
        })
        .collect()
}

/// The C program's median, in microseconds.
fn c_median(args: &[&str]) -> Result<f64> {
    let output = Command::new(C_PROGRAM)
        .args(args)
        .output()
        .context("run the C program")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text
        .split_whitespace()
        .skip_while(|word| *word != "median")
        .skip(1);
    words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| {
            let errors = String::from_utf8_lossy(&output.stderr);
            Error::invalid(format!(
                "the C program's {args:?} printed {text:?} {errors:?}"
            ))
        })
}

/// Ours and C's medians of each round.
#[derive(Default)]
struct Duel {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Duel {
    /// One turn of each side, now this one first and now that one; `rest` comes before each.
    fn round(
        &mut self,
        c: bool,
        rest: impl Fn() -> Result<()>,
        times: usize,
        c_args: &[&str],
        mut f: impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        let ours_first = self.ours.len().is_multiple_of(2);
        for ours in [ours_first, !ours_first] {
            if ours {
                rest()?;
                self.ours.push(figures(time(times, &mut f)?).median);
            } else if c {
                rest()?;
                self.theirs.push(c_median(c_args)?);
            }
        }
        Ok(())
    }

    fn ours(&self) -> f64 {
        middle(&self.ours)
    }

    fn theirs(&self) -> Option<f64> {
        (!self.theirs.is_empty()).then(|| middle(&self.theirs))
    }

    /// Prints the medians over the rounds and their ratio, in microseconds.
    fn print(&self, what: &str) -> Result<()> {
        let ours = self.ours();
        let mut line = format!("{what:<34} {ours:>9.0} us");
        if let Some(theirs) = self.theirs() {
            line += &format!("   C {theirs:>9.0} us   ratio {:.2}", ours / theirs);
        }
        agent::say(&line)
    }
}

/// Lets the controllers read what the turn before has left them: they do before they answer. What
/// then is still on its way to them is sent after one to one and a half seconds. The C program does
/// not care, and several turns in a row would have one of them evicted.
fn rest() -> Result<()> {
    for pause in [1600, 0] {
        controld::ping(None, Duration::from_secs(60))?;
        std::thread::park_timeout(Duration::from_millis(pause));
    }
    Ok(())
}

fn no_rest() -> Result<()> {
    Ok(())
}

pub(crate) fn connect() -> Result<Cib> {
    Cib::connect(&ConnectOptions::default())
}

/// A property set of so many values, as the C program writes it.
fn values(count: usize, value: usize) -> Result<Document> {
    let mut set = Document::new("cluster_property_set");
    let root = set.root().id();
    set.set_attribute(root, "id", "pf-bench");
    for n in 0..count {
        let pair = set.append_child(root, "nvpair");
        let name = format!("pf-v-{n}");
        set.set_attribute(pair, "id", &name);
        set.set_attribute(pair, "name", &name);
        set.set_attribute(pair, "value", &value.to_string());
    }
    Ok(set)
}

/// Runs in the machine: all figures but the writer's.
pub(crate) fn inside(Args { rounds, c }: Args) -> Result<Vec<String>> {
    let mut goals = Goals::default();
    sign_on(rounds, c)?;
    let cib = connect()?;
    queries(&cib, rounds, c, &mut goals)?;
    writes(&cib, rounds, c, &mut goals)?;
    let filler = values(400, 1)?;
    cib.modify(Section::CrmConfig, &filler)?;
    queries(&cib, rounds, c, &mut goals)?;
    cib.delete(Section::CrmConfig, &filler)?;
    events(&cib, c, &mut goals)?;
    sustained(&cib)?;
    Ok(goals.missed)
}

fn sign_on(rounds: usize, c: bool) -> Result<()> {
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
        if c {
            duel.theirs.push(c_median(&["signon", "50"])?);
        }
    }
    duel.print("sign on (ours also probes)")
}

fn queries(cib: &Cib, rounds: usize, c: bool, goals: &mut Goals) -> Result<()> {
    let size = cib.query()?.to_xml().len();
    agent::say(&format!("-- CIB of {size} bytes"))?;
    let (mut whole, mut one, mut spawn) = (Duel::default(), Duel::default(), Vec::new());
    for _ in 0..rounds {
        whole.round(c, no_rest, 200, &["query", "200"], |_| {
            cib.query().map(drop)
        })?;
        let xpath = "//nvpair[@name='stonith-enabled']";
        one.round(c, no_rest, 400, &["xquery", "400"], |_| {
            cib.query_xpath(xpath).map(drop)
        })?;
        spawn.push(figures(time(5, |_| {
            let mut tool = Command::new("cibadmin");
            tool.arg("-Q")
                .stdout(Stdio::null())
                .status()
                .context("run cibadmin")
                .map(drop)
        })?));
    }
    whole.print("query all into a Document")?;
    one.print("query one value by XPath")?;
    let spawn: Vec<_> = spawn.iter().map(|f| f.median).collect();
    agent::say(&format!("{:<34} {:>9.0} us", "cibadmin -Q", middle(&spawn)))?;
    // The best rounds: what else the machine does only adds time.
    let times = best(&spawn) / best(&whole.ours);
    goals.at_least("cibadmin -Q beside a query", times, LEAST_SPAWN)?;
    if !c {
        return Ok(());
    }
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
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args([mode, &times.to_string()])
            .output()
            .context("run valgrind")?;
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text
            .lines()
            .find_map(|line| line.split_once("Collected : "));
        let figure = line.and_then(|(_, n)| n.trim().parse().ok());
        figure.ok_or_else(|| Error::new(ErrorKind::Protocol, text.into_owned()))
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

fn writes(cib: &Cib, rounds: usize, c: bool, goals: &mut Goals) -> Result<()> {
    let (mut single, mut batch, mut status) = (Duel::default(), Duel::default(), Duel::default());
    cib.modify_or_create(Section::CrmConfig, &values(1, 0)?)?;
    let mut serial = 0;
    let mut next = || {
        serial += 1;
        serial
    };
    for _ in 0..rounds {
        // Fewer than go without a pause, so that both sides are paced alike: not at all.
        single.round(c, rest, 100, &["modify", "100"], |_| {
            cib.modify(Section::CrmConfig, &values(1, next())?)
        })?;
        batch.round(c, rest, 5, &["batch", "5", "100"], |_| {
            cib.modify(Section::CrmConfig, &values(100, next())?)
        })?;
        status.round(c, rest, 100, &["status", "100"], |_| {
            let state = format!("<node_state id='1' pf-bench='pf{}'/>", next());
            cib.modify(Section::Status, &Document::parse(&state)?)
        })?;
    }
    single.print("change one value")?;
    status.print("change the status")?;
    batch.print("change 100 values at once")?;
    if c {
        // The best rounds here too.
        let rate = best(&single.theirs) / best(&single.ours);
        goals.at_least("changes a second beside C", rate, LEAST_CHANGES)?;
    }
    let times = 100.0 * single.ours() / batch.ours();
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
