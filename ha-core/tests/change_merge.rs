//! Bringing a CIB to a desired configuration: by meaning, once, and nothing of others.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use ha_core::change::edit::{constraint, option, resource};
use ha_core::change::{Plan, merge, same};
use ha_core::name::Id;
use ha_core::schema::Schema;
use ha_core::xml::Document;
use ha_core::{ErrorKind, Result};

const CIB: &str = include_str!("data/change/sphynx.xml");

fn parse(text: &str) -> Document {
    Document::parse(text).unwrap()
}

fn configuration(sections: &str) -> Document {
    parse(&format!(
        "<cib><configuration>{sections}</configuration></cib>"
    ))
}

fn owner() -> Id {
    Id::new("eole").unwrap()
}

/// Plans to bring a CIB to a configuration, and checks that a second time nothing is left to do.
fn bring(cib: &Document, desired: &Document, owner: Option<&Id>) -> Plan {
    let plan = Plan::new(cib.clone(), |cib| merge(cib, desired, owner)).unwrap();
    let again = Plan::new(plan.after().clone(), |cib| merge(cib, desired, owner)).unwrap();
    assert!(again.is_empty(), "the second time:\n{again}");
    check(plan.after());
    plan
}

fn check(cib: &Document) {
    match Schema::of(cib) {
        Ok(mut schema) => assert_eq!(schema.check(cib).unwrap(), [], "{}", cib.to_xml()),
        Err(e) => eprintln!("no schema here: {e:#}"),
    }
}

#[test]
fn what_is_so_already_is_left_alone() {
    let cib = parse(CIB);
    assert!(bring(&cib, &cib, None).is_empty());
}

#[test]
fn another_hand_may_have_written_the_same() {
    let cib = parse(CIB);
    let desired = configuration(
        "<crm_config><cluster_property_set id='x'><nvpair id='x-1' name='stonith-enabled' value='no'/>\
         </cluster_property_set></crm_config><resources>\
         <primitive id='mail' type='MailTo' provider='heartbeat' class='ocf'/></resources>\
         <constraints><rsc_colocation score='+INFINITY' id='mail_with_sphynx' with-rsc='sphynx' rsc='mail'/>\
         </constraints>",
    );
    assert!(bring(&cib, &desired, None).is_empty());
    let pcs = "<primitive id='VIP_externe' class='ocf' provider='heartbeat' type='IPaddr2'>\
        <operations><op id='z' name='monitor' interval='10' timeout='20'/></operations>\
        <instance_attributes id='y'><nvpair id='y-ip' name='ip' value='192.168.0.100'/></instance_attributes>\
        </primitive>";
    let group = cib
        .root()
        .descendants()
        .find(|e| e.attribute("id") == Some("VIP_externe"));
    assert!(same(group.unwrap(), parse(pcs).root()));
    let other = pcs.replace("192.168.0.100", "192.168.0.101");
    assert!(!same(group.unwrap(), parse(&other).root()));
}

#[test]
fn the_smallest_change_is_made() {
    let desired = configuration(
        "<resources><group id='sphynx'>\
         <primitive id='VIP_interne' class='ocf' provider='heartbeat' type='IPaddr2'>\
         <instance_attributes id='a'><nvpair id='a-ip' name='ip' value='172.30.101.100'/>\
         <nvpair id='a-nic' name='nic' value='eth1'/></instance_attributes></primitive>\
         <primitive id='VIP_externe' class='ocf' provider='heartbeat' type='IPaddr2'>\
         <instance_attributes id='b'><nvpair id='b-ip' name='ip' value='192.168.0.100'/></instance_attributes>\
         <operations><op id='c' name='monitor' interval='10s' timeout='30s'/>\
         <op id='d' name='start' interval='0s' timeout='20s'/></operations></primitive>\
         <primitive id='mail' class='ocf' provider='heartbeat' type='MailTo'/>\
         </group></resources>",
    );
    let plan = bring(&parse(CIB), &desired, None);
    // The order of the group, its new member from outside, a value, operations; ipsec_rsc, which is not
    // spoken of, stays, and so do the ids of what was there.
    assert_eq!(
        plan.to_string(),
        "~ group sphynx\n    members: VIP_externe VIP_interne ipsec_rsc -> \
         ipsec_rsc VIP_interne VIP_externe mail\n\
         ~ primitive VIP_interne\n    parameter nic: eth1\n\
         ~ primitive VIP_externe\n    operation monitor 10s timeout: 20s -> 30s\n    \
         operation start 0s timeout: 20s\n"
    );
    let xml = plan.after().to_xml();
    assert!(
        xml.contains("id=\"VIP_interne-instance_attributes-nic\""),
        "{xml}"
    );
    assert!(xml.contains("id=\"VIP_externe-monitor-10s\""), "{xml}");
}

#[test]
fn what_administrators_set_stays() {
    let mut cib = parse(CIB);
    resource::stop(&mut cib, "mail").unwrap();
    resource::unmanage(&mut cib, "VIP_interne").unwrap();
    constraint::ban(&mut cib, "sphynx", "maitre", &constraint::Reach::default()).unwrap();
    let desired = parse(CIB);
    assert!(bring(&cib, &desired, None).is_empty());
    // Unless the configuration speaks of it.
    let spoken = configuration(
        "<resources><primitive id='mail' class='ocf' provider='heartbeat' type='MailTo'>\
         <meta_attributes id='m'><nvpair id='m-t' name='target-role' value='Started'/></meta_attributes>\
         </primitive></resources>",
    );
    assert_eq!(
        bring(&cib, &spoken, None).to_string(),
        "~ primitive mail\n    meta target-role: Stopped -> Started\n"
    );
}

#[test]
fn an_owner_gets_rid_of_what_it_no_longer_wants() {
    let cib = parse(CIB);
    let first = configuration(
        "<crm_config><cluster_property_set id='o'><nvpair id='o-1' name='no-quorum-policy' value='ignore'/>\
         </cluster_property_set></crm_config>\
         <nodes><node uname='maitre'><instance_attributes id='n'><nvpair id='n-1' name='rack' value='1'/>\
         </instance_attributes></node></nodes>\
         <resources><primitive id='arv' class='systemd' type='arv'/>\
         <clone id='c'><primitive id='inner' class='systemd' type='x'/></clone></resources>\
         <constraints><rsc_location id='arv_here' rsc='arv' node='maitre' score='10'/></constraints>",
    );
    let plan = bring(&cib, &first, Some(&owner()));
    let mut with_other = plan.after().clone();
    // Somebody else adds things, one of which refers to ours.
    merge(
        &mut with_other,
        &configuration(
            "<resources><primitive id='theirs' class='systemd' type='y'/></resources>\
             <constraints><rsc_colocation id='theirs_with_arv' rsc='theirs' with-rsc='arv' score='1'/></constraints>",
        ),
        None,
    )
    .unwrap();
    option::set(&mut with_other, "cluster-name", "lycee").unwrap();
    let second =
        configuration("<resources><primitive id='inner' class='systemd' type='x'/></resources>");
    let plan = bring(&with_other, &second, Some(&owner()));
    assert_eq!(
        plan.to_string(),
        "- primitive arv\n- clone c\n- rsc_location arv_here\n- rsc_colocation theirs_with_arv\n\
         ~ cluster_property_set cib-bootstrap-options\n    option no-quorum-policy: ignore -> nothing\n\
         ~ node maitre\n    attribute rack: 1 -> nothing\n\
         ~ tag owned-by-eole\n    obj_ref cib-bootstrap-options-no-quorum-policy: present -> nothing\n    \
         obj_ref nodes-1-rack: present -> nothing\n    obj_ref arv: present -> nothing\n    \
         obj_ref c: present -> nothing\n    obj_ref arv_here: present -> nothing\n"
    );
    let nothing = bring(plan.after(), &configuration(""), Some(&owner()));
    let mut expected = cib.clone();
    option::set(&mut expected, "cluster-name", "lycee").unwrap();
    let theirs = "<resources><primitive id='theirs' class='systemd' type='y'/></resources>";
    merge(&mut expected, &configuration(theirs), None).unwrap();
    let left = ha_core::change::differences(&expected, nothing.after());
    assert_eq!(left, [], "what is left of ours");
}

#[test]
fn what_another_owner_or_nobody_set_stays() {
    let cib = parse(CIB);
    let option = |value: &str| {
        configuration(&format!(
            "<crm_config><cluster_property_set id='o'><nvpair id='o-1' name='stonith-enabled' value='false'/>\
             <nvpair id='o-2' name='no-quorum-policy' value='{value}'/></cluster_property_set></crm_config>"
        ))
    };
    let other = Id::new("other").unwrap();
    let first = bring(&cib, &option("ignore"), Some(&owner()));
    let both = bring(first.after(), &option("ignore"), Some(&other));
    let without = bring(both.after(), &configuration(""), Some(&owner()));
    let quorum = option::value(without.after(), "no-quorum-policy");
    assert_eq!(quorum, Some("ignore"), "the other owner wants it");
    let none = bring(without.after(), &configuration(""), Some(&other));
    assert_eq!(ha_core::change::differences(&cib, none.after()), []);
}

#[test]
fn what_cannot_be_is_said() {
    let fails = |sections: &str| {
        let desired = configuration(sections);
        Plan::new(parse(CIB), |cib| merge(cib, &desired, None)).unwrap_err()
    };
    let e = fails("<resources><primitive class='systemd' type='x'/></resources>");
    assert_eq!(
        (e.kind(), e.to_string()),
        (ErrorKind::Invalid, "a desired <primitive> has no id".into())
    );
    let e = fails("<resources><primitive id='a'/><primitive id='a'/></resources>");
    assert_eq!(e.to_string(), "two desired elements have the id a");
    let e = fails("<nodes><node uname='paris'><utilization id='u'/></node></nodes>");
    assert_eq!(e.kind(), ErrorKind::NotFound);
    let e =
        fails("<resources><primitive id='sphynx_on_maitre' class='systemd' type='x'/></resources>");
    assert_eq!(e.kind(), ErrorKind::AlreadyExists);
}

/// The CIBs of the tree and those in the folder `HA_CIBS`.
fn cibs() -> Vec<(PathBuf, Document)> {
    let folders = [
        Some(PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/status"
        ))),
        std::env::var_os("HA_CIBS").map(PathBuf::from),
    ];
    let files = folders.into_iter().flatten().flat_map(|folder| {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path())
    });
    let xml = files.filter(|path| path.extension().is_some_and(|e| e == "xml"));
    let mut texts: Vec<PathBuf> = xml.collect();
    texts.sort();
    texts
        .iter()
        .filter_map(|path| {
            let cib = Document::parse(&std::fs::read_to_string(path).ok()?).ok()?;
            Some((path.clone(), cib))
        })
        .filter(|(_, cib)| cib.root().name() == "cib")
        .collect()
}

#[test]
fn any_configuration_is_its_own_aim_and_can_be_reached_from_another() {
    let cibs = cibs();
    assert!(cibs.len() >= 4);
    let mut reached = 0;
    for (i, (desired_path, desired)) in cibs.iter().enumerate() {
        let itself = Plan::new(desired.clone(), |cib| merge(cib, desired, None));
        match itself {
            Ok(plan) => assert!(plan.is_empty(), "{desired_path:?}:\n{plan}"),
            // Some of them have the same id twice.
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Invalid, "{e:#}");
                continue;
            }
        }
        let (path, from) = &cibs[(i * 7 + 3) % cibs.len()];
        let to = |cib: &mut Document| -> Result<()> { merge(cib, desired, Some(&owner())) };
        match Plan::new(from.clone(), to) {
            Ok(plan) => {
                let again = Plan::new(plan.after().clone(), to).unwrap();
                assert!(
                    again.is_empty(),
                    "from {path:?} to {desired_path:?}:\n{again}"
                );
                reached += 1;
            }
            Err(e) => assert!(
                matches!(
                    e.kind(),
                    ErrorKind::AlreadyExists | ErrorKind::Conflict | ErrorKind::NotFound
                ),
                "{e:#}"
            ),
        }
    }
    assert!(reached * 2 > cibs.len(), "{reached} of {}", cibs.len());
}

#[test]
fn a_remote_node_has_the_id_of_its_connection() {
    let remote = "<primitive id='far' class='ocf' provider='pacemaker' type='remote'/>";
    let cib = Document::parse(&format!(
        "<cib><configuration><nodes><node id='far' uname='far' type='remote'/></nodes>\
         <resources>{remote}</resources></configuration><status/></cib>"
    ))
    .unwrap();
    let same = configuration(&format!("<resources>{remote}</resources>"));
    assert!(bring(&cib, &same, None).is_empty());
    let moved = remote.replace("/>", " description='in the annexe'/>");
    let other = configuration(&format!("<resources>{moved}</resources>"));
    let plan = bring(&cib, &other, None);
    assert_eq!(
        plan.to_string(),
        "~ primitive far\n    description: in the annexe\n"
    );
}

#[cfg(feature = "toml")]
#[test]
fn an_export_says_whose_it_is_when_all_of_it_is_of_one_owner() {
    use ha_core::change::to_toml;
    use ha_core::config::Config;
    use ha_core::name::Id;
    let toml = "owner = \"demo\"\n\n[options]\nstonith-enabled = false\n\n[[primitive]]\nid = \"a\"\n\
                agent = \"ocf:pacemaker:Dummy\"\n\n[[location]]\nid = \"a_here\"\nresource = \"a\"\n\
                node = \"maitre\"\nscore = 10\n";
    let config = Config::from_toml(toml).unwrap();
    let desired = config.to_document().unwrap();
    let owner = Id::new("demo").unwrap();
    let mut cib = Document::parse("<cib><configuration/><status/></cib>").unwrap();
    merge(&mut cib, &desired, Some(&owner)).unwrap();
    let text = to_toml(&cib).unwrap();
    assert!(text.starts_with("owner = \"demo\"\n"), "{text}");
    assert!(!text.contains("owned-by"), "{text}");
    // Taken back, it changes nothing; and what is taken out of it goes.
    let again = Config::from_toml(&text).unwrap();
    let mut merged = cib.clone();
    merge(
        &mut merged,
        &again.to_document().unwrap(),
        again.owner.as_ref(),
    )
    .unwrap();
    assert_eq!(merged, cib);
    let (less, _) = text.split_once("[[location]]").unwrap();
    let less = Config::from_toml(less).unwrap();
    merge(
        &mut merged,
        &less.to_document().unwrap(),
        less.owner.as_ref(),
    )
    .unwrap();
    assert!(!merged.to_xml().contains("a_here"));
    // Where others have configured something too, no owner is claimed for it.
    let others = Config::from_toml("[[primitive]]\nid = \"b\"\nagent = \"ocf:pacemaker:Dummy\"\n");
    merge(&mut cib, &others.unwrap().to_document().unwrap(), None).unwrap();
    let text = to_toml(&cib).unwrap();
    assert!(!text.contains("owner = "), "{text}");
    assert!(text.contains("owned-by-demo"), "{text}");
    let again = Config::from_toml(&text).unwrap().to_document().unwrap();
    let before = cib.clone();
    merge(&mut cib, &again, None).unwrap();
    assert_eq!(cib, before);
}
