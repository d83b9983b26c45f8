//! The marks that Pacemaker 2's library puts on each node of a libxml2 tree.
//!
//! It does so by hooks that libxml2 calls for each node made and freed, to follow what a program
//! changes. Each mark is an allocation: a third of what a query of the CIB costs, for a tree that is
//! only read. Pacemaker 3 has no such hooks.

use std::cell::OnceCell;

use pacemaker_sys as sys;

use super::mainloop::is_here;

type Hook = Option<unsafe extern "C" fn(node: *mut sys::xmlNode)>;

unsafe extern "C" {
    fn xmlRegisterNodeDefault(hook: Hook) -> Hook;
    fn xmlDeregisterNodeDefault(hook: Hook) -> Hook;
}

thread_local! {
    /// Whether libxml2 calls the hooks for what this thread does.
    static HOOKED: OnceCell<bool> = const { OnceCell::new() };
}

/// Looks whether a new node gets a mark. libxml2 keeps one pair of hooks for the thread that first
/// used it, and other pairs for all others: only when that thread is ours may the hooks be touched,
/// and only then does it change anything.
fn hooked() -> bool {
    // SAFETY: makes a node without a document, or null, and frees it.
    unsafe {
        let node = sys::xmlNewNode(std::ptr::null_mut(), c"mark".as_ptr().cast());
        let marked = !node.is_null() && !(*node)._private.is_null();
        sys::xmlFreeNode(node);
        marked
    }
}

/// Runs `f` without the hooks.
///
/// For trees that are made, read and freed, and not changed by the library in between: what it does
/// with a tree without marks is to leave its changes unrecorded. No tree made outside of `f` may be
/// freed in it (the marks would leak); one made in it may be freed anywhere.
pub(super) fn without<T>(f: impl FnOnce() -> T) -> T {
    /// Also when `f` panics.
    struct Back(Hook, Hook);
    impl Drop for Back {
        fn drop(&mut self) {
            // SAFETY: the hooks that libxml2 had.
            unsafe {
                xmlRegisterNodeDefault(self.0);
                xmlDeregisterNodeDefault(self.1);
            }
        }
    }
    if !is_here() || !HOOKED.with(|known| *known.get_or_init(hooked)) {
        return f();
    }
    // SAFETY: no hook is allowed; this thread is the only one that libxml2 has these hooks for.
    let _back = unsafe { Back(xmlRegisterNodeDefault(None), xmlDeregisterNodeDefault(None)) };
    f()
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::{Duration, Instant};

    use super::{hooked, without};
    use crate::live::pacemaker::runtime;

    #[test]
    fn the_hooks_are_gone_for_a_time_and_come_back_also_after_a_panic() {
        let deadline = Instant::now() + Duration::from_secs(20);
        let (before, inside, after) = runtime::call("look at the hooks", deadline, |_| {
            let before = hooked();
            let mut inside = vec![without(hooked)];
            let panic = catch_unwind(AssertUnwindSafe(|| {
                without(|| {
                    inside.push(hooked());
                    panic!("on purpose")
                })
            }));
            assert!(panic.is_err());
            Ok((before, inside, hooked()))
        })
        .unwrap();
        assert_eq!(inside, [false, false]);
        assert_eq!(before, after);
    }
}
