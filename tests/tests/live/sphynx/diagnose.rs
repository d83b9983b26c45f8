//! The program `diagnose`: every report Ok on a pair that is well, and for each fault the right line with its cause.

use std::time::Duration;

use ha_core::{Error, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Link, Node, NotYet};
use serde_json::Value;

/// Where the program is inside the nodes.
const DIAGNOSE: &str = "/usr/sbin/diagnose";
const APPLY: &str = "/usr/sbin/appliquer_hautedispo";
const SETTINGS: &str = "/etc/eole/hautedispo.toml";

/// How long the pair may take to be well again.
const LIMIT: Duration = Duration::from_secs(90);

pub(crate) fn register(harness: &mut Harness) {
    let options = || LabOptions {
        ssh: true,
        ..LabOptions::default()
    };
    let limit = Duration::from_secs(900);
    harness.test("sphynx::diagnose::pair", own(options(), pair).limit(limit));
}

/// Builds the program, and the one that makes the pair.
fn build() -> Result<[Vec<u8>; 2]> {
    let folder = crate::crm_mon::build_beside("settings")?;
    Ok([
        std::fs::read(folder.join("diagnose"))?,
        std::fs::read(folder.join("appliquer_hautedispo"))?,
    ])
}

/// Makes a pair as the programs of the package leave it: settings, files, keys of SSH.
fn set_up(lab: &Lab) -> Result<()> {
    let [program, apply] = build()?;
    let settings = include_str!("../../../../examples/sphynx/hautedispo.toml");
    let settings = settings.replace("# groupe = \"239.255.1.1\"", "groupe = \"239.192.101.1\"");
    let nodes = lab.nodes();
    for node in &nodes {
        node.command("mkdir")
            .args([
                "-p",
                "/etc/eole",
                "/etc/ha.d",
                "/var/lib/sphynx",
                "/root/.ssh",
            ])
            .stdout()?;
        node.write(DIAGNOSE, &program)?;
        node.write(APPLY, &apply)?;
        node.command("chmod")
            .args(["755", DIAGNOSE, APPLY])
            .stdout()?;
        node.write(SETTINGS, &settings)?;
        synchronised(node, "")?;
        node.write("/etc/corosync/authkey", [7; 128])?;
        node.command("chmod")
            .args(["400", "/etc/corosync/authkey"])
            .stdout()?;
        node.command("sh")
            .args([
                "-c",
                "rm -f ~/.ssh/*; ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519",
            ])
            .stdout()?;
    }
    for (node, other, address) in [
        (&nodes[0], &nodes[1], "10.0.254.12"),
        (&nodes[1], &nodes[0], "10.0.254.11"),
    ] {
        let host = other.read("/etc/ssh/ssh_host_ed25519_key.pub")?;
        node.write("/root/.ssh/known_hosts", format!("{address} {host}"))?;
        node.write(
            "/root/.ssh/authorized_keys",
            other.read("/root/.ssh/id_ed25519.pub")?,
        )?;
    }
    for node in &nodes {
        let made = node.command(APPLY).limit(LIMIT).output()?;
        println!("{}{}", made.stdout, made.stderr);
        assert!(made.status.success(), "{}", made.stderr);
    }
    Ok(())
}

/// Writes what synchro-nodes leaves after a success, so long ago.
fn synchronised(node: &Node<'_>, ago: &str) -> Result<()> {
    let now = node
        .command("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d", &format!("now {ago}")])
        .stdout()?;
    let now = now.trim();
    node.write(
        "/var/lib/sphynx/synchro.json",
        format!("{{\"fin\": \"{now}\", \"de\": \"maitre\", \"vers\": \"esclave\", \"changements\": 0, \"octets\": 0, \"empreintes\": {{}}}}"),
    )
}

/// Runs the program for programs: its exit status and what it found.
fn diagnose(node: &Node<'_>, words: &[&str]) -> Result<(i32, Value)> {
    let command = node
        .command(DIAGNOSE)
        .arg("--json")
        .args(words.iter().copied());
    let output = command.limit(Duration::from_secs(60)).output()?;
    let found = serde_json::from_str(&output.stdout);
    let found =
        found.map_err(|e| Error::invalid(format!("{e}: {}{}", output.stdout, output.stderr)))?;
    Ok((output.status.code().unwrap_or(-1), found))
}

/// The reports with this outcome.
fn with<'v>(found: &'v Value, outcome: &str) -> Vec<&'v Value> {
    let reports = found["rapports"].as_array();
    let mut all: Vec<&Value> = reports.into_iter().flatten().collect();
    all.retain(|report| report["resultat"] == outcome);
    all
}

/// Waits until the program says that all is well.
fn wait_well(lab: &Lab, node: &Node<'_>) -> Result<()> {
    lab.wait_until(LIMIT, &format!("all is well for {}", node.name()), || {
        well(node)
    })
}

fn well(node: &Node<'_>) -> Result<(), NotYet> {
    let (code, found) = diagnose(node, &[])?;
    let mut bad = with(&found, "erreur");
    bad.extend(with(&found, "inconnu"));
    if code == 0 && bad.is_empty() && with(&found, "ok").len() > 20 {
        return Ok(());
    }
    Err(NotYet::because(format!("{code}: {bad:?}")))
}

/// Waits until a line of a node turns, and its cause has these words; returns all that was found.
fn wait_error(lab: &Lab, node: &Node<'_>, id: &str, words: &[&str]) -> Result<Value> {
    let name = node.name();
    lab.wait_until(LIMIT, &format!("{name} tells of {id}"), || {
        let (code, found) = diagnose(node, &[])?;
        let told = with(&found, "erreur").iter().any(|report| {
            let causes = report["causes"].to_string();
            report["id"] == id && words.iter().all(|word| causes.contains(word))
        });
        if told {
            assert_eq!(code, 1, "{found}");
            return Ok(found);
        }
        Err(NotYet::because(format!(
            "{code}: {:?}",
            with(&found, "erreur")
        )))
    })
}

/// What is told as wrong: the names of the lines.
fn wrong(found: &Value) -> Vec<&str> {
    with(found, "erreur")
        .iter()
        .filter_map(|report| report["id"].as_str())
        .collect()
}

/// A fault, on the esclave unless said otherwise, and the line that tells of it.
struct Fault {
    what: &'static str,
    /// Shell commands on the esclave that make it, and that mend it.
    make: &'static str,
    mend: &'static str,
    /// The line, and words of its causes.
    line: &'static str,
    words: &'static [&'static str],
    /// Told by the maître too.
    both: bool,
}

const FAULTS: &[Fault] = &[
    Fault {
        what: "another key",
        make: "cp -p /etc/corosync/authkey /run/k; chmod u+w /etc/corosync/authkey; head -c 128 /dev/urandom >/etc/corosync/authkey; chmod 400 /etc/corosync/authkey",
        mend: "cp -p /run/k /etc/corosync/authkey",
        line: "authkey",
        words: &[
            "/etc/corosync/authkey de ",
            " diffèrent",
            "systemctl restart corosync",
        ],
        both: true,
    },
    Fault {
        what: "another list of services",
        make: "echo ipsec_rsc >/etc/ha.d/.rsc_list",
        mend: "printf 'ipsec_rsc\\narv_rsc\\n' >/etc/ha.d/.rsc_list",
        line: "rsc_list",
        words: &[
            "esclave a : ipsec_rsc ; le paramétrage a : ipsec_rsc arv_rsc",
            "appliquer_hautedispo",
        ],
        both: true,
    },
    Fault {
        what: "another corosync.conf",
        make: "cp -p /etc/corosync/corosync.conf /run/c; sed -i 's/token: 1000/token: 3000/' /etc/corosync/corosync.conf",
        mend: "cp -p /run/c /etc/corosync/corosync.conf",
        line: "corosync_conf",
        words: &["totem.token: ", "synchro-nodes"],
        both: true,
    },
    Fault {
        what: "other settings",
        make: "cp -p /etc/eole/hautedispo.toml /run/s; echo 'courriel = \"a@b.fr\"' >/run/m; sed -i '/^\\[alerte\\]/r /run/m' /etc/eole/hautedispo.toml",
        mend: "cp -p /run/s /etc/eole/hautedispo.toml",
        line: "parametrage_identique",
        words: &["diffèrent"],
        both: true,
    },
    Fault {
        what: "a copy long ago",
        make: "cp -p /var/lib/sphynx/synchro.json /run/y; sed -i 's/\"20[0-9][0-9]-/\"2001-/' /var/lib/sphynx/synchro.json",
        mend: "cp -p /run/y /var/lib/sphynx/synchro.json",
        line: "synchro",
        words: &["de maitre vers esclave, date de", "synchro-nodes"],
        both: false,
    },
    Fault {
        what: "no default route",
        make: "ip route del default",
        mend: "ip route add default via 192.168.0.1",
        line: "route",
        words: &[
            "esclave n'a pas de route par défaut",
            "ip route add default via 192.168.0.1",
        ],
        both: true,
    },
    Fault {
        what: "no server of SSH there",
        make: "mv /root/.ssh/authorized_keys /run/a",
        mend: "mv /run/a /root/.ssh/authorized_keys",
        line: "ssh_depuis",
        words: &["maitre n'entre pas ici", "Permission denied", "instance"],
        both: false,
    },
    Fault {
        what: "standby",
        make: "crm_standby --node esclave -v on",
        mend: "crm_standby --node esclave -D",
        line: "noeuds",
        words: &["esclave est en veille", "crm node online esclave"],
        both: true,
    },
    Fault {
        what: "a ban",
        make: "crm_resource --ban --resource sphynx --node esclave",
        mend: "crm_resource --clear --resource sphynx",
        line: "restes",
        words: &[
            "cli-ban-sphynx-on-esclave",
            "crm_resource --clear --resource sphynx",
        ],
        both: true,
    },
    Fault {
        what: "a failed action",
        make: "crm_resource --fail --resource gw_pingd --node esclave",
        mend: "crm_resource --cleanup",
        line: "echecs",
        words: &[
            "gw_pingd a échoué sur esclave",
            "crm_resource --cleanup --resource gw_pingd --node esclave",
        ],
        both: true,
    },
];

fn pair(lab: &Lab) -> Result<()> {
    set_up(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    let all_well = || -> Result<()> {
        wait_well(lab, &esclave)?;
        wait_well(lab, &maitre)
    };
    all_well()?;
    texts(&maitre)?;
    for fault in FAULTS {
        println!("{}", fault.what);
        esclave.command("sh").args(["-c", fault.make]).stdout()?;
        let found = wait_error(lab, &esclave, fault.line, fault.words)?;
        assert!(wrong(&found).len() <= 2, "{}: {found}", fault.what);
        if fault.both {
            wait_error(lab, &maitre, fault.line, fault.words)?;
        }
        esclave.command("sh").args(["-c", fault.mend]).stdout()?;
    }
    all_well()?;
    gateway(lab, &maitre, &esclave)?;
    daemons(lab, &maitre, &esclave)?;
    all_well()?;
    own_interface_down(lab, &maitre, &esclave)?;
    split_brain(lab, &maitre, &esclave)?;
    peer_off(lab, &maitre)
}

/// What people read, and what is not looked at.
fn texts(node: &Node<'_>) -> Result<()> {
    let output = node.command(DIAGNOSE).output()?;
    println!("{}", output.stdout);
    assert!(output.status.success(), "{}", output.stdout);
    let lines: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| line.starts_with('.'))
        .collect();
    assert!(
        lines.len() > 20 && lines.iter().all(|line| line.ends_with(" => Ok")),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with("  Ressources, sur maitre => Ok")),
        "{lines:?}"
    );
    // Fencing off is said once, and is no error.
    assert_eq!(
        output.stdout.matches("clôture (fencing)").count(),
        1,
        "{}",
        output.stdout
    );
    let english = node
        .command(DIAGNOSE)
        .args(["--en", "--sans-pair"])
        .stdout()?;
    assert!(
        english.contains("  Resources, on maitre => Ok\n"),
        "{english}"
    );
    assert!(!english.contains("SSH"), "{english}");
    // A plain user sees less, is told so, and gets no wrong answer.
    let plain =
        node.command("su")
            .args(["-s", "/bin/sh", "nobody", "-c", "/usr/sbin/diagnose --json"]);
    let plain = plain.output()?;
    assert_eq!(
        plain.status.code(),
        Some(2),
        "{}{}",
        plain.stdout,
        plain.stderr
    );
    assert!(plain.stdout.contains("sudo diagnose"), "{}", plain.stdout);
    // Switched off: that, and nothing of the cluster.
    let settings = node.read(SETTINGS)?;
    node.write(
        "/run/off.toml",
        settings.replace("actif = true", "actif = false"),
    )?;
    let (code, found) = diagnose(node, &["--config", "/run/off.toml"])?;
    assert_eq!(code, 0, "{found}");
    assert_eq!(
        found["rapports"].as_array().map(Vec::len),
        Some(1),
        "{found}"
    );
    assert!(
        found["remarques"].to_string().contains("actif = false"),
        "{found}"
    );
    // No settings: that is the error.
    let (code, found) = diagnose(node, &["--config", "/run/none.toml"])?;
    assert_eq!((code, wrong(&found)), (1, vec!["parametrage"]), "{found}");
    Ok(())
}

fn gateway(lab: &Lab, maitre: &Node<'_>, esclave: &Node<'_>) -> Result<()> {
    lab.cut("esclave", Link::Academie)?;
    for node in [esclave, maitre] {
        let words = ["esclave n'a pas de réponse de la passerelle 192.168.0.1"];
        wait_error(lab, node, "passerelle", &words)?;
    }
    lab.heal("esclave", Link::Academie)?;
    Ok(())
}

/// What does not run, or hangs.
fn daemons(lab: &Lab, maitre: &Node<'_>, esclave: &Node<'_>) -> Result<()> {
    // Stopped by a signal, it answers nothing: the program ends all the same, and tells.
    esclave.stop("corosync")?;
    let words = [
        "esclave : corosync a été suspendu par un signal",
        "kill -CONT $(pidof corosync)",
    ];
    wait_error(lab, esclave, "corosync", &words)?;
    wait_error(lab, maitre, "corosync", &words)?;
    wait_error(
        lab,
        maitre,
        "membres",
        &["maitre : esclave n'est pas membre"],
    )?;
    esclave.cont("corosync")?;
    back(lab, esclave)?;
    esclave.kill("pacemakerd")?;
    let words = [
        "pacemaker ne tourne pas sur esclave",
        "systemctl start pacemaker",
    ];
    wait_error(lab, esclave, "pacemaker", &words)?;
    wait_error(lab, maitre, "pacemaker", &words)?;
    back(lab, esclave)?;
    esclave.kill("corosync")?;
    let words = [
        "corosync ne tourne pas sur esclave",
        "systemctl start corosync",
    ];
    wait_error(lab, esclave, "corosync", &words)?;
    wait_error(lab, maitre, "corosync", &words)?;
    esclave.command("corosync").stdout()?;
    back(lab, esclave)
}

/// The node whose own interface is down takes itself for a member: the age of the token tells.
fn own_interface_down(lab: &Lab, maitre: &Node<'_>, esclave: &Node<'_>) -> Result<()> {
    esclave
        .command("ip")
        .args(["link", "set", "eth2", "down"])
        .stdout()?;
    let words = ["esclave n'a pas vu le jeton depuis", "ip link set eth2 up"];
    let found = wait_error(lab, esclave, "jeton", &words)?;
    assert!(wrong(&found).contains(&"interface"), "{found}");
    let found = wait_error(lab, maitre, "jeton", &words)?;
    // Reached by the other networks: its facts are there.
    assert!(wrong(&found).contains(&"ssh_vers"), "{found}");
    esclave
        .command("ip")
        .args(["link", "set", "eth2", "up"])
        .stdout()?;
    mended(lab)
}

fn split_brain(lab: &Lab, maitre: &Node<'_>, esclave: &Node<'_>) -> Result<()> {
    lab.cut("esclave", Link::Ha1)?;
    for node in [maitre, esclave] {
        let words = [
            "les deux machines sont actives",
            "maitre fait tourner VIP_externe",
            "esclave fait tourner VIP_externe",
        ];
        let found = wait_error(lab, node, "une_seule_active", &words)?;
        let wrong = wrong(&found);
        assert!(
            wrong.contains(&"lien") && wrong.contains(&"membres"),
            "{found}"
        );
    }
    lab.heal("esclave", Link::Ha1)?;
    mended(lab)
}

fn peer_off(lab: &Lab, maitre: &Node<'_>) -> Result<()> {
    lab.power_cut("esclave")?;
    let found = wait_error(lab, maitre, "noeuds", &["esclave est hors ligne"])?;
    let wrong = wrong(&found);
    assert!(
        wrong.contains(&"ssh_vers") && wrong.contains(&"lien"),
        "{found}"
    );
    let unsure = with(&found, "inconnu");
    assert!(
        unsure
            .iter()
            .any(|report| report["id"] == "une_seule_active"),
        "{found}"
    );
    lab.power_on("esclave")?;
    mended(lab)
}

/// Waits until a node whose daemons ended is a member again, and all is well for it.
fn back(lab: &Lab, node: &Node<'_>) -> Result<()> {
    crate::respawn::wait_respawned(lab, node, "both nodes are Online", || {
        match node.cluster_view()? {
            view if view == "maitre, esclave Online" => Ok(()),
            view => Err(NotYet::because(view)),
        }
    })?;
    mended(lab)
}

/// Forgets what failed meanwhile, and waits until all is well for both.
fn mended(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        let what = format!("all is well again for {}", node.name());
        lab.wait_until(LIMIT, &what, || {
            node.command("crm_resource").arg("--cleanup").output()?;
            well(&node)
        })?;
    }
    Ok(())
}
