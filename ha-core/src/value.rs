//! Small values that the CIB writes as text: versions, scores, intervals, booleans.

use std::fmt;

/// The version of a CIB: compared field by field, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CibVersion {
    /// Raised by administrators only; outranks the others.
    pub admin_epoch: i64,
    /// Raised by each change of the configuration.
    pub epoch: i64,
    /// Raised by each change of the status; back to 0 when `epoch` rises.
    pub num_updates: i64,
}

impl fmt::Display for CibVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}",
            self.admin_epoch, self.epoch, self.num_updates
        )
    }
}
