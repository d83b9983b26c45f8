//! The formats.

mod html;
mod lines;
mod text;
mod xml;

pub use html::{Html, Page};
pub use lines::{Line, Piece, Styled};
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
    /// Starts a list one level deeper, under an item or under nothing. HTML has a heading for the
    /// item, and no list of its own for nothing.
    fn nest(&mut self, title: Option<&str>);
    /// Adds an item made of pieces.
    fn item(&mut self, spans: &[Span<'_>]);
    /// Adds an item made of pieces, with lists inside it where the format can.
    fn item_with(&mut self, spans: &[Span<'_>], fill: &mut dyn FnMut(&mut dyn Lists));
    /// Adds an item that is one bare text.
    fn line(&mut self, text: &str);
    /// Adds an item that is one text, with what HTML styles the item by.
    fn styled_line(&mut self, class: &'static str, text: &str);
    /// Ends the innermost list.
    fn end(&mut self);
    /// Ends the innermost list; one that is empty is as if it had never begun. Tells whether there is
    /// anything in it.
    fn end_unless_empty(&mut self) -> bool;
    /// Does not count the section that was just ended as one that the next is set off from.
    fn discount(&mut self);
    /// Adds lines that stand by themselves.
    fn paragraph(&mut self, lines: &[&str]);
    /// Tells whether this is HTML, where some words differ.
    fn is_html(&self) -> bool;
}
