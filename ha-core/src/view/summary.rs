//! Cluster Summary.

use jiff::tz::TimeZone;

use crate::model::time;
use crate::status::NoQuorumPolicy;

use super::out::{Lists, Span, Xml};
use super::{DaemonState, Part, Report, json, plural};

/// Returns the line about pacemakerd.
pub(super) fn daemon_line(daemon: &DaemonState, zone: &TimeZone) -> String {
    let updated = daemon.last_updated.map(|when| time::timestamp(when, zone));
    format!(
        "Status of pacemakerd: '{}' (last updated {})",
        daemon.description,
        updated.unwrap_or_default()
    )
}

/// Writes the element about pacemakerd.
pub(super) fn daemon_xml(daemon: &DaemonState, zone: &TimeZone, out: &mut Xml) {
    out.open("pacemakerd");
    out.attribute("sys_from", &daemon.source);
    out.attribute("state", &daemon.state);
    let updated = daemon.last_updated.map(|when| time::timestamp(when, zone));
    out.attribute("last_updated", &updated.unwrap_or_default());
    out.close();
}

pub(super) fn daemon_json(daemon: &DaemonState, zone: &TimeZone) -> json::Pacemakerd {
    json::Pacemakerd {
        sys_from: daemon.source.clone(),
        state: daemon.state.clone(),
        last_updated: daemon.last_updated.map(|when| json::moment(when, zone)),
    }
}

pub(super) fn lists(report: &Report<'_>, out: &mut dyn Lists) {
    let status = report.status;
    if let Some(daemon) = &report.options.daemon {
        let line = daemon_line(daemon, report.zone);
        if out.is_html() {
            // An item outside of any list, but so it is.
            out.line(&line);
        } else {
            out.paragraph(&[&line]);
        }
    }
    let mut any = false;
    let mut start = |out: &mut dyn Lists| {
        if !any {
            any = true;
            out.begin("Cluster Summary");
        }
    };
    if report.shows(Part::Stack) {
        start(out);
        let stack = status.stack.as_deref().unwrap_or("unknown");
        out.item(&[Span::styled("bold", "Stack: "), Span::plain(stack)]);
    }
    if report.shows(Part::Dc) || status.dc.is_none() {
        start(out);
        dc(report, out);
    }
    if report.shows(Part::Times) {
        start(out);
        let now = time::ctime(report.now, report.zone);
        out.item(&[Span::styled("bold", "Last updated: "), Span::plain(&now)]);
        last_change(report, out);
    }
    if report.shows(Part::Counts) {
        start(out);
        let nodes = status.nodes().count();
        out.item(&[Span::plain(&format!(
            "{nodes} node{} configured",
            plural(nodes)
        ))]);
        resource_count(report, out);
    }
    if report.shows(Part::Options) && !out.is_html() {
        start(out);
        options(report, out);
    }
    if any {
        out.end();
    }
    if report.shows(Part::Options) && out.is_html() {
        out.begin("Config Options");
        options(report, out);
        management(report, out);
        // Without a summary above it, what follows goes into this list.
        if any {
            out.end();
        }
    }
    if report.shows(Part::MaintenanceMode) && !out.is_html() {
        banners(report, out);
    }
}

fn dc(report: &Report<'_>, out: &mut dyn Lists) {
    let label = Span::styled("bold", "Current DC: ");
    let Some(dc) = &report.status.dc else {
        out.item(&[label, Span::styled("warning", "NONE")]);
        return;
    };
    let node = report.status.node(dc.node);
    let name = node_name(report, node);
    let version = dc.version.as_deref().unwrap_or("unknown");
    let mut spans = vec![label];
    let text = format!("{name} (version {version}) -");
    spans.push(Span::plain(&text));
    if dc.mixed_versions {
        spans.push(Span::styled("warning", " MIXED-VERSION"));
    }
    spans.push(Span::plain(" partition"));
    spans.push(if report.status.quorate {
        Span::plain(" with")
    } else {
        Span::styled("warning", " WITHOUT")
    });
    spans.push(Span::plain(" quorum"));
    out.item(&spans);
}

/// Returns a node's name as the options want it: with its host and its id, or plain.
pub(super) fn node_name(report: &Report<'_>, node: &crate::status::Node) -> String {
    let mut name = node.name.clone();
    if !report.options.detail {
        return name;
    }
    if node.is_guest {
        name.push('@');
        let container = node
            .connection
            .and_then(|connection| report.status.resource(connection).container)
            .map(|container| report.status.resource(container));
        if let Some(host) = container.and_then(|c| report.status.current_node(c)) {
            name.push_str(&report.status.node(host).name);
        }
    }
    if !node.name.eq_ignore_ascii_case(&node.id) {
        name.push_str(&format!(" ({})", node.id));
    }
    name
}

fn last_change(report: &Report<'_>, out: &mut dyn Lists) {
    let change = &report.status.last_change;
    let mut text = change.time.clone();
    for (word, value) in [
        ("by", &change.user),
        ("via", &change.client),
        ("on", &change.origin),
    ] {
        if !value.is_empty() {
            text.push_str(&format!(" {word} {value}"));
        }
    }
    let label = if out.is_html() {
        "Last change: "
    } else {
        "Last change:  "
    };
    out.item(&[Span::styled("bold", label), Span::plain(&text)]);
}

fn resource_count(report: &Report<'_>, out: &mut dyn Lists) {
    let counts = report.status.counts;
    let instances = counts.instances;
    let s = plural(instances as usize);
    let all = format!("{instances} resource instance{s} configured");
    let disabled = Span::styled("bold", "DISABLED");
    let blocked = Span::styled("bold", "BLOCKED");
    let end = Span::plain(" from further action due to failure)");
    match (counts.disabled, counts.blocked) {
        (0, 0) => out.item(&[Span::plain(&all)]),
        (count, 0) => {
            let start = format!("{all} ({count} ");
            out.item(&[Span::plain(&start), disabled, Span::plain(")")]);
        }
        (0, count) => {
            let start = format!("{all} ({count} ");
            out.item(&[Span::plain(&start), blocked, end]);
        }
        (first, second) => {
            let start = format!("{all} ({first} ");
            let middle = format!(", {second} ");
            out.item(&[
                Span::plain(&start),
                disabled,
                Span::plain(&middle),
                blocked,
                end,
            ]);
        }
    }
}

fn options(report: &Report<'_>, out: &mut dyn Lists) {
    let options = &report.status.options;
    let fencing = if options.fencing {
        "enabled"
    } else {
        "disabled"
    };
    out.line(&format!("STONITH of failed nodes {fencing}"));
    let symmetric = if options.symmetric {
        "symmetric"
    } else {
        "asymmetric"
    };
    out.line(&format!("Cluster is {symmetric}"));
    let policy = match options.no_quorum_policy {
        NoQuorumPolicy::Freeze => "Freeze resources",
        NoQuorumPolicy::Stop => "Stop ALL resources",
        NoQuorumPolicy::Demote => "Demote promotable resources and stop all other resources",
        NoQuorumPolicy::Ignore => "Ignore",
        NoQuorumPolicy::FenceOwn => "Suicide",
    };
    out.line(&format!("No quorum policy: {policy}"));
}

/// Says in HTML what the banner says in text.
fn management(report: &Report<'_>, out: &mut dyn Lists) {
    let options = &report.status.options;
    let (word, rest) = if options.maintenance {
        (
            "DISABLED",
            " (the cluster will not attempt to start, stop, or recover services)",
        )
    } else if options.stop_all {
        ("STOPPED", " (the cluster will keep all resources stopped)")
    } else {
        out.line("Resource management: enabled");
        return;
    };
    out.item(&[
        Span::plain("Resource management: "),
        Span::styled("bold", word),
        Span::plain(rest),
    ]);
}

fn banners(report: &Report<'_>, out: &mut dyn Lists) {
    let options = &report.status.options;
    if options.maintenance {
        out.paragraph(&[
            "",
            "              *** Resource management is DISABLED ***",
            "  The cluster will not attempt to start, stop or recover services",
        ]);
    } else if options.stop_all {
        out.paragraph(&[
            "",
            "    *** Resource management is DISABLED ***",
            "  The cluster will keep all resources stopped",
        ]);
    }
}

pub(super) fn xml(report: &Report<'_>, out: &mut Xml) {
    let status = report.status;
    if let Some(daemon) = &report.options.daemon {
        daemon_xml(daemon, report.zone, out);
    }
    if !is_shown(report) {
        return;
    }
    out.open("summary");
    if report.shows(Part::Stack) {
        out.open("stack");
        out.attribute("type", status.stack.as_deref().unwrap_or("unknown"));
        out.close();
    }
    if report.shows(Part::Dc) || status.dc.is_none() {
        out.open("current_dc");
        out.flag("present", status.dc.is_some());
        if let Some(dc) = &status.dc {
            let node = status.node(dc.node);
            out.attribute("version", dc.version.as_deref().unwrap_or_default());
            out.attribute("name", &node.name);
            out.attribute("id", &node.id);
            out.flag("with_quorum", status.quorate);
            out.flag("mixed_version", dc.mixed_versions);
        }
        out.close();
    }
    if report.shows(Part::Times) {
        out.open("last_update");
        out.attribute("time", &time::ctime(report.now, report.zone));
        out.close();
        out.open("last_change");
        out.attribute("time", &status.last_change.time);
        out.attribute("user", &status.last_change.user);
        out.attribute("client", &status.last_change.client);
        out.attribute("origin", &status.last_change.origin);
        out.close();
    }
    if report.shows(Part::Counts) {
        out.open("nodes_configured");
        out.number("number", status.nodes().count());
        out.close();
        out.open("resources_configured");
        out.number("number", status.counts.instances);
        out.number("disabled", status.counts.disabled);
        out.number("blocked", status.counts.blocked);
        out.close();
    }
    if report.shows(Part::Options) {
        xml_options(report, out);
    }
    out.close();
}

fn xml_options(report: &Report<'_>, out: &mut Xml) {
    let options = &report.status.options;
    out.open("cluster_options");
    out.flag("stonith-enabled", options.fencing);
    out.flag("symmetric-cluster", options.symmetric);
    out.attribute("no-quorum-policy", policy_word(options.no_quorum_policy));
    out.flag("maintenance-mode", options.maintenance);
    out.flag("stop-all-resources", options.stop_all);
    // `crm_mon` prints them as signed numbers, of which the second is kept in seconds.
    let signed = |milliseconds: u64| milliseconds as i32;
    let delay = options.priority_fencing_delay_ms / 1000 * 1000;
    out.number("stonith-timeout-ms", signed(options.fencing_timeout_ms));
    out.number("priority-fencing-delay-ms", signed(delay));
    out.close();
}

/// Tells whether there is anything to say; that there is no DC is always said.
fn is_shown(report: &Report<'_>) -> bool {
    let parts = [
        Part::Stack,
        Part::Dc,
        Part::Times,
        Part::Counts,
        Part::Options,
    ];
    report.status.dc.is_none() || parts.into_iter().any(|part| report.shows(part))
}

fn policy_word(policy: NoQuorumPolicy) -> &'static str {
    match policy {
        NoQuorumPolicy::Freeze => "freeze",
        NoQuorumPolicy::Stop => "stop",
        NoQuorumPolicy::Demote => "demote",
        NoQuorumPolicy::Ignore => "ignore",
        NoQuorumPolicy::FenceOwn => "suicide",
    }
}

pub(super) fn json(report: &Report<'_>, out: &mut json::Output) {
    let status = report.status;
    let daemon = report.options.daemon.as_ref();
    out.pacemakerd = daemon.map(|daemon| daemon_json(daemon, report.zone));
    let shown = |part| report.shows(part).then_some(());
    let written = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let change = &status.last_change;
    out.summary = is_shown(report).then(|| json::Summary {
        stack: shown(Part::Stack).map(|()| status.stack.as_deref().unwrap_or("unknown").to_owned()),
        current_dc: (report.shows(Part::Dc) || status.dc.is_none()).then(|| json_dc(report)),
        last_update: shown(Part::Times).map(|()| json::moment(report.now, report.zone)),
        last_change: shown(Part::Times).map(|()| json::LastChange {
            time: written(&change.time),
            user: written(&change.user),
            client: written(&change.client),
            origin: written(&change.origin),
        }),
        nodes_configured: shown(Part::Counts).map(|()| status.nodes().count()),
        resources_configured: shown(Part::Counts).map(|()| json::ResourceCounts {
            number: status.counts.instances,
            disabled: status.counts.disabled,
            blocked: status.counts.blocked,
        }),
        cluster_options: shown(Part::Options).map(|()| json_options(report)),
    });
}

fn json_dc(report: &Report<'_>) -> json::CurrentDc {
    let dc = report.status.dc.as_ref();
    let node = dc.map(|dc| report.status.node(dc.node));
    json::CurrentDc {
        present: dc.is_some(),
        version: dc.and_then(|dc| dc.version.clone()),
        name: node.map(|node| node.name.clone()),
        id: node.map(|node| node.id.clone()),
        with_quorum: dc.map(|_| report.status.quorate),
        mixed_version: dc.map(|dc| dc.mixed_versions),
    }
}

fn json_options(report: &Report<'_>) -> json::ClusterOptions {
    let options = &report.status.options;
    json::ClusterOptions {
        stonith_enabled: options.fencing,
        symmetric_cluster: options.symmetric,
        no_quorum_policy: policy_word(options.no_quorum_policy).to_owned(),
        maintenance_mode: options.maintenance,
        stop_all_resources: options.stop_all,
        stonith_timeout_ms: options.fencing_timeout_ms,
        priority_fencing_delay_ms: options.priority_fencing_delay_ms,
    }
}
