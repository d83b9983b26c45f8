//! Sessions with a cluster: changes on top of each other, and waiting.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ha_core::live::cluster::{Cluster, ConnectOptions, Unfinished};
use ha_core::live::pacemaker::cib::Section;
use ha_core::status::{ClusterStatus, Role};
use ha_core::xml::{Document, NodeId};
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet, agent};
use serde::{Deserialize, Serialize};

use crate::respawn::wait_respawned;

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("cluster::count_up", count_up);
    harness.agent("cluster::refuse", refuse);
    harness.agent("cluster::slow_start", slow_start);
    harness.agent("cluster::failing_start", failing_start);
    harness.agent("cluster::wait_for_mark", wait_for_mark);
    harness.agent("cluster::forget", forget);
    let lab = LabOptions::default;
    harness.test(
        "cluster::changes_at_once",
        own(lab(), changes_made_at_once_are_all_kept),
    );
    harness.shared("cluster::refused_change", a_refused_change_changes_nothing);
    harness.test(
        "cluster::waiting",
        own(lab(), waits_end_when_it_is_so_or_say_why_not),
    );
    harness.test(
        "cluster::forgetting",
        own(lab(), failures_and_histories_are_forgotten),
    );
    harness.test(
        "cluster::wait_through_restart",
        own(lab(), a_wait_outlasts_the_daemon),
    );
}

const LIMIT: Duration = Duration::from_secs(180);

fn connect() -> Result<Cluster> {
    let mut options = ConnectOptions::default();
    options.timeout = LIMIT;
    Cluster::connect(&options)
}

fn crm_config(cib: &Document) -> Result<NodeId> {
    let configuration = cib.root().child("configuration");
    let section = configuration.and_then(|c| c.child("crm_config"));
    section
        .map(ha_core::xml::Element::id)
        .ok_or_else(|| Error::invalid("no crm_config"))
}

/// Sets an option of its own set; returns the value it had.
fn set_mark(cib: &mut Document, who: &str, value: &str) -> Result<Option<String>> {
    let id = format!("mark-{who}-value");
    let found = |cib: &Document| {
        let mut all = cib.root().descendants();
        all.find(|e| e.attribute("id") == Some(&id))
            .map(ha_core::xml::Element::id)
    };
    let pair = if let Some(pair) = found(cib) {
        pair
    } else {
        let section = crm_config(cib)?;
        let set = cib.append_child(section, "cluster_property_set");
        cib.set_attribute(set, "id", &format!("mark-{who}"));
        let pair = cib.append_child(set, "nvpair");
        cib.set_attribute(pair, "id", &id);
        cib.set_attribute(pair, "name", &format!("mark-{who}"));
        pair
    };
    let old = cib.element(pair).attribute("value").map(str::to_owned);
    cib.set_attribute(pair, "value", value);
    Ok(old)
}

#[derive(Serialize, Deserialize)]
struct Count {
    who: String,
    times: usize,
}

/// Raises a number in the CIB so many times; returns how often others were faster.
fn count_up(args: Count) -> Result<usize> {
    let cluster = connect()?;
    let tries = AtomicUsize::new(0);
    // The other program is there too before the first change.
    agent::say(&"ready")?;
    agent::listen::<()>()?;
    for n in 0..args.times {
        let plan = cluster.change(|cib| {
            tries.fetch_add(1, Ordering::AcqRel);
            let old = set_mark(cib, &args.who, &(n + 1).to_string())?;
            let expected = (n > 0).then(|| n.to_string());
            if old == expected {
                Ok(())
            } else {
                Err(Error::invalid(format!("{old:?} instead of {expected:?}")))
            }
        })?;
        assert!(!plan.is_empty());
    }
    // What is so already is not sent.
    let before = cluster.cib().version()?;
    let same = args.times.to_string();
    let plan = cluster.change(|cib| set_mark(cib, &args.who, &same).map(drop))?;
    assert!(plan.is_empty());
    assert!(before <= cluster.cib().version()?);
    Ok(tries.load(Ordering::Acquire) - args.times)
}

fn changes_made_at_once_are_all_kept(lab: &Lab) -> Result<()> {
    const TIMES: usize = 200;
    let node = lab.node("maitre")?;
    let epoch = || -> Result<i64> {
        let text = node.command("cibadmin").arg("--query").stdout()?;
        Ok(Document::parse(&text)?.version().epoch)
    };
    let first = epoch()?;
    let start = |node: &str, who: &str| {
        let who = who.to_owned();
        let args = Count { who, times: TIMES };
        lab.node(node)?.start_agent("cluster::count_up", &args)
    };
    // Two on one node, one on the other.
    let mut programs = vec![
        start("maitre", "a")?,
        start("maitre", "b")?,
        start("esclave", "c")?,
    ];
    for program in &mut programs {
        assert_eq!(program.heard::<String>()?.as_deref(), Some("ready"));
    }
    for program in &mut programs {
        program.tell(&())?;
    }
    let mut late = 0;
    for program in programs {
        late += program.result::<usize>()?;
    }
    assert!(late > 0, "they never met");
    for who in ["a", "b", "c"] {
        let value = node
            .command("crm_attribute")
            .args(["--query", "--quiet", "--name", &format!("mark-{who}")])
            .stdout()?;
        assert_eq!(value.trim(), TIMES.to_string(), "{who}");
    }
    // One epoch for each change, and none for those that were no change.
    let made = epoch()? - first;
    assert!(made >= 3 * i64::try_from(TIMES).unwrap(), "{made}");
    println!("{late} changes were computed again");
    Ok(())
}

/// Makes changes that are refused: by the caller's own function, and by the schema.
fn refuse((): ()) -> Result<Vec<String>> {
    let cluster = connect()?;
    let said = |result: Result<_>| match result {
        Ok(_) => "done".to_owned(),
        Err::<ha_core::change::Plan, _>(e) => format!("{:?}: {e:#}", e.kind()),
    };
    let own_reason = cluster.change(|cib| {
        set_mark(cib, "refused", "1")?;
        Err(Error::new(ErrorKind::NotFound, "no such thing"))
    });
    let schema = cluster.change(|cib| {
        let section = crm_config(cib)?;
        cib.append_child(section, "gizmo");
        Ok(())
    });
    Ok(vec![said(own_reason), said(schema)])
}

fn a_refused_change_changes_nothing(lab: &Lab) -> Result<()> {
    let node = lab.node("esclave")?;
    let said: Vec<String> = node.call("cluster::refuse", &())?;
    assert!(
        said[0].starts_with("NotFound: change the CIB: ") && said[0].ends_with("no such thing"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("Schema: change the CIB: ") && said[1].contains("gizmo"),
        "{said:?}"
    );
    let text = node.command("cibadmin").arg("--query").stdout()?;
    assert!(
        !text.contains("mark-refused") && !text.contains("gizmo"),
        "{text}"
    );
    Ok(())
}

fn runs(status: &ClusterStatus, id: &str) -> bool {
    let resource = status.resource_named(id);
    let pending = |r: &ha_core::status::Resource| r.pending_task.as_deref() == Some("start");
    resource.is_some_and(|r| r.role == Role::Started && !r.failed && !pending(r))
}

fn dummy(id: &str, parameters: &str) -> Result<Document> {
    Document::parse(&format!(
        "<primitive id='{id}' class='ocf' provider='pacemaker' type='Dummy'>\
         <instance_attributes id='{id}-p'>{parameters}</instance_attributes>\
         <operations><op id='{id}-start' name='start' interval='0' timeout='120s'/>\
         <op id='{id}-stop' name='stop' interval='0' timeout='120s'/>\
         <op id='{id}-probe' name='monitor' interval='0' timeout='120s'/></operations>\
         </primitive>"
    ))
}

/// Adds a resource whose start takes a while, and waits for it in several ways.
fn slow_start((): ()) -> Result<(Vec<String>, String)> {
    let cluster = connect()?;
    cluster.settle(LIMIT)?;
    let sleep = "<nvpair id='slow-sleep' name='op_sleep' value='30'/>";
    cluster
        .cib()
        .create(Section::Resources, &dummy("slow", sleep)?)?;
    let starting = |status: &ClusterStatus| {
        let slow = status.resource_named("slow");
        slow.is_some_and(|r| r.pending_task.as_deref() == Some("start"))
    };
    let status = cluster.wait_for(LIMIT, starting)?;
    assert!(!runs(&status, "slow"));
    let second = Duration::from_secs(1);
    let mut said = Vec::new();
    for early in [
        cluster.settle(second),
        cluster.wait_for(second, |status| runs(status, "slow")),
    ] {
        let e = early.map(drop).expect_err("it takes longer");
        assert_eq!(e.kind(), ErrorKind::Timeout, "{e:#}");
        let is_start = |unfinished: &Unfinished| {
            matches!(unfinished, Unfinished::Operation { resource, task, .. }
                if resource == "slow" && task == "start")
        };
        assert!(Unfinished::of(&e).iter().any(is_start), "{e:#}");
        said.push(format!("{e:#}"));
    }
    let status = cluster.settle(LIMIT)?;
    assert!(runs(&status, "slow"), "{:?}", status.resource_named("slow"));
    // Right after a change the cluster still looks idle.
    for n in 0..10 {
        let id = format!("quick{n}");
        cluster.cib().create(Section::Resources, &dummy(&id, "")?)?;
        let status = cluster.settle(LIMIT)?;
        assert!(runs(&status, &id), "{id}");
    }
    Ok((said, status.active_on("slow").join(" ")))
}

/// Adds a resource that cannot start on one node and may not run on the other.
fn failing_start((): ()) -> Result<String> {
    let cluster = connect()?;
    let fail = "<nvpair id='bad-fail' name='fail_start_on' value='maitre'/>";
    let never = "<rsc_location id='bad-never' rsc='bad' node='esclave' score='-INFINITY'/>";
    cluster
        .cib()
        .create(Section::Constraints, &Document::parse(never)?)
        .expect_err("there is no such resource yet");
    let both = format!(
        "<configuration><resources>{}</resources><constraints>{never}</constraints></configuration>",
        dummy("bad", fail)?.to_xml_compact()
    );
    let both = Document::parse(&both)?;
    cluster.change(|cib| {
        for section in both.root().children() {
            let configuration = cib.root().child("configuration");
            let into = configuration.and_then(|c| c.child(section.name()));
            let into = into.ok_or_else(|| Error::invalid("no such section"))?;
            let (into, last) = (into.id(), into.children().count());
            for element in section.children() {
                cib.import(into, last, element);
            }
        }
        Ok(())
    })?;
    // That nothing can be done any more is settled too.
    let waited = cluster.wait_for(Duration::from_secs(30), |status| runs(status, "bad"));
    let e = waited.map(drop).expect_err("it cannot start");
    let failed = |unfinished: &Unfinished| {
        matches!(unfinished, Unfinished::Failed { resource, node, task, .. }
            if resource == "bad" && node == "maitre" && task == "start")
    };
    assert!(Unfinished::of(&e).iter().any(failed), "{e:#}");
    let status = cluster.settle(LIMIT)?;
    assert!(!runs(&status, "bad"));
    Ok(format!("{e:#}"))
}

fn waits_end_when_it_is_so_or_say_why_not(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let (said, place): (Vec<String>, String) = node.call("cluster::slow_start", &())?;
    for said in &said {
        assert!(
            said.contains(" after 1.0 s: ") && said.contains("slow: start under way on "),
            "{said}"
        );
    }
    // Pacemaker's own waiting has nothing left to wait for, and its own tool finds it there.
    node.command("crm_resource").arg("--wait").stdout()?;
    let located = node
        .command("crm_resource")
        .args(["--locate", "--resource", "slow"])
        .stdout()?;
    assert!(
        located.contains(&format!("is running on: {place}")),
        "{located}"
    );
    let said: String = node.call("cluster::failing_start", &())?;
    assert!(said.contains("bad: start failed on maitre"), "{said}");
    Ok(())
}

/// Waits until the test has set its mark.
fn wait_for_mark((): ()) -> Result<()> {
    let cluster = connect()?;
    let mark = |status: &ClusterStatus| {
        let node = status.node_named("esclave");
        node.is_some_and(|node| node.attribute("mark") == Some("set"))
    };
    assert!(!mark(&cluster.status()?));
    // Told when the wait has begun: it goes on while the daemon restarts, but cannot begin then.
    let mut told = false;
    let told_and_marked = |status: &ClusterStatus| {
        if !told {
            told = agent::say(&"waiting").is_ok();
        }
        mark(status)
    };
    cluster.wait_for(LIMIT, told_and_marked).map(drop)
}

fn a_wait_outlasts_the_daemon(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let mut waiting = node.start_agent("cluster::wait_for_mark", &())?;
    assert_eq!(waiting.heard::<String>()?.as_deref(), Some("waiting"));
    let before = node.processes("pacemaker-based")?;
    node.kill("pacemaker-based")?;
    wait_respawned(lab, &node, "another pacemaker-based runs", || {
        match node.processes("pacemaker-based")? {
            now if now.is_empty() || now == before => Err(NotYet::because(format!("{now:?}"))),
            _ => Ok(lab.wait_online(Duration::from_secs(10))?),
        }
    })?;
    // From the other node, as somebody else.
    lab.node("esclave")?
        .command("crm_attribute")
        .args(["--node", "esclave", "--name", "mark", "--update", "set"])
        .stdout()?;
    waiting.result()
}

/// Resource, node, fail count, failed operations.
type Gone = Vec<(String, String, i32, Vec<String>)>;

/// Forgets failures, or everything, of a resource; says what that was.
fn forget(args: (String, bool)) -> Result<Gone> {
    let (resource, all) = args;
    let cluster = connect()?;
    for bad in [
        cluster.resource("nothing").cleanup().wait(LIMIT),
        cluster.refresh().on("nowhere").wait(LIMIT),
    ] {
        assert_eq!(bad.map(drop).unwrap_err().kind(), ErrorKind::NotFound);
    }
    let gone = if all {
        cluster.resource(&resource).refresh().wait(LIMIT)?
    } else {
        cluster.resource(&resource).cleanup().wait(LIMIT)?
    };
    cluster.settle(LIMIT)?;
    Ok(gone
        .into_iter()
        .map(|f| (f.resource, f.node, f.fail_count, f.failed))
        .collect())
}

fn failures_and_histories_are_forgotten(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let run = |program: &str, args: &[&str]| {
        let command = node.command(program).args(args.iter().copied());
        command.stdout()
    };
    let group = "<group id='pair'><primitive id='one' class='ocf' provider='pacemaker' type='Dummy'/>\
                 <primitive id='two' class='ocf' provider='pacemaker' type='Dummy'/></group>";
    run("cibadmin", &["-C", "-o", "resources", "-X", group])?;
    run("crm_resource", &["--wait"])?;
    let forget = |resource: &str, all: bool| -> Result<Gone> {
        node.call("cluster::forget", &(resource, all))
    };
    assert_eq!(forget("pair", false)?, []);
    let located = run("crm_resource", &["--locate", "-r", "two"])?;
    let place = located.trim().rsplit(' ').next().unwrap_or_default();
    run("crm_resource", &["--fail", "-r", "two", "-N", place])?;
    let fail_count = || run("crm_failcount", &["-G", "-r", "two", "-N", place]);
    lab.wait_until(LIMIT, "the failure is counted", || {
        let text = fail_count()?;
        if text.contains("value=0") {
            Err(NotYet::because(text))
        } else {
            Ok(())
        }
    })?;
    run("crm_resource", &["--wait"])?;
    let text = fail_count()?;
    let count = text.trim().rsplit('=').next().and_then(|n| n.parse().ok());
    let failed = ["asyncmon".to_owned()];
    let expected = (
        "two".to_owned(),
        place.to_owned(),
        count.unwrap(),
        failed.to_vec(),
    );
    assert_eq!(forget("pair", false)?, [expected]);
    assert!(fail_count()?.contains("value=0"));
    let status = run("crm_mon", &["-1"])?;
    assert!(!status.contains("Failed Resource Actions"), "{status}");
    assert_eq!(forget("pair", false)?, []);

    // Stopped behind the cluster's back: found when it looks again.
    let state = "/run/resource-agents/Dummy-one.state";
    let removed = format!("rm -f {state} /var/run/Dummy-one.state /run/Dummy-one.state");
    lab.node(place)?
        .command("sh")
        .args(["-c", &removed])
        .stdout()?;
    let gone = forget("one", true)?;
    assert_eq!(gone.len(), 2, "{gone:?}");
    let history = run("crm_mon", &["-1", "-o"])?;
    assert!(history.contains("* one: "), "{history}");
    let located = run("crm_resource", &["--locate", "-r", "one"])?;
    assert!(located.contains("is running on: "), "{located}");
    Ok(())
}
