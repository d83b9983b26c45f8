//! Tickets.

use crate::model::time;

use super::out::{Lists, Xml};
use super::{Part, Report, json};

pub(super) fn lists(report: &Report<'_>, out: &mut dyn Lists) {
    if !report.shows(Part::Tickets) || report.status.tickets.is_empty() {
        return;
    }
    out.begin("Tickets");
    for ticket in &report.status.tickets {
        let mut text = format!(
            "{}:{}{}",
            ticket.id,
            if out.is_html() { "\t" } else { " " },
            if ticket.granted { "granted" } else { "revoked" }
        );
        if ticket.standby {
            text.push_str(" [standby]");
        }
        if let Some(granted) = ticket.last_granted.filter(|&granted| granted > -1) {
            let when = time::ctime_of_epoch(granted, report.zone);
            text.push_str(&format!(" last-granted=\"{when}\""));
        }
        out.line(&text);
    }
    out.end();
}

pub(super) fn xml(report: &Report<'_>, out: &mut Xml) {
    if !report.shows(Part::Tickets) || report.status.tickets.is_empty() {
        return;
    }
    out.open("tickets");
    for ticket in &report.status.tickets {
        out.open("ticket");
        out.attribute("id", &ticket.id);
        out.attribute("status", if ticket.granted { "granted" } else { "revoked" });
        out.flag("standby", ticket.standby);
        if let Some(granted) = ticket.last_granted.filter(|&granted| granted > -1) {
            out.attribute("last-granted", &time::ctime_of_epoch(granted, report.zone));
        }
        out.close();
    }
    out.close();
}

pub(super) fn json(report: &Report<'_>, out: &mut json::Output) {
    out.tickets = report.shows(Part::Tickets).then(|| {
        let tickets = report.status.tickets.iter().map(|ticket| {
            let granted = ticket.last_granted.filter(|&granted| granted > -1);
            json::Ticket {
                id: ticket.id.clone(),
                status: if ticket.granted {
                    json::TicketStatus::Granted
                } else {
                    json::TicketStatus::Revoked
                },
                standby: ticket.standby,
                last_granted: granted
                    .map(|granted| json::moment(time::from_epoch(granted), report.zone)),
            }
        });
        tickets.collect()
    });
}
