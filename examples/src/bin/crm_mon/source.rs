//! Where the CIB comes from: a file, standard input, or the running cluster.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use ha_core::live::pacemaker::pacemakerd::{PacemakerdStatus, State};
use ha_core::schema::Schema;
use ha_core::view::{DaemonState, FencingHistory};
use ha_core::xml::Document;
use ha_core::{Error, ErrorKind, Result};

use crate::arguments::Request;
use crate::cluster;
use crate::failure::{Failure, NO_INPUT};
use crate::{stored, words};

/// Where shadow CIBs are kept unless `CIB_shadow_dir` says otherwise.
const SHADOWS: &str = "/var/lib/pacemaker/cib";

/// A CIB, and what the daemons say beside it.
pub(crate) struct Source {
    pub(crate) document: Document,
    pub(crate) daemon: Option<DaemonState>,
    /// What was fenced, where that was asked for.
    pub(crate) fencing: Option<FencingHistory>,
}

pub(crate) fn read(request: &Request) -> Result<Source, Failure> {
    let shadow = std::env::var_os("CIB_shadow").filter(|name| !name.is_empty());
    let file = || match &request.cib_file {
        Some(path) => Some(path.into()),
        // The empty name too is that of a file: of none.
        None => std::env::var_os("CIB_file"),
    };
    let path = match shadow {
        Some(name) => shadow_file(&name),
        None => match file() {
            Some(path) => PathBuf::from(path),
            None => return cluster::read(request),
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
        let read = io::stdin().lock().read_to_end(&mut text);
        read.map(|_| text)
    } else {
        std::fs::read(&path)
    };
    let text = text.map_err(|error| {
        let mut failure = Failure::no_cib(cause(&error));
        if request.asked.is_some() {
            let kind = error.kind();
            let said = Error::from(error).text(request.language());
            failure.lines.push(format!("{}: {said}", path.display()));
            let code = match kind {
                io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied.exit_code(),
                _ => NO_INPUT,
            };
            failure = failure.unanswered(code);
        }
        failure
    })?;
    let is_compressed = path.extension().is_some_and(|end| end == "bz2");
    let document = stored::utf8(text, is_compressed)
        .and_then(|text| Document::parse_bytes(&text))
        .and_then(|document| {
            conforming(document).map_err(|e| words::during(e, "check the CIB", "vérifier la CIB"))
        });
    match document {
        Ok(document) => Ok(Source {
            document,
            daemon: None,
            fencing: None,
        }),
        Err(error) => {
            let mut failure = Failure::no_cib("Update does not conform to the configured schema");
            if request.verbose || request.asked.is_some() {
                let said = error.text(request.language());
                failure.lines.push(format!("{}: {said}", path.display()));
            }
            if request.asked.is_some() {
                failure = failure.unanswered(error.exit_code());
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

/// Checks a CIB against the schema that it names; one that names none is taken as it is.
fn conforming(document: Document) -> Result<Document> {
    let root = document.root();
    if root.name() != "cib" {
        let name = root.name();
        return Err(words::invalid(
            format!("the root element is {name}, not cib"),
            format!("l'élément racine est {name}, pas cib"),
        ));
    }
    if root.attribute("validate-with").is_none() || is_unchecked(&document) {
        return Ok(document);
    }
    // What the schema says is kept to the end of the process, which frees all at once.
    let schema = Schema::of(&document).map(ManuallyDrop::new);
    match schema.and_then(|mut schema| schema.check(&document)) {
        Ok(faults) if faults.is_empty() => Ok(document),
        Ok(faults) => {
            let faults: Vec<String> = faults.iter().take(3).map(ToString::to_string).collect();
            Err(Error::new(ErrorKind::Schema, faults.join("; ")))
        }
        // A schema of a later Pacemaker may use what is not known here. Its own library knows it.
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            cluster::validate(&document).map(|()| document)
        }
        Err(error) => Err(error),
    }
}

/// Tells whether a CIB says that it conforms to no schema.
pub(crate) fn is_unchecked(document: &Document) -> bool {
    let schema = document.root().attribute("validate-with");
    schema.is_some_and(|name| name.eq_ignore_ascii_case("none"))
}

/// Says why a file cannot be read, in the words of `crm_mon`.
fn cause(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "No such device or address",
        io::ErrorKind::PermissionDenied => "Permission denied",
        _ => "Update does not conform to the configured schema",
    }
}

/// Tells whether the environment names a CIB that is not the running cluster's.
pub(crate) fn is_stored() -> bool {
    std::env::var_os("CIB_shadow").is_some_and(|name| !name.is_empty())
        || std::env::var_os("CIB_file").is_some()
}

/// Returns what the launcher says of itself, in the words of `crm_mon`.
pub(crate) fn daemon_state(answer: &PacemakerdStatus) -> DaemonState {
    DaemonState {
        state: answer.state.as_str().to_owned(),
        description: description(answer.state).to_owned(),
        source: "pacemakerd".to_owned(),
        last_updated: answer.last_updated,
    }
}

fn description(state: State) -> &'static str {
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
