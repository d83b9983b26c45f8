//! A tunnel to the pair survives what happens to it: the real strongSwan on both ends.

use std::time::{Duration, Instant};

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::scene::Scene;
use lab::tunnel::{AMON_LAN, host_behind};
use lab::{Lab, LabOptions, Link, NotYet, WORLD, sphynx};

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

/// Waits until the group is on that node and all traffic flows again, and prints how long which did not.
pub(crate) fn recovers(scene: &Scene<'_>, what: &str, since: Instant, on: &str) -> Result<()> {
    let silences = scene.recovers(since, on)?;
    println!("{what}: {silences}; the group is on {on}");
    Ok(())
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
    let scene = Scene::start(lab, LIMIT)?;
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
    let lab = scene.lab();
    let killed = Instant::now();
    kill_service(lab, "maitre", "ipsec_rsc", &["charon", "starter"], "1")?;
    settle(lab)?;
    cleanup(lab, "ipsec_rsc")?;
    recovers(scene, "ipsec killed", killed, "maitre")?;
    assert!(!has_started(lab, "ipsec_rsc", "esclave")?);
    Ok(())
}

fn power_is_cut(scene: &Scene<'_>) -> Result<()> {
    let cut = scene.lab().power_cut("maitre")?;
    recovers(scene, "power of maitre cut", cut, "esclave")?;
    traffic_has_the_right_addresses(scene.lab(), "esclave", None)
}

/// It prefers the master, but less than it dislikes to move.
fn the_node_that_comes_back_takes_nothing(scene: &Scene<'_>) -> Result<()> {
    let lab = scene.lab();
    let back = Instant::now();
    lab.power_on("maitre")?;
    settle(lab)?;
    recovers(scene, "maitre is back", back, "esclave")?;
    assert!(!has_started(lab, "VIP_externe", "maitre")?);
    Ok(())
}

fn standby(scene: &Scene<'_>) -> Result<()> {
    let lab = scene.lab();
    let standby = |value: &str| -> Result<()> {
        let command = lab.node("maitre")?.command("crm_standby");
        command.args(["-N", "esclave", "-v", value]).stdout()?;
        settle(lab)
    };
    lab.wait_gateways(&["maitre", "esclave"], LIMIT)?;
    settle(lab)?;
    let began = Instant::now();
    standby("on")?;
    let text = lab.node("maitre")?.command("crm_mon").arg("-1").stdout()?;
    assert!(text.contains("Node esclave: standby"), "{text}");
    standby("off")?;
    lab.wait_gateways(&["maitre", "esclave"], LIMIT)?;
    settle(lab)?;
    recovers(scene, "esclave in standby, and out of it", began, "maitre")
}

/// Twice it is started anew where it was; the third time the group goes to the other node.
fn arv_dies_thrice(scene: &Scene<'_>) -> Result<()> {
    let lab = scene.lab();
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
    recovers(scene, "ARV killed thrice", began, "esclave")
}
