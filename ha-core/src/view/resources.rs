//! The list of resources.

use crate::status::{ResourceIndex, ResourceKind};

use super::out::{Lists, Xml};
use super::{Part, Report, brief, bundle, clones, groups, json, primitive};

pub(super) fn lists(report: &Report<'_>, out: &mut dyn Lists) {
    let options = report.options;
    if !report.shows(Part::Resources) || (options.by_node && !options.inactive) {
        return;
    }
    let title = if options.by_node {
        "Inactive Resources"
    } else if options.inactive {
        "Full List of Resources"
    } else {
        "Active Resources"
    };
    out.begin(title);
    let mut printed = false;
    if options.brief && !options.by_node {
        let top: Vec<ResourceIndex> = report
            .status
            .top_level()
            .filter(|&index| report.filter.selects(report.status.resource(index)))
            .collect();
        let mode = if options.inactive {
            brief::Mode::WithInactive
        } else {
            brief::Mode::Active
        };
        printed |= brief::print(report, &top, mode, out);
    }
    for index in report
        .status
        .top_level()
        .filter(|&index| is_listed(report, index) && passes(report, index))
    {
        printed |= print(report, index, out);
    }
    if !printed {
        let text = if options.by_node {
            "No inactive resources"
        } else if options.inactive {
            "No resources"
        } else {
            "No active resources"
        };
        out.line(text);
    }
    out.end();
    if !printed {
        out.discount();
    }
}

fn is_listed(report: &Report<'_>, index: ResourceIndex) -> bool {
    let options = report.options;
    let resource = report.status.resource(index);
    let active = report.status.is_active(index, true);
    if resource.orphan && !active {
        return false;
    }
    if options.by_node {
        return !active;
    }
    if options.brief && resource.is_primitive() {
        return false;
    }
    options.inactive || report.status.is_active(index, false)
}

/// Tells whether the filter lets a top-level resource through.
fn passes(report: &Report<'_>, index: ResourceIndex) -> bool {
    report.filter.touches(report.status, index) && is_near(report, index)
}

fn is_near(report: &Report<'_>, index: ResourceIndex) -> bool {
    report.options.by_node || report.filter.is_near(report.status, index)
}

/// Prints a resource of any kind. Returns whether anything was printed.
pub(super) fn print(report: &Report<'_>, index: ResourceIndex, out: &mut dyn Lists) -> bool {
    match report.status.resource(index).kind {
        ResourceKind::Primitive(_) => primitive::print(report, index, false, out),
        ResourceKind::Group => groups::print(report, index, out),
        ResourceKind::Clone(_) => clones::print(report, index, out),
        ResourceKind::Bundle { .. } => bundle::print(report, index, out),
    }
}

pub(super) fn xml(report: &Report<'_>, out: &mut Xml) {
    if !report.shows(Part::Resources) {
        return;
    }
    let listed: Vec<ResourceIndex> = report
        .status
        .top_level()
        .filter(|&index| is_listed(report, index) && is_near(report, index))
        .collect();
    if listed.is_empty() {
        return;
    }
    out.open("resources");
    for index in listed.into_iter().filter(|&index| passes(report, index)) {
        xml_one(report, index, out);
    }
    out.close();
}

/// Writes a resource of any kind.
pub(super) fn xml_one(report: &Report<'_>, index: ResourceIndex, out: &mut Xml) {
    match report.status.resource(index).kind {
        ResourceKind::Primitive(_) => primitive::xml(report, index, out),
        ResourceKind::Group => groups::xml(report, index, out),
        ResourceKind::Clone(_) => clones::xml(report, index, out),
        ResourceKind::Bundle { .. } => bundle::xml(report, index, out),
    }
}

pub(super) fn json(report: &Report<'_>, out: &mut json::Output) {
    out.resources = report.shows(Part::Resources).then(|| {
        let top = report.status.top_level();
        top.filter(|&index| is_listed(report, index) && passes(report, index))
            .filter(|&index| !is_left_out(report, index))
            .map(|index| json_one(report, index))
            .collect()
    });
}

/// Tells whether programs are told nothing of a resource, because there is nothing inside it, or
/// nothing of that was asked for.
fn is_left_out(report: &Report<'_>, index: ResourceIndex) -> bool {
    let resource = report.status.resource(index);
    match &resource.kind {
        ResourceKind::Clone(_) => clones::is_left_out(report, resource),
        ResourceKind::Bundle { replicas, .. } => bundle::is_left_out(report, resource, replicas),
        ResourceKind::Group => groups::is_left_out(report, index),
        ResourceKind::Primitive(_) => false,
    }
}

/// Returns a resource of any kind as programs read it.
pub(super) fn json_one(report: &Report<'_>, index: ResourceIndex) -> json::Resource {
    match &report.status.resource(index).kind {
        ResourceKind::Primitive(_) => json::Resource::Primitive(primitive::json(report, index)),
        ResourceKind::Group => json::Resource::Group(groups::json(report, index)),
        ResourceKind::Clone(_) => json::Resource::Clone(clones::json(report, index)),
        ResourceKind::Bundle {
            kind,
            image,
            replicas,
            ..
        } => json::Resource::Bundle(bundle::json(report, index, *kind, image, replicas)),
    }
}
