//! Each judgement on facts made by hand: a pair that is well, and one thing that is not.

use super::*;
use crate::diagnose::facts::{
    Corosync, Failure, Interface, Key, Link, Node, Pacemaker, Route, Synchro, Told,
};
use crate::diagnose::gather::{COROSYNC, PACEMAKER};
use crate::eole;
use crate::settings::Transport;

const NOW: i64 = 1_800_000_000;

fn settings() -> Settings {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/hautedispo.toml");
    Settings::open(path).unwrap()
}

fn pacemaker() -> Pacemaker {
    let node = |name: &str| Node {
        name: name.to_owned(),
        online: true,
        standby: false,
        maintenance: false,
        pending: false,
        unclean: false,
        pingd: Some("100".to_owned()),
    };
    let mut it = Pacemaker {
        dc: Some("maitre".to_owned()),
        fencing: true,
        nodes: vec![node("maitre"), node("esclave")],
        ..Pacemaker::default()
    };
    for name in settings().resources() {
        it.active.insert(name.to_owned(), vec!["maitre".to_owned()]);
    }
    it.active.insert(
        "gw_pingd".to_owned(),
        vec!["maitre".to_owned(), "esclave".to_owned()],
    );
    it
}

fn facts(settings: &Settings, role: Role) -> Facts {
    let machine = match role {
        Role::Maitre => &settings.maitre,
        Role::Esclave => &settings.esclave,
    };
    let interface = |name: &str, address: &str| Interface {
        name: name.to_owned(),
        up: true,
        carrier: true,
        multicast: true,
        addresses: vec![address.parse().unwrap()],
    };
    let mut eth0 = interface("eth0", "192.168.0.11");
    let mut eth1 = interface("eth1", "172.30.101.11");
    let mut route = Route {
        gateway: "192.168.0.1".parse().ok(),
        interface: "eth0".to_owned(),
        source: None,
    };
    if role == Role::Maitre {
        eth0.addresses.push(settings.vips[0].address);
        eth1.addresses.push(settings.vips[1].address);
        route.source = Some(settings.vips[0].address);
    }
    let programs = PACEMAKER.into_iter().chain([COROSYNC]);
    let names = || vec!["maitre".to_owned(), "esclave".to_owned()];
    Facts {
        format: 1,
        version: "1".to_owned(),
        host: machine.name.clone(),
        root: true,
        clock: (NOW * 1000, NOW * 1000),
        settings: Ok("same".to_owned()),
        packages: Ok(eole::NEEDED_PACKAGES
            .iter()
            .map(|it| ((*it).to_owned(), "1-1".to_owned()))
            .collect()),
        processes: programs.map(|it| (it.to_owned(), 'S')).collect(),
        interfaces: Ok(vec![
            eth0,
            eth1,
            interface("eth2", &machine.dialogue.to_string()),
        ]),
        routes: Ok(vec![route]),
        gateways: [(settings.gateways.addresses[0], Ok(true))].into(),
        dialogue: Some(Ok(true)),
        authkey: Ok(Some(Key {
            sha256: "k".to_owned(),
            mode: 0o400,
            of_root: true,
        })),
        corosync_conf: Ok(Some(crate::corosync::file(settings).to_string())),
        rsc_list: Ok(Some("ipsec_rsc\narv_rsc\n".to_owned())),
        corosync: Ok(Corosync {
            quorate: true,
            members: names(),
            configured: names(),
            transport: "udp".to_owned(),
            token_ms: Some(1000),
            since_token_ms: Some(80),
            links: Vec::new(),
            faulty: Vec::new(),
            not_in_force: Vec::new(),
        }),
        pacemaker: Ok(pacemaker()),
        synchro: Ok(Synchro {
            last: Some((NOW - 60, "maitre".to_owned(), "esclave".to_owned())),
            failed: None,
        }),
        ssh: (role == Role::Esclave).then_some(Ok(())),
    }
}

/// A pair as seen from the maître.
struct World {
    settings: Settings,
    here: Facts,
    peer: Option<Look<Asked>>,
}

impl World {
    fn well() -> Self {
        let settings = settings();
        let asked = Asked {
            facts: facts(&settings, Role::Esclave),
            clock: (NOW * 1000, NOW * 1000),
            by: settings.esclave.ssh(),
        };
        let here = facts(&settings, Role::Maitre);
        Self {
            settings,
            here,
            peer: Some(Ok(asked)),
        }
    }

    fn there(&mut self) -> &mut Facts {
        &mut self.peer.as_mut().unwrap().as_mut().unwrap().facts
    }

    fn corosync(&mut self) -> &mut Corosync {
        self.here.corosync.as_mut().unwrap()
    }

    fn pacemaker(&mut self) -> &mut Pacemaker {
        self.here.pacemaker.as_mut().unwrap()
    }

    fn judge(&self) -> Findings {
        all(&Pair {
            settings: &self.settings,
            role: Role::Maitre,
            here: &self.here,
            peer: self.peer.as_ref(),
            now: NOW,
        })
    }

    /// The names of the lines that are wrong, and what the first of them says, with its fixes.
    fn wrong(&self) -> (Vec<&'static str>, String) {
        let found = self.judge();
        let wrong = found
            .reports
            .iter()
            .filter(|it| it.outcome == Outcome::Error);
        let wrong: Vec<&Report> = wrong.collect();
        let said = wrong.iter().flat_map(|report| &report.causes).map(|cause| {
            format!(
                "{} -> {}\n",
                cause.text,
                cause.fix.as_deref().unwrap_or_default()
            )
        });
        let said = said.collect();
        (wrong.iter().map(|it| it.id).collect(), said)
    }
}

fn unseen(reason: Reason) -> Unseen {
    Unseen {
        reason,
        text: "raison".to_owned(),
    }
}

#[test]
fn a_pair_that_is_well() {
    let found = World::well().judge();
    let bad = found.reports.iter().find(|it| it.outcome != Outcome::Ok);
    assert_eq!(bad, None);
    assert_eq!(found.remarks, []);
    assert_eq!(found.exit_code(), 0);
    assert_eq!(found.reports.len(), 26);
}

/// One fault, the lines that turn, and what their causes say.
type Case = (
    &'static str,
    fn(&mut World),
    &'static [&'static str],
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (
        "versions",
        |w| {
            drop(
                w.there()
                    .packages
                    .as_mut()
                    .unwrap()
                    .insert("corosync".into(), "2-1".into()),
            )
        },
        &["paquets"],
        &[
            "corosync : 1-1 sur maitre, 2-1 sur esclave",
            "apt-get install corosync",
        ],
    ),
    (
        "a package is missing",
        |w| drop(w.there().packages.as_mut().unwrap().remove("pacemaker")),
        &["paquets"],
        &[
            "esclave : pacemaker n'est pas installé",
            "sur esclave : apt-get install pacemaker",
        ],
    ),
    (
        "an optional package on one alone",
        |w| {
            drop(
                w.there()
                    .packages
                    .as_mut()
                    .unwrap()
                    .insert("crmsh".into(), "4".into()),
            )
        },
        &["paquets"],
        &["crmsh (4) n'est pas installé sur maitre -> apt-get install crmsh"],
    ),
    (
        "our own versions",
        |w| w.there().version = "2".into(),
        &["paquets"],
        &["ces programmes : 1 sur maitre, 2 sur esclave"],
    ),
    (
        "corosync hangs",
        |w| {
            w.here.processes.insert(COROSYNC.into(), 'T');
            w.here.corosync = Err(unseen(Reason::Silent));
        },
        &["corosync"],
        &[
            "maitre : corosync a été suspendu",
            "kill -CONT $(pidof corosync)",
        ],
    ),
    (
        "corosync is silent",
        |w| w.here.corosync = Err(unseen(Reason::Silent)),
        &["corosync"],
        &["corosync de maitre ne répond pas : raison -> systemctl restart corosync"],
    ),
    (
        "a daemon of pacemaker is gone",
        |w| {
            w.here
                .processes
                .retain(|name, _| name != "pacemaker-controld")
        },
        &["pacemaker"],
        &["maitre : pacemaker-controld ne tourne pas"],
    ),
    (
        "pacemaker is gone there",
        |w| w.there().processes.retain(|name, _| name == COROSYNC),
        &["pacemaker"],
        &["pacemaker ne tourne pas sur esclave -> sur esclave : systemctl start pacemaker"],
    ),
    (
        "no interface",
        |w| w.here.interfaces.as_mut().unwrap().truncate(2),
        &["interface"],
        &["maitre n'a pas d'interface eth2", "il y a eth0, eth1"],
    ),
    (
        "interface down",
        |w| w.here.interfaces.as_mut().unwrap()[2].up = false,
        &["interface"],
        &["eth2 de maitre est désactivée -> ip link set eth2 up"],
    ),
    (
        "no carrier",
        |w| w.there().interfaces.as_mut().unwrap()[2].carrier = false,
        &["interface"],
        &["eth2 de esclave n'a pas de lien"],
    ),
    (
        "no multicast",
        |w| w.here.interfaces.as_mut().unwrap()[2].multicast = false,
        &["interface"],
        &["ne transporte pas le multicast -> ip link set eth2 multicast on"],
    ),
    (
        "address elsewhere",
        |w| {
            let all = w.here.interfaces.as_mut().unwrap();
            let address = all[2].addresses.pop().unwrap();
            all[1].addresses.push(address);
        },
        &["interface"],
        &["10.0.254.11 est sur eth1 de maitre, non sur eth2"],
    ),
    (
        "multicast is filtered",
        |w| {
            w.corosync().members.retain(|name| name == "maitre");
            w.there()
                .corosync
                .as_mut()
                .unwrap()
                .members
                .retain(|name| name == "esclave");
            w.there().pacemaker.as_mut().unwrap().active.clear();
        },
        &["lien", "membres"],
        &[
            "maitre n'entend pas le corosync de esclave, qui répond pourtant au ping",
            "IGMP",
            "239.255.1.1",
        ],
    ),
    (
        "no quorum",
        |w| w.corosync().quorate = false,
        &["quorum"],
        &["maitre n'a pas le quorum"],
    ),
    (
        "a node that was cut off and does not know it",
        |w| w.corosync().since_token_ms = Some(11_720),
        &["jeton"],
        &[
            "maitre n'a pas vu le jeton depuis 11.7 s",
            "ip link set eth2 up",
        ],
    ),
    (
        "corosync runs with another configuration",
        |w| {
            w.corosync().configured = vec!["node1".into()];
            w.corosync().members = vec!["maitre".into(), "node1".into()];
        },
        &["lien", "membres"],
        &["ne connaît pas esclave (elle a node1) -> appliquer_hautedispo"],
    ),
    (
        "settings differ",
        |w| w.there().settings = Ok("other".into()),
        &["parametrage_identique"],
        &["diffèrent", "synchro-nodes"],
    ),
    (
        "keys differ",
        |w| w.there().authkey.as_mut().unwrap().as_mut().unwrap().sha256 = "l".into(),
        &["authkey"],
        &[
            "de maitre et de esclave diffèrent",
            "systemctl restart corosync",
        ],
    ),
    (
        "a key that all may read",
        |w| w.here.authkey.as_mut().unwrap().as_mut().unwrap().mode = 0o644,
        &["authkey"],
        &["droits 644", "chmod 400 /etc/corosync/authkey"],
    ),
    (
        "no corosync.conf",
        |w| w.there().corosync_conf = Ok(None),
        &["corosync_conf"],
        &["esclave n'a pas /etc/corosync/corosync.conf"],
    ),
    (
        "corosync.conf differ",
        |w| {
            let text = crate::corosync::file(&w.settings).to_string();
            w.there().corosync_conf = Ok(Some(text.replace("token: 1000", "token: 3000")));
        },
        &["corosync_conf", "corosync_conf_conforme"],
        &[
            "de maitre à esclave : totem.token: 1000 -> 3000",
            "esclave : pour suivre le paramétrage : totem.token: 3000 -> 1000 -> sur esclave : appliquer_hautedispo",
        ],
    ),
    (
        "both have an old corosync.conf",
        |w| {
            let text = crate::corosync::file(&w.settings)
                .to_string()
                .replace("token: 1000", "token: 3000");
            w.here.corosync_conf = Ok(Some(text.clone()));
            w.there().corosync_conf = Ok(Some(text));
        },
        &["corosync_conf_conforme"],
        &["maitre : pour suivre", "esclave : pour suivre"],
    ),
    (
        "corosync.conf was not loaded",
        |w| {
            w.corosync()
                .not_in_force
                .push("totem.token: 3000 -> 1000".into())
        },
        &["corosync_conf_conforme"],
        &[
            "le corosync de maitre n'a pas pris en compte son fichier : totem.token: 3000 -> 1000 -> appliquer_hautedispo",
        ],
    ),
    (
        "no list",
        |w| w.here.rsc_list = Ok(None),
        &["rsc_list"],
        &["maitre n'a pas /etc/ha.d/.rsc_list -> appliquer_hautedispo"],
    ),
    (
        "another list",
        |w| w.there().rsc_list = Ok(Some("ipsec_rsc\n".into())),
        &["rsc_list"],
        &[
            "esclave a : ipsec_rsc ; le paramétrage a : ipsec_rsc arv_rsc -> sur esclave : appliquer_hautedispo",
        ],
    ),
    (
        "no way there",
        |w| {
            w.peer = Some(Err(Unseen {
                reason: Reason::Absent,
                text: "ssh: connect to host 10.0.254.12 port 22: Connection refused".into(),
            }))
        },
        &["ssh_vers"],
        &["Connection refused -> sur esclave : systemctl start ssh"],
    ),
    (
        "keys of SSH are not exchanged",
        |w| {
            w.peer = Some(Err(Unseen {
                reason: Reason::Absent,
                text: "Permission denied (publickey).".into(),
            }))
        },
        &["ssh_vers"],
        &["-> relier les deux machines : instance"],
    ),
    (
        "reached by another network",
        |w| w.peer.as_mut().unwrap().as_mut().unwrap().by = "172.30.101.12".into(),
        &["ssh_vers"],
        &["ne répond pas à 10.0.254.12 ; il a été joint par 172.30.101.12"],
    ),
    (
        "no way back",
        |w| {
            w.there().ssh = Some(Err(Unseen {
                reason: Reason::Absent,
                text: "Host key verification failed.".into(),
            }))
        },
        &["ssh_depuis"],
        &["esclave n'entre pas ici (10.0.254.11)", "instance"],
    ),
    (
        "clock ahead",
        |w| w.there().clock = (NOW * 1000 + 90_000, NOW * 1000 + 90_000),
        &["horloges"],
        &["l'horloge de esclave avance de 90 s"],
    ),
    (
        "clock behind",
        |w| w.there().clock = (NOW * 1000 - 7_200_000, NOW * 1000 - 7_200_000),
        &["horloges"],
        &["retarde de 7200 s"],
    ),
    (
        "never synchronised",
        |w| w.here.synchro = Ok(Synchro::default()),
        &["synchro"],
        &["jamais été copié", "synchro-nodes"],
    ),
    (
        "synchronised long ago",
        |w| w.here.synchro.as_mut().unwrap().last.as_mut().unwrap().0 = NOW - 50 * 3600,
        &["synchro"],
        &["de maitre vers esclave, date de 50 h"],
    ),
    (
        "synchronisation failed",
        |w| w.there().synchro.as_mut().unwrap().failed = Some("disque plein".into()),
        &["synchro"],
        &["vers esclave a échoué : disque plein"],
    ),
    (
        "standby",
        |w| w.pacemaker().nodes[1].standby = true,
        &["noeuds"],
        &["esclave est en veille", "crm node online esclave"],
    ),
    (
        "maintenance",
        |w| w.pacemaker().maintenance = true,
        &["noeuds"],
        &["crm_attribute --name maintenance-mode --delete"],
    ),
    (
        "offline",
        |w| w.pacemaker().nodes[1].online = false,
        &["noeuds"],
        &["esclave est hors ligne"],
    ),
    (
        "unclean",
        |w| w.pacemaker().nodes[1].unclean = true,
        &["noeuds"],
        &["stonith_admin --confirm esclave"],
    ),
    (
        "no DC",
        |w| w.pacemaker().dc = None,
        &["noeuds"],
        &["pas de DC"],
    ),
    (
        "a node is missing",
        |w| drop(w.pacemaker().nodes.pop()),
        &["noeuds"],
        &["la grappe n'a pas de nœud esclave"],
    ),
    (
        "split brain",
        |w| {
            w.corosync().members.retain(|name| name == "maitre");
            w.pacemaker().nodes[1].online = false;
            let there = w.there();
            there
                .corosync
                .as_mut()
                .unwrap()
                .members
                .retain(|name| name == "esclave");
            for places in there.pacemaker.as_mut().unwrap().active.values_mut() {
                *places = vec!["esclave".into()];
            }
        },
        &["lien", "membres", "une_seule_active", "noeuds"],
        &[
            "les deux machines sont actives : maitre fait tourner VIP_externe",
            "esclave fait tourner VIP_externe",
            "systemctl stop pacemaker",
        ],
    ),
    (
        "the same address on both",
        |w| {
            let vip = w.settings.vips[0].address;
            w.there().interfaces.as_mut().unwrap()[0]
                .addresses
                .push(vip);
        },
        &["une_seule_active"],
        &["esclave fait tourner VIP_externe ->"],
    ),
    (
        "not valid",
        |w| {
            w.pacemaker().invalid.push(Told {
                text: "mal".into(),
                fix: "corriger".into(),
            })
        },
        &["cib"],
        &["mal -> corriger"],
    ),
    (
        "an empty cluster",
        |w| {
            w.pacemaker().empty = true;
            w.pacemaker().active.clear();
            let there = w.there();
            there.pacemaker.as_mut().unwrap().active.clear();
        },
        &["cib", "ressources", "gw_pingd"],
        &[
            "aucune ressource -> appliquer_hautedispo",
            "arv_rsc n'est pas configurée",
        ],
    ),
    (
        "stopped on purpose",
        |w| {
            w.pacemaker().held_back.push("arv_rsc".into());
            w.pacemaker().active.insert("arv_rsc".into(), Vec::new());
        },
        &["ressources"],
        &["arv_rsc est arrêtée volontairement (target-role) -> crm resource start arv_rsc"],
    ),
    (
        "runs nowhere",
        |w| drop(w.pacemaker().active.insert("arv_rsc".into(), Vec::new())),
        &["ressources"],
        &["arv_rsc ne tourne nulle part", "crm_resource --why"],
    ),
    (
        "runs twice",
        |w| {
            drop(
                w.pacemaker()
                    .active
                    .insert("arv_rsc".into(), vec!["maitre".into(), "esclave".into()]),
            )
        },
        &["ressources"],
        &["arv_rsc tourne sur plusieurs machines"],
    ),
    (
        "spread",
        |w| {
            drop(
                w.pacemaker()
                    .active
                    .insert("arv_rsc".into(), vec!["esclave".into()]),
            )
        },
        &["ressources"],
        &["ne sont pas sur une seule machine", "arv_rsc (esclave)"],
    ),
    (
        "a ping is missing",
        |w| {
            drop(
                w.pacemaker()
                    .active
                    .insert("gw_pingd".into(), vec!["maitre".into()]),
            )
        },
        &["gw_pingd"],
        &["gw_pingd ne tourne pas sur esclave"],
    ),
    (
        "no gateway there",
        |w| {
            w.there()
                .gateways
                .values_mut()
                .for_each(|it| *it = Ok(false))
        },
        &["passerelle"],
        &[
            "esclave n'a pas de réponse de la passerelle 192.168.0.1",
            "sur esclave : ping",
        ],
    ),
    (
        "pings to nobody",
        |w| w.pacemaker().nodes[0].pingd = Some("0".into()),
        &["passerelle"],
        &["pour Pacemaker, la passerelle ne répond pas à maitre"],
    ),
    (
        "pings not known",
        |w| w.pacemaker().nodes[1].pingd = None,
        &["passerelle"],
        &["Pacemaker ne sait pas si la passerelle répond à esclave"],
    ),
    (
        "no default route",
        |w| w.there().routes = Ok(Vec::new()),
        &["route"],
        &[
            "esclave n'a pas de route par défaut -> sur esclave : ip route add default via 192.168.0.1",
        ],
    ),
    (
        "another source",
        |w| w.here.routes.as_mut().unwrap()[0].source = None,
        &["route"],
        &["VIP_src_addr est active sur maitre", "192.168.0.23"],
    ),
    (
        "failed",
        |w| {
            w.pacemaker().failures.push(Failure {
                resource: "arv_rsc".into(),
                node: "maitre".into(),
                task: "monitor".into(),
                rc: 7,
                reason: Some("mort".into()),
            })
        },
        &["echecs"],
        &[
            "monitor de arv_rsc a échoué sur maitre, code 7 (mort)",
            "crm_resource --cleanup --resource arv_rsc --node maitre",
        ],
    ),
    (
        "a ban is left",
        |w| {
            w.pacemaker().left_behind.push((
                "cli-ban-VIP_externe-on-esclave".into(),
                "VIP_externe".into(),
            ))
        },
        &["restes"],
        &[
            "cli-ban-VIP_externe-on-esclave",
            "crm_resource --clear --resource VIP_externe",
        ],
    ),
];

#[test]
fn each_fault_turns_its_line_and_says_why() {
    for (name, fault, lines, words) in CASES {
        let mut world = World::well();
        fault(&mut world);
        let (mut wrong, said) = world.wrong();
        let mut lines = lines.to_vec();
        wrong.sort_unstable();
        lines.sort_unstable();
        assert_eq!(wrong, lines, "{name}: {said}");
        for word in *words {
            assert!(said.contains(word), "{name}: {word} is not in: {said}");
        }
        for line in said.lines() {
            // A list of differences has one fix, at its end.
            assert!(
                !line.ends_with("-> ") || line.contains("corosync.conf"),
                "{name}: no fix: {line}"
            );
        }
        assert_eq!(world.judge().exit_code(), 1, "{name}");
    }
}

#[test]
fn links_of_knet() {
    let mut world = World::well();
    world.settings.dialogue.transport = Transport::Knet;
    let text = crate::corosync::file(&world.settings).to_string();
    world.here.corosync_conf = Ok(Some(text.clone()));
    world.there().corosync_conf = Ok(Some(text));
    world.corosync().links = vec![
        Link {
            number: 0,
            connected: true,
            to: "10.0.254.12".to_owned(),
        },
        Link {
            number: 1,
            connected: false,
            to: "172.30.101.12".to_owned(),
        },
    ];
    let (wrong, said) = world.wrong();
    assert_eq!(wrong, ["lien"]);
    assert!(
        said.contains("le lien 1 de maitre vers 172.30.101.12 est coupé"),
        "{said}"
    );
    // The key is needed then.
    world.corosync().links.pop();
    world.here.authkey = Ok(None);
    assert_eq!(world.wrong().0, ["authkey"]);
    // In clear there is none.
    let mut clear = World::well();
    clear.here.authkey = Ok(None);
    clear.there().authkey = Ok(None);
    assert_eq!(clear.judge().exit_code(), 0);
}

#[test]
fn a_machine_that_is_alone_cannot_know() {
    let mut world = World::well();
    world.corosync().members.pop();
    world.here.dialogue = Some(Ok(false));
    world.pacemaker().nodes[1].online = false;
    world.peer = Some(Err(unseen(Reason::Silent)));
    let found = world.judge();
    let of = |id: &str| found.reports.iter().find(|it| it.id == id).unwrap();
    assert_eq!(of("une_seule_active").outcome, Outcome::Unknown);
    assert!(
        of("une_seule_active").causes[0]
            .text
            .contains("s'il tourne, il est actif lui aussi")
    );
    assert!(
        of("lien").causes[0]
            .text
            .contains("n'entend pas du tout esclave")
    );
    assert_eq!(of("noeuds").outcome, Outcome::Error);
    // What needs both is left out.
    assert!(!found.reports.iter().any(|it| it.id == "horloges"));
}

#[test]
fn without_the_peer_it_is_left_out() {
    let mut world = World::well();
    world.peer = None;
    let found = world.judge();
    assert_eq!(found.exit_code(), 0);
    for id in [
        "ssh_vers",
        "ssh_depuis",
        "horloges",
        "parametrage_identique",
    ] {
        assert!(!found.reports.iter().any(|it| it.id == id), "{id}");
    }
}

#[test]
fn a_plain_user_is_told_what_was_not_seen() {
    let mut world = World::well();
    world.here.root = false;
    world.here.authkey = Err(unseen(Reason::Forbidden));
    world.here.pacemaker = Err(unseen(Reason::Forbidden));
    world.here.corosync = Err(unseen(Reason::Forbidden));
    world.peer = Some(Err(unseen(Reason::Absent)));
    let found = world.judge();
    assert_eq!(found.exit_code(), 2);
    assert_eq!(found.remarks.len(), 1);
    assert_eq!(found.remarks[0].fix.as_deref(), Some("sudo diagnose"));
    let unknown = found
        .reports
        .iter()
        .filter(|it| it.outcome == Outcome::Unknown);
    let unknown: Vec<&str> = unknown.map(|it| it.id).collect();
    let expected = "corosync pacemaker lien membres quorum jeton authkey ssh_vers noeuds une_seule_active cib ressources gw_pingd echecs restes";
    assert_eq!(unknown.join(" "), expected);
    // Nothing is guessed of what was not seen.
    assert!(found.reports.iter().all(|it| it.causes.is_empty()));
}

#[test]
fn the_clock_is_as_sure_as_the_way_is_fast() {
    let mut world = World::well();
    // The way took 20 s, and 4 s of it there: 8 s of difference may be the way.
    let asked = world.peer.as_mut().unwrap().as_mut().unwrap();
    asked.clock = (NOW * 1000, NOW * 1000 + 20_000);
    asked.facts.clock = (NOW * 1000 + 16_000, NOW * 1000 + 20_000);
    assert_eq!(world.judge().exit_code(), 0);
}

#[test]
fn remarks_are_no_errors() {
    let mut world = World::well();
    world.pacemaker().fencing = false;
    world.pacemaker().moving.push("ha-move-VIP".to_owned());
    world.settings.dialogue.interface = "eth0".to_owned();
    let found = world.judge();
    let has = |word: &str| found.remarks.iter().any(|it| it.text.contains(word));
    assert!(has("clôture") && has("ha-move-VIP"));
    assert!(has("le dialogue partage eth0 avec VIP_externe"));
    assert!(has("la route par défaut de maitre passe par eth0"));
    for places in world.pacemaker().active.values_mut() {
        *places = vec!["esclave".to_owned()];
    }
    let found = world.judge();
    assert!(
        found
            .remarks
            .iter()
            .any(|it| it.text == "esclave est la machine active")
    );
}

#[test]
fn facts_travel() {
    let world = World::well();
    let text = serde_json::to_string(&world.here).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), world.here);
}
