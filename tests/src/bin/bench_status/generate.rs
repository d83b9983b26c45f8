//! CIBs of any size, as a live cluster would have them: the same each time.

use std::fmt::Write as _;

/// What a CIB holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) nodes: usize,
    pub(crate) resources: usize,
    /// Each node remembers a probe of the resources that run elsewhere, as nodes do; otherwise it
    /// only knows its own.
    pub(crate) full: bool,
}

/// How many resources a group has; half of all are in groups, the rest stand alone.
const GROUP: usize = 5;

/// Makes the text of a CIB.
pub(crate) fn cib(shape: Shape) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, shape);
    out
}

/// The names of resources, with the group of those that are in one.
fn names(shape: Shape) -> Vec<(Option<String>, String)> {
    let groups = (shape.resources / 2) / GROUP;
    let grouped = (0..groups).flat_map(|group| {
        let name = format!("grp{group:04}");
        (0..GROUP).map(move |at| (Some(name.clone()), format!("{name}_rsc{at}")))
    });
    let alone = (groups * GROUP..shape.resources).map(|at| (None, format!("rsc{at:05}")));
    grouped.chain(alone).collect()
}

fn write(out: &mut String, shape: Shape) -> std::fmt::Result {
    let names = names(shape);
    writeln!(
        out,
        r#"<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="42" num_updates="7" admin_epoch="0" cib-last-written="Tue Nov 14 22:13:20 2023" update-origin="node01" update-client="cibadmin" update-user="root" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="cib-bootstrap-options-dc-version" name="dc-version" value="2.1.5-a3f44794f94"/>
        <nvpair id="cib-bootstrap-options-infrastructure" name="cluster-infrastructure" value="corosync"/>
        <nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="false"/>
      </cluster_property_set>
    </crm_config>
    <nodes>"#
    )?;
    for node in 1..=shape.nodes {
        writeln!(out, r#"      <node id="{node}" uname="node{node:02}"/>"#)?;
    }
    writeln!(out, "    </nodes>\n    <resources>")?;
    let mut open: Option<&str> = None;
    for (at, (group, name)) in names.iter().enumerate() {
        if open != group.as_deref() {
            if open.is_some() {
                writeln!(out, "      </group>")?;
            }
            if let Some(group) = group {
                writeln!(out, r#"      <group id="{group}">"#)?;
            }
            open = group.as_deref();
        }
        primitive(out, at, name)?;
    }
    if open.is_some() {
        writeln!(out, "      </group>")?;
    }
    writeln!(
        out,
        "    </resources>\n    <constraints/>\n  </configuration>\n  <status>"
    )?;
    for node in 1..=shape.nodes {
        state(out, shape, node, &names)?;
    }
    writeln!(out, "  </status>\n</cib>")
}

fn primitive(out: &mut String, at: usize, name: &str) -> std::fmt::Result {
    let (high, low) = (at / 256 % 256, at % 256);
    writeln!(
        out,
        r#"        <primitive id="{name}" class="ocf" provider="heartbeat" type="IPaddr2">
          <instance_attributes id="{name}-instance_attributes">
            <nvpair id="{name}-instance_attributes-ip" name="ip" value="10.0.{high}.{low}"/>
            <nvpair id="{name}-instance_attributes-nic" name="nic" value="eth1"/>
          </instance_attributes>
          <operations>
            <op name="monitor" interval="10s" timeout="20s" id="{name}-monitor-10s"/>
            <op name="start" interval="0s" timeout="20s" id="{name}-start-0s"/>
            <op name="stop" interval="0s" timeout="20s" id="{name}-stop-0s"/>
          </operations>
        </primitive>"#
    )
}

fn state(
    out: &mut String,
    shape: Shape,
    node: usize,
    names: &[(Option<String>, String)],
) -> std::fmt::Result {
    writeln!(
        out,
        r##"    <node_state id="{node}" uname="node{node:02}" in_ccm="true" crmd="online" crm-debug-origin="do_update_resource" join="member" expected="member">
      <transient_attributes id="{node}">
        <instance_attributes id="status-{node}">
          <nvpair id="status-{node}-.feature-set" name="#feature-set" value="3.16.1"/>
        </instance_attributes>
      </transient_attributes>
      <lrm id="{node}">
        <lrm_resources>"##
    )?;
    let mut call = 9;
    for (at, (_, name)) in names.iter().enumerate() {
        // A group runs on one node.
        let runs = at / GROUP % shape.nodes + 1 == node;
        let operations: &[(&str, &str, u32, u32)] = match (runs, shape.full) {
            (true, _) => &[
                ("last_0", "start", 0, 0),
                ("monitor_10000", "monitor", 10_000, 0),
            ],
            (false, true) => &[("last_0", "monitor", 0, 7)],
            (false, false) => continue,
        };
        writeln!(
            out,
            r#"          <lrm_resource id="{name}" class="ocf" provider="heartbeat" type="IPaddr2">"#
        )?;
        for &(suffix, task, interval, rc) in operations {
            call += 1;
            let key = format!(
                "{call}:{}:{rc}:4f1d6c2a-5e0b-4c57-a3b1-9d2f6f0c7e11",
                call % 7
            );
            let time = 1_700_000_000 + call;
            writeln!(
                out,
                r#"            <lrm_rsc_op id="{name}_{suffix}" operation_key="{name}_{task}_{interval}" operation="{task}" crm-debug-origin="do_update_resource" crm_feature_set="3.16.1" transition-key="{key}" transition-magic="0:{rc};{key}" exit-reason="" on_node="node{node:02}" call-id="{call}" rc-code="{rc}" op-status="0" interval="{interval}" last-rc-change="{time}" exec-time="57" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"/>"#
            )?;
        }
        writeln!(out, "          </lrm_resource>")?;
    }
    writeln!(
        out,
        "        </lrm_resources>\n      </lrm>\n    </node_state>"
    )
}
