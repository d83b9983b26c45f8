//! `crm_mon --is`, `--why` and `--findings`, run as a person would.

use std::fs;
use std::path::Path;
use std::process::{Command, Output as Ended};

use ha_core::view::json::Output;
use serde_json::Value;

const CIB: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../ha-core/tests/data/status/failures.xml"
);

fn crm_mon(arguments: &[&str], locale: &str) -> Ended {
    crm_mon_of(Path::new(CIB), arguments, locale)
}

fn crm_mon_of(cib: &Path, arguments: &[&str], locale: &str) -> Ended {
    Command::new(env!("CARGO_BIN_EXE_crm_mon"))
        .args(arguments)
        .env("CIB_file", cib)
        .env_remove("CIB_shadow")
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
fn answers_and_errors_in_french() {
    let french = [
        (
            &["--is", "a started on maitre", "-V"][..],
            0,
            "oui : a est démarrée sur maitre\n",
        ),
        (&["--is", "e started"], 1, "non : e est arrêtée\n"),
        (&["--is", "cluster is clean"], 1, "non : "),
        (
            &["--is", "maitre is standby"],
            1,
            "non : le nœud maitre n'est pas en veille\n",
        ),
        (
            &["--is", "nothing started"],
            105,
            "crm_mon: la grappe n'a pas de ressource « nothing »\n  à faire : crm_mon -1 -r donne",
        ),
        (
            &["--is", "a runs"],
            65,
            "crm_mon: la question « a runs » : « runs » n'est pas un état\n  à faire : demander",
        ),
        (
            &["--is", "cluster is started"],
            65,
            "crm_mon: la question « cluster is started » : on ne peut demander d'une grappe si elle est",
        ),
        (
            &["--why", "nothing"],
            105,
            "crm_mon: la grappe n'a pas de ressource « nothing »",
        ),
        (&["--now", "never"], 64, "crm_mon: --now never : donner"),
        (
            &["--why", "a", "--findings"],
            64,
            "crm_mon: une seule de --why, --is et --findings",
        ),
    ];
    for (words, code, start) in french {
        let by_option = said(&[words, &["--lang", "fr"]].concat(), "C");
        let by_locale = said(words, "fr_FR.UTF-8");
        assert_eq!(by_option, by_locale, "{words:?}");
        let (ended, text) = by_option;
        assert_eq!(ended, Some(code), "{words:?}: {text}");
        assert!(text.starts_with(start), "{words:?}: {text}");
    }
    let (_, text) = said(&["--is", "a started", "--lang", "de"], "fr_FR.UTF-8");
    assert!(
        text.contains("--lang: « de » n'est ni « en » ni « fr »"),
        "{text}"
    );
    let (_, text) = said(&["--findings", "--output-as=xml"], "fr_FR.UTF-8");
    assert!(text.contains("les questions ont leur r"), "{text}");
}

/// What Pacemaker's `crm_mon` says stays as it says it.
#[test]
fn what_pacemaker_says_stays_in_english() {
    for words in [
        &["-1"][..],
        &["-1", "--include=unheard-of"],
        &["-m", "4"],
        &["--bogus"],
        &["-i", "2d"],
        &["--output-as=unheard-of"],
    ] {
        let in_french = [words, &["--lang=fr"]].concat();
        let (english, french) = (said(words, "C"), said(&in_french, "fr_FR.UTF-8"));
        let without_time = |(code, text): (Option<i32>, String)| {
            let lines = text.lines().filter(|line| !line.contains("Last updated"));
            (code, lines.map(str::to_owned).collect::<Vec<String>>())
        };
        assert_eq!(without_time(english), without_time(french), "{words:?}");
    }
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
fn why_of_a_resource_that_runs_is_one_line_and_what_is_exceptional() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("why");
    fs::create_dir_all(&folder).expect("a folder");
    let cib = folder.join("cib.xml");
    let put = |constraints: &str, standby: &str| {
        let text = format!(
            r#"<cib crm_feature_set="3.16.1" validate-with="none" epoch="1" num_updates="0" admin_epoch="0"
            have-quorum="1" dc-uuid="1"><configuration><crm_config><cluster_property_set id="o"><nvpair
            id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config><nodes><node
            id="1" uname="maitre"/><node id="2" uname="esclave">{standby}</node></nodes><resources>
            <primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/>
            <primitive id="off" class="ocf" provider="heartbeat" type="IPaddr2"><meta_attributes id="m">
            <nvpair id="m1" name="target-role" value="Stopped"/></meta_attributes></primitive></resources>
            <constraints>{constraints}</constraints><tags><tag id="both"><obj_ref id="vip"/><obj_ref
            id="off"/><obj_ref id="l"/></tag><tag id="none"><obj_ref id="l"/></tag></tags></configuration>
            <status><node_state id="1" uname="maitre" in_ccm="true" crmd="online" join="member"
            expected="member"><lrm id="1"><lrm_resources><lrm_resource id="vip" class="ocf"
            provider="heartbeat" type="IPaddr2"><lrm_rsc_op id="vip_last_0" operation_key="vip_start_0"
            operation="start" call-id="3" rc-code="0" op-status="0" interval="0" transition-key="1:1:0:u"
            transition-magic="0:0;1:1:0:u"/></lrm_resource></lrm_resources></lrm></node_state><node_state
            id="2" uname="esclave" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>"#
        );
        fs::write(&cib, text).expect("a file");
    };
    let asked = |words: &[&str]| {
        let output = crm_mon_of(&cib, words, "C");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text)
    };
    let line = "vip is active on maitre.\n";
    let avoids = r#"<rsc_location id="l" rsc="vip" node="esclave" score="-10"/>"#;
    for ordinary in ["", avoids] {
        put(ordinary, "");
        assert_eq!(asked(&["--why", "vip"]), (Some(0), line.to_owned()));
        let (_, all) = asked(&["--why", "vip", "-V"]);
        assert!(all.starts_with(&format!("{line}1. on esclave: ")), "{all}");
    }
    let banned = r#"<rsc_location id="l" rsc="vip" node="esclave" score="-INFINITY"/>"#;
    let standby = r#"<instance_attributes id="n"><nvpair id="n1" name="standby" value="on"/></instance_attributes>"#;
    for (constraints, standby) in [(banned, ""), ("", standby)] {
        put(constraints, standby);
        let (_, all) = asked(&["--why", "vip"]);
        assert!(all.starts_with(&format!("{line}1. on esclave: ")), "{all}");
    }

    // A tag has an answer for each of its resources.
    put(avoids, "");
    let (code, text) = asked(&["--why", "both"]);
    assert_eq!(code, Some(0));
    let rest = text.strip_prefix(line);
    let rest = rest.and_then(|rest| rest.strip_prefix("off is not active.\n1. "));
    assert!(rest.is_some(), "{text}");
    let (_, text) = asked(&["--why", "both", "--output-as=json"]);
    let read: Output = serde_json::from_str(&text).expect("as the types say");
    let explained = read.explanations.expect("explanations");
    let told: Vec<_> = explained
        .iter()
        .map(|why| (why.resource.as_str(), why.active))
        .collect();
    assert_eq!(told, [("vip", true), ("off", false)]);
    // JSON leaves nothing out.
    assert_eq!(explained[0].reasons[0].node.as_deref(), Some("esclave"));
    for name in ["none", "unheard-of"] {
        assert_eq!(asked(&["--why", name]).0, Some(105));
    }
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

#[test]
fn no_cib_is_no_answer() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("questions");
    fs::create_dir_all(&folder).expect("a folder");
    let text = fs::read_to_string(CIB).expect("the CIB");
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file");
        path
    };
    let unheard_of = text.replacen("<resources>", "<resources><unheard-of/>", 1);
    assert_ne!(unheard_of, text);
    let questions: [&[&str]; 3] = [&["--is", "a started"], &["--why", "a"], &["--findings"]];
    for (cib, code) in [
        (folder.join("missing.xml"), 66),
        (folder.clone(), 66),
        (file("empty.xml", ""), 65),
        (file("truncated.xml", &text[..text.len() / 2]), 65),
        (file("other.xml", "<other/>"), 65),
        (file("invalid.xml", &unheard_of), 78),
    ] {
        for words in questions {
            let what = format!("{words:?} of {}", cib.display());
            let output = crm_mon_of(&cib, words, "C");
            assert_eq!(output.status.code(), Some(code), "{what}");
            assert!(output.stdout.is_empty(), "{what}");
            let said = String::from_utf8_lossy(&output.stderr);
            let named = said.contains(&format!("{}: ", cib.display()));
            assert!(
                named && said.contains("Could not connect to the CIB"),
                "{what}: {said}"
            );

            // Its own words and ours.
            let output = crm_mon_of(&cib, words, "fr_FR.UTF-8");
            let french = String::from_utf8_lossy(&output.stderr);
            assert!(french.contains("Could not connect to the CIB"), "{french}");
            let ours = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
            assert_ne!(ours(&french), ours(&said), "{what}");

            let output = crm_mon_of(&cib, &[words, &["--output-as=json"]].concat(), "C");
            assert_eq!(output.status.code(), Some(code), "{what}");
            let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_eq!(json["status"]["code"], code, "{what}: {json}");
            assert_ne!(json["status"]["message"], "OK", "{what}");
        }
        // Without a question it is as with Pacemaker's.
        assert_eq!(crm_mon_of(&cib, &["-1"], "C").status.code(), Some(0));
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_neither_yes_nor_no() {
    for words in [["--is", "a started"], ["--why", "a"], ["--findings", "-V"]] {
        let words = [&words[..], &["--output-to=/dev/full"]].concat();
        assert_eq!(said(&words, "C").0, Some(74), "{words:?}");
    }
}

#[test]
fn one_question_at_a_time() {
    for words in [
        &["--why", "a", "--findings"][..],
        &["--is", "a started", "--why", "a"],
        &["--is", "a started", "--is", "d started"],
    ] {
        let (code, text) = said(words, "C");
        assert_eq!(code, Some(64), "{words:?}");
        assert!(
            text.contains("only one of --why, --is and --findings"),
            "{text}"
        );
    }
}

/// The answer as JSON, by the types that describe it.
fn json(arguments: &[&str]) -> Output {
    let output = crm_mon(
        &[arguments, &["--output-as=json", "--lang=fr"]].concat(),
        "C",
    );
    let read: Output = serde_json::from_slice(&output.stdout).expect("as the types say");
    assert_eq!(output.status.code(), Some(read.status.code.into()));
    let value: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(serde_json::to_value(&read).expect("JSON"), value);
    read
}

#[test]
fn answers_are_json_too() {
    let yes = json(&["--is", "a started"]);
    assert_eq!((yes.status.code, yes.status.message.as_str()), (0, "OK"));
    assert!(yes.answer.expect("an answer").yes);
    let no = json(&["--is", "e started"]);
    assert_eq!(
        (no.status.code, no.status.message.as_str()),
        (1, "The answer is no")
    );
    let no = no.answer.expect("an answer");
    assert!(!no.yes && no.because.starts_with("e "), "{no:?}");

    let why = json(&["--why", "a"]);
    assert_eq!(why.status.code, 0);
    let why = why.explanation.expect("an explanation");
    assert_eq!(
        (why.active, why.active_on),
        (true, vec!["maitre".to_owned()])
    );
    let reason = &why.reasons[0];
    assert_eq!(reason.node.as_deref(), Some("esclave"));
    assert!(!reason.cause.is_empty());
    assert!(reason.text.starts_with("sur esclave : "), "{reason:?}");

    let output = json(&["--findings"]);
    assert_eq!(output.status.code, 1);
    let found = output.findings.expect("findings");
    assert_eq!(
        (found[0].finding.as_str(), found[0].severity.as_str()),
        ("blocked", "error")
    );
    assert!(
        found[0].text.starts_with("la grappe a abandonné d"),
        "{:?}",
        found[0]
    );
    assert!(output.nodes.is_none() && output.answer.is_none());

    let unknown = json(&["--why", "nothing"]);
    assert_eq!(unknown.status.code, 105);
    assert!(unknown.explanation.is_none() && !unknown.status.errors.is_empty());
    for format in ["xml", "html"] {
        let words = ["--findings", &format!("--output-as={format}")];
        assert_eq!(crm_mon(&words, "C").status.code(), Some(64));
    }
}
