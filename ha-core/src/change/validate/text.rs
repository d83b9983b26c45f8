//! The problems in words, and what would mend them.

use super::{Expected, Problem, Target};
use crate::language::{Language, say};

impl Target {
    fn text(self, l: Language) -> String {
        match self {
            Self::Resource => say!(l, "resource", "ressource"),
            Self::Template => say!(l, "template", "modèle (template)"),
            Self::Device => say!(l, "fence device", "appareil d'isolation (fencing)"),
            Self::Node => say!(l, "node", "nœud"),
            Self::Role => say!(l, "ACL role", "rôle d'ACL"),
            Self::Element => say!(l, "element", "élément"),
            Self::Same => say!(l, "element of this kind", "élément de cette sorte"),
        }
    }
}

impl Expected {
    fn text(&self, l: Language) -> String {
        match self {
            Self::Integer => say!(l, "a whole number", "un nombre entier"),
            Self::Boolean => say!(l, "true or false", "true ou false"),
            Self::Interval => say!(
                l,
                "a time with its unit, as 10s, 500ms or 2min",
                "une durée avec son unité, comme 10s, 500ms ou 2min"
            ),
            Self::Score => say!(
                l,
                "a whole number, INFINITY or -INFINITY",
                "un nombre entier, INFINITY ou -INFINITY"
            ),
            Self::OneOf(words) => {
                let words = words.join(", ");
                say!(l, "one of: {words}", "un de : {words}")
            }
        }
    }
}

fn did_you_mean(l: Language, similar: Option<&str>, or_else: impl FnOnce() -> String) -> String {
    match similar {
        Some(similar) => say!(
            l,
            "did you mean {similar}?",
            "vouliez-vous dire {similar} ?"
        ),
        None => or_else(),
    }
}

impl Problem {
    /// Says what is wrong, in one sentence without a full stop.
    #[must_use]
    pub fn text(&self, l: Language) -> String {
        match self {
            Self::Schema { message } => say!(
                l,
                "the schema does not allow this: {message}",
                "le schéma ne le permet pas : {message}"
            ),
            Self::SchemaUnread { reason } => say!(
                l,
                "it was not checked against the schema: {reason}",
                "la conformité au schéma n'a pas été vérifiée : {reason}"
            ),
            Self::DuplicateId { id } => say!(
                l,
                "another element has the id {id}",
                "un autre élément a l'identifiant {id}"
            ),
            Self::Dangling { target, name, .. } => {
                let target = target.text(l);
                say!(
                    l,
                    "there is no {target} {name}",
                    "il n'y a pas de {target} {name}"
                )
            }
            Self::NotInGroup { kind } => say!(
                l,
                "a {kind} cannot be in a group",
                "un élément {kind} ne peut être dans un groupe"
            ),
            Self::EmptyGroup => say!(l, "the group has no members", "le groupe est vide"),
            Self::NoSuchAgent { agent } => say!(
                l,
                "the agent {agent} is not installed on this node",
                "l'agent {agent} n'est pas installé sur ce nœud"
            ),
            Self::AgentUnread { agent, reason } => say!(
                l,
                "{agent} does not describe itself, so its parameters were not checked: {reason}",
                "{agent} ne se décrit pas, ses paramètres n'ont pas été vérifiés : {reason}"
            ),
            Self::MissingParameter { agent, parameter } => say!(
                l,
                "the parameter {parameter} is missing: {agent} needs it",
                "le paramètre {parameter} manque : {agent} en a besoin"
            ),
            Self::UnknownParameter {
                agent, parameter, ..
            } => say!(
                l,
                "{agent} has no parameter {parameter}",
                "{agent} n'a pas de paramètre {parameter}"
            ),
            Self::SharedParameter { parameter, other } => say!(
                l,
                "{other} has the same {parameter}, which should tell the two apart",
                "{other} a la même valeur pour {parameter}, qui devrait les distinguer"
            ),
            Self::WrongValue {
                name,
                value,
                expected,
                read_as,
            } => {
                let expected = expected.text(l);
                match read_as {
                    Some(read) => say!(
                        l,
                        "{name} is '{value}', which Pacemaker reads as {read}: it should be {expected}",
                        "{name} vaut « {value} », que Pacemaker lit {read} : il faut {expected}"
                    ),
                    None => say!(
                        l,
                        "{name} is '{value}', and should be {expected}",
                        "{name} vaut « {value} » : il faut {expected}"
                    ),
                }
            }
            Self::ShortTimeout {
                operation,
                timeout,
                advised,
                given: true,
            } => say!(
                l,
                "{operation} may take {timeout}; its agent advises {advised}",
                "l'opération {operation} a un délai de {timeout} ; son agent conseille {advised}"
            ),
            Self::ShortTimeout {
                operation,
                timeout,
                advised,
                ..
            } => say!(
                l,
                "{operation} has no time-out of its own and may take {timeout}; its agent advises {advised}",
                "l'opération {operation} n'a pas de délai propre et dispose de {timeout} ; son agent conseille {advised}"
            ),
            Self::DuplicateOperation { operation, other } => say!(
                l,
                "{operation} has the same interval as {other}: Pacemaker does only one of them",
                "{operation} a le même intervalle que {other} : Pacemaker n'en fait qu'une"
            ),
            Self::UnknownOperation {
                agent, operation, ..
            } => say!(
                l,
                "{agent} has no operation {operation}",
                "{agent} n'a pas d'opération {operation}"
            ),
            Self::NoMonitor => say!(
                l,
                "it has no repeated monitor: when it dies, nobody sees it",
                "il n'y a pas de monitor répété : si elle meurt, personne ne le voit"
            ),
            Self::CannotPromote { agent } => say!(
                l,
                "it is promotable, but {agent} cannot be promoted",
                "il est « promotable », mais {agent} ne peut être promu"
            ),
            Self::PingUnread { attribute } => say!(
                l,
                "it sets {attribute}, but no constraint reads it: a lost gateway moves nothing",
                "elle écrit l'attribut {attribute}, mais aucune contrainte ne le lit : une passerelle perdue ne déplace rien"
            ),
            Self::UndefinedForgotten { attribute } => say!(
                l,
                "a node that has no {attribute} yet passes this rule, as if its gateway were there",
                "un nœud qui n'a pas encore d'attribut {attribute} passe cette règle, comme si sa passerelle répondait"
            ),
            Self::NoFenceDevice => say!(
                l,
                "fencing is on, but no device is configured: no resource is started",
                "l'isolation des nœuds (fencing) est active, mais sans appareil : rien n'est démarré"
            ),
            Self::FencingOff => say!(
                l,
                "there is a fence device, but fencing is off: it will not be used",
                "il y a un appareil d'isolation, mais l'isolation (fencing) est désactivée : il ne sert pas"
            ),
            Self::UnknownMeta { name, .. } => say!(
                l,
                "Pacemaker knows no meta-attribute {name}",
                "Pacemaker ne connaît pas de méta-attribut {name}"
            ),
            Self::UnknownOption { name, .. } => say!(
                l,
                "Pacemaker knows no option {name}",
                "Pacemaker ne connaît pas d'option {name}"
            ),
        }
    }

    /// Says what would mend it.
    #[must_use]
    pub fn fix(&self, l: Language) -> String {
        match self {
            Self::Schema { .. } => say!(
                l,
                "change it: the cluster refuses the whole configuration",
                "à corriger : la grappe refuse toute la configuration"
            ),
            Self::SchemaUnread { .. } => say!(
                l,
                "check it on a node of the cluster: crm_verify --live-check",
                "vérifier sur un nœud de la grappe : crm_verify --live-check"
            ),
            Self::DuplicateId { .. } => {
                say!(l, "give it another id", "lui donner un autre identifiant")
            }
            Self::Dangling { similar, name, .. } => did_you_mean(l, similar.as_deref(), || {
                say!(
                    l,
                    "configure {name}, or remove what names it",
                    "configurer {name}, ou retirer ce qui le nomme"
                )
            }),
            Self::NotInGroup { .. } => say!(
                l,
                "take it out of the group, and tie the two with a colocation and an order",
                "le sortir du groupe, et les lier par une colocation et un ordre"
            ),
            Self::EmptyGroup => say!(
                l,
                "add a member, or remove the group",
                "ajouter un membre, ou retirer le groupe"
            ),
            Self::NoSuchAgent { agent } => {
                let package = match agent.split(':').next() {
                    Some("stonith") => "fence-agents",
                    Some("ocf") => "resource-agents",
                    _ => "",
                };
                match package {
                    "" => say!(
                        l,
                        "install the service on each node, or mend the name",
                        "installer le service sur chaque nœud, ou corriger le nom"
                    ),
                    _ => say!(
                        l,
                        "install its package ({package} for most) on each node, or mend the name",
                        "installer son paquet ({package} le plus souvent) sur chaque nœud, ou corriger le nom"
                    ),
                }
            }
            Self::AgentUnread { .. } => say!(
                l,
                "run the agent with meta-data and look at what it says",
                "lancer l'agent avec meta-data et voir ce qu'il dit"
            ),
            Self::MissingParameter { parameter, .. } => {
                say!(l, "give {parameter}", "donner {parameter}")
            }
            Self::UnknownParameter {
                similar,
                agent,
                parameter: name,
            } => did_you_mean(l, similar.as_deref(), || {
                say!(
                    l,
                    "remove {name}; to see which there are: crm_resource --show-metadata {agent}",
                    "retirer {name} ; pour voir lesquels existent : crm_resource --show-metadata {agent}"
                )
            }),
            Self::SharedParameter { .. } => say!(
                l,
                "give each a value of its own",
                "donner à chacune sa propre valeur"
            ),
            Self::WrongValue { expected, .. } => {
                let expected = expected.text(l);
                say!(l, "write {expected}", "écrire {expected}")
            }
            Self::ShortTimeout { advised, .. } => say!(
                l,
                "set timeout={advised} or more",
                "mettre timeout={advised} ou plus"
            ),
            Self::DuplicateOperation { .. } => say!(
                l,
                "make the intervals differ, if only by a second: also of different roles",
                "donner des intervalles différents, fût-ce d'une seconde : même pour des rôles différents"
            ),
            Self::UnknownOperation {
                similar, operation, ..
            } => did_you_mean(l, similar.as_deref(), || {
                say!(l, "remove {operation}", "retirer {operation}")
            }),
            Self::NoMonitor => say!(
                l,
                "add an operation: monitor, interval 10s",
                "ajouter une opération : monitor, intervalle 10s"
            ),
            Self::CannotPromote { .. } => say!(
                l,
                "take promotable away, or choose another agent",
                "retirer promotable, ou choisir un autre agent"
            ),
            Self::PingUnread { attribute } => say!(
                l,
                "add a location rule: -INFINITY where {attribute} is below 1 or not defined",
                "ajouter une règle de placement : -INFINITY où {attribute} est sous 1 ou non défini"
            ),
            Self::UndefinedForgotten { attribute } => say!(
                l,
                "add to the rule: or not_defined {attribute}",
                "ajouter à la règle : or not_defined {attribute}"
            ),
            Self::NoFenceDevice => say!(
                l,
                "configure a fence device, or accept the risk with stonith-enabled=false",
                "configurer un appareil d'isolation, ou accepter le risque avec stonith-enabled=false"
            ),
            Self::FencingOff => say!(
                l,
                "set stonith-enabled=true, or remove the device",
                "mettre stonith-enabled=true, ou retirer l'appareil"
            ),
            Self::UnknownMeta { name, similar } | Self::UnknownOption { name, similar } => {
                did_you_mean(l, similar.as_deref(), || {
                    say!(
                        l,
                        "remove {name}, unless a program of yours reads it",
                        "retirer {name}, sauf si un de vos programmes le lit"
                    )
                })
            }
        }
    }
}
