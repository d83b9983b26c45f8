//! Defects of Pacemaker's library: what does not arrive as it was sent.
//!
//! - In a text with a character outside ASCII, the function of Pacemaker 2 stops escaping at that
//!   character. A `<`, `&` or `"` further on then makes the message, and the CIB on disk, ill-formed:
//!   the receiver silently cuts the value there.
//! - It writes a line feed as the two characters `\n`, a tabulator as blanks, a delete as `\177`.
//! - libxml2, as Pacemaker calls it, reads no value longer than 10 MB: the receiver takes the element for
//!   empty, and says that all went well.
//!
//! Such values are refused before they do harm.

use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use pacemaker_sys as sys;

use crate::xml::Document;
use crate::{Error, ErrorKind, Result};

/// The longest value that libxml2 reads (`XML_MAX_TEXT_LENGTH`), with room for what is escaped in it.
const LONGEST: usize = 10_000_000;

/// Makes sure that what is sent arrives as it is.
pub(super) fn check(document: &Document) -> Result<()> {
    for element in document.root().descendants() {
        let text = element.text();
        let values = element.attributes().chain(std::iter::once(("", &*text)));
        for (name, value) in values {
            let place = || match name {
                "" => format!("the text of <{}>", element.name()),
                name => format!("attribute {name} of <{}>", element.name()),
            };
            if value.len() > LONGEST / 6 && written_length(value) > LONGEST {
                let length = value.len();
                return Err(Error::new(
                    ErrorKind::Limit,
                    format!("{} cannot be sent: it has {length} bytes", place()),
                )
                .with_hint(
                    "Pacemaker reads no value of more than 10 MB; keep it in a file of its own",
                ));
            }
            // Asking the library for each other one is cheap enough.
            let plain = value.bytes().all(|byte| (b' '..0x7f).contains(&byte));
            if !plain && !escapes(value) {
                let (place, value) = (place(), shown(value));
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("{place} cannot be sent: this Pacemaker would change {value:?}"),
                )
                .with_hint(
                    "write the value in one line, and without accents or without the characters \
                     < > & \"",
                ));
            }
        }
    }
    Ok(())
}

/// How many bytes a value has in XML.
fn written_length(value: &str) -> usize {
    let length = |byte| match byte {
        b'<' | b'>' => 4,
        b'&' => 5,
        b'"' | b'\'' => 6,
        _ => 1,
    };
    value.bytes().map(length).sum()
}

/// The start of a value, for a message.
fn shown(value: &str) -> String {
    value.chars().take(80).collect()
}

/// Tells whether the library writes a value in a way that reads as the same value.
fn escapes(value: &str) -> bool {
    static ESCAPE: OnceLock<Option<sys::optional::Escape>> = OnceLock::new();

    // Pacemaker 3 has another function, without the defect.
    let Some(escape) = ESCAPE.get_or_init(sys::optional::crm_xml_escape) else {
        return true;
    };
    let Ok(text) = CString::new(value) else {
        return true; // XML cannot hold a NUL: the parser refuses it
    };
    // SAFETY: takes a NUL-terminated string, and returns another that is the caller's to free.
    let written = unsafe {
        let written = escape(text.as_ptr());
        if written.is_null() {
            return true; // out of memory: the library says so itself when it writes
        }
        let copy = CStr::from_ptr(written).to_string_lossy().into_owned();
        libc::free(written.cast());
        copy
    };
    Document::parse(&format!("<a v=\"{written}\"/>"))
        .is_ok_and(|read| read.root().attribute("v") == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_would_be_cut_and_nothing_else() {
        let check = |value: &str| {
            let mut document = Document::new("nvpair");
            let root = document.root().id();
            document.set_attribute(root, "value", value);
            super::check(&document)
        };
        for fine in [
            "<&>\"'",
            "déjà vu",
            "<é",
            "&\u{e9}",
            "a&b;c",
            "l'été à l'école",
            "",
            &"x".repeat(LONGEST),
        ] {
            check(fine).unwrap_or_else(|e| panic!("{fine:?}: {e:#}"));
        }
        for cut in ["é<", "é & à", "é &lt; ", "\u{e9}\"quoted\"", "日本 <x>"] {
            let refused = check(cut).map_err(|e| e.kind());
            let expected = if sys::ABI == 2 {
                Err(ErrorKind::Unsupported)
            } else {
                Ok(())
            };
            assert_eq!(refused, expected, "{cut:?}");
        }
        for changed in ["two\nlines", "a\tb", "a\rb", "\u{7f}"] {
            let refused = check(changed).map_err(|e| e.kind());
            let expected = if sys::ABI == 2 {
                Err(ErrorKind::Unsupported)
            } else {
                Ok(())
            };
            assert_eq!(refused, expected, "{changed:?}");
        }
        for long in ["x".repeat(LONGEST + 1), "&".repeat(LONGEST / 5 + 1)] {
            assert_eq!(check(&long).map_err(|e| e.kind()), Err(ErrorKind::Limit));
        }
    }
}
