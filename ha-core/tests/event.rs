//! Events lead from each picture of a cluster to the next: none is missing, none says nothing.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::OnceLock;

use ha_core::event::{Event, Follower, Picture};
use ha_core::status::{self, ClusterStatus};
use ha_core::xml::{Document, Element, NodeId};
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn fixtures() -> &'static [Document] {
    static FIXTURES: OnceLock<Vec<Document>> = OnceLock::new();
    FIXTURES.get_or_init(read_fixtures)
}

fn read_fixtures() -> Vec<Document> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/status");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.ends_with(".xml") && !name.ends_with(".out.xml")
        })
        .collect();
    paths.sort();
    let read = |path| Document::parse_bytes(&std::fs::read(path).unwrap()).unwrap();
    let documents: Vec<Document> = paths.iter().map(read).collect();
    assert!(documents.len() >= 4, "the fixtures are missing");
    documents
}

fn status_of(cib: &Document) -> ClusterStatus {
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    status::compute(cib, now, &TimeZone::UTC)
}

/// Folds the events, each of which must say something.
fn folded(first: &Picture, events: &[Event]) -> Picture {
    let mut picture = first.clone();
    for event in events {
        let before = picture.clone();
        picture.fold(event);
        assert_ne!(picture, before, "{event:?} says nothing new");
    }
    picture
}

#[test]
fn events_lead_from_each_fixture_to_each_other() {
    let documents = fixtures();
    let pictures: Vec<Picture> = documents
        .iter()
        .map(|cib| Picture::of(&status_of(cib)).with_configuration(cib))
        .collect();
    let mut told = 0;
    for old in &pictures {
        for new in &pictures {
            let events = old.until(new);
            assert_eq!(&folded(old, &events), new);
            assert_eq!(events.is_empty(), old == new);
            told += events.len();
        }
        // From nothing at all, too.
        let nothing = Picture::default();
        assert_eq!(&folded(&nothing, &nothing.until(old)), old);
    }
    assert!(told > 10 * documents.len(), "{told}");
}

/// What the attributes of a CIB hold.
const VALUES: &[&str] = &[
    "true", "false", "online", "offline", "member", "down", "pending", "0", "1", "7", "-1", "193",
    "4", "start", "stop", "monitor", "promote", "demote", "40", "INFINITY", "maitre", "node1",
];

/// One change: of an attribute, or of what is there.
fn mutate(cib: &mut Document, at: usize, what: usize, value: usize) {
    let ids: Vec<NodeId> = cib.root().descendants().skip(1).map(Element::id).collect();
    if ids.is_empty() {
        return;
    }
    let id = ids[at % ids.len()];
    let names: Vec<String> = cib
        .element(id)
        .attributes()
        .map(|(n, _)| n.to_owned())
        .collect();
    match (what % 8, names.is_empty()) {
        (0, _)
            if cib
                .element(id)
                .parent()
                .is_some_and(|p| p.parent().is_some()) =>
        {
            cib.remove(id);
        }
        (1, false) => drop(cib.remove_attribute(id, &names[value % names.len()])),
        (_, false) => {
            let name = &names[what / 8 % names.len()];
            cib.set_attribute(id, name, VALUES[value % VALUES.len()]);
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn events_lead_through_all_states_of_a_changing_cib(
        start in any::<usize>(),
        steps in prop::collection::vec(
            prop::collection::vec((any::<usize>(), any::<usize>(), any::<usize>()), 1..4), 1..8),
    ) {
        let documents = fixtures();
        let mut cib = documents[start % documents.len()].clone();
        let mut follower = Follower::with_configuration(&cib, status_of(&cib));
        let first = follower.picture().clone();
        let mut all = Vec::new();
        for step in steps {
            let before = cib.clone();
            for (at, what, value) in step {
                mutate(&mut cib, at, what, value);
            }
            let events = follower.next_with_configuration(&cib, status_of(&cib));
            // What no state tells was not read into it: without any node that keeps its past, the
            // pictures are those of the states.
            let same = status_of(&cib).nodes().all(|n| !n.online);
            if same {
                let own = Picture::of(&status_of(&cib)).with_configuration(&cib);
                prop_assert_eq!(follower.picture(), &own);
            }
            // The configuration's events are those of its XML.
            let part = |cib: &Document| {
                cib.root().child("configuration").map(Element::to_xml_compact)
            };
            let told = events.iter().any(|e| matches!(e, Event::ConfigurationChanged { .. }));
            prop_assert!(told <= (part(&before) != part(&cib)), "{:?}", events);
            all.extend(events);
        }
        prop_assert_eq!(&folded(&first, &all), follower.picture());
    }
}

/// Each thing that can be changed in a configuration is told, and by its name.
#[test]
fn changes_of_the_configuration_are_told_by_name() {
    let cib = |inner: &str| {
        let text = format!(
            "<cib validate-with='pacemaker-3.9'><configuration>{inner}</configuration><status/></cib>"
        );
        Document::parse(&text).unwrap()
    };
    let options = |value: &str| {
        format!(
            "<crm_config><cluster_property_set id='o'><nvpair id='o-m' name='maintenance-mode' \
             value='{value}'/></cluster_property_set></crm_config>"
        )
    };
    let resources = |inner: &str| format!("<resources><group id='g'>{inner}</group></resources>");
    let vip = "<primitive id='vip' class='ocf' provider='heartbeat' type='IPaddr2'/>";
    let slow = "<primitive id='vip' class='ocf' provider='heartbeat' type='IPaddr2'><operations>\
                <op id='vip-m' name='monitor' interval='10s'/></operations></primitive>";
    let other = "<primitive id='src' class='ocf' provider='heartbeat' type='IPsrcaddr'/>";
    let both = format!("{vip}{other}");
    let turned = format!("{other}{vip}");
    let ban = "<constraints><rsc_location id='ban' rsc='g' node='maitre' score='-INFINITY'/></constraints>";
    for (old, new, expected) in [
        (options("true"), options("true"), ""),
        (
            options("true"),
            options("false"),
            "changed option maintenance-mode",
        ),
        (
            String::new(),
            options("false"),
            "added cluster_property_set o, added option maintenance-mode",
        ),
        (
            "<crm_config><cluster_property_set id='o'/></crm_config>".to_owned(),
            options("true"),
            "added option maintenance-mode",
        ),
        (resources(vip), resources(slow), "changed primitive vip"),
        (
            resources(vip),
            resources(&both),
            "changed group g, added primitive src",
        ),
        (resources(&both), resources(&turned), "changed group g"),
        (
            ban.to_owned(),
            "<constraints/>".to_owned(),
            "removed rsc_location ban",
        ),
    ] {
        let picture = |text: &str| {
            let cib = cib(text);
            Picture::of(&status_of(&cib)).with_configuration(&cib)
        };
        let events = picture(&old).until(&picture(&new));
        let said: Vec<String> = events.iter().map(ToString::to_string).collect();
        let said = said.join("\n");
        let said = said.trim_start_matches("the configuration changed: ");
        assert_eq!(said, expected);
    }
}
