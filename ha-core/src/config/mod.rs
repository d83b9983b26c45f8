//! Pacemaker's configuration as types, to read and to build.
//!
//! [`Config::read`] takes a CIB apart: resources, constraints, rules, options, nodes, fencing,
//! tags, alerts, access control. What the types do not know (an attribute of a newer Pacemaker, a
//! comment, a value that makes no sense) is kept and printed again where it stood; see
//! [`Config::unreadable`].
//!
//! [`Config::new`] and the builders make one. The parts of an object get ids made from the
//! object's, as crmsh and pcs make them: `VIP_externe-instance_attributes-ip`,
//! `VIP_externe-monitor-10s`.
//!
//! ```
//! use std::time::Duration;
//! use ha_core::config::{Config, Group, Location, Primitive};
//!
//! let s = Duration::from_secs;
//! let config = Config::new()
//!     .option("stonith-enabled", false)
//!     .resource_default("resource-stickiness", 100)
//!     .group(Group::new("sphynx", [
//!         Primitive::ocf("heartbeat", "IPaddr2", "VIP_externe")
//!             .parameter("ip", "192.168.0.23")
//!             .monitor(s(10), s(20)),
//!         Primitive::systemd("strongswan-starter", "ipsec_rsc").monitor(s(30), s(60)),
//!     ]))
//!     .location(Location::prefer("sphynx_on_maitre", "sphynx", "maitre", 50));
//! let cib = config.to_document()?;
//! assert_eq!(Config::read(&cib)?, config);
//! assert!(cib.to_xml().contains(r#"<op id="VIP_externe-monitor-10s" name="monitor""#));
//! # Ok::<(), ha_core::Error>(())
//! ```
//!
//! A builder that is given what is no id (or no node's name) goes on; [`Config::to_document`] says
//! all that is wrong.

mod acl;
mod alert;
mod attribute;
mod attributes;
mod bundle;
mod collective;
mod colocation;
mod constraint;
mod date;
mod expression_text;
mod fencing;
#[cfg(feature = "toml")]
mod file;
mod location;
mod macros;
mod naming;
mod node;
mod operation;
mod order;
mod part;
mod resource;
mod rest;
mod rule;
mod set;
mod shown;
pub(crate) mod spelling;
mod tag;
mod ticket;
mod unreadable;
mod value;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

pub use acl::{Acl, AclGroup, AclRole, AclUser, Permission, PermissionKind};
pub use alert::{
    Alert, AlertSelection, Recipient, Selected, SelectedAttribute, SelectedAttributes,
};
pub use attributes::{AttributeSet, Pair};
pub use bundle::{
    Bundle, BundleNetwork, BundleStorage, Container, ContainerOptions, PortMapping, StorageMapping,
};
pub use collective::{CloneMember, CloneSet, Group};
pub use colocation::Colocation;
pub use constraint::Constraint;
pub use date::{DateDuration, DateExpression, DateOperation, DateSpec};
pub use fencing::FencingLevel;
pub use location::{Discovery, Location};
pub use node::{NodeConfig, NodeType};
pub use operation::{OnFail, Operation, Operations};
pub use order::Order;
pub use resource::{Primitive, Resource, Role, Standard, Template};
pub use rest::Rest;
pub use rule::{
    AttributeExpression, BooleanOp, Comparison, ComparisonType, Expression, OperationExpression,
    ResourceExpression, Rule, ValueSource,
};
pub use set::{Action, OrderKind, Ordering, Reference, ResourceSet};
pub use tag::Tag;
pub use ticket::{LossPolicy, TicketConstraint};
pub use unreadable::Unreadable;
pub use value::{Interval, Secret, Value};

use crate::name::{Id, NodeName};
use crate::xml::{Document, NodeId};
use crate::{Error, Result};
use naming::Namer;
use part::{Reader, Writer};
use shown::Shown;

/// The set that options go to, as Pacemaker's own tools call it.
const OPTIONS: &str = "cib-bootstrap-options";
/// The sets that defaults go to, as crmsh calls them.
const RESOURCE_DEFAULTS: &str = "rsc-options";
const OPERATION_DEFAULTS: &str = "op-options";

/// A cluster's configuration.
///
/// Two are equal when they say the same in the same order; where comments stood, and the order of
/// the sections, do not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Config {
    /// The schema that it is for, as in `pacemaker-3.9`.
    pub validate_with: Option<String>,
    /// Whose configuration it is: what a tool keeps beside that of others. It is not printed.
    pub owner: Option<Id>,
    /// Options of the cluster.
    pub options: Vec<AttributeSet>,
    /// The nodes.
    pub nodes: Vec<NodeConfig>,
    /// The resources and templates.
    pub resources: Vec<Resource>,
    /// The constraints.
    pub constraints: Vec<Constraint>,
    /// The fencing topology.
    pub fencing_levels: Vec<FencingLevel>,
    /// Who may what.
    pub acls: Vec<Acl>,
    /// Names for several things.
    pub tags: Vec<Tag>,
    /// What is run when something happens.
    pub alerts: Vec<Alert>,
    /// Meta-attributes of operations that do not set them.
    pub operation_defaults: Vec<AttributeSet>,
    /// Meta-attributes of resources that do not set them.
    pub resource_defaults: Vec<AttributeSet>,
    /// What is in the configuration besides.
    pub rest: Rest,
    /// What is in the sections besides, where there is something.
    sections: BTreeMap<&'static str, Rest>,
    unreadable: Vec<Unreadable>,
}

/// Calls a macro with each section: its field, its element, how and by which elements its items
/// are read, and whether it must be there even when it is empty.
macro_rules! each_section {
    ($macro:ident!($($with:tt)*)) => {
        $macro! { $($with)*;
            options "crm_config" many("cluster_property_set") true,
            nodes "nodes" many("node") true,
            resources "resources" any() true,
            constraints "constraints" any() true,
            fencing_levels "fencing-topology" many("fencing-level") false,
            acls "acls" any() false,
            tags "tags" many("tag") false,
            alerts "alerts" many("alert") false,
            operation_defaults "op_defaults" many("meta_attributes") false,
            resource_defaults "rsc_defaults" many("meta_attributes") false,
        }
    };
}

impl Config {
    /// Makes an empty configuration.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the configuration of a CIB (or a `configuration` element alone).
    ///
    /// What cannot be read is kept as it is: [`Config::unreadable`] lists it.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when the document holds no configuration.
    ///
    /// # Example
    /// ```
    /// use ha_core::{config::Config, xml::Document};
    /// let cib = Document::parse(r#"<cib><configuration><resources>
    ///     <primitive id="arv_rsc" class="systemd" type="arv"/>
    /// </resources></configuration></cib>"#)?;
    /// assert_eq!(Config::read(&cib)?.resources[0].id(), "arv_rsc");
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn read(document: &Document) -> Result<Self> {
        let root = document.root();
        let element = match root.name() {
            "configuration" => root,
            _ => root.child("configuration").ok_or_else(|| {
                Error::invalid(format!("<{}> holds no <configuration>", root.name()))
                    .with_hint("a CIB is what cibadmin --query prints")
            })?,
        };
        let mut config = Self {
            validate_with: root.attribute("validate-with").map(str::to_owned),
            ..Self::default()
        };
        let mut unreadable = Vec::new();
        let mut claimed = Vec::new();
        macro_rules! read {
            (; $($field:ident $section:literal $how:ident($($tag:literal)?) $always:literal,)*) => {
                $(if let Some(section) = element.child($section) {
                    let mut reader = Reader::new(section, &mut unreadable);
                    config.$field = reader.$how($($tag)?)?;
                    let rest = reader.rest();
                    if !rest.is_empty() {
                        config.sections.insert($section, rest);
                    }
                    claimed.push(Some(section));
                } else {
                    claimed.push(None);
                })*
            };
        }
        each_section!(read!());
        let mut reader = Reader::new(element, &mut unreadable);
        for section in claimed {
            reader.claim(section);
        }
        config.rest = reader.rest();
        config.unreadable = unreadable;
        Ok(config)
    }

    /// Returns what [`Config::read`] kept without understanding it.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Prints it as a CIB: its `configuration`, and no status. For a schema before `pacemaker-3.7`,
    /// the roles that a promotable clone has are spelled as that schema does.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when a builder was given what it could
    /// not take (what is no id, no node's name): the message says all of it.
    pub fn to_document(&self) -> Result<Document> {
        let mut named = self.clone();
        named.name_parts();
        let mut document = Document::new("cib");
        let root = document.root().id();
        if let Some(schema) = &self.validate_with {
            document.set_attribute(root, "validate-with", schema);
        }
        for version in ["admin_epoch", "epoch", "num_updates"] {
            document.set_attribute(root, version, "0");
        }
        let configuration = document.append_child(root, "configuration");
        let mut mistakes = Vec::new();
        named.write(&mut document, configuration, &mut mistakes);
        document.append_child(root, "status");
        if let Some(schema) = &self.validate_with {
            spelling::of_schema(&mut document, schema);
        }
        match mistakes.pop() {
            None => Ok(document),
            Some(last) if mistakes.is_empty() => Err(last.into()),
            Some(last) => {
                mistakes.push(last);
                let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
                Err(Error::invalid(all.join("; ")))
            }
        }
    }

    fn write(&self, document: &mut Document, at: NodeId, mistakes: &mut Vec<Unreadable>) {
        let nothing = Rest::default();
        let mut fields = Vec::new();
        macro_rules! list {
            (; $($field:ident $section:literal $how:ident($($tag:literal)?) $always:literal,)*) => {
                [$(($section, $always || !self.$field.is_empty()
                    || self.sections.contains_key($section))),*]
            };
        }
        let sections = each_section!(list!());
        for (number, (_, there)) in (1..).zip(sections) {
            if there {
                fields.push(number);
            }
        }
        for (name, value) in self.rest.attributes() {
            document.set_attribute(at, name, value);
        }
        for content in self.rest.arranged(&fields) {
            let (name, _) = match content {
                Ok(section) => sections[usize::from(fields[section]) - 1],
                Err(kept) => {
                    kept.write(document, at);
                    continue;
                }
            };
            let section = document.append_child(at, name);
            let mut writer = Writer::new(document, section, mistakes);
            macro_rules! print {
                (; $($field:ident $section:literal $how:ident($($tag:literal)?) $always:literal,)*) => {
                    match name {
                        $($section => writer.$how($($tag,)? &self.$field),)*
                        _ => {}
                    }
                };
            }
            each_section!(print!());
            writer.rest(self.sections.get(name).unwrap_or(&nothing));
            writer.finish();
        }
    }

    /// Gives an id to all parts that need one and have none, as the builders do.
    pub fn name_parts(&mut self) {
        macro_rules! name {
            (; $($field:ident $section:literal $how:ident($($tag:literal)?) $always:literal,)*) => {
                Namer::over(|namer| { $(namer.$how($($tag,)? &mut self.$field);)* });
            };
        }
        each_section!(name!());
    }

    /// Returns all primitives, those of groups, clones and bundles included.
    pub fn primitives(&self) -> impl Iterator<Item = &Primitive> {
        self.resources.iter().flat_map(Resource::primitives)
    }
}

/// Builders.
impl Config {
    /// Says which schema it is for, as in `pacemaker-3.9`.
    #[must_use]
    pub fn schema(mut self, name: &str) -> Self {
        self.validate_with = Some(name.to_owned());
        self
    }

    /// Says whose configuration it is.
    #[must_use]
    pub fn owned_by(mut self, owner: impl AsRef<str>) -> Self {
        self.owner = Some(checked(owner.as_ref(), &mut self.rest));
        self
    }

    /// Sets an option of the cluster.
    #[must_use]
    pub fn option(mut self, name: &str, value: impl Into<Value>) -> Self {
        set_in(&mut self.options, OPTIONS, name, value.into());
        self
    }

    /// Sets a meta-attribute for all resources that do not set it.
    #[must_use]
    pub fn resource_default(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        set_in(&mut self.resource_defaults, RESOURCE_DEFAULTS, name, value);
        self
    }

    /// Sets a meta-attribute for all operations that do not set it.
    #[must_use]
    pub fn operation_default(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        set_in(
            &mut self.operation_defaults,
            OPERATION_DEFAULTS,
            name,
            value,
        );
        self
    }

    /// Adds a set of options, as one that counts by a rule.
    #[must_use]
    pub fn options(mut self, set: AttributeSet) -> Self {
        add_to(&mut self.options, OPTIONS, set);
        self
    }

    /// Adds a set of defaults for resources, as one that counts by a rule.
    #[must_use]
    pub fn resource_defaults(mut self, set: AttributeSet) -> Self {
        add_to(&mut self.resource_defaults, RESOURCE_DEFAULTS, set);
        self
    }

    /// Adds a set of defaults for operations, as one that counts by a rule.
    #[must_use]
    pub fn operation_defaults(mut self, set: AttributeSet) -> Self {
        add_to(&mut self.operation_defaults, OPERATION_DEFAULTS, set);
        self
    }

    /// Adds a node.
    #[must_use]
    pub fn node(mut self, mut node: NodeConfig) -> Self {
        Namer::name("node", &mut node);
        self.nodes.push(node);
        self
    }

    /// Adds a resource or a template.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<Resource>) -> Self {
        let mut resource = resource.into();
        Namer::name_choice(&mut resource);
        self.resources.push(resource);
        self
    }

    /// Adds a primitive.
    #[must_use]
    pub fn primitive(self, primitive: Primitive) -> Self {
        self.resource(primitive)
    }

    /// Adds a template.
    #[must_use]
    pub fn template(self, template: Template) -> Self {
        self.resource(template)
    }

    /// Adds a group.
    #[must_use]
    pub fn group(self, group: Group) -> Self {
        self.resource(group)
    }

    /// Adds a clone.
    #[must_use]
    pub fn clone_set(self, clone: CloneSet) -> Self {
        self.resource(clone)
    }

    /// Adds a bundle.
    #[must_use]
    pub fn bundle(self, bundle: Bundle) -> Self {
        self.resource(bundle)
    }

    /// Adds a constraint.
    #[must_use]
    pub fn constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        let mut constraint = constraint.into();
        Namer::name_choice(&mut constraint);
        self.constraints.push(constraint);
        self
    }

    /// Adds a location constraint.
    #[must_use]
    pub fn location(self, location: Location) -> Self {
        self.constraint(location)
    }

    /// Adds a colocation constraint.
    #[must_use]
    pub fn colocation(self, colocation: Colocation) -> Self {
        self.constraint(colocation)
    }

    /// Adds an order constraint.
    #[must_use]
    pub fn order(self, order: Order) -> Self {
        self.constraint(order)
    }

    /// Adds a ticket constraint.
    #[must_use]
    pub fn ticket(self, ticket: TicketConstraint) -> Self {
        self.constraint(ticket)
    }

    /// Adds a level of the fencing topology.
    #[must_use]
    pub fn fencing_level(mut self, mut level: FencingLevel) -> Self {
        Namer::name("fencing-level", &mut level);
        self.fencing_levels.push(level);
        self
    }

    /// Adds a role, a user or a group of users.
    #[must_use]
    pub fn acl(mut self, acl: impl Into<Acl>) -> Self {
        let mut acl = acl.into();
        Namer::name_choice(&mut acl);
        self.acls.push(acl);
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: Tag) -> Self {
        self.tags.push(tag);
        self
    }

    /// Adds an alert.
    #[must_use]
    pub fn alert(mut self, mut alert: Alert) -> Self {
        Namer::name("alert", &mut alert);
        self.alerts.push(alert);
        self
    }
}

/// Sets a value in the first set that always counts, made when there is none.
fn set_in(sets: &mut Vec<AttributeSet>, id: &str, name: &str, value: Value) {
    if !sets.iter().any(attributes::is_plain) {
        add_to(sets, id, AttributeSet::new());
    }
    attributes::plain(sets).set(name, value);
    Namer::name_sets(id, sets);
}

/// Adds a set.
fn add_to(sets: &mut Vec<AttributeSet>, id: &str, set: AttributeSet) {
    sets.push(set);
    Namer::name_sets(id, sets);
}

/// Takes an id; remembers it when it is none.
fn checked(id: &str, rest: &mut Rest) -> Id {
    Id::new(id).unwrap_or_else(|problem| {
        rest.mistake(problem.to_string());
        Id::new("invalid").expect("an id")
    })
}

/// Takes a node's name; remembers it when it is none.
fn checked_node(name: &str, rest: &mut Rest) -> NodeName {
    NodeName::new(name).unwrap_or_else(|problem| {
        rest.mistake(problem.to_string());
        NodeName::new("invalid").expect("a node's name")
    })
}

/// Secrets hidden.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut shown = Shown::new(serializer)?;
        shown.optional("validate_with", &self.validate_with);
        shown.optional("owner", &self.owner);
        macro_rules! show {
            (; $($field:ident $section:literal $how:ident($($tag:literal)?) $always:literal,)*) => {
                $(shown.$how(stringify!($field), &self.$field);)*
            };
        }
        each_section!(show!());
        shown.many("unreadable", &self.unreadable);
        shown.end(&self.rest)
    }
}
