//! What the schema says.

use super::{Check, Fault, Problem, Severity};
use crate::schema::Schema;
use crate::xml::Document;

pub(super) fn conformance(check: &mut Check<'_>, cib: &Document) {
    let unread = |e: crate::Error| Problem::SchemaUnread {
        reason: format!("{e:#}"),
    };
    if cib.root().attribute("validate-with").is_none() {
        // A part of a CIB, which does not say for which Pacemaker it is.
        return;
    }
    let faults = Schema::of(cib).and_then(|mut schema| schema.check(cib));
    match faults {
        Err(e) => check.found(cib.root(), unread(e)),
        Ok(faults) => {
            for fault in faults {
                // What was found already is told better; but it is an error now.
                let told = |found: &&mut Fault| {
                    let same = matches!(found.problem, Problem::WrongValue { .. });
                    (same || found.severity == Severity::Error) && found.path == fault.path
                };
                if let Some(told) = check.found.iter_mut().find(told) {
                    told.severity = Severity::Error;
                } else {
                    check.found.push(Fault {
                        severity: Severity::Error,
                        place: place(&fault.path),
                        path: fault.path,
                        problem: Problem::Schema {
                            message: fault.message,
                        },
                    });
                }
            }
        }
    }
}

/// The last steps of a path, from the last one with an id on.
fn place(path: &str) -> String {
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
    let start = steps.iter().rposition(|step| step.contains("[@id="));
    let shown = &steps[start.unwrap_or(steps.len().saturating_sub(1))..];
    let words = shown.iter().map(|step| match step.split_once("[@id=") {
        Some((name, id)) => format!("{name} {}", id.trim_end_matches(']').trim_matches('"')),
        None => (*step).to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}
