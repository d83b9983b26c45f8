//! Why a resource does not run where one would expect it: ranked reasons, each with a next step.
//!
//! [`explain`] reads the configuration and the state together. It says what the CIB tells for sure
//! (a target role, a ban, a failure, a member of the group that is down ...); it does not compute
//! the scheduler's scores.

mod cause;
mod dependency;
mod places;

pub use cause::{Cause, Link};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::model::scalar::INFINITY;
use crate::model::{Cib, operation};
use crate::status::{
    self, ClusterStatus, ComputeOptions, Failure, Health, NoQuorumPolicy, Node, NodeIndex,
    NodeKind, Resource, ResourceIndex, ResourceKind, Role,
};
use crate::xml::{Document, Element};
use crate::{Error, ErrorKind, Result};

use places::Places;

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The resource that the reason is about: the one asked for, or the part of it that is not
    /// active.
    pub resource: String,
    /// The node that the reason is about; none when it is about all of them.
    pub node: Option<String>,
    /// What is so.
    #[serde(flatten)]
    pub cause: Cause,
}

/// What [`explain`] found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The resource asked for.
    pub resource: String,
    /// Every part of it that should run is active.
    pub active: bool,
    /// The names of the nodes where it, or a part of it, is active.
    pub active_on: Vec<String>,
    /// Why it is not active, or not on the other nodes: the widest reason first.
    pub reasons: Vec<Reason>,
}

/// Explains why a resource is not active, or not on each node, from a CIB.
///
/// Of a group, the first member that is not active is looked at: the others wait for it. Of a clone,
/// each node without an instance; the id of what is cloned stands for any instance, the id with a
/// number for that one (see [`ClusterStatus::resources_meant`]).
///
/// # Errors
/// [`ErrorKind::NotFound`] when the CIB has no such resource.
///
/// # Example
/// ```
/// use ha_core::{language::Language, why, xml::Document};
/// let cib = Document::parse(
///     r#"<cib have-quorum="1" dc-uuid="1"><configuration>
///          <crm_config><cluster_property_set id="o">
///            <nvpair id="o1" name="maintenance-mode" value="true"/></cluster_property_set></crm_config>
///          <nodes><node id="1" uname="maitre"/></nodes>
///          <resources><primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/></resources>
///        </configuration><status/></cib>"#,
/// )?;
/// let why = why::explain(&cib, jiff::Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC, "vip")?;
/// assert_eq!(why.reasons[0].text(Language::English), "the whole cluster is in maintenance mode");
/// # Ok::<(), ha_core::Error>(())
/// ```
pub fn explain(
    document: &Document,
    now: Timestamp,
    zone: &TimeZone,
    resource: &str,
) -> Result<Explanation> {
    let options = ComputeOptions {
        constraints: true,
        ..ComputeOptions::default()
    };
    let state = status::compute_with(document, now, zone, options);
    let asked = state.resources_meant(resource);
    let idle = |&&index: &&ResourceIndex| !is_active(&state, index, None, Role::Started, false);
    let Some(&first) = asked.iter().find(idle).or_else(|| asked.first()) else {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("the cluster has no resource '{resource}'"),
        )
        .with_hint("crm_mon -1 -r lists the resources"));
    };
    let leaf = subject(&state, first);
    // Of what is cloned, any instance will do.
    let is_served = asked
        .iter()
        .any(|&index| is_active(&state, index, None, Role::Started, false));
    let mut subject = Subject {
        cib: Cib::new(document),
        chain: chain(&state, leaf),
        active: is_served,
        leaf,
        state: &state,
        places: Places::default(),
    };
    subject.find_places();
    let mut reasons = subject.wide();
    reasons.extend(subject.dependencies());
    let is_told = !reasons.is_empty();
    for index in state.node_indexes() {
        reasons.extend(subject.on_node(index, is_told));
    }
    reasons.sort_by_key(|reason| reason.cause.rank());
    reasons.dedup();
    let mut active = places::NodeIds::new();
    for &index in &asked {
        places::add_active(&state, index, Role::Started, &mut active);
    }
    let nodes = state
        .nodes()
        .filter(|node| active.contains(node.id.as_str()));
    let active_on = nodes.map(|node| node.name.clone()).collect();
    Ok(Explanation {
        resource: resource.to_owned(),
        active: is_served,
        active_on,
        reasons,
    })
}

/// Tells whether a resource is active: a group when each member is (or, when asked for any part, one
/// of them), the others when a part is.
fn is_active(
    state: &ClusterStatus,
    index: ResourceIndex,
    on: Option<&Node>,
    role: Role,
    any_part: bool,
) -> bool {
    let resource = state.resource(index);
    if resource.is_primitive() {
        return state.serves(index, role, on);
    }
    let parts = resource.parts();
    let mut each = parts
        .iter()
        .map(|&part| is_active(state, part, on, role, any_part));
    if resource.is_group() && !any_part {
        !parts.is_empty() && each.all(|active| active)
    } else {
        each.any(|active| active)
    }
}

/// Finds the primitive whose reasons are those of a resource: the first part that is not active.
fn subject(state: &ClusterStatus, index: ResourceIndex) -> ResourceIndex {
    let parts = state.resource(index).parts();
    let idle = |part: &&ResourceIndex| !is_active(state, **part, None, Role::Started, false);
    match parts.iter().find(idle).or_else(|| parts.first()) {
        Some(&part) if part != index => subject(state, part),
        _ => index,
    }
}

/// A resource with the group, clone or bundle that it belongs to, outwards.
fn chain(state: &ClusterStatus, leaf: ResourceIndex) -> Vec<ResourceIndex> {
    std::iter::successors(Some(leaf), |&index| state.resource(index).parent).collect()
}

/// The primitive that is explained.
struct Subject<'s> {
    cib: Cib<'s>,
    state: &'s ClusterStatus,
    /// What was asked for is active.
    active: bool,
    leaf: ResourceIndex,
    chain: Vec<ResourceIndex>,
    places: Places<'s>,
}

impl<'s> Subject<'s> {
    fn leaf(&self) -> &'s Resource {
        self.state.resource(self.leaf)
    }

    fn name(&self) -> &'s str {
        &self.leaf().configured_id
    }

    fn reason(&self, node: Option<&Node>, cause: Cause) -> Reason {
        Reason {
            resource: self.name().to_owned(),
            node: node.map(|node| node.name.clone()),
            cause,
        }
    }

    /// The clone that the primitive is an instance of.
    fn clone_of(&self) -> Option<&'s Resource> {
        let mut chain = self.chain.iter().map(|&index| self.state.resource(index));
        chain.find(|resource| resource.is_clone())
    }

    /// Finds the innermost element of the resource that sets a meta attribute.
    fn set_on(&self, name: &str) -> Option<String> {
        let sets = |element: &Element<'s>| {
            let mut pairs = element
                .children_named("meta_attributes")
                .map(|block| self.cib.resolve(block))
                .flat_map(Element::children)
                .map(|pair| self.cib.resolve(pair));
            pairs.any(|pair| pair.attribute("name") == Some(name))
        };
        self.chain.iter().find_map(|&index| {
            let id = &self.state.resource(index).configured_id;
            let element = ["primitive", "group", "clone", "master", "bundle"]
                .iter()
                .find_map(|tag| self.cib.find(tag, id))?;
            let own = sets(&element).then(|| id.clone());
            own.or_else(|| {
                let template = element.attribute("template")?;
                let element = self.cib.find("template", template)?;
                sets(&element).then(|| template.to_owned())
            })
        })
    }

    /// What holds on every node.
    fn wide(&self) -> Vec<Reason> {
        let state = self.state;
        let leaf = self.leaf();
        let mut causes = Vec::new();
        if state.dc.is_none() {
            causes.push(Cause::NoDc);
        }
        if !state.quorate && state.options.no_quorum_policy != NoQuorumPolicy::Ignore {
            causes.push(Cause::NoQuorum);
        }
        if state.options.maintenance {
            causes.push(Cause::ClusterMaintenance);
        }
        if state.options.stop_all {
            causes.push(Cause::StopAll);
        }
        // What runs already keeps running; a device of its own is what is missing.
        if state.lacks_fence_device() && leaf.role <= Role::Stopped {
            causes.push(Cause::NoFenceDevice);
        }
        if leaf.orphan {
            causes.push(Cause::Orphan);
        }
        if let Some(role) = leaf.target_role {
            // A promotable instance that is held back still runs.
            if role == Role::Stopped || (!self.active && role < Role::Started) {
                causes.push(Cause::TargetRole {
                    role,
                    set_on: self.set_on("target-role"),
                });
            }
        }
        if leaf.blocked {
            causes.push(Cause::Blocked);
        } else if leaf.maintenance && !state.options.maintenance {
            let set_on = self.set_on("maintenance");
            // Otherwise it is the node that is in maintenance.
            if set_on.is_some() || leaf.running_on.is_empty() {
                causes.push(Cause::Maintenance { set_on });
            }
        } else if !leaf.managed && !state.options.maintenance {
            causes.push(Cause::Unmanaged {
                set_on: self.set_on("is-managed"),
            });
        }
        let mut reasons: Vec<Reason> = causes
            .into_iter()
            .map(|cause| self.reason(None, cause))
            .collect();
        if let Some(task) = &leaf.pending_task {
            let node = leaf.pending_node.map(|index| state.node(index));
            let task = task.clone();
            reasons.push(self.reason(node, Cause::UnderWay { task }));
        }
        reasons
    }

    /// What holds on one node, unless the primitive is active there; whether something was told of all
    /// nodes already.
    fn on_node(&self, index: NodeIndex, is_told: bool) -> Vec<Reason> {
        let node = self.state.node(index);
        if node.kind == NodeKind::Ping || node.is_bundle {
            return Vec::new();
        }
        if self.is_there(node) {
            let failure = self.leaf().failed.then(|| self.failures(index)).flatten();
            return failure
                .map(|cause| self.reason(Some(node), cause))
                .into_iter()
                .collect();
        }
        let mut causes = self.node_causes(node);
        causes.extend(self.failures(index));
        for ban in self.places.bans.get(&index).into_iter().flatten() {
            let constraint = ban.id.clone();
            causes.push(if ban.score <= -INFINITY {
                Cause::Banned { constraint }
            } else {
                Cause::Avoids {
                    constraint,
                    score: ban.score,
                }
            });
        }
        if !self.state.options.symmetric && !self.places.drawn_to.contains(&index) {
            causes.push(Cause::NotAllowed);
        }
        causes.extend(self.colocations(node));
        if causes.is_empty() {
            causes.extend(self.elsewhere());
            if causes.is_empty() && self.active && !is_told && self.clone_of().is_some() {
                causes.push(Cause::NoInstance);
            }
        }
        causes
            .into_iter()
            .map(|cause| self.reason(Some(node), cause))
            .collect()
    }

    /// Tells whether the primitive, or another instance of its clone, is active on a node.
    fn is_there(&self, node: &Node) -> bool {
        self.places.is_on.contains(node.id.as_str())
    }

    /// The clone that a resource belongs to, or its outermost parent.
    fn top_of(&self, resource: &'s Resource) -> &'s Resource {
        let mut top = resource;
        while let Some(parent) = top.parent.filter(|_| !top.is_clone()) {
            top = self.state.resource(parent);
        }
        top
    }

    /// Tells whether a constraint on a resource is one on the primitive.
    fn concerns(&self, resource: ResourceIndex) -> bool {
        let id = &self.state.resource(resource).configured_id;
        self.chain
            .iter()
            .any(|&index| self.state.resource(index).configured_id == *id)
    }

    fn node_causes(&self, node: &Node) -> Vec<Cause> {
        let options = &self.state.options;
        let mut causes = Vec::new();
        if node.unclean {
            causes.push(Cause::NodeOffline { unclean: true });
        } else if node.pending {
            causes.push(Cause::NodePending);
        } else if !node.online {
            causes.push(Cause::NodeOffline { unclean: false });
        }
        if !causes.is_empty() {
            return causes;
        }
        if node.standby || node.standby_on_fail {
            causes.push(Cause::NodeStandby {
                on_fail: node.standby_on_fail,
            });
        }
        if node.maintenance && !options.maintenance {
            causes.push(Cause::NodeMaintenance);
        }
        let worth = match node.health {
            Health::Green => options.health_scores.green,
            Health::Yellow => options.health_scores.yellow,
            Health::Red => options.health_scores.red,
        };
        if options.health_enabled && worth <= -INFINITY {
            causes.push(Cause::NodeHealth);
        }
        causes
    }

    /// What the node remembers of failures.
    fn failures(&self, index: NodeIndex) -> Option<Cause> {
        let node = self.state.node(index);
        let leaf = self.leaf();
        let failure = self.places.failures.get(node.name.as_str()).copied();
        if let Some(failure) = failure
            && failure.rc == NOT_INSTALLED
            && let Some(agent) = leaf.agent()
        {
            return Some(Cause::NotInstalled {
                agent: agent.to_string(),
                detail: detail(failure),
            });
        }
        let count = self.places.fail_counts.get(&index).copied().unwrap_or(0);
        if count > 0 && leaf.migration_threshold > 0 && count >= leaf.migration_threshold {
            return Some(Cause::FailedTooOften {
                failures: count,
                threshold: leaf.migration_threshold,
                task: failure.map(|failure| failure.operation.clone()),
                outcome: failure.map(outcome),
                detail: failure.and_then(detail),
            });
        }
        failure.map(|failure| Cause::Failed {
            task: failure.operation.clone(),
            outcome: outcome(failure),
            detail: detail(failure),
        })
    }

    /// Why a node without any obstacle has no instance.
    fn elsewhere(&self) -> Option<Cause> {
        if let Some(clone) = self.clone_of() {
            let ResourceKind::Clone(details) = &clone.kind else {
                return None;
            };
            let max = details.max;
            return (self.places.running >= max as usize).then_some(Cause::InstanceLimit { max });
        }
        let leaf = self.leaf();
        let node = leaf.running_on.first().filter(|_| !leaf.failed)?;
        Some(Cause::RunsElsewhere {
            node: self.state.node(*node).name.clone(),
        })
    }
}

/// The exit status of an agent that does not find what it needs (OCF).
const NOT_INSTALLED: i32 = 5;

/// How a failed operation ended, in words.
fn outcome(failure: &Failure) -> String {
    match failure.status {
        // The agent itself said how it went.
        0 | 4 => operation::rc_text(failure.rc).to_owned(),
        status => operation::status_text(status).to_lowercase(),
    }
}

fn detail(failure: &Failure) -> Option<String> {
    failure.exit_reason.clone().filter(|text| !text.is_empty())
}
