//! What is wrong or doubtful in a file, before corosync sees it.

use std::fmt;
use std::net::IpAddr;

use super::allowed::{range_of, words_of};
use super::config::Transport;
use super::file::{File, Section};
use super::network::Network;

/// Something wrong or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The full name of the value (`nodelist.node.0.nodeid`, nodes counted from 0), or of what is missing.
    pub path: String,
    /// Its line, when the file was read.
    pub line: Option<usize>,
    /// Corosync refuses the file for it; otherwise it starts and does not what is meant.
    pub refused: bool,
    /// What is wrong.
    pub what: String,
    /// What would do.
    pub fix: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {}; {}", self.path, self.what, self.fix)
    }
}

/// Looks a file over: what `corosync -t` refuses (3.1.7), and what it takes and does otherwise than meant.
///
/// What depends on the machine is not looked at: whether one of the addresses is its own, names that must resolve, the key file.
#[must_use]
pub fn check(file: &File) -> Vec<Fault> {
    let mut checks = Checks {
        file,
        faults: Vec::new(),
    };
    match File::parse(&file.to_string()) {
        Ok(again) if again == *file => {}
        Ok(_) => checks.add(
            true,
            "file",
            "a name or a value would be read back otherwise",
            "no line ends or blanks around it, no braces in it",
        ),
        Err(e) => checks.add(true, "file", &e.to_string(), e.hint().unwrap_or("mend it")),
    }
    checks.values();
    checks.timers();
    checks.crypto();
    checks.nodes();
    checks.addresses();
    checks.interfaces();
    checks.quorum();
    checks.faults
}

/// Tells which addresses of nodes are outside the network of their link: `networks[0]` is that of link 0. Host names pass.
#[must_use]
pub fn check_networks(file: &File, networks: &[Network]) -> Vec<Fault> {
    let mut checks = Checks {
        file,
        faults: Vec::new(),
    };
    for (link, network) in networks.iter().enumerate() {
        for (position, node) in checks.node_sections().into_iter().enumerate() {
            let key = format!("ring{link}_addr");
            let Some(text) = node.get(&key) else { continue };
            if text.parse().is_ok_and(|address| !network.contains(address)) {
                checks.add(
                    false,
                    &format!("nodelist.node.{position}.{key}"),
                    &format!("{text} is not in {network}, the network of link {link}"),
                    "give the address that the node has on that network",
                );
            }
        }
    }
    checks.faults
}

struct Checks<'a> {
    file: &'a File,
    faults: Vec<Fault>,
}

impl<'a> Checks<'a> {
    fn add(&mut self, refused: bool, path: &str, what: &str, fix: &str) {
        let values = self.file.values();
        let line = values.iter().rev().find(|named| named.path == path);
        self.faults.push(Fault {
            path: path.to_owned(),
            line: line.and_then(|named| named.value.line()),
            refused,
            what: what.to_owned(),
            fix: fix.to_owned(),
        });
    }

    fn get(&self, path: &str) -> Option<&'a str> {
        let values = self.file.values();
        let found = values.iter().rev().find(|named| named.path == path)?;
        Some(found.value.value())
    }

    fn number(&self, path: &str) -> Option<u32> {
        self.get(path)?.parse().ok()
    }

    fn node_sections(&self) -> Vec<&'a Section> {
        let lists = self.file.root.sections().filter(|s| s.name() == "nodelist");
        let nodes = lists.flat_map(Section::sections);
        nodes.filter(|s| s.name() == "node").collect()
    }

    fn transport(&self) -> Option<Transport> {
        self.get("totem.transport")
            .map_or(Some(Transport::Knet), |word| word.parse().ok())
    }

    /// Each value by itself.
    fn values(&mut self) {
        for named in self.file.values() {
            let (path, text) = (named.path.as_str(), named.value.value());
            if let Some(range) = range_of(path) {
                let number = text.parse::<i64>().ok().filter(|_| text.trim() == text);
                if !number.is_some_and(|number| range.contains(&number)) {
                    let fix = format!(
                        "write a whole number from {} to {}",
                        range.start(),
                        range.end()
                    );
                    self.add(
                        true,
                        path,
                        &format!("\"{text}\" is not a number that it takes"),
                        &fix,
                    );
                }
            } else if let Some(words) = words_of(path)
                && !words.contains(&text)
            {
                let what = format!("\"{text}\" is not known here");
                let fix = format!("write one of: {}", words.join(" "));
                self.add(true, path, &what, &fix);
            }
        }
        if self.number("totem.version") != Some(2) {
            self.add(
                true,
                "totem.version",
                "the version is not 2",
                "write \"version: 2\" in totem",
            );
        }
    }

    /// The real token time-out: corosync adds 650 for each node beyond the second.
    fn token(&self) -> u64 {
        let base = self
            .number("totem.token")
            .filter(|&n| n > 0)
            .map_or(3000, u64::from);
        let each = self
            .number("totem.token_coefficient")
            .map_or(650, u64::from);
        let nodes = self.node_sections().len() as u64;
        base + nodes.saturating_sub(2) * each
    }

    fn timers(&mut self) {
        for (key, least) in [
            ("token", 30),
            ("token_retransmit", 30),
            ("hold", 14),
            ("join", 30),
            ("consensus", 30),
            ("merge", 30),
            ("downcheck", 30),
        ] {
            let path = format!("totem.{key}");
            // More nodes make a longer token.
            let real = |ms| {
                if key == "token" {
                    self.token()
                } else {
                    u64::from(ms)
                }
            };
            let set = self.number(&path).filter(|&ms| ms > 0);
            if set.is_some_and(|ms| real(ms) < least) {
                self.add(
                    true,
                    &path,
                    &format!("less than {least} ms"),
                    &format!("write {least} or more, or leave it out"),
                );
            }
        }
        let set = |path| self.number(path).filter(|&ms: &u32| ms > 0).map(u64::from);
        let (token, join) = (self.token(), set("totem.join").unwrap_or(50));
        let tries = set("totem.token_retransmits_before_loss_const").unwrap_or(4);
        let least = 30 * tries + 6;
        let retransmit = set("totem.token_retransmit");
        let consensus = set("totem.consensus");
        if retransmit.is_none() && token < least {
            let what = format!("{token} ms are too few to send the token again {tries} times");
            self.add(
                true,
                "totem.token",
                &what,
                &format!("write {least} or more"),
            );
        }
        let waits = consensus.unwrap_or(token * 6 / 5);
        if waits < join {
            let what = format!("{join} ms, more than consensus ({waits} ms)");
            self.add(
                true,
                "totem.join",
                &what,
                "write less than consensus, which is 1.2 x token by default",
            );
        } else if consensus.is_some_and(|ms| ms * 5 < token * 6) {
            let fix = format!(
                "leave it out: corosync then takes {} (1.2 x token)",
                token * 6 / 5
            );
            self.add(false, "totem.consensus", "less than 1.2 x token", &fix);
        }
    }

    fn crypto(&mut self) {
        let secauth = self.get("totem.secauth") == Some("on");
        let of = |path, default| {
            self.get(path)
                .unwrap_or(if secauth { default } else { "none" })
        };
        let cipher = of("totem.crypto_cipher", "aes256");
        let hash = of("totem.crypto_hash", "sha256");
        if cipher != "none" && hash == "none" {
            self.add(
                true,
                "totem.crypto_cipher",
                "a cipher without a hash",
                "write crypto_hash: sha256 too",
            );
        }
        if (cipher != "none" || hash != "none") && self.transport() != Some(Transport::Knet) {
            self.add(
                true,
                "totem.transport",
                "only knet encrypts",
                "write transport: knet, or leave the crypto keys out",
            );
        }
    }

    fn nodes(&mut self) {
        let nodes = self.node_sections();
        let knet = self.transport() == Some(Transport::Knet);
        for (position, node) in nodes.iter().enumerate() {
            let at = |key: &str| format!("nodelist.node.{position}.{key}");
            let earlier = &nodes[..position];
            let id = node
                .get("nodeid")
                .and_then(|id| id.parse::<u32>().ok())
                .filter(|&id| id > 0);
            match id {
                None => self.add(
                    knet,
                    &at("nodeid"),
                    "no number",
                    "give each node a nodeid from 1, which stays its own",
                ),
                Some(id) => {
                    let same = |other: &&Section| {
                        other.get("nodeid").and_then(|o| o.parse().ok()) == Some(id)
                    };
                    if earlier.iter().any(same) {
                        self.add(
                            true,
                            &at("nodeid"),
                            &format!("{id} is another node's number too"),
                            "give each node its own",
                        );
                    }
                }
            }
            match node.get("name") {
                None => self.add(
                    false,
                    &at("name"),
                    "no name",
                    "write the host's name, as uname -n says it",
                ),
                Some(name) => {
                    if earlier.iter().any(|other| other.get("name") == Some(name)) {
                        self.add(
                            false,
                            &at("name"),
                            &format!("{name} is another node's name too"),
                            "write each host's own name",
                        );
                    }
                    if name.len() > 64 || name.is_empty() {
                        self.add(
                            false,
                            &at("name"),
                            "no host has such a name: 1 to 64 bytes",
                            "write the host's name, as uname -n says it",
                        );
                    }
                }
            }
        }
    }

    fn addresses(&mut self) {
        let nodes = self.node_sections();
        let one_link = self.transport() != Some(Transport::Knet);
        let links = |node: &Section| -> Vec<u8> {
            let key = |v: &super::Value| {
                v.key()
                    .strip_prefix("ring")?
                    .strip_suffix("_addr")?
                    .parse()
                    .ok()
            };
            let mut links: Vec<u8> = node.values().filter_map(key).collect();
            links.sort_unstable();
            links.dedup();
            links
        };
        let first = nodes.first().map(|node| links(node)).unwrap_or_default();
        let mut seen: Vec<&str> = Vec::new();
        for (position, node) in nodes.iter().enumerate() {
            let at = |link: u8| format!("nodelist.node.{position}.ring{link}_addr");
            let own = links(node);
            if !own.contains(&0) {
                self.add(
                    false,
                    &at(0),
                    "no address: corosync passes over the node",
                    "give its address on link 0",
                );
                continue;
            }
            if own != first && position > 0 {
                self.add(
                    true,
                    &at(0),
                    "not the links that the first node has",
                    "give all nodes an address on each link",
                );
            }
            let most = if one_link { 0 } else { 7 };
            if let Some(&link) = own.iter().find(|&&link| link > most) {
                self.add(
                    true,
                    &at(link),
                    "more links than the transport has",
                    "knet has links 0 to 7, udp and udpu have link 0",
                );
            }
            for link in own {
                let key = format!("ring{link}_addr");
                let Some(text) = node.get(&key) else { continue };
                if seen.contains(&text) {
                    self.add(
                        false,
                        &at(link),
                        &format!("{text} is there twice"),
                        "give each node its own address on each link",
                    );
                }
                seen.push(text);
                let family = |text: &str| text.parse::<IpAddr>().ok().map(|ip| ip.is_ipv4());
                let other = nodes[0].get(&key).and_then(family);
                if family(text).is_some() && other.is_some() && family(text) != other {
                    self.add(
                        true,
                        &at(link),
                        "IPv4 and IPv6 on one link",
                        "give addresses of one kind",
                    );
                }
                let v4 = matches!(self.get("totem.ip_version"), None | Some("ipv4"));
                if self.transport() == Some(Transport::Udp) && family(text) == Some(false) && v4 {
                    self.add(
                        true,
                        &at(link),
                        "udp takes IPv4 by default",
                        "write ip_version: ipv6 in totem",
                    );
                }
            }
        }
        if nodes.is_empty() && self.transport() != Some(Transport::Udp) {
            self.add(
                true,
                "nodelist",
                "no nodes",
                "list each node with name, nodeid and ring0_addr",
            );
        }
    }

    fn interfaces(&mut self) {
        let udp = self.transport() == Some(Transport::Udp);
        let listed = !self.node_sections().is_empty();
        let mut group = self
            .get("totem.cluster_name")
            .is_some_and(|name| !name.is_empty());
        for named in self.file.values() {
            let Some(rest) = named.path.strip_prefix("totem.interface.") else {
                continue;
            };
            let (link, key) = rest.split_once('.').unwrap_or((rest, ""));
            let text = named.value.value();
            match key {
                "mcastaddr" if udp => {
                    group |= link == "0";
                    if !text.parse().is_ok_and(|ip: IpAddr| ip.is_multicast()) {
                        self.add(
                            true,
                            &named.path,
                            &format!("\"{text}\" is not a multicast address"),
                            "write one of 239.0.0.0/8, such as 239.192.101.1",
                        );
                    }
                }
                "bindnetaddr" if listed => self.add(
                    false,
                    &named.path,
                    "corosync takes the nodes' addresses instead",
                    "leave it out, and give as ring0_addr the address on that interface",
                ),
                "ringnumber" if text != "0" => self.add(
                    false,
                    &named.path,
                    "corosync 3.1 does not read it, and takes this for link 0",
                    "write linknumber",
                ),
                "mcastport" if text == "0" => {
                    self.add(
                        false,
                        &named.path,
                        "no port",
                        "write 5405, which is the default, or another",
                    );
                }
                _ => {}
            }
        }
        if udp && !group {
            self.add(
                true,
                "totem.cluster_name",
                "neither a name nor a multicast address",
                "write cluster_name, or mcastaddr in interface",
            );
        }
        if udp
            && !listed
            && !self
                .file
                .values()
                .iter()
                .any(|n| n.path.ends_with(".bindnetaddr"))
        {
            self.add(
                true,
                "nodelist",
                "neither nodes nor an interface",
                "list each node with name, nodeid and ring0_addr",
            );
        }
    }

    fn quorum(&mut self) {
        let nodes = self.node_sections().len();
        if self.get("quorum.provider") != Some("corosync_votequorum") {
            self.add(
                false,
                "quorum.provider",
                "nobody decides on quorum, and Pacemaker does not work",
                "write provider: corosync_votequorum in quorum",
            );
        }
        let two = self.number("quorum.two_node").is_some_and(|n| n != 0);
        let votes = self.number("quorum.expected_votes");
        let count = if nodes == 0 {
            votes.unwrap_or(0) as usize
        } else {
            nodes
        };
        if two && count != 2 {
            self.add(
                false,
                "quorum.two_node",
                &format!("for two nodes, not {count}"),
                "remove it",
            );
        }
        if two && self.number("quorum.wait_for_all") == Some(0) {
            self.add(
                false,
                "quorum.wait_for_all",
                "off with two_node: after a start both nodes may run everything",
                "leave it out: two_node turns it on",
            );
        }
        if nodes == 2
            && !two
            && self
                .file
                .sections("quorum")
                .all(|s| s.sections().next().is_none())
        {
            self.add(
                false,
                "quorum.two_node",
                "one of two nodes has no quorum alone: no fail-over",
                "write two_node: 1",
            );
        }
        if self
            .get("logging.to_logfile")
            .is_some_and(|v| v == "yes" || v == "on")
            && self.get("logging.logfile").is_none()
        {
            self.add(
                false,
                "logging.logfile",
                "to_logfile without a file",
                "write logfile: /var/log/corosync/corosync.log",
            );
        }
    }
}
