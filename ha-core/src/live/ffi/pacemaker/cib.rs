//! A connection to pacemaker-based, and the two callbacks it has.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::NonNull;
use std::time::Duration;

use pacemaker_sys as sys;

use super::Here;
use super::mainloop::{guard, on_this_thread};
use super::xml::{self, Output, Tree};
use super::{escape, hooks};
use crate::Result;
use crate::xml::Document;

/// What performs each request: `cib_t` has it as an untyped public pointer, and every operation of
/// its method table goes through it with fewer arguments. Used directly because only here can a
/// request name the user it acts for, carry a patch set, and give back the rejected CIB when a
/// change does not conform to the schema. The same signature in all of 2.0.3 to 3.0.
type Perform = unsafe extern "C" fn(
    cib: *mut sys::cib_t,
    operation: *const c_char,
    host: *const c_char,
    section: *const c_char,
    data: *mut sys::xmlNode,
    output: *mut *mut sys::xmlNode,
    options: c_int,
    user: *const c_char,
) -> c_int;

/// One request to the CIB manager.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The operation's name in the protocol (`cib_query`, ...).
    pub(crate) operation: &'static CStr,
    /// A section, or an `XPath` expression with option `cib_xpath`.
    pub(crate) section: Option<&'a CStr>,
    pub(crate) data: Option<&'a Document>,
    /// `cib_call_options` besides `cib_sync_call`.
    pub(crate) options: u32,
    pub(crate) user: Option<&'a CStr>,
    /// How long the library may wait for the answer; it counts in whole seconds.
    pub(crate) timeout: Duration,
}

/// The answer: a legacy return code, and what came with it (also with some errors).
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) rc: i32,
    pub(crate) output: Option<Tied>,
}

/// An XML tree of the library, as long as the Pacemaker thread looks at it.
#[derive(Debug)]
pub(crate) struct Tied(Output);

impl Tied {
    /// Copies the tree into a document.
    pub(crate) fn to_document(&self) -> Result<Document> {
        self.0.to_document()
    }

    /// Copies the elements that an `XPath` query found: the library gives one as it is, and several
    /// inside an element of its own.
    pub(crate) fn to_matches(&self) -> Result<Vec<Document>> {
        // SAFETY: the tree is alive as long as `self` is; links are valid or null.
        unsafe {
            let root = self.node();
            if CStr::from_ptr((*root).name.cast()) != c"xpath-query" {
                return Ok(vec![self.to_document()?]);
            }
            let mut matches = Vec::new();
            let mut node = (*root).children;
            while !node.is_null() {
                if (*node).type_ == sys::XML_ELEMENT_NODE {
                    matches.push(xml::document(node)?);
                }
                node = (*node).next;
            }
            Ok(matches)
        }
    }

    /// The tree, for code of this half that works on libxml2's side.
    pub(super) fn node(&self) -> *const sys::xmlNode {
        self.0.node()
    }
}

/// What the main loop calls while a connection is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handlers {
    /// A change of the CIB: the `<notify>` message.
    pub(crate) changed: fn(&Here, &Notification),
    /// The daemon closed the connection.
    pub(crate) lost: fn(&Here),
}

/// A message lent by the library for the time of a callback.
#[derive(Debug)]
pub(crate) struct Notification(*const sys::xmlNode);

impl Notification {
    /// Copies the patch set out of the message: the element `diff`. None when the operation failed
    /// or changed nothing.
    pub(crate) fn patch(&self) -> Result<Option<Document>> {
        // SAFETY: the message is alive during the callback, and `self` is only lent to it; links are
        // valid or null.
        unsafe {
            let rc = sys::xmlGetProp(self.0, c"cib_rc".as_ptr().cast());
            if !rc.is_null() {
                let failed = CStr::from_ptr(rc.cast()) != c"0";
                libc::free(rc.cast());
                if failed {
                    return Ok(None);
                }
            }
            let Some(result) = child(self.0, c"cib_update_result") else {
                return Ok(None);
            };
            child(result, c"diff")
                .map(|diff| xml::document(diff))
                .transpose()
        }
    }
}

/// # Safety
/// `parent` is an element of a tree that stays as it is while the result is used.
unsafe fn child(parent: *const sys::xmlNode, name: &CStr) -> Option<*const sys::xmlNode> {
    // SAFETY: links of the tree, valid or null; elements have NUL-terminated names.
    unsafe {
        let mut node: *const sys::xmlNode = (*parent).children;
        while !node.is_null() {
            if (*node).type_ == sys::XML_ELEMENT_NODE && CStr::from_ptr((*node).name.cast()) == name
            {
                return Some(node);
            }
            node = (*node).next;
        }
        None
    }
}

/// How long subscribing may take: two short messages.
const SUBSCRIBE_SECONDS: c_int = 10;

/// The event of a change; Pacemaker 3 no longer publishes a constant for it.
const CHANGE_EVENT: &CStr = c"cib_diff_notify";

thread_local! {
    /// libcib's notification callbacks carry no user data, so there is one place for the handlers,
    /// and one connection that uses it.
    static HANDLERS: Cell<Option<Handlers>> = const { Cell::new(None) };
    /// The library also reports the end of a connection that we close ourselves.
    static CLOSING: Cell<bool> = const { Cell::new(false) };
}

/// What the library says when it cannot do something at all.
const NO_MEMORY: i32 = -libc::ENOMEM;
const NO_PROTOCOL: i32 = -libc::EPROTONOSUPPORT;

/// A connection to the CIB manager, or to a file. Stays on the Pacemaker thread; closed by drop,
/// never in a callback.
#[derive(Debug)]
pub(crate) struct Connection {
    cib: NonNull<sys::cib_t>,
    perform: Perform,
    /// Whether the handlers are this connection's.
    native: bool,
}

impl Connection {
    /// Signs on to the local pacemaker-based. Blocks for ever when that daemon is stopped.
    pub(crate) fn sign_on(
        _: &Here,
        name: &CStr,
        handlers: Handlers,
    ) -> std::result::Result<Self, i32> {
        // SAFETY: makes a handle, or null. Not `cib_new`, which obeys CIB_file and its like.
        let cib = unsafe { sys::cib_native_new() };
        let mut connection = Self::open(cib, name)?;
        connection.native = true;
        // SAFETY: the handle is alive; the callback is a static function.
        unsafe {
            if let Some(set) = (*(*cib).cmds).set_connection_dnotify {
                set(cib, Some(on_lost));
            }
        }
        HANDLERS.set(Some(handlers));
        Ok(connection)
    }

    /// Opens a CIB file, as it is when this is called; closing it writes it when it was changed. Only
    /// one may be open at a time: Pacemaker 2's library has a single copy in memory.
    pub(crate) fn open_file(here: &Here, path: &CStr) -> std::result::Result<Self, i32> {
        // A change would end the process.
        if !hooks::are_set(here) {
            return Err(NO_PROTOCOL);
        }
        // SAFETY: makes a handle, or null; the library copies the path.
        let cib = unsafe { sys::cib_file_new(path.as_ptr()) };
        Self::open(cib, c"ha-core")
    }

    fn open(cib: *mut sys::cib_t, name: &CStr) -> std::result::Result<Self, i32> {
        let cib = NonNull::new(cib).ok_or(NO_MEMORY)?;
        // SAFETY: a fresh handle has its method table; each method is called as declared. The name
        // is copied by the library. The handle is deleted on each failure.
        unsafe {
            let sign_on = (*(*cib.as_ptr()).cmds).signon;
            let rc = sign_on.map_or(NO_PROTOCOL, |sign_on| {
                sign_on(cib.as_ptr(), name.as_ptr(), sys::cib_command)
            });
            let perform = (*cib.as_ptr()).delegate_fn;
            if rc != 0 || perform.is_null() {
                closing(|| sys::cib_delete(cib.as_ptr()));
                return Err(if rc == 0 { NO_PROTOCOL } else { rc });
            }
            // The pointer that libcib itself converts so, in each operation.
            let perform = std::mem::transmute::<*mut c_void, Perform>(perform);
            Ok(Self {
                cib,
                perform,
                native: false,
            })
        }
    }

    /// Asks for a message about each change of the CIB.
    pub(crate) fn subscribe(&mut self, _: &Here) -> std::result::Result<(), i32> {
        let event = CHANGE_EVENT.as_ptr();
        // SAFETY: the handle is alive; the library keeps the event's pointer, which is static, and
        // the callback, which is a static function.
        let rc = unsafe {
            (*self.cib.as_ptr()).call_timeout = SUBSCRIBE_SECONDS;
            let methods = &*(*self.cib.as_ptr()).cmds;
            if let Some(remove) = methods.del_notify_callback {
                remove(self.cib.as_ptr(), event, Some(on_change));
            }
            methods.add_notify_callback.map_or(NO_PROTOCOL, |add| {
                add(self.cib.as_ptr(), event, Some(on_change))
            })
        };
        if rc == 0 { Ok(()) } else { Err(rc) }
    }

    /// Stops what [`Connection::subscribe`] began.
    pub(crate) fn unsubscribe(&mut self, _: &Here) {
        // SAFETY: as in `subscribe`.
        unsafe {
            (*self.cib.as_ptr()).call_timeout = SUBSCRIBE_SECONDS;
            if let Some(remove) = (*(*self.cib.as_ptr()).cmds).del_notify_callback {
                remove(self.cib.as_ptr(), CHANGE_EVENT.as_ptr(), Some(on_change));
            }
        }
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn perform(&mut self, here: &Here, request: &Request<'_>) -> Result<Reply> {
        request.data.map_or(Ok(()), escape::check)?;
        let data = request.data.map(|data| Tree::new(here, data)).transpose()?;
        let seconds = request.timeout.as_secs_f64().ceil().clamp(1.0, 86_400.0);
        let mut output: *mut sys::xmlNode = std::ptr::null_mut();
        // SAFETY: the handle is alive and used by this thread alone; strings and tree live through the
        // call, which copies what it keeps (calls are synchronous). The library gives the output
        // away, whatever it returns.
        let (rc, output) = unsafe {
            (*self.cib.as_ptr()).call_timeout = seconds as c_int;
            let rc = (self.perform)(
                self.cib.as_ptr(),
                request.operation.as_ptr(),
                std::ptr::null(),
                request.section.map_or(std::ptr::null(), CStr::as_ptr),
                data.as_ref().map_or(std::ptr::null_mut(), Tree::root),
                &raw mut output,
                (request.options | sys::cib_sync_call) as c_int,
                request.user.map_or(std::ptr::null(), CStr::as_ptr),
            );
            (rc, Output::new(output))
        };
        let output = output.map(Tied);
        Ok(Reply { rc, output })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.native {
            HANDLERS.set(None);
        }
        // SAFETY: ours, and nothing uses it afterwards. Runs from a job of the main loop, never
        // below one of the library's own callbacks, which would use the handle again.
        closing(|| unsafe {
            if let Some(sign_off) = (*(*self.cib.as_ptr()).cmds).signoff {
                sign_off(self.cib.as_ptr());
            }
            sys::cib_delete(self.cib.as_ptr());
        });
    }
}

fn closing(f: impl FnOnce()) {
    CLOSING.set(true);
    f();
    CLOSING.set(false);
}

unsafe extern "C" fn on_change(_: *const c_char, message: *mut sys::xmlNode) {
    guard("the CIB's notification callback", || {
        if let Some(handlers) = HANDLERS.get().filter(|_| !message.is_null()) {
            on_this_thread(|here| (handlers.changed)(here, &Notification(message)));
        }
    });
}

unsafe extern "C" fn on_lost(_: *mut c_void) {
    guard("the CIB's connection callback", || {
        if let Some(handlers) = HANDLERS.get().filter(|_| !CLOSING.get()) {
            on_this_thread(|here| (handlers.lost)(here));
        }
    });
}
