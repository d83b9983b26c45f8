//! The same in one process: what a program that keeps the CIB pays for the next status.

use std::time::Instant;

use ha_core::status::{self, Computer};
use ha_core::view::{Options, Report};
use ha_core::xml::{Document, NodeId, PatchSet};
use ha_core::{Error, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lab::bench::{Goals, middle};

use crate::generate::{self, Shape};

/// Milliseconds from one resource's change to the next status.
const MOST_AFTER_CHANGE: f64 = 2.0;

/// The CIB of this is that of two nodes with a thousand resources.
const SHAPE: Shape = Shape {
    nodes: 2,
    resources: 1000,
    full: true,
};

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

pub(crate) fn measure(rounds: usize, goals: &mut Goals) -> Result<()> {
    let text = generate::cib(SHAPE);
    let rounds = rounds * 5;
    println!("in process, 2 x 1000 with full history");
    let parse = milliseconds(rounds, |_| Document::parse(&text).map(drop))?;
    println!(
        "  parse: {parse:.2} ms ({:.0} MB/s)",
        text.len() as f64 / parse / 1e3
    );
    let mut mirror = Document::parse(&text)?;
    let now = Timestamp::from_second(1_800_000_000).map_err(|e| Error::invalid(e.to_string()))?;
    let compute = milliseconds(rounds, |_| {
        drop(status::compute(&mirror, now, &TimeZone::UTC));
        Ok(())
    })?;
    println!("  compute: {compute:.2} ms");
    let state = status::compute(&mirror, now, &TimeZone::UTC);
    let view = Options::default();
    let print = milliseconds(rounds, |_| {
        drop(Report::new(&state, &view, now, &TimeZone::UTC).text());
        Ok(())
    })?;
    println!("  print: {print:.2} ms");
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
    println!("  the next status after one resource's change: {after:.2} ms");
    goals.at_most("milliseconds to the next status", after, MOST_AFTER_CHANGE)
}
