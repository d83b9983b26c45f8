//! Process group messages: our client beside a client in C, in turns, in one lab.
//!
//! The C client is `bench/c/cpg.c`, or `cpg_bench.c` of the folder given by `--c-folder` or `HA_BENCH_C`.
//! The count of instructions needs `valgrind`.

mod client;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use clap::{Parser, Subcommand};
use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use lab::bench::{self, CALLGRIND, Goals, collected};
use lab::{Lab, LabOptions, Node, NotYet, Transport};

/// The bounds: at least this share of C's messages, at most this multiple of its instructions.
const LEAST_MESSAGES: f64 = 0.95;
const MOST_INSTRUCTIONS: f64 = 1.05;

#[derive(Debug, Parser)]
#[command(about = "Process group messages per second, round trips and instructions, beside C")]
struct Arguments {
    /// Seconds of each flood.
    #[arg(long, default_value_t = 1)]
    seconds: u64,
    /// How often each flood is repeated, in turns with the C client; the median counts.
    #[arg(long, default_value_t = 9)]
    runs: usize,
    /// Sizes of the messages in bytes.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "64,1024,8192,65536,1000000"
    )]
    sizes: Vec<usize>,
    #[arg(long, value_delimiter = ',', default_value = "udp,knet")]
    transports: Vec<Transport>,
    /// A folder with another C client, `cpg_bench.c` [default: the variable `HA_BENCH_C`].
    #[arg(long)]
    c_folder: Option<PathBuf>,
    /// Exit with 1 when a figure is out of its bounds.
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    inner: Option<Inner>,
}

#[derive(Debug, Subcommand)]
enum Inner {
    /// What runs inside a node.
    #[command(hide = true)]
    Client {
        #[command(subcommand)]
        what: client::Client,
    },
}

fn main() -> ExitCode {
    if let Some(code) = lab::inner_role() {
        return code;
    }
    let arguments = Arguments::parse();
    let result = match arguments.inner {
        Some(Inner::Client { what }) => client::run(&what).map(|()| true),
        None => bench(&arguments).map(|good| good || !arguments.check),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("bench-cpg: {e:?}");
            ExitCode::from(e.exit_code())
        }
    }
}

/// The programs to compare, by their paths, the same on the host and in the nodes.
struct Programs {
    ours: String,
    c: String,
    /// Our own client in C, whose instructions are counted.
    count: String,
}

fn bench(arguments: &Arguments) -> Result<bool> {
    lab::require_root()?;
    let ours = std::env::current_exe().context("find this program")?;
    let folder = ours.with_file_name("bench-cpg-c");
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let compile = |from: Option<&Path>, name| {
        let program = folder.join(name);
        bench::CPG.compile(from, &program)?;
        shown(&program)
    };
    let other = bench::c_folder(arguments.c_folder.as_deref());
    let programs = Programs {
        ours: shown(&ours)?,
        c: compile(other.as_deref(), "flood")?,
        count: compile(None, "count")?,
    };
    let mut goals = Goals::new(|line| {
        println!("{line}");
        Ok(())
    });
    for &transport in &arguments.transports {
        let mut options = LabOptions {
            transport,
            start_cluster: false,
            ..LabOptions::default()
        };
        options.share.extend(ours.parent().map(Path::to_owned));
        let lab = Lab::start(&options)?;
        start_corosync(&lab)?;
        println!("\n{transport}, 2 nodes");
        floods(&lab, &programs, arguments, &mut goals)?;
        round_trips(&lab, &programs)?;
        if transport == arguments.transports[0] {
            instructions(&lab, &programs, &mut goals)?;
        }
    }
    println!("goals missed: {}", goals.missed.len());
    for line in &goals.missed {
        println!("{line}");
    }
    Ok(goals.missed.is_empty())
}

fn shown(path: &Path) -> Result<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Error::invalid(format!("{} is not UTF-8", path.display())))
}

fn start_corosync(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        node.command("corosync").stdout()?;
    }
    lab.wait_until(
        Duration::from_secs(30),
        "both nodes are in one membership",
        || {
            for node in lab.nodes() {
                let text = node
                    .command("corosync-quorumtool")
                    .arg("-s")
                    .output()?
                    .stdout;
                let nodes = text
                    .lines()
                    .find(|l| l.starts_with("Nodes:"))
                    .unwrap_or_default();
                if !nodes.ends_with(" 2") {
                    return Err(NotYet::because(nodes));
                }
            }
            Ok(())
        },
    )
}

/// Runs a client on one node while a partner runs on the other, and returns what it printed.
fn pair(lab: &Lab, partner: &[&str], client: &[&str]) -> Result<String> {
    let start =
        |node: &Node<'_>, words: &[&str]| node.command(words[0]).args(words[1..].iter().copied());
    let mut process =
        start(&lab.node("esclave")?, partner).spawn(Stdio::null(), Stdio::null(), Stdio::null())?;
    let maitre = lab.node("maitre")?;
    lab.wait_until(Duration::from_secs(10), "the partner is there", || {
        let text = maitre.command("corosync-cpgtool").stdout()?;
        let there = text.lines().any(|l| l.trim() == "pfbn");
        if there {
            Ok(())
        } else {
            Err(NotYet::because("no group pfbn"))
        }
    })?;
    let output = start(&maitre, client)
        .limit(Duration::from_secs(120))
        .stdout();
    process.kill()?;
    lab.wait_until(Duration::from_secs(10), "the group is empty", || {
        let text = maitre.command("corosync-cpgtool").stdout()?;
        let gone = !text.lines().any(|l| l.trim() == "pfbn");
        if gone {
            Ok(())
        } else {
            Err(NotYet::because("the group pfbn goes on"))
        }
    })?;
    output
}

/// The messages per second and the share of a processor in one line of output.
fn figures(text: &str) -> Result<(f64, f64)> {
    let bad = || Error::new(ErrorKind::Protocol, format!("the client printed: {text}"));
    let number = |word: &str| word.trim_end_matches('%').parse::<f64>().map_err(|_| bad());
    let words: Vec<&str> = text.split_whitespace().collect();
    if let [messages, processor] = words[..] {
        return Ok((number(messages)?, number(processor)?));
    }
    // The C client: SIZE bytes: N msg/s M MB/s cpu_self=P% ...
    let at = words.iter().position(|w| *w == "msg/s").ok_or_else(bad)?;
    let processor = words
        .iter()
        .find_map(|w| w.strip_prefix("cpu_self="))
        .ok_or_else(bad)?;
    Ok((
        number(words[at.checked_sub(1).ok_or_else(bad)?])?,
        number(processor)?,
    ))
}

/// The quarter, the half and the three quarters of what was measured.
struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (figures.len().saturating_sub(1)) as f64 * share;
            figures
                .get(place.round() as usize)
                .copied()
                .unwrap_or(f64::NAN)
        };
        Self {
            low: at(0.25),
            median: at(0.5),
            high: at(0.75),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>7.0} ({:.0}-{:.0})", self.median, self.low, self.high)
    }
}

fn floods(lab: &Lab, programs: &Programs, arguments: &Arguments, goals: &mut Goals) -> Result<()> {
    println!("messages per second: median (middle half), and the share of a processor");
    for size in &arguments.sizes {
        let (size, seconds) = (size.to_string(), arguments.seconds.to_string());
        let ours = [programs.ours.as_str(), "client"];
        let theirs = [programs.c.as_str()];
        let clients = [ours.as_slice(), theirs.as_slice()];
        let mut results = vec![(Vec::new(), Vec::new()); clients.len()];
        for run in 0..arguments.runs {
            // In turns, and each one first as often as the other.
            for turn in 0..clients.len() {
                let which = (run + turn) % clients.len();
                let partner = [clients[which], &["listen"]].concat();
                let client = [clients[which], &["flood", &size, &seconds]].concat();
                let (messages, processor) = figures(&pair(lab, &partner, &client)?)?;
                results[which].0.push(messages);
                results[which].1.push(processor);
            }
        }
        let mut medians = Vec::new();
        print!("{size:>9} bytes:");
        for (name, (messages, processor)) in ["ours", "C"].into_iter().zip(results) {
            let (messages, processor) = (Spread::of(messages), Spread::of(processor));
            print!("  {name} {messages} {:.0} %", processor.median);
            medians.push(messages.median);
        }
        println!();
        if let [ours, theirs] = medians[..] {
            let what = format!("messages of {size} bytes a second beside C");
            goals.at_least(&what, ours / theirs, LEAST_MESSAGES)?;
        }
    }
    Ok(())
}

fn round_trips(lab: &Lab, programs: &Programs) -> Result<()> {
    println!(
        "round trips, one message at a time (self: own delivery; other: the echo of the peer)"
    );
    for (name, how, partner, size) in [
        ("self", "rtt", "listen", "64"),
        ("other", "pingpong", "echo", "64"),
        ("self", "rtt", "listen", "8192"),
        ("other", "pingpong", "echo", "8192"),
    ] {
        let ours = programs.ours.as_str();
        let text = pair(
            lab,
            &[ours, "client", partner],
            &[ours, "client", how, size, "1000"],
        )?;
        println!("  {name:<6} ours {}", text.trim());
        let c = programs.c.as_str();
        let text = pair(lab, &[c, partner], &[c, how, size, "1000"])?;
        println!("  {name:<6} C    {}", text.trim());
    }
    Ok(())
}

/// The instructions that a client executes for one message: the difference of two runs.
fn instructions(lab: &Lab, programs: &Programs, goals: &mut Goals) -> Result<()> {
    let count = &programs.count;
    let node = lab.node("maitre")?;
    let run = |words: &[&str]| -> Result<f64> {
        let output = node
            .command("valgrind")
            .args(CALLGRIND)
            .args(words.iter().copied())
            .limit(Duration::from_secs(300))
            .output()?;
        collected(&output.stderr)
    };
    let (few, many) = ("4000", "24000");
    let each = |first: &[&str], last: &[&str]| -> Result<f64> {
        let words = |n| [first, &[n][..], last].concat();
        Ok((run(&words(many))? - run(&words(few))?) / 20_000.0)
    };
    println!(
        "instructions of the client for one message of 64 bytes, sent and received (callgrind)"
    );
    let ours = each(&[&programs.ours, "client", "count", "64"], &[])?;
    let threads = each(&[count, "count", "64"], &["threads"])?;
    let single = each(&[count, "count", "64"], &[])?;
    println!("  ours {ours:.0}; C {threads:.0}; C without a second thread {single:.0}");
    let what = "instructions of a message beside C";
    goals.at_most(what, ours / threads, MOST_INSTRUCTIONS)
}
