//! Functions that some supported libraries lack, looked up while the program runs.
//!
//! The bindings of the 2.x family come from Pacemaker 2.0.5, so that one program runs with every
//! library of the family. What later versions added is here: `None` says that the library in use does
//! not have it.

#![allow(unsafe_code)]

use core::ffi::{CStr, c_char, c_int, c_uint};

use crate::{cib_t, ocf_exitcode, pcmk_ipc_api_t, xmlNode};

/// Declares a look-up for each C function; under feature `bindgen` and in the 3.x family the compiler
/// also holds the declared type against the one in the headers.
macro_rules! optional {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $ty:ty),*) $(-> $result:ty)?;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name() -> Option<unsafe extern "C" fn($($ty),*) $(-> $result)?> {
            type Function = unsafe extern "C" fn($($argument: $ty),*) $(-> $result)?;
            #[cfg(pacemaker_3)]
            const _: Function = crate::$name;
            look_up(concat!(stringify!($name), "\0")).map(|address| {
                // SAFETY: a function of this type in every version that has the symbol.
                unsafe { core::mem::transmute::<*mut libc::c_void, Function>(address) }
            })
        }
    )*};
}

/// The address of a symbol of the libraries that the process has loaded.
fn look_up(name: &'static str) -> Option<*mut libc::c_void> {
    let name = CStr::from_bytes_with_nul(name.as_bytes()).ok()?;
    // SAFETY: the name ends with a NUL; RTLD_DEFAULT searches the libraries already loaded.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

/// What `crm_xml_escape` is.
pub type Escape = unsafe extern "C" fn(*const c_char) -> *mut c_char;

/// How libraries of family 2 escape a text for XML; the result is the caller's to free.
#[must_use]
pub fn crm_xml_escape() -> Option<Escape> {
    look_up("crm_xml_escape\0").map(|address| {
        // SAFETY: a function of this type in every version that has the symbol.
        unsafe { core::mem::transmute::<*mut libc::c_void, Escape>(address) }
    })
}

/// What libxml2 calls for each node that it makes or frees; none is allowed.
pub type NodeHook = Option<unsafe extern "C" fn(node: *mut xmlNode)>;

/// libxml2's hooks for nodes, which libraries of family 2 use to mark what a program changes.
#[derive(Debug, Clone, Copy)]
pub struct NodeHooks {
    /// Sets the hook for new nodes of the thread that first used libxml2; returns the one before.
    pub set_made: unsafe extern "C" fn(NodeHook) -> NodeHook,
    /// Sets the hook for nodes to be freed, of the same thread; returns the one before.
    pub set_freed: unsafe extern "C" fn(NodeHook) -> NodeHook,
    /// Where the calling thread has its hook for new nodes.
    pub made: unsafe extern "C" fn() -> *mut NodeHook,
    /// Where the calling thread has its hook for nodes to be freed.
    pub freed: unsafe extern "C" fn() -> *mut NodeHook,
}

/// The functions for these hooks, of a libxml2 that has all of them.
#[must_use]
pub fn node_hooks() -> Option<NodeHooks> {
    type Set = unsafe extern "C" fn(NodeHook) -> NodeHook;
    type Place = unsafe extern "C" fn() -> *mut NodeHook;
    let addresses = (
        look_up("xmlRegisterNodeDefault\0")?,
        look_up("xmlDeregisterNodeDefault\0")?,
        look_up("__xmlRegisterNodeDefaultValue\0")?,
        look_up("__xmlDeregisterNodeDefaultValue\0")?,
    );
    // SAFETY: functions of these types in every version that has the symbols.
    unsafe {
        Some(NodeHooks {
            set_made: core::mem::transmute::<*mut libc::c_void, Set>(addresses.0),
            set_freed: core::mem::transmute::<*mut libc::c_void, Set>(addresses.1),
            made: core::mem::transmute::<*mut libc::c_void, Place>(addresses.2),
            freed: core::mem::transmute::<*mut libc::c_void, Place>(addresses.3),
        })
    }
}

optional! {
    /// Forgets the notifications of a CIB connection (2.1).
    fn cib_free_notify(cib: *mut cib_t);
    /// Asks the launcher to stop the node (2.1).
    fn pcmk_pacemakerd_api_shutdown(api: *mut pcmk_ipc_api_t, ipc_name: *const c_char) -> c_int;
    /// The OCF exit status that fits a return code (2.1).
    fn pcmk_rc2ocf(rc: c_int) -> ocf_exitcode;
    /// Name and description of a result of the given kind (2.1).
    fn pcmk_result_get_strings(
        code: c_int, kind: c_uint, name: *mut *const c_char, description: *mut *const c_char
    ) -> c_int;
    /// Asks the scheduler for the transition graph of a CIB (2.1).
    fn pcmk_schedulerd_api_graph(
        api: *mut pcmk_ipc_api_t, cib: *mut xmlNode, reference: *mut *mut c_char
    ) -> c_int;
    /// The word for the state of a fencing operation (2.1).
    fn stonith_op_state_str(state: c_uint) -> *const c_char;
}
