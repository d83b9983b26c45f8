//! `corosync.conf`: read, printed, checked and compared; held against `corosync -t` where corosync is installed.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod cases;

use std::process::Command;

use cases::cases;
use ha_core::corosync_conf::{
    Cipher, Config, Effect, Entry, File, Hash, Interface, Logging, Network, Node, Section,
    Transport, Value, changes, check, check_networks,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Two nodes, the first of which has an address of any machine, so that corosync finds itself.
const BASE: &str = "\
# The cluster
totem {
    version: 2
    cluster_name: x
    transport: udpu
}
nodelist {
    node {
        ring0_addr: 127.0.0.1
        nodeid: 1
        name: a
    }
    node {
        ring0_addr: 127.0.0.2
        nodeid: 2
        name: b
    }
}
quorum {
    provider: corosync_votequorum
    two_node: 1
}
";

/// Asks corosync whether it takes a file: what it says when not, `None` when it is not installed.
fn corosync(text: &str) -> Option<Result<(), String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corosync.conf");
    std::fs::write(&path, text).unwrap();
    let output = Command::new("corosync")
        .arg("-t")
        .arg("-c")
        .arg(&path)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
        Err(e) => panic!("run corosync: {e}"),
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Some(if output.status.success() {
        Ok(())
    } else {
        Err(said)
    })
}

/// Tells what we have against a text: the refusals alone.
fn refusals(text: &str) -> Vec<String> {
    match File::parse(text) {
        Err(e) => vec![format!("{e:#}")],
        Ok(file) => {
            let faults = check(&file).into_iter().filter(|fault| fault.refused);
            faults.map(|fault| fault.to_string()).collect()
        }
    }
}

/// Checks that we and corosync say the same of a text.
fn agrees(text: &str) {
    let ours = refusals(text);
    if let Some(theirs) = corosync(text) {
        assert_eq!(
            ours.is_empty(),
            theirs.is_ok(),
            "ours: {ours:#?}\ncorosync: {theirs:?}\n{text}"
        );
    }
}

#[test]
fn a_file_that_is_not_changed_is_printed_as_it_was() {
    let odd = BASE
        .replace("    version: 2", "\tversion :2  \n\n  # two")
        .replace("totem {", "totem{");
    for text in [
        "",
        "\n",
        "# a",
        BASE,
        &BASE.replace('\n', "\r\n"),
        BASE.trim_end(),
        &odd,
    ] {
        let file = File::parse(text).unwrap();
        assert_eq!(file.to_string(), *text);
    }
    let mut file = File::parse(&odd).unwrap();
    let Entry::Section(totem) = &mut file.root.entries[1] else {
        panic!("{file:?}")
    };
    for entry in &mut totem.entries {
        match entry {
            Entry::Value(value) if value.key() == "transport" => value.set("knet"),
            _ => {}
        }
    }
    assert_eq!(
        file.to_string(),
        odd.replace("udpu", "knet"),
        "the rest stays"
    );
}

#[test]
fn what_the_grammar_refuses_is_told_with_its_line() {
    let edits = [
        (
            "version: 2",
            "version 2",
            3,
            "neither a section nor a value",
        ),
        (
            "totem {",
            "totem { version: 2",
            2,
            "after the opening brace",
        ),
        ("totem {", "totem\n{", 2, "neither"),
        ("quorum {", "{", 19, "without a name"),
        ("}\nnodelist", "} # end\nnodelist", 6, "closing brace"),
        ("}\nnodelist", "}\n}\nnodelist", 7, "closes nothing"),
        (
            "}\nnodelist",
            "nodelist",
            21,
            "ends within \"totem\", which line 2 opens",
        ),
        ("    version", "    \u{a0}version", 3, "U+00A0"),
        ("two_node", "two+node", 21, "\"+\""),
        ("two_node", &"k".repeat(248), 21, "bytes long"),
        (
            "# The",
            &format!("#{}", "x".repeat(506)),
            1,
            "more than corosync reads",
        ),
    ];
    for (from, to, line, what) in edits {
        let text = BASE.replacen(from, to, 1);
        let error = File::parse(&text).unwrap_err();
        let said = error.to_string();
        assert!(
            said.starts_with(&format!("line {line}: ")) && said.contains(what),
            "{said}\n{text}"
        );
        assert!(error.hint().is_some(), "{said}");
        agrees(&text);
    }
    for (from, to) in [
        ("two_node", "k".repeat(247)),
        ("# The", format!("#{}", "x".repeat(492))),
    ] {
        let text = BASE.replacen(from, &to, 1);
        File::parse(&text).unwrap();
        agrees(&text);
    }
}

/// What counts is the token that three nodes have.
#[test]
fn a_third_node_makes_the_token_longer() {
    let short = BASE.replace("version: 2", "version: 2\n    token: 8");
    let third = "node {\n        ring0_addr: 127.0.0.3\n        nodeid: 3\n        name: c\n    }";
    let three = short
        .replace("nodelist {", &format!("nodelist {{\n    {third}"))
        .replace("    two_node: 1\n", "");
    assert!(!refusals(&short).is_empty(), "{short}");
    assert_eq!(refusals(&three), Vec::<String>::new(), "{three}");
    agrees(&short);
    agrees(&three);
}

/// What corosync refuses, with the value that we name for it.
#[test]
fn what_corosync_refuses_is_found_before() {
    let udp = BASE.replace("udpu", "udp");
    let knet = BASE.replace("udpu", "knet");
    let totem = |line: &str| BASE.replace("version: 2", &format!("version: 2\n    {line}"));
    let link = |base: &str, line: &str| {
        base.replace(
            "version: 2",
            &format!("version: 2\n    interface {{\n{line}\n}}"),
        )
    };
    let ring = |base: &str, first: &str, second: &str| {
        base.replace("nodeid: 1", &format!("{first}\nnodeid: 1"))
            .replace("nodeid: 2", &format!("{second}\nnodeid: 2"))
    };
    let cases = [
        ("totem.version", BASE.replace("    version: 2\n", "")),
        ("totem.version", BASE.replace("version: 2", "version: 1")),
        (
            "totem.version",
            BASE.replace("version: 2", "version: 2 # two"),
        ),
        ("totem.transport", BASE.replace("udpu", "tcp")),
        ("totem.token", totem("token: abc")),
        ("totem.token", totem("token:")),
        ("totem.token", totem("token: -1")),
        ("totem.token", totem("token: 4294967296")),
        ("totem.token", totem("token: 29")),
        ("totem.token", totem("token: 125")),
        (
            "totem.token",
            format!("{BASE}totem {{\n    token: 10\n}}\n"),
        ),
        ("totem.consensus", totem("consensus: 29")),
        ("totem.join", totem("consensus: 40")),
        ("totem.join", totem("join: 5000")),
        ("totem.hold", totem("hold: 13")),
        ("totem.merge", totem("merge: 29")),
        ("totem.downcheck", totem("downcheck: 29")),
        ("totem.token_retransmit", totem("token_retransmit: 29")),
        (
            "totem.token",
            totem("token_retransmits_before_loss_const: 100"),
        ),
        ("totem.link_mode", totem("link_mode: foo")),
        ("totem.ip_version", totem("ip_version: foo")),
        ("totem.crypto_cipher", totem("crypto_cipher: 3des")),
        ("totem.crypto_hash", totem("crypto_hash: foo")),
        ("totem.crypto_cipher", totem("crypto_cipher: aes256")),
        ("totem.transport", totem("crypto_hash: sha256")),
        ("totem.transport", totem("secauth: on")),
        (
            "totem.interface.0.mcastport",
            link(&udp, "mcastport: 70000"),
        ),
        ("totem.interface.0.ttl", link(&udp, "ttl: 256")),
        (
            "totem.interface.0.mcastaddr",
            link(&udp, "mcastaddr: 10.0.0.1"),
        ),
        ("totem.interface.0.mcastaddr", link(&udp, "mcastaddr: foo")),
        (
            "totem.cluster_name",
            udp.replace("    cluster_name: x\n", ""),
        ),
        (
            "nodelist.node.1.nodeid",
            BASE.replace("nodeid: 2", "nodeid: 1"),
        ),
        (
            "nodelist.node.1.nodeid",
            BASE.replace("nodeid: 2", "nodeid: 0x2"),
        ),
        ("nodelist.node.1.nodeid", knet.replace("nodeid: 2", "")),
        (
            "nodelist.node.1.nodeid",
            knet.replace("nodeid: 2", "nodeid: 0"),
        ),
        (
            "nodelist.node.1.ring0_addr",
            BASE.replace("127.0.0.2", "fd00::2"),
        ),
        (
            "nodelist.node.1.ring0_addr",
            knet.replace("127.0.0.2", "fd00::2"),
        ),
        (
            "nodelist.node.0.ring0_addr",
            udp.replace("127.0.0.1", "::1")
                .replace("127.0.0.2", "fd00::2"),
        ),
        (
            "nodelist.node.0.ring1_addr",
            ring(&udp, "ring1_addr: 127.0.1.1", "ring1_addr: 127.0.1.2"),
        ),
        (
            "nodelist.node.1.ring0_addr",
            ring(&knet, "ring1_addr: 127.0.1.1", ""),
        ),
        (
            "nodelist.node.0.ring8_addr",
            ring(&knet, "ring8_addr: 127.0.1.1", "ring8_addr: 127.0.1.2"),
        ),
        ("nodelist", "totem {\n    version: 2\n}\n".to_owned()),
        (
            "quorum.two_node",
            BASE.replace("two_node: 1", "two_node: yes"),
        ),
        (
            "quorum.expected_votes",
            BASE.replace("two_node: 1", "expected_votes: abc"),
        ),
        (
            "logging.timestamp",
            format!("{BASE}logging {{\n    timestamp: yes\n}}\n"),
        ),
        (
            "logging.to_syslog",
            format!("{BASE}logging {{\n    to_syslog: 1\n}}\n"),
        ),
        (
            "system.qb_ipc_type",
            format!("{BASE}system {{\n    qb_ipc_type: foo\n}}\n"),
        ),
    ];
    for (path, text) in cases {
        let faults = check(&File::parse(&text).unwrap());
        assert!(
            faults.iter().any(|f| f.refused && f.path == path),
            "{path}: {faults:#?}\n{text}"
        );
        agrees(&text);
    }
}

/// What corosync takes, and which is not what is meant.
#[test]
fn what_is_doubtful_is_told_and_not_refused() {
    let udp = BASE.replace("udpu", "udp");
    let third = "}\n    node {\n        ring0_addr: 127.0.0.3\n        nodeid: 3\n        name: c\n    }\n}\nquorum";
    let cases = [
        (
            "quorum.provider",
            BASE.replace("corosync_votequorum", "foo"),
        ),
        (
            "quorum.provider",
            BASE[..BASE.find("quorum").unwrap()].to_owned(),
        ),
        ("quorum.two_node", BASE.replace("}\n}\nquorum", third)),
        ("quorum.two_node", BASE.replace("    two_node: 1\n", "")),
        (
            "quorum.wait_for_all",
            BASE.replace("two_node: 1", "two_node: 1\n    wait_for_all: 0"),
        ),
        (
            "totem.consensus",
            BASE.replace("version: 2", "version: 2\n    consensus: 3000"),
        ),
        ("nodelist.node.1.nodeid", BASE.replace("nodeid: 2", "")),
        ("nodelist.node.1.name", BASE.replace("name: b", "name: a")),
        ("nodelist.node.1.name", BASE.replace("name: b", "")),
        (
            "nodelist.node.1.name",
            BASE.replace("name: b", &format!("name: {}", "b".repeat(65))),
        ),
        (
            "nodelist.node.1.ring0_addr",
            BASE.replace("127.0.0.2", "127.0.0.1"),
        ),
        (
            "nodelist.node.1.ring0_addr",
            BASE.replace("ring0_addr: 127.0.0.2", ""),
        ),
        (
            "totem.interface.0.bindnetaddr",
            udp.replace(
                "version: 2",
                "version: 2\n    interface {\n    bindnetaddr: 127.0.0.0\n}",
            ),
        ),
        (
            "totem.interface.0.ringnumber",
            udp.replace(
                "version: 2",
                "version: 2\n    interface {\n    ringnumber: 1\n}",
            ),
        ),
        (
            "logging.logfile",
            format!("{BASE}logging {{\n    to_logfile: yes\n}}\n"),
        ),
    ];
    assert_eq!(check(&File::parse(BASE).unwrap()), []);
    for (path, text) in cases {
        let faults = check(&File::parse(&text).unwrap());
        let found = faults.iter().find(|fault| fault.path == path);
        assert!(
            found.is_some_and(|fault| !fault.refused),
            "{path}: {faults:#?}\n{text}"
        );
        agrees(&text);
    }
}

#[test]
fn addresses_outside_the_network_of_their_link_are_told() {
    let file = File::parse(BASE).unwrap();
    let network = |text: &str| text.parse::<Network>().unwrap();
    assert_eq!(check_networks(&file, &[network("127.0.0.0/24")]), []);
    assert_eq!(check_networks(&file, &[network("0.0.0.0/0")]), []);
    let faults = check_networks(&file, &[network("127.0.0.0/31")]);
    assert_eq!(faults.len(), 1);
    assert_eq!(
        (faults[0].path.as_str(), faults[0].line),
        ("nodelist.node.1.ring0_addr", Some(14))
    );
    for bad in ["127.0.0.0", "127.0.0.0/33", "x/8", "::/129"] {
        assert!(bad.parse::<Network>().is_err(), "{bad}");
    }
}

#[test]
fn changes_name_the_node_and_what_has_to_be_done() {
    let old = File::parse(BASE).unwrap();
    let same = BASE
        .replace("# The cluster\n", "")
        .replace("version: 2", "version: 1\nversion: 2");
    assert_eq!(changes(&old, &File::parse(&same).unwrap()), []);
    let cases = [
        (
            "version: 2",
            "version: 2\n token: 1000",
            "totem.token: 1000 (new)",
            Effect::Reload,
        ),
        (
            "    two_node: 1\n",
            "",
            "quorum.two_node: 1 (removed)",
            Effect::Reload,
        ),
        (
            "two_node: 1",
            "two_node: 1\nwait_for_all: 0",
            "quorum.wait_for_all: 0 (new)",
            Effect::Restart,
        ),
        (
            "udpu",
            "udp",
            "totem.transport: udpu -> udp",
            Effect::Restart,
        ),
        (
            "127.0.0.2",
            "127.0.0.3",
            "nodelist.node.2.ring0_addr: 127.0.0.2 -> 127.0.0.3",
            Effect::Restart,
        ),
    ];
    for (from, to, said, effect) in cases {
        let new = File::parse(&BASE.replacen(from, to, 1)).unwrap();
        let found = changes(&old, &new);
        let found: Vec<_> = found.iter().map(|c| (c.to_string(), c.effect)).collect();
        assert_eq!(found, [(said.to_owned(), effect)]);
    }
    let knet = |text: &str| File::parse(&text.replace("udpu", "knet")).unwrap();
    let effect = |text: &str| changes(&knet(BASE), &knet(text))[0].effect;
    let link = BASE.replace("nodeid: 2", "nodeid: 2\n ring1_addr: 127.0.1.2");
    assert_eq!(effect(&link), Effect::Reload, "a link is added");
    let moved = BASE.replace("127.0.0.2", "127.0.0.3");
    assert_eq!(effect(&moved), Effect::Restart);
}

#[test]
fn the_two_ways_of_two_nodes_are_taken_by_corosync() {
    let nodes = || {
        let addresses = |n: u8| [[127, 0, 0, n].into(), [127, 0, 1, n].into()];
        vec![
            Node::new("a", 1, &addresses(1)),
            Node::new("b", 2, &addresses(2)),
        ]
    };
    let one_link = || {
        let mut nodes = nodes();
        nodes.iter_mut().for_each(|node| node.addresses.truncate(1));
        nodes
    };
    let multicast = Config::multicast("sphynx", one_link(), [239, 192, 101, 1].into(), 5405);
    assert_eq!(
        multicast.to_file().to_string(),
        "totem {\n    version: 2\n    cluster_name: sphynx\n    transport: udp\n    interface {\n        linknumber: 0\n        \
         mcastaddr: 239.192.101.1\n        mcastport: 5405\n    }\n}\n\nnodelist {\n    node {\n        name: a\n        nodeid: 1\n        \
         ring0_addr: 127.0.0.1\n    }\n    node {\n        name: b\n        nodeid: 2\n        ring0_addr: 127.0.0.2\n    }\n}\n\n\
         quorum {\n    provider: corosync_votequorum\n    two_node: 1\n}\n\nlogging {\n    to_stderr: no\n    to_syslog: yes\n}\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("authkey");
    std::fs::write(&key, [7; 256]).unwrap();
    for config in [
        multicast,
        Config::knet("sphynx", one_link()),
        Config::knet("sphynx", nodes()),
    ] {
        let mut file = config.to_file();
        assert_eq!(check(&file), []);
        assert_eq!(Config::read(&file).unwrap(), config);
        // The key file is the machine's: this one stands in for it.
        let Entry::Section(totem) = &mut file.root.entries[0] else {
            panic!("{file:?}")
        };
        totem.push("keyfile", key.to_str().unwrap());
        agrees(&file.to_string());
    }
    assert!(
        Config::knet("x", nodes())
            .to_file()
            .get("totem.crypto_cipher")
            == Some("aes256")
    );
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{2,12}"
}

fn entry() -> impl Strategy<Value = Entry> {
    let value = (name(), "([!-z~é]([ -z~é]{0,20}[!-z~é])?)?");
    let leaf = prop_oneof![
        value.prop_map(|(key, value)| Entry::Value(Value::new(key, value))),
        "[ \t]{0,3}(#[ -~é]{0,30})?".prop_map(Entry::Comment),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        (name(), vec(inner, 0..5)).prop_map(|(name, entries)| {
            let mut section = Section::new(name);
            section.entries = entries;
            Entry::Section(section)
        })
    })
}

fn config() -> impl Strategy<Value = Config> {
    let nodes = vec((1_u32..5, 1_u8..6, any::<bool>()), 1..4);
    let crypto = (
        option::of(select(vec![Cipher::None, Cipher::Aes128, Cipher::Aes256])),
        option::of(select(vec![Hash::None, Hash::Sha1, Hash::Sha512])),
    );
    let time = || option::of(prop_oneof![0_u32..200, 900_u32..6000]);
    let times = (time(), time(), time(), option::of(0_u32..12));
    let flags = (
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        any::<bool>(),
    );
    let transport = select(vec![Transport::Udp, Transport::Udpu, Transport::Knet]);
    let port = option::of(any::<u16>());
    (
        nodes,
        transport,
        crypto,
        times,
        flags,
        port,
        option::of(name()),
    )
        .prop_map(
            |(
                nodes,
                transport,
                (cipher, hash),
                (token, consensus, join, tries),
                (two, wait, quorum),
                port,
                cluster,
            )| {
                let nodes = nodes
                    .into_iter()
                    .enumerate()
                    .map(|(at, (id, host, second))| {
                        // The first node is this machine.
                        let host = if at == 0 { 1 } else { host };
                        let addresses = [[127, 0, 0, host].into(), [127, 0, 1, host].into()];
                        Node::new(format!("n{id}"), id, &addresses[..1 + usize::from(second)])
                    });
                let mut config = Config::knet("x", nodes.collect());
                config.totem.transport = transport;
                (config.totem.crypto_cipher, config.totem.crypto_hash) = (cipher, hash);
                (
                    config.totem.token,
                    config.totem.consensus,
                    config.totem.join,
                ) = (token, consensus, join);
                config.totem.token_retransmits_before_loss_const = tries;
                config.totem.cluster_name = cluster;
                config.totem.interfaces.extend(port.map(|port| Interface {
                    mcastport: Some(port),
                    mcastaddr: (port % 2 == 0).then(|| [239, 1, 1, 1].into()),
                    ..Interface::default()
                }));
                config.quorum = config.quorum.filter(|_| quorum);
                if let Some(quorum) = &mut config.quorum {
                    (quorum.two_node, quorum.wait_for_all) = (two, wait);
                }
                config.logging = wait.map(|flag| Logging {
                    to_syslog: Some(flag),
                    ..Logging::default()
                });
                config
            },
        )
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_printed_is_read_back(entries in vec(entry(), 0..8)) {
        let mut file = File::default();
        file.root.entries = entries;
        let text = file.to_string();
        let again = File::parse(&text).unwrap();
        prop_assert_eq!(&again, &file);
        prop_assert_eq!(again.to_string(), text);
        prop_assert_eq!(changes(&file, &again), []);
    }

    #[test]
    fn reading_never_panics(text in "([ -~]|\n|\\{|\\}|:|é|totem|node){0,60}") {
        if let Ok(file) = File::parse(&text) {
            prop_assert_eq!(file.to_string(), text);
            let _ = check(&file);
            let _ = Config::read(&file);
        }
    }
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn what_is_built_is_read_back_and_judged_as_corosync_does(config in config()) {
        let mut file = config.to_file();
        prop_assert_eq!(Config::read(&File::parse(&file.to_string()).unwrap()).unwrap(), config);
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("authkey");
        std::fs::write(&key, [7; 256]).unwrap();
        let Entry::Section(totem) = &mut file.root.entries[0] else { panic!("{file:?}") };
        totem.push("keyfile", key.to_str().unwrap());
        agrees(&file.to_string());
    }
}
