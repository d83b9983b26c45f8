//! What is so on one machine: gathered there, and sent to the other as JSON.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ha_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

/// Grows when facts change so that an older program does not understand them.
pub(crate) const FORMAT: u32 = 1;

/// What was seen, or why it could not be.
pub(crate) type Look<T> = Result<T, Unseen>;

/// Why something could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unseen {
    pub(crate) reason: Reason,
    /// In the language that the facts were asked for in.
    pub(crate) text: String,
}

/// The kind of reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// This user may not see it.
    Forbidden,
    /// No answer in time.
    Silent,
    /// Who would know does not run, or it is not there.
    Absent,
    /// Something else.
    Other,
}

impl From<Error> for Unseen {
    fn from(error: Error) -> Self {
        Self {
            reason: match error.kind() {
                ErrorKind::PermissionDenied => Reason::Forbidden,
                ErrorKind::Timeout => Reason::Silent,
                ErrorKind::Disconnected | ErrorKind::NotFound => Reason::Absent,
                _ => Reason::Other,
            },
            text: format!("{error:#}"),
        }
    }
}

/// The facts of one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) format: u32,
    /// The version of this package.
    pub(crate) version: String,
    /// Its host name.
    pub(crate) host: String,
    /// They were gathered by root.
    pub(crate) root: bool,
    /// Its clock when the look began, and when it ended: milliseconds since 1970.
    pub(crate) clock: (i64, i64),
    /// What tells its settings from others, the role of the machine left out.
    pub(crate) settings: Look<String>,
    /// The versions of the packages that are installed.
    pub(crate) packages: Look<BTreeMap<String, String>>,
    /// The programs of the cluster that run, each with its state as in `/proc` (`S`, `R`, `T` stopped ...).
    pub(crate) processes: BTreeMap<String, char>,
    pub(crate) interfaces: Look<Vec<Interface>>,
    /// The default routes.
    pub(crate) routes: Look<Vec<Route>>,
    /// Whether each gateway answers a ping.
    pub(crate) gateways: BTreeMap<IpAddr, Look<bool>>,
    /// Whether the other machine answers a ping over the dialogue.
    pub(crate) dialogue: Option<Look<bool>>,
    pub(crate) authkey: Look<Option<Key>>,
    pub(crate) corosync_conf: Look<Option<String>>,
    pub(crate) rsc_list: Look<Option<String>>,
    pub(crate) corosync: Look<Corosync>,
    pub(crate) pacemaker: Look<Pacemaker>,
    pub(crate) synchro: Look<Synchro>,
    /// Whether it reaches the other one with SSH; none when it was not asked.
    pub(crate) ssh: Option<Look<()>>,
}

impl Facts {
    /// The machine has one of these addresses.
    pub(crate) fn has_address(&self, address: IpAddr) -> bool {
        let mut all = self.interfaces.iter().flatten();
        all.any(|it| it.addresses.contains(&address))
    }

    pub(crate) fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces
            .as_ref()
            .ok()?
            .iter()
            .find(|it| it.name == name)
    }

    /// Corosync of this machine has that node as a member.
    pub(crate) fn sees(&self, name: &str) -> bool {
        let seen = |corosync: &Corosync| corosync.members.iter().any(|it| it == name);
        self.corosync.as_ref().is_ok_and(seen)
    }
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Interface {
    pub(crate) name: String,
    /// It is switched on.
    pub(crate) up: bool,
    /// Its link is there.
    pub(crate) carrier: bool,
    /// It carries multicast.
    pub(crate) multicast: bool,
    pub(crate) addresses: Vec<IpAddr>,
}

/// A default route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Route {
    #[serde(default)]
    pub(crate) gateway: Option<IpAddr>,
    #[serde(rename = "dev", default)]
    pub(crate) interface: String,
    /// The address that packets leave with.
    #[serde(rename = "prefsrc", default)]
    pub(crate) source: Option<IpAddr>,
}

/// A secret file, of which only this is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) sha256: String,
    pub(crate) mode: u32,
    /// Its owner is root.
    pub(crate) of_root: bool,
}

/// What corosync says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Corosync {
    pub(crate) quorate: bool,
    /// The names of the nodes that it has as members.
    pub(crate) members: Vec<String>,
    /// The names of those in its configuration.
    pub(crate) configured: Vec<String>,
    pub(crate) transport: String,
    /// After how long without the token a node is taken for lost, in milliseconds.
    pub(crate) token_ms: Option<u64>,
    /// How long ago the token came.
    pub(crate) since_token_ms: Option<u64>,
    /// The links to the other node (knet).
    pub(crate) links: Vec<Link>,
    /// What it says of its own interfaces, where that is not well (udp).
    pub(crate) faulty: Vec<String>,
    /// What of the settings it does not have in force, although its file may say so.
    pub(crate) not_in_force: Vec<String>,
}

/// A link to the other node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) number: usize,
    pub(crate) connected: bool,
    /// The address on the other side.
    pub(crate) to: String,
}

/// What Pacemaker says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pacemaker {
    pub(crate) dc: Option<String>,
    /// The options, resources and constraints are those of an empty cluster.
    pub(crate) empty: bool,
    pub(crate) maintenance: bool,
    pub(crate) fencing: bool,
    pub(crate) nodes: Vec<Node>,
    /// Where each primitive is active, clones included.
    pub(crate) active: BTreeMap<String, Vec<String>>,
    /// The resources that someone holds back.
    pub(crate) held_back: Vec<String>,
    pub(crate) failures: Vec<Failure>,
    /// What is wrong in the configuration: it is not valid.
    pub(crate) invalid: Vec<Told>,
    /// What is doubtful in it.
    pub(crate) doubtful: Vec<Told>,
    /// Constraints that a move or a ban by hand left: their ids and resources.
    pub(crate) left_behind: Vec<(String, String)>,
    /// Constraints of moves by our own programs.
    pub(crate) moving: Vec<String>,
}

impl Pacemaker {
    pub(crate) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    pub(crate) fn active_on(&self, resource: &str) -> &[String] {
        self.active.get(resource).map_or(&[], Vec::as_slice)
    }
}

/// A node, as Pacemaker has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a thing of its own that Pacemaker says"
)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) online: bool,
    pub(crate) standby: bool,
    pub(crate) maintenance: bool,
    pub(crate) pending: bool,
    pub(crate) unclean: bool,
    /// What the pings of the gateways gave.
    pub(crate) pingd: Option<String>,
}

/// An action that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) resource: String,
    pub(crate) node: String,
    pub(crate) task: String,
    pub(crate) rc: i32,
    pub(crate) reason: Option<String>,
}

/// Something said, with what would mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) fix: String,
}

/// What is remembered of synchronisations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Synchro {
    /// When the last one succeeded, in seconds since 1970, and from which machine to which.
    pub(crate) last: Option<(i64, String, String)>,
    /// Why the last try failed.
    pub(crate) failed: Option<String>,
}
