//! What `crm_mon --version` says: which Pacemaker its output is like.

use super::out::{Html, Page};
use super::{json, legacy_result, result, result_status};

const PROGRAM: &str = "Pacemaker";
const VERSION: &str = "2.1.5";
const AUTHOR: &str = "Andrew Beekhof and the Pacemaker project contributors";
/// Debian's build.
const BUILD: &str = "a3f44794f94";
const FEATURES: &str = "agent-manpages cibsecrets corosync-ge-2 generated-manpages lha monotonic \
    nagios ncurses remote systemd";

/// The version of Pacemaker whose `crm_mon` these views print like, in the formats of
/// `crm_mon --version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version;

impl Version {
    /// Returns the two lines for people; scripts read the second word.
    #[must_use]
    pub fn text(self) -> String {
        format!("{PROGRAM} {VERSION}\nWritten by {AUTHOR}\n")
    }

    /// Returns a document, which repeats the command line that asked for it.
    #[must_use]
    pub fn xml(self, request: &str) -> String {
        let mut out = result(request);
        element(&mut out);
        result_status(&mut out, 0, "OK", &[]);
        out.finish()
    }

    /// Returns a document as `crm_mon --as-xml --version` prints it.
    #[must_use]
    pub fn legacy_xml(self) -> String {
        let mut out = legacy_result();
        element(&mut out);
        out.finish()
    }

    /// Returns a document of the JSON format, which repeats the command line that asked for it.
    #[must_use]
    pub fn json(self, request: &str) -> json::Output {
        let mut output = json::Output::new(request, 0, "OK", &[]);
        output.version = Some(json::ProgramVersion {
            program: PROGRAM.to_owned(),
            version: VERSION.to_owned(),
            author: AUTHOR.to_owned(),
            build: BUILD.to_owned(),
            features: FEATURES.split_whitespace().map(str::to_owned).collect(),
        });
        output
    }

    /// Returns a page.
    #[must_use]
    pub fn html(self, page: Page) -> String {
        let lines = [
            format!("Program: {PROGRAM}"),
            format!("Version: {VERSION}"),
            format!("Author: {AUTHOR}"),
            format!("Build: {BUILD}"),
            format!("Features: {FEATURES}"),
        ];
        let mut out = Html::new(Page {
            refresh: None,
            ..page
        });
        out.blocks("Version Information", &lines);
        out.finish()
    }
}

fn element(out: &mut super::Xml) {
    out.open("version");
    out.attribute("program", PROGRAM);
    out.attribute("version", VERSION);
    out.attribute("author", AUTHOR);
    out.attribute("build", BUILD);
    out.attribute("features", FEATURES);
    out.close();
}
