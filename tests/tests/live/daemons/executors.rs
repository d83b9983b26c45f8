//! The executor: what agents there are, and what they tell about themselves.

use std::time::Duration;

use ha_core::live::pacemaker::executor::{self, ParameterKind};
use ha_core::{ErrorKind, Result};
use lab::Lab;
use lab::harness::Harness;
use serde::{Deserialize, Serialize};

use super::{LIMIT, told};

pub(super) fn register(harness: &mut Harness) {
    harness.agent("daemons::list_agents", list_agents);
    harness.shared(
        "daemons::agents_are_listed_and_described",
        agents_are_listed_and_described,
    );
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
