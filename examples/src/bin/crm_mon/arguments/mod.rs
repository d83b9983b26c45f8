//! The command line, as `crm_mon` reads it.

mod format;
mod sections;
mod table;

use std::time::Duration;

use ha_core::Error;
use ha_core::language::Language;
use ha_core::view::out::Page;
use ha_core::view::{Options, Part, Parts};
use jiff::Timestamp;

use crate::ask::Asked;
use crate::words;
use format::{Choice, Old};
use sections::Change;
use table::{Entry, Name, Value};

pub(crate) use format::Format;

/// The exit status of a command line that makes no sense.
pub(crate) const USAGE: u8 = 64;

/// How often to look again unless told otherwise.
const INTERVAL: Duration = Duration::from_secs(5);

/// Where the number of the process in the background is written unless told otherwise.
const PID_FILE: &str = "/tmp/ClusterMon.pid";

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) format: Format,
    pub(crate) view: Options,
    /// How much to show of what was fenced: 0 to 3.
    #[allow(dead_code, reason = "only crm_mon-live looks inside")]
    pub(crate) fence_history: u8,
    pub(crate) page: Page,
    pub(crate) output_to: Option<String>,
    /// The file of the CIB, whatever the environment says.
    pub(crate) cib_file: Option<String>,
    /// Run by a web server, which has no use for a CIB in a file.
    pub(crate) is_cgi: bool,
    /// Print once and end, also on a terminal.
    pub(crate) one_shot: bool,
    /// No format was asked for, which means a terminal where there is one.
    pub(crate) is_console: bool,
    /// Nothing is to be printed but to a file.
    pub(crate) daemonize: bool,
    /// Follow the cluster without a terminal.
    pub(crate) follow: Option<Follow>,
    /// Say the version, instead of showing the status.
    pub(crate) version: bool,
    /// A question, instead of showing the status.
    pub(crate) asked: Option<Asked>,
    /// The language of answers.
    pub(crate) language: Option<Language>,
    /// The time to take for now.
    pub(crate) now: Option<Timestamp>,
    /// Say more about what goes wrong.
    pub(crate) verbose: bool,
    /// What is wrong with the sections asked for.
    pub(crate) problem: Option<String>,
}

/// How to follow the cluster without a terminal.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "only crm_mon-live looks inside")]
pub(crate) struct Follow {
    /// In the background.
    pub(crate) daemonize: bool,
    /// Where to write the number of the process in the background.
    pub(crate) pid_file: String,
    /// How long to wait before connecting again.
    pub(crate) interval: Duration,
    /// The program to run for each operation.
    pub(crate) agent: Option<ExternalAgent>,
}

/// A program to run for each operation.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "only crm_mon-live looks inside")]
pub(crate) struct ExternalAgent {
    pub(crate) program: String,
    /// What to tell it whom to send to.
    pub(crate) recipient: Option<String>,
    /// Run it for fencing too.
    pub(crate) fencing: bool,
}

/// What the command line comes to.
#[derive(Debug)]
pub(crate) enum Action {
    /// Say this and stop.
    Print(String),
    /// Print a status.
    Report(Box<Request>),
}

#[derive(Debug)]
struct Given {
    format: Choice,
    by_node: bool,
    inactive: bool,
    brief: bool,
    detail: bool,
    timing: bool,
    changes: Vec<Change>,
    only_node: Option<String>,
    only_resource: Option<String>,
    /// How much to show of what was fenced: 0 to 3.
    fence_history: u8,
    page: Page,
    output_to: Option<String>,
    cib_file: Option<String>,
    one_shot: bool,
    /// Say the version instead.
    version: bool,
    daemonize: bool,
    pid_file: String,
    agent: Option<String>,
    recipient: Option<String>,
    watch_fencing: bool,
    verbose: bool,
    interval: Duration,
    asked: Option<Asked>,
    /// What the whole command line says, also before it is read as far as that.
    language: Option<Language>,
    now: Option<Timestamp>,
}

impl Request {
    /// The language of answers, and of what else Pacemaker's `crm_mon` does not say.
    pub(crate) fn language(&self) -> Language {
        self.language.unwrap_or_else(words::of_environment)
    }
}

/// Returns the help.
pub(crate) fn help() -> String {
    table::help(Some(table::Group::Help))
}

/// Reads the command line: the program's name and the words that follow it.
///
/// # Errors
/// What is wrong with the command line, in one line; not always text, as `crm_mon` says the first byte of
/// a letter that it does not know.
pub(crate) fn parse(program: &str, words: &[String]) -> Result<Action, Vec<u8>> {
    let mut given = Given::new(program, words);
    let mut rest = words.iter().map(String::as_str).peekable();
    let mut said = None;
    // The word after an optional value that is missing: no value is attached to a letter in it.
    let mut is_plain = false;
    while let Some(word) = rest.next() {
        if word == "--" {
            break;
        }
        let was_plain = std::mem::take(&mut is_plain);
        if let Some(long) = word.strip_prefix("--") {
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let entry = table::by_long(name).ok_or_else(|| format!("Unknown option {word}"))?;
            let value = value(entry, attached, &mut rest)
                .ok_or_else(|| format!("Missing argument for {word}"))?;
            said = said.or(given.apply(entry.name, value)?);
            continue;
        }
        // A word that is no option is passed over, as `crm_mon` does.
        let Some(letters) = word.strip_prefix('-') else {
            continue;
        };
        for (at, letter) in letters.char_indices() {
            let unknown = || {
                let letters = letters.as_bytes();
                let name = if was_plain {
                    letters
                } else {
                    &letters[at..=at]
                };
                [b"Unknown option -", name].concat()
            };
            let entry = table::by_letter(letter).ok_or_else(unknown)?;
            let attached = &letters[at + letter.len_utf8()..];
            let takes = entry.value != Value::None && !was_plain;
            let attached = Some(attached).filter(|text| takes && !text.is_empty());
            let is_missing = entry.value == Value::Optional && attached.is_none();
            is_plain =
                is_missing && !was_plain && rest.peek().is_some_and(|word| word.starts_with('-'));
            let value = value(entry, attached, &mut rest)
                .ok_or_else(|| format!("Missing argument for -{letter}"))?;
            said = said.or(given.apply(entry.name, value)?);
            if takes {
                break;
            }
        }
    }
    Ok(match said {
        Some(text) => Action::Print(text),
        None => Action::Report(Box::new(given.finish(request(program, words)))),
    })
}

/// Returns an option's value, or nothing when it must have one and has none.
fn value<'w>(
    entry: &Entry,
    attached: Option<&'w str>,
    rest: &mut std::iter::Peekable<impl Iterator<Item = &'w str>>,
) -> Option<&'w str> {
    match entry.value {
        Value::None => Some(""),
        Value::Required => attached.or_else(|| rest.next()),
        Value::Optional => attached
            .or_else(|| rest.next_if(|word| !word.starts_with('-')))
            .or(Some("")),
    }
}

/// Returns what there is to say about a command line that makes no sense, where JSON was asked for anywhere in
/// it: programs that read JSON get JSON. Other formats have plain text then, as `crm_mon` has it.
pub(crate) fn refused_as_json(program: &str, words: &[String]) -> Option<Request> {
    let mut given = Given::new(program, words);
    let next = words.iter().skip(1).map(String::as_str).chain([""]);
    for (word, next) in words.iter().zip(next) {
        let value = |long: &str| {
            let rest = word.strip_prefix(long)?;
            if rest.is_empty() {
                return Some(next);
            }
            rest.strip_prefix('=')
        };
        if word == "--" {
            break;
        } else if let Some(format) = value("--output-as") {
            given.format.output_as(format);
        } else if let Some(path) = value("--output-to") {
            given.output_to = Some(path.to_owned());
        }
    }
    let request = given.finish(request(program, words));
    (request.format == Format::Json).then_some(request)
}

impl Given {
    fn new(program: &str, words: &[String]) -> Self {
        let mut given = Self {
            format: Choice::default(),
            by_node: false,
            inactive: false,
            brief: false,
            detail: false,
            timing: false,
            changes: Vec::new(),
            only_node: None,
            only_resource: None,
            fence_history: 1,
            page: Page::default(),
            output_to: None,
            cib_file: None,
            one_shot: false,
            version: false,
            daemonize: false,
            pid_file: PID_FILE.to_owned(),
            agent: None,
            recipient: None,
            watch_fencing: false,
            verbose: false,
            interval: INTERVAL,
            asked: None,
            language: words::asked_for(words),
            now: None,
        };
        if program.ends_with(".cgi") {
            given.format.cgi_by_name();
        }
        given
    }

    /// Applies one option. Returns a text to print instead of a status.
    fn apply(&mut self, name: Name, value: &str) -> Result<Option<String>, String> {
        let owned = || value.to_owned();
        match name {
            Name::OutputAs => self.format.output_as(value),
            Name::AsXml => self.format.old(Old::Xml),
            Name::AsHtml => {
                self.format.old(Old::Html);
                self.output_to = Some(owned());
            }
            Name::WebCgi => self.format.old(Old::Cgi),
            Name::DisableNcurses => self.format.old(Old::Plain),
            Name::Simple => self.format.old(Old::Simple),
            Name::OutputTo => self.output_to = Some(owned()),
            Name::HtmlCgi => self.page.cgi = true,
            Name::HtmlStylesheet => self.page.stylesheet = Some(owned()),
            Name::HtmlTitle => self.page.title = owned(),
            Name::Include => self.changes.push(Change::Include(owned())),
            Name::Exclude => self.changes.push(Change::Exclude(owned())),
            Name::FailCounts => self.include("failcounts"),
            Name::Operations => self.include("failcounts,operations"),
            Name::Timing => {
                self.timing = true;
                self.include("operations");
            }
            Name::Tickets => self.include("tickets"),
            Name::NegLocations if value.is_empty() => self.include("bans"),
            Name::NegLocations => self.include(&format!("bans:{value}")),
            Name::Attributes => self.include("attributes"),
            Name::FenceHistory => {
                self.fence_history = match leading_integer(value) {
                    None if value.is_empty() => 2,
                    Some(level) if level > 3 => return Err("Fence history must be 0-3".to_owned()),
                    level => level
                        .and_then(|level| u8::try_from(level).ok())
                        .unwrap_or(0),
                }
            }
            Name::HideHeaders => self.changes.push(Change::Exclude("summary".to_owned())),
            // Before all other changes, wherever it stands.
            Name::Quiet => {
                let change = Change::Exclude("times".to_owned());
                self.changes.insert(0, change);
            }
            Name::Node => self.only_node = Some(owned()),
            Name::Resource => self.only_resource = Some(owned()),
            Name::GroupByNode => self.by_node = true,
            Name::Inactive => self.inactive = true,
            Name::Detail => self.detail = true,
            Name::XmlFile => self.cib_file = Some(owned()),
            Name::OneShot => self.one_shot = true,
            Name::Verbose => self.verbose = true,
            Name::Brief => self.brief = true,
            Name::Interval => {
                self.interval =
                    interval(value).ok_or_else(|| format!("Invalid value for -i: {value}"))?;
            }
            Name::Why => self.ask(Asked::Why(owned()))?,
            Name::Is => self.ask(Asked::Is(owned()))?,
            Name::Findings => self.ask(Asked::Findings)?,
            Name::Lang => {
                let language = value.parse::<Language>();
                let wrong = |e: Error| format!("--lang: {}", e.text(self.spoken()));
                self.language = Some(language.map_err(wrong)?);
            }
            Name::Now => self.now = Some(time(value, self.spoken())?),
            Name::Version => self.version = true,
            Name::Help(group) => return Ok(Some(table::help(Some(group)))),
            Name::HelpAll => return Ok(Some(table::help(None))),
            Name::Daemonize => self.daemonize = true,
            Name::PidFile => self.pid_file = owned(),
            Name::ExternalAgent => self.agent = Some(owned()),
            Name::ExternalRecipient => self.recipient = Some(owned()),
            Name::WatchFencing => self.watch_fencing = true,
            // What is accepted because scripts give it, and changes nothing here.
            Name::TextFancy | Name::Pending | Name::XmlSimple => {}
        }
        Ok(None)
    }

    fn ask(&mut self, asked: Asked) -> Result<(), String> {
        if self.asked.replace(asked).is_some() {
            let text = words::of(
                self.spoken(),
                "only one of --why, --is and --findings can be asked at a time",
                "une seule de --why, --is et --findings peut être demandée à la fois",
            );
            return Err(text.to_owned());
        }
        Ok(())
    }

    fn spoken(&self) -> Language {
        self.language.unwrap_or_else(words::of_environment)
    }

    fn include(&mut self, sections: &str) {
        self.changes.push(Change::Include(sections.to_owned()));
    }

    /// Returns how to follow the cluster, unless the status is to be printed once.
    fn follow(&self) -> Option<Follow> {
        let is_cgi = self.format.is_cgi();
        let once = match self.format.format() {
            Format::Simple | Format::EmptyXml | Format::EmptyHtml => true,
            Format::Xml | Format::LegacyXml | Format::Json => !self.daemonize,
            Format::Text => self.format.console && !self.daemonize && self.agent.is_none(),
            Format::Html => false,
        };
        if once || self.one_shot || is_cgi || self.asked.is_some() {
            return None;
        }
        let agent = self.agent.clone();
        Some(Follow {
            daemonize: self.daemonize,
            pid_file: self.pid_file.clone(),
            interval: self.interval,
            agent: agent.map(|program| ExternalAgent {
                program,
                recipient: self.recipient.clone(),
                fencing: self.watch_fencing,
            }),
        })
    }

    fn finish(mut self, request: String) -> Request {
        // What programs read has everything in it.
        let format = self.format.format();
        let has_all = self.format.has_all();
        let default = if has_all { Parts::ALL } else { Parts::DEFAULT };
        let all = if matches!(format, Format::Text | Format::Simple) {
            Parts::ALL.without(Part::Options)
        } else {
            Parts::ALL
        };
        let start = default.union(Parts::of_fence_history(self.fence_history));
        let follow = self.follow();
        let (chosen, problem) = match sections::choose(&self.changes, start, default, all) {
            Ok(chosen) => (chosen, None),
            Err(message) => (sections::Chosen::default(), Some(message)),
        };
        let is_text = matches!(format, Format::Text | Format::Simple | Format::Json);
        let problem = problem.or_else(|| {
            let refused = self.asked.is_some() && !is_text;
            let text = || {
                words::of(
                    self.spoken(),
                    "questions are answered as text or JSON",
                    "les questions ont leur réponse en texte ou en JSON",
                )
            };
            refused.then(|| text().to_owned())
        });
        let to_file = self.output_to.as_deref().is_some_and(|path| path != "-");
        let refreshes = to_file && self.format.refreshes();
        self.page.refresh = refreshes.then_some(self.interval.as_secs());
        let is_cgi = self.format.is_cgi();
        self.page.cgi |= is_cgi;
        let is_page = matches!(format, Format::Html | Format::EmptyHtml);
        let view = Options {
            parts: if self.fence_history == 0 {
                chosen.parts.difference(Parts::FENCING)
            } else {
                chosen.parts
            },
            by_node: self.by_node,
            inactive: self.inactive || has_all,
            brief: self.brief && (!has_all || is_page),
            detail: self.detail,
            timing: self.timing || has_all,
            pending: true,
            bans_prefix: chosen.bans_prefix,
            only_node: self.only_node,
            only_resource: self.only_resource,
            request,
            daemon: None,
            fencing: None,
        };
        Request {
            format,
            view,
            fence_history: self.fence_history,
            page: self.page,
            output_to: self.output_to,
            cib_file: self.cib_file,
            is_cgi,
            one_shot: self.one_shot,
            is_console: format == Format::Text && self.format.console,
            daemonize: self.daemonize,
            follow,
            verbose: self.verbose,
            version: self.version,
            asked: self.asked,
            language: self.language,
            now: self.now,
            problem,
        }
    }
}

/// Returns the command line as the root element of XML repeats it.
fn request(program: &str, words: &[String]) -> String {
    let mut text = program.to_owned();
    for word in words {
        text.push(' ');
        if word.contains(' ') {
            text.push_str(&format!("'{}'", word.replace('\'', "\\'")));
        } else {
            text.push_str(word);
        }
    }
    text
}

/// Reads the number at the start of a text; one that is out of range is none.
fn leading_integer(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let end = text.len() - digits.len() + end.unwrap_or(digits.len());
    text[..end].parse().ok()
}

/// Reads a number with an optional unit; seconds without one.
fn interval(text: &str) -> Option<Duration> {
    const MOST: u64 = u32::MAX as u64;
    // What the help of `crm_mon` calls an ISO 8601 period is refused by it too, and so is the number
    // that means an error to it.
    let milliseconds = ha_core::model::scalar::milliseconds(text)
        .filter(|&ms| ms != MOST && ms < i64::MAX as u64)?;
    Some(Duration::from_millis(milliseconds.min(MOST)))
}

fn time(text: &str, language: Language) -> Result<Timestamp, String> {
    let seconds = text
        .parse::<i64>()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.or_else(|| text.parse().ok()).ok_or_else(|| {
        let advice = words::of(
            language,
            ": give seconds since 1970 or 2022-12-01T12:00:00Z",
            " : donner des secondes depuis 1970 ou 2022-12-01T12:00:00Z",
        );
        format!("--now {text}{advice}")
    })
}

#[cfg(test)]
mod tests;
