//! What of settings can only be said on the machine itself.

use std::net::{IpAddr, ToSocketAddrs};
use std::process::Command;

use ha_core::corosync_conf::Network;
use ha_core::{Error, ErrorExt, ErrorKind, Result};
use serde::Deserialize;

use super::{Problem, Settings, Transport};
use crate::say;

/// An interface, as `ip -json address` shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Interface {
    /// Its name.
    #[serde(rename = "ifname")]
    pub name: String,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Debug, Clone, Deserialize)]
struct Address {
    local: Option<IpAddr>,
    #[serde(default)]
    prefixlen: u8,
}

impl Interface {
    /// Lists the interfaces of this machine.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when `ip` is not installed, else those of running it.
    pub fn all() -> Result<Vec<Self>> {
        let printed = ip("address")?;
        let bad = |e: serde_json::Error| Error::new(ErrorKind::Protocol, e.to_string());
        serde_json::from_slice(&printed)
            .map_err(bad)
            .context("ip -json address")
    }

    /// Whether it has an address.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        self.addr_info.iter().any(|it| it.local == Some(address))
    }

    /// Whether it can carry something: it is switched on, and its link is there.
    #[must_use]
    pub fn is_up(&self) -> bool {
        let has = |flag: &str| self.flags.iter().any(|it| it == flag);
        has("UP") && has("LOWER_UP")
    }

    fn passes_multicast(&self) -> bool {
        self.flags.iter().any(|flag| flag == "MULTICAST")
    }

    /// Whether one of its networks holds an address.
    fn reaches(&self, address: IpAddr) -> bool {
        let mut networks = self.addr_info.iter().filter_map(|it| {
            format!("{}/{}", it.local?, it.prefixlen)
                .parse::<Network>()
                .ok()
        });
        networks.any(|network| network.contains(address))
    }
}

/// Returns what `ip` prints, as JSON, of what it is asked.
fn ip(what: &str) -> Result<Vec<u8>> {
    let line = || format!("ip -json {what}");
    let command = Command::new("ip")
        .arg("-json")
        .args(what.split(' '))
        .output();
    let output = command.map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::from(e).with_hint(say!(
            "install the package iproute2",
            "installer le paquet iproute2"
        )),
        _ => e.into(),
    });
    let output = output.with_context(line)?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::new(ErrorKind::Io, text).context(line()));
    }
    Ok(output.stdout)
}

fn has_default_route() -> Result<bool> {
    let printed = ip("route show default")?;
    // Older ones print nothing where newer ones print an empty list.
    Ok(String::from_utf8_lossy(&printed).contains("default"))
}

impl Settings {
    /// Returns what is wrong with the settings on this machine: its name, its interfaces, names that do not resolve.
    ///
    /// # Errors
    /// Those of [`Interface::all`].
    pub fn check_machine(&self) -> Result<Vec<Problem>> {
        let mut out = Vec::new();
        let role = match self.role() {
            Ok(role) => role,
            Err(e) => {
                let fix = e.hint().unwrap_or_default().to_owned();
                out.push(Problem::error("role", e.to_string(), fix));
                return Ok(out);
            }
        };
        let interfaces = Interface::all()?;
        let here = self.machine(role);
        self.check_dialogue_here(
            here.dialogue,
            &format!("{}.dialogue", role.as_str()),
            &interfaces,
            &mut out,
        );
        if let Some(spare) = here.spare
            && !interfaces.iter().any(|interface| interface.has(spare))
        {
            out.push(Problem::error(
                format!("{}.secours", role.as_str()),
                say!(
                    "no interface of this machine has {spare}",
                    "aucune interface de cette machine n'a {spare}"
                ),
                say!(
                    "write the address that it has on the second link",
                    "écrire l'adresse qu'elle a sur le second lien"
                ),
            ));
        }
        for (at, vip) in self.vips.iter().enumerate() {
            let Some(interface) = exists(
                &format!("vip[{at}].interface"),
                &vip.interface,
                &interfaces,
                &mut out,
            ) else {
                continue;
            };
            if !interface.reaches(vip.address) {
                let (name, address) = (&vip.interface, vip.address);
                out.push(Problem::warning(
                    format!("vip[{at}].adresse"),
                    say!("{name} has no address in the network of {address}", "{name} n'a pas d'adresse dans le réseau de {address}"),
                    say!("mend interface, adresse or masque, unless the network shall come with the address", "corriger interface, adresse ou masque, sauf si le réseau doit venir avec l'adresse"),
                ));
            }
        }
        if self.source.is_some() && !has_default_route()? {
            out.push(Problem::warning(
                "source.vip",
                say!(
                    "this machine has no default route, to which the source address is given: its resource cannot start here",
                    "cette machine n'a pas de route par défaut, à laquelle donner l'adresse source : sa ressource ne peut démarrer ici"
                ),
                say!(
                    "add one that stays: ip route add default via GATEWAY",
                    "en ajouter une durable : ip route add default via PASSERELLE"
                ),
            ));
        }
        let other = role.other();
        if let Some(name) = &self.machine(other).ssh
            && let Err(e) = (name.as_str(), 22).to_socket_addrs()
        {
            out.push(Problem::error(
                format!("{}.ssh", other.as_str()),
                say!(
                    "the name {name} does not resolve: {e}",
                    "le nom {name} n'est pas résolu : {e}"
                ),
                say!(
                    "write an address, or add the name to /etc/hosts",
                    "écrire une adresse, ou ajouter le nom à /etc/hosts"
                ),
            ));
        }
        Ok(out)
    }

    fn check_dialogue_here(
        &self,
        address: IpAddr,
        path: &str,
        interfaces: &[Interface],
        out: &mut Vec<Problem>,
    ) {
        let key = "dialogue.interface";
        let Some(interface) = exists(key, &self.dialogue.interface, interfaces, out) else {
            return;
        };
        let name = &interface.name;
        if !interface.has(address) {
            let elsewhere = interfaces.iter().find(|interface| interface.has(address));
            let message = match elsewhere.map(|interface| &interface.name) {
                Some(other) => say!(
                    "{address} is on {other}, not on {name}",
                    "{address} est sur {other}, non sur {name}"
                ),
                None => say!(
                    "no interface of this machine has {address}",
                    "aucune interface de cette machine n'a {address}"
                ),
            };
            out.push(Problem::error(
                path,
                message,
                say!(
                    "mend the address, or interface in [dialogue]",
                    "corriger l'adresse, ou interface dans [dialogue]"
                ),
            ));
        }
        if !interface.is_up() {
            out.push(Problem::warning(
                key,
                say!("{name} is down", "{name} est coupée"),
                say!(
                    "check its cable, and: ip link set {name} up",
                    "vérifier son câble, et : ip link set {name} up"
                ),
            ));
        }
        if self.dialogue.transport == Transport::Multicast && !interface.passes_multicast() {
            out.push(Problem::error(
                key,
                say!(
                    "{name} does not carry multicast",
                    "{name} ne transporte pas le multicast"
                ),
                say!(
                    "ip link set {name} multicast on, or transport = \"knet\"",
                    "ip link set {name} multicast on, ou transport = \"knet\""
                ),
            ));
        }
    }
}

fn exists<'a>(
    path: &str,
    name: &str,
    interfaces: &'a [Interface],
    out: &mut Vec<Problem>,
) -> Option<&'a Interface> {
    let found = interfaces.iter().find(|interface| interface.name == name);
    if found.is_none() {
        let others = interfaces
            .iter()
            .map(|it| it.name.as_str())
            .filter(|&name| name != "lo");
        let others = others.collect::<Vec<_>>().join(", ");
        out.push(Problem::error(
            path,
            say!(
                "this machine has no interface {name}",
                "cette machine n'a pas d'interface {name}"
            ),
            say!("one of: {others}", "au choix : {others}"),
        ));
    }
    found
}
