//! Whether the resources run that should, and whether those that do not may still come without anybody's doing.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Cib;
use crate::status::{ClusterStatus, ResourceIndex, Role};
use crate::why::{self, Cause, Reason};
use crate::xml::{Document, Element};

/// A resource that should run and does not, or not as it should.
#[derive(Debug, Clone)]
pub(super) struct Idle {
    /// Its configured id.
    pub(super) resource: String,
    /// Why, the widest reason first; empty when the CIB does not tell.
    pub(super) reasons: Vec<Reason>,
    /// It waits for an attribute of a node that has no value yet: an agent may be about to give it one.
    pub(super) may_come: bool,
}

/// Lists which of these resources, and of those made from these templates, should run and do not.
///
/// What an administrator holds back should not run: stopped, unmanaged or in maintenance, itself or what it is
/// part of; nor should what depends on that. Of a group that is the first member that does not run; of a clone,
/// all that fails somewhere, and when no instance runs, that.
pub(super) fn idle(cib: &Document, status: &ClusterStatus, wanted: &[String]) -> Vec<Idle> {
    let look = Look {
        document: cib,
        cib: Cib::new(cib),
        status,
    };
    let mut told = HashSet::new();
    let mut found = Vec::new();
    for index in wanted.iter().flat_map(|id| look.meant(id)) {
        let index = look.outermost_clone(index).unwrap_or(index);
        if told.insert(index) {
            found.extend(look.judge(index, &mut HashSet::new()));
        }
    }
    let mut named = HashSet::new();
    found.retain(|idle: &Idle| named.insert(idle.resource.clone()));
    found
}

struct Look<'c> {
    document: &'c Document,
    cib: Cib<'c>,
    status: &'c ClusterStatus,
}

impl<'c> Look<'c> {
    /// The resources that an id stands for: of a template, what is made from it.
    fn meant(&self, id: &str) -> Vec<ResourceIndex> {
        let found = self.status.resources_meant(id);
        if !found.is_empty() {
            return found;
        }
        let made = self.document.root().descendants();
        made.filter(|e| e.name() == "primitive" && e.attribute("template") == Some(id))
            .filter_map(|e| e.attribute("id"))
            .flat_map(|id| self.status.resources_meant(id))
            .collect()
    }

    fn outermost_clone(&self, index: ResourceIndex) -> Option<ResourceIndex> {
        let mut chain =
            std::iter::successors(Some(index), |&index| self.status.resource(index).parent);
        chain.find(|&index| {
            let resource = self.status.resource(index);
            resource.is_clone() || resource.is_bundle()
        })
    }

    /// Tells whether the cluster is to run this.
    fn is_asked(&self, index: ResourceIndex) -> bool {
        let mut chain =
            std::iter::successors(Some(index), |&index| self.status.resource(index).parent);
        !self.status.options.stop_all
            && chain.all(|index| {
                let resource = self.status.resource(index);
                !resource.orphan
                    && resource.target_role != Some(Role::Stopped)
                    // What the cluster gave up it manages no more, which nobody has asked for.
                    && (resource.managed || resource.blocked)
                    && !resource.maintenance
            })
    }

    /// Tells whether this should be stopped, and its stop has failed.
    fn refuses_to_stop(&self, index: ResourceIndex) -> bool {
        let resource = self.status.resource(index);
        resource.is_primitive()
            && resource.target_role == Some(Role::Stopped)
            && resource.blocked
            && !resource.running_on.is_empty()
    }

    fn runs_well(&self, index: ResourceIndex) -> bool {
        let resource = self.status.resource(index);
        let ignored = resource.failure_ignored
            && resource.role >= Role::Started
            && self.status.runs(resource, None);
        !resource.blocked && (ignored || self.status.serves(index, Role::Started, None))
    }

    /// Finds the first primitive in it that should run and does not.
    fn first_idle(&self, index: ResourceIndex) -> Option<ResourceIndex> {
        if self.refuses_to_stop(index) {
            return Some(index);
        }
        let resource = self.status.resource(index);
        if resource.is_primitive() {
            return (self.is_asked(index) && !self.runs_well(index)).then_some(index);
        }
        for part in resource.parts() {
            let idle = self.first_idle(part);
            // Of a group, what comes after a member that is held back waits for that one.
            if idle.is_some() || (resource.is_group() && !self.is_asked(part)) {
                return idle;
            }
        }
        None
    }

    /// Says of a resource what of it should run and does not; with those that are being judged.
    fn judge(&self, index: ResourceIndex, judged: &mut HashSet<ResourceIndex>) -> Option<Idle> {
        let resource = self.status.resource(index);
        let is_set = resource.is_clone() || resource.is_bundle();
        let first = self.first_idle(index)?;
        judged.insert(index);
        let subject = if is_set { index } else { first };
        let id = &self.status.resource(subject).configured_id;
        let (now, zone) = (Timestamp::now(), TimeZone::system());
        let why = why::explain(self.document, now, &zone, id);
        let mut reasons = why.map(|why| why.reasons).unwrap_or_default();
        if reasons.iter().any(|reason| self.is_excused(reason)) {
            return None;
        }
        // A clone runs where it can; it is amiss where it could run and does not.
        let parts = if is_set { resource.parts() } else { Vec::new() };
        let runs_somewhere = parts
            .iter()
            .any(|&part| self.is_asked(part) && self.first_idle(part).is_none());
        let may_come = self.comes(&reasons, judged);
        if runs_somewhere {
            let amiss: Vec<Reason> = reasons
                .iter()
                .filter(|reason| has_failed(&reason.cause) && self.could_run(reason, &reasons))
                .cloned()
                .collect();
            if amiss.is_empty() && !may_come {
                return None;
            }
            if !amiss.is_empty() {
                reasons = amiss;
            }
        }
        Some(Idle {
            resource: id.clone(),
            may_come: may_come && !reasons.iter().any(|reason| has_failed(&reason.cause)),
            reasons,
        })
    }

    /// Tells whether a reason is that something else is held back by an administrator.
    fn is_excused(&self, reason: &Reason) -> bool {
        let (Cause::Needs { resource, .. }
        | Cause::Apart {
            resource,
            away: false,
            ..
        }) = &reason.cause
        else {
            return false;
        };
        let needed = self.status.resources_meant(resource);
        !needed.is_empty() && needed.iter().all(|&index| !self.has_asked_part(index))
    }

    fn has_asked_part(&self, index: ResourceIndex) -> bool {
        let parts = self.status.resource(index).parts();
        match parts.is_empty() {
            true => self.is_asked(index),
            false => parts.iter().any(|&part| self.has_asked_part(part)),
        }
    }

    /// Tells whether nothing but a failure keeps it off the node of a reason.
    fn could_run(&self, reason: &Reason, all: &[Reason]) -> bool {
        let here = all.iter().filter(|other| other.node == reason.node);
        here.map(|other| &other.cause).all(has_failed)
    }

    /// Tells whether all that keeps a resource off some node may pass by itself.
    fn comes(&self, reasons: &[Reason], judged: &mut HashSet<ResourceIndex>) -> bool {
        let (everywhere, somewhere): (Vec<&Reason>, Vec<&Reason>) =
            reasons.iter().partition(|reason| reason.node.is_none());
        if !everywhere.iter().all(|reason| self.passes(reason, judged)) {
            return false;
        }
        self.status.nodes().any(|node| {
            let here: Vec<&&Reason> = somewhere
                .iter()
                .filter(|reason| reason.node.as_deref() == Some(&node.name))
                .collect();
            let is_kept = !here.is_empty() || !everywhere.is_empty();
            node.online && is_kept && here.iter().all(|reason| self.passes(reason, judged))
        })
    }

    fn passes(&self, reason: &Reason, judged: &mut HashSet<ResourceIndex>) -> bool {
        match &reason.cause {
            Cause::UnderWay { .. } => true,
            Cause::Banned { constraint } => self
                .element(constraint)
                .is_some_and(|rule| self.lacks_value(rule, reason)),
            Cause::NotAllowed => {
                let constraints = self.cib.constraints();
                constraints
                    .filter(|constraint| constraint.name() == "rsc_location")
                    .filter(|constraint| self.concerns(*constraint, &reason.resource))
                    .any(|constraint| self.lacks_value(constraint, reason))
            }
            Cause::Needs { resource, .. }
            | Cause::Apart {
                resource,
                away: false,
                ..
            } => {
                let needed = self.status.resources_meant(resource).into_iter();
                let needed = needed.map(|index| self.outermost_clone(index).unwrap_or(index));
                // What waits for itself in a circle waits for ever.
                let needed: Vec<_> = needed.filter(|index| !judged.contains(index)).collect();
                !needed.is_empty()
                    && needed.into_iter().all(|index| {
                        let idle = self.judge(index, judged);
                        idle.is_none_or(|idle| idle.may_come)
                    })
            }
            _ => false,
        }
    }

    fn element(&self, id: &str) -> Option<Element<'c>> {
        let mut all = self.document.root().descendants();
        all.find(|element| element.attribute("id") == Some(id))
    }

    fn concerns(&self, constraint: Element<'_>, resource: &str) -> bool {
        let indexes = self.status.resources_meant(resource);
        let named = constraint.attribute("rsc");
        indexes.iter().any(|&index| {
            let mut chain =
                std::iter::successors(Some(index), |&index| self.status.resource(index).parent);
            chain.any(|index| Some(self.status.resource(index).configured_id.as_str()) == named)
        })
    }

    /// Tells whether a rule asks for an attribute that the node of a reason has no value of.
    fn lacks_value(&self, rule: Element<'c>, reason: &Reason) -> bool {
        let Some(node) = reason.node.as_deref() else {
            return false;
        };
        let Some(node) = self.status.node_named(node).filter(|node| node.online) else {
            return false;
        };
        let rules = self.cib.resolve(rule).descendants();
        let rules = rules.flat_map(|rule| self.cib.resolve(rule).descendants());
        rules
            .filter(|e| e.name() == "expression")
            .filter_map(|e| e.attribute("attribute"))
            // Those that the cluster itself gives have their values from the beginning.
            .any(|name| !name.starts_with('#') && node.attribute(name).is_none())
    }
}

/// Tells whether a cause is that something has failed.
fn has_failed(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::Failed { .. }
            | Cause::FailedTooOften { .. }
            | Cause::NotInstalled { .. }
            | Cause::Blocked
    )
}
