//! `hactl` on CIB files, run as a person would: what it says, in which language, and how it ends.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod foresee;
mod refuse;
mod run;
mod words;
