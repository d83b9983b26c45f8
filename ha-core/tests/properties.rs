//! What holds for any input: orders, times, keys and blocks of attributes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod cases;

use std::cmp::Ordering;
use std::fmt::Write as _;

use cases::cases;
use ha_core::config::Interval;
use ha_core::model::operation::{OperationKey, TransitionKey};
use ha_core::model::scalar::{INFINITY, interval_ms, milliseconds, name_order};
use ha_core::model::{Operation, time};
use ha_core::status::{self, ClusterStatus};
use ha_core::xml::Document;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

/// 2023-11-14, when these clusters are looked at.
const NOW: i64 = 1_700_000_000;

fn status_of(text: &str) -> ClusterStatus {
    let cib = Document::parse(text).unwrap();
    let now = Timestamp::from_second(NOW).unwrap();
    status::compute(&cib, now, &TimeZone::UTC)
}

fn shuffled<T: Clone>(items: &[T], order: &[Index]) -> Vec<T> {
    let mut left = items.to_vec();
    let mut taken = Vec::new();
    for index in order.iter().cycle() {
        if left.is_empty() {
            break;
        }
        taken.push(left.swap_remove(index.index(left.len())));
    }
    taken
}

/// Checks that a comparison is a total order of these items, up to what it takes for equal.
fn is_order<T: std::fmt::Debug>(items: &[T], compare: impl Fn(&T, &T) -> Ordering) {
    for a in items {
        assert_eq!(compare(a, a), Ordering::Equal, "{a:?} and itself");
        for b in items {
            let order = compare(a, b);
            assert_eq!(order, compare(b, a).reverse(), "{a:?} and {b:?}");
            for c in items {
                if order == compare(b, c) {
                    assert_eq!(order, compare(a, c), "{a:?}, {b:?} and {c:?}");
                }
                if order.is_eq() {
                    assert_eq!(compare(a, c), compare(b, c), "{a:?}, {b:?} and {c:?}");
                }
            }
        }
    }
}

/// An entry of a history; pending when it has no call id.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    call: Option<i32>,
    task: &'static str,
    rc: i32,
    transition: i32,
    controller: &'static str,
}

impl Entry {
    fn xml(&self) -> String {
        let Self { name, task, rc, .. } = self;
        let (call, status) = self.call.map_or((-1, -1), |call| (call, 0));
        let rc = if status == 0 { *rc } else { 193 };
        let interval = if *task == "monitor" { 10_000 } else { 0 };
        let target = if *task == "monitor" { 0 } else { rc };
        let key = format!("7:{}:{target}:{}", self.transition, self.controller);
        format!(
            r#"<lrm_rsc_op id="{name}" operation_key="r_{task}_{interval}" operation="{task}"
                interval="{interval}" call-id="{call}" rc-code="{rc}" op-status="{status}"
                transition-key="{key}" transition-magic="{status}:{rc};{key}"/>"#
        )
    }
}

const HERE: &str = "11111111-2222-3333-4444-555555555555";
const ELSEWHERE: &str = "99999999-2222-3333-4444-555555555555";

/// A history as a node writes it, oldest first: call ids and transitions rise, and at most one entry
/// is pending: newer than what its transition and those before it did, or than all when another
/// controller asked for it.
fn history() -> impl Strategy<Value = Vec<Entry>> {
    let what = select(vec![
        ("start", 0),
        ("stop", 0),
        ("monitor", 0),
        ("monitor", 7),
        ("monitor", 1),
        ("start", 1),
    ]);
    let finished = vec((1..4i32, 0..2i32, what), 1..9);
    let pending = prop::option::of((any::<Index>(), select(vec![HERE, ELSEWHERE])));
    (finished, pending).prop_map(|(steps, pending)| {
        let (mut call, mut transition) = (0, 0);
        let mut entries: Vec<Entry> = Vec::new();
        for (step, later, (task, rc)) in steps {
            call += step;
            transition += later;
            let name = format!("e{}", entries.len());
            let controller = HERE;
            let call = Some(call);
            entries.push(Entry {
                name,
                call,
                task,
                rc,
                transition,
                controller,
            });
        }
        if let Some((after, controller)) = pending {
            let transition = entries[after.index(entries.len())].transition;
            let here = controller == HERE;
            let place = entries.partition_point(|e| !here || e.transition <= transition);
            let name = "pending".into();
            entries.insert(
                place,
                Entry {
                    name,
                    call: None,
                    task: "stop",
                    rc: 0,
                    transition,
                    controller,
                },
            );
        }
        entries
    })
}

fn cluster_with_history(entries: &[Entry]) -> String {
    let operations: String = entries.iter().map(Entry::xml).collect();
    format!(
        r#"<cib have-quorum="1" dc-uuid="1"><configuration><crm_config>
          <cluster_property_set id="c"><nvpair id="f" name="stonith-enabled" value="false"/></cluster_property_set>
        </crm_config><nodes><node id="1" uname="n1"/></nodes>
        <resources><primitive id="r" class="ocf" provider="heartbeat" type="Dummy"/></resources><constraints/>
        </configuration><status><node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member">
          <lrm id="1"><lrm_resources><lrm_resource id="r" class="ocf" provider="heartbeat" type="Dummy">
          {operations}</lrm_resource></lrm_resources></lrm></node_state></status></cib>"#
    )
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn histories_have_one_order(entries in history()) {
        let text: String = entries.iter().map(Entry::xml).collect();
        let document = Document::parse(&format!("<x>{text}</x>")).unwrap();
        let operations: Vec<_> = document.root().children().map(Operation::new).collect();
        for (at, a) in operations.iter().enumerate() {
            for (place, b) in operations.iter().enumerate() {
                prop_assert_eq!(a.age_order(b, true), at.cmp(&place), "{:?} and {:?}", a.id, b.id);
            }
        }
    }

    #[test]
    fn any_two_entries_are_of_opposite_ages(
        entries in vec(("[ab]", -1..3i32, prop::option::of(0..3i64), -1..3i32, any::<bool>()), 2..6),
        same_node in any::<bool>(),
    ) {
        let mut text = String::new();
        for (id, call, changed, transition, here) in entries {
            let changed = changed.map_or(String::new(), |at| format!(" last-rc-change='{at}'"));
            let controller = if here { HERE } else { ELSEWHERE };
            write!(
                text,
                "<lrm_rsc_op id='{id}' call-id='{call}'{changed} transition-magic='0:0;1:{transition}:0:{controller}'/>"
            ).unwrap();
        }
        let document = Document::parse(&format!("<x>{text}</x>")).unwrap();
        let operations: Vec<_> = document.root().children().map(Operation::new).collect();
        for a in &operations {
            prop_assert_eq!(a.age_order(a, same_node), Ordering::Equal);
            for b in &operations {
                prop_assert_eq!(a.age_order(b, same_node), b.age_order(a, same_node).reverse());
            }
        }
    }

    #[test]
    fn the_status_does_not_depend_on_the_order_of_a_history(entries in history(), order in vec(any::<Index>(), 9)) {
        let written = status_of(&cluster_with_history(&entries));
        let mixed = status_of(&cluster_with_history(&shuffled(&entries, &order)));
        for status in [&written, &mixed] {
            let operations = &status.history[0].resources[0].operations;
            let shown: Vec<_> = operations.iter().map(|op| op.id.as_str()).collect();
            let expected: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
            prop_assert_eq!(shown, expected);
        }
        let facts = |status: &ClusterStatus| {
            let r = status.resource_named("r").unwrap();
            let failures: Vec<_> = status.failures.iter().map(|failure| failure.id.clone()).collect();
            (r.role, r.failed, r.running_on.clone(), r.pending_task.clone(), failures)
        };
        prop_assert_eq!(facts(&written), facts(&mixed));
    }

    #[test]
    fn names_have_one_order(names in vec("[aB0-9:_]{0,6}", 1..12)) {
        is_order(&names, |a, b| name_order(a, b));
        // Nothing but case is passed over.
        for a in &names {
            for b in &names {
                prop_assert_eq!(name_order(a, b).is_eq(), a.eq_ignore_ascii_case(b), "{} and {}", a, b);
            }
        }
    }

    #[test]
    fn numbers_in_names_count_as_numbers(a in 0..100_000u32, b in 0..100_000u32, front in "[a-z]{0,3}") {
        prop_assert_eq!(name_order(&format!("{front}{a}"), &format!("{front}{b}x")), a.cmp(&b).then(Ordering::Less));
    }

    #[test]
    fn nodes_come_in_the_order_of_their_names(
        names in subsequence(vec!["n1", "N2", "n10", "a", "b-2", "n02", "x.y", "n2a", "10", "9"], 1..10),
        order in vec(any::<Index>(), 10),
    ) {
        let listed = |names: &[&str]| -> Vec<String> {
            let nodes: String = names.iter().map(|name| format!("<node id='i{name}' uname='{name}'/>")).collect();
            let text = format!("<cib><configuration><nodes>{nodes}</nodes></configuration></cib>");
            status_of(&text).nodes().map(|node| node.name.clone()).collect()
        };
        let shown = listed(&names);
        prop_assert_eq!(shown.len(), names.len());
        prop_assert!(shown.windows(2).all(|pair| name_order(&pair[0], &pair[1]).is_lt()), "{:?}", shown);
        prop_assert_eq!(shown, listed(&shuffled(&names, &order)));
    }

    #[test]
    fn resources_come_by_priority_then_as_written(priorities in vec(prop::option::of(-2..3i32), 1..9)) {
        let mut resources = String::new();
        for (at, priority) in priorities.iter().enumerate() {
            let meta = priority.map_or(String::new(), |priority| format!(
                "<meta_attributes id='m{at}'><nvpair id='p{at}' name='priority' value='{priority}'/></meta_attributes>"
            ));
            write!(resources, "<primitive id='{at}' class='ocf' provider='p' type='t'>{meta}</primitive>").unwrap();
        }
        let status = status_of(&format!("<cib><configuration><resources>{resources}</resources></configuration></cib>"));
        let shown = status.top_level().map(|index| status.resource(index).id.parse::<usize>().unwrap());
        let shown: Vec<_> = shown.map(|at| (-priorities[at].unwrap_or(0), at)).collect();
        prop_assert_eq!(shown.len(), priorities.len());
        prop_assert!(shown.is_sorted(), "{:?}", shown);
    }
}

#[test]
fn intervals_are_read_as_pacemaker_reads_them() {
    // Measured: the interval of the recurring monitor in crm_simulate's graph, 2.1.5. It makes none
    // of 0, be it meant or an error.
    for (text, expected) in [
        ("10", 10_000),
        ("10S", 10_000),
        ("10sec", 10_000),
        ("10 s", 10_000),
        (" 10s", 10_000),
        ("10s ", 10_000),
        ("10sx", 10_000),
        ("10mS", 10),
        ("10msec", 10),
        ("5999us", 5),
        ("999us", 0),
        ("2M", 120_000),
        ("2min", 120_000),
        ("10mx", 600_000),
        ("5 m s", 300_000),
        ("1 hr", 3_600_000),
        ("1h1m", 3_600_000),
        ("1d", 0),
        ("1.9", 1000),
        (".5s", 0),
        ("1.2.3m", 60_000),
        ("5.", 5000),
        (".", 0),
        ("PT1M", 60_000),
        ("P1D", 0),
        ("P2D", 86_400_000),
        ("P1W", 518_400_000),
        ("P1W1D", 604_800_000),
        ("P3W", 1_728_000_000),
        ("P1M", 2_592_000_000),
        ("P1M1D", 2_592_000_000),
        ("P1M2D", 2_678_400_000),
        ("P1M1Y", 2_592_000_000),
        ("P1Y", 0),
        ("P1Y1D", 0),
        ("P1Y2D", 86_400_000),
        ("P2Y", 4_294_967_295),
        ("P1DT1S", 1000),
        ("P1WT1S", 518_401_000),
        ("P2Y3M1W4DT5H6M7S", 4_294_967_295),
        ("PT10H5M1S", 36_301_000),
        ("P1H", 3_600_000),
        ("P1S", 1000),
        ("P5H6D", 450_000_000),
        ("PT1D", 0),
        ("P1DT2H/x", 7_200_000),
        ("PT1M junk", 60_000),
        ("P1W/P1D", 518_400_000),
        ("PT5M10M", 900_000),
        ("PT5MT5S", 305_000),
        ("PTT5S", 5000),
        ("PT10S-5S", 5000),
        ("PT10S-5M", 0),
        ("P-1WT5S", 5000),
        ("PT+5S", 5000),
        ("PT00000000000000000005S", 5000),
        ("PT4294967S", 4_294_967_000),
        ("PT4294968S", 4_294_967_295),
        ("PT2147483647S", 4_294_967_295),
        ("PT2147483648S", 0),
        ("4294967295ms", 4_294_967_295),
        ("4294967296ms", 4_294_967_295),
        ("99999999999999999999s", 4_294_967_295),
        ("PT1M30", 0),
        ("PT1M-", 0),
        ("PT1.5S", 0),
        ("PT5 S", 0),
        ("PT1m", 0),
        ("pt1m", 0),
        (" PT1M", 0),
        ("+P1D", 0),
        ("P1", 0),
        ("P", 0),
        ("P/", 0),
        ("PT", 0),
        ("P1X", 0),
        ("-10", 0),
        ("+10s", 0),
        ("10x", 0),
        ("10ux", 0),
        ("10 parsecs", 0),
        ("10\u{b5}s", 0),
        ("junk", 0),
    ] {
        assert_eq!(interval_ms(text).unwrap_or(0), expected, "{text:?}");
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn durations_are_sums_of_their_units(parts in prop::array::uniform7(prop::option::of(0..50i64))) {
        let mut text = String::from("P");
        let mut expected = 0;
        let units = [("Y", 31_536_000), ("M", 2_592_000), ("W", 604_800), ("D", 86_400), ("H", 3600), ("M", 60), ("S", 1)];
        for (at, ((unit, seconds), number)) in units.into_iter().zip(parts).enumerate() {
            if at == 4 && parts[4..].iter().any(Option::is_some) {
                text.push('T');
            }
            if let Some(number) = number {
                write!(text, "{number}{unit}").unwrap();
                expected += number * seconds;
            }
        }
        let said = (text != "P").then_some(expected);
        prop_assert_eq!(time::duration_seconds(&text), said, "{}", text);
        // As an interval, days and years are one short.
        let [years, _, weeks, days, ..] = parts.map(|part| part.unwrap_or(0));
        let short = 86_400 * i64::from(weeks + days > 0) + 31_536_000 * i64::from(years > 0);
        let read = said.map(|_| u64::try_from((expected - short) * 1000).unwrap().min(u64::from(u32::MAX)));
        prop_assert_eq!(interval_ms(&text), read, "{}", text);
    }

    #[test]
    fn intervals_are_read_as_they_were_printed(ms in prop_oneof![0..200_000u64, 0..=u64::from(u32::MAX)]) {
        let printed = Interval::from(std::time::Duration::from_millis(ms)).to_string();
        prop_assert_eq!(interval_ms(&printed), Some(ms), "{}", printed);
        prop_assert_eq!(interval_ms(&format!("{ms}ms")), Some(ms));
        prop_assert_eq!(milliseconds(&format!("{ms}min")), Some(ms * 60_000));
    }

    #[test]
    fn times_are_read_as_they_were_printed(seconds in -60_000_000_000..250_000_000_000i64, minutes in -14 * 60..14 * 60i32) {
        let zone = TimeZone::fixed(Offset::from_seconds(minutes * 60).unwrap());
        let when = Timestamp::from_second(seconds).unwrap();
        let printed = time::timestamp(when, &zone);
        let elsewhere = TimeZone::fixed(Offset::constant(5));
        prop_assert_eq!(time::date(&printed, Timestamp::UNIX_EPOCH, &elsewhere), Some(when), "{}", printed);
        let printed = time::ctime(when, &zone);
        let read = jiff::civil::DateTime::strptime("%a %b %e %H:%M:%S %Y", &printed);
        prop_assert_eq!(zone.to_timestamp(read.unwrap()).unwrap(), when, "{}", printed);
        prop_assert_eq!(printed.find(':'), Some(13), "{}", printed);
    }

    #[test]
    fn operation_keys_are_read_as_they_were_written(
        resource in "[A-Za-z_][A-Za-z0-9_.:-]{0,12}",
        task in select(vec![
            "start", "stop", "monitor", "promote", "demote", "notify", "migrate_to", "migrate_from", "meta-data",
            "pre_notify_start", "post_notify_stop", "pre_notify_promote",
        ]),
        interval_ms in any::<u32>(),
    ) {
        prop_assume!(!resource.ends_with("_pre_notify") && !resource.ends_with("_post_notify"));
        let interval_ms = u64::from(interval_ms);
        let key = format!("{resource}_{task}_{interval_ms}");
        prop_assert_eq!(OperationKey::parse(&key), Some(OperationKey { resource: &resource, task, interval_ms }));
    }

    #[test]
    fn transition_keys_are_read_as_they_were_written(
        action in any::<i32>(),
        transition in any::<i32>(),
        target_rc in any::<i32>(),
        uuid in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}|[a-z:]{1,8}",
    ) {
        let key = format!("{action}:{transition}:{target_rc}:{uuid}");
        prop_assert_eq!(TransitionKey::parse(&key), Some(TransitionKey { transition, target_rc, uuid: &uuid }));
        // Each part is needed.
        for cut in [format!("{action}:{transition}:{target_rc}:"), format!("{action}:{transition}:{uuid}"), format!("{transition}")] {
            prop_assert_eq!(TransitionKey::parse(&cut), None, "{}", cut);
        }
    }

    #[test]
    fn nonsense_is_read_as_something_or_nothing(text in "\\PC{0,20}", near in "[PT0-9YMWDHS_:;.+ -]{0,14}") {
        for text in [text.as_str(), near.as_str()] {
            if let Some(key) = OperationKey::parse(text) {
                prop_assert!(text.starts_with(&format!("{}_{}_", key.resource, key.task)), "{}", text);
            }
            if let Some(key) = TransitionKey::parse(text) {
                prop_assert!(text.ends_with(key.uuid));
            }
            prop_assert!(interval_ms(text).is_none_or(|ms| ms <= u64::from(u32::MAX)));
            let now = Timestamp::UNIX_EPOCH;
            let _ = (time::duration_seconds(text), time::date(text, now, &TimeZone::UTC), milliseconds(text));
        }
    }
}

/// A block of meta attributes.
#[derive(Debug, Clone)]
struct Block {
    score: Option<i32>,
    threshold: Option<u8>,
    rule: Option<bool>,
    /// The block stands elsewhere, and is referred to.
    referred: bool,
    /// The pair stands elsewhere, and is referred to.
    pair_referred: bool,
}

fn block() -> impl Strategy<Value = Block> {
    let score = prop::option::of(select(vec![-1, 0, 1, 5]));
    let fields = (
        score,
        prop::option::of(1..200u8),
        prop::option::of(any::<bool>()),
        any::<bool>(),
        any::<bool>(),
    );
    fields.prop_map(|(score, threshold, rule, referred, pair_referred)| Block {
        score,
        threshold,
        rule,
        referred,
        pair_referred,
    })
}

impl Block {
    /// Writes the block as number `at`: what stands in the resource, and what stands elsewhere.
    fn write(&self, at: usize, here: &mut String, elsewhere: &mut String) {
        let score = self
            .score
            .map_or(String::new(), |score| format!(" score='{score}'"));
        let rule = self.rule.map_or(String::new(), |passes| {
            let operation = if passes { "gt" } else { "lt" };
            let side = if passes { "start" } else { "end" };
            format!(
                "<rule id='r{at}' score='0'><date_expression id='d{at}' operation='{operation}' {side}='2000-01-01'/></rule>"
            )
        });
        let mut pair = self.threshold.map_or(String::new(), |value| {
            format!("<nvpair id='p{at}' name='migration-threshold' value='{value}'/>")
        });
        if self.pair_referred && self.threshold.is_some() {
            write!(
                elsewhere,
                "<meta_attributes id='e{at}'>{pair}</meta_attributes>"
            )
            .unwrap();
            pair = format!("<nvpair id-ref='p{at}'/>");
        }
        let block = format!("<meta_attributes id='b{at}'{score}>{rule}{pair}</meta_attributes>");
        if self.referred {
            elsewhere.push_str(&block);
            write!(here, "<meta_attributes id-ref='b{at}'/>").unwrap();
        } else {
            here.push_str(&block);
        }
    }
}

/// The threshold of a resource with these blocks, in this order.
fn threshold(blocks: &[Block]) -> i32 {
    let (mut here, mut elsewhere) = (String::new(), String::new());
    for (at, block) in blocks.iter().enumerate() {
        block.write(at, &mut here, &mut elsewhere);
    }
    let agent = "class='ocf' provider='p' type='t'";
    let status = status_of(&format!(
        "<cib><configuration><resources><primitive id='store' {agent}>{elsewhere}</primitive>
         <primitive id='r' {agent}>{here}</primitive></resources></configuration></cib>"
    ));
    status.resource_named("r").unwrap().migration_threshold
}

/// The highest score wins; of equal ones the last.
fn expected_threshold(blocks: &[Block]) -> i32 {
    let applying = blocks
        .iter()
        .filter(|block| block.rule != Some(false) && block.threshold.is_some());
    let winner = applying.max_by_key(|block| block.score.unwrap_or(0));
    winner.map_or(INFINITY, |block| i32::from(block.threshold.unwrap()))
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_block_of_the_highest_score_wins(blocks in vec(block(), 0..6)) {
        prop_assert_eq!(threshold(&blocks), expected_threshold(&blocks));
    }

    #[test]
    fn unrelated_blocks_change_nothing(blocks in vec(block(), 0..5), other in block(), at in any::<Index>(), fails in any::<bool>()) {
        let before = threshold(&blocks);
        // One without the attribute, or one whose rule does not hold.
        let other = if fails { Block { rule: Some(false), ..other } } else { Block { threshold: None, ..other } };
        let mut more = blocks;
        more.insert(at.index(more.len() + 1), other);
        prop_assert_eq!(threshold(&more), before);
    }

    #[test]
    fn blocks_of_different_scores_may_stand_in_any_order(
        mut blocks in vec(block(), 1..6),
        scores in subsequence(vec![-9, -3, 0, 2, 4, 8], 6),
        order in vec(any::<Index>(), 6),
    ) {
        for (block, score) in blocks.iter_mut().zip(scores) {
            block.score = Some(score);
        }
        prop_assert_eq!(threshold(&shuffled(&blocks, &order)), threshold(&blocks));
    }

    #[test]
    fn a_reference_is_like_the_thing_itself(blocks in vec(block(), 1..6)) {
        let written_out = blocks.iter().map(|block| Block { referred: false, pair_referred: false, ..*block });
        prop_assert_eq!(threshold(&blocks), threshold(&written_out.collect::<Vec<_>>()));
    }

    #[test]
    fn the_bootstrap_options_come_first(
        sets in vec((prop::option::of(-5..6i32), 1..100i64), 1..5),
        bootstrap in prop::option::of(any::<Index>()),
    ) {
        let bootstrap = bootstrap.map(|at| at.index(sets.len()));
        let mut text = String::new();
        for (at, (score, limit)) in sets.iter().enumerate() {
            let id = if bootstrap == Some(at) { "cib-bootstrap-options".into() } else { format!("s{at}") };
            let score = score.map_or(String::new(), |score| format!(" score='{score}'"));
            write!(
                text,
                "<cluster_property_set id='{id}'{score}><nvpair id='l{at}' name='shutdown-lock-limit' value='{limit}min'/></cluster_property_set>"
            ).unwrap();
        }
        let status = status_of(&format!("<cib><configuration><crm_config>{text}</crm_config></configuration></cib>"));
        let by_score = || (0..sets.len()).max_by_key(|&at| sets[at].0.unwrap_or(0)).unwrap();
        let winner = bootstrap.unwrap_or_else(by_score);
        prop_assert_eq!(status.options.shutdown_lock_limit_s, sets[winner].1 * 60);
    }
}
