//! Reading and changing the CIB of a running cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use ha_core::live::pacemaker::cib::{Cib, ConnectOptions, Section};
use ha_core::xml::{Document, Element, PatchSet};
use ha_core::{Error, ErrorExt, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions};
use serde::{Deserialize, Serialize};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("cib::read", read);
    harness.agent("cib::changes", changes);
    harness.agent("cib::as_users", as_users);
    harness.agent("cib::live_files", live_files);
    harness.shared("cib::live_files", the_live_file_is_refused);
    harness.shared("cib::answers_of_a_query_differ", answers_of_a_query_differ);
    harness.test(
        "cib::changes",
        own(LabOptions::default(), changes_are_made_or_refused),
    );
    harness.test(
        "cib::acl",
        own(LabOptions::default(), acls_hold_for_the_user_named),
    );
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
    in_lines: usize,
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
        in_lines: cib.query_xpath("\n//node\n\t[@uname='maitre']\r\n")?.len(),
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
    assert_eq!(read.in_lines, 1);
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

const SET: &str = "<cluster_property_set id='test'>\
                   <nvpair id='test-stop' name='stop-orphan-actions' value='true'/></cluster_property_set>";

/// Makes each kind of change, and says how each ended.
fn changes((): ()) -> Result<BTreeMap<String, String>> {
    let cib = connect()?;
    let mut said = BTreeMap::new();
    let mut say = |what: &str, result: Result<()>| {
        let text = match result {
            Ok(()) => "done".to_owned(),
            Err(e) => format!("{:?}: {e:#}", e.kind()),
        };
        said.insert(what.to_owned(), text);
    };
    let config = Section::CrmConfig;
    let set = Document::parse(SET)?;
    let other = Document::parse(&SET.replace("true", "false"))?;
    let absent = Document::parse("<cluster_property_set id='absent'/>")?;
    let value = || -> Result<String> {
        let found = cib.query_xpath("//nvpair[@id='test-stop']")?;
        Ok(found
            .first()
            .and_then(|f| f.root().attribute("value"))
            .unwrap_or("none")
            .to_owned())
    };

    say("create", cib.create(config, &set));
    say("create again", cib.create(config, &set));
    say("modify", cib.modify(config, &other));
    assert_eq!(value()?, "false");
    say("modify absent", cib.modify(config, &absent));
    say("modify or create", cib.modify_or_create(config, &absent));
    // What would not arrive as it is is not sent.
    for (what, text) in [
        ("two lines", "a\nb".to_owned()),
        ("too long", "x".repeat(10_000_001)),
    ] {
        let mut changed = other.clone();
        let nvpair = changed.root().children().next().map(Element::id);
        let nvpair = nvpair.ok_or_else(|| Error::invalid("no nvpair"))?;
        changed.set_attribute(nvpair, "value", &text);
        let made = cib.modify(config, &changed);
        let expected = if made.is_ok() { text.as_str() } else { "false" };
        assert_eq!(value()?, expected);
        say(what, made);
    }
    say("replace", cib.replace(config, &set));
    assert_eq!(value()?, "true");
    say("delete", cib.delete(config, &absent));
    say("delete again", cib.delete(config, &absent));
    let bad = "<primitive id='bad' class='ocf' provider='pacemaker' type='Dummy' colour='red'/>";
    say(
        "invalid",
        cib.create(Section::Resources, &Document::parse(bad)?),
    );
    let bad = "<primitive id='bad2' class='ocf' provider='pacemaker' type='Dummy'>\
               <operations><op id='bad2-op' name='monitor'/></operations></primitive>";
    say(
        "invalid deeper",
        cib.create(Section::Resources, &Document::parse(bad)?),
    );

    // A patch set computed from a copy, then the same one again, when the CIB has moved on.
    let old = cib.query()?;
    let mut new = old.clone();
    let nvpair = new
        .root()
        .descendants()
        .find(|e| e.attribute("id") == Some("test-stop"));
    let nvpair = nvpair
        .map(Element::id)
        .ok_or_else(|| Error::invalid("no nvpair"))?;
    new.set_attribute(nvpair, "value", "false");
    let patch = PatchSet::between(&old, &new)?;
    say("patch", cib.apply(&patch));
    assert_eq!(value()?, "false");
    let after = cib.query()?;
    assert!(
        after.version() > old.version(),
        "{} {}",
        after.version(),
        old.version()
    );
    say("patch again", cib.apply(&patch));
    let empty = PatchSet::parse("<diff format='2'/>")?;
    say("patch without versions", cib.apply(&empty));
    let mut invalid = after.clone();
    let resources = invalid
        .root()
        .descendants()
        .find(|e| e.name() == "resources");
    let resources = resources
        .map(Element::id)
        .ok_or_else(|| Error::invalid("no resources"))?;
    invalid.append_child(resources, "gizmo");
    say(
        "invalid patch",
        cib.apply(&PatchSet::between(&after, &invalid)?),
    );
    say("replace by an older CIB", cib.replace_all(&old));
    let mut newer = cib.query()?;
    let epoch = newer.version().epoch + 10;
    newer.set_attribute(newer.root().id(), "epoch", &epoch.to_string());
    say("replace by a newer CIB", cib.replace_all(&newer));
    assert!(cib.query()?.version().epoch >= epoch);

    let before = cib.query()?.version();
    say("bump", cib.bump_epoch());
    assert!(cib.query()?.version().epoch > before.epoch);
    say("sync", cib.sync());
    assert!(cib.upgrade()?, "the lab's CIB is of an older schema");
    assert!(!cib.upgrade()?, "it is of the newest one now");
    assert_eq!(cib.delete_xpath("//cluster_property_set[@id='test']")?, 1);
    assert_eq!(cib.delete_xpath("//cluster_property_set[@id='test']")?, 0);
    assert_eq!(value()?, "none");
    Ok(said)
}

fn changes_are_made_or_refused(lab: &Lab) -> Result<()> {
    let node = lab.node("esclave")?;
    let said: BTreeMap<String, String> = node.call("cib::changes", &())?;
    for (what, expected) in [
        ("create", "done"),
        ("create again", "AlreadyExists: "),
        ("modify", "done"),
        ("modify absent", "NotFound: "),
        ("modify or create", "done"),
        ("too long", "Limit: "),
        ("replace", "done"),
        ("delete", "done"),
        ("delete again", "NotFound: "),
        ("invalid", "Schema: "),
        ("invalid deeper", "Schema: "),
        ("patch", "done"),
        ("patch again", "Conflict: "),
        ("patch without versions", "Invalid: "),
        ("invalid patch", "Schema: "),
        ("replace by an older CIB", "Conflict: "),
        ("replace by a newer CIB", "done"),
        ("bump", "done"),
        ("sync", "done"),
    ] {
        let answer = said.get(what).map_or("not tried", String::as_str);
        assert!(
            answer.starts_with(expected),
            "{what}: {answer}, expected {expected}"
        );
    }
    // Pacemaker 3 carries it.
    let lines = &said["two lines"];
    assert!(
        lines == "done" || lines.starts_with("Unsupported: "),
        "{lines}"
    );
    // The messages name the element and what is wrong with it.
    let invalid = &said["invalid"];
    assert!(
        invalid.contains(r#"<primitive id="bad">"#) && invalid.contains("colour"),
        "{invalid}"
    );
    let invalid = &said["invalid deeper"];
    assert!(
        invalid.contains(r#"<op id="bad2-op">"#) && invalid.contains("attributes"),
        "{invalid}"
    );
    let invalid = &said["invalid patch"];
    assert!(invalid.contains("gizmo"), "{invalid}");
    Ok(())
}

/// Reads and changes as users with and without rights.
fn as_users((): ()) -> Result<BTreeMap<String, String>> {
    let cib = connect()?;
    let acls = "<acls><acl_target id='reader'><role id='read-nodes'/></acl_target>\
                <acl_role id='read-nodes'><acl_permission id='p1' kind='read' xpath='//nodes'/>\
                </acl_role></acls>";
    cib.modify_or_create(Section::Configuration, &Document::parse(acls)?)?;
    let enable = "<cluster_property_set id='acl'><nvpair id='acl-on' name='enable-acl' value='true'/>\
                  </cluster_property_set>";
    cib.create(Section::CrmConfig, &Document::parse(enable)?)?;

    let reader = cib.as_user("reader")?;
    let set = Document::parse(SET)?;
    let text = |result: Result<Document>| match result {
        Ok(document) => document.to_xml_compact(),
        Err(e) => format!("{:?}: {e:#}", e.kind()),
    };
    Ok(BTreeMap::from([
        ("reader sees".to_owned(), text(reader.query())),
        (
            "nobody sees".to_owned(),
            text(cib.as_user("nobody")?.query()),
        ),
        ("root sees".to_owned(), text(cib.query())),
        (
            "reader changes".to_owned(),
            kind_of(reader.create(Section::CrmConfig, &set)),
        ),
        (
            "root changes".to_owned(),
            kind_of(cib.create(Section::CrmConfig, &set)),
        ),
    ]))
}

fn acls_hold_for_the_user_named(lab: &Lab) -> Result<()> {
    let node = lab.node("maitre")?;
    // The CIB manager looks the names up.
    node.command("useradd")
        .args(["--system", "reader"])
        .stdout()?;
    let said: BTreeMap<String, String> = node.call("cib::as_users", &())?;
    let sees = &said["reader sees"];
    assert!(
        sees.contains("<node ") && !sees.contains("<crm_config"),
        "{sees}"
    );
    let sees = &said["nobody sees"];
    assert!(sees.starts_with("PermissionDenied: "), "{sees}");
    let sees = &said["root sees"];
    assert!(
        sees.contains("<node ") && sees.contains("<crm_config"),
        "{sees}"
    );
    let changes = &said["reader changes"];
    assert!(changes.starts_with("PermissionDenied: "), "{changes}");
    assert_eq!(said["root changes"], "()");
    Ok(())
}

/// Opens the CIB manager's own file, by its name and by links to it.
fn live_files((): ()) -> Result<Vec<String>> {
    let live = std::path::Path::new("/var/lib/pacemaker/cib/cib.xml");
    let folder = std::path::Path::new("/var/lib/pacemaker/links");
    std::fs::create_dir_all(folder).context("make a folder")?;
    let (soft, hard) = (folder.join("soft.xml"), folder.join("hard.xml"));
    std::os::unix::fs::symlink(live, &soft).context("make a symbolic link")?;
    std::fs::hard_link(live, &hard).context("make a hard link")?;
    let paths = [live, &soft, &hard];
    Ok(paths.map(|path| kind_of(Cib::open_file(path))).to_vec())
}

fn the_live_file_is_refused(lab: &Lab) -> Result<()> {
    let said: Vec<String> = lab.node("esclave")?.call("cib::live_files", &())?;
    for answer in &said {
        assert!(answer.starts_with("PermissionDenied: "), "{answer}");
    }
    Ok(())
}
