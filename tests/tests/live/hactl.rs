//! The program `hactl` in a cluster: what it does is asked of Pacemaker's own tools.

use std::process::Stdio;
use std::time::Duration;

use ha_core::xml::Document;
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet, Output};
use rustix::process::{Pid, Signal};
use serde_json::Value;

/// Where the program is inside the nodes.
pub(crate) const HACTL: &str = "/usr/local/sbin/hactl";

/// How long a command may take that waits for the cluster.
const LIMIT: Duration = Duration::from_secs(240);

pub(crate) fn register(harness: &mut Harness) {
    let lab = LabOptions::default;
    let limit = Duration::from_secs(900);
    harness.test("hactl::sphynx", own(lab(), sphynx).limit(limit));
    harness.test("hactl::endings", own(lab(), endings).limit(limit));
    harness.test("hactl::cib_file", own(lab(), cib_file));
}

/// Builds the program, and puts it and the agent `ocf:test:moody` on the nodes.
pub(crate) fn install(lab: &Lab) -> Result<()> {
    let program = std::fs::read(crate::crm_mon::build()?.with_file_name("hactl"))?;
    for node in lab.nodes() {
        node.write(HACTL, &program)?;
        let folder = "/usr/lib/ocf/resource.d/test";
        let agent = format!("{folder}/moody");
        node.command("mkdir")
            .args(["-p", folder, "/run/moody"])
            .stdout()?;
        node.write(&agent, include_str!("moody.sh"))?;
        node.command("chmod")
            .args(["755", HACTL, &agent])
            .stdout()?;
    }
    Ok(())
}

/// Runs the program, and returns what it printed, whatever its exit status.
pub(crate) fn hactl(node: &Node<'_>, words: &[&str]) -> Result<Output> {
    let command = node.command(HACTL).args(["--timeout", "180s"]);
    let output = command.args(words.iter().copied()).limit(LIMIT).output()?;
    println!(
        "hactl {}: {}\n{}{}",
        words.join(" "),
        output.status,
        output.stdout,
        output.stderr
    );
    Ok(output)
}

/// Runs the program, which must succeed, and returns what it printed.
pub(crate) fn done(node: &Node<'_>, words: &[&str]) -> Result<String> {
    let output = hactl(node, words)?;
    assert!(output.status.success(), "{words:?}: {}", output.stderr);
    // Warnings about a configuration may stand there, each with its fix.
    let lines = output.stderr.lines();
    let others = lines.filter(|line| !line.starts_with("warning: ") && !line.starts_with("    "));
    assert_eq!(others.count(), 0, "{words:?}: {}", output.stderr);
    Ok(output.stdout)
}

/// Runs the program, which must end with this exit code, and returns the error that it printed.
pub(crate) fn refused(node: &Node<'_>, words: &[&str], code: i32) -> Result<String> {
    let output = hactl(node, words)?;
    assert_eq!(output.status.code(), Some(code), "{words:?}");
    assert_eq!(output.stdout, "", "{words:?}");
    Ok(output.stderr)
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|e| Error::invalid(format!("{e}: {text}")))
}

pub(crate) fn cib(node: &Node<'_>) -> Result<Document> {
    Document::parse(&node.command("cibadmin").arg("--query").stdout()?)
}

pub(crate) fn epoch(node: &Node<'_>) -> Result<i64> {
    Ok(cib(node)?.version().epoch)
}

/// The constraints of moves and restarts that are there.
pub(crate) fn moves(node: &Node<'_>) -> Result<Vec<String>> {
    let cib = cib(node)?;
    let all = cib.root().descendants();
    let ids = all.filter_map(|element| element.attribute("id"));
    let of_moves = ids.filter(|id| id.starts_with("ha-move-"));
    Ok(of_moves.map(str::to_owned).collect())
}

/// Where Pacemaker's own tool finds a resource.
pub(crate) fn located(node: &Node<'_>, id: &str) -> Result<Vec<String>> {
    let command = node.command("crm_resource");
    let said = command.args(["--locate", "--resource", id]).stdout()?;
    Ok(said
        .lines()
        .filter_map(|line| {
            line.split("is running on: ")
                .nth(1)?
                .split_whitespace()
                .next()
        })
        .map(str::to_owned)
        .collect())
}

/// The README's configuration, with the real agents.
fn sphynx(lab: &Lab) -> Result<()> {
    const FILE: &str = "/run/sphynx.toml";
    let toml = include_str!("../../../examples/sphynx.toml");
    install(lab)?;
    let (here, there) = (lab.node("maitre")?, lab.node("esclave")?);
    here.write(FILE, toml)?;
    // Told beforehand, nothing done.
    let before = epoch(&here)?;
    let diff = done(&here, &["diff", FILE])?;
    assert!(diff.contains("+ group sphynx\n"), "{diff}");
    let dry = done(&here, &["apply", FILE, "--dry-run"])?;
    assert!(dry.starts_with(&diff), "{dry}");
    assert!(dry[diff.len()..].contains("start gw_pingd"), "{dry}");
    assert_eq!(epoch(&here)?, before);
    // Done, all of it at once.
    let applied = done(&here, &["apply", FILE, "--wait"])?;
    assert!(applied.starts_with(&diff), "{applied}");
    lab.wait_sphynx("maitre", LIMIT)?;
    let verified = here.command("crm_verify").arg("--live-check").output()?;
    assert!(verified.status.success(), "{}", verified.stderr);
    assert_eq!(verified.stderr, "");
    done(&here, &["settle"])?;
    // A second time there is nothing to do.
    let before = epoch(&here)?;
    let again = done(&here, &["apply", FILE, "--wait"])?;
    assert!(again.starts_with("nothing to change"), "{again}");
    let in_french = here.command(HACTL).args(["apply", FILE]);
    let in_french = in_french.env("LC_ALL", "").env("LANG", "fr_FR.UTF-8");
    assert!(in_french.stdout()?.starts_with("rien à changer"));
    assert!(done(&here, &["diff", FILE])?.starts_with("nothing to change"));
    assert_eq!(epoch(&here)?, before);
    // One value more: that alone is told, in words and as JSON, and changed.
    here.write(FILE, toml.replace("multiplier = 100", "multiplier = 200"))?;
    let diff = done(&here, &["diff", FILE])?;
    assert_eq!(
        diff,
        "~ primitive gw_pingd\n    parameter multiplier: 100 -> 200\n"
    );
    let told = json(&done(&here, &["--json", "diff", FILE])?)?;
    assert!(told.to_string().contains("gw_pingd"), "{told}");
    here.write(FILE, toml)?;
    // On the other node: move, and back, without a trace.
    let what_if = done(
        &there,
        &["resource", "move", "sphynx", "esclave", "--dry-run"],
    )?;
    assert!(
        what_if.contains("move VIP_externe from maitre to esclave"),
        "{what_if}"
    );
    assert_eq!(epoch(&here)?, before);
    let moved = done(&there, &["resource", "move", "sphynx", "esclave"])?;
    assert!(moved.contains("now on esclave"), "{moved}");
    lab.wait_sphynx("esclave", LIMIT)?;
    assert_eq!(moves(&here)?, [""; 0]);
    let moved = json(&done(&there, &["--json", "resource", "move", "sphynx"])?)?;
    assert_eq!(moved["to"], serde_json::json!(["maitre"]));
    lab.wait_sphynx("maitre", LIMIT)?;
    // Stop, start, ban, clear.
    done(&there, &["resource", "stop", "sphynx", "--wait"])?;
    assert_eq!(located(&here, "VIP_externe")?, [""; 0]);
    let why = done(&here, &["why", "sphynx"])?;
    assert!(why.contains("does not run"), "{why}");
    done(&there, &["resource", "start", "sphynx", "--wait"])?;
    lab.wait_sphynx("maitre", LIMIT)?;
    done(&there, &["resource", "ban", "sphynx", "maitre", "--wait"])?;
    lab.wait_sphynx("esclave", LIMIT)?;
    assert!(cib(&here)?.to_xml().contains("cli-ban-sphynx-on-maitre"));
    // A file does not take back what an administrator asks.
    assert!(done(&here, &["apply", FILE])?.starts_with("nothing to change"));
    done(&there, &["resource", "clear", "sphynx", "--wait"])?;
    assert!(!cib(&here)?.to_xml().contains("cli-ban-"));
    // Looking.
    let nodes = json(&done(&here, &["--json", "node", "list"])?)?;
    let is_dc = |node: &&Value| node["dc"] == true;
    assert_eq!(
        nodes.as_array().map(|all| all.iter().filter(is_dc).count()),
        Some(1)
    );
    let resources = json(&done(&here, &["--json", "resource", "list"])?)?;
    assert_eq!(resources.as_array().map(Vec::len), Some(7), "{resources}");
    json(&done(&here, &["--json", "status"])?)?;
    json(&done(&here, &["--json", "verify"])?)?;
    assert!(done(&here, &["status"])?.contains("maitre"));
    // What is no more in the file goes, since its owner has it no more.
    let less = toml.replace(", \"arv_rsc\"]", "]");
    let (first, rest) = less.split_once("[[primitive]]\nid = \"arv_rsc\"").unwrap();
    let (_, rest) = rest.split_once("\n\n").unwrap();
    here.write(FILE, format!("{first}{rest}"))?;
    done(&here, &["apply", FILE, "--wait"])?;
    let left = cib(&here)?.root().child("configuration").unwrap().to_xml();
    assert!(
        !left.contains("arv_rsc") && left.contains("ipsec_rsc"),
        "{left}"
    );
    assert_eq!(located(&here, "ipsec_rsc")?.len(), 1);
    Ok(())
}

/// `slow` stops and starts when it is told to; `stubborn` may run on one node only.
pub(crate) const MOODY: &str = "<cib><configuration>\
    <crm_config><cluster_property_set id='o'><nvpair id='o-s' name='stonith-enabled' value='false'/>\
    </cluster_property_set></crm_config><resources>\
    <primitive id='slow' class='ocf' provider='test' type='moody'><operations>\
    <op id='slow-stop' name='stop' interval='0' timeout='300s'/>\
    <op id='slow-start' name='start' interval='0' timeout='300s'/></operations></primitive>\
    <primitive id='stubborn' class='ocf' provider='pacemaker' type='Dummy'/>\
    </resources><constraints>\
    <rsc_location id='slow_here' rsc='slow' node='maitre' score='10'/>\
    <rsc_location id='stubborn_only' rsc='stubborn' node='esclave' score='-INFINITY'/></constraints>\
    <rsc_defaults><meta_attributes id='d'><nvpair id='d-s' name='resource-stickiness' value='100'/>\
    </meta_attributes></rsc_defaults></configuration></cib>";

/// Has an action of `slow` go on until it is let go.
pub(crate) fn hold(lab: &Lab, action: &str) -> Result<()> {
    knob(lab, action, "wait")
}

pub(crate) fn let_go(lab: &Lab, action: &str) -> Result<()> {
    knob(lab, action, "0")
}

/// Sets how an action of `slow` ends.
pub(crate) fn knob(lab: &Lab, action: &str, word: &str) -> Result<()> {
    let mut nodes = lab.nodes();
    nodes.retain(Node::is_up);
    let file = format!("/run/moody/slow.{action}");
    for node in nodes {
        if word == "0" {
            node.command("rm").args(["-f", &file]).stdout()?;
        } else {
            node.write(&file, word)?;
        }
    }
    Ok(())
}

/// Waits until a move has begun.
pub(crate) fn wait_moving(lab: &Lab, node: &Node<'_>) -> Result<()> {
    lab.wait_until(
        LIMIT,
        "the constraint of the move is there",
        || match moves(node)? {
            none if none.is_empty() => Err(NotYet::because("it is not")),
            _ => Ok(()),
        },
    )
}

pub(crate) fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(pid.cast_signed()).ok_or_else(|| Error::invalid("no process"))?;
    rustix::process::kill_process(pid, signal).map_err(std::io::Error::from)?;
    Ok(())
}

fn endings(lab: &Lab) -> Result<()> {
    const FILE: &str = "/run/moody.xml";
    install(lab)?;
    let node = lab.node("maitre")?;
    node.write(FILE, MOODY)?;
    done(&node, &["apply", FILE, "--wait"])?;
    assert_eq!(located(&node, "slow")?, ["maitre"]);
    // What does not exist.
    let code = |kind: ErrorKind| i32::from(kind.exit_code());
    let missing = code(ErrorKind::NotFound);
    assert_eq!(missing, 105);
    for words in [
        &["resource", "stop", "nobody"][..],
        &["resource", "move", "slow", "nowhere"],
        &["node", "standby", "nowhere"],
        &["option", "get", "unheard-of"],
        &["apply", "/run/no-such-file.toml"],
    ] {
        let said = refused(&node, words, missing)?;
        assert!(said.starts_with("hactl: "), "{said}");
    }
    let said = json(&refused(
        &node,
        &["--json", "resource", "stop", "nobody"],
        missing,
    )?)?;
    assert_eq!(said["kind"], "NotFound");
    assert_eq!(said["exit_code"], 105);
    // What cannot be: the reason is told, and nothing was changed.
    let before = epoch(&node)?;
    let said = refused(&node, &["resource", "move", "stubborn", "esclave"], 113)?;
    assert!(said.contains("stubborn_only"), "{said}");
    assert_eq!(epoch(&node)?, before);
    // What takes longer than one waits: what is under way is told.
    hold(lab, "stop")?;
    let soon = ["--timeout", "3s", "resource", "stop", "slow", "--wait"];
    let output = node.command(HACTL).args(soon).limit(LIMIT).output()?;
    assert_eq!(output.status.code(), Some(124), "{}", output.stderr);
    assert!(
        output.stderr.contains("slow: stop under way on maitre"),
        "{}",
        output.stderr
    );
    let_go(lab, "stop")?;
    done(&node, &["resource", "start", "slow", "--wait"])?;
    assert_eq!(located(&node, "slow")?, ["maitre"]);
    // Interrupted, it takes back what is there for the move only.
    for (name, number) in [("INT", Signal::INT), ("TERM", Signal::TERM)] {
        hold(lab, "stop")?;
        let mover = node.command("sh").args([
            "-c",
            &format!("exec {HACTL} --json resource move slow esclave 2> /run/said"),
        ]);
        let mut mover = mover.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?;
        wait_moving(lab, &node)?;
        signal(mover.inner_pid()?, number)?;
        assert_eq!(mover.wait()?.code(), Some(128 + number.as_raw()), "{name}");
        let said = json(&node.read("/run/said")?)?;
        let text = said["interrupted"].as_str().unwrap_or_default();
        assert!(text.contains("its constraint removed"), "{said}");
        assert_eq!(said["removed"].as_array().map(Vec::len), Some(1), "{said}");
        assert_eq!(moves(&node)?, [""; 0], "{name}");
        let_go(lab, "stop")?;
        done(&node, &["settle"])?;
        assert_eq!(located(&node, "slow")?, ["maitre"], "{name}");
    }
    // One that waits ends its waiting, and says so.
    hold(lab, "stop")?;
    let waiter = node.command("sh").args([
        "-c",
        &format!("exec {HACTL} --lang fr --wait resource stop slow 2> /run/said"),
    ]);
    let mut waiter = waiter.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?;
    lab.wait_until(LIMIT, "the stop is asked", || {
        if cib(&node)?.to_xml().contains("target-role") {
            Ok(())
        } else {
            Err(NotYet::because("it is not"))
        }
    })?;
    signal(waiter.inner_pid()?, Signal::INT)?;
    assert_eq!(waiter.wait()?.code(), Some(130));
    let said = node.read("/run/said")?;
    assert!(said.contains("ce qui a été demandé le reste"), "{said}");
    let_go(lab, "stop")?;
    done(&node, &["resource", "start", "slow", "--wait"])?;
    // A node that is in the cluster is not off.
    let said = refused(&node, &["node", "confirm-off", "esclave"], 113)?;
    assert!(said.contains("esclave is in the cluster now"), "{said}");
    let said = refused(&node, &["node", "confirm-off", "esclav"], 105)?;
    assert!(said.contains("did you mean esclave?"), "{said}");
    // What makes no sense: as Pacemaker's tools say it.
    for words in [
        &["resource", "dance"][..],
        &["node", "standby"],
        &["--no-such-option"],
    ] {
        let said = refused(&node, words, 64)?;
        assert!(said.contains("--help"), "{said}");
    }
    let listed = node.command("crm_error").args(["--exit", "64"]).stdout()?;
    assert!(
        listed.contains("Usage") || listed.contains("usage"),
        "{listed}"
    );
    // In French, what is said is French.
    let in_french = |words: &[&str]| {
        let command = node.command(HACTL).args(["--lang", "fr"]);
        command.args(words.iter().copied()).output()
    };
    let said = in_french(&["resource", "move", "stubborn", "esclave"])?;
    assert!(
        said.stderr
            .starts_with("hactl: la grappe fait autrement : "),
        "{}",
        said.stderr
    );
    let said = in_french(&["resource", "move", "slow", "esclave", "--dry-run"])?;
    assert!(
        said.stdout.contains("déplacer slow de maitre vers esclave"),
        "{}",
        said.stdout
    );
    let events = node.command("sh").args([
        "-c",
        &format!("exec {HACTL} --lang fr events > /run/events"),
    ]);
    let mut events = events.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?;
    lab.wait_until(LIMIT, "an event is told in French", || {
        // Until the program follows: each change is an event then.
        for words in [
            &["set", "maitre", "couleur", "rouge"][..],
            &["unset", "maitre", "couleur"],
        ] {
            done(&node, &[&["node"], words, &["--until-reboot"]].concat())?;
        }
        let told = node.read("/run/events").unwrap_or_default();
        if told.contains("l'attribut couleur de maitre vaut rouge") {
            Ok(())
        } else {
            Err(NotYet::because(told))
        }
    })?;
    signal(events.inner_pid()?, Signal::TERM)?;
    events.wait()?;
    // The shell's own ways.
    let completions = node.command(HACTL).args(["completions", "bash"]).stdout()?;
    assert!(completions.contains("complete -F"));
    let help = hactl(&node, &["--help"])?;
    assert!(
        help.status.success() && help.stdout.contains("--dry-run"),
        "{}",
        help.stdout
    );
    Ok(())
}

/// A file instead of a cluster; `CIB_file`, as Pacemaker's tools have it.
fn cib_file(lab: &Lab) -> Result<()> {
    const CIB: &str = "/run/cib.xml";
    install(lab)?;
    let node = lab.node("esclave")?;
    node.write("/run/moody.xml", MOODY)?;
    done(&node, &["apply", "/run/moody.xml", "--wait"])?;
    node.write(CIB, cib(&node)?.to_xml())?;
    let before = epoch(&node)?;
    let with_file = |words: &[&str]| {
        let command = node.command(HACTL).args(words.iter().copied());
        command.env("CIB_file", CIB).stdout()
    };
    let told = with_file(&["resource", "stop", "slow"])?;
    assert_eq!(told, "~ primitive slow\n    meta target-role: Stopped\n");
    with_file(&["resource", "ban", "stubborn", "maitre"])?;
    let said = with_file(&["resource", "get", "slow", "target-role", "--meta"])?;
    assert_eq!(said, "Stopped\n");
    let value = node.command("crm_resource").env("CIB_file", CIB);
    let value = value.args(["-r", "slow", "--meta", "--get-parameter", "target-role"]);
    assert_eq!(value.stdout()?.trim(), "Stopped");
    let verified = node.command("crm_verify").args(["-x", CIB]).output()?;
    assert!(verified.status.success(), "{}", verified.stderr);
    // The cluster has not heard of it.
    assert_eq!(epoch(&node)?, before);
    assert_eq!(located(&node, "slow")?, ["maitre"]);
    Ok(())
}
