//! Whole configurations: completed, and those of others looked over. With `HA_CIBS` naming a folder, the CIB
//! files in it, too.

use std::path::PathBuf;

use ha_core::change::validate::{Fault, Severity, complete};
use ha_core::language::Language;
use ha_core::xml::Document;

use crate::made::*;

#[test]
fn completes_what_is_left_out_and_nothing_else() {
    let given = "<primitive id='A' class='ocf' provider='test' type='address'><operations>\
        <op id='mine' name='start' interval='0s'/><op id='n' name='monitor' interval='33s' timeout='7s'/>\
        </operations></primitive>\
        <primitive id='B' class='ocf' provider='test' type='base'/>\
        <clone id='K'><meta_attributes id='K-m'><nvpair id='K-1' name='promotable' value='true'/>\
        </meta_attributes><primitive id='M' class='ocf' provider='test' type='base'/></clone>\
        <primitive id='F' class='stonith' type='fence_test'/>\
        <primitive id='N' class='ocf' provider='test' type='nothing'/>\
        <template id='T' class='ocf' provider='test' type='address'/><primitive id='U' template='T'/>";
    let mut cib = resources(given).cib(Some("pacemaker-3.7"));
    complete(&mut cib, &mut described).unwrap();
    let operations: Vec<String> = cib
        .root()
        .descendants()
        .filter(|e| e.name() == "op")
        .map(|e| {
            let attributes = e.attributes().filter(|(name, _)| *name != "name");
            attributes
                .map(|(_, value)| value)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(
        operations,
        [
            "mine 0s 20s",
            "n 33s 7s",
            "A-stop-0s 0s 20s",
            "B-start-0s 0s 120s",
            "B-stop-0s 0s 60s",
            "B-monitor-10s 10s 25s",
            "M-start-0s 0s 120s",
            "M-stop-0s 0s 60s",
            "M-promote-0s 0s 30s",
            "M-demote-0s 0s 30s",
            "M-monitor-10s 10s 15s Promoted",
            "M-monitor-11s 11s 25s Unpromoted",
            "F-monitor-60s 60s",
            "T-start-0s 0s 20s",
            "T-stop-0s 0s 20s",
            "T-monitor-10s 10s 20s",
        ]
    );
    let once = cib.clone();
    complete(&mut cib, &mut described).unwrap();
    assert_eq!(cib, once);
    let schema_faults = faults(&cib);
    let of_schema = |fault: &&Fault| {
        fault.severity == Severity::Error && fault.text(Language::English).contains("schema")
    };
    assert_eq!(schema_faults.iter().find(of_schema), None);
}

/// The CIBs of the tree and those in the folder `HA_CIBS`.
fn all_cibs() -> Vec<PathBuf> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut folders = vec![data];
    folders.extend(std::env::var_os("HA_CIBS").map(PathBuf::from));
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
        for entry in entries {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "xml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Nothing panics, a second look says the same, every text is there in both languages; and what was
/// completed is complete, with ids that are unique.
#[test]
fn every_cib_can_be_looked_over() {
    let mut seen = 0;
    for file in all_cibs() {
        let text = std::fs::read(&file).unwrap();
        let Ok(mut cib) = Document::parse_bytes(&text) else {
            continue;
        };
        seen += 1;
        let before = faults(&cib);
        assert_eq!(before, faults(&cib), "{file:?}");
        for fault in &before {
            for l in [Language::English, Language::French] {
                assert!(!fault.text(l).is_empty() && !fault.fix(l).is_empty());
            }
            assert!(
                !fault.place.is_empty() && fault.path.starts_with('/'),
                "{fault:?}"
            );
        }
        complete(&mut cib, &mut described).unwrap();
        let once = cib.clone();
        complete(&mut cib, &mut described).unwrap();
        assert_eq!(cib, once, "{file:?}");
        let duplicates = |faults: &[Fault]| {
            let text = |f: &&Fault| f.text(Language::English).contains("another element");
            faults.iter().filter(text).count()
        };
        assert_eq!(duplicates(&faults(&cib)), duplicates(&before), "{file:?}");
    }
    assert!(seen > 3, "{seen}");
}
