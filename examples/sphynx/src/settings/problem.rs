//! What is wrong with settings.

use crate::say;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, with a risk that one should know.
    Warning,
    /// It cannot work.
    Error,
}

/// What is wrong with a value, and what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The value's path in the file: `vip[1].adresse`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would do.
    pub fix: String,
}

impl Problem {
    pub(super) fn error(path: impl Into<String>, message: String, fix: String) -> Self {
        Self {
            severity: Severity::Error,
            path: path.into(),
            message,
            fix,
        }
    }

    pub(super) fn warning(path: impl Into<String>, message: String, fix: String) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(path, message, fix)
        }
    }

    /// Returns the problem in one line, with what would do.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { message, fix, .. } = self;
        say!("{message}; {fix}", "{message} ; {fix}")
    }
}
