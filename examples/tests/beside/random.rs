//! Options and CIBs at random: a bounded number of steps, the same ones each time.
//!
//! `HA_RANDOM_STEPS` sets how many of each kind, `HA_RANDOM_SEED` which. What differs is kept as a
//! file, and named with the options. Where the installed program dies of a signal there is nothing
//! to be like: it does so for a history without operations of a resource that is not configured, for
//! one; ours answers then, which is checked.

use std::path::{Path, PathBuf};

use ha_core::xml::Document;

use crate::installed::{Program, is_there, run};
use crate::numbers::Numbers;
use crate::{generated, inputs, mutation, options};

/// What shows nearly everything there is.
const BROAD: [&str; 4] = [
    "-1 -r -A -f -o -t -c -L -R",
    "--output-as=xml",
    "-1 -n -r -b -A -f",
    "-1 -r",
];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Collects what differs.
struct Comparison {
    folder: PathBuf,
    compared: usize,
    died: usize,
    different: Vec<String>,
    /// How many CIBs have a difference.
    kept: usize,
}

impl Comparison {
    fn new(what: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(what);
        std::fs::create_dir_all(&folder).unwrap();
        Self {
            folder,
            compared: 0,
            died: 0,
            different: Vec::new(),
            kept: 0,
        }
    }

    /// Compares the outputs for one CIB; of one that differs, the file stays.
    fn compare(&mut self, name: &str, cib: &Document, runs: &[(Vec<String>, &str)]) {
        let path = self.folder.join(format!("{name}.xml"));
        std::fs::write(&path, cib.to_xml()).unwrap();
        let before = self.different.len();
        for (words, zone) in runs {
            let theirs = run(Program::Installed, words, zone, &path).without_help();
            let ours = run(Program::Ours, words, zone, &path).without_help();
            self.compared += 1;
            let said = if theirs.signal.is_some() {
                self.died += 1;
                if ours.code == Some(0) {
                    continue;
                }
                format!("{:?}: {}", ours.code, ours.errors)
            } else if theirs.is_like(&ours) {
                continue;
            } else {
                theirs.first_difference(&ours)
            };
            let line = format!(
                "CIB_file={} TZ={zone} crm_mon {}: {said}",
                path.display(),
                words.join(" ")
            );
            eprintln!("{line}");
            self.different.push(line);
        }
        if self.different.len() == before {
            std::fs::remove_file(&path).unwrap();
        } else {
            self.kept += 1;
        }
    }

    /// Fails when a CIB has a difference: none is excused.
    fn finish(self) {
        eprintln!(
            "{} compared, {} CIBs with a difference; the installed program died in {}",
            self.compared, self.kept, self.died
        );
        assert!(self.compared > 0, "nothing was compared");
        assert!(self.kept == 0, "{}", self.different.join("\n"));
    }
}

fn read(step: usize) -> Vec<(String, Document)> {
    let cibs = inputs::cibs(step).into_iter();
    let named = cibs.map(|path| {
        let document = Document::parse_bytes(&std::fs::read(&path).unwrap()).unwrap();
        (
            path.file_stem().unwrap().to_string_lossy().into_owned(),
            document,
        )
    });
    named.collect()
}

fn steps(default: u64) -> (u64, std::ops::Range<u64>) {
    let first = number("HA_RANDOM_FIRST", 0);
    let seed = number("HA_RANDOM_SEED", 3);
    (seed, first..first + number("HA_RANDOM_STEPS", default))
}

fn broad(numbers: &mut Numbers) -> (Vec<String>, &'static str) {
    let words = numbers.pick(&BROAD).split_whitespace();
    (words.map(str::to_owned).collect(), "UTC")
}

#[test]
fn options_at_random() {
    if !is_there() {
        return;
    }
    let cibs = read(1);
    let mut comparison = Comparison::new("options");
    let (seed, steps) = steps(150);
    for step in steps {
        let numbers = &mut Numbers::of_step(seed, step);
        let (name, cib) = numbers.one(&cibs);
        let runs = [
            options::at_random(cib, numbers),
            options::at_random(cib, numbers),
        ];
        comparison.compare(&format!("{step}-{name}"), cib, &runs);
    }
    comparison.finish();
}

#[test]
fn made_up_cibs() {
    if !is_there() {
        return;
    }
    let mut comparison = Comparison::new("made-up");
    let (seed, steps) = steps(150);
    for step in steps {
        let numbers = &mut Numbers::of_step(seed, step);
        let cib = generated::cib(numbers);
        let runs = [broad(numbers), options::at_random(&cib, numbers)];
        comparison.compare(&step.to_string(), &cib, &runs);
    }
    comparison.finish();
}

#[test]
fn mutated_cibs() {
    if !is_there() {
        return;
    }
    let (names, cibs): (Vec<String>, Vec<Document>) = read(1).into_iter().unzip();
    let known = mutation::Vocabulary::of(&cibs);
    let mut comparison = Comparison::new("mutated");
    let (seed, steps) = steps(150);
    for step in steps {
        let numbers = &mut Numbers::of_step(seed, step);
        let at = numbers.below(cibs.len());
        let cib = mutation::mutated(&cibs[at], &cibs, &known, numbers);
        let runs = [broad(numbers), options::at_random(&cib, numbers)];
        comparison.compare(&format!("{step}-{}", names[at]), &cib, &runs);
    }
    comparison.finish();
}
