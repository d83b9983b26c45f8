//! Ids and names: each id once, each name one of something that exists.

use std::collections::HashSet;

use super::{Check, Problem, Target};
use crate::change::edit::{resources, similar};
use crate::model::scalar;
use crate::xml::Element;

/// The elements whose `id` is the name of something else, or a name of another kind.
fn names_another(element: Element<'_>) -> bool {
    match element.name() {
        "resource_ref" | "obj_ref" | "node" | "acl_target" | "acl_group" => true,
        "role" => element
            .parent()
            .is_some_and(|parent| parent.name().starts_with("acl_")),
        _ => false,
    }
}

pub(super) fn ids(check: &mut Check<'_>) {
    let mut seen = HashSet::new();
    for element in check.configuration() {
        if let Some(id) = element.attribute("id")
            && !names_another(element)
            && !seen.insert(id)
        {
            check.found(element, Problem::DuplicateId { id: id.to_owned() });
        }
    }
}

pub(super) fn references(check: &mut Check<'_>) {
    let known = Known::of(check);
    for element in check.configuration() {
        for (target, name) in names(element) {
            let exists = match target {
                Target::Resource => known.resources.contains(name) || known.tags.contains(name),
                Target::Template => known.templates.contains(name),
                Target::Device => known.devices.contains(name),
                Target::Element => known.ids.contains(name),
                Target::Role => check.cib.find("acl_role", name).is_some(),
                Target::Same => check.cib.find(element.name(), name).is_some(),
                Target::Node => known.nodes.is_empty() || known.has_node(name),
            };
            if !exists {
                let similar = known.similar(target, name).map(str::to_owned);
                let name = name.to_owned();
                let problem = Problem::Dangling {
                    target,
                    name,
                    similar,
                };
                check.found(element, problem);
            }
        }
    }
}

/// The names of other things that an element has.
fn names(element: Element<'_>) -> Vec<(Target, &str)> {
    let mut names = Vec::new();
    let mut take = |target, attribute| {
        names.extend(element.attribute(attribute).map(|name| (target, name)));
    };
    take(Target::Same, "id-ref");
    match element.name() {
        "rsc_location" | "rsc_ticket" | "rsc_colocation" | "rsc_order" => {
            for attribute in ["rsc", "with-rsc", "first", "then"] {
                take(Target::Resource, attribute);
            }
            take(Target::Node, "node");
        }
        "resource_ref" => take(Target::Resource, "id"),
        "obj_ref" => take(Target::Element, "id"),
        "acl_permission" => take(Target::Element, "reference"),
        "role" => take(Target::Role, "id"),
        "primitive" => take(Target::Template, "template"),
        "fencing-level" => {
            take(Target::Node, "target");
            let devices = element.attribute("devices").unwrap_or_default();
            let devices = devices.split(',').map(str::trim);
            names.extend(devices.map(|device| (Target::Device, device)));
        }
        _ => {}
    }
    names
}

/// What is there to be named.
struct Known<'d> {
    resources: HashSet<&'d str>,
    templates: HashSet<&'d str>,
    devices: HashSet<&'d str>,
    tags: HashSet<&'d str>,
    ids: HashSet<&'d str>,
    nodes: HashSet<&'d str>,
    bundles: HashSet<&'d str>,
}

impl<'d> Known<'d> {
    fn of(check: &Check<'d>) -> Self {
        let id = |element: Element<'d>| element.attribute("id");
        let all = || resources(check.document);
        let mut nodes: HashSet<&str> = check
            .cib
            .nodes()
            .filter_map(|node| node.attribute("uname"))
            .collect();
        if !nodes.is_empty() {
            let states = check.cib.node_states();
            nodes.extend(states.filter_map(|state| state.attribute("uname")));
            for primitive in all().filter(|resource| resource.name() == "primitive") {
                let agent = check.agent(primitive).map(|agent| agent.to_string());
                if agent.as_deref() == Some("ocf:pacemaker:remote") {
                    nodes.extend(id(primitive));
                }
                nodes.extend(check.value(primitive, "meta_attributes", "remote-node"));
            }
        }
        Self {
            resources: all().filter_map(id).collect(),
            templates: all()
                .filter(|e| e.name() == "template")
                .filter_map(id)
                .collect(),
            devices: all()
                .filter(|e| e.name() == "primitive" && check.is_of(*e, "stonith"))
                .filter_map(id)
                .collect(),
            tags: check.cib.tags().filter_map(id).collect(),
            ids: check
                .configuration()
                .filter(|e| !names_another(*e))
                .filter_map(id)
                .collect(),
            nodes,
            bundles: all()
                .filter(|e| e.name() == "bundle")
                .filter_map(id)
                .collect(),
        }
    }

    fn has_node(&self, name: &str) -> bool {
        let replica = || {
            let (bundle, number) = name.rsplit_once('-')?;
            Some(self.bundles.contains(bundle) && scalar::integer(number).is_some())
        };
        self.nodes
            .iter()
            .any(|node| node.eq_ignore_ascii_case(name))
            || replica().unwrap_or(false)
    }

    fn similar(&self, target: Target, name: &str) -> Option<&'d str> {
        let known = match target {
            Target::Resource => &self.resources,
            Target::Template => &self.templates,
            Target::Device => &self.devices,
            Target::Node => &self.nodes,
            Target::Element | Target::Same | Target::Role => &self.ids,
        };
        similar(name, known.iter().copied())
    }
}
