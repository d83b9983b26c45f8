//! CIB files, through Pacemaker's own library. Needs its schemas, and no daemon.
#![cfg(feature = "live")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ha_core::live::pacemaker::cib::{Cib, Section, validate};
use ha_core::live::pacemaker::watch::Watch;
use ha_core::xml::{Document, PatchSet};
use ha_core::{ErrorKind, Result};

const CIB: &str = "<cib validate-with='pacemaker-3.0' admin_epoch='0' epoch='1' num_updates='0'>\
    <configuration><crm_config/><nodes><node id='1' uname='é&lt;&amp;'/></nodes>\
    <resources/><constraints/></configuration><status/></cib>";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the test"))
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("written");
        path
    }
}

fn kind(path: &Path) -> ErrorKind {
    let e = Cib::open_file(path).expect_err("it is no good CIB file");
    assert!(format!("{e:#}").contains("open the CIB file"), "{e:#}");
    e.kind()
}

#[test]
fn what_is_no_cib_is_refused() {
    let folder = Folder::new();
    assert_eq!(kind(Path::new("/nonexistent/cib.xml")), ErrorKind::NotFound);
    assert_eq!(kind(folder.0.path()), ErrorKind::Invalid);
    assert_eq!(kind(Path::new("/dev/zero")), ErrorKind::Invalid);
    assert_eq!(kind(&folder.file("empty", "")), ErrorKind::Invalid);
    // Pacemaker's library opens these two.
    assert_eq!(
        kind(&folder.file("cut", "<cib><configuration")),
        ErrorKind::Invalid
    );
    assert_eq!(
        kind(&folder.file("root", "<foo validate-with='pacemaker-3.0'/>")),
        ErrorKind::Invalid
    );
    assert_eq!(kind(&folder.file("none", "<cib/>")), ErrorKind::Invalid);
    let unknown = CIB.replace("pacemaker-3.0", "pacemaker-99.0");
    assert_eq!(
        kind(&folder.file("unknown", &unknown)),
        ErrorKind::Unsupported
    );
    let path = CIB.replace("pacemaker-3.0", "../../etc/passwd");
    assert_eq!(kind(&folder.file("path", &path)), ErrorKind::Unsupported);
}

#[test]
fn changes_are_written_whole_and_nothing_else_is_lost() -> Result<()> {
    let folder = Folder::new();
    let path = folder.file("cib.xml", CIB);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.0.path().join("link.xml");
    symlink(&path, &link).unwrap();

    let cib = Cib::open_file(&link)?;
    assert_eq!(cib.query()?, Document::parse(CIB)?);
    let set =
        "<cluster_property_set id='s'><nvpair id='s-a' name='a' value='1'/></cluster_property_set>";
    let set = Document::parse(set)?;
    cib.create(Section::CrmConfig, &set)?;
    assert_eq!(
        cib.create(Section::CrmConfig, &set).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    cib.modify(
        Section::CrmConfig,
        &Document::parse(&set.to_xml().replace("\"1\"", "\"2\""))?,
    )?;

    // Another handle, and the file itself, see it; the link is still one; the mode is the old one.
    let again = Cib::open_file(&path)?;
    let found = again.query_xpath("//nvpair[@id='s-a']")?;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].root().attribute("value"), Some("2"));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    // What Pacemaker 2's library would cut as it writes.
    let node = again.query_section(Section::Nodes)?;
    let uname = node.root().child("node").and_then(|n| n.attribute("uname"));
    assert_eq!(uname, Some("é<&"));

    again.delete(Section::CrmConfig, &set)?;
    assert_eq!(
        again.delete(Section::CrmConfig, &set).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert!(cib.query_xpath("//nvpair")?.is_empty());
    let left: Vec<_> = fs::read_dir(folder.0.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    Ok(())
}

#[test]
fn patches_and_the_schema_work_as_on_a_cluster() -> Result<()> {
    let folder = Folder::new();
    let path = folder.file("cib.xml", CIB);
    let cib = Cib::open_file(&path)?;
    let old = cib.query()?;
    let mut new = old.clone();
    let nodes = new
        .root()
        .descendants()
        .find(|e| e.name() == "nodes")
        .unwrap()
        .id();
    let node = new.append_child(nodes, "node");
    new.set_attribute(node, "id", "2");
    new.set_attribute(node, "uname", "second");
    let patch = PatchSet::between(&old, &new)?;
    cib.apply(&patch)?;
    let now = cib.query()?;
    assert!(now.version() > old.version(), "{}", now.version());
    assert_eq!(cib.query_xpath("//node")?.len(), 2);
    assert_eq!(cib.apply(&patch).unwrap_err().kind(), ErrorKind::Conflict);

    let bad =
        Document::parse("<primitive id='bad' class='ocf' provider='p' type='t' colour='red'/>")?;
    let before = fs::read(&path).unwrap();
    let e = cib.create(Section::Resources, &bad).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Schema);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(cib.upgrade()?);
    let schema = cib.query()?;
    let schema = schema
        .root()
        .attribute("validate-with")
        .unwrap_or_default()
        .to_owned();
    assert!(
        schema.starts_with("pacemaker-") && schema != "pacemaker-3.0",
        "{schema}"
    );

    let mut whole = cib.query()?;
    let resources = whole
        .root()
        .descendants()
        .find(|e| e.name() == "resources")
        .unwrap()
        .id();
    let root = bad.root();
    whole.import(resources, 0, root);
    let e = validate(&whole, Duration::from_secs(20)).unwrap_err();
    let text = format!("{e:#}");
    assert!(
        text.contains("<primitive id=\"bad\">") && text.contains("colour"),
        "{text}"
    );
    assert_eq!(
        Watch::open(&cib).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    Ok(())
}
