//! The CIB that a node has when it starts for the first time.

/// Returns a CIB with the options of a Sphynx pair and no resource.
///
/// With Pacemaker's own `dc-deadtime` the first election alone takes 20 s. The schema is one that
/// every generation from 2.0 to 3.0 accepts.
pub(crate) fn seed() -> String {
    let options = [
        ("have-watchdog", "false"),
        ("stonith-enabled", "false"),
        ("no-quorum-policy", "ignore"),
        ("dc-deadtime", "200ms"),
        ("cluster-recheck-interval", "60s"),
    ];
    let nvpairs: String = options
        .iter()
        .map(|(name, value)| {
            format!(r#"<nvpair id="cib-bootstrap-options-{name}" name="{name}" value="{value}"/>"#)
        })
        .collect();
    format!(
        r#"<cib validate-with="pacemaker-3.0" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config><cluster_property_set id="cib-bootstrap-options">{nvpairs}</cluster_property_set></crm_config><nodes/><resources/><constraints/></configuration><status/></cib>
"#
    )
}
