//! The causes, in words: what is so, and what to do about it.

use serde::Serialize;

use crate::advice;
use crate::language::{Language, say};
use crate::status::Role;
use crate::value::Score;

use super::Reason;

/// How a resource depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Link {
    /// It comes after it in a group.
    Group,
    /// It must be where the other is.
    Colocation,
    /// It starts after the other.
    Order,
}

/// Why a resource does not run, from the widest to the narrowest cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// An operation is under way: wait.
    UnderWay {
        /// The task: `start`, `stop` ....
        task: String,
    },
    /// No node decides what the cluster does.
    NoDc,
    /// The partition has no quorum, and the policy lets nothing start.
    NoQuorum,
    /// The whole cluster is in maintenance.
    ClusterMaintenance,
    /// All resources are to be stopped.
    StopAll,
    /// Fencing is on, but nothing can fence: nothing is started.
    NoFenceDevice,
    /// It is no longer configured: only a history remembers it.
    Orphan,
    /// Its target role holds it back.
    TargetRole {
        /// The role that it may not go beyond.
        role: Role,
        /// The element that says so, when it is not a default.
        set_on: Option<String>,
    },
    /// It is in maintenance.
    Maintenance {
        /// The element that says so, when it is not a default.
        set_on: Option<String>,
    },
    /// The cluster may not start or stop it.
    Unmanaged {
        /// The element that says so, when it is not a default.
        set_on: Option<String>,
    },
    /// The cluster gave it up after a failure.
    Blocked,
    /// It needs a ticket that this site does not have.
    Ticket {
        /// The ticket.
        ticket: String,
        /// The ticket is granted, but about to be given up.
        standby: bool,
        /// The constraint.
        constraint: String,
    },
    /// It needs another resource, which is not active.
    Needs {
        /// The other one.
        resource: String,
        /// How it depends on it.
        link: Link,
        /// The constraint; none for members of a group.
        constraint: Option<String>,
    },
    /// The node is not a member of the cluster.
    NodeOffline {
        /// What it was doing is not known for sure: it needs fencing.
        unclean: bool,
    },
    /// The node is joining the cluster.
    NodePending,
    /// The node is in standby.
    NodeStandby {
        /// Because of an operation's `on-fail`, not of an administrator.
        on_fail: bool,
    },
    /// The node is in maintenance.
    NodeMaintenance,
    /// The node's health attributes keep resources off.
    NodeHealth,
    /// The agent, or what it runs, is not installed on the node.
    NotInstalled {
        /// The agent.
        agent: String,
        /// What it said.
        detail: Option<String>,
    },
    /// It failed on the node as often as it may.
    FailedTooOften {
        /// How often it failed; [`Score::INFINITY`] after a start that failed.
        failures: i32,
        /// How often it may.
        threshold: i32,
        /// The last task that failed, when the history still has it.
        task: Option<String>,
        /// How it ended, in words.
        outcome: Option<String>,
        /// What the agent said.
        detail: Option<String>,
    },
    /// A constraint forbids the node.
    Banned {
        /// The constraint, or its rule.
        constraint: String,
    },
    /// The cluster is not symmetric, and no constraint allows the node.
    NotAllowed,
    /// It must be where another resource is (or must not be there).
    Apart {
        /// The other one.
        resource: String,
        /// The constraint.
        constraint: String,
        /// It may not be where the other one is.
        away: bool,
    },
    /// It failed on the node, but may try again.
    Failed {
        /// The task.
        task: String,
        /// How it ended, in words: `error`, `not running`, `timed out` ....
        outcome: String,
        /// What the agent said.
        detail: Option<String>,
    },
    /// A constraint makes the node a worse place.
    Avoids {
        /// The constraint, or its rule.
        constraint: String,
        /// The score: negative.
        score: i32,
    },
    /// As many instances as may run are running.
    InstanceLimit {
        /// How many may run.
        max: u32,
    },
    /// Nothing keeps it off the node: it runs elsewhere.
    RunsElsewhere {
        /// Where.
        node: String,
    },
    /// Nothing keeps an instance of the clone off the node, and yet none is there.
    NoInstance,
}

impl Cause {
    /// Tells whether it deserves a word of a resource that runs: not the ordinary, such as that it is
    /// elsewhere, or that a constraint prefers the other nodes.
    #[must_use]
    pub fn is_exceptional(&self) -> bool {
        !matches!(
            self,
            Self::NotAllowed
                | Self::Apart { .. }
                | Self::Avoids { .. }
                | Self::InstanceLimit { .. }
                | Self::RunsElsewhere { .. }
        )
    }

    /// The place among the reasons: what keeps a resource off every node comes first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::UnderWay { .. } => 0,
            Self::NoDc => 1,
            Self::NoQuorum => 2,
            Self::ClusterMaintenance => 3,
            Self::StopAll => 4,
            Self::NoFenceDevice => 5,
            Self::Orphan => 6,
            Self::TargetRole { .. } => 7,
            Self::Maintenance { .. } => 8,
            Self::Unmanaged { .. } => 9,
            Self::Blocked => 10,
            Self::Ticket { .. } => 11,
            Self::Needs { .. } => 12,
            Self::NodeOffline { .. } => 13,
            Self::NodePending => 14,
            Self::NodeStandby { .. } => 15,
            Self::NodeMaintenance => 16,
            Self::NodeHealth => 17,
            Self::NotInstalled { .. } => 18,
            Self::FailedTooOften { .. } => 19,
            Self::Banned { .. } => 20,
            Self::NotAllowed => 21,
            Self::Apart { .. } => 22,
            Self::InstanceLimit { .. } => 23,
            Self::Failed { .. } => 24,
            Self::Avoids { .. } => 25,
            Self::RunsElsewhere { .. } => 26,
            Self::NoInstance => 27,
        }
    }
}

fn detail(text: Option<&String>) -> String {
    text.map_or_else(String::new, |text| format!(": {text}"))
}

fn set_on(language: Language, element: Option<&String>) -> String {
    match element {
        Some(id) => say!(language, " (set on {id})", " (posé sur {id})"),
        None => say!(language, " (by default)", " (par défaut)"),
    }
}

impl Reason {
    /// Says what is so, in one sentence without a full stop.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let l = language;
        let text = self.sentence(l);
        match &self.node {
            Some(node) => say!(l, "on {node}: {text}", "sur {node} : {text}"),
            None => text,
        }
    }

    fn sentence(&self, l: Language) -> String {
        match &self.cause {
            Cause::UnderWay { task } => {
                say!(l, "{task} is under way", "l'opération {task} est en cours")
            }
            Cause::NoDc => say!(
                l,
                "the cluster has no DC: nobody decides anything",
                "la grappe n'a pas de DC : personne ne décide"
            ),
            Cause::NoQuorum => say!(
                l,
                "this partition has no quorum, so nothing is started",
                "cette partition n'a pas le quorum, rien n'est donc démarré"
            ),
            Cause::ClusterMaintenance => say!(
                l,
                "the whole cluster is in maintenance mode",
                "toute la grappe est en mode maintenance"
            ),
            Cause::StopAll => say!(
                l,
                "all resources are to be stopped (stop-all-resources)",
                "toutes les ressources doivent être arrêtées (stop-all-resources)"
            ),
            Cause::NoFenceDevice => say!(
                l,
                "fencing is on, but no device is configured: no resource is started",
                "l'isolation des nœuds (fencing) est active, mais sans appareil : rien n'est démarré"
            ),
            Cause::Orphan => say!(
                l,
                "it is not configured any more",
                "elle n'est plus dans la configuration"
            ),
            Cause::TargetRole { role, set_on: on } => {
                let on = set_on(l, on.as_ref());
                say!(
                    l,
                    "its target role is {role}{on}",
                    "son rôle voulu (target-role) est {role}{on}"
                )
            }
            Cause::Maintenance { set_on: on } => {
                let on = set_on(l, on.as_ref());
                say!(l, "it is in maintenance{on}", "elle est en maintenance{on}")
            }
            Cause::Unmanaged { set_on: on } => {
                let on = set_on(l, on.as_ref());
                say!(
                    l,
                    "the cluster may not start or stop it: it is unmanaged{on}",
                    "la grappe ne peut ni la démarrer ni l'arrêter : elle n'est pas gérée{on}"
                )
            }
            Cause::Blocked => say!(
                l,
                "the cluster gave it up after a failure (blocked)",
                "la grappe l'a abandonnée après un échec (blocked)"
            ),
            Cause::Ticket {
                ticket,
                standby: true,
                constraint,
            } => say!(
                l,
                "ticket {ticket} is in standby (constraint {constraint})",
                "le ticket {ticket} est en attente (contrainte {constraint})"
            ),
            Cause::Ticket {
                ticket, constraint, ..
            } => say!(
                l,
                "this site does not have ticket {ticket} (constraint {constraint})",
                "ce site n'a pas le ticket {ticket} (contrainte {constraint})"
            ),
            Cause::Needs { resource, link, .. } => match link {
                Link::Group => say!(
                    l,
                    "it comes after {resource} in its group, which is not active",
                    "elle vient après {resource} dans son groupe, qui n'est pas active"
                ),
                Link::Colocation => say!(
                    l,
                    "it must be where {resource} is, which is not active",
                    "elle doit être avec {resource}, qui n'est pas active"
                ),
                Link::Order => say!(
                    l,
                    "it starts after {resource}, which is not active",
                    "elle démarre après {resource}, qui n'est pas active"
                ),
            },
            _ => self.node_sentence(l),
        }
    }

    fn node_sentence(&self, l: Language) -> String {
        match &self.cause {
            Cause::NodeOffline { unclean: false } => {
                say!(l, "the node is offline", "le nœud est hors ligne")
            }
            Cause::NodeOffline { unclean: true } => say!(
                l,
                "the node is lost and must be fenced first (unclean)",
                "le nœud est perdu et doit d'abord être isolé (unclean)"
            ),
            Cause::NodePending => say!(
                l,
                "the node is still joining the cluster",
                "le nœud est en train de rejoindre la grappe"
            ),
            Cause::NodeStandby { on_fail: false } => {
                say!(
                    l,
                    "the node is in standby",
                    "le nœud est en veille (standby)"
                )
            }
            Cause::NodeStandby { on_fail: true } => say!(
                l,
                "the node was put in standby by a failure (on-fail)",
                "le nœud a été mis en veille par un échec (on-fail)"
            ),
            Cause::NodeMaintenance => {
                say!(
                    l,
                    "the node is in maintenance",
                    "le nœud est en maintenance"
                )
            }
            Cause::NodeHealth => say!(
                l,
                "the node's health keeps resources off",
                "la santé du nœud en écarte les ressources"
            ),
            Cause::NotInstalled { agent, detail: d } => {
                let d = detail(d.as_ref());
                say!(
                    l,
                    "{agent}, or what it runs, is not installed{d}",
                    "{agent}, ou ce qu'il lance, n'est pas installé{d}"
                )
            }
            Cause::FailedTooOften {
                failures,
                threshold,
                task,
                outcome,
                detail: d,
            } => {
                let failures = Score::new(*failures);
                let threshold = Score::new(*threshold);
                let what = match (task, outcome) {
                    (Some(task), Some(outcome)) => {
                        let d = detail(d.as_ref());
                        say!(
                            l,
                            "; {task} failed ({outcome}{d})",
                            " ; {task} a échoué ({outcome}{d})"
                        )
                    }
                    _ => String::new(),
                };
                say!(
                    l,
                    "it failed there {failures} times of at most {threshold}{what}",
                    "elle y a échoué {failures} fois sur {threshold} au plus{what}"
                )
            }
            Cause::Banned { constraint } => say!(
                l,
                "constraint {constraint} forbids this node",
                "la contrainte {constraint} interdit ce nœud"
            ),
            Cause::NotAllowed => say!(
                l,
                "no constraint allows this node, and the cluster is not symmetric",
                "aucune contrainte ne permet ce nœud, et la grappe n'est pas symétrique"
            ),
            Cause::Apart {
                resource,
                constraint,
                away: false,
            } => say!(
                l,
                "{resource} is not there, and constraint {constraint} keeps both together",
                "{resource} n'y est pas, et la contrainte {constraint} les garde ensemble"
            ),
            Cause::Apart {
                resource,
                constraint,
                away: true,
            } => say!(
                l,
                "{resource} is there, and constraint {constraint} keeps both apart",
                "{resource} y est, et la contrainte {constraint} les sépare"
            ),
            Cause::Failed {
                task,
                outcome,
                detail: d,
            } => {
                let d = detail(d.as_ref());
                say!(
                    l,
                    "{task} failed there ({outcome}{d})",
                    "{task} y a échoué ({outcome}{d})"
                )
            }
            Cause::Avoids { constraint, score } => say!(
                l,
                "constraint {constraint} makes it a worse place (score {score})",
                "la contrainte {constraint} en fait un moins bon endroit (score {score})"
            ),
            Cause::InstanceLimit { max } => say!(
                l,
                "all {max} instances that may run are running elsewhere",
                "les {max} instances permises tournent ailleurs"
            ),
            Cause::RunsElsewhere { node } => say!(
                l,
                "nothing keeps it off; it runs on {node}",
                "rien ne l'en écarte ; elle est sur {node}"
            ),
            Cause::NoInstance => say!(
                l,
                "no instance is there, and nothing in the CIB tells why",
                "aucune instance n'y est, et rien dans la CIB ne l'explique"
            ),
            // The causes that are not about a node have their sentences above.
            _ => String::new(),
        }
    }

    /// Says what an administrator can do about it, mostly a command; none when there is nothing to
    /// do but to wait or to know.
    #[must_use]
    pub fn next_step(&self, language: Language) -> Option<String> {
        let l = language;
        let resource = &self.resource;
        let node = self.node.as_deref().unwrap_or_default();
        Some(match &self.cause {
            Cause::NoDc => advice::look_at_daemons(l),
            Cause::NoQuorum => advice::see_who_is_missing(l),
            Cause::ClusterMaintenance => advice::unset_property("maintenance-mode"),
            Cause::StopAll => advice::unset_property("stop-all-resources"),
            Cause::NoFenceDevice => advice::add_fence_device(l),
            Cause::NoInstance => advice::see_scores(l),
            Cause::Orphan => advice::cleanup(resource, None),
            Cause::TargetRole { set_on, .. } => {
                advice::unset_meta(set_on.as_ref().unwrap_or(resource), "target-role")
            }
            Cause::Maintenance { set_on } => {
                advice::unset_meta(set_on.as_ref().unwrap_or(resource), "maintenance")
            }
            Cause::Unmanaged { set_on } => {
                advice::unset_meta(set_on.as_ref().unwrap_or(resource), "is-managed")
            }
            Cause::Blocked => advice::stop_by_hand(l, resource),
            Cause::Ticket {
                ticket,
                standby: true,
                ..
            } => format!("crm_ticket --ticket {ticket} --activate"),
            Cause::Ticket { ticket, .. } => say!(
                l,
                "when no other site has it: crm_ticket --ticket {ticket} --grant",
                "si aucun autre site ne l'a : crm_ticket --ticket {ticket} --grant"
            ),
            Cause::Needs { resource, .. } => say!(
                l,
                "see why {resource} is not active: crm_mon --why {resource}",
                "voir pourquoi {resource} n'est pas active : crm_mon --why {resource}"
            ),
            Cause::NodeOffline { unclean: false } => advice::start_cluster(l, node),
            Cause::NodeOffline { unclean: true } => advice::confirm_off(l, node),
            Cause::NodeStandby { on_fail: false } => advice::unset_node_attribute(node, "standby"),
            Cause::NodeStandby { on_fail: true }
            | Cause::FailedTooOften { .. }
            | Cause::Failed { .. } => advice::mend_and_clean_up(l, resource, node),
            Cause::NodeMaintenance => advice::unset_node_attribute(node, "maintenance"),
            Cause::NodeHealth => say!(
                l,
                "look at the attributes whose names begin with #health: crm_mon -1A",
                "voir les attributs dont le nom commence par #health : crm_mon -1A"
            ),
            Cause::NotInstalled { .. } => advice::install_and_clean_up(l, resource, node),
            Cause::Banned { constraint } if constraint.starts_with("cli-ban-") => {
                // The group or clone around it may be what is banned.
                let of = constraint
                    .trim_start_matches("cli-ban-")
                    .split("-on-")
                    .next();
                advice::clear(of.unwrap_or(resource), Some(node))
            }
            Cause::Banned { constraint } | Cause::Avoids { constraint, .. } => say!(
                l,
                "read it: cibadmin --query --xpath \"//*[@id='{constraint}']\"",
                "la lire : cibadmin --query --xpath \"//*[@id='{constraint}']\""
            ),
            Cause::NotAllowed => say!(
                l,
                "add a location constraint with a score of 0 or more for {node}",
                "ajouter une contrainte de placement de score 0 ou plus pour {node}"
            ),
            Cause::Apart { resource, .. } => say!(
                l,
                "see what keeps {resource} where it is: crm_mon --why {resource}",
                "voir ce qui retient {resource} : crm_mon --why {resource}"
            ),
            Cause::UnderWay { .. }
            | Cause::NodePending
            | Cause::InstanceLimit { .. }
            | Cause::RunsElsewhere { .. } => return None,
        })
    }
}
