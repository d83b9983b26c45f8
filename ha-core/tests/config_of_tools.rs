//! Configurations written by crmsh (4.4.1) and by pcs (0.11.5), as they leave them in the CIB: read as types, printed
//! and applied again, they change nothing.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ha_core::change::{Plan, merge};
use ha_core::config::Config;
use ha_core::name::Id;
use ha_core::xml::Document;

const BY: [(&str, &str); 2] = [
    ("crmsh", include_str!("data/config/by_crmsh.xml")),
    ("pcs", include_str!("data/config/by_pcs.xml")),
];

/// Plans to bring a CIB to what has been read of it.
fn again(cib: &Document, config: &Config, owner: Option<&Id>) -> Plan {
    let desired = config.to_document().unwrap();
    Plan::new(cib.clone(), |cib| merge(cib, &desired, owner)).unwrap()
}

#[test]
fn applied_again_they_change_nothing() {
    for (tool, text) in BY {
        let cib = Document::parse(text).unwrap();
        let config = Config::read(&cib).unwrap();
        assert_eq!(config.unreadable(), [], "{tool}");
        let plan = again(&cib, &config, None);
        assert!(plan.is_empty(), "{tool}:\n{plan}");
        assert!(plan.patch().is_none(), "{tool}");
        assert_eq!(plan.after().to_xml(), cib.to_xml(), "{tool}");
        // What is printed is the same configuration, read again.
        let printed = Config::read(&config.to_document().unwrap()).unwrap();
        assert_eq!(printed, config, "{tool}");
    }
}

/// That nothing changes is not because nothing was read.
#[test]
fn what_they_say_is_read() {
    for (tool, text) in BY {
        let cib = Document::parse(text).unwrap();
        let other = text
            .replace("172.30.101.23", "172.30.101.24")
            .replace("value=\"100\"", "value=\"200\"");
        let config = Config::read(&Document::parse(&other).unwrap()).unwrap();
        let plan = again(&cib, &config, None).to_string();
        for line in [
            "~ primitive VIP_interne\n    parameter ip: 172.30.101.23 -> 172.30.101.24\n",
            "~ primitive gw_pingd\n    parameter multiplier: 100 -> 200\n",
            "resource-stickiness: 100 -> 200\n",
        ] {
            assert!(plan.contains(line), "{tool}: {line}\n{plan}");
        }
        assert_eq!(plan.matches("->").count(), 3, "{tool}:\n{plan}");
    }
}

/// As a file, they are taken back without a change, and a change of the file is a change.
#[cfg(feature = "toml")]
#[test]
fn as_files_they_change_nothing() {
    for (tool, text) in BY {
        let cib = Document::parse(text).unwrap();
        let file = ha_core::change::to_toml(&cib).unwrap();
        println!("{file}");
        let plan = again(&cib, &Config::from_toml(&file).unwrap(), None);
        assert!(plan.is_empty(), "{tool}:\n{plan}");
        assert!(!file.contains("[[raw]]"), "{tool}:\n{file}");
        let other = file.replace("172.30.101.23", "172.30.101.24");
        let plan = again(&cib, &Config::from_toml(&other).unwrap(), None).to_string();
        assert_eq!(
            plan,
            "~ primitive VIP_interne\n    parameter ip: 172.30.101.23 -> 172.30.101.24\n"
        );
    }
}

/// What the layout has no words for goes as XML.
#[cfg(feature = "toml")]
#[test]
fn what_has_no_words_is_xml() {
    let text = "<cib validate-with='pacemaker-3.9'><configuration><crm_config>\
        <cluster_property_set id='o'><nvpair id='o-1' name='dc-version' value='2.1'/>\
        <nvpair id='o-2' name='cluster-name' value='a \"b\"&#10;c'/></cluster_property_set></crm_config>\
        <nodes><node id='1' uname='maitre'/></nodes><resources>\
        <primitive id='timed' class='ocf' provider='x' type='Y'><instance_attributes id='t'>\
        <rule id='t-r' score='0'><expression id='t-e' attribute='#uname' operation='eq' value='maitre'/></rule>\
        <nvpair id='t-1' name='ip' value='1'/></instance_attributes></primitive>\
        <primitive id='strange' class='ocf' provider='x' type='Y' colour='red'/>\
        <primitive id='usual' class='ocf' provider='x' type='Y'/></resources>\
        <constraints><rsc_order id='kinds' first='usual' then='strange' score='7'/></constraints>\
        </configuration><status/></cib>";
    let cib = Document::parse(text).unwrap();
    let file = ha_core::change::to_toml(&cib).unwrap();
    assert_eq!(file.matches("[[raw]]").count(), 3, "{file}");
    assert!(file.contains("[[primitive]]\nid = \"usual\"\n"), "{file}");
    assert!(
        file.contains("cluster-name = \"a \\\"b\\\"\\nc\""),
        "{file}"
    );
    assert!(
        !file.contains("dc-version") && !file.contains("maitre\"\n[["),
        "{file}"
    );
    let plan = again(&cib, &Config::from_toml(&file).unwrap(), None);
    assert!(plan.is_empty(), "{plan}");
}
