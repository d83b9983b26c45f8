//! What differs between two CIBs, in the words of those who configure clusters.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use crate::language::{Language, say};
use crate::model::is_resource;
use crate::name::is_secret;
use crate::xml::{Document, Element};

/// A difference of one object of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The object's kind, as its element is called: `primitive`, `rsc_location`, `nvpair` ....
    pub kind: String,
    /// Its id, empty when it has none.
    pub id: String,
    /// The name that people know it by, of a node, whose id is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is different.
    #[serde(flatten)]
    pub difference: Difference,
}

/// How an object differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", content = "fields", rename_all = "snake_case")]
pub enum Difference {
    /// It is new. The fields are all that it has.
    Added(Vec<Field>),
    /// It is gone.
    Removed,
    /// It has other fields.
    Changed(Vec<Field>),
}

/// A value before and after. Secrets are replaced by asterisks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// What it is: `parameter ip`, `meta target-role`, `operation monitor 10s timeout`, `score` ....
    pub name: String,
    /// The value before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Change {
    /// Returns it as lines in a language: `+` what is added, `-` what is removed, `~` what is changed.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let (sign, fields): (_, &[Field]) = match &self.difference {
            Difference::Added(fields) => ('+', fields),
            Difference::Removed => ('-', &[]),
            Difference::Changed(fields) => ('~', fields),
        };
        let name = self.name.as_ref().unwrap_or(&self.id);
        let mut text = format!("{sign} {} {name}\n", self.kind);
        for field in fields {
            text.push_str(&format!("    {}\n", field.text(language)));
        }
        text
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

/// Words of a field's name and value that are ours, not the configuration's.
const FRENCH: [(&str, &str); 9] = [
    ("transient", "passager"),
    ("parameter", "paramètre"),
    ("meta", "méta"),
    ("utilization", "capacité"),
    ("option", "option"),
    ("attribute", "attribut"),
    ("operation", "opération"),
    ("members", "membres"),
    ("history", "historique"),
];

impl Field {
    /// Returns it as a line in a language, without an end.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let said = |value: &String| match (language, value.as_str()) {
            (Language::French, "present") => "présent".to_owned(),
            _ => value.clone(),
        };
        let (from, to) = (self.from.as_ref().map(said), self.to.as_ref().map(said));
        let (name, colon) = match language {
            Language::English => (self.name.clone(), ":"),
            Language::French => (in_french(&self.name), " :"),
        };
        let nothing = say!(language, "nothing", "rien");
        match (from, to) {
            (None, Some(to)) => format!("{name}{colon} {to}"),
            (Some(from), Some(to)) => format!("{name}{colon} {from} -> {to}"),
            (Some(from), None) => format!("{name}{colon} {from} -> {nothing}"),
            (None, None) => name,
        }
    }
}

/// The kind of a field comes first in its name, for a transient attribute after that word.
fn in_french(name: &str) -> String {
    let Some((kind, rest)) = name.split_once(' ') else {
        let whole = FRENCH
            .iter()
            .find(|(english, _)| *english == name && matches!(name, "members" | "history"));
        return whole.map_or(name, |(_, french)| french).to_owned();
    };
    match FRENCH.iter().find(|(english, _)| *english == kind) {
        Some((_, french)) if kind == "transient" => format!("{french} {}", in_french(rest)),
        Some((_, french)) => format!("{french} {rest}"),
        None => name.to_owned(),
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

/// Returns what differs between two CIBs: first what is gone, then what is new or changed in the order of the
/// second. What the daemons write by themselves (versions, who changed it, operation history) does not
/// count.
#[must_use]
pub fn differences(before: &Document, after: &Document) -> Vec<Change> {
    let (before, after) = (objects(before), objects(after));
    let index = |all: &[Object<'_>]| -> HashMap<(String, String), usize> {
        let keys = all.iter().enumerate();
        keys.map(|(at, object)| (object.key(), at)).collect()
    };
    let (old, new) = (index(&before), index(&after));
    let gone = before
        .iter()
        .filter(|object| !new.contains_key(&object.key()))
        .map(|object| object.change(Difference::Removed));
    let others = after.iter().filter_map(|object| {
        let Some(&at) = old.get(&object.key()) else {
            let fields = compare(&[], &object.fields);
            return Some(object.change(Difference::Added(fields)));
        };
        let fields = compare(&before[at].fields, &object.fields);
        (!fields.is_empty()).then(|| object.change(Difference::Changed(fields)))
    });
    gone.chain(others).collect()
}

/// Adds what an edit makes of the nodes' states: what the cluster knows of them by their daemons.
pub(super) fn add_states(before: &Document, after: &Document, changes: &mut Vec<Change>) {
    let before = states(before);
    for state in states(after) {
        let Some(old) = before.iter().find(|old| old.key() == state.key()) else {
            continue;
        };
        let mut fields = compare(&old.fields, &state.fields);
        if fields.is_empty() {
            continue;
        }
        let (kind, id) = state.key();
        let mut known = changes.iter_mut();
        let known = known.find(|change| change.kind == kind && change.id == id);
        match known.map(|change| &mut change.difference) {
            Some(Difference::Changed(others) | Difference::Added(others)) => {
                others.append(&mut fields);
            }
            Some(Difference::Removed) => {}
            None => changes.push(state.change(Difference::Changed(fields))),
        }
    }
}

/// The states of the nodes: what they are to the cluster, and of how many resources it has a history.
fn states(cib: &Document) -> Vec<Object<'_>> {
    let status = cib.root().child("status").into_iter();
    let states = status.flat_map(|status| status.children_named("node_state"));
    states
        .map(|element| {
            let wanted = |name: &str| matches!(name, "in_ccm" | "crmd" | "join" | "expected");
            let mut fields = own_attributes(element, wanted);
            let history = element.descendants().filter(|e| e.name() == "lrm_resource");
            match history.count() {
                0 => {}
                count => fields.push(("history".to_owned(), count.to_string())),
            }
            Object { element, fields }
        })
        .collect()
}

/// An object of the configuration with its fields, in the order of the document.
struct Object<'d> {
    element: Element<'d>,
    fields: Vec<(String, String)>,
}

impl Object<'_> {
    fn key(&self) -> (String, String) {
        let id = self.element.attribute("id").unwrap_or_default();
        (self.element.name().to_owned(), id.to_owned())
    }

    fn change(&self, difference: Difference) -> Change {
        let (kind, id) = self.key();
        Change {
            kind,
            id,
            name: self.element.attribute("uname").map(str::to_owned),
            difference,
        }
    }
}

fn compare(before: &[(String, String)], after: &[(String, String)]) -> Vec<Field> {
    let value = |fields: &[(String, String)], name: &str| {
        let found = fields.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.clone())
    };
    let shown = |name: &str, value: Option<String>| {
        let hidden = name.split(' ').any(is_secret);
        value.map(|v| if hidden { "********".to_owned() } else { v })
    };
    let names = after.iter().chain(before).map(|(name, _)| name);
    let mut fields: Vec<Field> = Vec::new();
    for name in names {
        let (from, to) = (value(before, name), value(after, name));
        if from != to && fields.iter().all(|field| field.name != *name) {
            let (from, to) = (shown(name, from), shown(name, to));
            let name = name.clone();
            fields.push(Field { name, from, to });
        }
    }
    fields
}

fn objects(document: &Document) -> Vec<Object<'_>> {
    let root = document.root();
    let mut all = vec![Object {
        element: root,
        fields: own_attributes(root, ROOT_ATTRIBUTES),
    }];
    for section in root
        .child("configuration")
        .into_iter()
        .flat_map(Element::children)
    {
        section.children().for_each(|object| read(object, &mut all));
    }
    let status = root.child("status");
    let states = status
        .into_iter()
        .flat_map(|status| status.children_named("node_state"));
    for state in states {
        let mut fields = Vec::new();
        let attributes = state.child("transient_attributes");
        for set in attributes.into_iter().flat_map(Element::children) {
            read_field(set, "transient ", &mut fields);
        }
        all.push(Object {
            element: state,
            fields,
        });
    }
    let tickets = status.and_then(|status| status.child("tickets"));
    tickets
        .into_iter()
        .flat_map(Element::children)
        .for_each(|ticket| read(ticket, &mut all));
    all
}

/// The attributes of `<cib>` that people change.
const ROOT_ATTRIBUTES: fn(&str) -> bool = |name| {
    matches!(
        name,
        "validate-with" | "remote-tls-port" | "remote-clear-port"
    )
};

fn own_attributes(element: Element<'_>, wanted: fn(&str) -> bool) -> Vec<(String, String)> {
    element
        .attributes()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn read<'d>(element: Element<'d>, all: &mut Vec<Object<'d>>) {
    let mut fields = own_attributes(element, |name| name != "id");
    let mut members = Vec::new();
    let place = all.len();
    for child in element.children() {
        if is_resource(child.name()) {
            members.push(child.attribute("id").unwrap_or_default());
            read(child, all);
        } else {
            read_field(child, "", &mut fields);
        }
    }
    if !members.is_empty() {
        fields.push(("members".to_owned(), members.join(" ")));
    }
    all.insert(place, Object { element, fields });
}

/// Adds what an element below an object says, under the name that people know it by.
fn read_field(element: Element<'_>, above: &str, fields: &mut Vec<(String, String)>) {
    let id = element.attribute("id").unwrap_or_default();
    let attribute = |name| element.attribute(name).unwrap_or_default();
    // A set that applies always is just its values; another one keeps its name, and so do its values.
    let plain = element.children().all(|child| child.name() == "nvpair")
        && element.attribute("id-ref").is_none();
    let name = match element.name() {
        "nvpair" => {
            let kind = element.parent().map_or("", |set| kind_of_value(set));
            let reference = element.attribute("id-ref");
            let name = element.attribute("name").or(reference).unwrap_or(id);
            let value = match reference {
                Some(reference) => format!("of {reference}"),
                None => attribute("value").to_owned(),
            };
            fields.push((format!("{above}{kind} {name}"), value));
            return;
        }
        "meta_attributes" | "instance_attributes" | "utilization" | "cluster_property_set"
            if plain =>
        {
            String::new()
        }
        "operations" if element.attribute("id-ref").is_none() => String::new(),
        "op" => format!("operation {} {} ", attribute("name"), attribute("interval")),
        "obj_ref" | "resource_ref" => {
            fields.push((format!("{above}{} {id}", element.name()), "present".into()));
            return;
        }
        // One of its kind needs no id to be told apart.
        name @ ("rule" | "expression" | "date_expression" | "date_spec" | "duration")
            if is_only(element) =>
        {
            format!("{name} ")
        }
        name => format!("{name} {id} "),
    };
    let name = format!("{above}{name}");
    let is_operation = element.name() == "op";
    let before = fields.len();
    for (key, value) in element.attributes() {
        let named_already = key == "id" || (is_operation && (key == "name" || key == "interval"));
        if !named_already {
            fields.push((format!("{name}{key}"), value.to_owned()));
        }
    }
    let text = element.text();
    if !text.trim().is_empty() {
        fields.push((format!("{name}text"), text.trim().to_owned()));
    }
    for child in element.children() {
        read_field(child, &name, fields);
    }
    if fields.len() == before && is_operation {
        fields.push((name.trim_end().to_owned(), "present".to_owned()));
    }
}

fn is_only(element: Element<'_>) -> bool {
    let siblings = element.parent().into_iter().flat_map(Element::children);
    siblings
        .filter(|sibling| sibling.name() == element.name())
        .count()
        == 1
}

/// What the values of a set are called.
pub(super) fn kind_of_value(set: Element<'_>) -> &'static str {
    let in_node = || {
        let parent = set.parent().map_or("", Element::name);
        matches!(parent, "node" | "transient_attributes")
    };
    match set.name() {
        "meta_attributes" => "meta",
        "utilization" => "utilization",
        "cluster_property_set" => "option",
        "instance_attributes" if in_node() => "attribute",
        _ => "parameter",
    }
}
