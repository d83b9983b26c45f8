//! What goes wrong with a lab's machines and cables, on purpose.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ha_core::{Error, ErrorExt as _, Result};

use crate::lab::{LOOK, Lab, kill};
use crate::network::{self, Cable, Link};
use crate::node::{Node, online};
use crate::options::{is_node, links_of};
use crate::wait::{NotYet, wait_until};

impl Lab {
    /// Cuts the power of a machine: every process in it is gone at once; its disk stays.
    ///
    /// Returns when it was cut.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::NotFound`] for an unknown machine, [`ha_core::ErrorKind::Invalid`] when it is off.
    pub fn power_cut(&self, name: &str) -> Result<Instant> {
        let pid = self.node(name)?.pid()?;
        let at = Instant::now();
        kill(pid, rustix::process::Signal::KILL)?;
        if let Some(mut child) = self.held().machines.remove(name) {
            child.wait().context("wait for the machine's end")?;
        }
        let proc = PathBuf::from(format!("/proc/{pid}"));
        wait_until(Duration::from_secs(10), &format!("{name} is off"), || {
            if proc.join("ns/pid").exists() {
                Err(NotYet::because("PID 1 is still there"))
            } else {
                Ok(())
            }
        })?;
        Ok(at)
    }

    /// Powers a machine on again, and waits until all powered nodes are Online.
    ///
    /// It waits first until the other nodes have seen the loss, as they have on real machines, which
    /// take longer than Corosync's token time to start.
    ///
    /// Returns whether they are Online: they are not waited for when a powered node is cut off from
    /// every network that Corosync uses.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::Invalid`] when it is on; [`ha_core::ErrorKind::Timeout`] with the end of the logs.
    pub fn power_on(&self, name: &str) -> Result<bool> {
        let node = self.node(name)?;
        if node.is_up() {
            return Err(
                Error::invalid(format!("{name} is on already")).with_hint(format!(
                    "to start its daemons again: lab power-cut {name}, then lab power-on {name}"
                )),
            );
        }
        if self.options().start_cluster && is_node(name) {
            let peers: Vec<Node<'_>> = self.nodes().into_iter().filter(Node::is_up).collect();
            wait_until(
                Duration::from_secs(30),
                &format!("the loss of {name} is seen"),
                || {
                    for peer in &peers {
                        if online(&peer.crm_mon_xml(LOOK)?, name) {
                            return Err(NotYet::because(format!("{} sees it Online", peer.name())));
                        }
                    }
                    Ok(())
                },
            )?;
        }
        self.boot(&[name])
    }

    /// Powers machines on at the same time, and waits as [`power_on`](Self::power_on).
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::Invalid`] when any node is on; [`ha_core::ErrorKind::Timeout`] with the end of the
    /// logs.
    pub fn power_on_together(&self, names: &[&str]) -> Result<bool> {
        if let Some(node) = self.nodes().into_iter().find(Node::is_up) {
            return Err(Error::invalid(format!("{} is on already", node.name()))
                .with_hint("with nodes that are on, power them on one by one"));
        }
        self.boot(names)
    }

    fn boot(&self, names: &[&str]) -> Result<bool> {
        for name in names {
            self.launch(name)?;
        }
        for name in names {
            self.plug_in(name)?;
        }
        for name in names {
            self.wait_booted(name)?;
        }
        let mut powered = self.nodes().into_iter().filter(Node::is_up);
        let together = self.options().start_cluster && powered.all(|n| !self.is_alone(n.name()));
        if together {
            self.wait_online(self.options().limit)?;
        }
        Ok(together)
    }

    /// Tells whether a node is cut off from every network that Corosync uses.
    fn is_alone(&self, name: &str) -> bool {
        let links = self.options().transport.links();
        links.iter().all(|l| self.cable(name, *l) != Cable::Whole)
    }

    /// Cuts a machine off from a network: nothing passes any more, but the carrier stays, as when a
    /// switch further on fails, or the network of a virtual machine.
    ///
    /// Returns whether that changed anything: not when it is cut off so already.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::NotFound`] for an unknown machine.
    pub fn cut(&self, name: &str, link: Link) -> Result<bool> {
        self.set_cable(name, link, Cable::Cut)
    }

    /// Pulls a machine's cable out: nothing passes, and both ends lose the carrier.
    ///
    /// Returns whether that changed anything: not when it is out already.
    ///
    /// The agent `IPsrcaddr` (resource-agents 4.12) cannot stop on a node whose default route is on
    /// such an interface, and without fencing that blocks the group there.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::NotFound`] for an unknown machine.
    pub fn unplug(&self, name: &str, link: Link) -> Result<bool> {
        self.set_cable(name, link, Cable::Unplugged)
    }

    /// Ends a [cut](Self::cut), or puts the [cable](Self::unplug) in again.
    ///
    /// Returns whether that changed anything: not when nothing was cut.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::NotFound`] for an unknown machine.
    pub fn heal(&self, name: &str, link: Link) -> Result<bool> {
        self.set_cable(name, link, Cable::Whole)
    }

    /// Sets it now if the machine is on, and for its next start; returns whether it was otherwise.
    fn set_cable(&self, name: &str, link: Link, cable: Cable) -> Result<bool> {
        let host = self.host(name)?;
        if !links_of(name).contains(&link) {
            return Err(Error::invalid(format!(
                "{name} is not in the network {link}"
            )));
        }
        let changed = self.cable(name, link) != cable;
        if self.node(name)?.is_up() {
            self.switch(&network::set_port(host, link, cable))?;
        }
        let text = serde_json::to_vec(&cable).map_err(|e| Error::invalid(e.to_string()))?;
        fs::write(self.cable_file(name, link), text).context("remember the cable's state")?;
        Ok(changed)
    }

    /// Returns the state of a machine's cable.
    pub(crate) fn cable(&self, name: &str, link: Link) -> Cable {
        // Nothing was ever done to it when there is no file.
        let text = fs::read(self.cable_file(name, link)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn cable_file(&self, name: &str, link: Link) -> PathBuf {
        self.folder(name).join(format!("cable-{link}"))
    }

    /// Returns the networks that a machine is cut off from.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::NotFound`] for an unknown machine.
    pub fn cut_links(&self, name: &str) -> Result<Vec<Link>> {
        self.host(name)?;
        Ok(Link::ALL
            .into_iter()
            .filter(|l| self.cable(name, *l) != Cable::Whole)
            .collect())
    }
}
