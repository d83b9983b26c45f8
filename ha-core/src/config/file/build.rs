//! From what a file says to a configuration.

use std::collections::{BTreeMap, HashSet};

use super::layout::{self, AlertOn, Engine, Layout, Values};
use crate::config::{
    Acl, AclGroup, AclRole, AclUser, Alert, AttributeSet, Bundle, CloneMember, CloneSet,
    Colocation, Config, Constraint, Container, ContainerOptions, FencingLevel, Group, Interval,
    Location, NodeConfig, Operation, Order, Primitive, Resource, ResourceSet, Tag, Template,
    TicketConstraint,
};
use crate::name::Id;
use crate::value::Score;
use crate::xml::Document;
use crate::{Error, ErrorExt, Result};

/// Makes the configuration that a file describes.
pub(super) fn config(layout: Layout) -> Result<Config> {
    let mut config = Config::new();
    config.owner = layout.owner;
    config.validate_with = layout.schema;
    for (name, value) in layout.options.0 {
        config = config.option(&name, value);
    }
    for (name, value) in layout.resource_defaults.0 {
        config = config.resource_default(&name, value);
    }
    for (name, value) in layout.operation_defaults.0 {
        config = config.operation_default(&name, value);
    }
    for entry in layout.node {
        let mut node = NodeConfig::new(entry.name);
        node.description = entry.description;
        node.attributes = set(entry.attributes);
        node.utilization = set(entry.utilization);
        config = config.node(node);
    }
    for entry in layout.template {
        config = config.template(template(entry)?);
    }
    let mut members = Members::new(layout.primitive)?;
    let mut groups = Vec::new();
    for entry in layout.group {
        groups.push(group(entry, &mut members)?);
    }
    let mut clones = Vec::new();
    for entry in layout.clone {
        clones.push(clone(entry, &mut members, &mut groups)?);
    }
    let mut bundles = Vec::new();
    for entry in layout.bundle {
        bundles.push(bundle(entry, &mut members)?);
    }
    for primitive in members.left() {
        config = config.primitive(primitive);
    }
    config = groups.into_iter().fold(config, Config::group);
    config = clones.into_iter().fold(config, Config::clone_set);
    config = bundles.into_iter().fold(config, Config::bundle);
    for entry in layout.location {
        config = config.location(location(entry)?);
    }
    for entry in layout.colocation {
        config = config.colocation(colocation(entry)?);
    }
    for entry in layout.order {
        config = config.order(order(entry)?);
    }
    for entry in layout.ticket {
        config = config.ticket(ticket(entry)?);
    }
    for entry in layout.fencing_level {
        config = config.fencing_level(fencing_level(entry)?);
    }
    for entry in layout.acl_role {
        config = config.acl(acl_role(entry));
    }
    for entry in layout.acl_user {
        config = config.acl(Acl::User(AclUser::new(&entry.name, entry.roles)));
    }
    for entry in layout.acl_group {
        config = config.acl(Acl::Group(AclGroup::new(&entry.name, entry.roles)));
    }
    for entry in layout.tag {
        config = config.tag(Tag::new(entry.id, entry.members));
    }
    for entry in layout.alert {
        config = config.alert(alert(entry));
    }
    for (number, entry) in (1..).zip(layout.raw) {
        raw(&mut config, &entry.xml).with_context(|| format!("the XML of raw {number}"))?;
    }
    check_ids(&config)?;
    Ok(config)
}

fn wrong(what: &str, id: &Id, problem: impl std::fmt::Display) -> Error {
    Error::invalid(format!("{what} {id}: {problem}"))
}

/// Values as the only set, or as none.
fn set(values: Values) -> Vec<AttributeSet> {
    let named = |set: AttributeSet, (name, value): (String, _)| set.with(&name, value);
    if values.0.is_empty() {
        Vec::new()
    } else {
        vec![values.0.into_iter().fold(AttributeSet::new(), named)]
    }
}

fn primitive(entry: layout::Primitive) -> Result<Primitive> {
    let mut primitive = match (entry.agent, &entry.template) {
        (Some(agent), None) => {
            let mut primitive = Primitive::service(&agent.kind, &entry.id);
            primitive.standard = Some(agent.standard);
            primitive.provider = agent.provider;
            primitive
        }
        (None, Some(template)) => Primitive::of_template(template, &entry.id),
        (Some(_), Some(_)) => {
            let problem = "it has an agent and a template";
            return Err(wrong("primitive", &entry.id, problem)
                .with_hint("the template says the agent: leave the agent out"));
        }
        (None, None) => {
            return Err(wrong("primitive", &entry.id, "its agent is missing")
                .with_hint("as in agent = \"ocf:heartbeat:IPaddr2\""));
        }
    };
    primitive.description = entry.description;
    primitive.parameters = set(entry.parameters);
    primitive.meta = set(entry.meta);
    primitive.utilization = set(entry.utilization);
    for entry in entry.operation {
        primitive = primitive.operation(operation(entry));
    }
    Ok(primitive)
}

fn template(entry: layout::Primitive) -> Result<Template> {
    if entry.template.is_some() {
        return Err(wrong("template", &entry.id, "it has a template itself")
            .with_hint("only primitives take from templates"));
    }
    let id = entry.id.clone();
    Ok(Template::new(id, primitive(entry)?))
}

fn operation(entry: layout::Operation) -> Operation {
    let interval = entry
        .interval
        .unwrap_or_else(|| Interval::from(std::time::Duration::ZERO));
    let mut operation = Operation::new(&entry.name, interval);
    operation.timeout = entry.timeout;
    operation.start_delay = entry.start_delay;
    operation.role = entry.role;
    operation.on_fail = entry.on_fail;
    operation.enabled = entry.enabled;
    operation.description = entry.description;
    operation.parameters = set(entry.parameters);
    operation.meta = set(entry.meta);
    operation
}

/// The primitives of the file, until something has them as members.
struct Members {
    primitives: BTreeMap<Id, (usize, Primitive)>,
    taken: BTreeMap<Id, Id>,
}

impl Members {
    fn new(entries: Vec<layout::Primitive>) -> Result<Self> {
        let mut primitives = BTreeMap::new();
        for (place, entry) in entries.into_iter().enumerate() {
            let id = entry.id.clone();
            if primitives.contains_key(&id) {
                return Err(twice(&id));
            }
            primitives.insert(id, (place, primitive(entry)?));
        }
        Ok(Self {
            primitives,
            taken: BTreeMap::new(),
        })
    }

    fn take(&mut self, member: &Id, what: &str, by: &Id) -> Result<Primitive> {
        if let Some((_, primitive)) = self.primitives.remove(member) {
            self.taken.insert(member.clone(), by.clone());
            return Ok(primitive);
        }
        if let Some(other) = self.taken.get(member) {
            let problem = format!("its member {member} is one of {other} already");
            return Err(wrong(what, by, problem).with_hint("a resource is in one place only"));
        }
        let there: Vec<&str> = self.primitives.keys().map(Id::as_str).collect();
        let hint = format!("primitives of this file that may be: {}", there.join(", "));
        let problem = format!("its member {member} is no primitive of this file");
        Err(wrong(what, by, problem).with_hint(hint))
    }

    /// Those that nothing has as members, in the order of the file.
    fn left(self) -> impl Iterator<Item = Primitive> {
        let mut left: Vec<(usize, Primitive)> = self.primitives.into_values().collect();
        left.sort_by_key(|(place, _)| *place);
        left.into_iter().map(|(_, primitive)| primitive)
    }
}

fn group(entry: layout::Group, members: &mut Members) -> Result<Group> {
    let taken: Result<Vec<Primitive>> = entry
        .members
        .iter()
        .map(|member| members.take(member, "group", &entry.id))
        .collect();
    let mut group = Group::new(&entry.id, taken?);
    if group.members.is_empty() {
        return Err(wrong("group", &entry.id, "it has no members"));
    }
    group.description = entry.description;
    group.meta = set(entry.meta);
    Ok(group)
}

fn clone(entry: layout::Clone, members: &mut Members, groups: &mut Vec<Group>) -> Result<CloneSet> {
    let member = match groups.iter().position(|group| group.id == entry.member) {
        Some(at) => CloneMember::Group(groups.remove(at)),
        None => CloneMember::Primitive(members.take(&entry.member, "clone", &entry.id)?),
    };
    let mut clone = CloneSet::new(&entry.id, member);
    clone.description = entry.description;
    clone.meta = set(entry.meta);
    Ok(match entry.promotable {
        Some(promotable) => clone.meta("promotable", promotable),
        None => clone,
    })
}

fn bundle(entry: layout::Bundle, members: &mut Members) -> Result<Bundle> {
    let mut options = ContainerOptions::new(&entry.image);
    options.replicas = entry.replicas;
    options.replicas_per_host = entry.replicas_per_host;
    options.promoted_max = entry.promoted_max;
    options.run_command = entry.run_command;
    options.network = entry.container_network;
    options.options = entry.container_options;
    let container = match entry.engine {
        Engine::Docker => Container::Docker(options),
        Engine::Podman => Container::Podman(options),
    };
    let mut bundle = Bundle::new(&entry.id, container);
    bundle.description = entry.description;
    bundle.meta = set(entry.meta);
    if let Some(entry) = entry.network {
        for port in entry.ports {
            bundle = bundle.port(port);
        }
        let network = bundle.network_mut();
        network.ip_range_start = entry.ip_range_start;
        network.control_port = entry.control_port;
        network.host_interface = entry.host_interface;
        network.host_netmask = entry.host_netmask;
        network.add_host = entry.add_host;
    }
    for entry in entry.storage {
        bundle = bundle.mount(&entry.source, &entry.target, "");
        if let Some(mapping) = bundle.storage.mappings.last_mut() {
            mapping.options = entry.options;
        }
    }
    Ok(match &entry.member {
        Some(member) => bundle.primitive(members.take(member, "bundle", &entry.id)?),
        None => bundle,
    })
}

fn location(entry: layout::Location) -> Result<Location> {
    let subjects = [
        entry.resource.is_some(),
        entry.pattern.is_some(),
        entry.resources.is_some(),
    ];
    if subjects.into_iter().filter(|given| *given).count() != 1 {
        let problem = "it needs one of resource, pattern, resources";
        return Err(wrong("location", &entry.id, problem));
    }
    let id = &entry.id;
    // The resource is replaced below, by what the file says.
    let mut location = match (entry.node, entry.rule, entry.rules, entry.score) {
        (Some(node), None, rules, Some(score)) if rules.is_empty() => {
            Location::prefer(id, id, node, score)
        }
        (None, Some(rule), rules, Some(score)) if rules.is_empty() => {
            Location::rule(id, id, score, rule.0)
        }
        (None, None, rules, None) if !rules.is_empty() => with_rules(id, rules)?,
        (Some(_), None, rules, None) | (None, Some(_), rules, None) if rules.is_empty() => {
            return Err(wrong("location", id, "its score is missing"));
        }
        (None, None, _, Some(_)) => {
            let problem = "its score is that of no node and no rule";
            return Err(
                wrong("location", id, problem).with_hint("each of several rules has its own score")
            );
        }
        _ => {
            let problem = "it needs one of node, rule, rules";
            return Err(wrong("location", id, problem));
        }
    };
    location.resource = entry.resource;
    location.resource_pattern = entry.pattern;
    location.sets = entry.resources.into_iter().map(ResourceSet::new).collect();
    location.role = entry.role;
    location.discovery = entry.discovery;
    Ok(location)
}

fn with_rules(id: &Id, entries: Vec<layout::LocationRule>) -> Result<Location> {
    let mut rules = Vec::new();
    for entry in entries {
        let score = entry.score.unwrap_or(Score::INFINITY);
        let made = Location::rule(id, id, score, entry.rule.0);
        for mut rule in made.rules {
            match (entry.score, &entry.score_attribute) {
                (Some(_), None) => {}
                (None, Some(attribute)) => {
                    rule.score = None;
                    rule.score_attribute = Some(attribute.clone());
                }
                _ => {
                    let problem = "each of its rules needs one of score, score-attribute";
                    return Err(wrong("location", id, problem));
                }
            }
            rule.role = entry.role;
            rules.push(rule);
        }
    }
    let mut location = Location::prefer(id, id, "node", Score::INFINITY);
    location.node = None;
    location.score = None;
    location.rules = rules;
    Ok(location)
}

fn sets(entries: Vec<layout::Set>) -> Vec<ResourceSet> {
    let set = |entry: layout::Set| {
        let mut set = ResourceSet::new(entry.resources);
        set.sequential = entry.sequential;
        set.require_all = entry.require_all;
        set.action = entry.action;
        set.role = entry.role;
        set
    };
    entries.into_iter().map(set).collect()
}

fn colocation(entry: layout::Colocation) -> Result<Colocation> {
    let score = entry.score.unwrap_or(Score::INFINITY);
    let mut colocation = match (&entry.resource, &entry.with, entry.sets.is_empty()) {
        (Some(resource), Some(with), true) => Colocation::with(&entry.id, resource, with, score),
        (None, None, false) => Colocation::sets(&entry.id, score, sets(entry.sets)),
        _ => {
            let problem = "it needs resource and with, or sets";
            return Err(wrong("colocation", &entry.id, problem));
        }
    };
    colocation.role = entry.role;
    colocation.with_role = entry.with_role;
    colocation.node_attribute = entry.node_attribute;
    colocation.influence = entry.influence;
    Ok(colocation)
}

fn order(entry: layout::Order) -> Result<Order> {
    let mut order = match (&entry.first, &entry.then, entry.sets.is_empty()) {
        (Some(first), Some(then), true) => Order::then(&entry.id, first, then),
        (None, None, false) => Order::sets(&entry.id, sets(entry.sets)),
        _ => {
            return Err(wrong(
                "order",
                &entry.id,
                "it needs first and then, or sets",
            ));
        }
    };
    order.first_action = entry.first_action;
    order.then_action = entry.then_action;
    order.kind = entry.kind;
    order.symmetrical = entry.symmetrical;
    order.require_all = entry.require_all;
    Ok(order)
}

fn ticket(entry: layout::Ticket) -> Result<TicketConstraint> {
    let mut ticket = match (&entry.resource, entry.sets.is_empty()) {
        (Some(resource), true) => TicketConstraint::new(&entry.id, &entry.ticket, resource),
        (None, false) => TicketConstraint::sets(&entry.id, &entry.ticket, sets(entry.sets)),
        _ => return Err(wrong("ticket", &entry.id, "it needs one of resource, sets")),
    };
    ticket.role = entry.role;
    ticket.loss_policy = entry.loss_policy;
    Ok(ticket)
}

fn fencing_level(entry: layout::FencingLevel) -> Result<FencingLevel> {
    let (index, devices) = (entry.index, entry.devices);
    let level = match (entry.node, entry.pattern, entry.attribute, entry.value) {
        (Some(node), None, None, None) => FencingLevel::node(node.as_str(), index, devices),
        (None, Some(pattern), None, None) => FencingLevel::pattern(&pattern, index, devices),
        (None, None, Some(name), Some(value)) => {
            FencingLevel::attribute(&name, &value, index, devices)
        }
        _ => {
            return Err(Error::invalid(format!(
                "fencing-level {index}: it needs one of node, pattern, attribute with value"
            )));
        }
    };
    Ok(FencingLevel {
        id: entry.id.or(level.id),
        ..level
    })
}

fn acl_role(entry: layout::AclRole) -> AclRole {
    let mut role = AclRole::new(entry.id);
    role.description = entry.description;
    for xpath in entry.deny {
        role = role.may_not_see(&xpath);
    }
    for xpath in entry.write {
        role = role.may_write(&xpath);
    }
    for xpath in entry.read {
        role = role.may_read(&xpath);
    }
    role
}

fn alert(entry: layout::Alert) -> Alert {
    let mut alert = Alert::new(entry.id, &entry.path);
    alert.description = entry.description;
    alert.meta = set(entry.meta);
    alert.parameters = set(entry.parameters);
    for recipient in entry.recipients {
        alert = alert.recipient(&recipient);
    }
    for on in entry.on {
        alert = match on {
            AlertOn::Attributes => alert.on_attributes([]),
            AlertOn::Fencing => alert.on_fencing(),
            AlertOn::Nodes => alert.on_nodes(),
            AlertOn::Resources => alert.on_resources(),
        };
    }
    if entry.attributes.is_empty() {
        alert
    } else {
        alert.on_attributes(entry.attributes.iter().map(String::as_str))
    }
}

/// Adds what a piece of XML says.
fn raw(config: &mut Config, xml: &str) -> Result<()> {
    let element = Document::parse(xml)?;
    let root = element.root();
    let section = match root.name() {
        "primitive" | "template" | "group" | "clone" | "master" | "bundle" => Some("resources"),
        "rsc_location" | "rsc_colocation" | "rsc_order" | "rsc_ticket" => Some("constraints"),
        "tag" => Some("tags"),
        "alert" => Some("alerts"),
        "fencing-level" => Some("fencing-topology"),
        "acl_role" | "acl_target" | "acl_group" => Some("acls"),
        "node" => Some("nodes"),
        "cluster_property_set" => Some("crm_config"),
        "crm_config" | "rsc_defaults" | "op_defaults" => None,
        other => {
            return Err(Error::invalid(format!("<{other}> is no object")).with_hint(
                "a resource, a constraint, a tag, an alert, a fencing-level, an acl_..., a node, \
                 or a whole crm_config, rsc_defaults, op_defaults",
            ));
        }
    };
    let mut document = Document::new("configuration");
    let mut parent = document.root().id();
    if let Some(section) = section {
        parent = document.append_child(parent, section);
    }
    document.import(parent, 0, root);
    let mut added = Config::read(&document)?;
    if let Some(problem) = added.unreadable().first() {
        return Err(problem.clone().into());
    }
    added.name_parts();
    config.options.extend(added.options);
    config.nodes.extend(added.nodes);
    config.resources.extend(added.resources);
    config.constraints.extend(added.constraints);
    config.fencing_levels.extend(added.fencing_levels);
    config.acls.extend(added.acls);
    config.tags.extend(added.tags);
    config.alerts.extend(added.alerts);
    config.operation_defaults.extend(added.operation_defaults);
    config.resource_defaults.extend(added.resource_defaults);
    Ok(())
}

fn twice(id: &Id) -> Error {
    Error::invalid(format!("two things have the id {id}")).with_hint("give one another id")
}

/// Checks that no two objects have the same id.
fn check_ids(config: &Config) -> Result<()> {
    let resources = config.resources.iter().flat_map(Resource::ids);
    let constraints = config.constraints.iter().map(Constraint::id);
    let tags = config.tags.iter().map(|tag| &tag.id);
    let alerts = config.alerts.iter().map(|alert| &alert.id);
    let mut seen = HashSet::new();
    for id in resources.chain(constraints).chain(tags).chain(alerts) {
        if !seen.insert(id) {
            return Err(twice(id));
        }
    }
    Ok(())
}
