//! What a lab is made of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ha_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::config::Transport;
use crate::network::Link;

/// What a lab is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
// A lab that another build of this program keeps may know fewer options.
#[serde(default)]
pub struct LabOptions {
    /// How many cluster nodes: `maitre`, `esclave`, `noeud3`, ... (2).
    pub nodes: u8,
    /// How Corosync talks (multicast on `ha1`).
    pub transport: Transport,
    /// After how many milliseconds without its token Corosync takes a node for lost (1000).
    pub token: u32,
    /// The root that the machines' disks are laid over (the host's own).
    pub tree: PathBuf,
    /// Other trees for some of the nodes, by name: several generations of Pacemaker in one cluster.
    pub node_trees: BTreeMap<String, PathBuf>,
    /// Host folders that the machines see, read-only, at the same place (Cargo's build folder of the
    /// running program, so that what is built next is seen at once).
    pub share: Vec<PathBuf>,
    /// Whether Corosync and Pacemaker are started and waited for (yes).
    pub start_cluster: bool,
    /// Whether OpenSSH's server runs on the cluster nodes and lets `root` in with
    /// [`ROOT_PASSWORD`](crate::ssh::ROOT_PASSWORD) (no).
    pub ssh: bool,
    /// Whether there is a remote machine `amon` with a tunnel to the pair, and strongSwan is the pair's
    /// service `ipsec` (no). See [`tunnel`](crate::tunnel).
    pub tunnel: bool,
    /// Whether PID 1 of the cluster nodes is systemd, which then starts all there is, and the services
    /// of the pair are its units (no).
    pub systemd: bool,
    /// How long the nodes may take to be Online (120 s; they usually need 5).
    pub limit: Duration,
}

impl Default for LabOptions {
    fn default() -> Self {
        Self {
            nodes: 2,
            transport: Transport::Udp,
            token: 1000,
            tree: PathBuf::from("/"),
            node_trees: BTreeMap::new(),
            share: build_folder().into_iter().collect(),
            start_cluster: true,
            ssh: false,
            tunnel: false,
            systemd: false,
            limit: Duration::from_secs(120),
        }
    }
}

impl LabOptions {
    /// Returns the root that a machine's disk is laid over.
    #[must_use]
    pub fn tree_of(&self, name: &str) -> &Path {
        self.node_trees.get(name).unwrap_or(&self.tree)
    }

    /// The machines and the last bytes of their addresses.
    pub(crate) fn machine_names(&self) -> Vec<(String, u8)> {
        let mut names = vec![(GATEWAY.to_owned(), GATEWAY_HOST)];
        if self.tunnel {
            names.push((AMON.to_owned(), AMON_HOST));
        }
        names.extend((0..self.nodes).map(|n| {
            let name = match n {
                0 => "maitre".to_owned(),
                1 => "esclave".to_owned(),
                _ => format!("noeud{}", n + 1),
            };
            (name, FIRST_HOST + n)
        }));
        names
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.nodes == 0 || self.nodes > 16 {
            return Err(Error::invalid(format!(
                "{} nodes: 1 to 16 wanted",
                self.nodes
            )));
        }
        let machines = self.machine_names();
        if let Some(name) = self
            .node_trees
            .keys()
            .find(|n| machines.iter().all(|(m, _)| m != *n))
        {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("a tree for '{name}', which is no machine of the lab"),
            ));
        }
        for tree in std::iter::once(&self.tree).chain(self.node_trees.values()) {
            if !tree.join("usr").is_dir() {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("{} is not the root of a Debian system", tree.display()),
                )
                .with_hint("make one: scripts/tree SUITE"));
            }
        }
        if self.tunnel && !Path::new("/dev/net/tun").exists() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "no /dev/net/tun: strongSwan has nowhere to put what comes out of a tunnel",
            )
            .with_hint("a kernel with CONFIG_TUN: modprobe tun"));
        }
        self.share.iter().try_for_each(|folder| check_share(folder))
    }
}

/// The gateway host: no cluster node, but a machine that answers in two networks.
pub(crate) const GATEWAY: &str = "gateway";
pub(crate) const GATEWAY_HOST: u8 = 1;
/// The remote end of a tunnel.
pub(crate) const AMON: &str = "amon";
const AMON_HOST: u8 = 2;
const FIRST_HOST: u8 = 11;

/// Tells whether the machine of this name is one of the cluster.
pub(crate) fn is_node(name: &str) -> bool {
    name != GATEWAY && name != AMON
}

pub(crate) fn links_of(name: &str) -> &'static [Link] {
    match name {
        GATEWAY => &[Link::Academie, Link::Interco],
        AMON => &[Link::Academie],
        _ => &Link::ALL,
    }
}

/// Returns Cargo's build folder that the running program is in.
fn build_folder() -> Option<PathBuf> {
    let executable = std::env::current_exe().ok()?;
    executable
        .ancestors()
        .skip(1)
        .find(|dir| dir.join("CACHEDIR.TAG").is_file())
        .map(Path::to_owned)
}

/// Refuses to put a folder of the host over one that a machine's system needs as its own.
fn check_share(folder: &Path) -> Result<()> {
    let deep = folder.components().count() > 2;
    if folder.is_absolute() && folder.is_dir() && deep {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{} cannot be shared with the machines",
        folder.display()
    ))
    .with_hint("name an existing folder by its full path, below a top-level one"))
}
