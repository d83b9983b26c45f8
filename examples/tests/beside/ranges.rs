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
    const DEFAULTS: [(&str, &str); 9] = [
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
<lrm_rsc_op id="r_monitor_10000" operation_key="r_monitor_10000" operation="monitor" transition-key="1:2:@target@:u" transition-magic="0:0;1:2:@target@:u" on_node="a" call-id="6" rc-code="0" op-status="@op-status@" interval="@interval@" last-rc-change="@last-rc-change@"/>
</lrm_resource></lrm_resources></lrm></node_state></status></cib>"#;
    let text = text.replace(&format!("@{place}@"), number);
    DEFAULTS.iter().fold(text, |text, (name, value)| {
        text.replace(&format!("@{name}@"), value)
    })
}

#[test]
fn numbers_out_of_range() {
    if !is_there() {
        return;
    }
    let path = std::env::temp_dir().join(format!("crm_mon-ranges-{}.xml", std::process::id()));
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
    ];
    for place in places {
        for number in NUMBERS {
            std::fs::write(&path, cib(place, number)).unwrap();
            for line in ["-1 -r -A -f -o -t -c -R", "--output-as=xml"] {
                let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
                let theirs = run(Program::Installed, &words, "UTC", &path);
                let ours = run(Program::Ours, &words, "UTC", &path);
                if !theirs.is_like(&ours) {
                    let said = theirs.first_difference(&ours);
                    different.push(format!("{place}={number:?} {line}: {said}"));
                }
            }
        }
    }
    std::fs::remove_file(&path).unwrap();
    assert!(different.is_empty(), "{}", different.join("\n"));
}
