//! Lines of styled pieces: for screens.

use super::{Lists, Span};

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The style's name, as HTML has it (`online`, `rsc-failed`, `bold` ...).
    pub class: Option<&'static str>,
    /// The text.
    pub text: String,
}

/// A line of the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// How deep it is: its text starts after so many times two spaces and, when that is not 0, an
    /// asterisk.
    pub depth: usize,
    /// It is the title of a list.
    pub is_title: bool,
    /// What it says.
    pub pieces: Vec<Piece>,
}

impl Line {
    /// Returns what stands in front of the first piece.
    #[must_use]
    pub fn bullet(&self) -> String {
        if self.depth == 0 {
            String::new()
        } else {
            "  ".repeat(self.depth) + "* "
        }
    }
}

/// Writes nested lists as lines.
#[derive(Debug, Default)]
pub struct Styled {
    lines: Vec<Line>,
    depth: usize,
    has_section: bool,
    had_section: bool,
    /// Which lines the titles of the open lists are.
    titles: Vec<std::ops::Range<usize>>,
}

impl Styled {
    /// Returns what was written.
    #[must_use]
    pub fn finish(self) -> Vec<Line> {
        self.lines
    }

    fn push(&mut self, is_title: bool, spans: &[Span<'_>]) {
        self.lines.push(Line {
            depth: self.depth,
            is_title,
            pieces: spans
                .iter()
                .map(|span| Piece {
                    class: span.class,
                    text: span.text.to_owned(),
                })
                .collect(),
        });
    }
}

impl Lists for Styled {
    fn begin(&mut self, title: &str) {
        if self.depth == 0 {
            self.had_section = std::mem::replace(&mut self.has_section, true);
            if self.had_section {
                self.lines.push(Line::default());
            }
        }
        let start = self.lines.len();
        self.push(true, &[Span::plain(title), Span::plain(":")]);
        self.titles.push(start..self.lines.len());
        self.depth += 1;
    }

    fn nest(&mut self, title: Option<&str>) {
        let start = self.lines.len();
        if let Some(title) = title {
            self.line(title);
        }
        self.titles.push(start..self.lines.len());
        self.depth += 1;
    }

    fn item(&mut self, spans: &[Span<'_>]) {
        self.push(false, spans);
    }

    fn item_with(&mut self, spans: &[Span<'_>], fill: &mut dyn FnMut(&mut dyn Lists)) {
        self.item(spans);
        self.depth += 1;
        fill(self);
        self.depth -= 1;
    }

    fn line(&mut self, text: &str) {
        self.push(false, &[Span::plain(text)]);
    }

    fn styled_line(&mut self, class: &'static str, text: &str) {
        self.push(false, &[Span::styled(class, text)]);
    }

    fn end(&mut self) {
        self.titles.pop();
        self.depth -= 1;
    }

    fn end_unless_empty(&mut self) -> bool {
        let title = self.titles.last().cloned();
        self.end();
        match title.filter(|title| title.end == self.lines.len()) {
            Some(title) => {
                self.lines.truncate(title.start);
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
            self.lines.push(Line {
                pieces: vec![Piece {
                    class: None,
                    text: (*line).to_owned(),
                }],
                ..Line::default()
            });
        }
    }

    fn is_html(&self) -> bool {
        false
    }
}
