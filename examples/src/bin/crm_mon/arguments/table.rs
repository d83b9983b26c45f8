//! The options: letters, names, values, and what the help says of them.

/// How an option takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    None,
    Required,
    /// Attached, or the next word unless that is an option.
    Optional,
}

/// What an option does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    OutputAs,
    OutputTo,
    HtmlCgi,
    HtmlStylesheet,
    HtmlTitle,
    TextFancy,
    Include,
    Exclude,
    Node,
    Resource,
    GroupByNode,
    Inactive,
    FailCounts,
    Operations,
    Timing,
    Tickets,
    FenceHistory,
    NegLocations,
    Attributes,
    HideHeaders,
    Detail,
    Brief,
    Pending,
    Simple,
    Interval,
    OneShot,
    Daemonize,
    PidFile,
    ExternalAgent,
    ExternalRecipient,
    WatchFencing,
    AsHtml,
    AsXml,
    DisableNcurses,
    WebCgi,
    Version,
    Verbose,
    Quiet,
    Help(Group),
    HelpAll,
    Now,
    Why,
    Is,
    Findings,
    Lang,
    XmlFile,
    XmlSimple,
}

/// A section of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Help,
    Output,
    Display,
    Additional,
    /// What the program that this one mimics does not have.
    Questions,
    Deprecated,
    Application,
    /// Accepted, and not in the help.
    Hidden,
}

/// One option.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) letter: Option<char>,
    pub(super) long: &'static str,
    pub(super) value: Value,
    group: Group,
    /// The value's name and the help line.
    help: (&'static str, &'static str),
}

const fn entry(
    group: Group,
    name: Name,
    letter: char,
    long: &'static str,
    value: Value,
    help: (&'static str, &'static str),
) -> Entry {
    Entry {
        name,
        letter: if letter == ' ' { None } else { Some(letter) },
        long,
        value,
        group,
        help,
    }
}

use Group::{Additional, Application, Deprecated, Display, Hidden, Output, Questions};

/// Every option.
#[rustfmt::skip]
const OPTIONS: [Entry; 53] = [
    entry(Group::Help, Name::Help(Group::Help), '?', "help", Value::None, ("", "this text")),
    entry(Group::Help, Name::HelpAll, ' ', "help-all", Value::None, ("", "every option")),
    entry(Group::Help, Name::Help(Output), ' ', "help-output", Value::None, ("", "options of formats and files")),
    entry(Group::Help, Name::Help(Display), ' ', "help-display", Value::None, ("", "options of what is shown")),
    entry(Group::Help, Name::Help(Additional), ' ', "help-additional", Value::None, ("", "options of how it runs")),
    entry(Group::Help, Name::Help(Deprecated), ' ', "help-deprecated", Value::None, ("", "old spellings")),
    entry(Group::Help, Name::Help(Questions), ' ', "help-questions", Value::None, ("", "options that ask instead of showing; one at a\ntime, answered as text or JSON")),
    entry(Output, Name::OutputAs, ' ', "output-as", Value::Required, ("FORMAT", "console (default), text, xml, html or json")),
    entry(Output, Name::OutputTo, ' ', "output-to", Value::Required, ("FILE", "write there (\"-\" for standard output)")),
    entry(Output, Name::HtmlCgi, ' ', "html-cgi", Value::None, ("", "start HTML with the header a web server expects")),
    entry(Output, Name::HtmlStylesheet, ' ', "html-stylesheet", Value::Required, ("ADDRESS", "link HTML to this style sheet")),
    entry(Output, Name::HtmlTitle, ' ', "html-title", Value::Required, ("TITLE", "title of the HTML page")),
    entry(Output, Name::TextFancy, ' ', "text-fancy", Value::None, ("", "accepted; text is always made of lists")),
    entry(Display, Name::Include, 'I', "include", Value::Required, ("SECTIONS", "show these sections too (\"list\" names them)")),
    entry(Display, Name::Exclude, 'U', "exclude", Value::Required, ("SECTIONS", "leave these sections out")),
    entry(Display, Name::Node, ' ', "node", Value::Required, ("NODE", "only this node, or the nodes of this tag")),
    entry(Display, Name::Resource, ' ', "resource", Value::Required, ("RESOURCE", "only this resource, or those of this tag")),
    entry(Display, Name::GroupByNode, 'n', "group-by-node", Value::None, ("", "list resources under their nodes")),
    entry(Display, Name::Inactive, 'r', "inactive", Value::None, ("", "list inactive resources too")),
    entry(Display, Name::FailCounts, 'f', "failcounts", Value::None, ("", "how often resources failed")),
    entry(Display, Name::Operations, 'o', "operations", Value::None, ("", "the history of operations")),
    entry(Display, Name::Timing, 't', "timing-details", Value::None, ("", "the history of operations with times")),
    entry(Display, Name::Tickets, 'c', "tickets", Value::None, ("", "tickets")),
    entry(Display, Name::FenceHistory, 'm', "fence-history", Value::Optional, ("LEVEL", "fencing: 0 nothing, 1 failed and pending,\n2 successful too (without a value), 3 all of it")),
    entry(Display, Name::NegLocations, 'L', "neg-locations", Value::Optional, ("PREFIX", "bans (whose id starts like this)")),
    entry(Display, Name::Attributes, 'A', "show-node-attributes", Value::None, ("", "node attributes")),
    entry(Display, Name::HideHeaders, 'D', "hide-headers", Value::None, ("", "no summary")),
    entry(Display, Name::Detail, 'R', "show-detail", Value::None, ("", "more: node ids, instances of clones, feature sets")),
    entry(Display, Name::Brief, 'b', "brief", Value::None, ("", "count resources instead of listing them")),
    entry(Display, Name::Simple, 's', "simple-status", Value::None, ("", "one line, for monitoring")),
    entry(Additional, Name::Interval, 'i', "interval", Value::Required, ("TIME", "how often to look again: 5, 10s, 500ms, 1min")),
    entry(Additional, Name::OneShot, '1', "one-shot", Value::None, ("", "print once and end")),
    entry(Additional, Name::Daemonize, 'd', "daemonize", Value::None, ("", "run in the background (with --output-to or\n--external-agent)")),
    entry(Additional, Name::PidFile, 'p', "pid-file", Value::Required, ("FILE", "where the daemon writes its process id")),
    entry(Additional, Name::ExternalAgent, 'E', "external-agent", Value::Required, ("FILE", "program to run for each operation")),
    entry(Additional, Name::ExternalRecipient, 'e', "external-recipient", Value::Required, ("RECIPIENT", "what to tell that program whom to send to")),
    entry(Additional, Name::WatchFencing, 'W', "watch-fencing", Value::None, ("", "run that program for fencing too")),
    entry(Additional, Name::Now, ' ', "now", Value::Required, ("TIME", "take this for now: seconds since 1970, or ISO 8601")),
    entry(Questions, Name::Why, ' ', "why", Value::Required, ("RESOURCE", "why it does not run where one would expect it")),
    entry(Questions, Name::Is, ' ', "is", Value::Required, ("QUESTION", "yes (exit status 0) or no (1):\n\"VIP_externe started on maitre\"")),
    entry(Questions, Name::Findings, ' ', "findings", Value::None, ("", "what is wrong or risky, each with a fix\n(exit status 1 when something is wrong)")),
    entry(Questions, Name::Lang, ' ', "lang", Value::Required, ("LANGUAGE", "en or fr, instead of the environment's")),
    entry(Deprecated, Name::AsHtml, 'h', "as-html", Value::Required, ("FILE", "--output-as=html --output-to=FILE")),
    entry(Deprecated, Name::AsXml, 'X', "as-xml", Value::None, ("", "--output-as=xml with the root element of old")),
    entry(Deprecated, Name::DisableNcurses, 'N', "disable-ncurses", Value::None, ("", "--output-as=text")),
    entry(Deprecated, Name::WebCgi, 'w', "web-cgi", Value::None, ("", "--output-as=html --html-cgi")),
    entry(Application, Name::Version, '$', "version", Value::None, ("", "print the version")),
    entry(Application, Name::Verbose, 'V', "verbose", Value::None, ("", "accepted (may be repeated)")),
    entry(Application, Name::Quiet, 'Q', "quiet", Value::None, ("", "leave out times")),
    entry(Hidden, Name::Pending, 'j', "pending", Value::None, ("", "")),
    entry(Hidden, Name::XmlFile, 'x', "xml-file", Value::Required, ("", "")),
    entry(Hidden, Name::XmlSimple, ' ', "xml-simple-list", Value::None, ("", "")),
    entry(Hidden, Name::XmlSimple, ' ', "xml-substitute", Value::None, ("", "")),
];

/// Finds an option by its long name.
pub(super) fn by_long(name: &str) -> Option<&'static Entry> {
    OPTIONS.iter().find(|entry| entry.long == name)
}

/// Finds an option by its letter.
pub(super) fn by_letter(letter: char) -> Option<&'static Entry> {
    OPTIONS.iter().find(|entry| entry.letter == Some(letter))
}

/// Returns the help: of one group of options, or of all.
pub(super) fn help(only: Option<Group>) -> String {
    let groups: &[(Group, &str)] = &[
        (Group::Help, "Help"),
        (Output, "Output"),
        (Display, "Display"),
        (Additional, "Additional"),
        (Questions, "Question"),
        (Deprecated, "Deprecated"),
        (Application, "Application"),
    ];
    let mut text = "Usage:\n  crm_mon [OPTION...]\n\n\
        The state of the cluster, or of the CIB in the file that CIB_file names\n\
        (\"-\" for standard input), or of the shadow CIB that CIB_shadow names.\n"
        .to_owned();
    for &(group, title) in groups {
        let wanted = match only {
            None => true,
            Some(Group::Help) => matches!(group, Group::Help | Application),
            Some(only) => group == only,
        };
        if !wanted {
            continue;
        }
        text.push_str(&format!("\n{title} options:\n"));
        for entry in OPTIONS.iter().filter(|entry| entry.group == group) {
            let letter = entry.letter.map_or("   ".to_owned(), |c| format!("-{c},"));
            let (value, line) = entry.help;
            let equals = if value.is_empty() { "" } else { "=" };
            let name = format!("--{}{equals}{value}", entry.long);
            let line = line.replace('\n', &format!("\n{:36}", ""));
            text.push_str(&format!("  {letter} {name:<29} {line}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_letters_are_told_apart() {
        let names: HashSet<_> = OPTIONS.iter().map(|entry| entry.long).collect();
        assert_eq!(names.len(), OPTIONS.len());
        let letters: Vec<_> = OPTIONS.iter().filter_map(|entry| entry.letter).collect();
        let different: HashSet<_> = letters.iter().collect();
        assert_eq!(letters.len(), different.len());
    }

    #[test]
    fn the_help_has_every_group_once() {
        let all = help(None);
        for entry in OPTIONS.iter().filter(|entry| entry.group != Hidden) {
            let name = format!(" --{}", entry.long);
            assert!(all.lines().any(|line| line.contains(&name)), "{name}");
        }
        assert!(help(Some(Display)).contains("--group-by-node"));
        assert!(!help(Some(Display)).contains("--daemonize"));
        assert!(all.lines().all(|line| line.len() <= 100), "{all}");
    }
}
