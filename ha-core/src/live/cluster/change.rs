//! Changing the configuration in one step, on top of what others change.

use std::time::Instant;

use super::Cluster;
use crate::change::Plan;
use crate::live::pacemaker::exchange;
use crate::xml::Document;
use crate::{ErrorExt, ErrorKind, Result};

impl Cluster {
    /// Changes the CIB: reads it, has `edit` change the copy, and sends the difference as one change
    /// that is made only if the CIB is still what was read. When it is not, all of that is done again, so
    /// that what others changed meanwhile is kept, and `edit` sees it.
    ///
    /// Returns what was changed; an empty plan says that everything was so already, and then nothing
    /// was sent. An error of `edit` ends the call, and the CIB stays as it is.
    ///
    /// The session's time limit holds for all tries together.
    ///
    /// # Errors
    /// Those of `edit`; [`ErrorKind::Conflict`] when others changed the CIB each time until the
    /// deadline; [`ErrorKind::Schema`] when the result does not conform to the schema; and those of
    /// every change of the [CIB](crate::live::pacemaker::cib::Cib).
    ///
    /// # Example
    /// ```no_run
    /// # use ha_core::live::cluster::{Cluster, ConnectOptions};
    /// use ha_core::change::edit;
    /// let cluster = Cluster::connect(&ConnectOptions::default())?;
    /// print!("{}", cluster.change(|cib| edit::resource::stop(cib, "VIP_externe"))?);
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn change(&self, edit: impl Fn(&mut Document) -> Result<()>) -> Result<Plan> {
        const WHAT: &str = "change the CIB";
        let deadline = exchange::deadline(self.cib.timeout());
        let mut tries = 0_u32;
        loop {
            tries += 1;
            let left = deadline.saturating_duration_since(Instant::now());
            let cib = self.cib.with_timeout(left);
            let plan = Plan::new(cib.query().context(WHAT)?, &edit).context(WHAT)?;
            let Some(patch) = plan.patch() else {
                return Ok(plan);
            };
            match cib.apply(patch) {
                Ok(()) => return Ok(plan),
                Err(e) if e.kind() == ErrorKind::Conflict => {
                    if Instant::now() >= deadline {
                        let gave_up = format!("others changed it each of {tries} times");
                        return Err(e.context(gave_up).context(WHAT));
                    }
                    tracing::debug!("the CIB changed meanwhile, computing the change again: {e:#}");
                }
                Err(e) => return Err(e.context(WHAT)),
            }
        }
    }
}
