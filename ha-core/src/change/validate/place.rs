//! Where something is, by the names that people know.

use crate::change::describe::kind_of_value;
use crate::model::is_resource;
use crate::xml::Element;

/// Elements that only hold others.
fn is_transparent(name: &str) -> bool {
    matches!(
        name,
        "meta_attributes"
            | "instance_attributes"
            | "utilization"
            | "cluster_property_set"
            | "operations"
    )
}

pub(super) fn of(element: Element<'_>) -> String {
    let mut steps = Vec::new();
    let mut inside_resource = false;
    let mut next = Some(element);
    while let Some(step) = next {
        next = step.parent();
        let is_inner = step.id() == element.id();
        let section = next.is_some_and(|parent| parent.name() == "configuration");
        let frame = section || next.is_none() || step.name() == "configuration";
        // Of resources in resources the innermost is enough.
        let outer = inside_resource && is_resource(step.name());
        inside_resource |= is_resource(step.name());
        if is_inner || !(frame || outer || is_transparent(step.name())) {
            steps.push(name(step));
        }
    }
    steps.reverse();
    steps.join(", ")
}

fn name(element: Element<'_>) -> String {
    let attribute = |name| element.attribute(name);
    let of = |kind: &str, name: Option<&str>| match name {
        Some(name) => format!("{kind} {name}"),
        None => kind.to_owned(),
    };
    match element.name() {
        "nvpair" => {
            let kind = element.parent().map_or("value", kind_of_value);
            let name = attribute("name").or(attribute("id-ref"));
            of(kind, name.or(attribute("id")))
        }
        "op" => {
            let name = of("operation", attribute("name").or(attribute("id-ref")));
            match attribute("interval") {
                Some(interval) => format!("{name} {interval}"),
                None => name,
            }
        }
        "node" => of("node", attribute("uname").or(attribute("id"))),
        kind => of(kind, attribute("id").or(attribute("id-ref"))),
    }
}
