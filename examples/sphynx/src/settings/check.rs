//! What can be said of settings without looking at a machine.

use std::collections::HashMap;
use std::net::IpAddr;

use ha_core::corosync_conf::Network;
use ha_core::name::{Id, NodeName};

use super::{Problem, Role, Settings, Transport, Vip};
use crate::{cluster, eole, say};

/// The longest name of an interface that Linux takes.
const LONGEST_INTERFACE: usize = 15;

impl Settings {
    /// Returns what is wrong, in the order of the file, without looking at this machine.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        let mut out = Vec::new();
        self.check_machines(&mut out);
        self.check_dialogue(&mut out);
        self.check_vips(&mut out);
        self.check_gateways(&mut out);
        self.check_addresses(&mut out);
        self.check_resources(&mut out);
        self.check_pacemaker(&mut out);
        out
    }

    fn check_machines(&self, out: &mut Vec<Problem>) {
        for role in [Role::Maitre, Role::Esclave] {
            let (path, machine) = (role.as_str(), self.machine(role));
            if NodeName::new(machine.name.as_str()).is_err() {
                let name = &machine.name;
                out.push(Problem::error(
                    format!("{path}.nom"),
                    say!(
                        "{name:?} is no host name",
                        "{name:?} n'est pas un nom de machine"
                    ),
                    say!(
                        "write what `uname -n` prints there",
                        "écrire ce qu'y affiche « uname -n »"
                    ),
                ));
            }
            match (machine.spare, self.dialogue.transport) {
                (Some(_), Transport::Multicast) => out.push(Problem::error(
                    format!("{path}.secours"),
                    say!("multicast has one link only", "le multicast n'a qu'un lien"),
                    say!(
                        "write transport = \"knet\", or leave secours out",
                        "écrire transport = \"knet\", ou retirer secours"
                    ),
                )),
                (None, Transport::Knet) if self.machine(role.other()).spare.is_some() => {
                    out.push(Problem::error(
                        path,
                        say!("its second address is missing", "sa seconde adresse manque"),
                        say!(
                            "write secours for both machines, or for none",
                            "écrire secours pour les deux machines, ou pour aucune"
                        ),
                    ));
                }
                _ => {}
            }
            if machine.spare.is_some_and(|spare| {
                spare.is_ipv4() != self.maitre.spare.is_none_or(|it| it.is_ipv4())
            }) {
                out.push(family(format!("{path}.secours")));
            }
        }
        if self.maitre.name == self.esclave.name {
            let name = &self.esclave.name;
            out.push(Problem::error(
                "esclave.nom",
                say!(
                    "both machines are called {name}",
                    "les deux machines s'appellent {name}"
                ),
                say!(
                    "a pair is two machines with a name of their own",
                    "une paire est faite de deux machines, chacune avec son nom"
                ),
            ));
        }
        if self.maitre.dialogue.is_ipv4() != self.esclave.dialogue.is_ipv4() {
            out.push(family("esclave.dialogue"));
        }
    }

    fn check_dialogue(&self, out: &mut Vec<Problem>) {
        let dialogue = &self.dialogue;
        check_interface("dialogue.interface", &dialogue.interface, out);
        if dialogue.transport == Transport::Multicast {
            let group = dialogue.group;
            if !group.is_multicast() {
                out.push(Problem::error(
                    "dialogue.groupe",
                    say!(
                        "{group} is no multicast group",
                        "{group} n'est pas un groupe multicast"
                    ),
                    say!(
                        "write one of 224.0.0.0/4, best of 239.255.0.0/16",
                        "en écrire un de 224.0.0.0/4, au mieux de 239.255.0.0/16"
                    ),
                ));
            } else if group.is_ipv4() != self.maitre.dialogue.is_ipv4() {
                out.push(family("dialogue.groupe"));
            }
        }
        // Multicast takes the port below too.
        if dialogue.port < 1024 {
            let port = dialogue.port;
            out.push(Problem::error(
                "dialogue.port",
                say!(
                    "the port {port} belongs to the system",
                    "le port {port} est réservé au système"
                ),
                say!(
                    "write one from 1024 to 65535; 5405 is corosync's own",
                    "en écrire un de 1024 à 65535 ; 5405 est celui de corosync"
                ),
            ));
        }
        if let Some(vip) = self
            .vips
            .iter()
            .find(|vip| vip.interface == dialogue.interface)
        {
            let (interface, name) = (&dialogue.interface, &vip.name);
            out.push(Problem::warning(
                "dialogue.interface",
                say!("{interface} also carries {name}: when it is cut, both machines become active", "{interface} porte aussi {name} : si elle est coupée, les deux machines deviennent actives"),
                say!("give the dialogue an interface of its own, best on a direct link", "donner au dialogue son interface, au mieux sur un lien direct"),
            ));
        }
    }

    fn check_vips(&self, out: &mut Vec<Problem>) {
        if self.vips.is_empty() {
            out.push(Problem::error(
                "vip",
                say!("no address moves", "aucune adresse ne bascule"),
                say!("write at least one [[vip]]", "écrire au moins un [[vip]]"),
            ));
        }
        for (at, vip) in self.vips.iter().enumerate() {
            let path = format!("vip[{at}]");
            check_interface(&format!("{path}.interface"), &vip.interface, out);
            let longest = if vip.address.is_ipv4() { 32 } else { 128 };
            if vip.prefix == 0 || vip.prefix > longest {
                let prefix = vip.prefix;
                out.push(Problem::error(
                    format!("{path}.masque"),
                    say!(
                        "{prefix} is no number of bits of a network",
                        "{prefix} n'est pas un nombre de bits de réseau"
                    ),
                    say!(
                        "write one from 1 to {longest}, such as 24",
                        "en écrire un de 1 à {longest}, tel que 24"
                    ),
                ));
            } else if let Some(what) = reserved(vip) {
                let address = vip.address;
                out.push(Problem::error(
                    format!("{path}.adresse"),
                    say!("{address} is {what}", "{address} est {what}"),
                    say!(
                        "write a free address of that network",
                        "écrire une adresse libre de ce réseau"
                    ),
                ));
            }
            let earlier = self.vips[..at]
                .iter()
                .find(|earlier| earlier.interface != vip.interface && overlap(earlier, vip));
            if let Some(earlier) = earlier {
                let (name, interface) = (&earlier.name, &earlier.interface);
                out.push(Problem::error(
                    format!("{path}.adresse"),
                    say!("its network overlaps that of {name}, which is on {interface}", "son réseau recouvre celui de {name}, qui est sur {interface}"),
                    say!("networks of two interfaces differ: mend adresse, masque or interface", "deux interfaces ont des réseaux différents : corriger adresse, masque ou interface"),
                ));
            }
        }
        if let Some(source) = &self.source {
            let vip = self.vips.iter().find(|vip| vip.name == source.vip);
            if vip.is_some_and(|vip| vip.address.is_ipv6()) {
                let name = &source.vip;
                out.push(Problem::error(
                    "source.vip",
                    say!(
                        "{name} is an IPv6 address, which the agent IPsrcaddr does not take",
                        "{name} est une adresse IPv6, que l'agent IPsrcaddr ne prend pas"
                    ),
                    say!(
                        "name a [[vip]] of IPv4, or leave [source] out",
                        "désigner une [[vip]] en IPv4, ou retirer [source]"
                    ),
                ));
            }
            if vip.is_none() {
                let (name, known) = (&source.vip, names(self.vips.iter().map(|vip| &vip.name)));
                out.push(Problem::error(
                    "source.vip",
                    say!(
                        "there is no [[vip]] of the name {name}",
                        "il n'y a pas de [[vip]] du nom {name}"
                    ),
                    say!("one of: {known}", "au choix : {known}"),
                ));
            }
        }
    }

    fn check_gateways(&self, out: &mut Vec<Problem>) {
        if self.gateways.addresses.is_empty() {
            out.push(Problem::error(
                "passerelle.adresses",
                say!(
                    "nobody is asked whether the network is there",
                    "personne n'est interrogé pour savoir si le réseau est là"
                ),
                say!(
                    "write the address of the default gateway",
                    "écrire l'adresse de la passerelle par défaut"
                ),
            ));
        }
    }

    /// Addresses that are there twice.
    fn check_addresses(&self, out: &mut Vec<Problem>) {
        let mut known: HashMap<IpAddr, String> = HashMap::new();
        let mut addresses = Vec::new();
        for role in [Role::Maitre, Role::Esclave] {
            let machine = self.machine(role);
            let name = &machine.name;
            let of = say!("the dialogue of {name}", "le dialogue de {name}");
            addresses.push((format!("{}.dialogue", role.as_str()), machine.dialogue, of));
            if let Some(spare) = machine.spare {
                let of = say!("the second link of {name}", "le second lien de {name}");
                addresses.push((format!("{}.secours", role.as_str()), spare, of));
            }
        }
        for (at, vip) in self.vips.iter().enumerate() {
            addresses.push((format!("vip[{at}].adresse"), vip.address, vip.name.clone()));
        }
        for (at, &gateway) in self.gateways.addresses.iter().enumerate() {
            let of = say!("a gateway", "une passerelle");
            addresses.push((format!("passerelle.adresses[{at}]"), gateway, of));
        }
        for (path, address, of) in addresses {
            if address.is_unspecified() || address.is_loopback() || address.is_multicast() {
                out.push(Problem::error(
                    path,
                    say!(
                        "{address} is not the address of a machine on a network",
                        "{address} n'est pas l'adresse d'une machine sur un réseau"
                    ),
                    say!(
                        "write the address that it has there",
                        "écrire l'adresse qu'elle y a"
                    ),
                ));
            } else if let Some(first) = known.get(&address) {
                out.push(Problem::error(
                    path,
                    say!(
                        "{address} is taken already: {first}",
                        "{address} est déjà prise : {first}"
                    ),
                    say!("each has an address of its own", "chacun a son adresse"),
                ));
            } else {
                known.insert(address, of);
            }
        }
    }

    /// Names of resources: ids of the CIB, each there once.
    fn check_resources(&self, out: &mut Vec<Problem>) {
        let mut known = vec![eole::GROUP, eole::PING, eole::PING_CLONE];
        let vips = self.vips.iter().enumerate();
        let mut named: Vec<(String, &str)> = vips
            .map(|(at, vip)| (format!("vip[{at}].nom"), vip.name.as_str()))
            .collect();
        named.extend(
            self.source
                .iter()
                .map(|source| ("source.nom".to_owned(), source.name.as_str())),
        );
        let services = self.services.iter().enumerate();
        named.extend(
            services.map(|(at, service)| (format!("service[{at}].nom"), service.name.as_str())),
        );
        let devices = self.fencing.devices.iter().enumerate();
        named.extend(devices.map(|(at, device)| {
            (
                format!("cloture.equipement[{at}].nom"),
                device.name.as_str(),
            )
        }));
        for (path, name) in named {
            if Id::new(name).is_err() {
                out.push(Problem::error(
                    path,
                    say!(
                        "{name:?} is no name of a resource",
                        "{name:?} n'est pas un nom de ressource"
                    ),
                    say!(
                        "a letter, then letters, digits, -, _ and .",
                        "une lettre, puis lettres, chiffres, -, _ et ."
                    ),
                ));
            } else if known.contains(&name) {
                out.push(Problem::error(
                    path,
                    say!(
                        "the name {name} is taken already",
                        "le nom {name} est déjà pris"
                    ),
                    say!(
                        "each resource has a name of its own",
                        "chaque ressource a son nom"
                    ),
                ));
            } else {
                known.push(name);
            }
        }
        for (at, service) in self.services.iter().enumerate() {
            if service.monitor.duration().is_zero() {
                out.push(Problem::error(
                    format!("service[{at}].surveillance"),
                    say!(
                        "a service that is never looked at never fails over",
                        "un service jamais surveillé ne bascule jamais"
                    ),
                    say!(
                        "write how often, such as \"10s\"",
                        "écrire une période, telle que \"10s\""
                    ),
                ));
            }
            if !service.parameters.is_empty() && !matches!(service.agent, super::Agent::Ocf(..)) {
                out.push(Problem::error(
                    format!("service[{at}].parametres"),
                    say!(
                        "only OCF agents have parameters",
                        "seuls les agents OCF ont des paramètres"
                    ),
                    say!("leave them out", "les retirer"),
                ));
            }
        }
    }

    fn check_pacemaker(&self, out: &mut Vec<Problem>) {
        let pacemaker = &self.pacemaker;
        let members = u64::try_from(self.resources().len()).unwrap_or(u64::MAX);
        let (stickiness, preference) =
            (pacemaker.stickiness.into(), u64::from(pacemaker.preference));
        // What holds the group where it is: each of its members.
        let held = members.saturating_mul(stickiness);
        let most = u64::from(cluster::GATEWAY_POINTS);
        if held.saturating_add(preference) >= most {
            let (key, value) = if held >= most {
                ("adherence", stickiness)
            } else {
                ("preference", preference)
            };
            out.push(Problem::error(
                format!("pacemaker.{key}"),
                say!(
                    "{value} would outweigh a lost gateway",
                    "{value} l'emporterait sur une passerelle perdue"
                ),
                say!(
                    "have {members} x adherence + preference below {most}",
                    "garder {members} x adherence + preference au-dessous de {most}"
                ),
            ));
        }
        if preference >= held {
            let maitre = &self.maitre.name;
            out.push(Problem::warning(
                "pacemaker.preference",
                say!(
                    "the resources move back to {maitre}, with an interruption, as soon as it returns",
                    "les ressources reviennent sur {maitre}, avec une interruption, dès son retour"
                ),
                say!(
                    "have it below {members} x adherence to have them stay",
                    "la garder au-dessous de {members} x adherence pour qu'elles restent"
                ),
            ));
        }
        if pacemaker.failures == 0 {
            out.push(Problem::error(
                "pacemaker.seuil_echecs",
                say!(
                    "after no failure at all nothing could run",
                    "sans aucun échec permis, rien ne pourrait tourner"
                ),
                say!(
                    "write 1 or more; 3 is usual",
                    "écrire 1 ou plus ; 3 est courant"
                ),
            ));
        }
        if self.fencing.active && self.fencing.devices.is_empty() {
            out.push(Problem::error(
                "cloture.active",
                say!("no device can fence", "aucun équipement ne peut clôturer"),
                say!(
                    "write a [[cloture.equipement]], or active = false",
                    "écrire un [[cloture.equipement]], ou active = false"
                ),
            ));
        }
        let mail = &self.alert.mail;
        let whole = |mail: &str| {
            let parts = mail.split_once('@');
            parts.is_some_and(|(who, at)| !who.is_empty() && !at.is_empty())
                && !mail.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if !mail.is_empty() && !whole(mail) {
            out.push(Problem::error(
                "alerte.courriel",
                say!(
                    "{mail:?} is no mail address",
                    "{mail:?} n'est pas une adresse de courriel"
                ),
                say!(
                    "write one such as \"admin@example.org\", or \"\" for none",
                    "en écrire une telle que \"admin@example.org\", ou \"\" pour aucune"
                ),
            ));
        }
    }
}

fn family(path: impl Into<String>) -> Problem {
    Problem::error(
        path,
        say!(
            "IPv4 and IPv6 are mixed on one link",
            "IPv4 et IPv6 sont mêlés sur un lien"
        ),
        say!(
            "write addresses of one kind",
            "écrire des adresses d'une même famille"
        ),
    )
}

fn check_interface(path: &str, name: &str, out: &mut Vec<Problem>) {
    let bad = name.is_empty()
        || name.len() > LONGEST_INTERFACE
        || name == "lo"
        || name.contains(|c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control());
    if bad {
        out.push(Problem::error(
            path,
            say!(
                "{name:?} is no interface of a network",
                "{name:?} n'est pas une interface de réseau"
            ),
            say!(
                "write its name as `ip link` has it, such as \"eth0\"",
                "écrire son nom tel que « ip link » l'affiche, par exemple \"eth0\""
            ),
        ));
    }
}

/// Says what an address is that no machine can have.
fn reserved(vip: &Vip) -> Option<String> {
    let IpAddr::V4(address) = vip.address else {
        return None;
    };
    let hosts = u32::MAX.checked_shr(u32::from(vip.prefix)).unwrap_or(0);
    let host = address.to_bits() & hosts;
    // Networks of one or two addresses have neither.
    if hosts <= 1 {
        None
    } else if host == 0 {
        Some(say!(
            "the address of the network itself",
            "l'adresse du réseau lui-même"
        ))
    } else if host == hosts {
        Some(say!(
            "the broadcast address of its network",
            "l'adresse de diffusion de son réseau"
        ))
    } else {
        None
    }
}

fn overlap(a: &Vip, b: &Vip) -> bool {
    // A mask that makes no sense is told where it stands.
    let holds = |network: &Vip, address| {
        if network.prefix == 0 {
            return false;
        }
        let text = format!("{}/{}", network.address, network.prefix);
        text.parse::<Network>()
            .is_ok_and(|network| network.contains(address))
    };
    holds(a, b.address) || holds(b, a.address)
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}
