//! What goes wrong while the configuration is changed: programs, daemons and nodes that die, daemons that
//! hang, resources that fail. The configuration is that of before or that of after, and no constraint stays.

use std::process::Stdio;
use std::time::{Duration, Instant};

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet};
use rustix::process::Signal;

use crate::hactl::{
    HACTL, MOODY, cib, done, hactl, hold, install, knob, let_go, located, moves, refused, signal,
    wait_moving,
};
use crate::respawn::wait_respawned;

const LIMIT: Duration = Duration::from_secs(240);
/// How many resources come and go together, each with a constraint.
const PARTS: usize = 20;
/// The files of both configurations, inside the nodes.
const FILES: [&str; 2] = ["/var/lib/less.xml", "/var/lib/more.xml"];

pub(crate) fn register(harness: &mut Harness) {
    let lab = LabOptions::default;
    let limit = Duration::from_secs(1500);
    harness.test(
        "faults_of_changes::killed_program",
        own(lab(), killed_program).limit(limit),
    );
    harness.test(
        "faults_of_changes::killed_daemon",
        own(lab(), killed_daemon).limit(limit),
    );
    harness.test(
        "faults_of_changes::power_cut",
        own(lab(), power_cut).limit(limit),
    );
    harness.test(
        "faults_of_changes::killed_moves",
        own(lab(), killed_moves).limit(limit),
    );
    harness.test(
        "faults_of_changes::failing_stop",
        own(lab(), failing_stop).limit(limit),
    );
    harness.test(
        "faults_of_changes::hung_daemon",
        own(lab(), hung_daemon).limit(limit),
    );
}

/// An owner's configuration: nothing but an option, or many resources with their constraints too.
fn configuration(parts: usize) -> String {
    let resources: String = (0..parts)
        .map(|n| format!("<primitive id='part{n}' class='ocf' provider='pacemaker' type='Dummy'/>"))
        .collect();
    let constraints: String = (0..parts)
        .map(|n| {
            format!(
                "<rsc_location id='part{n}_off' rsc='part{n}' node='maitre' score='-INFINITY'/>\
                <rsc_location id='part{n}_too' rsc='part{n}' node='esclave' score='-INFINITY'/>"
            )
        })
        .collect();
    format!(
        "<cib><configuration><crm_config><cluster_property_set id='parts'>\
         <nvpair id='parts-s' name='stonith-enabled' value='false'/>\
         <nvpair id='parts-n' name='x-parts' value='{parts}'/></cluster_property_set></crm_config>\
         <resources>{resources}</resources><constraints>{constraints}</constraints>\
         </configuration></cib>"
    )
}

fn prepare(lab: &Lab) -> Result<()> {
    install(lab)?;
    for node in lab.nodes() {
        node.write(FILES[0], configuration(0))?;
        node.write(FILES[1], configuration(PARTS))?;
    }
    apply(&lab.node("maitre")?, FILES[0])
}

fn apply(node: &Node<'_>, file: &str) -> Result<()> {
    done(node, &["apply", file, "--owner", "parts"]).map(drop)
}

/// How many of the parts a node's CIB has: all, or none. Anything else is a configuration in between.
fn parts(node: &Node<'_>) -> Result<usize> {
    let cib = cib(node)?;
    let count = |name: &str| {
        let all = cib.root().descendants();
        let of_parts = all.filter(|e| {
            e.name() == name && e.attribute("id").is_some_and(|id| id.starts_with("part"))
        });
        of_parts.count()
    };
    let option = cib
        .root()
        .descendants()
        .find(|e| e.attribute("name") == Some("x-parts"));
    let option = option.and_then(|e| e.attribute("value")).unwrap_or("0");
    let found = (count("primitive"), count("rsc_location"), option);
    assert!(
        matches!(found, (0, 0, "0")) || found == (PARTS, 2 * PARTS, &PARTS.to_string()),
        "neither before nor after: {found:?}"
    );
    Ok(found.0)
}

/// The program killed at any moment of an apply.
fn killed_program(lab: &Lab) -> Result<()> {
    prepare(lab)?;
    let (here, there) = (lab.node("maitre")?, lab.node("esclave")?);
    // How long it takes when nothing happens, to die all along the way.
    let begin = Instant::now();
    apply(&here, FILES[1])?;
    let whole = begin.elapsed();
    let (mut killed, mut before, mut after) = (0, 0, 0);
    for n in 0..30_u32 {
        let had = parts(&here)?;
        let file = FILES[usize::from(had == 0)];
        let moment = whole * n / 10;
        let seconds = format!("{:.4}", moment.as_secs_f64().max(0.001));
        let run = here
            .command("timeout")
            .args(["-s", "KILL", &seconds, HACTL]);
        let run = run.args(["apply", file, "--owner", "parts"]).output();
        killed += usize::from(run.is_err());
        match parts(&here)? == had {
            true => before += 1,
            false => after += 1,
        }
    }
    println!("{killed} of 30 killed; {before} had changed nothing, {after} all");
    assert!(
        killed > 0 && before > 0 && after > 0,
        "{killed} {before} {after}"
    );
    // The next run does it.
    apply(&here, FILES[1])?;
    assert_eq!(parts(&here)?, PARTS);
    lab.wait_until(LIMIT, "the other node has it too", || {
        match parts(&there)? {
            PARTS => Ok(()),
            other => Err(NotYet::because(format!("{other} parts"))),
        }
    })
}

/// Applies both configurations in turns until it is told to end; each error is printed.
const TURNS: &str = "while [ ! -e /run/end-turns ]; do for file in /var/lib/more.xml /var/lib/less.xml; do \
    /usr/local/sbin/hactl --timeout 60s apply $file --owner parts >/dev/null 2>>/run/turns || echo; done; done";

/// `pacemaker-based` killed again and again while programs on both nodes change the configuration.
fn killed_daemon(lab: &Lab) -> Result<()> {
    prepare(lab)?;
    let nodes = lab.nodes();
    let mut turns = Vec::new();
    for node in &nodes {
        let shell = node.command("sh").args(["-c", TURNS]);
        turns.push(shell.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?);
    }
    for n in 0..6 {
        let victim = &nodes[n % 2];
        wait_change(lab, victim)?;
        victim.kill("pacemaker-based")?;
        for node in &nodes {
            wait_respawned(lab, node, "the CIB manager answers", || {
                match node.command("cibadmin").arg("--query").stdout() {
                    Ok(_) => Ok(()),
                    Err(e) => Err(NotYet::because(format!("{e:#}"))),
                }
            })?;
            parts(node)?;
        }
    }
    for node in &nodes {
        node.write("/run/end-turns", "")?;
    }
    for mut shell in turns {
        shell.wait()?;
    }
    for node in &nodes {
        println!(
            "{}: {}",
            node.name(),
            node.read("/run/turns").unwrap_or_default()
        );
    }
    // A controller whose CIB manager dies often may give up: its node is started again, one after the other.
    for node in &nodes {
        wait_respawned(lab, node, "all of Pacemaker runs", || {
            for daemon in ["pacemaker-based", "pacemaker-attrd", "pacemaker-controld"] {
                if node.processes(daemon)?.is_empty() {
                    return Err(NotYet::because(format!("{daemon} does not")));
                }
            }
            Ok(())
        })?;
    }
    for node in &nodes {
        wait_respawned(lab, node, "both nodes are online", || {
            Ok(lab.wait_online(Duration::from_secs(10))?)
        })?;
    }
    same_everywhere(lab, FILES[1], PARTS)
}

/// Waits until the configuration is changed once more.
fn wait_change(lab: &Lab, node: &Node<'_>) -> Result<()> {
    let first = parts(node)?;
    lab.wait_until(LIMIT, "the configuration changes", || {
        match node.command("cibadmin").arg("--query").stdout() {
            Ok(_) if parts(node)? != first => Ok(()),
            Ok(_) => Err(NotYet::because("it is the same")),
            Err(e) => Err(NotYet::because(format!("{e:#}"))),
        }
    })
}

/// Applies a configuration, which all nodes then have.
fn same_everywhere(lab: &Lab, file: &str, count: usize) -> Result<()> {
    apply(&lab.node("esclave")?, file)?;
    for node in lab.nodes() {
        lab.wait_until(LIMIT, "each node has it", || match parts(&node)? {
            found if found == count => Ok(()),
            other => Err(NotYet::because(format!("{other} parts"))),
        })?;
    }
    Ok(())
}

/// The name of the Designated Controller, and of the other node.
fn dc(lab: &Lab) -> Result<(String, String)> {
    let node = lab.node("maitre")?;
    let said = lab.wait_until(LIMIT, "there is a DC", || {
        let said = node.command("crmadmin").arg("--dc_lookup").stdout();
        said.map_err(|e| NotYet::because(format!("{e:#}")))
    })?;
    let is_maitre = said.contains("maitre");
    assert!(is_maitre || said.contains("esclave"), "{said}");
    let (dc, other) = if is_maitre {
        ("maitre", "esclave")
    } else {
        ("esclave", "maitre")
    };
    Ok((dc.to_owned(), other.to_owned()))
}

/// The power of the DC's node cut while programs on both nodes change the configuration.
fn power_cut(lab: &Lab) -> Result<()> {
    prepare(lab)?;
    for _ in 0..2 {
        let (dc, other) = dc(lab)?;
        let survivor = lab.node(&other)?;
        let mut turns = Vec::new();
        for node in lab.nodes() {
            let shell = node.command("sh").args(["-c", TURNS]);
            turns.push(shell.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?);
        }
        wait_change(lab, &survivor)?;
        lab.power_cut(&dc)?;
        parts(&survivor)?;
        // It goes on alone.
        wait_change(lab, &survivor)?;
        survivor.write("/run/end-turns", "")?;
        for mut shell in turns {
            shell.wait()?;
        }
        survivor.command("rm").arg("/run/end-turns").stdout()?;
        println!(
            "{other}: {}",
            survivor.read("/run/turns").unwrap_or_default()
        );
        lab.power_on(&dc)?;
        parts(&lab.node(&dc)?)?;
        same_everywhere(lab, FILES[1], PARTS)?;
        same_everywhere(lab, FILES[0], 0)?;
    }
    Ok(())
}

fn moody(lab: &Lab) -> Result<()> {
    install(lab)?;
    let node = lab.node("maitre")?;
    node.write("/run/moody.xml", MOODY)?;
    done(&node, &["apply", "/run/moody.xml", "--wait", "--as-is"])?;
    assert_eq!(located(&node, "slow")?, ["maitre"]);
    Ok(())
}

fn start_move(node: &Node<'_>, to: &str) -> Result<lab::Process> {
    let mover = node
        .command(HACTL)
        .args(["--timeout", "120s", "resource", "move", "slow", to]);
    mover.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())
}

/// A move during which its program, the CIB manager, or the DC's node dies.
fn killed_moves(lab: &Lab) -> Result<()> {
    moody(lab)?;
    let (here, there) = (lab.node("maitre")?, lab.node("esclave")?);
    // The program: the next one that changes something takes back what it left, which has an end anyway.
    for next in [
        &["resource", "cleanup", "stubborn"][..],
        &["resource", "refresh", "stubborn"],
        &["node", "set", "maitre", "looked", "once"],
        &["resource", "move", "stubborn", "esclave"],
        &["settle"],
    ] {
        let to = match located(&here, "slow")?.as_slice() {
            [on] if on == "maitre" => "esclave",
            _ => "maitre",
        };
        hold(lab, "stop")?;
        let mut mover = start_move(&here, to)?;
        wait_moving(lab, &here)?;
        signal(mover.inner_pid()?, Signal::KILL)?;
        mover.wait()?;
        assert_ne!(moves(&here)?, [""; 0]);
        let said = done(&here, &["status"])?;
        let left = |line: &str| line.starts_with("ha-move-slow") && line.contains(": left behind");
        assert!(said.lines().any(left), "{said}");
        let_go(lab, "stop")?;
        if next.contains(&"move") {
            refused(&here, next, 113)?;
        } else {
            done(&here, next)?;
        }
        assert_eq!(moves(&here)?, [""; 0], "{next:?}");
        done(&here, &["settle"])?;
    }
    // The CIB manager, of the program's node: the move goes on.
    let (from, to) = match located(&here, "slow")?.as_slice() {
        [on] if on == "maitre" => (&here, "esclave"),
        _ => (&there, "maitre"),
    };
    hold(lab, "stop")?;
    let mut mover = start_move(from, to)?;
    wait_moving(lab, from)?;
    from.kill("pacemaker-based")?;
    wait_respawned(lab, from, "the CIB manager answers", || {
        match from.command("cibadmin").arg("--query").stdout() {
            Ok(_) => Ok(()),
            Err(e) => Err(NotYet::because(format!("{e:#}"))),
        }
    })?;
    let_go(lab, "stop")?;
    println!("the CIB manager was killed: {}", mover.wait()?);
    assert_eq!(moves(&here)?, [""; 0]);
    lab.wait_online(LIMIT)?;
    done(&here, &["settle"])?;
    // The power of the DC's node, where `slow` is, and from where it is moved by a program on the other node.
    let (dc, other) = dc(lab)?;
    let survivor = lab.node(&other)?;
    if located(&survivor, "slow")? != [dc.clone()] {
        done(&survivor, &["resource", "move", "slow", &dc])?;
    }
    hold(lab, "stop")?;
    let mut mover = start_move(&survivor, &other)?;
    wait_moving(lab, &survivor)?;
    lab.power_cut(&dc)?;
    let_go(lab, "stop")?;
    println!("the DC's node was cut: {}", mover.wait()?);
    assert_eq!(moves(&survivor)?, [""; 0]);
    lab.power_on(&dc)?;
    let_go(lab, "stop")?;
    done(&survivor, &["settle"])?;
    assert_eq!(moves(&survivor)?, [""; 0]);
    // The power of the program's own node: the next program of another takes back what was left, once that node
    // is not in the cluster any more.
    let target = match located(&survivor, "slow")?.as_slice() {
        [on] if *on == dc => other.clone(),
        _ => dc.clone(),
    };
    hold(lab, "stop")?;
    let mut mover = start_move(&lab.node(&dc)?, &target)?;
    wait_moving(lab, &survivor)?;
    lab.power_cut(&dc)?;
    mover.wait()?;
    assert_ne!(moves(&survivor)?, [""; 0]);
    let_go(lab, "stop")?;
    lab.wait_until(LIMIT, "it is taken back", || {
        done(&survivor, &["node", "set", &other, "looked", "yes"])?;
        let left = moves(&survivor)?;
        if left.is_empty() {
            Ok(())
        } else {
            Err(NotYet::because(left.join(" ")))
        }
    })?;
    lab.power_on(&dc)?;
    let_go(lab, "stop")?;
    refused(
        &lab.node(&dc)?,
        &["resource", "move", "stubborn", "esclave"],
        113,
    )?;
    assert_eq!(moves(&survivor)?, [""; 0]);
    Ok(())
}

/// A stop that fails: what was asked is not so, and why is told.
fn failing_stop(lab: &Lab) -> Result<()> {
    moody(lab)?;
    let node = lab.node("esclave")?;
    knob(lab, "stop", "1")?;
    let said = refused(&node, &["resource", "move", "slow", "esclave"], 113)?;
    assert!(said.contains("stop") && said.contains("maitre"), "{said}");
    assert_eq!(moves(&node)?, [""; 0]);
    let_go(lab, "stop")?;
    node.command("crm_resource")
        .args(["--cleanup", "-r", "slow"])
        .stdout()?;
    done(&node, &["settle"])?;
    knob(lab, "stop", "1")?;
    let output = hactl(&node, &["resource", "stop", "slow", "--wait"])?;
    assert_eq!(output.status.code(), Some(113), "{}", output.stderr);
    assert!(
        output.stderr.contains("stop") && output.stderr.contains("maitre"),
        "{}",
        output.stderr
    );
    Ok(())
}

/// A CIB manager that hangs during a wait: an end in time, and what is amiss.
fn hung_daemon(lab: &Lab) -> Result<()> {
    moody(lab)?;
    let node = lab.node("maitre")?;
    for words in [
        &["resource", "stop", "slow", "--wait"][..],
        &["resource", "move", "slow", "esclave"],
    ] {
        hold(lab, "stop")?;
        // Time-out and margin are 25 s.
        let run = node
            .command("timeout")
            .args(["-s", "KILL", "30", HACTL, "--timeout", "20s"])
            .args(words.iter().copied());
        let mut run = run.spawn(Stdio::null(), Stdio::null(), Stdio::piped())?;
        // By then the program has been answered, and waits.
        lab.wait_until(LIMIT, "the stop is under way", || {
            let cib = cib(&node)?;
            let mut all = cib.root().descendants();
            let is_pending = all.any(|e| {
                let is = |name, value| e.attribute(name) == Some(value);
                e.name() == "lrm_rsc_op"
                    && is("operation", "stop")
                    && is("op-status", "-1")
                    && e.attribute("id").is_some_and(|id| id.starts_with("slow_"))
            });
            if is_pending {
                Ok(())
            } else {
                Err(NotYet::because("it is not"))
            }
        })?;
        // pacemakerd would kill what hangs, and start it again.
        node.stop("pacemakerd")?;
        node.stop("pacemaker-based")?;
        // Its own end, long before that of the patience of anybody: the program is killed when it takes longer than
        // its time-out and the few seconds for taking back the constraint.
        let ended = lab.wait_until(LIMIT, "it has ended", || match run.child().try_wait() {
            Ok(Some(status)) => Ok(status),
            Ok(None) => Err(NotYet::because("it runs")),
            Err(e) => Err(NotYet::because(e.to_string())),
        });
        node.cont("pacemaker-based")?;
        node.cont("pacemakerd")?;
        let mut said = String::new();
        if let Some(mut errors) = run.child().stderr.take() {
            std::io::Read::read_to_string(&mut errors, &mut said)?;
        }
        println!("{words:?}: {ended:?}: {said}");
        assert_eq!(ended?.code(), Some(124), "{said}");
        assert!(said.contains("20.0 s"), "{said}");
        assert!(said.contains("the CIB manager does not answer"), "{said}");
        // Nor could it be told to remove a constraint.
        let is_left = said.contains("could not be removed, and ends by itself at 2");
        assert_eq!(is_left, words[1] == "move", "{said}");
        let_go(lab, "stop")?;
        lab.wait_online(LIMIT)?;
        done(&node, &["resource", "start", "slow", "--wait"])?;
        // What could not be taken back is by the next.
        refused(&node, &["resource", "move", "stubborn", "esclave"], 113)?;
        assert_eq!(moves(&node)?, [""; 0]);
    }
    Ok(())
}
