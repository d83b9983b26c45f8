//! Operations on the cluster as a whole: its options, defaults and tickets, and desired configurations.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::Cluster;
use super::agents::InstalledAgents;
use super::goal::Goal;
use super::operation::Operation;
use crate::Result;
use crate::change::edit::constraint;
use crate::change::edit::option::{self, Defaults};
use crate::change::edit::ticket;
use crate::change::merge;
use crate::change::validate::complete_for;
use crate::config::Config;
use crate::live::pacemaker::controld;
use crate::model::is_resource;
use crate::name::Id;
use crate::xml::{Document, Element};

const APPLY: &str = "apply a configuration";

/// Prints a desired configuration in the words of a CIB's schema, unless it says its own.
fn printed(desired: &Config, cib: &Document) -> Result<Document> {
    if desired.validate_with.is_some() {
        return desired.to_document();
    }
    let schema = cib.root().attribute("validate-with");
    let mut desired = desired.clone();
    desired.validate_with = schema.map(str::to_owned);
    desired.to_document()
}

/// Applied is what is desired when its resources run.
fn running(desired: &Document) -> Goal {
    let configuration = desired.root().child("configuration");
    let resources = configuration
        .into_iter()
        .flat_map(|c| c.children_named("resources"))
        .flat_map(Element::children)
        .filter(|element| is_resource(element.name()));
    Goal::Running {
        resources: resources
            .filter_map(|element| element.attribute("id"))
            .map(str::to_owned)
            .collect(),
    }
}

impl Cluster {
    fn edit(
        &self,
        what: String,
        edit: impl Fn(&mut Document) -> Result<()> + Send + Sync + 'static,
    ) -> Operation {
        Operation::edit(self, what, Goal::Settled, edit)
    }

    /// Brings the cluster to a desired configuration, in one change: see [`merge`] for what that means and
    /// what is left alone.
    ///
    /// With an owner, what was desired for this owner the last time and no longer is, is removed.
    ///
    /// # Errors
    /// Those of [`Config::to_document`].
    ///
    /// # Example
    /// ```no_run
    /// use ha_core::config::{Config, Primitive};
    /// use ha_core::live::cluster::{Cluster, ConnectOptions};
    /// use std::time::Duration;
    /// let wanted = Config::new()
    ///     .owned_by("sphynx")
    ///     .primitive(Primitive::systemd("strongswan-starter", "ipsec_rsc"));
    /// let cluster = Cluster::connect(&ConnectOptions::default())?;
    /// let apply = cluster.apply(&wanted)?;
    /// for action in apply.what_if()? {
    ///     println!("{action}");
    /// }
    /// print!("{}", apply.wait(Duration::from_secs(120))?.changed);
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn apply(&self, desired: &Config) -> Result<Operation> {
        // What cannot be printed is said now, not when it is sent.
        let goal = running(&desired.to_document()?);
        let desired = desired.clone();
        Ok(Operation::edit(self, APPLY.to_owned(), goal, move |cib| {
            merge(cib, &printed(&desired, cib)?, desired.owner.as_ref())
        }))
    }

    /// As [`apply`](Self::apply), with what the agents of this node advise where the configuration leaves it
    /// out: time-outs, and the operations `start`, `stop` and `monitor` (see
    /// [`complete_for`]).
    ///
    /// # Errors
    /// Those of [`apply`](Self::apply).
    pub fn apply_completed(&self, desired: &Config) -> Result<Operation> {
        let goal = running(&desired.to_document()?);
        let desired = desired.clone();
        let agents = Mutex::new(InstalledAgents::default());
        Ok(Operation::edit(self, APPLY.to_owned(), goal, move |cib| {
            let mut document = printed(&desired, cib)?;
            let mut agents = agents.lock().unwrap_or_else(PoisonError::into_inner);
            complete_for(cib, &mut document, &mut |agent| {
                // One that does not answer gives no advice; that it does not is told by validation.
                agents.describe(agent).or_else(|e| {
                    tracing::warn!("no advice of an agent: {e:#}");
                    Ok(None)
                })
            })?;
            merge(cib, &document, desired.owner.as_ref())
        }))
    }

    /// As [`apply`](Self::apply), with a CIB of which only the `configuration` counts.
    pub fn apply_document(&self, desired: Document, owner: Option<Id>) -> Operation {
        let goal = running(&desired);
        Operation::edit(self, APPLY.to_owned(), goal, move |cib| {
            merge(cib, &desired, owner.as_ref())
        })
    }

    /// Returns the value of an option of the cluster as it is configured, without its default.
    ///
    /// # Errors
    /// Those of [`Cib::query`](crate::live::pacemaker::cib::Cib::query).
    pub fn option(&self, name: &str) -> Result<Option<String>> {
        let cib = self.cib().query()?;
        Ok(option::value(&cib, name).map(str::to_owned))
    }

    /// Sets an option of the cluster.
    pub fn set_option(&self, name: &str, value: &str) -> Operation {
        let (what, name, value) = (format!("set {name}"), name.to_owned(), value.to_owned());
        self.edit(what, move |cib| option::set(cib, &name, &value))
    }

    /// Removes an option of the cluster: its default holds again.
    pub fn unset_option(&self, name: &str) -> Operation {
        let (what, name) = (format!("remove {name}"), name.to_owned());
        self.edit(what, move |cib| {
            option::unset(cib, &name);
            Ok(())
        })
    }

    /// Sets a default of resources or operations.
    pub fn set_default(&self, defaults: Defaults, name: &str, value: &str) -> Operation {
        let what = format!("set the default {name}");
        let (name, value) = (name.to_owned(), value.to_owned());
        self.edit(what, move |cib| {
            option::set_default(cib, defaults, &name, &value)
        })
    }

    /// Removes a default of resources or operations.
    pub fn unset_default(&self, defaults: Defaults, name: &str) -> Operation {
        let (what, name) = (format!("remove the default {name}"), name.to_owned());
        self.edit(what, move |cib| {
            option::unset_default(cib, defaults, &name);
            Ok(())
        })
    }

    /// Takes the whole cluster into maintenance (nothing is managed), or out of it.
    pub fn maintenance(&self, on: bool) -> Operation {
        if on {
            self.set_option("maintenance-mode", "true")
        } else {
            self.unset_option("maintenance-mode")
        }
    }

    /// Stops all resources and keeps them stopped, or lets them run again.
    pub fn stop_all(&self, on: bool) -> Operation {
        if on {
            self.set_option("stop-all-resources", "true")
        } else {
            self.unset_option("stop-all-resources")
        }
    }

    /// Removes the bans and preferences, of all resources, whose time is over. They mean nothing any more.
    #[doc(alias = "crm_resource --clear --expired")]
    pub fn clear_expired(&self) -> Operation {
        self.edit("clear what has expired".to_owned(), |cib| {
            constraint::clear_expired(cib, Timestamp::now());
            Ok(())
        })
    }

    /// Asks who the Designated Controller is, and what it is doing.
    ///
    /// # Errors
    /// Those of [`controld::ping`].
    pub fn dc(&self, timeout: Duration) -> Result<controld::Ping> {
        controld::ping(None, timeout)
    }

    /// Returns a handle to a ticket.
    #[must_use]
    pub fn ticket(&self, id: &str) -> TicketHandle {
        TicketHandle {
            cluster: self.clone(),
            id: id.to_owned(),
        }
    }
}

/// A ticket, which one of several clusters has at a time.
#[derive(Debug, Clone)]
pub struct TicketHandle {
    cluster: Cluster,
    id: String,
}

impl TicketHandle {
    fn edit(
        &self,
        verb: &str,
        edit: impl Fn(&mut Document, &str) -> Result<()> + Send + Sync + 'static,
    ) -> Operation {
        let verb = format!("{verb} the ticket");
        Operation::edit_of(&self.cluster, &verb, &self.id, Goal::Settled, edit)
    }

    /// Grants it to this cluster. Make sure that no other has it.
    pub fn grant(&self) -> Operation {
        self.edit("grant", |cib, id| ticket::grant(cib, id, Timestamp::now()))
    }

    /// Takes it from this cluster: what depends on it does as its constraint says.
    pub fn revoke(&self) -> Operation {
        self.edit("revoke", ticket::revoke)
    }

    /// Sets it on standby (what depends on it leaves gently), or active again.
    pub fn standby(&self, on: bool) -> Operation {
        let verb = if on { "set on standby" } else { "activate" };
        self.edit(verb, move |cib, id| ticket::standby(cib, id, on))
    }

    /// Returns an attribute of it.
    ///
    /// # Errors
    /// Those of [`Cib::query`](crate::live::pacemaker::cib::Cib::query).
    pub fn attribute(&self, name: &str) -> Result<Option<String>> {
        let cib = self.cluster.cib().query()?;
        Ok(ticket::attribute(&cib, &self.id, name).map(str::to_owned))
    }

    /// Sets an attribute of it.
    pub fn set_attribute(&self, name: &str, value: &str) -> Operation {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.edit("set an attribute of", move |cib, id| {
            ticket::set_attribute(cib, id, &name, &value)
        })
    }

    /// Removes an attribute of it.
    pub fn unset_attribute(&self, name: &str) -> Operation {
        let name = name.to_owned();
        self.edit("remove an attribute of", move |cib, id| {
            ticket::unset_attribute(cib, id, &name)
        })
    }

    /// Makes the cluster forget it.
    pub fn forget(&self) -> Operation {
        self.edit("forget", ticket::forget)
    }
}
