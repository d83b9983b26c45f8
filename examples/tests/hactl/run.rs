//! Running the program.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Two nodes, all online: `vpn` (a group of `a` and `ipsec`) and `b` on maitre, `st-clone` promoted on esclave.
pub(crate) const PAIR: &str = include_str!("pair.xml");

/// How the program has ended, and what it has said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Each line of the standard output, as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        as_json(&self.out)
    }

    /// Each line of the standard error, as JSON.
    pub(crate) fn json_errors(&self) -> Vec<Value> {
        as_json(&self.err)
    }
}

fn as_json(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

/// A CIB file of a test.
pub(crate) struct File(pub(crate) tempfile::TempDir);

impl File {
    pub(crate) fn new(cib: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("cib.xml"), cib).expect("written");
        Self(folder)
    }

    pub(crate) fn cib(&self) -> String {
        std::fs::read_to_string(self.0.path().join("cib.xml")).expect("it is there")
    }

    /// Runs the program on the file, in English.
    pub(crate) fn hactl(&self, words: &[&str]) -> Ended {
        run(Some(&self.0.path().join("cib.xml")), words, "C")
    }

    pub(crate) fn french(&self, words: &[&str]) -> Ended {
        run(Some(&self.0.path().join("cib.xml")), words, "fr_FR.UTF-8")
    }
}

/// Runs the program.
pub(crate) fn run(cib: Option<&Path>, words: &[&str], locale: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hactl"));
    command.args(words).env("LC_ALL", locale);
    match cib {
        Some(cib) => command.env("CIB_file", cib),
        None => command.env_remove("CIB_file"),
    };
    let output = command
        .env_remove("CIB_shadow")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Whether Pacemaker's scheduler can be asked here.
pub(crate) fn has_scheduler() -> bool {
    Command::new(OsStr::new("crm_simulate"))
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}
