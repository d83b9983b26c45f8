//! What keeps a cluster from being settled, and why.

use std::fmt;

use crate::change::Action;
use crate::language::{Language, say};
use crate::status::{ClusterStatus, Failure};
use crate::why::Reason;
use crate::{Error, ErrorKind};

/// One thing that was not finished when a wait ended, or that went wrong while it lasted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfinished {
    /// An operation of a resource is under way.
    Operation {
        /// The resource, as the node's history names it.
        resource: String,
        /// Where.
        node: String,
        /// The task: `start`, `stop`, `monitor` ....
        task: String,
        /// When it began, in seconds since the epoch.
        since: Option<i64>,
    },
    /// A node is in the membership, but not ready yet.
    NodeJoining {
        /// The node.
        node: String,
    },
    /// A node is about to leave the cluster.
    NodeLeaving {
        /// The node.
        node: String,
    },
    /// The cluster has no Designated Controller: an election is under way, or nobody can win it.
    NoDc,
    /// The Designated Controller is at work.
    DcBusy {
        /// Its node.
        node: String,
        /// The state of its finite state machine (`S_TRANSITION_ENGINE`).
        state: String,
    },
    /// The Designated Controller does not answer.
    DcSilent {
        /// Why, for reading.
        cause: String,
    },
    /// Pacemaker's scheduler wants to do something that has not begun.
    Wanted {
        /// What.
        action: Action,
    },
    /// The connection to the CIB manager is lost, or it does not answer: what is known of the cluster is old.
    Disconnected {
        /// Why, for reading.
        cause: String,
    },
    /// A resource that should run does not, or not well, and may still come by itself: it waits for an
    /// attribute of a node that has no value yet.
    NotRunning {
        /// The resource.
        resource: String,
        /// Why it does not run.
        reasons: Vec<Reason>,
    },
    /// An operation failed since the wait began.
    Failed {
        /// The resource, as the node's history names it.
        resource: String,
        /// Where.
        node: String,
        /// The task that failed.
        task: String,
        /// The agent's exit status (an OCF code).
        exit_status: i32,
        /// What the agent said.
        reason: Option<String>,
    },
}

impl Unfinished {
    /// Returns what an error of a wait lists; nothing for any other error.
    #[must_use]
    pub fn of(error: &Error) -> &[Self] {
        let list = std::error::Error::source(error).and_then(|e| e.downcast_ref());
        list.map_or(&[], |UnfinishedList(list)| list)
    }

    /// Lists what a status says is going on.
    pub(super) fn in_status(status: &ClusterStatus) -> Vec<Self> {
        const PENDING: i32 = -1;
        let mut found = Vec::new();
        if status.dc.is_none() {
            found.push(Self::NoDc);
        }
        for node in status.nodes() {
            let name = || node.name.clone();
            if node.pending {
                found.push(Self::NodeJoining { node: name() });
            } else if node.online && node.shutdown {
                found.push(Self::NodeLeaving { node: name() });
            }
        }
        for history in &status.history {
            let node = status.node(history.node);
            // What a node that is gone had begun will not end; recovering it is the scheduler's wish.
            if !node.online {
                continue;
            }
            for resource in &history.resources {
                let pending = resource.operations.iter().filter(|o| o.status == PENDING);
                found.extend(pending.map(|operation| Self::Operation {
                    resource: resource.id.clone(),
                    node: node.name.clone(),
                    task: operation.task.clone(),
                    since: operation.last_rc_change,
                }));
            }
        }
        found
    }

    pub(super) fn failed(failure: &Failure) -> Self {
        Self::Failed {
            resource: failure
                .resource
                .clone()
                .unwrap_or_else(|| failure.history_id.clone()),
            node: failure.node.clone(),
            task: failure
                .task
                .clone()
                .unwrap_or_else(|| failure.operation.clone()),
            exit_status: failure.rc,
            reason: failure.exit_reason.clone().filter(|r| !r.is_empty()),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Failed { .. } => {
                "mend the cause, then have the failure forgotten (crm_resource --cleanup)"
            }
            Self::Operation { .. } => {
                "allow more time, or look at what the agent is doing (ps, and the log in \
                 /var/log/pacemaker/pacemaker.log)"
            }
            Self::NodeJoining { .. } | Self::NodeLeaving { .. } => {
                "look at that node: systemctl status pacemaker corosync"
            }
            Self::NoDc | Self::DcSilent { .. } | Self::Disconnected { .. } => {
                "look at the daemons of this node and of the DC (systemctl status pacemaker \
                 corosync; crm_mon -1)"
            }
            Self::NotRunning { .. } => {
                "look at what should give the attribute its value (crm_mon -1 -A shows those that \
                 have one; an agent such as ocf:pacemaker:ping needs its time)"
            }
            Self::DcBusy { .. } | Self::Wanted { .. } => {
                "allow more time; /var/log/pacemaker/pacemaker.log of the DC says what it does"
            }
        }
    }
}

impl Unfinished {
    /// Returns it as a sentence of a language.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        match self {
            Self::Operation {
                resource,
                node,
                task,
                since,
            } => {
                let text = say!(
                    language,
                    "{resource}: {task} under way on {node}",
                    "{resource} : {task} en cours sur {node}"
                );
                let began = since.and_then(|since| jiff::Timestamp::from_second(since).ok());
                match began.map(|began| jiff::Timestamp::now().duration_since(began).as_secs()) {
                    Some(seconds @ 1..) => {
                        text + &say!(language, " for {seconds} s", " depuis {seconds} s")
                    }
                    _ => text,
                }
            }
            Self::NodeJoining { node } => {
                say!(
                    language,
                    "node {node} is joining",
                    "le nœud {node} entre dans la grappe"
                )
            }
            Self::NodeLeaving { node } => {
                say!(
                    language,
                    "node {node} is leaving",
                    "le nœud {node} quitte la grappe"
                )
            }
            Self::NoDc => say!(language, "the cluster has no DC", "la grappe n'a pas de DC"),
            Self::DcBusy { node, state } => say!(
                language,
                "the DC {node} is at work ({state})",
                "le DC {node} travaille ({state})"
            ),
            Self::DcSilent { cause } => say!(
                language,
                "the DC does not answer ({cause})",
                "le DC ne répond pas ({cause})"
            ),
            Self::Wanted { action } => {
                let action = action.text(language);
                say!(
                    language,
                    "still to be done: {action}",
                    "reste à faire : {action}"
                )
            }
            Self::Disconnected { cause } => say!(
                language,
                "the CIB manager does not answer ({cause})",
                "le gestionnaire de la CIB ne répond pas ({cause})"
            ),
            Self::NotRunning { resource, reasons } => {
                let text = say!(
                    language,
                    "{resource} does not run as it should",
                    "{resource} ne tourne pas comme il le faudrait"
                );
                let reasons: Vec<String> = reasons.iter().map(|r| r.text(language)).collect();
                if reasons.is_empty() {
                    text
                } else {
                    let colon = say!(language, ": ", " : ");
                    text + &colon + &reasons.join("; ")
                }
            }
            Self::Failed {
                resource,
                node,
                task,
                exit_status,
                reason,
            } => {
                let reason = reason.as_deref().map(|reason| format!(": {reason}"));
                let reason = reason.unwrap_or_default();
                say!(
                    language,
                    "{resource}: {task} failed on {node} (exit status {exit_status}{reason})",
                    "{resource} : {task} a échoué sur {node} (code {exit_status}{reason})"
                )
            }
        }
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

/// What a wait's error has as its source: see [`Unfinished::of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedList(Vec<Unfinished>);

impl fmt::Display for UnfinishedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no operation is under way, and none has failed meanwhile");
        }
        for (n, unfinished) in self.0.iter().enumerate() {
            write!(f, "{}{unfinished}", if n > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnfinishedList {}

/// The error of a wait that has ended without what was waited for.
pub(super) fn timed_out(message: String, list: Vec<Unfinished>) -> Error {
    let hint = list.iter().map(Unfinished::hint).next_back().unwrap_or(
        "what was waited for may never come about: look at `crm_mon -1 -r`, and ask why",
    );
    let l = Language::French;
    let mut french = Error::new(ErrorKind::Timeout, message.clone()).text(l);
    for (n, unfinished) in list.iter().enumerate() {
        french.push_str(if n == 0 { " : " } else { " ; " });
        french.push_str(&unfinished.text(l));
    }
    Error::new(ErrorKind::Timeout, message)
        .with_hint(hint)
        .with_source(UnfinishedList(list))
        .in_french(french, None)
}
