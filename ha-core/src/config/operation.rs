//! How an agent is called.

use std::time::Duration;

use super::attributes::{AttributeSet, plain};
use super::macros::{part, words};
use super::resource::Role;
use super::rest::Rest;
use super::value::{Interval, Value};
use crate::name::Id;

part! {
    /// The operations of a resource.
    #[derive(Default)]
    Operations {
        /// The id of the operations of another resource that these stand for.
        id_ref: Option<Id> = reference "id-ref",
        /// The id of the list, for others to stand for it.
        id: Option<Id> = optional "id",
        /// The operations, in order.
        list: Vec<Operation> = many "op",
    }
}

words! {
    /// What happens when an operation fails.
    OnFail {
        /// Nothing.
        Ignore = "ignore",
        /// Nothing more is done with the resource.
        Block = "block",
        /// It is demoted.
        Demote = "demote",
        /// It is stopped, everywhere.
        Stop = "stop",
        /// It is started again, maybe elsewhere.
        Restart = "restart",
        /// The node is put in standby.
        Standby = "standby",
        /// The node is fenced.
        Fence = "fence",
        /// The container of the resource is started again.
        RestartContainer = "restart-container",
    }
}

part! {
    /// One operation: what the agent does, how often, how long it may take.
    Operation {
        /// Its id.
        id: Option<Id> = own "id",
        /// What the agent does: `monitor`, `start`, `stop` ....
        name: String = required "name",
        /// How often: 0 for what is done when needed.
        interval: Option<Interval> = optional "interval",
        /// How long it may take.
        timeout: Option<Interval> = optional "timeout",
        /// How long it waits before it begins.
        start_delay: Option<Interval> = optional "start-delay",
        /// A moment (ISO 8601) from which the interval counts.
        interval_origin: Option<String> = optional "interval-origin",
        /// The role in which it is done.
        role: Option<Role> = optional "role",
        /// What happens when it fails.
        on_fail: Option<OnFail> = optional "on-fail",
        /// Whether it is done at all.
        enabled: Option<bool> = optional "enabled",
        /// Whether the cluster records that it is under way.
        record_pending: Option<bool> = optional "record-pending",
        /// What it is for, for people.
        description: Option<String> = optional "description",
        /// What the cluster makes of it.
        meta: Vec<AttributeSet> = many "meta_attributes",
        /// What the agent is told.
        parameters: Vec<AttributeSet> = many "instance_attributes",
    }

    fn suffix(&self, _: &str) -> String {
        let interval = self.interval.as_ref().map_or("0s", Interval::as_str);
        format!("{}-{interval}", self.name)
    }
}

impl Operation {
    /// Makes an operation that is done with an interval.
    ///
    /// # Example
    /// ```
    /// use std::time::Duration;
    /// use ha_core::config::{OnFail, Operation};
    /// let s = Duration::from_secs;
    /// let monitor = Operation::new("monitor", s(10)).timeout(s(20)).on_fail(OnFail::Restart);
    /// # let _ = monitor;
    /// ```
    #[must_use]
    pub fn new(name: &str, interval: impl Into<Interval>) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            interval: Some(interval.into()),
            timeout: None,
            start_delay: None,
            interval_origin: None,
            role: None,
            on_fail: None,
            enabled: None,
            record_pending: None,
            description: None,
            meta: Vec::new(),
            parameters: Vec::new(),
            rest: Rest::default(),
        }
    }

    /// Makes an operation that is done when needed: `start`, `stop`, `promote` ....
    #[must_use]
    pub fn once(name: &str) -> Self {
        Self::new(name, Duration::ZERO)
    }

    /// Sets how long it may take.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<Interval>) -> Self {
        self.timeout = Some(timeout.into());
        self
    }

    /// Sets the role in which it is done.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Sets what happens when it fails.
    #[must_use]
    pub fn on_fail(mut self, on_fail: OnFail) -> Self {
        self.on_fail = Some(on_fail);
        self
    }

    /// Sets whether it is done at all.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Sets what the agent is told for this operation.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
        plain(&mut self.parameters).set(name, value);
        self
    }

    /// Sets a meta-attribute of the operation.
    #[must_use]
    pub fn meta(mut self, name: &str, value: impl Into<Value>) -> Self {
        plain(&mut self.meta).set(name, value);
        self
    }
}
