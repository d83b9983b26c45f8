//! The formats.

mod html;
mod text;
mod xml;

pub use html::Html;
pub use text::Text;
pub use xml::Xml;

/// A piece of an item, with what HTML styles it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<'a> {
    /// The style's name.
    pub class: Option<&'static str>,
    /// The text.
    pub text: &'a str,
}

impl<'a> Span<'a> {
    /// Makes a piece without a style.
    #[must_use]
    pub fn plain(text: &'a str) -> Self {
        Self { class: None, text }
    }

    /// Makes a piece with a style.
    #[must_use]
    pub fn styled(class: &'static str, text: &'a str) -> Self {
        Self {
            class: Some(class),
            text,
        }
    }
}

/// A format of nested lists.
pub trait Lists {
    /// Starts a list; at the outermost level, a section.
    fn begin(&mut self, title: &str);
    /// Starts a list that has no heading, one level deeper.
    fn nest(&mut self);
    /// Adds an item.
    fn item(&mut self, spans: &[Span<'_>]);
    /// Ends the innermost list.
    fn end(&mut self);
    /// Adds lines that stand by themselves.
    fn paragraph(&mut self, lines: &[&str]);
    /// Tells whether this is HTML, where some words differ.
    fn is_html(&self) -> bool;
}
