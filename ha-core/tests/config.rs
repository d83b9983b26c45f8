//! Configurations that are read, printed and read again, with nothing lost on the way.

use std::path::{Path, PathBuf};

use ha_core::config::{Config, Resource};
use ha_core::xml::{Document, Element, NodeId};

const EVERYTHING: &str = include_str!("data/schema/everything.xml");

/// The CIBs of this tree, and those of the folder `HA_CONFORMANCE`.
fn cibs() -> Vec<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut folders = vec![data.join("status"), data.join("schema")];
    let given = std::env::var_os("HA_CONFORMANCE");
    folders.extend(given.map(|given| Path::new(&given).join("inputs")));
    let mut files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder of CIBs"))
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".xml") && !name.ends_with(".out.xml")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    files
}

fn configuration(cib: &Document) -> Element<'_> {
    cib.root().child("configuration").expect("a configuration")
}

/// Spells what has several spellings as it is printed; tells whether anything had another one.
fn normalise(cib: &mut Document) -> bool {
    const BOOLEANS: [&str; 7] = [
        "enabled",
        "record-pending",
        "sequential",
        "require-all",
        "symmetrical",
        "influence",
        "add-host",
    ];
    /// These say nothing when they are empty.
    const CONTAINERS: [&str; 8] = [
        "operations",
        "storage",
        "fencing-topology",
        "acls",
        "tags",
        "alerts",
        "op_defaults",
        "rsc_defaults",
    ];
    let mut spelled: Vec<(NodeId, &str, &str)> = Vec::new();
    let mut empty = Vec::new();
    for element in configuration(cib).descendants() {
        if CONTAINERS.contains(&element.name())
            && element.attributes().len() == 0
            && element.children().next().is_none()
        {
            empty.push(element.id());
        }
        for name in BOOLEANS {
            match element.attribute(name) {
                Some("1" | "yes" | "on" | "True" | "TRUE") => {
                    spelled.push((element.id(), name, "true"));
                }
                Some("0" | "no" | "off" | "False" | "FALSE") => {
                    spelled.push((element.id(), name, "false"));
                }
                _ => {}
            }
        }
        match element.attribute("score") {
            Some("+INFINITY" | "1000000") => spelled.push((element.id(), "score", "INFINITY")),
            Some("-1000000") => spelled.push((element.id(), "score", "-INFINITY")),
            _ => {}
        }
    }
    let spelled: Vec<_> = spelled
        .into_iter()
        .map(|(at, name, value)| (at, name.to_owned(), value.to_owned()))
        .collect();
    for (at, name, value) in &spelled {
        cib.set_attribute(*at, name, value);
    }
    for &at in &empty {
        cib.remove(at);
    }
    !spelled.is_empty() || !empty.is_empty()
}

#[test]
fn what_is_printed_says_what_was_read() {
    let mut untouched = 0;
    let files = cibs();
    for path in &files {
        let at = path.display();
        let mut cib = Document::parse_bytes(&std::fs::read(path).expect("readable"))
            .unwrap_or_else(|e| panic!("{at}: {e:#}"));
        let config = Config::read(&cib).unwrap_or_else(|e| panic!("{at}: {e:#}"));
        let printed = config
            .to_document()
            .unwrap_or_else(|e| panic!("{at}: {e:#}"));
        let again = Config::read(&printed).unwrap_or_else(|e| panic!("{at}: {e:#}"));
        assert_eq!(again, config, "{at}");
        untouched += usize::from(!normalise(&mut cib));
        assert!(
            configuration(&printed) == configuration(&cib),
            "{at}\n--- read\n{}\n--- printed\n{}",
            configuration(&cib).to_xml(),
            configuration(&printed).to_xml()
        );
    }
    assert!(
        untouched * 2 > files.len(),
        "{untouched} of {}",
        files.len()
    );
}

#[test]
fn everything_is_understood() {
    let cib = Document::parse(EVERYTHING).expect("well-formed");
    let config = Config::read(&cib).expect("readable");
    assert_eq!(config.unreadable(), []);
    // The types hold it, not what they keep besides.
    let json = serde_json::to_string(&config).expect("serializable");
    assert!(!json.contains("\"other\""), "{json}");
    assert_eq!(config.resources.len(), 7);
    assert!(matches!(&config.resources[6], Resource::Bundle(bundle) if bundle.id == "b"));
    let ids: Vec<&str> = config.primitives().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["ip", "fence", "g1", "g2", "c1", "cgg1", "b1"]);
}
