//! A [`Computer`] gives what [`compute_with`] gives, whatever happens to the CIB between two statuses: the CIBs
//! of the tree, and of the folder `HA_CIBS` if that is set, are edited at random.
//!
//! `HA_COMPUTER_STEPS` sets how often each is edited, `HA_COMPUTER_SEED` how.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use ha_core::status::{ComputeOptions, Computer, compute_with};
use ha_core::view::{Options, Part, Parts, Report};
use ha_core::xml::{Document, Element, NodeId, PatchSet};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A small generator of random numbers (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// Picks an element that passes, but the root.
    fn element(
        &mut self,
        document: &Document,
        passes: impl Fn(Element<'_>) -> bool,
    ) -> Option<NodeId> {
        let below = document.root().descendants().skip(1);
        let found: Vec<NodeId> = below.filter(|e| passes(*e)).map(Element::id).collect();
        (!found.is_empty()).then(|| self.of(&found))
    }

    /// Picks one among those of this name, or any when there is none.
    fn named(&mut self, document: &Document, name: &str) -> Option<NodeId> {
        self.element(document, |e| e.name() == name)
            .or_else(|| self.element(document, |_| true))
    }
}

const NAMES: [&str; 14] = [
    "lrm_rsc_op",
    "lrm_rsc_op",
    "lrm_rsc_op",
    "lrm_resource",
    "lrm_resource",
    "lrm",
    "node_state",
    "primitive",
    "group",
    "clone",
    "nvpair",
    "node",
    "rsc_location",
    "tag",
];

/// What an operation of the history says, and what it may say instead.
const OPERATION: [(&str, &[&str]); 8] = [
    (
        "rc-code",
        &["0", "1", "2", "5", "7", "8", "9", "190", "193"],
    ),
    ("op-status", &["-1", "0", "1", "2", "4", "5", "6", "7", "8"]),
    ("call-id", &["-1", "0", "3", "17", "400", "x"]),
    (
        "operation",
        &[
            "start",
            "stop",
            "monitor",
            "promote",
            "demote",
            "migrate_to",
            "migrate_from",
            "notify",
        ],
    ),
    ("interval", &["0", "10000"]),
    ("last-rc-change", &["0", "1", "1400000000", "1700000000"]),
    ("exit-reason", &["none", "it broke"]),
    ("on_node", &["node1", "maitre"]),
];

const STATE: [(&str, &[&str]); 5] = [
    ("in_ccm", &["true", "false", "1"]),
    ("crmd", &["online", "offline"]),
    ("join", &["member", "down", "pending", "banned"]),
    ("expected", &["member", "down"]),
    ("uname", &["node1", "maitre", "nobody"]),
];

const ROOT: [(&str, &[&str]); 5] = [
    ("have-quorum", &["0", "1"]),
    ("dc-uuid", &["1", "2", "3232261394"]),
    ("crm_feature_set", &["3.0.1", "3.16.2"]),
    ("cib-last-written", &["now", "then"]),
    ("no-quorum-panic", &["1"]),
];

const OPTIONS: [(&str, &str); 12] = [
    ("stonith-enabled", "false"),
    ("stonith-enabled", "true"),
    ("maintenance-mode", "true"),
    ("symmetric-cluster", "false"),
    ("stop-orphan-resources", "false"),
    ("shutdown-lock", "true"),
    ("target-role", "Stopped"),
    ("failure-timeout", "60s"),
    ("is-managed", "false"),
    ("migration-threshold", "1"),
    ("remote-node", "guest1"),
    ("fail-count-rsc1#monitor_10000", "3"),
];

const BLOCKS: [&str; 3] = [
    "meta_attributes",
    "cluster_property_set",
    "instance_attributes",
];

fn set_one_of(document: &mut Document, id: NodeId, chance: &mut Chance, what: &[(&str, &[&str])]) {
    let (name, values) = chance.of(what);
    if chance.below(8) == 0 {
        document.remove_attribute(id, name);
    } else {
        let value = chance.of(values);
        document.set_attribute(id, name, value);
    }
}

/// Edits a CIB once.
fn edit(document: &mut Document, chance: &mut Chance) {
    let name = chance.of(&NAMES);
    let Some(id) = chance.named(document, name) else {
        return;
    };
    match chance.below(14) {
        0..=3 => {
            if let Some(id) = chance.element(document, |e| e.name() == "lrm_rsc_op") {
                set_one_of(document, id, chance, &OPERATION);
            }
        }
        4 => {
            if let Some(id) = chance.element(document, |e| e.name() == "node_state") {
                set_one_of(document, id, chance, &STATE);
            }
        }
        5 => {
            let root = document.root().id();
            set_one_of(document, root, chance, &ROOT);
        }
        6 => document.remove(id),
        7 => {
            // Another one beside it, perhaps with the same id.
            let copy = Document::copy_of(document.element(id));
            let parent = document.element(id).parent().unwrap().id();
            let place = chance.below(4);
            let twin = document.import(parent, place, copy.root());
            if chance.below(3) > 0 {
                let number = chance.below(5);
                let other = format!("{}:{number}", copy.root().attribute("id").unwrap_or("x"));
                document.set_attribute(twin, "id", &other);
            }
        }
        8 => {
            let place = chance.below(6);
            document.move_child(id, place);
        }
        9 => {
            // The same attribute of another one, so that references lead elsewhere.
            let element = document.element(id);
            let attributes: Vec<&str> = element.attributes().map(|(name, _)| name).collect();
            if attributes.is_empty() {
                return;
            }
            let name = chance.of(&attributes).to_owned();
            if let Some(other) = chance.element(document, |e| e.attribute(&name).is_some()) {
                let value = document.element(other).attribute(&name).unwrap().to_owned();
                document.set_attribute(id, &name, &value);
            }
        }
        10 => {
            let blocks = [
                "meta_attributes",
                "cluster_property_set",
                "instance_attributes",
            ];
            let is_block = |e: Element<'_>| blocks.contains(&e.name());
            if let Some(block) = chance.element(document, is_block) {
                let (name, value) = chance.of(&OPTIONS);
                let pair = document.append_child(block, "nvpair");
                document.set_attribute(pair, "id", &format!("made-{name}"));
                document.set_attribute(pair, "name", name);
                document.set_attribute(pair, "value", value);
            }
        }
        11 => {
            // What applies from some moment on, or until then.
            let is_block = |e: Element<'_>| BLOCKS.contains(&e.name());
            if let Some(block) = chance.element(document, is_block) {
                let rule = document.append_child(block, "rule");
                document.set_attribute(rule, "score", "1");
                let date = document.append_child(rule, "date_expression");
                let (operation, end) = chance.of(&[("gt", "start"), ("lt", "end")]);
                document.set_attribute(date, "operation", operation);
                document.set_attribute(date, end, "2020-01-01");
            }
        }
        12 => {
            // A reference, anywhere in the CIB.
            let refers = |e: Element<'_>| e.name() == "nvpair" || BLOCKS.contains(&e.name());
            if let Some(from) = chance.element(document, refers) {
                let name = document.element(from).name().to_owned();
                let to = chance.element(document, |e| e.name() == name).unwrap();
                let to = document
                    .element(to)
                    .attribute("id")
                    .unwrap_or("x")
                    .to_owned();
                document.remove_attribute(from, "name");
                document.set_attribute(from, "id-ref", &to);
            }
        }
        _ => document.append_text(id, "text"),
    }
}

/// A patch set that changes something before it fails.
fn failing(document: &Document) -> PatchSet {
    let root = document.root().name();
    PatchSet::parse(&format!(
        r#"<diff format="2"><change operation="modify" path="/{root}"><change-list>
             <change-attr name="have-quorum" operation="set" value="broken"/></change-list></change>
           <change operation="create" path="/{root}/status" position="0"><node_state id="77"/></change>
           <change operation="modify" path="/{root}/nowhere"><change-list>
             <change-attr name="a" operation="set" value="b"/></change-list></change></diff>"#
    ))
    .unwrap()
}

/// Changes a CIB in one of the ways in which programs do.
fn step(document: &mut Document, chance: &mut Chance) {
    let edits = 1 + chance.below(3);
    match chance.below(20) {
        0 => *document = Document::parse(&document.to_xml()).unwrap(),
        1 => document.compact(),
        2 => {
            // A patch set that does not fit leaves everything as it was; what comes next takes its place.
            let patch = failing(document);
            assert!(document.apply(&patch).is_err());
            (0..edits).for_each(|_| edit(document, chance));
        }
        3 => {
            // A copy goes its own way.
            let mut copy = document.clone();
            (0..edits).for_each(|_| edit(&mut copy, chance));
            *document = copy;
        }
        4..=11 => {
            let mut next = document.clone();
            (0..edits).for_each(|_| edit(&mut next, chance));
            let patch = PatchSet::between(document, &next).unwrap();
            // Where ids are not unique, a patch set may lead elsewhere.
            let _ = document.apply(&patch);
        }
        _ => (0..edits).for_each(|_| edit(document, chance)),
    }
}

fn time(chance: &mut Chance) -> Timestamp {
    let times = [
        0,
        1_400_000_030,
        1_669_900_000,
        1_700_000_030,
        1_700_000_090,
        2_100_000_000,
    ];
    Timestamp::from_second(chance.of(&times)).unwrap()
}

fn options(chance: &mut Chance) -> ComputeOptions {
    ComputeOptions {
        constraints: chance.below(2) == 0,
        without_history: chance.below(4) == 0,
    }
}

/// Compares the two ways, and what is printed of them.
fn check(
    computer: &mut Computer,
    cib: &Document,
    chance: &mut Chance,
    zone: &TimeZone,
    what: &str,
) {
    let (now, options) = (time(chance), options(chance));
    let next = computer.compute_with(cib, now, zone, options);
    let whole = compute_with(cib, now, zone, options);
    let view = Options {
        parts: [
            Part::Attributes,
            Part::FailCounts,
            Part::Operations,
            Part::Bans,
        ]
        .into_iter()
        .fold(Parts::DEFAULT, Parts::with),
        inactive: true,
        timing: true,
        ..Options::default()
    };
    let [a, b] = [&next, &whole].map(|status| Report::new(status, &view, now, zone));
    let texts = [a.text(), b.text()];
    assert!(texts[0] == texts[1], "{what}:\n{}", difference(&texts));
    let texts = [a.xml(), b.xml()];
    assert!(texts[0] == texts[1], "{what}:\n{}", difference(&texts));
    assert!(next == whole, "{what}: what is not printed differs");
}

fn difference([next, whole]: &[String; 2]) -> String {
    let lines = next.lines().zip(whole.lines()).filter(|(a, b)| a != b);
    let shown = lines.take(10).map(|(a, b)| format!("-{b}\n+{a}\n"));
    format!(
        "{}({} and {} lines)",
        shown.collect::<String>(),
        whole.lines().count(),
        next.lines().count()
    )
}

fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable);
    given.map_or(default, |text| text.parse().unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder);
    let entries = entries.unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap().to_string_lossy();
        name.ends_with(".xml") && !name.ends_with(".out.xml")
    });
    files.sort();
    files
}

/// Follows each CIB with one computer.
fn follow(files: &[PathBuf], steps: u64) {
    let seed = number("HA_COMPUTER_SEED", 1);
    let zone = TimeZone::UTC;
    let mut computer = Computer::new();
    for (at, file) in files.iter().enumerate() {
        let mut chance = Chance(seed.wrapping_mul(1 << 32).wrapping_add(at as u64));
        let mut cib = Document::parse_bytes(&std::fs::read(file).unwrap()).unwrap();
        let whole = cib.clone();
        for n in 0..steps {
            let what = format!("{} seed {seed} step {n}", file.display());
            check(&mut computer, &cib, &mut chance, &zone, &what);
            match chance.below(25) {
                // Nothing changes but the time.
                0 => continue,
                // So much was removed that it is worth to begin again.
                1 => cib = whole.clone(),
                _ => step(&mut cib, &mut chance),
            }
        }
    }
}

#[test]
fn what_depends_on_the_time_is_not_kept() {
    let cib = Document::parse(
        r#"<cib><configuration><crm_config><cluster_property_set id="o"><rule id="r" score="1">
             <date_expression id="d" operation="gt" start="2020-01-01"/></rule>
             <nvpair id="m" name="maintenance-mode" value="true"/></cluster_property_set></crm_config>
           </configuration><status/></cib>"#,
    )
    .unwrap();
    let mut computer = Computer::new();
    let mut maintenance = |time: &str| {
        let state = computer.compute(&cib, time.parse().unwrap(), &TimeZone::UTC);
        state.options.maintenance
    };
    assert!(!maintenance("2019-12-31T23:59:59Z"));
    assert!(maintenance("2020-01-01T00:00:01Z"));
    assert!(!maintenance("2019-12-31T23:59:59Z"));
}

#[test]
fn what_depends_on_the_rest_of_the_cib_is_not_kept() {
    let mut cib = Document::parse(
        r#"<cib><configuration><crm_config><cluster_property_set id="o">
             <nvpair id="p" name="maintenance-mode" id-ref="there"/></cluster_property_set></crm_config>
           </configuration><status><transient_attributes><nvpair id="there" value="true"/>
           </transient_attributes></status></cib>"#,
    )
    .unwrap();
    let mut computer = Computer::new();
    let mut maintenance = |cib: &Document| {
        let state = computer.compute(cib, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
        state.options.maintenance
    };
    assert!(maintenance(&cib));
    let mut pairs = cib.root().descendants();
    let there = pairs
        .find(|e| e.attribute("id") == Some("there"))
        .unwrap()
        .id();
    cib.set_attribute(there, "value", "false");
    assert!(!maintenance(&cib));
}

#[test]
fn what_must_stand_alone_is_looked_for_in_the_whole_cib() {
    let mut cib = Document::parse(
        r#"<cib><configuration><crm_config><cluster_property_set id="o">
             <nvpair id="p" name="cluster-infrastructure" value="corosync"/></cluster_property_set></crm_config>
           </configuration><status/></cib>"#,
    )
    .unwrap();
    let mut computer = Computer::new();
    let mut stack = |cib: &Document| {
        let state = computer.compute(cib, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
        state.stack
    };
    assert_eq!(stack(&cib).as_deref(), Some("corosync"));
    let status = cib.root().child("status").unwrap().id();
    let pair = cib.append_child(status, "nvpair");
    cib.set_attribute(pair, "name", "cluster-infrastructure");
    assert_eq!(stack(&cib), None);
}

#[test]
fn follows_the_cibs_of_the_tree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/status");
    let files = files(&folder);
    assert!(files.len() >= 4, "the fixtures are missing: {files:?}");
    follow(&files, number("HA_COMPUTER_STEPS", 150));
}

#[test]
fn follows_given_cibs() {
    if let Some(folder) = std::env::var_os("HA_CIBS") {
        follow(&files(Path::new(&folder)), number("HA_COMPUTER_STEPS", 20));
    }
}
