//! Configurations beside this machine's agents: what these say, and what a cluster makes of what was
//! completed with it.

use std::time::Duration;

use ha_core::Result;
use ha_core::change::validate::{Problem, Severity, complete, validate};
use ha_core::config::Config;
use ha_core::live::cluster::{Cluster, ConnectOptions, InstalledAgents};
use ha_core::xml::Document;
use lab::Lab;
use lab::LabOptions;
use lab::harness::{Harness, own};
use serde::{Deserialize, Serialize};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("validate::look", look);
    harness.test(
        "validate::installed_agents",
        own(LabOptions::default(), installed_agents),
    );
}

const LIMIT: Duration = Duration::from_secs(120);

/// A configuration without a single operation.
const DESIRED: &str = "<cib><configuration>\
    <crm_config><cluster_property_set id='o'><nvpair id='o-s' name='stonith-enabled' value='false'/>\
    </cluster_property_set></crm_config>\
    <resources>\
    <primitive id='dummy' class='ocf' provider='pacemaker' type='Dummy'/>\
    <primitive id='vip' class='ocf' provider='heartbeat' type='IPaddr2'>\
    <meta_attributes id='vip-m'><nvpair id='vip-m-1' name='target-role' value='Stopped'/></meta_attributes>\
    <instance_attributes id='vip-p'><nvpair id='vip-ip' name='ip' value='10.255.255.1'/>\
    </instance_attributes></primitive>\
    <clone id='gw_clone'><primitive id='gw' class='ocf' provider='pacemaker' type='ping'>\
    <instance_attributes id='gw-p'><nvpair id='gw-h' name='host_list' value='127.0.0.1'/>\
    <nvpair id='gw-d' name='dampen' value='1s'/></instance_attributes></primitive></clone>\
    <clone id='roles'><meta_attributes id='roles-m'><nvpair id='roles-1' name='promotable' value='true'/>\
    </meta_attributes><primitive id='role' class='ocf' provider='pacemaker' type='Stateful'/></clone>\
    </resources>\
    <constraints><rsc_location id='near' rsc='dummy'><rule id='near-r' score='-INFINITY' boolean-op='or'>\
    <expression id='near-1' attribute='pingd' operation='lt' value='1' type='number'/>\
    <expression id='near-2' attribute='pingd' operation='not_defined'/></rule></rsc_location></constraints>\
    </configuration></cib>";

#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    /// What is told of the configuration before it is completed, and after.
    before: Vec<String>,
    completed: Vec<String>,
    /// The configuration in the cluster, after it was applied.
    operations: Vec<String>,
    /// Whether applying it once more would change something.
    again: String,
    /// What is told of each change that is a mistake.
    mistakes: Vec<Vec<String>>,
}

fn look((): ()) -> Result<Seen> {
    let mut options = ConnectOptions::default();
    options.timeout = LIMIT;
    let cluster = Cluster::connect(&options)?;
    let mut agents = InstalledAgents::default();
    let mut desired = Document::parse(DESIRED)?;
    let mut told = |cib: &Document| -> Vec<String> {
        let mut describe = |agent: &_| agents.describe(agent);
        let faults = validate(cib, Some(&mut describe));
        faults.iter().map(ToString::to_string).collect()
    };
    let before = told(&desired);
    let mut agents = InstalledAgents::default();
    complete(&mut desired, &mut |agent| agents.describe(agent))?;
    let config = Config::read(&desired)?;
    cluster.apply(&config)?.wait(LIMIT)?;
    let cib = cluster.cib().query()?;
    let operations = cib.root().child("configuration").into_iter();
    let operations = operations
        .flat_map(ha_core::xml::Element::descendants)
        .filter(|e| e.name() == "op")
        .map(ha_core::xml::Element::to_xml_compact)
        .collect();
    // Beside the real cluster: its schema, its nodes.
    let faults = validate(&cib, Some(&mut |agent| agents.describe(agent)));
    let completed = faults.iter().map(ToString::to_string).collect();
    let mut mistakes = Vec::new();
    for (from, to) in [
        ("type='Dummy'", "type='Dumy'"),
        ("name='ip'", "name='ipp'"),
        ("name='dampen' value='1s'", "name='attempts' value='often'"),
        ("type='Stateful'", "type='ping'"),
    ] {
        let config = Config::read(&Document::parse(&DESIRED.replace(from, to))?)?;
        let plan = cluster.apply(&config)?.plan()?;
        let faults = cluster.validate(&plan);
        mistakes.push(
            faults
                .iter()
                .filter(|fault| {
                    let operations = matches!(
                        fault.problem,
                        Problem::ShortTimeout { .. } | Problem::NoMonitor
                    );
                    fault.severity < Severity::Notice && !operations
                })
                .map(ToString::to_string)
                .collect(),
        );
    }
    Ok(Seen {
        before,
        completed,
        operations,
        again: cluster.apply(&config)?.plan()?.to_string(),
        mistakes,
    })
}

fn installed_agents(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let seen: Seen = node.call("validate::look", &())?;
    let unwatched = seen.before.iter().filter(|line| line.contains("monitor"));
    assert_eq!(unwatched.count(), 4, "{:#?}", seen.before);
    // ping's start may take longer than Pacemaker's default.
    let slow = |line: &String| line.starts_with("warning: primitive gw: start has no time-out");
    assert!(seen.before.iter().any(slow), "{:#?}", seen.before);
    assert_eq!(seen.completed, Vec::<String>::new());
    assert_eq!(seen.again, "");
    for part in [
        r#"id="dummy-monitor-10s" name="monitor" interval="10s" timeout="20s""#,
        r#"id="vip-start-0s" name="start" interval="0s" timeout="20s""#,
        r#"id="gw-start-0s" name="start" interval="0s" timeout="60s""#,
        r#"id="role-monitor-11s" name="monitor" interval="11s" timeout="20s" role="Slave""#,
        r#"id="role-promote-0s""#,
    ] {
        let operations = &seen.operations;
        assert!(
            operations.iter().any(|o| o.contains(part)),
            "{part}: {operations:#?}"
        );
    }
    let starts = |lines: &[String], wanted: &[&str]| {
        let all = lines.len() == wanted.len()
            && wanted
                .iter()
                .all(|w| lines.iter().any(|l| l.starts_with(w)));
        assert!(all, "{lines:#?}\nwanted: {wanted:#?}");
    };
    starts(
        &seen.mistakes[0],
        &["error: primitive dummy: the agent ocf:pacemaker:Dumy is not installed on this node"],
    );
    starts(
        &seen.mistakes[1],
        &[
            "error: primitive vip: the parameter ip is missing",
            "warning: primitive vip, parameter ipp: ocf:heartbeat:IPaddr2 has no parameter ipp (did you mean ip?)",
        ],
    );
    starts(
        &seen.mistakes[2],
        &[
            "warning: primitive gw, parameter attempts: attempts is 'often', and should be a whole number",
        ],
    );
    starts(
        &seen.mistakes[3],
        &[
            "error: clone roles: it is promotable, but ocf:pacemaker:ping cannot be promoted",
            "error: primitive role: the parameter host_list is missing",
        ],
    );
    // Pacemaker's own check has nothing to say either.
    let verified = node.command("crm_verify").arg("--live-check").output()?;
    let complaint = verified.stderr;
    assert!(
        verified.status.success() && complaint.is_empty(),
        "{complaint}"
    );
    Ok(())
}
