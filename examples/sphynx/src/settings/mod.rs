//! The settings of a Sphynx pair: `hautedispo.toml`.
//!
//! # Example
//! ```
//! use sphynx::settings::{Settings, Transport};
//! let settings = Settings::open("hautedispo.toml")?;
//! assert_eq!(settings.resources(), ["VIP_externe", "VIP_interne", "VIP_src_addr", "ipsec_rsc", "arv_rsc"]);
//! assert_eq!(settings.dialogue.transport, Transport::Multicast);
//! # Ok::<(), ha_core::Error>(())
//! ```

mod check;
pub mod eole;
mod file;
mod grammar;
mod machine;
mod places;
mod problem;
mod value;

use std::net::IpAddr;

use ha_core::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use file::Opened;
pub use machine::Interface;
pub use problem::{Problem, Severity};
pub use value::{Agent, Length, Parameters};

use crate::say;

/// What a Sphynx pair is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "hautedispo.toml")]
pub struct Settings {
    /// Whether the high availability is wanted; `false` removes what was configured for it.
    #[serde(rename = "actif")]
    pub active: bool,
    /// Which of the two this machine is; by default the one whose name it has.
    #[serde(default, rename = "role", skip_serializing_if = "Option::is_none")]
    declared_role: Option<Role>,
    /// The name of the cluster.
    #[serde(default = "cluster_name", rename = "nom_cluster")]
    pub cluster_name: String,
    /// The machine that is active when both are well.
    pub maitre: Machine,
    /// The machine that takes over.
    pub esclave: Machine,
    /// How the two talk.
    pub dialogue: Dialogue,
    /// The addresses that move, in the order in which they are brought up.
    #[serde(rename = "vip")]
    pub vips: Vec<Vip>,
    /// The address that packets of the active machine leave with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Who is asked whether the network is there.
    #[serde(rename = "passerelle")]
    pub gateways: Gateways,
    /// What runs on the active machine, in the order in which it is started.
    #[serde(default, rename = "service")]
    pub services: Vec<Service>,
    /// When resources move.
    #[serde(default)]
    pub pacemaker: Pacemaker,
    /// What makes sure that a machine that is taken for dead is.
    #[serde(default, rename = "cloture")]
    pub fencing: Fencing,
    /// Who is told.
    #[serde(default, rename = "alerte")]
    pub alert: Alert,
    /// What is copied to the passive machine.
    #[serde(default)]
    pub synchro: Synchro,
}

/// One of the two machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The one that is active when both are well.
    Maitre,
    /// The one that takes over.
    Esclave,
}

impl Role {
    /// Returns the word of the file: also the name of its table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Maitre => "maitre",
            Self::Esclave => "esclave",
        }
    }

    /// Returns the role of the other machine.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Maitre => Self::Esclave,
            Self::Esclave => Self::Maitre,
        }
    }
}

/// A machine of the pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its host name.
    #[serde(rename = "nom")]
    pub name: String,
    /// Its address on the network of the dialogue.
    pub dialogue: IpAddr,
    /// Its address on a second network of the dialogue (knet only).
    #[serde(default, rename = "secours", skip_serializing_if = "Option::is_none")]
    pub spare: Option<IpAddr>,
    /// Name or address by which the other reaches it with SSH; by default that of the dialogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<String>,
}

impl Machine {
    /// Returns by which name or address the other reaches it with SSH.
    #[must_use]
    pub fn ssh(&self) -> String {
        self.ssh
            .clone()
            .unwrap_or_else(|| self.dialogue.to_string())
    }
}

/// How the two talk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dialogue {
    /// The interface of its network; best one of its own, on a direct link.
    pub interface: String,
    /// By what means.
    #[serde(default)]
    pub transport: Transport,
    /// The multicast group (multicast only).
    #[serde(default = "group", rename = "groupe")]
    pub group: IpAddr,
    /// The UDP port; multicast takes the one below it too.
    #[serde(default = "port")]
    pub port: u16,
    /// How soon a machine that says nothing is taken for dead.
    #[serde(default, rename = "profil")]
    pub profile: Profile,
}

/// By what means the two talk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Multicast on one link, in clear: as at EOLE, for a link of its own.
    #[default]
    Multicast,
    /// Corosync's own, encrypted, on one or two links.
    Knet,
}

/// How soon a machine that says nothing is taken for dead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Half as long as `standard`: a machine that is only slow for a moment is taken for dead too.
    Rapide,
    /// For a link of its own.
    #[default]
    Standard,
    /// Corosync's default: for a link that others use too, and for virtual machines that pause.
    Prudent,
}

impl Profile {
    /// Returns after how long without the token a machine is taken for lost, in milliseconds.
    #[must_use]
    pub fn token(self) -> u32 {
        match self {
            Self::Rapide => 500,
            Self::Standard => 1000,
            Self::Prudent => 3000,
        }
    }
}

/// An address that moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vip {
    /// The name of its resource.
    #[serde(rename = "nom")]
    pub name: String,
    /// The address.
    #[serde(rename = "adresse")]
    pub address: IpAddr,
    /// How many bits of it are its network's.
    #[serde(rename = "masque")]
    pub prefix: u8,
    /// The interface that it is on, the same on both machines.
    pub interface: String,
}

/// The address that packets of the active machine leave with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The name of its resource.
    #[serde(default = "source_name", rename = "nom")]
    pub name: String,
    /// The name of the address that moves that it is.
    pub vip: String,
}

/// Who is asked whether the network is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gateways {
    /// Addresses that answer pings as long as the network is there.
    #[serde(rename = "adresses")]
    pub addresses: Vec<IpAddr>,
}

/// A service of the active machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The name of its resource.
    #[serde(rename = "nom")]
    pub name: String,
    /// What runs it.
    pub agent: Agent,
    /// How long its start may take; 60s by default.
    #[serde(default, rename = "demarrage", skip_serializing_if = "Option::is_none")]
    pub start: Option<Length>,
    /// How long its stop may take; 60s by default.
    #[serde(default, rename = "arret", skip_serializing_if = "Option::is_none")]
    pub stop: Option<Length>,
    /// How often it is looked at.
    #[serde(default = "monitor", rename = "surveillance")]
    pub monitor: Length,
    /// Parameters of an OCF agent.
    #[serde(
        default,
        rename = "parametres",
        skip_serializing_if = "Parameters::is_empty"
    )]
    pub parameters: Parameters,
}

/// When resources move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pacemaker {
    /// How much resources like to stay where they are.
    #[serde(rename = "adherence")]
    pub stickiness: u32,
    /// How much they like the maître; less than the stickiness, so that they do not move back when it returns.
    pub preference: u32,
    /// After how many failures on a machine a resource moves.
    #[serde(rename = "seuil_echecs")]
    pub failures: u32,
    /// After how long failures are forgotten.
    #[serde(rename = "oubli_echecs")]
    pub forget: Length,
}

impl Default for Pacemaker {
    fn default() -> Self {
        Self {
            stickiness: 100,
            preference: 50,
            failures: 3,
            forget: Length::seconds(600),
        }
    }
}

/// What makes sure that a machine that is taken for dead is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Fencing {
    /// Whether machines are fenced. Without it, both are active when only their link is cut.
    pub active: bool,
    /// The devices: one for both machines, or one for each.
    #[serde(rename = "equipement", skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
}

/// What switches a machine off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// The name of its resource.
    #[serde(rename = "nom")]
    pub name: String,
    /// The fence agent, such as `fence_ipmilan`.
    pub agent: String,
    /// The machine that it switches off; by default, those that it knows.
    #[serde(default, rename = "cible", skip_serializing_if = "Option::is_none")]
    pub target: Option<Role>,
    /// The agent's parameters.
    #[serde(
        default,
        rename = "parametres",
        skip_serializing_if = "Parameters::is_empty"
    )]
    pub parameters: Parameters,
}

/// Who is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Alert {
    /// The address that mails go to; none are sent when it is empty.
    #[serde(rename = "courriel")]
    pub mail: String,
    /// The sender of these mails; by default the agent's own.
    #[serde(rename = "expediteur", skip_serializing_if = "String::is_empty")]
    pub sender: String,
}

/// What is copied to the passive machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Synchro {
    /// Files and directories.
    #[serde(rename = "fichiers")]
    pub files: Vec<String>,
    /// The data base of ARV, which is copied consistently while it is in use.
    #[serde(rename = "base_arv")]
    pub arv_database: String,
}

impl Default for Synchro {
    fn default() -> Self {
        Self {
            files: crate::eole::SYNCHRONISED
                .iter()
                .map(|&file| file.to_owned())
                .collect(),
            arv_database: crate::eole::ARV_DATABASE.to_owned(),
        }
    }
}

fn cluster_name() -> String {
    "sphynx".to_owned()
}

fn group() -> IpAddr {
    IpAddr::from([239, 255, 1, 1])
}

fn port() -> u16 {
    5405
}

fn source_name() -> String {
    "VIP_src_addr".to_owned()
}

fn monitor() -> Length {
    Length::seconds(10)
}

impl Settings {
    /// Returns the machine that has a role.
    #[must_use]
    pub fn machine(&self, role: Role) -> &Machine {
        match role {
            Role::Maitre => &self.maitre,
            Role::Esclave => &self.esclave,
        }
    }

    /// Returns both machines, maître first.
    #[must_use]
    pub fn machines(&self) -> [&Machine; 2] {
        [&self.maitre, &self.esclave]
    }

    /// Returns which of the two this machine is: what the settings say, else the one whose name it has.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when it is neither, [`ErrorKind::Invalid`] when the settings say another than its name does.
    pub fn role(&self) -> Result<Role> {
        self.role_of(
            rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .as_ref(),
        )
    }

    /// Returns which of the two a machine of this name is.
    fn role_of(&self, host: &str) -> Result<Role> {
        let has_name = |role: Role| {
            let name = &self.machine(role).name;
            let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
            host == name || first(host) == *name || host == first(name)
        };
        let by_name = [Role::Maitre, Role::Esclave]
            .into_iter()
            .find(|&role| has_name(role));
        match (self.declared_role, by_name) {
            (Some(declared), Some(named)) if declared != named => {
                let (declared, named) = (declared.as_str(), named.as_str());
                Err(Error::invalid(say!(
                    "the settings say that this machine is {declared}, but its name, {host}, is that of {named}",
                    "le paramétrage dit que cette machine est {declared}, mais son nom, {host}, est celui de {named}"
                ))
                .with_hint(say!(
                    "run it on the right machine, or mend the key role (it may be left out: the name tells)",
                    "lancer la commande sur la bonne machine, ou corriger la clé role (facultative : le nom suffit)"
                )))
            }
            (Some(role), _) | (None, Some(role)) => Ok(role),
            (None, None) => {
                let (maitre, esclave) = (&self.maitre.name, &self.esclave.name);
                Err(Error::new(ErrorKind::NotFound, say!(
                    "this machine, {host}, is neither {maitre} (maitre) nor {esclave} (esclave)",
                    "cette machine, {host}, n'est ni {maitre} (maitre) ni {esclave} (esclave)"
                ))
                .with_hint(say!(
                    "run it on one of the two, or mend nom in [maitre] or [esclave], or write role",
                    "lancer la commande sur l'une des deux, ou corriger nom dans [maitre] ou [esclave], ou écrire role"
                )))
            }
        }
    }

    /// Returns this machine.
    ///
    /// # Errors
    /// Those of [`role`](Self::role).
    pub fn here(&self) -> Result<&Machine> {
        self.role().map(|role| self.machine(role))
    }

    /// Returns the other machine.
    ///
    /// # Errors
    /// Those of [`role`](Self::role).
    pub fn peer(&self) -> Result<&Machine> {
        self.role().map(|role| self.machine(role.other()))
    }

    /// Returns the names of the resources that move together, in the order of their start.
    #[must_use]
    pub fn resources(&self) -> Vec<&str> {
        let vips = self.vips.iter().map(|vip| vip.name.as_str());
        let source = self.source.iter().map(|source| source.name.as_str());
        let services = self.services.iter().map(|service| service.name.as_str());
        vips.chain(source).chain(services).collect()
    }

    /// Returns the JSON Schema of the file.
    #[must_use]
    pub fn schema() -> schemars::Schema {
        let settings = schemars::generate::SchemaSettings::draft2020_12();
        settings.into_generator().into_root_schema_for::<Self>()
    }
}
