//! Walks the XML output and looks for each of its attributes in the JSON, where it belongs.

use ha_core::xml::{Document, Element};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// How an attribute of the XML is written in JSON.
#[derive(Clone, Copy)]
enum Form {
    /// The same text.
    Text,
    /// The same text, absent when there is none.
    Written,
    Flag,
    Number,
    /// `10000ms`.
    Duration,
    /// The time as `ctime` writes it.
    Time,
    /// `2026-11-22 12:00:00 +05:30`.
    Stamp,
    /// Escaped once too often in XML; `none` when there is none.
    Reason,
    /// The moment of printing: the two programs ran one after the other.
    Now,
    /// The XML says it twice, or speaks of itself.
    Elsewhere,
}

use Form::{Duration, Elsewhere, Flag, Now, Number, Reason, Stamp, Text, Time, Written};

/// Element and attribute; the member of the value that stands for the element; the form.
#[rustfmt::skip]
const FACTS: [(&str, &str, &str, Form); 106] = [
    ("pacemaker-result", "api-version", "", Elsewhere), ("pacemaker-result", "request", "/request", Now),
    ("status", "code", "/code", Number), ("status", "message", "/message", Text),
    ("pacemakerd", "sys_from", "/sys_from", Text), ("pacemakerd", "state", "/state", Text),
    ("pacemakerd", "last_updated", "/last_updated", Stamp),
    ("stack", "type", "/stack", Text),
    ("current_dc", "present", "/current_dc/present", Flag), ("current_dc", "version", "/current_dc/version", Written),
    ("current_dc", "name", "/current_dc/name", Text), ("current_dc", "id", "/current_dc/id", Text),
    ("current_dc", "with_quorum", "/current_dc/with_quorum", Flag),
    ("current_dc", "mixed_version", "/current_dc/mixed_version", Flag),
    ("last_update", "time", "/last_update", Now),
    ("last_change", "time", "/last_change/time", Written), ("last_change", "user", "/last_change/user", Written),
    ("last_change", "client", "/last_change/client", Written), ("last_change", "origin", "/last_change/origin", Written),
    ("nodes_configured", "number", "/nodes_configured", Number),
    ("resources_configured", "number", "/resources_configured/number", Number),
    ("resources_configured", "disabled", "/resources_configured/disabled", Number),
    ("resources_configured", "blocked", "/resources_configured/blocked", Number),
    ("cluster_options", "stonith-enabled", "/cluster_options/stonith_enabled", Flag),
    ("cluster_options", "symmetric-cluster", "/cluster_options/symmetric_cluster", Flag),
    ("cluster_options", "no-quorum-policy", "/cluster_options/no_quorum_policy", Text),
    ("cluster_options", "maintenance-mode", "/cluster_options/maintenance_mode", Flag),
    ("cluster_options", "stop-all-resources", "/cluster_options/stop_all_resources", Flag),
    ("cluster_options", "stonith-timeout-ms", "/cluster_options/stonith_timeout_ms", Number),
    ("cluster_options", "priority-fencing-delay-ms", "/cluster_options/priority_fencing_delay_ms", Number),
    ("node", "name", "/name", Text), ("node", "id", "/id", Text), ("node", "online", "/online", Flag),
    ("node", "standby", "/standby", Flag), ("node", "standby_onfail", "/standby_onfail", Flag),
    ("node", "maintenance", "/maintenance", Flag), ("node", "pending", "/pending", Flag),
    ("node", "unclean", "/unclean", Flag), ("node", "health", "/health", Text),
    ("node", "feature_set", "/feature_set", Text), ("node", "shutdown", "/shutdown", Flag),
    ("node", "expected_up", "/expected_up", Flag), ("node", "is_dc", "/is_dc", Flag),
    ("node", "resources_running", "/resources_running", Number), ("node", "type", "/type", Text),
    ("node", "id_as_resource", "/id_as_resource", Text), ("node", "cached", "/cached", Flag),
    ("resource", "id", "/id", Text), ("resource", "resource_agent", "/resource_agent", Text),
    ("resource", "role", "/role", Text), ("resource", "target_role", "/target_role", Text),
    ("resource", "active", "/active", Flag), ("resource", "orphaned", "/orphaned", Flag),
    ("resource", "blocked", "/blocked", Flag), ("resource", "managed", "/managed", Flag),
    ("resource", "failed", "/failed", Flag), ("resource", "failure_ignored", "/failure_ignored", Flag),
    ("resource", "nodes_running_on", "/nodes_running_on", Number), ("resource", "pending", "/pending", Text),
    ("resource", "locked_to", "/locked_to", Text),
    ("group", "id", "/id", Text), ("group", "number_resources", "/number_resources", Number),
    ("group", "managed", "/managed", Flag), ("group", "disabled", "/disabled", Flag),
    ("clone", "id", "/id", Text), ("clone", "multi_state", "/multi_state", Flag), ("clone", "unique", "/unique", Flag),
    ("clone", "managed", "/managed", Flag), ("clone", "disabled", "/disabled", Flag),
    ("clone", "failed", "/failed", Flag), ("clone", "failure_ignored", "/failure_ignored", Flag),
    ("clone", "target_role", "/target_role", Text),
    ("bundle", "id", "/id", Text), ("bundle", "type", "/type", Text), ("bundle", "image", "/image", Text),
    ("bundle", "unique", "/unique", Flag), ("bundle", "managed", "/managed", Flag), ("bundle", "failed", "/failed", Flag),
    ("replica", "id", "/id", Number),
    ("attribute", "name", "/name", Text), ("attribute", "value", "/value", Text), ("attribute", "expected", "/expected", Number),
    ("resource_history", "id", "/id", Text), ("resource_history", "orphan", "/orphan", Flag),
    ("resource_history", "migration-threshold", "/migration_threshold", Number),
    ("resource_history", "fail-count", "/fail_count", Number), ("resource_history", "last-failure", "/last_failure", Time),
    ("operation_history", "call", "/call", Number), ("operation_history", "task", "/task", Text),
    ("operation_history", "rc", "/rc", Number), ("operation_history", "rc_text", "/rc_text", Text),
    ("operation_history", "interval", "/interval_ms", Duration),
    ("operation_history", "last-rc-change", "/last_rc_change", Time),
    ("operation_history", "exec-time", "/exec_time_ms", Duration),
    ("operation_history", "queue-time", "/queue_time_ms", Duration),
    ("failure", "op_key", "/op_key", Text), ("failure", "id", "/id", Text), ("failure", "node", "/node", Text),
    ("failure", "exitstatus", "/exitstatus", Text), ("failure", "exitreason", "/exitreason", Reason),
    ("failure", "exitcode", "/exitcode", Number), ("failure", "call", "/call", Number),
    ("failure", "status", "/status", Text), ("failure", "last-rc-change", "/last_rc_change", Stamp),
    ("failure", "queued", "/queued_ms", Number), ("failure", "exec", "/exec_ms", Number),
];

/// The rest: one table would have more rows than the compiler likes on a line.
#[rustfmt::skip]
const MORE: [(&str, &str, &str, Form); 12] = [
    ("failure", "interval", "/interval_ms", Number), ("failure", "task", "/task", Text),
    ("ticket", "id", "/id", Text), ("ticket", "status", "/status", Text), ("ticket", "standby", "/standby", Flag),
    ("ticket", "last-granted", "/last_granted", Time),
    ("ban", "id", "/id", Text), ("ban", "resource", "/resource", Text), ("ban", "node", "/node", Text),
    ("ban", "weight", "/weight", Number), ("ban", "promoted-only", "/promoted_only", Flag),
    ("ban", "master_only", "/promoted_only", Flag),
];

/// Compares; returns how many attributes were looked for.
///
/// # Errors
/// The first that is missing or different, or that is not in the table above.
pub(crate) fn compare(xml: &Document, json: &Value) -> Result<usize, String> {
    element(xml.root(), json)
}

fn element(xml: Element<'_>, value: &Value) -> Result<usize, String> {
    let mut facts = 0;
    let at = |name: &str| format!("<{} {name}>", xml.name());
    for (name, text) in xml.attributes() {
        let known = FACTS.iter().chain(&MORE);
        let mut known = known.filter(|fact| (fact.0, fact.1) == (xml.name(), name));
        let &(_, _, pointer, form) = known
            .next()
            .ok_or_else(|| format!("{}: nobody said what this is in JSON", at(name)))?;
        let found = value.pointer(pointer);
        if !same(form, text, found) {
            return Err(format!("{}: {text:?} in XML, {found:?} in JSON", at(name)));
        }
        facts += 1;
    }
    let children: Vec<Element<'_>> = xml.children().collect();
    for (number, &child) in children.iter().enumerate() {
        if child.name() == "errors" {
            let texts: Vec<Value> = child.children().map(|e| Value::from(text(e))).collect();
            if value["errors"] != Value::from(texts) {
                return Err(format!("errors: {}", value["errors"]));
            }
            facts += 1;
            continue;
        }
        let (pointer, list) = place(xml.name(), child.name(), number);
        let stands = value.pointer(&pointer);
        let stands =
            stands.ok_or_else(|| format!("<{}>: no {pointer} in {value}", child.name()))?;
        if let Some(list) = list
            && value.pointer(list).and_then(Value::as_array).map(Vec::len) != Some(children.len())
        {
            return Err(format!(
                "<{}>: another number of things in {value}",
                xml.name()
            ));
        }
        let kinds = [
            ("resource", "primitive"),
            ("group", "group"),
            ("clone", "clone"),
            ("bundle", "bundle"),
        ];
        let kind = kinds.iter().find(|(element, _)| *element == child.name());
        if let (Some((_, kind)), Some(said)) = (kind, stands.get("kind"))
            && said != kind
        {
            return Err(format!("<{}> is a {said}", child.name()));
        }
        facts += element(child, stands)?;
    }
    Ok(facts)
}

/// Returns where a child of an element is in the value that stands for the element, and the list
/// that must have as many things as the element has children.
fn place(parent: &str, child: &str, number: usize) -> (String, Option<&'static str>) {
    let list = match (parent, child) {
        ("pacemaker-result", name) => return (format!("/{name}"), None),
        ("summary", _) => return (String::new(), None),
        ("nodes" | "resources" | "node_attributes" | "node_history", _) => "",
        ("failures" | "tickets" | "bans", _) => "",
        ("node", "resource" | "resource_history") => "/resources",
        ("node", "attribute") => "/attributes",
        ("resource", "node") => "/nodes",
        ("group" | "replica", _) => "/members",
        ("clone", _) => "/instances",
        ("bundle", _) => "/replicas",
        ("resource_history", _) => "/operations",
        _ => panic!("nobody said where a {child} in a {parent} is in JSON"),
    };
    (format!("{list}/{number}"), Some(list))
}

fn text(element: Element<'_>) -> String {
    element.text().into_owned()
}

fn same(form: Form, xml: &str, json: Option<&Value>) -> bool {
    let text = json.and_then(Value::as_str);
    let moment = |format: &str| {
        let moment = text?.parse::<Timestamp>().ok()?;
        let zone = TimeZone::get("Asia/Kolkata").ok()?;
        // The offset that is written is that of the zone.
        text?.ends_with("+05:30").then_some(())?;
        Some(moment.to_zoned(zone).strftime(format).to_string())
    };
    match form {
        Text => text == Some(xml),
        Written => text.unwrap_or_default() == xml && text != Some(""),
        Flag => json.and_then(Value::as_bool).map(|flag| flag.to_string()) == Some(xml.to_owned()),
        Number => json.is_some_and(|number| number.as_i64() == xml.parse().ok()),
        Duration => json.is_some_and(|number| format!("{number}ms") == xml),
        Time => moment("%a %b %e %H:%M:%S %Y").as_deref() == Some(xml),
        Stamp => moment("%Y-%m-%d %H:%M:%S %:z").as_deref() == Some(xml),
        Reason if xml == "none" => json.is_none() || text == Some(xml),
        Reason => text.is_some_and(|text| unescaped(xml) == text),
        Now => text.is_some_and(|text| !text.is_empty()),
        Elsewhere => true,
    }
}

fn unescaped(text: &str) -> String {
    let marks = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
    ];
    let marks = marks
        .iter()
        .fold(text.to_owned(), |text, (mark, c)| text.replace(mark, c));
    marks.replace("&amp;", "&").replace("\\n", "\n")
}
