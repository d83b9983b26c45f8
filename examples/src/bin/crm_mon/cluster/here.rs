//! The running cluster, through the C libraries.

use std::time::Duration;

use ha_core::finding::{self, Finding};
use ha_core::live::corosync::cfg::Cfg;
use ha_core::live::corosync::{NodeId, Options};
use ha_core::live::pacemaker::{cib, fencer, pacemakerd};
use ha_core::model::Cib;
use ha_core::view::FencingHistory;
use ha_core::xml::Document;
use ha_core::{Error, ErrorKind, Result};

use crate::arguments::{Follow, Request};
use crate::failure::{self, Failure};
use crate::program::wants_fencing;
use crate::source::{Source, daemon_state};
use crate::{follow, live, zone};

/// How long the daemons may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shows the cluster on the terminal, until the user ends it.
pub(crate) fn show(request: &Request) -> Result<()> {
    let view = request.view.clone();
    live::run(
        view,
        request.fence_history,
        zone::local(),
        request.language(),
    )
}

/// Follows the cluster without a terminal.
pub(crate) fn follow(request: &Request, how: &Follow) -> Result<u8, Failure> {
    follow::run(request, how)
}

/// Checks a CIB with Pacemaker's own library.
pub(crate) fn validate(document: &Document) -> Result<()> {
    cib::validate(document, PATIENCE)
}

/// Reads the CIB of the running cluster.
pub(crate) fn read(request: &Request) -> Result<Source, Failure> {
    let answer = pacemakerd::ping(PATIENCE).map_err(|error| unavailable(request, &error))?;
    let mut options = cib::ConnectOptions::default();
    options.timeout = PATIENCE;
    let document = cib::Cib::connect(&options)
        .and_then(|cib| cib.query())
        .map_err(|error| no_cib(request, &answer, &error))?;
    Ok(Source {
        document,
        daemon: Some(daemon_state(&answer)),
        fencing: wants_fencing(request).then(fencing),
    })
}

/// The links of this node that are down, of those that the transport tells about.
pub(crate) fn links(document: &Document) -> Result<Vec<Finding>> {
    let cfg = Cfg::connect(&Options::default())?;
    let own = cfg.local_node()?;
    let mut found = Vec::new();
    for node in Cib::new(document).nodes() {
        let (Some(name), Some(id)) = (node.attribute("uname"), node.attribute("id")) else {
            continue;
        };
        // Remote nodes have names for ids, and are no nodes of Corosync.
        let Some(id) = id.parse().ok().map(NodeId).filter(|&id| id != own) else {
            continue;
        };
        // Of a node that is not there every link is down: that is told as such.
        let status = cfg.node_status(id).ok().filter(|status| status.reachable);
        let Some(status) = status else {
            continue;
        };
        let links = status.links.iter().filter(|link| link.enabled);
        let links = links.map(|link| {
            let number = u8::try_from(link.number).unwrap_or(u8::MAX);
            (name, number, link.connected)
        });
        found.extend(finding::of_links(links));
    }
    Ok(found)
}

/// Asks the fencer what was fenced.
pub(crate) fn fencing() -> FencingHistory {
    fencing_within(PATIENCE)
}

/// Asks the fencer what was fenced, which may take that long.
pub(crate) fn fencing_within(patience: Duration) -> FencingHistory {
    match fencer::history(None, patience) {
        Ok(events) => FencingHistory::Events(events),
        Err(error) => FencingHistory::Unavailable {
            code: error.exit_code(),
            meaning: if error.kind() == ErrorKind::Disconnected {
                "Not connected".to_owned()
            } else {
                format!("{error:#}")
            },
        },
    }
}

/// Says that there is no CIB to be had though the launcher runs: while the cluster starts, stops, or is
/// without Corosync. `crm_mon` tells what the launcher said, and ends well; who asked a question has
/// no answer.
fn no_cib(request: &Request, answer: &pacemakerd::PacemakerdStatus, error: &Error) -> Failure {
    if error.kind() != ErrorKind::Disconnected {
        return unavailable(request, error);
    }
    let mut failure = Failure::no_cib("Transport endpoint is not connected");
    if request.asked.is_some() {
        failure = failure.unanswered(error.exit_code());
    } else {
        failure.daemon = Some(Box::new(daemon_state(answer)));
    }
    failure
}

/// Says that the cluster cannot be reached, in the words of `crm_mon`.
fn unavailable(request: &Request, error: &Error) -> Failure {
    if error.kind() != ErrorKind::Disconnected {
        return Failure {
            lines: vec![format!(
                "{}: Connection to cluster failed: {error:#}",
                failure::name()
            )],
            code: error.exit_code(),
            meaning: "Error occurred",
            daemon: None,
            with_help: false,
        };
    }
    let (critical, code) = if request.format.is_simple() {
        ("CLUSTER CRIT: ", 2)
    } else {
        ("", error.exit_code())
    };
    Failure {
        lines: vec![
            "error: Could not connect to launcher: Connection refused".to_owned(),
            format!(
                "{}: {critical}Connection to cluster failed: Connection refused",
                failure::name()
            ),
        ],
        code,
        meaning: "Not connected",
        daemon: None,
        with_help: false,
    }
}
