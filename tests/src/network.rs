//! The three networks: bridges in the lab's own network namespace, one port for each machine.

use std::fmt;
use std::str::FromStr;

use ha_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// A network of the lab; every machine has one interface in each that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Link {
    /// `eth0`, 192.168.0.0/24, with the gateway at .1.
    Academie,
    /// `eth1`, 172.30.101.0/24, with the gateway at .1.
    Interco,
    /// `eth2`, 10.0.254.0/24, for the cluster alone.
    Ha1,
}

impl Link {
    /// All of them, in the order of their interfaces.
    pub const ALL: [Self; 3] = [Self::Academie, Self::Interco, Self::Ha1];

    /// Returns EOLE's name of the network.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Academie => "academie",
            Self::Interco => "interco",
            Self::Ha1 => "ha1",
        }
    }

    /// Returns the name of the interface inside a machine.
    #[must_use]
    pub fn interface(self) -> &'static str {
        match self {
            Self::Academie => "eth0",
            Self::Interco => "eth1",
            Self::Ha1 => "eth2",
        }
    }

    /// Returns the address of a host in this network (`/24`).
    #[must_use]
    pub fn address(self, host: u8) -> String {
        let net = match self {
            Self::Academie => "192.168.0",
            Self::Interco => "172.30.101",
            Self::Ha1 => "10.0.254",
        };
        format!("{net}.{host}")
    }

    /// Returns the name of the switch port that a host is plugged into.
    pub(crate) fn port(self, host: u8) -> String {
        format!("{}.{host}", self.name())
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Link {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|l| l.name() == s || l.interface() == s)
            .ok_or_else(|| {
                Error::invalid(format!(
                    "no link '{s}': academie (eth0), interco (eth1) or ha1 (eth2)"
                ))
            })
    }
}

/// Returns the `ip -batch` text that makes the bridges.
pub(crate) fn bridges() -> String {
    let mut text = "link set lo up\n".to_owned();
    for link in Link::ALL {
        // Snooping without a querier forgets the multicast group after some minutes.
        text += &format!("link add {link} type bridge mcast_snooping 0\nlink set {link} up\n");
    }
    text
}

/// The state of a machine's cable to a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cable {
    #[default]
    Whole,
    /// Nothing passes, but both ends have a carrier.
    Cut,
    Unplugged,
}

/// Returns the `ip -batch` text that sets the state of a cable.
pub(crate) fn set_port(host: u8, link: Link, cable: Cable) -> String {
    let port = link.port(host);
    match cable {
        Cable::Whole => format!("link set {port} master {link} up\n"),
        Cable::Cut => format!("link set {port} nomaster up\n"),
        Cable::Unplugged => format!("link set {port} master {link} down\n"),
    }
}

/// Returns the `ip -batch` text that plugs a machine (its PID 1 seen from the host) in.
pub(crate) fn plug(host: u8, pid: u32, cables: impl Iterator<Item = (Link, Cable)>) -> String {
    let mut text = String::new();
    for (link, cable) in cables {
        let (port, eth) = (link.port(host), link.interface());
        // As a real machine, it comes back with the same address after a power cut: its peers would
        // go on sending to the one that they remember.
        let mac = format!("02:4c:41:42:{:02x}:{host:02x}", link as u8);
        text += &format!("link add {port} type veth peer name {eth} address {mac} netns {pid}\n");
        text += &set_port(host, link, cable);
    }
    text
}

/// An address of the gateway that nodes reach by their default route: the world.
pub const WORLD: &str = "203.0.113.1";

/// Returns the `ip -batch` text that makes the gateway answer for the world.
pub(crate) fn beyond() -> String {
    format!("addr add {WORLD}/32 dev lo\n")
}

/// Returns the `ip -batch` text that a machine runs for its own interfaces.
pub(crate) fn configure(host: u8, links: &[Link], gateway: Option<u8>) -> String {
    let mut text = "link set lo up\n".to_owned();
    for link in links {
        let (eth, address) = (link.interface(), link.address(host));
        text += &format!("addr add {address}/24 brd + dev {eth}\nlink set {eth} up\n");
    }
    if links.contains(&Link::Ha1) {
        text += &format!("route add 239.0.0.0/8 dev {}\n", Link::Ha1.interface());
    }
    if let Some(gateway) = gateway {
        let (via, eth) = (Link::Academie.address(gateway), Link::Academie.interface());
        text += &format!("route add default via {via} dev {eth}\n");
    }
    text
}

/// Tells whether a table of the kernel (`/proc/PID/net/tcp`) has a socket that listens on a port.
pub(crate) fn listens(table: &str, port: u16) -> bool {
    let port = format!(":{port:04X}");
    table.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let local = fields.next().unwrap_or_default();
        // 0A is a listening socket.
        local.ends_with(&port) && fields.nth(1) == Some("0A")
    })
}

#[cfg(test)]
mod tests {
    use super::listens;

    #[test]
    fn a_listening_socket_is_found_by_its_port() {
        let table = "  sl  local_address rem_address   st tx_queue\n   \
                     0: 00000000:0016 00000000:0000 0A 00000000:00000000\n   \
                     1: 0B00A8C0:01BB 0100A8C0:0017 01 00000000:00000000\n";
        assert!(listens(table, 22));
        assert!(!listens(table, 443));
        assert!(!listens(table, 23));
    }
}
