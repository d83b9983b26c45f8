//! A small generator (xorshift64*): the same numbers on each run.

pub(crate) struct Numbers(u64);

impl Numbers {
    /// Starts the numbers of one step; each step has its own, so that one can be run alone.
    pub(crate) fn of_step(seed: u64, step: u64) -> Self {
        let mixed = (seed ^ step.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(0x1234_5678);
        let mut numbers = Self(mixed | 1 << 63);
        for _ in 0..8 {
            let _ = numbers.below(2);
        }
        numbers
    }

    /// Returns a number below `limit`, or 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap_or(0) % limit.max(1)
    }

    /// Answers yes so many times out of a hundred.
    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// Picks one of these.
    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Picks one of these, where it is.
    pub(crate) fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
