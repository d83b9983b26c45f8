//! A bundle with its replicas.

use crate::status::{BundleKind, BundleReplica, Resource, ResourceIndex, ResourceKind};

use super::out::{Lists, Xml};
use super::primitive::{self, Line, print_line};
use super::{Report, json, resources};

/// Prints a bundle.
pub(super) fn print(report: &Report<'_>, index: ResourceIndex, out: &mut dyn Lists) -> bool {
    let status = report.status;
    let bundle = status.resource(index);
    let ResourceKind::Bundle {
        image,
        wanted,
        replicas,
        ..
    } = &bundle.kind
    else {
        return false;
    };
    let set = if *wanted > 1 { " set" } else { "" };
    let unique = if bundle.unique { " (unique)" } else { "" };
    let unmanaged = if bundle.managed { "" } else { " (unmanaged)" };
    out.begin(&format!(
        "Container bundle{set}: {} [{image}]{unique}{unmanaged}",
        bundle.id
    ));
    let whole = report.filter.selects(bundle);
    for replica in replicas {
        if !report.filter.is_near(status, replica.container) {
            continue;
        }
        let listed = parts(report, replica, whole);
        if report.options.detail || !whole {
            if !report.options.detail && listed.is_empty() {
                continue;
            }
            let title = format!("Replica[{}]", replica.number);
            out.nest((replicas.len() > 1).then_some(&title));
            for part in listed {
                primitive::print_always(report, part, out);
            }
            out.end();
            continue;
        }
        let named = status.resource(replica.remote.unwrap_or(replica.container));
        let name = match &replica.address {
            Some(address) => format!("{} ({address})", named.printable_id()),
            None => named.printable_id().to_owned(),
        };
        let node = status.current_node(status.resource(replica.container));
        let line = Line {
            name: &name,
            node,
            on_node: false,
        };
        print_line(
            report,
            replica.child.unwrap_or(replica.container),
            line,
            out,
        );
    }
    if report.filter.is_on() {
        return out.end_unless_empty();
    }
    out.end();
    true
}

/// Returns the parts of a replica that the filter lets through.
fn parts(report: &Report<'_>, replica: &BundleReplica, whole: bool) -> Vec<ResourceIndex> {
    let parts = [
        replica.ip,
        replica.child,
        Some(replica.container),
        replica.remote,
    ];
    let parts = parts.into_iter().flatten();
    parts
        .filter(|&part| whole || report.filter.touches(report.status, part))
        .collect()
}

/// Tells whether programs are told nothing of a bundle, because nothing of it was asked for.
pub(super) fn is_left_out(
    report: &Report<'_>,
    bundle: &Resource,
    replicas: &[BundleReplica],
) -> bool {
    let whole = report.filter.selects(bundle);
    let is_shown = |replica: &BundleReplica| {
        report.filter.is_near(report.status, replica.container)
            && !parts(report, replica, whole).is_empty()
    };
    report.filter.is_on() && !replicas.iter().any(is_shown)
}

/// Writes a bundle.
pub(super) fn xml(report: &Report<'_>, index: ResourceIndex, out: &mut Xml) {
    let bundle = report.status.resource(index);
    let ResourceKind::Bundle {
        kind,
        image,
        replicas,
        ..
    } = &bundle.kind
    else {
        return;
    };
    if is_left_out(report, bundle, replicas) {
        return;
    }
    out.open("bundle");
    out.attribute("id", &bundle.id);
    out.attribute("type", kind.as_str());
    out.attribute("image", image);
    out.flag("unique", bundle.unique);
    out.flag("managed", bundle.managed);
    out.flag("failed", bundle.failed);
    let whole = report.filter.selects(bundle);
    for replica in replicas {
        let parts = parts(report, replica, whole);
        if parts.is_empty() || !report.filter.is_near(report.status, replica.container) {
            continue;
        }
        out.open("replica");
        out.number("id", replica.number);
        for part in parts {
            resources::xml_one(report, part, out);
        }
        out.close();
    }
    out.close();
}

/// Returns a bundle as programs read it.
pub(super) fn json(
    report: &Report<'_>,
    index: ResourceIndex,
    kind: BundleKind,
    image: &str,
    replicas: &[BundleReplica],
) -> json::Bundle {
    let bundle = report.status.resource(index);
    let whole = report.filter.selects(bundle);
    let replicas = replicas.iter().filter_map(|replica| {
        let parts = parts(report, replica, whole);
        let near = report.filter.is_near(report.status, replica.container);
        (near && !parts.is_empty()).then(|| json::Replica {
            id: replica.number,
            members: parts
                .into_iter()
                .map(|part| resources::json_one(report, part))
                .collect(),
        })
    });
    json::Bundle {
        id: bundle.id.clone(),
        kind: kind.as_str().to_owned(),
        image: image.to_owned(),
        unique: bundle.unique,
        managed: bundle.managed,
        failed: bundle.failed,
        replicas: replicas.collect(),
    }
}
