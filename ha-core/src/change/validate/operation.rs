//! Operations: intervals that collide, time-outs that are short.

use std::collections::HashMap;
use std::time::Duration;

use super::{Check, Described, Problem};
use crate::change::edit::{resources, similar};
use crate::config::Interval;
use crate::finding;
use crate::model::agent::{AgentName, Metadata};
use crate::model::scalar;
use crate::xml::Element;

/// How long an operation may take when nothing says it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);

/// Operations that every agent is asked for, or that Pacemaker knows of each.
const ALWAYS: [&str; 7] = [
    "start",
    "stop",
    "monitor",
    "notify",
    "meta-data",
    "validate-all",
    "status",
];

pub(super) fn operations(check: &mut Check<'_>, described: &mut Described<'_, '_>) {
    for primitive in finding::unwatched(&check.cib).collect::<Vec<_>>() {
        check.found(primitive, Problem::NoMonitor);
    }
    for primitive in resources(check.document).filter(|e| e.name() == "primitive") {
        let operations = of(check, primitive);
        collisions(check, primitive, &operations);
        let Some(agent) = check.agent(primitive) else {
            continue;
        };
        if let Some(metadata) = described.metadata(&agent) {
            timeouts(check, primitive, &operations, metadata);
            unknown(check, &operations, &agent, metadata);
        }
    }
}

/// The operations of a primitive with those of its template: of one name and role its own counts.
fn of<'d>(check: &Check<'d>, primitive: Element<'d>) -> Vec<Element<'d>> {
    let listed = |owner: Element<'d>| {
        owner
            .children_named("operations")
            .map(|list| check.cib.resolve(list))
            .flat_map(|list| list.children_named("op"))
            .map(|operation| check.cib.resolve(operation))
    };
    let mut all: Vec<Element<'d>> = listed(primitive).collect();
    let own = all.len();
    let key = |e: Element<'d>| (e.attribute("name"), e.attribute("role"));
    for inherited in check.template(primitive).into_iter().flat_map(listed) {
        if all[..own].iter().all(|e| key(*e) != key(inherited)) {
            all.push(inherited);
        }
    }
    all
}

fn milliseconds(operation: Element<'_>, attribute: &str) -> Option<u64> {
    scalar::interval_ms(operation.attribute(attribute)?)
}

fn collisions<'d>(check: &mut Check<'d>, primitive: Element<'d>, operations: &[Element<'d>]) {
    let mut seen: HashMap<(&str, u64), &str> = HashMap::new();
    for operation in operations {
        let name = operation.attribute("name").unwrap_or_default();
        let interval = milliseconds(*operation, "interval").unwrap_or(0);
        if interval == 0 {
            continue;
        }
        let id = operation.attribute("id").unwrap_or_default();
        if let Some(other) = seen.insert((name, interval), id) {
            let problem = Problem::DuplicateOperation {
                operation: name.to_owned(),
                other: other.to_owned(),
            };
            // One that a template and its primitive have between them is told of the primitive.
            let of_it = operation.path().starts_with(&primitive.path());
            check.found(if of_it { *operation } else { primitive }, problem);
        }
    }
}

fn timeouts<'d>(
    check: &mut Check<'d>,
    primitive: Element<'d>,
    operations: &[Element<'d>],
    metadata: &Metadata,
) {
    let short = |operation: &str, timeout: Duration, advised: Duration, given| {
        let text = |time: Duration| Interval::from(time).to_string();
        (timeout < advised).then(|| Problem::ShortTimeout {
            operation: operation.to_owned(),
            timeout: text(timeout),
            advised: text(advised),
            given,
        })
    };
    let default = default_timeout(check);
    for operation in operations {
        let name = operation.attribute("name").unwrap_or_default();
        let Some(advised) = advised(metadata, name, operation.attribute("role")) else {
            continue;
        };
        let given = timeout_of(check, *operation);
        let problem = match given {
            Some(given) => short(name, given, advised, true),
            None => default.and_then(|default| short(name, default, advised, false)),
        };
        if let Some(problem) = problem {
            check.found(*operation, problem);
        }
    }
    let is_missing = |name: &str| {
        let mut names = operations.iter().map(|o| o.attribute("name"));
        names.all(|n| n != Some(name))
    };
    for name in ["start", "stop"]
        .into_iter()
        .filter(|name| is_missing(name))
    {
        let problem = advised(metadata, name, None)
            .zip(default)
            .and_then(|(advised, default)| short(name, default, advised, false));
        if let Some(problem) = problem {
            check.found(primitive, problem);
        }
    }
}

/// How long the agent's author thinks that an operation needs.
pub(super) fn advised(metadata: &Metadata, name: &str, role: Option<&str>) -> Option<Duration> {
    let mut actions = metadata.actions.iter().filter(|action| action.name == name);
    let of_role = role.and_then(|role| {
        actions.clone().find(|action| {
            action
                .role
                .as_deref()
                .is_some_and(|r| is_same_role(r, role))
        })
    });
    of_role.or_else(|| actions.next())?.timeout
}

/// Whether two words are of the same role: before Pacemaker 2.1 there were others.
pub(super) fn is_same_role(a: &str, b: &str) -> bool {
    let modern = |role: &str| match role.to_ascii_lowercase().as_str() {
        "master" => "promoted".to_owned(),
        "slave" => "unpromoted".to_owned(),
        role => role.to_owned(),
    };
    modern(a) == modern(b)
}

fn timeout_of<'d>(check: &Check<'d>, operation: Element<'d>) -> Option<Duration> {
    let meta = || check.value(operation, "meta_attributes", "timeout");
    let text = operation.attribute("timeout").or_else(meta)?;
    scalar::interval_ms(text).map(Duration::from_millis)
}

/// How long an operation may take that does not say it; none when it depends.
fn default_timeout(check: &Check<'_>) -> Option<Duration> {
    let Some(defaults) = check.cib.op_defaults() else {
        return Some(DEFAULT_TIMEOUT);
    };
    let pairs = check.pairs(defaults, "meta_attributes");
    let mut timeouts = pairs.iter().filter(|pair| pair.name == "timeout");
    match timeouts.next() {
        None => Some(DEFAULT_TIMEOUT),
        Some(pair) if pair.conditional => None,
        Some(pair) => scalar::interval_ms(pair.value).map(Duration::from_millis),
    }
}

fn unknown<'d>(
    check: &mut Check<'d>,
    operations: &[Element<'d>],
    agent: &AgentName,
    metadata: &Metadata,
) {
    for operation in operations {
        let name = operation.attribute("name").unwrap_or_default();
        if ALWAYS.contains(&name) || metadata.action(name).is_some() {
            continue;
        }
        let known = metadata.actions.iter().map(|action| action.name.as_str());
        let problem = Problem::UnknownOperation {
            agent: agent.to_string(),
            operation: name.to_owned(),
            similar: similar(name, known.chain(ALWAYS)).map(str::to_owned),
        };
        check.found(*operation, problem);
    }
}
