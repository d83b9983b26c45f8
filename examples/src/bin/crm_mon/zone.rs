//! Local time.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

/// The zone of the machine, unless `TZ` names another.
const OF_MACHINE: &str = "/etc/localtime";

/// Where zones are by name.
const ZONES: &str = "/usr/share/zoneinfo";

/// Returns the zone of local time.
///
/// To find one, jiff first lists all that there are. Where the file is plain, it is read as it is.
pub(crate) fn local() -> TimeZone {
    let file = match std::env::var("TZ") {
        Err(std::env::VarError::NotPresent) => Some(PathBuf::from(OF_MACHINE)),
        Ok(name) => named(name.trim_start_matches(':')),
        Err(_) => None,
    };
    let zone = file.and_then(|path| TimeZone::tzif("", &std::fs::read(path).ok()?).ok());
    zone.unwrap_or_else(TimeZone::system)
}

/// Returns the file of a zone that is given by its name, not by its rules.
fn named(name: &str) -> Option<PathBuf> {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-+".contains(&b))
    };
    let is_name = name.split('/').all(is_name);
    Some(Path::new(ZONES).join(name)).filter(|path| is_name && path.is_file())
}
