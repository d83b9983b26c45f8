//! The command line, as `crm_mon` reads it.

use ha_core::view::out::Page;
use ha_core::view::{Options, Part, Parts};
use jiff::Timestamp;

use crate::Failure;

/// The exit status of a command line that makes no sense.
const USAGE: u8 = 64;

/// The format to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Xml,
    Html,
    Simple,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) format: Format,
    pub(crate) view: Options,
    pub(crate) page: Page,
    pub(crate) output_to: Option<String>,
    /// The time to take for now.
    pub(crate) now: Option<Timestamp>,
}

/// What the command line comes to.
#[derive(Debug)]
pub(crate) enum Action {
    /// Say this and stop.
    Print(String),
    /// Print a status.
    Report(Box<Request>),
}

/// A change to the set of parts, kept in order.
#[derive(Debug)]
enum Change {
    Include(String),
    Exclude(String),
}

#[derive(Debug, Default)]
struct Given {
    format: Option<String>,
    simple: bool,
    by_node: bool,
    inactive: bool,
    brief: bool,
    detail: bool,
    timing: bool,
    bans_prefix: String,
    changes: Vec<Change>,
    only_node: Option<String>,
    only_resource: Option<String>,
    page: Page,
    output_to: Option<String>,
    now: Option<Timestamp>,
}

/// How an option takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    None,
    Required,
    Optional,
}

/// Letter, name, value, and the help line.
const OPTIONS: [(char, &str, Value, &str); 31] = [
    (
        '\0',
        "output-as",
        Value::Required,
        "format: console, html, text or xml",
    ),
    (
        '\0',
        "output-to",
        Value::Required,
        "file to write (\"-\" for standard output)",
    ),
    (
        '\0',
        "html-cgi",
        Value::None,
        "start HTML with the header that a web server expects",
    ),
    (
        '\0',
        "html-stylesheet",
        Value::Required,
        "style sheet to link HTML to",
    ),
    ('\0', "html-title", Value::Required, "title of HTML"),
    ('I', "include", Value::Required, "sections to include"),
    ('U', "exclude", Value::Required, "sections to leave out"),
    (
        '\0',
        "node",
        Value::Required,
        "show only this node, or the nodes of this tag",
    ),
    (
        '\0',
        "resource",
        Value::Required,
        "show only this resource, or those of this tag",
    ),
    ('n', "group-by-node", Value::None, "group resources by node"),
    ('r', "inactive", Value::None, "show inactive resources"),
    ('f', "failcounts", Value::None, "show fail counts"),
    (
        'o',
        "operations",
        Value::None,
        "show the history of operations",
    ),
    (
        't',
        "timing-details",
        Value::None,
        "show the history of operations with times",
    ),
    ('c', "tickets", Value::None, "show tickets"),
    (
        'm',
        "fence-history",
        Value::Optional,
        "show the history of fencing, 0 to 3",
    ),
    (
        'L',
        "neg-locations",
        Value::Optional,
        "show bans (whose id starts like this)",
    ),
    (
        'A',
        "show-node-attributes",
        Value::None,
        "show node attributes",
    ),
    ('D', "hide-headers", Value::None, "leave out the summary"),
    (
        'R',
        "show-detail",
        Value::None,
        "show more (node ids, instances of clones)",
    ),
    (
        'b',
        "brief",
        Value::None,
        "count resources instead of listing them",
    ),
    (
        'j',
        "pending",
        Value::None,
        "accepted; pending operations are always shown",
    ),
    (
        's',
        "simple-status",
        Value::None,
        "one line, for monitoring",
    ),
    (
        '1',
        "one-shot",
        Value::None,
        "print once (the only mode yet)",
    ),
    ('N', "disable-ncurses", Value::None, "accepted"),
    (
        'i',
        "interval",
        Value::Required,
        "accepted; this program prints once",
    ),
    ('V', "verbose", Value::None, "accepted"),
    ('Q', "quiet", Value::None, "leave out times"),
    ('$', "version", Value::None, "print the version"),
    ('?', "help", Value::None, "print this help"),
    (
        '\0',
        "now",
        Value::Required,
        "time to take for now: seconds since 1970, or ISO 8601",
    ),
];

/// Reads the command line.
pub(crate) fn parse(words: &[String]) -> Result<Action, Failure> {
    let mut given = Given::default();
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        if let Some(long) = word.strip_prefix("--") {
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let Some(&(letter, name, kind, _)) = OPTIONS.iter().find(|option| option.1 == name)
            else {
                return Err(unknown(word));
            };
            let value = match (kind, attached) {
                (Value::Required, None) => Some(
                    rest.next()
                        .cloned()
                        .ok_or_else(|| usage(&format!("Missing argument for {word}")))?,
                ),
                (Value::None, Some(_)) => return Err(unknown(word)),
                (_, attached) => attached,
            };
            if let Some(text) = given.apply(letter, name, value)? {
                return Ok(Action::Print(text));
            }
            continue;
        }
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            return Err(usage(&format!("non-option ARGV-elements: {word}")));
        };
        for (at, letter) in letters.char_indices() {
            let found = OPTIONS
                .iter()
                .find(|option| option.0 == letter && letter != '\0');
            let Some(&(_, name, kind, _)) = found else {
                return Err(unknown(&format!("-{letter}")));
            };
            let attached = &word[1 + at + letter.len_utf8()..];
            let value = match kind {
                Value::None => None,
                _ if !attached.is_empty() => Some(attached.to_owned()),
                Value::Optional => None,
                Value::Required => Some(
                    rest.next()
                        .cloned()
                        .ok_or_else(|| usage(&format!("Missing argument for -{letter}")))?,
                ),
            };
            let last = kind != Value::None;
            if let Some(text) = given.apply(letter, name, value)? {
                return Ok(Action::Print(text));
            }
            if last {
                break;
            }
        }
    }
    given
        .finish(words)
        .map(|request| Action::Report(Box::new(request)))
}

impl Given {
    /// Applies one option. Returns a text to print instead of a status.
    fn apply(
        &mut self,
        _letter: char,
        name: &str,
        value: Option<String>,
    ) -> Result<Option<String>, Failure> {
        let include = |sections: &str| Change::Include(sections.to_owned());
        let value_text = value.clone().unwrap_or_default();
        match name {
            "output-as" => self.format = value,
            "output-to" => self.output_to = value,
            "html-cgi" => self.page.cgi = true,
            "html-stylesheet" => self.page.stylesheet = value,
            "html-title" => self.page.title = value_text,
            "include" => self.changes.push(Change::Include(value_text)),
            "exclude" => self.changes.push(Change::Exclude(value_text)),
            "node" => self.only_node = value,
            "resource" => self.only_resource = value,
            "group-by-node" => self.by_node = true,
            "inactive" => self.inactive = true,
            "failcounts" => self.changes.push(include("failcounts")),
            "operations" => self.changes.push(include("failcounts,operations")),
            "timing-details" => {
                self.timing = true;
                self.changes.push(include("operations"));
            }
            "tickets" => self.changes.push(include("tickets")),
            "neg-locations" => {
                self.bans_prefix = value_text;
                self.changes.push(include("bans"));
            }
            "show-node-attributes" => self.changes.push(include("attributes")),
            "hide-headers" => self.changes.push(Change::Exclude("summary".to_owned())),
            "quiet" => self.changes.push(Change::Exclude("times".to_owned())),
            "show-detail" => self.detail = true,
            "brief" => self.brief = true,
            "simple-status" => self.simple = true,
            "now" => self.now = Some(time(&value_text)?),
            "version" => return Ok(Some(format!("crm_mon {}\n", env!("CARGO_PKG_VERSION")))),
            "help" => return Ok(Some(help())),
            // What is accepted because scripts give it, and changes nothing here.
            _ => {}
        }
        Ok(None)
    }

    fn finish(self, words: &[String]) -> Result<Request, Failure> {
        let format = match self.format.as_deref() {
            _ if self.simple => Format::Simple,
            None | Some("console" | "text") => Format::Text,
            Some("xml") => Format::Xml,
            Some("html") => Format::Html,
            Some(other) => {
                return Err(usage(&format!(
                    "Unknown output format {other} (text, xml or html)"
                )));
            }
        };
        let xml = format == Format::Xml;
        let mut bans_prefix = self.bans_prefix;
        let default = if xml { Parts::ALL } else { Parts::DEFAULT };
        let all = if format == Format::Text {
            Parts::ALL.without(Part::Options)
        } else {
            Parts::ALL
        };
        let mut parts = default;
        for change in &self.changes {
            let (list, adds) = match change {
                Change::Include(list) => (list, true),
                Change::Exclude(list) => (list, false),
            };
            for name in list.split(',').filter(|name| !name.is_empty()) {
                match name {
                    "all" => parts = if adds { all } else { Parts::NONE },
                    "none" => parts = if adds { Parts::NONE } else { all },
                    "default" | "defaults" if adds => {
                        parts = parts.union(default);
                    }
                    name => {
                        let (name, prefix) = name.split_once(':').unwrap_or((name, ""));
                        let Some(named) = section(name) else {
                            return Err(bad_section(adds));
                        };
                        if name == "bans" && !prefix.is_empty() {
                            prefix.clone_into(&mut bans_prefix);
                        }
                        parts = if adds {
                            parts.union(named)
                        } else {
                            parts.difference(named)
                        };
                    }
                }
            }
        }
        let view = Options {
            parts,
            by_node: self.by_node,
            inactive: self.inactive || xml,
            brief: self.brief && !xml,
            detail: self.detail,
            timing: self.timing || xml,
            bans_prefix,
            only_node: self.only_node,
            only_resource: self.only_resource,
            request: request(words),
            daemon: None,
        };
        Ok(Request {
            format,
            view,
            page: self.page,
            output_to: self.output_to,
            now: self.now,
        })
    }
}

/// Returns the parts that a section's name stands for.
fn section(name: &str) -> Option<Parts> {
    let one = |part| Some(Parts::NONE.with(part));
    match name {
        "attributes" => one(Part::Attributes),
        "bans" => one(Part::Bans),
        "counts" => one(Part::Counts),
        "dc" => one(Part::Dc),
        "failcounts" => one(Part::FailCounts),
        "failures" => one(Part::Failures),
        "fencing" => Some(Parts::FENCING),
        "fencing-failed" => one(Part::FencingFailed),
        "fencing-pending" => one(Part::FencingPending),
        "fencing-succeeded" => one(Part::FencingSucceeded),
        "maint-mode" => one(Part::MaintenanceMode),
        "nodes" => one(Part::Nodes),
        "operations" => one(Part::Operations),
        "options" => one(Part::Options),
        "resources" => one(Part::Resources),
        "stack" => one(Part::Stack),
        "summary" => Some(Parts::SUMMARY),
        "tickets" => one(Part::Tickets),
        "times" => one(Part::Times),
        _ => None,
    }
}

fn bad_section(adds: bool) -> Failure {
    let option = if adds { "include" } else { "exclude" };
    let default = if adds { "default, " } else { "" };
    usage(&format!(
        "--{option} options: all, attributes, bans[:PREFIX], counts, dc, {default}failcounts, failures, \
         fencing, fencing-failed, fencing-pending, fencing-succeeded, maint-mode, nodes, none, operations, \
         options, resources, stack, summary, tickets, times"
    ))
}

/// Returns the command line as the root element of XML repeats it.
fn request(words: &[String]) -> String {
    let mut text = "crm_mon".to_owned();
    for word in words {
        text.push(' ');
        if word.contains(' ') {
            text.push_str(&format!("'{word}'"));
        } else {
            text.push_str(word);
        }
    }
    text
}

fn time(text: &str) -> Result<Timestamp, Failure> {
    let seconds = text
        .parse::<i64>()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.or_else(|| text.parse().ok()).ok_or_else(|| {
        usage(&format!(
            "--now {text}: give seconds since 1970 or 2022-12-01T12:00:00Z"
        ))
    })
}

fn unknown(word: &str) -> Failure {
    usage(&format!("Unknown option {word}"))
}

fn usage(message: &str) -> Failure {
    Failure {
        message: format!("{}\ncrm_mon: {message}", help()),
        code: USAGE,
    }
}

fn help() -> String {
    let mut text =
        "Usage: crm_mon [OPTIONS]\n\nPrint the status of the cluster, or of the CIB in the file \
                    that CIB_file names.\n\nOptions:\n"
            .to_owned();
    for (letter, name, value, line) in OPTIONS {
        let letter = if letter == '\0' {
            "   ".to_owned()
        } else {
            format!("-{letter},")
        };
        let value = match value {
            Value::None => "",
            Value::Required => "=VALUE",
            Value::Optional => "[=VALUE]",
        };
        let name = format!("--{name}{value}");
        text.push_str(&format!("  {letter} {name:<28}{line}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Request {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        match parse(&words) {
            Ok(Action::Report(request)) => *request,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn letters_combine_and_may_carry_a_value() {
        let request = read("-1rnLcli-ban");
        assert!(request.view.inactive && request.view.by_node);
        assert_eq!(request.view.bans_prefix, "cli-ban");
        assert!(request.view.parts.has(Part::Bans));
    }

    #[test]
    fn sections_are_added_and_left_out_in_order() {
        assert!(
            read("--include=all --exclude=nodes")
                .view
                .parts
                .has(Part::Bans)
        );
        assert!(
            !read("--include=all --exclude nodes")
                .view
                .parts
                .has(Part::Nodes)
        );
        assert!(
            read("--exclude=nodes --include=all")
                .view
                .parts
                .has(Part::Nodes)
        );
        assert!(!read("-D").view.parts.has(Part::Stack));
    }

    #[test]
    fn xml_shows_everything() {
        let request = read("--output-as xml");
        assert_eq!(request.format, Format::Xml);
        assert!(request.view.inactive && request.view.timing);
        assert!(request.view.parts.has(Part::Options));
        assert_eq!(request.view.request, "crm_mon --output-as xml");
    }

    #[test]
    fn nonsense_is_a_usage_error() {
        for words in [
            "--bogus",
            "-z",
            "extra",
            "--include=foo",
            "--now=never",
            "--output-as",
        ] {
            let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            assert_eq!(parse(&words).unwrap_err().code, USAGE, "{words:?}");
        }
    }
}
