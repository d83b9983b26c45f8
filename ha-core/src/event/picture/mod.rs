//! What events are about, as little as that takes.

mod of;
mod until;

use std::collections::{BTreeMap, BTreeSet};

use super::configuration::{self, Item};
use super::{ChangeKind, Event};
use crate::status::Role;
use crate::xml::Document;

/// What events tell of a cluster: the least that they lead from, and to.
///
/// The events that lead from one picture to another ([`Picture::until`]), folded over the first
/// ([`Picture::fold`]), give the second. So a program that has the first state and all events knows what
/// is so, without the CIB.
///
/// # Example
/// ```
/// use ha_core::{event::Picture, status, xml::Document};
/// let picture = |quorum: &str| {
///     let cib = format!(r#"<cib have-quorum="{quorum}"><configuration/><status/></cib>"#);
///     let cib = Document::parse(&cib)?;
///     let epoch = jiff::Timestamp::UNIX_EPOCH;
///     let status = status::compute(&cib, epoch, &jiff::tz::TimeZone::UTC);
///     Ok::<_, ha_core::Error>(Picture::of(&status).with_configuration(&cib))
/// };
/// let (mut picture, new) = (picture("1")?, picture("0")?);
/// for event in picture.until(&new) {
///     picture.fold(&event);
/// }
/// assert_eq!(picture, new);
/// assert!(!picture.is_quorate());
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Picture {
    quorate: bool,
    dc: Option<String>,
    /// By name.
    nodes: BTreeMap<String, NodePicture>,
    /// Where resources are active.
    places: BTreeMap<Place, Role>,
    /// The operations under way, by place.
    pending: BTreeSet<(Place, String)>,
    failures: BTreeMap<FailureKey, (i32, Option<String>)>,
    /// Granted, and in standby; those that are neither are not listed.
    tickets: BTreeMap<String, (bool, bool)>,
    configuration: BTreeMap<Item, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct NodePicture {
    online: bool,
    unclean: bool,
    standby: bool,
    maintenance: bool,
    joining: bool,
    attributes: BTreeMap<String, String>,
}

/// A resource on a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    resource: String,
    node: String,
}

impl Place {
    fn new(resource: &str, node: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            node: node.to_owned(),
        }
    }
}

/// What makes two records the same failure; the call id tells a second failure from the first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FailureKey {
    place: Place,
    task: String,
    interval_ms: u64,
    call_id: i32,
}

impl Picture {
    /// Adds what the configuration consists of, so that events tell of its changes.
    #[must_use]
    pub fn with_configuration(self, cib: &Document) -> Self {
        Self {
            configuration: configuration::items(cib),
            ..self
        }
    }

    /// Tells whether the partition has quorum.
    #[must_use]
    pub fn is_quorate(&self) -> bool {
        self.quorate
    }

    /// Returns the name of the Designated Controller's node.
    #[must_use]
    pub fn dc(&self) -> Option<&str> {
        self.dc.as_deref()
    }

    /// Iterates over the nodes that are online, by name.
    pub fn online(&self) -> impl Iterator<Item = &str> {
        let online = self.nodes.iter().filter(|(_, node)| node.online);
        online.map(|(name, _)| name.as_str())
    }

    /// Iterates over the nodes where a resource is active, with its role there.
    pub fn active_on<'p>(&'p self, resource: &str) -> impl Iterator<Item = (&'p str, Role)> {
        let here = self
            .places
            .iter()
            .filter(move |(place, _)| place.resource == resource);
        here.map(|(place, role)| (place.node.as_str(), *role))
    }

    /// Takes over what was known of the configuration.
    pub(super) fn keep_configuration(&mut self, before: &Self) {
        self.configuration.clone_from(&before.configuration);
    }

    /// Brings the picture up to date with one event.
    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::Quorum { quorate } => self.quorate = *quorate,
            Event::DcChanged { to, .. } => self.dc.clone_from(to),
            Event::ConfigurationChanged { changes } => {
                for change in changes {
                    let item = Item {
                        element: change.element.clone(),
                        id: change.id.clone(),
                        name: change.name.clone(),
                    };
                    match change.kind {
                        ChangeKind::Removed => drop(self.configuration.remove(&item)),
                        ChangeKind::Added | ChangeKind::Changed => {
                            self.configuration.insert(item, change.digest);
                        }
                    }
                }
            }
            Event::TicketGranted { ticket } => {
                let standby = self.tickets.get(ticket).is_some_and(|t| t.1);
                self.set_ticket(ticket, true, standby);
            }
            Event::TicketRevoked { ticket } => {
                let standby = self.tickets.get(ticket).is_some_and(|t| t.1);
                self.set_ticket(ticket, false, standby);
            }
            Event::TicketStandby { ticket, standby } => {
                let granted = self.tickets.get(ticket).is_some_and(|t| t.0);
                self.set_ticket(ticket, granted, *standby);
            }
            Event::ResourcePending {
                resource,
                node,
                task,
            } => {
                let place = Place::new(resource, node);
                self.pending.insert((place, task.clone()));
            }
            Event::OperationEnded {
                resource,
                node,
                task,
            } => {
                let place = Place::new(resource, node);
                self.pending.remove(&(place, task.clone()));
            }
            Event::ResourceMoved {
                resource,
                from,
                to,
                role,
            } => {
                for node in [from, to] {
                    let place = Place::new(resource, node);
                    self.nothing_pending(&place);
                    self.places.remove(&place);
                }
                self.places.insert(Place::new(resource, to), *role);
            }
            Event::ResourceStarted {
                resource,
                node,
                role,
            }
            | Event::ResourceRecovered {
                resource,
                node,
                role,
            }
            | Event::ResourceRole {
                resource,
                node,
                to: role,
                ..
            } => {
                let place = Place::new(resource, node);
                self.nothing_pending(&place);
                self.places.insert(place, *role);
            }
            Event::ResourceStopped { resource, node } => {
                let place = Place::new(resource, node);
                self.nothing_pending(&place);
                self.places.remove(&place);
            }
            Event::OperationFailed {
                resource,
                node,
                task,
                interval_ms,
                call_id,
                exit_status,
                reason,
            } => {
                let key = FailureKey {
                    place: Place::new(resource, node),
                    task: task.clone(),
                    interval_ms: *interval_ms,
                    call_id: *call_id,
                };
                self.nothing_pending(&key.place);
                self.failures.insert(key, (*exit_status, reason.clone()));
            }
            Event::FailureCleared {
                resource,
                node,
                task,
                interval_ms,
                call_id,
            } => {
                self.failures.remove(&FailureKey {
                    place: Place::new(resource, node),
                    task: task.clone(),
                    interval_ms: *interval_ms,
                    call_id: *call_id,
                });
            }
            Event::NodeConfigured {
                node,
                present: false,
            } => drop(self.nodes.remove(node)),
            Event::NodeConfigured { node, .. }
            | Event::NodeOnline { node }
            | Event::NodeOffline { node, .. }
            | Event::NodeStandby { node, .. }
            | Event::NodeMaintenance { node, .. }
            | Event::NodeJoining { node, .. }
            | Event::NodeUnclean { node, .. }
            | Event::NodeFenced { node }
            | Event::NodeAttribute { node, .. } => {
                self.nodes.entry(node.clone()).or_default().fold(event);
            }
            // These tell of the reader and of the daemons, not of what is so.
            Event::Merged { .. } | Event::DaemonLost { .. } | Event::DaemonBack { .. } => {}
        }
    }

    fn nothing_pending(&mut self, place: &Place) {
        self.pending.retain(|(other, _)| other != place);
    }

    fn set_ticket(&mut self, name: &str, granted: bool, standby: bool) {
        if granted || standby {
            self.tickets.insert(name.to_owned(), (granted, standby));
        } else {
            self.tickets.remove(name);
        }
    }
}

impl NodePicture {
    fn fold(&mut self, event: &Event) {
        match event {
            Event::NodeOnline { .. } => self.online = true,
            Event::NodeOffline { unclean, .. } => {
                self.online = false;
                self.unclean = *unclean;
            }
            Event::NodeStandby { standby, .. } => self.standby = *standby,
            Event::NodeMaintenance { maintenance, .. } => self.maintenance = *maintenance,
            Event::NodeJoining { joining, .. } => self.joining = *joining,
            Event::NodeUnclean { unclean, .. } => self.unclean = *unclean,
            Event::NodeFenced { .. } => self.unclean = false,
            Event::NodeAttribute { name, value, .. } => match value {
                Some(value) => drop(self.attributes.insert(name.clone(), value.clone())),
                None => drop(self.attributes.remove(name)),
            },
            _ => {}
        }
    }
}
