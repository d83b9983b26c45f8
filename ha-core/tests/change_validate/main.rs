//! Configurations with one mistake each, and what is told of it.

mod made;
mod whole;

use ha_core::change::validate::{Severity, validate};
use ha_core::language::Language;
use made::*;

#[test]
fn a_good_configuration_has_no_faults() {
    let template = "<template id='T' class='ocf' provider='test' type='base'><operations>\
        <op id='T-s' name='start' interval='0s' timeout='2min'/>\
        <op id='T-e' name='stop' interval='0s' timeout='60'/>\
        <op id='T-m' name='monitor' interval='10s' timeout='25s'/></operations></template>\
        <clone id='K'><meta_attributes id='K-m'><nvpair id='K-1' name='promotable' value='true'/>\
        </meta_attributes><primitive id='B' template='T'/></clone>";
    let group = format!(
        "<group id='G'>{}{}</group>",
        address(
            "A",
            "<nvpair id='A-n' name='netmask' value='16'/><nvpair id='A-w' name='wait' value='10sec'/>\
             <nvpair id='A-t' name='trace_ra' value='1'/><nvpair id='A-o' name='mode' value='hard'/>",
            "<op id='A-s' name='start' interval='0' timeout='1min'/>"
        ),
        address("Z", "", "")
    );
    let fence = "<primitive id='F' class='stonith' type='fence_test'><instance_attributes id='F-p'>\
        <nvpair id='F-i' name='ipaddr' value='10.0.0.9'/>\
        <nvpair id='F-h' name='pcmk_host_list' value='maitre'/></instance_attributes></primitive>";
    let constraints = format!(
        "{}<rsc_location id='N' rsc='G' node='maitre' score='50'/>\
         <rsc_colocation id='S' rsc='G' with-rsc='K' score='INFINITY'/>\
         <rsc_order id='O'><resource_set id='O-1'><resource_ref id='C'/><resource_ref id='G'/>\
         </resource_set></rsc_order>",
        rule(&format!("{TOO_FEW}{NONE_AT_ALL}"))
    );
    let parts = Parts {
        options: "<nvpair id='o-1' name='stonith-enabled' value='true'/>\
                  <nvpair id='o-2' name='cluster-recheck-interval' value='PT15M'/>\
                  <nvpair id='o-3' name='hana_site' value='dijon'/>",
        resources: &format!("{template}{group}{}{fence}", ping("")),
        constraints: &constraints,
        levels: "<fencing-topology><fencing-level id='V' target='maitre' index='1' devices='F'/>\
                 </fencing-topology>",
        rest: "",
    };
    expect(parts, &[]);
}

#[test]
fn ids_and_references() {
    let a = address("A", "", "");
    let constraint = |text: &str, wanted: &[&str]| {
        let parts = Parts {
            resources: &a,
            constraints: text,
            ..Parts::default()
        };
        expect(parts, wanted);
    };
    expect(
        resources(&format!(
            "{a}{}",
            address("Z", "", "").replace("'Z-m'", "'A-m'")
        )),
        &["Error | primitive Z, operation monitor 10s | another element has the id A-m"],
    );
    constraint(
        "<rsc_colocation id='S' rsc='A' with-rsc='VIP' score='1'/>",
        &["Error | rsc_colocation S | there is no resource VIP"],
    );
    constraint(
        "<rsc_order id='O'><resource_set id='O-1'><resource_ref id='A'/><resource_ref id='AA'/>\
         </resource_set></rsc_order>",
        &["Error | rsc_order O, resource_set O-1, resource_ref AA | there is no resource AA"],
    );
    constraint(
        "<rsc_location id='L' rsc='A' node='esclav' score='1'/>",
        &["Warning | rsc_location L | there is no node esclav"],
    );
    expect(
        resources("<primitive id='B' template='T'/>"),
        &[
            "Error | primitive B | there is no template T",
            "Notice | primitive B | it has no repeated monitor: when it dies, nobody sees it",
        ],
    );
    expect(
        resources(&a.replace("<operations>", "<meta_attributes id-ref='M'/><operations>")),
        &["Error | primitive A, meta_attributes M | there is no element of this kind M"],
    );
    let parts = Parts {
        options: "<nvpair id='o-1' name='have-watchdog' value='true'/>",
        resources: &a,
        levels: "<fencing-topology><fencing-level id='V' target='maitre' index='1' devices='F,A'/>\
                 </fencing-topology>",
        ..Parts::default()
    };
    expect(
        parts,
        &[
            "Error | fencing-level V | there is no fence device F",
            "Error | fencing-level V | there is no fence device A",
        ],
    );
    let parts = Parts {
        resources: &a,
        rest: "<tags><tag id='W'><obj_ref id='A'/><obj_ref id='Q'/></tag></tags>",
        ..Parts::default()
    };
    expect(parts, &["Error | tag W, obj_ref Q | there is no element Q"]);
}

#[test]
fn a_name_that_was_meant_is_told() {
    let parts = Parts {
        resources: &address("VIP_externe", "", ""),
        constraints: "<rsc_location id='L' rsc='VIP_extern' node='maitre' score='1'/>",
        ..Parts::default()
    };
    let faults = faults(&parts.cib(None));
    assert_eq!(
        faults[0].fix(Language::English),
        "did you mean VIP_externe?"
    );
    assert_eq!(
        faults[0].fix(Language::French),
        "vouliez-vous dire VIP_externe ?"
    );
    assert_eq!(
        faults[0].path,
        "/cib/configuration/constraints/rsc_location[@id=\"L\"]"
    );
}

#[test]
fn remote_nodes_and_containers_are_nodes() {
    let remote = "<primitive id='far' class='ocf' provider='pacemaker' type='remote'>\
        <operations><op id='r-m' name='monitor' interval='10s'/></operations></primitive>";
    let guest = with_meta("remote-node", "guest");
    for name in ["far", "guest", "MAITRE"] {
        let parts = Parts {
            resources: &format!("{remote}{guest}"),
            constraints: &format!("<rsc_location id='L' rsc='A' node='{name}' score='1'/>"),
            ..Parts::default()
        };
        assert_eq!(validate(&parts.cib(schema()), None), [], "{name}");
    }
}

#[test]
fn groups() {
    let a = address("A", "", "");
    expect(
        resources(&format!("<group id='G'>{a}{}</group>", ping("")).replace("P-h", "P-h2")),
        &[
            "Error | clone C | a clone cannot be in a group",
            "Warning | primitive P | it sets pingd, but no constraint reads it: a lost gateway moves nothing",
        ],
    );
    expect(
        resources(&format!(
            "<group id='G'>{}<group id='H'>{a}</group></group>",
            address("Z", "", "")
        )),
        &["Error | group H | a group cannot be in a group"],
    );
    expect(
        resources("<group id='G'/>"),
        &["Error | group G | the group has no members"],
    );
}

#[test]
fn agents() {
    expect(
        resources(&address("A", "", "").replace("'address'", "'adress'")),
        &["Error | primitive A | the agent ocf:test:adress is not installed on this node"],
    );
    expect(
        resources(&address("A", "", "").replace("'address'", "'broken'")),
        &[
            "Notice | primitive A | ocf:test:broken does not describe itself, so its parameters were not checked: it printed nonsense",
        ],
    );
    expect(
        resources(&address("A", "", "").replace("name='ip'", "name='host'")),
        &["Error | primitive A | the parameter ip is missing: ocf:test:address needs it"],
    );
    expect(
        resources(&with_parameter("netmsk", "1")),
        &["Warning | primitive A, parameter netmsk | ocf:test:address has no parameter netmsk"],
    );
    let parts = |mode: &str| {
        let wanted = format!("Warning | primitive A, parameter {mode}");
        move |rest: &str| format!("{wanted} | {rest}")
    };
    for (name, value, text) in [
        (
            "netmask",
            "wide",
            "netmask is 'wide', and should be a whole number",
        ),
        (
            "netmask",
            "24s",
            "netmask is '24s', and should be a whole number",
        ),
        (
            "wait",
            "soon",
            "wait is 'soon', and should be a whole number",
        ),
        (
            "pause",
            "ten",
            "pause is 'ten', and should be a time with its unit, as 10s, 500ms or 2min",
        ),
        (
            "quiet",
            "maybe",
            "quiet is 'maybe', and should be true or false",
        ),
        (
            "mode",
            "loud",
            "mode is 'loud', and should be one of: soft, hard",
        ),
        (
            "password",
            "sesame",
            "password is '(hidden)', and should be a whole number",
        ),
    ] {
        let wanted = parts(name)(text);
        expect(resources(&with_parameter(name, value)), &[&wanted]);
    }
    let promotable = with_meta("promotable", "true");
    let clone = format!("<clone id='K'>{}</clone>", address("A", "", "")).replace(
        "<clone id='K'>",
        "<clone id='K'><meta_attributes id='K-m'><nvpair id='K-1' name='promotable' value='yes'/></meta_attributes>",
    );
    expect(
        resources(&clone),
        &["Error | clone K | it is promotable, but ocf:test:address cannot be promoted"],
    );
    // On a primitive the word means nothing.
    expect(resources(&promotable), &[]);
}

#[test]
fn parameters_that_tell_resources_apart() {
    let z = address("Z", "", "");
    expect(
        resources(&format!(
            "{}{z}",
            address("A", "", "").replace("10.0.0.A", "10.0.0.Z")
        )),
        &["Warning | primitive Z | A has the same ip, which should tell the two apart"],
    );
    let at = |id: &str, port: &str| {
        let host = format!("<nvpair id='{id}-h' name='host' value='h'/>");
        address(
            id,
            &format!("{host}<nvpair id='{id}-o' name='port' value='{port}'/>"),
            "",
        )
    };
    expect(resources(&format!("{}{}", at("A", "1"), at("Z", "2"))), &[]);
    expect(
        resources(&format!("{}{}", at("A", "1"), at("Z", "1"))),
        &["Warning | primitive Z | A has the same host, port, which should tell the two apart"],
    );
}

#[test]
fn operations() {
    expect(
        resources(&address(
            "A",
            "",
            "<op id='n' name='monitor' interval='10' role='Stopped' timeout='20s'/>",
        )),
        &[
            "Error | primitive A, operation monitor 10 | monitor has the same interval as A-m: Pacemaker does only one of them",
        ],
    );
    expect(
        resources(&address(
            "A",
            "",
            "<op id='n' name='monitor' interval='11' timeout='5s'/>",
        )),
        &[
            "Warning | primitive A, operation monitor 11 | monitor may take 5s; its agent advises 20s",
        ],
    );
    expect(
        resources(&address(
            "A",
            "",
            "<op id='n' name='strat' interval='0' timeout='60s'/>",
        )),
        &["Warning | primitive A, operation strat 0 | ocf:test:address has no operation strat"],
    );
    expect(
        resources(&address("A", "", "").replace("interval='10s'", "interval='ten'")),
        &[
            "Warning | primitive A, operation monitor ten | interval is 'ten', and should be a time with its unit, as 10s, 500ms or 2min",
            "Notice | primitive A | it has no repeated monitor: when it dies, nobody sees it",
        ],
    );
    expect(
        resources(&address("A", "", "").replace("interval='10s'", "interval='1.5min'")),
        &[
            "Warning | primitive A, operation monitor 1.5min | interval is '1.5min', which Pacemaker reads as 60s: it should be a time with its unit, as 10s, 500ms or 2min",
        ],
    );
    let base = "<primitive id='B' class='ocf' provider='test' type='base'><operations>\
        <op id='B-m' name='monitor' interval='10s' timeout='15s'/>\
        <op id='B-e' name='stop' interval='0' timeout='60s'/></operations></primitive>";
    expect(
        resources(base),
        &[
            "Warning | primitive B | start has no time-out of its own and may take 20s; its agent advises 120s",
        ],
    );
    let parts = Parts {
        resources: base,
        rest: "<op_defaults><meta_attributes id='d'><nvpair id='d-t' name='timeout' value='3min'/>\
               </meta_attributes></op_defaults>",
        ..Parts::default()
    };
    expect(parts, &[]);
    // A primitive's monitor takes the place of its template's.
    let template = "<template id='T' class='ocf' provider='test' type='address'><operations>\
        <op id='T-m' name='monitor' interval='10s' timeout='5s'/></operations></template>\
        <primitive id='B' template='T'><instance_attributes id='p'><nvpair id='p-1' name='ip' value='1'/>\
        </instance_attributes><operations><op id='B-m' name='monitor' interval='10s' timeout='20s'/>\
        </operations></primitive>";
    expect(resources(template), &[]);
}

#[test]
fn connectivity() {
    let unread = "Warning | primitive P | it sets gw, but no constraint reads it: a lost gateway moves nothing";
    expect(
        resources(&ping("<nvpair id='P-n' name='name' value='gw'/>")),
        &[unread],
    );
    let both = format!("{}{}", address("A", "", ""), ping(""));
    let with = |expressions: &str, wanted: &[&str]| {
        let parts = Parts {
            resources: &both,
            constraints: &rule(expressions),
            ..Parts::default()
        };
        expect(parts, wanted);
    };
    with(
        TOO_FEW,
        &[
            "Warning | rsc_location L, rule L-r, expression L-1 | a node that has no pingd yet passes this rule, as if its gateway were there",
        ],
    );
    with(&format!("{TOO_FEW}{NONE_AT_ALL}"), &[]);
    // It is about other attributes, or a preference.
    let kept = rule(TOO_FEW).replace("-INFINITY", "100");
    let parts = Parts {
        resources: &both,
        constraints: &kept,
        ..Parts::default()
    };
    expect(parts, &[]);
}

#[test]
fn fencing() {
    let fence = "<primitive id='F' class='stonith' type='fence_test'><instance_attributes id='F-p'>\
        <nvpair id='F-i' name='ip' value='10.0.0.9'/></instance_attributes></primitive>";
    expect(
        resources(fence),
        &[
            "Warning | primitive F | there is a fence device, but fencing is off: it will not be used",
        ],
    );
    let parts = Parts {
        options: "<nvpair id='o-1' name='cluster-name' value='eole'/>",
        resources: &address("A", "", ""),
        ..Parts::default()
    };
    expect(
        parts,
        &[
            "Error | crm_config | fencing is on, but no device is configured: no resource is started",
        ],
    );
    let missing = fence.replace("name='ip'", "name='plug'");
    let parts = Parts {
        options: "<nvpair id='o-1' name='stonith-enabled' value='yes'/>",
        resources: &missing,
        ..Parts::default()
    };
    expect(
        parts,
        &["Error | primitive F | the parameter ip is missing: stonith:fence_test needs it"],
    );
}

#[test]
fn values_of_pacemaker() {
    for (name, value, wanted) in [
        (
            "is-managd",
            "true",
            "Warning | primitive A, meta is-managd | Pacemaker knows no meta-attribute is-managd",
        ),
        (
            "colour",
            "red",
            "Notice | primitive A, meta colour | Pacemaker knows no meta-attribute colour",
        ),
        (
            "is-managed",
            "enabled",
            "Warning | primitive A, meta is-managed | is-managed is 'enabled', and should be true or false",
        ),
        (
            "priority",
            "high",
            "Warning | primitive A, meta priority | priority is 'high', which Pacemaker reads as 0: it should be a whole number, INFINITY or -INFINITY",
        ),
        (
            "resource-stickiness",
            "infinity",
            "Warning | primitive A, meta resource-stickiness | resource-stickiness is 'infinity', which Pacemaker reads as 0: it should be a whole number, INFINITY or -INFINITY",
        ),
        (
            "failure-timeout",
            "10x",
            "Warning | primitive A, meta failure-timeout | failure-timeout is '10x', and should be a time with its unit, as 10s, 500ms or 2min",
        ),
        (
            "failure-timeout",
            "10months",
            "Warning | primitive A, meta failure-timeout | failure-timeout is '10months', which Pacemaker reads as 600s: it should be a time with its unit, as 10s, 500ms or 2min",
        ),
        (
            "multiple-active",
            "stop",
            "Warning | primitive A, meta multiple-active | multiple-active is 'stop', and should be one of: block, stop_only, stop_start, stop_unexpected",
        ),
    ] {
        expect(resources(&with_meta(name, value)), &[wanted]);
    }
    for (name, value) in [
        ("failure-timeout", "10sec"),
        ("target-role", "stopped"),
        ("priority", "-5"),
    ] {
        expect(resources(&with_meta(name, value)), &[]);
    }
    let option = |name: &str, value: &str, wanted: &[&str]| {
        let options = format!(
            "<nvpair id='o-0' name='have-watchdog' value='true'/><nvpair id='o-1' name='{name}' value='{value}'/>"
        );
        let parts = Parts {
            options: &options,
            ..Parts::default()
        };
        expect(parts, wanted);
    };
    option(
        "no-quorum-polici",
        "stop",
        &["Warning | option no-quorum-polici | Pacemaker knows no option no-quorum-polici"],
    );
    option(
        "batch-limit",
        "3x",
        &[
            "Warning | option batch-limit | batch-limit is '3x', which Pacemaker reads as 3: it should be a whole number",
        ],
    );
    option("azure_site", "1", &[]);
}

/// What the schema alone forbids, and what it says louder.
#[test]
fn schema_faults_are_told_once() {
    let Some(name) = schema() else {
        return;
    };
    let a = address("A", "", "");
    let parts = Parts {
        resources: &a,
        constraints: "<rsc_location id='L' rsc='A' node='maitre' score='ten'/>",
        ..Parts::default()
    };
    assert_eq!(
        told(&parts.cib(Some(name))),
        [
            "Error | rsc_location L | score is 'ten', which Pacemaker reads as 0: it should be a whole number, INFINITY or -INFINITY"
        ]
    );
    let strange = a.replace("<operations>", "<colour/><operations>");
    let faults = faults(&resources(&strange).cib(Some(name)));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].place, "primitive A, colour");
    let unknown = told(&resources(&a).cib(Some("pacemaker-99.0")));
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].starts_with("Notice | cib | it was not checked against the schema"));
}

#[test]
fn without_a_source_of_agents_all_but_parameters_is_checked() {
    let text = with_parameter("netmsk", "1").replace("interval='10s'", "interval='0'");
    let found = validate(&resources(&text).cib(None), None);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Notice);
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json[0]["problem"], "no_monitor");
    assert_eq!(json[0]["place"], "primitive A");
    assert!(found[0].fix(Language::French).contains("intervalle 10s"));
}
