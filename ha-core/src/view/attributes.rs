//! Node Attributes.

use crate::model::scalar;
use crate::status::{Node, NodeAttribute};

use super::out::{Lists, Span, Xml};
use super::summary::node_name;
use super::{Part, Report};

/// Attributes that serve the cluster itself.
const HIDDEN: [&str; 6] = [
    "fail-count",
    "last-failure",
    "shutdown",
    "terminate",
    "standby",
    "#",
];

fn shown<'a>(report: &Report<'a>) -> Vec<(&'a Node, Vec<&'a NodeAttribute>)> {
    let nodes = report
        .status
        .nodes()
        .filter(|node| node.online && report.node_passes(&node.name));
    nodes
        .map(|node| {
            let attributes = node.attributes.iter().filter(|attribute| {
                !HIDDEN
                    .iter()
                    .any(|prefix| attribute.name.starts_with(prefix))
            });
            (node, attributes.collect::<Vec<_>>())
        })
        .filter(|(_, attributes)| !attributes.is_empty())
        .collect()
}

pub(super) fn lists(report: &Report<'_>, out: &mut dyn Lists) {
    if !report.shows(Part::Attributes) {
        return;
    }
    let nodes = shown(report);
    if nodes.is_empty() {
        return;
    }
    out.begin("Node Attributes");
    for (node, attributes) in nodes {
        out.begin(&format!("Node: {}", node_name(report, node)));
        for attribute in attributes {
            let value = scalar::integer32(&attribute.value).unwrap_or(0);
            if out.is_html() {
                let text = format!("{}: {}", attribute.name, attribute.value);
                match attribute.expected {
                    Some(_) if value <= 0 => out.item(&[
                        Span::plain(&text),
                        Span::styled("bold", "(connectivity is lost)"),
                    ]),
                    Some(expected) if value < expected => out.item(&[
                        Span::plain(&text),
                        Span::styled(
                            "bold",
                            &format!("(connectivity is degraded -- expected {expected}"),
                        ),
                    ]),
                    _ => out.item(&[Span::plain(&text)]),
                }
                continue;
            }
            let mut text = format!("{:<32}\t: {:<10}", attribute.name, attribute.value);
            match attribute.expected {
                Some(_) if value <= 0 => text.push_str("\t: Connectivity is lost"),
                Some(expected) if value < expected => {
                    text.push_str(&format!(
                        "\t: Connectivity is degraded (Expected={expected})"
                    ));
                }
                _ => {}
            }
            out.item(&[Span::plain(&text)]);
        }
        out.end();
    }
    out.end();
}

pub(super) fn xml(report: &Report<'_>, out: &mut Xml) {
    if !report.shows(Part::Attributes) {
        return;
    }
    let nodes = shown(report);
    if nodes.is_empty() {
        return;
    }
    out.open("node_attributes");
    for (node, attributes) in nodes {
        out.open("node");
        out.attribute("name", &node.name);
        for attribute in attributes {
            out.open("attribute");
            out.attribute("name", &attribute.name);
            out.attribute("value", &attribute.value);
            if let Some(expected) = attribute.expected {
                out.number("expected", expected);
            }
            out.close();
        }
        out.close();
    }
    out.close();
}
