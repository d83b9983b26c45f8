//! What happens in a cluster, told as it happens.

use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_core::Stream;
use ha_core::event::{Event, Picture};
use ha_core::live::cluster::{Cluster, ConnectOptions, Events};
use ha_core::{Error, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet, agent};
use serde::{Deserialize, Serialize};

use crate::daemons::fencers::add_switch;
use crate::respawn::wait_respawned;

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("events::fold", fold);
    harness.agent("events::sleepy", sleepy);
    harness.agent("events::stream", stream);
    let lab = LabOptions::default;
    harness.test("events::of_tools", own(lab(), what_tools_do_is_told));
    harness.test(
        "events::slow_reader",
        own(lab(), a_slow_reader_is_told_and_loses_nothing),
    );
    harness.test("events::fenced", own(lab(), a_fenced_node_is_told));
    harness.shared("events::stream", events_come_as_a_stream);
}

/// Long enough for an action, a membership or an election on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

fn connect() -> Result<Cluster> {
    let mut options = ConnectOptions::default();
    options.timeout = LIMIT;
    Cluster::connect(&options)
}

/// The picture that a cluster shows now, asked for without any event.
fn fresh(cluster: &Cluster) -> Result<Picture> {
    let cib = cluster.cib().query()?;
    let zone = jiff::tz::TimeZone::system();
    let status = ha_core::status::compute(&cib, jiff::Timestamp::now(), &zone);
    Ok(Picture::of(&status).with_configuration(&cib))
}

/// Events, and what they add up to.
struct Folded {
    picture: Picture,
    told: Vec<String>,
}

impl Folded {
    fn new(events: &Events) -> Self {
        Self {
            picture: events.picture().clone(),
            told: Vec::new(),
        }
    }

    fn take(&mut self, event: &Event) {
        let before = self.picture.clone();
        self.picture.fold(event);
        let of_the_reader = matches!(
            event,
            Event::Merged { .. } | Event::DaemonLost { .. } | Event::DaemonBack { .. }
        );
        assert!(
            of_the_reader || self.picture != before,
            "{event} says nothing new"
        );
        self.told.push(event.to_string());
    }
}

/// A question of the test to the one that follows.
#[derive(Debug, Serialize, Deserialize)]
enum Ask {
    /// What was told since the last question.
    Told,
    /// Whether the events lead to what the cluster is now.
    Same,
}

#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    told: Vec<String>,
    difference: Option<String>,
}

/// Follows the events; whenever there is none for a moment, all so far must lead to what is so.
fn fold((): ()) -> Result<usize> {
    let cluster = connect()?;
    let mut events = cluster.events()?;
    let mut folded = Folded::new(&events);
    agent::say(&"ready")?;
    let (asked, questions) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while let Ok(Some(question)) = agent::listen::<Ask>() {
            if asked.send(question).is_err() {
                return;
            }
        }
    });
    let mut count = 0;
    loop {
        let quiet = Instant::now() + Duration::from_millis(50);
        while let Some(event) = events.next_before(quiet)? {
            folded.take(&event);
            count += 1;
            // What is not the last of a change leads to no state.
        }
        assert_eq!(&folded.picture, events.picture(), "after {:?}", folded.told);
        match questions.try_recv() {
            Ok(question) => {
                let difference = match question {
                    Ask::Told => None,
                    Ask::Same => {
                        let now = fresh(&cluster)?;
                        (now != folded.picture).then(|| format!("{:?}", folded.picture.until(&now)))
                    }
                };
                let told = std::mem::take(&mut folded.told);
                agent::say(&Answer { told, difference })?;
            }
            Err(std::sync::mpsc::TryRecvError::Empty) => {}
            Err(std::sync::mpsc::TryRecvError::Disconnected) => return Ok(count),
        }
    }
}

/// The program on a node that follows the events, as a test sees it.
pub(crate) struct Following {
    agent: agent::Running,
    /// All that was told so far.
    pub(crate) told: Vec<String>,
}

impl Following {
    pub(crate) fn start(node: &Node<'_>) -> Result<Self> {
        let mut agent = node.start_agent("events::fold", &())?;
        agent.set_limit(Duration::from_secs(1800));
        assert_eq!(agent.heard::<String>()?.as_deref(), Some("ready"));
        Ok(Self {
            agent,
            told: Vec::new(),
        })
    }

    fn ask(&mut self, question: &Ask) -> Result<Option<String>> {
        self.agent.tell(question)?;
        let answer = self.agent.heard::<Answer>()?;
        let answer = answer.ok_or_else(|| Error::invalid("the follower has ended"))?;
        self.told.extend(answer.told);
        Ok(answer.difference)
    }

    /// Waits until each of these was told.
    fn until(&mut self, lab: &Lab, expected: &[&str]) -> Result<()> {
        lab.wait_until(LIMIT, "it is told", || {
            self.ask(&Ask::Told)?;
            let told = |part: &&&str| self.told.iter().any(|text| text.contains(**part));
            match expected.iter().find(|part| !told(part)) {
                None => Ok(()),
                Some(part) => Err(NotYet::because(format!("no {part:?} in {:#?}", self.told))),
            }
        })
    }

    /// Checks that the events lead to what the cluster is now, and ends.
    pub(crate) fn finish(mut self, lab: &Lab) -> Result<Vec<String>> {
        // The cluster's own changes may go on for a while.
        lab.wait_until(LIMIT, "the events lead to what is so", || {
            match self.ask(&Ask::Same)? {
                None => Ok(()),
                Some(difference) => Err(NotYet::because(difference)),
            }
        })?;
        self.agent.hush();
        let count: usize = self.agent.result()?;
        assert_eq!(count, self.told.len());
        Ok(self.told)
    }
}

const DUMMY: &str = "<primitive id='told' class='ocf' provider='pacemaker' type='Dummy'><operations>\
                     <op id='told-monitor' name='monitor' interval='5s' timeout='60s'/></operations>\
                     </primitive>";

fn what_tools_do_is_told(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let run = |program: &str, args: &[&str]| {
        let command = node.command(program).args(args.iter().copied());
        command.stdout().map(drop)
    };
    let mut following = Following::start(&node)?;
    run("cibadmin", &["-C", "-o", "resources", "-X", DUMMY])?;
    following.until(
        lab,
        &[
            "the configuration changed: added primitive told",
            "told started on ",
        ],
    )?;
    let at = |following: &Following, prefix: &str| {
        let mut places = following.told.iter().rev();
        let place = places.find_map(|text| text.strip_prefix(prefix)).unwrap();
        place.to_owned()
    };
    let first = at(&following, "told started on ");
    let other = if first == "maitre" {
        "esclave"
    } else {
        "maitre"
    };
    run("crm_resource", &["--wait"])?;
    run("crm_resource", &["--move", "-r", "told", "-N", other])?;
    let moved = format!("told moved from {first} to {other}");
    following.until(
        lab,
        &[
            "the configuration changed: added rsc_location cli-prefer-told",
            &format!("told stopped on {first}"),
            &moved,
        ],
    )?;
    run("crm_resource", &["--wait"])?;
    run("crm_resource", &["--fail", "-r", "told", "-N", other])?;
    following.until(
        lab,
        &[
            &format!("told: asyncmon failed on {other}"),
            &format!("told recovered on {other}"),
        ],
    )?;
    run("crm_resource", &["--wait"])?;
    run("crm_resource", &["--cleanup", "-r", "told"])?;
    let forgotten = format!("told: the failure of asyncmon on {other} is forgotten");
    following.until(lab, &[&forgotten])?;
    run("crm_resource", &["--wait"])?;
    run("crm_resource", &["--clear", "-r", "told"])?;
    run("crm_attribute", &["-n", "maintenance-mode", "-v", "true"])?;
    following.until(
        lab,
        &[
            "the configuration changed: removed rsc_location cli-prefer-told",
            "the configuration changed: added option maintenance-mode",
        ],
    )?;
    run("crm_attribute", &["-n", "maintenance-mode", "-D"])?;
    run("crm_standby", &["-N", other, "-v", "on"])?;
    run("crm_ticket", &["-t", "paris", "--grant", "--force"])?;
    run(
        "crm_attribute",
        &["-N", "esclave", "-l", "reboot", "-n", "mood", "-v", "good"],
    )?;
    following.until(
        lab,
        &[
            "the configuration changed: removed option maintenance-mode",
            &format!("node {other} is in standby"),
            &format!("told moved from {other} to {first}"),
            "ticket paris was granted",
            "attribute mood of esclave is good",
        ],
    )?;
    run("crm_ticket", &["-t", "paris", "--revoke", "--force"])?;
    run(
        "crm_attribute",
        &["-N", "esclave", "-l", "reboot", "-n", "mood", "-D"],
    )?;
    following.until(
        lab,
        &[
            "ticket paris was revoked",
            "attribute mood of esclave is gone",
        ],
    )?;
    run("crm_resource", &["--wait"])?;
    // Nothing was stopped and started when its failure was forgotten.
    let starts = following.told.iter();
    let starts = starts.filter(|told| told.starts_with("told started on "));
    assert_eq!(starts.count(), 1, "{:#?}", following.told);
    let before = node.processes("pacemaker-based")?;
    node.kill("pacemaker-based")?;
    following.until(lab, &["pacemaker-based is lost since "])?;
    wait_respawned(lab, &node, "another pacemaker-based runs", || {
        match node.processes("pacemaker-based")? {
            now if now.is_empty() || now == before => Err(NotYet::because(format!("{now:?}"))),
            _ => Ok(lab.wait_online(Duration::from_secs(10))?),
        }
    })?;
    following.until(lab, &["pacemaker-based is back, "])?;
    lab.power_cut("esclave")?;
    following.until(lab, &["node esclave is offline"])?;
    lab.power_on("esclave")?;
    lab.wait_online(LIMIT)?;
    following.finish(lab).map(drop)
}

/// A node that loses power, and a device that says that it has none any more.
fn a_fenced_node_is_told(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    add_switch(lab, "maitre esclave")?;
    node.write("/run/no-power", "")?;
    node.command("crm_attribute")
        .args(["-n", "stonith-enabled", "-v", "true"])
        .stdout()?;
    node.command("crm_resource").arg("--wait").stdout()?;
    let mut following = Following::start(&node)?;
    lab.power_cut("esclave")?;
    following.until(lab, &["node esclave was fenced"])?;
    let history = node
        .command("stonith_admin")
        .args(["--history", "esclave"])
        .stdout()?;
    assert!(history.contains("esclave"), "{history}");
    // What comes back has joined first, and was never in standby.
    lab.power_on("esclave")?;
    lab.wait_online(LIMIT)?;
    following.until(lab, &["node esclave is online"])?;
    let told = following.finish(lab)?;
    println!("{told:#?}");
    let of_node: Vec<&String> = told
        .iter()
        .filter(|text| text.contains("node esclave"))
        .collect();
    assert!(
        !of_node.iter().any(|text| text.contains("standby")),
        "{told:#?}"
    );
    let fenced = of_node.iter().filter(|text| text.contains("was fenced"));
    assert_eq!(fenced.count(), 1, "{told:#?}");
    Ok(())
}

/// What somebody who slept was told.
#[derive(Debug, Serialize, Deserialize)]
struct Slept {
    merged: usize,
    events: usize,
}

/// Reads nothing while the test makes changes, then all of it, and checks what it leads to.
fn sleepy((): ()) -> Result<Slept> {
    let cluster = connect()?;
    let mut events = cluster.events()?;
    let mut folded = Folded::new(&events);
    agent::say(&"ready")?;
    agent::listen::<()>()?;
    let mut slept = Slept {
        merged: 0,
        events: 0,
    };
    lab::wait_until(LIMIT, "the events lead to what is so", || {
        while let Some(event) = events.try_next() {
            if let Event::Merged { missed } = &event {
                slept.merged += missed.unwrap_or(0);
            }
            slept.events += 1;
            folded.take(&event);
        }
        let now = fresh(&cluster)?;
        if now == folded.picture {
            Ok(())
        } else {
            Err(NotYet::because(format!("{:?}", folded.picture.until(&now))))
        }
    })?;
    Ok(slept)
}

fn a_slow_reader_is_told_and_loses_nothing(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let mut sleepy = node.start_agent("events::sleepy", &())?;
    assert_eq!(sleepy.heard::<String>()?.as_deref(), Some("ready"));
    let churn = serde_json::json!({"seed": 7, "changes": 600, "tell_after": null});
    let _: usize = lab.node("esclave")?.call("watch::churn", &churn)?;
    sleepy.tell(&())?;
    let slept: Slept = sleepy.result()?;
    assert!(slept.merged > 256, "{slept:?}");
    assert!(slept.events > 1, "{slept:?}");
    Ok(())
}

/// Follows the events as a stream, beside other work in the same thread, until all of these were told.
fn stream(wanted: Vec<String>) -> Result<u32> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let events = connect()?.events()?;
        let mut picture = events.picture().clone();
        let mut stream = events.into_stream()?;
        agent::say(&"ready")?;
        let mut ticks = 0_u32;
        let mut clock = tokio::time::interval(Duration::from_millis(20));
        for text in wanted {
            loop {
                let next = std::future::poll_fn(|cx| Pin::new(&mut stream).poll_next(cx));
                tokio::select! {
                    event = next => {
                        let event = event.ok_or_else(|| Error::invalid("the stream has ended"))??;
                        picture.fold(&event);
                        if event.to_string().contains(&text) {
                            break;
                        }
                    }
                    _ = clock.tick() => ticks += 1,
                }
            }
            agent::say(&text)?;
        }
        Ok(ticks)
    })
}

fn events_come_as_a_stream(lab: &Lab) -> Result<()> {
    let names = ["flow-1", "flow-2", "flow-3"];
    let texts = names.map(|name| format!("attribute {name} of esclave is 1"));
    let mut stream = lab.node("maitre")?.start_agent("events::stream", &texts)?;
    assert_eq!(stream.heard::<String>()?.as_deref(), Some("ready"));
    for (name, text) in names.iter().zip(texts) {
        lab.node("esclave")?
            .command("crm_attribute")
            .args(["-N", "esclave", "-n", name, "-v", "1"])
            .stdout()?;
        assert_eq!(stream.heard()?, Some(text));
    }
    let ticks: u32 = stream.result()?;
    assert!(ticks > 0, "the other work had no turn");
    Ok(())
}
