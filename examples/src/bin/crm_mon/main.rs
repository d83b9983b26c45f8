//! The cluster's status, as Pacemaker's `crm_mon` prints it.
//!
//! Reads the running cluster, or the CIB in the file that `CIB_file` names (`-` for standard input).

mod arguments;
mod source;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use ha_core::status::{self, ComputeOptions};
use ha_core::view::{Part, Report};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use arguments::{Action, Format};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// What to say, and the exit status.
#[derive(Debug)]
struct Failure {
    message: String,
    code: u8,
}

fn run(words: &[String]) -> Result<(), Failure> {
    let mut request = match arguments::parse(words)? {
        Action::Print(text) => return print(&text, None),
        Action::Report(request) => request,
    };
    let source = source::read(&request)?;
    let now = request.now.unwrap_or_else(Timestamp::now);
    let zone = TimeZone::system();
    let parts = request.view.parts;
    let constraints = parts.has(Part::Bans) || parts.has(Part::Tickets);
    let state = status::compute_with(&source.document, now, &zone, ComputeOptions { constraints });
    request.view.daemon = source.daemon;
    let report = Report::new(&state, &request.view, now, &zone);
    let text = match request.format {
        Format::Text => report.text(),
        Format::Xml => report.xml(),
        Format::Html => report.html(request.page),
        Format::Simple => report.simple(),
    };
    print(&text, request.output_to.as_deref())
}

fn print(text: &str, to: Option<&str>) -> Result<(), Failure> {
    let written = match to.filter(|&path| path != "-") {
        Some(path) => std::fs::write(path, text),
        None => {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
    };
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure {
            message: format!(
                "crm_mon: cannot write {}: {error}",
                to.unwrap_or("standard output")
            ),
            code: ha_core::ErrorKind::Io.exit_code(),
        }),
        _ => Ok(()),
    }
}
