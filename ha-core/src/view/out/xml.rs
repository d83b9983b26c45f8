//! XML as libxml2 writes it: two spaces a level, no declaration, ASCII only.

use std::fmt::Write as _;

/// Writes elements.
#[derive(Debug, Default)]
pub struct Xml {
    text: String,
    open: Vec<&'static str>,
    /// The innermost element has no child yet: its tag is still open.
    in_tag: bool,
}

impl Xml {
    /// Starts an element.
    pub fn open(&mut self, name: &'static str) {
        self.close_tag();
        self.indent();
        self.text.push('<');
        self.text.push_str(name);
        self.open.push(name);
        self.in_tag = true;
    }

    /// Adds an attribute to the element that was just started.
    pub fn attribute(&mut self, name: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        escape(&mut self.text, value);
        self.text.push('"');
    }

    /// Adds an attribute that may be missing.
    pub fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.attribute(name, value);
        }
    }

    /// Adds a boolean attribute.
    pub fn flag(&mut self, name: &str, value: bool) {
        self.attribute(name, if value { "true" } else { "false" });
    }

    /// Adds a numeric attribute.
    pub fn number(&mut self, name: &str, value: impl std::fmt::Display) {
        self.attribute(name, &value.to_string());
    }

    /// Adds an element that has a text inside it.
    pub fn element(&mut self, name: &str, text: &str) {
        self.close_tag();
        self.indent();
        self.text.push_str(&format!("<{name}>"));
        escape(&mut self.text, text);
        self.text.push_str(&format!("</{name}>\n"));
    }

    /// Ends the innermost element.
    pub fn close(&mut self) {
        let Some(name) = self.open.pop() else { return };
        if self.in_tag {
            self.text.push_str("/>\n");
            self.in_tag = false;
        } else {
            self.indent();
            self.text.push_str("</");
            self.text.push_str(name);
            self.text.push_str(">\n");
        }
    }

    /// Returns what was written.
    #[must_use]
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn close_tag(&mut self) {
        if self.in_tag {
            self.text.push_str(">\n");
            self.in_tag = false;
        }
    }

    fn indent(&mut self) {
        for _ in 0..self.open.len() {
            self.text.push_str("  ");
        }
    }
}

fn escape(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_ascii() => out.push(c),
            c => {
                // Writing to a string cannot fail.
                let _ = write!(out, "&#x{:X};", u32::from(c));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_nest_and_close_themselves() {
        let mut xml = Xml::default();
        xml.open("a");
        xml.attribute("x", "1 < \"2\"\n\u{e9}");
        xml.open("b");
        xml.close();
        assert_eq!(
            xml.finish(),
            "<a x=\"1 &lt; &quot;2&quot;&#10;&#xE9;\">\n  <b/>\n</a>\n"
        );
    }
}
