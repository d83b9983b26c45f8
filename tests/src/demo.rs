//! The demonstration: a two-node cluster, a power cut, and the fail-over as it happens.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use serde_json::Value;

use crate::sphynx::GROUP;
use crate::{Lab, LabOptions, Node};

/// The longest that a fail-over may take before the demonstration gives up.
const FAIL_OVER_LIMIT: Duration = Duration::from_secs(60);

/// Where the nodes find the programs that they run.
const PROGRAMS: &str = "/usr/local/sbin";

/// Runs the demonstration and prints it; `programs` is the folder that holds `crm_mon` and `watch`.
///
/// # Errors
/// What failed, with the end of the log that tells why; [`ErrorKind::NotFound`] when the programs
/// are not built.
pub fn run(options: &LabOptions, programs: &Path) -> Result<()> {
    let programs = ["crm_mon", "crm_mon-live", "watch"].map(|name| find(programs, name));
    let programs = programs.into_iter().collect::<Result<Vec<_>>>()?;
    heading("Starting two nodes, maitre and esclave: real Corosync, real Pacemaker");
    let began = Instant::now();
    let lab = Lab::start(options)?;
    println!("Both are Online after {}.", seconds(began.elapsed()));
    if let Some(slow) = lab.slow_start() {
        println!("({slow})");
    }
    for node in lab.nodes() {
        for program in &programs {
            install(&node, program)?;
        }
    }

    heading("Loading the Sphynx resources");
    let began = Instant::now();
    lab.load_sphynx()?;
    println!(
        "The group runs on maitre after {}.",
        seconds(began.elapsed())
    );

    heading("crm_mon -1 on maitre (our program, from the live CIB)");
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    print!("{}", crm_mon(&maitre)?);

    heading("Cutting the power of maitre; esclave tells what it sees (libcpg and libcib)");
    let mut watch = esclave
        .command(&format!("{PROGRAMS}/watch"))
        .arg("--json")
        .spawn(Stdio::null(), Stdio::piped(), Stdio::inherit())?;
    let output = watch.child().stdout.take();
    let lines = read_lines(output.ok_or_else(|| Error::invalid("the watch has no output"))?);
    wait_ready(&lines)?;
    let cut = lab.power_cut("maitre")?;
    println!("{:>9}  power cut of maitre", seconds(Duration::ZERO));
    let times = follow(&lines, cut)?;
    watch.kill()?;

    heading("crm_mon -1 on esclave");
    print!("{}", crm_mon(&esclave)?);

    heading("The fail-over");
    let told = |what: &str, at: Option<Duration>| {
        if let Some(at) = at {
            println!("{:>9}  {what}", seconds(at));
        }
    };
    told("corosync formed a new membership", times.membership);
    told("VIP_externe is up on esclave", times.address);
    told(
        "every resource of the group runs on esclave",
        Some(times.done),
    );
    println!("\nThe nodes are gone with this command; nothing was left on this machine.");
    Ok(())
}

/// When things were seen, counted from the power cut.
struct Times {
    membership: Option<Duration>,
    address: Option<Duration>,
    done: Duration,
}

/// Prints events as they come, until the whole group runs on the survivor.
fn follow(lines: &Receiver<String>, cut: Instant) -> Result<Times> {
    let (mut membership, mut address) = (None, None);
    let mut missing: BTreeSet<&str> = GROUP.into();
    loop {
        let left = FAIL_OVER_LIMIT.saturating_sub(cut.elapsed());
        let line = match lines.recv_timeout(left) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                let limit = FAIL_OVER_LIMIT.as_secs();
                let what = format!("no fail-over within {limit} s: {missing:?} did not start");
                return Err(Error::new(ErrorKind::Timeout, what).with_hint(
                    "look inside: lab up, then lab power-cut maitre, lab logs esclave",
                ));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::new(
                    ErrorKind::Disconnected,
                    "the watch on esclave ended",
                ));
            }
        };
        let at = cut.elapsed();
        let event = parse(&line)?;
        let text = |key: &str| event[key].as_str().unwrap_or_default();
        println!(
            "{:>9}  {:<7}  {}",
            seconds(at),
            text("source"),
            text("text")
        );
        // Where a resource runs that has just begun to, whether it was seen on the other node or not.
        let runs_on = match text("event") {
            "resource_started" => text("node"),
            "resource_moved" => text("to"),
            _ => "",
        };
        match text("event") {
            "ring_changed" => membership = membership.or(Some(at)),
            _ if runs_on == "esclave" => {
                if text("resource") == "VIP_externe" {
                    address = address.or(Some(at));
                }
                missing.remove(text("resource"));
            }
            _ => {}
        }
        if missing.is_empty() {
            return Ok(Times {
                membership,
                address,
                done: at,
            });
        }
    }
}

fn wait_ready(lines: &Receiver<String>) -> Result<()> {
    loop {
        let line = lines.recv_timeout(Duration::from_secs(20)).map_err(|e| {
            Error::new(
                ErrorKind::Timeout,
                format!("the watch on esclave is not ready: {e}"),
            )
        })?;
        if parse(&line)?["event"] == "ready" {
            return Ok(());
        }
    }
}

fn parse(line: &str) -> Result<Value> {
    serde_json::from_str(line)
        .map_err(|e| Error::new(ErrorKind::Protocol, format!("the watch said {line:?}: {e}")))
}

/// Reads lines on a thread of its own, so that the reader can wait with a limit.
fn read_lines(output: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn crm_mon(node: &Node<'_>) -> Result<String> {
    node.command(&format!("{PROGRAMS}/crm_mon"))
        .arg("-1")
        .stdout()
}

fn find(folder: &Path, program: &str) -> Result<PathBuf> {
    let path = folder.join(program);
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::new(
        ErrorKind::NotFound,
        format!("{} does not exist", path.display()),
    )
    .with_hint("build the programs first: cargo build --release --workspace --bins"))
}

/// Copies a program into a node, which may not see the folder that holds it.
fn install(node: &Node<'_>, program: &Path) -> Result<()> {
    let bytes = std::fs::read(program).with_context(|| format!("read {}", program.display()))?;
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let target = format!("{PROGRAMS}/{name}");
    node.write(&target, bytes)?;
    node.command("chmod")
        .args(["755", &target])
        .stdout()
        .map(drop)
}

fn heading(text: &str) {
    println!("\n== {text}");
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}
