//! Computing the status of any CIB, and printing it in every form.

use ha_core::status::{self, ComputeOptions};
use ha_core::view::out::Page;
use ha_core::view::{Options, Parts, Report};
use ha_core::xml::Document;
use ha_core::{finding, why};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Computes the status of what can be read as XML; it is the same each time, and what is printed for
/// programs can be read.
pub fn check(data: &[u8]) {
    let Ok(document) = Document::parse_bytes(data) else {
        return;
    };
    let now = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1_700_000_000);
    let zone = TimeZone::UTC;
    let compute = || {
        let options = ComputeOptions {
            constraints: true,
            ..ComputeOptions::default()
        };
        status::compute_with(&document, now, &zone, options)
    };
    let state = compute();
    let again = compute();
    for detail in [false, true] {
        let options = Options {
            parts: Parts::ALL,
            by_node: detail,
            inactive: true,
            brief: detail,
            detail,
            timing: true,
            ..Options::default()
        };
        let report = Report::new(&state, &options, now, &zone);
        let xml = report.xml();
        assert_eq!(xml, Report::new(&again, &options, now, &zone).xml());
        Document::parse(&xml).unwrap_or_else(|e| panic!("no XML: {e:#}\n{xml}"));
        let printed = [
            report.text(),
            report.legacy_xml(),
            report.html(Page::default()),
            report.simple(),
        ];
        assert!(printed.iter().all(|text| !text.is_empty()));
        drop((report.lines(), report.json()));
    }
    drop(finding::all(&document, now, &zone));
    let ids = document.root().descendants();
    let ids =
        ids.filter(|element| matches!(element.name(), "primitive" | "group" | "clone" | "bundle"));
    for id in ids.filter_map(|element| element.attribute("id")).take(4) {
        // Not every one of them is a resource: some are outside of their section.
        drop(why::explain(&document, now, &zone, id));
    }
}
