//! Answers to questions, which the XML does not have.

use serde::{Deserialize, Serialize};

output! {
/// The answer to `crm_mon --is`.
pub struct Answer {
    /// What was asked is so.
    pub yes: bool,
    /// What is so instead, or what makes it so.
    pub because: String,
}

/// The answer to `crm_mon --why`.
pub struct Explanation {
    /// The resource asked for.
    pub resource: String,
    /// Every part of it that should run is active.
    pub active: bool,
    /// The nodes where it, or a part of it, is active.
    pub active_on: Vec<String>,
    /// Why it is not active, or not on the other nodes: the widest reason first.
    pub reasons: Vec<Reason>,
}

/// A reason why a resource is not active.
pub struct Reason {
    /// The resource that the reason is about.
    pub resource: String,
    /// The node that it is about; absent when it is about all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The kind of reason, such as `target_role`.
    pub cause: String,
    /// What is so, in the language of answers.
    pub text: String,
    /// What can be done about it, in that language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

/// What `crm_mon --findings` found.
pub struct Finding {
    /// The kind of finding, such as `fencing_off`.
    pub finding: String,
    /// How bad it is: `error`, `warning` or `notice`.
    pub severity: String,
    /// The resources that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// What is so, in the language of answers.
    pub text: String,
    /// What can be done about it, in that language.
    pub fix: String,
}
}
