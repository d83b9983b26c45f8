//! Operations on resources, nodes and the cluster: each is done by the library, and what has become of it
//! is asked of Pacemaker's own tools.

use std::time::Duration;

use ha_core::Result;
use ha_core::change::edit::constraint::Reach;
use ha_core::change::edit::option::Defaults;
use ha_core::change::edit::resource::Values;
use ha_core::live::cluster::{Cluster, ConnectOptions, Lifetime, Moved, Operation};
use ha_core::name::Id;
use ha_core::xml::Document;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, agent};
use serde::{Deserialize, Serialize};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("operations::perform", perform);
    harness.agent("operations::move_and_wait", move_and_wait);
    let lab = LabOptions::default;
    harness.test("operations::resources", own(lab(), resources));
    harness.test("operations::moves", own(lab(), moves));
    harness.test("operations::nodes", own(lab(), nodes));
    harness.test("operations::cluster", own(lab(), the_cluster));
    harness.test("operations::killed_mover", own(lab(), killed_mover));
}

const LIMIT: Duration = Duration::from_secs(180);

/// A group, a resource with a preference, a clone, and one that starts slowly.
const CONFIGURATION: &str = "<cib><configuration>\
    <crm_config><cluster_property_set id='o'><nvpair id='o-s' name='stonith-enabled' value='false'/>\
    </cluster_property_set></crm_config>\
    <resources>\
    <group id='sphynx'>\
    <primitive id='VIP' class='ocf' provider='pacemaker' type='Dummy'/>\
    <primitive id='ipsec' class='ocf' provider='pacemaker' type='Dummy'/></group>\
    <primitive id='free' class='ocf' provider='pacemaker' type='Dummy'/>\
    <clone id='ping_clone'><primitive id='ping' class='ocf' provider='pacemaker' type='Dummy'/></clone>\
    <primitive id='stubborn' class='ocf' provider='pacemaker' type='Dummy'/>\
    </resources>\
    <constraints>\
    <rsc_location id='stubborn_here' rsc='stubborn' node='maitre' score='INFINITY'/>\
    <rsc_location id='stubborn_only' rsc='stubborn' node='esclave' score='-INFINITY'/>\
    <rsc_location id='sphynx_here' rsc='sphynx' node='maitre' score='10'/>\
    </constraints>\
    <rsc_defaults><meta_attributes id='d'><nvpair id='d-s' name='resource-stickiness' value='100'/>\
    </meta_attributes></rsc_defaults>\
    </configuration></cib>";

/// An order to the library, in words.
#[derive(Serialize, Deserialize)]
struct Order {
    words: Vec<String>,
}

/// What has come of it: what the scheduler said beforehand, and the end, `ok` or an error.
#[derive(Serialize, Deserialize, Debug)]
struct Outcome {
    what_if: Vec<String>,
    changed: String,
    end: String,
}

fn connect() -> Result<Cluster> {
    let mut options = ConnectOptions::default();
    options.timeout = LIMIT;
    Cluster::connect(&options)
}

fn perform(order: Order) -> Result<Outcome> {
    let cluster = connect()?;
    let words: Vec<&str> = order.words.iter().map(String::as_str).collect();
    let told = |actions: Vec<ha_core::change::Action>| -> Vec<String> {
        actions.iter().map(ToString::to_string).collect()
    };
    let failed = |e: &ha_core::Error| format!("{:?}: {e:#}", e.kind());
    let resource = |id: &str| cluster.resource(id);
    let node = |name: &str| cluster.node(name);
    let moved = |moved: Result<Moved>| match moved {
        Ok(Moved::Done { to, .. }) => format!("ok: {}", to.join(" ")),
        Ok(other) => format!("{other:?}"),
        Err(e) => failed(&e),
    };
    let operation: Operation = match *words.as_slice() {
        ["apply", configuration, owner] => {
            let owner = (!owner.is_empty()).then(|| Id::new(owner)).transpose()?;
            cluster.apply_document(Document::parse(configuration)?, owner)
        }
        ["start", id] => resource(id).start(),
        ["stop", id] => resource(id).stop(),
        ["ban", id, node] => resource(id).ban(node, Reach::default()),
        ["prefer", id, node] => resource(id).prefer(node, Reach::default()),
        ["clear", id] => resource(id).clear(None),
        ["manage", id] => resource(id).manage(),
        ["unmanage", id] => resource(id).unmanage(),
        ["maintenance", id, on] => resource(id).maintenance(on == "on"),
        ["set", id, name, value] => resource(id).set_value(Values::Parameters, name, value),
        ["unset", id, name] => resource(id).unset_value(Values::Parameters, name),
        ["delete", id] => resource(id).delete(),
        ["rename", id, to] => resource(id).rename(to),
        ["standby", name] => node(name).standby(Lifetime::Forever),
        ["standby-reboot", name] => node(name).standby(Lifetime::Reboot),
        ["online", name] => node(name).online(),
        ["node-maintenance", name, on] => node(name).maintenance(on == "on"),
        ["attribute", name, key, value] => node(name).set_attribute(key, value, Lifetime::Forever),
        ["transient", name, key, value] => node(name).set_attribute(key, value, Lifetime::Reboot),
        ["no-transient", name, key] => node(name).unset_attribute(key, Lifetime::Reboot),
        ["utilization", name, key, value] => node(name).set_utilization(key, value),
        ["option", name, value] => cluster.set_option(name, value),
        ["no-option", name] => cluster.unset_option(name),
        ["default", name, value] => cluster.set_default(Defaults::Resources, name, value),
        ["cluster-maintenance", on] => cluster.maintenance(on == "on"),
        ["stop-all", on] => cluster.stop_all(on == "on"),
        ["grant", id] => cluster.ticket(id).grant(),
        ["revoke", id] => cluster.ticket(id).revoke(),
        ["ticket-standby", id] => cluster.ticket(id).standby(true),
        ["forget", id] => cluster.ticket(id).forget(),
        ["cleanup", id] | ["refresh", id] => {
            let forget = match words[0] {
                "cleanup" => resource(id).cleanup(),
                _ => resource(id).refresh(),
            };
            let told = |forgotten: Vec<ha_core::live::cluster::Forgotten>| -> Vec<String> {
                let all = forgotten.iter();
                all.map(|it| format!("{} on {}: {}", it.resource, it.node, it.fail_count))
                    .collect()
            };
            return Ok(Outcome {
                what_if: told(forget.what_if()?),
                changed: String::new(),
                end: match forget.wait(LIMIT) {
                    Ok(forgotten) => format!("ok: {}", told(forgotten).join(", ")),
                    Err(e) => failed(&e),
                },
            });
        }
        ["settle"] => {
            cluster.settle(LIMIT)?;
            return Ok(Outcome {
                what_if: Vec::new(),
                changed: String::new(),
                end: "ok".to_owned(),
            });
        }
        ["restart", id] => {
            let restart = resource(id).restart();
            let what_if = told(restart.what_if()?);
            let end = restart.wait(LIMIT);
            return Ok(Outcome {
                what_if,
                changed: String::new(),
                end: end.map_or_else(|e| failed(&e), |_| "ok".to_owned()),
            });
        }
        ["move", id, to] | ["force-move", id, to] => {
            let order = match to {
                "" => resource(id).move_away(),
                to => resource(id).move_to(to),
            };
            let forced = words[0] == "force-move";
            let order = if forced { order.force() } else { order };
            let what_if = match order.what_if() {
                Ok(actions) => told(actions),
                Err(e) => vec![failed(&e)],
            };
            return Ok(Outcome {
                what_if,
                changed: String::new(),
                end: moved(order.wait(LIMIT)),
            });
        }
        ref other => panic!("{other:?}"),
    };
    let what_if = match operation.what_if() {
        Ok(actions) => told(actions),
        Err(e) => vec![failed(&e)],
    };
    let (changed, end) = match operation.wait(LIMIT) {
        Ok(done) => (done.changed.to_string(), "ok".to_owned()),
        Err(e) => (String::new(), failed(&e)),
    };
    Ok(Outcome {
        what_if,
        changed,
        end,
    })
}

/// Has a node do something through the library.
fn order(node: &Node<'_>, words: &[&str]) -> Result<Outcome> {
    let words = words.iter().map(|&word| word.to_owned()).collect();
    let outcome: Outcome = node.call("operations::perform", &Order { words })?;
    println!("{outcome:?}");
    Ok(outcome)
}

fn done(node: &Node<'_>, words: &[&str]) -> Result<Outcome> {
    let outcome = order(node, words)?;
    assert!(outcome.end.starts_with("ok"), "{words:?}: {outcome:?}");
    Ok(outcome)
}

/// Where Pacemaker's own tool finds a resource.
fn located(node: &Node<'_>, id: &str) -> Result<Vec<String>> {
    let said = node
        .command("crm_resource")
        .args(["--locate", "--resource", id])
        .stdout()?;
    Ok(said
        .lines()
        .filter_map(|line| line.split("is running on: ").nth(1))
        .filter_map(|rest| rest.split_whitespace().next())
        .map(str::to_owned)
        .collect())
}

fn cib(node: &Node<'_>) -> Result<Document> {
    Document::parse(&node.command("cibadmin").arg("--query").stdout()?)
}

fn epoch(node: &Node<'_>) -> Result<i64> {
    Ok(cib(node)?.version().epoch)
}

/// What a tool says, or that it found nothing.
fn said(node: &Node<'_>, command: &[&str]) -> Result<String> {
    let output = node
        .command(command[0])
        .args(command[1..].iter().copied())
        .output()?;
    Ok(output.stdout.trim().to_owned())
}

fn configure(node: &Node<'_>) -> Result<()> {
    done(node, &["apply", CONFIGURATION, ""])?;
    // A second time there is nothing to do, and nothing is done.
    let before = epoch(node)?;
    let again = done(node, &["apply", CONFIGURATION, ""])?;
    assert_eq!(again.changed, "");
    assert_eq!(epoch(node)?, before);
    let verified = node.command("crm_verify").arg("--live-check").output()?;
    let complaint = verified.stderr;
    assert!(
        verified.status.success() && complaint.is_empty(),
        "{complaint}"
    );
    assert_eq!(located(node, "VIP")?, ["maitre"]);
    assert_eq!(located(node, "ping_clone")?.len(), 2);
    Ok(())
}

fn resources(lab: &Lab) -> Result<()> {
    // What one node orders is seen on the other.
    let (here, there) = (lab.node("maitre")?, lab.node("esclave")?);
    configure(&there)?;
    let stopped = done(&there, &["stop", "sphynx"])?;
    assert_eq!(
        stopped.changed,
        "~ group sphynx\n    meta target-role: Stopped\n"
    );
    assert_eq!(stopped.what_if.len(), 2, "{stopped:?}");
    assert!(
        stopped.what_if.iter().all(|a| a.starts_with("stop ")),
        "{stopped:?}"
    );
    assert_eq!(located(&here, "sphynx")?, [""; 0]);
    // Stopped is stopped: nothing is sent.
    let before = epoch(&here)?;
    assert_eq!(done(&there, &["stop", "sphynx"])?.changed, "");
    assert_eq!(epoch(&here)?, before);
    done(&there, &["start", "sphynx"])?;
    assert_eq!(located(&here, "ipsec")?, ["maitre"]);
    done(&here, &["ban", "free", "esclave"])?;
    assert_eq!(located(&here, "free")?, ["maitre"]);
    let constraints = said(
        &here,
        &["crm_resource", "--constraints", "--resource", "free"],
    )?;
    assert!(
        constraints.contains("cli-ban-free-on-esclave"),
        "{constraints}"
    );
    done(&here, &["clear", "free"])?;
    done(&here, &["prefer", "free", "esclave"])?;
    assert_eq!(located(&here, "free")?, ["esclave"]);
    // The tool finds what the library made.
    here.command("crm_resource")
        .args(["--clear", "--resource", "free"])
        .stdout()?;
    assert!(!cib(&here)?.to_xml().contains("cli-"));
    done(&here, &["unmanage", "free"])?;
    let refused = order(&here, &["stop", "free"])?;
    assert!(
        refused.end.starts_with("Unsatisfied: stop free: "),
        "{refused:?}"
    );
    assert_eq!(located(&here, "free")?, ["esclave"]);
    done(&here, &["start", "free"])?;
    done(&here, &["manage", "free"])?;
    assert!(!cib(&here)?.to_xml().contains("free-meta_attributes"));
    done(&here, &["maintenance", "free", "on"])?;
    let value = [
        "crm_resource",
        "--resource",
        "free",
        "--meta",
        "--get-parameter",
        "maintenance",
    ];
    assert_eq!(said(&here, &value)?, "true");
    done(&here, &["maintenance", "free", "off"])?;
    done(&here, &["set", "free", "fake", "1"])?;
    let value = [
        "crm_resource",
        "--resource",
        "free",
        "--get-parameter",
        "fake",
    ];
    assert_eq!(said(&here, &value)?, "1");
    done(&here, &["unset", "free", "fake"])?;
    let restarted = done(&here, &["restart", "sphynx"])?;
    assert!(
        restarted.what_if.iter().any(|a| a.contains("VIP")),
        "{restarted:?}"
    );
    assert_eq!(located(&here, "ipsec")?.len(), 1);
    assert!(!cib(&here)?.to_xml().contains("ha-move-"));
    // Failures are counted, listed, and forgotten: of it alone, then of nothing.
    for _ in 0..2 {
        let at = located(&here, "free")?.remove(0);
        here.command("crm_resource")
            .args(["--fail", "--resource", "free", "--node", &at])
            .stdout()?;
        done(&here, &["settle"])?;
    }
    let counted = || {
        said(
            &here,
            &[
                "crm_failcount",
                "--query",
                "--resource",
                "free",
                "--node",
                &located(&here, "free")?[0],
            ],
        )
    };
    let before = counted()?;
    assert!(!before.contains("value=0"), "{before}");
    let forgotten = done(&here, &["cleanup", "free"])?;
    assert!(forgotten.end.starts_with("ok: free on "), "{forgotten:?}");
    assert!(counted()?.contains("value=0"), "{}", counted()?);
    assert_eq!(done(&here, &["cleanup", "free"])?.end, "ok: ");
    let refreshed = done(&here, &["refresh", "free"])?;
    assert!(
        refreshed.end.contains("free on maitre") && refreshed.end.contains("free on esclave"),
        "{refreshed:?}"
    );
    assert_eq!(located(&here, "free")?.len(), 1);
    // What runs under one id is not to be started under another beside it.
    let running = order(&here, &["rename", "free", "libre"])?;
    assert!(
        running.end.starts_with("Unsatisfied: rename free: "),
        "{running:?}"
    );
    done(&here, &["stop", "free"])?;
    done(&here, &["rename", "free", "libre"])?;
    done(&here, &["start", "libre"])?;
    assert_eq!(located(&here, "libre")?.len(), 1);
    done(&here, &["delete", "libre"])?;
    let left = cib(&here)?.root().child("configuration").unwrap().to_xml();
    assert!(!left.contains("free") && !left.contains("libre"), "{left}");
    let nobody = order(&here, &["stop", "VIPP"])?;
    assert!(
        nobody.end.starts_with("NotFound: stop VIPP: "),
        "{nobody:?}"
    );
    Ok(())
}

fn moves(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    configure(&node)?;
    let moved = done(&node, &["move", "VIP", "esclave"])?;
    assert_eq!(moved.end, "ok: esclave");
    assert_eq!(
        moved.what_if,
        [
            "move VIP from maitre to esclave",
            "move ipsec from maitre to esclave"
        ]
    );
    assert_eq!(located(&node, "ipsec")?, ["esclave"]);
    assert_eq!(
        order(&node, &["move", "VIP", "esclave"])?.end,
        "AlreadyThere"
    );
    assert_eq!(done(&node, &["move", "sphynx", ""])?.end, "ok: maitre");
    assert!(!cib(&node)?.to_xml().contains("ha-move-"));
    // Where it cannot run: told before, with the reason, and nothing was changed.
    let before = epoch(&node)?;
    let refused = order(&node, &["move", "stubborn", "esclave"])?;
    assert!(
        refused
            .end
            .starts_with("Unsatisfied: move stubborn to esclave: ")
            && refused.end.contains("stubborn_only"),
        "{refused:?}"
    );
    assert_eq!(epoch(&node)?, before);
    // Forced: tried, not reached, the reason told, nothing left behind.
    let forced = order(&node, &["force-move", "stubborn", "esclave"])?;
    assert!(
        forced.end.starts_with("Unsatisfied: ") && forced.end.contains("stubborn_only"),
        "{forced:?}"
    );
    assert!(!cib(&node)?.to_xml().contains("ha-move-"));
    assert_eq!(located(&node, "stubborn")?, ["maitre"]);
    // What is drawn back more strongly than it sticks does not stay, and that is told.
    done(&node, &["default", "resource-stickiness", "0"])?;
    let back = order(&node, &["move", "sphynx", "esclave"])?;
    assert!(
        back.end.starts_with("Unsatisfied: ") && back.end.contains("came back"),
        "{back:?}"
    );
    let cloned = order(&node, &["move", "ping_clone", "esclave"])?;
    assert!(cloned.end.starts_with("Invalid: "), "{cloned:?}");
    let nowhere = order(&node, &["move", "sphynx", "esclav"])?;
    assert!(nowhere.end.starts_with("NotFound: "), "{nowhere:?}");
    Ok(())
}

fn nodes(lab: &Lab) -> Result<()> {
    let (here, there) = (lab.node("maitre")?, lab.node("esclave")?);
    configure(&here)?;
    done(&there, &["standby", "maitre"])?;
    assert_eq!(located(&here, "VIP")?, ["esclave"]);
    assert_eq!(
        said(
            &here,
            &["crm_standby", "--query", "--quiet", "-N", "maitre"]
        )?,
        "on"
    );
    done(&there, &["online", "maitre"])?;
    assert_eq!(
        said(
            &here,
            &["crm_standby", "--query", "--quiet", "-N", "maitre"]
        )?,
        "off"
    );
    done(&there, &["standby-reboot", "maitre"])?;
    let lifetime = |lifetime: &'static str| {
        [
            "crm_attribute",
            "--query",
            "--quiet",
            "--node",
            "maitre",
            "--name",
            "standby",
            "--lifetime",
            lifetime,
        ]
    };
    assert_eq!(said(&here, &lifetime("reboot"))?, "on");
    assert_eq!(located(&here, "ping_clone")?, ["esclave"]);
    done(&there, &["online", "maitre"])?;
    assert_eq!(said(&here, &lifetime("reboot"))?, "");
    assert_eq!(located(&here, "ping_clone")?.len(), 2);
    done(&here, &["node-maintenance", "esclave", "on"])?;
    let attribute = |name: &'static str| {
        [
            "crm_attribute",
            "--query",
            "--quiet",
            "--node",
            "esclave",
            "--name",
            name,
        ]
    };
    assert_eq!(said(&here, &attribute("maintenance"))?, "true");
    done(&here, &["node-maintenance", "esclave", "off"])?;
    done(&here, &["attribute", "esclave", "site", "annexe"])?;
    assert_eq!(said(&here, &attribute("site"))?, "annexe");
    done(&here, &["transient", "esclave", "pingd", "100"])?;
    let transient = said(
        &there,
        &[
            "attrd_updater",
            "--query",
            "--name",
            "pingd",
            "--node",
            "esclave",
        ],
    )?;
    assert!(transient.contains("value=\"100\""), "{transient}");
    done(&here, &["no-transient", "esclave", "pingd"])?;
    done(&here, &["utilization", "esclave", "memory", "64"])?;
    let mut capacity = attribute("memory").to_vec();
    capacity.push("--utilization");
    assert_eq!(said(&here, &capacity)?, "64");
    let nobody = order(&here, &["standby", "maitr"])?;
    assert!(nobody.end.starts_with("NotFound: "), "{nobody:?}");
    Ok(())
}

fn the_cluster(lab: &Lab) -> Result<()> {
    let node = lab.node("esclave")?;
    configure(&node)?;
    let option = |name: &'static str| ["crm_attribute", "--query", "--quiet", "--name", name];
    done(&node, &["cluster-maintenance", "on"])?;
    assert_eq!(said(&node, &option("maintenance-mode"))?, "true");
    done(&node, &["cluster-maintenance", "off"])?;
    let all = done(&node, &["stop-all", "on"])?;
    assert!(all.what_if.len() >= 5, "{all:?}");
    assert_eq!(located(&node, "ping_clone")?, [""; 0]);
    done(&node, &["stop-all", "off"])?;
    assert_eq!(located(&node, "ping_clone")?.len(), 2);
    done(&node, &["option", "cluster-name", "lycee"])?;
    assert_eq!(said(&node, &option("cluster-name"))?, "lycee");
    done(&node, &["no-option", "cluster-name"])?;
    done(&node, &["grant", "courrier"])?;
    let ticket = || said(&node, &["crm_ticket", "--info", "--ticket", "courrier"]);
    assert!(ticket()?.contains("granted"), "{}", ticket()?);
    done(&node, &["ticket-standby", "courrier"])?;
    assert!(ticket()?.contains("standby"), "{}", ticket()?);
    done(&node, &["revoke", "courrier"])?;
    assert!(ticket()?.contains("revoked"), "{}", ticket()?);
    done(&node, &["forget", "courrier"])?;
    // An owner's configuration goes when it wants nothing any more, and nothing else does.
    let own = "<cib><configuration><resources><primitive id='mine' class='ocf' provider='pacemaker' \
        type='Dummy'/></resources></configuration></cib>";
    done(&node, &["apply", own, "me"])?;
    assert_eq!(located(&node, "mine")?.len(), 1);
    let gone = done(&node, &["apply", "<cib><configuration/></cib>", "me"])?;
    assert_eq!(gone.changed, "- primitive mine\n- tag owned-by-me\n");
    assert_eq!(located(&node, "VIP")?, ["maitre"]);
    Ok(())
}

/// Moves a resource that is slow to stop, and says when the constraint is there.
fn move_and_wait((): ()) -> Result<()> {
    let cluster = connect()?;
    let order = cluster.resource("slow").move_to("esclave");
    agent::say(&"begins")?;
    order.wait(LIMIT).map(drop)
}

fn killed_mover(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    configure(&node)?;
    let slow = "<cib><configuration><resources><primitive id='slow' class='ocf' provider='pacemaker' \
        type='Dummy'><instance_attributes id='slow-p'><nvpair id='slow-p-s' name='op_sleep' value='15'/>\
        </instance_attributes><operations><op id='slow-stop' name='stop' interval='0' timeout='120'/>\
        <op id='slow-start' name='start' interval='0' timeout='120'/></operations></primitive></resources>\
        <constraints><rsc_location id='slow_here' rsc='slow' node='maitre' score='10'/></constraints>\
        </configuration></cib>";
    done(&node, &["apply", slow, ""])?;
    let mut mover = node.start_agent("operations::move_and_wait", &())?;
    assert_eq!(mover.heard::<String>()?.as_deref(), Some("begins"));
    lab.wait_until(LIMIT, "the constraint of the move is there", || {
        let xml = cib(&node)?.to_xml();
        if xml.contains("ha-move-slow") {
            Ok(())
        } else {
            Err(lab::NotYet::because("it is not"))
        }
    })?;
    let pid = rustix::process::Pid::from_raw(mover.pid()?.cast_signed()).expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL)
        .map_err(std::io::Error::from)?;
    let e = mover.result::<()>().expect_err("it was killed");
    println!("{e:#}");
    // It carries its own end, and the next move on this node removes it.
    let left = cib(&node)?;
    let made = ha_core::change::edit::constraint::temporary(&left);
    assert!(made.len() == 1 && made[0].until.is_some(), "{made:?}");
    let refused = order(&node, &["move", "stubborn", "esclave"])?;
    assert!(refused.end.starts_with("Unsatisfied"), "{refused:?}");
    assert!(!cib(&node)?.to_xml().contains("ha-move-"));
    Ok(())
}
