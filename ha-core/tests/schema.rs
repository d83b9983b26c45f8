//! The verdicts on CIBs, beside those of libxml2 on the same: right ones, and ones with mistakes made
//! at random. Needs Pacemaker's schemas, and no daemon.
#![cfg(feature = "live")]

use std::time::Duration;

use ha_core::live::pacemaker::cib::validate;
use ha_core::schema::{self, Schema};
use ha_core::xml::{Document, Element, NodeId};
use ha_core::{ErrorKind, Result};

const EVERYTHING: &str = include_str!("data/schema/everything.xml");

/// How many CIBs with mistakes are compared; `HA_SCHEMA_CASES` asks for more.
const CASES: usize = 300;

/// How many of them one file of `HA_CONFORMANCE` gives.
const CASES_OF_FILE: usize = 2;

fn libxml2(cib: &Document) -> Result<()> {
    validate(cib, Duration::from_secs(60))
}

/// Returns whether the two verdicts are the same: ours, then libxml2's.
fn verdicts(schema: &mut Schema, cib: &Document) -> (Vec<String>, Option<String>) {
    let ours = schema.check(cib).expect("the schema is understood");
    let theirs = match libxml2(cib) {
        Ok(()) => None,
        Err(e) if e.kind() == ErrorKind::Schema => Some(e.to_string()),
        Err(e) => panic!("libxml2 does not answer: {e:#}"),
    };
    (ours.iter().map(ToString::to_string).collect(), theirs)
}

fn agree(schema: &mut Schema, cib: &Document, what: &str) -> bool {
    let (ours, theirs) = verdicts(schema, cib);
    assert_eq!(
        ours.is_empty(),
        theirs.is_none(),
        "{what}\nours: {ours:#?}\nlibxml2: {theirs:?}\n{}",
        cib.to_xml()
    );
    ours.is_empty()
}

fn open(name: &str) -> Schema {
    let file = schema::installed(name).expect("installed");
    Schema::open(&file).expect("understood")
}

/// The names of the installed schemas.
fn installed() -> Vec<String> {
    let newest = schema::installed("pacemaker-3.0").expect("installed");
    let folder = newest.parent().expect("in a folder");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("readable")
        .filter_map(|entry| entry.expect("readable").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".rng").map(str::to_owned))
        .filter(|name| name.starts_with("pacemaker-"))
        .collect();
    names.sort();
    names
}

/// Numbers that look like chance and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

const VALUES: [&str; 16] = [
    "",
    " ",
    "a b",
    "1",
    "-1",
    "INFINITY",
    "-INFINITY",
    "+INFINITY",
    "true",
    "0",
    "é",
    "a:b",
    "1s",
    "heartbeat",
    "Started",
    "ip",
];

/// Makes one mistake, or a harmless change.
fn spoil(cib: &mut Document, chance: &mut Chance) -> String {
    let mut elements: Vec<NodeId> = Vec::new();
    let (mut names, mut attributes, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for element in cib.root().descendants() {
        elements.push(element.id());
        names.push(element.name().to_owned());
        for (name, value) in element.attributes() {
            attributes.push(name.to_owned());
            values.push(value.to_owned());
        }
    }
    let at = *chance.of(&elements);
    let here: Vec<String> = cib
        .element(at)
        .attributes()
        .map(|(name, _)| name.to_owned())
        .collect();
    let of = cib.element(at).name().to_owned();
    match chance.below(9) {
        0 if !here.is_empty() => {
            let name = chance.of(&here);
            cib.remove_attribute(at, name);
            format!("{of} lost its {name}")
        }
        1 | 2 if !here.is_empty() => {
            let (name, value) = (chance.of(&here), chance.of(&VALUES));
            cib.set_attribute(at, name, value);
            format!("{of} {name}={value:?}")
        }
        3 if !here.is_empty() => {
            let (name, value) = (chance.of(&here), chance.of(&values));
            cib.set_attribute(at, name, value);
            format!("{of} {name}={value:?}")
        }
        4 => {
            let (name, value) = (chance.of(&attributes), chance.of(&values));
            cib.set_attribute(at, name, value);
            format!("{of} got {name}={value:?}")
        }
        5 if at != cib.root().id() => {
            cib.remove(at);
            format!("{of} was removed")
        }
        6 => {
            let name = chance.of(&names);
            cib.append_child(at, name);
            format!("{of} got a <{name}>")
        }
        7 => {
            let count = cib.element(at).children().count();
            let from = *chance.of(&elements);
            let copy = Document::copy_of(cib.element(from));
            let position = chance.below(count + 1);
            cib.import(at, position, copy.root());
            format!("{of} got a copy of {}", copy.root().name())
        }
        _ => {
            let count = cib.element(at).children().count();
            if count > 1 {
                let children: Vec<NodeId> = cib.element(at).children().map(Element::id).collect();
                cib.move_child(*chance.of(&children), chance.below(count));
            }
            format!("the children of {of} changed places")
        }
    }
}

#[test]
fn every_installed_schema_is_understood() {
    let names = installed();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        let mut cib = Document::parse(EVERYTHING).expect("well-formed");
        cib.set_attribute(cib.root().id(), "validate-with", &name);
        let mut schema = open(&name);
        // Each element leads further into the schema, one that is not allowed does not.
        let good = agree(&mut schema, &cib, &name);
        assert!(good || name != "pacemaker-3.9");
    }
}

#[test]
fn mistakes_are_found_as_libxml2_finds_them() {
    let cases = std::env::var("HA_SCHEMA_CASES").ok();
    let cases = cases.and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let whole = Document::parse(EVERYTHING).expect("well-formed");
    let names = installed();
    let mut schemas: Vec<Schema> = names.iter().map(|name| open(name)).collect();
    let newest = names.iter().position(|name| name == "pacemaker-3.9");
    let mut chance = Chance(0x9e37_79b9);
    let mut good = 0;
    for case in 0..cases {
        let mut cib = whole.clone();
        let mut at = newest.expect("installed");
        let mut what = format!("case {case}");
        if case % 4 == 0 {
            at = chance.below(names.len());
            cib.set_attribute(cib.root().id(), "validate-with", &names[at]);
        }
        for _ in 0..=case % 2 {
            what = format!("{what}; {}", spoil(&mut cib, &mut chance));
        }
        if cib.root().attribute("validate-with") != Some(&names[at]) {
            continue;
        }
        good += usize::from(agree(&mut schemas[at], &cib, &what));
    }
    assert!(
        good > cases / 20 && good < cases,
        "{good} of {cases} are good"
    );
}

#[test]
fn other_cibs_get_the_same_verdict() {
    let Some(folder) = std::env::var_os("HA_CONFORMANCE") else {
        return;
    };
    let mut chance = Chance(7);
    let inputs = std::path::Path::new(&folder).join("inputs");
    for entry in std::fs::read_dir(inputs).expect("a folder of CIBs") {
        let path = entry.expect("readable").path();
        let Ok(cib) = Document::parse_bytes(&std::fs::read(&path).expect("readable")) else {
            continue;
        };
        let name = cib
            .root()
            .attribute("validate-with")
            .unwrap_or("none")
            .to_owned();
        if name == "none" {
            continue;
        }
        let mut schema = open(&name);
        agree(&mut schema, &cib, &path.display().to_string());
        for _ in 0..CASES_OF_FILE {
            let mut cib = cib.clone();
            let what = spoil(&mut cib, &mut chance);
            if cib.root().attribute("validate-with") == Some(&name) {
                agree(&mut schema, &cib, &format!("{}; {what}", path.display()));
            }
        }
    }
}

#[test]
fn a_fault_says_where_it_is_and_why() {
    let faults = |from: &str, to: &str| -> Vec<String> {
        let text = EVERYTHING.replacen(from, to, 1);
        assert_ne!(text, EVERYTHING);
        let cib = Document::parse(&text).expect("well-formed");
        let mut schema = Schema::of(&cib).expect("understood");
        let faults = schema.check(&cib).expect("understood");
        faults.iter().map(ToString::to_string).collect()
    };
    let here = "/cib/configuration/resources/primitive[@id=\"fence\"]";
    let found = faults("type=\"external/ssh\"", "");
    assert_eq!(found, [format!("{here}: an attribute is missing: type")]);
    let found = faults("type=\"external/ssh\"", "type=\"x\" kind=\"y\"");
    assert_eq!(
        found,
        [format!("{here}: it may not have the attribute kind")]
    );
    let found = faults("with-rsc=\"g\"", "with-rsc=\"h\"");
    assert_eq!(
        found,
        [
            "/cib/configuration/constraints/rsc_colocation[@id=\"k1\"]: with-rsc=\"h\" names no element"
        ]
    );
    let found = faults("<nodes>", "<nodes><knot/>");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("/cib/configuration/nodes/knot: it may not be here; these may: node")
    );
    let found = faults("id=\"opt-stonith\"", "id=\"opt-infra\"");
    assert!(
        found[0].contains("nvpair[@id=\"opt-infra\"]: id=\"opt-infra\" is the name of another"),
        "{found:?}"
    );
}
