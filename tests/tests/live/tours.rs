//! The small programs that show the API, on the nodes of a lab.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet, Process};

use crate::hactl::{MOODY, done, install, located, moves};

pub(crate) fn register(harness: &mut Harness) {
    let limit = Duration::from_secs(600);
    let lab = LabOptions::default;
    harness.test(
        "tours::connect_and_move",
        own(lab(), connect_and_move).limit(limit),
    );
    harness.test("tours::chat", own(lab(), chat).limit(limit));
}

const LIMIT: Duration = Duration::from_secs(120);
const FOLDER: &str = "/usr/local/sbin";

fn install_tours(lab: &Lab) -> Result<()> {
    let built = crate::crm_mon::build()?;
    for name in ["tour-connect", "tour-move", "tour-chat"] {
        let program = std::fs::read(built.with_file_name(name))?;
        for node in lab.nodes() {
            let path = format!("{FOLDER}/{name}");
            node.write(&path, &program)?;
            node.command("chmod")
                .args(["755", path.as_str()])
                .stdout()?;
        }
    }
    Ok(())
}

fn connect_and_move(lab: &Lab) -> Result<()> {
    install(lab)?;
    install_tours(lab)?;
    let node = lab.node("esclave")?;
    node.write("/run/moody.xml", MOODY)?;
    done(&node, &["apply", "/run/moody.xml", "--wait"])?;
    let tour = |name: &str, words: &[&str]| {
        let program = node.command(&format!("{FOLDER}/{name}"));
        program.args(words.iter().copied()).output()
    };
    let looked = tour("tour-connect", &[])?;
    assert!(looked.status.success(), "{}", looked.stderr);
    let dc = node.command("crmadmin").args(["-D", "-q"]).output()?;
    let dc = format!("{}{}", dc.stdout, dc.stderr);
    let leader = looked.stdout.split(' ').next().unwrap_or_default();
    assert!(dc.contains(leader), "{dc}: {}", looked.stdout);
    for line in [
        "quorum: yes",
        "node maitre: online",
        "node esclave: online",
        "resource slow: Started maitre",
    ] {
        assert!(
            looked.stdout.lines().any(|l| l == line),
            "{line}: {}",
            looked.stdout
        );
    }
    let moved = tour("tour-move", &["slow", "esclave"])?;
    assert!(moved.status.success(), "{}", moved.stderr);
    assert!(
        moved
            .stdout
            .contains("it would move slow from maitre to esclave\n"),
        "{}",
        moved.stdout
    );
    assert!(
        moved.stdout.contains("now on esclave, after "),
        "{}",
        moved.stdout
    );
    assert_eq!(located(&node, "slow")?, ["esclave"]);
    assert_eq!(moves(&node)?, [""; 0]);
    // Where it cannot run: the reason, and the exit status that Pacemaker has for it.
    let refused = tour("tour-move", &["stubborn", "esclave"])?;
    assert_eq!(refused.status.code(), Some(113));
    assert!(
        refused.stderr.contains("stubborn_only"),
        "{}",
        refused.stderr
    );
    Ok(())
}

/// A program that talks, and the file where it prints.
fn talker(node: &Node<'_>) -> Result<Process> {
    let shell = node
        .command("sh")
        .args(["-c", &format!("exec {FOLDER}/tour-chat > /run/chat")]);
    shell.spawn(Stdio::piped(), Stdio::null(), Stdio::inherit())
}

fn chat(lab: &Lab) -> Result<()> {
    install_tours(lab)?;
    let nodes = [lab.node("maitre")?, lab.node("esclave")?];
    let mut talkers = Vec::new();
    for node in &nodes {
        talkers.push(talker(node)?);
    }
    let heard = |node: &Node<'_>, what: &str| {
        lab.wait_until(LIMIT, &format!("{} hears {what}", node.name()), || {
            let text = node.read("/run/chat").unwrap_or_default();
            if text.contains(what) {
                Ok(())
            } else {
                Err(NotYet::because(text))
            }
        })
    };
    for node in &nodes {
        heard(node, "2 in the group")?;
    }
    for (talker, words) in talkers.iter_mut().zip(["bonjour\n", "salut\n"]) {
        let input = talker.child().stdin.as_mut().expect("it is piped");
        input.write_all(words.as_bytes())?;
    }
    for node in &nodes {
        heard(node, ": bonjour")?;
        heard(node, ": salut")?;
    }
    // The same words in the same order.
    let said = |node: &Node<'_>| -> Result<Vec<String>> {
        let text = node.read("/run/chat")?;
        Ok(text
            .lines()
            .filter(|line| line.contains(": "))
            .map(str::to_owned)
            .collect())
    };
    assert_eq!(said(&nodes[0])?, said(&nodes[1])?);
    // One that has no more to say leaves, and the other is told.
    drop(talkers[0].child().stdin.take());
    assert!(talkers[0].wait()?.success());
    heard(&nodes[1], "1 in the group")?;
    drop(talkers[1].child().stdin.take());
    assert!(talkers[1].wait()?.success());
    Ok(())
}
