//! How many cases a property is tried with.

use proptest::test_runner::Config;

/// So many, or `PROPTEST_CASES` to look further; `PROPTEST_RNG_SEED` says which.
pub(crate) fn cases(cases: u32) -> Config {
    let usual = Config::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if asked { usual.cases } else { cases },
        failure_persistence: None,
        ..usual
    }
}
