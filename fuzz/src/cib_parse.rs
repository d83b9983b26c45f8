//! Reading what a CIB says: every value of any document, as Pacemaker reads values.

use std::cmp::Ordering;
use std::hint::black_box;

use ha_core::model::operation::{OperationKey, TransitionKey};
use ha_core::model::scalar::{self, HealthScores, INFINITY};
use ha_core::model::{Cib, Operation, time};
use ha_core::xml::Document;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Reads bytes as a CIB, and each attribute as whatever it could be.
pub fn check(data: &[u8]) {
    let Ok(document) = Document::parse_bytes(data) else {
        return;
    };
    let cib = Cib::new(&document);
    for element in cib.resources() {
        let resolved = cib.resolve(element);
        assert_eq!(
            resolved,
            cib.resolve(resolved),
            "a reference leads to its end"
        );
    }
    let lists = [
        cib.nodes().count(),
        cib.constraints().count(),
        cib.tags().count(),
        cib.node_states().count(),
        cib.ticket_states().count(),
    ];
    let all = document.root().descendants().count();
    assert!(lists.iter().all(|&count| count <= all));
    let mut before = "";
    for element in document.root().descendants() {
        if element.name() == "lrm_rsc_op" {
            let operation = Operation::new(element);
            assert_eq!(operation.age_order(&operation, true), Ordering::Equal);
        }
        for (_, value) in element.attributes() {
            read(value);
            let order = scalar::name_order(before, value);
            assert_eq!(order, scalar::name_order(value, before).reverse());
            before = value;
        }
    }
}

fn read(value: &str) {
    let health = HealthScores {
        red: -INFINITY,
        yellow: 0,
        green: 0,
    };
    let score = scalar::score(value, health);
    assert!(
        (-INFINITY..=INFINITY).contains(&score),
        "{value:?}: {score}"
    );
    for other in [score, INFINITY, -INFINITY, 1] {
        let sum = scalar::add_scores(score, other);
        assert!((-INFINITY..=INFINITY).contains(&sum), "{value:?}: {sum}");
        assert_eq!(sum, scalar::add_scores(other, score));
    }
    if let Some(key) = OperationKey::parse(value) {
        assert!(value.starts_with(key.resource), "{key:?}");
        assert!(value.contains(key.task), "{key:?}");
    }
    let numbers = (scalar::integer(value), scalar::integer32(value));
    if let (Some(long), Some(short)) = numbers {
        assert!(
            long == i64::from(short) || i32::try_from(long).is_err(),
            "{value:?}"
        );
    }
    black_box((TransitionKey::parse(value), scalar::boolean(value)));
    black_box((scalar::interval_ms(value), time::duration_seconds(value)));
    let when = time::from_epoch(time::epoch(value).unwrap_or(0));
    for when in [when, Timestamp::MIN, Timestamp::MAX] {
        assert!(!time::ctime(when, &TimeZone::UTC).is_empty());
        assert!(!time::timestamp(when, &TimeZone::UTC).is_empty());
        black_box(time::date(value, when, &TimeZone::UTC));
    }
}
