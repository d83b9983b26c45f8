//! `hactl`: administers a cluster from the command line.

mod act;
mod agents;
mod arguments;
mod cluster;
mod fencing;
mod french;
mod look;
mod node;
mod resource;
mod screen;
mod usage;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use ha_core::Result;
use ha_core::live::cluster::{Cluster, ConnectOptions};

use arguments::{Arguments, Command};
use cluster::Wanted;
use screen::Screen;

fn main() -> ExitCode {
    let arguments = match usage::read().map(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(Ok(arguments)) => arguments,
        Ok(Err(e)) => e.exit(),
        Err(code) => return code,
    };
    let screen = Screen::new(&arguments);
    match run(&arguments, &screen) {
        Ok(code) => code,
        Err(e) => {
            act::leave_to_signal();
            screen.failure(&e, arguments.timeout());
            ExitCode::from(e.exit_code())
        }
    }
}

fn run(arguments: &Arguments, screen: &Screen) -> Result<ExitCode> {
    if let Command::Completions { shell } = arguments.command {
        let mut command = Arguments::command();
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command, "hactl", &mut text);
        screen.write(&String::from_utf8_lossy(&text))?;
        return Ok(ExitCode::SUCCESS);
    }
    let cluster = screen.follow(connect(arguments)?);
    let act = act::Act::new(arguments, screen, &cluster)?;
    match &arguments.command {
        Command::Status => look::status(&act),
        Command::Why { resource } => look::why(&act, resource),
        Command::Events => look::events(&act),
        Command::Agents { what } => agents::run(&act, what.as_deref()),
        Command::Export => cluster::export(&act),
        Command::Verify { file } => cluster::verify(&act, file.as_deref()),
        Command::Apply {
            file,
            owner,
            as_is,
            force,
        } => {
            let wanted = Wanted::new(file, owner.as_deref(), *as_is);
            cluster::apply(&act, &wanted, *force)
        }
        Command::Diff { file, owner, as_is } => {
            cluster::diff(&act, &Wanted::new(file, owner.as_deref(), *as_is))
        }
        Command::Resource(command) => resource::run(&act, command),
        Command::Node(command) => node::run(&act, command),
        Command::Fencing(command) => fencing::run(&act, command),
        Command::Option(command) => cluster::option(&act, command),
        Command::Default(command) => cluster::default(&act, command),
        Command::Ticket(command) => cluster::ticket(&act, command),
        Command::Maintenance { switch } => act.operation(&cluster.maintenance(switch.is_on())),
        Command::StopAll { switch } => act.operation(&cluster.stop_all(switch.is_on())),
        Command::Settle => act.settle(),
        Command::Completions { .. } => Ok(ExitCode::SUCCESS),
    }
}

fn connect(arguments: &Arguments) -> Result<Cluster> {
    match &arguments.cib_file {
        Some(file) => Cluster::open_file(file),
        None => {
            let mut options = ConnectOptions::default();
            options.timeout = arguments.timeout();
            Cluster::connect(&options)
        }
    }
}
