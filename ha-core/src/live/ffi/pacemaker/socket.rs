//! Ending the waits of the C libraries from outside.

use std::net::Shutdown;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};

/// Shuts this process's connections to an IPC server; returns how many there were.
///
/// libqb waits on such a socket when it connects, and looks at it each second while it waits for an
/// answer; it takes the end of the socket for the end of the server. The libraries do not tell their
/// descriptors, so all of the process's are looked at. One that is none of ours but leads to the same
/// server is shut too: its owner sees a server that went away, which is what a stopped one is to it.
pub(crate) fn shut_all_to(server: &str) -> usize {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return 0;
    };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let sockets = numbers.filter_map(|number: RawFd| {
        let socket = UnixStream::from(duplicate(number)?);
        let peer = socket.peer_addr().ok()?;
        leads_to(&peer, server).then_some(socket)
    });
    sockets
        .filter(|socket| socket.shutdown(Shutdown::Both).is_ok())
        .count()
}

/// A descriptor of our own for what another one names at this moment, whoever closes that meanwhile.
fn duplicate(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: the call takes any number, and fails for one that is not open; what it returns is new.
    unsafe {
        let own = libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0);
        (own >= 0).then(|| OwnedFd::from_raw_fd(own))
    }
}

/// libqb names its sockets in the abstract namespace, or by files where the administrator wants that.
fn leads_to(peer: &SocketAddr, server: &str) -> bool {
    if let Some(name) = peer.as_abstract_name() {
        // The name is filled up with zeros.
        let end = name
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        return &name[..end] == server.as_bytes();
    }
    let file = peer.as_pathname().and_then(std::path::Path::file_name);
    file.is_some_and(|name| name == server)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn shuts_the_connections_to_one_server_only() {
        let listen = |name: &str| {
            let address = SocketAddr::from_abstract_name(name).unwrap();
            (UnixListener::bind_addr(&address).unwrap(), address)
        };
        let (_one, one) = listen("ha-core-test-one\0\0\0");
        let (_other, other) = listen("ha-core-test-one-more");
        let mut mine = UnixStream::connect_addr(&one).unwrap();
        let others = UnixStream::connect_addr(&other).unwrap();
        assert_eq!(shut_all_to("ha-core-test-one"), 1);
        assert_eq!(mine.read(&mut [0]).unwrap(), 0);
        others.set_nonblocking(true).unwrap();
        let open = (&others).read(&mut [0]).unwrap_err();
        assert_eq!(open.kind(), std::io::ErrorKind::WouldBlock);
        assert_eq!(shut_all_to("ha-core-test-none"), 0);
    }
}
