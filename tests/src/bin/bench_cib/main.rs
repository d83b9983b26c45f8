//! How fast the CIB is read, changed and followed, beside the C library in the same run.
//!
//! The C side is `bench/c/cib.c`, or `cib_loop.c` of the folder given by `--c-folder` or `HA_BENCH_C`.
//! Both sides take turns, and what counts is the ratio; where times are too unsteady, instructions
//! counted by `valgrind`.

mod events;
mod inside;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ha_core::Result;
use lab::harness::Harness;
use lab::{Lab, LabOptions, bench};

use inside::C_PROGRAM;

#[derive(Debug, Parser)]
#[command(about = "Queries, changes and events of the CIB, beside C")]
struct Arguments {
    /// How often each measurement is repeated, in turns with the C side; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// A folder with another C client, `cib_loop.c` [default: the variable `HA_BENCH_C`].
    #[arg(long)]
    c_folder: Option<PathBuf>,
    /// Exit with 1 when a goal is missed.
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    inner: Option<Inner>,
}

#[derive(Debug, Subcommand)]
enum Inner {
    /// What valgrind runs inside a machine.
    #[command(hide = true)]
    CountQueries { times: u32 },
    /// Our turn of making changes, inside a machine.
    #[command(hide = true)]
    Changes {
        kind: inside::Kind,
        times: usize,
        values: usize,
    },
}

fn main() -> ExitCode {
    let mut harness = Harness::new();
    harness.agent("bench::cib", inside::inside);
    harness.agent("bench::writer", events::writer);
    if let Some(code) = harness.inside() {
        return code;
    }
    let arguments = Arguments::parse();
    let result = match arguments.inner {
        Some(Inner::CountQueries { times }) => inside::count_queries(times).map(|()| true),
        Some(Inner::Changes {
            kind,
            times,
            values,
        }) => inside::changes(kind, times, values).map(|()| true),
        None => run(&arguments).map(|good| good || !arguments.check),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("bench-cib: {e:?}");
            ExitCode::from(e.exit_code())
        }
    }
}

/// Tells whether all goals are met.
fn run(arguments: &Arguments) -> Result<bool> {
    lab::require_root()?;
    let other = bench::c_folder(arguments.c_folder.as_deref());
    let bytes = bench::CIB.compiled(other.as_deref())?;
    let lab = Lab::start(&LabOptions::default())?;
    lab.load_sphynx()?;
    let node = lab.node("maitre")?;
    node.write(C_PROGRAM, bytes)?;
    node.command("chmod").args(["755", C_PROGRAM]).stdout()?;
    let rounds = arguments.rounds;
    let mut running = node.start_agent("bench::cib", &rounds)?;
    let mut evictions = Evictions::default();
    while let Some(line) = running.heard::<String>()? {
        if line == "writer" {
            // What it writes is timed where it is seen.
            let times: Vec<(u32, f64)> = node.call("bench::writer", &200_u32)?;
            running.tell(&times)?;
        } else {
            println!("{line}");
            evictions.look(&lab)?;
        }
    }
    let mut missed: Vec<String> = running.result()?;
    evictions.look(&lab)?;
    missed.extend(evictions.seen);
    println!("goals missed: {}", missed.len());
    for line in &missed {
        println!("{line}");
    }
    Ok(missed.is_empty())
}

/// What the nodes' logs say about clients that the daemons cut off because they were too slow. The
/// C side, which has no limits of its own, is measured in bursts that do not come to this either.
#[derive(Debug, Default)]
struct Evictions {
    seen: Vec<String>,
}

impl Evictions {
    /// Prints those that were not there at the last look, below the figure that they belong to.
    fn look(&mut self, lab: &Lab) -> Result<()> {
        for node in lab.nodes() {
            let log = node.read("/var/log/pacemaker/pacemaker.log")?;
            for line in log.lines().filter(|line| line.contains("Evicting client")) {
                let client = client(&log, line).unwrap_or("not a daemon of the cluster");
                let line = format!("{}: {line} ({client})", node.name());
                if !self.seen.contains(&line) {
                    println!("{line}");
                    self.seen.push(line);
                }
            }
        }
        Ok(())
    }
}

/// The daemon that a line about a client is about: each begins its lines with its name and id.
fn client<'a>(log: &'a str, line: &str) -> Option<&'a str> {
    let id = line.split_once("Evicting client")?.1;
    let id = id
        .split(|c: char| !c.is_ascii_digit())
        .find(|s| !s.is_empty())?;
    let own = format!("[{id}]");
    log.lines().find_map(|line| {
        let words = line.split_whitespace().collect::<Vec<_>>();
        let at = words.iter().position(|word| *word == own)?;
        words.get(at.checked_sub(1)?).copied()
    })
}
