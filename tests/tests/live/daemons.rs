//! The daemons besides the CIB manager: launcher, attributes, controller, fencer, executor.

use std::time::{Duration, Instant, SystemTime};

use ha_core::live::pacemaker::pacemakerd;
use ha_core::{Error, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("daemons::ping_launcher", ping_launcher);
    harness.shared(
        "daemons::launcher_tells_its_state",
        launcher_tells_its_state,
    );
    harness.test(
        "daemons::a_stopped_or_dead_launcher_is_reported",
        own(
            LabOptions::default(),
            a_stopped_or_dead_launcher_is_reported,
        ),
    );
}

/// The state and the second of the last update; an error as its kind and text.
fn ping_launcher(seconds: u64) -> Result<std::result::Result<(String, Option<i64>), String>> {
    let limit = Duration::from_secs(seconds);
    let asked = Instant::now();
    let answer = match pacemakerd::ping(limit) {
        Ok(status) => Ok((
            status.state.as_str().to_owned(),
            status.last_updated.map(|at| at.as_second()),
        )),
        Err(e) => Err(format!("{:?}: {e:#}", e.kind())),
    };
    assert!(
        asked.elapsed() < limit + Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );
    Ok(answer)
}

fn launcher_tells_its_state(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let before = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|e| Error::invalid(e.to_string()))?
        .as_secs() as i64;
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
