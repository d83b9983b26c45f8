//! What is printed when there is no status.

use jiff::tz::TimeZone;

use super::out::{Html, Lists as _, Page};
use super::{DaemonState, json, legacy_result, result, result_status, summary};

/// Why there is no status, to be printed in its place.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// The command line, as it is repeated in XML and JSON.
    pub request: &'a str,
    /// The exit status.
    pub code: u8,
    /// What the exit status means.
    pub meaning: &'a str,
    /// What went wrong.
    pub errors: &'a [&'a str],
    /// What pacemakerd says of itself, when it does though there is no CIB to be had, and the zone for
    /// its time.
    pub daemon: Option<(&'a DaemonState, &'a TimeZone)>,
}

impl Failure<'_> {
    /// Returns what is printed as text besides the errors, which are for the standard error.
    #[must_use]
    pub fn text(&self) -> String {
        let line = self
            .daemon
            .map(|(daemon, zone)| summary::daemon_line(daemon, zone) + "\n");
        line.unwrap_or_default()
    }

    /// Returns what `--output-as=xml` prints.
    #[must_use]
    pub fn xml(&self) -> String {
        let mut out = result(self.request);
        if let Some((daemon, zone)) = self.daemon {
            summary::daemon_xml(daemon, zone, &mut out);
        }
        result_status(&mut out, self.code, self.meaning, self.errors);
        out.finish()
    }

    /// Returns what `--as-xml` prints besides the errors, which are for the standard error.
    #[must_use]
    pub fn legacy_xml(&self) -> String {
        let mut out = legacy_result();
        if let Some((daemon, zone)) = self.daemon {
            summary::daemon_xml(daemon, zone, &mut out);
        }
        out.finish()
    }

    /// Returns what `--output-as=html` prints.
    #[must_use]
    pub fn html(&self, page: Page) -> String {
        let mut out = Html::new(page);
        if let Some((daemon, zone)) = self.daemon {
            out.line(&summary::daemon_line(daemon, zone));
        }
        if !self.errors.is_empty() {
            out.notes(self.errors);
        }
        out.finish()
    }

    /// Returns what `--output-as=json` prints.
    #[must_use]
    pub fn json(&self) -> json::Output {
        let mut out = json::Output::new(self.request, self.code, self.meaning, self.errors);
        out.pacemakerd = self
            .daemon
            .map(|(daemon, zone)| summary::daemon_json(daemon, zone));
        out
    }
}
