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

/// The elements that are resources, those that contain others and templates included.
pub const RESOURCES: [&str; 6] = [
    "primitive",
    "group",
    "clone",
    "master",
    "bundle",
    "template",
];

/// Tells whether elements of this name are resources (templates too).
#[must_use]
pub fn is_resource(element: &str) -> bool {
    RESOURCES.contains(&element)
}
