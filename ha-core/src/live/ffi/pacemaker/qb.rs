//! IPC with a daemon by libqb alone, which is loaded when it is first needed.
//!
//! Pacemaker's libraries bring forty others with them; libqb, over which all of its IPC goes, brings a
//! few. What is here may be called from any thread, a connection from one at a time.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::live::ffi::corosync::block_signals;
use crate::{Error, ErrorKind, Result};

/// The library that all supported versions of Pacemaker use.
const SONAME: &CStr = c"libqb.so.100";

/// How often the library looks whether the daemon is still there, when that does not answer.
const LOOK: Duration = Duration::from_millis(100);

type Connect = unsafe extern "C" fn(name: *const c_char, max_msg_size: usize) -> *mut c_void;
type Disconnect = unsafe extern "C" fn(connection: *mut c_void);
type Send = unsafe extern "C" fn(connection: *mut c_void, msg: *const c_void, len: usize) -> isize;
type Receive = unsafe extern "C" fn(
    connection: *mut c_void,
    msg: *mut c_void,
    len: usize,
    ms_timeout: i32,
) -> isize;
type BufferSize = unsafe extern "C" fn(connection: *mut c_void) -> i32;
type Descriptor = unsafe extern "C" fn(connection: *mut c_void, fd: *mut i32) -> i32;

/// The functions of the library.
#[derive(Debug)]
pub(crate) struct Library {
    connect: Connect,
    disconnect: Disconnect,
    send: Send,
    receive: Receive,
    receive_event: Receive,
    buffer_size: BufferSize,
    descriptor: Descriptor,
}

/// Returns the library, loaded for the rest of the process's life.
pub(crate) fn library() -> Result<&'static Library> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    LIBRARY.get_or_init(load).as_ref().ok_or_else(|| {
        let message = format!("{} cannot be loaded", SONAME.to_string_lossy());
        Error::new(ErrorKind::Unsupported, message).with_hint("install libqb100")
    })
}

fn load() -> Option<Library> {
    // SAFETY: the name is NUL-terminated. The library's initialisers only set up its own log.
    let handle = unsafe { libc::dlopen(SONAME.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
    let handle = NonNull::new(handle)?;
    let symbol = |name: &CStr| {
        // SAFETY: the handle is open and is never closed; the name is NUL-terminated.
        NonNull::new(unsafe { libc::dlsym(handle.as_ptr(), name.as_ptr()) }).map(NonNull::as_ptr)
    };
    // SAFETY: functions of these types in every library of this soname (`qb/qbipcc.h`).
    unsafe {
        use std::mem::transmute;
        Some(Library {
            connect: transmute::<*mut c_void, Connect>(symbol(c"qb_ipcc_connect")?),
            disconnect: transmute::<*mut c_void, Disconnect>(symbol(c"qb_ipcc_disconnect")?),
            send: transmute::<*mut c_void, Send>(symbol(c"qb_ipcc_send")?),
            receive: transmute::<*mut c_void, Receive>(symbol(c"qb_ipcc_recv")?),
            receive_event: transmute::<*mut c_void, Receive>(symbol(c"qb_ipcc_event_recv")?),
            buffer_size: transmute::<*mut c_void, BufferSize>(symbol(c"qb_ipcc_get_buffer_size")?),
            descriptor: transmute::<*mut c_void, Descriptor>(symbol(c"qb_ipcc_fd_get")?),
        })
    }
}

/// A connection to a server; closed by drop.
#[derive(Debug)]
pub(crate) struct Connection {
    library: &'static Library,
    handle: NonNull<c_void>,
}

impl Connection {
    /// Connects, with room for messages of so many bytes. Blocks for ever when the server is stopped,
    /// so it is for a thread that can be given up (which takes no signals from here on).
    pub(crate) fn open(
        library: &'static Library,
        server: &CStr,
        room: usize,
    ) -> std::io::Result<Self> {
        block_signals();
        // SAFETY: libqb's client side keeps no state outside the connection that it returns.
        let handle = unsafe { (library.connect)(server.as_ptr(), room) };
        let handle = NonNull::new(handle).ok_or_else(std::io::Error::last_os_error)?;
        Ok(Self { library, handle })
    }

    /// The user whom the server ran as when it began to listen.
    pub(crate) fn owner(&self) -> std::io::Result<u32> {
        let mut descriptor = -1;
        // SAFETY: the connection is open; the number is written to a place of ours.
        let rc = unsafe { (self.library.descriptor)(self.handle.as_ptr(), &raw mut descriptor) };
        if rc < 0 {
            return Err(std::io::Error::from_raw_os_error(-rc));
        }
        let mut peer = libc::ucred {
            pid: 0,
            uid: u32::MAX,
            gid: u32::MAX,
        };
        let mut length = size_of::<libc::ucred>() as libc::socklen_t;
        // SAFETY: writes at most `length` bytes to `peer`; the call takes any number for a descriptor.
        let rc = unsafe {
            libc::getsockopt(
                descriptor,
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut peer).cast(),
                &raw mut length,
            )
        };
        if rc < 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(peer.uid)
    }

    /// Sends a message, which begins with its header.
    pub(crate) fn send(&self, message: &[u8]) -> std::io::Result<()> {
        // SAFETY: the connection is open, and the message is only read.
        let rc = unsafe {
            (self.library.send)(self.handle.as_ptr(), message.as_ptr().cast(), message.len())
        };
        length(rc).map(drop)
    }

    /// Returns the next answer, its header first.
    pub(crate) fn receive(&self, deadline: Instant) -> std::io::Result<Vec<u8>> {
        self.take(self.library.receive, deadline)
    }

    /// Returns the next event, its header first.
    pub(crate) fn receive_event(&self, deadline: Instant) -> std::io::Result<Vec<u8>> {
        self.take(self.library.receive_event, deadline)
    }

    fn take(&self, receive: Receive, deadline: Instant) -> std::io::Result<Vec<u8>> {
        // SAFETY: the connection is open.
        let room = unsafe { (self.library.buffer_size)(self.handle.as_ptr()) };
        let mut message = vec![0_u8; usize::try_from(room).unwrap_or(0)];
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).min(LOOK);
            // SAFETY: the connection is open; at most `message.len()` bytes are written.
            let rc = unsafe {
                receive(
                    self.handle.as_ptr(),
                    message.as_mut_ptr().cast(),
                    message.len(),
                    i32::try_from(left.as_millis()).unwrap_or(0),
                )
            };
            match length(rc) {
                Ok(length) => {
                    message.truncate(length);
                    return Ok(message);
                }
                Err(e) if is_for_later(&e) && !left.is_zero() => {}
                Err(e) => return Err(e),
            }
        }
    }
}

/// The library counts bytes, or says what went wrong as a negative `errno`.
fn length(rc: isize) -> std::io::Result<usize> {
    usize::try_from(rc).map_err(|_| {
        let errno = c_int::try_from(-rc).unwrap_or(libc::EPROTO);
        std::io::Error::from_raw_os_error(errno)
    })
}

fn is_for_later(e: &std::io::Error) -> bool {
    matches!(
        e.raw_os_error(),
        Some(libc::EAGAIN | libc::ETIMEDOUT | libc::EINTR)
    )
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: ours, and nothing uses it afterwards.
        unsafe { (self.library.disconnect)(self.handle.as_ptr()) };
    }
}
