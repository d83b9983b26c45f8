//! What this node's agents say of themselves, for looking configurations over and completing them.

use std::collections::HashMap;
use std::time::Duration;

use super::Cluster;
use crate::change::Plan;
use crate::change::validate::{self, Fault};
use crate::live::pacemaker::executor;
use crate::model::agent::{AgentName, Metadata};
use crate::xml::Document;
use crate::{ErrorKind, Result};

/// How long one agent may take to describe itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// The agents that are installed on this node. Each is asked once for what it says of itself.
///
/// No daemon needs to run for it.
///
/// # Example
/// ```no_run
/// use ha_core::change::validate::{complete, validate};
/// use ha_core::live::cluster::InstalledAgents;
/// use ha_core::xml::Document;
/// let mut desired = Document::parse(&std::fs::read_to_string("sphynx.xml")?)?;
/// let mut agents = InstalledAgents::default();
/// complete(&mut desired, &mut |agent| agents.describe(agent))?;
/// for fault in validate(&desired, Some(&mut |agent| agents.describe(agent))) {
///     println!("{fault}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct InstalledAgents {
    known: HashMap<AgentName, Option<Metadata>>,
}

impl InstalledAgents {
    /// Returns what an agent says of itself; nothing when it is not installed on this node.
    ///
    /// # Errors
    /// Those of [`executor::metadata`], but for an agent that is not there; it is asked again the next
    /// time.
    pub fn describe(&mut self, agent: &AgentName) -> Result<Option<Metadata>> {
        if let Some(known) = self.known.get(agent) {
            return Ok(known.clone());
        }
        let (standard, provider) = (&agent.standard, agent.provider.as_deref());
        let described = match executor::metadata(standard, provider, &agent.name, PATIENCE) {
            Ok(metadata) => Some(metadata),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(e),
        };
        self.known.insert(agent.clone(), described.clone());
        Ok(described)
    }
}

impl Cluster {
    /// Looks over what a plan leads to, with the agents of this node, and returns what is wrong or doubtful,
    /// the worst first. What was so before the plan is not told.
    ///
    /// # Example
    /// ```no_run
    /// # use ha_core::live::cluster::{Cluster, ConnectOptions};
    /// # let cluster = Cluster::connect(&ConnectOptions::default())?;
    /// let plan = cluster.resource("VIP_externe").set_value(
    ///     ha_core::change::edit::resource::Values::Parameters, "cidr_netmask", "wide").plan()?;
    /// for fault in cluster.validate(&plan) {
    ///     println!("{fault}");
    /// }
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    #[must_use]
    pub fn validate(&self, plan: &Plan) -> Vec<Fault> {
        let mut agents = InstalledAgents::default();
        let mut faults =
            |cib: &Document| validate::validate(cib, Some(&mut |agent| agents.describe(agent)));
        let mut found = faults(plan.after());
        if !found.is_empty() {
            let before = faults(plan.before());
            found.retain(|fault| !before.contains(fault));
        }
        found
    }
}
