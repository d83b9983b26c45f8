//! Node Attributes.

use crate::model::scalar;
use crate::status::{Node, NodeAttribute};

use super::out::{Lists, Span, Xml};
use super::summary::node_name;
use super::{Part, Report, json};

/// Attributes that serve the cluster itself.
const HIDDEN: [&str; 6] = [
    "fail-count",
    "last-failure",
    "shutdown",
    "terminate",
    "standby",
    "#",
];

/// Returns the heading of what is said of a node.
pub(super) fn node_title(report: &Report<'_>, node: &Node, out: &dyn Lists) -> String {
    let name = node_name(report, node);
    if out.is_html() {
        format!("{name}:")
    } else {
        format!("Node: {name}")
    }
}

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
        out.begin(&node_title(report, node, out));
        for attribute in attributes {
            let text = if out.is_html() {
                format!("{}: {}", attribute.name, attribute.value)
            } else {
                format!("{:<32}\t: {:<10}", attribute.name, attribute.value)
            };
            match warning(attribute, out.is_html()) {
                Some(warning) => {
                    out.item(&[Span::plain(&text), Span::styled("bold", &warning)]);
                }
                None if attribute.expected.is_some() => out.item(&[Span::plain(&text)]),
                None => out.line(&text),
            }
        }
        out.end();
    }
    out.end();
}

/// Returns what is wrong with the connectivity that an attribute measures. HTML has other words,
/// one of which lacks its parenthesis.
fn warning(attribute: &NodeAttribute, is_html: bool) -> Option<String> {
    let expected = attribute.expected?;
    let value = scalar::integer32(&attribute.value).unwrap_or(0);
    if value <= 0 {
        let text = if is_html {
            "(connectivity is lost)"
        } else {
            "\t: Connectivity is lost"
        };
        return Some(text.to_owned());
    }
    (value < expected).then(|| {
        if is_html {
            format!("(connectivity is degraded -- expected {expected}")
        } else {
            format!("\t: Connectivity is degraded (Expected={expected})")
        }
    })
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

pub(super) fn json(report: &Report<'_>, out: &mut json::Output) {
    let attribute = |attribute: &NodeAttribute| json::Attribute {
        name: attribute.name.clone(),
        value: attribute.value.clone(),
        expected: attribute.expected,
    };
    out.node_attributes = report.shows(Part::Attributes).then(|| {
        let nodes = shown(report).into_iter();
        nodes
            .map(|(node, attributes)| json::NodeAttributes {
                name: node.name.clone(),
                attributes: attributes.into_iter().map(attribute).collect(),
            })
            .collect()
    });
}
