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
