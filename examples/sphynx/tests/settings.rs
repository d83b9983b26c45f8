//! The file of settings: what it may say, and what is told of one that is wrong.
//!
//! The schema in `docs/hautedispo.schema.json` is made from the types; after a change of those,
//! `HA_UPDATE_SCHEMA=1 cargo test -p sphynx --test settings` writes it anew.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use ha_core::ErrorKind;
use ha_core::language::Language;
use serde_json::Value;
use sphynx::settings::{Agent, Length, Opened, Profile, Settings, Severity, Transport};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/hautedispo.toml");
const SCHEMA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/hautedispo.schema.json"
);

fn example() -> String {
    std::fs::read_to_string(EXAMPLE).unwrap()
}

/// A file with this text, and what keeps it there.
fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    sphynx::language::choose(Some(Language::French));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

/// What is said of the example with something in it replaced, without the file's name.
fn refusal(old: &str, new: &str) -> String {
    let text = example();
    assert!(text.contains(old), "{old}");
    let (folder, path) = file("hautedispo.toml", &text.replacen(old, new, 1));
    let error = Settings::open(&path).expect_err(new);
    assert_eq!(error.kind(), ErrorKind::Schema, "{error:#}");
    assert_eq!(error.exit_code(), 78);
    let text = error.to_string().replace(path.to_str().unwrap(), "F");
    drop(folder);
    text
}

#[test]
fn the_schema_is_that_of_the_types() {
    let generated = Settings::schema().to_value();
    if std::env::var_os("HA_UPDATE_SCHEMA").is_some() {
        std::fs::write(
            SCHEMA,
            serde_json::to_string_pretty(&generated).unwrap() + "\n",
        )
        .unwrap();
    }
    let stored: Value = serde_json::from_str(&std::fs::read_to_string(SCHEMA).unwrap()).unwrap();
    assert!(
        generated == stored,
        "docs/hautedispo.schema.json is not what the types say: write it with HA_UPDATE_SCHEMA=1"
    );
}

#[test]
fn the_example_is_a_sphynx() {
    let settings = Settings::open(EXAMPLE).unwrap();
    let names = [
        "VIP_externe",
        "VIP_interne",
        "VIP_src_addr",
        "ipsec_rsc",
        "arv_rsc",
    ];
    assert_eq!(settings.resources(), names);
    assert_eq!(settings.check(), []);
    assert!(settings.active && !settings.fencing.active);
    assert_eq!(settings.dialogue.transport, Transport::Multicast);
    assert_eq!(settings.dialogue.profile, Profile::Standard);
    assert_eq!(settings.maitre.ssh(), "10.0.254.11");
    assert_eq!(settings.services[0].agent, Agent::Lsb("ipsec".to_owned()));
    assert_eq!(settings.pacemaker.forget, Length::seconds(600));
}

/// A key in a comment says its default: the example with these comments taken away means the same.
#[test]
fn the_comments_of_the_example_are_the_defaults() {
    let described = [
        ("# role", "maitre"),
        ("# secours", "knet"),
        ("# [[cloture", ""),
        ("# nom = \"ilo", ""),
        ("# agent = \"fence", ""),
        ("# cible", ""),
        ("# parametres", ""),
    ];
    let uncommented = |line: &str| {
        let kept = described.iter().any(|(start, _)| line.starts_with(start));
        let key = line.strip_prefix("# ").filter(|rest| {
            rest.split_once(" = ")
                .is_some_and(|(key, _)| !key.contains(' '))
        });
        match key {
            Some(key) if !kept => key.to_owned(),
            _ => line.to_owned(),
        }
    };
    let text: Vec<String> = example().lines().map(uncommented).collect();
    let text = text.join("\n");
    assert!(
        text.contains("\noubli_echecs = ")
            && text.contains("\nfichiers = ")
            && text.contains("\nport = ")
    );
    let (_folder, path) = file("hautedispo.toml", &text);
    let (with, without) = (
        Settings::open(&path).unwrap(),
        Settings::open(EXAMPLE).unwrap(),
    );
    // These two say in the file what else follows from other keys.
    let mut with = with;
    assert_eq!(with.maitre.ssh(), without.maitre.ssh());
    with.maitre.ssh = None;
    for service in &mut with.services {
        (service.start, service.stop) = (None, None);
    }
    assert_eq!(with, without);
}

/// Every key of the file that the schema knows is in the annotated example.
#[test]
fn the_example_has_every_key() {
    let schema = Settings::schema().to_value();
    let tables = schema["$defs"]
        .as_object()
        .unwrap()
        .values()
        .chain([&schema]);
    let text = example();
    let mut seen = 0;
    for table in tables {
        for key in table["properties"]
            .as_object()
            .into_iter()
            .flat_map(|it| it.keys())
        {
            seen += 1;
            let there = text.contains(&format!("{key} = "))
                || text.contains(&format!("[{key}]"))
                || text.contains(&format!(".{key}]"));
            assert!(there, "{key}");
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn each_mistake_is_told_with_its_line_and_what_would_do() {
    let cases = [
        (
            "adresse = \"192.168.0.23\"",
            "adresse = \"192.168.0.230.1\"",
            "ce n'est pas une adresse IP ; en écrire une telle que \"192.168.0.23\", sans masque",
        ),
        (
            "adresse = \"192.168.0.23\"",
            "adrese = \"192.168.0.23\"",
            "la clé adrese n'est pas connue ; est-ce adresse ?",
        ),
        (
            "masque = 24",
            "masque = 33",
            "33 n'est pas un nombre de bits de réseau ; en écrire un de 1 à 32, tel que 24",
        ),
        (
            "masque = 24",
            "masque = \"24\"",
            "\"24\" ne convient pas ; écrire un nombre entier de 0 à 255",
        ),
        (
            "adresse = \"192.168.0.23\"",
            "adresse = \"192.168.0.255\"",
            "192.168.0.255 est l'adresse de diffusion de son réseau ; écrire une adresse libre de ce réseau",
        ),
        (
            "adresse = \"172.30.101.23\"",
            "adresse = \"192.168.0.24\"",
            "son réseau recouvre celui de VIP_externe, qui est sur eth0 ; deux interfaces ont des réseaux différents : corriger adresse, masque ou interface",
        ),
        (
            "adresses = [\"192.168.0.1\"]",
            "adresses = [\"192.168.0.23\"]",
            "192.168.0.23 est déjà prise : VIP_externe ; chacun a son adresse",
        ),
        (
            "adresses = [\"192.168.0.1\"]",
            "adresses = []",
            "personne n'est interrogé pour savoir si le réseau est là ; écrire l'adresse de la passerelle par défaut",
        ),
        (
            "dialogue = \"10.0.254.12\"",
            "dialogue = \"10.0.254.11\"",
            "10.0.254.11 est déjà prise : le dialogue de maitre ; chacun a son adresse",
        ),
        (
            "nom = \"esclave\"",
            "nom = \"maitre\"",
            "les deux machines s'appellent maitre ; une paire est faite de deux machines, chacune avec son nom",
        ),
        (
            "[esclave]",
            "[temoin]",
            "la clé temoin n'est pas connue ; connues ici : ",
        ),
        (
            "# Comment les deux",
            "[esclave2]\nnom = \"x\"\n#",
            "la clé esclave2 n'est pas connue : une paire Sphynx a exactement deux machines, [maitre] et [esclave]",
        ),
        ("dialogue = \"10.0.254.12\"", "", "la clé dialogue manque"),
        (
            "# groupe = \"239.255.1.1\"",
            "groupe = \"192.168.0.9\"",
            "192.168.0.9 n'est pas un groupe multicast ; en écrire un de 224.0.0.0/4, au mieux de 239.255.0.0/16",
        ),
        (
            "# port = 5405",
            "port = 80",
            "le port 80 est réservé au système ; en écrire un de 1024 à 65535 ; 5405 est celui de corosync",
        ),
        (
            "# port = 5405",
            "port = 70000",
            "70000 est hors limites ; écrire un nombre entier de 0 à 65535",
        ),
        (
            "# profil = \"standard\"",
            "profil = \"lent\"",
            "\"lent\" n'est pas connu ici ; au choix : rapide, standard, prudent",
        ),
        (
            "# secours",
            "secours",
            "le multicast n'a qu'un lien ; écrire transport = \"knet\", ou retirer secours",
        ),
        (
            "interface = \"eth2\"",
            "interface = \"une-interface-trop-longue\"",
            "\"une-interface-trop-longue\" n'est pas une interface de réseau ; écrire son nom tel que",
        ),
        (
            "vip = \"VIP_externe\"",
            "vip = \"VIP_extern\"",
            "il n'y a pas de [[vip]] du nom VIP_extern ; au choix : VIP_externe, VIP_interne",
        ),
        (
            "agent = \"lsb:arv\"",
            "agent = \"arv\"",
            "\"arv\" n'est pas un agent ; écrire \"systemd:UNITÉ\"",
        ),
        (
            "nom = \"arv_rsc\"",
            "nom = \"ipsec_rsc\"",
            "le nom ipsec_rsc est déjà pris ; chaque ressource a son nom",
        ),
        (
            "nom = \"arv_rsc\"",
            "nom = \"gw_pingd\"",
            "le nom gw_pingd est déjà pris",
        ),
        (
            "nom = \"arv_rsc\"",
            "nom = \"arv rsc\"",
            "\"arv rsc\" n'est pas un nom de ressource",
        ),
        (
            "# surveillance = \"10s\"",
            "surveillance = \"10\"",
            "\"10\" n'est pas une durée ; écrire un nombre et son unité",
        ),
        (
            "# surveillance = \"10s\"",
            "surveillance = \"0s\"",
            "un service jamais surveillé ne bascule jamais",
        ),
        (
            "# seuil_echecs = 3",
            "seuil_echecs = 0",
            "sans aucun échec permis, rien ne pourrait tourner",
        ),
        (
            "# adherence = 100",
            "adherence = 1000000",
            "1000000 l'emporterait sur une passerelle perdue",
        ),
        (
            "# active = false",
            "active = true",
            "aucun équipement ne peut clôturer",
        ),
        (
            "# courriel = \"\"",
            "courriel = \"root\"",
            "\"root\" n'est pas une adresse de courriel",
        ),
        ("actif = true", "actif = oui", "ce n'est pas du TOML : "),
        (
            "actif = true",
            "actif = \"oui\"",
            "\"oui\" ne convient pas ; écrire true ou false",
        ),
        (
            "actif = true",
            "actif = true\nactif = true",
            "cette clé est là deux fois",
        ),
    ];
    for (old, new, wanted) in cases {
        let told = refusal(old, new);
        println!("{told}\n");
        assert!(told.contains(wanted), "{new}:\n{told}\n{wanted}");
        // Of a key that is missing, the line is its table's; of one that is there twice, the second's.
        let at = match new {
            "" => example().find("[esclave]"),
            _ => example().find(old),
        };
        let line = 1
            + example()[..at.unwrap()].matches('\n').count()
            + usize::from(new.ends_with("\nactif = true"));
        let place = format!("F, ligne {line} : ");
        assert!(told.starts_with(&place), "{new}:\n{told}\n{place}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = example()
        .replacen("masque = 24", "masque = 0", 1)
        .replace("nom = \"esclave\"", "nom = \"un deux\"");
    let (_folder, path) = file("hautedispo.toml", &text);
    let error = Settings::open(&path).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 2, "{error}");
}

#[test]
fn a_risk_is_no_error() {
    let text = example()
        .replace("# preference = 50", "preference = 500")
        .replace("\"eth2\"", "\"eth1\"");
    let (_folder, path) = file("hautedispo.toml", &text);
    let opened = Opened::read(&path).unwrap();
    let problems = opened.settings.check();
    let paths: Vec<&str> = problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    assert_eq!(paths, ["dialogue.interface", "pacemaker.preference"]);
    assert!(
        problems
            .iter()
            .all(|problem| problem.severity == Severity::Warning)
    );
    opened.refuse(&problems).unwrap();
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    sphynx::language::choose(Some(Language::French));
    let error = Settings::open("/nowhere/hautedispo.toml").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().contains("/nowhere/hautedispo.toml"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("--config"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hautedispo.toml");
    std::fs::write(&path, b"actif = true\nnom_cluster = \"\xe9\"").unwrap();
    let error = Settings::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("ligne 2 : ce n'est pas de l'UTF-8"),
        "{error}"
    );
}

#[test]
fn passwords_are_not_shown() {
    let device = "[[cloture.equipement]]\nnom = \"ilo\"\nagent = \"fence_ipmilan\"\nparametres = { ip = \"10.0.0.9\", password = \"sesame\" }\n";
    let (_folder, path) = file(
        "hautedispo.toml",
        &example().replace("[alerte]", &format!("{device}[alerte]")),
    );
    let settings = Settings::open(&path).unwrap();
    let shown = format!("{settings:?} {}", serde_json::to_string(&settings).unwrap());
    assert!(
        shown.contains("10.0.0.9") && !shown.contains("sesame"),
        "{shown}"
    );
    let parameters = &settings.fencing.devices[0].parameters;
    assert!(
        parameters
            .iter()
            .any(|(name, value)| name == "password" && value.reveal() == "sesame")
    );
}

/// The example as EOLE's variables.
fn variables() -> Value {
    let of = |value: Value| serde_json::json!({ "owner": "gen_config", "val": value });
    let mut out = serde_json::Map::new();
    for (name, value) in [
        ("activer_haute_dispo", "maître"),
        ("ha_nom_maitre", "maitre"),
        ("ha_adresse_ip_maitre", "10.0.254.11"),
        ("ha_nom_esclave", "esclave"),
        ("ha_adresse_ip_esclave", "10.0.254.12"),
        ("ha_interface_dialogue", "eth2"),
        ("ha_source_vip", "VIP_externe"),
        ("ha_oubli_echecs", "600"),
        ("nom_machine", "sphynx"),
    ] {
        out.insert(name.to_owned(), of(value.into()));
    }
    for (name, values) in [
        ("ha_vip_nom", ["VIP_externe", "VIP_interne"]),
        ("ha_vip_adresse", ["192.168.0.23", "172.30.101.23"]),
        ("ha_vip_masque", ["24", "24"]),
        ("ha_vip_interface", ["eth0", "eth1"]),
        ("ha_service_nom", ["ipsec_rsc", "arv_rsc"]),
        ("ha_service_agent", ["lsb:ipsec", "lsb:arv"]),
    ] {
        out.insert(name.to_owned(), of(values.to_vec().into()));
    }
    out.insert("ha_passerelles".to_owned(), of(vec!["192.168.0.1"].into()));
    Value::Object(out)
}

fn eole(variables: &Value) -> ha_core::Result<Settings> {
    let (_folder, path) = file("config.eol", &variables.to_string());
    Settings::open(path)
}

#[test]
fn the_variables_of_eole_say_the_same() {
    let read = eole(&variables()).unwrap();
    let role = "actif = true\nrole = \"maitre\"";
    let (_folder, path) = file(
        "hautedispo.toml",
        &example().replacen("actif = true", role, 1),
    );
    assert_eq!(read, Settings::open(path).unwrap());
    let mut off = variables();
    off["activer_haute_dispo"]["val"] = "non".into();
    assert!(!eole(&off).unwrap().active);
}

#[test]
fn a_variable_that_is_wrong_is_named() {
    let cases: [(&str, Value, &str); 6] = [
        (
            "ha_adresse_ip_maitre",
            "10.0.254".into(),
            "variable ha_adresse_ip_maitre : \"10.0.254\" ne convient pas ; écrire une adresse IP telle que",
        ),
        (
            "ha_vip_adresse",
            vec!["192.168.0.23", "172.30.101"].into(),
            "variable ha_vip_adresse : \"172.30.101\" ne convient pas",
        ),
        (
            "ha_vip_masque",
            vec!["24", "40"].into(),
            "variable ha_vip_masque[1] : 40 n'est pas un nombre de bits de réseau",
        ),
        (
            "ha_nom_esclave",
            "maitre".into(),
            "variable ha_nom_esclave : les deux machines s'appellent maitre",
        ),
        (
            "ha_interface_dialogue",
            Value::Null,
            "la variable ha_interface_dialogue n'a pas de valeur",
        ),
        (
            "activer_haute_dispo",
            "oui".into(),
            "écrire non, maître ou esclave",
        ),
    ];
    for (name, value, wanted) in cases {
        let mut variables = variables();
        variables[name]["val"] = value;
        let error = eole(&variables).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.to_string().contains(wanted), "{name}: {error}");
    }
    let error = Settings::open(file("config.eol", "{\n\"a\": }").1);
    assert!(error.is_err());
}
