//! Nodes that have left for good: what is left of them is asked of Pacemaker's own tools, on every node.

use std::time::Duration;

use ha_core::{ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet};

use crate::daemons::fencers::add_switch;
use crate::hactl::{cib, done, epoch, install, refused};

pub(crate) fn register(harness: &mut Harness) {
    let three = LabOptions {
        nodes: 3,
        ..LabOptions::default()
    };
    harness.test(
        "departures::cleared_and_removed",
        own(three, cleared_and_removed).limit(Duration::from_secs(600)),
    );
}

const LIMIT: Duration = Duration::from_secs(120);

/// `kept` would be on the third node; what names that node, and what does not.
const CONFIGURATION: &str = "<cib><configuration>\
    <resources><primitive id='kept' class='ocf' provider='pacemaker' type='Dummy'/></resources>\
    <constraints><rsc_location id='kept-there' rsc='kept' node='noeud3' score='50'/>\
    <rsc_location id='kept-else' rsc='kept' node='esclave' score='20'/></constraints>\
    <rsc_defaults><meta_attributes id='d'><nvpair id='d-s' name='resource-stickiness' value='0'/>\
    </meta_attributes></rsc_defaults></configuration></cib>";

/// The nodes that a node's controller knows, as Pacemaker's tool lists them.
fn listed(node: &Node<'_>) -> Result<String> {
    node.command("crm_node").arg("--list").stdout()
}

fn wait_for(
    lab: &Lab,
    what: &str,
    is_so: impl Fn() -> Result<std::result::Result<(), String>>,
) -> Result<()> {
    lab.wait_until(LIMIT, what, || match is_so()? {
        Ok(()) => Ok(()),
        Err(instead) => Err(NotYet::because(instead)),
    })
}

fn cleared_and_removed(lab: &Lab) -> Result<()> {
    const FILE: &str = "/run/departures.xml";
    install(lab)?;
    let (here, there) = (lab.node("maitre")?, lab.node("esclave")?);
    let unsatisfied = i32::from(ErrorKind::Unsatisfied.exit_code());
    let missing = i32::from(ErrorKind::NotFound.exit_code());
    // The switch always fails: a node that vanishes stays unclean, and what it ran stays there.
    add_switch(lab, "noeud3")?;
    done(
        &here,
        &["option", "set", "stonith-enabled", "false", "--wait"],
    )?;
    here.write(FILE, CONFIGURATION)?;
    done(&here, &["apply", FILE, "--wait"])?;
    assert_eq!(crate::hactl::located(&here, "kept")?, ["noeud3"]);
    done(
        &here,
        &[
            "node",
            "set",
            "noeud3",
            "colour",
            "red",
            "--until-reboot",
            "--wait",
        ],
    )?;
    done(
        &here,
        &["option", "set", "stonith-enabled", "true", "--wait"],
    )?;
    // Not while it is in the cluster.
    let before = epoch(&here)?;
    for verb in ["remove", "clear"] {
        let said = refused(&here, &["node", verb, "noeud3"], unsatisfied)?;
        assert!(said.contains("noeud3 is in the cluster now"), "{said}");
        // On trial it is so, too.
        let said = refused(&here, &["--dry-run", "node", verb, "noeud3"], unsatisfied)?;
        assert!(said.contains("noeud3 is in the cluster now"), "{said}");
        refused(&here, &["node", verb, "noeud4"], missing)?;
    }
    assert_eq!(epoch(&here)?, before);
    assert!(listed(&here)?.contains("noeud3 member"));

    lab.power_cut("noeud3")?;
    wait_for(lab, "noeud3 is unclean, and left alone", || {
        let seen = here.command("crm_mon").arg("-1").stdout()?;
        let is_unclean = seen.contains("noeud3: UNCLEAN (offline)");
        Ok(if is_unclean { Ok(()) } else { Err(seen) })
    })?;
    // Somebody has looked: it is off. What it ran may run elsewhere then.
    let plan = done(&here, &["node", "clear", "noeud3", "--dry-run"])?;
    assert!(plan.contains("kept") && plan.contains("esclave"), "{plan}");
    done(&here, &["node", "clear", "noeud3", "--wait"])?;
    assert_eq!(crate::hactl::located(&here, "kept")?, ["esclave"]);
    let seen = here.command("crm_mon").arg("-1").stdout()?;
    assert!(seen.contains("OFFLINE: [ noeud3 ]"), "{seen}");
    let state =
        here.command("cibadmin")
            .args(["--query", "--xpath", "//node_state[@uname='noeud3']"]);
    let state = state.stdout()?;
    assert!(
        !state.contains("lrm") && !state.contains("colour"),
        "{state}"
    );

    // It will not come back.
    assert!(listed(&here)?.contains("noeud3 lost"));
    let plan = done(&there, &["node", "remove", "noeud3", "--dry-run"])?;
    assert!(plan.contains("- node noeud3"), "{plan}");
    done(&there, &["node", "remove", "noeud3", "--wait"])?;
    let left = cib(&here)?.to_xml();
    assert!(
        !left.contains("uname=\"noeud3\"")
            && !left.contains("kept-there")
            && left.contains("kept-else"),
        "{left}"
    );
    for node in [&here, &there] {
        wait_for(lab, "no controller knows noeud3", || {
            let listed = listed(node)?;
            Ok(if listed.contains("noeud3") {
                Err(listed)
            } else {
                Ok(())
            })
        })?;
        for daemon in ["controld", "fenced", "attrd"] {
            wait_for(
                lab,
                &format!("{daemon} of {} has forgotten noeud3", node.name()),
                || {
                    let log = node.read("/var/log/pacemaker/pacemaker.log")?;
                    let of_daemon = |line: &&str| line.contains(&format!("pacemaker-{daemon}"));
                    let purged = |line: &str| line.contains("Purged") && line.contains("noeud3");
                    let has_purged = log.lines().filter(of_daemon).any(purged);
                    Ok(if has_purged {
                        Ok(())
                    } else {
                        Err("it does not say so".to_owned())
                    })
                },
            )?;
        }
    }
    let verified = here.command("crm_verify").arg("--live-check").output()?;
    println!("{}", verified.stderr);
    assert_eq!(crate::hactl::located(&here, "kept")?, ["esclave"]);
    refused(&here, &["node", "remove", "noeud3"], missing)?;

    // Corosync still lists it: started again, it is a node like any other.
    lab.power_on("noeud3")?;
    wait_for(lab, "noeud3 is back", || {
        let listed = listed(&there)?;
        Ok(if listed.contains("noeud3 member") {
            Ok(())
        } else {
            Err(listed)
        })
    })?;
    done(&here, &["settle"])?;
    assert!(cib(&here)?.to_xml().contains("uname=\"noeud3\""));
    Ok(())
}
