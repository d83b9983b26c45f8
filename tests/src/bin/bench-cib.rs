//! How fast the CIB is read, changed and followed, beside the C library in the same run.
//!
//! `bench-cib [ROUNDS]`, as root. The C side is a folder, named by `HA_BENCH_C`, that holds
//! `cib_loop.c`; it is compiled with the installed headers. Without it our own figures are printed.
//! Both sides take turns, and what counts is the ratio.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime};

use ha_core::live::pacemaker::cib::{Cib, ConnectOptions, Section};
use ha_core::live::pacemaker::watch::{Update, Watch};
use ha_core::xml::Document;
use ha_core::{Error, ErrorExt as _, Result};
use lab::harness::Harness;
use lab::{Lab, LabOptions, NotYet, agent};
use serde::{Deserialize, Serialize};

/// Where the C program is in the machine.
const C_PROGRAM: &str = "/run/bench-cib-c";

fn main() -> ExitCode {
    let mut harness = Harness::new();
    harness.agent("bench::cib", inside);
    harness.agent("bench::writer", writer);
    if let Some(code) = harness.inside() {
        return code;
    }
    let rounds = std::env::args().nth(1).map_or(Ok(5), |text| text.parse());
    let done = match rounds {
        Ok(rounds) => run(rounds),
        Err(e) => Err(Error::invalid(format!("the number of rounds: {e}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e:?}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Args {
    rounds: usize,
    c: bool,
}

fn run(rounds: usize) -> Result<()> {
    lab::require_root()?;
    let program = std::env::var_os("HA_BENCH_C")
        .map(|folder| compile(Path::new(&folder)))
        .transpose()?;
    let lab = Lab::start(&LabOptions::default())?;
    lab.load_sphynx()?;
    let node = lab.node("maitre")?;
    if let Some(program) = &program {
        node.write(
            C_PROGRAM,
            std::fs::read(program).context("read the C program")?,
        )?;
        node.command("chmod").args(["755", C_PROGRAM]).stdout()?;
    } else {
        println!("HA_BENCH_C is not set: no C side");
    }
    let args = Args {
        rounds,
        c: program.is_some(),
    };
    let mut running = node.start_agent("bench::cib", &args)?;
    while let Some(line) = running.heard::<String>()? {
        if line == "writer" {
            // What it writes is timed where it is seen.
            let times: Vec<(u32, f64)> = node.call("bench::writer", &200_u32)?;
            running.tell(&times)?;
        } else {
            println!("{line}");
        }
    }
    running.result::<()>()
}

fn compile(folder: &Path) -> Result<PathBuf> {
    let program = std::env::temp_dir().join(format!("bench-cib-{}", std::process::id()));
    let flags = Command::new("pkg-config")
        .args([
            "--cflags",
            "--libs",
            "pacemaker-cib",
            "libxml-2.0",
            "glib-2.0",
        ])
        .output()
        .context("run pkg-config")?;
    let status = Command::new("cc")
        .args(["-O2", "-w", "-o"])
        .arg(&program)
        .arg(folder.join("cib_loop.c"))
        .args(String::from_utf8_lossy(&flags.stdout).split_whitespace())
        .status()
        .context("run the C compiler")?;
    if !status.success() {
        return Err(Error::invalid("the C side does not compile"));
    }
    Ok(program)
}

/// The middle and the 95th percentile, in microseconds.
#[derive(Clone, Copy)]
struct Figures {
    median: f64,
    p95: f64,
}

fn figures(mut times: Vec<f64>) -> Figures {
    times.sort_by(f64::total_cmp);
    let at = |part: usize| {
        times
            .get(times.len() * part / 100)
            .copied()
            .unwrap_or(f64::NAN)
    };
    Figures {
        median: at(50) * 1e6,
        p95: at(95) * 1e6,
    }
}

fn time(times: usize, mut f: impl FnMut(usize) -> Result<()>) -> Result<Vec<f64>> {
    (0..times)
        .map(|n| {
            let start = Instant::now();
            f(n)?;
            Ok(start.elapsed().as_secs_f64())
        })
        .collect()
}

/// The C program's median, in microseconds.
fn c_median(args: &[&str]) -> Result<f64> {
    let output = Command::new(C_PROGRAM)
        .args(args)
        .output()
        .context("run the C program")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text
        .split_whitespace()
        .skip_while(|word| *word != "median")
        .skip(1);
    words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| {
            let errors = String::from_utf8_lossy(&output.stderr);
            Error::invalid(format!(
                "the C program's {args:?} printed {text:?} {errors:?}"
            ))
        })
}

/// Ours and C's medians of each round.
#[derive(Default)]
struct Duel {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Duel {
    fn round(
        &mut self,
        c: bool,
        times: usize,
        c_args: &[&str],
        f: impl FnMut(usize) -> Result<()>,
    ) -> Result<()> {
        self.ours.push(figures(time(times, f)?).median);
        if c {
            self.theirs.push(c_median(c_args)?);
        }
        Ok(())
    }

    fn ours(&self) -> f64 {
        middle(&self.ours)
    }

    /// Prints the medians over the rounds and their ratio, in microseconds.
    fn print(&self, what: &str, goal: &str) -> Result<()> {
        let ours = self.ours();
        let mut line = format!("{what:<34} {ours:>9.0} us");
        if !self.theirs.is_empty() {
            let theirs = middle(&self.theirs);
            line += &format!(
                "   C {theirs:>9.0} us   ratio {:.2}   {goal}",
                ours / theirs
            );
        }
        agent::say(&line)
    }
}

fn middle(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn connect() -> Result<Cib> {
    Cib::connect(&ConnectOptions::default())
}

/// A property set of so many values, as the C program writes it.
fn values(count: usize, value: usize) -> Result<Document> {
    let mut set = Document::new("cluster_property_set");
    let root = set.root().id();
    set.set_attribute(root, "id", "pf-bench");
    for n in 0..count {
        let pair = set.append_child(root, "nvpair");
        let name = format!("pf-v-{n}");
        set.set_attribute(pair, "id", &name);
        set.set_attribute(pair, "name", &name);
        set.set_attribute(pair, "value", &value.to_string());
    }
    Ok(set)
}

/// Runs in the machine: all figures but the writer's.
fn inside(Args { rounds, c }: Args) -> Result<()> {
    sign_on(rounds, c)?;
    let cib = connect()?;
    let size = cib.query()?.to_xml().len();
    agent::say(&format!("-- CIB of {size} bytes"))?;
    queries(&cib, rounds, c)?;
    writes(&cib, rounds, c)?;
    let filler = values(400, 1)?;
    cib.modify(Section::CrmConfig, &filler)?;
    let size = cib.query()?.to_xml().len();
    agent::say(&format!("-- CIB of {size} bytes"))?;
    queries(&cib, rounds, c)?;
    cib.delete(Section::CrmConfig, &filler)?;
    events(&cib, c)
}

fn sign_on(rounds: usize, c: bool) -> Result<()> {
    let mut duel = Duel::default();
    let open = || {
        std::fs::read_dir("/proc/self/fd")
            .map(Iterator::count)
            .context("list descriptors")
    };
    drop(connect()?);
    let mut idle = open()?;
    for _ in 0..rounds {
        let mut times = Vec::new();
        for _ in 0..50 {
            // The connection is closed by another thread; a new one made before that would be it.
            lab::wait_until(Duration::from_secs(5), "the connection is closed", || {
                let now = open()?;
                let settled = now <= idle;
                idle = idle.min(now);
                if settled {
                    Ok(())
                } else {
                    Err(NotYet::because(format!("{now} descriptors")))
                }
            })?;
            let start = Instant::now();
            let cib = connect()?;
            times.push(start.elapsed().as_secs_f64());
            drop(cib);
        }
        duel.ours.push(figures(times).median);
        if c {
            duel.theirs.push(c_median(&["signon", "50"])?);
        }
    }
    duel.print("sign on (ours also probes)", "")
}

fn queries(cib: &Cib, rounds: usize, c: bool) -> Result<()> {
    let (mut whole, mut one, mut spawn) = (Duel::default(), Duel::default(), Vec::new());
    for _ in 0..rounds {
        whole.round(c, 200, &["query", "200"], |_| cib.query().map(drop))?;
        let xpath = "//nvpair[@name='stonith-enabled']";
        one.round(c, 400, &["xquery", "400"], |_| {
            cib.query_xpath(xpath).map(drop)
        })?;
        spawn.push(figures(time(5, |_| {
            let mut tool = Command::new("cibadmin");
            tool.arg("-Q")
                .stdout(Stdio::null())
                .status()
                .context("run cibadmin")
                .map(drop)
        })?));
    }
    whole.print("query all into a Document", "(at most 1.15)")?;
    one.print("query one value by XPath", "")?;
    let spawn = middle(&spawn.iter().map(|f| f.median).collect::<Vec<_>>());
    let times = spawn / whole.ours();
    agent::say(&format!(
        "{:<34} {spawn:>9.0} us   {times:.0} times a query (at least 15)",
        "cibadmin -Q"
    ))
}

fn writes(cib: &Cib, rounds: usize, c: bool) -> Result<()> {
    let (mut single, mut batch, mut status) = (Duel::default(), Duel::default(), Duel::default());
    cib.modify_or_create(Section::CrmConfig, &values(1, 0)?)?;
    let mut serial = 0;
    let mut next = || {
        serial += 1;
        serial
    };
    for _ in 0..rounds {
        single.round(c, 100, &["modify", "100"], |_| {
            cib.modify(Section::CrmConfig, &values(1, next())?)
        })?;
        batch.round(c, 10, &["batch", "10", "100"], |_| {
            cib.modify(Section::CrmConfig, &values(100, next())?)
        })?;
        status.round(c, 100, &["status", "100"], |_| {
            let state = format!("<node_state id='1' pf-bench='pf{}'/>", next());
            cib.modify(Section::Status, &Document::parse(&state)?)
        })?;
    }
    single.print("change one value", "(at most 1.11)")?;
    status.print("change the status", "")?;
    batch.print("change 100 values at once", "")?;
    let times = 100.0 * single.ours() / batch.ours();
    agent::say(&format!(
        "100 values at once: {times:.0} times the values of single changes (at least 30)"
    ))
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |d| d.as_secs_f64())
}

/// Changes the status so many times, with pauses; returns when each began.
fn writer(times: u32) -> Result<Vec<(u32, f64)>> {
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

fn events(cib: &Cib, c: bool) -> Result<()> {
    let mut watch = Watch::open(cib)?;
    let theirs = if c { Some(CWatch::start()?) } else { None };
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
        agent::say(&format!(
            "{:<34} {median:>9.0} us   p95 {p95:.0} us   {} of {all} seen",
            format!("change to event, {who}"),
            seen.len()
        ))
    };
    print("ours (p95 below 50 ms)", &seen)?;
    if let Some(theirs) = theirs {
        print("C callback", &theirs.finish()?)?;
    }
    Ok(())
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
