//! CIBs that are nearly those given.

use std::collections::BTreeMap;

use ha_core::xml::{Document, Element, NodeId};

use crate::numbers::Numbers;

const WORDS: [&str; 28] = [
    "true",
    "false",
    "0",
    "1",
    "2",
    "-1",
    "5",
    "7",
    "8",
    "9",
    "190",
    "193",
    "10s",
    "1000",
    "PT1M",
    "INFINITY",
    "-INFINITY",
    "Started",
    "Stopped",
    "Promoted",
    "Slave",
    "Master",
    "",
    "x",
    "block",
    "fence",
    "stop",
    "#default",
];

/// Meta-attributes and options that change what is said, with values.
const SETTINGS: [(&str, &[&str]); 22] = [
    (
        "target-role",
        &["Started", "Stopped", "Promoted", "Slave", "x"],
    ),
    ("is-managed", &["true", "false"]),
    ("maintenance", &["true", "false"]),
    ("failure-timeout", &["1", "10min", "1000000000"]),
    ("migration-threshold", &["0", "1", "3", "-1", "INFINITY"]),
    (
        "multiple-active",
        &["stop_start", "stop_only", "block", "stop_unexpected"],
    ),
    ("requires", &["nothing", "quorum", "fencing", "unfencing"]),
    ("globally-unique", &["true", "false"]),
    ("clone-max", &["0", "1", "2", "3"]),
    ("clone-node-max", &["0", "1", "2"]),
    ("promotable", &["true", "false"]),
    ("priority", &["1", "-1", "INFINITY"]),
    ("remote-node", &["guest-a", "guest-b"]),
    ("container-attribute-target", &["host"]),
    ("interleave", &["true"]),
    ("allow-migrate", &["true"]),
    (
        "on-fail",
        &[
            "ignore", "block", "stop", "restart", "fence", "standby", "demote",
        ],
    ),
    ("standby", &["on", "off"]),
    ("terminate", &["true", "1", "x"]),
    ("shutdown", &["0", "1600000000"]),
    ("stonith-enabled", &["true", "false"]),
    (
        "no-quorum-policy",
        &["stop", "ignore", "freeze", "suicide", "demote"],
    ),
];

/// What CIBs say: the values of each attribute, and those of each name in name/value pairs.
pub(crate) struct Vocabulary {
    values: BTreeMap<String, Vec<String>>,
    settings: Vec<(String, String)>,
}

impl Vocabulary {
    pub(crate) fn of(cibs: &[Document]) -> Self {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut settings = Vec::new();
        for element in cibs.iter().flat_map(|cib| cib.root().descendants()) {
            let pair = (element.attribute("name"), element.attribute("value"));
            if let ("nvpair", (Some(name), Some(value))) = (element.name(), pair) {
                settings.push((name.to_owned(), value.to_owned()));
                continue;
            }
            for (name, value) in element.attributes() {
                let known = values.entry(name.to_owned()).or_default();
                // The ids of a few CIBs are enough.
                if known.len() < 2_000 {
                    known.push(value.to_owned());
                }
            }
        }
        for (name, known) in SETTINGS {
            let pairs = known
                .iter()
                .map(|&value| (name.to_owned(), value.to_owned()));
            settings.extend(pairs);
        }
        settings.sort();
        settings.dedup();
        for known in values.values_mut() {
            known.sort();
            known.dedup();
        }
        Self { values, settings }
    }

    fn value(&self, name: &str, numbers: &mut Numbers) -> String {
        match self.values.get(name) {
            Some(known) if numbers.percent(75) => numbers.one(known).clone(),
            _ => numbers.pick(&WORDS).to_owned(),
        }
    }
}

fn any<'d>(
    cib: &'d Document,
    numbers: &mut Numbers,
    suits: impl Fn(Element<'d>) -> bool,
) -> Option<Element<'d>> {
    let found: Vec<Element<'d>> = cib
        .root()
        .descendants()
        .skip(1)
        .filter(|&e| suits(e))
        .collect();
    (!found.is_empty()).then(|| numbers.pick(&found))
}

fn position(element: Element<'_>) -> usize {
    let siblings = element.parent().map(Element::children);
    siblings
        .and_then(|mut all| all.position(|e| e.id() == element.id()))
        .unwrap_or(0)
}

/// Gives an operation another end: exit status, execution status and magic say the same.
fn end_otherwise(cib: &mut Document, numbers: &mut Numbers) -> Option<()> {
    let operation = any(cib, numbers, |e| e.name() == "lrm_rsc_op")?;
    let id = operation.id();
    let key = operation
        .attribute("transition-key")
        .unwrap_or("1:2:0:x")
        .to_owned();
    let code = numbers.pick(&[
        "0", "0", "1", "2", "5", "6", "7", "8", "9", "190", "191", "193",
    ]);
    let status = numbers.pick(&[
        "0", "0", "0", "4", "-1", "1", "2", "3", "7", "9", "10", "11",
    ]);
    cib.set_attribute(id, "rc-code", code);
    cib.set_attribute(id, "op-status", status);
    cib.set_attribute(id, "transition-magic", &format!("{status}:{code};{key}"));
    if numbers.percent(30) {
        cib.set_attribute(
            id,
            "last-rc-change",
            numbers.pick(&["1600000000", "1", "4000000000"]),
        );
    }
    if numbers.percent(20) {
        let call = numbers.below(60).to_string();
        cib.set_attribute(id, "call-id", &call);
    }
    Some(())
}

/// Adds a pair to a set of attributes, or changes one that is there.
fn set(cib: &mut Document, known: &Vocabulary, numbers: &mut Numbers, step: usize) -> Option<()> {
    let (name, value) = if numbers.percent(60) {
        let (name, values) = numbers.pick(&SETTINGS);
        (name.to_owned(), numbers.pick(values).to_owned())
    } else {
        numbers.one(&known.settings).clone()
    };
    let sets = [
        "meta_attributes",
        "instance_attributes",
        "cluster_property_set",
    ];
    let set = if numbers.percent(50) {
        let owners = [
            "primitive",
            "group",
            "clone",
            "master",
            "bundle",
            "op",
            "rsc_defaults",
        ];
        let owner = any(cib, numbers, |e| owners.contains(&e.name()))?.id();
        let set = cib.insert_child(owner, 0, "meta_attributes");
        cib.set_attribute(set, "id", &format!("added-set-{step}"));
        // The schema wants groups and clones to name their members after their attributes; a
        // primitive's come first too.
        set
    } else {
        any(cib, numbers, |e| sets.contains(&e.name()))?.id()
    };
    let pair = cib.append_child(set, "nvpair");
    cib.set_attribute(pair, "id", &format!("added-{step}"));
    cib.set_attribute(pair, "name", &name);
    cib.set_attribute(pair, "value", &value);
    Some(())
}

fn change_value(cib: &mut Document, known: &Vocabulary, numbers: &mut Numbers) -> Option<()> {
    let element = any(cib, numbers, |e| e.attributes().next().is_some())?;
    let attributes: Vec<_> = element.attributes().collect();
    let (name, old) = numbers.pick(&attributes);
    let same = |(of, value): &&(String, String)| {
        element.attribute("name") == Some(of.as_str()) && value != old
    };
    let settings: Vec<_> = known.settings.iter().filter(same).collect();
    let value = if name == "value" && !settings.is_empty() && numbers.percent(70) {
        numbers.pick(&settings).1.clone()
    } else {
        known.value(name, numbers)
    };
    let (id, name) = (element.id(), name.to_owned());
    cib.set_attribute(id, &name, &value);
    Some(())
}

/// Copies an element, with its children: beside itself, or into a like parent elsewhere.
fn copy(cib: &mut Document, from: &Document, numbers: &mut Numbers) -> Option<NodeId> {
    let source = any(from, numbers, |e| e.descendants().count() < 60)?;
    let parent = source.parent()?.name();
    let target = any(cib, numbers, |e| e.name() == parent)
        .or_else(|| Some(cib.root()).filter(|root| root.name() == parent))?;
    let (target, at) = (target.id(), numbers.below(target.children().count() + 1));
    Some(cib.import(target, at, source))
}

fn remove(cib: &mut Document, id: NodeId) {
    cib.remove(id);
}

/// Changes a CIB in a few places.
pub(crate) fn mutated(
    cib: &Document,
    others: &[Document],
    known: &Vocabulary,
    numbers: &mut Numbers,
) -> Document {
    let mut cib = cib.clone();
    if numbers.percent(35) {
        let root = cib.root().id();
        cib.set_attribute(root, "validate-with", "none");
    }
    for step in 0..=numbers.below(4) {
        match numbers.below(12) {
            0..=2 => drop(change_value(&mut cib, known, numbers)),
            3..=4 => drop(end_otherwise(&mut cib, numbers)),
            5..=7 => drop(set(&mut cib, known, numbers, step)),
            8 => {
                let small = any(&cib, numbers, |e| e.descendants().count() < 40).map(Element::id);
                if let Some(id) = small {
                    remove(&mut cib, id);
                }
            }
            9 => {
                let found = any(&cib, numbers, |e| e.attributes().next().is_some());
                let name = found.and_then(|element| {
                    let names: Vec<_> = element.attributes().map(|(name, _)| name).collect();
                    Some((
                        element.id(),
                        (*names.get(numbers.below(names.len()))?).to_owned(),
                    ))
                });
                if let Some((id, name)) = name {
                    cib.remove_attribute(id, &name);
                }
            }
            10 => {
                let own = cib.clone();
                let from = if numbers.percent(60) {
                    &own
                } else {
                    numbers.one(others)
                };
                copy(&mut cib, from, numbers);
            }
            _ => {
                let found = any(&cib, numbers, |_| true);
                if let Some((id, at)) = found.map(|e| (e.id(), position(e))) {
                    cib.move_child(id, at.saturating_sub(numbers.below(3)));
                }
            }
        }
    }
    cib
}
