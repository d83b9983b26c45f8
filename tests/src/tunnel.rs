//! A tunnel between a remote Amon and the pair, with the real strongSwan.
//!
//! `amon` is in the network `academie`, with a network of its own behind it. Behind the pair is
//! `interco`, where the gateway plays a host. The kernel needs no ESP: strongSwan does it in user space
//! (`kernel-libipsec`), in UDP, through a TUN device.

use crate::config::SeedFile;
use crate::network::Link;
use crate::options::GATEWAY_HOST;
use crate::sphynx::{VIP_EXTERNE, VIP_INTERNE};

/// The address of `amon` in its own network, at the other end of the tunnel.
pub const AMON_LAN: &str = "10.1.2.1";
const AMON_NETWORK: &str = "10.1.2.0/24";
const INTERCO_NETWORK: &str = "172.30.101.0/24";

/// The name of the connection, on both ends.
pub const CONNECTION: &str = "sphynx-amon";

/// How often `amon` asks whether the other end lives.
const PEER_ASKED_EVERY: &str = "2s";

/// What strongSwan writes on all machines.
pub const LOG: &str = "/var/log/charon.log";

/// How strongSwan starts where no cluster does it. A program and its arguments.
pub(crate) const DAEMON: (&str, [&str; 2]) = ("ipsec", ["start", "--nofork"]);

/// The address of the host behind the pair.
#[must_use]
pub fn host_behind() -> String {
    Link::Interco.address(GATEWAY_HOST)
}

/// What a cluster node has on its disk for it: both have the same, and only the one that has the
/// address can use it.
pub(crate) fn files_of_node() -> Vec<SeedFile> {
    // It waits for the other end, and forgets one that is gone.
    files(
        &SPHYNX,
        &AMON,
        "auto=add\n    dpdaction=clear\n    dpddelay=5s",
    )
}

/// What `amon` has on its disk: it begins, and begins anew when the other end is lost.
pub(crate) fn files_of_amon() -> Vec<SeedFile> {
    let begins = format!(
        "auto=start\n    dpdaction=restart\n    dpddelay={PEER_ASKED_EVERY}\n    closeaction=restart\n    keyingtries=%forever"
    );
    files(&AMON, &SPHYNX, &begins)
}

/// What `amon` does with its interfaces, for `ip -batch`.
pub(crate) fn interfaces_of_amon() -> String {
    // Without the tunnel nothing gets there: no other way, as by its default route, may do for it.
    let nobody = Link::Academie.address(254);
    format!("addr add {AMON_LAN}/32 dev lo\nroute add {INTERCO_NETWORK} via {nobody} metric 9\n")
}

/// What the host behind the pair does.
pub(crate) fn interfaces_of_host() -> String {
    format!("route add {AMON_NETWORK} via {VIP_INTERNE}\n")
}

/// One end of the tunnel.
struct End {
    id: &'static str,
    address: &'static str,
    network: &'static str,
}

const SPHYNX: End = End {
    id: "sphynx",
    address: VIP_EXTERNE,
    network: INTERCO_NETWORK,
};

const AMON: End = End {
    id: "amon",
    address: "192.168.0.2",
    network: AMON_NETWORK,
};

fn files(left: &End, right: &End, how: &str) -> Vec<SeedFile> {
    let ends: String = [("left", left), ("right", right)]
        .into_iter()
        .map(|(side, end)| {
            let End {
                id,
                address,
                network,
            } = end;
            format!("    {side}={address}\n    {side}id=@{id}\n    {side}subnet={network}\n")
        })
        .collect();
    let connection = format!(
        "conn {CONNECTION}\n    keyexchange=ikev2\n    ike=aes256-sha256-modp2048!\n    \
         esp=aes256-sha256!\n    authby=secret\n    mobike=no\n{ends}    {how}\n"
    );
    vec![
        SeedFile::new("/etc/ipsec.conf", connection),
        SeedFile::new(
            "/etc/ipsec.secrets",
            "@sphynx @amon : PSK \"for a lab, and for nothing else\"\n",
        )
        .mode(0o600),
        SeedFile::new("/etc/strongswan.conf", STRONGSWAN),
    ]
}

/// The plugins that are needed, and no other that the machine may have. As strongSwan comes, it takes
/// 165 s until it believes that its peer is lost: what is sent again, and how often, is what counts.
const STRONGSWAN: &str = "charon {
    load = random nonce aes sha1 sha2 hmac kdf gmp pem pkcs1 x509 pubkey revocation constraints kernel-libipsec kernel-netlink socket-default stroke updown
    retransmit_timeout = 1.0
    retransmit_base = 1.3
    retransmit_tries = 3
    filelog {
        log {
            path = /var/log/charon.log
            time_format = %T
            flush_line = yes
            default = 1
        }
    }
}
";
