//! A configuration as a file that `apply` takes back.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::differences;
use super::edit::section;
use super::edit::values::is_plain;
use super::merge::{merge, owner, tag_of};
use crate::config::{Config, Constraint};
use crate::name::Id;
use crate::xml::{Document, Element};
use crate::{Error, Result};

/// What the daemons write among the options, and nobody wants in a file.
const OF_DAEMONS: [&str; 3] = ["dc-version", "cluster-infrastructure", "have-watchdog"];

/// Prints the configuration of a CIB as a TOML file, of the layout that
/// [`Config::from_toml`](crate::config::Config::from_toml) reads.
///
/// Merged into the same CIB it changes nothing: that is tried before it is returned. Where all of it is of one
/// owner (see [`merge`]), the file says whose it is: what is taken out of the file is then removed. What the layout has no
/// words for is in it as XML. Left out are the nodes without attributes, and what the daemons write by
/// themselves.
///
/// **Secrets (passwords of fence devices) are in it as they are.**
///
/// # Errors
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it holds no configuration, or values that make no sense
/// ([`Config::unreadable`]).
///
/// # Example
/// ```
/// use ha_core::change::to_toml;
/// use ha_core::xml::Document;
/// let cib = Document::parse("<cib><configuration><resources>\
///      <primitive id='arv_rsc' class='systemd' type='arv'><meta_attributes id='m'>\
///      <nvpair id='m-1' name='target-role' value='Stopped'/></meta_attributes></primitive>\
///      </resources></configuration></cib>")?;
/// assert_eq!(
///     to_toml(&cib)?,
///     "[[primitive]]\nid = \"arv_rsc\"\nagent = \"systemd:arv\"\nmeta = { target-role = \"Stopped\" }\n"
/// );
/// # Ok::<(), ha_core::Error>(())
/// ```
pub fn to_toml(cib: &Document) -> Result<String> {
    if let Some(owner) = owner::only(cib)
        && let Some(text) = print(cib, Some(&owner))?
    {
        return Ok(text);
    }
    let text = print(cib, None)?;
    Ok(text.unwrap_or_default())
}

/// Prints it as the configuration of an owner, or of nobody; none when it would not be taken back unchanged as that
/// owner's.
fn print(cib: &Document, owner: Option<&Id>) -> Result<Option<String>> {
    let mut as_xml: HashSet<String> = HashSet::new();
    // Each round some more objects become XML: those that came back other than they were.
    loop {
        let text = Printer::new(cib, &as_xml, owner)?.print();
        let mut merged = cib.clone();
        let desired = Config::from_toml(&text).and_then(|config| {
            let mut config = config;
            config.validate_with = cib.root().attribute("validate-with").map(str::to_owned);
            config.to_document()
        })?;
        merge(&mut merged, &desired, owner)?;
        let changed = differences(cib, &merged);
        if changed.is_empty() {
            return Ok(Some(text));
        }
        // Something here is not this owner's.
        let tag = owner.map(tag_of);
        if changed
            .iter()
            .any(|change| Some(&change.id) == tag.as_ref())
        {
            return Ok(None);
        }
        let before = as_xml.len();
        as_xml.extend(changed.iter().map(|change| change.id.clone()));
        if as_xml.len() == before {
            let list: Vec<String> = changed.iter().map(ToString::to_string).collect();
            let message = "this configuration cannot be written so that it is taken back unchanged";
            return Err(Error::invalid(format!("{message}: {}", list.join(""))));
        }
    }
}

struct Printer<'d> {
    cib: &'d Document,
    config: Config,
    /// The ids of objects that have to be XML.
    as_xml: &'d HashSet<String>,
    owner: Option<&'d Id>,
    /// The tables of values, which stand first.
    values: String,
    objects: String,
    raw: String,
}

impl<'d> Printer<'d> {
    fn new(cib: &'d Document, as_xml: &'d HashSet<String>, owner: Option<&'d Id>) -> Result<Self> {
        Ok(Self {
            cib,
            config: Config::read(cib)?,
            as_xml,
            owner,
            values: String::new(),
            objects: String::new(),
            raw: String::new(),
        })
    }

    fn print(mut self) -> String {
        for (name, table) in [
            ("crm_config", "options"),
            ("rsc_defaults", "resource-defaults"),
            ("op_defaults", "operation-defaults"),
        ] {
            if let Some(section) = section(self.cib, name) {
                self.sets(section, table);
            }
        }
        for name in [
            "nodes",
            "resources",
            "constraints",
            "fencing-topology",
            "tags",
            "alerts",
            "acls",
        ] {
            let objects = section(self.cib, name)
                .into_iter()
                .flat_map(Element::children);
            for object in objects {
                self.object(object);
            }
        }
        let owner = self
            .owner
            .map(|owner| format!("owner = {}\n", quoted(owner.as_str())));
        let parts = [
            owner.unwrap_or_default(),
            self.values,
            self.objects,
            self.raw,
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("\n")
    }

    /// Options or defaults.
    fn sets(&mut self, section: Element<'_>, table: &str) {
        let sets: Vec<Element<'_>> = section.children().collect();
        let has_to = |set: &Element<'_>| {
            set.attribute("id")
                .is_some_and(|id| self.as_xml.contains(id))
        };
        let pairs = match sets.as_slice() {
            [] => return,
            [set] if !has_to(set) => pairs(*set),
            _ => None,
        };
        let Some(mut pairs) = pairs else {
            self.raw(section);
            return;
        };
        pairs.retain(|(name, _)| !OF_DAEMONS.contains(name));
        if pairs.is_empty() {
            return;
        }
        let gap = if self.values.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.values, "{gap}[{table}]");
        for (name, value) in pairs {
            let _ = writeln!(self.values, "{} = {}", key(name), quoted(value));
        }
    }

    fn object(&mut self, object: Element<'_>) {
        let id = object.attribute("id").unwrap_or_default();
        // What the owner's name says.
        if object.name() == "tag" && self.owner.is_some_and(|owner| tag_of(owner) == id) {
            return;
        }
        if object.name() == "node" && object.children().next().is_none() {
            return;
        }
        let in_words = match self.as_xml.contains(id) {
            true => None,
            // Values that make no sense are taken by no file but as XML, if at all.
            false => self
                .in_words(object)
                .filter(|text| Config::from_toml(text).is_ok()),
        };
        match in_words {
            Some(text) => {
                let gap = if self.objects.is_empty() { "" } else { "\n" };
                let _ = write!(self.objects, "{gap}{text}");
            }
            None => self.raw(object),
        }
    }

    fn raw(&mut self, element: Element<'_>) {
        let gap = if self.raw.is_empty() { "" } else { "\n" };
        let xml = quoted_lines(&element.to_xml());
        let _ = writeln!(self.raw, "{gap}[[raw]]\nxml = {xml}");
    }

    /// The object in the layout's words; none when it has none for something in it.
    fn in_words(&self, object: Element<'_>) -> Option<String> {
        match object.name() {
            "primitive" => primitive(object, "primitive"),
            "template" => primitive(object, "template"),
            "group" => group(object),
            "clone" => clone(object),
            "rsc_location" => self.location(object),
            "rsc_colocation" => plain(object, "colocation", &COLOCATION),
            "rsc_order" => plain(object, "order", &ORDER),
            "rsc_ticket" => plain(object, "ticket", &TICKET),
            "fencing-level" => fencing_level(object),
            "tag" => tag(object),
            "node" => node(object),
            _ => None,
        }
    }

    fn location(&self, object: Element<'_>) -> Option<String> {
        let mut table = Table::new("location");
        table.take(object, &LOCATION)?;
        if object.children().next().is_none() {
            return Some(table.text);
        }
        let id = object.attribute("id")?;
        let read = self
            .config
            .constraints
            .iter()
            .find_map(|constraint| match constraint {
                Constraint::Location(location) if location.id.as_str() == id => Some(location),
                _ => None,
            })?;
        if !read.sets.is_empty() || object.attribute("score").is_some() {
            return None;
        }
        for rule in object.children() {
            let known = ["id", "boolean-op", "score", "score-attribute", "role"];
            let of_rule = |(name, _): (&str, &str)| known.contains(&name);
            if rule.name() != "rule" || !rule.attributes().all(of_rule) {
                return None;
            }
        }
        for (rule, element) in read.rules.iter().zip(object.children()) {
            let _ = writeln!(
                table.text,
                "[[location.rules]]\nrule = {}",
                quoted(&rule.to_string())
            );
            for name in ["score", "score-attribute", "role"] {
                if let Some(value) = element.attribute(name) {
                    let _ = writeln!(table.text, "{name} = {}", quoted(value));
                }
            }
        }
        Some(table.text)
    }
}

/// An attribute of the XML and its name in the file.
type Names = [(&'static str, &'static str)];

const LOCATION: [(&str, &str); 7] = [
    ("id", "id"),
    ("rsc", "resource"),
    ("rsc-pattern", "pattern"),
    ("node", "node"),
    ("score", "score"),
    ("role", "role"),
    ("resource-discovery", "discovery"),
];
const COLOCATION: [(&str, &str); 8] = [
    ("id", "id"),
    ("rsc", "resource"),
    ("with-rsc", "with"),
    ("score", "score"),
    ("rsc-role", "role"),
    ("with-rsc-role", "with-role"),
    ("node-attribute", "node-attribute"),
    ("influence", "influence"),
];
const ORDER: [(&str, &str); 8] = [
    ("id", "id"),
    ("first", "first"),
    ("then", "then"),
    ("first-action", "first-action"),
    ("then-action", "then-action"),
    ("kind", "kind"),
    ("symmetrical", "symmetrical"),
    ("require-all", "require-all"),
];
const TICKET: [(&str, &str); 5] = [
    ("id", "id"),
    ("ticket", "ticket"),
    ("rsc", "resource"),
    ("rsc-role", "role"),
    ("loss-policy", "loss-policy"),
];
const OPERATION: [(&str, &str); 9] = [
    ("id", ""),
    ("name", "name"),
    ("interval", "interval"),
    ("timeout", "timeout"),
    ("start-delay", "start-delay"),
    ("role", "role"),
    ("on-fail", "on-fail"),
    ("enabled", "enabled"),
    ("description", "description"),
];

/// Parts have ids too, which mean nothing.
const SET: [(&str, &str); 5] = [
    ("id", ""),
    ("sequential", "sequential"),
    ("require-all", "require-all"),
    ("action", "action"),
    ("role", "role"),
];

struct Table {
    text: String,
}

impl Table {
    fn new(name: &str) -> Self {
        Self {
            text: format!("[[{name}]]\n"),
        }
    }

    fn put(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.text, "{name} = {}", quoted(value));
    }

    /// Takes over attributes; none when there is one that has no name here.
    fn take(&mut self, element: Element<'_>, names: &Names) -> Option<()> {
        let is_known = |name: &str| names.iter().any(|(known, _)| *known == name);
        if !element.attributes().all(|(name, _)| is_known(name)) {
            return None;
        }
        for (name, here) in names.iter().filter(|(_, here)| !here.is_empty()) {
            if let Some(value) = element.attribute(name) {
                // Yes and no are words of their own.
                match (*here, value) {
                    (
                        "symmetrical" | "require-all" | "influence" | "enabled" | "sequential",
                        "true" | "false",
                    ) => {
                        let _ = writeln!(self.text, "{here} = {value}");
                    }
                    _ => self.put(here, value),
                }
            }
        }
        Some(())
    }

    /// Takes over a set of values of each of these kinds; none when there is something else.
    fn take_sets(&mut self, owner: Element<'_>, kinds: &Names) -> Option<()> {
        for (tag, name) in kinds {
            let sets: Vec<Element<'_>> = owner.children_named(tag).collect();
            let pairs = match sets.as_slice() {
                [] => continue,
                [set] => pairs(*set)?,
                _ => return None,
            };
            let pairs: Vec<String> = pairs
                .into_iter()
                .map(|(name, value)| format!("{} = {}", key(name), quoted(value)))
                .collect();
            if !pairs.is_empty() {
                let _ = writeln!(self.text, "{name} = {{ {} }}", pairs.join(", "));
            }
        }
        Some(())
    }
}

fn list(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    format!("[{}]", quoted.join(", "))
}

/// The values of a set that applies always and has nothing but values.
fn pairs<'d>(set: Element<'d>) -> Option<Vec<(&'d str, &'d str)>> {
    let only_id = set.attributes().all(|(name, _)| name == "id");
    if !is_plain(set) || !only_id {
        return None;
    }
    let mut names = HashSet::new();
    set.children()
        .map(|pair| {
            let known = |(name, _): (&str, &str)| matches!(name, "id" | "name" | "value");
            let is = pair.name() == "nvpair" && pair.attributes().all(known);
            is.then_some(())?;
            // A file has each name once.
            names.insert(pair.attribute("name")?).then_some(())?;
            Some((pair.attribute("name")?, pair.attribute("value")?))
        })
        .collect()
}

fn only(element: Element<'_>, names: &[&str]) -> Option<()> {
    let known = element
        .children()
        .all(|child| names.contains(&child.name()));
    known.then_some(())
}

const VALUES: [(&str, &str); 3] = [
    ("instance_attributes", "parameters"),
    ("meta_attributes", "meta"),
    ("utilization", "utilization"),
];

fn primitive(object: Element<'_>, table: &str) -> Option<String> {
    only(
        object,
        &[
            "instance_attributes",
            "meta_attributes",
            "utilization",
            "operations",
        ],
    )?;
    let known = ["id", "class", "provider", "type", "template", "description"];
    if !object.attributes().all(|(name, _)| known.contains(&name)) {
        return None;
    }
    let mut text = Table::new(table);
    text.put("id", object.attribute("id")?);
    if let Some(class) = object.attribute("class") {
        let provider = object
            .attribute("provider")
            .map(|provider| format!("{provider}:"));
        let kind = object.attribute("type")?;
        text.put(
            "agent",
            &format!("{class}:{}{kind}", provider.unwrap_or_default()),
        );
    }
    for name in ["template", "description"] {
        if let Some(value) = object.attribute(name) {
            text.put(name, value);
        }
    }
    text.take_sets(object, &VALUES)?;
    for operations in object.children_named("operations") {
        if operations.attribute("id-ref").is_some() {
            return None;
        }
        for operation in operations.children() {
            if operation.name() != "op" {
                return None;
            }
            only(operation, &["instance_attributes", "meta_attributes"])?;
            let mut one = Table::new(&format!("{table}.operation"));
            one.take(operation, &OPERATION)?;
            one.take_sets(operation, &VALUES)?;
            text.text.push_str(&one.text);
        }
    }
    Some(text.text)
}

fn collective(object: Element<'_>, table: &str) -> Option<Table> {
    let known = ["id", "description"];
    if !object.attributes().all(|(name, _)| known.contains(&name)) {
        return None;
    }
    let mut text = Table::new(table);
    text.put("id", object.attribute("id")?);
    if let Some(description) = object.attribute("description") {
        text.put("description", description);
    }
    text.take_sets(object, &[("meta_attributes", "meta")])?;
    Some(text)
}

fn group(object: Element<'_>) -> Option<String> {
    only(object, &["meta_attributes", "primitive"])?;
    let mut text = collective(object, "group")?;
    let members: Vec<&str> = object
        .children_named("primitive")
        .filter_map(|p| p.attribute("id"))
        .collect();
    let _ = writeln!(text.text, "members = {}", list(&members));
    for member in object.children_named("primitive") {
        text.text.push('\n');
        text.text.push_str(&primitive(member, "primitive")?);
    }
    Some(text.text)
}

fn clone(object: Element<'_>) -> Option<String> {
    only(object, &["meta_attributes", "primitive", "group"])?;
    let mut text = collective(object, "clone")?;
    let mut members = object
        .children()
        .filter(|child| child.name() != "meta_attributes");
    let (member, None) = (members.next()?, members.next()) else {
        return None;
    };
    text.put("member", member.attribute("id")?);
    text.text.push('\n');
    text.text.push_str(&match member.name() {
        "group" => group(member)?,
        _ => primitive(member, "primitive")?,
    });
    Some(text.text)
}

/// A constraint: between two resources, or of sets.
fn plain(object: Element<'_>, table: &str, names: &Names) -> Option<String> {
    only(object, &["resource_set"])?;
    let mut text = Table::new(table);
    text.take(object, names)?;
    for set in object.children() {
        only(set, &["resource_ref"])?;
        let mut one = Table::new(&format!("{table}.sets"));
        let members: Vec<&str> = set.children().filter_map(|m| m.attribute("id")).collect();
        let _ = writeln!(one.text, "resources = {}", list(&members));
        one.take(set, &SET)?;
        text.text.push_str(&one.text);
    }
    Some(text.text)
}

fn fencing_level(object: Element<'_>) -> Option<String> {
    let mut text = Table::new("fencing-level");
    for (name, value) in object.attributes() {
        match name {
            "id" => text.put("id", value),
            "target" => text.put("node", value),
            "target-pattern" => text.put("pattern", value),
            "target-attribute" => text.put("attribute", value),
            "target-value" => text.put("value", value),
            "index" => {
                let index: u32 = value.parse().ok()?;
                let _ = writeln!(text.text, "index = {index}");
            }
            "devices" => {
                let devices: Vec<&str> = value.split(',').map(str::trim).collect();
                let _ = writeln!(text.text, "devices = {}", list(&devices));
            }
            _ => return None,
        }
    }
    Some(text.text)
}

fn tag(object: Element<'_>) -> Option<String> {
    only(object, &["obj_ref"])?;
    let mut text = Table::new("tag");
    text.put("id", object.attribute("id")?);
    let members: Vec<&str> = object
        .children()
        .filter_map(|m| m.attribute("id"))
        .collect();
    let _ = writeln!(text.text, "members = {}", list(&members));
    Some(text.text)
}

fn node(object: Element<'_>) -> Option<String> {
    only(object, &["instance_attributes", "utilization"])?;
    let known = ["id", "uname", "type", "description"];
    if !object.attributes().all(|(name, _)| known.contains(&name)) {
        return None;
    }
    let mut text = Table::new("node");
    text.put("name", object.attribute("uname")?);
    if let Some(description) = object.attribute("description") {
        text.put("description", description);
    }
    text.take_sets(
        object,
        &[
            ("instance_attributes", "attributes"),
            ("utilization", "utilization"),
        ],
    )?;
    Some(text.text)
}

fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A string as TOML has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A text of several lines, to be read as they are.
fn quoted_lines(text: &str) -> String {
    if text.contains("'''") || text.chars().any(|c| c.is_control() && c != '\n') {
        return quoted(text);
    }
    format!("'''\n{}\n'''", text.trim_end())
}
