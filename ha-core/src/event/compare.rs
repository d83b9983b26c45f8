//! Two states of a cluster, compared by meaning.

use std::collections::{HashMap, HashSet};

use super::Event;
use crate::status::{ClusterStatus, Failure, Node, Resource, Role};

/// Returns what happened between two states: the cluster first, then nodes, then resources.
///
/// Equal states give nothing. The order within each kind is that of the new state, so that the
/// result is the same for the same states.
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
    compare((old, &Known::of(old)), (new, &Known::of(new)))
}

/// Follows a cluster through its states, one after the other.
///
/// Like [`between`] for each two of them, with a memory for what the CIB does not tell for a moment: a
/// new Designated Controller erases the history of the nodes that join it and writes it anew, one
/// change later. As long as an online node has no history, what ran there and what failed there is
/// taken to be as it was.
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
    known: Known,
}

impl Follower {
    /// Begins with a state.
    #[must_use]
    pub fn new(state: ClusterStatus) -> Self {
        let known = Known::of(&state);
        Self { state, known }
    }

    /// Returns the newest state.
    #[must_use]
    pub fn state(&self) -> &ClusterStatus {
        &self.state
    }

    /// Takes the next state, and returns what happened.
    pub fn next(&mut self, state: ClusterStatus) -> Vec<Event> {
        let mut known = Known::of(&state);
        for node in state.nodes().filter(|n| n.online && !n.has_history) {
            known.keep(&self.known, &node.name);
        }
        let events = compare((&self.state, &self.known), (&state, &known));
        (self.state, self.known) = (state, known);
        events
    }
}

/// What the histories of the nodes tell.
#[derive(Debug, Clone)]
struct Known {
    /// Where primitives are active, in the order of the state.
    places: Vec<Place>,
    failures: Vec<Failure>,
}

#[derive(Debug, Clone)]
struct Place {
    resource: String,
    node: String,
    role: Role,
}

impl Known {
    fn of(state: &ClusterStatus) -> Self {
        Self {
            places: active(state),
            failures: state.failures.clone(),
        }
    }

    /// Adds what was known of a node before.
    fn keep(&mut self, before: &Self, node: &str) {
        let places = before.places.iter().filter(|place| place.node == node);
        self.places.extend(places.cloned());
        let failures = before.failures.iter().filter(|f| f.node == node);
        self.failures.extend(failures.cloned());
    }
}

fn compare(
    (old, was_known): (&ClusterStatus, &Known),
    (new, known): (&ClusterStatus, &Known),
) -> Vec<Event> {
    let mut events = Vec::new();
    if old.quorate != new.quorate {
        events.push(Event::Quorum {
            quorate: new.quorate,
        });
    }
    let (from, to) = (dc_name(old), dc_name(new));
    if from != to {
        events.push(Event::DcChanged {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        });
    }
    nodes(old, new, &mut events);
    failures(&was_known.failures, &known.failures, &mut events);
    pending(old, new, &mut events);
    activity(&was_known.places, &known.places, &mut events);
    events
}

fn dc_name(state: &ClusterStatus) -> Option<&str> {
    state
        .dc
        .as_ref()
        .map(|dc| state.node(dc.node).name.as_str())
}

fn nodes(old: &ClusterStatus, new: &ClusterStatus, events: &mut Vec<Event>) {
    let before: HashMap<&str, &Node> = old.nodes().map(|n| (n.name.as_str(), n)).collect();
    for node in new.nodes() {
        let name = || node.name.clone();
        let Some(was) = before.get(node.name.as_str()) else {
            events.push(Event::NodeConfigured {
                node: name(),
                present: true,
            });
            if node.online {
                events.push(Event::NodeOnline { node: name() });
            }
            continue;
        };
        match (was.online, node.online) {
            (false, true) => events.push(Event::NodeOnline { node: name() }),
            (true, false) => {
                events.push(Event::NodeOffline {
                    node: name(),
                    unclean: node.unclean,
                });
            }
            _ if was.unclean != node.unclean => {
                events.push(Event::NodeUnclean {
                    node: name(),
                    unclean: node.unclean,
                });
            }
            _ => {}
        }
        if was.standby != node.standby {
            events.push(Event::NodeStandby {
                node: name(),
                standby: node.standby,
            });
        }
        if was.maintenance != node.maintenance {
            events.push(Event::NodeMaintenance {
                node: name(),
                maintenance: node.maintenance,
            });
        }
    }
    for node in old.nodes() {
        if new.node_named(&node.name).is_none() {
            events.push(Event::NodeConfigured {
                node: node.name.clone(),
                present: false,
            });
        }
    }
}

/// What makes two records the same failure; the call id tells a second failure from the first.
fn failure_key(failure: &Failure) -> (&str, &str, i32) {
    (&failure.node, &failure.id, failure.call_id)
}

fn failures(old: &[Failure], new: &[Failure], events: &mut Vec<Event>) {
    let resource = |f: &Failure| f.resource.clone().unwrap_or_else(|| f.history_id.clone());
    let task = |f: &Failure| f.task.clone().unwrap_or_else(|| f.operation.clone());
    let before: HashSet<_> = old.iter().map(failure_key).collect();
    let after: HashSet<_> = new.iter().map(failure_key).collect();
    for failure in new.iter().filter(|f| !before.contains(&failure_key(f))) {
        events.push(Event::OperationFailed {
            resource: resource(failure),
            node: failure.node.clone(),
            task: task(failure),
            exit_status: failure.rc,
            reason: failure.exit_reason.clone(),
        });
    }
    for failure in old.iter().filter(|f| !after.contains(&failure_key(f))) {
        events.push(Event::FailureCleared {
            resource: resource(failure),
            node: failure.node.clone(),
            task: task(failure),
        });
    }
}

fn pending(old: &ClusterStatus, new: &ClusterStatus, events: &mut Vec<Event>) {
    let tasks = |state: &ClusterStatus| -> Vec<(String, String, String)> {
        let task = |r: &Resource| {
            let node = state.node(r.pending_node?).name.clone();
            Some((r.printable_id().to_owned(), node, r.pending_task.clone()?))
        };
        state.resources().filter_map(task).collect()
    };
    let before: HashSet<_> = tasks(old).into_iter().collect();
    for key in tasks(new) {
        if !before.contains(&key) {
            let (resource, node, task) = key;
            events.push(Event::ResourcePending {
                resource,
                node,
                task,
            });
        }
    }
}

/// Lists where primitives are active, in the order of the state: resource, node, role.
///
/// A start that is under way is not an activity yet, and a promotion that is under way not a
/// promoted role, although both count as such where the cluster's load is planned.
fn active(state: &ClusterStatus) -> Vec<Place> {
    let mut places = Vec::new();
    for resource in state
        .resources()
        .filter(|r| r.is_primitive() && !r.internal)
    {
        for &node in &resource.running_on {
            let here = resource.pending_node == Some(node);
            let role = match resource.pending_task.as_deref().filter(|_| here) {
                Some("start") => continue,
                Some("promote") => Role::Unpromoted,
                _ => resource.role,
            };
            places.push(Place {
                resource: resource.printable_id().to_owned(),
                node: state.node(node).name.clone(),
                role,
            });
        }
    }
    places
}

fn by_place(places: &[Place]) -> HashMap<(&str, &str), Role> {
    places
        .iter()
        .map(|place| ((&*place.resource, &*place.node), place.role))
        .collect()
}

fn activity(old: &[Place], new: &[Place], events: &mut Vec<Event>) {
    let (before, after) = (by_place(old), by_place(new));
    for Place { resource, node, .. } in old {
        if !after.contains_key(&(&**resource, &**node)) {
            events.push(Event::ResourceStopped {
                resource: resource.clone(),
                node: node.clone(),
            });
        }
    }
    for place in new {
        let (resource, node, role) = (place.resource.clone(), place.node.clone(), place.role);
        match before.get(&(&*place.resource, &*place.node)) {
            None => events.push(Event::ResourceStarted {
                resource,
                node,
                role,
            }),
            Some(&from) if from != role => {
                events.push(Event::ResourceRole {
                    resource,
                    node,
                    from,
                    to: role,
                });
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Document;

    /// A cluster of two nodes with one address, as the CIB has it.
    fn state(dc: &str, maitre: &str, esclave: &str, status: [&str; 2]) -> ClusterStatus {
        computed(&state_text(dc, maitre, esclave, status))
    }

    fn state_text(dc: &str, maitre: &str, esclave: &str, status: [&str; 2]) -> String {
        let node_state = |id: &str, name: &str, online: &str, operations: &str| {
            let (member, peer, join) = match online {
                "online" => ("true", "online", "member"),
                _ => ("false", "offline", "down"),
            };
            format!(
                r#"<node_state id="{id}" uname="{name}" in_ccm="{member}" crmd="{peer}"
                     join="{join}" expected="{join}"><lrm id="{id}"><lrm_resources>
                     <lrm_resource id="vip" class="ocf" provider="heartbeat" type="IPaddr2">
                     {operations}</lrm_resource></lrm_resources></lrm></node_state>"#
            )
        };
        format!(
            r#"<cib have-quorum="1" dc-uuid="{dc}" validate-with="pacemaker-3.9"><configuration>
               <crm_config><cluster_property_set id="o">
                 <nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set>
               </crm_config>
               <nodes><node id="1" uname="maitre"/><node id="2" uname="esclave"/></nodes>
               <resources><primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/>
               </resources><constraints/></configuration><status>{}{}</status></cib>"#,
            node_state("1", "maitre", maitre, status[0]),
            node_state("2", "esclave", esclave, status[1]),
        )
    }

    /// The same with esclave online alone, and no history of it.
    fn without_history() -> ClusterStatus {
        let text = state_text("2", "offline", "online", ["", ""]);
        let at = text.rfind("<lrm ").expect("a history");
        let end = at + text[at..].find("</lrm>").expect("its end") + "</lrm>".len();
        computed(&format!("{}{}", &text[..at], &text[end..]))
    }

    fn computed(text: &str) -> ClusterStatus {
        let cib = Document::parse(text).expect("well-formed");
        let epoch = jiff::Timestamp::UNIX_EPOCH;
        crate::status::compute(&cib, epoch, &jiff::tz::TimeZone::UTC)
    }

    fn operation(task: &str, call: u32, rc: u32) -> String {
        format!(
            r#"<lrm_rsc_op id="vip_last_0" operation="{task}" operation_key="vip_{task}_0"
                 interval="0" call-id="{call}" rc-code="{rc}" op-status="{}"
                 exit-reason="no such interface" transition-key="1:1:0:11111111-2222-3333-4444-555555555555"
                 transition-magic="0:{rc};1:1:0:11111111-2222-3333-4444-555555555555"/>"#,
            if rc == 0 { 0 } else { 4 },
        )
    }

    #[test]
    fn equal_states_say_nothing() {
        let one = state("1", "online", "online", [&operation("start", 5, 0), ""]);
        assert_eq!(between(&one, &one.clone()), []);
    }

    #[test]
    fn a_power_cut_moves_the_address() {
        let before = state("1", "online", "online", [&operation("start", 5, 0), ""]);
        let lost = state("2", "offline", "online", [&operation("start", 5, 0), ""]);
        let after = state("2", "offline", "online", ["", &operation("start", 9, 0)]);
        let said = |events: &[Event]| events.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            said(&between(&before, &lost)),
            [
                "the DC changed from maitre to esclave",
                "node maitre is offline",
                "vip stopped on maitre"
            ]
        );
        assert_eq!(said(&between(&lost, &after)), ["vip started on esclave"]);
    }

    #[test]
    fn a_start_under_way_is_not_a_start() {
        let pending = operation("start", 9, 0)
            .replace(r#"rc-code="0""#, r#"rc-code="193""#)
            .replace(r#"op-status="0""#, r#"op-status="-1""#)
            .replace("magic=\"0:0;", "magic=\"-1:193;");
        let nowhere = state("2", "offline", "online", ["", ""]);
        let starting = state("2", "offline", "online", ["", &pending]);
        let started = state("2", "offline", "online", ["", &operation("start", 9, 0)]);
        let said = |events: &[Event]| events.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            said(&between(&nowhere, &starting)),
            ["vip: start under way on esclave"]
        );
        assert_eq!(
            said(&between(&starting, &started)),
            ["vip started on esclave"]
        );
    }

    /// What a new DC does with the history of a node that joins it.
    #[test]
    fn a_history_that_is_written_anew_is_no_event() {
        let started = operation("start", 9, 0);
        let failed = operation("start", 8, 1);
        let has = |operations: [&str; 2]| state("2", "offline", "online", operations);
        for history in [&started, &failed] {
            let whole = has(["", history]);
            let mut follower = Follower::new(whole.clone());
            let gone = without_history();
            // The two states alone would tell of an end.
            assert_ne!(between(&whole, &gone), []);
            for _ in 0..2 {
                assert_eq!(follower.next(gone.clone()), []);
            }
            assert_eq!(follower.next(whole.clone()), []);
            // What has changed meanwhile is told when it is known.
            assert_eq!(follower.next(gone), []);
            let stopped = follower.next(has(["", &operation("stop", 10, 0)]));
            let vip_stopped = |e: &Event| matches!(e, Event::ResourceStopped { .. });
            assert!(stopped.iter().any(vip_stopped), "{stopped:?}");
        }
        // A node that is lost meanwhile runs nothing any more.
        let mut follower = Follower::new(has(["", &started]));
        assert_eq!(follower.next(without_history()), []);
        let lost = state("1", "online", "offline", ["", ""]);
        let said: Vec<String> = follower
            .next(lost)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            said.contains(&"vip stopped on esclave".to_owned()),
            "{said:?}"
        );
    }

    #[test]
    fn failures_are_told_once_and_their_end_too() {
        let fine = state("1", "online", "online", [&operation("start", 5, 0), ""]);
        let failed = state("1", "online", "online", [&operation("start", 6, 1), ""]);
        let again = state("1", "online", "online", [&operation("start", 7, 1), ""]);
        let is_failure = |e: &&Event| matches!(e, Event::OperationFailed { .. });
        let first = between(&fine, &failed);
        assert_eq!(first.iter().filter(is_failure).count(), 1, "{first:?}");
        assert!(
            first
                .iter()
                .any(|e| e.to_string().contains("exit status 1: no such interface")),
            "{first:?}"
        );
        assert_eq!(
            between(&failed, &again).iter().filter(is_failure).count(),
            1
        );
        let cleared = between(&again, &fine);
        assert!(
            cleared
                .iter()
                .any(|e| matches!(e, Event::FailureCleared { .. })),
            "{cleared:?}"
        );
    }

    /// Two nodes with a clone of which each runs an instance as far as its history says.
    fn cloned(unique: bool, maitre: (&str, &str), esclave: (&str, &str)) -> ClusterStatus {
        let node_state = |id: &str, name: &str, online: &str, history: &str| {
            let (member, peer, join) = match online {
                "online" => ("true", "online", "member"),
                _ => ("false", "offline", "down"),
            };
            format!(
                r#"<node_state id="{id}" uname="{name}" in_ccm="{member}" crmd="{peer}"
                     join="{join}" expected="{join}"><lrm id="{id}"><lrm_resources>{history}
                     </lrm_resources></lrm></node_state>"#
            )
        };
        let text = format!(
            r#"<cib have-quorum="1" dc-uuid="2" validate-with="pacemaker-3.9"><configuration>
               <crm_config><cluster_property_set id="o">
                 <nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set>
               </crm_config>
               <nodes><node id="1" uname="maitre"/><node id="2" uname="esclave"/></nodes>
               <resources><clone id="ping-clone"><meta_attributes id="m">
                 <nvpair id="m1" name="globally-unique" value="{unique}"/></meta_attributes>
                 <primitive id="ping" class="ocf" provider="pacemaker" type="ping"/></clone>
               </resources><constraints/></configuration><status>{}{}</status></cib>"#,
            node_state("1", "maitre", maitre.0, maitre.1),
            node_state("2", "esclave", esclave.0, esclave.1),
        );
        computed(&text)
    }

    fn ping(id: &str, operations: &[String]) -> String {
        let operations = operations.concat().replace("vip_", &format!("{id}_"));
        format!(
            r#"<lrm_resource id="{id}" class="ocf" provider="pacemaker" type="ping">{operations}
               </lrm_resource>"#
        )
    }

    #[test]
    fn instances_of_an_anonymous_clone_are_known_by_their_node() {
        let mut numbered = Vec::new();
        let runs = |id: &str| ping(id, &[operation("start", 5, 0)]);
        let probed = |id: &str| ping(id, &[operation("monitor", 3, 7)]);
        let mut esclaves = Vec::new();
        for id in ["ping", "ping:0", "ping:1", "ping:7"] {
            esclaves.push(runs(id));
            numbered.push(id);
        }
        let mut maitres = vec![("online", String::new()), ("offline", String::new())];
        for id in numbered {
            maitres.push(("online", runs(id)));
            maitres.push(("offline", runs(id)));
            maitres.push(("online", probed(id)));
        }
        let mut states = Vec::new();
        for esclave in &esclaves {
            for (online, maitre) in &maitres {
                states.push(cloned(false, (online, maitre), ("online", esclave)));
            }
        }
        for old in &states {
            for new in &states {
                for event in between(old, new) {
                    let text = event.to_string();
                    assert!(!text.contains("esclave"), "{text}");
                }
            }
        }
    }

    #[test]
    fn serializes_with_its_kind() {
        let event = Event::ResourceStopped {
            resource: "vip".into(),
            node: "maitre".into(),
        };
        let json = serde_json::to_string(&event).expect("serializable");
        assert_eq!(
            json,
            r#"{"event":"resource_stopped","resource":"vip","node":"maitre"}"#
        );
    }
}
