//! Events as sentences.

use std::fmt;

use super::{ChangeKind, Event, ItemChange};
use crate::name::is_secret;
use crate::status::Role;

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
        match self {
            Self::NodeOnline { node } => write!(f, "node {node} is online"),
            Self::NodeOffline {
                node,
                unclean: false,
            } => write!(f, "node {node} is offline"),
            Self::NodeOffline {
                node,
                unclean: true,
            } => {
                write!(f, "node {node} is offline, its state is unknown (unclean)")
            }
            Self::NodeStandby {
                node,
                standby: true,
            } => write!(f, "node {node} is in standby"),
            Self::NodeStandby {
                node,
                standby: false,
            } => {
                write!(f, "node {node} is no longer in standby")
            }
            Self::NodeMaintenance {
                node,
                maintenance: true,
            } => {
                write!(f, "node {node} is in maintenance")
            }
            Self::NodeMaintenance {
                node,
                maintenance: false,
            } => {
                write!(f, "node {node} is no longer in maintenance")
            }
            Self::NodeUnclean {
                node,
                unclean: true,
            } => write!(f, "node {node} is unclean"),
            Self::NodeUnclean {
                node,
                unclean: false,
            } => {
                write!(f, "node {node} is clean again")
            }
            Self::NodeConfigured {
                node,
                present: true,
            } => {
                write!(f, "node {node} was added to the configuration")
            }
            Self::NodeConfigured {
                node,
                present: false,
            } => {
                write!(f, "node {node} was removed from the configuration")
            }
            Self::NodeJoining {
                node,
                joining: true,
            } => write!(f, "node {node} is joining"),
            Self::NodeJoining {
                node,
                joining: false,
            } => write!(f, "node {node} is no longer joining"),
            Self::NodeFenced { node } => write!(f, "node {node} was fenced"),
            Self::NodeAttribute { node, name, .. } if is_secret(name) => {
                write!(f, "attribute {name} of {node} changed")
            }
            Self::NodeAttribute {
                node,
                name,
                value: Some(value),
            } => write!(f, "attribute {name} of {node} is {value}"),
            Self::NodeAttribute {
                node,
                name,
                value: None,
            } => write!(f, "attribute {name} of {node} is gone"),
            Self::ConfigurationChanged { changes } => {
                const SHOWN: usize = 8;
                f.write_str("the configuration changed: ")?;
                for (n, change) in changes.iter().take(SHOWN).enumerate() {
                    write!(f, "{}{change}", if n > 0 { ", " } else { "" })?;
                }
                match changes.len().saturating_sub(SHOWN) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::TicketGranted { ticket } => write!(f, "ticket {ticket} was granted"),
            Self::TicketRevoked { ticket } => write!(f, "ticket {ticket} was revoked"),
            Self::TicketStandby {
                ticket,
                standby: true,
            } => write!(f, "ticket {ticket} is in standby"),
            Self::TicketStandby {
                ticket,
                standby: false,
            } => write!(f, "ticket {ticket} is no longer in standby"),
            Self::OperationEnded {
                resource,
                node,
                task,
            } => write!(f, "{resource}: {task} on {node} has ended"),
            Self::ResourceMoved {
                resource,
                from,
                to,
                role,
            } => {
                write!(f, "{resource} moved from {from} to {to}")?;
                unless_started(*role, f)
            }
            Self::ResourceRecovered {
                resource,
                node,
                role,
            } => {
                write!(f, "{resource} recovered on {node}")?;
                unless_started(*role, f)
            }
            Self::Merged {
                missed: Some(missed),
            } => write!(f, "{missed} changes were merged"),
            Self::Merged { missed: None } => f.write_str("changes were merged"),
            Self::DaemonLost {
                daemon,
                since,
                cause,
            } => write!(f, "{daemon} is lost since {since}: {cause}"),
            Self::DaemonBack {
                daemon,
                since,
                missed,
            } => {
                let missed = if *missed {
                    "changes were"
                } else {
                    "nothing was"
                };
                write!(f, "{daemon} is back, lost since {since}: {missed} missed")
            }
            Self::DcChanged { from, to } => {
                write!(f, "the DC changed from {} to {}", name(from), name(to))
            }
            Self::Quorum { quorate: true } => f.write_str("the partition has quorum"),
            Self::Quorum { quorate: false } => f.write_str("the partition lost quorum"),
            Self::ResourcePending {
                resource,
                node,
                task,
            } => {
                write!(f, "{resource}: {task} under way on {node}")
            }
            Self::ResourceStarted {
                resource,
                node,
                role,
            } => {
                write!(f, "{resource} started on {node}")?;
                unless_started(*role, f)
            }
            Self::ResourceStopped { resource, node } => {
                write!(f, "{resource} stopped on {node}")
            }
            Self::ResourceRole {
                resource,
                node,
                from,
                to,
            } => {
                write!(f, "{resource} on {node}: {from} -> {to}")
            }
            Self::OperationFailed {
                resource,
                node,
                task,
                exit_status,
                reason,
                ..
            } => {
                write!(
                    f,
                    "{resource}: {task} failed on {node} (exit status {exit_status}"
                )?;
                match reason {
                    Some(reason) => write!(f, ": {reason})"),
                    None => f.write_str(")"),
                }
            }
            Self::FailureCleared {
                resource,
                node,
                task,
                ..
            } => {
                write!(
                    f,
                    "{resource}: the failure of {task} on {node} is forgotten"
                )
            }
        }
    }
}

/// A role other than the usual one.
fn unless_started(role: Role, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match role {
        Role::Started => Ok(()),
        role => write!(f, " ({role})"),
    }
}

impl fmt::Display for ItemChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ChangeKind::Added => "added ",
            ChangeKind::Removed => "removed ",
            ChangeKind::Changed => "changed ",
        })?;
        match (&self.name, self.element.as_str()) {
            (Some(name), _) => write!(f, "option {name}"),
            (None, element) if self.id.is_empty() => f.write_str(element),
            (None, element) => write!(f, "{element} {}", self.id),
        }
    }
}
