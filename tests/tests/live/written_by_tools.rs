//! Configurations that crmsh and pcs wrote, in a running cluster: read and applied again, they change nothing.

use std::time::Duration;

use ha_core::Result;
use ha_core::config::Config;
use ha_core::live::cluster::{Cluster, ConnectOptions};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node};
use serde::{Deserialize, Serialize};

use crate::hactl::{cib, done, epoch, install};

const BY: [(&str, &str); 2] = [
    (
        "crmsh",
        include_str!("../../../ha-core/tests/data/config/by_crmsh.xml"),
    ),
    (
        "pcs",
        include_str!("../../../ha-core/tests/data/config/by_pcs.xml"),
    ),
];

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("written_by_tools::apply_again", apply_again);
    let limit = Duration::from_secs(900);
    harness.test(
        "written_by_tools::change_nothing",
        own(LabOptions::default(), change_nothing).limit(limit),
    );
}

/// What came of applying again what was read.
#[derive(Debug, Serialize, Deserialize)]
struct Again {
    unreadable: usize,
    resources: usize,
    changed: String,
}

fn apply_again((): ()) -> Result<Again> {
    let cluster = Cluster::connect(&ConnectOptions::default())?;
    let config = Config::read(&cluster.cib().query()?)?;
    let plan = cluster.apply(&config)?.send()?;
    Ok(Again {
        unreadable: config.unreadable().len(),
        resources: config.resources.len(),
        changed: plan.to_string(),
    })
}

fn change_nothing(lab: &Lab) -> Result<()> {
    install(lab)?;
    let node = lab.node("maitre")?;
    for (tool, text) in BY {
        load(&node, text)?;
        // What the daemons write by themselves is written.
        done(&node, &["settle"])?;
        let before = (epoch(&node)?, configuration(&node)?);
        let again: Again = node.call("written_by_tools::apply_again", &())?;
        println!("{tool}: {again:?}");
        assert_eq!(
            (again.unreadable, again.changed.as_str()),
            (0, ""),
            "{tool}"
        );
        assert!(again.resources > 2, "{tool}: {again:?}");
        assert_eq!((epoch(&node)?, configuration(&node)?), before, "{tool}");
        // As a file, too.
        node.write("/run/exported.toml", done(&node, &["export"])?)?;
        let told = done(
            &node,
            &["apply", "/run/exported.toml", "--as-is", "--force"],
        )?;
        assert!(told.starts_with("nothing to change"), "{tool}: {told}");
        assert_eq!((epoch(&node)?, configuration(&node)?), before, "{tool}");
        // That is not because nothing can be changed.
        let told = done(&node, &["option", "set", "cluster-delay", "61s"])?;
        assert!(told.contains("cluster-delay: 61s"), "{tool}: {told}");
        assert_eq!(epoch(&node)?, before.0 + 1, "{tool}");
        let verified = node.command("crm_verify").arg("--live-check").output()?;
        assert!(verified.status.success(), "{tool}: {}", verified.stderr);
        assert_eq!(verified.stderr, "", "{tool}");
    }
    Ok(())
}

/// Puts a configuration in place of the one that is there, by Pacemaker's own tool.
fn load(node: &Node<'_>, text: &str) -> Result<()> {
    node.write("/run/written.xml", text)?;
    let replace = node.command("cibadmin");
    let words = ["--replace", "--scope", "configuration", "--xml-file"];
    replace.args(words).arg("/run/written.xml").stdout()?;
    Ok(())
}

fn configuration(node: &Node<'_>) -> Result<String> {
    let cib = cib(node)?;
    let configuration = cib.root().child("configuration");
    Ok(configuration
        .map(ha_core::xml::Element::to_xml)
        .unwrap_or_default())
}
