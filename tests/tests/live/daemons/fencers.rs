//! The fencer: devices and history.

use std::time::Duration;

use ha_core::Result;
use ha_core::live::pacemaker::executor::{self};
use ha_core::live::pacemaker::fencer::{self, Fence, State};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet};
use serde::{Deserialize, Serialize};

use super::{LIMIT, now, told};

pub(super) fn register(harness: &mut Harness) {
    harness.agent("daemons::ask_fencer", ask_fencer);
    harness.agent("daemons::fence", fence_esclave);
    harness.agent("daemons::confirm", confirm_esclave);
    harness.test(
        "daemons::nodes_are_fenced_and_confirmed",
        own(LabOptions::default(), nodes_are_fenced_and_confirmed),
    );
    harness.test(
        "daemons::fencers_tell_devices_and_history",
        own(LabOptions::default(), fencers_tell_devices_and_history),
    );
}

/// A fence agent for a switch that has no power while a file says so, and that takes its time while
/// another one says so.
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
<actions><action name="off"/><action name="on"/><action name="reboot"/><action name="monitor" timeout="20"/>
<action name="metadata"/></actions></resource-agent>
END
    ;;
monitor | start | stop | list | status) ;;
*)
    while [ -e /run/fence-hangs ]; do sleep 0.2; done
    [ -e /run/no-power ] || { echo "the switch still gives power" >&2; exit 1; } ;;
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

/// Adds the switch, which can cut the power of these hosts, and waits until it is known.
pub(crate) fn add_switch(lab: &Lab, hosts: &str) -> Result<()> {
    for node in lab.nodes() {
        node.write("/usr/sbin/fence_lab", FENCE_AGENT)?;
        node.command("chmod")
            .args(["755", "/usr/sbin/fence_lab"])
            .stdout()?;
    }
    let node = lab.node("maitre")?;
    let device = format!(
        "<primitive id='switch' class='stonith' type='fence_lab'><instance_attributes id='s-a'>\
        <nvpair id='s-h' name='pcmk_host_list' value='{hosts}'/></instance_attributes></primitive>"
    );
    node.command("cibadmin")
        .args(["-C", "-o", "resources", "-X", device.as_str()])
        .stdout()?;
    lab.wait_until(Duration::from_secs(90), "the device is registered", || {
        let text = node.command("stonith_admin").arg("-L").output()?.stdout;
        if text.contains("switch") {
            Ok(())
        } else {
            Err(NotYet::because(text))
        }
    })
}

/// A device that fails and then succeeds, in the fencer's lists and history.
fn fencers_tell_devices_and_history(lab: &Lab) -> Result<()> {
    let since = now()?;
    add_switch(lab, "maitre,esclave")?;
    let node = lab.node("maitre")?;
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

/// Fences a node, with so many seconds for it.
fn fence_esclave(args: (String, u64)) -> Result<std::result::Result<(), String>> {
    let limit = Duration::from_secs(args.1);
    Ok(told(fencer::fence(&args.0, Fence::Off, limit)))
}

fn confirm_esclave((): ()) -> Result<()> {
    fencer::confirm("esclave", LIMIT)?;
    fencer::clear_history(Some("esclave"), LIMIT)
}

fn nodes_are_fenced_and_confirmed(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let fence = |target: &str, seconds: u64| -> Result<std::result::Result<(), String>> {
        node.call("daemons::fence", &(target, seconds))
    };
    let refused = fence("esclave", 60)?.expect_err("there is no device");
    assert!(refused.starts_with("NotFound: fence a node: "), "{refused}");
    add_switch(lab, "maitre,esclave")?;
    let failed = fence("esclave", 60)?.expect_err("the switch still gives power");
    assert!(failed.starts_with("Daemon: fence a node: "), "{failed}");
    lab.power_cut("esclave")?;
    node.write("/run/no-power", "")?;
    // While the device takes its time, nobody else is held up, and the caller has its deadline.
    node.write("/run/fence-hangs", "")?;
    let late = fence("esclave", 3)?.expect_err("the switch takes its time");
    assert!(late.starts_with("Timeout: fence a node: "), "{late}");
    node.command("rm").arg("/run/fence-hangs").stdout()?;
    assert_eq!(fence("esclave", 120)?, Ok(()));
    let history = || {
        let tool = node.command("stonith_admin").args(["-H", "esclave"]);
        tool.stdout()
    };
    let text = history()?;
    assert!(text.contains("off of esclave successful"), "{text}");
    node.call::<()>("daemons::confirm", &())?;
    lab.wait_until(LIMIT, "the history is forgotten", || {
        let text = history()?;
        if text.contains("of esclave") {
            Err(NotYet::because(text))
        } else {
            Ok(())
        }
    })
}
