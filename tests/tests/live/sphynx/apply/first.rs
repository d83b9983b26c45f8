//! The first time: machines that know nothing of a cluster.

use ha_core::Result;
use lab::{Lab, Node};

use super::{
    CONF, EXAMPLE, LIMIT, LIST, PROGRAM, SETTINGS, done, install, refused, run, settings, state,
    verify, with,
};
use crate::hactl::epoch;

/// The lab's nodes come with a corosync.conf.
fn forget_conf(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        node.command("rm")
            .args(["-f", CONF, "/etc/corosync/authkey"])
            .stdout()?;
    }
    Ok(())
}

fn is_there(node: &Node<'_>, path: &str) -> Result<bool> {
    Ok(node.command("test").args(["-e", path]).status()?.success())
}

pub(super) fn first(lab: &Lab) -> Result<()> {
    install(lab)?;
    forget_conf(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    // Told beforehand, nothing done.
    assert!(done(&maitre, &["--check"])?.contains("rien à signaler"));
    let dry = done(&maitre, &["--dry-run"])?;
    assert!(dry.contains("+++ /etc/corosync/corosync.conf\n"), "{dry}");
    assert!(dry.contains("+        ring0_addr: 10.0.254.12\n"), "{dry}");
    assert!(dry.contains("+ipsec_rsc\n+arv_rsc\n"), "{dry}");
    assert!(!is_there(&maitre, CONF)? && !is_there(&maitre, LIST)?);
    plain_user(&maitre)?;
    // Pacemaker is not there yet: files only, and what to do next.
    let files = done(&maitre, &[])?;
    assert!(files.contains(&format!("{CONF} : écrit\n")), "{files}");
    assert!(
        files.contains("Pacemaker ne tourne pas") && files.contains("--start"),
        "{files}"
    );
    assert_eq!(maitre.read(LIST)?, "ipsec_rsc\narv_rsc\n");
    let said = refused(&maitre, &["--wait"], 102)?;
    assert!(
        said.contains("à faire : lancer appliquer_hautedispo --start"),
        "{said}"
    );
    let judged = maitre.command("corosync").arg("-t").output()?;
    assert!(judged.status.success(), "{}", judged.stderr);
    // One machine alone, then the other.
    let started = done(&maitre, &["--start", "--wait"])?;
    assert!(
        started.contains("corosync est lancé")
            && started.contains("démarrer VIP_externe sur maitre"),
        "{started}"
    );
    done(&esclave, &["--start", "--wait"])?;
    lab.wait_online(LIMIT)?;
    lab.wait_sphynx("maitre", LIMIT)?;
    assert_eq!(esclave.read(CONF)?, maitre.read(CONF)?);
    assert_eq!(esclave.read(LIST)?, "ipsec_rsc\narv_rsc\n");
    verify(&maitre)?;
    again(&maitre)?;
    again(&esclave)?;
    crmsh(&maitre)?;
    token(lab)?;
    // Off: nobody else has resources here, so that the daemons go too.
    settings(lab, &with("actif = true", "actif = false"))?;
    let dry = done(&maitre, &["--dry-run"])?;
    assert!(
        dry.contains("arrêter VIP_externe sur maitre") && dry.contains("-ipsec_rsc\n"),
        "{dry}"
    );
    let off = done(&maitre, &["--wait"])?;
    assert!(
        off.contains("pacemaker est arrêté") && off.contains("corosync est arrêté"),
        "{off}"
    );
    assert!(!is_there(&maitre, CONF)? && !is_there(&maitre, LIST)?);
    assert_eq!(maitre.processes("corosync")?, [0; 0]);
    done(&maitre, &["--check"])?;
    done(&esclave, &["--wait"])?;
    assert_eq!(esclave.processes("pacemakerd")?, [0; 0]);
    Ok(())
}

fn plain_user(node: &Node<'_>) -> Result<()> {
    let as_nobody = |words: &[&str]| {
        let command = node.command("setpriv").args([
            "--reuid=nobody",
            "--regid=nogroup",
            "--clear-groups",
            PROGRAM,
        ]);
        command.args(words.iter().copied()).output()
    };
    let output = as_nobody(&[])?;
    assert_eq!(output.status.code(), Some(4), "{}", output.stderr);
    assert!(
        output
            .stderr
            .contains("seul root change la haute disponibilité"),
        "{}",
        output.stderr
    );
    assert!(!is_there(node, CONF)?);
    let output = as_nobody(&["--check"])?;
    assert!(output.status.success(), "{}", output.stderr);
    Ok(())
}

/// A second time there is nothing to do, and nothing is done.
fn again(node: &Node<'_>) -> Result<()> {
    let look = || -> Result<_> { Ok((state(node, CONF)?, state(node, LIST)?, epoch(node)?)) };
    let before = look()?;
    assert_eq!(done(node, &[])?, "Pacemaker : rien à changer\n");
    let english = node
        .command(PROGRAM)
        .args(["--lang", "en", "--dry-run"])
        .stdout()?;
    assert_eq!(
        english,
        "files: nothing to change\nPacemaker: nothing to change\n"
    );
    assert_eq!(look()?, before);
    Ok(())
}

/// What the crm shell prints is legible, and reading it again changes nothing.
fn crmsh(node: &Node<'_>) -> Result<()> {
    const FILE: &str = "/run/shown.crm";
    let crm = |words: &[&str]| {
        let command = node
            .command("crm")
            .args(words.iter().copied())
            .env("HOME", "/root");
        command.limit(LIMIT).output()
    };
    let shown = crm(&["configure", "show"])?;
    println!("{}", shown.stdout);
    for line in [
        "group sphynx VIP_externe VIP_interne VIP_src_addr ipsec_rsc arv_rsc",
        "clone gw_pingd_clone gw_pingd",
        "location sphynx_sur_maitre sphynx 50: maitre",
        "\trule 100000: defined pingd and pingd number:gt 0",
    ] {
        assert!(shown.stdout.contains(line), "{line}\n{}", shown.stdout);
    }
    assert!(!shown.stdout.contains("xml "), "{}", shown.stdout);
    let before = epoch(node)?;
    node.write(FILE, &shown.stdout)?;
    let loaded = crm(&["configure", "load", "replace", FILE])?;
    assert!(
        loaded.status.success(),
        "{}{}",
        loaded.stdout,
        loaded.stderr
    );
    let configuration = crm(&["configure", "show"])?;
    assert_eq!(configuration.stdout, shown.stdout);
    println!("epoch {before} -> {}", epoch(node)?);
    assert_eq!(done(node, &[])?, "Pacemaker : rien à changer\n");
    Ok(())
}

/// A timer is taken over while corosync runs, also where an earlier run was killed after it wrote the file.
fn token(lab: &Lab) -> Result<()> {
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    let in_force = |node: &Node<'_>| {
        node.command("corosync-cmapctl")
            .args(["-g", "totem.token"])
            .stdout()
    };
    settings(
        lab,
        &with("# profil = \"standard\"", "profil = \"prudent\""),
    )?;
    let dry = done(&maitre, &["--dry-run"])?;
    assert!(
        dry.contains("-    token: 1000\n+    token: 3000\n") && dry.contains("corosync relirait"),
        "{dry}"
    );
    // As a run leaves it that is killed between the two steps.
    let text = maitre.read(CONF)?.replace("token: 1000", "token: 3000");
    maitre.write(CONF, text)?;
    assert!(in_force(&maitre)?.contains("= 1000"));
    let before = state(&maitre, CONF)?;
    let loaded = done(&maitre, &[])?;
    assert!(
        loaded.contains("corosync a relu son fichier")
            && loaded.contains("totem.token: 1000 -> 3000"),
        "{loaded}"
    );
    assert_eq!(state(&maitre, CONF)?, before);
    assert!(in_force(&maitre)?.contains("= 3000"));
    let other = done(&esclave, &[])?;
    assert!(other.contains("totem.token: 1000 -> 3000"), "{other}");
    assert!(in_force(&esclave)?.contains("= 3000"));
    assert_eq!(done(&maitre, &[])?, "Pacemaker : rien à changer\n");
    // What it cannot take over is said, and not done.
    settings(lab, &with("# port = 5405", "port = 5415"))?;
    let said = done(&maitre, &[])?;
    assert!(
        said.contains("corosync doit être relancé") && said.contains("mcastport: 5405 -> 5415"),
        "{said}"
    );
    assert!(done(&maitre, &[])?.contains("corosync doit être relancé"));
    settings(lab, EXAMPLE)?;
    done(&maitre, &[])?;
    done(&esclave, &[])?;
    lab.wait_sphynx("maitre", LIMIT)
}

/// Encrypted, on two links: the maître makes the key, the esclave waits for it.
pub(super) fn knet(lab: &Lab) -> Result<()> {
    const KEY: &str = "/etc/corosync/authkey";
    install(lab)?;
    forget_conf(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    let text = with("# transport = \"multicast\"", "transport = \"knet\"")
        .replacen("# secours", "secours", 1)
        .replacen(
            "dialogue = \"10.0.254.12\"",
            "dialogue = \"10.0.254.12\"\nsecours = \"172.30.101.12\"",
            1,
        );
    settings(lab, &text)?;
    let said = done(&esclave, &["--start"])?;
    assert!(
        said.contains("authkey manque : il vient de maitre, par synchro-nodes"),
        "{said}"
    );
    assert!(!is_there(&esclave, KEY)?);
    assert_eq!(esclave.processes("corosync")?, [0; 0]);
    let made = done(&maitre, &[])?;
    assert!(made.contains(&format!("{KEY} : écrit\n")), "{made}");
    // Else a machine that was installed anew would no longer understand the other one.
    let instead = format!("scp -p root@10.0.254.12:{KEY} {KEY}\n");
    assert!(made.contains(&instead), "{made}");
    let size = maitre
        .command("stat")
        .args(["-c", "%s %a %U:%G", KEY])
        .stdout()?;
    assert_eq!(size, "256 400 root:root\n");
    // It stays, and its rights are mended.
    let sum = || maitre.command("sha256sum").arg(KEY).stdout();
    let before = sum()?;
    maitre.command("chmod").args(["644", KEY]).stdout()?;
    assert!(done(&maitre, &["--dry-run"])?.contains("authkey : droits 0400"));
    done(&maitre, &[])?;
    assert_eq!(sum()?, before);
    // As synchro-nodes does it.
    let key = maitre.command("base64").args(["-w0", KEY]).stdout()?;
    esclave.write("/run/key", key)?;
    esclave
        .command("sh")
        .args([
            "-c",
            "umask 377; base64 -d /run/key > /etc/corosync/authkey",
        ])
        .stdout()?;
    done(&maitre, &["--start"])?;
    done(&esclave, &["--start"])?;
    lab.wait_online(LIMIT)?;
    lab.wait_sphynx("maitre", LIMIT)?;
    let links = maitre.command("corosync-cfgtool").arg("-s").stdout()?;
    assert!(
        links.contains("10.0.254.11") && links.contains("172.30.101.11"),
        "{links}"
    );
    assert_eq!(done(&maitre, &[])?, "Pacemaker : rien à changer\n");
    Ok(())
}

/// Settings that do not fit this machine.
pub(super) fn bad_machines(lab: &Lab) -> Result<()> {
    install(lab)?;
    forget_conf(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    let cases = [
        (
            with("\"eth2\"", "\"eth9\""),
            "cette machine n'a pas d'interface eth9 ; au choix : eth0, eth1, eth2",
        ),
        (
            with("\"10.0.254.11\"", "\"10.0.254.99\""),
            "aucune interface de cette machine n'a 10.0.254.99",
        ),
        (
            with("\"10.0.254.11\"", "\"192.168.0.11\""),
            "192.168.0.11 est sur eth0, non sur eth2",
        ),
        (
            with("# role = \"maitre\"", "role = \"esclave\""),
            "mais son nom, maitre, est celui de maitre",
        ),
        (
            with(
                "dialogue = \"10.0.254.12\"",
                "dialogue = \"10.0.254.12\"\nssh = \"nulle-part.invalid\"",
            ),
            "le nom nulle-part.invalid n'est pas résolu",
        ),
        (
            with("nom = \"maitre\"", "nom = \"sphynx1\""),
            "cette machine, maitre, n'est ni sphynx1 (maitre) ni esclave (esclave)",
        ),
        (
            with("actif = true", "actif = peut-être"),
            "hautedispo.toml, ligne 6 : ",
        ),
        (
            with("interface = \"eth0\"", "interface = \"eth7\""),
            "ligne 40 : interface = \"eth7\" : cette machine n'a pas d'interface eth7",
        ),
    ];
    for (text, wanted) in cases {
        maitre.write(SETTINGS, &text)?;
        for words in [&["--check"][..], &["--dry-run"], &[]] {
            let said = refused(&maitre, words, 78)?;
            assert!(said.contains(wanted), "{said}\n{wanted}");
        }
        assert!(!is_there(&maitre, CONF)?);
    }
    // A risk is told, and no more.
    let warned = |node: &Node<'_>, wanted: &str| -> Result<()> {
        let output = run(node, &["--check"])?;
        assert!(
            output.status.success() && output.stderr.contains(wanted),
            "{}\n{wanted}",
            output.stderr
        );
        Ok(())
    };
    esclave
        .command("ip")
        .args(["link", "set", "eth2", "down"])
        .stdout()?;
    warned(
        &esclave,
        "attention : /etc/eole/hautedispo.toml, ligne 26 : interface = \"eth2\" : eth2 est coupée",
    )?;
    esclave
        .command("ip")
        .args(["link", "set", "eth2", "up"])
        .stdout()?;
    esclave
        .command("ip")
        .args(["route", "del", "default"])
        .stdout()?;
    warned(&esclave, "cette machine n'a pas de route par défaut")?;
    // Neither there nor anywhere.
    maitre.command("rm").arg(SETTINGS).stdout()?;
    let said = refused(&maitre, &[], 105)?;
    assert!(
        said.contains(SETTINGS) && said.contains("--config"),
        "{said}"
    );
    let said = refused(&maitre, &["--unheard-of"], 64)?;
    assert!(said.contains("--unheard-of"), "{said}");
    Ok(())
}
