//! Looking a configuration over before it is sent: what the cluster would refuse, ignore, or take for
//! something else than was meant.

mod agent;
mod complete;
mod fence;
mod operation;
mod place;
mod problem;
mod reference;
mod schema;
mod structure;
mod text;
mod value;

use std::collections::HashMap;

use serde::{Serialize, Serializer};

pub use crate::finding::Severity;
pub use complete::{complete, complete_for};
pub use problem::{Expected, Problem, Target};

use crate::Result;
use crate::language::Language;
use crate::model::Cib;
use crate::model::agent::{AgentName, Metadata};
use crate::xml::{Document, Element};

/// Where descriptions of agents come from: none is for an agent that is not installed.
pub type Agents<'a> = dyn FnMut(&AgentName) -> Result<Option<Metadata>> + 'a;

/// Something wrong or doubtful in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// How bad it is. [`Severity::Error`]: the cluster refuses it, or it cannot work.
    pub severity: Severity,
    /// Where it is, by the names that people know: `primitive VIP, operation monitor 10s`.
    pub place: String,
    /// What it is.
    pub problem: Problem,
    /// The element, as a path in the document.
    pub path: String,
}

impl Fault {
    /// Says what is wrong, in one sentence without a full stop.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        self.problem.text(language)
    }

    /// Says what would mend it.
    #[must_use]
    pub fn fix(&self, language: Language) -> String {
        self.problem.fix(language)
    }
}

/// In English, with its fix, on one line.
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let l = Language::English;
        let (severity, place) = (self.severity.text(l), &self.place);
        write!(f, "{severity}: {place}: {} ({})", self.text(l), self.fix(l))
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            severity: Severity,
            place: &'a str,
            path: &'a str,
            #[serde(flatten)]
            problem: &'a Problem,
            text: String,
            fix: String,
        }
        Written {
            severity: self.severity,
            place: &self.place,
            path: &self.path,
            problem: &self.problem,
            text: self.text(Language::English),
            fix: self.fix(Language::English),
        }
        .serialize(serializer)
    }
}

/// Looks a CIB over, and returns what is wrong or doubtful in its configuration, the worst first.
///
/// What is looked at: the schema that it names, ids and references, what may contain what, operations and
/// their time-outs, values that Pacemaker would not read as written, fencing, rules about connectivity; and
/// with a source of agents' descriptions, whether the agents are installed and their parameters given,
/// known and of the right kind. What resources take from templates counts as theirs.
///
/// What cannot be looked at, for want of a schema or of a description, is told as a
/// [`Severity::Notice`].
///
/// # Example
/// ```
/// use ha_core::change::validate::{Problem, validate};
/// use ha_core::model::agent::{AgentName, Metadata};
/// use ha_core::xml::Document;
/// let cib = Document::parse(
///     "<cib><configuration><crm_config><cluster_property_set id='o'>\
///      <nvpair id='o-s' name='stonith-enabled' value='false'/></cluster_property_set></crm_config>\
///      <resources><primitive id='VIP' class='ocf' provider='heartbeat' type='IPaddr2'>\
///      <instance_attributes id='p'><nvpair id='p-n' name='nick' value='eth0'/></instance_attributes>\
///      <operations><op id='m' name='monitor' interval='10s' timeout='20s'/></operations>\
///      </primitive></resources></configuration></cib>",
/// )?;
/// let described = Metadata::parse(
///     "<resource-agent name='IPaddr2'><parameters><parameter name='ip' required='1'/>\
///      <parameter name='nic'/></parameters></resource-agent>",
/// )?;
/// let mut agents = |_: &AgentName| Ok(Some(described.clone()));
/// let faults = validate(&cib, Some(&mut agents));
/// let told = |text: &str| faults.iter().any(|fault| fault.to_string() == text);
/// assert!(told("error: primitive VIP: the parameter ip is missing: ocf:heartbeat:IPaddr2 needs it (give ip)"));
/// assert!(told("warning: primitive VIP, parameter nick: ocf:heartbeat:IPaddr2 has no parameter nick (did you mean nic?)"));
/// # Ok::<(), ha_core::Error>(())
/// ```
#[must_use]
pub fn validate(cib: &Document, agents: Option<&mut Agents<'_>>) -> Vec<Fault> {
    let mut check = Check::new(cib);
    reference::ids(&mut check);
    reference::references(&mut check);
    structure::containers(&mut check);
    structure::pings(&mut check);
    value::values(&mut check);
    fence::fencing(&mut check);
    let mut described = Described::new(agents);
    agent::agents(&mut check, &mut described);
    operation::operations(&mut check, &mut described);
    schema::conformance(&mut check, cib);
    check.found.sort_by_key(|fault| fault.severity);
    check.found
}

/// What was found so far, and where it is looked for.
struct Check<'d> {
    document: &'d Document,
    cib: Cib<'d>,
    found: Vec<Fault>,
}

impl<'d> Check<'d> {
    fn new(document: &'d Document) -> Self {
        Self {
            document,
            cib: Cib::new(document),
            found: Vec::new(),
        }
    }

    fn found(&mut self, element: Element<'_>, problem: Problem) {
        self.found.push(Fault {
            severity: problem.severity(),
            place: place::of(element),
            path: element.path(),
            problem,
        });
    }

    /// All that is configured, in document order.
    fn configuration(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        let configuration = self.document.root().child("configuration");
        configuration.into_iter().flat_map(Element::descendants)
    }

    /// The template that a primitive is made of.
    fn template(&self, primitive: Element<'d>) -> Option<Element<'d>> {
        self.cib
            .find("template", primitive.attribute("template")?)
            .filter(|_| primitive.name() == "primitive")
    }

    /// The agent of a primitive, or of its template; of a template.
    fn agent(&self, owner: Element<'d>) -> Option<AgentName> {
        AgentName::of(self.template(owner).unwrap_or(owner))
    }

    /// Whether an agent of this standard runs a primitive or a template.
    fn is_of(&self, owner: Element<'d>, standard: &str) -> bool {
        self.template(owner).unwrap_or(owner).attribute("class") == Some(standard)
    }

    /// The values in the sets of an owner, where each is written: not those of its template.
    fn pairs(&self, owner: Element<'d>, tag: &str) -> Vec<Pair<'d>> {
        let sets = owner.children().filter(|set| set.name() == tag);
        sets.flat_map(|set| {
            let conditional = set.child("rule").is_some();
            let set = self.cib.resolve(set);
            set.children_named("nvpair").filter_map(move |element| {
                let of = self.cib.resolve(element);
                Some(Pair {
                    element,
                    name: element.attribute("name").or_else(|| of.attribute("name"))?,
                    value: of.attribute("value")?,
                    conditional,
                })
            })
        })
        .collect()
    }

    /// The values of a resource with those of its template: of several for one name the first counts.
    fn all_pairs(&self, owner: Element<'d>, tag: &str) -> Vec<Pair<'d>> {
        let mut pairs = self.pairs(owner, tag);
        if let Some(template) = self.template(owner) {
            pairs.extend(self.pairs(template, tag));
        }
        pairs
    }

    /// The value of a resource that applies always.
    fn value(&self, owner: Element<'d>, tag: &str, name: &str) -> Option<&'d str> {
        let pairs = self.all_pairs(owner, tag);
        let mut plain = pairs.iter().filter(|pair| !pair.conditional);
        plain.find(|pair| pair.name == name).map(|pair| pair.value)
    }

    /// An option of the cluster.
    fn option(&self, name: &str) -> Option<&'d str> {
        self.value(self.cib.crm_config()?, "cluster_property_set", name)
    }
}

/// A name with its value.
struct Pair<'d> {
    /// Where it stands.
    element: Element<'d>,
    name: &'d str,
    value: &'d str,
    /// It counts by a rule.
    conditional: bool,
}

/// The descriptions of agents, each asked for once.
struct Described<'a, 'b> {
    source: Option<&'a mut Agents<'b>>,
    known: HashMap<AgentName, Description>,
}

/// What came of asking for an agent's description.
enum Description {
    Given(Metadata),
    NotInstalled,
    Unreadable(String),
}

impl<'a, 'b> Described<'a, 'b> {
    fn new(source: Option<&'a mut Agents<'b>>) -> Self {
        Self {
            source,
            known: HashMap::new(),
        }
    }

    /// Returns what is known; nothing without a source.
    fn of(&mut self, agent: &AgentName) -> Option<&Description> {
        let source = self.source.as_deref_mut()?;
        let asked = self.known.entry(agent.clone());
        Some(asked.or_insert_with(|| match source(agent) {
            Ok(Some(metadata)) => Description::Given(metadata),
            Ok(None) => Description::NotInstalled,
            Err(e) => Description::Unreadable(format!("{e:#}")),
        }))
    }

    fn metadata(&mut self, agent: &AgentName) -> Option<&Metadata> {
        match self.of(agent)? {
            Description::Given(metadata) => Some(metadata),
            _ => None,
        }
    }
}
