//! The running cluster: two nodes with the seven resources of a Sphynx pair.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
use ha_core::status;
use ha_core::view::{Options, Report};
use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lab::bench::{Goals, middle};
use lab::{Lab, LabOptions};

use crate::{INSTALLED, part};

/// Where ours is in the node.
const OURS: &str = "/run/bench/crm_mon";

/// The parts of the installed program's time that ours may take: as a new process, and where there is
/// a connection already.
const MOST_FRESH: f64 = 1.0 / 2.0;
const MOST_OPEN: f64 = 1.0 / 15.0;

pub(crate) fn measure(rounds: usize, ours: &Path, goals: &mut Goals) -> Result<()> {
    lab::require_root()?;
    let lab = Lab::start(&LabOptions::default())?;
    lab.load_sphynx()?;
    let node = lab.node("maitre")?;
    node.command("mkdir").args(["-p", "/run/bench"]).stdout()?;
    for name in ["crm_mon", "crm_mon-live"] {
        let program = ours.with_file_name(name);
        let bytes =
            std::fs::read(&program).with_context(|| format!("read {}", program.display()))?;
        let target = format!("/run/bench/{name}");
        node.write(&target, bytes)?;
        node.command("chmod").args(["755", &target]).stdout()?;
    }
    println!("live, 2 x 7");
    let (fresh, open, theirs): (f64, f64, f64) = node.call("bench::status", &rounds)?;
    println!(
        "  as a process: {fresh:.2} ms, C {theirs:.2} ms, {}",
        part(fresh, theirs)
    );
    goals.at_most(
        "a live status as a process beside C",
        fresh / theirs,
        MOST_FRESH,
    )?;
    println!(
        "  on an open connection: {open:.2} ms, {}",
        part(open, theirs)
    );
    goals.at_most(
        "a live status on an open connection beside C",
        open / theirs,
        MOST_OPEN,
    )
}

/// Returns the milliseconds of ours as a process, of ours on an open connection, and of C.
pub(crate) fn inside(rounds: usize) -> Result<(f64, f64, f64)> {
    let cib = Cib::connect(&ConnectOptions::default())?;
    let (mut fresh, mut open, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds * 5 {
        fresh.push(milliseconds(|| run(OURS))?);
        theirs.push(milliseconds(|| run(INSTALLED))?);
        open.push(milliseconds(|| {
            let document = cib.query()?;
            let (now, zone) = (Timestamp::now(), TimeZone::UTC);
            let state = status::compute(&document, now, &zone);
            drop(Report::new(&state, &Options::default(), now, &zone).text());
            Ok(())
        })?);
    }
    Ok((middle(&fresh), middle(&open), middle(&theirs)))
}

fn milliseconds(f: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    f()?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn run(program: &str) -> Result<()> {
    let status = Command::new(program)
        .arg("-1")
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("run {program}"))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Daemon,
        format!("{program} -1: {status}"),
    ))
}
