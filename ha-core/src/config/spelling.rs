//! Words that older Pacemakers spell in another way.

use crate::xml::Document;

/// The first schema that knows `Promoted` and `Unpromoted`.
const NEW_ROLES: (u32, u32) = (3, 7);

/// Spells the roles of a CIB as its schema does.
pub(super) fn of_schema(document: &mut Document, schema: &str) {
    let version = schema.strip_prefix("pacemaker-");
    let version = version.and_then(|version| version.split_once('.'));
    let version = version.and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    if version.is_none_or(|version| version >= NEW_ROLES) {
        return;
    }
    let mut changes = Vec::new();
    for element in document.root().descendants() {
        for name in ["role", "rsc-role", "with-rsc-role"] {
            let old = match element.attribute(name) {
                Some("Promoted") => "Master",
                Some("Unpromoted") => "Slave",
                _ => continue,
            };
            changes.push((element.id(), name, old));
        }
    }
    for (element, name, old) in changes {
        document.set_attribute(element, name, old);
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}
