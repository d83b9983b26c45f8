//! Starts labs and breaks things in them, from the command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use ha_core::{Error, ErrorExt as _, Result};
use lab::{Lab, LabOptions, Link, Node, Transport};

/// A two-node cluster with the real Corosync and Pacemaker, in namespaces of this machine.
#[derive(Debug, Parser)]
#[command(version, infer_subcommands = false)]
struct Arguments {
    /// Which lab, when several run
    #[arg(long, global = true)]
    name: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start the nodes and wait until they are Online
    Up {
        /// The root that the nodes' disks are laid over, a Debian tree, for all or for one of them
        #[arg(long, value_name = "[NODE=]DIR")]
        tree: Vec<String>,
        /// How Corosync talks: udp (multicast) or knet (two links)
        #[arg(long, default_value = "udp")]
        transport: Transport,
        /// How many nodes: maitre, esclave, noeud3, ...
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
        nodes: u8,
        /// Load the Sphynx resources too
        #[arg(long)]
        sphynx: bool,
        /// Leave Corosync and Pacemaker alone: machines on which nothing is started
        #[arg(long, conflicts_with = "sphynx")]
        bare: bool,
        /// Serve SSH on the nodes (root's password: eole-lab)
        #[arg(long)]
        ssh: bool,
        /// A machine amon too, with a tunnel to the pair, and strongSwan as its service ipsec
        #[arg(long)]
        tunnel: bool,
        /// systemd as PID 1 of the nodes
        #[arg(long)]
        systemd: bool,
        /// A folder of this machine that the nodes see, read-only, at the same place
        #[arg(long, value_name = "DIR")]
        share: Vec<PathBuf>,
    },
    /// Show the two-node cluster at work: a power cut, and the fail-over as it happens
    Demo {
        /// How Corosync talks: udp (multicast) or knet (two links)
        #[arg(long, default_value = "udp")]
        transport: Transport,
    },
    /// Run a command on a node, from this folder if the node has it
    Exec {
        node: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
    /// Show the labs, their machines, and what is cut or stopped
    Status,
    /// Cut a node's power: all its processes are gone at once, its disk stays
    PowerCut { node: String },
    /// Start a node again, and wait until all are Online (unless one is cut off from the others)
    PowerOn { node: String },
    /// Cut a node off from a network; says so when it is cut off already
    Cut {
        node: String,
        /// academie (eth0), interco (eth1) or ha1 (eth2)
        link: Link,
        /// Pull the cable out: the node loses the carrier too
        #[arg(long)]
        unplug: bool,
    },
    /// End a cut, or plug the cable in again; says so when nothing was cut
    Heal {
        node: String,
        /// academie (eth0), interco (eth1) or ha1 (eth2)
        link: Link,
    },
    /// Kill a daemon of a node with signal 9: corosync, pacemakerd, based, controld, ...
    Kill { node: String, daemon: String },
    /// Stop a daemon of a node without ending it
    Stop { node: String, daemon: String },
    /// Let a stopped daemon go on
    Cont { node: String, daemon: String },
    /// Show the end of a node's logs
    Logs {
        node: String,
        /// How many lines of each log
        #[arg(short = 'n', long, default_value_t = 40)]
        lines: usize,
    },
    /// End the lab: nothing of it stays
    Down,
}

fn main() -> ExitCode {
    if let Some(code) = lab::inner_role() {
        return code;
    }
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("lab: {e:#}");
            if let Some(hint) = e.hint() {
                eprintln!("  next step: {hint}");
            }
            ExitCode::from(e.exit_code())
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    lab::require_root()?;
    let name = arguments.name.as_deref();
    if let Action::Up {
        tree,
        transport,
        nodes,
        sphynx,
        bare,
        ssh,
        tunnel,
        systemd,
        share,
    } = arguments.action
    {
        let mut options = LabOptions {
            transport,
            nodes,
            start_cluster: !bare,
            ssh,
            tunnel,
            systemd,
            ..LabOptions::default()
        };
        for tree in tree {
            let (node, folder) = tree
                .split_once('=')
                .map_or((None, &*tree), |(n, f)| (Some(n), f));
            let folder = PathBuf::from(folder)
                .canonicalize()
                .with_context(|| format!("find the tree {folder}"))?;
            match node {
                Some(node) => drop(options.node_trees.insert(node.to_owned(), folder)),
                None => options.tree = folder,
            }
        }
        options.share.extend(share);
        up(name, &options, sphynx)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Action::Demo { transport } = arguments.action {
        let options = LabOptions {
            transport,
            ..LabOptions::default()
        };
        let own = std::env::current_exe().context("find this program")?;
        let programs = own.parent().unwrap_or(Path::new("/"));
        lab::demo::run(&options, programs)?;
        return Ok(ExitCode::SUCCESS);
    }
    if matches!(arguments.action, Action::Status) {
        status(name)?;
        return Ok(ExitCode::SUCCESS);
    }
    let named = name.is_some();
    let (name, lab) = Lab::attach(name)?;
    match arguments.action {
        Action::Up { .. } | Action::Demo { .. } | Action::Status => {}
        Action::Exec { node, command } => return exec(&lab.node(&node)?, &command),
        Action::PowerCut { node } => {
            lab.power_cut(&node)?;
        }
        Action::PowerOn { node } => {
            if !lab.power_on(&node)? && lab.options().start_cluster {
                eprintln!("{node} is on; nodes are cut off from each other (lab status)");
            }
        }
        Action::Cut { node, link, unplug } => {
            let (changed, how) = if unplug {
                (lab.unplug(&node, link)?, "unplugged")
            } else {
                (lab.cut(&node, link)?, "cut off")
            };
            if !changed {
                eprintln!("{node} is {how} from {link} already; nothing was changed");
            }
        }
        Action::Heal { node, link } => {
            if !lab.heal(&node, link)? {
                eprintln!("{node} is not cut off from {link}; nothing was changed");
            }
        }
        Action::Kill { node, daemon } => lab.node(&node)?.kill(&daemon)?,
        Action::Stop { node, daemon } => lab.node(&node)?.stop(&daemon)?,
        Action::Cont { node, daemon } => lab.node(&node)?.cont(&daemon)?,
        Action::Logs { node, lines } => {
            let logs = lab.node(&node)?.log_tail(lines);
            if logs.is_empty() {
                eprintln!("{node} has logged nothing");
            }
            print!("{logs}");
        }
        Action::Down => {
            // Looking at the only lab that runs is one thing, ending what somebody else may have
            // started under a name of their own is another.
            if !named && name != Lab::DEFAULT_NAME {
                return Err(Error::invalid(format!("the lab that runs is '{name}'"))
                    .with_hint(format!("to end it: lab down --name {name}")));
            }
            lab.down(&name)?;
            println!("lab '{name}' has ended");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn up(name: Option<&str>, options: &LabOptions, sphynx: bool) -> Result<()> {
    name.map_or(Ok(()), Lab::check_name)?;
    if let Some(name) = name
        && Lab::names()?.iter().any(|n| n == name)
    {
        return Err(Error::invalid(format!("a lab '{name}' runs already"))
            .with_hint(format!("end it: lab down --name {name}")));
    }
    let start = Instant::now();
    let tell = |what: &str| eprintln!("{:6.1} s  {what}", start.elapsed().as_secs_f64());
    let lab = Lab::start_telling(options, &tell)?;
    if sphynx {
        lab.load_sphynx()?;
        tell("the Sphynx resources run on maitre");
    }
    let name = lab.keep(name)?;
    eprintln!("lab '{name}' is up");
    let alone = Lab::names()?.len() == 1;
    let which = if alone {
        String::new()
    } else {
        format!(" --name {name}")
    };
    eprintln!("  look:   lab exec{which} maitre crm_mon -1");
    eprintln!("  break:  lab power-cut{which} maitre      (see lab help)");
    eprintln!("  end:    lab down{which}");
    Ok(())
}

fn exec(node: &Node<'_>, command: &[String]) -> Result<ExitCode> {
    let [program, args @ ..] = command else {
        return Err(Error::invalid("no command"));
    };
    // Says so when the node is off.
    node.pid()?;
    let mut inside = node.command(program).args(args);
    if let Some(folder) = std::env::current_dir()
        .ok()
        .as_deref()
        .and_then(|d| d.to_str())
        && node.has_folder(folder)
    {
        inside = inside.current_dir(folder);
    }
    for variable in ["TERM", "RUST_LOG", "RUST_BACKTRACE"] {
        if let Ok(value) = std::env::var(variable) {
            inside = inside.env(variable, value);
        }
    }
    let status = inside.status()?;
    // As a shell would: a signal's number comes after 128.
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    let code = status.code().or(signal.map(|s| 128 + s)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn status(name: Option<&str>) -> Result<()> {
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => Lab::names()?,
    };
    if names.is_empty() {
        println!("no lab runs");
    }
    for name in names {
        let (name, lab) = Lab::attach(Some(&name))?;
        let options = lab.options();
        println!(
            "lab '{name}': {} over {}",
            options.transport,
            options.tree.display()
        );
        for machine in lab.machines() {
            let power = if machine.is_up() { "on" } else { "off" };
            let mut line = format!("  {:<9} {power}", machine.name());
            if let Ok(seen) = machine.cluster_view() {
                line += &format!("; sees {seen}");
            }
            let cut = lab.cut_links(machine.name())?;
            if !cut.is_empty() {
                let cut: Vec<&str> = cut.into_iter().map(Link::name).collect();
                line += &format!("; cut off from {}", cut.join(", "));
            }
            let stopped = machine.stopped().unwrap_or_default();
            if !stopped.is_empty() {
                line += &format!("; stopped: {}", stopped.join(", "));
            }
            println!("{line}");
        }
    }
    Ok(())
}
