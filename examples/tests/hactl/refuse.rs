//! What it refuses to do, or does with a warning.

use crate::run::{File, PAIR};

#[test]
fn what_runs_is_not_renamed() {
    let file = File::new(PAIR);
    for words in [
        &["resource", "rename", "b", "c"][..],
        &["-n", "resource", "rename", "b", "c"],
        &["resource", "rename", "st", "c"],
        &["resource", "rename", "ipsec", "c"],
    ] {
        let told = file.hactl(words);
        assert_eq!((told.code, told.out.as_str()), (Some(113), ""), "{told:?}");
        assert!(told.err.contains(" is active on "), "{told:?}");
        assert!(told.err.contains("--force"), "{told:?}");
        assert_eq!(file.cib(), PAIR);
    }
    let told = file.french(&["resource", "rename", "b", "c"]);
    assert!(told.err.contains("b tourne sur maitre :"), "{told:?}");
    assert!(told.err.contains("l'arrêter d'abord"), "{told:?}");
    // What only holds others has no history of its own.
    let told = file.hactl(&["resource", "rename", "vpn", "tunnel"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let told = file.hactl(&["resource", "rename", "b", "c", "--force"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(
        told.err.starts_with("warning: ") && told.err.contains("b is active on maitre"),
        "{told:?}"
    );
    assert!(file.cib().contains("<primitive id=\"c\""));
}

#[test]
fn names_that_are_none_are_refused() {
    let file = File::new(PAIR);
    for words in [
        &["ticket", "grant", "a b"][..],
        &["ticket", "grant", ""],
        &["ticket", "set", "t", "a b", "x"],
        &["ticket", "set", "t", "id", "z"],
        &["ticket", "set", "t", "granted", "true"],
        &["option", "set", "", "x"],
        &["option", "set", "batch-limit", "\u{1}"],
        &["default", "resource", "set", "", "x"],
        &["node", "set", "maitre", "", "x"],
        &["node", "set", "maitre", "", "x", "--until-reboot"],
        &["node", "set", "maitre", "", "1", "--utilization"],
        &["resource", "set", "b", "", "x"],
        &["resource", "set", "b", "fake", "\u{1b}[0m"],
    ] {
        let told = file.hactl(words);
        assert_eq!(
            (told.code, told.out.as_str()),
            (Some(65), ""),
            "{words:?}: {told:?}"
        );
        assert_eq!(file.cib(), PAIR, "{words:?}");
    }
}

#[test]
fn options_are_called_by_both_names() {
    let file = File::new(PAIR);
    let told = file.hactl(&["options", "get", "cluster-name"]);
    assert_eq!((told.code, told.out.as_str()), (Some(0), "sphynx\n"));
}
