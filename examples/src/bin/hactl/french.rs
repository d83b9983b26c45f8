//! The help, and what makes no sense of a command line, in French: one table.

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, Command};

use crate::usage;

/// What the help says in English, and in French.
#[rustfmt::skip]
static HELP: &[(&str, &str)] = &[
    ("Administers a Pacemaker cluster: tells beforehand what would happen, does it in one step, waits until it is done, and says why when it is not",
     "Administre une grappe Pacemaker : dit d'avance ce qui arriverait, le fait en une fois, attend que ce soit fait, et dit pourquoi quand ce ne l'est pas"),
    ("Print help", "Afficher l'aide"),
    ("Print help (see more with '--help')", "Afficher l'aide"),
    ("Print version", "Afficher la version"),
    ("Print this message or the help of the given subcommand(s)", "Afficher cette aide ou celle d'une commande"),
    // Options of all commands.
    ("Change nothing: print what would be changed, and what the cluster would do then", "Ne rien changer : dire ce qui serait changé, et ce que la grappe ferait alors"),
    ("Wait until the cluster has done it, and fail when it does otherwise", "Attendre que la grappe l'ait fait, et échouer si elle fait autrement"),
    ("How long to wait: a number of seconds, or with a unit (90s, 5min)", "Combien de temps attendre : un nombre de secondes, ou avec une unité (90s, 5min)"),
    ("Print JSON", "Répondre en JSON"),
    ("Work on a CIB file instead of the running cluster", "Travailler sur un fichier de CIB au lieu de la grappe en marche"),
    ("The language of messages (en, fr); else that of the environment", "La langue des messages (en, fr) ; sinon celle de l'environnement"),
    // The cluster.
    ("Print what is so in the cluster: nodes, resources, failures, and what is wrong or risky", "Dire l'état de la grappe : nœuds, ressources, échecs, et ce qui est faux ou risqué"),
    ("Explain why a resource does not run, or not where one would expect", "Expliquer pourquoi une ressource ne tourne pas, ou pas là où on l'attend"),
    ("Print what happens in the cluster as it happens", "Dire ce qui arrive dans la grappe à mesure que cela arrive"),
    ("Wait until the cluster has done all that its configuration asks for", "Attendre que la grappe ait fait tout ce que demande sa configuration"),
    ("Bring the cluster to the configuration in a file (TOML, JSON or XML), in one step", "Amener la grappe à la configuration d'un fichier (TOML, JSON ou XML), en une fois"),
    ("Print what `apply` would change", "Dire ce que changerait `apply`"),
    ("Print the configuration of the cluster as a TOML file that `apply` takes back, passwords included", "Écrire la configuration de la grappe en un fichier TOML que `apply` reprend, mots de passe compris"),
    ("Check the configuration of the cluster, or the one that a file would lead to", "Vérifier la configuration de la grappe, ou celle à laquelle un fichier mènerait"),
    ("Resources", "Ressources"),
    ("Nodes", "Nœuds"),
    ("Fencing: devices, levels, what was fenced", "Isolement (fencing) : dispositifs, niveaux, ce qui a été isolé"),
    ("Options of the cluster", "Options de la grappe"),
    ("Defaults of resources and operations", "Valeurs par défaut des ressources et des opérations"),
    ("Tickets", "Tickets"),
    ("Take the whole cluster into maintenance (nothing is managed), or out of it", "Mettre toute la grappe en maintenance (rien n'est géré), ou l'en sortir"),
    ("Stop all resources and keep them stopped, or let them run again", "Arrêter toutes les ressources et les garder arrêtées, ou les laisser tourner de nouveau"),
    ("List the agents of this node, or explain one (ocf:heartbeat:IPaddr2)", "Donner la liste des agents de ce nœud, ou en expliquer un (ocf:heartbeat:IPaddr2)"),
    ("Print the completions of a shell", "Écrire les complétions d'un shell"),
    // Arguments.
    ("The resource", "La ressource"),
    ("The node", "Le nœud"),
    ("The file", "Le fichier"),
    ("The file, as for apply", "Le fichier, comme pour apply"),
    ("The shell", "Le shell"),
    ("The value", "La valeur"),
    ("Its value", "Sa valeur"),
    ("Its name", "Son nom"),
    ("The new id", "Le nouvel identifiant"),
    ("Rename it also while it runs: what both ids share, as an address, may be gone then", "La renommer même si elle tourne : ce que les deux ont en commun, comme une adresse, peut être perdu"),
    ("Set it also when it would not work", "La donner même si cela ne peut marcher"),
    ("The name of the value", "Le nom de la valeur"),
    ("The attribute", "L'attribut"),
    ("The ticket", "Le ticket"),
    ("Whether it is to be", "Si ce doit l'être"),
    ("Whether they are to be stopped", "Si elles doivent être arrêtées"),
    ("Whose configuration this is: what was there for this owner and is not in the file is removed", "À qui est cette configuration : ce qui était là pour ce propriétaire et n'est pas dans le fichier est supprimé"),
    ("Do not add what the agents advise: time-outs, monitors", "Ne pas ajouter ce que conseillent les agents : délais, surveillances"),
    ("Apply it also when something in it is wrong", "L'appliquer même si quelque chose y est faux"),
    ("As for apply", "Comme pour apply"),
    ("A standard (ocf, systemd ...), a provider (ocf:heartbeat), or an agent", "Une norme (ocf, systemd ...), un fournisseur (ocf:heartbeat), ou un agent"),
    ("Only on this node", "Sur ce nœud seulement"),
    ("Only for this node", "Pour ce nœud seulement"),
    ("Only of this node", "De ce nœud seulement"),
    ("What is over already, of all resources", "Ce qui est déjà périmé, de toutes les ressources"),
    ("Only the promoted role", "Le rôle promu seulement"),
    ("For so long (600s, 2h), instead of until it is cleared", "Pour ce temps (600s, 2h), au lieu de jusqu'à ce que ce soit levé"),
    ("It is a meta-attribute", "C'est un méta-attribut"),
    ("It is what the resource needs of a node's capacity", "C'est ce que la ressource prend de la capacité d'un nœud"),
    ("Try it even when the scheduler says beforehand that it will not come about", "Essayer même quand l'ordonnanceur dit d'avance que cela n'arrivera pas"),
    ("Only until its cluster software restarts", "Seulement jusqu'au redémarrage de ses démons"),
    ("The one that holds until its cluster software restarts", "Celui qui vaut jusqu'au redémarrage de ses démons"),
    ("It is how much of something the node has for its resources", "C'est ce que le nœud a pour ses ressources (capacité)"),
    ("Leave it off, instead of restarting it", "Le laisser éteint, au lieu de le redémarrer"),
    ("Only those that can fence this node", "Seulement ceux qui peuvent isoler ce nœud"),
    ("Those that are for this node, the first to be tried first", "Ceux de ce nœud, dans l'ordre où ils sont essayés"),
    // Resources.
    ("List the resources, with what they do", "Donner la liste des ressources, et ce qu'elles font"),
    ("Print where a resource runs", "Dire où tourne une ressource"),
    ("Let a resource run", "Laisser tourner une ressource"),
    ("Stop a resource and keep it stopped", "Arrêter une ressource et la garder arrêtée"),
    ("Stop a resource and start it again; waits", "Arrêter une ressource et la redémarrer ; attend"),
    ("Move a resource to a node, or away from where it is, and leave nothing behind; waits", "Déplacer une ressource vers un nœud, ou l'éloigner du sien, sans rien laisser derrière ; attend"),
    ("Want a resource on a node above all else, until it is cleared", "Vouloir une ressource sur un nœud plus que tout, jusqu'à ce que ce soit levé"),
    ("Keep a resource off a node, until it is cleared", "Interdire un nœud à une ressource, jusqu'à ce que ce soit levé"),
    ("Take back what ban and prefer asked", "Lever ce que ban et prefer ont demandé"),
    ("Print or forget how often a resource has failed", "Dire ou oublier combien de fois une ressource a échoué"),
    ("Print how often a resource has failed, node by node", "Dire combien de fois une ressource a échoué, nœud par nœud"),
    ("Forget how often it has failed; its failures stay listed until a cleanup", "Oublier combien de fois elle a échoué ; ses échecs restent affichés jusqu'à un cleanup"),
    ("Ask for the promoted role", "Demander le rôle promu"),
    ("Keep all instances unpromoted", "Garder toutes les instances non promues"),
    ("Let the cluster manage a resource again", "Laisser la grappe gérer de nouveau une ressource"),
    ("Make the cluster neither start nor stop a resource", "Faire que la grappe ne démarre ni n'arrête une ressource"),
    ("Take a resource into maintenance, or out of it", "Mettre une ressource en maintenance, ou l'en sortir"),
    ("Forget the failures of a resource, or of all; waits", "Oublier les échecs d'une ressource, ou de toutes ; attend"),
    ("Have the nodes forget all they know of a resource, or of all, and look again; waits", "Faire oublier aux nœuds tout ce qu'ils savent d'une ressource, ou de toutes, et regarder de nouveau ; attend"),
    ("Print a value of a resource", "Dire une valeur d'une ressource"),
    ("Set a value of a resource", "Donner une valeur à une ressource"),
    ("Remove a value of a resource", "Enlever une valeur à une ressource"),
    ("Remove a resource and every reference to it", "Supprimer une ressource et tout ce qui s'y réfère"),
    ("Give a resource another id, and all that refers to it", "Donner un autre identifiant à une ressource, et à tout ce qui s'y réfère"),
    // Nodes.
    ("List the nodes, with their state", "Donner la liste des nœuds, et leur état"),
    ("Take a node into standby: its resources leave it", "Mettre un nœud en veille : ses ressources le quittent"),
    ("Take a node out of standby", "Sortir un nœud de veille"),
    ("Take a node into maintenance (its resources are left alone), or out of it", "Mettre un nœud en maintenance (ses ressources sont laissées telles quelles), ou l'en sortir"),
    ("Have a node fenced by the devices that are configured for it", "Faire isoler un nœud par les dispositifs configurés pour lui"),
    ("Tell the cluster that a node is off for sure: look first", "Dire à la grappe qu'un nœud est éteint pour sûr : vérifier d'abord"),
    ("Remove a node that has left for good from all that Pacemaker knows: stop it first", "Effacer un nœud parti pour de bon de tout ce que sait Pacemaker : l'arrêter d'abord"),
    ("Forget what a node that is off was doing, where it cannot be fenced: look first", "Oublier ce que faisait un nœud éteint, là où il ne peut être isolé : vérifier d'abord"),
    ("Print what the health attributes of a node say", "Dire ce que disent les attributs de santé d'un nœud"),
    ("Print an attribute of a node", "Dire un attribut d'un nœud"),
    ("Set an attribute of a node", "Donner un attribut à un nœud"),
    ("Remove an attribute of a node", "Enlever un attribut à un nœud"),
    // Fencing, values, tickets.
    ("List the fence devices, as this node's fencer knows them, and the nodes that each can fence", "Donner la liste des dispositifs d'isolement, tels que les connaît le démon de ce nœud, et des nœuds que chacun peut isoler"),
    ("List the levels of the fencing topology", "Donner la liste des niveaux d'isolement"),
    ("List what was fenced, or tried, the newest first", "Donner la liste de ce qui a été isolé, ou tenté, le plus récent d'abord"),
    ("Forget what was fenced, or tried", "Oublier ce qui a été isolé, ou tenté"),
    ("Print a value", "Dire une valeur"),
    ("Set a value", "Donner une valeur"),
    ("Remove a value: its default holds again", "Enlever une valeur : sa valeur par défaut vaut de nouveau"),
    ("Of resources", "Des ressources"),
    ("Of operations", "Des opérations"),
    ("Grant a ticket to this cluster; make sure that no other has it", "Accorder un ticket à cette grappe ; s'assurer qu'aucune autre ne l'a"),
    ("Take a ticket from this cluster", "Retirer un ticket à cette grappe"),
    ("Set a ticket on standby, or make it active again", "Mettre un ticket en veille, ou le rendre de nouveau actif"),
    ("Print an attribute of a ticket", "Dire un attribut d'un ticket"),
    ("Set an attribute of a ticket", "Donner un attribut à un ticket"),
    ("Remove an attribute of a ticket", "Enlever un attribut à un ticket"),
    ("Make the cluster forget a ticket", "Faire oublier un ticket à la grappe"),
];

const TEMPLATE: &str = "{about-with-newline}\nUsage : {usage}\n\n{all-args}{after-help}";

/// The command line with its help in French.
pub(crate) fn help(mut command: Command) -> Command {
    // The help's own commands and options are there then, too.
    command.build();
    in_french(command)
}

fn in_french(command: Command) -> Command {
    let about = command.get_about().map(ToString::to_string);
    let about = about.map(|about| said(&about).to_owned());
    let command = command
        .mut_args(argument)
        .mut_subcommands(in_french)
        .help_template(TEMPLATE)
        .subcommand_help_heading("Commandes")
        .subcommand_value_name("COMMANDE");
    match about {
        Some(about) => command.about(about),
        None => command,
    }
}

fn argument(argument: Arg) -> Arg {
    let Some(help) = argument.get_help().map(ToString::to_string) else {
        return argument;
    };
    let mut help = said(&help).to_owned();
    let defaults = argument.get_default_values();
    let takes_value = argument.get_action().takes_values();
    if takes_value && !defaults.is_empty() {
        let defaults: Vec<String> = defaults
            .iter()
            .map(|value| value.to_string_lossy().into_owned())
            .collect();
        help.push_str(&format!(" [par défaut : {}]", defaults.join(", ")));
    }
    if let Some(name) = argument.get_env() {
        help.push_str(&format!(" [variable : {}]", name.to_string_lossy()));
    }
    let values = argument.get_possible_values();
    if takes_value && !values.is_empty() {
        let values: Vec<&str> = values
            .iter()
            .map(clap::builder::PossibleValue::get_name)
            .collect();
        help.push_str(&format!(" [valeurs : {}]", values.join(", ")));
    }
    argument
        .help(help)
        .long_help(None::<&str>)
        .hide_default_value(true)
        .hide_env(true)
        .hide_possible_values(true)
}

fn said(english: &str) -> &str {
    let found = HELP.iter().find(|(text, _)| *text == english);
    found.map_or(english, |(_, french)| french)
}

/// What makes no sense, and what may have been meant.
pub(crate) fn usage(e: &clap::Error) -> (String, Option<String>) {
    let of = |kind| e.get(kind).map(ToString::to_string).unwrap_or_default();
    let (argument, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    let text = match e.kind() {
        ErrorKind::UnknownArgument => format!("argument inattendu « {argument} »"),
        ErrorKind::InvalidSubcommand => {
            format!(
                "il n'y a pas de commande « {} »",
                of(ContextKind::InvalidSubcommand)
            )
        }
        ErrorKind::MissingRequiredArgument => format!("il manque : {argument}"),
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("il manque une valeur à « {argument} »")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("« {value} » n'est pas une valeur de « {argument} »")
        }
        ErrorKind::ArgumentConflict => {
            format!(
                "« {argument} » ne va pas avec « {} »",
                of(ContextKind::PriorArg)
            )
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            "il manque une commande".to_owned()
        }
        _ => {
            let text = e.to_string();
            text.lines().next().unwrap_or_default().to_owned()
        }
    };
    let values = of(ContextKind::ValidValue);
    let meant = usage::suggested(e).map(|name| format!("vouliez-vous dire {name} ?"));
    let hint = meant.or_else(|| {
        if argument.contains("--timeout") || argument.contains("--for") {
            Some("une durée s'écrit 90, 90s, 5min, 1h".to_owned())
        } else if argument.contains("--lang") {
            Some("les langues sont en et fr".to_owned())
        } else {
            (!values.is_empty()).then(|| format!("les valeurs sont : {values}"))
        }
    });
    (text, hint)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn all_of_the_help_is_in_french() {
        fn walk(command: &Command, english: &mut Vec<String>) {
            let about = command.get_about().map(ToString::to_string);
            let helps = command.get_arguments().filter_map(Arg::get_help);
            let texts = about.into_iter().chain(helps.map(ToString::to_string));
            english.extend(texts);
            command
                .get_subcommands()
                .for_each(|command| walk(command, english));
        }
        let mut command = Arguments::command();
        command.build();
        let mut english = Vec::new();
        walk(&command, &mut english);
        let is_missing = |text: &&String| !HELP.iter().any(|(english, _)| english == text);
        let missing: Vec<&String> = english.iter().filter(is_missing).collect();
        assert!(missing.is_empty(), "{missing:#?}");
        let not_used = HELP
            .iter()
            .filter(|(text, _)| !english.iter().any(|e| e == text));
        let not_used: Vec<_> = not_used.collect();
        assert!(not_used.is_empty(), "{not_used:#?}");
        help(Arguments::command()).debug_assert();
    }
}
