//! What a file may say.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::config::attribute::Attribute;
use crate::config::{
    Action, Discovery, Expression, Interval, LossPolicy, OnFail, OrderKind, Role, Standard, Value,
};
use crate::name::{Id, NodeName};
use crate::value::Score;

/// Defines a table of the file; fields that may be absent are `Option`, `Vec` or [`Values`].
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(super) struct $name {
            $($(#[$field_doc])* pub(super) $field: $type,)*
        }
    };
}

table! {
    Layout {
        owner: Option<Id>,
        schema: Option<String>,
        #[serde(default)]
        options: Values,
        #[serde(default)]
        resource_defaults: Values,
        #[serde(default)]
        operation_defaults: Values,
        #[serde(default)]
        node: Vec<Node>,
        #[serde(default)]
        template: Vec<Primitive>,
        #[serde(default)]
        primitive: Vec<Primitive>,
        #[serde(default)]
        group: Vec<Group>,
        #[serde(default)]
        clone: Vec<Clone>,
        #[serde(default)]
        bundle: Vec<Bundle>,
        #[serde(default)]
        location: Vec<Location>,
        #[serde(default)]
        colocation: Vec<Colocation>,
        #[serde(default)]
        order: Vec<Order>,
        #[serde(default)]
        ticket: Vec<Ticket>,
        #[serde(default)]
        fencing_level: Vec<FencingLevel>,
        #[serde(default)]
        acl_role: Vec<AclRole>,
        #[serde(default)]
        acl_user: Vec<AclMember>,
        #[serde(default)]
        acl_group: Vec<AclMember>,
        #[serde(default)]
        tag: Vec<Tag>,
        #[serde(default)]
        alert: Vec<Alert>,
        #[serde(default)]
        raw: Vec<Raw>,
    }
}

table! {
    Node {
        name: NodeName,
        description: Option<String>,
        #[serde(default)]
        attributes: Values,
        #[serde(default)]
        utilization: Values,
    }
}

table! {
    /// A primitive or a template.
    Primitive {
        id: Id,
        agent: Option<Agent>,
        template: Option<Id>,
        description: Option<String>,
        #[serde(default)]
        parameters: Values,
        #[serde(default)]
        meta: Values,
        #[serde(default)]
        utilization: Values,
        #[serde(default)]
        operation: Vec<Operation>,
    }
}

table! {
    Operation {
        name: String,
        interval: Option<Interval>,
        timeout: Option<Interval>,
        start_delay: Option<Interval>,
        role: Option<Role>,
        on_fail: Option<OnFail>,
        enabled: Option<bool>,
        description: Option<String>,
        #[serde(default)]
        parameters: Values,
        #[serde(default)]
        meta: Values,
    }
}

table! {
    Group {
        id: Id,
        members: Vec<Id>,
        description: Option<String>,
        #[serde(default)]
        meta: Values,
    }
}

table! {
    Clone {
        id: Id,
        member: Id,
        promotable: Option<bool>,
        description: Option<String>,
        #[serde(default)]
        meta: Values,
    }
}

table! {
    Bundle {
        id: Id,
        engine: Engine,
        image: String,
        replicas: Option<u32>,
        replicas_per_host: Option<u32>,
        promoted_max: Option<u32>,
        run_command: Option<String>,
        container_network: Option<String>,
        container_options: Option<String>,
        network: Option<Network>,
        #[serde(default)]
        storage: Vec<Storage>,
        member: Option<Id>,
        description: Option<String>,
        #[serde(default)]
        meta: Values,
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Engine {
    Docker,
    Podman,
}

table! {
    Network {
        ip_range_start: Option<String>,
        control_port: Option<u32>,
        host_interface: Option<String>,
        host_netmask: Option<u32>,
        add_host: Option<bool>,
        #[serde(default)]
        ports: Vec<u32>,
    }
}

table! {
    Storage {
        source: String,
        target: String,
        options: Option<String>,
    }
}

table! {
    Location {
        id: Id,
        resource: Option<Id>,
        pattern: Option<String>,
        resources: Option<Vec<Id>>,
        node: Option<NodeName>,
        rule: Option<RuleText>,
        #[serde(default)]
        rules: Vec<LocationRule>,
        score: Option<Score>,
        role: Option<Role>,
        discovery: Option<Discovery>,
    }
}

table! {
    /// One of several rules of a location.
    LocationRule {
        rule: RuleText,
        score: Option<Score>,
        score_attribute: Option<String>,
        role: Option<Role>,
    }
}

table! {
    Colocation {
        id: Id,
        resource: Option<Id>,
        with: Option<Id>,
        score: Option<Score>,
        role: Option<Role>,
        with_role: Option<Role>,
        node_attribute: Option<String>,
        influence: Option<bool>,
        #[serde(default)]
        sets: Vec<Set>,
    }
}

table! {
    Order {
        id: Id,
        first: Option<Id>,
        then: Option<Id>,
        first_action: Option<Action>,
        then_action: Option<Action>,
        kind: Option<OrderKind>,
        symmetrical: Option<bool>,
        require_all: Option<bool>,
        #[serde(default)]
        sets: Vec<Set>,
    }
}

table! {
    Ticket {
        id: Id,
        ticket: String,
        resource: Option<Id>,
        role: Option<Role>,
        loss_policy: Option<LossPolicy>,
        #[serde(default)]
        sets: Vec<Set>,
    }
}

table! {
    Set {
        resources: Vec<Id>,
        sequential: Option<bool>,
        require_all: Option<bool>,
        action: Option<Action>,
        role: Option<Role>,
    }
}

table! {
    FencingLevel {
        id: Option<Id>,
        node: Option<NodeName>,
        pattern: Option<String>,
        attribute: Option<String>,
        value: Option<String>,
        index: u32,
        devices: Vec<Id>,
    }
}

table! {
    AclRole {
        id: Id,
        description: Option<String>,
        #[serde(default)]
        read: Vec<String>,
        #[serde(default)]
        write: Vec<String>,
        #[serde(default)]
        deny: Vec<String>,
    }
}

table! {
    /// A user or a group of users.
    AclMember {
        name: String,
        roles: Vec<Id>,
    }
}

table! {
    Tag {
        id: Id,
        members: Vec<Id>,
    }
}

table! {
    Alert {
        id: Id,
        path: String,
        description: Option<String>,
        #[serde(default)]
        meta: Values,
        #[serde(default)]
        parameters: Values,
        #[serde(default)]
        recipients: Vec<String>,
        #[serde(default)]
        on: Vec<AlertOn>,
        #[serde(default)]
        attributes: Vec<String>,
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AlertOn {
    Attributes,
    Fencing,
    Nodes,
    Resources,
}

table! {
    Raw {
        xml: String,
    }
}

/// Names with values, in the order of the file.
#[derive(Default)]
pub(super) struct Values(pub(super) Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names with values")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
                let mut values: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if values.iter().any(|(known, _)| *known == name) {
                        return Err(de::Error::custom(format!("{name} is there twice")));
                    }
                    values.push((name, value));
                }
                Ok(Values(values))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

/// An agent, as in `ocf:heartbeat:IPaddr2`.
pub(super) struct Agent {
    pub(super) standard: Standard,
    pub(super) provider: Option<String>,
    pub(super) kind: String,
}

impl<'de> Deserialize<'de> for Agent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is no agent; as in ocf:heartbeat:IPaddr2, systemd:arv, lsb:arv, \
                 stonith:fence_ipmilan"
            ))
        })
    }
}

impl Agent {
    fn read(text: &str) -> Option<Self> {
        let (standard, rest) = text.split_once(':')?;
        let standard = Standard::read(standard)?;
        let (provider, kind) = if standard == Standard::Ocf {
            let (provider, kind) = rest.split_once(':')?;
            (Some(provider), kind)
        } else {
            (None, rest)
        };
        let whole = provider != Some("") && !kind.is_empty() && !kind.contains(':');
        whole.then(|| Self {
            standard,
            provider: provider.map(str::to_owned),
            kind: kind.to_owned(),
        })
    }
}

/// A rule as text.
pub(super) struct RuleText(pub(super) Expression);

impl<'de> Deserialize<'de> for RuleText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|error: crate::Error| {
            let hint = error.hint().unwrap_or_default();
            de::Error::custom(format!("the rule {text:?}: {error}; {hint}"))
        })
    }
}
