//! A group with its members.

use crate::status::ResourceIndex;

use super::out::{Lists, Xml};
use super::{Report, brief, json, primitive};

/// Prints a group.
pub(super) fn print(report: &Report<'_>, index: ResourceIndex, out: &mut dyn Lists) -> bool {
    let status = report.status;
    if is_left_out(report, index) {
        return false;
    }
    out.begin(&title(report, index));
    let members = members(report, index);
    if report.options.brief {
        brief::print(report, &members, brief::Mode::WithInactive, out);
    } else {
        // A member that was asked for itself is shown in any state.
        let all = report.options.inactive || !is_whole(report, index);
        for member in members {
            if all || status.is_active(member, false) {
                primitive::print(report, member, false, out);
            }
        }
    }
    if report.filter.is_on() || status.resource(index).parent.is_some() {
        return out.end_unless_empty();
    }
    out.end();
    true
}

/// Tells whether nobody is told of a group, because nothing is in it.
pub(super) fn is_left_out(report: &Report<'_>, index: ResourceIndex) -> bool {
    let resource = report.status.resource(index);
    resource.is_group() && resource.children.is_empty()
}

/// Tells whether all members of a group are let through.
fn is_whole(report: &Report<'_>, index: ResourceIndex) -> bool {
    let group = report.status.resource(index);
    group.parent.is_some() || report.filter.selects(group)
}

/// Returns the members that the filter lets through: those asked for, and all when the group was
/// asked for, or is in a clone.
fn members(report: &Report<'_>, index: ResourceIndex) -> Vec<ResourceIndex> {
    let group = report.status.resource(index);
    let all = is_whole(report, index);
    let members = group.children.iter().copied();
    members
        .filter(|&member| all || report.filter.selects(report.status.resource(member)))
        .collect()
}

fn title(report: &Report<'_>, index: ResourceIndex) -> String {
    let status = report.status;
    let group = status.resource(index);
    let mut notes: Vec<String> = Vec::new();
    if !report.options.inactive && !status.is_active(index, true) && status.is_active(index, false)
    {
        let inactive = group
            .children
            .iter()
            .filter(|&&member| !status.is_active(member, true))
            .count();
        if inactive > 0 {
            notes.push(format!(
                "{inactive} member{} inactive",
                super::plural(inactive)
            ));
        }
    }
    if !group.managed {
        notes.push("unmanaged".to_owned());
    }
    if group.target_role.is_some() {
        notes.push("disabled".to_owned());
    }
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!(" ({})", notes.join(", "))
    };
    format!("Resource Group: {}{notes}", group.id)
}

/// Writes a group.
pub(super) fn xml(report: &Report<'_>, index: ResourceIndex, out: &mut Xml) {
    let group = report.status.resource(index);
    if is_left_out(report, index) {
        return;
    }
    out.open("group");
    out.attribute("id", &group.id);
    out.number("number_resources", group.children.len());
    out.flag("managed", group.managed);
    out.flag("disabled", group.target_role.is_some());
    for member in members(report, index) {
        primitive::xml(report, member, out);
    }
    out.close();
}

/// Returns a group as programs read it.
pub(super) fn json(report: &Report<'_>, index: ResourceIndex) -> json::Group {
    let group = report.status.resource(index);
    let members = members(report, index).into_iter();
    json::Group {
        id: group.id.clone(),
        number_resources: group.children.len(),
        managed: group.managed,
        disabled: group.target_role.is_some(),
        members: members
            .map(|member| json::Resource::Primitive(primitive::json(report, member)))
            .collect(),
    }
}
