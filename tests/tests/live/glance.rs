//! One look at the cluster beside what Pacemaker's libraries tell.

use std::time::Duration;

use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
use ha_core::live::pacemaker::{fencer, glance, pacemakerd};
use ha_core::xml::Document;
use ha_core::{Error, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("glance::compare", compare);
    harness.agent("glance::hurry", hurry);
    harness.test(
        "glance::sees_what_the_libraries_tell",
        own(LabOptions::default(), sees_what_the_libraries_tell).limit(Duration::from_secs(600)),
    );
}

fn look(timeout: Duration, fencing: bool) -> Result<glance::Glance> {
    let mut options = glance::Options::default();
    options.timeout = timeout;
    options.fencing = fencing;
    glance::take(&options)
}

/// Compares a look with what the libraries told before and after; returns the length of the CIB.
fn compare((): ()) -> Result<usize> {
    let mut options = ConnectOptions::default();
    options.timeout = LIMIT;
    let cib = Cib::connect(&options)?;
    let told = || -> Result<(Document, Vec<fencer::FencingEvent>, pacemakerd::State)> {
        let state = pacemakerd::ping(LIMIT)?.state;
        Ok((cib.query()?, fencer::history(None, LIMIT)?, state))
    };
    let mut length = 0;
    wait_until(LIMIT, "the cluster rests for a moment", || {
        let before = told()?;
        let seen = look(LIMIT, true)?;
        if told()? != before {
            return Err(NotYet::because("it changes"));
        }
        let since = seen.daemon.last_updated;
        assert!(since.is_some(), "{:?}", seen.daemon);
        let events = seen.fencing.unwrap_or_default();
        length = seen.cib.to_xml_compact().len();
        assert_eq!((seen.cib, events, seen.daemon.state), before);
        Ok(())
    })?;
    Ok(length)
}

/// Looks when there is little time; returns the errors with and without the fencer.
fn hurry((): ()) -> Result<(Option<ErrorText>, Option<ErrorText>)> {
    let text = |error: Error| (format!("{:?}", error.kind()), format!("{error:#}"));
    let timeout = Duration::from_secs(3);
    let with = look(timeout, true).err().map(text);
    Ok((with, look(LIMIT, false).err().map(text)))
}

/// The kind of an error, and its text.
type ErrorText = (String, String);

fn sees_what_the_libraries_tell(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let seen: usize = node.call("glance::compare", &())?;
    assert!(seen > 1000, "{seen}");

    // A confirmed and a failed fencing.
    let fence = |word: &str| {
        let command = node.command("stonith_admin");
        command.args([word, "elsewhere", "-t", "10"]).status()
    };
    fence("--confirm")?;
    assert!(!fence("--fence")?.success(), "there is no device");
    node.call::<usize>("glance::compare", &())?;

    // An answer that is too long to travel as it is.
    node.write("/run/many.xml", many(12000))?;
    let words = ["-C", "-o", "crm_config", "-x", "/run/many.xml"];
    node.command("cibadmin").args(words).stdout()?;
    let seen: usize = node.call("glance::compare", &())?;
    assert!(seen > 600_000, "{seen}");

    node.stop("fenced")?;
    let hurried = node.call::<(Option<ErrorText>, Option<ErrorText>)>("glance::hurry", &());
    node.cont("fenced")?;
    let (with, without) = hurried?;
    assert_eq!(with.map(|(kind, _)| kind).as_deref(), Some("Timeout"));
    assert_eq!(without, None);
    Ok(())
}

/// A set of so many properties.
fn many(count: usize) -> String {
    let pair = |n| {
        format!(
            "<nvpair id='many-{n}' name='many-{n}' value='{}'/>",
            n * 7919
        )
    };
    let pairs: String = (0..count).map(pair).collect();
    format!("<cluster_property_set id='many'>{pairs}</cluster_property_set>")
}
