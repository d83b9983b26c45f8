//! How Pacemaker reads the texts of the CIB: leniently, and not always as one would expect.
//!
//! These functions never fail: the daemons read the same values, so a status has to say what they
//! make of a bad one.

use std::cmp::Ordering;

/// The score that means "always" (and, negated, "never").
pub const INFINITY: i32 = 1_000_000;

/// Reads a boolean: true, on, yes, y, 1 or false, off, no, n, 0 in any case.
#[must_use]
pub fn boolean(text: &str) -> Option<bool> {
    const TRUE: [&str; 5] = ["true", "on", "yes", "y", "1"];
    const FALSE: [&str; 5] = ["false", "off", "no", "n", "0"];
    if TRUE.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(true)
    } else if FALSE.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(false)
    } else {
        None
    }
}

/// Tells whether a value is present and reads as true.
#[must_use]
pub fn is_true(text: Option<&str>) -> bool {
    text.and_then(boolean) == Some(true)
}

/// Reads an integer the way C's `strtoll` does: leading blanks, a sign, digits; the rest is ignored.
///
/// Returns `None` when there is no digit. Out of range values are clipped.
#[must_use]
pub fn integer(text: &str) -> Option<i64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    let mut any = false;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() {
            break;
        }
        any = true;
        let digit = i64::from(byte - b'0');
        value = value.saturating_mul(10);
        value = if negative {
            value.saturating_sub(digit)
        } else {
            value.saturating_add(digit)
        };
    }
    any.then_some(value)
}

/// Reads an integer as [`integer`] does and clips it to 32 bits.
#[must_use]
pub fn integer32(text: &str) -> Option<i32> {
    integer(text).map(|value| i32::try_from(value).unwrap_or(clip(value)))
}

fn clip(value: i64) -> i32 {
    if value < 0 { i32::MIN } else { i32::MAX }
}

/// What the words `red`, `yellow` and `green` are worth as scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HealthScores {
    /// The worth of `red`.
    pub red: i32,
    /// The worth of `yellow`.
    pub yellow: i32,
    /// The worth of `green`.
    pub green: i32,
}

/// Reads a score: an integer clipped to ±1000000, `INFINITY` with an optional sign, or a health word.
#[must_use]
pub fn score(text: &str, health: HealthScores) -> i32 {
    match text {
        "-INFINITY" => -INFINITY,
        "INFINITY" | "+INFINITY" => INFINITY,
        "red" => health.red,
        "yellow" => health.yellow,
        "green" => health.green,
        _ => {
            let value = integer(text).unwrap_or(0);
            i32::try_from(value.clamp(-i64::from(INFINITY), i64::from(INFINITY))).unwrap_or(0)
        }
    }
}

/// Adds two scores: infinities win, minus infinity over all.
#[must_use]
pub fn add_scores(a: i32, b: i32) -> i32 {
    if a <= -INFINITY || b <= -INFINITY {
        -INFINITY
    } else if a >= INFINITY || b >= INFINITY {
        INFINITY
    } else {
        (a + b).clamp(-INFINITY, INFINITY)
    }
}

/// Reads an interval in milliseconds as Pacemaker does: a number with an optional unit (seconds when
/// there is none), or an ISO 8601 duration. Returns `None` for anything else.
///
/// It is at most `u32::MAX`, less than 50 days. Of an ISO 8601 duration the first day and the first
/// year count nothing: `P1D` is 0, and `P1W` six days. [`super::time::duration_seconds`] says what
/// was meant.
#[must_use]
pub fn interval_ms(text: &str) -> Option<u64> {
    let milliseconds = if text.starts_with('P') {
        let seconds = super::time::interval_seconds(text)?;
        u64::try_from(seconds).unwrap_or(0).saturating_mul(1000)
    } else {
        milliseconds(text)?
    };
    Some(milliseconds.min(u64::from(u32::MAX)))
}

/// Reads a number with an optional unit in milliseconds, of any size; seconds when there is no
/// unit. Returns `None` for anything else.
#[must_use]
pub fn milliseconds(text: &str) -> Option<u64> {
    let trimmed = text.trim_start();
    let rest = trimmed.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &trimmed[..trimmed.len() - rest.len()];
    if number.is_empty() {
        return None;
    }
    // What follows a point is passed over.
    let number = match number.split_once('.') {
        Some(("", _)) => 0,
        Some((whole, _)) => integer(whole).and_then(|n| u64::try_from(n).ok())?,
        None => integer(number).and_then(|n| u64::try_from(n).ok())?,
    };
    let unit = rest.trim_start().as_bytes();
    let starts = |word: &str| {
        unit.len() >= word.len() && unit[..word.len()].eq_ignore_ascii_case(word.as_bytes())
    };
    let (times, by) = if starts("ms") {
        (1, 1)
    } else if starts("us") {
        (1, 1000)
    } else if unit.is_empty() || starts("s") {
        (1000, 1)
    } else if starts("m") {
        (60_000, 1)
    } else if starts("h") {
        (3_600_000, 1)
    } else {
        return None;
    };
    Some(number.saturating_mul(times) / by)
}

/// Compares names as Pacemaker lists them: without case, digit runs as numbers, and of equal
/// numbers the shorter spelling first.
#[must_use]
pub fn name_order(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i].is_ascii_digit() && b[j].is_ascii_digit() {
            let (run_a, run_b) = (digit_run(&a[i..]), digit_run(&b[j..]));
            let (number_a, number_b) = (significant(run_a), significant(run_b));
            let order = number_a
                .len()
                .cmp(&number_b.len())
                .then_with(|| number_a.cmp(number_b))
                .then_with(|| run_a.len().cmp(&run_b.len()));
            if order.is_ne() {
                return order;
            }
            i += run_a.len();
            j += run_b.len();
        } else {
            let order = a[i].to_ascii_lowercase().cmp(&b[j].to_ascii_lowercase());
            if order.is_ne() {
                return order;
            }
            i += 1;
            j += 1;
        }
    }
    (a.len() - i).cmp(&(b.len() - j))
}

fn digit_run(text: &[u8]) -> &[u8] {
    &text[..text
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(text.len())]
}

fn significant(run: &[u8]) -> &[u8] {
    &run[run.iter().position(|&b| b != b'0').unwrap_or(run.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_ignore_case_and_refuse_the_rest() {
        assert_eq!(boolean("Yes"), Some(true));
        assert_eq!(boolean("OFF"), Some(false));
        assert_eq!(boolean("enabled"), None);
        assert!(!is_true(Some("2")));
    }

    #[test]
    fn integers_read_like_strtoll() {
        assert_eq!(integer(" -12x"), Some(-12));
        assert_eq!(integer("+7"), Some(7));
        assert_eq!(integer("x"), None);
        assert_eq!(integer("99999999999999999999"), Some(i64::MAX));
        assert_eq!(integer("-99999999999999999999"), Some(i64::MIN));
    }

    #[test]
    fn scores_are_clipped_and_infinite_ones_stick() {
        let health = HealthScores {
            red: -INFINITY,
            ..HealthScores::default()
        };
        assert_eq!(score("2000000", health), INFINITY);
        assert_eq!(score("+INFINITY", health), INFINITY);
        assert_eq!(score("red", health), -INFINITY);
        assert_eq!(score("junk", health), 0);
        assert_eq!(add_scores(INFINITY, -INFINITY), -INFINITY);
        assert_eq!(add_scores(INFINITY, -5), INFINITY);
    }

    #[test]
    fn intervals_take_units_by_prefix() {
        assert_eq!(interval_ms("10"), Some(10_000));
        assert_eq!(interval_ms("10ms"), Some(10));
        assert_eq!(interval_ms("5000usec"), Some(5));
        assert_eq!(interval_ms("2min"), Some(120_000));
        assert_eq!(interval_ms("1HR"), Some(3_600_000));
        assert_eq!(interval_ms("PT1M"), Some(60_000));
        assert_eq!(interval_ms("9223372036854775807"), Some(u32::MAX.into()));
        assert_eq!(interval_ms("9223372036854775808"), Some(u32::MAX.into()));
        assert_eq!(interval_ms("10 parsecs"), None);
        assert_eq!(interval_ms(""), None);
    }

    #[test]
    fn names_compare_digit_runs_as_numbers() {
        assert_eq!(name_order("node2", "node10"), Ordering::Less);
        assert_eq!(name_order("Node2", "node2"), Ordering::Equal);
        assert_eq!(name_order("n7", "n007"), Ordering::Less);
        assert_eq!(name_order("n7", "n7a"), Ordering::Less);
        assert_eq!(name_order("a", "B"), Ordering::Less);
    }
}
