//! The demonstration: EOLE's page followed on two machines, a power cut, and the fail-over as it happens.

mod fail_over;
mod page;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};

use crate::{Lab, LabOptions, Node};

/// Where the nodes find the programs that they run.
const PROGRAMS: &str = "/usr/local/sbin";

/// The programs of the demonstration.
const NAMES: [&str; 7] = [
    "appliquer_hautedispo",
    "instance",
    "synchro-nodes",
    "diagnose",
    "crm_mon",
    "crm_mon-live",
    "watch",
];

/// Runs the demonstration and prints it; `programs` is the folder that holds the programs.
///
/// # Errors
/// What failed, with the end of the log that tells why; [`ErrorKind::NotFound`] when the programs
/// are not built.
pub fn run(options: &LabOptions, programs: &Path) -> Result<()> {
    let programs = NAMES.map(|name| find(programs, name));
    let programs = programs.into_iter().collect::<Result<Vec<_>>>()?;
    heading(
        "Starting the machines maitre and esclave, and a remote Amon with a tunnel to the pair",
    );
    let began = Instant::now();
    let lab = start(options)?;
    println!(
        "They are there after {}; no cluster is configured.",
        seconds(began.elapsed())
    );
    for node in lab.nodes() {
        for program in &programs {
            install(&node, program)?;
        }
    }
    page::follow(&lab)?;
    heading("crm_mon -1 on maitre (our program, from the live CIB)");
    print!("{}", crm_mon(&lab.node("maitre")?)?);
    fail_over::show(&lab)?;
    println!("\nThe machines are gone with this command; nothing was left on this one.");
    Ok(())
}

/// Starts the machines: with the tunnel, where this machine can carry one.
fn start(options: &LabOptions) -> Result<Lab> {
    let options = LabOptions {
        ssh: true,
        tunnel: true,
        start_cluster: false,
        ..options.clone()
    };
    match Lab::start(&options) {
        Err(e) if e.kind() == ErrorKind::Unsupported => {
            println!("Without a tunnel: {e:#}");
            Lab::start(&LabOptions {
                tunnel: false,
                ..options
            })
        }
        started => started,
    }
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
