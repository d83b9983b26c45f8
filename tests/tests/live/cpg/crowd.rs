//! A group with as many members as there can be, and with more.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use ha_core::live::corosync::cpg::{Cpg, Group, MOST_MEMBERS, Options, OwnedEvent};
use ha_core::live::corosync::{Reconnect, Update};
use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, Node, NotYet, Transport, agent};

use crate::corosync::{LONG, machines, start_corosync, within};

pub(super) fn register(harness: &mut Harness) {
    harness.agent("cpg::crowd", crowd);
    harness.agent("cpg::in_a_crowd", in_a_crowd);
    harness.agent("cpg::watch_a_crowd", watch_a_crowd);
    harness.agent("cpg::count", count);
    harness.agent("cpg::join_a_crowd", join_a_crowd);
    harness.test(
        "cpg::a_group_of_more_than_128_members",
        own(machines(2, Transport::Udp), more_than_most),
    );
}

const GROUP: &str = "crowd";
const PROGRAM: &str = "/run/lab/crowd";

fn options() -> Options {
    Options {
        common: within(LONG),
        ..Options::default()
    }
}

/// Has other processes join until nothing more is told to it.
fn crowd(members: usize) -> Result<()> {
    let mut program = Command::new(PROGRAM)
        .args([GROUP, &members.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("start the crowd")?;
    let mut line = String::new();
    if let Some(stdout) = program.stdout.take() {
        BufReader::new(stdout)
            .read_line(&mut line)
            .context("hear of the crowd")?;
    }
    agent::say(&line.trim())?;
    agent::listen::<()>()?;
    drop(program.stdin.take());
    program.wait().context("wait for the crowd").map(drop)
}

fn start_crowd(node: &Node<'_>, members: usize) -> Result<agent::Running> {
    let mut crowd = node.start_agent("cpg::crowd", &members)?;
    let heard = crowd.heard::<String>()?;
    assert_eq!(heard, Some(format!("{members} joined")));
    Ok(crowd)
}

/// Joins, and tells how many members there are at each change, or what it hears instead.
fn in_a_crowd(_: ()) -> Result<()> {
    let mut cpg = Cpg::connect(&options())?;
    cpg.join(&Group::new(GROUP)?)?;
    std::thread::spawn(|| {
        let _ = agent::listen::<()>();
        std::process::exit(0);
    });
    loop {
        match cpg.next_event(LONG) {
            Ok(Some(OwnedEvent::Members(m))) => agent::say(&m.members.len().to_string())?,
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::Limit => {
                assert!(e.hint().is_some_and(|h| h.contains("several groups")));
                agent::say(&format!("{e:#}"))?;
            }
            Err(e) => return Err(e),
        }
    }
}

/// Watches the group; returns with what the watch ended.
fn watch_a_crowd(_: ()) -> Result<String> {
    let watch = Cpg::watch(&options(), &Group::new(GROUP)?, Reconnect::Always)?;
    agent::say(&"watching")?;
    let mut last = String::new();
    for update in watch {
        if let Update::Lost(e) = update {
            last = format!("{:?}", e.kind());
        }
    }
    Ok(last)
}

fn count(_: ()) -> Result<usize> {
    let cpg = Cpg::connect(&options())?;
    Ok(cpg.members(&Group::new(GROUP)?)?.len())
}

fn join_a_crowd(_: ()) -> Result<()> {
    let cpg = Cpg::connect(&options())?;
    let e = cpg
        .join(&Group::new(GROUP)?)
        .expect_err("the group is full");
    assert_eq!(e.kind(), ErrorKind::Limit, "{e:?}");
    Ok(())
}

/// Waits until it tells of so many members.
fn hear(agent: &mut agent::Running, members: usize) -> Result<()> {
    let wanted = members.to_string();
    hear_of(agent, &wanted, |heard| heard == wanted)
}

fn hear_of(agent: &mut agent::Running, what: &str, is_it: impl Fn(&str) -> bool) -> Result<()> {
    while let Some(heard) = agent.heard::<String>()? {
        if is_it(&heard) {
            return Ok(());
        }
    }
    Err(Error::invalid(format!("it ended before it told of {what}")))
}

fn more_than_most(lab: &Lab) -> Result<()> {
    let program = compiled()?;
    start_corosync(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    for node in [&maitre, &esclave] {
        node.write(PROGRAM, &program)?;
        node.command("chmod").args(["755", PROGRAM]).stdout()?;
    }
    let mut member = maitre.start_agent("cpg::in_a_crowd", &())?;
    hear(&mut member, 1)?;
    let mut watch = esclave.start_agent("cpg::watch_a_crowd", &())?;
    assert_eq!(watch.heard::<String>()?.as_deref(), Some("watching"));
    // Memory for the queues of half of them is on each node.
    let on_maitre = start_crowd(&maitre, MOST_MEMBERS / 2 - 1)?;
    let on_esclave = start_crowd(&esclave, MOST_MEMBERS / 2 - 1)?;
    hear(&mut member, MOST_MEMBERS)?;
    assert_eq!(maitre.call::<usize>("cpg::count", &())?, MOST_MEMBERS);
    esclave.call::<()>("cpg::join_a_crowd", &())?;

    let mut one_more = start_crowd(&esclave, 1)?;
    let too_many = |heard: &str| heard.contains("has 129 members");
    hear_of(&mut member, "too many", too_many)?;
    assert_eq!(watch.result::<String>()?, "Limit");
    // The watch has left; so one more is needed for another look at too many.
    lab.wait_until(LONG, "the watch has left", || {
        match maitre.call::<usize>("cpg::count", &())? {
            MOST_MEMBERS => Ok(()),
            other => Err(NotYet::because(other.to_string())),
        }
    })?;
    let mut another = start_crowd(&maitre, 1)?;
    assert_eq!(esclave.call::<usize>("cpg::count", &())?, MOST_MEMBERS + 1);
    // What the members hear is right again when there are fewer.
    for extra in [&mut one_more, &mut another] {
        extra.hush();
    }
    hear(&mut member, MOST_MEMBERS - 1)?;
    for mut agent in [on_maitre, on_esclave] {
        agent.hush();
        agent.result::<()>()?;
    }
    hear(&mut member, 1)?;
    member.hush();
    Ok(())
}

/// The program that joins without a look at the limit.
fn compiled() -> Result<Vec<u8>> {
    let target = std::env::temp_dir().join(format!("ha-crowd-{}", std::process::id()));
    let mut compiler = Command::new("cc")
        .args(["-O1", "-Wall", "-x", "c", "-", "-lcpg", "-o"])
        .arg(&target)
        .stdin(Stdio::piped())
        .spawn()
        .context("run cc")?;
    if let Some(mut stdin) = compiler.stdin.take() {
        stdin
            .write_all(include_bytes!("crowd.c"))
            .context("write to cc")?;
    }
    let status = compiler.wait().context("wait for cc")?;
    let program = std::fs::read(&target);
    let _ = std::fs::remove_file(&target);
    assert!(status.success(), "{status}");
    program.context("read the program")
}
