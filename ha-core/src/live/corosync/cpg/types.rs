//! Groups, processes and the events of a closed process group.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem::offset_of;
use std::str::FromStr;

use crate::live::corosync::{NodeId, RingId};
use crate::{Error, Result};

/// The name of a group: 1 to 128 bytes, by custom text.
///
/// # Example
/// ```
/// use ha_core::live::corosync::cpg::Group;
/// let group: Group = "sphynx".parse()?;
/// assert_eq!(group.as_str(), Some("sphynx"));
/// assert!(Group::new("").is_err());
/// assert!(Group::new("x".repeat(129)).is_err());
/// # Ok::<(), ha_core::Error>(())
/// ```
// Laid out as C's `cpg_name`, so that it can be lent to and from C without a copy.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Group {
    length: u32,
    value: [u8; Group::LONGEST],
}

impl Group {
    /// The longest name, in bytes.
    pub const LONGEST: usize = 128;
    pub(in crate::live) const LENGTH_AT: usize = offset_of!(Self, length);
    pub(in crate::live) const VALUE_AT: usize = offset_of!(Self, value);

    /// Makes a name of text or of any bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when it is empty or longer than 128 bytes.
    pub fn new(name: impl AsRef<[u8]>) -> Result<Self> {
        let name = name.as_ref();
        if name.is_empty() || name.len() > Self::LONGEST {
            return Err(Error::invalid(format!(
                "a group's name has 1 to {} bytes, this one has {}",
                Self::LONGEST,
                name.len()
            )));
        }
        let mut value = [0; Self::LONGEST];
        value[..name.len()].copy_from_slice(name);
        Ok(Self {
            length: name.len() as u32,
            value,
        })
    }

    /// Returns the name as it is.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // A name that another program made may claim to be longer than it can be.
        let length = usize::try_from(self.length)
            .unwrap_or(usize::MAX)
            .min(Self::LONGEST);
        &self.value[..length]
    }

    /// Returns the name when it is text. Programs in C often count a final NUL in: it is left out.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        let bytes = self.as_bytes();
        std::str::from_utf8(bytes.strip_suffix(&[0]).unwrap_or(bytes)).ok()
    }
}

impl FromStr for Group {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::new(name)
    }
}

impl PartialEq for Group {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Group {}

impl PartialOrd for Group {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Group {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Group {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_str() {
            Some(name) => f.pad(name),
            None => write!(f, "{}", self.as_bytes().escape_ascii()),
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group(\"{}\")", self.as_bytes().escape_ascii())
    }
}

/// A process of the cluster that takes part in groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// The node it runs on.
    pub node: NodeId,
    /// Its process id there, as that node's corosync sees it.
    pub pid: u32,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.node, self.pid)
    }
}

/// Why a member came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The process joined.
    Join,
    /// The process left.
    Leave,
    /// Its node left the membership.
    NodeDown,
    /// Its node came into the membership.
    NodeUp,
    /// The process ended, or closed its connection, without leaving.
    ProcessDown,
    /// Something that this library does not know: corosync's number for it.
    Other(u32),
}

/// One entry of a group's membership.
// Laid out as C's `cpg_address`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Member {
    node: NodeId,
    pid: u32,
    reason: u32,
}

impl Member {
    pub(in crate::live) const NODE_AT: usize = offset_of!(Self, node);
    pub(in crate::live) const PID_AT: usize = offset_of!(Self, pid);
    pub(in crate::live) const REASON_AT: usize = offset_of!(Self, reason);

    /// Returns who it is.
    #[must_use]
    pub fn process(&self) -> Process {
        Process {
            node: self.node,
            pid: self.pid,
        }
    }

    /// Returns why it came or went; nothing for a member that stays.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        Some(match self.reason {
            corosync_sys::CPG_REASON_UNDEFINED => return None,
            corosync_sys::CPG_REASON_JOIN => Reason::Join,
            corosync_sys::CPG_REASON_LEAVE => Reason::Leave,
            corosync_sys::CPG_REASON_NODEDOWN => Reason::NodeDown,
            corosync_sys::CPG_REASON_NODEUP => Reason::NodeUp,
            corosync_sys::CPG_REASON_PROCDOWN => Reason::ProcessDown,
            other => Reason::Other(other),
        })
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.process())?;
        self.reason()
            .map_or(Ok(()), |reason| write!(f, " ({reason:?})"))
    }
}

/// A message, lent for the length of one call of the handler.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The group it was sent to.
    pub group: &'a Group,
    /// Who sent it.
    pub sender: Process,
    /// Its content.
    pub payload: &'a [u8],
}

/// A change of a group's members, lent for the length of one call of the handler.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a> {
    /// The group that changed.
    pub group: &'a Group,
    /// All who are in it now, sorted as corosync sorts them.
    pub members: &'a [Member],
    /// Who went, and why.
    pub left: &'a [Member],
    /// Who came, and why.
    pub joined: &'a [Member],
}

/// A change of the ring, lent for the length of one call of the handler.
#[derive(Debug, Clone, Copy)]
pub struct Ring<'a> {
    /// The name of the new membership of the cluster.
    pub id: RingId,
    /// The nodes in it.
    pub nodes: &'a [NodeId],
}

/// Something that happened, lent for the length of one call of the handler.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A message was delivered.
    Message(Message<'a>),
    /// The members of a group changed.
    Members(Members<'a>),
    /// The nodes of the cluster changed.
    Ring(Ring<'a>),
}

/// A [`Message`] to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedMessage {
    /// The group it was sent to.
    pub group: Group,
    /// Who sent it.
    pub sender: Process,
    /// Its content.
    pub payload: Vec<u8>,
}

/// A [`Members`] change to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedMembers {
    /// The group that changed.
    pub group: Group,
    /// All who are in it now, sorted as corosync sorts them.
    pub members: Vec<Member>,
    /// Who went, and why.
    pub left: Vec<Member>,
    /// Who came, and why.
    pub joined: Vec<Member>,
}

/// A [`Ring`] change to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRing {
    /// The name of the new membership of the cluster.
    pub id: RingId,
    /// The nodes in it.
    pub nodes: Vec<NodeId>,
}

/// An [`Event`] to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnedEvent {
    /// A message was delivered.
    Message(OwnedMessage),
    /// The members of a group changed.
    Members(OwnedMembers),
    /// The nodes of the cluster changed.
    Ring(OwnedRing),
}

impl Event<'_> {
    /// Copies the event, to keep it beyond the handler's call.
    #[must_use]
    pub fn into_owned(self) -> OwnedEvent {
        match self {
            Self::Message(Message {
                group,
                sender,
                payload,
            }) => {
                let payload = payload.to_vec();
                OwnedEvent::Message(OwnedMessage {
                    group: *group,
                    sender,
                    payload,
                })
            }
            Self::Members(Members {
                group,
                members,
                left,
                joined,
            }) => OwnedEvent::Members(OwnedMembers {
                group: *group,
                members: members.to_vec(),
                left: left.to_vec(),
                joined: joined.to_vec(),
            }),
            Self::Ring(Ring { id, nodes }) => OwnedEvent::Ring(OwnedRing {
                id,
                nodes: nodes.to_vec(),
            }),
        }
    }
}

impl OwnedEvent {
    /// Lends the event.
    #[must_use]
    pub fn as_event(&self) -> Event<'_> {
        match self {
            Self::Message(OwnedMessage {
                group,
                sender,
                payload,
            }) => Event::Message(Message {
                group,
                sender: *sender,
                payload,
            }),
            Self::Members(OwnedMembers {
                group,
                members,
                left,
                joined,
            }) => Event::Members(Members {
                group,
                members,
                left,
                joined,
            }),
            Self::Ring(OwnedRing { id, nodes }) => Event::Ring(Ring { id: *id, nodes }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_by_their_bytes_only() {
        let mut a = Group::new("pcmk").expect("valid");
        let b = Group::new("pcmk").expect("valid");
        // Bytes behind the name are no part of it.
        a.value[40] = 7;
        assert_eq!(a, b);
        assert_ne!(a, Group::new("pcm").expect("valid"));
        assert_eq!(Group::new("pcmk\0").expect("valid").to_string(), "pcmk");
        assert_eq!(
            Group::new(b"\xff\x01").expect("valid").to_string(),
            "\\xff\\x01"
        );
    }

    #[test]
    fn a_length_beyond_the_limit_is_cut() {
        let group = Group {
            length: 4000,
            value: [b'x'; 128],
        };
        assert_eq!(group.as_bytes().len(), 128);
        assert!(Group::new([b'x'; 128]).is_ok_and(|whole| whole == group));
    }

    #[test]
    fn events_survive_being_kept() {
        let group = Group::new("g").expect("valid");
        let member = Member {
            node: NodeId(2),
            pid: 9,
            reason: 3,
        };
        let sender = Process {
            node: NodeId(1),
            pid: 5,
        };
        for event in [
            Event::Message(Message {
                group: &group,
                sender,
                payload: b"hi",
            }),
            Event::Members(Members {
                group: &group,
                members: &[],
                left: &[member],
                joined: &[],
            }),
            Event::Ring(Ring {
                id: RingId {
                    node: NodeId(1),
                    sequence: 4,
                },
                nodes: &[NodeId(1)],
            }),
        ] {
            let kept = event.into_owned();
            assert_eq!(kept.as_event().into_owned(), kept);
            assert_eq!(format!("{event:?}"), format!("{:?}", kept.as_event()));
        }
        assert_eq!(format!("{member:?}"), "2:9 (NodeDown)");
    }
}
