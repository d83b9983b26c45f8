//! What Pacemaker says: read from its CIB.

use std::time::Duration;

use ha_core::change::validate::{Severity, validate};
use ha_core::finding::{self, Finding};
use ha_core::live::cluster::{Cluster, ConnectOptions};
use ha_core::schema::Schema;
use ha_core::status::{self, ComputeOptions};
use ha_core::xml::Document;
use ha_core::{ErrorKind, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::diagnose::facts::{Failure, Node, Pacemaker, Told};
use crate::{language, say};

/// The attribute that the pings set.
const PINGD: &str = "pingd";
/// What constraints of moves by our own programs begin with.
const MOVING: &str = "ha-move-";

pub(super) fn look(limit: Duration) -> Result<Pacemaker> {
    let mut options = ConnectOptions::default();
    options.timeout = limit;
    let cib = Cluster::connect(&options)?.cib().query()?;
    Ok(of_cib(&cib, Timestamp::now(), &TimeZone::system()))
}

/// Reads what matters from a CIB.
pub(crate) fn of_cib(cib: &Document, now: Timestamp, zone: &TimeZone) -> Pacemaker {
    let language = language::current();
    let state = status::compute_with(cib, now, zone, ComputeOptions::default());
    let name = |index| state.node(index).name.clone();
    let mut facts = Pacemaker {
        dc: state.dc.as_ref().map(|dc| name(dc.node)),
        empty: state.top_level().next().is_none(),
        maintenance: state.options.maintenance,
        fencing: state.options.fencing,
        ..Pacemaker::default()
    };
    facts.nodes.extend(state.nodes().map(|node| Node {
        name: node.name.clone(),
        online: node.online,
        standby: node.standby || node.standby_on_fail,
        maintenance: node.maintenance,
        pending: node.pending,
        unclean: node.unclean,
        pingd: node.attribute(PINGD).map(str::to_owned),
    }));
    for resource in state.resources().filter(|r| r.is_primitive() && !r.orphan) {
        let active = facts
            .active
            .entry(resource.configured_id.clone())
            .or_default();
        active.extend(resource.running_on.iter().copied().map(name));
        if resource.target_role == Some(status::Role::Stopped) {
            facts.held_back.push(resource.configured_id.clone());
        }
    }
    for failure in &state.failures {
        let resource = failure.resource.as_ref().unwrap_or(&failure.history_id);
        facts.failures.push(Failure {
            resource: resource.clone(),
            node: failure.node.clone(),
            task: failure.operation.clone(),
            rc: failure.rc,
            reason: failure.exit_reason.clone(),
        });
    }
    for found in finding::all(cib, now, zone) {
        let told = || Told {
            text: found.text(language),
            fix: found.fix(language),
        };
        match &found {
            Finding::LeftBehind {
                constraint,
                resource,
            } => {
                facts
                    .left_behind
                    .push((constraint.clone(), resource.clone()));
            }
            Finding::PingUnread { .. }
            | Finding::DanglingReference { .. }
            | Finding::NoMonitor { .. }
            | Finding::Orphan { .. }
            | Finding::Unmanaged { .. }
            | Finding::MixedVersions => facts.doubtful.push(told()),
            Finding::Blocked { .. } | Finding::NoFenceDevice => facts.invalid.push(told()),
            // The others are judged by what is gathered above.
            _ => {}
        }
    }
    let ids = cib
        .root()
        .descendants()
        .filter_map(|element| element.attribute("id"));
    facts.moving = ids
        .filter(|id| id.starts_with(MOVING))
        .map(str::to_owned)
        .collect();
    facts.moving.sort();
    facts.invalid.extend(misshapen(cib));
    for fault in validate(cib, None) {
        let told = Told {
            text: format!("{}: {}", fault.place, fault.text(language)),
            fix: fault.fix(language),
        };
        match fault.severity {
            Severity::Error => facts.invalid.push(told),
            Severity::Warning => facts.doubtful.push(told),
            Severity::Notice => {}
        }
    }
    facts
}

/// What of a CIB does not conform to its schema.
fn misshapen(cib: &Document) -> Vec<Told> {
    let faults = match Schema::of(cib).and_then(|mut schema| schema.check(cib)) {
        Ok(faults) => faults.iter().map(ToString::to_string).collect(),
        // A machine without the schemas is judged by the rest.
        Err(e) if e.kind() == ErrorKind::NotFound || e.kind() == ErrorKind::Unsupported => {
            Vec::new()
        }
        Err(e) => vec![format!("{e:#}")],
    };
    let fix = say!(
        "crm_verify --live-check --verbose, then mend it: crm configure edit",
        "crm_verify --live-check --verbose, puis la corriger : crm configure edit"
    );
    let told = faults.into_iter().map(|text| Told {
        text,
        fix: fix.clone(),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIB: &str = r#"<cib have-quorum="1" dc-uuid="1"><configuration>
        <crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
        <nodes><node id="1" uname="maitre"/><node id="2" uname="esclave"><instance_attributes id="n2">
          <nvpair id="n2-s" name="standby" value="on"/></instance_attributes></node></nodes>
        <resources><primitive id="VIP" class="ocf" provider="heartbeat" type="IPaddr2"><operations>
            <op id="m" name="monitor" interval="10s" timeout="20s"/></operations></primitive>
          <primitive id="arv_rsc" class="lsb" type="arv"><meta_attributes id="a"><nvpair id="a1" name="target-role" value="Stopped"/>
            </meta_attributes><operations><op id="m2" name="monitor" interval="10s" timeout="20s"/></operations></primitive></resources>
        <constraints><rsc_location id="cli-ban-VIP-on-esclave" rsc="VIP" node="esclave" score="-INFINITY"/>
          <rsc_location id="ha-move-VIP-maitre-7" rsc="VIP" node="maitre" score="INFINITY"/></constraints></configuration>
        <status><node_state id="1" uname="maitre" in_ccm="true" crmd="online" join="member" expected="member">
          <transient_attributes id="1"><instance_attributes id="t"><nvpair id="t1" name="pingd" value="100"/></instance_attributes></transient_attributes>
          <lrm id="1"><lrm_resources><lrm_resource id="VIP" class="ocf" provider="heartbeat" type="IPaddr2">
            <lrm_rsc_op id="VIP_last_0" operation="start" operation_key="VIP_start_0" interval="0" call-id="2" rc-code="0" op-status="0" transition-key="3:1:0:8c3f2b8e-0000-4000-8000-000000000000" on_node="maitre"/>
            <lrm_rsc_op id="VIP_last_failure_0" operation="monitor" operation_key="VIP_monitor_10000" interval="10000" call-id="3" rc-code="7" op-status="0" transition-key="3:1:0:8c3f2b8e-0000-4000-8000-000000000000" exit-reason="gone" on_node="maitre"/>
            <lrm_rsc_op id="VIP_monitor_10000" operation="monitor" operation_key="VIP_monitor_10000" interval="10000" call-id="4" rc-code="0" op-status="0" transition-key="3:1:0:8c3f2b8e-0000-4000-8000-000000000000" on_node="maitre"/>
          </lrm_resource></lrm_resources></lrm></node_state>
          <node_state id="2" uname="esclave" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>"#;

    fn facts(cib: &str) -> Pacemaker {
        of_cib(
            &Document::parse(cib).unwrap(),
            Timestamp::UNIX_EPOCH,
            &TimeZone::UTC,
        )
    }

    #[test]
    fn what_matters_is_read() {
        let facts = facts(CIB);
        assert_eq!(facts.dc.as_deref(), Some("maitre"));
        assert!(!facts.fencing && !facts.maintenance && !facts.empty);
        let maitre = facts.node("maitre").unwrap();
        assert!(maitre.online && !maitre.standby);
        assert_eq!(maitre.pingd.as_deref(), Some("100"));
        let esclave = facts.node("esclave").unwrap();
        assert!(esclave.online && esclave.standby);
        assert_eq!(esclave.pingd, None);
        assert_eq!(facts.active_on("VIP"), ["maitre"]);
        assert!(facts.active_on("arv_rsc").is_empty() && facts.active.contains_key("arv_rsc"));
        assert_eq!(facts.held_back, ["arv_rsc"]);
        let ban = ("cli-ban-VIP-on-esclave".to_owned(), "VIP".to_owned());
        assert_eq!(facts.left_behind, [ban]);
        assert_eq!(facts.moving, ["ha-move-VIP-maitre-7"]);
        let failure = Failure {
            resource: "VIP".to_owned(),
            node: "maitre".to_owned(),
            task: "monitor".to_owned(),
            rc: 7,
            reason: Some("gone".to_owned()),
        };
        assert_eq!(facts.failures, [failure]);
    }

    #[test]
    fn a_reference_to_nothing_is_an_error() {
        let broken = CIB.replace(
            "<primitive id=\"VIP\"",
            "<primitive id=\"VIP\" template=\"none\"",
        );
        let facts = facts(&broken);
        assert!(
            facts
                .invalid
                .iter()
                .any(|told| told.text.contains("none") && !told.fix.is_empty()),
            "{:?}",
            facts.invalid
        );
    }
}
