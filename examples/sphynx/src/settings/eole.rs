//! Settings from `config.eol`, where EOLE's configuration tool keeps the values of its variables.
//!
//! The file is JSON: `{"variable": {"owner": "gen_config", "val": ...}}`; a variable that may have several values has a
//! list. **The names below are ours**: those of the tab "Haute disponibilité" could not be found out. To read a real
//! Sphynx, only the table `VARIABLES` has to be adapted.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{Agent, Length, Settings, grammar};
use crate::say;

/// What a variable holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Any text.
    Text,
    /// A whole number up to this.
    Number(u64),
    /// `oui` or `non`.
    Flag,
    /// An IP address.
    Address,
    /// A length of time: a number of seconds, or with its unit.
    Length,
    /// What runs a service.
    Agent,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `non`, or this machine's role.
    Switch,
}

/// A variable of EOLE and where its value goes.
struct Variable {
    name: &'static str,
    /// A path as in the TOML file; `[]` stands for each of the values of a variable that has several.
    path: &'static str,
    kind: Kind,
    needed: bool,
}

const fn needed(name: &'static str, path: &'static str, kind: Kind) -> Variable {
    Variable {
        name,
        path,
        kind,
        needed: true,
    }
}

const fn optional(name: &'static str, path: &'static str, kind: Kind) -> Variable {
    Variable {
        name,
        path,
        kind,
        needed: false,
    }
}

use Kind::{Address, Flag, Number, Switch, Text, Word};

/// The mapping.
const VARIABLES: &[Variable] = &[
    needed("activer_haute_dispo", "role", Switch),
    optional("ha_nom_cluster", "nom_cluster", Text),
    needed("ha_nom_maitre", "maitre.nom", Text),
    needed("ha_adresse_ip_maitre", "maitre.dialogue", Address),
    optional("ha_adresse_ip_secours_maitre", "maitre.secours", Address),
    optional("ha_ssh_maitre", "maitre.ssh", Text),
    needed("ha_nom_esclave", "esclave.nom", Text),
    needed("ha_adresse_ip_esclave", "esclave.dialogue", Address),
    optional("ha_adresse_ip_secours_esclave", "esclave.secours", Address),
    optional("ha_ssh_esclave", "esclave.ssh", Text),
    needed("ha_interface_dialogue", "dialogue.interface", Text),
    optional(
        "ha_transport",
        "dialogue.transport",
        Word(&["multicast", "knet"]),
    ),
    optional("ha_adresse_multicast", "dialogue.groupe", Address),
    optional("ha_port_multicast", "dialogue.port", Number(65_535)),
    optional(
        "ha_profil",
        "dialogue.profil",
        Word(&["rapide", "standard", "prudent"]),
    ),
    needed("ha_vip_nom", "vip[].nom", Text),
    needed("ha_vip_adresse", "vip[].adresse", Address),
    needed("ha_vip_masque", "vip[].masque", Number(128)),
    needed("ha_vip_interface", "vip[].interface", Text),
    optional("ha_source_nom", "source.nom", Text),
    optional("ha_source_vip", "source.vip", Text),
    needed("ha_passerelles", "passerelle.adresses[]", Address),
    optional("ha_service_nom", "service[].nom", Text),
    optional("ha_service_agent", "service[].agent", Kind::Agent),
    optional("ha_service_demarrage", "service[].demarrage", Kind::Length),
    optional("ha_service_arret", "service[].arret", Kind::Length),
    optional(
        "ha_service_surveillance",
        "service[].surveillance",
        Kind::Length,
    ),
    optional("ha_adherence", "pacemaker.adherence", Number(10_000)),
    optional("ha_preference", "pacemaker.preference", Number(10_000)),
    optional(
        "ha_seuil_echecs",
        "pacemaker.seuil_echecs",
        Number(1_000_000),
    ),
    optional("ha_oubli_echecs", "pacemaker.oubli_echecs", Kind::Length),
    optional("ha_cloture", "cloture.active", Flag),
    optional("ha_courriel", "alerte.courriel", Text),
];

/// Returns the variable whose value stands at a path.
pub(super) fn variable(path: &str) -> String {
    let (plain, index) = match path.split_once('[') {
        Some((before, rest)) => match rest.split_once(']') {
            Some((index, after)) => (format!("{before}[]{after}"), format!("[{index}]")),
            None => (path.to_owned(), String::new()),
        },
        None => (path.to_owned(), String::new()),
    };
    let exact = VARIABLES.iter().find(|it| it.path == plain);
    let below = || {
        VARIABLES.iter().find(|it| {
            it.path
                .strip_prefix(&plain)
                .is_some_and(|rest| rest.starts_with(['.', '[']))
        })
    };
    match exact.or_else(below) {
        Some(variable) => format!("{}{index}", variable.name),
        None => path.to_owned(),
    }
}

/// Reads the variables. What is wrong begins with its place.
pub(super) fn read(text: &str) -> Result<Settings, String> {
    let variables: Map<String, Value> = serde_json::from_str(text).map_err(|e| {
        let line = e.line();
        say!(
            ", line {line}: this is not EOLE's JSON: {e}",
            ", ligne {line} : ce n'est pas le JSON d'EOLE : {e}"
        )
    })?;
    let mut settings = json!({});
    let missing = |name: &str| {
        say!(
            ": the variable {name} has no value",
            " : la variable {name} n'a pas de valeur"
        )
    };
    for variable in VARIABLES {
        let Variable {
            name, path, kind, ..
        } = variable;
        let value = variables.get(*name).and_then(|it| it.get("val"));
        let value = value.filter(|it| !it.is_null() && it.as_str() != Some(""));
        let Some(value) = value else {
            if variable.needed {
                return Err(missing(name));
            }
            continue;
        };
        let wrong = |value: &Value, wanted: String| {
            say!(
                ", variable {name}: {value} does not do; write {wanted}",
                ", variable {name} : {value} ne convient pas ; écrire {wanted}"
            )
        };
        if let Some((before, after)) = path.split_once("[]") {
            let single = std::slice::from_ref(value);
            for (at, value) in value
                .as_array()
                .map_or(single, Vec::as_slice)
                .iter()
                .enumerate()
            {
                if value.is_null() || value.as_str() == Some("") {
                    continue;
                }
                let read = kind.read(value).map_err(|wanted| wrong(value, wanted))?;
                let key = after.strip_prefix('.');
                put_in_list(&mut settings, before, at, key, read).map_err(|()| missing(name))?;
            }
        } else {
            let read = kind.read(value).map_err(|wanted| wrong(value, wanted))?;
            if matches!(kind, Switch) {
                settings["actif"] = json!(!read.is_null());
            }
            if !read.is_null() {
                let pointer = path
                    .split('.')
                    .fold(&mut settings, |at, step| &mut at[step]);
                *pointer = read;
            }
        }
    }
    serde_json::from_value(settings).map_err(|e| {
        let message = grammar::told(&e.to_string());
        say!(": {message}", " : {message}")
    })
}

/// Puts a value into a list, or a key of a table of a list. Lists grow by one.
fn put_in_list(
    root: &mut Value,
    path: &str,
    at: usize,
    key: Option<&str>,
    value: Value,
) -> Result<(), ()> {
    let list = path.split('.').fold(root, |at, step| &mut at[step]);
    if list.is_null() {
        *list = json!([]);
    }
    let list = list.as_array_mut().ok_or(())?;
    match key {
        None => list.push(value),
        Some(key) => {
            if list.len() == at {
                list.push(json!({}));
            }
            list.get_mut(at).ok_or(())?[key] = value;
        }
    }
    Ok(())
}

impl Kind {
    /// Reads a value; else says what would do.
    fn read(self, value: &Value) -> Result<Value, String> {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => (if *flag { "oui" } else { "non" }).to_owned(),
            _ => return Err(say!("one value", "une seule valeur")),
        };
        match self {
            Text => Ok(json!(text)),
            Number(most) => match text.parse::<u64>() {
                Ok(number) if number <= most => Ok(json!(number)),
                _ => Err(say!(
                    "a whole number up to {most}",
                    "un nombre entier jusqu'à {most}"
                )),
            },
            Flag => match text.as_str() {
                "oui" => Ok(json!(true)),
                "non" => Ok(json!(false)),
                _ => Err(say!("oui or non", "oui ou non")),
            },
            Address => match text.parse::<IpAddr>() {
                Ok(address) => Ok(json!(address)),
                Err(_) => Err(say!(
                    "an IP address such as 192.168.0.23",
                    "une adresse IP telle que 192.168.0.23"
                )),
            },
            Kind::Length => {
                let seconds = text.bytes().all(|byte| byte.is_ascii_digit());
                let whole = if seconds { format!("{text}s") } else { text };
                match whole.parse::<Length>() {
                    Ok(length) => Ok(json!(length)),
                    Err(_) => Err(say!("a number of seconds", "un nombre de secondes")),
                }
            }
            Kind::Agent => match text.parse::<Agent>() {
                Ok(agent) => Ok(json!(agent)),
                Err(_) => Err(say!(
                    "systemd:UNIT, lsb:SCRIPT or ocf:PROVIDER:NAME",
                    "systemd:UNITÉ, lsb:SCRIPT ou ocf:FOURNISSEUR:NOM"
                )),
            },
            Word(words) if words.contains(&text.as_str()) => Ok(json!(text)),
            Word(words) => {
                let words = words.join(", ");
                Err(say!("one of: {words}", "au choix : {words}"))
            }
            Switch => match text.as_str() {
                "maitre" | "maître" => Ok(json!("maitre")),
                "esclave" => Ok(json!("esclave")),
                "non" => Ok(Value::Null),
                _ => Err(say!("non, maître or esclave", "non, maître ou esclave")),
            },
        }
    }
}
