//! Primitives, templates, and what all kinds of resources have in common.

use super::attributes::{AttributeSet, plain};
use super::bundle::Bundle;
use super::checked;
use super::collective::{CloneMember, CloneSet, Group};
use super::macros::{choice, from_each, part, words};
use super::operation::{Operation, Operations};
use super::rest::Rest;
use super::value::{Interval, Value};
use crate::name::Id;

words! {
    /// Which conventions an agent follows.
    Standard {
        /// Open Cluster Framework scripts, of a provider.
        Ocf = "ocf",
        /// Units of systemd.
        Systemd = "systemd",
        /// Scripts in `/etc/init.d`.
        Lsb = "lsb",
        /// Whichever of systemd and LSB has the service.
        Service = "service",
        /// Fence agents.
        Stonith = "stonith",
        /// Jobs of Upstart.
        Upstart = "upstart",
        /// Plugins of Nagios.
        Nagios = "nagios",
        /// Scripts of Heartbeat 1.
        Heartbeat = "heartbeat",
    }
}

words! {
    /// A role that a constraint or an operation is about.
    Role {
        /// Not running.
        Stopped = "Stopped",
        /// Running.
        Started = "Started",
        /// Running, not promoted.
        Unpromoted = "Unpromoted",
        /// Running and promoted.
        Promoted = "Promoted",
        /// As [`Role::Unpromoted`]: the only spelling before Pacemaker 2.1.
        UnpromotedOld = "Slave",
        /// As [`Role::Promoted`]: the only spelling before Pacemaker 2.1.
        PromotedOld = "Master",
    }
}

choice! {
    /// A resource, or a template of some.
    Resource {
        /// One thing that runs.
        Primitive(Primitive) = "primitive",
        /// What several primitives have in common.
        Template(Template) = "template",
        /// Primitives that run together, one after the other.
        Group(Group) = "group",
        /// The same on several nodes.
        Clone(CloneSet) = "clone",
        /// As a promotable clone: the spelling before Pacemaker 2.
        Master(CloneSet) = "master",
        /// A container, with what runs in it.
        Bundle(Bundle) = "bundle",
    }
}

from_each! {
    Resource: Primitive(Primitive), Template(Template), Group(Group), Clone(CloneSet),
        Bundle(Bundle)
}

impl Resource {
    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &Id {
        match self {
            Self::Primitive(primitive) => &primitive.id,
            Self::Template(template) => &template.id,
            Self::Group(group) => &group.id,
            Self::Clone(clone) | Self::Master(clone) => &clone.id,
            Self::Bundle(bundle) => &bundle.id,
        }
    }

    /// Returns the primitives in it, or itself when it is one.
    pub fn primitives(&self) -> impl Iterator<Item = &Primitive> {
        let (one, several): (Option<&Primitive>, &[Primitive]) = match self {
            Self::Primitive(primitive) => (Some(primitive), &[]),
            Self::Template(_) => (None, &[]),
            Self::Group(group) => (None, &group.members),
            Self::Clone(clone) | Self::Master(clone) => match &clone.member {
                CloneMember::Primitive(primitive) => (Some(primitive), &[]),
                CloneMember::Group(group) => (None, &group.members),
            },
            Self::Bundle(bundle) => (bundle.primitive.as_deref(), &[]),
        };
        one.into_iter().chain(several)
    }

    /// Returns its id and those of the resources in it.
    pub fn ids(&self) -> impl Iterator<Item = &Id> {
        let group = match self {
            Self::Clone(clone) | Self::Master(clone) => match &clone.member {
                CloneMember::Group(group) => Some(&group.id),
                CloneMember::Primitive(_) => None,
            },
            _ => None,
        };
        let inside = !matches!(self, Self::Primitive(_));
        let inside = self.primitives().filter(move |_| inside);
        let inside = inside.map(|primitive| &primitive.id);
        std::iter::once(self.id()).chain(group).chain(inside)
    }
}

part! {
    /// One thing that runs: an address, a service, a file system ....
    ///
    /// # Example
    /// ```
    /// use std::time::Duration;
    /// use ha_core::config::Primitive;
    /// let s = Duration::from_secs;
    /// let address = Primitive::ocf("heartbeat", "IPaddr2", "VIP_externe")
    ///     .parameter("ip", "192.168.0.23")
    ///     .parameter("cidr_netmask", 24)
    ///     .monitor(s(10), s(20));
    /// assert_eq!(address.get("ip"), Some("192.168.0.23"));
    /// ```
    Primitive {
        /// Its id.
        id: Id = required "id",
        /// Which conventions its agent follows; none when a template says it.
        standard: Option<Standard> = optional "class",
        /// The provider of its agent (OCF only).
        provider: Option<String> = optional "provider",
        /// Its agent.
        agent: Option<String> = optional "type",
        /// The id of its template.
        template: Option<Id> = optional "template",
        /// What it is, for people.
        description: Option<String> = optional "description",
        /// What the cluster makes of it.
        meta: Vec<AttributeSet> = many "meta_attributes",
        /// What its agent is told.
        parameters: Vec<AttributeSet> = many "instance_attributes",
        /// What of a node's capacity it takes.
        utilization: Vec<AttributeSet> = many "utilization",
        /// How its agent is called.
        operations: Operations = nested "operations",
    }
}

part! {
    /// What several primitives have in common: those that name it take what they do not say
    /// themselves from it.
    Template {
        /// Its id.
        id: Id = required "id",
        /// Which conventions the agent follows.
        standard: Option<Standard> = optional "class",
        /// The provider of the agent (OCF only).
        provider: Option<String> = optional "provider",
        /// The agent.
        agent: Option<String> = optional "type",
        /// What it is for, for people.
        description: Option<String> = optional "description",
        /// What the cluster makes of its primitives.
        meta: Vec<AttributeSet> = many "meta_attributes",
        /// What the agent is told.
        parameters: Vec<AttributeSet> = many "instance_attributes",
        /// What of a node's capacity each takes.
        utilization: Vec<AttributeSet> = many "utilization",
        /// How the agent is called.
        operations: Operations = nested "operations",
    }
}

impl Primitive {
    fn make(standard: Option<Standard>, agent: Option<&str>, id: &str) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id, &mut rest),
            standard,
            provider: None,
            agent: agent.map(str::to_owned),
            template: None,
            description: None,
            meta: Vec::new(),
            parameters: Vec::new(),
            utilization: Vec::new(),
            operations: Operations::default(),
            rest,
        }
    }

    /// Makes a resource of an OCF agent.
    #[must_use]
    pub fn ocf(provider: &str, agent: &str, id: impl AsRef<str>) -> Self {
        let mut primitive = Self::make(Some(Standard::Ocf), Some(agent), id.as_ref());
        primitive.provider = Some(provider.to_owned());
        primitive
    }

    /// Makes a resource of a unit of systemd.
    #[must_use]
    pub fn systemd(unit: &str, id: impl AsRef<str>) -> Self {
        Self::make(Some(Standard::Systemd), Some(unit), id.as_ref())
    }

    /// Makes a resource of a script in `/etc/init.d`.
    #[must_use]
    pub fn lsb(script: &str, id: impl AsRef<str>) -> Self {
        Self::make(Some(Standard::Lsb), Some(script), id.as_ref())
    }

    /// Makes a resource of a service, whichever of systemd and LSB has it.
    #[must_use]
    pub fn service(name: &str, id: impl AsRef<str>) -> Self {
        Self::make(Some(Standard::Service), Some(name), id.as_ref())
    }

    /// Makes a fence device.
    #[must_use]
    pub fn stonith(agent: &str, id: impl AsRef<str>) -> Self {
        Self::make(Some(Standard::Stonith), Some(agent), id.as_ref())
    }

    /// Makes a resource of a template.
    #[must_use]
    pub fn of_template(template: impl AsRef<str>, id: impl AsRef<str>) -> Self {
        let mut primitive = Self::make(None, None, id.as_ref());
        primitive.template = Some(checked(template.as_ref(), &mut primitive.rest));
        primitive
    }
}

impl Template {
    /// Makes a template that has all that a primitive says of itself, save its id.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::{Primitive, Template};
    /// let template = Template::new("address", Primitive::ocf("heartbeat", "IPaddr2", "x").parameter("nic", "eth0"));
    /// let address = Primitive::of_template("address", "VIP_interne").parameter("ip", "10.0.0.1");
    /// # let _ = (template, address);
    /// ```
    #[must_use]
    pub fn new(id: impl AsRef<str>, primitive: Primitive) -> Self {
        let mut rest = primitive.rest;
        Self {
            id: checked(id.as_ref(), &mut rest),
            standard: primitive.standard,
            provider: primitive.provider,
            agent: primitive.agent,
            description: primitive.description,
            meta: primitive.meta,
            parameters: primitive.parameters,
            utilization: primitive.utilization,
            operations: primitive.operations,
            rest,
        }
    }
}

/// The parts that primitives have, and how they are set.
macro_rules! built {
    ($name:ident) => {
        impl $name {
            /// Sets a parameter of the agent.
            #[must_use]
            pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
                plain(&mut self.parameters).set(name, value);
                self
            }

            /// Adds a set of parameters, as one that counts by a rule.
            #[must_use]
            pub fn parameters(mut self, set: AttributeSet) -> Self {
                self.parameters.push(set);
                self
            }

            /// Returns a parameter of the sets that have no rule.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<&str> {
                let mut sets = self.parameters.iter().filter(|set| set.rule.is_none());
                sets.find_map(|set| set.get(name))
            }

            /// Sets what of a node's capacity it takes.
            #[must_use]
            pub fn utilization(mut self, name: &str, value: impl Into<Value>) -> Self {
                plain(&mut self.utilization).set(name, value);
                self
            }

            /// Adds an operation.
            #[must_use]
            pub fn operation(mut self, operation: Operation) -> Self {
                self.operations.list.push(operation);
                self
            }

            /// Has it looked at with an interval, each time until a time-out.
            #[must_use]
            pub fn monitor(
                self,
                interval: impl Into<Interval>,
                timeout: impl Into<Interval>,
            ) -> Self {
                self.operation(Operation::new("monitor", interval).timeout(timeout))
            }

            /// Gives starting a time-out.
            #[must_use]
            pub fn start_timeout(self, timeout: impl Into<Interval>) -> Self {
                self.operation(Operation::once("start").timeout(timeout))
            }

            /// Gives stopping a time-out.
            #[must_use]
            pub fn stop_timeout(self, timeout: impl Into<Interval>) -> Self {
                self.operation(Operation::once("stop").timeout(timeout))
            }
        }
    };
}
built!(Primitive);
built!(Template);

/// The parts that all resources have, and how they are set.
macro_rules! resource {
    ($($name:ident),*) => {
        $(impl $name {
            /// Sets a meta-attribute: what the cluster makes of it.
            #[must_use]
            pub fn meta(mut self, name: &str, value: impl Into<Value>) -> Self {
                plain(&mut self.meta).set(name, value);
                self
            }

            /// Adds a set of meta-attributes, as one that counts by a rule.
            #[must_use]
            pub fn metas(mut self, set: AttributeSet) -> Self {
                self.meta.push(set);
                self
            }

            /// Says what it is, for people.
            #[must_use]
            pub fn description(mut self, text: &str) -> Self {
                self.description = Some(text.to_owned());
                self
            }
        })*
    };
}
resource!(Primitive, Template, Group, CloneSet, Bundle);
