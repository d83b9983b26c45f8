//! Links and control, against the real corosync.

use ha_core::live::corosync::cfg::{Cfg, Shutdown, ShutdownRequest};
use ha_core::live::corosync::{NodeId, Options, Reconnect, Update};
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, Link, NotYet, Transport, agent};
use serde::{Deserialize, Serialize};

use crate::corosync::{LONG, machines, start_corosync, wait_members};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("cfg::look", look);
    harness.shared("cfg::links_are_what_cfgtool_says", links_are_cfgtools);
    harness.test(
        "cfg::knet_links_are_followed",
        own(machines(2, Transport::Knet), knet_links),
    );
    harness.agent("cfg::order", order);
    harness.agent("cfg::judge", judge);
    harness.test(
        "cfg::reload_and_logs",
        own(machines(2, Transport::Udp), reload_and_logs),
    );
    harness.test(
        "cfg::kill_and_shut_down",
        own(machines(2, Transport::Udp), kill_and_shut_down),
    );
}

#[derive(Debug, Serialize, Deserialize)]
struct Looked {
    local: u32,
    /// The number, address and state of each interface.
    interfaces: Vec<(Option<u32>, String, String)>,
    addresses: Vec<String>,
    reachable: bool,
    /// The number, state and addresses of each link to the node.
    links: Vec<(usize, bool, bool, u32, String, String)>,
    stranger: (bool, usize),
}

/// Looks at the way to a node.
fn look(node: u32) -> Result<Looked> {
    let cfg = Cfg::connect(&Options::default())?;
    let status = cfg.node_status(NodeId(node))?;
    assert_eq!(status.node, NodeId(node));
    let stranger = match cfg.node_status(NodeId(9)) {
        Ok(status) => (status.reachable, status.links.len()),
        Err(e) if e.kind() == ErrorKind::Daemon => (false, 0),
        Err(e) => return Err(e),
    };
    assert_eq!(
        cfg.addresses(NodeId(9)).expect_err("no such node").kind(),
        ErrorKind::NotFound
    );
    Ok(Looked {
        local: cfg.local_node()?.0,
        interfaces: cfg
            .interfaces()?
            .into_iter()
            .map(|i| (i.link, i.address, i.state))
            .collect(),
        addresses: cfg
            .addresses(NodeId(node))?
            .iter()
            .map(ToString::to_string)
            .collect(),
        reachable: status.reachable,
        links: status
            .links
            .into_iter()
            .map(|l| {
                (
                    l.number,
                    l.enabled,
                    l.connected,
                    l.mtu,
                    l.source,
                    l.destination,
                )
            })
            .collect(),
        stranger,
    })
}

fn links_are_cfgtools(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let seen: Looked = node.call("cfg::look", &2)?;
    assert_eq!(seen.local, 1);
    assert_eq!(
        seen.interfaces,
        [(Some(0), Link::Ha1.address(11), "OK".to_owned())]
    );
    assert_eq!(seen.addresses, [Link::Ha1.address(12)]);
    assert!(seen.reachable);
    assert_eq!(seen.stranger, (false, 0));
    let tool = node.command("corosync-cfgtool").arg("-n").stdout()?;
    assert!(tool.contains("nodeid: 2 reachable"), "{tool}");
    let &[(0, true, true, mtu, ..)] = &seen.links[..] else {
        panic!("{:?}", seen.links)
    };
    assert!(tool.contains(&format!("mtu: {mtu}")), "{tool}");
    Ok(())
}

fn knet_links(lab: &Lab) -> Result<()> {
    start_corosync(lab)?;
    let node = lab.node("maitre")?;
    // knet measures the links before it says so.
    let look = |what: &str, ready: &dyn Fn(&Looked) -> bool| {
        lab.wait_until(LONG, what, || {
            let seen: Looked = node.call("cfg::look", &2)?;
            if ready(&seen) {
                Ok(seen)
            } else {
                Err(NotYet::because(format!("{seen:?}")))
            }
        })
    };
    let both = look("both links work", &|seen| {
        // Of the interfaces: n3 is enabled and connected, n1 enabled only.
        let states: Vec<_> = seen.interfaces.iter().map(|i| i.2.as_str()).collect();
        seen.reachable
            && states == ["n3", "n3"]
            && seen.links.iter().filter(|l| l.2 && l.3 > 1_000).count() == 2
    })?;
    let addresses = [Link::Ha1.address(12), Link::Interco.address(12)];
    let destinations: Vec<_> = both.links.iter().map(|l| l.5.clone()).collect();
    assert_eq!(destinations, addresses);
    assert_eq!(both.addresses, addresses);
    lab.wait_until(LONG, "corosync-cfgtool agrees", || {
        let tool = node.command("corosync-cfgtool").arg("-n").stdout()?;
        match tool.matches("enabled connected").count() {
            2 => Ok(()),
            _ => Err(NotYet::because(tool)),
        }
    })?;

    lab.cut("esclave", Link::Interco)?;
    look("the link over interco is lost", &|seen| {
        let one_left = seen.links[0].2 && seen.links[1].1 && !seen.links[1].2;
        seen.reachable && one_left && seen.interfaces[1].2 == "n1"
    })?;
    lab.heal("esclave", Link::Interco)?;
    look("the link over interco is back", &|seen| {
        seen.links.iter().all(|l| l.2)
    })?;
    Ok(())
}

/// Gives an order; returns the error as its kind's name and its text with the hint.
fn order((what, node): (String, u32)) -> Result<Option<String>> {
    let cfg = Cfg::connect(&Options::default())?;
    let result = match what.as_str() {
        "reload" => cfg.reload(),
        "reopen logs" => cfg.reopen_logs(),
        "kill" => cfg.kill_node(NodeId(node), "un essai, arrêt demandé"),
        "ask" => cfg.shut_down(Shutdown::Ask, LONG),
        "announce" => cfg.shut_down(Shutdown::Announce, LONG),
        "now" => cfg.shut_down(Shutdown::Now, LONG),
        "long reason" => cfg.kill_node(NodeId(node), &"x".repeat(255)),
        _ => Err(Error::invalid(what)),
    };
    Ok(result
        .err()
        .map(|e| format!("{:?}: {e:#} ({})", e.kind(), e.hint().unwrap_or_default())))
}

fn reload_and_logs(lab: &Lab) -> Result<()> {
    start_corosync(lab)?;
    let node = lab.node("maitre")?;
    let give = |what: &str| node.call::<Option<String>>("cfg::order", &(what, 0));
    let file = "/etc/corosync/corosync.conf";
    let good = node.read(file)?;
    assert_eq!(give("reload")?, None);

    // A value that can change while it runs. Every node reads its own file.
    let token = |node: &lab::Node<'_>| -> Result<String> {
        let key = "runtime.config.totem.token";
        let text = node
            .command("corosync-cmapctl")
            .args(["-g", key])
            .stdout()?;
        Ok(text
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned())
    };
    let before = token(&node)?;
    let longer = good
        .lines()
        .map(|l| {
            if l.trim_start().starts_with("token:") {
                "token: 4321"
            } else {
                l
            }
        })
        .collect::<Vec<_>>()
        .join("\n");
    assert_ne!(longer, good);
    for node in lab.nodes() {
        node.write(file, &longer)?;
    }
    assert_eq!(give("reload")?, None);
    for node in lab.nodes() {
        lab.wait_until(LONG, "the new token timeout is in force", || {
            let now = token(&node)?;
            if now == "4321" {
                Ok(())
            } else {
                Err(NotYet::because(now))
            }
        })?;
    }

    // Files that corosync refuses: it goes on with what it had.
    for bad in [
        "totem {\n  version: 2\n",
        "nonsense\n",
        &longer.replace("4321", "1"),
    ] {
        node.write(file, bad)?;
        let e = give("reload")?.expect("a bad file is refused");
        assert!(
            e.starts_with("Invalid: reload corosync.conf: corosync refused the file"),
            "{e}"
        );
        assert!(e.contains("journalctl"), "{e}");
        assert_eq!(token(&node)?, "4321");
    }
    node.command("rm").arg(file).stdout()?;
    let e = give("reload")?.expect("a missing file is refused");
    assert!(e.starts_with("Invalid"), "{e}");
    for node in lab.nodes() {
        node.write(file, &good)?;
    }
    assert_eq!(give("reload")?, None);
    lab.wait_until(LONG, "the first token timeout is in force", || {
        let now = token(&node)?;
        if now == before {
            Ok(())
        } else {
            Err(NotYet::because(now))
        }
    })?;

    // Rotated logs: the old file gets nothing more.
    let log = log_file(&good)?;
    node.command("mv")
        .args([log.clone(), format!("{log}.1")])
        .stdout()?;
    assert_eq!(give("reopen logs")?, None);
    assert_eq!(give("reload")?, None);
    lab.wait_until(LONG, "the new log file is written", || {
        // Which line is the first in it depends on corosync's logging thread.
        let text = node.read(&log)?;
        if !text.trim().is_empty() {
            Ok(())
        } else {
            Err(NotYet::because(text))
        }
    })
}

fn log_file(conf: &str) -> Result<String> {
    let line = conf.lines().find_map(|l| l.trim().strip_prefix("logfile:"));
    let file = line.map(|l| l.trim().to_owned());
    file.ok_or_else(|| Error::invalid("corosync.conf names no log file"))
}

/// Answers each request to shut down as it is told, and tells what it was asked.
fn judge(allow: bool) -> Result<()> {
    let mut watch = Cfg::watch(&Options::default(), Reconnect::Never)?;
    agent::say(&"ready")?;
    while let Some(update) = watch.next() {
        match update {
            Update::Event(ShutdownRequest { how }) => {
                agent::say(&format!("{how:?}"))?;
                if let (Shutdown::Ask, Some(cfg)) = (how, watch.connection()) {
                    cfg.answer_shutdown(allow)?;
                }
            }
            Update::Lost(e) => agent::say(&format!("{:?}", e.kind()))?,
            Update::Regained => agent::say(&"regained")?,
        }
    }
    Ok(())
}

fn kill_and_shut_down(lab: &Lab) -> Result<()> {
    start_corosync(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    let ended = |node: &lab::Node<'_>| {
        lab.wait_until(LONG, "corosync has ended", || {
            let pids = node.processes("corosync")?;
            if pids.is_empty() {
                Ok(())
            } else {
                Err(NotYet::because(format!("{pids:?}")))
            }
        })
    };
    // One refuses: corosync stays.
    let mut refuses = maitre.start_agent("cfg::judge", &false)?;
    assert_eq!(refuses.heard::<String>()?.as_deref(), Some("ready"));
    let e = maitre
        .call::<Option<String>>("cfg::order", &("ask", 0))?
        .expect("a refusal");
    assert!(
        e.starts_with("Conflict: shut corosync down: a program refused"),
        "{e}"
    );
    assert_eq!(refuses.heard::<String>()?.as_deref(), Some("Ask"));
    wait_members(lab, "esclave", &[1, 2])?;
    drop(refuses);
    // All allow it: it goes.
    let mut allows = maitre.start_agent("cfg::judge", &true)?;
    assert_eq!(allows.heard::<String>()?.as_deref(), Some("ready"));
    assert_eq!(
        maitre.call::<Option<String>>("cfg::order", &("ask", 0))?,
        None
    );
    assert_eq!(allows.heard::<String>()?.as_deref(), Some("Ask"));
    assert_eq!(allows.heard::<String>()?.as_deref(), Some("Disconnected"));
    assert_eq!(allows.heard::<String>()?, None);
    ended(&maitre)?;
    wait_members(lab, "esclave", &[2])?;

    // A node kills another.
    maitre.command("corosync").stdout()?;
    wait_members(lab, "esclave", &[1, 2])?;
    let e = esclave
        .call::<Option<String>>("cfg::order", &("kill", 9))?
        .expect("no such node");
    assert!(e.starts_with("NotFound: kill node 9"), "{e}");
    let e = esclave
        .call::<Option<String>>("cfg::order", &("long reason", 1))?
        .expect("too long");
    assert!(e.starts_with("Invalid: a reason"), "{e}");
    assert_eq!(
        esclave.call::<Option<String>>("cfg::order", &("kill", 1))?,
        None
    );
    ended(&maitre)?;
    let log = maitre.read(&log_file(&maitre.read("/etc/corosync/corosync.conf")?)?)?;
    assert!(log.contains("un essai, arrêt demandé"), "{log}");

    // Told, but not asked.
    let mut told = esclave.start_agent("cfg::judge", &false)?;
    assert_eq!(told.heard::<String>()?.as_deref(), Some("ready"));
    assert_eq!(
        esclave.call::<Option<String>>("cfg::order", &("announce", 0))?,
        None
    );
    assert_eq!(told.heard::<String>()?.as_deref(), Some("Announce"));
    ended(&esclave)?;
    esclave.command("corosync").stdout()?;
    wait_members(lab, "esclave", &[2])?;
    assert_eq!(
        esclave.call::<Option<String>>("cfg::order", &("now", 0))?,
        None
    );
    ended(&esclave)?;
    let e = esclave
        .call::<Option<String>>("cfg::order", &("now", 0))
        .expect_err("corosync is gone");
    assert!(
        format!("{e:#}").contains("corosync is not running"),
        "{e:#}"
    );
    Ok(())
}
