//! What happens to the pair, and how long it takes: a power cut as it is seen, then the table.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use ha_core::{Error, ErrorKind, Result};
use serde_json::Value;

use super::{PROGRAMS, heading, seconds};
use crate::Lab;
use crate::scene::{Scene, Silences};
use crate::sphynx::GROUP;

/// The longest that a fail-over may take before the demonstration gives up.
const LIMIT: Duration = Duration::from_secs(60);

/// What happened, and what the traffic had of it.
struct Row {
    what: &'static str,
    silences: Silences,
    on: &'static str,
}

/// Cuts the power of the maître, has it come back, puts the esclave in standby; prints what each cost.
///
/// # Errors
/// [`ErrorKind::Timeout`] with what did not come about.
pub(super) fn show(lab: &Lab) -> Result<()> {
    let scene = Scene::start(lab, LIMIT)?;
    let mut rows = Vec::new();
    let mut row = |what, since, on| -> Result<()> {
        let silences = scene.recovers(since, on)?;
        rows.push(Row { what, silences, on });
        Ok(())
    };

    heading("Cutting the power of maitre; esclave tells what it sees (libcpg and libcib)");
    let cut = power_cut(lab)?;
    row("power of maitre cut", cut, "esclave")?;
    println!("The traffic flows again.");

    heading("crm_mon -1 on esclave");
    print!("{}", super::crm_mon(&lab.node("esclave")?)?);

    heading("maitre comes back: nothing moves without need");
    let since = Instant::now();
    lab.power_on("maitre")?;
    start_cluster(lab, "maitre")?;
    lab.wait_gateways(&["maitre", "esclave"], LIMIT)?;
    row("maitre comes back", since, "esclave")?;

    heading("esclave in standby, and out of it: the group moves to maitre, orderly");
    let since = Instant::now();
    standby(lab, "on")?;
    standby(lab, "off")?;
    row("esclave in standby", since, "maitre")?;

    heading("What it cost: how long which traffic was silent");
    print!("{}", table(&rows));
    Ok(())
}

/// Starts the daemons as the machine itself does at its start.
fn start_cluster(lab: &Lab, name: &str) -> Result<()> {
    let node = lab.node(name)?;
    for daemon in ["corosync", "pacemaker"] {
        let command = node.command("service").args([daemon, "start"]);
        command.limit(LIMIT).stdout()?;
    }
    lab.wait_online(LIMIT)
}

fn standby(lab: &Lab, value: &str) -> Result<()> {
    let command = lab.node("maitre")?.command("crm_standby");
    command.args(["-N", "esclave", "-v", value]).stdout()?;
    let settled = lab.node("maitre")?.command("crm_resource").arg("--wait");
    settled.limit(LIMIT).stdout().map(drop)
}

fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let names: Vec<&str> = rows
        .first()
        .map(|row| row.silences.0.iter().map(|(name, _)| *name).collect())
        .unwrap_or_default();
    text += &format!("{:<22}", "");
    for name in &names {
        text += &format!("{name:>25}");
    }
    text += "   the group is on\n";
    for row in rows {
        text += &format!("{:<22}", row.what);
        for (_, silence) in &row.silences.0 {
            text += &format!("{:>25}", format!("{:.2} s", silence.as_secs_f64()));
        }
        text += &format!("   {}\n", row.on);
    }
    text
}

/// Cuts the power of the maître and prints what the esclave sees, until the whole group runs there.
fn power_cut(lab: &Lab) -> Result<Instant> {
    let esclave = lab.node("esclave")?;
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
    let told = |what: &str, at: Option<Duration>| {
        if let Some(at) = at {
            println!("{:>9}  {what}", seconds(at));
        }
    };
    println!();
    told("corosync formed a new membership", times.membership);
    told("VIP_externe is up on esclave", times.address);
    told(
        "every resource of the group runs on esclave",
        Some(times.done),
    );
    Ok(cut)
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
        let left = LIMIT.saturating_sub(cut.elapsed());
        let line = match lines.recv_timeout(left) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                let limit = LIMIT.as_secs();
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
