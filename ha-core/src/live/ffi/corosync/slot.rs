//! Where a C callback finds the Rust code it is to run.
//!
//! The libraries call back only from inside their own `*_dispatch`, on the thread that called it.
//! So the frame of the dispatch is left in a thread-local slot while C runs, one slot for each
//! library. That needs no table, no lock and no look-up of the handle, serves the libraries that
//! pass no context, and lets a callback use any other handle: an inner dispatch puts the outer
//! frame back when it ends.

use std::cell::Cell;
use std::ptr::NonNull;

/// The slot of one library on one thread.
#[derive(Debug)]
pub(super) struct Slot<T>(Cell<Option<NonNull<T>>>);

impl<T> Slot<T> {
    pub(super) const fn new() -> Self {
        Self(Cell::new(None))
    }

    /// Runs `call` with `frame` in the slot.
    pub(super) fn with<R>(&self, frame: &mut T, call: impl FnOnce() -> R) -> R {
        struct Restore<'a, T>(&'a Cell<Option<NonNull<T>>>, Option<NonNull<T>>);
        impl<T> Drop for Restore<'_, T> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let _restore = Restore(&self.0, self.0.replace(Some(NonNull::from(frame))));
        call()
    }

    /// Lends the frame to `f` for the length of one callback; nothing happens outside a dispatch.
    #[inline]
    pub(super) fn enter(&self, f: impl FnOnce(&mut T)) {
        if let Some(mut frame) = self.0.get() {
            // SAFETY: `with` borrows the frame mutably until C returns. A callback of the same
            // frame cannot start inside this one: for that, the same connection would have to be
            // dispatched again, whose token is borrowed for the dispatch; and a dispatch of
            // another connection has a frame of its own in the slot.
            f(unsafe { frame.as_mut() });
        }
    }
}
