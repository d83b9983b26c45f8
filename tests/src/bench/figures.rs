//! Medians, and the goals that they are held against.

use ha_core::Result;

/// The middle and the 95th percentile, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Half took longer.
    pub median: f64,
    /// One in twenty took longer.
    pub p95: f64,
}

/// The figures of times in seconds.
#[must_use]
pub fn figures(mut times: Vec<f64>) -> Figures {
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

/// The one in the middle.
#[must_use]
pub fn middle(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The least.
#[must_use]
pub fn best(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}

/// What was found to be out of its bounds.
#[derive(Debug)]
pub struct Goals {
    /// The verdicts on those, as they were told.
    pub missed: Vec<String>,
    say: fn(&str) -> Result<()>,
}

impl Goals {
    /// Tells each verdict through `say`.
    #[must_use]
    pub fn new(say: fn(&str) -> Result<()>) -> Self {
        let missed = Vec::new();
        Self { missed, say }
    }

    /// Judges a figure that should not be above a bound.
    ///
    /// # Errors
    /// Those of saying it.
    pub fn at_most(&mut self, what: &str, figure: f64, bound: f64) -> Result<()> {
        self.judge(figure <= bound, what, figure, "at most", bound)
    }

    /// Judges a figure that should not be below a bound.
    ///
    /// # Errors
    /// Those of saying it.
    pub fn at_least(&mut self, what: &str, figure: f64, bound: f64) -> Result<()> {
        self.judge(figure >= bound, what, figure, "at least", bound)
    }

    /// What is no number is out of any bounds.
    fn judge(&mut self, good: bool, what: &str, figure: f64, how: &str, bound: f64) -> Result<()> {
        let verdict = if good { "met" } else { "MISSED" };
        let line = format!("  goal {verdict}: {what}: {figure:.3} ({how} {bound})");
        if !good {
            self.missed.push(line.trim().to_owned());
        }
        (self.say)(&line)
    }
}
