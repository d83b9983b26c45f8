//! The findings in words, and their fixes.

use crate::advice;
use crate::language::{Language, say};

use super::{Finding, Severity};

impl Severity {
    /// Names it.
    #[must_use]
    pub fn text(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Error, Language::English) => "error",
            (Self::Error, Language::French) => "erreur",
            (Self::Warning, Language::English) => "warning",
            (Self::Warning, Language::French) => "attention",
            (Self::Notice, Language::English) => "notice",
            (Self::Notice, Language::French) => "note",
        }
    }
}

impl Finding {
    /// Says what is so, in one sentence without a full stop.
    #[must_use]
    pub fn text(&self, l: Language) -> String {
        match self {
            Self::NoDc => say!(
                l,
                "the cluster has no DC: nobody decides anything",
                "la grappe n'a pas de DC : personne ne décide"
            ),
            Self::NoQuorum => say!(
                l,
                "this partition has no quorum",
                "cette partition n'a pas le quorum"
            ),
            Self::NodeUnclean { node } => say!(
                l,
                "node {node} is lost and was not fenced: what it runs is not known",
                "le nœud {node} est perdu et n'a pas été isolé : on ne sait ce qu'il fait tourner"
            ),
            Self::NodeHalfThere {
                node,
                corosync: true,
            } => say!(
                l,
                "node {node} is a member for Corosync, but Pacemaker does not run there",
                "le nœud {node} est membre pour Corosync, mais Pacemaker n'y tourne pas"
            ),
            Self::NodeHalfThere {
                node,
                corosync: false,
            } => say!(
                l,
                "node {node} answers for Pacemaker, but is no member for Corosync",
                "le nœud {node} répond pour Pacemaker, mais n'est pas membre pour Corosync"
            ),
            Self::LinkDown { node, link } => say!(
                l,
                "link {link} to {node} is down",
                "le lien {link} vers {node} est coupé"
            ),
            Self::MultiplyActive { resource, nodes } => {
                let nodes = nodes.join(", ");
                say!(
                    l,
                    "{resource} runs on several nodes: {nodes}",
                    "{resource} tourne sur plusieurs nœuds : {nodes}"
                )
            }
            Self::Blocked { resource } => say!(
                l,
                "the cluster gave {resource} up after a failure (blocked)",
                "la grappe a abandonné {resource} après un échec (blocked)"
            ),
            Self::FailedTooOften { resource, node } => say!(
                l,
                "{resource} failed on {node} as often as it may, and does not go there any more",
                "{resource} a échoué sur {node} autant de fois que permis, et n'y va plus"
            ),
            Self::NoFenceDevice => say!(
                l,
                "fencing is on, but no device is configured: no resource is started",
                "l'isolation des nœuds (fencing) est active, mais sans appareil : rien n'est démarré"
            ),
            Self::NotActive { resource } => say!(
                l,
                "{resource} should run, and is active nowhere",
                "{resource} devrait tourner, et n'est active nulle part"
            ),
            Self::FailedOperation {
                resource,
                node,
                task,
            } => say!(
                l,
                "{task} of {resource} failed on {node}",
                "l'opération {task} de {resource} a échoué sur {node}"
            ),
            Self::FencingOff { nodes } => say!(
                l,
                "fencing is off with {nodes} nodes: when they lose sight of each other, each may run everything",
                "l'isolation des nœuds (fencing) est désactivée avec {nodes} nœuds : s'ils se perdent de vue, chacun peut tout faire tourner"
            ),
            Self::LeftBehind {
                constraint,
                resource,
            } => say!(
                l,
                "a move or ban of {resource} made on the command line is still in force ({constraint})",
                "un déplacement ou une interdiction de {resource} fait à la main est toujours en vigueur ({constraint})"
            ),
            Self::PingUnread {
                resource,
                attribute,
            } => say!(
                l,
                "{resource} pings and sets {attribute}, but no constraint reads it: a lost gateway moves nothing",
                "{resource} écrit l'attribut {attribute}, mais aucune contrainte ne le lit : une passerelle perdue ne déplace rien"
            ),
            Self::DanglingReference { constraint, name } => say!(
                l,
                "constraint {constraint} names '{name}', which does not exist",
                "la contrainte {constraint} nomme « {name} », qui n'existe pas"
            ),
            Self::NoMonitor { resources } => match resources.as_slice() {
                [resource] => say!(
                    l,
                    "{resource} has no repeated monitor: when it dies, nobody sees it",
                    "{resource} n'a pas de monitor répété : si elle meurt, personne ne le voit"
                ),
                resources => {
                    let (count, names) = (resources.len(), resources.join(", "));
                    say!(
                        l,
                        "{count} resources have no repeated monitor: when one dies, nobody sees it: {names}",
                        "{count} ressources n'ont pas de monitor répété : si l'une meurt, personne ne le voit : {names}"
                    )
                }
            },
            Self::Orphan { resource } => say!(
                l,
                "{resource} is not configured any more, but its history is still there",
                "{resource} n'est plus configurée, mais son historique est encore là"
            ),
            Self::MaintenanceMode => say!(
                l,
                "the whole cluster is in maintenance mode: nothing is started, stopped or watched",
                "toute la grappe est en mode maintenance : rien n'est démarré, arrêté ni surveillé"
            ),
            Self::NodeOut {
                node,
                maintenance: true,
            } => say!(
                l,
                "node {node} is in maintenance",
                "le nœud {node} est en maintenance"
            ),
            Self::NodeOut { node, .. } => say!(
                l,
                "node {node} is in standby",
                "le nœud {node} est en veille (standby)"
            ),
            Self::NodeOffline { node } => say!(
                l,
                "node {node} is offline: nothing is left to take over",
                "le nœud {node} est hors ligne : il ne peut pas prendre le relais"
            ),
            Self::Unmanaged { resource } => say!(
                l,
                "{resource} is not managed: the cluster neither starts nor stops it",
                "{resource} n'est pas gérée : la grappe ne la démarre ni ne l'arrête"
            ),
            Self::MixedVersions => say!(
                l,
                "the nodes run different versions of Pacemaker",
                "les nœuds ont des versions différentes de Pacemaker"
            ),
        }
    }

    /// Says what an administrator can do about it, mostly a command.
    #[must_use]
    pub fn fix(&self, l: Language) -> String {
        match self {
            Self::NoDc => advice::look_at_daemons(l),
            Self::NoQuorum => advice::see_who_is_missing(l),
            Self::NodeUnclean { node } => advice::confirm_off(l, node),
            Self::NodeHalfThere {
                node,
                corosync: true,
            } => say!(
                l,
                "on {node}: systemctl start pacemaker",
                "sur {node} : systemctl start pacemaker"
            ),
            Self::NodeHalfThere { node, .. } => say!(
                l,
                "on {node}: systemctl status corosync",
                "sur {node} : systemctl status corosync"
            ),
            Self::LinkDown { .. } => say!(
                l,
                "look at the cable and the interface, then: corosync-cfgtool -s",
                "voir le câble et l'interface, puis : corosync-cfgtool -s"
            ),
            Self::MultiplyActive { resource, .. } | Self::Blocked { resource } => {
                advice::stop_by_hand(l, resource)
            }
            Self::FailedTooOften { resource, node }
            | Self::FailedOperation { resource, node, .. } => {
                advice::mend_and_clean_up(l, resource, node)
            }
            Self::NoFenceDevice => advice::add_fence_device(l),
            Self::NotActive { resource } => format!("crm_mon --why {resource}"),
            Self::FencingOff { .. } => say!(
                l,
                "configure a fence device, then: crm_attribute --name stonith-enabled --update true",
                "configurer un appareil d'isolation, puis : crm_attribute --name stonith-enabled --update true"
            ),
            Self::LeftBehind { resource, .. } => advice::clear(resource, None),
            Self::PingUnread { attribute, .. } => say!(
                l,
                "add a location rule that keeps resources where {attribute} is above 0",
                "ajouter une règle de placement qui garde les ressources où {attribute} dépasse 0"
            ),
            Self::DanglingReference { constraint, .. } => {
                format!("cibadmin --delete --xpath \"//constraints/*[@id='{constraint}']\"")
            }
            Self::NoMonitor { .. } => say!(
                l,
                "add an operation to each: monitor, interval 10s",
                "ajouter une opération à chacune : monitor, intervalle 10s"
            ),
            Self::Orphan { resource } => advice::cleanup(resource, None),
            Self::MaintenanceMode => advice::unset_property("maintenance-mode"),
            Self::NodeOut {
                node,
                maintenance: true,
            } => advice::unset_node_attribute(node, "maintenance"),
            Self::NodeOut { node, .. } => advice::unset_node_attribute(node, "standby"),
            Self::NodeOffline { node } => advice::start_cluster(l, node),
            Self::Unmanaged { resource } => advice::unset_meta(resource, "is-managed"),
            Self::MixedVersions => say!(
                l,
                "finish the upgrade: the oldest version decides what is used",
                "finir la mise à jour : la version la plus ancienne décide"
            ),
        }
    }
}
