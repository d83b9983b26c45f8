//! Tests of reading, writing and editing.

use super::*;
use crate::ErrorKind;

fn parse(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

fn refused(text: &str) -> String {
    match Document::parse(text) {
        Ok(d) => panic!("{text:?} was read as {}", d.to_xml_compact()),
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::Invalid, "{e:?}");
            e.to_string()
        }
    }
}

#[test]
fn reads_what_a_cib_holds() {
    let d = parse(
        "<?xml version='1.0' encoding='UTF-8'?>\n<!-- saved -->\n\
         <cib epoch=\"3\" num_updates='14' admin_epoch='0'>\n  <configuration>\n\
         <!-- a <b> --><nodes><node id = '1' uname=\"ma&#238;tre\"/><node id=\"2\"\n\tuname='es&lt;&amp;&quot;'/></nodes>\n\
         </configuration>\n<status/></cib>\n<!-- end -->",
    );
    assert_eq!(d.root().name(), "cib");
    assert_eq!(d.version().to_string(), "0.3.14");
    let nodes = d
        .root()
        .child("configuration")
        .unwrap()
        .child("nodes")
        .unwrap();
    let unames: Vec<_> = nodes
        .children()
        .map(|n| n.attribute("uname").unwrap())
        .collect();
    assert_eq!(unames, ["maître", "es<&\""]);
    assert_eq!(nodes.parent().unwrap().name(), "configuration");
    assert!(d.root().parent().is_none());
    let names: Vec<_> = d.root().descendants().map(Element::name).collect();
    assert_eq!(
        names,
        ["cib", "configuration", "nodes", "node", "node", "status"]
    );
    assert_eq!(nodes.descendants().count(), 3);
    assert_eq!(nodes.children_named("nothing").count(), 0);
    assert_eq!(nodes.attribute("id"), None);
}

#[test]
fn blanks_in_values_are_read_as_xml_says() {
    let d = parse("<a b='1\n2\t3\r\n4\r5' c='&#10;&#9;&#13;&#x20;'/>");
    assert_eq!(d.root().attribute("b"), Some("1 2 3 4 5"));
    assert_eq!(d.root().attribute("c"), Some("\n\t\r "));
    assert_eq!(
        d.to_xml_compact(),
        r#"<a b="1 2 3 4 5" c="&#10;&#9;&#13; "/>"#
    );
    assert_eq!(parse(&d.to_xml()), d);
}

#[test]
fn values_of_all_lengths_are_read() {
    for length in 0..20 {
        for special in ["", "<", "&", "\t", "é", "\u{FFFD}", "'", "\u{7F}"] {
            for at in 0..=length {
                let mut value = "x".repeat(length);
                value.insert_str(at, special);
                let mut d = Document::new("a");
                let root = d.root().id();
                d.set_attribute(root, "b", &value);
                d.set_attribute(root, "c", "y");
                assert_eq!(
                    parse(&d.to_xml()).root().attribute("b"),
                    Some(value.as_str())
                );
                assert_eq!(parse(&d.to_xml()), d);
            }
        }
        let bad = format!("<a b='{}\u{1}'/>", "x".repeat(length));
        let column = length + 7;
        assert!(refused(&bad).starts_with(&format!("line 1, column {column}: XML cannot")));
        let open = format!("<a b='{}<' c='d'/>", "x".repeat(length));
        assert!(refused(&open).starts_with(&format!("line 1, column {column}: `<`")));
    }
}

#[test]
fn text_is_kept_unless_blank() {
    let d = parse(
        "<a> <b> x &lt;<![CDATA[<&]]> y\r\nz</b> <c>\n&#32;<!-- \r\n--> </c>t<d/> u<!---->v</a>",
    );
    let b = d.root().child("b").unwrap();
    assert_eq!(b.text(), " x <<& y\nz");
    assert_eq!(d.root().child("c").unwrap().text(), "");
    assert_eq!(d.root().text(), "t uv");
    assert_eq!(d.root().children().count(), 3);
    for text in [d.to_xml(), d.to_xml_compact()] {
        assert_eq!(parse(&text), d, "{text}");
    }
    assert_eq!(
        parse("<a><b><c/></b><d>t<e/></d><f/></a>").to_xml(),
        "<a>\n  <b>\n    <c/>\n  </b>\n  <d>t<e/></d>\n  <f/>\n</a>\n"
    );
}

#[test]
fn refuses_what_is_not_well_formed() {
    for (text, wanted) in [
        ("", "line 1, column 1: there is no root element"),
        ("   \n ", "line 2, column 2: there is no root element"),
        ("<a>", "line 1, column 4: the text ends inside of <a>"),
        ("<a><b></a>", "line 1, column 7: "),
        ("</a>", "line 1, column 1: "),
        (
            "<a/><b/>",
            "line 1, column 5: there is more than one root element",
        ),
        (
            "<a/>é",
            "line 1, column 5: there is text outside of the root element",
        ),
        (
            "x<a/>",
            "line 1, column 1: there is text outside of the root element",
        ),
        (
            "<a/>&#32;",
            "line 1, column 5: there is a reference outside of the root element",
        ),
        (
            "<![CDATA[ ]]><a/>",
            "line 1, column 1: there is character data outside",
        ),
        (
            "<a b='1' b='2'/>",
            "line 1, column 10: the attribute b is there twice",
        ),
        (
            "<a b='1'c='2'/>",
            "line 1, column 9: a blank must precede an attribute",
        ),
        ("<a b/>", "line 1, column 5: attribute \"b\" has no value"),
        (
            "<a é=1/>",
            "line 1, column 6: the value of attribute \"é\" is not in quotes",
        ),
        (
            "<a b='<'/>",
            "line 1, column 7: `<` in an attribute's value",
        ),
        (
            "<a b='&'/>",
            "line 1, column 7: `&` does not start a reference",
        ),
        (
            "<a b='&nbsp;'/>",
            "line 1, column 7: the entity &nbsp; is not defined",
        ),
        (
            "<a>&nbsp;</a>",
            "line 1, column 4: the entity &nbsp; is not defined",
        ),
        (
            "<a>&#0;</a>",
            "line 1, column 4: &#0; is not a character that XML can hold",
        ),
        (
            "<a>&#xD800;</a>",
            "line 1, column 4: &#xD800; is not a character",
        ),
        (
            "<a>&#+65;</a>",
            "line 1, column 4: &#+65; is not a character",
        ),
        ("<a>&#;</a>", "line 1, column 4: &#; is not a character"),
        (
            "<a>\u{1}</a>",
            "line 1, column 4: XML cannot hold the character '\\u{1}'",
        ),
        (
            "<a\n b='x\u{1}'/>",
            "line 2, column 6: XML cannot hold the character",
        ),
        ("<a>]]></a>", "line 1, column 4: `]]>` in text"),
        ("<1a/>", "line 1, column 1: \"1a\" is not an XML name"),
        ("< a/>", "line 1, column 1: \"\" is not an XML name"),
        ("<a 1='2'/>", "line 1, column 4: \"1\" is not an XML name"),
        ("<a><!-- -- --></a>", "line 1, column "),
        (
            "<a/><?xml version='1.0'?>",
            "line 1, column 5: an XML declaration must be",
        ),
        (
            " <?xml version='1.0'?><a/>",
            "line 1, column 2: an XML declaration must be",
        ),
        (
            "<?xml version='1.0' encoding='latin1'?><a/>",
            "line 1, column 1: the encoding latin1",
        ),
        (
            "<!DOCTYPE a [<!ENTITY x SYSTEM '/etc/passwd'>]><a>&x;</a>",
            "line 1, column 1: a document type (<!DOCTYPE>) is not accepted",
        ),
        ("<a", "line 1, column 1: "),
        ("<a b='", "line 1, column 1: "),
        ("<a><!--", "line 1, column 4: "),
        ("<a>&lt</a>", "line 1, column 4: "),
    ] {
        let message = refused(text);
        assert!(message.starts_with(wanted), "{text:?}: {message}");
    }
}

#[test]
fn other_encodings_are_refused_with_the_way_out() {
    let latin = Document::parse_bytes(b"<a>\n<b c='\xe9'/></a>").unwrap_err();
    assert!(
        latin
            .to_string()
            .starts_with("line 2, column 7: the text is not UTF-8 (byte 0xe9)")
    );
    assert!(latin.hint().unwrap().contains("iconv"));
    let utf16 = Document::parse_bytes(b"\xff\xfe<\0a\0").unwrap_err();
    assert_eq!(utf16.to_string(), "the text is in UTF-16");
    let marked = Document::parse_bytes(b"\xef\xbb\xbf<?xml version='1.0'?><a/>");
    assert_eq!(marked.unwrap().root().name(), "a");
    assert!(refused("\u{FEFF}<a>\n").starts_with("line 2, column 1: the text ends inside"));
    assert!(refused("\u{FEFF}\n<?xml version='1.0'?><a/>").starts_with("line 2, column 1: an XML"));
    assert!(refused("\u{FEFF}\u{FEFF}<a/>").starts_with("line 1, column 1: a second byte order"));
}

#[test]
fn the_builder_reports_its_first_mistake() {
    let mistake = |f: fn(&mut Builder)| {
        let mut b = Builder::new();
        f(&mut b);
        b.finish().unwrap_err().to_string()
    };
    assert_eq!(mistake(|_| ()), "there is no root element");
    assert_eq!(mistake(|b| b.start("a")), "element <a> is not closed");
    assert_eq!(
        mistake(Builder::end),
        "there is an end tag without a start tag"
    );
    assert_eq!(mistake(|b| b.start("a b")), "\"a b\" is not an XML name");
    assert_eq!(
        mistake(|b| {
            b.start("a");
            b.end();
            b.start("b");
        }),
        "there is more than one root element"
    );
    assert_eq!(
        mistake(|b| {
            b.start("a");
            b.attribute("x", "1");
            b.attribute("x", "1");
            b.end();
        }),
        "the attribute x is there twice"
    );
    assert_eq!(
        mistake(|b| {
            b.start("a");
            b.text("t");
            b.attribute("x", "1");
        }),
        "there is an attribute outside of a start tag"
    );
    assert_eq!(
        mistake(|b| {
            b.start("a");
            b.attribute("x", "\u{1}");
        }),
        "XML cannot hold the character '\\u{1}'"
    );
}

#[test]
fn the_builder_makes_what_the_parser_makes() {
    let mut b = Builder::new();
    b.start("a");
    b.attribute("x", "1");
    let name = b.name("y");
    b.attribute_named(name, "2");
    b.text(" ");
    b.comment("a --- b-");
    b.start("b");
    b.text("one ");
    b.text("text");
    b.end();
    b.text("\n");
    b.start("c");
    b.attribute("x", "3");
    b.end();
    b.end();
    let built = b.finish().unwrap();
    assert_eq!(
        built,
        parse("<a x='1' y='2'><!--a - - - b- --><b>one text</b><c x='3'/></a>")
    );
    assert_eq!(
        built.to_xml_compact(),
        r#"<a x="1" y="2"><!--a - - - b- --><b>one text</b><c x="3"/></a>"#
    );
}

#[test]
fn equality_is_by_meaning() {
    let a = parse("<a x='1' y='2'><b/><c/></a>");
    assert_eq!(
        a,
        parse("<!-- --><a y='2'   x='1'>\n<b></b><?pi ?><c/></a><!-- -->")
    );
    for other in [
        "<a x='1' y='2'><c/><b/></a>",
        "<a x='1'><b/><c/></a>",
        "<a x='1' y='3'><b/><c/></a>",
        "<a x='1' z='2'><b/><c/></a>",
        "<a x='1' y='2'><b/></a>",
        "<a x='1' y='2'><b/><c/><d/></a>",
        "<a x='1' y='2'><b><c/></b></a>",
        "<a x='1' y='2'>t<b/><c/></a>",
        "<a x='1' y='2'><b/><c/><!-- --></a>",
        "<z x='1' y='2'><b/><c/></z>",
    ] {
        assert_ne!(a, parse(other), "{other}");
        assert_ne!(parse(other), a, "{other}");
    }
    // Parts of documents compare without what surrounds them.
    let b = parse("<r><a x='1' y='2'><b/><c/></a><d/></r>");
    assert_eq!(b.root().child("a").unwrap(), a.root());
}

#[test]
fn debug_hides_secrets() {
    let d = parse(
        "<r password='p1'><nvpair id='1' name='passwd' value='p2'/><nvpair name='ip' value='v'/></r>",
    );
    let shown: Vec<_> = d.root().descendants().map(|e| format!("{e:?}")).collect();
    assert_eq!(
        shown,
        [
            "<r password=(hidden)>",
            "<nvpair id=\"1\" name=\"passwd\" value=(hidden)>",
            "<nvpair name=\"ip\" value=\"v\">"
        ]
    );
}

#[test]
fn editing() {
    let mut d = parse("<a><b x='1' y='2' z='3'/><c/></a>");
    let root = d.root().id();
    let b = d.root().child("b").unwrap().id();
    d.set_attribute(b, "y", "<new>");
    d.set_attribute(b, "w", "4");
    assert!(d.remove_attribute(b, "x") && !d.remove_attribute(b, "x"));
    let e = d.insert_child(root, 1, "e");
    d.set_attribute(e, "x", "");
    assert_eq!(
        d.to_xml_compact(),
        r#"<a><b y="&lt;new&gt;" z="3" w="4"/><e x=""/><c/></a>"#
    );
    assert!(d.remove_attribute(b, "z") && d.remove_attribute(b, "w"));
    d.move_child(b, 2);
    d.move_child(d.root().child("c").unwrap().id(), 0);
    let f = d.append_child(e, "f");
    assert_eq!(
        d.to_xml_compact(),
        r#"<a><c/><e x=""><f/></e><b y="&lt;new&gt;"/></a>"#
    );
    d.remove(f);
    d.remove(root);
    d.append_text(e, "one");
    d.append_text(e, " two");
    assert_eq!(d.element(e).text(), "one two");
    let copied = d.import(b, 7, parse("<x y='1'>t<z w='2'/>u</x>").root());
    assert_eq!(d.element(copied).name(), "x");
    let wanted =
        r#"<a><c/><e x="">one two</e><b y="&lt;new&gt;"><x y="1">t<z w="2"/>u</x></b></a>"#;
    assert_eq!(d.to_xml_compact(), wanted);
    // Without <z>, the texts around it become one, as they would when read again.
    d.remove(d.element(copied).child("z").unwrap().id());
    assert_eq!(parse(&d.to_xml()), d);
    let before = d.clone();
    d.compact();
    assert_eq!(d, before);
    assert_eq!(d.to_xml(), before.to_xml());
}

#[test]
fn what_xml_cannot_hold_is_replaced_when_editing() {
    let mut d = Document::new("a b");
    let root = d.root().id();
    d.set_attribute(root, "1 x", "a\u{0}b\nc");
    d.append_text(root, "t\u{7}");
    let d = d;
    assert_eq!(d.root().name(), "a_b");
    assert_eq!(d.root().attribute("_1_x"), Some("a\u{FFFD}b\nc"));
    assert_eq!(parse(&d.to_xml()), d);
}

#[test]
fn a_million_levels_are_no_danger() {
    const DEPTH: usize = 1_000_000;
    let text = "<a>".repeat(DEPTH) + &"</a>".repeat(DEPTH);
    let mut d = parse(&text);
    assert_eq!(d.root().descendants().count(), DEPTH);
    assert!(d.to_xml().len() < 20 * text.len());
    let copy = parse(&d.to_xml_compact().replace("<a></a>", "<a/>"));
    assert_eq!(copy, d);
    let root = d.root().id();
    d.import(root, 0, copy.root());
    assert_eq!(d.root().descendants().count(), 2 * DEPTH);
    d.remove(d.root().child("a").unwrap().id());
    d.compact();
    assert_eq!(d, copy);
}

#[test]
fn a_hundred_thousand_attributes_or_names_are_no_danger() {
    use std::fmt::Write as _;
    let mut text = String::from("<a");
    for i in 0..100_000 {
        write!(text, " x{i}='{i}'").unwrap();
    }
    let d = parse(&format!("{text}/>"));
    assert_eq!(d.root().attribute("x99999"), Some("99999"));
    assert_eq!(parse(&d.to_xml()), d);
    let mut reversed = String::from("<a");
    for i in (0..100_000).rev() {
        write!(reversed, " x{i}='{i}'").unwrap();
    }
    assert_eq!(parse(&format!("{reversed}/>")), d);
}
