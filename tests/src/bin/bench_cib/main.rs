//! How fast the CIB is read, changed and followed, beside the C library in the same run.
//!
//! The C side is a folder, given by `--c-folder` or `HA_BENCH_C`, that holds `cib_loop.c`; it is
//! compiled with the installed headers. Without it our own figures are printed. Both sides take turns,
//! and what counts is the ratio; where times are too unsteady, instructions counted by `valgrind`.

mod events;
mod figures;
mod inside;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use ha_core::{Error, ErrorExt as _, Result};
use lab::harness::Harness;
use lab::{Lab, LabOptions};

use inside::{Args, C_PROGRAM};

#[derive(Debug, Parser)]
#[command(about = "Queries, changes and events of the CIB, beside C")]
struct Arguments {
    /// How often each measurement is repeated, in turns with the C side; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The folder with `cib_loop.c` [default: the variable `HA_BENCH_C`].
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
        None => bench(&arguments).map(|good| good || !arguments.check),
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
fn bench(arguments: &Arguments) -> Result<bool> {
    lab::require_root()?;
    let folder = arguments
        .c_folder
        .clone()
        .or_else(|| std::env::var_os("HA_BENCH_C").map(PathBuf::from));
    let program = folder.map(|folder| compile(&folder)).transpose()?;
    let lab = Lab::start(&LabOptions::default())?;
    lab.load_sphynx()?;
    let node = lab.node("maitre")?;
    if let Some(program) = &program {
        node.write(
            C_PROGRAM,
            std::fs::read(program).context("read the C program")?,
        )?;
        node.command("chmod").args(["755", C_PROGRAM]).stdout()?;
    } else {
        println!("no C side: set HA_BENCH_C or --c-folder to the folder of cib_loop.c");
    }
    let args = Args {
        rounds: arguments.rounds,
        c: program.is_some(),
    };
    let mut running = node.start_agent("bench::cib", &args)?;
    while let Some(line) = running.heard::<String>()? {
        if line == "writer" {
            // What it writes is timed where it is seen.
            let times: Vec<(u32, f64)> = node.call("bench::writer", &200_u32)?;
            running.tell(&times)?;
        } else {
            println!("{line}");
        }
    }
    let mut missed: Vec<String> = running.result()?;
    missed.extend(evicted(&lab)?);
    for line in &missed {
        println!("{line}");
    }
    println!("goals missed: {}", missed.len());
    Ok(missed.is_empty())
}

/// What the nodes' logs say about clients that the daemons cut off because they were too slow.
fn evicted(lab: &Lab) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for node in lab.nodes() {
        let log = node.read("/var/log/pacemaker/pacemaker.log")?;
        let lines = log.lines().filter(|line| line.contains("Evicting client"));
        found.extend(lines.map(|line| format!("{}: {line}", node.name())));
    }
    Ok(found)
}

fn compile(folder: &Path) -> Result<PathBuf> {
    let program = std::env::temp_dir().join(format!("bench-cib-{}", std::process::id()));
    let flags = Command::new("pkg-config")
        .args([
            "--cflags",
            "--libs",
            "pacemaker-cib",
            "libxml-2.0",
            "glib-2.0",
        ])
        .output()
        .context("run pkg-config")?;
    let status = Command::new("cc")
        .args(["-O2", "-w", "-o"])
        .arg(&program)
        .arg(folder.join("cib_loop.c"))
        .args(String::from_utf8_lossy(&flags.stdout).split_whitespace())
        .status()
        .context("run the C compiler")?;
    if !status.success() {
        return Err(Error::invalid("the C side does not compile"));
    }
    Ok(program)
}
