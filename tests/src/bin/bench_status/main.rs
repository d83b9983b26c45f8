//! How fast the status is printed, beside the installed `crm_mon` in the same run.
//!
//! Each program prints CIBs of several sizes from a file: instructions are counted by `valgrind`, times
//! and memory are those that `time` tells of whole processes. Then the same in this process, and in two
//! nodes with seven resources.

mod generate;
mod growth;
mod inside;
mod live;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, Subcommand};
use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use lab::bench::{CALLGRIND, Goals, collected, middle};
use lab::harness::Harness;

use generate::Shape;

/// The program that ours is held against.
pub(crate) const INSTALLED: &str = "/usr/sbin/crm_mon";

#[derive(Debug, Parser)]
#[command(about = "The status of CIBs of all sizes, beside the installed crm_mon")]
struct Arguments {
    /// How often each time is taken, in turns with the installed program; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure the installed program on the largest CIB too: it takes minutes, and gigabytes.
    #[arg(long)]
    all: bool,
    /// Leave out what needs two nodes.
    #[arg(long)]
    no_lab: bool,
    /// Exit with 1 when a goal is missed.
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    inner: Option<Inner>,
}

#[derive(Debug, Subcommand)]
enum Inner {
    /// What valgrind runs: so many statuses of a CIB in one process.
    #[command(hide = true)]
    Inside { file: PathBuf, times: usize },
}

/// One CIB, and what is measured on it.
pub(crate) struct Case {
    name: &'static str,
    pub(crate) shape: Shape,
    /// Runs of each program for one figure: a short run is too short for the clock.
    runs: usize,
    /// Valgrind counts the instructions of both.
    pub(crate) counted: bool,
    /// How often times are taken, at most.
    pub(crate) rounds: usize,
    /// The installed program takes too long for every day.
    too_long: bool,
    /// Ours needs at most this part of its instructions, and of its time.
    instructions: Option<f64>,
    time: Option<f64>,
}

const fn case(name: &'static str, nodes: usize, resources: usize, full: bool) -> Case {
    Case {
        name,
        shape: Shape {
            nodes,
            resources,
            full,
        },
        runs: 1,
        counted: false,
        rounds: usize::MAX,
        too_long: false,
        instructions: None,
        time: None,
    }
}

/// The part of the installed program's memory that ours may need.
const MOST_MEMORY: f64 = 1.0 / 6.0;

fn cases() -> [Case; 8] {
    [
        Case {
            runs: 40,
            counted: true,
            instructions: Some(1.0 / 50.0),
            ..case("2 x 7", 2, 7, true)
        },
        Case {
            runs: 20,
            counted: true,
            ..case("2 x 100", 2, 100, true)
        },
        Case {
            runs: 5,
            counted: true,
            instructions: Some(1.0 / 12.0),
            ..case("2 x 1000, full history", 2, 1000, true)
        },
        Case {
            runs: 5,
            ..case("16 x 1000", 16, 1000, false)
        },
        Case {
            runs: 2,
            ..case("16 x 1000, full history", 16, 1000, true)
        },
        case("32 x 5000", 32, 5000, false),
        Case {
            rounds: 1,
            time: Some(1.0 / 25.0),
            ..case("32 x 10000", 32, 10_000, false)
        },
        Case {
            rounds: 1,
            too_long: true,
            ..case("32 x 5000, full history", 32, 5000, true)
        },
    ]
}

fn main() -> ExitCode {
    let mut harness = Harness::new();
    harness.agent("bench::status", live::inside);
    if let Some(code) = harness.inside() {
        return code;
    }
    let arguments = Arguments::parse();
    let result = match &arguments.inner {
        Some(Inner::Inside { file, times }) => inside::repeat(file, *times).map(|()| None),
        None => run(&arguments).map(Some),
    };
    match result {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(missed)) => {
            println!("goals missed: {}", missed.len());
            for line in &missed {
                println!("{line}");
            }
            ExitCode::from(u8::from(arguments.check && !missed.is_empty()))
        }
        Err(e) => {
            eprintln!("bench-status: {e:?}");
            ExitCode::from(e.exit_code())
        }
    }
}

fn run(arguments: &Arguments) -> Result<Vec<String>> {
    let ours = std::env::current_exe()?.with_file_name("crm_mon");
    if !ours.is_file() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("there is no {}", ours.display()),
        )
        .with_hint("build it: cargo build --release --workspace --bins"));
    }
    let mut goals = Goals::new(|line| {
        println!("{line}");
        Ok(())
    });
    let folder = Folder::make()?;
    for case in cases() {
        let file = folder.0.join("cib.xml");
        let text = generate::cib(case.shape);
        std::fs::write(&file, &text).context("write a CIB")?;
        println!("{} ({:.2} MB)", case.name, text.len() as f64 / 1e6);
        if case.too_long && !arguments.all {
            alone(&ours, &file)?;
        } else {
            beside(&case, arguments.rounds, &ours, &file, &mut goals)?;
        }
        inside::measure(&case, &text, &file, arguments.rounds)?;
    }
    growth::measure(arguments.rounds, &ours, &folder.0, &mut goals)?;
    inside::after_change(arguments.rounds, &mut goals)?;
    if !arguments.no_lab {
        live::measure(arguments.rounds, &ours, &mut goals)?;
    }
    Ok(goals.missed)
}

/// Measures ours on one file.
fn alone(ours: &Path, file: &Path) -> Result<()> {
    let process = process(ours, file, 1)?;
    let (time, memory) = (process.user * 1e3, process.memory / 1e3);
    println!("  user time: {time:.0} ms; peak memory: {memory:.1} MB");
    Ok(())
}

/// Measures both programs on one file.
fn beside(case: &Case, rounds: usize, ours: &Path, file: &Path, goals: &mut Goals) -> Result<()> {
    let installed = Path::new(INSTALLED);
    if case.counted {
        let (a, b) = (instructions(ours, file)?, instructions(installed, file)?);
        println!(
            "  instructions: {:.2} M, C {:.2} M, {}",
            a / 1e6,
            b / 1e6,
            part(a, b)
        );
        if let Some(bound) = case.instructions {
            goals.at_most(
                &format!("instructions beside C, {}", case.name),
                a / b,
                bound,
            )?;
        }
    }
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..rounds.min(case.rounds) {
        a.push(process(ours, file, case.runs)?);
        b.push(process(installed, file, case.runs)?);
    }
    let of =
        |all: &[Process], f: fn(&Process) -> f64| middle(&all.iter().map(f).collect::<Vec<_>>());
    let (ta, tb) = (of(&a, |p| p.user), of(&b, |p| p.user));
    println!(
        "  user time: {:.2} ms, C {:.2} ms, {}",
        ta * 1e3,
        tb * 1e3,
        part(ta, tb)
    );
    if let Some(bound) = case.time {
        goals.at_most(
            &format!("user time beside C, {}", case.name),
            ta / tb,
            bound,
        )?;
    }
    let (ma, mb) = (of(&a, |p| p.memory), of(&b, |p| p.memory));
    println!(
        "  peak memory: {:.1} MB, C {:.1} MB, {}",
        ma / 1e3,
        mb / 1e3,
        part(ma, mb)
    );
    goals.at_most(
        &format!("peak memory beside C, {}", case.name),
        ma / mb,
        MOST_MEMORY,
    )
}

/// Says a ratio as people do.
pub(crate) fn part(ours: f64, theirs: f64) -> String {
    if ours <= 0.0 || ours > theirs {
        return format!("{:.2} times as much", ours / theirs);
    }
    format!("1/{:.1}", theirs / ours)
}

pub(crate) fn instructions(program: &Path, file: &Path) -> Result<f64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(CALLGRIND).arg(program).arg("-1");
    counted(valgrind.env("CIB_file", file))
}

/// Counts the instructions of what runs under `valgrind`; what it prints is lost.
pub(crate) fn counted(valgrind: &mut Command) -> Result<f64> {
    let output = valgrind.stdout(Stdio::null()).output();
    let output = output.context("run valgrind")?;
    collected(&String::from_utf8_lossy(&output.stderr))
}

/// What one run of a program takes.
pub(crate) struct Process {
    /// Seconds.
    pub(crate) user: f64,
    /// Kilobytes.
    memory: f64,
}

pub(crate) fn process(program: &Path, file: &Path, runs: usize) -> Result<Process> {
    // The shell waits for each, so that `time` adds up the times and keeps the largest memory.
    let script = "while [ $# -gt 0 ] && [ \"$1\" -gt 0 ]; do \"$0\" -1 >/dev/null || exit 1; set -- $(($1 - 1)); done";
    let output = Command::new("/usr/bin/time")
        .args(["-q", "-f", "%U %M", "sh", "-c", script])
        .arg(program)
        .arg(runs.to_string())
        .env("CIB_file", file)
        .output()
        .context("run time(1)")?;
    let text = String::from_utf8_lossy(&output.stderr);
    let words: Vec<f64> = text
        .lines()
        .last()
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    match words[..] {
        [user, memory] if output.status.success() => Ok(Process {
            user: user / runs as f64,
            memory,
        }),
        _ => Err(Error::new(
            ErrorKind::Protocol,
            format!(
                "{} under time(1): {}: {text}",
                program.display(),
                output.status
            ),
        )),
    }
}

/// A folder for the files, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("bench-status-{}", std::process::id()));
        std::fs::create_dir(&path).context("make a folder")?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing depends on the removal.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
