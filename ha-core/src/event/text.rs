//! Events as sentences.

use std::fmt;

use super::{ChangeKind, Event, ItemChange};
use crate::language::{Language, say};
use crate::name::is_secret;
use crate::status::Role;

/// How many changes of the configuration are named.
const SHOWN: usize = 8;

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl Event {
    /// Returns it as a sentence of a language.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        match self {
            Self::NodeOnline { .. }
            | Self::NodeOffline { .. }
            | Self::NodeStandby { .. }
            | Self::NodeMaintenance { .. }
            | Self::NodeUnclean { .. }
            | Self::NodeConfigured { .. }
            | Self::NodeJoining { .. }
            | Self::NodeFenced { .. }
            | Self::NodeAttribute { .. } => self.of_node(language),
            Self::OperationEnded { .. }
            | Self::ResourceMoved { .. }
            | Self::ResourceRecovered { .. }
            | Self::ResourcePending { .. }
            | Self::ResourceStarted { .. }
            | Self::ResourceStopped { .. }
            | Self::ResourceRole { .. }
            | Self::OperationFailed { .. }
            | Self::FailureCleared { .. } => self.of_resource(language),
            Self::ConfigurationChanged { .. }
            | Self::TicketGranted { .. }
            | Self::TicketRevoked { .. }
            | Self::TicketStandby { .. }
            | Self::Merged { .. }
            | Self::DaemonLost { .. }
            | Self::DaemonBack { .. }
            | Self::DcChanged { .. }
            | Self::Quorum { .. } => self.of_cluster(language),
        }
    }

    fn of_node(&self, l: Language) -> String {
        match self {
            Self::NodeOnline { node } => {
                say!(l, "node {node} is online", "le nœud {node} est en ligne")
            }
            Self::NodeOffline { node, unclean } => match unclean {
                false => say!(l, "node {node} is offline", "le nœud {node} est absent"),
                true => say!(
                    l,
                    "node {node} is offline, its state is unknown (unclean)",
                    "le nœud {node} est absent, dans un état inconnu (unclean)"
                ),
            },
            Self::NodeStandby { node, standby } => match standby {
                true => say!(
                    l,
                    "node {node} is in standby",
                    "le nœud {node} est en veille"
                ),
                false => say!(
                    l,
                    "node {node} is no longer in standby",
                    "le nœud {node} n'est plus en veille"
                ),
            },
            Self::NodeMaintenance { node, maintenance } => match maintenance {
                true => say!(
                    l,
                    "node {node} is in maintenance",
                    "le nœud {node} est en maintenance"
                ),
                false => say!(
                    l,
                    "node {node} is no longer in maintenance",
                    "le nœud {node} n'est plus en maintenance"
                ),
            },
            Self::NodeUnclean { node, unclean } => match unclean {
                true => say!(
                    l,
                    "node {node} is unclean",
                    "le nœud {node} est dans un état inconnu (unclean)"
                ),
                false => say!(
                    l,
                    "node {node} is clean again",
                    "le nœud {node} est de nouveau dans un état connu"
                ),
            },
            Self::NodeConfigured { node, present } => match present {
                true => say!(
                    l,
                    "node {node} was added to the configuration",
                    "le nœud {node} a été ajouté à la configuration"
                ),
                false => say!(
                    l,
                    "node {node} was removed from the configuration",
                    "le nœud {node} a été retiré de la configuration"
                ),
            },
            Self::NodeJoining { node, joining } => match joining {
                true => say!(
                    l,
                    "node {node} is joining",
                    "le nœud {node} entre dans la grappe"
                ),
                false => say!(
                    l,
                    "node {node} is no longer joining",
                    "le nœud {node} n'entre plus dans la grappe"
                ),
            },
            Self::NodeFenced { node } => {
                say!(l, "node {node} was fenced", "le nœud {node} a été isolé")
            }
            Self::NodeAttribute { node, name, .. } if is_secret(name) => say!(
                l,
                "attribute {name} of {node} changed",
                "l'attribut {name} de {node} a changé"
            ),
            Self::NodeAttribute { node, name, value } => match value {
                Some(value) => say!(
                    l,
                    "attribute {name} of {node} is {value}",
                    "l'attribut {name} de {node} vaut {value}"
                ),
                None => say!(
                    l,
                    "attribute {name} of {node} is gone",
                    "l'attribut {name} de {node} a disparu"
                ),
            },
            // Those of the others.
            _ => String::new(),
        }
    }

    fn of_resource(&self, l: Language) -> String {
        match self {
            Self::OperationEnded {
                resource,
                node,
                task,
            } => say!(
                l,
                "{resource}: {task} on {node} has ended",
                "{resource} : {task} sur {node} a pris fin"
            ),
            Self::ResourceMoved {
                resource,
                from,
                to,
                role,
            } => {
                let role = unless_started(*role);
                say!(
                    l,
                    "{resource} moved from {from} to {to}{role}",
                    "{resource} est passée de {from} à {to}{role}"
                )
            }
            Self::ResourceRecovered {
                resource,
                node,
                role,
            } => {
                let role = unless_started(*role);
                say!(
                    l,
                    "{resource} recovered on {node}{role}",
                    "{resource} est rétablie sur {node}{role}"
                )
            }
            Self::ResourcePending {
                resource,
                node,
                task,
            } => say!(
                l,
                "{resource}: {task} under way on {node}",
                "{resource} : {task} en cours sur {node}"
            ),
            Self::ResourceStarted {
                resource,
                node,
                role,
            } => {
                let role = unless_started(*role);
                say!(
                    l,
                    "{resource} started on {node}{role}",
                    "{resource} a démarré sur {node}{role}"
                )
            }
            Self::ResourceStopped { resource, node } => say!(
                l,
                "{resource} stopped on {node}",
                "{resource} s'est arrêtée sur {node}"
            ),
            Self::ResourceRole {
                resource,
                node,
                from,
                to,
            } => say!(
                l,
                "{resource} on {node}: {from} -> {to}",
                "{resource} sur {node} : {from} -> {to}"
            ),
            Self::OperationFailed {
                resource,
                node,
                task,
                exit_status,
                reason,
                ..
            } => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}"));
                let reason = reason.unwrap_or_default();
                say!(
                    l,
                    "{resource}: {task} failed on {node} (exit status {exit_status}{reason})",
                    "{resource} : {task} a échoué sur {node} (code {exit_status}{reason})"
                )
            }
            Self::FailureCleared {
                resource,
                node,
                task,
                ..
            } => say!(
                l,
                "{resource}: the failure of {task} on {node} is forgotten",
                "{resource} : l'échec de {task} sur {node} est oublié"
            ),
            // Those of the others.
            _ => String::new(),
        }
    }

    fn of_cluster(&self, l: Language) -> String {
        match self {
            Self::ConfigurationChanged { changes } => {
                let shown: Vec<String> = changes.iter().take(SHOWN).map(|c| c.text(l)).collect();
                let shown = shown.join(", ");
                let text = say!(
                    l,
                    "the configuration changed: {shown}",
                    "la configuration a changé : {shown}"
                );
                match changes.len().saturating_sub(SHOWN) {
                    0 => text,
                    more => text + &say!(l, " and {more} more", " et {more} autres"),
                }
            }
            Self::TicketGranted { ticket } => say!(
                l,
                "ticket {ticket} was granted",
                "le ticket {ticket} a été accordé"
            ),
            Self::TicketRevoked { ticket } => say!(
                l,
                "ticket {ticket} was revoked",
                "le ticket {ticket} a été retiré"
            ),
            Self::TicketStandby { ticket, standby } => match standby {
                true => say!(
                    l,
                    "ticket {ticket} is in standby",
                    "le ticket {ticket} est en veille"
                ),
                false => say!(
                    l,
                    "ticket {ticket} is no longer in standby",
                    "le ticket {ticket} n'est plus en veille"
                ),
            },
            Self::Merged { missed } => match missed {
                Some(missed) => say!(
                    l,
                    "{missed} changes were merged",
                    "{missed} changements ont été fondus en un"
                ),
                None => say!(
                    l,
                    "changes were merged",
                    "des changements ont été fondus en un"
                ),
            },
            Self::DaemonLost {
                daemon,
                since,
                cause,
            } => say!(
                l,
                "{daemon} is lost since {since}: {cause}",
                "{daemon} est perdu depuis {since} : {cause}"
            ),
            Self::DaemonBack {
                daemon,
                since,
                missed,
            } => match missed {
                true => say!(
                    l,
                    "{daemon} is back, lost since {since}: changes were missed",
                    "{daemon} est de retour, perdu depuis {since} : des changements ont été manqués"
                ),
                false => say!(
                    l,
                    "{daemon} is back, lost since {since}: nothing was missed",
                    "{daemon} est de retour, perdu depuis {since} : rien n'a été manqué"
                ),
            },
            Self::DcChanged { from, to } => {
                let nobody = say!(l, "none", "aucun");
                let (from, to) = (
                    from.as_ref().unwrap_or(&nobody),
                    to.as_ref().unwrap_or(&nobody),
                );
                say!(
                    l,
                    "the DC changed from {from} to {to}",
                    "le DC est passé de {from} à {to}"
                )
            }
            Self::Quorum { quorate } => match quorate {
                true => say!(l, "the partition has quorum", "la partition a le quorum"),
                false => say!(
                    l,
                    "the partition lost quorum",
                    "la partition a perdu le quorum"
                ),
            },
            // Those of the others.
            _ => String::new(),
        }
    }
}

/// A role other than the usual one.
fn unless_started(role: Role) -> String {
    match role {
        Role::Started => String::new(),
        role => format!(" ({role})"),
    }
}

impl ItemChange {
    /// Returns it as words of a language.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let what = match (&self.name, self.element.as_str()) {
            (Some(name), _) => format!("option {name}"),
            (None, element) if self.id.is_empty() => element.to_owned(),
            (None, element) => format!("{element} {}", self.id),
        };
        match self.kind {
            ChangeKind::Added => say!(language, "added {what}", "ajout de {what}"),
            ChangeKind::Removed => say!(language, "removed {what}", "retrait de {what}"),
            ChangeKind::Changed => say!(language, "changed {what}", "changement de {what}"),
        }
    }
}

impl fmt::Display for ItemChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}
