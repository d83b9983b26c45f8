//! How long nobody answers for the pair when the active node loses its power, as the gateway sees it.
//!
//! There is no other side to compare with: the floor is Corosync's, 2.2 times its token (the token is
//! lost, then the survivors agree), and what comes on top is Pacemaker's and the agents'.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use ha_core::Result;
use lab::bench::Goals;
use lab::{Lab, LabOptions, Pings, Transport, sphynx};

/// The most that may come on top of the floor, in the median.
const ON_TOP: f64 = 0.4;

/// A run that takes this much longer than the floor is one in which the controller has waited, a
/// second, for the CIB of the node that is gone.
const SLOW: f64 = 0.7;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(120);

#[derive(Debug, Parser)]
#[command(about = "The time from a power cut until VIP_externe answers again")]
struct Arguments {
    /// How many power cuts, on one node and the other in turns, for each line.
    #[arg(long, default_value_t = 10)]
    runs: usize,
    /// Only this one; all of them if left out.
    #[arg(long)]
    profile: Option<Profile>,
    /// Only this one, udp (multicast) or knet; both if left out.
    #[arg(long)]
    transport: Option<Transport>,
    /// Exit with 1 when a goal is missed.
    #[arg(long)]
    check: bool,
}

/// How soon a node is given up.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Profile {
    Rapide,
    Standard,
    Prudent,
}

impl Profile {
    fn token(self) -> u32 {
        match self {
            Self::Rapide => 500,
            Self::Standard => 1000,
            Self::Prudent => 3000,
        }
    }
}

fn main() -> ExitCode {
    if let Some(code) = lab::inner_role() {
        return code;
    }
    let arguments = Arguments::parse();
    match run(&arguments).map(|good| good || !arguments.check) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("bench-failover: {e:?}");
            ExitCode::from(e.exit_code())
        }
    }
}

/// Tells whether all goals are met.
fn run(arguments: &Arguments) -> Result<bool> {
    lab::require_root()?;
    let mut goals = Goals::new(|line| {
        println!("{line}");
        Ok(())
    });
    let profiles = arguments
        .profile
        .map_or(Profile::value_variants().to_vec(), |p| vec![p]);
    let both = [Transport::Udp, Transport::Knet];
    let transports = arguments.transport.map_or(both.to_vec(), |t| vec![t]);
    for profile in profiles {
        for transport in &transports {
            measure(profile, *transport, arguments.runs, &mut goals)?;
        }
    }
    println!("goals missed: {}", goals.missed.len());
    for line in &goals.missed {
        println!("{line}");
    }
    Ok(goals.missed.is_empty())
}

fn measure(profile: Profile, transport: Transport, runs: usize, goals: &mut Goals) -> Result<()> {
    let token = profile.token();
    let name = profile.to_possible_value();
    let name = name.as_ref().map_or("", |value| value.get_name());
    let what = format!("{name} (token {token} ms), {transport}");
    let lab = Lab::start(&LabOptions {
        transport,
        token,
        ..LabOptions::default()
    })?;
    lab.load_sphynx()?;
    let pings = Pings::start(&lab.node("gateway")?, sphynx::VIP_EXTERNE, LIMIT)?;
    let mut times = Vec::new();
    let (mut active, mut passive) = ("maitre", "esclave");
    for _ in 0..runs {
        let cut = lab.power_cut(active)?;
        times.push(pings.back_after(cut, LIMIT)?.as_secs_f64());
        lab.wait_sphynx(passive, LIMIT)?;
        lab.power_on(active)?;
        lab.wait_sphynx(passive, LIMIT)?;
        (active, passive) = (passive, active);
    }
    let floor = 2.2 * f64::from(token) / 1000.0;
    let (slow, fast): (Vec<f64>, Vec<f64>) = times.iter().partition(|t| **t > floor + SLOW);
    println!(
        "{what}: median {:.2} s; all: {}",
        median(&times),
        list(&times)
    );
    for (mode, times) in [("at once", fast), ("a second later", slow)] {
        if !times.is_empty() {
            let count = times.len();
            println!(
                "  {mode}: {count} of {runs}, median {:.2} s",
                median(&times)
            );
        }
    }
    let words = format!("{what}: VIP_externe answers, s");
    goals.at_most(&words, median(&times), floor + ON_TOP)
}

/// The one in the middle, or what is between the two there.
fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    let at = |n: usize| times.get(n).copied().unwrap_or(f64::NAN);
    let half = times.len() / 2;
    f64::midpoint(at(times.len().saturating_sub(1) / 2), at(half))
}

fn list(times: &[f64]) -> String {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    let times: Vec<String> = times.iter().map(|t| format!("{t:.2}")).collect();
    times.join(" ")
}
