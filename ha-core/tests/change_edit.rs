//! Edits of a CIB: what they change, that the schema accepts it, and that Pacemaker's own tools make the
//! same of the same order.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

use ha_core::change::edit::constraint::{self, Reach};
use ha_core::change::edit::option::Defaults;
use ha_core::change::edit::resource::Values;
use ha_core::change::edit::{node, option, resource, ticket};
use ha_core::change::{Plan, differences};
use ha_core::schema::Schema;
use ha_core::xml::Document;
use ha_core::{ErrorKind, Result};

const CIB: &str = include_str!("data/change/sphynx.xml");

fn cib() -> Document {
    Document::parse(CIB).unwrap()
}

/// Plans an edit of the CIB, applies its patch to another copy, and checks the result against the schema
/// of this machine, when it has it.
fn plan(edit: impl FnOnce(&mut Document) -> Result<()>) -> Plan {
    let plan = Plan::new(cib(), edit).unwrap();
    let mut patched = cib();
    if let Some(patch) = plan.patch() {
        patched.apply(patch).unwrap();
    }
    assert_eq!(differences(&patched, plan.after()), []);
    match Schema::of(plan.after()) {
        Ok(mut schema) => assert_eq!(schema.check(plan.after()).unwrap(), []),
        Err(e) if e.kind() == ErrorKind::Unsupported => eprintln!("no schema here: {e:#}"),
        Err(e) => panic!("{e:#}"),
    }
    verify(plan.after());
    plan
}

/// Has Pacemaker's own tool look for mistakes, where it is installed.
fn verify(cib: &Document) {
    // Fencing that is on again has no device here, of which it complains rightly.
    if !cib.to_xml().contains("stonith-enabled") {
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), cib.to_xml()).unwrap();
    let mut verify = Command::new("crm_verify");
    match verify.arg("-V").arg("-x").arg(file.path()).output() {
        Ok(said) => assert!(
            said.status.success() && said.stderr.is_empty(),
            "{}\n{}",
            String::from_utf8_lossy(&said.stderr),
            cib.to_xml()
        ),
        Err(e) => eprintln!("no crm_verify here: {e}"),
    }
}

fn changes(edit: impl FnOnce(&mut Document) -> Result<()>) -> String {
    plan(edit).to_string()
}

#[test]
fn a_stop_is_taken_back_by_a_start() {
    let stopped = changes(|cib| resource::stop(cib, "sphynx"));
    assert_eq!(stopped, "~ group sphynx\n    meta target-role: Stopped\n");
    let both = plan(|cib| {
        resource::stop(cib, "VIP_externe")?;
        resource::start(cib, "VIP_externe")
    });
    assert!(both.is_empty(), "{both}");
    // What a part was told is taken back with the whole.
    let started = changes(|cib| resource::start(cib, "sphynx"));
    assert_eq!(
        started,
        "~ primitive ipsec_rsc\n    meta target-role: Stopped -> nothing\n"
    );
}

#[test]
fn what_is_cloned_stops_with_its_clone() {
    let stopped = changes(|cib| resource::stop(cib, "gw_pingd:0"));
    assert_eq!(
        stopped,
        "~ clone gw_pingd_clone\n    meta target-role: Stopped\n"
    );
}

#[test]
fn a_start_overrules_the_defaults() {
    let started = changes(|cib| {
        option::set_default(cib, Defaults::Resources, "target-role", "Stopped")?;
        resource::start(cib, "mail")
    });
    assert_eq!(
        started,
        "~ primitive mail\n    meta target-role: Started\n\
         + meta_attributes rsc_defaults-options\n    meta target-role: Stopped\n"
    );
}

#[test]
fn values_are_found_set_and_removed() {
    let mut cib = cib();
    let ip = |cib: &Document| {
        let found = resource::value(cib, "VIP_externe", Values::Parameters, "ip");
        found.unwrap().map(str::to_owned)
    };
    assert_eq!(ip(&cib).as_deref(), Some("192.168.0.100"));
    resource::set_value(
        &mut cib,
        "VIP_externe",
        Values::Parameters,
        "ip",
        "10.0.0.1",
    )
    .unwrap();
    assert_eq!(ip(&cib).as_deref(), Some("10.0.0.1"));
    resource::unset_value(&mut cib, "VIP_externe", Values::Parameters, "ip").unwrap();
    assert_eq!(ip(&cib), None);
    node::set_attribute(&mut cib, "maitre", "site", "siège").unwrap();
    assert_eq!(
        node::attribute(&cib, "maitre", "site").unwrap(),
        Some("siège")
    );
    assert_eq!(
        node::attribute(&cib, "esclave", "site").unwrap(),
        Some("annexe")
    );
}

#[test]
fn secrets_are_not_shown() {
    let set = changes(|cib| {
        resource::set_value(cib, "fence_maitre", Values::Parameters, "passwd", "hush")
    });
    assert_eq!(
        set,
        "~ primitive fence_maitre\n    parameter passwd: ********\n"
    );
}

#[test]
fn a_resource_goes_with_every_reference() {
    let gone = changes(|cib| resource::delete(cib, "mail"));
    assert_eq!(
        gone,
        "- primitive mail\n- rsc_colocation mail_with_sphynx\n- rsc_ticket site_has_it\n\
         - tag courriel\n\
         ~ rsc_order ping_first\n    resource_set ping_first-2 resource_ref mail: present -> nothing\n"
    );
    let device = changes(|cib| resource::delete(cib, "fence_esclave"));
    assert_eq!(
        device,
        "- primitive fence_esclave\n- fencing-level level-esclave\n\
         ~ fencing-level level-maitre\n    devices: fence_maitre,fence_esclave -> fence_maitre\n"
    );
    let cloned = changes(|cib| resource::delete(cib, "gw_pingd"));
    assert_eq!(
        cloned,
        "- clone gw_pingd_clone\n- primitive gw_pingd\n\
         ~ rsc_order ping_first\n    resource_set ping_first-1 resource_ref gw_pingd_clone: present -> nothing\n"
    );
}

#[test]
fn a_template_or_set_in_use_stays() {
    let mut cib = Document::parse(
        "<cib><configuration><resources><template id='t' class='ocf' type='x'/>\
         <primitive id='p' template='t'><meta_attributes id='m'/></primitive>\
         <primitive id='q' class='ocf' type='x'><meta_attributes id-ref='m'/></primitive>\
         </resources></configuration></cib>",
    )
    .unwrap();
    let e = resource::delete(&mut cib.clone(), "t").unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Conflict);
    assert_eq!(e.to_string(), "the template t is used by p");
    let e = resource::delete(&mut cib, "p").unwrap_err();
    assert_eq!(e.to_string(), "q uses m, which would go with p");
}

#[test]
fn a_resource_is_renamed_everywhere() {
    let renamed = plan(|cib| {
        constraint::ban(cib, "sphynx", "maitre", &Reach::default())?;
        resource::rename(cib, "sphynx", "vpn")?;
        resource::rename(cib, "VIP_externe", "VIP_publique")
    });
    let xml = renamed.after().to_xml();
    for gone in ["\"sphynx\"", "VIP_externe", "cli-ban-sphynx"] {
        assert!(!xml.contains(gone), "{gone} is left in {xml}");
    }
    for made in [
        "VIP_publique-instance_attributes-ip",
        "cli-ban-vpn-on-maitre",
        "with-rsc=\"vpn\"",
        "<obj_ref id=\"VIP_publique\"/>",
    ] {
        assert!(xml.contains(made), "{made} is not in {xml}");
    }
    let taken = Plan::new(cib(), |cib| resource::rename(cib, "mail", "adresses")).unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    let bad = Plan::new(cib(), |cib| resource::rename(cib, "mail", "2 mails")).unwrap_err();
    assert_eq!(bad.kind(), ErrorKind::Invalid);
}

#[test]
fn a_wrong_name_is_answered_with_a_similar_one() {
    let e = Plan::new(cib(), |cib| resource::stop(cib, "VIP_extern")).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::NotFound);
    assert_eq!(e.to_string(), "there is no resource VIP_extern");
    assert_eq!(e.hint(), Some("did you mean VIP_externe?"));
    let e = Plan::new(cib(), |cib| node::standby(cib, "paris", true)).unwrap_err();
    assert_eq!(e.hint(), Some("the configuration has: maitre, esclave"));
}

#[test]
fn bans_end_and_are_cleared() {
    let now = "2026-11-23T01:00:00Z".parse().unwrap();
    let later = "2026-11-23T02:00:00Z".parse().unwrap();
    let mut cib = cib();
    constraint::ban(&mut cib, "sphynx", "maitre", &Reach::default().until(later)).unwrap();
    constraint::prefer(&mut cib, "mail", "esclave", &Reach::default()).unwrap();
    let made = constraint::temporary(&cib);
    let ban = made.iter().find(|made| made.resource == "sphynx").unwrap();
    assert_eq!(ban.node.as_deref(), Some("maitre"));
    assert_eq!(ban.until, Some(later));
    assert!(constraint::clear_expired(&mut cib, now).is_empty());
    assert_eq!(
        constraint::clear_expired(&mut cib, later),
        ["cli-ban-sphynx-on-maitre"]
    );
    assert!(
        constraint::clear(&mut cib, "mail", Some("maitre"))
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        constraint::clear(&mut cib, "mail", None).unwrap(),
        ["cli-prefer-mail"]
    );
    assert!(constraint::temporary(&cib).is_empty());
}

#[test]
fn a_node_goes_with_what_names_it() {
    let gone = changes(|cib| node::remove(cib, "maitre"));
    assert_eq!(
        gone,
        "- node maitre\n- rsc_location sphynx_on_maitre\n- fencing-level level-maitre\n"
    );
}

#[test]
fn tickets_are_granted_once() {
    let now = "2026-11-23T01:00:00Z".parse().unwrap();
    let granted = changes(|cib| {
        ticket::grant(cib, "courrier", now)?;
        ticket::standby(cib, "courrier", true)
    });
    assert_eq!(
        granted,
        "+ ticket_state courrier\n    granted: true\n    last-granted: 1795395600\n    standby: true\n"
    );
    let e = Plan::new(cib(), |cib| ticket::forget(cib, "courier")).unwrap_err();
    assert_eq!(e.hint(), Some("did you mean courrier?"));
}

#[test]
fn names_and_values_that_are_none_are_refused() {
    type Edit<'a> = &'a dyn Fn(&mut Document) -> Result<()>;
    let now = jiff::Timestamp::UNIX_EPOCH;
    let refused: [(Edit<'_>, &str); 14] = [
        (&|cib| option::set(cib, "", "x"), "empty"),
        (&|cib| option::set(cib, "a b", "x"), "blank"),
        (&|cib| option::set(cib, "a", "x\u{1}"), "control"),
        (
            &|cib| option::set_default(cib, Defaults::Resources, "", "x"),
            "empty",
        ),
        (&|cib| node::set_attribute(cib, "maitre", "", "x"), "empty"),
        (
            &|cib| node::set_attribute(cib, "maitre", "x", "\u{1b}"),
            "control",
        ),
        (
            &|cib| node::set_utilization(cib, "maitre", "", "1"),
            "empty",
        ),
        (
            &|cib| resource::set_value(cib, "mail", Values::Meta, "", "x"),
            "empty",
        ),
        (
            &|cib| resource::set_value(cib, "mail", Values::Parameters, "x", "a\u{7f}"),
            "control",
        ),
        (&|cib| ticket::grant(cib, "a b", now), "blank"),
        (&|cib| ticket::grant(cib, "", now), "empty"),
        (&|cib| ticket::standby(cib, "it's", true), "quote"),
        (&|cib| ticket::set_attribute(cib, "t", "a b", "x"), "letter"),
        (
            &|cib| ticket::set_attribute(cib, "t", "a", "\u{2}"),
            "control",
        ),
    ];
    for (n, (edit, why)) in refused.into_iter().enumerate() {
        let e = Plan::new(cib(), edit).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Invalid, "{n}: {e}");
        assert!(e.to_string().contains(why), "{n}: {e}");
    }
    for name in ["id", "granted", "last-granted", "standby"] {
        let set = |cib: &mut Document| ticket::set_attribute(cib, "t", name, "z");
        let e = Plan::new(cib(), set).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Invalid, "{e}");
        assert!(e.hint().is_some(), "{e}");
        let unset = |cib: &mut Document| {
            ticket::grant(cib, "t", now)?;
            ticket::unset_attribute(cib, "t", name)
        };
        assert_eq!(Plan::new(cib(), unset).unwrap_err().kind(), e.kind());
    }
    // What people write in values stays possible.
    let kept = Plan::new(cib(), |cib| {
        node::set_attribute(cib, "maitre", "note", "deux\nlignes, été")
    });
    assert!(!kept.unwrap().is_empty());
}

/// Pacemaker reads a path up to its first blank: a change of such an element alone would be one of nothing, or of
/// another.
#[test]
fn a_ticket_with_a_blank_is_forgotten_with_its_list() {
    let mut before = cib();
    let status = before.root().child("status").unwrap().id();
    let tickets = before.append_child(status, "tickets");
    for id in ["c", "c d"] {
        let state = before.append_child(tickets, "ticket_state");
        before.set_attribute(state, "id", id);
    }
    let plan = Plan::new(before.clone(), |cib| ticket::forget(cib, "c d")).unwrap();
    assert_eq!(plan.to_string(), "- ticket_state c d\n");
    let patch = plan.patch().unwrap();
    let paths: Vec<&str> = patch
        .root()
        .children_named("change")
        .filter_map(|change| change.attribute("path"))
        .collect();
    assert_eq!(paths, ["/cib/status/tickets", "/cib/status"]);
    before.apply(patch).unwrap();
    assert!(before.to_xml().contains("<ticket_state id=\"c\"/>"));
    assert!(!before.to_xml().contains("c d"));
}

/// Has a tool of Pacemaker change the same CIB, in a file, and compares by meaning.
fn same_as(tool: &[&str], edit: impl FnOnce(&mut Document) -> Result<()>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cib.xml");
    std::fs::write(&file, CIB).unwrap();
    let run = Command::new(tool[0])
        .args(&tool[1..])
        .env("CIB_file", &file)
        .output();
    let Ok(run) = run else {
        eprintln!("{} is not installed: nothing to compare with", tool[0]);
        return;
    };
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{tool:?}: {said}");
    let theirs = Document::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let ours = plan(edit);
    assert!(!ours.is_empty(), "{tool:?}");
    assert_eq!(differences(&theirs, ours.after()), [], "{tool:?}");
    // The ids too: what one made, the other must find. (The tools leave empty sets behind.)
    let is_empty_set = |name: &str| name == "meta_attributes";
    let elements = theirs.root().descendants();
    for element in elements.filter(|e| !is_empty_set(e.name()) || e.children().next().is_some()) {
        let id = element.attribute("id");
        let found = ours
            .after()
            .root()
            .descendants()
            .any(|e| e.attribute("id") == id);
        assert!(found, "{tool:?} makes {id:?}, we do not");
    }
}

#[test]
fn pacemakers_tools_make_the_same() {
    let always = Reach::default;
    same_as(
        &["crm_resource", "--ban", "-r", "sphynx", "-N", "maitre"],
        |cib| constraint::ban(cib, "sphynx", "maitre", &always()),
    );
    same_as(
        &["crm_resource", "--move", "-r", "mail", "-N", "esclave"],
        |cib| constraint::prefer(cib, "mail", "esclave", &always()),
    );
    same_as(
        &[
            "crm_resource",
            "-r",
            "VIP_externe",
            "-p",
            "nic",
            "-v",
            "eth0",
        ],
        |cib| resource::set_value(cib, "VIP_externe", Values::Parameters, "nic", "eth0"),
    );
    same_as(
        &["crm_resource", "-r", "mail", "-p", "email", "-v", "root"],
        |cib| resource::set_value(cib, "mail", Values::Parameters, "email", "root"),
    );
    same_as(
        &[
            "crm_resource",
            "-r",
            "mail",
            "-m",
            "-p",
            "target-role",
            "-v",
            "Stopped",
        ],
        |cib| resource::stop(cib, "mail"),
    );
    same_as(
        &[
            "crm_resource",
            "-r",
            "mail",
            "-z",
            "-p",
            "memory",
            "-v",
            "10",
        ],
        |cib| resource::set_value(cib, "mail", Values::Utilization, "memory", "10"),
    );
    same_as(
        &["crm_resource", "-r", "ipsec_rsc", "-m", "-d", "target-role"],
        |cib| resource::start(cib, "ipsec_rsc"),
    );
    same_as(&["crm_standby", "-N", "maitre", "-v", "on"], |cib| {
        node::standby(cib, "maitre", true)
    });
    same_as(
        &[
            "crm_attribute",
            "-N",
            "esclave",
            "-n",
            "maintenance",
            "-v",
            "true",
        ],
        |cib| node::maintenance(cib, "esclave", true),
    );
    same_as(
        &[
            "crm_attribute",
            "-N",
            "maitre",
            "-z",
            "-n",
            "memory",
            "-v",
            "64",
        ],
        |cib| node::set_utilization(cib, "maitre", "memory", "64"),
    );
    same_as(
        &["crm_attribute", "-n", "maintenance-mode", "-v", "true"],
        |cib| option::set(cib, "maintenance-mode", "true"),
    );
    same_as(&["crm_attribute", "-n", "stonith-enabled", "-D"], |cib| {
        option::unset(cib, "stonith-enabled");
        Ok(())
    });
    same_as(
        &[
            "crm_attribute",
            "-t",
            "rsc_defaults",
            "-N",
            "maitre",
            "-n",
            "resource-stickiness",
            "-v",
            "100",
        ],
        |cib| option::set_default(cib, Defaults::Resources, "resource-stickiness", "100"),
    );
    same_as(
        &[
            "crm_attribute",
            "-t",
            "op_defaults",
            "-N",
            "maitre",
            "-n",
            "timeout",
            "-v",
            "40s",
        ],
        |cib| option::set_default(cib, Defaults::Operations, "timeout", "40s"),
    );
}
