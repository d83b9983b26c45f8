//! What can be wrong with a configuration.

use serde::Serialize;

use super::Severity;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// The schema does not allow it.
    Schema {
        /// What it says.
        message: String,
    },
    /// The schema could not be read, so nothing was checked against it.
    SchemaUnread {
        /// Why.
        reason: String,
    },
    /// Another element has this id.
    DuplicateId {
        /// The id.
        id: String,
    },
    /// It names something that does not exist.
    Dangling {
        /// What it should be.
        target: Target,
        /// The name.
        name: String,
        /// A name that may have been meant.
        similar: Option<String>,
    },
    /// A group has something else than primitives.
    NotInGroup {
        /// What: `clone`, `group` ....
        kind: String,
    },
    /// A group has no members.
    EmptyGroup,
    /// The agent is not installed here.
    NoSuchAgent {
        /// The agent.
        agent: String,
    },
    /// The agent does not describe itself, so its parameters were not checked.
    AgentUnread {
        /// The agent.
        agent: String,
        /// Why.
        reason: String,
    },
    /// The agent needs a parameter that is not given.
    MissingParameter {
        /// The agent.
        agent: String,
        /// The parameter.
        parameter: String,
    },
    /// The agent does not know a parameter.
    UnknownParameter {
        /// The agent.
        agent: String,
        /// The parameter.
        parameter: String,
        /// One that may have been meant.
        similar: Option<String>,
    },
    /// Another resource has the same value for a parameter that tells resources apart.
    SharedParameter {
        /// The parameter, or several that count together.
        parameter: String,
        /// The other resource.
        other: String,
    },
    /// A value is not what it should be.
    WrongValue {
        /// Of what.
        name: String,
        /// The value; hidden when it is a secret.
        value: String,
        /// What it should be.
        expected: Expected,
        /// What Pacemaker takes it for, when it takes it for something.
        read_as: Option<String>,
    },
    /// An operation may take less time than the agent's author thinks that it needs.
    ShortTimeout {
        /// The operation.
        operation: String,
        /// How long it may take.
        timeout: String,
        /// How long it should be allowed to take.
        advised: String,
        /// Whether the operation says so itself; else it is the default.
        given: bool,
    },
    /// Two repeated operations of one name have the same interval: Pacemaker does one of them.
    DuplicateOperation {
        /// The operation.
        operation: String,
        /// The other's id.
        other: String,
    },
    /// The agent does not know an operation.
    UnknownOperation {
        /// The agent.
        agent: String,
        /// The operation.
        operation: String,
        /// One that may have been meant.
        similar: Option<String>,
    },
    /// Nobody looks whether a resource still runs.
    NoMonitor,
    /// A promotable clone of an agent that cannot be promoted.
    CannotPromote {
        /// The agent.
        agent: String,
    },
    /// No constraint reads the attribute that a ping resource sets.
    PingUnread {
        /// The attribute.
        attribute: String,
    },
    /// A rule forbids nodes by the attribute of a ping resource, and lets those pass that have none.
    UndefinedForgotten {
        /// The attribute.
        attribute: String,
    },
    /// Fencing is on, and there is no device: nothing is started.
    NoFenceDevice,
    /// There is a fence device, and fencing is off.
    FencingOff,
    /// A meta-attribute that Pacemaker does not know.
    UnknownMeta {
        /// The meta-attribute.
        name: String,
        /// One that may have been meant.
        similar: Option<String>,
    },
    /// An option that Pacemaker does not know.
    UnknownOption {
        /// The option.
        name: String,
        /// One that may have been meant.
        similar: Option<String>,
    },
}

/// What a name should be one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Target {
    /// A resource, a template or a tag.
    Resource,
    /// A template.
    Template,
    /// A fence device.
    Device,
    /// A node.
    Node,
    /// An ACL role.
    Role,
    /// Anything that has an id.
    Element,
    /// An element of the same kind.
    Same,
}

/// What a value should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Expected {
    /// A whole number.
    Integer,
    /// A yes or no.
    Boolean,
    /// A length of time.
    Interval,
    /// A whole number or an infinity.
    Score,
    /// One of these words.
    OneOf(Vec<String>),
}

impl Problem {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Dangling {
                target: Target::Node,
                ..
            } => Severity::Warning,
            Self::Schema { .. }
            | Self::DuplicateId { .. }
            | Self::Dangling { .. }
            | Self::NotInGroup { .. }
            | Self::EmptyGroup
            | Self::NoSuchAgent { .. }
            | Self::MissingParameter { .. }
            | Self::DuplicateOperation { .. }
            | Self::CannotPromote { .. }
            | Self::NoFenceDevice => Severity::Error,
            Self::UnknownMeta { similar: None, .. }
            | Self::SchemaUnread { .. }
            | Self::AgentUnread { .. }
            | Self::NoMonitor => Severity::Notice,
            Self::UnknownParameter { .. }
            | Self::SharedParameter { .. }
            | Self::WrongValue { .. }
            | Self::ShortTimeout { .. }
            | Self::UnknownOperation { .. }
            | Self::PingUnread { .. }
            | Self::UndefinedForgotten { .. }
            | Self::FencingOff
            | Self::UnknownMeta { .. }
            | Self::UnknownOption { .. } => Severity::Warning,
        }
    }
}
