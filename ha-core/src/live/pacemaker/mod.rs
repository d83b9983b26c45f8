//! Pacemaker: the CIB, attributes, the controller, the fencer, the executor.
//!
//! All of it goes through Pacemaker's own libraries, on one thread of this process that the first
//! call starts. What that means for a program:
//!
//! * Handles can be cloned and used from any thread. Each call has a deadline; none blocks longer.
//! * The first call initialises the libraries, which write to the process's environment, umask,
//!   locale and GLib log handler; all are put back at once. Make it before starting threads that use
//!   those, as for any library that initialises itself.
//! * A default log handler of GLib (`g_log_set_default_handler`) that the program had before is not put
//!   back, as GLib does not tell its data: set it again after the first call. Until then, messages of
//!   other threads go to GLib's own handler. Handlers for single domains stay.
//! * The program may use libxml2 on other threads. Pacemaker 2's library has hooks for the nodes that
//!   libxml2 makes and frees; these are kept to the Pacemaker thread. A program that sets such hooks
//!   itself (`xmlRegisterNodeDefault`) does so before the first call.
//! * GLib's default main context belongs to that thread. A program that runs a GLib main loop itself
//!   must give it a context of its own.
//! * Messages of the C libraries become `tracing` events of target `pacemaker`, none goes to stderr.

pub mod attrd;
pub mod cib;
pub mod controld;
pub(crate) mod error;
pub(in crate::live) mod exchange;
pub mod executor;
pub mod fencer;
pub mod glance;
pub mod pacemakerd;
pub mod peers;
pub(crate) mod runtime;
pub mod watch;
