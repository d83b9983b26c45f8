//! Fencing: the devices, what they can fence, the levels, and what was fenced.

use regex_lite::Regex;
use serde::Serialize;

use super::Cluster;
use super::goal::Goal;
use super::operation::Operation;
use crate::Result;
use crate::change::edit::find_node;
use crate::config::{Config, FencingLevel};
use crate::live::pacemaker::fencer::{self, FencingEvent};
use crate::status::{Node, Resource};

/// A fence device, as the configuration and the fencer of this node know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FenceDevice {
    /// Its id: that of the resource.
    pub id: String,
    /// Its agent (`fence_ipmilan`); none when the configuration does not have the device any more.
    pub agent: Option<String>,
    /// The nodes that watch it: where the resource runs. A device that runs nowhere is not registered.
    pub runs_on: Vec<String>,
    /// Whether the fencer of this node can use it. One that is stopped, or may not run on this node, is one that
    /// others may know, and what it can fence has to be asked there.
    pub registered: bool,
    /// The nodes of the cluster that it can fence, by name, as far as this node knows.
    pub targets: Vec<String>,
}

/// What a cluster has to fence its nodes.
#[derive(Debug, Clone)]
pub struct Fencing {
    cluster: Cluster,
}

impl Cluster {
    /// Returns a handle to what concerns fencing. To fence a node: [`NodeHandle::fence`](super::NodeHandle::fence).
    #[must_use]
    pub fn fencing(&self) -> Fencing {
        Fencing {
            cluster: self.clone(),
        }
    }
}

impl Fencing {
    /// Lists the devices, with the nodes that each can fence. That is what the fencer of **this** node knows:
    /// fencers tell each other, when a node is to be fenced, but no program. What is configured and not known here
    /// is listed as not [registered](FenceDevice::registered). Devices are asked what they can fence, which takes
    /// as long as they need.
    ///
    /// # Errors
    /// Those of [`fencer::devices`] and of [`Cluster::status`].
    ///
    /// # Example
    /// ```no_run
    /// # use ha_core::live::cluster::{Cluster, ConnectOptions};
    /// let cluster = Cluster::connect(&ConnectOptions::default())?;
    /// for device in cluster.fencing().devices()? {
    ///     println!("{} can fence {}", device.id, device.targets.join(", "));
    /// }
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    #[doc(alias = "stonith_admin --list-registered")]
    pub fn devices(&self) -> Result<Vec<FenceDevice>> {
        let timeout = self.cluster.cib().timeout();
        let status = self.cluster.status()?;
        let here = fencer::devices(timeout)?;
        let is_device = |r: &&Resource| r.agent().is_some_and(|agent| agent.class == "stonith");
        let configured = status.resources().filter(is_device);
        let mut ids: Vec<String> = configured.map(|r| r.configured_id.clone()).collect();
        ids.extend(here.iter().cloned());
        ids.sort();
        ids.dedup();
        let mut devices: Vec<FenceDevice> = ids
            .into_iter()
            .map(|id| {
                let agent = status.resource_named(&id).and_then(|r| r.agent());
                let runs_on = status.active_on(&id).into_iter();
                FenceDevice {
                    agent: agent.map(|agent| agent.kind.clone()),
                    runs_on: runs_on.map(str::to_owned).collect(),
                    registered: here.contains(&id),
                    targets: Vec::new(),
                    id,
                }
            })
            .collect();
        for node in status.nodes() {
            let able = fencer::devices_for(&node.name, timeout)?;
            for device in devices.iter_mut().filter(|d| able.contains(&d.id)) {
                device.targets.push(node.name.clone());
            }
        }
        Ok(devices)
    }

    /// Lists the levels of the fencing topology, by target and place.
    ///
    /// # Errors
    /// Those of [`Cib::query`](crate::live::pacemaker::cib::Cib::query) and of [`Config::read`].
    pub fn levels(&self) -> Result<Vec<FencingLevel>> {
        let config = Config::read(&self.cluster.cib().query()?)?;
        let mut levels = config.fencing_levels;
        levels.sort_by(|a, b| key(a).cmp(&key(b)));
        Ok(levels)
    }

    /// Lists the levels that are for a node, the first to be tried first; none when the fencer chooses among
    /// all devices.
    ///
    /// Levels name nodes in three ways, of which the most exact counts: by name, else by a pattern, else by an
    /// attribute.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node, and those of
    /// [`levels`](Self::levels).
    pub fn levels_of(&self, node: &str) -> Result<Vec<FencingLevel>> {
        find_node(&self.cluster.cib().query()?, node)?;
        let status = self.cluster.status()?;
        let levels = self.levels()?;
        let found = status.node_named(node);
        let ways: [&dyn Fn(&FencingLevel) -> bool; 3] = [
            &|level| level.target.as_deref() == Some(node),
            &|level| {
                level
                    .target_pattern
                    .as_deref()
                    .is_some_and(|p| matches(p, node))
            },
            &|level| found.is_some_and(|found| has_attribute(level, found)),
        ];
        let mut of_node: Vec<FencingLevel> = ways
            .iter()
            .map(|is_way| levels.iter().filter(|l| is_way(l)).cloned().collect())
            .find(|found: &Vec<FencingLevel>| !found.is_empty())
            .unwrap_or_default();
        of_node.sort_by_key(|level| level.index);
        Ok(of_node)
    }

    /// Lists what was fenced, or tried, of one node or all; the newest first, what is under way before that.
    ///
    /// # Errors
    /// Those of [`fencer::history`].
    #[doc(alias = "stonith_admin --history")]
    pub fn history(&self, node: Option<&str>) -> Result<Vec<FencingEvent>> {
        let mut events = fencer::history(node, self.cluster.cib().timeout())?;
        events.sort_by_key(|event| {
            let newest_first = std::cmp::Reverse(event.completed);
            (!event.is_pending(), newest_first)
        });
        Ok(events)
    }

    /// Makes the fencers of all nodes forget what was fenced, or tried, of one node or all.
    #[doc(alias = "stonith_admin --history --cleanup")]
    pub fn forget_history(&self, node: Option<&str>) -> Operation {
        let what = match node {
            Some(node) => format!("forget the fencing history of {node}"),
            None => "forget the fencing history".to_owned(),
        };
        let node = node.map(str::to_owned);
        Operation::call(&self.cluster, what, Goal::Settled, move |_, timeout| {
            fencer::clear_history(node.as_deref(), timeout)
        })
        // The CIB does not have it.
        .that_means(|_| Ok(()))
    }
}

fn key(level: &FencingLevel) -> (Option<&str>, Option<&str>, Option<&str>, u32) {
    let (target, pattern) = (level.target.as_deref(), level.target_pattern.as_deref());
    (target, pattern, level.target_value.as_deref(), level.index)
}

fn matches(pattern: &str, node: &str) -> bool {
    Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(node))
}

fn has_attribute(level: &FencingLevel, node: &Node) -> bool {
    let (Some(name), Some(value)) = (&level.target_attribute, &level.target_value) else {
        return false;
    };
    node.attribute(name) == Some(value)
}
