//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ha_core::language::Language;

/// Administers a Pacemaker cluster: tells beforehand what would happen, does it in one step, waits until it
/// is done, and says why when it is not.
#[derive(Debug, Parser)]
#[command(name = "hactl", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Change nothing: print what would be changed, and what the cluster would do then
    #[arg(long, short = 'n', global = true)]
    pub(crate) dry_run: bool,
    /// Wait until the cluster has done it, and fail when it does otherwise
    #[arg(long, short, global = true)]
    pub(crate) wait: bool,
    /// How long to wait: a number of seconds, or with a unit (90s, 5min)
    #[arg(long, short, global = true, default_value = "120s", value_parser = duration)]
    timeout: Duration,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Work on a CIB file instead of the running cluster
    #[arg(
        long = "file",
        short = 'f',
        global = true,
        env = "CIB_file",
        value_name = "CIB"
    )]
    pub(crate) cib_file: Option<PathBuf>,
    /// The language of messages (en, fr); else that of the environment
    #[arg(long, global = true, value_parser = language)]
    pub(crate) lang: Option<Language>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print what is so in the cluster: nodes, resources, failures, and what is wrong or risky
    Status,
    /// Explain why a resource does not run, or not where one would expect
    Why {
        /// The resource
        resource: String,
    },
    /// Print what happens in the cluster as it happens
    Events,
    /// Wait until the cluster has done all that its configuration asks for
    Settle,
    /// Bring the cluster to the configuration in a file (TOML, JSON or XML), in one step
    Apply {
        /// The file
        file: PathBuf,
        /// Whose configuration this is: what was there for this owner and is not in the file is removed
        #[arg(long)]
        owner: Option<String>,
        /// Do not add what the agents advise: time-outs, monitors
        #[arg(long)]
        as_is: bool,
        /// Apply it also when something in it is wrong
        #[arg(long)]
        force: bool,
    },
    /// Print what `apply` would change
    Diff {
        /// The file
        file: PathBuf,
        /// As for apply
        #[arg(long)]
        owner: Option<String>,
        /// As for apply
        #[arg(long)]
        as_is: bool,
    },
    /// Print the configuration of the cluster as a TOML file that `apply` takes back, passwords included
    Export,
    /// Check the configuration of the cluster, or the one that a file would lead to
    Verify {
        /// The file, as for apply
        file: Option<PathBuf>,
    },
    /// Resources
    #[command(subcommand)]
    Resource(Resource),
    /// Nodes
    #[command(subcommand)]
    Node(Node),
    /// Fencing: devices, levels, what was fenced
    #[command(subcommand)]
    Fencing(Fencing),
    /// Options of the cluster
    #[command(subcommand, visible_alias = "options")]
    Option(Value),
    /// Defaults of resources and operations
    #[command(subcommand)]
    Default(Default),
    /// Tickets
    #[command(subcommand)]
    Ticket(Ticket),
    /// Take the whole cluster into maintenance (nothing is managed), or out of it
    Maintenance {
        /// Whether it is to be
        switch: Switch,
    },
    /// Stop all resources and keep them stopped, or let them run again
    StopAll {
        /// Whether they are to be stopped
        switch: Switch,
    },
    /// List the agents of this node, or explain one (ocf:heartbeat:IPaddr2)
    Agents {
        /// A standard (ocf, systemd ...), a provider (ocf:heartbeat), or an agent
        what: Option<String>,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Resource {
    /// List the resources, with what they do
    List,
    /// Print where a resource runs
    Locate {
        /// The resource
        resource: String,
    },
    /// Let a resource run
    Start {
        /// The resource
        resource: String,
    },
    /// Stop a resource and keep it stopped
    Stop {
        /// The resource
        resource: String,
    },
    /// Stop a resource and start it again; waits
    Restart {
        /// The resource
        resource: String,
    },
    /// Move a resource to a node, or away from where it is, and leave nothing behind; waits
    Move {
        /// The resource
        resource: String,
        /// The node
        node: Option<String>,
        /// Try it even when the scheduler says beforehand that it will not come about
        #[arg(long)]
        force: bool,
    },
    /// Want a resource on a node above all else, until it is cleared
    Prefer(Reach),
    /// Keep a resource off a node, until it is cleared
    Ban(Reach),
    /// Take back what ban and prefer asked
    Clear {
        /// The resource
        #[arg(required_unless_present = "expired")]
        resource: Option<String>,
        /// Only for this node
        #[arg(long)]
        node: Option<String>,
        /// What is over already, of all resources
        #[arg(long, conflicts_with_all = ["resource", "node"])]
        expired: bool,
    },
    /// Print or forget how often a resource has failed
    #[command(subcommand)]
    Failcount(FailCount),
    /// Ask for the promoted role
    Promote {
        /// The resource
        resource: String,
    },
    /// Keep all instances unpromoted
    Demote {
        /// The resource
        resource: String,
    },
    /// Let the cluster manage a resource again
    Manage {
        /// The resource
        resource: String,
    },
    /// Make the cluster neither start nor stop a resource
    Unmanage {
        /// The resource
        resource: String,
    },
    /// Take a resource into maintenance, or out of it
    Maintenance {
        /// The resource
        resource: String,
        /// Whether it is to be
        switch: Switch,
    },
    /// Forget the failures of a resource, or of all; waits
    Cleanup(Forget),
    /// Have the nodes forget all they know of a resource, or of all, and look again; waits
    Refresh(Forget),
    /// Print a value of a resource
    Get(Property),
    /// Set a value of a resource
    Set {
        #[command(flatten)]
        property: Property,
        /// The value
        value: String,
        /// Set it also when it would not work
        #[arg(long)]
        force: bool,
    },
    /// Remove a value of a resource
    Unset(Property),
    /// Remove a resource and every reference to it
    Delete {
        /// The resource
        resource: String,
    },
    /// Give a resource another id, and all that refers to it
    Rename {
        /// The resource
        resource: String,
        /// The new id
        to: String,
        /// Rename it also while it runs: what both ids share, as an address, may be gone then
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum FailCount {
    /// Print how often a resource has failed, node by node
    #[command(visible_alias = "query")]
    Get(Counted),
    /// Forget how often it has failed; its failures stay listed until a cleanup
    Delete(Counted),
}

/// A resource, and maybe a node.
#[derive(Debug, Args)]
pub(crate) struct Counted {
    /// The resource
    pub(crate) resource: String,
    /// Only on this node
    #[arg(long)]
    pub(crate) node: Option<String>,
}

/// What is to be forgotten.
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// The resource
    pub(crate) resource: Option<String>,
    /// Only on this node
    #[arg(long)]
    pub(crate) node: Option<String>,
}

/// A resource, a node, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Reach {
    /// The resource
    pub(crate) resource: String,
    /// The node
    pub(crate) node: String,
    /// Only the promoted role
    #[arg(long)]
    pub(crate) promoted: bool,
    /// For so long (600s, 2h), instead of until it is cleared
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) lasts: Option<Duration>,
}

/// A value of a resource.
#[derive(Debug, Args)]
pub(crate) struct Property {
    /// The resource
    pub(crate) resource: String,
    /// The name of the value
    pub(crate) name: String,
    /// It is a meta-attribute
    #[arg(long, conflicts_with = "utilization")]
    pub(crate) meta: bool,
    /// It is what the resource needs of a node's capacity
    #[arg(long)]
    pub(crate) utilization: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Node {
    /// List the nodes, with their state
    List,
    /// Take a node into standby: its resources leave it
    Standby {
        /// The node
        node: String,
        /// Only until its cluster software restarts
        #[arg(long)]
        until_reboot: bool,
    },
    /// Take a node out of standby
    Online {
        /// The node
        node: String,
    },
    /// Take a node into maintenance (its resources are left alone), or out of it
    Maintenance {
        /// The node
        node: String,
        /// Whether it is to be
        switch: Switch,
    },
    /// Have a node fenced by the devices that are configured for it
    Fence {
        /// The node
        node: String,
        /// Leave it off, instead of restarting it
        #[arg(long)]
        off: bool,
    },
    /// Tell the cluster that a node is off for sure: look first
    ConfirmOff {
        /// The node
        node: String,
    },
    /// Remove a node that has left for good from all that Pacemaker knows: stop it first
    Remove {
        /// The node
        node: String,
    },
    /// Forget what a node that is off was doing, where it cannot be fenced: look first
    Clear {
        /// The node
        node: String,
    },
    /// Print what the health attributes of a node say
    Health {
        /// The node
        node: String,
    },
    /// Print an attribute of a node
    Get {
        /// The node
        node: String,
        /// The attribute
        name: String,
    },
    /// Set an attribute of a node
    Set {
        /// The node
        node: String,
        /// The attribute
        name: String,
        /// Its value
        value: String,
        /// Only until its cluster software restarts
        #[arg(long, conflicts_with = "utilization")]
        until_reboot: bool,
        /// It is how much of something the node has for its resources
        #[arg(long)]
        utilization: bool,
    },
    /// Remove an attribute of a node
    Unset {
        /// The node
        node: String,
        /// The attribute
        name: String,
        /// The one that holds until its cluster software restarts
        #[arg(long, conflicts_with = "utilization")]
        until_reboot: bool,
        /// It is how much of something the node has for its resources
        #[arg(long)]
        utilization: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Fencing {
    /// List the fence devices, as this node's fencer knows them, and the nodes that each can fence
    Devices {
        /// Only those that can fence this node
        node: Option<String>,
    },
    /// List the levels of the fencing topology
    Levels {
        /// Those that are for this node, the first to be tried first
        node: Option<String>,
    },
    /// List what was fenced, or tried, the newest first
    History {
        /// Only of this node
        node: Option<String>,
    },
    /// Forget what was fenced, or tried
    Cleanup {
        /// Only of this node
        node: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Value {
    /// Print a value
    Get {
        /// Its name
        name: String,
    },
    /// Set a value
    Set {
        /// Its name
        name: String,
        /// The value
        value: String,
        /// Set it also when it would not work
        #[arg(long)]
        force: bool,
    },
    /// Remove a value: its default holds again
    Unset {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Default {
    /// Of resources
    #[command(subcommand)]
    Resource(Value),
    /// Of operations
    #[command(subcommand)]
    Operation(Value),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ticket {
    /// Grant a ticket to this cluster; make sure that no other has it
    Grant {
        /// The ticket
        ticket: String,
    },
    /// Take a ticket from this cluster
    Revoke {
        /// The ticket
        ticket: String,
    },
    /// Set a ticket on standby, or make it active again
    Standby {
        /// The ticket
        ticket: String,
        /// Whether it is to be
        switch: Switch,
    },
    /// Print an attribute of a ticket
    Get {
        /// The ticket
        ticket: String,
        /// The attribute
        name: String,
    },
    /// Set an attribute of a ticket
    Set {
        /// The ticket
        ticket: String,
        /// The attribute
        name: String,
        /// Its value
        value: String,
    },
    /// Remove an attribute of a ticket
    Unset {
        /// The ticket
        ticket: String,
        /// The attribute
        name: String,
    },
    /// Make the cluster forget a ticket
    Forget {
        /// The ticket
        ticket: String,
    },
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Yes
    On,
    /// No
    Off,
}

impl Switch {
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }
}

/// Reads a time as Pacemaker does: a number is one of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let ms = ha_core::model::scalar::interval_ms(text);
    ms.map(Duration::from_millis)
        .ok_or_else(|| format!("'{text}' is no time: write 90, 90s, 5min, 1h"))
}

fn language(text: &str) -> Result<Language, String> {
    text.parse().map_err(|e: ha_core::Error| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_are_pacemakers() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2min"), Ok(Duration::from_secs(120)));
        assert!(duration("soon").is_err());
    }
}
