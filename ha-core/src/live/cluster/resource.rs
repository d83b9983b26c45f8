//! Operations on a resource.

use super::forget::Forget;
use super::goal::Goal;
use super::operation::Operation;
use super::relocate::Move;
use super::restart::Restart;
use super::{Cluster, status_of};
use crate::change::edit::constraint::{self, Reach};
use crate::change::edit::resource::{self as edit, Values};
use crate::status::Role;
use crate::xml::Document;
use crate::{Error, ErrorKind, Result};

/// A resource of a cluster, by its id. Nothing is asked of the cluster until an operation is.
#[derive(Debug, Clone)]
pub struct ResourceHandle {
    pub(super) cluster: Cluster,
    pub(super) id: String,
}

impl ResourceHandle {
    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn edit(
        &self,
        verb: &str,
        goal: Goal,
        edit: impl Fn(&mut Document, &str) -> Result<()> + Send + Sync + 'static,
    ) -> Operation {
        Operation::edit_of(&self.cluster, verb, &self.id, goal, edit)
    }

    fn is(&self, words: &str) -> Goal {
        Goal::resource(&self.id, words)
    }

    fn runs(id: &str) -> Goal {
        Goal::Running {
            resources: vec![id.to_owned()],
        }
    }

    /// Lets it run: takes back [`stop`](Self::stop). Done when it runs.
    #[doc(alias = "enable")]
    pub fn start(&self) -> Operation {
        self.edit("start", self.is("started"), edit::start)
    }

    /// Stops it and keeps it stopped. Done when no part of it runs anywhere.
    #[doc(alias = "disable")]
    pub fn stop(&self) -> Operation {
        self.edit("stop", self.is("stopped"), edit::stop)
    }

    /// Stops it and starts it again.
    pub fn restart(&self) -> Restart {
        Restart::new(self.clone())
    }

    /// Moves it to a node, and leaves nothing behind that would keep it there.
    pub fn move_to(&self, node: &str) -> Move {
        Move::new(self.clone(), Some(node.to_owned()))
    }

    /// Moves it away from where it is.
    pub fn move_away(&self) -> Move {
        Move::new(self.clone(), None)
    }

    /// Wants it on a node above all else, until [`clear`](Self::clear).
    #[doc(alias = "crm_resource --move")]
    pub fn prefer(&self, node: &str, reach: Reach) -> Operation {
        let goal = match reach.role {
            Some(Role::Promoted) => self.is(&format!("promoted on {node}")),
            _ => self.is(&format!("started on {node}")),
        };
        let node = node.to_owned();
        self.edit("prefer a node for", goal, move |cib, id| {
            constraint::prefer(cib, id, &node, &reach)
        })
    }

    /// Keeps it off a node, until [`clear`](Self::clear). Done when it is not there.
    #[doc(alias = "crm_resource --ban")]
    pub fn ban(&self, node: &str, reach: Reach) -> Operation {
        let goal = match reach.role {
            Some(Role::Promoted) => self.is(&format!("not promoted on {node}")),
            _ => self.is(&format!("stopped on {node}")),
        };
        let node = node.to_owned();
        self.edit("ban", goal, move |cib, id| {
            constraint::ban(cib, id, &node, &reach)
        })
    }

    /// Takes back what [`ban`](Self::ban) and [`prefer`](Self::prefer) asked, for one node or all.
    #[doc(alias = "crm_resource --clear")]
    pub fn clear(&self, node: Option<&str>) -> Operation {
        let node = node.map(str::to_owned);
        self.edit("clear", Goal::Settled, move |cib, id| {
            constraint::clear(cib, id, node.as_deref()).map(drop)
        })
    }

    /// Asks for the promoted role. Done when an instance has it.
    pub fn promote(&self) -> Operation {
        self.edit("promote", self.is("promoted"), edit::promote)
    }

    /// Keeps all instances unpromoted. Done when none is promoted.
    pub fn demote(&self) -> Operation {
        self.edit("demote", self.is("not promoted"), edit::demote)
    }

    /// Lets the cluster manage it again.
    pub fn manage(&self) -> Operation {
        self.edit("manage", self.is("managed"), edit::manage)
    }

    /// Makes the cluster neither start nor stop it.
    pub fn unmanage(&self) -> Operation {
        self.edit("unmanage", self.is("not managed"), edit::unmanage)
    }

    /// Takes it into maintenance (neither managed nor monitored), or out of it.
    pub fn maintenance(&self, on: bool) -> Operation {
        let verb = if on {
            "take into maintenance"
        } else {
            "take out of maintenance"
        };
        self.edit(verb, Goal::Settled, move |cib, id| {
            edit::maintenance(cib, id, on)
        })
    }

    /// Forgets its failures: it may run again where it had failed too often.
    #[doc(alias = "crm_resource --cleanup")]
    pub fn cleanup(&self) -> Forget {
        Forget::new(&self.cluster, Some(&self.id), false)
    }

    /// Has its nodes forget all they know of it, and look again.
    #[doc(alias = "crm_resource --refresh")]
    pub fn refresh(&self) -> Forget {
        Forget::new(&self.cluster, Some(&self.id), true)
    }

    /// Returns a value that it has itself, without defaults and templates.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such resource, and those of
    /// [`Cib::query`](crate::live::pacemaker::cib::Cib::query).
    pub fn value(&self, values: Values, name: &str) -> Result<Option<String>> {
        let cib = self.cluster.cib().query()?;
        let value = edit::value(&cib, &self.id, values, name)?;
        Ok(value.map(str::to_owned))
    }

    /// Sets a parameter, a meta-attribute, or what it needs of a node's capacity. Done when it runs with that,
    /// unless it is not to run.
    pub fn set_value(&self, values: Values, name: &str, value: &str) -> Operation {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.edit("set a value of", Self::runs(&self.id), move |cib, id| {
            edit::set_value(cib, id, values, &name, &value)
        })
    }

    /// Removes such a value. Done as [`set_value`](Self::set_value).
    pub fn unset_value(&self, values: Values, name: &str) -> Operation {
        let name = name.to_owned();
        self.edit("remove a value of", Self::runs(&self.id), move |cib, id| {
            edit::unset_value(cib, id, values, &name)
        })
    }

    /// Removes it and every reference to it. One that runs is stopped by the cluster as an orphan, which
    /// is waited for; to see beforehand that it can be stopped, [`stop`](Self::stop) it first.
    pub fn delete(&self) -> Operation {
        let goal = Goal::Gone {
            resource: self.id.clone(),
        };
        self.edit("delete", goal, edit::delete)
    }

    /// Gives it another id, and all that refers to it. To the cluster it is another resource then, so it must
    /// not run: see [`rename_running`](Self::rename_running).
    ///
    /// # Errors
    /// When planned or sent, [`ErrorKind::Unsatisfied`] for one that is active.
    pub fn rename(&self, to: &str) -> Operation {
        let to = to.to_owned();
        self.edit("rename", Self::runs(&to), move |cib, id| {
            refuse_running(cib, id)?;
            edit::rename(cib, id, &to)
        })
    }

    /// As [`rename`](Self::rename), also of one that runs.
    ///
    /// **The cluster starts it under its new id and stops it under the old one, in either order.** When the stop is
    /// the last, what both have in common (an address, a mount) is gone, though the new one counts as started.
    pub fn rename_running(&self, to: &str) -> Operation {
        let to = to.to_owned();
        self.edit("rename", Self::runs(&to), move |cib, id| {
            edit::rename(cib, id, &to)
        })
    }

    /// Returns the names of the nodes where it runs, or a part of it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such resource, and those of
    /// [`Cluster::status`].
    #[doc(alias = "crm_resource --locate")]
    pub fn locate(&self) -> Result<Vec<String>> {
        let status = self.cluster.status()?;
        let known = status.resources().map(|resource| resource.id.as_str());
        if status.resource_named(&self.id).is_none() {
            let error: Error = crate::change::edit::not_found("resource", &self.id, known);
            return Err(error);
        }
        let on = status.active_on(&self.id);
        Ok(on.into_iter().map(str::to_owned).collect())
    }
}

/// Refuses a resource that the cluster would have under two ids at once. What only holds others (a group, a clone)
/// has no id in the histories of the nodes.
fn refuse_running(cib: &Document, resource: &str) -> Result<()> {
    let element = crate::change::edit::find_resource(cib, resource)?;
    if !matches!(element.name(), "primitive" | "bundle") {
        return Ok(());
    }
    let id = element.attribute("id").unwrap_or(resource);
    let status = status_of(cib);
    let mut on: Vec<&str> = status
        .resources_meant(id)
        .into_iter()
        .flat_map(|index| &status.resource(index).running_on)
        .map(|&node| status.node(node).name.as_str())
        .collect();
    on.sort_unstable();
    on.dedup();
    if on.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{id} is active on {}: the cluster would start it under the new id while it stops it under the old one",
        on.join(", ")
    );
    Err(Error::new(ErrorKind::Unsatisfied, message)
        .with_hint("stop it first, rename it, and start it again"))
}
