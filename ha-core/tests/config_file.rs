//! Configurations from files: the same in Rust, TOML and JSON, and what is said of a wrong one.

use std::time::Duration;

use ha_core::config::{
    AclRole, AclUser, Action, Alert, Bundle, CloneSet, Colocation, Config, DateSpec, Expression,
    FencingLevel, Group, Location, LossPolicy, NodeConfig, OnFail, Operation, Order, OrderKind,
    Primitive, ResourceSet, Role, Tag, Template, TicketConstraint,
};
use ha_core::value::Score;

const TOML: &str = include_str!("data/config/all.toml");
const JSON: &str = include_str!("data/config/all.json");

/// What both files say.
fn built() -> Config {
    let s = Duration::from_secs;
    let mut office = DateSpec::default();
    office.hours = Some("8-17".to_owned());
    office.weekdays = Some("1-5".to_owned());
    Config::new()
        .owned_by("sphynx")
        .schema("pacemaker-3.9")
        .option("stonith-enabled", true)
        .option("cluster-recheck-interval", "5min")
        .resource_default("resource-stickiness", 100)
        .operation_default("timeout", "60s")
        .node(
            NodeConfig::new("maitre")
                .attribute("site", "dijon")
                .utilization("cpu", 4),
        )
        .template(
            Template::new("address", Primitive::ocf("heartbeat", "IPaddr2", "x"))
                .parameter("cidr_netmask", 24)
                .monitor(s(10), s(20)),
        )
        .primitive(
            Primitive::stonith("fence_ipmilan", "ipmi")
                .description("the board of maitre")
                .parameter("passwd", "sésame"),
        )
        .group(
            Group::new(
                "sphynx",
                [
                    Primitive::of_template("address", "VIP_externe")
                        .parameter("ip", "192.168.0.23"),
                    Primitive::systemd("arv", "arv_rsc")
                        .meta("migration-threshold", 3)
                        .utilization("cpu", 1)
                        .operation(
                            Operation::new("monitor", s(30))
                                .timeout(s(60))
                                .on_fail(OnFail::Fence),
                        )
                        .start_timeout(s(90)),
                ],
            )
            .meta("priority", 10),
        )
        .clone_set(
            CloneSet::new("db_clone", Primitive::ocf("heartbeat", "pgsql", "db")).promotable(),
        )
        .bundle(
            Bundle::podman("web", "localhost/httpd:1")
                .replicas(2)
                .addresses("192.168.0.131")
                .port(80)
                .mount("/srv/www", "/var/www/html", "rw")
                .primitive(Primitive::ocf("heartbeat", "apache", "httpd")),
        )
        .location(Location::prefer("on_maitre", "sphynx", "maitre", 50))
        .location(Location::rule(
            "needs_gateway",
            "sphynx",
            -Score::INFINITY,
            Expression::not_defined("pingd").or(Expression::at_most("pingd", 0)),
        ))
        .location(
            Location::rule("office", "web", 10, Expression::matches(office)).role(Role::Started),
        )
        .colocation(
            Colocation::with("arv_with_db", "sphynx", "db_clone", Score::INFINITY)
                .with_role(Role::Promoted),
        )
        .colocation(Colocation::sets(
            "together",
            -10,
            [ResourceSet::new(["sphynx", "web"]).sequential(false)],
        ))
        .order(
            Order::then("db_then_arv", "db_clone", "sphynx")
                .actions(Action::Promote, Action::Start)
                .kind(OrderKind::Mandatory),
        )
        .ticket(TicketConstraint::new("here", "paris", "sphynx").loss_policy(LossPolicy::Stop))
        .constraint(Location::ban("raw", "web", "esclave"))
        .fencing_level(FencingLevel::node("maitre", 1, ["ipmi"]))
        .acl(
            AclRole::new("watcher")
                .may_not_see("//nvpair[@name='passwd']")
                .may_read("/cib"),
        )
        .acl(AclUser::new("eole", ["watcher"]))
        .tag(Tag::new("addresses", ["VIP_externe"]))
        .alert(
            Alert::new("mail", "/usr/local/bin/mail")
                .parameter("sender", "ha@example.org")
                .recipient("admin@example.org")
                .on_fencing(),
        )
}

#[test]
fn rust_toml_and_json_say_the_same() {
    let built = built();
    assert_eq!(Config::from_toml(TOML).expect("readable"), built);
    assert_eq!(Config::from_json(JSON).expect("readable"), built);
}

/// The schemas are Pacemaker's: those who build the live half have them.
#[cfg(feature = "live")]
#[test]
fn it_conforms_to_pacemakers_schema() {
    use ha_core::schema::Schema;
    let mut config = built();
    for schema in ["pacemaker-3.2", "pacemaker-3.7", "pacemaker-3.9"] {
        config.validate_with = Some(schema.to_owned());
        // Corosync numbers the nodes.
        config.nodes[0].id = Some("1".to_owned());
        let cib = config.to_document().expect("printable");
        let faults = Schema::of(&cib)
            .expect("known")
            .check(&cib)
            .expect("checked");
        assert_eq!(faults, [], "{}", cib.to_xml());
    }
}

#[test]
fn a_wrong_file_says_where_and_what_would_do() {
    let primitive = "[[primitive]]\nid = \"a\"\nagent = \"lsb:a\"\n";
    for (text, wanted, hint) in [
        (
            "owner = \"two words\"",
            "line 1: Id \"two words\" has a character",
            None,
        ),
        (
            "[[primitive]]\nid = \"a\"\nagnt = \"lsb:a\"",
            "line 3: unknown field `agnt`, expected one of `id`, `agent`",
            None,
        ),
        (
            "[[primitive]]\nid = \"a\"\nagent = \"IPaddr2\"",
            "line 3: \"IPaddr2\" is no agent; as in ocf:heartbeat:IPaddr2",
            None,
        ),
        (
            "[[primitive]]\nid = \"a\"\nagent = \"lsb:a\"\n\n[[primitive.operation]]\n\
             name = \"monitor\"\ninterval = \"soon\"",
            "line 7: not \"soon\"; a length of time is",
            None,
        ),
        (
            "[[location]]\nid = \"l\"\nresource = \"a\"\nscore = \"much\"",
            "line 4: invalid value: string \"much\", expected a whole number, \"INFINITY\"",
            None,
        ),
        (
            "[[location]]\nid = \"l\"\nresource = \"a\"\nscore = 1\nrule = \"pingd lte\"",
            "line 5: the rule \"pingd lte\": a value is missing at the end; as in:",
            None,
        ),
        (
            "[[order]]\nid = \"o\"\nkind = \"strict\"",
            "line 3: not \"strict\"; one of these: Optional Mandatory Serialize",
            None,
        ),
        ("[options]\na = 1\na = 2", "line 3: duplicate key", None),
        (
            "[options]\na = [1]",
            "line 2: invalid type: sequence, expected a text, a number",
            None,
        ),
        (
            "[[primitive]]\nid = \"a\"",
            "primitive a: its agent is missing",
            Some("agent = "),
        ),
        (
            &format!("{primitive}[[group]]\nid = \"g\"\nmembers = [\"b\"]"),
            "group g: its member b is no primitive of this file",
            Some("primitives of this file that may be: a"),
        ),
        (
            &format!(
                "{primitive}[[group]]\nid = \"g\"\nmembers = [\"a\"]\n\
                 [[clone]]\nid = \"c\"\nmember = \"a\""
            ),
            "clone c: its member a is one of g already",
            Some("one place"),
        ),
        (
            &format!("{primitive}[[group]]\nid = \"a\"\nmembers = [\"a\"]"),
            "two things have the id a",
            Some("another id"),
        ),
        (
            "[[location]]\nid = \"l\"\nresource = \"a\"\npattern = \"b\"\nscore = 1\nnode = \"n\"",
            "location l: it needs one of resource, pattern, resources",
            None,
        ),
        (
            "[[raw]]\nxml = \"<knot/>\"",
            "the XML of raw 1: <knot> is no object",
            Some("tag"),
        ),
        (
            "[[raw]]\nxml = \"<tag/>\"",
            "the XML of raw 1: /configuration/tags/tag: the attribute id is missing",
            Some("an id starts"),
        ),
    ] {
        let error = Config::from_toml(text).expect_err(text);
        assert_eq!(error.kind(), ha_core::ErrorKind::Invalid);
        let message = format!("{error:#}");
        assert!(message.starts_with(wanted), "{text}\n{message}");
        let given = error.hint().unwrap_or_default();
        assert!(given.contains(hint.unwrap_or_default()), "{text}\n{given}");
    }
    let error = Config::from_json("{\n\"primitive\": [{\"id\": \"1st\"}]}").expect_err("an id");
    assert_eq!(
        error.to_string(),
        "line 2: Id \"1st\" does not start with a letter or `_`"
    );
}

#[test]
fn a_secret_is_in_no_message() {
    for text in [
        "[[primitive]]\nid = \"a\"\nparameters = { passwd = [\"sésame\"] }",
        "[[primitive]]\nid = \"a\"\npasswd = \"sésame\"",
        "[[primitive]]\nid = \"a\"\nparameters = { passwd = \"sésame }",
    ] {
        let error = Config::from_toml(text).expect_err(text);
        assert!(!format!("{error:?}").contains("sésame"), "{error:?}");
    }
}

#[test]
fn the_name_of_a_file_says_what_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let cib = built().to_document().expect("printable");
    assert_eq!(
        Config::open(write("a.toml", TOML)).expect("readable"),
        built()
    );
    assert_eq!(
        Config::open(write("a.json", JSON)).expect("readable"),
        built()
    );
    let mut read = Config::open(write("a.xml", &cib.to_xml())).expect("readable");
    read.owner = built().owner;
    assert_eq!(read, built());
    let error = Config::open(folder.path().join("none.toml")).expect_err("no file");
    assert_eq!(error.kind(), ha_core::ErrorKind::NotFound);
    let error = Config::open(write("bad.toml", "x")).expect_err("no TOML");
    assert!(
        format!("{error:#}").contains("bad.toml: line 1: "),
        "{error:#}"
    );
}

/// What the file says is tested beside the Rust of the README, with the documentation.
#[test]
fn the_readme_shows_the_file_as_it_is() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("readable");
    let (readme, file) = (read("README.md"), read("examples/sphynx.toml"));
    let shown = readme.split("```toml\n").nth(1).expect("a block of TOML");
    let shown = shown.split("```").next().unwrap_or_default();
    let (head, tail) = shown
        .split_once("# ... the other primitives ...\n\n")
        .expect("two pieces");
    assert!(
        file.starts_with(head.trim_end()) && file.ends_with(tail),
        "{shown}"
    );
}

#[test]
fn a_location_has_several_rules() {
    let file = r##"
        [[location]]
        id = "near"
        resource = "sphynx"
        [[location.rules]]
        rule = "not_defined pingd or pingd lte 0"
        score = "-INFINITY"
        [[location.rules]]
        rule = "#uname eq maitre"
        score = 50
        role = "Promoted"
        [[location.rules]]
        rule = "defined pingd"
        score-attribute = "pingd"
    "##;
    let xml = Config::from_toml(file).unwrap().to_document().unwrap();
    let all = xml.root().descendants();
    let rules: Vec<_> = all.filter(|e| e.name() == "rule").collect();
    let of = |name: &str| -> Vec<_> { rules.iter().map(|r| r.attribute(name)).collect() };
    assert_eq!(of("score"), [Some("-INFINITY"), Some("50"), None]);
    assert_eq!(of("score-attribute"), [None, None, Some("pingd")]);
    assert_eq!(of("boolean-op"), [Some("or"), None, None]);
    assert!(of("role")[1].is_some());
    let ids: std::collections::HashSet<_> = of("id").into_iter().collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    for (wrong, said) in [
        (
            "score = 1\n[[location.rules]]\nrule = \"defined a\"\nscore = 1",
            "no node and no rule",
        ),
        (
            "[[location.rules]]\nrule = \"defined a\"",
            "score, score-attribute",
        ),
        ("node = \"n\"", "its score is missing"),
        ("", "one of node, rule, rules"),
    ] {
        let file = format!("[[location]]\nid = \"l\"\nresource = \"a\"\n{wrong}");
        let e = Config::from_toml(&file).unwrap_err();
        assert!(format!("{e:#}").contains(said), "{e:#}");
    }
}
