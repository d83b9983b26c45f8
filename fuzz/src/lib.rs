//! What each fuzz target checks, one module a target: the targets call these, and so does
//! ha-core's test `fuzz_replay`.

pub mod cib_parse;
pub mod cib_status;
pub mod patch_apply;
pub mod xml_parse;
