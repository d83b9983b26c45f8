//! Yes/no questions about a cluster, in words: for scripts and for waits.
//!
//! ```text
//! [resource] NAME [is] [not] started|promoted|unpromoted|stopped|managed|failed|blocked|pending [on NODE[,NODE]...]
//! [node] NAME [is] [not] online|standby|maintenance|pending|unclean|dc
//! cluster [is] [not] quorate|maintenance|idle|clean
//! ```
//!
//! A resource that is starting or has failed is neither started nor stopped (see
//! [`ClusterStatus::serves`]).
//!
//! Several questions joined by `and` are one question. A name that is both a resource and a node
//! means the resource unless `node` is written in front.

use std::str::FromStr;

use crate::language::{Language, say};
use crate::status::{ClusterStatus, Node, Resource, ResourceIndex, Role};
use crate::{Error, ErrorKind, Result};

/// A question: parse it once, ask it of any number of states.
///
/// # Example
/// ```
/// use ha_core::{question::Question, status, xml::Document};
/// let cib = Document::parse(
///     r#"<cib have-quorum="1"><configuration><nodes><node id="1" uname="maitre"/></nodes>
///        </configuration><status/></cib>"#,
/// )?;
/// let state = status::compute(&cib, jiff::Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC);
/// let question: Question = "cluster is quorate and maitre is not online".parse()?;
/// assert!(question.ask(&state)?.yes);
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    clauses: Vec<Clause>,
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was asked is so.
    pub yes: bool,
    /// What is so instead, or what makes it so; one sentence, in the language asked for.
    pub because: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Clause {
    subject: Subject,
    negated: bool,
    wanted: Wanted,
    /// The nodes that a resource's state is asked for; none for anywhere.
    nodes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Cluster,
    Node(String),
    Resource(String),
    /// Which of the two the state tells.
    Named(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Started,
    Promoted,
    Unpromoted,
    Stopped,
    Managed,
    Failed,
    Blocked,
    Pending,
    Online,
    Standby,
    Maintenance,
    Unclean,
    Dc,
    Quorate,
    Idle,
    Clean,
}

/// Each word with what it can be said of: a cluster, a node, a resource.
const WORDS: [(&str, Wanted, [bool; 3]); 16] = [
    ("started", Wanted::Started, [false, false, true]),
    ("promoted", Wanted::Promoted, [false, false, true]),
    ("unpromoted", Wanted::Unpromoted, [false, false, true]),
    ("stopped", Wanted::Stopped, [false, false, true]),
    ("managed", Wanted::Managed, [false, false, true]),
    ("failed", Wanted::Failed, [false, false, true]),
    ("blocked", Wanted::Blocked, [false, false, true]),
    ("pending", Wanted::Pending, [false, true, true]),
    ("online", Wanted::Online, [false, true, false]),
    ("standby", Wanted::Standby, [false, true, false]),
    ("maintenance", Wanted::Maintenance, [true, true, false]),
    ("unclean", Wanted::Unclean, [false, true, false]),
    ("dc", Wanted::Dc, [false, true, false]),
    ("quorate", Wanted::Quorate, [true, false, false]),
    ("idle", Wanted::Idle, [true, false, false]),
    ("clean", Wanted::Clean, [true, false, false]),
];

impl Wanted {
    fn word(self) -> &'static str {
        WORDS
            .iter()
            .find(|(_, wanted, _)| *wanted == self)
            .map_or("", |(word, ..)| word)
    }

    fn said_of(self) -> [bool; 3] {
        WORDS
            .iter()
            .find(|(_, wanted, _)| *wanted == self)
            .map_or([false; 3], |(.., of)| *of)
    }
}

impl FromStr for Question {
    type Err = Error;

    /// Reads a question.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it is not understood; the message shows the part that is not, and
    /// the hint what can be asked.
    fn from_str(text: &str) -> Result<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let clauses = words
            .split(|word| word.eq_ignore_ascii_case("and"))
            .map(|words| clause(words).map_err(|e| e.context(format!("the question '{text}'"))))
            .collect::<Result<_>>()?;
        Ok(Self { clauses })
    }
}

fn clause(words: &[&str]) -> Result<Clause> {
    let is = |word: Option<&&str>, text: &str| word.is_some_and(|w| w.eq_ignore_ascii_case(text));
    let mut rest = words.iter().peekable();
    let mut name = || -> Result<String> {
        let word = rest.next().ok_or_else(|| wrong("a name is missing"))?;
        Ok((*word).to_owned())
    };
    // A name alone in front of a state is a name, whatever it spells.
    let first = name()?;
    let subject = if first.eq_ignore_ascii_case("cluster") {
        Subject::Cluster
    } else if words.len() > 2 && first.eq_ignore_ascii_case("node") {
        Subject::Node(name()?)
    } else if words.len() > 2 && first.eq_ignore_ascii_case("resource") {
        Subject::Resource(name()?)
    } else {
        Subject::Named(first)
    };
    if is(rest.peek().copied(), "is") {
        rest.next();
    }
    let negated = is(rest.peek().copied(), "not");
    if negated {
        rest.next();
    }
    let word = rest
        .next()
        .ok_or_else(|| wrong("a state is missing at the end"))?;
    let wanted = WORDS
        .iter()
        .find(|(known, ..)| word.eq_ignore_ascii_case(known))
        .map(|(_, wanted, _)| *wanted)
        .ok_or_else(|| wrong(format!("'{word}' is no state")))?;
    let mut nodes = Vec::new();
    if let Some(word) = rest.next() {
        if !word.eq_ignore_ascii_case("on") {
            return Err(wrong(format!("'{word}' is not expected after the state")));
        }
        for list in rest {
            nodes.extend(
                list.split(',')
                    .filter(|node| !node.is_empty())
                    .map(str::to_owned),
            );
        }
        if nodes.is_empty() {
            return Err(wrong("a node is missing after 'on'"));
        }
    }
    let [cluster, node, resource] = wanted.said_of();
    let fits = match subject {
        Subject::Cluster => cluster && nodes.is_empty(),
        Subject::Node(_) => node && nodes.is_empty(),
        Subject::Resource(_) => resource,
        Subject::Named(_) => resource || (node && nodes.is_empty()),
    };
    if !fits {
        let place = if nodes.is_empty() { "" } else { " on a node" };
        return Err(wrong(format!(
            "{} cannot be {}{place}",
            match subject {
                Subject::Cluster => "a cluster",
                Subject::Node(_) => "a node",
                Subject::Resource(_) => "a resource",
                Subject::Named(_) => "a resource or a node",
            },
            wanted.word()
        )));
    }
    Ok(Clause {
        subject,
        negated,
        wanted,
        nodes,
    })
}

fn wrong(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::invalid(message).with_hint(
        "ask for example 'VIP_externe started on maitre', 'node esclave is not standby', \
         'cluster is quorate and ipsec_rsc started'",
    )
}

impl Question {
    /// Answers it; when it has several parts, the first that is not so.
    ///
    /// A group has a state when each of its members has it, a clone when at least one of its
    /// instances has it (on each node asked for). What is not active at all is stopped. `managed`
    /// is asked of every part, `failed`, `blocked` and `pending` of any.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the state knows no such resource or node.
    pub fn ask(&self, state: &ClusterStatus) -> Result<Answer> {
        self.ask_in(state, Language::English)
    }

    /// As [`ask`](Self::ask), with the sentence in a language; errors have both
    /// ([`Error::text`]).
    ///
    /// # Errors
    /// Those of [`ask`](Self::ask).
    ///
    /// # Example
    /// ```
    /// use ha_core::{language::Language, question::Question, status, xml::Document};
    /// let cib = Document::parse(r#"<cib have-quorum="1"><configuration/><status/></cib>"#)?;
    /// let state = status::compute(&cib, jiff::Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC);
    /// let question: Question = "cluster is quorate".parse()?;
    /// let answer = question.ask_in(&state, Language::French)?;
    /// assert_eq!(answer.because, "la partition a le quorum");
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn ask_in(&self, state: &ClusterStatus, language: Language) -> Result<Answer> {
        let mut last = None;
        for clause in &self.clauses {
            let answer = clause.ask(state, language)?;
            if !answer.yes {
                return Ok(answer);
            }
            last = Some(answer);
        }
        last.ok_or_else(|| wrong("the question is empty"))
    }
}

impl Clause {
    fn ask(&self, state: &ClusterStatus, l: Language) -> Result<Answer> {
        let of_resource = |name: &str, parts: &[ResourceIndex]| -> Result<(bool, String)> {
            let is_so = self.is_so_of_resource(state, parts)?;
            Ok((is_so, situation(state, name, parts, l)))
        };
        let (is_so, because) = match &self.subject {
            Subject::Cluster => self.of_cluster(state, l),
            Subject::Node(name) => self.of_node(state, find_node(state, name)?, l),
            Subject::Resource(name) => of_resource(name, &find(state, name)?)?,
            Subject::Named(name) => match state.resources_meant(name) {
                parts if !parts.is_empty() && self.wanted.said_of()[2] => {
                    of_resource(name, &parts)?
                }
                _ if self.wanted.said_of()[1] => self.of_node(state, find_node(state, name)?, l),
                _ => of_resource(name, &find(state, name)?)?,
            },
        };
        Ok(Answer {
            yes: is_so != self.negated,
            because,
        })
    }

    fn of_cluster(&self, state: &ClusterStatus, l: Language) -> (bool, String) {
        let under_way = || state.resources().find(|r| r.pending_task.is_some());
        match self.wanted {
            Wanted::Quorate => {
                let because = match state.quorate {
                    true => say!(l, "the partition has quorum", "la partition a le quorum"),
                    false => say!(
                        l,
                        "it is not so that the partition has quorum",
                        "la partition n'a pas le quorum"
                    ),
                };
                (state.quorate, because)
            }
            Wanted::Maintenance => {
                let because = match state.options.maintenance {
                    true => say!(
                        l,
                        "maintenance mode is on",
                        "le mode maintenance est en vigueur"
                    ),
                    false => say!(
                        l,
                        "it is not so that maintenance mode is on",
                        "le mode maintenance n'est pas en vigueur"
                    ),
                };
                (state.options.maintenance, because)
            }
            Wanted::Idle => match under_way() {
                Some(resource) => {
                    let task = resource.pending_task.as_deref().unwrap_or_default();
                    let id = &resource.id;
                    let because = say!(
                        l,
                        "{task} of {id} is under way",
                        "{task} de {id} est en cours"
                    );
                    (false, because)
                }
                None => (
                    true,
                    say!(
                        l,
                        "no operation is under way",
                        "aucune opération n'est en cours"
                    ),
                ),
            },
            _ => match (state.failures.first(), state.nodes().find(|n| n.unclean)) {
                (_, Some(node)) => {
                    let name = &node.name;
                    let because = say!(
                        l,
                        "node {name} is unclean",
                        "l'état du nœud {name} n'est pas sûr (unclean)"
                    );
                    (false, because)
                }
                (Some(failure), None) => {
                    let (task, id) = (&failure.operation, &failure.history_id);
                    let node = &failure.node;
                    let because = say!(
                        l,
                        "{task} of {id} failed on {node}",
                        "{task} de {id} a échoué sur {node}"
                    );
                    (false, because)
                }
                (None, None) => (
                    true,
                    say!(
                        l,
                        "nothing failed and no node is unclean",
                        "rien n'a échoué et l'état de chaque nœud est sûr"
                    ),
                ),
            },
        }
    }

    fn of_node(&self, state: &ClusterStatus, node: &Node, l: Language) -> (bool, String) {
        let is_so = match self.wanted {
            Wanted::Online => node.online,
            Wanted::Standby => node.standby,
            Wanted::Maintenance => node.maintenance,
            Wanted::Pending => node.pending,
            Wanted::Unclean => node.unclean,
            _ => state
                .dc
                .as_ref()
                .is_some_and(|dc| state.node(dc.node).id == node.id),
        };
        let (word, french) = match self.wanted {
            Wanted::Dc => ("the DC", "le DC"),
            Wanted::Online => ("online", "en ligne"),
            Wanted::Standby => ("standby", "en veille"),
            Wanted::Maintenance => ("maintenance", "en maintenance"),
            Wanted::Pending => ("pending", "en train d'arriver (pending)"),
            wanted => (wanted.word(), "dans un état incertain (unclean)"),
        };
        let name = &node.name;
        let because = match is_so {
            true => say!(l, "node {name} is {word}", "le nœud {name} est {french}"),
            false => say!(
                l,
                "node {name} is not {word}",
                "le nœud {name} n'est pas {french}"
            ),
        };
        (is_so, because)
    }

    fn is_so_of_resource(&self, state: &ClusterStatus, meant: &[ResourceIndex]) -> Result<bool> {
        if self.nodes.is_empty() {
            return Ok(any_holds(state, meant, self.wanted, None));
        }
        let mut is_so = true;
        for node in &self.nodes {
            let node = find_node(state, node)?;
            is_so &= any_holds(state, meant, self.wanted, Some(node));
        }
        Ok(is_so)
    }
}

fn find(state: &ClusterStatus, name: &str) -> Result<Vec<ResourceIndex>> {
    let meant = state.resources_meant(name);
    if meant.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("the cluster has no resource '{name}'"),
        )
        .with_hint("crm_mon -1 -r lists the resources"));
    }
    Ok(meant)
}

fn find_node<'s>(state: &'s ClusterStatus, name: &str) -> Result<&'s Node> {
    state.node_named(name).ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("the cluster has no node '{name}'"),
        )
        .with_hint("crm_node -l lists the nodes")
    })
}

/// The same of the instances of a clone, whether the clone is named or what is cloned.
fn any_holds(
    state: &ClusterStatus,
    instances: &[ResourceIndex],
    wanted: Wanted,
    on: Option<&Node>,
) -> bool {
    let mut each = instances.iter().map(|&part| holds(state, part, wanted, on));
    match wanted {
        Wanted::Stopped | Wanted::Managed => each.all(|is_so| is_so),
        _ => each.any(|is_so| is_so),
    }
}

fn holds(state: &ClusterStatus, index: ResourceIndex, wanted: Wanted, on: Option<&Node>) -> bool {
    let resource = state.resource(index);
    if resource.is_primitive() {
        return primitive_holds(state, index, wanted, on);
    }
    let parts = resource.parts();
    match wanted {
        Wanted::Started | Wanted::Promoted | Wanted::Unpromoted if resource.is_group() => {
            let mut each = parts.iter().map(|&part| holds(state, part, wanted, on));
            !parts.is_empty() && each.all(|is_so| is_so)
        }
        _ => any_holds(state, &parts, wanted, on),
    }
}

fn primitive_holds(
    state: &ClusterStatus,
    index: ResourceIndex,
    wanted: Wanted,
    on: Option<&Node>,
) -> bool {
    let resource = state.resource(index);
    let here = on.is_none() || state.runs(resource, on);
    match wanted {
        Wanted::Started => state.serves(index, Role::Started, on),
        Wanted::Promoted => state.serves(index, Role::Promoted, on),
        Wanted::Unpromoted => {
            state.serves(index, Role::Unpromoted, on) && resource.role == Role::Unpromoted
        }
        // What starts, or has failed, is neither started nor stopped.
        Wanted::Stopped => resource.role <= Role::Stopped || !state.runs(resource, on),
        Wanted::Managed => resource.managed,
        Wanted::Failed => resource.failed && here,
        Wanted::Blocked => resource.blocked && here,
        _ => {
            resource.pending_task.is_some()
                && on.is_none_or(|node| {
                    resource
                        .pending_node
                        .is_some_and(|at| state.node(at).id == node.id)
                })
        }
    }
}

/// What the parts of a resource are doing, in one sentence.
fn situation(state: &ClusterStatus, name: &str, meant: &[ResourceIndex], l: Language) -> String {
    let mut places: Vec<Place<'_>> = Vec::new();
    let mut stack: Vec<_> = meant.iter().rev().copied().collect();
    while let Some(index) = stack.pop() {
        let resource = state.resource(index);
        if !resource.is_primitive() {
            stack.extend(resource.parts().into_iter().rev());
            continue;
        }
        let nodes = resource
            .running_on
            .iter()
            .map(|&node| state.node(node).name.as_str());
        // The instances of an anonymous clone are told by what they do.
        match places.iter_mut().find(|place| place.is_like(resource)) {
            Some(place) => {
                place.nodes.extend(nodes);
                place.instances += 1;
            }
            None => places.push(Place {
                resource,
                nodes: nodes.collect(),
                instances: 1,
            }),
        }
    }
    if places.is_empty() {
        return say!(l, "{name} has no part", "{name} n'a aucune partie");
    }
    // Where it is comes before where it is not.
    let label = places[0].resource.printable_id();
    let one_label = places
        .iter()
        .all(|place| place.resource.printable_id() == label);
    if one_label {
        places.sort_by_key(|place| place.nodes.is_empty());
    }
    let texts: Vec<String> = places
        .iter()
        .map(|place| match place.resource.printable_id() {
            _ if one_label => place.text(l),
            id => {
                let text = place.text(l);
                say!(l, "{id}: {text}", "{id} : {text}")
            }
        })
        .collect();
    let texts = texts.join(", ");
    say!(l, "{name} is {texts}", "{name} est {texts}")
}

/// What an instance does, or several that do the same.
struct Place<'s> {
    resource: &'s Resource,
    nodes: Vec<&'s str>,
    instances: usize,
}

impl Place<'_> {
    fn is_like(&self, other: &Resource) -> bool {
        let looks = |resource: &Resource| {
            let flags = [resource.failed, resource.blocked, resource.managed];
            (resource.role, flags, resource.running_on.is_empty())
        };
        self.resource.printable_id() == other.printable_id()
            && looks(self.resource) == looks(other)
            && self.resource.pending_task == other.pending_task
    }

    fn text(&self, l: Language) -> String {
        let role = self.resource.role;
        let french = match role {
            Role::Unknown => "dans un état inconnu",
            Role::Stopped => "arrêtée",
            Role::Started => "démarrée",
            Role::Unpromoted => "non promue",
            Role::Promoted => "promue",
        };
        let mut text = say!(l, "{role}", "{french}");
        let instances = self.instances;
        if !self.nodes.is_empty() {
            let (english, french) = (self.nodes.join(" and "), self.nodes.join(" et "));
            text += &say!(l, " on {english}", " sur {french}");
        } else if instances > 1 {
            text += &format!(" ({instances} instances)");
        } else if self.resource.id != self.resource.configured_id && !self.resource.unique {
            text += " (1 instance)";
        }
        if let Some(task) = &self.resource.pending_task {
            text += &say!(l, " ({task} under way)", " ({task} en cours)");
        }
        for (is_so, english, french) in [
            (self.resource.failed, "failed", "en échec"),
            (self.resource.blocked, "blocked", "bloquée"),
            (!self.resource.managed, "unmanaged", "non gérée"),
        ] {
            if is_so {
                text += &say!(l, " ({english})", " ({french})");
            }
        }
        text
    }
}
