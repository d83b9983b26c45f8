//! Configurations that are read, printed and read again, with nothing lost on the way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ha_core::config::{
    AttributeSet, Config, Constraint, Expression, FencingLevel, Location, NodeConfig, Operation,
    OrderKind, Primitive, Resource, Role, Secret,
};
use ha_core::xml::{Document, Element, NodeId};

const EVERYTHING: &str = include_str!("data/schema/everything.xml");

/// The CIBs of this tree, and those of the folder `HA_CONFORMANCE`.
fn cibs() -> Vec<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut folders = vec![data.join("status"), data.join("schema")];
    let given = std::env::var_os("HA_CONFORMANCE");
    folders.extend(given.map(|given| Path::new(&given).join("inputs")));
    let mut files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder of CIBs"))
        .map(|entry| entry.expect("readable").path())
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".xml") && !name.ends_with(".out.xml")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    files
}

fn configuration(cib: &Document) -> Element<'_> {
    cib.root().child("configuration").expect("a configuration")
}

/// Spells what has several spellings as it is printed; tells whether anything had another one.
fn normalise(cib: &mut Document) -> bool {
    const BOOLEANS: [&str; 7] = [
        "enabled",
        "record-pending",
        "sequential",
        "require-all",
        "symmetrical",
        "influence",
        "add-host",
    ];
    /// These say nothing when they are empty.
    const CONTAINERS: [&str; 8] = [
        "operations",
        "storage",
        "fencing-topology",
        "acls",
        "tags",
        "alerts",
        "op_defaults",
        "rsc_defaults",
    ];
    let mut spelled: Vec<(NodeId, &str, &str)> = Vec::new();
    let mut empty = Vec::new();
    for element in configuration(cib).descendants() {
        if CONTAINERS.contains(&element.name())
            && element.attributes().len() == 0
            && element.children().next().is_none()
        {
            empty.push(element.id());
        }
        for name in BOOLEANS {
            match element.attribute(name) {
                Some("1" | "yes" | "on" | "True" | "TRUE") => {
                    spelled.push((element.id(), name, "true"));
                }
                Some("0" | "no" | "off" | "False" | "FALSE") => {
                    spelled.push((element.id(), name, "false"));
                }
                _ => {}
            }
        }
        match element.attribute("score") {
            Some("+INFINITY" | "1000000") => spelled.push((element.id(), "score", "INFINITY")),
            Some("-1000000") => spelled.push((element.id(), "score", "-INFINITY")),
            _ => {}
        }
    }
    let spelled: Vec<_> = spelled
        .into_iter()
        .map(|(at, name, value)| (at, name.to_owned(), value.to_owned()))
        .collect();
    for (at, name, value) in &spelled {
        cib.set_attribute(*at, name, value);
    }
    for &at in &empty {
        cib.remove(at);
    }
    !spelled.is_empty() || !empty.is_empty()
}

#[test]
fn what_is_printed_says_what_was_read() {
    let mut untouched = 0;
    let files = cibs();
    for path in &files {
        let at = path.display();
        let mut cib = Document::parse_bytes(&std::fs::read(path).expect("readable"))
            .unwrap_or_else(|e| panic!("{at}: {e:#}"));
        let config = Config::read(&cib).unwrap_or_else(|e| panic!("{at}: {e:#}"));
        let printed = config
            .to_document()
            .unwrap_or_else(|e| panic!("{at}: {e:#}"));
        let again = Config::read(&printed).unwrap_or_else(|e| panic!("{at}: {e:#}"));
        assert_eq!(again, config, "{at}");
        untouched += usize::from(!normalise(&mut cib));
        assert!(
            configuration(&printed) == configuration(&cib),
            "{at}\n--- read\n{}\n--- printed\n{}",
            configuration(&cib).to_xml(),
            configuration(&printed).to_xml()
        );
    }
    assert!(
        untouched * 2 > files.len(),
        "{untouched} of {}",
        files.len()
    );
}

#[test]
fn everything_is_understood() {
    let cib = Document::parse(EVERYTHING).expect("well-formed");
    let config = Config::read(&cib).expect("readable");
    assert_eq!(config.unreadable(), []);
    // The types hold it, not what they keep besides.
    let json = serde_json::to_string(&config).expect("serializable");
    assert!(!json.contains("\"other\""), "{json}");
    assert_eq!(config.resources.len(), 7);
    assert!(matches!(&config.resources[6], Resource::Bundle(bundle) if bundle.id == "b"));
    let ids: Vec<&str> = config.primitives().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["ip", "fence", "g1", "g2", "c1", "cgg1", "b1"]);
}

#[test]
fn what_cannot_be_read_is_told_and_kept() {
    let cib = Document::parse(
        r#"<cib validate-with="pacemaker-3.9"><configuration><resources>
        <primitive id="a" class="ocf" provider="p" type="t"><operations>
            <op id="a-m" name="monitor" interval="10s" timeout="soon"/>
        </operations></primitive>
        <primitive id="1st" class="lsb" type="x"/>
        </resources><constraints>
        <rsc_order id="o" first="a" then="a" kind="foo" newer="7"/>
        </constraints></configuration></cib>"#,
    )
    .expect("well-formed");
    let mut config = Config::read(&cib).expect("readable");
    let told: Vec<String> = config
        .unreadable()
        .iter()
        .map(ToString::to_string)
        .collect();
    let resources = "/cib/configuration/resources";
    assert_eq!(
        told,
        [
            format!(
                "{resources}/primitive[@id=\"a\"]/operations/op[@id=\"a-m\"]: timeout=\"soon\""
            ),
            format!("{resources}/primitive[@id=\"1st\"]: id=\"1st\""),
            "/cib/configuration/constraints/rsc_order[@id=\"o\"]: kind=\"foo\"".to_owned(),
        ]
    );
    let error = ha_core::Error::from(config.unreadable()[2].clone());
    assert_eq!(error.kind(), ha_core::ErrorKind::Invalid);
    assert_eq!(
        error.hint(),
        Some("one of these: Optional Mandatory Serialize")
    );

    let printed = config.to_document().expect("printable");
    assert_eq!(
        configuration(&printed).child("resources"),
        configuration(&cib).child("resources")
    );
    assert_eq!(
        configuration(&printed).child("constraints"),
        configuration(&cib).child("constraints")
    );
    assert_eq!(
        printed.root().attribute("validate-with"),
        Some("pacemaker-3.9")
    );

    // A value that is set now takes the place of one that was not understood.
    let Constraint::Order(order) = &mut config.constraints[0] else {
        panic!("{:?}", config.constraints);
    };
    order.kind = Some(OrderKind::Serialize);
    let printed = config.to_document().expect("printable").to_xml();
    assert!(
        printed.contains("kind=\"Serialize\" newer=\"7\""),
        "{printed}"
    );
}

#[test]
fn what_is_added_leaves_the_others_in_their_places() {
    let resources = |config: &Config| {
        let cib = config.to_document().expect("printable");
        let resources = configuration(&cib).child("resources").expect("there");
        resources.to_xml_compact()
    };
    let text = "<resources><!--addresses--><primitive id=\"a\" class=\"lsb\" type=\"a\"/>\
        <newer id=\"n\"/><!--services-->\
        <primitive id=\"b\" class=\"lsb\" type=\"b\"><operations><op id=\"m\" name=\"m\" \
        interval=\"0\"/></operations><!--of b--><meta_attributes id=\"b-m\"/></primitive>\
        <!--end--></resources>";
    let cib = format!("<cib><configuration>{text}</configuration></cib>");
    let config = Config::read(&Document::parse(&cib).expect("well-formed")).expect("readable");
    assert_eq!(resources(&config), text);

    let mut changed = config.clone().primitive(Primitive::lsb("c", "c"));
    changed.resources.swap(0, 1);
    let Resource::Primitive(b) = &mut changed.resources[0] else {
        panic!("{changed:?}");
    };
    *b = b.clone().parameter("x", 1);
    assert_eq!(
        resources(&changed),
        "<resources><!--addresses--><primitive id=\"b\" class=\"lsb\" type=\"b\"><operations>\
         <op id=\"m\" name=\"m\" interval=\"0\"/></operations><!--of b-->\
         <meta_attributes id=\"b-m\"/><instance_attributes id=\"b-instance_attributes\">\
         <nvpair id=\"b-instance_attributes-x\" name=\"x\" value=\"1\"/></instance_attributes>\
         </primitive><newer id=\"n\"/><!--services-->\
         <primitive id=\"a\" class=\"lsb\" type=\"a\"/>\
         <primitive id=\"c\" class=\"lsb\" type=\"c\"/><!--end--></resources>"
    );
}

#[test]
fn parts_are_named_after_their_object() {
    let s = Duration::from_secs;
    let config = Config::new()
        .option("stonith-enabled", false)
        .resource_default("resource-stickiness", 100)
        .node(
            NodeConfig::new("maitre")
                .number(1)
                .attribute("site", "dijon"),
        )
        .primitive(
            Primitive::ocf("heartbeat", "IPaddr2", "VIP")
                .parameter("ip", "10.0.0.1")
                .parameters(
                    AttributeSet::new()
                        .with("ip", "10.0.0.2")
                        .when(Expression::is("#uname", "maitre").and(Expression::defined("x"))),
                )
                .meta("a b:c", 1)
                .monitor(s(10), s(20))
                .operation(Operation::new("monitor", s(10)).role(Role::Promoted))
                .stop_timeout(s(60)),
        )
        .location(Location::rule(
            "where",
            "VIP",
            -1,
            Expression::not_defined("pingd"),
        ))
        .fencing_level(FencingLevel::node("maitre", 1, ["ipmi"]));
    let cib = config.to_document().expect("printable");
    let ids: Vec<&str> = configuration(&cib)
        .descendants()
        .filter_map(|element| element.attribute("id"))
        .collect();
    assert_eq!(
        ids,
        [
            "cib-bootstrap-options",
            "cib-bootstrap-options-stonith-enabled",
            "1",
            "nodes-1-instance_attributes",
            "nodes-1-instance_attributes-site",
            "VIP",
            "VIP-meta_attributes",
            "VIP-meta_attributes-a_b_c",
            "VIP-instance_attributes",
            "VIP-instance_attributes-ip",
            "VIP-instance_attributes-1",
            "VIP-instance_attributes-1-rule",
            "VIP-instance_attributes-1-rule-expression",
            "VIP-instance_attributes-1-rule-expression-1",
            "VIP-instance_attributes-1-ip",
            "VIP-monitor-10s",
            "VIP-monitor-10s-1",
            "VIP-stop-0s",
            "where",
            "where-rule",
            "where-rule-expression",
            "fl-maitre-1",
            "rsc-options",
            "rsc-options-resource-stickiness",
        ]
    );
}

#[test]
fn secrets_are_in_the_xml_alone() {
    let mut fence = Primitive::stonith("fence_ipmilan", "ipmi")
        .parameter("login", "admin")
        .parameter("passwd", "sésame")
        .parameter("cipher", Secret::new("sésame too"));
    fence.rest.set_attribute("secret", "sésame again");
    let config = Config::new().primitive(fence);
    let cib = config.to_document().expect("printable");
    let read = Config::read(&cib).expect("readable");
    assert_eq!(cib.to_xml().matches("sésame").count(), 3);
    assert_eq!(read, config);
    let json = serde_json::to_string(&config).expect("serializable");
    for shown in [format!("{config:?}"), format!("{config:#?}"), json] {
        assert!(!shown.contains("sésame"), "{shown}");
        assert!(
            shown.contains("admin") && shown.contains("(hidden)"),
            "{shown}"
        );
    }
    // Of what is read, names tell; only who built it knows that the cipher is a secret too.
    let Resource::Primitive(read) = &read.resources[0] else {
        panic!("{read:?}");
    };
    assert_eq!(read.get("passwd"), Some("sésame"));
    let shown = format!("{read:?}");
    assert!(
        !shown.replace("sésame too", "").contains("sésame"),
        "{shown}"
    );
}

#[test]
fn what_a_builder_cannot_take_is_told_when_printing() {
    let config = Config::new()
        .primitive(Primitive::systemd("arv", "two words"))
        .location(Location::prefer("where", "arv", "le maître", 1));
    let error = config.to_document().expect_err("two mistakes");
    let text = error.to_string();
    assert!(text.contains("Id \"two words\" has a character"), "{text}");
    assert!(
        text.contains("rsc_location[@id=\"where\"]: NodeName \"le maître\" has a blank"),
        "{text}"
    );
}

#[test]
fn a_document_without_a_configuration_is_refused() {
    let status = Document::parse("<status/>").expect("well-formed");
    let error = Config::read(&status).expect_err("no configuration");
    assert_eq!(error.to_string(), "<status> holds no <configuration>");
    assert!(error.hint().is_some());
}

#[test]
fn rules_nested_without_end_are_kept_as_they_are() {
    let mut text = String::from("<cib><configuration><crm_config><cluster_property_set id=\"s\">");
    for n in 0..5000 {
        text.push_str(&format!("<rule id=\"r{n}\">"));
    }
    text.push_str(&"</rule>".repeat(5000));
    text.push_str("</cluster_property_set></crm_config></configuration></cib>");
    let cib = Document::parse(&text).expect("well-formed");
    let config = Config::read(&cib).expect("readable");
    assert_eq!(config.unreadable().len(), 1);
    assert!(config.unreadable()[0].problem().contains("too deep"));
    let printed = config.to_document().expect("printable");
    assert_eq!(
        configuration(&printed).child("crm_config"),
        configuration(&cib).child("crm_config")
    );
}

/// Each can be written as a file: that it is taken back without a change is tried by the function itself.
#[cfg(feature = "toml")]
#[test]
fn all_can_be_files() {
    let mut written = 0;
    for path in cibs() {
        let cib = Document::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        match ha_core::change::to_toml(&cib) {
            Ok(_) => written += 1,
            // Nobody can write down what makes no sense.
            Err(e) => {
                let senseless = !Config::read(&cib).unwrap().unreadable().is_empty();
                assert!(senseless, "{}: {e:#}", path.display());
            }
        }
    }
    assert!(written >= 4, "{written}");
}
