//! The text of a schema's file, and where its elements are.
//!
//! One document needs little of what a schema says. So only the tags are looked for when a file is read;
//! their names and attributes are read from the text when somebody asks for them.

use std::ops::Range;

use super::value::trimmed;
use crate::xml::{end_of_name, scan_value, skip_blanks};
use crate::{Error, ErrorKind, Result};

/// The text of one file.
#[derive(Debug)]
pub(super) struct Source {
    text: String,
    spans: Vec<Span>,
}

/// Where an element is.
#[derive(Debug)]
struct Span {
    /// Where its name is.
    name: u32,
    name_end: u32,
    /// Where its start tag ends.
    inside: u32,
    /// Where its end tag starts.
    end: u32,
    /// The first element behind it.
    next: u32,
}

impl Span {
    #[inline]
    fn name(&self) -> Range<usize> {
        self.name as usize..self.name_end as usize
    }
}

/// One element of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'s> {
    source: &'s Source,
    number: u32,
}

impl Source {
    /// Finds the elements of a text.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when tags do not match, and [`ErrorKind::Unsupported`] when there is
    /// what no schema of Pacemaker has: document types, character data, `<` or `>` in values.
    pub(super) fn new(text: String) -> Result<Self> {
        let bytes = text.as_bytes();
        let mut spans: Vec<Span> = Vec::with_capacity(bytes.len() / 32);
        let mut open: Vec<u32> = Vec::with_capacity(16);
        let mut angles = Angles::new(bytes);
        while let Some(tag) = angles.next() {
            let wrong = |kind, what| {
                let line = bytes[..tag].iter().filter(|&&b| b == b'\n').count() + 1;
                Error::new(kind, format!("line {line}: {what}"))
            };
            let invalid = |what| wrong(ErrorKind::Invalid, what);
            let name = tag + 1;
            let first = bytes.get(name).copied().unwrap_or_default();
            if first == b'!' && bytes[name..].starts_with(b"!--") {
                let is_end = |&at: &usize| at >= name + 5 && bytes[..=at].ends_with(b"-->");
                let end = angles.find(is_end);
                end.ok_or_else(|| invalid("a comment that does not end"))?;
                continue;
            }
            if bytes[tag] == b'>' || first == b'!' {
                let what = "neither a tag nor a comment, which is not understood here";
                return Err(wrong(ErrorKind::Unsupported, what));
            }
            let end = angles.next().filter(|&end| bytes[end] == b'>');
            let end = end.ok_or_else(|| invalid("a tag that does not end"))?;
            match first {
                b'?' => {}
                b'/' => {
                    let its = bytes[name + 1..end].trim_ascii_end();
                    let next = spans.len() as u32;
                    let opened = open.pop().map(|number| &mut spans[number as usize]);
                    let opened = opened.filter(|span| are_same(&bytes[span.name()], its));
                    let span = opened.ok_or_else(|| invalid("an end tag of another element"))?;
                    (span.end, span.next) = (tag as u32, next);
                }
                _ => {
                    if open.is_empty() && !spans.is_empty() {
                        return Err(invalid("a second root"));
                    }
                    let number = spans.len() as u32;
                    if bytes[end - 1] != b'/' {
                        open.push(number);
                    }
                    let name_end = end_of_tags_name(bytes, name, end);
                    spans.push(Span {
                        name: name as u32,
                        name_end: name_end as u32,
                        inside: end as u32 + 1,
                        end: end as u32 + 1,
                        next: number + 1,
                    });
                }
            }
        }
        if spans.is_empty() || !open.is_empty() {
            return Err(Error::invalid("the text ends before its root does"));
        }
        Ok(Self { text, spans })
    }

    /// Returns an element by its number.
    pub(super) fn item(&self, number: u32) -> Item<'_> {
        Item {
            source: self,
            number,
        }
    }
}

impl<'s> Item<'s> {
    /// Returns what finds this element in its file.
    pub(super) fn number(self) -> u32 {
        self.number
    }

    #[inline]
    pub(super) fn name(self) -> &'s str {
        &self.source.text[self.span().name()]
    }

    /// Returns the value of an attribute, without blanks around it. References in it are not
    /// resolved: names need none.
    pub(super) fn attribute(self, name: &str) -> Option<&'s str> {
        let span = self.span();
        let tag = &self.source.text[..span.inside as usize];
        let bytes = tag.as_bytes();
        let mut at = span.name_end as usize;
        loop {
            let start = skip_blanks(bytes, at);
            let end = end_of_name(bytes, start);
            let equals = skip_blanks(bytes, end);
            let quote = skip_blanks(bytes, equals + 1);
            let value = quote + 1;
            let (value_end, _) = scan_value(bytes, value, *bytes.get(quote)?);
            bytes.get(value_end)?;
            if &tag[start..end] == name {
                return Some(trimmed(&tag[value..value_end]));
            }
            at = value_end + 1;
        }
    }

    /// Returns the text inside; nothing when there is more than text.
    pub(super) fn text(self) -> Option<&'s str> {
        let span = self.span();
        let text = &self.source.text[span.inside as usize..span.end as usize];
        let is_plain = !text.bytes().any(|b| matches!(b, b'<' | b'&'));
        is_plain.then_some(text)
    }

    /// Returns the elements directly inside, without those of other namespaces: they are remarks.
    pub(super) fn children(self) -> impl Iterator<Item = Self> {
        let end = self.span().next;
        let mut next = self.number + 1;
        let all = std::iter::from_fn(move || {
            let child = (next < end).then(|| self.source.item(next))?;
            next = child.span().next;
            Some(child)
        });
        all.filter(|child| !child.name().bytes().any(|b| b == b':'))
    }

    #[inline]
    fn span(self) -> &'s Span {
        &self.source.spans[self.number as usize]
    }
}

/// Returns where the name of a tag ends that ends at `end`. It looks at eight bytes at once: most
/// names are shorter.
#[inline]
fn end_of_tags_name(bytes: &[u8], name: usize, end: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES * 0x80;
    let mut at = name;
    if let Some(chunk) = bytes[name..].first_chunk() {
        // All that may end a name in front of the tag's end is less than any letter or digit.
        let word = u64::from_le_bytes(*chunk);
        let others = word.wrapping_sub(ONES * u64::from(b'0')) & !word & HIGHS;
        at += others.trailing_zeros() as usize / 8;
    }
    if at < end {
        end_of_name(bytes, at)
    } else {
        end
    }
}

/// Compares names. Those of up to 16 bytes, as all that matter are, need no call.
#[inline]
fn are_same(a: &[u8], b: &[u8]) -> bool {
    if let (Some(a_first), Some(a_last)) = (a.first_chunk::<8>(), a.last_chunk::<8>()) {
        return a.len() == b.len()
            && b.first_chunk() == Some(a_first)
            && b.last_chunk() == Some(a_last)
            && (a.len() <= 16 || a == b);
    }
    if let (Some(a_first), Some(a_last)) = (a.first_chunk::<4>(), a.last_chunk::<4>()) {
        return a.len() == b.len()
            && b.first_chunk() == Some(a_first)
            && b.last_chunk() == Some(a_last);
    }
    a == b
}

/// Where the `<` and `>` of a text are. It looks at eight bytes at a time.
struct Angles<'t> {
    rest: &'t [u8],
    /// Where the bytes at hand start, and which of them are angles: the high bit of each.
    start: usize,
    marks: u64,
}

impl<'t> Angles<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self {
            rest: text,
            start: 0usize.wrapping_sub(8),
            marks: 0,
        }
    }
}

impl Iterator for Angles<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const LOW: u64 = ONES * 0x7F;
        while self.marks == 0 {
            let mut word = [0; 8];
            if let Some((chunk, rest)) = self.rest.split_first_chunk() {
                (word, self.rest) = (*chunk, rest);
            } else if self.rest.is_empty() {
                return None;
            } else {
                word[..self.rest.len()].copy_from_slice(self.rest);
                self.rest = &[];
            }
            self.start = self.start.wrapping_add(8);
            if word == *b"        " {
                continue;
            }
            // `<` and `>` differ in one bit: what is zero now was one of them.
            let zeros = (u64::from_le_bytes(word) | (ONES * 2)) ^ (ONES * u64::from(b'>'));
            self.marks = !(((zeros & LOW) + LOW) | zeros | LOW);
        }
        let first = self.marks.trailing_zeros() as usize / 8;
        self.marks &= self.marks - 1;
        Some(self.start + first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str) -> Result<Source> {
        Source::new(text.to_owned())
    }

    #[test]
    fn what_a_file_says_is_found() {
        let source = new("<?xml version='1.0'?>\n<!-- <a> > -- --><grammar xmlns='x:y'>\n\
             <define  name = \" one two \"\n combine='choice' ><empty/><a:note>no</a:note></define >\n\
             <value>a <!-- b --></value><value> c </value><text />\n</grammar>\n")
            .expect("well-formed");
        let root = source.item(0);
        assert_eq!(root.name(), "grammar");
        let children: Vec<Item<'_>> = root.children().collect();
        let names: Vec<&str> = children.iter().map(|child| child.name()).collect();
        assert_eq!(names, ["define", "value", "value", "text"]);
        assert_eq!(children[0].attribute("name"), Some("one two"));
        assert_eq!(children[0].attribute("combine"), Some("choice"));
        assert_eq!(children[0].attribute("ame"), None);
        assert_eq!(children[0].children().count(), 1);
        assert_eq!(children[1].text(), None);
        assert_eq!(children[2].text(), Some(" c "));
        assert_eq!(source.item(children[3].number()).children().count(), 0);
    }

    #[test]
    fn what_is_no_file_of_a_schema_is_refused() {
        for (text, kind, line) in [
            ("", ErrorKind::Invalid, None),
            ("<!-- only -->", ErrorKind::Invalid, None),
            ("<a>", ErrorKind::Invalid, None),
            ("<a>\n</b>", ErrorKind::Invalid, Some(2)),
            ("<a/>\n\n<b/>", ErrorKind::Invalid, Some(3)),
            ("</a>", ErrorKind::Invalid, Some(1)),
            ("<a><b</a>", ErrorKind::Invalid, Some(1)),
            ("<a><!-- -></a>", ErrorKind::Invalid, Some(1)),
            ("<a><!--></a>", ErrorKind::Invalid, Some(1)),
            ("<a", ErrorKind::Invalid, Some(1)),
            ("<", ErrorKind::Invalid, Some(1)),
            ("<!DOCTYPE a><a/>", ErrorKind::Unsupported, Some(1)),
            ("<a>\n<b c='>'/></a>", ErrorKind::Unsupported, Some(2)),
            ("<a><![CDATA[b]]></a>", ErrorKind::Unsupported, Some(1)),
        ] {
            let error = new(text).expect_err(text);
            assert_eq!(error.kind(), kind, "{text}: {error}");
            let line = line
                .map(|line: usize| format!("line {line}: "))
                .unwrap_or_default();
            assert!(error.to_string().starts_with(&line), "{text}: {error}");
        }
    }

    #[test]
    fn names_are_found_and_compared_whatever_their_length() {
        for length in 1..40 {
            let name = "a-b.c:d1\u{e9}_".chars().cycle().take(length);
            let name: String = name.collect();
            for tag in ["", " ", "\n\t", " b='c'", "\rb = \"c d\""] {
                for end in [">", "/>"] {
                    let text = format!("<{name}{tag}{end}");
                    let at = end_of_tags_name(text.as_bytes(), 1, text.len() - 1);
                    assert_eq!(&text[1..at], name, "{text}");
                }
                new(&format!("<{name}{tag}><a/></{name} >")).expect(&name);
                new(&format!("<{name}{tag}></{name}_>")).expect_err(&name);
            }
            for at in 0..length {
                let mut other = name.clone().into_bytes();
                assert!(are_same(name.as_bytes(), &other));
                other[at] ^= 1;
                assert!(!are_same(name.as_bytes(), &other), "{name} {at}");
                other.truncate(at);
                assert!(!are_same(name.as_bytes(), &other), "{name} {at}");
                assert!(!are_same(&other, name.as_bytes()), "{name} {at}");
            }
        }
        let source = new("<a b='' c=\"d\" long='it is longer than eight bytes' d='></a>");
        let source = source.expect("well-formed");
        let attribute = |name| source.item(0).attribute(name);
        assert_eq!(attribute("b"), Some(""));
        assert_eq!(attribute("c"), Some("d"));
        assert_eq!(attribute("long"), Some("it is longer than eight bytes"));
        assert_eq!(attribute("d"), None);
        assert_eq!(attribute("e"), None);
    }

    #[test]
    fn angles_are_found_wherever_they_are() {
        for len in 0..80 {
            let text: String = (0..len)
                .map(|i| ['<', 'x', '\u{bc}', '>', '=', '?'][i % 6])
                .collect();
            let expected: Vec<usize> = text
                .bytes()
                .enumerate()
                .filter_map(|(at, b)| matches!(b, b'<' | b'>').then_some(at))
                .collect();
            assert_eq!(
                Angles::new(text.as_bytes()).collect::<Vec<_>>(),
                expected,
                "{text}"
            );
        }
    }
}
