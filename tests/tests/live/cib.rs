//! Reading and changing the CIB of a running cluster.

use std::time::Duration;

use ha_core::live::pacemaker::cib::{Cib, ConnectOptions, Section};
use ha_core::xml::Document;
use ha_core::{Error, ErrorKind, Result};
use lab::Lab;
use lab::harness::Harness;
use serde::{Deserialize, Serialize};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("cib::read", read);
    harness.shared("cib::answers_of_a_query_differ", answers_of_a_query_differ);
}

fn connect() -> Result<Cib> {
    let mut options = ConnectOptions::default();
    options.timeout = Duration::from_secs(10);
    Cib::connect(&options)
}

#[derive(Serialize, Deserialize)]
struct Read {
    whole: String,
    nodes: String,
    matched: Vec<String>,
    unmatched: usize,
    bad_expression: String,
    number: String,
    absent_section: String,
}

fn kind_of<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(e) => format!("{:?}: {e:#}", e.kind()),
    }
}

fn read((): ()) -> Result<Read> {
    let cib = connect()?;
    Ok(Read {
        whole: cib.query()?.to_xml_compact(),
        nodes: cib.query_section(Section::Nodes)?.to_xml_compact(),
        matched: cib
            .query_xpath("//node")?
            .iter()
            .filter_map(|node| node.root().attribute("uname").map(str::to_owned))
            .collect(),
        unmatched: cib.query_xpath("//no-such-element")?.len(),
        bad_expression: kind_of(cib.query_xpath("//node[")),
        number: kind_of(cib.query_xpath("count(//node)")),
        absent_section: kind_of(cib.query_section(Section::Tags)),
    })
}

/// No match, a bad expression and a section that is not there are three different answers.
fn answers_of_a_query_differ(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    let read: Read = node.call("cib::read", &())?;
    assert!(read.whole.starts_with("<cib "), "{}", read.whole);
    assert!(read.nodes.starts_with("<nodes>"), "{}", read.nodes);
    assert_eq!(read.matched, ["maitre", "esclave"]);
    assert_eq!(read.unmatched, 0);
    assert!(
        read.bad_expression.starts_with("Invalid: "),
        "{}",
        read.bad_expression
    );
    assert!(read.number.starts_with("Invalid: "), "{}", read.number);
    assert!(
        read.absent_section.starts_with("NotFound: "),
        "{}",
        read.absent_section
    );
    // Beside Pacemaker's own tool, which reads the same section.
    let tool = node
        .command("cibadmin")
        .args(["--query", "--scope", "nodes"])
        .stdout()?;
    assert_eq!(Document::parse(&read.nodes)?, Document::parse(&tool)?);
    assert!(
        "no-such-section"
            .parse::<Section>()
            .is_err_and(|e: Error| e.kind() == ErrorKind::Invalid)
    );
    Ok(())
}
