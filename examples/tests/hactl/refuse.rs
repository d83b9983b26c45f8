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

#[test]
fn what_is_set_is_looked_at_first() {
    let file = File::new(PAIR);
    for (words, code, said) in [
        (
            &["option", "set", "stonith-timeout", "abc"][..],
            0,
            "warning: option stonith-timeout: stonith-timeout is 'abc'",
        ),
        (
            &["option", "set", "nope-opt", "1"],
            0,
            "warning: option nope-opt: Pacemaker knows no option nope-opt",
        ),
        (
            &["resource", "set", "b", "target-role", "Banana", "--meta"],
            0,
            "warning: primitive b, meta target-role: target-role is 'Banana'",
        ),
        (
            &["default", "resource", "set", "migration-threshold", "often"],
            0,
            "migration-threshold is 'often'",
        ),
        // Nothing would be started.
        (
            &["option", "set", "stonith-enabled", "true"],
            78,
            "fencing is on, but no device is configured",
        ),
    ] {
        let before = file.cib();
        let told = file.hactl(&[&["-n"], words].concat());
        assert_eq!(told.code, Some(code), "{told:?}");
        assert!(told.err.contains(said), "{told:?}");
        assert_eq!(file.cib(), before, "{words:?}");
        let told = file.hactl(words);
        assert_eq!(told.code, Some(code), "{told:?}");
        assert!(told.err.contains(said), "{told:?}");
        assert_eq!(file.cib() == before, code != 0, "{told:?}");
    }
    // What was wrong before is not told again.
    let told = file.hactl(&["option", "set", "batch-limit", "3"]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{told:?}");
    let told = file.hactl(&["option", "set", "stonith-enabled", "true", "--force"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.err.contains("no device is configured"), "{told:?}");
    let told = file.hactl(&["--json", "option", "set", "stop-all-resource", "yes"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(
        told.json_errors()[0]["fault"]["similar"],
        "stop-all-resources"
    );
    let told = file.hactl(&["verify"]);
    assert!(
        told.out.contains("Pacemaker knows no option nope-opt\n"),
        "{told:?}"
    );
}

#[test]
fn what_is_taken_over_is_told() {
    let file = File::new(&PAIR.replace("owned-by-demo", "of_demo"));
    let toml = file.0.path().join("b.toml");
    std::fs::write(
        &toml,
        "[[primitive]]\nid = \"b\"\nagent = \"ocf:pacemaker:Dummy\"\n\
         [[primitive]]\nid = \"c\"\nagent = \"ocf:pacemaker:Dummy\"\n",
    )
    .unwrap();
    let toml = toml.to_str().unwrap();
    let line = "! takes over primitive b, which was not of me\n";
    for verb in ["diff", "apply"] {
        let told = file.hactl(&[verb, toml, "--owner", "me"]);
        assert_eq!(told.code, Some(0), "{told:?}");
        assert_eq!(told.out.matches("! ").count(), 1, "{told:?}");
        assert!(told.out.contains(line), "{told:?}");
        if verb == "diff" {
            let told = file.french(&[verb, toml, "--owner", "me"]);
            assert!(
                told.out
                    .contains("! prend primitive b, qui n'était pas à me\n"),
                "{told:?}"
            );
            let told = file.hactl(&["--json", verb, toml, "--owner", "me"]);
            assert_eq!(
                told.json()[0]["takes_over"],
                serde_json::json!([{ "kind": "primitive", "id": "b", "owner": "me" }])
            );
        }
    }
    let told = file.hactl(&["diff", toml, "--owner", "me"]);
    assert!(told.out.starts_with("nothing to change"), "{told:?}");
    let told = file.hactl(&["diff", toml, "--owner", "you"]);
    assert!(
        told.out
            .contains("! takes over primitive c, which is also of me\n"),
        "{told:?}"
    );
}

#[test]
fn what_is_forgotten_of_a_node_is_told() {
    let file = File::new(PAIR);
    let told = file.hactl(&["node", "clear", "esclave"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(
        told.out.starts_with("~ node_state esclave\n")
            && told.out.contains("    expected: member -> down\n")
            && told.out.contains("    history: ")
            && told.out.contains(" -> nothing\n"),
        "{told:?}"
    );
    assert_eq!(
        file.hactl(&["node", "clear", "esclave"]).out,
        "nothing to change: everything is so already\n"
    );
}
