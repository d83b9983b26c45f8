//! From Pacemaker's return codes to [`Error`]s.

use crate::live::ffi::pacemaker as ffi;
use crate::{Error, ErrorKind};

/// Makes the error of a legacy return code: a negative `errno`, or a negative `pcmk_err_*`.
pub(crate) fn legacy(rc: i32) -> Error {
    let (kind, hint) = classify(rc.saturating_abs());
    let e = Error::new(kind, ffi::legacy_text(rc)).with_code(rc);
    if hint.is_empty() {
        e
    } else {
        e.with_hint(hint)
    }
}

fn classify(code: i32) -> (ErrorKind, &'static str) {
    match code {
        libc::ENXIO | libc::ENOENT | 214 => (ErrorKind::NotFound, ""),
        libc::EEXIST | 215 => (ErrorKind::AlreadyExists, ""),
        libc::ENOTCONN
        | libc::ECONNREFUSED
        | libc::ECONNRESET
        | libc::ECONNABORTED
        | libc::EPIPE
        | libc::ESHUTDOWN => (
            ErrorKind::Disconnected,
            "start the cluster on this node (systemctl start pacemaker), or try again: a daemon \
             that died is started again by pacemakerd",
        ),
        // ECOMM is what libcib says when no answer came in time.
        libc::ECOMM | libc::ETIME | libc::ETIMEDOUT => (
            ErrorKind::Timeout,
            "the daemon is stopped, hung or overloaded; if it was a change, it may still take effect",
        ),
        libc::EAGAIN | libc::EALREADY | libc::EBUSY => (ErrorKind::TryAgain, ""),
        libc::EACCES | libc::EPERM => (
            ErrorKind::PermissionDenied,
            "look at the ACLs of this user (cibadmin --query --scope acls)",
        ),
        libc::EINVAL | libc::EDOM | 213 => (ErrorKind::Invalid, ""),
        libc::EPROTONOSUPPORT | libc::EOPNOTSUPP | libc::ENOSYS => (ErrorKind::Unsupported, ""),
        libc::ENOMEM | libc::ENOSPC | libc::EMSGSIZE | libc::EMFILE => (ErrorKind::Limit, ""),
        libc::EIO => (ErrorKind::Io, ""),
        libc::EPROTO | libc::EBADMSG => (ErrorKind::Protocol, ""),
        202 => (
            ErrorKind::NoQuorum,
            "the partition has no quorum: see `corosync-quorumtool -s`",
        ),
        203 => (ErrorKind::Schema, ""),
        // Schema changes that are not to be made: pcmk_err_transform_failed, _schema_unchanged.
        204 | 211 => (ErrorKind::Schema, ""),
        205..=207 => (
            ErrorKind::Conflict,
            "the CIB changed meanwhile: query it again and compute the change again",
        ),
        _ => (ErrorKind::Daemon, ""),
    }
}
