//! Changes of a cluster that runs, told before they are made.

use std::process::Stdio;

use ha_core::xml::{Document, Element};
use ha_core::{ErrorExt as _, Result};
use lab::{Lab, Link, Node, NotYet};

use super::{CONF, LIMIT, LIST, PROGRAM, done, install, settings, verify, with};
use crate::hactl::{cib, epoch, located};
use crate::sphynx::settle;

/// Which starts of a resource on this node the cluster remembers: others when it was started anew.
fn starts(node: &Node<'_>, resource: &str) -> Result<Vec<String>> {
    let cib = cib(node)?;
    let states = cib
        .root()
        .descendants()
        .filter(|e| e.name() == "node_state");
    let of_node = states.filter(|e| e.attribute("uname") == Some(node.name()));
    let of_it = of_node
        .flat_map(Element::descendants)
        .filter(|e| e.name() == "lrm_resource" && e.attribute("id") == Some(resource));
    let operations = of_it.flat_map(|e| e.children_named("lrm_rsc_op"));
    let starts = operations.filter(|e| e.attribute("operation") == Some("start"));
    Ok(starts
        .map(|e| {
            e.attribute("transition-magic")
                .unwrap_or_default()
                .to_owned()
        })
        .collect())
}

fn addresses(node: &Node<'_>) -> Result<String> {
    node.command("ip").args(["-brief", "address"]).stdout()
}

pub(super) fn changes(lab: &Lab) -> Result<()> {
    install(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    // This cluster has a corosync.conf of somebody else.
    let said = done(&maitre, &["--wait"])?;
    assert!(said.contains("corosync doit être relancé"), "{said}");
    lab.wait_sphynx("maitre", LIMIT)?;
    // An address: what it interrupts is told, the other address stays.
    settings(lab, &with("172.30.101.23", "172.30.101.24"))?;
    let (externe, before) = (starts(&maitre, "VIP_externe")?, epoch(&maitre)?);
    let dry = done(&maitre, &["--dry-run"])?;
    assert!(dry.contains("172.30.101.23 -> 172.30.101.24"), "{dry}");
    assert!(
        dry.contains("! redémarrer VIP_interne sur maitre")
            && dry.contains("interruptions (!) : 4"),
        "{dry}"
    );
    assert_eq!(epoch(&maitre)?, before);
    let told = done(&maitre, &["--wait"])?;
    assert!(told.contains("interruptions (!) : 4"), "{told}");
    let on = addresses(&maitre)?;
    assert!(
        on.contains("172.30.101.24/24") && !on.contains("172.30.101.23/24"),
        "{on}"
    );
    assert_eq!(starts(&maitre, "VIP_externe")?, externe);
    // A gateway more: nothing of the group is interrupted.
    let more = with("172.30.101.23", "172.30.101.24").replacen(
        "[\"192.168.0.1\"]",
        "[\"192.168.0.1\", \"172.30.101.1\"]",
        1,
    );
    settings(lab, &more)?;
    let group: Result<Vec<_>> = lab::sphynx::GROUP
        .iter()
        .map(|id| starts(&maitre, id))
        .collect();
    let group = group?;
    done(&maitre, &["--wait"])?;
    knows_gateways(lab, "2", "2")?;
    for (id, before) in lab::sphynx::GROUP.iter().zip(group) {
        assert_eq!(starts(&maitre, id)?, before, "{id}");
    }
    assert!(starts(&esclave, "VIP_externe")?.is_empty());
    // A service less, and a service more: the others go on.
    let ipsec = starts(&maitre, "ipsec_rsc")?;
    let (before_arv, _) = more.split_once("[[service]]\nnom = \"arv_rsc\"").unwrap();
    let (_, after_arv) = more.split_once("agent = \"lsb:arv\"\n").unwrap();
    settings(lab, &format!("{before_arv}{after_arv}"))?;
    let told = done(&maitre, &["--wait"])?;
    assert!(
        told.contains("! arrêter arv_rsc sur maitre") && told.contains("interruptions (!) : 1"),
        "{told}"
    );
    assert_eq!(located(&maitre, "arv_rsc").unwrap_or_default(), [""; 0]);
    assert_eq!(maitre.read(LIST)?, "ipsec_rsc\n");
    settings(lab, &more)?;
    let told = done(&maitre, &["--wait"])?;
    assert!(
        told.contains("démarrer arv_rsc sur maitre") && !told.contains("interruptions"),
        "{told}"
    );
    assert_eq!(starts(&maitre, "ipsec_rsc")?, ipsec);
    verify(&maitre)
}

/// Waits until the nodes know how many gateways answer.
fn knows_gateways(lab: &Lab, maitre: &str, esclave: &str) -> Result<()> {
    for (name, count) in [("maitre", maitre), ("esclave", esclave)] {
        lab.wait_until(LIMIT, &format!("{count} gateways answer {name}"), || {
            let ask = lab.node("maitre")?.command("attrd_updater");
            let said = ask.args(["-Q", "-n", "pingd", "-N", name]).output()?.stdout;
            if said.contains(&format!("value=\"{count}\"")) {
                Ok(())
            } else {
                Err(NotYet::because(said))
            }
        })?;
    }
    // What attrd knows is written into the CIB a moment later, and then acted upon.
    lab.wait_until(LIMIT, "the CIB has it", || {
        let cib = cib(&lab.node("maitre")?)?;
        let values: Vec<String> = cib
            .root()
            .descendants()
            .filter(|e| e.name() == "nvpair" && e.attribute("name") == Some("pingd"))
            .filter_map(|e| e.attribute("value").map(str::to_owned))
            .collect();
        let mut wanted = vec![maitre.to_owned(), esclave.to_owned()];
        let mut found = values.clone();
        wanted.sort_unstable();
        found.sort_unstable();
        if found == wanted {
            Ok(())
        } else {
            Err(NotYet::because(format!("{values:?}")))
        }
    })?;
    settle(lab)
}

/// A machine that loses the gateway gives way to the other; when both lose it, everything stays.
pub(super) fn gateways(lab: &Lab) -> Result<()> {
    install(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    done(&maitre, &["--wait"])?;
    lab.wait_sphynx("maitre", LIMIT)?;
    knows_gateways(lab, "1", "1")?;
    lab.cut("maitre", Link::Academie)?;
    knows_gateways(lab, "0", "1")?;
    lab.wait_sphynx("esclave", LIMIT)?;
    // It does not move back when the gateway returns.
    lab.heal("maitre", Link::Academie)?;
    knows_gateways(lab, "1", "1")?;
    lab.wait_sphynx("esclave", LIMIT)?;
    // The gateway itself, three times: the machines see it at different moments.
    let before: Result<Vec<_>> = lab::sphynx::GROUP
        .iter()
        .map(|id| starts(&esclave, id))
        .collect();
    let (before, on_maitre) = (before?, starts(&maitre, "VIP_externe")?);
    for _ in 0..3 {
        lab.cut("gateway", Link::Academie)?;
        knows_gateways(lab, "0", "0")?;
        lab.wait_sphynx("esclave", LIMIT)?;
        lab.heal("gateway", Link::Academie)?;
        knows_gateways(lab, "1", "1")?;
        lab.wait_sphynx("esclave", LIMIT)?;
    }
    for (id, before) in lab::sphynx::GROUP.iter().zip(before) {
        assert_eq!(starts(&esclave, id)?, before, "{id}");
    }
    assert_eq!(starts(&maitre, "VIP_externe")?, on_maitre);
    Ok(())
}

/// What of a node shows how far a run has come.
type Look = fn(&Node<'_>) -> Result<String>;

/// Killed wherever it may be, it leaves the old or the new, and the next run completes it.
pub(super) fn killed(lab: &Lab) -> Result<()> {
    install(lab)?;
    let maitre = lab.node("maitre")?;
    // The lab's own group, so that all of the file can be taken over while corosync runs.
    let with = |old: &str, new: &str| {
        with(old, new).replacen(
            "# groupe = \"239.255.1.1\"",
            "groupe = \"239.192.101.1\"",
            1,
        )
    };
    settings(lab, &with("actif", "actif"))?;
    done(&maitre, &["--wait"])?;
    lab.wait_sphynx("maitre", LIMIT)?;
    let one = with("# profil = \"standard\"", "profil = \"prudent\"")
        .replacen("172.30.101.23", "172.30.101.24", 1)
        .replacen("arv_rsc", "arv2_rsc", 1);
    let other = with("# profil = \"standard\"", "profil = \"rapide\"");
    // What has happened when it is killed.
    let moments: [(&str, Look); 5] = [
        ("at once", |_| Ok(String::new())),
        ("corosync.conf written", |node| node.read(CONF)),
        (".rsc_list written", |node| node.read(LIST)),
        ("corosync.conf in force", |node| {
            node.command("corosync-cmapctl")
                .args(["-g", "totem.token"])
                .stdout()
        }),
        ("the CIB changed", |node| {
            epoch(node).map(|epoch| epoch.to_string())
        }),
    ];
    for (round, (moment, look)) in moments.into_iter().enumerate() {
        let text = if round % 2 == 0 { &one } else { &other };
        settings(lab, text)?;
        let (conf, list, seen) = (maitre.read(CONF)?, maitre.read(LIST)?, look(&maitre)?);
        let mut process =
            maitre
                .command(PROGRAM)
                .spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?;
        if moment != "at once" {
            lab.wait_until(LIMIT, moment, || {
                if look(&maitre)? == seen {
                    Err(NotYet::because("not yet"))
                } else {
                    Ok(())
                }
            })?;
        }
        let ended = process.kill()?;
        println!("killed {moment}: {ended}");
        let left = [maitre.read(CONF)?, maitre.read(LIST)?];
        // The next run completes it.
        done(&maitre, &["--wait"]).with_context(|| moment.to_owned())?;
        let now = [maitre.read(CONF)?, maitre.read(LIST)?];
        for ((left, now), old) in left.iter().zip(&now).zip([&conf, &list]) {
            assert!(left == now || left == old, "{moment}: {left}");
        }
        let wanted = if round % 2 == 0 {
            ["172.30.101.24", "arv2_rsc", "3000"]
        } else {
            ["172.30.101.23", "arv_rsc", "500"]
        };
        let configured = cib(&maitre)?
            .root()
            .child("configuration")
            .map(Element::to_xml)
            .unwrap_or_default();
        assert!(
            configured.contains(wanted[0]) && configured.contains(&format!("\"{}\"", wanted[1])),
            "{moment}: {configured}"
        );
        assert_eq!(now[1], format!("ipsec_rsc\n{}\n", wanted[1]), "{moment}");
        let token = maitre
            .command("corosync-cmapctl")
            .args(["-g", "totem.token"])
            .stdout()?;
        assert!(
            token.contains(&format!("= {}", wanted[2])),
            "{moment}: {token}"
        );
        let again = done(&maitre, &[])?;
        assert!(
            again.ends_with("Pacemaker : rien à changer\n") && !again.contains("écrit"),
            "{moment}: {again}"
        );
        let hidden = maitre
            .command("sh")
            .args([
                "-c",
                "ls -A /etc/corosync /etc/ha.d | grep appliquer || true",
            ])
            .stdout()?;
        assert_eq!(hidden, "", "{moment}");
    }
    verify(&maitre)
}

/// Off: what is ours goes, what others have stays.
pub(super) fn off(lab: &Lab) -> Result<()> {
    const OTHER: &str = "<primitive id='autre' class='ocf' provider='pacemaker' type='Dummy'>\
        <operations><op id='autre-m' name='monitor' interval='10s' timeout='20s'/></operations></primitive>";
    install(lab)?;
    let (maitre, esclave) = (lab.node("maitre")?, lab.node("esclave")?);
    let configuration = |node: &Node<'_>| -> Result<Document> {
        let cib = cib(node)?;
        let text = cib
            .root()
            .child("configuration")
            .map(Element::to_xml)
            .unwrap_or_default();
        Document::parse(&text)
    };
    let create = |section: &str, xml: &str| {
        maitre
            .command("cibadmin")
            .args(["--create", "--scope", section, "--xml-text", xml])
            .stdout()
    };
    create("resources", OTHER)?;
    create(
        "constraints",
        "<rsc_location id='autre_ici' rsc='autre' node='esclave' score='100'/>",
    )?;
    settle(lab)?;
    let before = configuration(&maitre)?;
    done(&maitre, &["--wait"])?;
    lab.wait_sphynx("maitre", LIMIT)?;
    let of_other = starts(&esclave, "autre")?;
    assert_eq!(of_other.len(), 1);
    settings(lab, &with("actif = true", "actif = false"))?;
    let told = done(&maitre, &["--wait"])?;
    assert!(
        told.contains("d'autres ressources sont dans la grappe"),
        "{told}"
    );
    let after = configuration(&maitre)?;
    // A section that has become empty says nothing.
    let text = |cib: &Document| cib.to_xml().replace("  <tags/>\n", "");
    assert_eq!(text(&after), text(&before));
    assert_eq!(starts(&esclave, "autre")?, of_other);
    let on = addresses(&maitre)?;
    assert!(
        !on.contains("192.168.0.23") && !on.contains("172.30.101.23"),
        "{on}"
    );
    assert!(maitre.read(LIST).is_err());
    let again = done(&maitre, &["--wait"])?;
    assert!(again.contains("Pacemaker : rien à changer"), "{again}");
    // On again.
    settings(lab, super::EXAMPLE)?;
    done(&maitre, &["--wait"])?;
    lab.wait_sphynx("maitre", LIMIT)
}
