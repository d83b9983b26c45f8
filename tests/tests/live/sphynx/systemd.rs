//! The pair on nodes whose PID 1 is systemd, its services of the class `systemd`.

use std::time::Instant;

use ha_core::{ErrorKind, Result};
use lab::harness::{Harness, plain};
use lab::scene::Scene;
use lab::{Lab, LabOptions};

use super::LIMIT;
use super::set_up::{set_up, settings};
use super::tunnel::{kill_service, recovers};

pub(crate) fn register(harness: &mut Harness) {
    harness.test("sphynx::systemd::fails_over", plain(systemd).labs(1));
}

/// Not every machine that runs this can give a node a control group: a container often cannot.
fn systemd() -> Result<()> {
    let lab = Lab::start(&LabOptions {
        systemd: true,
        tunnel: true,
        start_cluster: false,
        ..LabOptions::default()
    });
    match lab {
        Ok(lab) => fails_over(&lab),
        Err(e) if e.kind() == ErrorKind::Unsupported => {
            println!("nodes with systemd are NOT TESTED on this machine: {e:#}");
            Ok(())
        }
        Err(e) => Err(e),
    }
}

fn fails_over(lab: &Lab) -> Result<()> {
    // From machines on which nothing is switched on yet to those that come back by themselves.
    let units = settings(&[
        (
            "agent = \"lsb:ipsec\"",
            "agent = \"systemd:strongswan-starter\"",
        ),
        ("agent = \"lsb:arv\"", "agent = \"systemd:arv\""),
    ]);
    set_up(lab, &units, &["--start"])?;
    let node = lab.node("maitre")?;
    assert_eq!(
        node.command("cat").arg("/proc/1/comm").stdout()?,
        "systemd\n"
    );
    let failed = node.command("systemctl").args(["--failed", "--no-legend"]);
    assert_eq!(failed.stdout()?, "");
    let text = node.command("crm_mon").arg("-1").stdout()?;
    for agent in ["systemd:strongswan-starter", "systemd:arv"] {
        assert!(text.contains(agent), "{text}");
    }
    let active = |node: &str| -> Result<Vec<String>> {
        let ask = lab.node(node)?.command("systemctl");
        let said = ask
            .args(["is-active", "strongswan-starter", "arv"])
            .output()?;
        Ok(said.stdout.lines().map(str::to_owned).collect())
    };
    assert_eq!(active("maitre")?, ["active", "active"]);
    assert_eq!(active("esclave")?, ["inactive", "inactive"]);

    let scene = Scene::start(lab, LIMIT)?;
    let killed = Instant::now();
    // The unit says that systemd restarts it; in the cluster's hands it does not.
    kill_service(lab, "maitre", "ipsec_rsc", &["charon", "starter"], "1")?;
    super::cleanup(lab, "ipsec_rsc")?;
    recovers(&scene, "systemd: ipsec killed", killed, "maitre")?;
    let cut = lab.power_cut("maitre")?;
    recovers(&scene, "systemd: power of maitre cut", cut, "esclave")?;
    assert_eq!(active("esclave")?, ["active", "active"]);
    lab.power_on("maitre")?;
    lab.wait_online(LIMIT)?;
    lab.wait_sphynx("esclave", LIMIT)
}
