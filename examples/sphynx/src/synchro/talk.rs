//! What the two sides of a synchronisation say to each other: a line of JSON for each request and each answer.

use ha_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::entry::{Change, Manifest};
use super::judge::Situation;
use super::record::Record;

/// Both sides must be of the same.
pub(super) const VERSION: u32 = 1;

/// What the source asks of the target.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Who is there, and what is there?
    Look {
        version: u32,
        from: String,
        roots: Vec<String>,
        addresses: Vec<String>,
        resources: Vec<String>,
        /// Whether something may be changed.
        only_look: bool,
    },
    /// Is there room for these? Says where they are to arrive.
    Prepare { sizes: Vec<(String, u64)> },
    /// Put all of it in its place, and remember.
    Place {
        changes: Vec<Change>,
        database: Option<String>,
        record: Record,
    },
    /// It came to nothing.
    GiveUp { reason: String },
}

/// What the target answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Seen {
        name: String,
        situation: Situation,
        manifest: Manifest,
        record: Option<Record>,
    },
    Ready {
        staging: String,
    },
    Done,
    Refused {
        kind: Kind,
        message: String,
        hint: Option<String>,
    },
}

/// The kinds of failures that the other side tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Limit,
    TryAgain,
    Unsupported,
    Io,
}

impl Answer {
    pub(super) fn refused(e: &Error) -> Self {
        Self::Refused {
            kind: match e.kind() {
                ErrorKind::Limit => Kind::Limit,
                ErrorKind::TryAgain => Kind::TryAgain,
                ErrorKind::Unsupported => Kind::Unsupported,
                _ => Kind::Io,
            },
            message: format!("{e:#}"),
            hint: e.hint().map(str::to_owned),
        }
    }
}

impl From<Kind> for ErrorKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Limit => Self::Limit,
            Kind::TryAgain => Self::TryAgain,
            Kind::Unsupported => Self::Unsupported,
            Kind::Io => Self::Io,
        }
    }
}
