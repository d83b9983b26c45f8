//! The daemons besides the CIB manager: launcher, attributes, controller, fencer, executor.

use std::time::{Duration, Instant, SystemTime};

use ha_core::live::pacemaker::attrd::{self, Scope};
use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
use ha_core::live::pacemaker::controld::{self, Resource};
use ha_core::live::pacemaker::executor::{self, ParameterKind};
use ha_core::live::pacemaker::fencer::{self, State};
use ha_core::live::pacemaker::pacemakerd;
use ha_core::live::pacemaker::watch::Watch;
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet, agent, wait_until};
use serde::{Deserialize, Serialize};

use crate::respawn::wait_respawned;

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("daemons::ping_launcher", ping_launcher);
    harness.shared(
        "daemons::launcher_tells_its_state",
        launcher_tells_its_state,
    );
    harness.agent("daemons::attribute", attribute);
    harness.shared(
        "daemons::attributes_reach_the_cib",
        attributes_reach_the_cib,
    );
    harness.agent("daemons::set_again", set_again);
    harness.test(
        "daemons::a_killed_attribute_manager_is_found_again",
        own(LabOptions::default(), killed_attribute_manager),
    );
    harness.agent("daemons::controller", controller);
    harness.agent("daemons::refresh", refresh);
    harness.agent("daemons::fail", fail);
    harness.agent("daemons::list_agents", list_agents);
    harness.shared(
        "daemons::agents_are_listed_and_described",
        agents_are_listed_and_described,
    );
    harness.test(
        "daemons::controllers_answer_and_act",
        own(LabOptions::default(), controllers_answer_and_act),
    );
    harness.agent("daemons::ask_fencer", ask_fencer);
    harness.test(
        "daemons::fencers_tell_devices_and_history",
        own(LabOptions::default(), fencers_tell_devices_and_history),
    );
    harness.agent("daemons::ask_the_stopped", ask_the_stopped);
    harness.agent("daemons::ask_all_the_time", ask_all_the_time);
    harness.test(
        "daemons::a_fencer_stopped_at_work_holds_nobody_up",
        own(
            LabOptions::default(),
            a_fencer_stopped_at_work_holds_nobody_up,
        ),
    );
    harness.agent("daemons::ask_many_times", ask_many_times);
    harness.shared("daemons::asking_leaks_nothing", asking_leaks_nothing);
    harness.test(
        "daemons::stopped_daemons_hold_nobody_up",
        own(LabOptions::default(), stopped_daemons_hold_nobody_up),
    );
    harness.test(
        "daemons::a_stopped_or_dead_launcher_is_reported",
        own(
            LabOptions::default(),
            a_stopped_or_dead_launcher_is_reported,
        ),
    );
}

/// What a loaded machine may add to the limit of a call; a stopped daemon would hold it for minutes.
const SLACK: Duration = Duration::from_secs(20);

/// The state and the second of the last update; an error as its kind and text.
fn ping_launcher(seconds: u64) -> Result<std::result::Result<(String, Option<i64>), String>> {
    let limit = Duration::from_secs(seconds);
    let asked = Instant::now();
    let answer = match pacemakerd::ping(limit) {
        Ok(status) => Ok((
            status.state.as_str().to_owned(),
            status.last_updated.map(jiff::Timestamp::as_second),
        )),
        Err(e) => Err(format!("{:?}: {e:#}", e.kind())),
    };
    assert!(asked.elapsed() < limit + SLACK, "{:?}", asked.elapsed());
    Ok(answer)
}

fn launcher_tells_its_state(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let before = now()?;
    let (state, updated) = node
        .call::<std::result::Result<(String, Option<i64>), String>>("daemons::ping_launcher", &10)?
        .expect("an answer");
    let tool = node.command("crmadmin").arg("--pacemakerd").stdout()?;
    assert!(tool.contains("'Pacemaker is running'"), "{tool}");
    assert_eq!(state, "running");
    let updated = updated.expect("a time");
    assert!(
        (before - 60..=before + 60).contains(&updated),
        "{updated} at {before}"
    );
    Ok(())
}

/// Neither hangs the caller, and what is said differs.
fn a_stopped_or_dead_launcher_is_reported(lab: &Lab) -> Result<()> {
    let node = lab.node("esclave")?;
    let ask = || {
        node.call::<std::result::Result<(String, Option<i64>), String>>(
            "daemons::ping_launcher",
            &2,
        )
    };
    node.stop("pacemakerd")?;
    let stopped = ask()?.expect_err("pacemakerd is stopped");
    assert!(stopped.starts_with("Timeout: ping pacemakerd"), "{stopped}");
    node.cont("pacemakerd")?;
    assert_eq!(ask()?.expect("it goes on").0, "running");
    node.kill("pacemakerd")?;
    let dead = ask()?.expect_err("pacemakerd is dead");
    assert!(dead.starts_with("Disconnected: ping pacemakerd"), "{dead}");
    Ok(())
}

const LIMIT: Duration = Duration::from_secs(60);

/// An error as text that starts with its kind.
fn told<T>(result: Result<T>) -> std::result::Result<T, String> {
    result.map_err(|e| format!("{:?}: {e:#}", e.kind()))
}

#[derive(Serialize, Deserialize)]
enum Attribute {
    Set {
        node: Option<String>,
        value: String,
    },
    Delete {
        node: String,
    },
    Query {
        node: Option<String>,
    },
    /// Sets it on the local node, waits until the CIB has it, deletes it and waits again; then for a
    /// value that never comes.
    Confirm {
        node: String,
    },
}

type Values = std::result::Result<Vec<(String, Option<String>)>, String>;

fn attribute((name, action): (String, Attribute)) -> Result<Values> {
    Ok(match action {
        Attribute::Set { node, value } => {
            let scope = Scope {
                node,
                ..Scope::default()
            };
            told(attrd::set(&name, &value, &scope, LIMIT)).map(|()| Vec::new())
        }
        Attribute::Delete { node } => {
            told(attrd::delete(&name, &Scope::on(&node), LIMIT)).map(|()| Vec::new())
        }
        Attribute::Confirm { node } => {
            let mut watch = Watch::open(&Cib::connect(&ConnectOptions::default())?)?;
            let scope = Scope::default();
            attrd::set(&name, "42", &scope, LIMIT)?;
            attrd::confirm(&mut watch, &node, &name, Some("42"), LIMIT)?;
            attrd::delete(&name, &scope, LIMIT)?;
            attrd::confirm(&mut watch, &node, &name, None, LIMIT)?;
            let never = Duration::from_millis(300);
            told(attrd::confirm(&mut watch, &node, &name, Some("43"), never)).map(|()| Vec::new())
        }
        Attribute::Query { node } => told(attrd::query(&name, node.as_deref(), LIMIT)).map(|all| {
            let mut all: Vec<_> = all.into_iter().map(|one| (one.node, one.value)).collect();
            all.sort();
            all
        }),
    })
}

/// Set for the local node and for the peer, seen by Pacemaker's own tool and in the CIB of the other
/// node, changed, and deleted again.
fn attributes_reach_the_cib(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let name = "essai-1";
    let act = |action: Attribute| node.call::<Values>("daemons::attribute", &(name, action));
    let in_cib = |expected: &[&str]| {
        lab.wait_until(LIMIT, "the CIB has the attribute", || {
            let xpath = format!("//transient_attributes//nvpair[@name='{name}']");
            let output = lab
                .node("esclave")?
                .command("cibadmin")
                .args(["-Ql", "-A", &xpath])
                .output()?;
            let mut values: Vec<String> = output
                .stdout
                .split("value=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next().map(str::to_owned))
                .collect();
            values.sort();
            if values == expected {
                Ok(())
            } else {
                Err(NotYet::because(format!("{values:?} in {}", output.stdout)))
            }
        })
    };
    let never = act(Attribute::Confirm {
        node: "maitre".to_owned(),
    })?
    .expect_err("nobody set 43");
    assert!(
        never.starts_with("Timeout: confirm a node attribute: "),
        "{never}"
    );

    let absent: Values = node.call(
        "daemons::attribute",
        &("essai-2", Attribute::Query { node: None }),
    )?;
    let absent = absent.expect_err("nobody ever set it");
    assert!(absent.starts_with("NotFound: "), "{absent}");

    for (node, value) in [(None, "un <&> é"), (Some("esclave"), "deux")] {
        let node = node.map(str::to_owned);
        assert_eq!(
            act(Attribute::Set {
                node,
                value: value.to_owned()
            })?,
            Ok(Vec::new())
        );
    }
    in_cib(&["deux", "un &lt;&amp;&gt; é"])?;
    // Pacemaker 2 would cut this one: it is refused before it does harm. Later ones keep it whole.
    let value = "\u{e9} <".to_owned();
    match act(Attribute::Set { node: None, value })? {
        Err(refused) => assert!(refused.starts_with("Unsupported: "), "{refused}"),
        Ok(_) => {
            in_cib(&["deux", "\u{e9} &lt;"])?;
            let value = "un <&> é".to_owned();
            assert_eq!(act(Attribute::Set { node: None, value })?, Ok(Vec::new()));
            in_cib(&["deux", "un &lt;&amp;&gt; é"])?;
        }
    }
    let both = vec![
        ("esclave".to_owned(), Some("deux".to_owned())),
        ("maitre".to_owned(), Some("un <&> é".to_owned())),
    ];
    assert_eq!(act(Attribute::Query { node: None })?, Ok(both.clone()));
    let one = Attribute::Query {
        node: Some("esclave".to_owned()),
    };
    assert_eq!(act(one)?, Ok(vec![both[0].clone()]));
    let tool = node
        .command("attrd_updater")
        .args(["-Q", "-n", name, "-N", "esclave"])
        .stdout()?;
    assert!(tool.contains("value=\"deux\""), "{tool}");

    let node = Some("esclave".to_owned());
    assert_eq!(
        act(Attribute::Set {
            node,
            value: "trois".to_owned()
        })?,
        Ok(Vec::new())
    );
    in_cib(&["trois", "un &lt;&amp;&gt; é"])?;
    for node in ["maitre", "esclave"] {
        assert_eq!(
            act(Attribute::Delete {
                node: node.to_owned()
            })?,
            Ok(Vec::new())
        );
    }
    in_cib(&[])
}

/// Sets an attribute each time it is told a value, until that succeeds; returns the errors on the way.
fn set_again(name: String) -> Result<Vec<String>> {
    let mut errors = Vec::new();
    while let Some(value) = agent::listen::<String>()? {
        wait_until(LIMIT, "the attribute is set", || {
            let asked = Instant::now();
            let set = attrd::set(&name, &value, &Scope::default(), LIMIT);
            let took = asked.elapsed();
            assert!(took < LIMIT + SLACK, "{took:?}");
            set.map_err(|e| {
                assert!(e.is_retryable(), "{e:#}");
                errors.push(format!("{:?}: {e:#}", e.kind()));
                NotYet::from(e)
            })
        })?;
        agent::say(&value)?;
    }
    Ok(errors)
}

/// Between two calls of one process, and right before one.
fn killed_attribute_manager(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let mut agent = node.start_agent("daemons::set_again", &"again")?;
    let another_runs = || {
        wait_respawned(lab, &node, "another attrd runs", || {
            if node.processes("pacemaker-attrd")?.is_empty() {
                return Err(NotYet::because("none does"));
            }
            Ok(())
        })
    };
    for value in ["1", "2", "3"] {
        if value != "1" {
            node.kill("pacemaker-attrd")?;
        }
        // The last one finds a new daemon, the one before it none, or one that starts.
        if value == "3" {
            another_runs()?;
        }
        agent.tell(&value)?;
        another_runs()?;
        assert_eq!(agent.heard::<String>()?.as_deref(), Some(value));
    }
    lab.wait_until(LIMIT, "the last value is known", || {
        let tool = ["-Q", "-n", "again", "-N", "maitre"];
        let said = node.command("attrd_updater").args(tool).stdout()?;
        if said.contains("value=\"3\"") {
            Ok(())
        } else {
            Err(NotYet::because(said))
        }
    })?;
    agent.hush();
    let errors: Vec<String> = agent.result()?;
    for e in &errors {
        assert!(
            e.starts_with("Disconnected: ") || e.starts_with("Timeout: "),
            "{errors:?}"
        );
    }
    Ok(())
}

#[derive(Debug, Serialize, Deserialize)]
struct Controllers {
    dc: (String, String, bool),
    esclave: String,
    nobody: String,
    fail_on_nobody: String,
    nodes: Vec<(u32, Option<String>, bool)>,
    here: (u32, Option<String>, bool, bool),
    unknown: String,
}

fn controller((): ()) -> Result<Controllers> {
    let dc = controld::ping(None, LIMIT)?;
    let mut nodes: Vec<_> = controld::nodes(LIMIT)?
        .into_iter()
        .map(|node| (node.id, node.name, node.is_member))
        .collect();
    nodes.sort();
    let here = controld::node_info(None, LIMIT)?;
    let nobody = controld::ping(Some("nobody"), Duration::from_secs(1));
    let failed = controld::fail("nobody", &pinger(), Duration::from_secs(1));
    Ok(Controllers {
        dc: (dc.node.clone(), dc.feature_set.clone(), dc.is_idle()),
        esclave: controld::ping(Some("esclave"), LIMIT)?.node,
        nobody: told(nobody).expect_err("there is no such node"),
        fail_on_nobody: told(failed).expect_err("there is no such node"),
        nodes,
        here: (here.id, here.name, here.has_quorum, here.is_remote),
        unknown: told(controld::node_info(Some(77), LIMIT)).expect_err("there is no node 77"),
    })
}

fn pinger() -> Resource {
    Resource {
        id: "pinger".to_owned(),
        instance: None,
        standard: "ocf".to_owned(),
        provider: Some("pacemaker".to_owned()),
        agent: "ping".to_owned(),
    }
}

/// Forgets its history on a node, and what failed there.
fn refresh(node: String) -> Result<()> {
    attrd::clear_failures(Some("pinger"), Some(&node), LIMIT)?;
    controld::refresh(&node, &pinger(), LIMIT)
}

fn fail(node: String) -> Result<std::result::Result<(), String>> {
    Ok(told(controld::fail(&node, &pinger(), LIMIT)))
}

/// The answers beside those of Pacemaker's own tools; a failure that the cluster recovers from; its
/// traces cleaned up.
fn controllers_answer_and_act(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let seen: Controllers = node.call("daemons::controller", &())?;
    let tool = node.command("crmadmin").arg("--dc_lookup").stdout()?;
    assert!(
        tool.trim().ends_with(&seen.dc.0),
        "{} against {tool}",
        seen.dc.0
    );
    assert!(seen.dc.1.starts_with("3."), "{seen:?}");
    assert_eq!(seen.esclave, "esclave");
    assert!(
        seen.nobody.starts_with("Timeout: ") || seen.nobody.starts_with("NotFound"),
        "{seen:?}"
    );
    assert!(seen.fail_on_nobody.starts_with("Timeout: "), "{seen:?}");
    let named = |id, name: &str| (id, Some(name.to_owned()), true);
    assert_eq!(seen.nodes, [named(1, "maitre"), named(2, "esclave")]);
    assert_eq!(seen.here, (1, Some("maitre".to_owned()), true, false));
    assert!(seen.unknown.starts_with("NotFound: "), "{seen:?}");

    let primitive = "<primitive id='pinger' class='ocf' provider='pacemaker' type='ping'>\
        <instance_attributes id='pinger-a'><nvpair id='pinger-h' name='host_list' value='127.0.0.1'/>\
        <nvpair id='pinger-d' name='dampen' value='1s'/></instance_attributes></primitive>";
    node.command("cibadmin")
        .args(["-C", "-o", "resources", "-X", primitive])
        .stdout()?;
    let starts_at = || {
        lab.wait_until(Duration::from_secs(90), "pinger runs", || {
            let text = node
                .command("crm_resource")
                .args(["-W", "-r", "pinger"])
                .output()?
                .stdout;
            match text.trim().rsplit_once("is running on: ") {
                Some((_, place)) => Ok(place.trim().to_owned()),
                None => Err(NotYet::because(text)),
            }
        })
    };
    let place = starts_at()?;
    let fail_count = || -> Result<String> {
        let tool = node
            .command("crm_failcount")
            .args(["-G", "-r", "pinger", "-N", &place]);
        let text = tool.stdout()?;
        Ok(text
            .rsplit('=')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned())
    };
    let counted = || {
        lab.wait_until(LIMIT, "the failure is counted", || match fail_count()? {
            count if count == "0" => Err(NotYet::because("still 0")),
            _ => Ok(()),
        })?;
        // Until the cluster has recovered, and has nothing left to do.
        node.command("crm_resource")
            .arg("--wait")
            .stdout()
            .map(drop)
    };
    let forgotten = || {
        node.call::<()>("daemons::refresh", &place)?;
        lab.wait_until(LIMIT, "the failure is forgotten", || {
            let status = node.command("crm_mon").arg("-1").stdout()?;
            if fail_count()? == "0" && !status.contains("Failed Resource Actions") {
                Ok(())
            } else {
                Err(NotYet::because(status))
            }
        })?;
        node.command("crm_resource")
            .arg("--wait")
            .stdout()
            .map(drop)
    };
    assert_eq!(fail_count()?, "0");
    let failed: std::result::Result<(), String> = node.call("daemons::fail", &place)?;
    assert_eq!(failed, Ok(()));
    counted()?;
    forgotten()
}

#[derive(Debug, Serialize, Deserialize)]
struct Agents {
    standards: Vec<String>,
    providers: Vec<String>,
    of_ping: Vec<String>,
    pacemaker: Vec<String>,
    stonith: Vec<String>,
    /// Names of the agents with metadata, and what went wrong with the others.
    described: Vec<String>,
    undescribed: Vec<String>,
    absent: Vec<String>,
    service: String,
}

fn list_agents((): ()) -> Result<Agents> {
    let mut found = Agents {
        standards: executor::standards(LIMIT)?,
        providers: executor::providers(LIMIT)?,
        of_ping: executor::providers_of("ping", LIMIT)?,
        pacemaker: executor::agents("ocf", Some("pacemaker"), LIMIT)?,
        stonith: executor::agents("stonith", None, LIMIT)?,
        described: Vec::new(),
        undescribed: Vec::new(),
        absent: Vec::new(),
        service: String::new(),
    };
    for provider in ["heartbeat", "pacemaker"] {
        for agent in executor::agents("ocf", Some(provider), LIMIT)? {
            match executor::metadata("ocf", Some(provider), &agent, LIMIT) {
                Ok(metadata) if metadata.name == agent && metadata.action("start").is_some() => {
                    found.described.push(agent);
                }
                Ok(metadata) => found.undescribed.push(format!("{agent}: {metadata:?}")),
                // Some need programs that are not installed here, even for this.
                Err(e) if e.kind() == ErrorKind::Daemon => {}
                Err(e) => found.undescribed.push(format!("{agent}: {e:#}")),
            }
        }
    }
    let address = executor::metadata("ocf", Some("heartbeat"), "IPaddr2", LIMIT)?;
    let ip = address.parameter("ip").expect("IPaddr2 has an address");
    assert!(
        ip.is_required && ip.is_unique && ip.kind == ParameterKind::String,
        "{ip:?}"
    );
    assert!(
        ip.default.as_deref() == Some("") && ip.long_description.contains("address"),
        "{ip:?}"
    );
    let probe = address
        .parameter("arp_count")
        .expect("IPaddr2 sends ARP packets");
    assert_eq!(
        (&probe.kind, probe.default.as_deref()),
        (&ParameterKind::Integer, Some("5"))
    );
    let monitor = address.action("monitor").expect("IPaddr2 has a monitor");
    assert_eq!(monitor.timeout, Some(Duration::from_secs(20)));
    assert_eq!(monitor.interval, Some(Duration::from_secs(10)));
    for (standard, provider, agent) in [
        ("ocf", Some("heartbeat"), "no-such-agent"),
        ("ocf", Some("nobody"), "IPaddr2"),
        ("stonith", None, "fence_nothing"),
        ("lsb", None, "no-such-script"),
        ("ocf", Some(".."), "IPaddr2"),
        ("no-such-standard", None, "x"),
    ] {
        let told = told(executor::metadata(standard, provider, agent, LIMIT));
        found.absent.push(told.expect_err("there is no such agent"));
    }
    found.service = executor::metadata("lsb", None, "corosync", LIMIT)?.name;
    Ok(found)
}

/// The lists beside those of Pacemaker's own tool, and every OCF agent of the node described.
fn agents_are_listed_and_described(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let found: Agents = node.call("daemons::list_agents", &())?;
    let tool = |arguments: &[&str]| -> Result<Vec<String>> {
        let text = node
            .command("crm_resource")
            .args(arguments.iter().copied())
            .stdout()?;
        Ok(text
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|l| !l.is_empty())
            .collect())
    };
    assert_eq!(found.standards, tool(&["--list-standards"])?);
    assert_eq!(found.providers, tool(&["--list-ocf-providers"])?);
    assert_eq!(found.pacemaker, tool(&["--list-agents", "ocf:pacemaker"])?);
    assert_eq!(found.stonith, tool(&["--list-agents", "stonith"])?);
    assert_eq!(found.of_ping, ["pacemaker"]);
    assert!(found.described.len() > 50, "{found:?}");
    assert_eq!(found.undescribed, Vec::<String>::new());
    let starts = [
        "NotFound",
        "NotFound",
        "NotFound",
        "NotFound",
        "Invalid",
        "Unsupported",
    ];
    for (told, start) in found.absent.iter().zip(starts) {
        assert!(told.starts_with(start), "{told} instead of {start}");
    }
    assert_eq!(found.service, "corosync");
    Ok(())
}

/// A fence agent for a switch that has no power while a file says so.
const FENCE_AGENT: &str = r#"#!/bin/sh
action=
[ "${1:-}" = -o ] && action=${2:-} || while read -r line; do
    case $line in action=*) action=${line#action=} ;; esac
done
case $action in
metadata)
    cat <<END
<?xml version="1.0" ?>
<resource-agent name="fence_lab" shortdesc="Fence agent of the lab">
<longdesc>Tells whether the nodes have power.</longdesc>
<parameters><parameter name="action" required="1"><content type="string" default="off"/>
<shortdesc lang="en">Fencing action</shortdesc></parameter></parameters>
<actions><action name="off"/><action name="reboot"/><action name="monitor" timeout="20"/>
<action name="metadata"/></actions></resource-agent>
END
    ;;
monitor | start | stop | list | status) ;;
*) [ -e /run/no-power ] || { echo "the switch still gives power" >&2; exit 1; } ;;
esac
"#;

#[derive(Debug, Serialize, Deserialize)]
struct Fencing {
    devices: Vec<String>,
    for_esclave: Vec<String>,
    for_nobody: Vec<String>,
    /// Target, action, outcome, whether the time is right, origin, reason; the last first.
    history: Vec<(String, String, String, bool, String, Option<String>)>,
    of_maitre: usize,
    agent: Option<String>,
}

fn ask_fencer(since: i64) -> Result<Fencing> {
    let mut history = fencer::history(None, LIMIT)?;
    history.sort_by_key(|event| std::cmp::Reverse(event.completed));
    let describe = |event: fencer::FencingEvent| {
        let state = match event.state {
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            _ => "other",
        };
        let at = event.completed.map_or(0, jiff::Timestamp::as_second);
        (
            event.target,
            event.action,
            state.to_owned(),
            since <= at && now().is_ok_and(|now| at <= now),
            event.origin.unwrap_or_default(),
            event.exit_reason,
        )
    };
    let agent = executor::metadata("stonith", None, "fence_lab", LIMIT)?;
    Ok(Fencing {
        devices: fencer::devices(LIMIT)?,
        for_esclave: fencer::devices_for("esclave", LIMIT)?,
        for_nobody: fencer::devices_for("nobody", LIMIT)?,
        history: history.into_iter().map(describe).collect(),
        of_maitre: fencer::history(Some("maitre"), LIMIT)?.len(),
        agent: agent.parameter("action").and_then(|p| p.default.clone()),
    })
}

/// A device that fails and then succeeds, in the fencer's lists and history.
fn fencers_tell_devices_and_history(lab: &Lab) -> Result<()> {
    let since = now()?;
    for node in lab.nodes() {
        node.write("/usr/sbin/fence_lab", FENCE_AGENT)?;
        node.command("chmod")
            .args(["755", "/usr/sbin/fence_lab"])
            .stdout()?;
    }
    let node = lab.node("maitre")?;
    let device = "<primitive id='switch' class='stonith' type='fence_lab'><instance_attributes id='s-a'>\
        <nvpair id='s-h' name='pcmk_host_list' value='maitre,esclave'/></instance_attributes></primitive>";
    node.command("cibadmin")
        .args(["-C", "-o", "resources", "-X", device])
        .stdout()?;
    lab.wait_until(Duration::from_secs(90), "the device is registered", || {
        let text = node.command("stonith_admin").arg("-L").output()?.stdout;
        if text.contains("switch") {
            Ok(())
        } else {
            Err(NotYet::because(text))
        }
    })?;
    let before: Fencing = node.call("daemons::ask_fencer", &since)?;
    assert_eq!(before.devices, ["switch"]);
    assert_eq!(before.for_esclave, ["switch"]);
    assert_eq!(before.for_nobody, Vec::<String>::new());
    assert!(before.history.is_empty(), "{before:?}");
    assert_eq!(before.agent.as_deref(), Some("off"));

    let fence = || {
        node.command("stonith_admin")
            .args(["-F", "esclave", "-t", "60"])
            .status()
    };
    assert!(!fence()?.success(), "the switch still gives power");
    lab.power_cut("esclave")?;
    node.write("/run/no-power", "")?;
    assert!(fence()?.success(), "the switch gives no power now");
    let after: Fencing = node.call("daemons::ask_fencer", &since)?;
    let [done, failed] = &after.history[..] else {
        panic!("{after:?}")
    };
    let expected = |(target, action, outcome, in_time, origin, _): &(
        String,
        String,
        String,
        bool,
        String,
        Option<String>,
    ),
                    wanted: &str| {
        (
            target.as_str(),
            action.as_str(),
            outcome.as_str(),
            *in_time,
            origin.as_str(),
        ) == ("esclave", "off", wanted, true, "maitre")
    };
    assert!(
        expected(done, "succeeded") && expected(failed, "failed"),
        "{after:?}"
    );
    let tool = node
        .command("stonith_admin")
        .args(["-H", "esclave", "--verbose"])
        .stdout()?;
    // Not every version keeps the reason: ours is the tool's, or both have none.
    match failed.5.as_deref() {
        Some(reason) => assert!(tool.contains(reason), "{reason} is not in {tool}"),
        None => assert!(!tool.contains("reason"), "{tool}"),
    }
    assert_eq!(after.of_maitre, 0);
    Ok(())
}

fn now() -> Result<i64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Ok(now
        .map_err(|e| Error::invalid(e.to_string()))?
        .as_secs()
        .cast_signed())
}

/// Asks each daemon, with a second to answer; then the CIB, which must not be held up by them.
fn ask_the_stopped((): ()) -> Result<Vec<(String, String)>> {
    let limit = Duration::from_secs(1);
    let scope = Scope::default();
    let mut answers = Vec::new();
    let mut ask = |what: &str, f: &dyn Fn() -> Result<()>| {
        let asked = Instant::now();
        let answer = told(f()).map_or_else(|e| e, |()| "answered".to_owned());
        assert!(
            asked.elapsed() < limit + SLACK,
            "{what}: {:?}",
            asked.elapsed()
        );
        answers.push((what.to_owned(), answer));
    };
    ask("controld", &|| controld::nodes(limit).map(drop));
    ask("attrd", &|| attrd::set("held", "1", &scope, limit));
    ask("fencer", &|| fencer::devices(limit).map(drop));
    let cib = Cib::connect(&ConnectOptions::default())?.with_timeout(limit);
    ask("cib", &|| cib.query().map(drop));
    Ok(answers)
}

fn stopped_daemons_hold_nobody_up(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let daemons = ["pacemaker-controld", "pacemaker-attrd", "pacemaker-fenced"];
    for daemon in daemons {
        node.stop(daemon)?;
    }
    let answers: Vec<(String, String)> = node.call("daemons::ask_the_stopped", &())?;
    for (what, answer) in &answers[..3] {
        assert!(answer.starts_with("Timeout: "), "{what}: {answer}");
    }
    assert_eq!(answers[3].1, "answered");
    for daemon in daemons {
        node.cont(daemon)?;
    }
    let answers: Vec<(String, String)> = node.call("daemons::ask_the_stopped", &())?;
    assert!(
        answers.iter().all(|(_, answer)| answer == "answered"),
        "{answers:?}"
    );
    Ok(())
}

/// Asks the fencer all the time, from one thread; and the CIB manager each time the test says so, with
/// more patience than the fencer is given.
fn ask_all_the_time((): ()) -> Result<()> {
    let answered = std::sync::atomic::AtomicU64::new(0);
    let over = std::sync::atomic::AtomicBool::new(false);
    let count = || answered.load(std::sync::atomic::Ordering::Acquire);
    // Connected to both, so that none of them is stopped while a connection is made.
    let cib = Cib::connect(&ConnectOptions::default())?.with_timeout(3 * SLACK);
    cib.query()?;
    fencer::devices(LIMIT)?;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::Acquire) {
                match fencer::devices(Duration::from_secs(1)) {
                    Ok(_) => {
                        answered.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
                    }
                    Err(e) => assert!(
                        matches!(e.kind(), ErrorKind::Timeout | ErrorKind::Disconnected),
                        "{e:#}"
                    ),
                }
            }
        });
        let talk = || -> Result<()> {
            agent::say(&"ready")?;
            while let Some(question) = agent::listen::<String>()? {
                if question == "the fencer" {
                    let before = count();
                    lab::wait_until(3 * SLACK, "the fencer answers", || {
                        if count() > before {
                            Ok(())
                        } else {
                            Err(NotYet::because("it does not"))
                        }
                    })?;
                } else {
                    cib.query()?;
                }
                agent::say(&question)?;
            }
            Ok(())
        };
        let result = talk();
        over.store(true, std::sync::atomic::Ordering::Release);
        result
    })
}

/// The fencer's own library waits a minute longer than it is told to.
fn a_fencer_stopped_at_work_holds_nobody_up(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let mut running = node.start_agent("daemons::ask_all_the_time", &())?;
    assert_eq!(running.heard::<String>()?.as_deref(), Some("ready"));
    let mut ask = |question: &str| -> Result<()> {
        running.tell(&question)?;
        assert_eq!(running.heard::<String>()?.as_deref(), Some(question));
        Ok(())
    };
    for _ in 0..3 {
        ask("the fencer")?;
        node.stop("pacemaker-fenced")?;
        let answer = ask("the CIB manager");
        node.cont("pacemaker-fenced")?;
        answer?;
    }
    ask("the fencer")
}

/// Descriptors and resident KiB of this process.
fn held() -> Result<(usize, u64)> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix(" kB")?
                .parse()
                .ok()
        })
        .ok_or_else(|| Error::invalid("no VmRSS"))?;
    Ok((std::fs::read_dir("/proc/self/fd")?.count(), resident))
}

/// What is held after the first 50 rounds of questions, and after as many as asked.
fn ask_many_times(rounds: usize) -> Result<[(usize, u64); 2]> {
    let scope = Scope::default();
    let mut first = (0, 0);
    for round in 0..rounds {
        pacemakerd::ping(LIMIT)?;
        controld::nodes(LIMIT)?;
        controld::ping(None, LIMIT)?;
        attrd::set("round", &round.to_string(), &scope, LIMIT)?;
        // The first value of all takes its way through the cluster before it is known.
        wait_until(LIMIT, "the attribute is known", || {
            Ok(attrd::query("round", None, LIMIT).map(drop)?)
        })?;
        fencer::devices(LIMIT)?;
        executor::providers(LIMIT)?;
        if round == 50 {
            first = held()?;
        }
    }
    Ok([first, held()?])
}

fn asking_leaks_nothing(lab: &Lab) -> Result<()> {
    let node = lab.node("esclave")?;
    let mut asking = node.start_agent("daemons::ask_many_times", &400)?;
    asking.set_limit(Duration::from_secs(600));
    let [first, last]: [(usize, u64); 2] = asking.result()?;
    assert!(
        last.0 <= first.0 + 2,
        "descriptors: {first:?}, then {last:?}"
    );
    assert!(
        agent::memcheck() || last.1 < first.1 + 1024,
        "KiB: {first:?}, then {last:?}"
    );
    Ok(())
}
