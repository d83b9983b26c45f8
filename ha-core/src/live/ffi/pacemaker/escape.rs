//! A defect of Pacemaker 2's library: what it does not escape when it writes XML.
//!
//! In a text with a character outside ASCII, its function stops escaping at that character. A `<`, `&` or
//! `"` further on then makes the message, and the CIB on disk, ill-formed: the receiver silently
//! cuts the value there. Such values are refused before they do harm.

use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use pacemaker_sys as sys;

use crate::xml::Document;
use crate::{Error, ErrorKind, Result};

/// Makes sure that the library in use writes a document as it is.
pub(super) fn check(document: &Document) -> Result<()> {
    for element in document.root().descendants() {
        let text = element.text();
        let values = element.attributes().chain(std::iter::once(("", &*text)));
        for (name, value) in values {
            // Most values are ASCII, and asking the library for each other one is cheap enough.
            if !value.is_ascii() && !escapes(value) {
                let place = match name {
                    "" => format!("the text of <{}>", element.name()),
                    name => format!("attribute {name} of <{}>", element.name()),
                };
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "{place} cannot be sent: this Pacemaker would cut {value:?} at a special \
                         character that follows an accented one"
                    ),
                )
                .with_hint("write the value without accents, or without the characters < > & \""));
            }
        }
    }
    Ok(())
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
    }
}
