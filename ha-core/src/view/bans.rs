//! Negative Location Constraints.

use crate::status::Ban;

use super::out::{Lists, Xml};
use super::summary::node_name;
use super::{Part, Report, filter, json};

fn shown<'a>(report: &Report<'a>) -> Vec<&'a Ban> {
    if !report.shows(Part::Bans) {
        return Vec::new();
    }
    report
        .status
        .bans
        .iter()
        .filter(|ban| ban.id.starts_with(&report.options.bans_prefix))
        .filter(|ban| {
            let resource = report.status.resource(ban.resource);
            let top = report
                .status
                .resource(filter::top(report.status, ban.resource));
            report.filter.selects(resource) || report.filter.selects(top)
        })
        .collect()
}

pub(super) fn lists(report: &Report<'_>, out: &mut dyn Lists) {
    let bans = shown(report);
    if bans.is_empty() {
        return;
    }
    out.begin("Negative Location Constraints");
    for ban in bans {
        let node = node_name(report, report.status.node(ban.node));
        let role = if ban.promoted_only {
            "in Promoted role "
        } else {
            ""
        };
        let resource = &report.status.resource(ban.resource).id;
        let text = format!(
            "{}\tprevents {resource} from running {role}on {node}",
            ban.id
        );
        out.line(&text);
    }
    out.end();
}

pub(super) fn xml(report: &Report<'_>, out: &mut Xml) {
    let bans = shown(report);
    if bans.is_empty() {
        return;
    }
    out.open("bans");
    for ban in bans {
        out.open("ban");
        out.attribute("id", &ban.id);
        out.attribute("resource", &report.status.resource(ban.resource).id);
        out.attribute("node", &report.status.node(ban.node).name);
        out.number("weight", ban.score);
        out.flag("promoted-only", ban.promoted_only);
        out.flag("master_only", ban.promoted_only);
        out.close();
    }
    out.close();
}

pub(super) fn json(report: &Report<'_>, out: &mut json::Output) {
    out.bans = report.shows(Part::Bans).then(|| {
        let bans = shown(report).into_iter().map(|ban| json::Ban {
            id: ban.id.clone(),
            resource: report.status.resource(ban.resource).id.clone(),
            node: report.status.node(ban.node).name.clone(),
            weight: ban.score,
            promoted_only: ban.promoted_only,
        });
        bans.collect()
    });
}
