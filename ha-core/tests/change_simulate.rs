//! What Pacemaker's scheduler says of a plan. Without `crm_simulate` there is nobody to ask.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ha_core::change::edit::constraint::{self, Reach};
use ha_core::change::edit::{node, option, resource};
use ha_core::change::{Action, ActionKind, Plan, outstanding};
use ha_core::xml::Document;
use ha_core::{ErrorKind, Result};

/// Two nodes online, `a` and `b` started on maitre, `c` stopped.
fn cib() -> Document {
    let started = |id: &str, call: u32| {
        format!(
            "<lrm_resource id='{id}' class='ocf' provider='pacemaker' type='Dummy'>\
             <lrm_rsc_op id='{id}_last_0' operation_key='{id}_start_0' operation='start' \
             crm-debug-origin='x' crm_feature_set='3.16.1' transition-key='1:1:0:x' \
             transition-magic='0:0;1:1:0:x' call-id='{call}' rc-code='0' op-status='0' interval='0' \
             last-rc-change='1700000000' exec-time='1' queue-time='0'/></lrm_resource>"
        )
    };
    let primitive = |id: &str, meta: &str| {
        format!(
            "<primitive id='{id}' class='ocf' provider='pacemaker' type='Dummy'>{meta}</primitive>"
        )
    };
    let state = |id: u8, name: &str, history: &str| {
        format!(
            "<node_state id='{id}' uname='{name}' in_ccm='true' crmd='online' join='member' \
             expected='member'><lrm id='{id}'><lrm_resources>{history}</lrm_resources></lrm></node_state>"
        )
    };
    let probed = |id: &str| {
        started(id, 1)
            .replace("start", "monitor")
            .replace("rc-code='0'", "rc-code='7'")
            .replace("0:0;", "0:7;")
            .replace("1:1:0:x", "1:1:7:x")
    };
    let held = "<meta_attributes id='m'><nvpair id='n' name='target-role' value='Stopped'/></meta_attributes>";
    let text = format!(
        "<cib crm_feature_set='3.16.1' validate-with='pacemaker-3.9' admin_epoch='0' epoch='1' \
         num_updates='0' have-quorum='1' dc-uuid='1'><configuration><crm_config>\
         <cluster_property_set id='o'><nvpair id='s' name='stonith-enabled' value='false'/>\
         </cluster_property_set></crm_config><nodes><node id='1' uname='maitre'/>\
         <node id='2' uname='esclave'/></nodes><resources>{}{}{}</resources>\
         <constraints><rsc_location id='la' rsc='a' node='maitre' score='10'/>\
         <rsc_location id='lb' rsc='b' node='maitre' score='10'/></constraints></configuration>\
         <status>{}{}</status></cib>",
        primitive("a", ""),
        primitive("b", ""),
        primitive("c", held),
        state(
            1,
            "maitre",
            &(started("a", 5) + &started("b", 6) + &probed("c"))
        ),
        state(2, "esclave", &(probed("a") + &probed("b") + &probed("c"))),
    );
    Document::parse(&text).unwrap()
}

/// Asks what an edit would lead to; nothing when there is no `crm_simulate` here.
fn what_if(edit: impl FnOnce(&mut Document) -> Result<()>) -> Option<Vec<Action>> {
    match Plan::new(cib(), edit).unwrap().what_if() {
        Ok(actions) => Some(actions),
        Err(e) if e.kind() == ErrorKind::NotFound => {
            eprintln!("{e:#}");
            None
        }
        Err(e) => panic!("{e:?}"),
    }
}

fn words(actions: &[Action]) -> Vec<String> {
    actions.iter().map(Action::to_string).collect()
}

#[test]
fn the_scheduler_is_asked() {
    let Some(nothing) = what_if(|_| Ok(())) else {
        return;
    };
    assert_eq!(nothing, []);
    let started = what_if(|cib| resource::start(cib, "c")).unwrap();
    assert_eq!(started.len(), 1, "{started:?}");
    assert_eq!(started[0].kind, ActionKind::Start);
    assert_eq!(started[0].resource.as_deref(), Some("c"));
    assert!(started[0].to.is_some() && started[0].from.is_none());
    assert!(!started[0].interrupts());
    let stopped = what_if(|cib| resource::stop(cib, "a")).unwrap();
    assert_eq!(words(&stopped), ["stop a on maitre (node availability)"]);
    assert!(stopped[0].interrupts());
    let banned = what_if(|cib| constraint::ban(cib, "a", "maitre", &Reach::default())).unwrap();
    assert_eq!(words(&banned), ["move a from maitre to esclave"]);
    assert!(banned[0].interrupts());
    let standby = what_if(|cib| node::standby(cib, "maitre", true)).unwrap();
    assert_eq!(
        words(&standby),
        [
            "move a from maitre to esclave",
            "move b from maitre to esclave"
        ]
    );
    let maintenance = what_if(|cib| {
        option::set(cib, "maintenance-mode", "true")?;
        resource::stop(cib, "a")
    });
    assert_eq!(maintenance.unwrap(), []);
}

#[test]
fn a_cib_of_nonsense_is_refused() {
    let plan = Plan::new(cib(), |cib| {
        let resources = cib
            .root()
            .child("configuration")
            .unwrap()
            .child("resources")
            .unwrap();
        let id = resources.id();
        cib.append_child(id, "nonsense");
        Ok(())
    });
    match plan.unwrap().what_if() {
        Err(e) if e.kind() == ErrorKind::NotFound => eprintln!("{e:#}"),
        Err(e) => assert_eq!(e.kind(), ErrorKind::Invalid, "{e:#}"),
        Ok(actions) => panic!("{actions:?}"),
    }
}

/// What changes no resource counts as work too.
#[test]
fn probes_are_outstanding() {
    let work = |cib: &Document, of: &str| match outstanding(cib) {
        Ok(mut actions) => {
            actions.retain(|action| action.resource.as_deref() == Some(of));
            Some(actions)
        }
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        Err(e) => panic!("{e:?}"),
    };
    let Some(nothing) = work(&cib(), "c") else {
        eprintln!("there is no crm_simulate");
        return;
    };
    assert_eq!(nothing, []);
    // `c` is stopped; esclave has not looked at it yet.
    let text = cib().to_xml_compact();
    let at = text.rfind("<lrm_resource id=\"c\"").unwrap();
    let end = at + text[at..].find("</lrm_resource>").unwrap() + "</lrm_resource>".len();
    let unprobed = Document::parse(&format!("{}{}", &text[..at], &text[end..])).unwrap();
    let probe = work(&unprobed, "c").unwrap();
    assert_eq!(words(&probe), ["monitor c on esclave"]);
    assert_eq!(probe[0].kind, ActionKind::Monitor);
    // What is told of a resource anyway is told once, though it takes several steps.
    let mut stopped = cib();
    resource::stop(&mut stopped, "a").unwrap();
    let stop = work(&stopped, "a").unwrap();
    assert_eq!(stop.len(), 1, "{stop:?}");
    assert_eq!(stop[0].kind, ActionKind::Stop);
}
