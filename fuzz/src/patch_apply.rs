//! Making patch sets and applying them.

use ha_core::ErrorKind;
use ha_core::xml::{Document, PatchSet};

/// Takes two documents, and perhaps a patch set, with zero bytes between them.
pub fn check(data: &[u8]) {
    let mut parts = data.split(|&b| b == 0);
    let Some(Ok(old)) = parts.next().map(Document::parse_bytes) else {
        return;
    };
    let new = parts.next().map(Document::parse_bytes);
    if let Some(Ok(patch)) = parts.next().map(Document::parse_bytes)
        && let Ok(patch) = PatchSet::from_document(patch)
    {
        apply(&old, &patch);
    }
    if let Some(Ok(new)) = new {
        between(&old, &new);
        between(&new, &old);
    }
}

fn between(old: &Document, new: &Document) {
    let patch = match PatchSet::between(old, new) {
        Ok(patch) => patch,
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::Unsupported, "{e:#}");
            return;
        }
    };
    assert_eq!(
        PatchSet::parse(&patch.to_xml()).expect("written, so it can be read"),
        patch
    );
    let mut result = old.clone();
    result
        .apply(&patch)
        .unwrap_or_else(|e| panic!("{e:#}\n{old}{new}{}", patch.to_xml()));
    assert_eq!(&result, new, "from {old}by {}", patch.to_xml());
    assert_eq!(&Document::parse(&result.to_xml()).expect("written"), new);
}

/// A patch set of any origin is applied as a whole, or leaves no trace.
fn apply(old: &Document, patch: &PatchSet) {
    let mut result = old.clone();
    match result.apply(patch) {
        Ok(()) => {
            let again = Document::parse(&result.to_xml()).expect("written, so it can be read");
            assert_eq!(again, result, "{}", patch.to_xml());
        }
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::Conflict, "{e:#}");
            assert_eq!(result.to_xml(), old.to_xml(), "{}", patch.to_xml());
        }
    }
}
