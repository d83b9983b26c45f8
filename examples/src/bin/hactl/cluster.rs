//! What concerns the whole cluster: configurations, options, defaults, tickets.

use std::path::Path;
use std::process::ExitCode;

use ha_core::change::edit::option::Defaults;
use ha_core::change::validate::{Fault, Severity, validate};
use ha_core::config::Config;
use ha_core::live::cluster::{InstalledAgents, Operation};
use ha_core::name::Id;
use ha_core::{Error, ErrorKind, Result};

use crate::act::Act;
use crate::arguments::{Default, Ticket, Value};
use crate::look;
use crate::screen::Sense;

/// A configuration that is wanted.
pub(crate) struct Wanted<'a> {
    /// XML, JSON or TOML, by its name.
    file: &'a Path,
    owner: Option<&'a str>,
    as_is: bool,
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(file: &'a Path, owner: Option<&'a str>, as_is: bool) -> Self {
        Self { file, owner, as_is }
    }

    fn operation(&self, act: &Act<'_>) -> Result<Operation> {
        let config = Config::open(self.file)?;
        let config = match self.owner {
            Some(owner) => config.owned_by(Id::new(owner)?),
            None => config,
        };
        if self.as_is {
            act.cluster.apply(&config)
        } else {
            act.cluster.apply_completed(&config)
        }
    }
}

pub(crate) fn apply(act: &Act<'_>, wanted: &Wanted<'_>, force: bool) -> Result<ExitCode> {
    let file = wanted.file.display().to_string();
    checked(act, &wanted.operation(act)?, &file, force)
}

/// Does what was asked of something unless it would not work, and tells what is wrong or doubtful with it.
pub(crate) fn checked(
    act: &Act<'_>,
    operation: &Operation,
    of: &str,
    force: bool,
) -> Result<ExitCode> {
    let faults = act.cluster.validate(&operation.plan()?);
    // What is only to be known is told by `verify`.
    for fault in faults.iter().filter(|f| f.severity != Severity::Notice) {
        act.screen
            .note(&told(act, fault), || serde_json::json!({ "fault": fault }));
    }
    let is_wrong = |fault: &Fault| fault.severity == Severity::Error;
    if !force && faults.iter().any(is_wrong) {
        let words = act
            .screen
            .words("would not work as it is", "ne marcherait pas tel quel");
        let message = format!("{of} {words}");
        let hint = act.screen.words(
            "mend what is said above, or do it all the same: --force",
            "corriger ce qui est dit plus haut, ou le faire tout de même : --force",
        );
        return Err(Error::new(ErrorKind::Schema, message).with_hint(hint.to_owned()));
    }
    act.operation(operation)
}

/// A fault with its fix, in two lines.
fn told(act: &Act<'_>, fault: &Fault) -> String {
    let language = act.screen.language;
    let (severity, place) = (fault.severity.text(language), &fault.place);
    let (text, fix) = (fault.text(language), fault.fix(language));
    format!("{severity}: {place}: {text}\n    {fix}")
}

pub(crate) fn diff(act: &Act<'_>, wanted: &Wanted<'_>) -> Result<ExitCode> {
    let plan = wanted.operation(act)?.plan()?;
    if act.screen.json {
        act.screen.value(&plan)?;
    } else {
        act.screen.plan(&plan)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn export(act: &Act<'_>) -> Result<ExitCode> {
    let toml = ha_core::change::to_toml(&act.cluster.cib().query()?)?;
    if act.screen.json {
        act.screen.value(&toml)?;
    } else {
        act.screen.write(&toml)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn verify(act: &Act<'_>, file: Option<&Path>) -> Result<ExitCode> {
    let cib = match file {
        Some(file) => {
            let plan = Wanted::new(file, None, false).operation(act)?.plan()?;
            plan.after().clone()
        }
        None => act.cluster.cib().query()?,
    };
    let mut agents = InstalledAgents::default();
    let faults = validate(&cib, Some(&mut |agent| agents.describe(agent)));
    let screen = act.screen;
    if screen.json {
        screen.value(&faults)?;
    } else {
        for fault in &faults {
            let sense = match fault.severity {
                Severity::Error => Sense::Bad,
                Severity::Warning => Sense::Doubtful,
                Severity::Notice => Sense::Plain,
            };
            screen.line(sense, &told(act, fault))?;
        }
        if faults.is_empty() {
            let words = screen.words("nothing is wrong", "rien à signaler");
            screen.line(Sense::Good, words)?;
        }
    }
    if faults.iter().any(|fault| fault.severity == Severity::Error) {
        return Ok(ExitCode::from(ErrorKind::Schema.exit_code()));
    }
    Ok(ExitCode::SUCCESS)
}

fn missing(act: &Act<'_>, name: &str) -> Error {
    let words = act.screen.words("is not set", "n'a pas de valeur");
    Error::new(ErrorKind::NotFound, format!("{name} {words}"))
}

pub(crate) fn option(act: &Act<'_>, command: &Value) -> Result<ExitCode> {
    match command {
        Value::Get { name } => {
            let value = act.cluster.option(name)?;
            look::value(act, &value.ok_or_else(|| missing(act, name))?)
        }
        Value::Set { name, value, force } => {
            checked(act, &act.cluster.set_option(name, value), name, *force)
        }
        Value::Unset { name } => act.operation(&act.cluster.unset_option(name)),
    }
}

pub(crate) fn default(act: &Act<'_>, command: &Default) -> Result<ExitCode> {
    let (defaults, command) = match command {
        Default::Resource(command) => (Defaults::Resources, command),
        Default::Operation(command) => (Defaults::Operations, command),
    };
    match command {
        Value::Get { name } => {
            let cib = act.cluster.cib().query()?;
            let value = ha_core::change::edit::option::default_value(&cib, defaults, name);
            look::value(act, value.ok_or_else(|| missing(act, name))?)
        }
        Value::Set { name, value, force } => {
            let set = act.cluster.set_default(defaults, name, value);
            checked(act, &set, name, *force)
        }
        Value::Unset { name } => act.operation(&act.cluster.unset_default(defaults, name)),
    }
}

pub(crate) fn ticket(act: &Act<'_>, command: &Ticket) -> Result<ExitCode> {
    let of = |id: &str| act.cluster.ticket(id);
    match command {
        Ticket::Grant { ticket } => act.operation(&of(ticket).grant()),
        Ticket::Revoke { ticket } => act.operation(&of(ticket).revoke()),
        Ticket::Standby { ticket, switch } => act.operation(&of(ticket).standby(switch.is_on())),
        Ticket::Get { ticket, name } => {
            let value = of(ticket).attribute(name)?;
            look::value(act, &value.ok_or_else(|| missing(act, name))?)
        }
        Ticket::Set {
            ticket,
            name,
            value,
        } => act.operation(&of(ticket).set_attribute(name, value)),
        Ticket::Unset { ticket, name } => act.operation(&of(ticket).unset_attribute(name)),
        Ticket::Forget { ticket } => act.operation(&of(ticket).forget()),
    }
}
