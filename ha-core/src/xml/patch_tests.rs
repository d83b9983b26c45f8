//! Tests of patch sets: each operation alone, then what must be refused.

use super::*;
use crate::ErrorKind;

fn parse(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

fn cib(inner: &str) -> Document {
    parse(&format!("<cib epoch='4'><r>{inner}</r></cib>"))
}

fn patch(changes: &str) -> PatchSet {
    PatchSet::parse(&format!("<diff format='2'>{changes}</diff>")).unwrap()
}

/// Applies changes to `<r>` and returns the ids of its children, in order.
#[track_caller]
fn ids_after(inner: &str, changes: &str) -> String {
    let mut d = cib(inner);
    d.apply(&patch(changes)).unwrap();
    assert_eq!(parse(&d.to_xml()), d);
    let r = d.root().child("r").unwrap();
    r.children()
        .map(|e| e.attribute("id").unwrap_or("-"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A failed change leaves no trace.
#[track_caller]
fn refused(inner: &str, changes: &str) -> String {
    let mut d = cib(inner);
    let before = d.to_xml();
    let error = d.apply(&patch(changes)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(d.to_xml(), before);
    error.to_string()
}

const ABC: &str = "<p id='a'/><p id='b'/><p id='c'/>";

fn create(position: usize, what: &str) -> String {
    format!("<change operation='create' path='/cib/r' position='{position}'>{what}</change>")
}

fn moved(id: &str, position: usize) -> String {
    format!(r#"<change operation="move" path="/cib/r/p[@id='{id}']" position="{position}"/>"#)
}

fn deleted(id: &str) -> String {
    format!(r#"<change operation="delete" path="/cib/r/p[@id='{id}']"/>"#)
}

#[test]
fn create_counts_the_result() {
    assert_eq!(ids_after(ABC, &create(0, "<p id='n'/>")), "n a b c");
    assert_eq!(ids_after(ABC, &create(2, "<p id='n'><q/></p>")), "a b n c");
    assert_eq!(ids_after(ABC, &create(9, "<p id='n'/>")), "a b c n");
    let late_first = create(3, "<p id='m'/>") + &create(1, "<p id='n'/>");
    assert_eq!(ids_after(ABC, &late_first), "a n b m c");
    let no_position = "<change operation='create' path='/cib/r'><p id='n'/></change>";
    assert_eq!(ids_after(ABC, no_position), "n a b c");
    let commented = format!("<!-- 0 -->{ABC}");
    assert_eq!(ids_after(&commented, &create(1, "<p id='n'/>")), "n a b c");
    assert_eq!(ids_after(&commented, &create(2, "<p id='n'/>")), "a n b c");
}

#[test]
fn moves_take_out_all_then_put_in_by_rising_position() {
    assert_eq!(ids_after(ABC, &moved("a", 2)), "b c a");
    assert_eq!(ids_after(ABC, &moved("a", 1)), "b a c");
    assert_eq!(ids_after(ABC, &moved("c", 0)), "c a b");
    assert_eq!(ids_after(ABC, &(moved("a", 2) + &moved("c", 0))), "c b a");
    let five = "<p id='a'/><p id='b'/><p id='c'/><p id='d'/><p id='e'/>";
    let changes = moved("b", 4) + &moved("d", 1) + &moved("a", 3);
    assert_eq!(ids_after(five, &changes), "c d e a b");
    let changes = moved("d", 0) + &create(1, "<p id='n'/>") + &deleted("a") + &moved("b", 4);
    assert_eq!(ids_after(five, &changes), "d n c e b");
}

#[test]
fn delete_of_elements_and_comments() {
    assert_eq!(ids_after(ABC, &deleted("b")), "a c");
    assert_eq!(ids_after(ABC, &deleted("z")), "a b c");
    let comment = |n| format!("<change operation='delete' path='/cib/r/comment' position='{n}'/>");
    let mut d = cib("<!--0--><p id='a'/><!--2--><comment/>");
    d.apply(&patch(&(comment(0) + &comment(1) + &comment(2))))
        .unwrap();
    assert_eq!(
        d.to_xml_compact(),
        r#"<cib epoch="4"><r><p id="a"/><comment/></r></cib>"#
    );
    d.apply(&patch("<change operation='delete' path='/cib/r/comment'/>"))
        .unwrap();
    assert_eq!(
        d.to_xml_compact(),
        r#"<cib epoch="4"><r><p id="a"/></r></cib>"#
    );
}

#[test]
fn modify_takes_the_attributes_of_the_result() {
    let modify = |inner: &str| {
        let mut d = cib("<p id='a' x='1' y='2'><q/></p>");
        let change =
            format!(r#"<change operation="modify" path="/cib/r/p[@id='a']">{inner}</change>"#);
        d.apply(&patch(&change)).unwrap();
        d.root().child("r").unwrap().to_xml_compact()
    };
    let list = "<change-list><change-attr name='x' operation='unset'/>\
                <change-attr name='z' operation='set' value='3'/></change-list>";
    let result = "<change-result><p id='a' y='2' z='3'/></change-result>";
    let wanted = r#"<r><p id="a" y="2" z="3"><q/></p></r>"#;
    assert_eq!(modify(&format!("{list}{result}")), wanted);
    assert_eq!(modify(result), wanted);
    assert_eq!(modify(list), wanted);
}

#[test]
fn the_version_guards_and_is_set() {
    let text = "<diff format='2'><version><source admin_epoch='0' epoch='4' num_updates='0'/>\
                <target admin_epoch='0' epoch='5' num_updates='2'/></version>\
                <change operation='modify' path='/cib'><change-result><cib epoch='5' x='1'/>\
                </change-result></change></diff>";
    let set = PatchSet::parse(text).unwrap();
    let mut d = cib(ABC);
    d.apply(&set).unwrap();
    assert_eq!(d.version().to_string(), "0.5.2");
    assert_eq!(d.root().attribute("x"), Some("1"));
    let before = d.clone();
    let error = d.apply(&set).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(
        error.to_string(),
        "the patch set starts from version 0.4.0, the CIB has 0.5.2"
    );
    assert_eq!(d, before);
}

#[test]
fn what_is_not_there_is_a_conflict_and_changes_nothing() {
    for (change, wanted) in [
        (
            moved("z", 0),
            "cannot move /cib/r/p[@id='z']: it is not there",
        ),
        (moved("a", 3), "moves an element to position 3 of 2"),
        (moved("a", 1) + &moved("a", 2), "deletes, or moves twice"),
        (moved("a", 1) + &deleted("a"), "deletes, or moves twice"),
        (
            "<change operation='modify' path='/cib/z'><change-list/></change>".into(),
            "cannot modify",
        ),
        (
            "<change operation='create' path='/cib/r/g' position='0'><p/></change>".into(),
            "cannot create an element in /cib/r/g",
        ),
        (
            "<change operation='create' path='/other/r' position='0'><p/></change>".into(),
            "cannot create",
        ),
        (
            "<change operation='delete' path='/cib'/>".into(),
            "the root cannot be deleted",
        ),
        (
            "<change operation='move' path='/cib' position='0'/>".into(),
            "the root cannot be moved",
        ),
        (
            "<change operation='move' path='//p' position='0'/>".into(),
            "cannot move //p",
        ),
        (
            "<change operation='move' path='' position='0'/>".into(),
            "cannot move",
        ),
        (
            "<change operation='move' path='/cib/r/p[2]' position='0'/>".into(),
            "cannot move",
        ),
    ] {
        // Changes before the bad one are undone.
        let before = deleted("c")
            + &create(0, "<p id='n' new='1'/>")
            + "<change operation='modify' path='/cib/r'><change-list>\
               <change-attr name='x' operation='set' value='1'/></change-list></change>"
            + &moved("b", 0);
        let message = refused(ABC, &(before + &change));
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn what_is_no_patch_set_is_refused() {
    let refused = |text: &str| PatchSet::parse(text).unwrap_err();
    assert_eq!(
        refused("<cib/>").to_string(),
        "<cib> is not a patch set (<diff>)"
    );
    assert_eq!(refused("<diff/>").kind(), ErrorKind::Unsupported);
    assert_eq!(refused("<diff format='3'/>").kind(), ErrorKind::Unsupported);
    for (change, wanted) in [
        (
            "<change operation='delete'/>",
            "change 1 of the patch set has no path",
        ),
        ("<change path='/a'/>", "has no operation"),
        (
            "<change operation='replace' path='/a'/>",
            "has an unknown operation: \"replace\"",
        ),
        (
            "<change operation='create' path='/a'/>",
            "creates nothing in /a",
        ),
        (
            "<change operation='move' path='/a' position='-1'/>",
            "position that is no number",
        ),
        (
            "<change operation='modify' path='/a'/>",
            "does not say how to modify /a",
        ),
        (
            "<change operation='modify' path='/a'><change-list><change-attr name='1 2' \
             operation='set' value=''/></change-list></change>",
            "an attribute of a bad name: \"1 2\"",
        ),
    ] {
        let error = refused(&format!("<diff format='2'>{change}</diff>"));
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn ids_in_paths_are_read_as_pacemaker_writes_them() {
    for id in ["a/b", "it's", "x']y", "a[1]", "é <&>", "a\"b"] {
        let mut d = Document::new("cib");
        let r = d.append_child(d.root().id(), "r");
        let p = d.append_child(r, "p");
        d.set_attribute(p, "id", id);
        let mut set = Document::new("diff");
        let root = set.root().id();
        set.set_attribute(root, "format", "2");
        let change = set.append_child(root, "change");
        set.set_attribute(change, "operation", "move");
        set.set_attribute(change, "path", &format!("/cib/r/p[@id='{id}']"));
        d.apply(&PatchSet::from_document(set).unwrap())
            .unwrap_or_else(|e| panic!("{id}: {e}"));
    }
}

#[test]
fn changes_are_typed() {
    let old = cib("<p id='a' x='1'/><p id='b'/><p id='c'/><!--c-->");
    let new = cib("<p id='c'/><p id='a' y='2'/><p id='n'/><!--d-->");
    let set = PatchSet::between(&old, &new).unwrap();
    let changes: Vec<_> = set.changes().collect();
    assert_eq!(changes.len(), 6, "{}", set.to_xml());
    assert_eq!(
        changes[0],
        Change::Delete {
            path: "/cib/r/p[@id='b']",
            position: None
        }
    );
    assert_eq!(
        changes[1],
        Change::Delete {
            path: "/cib/r/comment",
            position: Some(2)
        }
    );
    assert!(matches!(
        changes[2],
        Change::Move {
            path: "/cib/r/p[@id='a']",
            position: 1
        } | Change::Move {
            path: "/cib/r/p[@id='c']",
            position: 0
        }
    ));
    let Change::Create {
        parent: "/cib/r",
        position: 2,
        element: Some(n),
    } = changes[3]
    else {
        panic!("{:?}", changes[3]);
    };
    assert_eq!(n.attribute("id"), Some("n"));
    assert_eq!(
        changes[4],
        Change::Create {
            parent: "/cib/r",
            position: 3,
            element: None
        }
    );
    let Change::Modify {
        path,
        attributes,
        result,
    } = changes[5]
    else {
        panic!("{:?}", changes[5]);
    };
    assert_eq!(path, "/cib/r/p[@id='a']");
    let list: Vec<_> = attributes.iter().collect();
    assert_eq!(list, [("y", Some("2")), ("x", None)]);
    assert_eq!(result.and_then(|r| r.attribute("y")), Some("2"));
}

/// The number of changes that lead from one to the other.
#[track_caller]
fn changes_between(old: &str, new: &str) -> usize {
    let (old, new) = (cib(old), cib(new));
    let set = PatchSet::between(&old, &new).unwrap();
    let mut result = old.clone();
    result
        .apply(&set)
        .unwrap_or_else(|e| panic!("{e:#}\n{}", set.to_xml()));
    assert_eq!(result, new, "{}", set.to_xml());
    assert_eq!(PatchSet::parse(&set.to_xml()).unwrap(), set);
    set.changes().count()
}

#[test]
fn between_is_small() {
    assert_eq!(changes_between(ABC, ABC), 0);
    assert_eq!(changes_between(ABC, "<p id='b'/><p id='c'/><p id='a'/>"), 1);
    assert_eq!(changes_between("<p id='b'/><p id='c'/><p id='a'/>", ABC), 1);
    assert_eq!(changes_between(ABC, "<p id='c'/><p id='b'/><p id='a'/>"), 2);
    assert_eq!(changes_between(ABC, "<q id='a'/><p id='b'/><p id='c'/>"), 2);
    assert_eq!(changes_between("<p/><q/>", "<q/><p x='1'/>"), 2);
    assert_eq!(
        changes_between("<!--1--><p/><!--2-->", "<p/><!--2--><!--3-->"),
        2
    );
    // Equal comments are paired in order, and one that would have to move is replaced.
    assert_eq!(changes_between("<!--1--><p/><!--1-->", "<p/><!--1-->"), 3);
}

#[test]
fn what_paths_cannot_tell_apart_is_replaced() {
    // Nothing to do, whatever it is.
    for same in [
        "<p/><p/>",
        "<p id='a'/><p/>",
        "<p id='a'/><p id='a'/>",
        "<p id='x/y'/>",
        "t",
    ] {
        assert_eq!(changes_between(same, same), 0);
    }
    assert_eq!(changes_between("<p/><p/><q/>", "<p/><p/><q x='1'/>"), 1);
    assert_eq!(
        changes_between("<p x='1'/><q/><p x='2'/>", "<p x='1'/><q/><p x='3'/>"),
        4
    );
    assert_eq!(changes_between("<p id='a'/><p/>", "<p id='a'/>"), 3);
    assert_eq!(
        changes_between("<p id='a'/><p id='a'/>", "<p id='a' x='1'/>"),
        3
    );
    assert_eq!(changes_between("<p id=''/>", "<p id='' x='1'/>"), 1);
    assert_eq!(
        changes_between("<g><p id='x/y'/></g>", "<g><p id='x/y' z='1'/></g>"),
        2
    );
    assert_eq!(changes_between("<p>one</p>", "<p>two</p>"), 2);
    assert_eq!(changes_between("<p/>", "<p>two</p>"), 2);
}

#[test]
fn what_the_root_holds_may_be_out_of_reach() {
    let between = |a: &str, b: &str| PatchSet::between(&parse(a), &parse(b));
    assert_eq!(
        between("<a/>", "<b/>").unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    assert_eq!(
        between("<a>t</a>", "<a>u</a>").unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    assert_eq!(
        between("<a/>", "<a>u</a>").unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    assert_eq!(
        between("<a>t</a>", "<a>t</a>").unwrap().changes().count(),
        0
    );
}

#[test]
fn a_deep_tree_stays_in_proportion() {
    const DEPTH: usize = 100_000;
    let tree = |leaf: &str| parse(&("<a>".repeat(DEPTH) + leaf + &"</a>".repeat(DEPTH)));
    let (old, new) = (tree("<b/>"), tree("<c/>"));
    let set = PatchSet::between(&old, &new).unwrap();
    assert!(set.to_xml().len() < 200 * DEPTH);
    let mut result = old.clone();
    result.apply(&set).unwrap();
    assert_eq!(result, new);
}

#[test]
fn many_patches_do_not_make_a_document_grow() {
    let mut d = cib(ABC);
    for i in 0..10_000 {
        let mut next = d.clone();
        let r = next.root().child("r").unwrap();
        let (r, first) = (r.id(), r.child("p").unwrap().id());
        next.remove(first);
        let p = next.append_child(r, "p");
        next.set_attribute(p, "id", &format!("p{i}"));
        next.set_attribute(r, "count", &i.to_string());
        let set = PatchSet::between(&d, &next).unwrap();
        d.apply(&set).unwrap();
        assert_eq!(d, next);
        assert!(d.size() < 4000, "{} bytes after {i} patches", d.size());
    }
}
