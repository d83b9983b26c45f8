//! Errors in French: one table for what the library says in English.
//!
//! `{}` stands for whatever is there; in the French text they are in the same order, or numbered (`{1}` is the
//! second). What has no line here is said in English: a text of the system or of a daemon, mostly.

/// How deep a text may be made of other texts.
const DEEPEST: usize = 4;

/// Returns a text of an error in French; as it is when the table does not have it.
pub(super) fn in_french(text: &str) -> String {
    translate(text, DEEPEST)
}

fn translate(text: &str, depth: usize) -> String {
    let Some(depth) = depth.checked_sub(1) else {
        return text.to_owned();
    };
    let fixed = |pattern: &str| pattern.len() - 2 * pattern.matches("{}").count();
    let found = TABLE
        .iter()
        .filter_map(|line| Some((fixed(line.0), line, holes(line.0, text)?)))
        .max_by_key(|(fixed, ..)| *fixed);
    if let Some((_, (pattern, french), holes)) = found {
        let parts: Vec<&str> = pattern.split("{}").collect();
        // What is in quotes is what somebody wrote.
        let is_quoted = |n: usize| parts[n].ends_with('\'') && parts[n + 1].starts_with('\'');
        let holes = holes
            .iter()
            .enumerate()
            .map(|(n, hole)| match is_quoted(n) {
                true => (*hole).to_owned(),
                false => translate(hole, depth),
            });
        let holes: Vec<String> = holes.collect();
        return fill(french, &holes);
    }
    match text.split_once("; ") {
        Some((first, rest)) => {
            let (first, rest) = (translate(first, depth), translate(rest, depth + 1));
            format!("{first} ; {rest}")
        }
        None => text.to_owned(),
    }
}

/// What stands where the pattern has `{}`; none when the text is another one.
fn holes<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut parts = pattern.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut holes = Vec::new();
    let parts: Vec<&str> = parts.collect();
    for (n, part) in parts.iter().enumerate() {
        let end = if n + 1 == parts.len() {
            rest.ends_with(part).then(|| rest.len() - part.len())?
        } else {
            rest.find(part)?
        };
        let hole = &rest[..end];
        if hole.is_empty() {
            return None;
        }
        holes.push(hole);
        rest = &rest[end + part.len()..];
    }
    rest.is_empty().then_some(holes)
}

fn fill(french: &str, holes: &[String]) -> String {
    let mut text = String::new();
    let mut parts = french.split('{');
    text.push_str(parts.next().unwrap_or_default());
    for (n, part) in parts.enumerate() {
        let (number, after) = part.split_once('}').unwrap_or(("", part));
        let at = number.parse().unwrap_or(n);
        text.push_str(holes.get(at).map_or("", String::as_str));
        text.push_str(after);
    }
    text
}

/// English and French.
#[rustfmt::skip]
static TABLE: &[(&str, &str)] = &[
    // What does not exist, and what does.
    ("there is no resource {}", "il n'y a pas de ressource {}"),
    ("there is no node {}", "il n'y a pas de nœud {}"),
    ("there is no {} {}", "il n'y a pas de {} {}"),
    ("did you mean {}?", "vouliez-vous dire {} ?"),
    ("the configuration has no resource at all", "la configuration n'a aucune ressource"),
    ("the configuration has no node at all", "la configuration n'a aucun nœud"),
    ("the configuration has no {} at all", "la configuration n'a aucun objet de ce genre ({})"),
    ("the configuration has: {}", "la configuration a : {}"),
    ("the cluster has no resource '{}'", "la grappe n'a pas de ressource « {} »"),
    ("the cluster has no node '{}'", "la grappe n'a pas de nœud « {} »"),
    ("crm_mon -1 -r lists the resources", "crm_mon -1 -r donne la liste des ressources"),
    ("crm_node -l lists the nodes", "crm_node -l donne la liste des nœuds"),
    ("'{}' is neither 'en' nor 'fr'", "« {} » n'est ni « en » ni « fr »"),
    // XML.
    ("line {}, column {}: the text is not UTF-8 ({})", "ligne {}, colonne {} : le texte n'est pas de l'UTF-8 ({})"),
    ("the text is in UTF-16", "le texte est en UTF-16"),
    ("the text ends inside of <{}>", "le texte s'arrête dans <{}>"),
    ("</{}> where {}", "</{}> là où {}"),
    ("</{}> is expected", "</{}> est attendu"),
    ("no element is open", "aucun élément n'est ouvert"),
    ("the start tag is not closed", "la balise de début n'est pas fermée"),
    ("the end tag is not closed", "la balise de fin n'est pas fermée"),
    ("a `<` that starts nothing", "un `<` qui ne commence rien"),
    ("a document type (<!DOCTYPE>) is not accepted", "un type de document (<!DOCTYPE>) n'est pas accepté"),
    ("remove it: neither entities nor a DTD belong in a CIB", "l'enlever : ni entités ni DTD n'ont leur place dans une CIB"),
    ("there is {} outside of the root element", "il y a {} hors de l'élément racine"),
    ("character data", "du texte"),
    ("attribute {} has no value", "l'attribut {} n'a pas de valeur"),
    ("the value of attribute {} is not in quotes", "la valeur de l'attribut {} n'est pas entre guillemets"),
    ("the entity {} is not defined", "l'entité {} n'est pas définie"),
    // Questions.
    ("the question '{}'", "la question « {} »"),
    ("the question is empty", "la question est vide"),
    ("a name is missing", "il manque un nom"),
    ("a state is missing at the end", "il manque un état à la fin"),
    ("'{}' is no state", "« {} » n'est pas un état"),
    ("'{}' is not expected after the state", "« {} » ne peut suivre l'état"),
    ("a node is missing after 'on'", "il manque un nœud après « on »"),
    ("a cluster cannot be {}", "on ne peut demander d'une grappe si elle est « {} »"),
    ("a node cannot be {}", "on ne peut demander d'un nœud s'il est « {} »"),
    ("a resource cannot be {} on a node", "on ne peut demander d'une ressource si elle est « {} » sur un nœud"),
    ("a resource cannot be {}", "on ne peut demander d'une ressource si elle est « {} »"),
    ("a resource or a node cannot be {} on a node", "on ne peut demander d'une ressource ou d'un nœud si cela est « {} » sur un nœud"),
    ("a resource or a node cannot be {}", "on ne peut demander d'une ressource ou d'un nœud si cela est « {} »"),
    ("a cluster cannot be {} on a node", "on ne peut demander d'une grappe si elle est « {} » sur un nœud"),
    ("a node cannot be {} on a node", "on ne peut demander d'un nœud s'il est « {} » sur un nœud"),
    ("ask for example 'VIP_externe started on maitre', 'node esclave is not standby', 'cluster is quorate and ipsec_rsc started'",
     "demander par exemple « VIP_externe started on maitre », « node esclave is not standby », « cluster is quorate and ipsec_rsc started »"),
    ("the id {} is taken", "l'identifiant {} est pris"),
    ("two things have the id {}", "deux objets ont l'identifiant {}"),
    ("two desired elements have the id {}", "deux éléments voulus ont l'identifiant {}"),
    ("give one another id", "donner un autre identifiant à l'un des deux"),
    ("a desired <{}> has no id", "un <{}> voulu n'a pas d'identifiant"),
    ("the id {} is that of a <{}>, and a <{}> is desired", "l'identifiant {} est celui d'un <{}>, et c'est un <{}> qui est voulu"),
    ("choose another id, or remove the other one first", "choisir un autre identifiant, ou supprimer d'abord l'autre objet"),
    ("TicketName {} is empty", "le nom de ticket {} est vide"),
    ("TicketName {} has a blank, a control character, a quote or a slash", "le nom de ticket {} a un blanc, un caractère de contrôle, un guillemet ou une barre oblique"),
    ("ValueName {} is empty", "le nom de valeur {} est vide"),
    ("ValueName {} has a blank or a control character", "le nom de valeur {} a un blanc ou un caractère de contrôle"),
    ("the value of {} has a control character", "la valeur de {} a un caractère de contrôle"),
    ("Pacemaker itself keeps {} of a ticket", "Pacemaker tient lui-même {} d'un ticket"),
    ("grant the other name, and forget this one", "accorder l'autre nom, et oublier celui-ci"),
    ("grant or revoke the ticket instead", "accorder ou retirer plutôt le ticket"),
    ("set the ticket on standby, or make it active, instead", "mettre plutôt le ticket en veille, ou le rendre actif"),
    ("{} is active on {}: the cluster would start it under the new id while it stops it under the old one",
     "{} tourne sur {} : la grappe la démarrerait sous le nouvel identifiant tout en l'arrêtant sous l'ancien"),
    ("stop it first, rename it, and start it again", "l'arrêter d'abord, la renommer, et la redémarrer"),
    ("the template {} is used by {}", "le modèle {} sert à {}"),
    ("delete the resources made from it first", "supprimer d'abord les ressources qui en sont faites"),
    ("{} uses {}, which would go with {}", "{} se sert de {}, qui partirait avec {}"),
    ("give {} values of its own first", "donner d'abord à {} des valeurs à elle"),
    ("{} is not a promotable clone", "{} n'est pas un clone promouvable"),
    ("clones of agents that can be promoted are, with the meta-attribute promotable=true ({})",
     "les clones d'agents qui peuvent être promus le sont, avec le méta-attribut promotable=true ({})"),
    // The scheduler.
    ("ask the scheduler what it would do", "demander à l'ordonnanceur ce qu'il ferait"),
    ("start {}", "démarrer {}"),
    ("install it: on Debian it is in the package {}", "l'installer : sous Debian il est dans le paquet {}"),
    ("{} of this machine cannot answer in XML", "{} de cette machine ne sait pas répondre en XML"),
    ("it can from Pacemaker 2.1 on", "il le sait depuis Pacemaker 2.1"),
    ("{} refused the CIB ({}): {}", "{} a refusé la CIB ({}) : {}"),
    ("it gave no reason", "sans dire pourquoi"),
    ("check the CIB with crm_verify", "vérifier la CIB avec crm_verify"),
    ("move {} from {} to {}", "déplacer {} de {} vers {}"),
    // What was being done.
    ("change the CIB", "changer la CIB"),
    ("query the CIB", "lire la CIB"),
    ("query the CIB's version", "lire la version de la CIB"),
    ("connect to the CIB", "se connecter à la CIB"),
    ("connect to the cluster's CIB", "se connecter à la CIB de la grappe"),
    ("connect to {}", "se connecter à {}"),
    ("sign on to {}", "s'annoncer à {}"),
    ("reach {}", "joindre {}"),
    ("follow the CIB", "suivre la CIB"),
    ("follow the cluster's events", "suivre les événements de la grappe"),
    ("read the cluster's status", "lire l'état de la grappe"),
    ("wait for a state of the cluster", "attendre un état de la grappe"),
    ("wait until the cluster is settled", "attendre que la grappe ait fini"),
    ("apply a configuration", "appliquer une configuration"),
    ("read the configuration {}", "lire la configuration {}"),
    ("open the CIB file {}", "ouvrir le fichier de CIB {}"),
    ("look at the CIB file", "regarder le fichier de CIB"),
    ("read the CIB file", "lire le fichier de CIB"),
    ("move {} to {}", "déplacer {} vers {}"),
    ("move {} away", "éloigner {}"),
    ("restart {}", "redémarrer {}"),
    ("stop {}", "arrêter {}"),
    ("ban {}", "interdire un nœud à {}"),
    ("prefer a node for {}", "vouloir un nœud pour {}"),
    ("clear {}", "lever ce qui a été demandé pour {}"),
    ("promote {}", "promouvoir {}"),
    ("demote {}", "rétrograder {}"),
    ("manage {}", "gérer {}"),
    ("unmanage {}", "ne plus gérer {}"),
    ("delete {}", "supprimer {}"),
    ("rename {}", "renommer {}"),
    ("set a value of {}", "donner une valeur à {}"),
    ("remove a value of {}", "enlever une valeur à {}"),
    ("take into maintenance {}", "mettre {} en maintenance"),
    ("take out of maintenance {}", "sortir {} de maintenance"),
    ("take into standby {}", "mettre {} en veille"),
    ("take {} out of standby", "sortir {} de veille"),
    ("set {} of {}", "donner {} à {}"),
    ("remove {} of {}", "enlever {} à {}"),
    ("set {}", "donner {}"),
    ("set the default {}", "donner la valeur par défaut {}"),
    ("remove the default {}", "enlever la valeur par défaut {}"),
    ("fence {}", "isoler {}"),
    ("confirm that {} is off", "confirmer que {} est éteint"),
    ("remove the node {}", "supprimer le nœud {}"),
    ("clear the state of {}", "effacer l'état de {}"),
    ("forget the fail counts of {}", "oublier le nombre d'échecs de {}"),
    ("forget the fencing history of {}", "oublier l'historique d'isolement de {}"),
    ("forget the fencing history", "oublier l'historique d'isolement"),
    ("read the fencing history", "lire l'historique d'isolement"),
    ("list the fence devices", "donner la liste des dispositifs d'isolement"),
    ("forget failures", "oublier les échecs"),
    ("look at resources again", "regarder de nouveau les ressources"),
    ("list the standards of agents", "donner la liste des normes d'agents"),
    ("list agents", "donner la liste des agents"),
    ("read the metadata of {}", "lire la description de {}"),
    // What the cluster does instead.
    ("it is not as asked", "ce n'est pas comme demandé"),
    ("{} is still on {}", "{} est encore sur {}"),
    ("{} still runs", "{} tourne encore"),
    ("{} is Started on {}", "{} est démarrée sur {}"),
    ("{} is Promoted on {}", "{} est promue sur {}"),
    ("{} is Unpromoted on {}", "{} est non promue sur {}"),
    ("{} is Stopped", "{} est arrêtée"),
    ("{}: Started on {}", "{} : démarrée sur {}"),
    ("the cluster still has a node {}", "la grappe a encore un nœud {}"),
    ("see what the cluster says of it: {}", "voir ce qu'en dit la grappe : {}"),
    ("it went there and came back: {}", "elle y est allée et en est revenue : {}"),
    ("another location constraint outweighs its resource-stickiness: change one of them, or use prefer or ban, which stay",
     "une autre contrainte de placement pèse plus que son resource-stickiness : changer l'un ou l'autre, ou utiliser prefer ou ban, qui restent"),
    ("{} does not run anywhere", "{} ne tourne nulle part"),
    ("the cluster would not run it there", "la grappe ne l'y ferait pas tourner"),
    ("the cluster would not run it there, it would only: {}", "la grappe ne l'y ferait pas tourner, elle ne ferait que : {}"),
    ("{} is cloned: it runs on each node", "{} est clonée : elle tourne sur chaque nœud"),
    ("ban it from a node instead, or prefer a node for its promoted role",
     "lui interdire plutôt un nœud, ou en préférer un pour le rôle promu"),
    ("its temporary constraint could not be removed, and ends by itself ({})",
     "sa contrainte passagère n'a pu être enlevée, et prendra fin d'elle-même ({})"),
    ("its temporary constraint could not be removed, and ends by itself",
     "sa contrainte passagère n'a pu être enlevée, et prendra fin d'elle-même"),
    ("the fail counts of {} are still in the CIB", "les nombres d'échecs de {} sont encore dans la CIB"),
    ("others changed it each of {} times", "d'autres l'ont changée à chacune des {} fois"),
    ("{} is in the cluster now", "{} est dans la grappe en ce moment"),
    ("stop the cluster software there first: {}", "y arrêter d'abord la grappe : {}"),
    ("stop the resource that connects it first, and remove that", "arrêter d'abord la ressource qui le connecte, et la supprimer"),
    ("the controller still knows {}", "le contrôleur connaît encore {}"),
    // What takes too long.
    ("{} after {} s", "{} après {} s"),
    ("the cluster has not settled", "la grappe n'a pas fini"),
    ("the condition does not hold", "la condition n'est pas remplie"),
    ("not all resources were looked at again", "toutes les ressources n'ont pas été regardées de nouveau"),
    ("no operation is under way, and none has failed meanwhile", "aucune opération n'est en cours, et aucune n'a échoué entre-temps"),
    ("what was waited for may never come about: look at `crm_mon -1 -r`, and ask why",
     "ce qui est attendu peut ne jamais arriver : voir `crm_mon -1 -r`, et demander pourquoi"),
    ("allow more time, or look at what the agent is doing ({})", "laisser plus de temps, ou voir ce que fait l'agent ({})"),
    ("allow more time; {} of the DC says what it does", "laisser plus de temps ; {} du DC dit ce qu'il fait"),
    ("mend the cause, then have the failure forgotten ({})", "réparer la cause, puis faire oublier l'échec ({})"),
    ("look at that node: {}", "regarder ce nœud : {}"),
    ("look at the daemons of this node and of the DC ({})", "regarder les démons de ce nœud et du DC ({})"),
    ("{} did not answer in time", "{} n'a pas répondu à temps"),
    ("{} has not accepted a connection for {} s", "{} n'a accepté aucune connexion depuis {} s"),
    ("{} is stopped or hung: look at its state ({})", "{} est arrêté ou bloqué : voir son état ({})"),
    ("{} is stopped, hung or overloaded: look at its state ({})", "{} est arrêté, bloqué ou débordé : voir son état ({})"),
    ("the daemon is stopped, hung or overloaded; if it was a change, it may still take effect",
     "le démon est arrêté, bloqué ou débordé ; si c'était un changement, il peut encore prendre effet"),
    ("the Pacemaker backend is busy; gave up after {} s, nothing was sent",
     "l'accès à Pacemaker est occupé ; abandon après {} s, rien n'a été envoyé"),
    ("the Pacemaker backend is stuck in \"{}\"; gave up after {} s, nothing was sent",
     "l'accès à Pacemaker est bloqué dans « {} » ; abandon après {} s, rien n'a été envoyé"),
    ("the Pacemaker backend is stuck: no answer within {} s; if it was a change, it may still take effect",
     "l'accès à Pacemaker est bloqué : pas de réponse en {} s ; si c'était un changement, il peut encore prendre effet"),
    ("another call takes long, or a Pacemaker daemon is stopped, hung or overloaded: look at the state of the processes ({}) and at pacemaker.log; calls work again as soon as it answers",
     "un autre appel dure, ou un démon de Pacemaker est arrêté, bloqué ou débordé : voir l'état des processus ({}) et pacemaker.log ; les appels reprennent dès qu'il répond"),
    // What cannot be reached, and what is not allowed.
    ("{} is not running: {}", "{} ne tourne pas : {}"),
    ("cannot connect to {}: {}", "impossible de se connecter à {} : {}"),
    ("start the cluster on this node ({})", "démarrer la grappe sur ce nœud ({})"),
    ("start the cluster on this node (systemctl start pacemaker), or try again: a daemon that died is started again by pacemakerd",
     "démarrer la grappe sur ce nœud (systemctl start pacemaker), ou réessayer : pacemakerd relance un démon mort"),
    ("try again: a daemon that died is started again by pacemakerd", "réessayer : pacemakerd relance un démon mort"),
    ("{} closed the connection", "{} a fermé la connexion"),
    ("{} closed the connection before it answered", "{} a fermé la connexion avant de répondre"),
    ("{} refuses this user", "{} refuse cet utilisateur"),
    ("run as root or as a member of the group haclient", "le lancer en root ou comme membre du groupe haclient"),
    ("look at the ACLs of this user ({})", "voir les ACL de cet utilisateur ({})"),
    ("the partition has no quorum: see `corosync-quorumtool -s`", "la partition n'a pas le quorum : voir `corosync-quorumtool -s`"),
    ("no DC answers: an election may be under way, or the partition has none; look at `crm_mon -1` and try again",
     "aucun DC ne répond : une élection peut être en cours, ou la partition n'en a pas ; voir `crm_mon -1` et réessayer"),
    ("nobody can tell beforehand what a daemon will do", "nul ne peut dire d'avance ce que fera un démon"),
    ("this takes a running cluster", "il y faut une grappe en marche"),
    ("the nodes of a running cluster forget; a CIB file has none", "ce sont les nœuds d'une grappe qui tourne qui oublient ; un fichier de CIB n'en a pas"),
    ("ask the cluster itself; what would be forgotten is told by --dry-run", "le demander à la grappe elle-même ; --dry-run dit ce qui serait oublié"),
    ("a CIB file has no cluster to wait for", "un fichier de CIB n'a pas de grappe à attendre"),
    ("a file cannot be followed", "un fichier ne peut être suivi"),
    ("the root element is <{}>, not <cib>", "l'élément racine est <{}>, pas <cib>"),
    ("the CIB names no schema (validate-with)", "la CIB ne nomme pas de schéma (validate-with)"),
    ("set validate-with of the root element, as in pacemaker-3.9", "donner validate-with à l'élément racine, comme pacemaker-3.9"),
    ("the change does not conform to the CIB's schema", "le changement n'est pas conforme au schéma de la CIB"),
    ("the CIB would not conform to schema {}", "la CIB ne serait pas conforme au schéma {}"),
    ("correct the named element; crm_verify(8) checks a whole CIB", "corriger l'élément nommé ; crm_verify(8) vérifie une CIB entière"),
    ("{} belongs to the CIB manager", "{} appartient au gestionnaire de la CIB"),
    ("change the running cluster's CIB through Cib::connect, or work on a copy", "changer la CIB de la grappe en marche, ou travailler sur une copie"),
    ("No such file or directory (os error 2)", "aucun fichier de ce nom"),
    ("Permission denied (os error 13)", "accès refusé"),
    ("Is a directory (os error 21)", "c'est un dossier"),
    // Fencing, agents.
    ("no fence device can do this to {}", "aucun dispositif d'isolement ne peut le faire à {}"),
    ("configure one that lists this node ({})", "en configurer un qui cite ce nœud ({})"),
    ("{} was not fenced: {}", "{} n'a pas été isolé : {}"),
    ("look at the device and at {} of the nodes", "voir le dispositif et {} des nœuds"),
    ("how the fencing of {} ended is not known yet", "on ne sait pas encore comment l'isolement de {} a fini"),
    ("it may go on: look at the fencing history ({})", "il peut continuer : voir l'historique d'isolement ({})"),
    ("this node has no {} agent {}", "ce nœud n'a pas d'agent {} {}"),
    ("install the package that has it (resource-agents, fence-agents), or mend the name",
     "installer le paquet qui l'a (resource-agents, fence-agents), ou corriger le nom"),
    ("the agent failed ({}): {}", "l'agent a échoué ({}) : {}"),
    ("{} did not end in time, and was killed", "{} n'a pas fini à temps, et a été tué"),
    // Configurations in files.
    ("line {}: {}", "ligne {} : {}"),
    ("line {}, column {}: {}", "ligne {}, colonne {} : {}"),
    ("it is not UTF-8", "ce n'est pas de l'UTF-8"),
    ("its agent is missing", "son agent manque"),
    ("as in agent = {}", "comme agent = {}"),
    ("it has no members", "il n'a pas de membres"),
    ("its member {} is no primitive of this file", "son membre {} n'est pas une primitive de ce fichier"),
    ("primitives of this file that may be: {}", "primitives de ce fichier qui peuvent l'être : {}"),
    ("its member {} is one of {} already", "son membre {} est déjà dans {}"),
    ("a resource is in one place only", "une ressource n'est qu'à un seul endroit"),
    ("its score is missing", "son score manque"),
    ("a score is a whole number, INFINITY or -INFINITY", "un score est un entier, INFINITY ou -INFINITY"),
    ("{} is no length of time", "{} n'est pas une durée"),
    ("a length of time is a number with a unit (ms, s, min, h; seconds without one), or an ISO 8601 duration as in PT1M",
     "une durée est un nombre avec une unité (ms, s, min, h ; des secondes sans unité), ou une durée ISO 8601 comme PT1M"),
    ("an id starts with a letter or `_` and goes on with letters, digits, `-`, `_` and `.`",
     "un identifiant commence par une lettre ou `_` et continue par des lettres, des chiffres, `-`, `_` et `.`"),
    ("{} is no name of an agent", "{} n'est pas un nom d'agent"),
    ("it is like ocf:heartbeat:IPaddr2 or systemd:nginx", "il est comme ocf:heartbeat:IPaddr2 ou systemd:nginx"),
    ("there is no root element", "il n'y a pas d'élément racine"),
    ("this configuration cannot be written so that it is taken back unchanged: {}",
     "cette configuration ne peut être écrite de façon à être reprise telle quelle : {}"),
    // What the daemons answer, by number.
    ("look for it in the configuration: {}", "le chercher dans la configuration : {}"),
    ("change the one that is there, or choose another id", "changer celui qui est là, ou choisir un autre identifiant"),
    ("the daemon is busy with the like of it: wait a moment and ask again", "le démon s'en occupe déjà : attendre un moment et redemander"),
    ("the daemon's log says what it does not accept: {}", "le journal du démon dit ce qu'il n'accepte pas : {}"),
    ("the CIB changed meanwhile: query it again and compute the change again", "la CIB a changé entre-temps : la relire et recalculer le changement"),
    ("see what the schema does not allow: {}", "voir ce que le schéma ne permet pas : {}"),
    ("crm_error explains the code; the daemon's log has more: {}", "crm_error explique le code ; le journal du démon en dit plus : {}"),
    ("look at the disk (df, dmesg) and at {}", "voir le disque (df, dmesg) et {}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_says_is_said_in_french() {
        for (english, french) in [
            ("there is no node esclav", "il n'y a pas de nœud esclav"),
            ("did you mean esclave?", "vouliez-vous dire esclave ?"),
            ("move VIP to esclave", "déplacer VIP vers esclave"),
            ("move VIP away", "éloigner VIP"),
            (
                "the cluster has not settled after 3.0 s",
                "la grappe n'a pas fini après 3.0 s",
            ),
            // Texts of texts.
            (
                "the cluster would not run it there; VIP is Started on maitre",
                "la grappe ne l'y ferait pas tourner ; VIP est démarrée sur maitre",
            ),
            ("something of a daemon", "something of a daemon"),
            ("the question 'start vip'", "la question « start vip »"),
            (
                "a node cannot be started",
                "on ne peut demander d'un nœud s'il est « started »",
            ),
            ("", ""),
        ] {
            assert_eq!(in_french(english), french);
        }
    }

    #[test]
    fn holes_are_where_they_are() {
        assert_eq!(holes("a {} b {}", "a x b y"), Some(vec!["x", "y"]));
        assert_eq!(holes("a {} b", "a x c"), None);
        assert_eq!(holes("a {}", "a "), None);
        assert_eq!(fill("{1} de {0}", &["x".into(), "y".into()]), "y de x");
    }

    /// What the library puts together of parts.
    const MADE: [&str; 9] = [
        " cannot be ",
        " has a blank",
        "take into ",
        "take out of ",
        "Started on",
        "romoted on",
        "the cluster would not run it there",
        "its temporary constraint",
        "taken back unchanged",
    ];

    /// A line that nothing in the library says is one that was forgotten when an English text changed.
    #[test]
    fn each_line_is_about_a_text_of_the_library() {
        let mut sources = String::new();
        read(
            std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
            &mut sources,
        );
        let mut sources: String = sources.replace("\\\n", " ").replace("\\\"", "\"");
        while sources.contains("  ") {
            sources = sources.replace("  ", " ");
        }
        let mut unsaid = Vec::new();
        for (english, french) in TABLE {
            assert_eq!(
                english.matches("{}").count(),
                french.matches('{').count(),
                "{english}"
            );
            let is_of_system = english.contains("(os error");
            // A line that is there beside a wider one says it better.
            let one = english.replace("{}", "x");
            let is_narrow =
                |(wider, _): &(&str, &str)| wider != english && holes(wider, &one).is_some();
            let parts = english.split("{}").filter(|part| part.len() > 12);
            let is_made = |part: &str| MADE.iter().any(|made| part.contains(made));
            let unknown = parts.filter(|part| !sources.contains(part) && !is_made(part));
            if !is_of_system && !TABLE.iter().any(is_narrow) {
                unsaid.extend(unknown);
            }
        }
        assert_eq!(unsaid, [""; 0]);
    }

    fn read(folder: &std::path::Path, sources: &mut String) {
        for entry in std::fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read(&path, sources);
            } else if !path.ends_with("error/french.rs") {
                sources.push_str(&std::fs::read_to_string(&path).expect("UTF-8"));
            }
        }
    }
}
