//! Writing XML text: what is written is read again as an equal tree.

use super::document::NONE;
use super::element::Element;
use super::names::COMMENT;

/// Depth beyond which lines are no longer indented further: a tree of a million levels stays in
/// proportion.
const MAX_INDENT: usize = 32;

/// Writes an element and what it holds, one element a line, indented by two spaces.
pub(super) fn indented(element: Element<'_>) -> String {
    let mut out = String::with_capacity(element.document().size());
    write(element, &mut out, true);
    out.push('\n');
    out
}

/// Writes an element and what it holds, with no blanks between tags.
pub(super) fn compact(element: Element<'_>) -> String {
    let mut out = String::new();
    write(element, &mut out, false);
    out
}

fn write(top: Element<'_>, out: &mut String, indent: bool) {
    let document = top.document();
    let nodes = &document.nodes;
    let top = top.id().0;
    let mut at = top;
    let mut depth = 0;
    // Inside an element that holds text, added blanks would become part of the text: the depth of
    // the outermost such element.
    let mut verbatim = if indent { usize::MAX } else { 0 };
    loop {
        let node = &nodes[at as usize];
        if node.is_text() {
            escape_text(document.node_text(node), out);
        } else if node.name == COMMENT {
            out.push_str("<!--");
            out.push_str(document.node_text(node));
            out.push_str("-->");
        } else {
            let element = Element::new(document, at);
            open(element, out);
            if node.first != NONE {
                out.push('>');
                if verbatim == usize::MAX && element.holds_text() {
                    verbatim = depth;
                }
                depth += 1;
                at = node.first;
                new_line(out, depth, verbatim);
                continue;
            }
            out.push_str("/>");
        }
        loop {
            if at == top {
                return;
            }
            let node = &nodes[at as usize];
            if node.next != NONE {
                at = node.next;
                new_line(out, depth, verbatim);
                break;
            }
            at = node.parent;
            depth -= 1;
            new_line(out, depth, verbatim);
            if verbatim != usize::MAX && verbatim == depth && indent {
                verbatim = usize::MAX;
            }
            out.push_str("</");
            out.push_str(Element::new(document, at).name());
            out.push('>');
        }
    }
}

fn open(element: Element<'_>, out: &mut String) {
    out.push('<');
    out.push_str(element.name());
    for (name, value) in element.attributes() {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape_attribute(value, out);
        out.push('"');
    }
}

fn new_line(out: &mut String, depth: usize, verbatim: usize) {
    if verbatim == usize::MAX {
        out.push('\n');
        for _ in 0..depth.min(MAX_INDENT) {
            out.push_str("  ");
        }
    }
}

fn escape_attribute(value: &str, out: &mut String) {
    escape(value, out, |b| match b {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'"' => Some("&quot;"),
        // Plain ones would be read as spaces.
        b'\t' => Some("&#9;"),
        b'\n' => Some("&#10;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

fn escape_text(text: &str, out: &mut String) {
    escape(text, out, |b| match b {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        // A plain one would be read as a newline.
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

#[inline]
fn escape(text: &str, out: &mut String, replacement: impl Fn(u8) -> Option<&'static str>) {
    let mut done = 0;
    for (i, b) in text.bytes().enumerate() {
        if let Some(escaped) = replacement(b) {
            out.push_str(&text[done..i]);
            out.push_str(escaped);
            done = i + 1;
        }
    }
    out.push_str(&text[done..]);
}
