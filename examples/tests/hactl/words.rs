//! What it says when it is not understood, in both languages, and that JSON is JSON.

use serde_json::Value;

use crate::run::{Ended, File, PAIR, run};

/// Says which words of an answer are English; names of things are not.
fn english_words(text: &str) -> Vec<&str> {
    let words = [
        "the", "is", "of", "there", "nothing", "would", "with", "has", "not", "was",
    ];
    text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')
        .filter(|word| words.contains(word))
        .collect()
}

#[test]
fn help_is_in_the_language_that_is_asked_for() {
    for words in [
        &["--lang", "fr", "--help"][..],
        &["--lang=fr", "help"],
        &["resource", "move", "--help", "--lang", "fr"],
        &["--lang", "fr", "node", "maintenance", "--help"],
    ] {
        let help = run(None, words, "C");
        assert_eq!(help.code, Some(0), "{help:?}");
        assert!(help.out.contains("Usage : hactl"), "{help:?}");
        assert!(help.out.contains("Ne rien changer"), "{help:?}");
        assert_eq!(english_words(&help.out), [""; 0], "{}", help.out);
    }
    let help = run(None, &["--help"], "fr_FR.UTF-8");
    assert!(help.out.contains("Commandes"), "{help:?}");
    let help = run(None, &["--help", "--lang", "en"], "fr_FR.UTF-8");
    assert!(help.out.contains("Usage: hactl"), "{help:?}");
}

#[test]
fn what_makes_no_sense_is_said_in_french() {
    for (words, said) in [
        (
            &["resource", "mov", "a", "b"][..],
            "vouliez-vous dire move ?",
        ),
        (&["--dryrun", "status"], "vouliez-vous dire --dry-run ?"),
        (&["node", "standby"], "il manque : <NODE>"),
        (
            &["--timeout", "soon", "status"],
            "une durée s'écrit 90, 90s, 5min, 1h",
        ),
        (&["maintenance", "maybe"], "les valeurs sont : on, off"),
        (&["--lang", "de", "status"], "les langues sont en et fr"),
        (
            &["resource", "get", "a", "x", "--meta", "--utilization"],
            "ne va pas avec",
        ),
    ] {
        let told = run(None, words, "fr_FR.UTF-8");
        assert_eq!((told.code, told.out.as_str()), (Some(64), ""), "{told:?}");
        assert!(told.err.contains(said), "{told:?}");
        assert_eq!(english_words(&told.err), [""; 0], "{}", told.err);
    }
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let file = File::new(PAIR);
    let is_error = |told: &Ended, kind: &str, code: i32| {
        assert_eq!((told.code, told.out.as_str()), (Some(code), ""), "{told:?}");
        let lines = told.json_errors();
        let [Value::Object(error)] = lines.as_slice() else {
            panic!("{told:?}");
        };
        let keys: Vec<&str> = error.keys().map(String::as_str).collect();
        assert_eq!(keys, ["error", "exit_code", "hint", "kind", "unfinished"]);
        assert_eq!(error["kind"], kind);
        assert_eq!(error["exit_code"], code);
    };
    is_error(&file.hactl(&["--json", "resource", "dance"]), "Usage", 64);
    is_error(&file.hactl(&["--json"]), "Usage", 64);
    is_error(
        &file.hactl(&["--json", "resource", "stop", "nobody"]),
        "NotFound",
        105,
    );
    is_error(
        &file.hactl(&["--json", "fencing", "devices"]),
        "Unsupported",
        3,
    );
    is_error(&file.hactl(&["--json", "agents", "foo"]), "NotFound", 105);
    is_error(
        &file.french(&["--json", "agents", "a:b:c:d"]),
        "NotFound",
        105,
    );
    // What would not work: each fault is a line, and so is the error.
    let wanted = file.0.path().join("wrong.toml");
    std::fs::write(
        &wanted,
        "[[location]]\nid = \"l\"\nresource = \"nobody\"\nnode = \"maitre\"\nscore = 1\n",
    )
    .unwrap();
    let told = file.hactl(&["--json", "apply", wanted.to_str().unwrap()]);
    assert_eq!((told.code, told.out.as_str()), (Some(78), ""), "{told:?}");
    let lines = told.json_errors();
    assert_eq!(lines[0]["fault"]["severity"], "error", "{told:?}");
    assert_eq!(lines.last().unwrap()["kind"], "Schema");
}

#[test]
fn errors_are_in_french() {
    let file = File::new(PAIR);
    for (words, said) in [
        (
            &["resource", "stop", "vpm"][..],
            "hactl: introuvable : arrêter vpm : changer la CIB : il n'y a pas de ressource vpm\n  à faire : vouliez-vous dire vpn ?\n",
        ),
        (
            &["node", "standby", "nobody"],
            "hactl: introuvable : mettre nobody en veille : changer la CIB : il n'y a pas de nœud nobody\n  \
             à faire : la configuration a : maitre, esclave\n",
        ),
        (
            &["option", "get", "foo"],
            "hactl: introuvable : foo n'a pas de valeur\n",
        ),
        (
            &["why", "nobody"],
            "hactl: introuvable : la grappe n'a pas de ressource « nobody »\n  \
             à faire : crm_mon -1 -r donne la liste des ressources\n",
        ),
        (
            &["apply", "/no/such/file.toml"],
            "hactl: introuvable : lire la configuration /no/such/file.toml : aucun fichier de ce nom\n",
        ),
    ] {
        assert_eq!(file.french(words).err, said);
    }
    // A plan.
    let told = file.french(&["resource", "ban", "vpn", "esclave"]);
    assert!(
        told.out
            .starts_with("+ rsc_location cli-ban-vpn-on-esclave\n    rsc : vpn\n"),
        "{told:?}"
    );
    let told = file.french(&["resource", "stop", "b"]);
    assert_eq!(told.out, "~ primitive b\n    méta target-role : Stopped\n");
    let told = file.french(&["resource", "stop", "b"]);
    assert_eq!(told.out, "rien à changer : tout est déjà ainsi\n");
}

/// Each command that answers on a file answers in JSON: one line each, and all of its output.
#[test]
fn answers_are_json_where_json_is_asked_for() {
    let file = File::new(PAIR);
    let toml = file.0.path().join("more.toml");
    std::fs::write(
        &toml,
        "[[primitive]]\nid = \"c\"\nagent = \"ocf:pacemaker:Dummy\"\n",
    )
    .unwrap();
    let toml = toml.to_str().unwrap();
    let one = |words: &[&str]| -> Value {
        let told = file.hactl(&[&["--json"], words].concat());
        assert_eq!(told.code, Some(0), "{words:?}: {told:?}");
        let mut lines = told.json();
        assert_eq!(lines.len(), 1, "{words:?}: {told:?}");
        told.json_errors();
        lines.remove(0)
    };
    let keys = |words: &[&str], keys: &[&str]| {
        let value = one(words);
        let Value::Object(object) = &value else {
            panic!("{words:?}: {value}");
        };
        for key in keys {
            assert!(object.contains_key(*key), "{words:?}: {value}");
        }
    };
    let lists = |words: &[&str], keys: &[&str]| {
        let value = one(words);
        let Value::Array(list) = &value else {
            panic!("{words:?}: {value}");
        };
        for key in keys {
            assert!(
                list.iter().all(|entry| entry.get(*key).is_some()),
                "{words:?}: {value}"
            );
        }
    };
    keys(&["status"], &["nodes", "resources"]);
    keys(
        &["why", "vpn"],
        &["resource", "active", "active_on", "reasons"],
    );
    lists(&["verify"], &["severity", "place", "path", "text", "fix"]);
    keys(&["diff", toml], &["from", "changes"]);
    assert!(one(&["export"]).is_string());
    lists(&["node", "list"], &["name", "id", "state", "dc"]);
    lists(&["resource", "list"], &["id", "role", "nodes", "managed"]);
    assert_eq!(
        one(&["resource", "locate", "vpn"]),
        serde_json::json!(["maitre"])
    );
    lists(&["resource", "failcount", "get", "vpn"], &[]);
    keys(&["node", "health", "maitre"], &["health", "attributes"]);
    lists(&["fencing", "levels"], &[]);
    lists(&["agents"], &[]);
    keys(
        &["agents", "ocf:pacemaker:Dummy"],
        &[
            "name",
            "version",
            "short_description",
            "description",
            "parameters",
            "operations",
        ],
    );
    // What changes something.
    for words in [
        &["apply", toml][..],
        &["resource", "stop", "b"],
        &["resource", "start", "b"],
        &["resource", "prefer", "vpn", "esclave"],
        &["resource", "ban", "b", "esclave", "--for", "2h"],
        &["resource", "clear", "vpn"],
        &["resource", "clear", "--expired"],
        &["resource", "promote", "st-clone"],
        &["resource", "demote", "st-clone"],
        &["resource", "unmanage", "b"],
        &["resource", "manage", "b"],
        &["resource", "maintenance", "b", "on"],
        &["resource", "set", "b", "fake", "1"],
        &["resource", "unset", "b", "fake"],
        &["resource", "failcount", "delete", "b"],
        &["resource", "rename", "c", "d"],
        &["resource", "delete", "d"],
        &["node", "standby", "esclave"],
        &["node", "online", "esclave"],
        &["node", "maintenance", "esclave", "off"],
        &["node", "set", "esclave", "colour", "red"],
        &["node", "unset", "esclave", "colour"],
        &["option", "set", "cluster-delay", "90s"],
        &["option", "unset", "cluster-delay"],
        &["default", "operation", "set", "timeout", "30s"],
        &["default", "operation", "unset", "timeout"],
        &["ticket", "grant", "t"],
        &["ticket", "standby", "t", "on"],
        &["ticket", "set", "t", "a", "b"],
        &["ticket", "unset", "t", "a"],
        &["ticket", "revoke", "t"],
        &["ticket", "forget", "t"],
        &["maintenance", "on"],
        &["maintenance", "off"],
        &["stop-all", "on"],
        &["stop-all", "off"],
    ] {
        keys(
            &[&["--dry-run"], words].concat(),
            &["would_change", "would_do"],
        );
        keys(words, &["changed"]);
    }
    for words in [
        &["option", "get", "stonith-enabled"][..],
        &["default", "resource", "get", "resource-stickiness"],
    ] {
        assert!(one(words).is_string());
    }
    keys(&["--dry-run", "resource", "cleanup"], &["would_forget"]);
}

/// What can be promoted, and only runs, is unpromoted.
#[test]
fn an_instance_that_can_be_promoted_is_unpromoted() {
    let file = File::new(PAIR);
    let told = file.hactl(&["resource", "list"]);
    assert!(
        told.out
            .contains("st:1                 unpromoted on maitre\n"),
        "{told:?}"
    );
    let told = file.hactl(&["--json", "resource", "list"]);
    assert!(told.out.contains("\"role\":\"Unpromoted\""), "{told:?}");
}

#[test]
fn near_names_of_agents_are_suggested() {
    for (what, meant) in [
        ("ocf:pacemaker:Dumy", "did you mean Dummy?"),
        ("ocf:pacemakr", "did you mean pacemaker?"),
        ("Stateful", "ocf:pacemaker:Stateful?"),
        ("foo", "this node has: "),
    ] {
        let file = File::new(PAIR);
        let told = file.hactl(&["agents", what]);
        assert_eq!(told.code, Some(105), "{told:?}");
        assert!(told.err.contains(meant), "{told:?}");
    }
}

/// Nobody reads what it prints: no panic, whatever it is.
#[test]
fn a_closed_output_is_no_panic() {
    let file = File::new(PAIR);
    let cib = file.0.path().join("cib.xml");
    for words in [
        "status",
        "completions bash",
        "--help",
        "export",
        "--json status",
    ] {
        let script = format!(
            "CIB_file={} {} {words} 2>&1 >/dev/full | cat",
            cib.display(),
            env!("CARGO_BIN_EXE_hactl")
        );
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!said.contains("panicked"), "{words}: {said}");
    }
}
