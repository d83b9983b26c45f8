//! What Pacemaker's scheduler would do with a CIB.

use std::fmt;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde::Serialize;

use crate::language::{Language, say};
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
    /// Look at a resource: whether it runs (a probe), whether it still does, or no longer. Only
    /// [`outstanding`] tells it.
    Monitor,
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

impl Action {
    /// Returns it as words of a language. The reason is the scheduler's, in English.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut text = self.word(language).to_owned();
        if let Some(resource) = &self.resource {
            text.push(' ');
            text.push_str(resource);
        }
        let place = match (&self.from, &self.to) {
            (Some(from), Some(to)) if from == to => say!(language, " on {to}", " sur {to}"),
            (Some(from), Some(to)) => {
                say!(language, " from {from} to {to}", " de {from} vers {to}")
            }
            (Some(node), None) | (None, Some(node)) if self.resource.is_some() => {
                say!(language, " on {node}", " sur {node}")
            }
            (Some(node), None) | (None, Some(node)) => format!(" {node}"),
            (None, None) => String::new(),
        };
        text.push_str(&place);
        if let Some(reason) = &self.reason {
            text.push_str(&format!(" ({reason})"));
        }
        if self.blocked {
            text.push_str(&say!(language, ", blocked", ", bloqué"));
        }
        text
    }

    fn word(&self, language: Language) -> &str {
        use ActionKind::{
            Demote, Fence, Migrate, Monitor, Move, Other, Promote, Recover, Restart, Start, Stop,
        };
        match (language, self.kind) {
            (Language::English, _) | (_, Monitor | Other) => &self.task,
            (Language::French, Start) => "démarrer",
            (Language::French, Stop) => "arrêter",
            (Language::French, Restart) => "redémarrer",
            (Language::French, Move) => "déplacer",
            (Language::French, Migrate) => "migrer",
            (Language::French, Recover) => "rétablir",
            (Language::French, Promote) => "promouvoir",
            (Language::French, Demote) => "rétrograder",
            (Language::French, Fence) => "isoler",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
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
    let answer = ask(cib)?;
    Ok(actions(&answer.summary))
}

/// As [`simulate`], with what changes no resource too: probes, monitors that begin or end, histories that are
/// forgotten. As long as there is any of it, the cluster is at work.
///
/// What is blocked is not in it.
///
/// # Errors
/// Those of [`simulate`].
pub fn outstanding(cib: &Document) -> Result<Vec<Action>> {
    let answer = ask(cib)?;
    let mut wanted = actions(&answer.summary);
    wanted.retain(|action| !action.blocked);
    let steps = answer
        .graph
        .iter()
        .flat_map(|graph| graph.root().descendants());
    for step in steps.filter_map(step) {
        // A resource or a node of the summary is told once.
        let is_told = |told: &Action| match (&told.resource, &step.resource) {
            (Some(told), Some(resource)) => told == resource,
            (None, None) => told.from == step.from,
            _ => false,
        };
        if !wanted.iter().any(is_told) {
            wanted.push(step);
        }
    }
    Ok(wanted)
}

fn actions(summary: &Document) -> Vec<Action> {
    let actions = summary.root().child("actions");
    let actions = actions.into_iter().flat_map(Element::children);
    actions.filter_map(action).collect()
}

/// Reads a step of a transition graph that is more than a mark between others.
fn step(element: Element<'_>) -> Option<Action> {
    if !matches!(element.name(), "rsc_op" | "crm_event") {
        return None;
    }
    let parts = || element.children();
    // What is to be waited for refers to steps by elements of the same names.
    let task = element.attribute("operation")?.to_owned();
    element
        .parent()
        .filter(|parent| parent.name() == "action_set")?;
    let resource = parts().find(|part| part.name() == "primitive");
    let resource = resource
        .and_then(|part| part.attribute("id"))
        .map(str::to_owned);
    let node = element.attribute("on_node").map(str::to_owned);
    let kind = match task.as_str() {
        "monitor" | "cancel" => ActionKind::Monitor,
        "stonith" => ActionKind::Fence,
        _ => ActionKind::Other,
    };
    Some(Action {
        kind,
        task,
        resource,
        from: node,
        to: None,
        reason: None,
        blocked: false,
    })
}

/// What the program says: what it would do in short, and the steps of it.
struct Answer {
    summary: Document,
    graph: Option<Document>,
}

fn ask(cib: &Document) -> Result<Answer> {
    run(&cib.to_xml_compact()).context("ask the scheduler what it would do")
}

fn run(cib: &str) -> Result<Answer> {
    let mut program = Command::new(PROGRAM)
        .args(["--run", "--xml-pipe", "--output-as=xml"])
        // Beside what it complains about: its standard output has the summary.
        .arg("--save-graph=/dev/stderr")
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
        return Ok(Answer {
            summary: answer,
            graph: graph(&complaint)?,
        });
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

/// Finds the transition graph among what was written to the standard error.
fn graph(said: &str) -> Result<Option<Document>> {
    const CLOSED: &str = "</transition_graph>";
    let Some(begin) = said.find("<transition_graph") else {
        return Ok(None);
    };
    let graph = &said[begin..];
    let end = match graph.find(CLOSED) {
        Some(end) => end + CLOSED.len(),
        None => graph.find("/>").map_or(graph.len(), |end| end + 2),
    };
    Document::parse(&graph[..end]).map(Some)
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
