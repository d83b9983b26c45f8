//! Primitives counted by agent instead of listed.

use std::collections::BTreeMap;

use crate::model::scalar::name_order;
use crate::status::ResourceIndex;

use super::Report;
use super::out::Lists;
use super::primitive::agent_words;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// What runs, by node.
    Active,
    /// What runs by node, and how many there are in all.
    WithInactive,
    /// What runs on the node that is named above.
    OnNode,
}

#[derive(Debug, Default)]
struct Count<'a> {
    total: usize,
    active: BTreeMap<&'a str, usize>,
}

/// Prints counts of the primitives among these resources. Returns whether there were any.
pub(super) fn print(
    report: &Report<'_>,
    resources: &[ResourceIndex],
    mode: Mode,
    out: &mut dyn Lists,
) -> bool {
    let status = report.status;
    let mut agents: BTreeMap<String, Count<'_>> = BTreeMap::new();
    for resource in resources.iter().map(|&index| status.resource(index)) {
        if !resource.is_primitive() {
            continue;
        }
        let count = agents.entry(agent_words(resource, "(null)")).or_default();
        count.total += 1;
        for node in resource.running_on.iter().map(|&node| status.node(node)) {
            if node.online || node.unclean || !resource.managed {
                *count.active.entry(node.name.as_str()).or_default() += 1;
            }
        }
    }
    let mut printed = false;
    for (agent, count) in &agents {
        let mut nodes: Vec<_> = count.active.iter().collect();
        nodes.sort_by(|a, b| name_order(a.0, b.0));
        for (node, active) in &nodes {
            let total = if mode == Mode::WithInactive {
                format!("/{}", count.total)
            } else {
                String::new()
            };
            let node = if mode == Mode::OnNode { "" } else { node };
            let line = format!("{active}{total}\t({agent}):\tActive {node}");
            out.line(&line);
            printed = true;
        }
        if nodes.is_empty() && mode == Mode::WithInactive {
            out.line(&format!("0/{}\t({agent}):\tActive", count.total));
            printed = true;
        }
    }
    printed
}
