//! The typed CIB: borrowed views over the tree, no decisions.
//!
//! A view knows the words of the CIB and how Pacemaker reads a value; it never says what follows
//! from it. That is [`crate::status`]'s part.

pub mod agent;
mod cib;
pub mod fencing;
pub mod operation;
pub mod scalar;
pub mod time;

pub use cib::Cib;
pub use operation::Operation;
