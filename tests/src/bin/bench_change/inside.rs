//! What runs in the machine: ours and the others' changes and operations in turns.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ha_core::live::cluster::{Cluster, ConnectOptions};
use ha_core::live::pacemaker::cib::Section;
use ha_core::xml::Document;
use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use lab::agent;
use lab::bench::{Duel, Goals, figures, median_of, middle, rest, time};

/// Where the C program is in the machine.
pub(crate) const C_PROGRAM: &str = "/run/bench-change-c";

/// Changes a second, of the session beside spawning the tool.
const LEAST_CHANGES: f64 = 1.0;
/// The time of an operation beside that of the tools.
const MOST_OPERATION: f64 = 1.0;

/// How many changes are made in a row, and how many such bursts: see the benchmark of the CIB.
const BURST: usize = 25;
const BURSTS: usize = 10;
/// How many times the tool is spawned in a burst.
const SPAWNS: usize = 10;

/// What is moved, stopped and started.
const RESOURCE: &str = "bench";
const NODES: [&str; 2] = ["esclave", "maitre"];

/// How long an operation may take.
const LIMIT: Duration = Duration::from_secs(120);

fn connect() -> Result<Cluster> {
    Cluster::connect(&ConnectOptions::default())
}

/// Runs in the machine; returns the goals that were missed.
pub(crate) fn inside(rounds: usize) -> Result<Vec<String>> {
    let mut goals = Goals::new(|line| agent::say(&line));
    let cluster = connect()?;
    prepare(&cluster)?;
    configuration(&mut goals)?;
    operations(&cluster, rounds, &mut goals)?;
    Ok(goals.missed)
}

/// Adds what is changed and operated.
fn prepare(cluster: &Cluster) -> Result<()> {
    let set = "<cluster_property_set id='pf-bench'><nvpair id='pf-v-0' name='pf-v-0' value='0'/>\
               </cluster_property_set>";
    let primitive = format!(
        "<primitive id='{RESOURCE}' class='ocf' provider='pacemaker' type='Dummy'>\
         <meta_attributes id='{RESOURCE}-m'><nvpair id='{RESOURCE}-m-s' name='resource-stickiness' \
         value='100'/></meta_attributes></primitive>"
    );
    let cib = cluster.cib();
    cib.create(Section::CrmConfig, &Document::parse(set)?)?;
    cib.create(Section::Resources, &Document::parse(&primitive)?)?;
    cluster.wait_for(LIMIT, |status| !status.active_on(RESOURCE).is_empty())?;
    cluster.settle(LIMIT).map(drop)
}

/// Our turn: sets an option through one session, and prints the median of the times.
pub(crate) fn changes(times: usize) -> Result<()> {
    let cluster = connect()?;
    // No value is the one of an earlier run.
    let serial = jiff::Timestamp::now().as_microsecond();
    let times = time(times, |n| {
        let value = format!("{serial}-{n}");
        cluster.set_option("pf-v-0", &value).send().map(drop)
    })?;
    println!("median {:.1} us", figures(times).median);
    Ok(())
}

/// Changes of one value of the configuration. The C loop says where in the CIB the value is, and sends
/// it; ours reads the CIB, finds the value by its name, and sends the difference if nobody else has
/// changed the CIB meanwhile; so does the tool, but for the last.
fn configuration(goals: &mut Goals) -> Result<()> {
    let program = std::env::current_exe().context("find this program")?;
    let (mut beside_c, mut spawned) = (Duel::default(), Vec::new());
    let times = BURST.to_string();
    for _ in 0..BURSTS {
        beside_c.round(
            || rest().and_then(|()| median_of(&program, &["changes", &times])),
            || rest().and_then(|()| median_of(Path::new(C_PROGRAM), &["modify", &times, "1"])),
        )?;
        rest()?;
        let serial = jiff::Timestamp::now().as_microsecond();
        let times = time(SPAWNS, |n| {
            let value = format!("{serial}-{n}");
            run("crm_attribute", &["--name", "pf-v-0", "--update", &value])
        })?;
        spawned.push(figures(times).median);
    }
    beside_c.print("change one value", "C")?;
    let beside_tool = Duel {
        ours: beside_c.ours,
        theirs: spawned,
    };
    beside_tool.print("change one value", "crm_attribute")?;
    let rate = |time: f64| 1e6 / time;
    let (ours, tool) = (rate(beside_tool.ours()), rate(beside_tool.theirs()));
    agent::say(&format!(
        "changes a second: {ours:.0}, C {:.0}, crm_attribute {tool:.0}",
        rate(middle(&beside_c.theirs))
    ))?;
    goals.at_least(
        "changes a second beside crm_attribute",
        ours / tool,
        LEAST_CHANGES,
    )
}

/// From an order to the state that it is about, the cluster at rest again.
fn operations(cluster: &Cluster, rounds: usize, goals: &mut Goals) -> Result<()> {
    let resource = cluster.resource(RESOURCE);
    let (mut moved, mut stopped, mut started) = (Duel::default(), Duel::default(), Duel::default());
    for _ in 0..rounds {
        moved.round(
            || median_of_operation(|| resource.move_to(elsewhere(cluster)?).wait(LIMIT).map(drop)),
            || {
                median_of_operation(|| {
                    let to = elsewhere(cluster)?;
                    run(
                        "crm_resource",
                        &["--resource", RESOURCE, "--move", "--node", to],
                    )?;
                    run("crm_resource", &["--wait"])?;
                    run("crm_resource", &["--resource", RESOURCE, "--clear"])?;
                    run("crm_resource", &["--wait"])
                })
            },
        )?;
        let role = |role| {
            let of = [
                "--resource",
                RESOURCE,
                "--meta",
                "--set-parameter",
                "target-role",
            ];
            run(
                "crm_resource",
                &[&of[..], &["--parameter-value", role]].concat(),
            )?;
            run("crm_resource", &["--wait"])
        };
        // Each stops it, and starts it again.
        let mut stop_and_start = |is_ours: bool| -> Result<()> {
            for (is_stop, word) in [(true, "Stopped"), (false, "Started")] {
                let time = median_of_operation(|| match (is_ours, is_stop) {
                    (true, true) => resource.stop().wait(LIMIT).map(drop),
                    (true, false) => resource.start().wait(LIMIT).map(drop),
                    (false, _) => role(word),
                })?;
                let duel = if is_stop { &mut stopped } else { &mut started };
                let side = if is_ours {
                    &mut duel.ours
                } else {
                    &mut duel.theirs
                };
                side.push(time);
            }
            Ok(())
        };
        stop_and_start(true)?;
        stop_and_start(false)?;
    }
    for (what, duel) in [("move", &moved), ("stop", &stopped), ("start", &started)] {
        duel.print(&format!("{what}, with all its waiting"), "crm_resource")?;
        goals.at_most(
            &format!("{what} beside crm_resource"),
            duel.ours() / duel.theirs(),
            MOST_OPERATION,
        )?;
    }
    Ok(())
}

/// The time of one operation, in microseconds, begun by a cluster at rest.
fn median_of_operation(mut operation: impl FnMut() -> Result<()>) -> Result<f64> {
    rest()?;
    let times = time(1, |_| operation())?;
    Ok(figures(times).median)
}

/// Returns the node on which the resource does not run.
fn elsewhere(cluster: &Cluster) -> Result<&'static str> {
    let status = cluster.status()?;
    let there = status.active_on(RESOURCE);
    let to = NODES.into_iter().find(|node| !there.contains(node));
    to.ok_or_else(|| Error::invalid(format!("{RESOURCE} runs everywhere")))
}

fn run(program: &str, words: &[&str]) -> Result<()> {
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {program}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let message = format!("{program} {words:?}: {}: {stderr}", output.status);
    Err(Error::new(ErrorKind::Daemon, message))
}
