//! What an operation wants to be so, and why it is not.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::follow::Verdict;
use super::running::{self, Idle};
use super::unfinished::Unfinished;
use crate::language::Language;
use crate::question::Question;
use crate::status::ClusterStatus;
use crate::why;
use crate::xml::Document;
use crate::{Error, ErrorKind};

/// What is to be so when an operation is done.
#[derive(Debug, Clone)]
pub(super) enum Goal {
    /// Only that the cluster has settled.
    Settled,
    /// Each of these resources runs well that should run. Templates stand for what is made from them.
    Running { resources: Vec<String> },
    /// A question about a resource is answered with yes. It is parsed when asked: the name may be any.
    Resource {
        resource: String,
        /// Words after the resource's name: `started on maitre`.
        is: String,
    },
    /// The same about a node.
    Node { node: String, is: String },
    /// A node has no resource that the cluster could take away from it.
    Empty { node: String },
    /// A resource runs, and not on any of these nodes.
    Left {
        resource: String,
        nodes: Vec<String>,
    },
    /// The cluster has no such node.
    NoNode { node: String },
    /// The cluster has no such resource, not even as an orphan.
    Gone { resource: String },
}

impl Goal {
    pub(super) fn resource(resource: &str, is: impl Into<String>) -> Self {
        Self::Resource {
            resource: resource.to_owned(),
            is: is.into(),
        }
    }

    pub(super) fn node(node: &str, is: impl Into<String>) -> Self {
        Self::Node {
            node: node.to_owned(),
            is: is.into(),
        }
    }

    /// Returns what is so instead; none when the goal is reached.
    pub(super) fn missing(&self, status: &ClusterStatus) -> Option<String> {
        let ask = |question: String| match question.parse::<Question>() {
            Ok(question) => match question.ask(status) {
                Ok(answer) if answer.yes => None,
                Ok(answer) => Some(answer.because),
                Err(e) => Some(e.to_string()),
            },
            Err(e) => Some(e.to_string()),
        };
        match self {
            Self::Settled | Self::Running { .. } => None,
            Self::Resource { resource, is } => ask(format!("resource {resource} {is}")),
            Self::Node { node, is } => ask(format!("node {node} {is}")),
            Self::Empty { node } => {
                let at = status.node_named(node)?;
                let left: Vec<&str> = at
                    .running
                    .iter()
                    .map(|&index| status.resource(index))
                    .filter(|resource| resource.managed && !resource.internal)
                    .map(crate::status::Resource::printable_id)
                    .collect();
                (!left.is_empty()).then(|| format!("{} is still on {node}", left.join(", ")))
            }
            Self::Left { resource, nodes } => {
                if let Some(not_started) = ask(format!("resource {resource} started")) {
                    return Some(not_started);
                }
                let on = status.active_on(resource);
                let still = on
                    .into_iter()
                    .find(|on| nodes.iter().any(|node| node == on));
                still.map(|node| format!("{resource} is still on {node}"))
            }
            Self::NoNode { node } => {
                let left = status.node_named(node)?;
                Some(format!("the cluster still has a node {}", left.name))
            }
            Self::Gone { resource } => {
                let left = status.resource_named(resource)?;
                let is_active = !left.running_on.is_empty();
                is_active.then(|| format!("{resource} still runs"))
            }
        }
    }

    /// Tells of a cluster that has settled whether the goal is reached, or may still be without anybody's
    /// doing.
    pub(super) fn verdict(&self, cib: &Document, status: &ClusterStatus) -> Verdict {
        let idle = match self {
            Self::Running { resources } => running::idle(cib, status, resources),
            _ if self.missing(status).is_none() => return Verdict::Reached,
            Self::Resource { resource, is } if is.starts_with("started") || is == "promoted" => {
                let wanted = std::slice::from_ref(resource);
                let idle = running::idle(cib, status, wanted);
                if idle.is_empty() {
                    return Verdict::Missed;
                }
                idle
            }
            _ => return Verdict::Missed,
        };
        if idle.is_empty() {
            return Verdict::Reached;
        }
        if !idle.iter().all(|idle| idle.may_come) {
            return Verdict::Missed;
        }
        let waiting = idle.into_iter().map(|idle| Unfinished::NotRunning {
            resource: idle.resource,
            reasons: idle.reasons,
        });
        Verdict::Coming(waiting.collect())
    }

    /// The error for a cluster that has settled without reaching the goal, with the reasons.
    pub(super) fn unsatisfied(&self, cib: &Document, status: &ClusterStatus) -> Error {
        if let Self::Running { resources } = self {
            return not_running(running::idle(cib, status, resources));
        }
        let missing = self.missing(status);
        let mut message = missing.unwrap_or_else(|| "it is not as asked".to_owned());
        let mut french = Error::invalid(message.clone()).text(Language::French);
        let (now, zone) = (Timestamp::now(), TimeZone::system());
        let resource = match self {
            Self::Resource { resource, .. } | Self::Left { resource, .. } => Some(resource),
            _ => None,
        };
        let why = resource.and_then(|resource| why::explain(cib, now, &zone, resource).ok());
        let node = match self {
            Self::Resource { is, .. } => is.rsplit_once(" on ").map(|(_, node)| node),
            _ => None,
        };
        let mut reasons = why.map(|why| why.reasons).unwrap_or_default();
        let is_here =
            |reason: &why::Reason| reason.node.as_deref().is_none_or(|at| Some(at) == node);
        // Why it does not run elsewhere is something, where nothing is known of this node.
        if node.is_some() && reasons.iter().any(is_here) {
            reasons.retain(is_here);
        }
        let (mut hint, mut french_hint) = (None, None);
        for reason in &reasons {
            message.push_str("; ");
            message.push_str(&reason.text(Language::English));
            french.push_str(" ; ");
            french.push_str(&reason.text(Language::French));
            hint = hint.or_else(|| reason.next_step(Language::English));
            french_hint = french_hint.or_else(|| reason.next_step(Language::French));
        }
        let hint = hint.unwrap_or_else(|| see(resource.map(String::as_str)));
        Error::new(ErrorKind::Unsatisfied, message)
            .with_hint(hint)
            .in_french(french, french_hint)
    }
}

/// Where to look when no reason is known.
fn see(resource: Option<&str>) -> String {
    match resource {
        Some(resource) => {
            format!("see what the cluster says of it: crm_mon -1 -r -f, hactl why {resource}")
        }
        None => "see what the cluster says of it: crm_mon -1 -r -f".to_owned(),
    }
}

/// The error for resources that should run and do not.
fn not_running(idle: Vec<Idle>) -> Error {
    let next_step = |language| {
        let mut reasons = idle.iter().flat_map(|idle| &idle.reasons);
        reasons.find_map(|reason| reason.next_step(language))
    };
    let hint = next_step(Language::English)
        .unwrap_or_else(|| see(idle.first().map(|idle| idle.resource.as_str())));
    let french_hint = next_step(Language::French);
    let list: Vec<Unfinished> = idle
        .into_iter()
        .map(|idle| Unfinished::NotRunning {
            resource: idle.resource,
            reasons: idle.reasons,
        })
        .collect();
    let text = |language| {
        let texts: Vec<String> = list.iter().map(|idle| idle.text(language)).collect();
        texts.join("\n")
    };
    Error::new(ErrorKind::Unsatisfied, text(Language::English))
        .with_hint(hint)
        .in_french(text(Language::French), french_hint)
}
