//! Configurations made at random: as XML with anything anywhere, and with the builders.

mod cases;

use std::time::Duration;

use cases::cases;
use ha_core::config::{
    Action, Alert, AttributeSet, Bundle, CloneSet, Colocation, Config, Expression, FencingLevel,
    Group, Interval, Location, LossPolicy, NodeConfig, OnFail, Operation, Order, OrderKind,
    Primitive, ResourceSet, Role, Tag, Template, TicketConstraint,
};
use ha_core::value::Score;
use ha_core::xml::{Document, NodeId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

const SECTIONS: [&str; 12] = [
    "crm_config",
    "nodes",
    "resources",
    "constraints",
    "fencing-topology",
    "acls",
    "tags",
    "alerts",
    "op_defaults",
    "rsc_defaults",
    "resources",
    "newer",
];

const TAGS: [&str; 40] = [
    "primitive",
    "template",
    "group",
    "clone",
    "master",
    "bundle",
    "docker",
    "podman",
    "network",
    "storage",
    "port-mapping",
    "storage-mapping",
    "instance_attributes",
    "meta_attributes",
    "utilization",
    "cluster_property_set",
    "nvpair",
    "operations",
    "op",
    "rule",
    "expression",
    "date_expression",
    "date_spec",
    "duration",
    "rsc_expression",
    "op_expression",
    "rsc_location",
    "rsc_colocation",
    "rsc_order",
    "rsc_ticket",
    "resource_set",
    "resource_ref",
    "tag",
    "obj_ref",
    "alert",
    "recipient",
    "select",
    "fencing-level",
    "acl_role",
    "newer",
];

const ATTRIBUTES: [&str; 30] = [
    "id",
    "id-ref",
    "name",
    "value",
    "class",
    "provider",
    "type",
    "template",
    "interval",
    "timeout",
    "role",
    "on-fail",
    "enabled",
    "score",
    "node",
    "rsc",
    "first",
    "then",
    "kind",
    "symmetrical",
    "ticket",
    "loss-policy",
    "operation",
    "attribute",
    "boolean-op",
    "image",
    "replicas",
    "index",
    "devices",
    "newer",
];

const VALUES: [&str; 22] = [
    "a",
    "b-1",
    "c.d",
    "1x",
    "two words",
    "",
    "ocf",
    "10",
    "10s",
    "true",
    "maybe",
    "INFINITY",
    "-7",
    "eq",
    "date_spec",
    "and",
    "Started",
    "Mandatory",
    "stop",
    "é<&\">'",
    "a,b",
    "99999999999999999999",
];

/// An element, a text or a comment.
#[derive(Debug, Clone)]
enum Node {
    Element(&'static str, Vec<(&'static str, &'static str)>, Vec<Node>),
    Text(&'static str),
    Comment,
}

fn node() -> impl Strategy<Value = Node> {
    let attributes = || vec((select(&ATTRIBUTES[..]), select(&VALUES[..])), 0..5);
    let leaf = prop_oneof![
        8 => (select(&TAGS[..]), attributes())
            .prop_map(|(tag, attributes)| Node::Element(tag, attributes, Vec::new())),
        1 => select(&["text", "a < b"][..]).prop_map(Node::Text),
        1 => Just(Node::Comment),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        (select(&TAGS[..]), attributes(), vec(inner, 0..5))
            .prop_map(|(tag, attributes, inside)| Node::Element(tag, attributes, inside))
    })
}

fn xml(node: &Node, count: &mut usize, out: &mut String) {
    let escaped = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
    };
    match node {
        Node::Text(text) => out.push_str(&escaped(text)),
        Node::Comment => out.push_str("<!-- as it was -->"),
        Node::Element(tag, attributes, inside) => {
            out.push_str(&format!("<{tag}"));
            let mut seen = Vec::new();
            for (name, value) in attributes {
                if !seen.contains(name) {
                    seen.push(name);
                    out.push_str(&format!(" {name}=\"{}\"", escaped(value)));
                }
            }
            // A part that has no id would get one.
            if !seen.contains(&"id") {
                *count += 1;
                out.push_str(&format!(" id=\"n{count}\""));
            }
            out.push('>');
            for node in inside {
                xml(node, count, out);
            }
            out.push_str(&format!("</{tag}>"));
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn whatever_is_in_a_configuration_is_printed_as_it_was(
        sections in vec((select(&SECTIONS[..]), vec(node(), 1..6)), 0..8)
    ) {
        let mut text = String::from("<cib><configuration>");
        let mut count = 0;
        for (section, inside) in &sections {
            text.push_str(&format!("<{section}>"));
            for node in inside {
                xml(node, &mut count, &mut text);
            }
            text.push_str(&format!("</{section}>"));
        }
        text.push_str("</configuration></cib>");
        let mut cib = Document::parse(&text).expect("well-formed");
        let config = Config::read(&cib).expect("readable");
        let printed = config.to_document().expect("printable");
        let again = Config::read(&printed).expect("readable");
        prop_assert_eq!(&again, &config);
        // These four are always printed, in their order.
        let root = cib.root().child("configuration").expect("there").id();
        for section in ["crm_config", "nodes", "resources", "constraints"] {
            if cib.element(root).child(section).is_none() {
                cib.append_child(root, section);
            }
        }
        prop_assert_eq!(sorted(&printed), sorted(&cib));
    }
}

/// Returns the configuration as text: sections in a fixed order, attributes sorted.
fn sorted(cib: &Document) -> String {
    let mut copy = Document::new("configuration");
    let configuration = cib.root().child("configuration").expect("there");
    let mut sections: Vec<_> = configuration.children().collect();
    sections.sort_by_key(|section| section.name());
    let root = copy.root().id();
    for section in sections {
        copy.import(root, usize::MAX, section);
    }
    let all: Vec<(NodeId, Vec<(String, String)>)> = copy
        .root()
        .descendants()
        .map(|element| {
            let attributes = element.attributes();
            let mut list: Vec<_> = attributes
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            list.sort();
            (element.id(), list)
        })
        .collect();
    for (element, list) in all {
        for (name, _) in &list {
            copy.remove_attribute(element, name);
        }
        for (name, value) in &list {
            copy.set_attribute(element, name, value);
        }
    }
    copy.to_xml()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9_-]{0,8}",
        "[ -~]{0,12}",
        Just("é <&\"'>\n\t".to_owned()),
    ]
}

fn score() -> impl Strategy<Value = Score> {
    prop_oneof![
        any::<i32>().prop_map(Score::new),
        Just(Score::INFINITY),
        Just(-Score::INFINITY),
    ]
}

fn interval() -> impl Strategy<Value = Interval> {
    prop_oneof![
        (0..100_000_u64).prop_map(|ms| Interval::from(Duration::from_millis(ms))),
        select(&["1min", "60", "PT1H", "0"][..]).prop_map(|text| text.parse().expect("a time")),
    ]
}

fn role() -> impl Strategy<Value = Role> {
    select(
        &[
            Role::Started,
            Role::Stopped,
            Role::Promoted,
            Role::Unpromoted,
        ][..],
    )
}

fn expression() -> impl Strategy<Value = Expression> {
    let date = "20[0-9]{2}-0[1-9]-1[0-9]";
    let leaf = prop_oneof![
        text().prop_map(|name| Expression::defined(&name)),
        text().prop_map(|name| Expression::not_defined(&name)),
        (text(), text()).prop_map(|(name, value)| Expression::is(&name, value)),
        (text(), any::<i64>()).prop_map(|(name, value)| Expression::at_most(&name, value)),
        date.prop_map(|date| Expression::after(&date)),
        (date, date).prop_map(|(a, b)| Expression::between(&a, &b)),
        (text(), option::of(interval()))
            .prop_map(|(name, interval)| Expression::operation(&name, interval)),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), inner, any::<bool>())
            .prop_map(|(a, b, and)| if and { a.and(b) } else { a.or(b) })
    })
}

fn attribute_set() -> impl Strategy<Value = AttributeSet> {
    (
        vec((text(), text()), 0..4),
        option::of(expression()),
        option::of(score()),
    )
        .prop_map(|(pairs, rule, score)| {
            let with = |set: AttributeSet, (name, value): (String, String)| set.with(&name, value);
            let set = pairs.into_iter().fold(AttributeSet::new(), with);
            let set = match rule {
                Some(rule) => set.when(rule),
                None => set,
            };
            match score {
                Some(score) => set.score(score),
                None => set,
            }
        })
}

fn operation() -> impl Strategy<Value = Operation> {
    (
        select(&["monitor", "start", "stop"][..]),
        interval(),
        interval(),
        option::of(role()),
        any::<bool>(),
    )
        .prop_map(|(name, interval, timeout, role, fence)| {
            let operation = Operation::new(name, interval).timeout(timeout);
            let operation = match role {
                Some(role) => operation.role(role),
                None => operation,
            };
            if fence {
                operation.on_fail(OnFail::Fence).parameter("depth", 10)
            } else {
                operation
            }
        })
}

fn primitive(id: String) -> impl Strategy<Value = Primitive> {
    (
        0..6,
        vec(attribute_set(), 0..3),
        vec((text(), text()), 0..3),
        vec(operation(), 0..4),
        text(),
    )
        .prop_map(move |(kind, sets, metas, operations, about)| {
            let primitive = match kind {
                0 => Primitive::ocf("heartbeat", "IPaddr2", &id),
                1 => Primitive::systemd("arv", &id),
                2 => Primitive::lsb("arv", &id),
                3 => Primitive::service("arv", &id),
                4 => Primitive::stonith("fence_ipmilan", &id),
                _ => Primitive::of_template("t0", &id),
            };
            let primitive = sets.into_iter().fold(primitive, Primitive::parameters);
            let meta = |p: Primitive, (name, value): (String, String)| p.meta(&name, value);
            let primitive = metas.into_iter().fold(primitive, meta);
            let primitive = operations.into_iter().fold(primitive, Primitive::operation);
            primitive.description(&about).utilization("cpu", 2)
        })
}

fn config() -> impl Strategy<Value = Config> {
    let resources = (
        primitive("p0".to_owned()),
        primitive("g0-1".to_owned()),
        primitive("g0-2".to_owned()),
        primitive("c0-1".to_owned()),
        primitive("b0-1".to_owned()),
        primitive("t".to_owned()),
    );
    let constraints = vec((0..8, score(), expression(), option::of(role())), 0..6);
    let rest = (
        vec(attribute_set(), 0..3),
        vec((text(), text()), 0..3),
        text(),
    );
    (resources, constraints, rest).prop_map(|(resources, constraints, (sets, options, about))| {
        let (alone, first, second, cloned, inside, template) = resources;
        let mut config = Config::new()
            .node(
                NodeConfig::new("maitre")
                    .number(1)
                    .attribute("site", &about),
            )
            .node(NodeConfig::new("esclave").utilization("cpu", 4))
            .template(Template::new("t0", template))
            .primitive(alone)
            .group(Group::new("g0", [first, second]).meta("priority", 5))
            .clone_set(CloneSet::new("c0", cloned).promotable())
            .bundle(
                Bundle::podman("b0", &about)
                    .replicas(2)
                    .port(80)
                    .port(81)
                    .mount("/a", "/b", "rw")
                    .mount("/c", "/d", "ro")
                    .primitive(inside),
            )
            .fencing_level(FencingLevel::node("maitre", 1, ["p0"]))
            .fencing_level(FencingLevel::pattern(&about, 2, ["p0", "g0-1"]))
            .tag(Tag::new("tag", ["p0", "g0"]))
            .alert(
                Alert::new("alert", "/bin/true")
                    .recipient(&about)
                    .recipient("b")
                    .on_nodes(),
            );
        for set in sets {
            config = config
                .resource_defaults(set.clone())
                .operation_defaults(set);
        }
        for (name, value) in options {
            config = config
                .option(&name, value.clone())
                .resource_default(&name, value);
        }
        for (number, (kind, score, expression, role)) in constraints.into_iter().enumerate() {
            let id = format!("k{number}");
            let sets = [
                ResourceSet::new(["p0", "g0"]).sequential(false),
                ResourceSet::new(["c0"]),
            ];
            let role = role.unwrap_or(Role::Started);
            config = match kind {
                0 => config.location(Location::prefer(id, "p0", "maitre", score).role(role)),
                1 => config.location(Location::rule(id, "g0", score, expression)),
                2 => config.location(Location::pattern(id, &about, "maitre", score)),
                3 => config.colocation(Colocation::with(id, "p0", "g0", score).with_role(role)),
                4 => config.colocation(Colocation::sets(id, score, sets)),
                5 => config.order(Order::then(id, "p0", "g0").kind(OrderKind::Serialize)),
                6 => config.order(Order::sets(id, sets.map(|set| set.action(Action::Start)))),
                _ => config.ticket(
                    TicketConstraint::new(id, &about, "p0").loss_policy(LossPolicy::Freeze),
                ),
            };
        }
        config
    })
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn what_is_built_is_read_again(config in config()) {
        let printed = config.to_document().expect("printable");
        let text = printed.to_xml();
        let read = Document::parse(&text).expect("well-formed");
        let again = Config::read(&read).expect("readable");
        prop_assert_eq!(again.unreadable(), &[]);
        prop_assert_eq!(&again, &config);
        // Each id is there once, and each part has one.
        let mut ids = std::collections::HashSet::new();
        let parts = ["nvpair", "op", "rule", "expression", "date_expression", "op_expression",
            "instance_attributes", "meta_attributes", "utilization", "resource_set", "recipient",
            "port-mapping", "storage-mapping", "fencing-level", "cluster_property_set"];
        for element in read.root().descendants() {
            if parts.contains(&element.name()) {
                let id = element.attribute("id");
                prop_assert!(id.is_some_and(|id| ids.insert(id)), "{:?}\n{}", element, text);
            }
        }
    }

    #[test]
    fn an_expression_is_read_from_its_text(expression in expression()) {
        let readable = !expression.to_string().contains(['"', '\'', '\n', '\t']);
        let again = expression.to_string().parse::<Expression>();
        if readable {
            prop_assert_eq!(again.expect("readable"), expression);
        }
    }
}

/// The id of a value can be the one that the next set would get.
#[test]
fn no_id_is_given_twice_across_the_sets_of_a_section() {
    let set = |name: &str| AttributeSet::new().with(name, "a");
    let config = Config::new()
        .operation_defaults(set("1"))
        .operation_defaults(set("x"))
        .operation_default("2", "b");
    let read = config.to_document().expect("printable");
    let mut ids: Vec<_> = read
        .root()
        .descendants()
        .filter_map(|e| e.attribute("id"))
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{}", read.to_xml());
}
