//! A tunnel to the pair survives what happens to it: the real strongSwan on both ends.

use std::time::{Duration, Instant};

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::tunnel::{AMON_LAN, host_behind};
use lab::{Lab, LabOptions, Link, NotYet, Pings, WORLD, sphynx};

use super::net::Server;
use super::set_up::{set_up, settings};
use super::{LIMIT, cleanup, has_started, settle};

pub(crate) fn register(harness: &mut Harness) {
    let lab = LabOptions {
        tunnel: true,
        ..LabOptions::default()
    };
    let limit = Duration::from_secs(900);
    harness.test("sphynx::tunnel::survives", own(lab, survives).limit(limit));
}

/// The lab, and the traffic through its tunnel.
pub(crate) struct Scene<'lab> {
    lab: &'lab Lab,
    /// What the outside sees: from the gateway to the address of the pair.
    vip: Pings,
    /// From the host behind the pair to the network of the Amon.
    inside_out: Pings,
    /// And back.
    outside_in: Pings,
}

impl<'lab> Scene<'lab> {
    pub(crate) fn start(lab: &'lab Lab) -> Result<Self> {
        let (gateway, amon) = (lab.node("gateway")?, lab.node("amon")?);
        Ok(Self {
            lab,
            vip: Pings::start(&gateway, sphynx::VIP_EXTERNE, LIMIT)?,
            inside_out: Pings::start(&gateway, AMON_LAN, LIMIT)?,
            outside_in: Pings::start(&amon, &host_behind(), LIMIT)?,
        })
    }

    /// Waits until the group is on that node and all traffic flows again, and prints how long which
    /// traffic did not.
    pub(crate) fn recovers(&self, what: &str, since: Instant, on: &str) -> Result<()> {
        self.lab.wait_sphynx(on, LIMIT)?;
        let now = Instant::now();
        let mut text = format!("{what}:");
        for (name, pings) in [
            ("VIP_externe", &self.vip),
            ("the tunnel from inside", &self.inside_out),
            ("the tunnel from outside", &self.outside_in),
        ] {
            pings.answers_after(now, LIMIT)?;
            let silence = pings.longest_silence(since).as_secs_f64();
            text += &format!(" {name} silent for {silence:.2} s;");
        }
        println!("{text} the group is on {on}");
        Ok(())
    }
}

/// The failures of a resource on a node, as Pacemaker counts them.
fn failures(lab: &Lab, resource: &str, node: &str) -> Result<String> {
    let asked = lab.node(node)?.command("crm_failcount");
    let said = asked.args(["-G", "-r", resource, "-N", node]).stdout()?;
    let value = said.split("value=").nth(1).unwrap_or_default();
    Ok(value
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned())
}

/// Kills a service with all its processes, and waits until the cluster has counted that.
pub(crate) fn kill_service(
    lab: &Lab,
    node: &str,
    resource: &str,
    programs: &[&str],
    count: &str,
) -> Result<()> {
    for program in programs {
        lab.node(node)?.kill(program)?;
    }
    let what = format!("{resource} has failed on {node} {count} times");
    lab.wait_until(LIMIT, &what, || {
        let found = failures(lab, resource, node)?;
        if found == count {
            Ok(())
        } else {
            Err(NotYet::because(found))
        }
    })
}

fn survives(lab: &Lab) -> Result<()> {
    // The three deaths of ARV need not take half a minute.
    let quick = (
        "agent = \"lsb:arv\"",
        "agent = \"lsb:arv\"\nsurveillance = \"1s\"",
    );
    set_up(lab, &settings(&[quick]), &[])?;
    let scene = Scene::start(lab)?;
    traffic_has_the_right_addresses(lab, "maitre", Some("esclave"))?;
    ipsec_is_recovered_on_the_spot(&scene)?;
    power_is_cut(&scene)?;
    the_node_that_comes_back_takes_nothing(&scene)?;
    standby(&scene)?;
    arv_dies_thrice(&scene)
}

/// Through the tunnel addresses stay as they are; what the active node itself says comes from
/// `VIP_src_addr`, what the passive one says from its own.
fn traffic_has_the_right_addresses(lab: &Lab, active: &str, passive: Option<&str>) -> Result<()> {
    let (gateway, amon) = (lab.node("gateway")?, lab.node("amon")?);
    let mut behind = Server::start(&gateway)?;
    let mut far = Server::start(&amon)?;
    assert_eq!(behind.asked_by(&amon, &host_behind())?, AMON_LAN);
    assert_eq!(far.asked_by(&gateway, AMON_LAN)?, host_behind());

    // The whole world is the gateway, and what is near goes the same way.
    for to in [WORLD, "192.168.0.1"] {
        let from = behind.asked_by(&lab.node(active)?, to)?;
        assert_eq!(from, sphynx::VIP_EXTERNE, "{active} to {to}");
        if let Some(passive) = passive {
            let own = lab.node(passive)?.address(Link::Academie)?;
            let from = behind.asked_by(&lab.node(passive)?, to)?;
            assert_eq!(from, own, "{passive} to {to}");
        }
    }
    Ok(())
}

fn ipsec_is_recovered_on_the_spot(scene: &Scene<'_>) -> Result<()> {
    let lab = scene.lab;
    let killed = Instant::now();
    kill_service(lab, "maitre", "ipsec_rsc", &["charon", "starter"], "1")?;
    settle(lab)?;
    cleanup(lab, "ipsec_rsc")?;
    scene.recovers("ipsec killed", killed, "maitre")?;
    assert!(!has_started(lab, "ipsec_rsc", "esclave")?);
    Ok(())
}

fn power_is_cut(scene: &Scene<'_>) -> Result<()> {
    let cut = scene.lab.power_cut("maitre")?;
    scene.recovers("power of maitre cut", cut, "esclave")?;
    traffic_has_the_right_addresses(scene.lab, "esclave", None)
}

/// It prefers the master, but less than it dislikes to move.
fn the_node_that_comes_back_takes_nothing(scene: &Scene<'_>) -> Result<()> {
    let lab = scene.lab;
    let back = Instant::now();
    lab.power_on("maitre")?;
    settle(lab)?;
    scene.recovers("maitre is back", back, "esclave")?;
    assert!(!has_started(lab, "VIP_externe", "maitre")?);
    Ok(())
}

/// Waits until both nodes have found out that the gateway answers: one that has not yet, since it has just
/// come, is worth less than one that has.
fn wait_gateways(lab: &Lab) -> Result<()> {
    for node in ["maitre", "esclave"] {
        lab.wait_until(LIMIT, &format!("{node} knows the gateway"), || {
            let ask = lab.node("maitre")?.command("attrd_updater");
            let said = ask.args(["-Q", "-n", "pingd", "-N", node]).stdout()?;
            if said.contains("value=\"1\"") {
                Ok(())
            } else {
                Err(NotYet::because(said))
            }
        })?;
    }
    settle(lab)
}

fn standby(scene: &Scene<'_>) -> Result<()> {
    let lab = scene.lab;
    let standby = |value: &str| -> Result<()> {
        let command = lab.node("maitre")?.command("crm_standby");
        command.args(["-N", "esclave", "-v", value]).stdout()?;
        settle(lab)
    };
    wait_gateways(lab)?;
    let began = Instant::now();
    standby("on")?;
    let text = lab.node("maitre")?.command("crm_mon").arg("-1").stdout()?;
    assert!(text.contains("Node esclave: standby"), "{text}");
    standby("off")?;
    wait_gateways(lab)?;
    scene.recovers("esclave in standby, and out of it", began, "maitre")
}

/// Twice it is started anew where it was; the third time the group goes to the other node.
fn arv_dies_thrice(scene: &Scene<'_>) -> Result<()> {
    let lab = scene.lab;
    let began = Instant::now();
    for count in ["1", "2", "3"] {
        let serves = |node: &str| -> Result<bool> {
            let status = lab.node(node)?.command("/etc/init.d/arv").arg("status");
            Ok(status.output()?.status.success())
        };
        assert!(serves("maitre")? && !serves("esclave")?);
        kill_service(lab, "maitre", "arv_rsc", &["perl"], count)?;
        settle(lab)?;
    }
    cleanup(lab, "arv_rsc")?;
    scene.recovers("ARV killed thrice", began, "esclave")
}
