//! How the time grows with the CIB: one shape at two sizes, so that nothing but the size differs.

use std::path::Path;

use ha_core::{ErrorExt as _, Result};
use lab::bench::{Goals, middle};

use crate::generate::{self, Shape};
use crate::{instructions, process};

/// How much more time a byte of a CIB of 25 MB may take than one of a CIB of 2.4 MB.
const MOST_GROWTH: f64 = 1.3;

/// A shape, and how many resources make 2.4 and 25 MB of it.
struct Growth {
    nodes: usize,
    full: bool,
    resources: [usize; 2],
}

const GROWTHS: [Growth; 2] = [
    Growth {
        nodes: 2,
        full: true,
        resources: [1000, 10_400],
    },
    Growth {
        nodes: 32,
        full: false,
        resources: [1340, 14_000],
    },
];

/// How often each is printed for one time: both take about as long then, and long enough for the clock.
const RUNS: [usize; 2] = [40, 4];

pub(crate) fn measure(rounds: usize, ours: &Path, folder: &Path, goals: &mut Goals) -> Result<()> {
    println!("time per byte, the same shape at two sizes");
    for growth in &GROWTHS {
        let mut sizes = [0.0; 2];
        let files = ["small.xml", "large.xml"].map(|name| folder.join(name));
        for ((file, resources), size) in files.iter().zip(growth.resources).zip(&mut sizes) {
            let text = generate::cib(Shape {
                nodes: growth.nodes,
                resources,
                full: growth.full,
            });
            *size = text.len() as f64;
            std::fs::write(file, text).context("write a CIB")?;
        }
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for ((file, runs), times) in files.iter().zip(RUNS).zip(&mut times) {
                times.push(process(ours, file, runs)?.user);
            }
        }
        let mut per_byte = [0.0; 2];
        for at in 0..2 {
            let counted = instructions(ours, &files[at])? / sizes[at];
            per_byte[at] = middle(&times[at]) / sizes[at];
            println!(
                "  {} x {}{}: {:.2} MB, {:.2} ns and {counted:.1} instructions a byte",
                growth.nodes,
                growth.resources[at],
                if growth.full { ", full history" } else { "" },
                sizes[at] / 1e6,
                per_byte[at] * 1e9,
            );
        }
        let what = format!(
            "time per byte, {} x {} beside {} x {}",
            growth.nodes, growth.resources[1], growth.nodes, growth.resources[0]
        );
        goals.at_most(&what, per_byte[1] / per_byte[0], MOST_GROWTH)?;
    }
    Ok(())
}
