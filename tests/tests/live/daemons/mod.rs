//! The daemons besides the CIB manager: launcher, attributes, controller, fencer, executor.

mod attributes;
mod controllers;
mod executors;
pub(crate) mod fencers;

pub(crate) use fencers::add_switch;

use std::time::{Duration, Instant, SystemTime};

use ha_core::live::pacemaker::attrd::{self, Scope};
use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
use ha_core::live::pacemaker::controld::{self};
use ha_core::live::pacemaker::executor::{self};
use ha_core::live::pacemaker::fencer::{self};
use ha_core::live::pacemaker::pacemakerd;
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet, agent, wait_until};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("daemons::ping_launcher", ping_launcher);
    harness.shared(
        "daemons::launcher_tells_its_state",
        launcher_tells_its_state,
    );
    harness.agent("daemons::ask_the_stopped", ask_the_stopped);
    harness.agent("daemons::ask_all_the_time", ask_all_the_time);
    harness.test(
        "daemons::a_fencer_stopped_at_work_holds_nobody_up",
        own(
            LabOptions::default(),
            a_fencer_stopped_at_work_holds_nobody_up,
        ),
    );
    harness.agent("daemons::ask_many_times", ask_many_times);
    harness.shared("daemons::asking_leaks_nothing", asking_leaks_nothing);
    harness.test(
        "daemons::stopped_daemons_hold_nobody_up",
        own(LabOptions::default(), stopped_daemons_hold_nobody_up),
    );
    harness.test(
        "daemons::a_stopped_or_dead_launcher_is_reported",
        own(
            LabOptions::default(),
            a_stopped_or_dead_launcher_is_reported,
        ),
    );
    attributes::register(harness);
    controllers::register(harness);
    executors::register(harness);
    fencers::register(harness);
}

/// What a loaded machine may add to the limit of a call; a stopped daemon would hold it for minutes.
const SLACK: Duration = Duration::from_secs(20);

const LIMIT: Duration = Duration::from_secs(60);

/// An error as text that starts with its kind.
fn told<T>(result: Result<T>) -> std::result::Result<T, String> {
    result.map_err(|e| format!("{:?}: {e:#}", e.kind()))
}

fn now() -> Result<i64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Ok(now
        .map_err(|e| Error::invalid(e.to_string()))?
        .as_secs()
        .cast_signed())
}

/// The state and the second of the last update; an error as its kind and text.
fn ping_launcher(seconds: u64) -> Result<std::result::Result<(String, Option<i64>), String>> {
    let limit = Duration::from_secs(seconds);
    let asked = Instant::now();
    let answer = match pacemakerd::ping(limit) {
        Ok(status) => Ok((
            status.state.as_str().to_owned(),
            status.last_updated.map(jiff::Timestamp::as_second),
        )),
        Err(e) => Err(format!("{:?}: {e:#}", e.kind())),
    };
    assert!(asked.elapsed() < limit + SLACK, "{:?}", asked.elapsed());
    Ok(answer)
}

fn launcher_tells_its_state(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let before = now()?;
    let (state, updated) = node
        .call::<std::result::Result<(String, Option<i64>), String>>("daemons::ping_launcher", &10)?
        .expect("an answer");
    let tool = node.command("crmadmin").arg("--pacemakerd").stdout()?;
    assert!(tool.contains("'Pacemaker is running'"), "{tool}");
    assert_eq!(state, "running");
    let updated = updated.expect("a time");
    assert!(
        (before - 60..=before + 60).contains(&updated),
        "{updated} at {before}"
    );
    Ok(())
}

/// Neither hangs the caller, and what is said differs.
fn a_stopped_or_dead_launcher_is_reported(lab: &Lab) -> Result<()> {
    let node = lab.node("esclave")?;
    let ask = || {
        node.call::<std::result::Result<(String, Option<i64>), String>>(
            "daemons::ping_launcher",
            &2,
        )
    };
    node.stop("pacemakerd")?;
    let stopped = ask()?.expect_err("pacemakerd is stopped");
    assert!(stopped.starts_with("Timeout: ping pacemakerd"), "{stopped}");
    node.cont("pacemakerd")?;
    assert_eq!(ask()?.expect("it goes on").0, "running");
    node.kill("pacemakerd")?;
    let dead = ask()?.expect_err("pacemakerd is dead");
    assert!(dead.starts_with("Disconnected: ping pacemakerd"), "{dead}");
    Ok(())
}

/// Asks each daemon, with a little time to answer; then the CIB, which must not be held up by them.
fn ask_the_stopped((): ()) -> Result<Vec<(String, String)>> {
    // The first call also loads Pacemaker's libraries, which takes a busy machine a moment. The others
    // must not wait for long: pacemakerd kills what has not answered it for half a minute.
    pacemakerd::ping(LIMIT)?;
    let limit = Duration::from_secs(3);
    let scope = Scope::default();
    let mut answers = Vec::new();
    let mut ask = |what: &str, f: &dyn Fn() -> Result<()>| {
        let asked = Instant::now();
        let answer = told(f()).map_or_else(|e| e, |()| "answered".to_owned());
        assert!(
            asked.elapsed() < limit + SLACK,
            "{what}: {:?}",
            asked.elapsed()
        );
        answers.push((what.to_owned(), answer));
    };
    ask("controld", &|| controld::nodes(limit).map(drop));
    ask("attrd", &|| attrd::set("held", "1", &scope, limit));
    ask("fencer", &|| fencer::devices(limit).map(drop));
    let cib = Cib::connect(&ConnectOptions::default())?.with_timeout(limit);
    ask("cib", &|| cib.query().map(drop));
    Ok(answers)
}

fn stopped_daemons_hold_nobody_up(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let daemons = ["pacemaker-controld", "pacemaker-attrd", "pacemaker-fenced"];
    for daemon in daemons {
        node.stop(daemon)?;
    }
    let answers: Vec<(String, String)> = node.call("daemons::ask_the_stopped", &())?;
    for (what, answer) in &answers[..3] {
        assert!(answer.starts_with("Timeout: "), "{what}: {answer}");
    }
    assert_eq!(answers[3].1, "answered");
    for daemon in daemons {
        node.cont(daemon)?;
    }
    // They first work off what came while they were stopped.
    lab.wait_until(Duration::from_secs(60), "all of them answer again", || {
        let answers: Vec<(String, String)> = node.call("daemons::ask_the_stopped", &())?;
        if answers.iter().all(|(_, answer)| answer == "answered") {
            Ok(())
        } else {
            Err(NotYet::because(format!("{answers:?}")))
        }
    })
}

/// Asks the fencer all the time, from one thread; and the CIB manager each time the test says so, with
/// more patience than the fencer is given.
fn ask_all_the_time((): ()) -> Result<()> {
    let answered = std::sync::atomic::AtomicU64::new(0);
    let over = std::sync::atomic::AtomicBool::new(false);
    let count = || answered.load(std::sync::atomic::Ordering::Acquire);
    // Connected to both, so that none of them is stopped while a connection is made.
    let cib = Cib::connect(&ConnectOptions::default())?.with_timeout(3 * SLACK);
    cib.query()?;
    fencer::devices(LIMIT)?;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::Acquire) {
                match fencer::devices(Duration::from_secs(1)) {
                    Ok(_) => {
                        answered.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
                    }
                    Err(e) => assert!(
                        matches!(e.kind(), ErrorKind::Timeout | ErrorKind::Disconnected),
                        "{e:#}"
                    ),
                }
            }
        });
        let talk = || -> Result<()> {
            agent::say(&"ready")?;
            while let Some(question) = agent::listen::<String>()? {
                if question == "the fencer" {
                    let before = count();
                    lab::wait_until(3 * SLACK, "the fencer answers", || {
                        if count() > before {
                            Ok(())
                        } else {
                            Err(NotYet::because("it does not"))
                        }
                    })?;
                } else {
                    cib.query()?;
                }
                agent::say(&question)?;
            }
            Ok(())
        };
        let result = talk();
        over.store(true, std::sync::atomic::Ordering::Release);
        result
    })
}

/// The fencer's own library waits a minute longer than it is told to.
fn a_fencer_stopped_at_work_holds_nobody_up(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let mut running = node.start_agent("daemons::ask_all_the_time", &())?;
    assert_eq!(running.heard::<String>()?.as_deref(), Some("ready"));
    let mut ask = |question: &str| -> Result<()> {
        running.tell(&question)?;
        assert_eq!(running.heard::<String>()?.as_deref(), Some(question));
        Ok(())
    };
    for _ in 0..3 {
        ask("the fencer")?;
        node.stop("pacemaker-fenced")?;
        let answer = ask("the CIB manager");
        node.cont("pacemaker-fenced")?;
        answer?;
    }
    ask("the fencer")
}

/// Descriptors and resident KiB of this process.
fn held() -> Result<(usize, u64)> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix(" kB")?
                .parse()
                .ok()
        })
        .ok_or_else(|| Error::invalid("no VmRSS"))?;
    Ok((std::fs::read_dir("/proc/self/fd")?.count(), resident))
}

/// What is held after the first 50 rounds of questions, and after as many as asked.
fn ask_many_times(rounds: usize) -> Result<[(usize, u64); 2]> {
    let scope = Scope::default();
    let mut first = (0, 0);
    for round in 0..rounds {
        pacemakerd::ping(LIMIT)?;
        controld::nodes(LIMIT)?;
        controld::ping(None, LIMIT)?;
        attrd::set("round", &round.to_string(), &scope, LIMIT)?;
        // The first value of all takes its way through the cluster before it is known.
        wait_until(LIMIT, "the attribute is known", || {
            Ok(attrd::query("round", None, LIMIT).map(drop)?)
        })?;
        fencer::devices(LIMIT)?;
        executor::providers(LIMIT)?;
        if round == 50 {
            first = held()?;
        }
    }
    Ok([first, held()?])
}

fn asking_leaks_nothing(lab: &Lab) -> Result<()> {
    let node = lab.node("esclave")?;
    let mut asking = node.start_agent("daemons::ask_many_times", &400)?;
    asking.set_limit(Duration::from_secs(600));
    let [first, last]: [(usize, u64); 2] = asking.result()?;
    assert!(
        last.0 <= first.0 + 2,
        "descriptors: {first:?}, then {last:?}"
    );
    assert!(
        agent::memcheck() || last.1 < first.1 + 1024,
        "KiB: {first:?}, then {last:?}"
    );
    Ok(())
}
