//! One thing that is not well, each.

use super::*;

/// One fault, the lines that turn, and what their causes say.
pub(super) type Case = (
    &'static str,
    fn(&mut World),
    &'static [&'static str],
    &'static [&'static str],
);

pub(super) const CASES: &[Case] = &[
    (
        "versions",
        |w| {
            drop(
                w.there()
                    .packages
                    .as_mut()
                    .unwrap()
                    .insert("corosync".into(), "2-1".into()),
            );
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
            );
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
                .retain(|name, _| name != "pacemaker-controld");
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
                .push("totem.token: 3000 -> 1000".into());
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
            }));
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
            }));
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
            }));
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
            });
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
            );
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
            );
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
            );
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
                .for_each(|it| *it = Ok(false));
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
            });
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
            ));
        },
        &["restes"],
        &[
            "cli-ban-VIP_externe-on-esclave",
            "crm_resource --clear --resource VIP_externe",
        ],
    ),
];
