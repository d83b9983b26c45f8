//! What a cluster node has on its disk when it starts for the first time.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use ha_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::network::Link;

/// How Corosync talks to its peers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Multicast on `ha1`, as EOLE has it.
    #[default]
    Udp,
    /// Two unicast links, `ha1` and `interco`.
    Knet,
}

impl Transport {
    /// The networks that Corosync talks in.
    pub(crate) fn links(self) -> &'static [Link] {
        match self {
            Self::Udp => &[Link::Ha1],
            Self::Knet => &[Link::Ha1, Link::Interco],
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Knet => "knet",
        })
    }
}

impl FromStr for Transport {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        match s {
            "udp" => Ok(Self::Udp),
            "knet" => Ok(Self::Knet),
            _ => Err(Error::invalid(format!("no transport '{s}': udp or knet"))),
        }
    }
}

/// A file that the machine writes on its disk at its first start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SeedFile {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) mode: u32,
    /// `user:group`, by the machine's own tables.
    pub(crate) owner: String,
}

impl SeedFile {
    pub(crate) fn new(path: &str, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            mode: 0o644,
            owner: "root:root".into(),
        }
    }

    pub(crate) fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    pub(crate) fn owner(mut self, owner: &str) -> Self {
        self.owner = owner.into();
        self
    }
}

/// Returns `corosync.conf` for the nodes, whose numbers are 1, 2, ... in order.
pub(crate) fn corosync_conf(transport: Transport, token: u32, nodes: &[(&str, u8)]) -> String {
    let mut text = format!(
        "totem {{\n    version: 2\n    cluster_name: sphynx\n    token: {token}\n    crypto_cipher: none\n    crypto_hash: none\n",
    );
    text += match transport {
        Transport::Udp => {
            "    transport: udp\n    interface {\n        ringnumber: 0\n        mcastaddr: 239.192.101.1\n        mcastport: 5405\n    }\n"
        }
        Transport::Knet => "    transport: knet\n",
    };
    text += "}\nnodelist {\n";
    for (id, (name, host)) in (1..).zip(nodes) {
        let _ = write!(
            text,
            "    node {{\n        name: {name}\n        nodeid: {id}\n"
        );
        for (ring, link) in transport.links().iter().enumerate() {
            let _ = writeln!(text, "        ring{ring}_addr: {}", link.address(*host));
        }
        text += "    }\n";
    }
    text += "}\nquorum {\n    provider: corosync_votequorum\n";
    if nodes.len() == 2 {
        text += "    two_node: 1\n";
    }
    text += "}\nlogging {\n    to_stderr: no\n    to_syslog: no\n    to_logfile: yes\n    logfile: /var/log/corosync/corosync.log\n    timestamp: hires\n}\n";
    text
}

/// Returns `/etc/hosts`, the same on every machine.
pub(crate) fn hosts<'a>(machines: impl Iterator<Item = (&'a str, u8, &'a [Link])>) -> String {
    let mut text = String::from("127.0.0.1 localhost\n");
    for (name, host, links) in machines {
        // The last link is the cluster's own network where there is one.
        if let Some((own, others)) = links.split_last() {
            let _ = writeln!(text, "{} {name}", own.address(host));
            for link in others {
                let _ = writeln!(text, "{} {name}-{link}", link.address(host));
            }
        }
    }
    text
}
