//! The file as text: sections, values and comments, with their places.

use std::fmt;

use crate::{Error, Result};

/// The longest line that corosync takes, in bytes.
const LONGEST_LINE: usize = 506;
/// The longest path of a value (`quorum.two_node`) that corosync takes, in bytes.
const LONGEST_PATH: usize = 254;
/// The shortest.
const SHORTEST_PATH: usize = 3;
/// What corosync takes for blank.
const BLANK: [char; 3] = [' ', '\t', '\r'];

/// How something was written: no part of what it means, so all layouts are equal.
#[derive(Debug, Clone, Default)]
struct Layout {
    /// The line, while nothing of it was changed.
    text: Option<Box<str>>,
    line: usize,
}

impl Layout {
    fn read(text: &str, line: usize) -> Self {
        Self {
            text: Some(text.into()),
            line,
        }
    }

    fn line(&self) -> Option<usize> {
        (self.line > 0).then_some(self.line)
    }
}

impl PartialEq for Layout {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Layout {}

/// One line or one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A comment or a blank line, as it is written, with its `#`.
    Comment(String),
    /// `key: value`.
    Value(Value),
    /// `name { ... }`.
    Section(Section),
}

/// A line `key: value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    key: String,
    value: String,
    layout: Layout,
}

impl Value {
    /// Makes a value.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            layout: Layout::default(),
        }
    }

    /// Returns the key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the number of its line, from 1, when it was read from a file.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.layout.line()
    }

    /// Sets the value; its line is written anew when that changes it.
    pub fn set(&mut self, value: &str) {
        if self.value != value {
            value.clone_into(&mut self.value);
            self.layout.text = None;
        }
    }
}

/// A section `name { ... }`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    name: String,
    /// What it holds, in order.
    pub entries: Vec<Entry>,
    open: Layout,
    close: Layout,
}

impl Section {
    /// Makes an empty section.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Returns the name: empty for the file itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of the line that opens it, from 1, when it was read from a file.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.open.line()
    }

    /// Returns its values, in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Value(value) => Some(value),
            _ => None,
        })
    }

    /// Returns its sections, in order.
    pub fn sections(&self) -> impl DoubleEndedIterator<Item = &Self> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Section(section) => Some(section),
            _ => None,
        })
    }

    /// Returns the value of a key: of several lines the last counts, as for corosync.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values()
            .rev()
            .find(|value| value.key == key)
            .map(Value::value)
    }

    /// Adds a value at the end.
    pub fn push(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.entries.push(Entry::Value(Value::new(key, value)));
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = depth * 4;
        for entry in &self.entries {
            match entry {
                Entry::Comment(text) => writeln!(f, "{text}")?,
                Entry::Value(value) => match &value.layout.text {
                    Some(text) => writeln!(f, "{text}")?,
                    None => writeln!(f, "{:indent$}{}: {}", "", value.key, value.value)?,
                },
                Entry::Section(section) => {
                    match &section.open.text {
                        Some(text) => writeln!(f, "{text}")?,
                        None => writeln!(f, "{:indent$}{} {{", "", section.name)?,
                    }
                    section.write(f, depth + 1)?;
                    match &section.close.text {
                        Some(text) => writeln!(f, "{text}")?,
                        None => writeln!(f, "{:indent$}}}", "")?,
                    }
                }
            }
        }
        Ok(())
    }
}

/// A `corosync.conf`, with its comments, its order and what nobody knows.
///
/// Two are equal when they say the same in the same order, comments included; how lines are indented does not count.
/// Printed, a file that was read and not changed is as it was, to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct File {
    /// What it holds: a section without a name.
    pub root: Section,
    /// The last line, where no line end follows it.
    unended: Layout,
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Text(&self.root).to_string();
        match &self.unended.text {
            Some(last) if text.ends_with(&format!("{last}\n")) => {
                f.write_str(&text[..text.len() - 1])
            }
            _ => f.write_str(&text),
        }
    }
}

struct Text<'a>(&'a Section);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, 0)
    }
}

/// A value with its full name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// Where it is: `totem.token`, `nodelist.node.0.nodeid` (nodes counted from 0), `totem.interface.0.mcastport` (the link).
    pub path: String,
    /// Its line.
    pub value: &'a Value,
}

/// How the nodes of a list are named in a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NodesBy {
    Position,
    /// By `nodeid` where there is one, so that a node is the same one in two files.
    Id,
}

impl File {
    /// Reads the text of a file by the grammar of corosync 3.1.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with the line and what would do, where corosync refuses the grammar.
    pub fn parse(text: &str) -> Result<Self> {
        let mut open: Vec<Section> = Vec::new();
        let mut here = Section::default();
        let mut number = 0;
        for raw in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            number += 1;
            let at = |what: &str, fix: &str| {
                Error::invalid(format!("line {number}: {what}")).with_hint(fix.to_owned())
            };
            if raw.len() > LONGEST_LINE {
                let what = format!("of {} bytes, more than corosync reads", raw.len());
                return Err(at(
                    &what,
                    &format!("make it at most {LONGEST_LINE} bytes long"),
                ));
            }
            if raw.contains('\0') {
                return Err(at("a NUL character", "remove it; is this a text file?"));
            }
            let line = raw.trim_matches(BLANK);
            if line.is_empty() || line.starts_with('#') {
                if !(text.is_empty() && number == 1) {
                    here.entries.push(Entry::Comment(raw.to_owned()));
                }
            } else if let Some((name, rest)) = line.split_once('{') {
                let name = name.trim_end_matches(BLANK);
                if !rest.is_empty() {
                    return Err(at(
                        &format!("\"{rest}\" after the opening brace"),
                        "go to a new line after \"{\"; a comment has its own line",
                    ));
                }
                if name.is_empty() {
                    return Err(at(
                        "a section without a name",
                        "write its name before \"{\": totem {",
                    ));
                }
                let mut section = Section::new(name);
                section.open = Layout::read(raw, number);
                open.push(std::mem::replace(&mut here, section));
            } else if let Some((key, value)) = line.split_once(':') {
                let key = key.trim_end_matches(BLANK);
                let names = open.iter().skip(1).map(|s| s.name.as_str());
                let own = (!open.is_empty()).then_some(here.name.as_str());
                let path: Vec<&str> = names.chain(own).chain([key]).collect();
                if let Some((what, fix)) = bad_path(&path.join(".")) {
                    return Err(at(&what, &fix));
                }
                here.entries.push(Entry::Value(Value {
                    key: key.to_owned(),
                    value: value.trim_matches(BLANK).to_owned(),
                    layout: Layout::read(raw, number),
                }));
            } else if line.contains('}') {
                if line != "}" {
                    return Err(at(
                        &format!("\"{line}\": a closing brace with more around it"),
                        "put \"}\" on a line of its own",
                    ));
                }
                let Some(outer) = open.pop() else {
                    return Err(at("a closing brace that closes nothing", "remove it"));
                };
                here.close = Layout::read(raw, number);
                let section = std::mem::replace(&mut here, outer);
                here.entries.push(Entry::Section(section));
            } else {
                return Err(at(
                    &format!("\"{line}\" is neither a section nor a value"),
                    "write \"key: value\", \"name {\" or \"}\", or begin it with # for a comment",
                ));
            }
        }
        if open.is_empty() {
            let last = text.rsplit('\n').next().filter(|last| !last.is_empty());
            let unended = last.map_or_else(Layout::default, |last| Layout::read(last, number));
            return Ok(Self {
                root: here,
                unended,
            });
        }
        let (name, line) = (&here.name, here.open.line);
        Err(Error::invalid(format!(
            "line {number}: the file ends within \"{name}\", which line {line} opens"
        ))
        .with_hint("add the missing \"}\""))
    }

    /// Returns all values with their full names, in the order of the file.
    #[must_use]
    pub fn values(&self) -> Vec<Named<'_>> {
        self.named(NodesBy::Position)
    }

    /// Returns what corosync takes for a value's full name: of several lines the last counts.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&str> {
        let values = self.values();
        let found = values.iter().rev().find(|named| named.path == path)?;
        Some(found.value.value())
    }

    /// Returns the sections of a name at the top of the file.
    pub fn sections<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Section> {
        self.root.sections().filter(move |s| s.name == name)
    }

    pub(super) fn named(&self, nodes: NodesBy) -> Vec<Named<'_>> {
        let mut out = Vec::new();
        let mut node = 0;
        collect(&self.root, "", nodes, &mut node, &mut out);
        out
    }
}

fn collect<'a>(
    section: &'a Section,
    prefix: &str,
    nodes: NodesBy,
    node: &mut usize,
    out: &mut Vec<Named<'a>>,
) {
    for entry in &section.entries {
        match entry {
            Entry::Comment(_) => {}
            Entry::Value(value) => out.push(Named {
                path: format!("{prefix}{}", value.key),
                value,
            }),
            Entry::Section(inner) => {
                let name = &inner.name;
                let prefix = match (prefix, name.as_str()) {
                    ("nodelist.", "node") => {
                        let id = inner.get("nodeid").filter(|_| nodes == NodesBy::Id);
                        let id = id.map_or_else(|| node.to_string(), str::to_owned);
                        *node += 1;
                        format!("nodelist.node.{id}.")
                    }
                    ("totem.", "interface") => {
                        let link = inner.get("linknumber");
                        format!("totem.interface.{}.", link.unwrap_or("0"))
                    }
                    ("logging.", "logger_subsys") => {
                        format!(
                            "logging.logger_subsys.{}.",
                            inner.get("subsys").unwrap_or("")
                        )
                    }
                    _ => format!("{prefix}{name}."),
                };
                collect(inner, &prefix, nodes, node, out);
            }
        }
    }
}

/// Says what corosync has against the full name of a value, and what would do.
fn bad_path(path: &str) -> Option<(String, String)> {
    let known = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    if let Some(c) = path.chars().find(|&c| !known(c)) {
        let shown = if c.is_control() || c.is_whitespace() || !c.is_ascii_graphic() {
            format!("the character U+{:04X}", u32::from(c))
        } else {
            format!("the character \"{c}\"")
        };
        let what = format!("{shown} in the name \"{}\"", path.escape_debug());
        let fix =
            "use letters, digits and _ in names; retype the line if nothing odd is to be seen";
        return Some((what, fix.to_owned()));
    }
    if path.len() < SHORTEST_PATH || path.len() > LONGEST_PATH {
        let what = format!("the name \"{path}\" is {} bytes long", path.len());
        let fix =
            format!("corosync takes {SHORTEST_PATH} to {LONGEST_PATH} bytes, sections included");
        return Some((what, fix));
    }
    None
}
