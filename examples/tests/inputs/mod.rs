//! The CIBs that the tests of `crm_mon` share.

use std::path::{Path, PathBuf};

/// The made-up CIBs of this tree, and each so many-th of those in the folder `HA_CIBS`.
pub(crate) fn cibs(step: usize) -> Vec<PathBuf> {
    let list = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "xml"))
            .filter(|path| !path.to_string_lossy().ends_with(".out.xml"))
            .collect();
        paths.sort();
        paths
    };
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../ha-core/tests/data/status");
    let mut cibs = list(Path::new(fixtures));
    assert!(cibs.len() >= 4, "the fixtures are missing: {cibs:?}");
    if let Some(folder) = std::env::var_os("HA_CIBS") {
        cibs.extend(list(Path::new(&folder)).into_iter().step_by(step));
    }
    cibs
}
