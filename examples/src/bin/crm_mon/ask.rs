//! What `crm_mon` does not have: questions about the cluster, answered in words.

use ha_core::finding::{self, Finding};
use ha_core::language::Language;
use ha_core::question::Question;
use ha_core::status::{self, ComputeOptions};
use ha_core::view::{self, json};
use ha_core::xml::Document;
use ha_core::{ErrorKind, Result, why};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::arguments::{Format, Request};
use crate::source::{self, Source};
use crate::{cluster, program, words, zone};

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Is this so? Exit status 0 for yes, 1 for no.
    Is(String),
    /// Why does this resource not run, or not everywhere?
    Why(String),
    /// What is wrong or risky?
    Findings,
}

/// An answer: what to print, and the exit status.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) code: u8,
}

/// The answer to one of the questions, for people and for programs.
struct Told {
    text: String,
    code: u8,
    /// What the exit status means.
    meaning: &'static str,
    put: Box<dyn FnOnce(&mut json::Output)>,
}

/// Answers a question about the cluster that was read.
pub(crate) fn answer(
    asked: &Asked,
    request: &Request,
    source: &Source,
    now: Timestamp,
) -> Result<Answer> {
    let zone = zone::local();
    let language = request.language();
    let told = match asked {
        Asked::Is(question) => is(question, request.verbose, language, source, now, &zone)?,
        Asked::Why(resource) => why_not(resource, request.verbose, language, source, now, &zone)?,
        Asked::Findings => findings(language, source, now, &zone),
    };
    let text = match request.format {
        Format::Json => {
            let ended = view::Failure {
                request: &request.view.request,
                code: told.code,
                meaning: told.meaning,
                errors: &[],
                daemon: None,
            };
            let mut output = ended.json();
            (told.put)(&mut output);
            program::json(&output)
        }
        _ => told.text,
    };
    Ok(Answer {
        text,
        code: told.code,
    })
}

/// Returns the name of one of the kinds that a value can be of.
fn kind(value: &impl Serialize, member: &str) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    let name = if member.is_empty() {
        value.as_str()
    } else {
        value[member].as_str()
    };
    name.unwrap_or_default().to_owned()
}

fn is(
    question: &str,
    verbose: bool,
    language: Language,
    source: &Source,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Told> {
    let question: Question = question.parse()?;
    let options = ComputeOptions::default();
    let state = status::compute_with(&source.document, now, zone, options);
    let answer = question.ask_in(&state, language)?;
    let mut text = if answer.yes {
        words::of(language, "yes", "oui").to_owned()
    } else {
        words::of(language, "no", "non").to_owned()
    };
    if verbose || !answer.yes {
        let colon = words::of(language, ":", " :");
        text = format!("{text}{colon} {}", answer.because);
    }
    Ok(Told {
        text: text + "\n",
        code: u8::from(!answer.yes),
        meaning: if answer.yes { "OK" } else { "The answer is no" },
        put: Box::new(move |output| {
            output.answer = Some(json::Answer {
                yes: answer.yes,
                because: answer.because,
            });
        }),
    })
}

fn why_not(
    resource: &str,
    verbose: bool,
    language: Language,
    source: &Source,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Told> {
    let explain = |name: &str| why::explain(&source.document, now, zone, name);
    let (explained, is_tag) = match explain(resource) {
        Ok(one) => (vec![one], false),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // A tag may name what is no resource too.
            let members = tagged(&source.document, resource);
            let each = members.iter().filter_map(|name| explain(name).ok());
            let each: Vec<_> = each.collect();
            if each.is_empty() {
                return Err(error);
            }
            (each, true)
        }
        Err(error) => return Err(error),
    };
    let texts = explained.iter();
    let text = texts.map(|why| explained_text(why, verbose, language));
    Ok(Told {
        text: text.collect(),
        code: 0,
        meaning: "OK",
        put: Box::new(move |output| {
            let mut explanations: Vec<_> = explained
                .into_iter()
                .map(|why| explained_json(why, language))
                .collect();
            if is_tag {
                output.explanations = Some(explanations);
            } else {
                output.explanation = explanations.pop();
            }
        }),
    })
}

/// Returns the ids that a tag stands for; none when there is no such tag.
fn tagged<'d>(document: &'d Document, name: &str) -> Vec<&'d str> {
    let all = document.root().descendants();
    let mut tags = all.filter(|e| e.name() == "tag" && e.attribute("id") == Some(name));
    let members = tags.next().into_iter();
    let members = members.flat_map(|tag| tag.children_named("obj_ref"));
    members.filter_map(|e| e.attribute("id")).collect()
}

/// Says why one resource is not active. Of what runs as it should, only the exceptional is told unless
/// more is asked for.
fn explained_text(why: &why::Explanation, verbose: bool, language: Language) -> String {
    let resource = &why.resource;
    let nodes = why.active_on.join(", ");
    let french = language == Language::French;
    let mut text = match (why.active, nodes.is_empty(), french) {
        (_, true, false) => format!("{resource} is not active.\n"),
        (_, true, true) => format!("{resource} n'est pas active.\n"),
        (true, false, false) => format!("{resource} is active on {nodes}.\n"),
        (true, false, true) => format!("{resource} est active sur {nodes}.\n"),
        (false, false, false) => format!("{resource} is only partly active, on {nodes}.\n"),
        (false, false, true) => format!("{resource} n'est active qu'en partie, sur {nodes}.\n"),
    };
    let all = verbose || !why.active;
    let reasons = why.reasons.iter();
    let reasons = reasons.filter(|reason| all || reason.cause.is_exceptional());
    for (place, reason) in reasons.enumerate() {
        text += &format!("{}. {}\n", place + 1, reason.text(language));
        if let Some(step) = reason.next_step(language) {
            text += &format!("   -> {step}\n");
        }
    }
    if why.reasons.is_empty() && !why.active {
        text += if french {
            "Rien dans la CIB ne l'explique ; les scores : crm_simulate --live-check --show-scores\n"
        } else {
            "Nothing in the CIB tells why; the scores: crm_simulate --live-check --show-scores\n"
        };
    }
    text
}

fn explained_json(why: why::Explanation, language: Language) -> json::Explanation {
    let reason = |reason: &why::Reason| json::Reason {
        resource: reason.resource.clone(),
        node: reason.node.clone(),
        cause: kind(reason, "cause"),
        text: reason.text(language),
        next_step: reason.next_step(language),
    };
    json::Explanation {
        reasons: why.reasons.iter().map(reason).collect(),
        resource: why.resource,
        active: why.active,
        active_on: why.active_on,
    }
}

fn findings(language: Language, source: &Source, now: Timestamp, zone: &TimeZone) -> Told {
    let mut found = finding::all(&source.document, now, zone);
    if !source::is_stored() {
        // Without Corosync (a remote node) there are no links to look at.
        found.extend(cluster::links(&source.document).unwrap_or_default());
        found.sort_by_key(Finding::severity);
    }
    let mut text = String::new();
    for finding in &found {
        let severity = finding.severity().text(language);
        let colon = words::of(language, ":", " :");
        text += &format!("{severity}{colon} {}\n", finding.text(language));
        text += &format!("   -> {}\n", finding.fix(language));
    }
    if found.is_empty() {
        text += words::of(language, "nothing to report\n", "rien à signaler\n");
    }
    let is_error = |finding: &Finding| finding.severity() == finding::Severity::Error;
    let code = u8::from(found.iter().any(is_error));
    Told {
        text,
        code,
        meaning: if code == 0 {
            "OK"
        } else {
            "Something is wrong"
        },
        put: Box::new(move |output| {
            let finding = |finding: &Finding| json::Finding {
                finding: kind(finding, "finding"),
                severity: kind(&finding.severity(), ""),
                resources: finding.resources().to_vec(),
                text: finding.text(language),
                fix: finding.fix(language),
            };
            output.findings = Some(found.iter().map(finding).collect());
        }),
    }
}
