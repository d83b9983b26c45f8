//! Words that older Pacemakers spell in another way.

use crate::xml::Document;

/// The first schema that knows `Promoted` and `Unpromoted`.
const NEW_ROLES: (u32, u32) = (3, 7);

/// Tells whether a schema knows `Promoted` and `Unpromoted`; one of another kind of name does.
pub(crate) fn knows_new_roles(schema: &str) -> bool {
    let version = schema.strip_prefix("pacemaker-");
    let version = version.and_then(|version| version.split_once('.'));
    let version = version.and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    version.is_none_or(|version| version >= NEW_ROLES)
}

/// Returns the word for a role that every Pacemaker up to 2 knows.
pub(crate) fn old_role(role: &str) -> &str {
    match role {
        "Promoted" => "Master",
        "Unpromoted" => "Slave",
        role => role,
    }
}

/// Spells the roles of a CIB as its schema does.
pub(super) fn of_schema(document: &mut Document, schema: &str) {
    if knows_new_roles(schema) {
        return;
    }
    let mut changes = Vec::new();
    for element in document.root().descendants() {
        for name in ["role", "rsc-role", "with-rsc-role"] {
            let role = element.attribute(name).unwrap_or_default();
            let old = old_role(role);
            if old != role {
                changes.push((element.id(), name, old.to_owned()));
            }
        }
    }
    for (element, name, old) in changes {
        document.set_attribute(element, name, &old);
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}
