//! The live view of `crm_mon`, in a real terminal: `tmux` types the keys and reads the screen.

use std::time::Duration;

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet};

use crate::crm_mon::{OURS, build, install};

/// How long the screen may take to show what is so, on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

pub(crate) fn register(harness: &mut Harness) {
    harness.test(
        "screen::follows_the_cluster",
        own(LabOptions::default(), follows_the_cluster).limit(Duration::from_secs(600)),
    );
    harness.test(
        "screen::gives_the_terminal_back",
        own(LabOptions::default(), gives_the_terminal_back).limit(Duration::from_secs(600)),
    );
}

struct Terminal<'l> {
    lab: &'l Lab,
    node: Node<'l>,
}

impl Terminal<'_> {
    fn tmux(&self, args: &[&str]) -> Result<String> {
        let command = self.node.command("tmux").args(["-u", "-S", "/run/screen"]);
        let command = command
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8");
        command.args(args.iter().copied()).stdout()
    }

    fn keys(&self, keys: &[&str]) -> Result<()> {
        let words = [&["send-keys", "-t", "live"], keys].concat();
        self.tmux(&words).map(drop)
    }

    /// Returns each row of the screen as it is, with the columns of what was drawn.
    fn rows(&self) -> Result<Vec<String>> {
        let screen = self.tmux(&["capture-pane", "-p", "-N", "-t", "live"])?;
        Ok(screen.lines().map(str::to_owned).collect())
    }

    /// Waits until the screen has a row that is exactly this, up to the blanks at its end.
    fn has_row(&self, what: &str, row: &str) -> Result<()> {
        self.lab.wait_until(LIMIT, what, || {
            let rows = self.rows()?;
            if rows.iter().any(|shown| shown.trim_end_matches(' ') == row) {
                Ok(())
            } else {
                let screen = rows.join("\n");
                Err(NotYet::because(format!("no row {row:?} on\n{screen}")))
            }
        })
    }

    /// Tells whether a program has the terminal's other screen, and hides the cursor or not.
    fn modes(&self) -> Result<String> {
        let format = "#{alternate_on} #{cursor_flag}";
        let modes = self.tmux(&["display-message", "-p", "-t", "live", format])?;
        Ok(modes.trim().to_owned())
    }

    fn resize(&self, width: &str, height: &str) -> Result<()> {
        self.tmux(&["resize-window", "-t", "live", "-x", width, "-y", height])
            .map(drop)
    }

    /// Waits until the screen has all of these texts and none of the others; returns it.
    fn shows(&self, what: &str, texts: &[&str], not: &[&str]) -> Result<String> {
        self.lab.wait_until(LIMIT, what, || {
            let screen = self.tmux(&["capture-pane", "-p", "-t", "live"])?;
            let missing = texts.iter().find(|text| !screen.contains(**text));
            let left = not.iter().find(|text| screen.contains(**text));
            match (missing, left) {
                (None, None) => Ok(screen),
                (Some(text), _) => Err(NotYet::because(format!("no {text:?} on\n{screen}"))),
                (_, Some(text)) => Err(NotYet::because(format!("{text:?} still on\n{screen}"))),
            }
        })
    }
}

/// A daemon that neither answers nor is gone, and a launcher that is gone: no change of the CIB tells it.
fn silent_daemons(terminal: &Terminal<'_>) -> Result<()> {
    let node = terminal.lab.node("maitre")?;
    let live = "live since the last change";
    let launcher = "Status of pacemakerd: 'Pacemaker is running'";
    terminal.shows("all is well at first", &[live, launcher], &["no answer"])?;

    node.stop("pacemaker-based")?;
    let lines = [
        "no answer from pacemaker-based since",
        "last known state",
        "VIP_externe",
    ];
    terminal.shows("its silence is told", &lines, &[live])?;
    // The keys work meanwhile.
    terminal.keys(&["?"])?;
    terminal.shows("? shows the keys", &["A  node attributes"], &[live])?;
    terminal.keys(&["?"])?;
    node.cont("pacemaker-based")?;
    terminal.shows("its answer is seen", &[live, launcher], &["no answer"])?;

    node.stop("pacemakerd")?;
    let lines = ["no answer from pacemakerd since", "VIP_externe"];
    terminal.shows("the launcher's silence is told", &lines, &[live, launcher])?;
    node.cont("pacemakerd")?;
    terminal
        .shows("its answer is seen", &[live, launcher], &["no answer"])
        .map(drop)
}

/// Whatever signal ends the program, the shell that started it goes on as if nothing had been.
fn gives_the_terminal_back(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    install(&node, &build()?)?;
    let terminal = Terminal { lab, node };
    let words = ["-f", "/dev/null", "new-session", "-d", "-s", "live"];
    let size = ["-x", "100", "-y", "30", "env", "PS1=ready> ", "sh"];
    terminal.tmux(&[&words[..], &size].concat())?;
    terminal.shows("the shell is there", &["ready>"], &[])?;
    let before = terminal.modes()?;
    assert_eq!(before, "0 1");
    for (number, signal) in ["TERM", "HUP", "INT"].into_iter().enumerate() {
        let line = format!(
            "clear; echo seen-$((100 + {number})); stty -g >/run/tty; {OURS}; \
             echo ended-$?; stty -g | cmp - /run/tty && echo same-as-$((200 + {number}))"
        );
        terminal.keys(&[&line, "Enter"])?;
        let lines = ["Cluster Summary:", "Online: [ esclave maitre ]"];
        let seen = format!("seen-{}", 100 + number);
        terminal.shows("the view is there", &lines, &[&seen])?;
        assert_eq!(terminal.modes()?, "1 0", "{signal}");
        let script = format!("kill -{signal} $(pidof crm_mon-live ha-crm_mon)");
        let kill = terminal.node.command("sh").args(["-c", &script]);
        kill.stdout()?;
        let same = format!("same-as-{}", 200 + number);
        let lines = [seen.as_str(), "ended-0", &same];
        let gone = ["Cluster Summary:", "? keys"];
        terminal.shows("the shell is back, and what it had shown", &lines, &gone)?;
        assert_eq!(terminal.modes()?, before, "{signal}");
    }
    Ok(())
}

fn follows_the_cluster(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    install(&node, &build()?)?;
    let terminal = Terminal { lab, node };
    terminal.tmux(&[
        "-f",
        "/dev/null",
        "new-session",
        "-d",
        "-s",
        "live",
        "-x",
        "110",
        "-y",
        "50",
        OURS,
    ])?;
    let lines = ["Cluster Summary:", "Online: [ esclave maitre ]", "? keys"];
    terminal.shows("the cluster is on the screen", &lines, &[])?;

    // Changes come by themselves.
    lab.load_sphynx()?;
    let lines = ["VIP_externe", "Clone Set: gw_pingd_clone"];
    terminal.shows("the resources are on the screen", &lines, &[])?;
    // Tabulators stand for blanks up to the next eighth column.
    terminal.has_row(
        "its columns are those of crm_mon on a terminal",
        "    * VIP_externe       (ocf:heartbeat:IPaddr2):         Started maitre",
    )?;
    let standby = |value: &[&str]| {
        let args = [&["-N", "esclave"], value].concat();
        let command = lab.node("maitre")?.command("crm_standby");
        command.args(args).stdout()
    };
    standby(&["-v", "on"])?;
    terminal.shows("the standby is seen", &["Node esclave: standby"], &[])?;
    standby(&["-D"])?;
    terminal.shows("its end is seen", &[], &["Node esclave: standby"])?;

    terminal.keys(&["A"])?;
    terminal.shows("A shows attributes", &["Node Attributes:", "pingd"], &[])?;
    terminal.keys(&["?"])?;
    terminal.shows("? shows the keys", &["* A  node attributes"], &["pingd"])?;
    terminal.keys(&["?", "A", "D"])?;
    terminal.shows(
        "A and D hide parts",
        &["VIP_externe"],
        &["Node Attributes:", "Cluster Summary:"],
    )?;
    terminal.keys(&["D"])?;
    terminal.resize("60", "6")?;
    let gone = ["VIP_externe"];
    terminal.shows("a small window shows the top", &["Cluster Summary:"], &gone)?;
    terminal.keys(&["/", "v", "i", "p", "_", "i", "Enter"])?;
    let gone = ["Cluster Summary:"];
    terminal.shows("what is searched for is gone to", &["VIP_interne"], &gone)?;
    terminal.keys(&["/", "u", "n", "h", "e", "a", "r", "d", "Enter"])?;
    terminal.has_row("a search in vain says so", "no match: unheard")?;
    terminal.resize("2", "2")?;
    terminal.resize("110", "50")?;
    terminal.keys(&["Home"])?;
    terminal.shows("a large one shows it all again", &["Cluster Summary:"], &[])?;

    silent_daemons(&terminal)?;

    // The daemon is gone, and cannot be started again.
    let node = lab.node("maitre")?;
    node.stop("pacemakerd")?;
    node.kill("pacemaker-based")?;
    let lines = [
        "no connection to the cluster since",
        "last known state",
        "VIP_externe",
    ];
    terminal.shows("the loss is told", &lines, &[])?;
    terminal.resize("60", "50")?;
    let lines = ["no connection to the cluster since", "last known"];
    terminal.shows("the loss is told on a narrow screen", &lines, &[])?;
    terminal.resize("110", "50")?;
    node.cont("pacemakerd")?;
    terminal.shows("its return is seen", &["live since"], &["no connection"])?;

    // The launcher alone is gone, for good.
    terminal.shows(
        "all is well again",
        &["live since", "is running"],
        &["no answer"],
    )?;
    node.kill("pacemakerd")?;
    let lines = ["no answer from pacemakerd since", "VIP_externe"];
    let gone = ["live since", "is running"];
    terminal.shows("the launcher's end is told", &lines, &gone)?;

    terminal.keys(&["q"])?;
    lab.wait_until(LIMIT, "q ends the program", || {
        let left = terminal.node.processes("ha-crm_mon")?;
        if left.is_empty() {
            Ok(())
        } else {
            Err(NotYet::because(format!("processes {left:?}")))
        }
    })
}
