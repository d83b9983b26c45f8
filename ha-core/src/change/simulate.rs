//! What Pacemaker's scheduler would do with a CIB.

use std::fmt;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde::Serialize;

use crate::xml::{Document, Element};
use crate::{Error, ErrorExt, ErrorKind, Result};

/// The scheduler as a program, of Debian's package pacemaker-cli-utils. Its library has no public
/// header in the versions supported.
const PROGRAM: &str = "crm_simulate";

/// What the scheduler would do to a resource or a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActionKind {
    /// Start a resource.
    Start,
    /// Stop a resource.
    Stop,
    /// Stop a resource and start it on the same node.
    Restart,
    /// Stop a resource on one node and start it on another.
    Move,
    /// Move a resource without stopping it.
    Migrate,
    /// Stop a failed resource and start it, there or elsewhere.
    Recover,
    /// Give an instance of a clone the promoted role.
    Promote,
    /// Take the promoted role from an instance of a clone.
    Demote,
    /// Fence a node, in whatever way.
    Fence,
    /// What this version of the library has no name for: see [`Action::task`].
    Other,
}

/// One thing the scheduler would do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Action {
    /// What it is.
    pub kind: ActionKind,
    /// The scheduler's own word for it.
    pub task: String,
    /// The resource, unless the action is about a node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The node that it leaves, or that is fenced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The node where it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why, in the scheduler's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The scheduler wants this, and cannot do it.
    pub blocked: bool,
}

impl Action {
    /// Tells whether the resource is interrupted by this.
    #[must_use]
    pub fn interrupts(&self) -> bool {
        use ActionKind::{Demote, Move, Recover, Restart, Stop};
        self.resource.is_some() && matches!(self.kind, Stop | Restart | Move | Recover | Demote)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.task)?;
        if let Some(resource) = &self.resource {
            write!(f, " {resource}")?;
        }
        match (&self.from, &self.to) {
            (Some(from), Some(to)) if from == to => write!(f, " on {to}")?,
            (Some(from), Some(to)) => write!(f, " from {from} to {to}")?,
            (Some(node), None) | (None, Some(node)) if self.resource.is_some() => {
                write!(f, " on {node}")?;
            }
            (Some(node), None) | (None, Some(node)) => write!(f, " {node}")?,
            (None, None) => {}
        }
        if let Some(reason) = &self.reason {
            write!(f, " ({reason})")?;
        }
        if self.blocked {
            f.write_str(", blocked")?;
        }
        Ok(())
    }
}

/// Asks Pacemaker's scheduler what it would do with a CIB, now: an idle cluster's answer is empty.
///
/// It runs `crm_simulate`, on this machine, with the CIB on its standard input; nothing of the cluster is
/// touched.
///
/// # Errors
/// [`ErrorKind::NotFound`] when the program is not installed, [`ErrorKind::Unsupported`] when it is older
/// than Pacemaker 2.1 and cannot answer in XML, [`ErrorKind::Invalid`] when it refuses the CIB.
pub fn simulate(cib: &Document) -> Result<Vec<Action>> {
    simulate_with(cib, &[])
}

fn simulate_with(cib: &Document, options: &[&str]) -> Result<Vec<Action>> {
    let answer =
        run(&cib.to_xml_compact(), options).context("ask the scheduler what it would do")?;
    let actions = answer.root().child("actions");
    let actions = actions.into_iter().flat_map(Element::children);
    Ok(actions.filter_map(action).collect())
}

fn run(cib: &str, options: &[&str]) -> Result<Document> {
    let mut program = Command::new(PROGRAM)
        .args(["--run", "--xml-pipe", "--output-as=xml"])
        .args(options)
        // A CIB_file of the caller must not be what is asked about.
        .env_remove("CIB_file")
        .env_remove("CIB_shadow")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| {
            let error = Error::from(e).context(format!("start {PROGRAM}"));
            match error.kind() {
                ErrorKind::NotFound => error
                    .with_hint("install it: on Debian it is in the package pacemaker-cli-utils"),
                _ => error,
            }
        })?;
    // Written by a thread: a program that answers before it has read all must not wait for us.
    let input = program.stdin.take();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.map(|mut input| input.write_all(cib.as_bytes())));
        program.wait_with_output()
    })
    .with_context(|| format!("read what {PROGRAM} says"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    if let Ok(answer) = Document::parse(&said)
        && output.status.success()
    {
        return Ok(answer);
    }
    let complaint = complaint.trim();
    if complaint.contains("Unknown option") || complaint.contains("unrecognized option") {
        let message = format!("{PROGRAM} of this machine cannot answer in XML");
        return Err(
            Error::new(ErrorKind::Unsupported, message).with_hint("it can from Pacemaker 2.1 on")
        );
    }
    let last = complaint.lines().last().unwrap_or("it gave no reason");
    Err(Error::invalid(format!(
        "{PROGRAM} refused the CIB ({}): {last}",
        output.status
    ))
    .with_hint("check the CIB with crm_verify"))
}

fn action(element: Element<'_>) -> Option<Action> {
    use ActionKind::{Demote, Fence, Migrate, Move, Other, Promote, Recover, Restart, Start, Stop};
    let owned = |name| element.attribute(name).map(str::to_owned);
    let is_node = element.name() == "node_action";
    if !is_node && element.name() != "rsc_action" {
        return None;
    }
    let task = owned(if is_node { "task" } else { "action" })?;
    let kind = match task.as_str() {
        task if is_node && task.starts_with("Fence") => Fence,
        _ if is_node => Other,
        "start" => Start,
        "stop" => Stop,
        "restart" | "reload" => Restart,
        "move" => Move,
        "migrate" => Migrate,
        "recover" => Recover,
        "promote" => Promote,
        "demote" => Demote,
        _ => Other,
    };
    let node = owned("node");
    let (mut from, mut to) = (owned("source"), owned("dest"));
    match kind {
        Start => to = to.or(node),
        Promote => to = to.or(node).or_else(|| from.take()),
        Restart | Recover => {
            from = from.or(node);
            to = to.or_else(|| from.clone());
        }
        _ => from = from.or(node),
    }
    Some(Action {
        kind,
        task,
        resource: owned("resource"),
        from,
        to,
        reason: owned("reason"),
        blocked: element.attribute("blocked") == Some("true"),
    })
}
