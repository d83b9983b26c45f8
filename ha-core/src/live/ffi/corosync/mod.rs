//! The C side of Corosync's libraries.
//!
//! A connection is split into two tokens. [`Requests`] is what may write to the daemon: its
//! request ring and its one answer slot serve a single thread at a time, so each function that
//! uses them borrows the token mutably. [`Events`] is the dispatching side, for one thread at a
//! time too, but independent of the first. Both are needed, by value, to close the connection.

pub(in crate::live) mod cfg;
pub(in crate::live) mod cmap;
pub(in crate::live) mod cpg;
pub(in crate::live) mod gate;
pub(in crate::live) mod quorum;
mod slot;
mod stack;
pub(in crate::live) mod votequorum;

use std::collections::VecDeque;
use std::ffi::{CStr, c_char, c_int};
use std::marker::PhantomData;
#[cfg(feature = "tokio")]
use std::os::fd::OwnedFd;
use std::os::fd::{BorrowedFd, RawFd};
use std::thread::LocalKey;
use std::time::Duration;

use corosync_sys as sys;
use rustix::event::{PollFd, PollFlags, poll};

use crate::live::corosync::deadline::timespec;
use slot::Slot;

/// A `cs_error_t` as a daemon or a library gave it, never `CS_OK` inside an `Err`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::live) struct Status(pub(in crate::live) u32);

impl Status {
    pub(in crate::live) const LIBRARY: Self = Self(sys::CS_ERR_LIBRARY);
    pub(in crate::live) const TRY_AGAIN: Self = Self(sys::CS_ERR_TRY_AGAIN);
    pub(in crate::live) const INVALID_PARAM: Self = Self(sys::CS_ERR_INVALID_PARAM);
    pub(in crate::live) const NOT_EXIST: Self = Self(sys::CS_ERR_NOT_EXIST);

    fn check(code: sys::cs_error_t) -> Result<(), Self> {
        if code == sys::CS_OK {
            Ok(())
        } else {
            Err(Self(code))
        }
    }

    /// Returns the library's own short text for the code, such as `CS_ERR_BUSY`.
    pub(in crate::live) fn text(self) -> &'static str {
        // SAFETY: cs_strerror returns a pointer to a constant, NUL-terminated string for any code.
        let text = unsafe { CStr::from_ptr(sys::cs_strerror(self.0)) };
        text.to_str().unwrap_or("unknown error")
    }
}

/// Why a dispatch failed.
#[derive(Debug, Clone, Copy)]
pub(in crate::live) enum DispatchError {
    /// Corosync or its library said so.
    Status(Status),
    /// The calling thread's stack has no room for the library's buffer.
    Stack,
    /// A group has so many members, more than libcpg has room for.
    Crowd(usize),
}

/// What differs between the five libraries when a connection is made, polled and closed.
pub(in crate::live) trait Library: Sized + Send + 'static {
    /// Finalizes the C handle; blocks while the daemon is stopped.
    fn finalize(handle: u64) -> sys::cs_error_t;
}

/// The right to write to the daemon through one connection, held by one thread at a time.
#[derive(Debug)]
pub(in crate::live) struct Requests<L: Library> {
    handle: u64,
    socket: RawFd,
    /// How many more requests surely fit into the socket's buffer (see [`Requests::has_room`]).
    room: u32,
    /// A number for the library's own use.
    extra: u32,
    library: PhantomData<L>,
}

/// The right to dispatch one connection.
#[derive(Debug)]
pub(in crate::live) struct Events<L: Library> {
    handle: u64,
    socket: RawFd,
    library: PhantomData<L>,
}

impl<L: Library> Requests<L> {
    /// Splits a fresh C handle; closes it again when its descriptor cannot be had.
    fn split(
        handle: u64,
        fd_get: impl FnOnce(*mut c_int) -> sys::cs_error_t,
    ) -> Result<(Self, Events<L>), Status> {
        let mut socket = -1;
        if let Err(status) = Status::check(fd_get(&raw mut socket)) {
            L::finalize(handle);
            return Err(status);
        }
        let requests = Self {
            handle,
            socket,
            room: 0,
            extra: 0,
            library: PhantomData,
        };
        Ok((
            requests,
            Events {
                handle,
                socket,
                library: PhantomData,
            },
        ))
    }

    /// Tells whether one more request can be written without waiting.
    ///
    /// Each request is announced to the daemon by one byte on a Unix socket. When the daemon does
    /// not read (it is stopped, or very slow) the socket's buffer fills after some 280 requests,
    /// and then the C library tries again and again without ever returning. So the bytes that are
    /// still unread are counted here first. A look at the socket is good for many requests.
    #[inline]
    pub(in crate::live) fn has_room(&mut self) -> bool {
        self.room > 0 || self.look_for_room()
    }

    #[cold]
    fn look_for_room(&mut self) -> bool {
        self.room = free_slots(self.socket);
        self.room > 0
    }

    /// Waits until the daemon has read most of what was announced, but not for longer than a time.
    pub(in crate::live) fn wait_for_room(&mut self, time: Duration) {
        // SAFETY: the connection, and with it the socket, is open as long as this token is there.
        let socket = unsafe { BorrowedFd::borrow_raw(self.socket) };
        let mut fds = [PollFd::new(&socket, PollFlags::OUT)];
        // Whatever comes of it, the next request looks at the room again.
        let _ = poll(&mut fds, Some(&timespec(time)));
    }

    /// Tells whether the daemon has closed its end.
    fn is_hung_up(&self) -> bool {
        let mut fd = libc::pollfd {
            fd: self.socket,
            events: 0,
            revents: 0,
        };
        // SAFETY: poll reads and writes one pollfd and does not wait.
        let ready = unsafe { libc::poll(&raw mut fd, 1, 0) };
        ready == 1 && fd.revents & (libc::POLLHUP | libc::POLLERR) != 0
    }

    /// Notes that a request is written.
    #[inline]
    fn spend(&mut self) {
        self.room = self.room.saturating_sub(1);
    }
}

/// What one announcing byte takes from the socket's buffer, rounded up (768 on 64-bit Linux).
const SLOT: usize = 2048;

#[cold]
fn free_slots(socket: RawFd) -> u32 {
    let mut unread: c_int = 0;
    let mut size: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: both calls write one int to the address given; a descriptor that is no longer a
    // socket makes them fail.
    let results = unsafe {
        let size = libc::getsockopt(
            socket,
            libc::SOL_SOCKET,
            libc::SO_SNDBUF,
            (&raw mut size).cast(),
            &raw mut length,
        );
        // SIOCOUTQ on a socket has the number of TIOCOUTQ.
        (size, libc::ioctl(socket, libc::TIOCOUTQ, &raw mut unread))
    };
    if results != (0, 0) {
        // A broken socket: let the library report that.
        return 1;
    }
    let free = usize::try_from(size.saturating_sub(unread)).unwrap_or(0);
    u32::try_from(free / SLOT).unwrap_or(u32::MAX)
}

impl<L: Library> Events<L> {
    /// Returns the descriptor that becomes readable when there is something to dispatch.
    pub(in crate::live) fn descriptor(&self) -> BorrowedFd<'_> {
        // SAFETY: the library keeps the descriptor open until the handle is finalized, which
        // takes this token by value.
        unsafe { BorrowedFd::borrow_raw(self.socket) }
    }
}

/// Closes a connection; blocks while the daemon is stopped.
#[expect(clippy::needless_pass_by_value, reason = "both tokens end here")]
pub(in crate::live) fn finalize<L: Library>(requests: Requests<L>, events: Events<L>) {
    debug_assert_eq!(requests.handle, events.handle);
    // Whatever the code is, the handle is gone afterwards.
    L::finalize(requests.handle);
}

/// Dispatches a library whose callbacks only note what happened.
fn collect<E>(
    slot: &'static LocalKey<Slot<VecDeque<E>>>,
    into: &mut VecDeque<E>,
    dispatch: impl FnOnce(sys::cs_dispatch_flags_t) -> sys::cs_error_t,
) -> Result<(), DispatchError> {
    if !stack::is_large_enough() {
        return Err(DispatchError::Stack);
    }
    let code = slot.with(|slot| slot.with(into, || dispatch(sys::CS_DISPATCH_ALL)));
    Status::check(code).map_err(DispatchError::Status)
}

/// Notes what happened, from inside a callback.
fn note<E>(slot: &'static LocalKey<Slot<VecDeque<E>>>, event: E) {
    slot.with(|slot| slot.enter(|queue| queue.push_back(event)));
}

/// Borrows a list that C lends for the length of a callback.
///
/// # Safety
/// `first` points to `count` initialised values that stay as they are for `'a`, unless `count` is 0.
unsafe fn lent<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: as this function asks.
    unsafe { std::slice::from_raw_parts(first, count) }
}

/// Reads a text of a fixed-size C array: up to the first NUL, if there is one.
fn text(array: &[c_char]) -> String {
    let bytes = array
        .iter()
        .map(|&c| c.cast_unsigned())
        .take_while(|&c| c != 0);
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

/// Registers a descriptor with the current tokio runtime, for reading.
#[cfg(feature = "tokio")]
pub(in crate::live) fn readable(
    descriptor: OwnedFd,
) -> std::io::Result<tokio::io::unix::AsyncFd<OwnedFd>> {
    use tokio::io::{Interest, unix::AsyncFd};
    // SAFETY: the result owns the descriptor, which an `OwnedFd` keeps valid and open.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?)
}

/// Keeps signals away from the calling thread, so that the program's own threads handle them.
pub(in crate::live) fn block_signals() {
    // SAFETY: both calls only write to and read from the local set; any thread may call them.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
    }
}
