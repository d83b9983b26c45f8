//! From one picture to the next: the events between them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::configuration::Item;
use super::super::{ChangeKind, Event, ItemChange};
use super::{NodePicture, Picture};

impl Picture {
    /// Returns what happened between this picture and a later one: the cluster first, then the
    /// configuration, nodes, tickets, failures, resources, and operations under way; each kind by name.
    ///
    /// Each event says something new: none leaves the picture as it was.
    #[must_use]
    pub fn until(&self, new: &Self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.quorate != new.quorate {
            events.push(Event::Quorum {
                quorate: new.quorate,
            });
        }
        if self.dc != new.dc {
            events.push(Event::DcChanged {
                from: self.dc.clone(),
                to: new.dc.clone(),
            });
        }
        let changes = self.configuration_until(new);
        if !changes.is_empty() {
            events.push(Event::ConfigurationChanged { changes });
        }
        self.nodes_until(new, &mut events);
        self.tickets_until(new, &mut events);
        self.failures_until(new, &mut events);
        self.places_until(new, &mut events);
        // Of what is under way, most is told by the rest.
        let mut told = self.clone();
        for event in &events {
            told.fold(event);
        }
        for (place, task) in told.pending.difference(&new.pending) {
            events.push(Event::OperationEnded {
                resource: place.resource.clone(),
                node: place.node.clone(),
                task: task.clone(),
            });
        }
        for (place, task) in new.pending.difference(&told.pending) {
            events.push(Event::ResourcePending {
                resource: place.resource.clone(),
                node: place.node.clone(),
                task: task.clone(),
            });
        }
        events
    }

    fn configuration_until(&self, new: &Self) -> Vec<ItemChange> {
        let change = |kind, item: &Item, digest| ItemChange {
            kind,
            element: item.element.clone(),
            id: item.id.clone(),
            name: item.name.clone(),
            digest,
        };
        let (old, new) = (&self.configuration, &new.configuration);
        let gone = old.iter().filter(|(item, _)| !new.contains_key(item));
        let mut changes: Vec<ItemChange> = gone
            .map(|(item, _)| change(ChangeKind::Removed, item, 0))
            .collect();
        for (item, &digest) in new {
            match old.get(item) {
                None => changes.push(change(ChangeKind::Added, item, digest)),
                Some(&before) if before != digest => {
                    changes.push(change(ChangeKind::Changed, item, digest));
                }
                Some(_) => {}
            }
        }
        changes
    }

    fn nodes_until(&self, new: &Self, events: &mut Vec<Event>) {
        for (name, node) in &new.nodes {
            let nothing = NodePicture::default();
            let was = self.nodes.get(name).unwrap_or_else(|| {
                events.push(Event::NodeConfigured {
                    node: name.clone(),
                    present: true,
                });
                &nothing
            });
            was.until(node, name, events);
        }
        for name in self.nodes.keys().filter(|n| !new.nodes.contains_key(*n)) {
            events.push(Event::NodeConfigured {
                node: name.clone(),
                present: false,
            });
        }
    }

    fn tickets_until(&self, new: &Self, events: &mut Vec<Event>) {
        let names: BTreeSet<&String> = self.tickets.keys().chain(new.tickets.keys()).collect();
        for name in names {
            let state = |tickets: &BTreeMap<_, _>| tickets.get(name).copied().unwrap_or_default();
            let (was, is): ((bool, bool), (bool, bool)) =
                (state(&self.tickets), state(&new.tickets));
            let ticket = || name.clone();
            if was.0 != is.0 {
                events.push(if is.0 {
                    Event::TicketGranted { ticket: ticket() }
                } else {
                    Event::TicketRevoked { ticket: ticket() }
                });
            }
            if was.1 != is.1 {
                events.push(Event::TicketStandby {
                    ticket: ticket(),
                    standby: is.1,
                });
            }
        }
    }

    fn failures_until(&self, new: &Self, events: &mut Vec<Event>) {
        for (key, failure) in &new.failures {
            if self.failures.get(key) != Some(failure) {
                events.push(Event::OperationFailed {
                    resource: key.place.resource.clone(),
                    node: key.place.node.clone(),
                    task: key.task.clone(),
                    interval_ms: key.interval_ms,
                    call_id: key.call_id,
                    exit_status: failure.0,
                    reason: failure.1.clone(),
                });
            }
        }
        for key in self
            .failures
            .keys()
            .filter(|k| !new.failures.contains_key(k))
        {
            events.push(Event::FailureCleared {
                resource: key.place.resource.clone(),
                node: key.place.node.clone(),
                task: key.task.clone(),
                interval_ms: key.interval_ms,
                call_id: key.call_id,
            });
        }
    }

    fn places_until(&self, new: &Self, events: &mut Vec<Event>) {
        for place in self.places.keys().filter(|p| !new.places.contains_key(p)) {
            events.push(Event::ResourceStopped {
                resource: place.resource.clone(),
                node: place.node.clone(),
            });
        }
        for (place, &role) in &new.places {
            let (resource, node) = (place.resource.clone(), place.node.clone());
            match self.places.get(place) {
                None => events.push(Event::ResourceStarted {
                    resource,
                    node,
                    role,
                }),
                Some(&from) if from != role => events.push(Event::ResourceRole {
                    resource,
                    node,
                    from,
                    to: role,
                }),
                Some(_) => {}
            }
        }
    }
}

impl NodePicture {
    fn until(&self, new: &Self, name: &str, events: &mut Vec<Event>) {
        let node = || name.to_owned();
        if self.joining != new.joining {
            events.push(Event::NodeJoining {
                node: node(),
                joining: new.joining,
            });
        }
        let mut unclean = self.unclean;
        match (self.online, new.online) {
            (false, true) => events.push(Event::NodeOnline { node: node() }),
            (true, false) => {
                unclean = new.unclean;
                events.push(Event::NodeOffline {
                    node: node(),
                    unclean,
                });
            }
            _ => {}
        }
        match (unclean, new.unclean) {
            (was, is) if was != is => events.push(Event::NodeUnclean {
                node: node(),
                unclean: is,
            }),
            _ => {}
        }
        if self.standby != new.standby {
            events.push(Event::NodeStandby {
                node: node(),
                standby: new.standby,
            });
        }
        if self.maintenance != new.maintenance {
            events.push(Event::NodeMaintenance {
                node: node(),
                maintenance: new.maintenance,
            });
        }
        let names: BTreeSet<&String> = self
            .attributes
            .keys()
            .chain(new.attributes.keys())
            .collect();
        for name in names {
            let value = new.attributes.get(name);
            if self.attributes.get(name) != value {
                events.push(Event::NodeAttribute {
                    node: node(),
                    name: name.clone(),
                    value: value.cloned(),
                });
            }
        }
    }
}
