//! EOLE's page "Mettre en place un cluster haute disponibilité", followed on both machines at once.

use std::time::Duration;

use ha_core::{Error, ErrorKind, Result};

use super::{PROGRAMS, heading};
use crate::{Lab, Node, Terminal, Transport, ssh};

/// How long a step may take; an RSA key of 4096 bits takes its time.
const LIMIT: Duration = Duration::from_secs(120);

/// The annotated example of the settings is of the lab's addresses.
const SETTINGS: &str = include_str!("../../../examples/sphynx/hautedispo.toml");
/// Where the settings are on a machine.
const SETTINGS_PATH: &str = "/etc/eole/hautedispo.toml";

/// What the instances ask, up to where an answer is typed.
const CONFIGURE: &str = "Voulez-vous (re)configurer la haute disponibilité ? [oui/non]";
const SYNCHRONISE: &str = "Voulez-vous synchroniser les noeuds ? [oui/non]";
const WAIT: &str = "Voulez-vous attendre que le script synchro-nodes.sh soit exécuté sur le nœud maître ? [oui/non]";
const PERIODIC: &str = "Voulez-vous activer la synchronisation périodique des noeuds ? [oui/non]";
const DIAGNOSE: &str = "Voulez-vous vérifier la haute disponibilité maintenant ? [oui/non]";
const FIRST_CONTACT: &str = "Est-ce la bonne ? [oui/non]";

/// Brings the pair up as the page says.
///
/// # Errors
/// What a step fails with, with what was on the terminal.
pub(super) fn follow(lab: &Lab) -> Result<()> {
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    heading("The configuration: /etc/eole/hautedispo.toml, the same file on both machines");
    let settings = settings(lab.options().transport);
    for node in [&maitre, &esclave] {
        bare(node)?;
        node.write(SETTINGS_PATH, &settings)?;
    }
    // Only what comes from the maître may make the tunnel work on the esclave.
    sh(&esclave, "rm -rf /etc/ipsec.conf /etc/ipsec.secrets")?;
    for line in settings.lines().filter(|line| tells(line)) {
        println!("  {line}");
    }
    say(&maitre, "appliquer_hautedispo", &["--check"])?;

    heading("instance on both machines at once; the maître's is left waiting at its question");
    let mut on_maitre = begin(lab, &maitre)?;
    let mut on_esclave = begin(lab, &esclave)?;

    heading(
        "The esclave answers oui: its key goes to the maître, whose root password ssh asks for",
    );
    on_esclave.answers("oui")?;
    get_in(&mut on_esclave, &maitre)?;
    on_esclave.is_asked(WAIT)?;

    heading("The maître answers oui: its key goes to the esclave, then synchro-nodes runs");
    on_maitre.answers("oui")?;
    get_in(&mut on_maitre, &esclave)?;
    on_maitre.is_asked(PERIODIC)?;
    on_maitre.answers("oui")?;
    on_maitre.is_asked(DIAGNOSE)?;
    on_maitre.answers("non")?;
    on_maitre.end()?;

    heading("The esclave answers oui: the maître's synchro-nodes is done, so that it goes on");
    on_esclave.answers("oui")?;
    on_esclave.end()?;

    lab.wait_online(LIMIT)?;
    lab.wait_sphynx("maitre", LIMIT)?;
    lab.wait_gateways(&["maitre", "esclave"], LIMIT)?;
    for node in [&esclave, &maitre] {
        heading(&format!("diagnose on {}", node.name()));
        say(node, "diagnose", &[])?;
    }
    heading("cat /etc/ha.d/.rsc_list on both");
    for node in [&maitre, &esclave] {
        show(node.name(), &node.read("/etc/ha.d/.rsc_list")?);
    }
    Ok(())
}

/// The settings, with the transport of the lab.
fn settings(transport: Transport) -> String {
    let mut text = SETTINGS.to_owned();
    if transport == Transport::Knet {
        for (old, new) in [
            ("# transport = \"multicast\" ", "transport = \"knet\" "),
            (
                "# secours = \"172.30.101.11\"",
                "secours = \"172.30.101.11\"",
            ),
            (
                "dialogue = \"10.0.254.12\"\n",
                "dialogue = \"10.0.254.12\"\nsecours = \"172.30.101.12\"\n",
            ),
        ] {
            assert!(text.contains(old), "{old}");
            text = text.replacen(old, new, 1);
        }
    }
    text
}

/// A machine on which nothing of a cluster is configured.
fn bare(node: &Node<'_>) -> Result<()> {
    sh(
        node,
        "mkdir -p /etc/eole; rm -f /etc/corosync/corosync.conf /etc/corosync/authkey",
    )
}

fn sh(node: &Node<'_>, script: &str) -> Result<()> {
    let command = node.command("sh").args(["-e", "-c", script]);
    command.limit(LIMIT).stdout().map(drop)
}

/// Tells whether a line of the annotated settings is one that counts.
fn tells(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}

/// Runs a program, which must succeed, and shows what it says.
fn say(node: &Node<'_>, program: &str, words: &[&str]) -> Result<()> {
    let command = node.command(&format!("{PROGRAMS}/{program}"));
    let output = command
        .args(words.iter().copied())
        .env("LC_ALL", "C.UTF-8")
        .limit(LIMIT)
        .output()?;
    show(node.name(), &output.stdout);
    show(node.name(), &output.stderr);
    if output.status.success() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Daemon,
        format!("{program} on {} ended with {}", node.name(), output.status),
    ))
}

/// Starts the instance of a machine, and goes as far as the question whether to synchronise, which is left
/// waiting.
fn begin<'n>(lab: &Lab, node: &'n Node<'_>) -> Result<Talk<'n>> {
    ssh::wait_for_server(lab, node, LIMIT)?;
    let mut talk = Talk::start(node)?;
    talk.is_asked(CONFIGURE)?;
    talk.answers("oui")?;
    talk.is_asked(SYNCHRONISE)?;
    Ok(talk)
}

/// Answers what is asked at the first contact: the fingerprint is compared with what the other machine says of
/// itself, as a person has to.
fn get_in(talk: &mut Talk<'_>, other: &Node<'_>) -> Result<()> {
    let shown = talk.is_asked(FIRST_CONTACT)?;
    let known = ssh::fingerprint(other)?;
    if !shown.contains(&known) {
        let what = format!("the fingerprint of {} is not {known}", other.name());
        return Err(Error::new(ErrorKind::PermissionDenied, what));
    }
    talk.answers("oui")?;
    talk.is_asked("password:")?;
    talk.types(ssh::ROOT_PASSWORD, "(the root password)")
}

/// A dialogue on a machine's terminal, shown line by line as it goes on.
struct Talk<'n> {
    on: &'n str,
    terminal: Terminal,
    /// How much of the screen was looked at.
    seen: usize,
    /// The line that has no end yet.
    line: String,
}

impl<'n> Talk<'n> {
    fn start(node: &'n Node<'_>) -> Result<Self> {
        let command = node.command(&format!("{PROGRAMS}/instance"));
        // A terminal that cannot draw: progress comes in lines.
        let command = command.env("LC_ALL", "C.UTF-8").env("TERM", "dumb");
        Ok(Self {
            on: node.name(),
            terminal: Terminal::start(command)?,
            seen: 0,
            line: String::new(),
        })
    }

    /// Waits for a question; returns what was said up to it.
    fn is_asked(&mut self, question: &str) -> Result<String> {
        let said = self.terminal.wait_for(LIMIT, question)?;
        self.show(&said);
        Ok(said)
    }

    fn answers(&self, answer: &str) -> Result<()> {
        self.terminal.send(&format!("{answer}\n"))
    }

    /// Types what the terminal does not show.
    fn types(&mut self, secret: &str, name: &str) -> Result<()> {
        self.line += &format!(" {name}");
        self.answers(secret)
    }

    fn show(&mut self, said: &str) {
        self.seen += said.len();
        self.line += said;
        while let Some((line, rest)) = self.line.split_once('\n') {
            show(self.on, line);
            self.line = rest.to_owned();
        }
    }

    /// Waits for the end, which must be a success.
    fn end(mut self) -> Result<()> {
        let (on, seen) = (self.on, self.seen);
        let mut line = std::mem::take(&mut self.line);
        let (status, screen) = self.terminal.end(LIMIT)?;
        line += screen.get(seen..).unwrap_or_default();
        show(on, &line);
        if status.success() {
            return Ok(());
        }
        let what = format!("instance on {on} ended with {status}");
        Err(Error::new(ErrorKind::Daemon, what))
    }
}

fn show(on: &str, text: &str) {
    for line in text.lines() {
        println!("{on:>8} | {line}");
    }
}
