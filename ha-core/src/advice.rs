//! What to do next: the advice that explanations and findings have in common, each in one place.

use crate::language::{Language, say};

pub(crate) fn look_at_daemons(l: Language) -> String {
    say!(
        l,
        "look at the daemons: systemctl status corosync pacemaker",
        "voir les démons : systemctl status corosync pacemaker"
    )
}

pub(crate) fn see_who_is_missing(l: Language) -> String {
    say!(
        l,
        "see who is missing: corosync-quorumtool -s",
        "voir qui manque : corosync-quorumtool -s"
    )
}

pub(crate) fn add_fence_device(l: Language) -> String {
    say!(
        l,
        "configure a fence device, or accept the risk: crm_attribute --name stonith-enabled --update false",
        "configurer un appareil d'isolation, ou accepter le risque : crm_attribute --name stonith-enabled --update false"
    )
}

pub(crate) fn see_scores(l: Language) -> String {
    say!(
        l,
        "look at the scores: crm_simulate --live-check --show-scores",
        "voir les scores : crm_simulate --live-check --show-scores"
    )
}

pub(crate) fn start_cluster(l: Language, node: &str) -> String {
    say!(
        l,
        "start the cluster on {node}: systemctl start corosync pacemaker",
        "démarrer la grappe sur {node} : systemctl start corosync pacemaker"
    )
}

pub(crate) fn confirm_off(l: Language, node: &str) -> String {
    say!(
        l,
        "make sure that {node} is off, then: stonith_admin --confirm {node}",
        "s'assurer que {node} est éteint, puis : stonith_admin --confirm {node}"
    )
}

/// Forgets what failed, on one node or on all.
pub(crate) fn cleanup(resource: &str, node: Option<&str>) -> String {
    let on = node.map_or_else(String::new, |node| format!(" --node {node}"));
    format!("crm_resource --cleanup --resource {resource}{on}")
}

pub(crate) fn mend_and_clean_up(l: Language, resource: &str, node: &str) -> String {
    let cleanup = cleanup(resource, Some(node));
    say!(
        l,
        "mend the cause, then: {cleanup}",
        "réparer la cause, puis : {cleanup}"
    )
}

pub(crate) fn install_and_clean_up(l: Language, resource: &str, node: &str) -> String {
    let cleanup = cleanup(resource, Some(node));
    say!(
        l,
        "install it on {node}, then: {cleanup}",
        "l'installer sur {node}, puis : {cleanup}"
    )
}

/// For a resource that the cluster gave up, or that runs where it should not.
pub(crate) fn stop_by_hand(l: Language, resource: &str) -> String {
    let cleanup = cleanup(resource, None);
    say!(
        l,
        "stop it by hand where it should not run, then: {cleanup}",
        "l'arrêter à la main là où elle ne doit pas tourner, puis : {cleanup}"
    )
}

/// Ends a move or a ban that was made on the command line, for one node or for all.
pub(crate) fn clear(resource: &str, node: Option<&str>) -> String {
    let on = node.map_or_else(String::new, |node| format!(" --node {node}"));
    format!("crm_resource --clear --resource {resource}{on}")
}

/// Takes a meta-attribute away.
pub(crate) fn unset_meta(resource: &str, name: &str) -> String {
    format!("crm_resource --resource {resource} --meta --delete-parameter {name}")
}

/// Takes a property of the cluster away, so that its default holds.
pub(crate) fn unset_property(name: &str) -> String {
    format!("crm_attribute --name {name} --delete")
}

/// Takes a permanent attribute of a node away.
pub(crate) fn unset_node_attribute(node: &str, name: &str) -> String {
    format!("crm_attribute --node {node} --name {name} --delete")
}
