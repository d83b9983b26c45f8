//! Our `crm_mon` beside the installed one, in the states that a cluster can be in.

use std::path::Path;
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Link, Node, NotYet};

use crate::crm_mon::{build, install, same_in};
use crate::events::Following;

/// The options that both programs are compared under, and that a state is waited for with.
const ALL: &[&str] = &["-1", "-r", "-R", "-A", "-f", "-o", "-t", "-c", "-L"];
const MODES: [&[&str]; 3] = [&["-1"], ALL, &["--output-as=xml"]];

/// Long enough for an action, a membership or an election on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

/// Resources that do as they are told by `moody.sh`, on `maitre` when there is no reason against it.
const RESOURCES: &str = r#"<configuration>
<resources>
<primitive id="dove" class="ocf" provider="test" type="moody">
<meta_attributes id="dove-meta"><nvpair id="dove-migrate" name="allow-migrate" value="true"/></meta_attributes>
<operations>
<op id="dove-start" name="start" interval="0s" timeout="300s"/>
<op id="dove-stop" name="stop" interval="0s" timeout="300s"/>
<op id="dove-migrate_to" name="migrate_to" interval="0s" timeout="300s"/>
<op id="dove-monitor" name="monitor" interval="2s" timeout="60s"/>
</operations>
</primitive>
<clone id="twins">
<meta_attributes id="twins-meta"><nvpair id="twins-promotable" name="promotable" value="true"/></meta_attributes>
<primitive id="twin" class="ocf" provider="test" type="moody">
<operations>
<op id="twin-promote" name="promote" interval="0s" timeout="300s"/>
<op id="twin-monitor" name="monitor" interval="10s" timeout="60s"/>
<op id="twin-monitor-p" name="monitor" interval="11s" timeout="60s" role="Master"/>
</operations>
</primitive>
</clone>
<primitive id="ferry" class="ocf" provider="test" type="moody">
<operations><op id="ferry-monitor" name="monitor" interval="2s" timeout="60s"/></operations>
</primitive>
</resources>
<constraints>
<rsc_location id="dove-home" rsc="dove" node="maitre" score="50"/>
<rsc_location id="ferry-home" rsc="ferry" node="maitre" score="50"/>
</constraints>
<tags><tag id="birds"><obj_ref id="dove"/><obj_ref id="twin"/></tag></tags>
</configuration>"#;

/// What `crm_mon` shows when all is as it should be.
const CALM: &[&str] = &[
    "Node esclave (2): online",
    "Node maitre (1): online",
    "* dove Started maitre",
    "* ferry Started maitre",
    "* twin Promoted maitre",
    "* twin Unpromoted esclave",
];
const FAULTS: &[&str] = &["Failed Resource Actions", "(blocked)", "FAILED"];

/// Some of what events tell of on the way through all states.
const TOLD: &[&str] = &[
    "node esclave is in standby",
    "ferry moved from maitre to esclave",
    "ticket pass was granted",
    "ticket pass is in standby",
    "the partition lost quorum",
    "the partition has quorum",
    "node esclave is offline, its state is unknown (unclean)",
    "twin on maitre: Promoted -> Unpromoted",
    "twin on esclave: Unpromoted -> Promoted",
    "node maitre is in maintenance",
    "ferry recovered on maitre",
    "node esclave is offline",
    "node esclave is online",
    "changed primitive dove",
];

/// A state of `states.txt`.
#[derive(Debug)]
struct State {
    name: &'static str,
    /// Where, and what is done there.
    steps: Vec<(&'static str, &'static str)>,
    shown: Vec<&'static str>,
    gone: Vec<&'static str>,
}

fn states() -> Result<Vec<State>> {
    let mut states: Vec<State> = Vec::new();
    for line in include_str!("states.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let bad = || Error::invalid(format!("states.txt: {line:?}"));
        let (word, rest) = line.split_once(' ').ok_or_else(bad)?;
        if word == "=" {
            states.push(State {
                name: rest,
                steps: Vec::new(),
                shown: Vec::new(),
                gone: Vec::new(),
            });
            continue;
        }
        let state = states.last_mut().ok_or_else(bad)?;
        match (word, rest) {
            ("+", "calm") => state.shown.extend(CALM),
            ("+", text) => state.shown.push(text),
            ("-", "faults") => state.gone.extend(FAULTS),
            ("-", text) => state.gone.push(text),
            ("maitre:" | "esclave:" | "lab:", _) => state.steps.push((word, rest)),
            _ => return Err(bad()),
        }
    }
    Ok(states)
}

pub(crate) fn register(harness: &mut Harness) {
    harness.test(
        "states::same_bytes_in_each_state",
        own(LabOptions::default(), each_state).limit(Duration::from_secs(1800)),
    );
}

fn prepare(node: &Node<'_>, program: &Path) -> Result<()> {
    install(node, program)?;
    let folder = "/usr/lib/ocf/resource.d/test";
    let agent = format!("{folder}/moody");
    node.command("mkdir")
        .args(["-p", folder, "/run/moody"])
        .stdout()?;
    node.write(&agent, include_str!("moody.sh"))?;
    node.command("chmod")
        .args(["755", &agent])
        .stdout()
        .map(drop)
}

fn each_state(lab: &Lab) -> Result<()> {
    let program = build()?;
    for node in lab.nodes() {
        prepare(&node, &program)?;
    }
    let maitre = lab.node("maitre")?;
    maitre
        .command("cibadmin")
        .args(["--modify", "--allow-create", "--xml-pipe"])
        .input(RESOURCES)
        .stdout()?;
    // Beside it, the events of all these states must lead from the first to the last.
    let following = Following::start(&maitre)?;
    for state in states()? {
        enter(lab, &maitre, &state, &program).with_context(|| state.name.to_owned())?;
    }
    let told = following.finish(lab)?;
    for expected in TOLD {
        assert!(
            told.iter().any(|text| text.contains(expected)),
            "no {expected:?} in {told:#?}"
        );
    }
    without_corosync(lab)
}

/// The launcher runs on and says so, but there is no CIB to be had.
fn without_corosync(lab: &Lab) -> Result<()> {
    let esclave = lab.node("esclave")?;
    esclave.kill("corosync")?;
    lab.wait_until(LIMIT, "the CIB manager ends", || {
        let output = esclave.command("crm_mon").arg("-1").output()?;
        if output.stderr.contains("Could not connect to the CIB") {
            Ok(())
        } else {
            Err(NotYet::because(format!("{output:?}")))
        }
    })?;
    let mut modes = MODES.to_vec();
    modes.extend([&["-s"], &["-X"], &["-1", "--output-as=html"] as &[&str]]);
    same_in(lab, &esclave, "without corosync", &modes)
}

fn enter(lab: &Lab, maitre: &Node<'_>, state: &State, program: &Path) -> Result<()> {
    for &(at, what) in &state.steps {
        match (at, what) {
            ("lab:", "cut") => drop(lab.cut("esclave", Link::Ha1)?),
            ("lab:", "heal") => drop(lab.heal("esclave", Link::Ha1)?),
            ("lab:", "power-cut") => drop(lab.power_cut("esclave")?),
            ("lab:", "power-on") => {
                lab.power_on("esclave")?;
                prepare(&lab.node("esclave")?, program)?;
            }
            ("lab:", _) => return Err(Error::invalid(format!("states.txt: {what:?}"))),
            (node, command) => {
                let node = lab.node(node.trim_end_matches(':'))?;
                let shell = node.command("sh").args(["-c", command]).limit(LIMIT);
                shell.stdout().with_context(|| command.to_owned())?;
            }
        }
    }
    lab.wait_until(LIMIT, state.name, || {
        let text = maitre
            .command("crm_mon")
            .args(ALL.iter().copied())
            .stdout()?
            .replace("\t(ocf:test:moody):\t", "");
        let missing = state.shown.iter().find(|part| !text.contains(**part));
        let left = state.gone.iter().find(|part| text.contains(**part));
        match (missing, left) {
            (Some(part), _) => Err(NotYet::because(format!("no {part:?} in\n{text}"))),
            (_, Some(part)) => Err(NotYet::because(format!("still {part:?} in\n{text}"))),
            _ => Ok(()),
        }
    })?;
    same_in(lab, maitre, state.name, &MODES)
}
