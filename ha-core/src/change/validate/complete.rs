//! Adding what agents advise.

use std::collections::HashSet;
use std::time::Duration;

use super::agent::promotable_around;
use super::operation::{advised, is_same_role};
use super::{Agents, Check};
use crate::Result;
use crate::change::edit::{fresh_id, resources};
use crate::change::merge;
use crate::config::{Interval, spelling};
use crate::model::agent::{Action, Metadata};
use crate::xml::{Document, Element, NodeId};

/// How often a resource is looked at when its agent does not say.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// Gives the operations that a configuration leaves out what the agents advise, as crmsh and pcs do.
///
/// * An operation without a time-out gets the agent's.
/// * `start`, `stop` and a repeated `monitor` are added where there are none, with the agent's time-outs
///   and intervals; for what is promotable also `promote`, `demote`, and a `monitor` for each role.
///
/// What is given stays, and so does what is taken from a template or another resource; agents that are not
/// installed change nothing. A second run changes nothing.
///
/// # Errors
/// Those of `agents`.
///
/// # Example
/// ```
/// use ha_core::change::validate::complete;
/// use ha_core::model::agent::{AgentName, Metadata};
/// use ha_core::xml::Document;
/// let mut desired = Document::parse(
///     "<cib><configuration><resources><primitive id='VIP' class='ocf' provider='heartbeat' \
///      type='IPaddr2'/></resources></configuration></cib>",
/// )?;
/// let described = Metadata::parse(
///     "<resource-agent name='IPaddr2'><actions><action name='start' timeout='20s'/>\
///      <action name='monitor' timeout='20s' interval='10s'/></actions></resource-agent>",
/// )?;
/// complete(&mut desired, &mut |_: &AgentName| Ok(Some(described.clone())))?;
/// let text = desired.to_xml_compact();
/// assert!(text.contains(r#"<op id="VIP-start-0s" name="start" interval="0s" timeout="20s"/>"#));
/// assert!(text.contains(r#"<op id="VIP-monitor-10s" name="monitor" interval="10s" timeout="20s"/>"#));
/// # Ok::<(), ha_core::Error>(())
/// ```
pub fn complete(desired: &mut Document, agents: &mut Agents<'_>) -> Result<()> {
    complete_some(desired, agents, &|_| true)
}

/// As [`complete`], for a configuration that is to be merged into a CIB: what is there already just as it is
/// desired stays as it is.
///
/// A configuration that was read from a cluster changes nothing there this way, and neither does one that was
/// completed when it was applied.
///
/// # Errors
/// Those of `agents` and of [`merge`](crate::change::merge).
pub fn complete_for(cib: &Document, desired: &mut Document, agents: &mut Agents<'_>) -> Result<()> {
    let mut merged = cib.clone();
    merge(&mut merged, desired, None)?;
    let text = |cib: &Document, id: &str| {
        let found = resources(cib).find(|e| e.attribute("id") == Some(id));
        found.map(|element| (element.name().to_owned(), element.to_xml()))
    };
    let owners = owners(desired).into_iter();
    let as_desired: HashSet<String> = owners
        .filter_map(|owner| desired.element(owner).attribute("id"))
        .filter(|id| text(cib, id).is_some_and(|now| Some(now) == text(&merged, id)))
        .map(str::to_owned)
        .collect();
    complete_some(desired, agents, &|id| !as_desired.contains(id))
}

fn owners(desired: &Document) -> Vec<NodeId> {
    resources(desired)
        .filter(|e| matches!(e.name(), "primitive" | "template"))
        .map(Element::id)
        .collect()
}

fn complete_some(
    desired: &mut Document,
    agents: &mut Agents<'_>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<()> {
    let mut owners = owners(desired);
    owners.retain(|&owner| desired.element(owner).attribute("id").is_none_or(wanted));
    for owner in owners {
        let check = Check::new(desired);
        let element = desired.element(owner);
        let Some(agent) = check.agent(element) else {
            continue;
        };
        let Some(metadata) = agents(&agent)? else {
            continue;
        };
        let wanted = Wanted::of(&check, element, &metadata);
        wanted.add(desired, owner);
    }
    Ok(())
}

/// What an owner lacks.
struct Wanted {
    /// The time-outs of operations that it has.
    timeouts: Vec<(NodeId, Duration)>,
    operations: Vec<New>,
}

/// An operation to be added.
struct New {
    name: &'static str,
    interval: Duration,
    timeout: Option<Duration>,
    role: Option<String>,
}

impl Wanted {
    fn of<'d>(check: &Check<'d>, owner: Element<'d>, metadata: &Metadata) -> Self {
        let mut wanted = Self {
            timeouts: Vec::new(),
            operations: Vec::new(),
        };
        let lists = || owner.children_named("operations");
        let given = || {
            lists()
                .flat_map(|list| list.children_named("op"))
                .filter(|operation| operation.attribute("id-ref").is_none())
        };
        for operation in given() {
            let meta = check.value(operation, "meta_attributes", "timeout");
            let name = operation.attribute("name").unwrap_or_default();
            let advised = advised(metadata, name, operation.attribute("role"));
            if let (None, None, Some(advised)) = (operation.attribute("timeout"), meta, advised) {
                wanted.timeouts.push((operation.id(), advised));
            }
        }
        let borrowed = lists().any(|list| {
            let is_reference = |e: Element<'_>| e.attribute("id-ref").is_some();
            is_reference(list) || list.children().any(is_reference)
        });
        // The template of a primitive has them.
        if borrowed || owner.attribute("template").is_some() {
            return wanted;
        }
        let has = |name: &str| given().any(|operation| operation.attribute("name") == Some(name));
        let promotable = promotable_around(check, owner).is_some();
        let mut once = vec!["start", "stop"];
        if promotable {
            once.extend(["promote", "demote"]);
        }
        for name in once {
            if let Some(timeout) = advised(metadata, name, None).filter(|_| !has(name)) {
                wanted.operations.push(New {
                    name,
                    interval: Duration::ZERO,
                    timeout: Some(timeout),
                    role: None,
                });
            }
        }
        if !has("monitor") {
            wanted.monitors(metadata, promotable);
        }
        wanted
    }

    fn monitors(&mut self, metadata: &Metadata, promotable: bool) {
        let mut advised: Vec<&Action> = Vec::new();
        for action in metadata.actions.iter().filter(|a| a.name == "monitor") {
            let role = action.role.as_deref().unwrap_or_default();
            let is_new = |a: &&Action| !is_same_role(a.role.as_deref().unwrap_or_default(), role);
            if advised.iter().all(is_new) {
                advised.push(action);
            }
        }
        // What is not promotable has but one role, and is looked at as what is not promoted.
        if !promotable {
            let promoted = |action: &Action| {
                let role = action.role.as_deref();
                role.is_some_and(|role| is_same_role(role, "Promoted"))
            };
            let one = advised.iter().find(|action| !promoted(action));
            advised = one.or(advised.first()).copied().into_iter().collect();
        }
        // Monitors of one interval would be taken for the same.
        let mut taken: Vec<Duration> = Vec::new();
        for action in advised {
            let mut interval = action.interval.unwrap_or(DEFAULT_INTERVAL);
            while taken.contains(&interval) {
                interval += Duration::from_secs(1);
            }
            taken.push(interval);
            self.operations.push(New {
                name: "monitor",
                interval,
                timeout: action.timeout,
                role: action.role.clone().filter(|_| promotable),
            });
        }
    }

    fn add(self, document: &mut Document, owner: NodeId) {
        for (operation, timeout) in self.timeouts {
            document.set_attribute(operation, "timeout", &Interval::from(timeout).to_string());
        }
        if self.operations.is_empty() {
            return;
        }
        let element = document.element(owner);
        let prefix = element.attribute("id").unwrap_or_default().to_owned();
        let list = match element.child("operations") {
            Some(list) => list.id(),
            // Where the tools put it: behind the attributes.
            None => document.append_child(owner, "operations"),
        };
        for new in self.operations {
            let interval = Interval::from(new.interval).to_string();
            let id = fresh_id(document, &format!("{prefix}-{}-{interval}", new.name));
            let operation = document.append_child(list, "op");
            document.set_attribute(operation, "id", &id);
            document.set_attribute(operation, "name", new.name);
            document.set_attribute(operation, "interval", &interval);
            if let Some(timeout) = new.timeout {
                let timeout = Interval::from(timeout).to_string();
                document.set_attribute(operation, "timeout", &timeout);
            }
            if let Some(role) = new.role {
                // Where the schema is not told, the words that the old ones know, too.
                let schema = document.root().attribute("validate-with");
                let role = match schema.is_some_and(spelling::knows_new_roles) {
                    true => role.as_str(),
                    false => spelling::old_role(&role),
                };
                document.set_attribute(operation, "role", role);
            }
        }
    }
}
