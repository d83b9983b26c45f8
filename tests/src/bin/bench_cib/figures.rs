//! Medians, and the goals that they are held against.

use ha_core::Result;
use lab::agent;

/// The middle and the 95th percentile, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) median: f64,
    pub(crate) p95: f64,
}

pub(crate) fn figures(mut times: Vec<f64>) -> Figures {
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

pub(crate) fn middle(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn best(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}

/// What was found to be out of its bounds.
#[derive(Debug, Default)]
pub(crate) struct Goals {
    pub(crate) missed: Vec<String>,
}

impl Goals {
    pub(crate) fn at_most(&mut self, what: &str, figure: f64, bound: f64) -> Result<()> {
        self.judge(figure <= bound, what, figure, "at most", bound)
    }

    pub(crate) fn at_least(&mut self, what: &str, figure: f64, bound: f64) -> Result<()> {
        self.judge(figure >= bound, what, figure, "at least", bound)
    }

    /// What is no number is out of any bounds.
    fn judge(&mut self, good: bool, what: &str, figure: f64, how: &str, bound: f64) -> Result<()> {
        let verdict = if good { "met" } else { "MISSED" };
        let line = format!("  goal {verdict}: {what}: {figure:.2} ({how} {bound})");
        if !good {
            self.missed.push(line.trim().to_owned());
        }
        agent::say(&line)
    }
}
