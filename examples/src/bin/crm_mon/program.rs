//! What the program does, wherever the status comes from.

use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal as _, Write};
use std::mem::ManuallyDrop;

use ha_core::status::{self, ClusterStatus};
use ha_core::view::{Parts, Report, Version};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::arguments::{self, Action, Format, Request};
use crate::failure::{self, Failure};
use crate::source::Source;
use crate::{ask, cluster, source, zone};

/// How the one-line status starts of a cluster that is not well, after what pacemakerd says.
const WARNING: &str = "CLUSTER WARN";

/// What is said of such a cluster besides.
const UNHEALTHY: &str = "Error outputting status info from the fencer or CIB";

/// What is said of a CIB that need not conform to a schema.
const UNCHECKED: &str = "Schema validation of configuration is disabled (enabling is encouraged and prevents \
     common misconfigurations)";

/// Does what the command line asks for.
pub(crate) fn main() -> u8 {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let program = words.next().unwrap_or_else(|| "crm_mon".to_owned());
    let words: Vec<String> = words.collect();
    let request = match arguments::parse(&program, &words) {
        Ok(Action::Report(request)) => request,
        Ok(Action::Print(text)) => {
            return match write(&text, None) {
                Ok(()) => 0,
                Err(error) => failure::print_plain(format!("cannot write: {error}").as_bytes(), 1),
            };
        }
        Err(message) => {
            let json = arguments::refused_as_json(&program, &words);
            return failure::refuse(&message, json.as_ref());
        }
    };
    match run(&request) {
        Ok(code) => code,
        Err(failure) if request.asked.is_some() => {
            let code = failure.code;
            failure.unanswered(code).print(&request)
        }
        Err(failure) => failure.print(&request),
    }
}

fn run(request: &Request) -> Result<u8, Failure> {
    if !request.daemonize {
        refuse_sections(request)?;
    }
    keep_from_others(request);
    if let Some(failure) = nowhere_to_print(request) {
        return Err(failure);
    }
    if let Err(failure) = refuse_sections(request) {
        if request.asked.is_some() {
            return Err(failure);
        }
        // It is seen in the background, where it can be told in a file only; who went there ended well.
        return match &request.output_to {
            Some(path) => write(&failure.document(request), Some(path))
                .map(|()| 0)
                .map_err(|error| Failure::unwritable(request, &error)),
            None => Ok(0),
        };
    }
    if request.version {
        return say_version(request);
    }
    let is_live = !source::is_stored() && request.cib_file.is_none();
    if let Some(follow) = request.follow.as_ref().filter(|_| is_live) {
        return cluster::follow(request, follow);
    }
    let screen = request.format == Format::Text && request.output_to.is_none();
    let screen = screen && request.asked.is_none() && !request.one_shot && is_live;
    if screen && std::io::stdout().is_terminal() && can_draw(std::env::var_os("TERM")) {
        return cluster::show(request)
            .map(|()| 0)
            .map_err(|e| Failure::of(&e, request.language()));
    }
    // The process ends soon, and gives its memory back as a whole.
    let source = ManuallyDrop::new(source::read(request)?);
    if let Some(asked) = &request.asked {
        let now = request.now.unwrap_or_else(Timestamp::now);
        let answer = ask::answer(asked, request, &source, now)
            .map_err(|e| Failure::of(&e, request.language()))?;
        return write(&answer.text, request.output_to.as_deref())
            .map(|()| answer.code)
            .map_err(|error| Failure::unwritable(request, &error));
    }
    if source::is_unchecked(&source.document) {
        eprintln!("{UNCHECKED}");
    }
    let (state, text) = rendered(request, &source);
    std::mem::forget(state);
    // In the background nobody reads what is printed.
    if !request.daemonize || request.output_to.is_some() {
        write(&text, request.output_to.as_deref())
            .map_err(|error| Failure::unwritable(request, &error))?;
    }
    if request.format == Format::Simple && text.contains(WARNING) {
        eprintln!("{UNHEALTHY}");
    }
    Ok(0)
}

/// Tells whether a terminal of this kind can show a screen that changes. One that cannot is shown the status once.
fn can_draw(kind: Option<OsString>) -> bool {
    kind.is_some_and(|kind| !kind.is_empty() && kind != "dumb")
}

/// Says what is wrong with the sections that were asked for.
fn refuse_sections(request: &Request) -> Result<(), Failure> {
    let problem = request.problem.as_deref();
    problem.map_or(Ok(()), |problem| Err(Failure::usage(problem)))
}

/// Says which version of `crm_mon` this one is like.
fn say_version(request: &Request) -> Result<u8, Failure> {
    let text = match request.format {
        _ if request.daemonize && request.output_to.is_none() => return Ok(0),
        Format::Xml | Format::EmptyXml => Version.xml(&request.view.request),
        Format::LegacyXml => Version.legacy_xml(),
        Format::Html | Format::EmptyHtml => Version.html(request.page.clone()),
        Format::Json => json(&Version.json(&request.view.request)),
        Format::Text | Format::Simple => Version.text(),
    };
    write(&text, request.output_to.as_deref())
        .map(|()| 0)
        .map_err(|error| Failure::unwritable(request, &error))
}

/// Lets nobody change the files that are written, and only a page be read by everybody.
fn keep_from_others(request: &Request) {
    use rustix::fs::Mode;
    use rustix::process::umask;
    let mut refused = umask(Mode::RWXO) | Mode::WGRP | Mode::WOTH;
    if !matches!(request.format, Format::Html | Format::EmptyHtml) {
        refused |= Mode::ROTH | Mode::XOTH;
    }
    umask(refused);
}

/// Says that a process in the background would have nothing to do.
fn nowhere_to_print(request: &Request) -> Option<Failure> {
    let follow = request.follow.as_ref().filter(|follow| follow.daemonize)?;
    // The version is no status: any CIB will do, and it may be printed nowhere.
    if source::is_stored() && !request.version || follow.agent.is_some() {
        return None;
    }
    let is_file = |path: &str| path != "-";
    if !request.version && !request.output_to.as_deref().is_some_and(is_file) {
        let message = "--daemonize requires at least one of --output-to and --external-agent";
        let failure = Failure::usage(message);
        return Some(Failure {
            with_help: false,
            ..failure
        });
    }
    let message = "--daemonize requires --output-as=[html|text|xml]";
    request.is_console.then(|| Failure::usage(message))
}

/// Tells whether the fencer is to be asked.
pub(crate) fn wants_fencing(request: &Request) -> bool {
    Parts::FENCING.difference(request.view.parts) != Parts::FENCING
        && !request.format.is_simple()
        && request.asked.is_none()
}

/// Returns the status, and its text in the format that was asked for.
pub(crate) fn rendered(request: &Request, source: &Source) -> (ClusterStatus, String) {
    let now = request.now.unwrap_or_else(Timestamp::now);
    let zone = zone::local();
    let options = request.view.compute_options();
    let state = status::compute_with(&source.document, now, &zone, options);
    let mut view = request.view.clone();
    view.fencing.clone_from(&source.fencing);
    view.daemon.clone_from(&source.daemon);
    let report = Report::new(&state, &view, now, &zone);
    let text = match request.format {
        Format::Text => report.text(),
        Format::Xml => report.xml(),
        Format::LegacyXml => report.legacy_xml(),
        Format::Html => report.html(request.page.clone()),
        Format::Json => json(&report.json()),
        Format::Simple => report.simple(),
        Format::EmptyXml | Format::EmptyHtml => empty(request, &report.simple(), source, &zone),
    };
    (state, text)
}

/// Returns a document that has no place for a line of text, and yet was asked for with the one-line status.
fn empty(request: &Request, line: &str, source: &Source, zone: &TimeZone) -> String {
    let is_well = !line.contains(WARNING);
    let status = Failure {
        lines: if is_well {
            Vec::new()
        } else {
            vec![UNHEALTHY.to_owned()]
        },
        code: 0,
        meaning: "OK",
        daemon: source.daemon.clone().map(Box::new),
        with_help: false,
    };
    status.document_in(request, zone)
}

/// Returns a document for programs, that people can read too.
pub(crate) fn json(output: &ha_core::view::json::Output) -> String {
    // Texts, numbers and flags always have a JSON form.
    serde_json::to_string_pretty(output).map_or_else(|error| error.to_string(), |text| text + "\n")
}

/// Writes to a file, or to standard output. That nobody reads it any more is no failure.
pub(crate) fn write(text: &str, to: Option<&str>) -> std::io::Result<()> {
    let written = match to.filter(|&path| path != "-") {
        Some(path) => std::fs::write(path, text),
        None => {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
    };
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::can_draw;

    #[test]
    fn what_cannot_draw_is_no_screen() {
        assert!(can_draw(Some("xterm-256color".into())));
        for kind in [None, Some(""), Some("dumb")] {
            assert!(!can_draw(kind.map(Into::into)), "{kind:?}");
        }
    }
}
