//! A cluster's states, one after the other.

use std::collections::{HashMap, HashSet};

use super::{Event, Picture};
use crate::status::ClusterStatus;
use crate::xml::Document;

/// Returns what happened between two states: the cluster first, then nodes, then resources.
///
/// Equal states give nothing. The order within each kind is by name, so that the result is the same
/// for the same states.
///
/// # Example
/// ```
/// use ha_core::{event, status, xml::Document};
/// let state = |quorum: &str| {
///     let cib = format!(r#"<cib have-quorum="{quorum}"><configuration/><status/></cib>"#);
///     let cib = Document::parse(&cib)?;
///     let epoch = jiff::Timestamp::UNIX_EPOCH;
///     Ok::<_, ha_core::Error>(status::compute(&cib, epoch, &jiff::tz::TimeZone::UTC))
/// };
/// let events = event::between(&state("1")?, &state("0")?);
/// assert_eq!(events, [event::Event::Quorum { quorate: false }]);
/// assert_eq!(events[0].to_string(), "the partition lost quorum");
/// # Ok::<(), ha_core::Error>(())
/// ```
#[must_use]
pub fn between(old: &ClusterStatus, new: &ClusterStatus) -> Vec<Event> {
    Picture::of(old).until(&Picture::of(new))
}

/// Follows a cluster through its states, one after the other.
///
/// Like [`between`] for each two of them, with a memory:
///
/// * for what the CIB does not tell for a moment: a new Designated Controller erases the history of the
///   nodes that join it and writes it anew, and a cleanup erases the history of a resource before the
///   resource is looked at again. As long as an online node has no history, what ran there is taken to
///   run, and what failed there to have failed;
/// * for where a resource ran before it stopped, and whether it had failed: when it starts again it has
///   moved ([`Event::ResourceMoved`]), was recovered ([`Event::ResourceRecovered`]) or was just started.
///
/// # Example
/// ```
/// use ha_core::{event::Follower, status, xml::Document};
/// let state = |quorum: &str| {
///     let cib = format!(r#"<cib have-quorum="{quorum}"><configuration/><status/></cib>"#);
///     let epoch = jiff::Timestamp::UNIX_EPOCH;
///     let cib = Document::parse(&cib)?;
///     Ok::<_, ha_core::Error>(status::compute(&cib, epoch, &jiff::tz::TimeZone::UTC))
/// };
/// let mut follower = Follower::new(state("1")?);
/// assert_eq!(follower.next(state("1")?), []);
/// assert_eq!(follower.next(state("0")?)[0].to_string(), "the partition lost quorum");
/// assert!(!follower.state().quorate);
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Follower {
    state: ClusterStatus,
    picture: Picture,
    /// Where each resource ran that runs nowhere now.
    left: HashMap<String, String>,
    /// What has failed on which node since it was started there.
    failed: HashSet<(String, String)>,
    /// States between the newest and the next are not known.
    has_gap: bool,
}

impl Follower {
    /// Begins with a state.
    #[must_use]
    pub fn new(state: ClusterStatus) -> Self {
        let picture = Picture::of(&state);
        Self {
            state,
            picture,
            left: HashMap::new(),
            failed: HashSet::new(),
            has_gap: false,
        }
    }

    /// Begins with a state and the CIB that it is of, so that changes of the configuration are told.
    #[must_use]
    pub fn with_configuration(cib: &Document, state: ClusterStatus) -> Self {
        let mut follower = Self::new(state);
        follower.picture = follower.picture.with_configuration(cib);
        follower
    }

    /// Returns the newest state.
    #[must_use]
    pub fn state(&self) -> &ClusterStatus {
        &self.state
    }

    /// Returns what all events so far add up to.
    #[must_use]
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// Takes the next state, and returns what happened; nothing about the configuration.
    pub fn next(&mut self, state: ClusterStatus) -> Vec<Event> {
        let mut picture = Picture::of(&state);
        picture.keep_configuration(&self.picture);
        self.take(state, picture)
    }

    /// Takes the next state and the CIB that it is of, and returns what happened.
    pub fn next_with_configuration(&mut self, cib: &Document, state: ClusterStatus) -> Vec<Event> {
        let picture = Picture::of(&state).with_configuration(cib);
        self.take(state, picture)
    }

    fn take(&mut self, state: ClusterStatus, mut picture: Picture) -> Vec<Event> {
        picture.keep(&self.picture, &state);
        let events = self.picture.until(&picture);
        let single = |id: &str| {
            let known = state.resource_named(id).or(self.state.resource_named(id));
            known.is_some_and(|resource| resource.unique)
        };
        for event in &events {
            match event {
                Event::ResourceStopped { resource, node } if single(resource) => {
                    self.left.insert(resource.clone(), node.clone());
                }
                Event::OperationFailed { resource, node, .. } => {
                    self.failed.insert((resource.clone(), node.clone()));
                }
                Event::FailureCleared { resource, node, .. } => {
                    self.failed.remove(&(resource.clone(), node.clone()));
                }
                _ => {}
            }
        }
        let mut told = Vec::with_capacity(events.len());
        for mut event in events {
            self.remember(&mut event, &state);
            if let Event::NodeOffline {
                node,
                unclean: unclean @ false,
            } = &mut event
                && self.was_fenced(node, &state)
            {
                // Of a member that is fenced by request, the loss and the success are one change.
                *unclean = true;
                let node = node.clone();
                told.push(event);
                told.push(Event::NodeFenced { node });
                continue;
            }
            // What has gone from one node to another in one step was not stopped.
            if let Event::ResourceMoved { resource, from, .. } = &event {
                told.retain(|e| {
                    !matches!(e, Event::ResourceStopped { resource: r, node: n }
                        if r == resource && n == from)
                });
            }
            told.push(event);
        }
        (self.state, self.picture) = (state, picture);
        self.has_gap = false;
        told
    }

    /// Tells of a node that is gone whether it was sent away: it was to stay, and has not announced that it leaves.
    fn was_fenced(&self, node: &str, state: &ClusterStatus) -> bool {
        let was_to_stay = self
            .state
            .node_named(node)
            .is_some_and(|node| node.online && node.expected_up && !node.shutdown);
        let is_away = state
            .node_named(node)
            .is_some_and(|node| !node.online && !node.expected_up && !node.shutdown);
        let fences = state.options.fencing && self.state.options.fencing;
        fences && was_to_stay && is_away && !self.has_gap
    }

    /// Says that states before the next are not known, so that nothing is concluded from what they lack.
    pub(crate) fn skip(&mut self) {
        self.has_gap = true;
    }

    /// Says of a resource that has started whether it has moved or was recovered, and of a node that is
    /// certain to be down whether it was fenced.
    fn remember(&mut self, event: &mut Event, state: &ClusterStatus) {
        if let Event::NodeUnclean {
            node,
            unclean: false,
        } = event
        {
            // A node that is away becomes certain in one way only: somebody made sure that it is down.
            let is_away = state
                .node_named(node)
                .is_some_and(|node| !node.online && !node.pending);
            if is_away && state.options.fencing && self.state.options.fencing {
                *event = Event::NodeFenced {
                    node: std::mem::take(node),
                };
            }
            return;
        }
        let Event::ResourceStarted {
            resource,
            node,
            role,
        } = event
        else {
            return;
        };
        let from = self.left.remove(resource);
        let had_failed = self.failed.remove(&(resource.clone(), node.clone()));
        let (resource, node, role) = (std::mem::take(resource), std::mem::take(node), *role);
        *event = match from {
            Some(from) if from != node => Event::ResourceMoved {
                resource,
                from,
                to: node,
                role,
            },
            Some(_) if had_failed => Event::ResourceRecovered {
                resource,
                node,
                role,
            },
            _ => Event::ResourceStarted {
                resource,
                node,
                role,
            },
        };
    }
}
