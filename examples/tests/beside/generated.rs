//! Small CIBs, made at random: every kind of resource and of node, with a history that may be odd.

use std::fmt::Write as _;

use ha_core::xml::Document;

use crate::numbers::Numbers;

const NODES: [&str; 4] = ["maitre", "Esclave", "n10", "n9"];

struct Maker<'n> {
    numbers: &'n mut Numbers,
    next: usize,
    /// The ids under which histories may name what was made, and their agents.
    in_history: Vec<(String, &'static str)>,
}

impl Maker<'_> {
    fn id(&mut self, what: &str) -> String {
        self.next += 1;
        format!("{what}{}", self.next)
    }

    fn pairs(&mut self, set: &str, pairs: &[(&str, &[&str])], share: usize) -> String {
        let mut inside = String::new();
        for (name, values) in pairs {
            if self.numbers.percent(share) {
                let (id, value) = (self.id("pair"), self.numbers.pick(values));
                let _ = write!(
                    inside,
                    r#"<nvpair id="{id}" name="{name}" value="{value}"/>"#
                );
            }
        }
        if inside.is_empty() {
            return inside;
        }
        let id = self.id("set");
        format!(r#"<{set} id="{id}">{inside}</{set}>"#)
    }

    fn meta(&mut self, more: &[(&str, &[&str])]) -> String {
        let mut pairs: Vec<(&str, &[&str])> = vec![
            (
                "target-role",
                &["Started", "Stopped", "Unpromoted", "Promoted"],
            ),
            ("is-managed", &["true", "false"]),
            ("maintenance", &["true", "false"]),
            ("migration-threshold", &["1", "2", "INFINITY"]),
            ("failure-timeout", &["60", "1000000000"]),
            (
                "multiple-active",
                &["block", "stop_only", "stop_start", "stop_unexpected"],
            ),
            ("priority", &["5", "-3"]),
        ];
        pairs.extend(more);
        self.pairs("meta_attributes", &pairs, 10)
    }

    fn primitive(&mut self, is_clone: bool) -> String {
        let (class, provider, agent) = self.numbers.pick(&[
            ("ocf", "heartbeat", "IPaddr2"),
            ("ocf", "pacemaker", "Dummy"),
            ("ocf", "pacemaker", "Stateful"),
            ("ocf", "pacemaker", "ping"),
            ("systemd", "", "apache2"),
            ("lsb", "", "samba"),
            ("stonith", "", "fence_virt"),
            ("ocf", "pacemaker", "remote"),
        ]);
        let id = self.id("rsc");
        let xml_agent = match (class, provider) {
            ("systemd", _) => r#"class="systemd" type="apache2""#,
            ("lsb", _) => r#"class="lsb" type="samba""#,
            ("stonith", _) => r#"class="stonith" type="fence_virt""#,
            (_, "heartbeat") => r#"class="ocf" provider="heartbeat" type="IPaddr2""#,
            _ if agent == "Stateful" => r#"class="ocf" provider="pacemaker" type="Stateful""#,
            _ if agent == "ping" => r#"class="ocf" provider="pacemaker" type="ping""#,
            _ if agent == "remote" => r#"class="ocf" provider="pacemaker" type="remote""#,
            _ => r#"class="ocf" provider="pacemaker" type="Dummy""#,
        };
        self.in_history.push((id.clone(), xml_agent));
        if is_clone {
            for instance in 0..2 {
                self.in_history
                    .push((format!("{id}:{instance}"), xml_agent));
            }
        }
        let meta = self.meta(&[("remote-node", &["guest1", "guest2"])]);
        let mut operations = String::new();
        for (name, interval) in [("monitor", "10s"), ("start", "0"), ("stop", "0")] {
            if self.numbers.percent(40) {
                let operation = self.id("op");
                let fails = [
                    "ignore", "block", "stop", "restart", "fence", "standby", "demote",
                ];
                let on_fail = if self.numbers.percent(40) {
                    format!(r#" on-fail="{}""#, self.numbers.pick(&fails))
                } else {
                    String::new()
                };
                let _ = write!(
                    operations,
                    r#"<op id="{operation}" name="{name}" interval="{interval}"{on_fail}/>"#
                );
            }
        }
        let parameters = self.pairs(
            "instance_attributes",
            &[
                ("host_list", &["a b", "10.0.0.1  10.0.0.2"]),
                ("multiplier", &["100", "x"]),
                ("name", &["pingd", "seen"]),
            ],
            if agent == "ping" { 70 } else { 5 },
        );
        format!(
            r#"<primitive id="{id}" {xml_agent}>{meta}{parameters}<operations>{operations}</operations></primitive>"#
        )
    }

    fn group(&mut self, is_clone: bool) -> String {
        let id = self.id("group");
        let meta = self.meta(&[]);
        let members = 1 + self.numbers.below(3);
        let inside: String = (0..members).map(|_| self.primitive(is_clone)).collect();
        format!(r#"<group id="{id}">{meta}{inside}</group>"#)
    }

    fn resource(&mut self) -> String {
        match self.numbers.below(10) {
            0..=3 => self.primitive(false),
            4..=5 => self.group(false),
            6..=8 => {
                let id = self.id("clone");
                let meta = self.meta(&[
                    ("promotable", &["true", "true", "false"]),
                    ("globally-unique", &["true", "false"]),
                    ("clone-max", &["0", "1", "2", "3"]),
                    ("clone-node-max", &["1", "2"]),
                    ("promoted-max", &["1", "2"]),
                    ("promotable", &["true"]),
                ]);
                let inside = if self.numbers.percent(70) {
                    self.primitive(true)
                } else {
                    self.group(true)
                };
                format!(r#"<clone id="{id}">{meta}{inside}</clone>"#)
            }
            _ => self.bundle(),
        }
    }

    fn bundle(&mut self) -> String {
        let id = self.id("bundle");
        let meta = self.meta(&[]);
        let kind = self.numbers.pick(&["docker", "podman", "rkt"]);
        let replicas = 1 + self.numbers.below(3);
        let range = self.numbers.percent(60);
        let network = if range {
            r#"<network ip-range-start="192.168.122.131" control-port="3121"/>"#
        } else {
            r#"<network control-port="3121"/>"#
        };
        for replica in 0..replicas {
            let container = format!("{id}-{kind}-{replica}");
            self.in_history.push((
                container,
                r#"class="ocf" provider="heartbeat" type="podman""#,
            ));
            if range {
                let ip = format!("{id}-ip-192.168.122.{}", 131 + replica);
                self.in_history
                    .push((ip, r#"class="ocf" provider="heartbeat" type="IPaddr2""#));
            }
            self.in_history.push((
                format!("{id}-{replica}"),
                r#"class="ocf" provider="pacemaker" type="remote""#,
            ));
        }
        let inside = if self.numbers.percent(70) {
            self.primitive(false)
        } else {
            String::new()
        };
        let unique = if self.numbers.percent(30) {
            r#" replicas-per-host="2""#
        } else {
            ""
        };
        format!(
            r#"<bundle id="{id}">{meta}<{kind} image="pcmk:latest" replicas="{replicas}"{unique}/>{network}{inside}</bundle>"#
        )
    }

    fn history(&mut self) -> String {
        let mut all = String::new();
        for (id, agent) in self.in_history.clone() {
            if self.numbers.percent(55) {
                continue;
            }
            let mut operations = String::new();
            for call in 0..=self.numbers.below(4) {
                let (task, interval, right) = self.numbers.pick(&[
                    ("monitor", "0", "7"),
                    ("start", "0", "0"),
                    ("start", "0", "0"),
                    ("monitor", "10000", "0"),
                    ("monitor", "11000", "8"),
                    ("promote", "0", "0"),
                    ("demote", "0", "0"),
                    ("stop", "0", "0"),
                    ("migrate_to", "0", "0"),
                    ("migrate_from", "0", "0"),
                    ("notify", "0", "0"),
                ]);
                let code = if self.numbers.percent(70) {
                    right
                } else {
                    self.numbers
                        .pick(&["0", "1", "2", "5", "6", "7", "8", "9", "190", "191"])
                };
                let status = match self.numbers.below(20) {
                    0 => "-1",
                    1 => "2",
                    2 => "4",
                    3 => "7",
                    _ => "0",
                };
                let (code, number) = if status == "-1" {
                    ("193", "-1".to_owned())
                } else {
                    (code, (call + 1 + self.numbers.below(9)).to_string())
                };
                let migration = if task.starts_with("migrate") {
                    let from = self.numbers.below(NODES.len());
                    let to = (from + 1 + self.numbers.below(NODES.len() - 1)) % NODES.len();
                    let (from, to) = (NODES[from], NODES[to]);
                    format!(r#" migrate_source="{from}" migrate_target="{to}""#)
                } else {
                    String::new()
                };
                let time = 1_600_000_000 + self.numbers.below(3);
                let last = if self.numbers.percent(30) {
                    "last_failure"
                } else {
                    "last"
                };
                let key = self.id("entry");
                let _ = write!(
                    operations,
                    r#"<lrm_rsc_op id="{id}_{last}_{key}" operation_key="{id}_{task}_{interval}" operation="{task}" crm-debug-origin="x" crm_feature_set="3.16.2" transition-key="3:4:{right}:11111111-2222-3333-4444-555555555555" transition-magic="{status}:{code};3:4:{right}:11111111-2222-3333-4444-555555555555" exit-reason="" call-id="{number}" rc-code="{code}" op-status="{status}" interval="{interval}" last-rc-change="{time}" exec-time="10" queue-time="0"{migration}/>"#
                );
            }
            let _ = write!(
                all,
                r#"<lrm_resource id="{id}" {agent}>{operations}</lrm_resource>"#
            );
        }
        all
    }
}

/// Returns a CIB in which anything may be.
pub(crate) fn cib(numbers: &mut Numbers) -> Document {
    let mut maker = Maker {
        numbers,
        next: 0,
        in_history: Vec::new(),
    };
    let options = maker.pairs(
        "cluster_property_set",
        &[
            ("stonith-enabled", &["true", "false", "false"]),
            (
                "no-quorum-policy",
                &["stop", "ignore", "freeze", "suicide", "demote"],
            ),
            ("symmetric-cluster", &["true", "false"]),
            ("maintenance-mode", &["true", "false"]),
            ("startup-fencing", &["false"]),
            ("stop-all-resources", &["true"]),
            ("stop-orphan-resources", &["false"]),
            ("shutdown-lock", &["true"]),
            (
                "node-health-strategy",
                &["only-green", "custom", "migrate-on-red"],
            ),
            ("cluster-infrastructure", &["corosync"]),
            ("dc-version", &["2.1.5-1"]),
        ],
        30,
    );
    let count = 1 + maker.numbers.below(NODES.len());
    let mut nodes = String::new();
    for (at, name) in NODES.iter().take(count).enumerate() {
        let attributes = maker.pairs(
            "instance_attributes",
            &[
                ("standby", &["on", "off"]),
                ("maintenance", &["true", "false"]),
                ("site", &["a", "b"]),
                ("#health-disk", &["red", "yellow", "green"]),
            ],
            12,
        );
        let _ = write!(
            nodes,
            r#"<node id="{}" uname="{name}">{attributes}</node>"#,
            at + 1
        );
    }
    let wanted = maker.numbers.below(6);
    let resources: String = (0..wanted).map(|_| maker.resource()).collect();
    let mut states = String::new();
    let mut names: Vec<(String, &str)> = Vec::new();
    names.extend(
        NODES
            .iter()
            .take(count)
            .enumerate()
            .map(|(at, &name)| ((at + 1).to_string(), name)),
    );
    for remote in ["guest1", "guest2"] {
        if maker.numbers.percent(20) {
            names.push((remote.to_owned(), remote));
        }
    }
    for (id, name) in names {
        if maker.numbers.percent(8) {
            continue;
        }
        let state = if id == name {
            r#"remote_node="true""#
        } else {
            maker.numbers.pick(&[
                r#"in_ccm="true" crmd="online" join="member" expected="member""#,
                r#"in_ccm="true" crmd="online" join="member" expected="member""#,
                r#"in_ccm="true" crmd="online" join="member" expected="member""#,
                r#"in_ccm="false" crmd="offline" join="down" expected="down""#,
                r#"in_ccm="false" crmd="offline" join="down" expected="member""#,
                r#"in_ccm="true" crmd="online" join="pending" expected="member""#,
                r#"in_ccm="true" crmd="offline" join="down" expected="member""#,
            ])
        };
        let transient = maker.pairs(
            "instance_attributes",
            &[
                ("pingd", &["0", "100", "200"]),
                ("seen", &["1", "2"]),
                ("shutdown", &["0", "1600000000"]),
                ("terminate", &["true"]),
                ("probe_complete", &["true"]),
                ("#feature-set", &["3.16.2", "3.16.1"]),
                ("fail-count-rsc1#monitor_10000", &["1", "INFINITY"]),
                ("last-failure-rsc1#monitor_10000", &["1600000000"]),
            ],
            12,
        );
        let transient = if transient.is_empty() {
            transient
        } else {
            format!(r#"<transient_attributes id="{id}">{transient}</transient_attributes>"#)
        };
        let history = maker.history();
        let _ = write!(
            states,
            r#"<node_state id="{id}" uname="{name}" {state} crm-debug-origin="x">{transient}<lrm id="{id}"><lrm_resources>{history}</lrm_resources></lrm></node_state>"#
        );
    }
    let mut constraints = String::new();
    for (rsc, _) in maker.in_history.clone() {
        if maker.numbers.percent(10) {
            let (id, node) = (maker.id("ban"), maker.numbers.pick(&NODES));
            let score = maker.numbers.pick(&["-INFINITY", "-5", "100"]);
            let _ = write!(
                constraints,
                r#"<rsc_location id="cli-{id}" rsc="{rsc}" node="{node}" score="{score}"/>"#
            );
        }
        if maker.numbers.percent(5) {
            let id = maker.id("ticket");
            let policy = maker.numbers.pick(&["stop", "freeze", "fence", "demote"]);
            let _ = write!(
                constraints,
                r#"<rsc_ticket id="{id}" rsc="{rsc}" ticket="T" loss-policy="{policy}"/>"#
            );
        }
    }
    let quorum = if maker.numbers.percent(85) { 1 } else { 0 };
    let dc = if maker.numbers.percent(85) {
        r#" dc-uuid="1""#
    } else {
        ""
    };
    let schema = if maker.numbers.percent(50) {
        "none"
    } else {
        "pacemaker-3.7"
    };
    let defaults = maker.meta(&[]);
    let text = format!(
        r#"<cib crm_feature_set="3.16.2" validate-with="{schema}" epoch="1" num_updates="0" admin_epoch="0" have-quorum="{quorum}"{dc}><configuration><crm_config>{options}</crm_config><nodes>{nodes}</nodes><resources>{resources}</resources><constraints>{constraints}</constraints><rsc_defaults>{defaults}</rsc_defaults></configuration><status>{states}</status></cib>"#
    );
    Document::parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}
