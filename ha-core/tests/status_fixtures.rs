//! CIBs made for this test, beside what the `crm_mon` of Pacemaker 2.1.5 printed for them.
//!
//! A new case: add `tests/data/status/NAME.xml`, and the outputs of the installed program with
//! `CIB_file=NAME.xml TZ=UTC crm_mon OPTIONS`, in which the moment of printing is replaced by `NOW`:
//! `NAME.txt` for `-1 -r -A -f -o -t -c -L`, `NAME.detail.txt` for `-1 -r -n -R`, `NAME.out.xml`
//! for `--output-as=xml`, `NAME.html` for `--output-as=html -r -R -A -f -o -t -c -L`, `NAME.node.html`
//! for `--output-as=html -n -r --include=options`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use ha_core::status::{self, ComputeOptions};
use ha_core::view::out::Page;
use ha_core::view::{Options, Part, Parts, Report};
use ha_core::xml::{Document, Element};
use jiff::tz::TimeZone;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/status")
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".xml").map(str::to_owned))
        .filter(|name| !name.ends_with(".out"))
        .collect();
    names.sort();
    names
}

/// Replaces the moment of printing.
fn masked(text: &str) -> String {
    let hide = |line: &str| {
        for (start, end) in [
            ("  * Last updated: ", ""),
            ("    <last_update time=\"", "\"/>"),
            (
                "<span class=\"bold\">Last updated: </span><span>",
                "</span>",
            ),
        ] {
            if line.starts_with(start) {
                return format!("{start}NOW{end}");
            }
        }
        line.to_owned()
    };
    text.lines().map(|line| hide(line) + "\n").collect()
}

fn check(suffix: &str, options: &Options, print_masked: fn(&Report<'_>) -> String) {
    let names = names();
    assert!(names.len() >= 4, "the fixtures are missing: {names:?}");
    for name in names {
        let cib = std::fs::read(folder().join(format!("{name}.xml"))).unwrap();
        let cib = Document::parse_bytes(&cib).unwrap();
        let expected = std::fs::read_to_string(folder().join(format!("{name}.{suffix}"))).unwrap();
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let zone = TimeZone::UTC;
        let all = ComputeOptions {
            constraints: options.parts.has(Part::Bans),
            ..ComputeOptions::default()
        };
        // What is not shown need not be computed.
        for compute in [all, options.compute_options()] {
            let status = status::compute_with(&cib, now, &zone, compute);
            let report = Report::new(&status, options, now, &zone);
            let printed = print_masked(&report);
            assert_eq!(printed, masked(&expected), "{name}.{suffix}: {compute:?}");
        }
    }
}

#[test]
fn everything_as_text() {
    let parts = [
        Part::Attributes,
        Part::FailCounts,
        Part::Operations,
        Part::Tickets,
        Part::Bans,
    ];
    let options = Options {
        parts: parts.into_iter().fold(Parts::DEFAULT, Parts::with),
        inactive: true,
        timing: true,
        ..Options::default()
    };
    check("txt", &options, |report| masked(&report.text()));
    // The lines of a screen say the same.
    check("txt", &options, |report| {
        let mut text = String::new();
        for line in report.lines() {
            text += &line.bullet();
            text.extend(line.pieces.iter().map(|piece| piece.text.as_str()));
            text.push('\n');
        }
        masked(&text)
    });
}

#[test]
fn details_by_node() {
    let options = Options {
        by_node: true,
        inactive: true,
        detail: true,
        ..Options::default()
    };
    check("detail.txt", &options, |report| masked(&report.text()));
}

#[test]
fn xml() {
    let options = Options {
        parts: Parts::ALL,
        inactive: true,
        timing: true,
        request: "crm_mon --output-as=xml".to_owned(),
        ..Options::default()
    };
    check("out.xml", &options, |report| masked(&report.xml()));
}

#[test]
fn html() {
    let parts = [
        Part::Attributes,
        Part::FailCounts,
        Part::Operations,
        Part::Tickets,
        Part::Bans,
    ];
    let options = Options {
        parts: parts.into_iter().fold(Parts::DEFAULT, Parts::with),
        inactive: true,
        detail: true,
        timing: true,
        ..Options::default()
    };
    check("html", &options, |report| {
        masked(&report.html(Page::default()))
    });
}

#[test]
fn html_by_node() {
    let options = Options {
        parts: Parts::DEFAULT.with(Part::Options),
        by_node: true,
        inactive: true,
        ..Options::default()
    };
    check("node.html", &options, |report| {
        masked(&report.html(Page::default()))
    });
}

/// Any prefix of a CIB's elements, and any attribute missing, still gives a status.
#[test]
fn half_a_cib_is_no_danger() {
    for name in names() {
        let text = std::fs::read_to_string(folder().join(format!("{name}.xml"))).unwrap();
        let whole = Document::parse(&text).unwrap();
        let ids: Vec<_> = whole
            .root()
            .descendants()
            .skip(1)
            .map(Element::id)
            .collect();
        for id in ids {
            let mut without = whole.clone();
            without.remove(id);
            print_all(&without);
            let attributes: Vec<String> = whole
                .element(id)
                .attributes()
                .map(|(name, _)| name.to_owned())
                .collect();
            for attribute in attributes {
                let mut without = whole.clone();
                without.remove_attribute(id, &attribute);
                print_all(&without);
                let mut wrong = whole.clone();
                wrong.set_attribute(id, &attribute, "-99999999999999999999:é_0");
                print_all(&wrong);
            }
        }
    }
}

fn print_all(cib: &Document) {
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    let options = Options {
        parts: Parts::ALL,
        inactive: true,
        ..Options::default()
    };
    let status = status::compute_with(
        cib,
        now,
        &TimeZone::UTC,
        ComputeOptions {
            constraints: true,
            ..ComputeOptions::default()
        },
    );
    let zone = TimeZone::UTC;
    let report = Report::new(&status, &options, now, &zone);
    assert!(!report.text().is_empty() && !report.xml().is_empty());
    assert!(report.html(Page::default()).ends_with("</html>\n"));
}
