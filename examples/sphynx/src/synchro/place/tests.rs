use std::os::unix::fs::symlink;

use super::super::entry::{Manifest, compare, list};
use super::super::record::jiff_text::Time;
use super::*;

/// A source, a target, and what has arrived of the source.
struct Stage {
    base: PathBuf,
}

impl Stage {
    fn new(name: &str) -> Self {
        let base = std::env::temp_dir().join(format!("sphynx-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&base);
        for folder in ["source/d", "target/d", "arrived"] {
            fs::create_dir_all(base.join(folder)).unwrap();
        }
        Self { base }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn manifest(&self, side: &str) -> Manifest {
        list(&self.at(side), ["/d", "/base"]).unwrap()
    }

    fn changes(&self) -> Vec<Change> {
        compare(&self.manifest("source"), &self.manifest("target"))
    }

    /// What rsync does.
    fn arrive(&self) {
        let (from, to) = (self.at("source/."), self.at("arrived"));
        let done = Command::new("cp")
            .arg("-a")
            .arg(from)
            .arg(to)
            .status()
            .unwrap();
        assert!(done.success());
    }

    fn place(&self, changes: &[Change]) -> Result<()> {
        let record = Record {
            ended: Time(jiff::Timestamp::UNIX_EPOCH),
            from: String::new(),
            to: String::new(),
            changes: 0,
            bytes: 0,
            prints: std::collections::BTreeMap::new(),
        };
        let places = Places {
            staging: &self.at("arrived"),
            journal: &self.at("journal"),
            root: &self.at("target"),
        };
        prepare(places, changes, Some("/base"), &record).map(drop)
    }

    fn steps(&self) -> Vec<Step> {
        read::<Journal>(&self.at("journal")).unwrap().unwrap().steps
    }

    fn left_beside(&self) -> Vec<String> {
        let found = Command::new("find")
            .arg(self.at("target"))
            .args(["-name", ".*sphynx*"])
            .output();
        let found = String::from_utf8(found.unwrap().stdout).unwrap();
        found.lines().map(str::to_owned).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.base);
    }
}

fn filled(name: &str) -> Stage {
    let stage = Stage::new(name);
    stage.write("source/d/changed", "new");
    stage.write("source/d/deep/er", "new");
    stage.write("source/d/was-folder", "file");
    stage.write("source/d/was-file/x", "in a folder");
    stage.write("source/base", "base, new");
    symlink("changed", stage.at("source/d/link")).unwrap();
    fs::set_permissions(stage.at("source/d/deep"), fs::Permissions::from_mode(0o710)).unwrap();
    stage.write("target/d/changed", "old");
    stage.write("target/d/gone", "old");
    stage.write("target/d/gone-folder/x", "old");
    stage.write("target/d/was-folder/x", "old");
    stage.write("target/d/was-file", "old");
    stage.write("target/base", "base, old");
    stage.write("target/base-wal", "of the old base");
    stage.arrive();
    stage
}

#[test]
fn everything_comes_to_its_place_and_a_second_time_nothing_happens() {
    let stage = filled("go");
    stage.place(&stage.changes()).unwrap();
    let owners = Owners::read().unwrap();
    let steps = stage.steps();
    for _ in 0..2 {
        steps.iter().for_each(|step| step.go(&owners).unwrap());
        assert_eq!(stage.changes(), []);
        assert!(!stage.at("target/base-wal").exists());
    }
}

#[test]
fn wherever_it_stops_it_is_finished_or_taken_back() {
    let owners = Owners::read().unwrap();
    let count = {
        let stage = filled("count");
        stage.place(&stage.changes()).unwrap();
        stage.steps().len()
    };
    assert!(count > 8, "{count}");
    for stop in 0..count {
        // The power goes: the next run finishes.
        let stage = filled("cut");
        stage.place(&stage.changes()).unwrap();
        let steps = stage.steps();
        steps[..stop]
            .iter()
            .for_each(|step| step.go(&owners).unwrap());
        steps.iter().for_each(|step| step.go(&owners).unwrap());
        assert_eq!(stage.changes(), [], "finished after {stop}");
        // The file system refuses: all is as it was.
        let stage = filled("back");
        let before = stage.manifest("target");
        stage.place(&stage.changes()).unwrap();
        let steps = stage.steps();
        steps[..stop]
            .iter()
            .for_each(|step| step.go(&owners).unwrap());
        steps[..=stop]
            .iter()
            .rev()
            .for_each(|step| step.back(&owners));
        let after = stage.manifest("target");
        for (path, entry) in &before {
            let found = after
                .get(path)
                .unwrap_or_else(|| panic!("{path} after {stop}"));
            assert!(found.same(entry), "{path} after {stop}: {found:?}");
        }
        assert_eq!(after.len(), before.len(), "after {stop}");
        assert!(stage.at("target/base-wal").exists(), "after {stop}");
    }
}

#[test]
fn what_did_not_arrive_as_it_was_sent_changes_nothing() {
    let stage = filled("wrong");
    let changes = stage.changes();
    stage.write("arrived/d/deep/er", "cut sh");
    let before = stage.manifest("target");
    let error = stage.place(&changes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("d/deep/er"), "{error}");
    assert_eq!(stage.manifest("target"), before);
    assert_eq!(stage.left_beside(), Vec::<String>::new());
}
