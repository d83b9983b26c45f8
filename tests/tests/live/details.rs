//! The smaller operations of `hactl`: values, roles, fail counts, health, tickets, what has expired.

use std::time::Duration;

use ha_core::{Error, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet};
use serde_json::Value;

use crate::hactl::{cib, done, install, located, refused};

pub(crate) fn register(harness: &mut Harness) {
    let limit = Duration::from_secs(900);
    let lab = LabOptions::default;
    harness.test("details::resources", own(lab(), resources).limit(limit));
    harness.test(
        "details::nodes_and_tickets",
        own(lab(), nodes_and_tickets).limit(limit),
    );
}

const LIMIT: Duration = Duration::from_secs(120);
const MISSING: i32 = 105;

/// A resource that may fail, and a promotable one.
const CONFIGURATION: &str = "<cib><configuration>\
    <crm_config><cluster_property_set id='o'><nvpair id='o-s' name='stonith-enabled' value='false'/>\
    </cluster_property_set></crm_config><resources>\
    <primitive id='one' class='ocf' provider='pacemaker' type='Dummy'/>\
    <clone id='data_clone'><meta_attributes id='data-m'>\
    <nvpair id='data-m-p' name='promotable' value='true'/></meta_attributes>\
    <primitive id='data' class='ocf' provider='pacemaker' type='Stateful'/></clone>\
    </resources></configuration></cib>";

fn configure(lab: &Lab) -> Result<()> {
    install(lab)?;
    let node = lab.node("maitre")?;
    node.write("/run/details.xml", CONFIGURATION)?;
    done(&node, &["apply", "/run/details.xml", "--wait"]).map(drop)
}

/// What one of Pacemaker's tools says.
fn said(node: &Node<'_>, words: &[&str]) -> Result<String> {
    let output = node
        .command(words[0])
        .args(words[1..].iter().copied())
        .output()?;
    Ok(output.stdout.trim().to_owned())
}

fn resources(lab: &Lab) -> Result<()> {
    configure(lab)?;
    let node = lab.node("maitre")?;
    // Values of each kind, and a place.
    for (kind, option, name, value) in [
        (None, None, "fake", "something"),
        (Some("--meta"), Some("--meta"), "migration-threshold", "5"),
        (Some("--utilization"), Some("--utilization"), "memory", "64"),
    ] {
        let with = |verb: &'static str, rest: &[&'static str]| {
            let mut words = vec!["resource", verb, "one", name];
            words.extend(rest);
            words.extend(kind);
            words
        };
        refused(&node, &with("get", &[]), MISSING)?;
        done(&node, &with("set", &[value]))?;
        assert_eq!(done(&node, &with("get", &[]))?, format!("{value}\n"));
        let mut tool = vec!["crm_resource", "--resource", "one", "--get-parameter", name];
        tool.extend(option);
        assert_eq!(said(&node, &tool)?, value);
        done(&node, &with("unset", &["--wait"]))?;
        refused(&node, &with("get", &[]), MISSING)?;
    }
    let at = located(&node, "one")?;
    assert_eq!(done(&node, &["resource", "locate", "one"])?.trim(), at[0]);
    // Roles.
    let promoted = || {
        let text = said(&node, &["crm_mon", "-1"])?;
        Ok::<_, Error>(text.lines().any(|line| {
            line.contains("Promoted: [") && !line.contains("Unpromoted: [")
                || line.contains("Masters: [")
        }))
    };
    assert!(promoted()?);
    done(&node, &["resource", "demote", "data_clone", "--wait"])?;
    assert!(!promoted()?);
    done(&node, &["resource", "promote", "data_clone", "--wait"])?;
    assert!(promoted()?);
    // Failures are counted, told and forgotten.
    let counted = |at: &str| said(&node, &["crm_failcount", "--query", "-r", "one", "-N", at]);
    assert_eq!(
        done(&node, &["resource", "failcount", "get", "one"])?,
        "it has not failed\n"
    );
    for _ in 0..2 {
        let at = located(&node, "one")?.remove(0);
        said(
            &node,
            &["crm_resource", "--fail", "--resource", "one", "--node", &at],
        )?;
        done(&node, &["settle"])?;
    }
    let at = located(&node, "one")?.remove(0);
    // How much one failure counts is Pacemaker's own affair.
    let counted_at = counted(&at)?;
    let count = counted_at.split("value=").nth(1).unwrap_or_default();
    assert!(count.parse::<u64>().unwrap() >= 2, "{counted_at}");
    let told = done(&node, &["resource", "failcount", "get", "one"])?;
    assert_eq!(told, format!("one on {at}: {count}\n"));
    let told = done(
        &node,
        &[
            "--json",
            "resource",
            "failcount",
            "get",
            "one",
            "--node",
            &at,
        ],
    )?;
    let told: Value = serde_json::from_str(&told).map_err(|e| Error::invalid(e.to_string()))?;
    assert_eq!(told[0]["count"].to_string(), count);
    refused(&node, &["resource", "failcount", "get", "two"], MISSING)?;
    let dry = done(
        &node,
        &["--dry-run", "resource", "failcount", "delete", "one"],
    )?;
    assert!(dry.contains("fail-count-one"), "{dry}");
    assert_eq!(counted(&at)?, counted_at);
    done(
        &node,
        &["resource", "failcount", "delete", "one", "--node", &at],
    )?;
    assert!(counted(&at)?.contains("value=0"), "{}", counted(&at)?);
    // What is over goes, what is not stays.
    done(&node, &["resource", "ban", "one", "maitre", "--for", "1s"])?;
    done(
        &node,
        &["resource", "ban", "data_clone", "esclave", "--for", "1h"],
    )?;
    lab.wait_until(LIMIT, "the ban of a second is over", || {
        done(&node, &["resource", "clear", "--expired"])?;
        let left = cib(&node)?.to_xml();
        assert!(left.contains("cli-ban-data_clone-on-esclave"), "{left}");
        if left.contains("cli-ban-one-on-maitre") {
            Err(NotYet::because(left))
        } else {
            Ok(())
        }
    })?;
    done(&node, &["resource", "clear", "data_clone", "--wait"])?;
    assert!(!cib(&node)?.to_xml().contains("cli-ban-"));
    Ok(())
}

fn nodes_and_tickets(lab: &Lab) -> Result<()> {
    configure(lab)?;
    let node = lab.node("maitre")?;
    // Health: told, and acted on when the strategy says so.
    done(
        &node,
        &[
            "option",
            "set",
            "node-health-strategy",
            "migrate-on-red",
            "--wait",
        ],
    )?;
    assert_eq!(done(&node, &["node", "health", "esclave"])?, "green\n");
    done(
        &node,
        &[
            "node",
            "set",
            "esclave",
            "#health-disk",
            "red",
            "--until-reboot",
            "--wait",
        ],
    )?;
    assert_eq!(
        done(&node, &["node", "health", "esclave"])?,
        "red\n  #health-disk red\n"
    );
    let tool = said(
        &node,
        &[
            "crm_attribute",
            "-N",
            "esclave",
            "-n",
            "#health-disk",
            "-l",
            "reboot",
            "-G",
            "-q",
        ],
    )?;
    assert_eq!(tool, "red");
    assert_eq!(located(&node, "data_clone")?, ["maitre"]);
    done(
        &node,
        &[
            "node",
            "unset",
            "esclave",
            "#health-disk",
            "--until-reboot",
            "--wait",
        ],
    )?;
    assert_eq!(done(&node, &["node", "health", "esclave"])?, "green\n");
    assert_eq!(located(&node, "data_clone")?.len(), 2);
    refused(&node, &["node", "health", "esclav"], MISSING)?;
    // Attributes, for good and until a reboot.
    for rest in [&[][..], &["--until-reboot"]] {
        let with = |words: &[&'static str]| [&["node"], words, rest].concat();
        done(&node, &with(&["set", "maitre", "site", "annexe"]))?;
        assert_eq!(done(&node, &["node", "get", "maitre", "site"])?, "annexe\n");
        let lifetime = if rest.is_empty() { "forever" } else { "reboot" };
        let tool = [
            "crm_attribute",
            "-N",
            "maitre",
            "-n",
            "site",
            "-l",
            lifetime,
            "-G",
            "-q",
        ];
        assert_eq!(said(&node, &tool)?, "annexe");
        done(&node, &with(&["unset", "maitre", "site"]))?;
        refused(&node, &["node", "get", "maitre", "site"], MISSING)?;
    }
    // Tickets and their attributes.
    done(&node, &["ticket", "grant", "courrier", "--wait"])?;
    done(&node, &["ticket", "set", "courrier", "since", "lundi"])?;
    assert_eq!(
        done(&node, &["ticket", "get", "courrier", "since"])?,
        "lundi\n"
    );
    let tool = said(&node, &["crm_ticket", "-t", "courrier", "--query-xml"])?;
    assert!(tool.contains("since=\"lundi\""), "{tool}");
    done(&node, &["ticket", "unset", "courrier", "since"])?;
    refused(&node, &["ticket", "get", "courrier", "since"], MISSING)?;
    done(&node, &["ticket", "forget", "courrier"])?;
    assert!(!said(&node, &["crm_ticket", "--info"])?.contains("courrier"));
    Ok(())
}
