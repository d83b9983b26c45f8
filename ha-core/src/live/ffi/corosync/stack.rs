//! The stack that a dispatch needs.

use std::cell::Cell;

/// Every `*_dispatch` of the C libraries puts a buffer of 1 MiB on the stack.
const NEEDED: usize = (1 << 20) + (192 << 10);

thread_local! {
    /// The lowest stack address from which a dispatch still fits; unknown at first.
    static FLOOR: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Tells whether the calling thread has room for a dispatch.
pub(super) fn is_large_enough() -> bool {
    let here = 0_u8;
    let here = (&raw const here).addr();
    here > FLOOR.get() || here > measure()
}

#[cold]
fn measure() -> usize {
    // SAFETY: pthread_getattr_np fills the attributes of the calling thread, which are read and
    // destroyed before they go out of scope.
    let lowest = unsafe {
        let mut attributes = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return 0;
        }
        let mut lowest = std::ptr::null_mut();
        let mut size = 0;
        libc::pthread_attr_getstack(&raw const attributes, &raw mut lowest, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attributes);
        lowest.addr()
    };
    let floor = lowest.saturating_add(NEEDED);
    FLOOR.set(floor);
    floor
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_small_stack_is_seen() {
        let run = |size: usize| {
            let thread = std::thread::Builder::new()
                .stack_size(size)
                .spawn(super::is_large_enough);
            thread.expect("a thread").join().expect("no panic")
        };
        assert!(!run(256 << 10));
        assert!(run(2 << 20));
    }
}
