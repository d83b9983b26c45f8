//! From a change of the CIB to the event in another process.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use ha_core::live::pacemaker::cib::{Cib, Section};
use ha_core::live::pacemaker::watch::{Update, Watch};
use ha_core::xml::Document;
use ha_core::{Error, ErrorExt as _, Result};
use lab::agent;
use lab::bench::{Figures, Goals, figures};

use crate::inside::{C_PROGRAM, connect};

/// The 95th percentile of the time from a change to its event, in microseconds.
const MOST_EVENT: f64 = 50_000.0;

fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |d| d.as_secs_f64())
}

/// Changes the status so many times, with pauses; returns when each began.
pub(crate) fn writer(times: u32) -> Result<Vec<(u32, f64)>> {
    let cib = connect()?;
    let mut began = Vec::new();
    for n in 0..times {
        let state = Document::parse(&format!("<node_state id='1' latency='event-{n}.'/>"))?;
        began.push((n, now()));
        cib.modify(Section::Status, &state)?;
        pause(Duration::from_millis(20));
    }
    Ok(began)
}

/// Lets the cluster come to rest between two changes: there is no condition to wait for.
fn pause(time: Duration) {
    std::thread::park_timeout(time);
}

/// Finds the number of the writer's change in a text.
fn event_number(text: &str) -> Option<u32> {
    let after = text.split("event-").nth(1)?;
    after.split('.').next()?.parse().ok()
}

pub(crate) fn events(cib: &Cib, goals: &mut Goals) -> Result<()> {
    let mut watch = Watch::open(cib)?;
    let theirs = CWatch::start()?;
    agent::say(&"writer")?;
    let reader = std::thread::spawn(agent::listen::<Vec<(u32, f64)>>);
    let mut seen = HashMap::new();
    let mut began = None;
    let mut reader = Some(reader);
    loop {
        while let Some(update) = watch.next_before(Instant::now() + Duration::from_millis(300))? {
            let at = now();
            if let Update::Changed { patch, .. } = &update
                && let Some(n) = event_number(&patch.to_xml())
            {
                seen.insert(n, at);
            }
        }
        if began.is_some() {
            break;
        }
        if reader
            .as_ref()
            .is_some_and(std::thread::JoinHandle::is_finished)
            && let Some(reader) = reader.take()
        {
            let heard = reader
                .join()
                .map_err(|_| Error::invalid("the reader panicked"))??;
            began = heard;
        }
    }
    let began = began.unwrap_or_default();
    let latencies = |seen: &HashMap<u32, f64>| -> Vec<f64> {
        began
            .iter()
            .filter_map(|(n, start)| Some(seen.get(n)? - start))
            .collect()
    };
    let print = |who: &str, seen: &HashMap<u32, f64>| {
        let Figures { median, p95 } = figures(latencies(seen));
        let all = began.len();
        let line = format!(
            "{:<34} {median:>9.0} us   p95 {p95:.0} us   {} of {all} seen",
            format!("change to event, {who}"),
            seen.len()
        );
        agent::say(&line).map(|()| p95)
    };
    let p95 = print("ours", &seen)?;
    print("C callback", &theirs.finish()?)?;
    goals.at_most("change to event, p95 in us", p95, MOST_EVENT)?;
    let skipped = began.iter().filter(|(n, _)| !seen.contains_key(n)).count();
    goals.at_most("changes that were not seen", skipped as f64, 0.0)
}

/// The C program that prints the time of each change.
struct CWatch {
    child: Child,
    /// Reads all the while: the program would wait for a full pipe.
    reader: std::thread::JoinHandle<HashMap<u32, f64>>,
}

impl CWatch {
    fn start() -> Result<Self> {
        let mut child = Command::new(C_PROGRAM)
            .arg("watch")
            .env("DUMP", "1")
            .stdout(Stdio::piped())
            .spawn()
            .context("run the C program")?;
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| Error::invalid("no output"))?;
        let mut lines = BufReader::new(stdout)
            .lines()
            .map_while(std::result::Result::ok);
        match lines.next() {
            Some(line) if line.contains("ready") => {}
            other => return Err(Error::invalid(format!("the C program said {other:?}"))),
        }
        let reader = std::thread::spawn(move || {
            let event = |line: String| {
                let (time, rest) = line.split_once(' ')?;
                Some((event_number(rest)?, time.parse().ok()?))
            };
            lines.filter_map(event).collect()
        });
        Ok(Self { child, reader })
    }

    /// Ends it, and returns when it saw each of the writer's changes.
    fn finish(mut self) -> Result<HashMap<u32, f64>> {
        self.child.kill().context("end the C program")?;
        self.child.wait().context("end the C program")?;
        self.reader
            .join()
            .map_err(|_| Error::invalid("the reader panicked"))
    }
}
