//! The controller.

use std::time::Duration;

use ha_core::Result;
use ha_core::live::pacemaker::attrd::{self};
use ha_core::live::pacemaker::controld::{self, Resource};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet};
use serde::{Deserialize, Serialize};

use super::{LIMIT, told};

pub(super) fn register(harness: &mut Harness) {
    harness.agent("daemons::controller", controller);
    harness.agent("daemons::refresh", refresh);
    harness.agent("daemons::fail", fail);
    harness.test(
        "daemons::controllers_answer_and_act",
        own(LabOptions::default(), controllers_answer_and_act),
    );
}

#[derive(Debug, Serialize, Deserialize)]
struct Controllers {
    dc: (String, String, bool),
    esclave: String,
    nobody: String,
    fail_on_nobody: String,
    nodes: Vec<(u32, Option<String>, bool)>,
    here: (u32, Option<String>, bool, bool),
    unknown: [String; 3],
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
        unknown: [77, 0, u32::MAX].map(|id| {
            told(controld::node_info(Some(id), LIMIT)).expect_err("there is no such node")
        }),
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
    let not_found = |text: &String| text.starts_with("NotFound: ");
    assert!(seen.unknown.iter().all(not_found), "{seen:?}");

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
