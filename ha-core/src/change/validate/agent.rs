//! What agents say of themselves, beside what they are given.

use std::collections::HashMap;

use super::{Check, Described, Description, Expected, Problem, value};
use crate::change::edit::{resources, similar};
use crate::model::agent::{AgentName, Metadata, Parameter, ParameterKind};
use crate::model::scalar;
use crate::name::is_secret;
use crate::xml::Element;

pub(super) fn agents<'d>(check: &mut Check<'d>, described: &mut Described<'_, '_>) {
    let owners = resources(check.document).filter(|e| matches!(e.name(), "primitive" | "template"));
    for owner in owners {
        let Some(agent) = check.agent(owner) else {
            continue;
        };
        // Of an agent that a template names, the template tells.
        let own = owner.attribute("template").is_none();
        let name = || agent.to_string();
        match described.of(&agent) {
            None => return,
            Some(Description::NotInstalled) if own => {
                check.found(owner, Problem::NoSuchAgent { agent: name() });
            }
            Some(Description::Unreadable(reason)) if own => {
                let reason = reason.clone();
                let agent = name();
                check.found(owner, Problem::AgentUnread { agent, reason });
            }
            Some(Description::Given(metadata)) => {
                parameters(check, owner, &agent, metadata);
                if owner.name() == "primitive" {
                    required(check, owner, &agent, metadata);
                    promotable(check, owner, &agent, metadata);
                }
            }
            Some(_) => {}
        }
    }
    shared(check, described);
}

/// The parameters that an owner gives itself: known ones, and of the right kind.
fn parameters<'d>(
    check: &mut Check<'d>,
    owner: Element<'d>,
    agent: &AgentName,
    metadata: &Metadata,
) {
    for pair in check.pairs(owner, "instance_attributes") {
        let known = || metadata.parameters.iter();
        let former = || known().any(|p| p.obsoletes.as_deref() == Some(pair.name));
        match metadata.parameter(pair.name) {
            Some(parameter) => {
                let wrong = kind(parameter).filter(|_| {
                    !pair.value.is_empty() && parameter.default.as_deref() != Some(pair.value)
                });
                if let Some(expected) = wrong
                    && !fits(pair.value, &expected, parameter)
                {
                    let value = if is_secret(pair.name) {
                        "(hidden)"
                    } else {
                        pair.value
                    };
                    let problem = Problem::WrongValue {
                        name: pair.name.to_owned(),
                        value: value.to_owned(),
                        expected,
                        // The agent reads it, in its own way.
                        read_as: None,
                    };
                    check.found(pair.element, problem);
                }
            }
            None if former() || is_for_pacemaker(agent, pair.name) => {}
            None => {
                let names = known().map(|parameter| parameter.name.as_str());
                let problem = Problem::UnknownParameter {
                    agent: agent.to_string(),
                    parameter: pair.name.to_owned(),
                    similar: similar(pair.name, names).map(str::to_owned),
                };
                check.found(pair.element, problem);
            }
        }
    }
}

/// Parameters that are not the agent's: the fencer's, and those with which any OCF agent is traced.
fn is_for_pacemaker(agent: &AgentName, name: &str) -> bool {
    match &*agent.standard {
        "stonith" => {
            name.starts_with("pcmk_") || matches!(name, "provides" | "stonith-timeout" | "priority")
        }
        _ => matches!(name, "trace_ra" | "trace_file" | "trace_dir"),
    }
}

fn kind(parameter: &Parameter) -> Option<Expected> {
    match &parameter.kind {
        ParameterKind::Integer => Some(Expected::Integer),
        ParameterKind::Boolean => Some(Expected::Boolean),
        ParameterKind::Select(words) if !words.is_empty() => Some(Expected::OneOf(words.clone())),
        ParameterKind::Other(kind) if matches!(kind.as_str(), "time" | "second" | "seconds") => {
            Some(Expected::Interval)
        }
        _ => None,
    }
}

fn fits(value: &str, expected: &Expected, parameter: &Parameter) -> bool {
    let is = |expected| value::mistake(value, expected).is_none();
    match expected {
        // Agents call a time a number, too, and then their default shows it: ping's dampen is 5s.
        Expected::Integer => {
            let default = parameter.default.as_deref().unwrap_or_default();
            let default_is_number = default.is_empty() || default.parse::<i64>().is_ok();
            is(&Expected::Score) || (!default_is_number && is(&Expected::Interval))
        }
        expected => is(expected),
    }
}

fn required<'d>(
    check: &mut Check<'d>,
    primitive: Element<'d>,
    agent: &AgentName,
    metadata: &Metadata,
) {
    let given = check.all_pairs(primitive, "instance_attributes");
    let is_given = |name: &str| given.iter().any(|pair| pair.name == name);
    for parameter in &metadata.parameters {
        // What a fence agent is to do, and to whom, the fencer tells it.
        let told = agent.standard == "stonith"
            && matches!(&*parameter.name, "action" | "port" | "plug" | "nodename");
        let has_default = parameter.default.as_deref().is_some_and(|d| !d.is_empty());
        let former = parameter.obsoletes.as_deref().is_some_and(is_given);
        if parameter.is_required
            && !parameter.is_deprecated
            && !(told || has_default || former || is_given(&parameter.name))
        {
            let problem = Problem::MissingParameter {
                agent: agent.to_string(),
                parameter: parameter.name.clone(),
            };
            check.found(primitive, problem);
        }
    }
}

fn promotable<'d>(
    check: &mut Check<'d>,
    primitive: Element<'d>,
    agent: &AgentName,
    metadata: &Metadata,
) {
    if let Some(clone) = promotable_around(check, primitive)
        && metadata.action("promote").is_none()
    {
        let agent = agent.to_string();
        check.found(clone, Problem::CannotPromote { agent });
    }
}

/// The clone around a primitive, if it is promotable.
pub(super) fn promotable_around<'d>(
    check: &Check<'d>,
    primitive: Element<'d>,
) -> Option<Element<'d>> {
    let mut around = primitive.parent()?;
    if around.name() == "group" {
        around = around.parent()?;
    }
    let promotable = || scalar::is_true(check.value(around, "meta_attributes", "promotable"));
    (around.name() == "master" || (around.name() == "clone" && promotable())).then_some(around)
}

/// Parameters that tell resources of one agent apart.
fn shared<'d>(check: &mut Check<'d>, described: &mut Described<'_, '_>) {
    let mut seen: HashMap<(AgentName, String, Vec<&str>), &str> = HashMap::new();
    for primitive in resources(check.document).filter(|e| e.name() == "primitive") {
        let Some(agent) = check.agent(primitive) else {
            continue;
        };
        let Some(metadata) = described.metadata(&agent) else {
            continue;
        };
        let id = primitive.attribute("id").unwrap_or_default();
        for names in unique(metadata) {
            let value = |name: &&str| check.value(primitive, "instance_attributes", name);
            let Some(values) = names.iter().map(value).collect::<Option<Vec<_>>>() else {
                continue;
            };
            let parameter = names.join(", ");
            let key = (agent.clone(), parameter.clone(), values);
            match seen.get(&key) {
                Some(&other) => {
                    let other = other.to_owned();
                    check.found(primitive, Problem::SharedParameter { parameter, other });
                }
                None => {
                    seen.insert(key, id);
                }
            }
        }
    }
}

/// The parameters that are unique, those that are so together in one list.
fn unique(metadata: &Metadata) -> Vec<Vec<&str>> {
    let mut lists: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
    for parameter in metadata.parameters.iter().filter(|p| p.is_unique) {
        let group = parameter.unique_group.as_deref();
        match lists
            .iter_mut()
            .find(|(g, _)| group.is_some() && *g == group)
        {
            Some((_, list)) => list.push(&parameter.name),
            None => lists.push((group, vec![&parameter.name])),
        }
    }
    lists.into_iter().map(|(_, list)| list).collect()
}
