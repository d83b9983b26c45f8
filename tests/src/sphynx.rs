//! The resources of a Sphynx pair, with real agents and real services.

use std::time::Duration;

use ha_core::{Error, ErrorExt as _, Result};

use crate::config::SeedFile;
use crate::lab::Lab;
use crate::network::Link;
use crate::systemd::IPSEC_UNIT;
use crate::wait::NotYet;

/// The address of the group in the network `academie`, where the gateway is.
pub const VIP_EXTERNE: &str = "192.168.0.23";
/// The address of the group in the network `interco`.
pub const VIP_INTERNE: &str = "172.30.101.23";

/// The resources of the group, in their order.
pub const GROUP: [&str; 5] = [
    "VIP_externe",
    "VIP_interne",
    "VIP_src_addr",
    "ipsec_rsc",
    "arv_rsc",
];

/// A service of the group: its script in `/etc/init.d`, its protocol and port.
const SERVICES: [(&str, &str, u16); 2] = [("ipsec", "udp", 500), ("arv", "tcp", 8088)];

/// What the nodes have on their disks for the services of the group.
///
/// The small service does not stand for strongSwan where that one runs.
pub(crate) fn files(strongswan: bool, systemd: bool) -> Vec<SeedFile> {
    let program = SeedFile::new("/usr/local/sbin/sphynx-service", include_str!("service.pl"));
    let mut files = vec![program.mode(0o755)];
    for (name, protocol, port) in SERVICES {
        if strongswan && name == "ipsec" {
            continue;
        }
        if systemd {
            files.push(crate::systemd::unit(name, protocol, port));
            continue;
        }
        let script = include_str!("service.sh")
            .replace("@NAME@", name)
            .replace("@PROTOCOL@", protocol)
            .replace("@PORT@", &port.to_string());
        files.push(SeedFile::new(&format!("/etc/init.d/{name}"), script).mode(0o755));
    }
    files
}

/// Returns the `configuration` element: the group, the clone that watches the gateway, and the
/// constraints that keep the group where the gateway answers, on `maitre` if it can be.
#[must_use]
pub fn configuration() -> String {
    configuration_for(false)
}

fn configuration_for(systemd: bool) -> String {
    let (class, ipsec) = if systemd {
        ("systemd", IPSEC_UNIT)
    } else {
        ("lsb", "ipsec")
    };
    let [ipsec, arv] = [ipsec, "arv"].map(|name| format!(r#"class="{class}" type="{name}""#));
    let (externe, interne) = (Link::Academie.interface(), Link::Interco.interface());
    let vip = |id: &str, address: &str, nic: &str| {
        primitive(
            id,
            r#"class="ocf" provider="heartbeat" type="IPaddr2""#,
            &[("ip", address), ("cidr_netmask", "24"), ("nic", nic)],
            "10s",
        )
    };
    let members = [
        vip("VIP_externe", VIP_EXTERNE, externe),
        vip("VIP_interne", VIP_INTERNE, interne),
        primitive(
            "VIP_src_addr",
            r#"class="ocf" provider="heartbeat" type="IPsrcaddr""#,
            &[("ipaddress", VIP_EXTERNE), ("cidr_netmask", "24")],
            "10s",
        ),
        primitive("ipsec_rsc", &ipsec, &[], "10s"),
        primitive("arv_rsc", &arv, &[], "10s"),
    ];
    let ping = gateway_watch();
    format!(
        r#"<configuration>
<rsc_defaults><meta_attributes id="rsc-options"><nvpair id="rsc-options-resource-stickiness" name="resource-stickiness" value="100"/></meta_attributes></rsc_defaults>
<resources>
<group id="sphynx">
{}</group>
{ping}</resources>
<constraints>
<rsc_location id="sphynx_on_maitre" rsc="sphynx" node="maitre" score="50"/>
<rsc_location id="sphynx_needs_gateway" rsc="sphynx">
<rule id="sphynx_needs_gateway-rule" score="-INFINITY" boolean-op="or">
<expression id="sphynx_needs_gateway-unknown" attribute="pingd" operation="not_defined"/>
<expression id="sphynx_needs_gateway-lost" attribute="pingd" operation="lte" value="0" type="number"/>
</rule>
</rsc_location>
</constraints>
</configuration>
"#,
        members.concat()
    )
}

/// The clone that watches the gateway: an element of `resources`.
fn gateway_watch() -> String {
    let ping = primitive(
        "gw_pingd",
        r#"class="ocf" provider="pacemaker" type="ping""#,
        &[
            ("host_list", &Link::Academie.address(1)),
            ("multiplier", "100"),
            ("attempts", "2"),
            ("timeout", "1"),
            ("dampen", "1s"),
        ],
        "2s",
    );
    format!("<clone id=\"gw_pingd_clone\">\n{ping}</clone>\n")
}

fn primitive(id: &str, agent: &str, parameters: &[(&str, &str)], monitor: &str) -> String {
    let mut text = format!("<primitive id=\"{id}\" {agent}>\n");
    if !parameters.is_empty() {
        text += &format!("<instance_attributes id=\"{id}-params\">\n");
        for (name, value) in parameters {
            text += &format!("<nvpair id=\"{id}-{name}\" name=\"{name}\" value=\"{value}\"/>\n");
        }
        text += "</instance_attributes>\n";
    }
    text += "<operations>\n";
    for (name, interval) in [("start", "0s"), ("stop", "0s"), ("monitor", monitor)] {
        text += &format!(
            "<op id=\"{id}-{name}\" name=\"{name}\" interval=\"{interval}\" timeout=\"20s\"/>\n"
        );
    }
    text + "</operations>\n</primitive>\n"
}

impl Lab {
    /// Waits until the cluster knows that the gateway answers these nodes: one that has just come is worth less
    /// than the other until then.
    ///
    /// The CIB is looked at, since that is what decides: the attribute's own daemon has the value some seconds
    /// (`dampen`) before it writes it there.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::Timeout`].
    pub fn wait_gateways(&self, names: &[&str], limit: Duration) -> Result<()> {
        for name in names {
            self.wait_until(limit, &format!("{name} knows the gateway"), || {
                let path = format!("//node_state[@uname='{name}']//nvpair[@name='pingd']");
                let query = self.node(name)?.command("cibadmin");
                let said = query.args(["--query", "--xpath", &path]).stdout()?;
                if said.contains("value=\"1\"") {
                    Ok(())
                } else {
                    Err(NotYet::because(said))
                }
            })?;
        }
        Ok(())
    }

    /// Loads the Sphynx resources, and waits until the group runs on `maitre`, the clone on every
    /// node, and no action has failed.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::Daemon`] when the CIB refuses them; [`ha_core::ErrorKind::Timeout`] with what does not run
    /// and the end of the logs.
    pub fn load_sphynx(&self) -> Result<()> {
        let node = self.node("maitre")?;
        let load = |configuration: String| {
            node.command("cibadmin")
                .args(["--modify", "--allow-create", "--xml-pipe"])
                .input(configuration)
                .stdout()
                .context("load the Sphynx resources")
        };
        // The group starts where the gateway is known to answer first, and stays there: both nodes
        // must know before there is a group.
        let watch = gateway_watch();
        load(format!(
            "<configuration><resources>{watch}</resources></configuration>"
        ))?;
        let nodes = self.nodes().into_iter().filter(crate::Node::is_up).count();
        let limit = Duration::from_secs(40);
        self.wait_until(
            limit,
            "every node knows whether the gateway answers",
            || {
                let status = node
                    .command("cibadmin")
                    .args(["-Q", "-o", "status"])
                    .stdout()?;
                let known = status.matches("name=\"pingd\" value=\"100\"").count();
                if known == nodes {
                    Ok(())
                } else {
                    Err(NotYet::because(format!("{known} of {nodes} do")))
                }
            },
        )
        .map_err(|e| Error::new(e.kind(), format!("{e:#}\n{}", self.log_tails())))?;
        load(configuration_for(self.options().systemd))?;
        self.wait_sphynx("maitre", Duration::from_secs(40))
    }

    /// Waits until every member of the group runs on this node and nowhere else.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::Timeout`] with what does not run; at once when an action has failed.
    pub fn wait_sphynx(&self, name: &str, limit: Duration) -> Result<()> {
        let up: Vec<_> = self
            .nodes()
            .into_iter()
            .filter(crate::Node::is_up)
            .collect();
        let node = self.node(name)?;
        let waited = self.wait_until(limit, &format!("the group sphynx runs on {name}"), || {
            let text = node.command("crm_mon").args(["-1", "-n"]).stdout()?;
            if let Some((_, failed)) = text.split_once("Failed Resource Actions:") {
                return Err(NotYet::fatal(format!("failed actions:{failed}")));
            }
            let text = node.command("crm_mon").arg("-1").stdout()?;
            for resource in GROUP {
                let lines: Vec<&str> = text
                    .lines()
                    .map(|line| line.trim_start_matches([' ', '*', '\t']))
                    .filter(|line| line.starts_with(&format!("{resource}\t")))
                    .collect();
                if !matches!(lines[..], [line] if line.ends_with(&format!("Started {name}"))) {
                    return Err(NotYet::because(format!("{resource} is {lines:?}")));
                }
            }
            let mut names: Vec<&str> = up.iter().map(crate::Node::name).collect();
            names.sort_unstable();
            let clone = format!("Started: [ {} ]", names.join(" "));
            if !text.contains(&clone) {
                return Err(NotYet::because(format!("the clone is not '{clone}'")));
            }
            Ok(())
        });
        waited.map_err(|e| Error::new(e.kind(), format!("{e:#}\n{}", self.log_tails())))
    }
}
