//! What is said when there is no status, in the format that was asked for.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ha_core::language::Language;
use ha_core::view::{self, DaemonState};
use jiff::tz::TimeZone;

use crate::arguments::{self, Format, Request};
use crate::{words, zone};

/// The exit status when a file cannot be read.
pub(crate) const NO_INPUT: u8 = 66;

/// The exit status of a failure that has no better one.
const SOFTWARE: u8 = 70;

/// What to say, and the exit status.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) lines: Vec<String>,
    pub(crate) code: u8,
    /// What the exit status means.
    pub(crate) meaning: &'static str,
    /// What pacemakerd said of itself.
    pub(crate) daemon: Option<Box<DaemonState>>,
    /// Say how to use the program first, when plain text was asked for.
    pub(crate) with_help: bool,
}

impl Failure {
    /// The command line makes no sense.
    pub(crate) fn usage(message: &str) -> Self {
        Self {
            lines: vec![format!("{}: {message}", name())],
            code: arguments::USAGE,
            meaning: "Incorrect usage",
            daemon: None,
            with_help: true,
        }
    }

    /// The CIB cannot be had. `crm_mon` says so and ends well, unless a question has no answer then:
    /// see [`unanswered`](Self::unanswered).
    pub(crate) fn no_cib(why: &str) -> Self {
        Self {
            lines: vec![format!("Could not connect to the CIB: {why}")],
            code: 0,
            meaning: "OK",
            daemon: None,
            with_help: false,
        }
    }

    /// Ends as neither yes nor no: with a status that says what failed.
    pub(crate) fn unanswered(self, code: u8) -> Self {
        let (code, meaning) = match code {
            // Yes, and no.
            0 | 1 => (SOFTWARE, "Internal software bug"),
            65 => (code, "Invalid data given"),
            NO_INPUT => (code, "Input file not available"),
            4 => (code, "Insufficient privileges"),
            74 => (code, "I/O error occurred"),
            78 => (code, "Invalid configuration"),
            102 => (code, "Not connected"),
            105 => (code, "No such object"),
            124 => (code, "Timeout occurred"),
            _ => (code, self.meaning),
        };
        Self {
            code,
            meaning,
            ..self
        }
    }

    /// Something of ours failed, that `crm_mon` does not have.
    pub(crate) fn of(error: &ha_core::Error, language: Language) -> Self {
        let mut lines = vec![format!("{}: {}", name(), error.text(language))];
        let next = words::of(language, "next step:", "à faire :");
        let hint = error.hint_text(language);
        lines.extend(hint.map(|hint| format!("  {next} {hint}")));
        Self {
            lines,
            code: error.exit_code(),
            meaning: "Error occurred",
            daemon: None,
            with_help: false,
        }
    }

    /// The status cannot be written.
    pub(crate) fn unwritable(request: &Request, error: &std::io::Error) -> Self {
        let format = match request.format {
            Format::Text | Format::Simple => "text",
            Format::Xml | Format::LegacyXml | Format::EmptyXml => "xml",
            Format::Html | Format::EmptyHtml => "html",
            Format::Json => "json",
        };
        let error = error.to_string();
        // Without the number that the standard library adds.
        let error = error.split(" (os error").next().unwrap_or(&error);
        Self {
            lines: vec![format!(
                "{}: Error creating output format {format}: {error}",
                name()
            )],
            code: if request.asked.is_some() { 74 } else { 1 },
            meaning: "Error occurred",
            daemon: None,
            with_help: false,
        }
    }

    /// Returns what is printed instead of a status; as text, the lines are for the standard error.
    pub(crate) fn document(&self, request: &Request) -> String {
        match self.daemon {
            Some(_) => self.document_in(request, &zone::local()),
            None => self.document_in(request, &TimeZone::UTC),
        }
    }

    /// Returns the same, with times of a zone.
    pub(crate) fn document_in(&self, request: &Request, zone: &TimeZone) -> String {
        let lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        let failure = view::Failure {
            request: &request.view.request,
            code: self.code,
            meaning: self.meaning,
            errors: &lines,
            daemon: self.daemon.as_deref().map(|daemon| (daemon, zone)),
        };
        match request.format {
            Format::Xml | Format::EmptyXml => failure.xml(),
            Format::Json => crate::program::json(&failure.json()),
            Format::Html | Format::EmptyHtml => failure.html(request.page.clone()),
            Format::LegacyXml => failure.legacy_xml(),
            Format::Text | Format::Simple => failure.text(),
        }
    }

    /// Says it, and returns the exit status.
    pub(crate) fn print(&self, request: &Request) -> u8 {
        let to = request.output_to.as_deref();
        match request.format {
            Format::Text => {
                if self.with_help {
                    eprint!("{}\n\n", arguments::help());
                }
                self.print_plain();
            }
            Format::Simple => self.print_plain(),
            Format::LegacyXml => {
                if self.code != 0 {
                    eprintln!("{}", self.meaning);
                }
                self.print_plain();
            }
            Format::Xml | Format::EmptyXml | Format::Json | Format::Html | Format::EmptyHtml => {}
        }
        let text = self.document(request);
        if let Err(error) = crate::program::write(&text, to) {
            if text.is_empty() {
                return self.code;
            }
            let unwritable = Self::unwritable(request, &error);
            unwritable.print_plain();
            return unwritable.code;
        }
        self.code
    }

    fn print_plain(&self) {
        for line in &self.lines {
            eprintln!("{line}");
        }
    }
}

/// Returns the name that the program was called by, without its folder.
pub(crate) fn name() -> String {
    let called = std::env::args_os().next().map(PathBuf::from);
    let name = called.as_deref().and_then(Path::file_name);
    name.map_or_else(
        || "crm_mon".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Says what is wrong with a command line: as JSON where that is asked for.
pub(crate) fn refuse(message: &[u8], json: Option<&Request>) -> u8 {
    match json {
        Some(request) => Failure::usage(&String::from_utf8_lossy(message)).print(request),
        None => print_plain(message, arguments::USAGE),
    }
}

/// Says what is wrong before a format is known.
pub(crate) fn print_plain(message: &[u8], code: u8) -> u8 {
    let line = [name().as_bytes(), b": ", message, b"\n"].concat();
    // Nobody could be told that it cannot be told.
    drop(std::io::stderr().write_all(&line));
    code
}
