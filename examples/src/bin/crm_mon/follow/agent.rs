//! The external agent: a program that is run for each operation and, if wanted, for fencing.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::process::{Child, Command};

use ha_core::model::fencing::{FencingEvent, State};
use ha_core::model::operation::{Operation, rc_text, status_text};
use ha_core::view::FencingHistory;
use ha_core::xml::Document;

use crate::arguments::ExternalAgent;

/// What the agent is told, in environment variables that start with `CRM_notify_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    node: String,
    resource: Option<String>,
    task: String,
    description: String,
    rc: i32,
    target_rc: i32,
    status: i32,
}

/// Runs the agent, and remembers what it was told of.
#[derive(Debug)]
pub(super) struct Notifier {
    agent: ExternalAgent,
    /// The operations of the CIB, each with a digest of what is said of it.
    operations: HashMap<Place, u64>,
    /// The fencing actions that ended.
    fenced: Vec<FencingEvent>,
    running: Vec<Child>,
}

/// Where an operation is: node, resource, and the id of the entry.
type Place = (String, String, String);

impl Notifier {
    pub(super) fn new(agent: ExternalAgent) -> Self {
        Self {
            agent,
            operations: HashMap::new(),
            fenced: Vec::new(),
            running: Vec::new(),
        }
    }

    /// Tells whether fencing is to be told.
    pub(super) fn wants_fencing(&self) -> bool {
        self.agent.fencing
    }

    /// Takes the CIB for what is known already.
    pub(super) fn start(&mut self, document: &Document, fencing: Option<&FencingHistory>) {
        self.take(document);
        self.take_fencing(fencing);
    }

    /// Tells the agent what is new in the CIB and in the fencer's history.
    pub(super) fn tell(&mut self, document: &Document, fencing: Option<&FencingHistory>) {
        let mut notices = self.take(document);
        if self.agent.fencing {
            notices.extend(self.take_fencing(fencing));
        }
        for notice in &notices {
            self.run(notice);
        }
    }

    /// Waits for no agent, and forgets those that ended.
    pub(super) fn reap(&mut self) {
        self.running
            .retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }

    fn run(&mut self, notice: &Notice) {
        self.reap();
        let mut command = Command::new(&self.agent.program);
        command.env_remove(super::DAEMON);
        for (name, value) in notice.variables(self.agent.recipient.as_deref()) {
            command.env(name, value);
        }
        match command.spawn() {
            Ok(child) => self.running.push(child),
            Err(error) => eprintln!(
                "{}: cannot run {}: {error}",
                crate::failure::name(),
                self.agent.program
            ),
        }
    }

    /// Returns a notice of each operation that is new or has changed.
    fn take(&mut self, document: &Document) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut operations = HashMap::new();
        let states = document
            .root()
            .child("status")
            .into_iter()
            .flat_map(|status| status.children_named("node_state"));
        for state in states {
            let name = state.attribute("uname").or_else(|| state.attribute("id"));
            let node = name.unwrap_or_default();
            let resources = state
                .children_named("lrm")
                .flat_map(|lrm| lrm.children_named("lrm_resources"))
                .flat_map(|all| all.children_named("lrm_resource"));
            for resource in resources {
                let id = resource.attribute("id").unwrap_or_default();
                for entry in resource.children_named("lrm_rsc_op") {
                    let mut digest = DefaultHasher::new();
                    for attribute in entry.attributes() {
                        attribute.hash(&mut digest);
                    }
                    let entry_id = entry.attribute("id").unwrap_or_default();
                    let place = (node.to_owned(), id.to_owned(), entry_id.to_owned());
                    let digest = digest.finish();
                    if self.operations.get(&place) != Some(&digest) {
                        notices.extend(of_operation(node, id, &Operation::new(entry)));
                    }
                    operations.insert(place, digest);
                }
            }
        }
        self.operations = operations;
        notices
    }

    /// Returns a notice of each fencing action that has ended since.
    fn take_fencing(&mut self, fencing: Option<&FencingHistory>) -> Vec<Notice> {
        let Some(FencingHistory::Events(events)) = fencing else {
            return Vec::new();
        };
        let has_ended = |event: &&FencingEvent| !event.is_pending();
        let mut ended: Vec<FencingEvent> = events.iter().filter(has_ended).cloned().collect();
        ended.sort_by_key(|event| event.completed);
        let new = ended.iter().filter(|event| !self.fenced.contains(event));
        let notices = new.map(of_fencing).collect();
        self.fenced = ended;
        notices
    }
}

/// Returns what to tell of an operation; nothing of a monitor that finds nothing where nothing should
/// be, nor of an entry that does not say what was expected.
fn of_operation(node: &str, resource: &str, operation: &Operation<'_>) -> Option<Notice> {
    operation.transition_key?;
    let (rc, target_rc) = (operation.rc, operation.target_rc());
    let status = operation.status?;
    let description = match status {
        0 if rc == target_rc && operation.task == "monitor" && rc == 7 => return None,
        0 if rc == target_rc => "OK",
        0 => rc_text(rc),
        _ => status_text(status),
    };
    Some(Notice {
        node: node.to_owned(),
        resource: Some(resource.to_owned()),
        task: operation.task.to_owned(),
        description: description.to_owned(),
        rc,
        target_rc,
        status,
    })
}

fn of_fencing(event: &FencingEvent) -> Notice {
    /// What the fencer says of an action that failed: no data available.
    const FAILED: i32 = -61;
    let has_failed = event.state == State::Failed;
    let by = event.delegate.as_deref().unwrap_or("the cluster");
    Notice {
        node: event.target.clone(),
        resource: None,
        task: "st_notify_fence".to_owned(),
        description: format!(
            "Operation {} of {} by {by} for {}@{}: {}",
            event.action,
            event.target,
            event.client.as_deref().unwrap_or_default(),
            event.origin.as_deref().unwrap_or_default(),
            if has_failed { "Error" } else { "OK" },
        ),
        rc: if has_failed { FAILED } else { 0 },
        target_rc: 0,
        status: 0,
    }
}

impl Notice {
    fn variables(&self, recipient: Option<&str>) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("CRM_notify_node", self.node.clone()),
            ("CRM_notify_task", self.task.clone()),
            ("CRM_notify_desc", self.description.clone()),
            ("CRM_notify_rc", self.rc.to_string()),
            ("CRM_notify_target_rc", self.target_rc.to_string()),
            ("CRM_notify_status", self.status.to_string()),
        ];
        if let Some(resource) = &self.resource {
            variables.push(("CRM_notify_rsc", resource.clone()));
        }
        if let Some(recipient) = recipient {
            variables.push(("CRM_notify_recipient", recipient.to_owned()));
        }
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "transition-key='1:1:0:8a2f6c3e-0000-0000-0000-000000000000'";

    fn cib(operations: &str) -> Document {
        let text = format!(
            "<cib><status><node_state id='1' uname='n1'><lrm id='1'><lrm_resources>\
             <lrm_resource id='vip'>{operations}</lrm_resource></lrm_resources></lrm></node_state>\
             </status></cib>"
        );
        Document::parse(&text).expect("well-formed")
    }

    fn notifier() -> Notifier {
        Notifier::new(ExternalAgent {
            program: "/bin/true".to_owned(),
            recipient: None,
            fencing: false,
        })
    }

    fn entry(task: &str, rc: i32, target: i32, status: i32) -> String {
        let key = KEY.replacen(":0:", &format!(":{target}:"), 1);
        format!(
            "<lrm_rsc_op id='vip_{task}' operation='{task}' rc-code='{rc}' op-status='{status}' {key}/>"
        )
    }

    #[test]
    fn only_what_is_new_or_has_changed_is_told() {
        let mut notifier = notifier();
        let started = entry("start", 0, 0, 0);
        notifier.start(&cib(&started), None);
        assert_eq!(notifier.take(&cib(&started)), []);
        let failing = started.clone() + &entry("monitor", 1, 0, 0);
        let told = notifier.take(&cib(&failing));
        let [notice] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!(
            notice.variables(Some("me")),
            [
                ("CRM_notify_node", "n1".to_owned()),
                ("CRM_notify_task", "monitor".to_owned()),
                ("CRM_notify_desc", "error".to_owned()),
                ("CRM_notify_rc", "1".to_owned()),
                ("CRM_notify_target_rc", "0".to_owned()),
                ("CRM_notify_status", "0".to_owned()),
                ("CRM_notify_rsc", "vip".to_owned()),
                ("CRM_notify_recipient", "me".to_owned()),
            ]
        );
        assert_eq!(notifier.take(&cib(&failing)), []);
    }

    #[test]
    fn the_words_are_those_of_crm_mon() {
        for (rc, target, status, words) in [
            (193, 7, -1, Some("pending")),
            (0, 0, 0, Some("OK")),
            (0, 7, 0, Some("ok")),
            (7, 7, 0, None),
            (1, 0, 2, Some("Timed Out")),
        ] {
            let told = notifier().take(&cib(&entry("monitor", rc, target, status)));
            let said: Vec<&str> = told.iter().map(|n| n.description.as_str()).collect();
            assert_eq!(said, Vec::from_iter(words), "{rc} {target} {status}");
        }
    }
}
