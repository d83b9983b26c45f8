//! Reading any bytes, then writing them and reading them again.

use ha_core::xml::{Builder, Document, Element};

/// Reads bytes as XML; when they are XML, all ways to write and to copy it give an equal document.
pub fn check(data: &[u8]) {
    let Ok(document) = Document::parse_bytes(data) else {
        return;
    };
    for text in [document.to_xml(), document.to_xml_compact()] {
        let again = Document::parse(&text)
            .unwrap_or_else(|e| panic!("what was written cannot be read: {e:#}\n{text}"));
        assert_eq!(again, document, "{text}");
    }
    let mut compact = document.clone();
    compact.compact();
    assert_eq!(compact, document);
    assert_eq!(Document::copy_of(document.root()), document);

    let all = document.root().descendants();
    let depths = all.clone().map(|e| e.children().count()).sum::<usize>();
    assert_eq!(
        all.count(),
        depths + 1,
        "each element but the root is a child once"
    );
    let rebuilt = rebuilt(document.root());
    let tags = |d: &Document| {
        d.root()
            .descendants()
            .map(|e| format!("{e:?}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(tags(&rebuilt), tags(&document));
}

/// Builds the elements of a tree once more, without text and comments.
fn rebuilt(top: Element<'_>) -> Document {
    let mut builder = Builder::new();
    let mut open: Vec<Element<'_>> = Vec::new();
    for element in top.descendants() {
        while open.last().copied() != element.parent() && !open.is_empty() {
            builder.end();
            open.pop();
        }
        builder.start(element.name());
        for (name, value) in element.attributes() {
            builder.attribute(name, value);
        }
        open.push(element);
    }
    for _ in open {
        builder.end();
    }
    builder.finish().expect("a tree that was read can be built")
}
