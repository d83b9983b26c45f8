//! HTML, with the line breaks of libxml2's serializer.

use super::{Lists, Span};

const HEAD: &str = "\
<!DOCTYPE html>
<html lang=\"en\">
<head>
<title>Cluster Status</title>
<meta charset=\"utf-8\">
<style>.bold { font-weight: bold }
.online { color: green }
.offline { color: red }
.maint { color: blue }
.standby { color: blue }
.health_red { color: red }
.health_yellow { color: GoldenRod }
.rsc-failed { color: red }
.rsc-failure-ignored { color: DarkGreen }
.rsc-managed { color: blue }
.rsc-multiple { color: orange }
.rsc-ok { color: green }
.warning { color: red; font-weight: bold }</style>
</head>
";

/// Writes nested lists as HTML.
#[derive(Debug, Default)]
pub struct Html {
    body: String,
    /// For each open list, whether it has an item.
    open: Vec<bool>,
}

impl Html {
    /// Returns the whole document.
    #[must_use]
    pub fn finish(self) -> String {
        if self.body.is_empty() {
            return format!("{HEAD}<body></body>\n</html>\n");
        }
        format!("{HEAD}<body>\n{}</body>\n</html>\n", self.body)
    }

    fn note_item(&mut self) {
        if let Some(has_items) = self.open.last_mut()
            && !*has_items
        {
            *has_items = true;
            self.body.push_str("<ul>\n");
        }
    }
}

impl Lists for Html {
    fn begin(&mut self, title: &str) {
        self.note_item();
        let heading = if self.open.is_empty() { "h2" } else { "h3" };
        if !self.open.is_empty() {
            self.body.push_str("<li>\n");
        }
        self.body.push_str(&format!("<{heading}>"));
        escape(&mut self.body, title);
        self.body.push_str(&format!("</{heading}>\n"));
        self.open.push(false);
    }

    fn nest(&mut self) {
        self.note_item();
        self.body.push_str("<li>\n");
        self.open.push(false);
    }

    fn item(&mut self, spans: &[Span<'_>]) {
        self.note_item();
        self.body.push_str("<li>");
        let several = spans.len() > 1;
        if several {
            self.body.push('\n');
        }
        for span in spans {
            match span.class {
                Some(class) => self.body.push_str(&format!("<span class=\"{class}\">")),
                None => self.body.push_str("<span>"),
            }
            escape(&mut self.body, span.text);
            self.body.push_str("</span>");
        }
        if several {
            self.body.push('\n');
        }
        self.body.push_str("</li>\n");
    }

    fn end(&mut self) {
        let has_items = self.open.pop().unwrap_or(false);
        self.body
            .push_str(if has_items { "</ul>\n" } else { "<ul></ul>\n" });
        if !self.open.is_empty() {
            self.body.push_str("</li>\n");
        }
    }

    fn paragraph(&mut self, _lines: &[&str]) {}

    fn is_html(&self) -> bool {
        true
    }
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
}
