//! Plain text: bulleted lists.

use super::{Lists, Span};

/// Writes nested lists as text.
#[derive(Debug, Default)]
pub struct Text {
    text: String,
    depth: usize,
    /// A section was printed: the next one is set off by an empty line.
    has_section: bool,
    /// The same, as of before the last section.
    had_section: bool,
    /// Where the titles of the open lists begin and end.
    titles: Vec<(usize, usize)>,
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
        if self.depth == 0 {
            self.had_section = std::mem::replace(&mut self.has_section, true);
            if self.had_section {
                self.text.push('\n');
            }
        }
        let start = self.text.len();
        self.start_line();
        self.text.push_str(title);
        self.text.push_str(":\n");
        self.titles.push((start, self.text.len()));
        self.depth += 1;
    }

    fn nest(&mut self, title: Option<&str>) {
        let start = self.text.len();
        if let Some(title) = title {
            self.line(title);
        }
        self.titles.push((start, self.text.len()));
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
        self.titles.pop();
        self.depth -= 1;
    }

    fn end_unless_empty(&mut self) -> bool {
        let title = self.titles.last().copied();
        self.end();
        match title.filter(|&(_, end)| end == self.text.len()) {
            Some((start, _)) => {
                self.text.truncate(start);
                false
            }
            None => true,
        }
    }

    fn discount(&mut self) {
        self.has_section = self.had_section;
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
