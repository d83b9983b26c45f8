//! The one-line status.

use super::{Report, plural};

pub(super) fn line(report: &Report<'_>) -> String {
    let daemon = report.options.daemon.as_ref();
    let daemon = daemon.map(|daemon| super::summary::daemon_line(daemon, report.zone) + "\n");
    daemon.unwrap_or_default() + &verdict(report)
}

fn verdict(report: &Report<'_>) -> String {
    let status = report.status;
    let (mut online, mut standby, mut maintenance) = (0_usize, 0_usize, 0_usize);
    let mut offline = Vec::new();
    for node in status.nodes() {
        if node.standby && node.online {
            standby += 1;
        } else if node.maintenance && node.online {
            maintenance += 1;
        } else if node.online {
            online += 1;
        } else {
            offline.push(format!("offline node: {}", node.name));
        }
    }
    if status.dc.is_none() || !offline.is_empty() {
        let mut parts = Vec::new();
        if status.dc.is_none() {
            parts.push("No DC".to_owned());
        }
        if !offline.is_empty() {
            parts.push(offline.join(" "));
        }
        return format!("CLUSTER WARN: {}\n", parts.join(", "));
    }
    let mut text = format!("CLUSTER OK: {online} node{} online", plural(online));
    if standby > 0 {
        text.push_str(&format!(", {standby} standby node{}", plural(standby)));
    }
    if maintenance > 0 {
        text.push_str(&format!(
            ", {maintenance} maintenance node{}",
            plural(maintenance)
        ));
    }
    let instances = status.counts.instances;
    text.push_str(&format!(
        ", {instances} resource instance{} configured\n",
        plural(instances as usize)
    ));
    text
}
