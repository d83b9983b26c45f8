//! What is in the file of a CIB: compressed when its name says so, in the encoding that it declares.

use std::io::Read as _;

use encoding_rs::Encoding;
use ha_core::{Error, Result};

use crate::words;

/// More than any CIB: where a file that was made to fill the memory ends.
const MOST: u64 = 1 << 30;

/// Returns the text as UTF-8.
///
/// # Errors
/// When it is not compressed although its name says so, or not in the encoding that it declares.
pub(crate) fn utf8(bytes: Vec<u8>, is_compressed: bool) -> Result<Vec<u8>> {
    if !is_compressed {
        return decoded(bytes);
    }
    let mut plain = Vec::new();
    let reader = bzip2_rs::DecoderReader::new(bytes.as_slice());
    reader
        .take(MOST)
        .read_to_end(&mut plain)
        .map_err(|e| words::during(e, "decompress the CIB", "décompresser la CIB"))?;
    if plain.len() as u64 == MOST {
        return Err(words::invalid(
            "the CIB is larger than a gigabyte".to_owned(),
            "la CIB est plus grande qu'un gigaoctet".to_owned(),
        ));
    }
    decoded(plain)
}

fn decoded(bytes: Vec<u8>) -> Result<Vec<u8>> {
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        let encoding = Some(encoding).filter(|&encoding| encoding != encoding_rs::UTF_8);
        return match encoding {
            Some(encoding) => of(encoding, &bytes[mark..]).map(without_declaration),
            None => Ok(bytes),
        };
    }
    let Some(name) = declared(&bytes) else {
        return Ok(bytes);
    };
    match name.to_ascii_lowercase().as_str() {
        "utf-8" => Ok(bytes),
        // Text that can be read as far as here is not in two-byte units, whatever it says.
        "utf8" | "utf-16" => Ok(without_declaration(bytes)),
        "us-ascii" | "ascii" if bytes.is_ascii() => Ok(without_declaration(bytes)),
        "us-ascii" | "ascii" => Err(not_in("ASCII")),
        // For browsers, and so for the library, this is another name of Windows's.
        "iso-8859-1" | "latin1" | "iso-latin-1" | "iso latin 1" => {
            let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
            Ok(without_declaration(text.into_bytes()))
        }
        name => {
            let encoding = Encoding::for_label(name.as_bytes());
            let unknown = || {
                words::invalid(
                    format!("the encoding {name} is unknown"),
                    format!("l'encodage {name} est inconnu"),
                )
            };
            let encoding = encoding.ok_or_else(unknown)?;
            of(encoding, &bytes).map(without_declaration)
        }
    }
}

fn of(encoding: &'static Encoding, bytes: &[u8]) -> Result<Vec<u8>> {
    let (text, is_wrong) = encoding.decode_without_bom_handling(bytes);
    if is_wrong {
        return Err(not_in(encoding.name()));
    }
    Ok(text.into_owned().into_bytes())
}

fn not_in(encoding: &str) -> Error {
    words::invalid(
        format!("the CIB is not in {encoding}, which it declares"),
        format!("la CIB n'est pas en {encoding}, qu'elle déclare"),
    )
}

/// Returns the encoding that the declaration in front of an XML document names.
fn declared(bytes: &[u8]) -> Option<String> {
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let end = declaration.windows(2).take(200).position(|w| w == b"?>")?;
    let declaration = std::str::from_utf8(&declaration[..end]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, _) = value[1..].split_once(quote)?;
    Some(name.to_owned())
}

/// Removes the declaration, which does not hold any more.
fn without_declaration(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(b"<?xml")
        && let Some(end) = bytes.windows(2).position(|w| w == b"?>")
    {
        bytes.drain(..end + 2);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String> {
        utf8(bytes.to_vec(), false).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn the_declared_encoding_is_the_one_that_is_read() {
        for (name, byte, text) in [
            ("ISO-8859-1", 0xe9, "é"),
            ("latin1", 0xa4, "¤"),
            ("ISO-8859-15", 0xa4, "€"),
            ("windows-1252", 0x80, "€"),
            ("us-ascii", b'e', "e"),
        ] {
            let mut bytes =
                format!("<?xml version='1.0' encoding=\"{name}\"?>\n<a b='").into_bytes();
            bytes.extend([byte, b'\'', b'/', b'>']);
            let read = read(&bytes).expect(name);
            assert_eq!(read, format!("\n<a b='{text}'/>"), "{name}");
        }
        assert!(read(b"<?xml version='1.0' encoding='us-ascii'?><a b='\xe9'/>").is_err());
        assert!(read(b"<?xml version='1.0' encoding='unheard-of'?><a/>").is_err());
    }

    #[test]
    fn two_byte_units_are_known_by_their_mark() {
        let text = "<?xml version='1.0' encoding='UTF-16'?><a b='é'/>";
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(units).collect();
        assert_eq!(read(&bytes).expect("known"), "<a b='é'/>");
    }

    #[test]
    fn nothing_is_done_without_need() {
        for text in [
            "",
            "<a/>",
            "<?xml version='1.0'?><a/>",
            "<?xml version='1.0' encoding='UTF-8'?><a/>",
        ] {
            assert_eq!(read(text.as_bytes()).expect("taken as it is"), text);
        }
    }

    #[test]
    fn what_is_not_compressed_is_refused() {
        assert!(utf8(b"<cib/>".to_vec(), true).is_err());
        assert!(utf8(Vec::new(), true).is_err());
    }
}
