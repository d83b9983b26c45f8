//! Numbers that are none, or out of range, in the history and in the options.

use crate::installed::{Program, is_there, run};

const NUMBERS: [&str; 17] = [
    "-1",
    "abc",
    "",
    " 10",
    "+5",
    "1.5",
    "10s",
    "PT10S",
    "2147483647",
    "2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "99999999999",
    "99999999999999999999",
    "-99999999999999999999",
    "18446744073709551615",
];

/// A resource whose history and options have a place, `@name@`, for one number.
fn cib(place: &str, number: &str) -> String {
    const DEFAULTS: [(&str, &str); 12] = [
        ("call-id", "6"),
        ("rc-code", "0"),
        ("operation", "monitor"),
        ("stonith-timeout", "60s"),
        ("priority-fencing-delay", "0"),
        ("failure-timeout", "0"),
        ("op-status", "0"),
        ("target", "0"),
        ("interval", "10000"),
        ("last-rc-change", "1600000000"),
        ("exec-time", "1"),
        ("queue-time", "1"),
    ];
    let text = r#"<cib crm_feature_set="3.16.1" validate-with="none" epoch="1" num_updates="1" admin_epoch="0" have-quorum="1" dc-uuid="1">
<configuration><crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/>
<nvpair id="o2" name="stonith-timeout" value="@stonith-timeout@"/>
<nvpair id="o3" name="priority-fencing-delay" value="@priority-fencing-delay@"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="a"/></nodes><resources><primitive id="r" class="ocf" provider="pacemaker" type="Dummy">
<meta_attributes id="m"><nvpair id="m1" name="failure-timeout" value="@failure-timeout@"/></meta_attributes></primitive></resources>
<constraints/></configuration><status><node_state id="1" uname="a" in_ccm="true" crmd="online" join="member" expected="member">
<lrm id="1"><lrm_resources><lrm_resource id="r" class="ocf" provider="pacemaker" type="Dummy">
<lrm_rsc_op id="r_last_0" operation_key="r_start_0" operation="start" transition-key="1:2:0:u" transition-magic="0:0;1:2:0:u" on_node="a" call-id="5" rc-code="0" op-status="0" interval="0" last-rc-change="1600000000" exec-time="@exec-time@" queue-time="@queue-time@"/>
<lrm_rsc_op id="r_monitor_10000" operation_key="r_monitor_10000" operation="@operation@" transition-key="1:2:@target@:u" transition-magic="0:0;1:2:@target@:u" on_node="a" call-id="@call-id@" rc-code="@rc-code@" op-status="@op-status@" interval="@interval@" last-rc-change="@last-rc-change@"/>
</lrm_resource></lrm_resources></lrm></node_state></status></cib>"#;
    let text = text.replace(&format!("@{place}@"), number);
    DEFAULTS.iter().fold(text, |text, (name, value)| {
        text.replace(&format!("@{name}@"), value)
    })
}

/// Returns what differs between the programs for a CIB.
fn differences(what: &str, cib: &str) -> Vec<String> {
    let name = format!(
        "crm_mon-{}-{:?}.xml",
        std::process::id(),
        std::thread::current().id()
    );
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, cib).unwrap();
    let mut different = Vec::new();
    for line in ["-1 -r -A -f -o -t -c -R", "--output-as=xml", "-1 -n -r"] {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let theirs = run(Program::Installed, &words, "UTC", &path);
        let ours = run(Program::Ours, &words, "UTC", &path);
        if !theirs.is_like(&ours) {
            let said = theirs.first_difference(&ours);
            different.push(format!("{what} {line}: {said}"));
        }
    }
    std::fs::remove_file(&path).unwrap();
    different
}

#[test]
fn numbers_out_of_range() {
    if !is_there() {
        return;
    }
    let mut different = Vec::new();
    let places = [
        "stonith-timeout",
        "priority-fencing-delay",
        "failure-timeout",
        "op-status",
        "target",
        "interval",
        "last-rc-change",
        "exec-time",
        "queue-time",
        "call-id",
        "rc-code",
    ];
    for place in places {
        for number in NUMBERS {
            let text = cib(place, number);
            different.extend(differences(&format!("{place}={number:?}"), &text));
            if place == "failure-timeout" {
                let failed =
                    text.replace(r#"call-id="6" rc-code="0""#, r#"call-id="6" rc-code="1""#);
                assert_ne!(failed, text);
                different.extend(differences(&format!("failed, {number:?}"), &failed));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn calls_below_minus_one_and_operations_without_a_name() {
    if !is_there() {
        return;
    }
    let mut different = differences("operation=\"\"", &cib("operation", ""));
    for (call, code) in [
        ("-2", "0"),
        ("-2", "1"),
        ("-5", "7"),
        ("4", "1"),
        ("9", "7"),
    ] {
        for task in ["monitor", "stop", "promote", ""] {
            let text = cib("call-id", call).replace(
                r#"rc-code="0" op-status"#,
                &format!(r#"rc-code="{code}" op-status"#),
            );
            let text = text.replace(r#"operation="monitor""#, &format!(r#"operation="{task}""#));
            different.extend(differences(
                &format!("call-id={call} rc={code} {task:?}"),
                &text,
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn times_later_than_the_year_9999() {
    if !is_there() {
        return;
    }
    let mut different = Vec::new();
    for time in [
        "253402207200",
        "253402300799",
        "253402300800",
        "999999999999",
        "67767976233532799",
    ] {
        let text = cib("last-rc-change", time);
        different.extend(differences(time, &text));
        let failed = text.replace(r#"call-id="6" rc-code="0""#, r#"call-id="6" rc-code="1""#);
        assert_ne!(failed, text);
        different.extend(differences(&format!("failed at {time}"), &failed));
    }
    for date in [
        "9999-12-30",
        "9999-12-31",
        "9999-12-31 23:59:59",
        "9999-365",
        "10000-01-01",
    ] {
        for (operation, side) in [("gt", "start"), ("lt", "end")] {
            let rule = format!(
                r#"<meta_attributes id="m"><rule id="ru" score="1"><date_expression id="de" operation="{operation}" {side}="{date}"/></rule><nvpair id="m2" name="is-managed" value="false"/>"#
            );
            let text = cib("", "").replace(r#"<meta_attributes id="m">"#, &rule);
            assert!(text.contains(&rule));
            different.extend(differences(&format!("{operation} {date}"), &text));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// `remote-node` that names what is there already, and what is not.
#[test]
fn guests_of_any_name() {
    if !is_there() {
        return;
    }
    const MORE: &str = r#"<primitive id="s" class="ocf" provider="pacemaker" type="Dummy"/><group id="g"><primitive id="m" class="ocf" provider="pacemaker" type="Dummy"/></group><clone id="c"><primitive id="t" class="ocf" provider="pacemaker" type="Dummy"/></clone><primitive id="remote" class="ocf" provider="pacemaker" type="remote"/></resources>"#;
    let mut different = Vec::new();
    for name in [
        "r", "R", "a", "A", "s", "g", "m", "c", "t", "remote", "guest",
    ] {
        let pair =
            format!(r#"<nvpair id="m9" name="remote-node" value="{name}"/></meta_attributes>"#);
        let text = cib("", "")
            .replace("</meta_attributes>", &pair)
            .replace("</resources>", MORE);
        assert!(text.contains(&pair) && text.contains(MORE));
        different.extend(differences(&format!("remote-node={name}"), &text));
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// A clone that is to tell its instances apart, of an agent that no schema would take.
#[test]
fn clones_of_no_standard() {
    if !is_there() {
        return;
    }
    const MORE: &str = r#"<clone id="c"><meta_attributes id="c1"><nvpair id="c2" name="globally-unique" value="true"/></meta_attributes><primitive id="t" provider="pacemaker" type="Dummy"/></clone></resources>"#;
    let text = cib("", "").replace("</resources>", MORE);
    assert!(text.contains(MORE));
    let different = differences("no class", &text);
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Two nodes with one id.
#[test]
fn nodes_that_are_there_twice() {
    if !is_there() {
        return;
    }
    const MORE: &str = r#"<clone id="c"><primitive id="t" class="ocf" provider="pacemaker" type="Dummy"/></clone></resources>"#;
    const RUNS: &str = r#"<lrm_resource id="t" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op id="t_last_0" operation_key="t_start_0" operation="start" transition-key="1:2:0:u" transition-magic="0:0;1:2:0:u" on_node="a" call-id="7" rc-code="0" op-status="0" interval="0" last-rc-change="1600000000"/></lrm_resource></lrm_resources>"#;
    let text = cib("", "")
        .replace("</resources>", MORE)
        .replace("</lrm_resources>", RUNS)
        .replace(
            r#"<node id="1" uname="a"/>"#,
            r#"<node id="1" uname="a"/><node id="1" uname="a"/>"#,
        );
    let different = differences("the same node twice", &text);
    assert!(different.is_empty(), "{}", different.join("\n"));
}
