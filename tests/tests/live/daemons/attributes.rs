//! Node attributes.

use std::time::{Duration, Instant};

use ha_core::Result;
use ha_core::live::pacemaker::attrd::{self, Scope};
use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
use ha_core::live::pacemaker::watch::Watch;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet, agent, wait_until};
use serde::{Deserialize, Serialize};

use super::{LIMIT, SLACK, told};
use crate::respawn::wait_respawned;

pub(super) fn register(harness: &mut Harness) {
    harness.agent("daemons::attribute", attribute);
    harness.shared(
        "daemons::attributes_reach_the_cib",
        attributes_reach_the_cib,
    );
    harness.agent("daemons::set_again", set_again);
    harness.test(
        "daemons::a_killed_attribute_manager_is_found_again",
        own(LabOptions::default(), killed_attribute_manager),
    );
}

#[derive(Serialize, Deserialize)]
enum Attribute {
    Set {
        node: Option<String>,
        value: String,
    },
    Delete {
        node: String,
    },
    Query {
        node: Option<String>,
    },
    /// Sets it on the local node, waits until the CIB has it, deletes it and waits again; then for a
    /// value that never comes.
    Confirm {
        node: String,
    },
}

type Values = std::result::Result<Vec<(String, Option<String>)>, String>;

fn attribute((name, action): (String, Attribute)) -> Result<Values> {
    Ok(match action {
        Attribute::Set { node, value } => {
            let scope = Scope {
                node,
                ..Scope::default()
            };
            told(attrd::set(&name, &value, &scope, LIMIT)).map(|()| Vec::new())
        }
        Attribute::Delete { node } => {
            told(attrd::delete(&name, &Scope::on(&node), LIMIT)).map(|()| Vec::new())
        }
        Attribute::Confirm { node } => {
            let mut watch = Watch::open(&Cib::connect(&ConnectOptions::default())?)?;
            let scope = Scope::default();
            attrd::set(&name, "42", &scope, LIMIT)?;
            attrd::confirm(&mut watch, &node, &name, Some("42"), LIMIT)?;
            attrd::delete(&name, &scope, LIMIT)?;
            attrd::confirm(&mut watch, &node, &name, None, LIMIT)?;
            let never = Duration::from_millis(300);
            told(attrd::confirm(&mut watch, &node, &name, Some("43"), never)).map(|()| Vec::new())
        }
        Attribute::Query { node } => told(attrd::query(&name, node.as_deref(), LIMIT)).map(|all| {
            let mut all: Vec<_> = all.into_iter().map(|one| (one.node, one.value)).collect();
            all.sort();
            all
        }),
    })
}

/// Set for the local node and for the peer, seen by Pacemaker's own tool and in the CIB of the other
/// node, changed, and deleted again.
fn attributes_reach_the_cib(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let name = "essai-1";
    let act = |action: Attribute| node.call::<Values>("daemons::attribute", &(name, action));
    let in_cib = |expected: &[&str]| {
        lab.wait_until(LIMIT, "the CIB has the attribute", || {
            let xpath = format!("//transient_attributes//nvpair[@name='{name}']");
            let output = lab
                .node("esclave")?
                .command("cibadmin")
                .args(["-Ql", "-A", &xpath])
                .output()?;
            let mut values: Vec<String> = output
                .stdout
                .split("value=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next().map(str::to_owned))
                .collect();
            values.sort();
            if values == expected {
                Ok(())
            } else {
                Err(NotYet::because(format!("{values:?} in {}", output.stdout)))
            }
        })
    };
    let never = act(Attribute::Confirm {
        node: "maitre".to_owned(),
    })?
    .expect_err("nobody set 43");
    assert!(
        never.starts_with("Timeout: confirm a node attribute: "),
        "{never}"
    );

    let absent: Values = node.call(
        "daemons::attribute",
        &("essai-2", Attribute::Query { node: None }),
    )?;
    let absent = absent.expect_err("nobody ever set it");
    assert!(absent.starts_with("NotFound: "), "{absent}");

    for (node, value) in [(None, "un <&> é"), (Some("esclave"), "deux")] {
        let node = node.map(str::to_owned);
        assert_eq!(
            act(Attribute::Set {
                node,
                value: value.to_owned()
            })?,
            Ok(Vec::new())
        );
    }
    in_cib(&["deux", "un &lt;&amp;&gt; é"])?;
    // Pacemaker 2 would cut this one: it is refused before it does harm. Later ones keep it whole.
    let value = "\u{e9} <".to_owned();
    match act(Attribute::Set { node: None, value })? {
        Err(refused) => assert!(refused.starts_with("Unsupported: "), "{refused}"),
        Ok(_) => {
            in_cib(&["deux", "\u{e9} &lt;"])?;
            let value = "un <&> é".to_owned();
            assert_eq!(act(Attribute::Set { node: None, value })?, Ok(Vec::new()));
            in_cib(&["deux", "un &lt;&amp;&gt; é"])?;
        }
    }
    let both = vec![
        ("esclave".to_owned(), Some("deux".to_owned())),
        ("maitre".to_owned(), Some("un <&> é".to_owned())),
    ];
    assert_eq!(act(Attribute::Query { node: None })?, Ok(both.clone()));
    let one = Attribute::Query {
        node: Some("esclave".to_owned()),
    };
    assert_eq!(act(one)?, Ok(vec![both[0].clone()]));
    let tool = node
        .command("attrd_updater")
        .args(["-Q", "-n", name, "-N", "esclave"])
        .stdout()?;
    assert!(tool.contains("value=\"deux\""), "{tool}");

    let node = Some("esclave".to_owned());
    assert_eq!(
        act(Attribute::Set {
            node,
            value: "trois".to_owned()
        })?,
        Ok(Vec::new())
    );
    in_cib(&["trois", "un &lt;&amp;&gt; é"])?;
    for node in ["maitre", "esclave"] {
        assert_eq!(
            act(Attribute::Delete {
                node: node.to_owned()
            })?,
            Ok(Vec::new())
        );
    }
    in_cib(&[])
}

/// Sets an attribute each time it is told a value, until that succeeds; returns the errors on the way.
fn set_again(name: String) -> Result<Vec<String>> {
    let mut errors = Vec::new();
    while let Some(value) = agent::listen::<String>()? {
        wait_until(LIMIT, "the attribute is set", || {
            let asked = Instant::now();
            let set = attrd::set(&name, &value, &Scope::default(), LIMIT);
            let took = asked.elapsed();
            assert!(took < LIMIT + SLACK, "{took:?}");
            set.map_err(|e| {
                assert!(e.is_retryable(), "{e:#}");
                errors.push(format!("{:?}: {e:#}", e.kind()));
                NotYet::from(e)
            })
        })?;
        agent::say(&value)?;
    }
    Ok(errors)
}

/// Between two calls of one process, and right before one.
fn killed_attribute_manager(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let mut agent = node.start_agent("daemons::set_again", &"again")?;
    let another_runs = || {
        wait_respawned(lab, &node, "another attrd runs", || {
            if node.processes("pacemaker-attrd")?.is_empty() {
                return Err(NotYet::because("none does"));
            }
            Ok(())
        })
    };
    for value in ["1", "2", "3"] {
        if value != "1" {
            node.kill("pacemaker-attrd")?;
        }
        // The last one finds a new daemon, the one before it none, or one that starts.
        if value == "3" {
            another_runs()?;
        }
        agent.tell(&value)?;
        another_runs()?;
        assert_eq!(agent.heard::<String>()?.as_deref(), Some(value));
    }
    lab.wait_until(LIMIT, "the last value is known", || {
        let tool = ["-Q", "-n", "again", "-N", "maitre"];
        let said = node.command("attrd_updater").args(tool).stdout()?;
        if said.contains("value=\"3\"") {
            Ok(())
        } else {
            Err(NotYet::because(said))
        }
    })?;
    agent.hush();
    let errors: Vec<String> = agent.result()?;
    for e in &errors {
        assert!(
            e.starts_with("Disconnected: ") || e.starts_with("Timeout: "),
            "{errors:?}"
        );
    }
    Ok(())
}
