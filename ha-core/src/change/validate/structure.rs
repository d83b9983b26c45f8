//! What is in what, and which resources need something else to be of use.

use super::{Check, Problem};
use crate::change::edit::resources;
use crate::finding;
use crate::model::scalar::{self, HealthScores};
use crate::xml::Element;

/// Groups: of primitives alone, and of one at least. The schema says it too, but not so that one
/// understands it.
pub(super) fn containers(check: &mut Check<'_>) {
    for resource in resources(check.document) {
        let parent = resource.parent();
        if parent.is_some_and(|parent| parent.name() == "group") && resource.name() != "primitive" {
            let kind = resource.name().to_owned();
            check.found(resource, Problem::NotInGroup { kind });
        }
        let mut inside = resource.children();
        let is_member = |child: Element<'_>| {
            crate::model::is_resource(child.name()) || child.name() == "resource_ref"
        };
        if resource.name() == "group" && !inside.any(is_member) {
            check.found(resource, Problem::EmptyGroup);
        }
    }
}

/// Connectivity: a ping resource whose attribute somebody reads, in a rule that also says what holds while
/// there is no such attribute yet.
pub(super) fn pings(check: &mut Check<'_>) {
    for (primitive, attribute) in finding::unread_pings(&check.cib) {
        let attribute = attribute.to_owned();
        check.found(primitive, Problem::PingUnread { attribute });
    }
    let pings: Vec<&str> = finding::pings(&check.cib)
        .map(|(_, attribute)| attribute)
        .collect();
    let rules = check.cib.constraints().flat_map(|constraint| {
        let forbids = |rule: &Element<'_>| {
            let score = rule.attribute("score").unwrap_or_default();
            scalar::score(score, HealthScores::default()) < 0
        };
        constraint.children_named("rule").filter(forbids)
    });
    for rule in rules {
        let expressions = || rule.descendants().filter(|e| e.name() == "expression");
        for expression in expressions() {
            let attribute = expression.attribute("attribute").unwrap_or_default();
            let operation =
                |e: Element<'_>| e.attribute("operation").unwrap_or_default().to_owned();
            let is_of_ping = attribute == "pingd" || pings.contains(&attribute);
            let thought_of = expressions().any(|e| {
                e.attribute("attribute") == Some(attribute)
                    && matches!(&*operation(e), "defined" | "not_defined")
            });
            // A node without the attribute fulfils none of these.
            if is_of_ping && !thought_of && matches!(&*operation(expression), "lt" | "lte" | "eq") {
                let attribute = attribute.to_owned();
                check.found(expression, Problem::UndefinedForgotten { attribute });
            }
        }
    }
}
