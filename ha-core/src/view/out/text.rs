//! Plain text: bulleted lists.

use super::{Lists, Span};

/// Writes nested lists as text.
#[derive(Debug, Default)]
pub struct Text {
    text: String,
    depth: usize,
    /// A section was printed: the next one is set off by an empty line.
    has_section: bool,
}

impl Text {
    /// Returns what was written.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn start_line(&mut self) {
        if self.depth > 0 {
            for _ in 0..self.depth {
                self.text.push_str("  ");
            }
            self.text.push_str("* ");
        }
    }
}

impl Lists for Text {
    fn begin(&mut self, title: &str) {
        if self.depth == 0 && std::mem::replace(&mut self.has_section, true) {
            self.text.push('\n');
        }
        self.start_line();
        self.text.push_str(title);
        self.text.push_str(":\n");
        self.depth += 1;
    }

    fn nest(&mut self, title: Option<&str>) {
        if let Some(title) = title {
            self.line(title);
        }
        self.depth += 1;
    }

    fn item(&mut self, spans: &[Span<'_>]) {
        self.start_line();
        for span in spans {
            self.text.push_str(span.text);
        }
        self.text.push('\n');
    }

    fn item_with(&mut self, spans: &[Span<'_>], fill: &mut dyn FnMut(&mut dyn Lists)) {
        self.item(spans);
        self.depth += 1;
        fill(self);
        self.depth -= 1;
    }

    fn line(&mut self, text: &str) {
        self.item(&[Span::plain(text)]);
    }

    fn styled_line(&mut self, _class: &'static str, text: &str) {
        self.line(text);
    }

    fn end(&mut self) {
        self.depth -= 1;
    }

    fn paragraph(&mut self, lines: &[&str]) {
        for line in lines {
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    fn is_html(&self) -> bool {
        false
    }
}
