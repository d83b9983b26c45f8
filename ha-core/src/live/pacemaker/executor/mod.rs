//! Agents: which standards, providers and agents this node has, and what an agent says of itself.
//!
//! The lists are what the executor, pacemaker-execd, finds: its library reads them from this node's
//! folders and from systemd, so they are of this node, and no daemon needs to run.

mod run;

pub use crate::model::agent::{Action, Metadata, Parameter, ParameterKind};

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::live::ffi::pacemaker::Here;
use crate::live::ffi::pacemaker::executor::Executor;
use crate::live::pacemaker::exchange::deadline;
use crate::live::pacemaker::{error, runtime};
use crate::{Error, ErrorExt, ErrorKind, Result};

/// Where OCF agents are, below one folder for each provider.
const OCF_ROOT: &str = "/usr/lib/ocf";
/// Where fence agents are.
const FENCE_AGENTS: &str = "/usr/sbin";

/// Lists the standards of agents that this node supports (`ocf`, `systemd`, `lsb`, `stonith`, ...).
///
/// # Errors
/// [`ErrorKind::Timeout`] when it takes longer (systemd may not answer).
///
/// # Example
/// ```no_run
/// use ha_core::live::pacemaker::executor;
/// use std::time::Duration;
/// let limit = Duration::from_secs(10);
/// for provider in executor::providers(limit)? {
///     println!("{provider}: {}", executor::agents("ocf", Some(&provider), limit)?.join(" "));
/// }
/// let agent = executor::metadata("ocf", Some("heartbeat"), "IPaddr2", limit)?;
/// for parameter in agent.parameters.iter().filter(|parameter| parameter.is_required) {
///     println!("needs {}: {}", parameter.name, parameter.short_description);
/// }
/// # Ok::<(), ha_core::Error>(())
/// ```
pub fn standards(timeout: Duration) -> Result<Vec<String>> {
    let list = |here: &Here, executor: &Executor| executor.standards(here);
    ask("list the standards of agents", deadline(timeout), list)
}

/// Lists the providers of OCF agents (`heartbeat`, `pacemaker`, ...).
///
/// # Errors
/// As for [`standards`].
pub fn providers(timeout: Duration) -> Result<Vec<String>> {
    let list = |here: &Here, executor: &Executor| executor.providers(here, None);
    ask("list the providers of agents", deadline(timeout), list)
}

/// Lists the providers that have an OCF agent of this name.
///
/// # Errors
/// As for [`standards`].
pub fn providers_of(agent: &str, timeout: Duration) -> Result<Vec<String>> {
    let agent = word(agent)?;
    ask(
        "list the providers of an agent",
        deadline(timeout),
        move |here, executor| executor.providers(here, Some(&agent)),
    )
}

/// Lists the agents of a standard, and of a provider when the standard is `ocf`.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for a standard that this node does not have, and as for
/// [`standards`].
pub fn agents(standard: &str, provider: Option<&str>, timeout: Duration) -> Result<Vec<String>> {
    let (standard, provider) = (word(standard)?, provider.map(word).transpose()?);
    ask("list agents", deadline(timeout), move |here, executor| {
        executor.agents(here, &standard, provider.as_deref())
    })
}

/// Asks an agent what it says of itself.
///
/// OCF and fence agents are run, as the user of this process; for the other standards the library
/// makes up what an agent of that kind has.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no such agent, [`ErrorKind::Unsupported`] when there is no such
/// standard, [`ErrorKind::Timeout`] when it does not end by
/// then (it is killed), [`ErrorKind::Daemon`] when it fails, [`ErrorKind::Invalid`] when it prints
/// something else.
pub fn metadata(
    standard: &str,
    provider: Option<&str>,
    agent: &str,
    timeout: Duration,
) -> Result<Metadata> {
    let deadline = deadline(timeout);
    let what = || {
        format!(
            "read the metadata of {}",
            full_name(standard, provider, agent)
        )
    };
    let text = match standard {
        "ocf" => from_ocf(provider.unwrap_or("heartbeat"), agent, deadline),
        "stonith" => from_fence_agent(agent, deadline),
        _ => from_library(standard, agent, deadline),
    }
    .with_context(what)?;
    Metadata::parse(&text).with_context(what)
}

fn full_name(standard: &str, provider: Option<&str>, agent: &str) -> String {
    match provider {
        Some(provider) => format!("{standard}:{provider}:{agent}"),
        None => format!("{standard}:{agent}"),
    }
}

fn from_ocf(provider: &str, agent: &str, deadline: Instant) -> Result<String> {
    let root = PathBuf::from(OCF_ROOT);
    let path = root
        .join("resource.d")
        .join(part(provider)?)
        .join(part(agent)?);
    if !path.is_file() {
        return Err(no_agent("ocf", &format!("{provider}:{agent}")));
    }
    let mut command = Command::new(&path);
    command
        .arg("meta-data")
        .env("OCF_ROOT", &root)
        .env("OCF_RA_VERSION_MAJOR", "1")
        .env("OCF_RA_VERSION_MINOR", "0")
        .env("OCF_RESOURCE_PROVIDER", provider)
        .env("OCF_RESOURCE_TYPE", agent)
        .env("OCF_RESOURCE_INSTANCE", agent);
    printed(command, deadline)
}

fn from_fence_agent(agent: &str, deadline: Instant) -> Result<String> {
    let path = Path::new(FENCE_AGENTS).join(part(agent)?);
    if !agent.starts_with("fence_") || !path.is_file() {
        return Err(no_agent("stonith", agent));
    }
    let mut command = Command::new(path);
    command.args(["-o", "metadata"]);
    printed(command, deadline)
}

fn printed(command: Command, deadline: Instant) -> Result<String> {
    let ended = run::run(command, deadline)?;
    if ended.status.success() {
        return Ok(ended.output);
    }
    let last = ended
        .errors
        .trim()
        .lines()
        .next_back()
        .unwrap_or("it says nothing");
    Err(Error::new(
        ErrorKind::Daemon,
        format!("the agent failed ({}): {last}", ended.status),
    ))
}

fn from_library(standard: &str, agent: &str, deadline: Instant) -> Result<String> {
    let (standard, name) = (standard.to_owned(), agent.to_owned());
    let (c_standard, c_name) = (word(&standard)?, word(&name)?);
    runtime::call("read an agent's metadata", deadline, move |here| {
        let executor = Executor::new(here).map_err(error::legacy)?;
        let known = executor
            .agents(here, &c_standard, None)
            .map_err(error::legacy)?;
        // The library makes up metadata for names that nothing has, too.
        if !known.contains(&name) {
            return Err(no_agent(&standard, &name));
        }
        let found = executor
            .metadata(here, &c_standard, &c_name)
            .map_err(error::legacy)?;
        found.ok_or_else(|| no_agent(&standard, &name))
    })
}

/// The error for an agent that is not there.
fn no_agent(standard: &str, name: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("this node has no {standard} agent {name}"),
    )
    .with_hint("install the package that has it (resource-agents, fence-agents), or mend the name")
}

/// A name that is one part of a path.
fn part(name: &str) -> Result<&str> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        return Err(Error::invalid(format!(
            "{name:?} cannot be the name of an agent or a provider"
        )));
    }
    Ok(name)
}

fn word(name: &str) -> Result<CString> {
    let name = part(name)?;
    CString::new(name).map_err(|_| Error::invalid(format!("the name {name:?} contains a NUL byte")))
}

fn ask(
    what: &'static str,
    deadline: Instant,
    list: impl FnOnce(&Here, &Executor) -> std::result::Result<Vec<String>, i32> + Send + 'static,
) -> Result<Vec<String>> {
    runtime::call(what, deadline, move |here| {
        let executor = Executor::new(here).map_err(error::legacy)?;
        list(here, &executor).map_err(error::legacy)
    })
    .context(what)
}
