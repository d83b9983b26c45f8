//! Both programs, run the same way.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};

const INSTALLED: &str = "/usr/sbin/crm_mon";

/// Which of the two.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    Installed,
    Ours,
}

/// What a run gave; the moment of printing is hidden.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
}

impl Outcome {
    /// Tells whether a script would see the same, errors too; what the C libraries log on the way, with
    /// the function that does, is not compared.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.code, self.signal, &self.output) == (other.code, other.signal, &other.output)
            && self.said() == other.said()
    }

    fn said(&self) -> Vec<&str> {
        let is_logged = |line: &&str| line.starts_with('(') && line.contains(") \t");
        self.errors
            .lines()
            .filter(|line| !is_logged(line))
            .collect()
    }

    /// Hides how to use the program, which each says in its own words before what is wrong.
    pub(crate) fn without_help(mut self) -> Self {
        if self.errors.starts_with("Usage:\n") {
            let at = self.errors.rfind("\n\n").map_or(0, |at| at + 2);
            self.errors = format!("(help)\n{}", &self.errors[at..]);
        }
        self
    }

    /// Returns the first line in which they differ.
    pub(crate) fn first_difference(&self, other: &Self) -> String {
        let (mut theirs, mut ours) = (self.output.lines(), other.output.lines());
        loop {
            match (theirs.next(), ours.next()) {
                (None, None) => {
                    let (theirs, ours) = (self.said(), other.said());
                    return format!("{:?} {:?} {theirs:?} {ours:?}", self.code, other.code);
                }
                (a, b) if a == b => {}
                (a, b) => return format!("{a:?} {b:?}"),
            }
        }
    }
}

/// Runs one of the programs on a CIB.
pub(crate) fn run(program: Program, words: &[String], zone: &str, cib: &Path) -> Outcome {
    run_as("crm_mon", program, words, zone, cib)
}

/// Runs one of the programs, called by a name.
pub(crate) fn run_as(
    name: &str,
    program: Program,
    words: &[String],
    zone: &str,
    cib: &Path,
) -> Outcome {
    let mut command = Command::new(match program {
        Program::Installed => INSTALLED,
        Program::Ours => env!("CARGO_BIN_EXE_crm_mon"),
    });
    let output = command
        .arg0(name)
        .args(words)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", zone)
        .env("CIB_file", cib)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Outcome {
        code: output.status.code(),
        output: without_times(&output.stdout),
        errors: without_times(&output.stderr),
        signal: output.status.signal(),
    }
}

/// Returns a text without the moment of printing.
pub(crate) fn without_times(bytes: &[u8]) -> String {
    let hide = |line: &str| {
        let marks = ["Last updated: ", "<last_update time="];
        let at = marks.iter().find_map(|mark| line.find(mark));
        at.map_or(line, |at| &line[..at]).to_owned() + "\n"
    };
    String::from_utf8_lossy(bytes).lines().map(hide).collect()
}

/// Tells whether there is a program to compare with.
pub(crate) fn is_there() -> bool {
    let version = Command::new(INSTALLED).arg("--version").output();
    let is = version.is_ok_and(|output| output.stdout.starts_with(b"Pacemaker 2.1.5\n"));
    if !is {
        eprintln!("not compared: {INSTALLED} of Pacemaker 2.1.5 is not installed");
    }
    is
}
