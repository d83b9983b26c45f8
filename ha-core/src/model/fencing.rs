//! What the fencer remembers.

use jiff::Timestamp;

/// How far a fencing action has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// The devices that could do it are being looked for.
    Querying,
    /// It is under way.
    Pending,
    /// The target is fenced.
    Succeeded,
    /// It was not fenced by this action.
    Failed,
    /// Another action of the same kind did it.
    Duplicate,
    /// A state that this library does not know.
    Unknown,
}

/// A fencing action in the fencer's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FencingEvent {
    /// The node that is fenced.
    pub target: String,
    /// What is done to it (`reboot`, `off`, `on`).
    pub action: String,
    /// The node that asked for it.
    pub origin: Option<String>,
    /// The program that asked for it, there.
    pub client: Option<String>,
    /// The node that does it; none as long as that is not known.
    pub delegate: Option<String>,
    /// How far it has come.
    pub state: State,
    /// When it ended.
    pub completed: Option<Timestamp>,
    /// Why it failed. Pacemaker before 2.1.3 does not say.
    pub exit_reason: Option<String>,
}

impl FencingEvent {
    /// Tells whether it has not ended yet.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.state, State::Querying | State::Pending)
    }
}
