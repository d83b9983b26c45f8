//! Location constraints: which nodes they keep resources off, and which they draw them to.

use regex_lite::Regex;

use crate::model::scalar::{INFINITY, add_scores};
use crate::xml::Element;

use super::engine::Engine;
use super::rule::{self, RuleInput};
use super::table::Values;
use super::types::{Ban, NodeIndex, NodeKind, Preference, ResourceIndex, Role};

/// A location's place in the list: bans are kept last first, and reversed as a whole, so that the
/// nodes within one location have to be added last first as well.
type Scored = Vec<(NodeIndex, i32)>;

impl<'d> Engine<'d> {
    pub(super) fn read_location(&mut self, constraint: Element<'d>) {
        let role = constraint.attribute("role");
        let score = constraint.attribute("score");
        if let Some(id) = constraint.attribute("rsc") {
            for resource in self.constraint_resources(id) {
                self.locate(constraint, resource, role, score);
            }
        } else if let Some(pattern) = constraint.attribute("rsc-pattern") {
            let (inverted, expression) = match pattern.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, pattern),
            };
            let Ok(expression) = Regex::new(expression) else {
                return;
            };
            for resource in self.status.top_level.clone() {
                if expression.is_match(&self.resource(resource).id) != inverted {
                    self.locate(constraint, resource, role, score);
                }
            }
        }
        for set in constraint.children_named("resource_set") {
            let set = self.cib.resolve(set);
            for reference in set.children_named("resource_ref") {
                let Some(id) = reference.attribute("id") else {
                    continue;
                };
                for resource in self.constraint_resources(id) {
                    let role = set.attribute("role").or(role);
                    let score = set.attribute("score").or(score);
                    self.locate(constraint, resource, role, score);
                }
            }
        }
    }

    fn locate(
        &mut self,
        constraint: Element<'d>,
        resource: ResourceIndex,
        role: Option<&str>,
        score: Option<&str>,
    ) {
        let id = constraint.attribute("id").unwrap_or_default();
        if let (Some(node), Some(score)) = (constraint.attribute("node"), score) {
            if let Some(node) = self.find_node(Some(node), Some(node)) {
                let score = self.score(score);
                self.keep_scores(id, resource, &vec![(node, score)], is_promoted(role));
            }
            return;
        }
        for rule in constraint.children_named("rule") {
            let rule = self.cib.resolve(rule);
            let scored = self.rule_nodes(rule, resource);
            let id = rule.attribute("id").unwrap_or_default();
            self.keep_scores(
                id,
                resource,
                &scored,
                is_promoted(rule.attribute("role").or(role)),
            );
        }
    }

    fn keep_scores(
        &mut self,
        id: &str,
        resource: ResourceIndex,
        nodes: &Scored,
        promoted_only: bool,
    ) {
        for &(node, score) in nodes.iter().rev() {
            if score >= 0 {
                if !promoted_only {
                    self.status.preferences.push(Preference {
                        id: id.to_owned(),
                        resource,
                        node,
                        score,
                    });
                }
                continue;
            }
            let ban = Ban {
                id: id.to_owned(),
                resource,
                node,
                score,
                promoted_only,
            };
            self.status.bans.push(ban);
        }
    }

    /// Returns the nodes that a rule is about, with the score that it gives them.
    fn rule_nodes(&self, rule: Element<'d>, resource: ResourceIndex) -> Scored {
        let any = rule
            .attribute("boolean-op")
            .is_some_and(|op| op.eq_ignore_ascii_case("or"));
        // Few rules look at those of the resource.
        let by_source = rule::looks_at_resource(&self.cib, rule);
        let parameters = by_source.then(|| self.parameters(resource, None, None));
        let meta = by_source.then(|| self.meta_in_full(resource));
        let mut scored = Vec::new();
        for node in self.status.node_order.iter().copied() {
            let mut input: RuleInput<'_, 'd> = self.rule_input();
            input.node = Some(&self.node_work(node).attributes);
            input.parameters = parameters.as_ref();
            input.meta = meta.as_ref();
            if !rule::evaluate(&self.cib, rule, &input) {
                continue;
            }
            let score = match (rule.attribute("score"), rule.attribute("score-attribute")) {
                (Some(score), _) => self.score(score),
                (None, Some(attribute)) => self
                    .node_work(node)
                    .attributes
                    .value(attribute)
                    .map_or(-INFINITY, |score| self.score(score)),
                (None, None) => 0,
            };
            let score = if any {
                add_scores(self.base_score(node), score)
            } else {
                score
            };
            scored.push((node, score));
        }
        if !any {
            scored.reverse();
        }
        scored
    }

    /// What a node is worth before any constraint: nothing can run where it is down.
    fn base_score(&self, node: NodeIndex) -> i32 {
        let state = self.node(node);
        let down =
            state.kind == NodeKind::Cluster && !state.unseen && (!state.online || state.shutdown);
        if state.is_bundle || down {
            -INFINITY
        } else {
            0
        }
    }
}

fn is_promoted(role: Option<&str>) -> bool {
    role.and_then(Role::parse) == Some(Role::Promoted)
}
