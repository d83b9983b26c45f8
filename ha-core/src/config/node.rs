//! The nodes, as the configuration has them.

use super::attributes::{AttributeSet, plain};
use super::checked_node;
use super::macros::{part, words};
use super::rest::Rest;
use super::value::Value;
use crate::name::NodeName;
use crate::value::Score;

words! {
    /// What a node is.
    NodeType {
        /// It runs Corosync and Pacemaker.
        Member = "member",
        /// It runs pacemaker-remoted.
        Remote = "remote",
        /// It was only pinged, with Heartbeat.
        Ping = "ping",
    }
}

part! {
    /// A node: its name, its permanent attributes, its capacity.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::NodeConfig;
    /// let node = NodeConfig::new("maitre").attribute("site", "dijon").utilization("cpu", 4);
    /// # let _ = node;
    /// ```
    NodeConfig {
        /// Its id: with Corosync, its number. A desired configuration does without.
        id: Option<String> = optional "id",
        /// Its name.
        name: NodeName = required "uname",
        /// What it is: without it, a member.
        kind: Option<NodeType> = optional "type",
        /// What it is for, for people.
        description: Option<String> = optional "description",
        /// What each resource is worth more there.
        score: Option<Score> = optional "score",
        /// Its permanent attributes.
        attributes: Vec<AttributeSet> = many "instance_attributes",
        /// Its capacity.
        utilization: Vec<AttributeSet> = many "utilization",
    }
}

impl NodeConfig {
    /// Makes a node of this name.
    #[must_use]
    pub fn new(name: impl AsRef<str>) -> Self {
        let mut rest = Rest::default();
        Self {
            id: None,
            name: checked_node(name.as_ref(), &mut rest),
            kind: None,
            description: None,
            score: None,
            attributes: Vec::new(),
            utilization: Vec::new(),
            rest,
        }
    }

    /// Sets its number, as Corosync knows it.
    #[must_use]
    pub fn number(mut self, number: u32) -> Self {
        self.id = Some(number.to_string());
        self
    }

    /// Sets a permanent attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl Into<Value>) -> Self {
        plain(&mut self.attributes).set(name, value);
        self
    }

    /// Sets what it has of some capacity.
    #[must_use]
    pub fn utilization(mut self, name: &str, value: impl Into<Value>) -> Self {
        plain(&mut self.utilization).set(name, value);
        self
    }
}
