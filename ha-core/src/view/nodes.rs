//! Node List.

use crate::status::{Health, Node, NodeKind, ResourceIndex};

use super::out::{Lists, Span, Xml};
use super::summary::node_name;
use super::{Part, Report, brief, filter, json, primitive};

pub(super) fn lists(report: &Report<'_>, out: &mut dyn Lists) {
    if !report.shows(Part::Nodes) {
        return;
    }
    let nodes: Vec<&Node> = report
        .status
        .nodes()
        .filter(|node| report.node_passes(&node.name))
        .collect();
    if nodes.is_empty() {
        return;
    }
    out.begin("Node List");
    let mut groups: [Vec<String>; 5] = Default::default();
    for node in nodes {
        if out.is_html() || is_listed_alone(report, node) {
            alone(report, node, out);
            continue;
        }
        let name = node_name(report, node);
        let group = match (node.kind, node.is_guest, node.online) {
            (_, true, true) => 4,
            (_, true, false) => continue,
            (NodeKind::Remote, _, true) => 2,
            (NodeKind::Remote, _, false) => 3,
            (_, _, true) => 0,
            (_, _, false) => 1,
        };
        groups[group].push(name);
    }
    let titles = [
        "Online",
        "OFFLINE",
        "RemoteOnline",
        "RemoteOFFLINE",
        "GuestOnline",
    ];
    for (title, names) in titles.iter().zip(&groups) {
        if names.is_empty() {
            continue;
        }
        out.line(&format!("{title}: [ {} ]", names.join(" ")));
    }
    out.end();
}

fn is_listed_alone(report: &Report<'_>, node: &Node) -> bool {
    report.options.by_node
        || report.options.detail
        || node.unclean
        || node.pending
        || (node.standby_on_fail && node.online)
        || node.standby
        || node.maintenance
        || node.health != Health::Green
}

fn state_words(node: &Node) -> &'static str {
    if node.unclean {
        if node.online {
            "UNCLEAN (online)"
        } else if node.pending {
            "UNCLEAN (pending)"
        } else {
            "UNCLEAN (offline)"
        }
    } else if node.pending {
        "pending"
    } else if node.standby_on_fail && node.online {
        "standby (on-fail)"
    } else if node.standby {
        if !node.online {
            "OFFLINE (standby)"
        } else if node.running.is_empty() {
            "standby"
        } else {
            "standby (with active resources)"
        }
    } else if node.maintenance {
        if node.online {
            "maintenance"
        } else {
            "OFFLINE (maintenance)"
        }
    } else if node.online {
        "online"
    } else {
        "OFFLINE"
    }
}

fn kind_word(node: &Node) -> &'static str {
    if node.is_guest {
        "GuestNode"
    } else if node.kind == NodeKind::Remote {
        "RemoteNode"
    } else {
        "Node"
    }
}

fn health_words(node: &Node) -> &'static str {
    match node.health {
        Health::Green => "",
        Health::Yellow => " (health is YELLOW)",
        Health::Red => " (health is RED)",
    }
}

/// Returns the feature set to show: of online cluster nodes only.
fn feature_set(node: &Node) -> Option<&str> {
    (node.online && node.kind == NodeKind::Cluster)
        .then(|| node.attribute("#feature-set").unwrap_or("<3.15.1"))
}

fn alone(report: &Report<'_>, node: &Node, out: &mut dyn Lists) {
    let counts = report.options.by_node && report.options.brief;
    if counts && counted(report, node).is_empty() && !out.is_html() {
        return;
    }
    let name = node_name(report, node);
    let features = match feature_set(node).filter(|_| report.options.detail) {
        Some(set) => format!(", feature set {set}"),
        None => String::new(),
    };
    let line = format!(
        "{} {name}: {}{}{features}",
        kind_word(node),
        state_words(node),
        health_words(node)
    );
    if out.is_html() {
        html_item(report, node, &name, &features, out);
        return;
    }
    if !report.options.by_node {
        out.item(&[Span::plain(&line)]);
        return;
    }
    out.begin(&line);
    out.begin("Resources");
    resources(report, node, out);
    out.end();
    out.end();
}

fn resources(report: &Report<'_>, node: &Node, out: &mut dyn Lists) {
    if report.options.brief {
        brief::print(report, &counted(report, node), brief::Mode::OnNode, out);
        return;
    }
    for index in running(report, node) {
        primitive::print(report, index, true, out);
    }
}

/// Returns what runs on a node and was asked for itself: what is counted.
fn counted(report: &Report<'_>, node: &Node) -> Vec<ResourceIndex> {
    let running = node.running.iter().copied();
    running
        .filter(|&index| {
            let resource = report.status.resource(index);
            let around = resource.parent.map(|parent| report.status.resource(parent));
            let mut names = [Some(resource), around].into_iter().flatten();
            names.any(|named| report.filter.names(named.printable_id()))
        })
        .collect()
}

/// Returns what runs on a node and is let through by the filter.
fn running(report: &Report<'_>, node: &Node) -> Vec<ResourceIndex> {
    let passes = |index| {
        let top = filter::top(report.status, index);
        report.filter.touches(report.status, top)
    };
    let running = node.running.iter().copied();
    running.filter(|&index| passes(index)).collect()
}

fn html_item(report: &Report<'_>, node: &Node, name: &str, features: &str, out: &mut dyn Lists) {
    let title = format!("{name}:");
    let mut spans = vec![if report.options.by_node {
        Span::plain("Status:")
    } else {
        Span::styled("bold", &title)
    }];
    spans.push(if node.online {
        Span::styled("online", " online")
    } else {
        Span::styled("offline", " OFFLINE")
    });
    let standby = standby_words(node);
    if !standby.is_empty() {
        spans.push(Span::styled("standby", &standby));
    }
    if node.maintenance {
        spans.push(Span::styled("maint", " (in maintenance mode)"));
    }
    match node.health {
        Health::Green => {}
        Health::Yellow => spans.push(Span::styled("health_yellow", health_words(node))),
        Health::Red => spans.push(Span::styled("health_red", health_words(node))),
    }
    if !features.is_empty() {
        spans.push(Span::plain(features));
    }
    if !report.options.by_node {
        out.item(&spans);
        return;
    }
    out.begin(&title);
    out.item_with(&spans, &mut |out| {
        let is_idle = if report.options.brief {
            counted(report, node).is_empty()
        } else {
            node.running.is_empty()
        };
        if !is_idle {
            out.begin("Resources");
            resources(report, node, out);
            out.end();
        }
    });
    out.end();
}

/// Returns what HTML says of a node in standby.
fn standby_words(node: &Node) -> String {
    let why = if node.standby_on_fail && node.online {
        " (in standby due to on-fail"
    } else if node.standby {
        " (in standby"
    } else {
        return String::new();
    };
    let with = if node.running.is_empty() {
        ""
    } else {
        ", with active resources"
    };
    format!("{why}{with})")
}

pub(super) fn xml(report: &Report<'_>, out: &mut Xml) {
    if !report.shows(Part::Nodes) {
        return;
    }
    out.open("nodes");
    for node in report
        .status
        .nodes()
        .filter(|node| report.node_passes(&node.name))
    {
        out.open("node");
        out.attribute("name", &node.name);
        out.attribute("id", &node.id);
        out.flag("online", node.online);
        out.flag("standby", node.standby);
        out.flag("standby_onfail", node.standby_on_fail);
        out.flag("maintenance", node.maintenance);
        out.flag("pending", node.pending);
        out.flag("unclean", node.unclean);
        out.attribute(
            "health",
            match node.health {
                Health::Green => "green",
                Health::Yellow => "yellow",
                Health::Red => "red",
            },
        );
        if let Some(set) = feature_set(node) {
            out.attribute("feature_set", set);
        }
        out.flag("shutdown", node.shutdown);
        out.flag("expected_up", node.expected_up);
        out.flag("is_dc", node.is_dc);
        out.number("resources_running", node.running.len());
        out.attribute(
            "type",
            match node.kind {
                NodeKind::Cluster => "member",
                NodeKind::Remote => "remote",
                NodeKind::Ping => "ping",
            },
        );
        if let Some(container) = container(report, node) {
            out.attribute("id_as_resource", container);
        }
        if report.options.by_node {
            for index in running(report, node) {
                primitive::xml(report, index, out);
            }
        }
        out.close();
    }
    out.close();
}

pub(super) fn json(report: &Report<'_>, out: &mut json::Output) {
    out.nodes = report.shows(Part::Nodes).then(|| {
        let nodes = report.status.nodes();
        nodes
            .filter(|node| report.node_passes(&node.name))
            .map(|node| json_node(report, node))
            .collect()
    });
}

fn json_node(report: &Report<'_>, node: &Node) -> json::Node {
    let resources = || {
        let running = running(report, node).into_iter();
        running
            .map(|index| primitive::json(report, index))
            .collect()
    };
    json::Node {
        name: node.name.clone(),
        id: node.id.clone(),
        online: node.online,
        standby: node.standby,
        standby_onfail: node.standby_on_fail,
        maintenance: node.maintenance,
        pending: node.pending,
        unclean: node.unclean,
        health: match node.health {
            Health::Green => json::Health::Green,
            Health::Yellow => json::Health::Yellow,
            Health::Red => json::Health::Red,
        },
        feature_set: feature_set(node).map(str::to_owned),
        shutdown: node.shutdown,
        expected_up: node.expected_up,
        is_dc: node.is_dc,
        resources_running: node.running.len(),
        kind: match node.kind {
            NodeKind::Cluster => json::NodeKind::Member,
            NodeKind::Remote => json::NodeKind::Remote,
            NodeKind::Ping => json::NodeKind::Ping,
        },
        id_as_resource: container(report, node).map(str::to_owned),
        resources: report.options.by_node.then(resources),
    }
}

/// Returns the resource that a guest node runs as.
fn container<'a>(report: &Report<'a>, node: &Node) -> Option<&'a str> {
    let connection = node.connection.filter(|_| node.is_guest)?;
    let container = report.status.resource(connection).container?;
    Some(&report.status.resource(container).id)
}
