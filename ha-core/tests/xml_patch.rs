//! Patch sets against laws and against the installed `crm_diff`.
//!
//! `PROPTEST_CASES` sets how many random cases are tried. With `HA_CIBS` naming a folder, the CIB files in it are used too.

use std::path::Path;
use std::process::Command;

use ha_core::xml::{Document, Element, NodeId, PatchSet};
use proptest::prelude::*;

/// A tree to be: what is a document's element, or a comment when the name is empty.
#[derive(Debug, Clone)]
struct Tree {
    name: &'static str,
    id: Option<String>,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Tree>,
}

fn leaf(ids: &'static str, values: &'static str) -> impl Strategy<Value = Tree> {
    let names = prop_oneof![
        Just("primitive"),
        Just("group"),
        Just("nvpair"),
        Just("op"),
        Just("lrm_resource"),
        Just("")
    ];
    let attribute = prop_oneof![Just("name"), Just("value"), Just("class"), Just("call-id")];
    let attributes = prop::collection::vec((attribute, values), 0..3);
    (names, prop::option::weighted(0.8, ids), attributes).prop_map(|(name, id, attributes)| Tree {
        name,
        id,
        attributes,
        children: Vec::new(),
    })
}

fn trees(ids: &'static str, values: &'static str) -> impl Strategy<Value = Vec<Tree>> {
    let tree = leaf(ids, values).prop_recursive(4, 40, 6, move |inner| {
        (leaf(ids, values), prop::collection::vec(inner, 0..6))
            .prop_map(|(top, children)| Tree { children, ..top })
    });
    prop::collection::vec(tree, 0..5)
}

/// Makes a CIB of trees. In a tidy one, no two siblings share a name and an id, and what has no
/// id is the only one of its name, as Pacemaker's schema has it.
fn cib(trees: &[Tree], epoch: u32, tidy: bool) -> Document {
    let mut text = format!(
        "<cib crm_feature_set='3.16.1' validate-with='pacemaker-3.0' admin_epoch='0' \
         epoch='{epoch}' num_updates='0'><configuration>"
    );
    write_trees(trees, tidy, &mut text);
    text.push_str("</configuration></cib>");
    Document::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn write_trees(trees: &[Tree], tidy: bool, text: &mut String) {
    let mut seen = std::collections::HashSet::new();
    for t in trees {
        if t.name.is_empty() {
            *text += &format!("<!-- {} -->", t.id.as_deref().unwrap_or("none"));
            continue;
        }
        let only = if tidy && t.id.is_none() { "only-" } else { "" };
        let name = format!("{only}{}", t.name);
        if tidy && !seen.insert((name.clone(), t.id.clone())) {
            continue;
        }
        let mut element = Document::new(&name);
        let root = element.root().id();
        if let Some(id) = &t.id {
            element.set_attribute(root, "id", id);
        }
        for (name, value) in &t.attributes {
            element.set_attribute(root, name, value);
        }
        *text += element.to_xml_compact().trim_end_matches("/>");
        *text += ">";
        write_trees(&t.children, tidy, text);
        *text += &format!("</{name}>");
    }
}

/// What to do to an element, all chosen by number.
type Edit = (u8, usize, usize);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec((0..6_u8, any::<usize>(), any::<usize>()), 0..12)
}

/// Changes a CIB as its users do: attributes, elements that come, go and move.
fn edited(old: &Document, edits: &[Edit]) -> Document {
    let mut new = old.clone();
    let root = new.root().id();
    new.set_attribute(root, "epoch", "8");
    for (i, &(what, which, how)) in edits.iter().enumerate() {
        let all: Vec<NodeId> = new.root().descendants().skip(1).map(Element::id).collect();
        let target = all[which % all.len()];
        let parent = new.element(target).parent().map_or(root, Element::id);
        let siblings = new.element(parent).children().count();
        match what {
            0 => new.set_attribute(target, "value", &format!("v{}", how % 9)),
            1 => {
                new.remove_attribute(target, ["value", "name"][how % 2]);
            }
            2 if new.element(target).name() != "configuration" => new.remove(target),
            3 => {
                let child = new.insert_child(target, how % 4, "nvpair");
                new.set_attribute(child, "id", &format!("new-{i}"));
            }
            4 => new.move_child(target, how % siblings),
            _ if new.element(target).attribute("id").is_some() => {
                let copy = Document::copy_of(new.element(target));
                let copy = new.import(parent, how % 4, copy.root());
                new.set_attribute(copy, "id", &format!("copy-{i}"));
            }
            _ => {}
        }
    }
    new
}

fn holds(old: &Document, new: &Document) {
    let patch = PatchSet::between(old, new).expect("roots are alike");
    let mut result = old.clone();
    result
        .apply(&patch)
        .unwrap_or_else(|e| panic!("{e:#}\n{old}{new}{}", patch.to_xml()));
    assert_eq!(
        &result,
        new,
        "\n{result}wanted {new}from {old}by {}",
        patch.to_xml()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn applying_what_is_between_gives_the_other(
        a in trees("[a-c]|it's|x/y|", "[a-c0 é<&\"'\n]{0,3}"),
        b in trees("[a-c]|it's|x/y|", "[a-c0 é<&\"'\n]{0,3}"),
    ) {
        // What the root's child holds may be out of reach; one level more, and it is not.
        let wrapped = |trees: Vec<Tree>| [Tree {
            name: "group", id: Some("all".into()), attributes: Vec::new(), children: trees,
        }];
        holds(&cib(&wrapped(a), 1, false), &cib(&wrapped(b), 2, false));
    }

    #[test]
    fn applying_what_is_between_gives_the_edited_one(
        trees in trees("[a-f]{1,2}", "[a-c]{0,2}"),
        edits in edits(),
    ) {
        let old = cib(&trees, 1, true);
        holds(&old, &edited(&old, &edits));
    }
}

/// Runs `crm_diff`; `None`, with the reason printed, when it is not installed.
fn crm_diff(original: &Path, option: &str, other: &Path) -> Option<String> {
    let output = Command::new("crm_diff")
        .args(["--original".as_ref(), original.as_os_str()])
        .args([option.as_ref(), other.as_os_str()])
        .output();
    match output {
        Ok(output) => {
            let text = String::from_utf8(output.stdout).expect("crm_diff writes UTF-8");
            let errors = String::from_utf8_lossy(&output.stderr);
            // 1 says that there is a difference.
            assert!(
                matches!(output.status.code(), Some(0 | 1)),
                "{}: {errors}",
                output.status
            );
            Some(text)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("not compared: crm_diff is not installed (package pacemaker-cli-utils)");
            None
        }
        Err(e) => panic!("crm_diff: {e}"),
    }
}

/// Tells whether paths cannot tell apart two elements.
fn has_twins(document: &Document) -> bool {
    document.root().descendants().any(|parent| {
        let mut seen = std::collections::HashSet::new();
        let mut names = std::collections::HashSet::new();
        parent.children().any(|e| {
            let (name, id) = (e.name(), e.attribute("id"));
            !seen.insert((name, id)) || (!names.insert(name) && seen.contains(&(name, None)))
        })
    })
}

/// What could be compared with `crm_diff`.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    pairs: usize,
    /// Pairs of which `crm_diff` makes a patch set that it can apply itself.
    theirs: usize,
}

/// The patch set that `crm_diff` makes gives, applied here, the new document; the one made here
/// gives, applied by `crm_diff`, the new document. Returns whether `crm_diff` is there.
fn agrees(old: &Document, new: &Document, folder: &Path, tally: &mut Tally) -> bool {
    let [old_file, new_file, patch_file] = ["old", "new", "patch"].map(|name| folder.join(name));
    std::fs::write(&old_file, old.to_xml()).expect("write");
    std::fs::write(&new_file, new.to_xml()).expect("write");
    let Some(theirs) = crm_diff(&old_file, "--new", &new_file) else {
        return false;
    };
    if theirs.is_empty() {
        assert_eq!(old, new, "crm_diff sees no difference");
        return true;
    }
    std::fs::write(&patch_file, &theirs).expect("write");
    let by_itself = crm_diff(&old_file, "--patch", &patch_file).expect("it was there");
    // With ids that are there twice, and with comments that move, crm_diff makes patch sets that
    // do not lead to the new document, even when it applies them itself: those say nothing.
    if Document::parse(&by_itself).is_ok_and(|result| &result == new) {
        let patch = PatchSet::parse(&theirs).unwrap_or_else(|e| panic!("{e:#}\n{theirs}"));
        let mut result = old.clone();
        result
            .apply(&patch)
            .unwrap_or_else(|e| panic!("{e:#}\n{old}{new}{theirs}"));
        assert_eq!(
            &result, new,
            "\n{result}wanted {new}from {old}by crm_diff's {theirs}"
        );
        tally.theirs += 1;
    } else {
        let comments = new.to_xml().contains("<!--");
        assert!(
            comments || has_twins(old) || has_twins(new),
            "\n{old}{new}{theirs}"
        );
    }

    let ours = PatchSet::between(old, new).expect("roots are alike");
    std::fs::write(&patch_file, ours.to_xml()).expect("write");
    let theirs = crm_diff(&old_file, "--patch", &patch_file).expect("it was there");
    let result = Document::parse(&theirs).unwrap_or_else(|e| {
        panic!(
            "crm_diff --patch: {e}\n{theirs}\n{old}{new}{}",
            ours.to_xml()
        )
    });
    assert_eq!(
        &result,
        new,
        "\n{result}wanted {new}from {old}by our {}",
        ours.to_xml()
    );
    tally.pairs += 1;
    true
}

impl Tally {
    /// Shows what was compared, and that it was not next to nothing.
    fn check(self) {
        println!("{self:?}");
        assert!(self.theirs * 10 >= self.pairs * 7, "{self:?}");
    }
}

#[test]
fn agrees_with_crm_diff_on_random_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = ProptestConfig {
        failure_persistence: None,
        ..Default::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    // Not both kinds in one value: after an accent, crm_diff 2.1.5 writes `&` unescaped.
    let input = (trees("[a-f]{1,2}", "[a-c <&\"']{0,3}|[a-cé]{0,3}"), edits());
    let tally = std::cell::Cell::new(Tally::default());
    let outcome = runner.run(&input, |(trees, edits)| {
        let old = cib(&trees, 1, true);
        let mut now = tally.get();
        agrees(&old, &edited(&old, &edits), folder.path(), &mut now);
        tally.set(now);
        Ok(())
    });
    if let Err(e) = outcome {
        panic!("{e}");
    }
    tally.get().check();
}

#[test]
fn agrees_with_crm_diff_on_given_cibs() {
    let Some(given) = std::env::var_os("HA_CIBS") else {
        return;
    };
    let given = Path::new(&given);
    let folder = tempfile::tempdir().expect("a folder");
    let mut files: Vec<_> = std::fs::read_dir(given)
        .unwrap_or_else(|e| panic!("HA_CIBS={}: {e}", given.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut tally = Tally::default();
    for (i, file) in files.iter().enumerate() {
        let bytes = std::fs::read(file).expect("a CIB file");
        let mut old =
            Document::parse_bytes(&bytes).unwrap_or_else(|e| panic!("{}: {e:#}", file.display()));
        assert_eq!(Document::parse(&old.to_xml()).expect("read again"), old);
        let root = old.root().id();
        for (name, value) in [
            ("admin_epoch", "0"),
            ("epoch", "1"),
            ("num_updates", "0"),
            ("crm_feature_set", "3.16.1"),
        ] {
            old.set_attribute(root, name, value);
        }
        // The same edits each time, spread over the whole file.
        let edits: Vec<Edit> = (0..12_usize)
            .map(|k| ((k % 6) as u8, (i + 1) * 7919 * (k + 1), k * 31 + i))
            .collect();
        let new = edited(&old, &edits);
        holds(&old, &new);
        if !agrees(&old, &new, folder.path(), &mut tally) {
            return;
        }
    }
    tally.check();
}
