//! `synchro-nodes` between two machines, on real OpenSSH and rsync.

use std::process::Stdio;
use std::time::Duration;

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Link, Node, NotYet, Terminal};

use super::machines::{
    BASE, LIMIT, SETTINGS, SETTINGS_PATH, ends, fill, install, join, machines, sh,
};

pub(crate) fn register(harness: &mut Harness) {
    harness.test("sphynx::synchro::copies", own(machines(), copies));
    harness.test("sphynx::synchro::data_base", own(machines(), data_base));
    harness.test(
        "sphynx::synchro::cut_and_resumed",
        own(machines(), cut_and_resumed),
    );
    harness.test("sphynx::synchro::full_disks", own(machines(), full_disks));
    harness.test("sphynx::synchro::refusals", own(machines(), refusals));
    let cluster = LabOptions {
        ssh: true,
        ..LabOptions::default()
    };
    harness.test(
        "sphynx::synchro::follows_the_cluster",
        own(cluster, follows_the_cluster),
    );
}

const RECORD: &str = "/var/lib/sphynx/synchro.json";

fn ready(lab: &Lab) -> Result<(Node<'_>, Node<'_>)> {
    install(lab)?;
    join(lab)?;
    let maitre = lab.node("maitre")?;
    fill(&maitre)?;
    Ok((maitre, lab.node("esclave")?))
}

/// What is there, with rights and owners.
fn listed(node: &Node<'_>) -> Result<String> {
    sh(
        node,
        "cd /etc; find ipsec.conf ipsec.secrets ipsec.d swanctl -printf '%p %y %m %u:%g %l\\n' 2>/dev/null | sort || true
         find ipsec.conf ipsec.secrets ipsec.d -type f | sort | xargs sha256sum
         stat -c '%a %U:%G' /var/lib/arv/db/sphynxdb.sqlite",
    )
}

/// What a synchronisation must not leave behind.
fn nothing_left(node: &Node<'_>) -> Result<()> {
    let left = sh(
        node,
        "find /etc /var/lib/arv /var/lib/sphynx -name '*.sphynx-*' -o -name 'synchro-recu' -o -name synchro-envoi -o -name 'synchro-pose*'",
    )?;
    assert_eq!(left, "", "{}", node.name());
    Ok(())
}

fn copies(lab: &Lab) -> Result<()> {
    let (maitre, esclave) = ready(lab)?;
    sh(
        &esclave,
        "echo old >/etc/ipsec.d/old; mkdir /etc/ipsec.d/old-folder; echo x >/etc/ipsec.d/old-folder/x",
    )?;
    // Each has its role in its own settings.
    maitre.write(
        SETTINGS_PATH,
        format!("role = \"maitre\" # ici\n{SETTINGS}"),
    )?;
    esclave.write(
        SETTINGS_PATH,
        format!("role = \"esclave\" # ici\n{SETTINGS}"),
    )?;

    let before = listed(&esclave).unwrap_or_default();
    let told = ends(
        &maitre,
        "synchro-nodes",
        &["--dry-run"],
        0,
        &[
            "+ /etc/ipsec.conf",
            "+ /etc/ipsec.d/certs/amon.pem",
            "- /etc/ipsec.d/old-folder/x",
        ],
    )?;
    assert!(!told.contains("hautedispo.toml"), "{told}");
    assert_eq!(listed(&esclave).unwrap_or_default(), before);
    assert!(maitre.read(RECORD).is_err() && esclave.read(RECORD).is_err());

    // By the name that EOLE's procedure has.
    ends(
        &maitre,
        "synchro-nodes.sh",
        &[],
        0,
        &["+ /etc/ipsec.conf", "fait en "],
    )?;
    assert_eq!(listed(&esclave)?, listed(&maitre)?);
    assert!(listed(&esclave)?.contains("ipsec.d/private/sphynx.pem f 640 daemon:adm"));
    let times = "stat -c %Y /etc/ipsec.conf /etc/ipsec.d/certs/amon.pem";
    assert_eq!(sh(&esclave, times)?, sh(&maitre, times)?);
    assert!(
        esclave
            .read(SETTINGS_PATH)?
            .starts_with("role = \"esclave\" # ici\n")
    );
    assert_eq!(esclave.read(RECORD)?, maitre.read(RECORD)?);
    assert!(maitre.read(RECORD)?.contains("\"de\": \"maitre\""));
    nothing_left(&maitre)?;
    nothing_left(&esclave)?;

    // A second time nothing is written; the record tells that it was looked.
    let inodes = "find /etc/ipsec.conf /etc/ipsec.d /var/lib/arv/db/sphynxdb.sqlite -printf '%i %p\\n' | sort";
    let written = sh(&esclave, inodes)?;
    let first = maitre.read(RECORD)?;
    ends(&maitre, "synchro-nodes", &[], 0, &["aucune différence"])?;
    assert_eq!(sh(&esclave, inodes)?, written);
    assert_ne!(maitre.read(RECORD)?, first);

    // What changes: content, rights alone, what goes, a file in a folder's place; the settings but for the role.
    sh(
        &maitre,
        "echo more >>/etc/ipsec.conf; chmod 600 /etc/ipsec.d/certs/amon.pem; rm -r /etc/ipsec.d/private /etc/ipsec.d/current
         echo file >/etc/ipsec.d/private; mkdir /etc/ipsec.d/current; echo in >/etc/ipsec.d/current/it
         echo '# more' >>/etc/eole/hautedispo.toml",
    )?;
    let told = ends(
        &maitre,
        "synchro-nodes",
        &[],
        0,
        &[
            "~ /etc/ipsec.d/certs/amon.pem   droits seuls",
            "~ /etc/eole/hautedispo.toml",
        ],
    )?;
    assert!(!told.contains("ipsec.secrets"), "{told}");
    assert_eq!(listed(&esclave)?, listed(&maitre)?);
    assert!(esclave.read(SETTINGS_PATH)?.ends_with("# more\n"));
    assert!(
        esclave
            .read(SETTINGS_PATH)?
            .starts_with("role = \"esclave\" # ici\n")
    );
    nothing_left(&esclave)?;

    // On a terminal there is a bar.
    sh(&maitre, "head -c 3000000 /dev/urandom >/etc/ipsec.d/big")?;
    let terminal = Terminal::start(
        maitre
            .command("synchro-nodes")
            .args(["--debit", "1000"])
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm"),
    )?;
    let (status, screen) = terminal.end(LIMIT)?;
    assert!(status.success(), "{screen}");
    assert!(
        screen.contains(" %  ") && screen.contains("/2.86 MiB"),
        "{screen}"
    );
    // In silence for the timer.
    assert_eq!(
        ends(&maitre, "synchro-nodes", &["--si-actif", "-q"], 0, &[])?,
        ""
    );
    Ok(())
}

/// The data base is copied while somebody writes to it: it is whole, and as after a finished transaction.
fn data_base(lab: &Lab) -> Result<()> {
    let (maitre, esclave) = ready(lab)?;
    let rows = |table: &str| {
        sh(
            &esclave,
            &format!("sqlite3 {BASE} 'select count(*) from {table}'"),
        )
    };
    for mode in ["delete", "wal"] {
        sh(
            &maitre,
            &format!(
                "sqlite3 {BASE} 'pragma journal_mode={mode}; create table if not exists big(x); insert into big select hex(randomblob(500)) from generate_series(1,2000)'"
            ),
        )?;
        // What the passive machine has beside its old data base would spoil the new one.
        sh(
            &esclave,
            &format!("echo garbage >{BASE}-wal; echo garbage >{BASE}-journal"),
        )?;
        let writer = "while :; do sqlite3 -cmd '.timeout 20000' /var/lib/arv/db/sphynxdb.sqlite \
                      'begin immediate; insert into t values(1); insert into u values(1); commit;'; done";
        let writing = maitre.command("sh").args(["-c", writer]);
        let mut writing = writing.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?;
        let count = || -> Result<u64> {
            let count = sh(
                &maitre,
                &format!(
                    "sqlite3 -cmd '.timeout 20000' {BASE} 'select count(*) from t' | tail -n 1"
                ),
            )?;
            count
                .trim()
                .parse()
                .map_err(|_| ha_core::Error::invalid(count))
        };
        let start = count()?;
        lab.wait_until(LIMIT, "the writer is at work", || match count()? {
            now if now > start => Ok(()),
            now => Err(NotYet::because(format!("{now} rows"))),
        })?;
        for _ in 0..3 {
            let before = count()?;
            ends(
                &maitre,
                "synchro-nodes",
                &[],
                0,
                &[&format!("~ {BASE}"), "fait en "],
            )
            .or_else(|e| {
                // The first time it is new there.
                ends(&maitre, "synchro-nodes", &["--dry-run"], 0, &[BASE]).map_err(|_| e)
            })?;
            let check = sh(
                &esclave,
                &format!("sqlite3 {BASE} 'pragma integrity_check'"),
            )?;
            assert_eq!(check, "ok\n");
            let (t, u) = (rows("t")?, rows("u")?);
            assert_eq!(t, u, "half a transaction");
            assert!(
                t.trim().parse::<u64>().is_ok_and(|t| t >= before),
                "{t} rows, {before} before"
            );
        }
        assert!(writing.child().try_wait()?.is_none(), "the writer goes on");
        writing.kill()?;
    }
    // One that is damaged does not go over a good one.
    let good = sh(&esclave, &format!("sha256sum <{BASE}"))?;
    sh(
        &maitre,
        &format!(
            "rm -f {BASE}-wal {BASE}-shm; dd if=/dev/urandom of={BASE} bs=4096 seek=2 count=40 conv=notrunc 2>/dev/null"
        ),
    )?;
    ends(&maitre, "synchro-nodes", &[], 74, &["sphynxdb.sqlite"])?;
    assert_eq!(sh(&esclave, &format!("sha256sum <{BASE}"))?, good);
    Ok(())
}

fn cut_and_resumed(lab: &Lab) -> Result<()> {
    let (maitre, esclave) = ready(lab)?;
    ends(&maitre, "synchro-nodes", &[], 0, &["fait en "])?;
    let before = listed(&esclave)?;
    sh(
        &maitre,
        "head -c 30000000 /dev/urandom >/etc/ipsec.d/gros; echo changed >>/etc/ipsec.conf",
    )?;
    let command = maitre.command("synchro-nodes").args(["--debit", "2000"]);
    let mut running = Terminal::start(command.env("LC_ALL", "C.UTF-8"))?;
    running.wait_for(LIMIT, "+ /etc/ipsec.d/gros")?;
    let arrived = || -> Result<u64> {
        let sizes = sh(
            &esclave,
            "find /var/lib/sphynx/synchro-recu -type f -size +1000k -printf '%s\\n' 2>/dev/null | sort -n | tail -n 1",
        )?;
        Ok(sizes.trim().parse().unwrap_or(0))
    };
    lab.wait_until(LIMIT, "a part has arrived", || match arrived()? {
        4_000_000.. => Ok(()),
        size => Err(NotYet::because(format!("{size} bytes"))),
    })?;
    lab.cut("esclave", Link::Ha1)?;
    let (status, screen) = running.end(LIMIT)?;
    assert_eq!(status.code(), Some(102), "{screen}");
    assert!(screen.contains("reprendra où elle en était"), "{screen}");
    assert_eq!(listed(&esclave)?, before, "nothing was replaced");
    lab.wait_until(LIMIT, "the other end has noticed", || {
        let state = esclave.read("/var/lib/sphynx/synchro-etat.json")?;
        if state.contains("echec") {
            Ok(())
        } else {
            Err(NotYet::because(state))
        }
    })?;
    let kept = arrived()?;
    lab.heal("esclave", Link::Ha1)?;
    let received = || -> Result<u64> {
        let count = sh(&esclave, "cat /sys/class/net/eth2/statistics/rx_bytes")?;
        Ok(count.trim().parse().unwrap_or(0))
    };
    let start = received()?;
    lab.wait_until(LIMIT, "the machines see each other", || {
        let ping = maitre
            .command("ping")
            .args(["-c", "1", "-W", "1", "10.0.254.12"])
            .output()?;
        if ping.status.success() {
            Ok(())
        } else {
            Err(NotYet::because(ping.stdout))
        }
    })?;
    ends(&maitre, "synchro-nodes", &[], 0, &["fait en "])?;
    let sent = received()? - start;
    println!("kept {kept}, then sent {sent} of 30000000");
    assert!(
        sent < 30_000_000 - kept / 2,
        "{sent} after {kept} were kept"
    );
    assert_eq!(listed(&esclave)?, listed(&maitre)?);
    nothing_left(&esclave)?;

    // Ctrl-C is a cut too.
    sh(&maitre, "head -c 30000000 /dev/urandom >/etc/ipsec.d/gros")?;
    let before = listed(&esclave)?;
    let command = maitre.command("synchro-nodes").args(["--debit", "2000"]);
    let mut running = Terminal::start(command.env("LC_ALL", "C.UTF-8"))?;
    running.wait_for(LIMIT, "~ /etc/ipsec.d/gros")?;
    lab.wait_until(LIMIT, "a part has arrived", || match arrived()? {
        1_000_000.. => Ok(()),
        size => Err(NotYet::because(format!("{size} bytes"))),
    })?;
    running.send("\x03")?;
    let (status, screen) = running.end(LIMIT)?;
    assert_eq!(status.code(), Some(130), "{screen}");
    assert_eq!(listed(&esclave)?, before);
    ends(&maitre, "synchro-nodes", &[], 0, &["fait en "])?;
    assert_eq!(listed(&esclave)?, listed(&maitre)?);
    Ok(())
}

fn full_disks(lab: &Lab) -> Result<()> {
    let (maitre, esclave) = ready(lab)?;
    ends(&maitre, "synchro-nodes", &[], 0, &["fait en "])?;
    sh(
        &maitre,
        "head -c 4000000 /dev/urandom >/etc/ipsec.d/gros; for i in $(seq 50); do echo $i >/etc/ipsec.d/small$i; done",
    )?;
    let before = listed(&esclave)?;
    let record = esclave.read(RECORD)?;
    let tight = |folder: &str, options: &str| {
        sh(
            &esclave,
            &format!(
                "mkdir -p /run/kept; cp -a {folder}/. /run/kept/; mount -t tmpfs -o mode=755,{options} tmpfs {folder}; cp -a /run/kept/. {folder}/; rm -r /run/kept"
            ),
        )
    };
    let loose = |folder: &str| sh(&esclave, &format!("umount {folder}"));
    let unchanged = |said: &str| -> Result<()> {
        assert_eq!(listed(&esclave)?, before, "{said}");
        let left = sh(&esclave, "find /etc /var/lib/arv -name '*.sphynx-*'")?;
        assert_eq!(left, "", "{said}");
        Ok(())
    };
    // Known beforehand.
    tight("/var/lib/sphynx", "size=3m")?;
    let said = ends(
        &maitre,
        "synchro-nodes",
        &[],
        71,
        &["le disque de esclave est plein", "df -h"],
    )?;
    unchanged(&said)?;
    loose("/var/lib/sphynx")?;
    // Not known beforehand: no more names.
    tight("/var/lib/sphynx", "size=30m,nr_inodes=30")?;
    let said = ends(
        &maitre,
        "synchro-nodes",
        &[],
        71,
        &["le disque de esclave est plein", "No space left", "df -i"],
    )?;
    unchanged(&said)?;
    loose("/var/lib/sphynx")?;
    // Where the files come to, on another file system: the same, before and while they come.
    tight("/etc/ipsec.d", "size=3m")?;
    let said = ends(
        &maitre,
        "synchro-nodes",
        &[],
        71,
        &["le disque de esclave est plein", "/etc/ipsec.d"],
    )?;
    unchanged(&said)?;
    loose("/etc/ipsec.d")?;
    tight("/etc/ipsec.d", "size=30m,nr_inodes=30")?;
    let said = ends(&maitre, "synchro-nodes", &[], 71, &["No space left"])?;
    unchanged(&said)?;
    assert_eq!(esclave.read(RECORD)?, record);
    loose("/etc/ipsec.d")?;
    // With room, across file systems.
    tight("/etc/ipsec.d", "size=30m")?;
    ends(&maitre, "synchro-nodes", &[], 0, &["fait en "])?;
    assert_eq!(listed(&esclave)?, listed(&maitre)?);
    nothing_left(&esclave)
}

fn refusals(lab: &Lab) -> Result<()> {
    let (maitre, esclave) = ready(lab)?;
    // Nobody is active: the maître stands for it.
    ends(
        &esclave,
        "synchro-nodes",
        &[],
        103,
        &["esclave est l'esclave", "lancer synchro-nodes sur maitre"],
    )?;
    assert_eq!(
        ends(&esclave, "synchro-nodes", &["--si-actif", "-q"], 0, &[])?,
        ""
    );
    ends(&maitre, "synchro-nodes", &[], 0, &["fait en "])?;

    // What is newer there.
    sh(
        &esclave,
        "echo theirs >>/etc/ipsec.conf; touch -d 'now + 1 hour' /etc/ipsec.conf; echo theirs >/etc/ipsec.d/theirs",
    )?;
    ends(
        &maitre,
        "synchro-nodes",
        &[],
        103,
        &[
            "esclave a plus récent",
            "/etc/ipsec.conf",
            "/etc/ipsec.d/theirs",
            "--forcer",
        ],
    )?;
    assert!(esclave.read("/etc/ipsec.conf")?.ends_with("theirs\n"));
    ends(&maitre, "synchro-nodes", &["--forcer"], 0, &["fait en "])?;
    assert_eq!(listed(&esclave)?, listed(&maitre)?);
    // A machine that was installed anew knows of no synchronisation.
    sh(&maitre, &format!("mv {RECORD} /run/"))?;
    ends(
        &maitre,
        "synchro-nodes",
        &[],
        103,
        &["a-t-elle été réinstallée"],
    )?;
    sh(&maitre, &format!("mv /run/synchro.json {RECORD}"))?;

    // Two at once, on one machine and towards it.
    sh(&maitre, "head -c 20000000 /dev/urandom >/etc/ipsec.d/gros")?;
    let mut slow = Terminal::start(
        maitre
            .command("synchro-nodes")
            .args(["--debit", "200"])
            .env("LC_ALL", "C.UTF-8"),
    )?;
    slow.wait_for(LIMIT, "+ /etc/ipsec.d/gros")?;
    ends(
        &maitre,
        "synchro-nodes",
        &[],
        75,
        &["une autre synchronisation est en cours"],
    )?;
    ends(
        &esclave,
        "synchro-nodes",
        &["--forcer"],
        75,
        &["une autre synchronisation est en cours"],
    )?;
    slow.send("\x03")?;
    assert_eq!(slow.end(LIMIT)?.0.code(), Some(130));
    sh(&maitre, "rm /etc/ipsec.d/gros")?;
    // The other end sees a moment later that it is left.
    sh(&esclave, "flock -w 60 /run/lock/sphynx-synchro.lock true")?;

    // The other one is active; both are.
    sh(&esclave, "ip addr add 192.168.0.23/24 dev eth0")?;
    ends(
        &maitre,
        "synchro-nodes",
        &[],
        103,
        &[
            "esclave est la machine active",
            "192.168.0.23",
            "lancer synchro-nodes sur esclave",
        ],
    )?;
    ends(
        &maitre,
        "synchro-nodes",
        &["--forcer"],
        103,
        &["esclave est la machine active"],
    )?;
    assert_eq!(
        ends(&maitre, "synchro-nodes", &["--si-actif", "-q"], 0, &[])?,
        ""
    );
    sh(&esclave, "echo from-esclave >/etc/ipsec.conf")?;
    ends(
        &esclave,
        "synchro-nodes",
        &[],
        0,
        &["esclave -> maitre", "fait en "],
    )?;
    assert_eq!(maitre.read("/etc/ipsec.conf")?, "from-esclave\n");
    sh(&maitre, "ip addr add 172.30.101.23/24 dev eth1")?;
    ends(&maitre, "synchro-nodes", &[], 103, &["toutes deux actives"])?;
    ends(
        &maitre,
        "synchro-nodes",
        &["--si-actif", "-q"],
        103,
        &["toutes deux actives"],
    )?;
    sh(&esclave, "ip addr del 192.168.0.23/24 dev eth0")?;
    ends(&maitre, "synchro-nodes", &[], 0, &[])?;

    // The other one lacks what it needs.
    sh(&maitre, "echo again >/etc/ipsec.conf")?;
    sh(&esclave, "mv /usr/bin/rsync /usr/bin/rsync.away")?;
    ends(
        &maitre,
        "synchro-nodes",
        &[],
        105,
        &["rsync n'est pas installé sur esclave"],
    )?;
    assert_eq!(esclave.read("/etc/ipsec.conf")?, "from-esclave\n");
    sh(
        &esclave,
        "mv /usr/bin/rsync.away /usr/bin/rsync; rm /usr/local/sbin/synchro-nodes",
    )?;
    ends(
        &maitre,
        "synchro-nodes",
        &[],
        105,
        &[
            "synchro-nodes n'est pas installé sur esclave",
            "même paquet",
        ],
    )?;
    Ok(())
}

/// Who is active is asked of the cluster.
fn follows_the_cluster(lab: &Lab) -> Result<()> {
    let (maitre, esclave) = ready(lab)?;
    lab.load_sphynx()?;
    ends(
        &maitre,
        "synchro-nodes",
        &[],
        0,
        &["maitre -> esclave", "fait en "],
    )?;
    ends(
        &esclave,
        "synchro-nodes",
        &[],
        103,
        &["maitre est la machine active"],
    )?;
    maitre
        .command("crm_resource")
        .args(["--move", "-r", "sphynx", "-N", "esclave"])
        .stdout()?;
    lab.wait_sphynx("esclave", Duration::from_secs(120))?;
    ends(
        &maitre,
        "synchro-nodes",
        &[],
        103,
        &["esclave est la machine active"],
    )?;
    sh(&esclave, "echo from-esclave >/etc/ipsec.conf")?;
    ends(
        &esclave,
        "synchro-nodes",
        &[],
        0,
        &["esclave -> maitre", "fait en "],
    )?;
    assert_eq!(maitre.read("/etc/ipsec.conf")?, "from-esclave\n");
    Ok(())
}
