//! How fast the cluster is changed and operated, beside a loop in C and beside Pacemaker's tools in the
//! same run.
//!
//! The C side is `bench/c/cib.c`, or `cib_loop.c` of the folder given by `--c-folder` or `HA_BENCH_C`.

mod inside;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ha_core::Result;
use lab::harness::Harness;
use lab::{Lab, LabOptions, bench};

use inside::C_PROGRAM;

#[derive(Debug, Parser)]
#[command(about = "Changes and operations of the cluster, beside C and Pacemaker's tools")]
struct Arguments {
    /// How often each measurement is repeated, in turns with the other side; the median counts.
    #[arg(long, default_value_t = 7)]
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
    /// Our turn of making changes, inside a machine.
    #[command(hide = true)]
    Changes { times: usize },
}

fn main() -> ExitCode {
    let mut harness = Harness::new();
    harness.agent("bench::change", inside::inside);
    if let Some(code) = harness.inside() {
        return code;
    }
    let arguments = Arguments::parse();
    let result = match arguments.inner {
        Some(Inner::Changes { times }) => inside::changes(times).map(|()| true),
        None => run(&arguments).map(|good| good || !arguments.check),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("bench-change: {e:?}");
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
    let mut running = node.start_agent("bench::change", &arguments.rounds)?;
    while let Some(line) = running.heard::<String>()? {
        println!("{line}");
    }
    let missed: Vec<String> = running.result()?;
    println!("goals missed: {}", missed.len());
    for line in &missed {
        println!("{line}");
    }
    Ok(missed.is_empty())
}
