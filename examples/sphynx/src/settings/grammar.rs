//! What a reader of TOML or JSON has to say, in the user's words, with the name that was probably meant.

use crate::say;

/// Says a message of serde or of the toml crate in the user's language. One that is not known stays as it is.
pub(super) fn told(message: &str) -> String {
    let message = message.trim_end();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown field ")
        && let [name, known @ ..] = quoted.as_slice()
    {
        return unknown(name, known);
    }
    if message.starts_with("missing field ")
        && let [name] = quoted.as_slice()
    {
        return say!("the key {name} is missing", "la clé {name} manque");
    }
    if message.starts_with("unknown variant ")
        && let [value, known @ ..] = quoted.as_slice()
    {
        let known = known.join(", ");
        return say!(
            "{value:?} is not known here; one of: {known}",
            "{value:?} n'est pas connu ici ; au choix : {known}"
        );
    }
    if let Some(rest) = message.strip_prefix("invalid type: ")
        && let Some((found, wanted)) = rest.split_once(", expected ")
    {
        let wanted = wanted_type(wanted);
        let found = value_of(found);
        return say!(
            "{found} is no value here; write {wanted}",
            "{found} ne convient pas ; écrire {wanted}"
        );
    }
    if let Some(rest) = message.strip_prefix("invalid value: ")
        && let Some((found, wanted)) = rest.split_once(", expected ")
    {
        let wanted = wanted_type(wanted);
        let found = value_of(found);
        return say!(
            "{found} is out of range; write {wanted}",
            "{found} est hors limites ; écrire {wanted}"
        );
    }
    if message == "invalid IP address syntax" {
        return say!(
            "this is no IP address; write one such as \"192.168.0.23\", without a mask",
            "ce n'est pas une adresse IP ; en écrire une telle que \"192.168.0.23\", sans masque"
        );
    }
    if message == "duplicate key" {
        return say!("this key is there twice", "cette clé est là deux fois");
    }
    message.to_owned()
}

fn unknown(name: &str, known: &[&str]) -> String {
    let machine = ["maitre", "esclave"]
        .iter()
        .any(|role| known.contains(role));
    let third = ["esclave", "noeud", "node", "maitre", "machine"];
    if machine && third.iter().any(|word| name.starts_with(word)) {
        return say!(
            "the key {name} is not known: a Sphynx pair has exactly two machines, [maitre] and [esclave]",
            "la clé {name} n'est pas connue : une paire Sphynx a exactement deux machines, [maitre] et [esclave]"
        );
    }
    let near = known
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), known));
    let near = near.max_by(|(a, _), (b, _)| a.total_cmp(b));
    if let Some((likeness, near)) = near
        && likeness > 0.8
    {
        return say!(
            "the key {name} is not known; was {near} meant?",
            "la clé {name} n'est pas connue ; est-ce {near} ?"
        );
    }
    let known = known.join(", ");
    say!(
        "the key {name} is not known; known here: {known}",
        "la clé {name} n'est pas connue ; connues ici : {known}"
    )
}

/// A value without its type in front and the quotes around, as in an integer that is out of range.
fn value_of(found: &str) -> &str {
    let value = found.split_once(' ').map_or(found, |(_, value)| value);
    value.trim_matches('`')
}

fn wanted_type(wanted: &str) -> String {
    match wanted {
        "a string" => say!("a text in quotes", "un texte entre guillemets"),
        "a boolean" => say!("true or false", "true ou false"),
        "a sequence" => say!("a list", "une liste"),
        "u8" => say!(
            "a whole number from 0 to 255",
            "un nombre entier de 0 à 255"
        ),
        "u16" => say!(
            "a whole number from 0 to 65535",
            "un nombre entier de 0 à 65535"
        ),
        "u32" => say!(
            "a whole number, not negative",
            "un nombre entier, non négatif"
        ),
        "IP address" => say!("an IP address in quotes", "une adresse IP entre guillemets"),
        _ if wanted.starts_with("struct ") => say!("a table", "une table"),
        _ => wanted.to_owned(),
    }
}
