//! `crm_mon --is`, `--why` and `--findings`, run as a person would.

use std::process::{Command, Output};

const CIB: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../ha-core/tests/data/status/failures.xml"
);

fn crm_mon(arguments: &[&str], locale: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crm_mon"))
        .args(arguments)
        .env("CIB_file", CIB)
        .env("LC_ALL", locale)
        .output()
        .expect("crm_mon runs")
}

fn said(arguments: &[&str], locale: &str) -> (Option<i32>, String) {
    let output = crm_mon(arguments, locale);
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8(text).expect("UTF-8"),
    )
}

#[test]
fn is() {
    let ask = |question| said(&["--is", question], "C");
    assert_eq!(ask("a started on maitre"), (Some(0), "yes\n".to_owned()));
    let (code, text) = ask("e started");
    assert_eq!((code, text.as_str()), (Some(1), "no: e is Stopped\n"));
    let (code, text) = ask("nothing started");
    assert_eq!(code, Some(105));
    assert!(
        text.contains("no resource 'nothing'") && text.contains("next step: "),
        "{text}"
    );
    let (code, text) = ask("a runs");
    assert_eq!(code, Some(65));
    assert!(text.contains("'runs' is no state"), "{text}");
}

#[test]
fn why() {
    let (code, text) = said(&["--why", "a"], "C");
    assert_eq!(code, Some(0));
    assert!(
        text.starts_with("a is active on maitre.\n1. on esclave: "),
        "{text}"
    );
    let (_, text) = said(&["--why", "a"], "fr_FR.UTF-8");
    assert!(
        text.starts_with("a est active sur maitre.\n1. sur esclave : "),
        "{text}"
    );
    let (_, text) = said(&["--why=a", "--lang=en"], "fr_FR.UTF-8");
    assert!(text.starts_with("a is active"), "{text}");
    assert_eq!(said(&["--why", "nothing"], "C").0, Some(105));
}

#[test]
fn findings() {
    let (code, text) = said(&["--findings"], "C");
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.starts_with("error: the cluster gave d up after a failure (blocked)\n   -> stop it"),
        "{text}"
    );
    let (_, text) = said(&["--findings", "--lang", "fr"], "C");
    assert!(
        text.starts_with("erreur : la grappe a abandonné d"),
        "{text}"
    );
    let (code, text) = said(&["--findings", "--lang", "de"], "C");
    assert_eq!(code, Some(64), "{text}");
}
