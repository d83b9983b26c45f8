//! What could not be read.

use std::fmt;

use serde::Serialize;

use crate::Error;

/// Something in a document that is not as Pacemaker's schemas want it: kept as it was written, and
/// not understood.
///
/// As an [`Error`], it is of kind [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), with a hint
/// that says what would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    path: String,
    problem: String,
    would_do: Option<&'static str>,
}

impl Unreadable {
    pub(super) fn new(path: String, problem: String, would_do: Option<&'static str>) -> Self {
        Self {
            path,
            problem,
            would_do,
        }
    }

    /// Returns the path of the element, from the root, with the ids on the way.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Returns what would be right.
    #[must_use]
    pub fn would_do(&self) -> Option<&str> {
        self.would_do
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        let error = Self::invalid(unreadable.to_string());
        match unreadable.would_do {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
