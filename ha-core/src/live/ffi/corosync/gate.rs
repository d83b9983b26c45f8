//! A value that one thread at a time uses, taken in a few instructions and never waited for.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

/// Holds a value unless somebody has taken it.
#[derive(Debug)]
pub(in crate::live) struct Gate<T> {
    taken: AtomicBool,
    /// There whenever `taken` is false. Touched by the one who changed `taken` to true only.
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is handed from thread to thread, never used by two at once: whoever changes
// `taken` from false to true, which synchronises with the one who set it to false, has it alone.
unsafe impl<T: Send> Sync for Gate<T> {}

impl<T> Gate<T> {
    pub(in crate::live) const fn new(value: T) -> Self {
        Self {
            taken: AtomicBool::new(false),
            value: UnsafeCell::new(Some(value)),
        }
    }

    #[inline]
    fn enter(&self) -> bool {
        self.taken
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Lends the value, which must not be used again inside; nothing when it is taken.
    #[inline]
    pub(in crate::live) fn lend<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        if !self.enter() {
            return None;
        }
        // SAFETY: this thread has just changed `taken` to true, so it alone uses the value, which
        // is there. Should `f` panic, the value stays taken for ever: safe, if of no use.
        let value = unsafe { (*self.value.get()).as_mut().unwrap_unchecked() };
        let result = f(value);
        self.taken.store(false, Ordering::Release);
        Some(result)
    }

    /// Takes the value out; nothing when it is taken already.
    pub(in crate::live) fn take(&self) -> Option<T> {
        if !self.enter() {
            return None;
        }
        // SAFETY: this thread has just changed `taken` to true.
        unsafe { (*self.value.get()).take() }
    }

    /// Puts a value back that was taken out.
    pub(in crate::live) fn put(&self, value: T) {
        debug_assert!(self.taken.load(Ordering::Relaxed), "nothing was taken out");
        if self.taken.load(Ordering::Relaxed) {
            // SAFETY: the value was taken out by `take`, whose caller now calls this: only one
            // `T` ever exists for a gate, and nobody enters while `taken` is true.
            unsafe { *self.value.get() = Some(value) };
            self.taken.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_threads_are_inside() {
        let gate = Gate::new(0_u64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut done = 0;
                    while done < 10_000 {
                        if done % 100 == 99 {
                            let Some(value) = gate.take() else { continue };
                            gate.put(value + 1);
                        } else if gate.lend(|value| *value += 1).is_none() {
                            continue;
                        }
                        done += 1;
                    }
                });
            }
        });
        assert_eq!(gate.take(), Some(40_000));
        assert_eq!(gate.take(), None);
        assert_eq!(gate.lend(|_| ()), None);
    }
}
