//! Plain IPC with a daemon, one XML message and its answer at a time.

use std::ffi::{CStr, c_int};
use std::ptr::NonNull;
use std::time::Duration;

use pacemaker_sys as sys;

use super::Here;
use super::escape;
use super::xml::{Output, Tree};
use crate::Result;
use crate::xml::Document;

/// A connection to an IPC server. Stays on the Pacemaker thread.
#[derive(Debug)]
pub(crate) struct Ipc(NonNull<sys::crm_ipc_t>);

impl Ipc {
    /// Connects, with room for messages of so many bytes, or more where the administrator says so;
    /// longer ones travel compressed, or in parts. Blocks for ever when the server is stopped (see
    /// `runtime::reach`).
    ///
    /// The error is a negative `errno`.
    pub(crate) fn connect(
        _: &Here,
        server: &CStr,
        room: usize,
    ) -> std::result::Result<Self, c_int> {
        // SAFETY: makes a handle, or null; the name is copied.
        let handle = NonNull::new(unsafe { sys::crm_ipc_new(server.as_ptr(), room) });
        let ipc = Self(handle.ok_or(-libc::ENOMEM)?);
        // SAFETY: the handle is new and ours. Pacemaker 3 still exports this function, and has no
        // other that gives a connection on which messages of one's own can be sent.
        if unsafe { sys::crm_ipc_connect(ipc.0.as_ptr()) } {
            Ok(ipc)
        } else {
            Err(-libc::ENOTCONN)
        }
    }

    /// Tells whether the server is still there, as far as is known.
    pub(crate) fn is_connected(&self, _: &Here) -> bool {
        // SAFETY: the handle is alive.
        unsafe { sys::crm_ipc_connected(self.0.as_ptr()) }
    }

    /// Sends a message and waits for the answer, which every server gives when it is asked to.
    ///
    /// After an error the connection must be dropped: a late answer would be taken for the next one's.
    pub(crate) fn ask(
        &mut self,
        here: &Here,
        message: &Document,
        timeout: Duration,
    ) -> Result<std::result::Result<Option<Document>, c_int>> {
        let mut reply = std::ptr::null_mut();
        let sent = self.send(here, message, timeout, Some(&mut reply))?;
        // SAFETY: the library gives the reply away, whatever it returns.
        let reply = unsafe { Output::new(reply) };
        if let Err(rc) = sent {
            return Ok(Err(rc));
        }
        Ok(Ok(reply.map(|reply| reply.to_document()).transpose()?))
    }

    /// As [`Ipc::ask`], with the answer as it came: its text is not looked at. A message that came in
    /// parts (Pacemaker 3) may be only the last of them.
    pub(crate) fn ask_for_text(
        &mut self,
        here: &Here,
        message: &Document,
        timeout: Duration,
    ) -> Result<std::result::Result<&[u8], c_int>> {
        if let Err(rc) = self.send(here, message, timeout, None)? {
            return Ok(Err(rc));
        }
        // SAFETY: after an answer came, the buffer holds it until the next call; the library has made
        // sure that it ends with a NUL.
        let text = unsafe { CStr::from_ptr(sys::crm_ipc_buffer(self.0.as_ptr())) };
        Ok(Ok(text.to_bytes()))
    }

    /// Sends a message that is not answered.
    pub(crate) fn tell(
        &mut self,
        here: &Here,
        message: &Document,
        timeout: Duration,
    ) -> Result<std::result::Result<(), c_int>> {
        self.send_as(here, message, timeout, sys::crm_ipc_flags_none, None)
    }

    fn send(
        &mut self,
        here: &Here,
        message: &Document,
        timeout: Duration,
        reply: Option<&mut *mut sys::xmlNode>,
    ) -> Result<std::result::Result<(), c_int>> {
        self.send_as(here, message, timeout, sys::crm_ipc_client_response, reply)
    }

    fn send_as(
        &mut self,
        here: &Here,
        message: &Document,
        timeout: Duration,
        flags: sys::crm_ipc_flags,
        reply: Option<&mut *mut sys::xmlNode>,
    ) -> Result<std::result::Result<(), c_int>> {
        escape::check(message)?;
        let message = Tree::new(here, message)?;
        let milliseconds = i32::try_from(timeout.as_millis())
            .unwrap_or(i32::MAX)
            .max(1);
        // SAFETY: handle and message are alive through the call, which copies the message. Without a
        // place for a reply it makes no tree of it.
        let rc = unsafe {
            sys::crm_ipc_send(
                self.0.as_ptr(),
                message.root(),
                flags,
                milliseconds,
                reply.map_or(std::ptr::null_mut(), |reply| &raw mut *reply),
            )
        };
        Ok(match rc {
            ..0 => Err(rc),
            // The library's word for a connection that ended before the answer.
            0 => Err(-libc::ENOTCONN),
            1.. => Ok(()),
        })
    }
}

impl Drop for Ipc {
    fn drop(&mut self) {
        // SAFETY: ours, and nothing uses it afterwards.
        unsafe {
            sys::crm_ipc_close(self.0.as_ptr());
            sys::crm_ipc_destroy(self.0.as_ptr());
        }
    }
}
