//! Reading XML text. Tags and text, which is nearly all of a CIB, are read here; comments, references and
//! the rest of XML's markup are left to quick-xml, and what it leaves to its users is checked here.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::builder::{Builder, Mistake};
use super::document::{Document, is_blank};
use super::names;
use crate::{Error, ErrorKind, Result};

impl Document {
    /// Reads a document from XML text.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the text is not one well-formed XML document in UTF-8, or when
    /// it holds a document type; the message gives the line and the column (both from 1, the
    /// column in characters). [`ErrorKind::Limit`] when it is larger than 4 GiB.
    ///
    /// # Example
    /// ```
    /// use ha_core::xml::Document;
    /// let cib = Document::parse("<cib><status a='1 &lt; 2'/></cib>")?;
    /// assert_eq!(cib.root().child("status").and_then(|s| s.attribute("a")), Some("1 < 2"));
    ///
    /// let error = Document::parse("<cib>\n  <status>\n</cib>").unwrap_err();
    /// assert!(error.to_string().starts_with("line 3, column 1: "), "{error}");
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        // quick-xml skips the mark too, but then its positions are wrong.
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let mut parser = Parser {
            text,
            builder: Builder::with_capacity(text.len()),
            start: 0,
        };
        if let Err(error) = parser.run() {
            let (line, column) = position(text, error.at);
            return Err(error.error.context_at(line, column));
        }
        parser.builder.finish()
    }

    /// Reads a document from the bytes of a file.
    ///
    /// # Errors
    /// Those of [`Document::parse`], and [`ErrorKind::Invalid`] when the bytes are not UTF-8.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Err(Error::invalid("the text is in UTF-16").with_hint(TO_UTF8));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(e) => {
                let good = std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default();
                let (line, column) = position(good, good.len());
                let byte = bytes[good.len()];
                Err(Error::invalid(format!(
                    "line {line}, column {column}: the text is not UTF-8 (byte 0x{byte:02x})"
                ))
                .with_hint(TO_UTF8))
            }
        }
    }
}

const BYTE_ORDER_MARK: char = '\u{FEFF}';

const TO_UTF8: &str = "convert the file to UTF-8, for instance: iconv -f ISO-8859-1 -t UTF-8 FILE";

/// An error and the byte where it is.
struct At {
    at: usize,
    error: Wrong,
}

/// What is wrong, before the place is known.
struct Wrong {
    kind: ErrorKind,
    message: String,
    hint: Option<&'static str>,
}

impl Wrong {
    fn new(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Invalid,
            message: message.into(),
            hint: None,
        }
    }

    fn context_at(self, line: usize, column: usize) -> Error {
        let error = Error::new(
            self.kind,
            format!("line {line}, column {column}: {}", self.message),
        );
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    fn at(self, at: usize) -> At {
        At { at, error: self }
    }
}

struct Parser<'t> {
    text: &'t str,
    builder: Builder,
    /// Where the event at hand starts.
    start: usize,
}

impl Parser<'_> {
    fn run(&mut self) -> std::result::Result<(), At> {
        if self.text.len() >= u32::MAX as usize {
            let mut wrong = Wrong::new("the document is larger than 4 GiB");
            wrong.kind = ErrorKind::Limit;
            return Err(wrong.at(0));
        }
        if self.text.starts_with(BYTE_ORDER_MARK) {
            return Err(Wrong::new("a second byte order mark").at(0));
        }
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let tag = skip_blanks(bytes, at);
            // Blanks between two tags say nothing; beside text they are part of it.
            let is_alone = tag == at || !self.builder.is_collecting();
            let next = bytes.get(tag + 1);
            at = match (bytes.get(tag), next) {
                (Some(b'<'), Some(b'!' | b'?') | None) | (Some(b'&'), _) if tag == at => {
                    self.start = tag;
                    self.markup(tag)?
                }
                (Some(b'<'), Some(next)) if is_alone && !matches!(next, b'!' | b'?') => {
                    self.start = tag;
                    if *next == b'/' {
                        self.end_tag(tag)?
                    } else {
                        self.start_tag(tag)?
                    }
                }
                _ => {
                    self.start = at;
                    self.characters_until_markup(at)?
                }
            };
            if self.builder.has_mistake() {
                return Err(self.mistake(self.start));
            }
        }
        if let Some(name) = self.builder.open_name() {
            let message = format!("the text ends inside of <{name}>");
            return Err(Wrong::new(message).at(self.text.len()));
        }
        if !self.builder.has_root() {
            return Err(Wrong::new("there is no root element").at(self.text.len()));
        }
        Ok(())
    }

    /// Reads text; returns where it ends.
    fn characters_until_markup(&mut self, from: usize) -> std::result::Result<usize, At> {
        let rest = &self.text[from..];
        let len = rest.find(['<', '&']).unwrap_or(rest.len());
        let text = with_plain_ends(&rest[..len]);
        if is_blank(&text) {
            self.builder.blank(&text);
        } else if let Some(at) = rest[..len].find("]]>") {
            return Err(Wrong::new("`]]>` in text").at(from + at));
        } else {
            self.builder.text(&text);
        }
        Ok(from + len)
    }

    /// Reads what is neither a tag nor text; returns where it ends.
    fn markup(&mut self, from: usize) -> std::result::Result<usize, At> {
        let mut reader = Reader::from_str(&self.text[from..]);
        reader.config_mut().check_comments = true;
        let event = reader.read_event().map_err(|e| {
            let at = from + reader.error_position() as usize;
            Wrong::new(plain(&e)).at(at)
        })?;
        match event {
            Event::CData(text) => {
                self.inside_root("character data")?;
                self.builder.text(&text.xml10_content());
            }
            Event::GeneralRef(reference) => {
                self.inside_root("a reference")?;
                self.reference(&reference)?;
            }
            Event::Comment(text) => {
                self.characters(&text.borrow().into_inner())?;
                self.builder.comment(&text.xml10_content());
            }
            Event::PI(text) => self.characters(&text.into_inner())?,
            Event::Decl(declaration) => {
                if from != 0 {
                    let wrong = Wrong::new("an XML declaration must be at the very start");
                    return Err(wrong.at(from));
                }
                self.declaration(declaration.encoding())?;
            }
            Event::DocType(_) => {
                let mut wrong = Wrong::new("a document type (<!DOCTYPE>) is not accepted");
                wrong.hint = Some("remove it: neither entities nor a DTD belong in a CIB");
                return Err(wrong.at(from));
            }
            _ => return Err(Wrong::new("a `<` that starts nothing").at(from)),
        }
        Ok(from + reader.buffer_position() as usize)
    }

    /// Reads an end tag; returns where it ends.
    fn end_tag(&mut self, tag: usize) -> std::result::Result<usize, At> {
        let rest = &self.text[tag + 2..];
        let open = self.builder.open_name();
        let end = match open.and_then(|name| rest.strip_prefix(name)) {
            Some(after) if after.starts_with('>') => rest.len() - after.len(),
            _ => {
                let Some(end) = rest.find('>') else {
                    return Err(Wrong::new("the end tag is not closed").at(tag));
                };
                let name = rest[..end].trim_end_matches([' ', '\t', '\n', '\r']);
                if open != Some(name) {
                    let expected = match open {
                        Some(open) => format!("</{open}> is expected"),
                        None => "no element is open".to_owned(),
                    };
                    return Err(Wrong::new(format!("</{name}> where {expected}")).at(tag));
                }
                end
            }
        };
        self.builder.end();
        Ok(tag + 2 + end + 1)
    }

    /// Reads a start tag; returns where it ends.
    fn start_tag(&mut self, tag: usize) -> std::result::Result<usize, At> {
        let text = self.text;
        let bytes = text.as_bytes();
        let is_open = || Wrong::new("the start tag is not closed").at(tag);
        let mut i = end_of_name(bytes, tag + 1);
        self.builder.start(&text[tag + 1..i]);
        if self.builder.has_mistake() {
            return Err(self.mistake(tag));
        }
        loop {
            let blank = i;
            while i < bytes.len() && is_space(bytes[i]) {
                i += 1;
            }
            match bytes.get(i) {
                Some(b'>') => return Ok(i + 1),
                Some(b'/') if bytes.get(i + 1) == Some(&b'>') => {
                    self.builder.end();
                    return Ok(i + 2);
                }
                Some(b'/') => return Err(Wrong::new("`/` in a start tag").at(i)),
                Some(_) => {}
                None => return Err(is_open()),
            }
            if i == blank {
                return Err(Wrong::new("a blank must precede an attribute").at(i));
            }
            let name_start = i;
            i = end_of_name(bytes, i);
            let name = &text[name_start..i];
            while i < bytes.len() && is_space(bytes[i]) {
                i += 1;
            }
            if bytes.get(i) != Some(&b'=') {
                return Err(Wrong::new(format!("attribute {name:?} has no value")).at(i));
            }
            i += 1;
            while i < bytes.len() && is_space(bytes[i]) {
                i += 1;
            }
            let Some(&quote @ (b'"' | b'\'')) = bytes.get(i) else {
                let message = format!("the value of attribute {name:?} is not in quotes");
                return Err(Wrong::new(message).at(i));
            };
            i += 1;
            let value_start = i;
            let (end, plain) = scan_value(bytes, i, quote);
            i = end;
            if i == bytes.len() {
                return Err(is_open());
            }
            let name = self.builder.name(name);
            self.builder.claim(name);
            if self.builder.has_mistake() {
                return Err(self.mistake(name_start));
            }
            let start = self.builder.pushed();
            let value = &text[value_start..i];
            if plain {
                self.builder.push(value);
            } else {
                self.special_value(value, value_start)?;
            }
            self.builder.add_attribute(name, start);
            i += 1;
        }
    }

    /// Pushes an attribute's value with its references resolved and its blanks made spaces.
    #[cold]
    fn special_value(&mut self, value: &str, base: usize) -> std::result::Result<(), At> {
        self.characters_at(value, base)?;
        let mut done = 0;
        let bytes = value.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            let b = bytes[i];
            match b {
                b'<' => return Err(Wrong::new("`<` in an attribute's value").at(base + i)),
                b'&' => {
                    self.builder.push(&value[done..i]);
                    let Some(len) = value[i..].find(';') else {
                        return Err(Wrong::new("`&` does not start a reference").at(base + i));
                    };
                    let c = resolve(&value[i + 1..i + len]).map_err(|e| e.at(base + i))?;
                    self.builder.push(c.encode_utf8(&mut [0; 4]));
                    i += len;
                    done = i + 1;
                }
                b'\t' | b'\n' | b'\r' => {
                    self.builder.push(&value[done..i]);
                    self.builder.push(" ");
                    if b == b'\r' && bytes.get(i + 1) == Some(&b'\n') {
                        i += 1;
                    }
                    done = i + 1;
                }
                _ => {}
            }
            i += 1;
        }
        self.builder.push(&value[done..]);
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> std::result::Result<(), At> {
        let name = reference.borrow().into_inner();
        let c = resolve(&name).map_err(|e| e.at(self.start))?;
        self.builder.text(c.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn inside_root(&self, what: &str) -> std::result::Result<(), At> {
        if self.builder.open_name().is_some() {
            return Ok(());
        }
        Err(Wrong::new(format!("there is {what} outside of the root element")).at(self.start))
    }

    fn characters(&self, text: &str) -> std::result::Result<(), At> {
        self.characters_at(text, self.start)
    }

    fn characters_at(&self, text: &str, base: usize) -> std::result::Result<(), At> {
        let Some(i) = names::find_non_xml(text) else {
            return Ok(());
        };
        let c = text[i..].chars().next().unwrap_or_default();
        Err(Wrong::new(format!("XML cannot hold the character {c:?}")).at(base + i))
    }

    fn declaration<E>(
        &self,
        encoding: Option<std::result::Result<std::borrow::Cow<'_, str>, E>>,
    ) -> std::result::Result<(), At> {
        match encoding {
            None => Ok(()),
            Some(Ok(name))
                if ["utf-8", "utf8", "us-ascii", "ascii"]
                    .iter()
                    .any(|known| name.eq_ignore_ascii_case(known)) =>
            {
                Ok(())
            }
            Some(Ok(name)) => {
                let mut wrong = Wrong::new(format!("the encoding {name} is not accepted"));
                wrong.hint = Some(TO_UTF8);
                Err(wrong.at(self.start))
            }
            Some(Err(_)) => Err(Wrong::new("a bad XML declaration").at(self.start)),
        }
    }

    #[cold]
    fn mistake(&mut self, at: usize) -> At {
        let mistake = self
            .builder
            .take_mistake()
            .unwrap_or(Mistake::EndWithoutStart);
        let error = mistake.into_error();
        Wrong {
            kind: error.kind(),
            message: error.to_string(),
            hint: None,
        }
        .at(at)
    }
}

/// Says what quick-xml found, in the words of this library.
fn plain(error: &quick_xml::Error) -> String {
    let text = match error {
        quick_xml::Error::Syntax(e) => e.to_string(),
        quick_xml::Error::IllFormed(e) => e.to_string(),
        e => e.to_string(),
    };
    text.trim_end_matches('.').to_owned()
}

/// Returns the character that a reference (without `&` and `;`) stands for.
fn resolve(reference: &str) -> std::result::Result<char, Wrong> {
    let number = match reference.strip_prefix('#') {
        None => {
            return match reference {
                "lt" => Ok('<'),
                "gt" => Ok('>'),
                "amp" => Ok('&'),
                "quot" => Ok('"'),
                "apos" => Ok('\''),
                _ => {
                    let name: String = reference.chars().take(40).collect();
                    let mut wrong = Wrong::new(format!("the entity &{name}; is not defined"));
                    wrong.hint = Some("write &amp; for the character &");
                    Err(wrong)
                }
            };
        }
        Some(number) => number,
    };
    let parsed = match number.strip_prefix('x') {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16),
        None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse(),
        _ => "-".parse(),
    };
    parsed
        .ok()
        .and_then(char::from_u32)
        .filter(|&c| names::is_xml_char(c))
        .ok_or_else(|| {
            let number: String = number.chars().take(40).collect();
            Wrong::new(format!("&#{number}; is not a character that XML can hold"))
        })
}

#[inline]
fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// Returns where something begins that is no blank.
#[inline]
pub(crate) fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && is_space(bytes[at]) {
        at += 1;
        while bytes[at..].first_chunk() == Some(b"        ") {
            at += 8;
        }
    }
    at
}

/// Makes each end of a line a line feed, as XML says.
fn with_plain_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns where a name ends that begins at `from`.
#[inline]
pub(crate) fn end_of_name(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() && !ENDS_NAME[bytes[at] as usize] {
        at += 1;
    }
    at
}

/// The bytes that end the name of an element or an attribute.
const ENDS_NAME: [bool; 256] = {
    let mut ends = [false; 256];
    ends[b'=' as usize] = true;
    ends[b'/' as usize] = true;
    ends[b'>' as usize] = true;
    ends[b' ' as usize] = true;
    ends[b'\t' as usize] = true;
    ends[b'\n' as usize] = true;
    ends[b'\r' as usize] = true;
    ends
};

/// Returns where a value ends (at its quote, or at the end of the bytes) and whether it is plain:
/// without what XML escapes, turns into spaces or cannot hold. All that is not ASCII counts as
/// not plain.
///
/// It looks at eight bytes at a time: most of a CIB is values.
#[inline]
pub(crate) fn scan_value(bytes: &[u8], from: usize, quote: u8) -> (usize, bool) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // The high bit of each byte of `word` that is less than `limit` (at most 128). Bytes above
    // such a byte may be marked wrongly; only the lowest mark counts below.
    let less = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let equal = |word: u64, byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
    let mut at = from;
    let mut plain = true;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quotes = equal(word, quote) & HIGHS;
        let special = (word | less(word, 0x20) | equal(word, b'<') | equal(word, b'&')) & HIGHS;
        if quotes != 0 {
            let before_quote = (quotes & quotes.wrapping_neg()) - 1;
            let end = at + quotes.trailing_zeros() as usize / 8;
            return (end, plain && special & before_quote == 0);
        }
        plain &= special == 0;
        at += 8;
    }
    while at < bytes.len() && bytes[at] != quote {
        plain &= matches!(bytes[at], 0x20..=0x7F) && !matches!(bytes[at], b'<' | b'&');
        at += 1;
    }
    (at, plain)
}

/// Returns the line and the column, both from 1, of a byte of the text.
fn position(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}
