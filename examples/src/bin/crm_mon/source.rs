//! Where the CIB comes from: a file, standard input, or the running cluster.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use ha_core::live::pacemaker::{cib, fencer, pacemakerd};
use ha_core::view::{DaemonState, FencingHistory};
use ha_core::xml::Document;
use ha_core::{Error, ErrorKind};

use crate::arguments::{Format, Request};
use crate::failure::Failure;
use crate::schema::conforming;

/// How long the daemons may take to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Where shadow CIBs are kept unless `CIB_shadow_dir` says otherwise.
const SHADOWS: &str = "/var/lib/pacemaker/cib";

/// A CIB, and what the daemons say beside it.
pub(crate) struct Source {
    pub(crate) document: Document,
    pub(crate) daemon: Option<DaemonState>,
}

pub(crate) fn read(request: &Request) -> Result<Source, Failure> {
    let shadow = std::env::var_os("CIB_shadow").filter(|name| !name.is_empty());
    let file = || match &request.cib_file {
        Some(path) => Some(path.into()),
        None => std::env::var_os("CIB_file").filter(|path| !path.is_empty()),
    };
    let path = match shadow {
        Some(name) => shadow_file(&name),
        None => match file() {
            Some(path) => PathBuf::from(path),
            None => return live(request),
        },
    };
    if request.is_cgi {
        let failure = Failure::usage("CGI mode used with CIB file");
        return Err(Failure {
            with_help: false,
            ..failure
        });
    }
    let text = if path.as_os_str() == "-" {
        let mut text = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut text);
        read.map(|_| text)
    } else {
        std::fs::read(&path)
    };
    let text = text.map_err(|error| Failure::no_cib(cause(&error)))?;
    let document = Document::parse_bytes(&text)
        .and_then(|document| conforming(document).map_err(|e| e.context("check the CIB")));
    match document {
        Ok(document) => Ok(Source {
            document,
            daemon: None,
        }),
        Err(error) => {
            let mut failure = Failure::no_cib("Update does not conform to the configured schema");
            if request.verbose {
                failure.lines.push(format!("{}: {error:#}", path.display()));
            }
            Err(failure)
        }
    }
}

/// Returns the file of a shadow CIB.
fn shadow_file(name: &OsStr) -> PathBuf {
    let folder = std::env::var_os("CIB_shadow_dir").filter(|folder| !folder.is_empty());
    let mut file = OsString::from("shadow.");
    file.push(name);
    PathBuf::from(folder.unwrap_or_else(|| SHADOWS.into())).join(file)
}

/// Says why a file cannot be read, in the words of `crm_mon`.
fn cause(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "No such device or address",
        std::io::ErrorKind::PermissionDenied => "Permission denied",
        _ => "Update does not conform to the configured schema",
    }
}

fn live(request: &Request) -> Result<Source, Failure> {
    let answer = pacemakerd::ping(PATIENCE).map_err(|error| unavailable(request, &error))?;
    let mut options = cib::ConnectOptions::default();
    options.timeout = PATIENCE;
    let document = cib::Cib::connect(&options)
        .and_then(|cib| cib.query())
        .map_err(|error| unavailable(request, &error))?;
    Ok(Source {
        document,
        daemon: Some(daemon_state(&answer)),
    })
}

/// Returns what the launcher says of itself, in the words of `crm_mon`.
pub(crate) fn daemon_state(answer: &pacemakerd::PacemakerdStatus) -> DaemonState {
    DaemonState {
        state: answer.state.as_str().to_owned(),
        description: description(answer.state).to_owned(),
        source: "pacemakerd".to_owned(),
        last_updated: answer.last_updated,
    }
}

/// Asks the fencer what was fenced.
pub(crate) fn fencing(patience: Duration) -> FencingHistory {
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

/// Tells whether the environment names a CIB that is not the running cluster's.
pub(crate) fn is_stored() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("CIB_shadow") || is_set("CIB_file")
}

fn description(state: pacemakerd::State) -> &'static str {
    use pacemakerd::State;
    match state {
        State::Init => "Initializing pacemaker",
        State::StartingDaemons => "Pacemaker daemons are starting",
        State::WaitForPing => "Waiting for startup trigger from SBD",
        State::Running => "Pacemaker is running",
        State::ShuttingDown => "Pacemaker daemons are shutting down",
        State::ShutdownComplete => "Pacemaker daemons are shut down (reporting to SBD)",
        _ => "Invalid pacemakerd state",
    }
}

/// Says that the cluster cannot be reached, in the words of `crm_mon`.
fn unavailable(request: &Request, error: &Error) -> Failure {
    if error.kind() != ErrorKind::Disconnected {
        return Failure {
            lines: vec![format!("crm_mon: Connection to cluster failed: {error:#}")],
            code: error.exit_code(),
            meaning: "Error occurred",
            with_help: false,
        };
    }
    let (critical, code) = match request.format {
        Format::Simple => ("CLUSTER CRIT: ", 2),
        _ => ("", error.exit_code()),
    };
    Failure {
        lines: vec![
            "error: Could not connect to launcher: Connection refused".to_owned(),
            format!("crm_mon: {critical}Connection to cluster failed: Connection refused"),
        ],
        code,
        meaning: "Not connected",
        with_help: false,
    }
}
