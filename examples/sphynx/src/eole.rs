//! What could not be found out about EOLE, and was decided here: one place to adapt to what a real Sphynx has.

/// The file of settings. EOLE keeps those of its tools under `/etc/eole`.
pub const SETTINGS: &str = "/etc/eole/hautedispo.toml";

/// The variables of EOLE's own configuration tool.
pub const CONFIG_EOL: &str = "/etc/eole/config.eol";

/// Whose the objects of the CIB are that `appliquer_hautedispo` makes.
pub const OWNER: &str = "sphynx";

/// The group of the resources that move together; its name is not shown by `crm_mon -1` in EOLE's page.
pub const GROUP: &str = "sphynx";

/// The resource that pings the gateways, and its clone: both names are in EOLE's page.
pub const PING: &str = "gw_pingd";
/// See [`PING`].
pub const PING_CLONE: &str = "gw_pingd_clone";

/// The data base of ARV, as EOLE's own back-up of a Sphynx names it.
pub const ARV_DATABASE: &str = "/var/lib/arv/db/sphynxdb.sqlite";

/// What a fail-over needs at the other machine: EOLE's own back-up of a Sphynx keeps these, and a comment there says that
/// root's SSH keys serve the high availability. Keys of SSH are of each machine and do not travel.
pub const SYNCHRONISED: &[&str] = &[
    "/etc/ipsec.conf",
    "/etc/ipsec.secrets",
    "/etc/ipsec.d",
    "/etc/swanctl",
];

/// The list of the services that the cluster runs, one a line: EOLE's page shows it.
pub const RSC_LIST: &str = "/etc/ha.d/.rsc_list";

/// The questions of `instance` about the high availability. EOLE's own tests look for these texts on the screen, word for
/// word, "noeuds" without its ligature; the question mark, the choice and the default that follow were chosen here, in the
/// manner of EOLE's other questions.
pub mod questions {
    /// Asked first, each time.
    pub const CONFIGURE: &str = "Voulez-vous (re)configurer la haute disponibilité ?";
    /// Asked on both machines.
    pub const SYNCHRONISE: &str = "Voulez-vous synchroniser les noeuds ?";
    /// Asked on the esclave.
    pub const WAIT: &str =
        "Voulez-vous attendre que le script synchro-nodes.sh soit exécuté sur le nœud maître ?";
    /// EOLE's page speaks of two other questions at the end on the maître, and does not say which: what is left to do
    /// then is that the nodes stay synchronised, and to see that all is well.
    pub const PERIODIC: &str = "Voulez-vous activer la synchronisation périodique des noeuds ?";
    /// The second of them.
    pub const DIAGNOSE: &str = "Voulez-vous vérifier la haute disponibilité maintenant ?";
}

/// The packages whose versions must be the same on both machines.
pub const PACKAGES: &[&str] = &[
    "corosync",
    "pacemaker",
    "resource-agents",
    "pacemaker-resource-agents",
    "crmsh",
    "strongswan-starter",
    "sphynx",
];

/// Of these, those without which there is no cluster.
pub const NEEDED_PACKAGES: &[&str] = &["corosync", "pacemaker", "resource-agents"];

/// How far the clocks of the two machines may be apart, in milliseconds: much less than a certificate or a time-out notices.
pub const CLOCKS_MS: i64 = 5_000;

/// How old the last synchronisation may be, in seconds: the timer runs more often.
pub const SYNCHRO_AGE_S: i64 = 24 * 3600;

/// What has `synchro-nodes` run from time to time.
pub const TIMER: &str = "synchro-nodes.timer";
