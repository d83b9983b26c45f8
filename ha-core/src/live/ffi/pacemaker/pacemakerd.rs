//! Requests to pacemakerd.

use std::ffi::{c_int, c_void};

use pacemaker_sys as sys;

use super::Here;
use super::api::{Connection, Daemon, text};

/// The daemon that starts and watches the others.
#[derive(Debug)]
pub(crate) struct Pacemakerd;

/// What it says of itself.
#[derive(Debug)]
pub(crate) struct Ping {
    /// Who answers: `pacemakerd`, or `pacemaker-remoted`.
    pub(crate) from: String,
    /// Its state, in the words of the protocol.
    pub(crate) state: String,
    /// When it last knew its daemons to be well, in seconds of Unix time.
    pub(crate) last_good: Option<i64>,
    /// Whether it says that all is well.
    pub(crate) ok: bool,
}

impl Daemon for Pacemakerd {
    const NUMBER: sys::pcmk_ipc_server = sys::pcmk_ipc_pacemakerd;
    const SERVER: &'static str = "pacemakerd";
    const NAME: &'static str = "pacemakerd";
    /// Nothing when the reply is to another request.
    type Reply = Option<Ping>;

    unsafe fn decode(data: *const c_void) -> Self::Reply {
        // SAFETY: by the trait's contract a reply of pacemakerd, whose type tells the variant; its
        // strings live during the callback.
        unsafe {
            let reply = &*data.cast::<sys::pcmk_pacemakerd_api_reply_t>();
            if reply.reply_type != sys::pcmk_pacemakerd_reply_ping {
                return None;
            }
            let ping = &reply.data.ping;
            let state = sys::pcmk_pacemakerd_api_daemon_state_enum2text(ping.state);
            Some(Ping {
                from: text(ping.sys_from).unwrap_or_default(),
                state: text(state).unwrap_or_default(),
                last_good: (ping.last_good > 0).then_some(ping.last_good),
                ok: ping.status == 0,
            })
        }
    }
}

impl Connection<Pacemakerd> {
    /// Asks how it is.
    pub(crate) fn ping(&self, _: &Here) -> Result<(), c_int> {
        // SAFETY: the handle is alive; the name is static.
        let rc = unsafe { sys::pcmk_pacemakerd_api_ping(self.raw(), c"ha-core".as_ptr()) };
        if rc == 0 { Ok(()) } else { Err(rc) }
    }
}
