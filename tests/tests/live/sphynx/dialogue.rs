//! `instance` on both machines at once, on terminals, in the order of EOLE's page; and each bad input.

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::ssh::{ROOT_PASSWORD, fingerprint, wait_for_server};
use lab::{Lab, Link, Node, NodeCommand, NotYet, Terminal};

use super::machines::{LIMIT, SETTINGS, ends, fill, install, machines, sh};

pub(crate) fn register(harness: &mut Harness) {
    harness.test("sphynx::dialogue::page", own(machines(), page));
    harness.test("sphynx::dialogue::agent", own(machines(), agent));
    harness.test("sphynx::dialogue::bad_inputs", own(machines(), bad_inputs));
}

const CONFIGURE: &str = "Voulez-vous (re)configurer la haute disponibilité ? [oui/non]";
const SYNCHRONISE: &str = "Voulez-vous synchroniser les noeuds ? [oui/non]\n[non] : ";
const WAIT: &str = "Voulez-vous attendre que le script synchro-nodes.sh soit exécuté sur le nœud maître ? [oui/non]\n[non] : ";
const PERIODIC: &str = "Voulez-vous activer la synchronisation périodique des noeuds ? [oui/non]";
const DIAGNOSE: &str = "Voulez-vous vérifier la haute disponibilité maintenant ? [oui/non]";

fn instance(node: &Node<'_>) -> NodeCommand {
    node.command("instance")
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm")
}

/// Goes as far as the question whether to synchronise, which is left waiting.
fn begin(node: &Node<'_>, words: &[&str]) -> Result<Terminal> {
    let mut terminal = Terminal::start(instance(node).args(words.iter().copied()))?;
    terminal.wait_for(LIMIT, CONFIGURE)?;
    terminal.send("non\n")?;
    terminal.wait_for(LIMIT, SYNCHRONISE)?;
    Ok(terminal)
}

/// Answers what is asked at the first contact.
fn first_contact(terminal: &mut Terminal, with: &Node<'_>) -> Result<()> {
    let shown = terminal.wait_for(LIMIT, "Est-ce la bonne ? [oui/non]")?;
    assert!(
        shown.contains(&format!("Premier contact avec {}", with.name())),
        "{shown}"
    );
    assert!(shown.contains(&fingerprint(with)?), "{shown}");
    terminal.send("oui\n")
}

fn ended(terminal: Terminal, code: i32) -> Result<String> {
    let (status, screen) = terminal.end(LIMIT)?;
    assert_eq!(status.code(), Some(code), "{screen}");
    Ok(screen)
}

/// The page, with passwords; then again, with the keys in place.
fn page(lab: &Lab) -> Result<()> {
    install(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    for node in [&maitre, &esclave] {
        wait_for_server(lab, node, LIMIT)?;
    }
    fill(&maitre)?;

    let mut on_maitre = begin(&maitre, &[])?;
    let mut on_esclave = begin(&esclave, &[])?;

    on_esclave.send("oui\n")?;
    on_esclave.wait_for(LIMIT, "création (RSA, 4096 bits)")?;
    first_contact(&mut on_esclave, &maitre)?;
    on_esclave.wait_for(LIMIT, "root@10.0.254.11's password:")?;
    // Of a mistake ssh itself tells, and asks again.
    on_esclave.send("not this\n")?;
    on_esclave.wait_for(LIMIT, "Permission denied, please try again.")?;
    on_esclave.wait_for(LIMIT, "root@10.0.254.11's password:")?;
    on_esclave.send(&format!("{ROOT_PASSWORD}\n"))?;
    on_esclave.wait_for(LIMIT, WAIT)?;

    assert!(!on_maitre.has_ended()?);
    on_maitre.send("oui\n")?;
    on_maitre.wait_for(LIMIT, "création (RSA, 4096 bits)")?;
    first_contact(&mut on_maitre, &esclave)?;
    on_maitre.wait_for(LIMIT, "root@10.0.254.12's password:")?;
    on_maitre.send(&format!("{ROOT_PASSWORD}\n"))?;
    on_maitre.wait_for(LIMIT, "synchro-nodes\n")?;
    on_maitre.wait_for(LIMIT, "fait en ")?;
    on_maitre.wait_for(LIMIT, PERIODIC)?;
    on_maitre.send("oui\n")?;
    on_maitre.wait_for(LIMIT, "systemd ne tourne pas ici")?;
    on_maitre.wait_for(LIMIT, DIAGNOSE)?;
    on_maitre.send("\n")?;
    ended(on_maitre, 0)?;

    // The master's synchro-nodes is done: it goes on at once.
    on_esclave.send("oui\n")?;
    on_esclave.wait_for(LIMIT, "synchro-nodes.sh a été exécuté sur maitre")?;
    ended(on_esclave, 0)?;

    assert_eq!(
        esclave.read("/etc/ipsec.conf")?,
        maitre.read("/etc/ipsec.conf")?
    );
    for (node, other) in [(&maitre, &esclave), (&esclave, &maitre)] {
        let key = sh(node, "ssh-keygen -lf /root/.ssh/id_rsa.pub")?;
        assert!(
            key.starts_with("4096 ") && key.ends_with("(RSA)\n"),
            "{key}"
        );
        assert_eq!(
            other.read("/root/.ssh/authorized_keys")?,
            node.read("/root/.ssh/id_rsa.pub")?
        );
        let modes = sh(
            node,
            "stat -c %a /root/.ssh /root/.ssh/id_rsa /root/.ssh/authorized_keys",
        )?;
        assert_eq!(modes, "700\n600\n600\n");
    }

    // Again: nothing is asked but oui or non, and the esclave really waits.
    let mut on_esclave = begin(&esclave, &[])?;
    on_esclave.send("oui\n")?;
    on_esclave.wait_for(LIMIT, WAIT)?;
    on_esclave.send("oui\n")?;
    on_esclave.wait_for(
        LIMIT,
        "En attente de l'exécution de synchro-nodes.sh sur maitre",
    )?;
    sh(&maitre, "echo 'conn other' >>/etc/ipsec.conf")?;
    let mut on_maitre = begin(&maitre, &[])?;
    assert!(!on_esclave.has_ended()?);
    on_maitre.send("oui\n")?;
    on_maitre.wait_for(LIMIT, PERIODIC)?;
    on_maitre.send("non\n")?;
    on_maitre.wait_for(LIMIT, DIAGNOSE)?;
    on_maitre.send("non\n")?;
    on_esclave.wait_for(LIMIT, "synchro-nodes.sh a été exécuté sur maitre")?;
    for screen in [ended(on_maitre, 0)?, ended(on_esclave, 0)?] {
        for asked in ["password", "passphrase", "Premier contact", "création"] {
            assert!(!screen.contains(asked), "{screen}");
        }
        assert!(screen.contains("entre déjà"), "{screen}");
    }
    assert_eq!(
        esclave.read("/etc/ipsec.conf")?,
        maitre.read("/etc/ipsec.conf")?
    );
    Ok(())
}

/// From a third machine, with a forwarded agent: its key is in the agent only, and opens both machines.
fn agent(lab: &Lab) -> Result<()> {
    install(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    let station = lab.node("gateway")?;
    fill(&maitre)?;
    // The key has a passphrase: what asks for it would wait for ever.
    sh(
        &station,
        "umask 077; mkdir -p /run/station; cd /run/station
         ssh-keygen -q -t ed25519 -N 'a phrase' -f key -C admin
         printf '#!/bin/sh\\necho a phrase\\n' >askpass; chmod 700 askpass",
    )?;
    let key = station.read("/run/station/key.pub")?;
    for node in [&maitre, &esclave] {
        wait_for_server(lab, node, LIMIT)?;
        sh(node, "umask 077; mkdir -p /root/.ssh")?;
        node.write("/root/.ssh/authorized_keys", &key)?;
        sh(node, "chmod 600 /root/.ssh/authorized_keys")?;
    }
    let forwarded = |host: &str, known: &Node<'_>| -> Result<Terminal> {
        let known = fingerprint(known)?;
        let script = format!(
            "eval \"$(ssh-agent -s)\" >/dev/null; trap 'ssh-agent -k >/dev/null' EXIT
             SSH_ASKPASS=/run/station/askpass SSH_ASKPASS_REQUIRE=force ssh-add -q /run/station/key </dev/null
             ssh -A -tt -F none -o IdentitiesOnly=no -o IdentityFile=none -o UserKnownHostsFile=/run/station/known \\
                 -o StrictHostKeyChecking=accept-new root@{host} \\
                 LC_ALL=C.UTF-8 /usr/local/sbin/instance --empreinte {known}"
        );
        // One that cannot draw: lines tell of the waiting.
        Terminal::start(
            station
                .command("sh")
                .args(["-c", &script])
                .env("TERM", "dumb"),
        )
    };
    let mut on_maitre = forwarded("192.168.0.11", &esclave)?;
    let mut on_esclave = forwarded("192.168.0.12", &maitre)?;
    for terminal in [&mut on_maitre, &mut on_esclave] {
        terminal.wait_for(LIMIT, CONFIGURE)?;
        terminal.send("non\n")?;
        terminal.wait_for(LIMIT, SYNCHRONISE)?;
    }
    on_esclave.send("oui\n")?;
    on_esclave.wait_for(LIMIT, "la clé de l'agent a suffi")?;
    on_esclave.wait_for(LIMIT, WAIT)?;
    on_esclave.send("oui\n")?;
    on_esclave.wait_for(LIMIT, "En attente")?;
    on_maitre.send("oui\n")?;
    on_maitre.wait_for(LIMIT, "la clé de l'agent a suffi")?;
    on_maitre.wait_for(LIMIT, PERIODIC)?;
    on_maitre.send("non\n")?;
    on_maitre.wait_for(LIMIT, DIAGNOSE)?;
    on_maitre.send("non\n")?;
    on_esclave.wait_for(LIMIT, "synchro-nodes.sh a été exécuté sur maitre")?;
    for screen in [ended(on_maitre, 0)?, ended(on_esclave, 0)?] {
        for asked in ["password", "passphrase", "Premier contact"] {
            assert!(!screen.contains(asked), "{screen}");
        }
    }
    // From now on the machines' own keys do it, without the agent.
    ends(&maitre, "synchro-nodes", &[], 0, &["aucune différence"])?;
    Ok(())
}

/// Has the machine's SSH server read its files again.
fn reload_server(node: &Node<'_>) -> Result<()> {
    sh(node, "kill -HUP $(cat /run/sshd.pid)").map(drop)
}

fn bad_inputs(lab: &Lab) -> Result<()> {
    install(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    for node in [&maitre, &esclave] {
        wait_for_server(lab, node, LIMIT)?;
    }
    fill(&maitre)?;
    let known = fingerprint(&esclave)?;

    // Nobody to ask: defaults, answers, and what only a person may decide.
    ends(&maitre, "instance", &["--non"], 0, &[SYNCHRONISE])?;
    ends(
        &maitre,
        "instance",
        &["--reponse", "(re)configurer = non"],
        0,
        &["[non] : non   (pas de terminal : réponse par défaut)"],
    )?;
    maitre.write(
        "/run/reponses",
        "(re)configurer = non\nsynchroniser les nœuds = oui\n",
    )?;
    let unknown = ["--reponses", "/run/reponses"];
    ends(
        &maitre,
        "instance",
        &unknown,
        65,
        &["pas de terminal", "--empreinte", &known],
    )?;
    ends(
        &maitre,
        "instance",
        &[&unknown[..], &["--empreinte", "SHA256:AAAA"]].concat(),
        4,
        &["n'a l'empreinte SHA256:AAAA", &known],
    )?;
    // Its key is known now, and there is nobody to type the password.
    let trusted = [&unknown[..], &["--empreinte", &known]].concat();
    ends(
        &maitre,
        "instance",
        &trusted,
        4,
        &[
            "pas de terminal",
            "ssh-copy-id -i /root/.ssh/id_rsa.pub root@10.0.254.12",
        ],
    )?;
    ends(
        &maitre,
        "instance",
        &["--reponse", "sychro = oui"],
        65,
        &["dans aucune question", "synchroniser"],
    )?;
    ends(
        &maitre,
        "instance",
        &["--lang", "en", "--non"],
        0,
        &["Do you want to synchronise the nodes? [yes/no]"],
    )?;

    leaving(&maitre, &esclave)?;

    // The password is wrong thrice.
    let mut terminal = begin(&maitre, &[])?;
    terminal.send("oui\n")?;
    for _ in 0..3 {
        terminal.wait_for(LIMIT, "password:")?;
        terminal.send("wrong\n")?;
    }
    let screen = ended(terminal, 4)?;
    assert!(
        screen.contains("mot de passe faux") && screen.contains("PermitRootLogin yes"),
        "{screen}"
    );

    // Its server takes no password of root.
    sh(
        &esclave,
        "sed -i 's/^PermitRootLogin.*/PermitRootLogin prohibit-password/; s/^PasswordAuthentication.*/PasswordAuthentication no/' /etc/ssh/sshd_config",
    )?;
    reload_server(&esclave)?;
    lab.wait_until(LIMIT, "the server takes keys alone", || {
        let said = maitre
            .command("ssh")
            .args(["-o", "BatchMode=yes", "10.0.254.12", "true"])
            .output()?;
        match said.stderr.contains("(publickey)") {
            true => Ok(()),
            false => Err(NotYet::because(said.stderr)),
        }
    })?;
    let terminal = begin(&maitre, &[])?;
    terminal.send("oui\n")?;
    let screen = ended(terminal, 4)?;
    assert!(
        screen.contains("n'accepte que des clés (publickey)"),
        "{screen}"
    );

    // Another key than the known one.
    sh(&esclave, "rm /etc/ssh/ssh_host_*; ssh-keygen -A")?;
    reload_server(&esclave)?;
    let new = fingerprint(&esclave)?;
    lab.wait_until(LIMIT, "the server shows its new key", || {
        let shown = sh(
            &maitre,
            "ssh-keyscan -t ed25519 10.0.254.12 2>/dev/null | ssh-keygen -lf -",
        )?;
        if shown.contains(&new) {
            Ok(())
        } else {
            Err(NotYet::because(shown))
        }
    })?;
    let changed = [
        "autre clé SSH",
        &new,
        "ssh-keygen -R 10.0.254.12",
        "/root/.ssh/known_hosts:1",
    ];
    ends(
        &maitre,
        "instance",
        &["--oui", "--reponse", "configurer = non"],
        103,
        &changed,
    )?;
    ends(&maitre, "synchro-nodes", &[], 103, &changed)?;

    // Nobody listens; nobody is there; no such name.
    sh(&esclave, "kill $(cat /run/sshd.pid)")?;
    lab.wait_until(LIMIT, "the server has ended", || {
        let said = maitre
            .command("ssh-keyscan")
            .args(["-T", "5", "10.0.254.12"])
            .output()?;
        match said.stderr.contains("refused") || said.stdout.is_empty() {
            true => Ok(()),
            false => Err(NotYet::because(said.stdout)),
        }
    })?;
    ends(
        &maitre,
        "synchro-nodes",
        &[],
        102,
        &["refuse la connexion", "systemctl start ssh"],
    )?;
    lab.cut("esclave", Link::Ha1)?;
    ends(
        &maitre,
        "synchro-nodes",
        &[],
        124,
        &["injoignable", "ping 10.0.254.12"],
    )?;
    let other = SETTINGS.replace(
        "dialogue = \"10.0.254.12\"",
        "dialogue = \"10.0.254.12\"\nssh = \"nulle-part\"",
    );
    maitre.write("/run/other.toml", other)?;
    ends(
        &maitre,
        "synchro-nodes",
        &["--config", "/run/other.toml"],
        105,
        &["nulle-part ne se résout pas", "/etc/hosts"],
    )?;

    // The settings, the machine, the user.
    maitre.write("/run/other.toml", "actif = oui\n")?;
    ends(
        &maitre,
        "instance",
        &["--config", "/run/other.toml"],
        78,
        &["/run/other.toml, ligne 1", "actif = oui"],
    )?;
    ends(
        &maitre,
        "instance",
        &["--config", "/run/none.toml"],
        105,
        &["/run/none.toml"],
    )?;
    let elsewhere = SETTINGS.replace("nom = \"maitre\" ", "nom = \"autre\" ");
    maitre.write("/run/other.toml", elsewhere)?;
    ends(
        &maitre,
        "instance",
        &["--config", "/run/other.toml"],
        105,
        &["maitre", "ni autre"],
    )?;
    let nobody = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "/run/instance",
    ];
    sh(
        &maitre,
        "cp /usr/local/sbin/instance /run/instance; chmod 755 /run/instance",
    )?;
    ends(&maitre, "setpriv", &nobody, 4, &["réservé à root"])?;
    Ok(())
}

/// Ctrl-C and Ctrl-D wherever something is waited for.
fn leaving(maitre: &Node<'_>, esclave: &Node<'_>) -> Result<()> {
    for key in ["\x03", "\x04"] {
        let terminal = begin(maitre, &[])?;
        terminal.send(key)?;
        assert!(ended(terminal, 130)?.ends_with("Interrompu.\n"));
    }
    // While ssh asks for the password.
    let mut terminal = begin(maitre, &[])?;
    terminal.send("oui\n")?;
    terminal.wait_for(LIMIT, "password:")?;
    terminal.send("\x03")?;
    ended(terminal, 130)?;
    // A host that is not the right one.
    let mut terminal = begin(esclave, &[])?;
    terminal.send("oui\n")?;
    terminal.wait_for(LIMIT, "Est-ce la bonne ?")?;
    terminal.send("non\n")?;
    let screen = ended(terminal, 4)?;
    assert!(screen.contains("n'a pas été acceptée"), "{screen}");
    assert!(
        esclave.read("/root/.ssh/known_hosts").is_err(),
        "nothing is remembered"
    );
    // While the maître is waited for; and no longer than one wants to.
    let key = fingerprint(maitre)?;
    let begin_waiting = |words: &[&str]| -> Result<Terminal> {
        let mut terminal = begin(esclave, &[&["--empreinte", key.as_str()], words].concat())?;
        terminal.send("oui\n")?;
        if esclave.read("/run/joined").is_err() {
            terminal.wait_for(LIMIT, "password:")?;
            terminal.send(&format!("{ROOT_PASSWORD}\n"))?;
            esclave.write("/run/joined", "")?;
        }
        terminal.wait_for(LIMIT, WAIT)?;
        terminal.send("oui\n")?;
        Ok(terminal)
    };
    let mut terminal = begin_waiting(&[])?;
    terminal.wait_for(LIMIT, "En attente")?;
    terminal.send("\x03")?;
    ended(terminal, 130)?;
    let terminal = begin_waiting(&["--attente", "1"])?;
    let screen = ended(terminal, 124)?;
    assert!(
        screen.contains("maitre n'a pas exécuté synchro-nodes.sh en 1 s"),
        "{screen}"
    );
    // Without a terminal there is no one to leave: the limit counts.
    let words = ["--oui", "--reponse", "configurer = non", "--attente", "1"];
    ends(
        esclave,
        "instance",
        &words,
        124,
        &["En attente", "n'a pas exécuté"],
    )?;
    Ok(())
}
