//! The same in one process.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use ha_core::status::{self, ClusterStatus, Computer};
use ha_core::view::{Options, Report};
use ha_core::xml::{Document, NodeId, PatchSet};
use ha_core::{Error, ErrorExt as _, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lab::bench::{CALLGRIND, Goals, middle};

use crate::generate::{self, Shape};
use crate::{Case, counted};

/// Milliseconds from one resource's change to the next status.
const MOST_AFTER_CHANGE: f64 = 2.0;

/// The CIB of this is that of two nodes with a thousand resources.
const SHAPE: Shape = Shape {
    nodes: 2,
    resources: 1000,
    full: true,
};

/// What is measured in so little time is measured more often.
const SMALL: usize = 3_000_000;

fn milliseconds(rounds: usize, mut f: impl FnMut(usize) -> Result<()>) -> Result<f64> {
    let times: Result<Vec<f64>> = (0..rounds)
        .map(|round| {
            let start = Instant::now();
            f(round)?;
            Ok(start.elapsed().as_secs_f64() * 1e3)
        })
        .collect();
    Ok(middle(&times?))
}

fn now() -> Result<Timestamp> {
    Timestamp::from_second(1_800_000_000).map_err(|e| Error::invalid(e.to_string()))
}

fn text(state: &ClusterStatus, now: Timestamp) -> String {
    Report::new(state, &Options::default(), now, &TimeZone::UTC).text()
}

/// So many statuses of one file, each from its text on.
pub(crate) fn repeat(file: &Path, times: usize) -> Result<()> {
    let bytes = std::fs::read(file).context("read a CIB")?;
    for _ in 0..times {
        let document = Document::parse_bytes(&bytes)?;
        let now = now()?;
        let state = status::compute(&document, now, &TimeZone::UTC);
        print!("{}", text(&state, now));
    }
    Ok(())
}

/// Measures what a process pays that stays: no start, no schema, nothing read from a disk.
pub(crate) fn measure(case: &Case, cib: &str, file: &Path, rounds: usize) -> Result<()> {
    let rounds = if cib.len() > SMALL {
        rounds.min(case.rounds)
    } else {
        rounds * 5
    };
    let parse = milliseconds(rounds, |_| Document::parse(cib).map(drop))?;
    let mirror = Document::parse(cib)?;
    let now = now()?;
    let compute = milliseconds(rounds, |_| {
        drop(status::compute(&mirror, now, &TimeZone::UTC));
        Ok(())
    })?;
    let state = status::compute(&mirror, now, &TimeZone::UTC);
    let print = milliseconds(rounds, |_| {
        drop(text(&state, now));
        Ok(())
    })?;
    let mut line = format!(
        "  in process: parse {parse:.2} ms ({:.0} MB/s), compute {compute:.2} ms, print {print:.2} ms",
        cib.len() as f64 / parse / 1e3
    );
    if case.counted {
        let program = std::env::current_exe().context("find this program")?;
        let run = |times: &str| {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(CALLGRIND).arg(&program).arg("inside");
            counted(valgrind.arg(file).arg(times))
        };
        let all = (run("6")? - run("1")?) / 5.0;
        line += &format!(", all {:.2} M instructions", all / 1e6);
    }
    println!("{line}");
    Ok(())
}

/// Measures what a program that keeps the CIB pays for the next status.
pub(crate) fn after_change(rounds: usize, goals: &mut Goals) -> Result<()> {
    let rounds = rounds * 5;
    let mut mirror = Document::parse(&generate::cib(SHAPE))?;
    let now = now()?;
    let operation = mirror.root().descendants().find(|element| {
        element.name() == "lrm_rsc_op" && element.attribute("operation") == Some("monitor")
    });
    let operation: NodeId = operation
        .map(ha_core::xml::Element::id)
        .ok_or_else(|| Error::invalid("the CIB has no operation"))?;
    let mut patches = Vec::new();
    let mut next = mirror.clone();
    for round in 0..rounds {
        let before = next.clone();
        let root = next.root().id();
        next.set_attribute(root, "num_updates", &(round + 8).to_string());
        next.set_attribute(operation, "rc-code", if round % 2 == 0 { "1" } else { "0" });
        patches.push(PatchSet::between(&before, &next)?);
    }
    let mut computer = Computer::new();
    drop(computer.compute(&mirror, now, &TimeZone::UTC));
    let after = milliseconds(rounds, |round| {
        mirror.apply(&patches[round])?;
        drop(computer.compute(&mirror, now, &TimeZone::UTC));
        Ok(())
    })?;
    println!(
        "in process, 2 x 1000, full history: {after:.2} ms to the next status after one resource's change"
    );
    goals.at_most("milliseconds to the next status", after, MOST_AFTER_CHANGE)
}
