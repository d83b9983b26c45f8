//! The lab's networks and faults, and the Sphynx resources under them.

use std::path::Path;
use std::time::Duration;

use ha_core::{ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Link, NotYet, Transport, sphynx};

use crate::lab_itself::{crm_mon_line, wait_line};
use crate::respawn::wait_respawned;

pub(crate) fn register(harness: &mut Harness) {
    harness.shared(
        "lab::machines_see_each_other_and_nothing_else",
        three_networks,
    );
    let lab = LabOptions::default;
    harness.test(
        "lab::stopped_and_killed_daemons",
        own(lab(), stopped_and_killed_daemons),
    );
    harness.test("lab::sphynx_fails_over", own(lab(), sphynx_fails_over));
    harness.test(
        "lab::sphynx_leaves_a_node_without_gateway",
        own(lab(), gateway_lost),
    );
    let knet = LabOptions {
        transport: Transport::Knet,
        ..lab()
    };
    harness.test(
        "lab::knet_survives_one_link",
        own(knet, knet_survives_one_link),
    );
    let three = LabOptions { nodes: 3, ..lab() };
    harness.test("lab::three_nodes", own(three, three_nodes));
    // Other generations, where scripts/tree has made their trees.
    for (suite, version) in [
        ("bullseye", "2.0."),
        ("bookworm", "2.1."),
        ("trixie", "3.0."),
    ] {
        let folder = std::env::var("HA_TREES").unwrap_or("/var/cache/ha-lab/trees".into());
        let tree = Path::new(&folder).join(suite);
        if tree.is_dir() {
            let all = LabOptions {
                tree: tree.clone(),
                ..lab()
            };
            let test = own(all, move |lab| {
                generation(lab, &[version, version], "maitre")
            });
            harness.test(&format!("lab::nodes_of_{suite}"), test);
            // A node that comes back to a newer DC alone is turned away; an older DC takes it in.
            let newest = if version > "2.1." {
                "esclave"
            } else {
                "maitre"
            };
            let mixed = LabOptions {
                node_trees: [("esclave".into(), tree)].into(),
                ..lab()
            };
            let test = own(mixed, move |lab| generation(lab, &["", version], newest));
            harness.test(&format!("lab::esclave_of_{suite}"), test);
        }
    }
}

fn three_networks(lab: &Lab) -> Result<()> {
    for (from, to) in [
        ("maitre", "192.168.0.1"),
        ("maitre", "172.30.101.1"),
        ("esclave", "10.0.254.11"),
        ("gateway", "192.168.0.12"),
        ("gateway", "172.30.101.11"),
    ] {
        lab.node(from)?
            .command("ping")
            .args(["-c", "1", "-W", "2", to])
            .stdout()?;
    }
    // The gateway is not in the cluster's own network, and nobody is on the host's.
    let routes = lab.node("gateway")?.command("ip").arg("route").stdout()?;
    assert!(!routes.contains("10.0.254."), "{routes}");
    let routes = lab
        .node("maitre")?
        .command("ip")
        .args(["route", "show", "default"])
        .stdout()?;
    assert!(
        routes.starts_with("default via 192.168.0.1 dev eth0"),
        "{routes}"
    );
    let links = lab
        .node("maitre")?
        .command("ip")
        .args(["-br", "link", "show", "up"])
        .stdout()?;
    let mut up: Vec<&str> = links
        .lines()
        .filter_map(|l| l.split([' ', '@']).next())
        .collect();
    up.sort_unstable();
    assert_eq!(up, ["eth0", "eth1", "eth2", "lo"], "{links}");
    Ok(())
}

fn stopped_and_killed_daemons(lab: &Lab) -> Result<()> {
    let node = lab.node("esclave")?;
    assert_eq!(
        node.kill("nothing").unwrap_err().kind(),
        ErrorKind::NotFound
    );

    // Pacemaker starts it again.
    let before = node.processes("based")?;
    node.kill("based")?;
    wait_respawned(lab, &node, "another pacemaker-based runs", || {
        let now = node.processes("based")?;
        if now.is_empty() || now == before {
            return Err(NotYet::because(format!("{before:?}, then {now:?}")));
        }
        Ok(())
    })?;
    wait_respawned(lab, &node, "both nodes are Online", || {
        Ok(lab.wait_online(Duration::from_secs(10))?)
    })?;

    // A stopped corosync is lost for its peer, and a command that asks it is ended by its limit.
    node.stop("corosync")?;
    wait_line(lab, "maitre", "OFFLINE: [ esclave ]")?;
    let limit = Duration::from_secs(2);
    let asked = node
        .command("corosync-quorumtool")
        .arg("-s")
        .limit(limit)
        .output();
    assert_eq!(asked.unwrap_err().kind(), ErrorKind::Timeout);
    node.cont("corosync")?;
    wait_respawned(lab, &node, "both nodes are Online again", || {
        Ok(lab.wait_online(Duration::from_secs(10))?)
    })
}

/// The services' answers on the group's addresses, asked from the gateway.
fn who_answers(lab: &Lab) -> Result<(String, String)> {
    let ask = |address: &str, protocol: &str, port: &str| {
        let script = "use IO::Socket::INET; use IO::Select;
            my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], Proto => $ARGV[1],
                PeerPort => $ARGV[2], Timeout => 1) or die qq($@\n);
            $s->syswrite(qq(who\n)); IO::Select->new($s)->can_read(1) or die qq(no answer\n);
            $s->sysread(my $a, 100) or die qq($!\n); print $a;";
        let gateway = lab.node("gateway")?;
        gateway
            .command("perl")
            .args(["-e", script, address, protocol, port])
            .stdout()
    };
    Ok((
        ask(sphynx::VIP_EXTERNE, "udp", "500")?,
        ask(sphynx::VIP_INTERNE, "tcp", "8088")?,
    ))
}

fn default_route(lab: &Lab, name: &str) -> Result<String> {
    lab.node(name)?
        .command("ip")
        .args(["route", "show", "default"])
        .stdout()
}

fn sphynx_fails_over(lab: &Lab) -> Result<()> {
    lab.load_sphynx()?;
    assert_eq!(
        who_answers(lab)?,
        ("ipsec on maitre\n".into(), "arv on maitre\n".into())
    );
    let (here, there) = (
        default_route(lab, "maitre")?,
        default_route(lab, "esclave")?,
    );
    assert!(
        here.contains(&format!("src {}", sphynx::VIP_EXTERNE)),
        "{here}"
    );
    assert!(!there.contains("src"), "{there}");

    // A real service: when its process is killed, the monitor finds out and it is started again.
    let maitre = lab.node("maitre")?;
    let pid = maitre.read("/run/arv.pid")?;
    maitre.command("kill").args(["-9", pid.trim()]).stdout()?;
    lab.wait_until(Duration::from_secs(90), "arv runs again", || {
        if maitre.read("/run/arv.pid")? == pid {
            return Err(NotYet::because("still the one that was killed"));
        }
        Ok(maitre.command("/etc/init.d/arv").arg("status").stdout()?)
    })?;
    let failed = maitre.command("crm_mon").arg("-1").stdout()?;
    assert!(
        failed.contains("Failed Resource Actions:") && failed.contains("arv_rsc"),
        "{failed}"
    );
    let cleanup = ["--cleanup", "-r", "arv_rsc"];
    maitre.command("crm_resource").args(cleanup).stdout()?;
    lab.wait_until(Duration::from_secs(90), "the failure is forgotten", || {
        let text = maitre.command("crm_mon").arg("-1").stdout()?;
        if text.contains("Failed") {
            Err(NotYet::because(text))
        } else {
            Ok(())
        }
    })?;
    lab.wait_sphynx("maitre", Duration::from_secs(90))?;

    lab.power_cut("maitre")?;
    lab.wait_sphynx("esclave", Duration::from_secs(90))?;
    lab.wait_until(
        Duration::from_secs(90),
        "esclave answers on both addresses",
        || {
            let answers = who_answers(lab)?;
            if answers == ("ipsec on esclave\n".into(), "arv on esclave\n".into()) {
                Ok(())
            } else {
                Err(NotYet::because(format!("{answers:?}")))
            }
        },
    )?;
    // It comes back with empty hands: what runs is not interrupted a second time.
    lab.power_on("maitre")?;
    lab.wait_sphynx("esclave", Duration::from_secs(90))
}

fn gateway_lost(lab: &Lab) -> Result<()> {
    lab.load_sphynx()?;
    lab.cut("maitre", Link::Academie)?;
    lab.wait_sphynx("esclave", Duration::from_secs(60))?;
    // The cluster's own network is whole: nobody was lost.
    assert_eq!(
        crm_mon_line(lab, "esclave", "Online")?,
        "Online: [ esclave maitre ]"
    );
    lab.heal("maitre", Link::Academie)?;
    let attribute = ["--name", "pingd", "--query", "--node", "maitre"];
    lab.wait_until(
        Duration::from_secs(90),
        "maitre sees the gateway again",
        || {
            let said = lab
                .node("maitre")?
                .command("attrd_updater")
                .args(attribute)
                .stdout()?;
            if said.contains("value=\"100\"") {
                Ok(())
            } else {
                Err(NotYet::because(said))
            }
        },
    )
}

fn knet_survives_one_link(lab: &Lab) -> Result<()> {
    let links = || {
        lab.node("maitre")?
            .command("corosync-cfgtool")
            .arg("-s")
            .stdout()
    };
    // knet gives a fresh link long to answer, longer than the token lives: only a link that has
    // answered for a while is given up in time.
    lab.wait_until(
        Duration::from_secs(60),
        "both links have answered 40 pings",
        || {
            let keys = lab
                .node("maitre")?
                .command("corosync-cmapctl")
                .args(["-m", "stats"])
                .stdout()?;
            let answers = |link: u8| {
                let key = format!("stats.knet.node2.link{link}.rx_pong_packets");
                let line = keys.lines().find(|line| line.starts_with(&key))?;
                line.rsplit(' ').next()?.parse::<u32>().ok()
            };
            match (answers(0), answers(1)) {
                (Some(40..), Some(40..)) => Ok(()),
                counts => Err(NotYet::because(format!("{counts:?}"))),
            }
        },
    )?;
    lab.unplug("esclave", Link::Ha1)?;
    lab.wait_until(Duration::from_secs(90), "knet sees one link down", || {
        let said = links()?;
        if said.contains("disconnected") {
            Ok(())
        } else {
            Err(NotYet::because(said))
        }
    })?;
    assert_eq!(
        crm_mon_line(lab, "maitre", "Online")?,
        "Online: [ esclave maitre ]"
    );
    lab.cut("esclave", Link::Interco)?;
    wait_line(lab, "maitre", "OFFLINE: [ esclave ]")?;
    // A cable stays unplugged over a power cut.
    lab.power_cut("esclave")?;
    assert_eq!(lab.cut_links("esclave")?, [Link::Interco, Link::Ha1]);
    lab.heal("esclave", Link::Interco)?;
    lab.power_on("esclave")?;
    let said = links()?;
    assert!(said.contains("disconnected"), "{said}");
    wait_line(lab, "maitre", "Online: [ esclave maitre ]")
}

fn three_nodes(lab: &Lab) -> Result<()> {
    assert_eq!(lab.nodes().len(), 3);
    wait_line(lab, "noeud3", "Online: [ esclave maitre noeud3 ]")?;
    lab.power_cut("maitre")?;
    wait_line(lab, "noeud3", "Online: [ esclave noeud3 ]")?;
    let quorum = lab
        .node("noeud3")?
        .command("corosync-quorumtool")
        .arg("-s")
        .stdout()?;
    assert!(quorum.contains("Quorate:          Yes"), "{quorum}");
    Ok(())
}

/// The nodes run these versions of Pacemaker, together, with all of Sphynx's resources; one loses
/// its power and comes back.
fn generation(lab: &Lab, versions: &[&str], cut: &str) -> Result<()> {
    for (node, version) in lab.nodes().iter().zip(versions) {
        let said = node.command("pacemakerd").arg("--version").stdout()?;
        assert!(
            said.starts_with(&format!("Pacemaker {version}")),
            "{}: {said}",
            node.name()
        );
    }
    lab.load_sphynx()?;
    lab.power_cut(cut)?;
    let survivor = if cut == "maitre" { "esclave" } else { "maitre" };
    lab.wait_sphynx(survivor, Duration::from_secs(90))?;
    lab.power_on(cut)?;
    lab.wait_sphynx(survivor, Duration::from_secs(90))
}
