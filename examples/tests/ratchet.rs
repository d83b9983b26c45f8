//! `scripts/conformance` keeps the counts from falling: held against a comparison that says what it is
//! told to.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Writes the counts that it finds in the environment where the script looks for them.
const COMPARE: &str = "
import json, os, sys
modes = dict(pair.split('=') for pair in os.environ['FOUND'].split())
modes = {mode: {'identical': int(count)} for mode, count in modes.items()}
json.dump({'modes': modes}, open(sys.argv[sys.argv.index('--summary') + 1], 'w'))
";

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Runs the script on a comparison that finds these counts; without counts there is no comparison.
fn script(found: Option<&[(String, u32)]>, words: &[&str]) -> Output {
    let mut command = Command::new(tree().join("scripts/conformance"));
    command.args(words).env_remove("HA_CONFORMANCE");
    let Some(found) = found else {
        return command.output().unwrap();
    };
    let name = format!("ratchet-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.0.join("compare.py"), COMPARE).unwrap();
    let found: Vec<String> = found.iter().map(|(m, n)| format!("{m}={n}")).collect();
    command.env("FOUND", found.join(" "));
    command.args(["--program", "/bin/true", "--folder"]);
    command.arg(&folder.0).output().unwrap()
}

fn kept() -> Vec<(String, u32)> {
    let text = std::fs::read_to_string(tree().join("tests/conformance.ratchet")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(' '));
    pairs
        .map(|(mode, count)| (mode.to_owned(), count.parse().unwrap()))
        .collect()
}

/// One test: the runs share a folder.
#[test]
fn fewer_outputs_or_modes_fail() {
    let all = kept();
    assert!(all.len() >= 20, "{all:?}");
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let run = script(Some(&all), &[]);
    assert!(run.status.success(), "{}", said(&run));

    let mut fewer = all.clone();
    fewer[0].1 -= 1;
    let run = script(Some(&fewer), &[]);
    let name = &all[0].0;
    assert_eq!(run.status.code(), Some(1));
    assert!(said(&run).contains(&format!("{name} fell from")));

    let run = script(Some(&all[1..]), &[]);
    assert_eq!(run.status.code(), Some(1));
    assert!(said(&run).contains(&format!("{name} was not run")));

    // One mode that was asked for does for that one, and not for another.
    let run = script(Some(&all[..1]), &["--mode", name]);
    assert!(run.status.success(), "{}", said(&run));
    let run = script(Some(&all[1..2]), &["--mode", name]);
    assert_eq!(run.status.code(), Some(1));

    for (words, code) in [(&[][..], 0), (&["--required"], 1)] {
        let run = script(None, words);
        assert_eq!(run.status.code(), Some(code));
        assert!(said(&run).contains("NOT RUN"));
    }
}
