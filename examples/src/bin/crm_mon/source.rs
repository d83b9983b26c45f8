//! Where the CIB comes from: a file, standard input, or the running cluster.

use std::io::Read;
use std::time::Duration;

use ha_core::live::pacemaker::{cib, pacemakerd};
use ha_core::view::DaemonState;
use ha_core::xml::Document;
use ha_core::{Error, ErrorKind};

use crate::Failure;
use crate::arguments::{Format, Request};

/// How long the daemons may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A CIB, and what the daemons say beside it.
pub(crate) struct Source {
    pub(crate) document: Document,
    pub(crate) daemon: Option<DaemonState>,
}

pub(crate) fn read(request: &Request) -> Result<Source, Failure> {
    match std::env::var_os("CIB_file") {
        Some(path) if path == "-" => {
            let mut text = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut text);
            let document = read
                .map_err(Error::from)
                .and_then(|_| Document::parse_bytes(&text));
            from_document(document.map_err(|e| e.context("read the CIB from standard input")))
        }
        Some(path) => {
            let document = std::fs::read(&path)
                .map_err(Error::from)
                .and_then(|text| Document::parse_bytes(&text));
            let name = path.to_string_lossy().into_owned();
            from_document(document.map_err(|e| e.context(format!("read the CIB {name}"))))
        }
        None => live(request),
    }
}

fn from_document(document: Result<Document, Error>) -> Result<Source, Failure> {
    let document = document.and_then(|document| {
        if document.root().name() == "cib" {
            Ok(document)
        } else {
            Err(Error::invalid(format!(
                "the root element is {}, not cib",
                document.root().name()
            )))
        }
    });
    match document {
        Ok(document) => Ok(Source {
            document,
            daemon: None,
        }),
        Err(error) => Err(Failure {
            message: format!("Could not connect to the CIB: {error:#}"),
            code: error.exit_code(),
        }),
    }
}

fn live(request: &Request) -> Result<Source, Failure> {
    let answer = pacemakerd::ping(PATIENCE).map_err(|error| unavailable(request, &error))?;
    let mut options = cib::ConnectOptions::default();
    options.timeout = PATIENCE;
    let document = cib::Cib::connect(&options)
        .and_then(|cib| cib.query())
        .map_err(|error| unavailable(request, &error))?;
    let daemon = DaemonState {
        state: answer.state.as_str().to_owned(),
        description: description(answer.state).to_owned(),
        source: "pacemakerd".to_owned(),
        last_updated: answer.last_updated,
    };
    Ok(Source {
        document,
        daemon: Some(daemon),
    })
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
        let message = format!("crm_mon: Connection to cluster failed: {error:#}");
        return Failure {
            message,
            code: error.exit_code(),
        };
    }
    const REFUSED: &str = "error: Could not connect to launcher: Connection refused";
    if request.format == Format::Simple {
        let line = "crm_mon: CLUSTER CRIT: Connection to cluster failed: Connection refused";
        return Failure {
            message: format!("{REFUSED}\n{line}"),
            code: 2,
        };
    }
    let line = "crm_mon: Connection to cluster failed: Connection refused";
    Failure {
        message: format!("{REFUSED}\n{line}"),
        code: error.exit_code(),
    }
}
