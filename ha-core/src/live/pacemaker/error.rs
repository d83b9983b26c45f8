//! From Pacemaker's return codes to [`Error`]s.

use crate::live::ffi::pacemaker as ffi;
use crate::{Error, ErrorKind};

/// Makes the error of a legacy return code: a negative `errno`, or a negative `pcmk_err_*`.
pub(crate) fn legacy(rc: i32) -> Error {
    let (kind, hint) = classify(rc.saturating_abs());
    Error::new(kind, ffi::legacy_text(rc))
        .with_code(rc)
        .with_hint(hint)
}

fn classify(code: i32) -> (ErrorKind, &'static str) {
    match code {
        libc::ENXIO | libc::ENOENT | 214 => (
            ErrorKind::NotFound,
            "look for it in the configuration: cibadmin --query --local",
        ),
        libc::EEXIST | 215 => (
            ErrorKind::AlreadyExists,
            "change the one that is there, or choose another id",
        ),
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
        libc::EAGAIN | libc::EALREADY | libc::EBUSY => (
            ErrorKind::TryAgain,
            "the daemon is busy with the like of it: wait a moment and ask again",
        ),
        libc::EACCES | libc::EPERM => (
            ErrorKind::PermissionDenied,
            "look at the ACLs of this user (cibadmin --query --scope acls)",
        ),
        libc::EINVAL | libc::EDOM | 213 => (
            ErrorKind::Invalid,
            "the daemon's log says what it does not accept: /var/log/pacemaker/pacemaker.log",
        ),
        libc::EPROTONOSUPPORT | libc::EOPNOTSUPP | libc::ENOSYS => (
            ErrorKind::Unsupported,
            "the daemon and the library may be of different versions (after an upgrade, restart \
             pacemaker: pacemakerd --version), or it was built without this",
        ),
        libc::ENOMEM | libc::ENOSPC | libc::EMSGSIZE | libc::EMFILE => (
            ErrorKind::Limit,
            "look at the memory, the space in /dev/shm and /var, and the open files (ulimit -n); a \
             large message needs a larger PCMK_ipc_buffer",
        ),
        libc::EIO => (
            ErrorKind::Io,
            "look at the disk (df, dmesg) and at /var/log/pacemaker/pacemaker.log",
        ),
        libc::EPROTO | libc::EBADMSG => (
            ErrorKind::Protocol,
            "the daemon and the library may be of different versions: after an upgrade, restart \
             pacemaker",
        ),
        202 => (
            ErrorKind::NoQuorum,
            "the partition has no quorum: see `corosync-quorumtool -s`",
        ),
        // Also schema changes that are not to be made: pcmk_err_transform_failed, _schema_unchanged.
        203 | 204 | 211 => (
            ErrorKind::Schema,
            "see what the schema does not allow: crm_verify --live-check --verbose",
        ),
        205..=207 => (
            ErrorKind::Conflict,
            "the CIB changed meanwhile: query it again and compute the change again",
        ),
        _ => (
            ErrorKind::Daemon,
            "crm_error explains the code; the daemon's log has more: /var/log/pacemaker/pacemaker.log",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_next_step() {
        for code in (0..256).chain([i32::MAX]) {
            let (_, hint) = classify(code);
            assert!(!hint.is_empty(), "{code}");
        }
        assert_eq!(classify(libc::EPROTONOSUPPORT).0, ErrorKind::Unsupported);
    }
}
