//! What corosync's return codes mean.

use std::fmt;
use std::time::Duration;

use corosync_sys as sys;

use crate::live::ffi::corosync::cpg::MOST_MEMBERS;
use crate::live::ffi::corosync::{DispatchError, Status};
use crate::{Error, ErrorKind};

const RUNNING: &str = "check that corosync runs on this node: systemctl status corosync";
const STOPPED: &str = "check that corosync is neither stopped nor starved: \
     ps -o stat,pcpu,cmd -C corosync (state T is stopped)";
const RIGHTS: &str =
    "run as root, or let the user in with a uidgid section (a file in /etc/corosync/uidgid.d)";

/// Makes the error for a return code.
#[cold]
pub(super) fn failed(status: Status) -> Error {
    let (kind, message, hint) = match status.0 {
        sys::CS_ERR_LIBRARY => (
            ErrorKind::Disconnected,
            "corosync is not running, or went away",
            Some(RUNNING),
        ),
        sys::CS_ERR_BAD_HANDLE => (ErrorKind::Disconnected, "the connection is closed", None),
        sys::CS_ERR_TIMEOUT => (ErrorKind::Timeout, "corosync gave up waiting", None),
        sys::CS_ERR_TRY_AGAIN => (
            ErrorKind::TryAgain,
            "corosync is busy (its queue is full, or the membership is changing)",
            None,
        ),
        sys::CS_ERR_INTERRUPT => (ErrorKind::TryAgain, "interrupted", None),
        sys::CS_ERR_BUSY => (
            ErrorKind::TryAgain,
            "corosync is busy with another request",
            None,
        ),
        sys::CS_ERR_INVALID_PARAM | sys::CS_ERR_BAD_FLAGS => (
            ErrorKind::Invalid,
            "corosync does not accept this value",
            None,
        ),
        sys::CS_ERR_NAME_TOO_LONG => (ErrorKind::Invalid, "the name is too long", None),
        sys::CS_ERR_NOT_EXIST | sys::CS_ERR_NAME_NOT_FOUND | sys::CS_ERR_NO_SECTIONS => {
            (ErrorKind::NotFound, "there is no such thing", None)
        }
        sys::CS_ERR_EXIST => (ErrorKind::AlreadyExists, "it exists already", None),
        sys::CS_ERR_ACCESS | sys::CS_ERR_SECURITY => (
            ErrorKind::PermissionDenied,
            "corosync does not let this user in",
            Some(RIGHTS),
        ),
        sys::CS_ERR_NO_MEMORY => (
            ErrorKind::Limit,
            "no memory or no file descriptor is left",
            None,
        ),
        sys::CS_ERR_NO_SPACE
        | sys::CS_ERR_NO_RESOURCES
        | sys::CS_ERR_QUEUE_FULL
        | sys::CS_ERR_TOO_MANY_GROUPS => (ErrorKind::Limit, "a limit of corosync is reached", None),
        sys::CS_ERR_TOO_BIG | sys::CS_ERR_MESSAGE_ERROR => {
            (ErrorKind::Limit, "the message is too large", None)
        }
        sys::CS_ERR_NOT_SUPPORTED | sys::CS_ERR_VERSION => (
            ErrorKind::Unsupported,
            "this corosync, as it is configured, cannot do that",
            None,
        ),
        _ => (ErrorKind::Daemon, "corosync reported a failure", None),
    };
    let error = Error::new(kind, format!("{message} ({})", status.text())).with_code(code(status));
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Makes the error for a return code of a connect.
#[cold]
pub(super) fn connect_failed(status: Status) -> Error {
    match status.0 {
        // The daemon keeps the queues of its connections there.
        sys::CS_ERR_NO_SPACE => failed_as(
            status,
            ErrorKind::Limit,
            "corosync has no space left for the connection",
        )
        .with_hint("look for what fills /dev/shm on this node: df -h /dev/shm"),
        _ => failed(status),
    }
}

/// The same code with words that fit one particular call better.
#[cold]
pub(super) fn failed_as(status: Status, kind: ErrorKind, message: impl fmt::Display) -> Error {
    Error::new(kind, format!("{message} ({})", status.text())).with_code(code(status))
}

fn code(status: Status) -> i32 {
    i32::try_from(status.0).unwrap_or(i32::MAX)
}

/// Corosync did not answer by the deadline.
#[cold]
pub(super) fn no_answer(timeout: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("corosync did not answer within {timeout:?}"),
    )
    .with_hint(STOPPED)
}

/// Earlier attempts to connect still have no answer.
#[cold]
pub(super) fn still_no_connection() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "corosync still does not answer earlier attempts to connect",
    )
    .with_hint(STOPPED)
}

/// An earlier call on the same connection still has no answer.
#[cold]
pub(super) fn still_no_answer(earlier: &str) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("corosync still does not answer an earlier call of this connection ({earlier})"),
    )
    .with_hint(STOPPED)
}

/// The program closed this connection.
#[cold]
pub(super) fn closed() -> Error {
    Error::new(
        ErrorKind::Disconnected,
        "the connection was closed by this program",
    )
}

/// A group has more members than libcpg can tell of.
#[cold]
pub(super) fn crowd(members: usize) -> Error {
    Error::new(
        ErrorKind::Limit,
        format!("the group has {members} members: libcpg has no room for more than {MOST_MEMBERS}"),
    )
    .with_hint("spread the processes over several groups: corosync-cpgtool lists who is in which")
}

/// Events could not be had.
#[cold]
pub(super) fn dispatch_failed(cause: DispatchError) -> Error {
    let error = match cause {
        DispatchError::Status(status) => failed(status),
        DispatchError::Stack => Error::new(
            ErrorKind::Limit,
            "this thread's stack is too small: corosync's libraries need 1 MiB of it to dispatch",
        )
        .with_hint("dispatch from a thread with a stack of at least 2 MiB (Builder::stack_size)"),
        DispatchError::Crowd(members) => crowd(members),
    };
    error.context("get events from corosync")
}
