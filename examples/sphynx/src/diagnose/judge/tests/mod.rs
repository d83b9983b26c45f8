//! Each judgement on facts made by hand: a pair that is well, and one thing that is not.

mod cases;

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

#[test]
fn each_fault_turns_its_line_and_says_why() {
    for (name, fault, lines, words) in cases::CASES {
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
