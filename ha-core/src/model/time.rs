//! Dates and durations as the CIB writes them, and as `crm_mon` prints them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};

/// Writes a time the way C's `ctime` does, without the line break: `Thu Dec  1 12:00:00 2022`.
#[must_use]
pub fn ctime(when: Timestamp, zone: &TimeZone) -> String {
    ctime_in(when, 0, zone)
}

/// As [`ctime`], of seconds since the epoch, which may be later than a timestamp can hold; nothing of a
/// time whose year C cannot hold either.
///
/// # Example
/// ```
/// use ha_core::model::time;
/// let text = time::ctime_of_epoch(253_402_300_800, &jiff::tz::TimeZone::UTC);
/// assert_eq!(text, "Sat Jan  1 00:00:00 10000");
/// ```
#[must_use]
pub fn ctime_of_epoch(seconds: i64, zone: &TimeZone) -> String {
    /// The year that C counts others from, in 32 bits.
    const FIRST: i64 = 1900;
    let (when, years) = within_reach(seconds);
    let year = i64::from(zone.to_datetime(when).year()) + years;
    if i32::try_from(year - FIRST).is_err() {
        return String::new();
    }
    ctime_in(when, years, zone)
}

/// The calendar repeats itself, weekdays too, after so many years, which are so many seconds.
const CYCLE: (i64, i64) = (400, 146_097 * 86_400);

/// Returns a time that a timestamp can hold, and the years to add to it.
fn within_reach(seconds: i64) -> (Timestamp, i64) {
    let last = Timestamp::MAX.as_second();
    if seconds <= last {
        return (from_epoch(seconds), 0);
    }
    let cycles = (seconds - last).div_euclid(CYCLE.1) + 1;
    (from_epoch(seconds - cycles * CYCLE.1), cycles * CYCLE.0)
}

fn ctime_in(when: Timestamp, years: i64, zone: &TimeZone) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let local = zone.to_datetime(when);
    let weekday = match local.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    };
    let month = usize::try_from(local.month() - 1)
        .ok()
        .and_then(|m| MONTHS.get(m))
        .copied();
    format!(
        "{weekday} {} {:2} {:02}:{:02}:{:02} {}",
        month.unwrap_or_default(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second(),
        i64::from(local.year()) + years
    )
}

/// Writes a time as `2022-12-01 12:00:00Z`, or with the zone's offset when that is not zero.
#[must_use]
pub fn timestamp(when: Timestamp, zone: &TimeZone) -> String {
    timestamp_in(when, 0, zone)
}

/// As [`timestamp`], of seconds since the epoch, which may be later than a timestamp can hold.
#[must_use]
pub fn timestamp_of_epoch(seconds: i64, zone: &TimeZone) -> String {
    let (when, years) = within_reach(seconds);
    timestamp_in(when, years, zone)
}

fn timestamp_in(when: Timestamp, years: i64, zone: &TimeZone) -> String {
    let offset = zone.to_offset(when);
    let local = offset.to_datetime(when);
    let mut text = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        i64::from(local.year()) + years,
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    );
    let minutes = offset.seconds() / 60;
    if minutes == 0 {
        text.push('Z');
    } else {
        let sign = if minutes < 0 { '-' } else { '+' };
        text.push_str(&format!(
            " {sign}{:02}:{:02}",
            minutes.abs() / 60,
            minutes.abs() % 60
        ));
    }
    text
}

/// Reads seconds since the epoch.
#[must_use]
pub fn epoch(text: &str) -> Option<i64> {
    super::scalar::integer(text)
}

/// Makes a timestamp of seconds since the epoch, clipped to what a timestamp can hold.
#[must_use]
pub fn from_epoch(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Reads an ISO 8601 date with an optional time. Without an offset it is local time, with the
/// offset that the zone has at `now`.
#[must_use]
pub fn date(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if text == "epoch" {
        return Some(Timestamp::UNIX_EPOCH);
    }
    let (day, rest) = match text.find(['T', ' ']) {
        Some(at) => (&text[..at], text[at + 1..].trim_start()),
        None => (text, ""),
    };
    let (time, offset) = if rest.is_empty() {
        (Time::midnight(), None)
    } else {
        clock(rest)?
    };
    let is_far = |&at: &usize| at > YEAR && day.bytes().take(at).all(|b| b.is_ascii_digit());
    if day.find('-').filter(is_far).is_some() {
        return Some(Timestamp::MAX);
    }
    let offset = offset.unwrap_or_else(|| zone.to_offset(now));
    let day = civil_date(day)?;
    let when = offset.to_timestamp(DateTime::from_parts(day, time)).ok();
    // The last day of all is later than a timestamp can hold.
    when.or((day.year() == Date::MAX.year()).then_some(Timestamp::MAX))
}

/// How many digits a year has; one of more is later than all else.
const YEAR: usize = 4;

fn civil_date(text: &str) -> Option<Date> {
    let number = |s: &str| s.parse::<i16>().ok();
    let year = number(text.get(..4)?)?;
    let rest = text[4..].strip_prefix('-').unwrap_or(&text[4..]);
    if let Some(week) = rest.strip_prefix('W') {
        let digits: String = week.chars().filter(char::is_ascii_digit).collect();
        let weekday = digits.get(2..3).map_or(Some(1), |d| d.parse().ok())?;
        let week = digits.get(..2)?.parse().ok()?;
        return ISOWeekDate::new(year, week, Weekday::from_monday_one_offset(weekday).ok()?)
            .ok()
            .map(ISOWeekDate::date);
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    if digits.len() == 3 {
        let day = digits.parse().ok()?;
        return Date::new(year, 1, 1)
            .ok()?
            .with()
            .day_of_year(day)
            .build()
            .ok();
    }
    let month = digits.get(..2)?.parse().ok()?;
    let day = digits.get(2..4).map_or(Some(1), |d| d.parse().ok())?;
    Date::new(year, month, day).ok()
}

fn clock(text: &str) -> Option<(Time, Option<Offset>)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != ':')
        .unwrap_or(text.len());
    let digits: String = text[..end].chars().filter(char::is_ascii_digit).collect();
    let part =
        |range: std::ops::Range<usize>| digits.get(range).map_or(Some(0), |d| d.parse().ok());
    let time = Time::new(part(0..2)?, part(2..4)?, part(4..6)?, 0).ok()?;
    let zone = text[end..].trim();
    let offset = match zone.as_bytes().first() {
        None => None,
        Some(b'Z') => Some(Offset::UTC),
        Some(&sign @ (b'+' | b'-')) => {
            let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
            let hours: i32 = digits.get(..2)?.parse().ok()?;
            let minutes: i32 = digits.get(2..4).map_or(Some(0), |d| d.parse().ok())?;
            let seconds = hours * 3600 + minutes * 60;
            Some(Offset::from_seconds(if sign == b'-' { -seconds } else { seconds }).ok()?)
        }
        Some(_) => return None,
    };
    Some((time, offset))
}

/// What an ISO 8601 duration says, unit by unit.
#[derive(Default)]
struct Duration {
    years: i64,
    months: i64,
    days: i64,
    seconds: i64,
}

/// The longest period that is told apart from a longer one: far beyond what an interval may be.
const LONGEST: i64 = i32::MAX as i64;

impl Duration {
    /// Reads as Pacemaker does: units in any order, each number with a sign if need be, and nothing
    /// after a blank or a slash.
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('P')?;
        let mut found = Self::default();
        let mut in_time = false;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() && !rest.starts_with(|c: char| c == '/' || c.is_ascii_whitespace()) {
            if let Some(time) = rest.strip_prefix('T') {
                (rest, in_time) = (time, true);
                continue;
            }
            let signed = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            let end = signed.find(|c: char| !c.is_ascii_digit())?;
            let number = &rest[..rest.len() - signed.len() + end];
            let number: i64 = number.parse().ok()?;
            let unit = signed[end..].chars().next()?;
            rest = &signed[end + unit.len_utf8()..];
            let (of, times) = match (unit, in_time) {
                ('Y', _) => (&mut found.years, 1),
                ('M', false) => (&mut found.months, 1),
                ('W', _) => (&mut found.days, 7),
                ('D', _) => (&mut found.days, 1),
                ('H', _) => (&mut found.seconds, 3600),
                ('M', true) => (&mut found.seconds, 60),
                ('S', _) => (&mut found.seconds, 1),
                _ => return None,
            };
            let sum = of.checked_add(number.checked_mul(times)?)?;
            if (in_time || matches!(unit, 'H' | 'S')) && sum.abs() > LONGEST {
                return None;
            }
            *of = sum.clamp(-LONGEST, LONGEST);
        }
        Some(found)
    }

    /// A year counts 365 days, a month 30.
    fn seconds(&self) -> i64 {
        (self.years * 365 + self.months * 30 + self.days) * 86_400 + self.seconds
    }
}

/// Reads an ISO 8601 duration (`P1DT2H`) in seconds, as it is meant: a year counts 365 days, a
/// month 30. What Pacemaker makes of it as an interval is said by [`super::scalar::interval_ms`].
#[must_use]
pub fn duration_seconds(text: &str) -> Option<i64> {
    Duration::parse(text).map(|duration| duration.seconds())
}

/// Reads an ISO 8601 duration in seconds as Pacemaker reads an interval, which takes it for a date:
/// the first day and the first year count nothing.
pub(super) fn interval_seconds(text: &str) -> Option<i64> {
    let mut read = Duration::parse(text)?;
    read.years = (read.years - 1).max(0);
    read.days = (read.days - 1).max(0);
    Some(read.seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn ctime_pads_the_day() {
        assert_eq!(
            ctime(at("2022-12-01T12:00:00Z"), &TimeZone::UTC),
            "Thu Dec  1 12:00:00 2022"
        );
    }

    #[test]
    fn timestamps_show_an_offset_only_when_there_is_one() {
        let when = at("2022-12-01T12:00:00Z");
        assert_eq!(timestamp(when, &TimeZone::UTC), "2022-12-01 12:00:00Z");
        let plus = TimeZone::fixed(Offset::constant(1));
        assert_eq!(timestamp(when, &plus), "2022-12-01 13:00:00 +01:00");
    }

    #[test]
    fn dates_in_each_spelling() {
        let now = at("2022-12-01T12:00:00Z");
        let read = |text| date(text, now, &TimeZone::UTC);
        assert_eq!(read("2005-020"), Some(at("2005-01-20T00:00:00Z")));
        assert_eq!(read("2005-01-20"), Some(at("2005-01-20T00:00:00Z")));
        assert_eq!(read("20050120"), Some(at("2005-01-20T00:00:00Z")));
        assert_eq!(
            read("2005-01-20 10:11:12 +02:00"),
            Some(at("2005-01-20T08:11:12Z"))
        );
        assert_eq!(read("2005-01-20T10:11Z"), Some(at("2005-01-20T10:11:00Z")));
        assert_eq!(read("2005-W03-4"), Some(at("2005-01-20T00:00:00Z")));
        assert_eq!(read("nonsense"), None);
        assert_eq!(read("\u{e9}\u{e9}\u{e9}"), None);
    }

    #[test]
    fn durations() {
        assert_eq!(duration_seconds("PT5M"), Some(300));
        assert_eq!(duration_seconds("P1DT1S"), Some(86_401));
        assert_eq!(duration_seconds("P1"), None);
        assert_eq!(duration_seconds("P"), None);
        assert_eq!(duration_seconds("PT1H-30M"), Some(1800));
        assert_eq!(duration_seconds("P1W/x"), Some(7 * 86_400));
        assert_eq!(interval_seconds("P1DT1S"), Some(1));
        assert_eq!(interval_seconds("P1M2D"), Some(31 * 86_400));
        assert_eq!(duration_seconds("5M"), None);
        assert_eq!(duration_seconds("P99999999999999999999D"), None);
    }
}
