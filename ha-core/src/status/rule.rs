//! Rules: when a block of attributes or a constraint applies.

use std::cell::Cell;
use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::scalar::{self, HealthScores};
use crate::model::{Cib, time};
use crate::xml::Element;

use super::table::{Map, Table, Values};
use super::types::Role;

/// How deep rules may nest; deeper ones are false.
const DEPTH: u32 = 64;

/// The resource that a rule is evaluated for.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuleResource<'a> {
    pub(super) class: Option<&'a str>,
    pub(super) provider: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
}

/// The time and the zone of a computation.
#[derive(Debug)]
pub(super) struct Clock<'z> {
    now: Timestamp,
    zone: &'z TimeZone,
    /// A rule has looked at it.
    pub(super) was_read: Cell<bool>,
}

impl<'z> Clock<'z> {
    pub(super) fn new(now: Timestamp, zone: &'z TimeZone) -> Self {
        Self {
            now,
            zone,
            was_read: Cell::new(false),
        }
    }

    /// Returns the time in seconds since the epoch.
    pub(super) fn seconds(&self) -> i64 {
        self.now.as_second()
    }
}

/// What a rule can see. What is absent makes the expressions that need it false.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuleInput<'a, 'd> {
    clock: &'a Clock<'a>,
    pub(super) health: HealthScores,
    pub(super) node: Option<&'a Map<&'d str, &'d str>>,
    pub(super) resource: Option<RuleResource<'a>>,
    pub(super) operation: Option<(&'a str, u64)>,
    pub(super) role: Role,
    pub(super) parameters: Option<&'a Table<'d>>,
    pub(super) meta: Option<&'a Table<'d>>,
}

impl<'a, 'd> RuleInput<'a, 'd> {
    /// Makes an input that sees the time only.
    pub(super) fn new(clock: &'a Clock<'a>, health: HealthScores) -> Self {
        Self {
            clock,
            health,
            node: None,
            resource: None,
            operation: None,
            role: Role::Unknown,
            parameters: None,
            meta: None,
        }
    }
}

/// Tells whether an element applies: it has no rule, or one of its rules is true.
pub(super) fn passes<'d>(cib: &Cib<'d>, element: Element<'d>, input: &RuleInput<'_, 'd>) -> bool {
    let mut rules = element.children_named("rule").peekable();
    rules.peek().is_none() || rules.any(|rule| evaluate(cib, rule, input))
}

/// Tells whether a rule may look at the parameters or meta-attributes of a resource.
pub(super) fn looks_at_resource<'d>(cib: &Cib<'d>, rule: Element<'d>) -> bool {
    // What one refers to may do so too.
    let may = |e: Element<'d>| {
        e.attribute("value-source").is_some()
            || (e.name() == "rule" && e.attribute("id-ref").is_some())
    };
    cib.resolve(rule).descendants().any(may)
}

/// Evaluates one rule.
pub(super) fn evaluate<'d>(cib: &Cib<'d>, rule: Element<'d>, input: &RuleInput<'_, 'd>) -> bool {
    evaluate_nested(cib, rule, input, DEPTH)
}

fn evaluate_nested<'d>(
    cib: &Cib<'d>,
    rule: Element<'d>,
    input: &RuleInput<'_, 'd>,
    depth: u32,
) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let rule = cib.resolve(rule);
    let any = rule
        .attribute("boolean-op")
        .is_some_and(|op| op.eq_ignore_ascii_case("or"));
    let mut expressions = rule.children().filter(|e| {
        matches!(
            e.name(),
            "rule" | "expression" | "date_expression" | "rsc_expression" | "op_expression"
        )
    });
    let holds = |expression: Element<'d>| match expression.name() {
        "rule" => evaluate_nested(cib, expression, input, depth),
        "date_expression" => date_expression(expression, input),
        "rsc_expression" => resource_expression(expression, input),
        "op_expression" => operation_expression(expression, input),
        _ => attribute_expression(expression, input),
    };
    if any {
        expressions.any(holds)
    } else {
        expressions.all(holds)
    }
}

fn resource_expression(expression: Element<'_>, input: &RuleInput<'_, '_>) -> bool {
    let Some(resource) = input.resource else {
        return false;
    };
    let same = |wanted: Option<&str>, actual: Option<&str>| match (wanted, actual) {
        (Some(wanted), Some(actual)) => wanted == actual,
        (None, None) => true,
        _ => false,
    };
    let (class, kind) = (expression.attribute("class"), expression.attribute("type"));
    (class.is_none() || same(class, resource.class))
        && same(expression.attribute("provider"), resource.provider)
        && (kind.is_none() || same(kind, resource.kind))
}

fn operation_expression(expression: Element<'_>, input: &RuleInput<'_, '_>) -> bool {
    let Some((name, interval)) = input.operation else {
        return false;
    };
    if expression.attribute("name") != Some(name) {
        return false;
    }
    expression
        .attribute("interval")
        .is_none_or(|text| scalar::interval_ms(text) == Some(interval))
}

fn attribute_expression<'d>(expression: Element<'d>, input: &RuleInput<'_, 'd>) -> bool {
    let (Some(attribute), Some(operator)) = (
        expression.attribute("attribute"),
        expression.attribute("operation"),
    ) else {
        return false;
    };
    let given = expression.attribute("value");
    if attribute == "#role" {
        return role_expression(operator, given, input.role);
    }
    let Some(node) = input.node else { return false };
    let value = match expression.attribute("value-source") {
        Some("param") => given.and_then(|name| input.parameters?.value(name)),
        Some("meta") => given.and_then(|name| input.meta?.value(name)),
        _ => given,
    };
    compare(
        node.value(attribute),
        operator,
        value,
        expression.attribute("type"),
    )
}

fn role_expression(operator: &str, value: Option<&str>, role: Role) -> bool {
    if role == Role::Unknown {
        return false;
    }
    let wanted = value.and_then(Role::parse);
    match operator {
        "defined" => role > Role::Started,
        "not_defined" => role > Role::Unknown && role < Role::Unpromoted,
        "eq" => wanted == Some(role),
        // A role that cannot have instances is not compared.
        "ne" => role > Role::Started && wanted != Some(role),
        _ => false,
    }
}

fn compare(left: Option<&str>, operator: &str, right: Option<&str>, kind: Option<&str>) -> bool {
    let is = |word: &str| operator.eq_ignore_ascii_case(word);
    if is("defined") {
        return left.is_some();
    }
    if is("not_defined") {
        return left.is_none();
    }
    let ordered = is("lt") || is("lte") || is("gt") || is("gte");
    let order = match (left, right) {
        (Some(left), Some(right)) => typed_order(left, right, kind, ordered),
        (None, None) => Ordering::Equal,
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
    };
    if is("eq") {
        return order.is_eq();
    }
    if is("ne") {
        return order.is_ne();
    }
    if left.is_none() || right.is_none() {
        return false;
    }
    if is("lt") {
        order.is_lt()
    } else if is("lte") {
        order.is_le()
    } else if is("gt") {
        order.is_gt()
    } else {
        is("gte") && order.is_ge()
    }
}

fn typed_order(left: &str, right: &str, kind: Option<&str>, ordered: bool) -> Ordering {
    let text = || left.to_ascii_lowercase().cmp(&right.to_ascii_lowercase());
    let kind = kind.unwrap_or(if !ordered {
        "string"
    } else if left.contains('.') || right.contains('.') {
        "number"
    } else {
        "integer"
    });
    match kind {
        "integer" => match (scalar::integer(left), scalar::integer(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => text(),
        },
        "number" => match (left.trim().parse::<f64>(), right.trim().parse::<f64>()) {
            (Ok(left), Ok(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
            _ => text(),
        },
        "version" => version_order(left, right),
        _ => text(),
    }
}

/// Compares versions by their dotted parts; a missing part counts as 0.
pub(super) fn version_order(left: &str, right: &str) -> Ordering {
    let part = |text: Option<&str>| text.and_then(scalar::integer).unwrap_or(0);
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let (a, b) = (left.next(), right.next());
        if a.is_none() && b.is_none() {
            return Ordering::Equal;
        }
        let order = part(a).cmp(&part(b));
        if order.is_ne() {
            return order;
        }
    }
}

fn date_expression(expression: Element<'_>, input: &RuleInput<'_, '_>) -> bool {
    let Clock { now, zone, .. } = *input.clock;
    input.clock.was_read.set(true);
    let read = |name| {
        expression
            .attribute(name)
            .and_then(|text| time::date(text, now, zone))
    };
    let start = read("start");
    let end = read("end").or_else(|| {
        let duration = expression.child("duration")?;
        add_duration(start?, duration)
    });
    match expression.attribute("operation").unwrap_or("in_range") {
        "in_range" => {
            (start.is_some() || end.is_some())
                && start.is_none_or(|start| now >= start)
                && end.is_none_or(|end| now <= end)
        }
        "date_spec" => expression
            .child("date_spec")
            .is_some_and(|spec| matches_spec(spec, zone.to_datetime(now))),
        "gt" => start.is_some_and(|start| now > start),
        "lt" => end.is_some_and(|end| now < end),
        _ => false,
    }
}

fn add_duration(start: Timestamp, duration: Element<'_>) -> Option<Timestamp> {
    let number = |name| {
        duration
            .attribute(name)
            .and_then(scalar::integer)
            .unwrap_or(0)
    };
    let utc = jiff::tz::Offset::UTC;
    let span = jiff::Span::new()
        .try_years(number("years"))
        .and_then(|s| s.try_months(number("months")))
        .and_then(|s| s.try_weeks(number("weeks")))
        .and_then(|s| s.try_days(number("days")))
        .and_then(|s| s.try_hours(number("hours")))
        .and_then(|s| s.try_minutes(number("minutes")))
        .and_then(|s| s.try_seconds(number("seconds")))
        .ok()?;
    utc.to_datetime(start)
        .checked_add(span)
        .ok()
        .and_then(|end| utc.to_timestamp(end).ok())
}

fn matches_spec(spec: Element<'_>, local: DateTime) -> bool {
    let week = local.date().iso_week_date();
    let fields: [(&str, i64); 11] = [
        ("hours", i64::from(local.hour())),
        ("minutes", i64::from(local.minute())),
        ("seconds", i64::from(local.second())),
        ("monthdays", i64::from(local.day())),
        ("months", i64::from(local.month())),
        ("years", i64::from(local.year())),
        ("yeardays", i64::from(local.day_of_year())),
        (
            "weekdays",
            i64::from(local.weekday().to_monday_one_offset()),
        ),
        ("weeks", i64::from(week.week())),
        ("weekyears", i64::from(week.year())),
        ("moon", moon_phase(local)),
    ];
    fields.iter().all(|(name, value)| {
        spec.attribute(name)
            .is_none_or(|range| in_range(range, *value))
    })
}

/// Reads `a-b`, `a-`, `-b` or `a`.
fn in_range(range: &str, value: i64) -> bool {
    match range.split_once('-') {
        None => scalar::integer(range) == Some(value),
        Some((low, high)) => {
            let above = low.is_empty() || scalar::integer(low).is_some_and(|low| value >= low);
            let below = high.is_empty() || scalar::integer(high).is_some_and(|high| value <= high);
            above && below
        }
    }
}

/// Returns the phase of the moon: 0 for new, 4 for full, 7 for the last crescent.
fn moon_phase(local: DateTime) -> i64 {
    let days = i64::from(local.day_of_year());
    let golden = i64::from(local.year()) % 19 + 1;
    let mut epact = (11 * golden + 18) % 30;
    if (epact == 25 && golden > 11) || epact == 24 {
        epact += 1;
    }
    (((((days + epact) * 6) + 11) % 177) / 22) & 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Document;

    fn eval(xml: &str, node: Option<&Map<&str, &str>>) -> bool {
        let document =
            Document::parse(&format!("<cib><configuration>{xml}</configuration></cib>")).unwrap();
        let cib = Cib::new(&document);
        let rule = document
            .root()
            .descendants()
            .find(|e| e.name() == "rule")
            .unwrap();
        let now = "2022-12-01T12:00:00Z".parse().unwrap();
        let owned: Map<&str, &str> = node.cloned().unwrap_or_default();
        let zone = TimeZone::UTC;
        let clock = Clock::new(now, &zone);
        let mut input = RuleInput::new(&clock, HealthScores::default());
        // The table only lives as long as the document in this test.
        let table: Map<&str, &str> = owned;
        if node.is_some() {
            input.node = Some(&table);
        }
        evaluate(&cib, rule, &input)
    }

    #[test]
    fn an_empty_rule_is_true_for_and_false_for_or() {
        assert!(eval(r#"<rule id="r"/>"#, None));
        assert!(!eval(r#"<rule id="r" boolean-op="or"/>"#, None));
    }

    #[test]
    fn node_expressions_need_a_node() {
        let rule = r#"<rule><expression attribute="pingd" operation="lt" value="100"/></rule>"#;
        assert!(!eval(rule, None));
        assert!(eval(rule, Some(&Map::from_iter([("pingd", "20")]))));
        assert!(!eval(rule, Some(&Map::from_iter([("pingd", "200")]))));
        assert!(
            !eval(rule, Some(&Map::default())),
            "an absent value is not below anything"
        );
    }

    #[test]
    fn ordered_comparisons_are_numeric_and_equality_is_textual() {
        let node = Map::from_iter([("a", "0100")]);
        assert!(!eval(
            r#"<rule><expression attribute="a" operation="eq" value="100"/></rule>"#,
            Some(&node)
        ));
        assert!(eval(
            r#"<rule><expression attribute="a" operation="gte" value="100"/></rule>"#,
            Some(&node)
        ));
        assert!(eval(
            r#"<rule><expression attribute="b" operation="ne" value="100"/></rule>"#,
            Some(&node)
        ));
    }

    #[test]
    fn dates() {
        assert!(eval(
            r#"<rule><date_expression operation="gt" start="2022-11-30"/></rule>"#,
            None
        ));
        assert!(!eval(
            r#"<rule><date_expression operation="lt" end="2022-11-30"/></rule>"#,
            None
        ));
        assert!(eval(
            r#"<rule><date_expression operation="in_range" start="2022-11-30"><duration days="2"/></date_expression></rule>"#,
            None
        ));
        assert!(eval(
            r#"<rule><date_expression operation="date_spec"><date_spec weekdays="1-5" hours="9-16"/></date_expression></rule>"#,
            None
        ));
        assert!(!eval(
            r#"<rule><date_expression operation="date_spec"><date_spec months="-11"/></date_expression></rule>"#,
            None
        ));
    }

    #[test]
    fn deep_nesting_is_false_and_does_not_overflow() {
        let xml = format!("{}{}", "<rule>".repeat(300), "</rule>".repeat(300));
        assert!(!eval(&xml, None));
    }
}
