//! Following the CIB of a running cluster.

use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_core::Stream;
use ha_core::live::pacemaker::cib::{Cib, ConnectOptions, Section};
use ha_core::live::pacemaker::watch::{Reason, Update, Watch};
use ha_core::xml::{Document, Element, PatchSet};
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet, agent};
use serde::{Deserialize, Serialize};

use crate::respawn::wait_respawned;

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("watch::mirror", mirror);
    harness.agent("watch::churn", churn);
    harness.agent("watch::sleepy", sleepy);
    harness.agent("watch::stream", stream);
    harness.shared("watch::stream", changes_come_as_a_stream);
    let lab = LabOptions::default;
    harness.test(
        "watch::mirror",
        own(lab(), mirror_equals_the_cib_after_random_changes),
    );
    harness.test(
        "watch::single_changes",
        own(lab(), mirror_follows_single_changes),
    );
    harness.test(
        "watch::daemon_killed",
        own(lab(), mirror_survives_the_daemon_killed),
    );
    harness.test(
        "watch::corosync_killed",
        own(lab(), mirror_survives_corosync_killed),
    );
    harness.test(
        "watch::slow_reader",
        own(lab(), changes_merge_for_a_slow_reader),
    );
}

fn connect() -> Result<Cib> {
    let mut options = ConnectOptions::default();
    options.timeout = Duration::from_secs(20);
    Cib::connect(&options)
}

/// What a watch saw so far.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Seen {
    xml: String,
    changed: usize,
    refetched: usize,
    merged: usize,
    lost: Vec<String>,
    /// For each reconnection, whether changes were missed.
    reconnected: Vec<bool>,
}

impl Seen {
    fn count(&mut self, update: &Update) {
        match update {
            Update::Changed { .. } => self.changed += 1,
            Update::Refetched { reason, .. } => {
                self.refetched += 1;
                if let Reason::Behind { merged } = reason {
                    self.merged += merged;
                }
            }
            Update::Lost { cause } => self.lost.push(cause.to_string()),
            Update::Reconnected { missed, .. } => self.reconnected.push(*missed),
            _ => {}
        }
    }
}

/// Follows the CIB; each time the test asks, says what it saw until nothing came for a moment.
fn mirror((): ()) -> Result<()> {
    let mut watch = Watch::open(&connect()?)?;
    let mut seen = Seen::default();
    agent::say(&"ready")?;
    // The test asks from another thread, so that the watch is read all the time.
    let (asked, questions) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while let Ok(Some(())) = agent::listen() {
            if asked.send(()).is_err() {
                return;
            }
        }
    });
    loop {
        let quiet = Instant::now() + Duration::from_millis(100);
        while let Some(update) = watch.next_before(quiet)? {
            seen.count(&update);
        }
        match questions.try_recv() {
            Ok(()) => {
                seen.xml = watch.document().to_xml_compact();
                agent::say(&seen)?;
            }
            Err(std::sync::mpsc::TryRecvError::Empty) => {}
            Err(std::sync::mpsc::TryRecvError::Disconnected) => return Ok(()),
        }
    }
}

/// Small numbers that look random, and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }
}

#[derive(Serialize, Deserialize)]
struct Churn {
    seed: u64,
    changes: usize,
    /// Says so after this many.
    tell_after: Option<usize>,
}

/// Changes the CIB in random ways: what exists, what its values are, in which order, and whole
/// sections at once.
fn churn(args: Churn) -> Result<usize> {
    let cib = connect()?;
    let mut dice = Dice(args.seed);
    let mut made = 0;
    while made < args.changes {
        let n = dice.roll(12);
        let value = dice.roll(1_000_000);
        let set = Document::parse(&format!(
            "<cluster_property_set id='churn-{n}'><nvpair id='churn-{n}-a' name='a' value='&lt;é{value}'/>\
             <nvpair id='churn-{n}-b' name='b' value='{n}'/></cluster_property_set>"
        ))?;
        let result = match dice.roll(7) {
            0 | 1 => cib.modify_or_create(Section::CrmConfig, &set),
            2 => cib.create(Section::CrmConfig, &set),
            3 => cib.delete(Section::CrmConfig, &set),
            4 => {
                let state = format!("<node_state id='1' churn='{value}'/>");
                cib.modify(Section::Status, &Document::parse(&state)?)
            }
            5 => reorder(&cib, &mut dice),
            _ => {
                let mut section = cib.query_section(Section::CrmConfig)?;
                let root = section.root().id();
                let note = section.append_child(root, "cluster_property_set");
                section.set_attribute(note, "id", &format!("churn-replaced-{made}"));
                cib.replace(Section::CrmConfig, &section)
            }
        };
        match result {
            Ok(()) => made += 1,
            Err(e) if matches!(e.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {}
            // The daemons change the status beside us.
            Err(e) if e.kind() == ErrorKind::Conflict => {}
            Err(e) => return Err(e.context(format!("change {made} of seed {}", args.seed))),
        }
        if args.tell_after == Some(made) {
            agent::say(&made)?;
        }
    }
    Ok(made)
}

/// Moves a property set among its siblings, by a patch set.
fn reorder(cib: &Cib, dice: &mut Dice) -> Result<()> {
    let old = cib.query()?;
    let mut new = old.clone();
    let config = new.root().descendants().find(|e| e.name() == "crm_config");
    let sets: Vec<_> = config
        .into_iter()
        .flat_map(|c| c.children().map(Element::id))
        .collect();
    if sets.len() < 2 {
        return Err(Error::new(ErrorKind::NotFound, "nothing to reorder yet"));
    }
    new.move_child(sets[dice.roll(sets.len())], dice.roll(sets.len()));
    if new == old {
        return Err(Error::new(ErrorKind::NotFound, "already in that order"));
    }
    cib.apply(&PatchSet::between(&old, &new)?)
}

/// Waits until the mirror in a node is what `cibadmin` prints there.
fn equal_to_cibadmin(lab: &Lab, node: &str, mut mirror: agent::Running) -> Result<Seen> {
    let equal = settled(lab, node, &mut mirror);
    equal.or_else(|e| {
        // The agent's own failure says more, when it has one.
        mirror.hush();
        mirror.result::<()>()?;
        Err(e)
    })
}

fn settled(lab: &Lab, node: &str, mirror: &mut agent::Running) -> Result<Seen> {
    let what = "the mirror equals the CIB";
    lab.wait_until(Duration::from_secs(60), what, || {
        let seen = ask(mirror)?;
        let ours = Document::parse(&seen.xml)?;
        let text = lab
            .node(node)?
            .command("cibadmin")
            .arg("--query")
            .stdout()?;
        let theirs = Document::parse(&text)?;
        if ours == theirs {
            return Ok(seen);
        }
        let versions = format!("{} here, {} there", ours.version(), theirs.version());
        if ours.version() != theirs.version() {
            return Err(NotYet::because(versions));
        }
        let patch = PatchSet::between(&ours, &theirs)?;
        // Who made the last change is asked for after it.
        let unsigned = patch.changes().count() == 1 && patch.to_xml().contains("path=\"/cib\"");
        let text = format!("different at {versions}: {}", patch.to_xml());
        Err(if unsigned {
            NotYet::because(text)
        } else {
            NotYet::fatal(text)
        })
    })
}

/// Asks a mirror what it saw.
fn ask(mirror: &mut agent::Running) -> Result<Seen, NotYet> {
    let told = mirror.tell(&());
    match told.and_then(|()| mirror.heard()) {
        Ok(Some(seen)) => Ok(seen),
        Ok(None) => Err(NotYet::fatal("the mirror ended")),
        Err(e) => Err(NotYet::Fatal(e)),
    }
}

fn mirror_equals_the_cib_after_random_changes(lab: &Lab) -> Result<()> {
    let mut mirror = lab.node("maitre")?.start_agent("watch::mirror", &())?;
    assert_eq!(mirror.heard::<String>()?.as_deref(), Some("ready"));
    let args = Churn {
        seed: 20_261_122,
        changes: 500,
        tell_after: None,
    };
    let made: usize = lab.node("esclave")?.call("watch::churn", &args)?;
    let seen = equal_to_cibadmin(lab, "maitre", mirror)?;
    // Step by step, not by querying again and again; some changes are to the same value.
    assert!(
        seen.changed > made / 2,
        "{} changes seen of {made}",
        seen.changed
    );
    assert_eq!((seen.refetched, &seen.lost[..]), (0, &[][..]), "{seen:?}");
    no_client_was_evicted(lab)
}

/// The time and the author of the last change, which no patch set tells, are known as well: after each
/// single change, each by another program and in another second.
fn mirror_follows_single_changes(lab: &Lab) -> Result<()> {
    let esclave = lab.node("esclave")?;
    let second = || esclave.command("date").arg("+%S").stdout();
    for node in ["maitre", "esclave"] {
        let mut mirror = lab.node(node)?.start_agent("watch::mirror", &())?;
        assert_eq!(mirror.heard::<String>()?.as_deref(), Some("ready"));
        for (number, tool) in ["crm_attribute", "cibadmin", "crm_attribute"]
            .into_iter()
            .enumerate()
        {
            let before = second()?;
            lab.wait_until(
                Duration::from_secs(60),
                "a second has passed",
                || match second()? {
                    now if now == before => Err(NotYet::because(now)),
                    _ => Ok(()),
                },
            )?;
            let name = format!("single-{node}-{number}");
            let set = format!("<cluster_property_set id='{name}'/>");
            let change = esclave.command(tool);
            if tool == "cibadmin" {
                change.args(["-C", "-o", "crm_config", "-X", &set])
            } else {
                change.args(["--name", &name, "--update", "1"])
            }
            .stdout()?;
            let seen = settled(lab, node, &mut mirror)?;
            assert!(seen.xml.contains(&name), "{}", seen.xml);
            // Pacemaker 2 notes the tool, Pacemaker 3 the user.
            let query = esclave.command("cibadmin").arg("-Ql").stdout()?;
            let author = |xml: &str| {
                let after = xml.split_once("update-client=")?.1;
                after.split('"').nth(1).map(str::to_owned)
            };
            assert!(author(&query).is_some(), "{query}");
            assert_eq!(author(&seen.xml), author(&query), "{}", seen.xml);
            assert_eq!((seen.refetched, &seen.lost[..]), (0, &[][..]), "{seen:?}");
        }
        mirror.hush();
        mirror.result::<()>()?;
    }
    Ok(())
}

fn mirror_survives_the_daemon_killed(lab: &Lab) -> Result<()> {
    let maitre = lab.node("maitre")?;
    let mut mirror = maitre.start_agent("watch::mirror", &())?;
    assert_eq!(mirror.heard::<String>()?.as_deref(), Some("ready"));
    let args = Churn {
        seed: 4711,
        changes: 500,
        tell_after: Some(250),
    };
    let mut churn = lab.node("esclave")?.start_agent("watch::churn", &args)?;
    assert_eq!(churn.heard()?, Some(250));
    maitre.kill("pacemaker-based")?;
    let made: usize = churn.result()?;
    assert_eq!(made, 500);
    wait_respawned(lab, &maitre, "pacemaker-based answers cibadmin", || {
        let asked = maitre.command("cibadmin").arg("--query").stdout();
        Ok(asked.map(drop)?)
    })?;
    let seen = equal_to_cibadmin(lab, "maitre", mirror)?;
    assert!(!seen.lost.is_empty(), "{seen:?}");
    assert_eq!(
        seen.lost.len(),
        seen.reconnected.len(),
        "{:?} {:?}",
        seen.lost,
        seen.reconnected
    );
    // The daemon began again from its file while the other node went on.
    assert!(seen.reconnected.contains(&true), "{:?}", seen.reconnected);
    Ok(())
}

fn mirror_survives_corosync_killed(lab: &Lab) -> Result<()> {
    let esclave = lab.node("esclave")?;
    let mut mirror = esclave.start_agent("watch::mirror", &())?;
    assert_eq!(mirror.heard::<String>()?.as_deref(), Some("ready"));
    esclave.kill("corosync")?;
    lab.wait_until(
        Duration::from_secs(90),
        "the mirror says that it is lost",
        || {
            let seen = ask(&mut mirror)?;
            if seen.lost.is_empty() {
                Err(NotYet::because("it does not"))
            } else {
                Ok(())
            }
        },
    )?;
    let args = Churn {
        seed: 99,
        changes: 20,
        tell_after: None,
    };
    let _: usize = lab.node("maitre")?.call("watch::churn", &args)?;
    esclave.command("corosync").stdout()?;
    lab.wait_online(Duration::from_secs(120))?;
    let seen = equal_to_cibadmin(lab, "esclave", mirror)?;
    assert_eq!(seen.reconnected.last(), Some(&true), "{seen:?}");
    Ok(())
}

/// Follows the CIB as a stream, beside other work in the same thread, until it holds what the test asks
/// for; says each such thing when it is there.
fn stream(wanted: Vec<String>) -> Result<usize> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut stream = Watch::open(&connect()?)?.into_stream()?;
        agent::say(&"ready")?;
        let (mut updates, mut ticks) = (0, 0_u32);
        let mut clock = tokio::time::interval(Duration::from_millis(20));
        for id in wanted {
            let id = format!("id=\"{id}\"");
            while !stream.document().to_xml_compact().contains(&id) {
                tokio::select! {
                    update = next(&mut stream) => match update {
                        Some(update) => updates += usize::from(matches!(update?, Update::Changed { .. })),
                        None => return Err(Error::invalid("the stream has ended")),
                    },
                    _ = clock.tick() => ticks += 1,
                }
            }
            agent::say(&id)?;
        }
        assert!(ticks > 0, "the other work had no turn");
        Ok(updates)
    })
}

async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    std::future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}

fn changes_come_as_a_stream(lab: &Lab) -> Result<()> {
    let ids = ["streamed-1", "streamed-2", "streamed-3"];
    let mut stream = lab.node("maitre")?.start_agent("watch::stream", &ids)?;
    assert_eq!(stream.heard::<String>()?.as_deref(), Some("ready"));
    for id in ids {
        let set = format!("<cluster_property_set id='{id}'/>");
        lab.node("esclave")?
            .command("cibadmin")
            .args(["-C", "-o", "crm_config", "-X", &set])
            .stdout()?;
        assert_eq!(stream.heard()?, Some(format!("id=\"{id}\"")));
    }
    let updates: usize = stream.result()?;
    assert!(updates >= ids.len(), "{updates}");
    Ok(())
}

/// Reads nothing while the test makes changes, then all of it.
fn sleepy((): ()) -> Result<Seen> {
    let mut watch = Watch::open(&connect()?)?;
    agent::say(&"ready")?;
    agent::listen::<()>()?;
    let mut seen = Seen::default();
    let quiet = || Instant::now() + Duration::from_secs(2);
    while let Some(update) = watch.next_before(quiet())? {
        seen.count(&update);
    }
    // The test compares what the mirror has each time it asks.
    while agent::listen::<()>()?.is_some() {
        while let Some(update) = watch.try_next() {
            seen.count(&update);
        }
        agent::say(&watch.document().to_xml_compact())?;
    }
    seen.xml = watch.document().to_xml_compact();
    Ok(seen)
}

fn changes_merge_for_a_slow_reader(lab: &Lab) -> Result<()> {
    let maitre = lab.node("maitre")?;
    let mut sleepy = maitre.start_agent("watch::sleepy", &())?;
    assert_eq!(sleepy.heard::<String>()?.as_deref(), Some("ready"));
    let args = Churn {
        seed: 5,
        changes: 600,
        tell_after: None,
    };
    let _: usize = lab.node("esclave")?.call("watch::churn", &args)?;
    sleepy.tell(&())?;
    // The cluster's own changes may go on for a while: the two are looked at until neither moves.
    let limit = Duration::from_secs(60);
    lab.wait_until(limit, "the mirror equals the CIB", || {
        let text = maitre.command("cibadmin").arg("--query").stdout()?;
        sleepy.tell(&())?;
        let ours = sleepy.heard::<String>()?.unwrap_or_default();
        let (ours, theirs) = (Document::parse(&ours)?, Document::parse(&text)?);
        if ours == theirs {
            Ok(())
        } else {
            let versions = (ours.version(), theirs.version());
            Err(NotYet::because(format!("versions {versions:?}")))
        }
    })?;
    sleepy.hush();
    let seen: Seen = sleepy.result()?;
    assert!(seen.merged > 256, "{}", seen.merged);
    assert_eq!(seen.refetched, 1, "{} {}", seen.refetched, seen.changed);
    assert!(seen.xml.contains("churn-"), "the changes are not there");
    Ok(())
}

/// The CIB manager closes the connection of a client that is too far behind, and says so in its log.
pub(crate) fn no_client_was_evicted(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        let log = node.read("/var/log/pacemaker/pacemaker.log")?;
        let evicted: Vec<_> = log
            .lines()
            .filter(|line| line.contains("Evicting client"))
            .collect();
        assert!(evicted.is_empty(), "{}: {evicted:#?}", node.name());
    }
    Ok(())
}
