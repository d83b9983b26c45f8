//! `crm_mon --output-as=json`: as its schema says, and with every fact that the XML has.
//!
//! The schema in `docs/crm_mon.schema.json` is made from the types of `ha_core::view::json`; after a
//! change of those, `HA_UPDATE_SCHEMA=1 cargo test -p ha-examples --test json` writes it anew.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../inputs/mod.rs"]
mod inputs;
mod schema;
mod xml_facts;

use std::path::Path;
use std::process::{Command, Output};

use ha_core::view::json::{self, SCHEMA_VERSION};
use ha_core::xml::Document;
use serde_json::Value;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/crm_mon.schema.json");

/// Options that change what is shown; `FIRST` stands for a name of the CIB.
const MODES: [&[&str]; 10] = [
    &[],
    &["-n"],
    &["-R", "-A", "-f", "-o", "-t", "-c"],
    &["--exclude=all", "--include=nodes,failures"],
    &["--exclude=operations,summary"],
    &["--include=none"],
    &["-Lcli", "--exclude=times"],
    &["--node=FIRST"],
    &["--resource=FIRST", "-n"],
    &["--resource=FIRST:1", "--node=FIRST"],
];

fn generated() -> Value {
    json::schema().to_value()
}

fn stored() -> Value {
    serde_json::from_str(&std::fs::read_to_string(SCHEMA).unwrap()).unwrap()
}

fn run(format: &str, words: &[String], cib: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crm_mon"))
        .arg(format!("--output-as={format}"))
        .args(words)
        .env("TZ", "Asia/Kolkata")
        .env("CIB_file", cib)
        .output()
        .unwrap()
}

fn filled(word: &str, cib: &Path) -> String {
    let document = Document::parse_bytes(&std::fs::read(cib).unwrap()).unwrap();
    let (element, attribute) = if word.starts_with("--node") {
        ("node", "uname")
    } else {
        ("primitive", "id")
    };
    let mut found = document
        .root()
        .descendants()
        .filter(|e| e.name() == element);
    let name = found.find_map(|e| e.attribute(attribute)).unwrap_or("none");
    word.replace("FIRST", name)
}

#[test]
fn the_schema_is_that_of_the_types() {
    let generated = generated();
    if std::env::var_os("HA_UPDATE_SCHEMA").is_some() {
        let text = serde_json::to_string_pretty(&generated).unwrap() + "\n";
        std::fs::write(SCHEMA, text).unwrap();
    }
    assert!(
        generated == stored(),
        "docs/crm_mon.schema.json is not what the types say: write it with HA_UPDATE_SCHEMA=1"
    );
}

#[test]
fn every_fact_of_the_xml_is_there_and_is_as_the_schema_says() {
    let schema = stored();
    let mut facts = 0;
    for cib in inputs::cibs(20) {
        for mode in MODES {
            let words: Vec<String> = mode.iter().map(|word| filled(word, &cib)).collect();
            let what = format!("{} {words:?}", cib.display());
            let (xml, json) = (run("xml", &words, &cib), run("json", &words, &cib));
            assert_eq!(xml.status.code(), json.status.code(), "{what}");
            let xml = Document::parse_bytes(&xml.stdout).unwrap();
            let value: Value = serde_json::from_slice(&json.stdout).unwrap();
            if let Err(wrong) = schema::check(&schema, &value) {
                panic!("{what}: {wrong}");
            }
            // Nothing is there that the types do not know, and they lose nothing.
            let typed: json::Output = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(typed.schema_version, SCHEMA_VERSION, "{what}");
            assert_eq!(serde_json::to_value(&typed).unwrap(), value, "{what}");
            match xml_facts::compare(&xml, &value) {
                Ok(found) => facts += found,
                Err(wrong) => panic!("{what}: {wrong}"),
            }
        }
    }
    assert!(facts > 2000, "only {facts} facts were compared");
}

#[test]
fn what_was_not_asked_for_is_absent_and_what_has_nothing_to_say_is_empty() {
    let cib = &inputs::cibs(20)[0];
    let words = [
        "--include=none,tickets,bans:unheard-of",
        "--exclude=summary",
    ];
    let output = run("json", &words.map(str::to_owned), cib);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["bans"], Value::from(Vec::<Value>::new()));
    assert_eq!(value.get("nodes"), None);
    assert_eq!(value.get("resources"), None);
    assert!(output.stdout.ends_with(b"}\n"), "ends with a line break");
}

#[test]
fn errors_are_json_too() {
    let schema = stored();
    let good = &inputs::cibs(20)[0];
    let missing = Path::new("/nonexistent/cib.xml");
    let bad_section = ["--include=unheard-of".to_owned()];
    for (words, cib, code, message) in [
        (
            &[][..],
            missing,
            0,
            "Could not connect to the CIB: No such device or address",
        ),
        (
            &bad_section,
            good.as_path(),
            64,
            "crm_mon: --include options: all,",
        ),
    ] {
        let (json, xml) = (run("json", words, cib), run("xml", words, cib));
        let value: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(schema::check(&schema, &value), Ok(()));
        assert_eq!(json.status.code(), Some(code));
        assert_eq!(value["status"]["code"], code);
        let error = value["status"]["errors"][0].as_str().unwrap();
        assert!(error.starts_with(message), "{error}");
        let xml = Document::parse_bytes(&xml.stdout).unwrap();
        assert!(xml_facts::compare(&xml, &value).is_ok_and(|facts| facts >= 3));
    }
}

/// Whatever is wrong with the command line: as early as where it is read, and whichever options stand beside.
#[test]
fn a_command_line_that_makes_no_sense_is_answered_in_json() {
    let schema = stored();
    let cib = &inputs::cibs(20)[0];
    for (line, message) in [
        ("--bogus", "Unknown option --bogus"),
        ("-1z", "Unknown option -z"),
        ("--now junk", "--now junk: give seconds since 1970"),
        ("-i junk", "Invalid value for -i: junk"),
        ("-m 7", "Fence history must be 0-3"),
        ("--node", "Missing argument for --node"),
        ("-s --include=foo", "--include options: all,"),
        ("-X --bogus", "Unknown option --bogus"),
        (
            "--output-as xml --output-as json --bogus",
            "Unknown option --bogus",
        ),
        (
            "--why a --findings",
            "only one of --why, --is and --findings",
        ),
        ("--lang=xx --findings", "--lang: "),
    ] {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let output = run("json", &words, cib);
        assert_eq!(output.status.code(), Some(64), "{line}: {output:?}");
        let value: Value = serde_json::from_slice(&output.stdout).expect(line);
        assert_eq!(schema::check(&schema, &value), Ok(()), "{line}");
        assert_eq!(value["status"]["code"], 64, "{line}");
        assert_eq!(value["status"]["message"], "Incorrect usage", "{line}");
        let error = value["status"]["errors"][0].as_str().unwrap();
        let told = error.strip_prefix("crm_mon: ");
        assert!(
            told.is_some_and(|told| told.starts_with(message)),
            "{error}"
        );
        assert!(output.stderr.is_empty(), "{line}: {output:?}");
    }
    // Another format is asked for after all.
    let words = ["--output-as=text", "--bogus"].map(str::to_owned);
    assert!(run("json", &words, cib).stdout.is_empty());
}

#[test]
fn the_version_and_the_one_line_status_are_json_too() {
    let schema = stored();
    let cib = &inputs::cibs(20)[0];
    let asked = |words: &[&str]| -> Value {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let output = run("json", &words, cib);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(schema::check(&schema, &value), Ok(()));
        value
    };
    let version = asked(&["--version"]);
    assert_eq!(version["version"]["program"], "Pacemaker");
    assert_eq!(version["version"]["version"], "2.1.5");
    for old in ["-s", "-X", "-N"] {
        assert!(asked(&[old])["nodes"].is_array(), "{old}");
    }
}

#[test]
fn the_check_against_a_schema_finds_what_is_wrong() {
    let schema = stored();
    let output = run("json", &[], &inputs::cibs(20)[0]);
    let good: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema::check(&schema, &good), Ok(()));
    for (pointer, wrong) in [
        ("/schema_version", Value::from(1)),
        ("/nodes/0/online", Value::from("true")),
        ("/nodes/0/health", Value::from("blue")),
        ("/nodes/0/resources_running", Value::from(-1)),
        ("/status/code", Value::from(256)),
        ("/summary/last_update", Value::from("yesterday")),
        ("/resources/0/kind", Value::from("unheard-of")),
        ("/resources/0", Value::from(1)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong;
        assert!(schema::check(&schema, &bad).is_err(), "{pointer}");
    }
    let mut bad = good.clone();
    bad.as_object_mut().unwrap().remove("status");
    assert!(schema::check(&schema, &bad).is_err());
}
