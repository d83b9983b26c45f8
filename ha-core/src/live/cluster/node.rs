//! Operations on a node.

use std::time::Duration;

use super::Cluster;
use super::departure::refuse_members;
use super::goal::Goal;
use super::operation::Operation;
use crate::Result;
use crate::change::edit::{find_node, node as edit};
use crate::live::pacemaker::attrd::{self, Scope};
use crate::live::pacemaker::fencer::{self, Fence};
use crate::live::pacemaker::watch::Watch;
use crate::status::{ClusterStatus, Health, Node};
use crate::xml::Document;

/// How long what is set of a node holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lifetime {
    /// Until it is taken back.
    Forever,
    /// Until the node's cluster software restarts.
    Reboot,
}

/// What a node's health attributes say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeHealth {
    /// The worst of them; green when there is none.
    pub health: Health,
    /// Each with its value (`red`, `yellow`, `green`, or a number), by name.
    pub attributes: Vec<(String, String)>,
}

/// A node of a cluster, by its name. Nothing is asked of the cluster until an operation is.
#[derive(Debug, Clone)]
pub struct NodeHandle {
    pub(super) cluster: Cluster,
    pub(super) name: String,
}

impl NodeHandle {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn edit(
        &self,
        verb: &str,
        goal: Goal,
        edit: impl Fn(&mut Document, &str) -> Result<()> + Send + Sync + 'static,
    ) -> Operation {
        Operation::edit_of(&self.cluster, verb, &self.name, goal, edit)
    }

    /// Takes it into standby. Done when its resources have left it.
    pub fn standby(&self, lifetime: Lifetime) -> Operation {
        let goal = Goal::Empty {
            node: self.name.clone(),
        };
        match lifetime {
            Lifetime::Forever => self.edit("take into standby", goal, |cib, node| {
                edit::standby(cib, node, true)
            }),
            Lifetime::Reboot => self.transient("take into standby", goal, "standby", Some("on")),
        }
    }

    /// Takes it out of standby, whichever way it was taken there. Done when it can run resources.
    pub fn online(&self) -> Operation {
        let goal = Goal::node(&self.name, "not standby");
        let name = self.name.clone();
        let what = format!("take {name} out of standby");
        let node = name.clone();
        Operation::call(&self.cluster, what, goal, move |cluster, timeout| {
            cluster.change(|cib| edit::standby(cib, &node, false))?;
            set_transient(cluster, &node, "standby", None, timeout)
        })
        .that_means(move |cib| {
            edit::standby(cib, &name, false)?;
            edit::set_transient(cib, &name, "standby", None)
        })
    }

    /// Takes it into maintenance (its resources are left alone), or out of it.
    pub fn maintenance(&self, on: bool) -> Operation {
        let (verb, is) = if on {
            ("take into maintenance", "maintenance")
        } else {
            ("take out of maintenance", "not maintenance")
        };
        self.edit(verb, Goal::node(&self.name, is), move |cib, node| {
            edit::maintenance(cib, node, on)
        })
    }

    /// Has it fenced by the devices that are configured for it.
    #[doc(alias = "stonith_admin --fence")]
    pub fn fence(&self, what: Fence) -> Operation {
        let name = self.name.clone();
        let what_text = format!("fence {name}");
        Operation::call(
            &self.cluster,
            what_text,
            Goal::Settled,
            move |_, timeout| fencer::fence(&name, what, timeout),
        )
    }

    /// Tells the cluster that it is off for sure, as if it had been fenced. Somebody must have looked: one
    /// that still runs uses the same resources as the others.
    ///
    /// # Errors
    /// When sent, [`ErrorKind::Unsatisfied`](crate::ErrorKind::Unsatisfied) for a node that is in the cluster now: it
    /// is not off, and Pacemaker on it would end itself when told so.
    #[doc(alias = "stonith_admin --confirm")]
    pub fn confirm_off(&self) -> Operation {
        let name = self.name.clone();
        let what = format!("confirm that {name} is off");
        let goal = Goal::node(&self.name, "not unclean");
        Operation::call(&self.cluster, what, goal, move |cluster, timeout| {
            find_node(&cluster.cib().query()?, &name)?;
            refuse_members(cluster, &name, timeout)?;
            fencer::confirm(&name, timeout)
        })
    }

    /// Returns an attribute as the cluster sees it: one that holds until a reboot before a permanent one.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such node, and those of
    /// [`Cluster::status`].
    pub fn attribute(&self, name: &str) -> Result<Option<String>> {
        let status = self.cluster.status()?;
        let node = self.found(&status)?;
        Ok(node.attribute(name).map(str::to_owned))
    }

    /// Returns what its health attributes say. The worst counts: `red` keeps resources away with most values of
    /// the option `node-health-strategy`; with `none`, which is the default, nothing does.
    ///
    /// The attributes are those whose names begin with `#health-`; [`set_attribute`](Self::set_attribute)
    /// and [`unset_attribute`](Self::unset_attribute) change them.
    ///
    /// # Errors
    /// As for [`attribute`](Self::attribute).
    ///
    /// # Example
    /// ```no_run
    /// # use ha_core::live::cluster::{Cluster, ConnectOptions};
    /// # let cluster = Cluster::connect(&ConnectOptions::default())?;
    /// for (name, value) in cluster.node("maitre").health()?.attributes {
    ///     println!("{name} is {value}");
    /// }
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn health(&self) -> Result<NodeHealth> {
        let status = self.cluster.status()?;
        let node = self.found(&status)?;
        let of_health = node.attributes.iter();
        let attributes: Vec<(String, String)> = of_health
            .filter(|attribute| attribute.name.starts_with("#health"))
            .map(|attribute| (attribute.name.clone(), attribute.value.clone()))
            .collect();
        let has = |colour: &str| attributes.iter().any(|(_, value)| value == colour);
        let health = match () {
            () if has("red") => Health::Red,
            () if has("yellow") => Health::Yellow,
            () => Health::Green,
        };
        Ok(NodeHealth { health, attributes })
    }

    fn found<'s>(&self, status: &'s ClusterStatus) -> Result<&'s Node> {
        status.node_named(&self.name).ok_or_else(|| {
            let known = status.nodes().map(|node| node.name.as_str());
            crate::change::edit::not_found("node", &self.name, known)
        })
    }

    /// Sets an attribute.
    pub fn set_attribute(&self, name: &str, value: &str, lifetime: Lifetime) -> Operation {
        let verb = format!("set {name} of");
        match lifetime {
            Lifetime::Forever => {
                let (name, value) = (name.to_owned(), value.to_owned());
                self.edit(&verb, Goal::Settled, move |cib, node| {
                    edit::set_attribute(cib, node, &name, &value)
                })
            }
            Lifetime::Reboot => self.transient(&verb, Goal::Settled, name, Some(value)),
        }
    }

    /// Removes an attribute.
    pub fn unset_attribute(&self, name: &str, lifetime: Lifetime) -> Operation {
        let verb = format!("remove {name} of");
        match lifetime {
            Lifetime::Forever => {
                let name = name.to_owned();
                self.edit(&verb, Goal::Settled, move |cib, node| {
                    edit::unset_attribute(cib, node, &name)
                })
            }
            Lifetime::Reboot => self.transient(&verb, Goal::Settled, name, None),
        }
    }

    /// Sets how much of something it has for its resources.
    pub fn set_utilization(&self, name: &str, value: &str) -> Operation {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.edit("set the capacity of", Goal::Settled, move |cib, node| {
            edit::set_utilization(cib, node, &name, &value)
        })
    }

    /// Removes what it is said to have of something.
    pub fn unset_utilization(&self, name: &str) -> Operation {
        let name = name.to_owned();
        self.edit("remove the capacity of", Goal::Settled, move |cib, node| {
            edit::unset_utilization(cib, node, &name)
        })
    }

    fn transient(&self, verb: &str, goal: Goal, name: &str, value: Option<&str>) -> Operation {
        let node = self.name.clone();
        let what = format!("{verb} {node}");
        let (name, value) = (name.to_owned(), value.map(str::to_owned));
        let (same_node, same_name, same_value) = (node.clone(), name.clone(), value.clone());
        Operation::call(&self.cluster, what, goal, move |cluster, timeout| {
            set_transient(cluster, &node, &name, value.as_deref(), timeout)
        })
        .that_means(move |cib| {
            edit::set_transient(cib, &same_node, &same_name, same_value.as_deref())
        })
    }
}

/// Sets a transient attribute and waits until the CIB has it, so that what follows from it is seen.
fn set_transient(
    cluster: &Cluster,
    node: &str,
    name: &str,
    value: Option<&str>,
    timeout: Duration,
) -> Result<()> {
    if let Some(value) = value {
        crate::name::check_value(name, value)?;
    }
    let mut watch = Watch::open(cluster.cib())?;
    crate::change::edit::find_node(watch.document(), node)?;
    let scope = Scope::on(node);
    match value {
        Some(value) => attrd::set(name, value, &scope, timeout)?,
        None => attrd::delete(name, &scope, timeout)?,
    }
    attrd::confirm(&mut watch, node, name, value, timeout)
}
