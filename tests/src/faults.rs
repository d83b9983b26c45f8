//! What goes wrong with a lab's machines and cables, on purpose.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ha_core::{Error, ErrorExt as _, Result};

use crate::lab::{GATEWAY, Lab, kill, links_of, online};
use crate::network::Link;
use crate::node::Node;
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
    /// # Errors
    /// [`ha_core::ErrorKind::Invalid`] when it is on; [`ha_core::ErrorKind::Timeout`] with the end of the logs.
    pub fn power_on(&self, name: &str) -> Result<()> {
        let node = self.node(name)?;
        if node.is_up() {
            return Err(Error::invalid(format!("{name} is on already")));
        }
        if self.options().start_cluster && name != GATEWAY {
            let peers: Vec<Node<'_>> = self.nodes().into_iter().filter(Node::is_up).collect();
            wait_until(
                Duration::from_secs(30),
                &format!("the loss of {name} is seen"),
                || {
                    for peer in &peers {
                        let seen = peer
                            .command("crm_mon")
                            .args(["-1", "--output-as=xml"])
                            .stdout()?;
                        if online(&seen, name) {
                            return Err(NotYet::because(format!("{} sees it Online", peer.name())));
                        }
                    }
                    Ok(())
                },
            )?;
        }
        self.launch(name)?;
        self.plug_in(name)?;
        self.wait_booted(name)?;
        if self.options().start_cluster {
            self.wait_online(self.options().limit)?;
        }
        Ok(())
    }

    /// Unplugs a machine from a network: it and the switch lose the carrier.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::NotFound`] for an unknown machine.
    pub fn cut(&self, name: &str, link: Link) -> Result<()> {
        self.set_port(name, link, "down")?;
        fs::write(self.cut_marker(name, link), "").context("remember the cut")
    }

    /// Plugs a machine in again.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::NotFound`] for an unknown machine.
    pub fn heal(&self, name: &str, link: Link) -> Result<()> {
        self.set_port(name, link, "up")?;
        match fs::remove_file(self.cut_marker(name, link)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    fn set_port(&self, name: &str, link: Link, state: &str) -> Result<()> {
        let host = self.host(name)?;
        if !links_of(name).contains(&link) {
            return Err(Error::invalid(format!(
                "{name} is not in the network {link}"
            )));
        }
        self.switch(&format!("link set {} {state}\n", link.port(host)))
    }

    fn cut_marker(&self, name: &str, link: Link) -> PathBuf {
        self.folder(name).join(format!("cut-{link}"))
    }

    /// Returns the networks that a machine is unplugged from.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::NotFound`] for an unknown machine.
    pub fn cut_links(&self, name: &str) -> Result<Vec<Link>> {
        self.host(name)?;
        Ok(Link::ALL
            .into_iter()
            .filter(|l| self.cut_marker(name, *l).exists())
            .collect())
    }
}
